//! GIF: a palette of all frames first, then the frames in its colours.

use super::paint::interleaved;
use super::settings;
use super::write::{AnimationSpec, Schedule, Sink, Source};
use crate::error::MediaError;
use crate::ffi::palette::{PaletteMaker, PalettePainter};
use crate::ffi::pixel::AvFormat;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub(super) fn write(
    spec: &AnimationSpec<'_>,
    schedule: &Schedule,
    source: &mut Source<'_, '_>,
    cancel: &Arc<AtomicBool>,
) -> Result<(), MediaError> {
    let (width, height) = source.size;
    let mut maker = PaletteMaker::open(width, height)?;
    while let Some(frame) = source.next()? {
        maker.send(&interleaved(&frame, AvFormat::BGRA)?)?;
    }
    let palette = maker.finish()?;
    source.rewind()?;
    let (_, options) = settings(spec.container, spec.quality);
    let options: Vec<(&str, &str)> = options
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    let mut painter = PalettePainter::open(width, height, &palette, &options)?;
    let last = schedule.lengths().last().copied().unwrap_or(2);
    // The file counts repetitions, after the first time.
    let repeat = match spec.plays {
        0 => 0,
        1 => -1,
        more => i64::from((more - 1).min(u32::from(u16::MAX))),
    };
    let muxer = [
        ("loop", repeat.to_string()),
        ("final_delay", last.to_string()),
    ];
    let mut sink = Sink::open(
        spec,
        schedule,
        source.size,
        AvFormat::PAL8,
        &[],
        &muxer,
        cancel,
    )?;
    while let Some(frame) = source.next()? {
        let mut painted = painter.paint(&interleaved(&frame, AvFormat::BGRA)?)?;
        painted.set_pts(frame.pts());
        sink.send(&painted)?;
    }
    sink.finish()
}
