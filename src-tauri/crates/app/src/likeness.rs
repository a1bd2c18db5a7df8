//! How alike a result and its source are, in the figures of the field.

use crate::preview::{Side, pixels};
use crate::{App, explain};
use frameloom_core::error::AppError;
use frameloom_core::job::JobId;
use frameloom_core::quality::{Rgb, psnr, ssim};
use serde::Serialize;
use ts_rs::TS;

/// Sources are looked at in this size at most: SSIM in floating point takes its time.
const MAX_SIDE: u32 = 1280;

/// How alike a frame of a result and the same frame of its source are.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Likeness {
    /// Size of the source's file.
    #[ts(type = "number")]
    pub before_bytes: u64,
    /// Size of the result's file.
    #[ts(type = "number")]
    pub after_bytes: u64,
    /// What can be said of the pictures; `None` where they have not the same shape, as after a cut.
    pub picture: Option<PictureLikeness>,
}

/// Of luma, the result made as small as its source by MATLAB's bicubic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, TS)]
pub struct PictureLikeness {
    /// In dB, peak 255; `None` where nothing differs.
    pub psnr_db: Option<f64>,
    /// 0 to 1; `None` for pictures smaller than its window.
    pub ssim: Option<f64>,
}

impl App {
    /// How alike a frame of the result of a finished job and its source are.
    ///
    /// # Errors
    /// There is no such job, it has no result, or a file cannot be read.
    pub fn job_likeness(&self, id: &JobId, at_micros: i64) -> Result<Likeness, AppError> {
        let side = |side| -> Result<(u64, Rgb), AppError> {
            let (path, at_micros) = self.place_of_frame(id, side, at_micros)?;
            let size = std::fs::metadata(&path).map_err(|e| explain::unreadable(&path, &e))?;
            // The result is made smaller by the protocol's own filter, from as much as there is.
            let most = match side {
                Side::Before => MAX_SIDE,
                Side::After => MAX_SIDE * 4,
            };
            let (width, height, data) = pixels(&path, at_micros, most)?;
            let (width, height) = (width as usize, height as usize);
            let picture = Rgb {
                width,
                height,
                data,
            };
            Ok((size.len(), picture))
        };
        let (before_bytes, before) = side(Side::Before)?;
        let (after_bytes, after) = side(Side::After)?;
        Ok(Likeness {
            before_bytes,
            after_bytes,
            picture: compared(&before, &after),
        })
    }
}

fn compared(before: &Rgb, after: &Rgb) -> Option<PictureLikeness> {
    let shape = |picture: &Rgb| picture.width as f64 / picture.height.max(1) as f64;
    // A pixel more or less, as an odd side makes it.
    let differs = (shape(before) / shape(after) - 1.0).abs() > 2.0 / before.height.max(2) as f64;
    if differs || after.width < before.width || before.data.is_empty() {
        return None;
    }
    let a = before.luma();
    let b = after.imresize(before.width, before.height).luma();
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
}
