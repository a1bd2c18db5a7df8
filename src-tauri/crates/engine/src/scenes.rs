//! The shots of a clip: where each begins, and a sheet that shows them.

mod sheet;

pub use sheet::{SHEET_PICTURE, Sheet, SheetPicture, SheetShot, contact_sheet};

pub use crate::motion::shots::ShotStart;

use crate::EngineError;
use crate::motion::{Glance, Gray, Shots, luma_of_rgb};
use frameloom_core::time::{Rational, TimeBase, Timestamp};
use frameloom_media::{Reader, ReaderOptions, Tones, show};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Longest side that pictures are brought to before they are compared.
const SIDE: u32 = 192;

/// Where the shots of a clip may begin, and how long it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scenes {
    /// Where a shot may begin, in order; the first begins with the clip and is not among them.
    pub starts: Vec<ShotStart>,
    /// Pictures of the clip.
    pub frames: u64,
    /// When the first is shown, in ticks.
    pub first_ticks: i64,
    /// When the last is no longer shown, in ticks.
    pub end_ticks: i64,
    /// Seconds per tick, as numerator and denominator.
    pub tick: (i64, i64),
}

impl Scenes {
    /// How long after the first picture `ticks` is, in whole microseconds, rounded down: what begins
    /// at a picture never begins behind it.
    pub fn micros(&self, ticks: i64) -> i64 {
        let (num, den) = self.tick;
        let past = i128::from(ticks.saturating_sub(self.first_ticks));
        let micros = (past * 1_000_000 * i128::from(num)).div_euclid(i128::from(den.max(1)));
        i64::try_from(micros).unwrap_or(i64::MAX)
    }
}

/// Decodes all pictures of a clip and finds where its shots may begin, by every sensitivity. Brightness
/// of HDR is compared as a screen without it shows it. `progress` is told the part that is done, 0 to 1.
///
/// # Errors
/// The clip cannot be read, or `cancel` was raised.
pub fn find(
    path: &Path,
    threads: usize,
    cancel: &Arc<AtomicBool>,
    progress: &mut dyn FnMut(f64),
) -> Result<Scenes, EngineError> {
    let options = ReaderOptions {
        threads,
        cancel: cancel.clone(),
        pictures: None,
    };
    let mut reader = Reader::open(path, &options)?;
    let base = reader.time_base();
    let length = reader.info().duration_micros.unwrap_or(0).max(1);
    let mut shots = Shots::default();
    let (mut frames, mut first, mut end) = (0u64, 0, 0);
    let square = Rational { num: 1, den: 1 };
    while let Some(frame) = reader.next_frame()? {
        let image = show(&frame, square, (0, false), Some(SIDE), Tones::Shown)?;
        let gray = Gray {
            width: image.width as usize,
            height: image.height as usize,
            values: image.data.chunks_exact(3).map(luma_of_rgb).collect(),
        };
        if frames == 0 {
            first = frame.pts();
        }
        end = reader.report().last_pts_end.unwrap_or(frame.pts());
        frames += 1;
        let micros = micros_since(frame.pts(), first, base);
        shots.push(frame.pts(), micros, Glance::of(&gray));
        progress((micros as f64 / length as f64).clamp(0.0, 1.0));
    }
    let ratio = base.ratio();
    Ok(Scenes {
        starts: shots.finish(),
        frames,
        first_ticks: first,
        end_ticks: end,
        tick: (ratio.num, ratio.den),
    })
}

fn micros_since(ticks: i64, first: i64, base: TimeBase) -> i64 {
    Timestamp::new(ticks.saturating_sub(first), base).micros()
}
