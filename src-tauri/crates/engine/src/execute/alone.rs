//! A result that is sound alone: its tracks are worked out or copied, put into a file with what else the
//! source holds, and read back.

use super::named;
use super::output::{Temporary, read_back, temporary};
use super::parts::remove_leftovers;
use super::{Context, Finished};
use crate::EngineError;
use crate::plan::{AlonePlan, CutPlan, PLACE, alone_spans, mux_plan};
use crate::sound::{ClipSpan, Made, Making, Pace, World, make};
use frameloom_core::job::{JobSpec, Step};
use frameloom_core::media::StreamKind;
use frameloom_core::receipt::Checks;
use frameloom_core::time::{Rational, TimeBase, Timestamp};
use frameloom_media::{
    Container, Inventory, Kept, RemuxSpec, SoundReader, SourceCut, SourceHole, lost_tags, remux,
};
use std::path::Path;

pub(super) fn run(
    spec: &JobSpec,
    plan: &AlonePlan,
    context: &Context<'_>,
) -> Result<Finished, EngineError> {
    let seconds = plan.seconds();
    let progress = context.progress;
    progress.step(Step::Preparing, seconds);
    remove_leftovers(context, spec)?;
    if let Some((output, checks)) = named::earlier(&spec.output, context.work_dir) {
        tracing::info!(output = %output.display(), "the result is there already");
        return Ok(Finished {
            output,
            pictures: None,
            checks,
        });
    }
    let info = frameloom_media::probe(&spec.input)?;
    let container = Container::from_path(&spec.output)?;
    let (clips, span) = timed(spec, plan, context)?;
    let first = clips.first().map_or(0, |clip| clip.from_micros);
    let holes: Vec<SourceHole> = plan.cut.iter().flat_map(CutPlan::source_holes).collect();
    let part = plan.clips.first().filter(|clip| clip.is_part);
    let cut = SourceCut {
        from_micros: first,
        to_micros: clips.first().and_then(|clip| clip.to_micros),
    };
    progress.step(Step::Processing, seconds);
    let is_one = plan.clips.len() == 1;
    let own = part.filter(|_| is_one).map(|_| cut);
    let mut world = World::new(spec, &plan.sound, &clips, own, span, context);
    world.cut_plan = plan.cut.as_ref();
    world.holes = &holes;
    world.slow = plan.slow;
    world.pace = seconds.map(|seconds| Pace::new(&plan.sound, seconds, span));
    let made = make(&world)?;
    if let Some(seconds) = seconds {
        progress.done(seconds);
    }
    progress.step(Step::Joining, seconds);
    // About what the tracks hold, and at least what else the source brings along.
    let size_bytes = std::fs::metadata(&spec.input).map_or(0, |facts| facts.len());
    context.journal.joining(size_bytes)?;

    let cancel = context.cancel.now_flag();
    let mux = mux_plan(&info, container, &plan.sound, &spec.encode.drop)?;
    let file = Temporary::new(temporary(&spec.output, context.work_dir));
    let streams = remux(
        &RemuxSpec {
            source: &spec.input,
            output_tmp: file.path(),
            plan: &mux,
            chapters: None,
            added: &made.added(),
            place: PLACE,
            kept: Some(Kept {
                cut,
                holes: &holes,
                slow: plan.slow.unwrap_or(Rational::ONE),
            }),
        },
        &info,
        &cancel,
        &mut |_| progress.alive(),
    )?;
    context.cancel.check()?;
    progress.step(Step::Verifying, seconds);
    let found = read_back(frameloom_media::probe(file.path()))?;
    let count = found.streams.len() as u32;
    if count < streams {
        return Err(EngineError::OutputCheck {
            reason: format!("it has {count} streams instead of {streams}"),
        });
    }
    if mux.keeps_tags
        && let Some(warning) = lost_tags(&info, &found, container)
    {
        progress.warning(warning);
    }
    check_copies(spec, plan, file.path(), context)?;
    read_back(made.check_alone(&world, file.path()))?;
    let Made { checks: sound, .. } = made;
    let checks = Checks {
        streams: count,
        sound,
        ..Checks::default()
    };
    let (output, checks) =
        named::publish(file, &spec.output, spec.overwrite, checks, context.work_dir)?;
    Ok(Finished {
        output,
        pictures: None,
        checks,
    })
}

