//! A clip whose pictures nothing is done to: they are copied as they are coded, and what is worked out
//! of its sound comes beside them. The result is read back, and every coded picture compared.

use super::named;
use super::output::{Temporary, read_back, temporary};
use super::{Context, Finished};
use crate::EngineError;
use crate::plan::{VideoPlan, left_out, spans};
use crate::sound::{Made, Pace, World, make};
use crate::verify::times_sha256;
use frameloom_core::error::ErrorCode;
use frameloom_core::job::{JobSpec, Step};
use frameloom_core::media::{MediaInfo, Warning};
use frameloom_core::receipt::Checks;
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_media::{
    AddedPlace, Aspect, Container, Inventory, RemuxSpec, Unkept, plan_remux, remux,
};
use std::path::Path;

/// Does the job by copying its pictures. `None` where they are to be encoded: the plan says so, an
/// earlier run began to, or they cannot be copied, which is told.
///
/// # Errors
/// What is wrong has nothing to do with pictures.
pub(super) fn run(
    spec: &JobSpec,
    video: &VideoPlan,
    context: &Context<'_>,
) -> Result<Option<Finished>, EngineError> {
    if !video.copies || !context.journal.completed()?.is_empty() {
        return Ok(None);
    }
    let why = match copied(spec, video, context)? {
        Ok(finished) => return Ok(Some(finished)),
        Err(why) => why,
    };
    tracing::warn!(%why, "the pictures cannot be copied and are encoded");
    context.progress.warning(Warning::PicturesEncoded { why });
    Ok(None)
}

/// The finished job, or why the pictures cannot be copied.
fn copied(
    spec: &JobSpec,
    video: &VideoPlan,
    context: &Context<'_>,
) -> Result<Result<Finished, Said>, EngineError> {
    let info = frameloom_media::probe(&spec.input)?;
    let mut streams = info.streams.iter();
    let (Some(stream), Some(sound)) = (
        streams.find(|stream| stream.index == video.stream),
        &video.sound,
    ) else {
        return Ok(Err(untimed()));
    };
    let cancel = context.cancel.now_flag();
    let alive = || context.progress.alive();
    let take = |path: &Path| Inventory::take_telling(path, &cancel, &mut || alive());
    let source = match take(&spec.input) {
        Ok(source) => source,
        Err(error) => return not_as_it_is(error.into()),
    };
    let pictures = source.streams.iter().find(|s| s.info.index == stream.index);
    let Some((pictures, span)) = pictures.and_then(|p| Some((p, p.span_micros()?))) else {
        return Ok(Err(untimed()));
    };
    let frames = pictures.shown().count() as u64;
    context.progress.step(Step::Processing, Some(frames));

    let layout = spec.graph.layout()?;
    let clips = spans(stream, None, None, layout.main_input());
    let mut world = World::new(spec, sound, &clips, None, span, context);
    world.pace = Some(Pace::new(sound, frames, span));
    let made = make(&world)?;
    context.progress.done(frames);
    context.progress.step(Step::Joining, Some(frames));
    // The result holds what the source holds.
    let size_bytes = std::fs::metadata(&spec.input).map_or(0, |facts| facts.len());
    context.journal.joining(size_bytes)?;

    let container = Container::from_path(&spec.output)?;
    let mut drop = left_out(spec, stream);
    drop.extend(sound.replaced());
    let plan = plan_remux(&info, container, &drop)?;
    let file = Temporary::new(temporary(&spec.output, context.work_dir));
    let written = remux(
        &RemuxSpec {
            source: &spec.input,
            output_tmp: file.path(),
            plan: &plan,
            chapters: None,
            added: &made.added(),
            // Sound comes where it was; subtitles leave the places of all others as they are.
            place: match &sound.sound {
                Some(_) => AddedPlace::BehindPictures,
                None => AddedPlace::Last,
            },
            kept: None,
        },
        &info,
        &cancel,
        &mut |_| alive(),
    );
    let streams = match written {
        Ok(streams) => streams,
        Err(error) => return not_as_it_is(error.into()),
    };
    context.cancel.check()?;
    context.progress.step(Step::Verifying, Some(frames));
    let result = match read_back(take(file.path())) {
        Ok(result) => result,
        Err(error) => return not_as_it_is(error),
    };
    let moved = match source.kept(&result, &plan.copied) {
        Ok(moved) => moved,
        Err(lost) => return Ok(Err(reason(&lost))),
    };
    let times = read_back(frameloom_media::frame_times(file.path()))?;
    let found = times.info.streams.len() as u32;
    if found < streams {
        return Err(EngineError::OutputCheck {
            reason: format!("it has {found} streams instead of {streams}"),
        });
    }
    let layers = |info: &MediaInfo| info.main_video().is_some_and(|(_, v)| v.dolby_vision);
    if layers(&info) && !layers(&times.info) {
        let what = "Dolby Vision".to_owned();
        context
            .progress
            .warning(Warning::HdrMetadataDropped { what });
    }
    read_back(made.check_output(&world, file.path(), moved))?;
    let Made { checks: sound, .. } = made;
    let checks = Checks {
        frames: times.ticks.len() as u64,
        span_micros: times.micros().next().zip(times.micros().last()),
        times_sha256: Some(times_sha256(&times)),
        streams: found,
        pictures: None,
        copied: Some(times.ticks.len() as u64),
        sound,
    };
    let (output, checks) =
        named::publish(file, &spec.output, spec.overwrite, checks, context.work_dir)?;
    Ok(Ok(Finished {
        output,
        pictures: None,
        checks,
    }))
}

/// Why a copy is none, from what is not as it was.
fn reason(lost: &[Unkept]) -> Said {
    tracing::info!(?lost, "no copy came about");
    match lost.iter().any(|lost| lost.aspect == Aspect::Preroll) {
        true => said!(
            "copied.hidden",
            "an edit list hides some of them, which a copy would show"
        ),
        false => unlike(),
    }
}

fn unlike() -> Said {
    said!("copied.unlike", "this container holds them in another form")
}

fn untimed() -> Said {
    said!(
        "copied.untimed",
        "the file does not say when they are shown"
    )
}

/// What speaks against a copy, from a failure that is about the pictures; any other stays one.
fn not_as_it_is<T>(error: EngineError) -> Result<Result<T, Said>, EngineError> {
    match error.code() {
        ErrorCode::VerificationFailed | ErrorCode::Internal => {
            tracing::info!(%error, "no copy came about");
            Ok(Err(said!(
                "copied.failed",
                "a copy could not be written, or not be read as it was written"
            )))
        }
        _ => Err(error),
    }
}
