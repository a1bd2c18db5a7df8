//! A contact sheet of files: one picture that shows many, each with its name.

use crate::preview::pixels;
use crate::saved::saved;
use crate::scenes::{SceneWatch, left, sheet_format};
use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::said;
use frameloom_engine::execute::is_same_file;
use frameloom_engine::scenes::{SHEET_PICTURE, Sheet};
use frameloom_media::{RgbImage, Tones};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// A sheet shows no more: it would be larger than people look at.
const MOST: usize = 2_000;
/// Colour of the place of a file that cannot be shown.
const UNSHOWN: u8 = 48;

/// A sheet that was written.
#[derive(Debug)]
pub struct WrittenSheet {
    /// Where it is.
    pub path: PathBuf,
    /// Files that could not be shown, each with the reason; their names stand on the sheet.
    pub unshown: Vec<(PathBuf, AppError)>,
}

impl App {
    /// Writes a sheet of pictures and clips, in their order: upright, in sRGB, 3:2 places of 320 pixels, of
    /// a clip a picture of its beginning.
    ///
    /// # Errors
    /// There are none or too many, the name asks for another format than PNG or JPEG, nothing can be
    /// written there, or `watch` wants it no more.
    pub fn save_sheet(
        &self,
        files: &[PathBuf],
        wanted: &Path,
        overwrite: bool,
        watch: &mut dyn SceneWatch,
    ) -> Result<WrittenSheet, AppError> {
        if files.is_empty() || files.len() > MOST {
            return Err(AppError::new(
                ErrorCode::InvalidRequest,
                said!(
                    "sheet.count",
                    "A sheet shows 1 to {most} files, and these are {count}.",
                    most = MOST,
                    count = files.len()
                ),
            )
            .hint("Make several sheets."));
        }
        let format = sheet_format(wanted)?;
        let mut unshown = Vec::new();
        // No source is written over, whichever of them it would be.
        let source = files.iter().find(|file| is_same_file(file, wanted));
        let source = source.map_or(Path::new(""), PathBuf::as_path);
        let path = saved(wanted, source, overwrite, |place| {
            let cancel = AtomicBool::new(false);
            let sheet = Sheet {
                count: files.len(),
                cell: Some((SHEET_PICTURE, SHEET_PICTURE * 2 / 3)),
                output: place,
                format,
            };
            let mut picture = |number: usize| {
                let Some(file) = files.get(number) else {
                    return Ok(None);
                };
                let name = file.file_name().unwrap_or(file.as_os_str());
                let line = name.to_string_lossy().into_owned();
                Ok(Some(match shown(file) {
                    Ok(picture) => (picture, line),
                    Err(error) => {
                        unshown.push((file.clone(), error));
                        (blank(), line)
                    }
                }))
            };
            sheet
                .write(&mut picture, &cancel, &mut |part| {
                    watch.told(part);
                    if !watch.is_wanted() {
                        cancel.store(true, Ordering::Relaxed);
                    }
                })
                .map_err(|error| match cancel.load(Ordering::Relaxed) {
                    true => left(),
                    false => explain::engine(&error),
                })
        })?;
        Ok(WrittenSheet { path, unshown })
    }
}

/// A file as it fits into its place.
fn shown(file: &Path) -> Result<RgbImage, AppError> {
    let small = |longest| pixels(file, None, longest, Tones::Shown);
    let (mut width, mut height, mut data) = small(SHEET_PICTURE)?;
    let most = SHEET_PICTURE * 2 / 3;
    if height > most {
        // As high as its place.
        (width, height, data) = small(SHEET_PICTURE * most / height)?;
    }
    Ok(RgbImage {
        width,
        height,
        data,
    })
}

fn blank() -> RgbImage {
    let (width, height) = (SHEET_PICTURE, SHEET_PICTURE * 2 / 3);
    RgbImage {
        width,
        height,
        data: vec![UNSHOWN; (width * height * 3) as usize],
    }
}
