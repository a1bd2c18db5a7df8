//! The last step of a job whose result is an animated picture.

use super::Context;
use super::named;
use super::output::{Temporary, read_back, temporary};
use crate::EngineError;
use crate::verify::times_sha256;
use frameloom_core::job::{JobSpec, Step};
use frameloom_core::receipt::{Checks, PictureCheck};
use frameloom_core::time::FrameRate;
use frameloom_media::{AnimationSpec, Container};
use std::path::PathBuf;

/// Writes the animation, checks it and gives it its name.
pub(super) fn join(
    spec: &JobSpec,
    container: Container,
    frame_rate: Option<FrameRate>,
    parts: &[PathBuf],
    pictures: PictureCheck,
    context: &Context<'_>,
) -> Result<(PathBuf, Checks), EngineError> {
    let file = Temporary::new(temporary(&spec.output, context.work_dir));
    // An animation is repeated as often as its source; a clip, for ever.
    let plays = match spec.pictures {
        Some(_) => 0,
        None => frameloom_media::animation_facts(&spec.input)?.map_or(0, |facts| facts.plays),
    };
    let cancel = context.cancel.now_flag();
    let report = frameloom_media::write_animation(
        &AnimationSpec {
            parts,
            output_tmp: file.path(),
            container,
            quality: spec.encode.quality,
            plays,
            frame_rate,
        },
        &cancel,
        &mut |_| context.progress.alive(),
    )?;
    for warning in &report.warnings {
        context.progress.warning(warning.clone());
    }
    context
        .progress
        .step(Step::Verifying, Some(report.times.len() as u64));
    read_back(frameloom_media::check_animation(
        file.path(),
        &report,
        &cancel,
        &mut |_| context.progress.alive(),
    ))?;
    let times = read_back(frameloom_media::frame_times(file.path()))?;
    let checks = Checks {
        frames: times.ticks.len() as u64,
        span_micros: times.micros().next().zip(times.micros().last()),
        times_sha256: Some(times_sha256(&times)),
        streams: times.info.streams.len() as u32,
        pictures: Some(pictures),
        copied: None,
        sound: Vec::new(),
    };
    named::publish(file, &spec.output, spec.overwrite, checks, context.work_dir)
}
