//! How alike a result and its source are, in the figures of the field.

use crate::preview::{Side, pixels};
use crate::{App, explain};
use frameloom_core::blemishes::Blemishes;
use frameloom_core::error::AppError;
use frameloom_core::job::JobId;
use frameloom_core::quality::{Rgb, psnr, ssim};
use frameloom_media::Tones;
use serde::Serialize;
use ts_rs::TS;

/// Both are compared in this size at most: SSIM in floating point takes its time.
const COMPARED_SIDE: usize = 1280;
/// No figures for pictures with a longer side than this: they would have to be made smaller by
/// another filter than the protocol's before they fit into memory.
const MAX_SIDE: u32 = 8192;

/// How alike a frame of a result and the same frame of its source are.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Likeness {
    /// Size of the source's file.
    #[ts(type = "number")]
    pub before_bytes: u64,
    /// Size of the result's file.
    #[ts(type = "number")]
    pub after_bytes: u64,
    /// What can be said of the pictures; `None` where they have not the same shape, as after a cut,
    /// or are too large to be read as they are.
    pub picture: Option<PictureLikeness>,
    /// What spoils each of them; `None` for pictures that are small, and those of two sizes, in which
    /// it is not the same.
    pub blemishes: Option<BlemishesOfBoth>,
}

/// What spoils a source and its result.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, TS)]
pub struct BlemishesOfBoth {
    /// Of the source.
    pub before: Blemishes,
    /// Of the result.
    pub after: Blemishes,
}

/// Of luma, the result made as small as its source by MATLAB's bicubic; both made smaller by it
/// where the source has a side of more than 1280 pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, TS)]
pub struct PictureLikeness {
    /// In dB, peak 255; `None` where nothing differs.
    pub psnr_db: Option<f64>,
    /// 0 to 1; `None` for pictures smaller than its window.
    pub ssim: Option<f64>,
}

/// What a source and its result sound like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, TS)]
pub struct SoundOfBoth {
    /// The source.
    pub before: SoundFigures,
    /// The result.
    pub after: SoundFigures,
}

/// Of the first track of a file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, TS)]
pub struct SoundFigures {
    /// Size of the file.
    #[ts(type = "number")]
    pub size_bytes: u64,
    /// Integrated loudness in LUFS; `None` for silence.
    pub loudness: Option<f64>,
    /// Highest true peak in dBTP; `None` for silence.
    pub peak: Option<f64>,
    /// Length in microseconds.
    #[ts(type = "number")]
    pub length_micros: i64,
}

impl App {
    /// What the source and the result of a finished job sound like.
    ///
    /// # Errors
    /// There is no such job, it has no result, or a file has no sound or cannot be read.
    pub fn job_sound(&self, id: &JobId) -> Result<SoundOfBoth, AppError> {
        let side = |side| -> Result<SoundFigures, AppError> {
            let (path, _) = self.place_of_frame(id, side, 0)?;
            let size = std::fs::metadata(&path).map_err(|e| explain::unreadable(&path, &e))?;
            let found = frameloom_engine::sound::figures(&path).map_err(|e| explain::engine(&e))?;
            Ok(SoundFigures {
                size_bytes: size.len(),
                loudness: found.loudness,
                peak: found.peak,
                length_micros: found.length_micros,
            })
        };
        Ok(SoundOfBoth {
            before: side(Side::Before)?,
            after: side(Side::After)?,
        })
    }

    /// How alike a frame of the result of a finished job and its source are.
    ///
    /// # Errors
    /// There is no such job, it has no result, or a file cannot be read.
    pub fn job_likeness(&self, id: &JobId, at_micros: i64) -> Result<Likeness, AppError> {
        let side = |side| -> Result<(u64, Option<Rgb>), AppError> {
            let (path, at_micros) = self.place_of_frame(id, side, at_micros)?;
            let size = std::fs::metadata(&path).map_err(|e| explain::unreadable(&path, &e))?;
            // What comes with a side of the limit has been made smaller.
            let (width, height, data) = pixels(&path, at_micros, MAX_SIDE + 1, Tones::Coded)?;
            let (width, height) = (width as usize, height as usize);
            let whole = width.max(height) <= MAX_SIDE as usize;
            Ok((
                size.len(),
                whole.then_some(Rgb {
                    width,
                    height,
                    data,
                }),
            ))
        };
        let (before_bytes, before) = side(Side::Before)?;
        let (after_bytes, after) = side(Side::After)?;
        let both = before.zip(after);
        Ok(Likeness {
            before_bytes,
            after_bytes,
            picture: both.as_ref().and_then(|(a, b)| compared(a, b)),
            blemishes: both.as_ref().and_then(|(a, b)| blemishes(a, b)),
        })
    }
}

fn blemishes(before: &Rgb, after: &Rgb) -> Option<BlemishesOfBoth> {
    if (before.width, before.height) != (after.width, after.height) {
        return None;
    }
    Some(BlemishesOfBoth {
        before: Blemishes::of(before)?,
        after: Blemishes::of(after)?,
    })
}

fn compared(before: &Rgb, after: &Rgb) -> Option<PictureLikeness> {
    let shape = |picture: &Rgb| picture.width as f64 / picture.height.max(1) as f64;
    // A pixel more or less, as an odd side makes it.
    let differs = (shape(before) / shape(after) - 1.0).abs() > 2.0 / before.height.max(2) as f64;
    if differs || after.width < before.width || before.data.is_empty() {
        return None;
    }
    let longest = before.width.max(before.height);
    let small = |side: usize| match longest > COMPARED_SIDE {
        true => (side * COMPARED_SIDE / longest).max(1),
        false => side,
    };
    let [a, b] = [before, after].map(|picture| {
        picture
            .imresize(small(before.width), small(before.height))
            .luma()
    });
    let db = psnr(&a, &b);
    Some(PictureLikeness {
        psnr_db: db.is_finite().then_some(db),
        ssim: ssim(&a, &b),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, paint: impl Fn(usize, usize) -> u8) -> Rgb {
        Rgb {
            width,
            height,
            data: (0..width * height)
                .flat_map(|i| [paint(i % width, i / width); 3])
                .collect(),
        }
    }

    #[test]
    fn an_enlarged_picture_is_much_like_its_source_and_a_cut_one_is_not_compared() {
        let paint = |x: usize, y: usize| (128.0 + 90.0 * ((x + 2 * y) as f64 / 9.0).sin()) as u8;
        let source = picture(64, 48, paint);
        let alike = compared(&source, &source.imresize(128, 96)).unwrap();
        assert!(alike.psnr_db.unwrap() > 35.0, "{alike:?}");
        assert!(alike.ssim.unwrap() > 0.98, "{alike:?}");
        let other = compared(&source, &picture(128, 96, |x, y| paint(y, x))).unwrap();
        assert!(other.ssim.unwrap() < 0.6, "{other:?}");
        assert_eq!(compared(&source, &picture(96, 96, paint)), None);
        assert_eq!(compared(&source, &source).unwrap().psnr_db, None);
    }

    #[test]
    fn a_large_source_is_made_smaller_by_the_filter_of_its_result() {
        let paint = |x: usize, y: usize| (128.0 + 90.0 * ((x + 2 * y) as f64 / 3.0).sin()) as u8;
        let source = picture(1600, 64, paint);
        let alike = compared(&source, &source.imresize(3200, 128)).unwrap();
        assert!(alike.psnr_db.unwrap() > 40.0, "{alike:?}");
        let plain = compared(&source, &source).unwrap();
        assert_eq!(plain.psnr_db, None);
    }
}