/// The clips with their ends, and where the result begins and ends in its time.
fn timed(
    spec: &JobSpec,
    plan: &AlonePlan,
    context: &Context<'_>,
) -> Result<(Vec<ClipSpan>, (i64, i64)), EngineError> {
    let mut ends = Vec::new();
    let is_open = plan.clips.len() > 1 || !plan.sound.origins.is_empty();
    for clip in &plan.clips {
        // Only what stands beside something else has to end at a known moment.
        let end = match (clip.to_micros, is_open) {
            (Some(to), false) => to,
            (to, true) => {
                let path = spec.path_of(&clip.input);
                let end = end_of(path, context)?;
                to.map_or(end, |to| to.min(end))
            }
            (None, false) => continue,
        };
        ends.push(end);
    }
    let clips = alone_spans(&plan.clips, &ends);
    let first = clips.first().map_or(0, |clip| clip.at_micros);
    let slow = plan.slow.unwrap_or(Rational::ONE);
    let known = clips.last().and_then(|clip| {
        let length = clip.to_micros?.saturating_sub(clip.from_micros);
        Some(clip.at_micros.saturating_add(length))
    });
    let holes = plan.cut.iter().flat_map(|cut| &cut.holes);
    let gone: i64 = holes.map(|hole| hole.to_micros - hole.from_micros).sum();
    let end = match known {
        Some(end) => slow.of(end.saturating_sub(gone)),
        None => slow
            .of(first)
            .saturating_add(plan.length_micros.unwrap_or(0)),
    };
    Ok((clips, (slow.of(first), end)))
}

/// The moment behind the last sample of any track of a file, by decoding it: what files say of their
/// length is often a guess.
fn end_of(path: &Path, context: &Context<'_>) -> Result<i64, EngineError> {
    let info = frameloom_media::probe(path)?;
    let tracks = info.streams.iter().filter(|s| s.kind == StreamKind::Audio);
    let mut end = 0;
    for track in tracks {
        let mut reader = SoundReader::open(path, track.index, &context.cancel.now_flag())?;
        let rate = i64::from(reader.format().rate);
        let base = TimeBase::new(1, rate).unwrap_or(TimeBase::MICROS);
        while let Some(block) = reader.next_block()? {
            context.progress.alive();
            context.cancel.check()?;
            end = end.max(Timestamp::new(block.end(), base).micros());
        }
    }
    Ok(end)
}

/// Tracks of the source that nothing is done to: is every packet of them in the result?
fn check_copies(
    spec: &JobSpec,
    plan: &AlonePlan,
    result: &Path,
    context: &Context<'_>,
) -> Result<(), EngineError> {
    let tracks = plan.sound.sound.iter().flatten();
    let mut copied = Vec::new();
    for track in tracks {
        match &track.making {
            Making::Copied { input, stream } if spec.path_of(input) == spec.input => {
                copied.push(*stream);
            }
            // Among others it is not known which is which.
            _ => return Ok(()),
        }
    }
    if copied.is_empty() {
        return Ok(());
    }
    let cancel = context.cancel.now_flag();
    let mut alive = || context.progress.alive();
    let source = Inventory::take_telling(&spec.input, &cancel, &mut alive)?;
    let found = read_back(Inventory::take_telling(result, &cancel, &mut alive))?;
    match source.kept(&found, &copied) {
        Ok(_) => Ok(()),
        Err(lost) => Err(EngineError::OutputCheck {
            reason: format!("copied sound is not as it was: {lost:?}"),
        }),
    }
}
