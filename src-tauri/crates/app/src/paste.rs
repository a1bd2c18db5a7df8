//! Pictures and files from the clipboard. A picture has no file yet: it gets one in the data
//! folder, under a name that says what it is, and is then like any other.

use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::said;
use frameloom_engine::execute::free_output;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use serde::Serialize;
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// What the clipboard holds that can be worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Clipboard {
    /// Nothing of the kind, or there is none.
    Nothing,
    /// A picture.
    Picture,
    /// Files, copied in a file manager.
    Files,
}

/// Samples of a picture: red, green, blue and opacity, 8 bit each, row by row.
struct Pixels<'a> {
    width: u32,
    height: u32,
    rgba: &'a [u8],
}

fn nothing() -> AppError {
    AppError::new(
        ErrorCode::InvalidRequest,
        said!(
            "clipboard.nothing",
            "The clipboard holds no picture and no files."
        ),
    )
    .hint("Copy a picture or files first, then paste again.")
}

fn open() -> Option<arboard::Clipboard> {
    // Without a screen there is no clipboard, and nothing is on it.
    arboard::Clipboard::new()
        .inspect_err(|error| tracing::debug!(%error, "there is no clipboard"))
        .ok()
}

impl App {
    /// What is on the clipboard now.
    pub fn clipboard(&self) -> Clipboard {
        let Some(mut clipboard) = open() else {
            return Clipboard::Nothing;
        };
        if clipboard
            .get()
            .file_list()
            .is_ok_and(|files| !files.is_empty())
        {
            return Clipboard::Files;
        }
        match clipboard.get_image() {
            Ok(_) => Clipboard::Picture,
            Err(_) => Clipboard::Nothing,
        }
    }

    /// The files on the clipboard, or a file made of the picture on it, which is called `name`.
    ///
    /// # Errors
    /// There is neither, or the data folder cannot be written.
    pub fn paste(&self, name: &str) -> Result<Vec<PathBuf>, AppError> {
        let mut clipboard = open().ok_or_else(nothing)?;
        if let Ok(files) = clipboard.get().file_list()
            && !files.is_empty()
        {
            return Ok(files);
        }
        let picture = clipboard
            .get_image()
            .map_err(|error| nothing().details(error.to_string()))?;
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let pixels = Pixels {
            width: side(picture.width),
            height: side(picture.height),
            rgba: &picture.bytes,
        };
        let path = self.keep_pasted(name, &pixels)?;
        Ok(vec![path])
    }

    /// Writes a picture without a file into the folder for such, under a free name.
    fn keep_pasted(&self, name: &str, pixels: &Pixels<'_>) -> Result<PathBuf, AppError> {
        let folder = self.places.pasted();
        let failed = |error: &std::io::Error| explain::data_folder(&folder, error);
        std::fs::create_dir_all(&folder).map_err(|error| failed(&error))?;
        let png = encode(pixels)?;
        let wanted = folder.join(format!("{}.png", plain_name(name)));
        let path = free_output(&wanted, |path| path.symlink_metadata().is_ok());
        write_new(&folder, &path, &png).map_err(|error| failed(&error))?;
        Ok(path)
    }
}

/// The whole file or none of it.
fn write_new(folder: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut file, bytes)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(())
}

/// PNG; without opacity where all of it is opaque.
fn encode(pixels: &Pixels<'_>) -> Result<Vec<u8>, AppError> {
    let count = u64::from(pixels.width) * u64::from(pixels.height);
    if count == 0 || pixels.rgba.len() as u64 != count * 4 {
        return Err(nothing().details(format!(
            "{} x {} pixels in {} bytes",
            pixels.width,
            pixels.height,
            pixels.rgba.len()
        )));
    }
    let opaque = pixels.rgba.chunks_exact(4).all(|pixel| pixel[3] == 255);
    let rgb: Vec<u8>;
    let (samples, form) = if opaque {
        rgb = pixels
            .rgba
            .chunks_exact(4)
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect();
        (&rgb[..], ExtendedColorType::Rgb8)
    } else {
        (pixels.rgba, ExtendedColorType::Rgba8)
    };
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive)
        .write_image(samples, pixels.width, pixels.height, form)
        .map_err(explain::internal)?;
    Ok(png)
}

/// A name that every disk takes: no separators, no signs that a system keeps for itself.
fn plain_name(name: &str) -> String {
    const MOST_BYTES: usize = 120;
    let mut plain: String = name
        .chars()
        .map(|sign| match sign {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '%' => '-',
            sign if sign.is_control() => ' ',
            sign => sign,
        })
        .collect();
    while plain.len() > MOST_BYTES {
        plain.pop();
    }
    let trimmed = plain.trim_matches(|sign: char| sign.is_whitespace() || sign == '.');
    match trimmed {
        "" => "picture".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Places;

    fn app() -> (tempfile::TempDir, std::sync::Arc<App>) {
        let folder = tempfile::tempdir().unwrap();
        let app = App::open(Places {
            data: folder.path().join("data"),
            worker: "frameloom".into(),
            extra_models: Vec::new(),
        })
        .unwrap();
        (folder, app)
    }

    #[test]
    fn a_pasted_picture_becomes_a_file_with_its_own_pixels_under_a_free_name() {
        let (_folder, app) = app();
        let rgba: Vec<u8> = (0..5 * 3)
            .flat_map(|n| [n as u8 * 3, 200 - n as u8, n as u8, 255])
            .collect();
        let pixels = Pixels {
            width: 5,
            height: 3,
            rgba: &rgba,
        };
        let first = app.keep_pasted("Ảnh đã dán 19:31", &pixels).unwrap();
        let second = app.keep_pasted("Ảnh đã dán 19:31", &pixels).unwrap();
        assert_eq!(first.file_name().unwrap(), "Ảnh đã dán 19-31.png");
        assert_eq!(second.file_name().unwrap(), "Ảnh đã dán 19-31 (2).png");
        assert!(first.starts_with(app.places().pasted()));
        let info = app.probe(&first).unwrap();
        let (_, video) = info.main_video().unwrap();
        assert_eq!((video.width, video.height, video.alpha), (5, 3, false));
        let read = image::open(&second).unwrap().to_rgba8();
        assert_eq!(read.as_raw(), &rgba);
        // It is listed like any other.
        let imported = app.import(&[first, second]).unwrap();
        assert_eq!(imported.added, 2);
    }

    #[test]
    fn opacity_is_kept_and_nonsense_is_refused() {
        let (_folder, app) = app();
        let clear = Pixels {
            width: 1,
            height: 1,
            rgba: &[9, 8, 7, 0],
        };
        let path = app.keep_pasted("../../etc/passwd", &clear).unwrap();
        assert!(
            path.starts_with(app.places().pasted()),
            "{}",
            path.display()
        );
        assert_eq!(
            image::open(&path).unwrap().to_rgba8().as_raw(),
            &[9, 8, 7, 0]
        );
        let short = Pixels {
            width: 2,
            height: 2,
            rgba: &[0; 4],
        };
        assert!(app.keep_pasted("a", &short).is_err());
    }

    #[test]
    fn names_are_plain_and_never_empty() {
        assert_eq!(plain_name(" a/b\\c\n."), "a-b-c");
        assert_eq!(plain_name("..."), "picture");
        assert!(plain_name(&"日".repeat(200)).len() <= 120);
    }
}
