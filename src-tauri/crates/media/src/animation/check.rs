//! Reading a finished animation back.

use super::file::animation_facts;
use super::paint::{Look, RgbPainter};
use super::write::AnimationReport;
use crate::container::Container;
use crate::error::MediaError;
use crate::reader::{Reader, ReaderOptions};
use frameloom_core::job::Quality;
use frameloom_core::time::{Rational, Timestamp};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Mean and largest difference that the cells of a picture may have from those of its source, of
/// full scale. Far above what the format does to any of the test clips, far below another picture.
fn tolerance(container: Container, quality: Quality) -> (f32, f32) {
    match (container, quality) {
        // Few colours for all frames together: a small patch of a rare colour may go far.
        (Container::Gif, _) => (0.06, 0.35),
        (Container::Apng, _) | (_, Quality::Lossless) => (0.001, 0.004),
        _ => (0.03, 0.12),
    }
}

/// Decodes a written animation and holds every frame of it, its time and its size against what
/// was written.
///
/// # Errors
/// [`MediaError::Verification`] with the first thing that does not match;
/// [`MediaError::Cancelled`].
pub fn check_animation(
    path: &Path,
    report: &AnimationReport,
    cancel: &Arc<AtomicBool>,
    progress: &mut dyn FnMut(f64),
) -> Result<(), MediaError> {
    let fail = |what: String| MediaError::Verification {
        what,
        path: path.into(),
    };
    // One frame is a picture, which says nothing of times.
    if report.times.len() > 1 {
        let facts = animation_facts(path)?.ok_or_else(|| fail("it does not move".into()))?;
        if (facts.width, facts.height) != report.size {
            return Err(fail(format!(
                "it is {}x{} instead of {}x{}",
                facts.width, facts.height, report.size.0, report.size.1
            )));
        }
        if facts.plays != report.plays.min(u32::from(u16::MAX)) {
            return Err(fail(format!(
                "it is played {} times instead of {}",
                facts.plays, report.plays
            )));
        }
        if facts.lengths.len() != report.times.len() {
            return Err(fail(format!(
                "it has {} frames instead of {}",
                facts.lengths.len(),
                report.times.len()
            )));
        }
        compare_times(&facts.lengths, report).map_err(fail)?;
    }
    let options = ReaderOptions {
        cancel: Arc::clone(cancel),
        ..ReaderOptions::default()
    };
    let mut reader = Reader::open(path, &options)?;
    let mut painter = None::<RgbPainter>;
    let (most, largest) = tolerance(report.container, report.quality);
    let mut count = 0;
    while let Some(frame) = reader.next_frame()? {
        let bits = if frame.format().bits > 8 { 16 } else { 8 };
        let rgb = painter
            .get_or_insert_with(|| RgbPainter::new(bits))
            .rgb(&frame)?;
        let Some(expected) = report.looks.get(count) else {
            return Err(fail("it decodes to more frames than were written".into()));
        };
        let found = Look::of(&rgb, report.container == Container::Gif);
        let (mean, worst) = expected.difference(&found);
        if mean > most || worst > largest {
            return Err(fail(format!(
                "frame {count} is not the picture that was written (it differs by {:.1} %, at most \
                 {:.1} %)",
                mean * 100.0,
                worst * 100.0
            )));
        }
        count += 1;
        progress(count as f64 / report.looks.len().max(1) as f64);
    }
    let damaged = reader.report().damaged_frames;
    if count != report.looks.len() || damaged > 0 {
        return Err(fail(format!(
            "{count} of {} frames decode, {damaged} of them damaged",
            report.looks.len()
        )));
    }
    Ok(())
}

/// Adds the lengths up as a player does, and compares every start.
fn compare_times(lengths: &[Rational], report: &AnimationReport) -> Result<(), String> {
    let mut at = 0.0;
    let base = report.clock.ratio().to_f64();
    // The delays of an APNG are fractions of short numbers, each off by a millionth at most.
    let slack = |frame: usize| 1e-6 + frame as f64 * 1e-9;
    let ends = report.times.iter().copied().chain([report.end]);
    for (frame, tick) in ends.enumerate() {
        let wanted = tick as f64 * base;
        let slack = slack(frame) + wanted.abs() * 2e-5;
        if (at - wanted).abs() > slack {
            return Err(format!(
                "frame {frame} is at {:.0} µs instead of {} µs",
                at * 1e6,
                Timestamp::new(tick, report.clock).micros()
            ));
        }
        at += lengths.get(frame).map_or(0.0, |length| length.to_f64());
    }
    Ok(())
}
