//! A result that is sound alone: its tracks are worked out or copied, put into a file with what else the
//! source holds, and read back.

use super::named;
use super::output::{Temporary, read_back, temporary};
use super::parts::remove_leftovers;
use super::{Context, Finished};
use crate::EngineError;
use crate::plan::{AlonePlan, CutPlan, PLACE, alone_spans, mux_plan};
use crate::sound::{ClipSpan, Made, Making, Pace, Sound, World, make, same_sound};
use frameloom_core::job::{JobSpec, Step};
use frameloom_core::media::{MediaInfo, StreamKind, Warning};
use frameloom_core::receipt::Checks;
use frameloom_core::time::{Rational, TimeBase, Timestamp};
use frameloom_media::{
    Container, Inventory, Kept, RemuxSpec, SoundReader, SourceCut, SourceHole, lost_tags,
    plan_sound_encoder, remux,
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
    if let Some(finished) = made(spec, plan, context)? {
        return Ok(finished);
    }
    // Not every container can hide what comes before the first sample of coded sound.
    tracing::warn!("sound cannot be copied as it is and is encoded");
    let plan = encoding(spec, plan, context)?;
    made(spec, &plan, context)?.ok_or_else(|| EngineError::OutputCheck {
        reason: "its sound is not that of the source".to_owned(),
    })
}

/// The plan with every track encoded that would be copied of the source.
fn encoding(
    spec: &JobSpec,
    plan: &AlonePlan,
    context: &Context<'_>,
) -> Result<AlonePlan, EngineError> {
    let container = Container::from_path(&spec.output)?;
    let mut plan = plan.clone();
    for (number, track) in plan.sound.sound.iter_mut().flatten().enumerate() {
        let Making::Copied { input, stream } = &track.making else {
            continue;
        };
        if spec.path_of(input) != spec.input {
            continue;
        }
        let reader = SoundReader::open(&spec.input, *stream, &context.cancel.now_flag())?;
        let encoder = plan_sound_encoder(&reader.source(), container, spec.encode.quality)?;
        context.progress.warning(Warning::SoundEncoded {
            track: number as u32 + 1,
            codec: encoder.codec.clone(),
            bit_rate: encoder.bit_rate,
        });
        let (input, stream) = (input.clone(), *stream);
        track.making = Making::WorkedOut {
            sound: Sound::Stream { input, stream },
            encoder,
        };
    }
    Ok(plan)
}

/// The finished job; `None` where a track that was copied is not as it was.
fn made(
    spec: &JobSpec,
    plan: &AlonePlan,
    context: &Context<'_>,
) -> Result<Option<Finished>, EngineError> {
    let seconds = plan.seconds();
    let progress = context.progress;
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
    if let Err(why) = check_copies(spec, plan, file.path(), &found, context)? {
        tracing::info!(why, "a copy is none");
        return Ok(None);
    }
    read_back(made.check_alone(&world, file.path()))?;
    let Made { checks: sound, .. } = made;
    let checks = Checks {
        streams: count,
        sound,
        ..Checks::default()
    };
    let (output, checks) =
        named::publish(file, &spec.output, spec.overwrite, checks, context.work_dir)?;
    Ok(Some(Finished {
        output,
        pictures: None,
        checks,
    }))
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

/// Tracks of the source that nothing is done to: is every packet of them in the result at its time? Where
/// that cannot be said, as one container hides what comes before the first sample and another does not:
/// does the result sound the same, sample by sample?
fn check_copies(
    spec: &JobSpec,
    plan: &AlonePlan,
    result: &Path,
    found: &MediaInfo,
    context: &Context<'_>,
) -> Result<Result<(), String>, EngineError> {
    let tracks = plan.sound.sound.iter().flatten();
    let own = tracks.map(|track| match &track.making {
        Making::Copied { input, stream } if spec.path_of(input) == spec.input => Some(*stream),
        _ => None,
    });
    // Among others it is not known which packets are which track's.
    if let Some(copied) = own.collect::<Option<Vec<u32>>>() {
        let cancel = context.cancel.now_flag();
        let mut alive = || context.progress.alive();
        let source = Inventory::take_telling(&spec.input, &cancel, &mut alive)?;
        let copy = read_back(Inventory::take_telling(result, &cancel, &mut alive))?;
        match source.kept(&copy, &copied) {
            Ok(_) => return Ok(Ok(())),
            Err(lost) => tracing::info!(?lost, "copied sound is listened to"),
        }
    }
    listen_to_copies(spec, plan, result, found, context)
}

fn listen_to_copies(
    spec: &JobSpec,
    plan: &AlonePlan,
    result: &Path,
    found: &MediaInfo,
    context: &Context<'_>,
) -> Result<Result<(), String>, EngineError> {
    let heard: Vec<u32> = found
        .streams
        .iter()
        .filter(|stream| stream.kind == StreamKind::Audio)
        .map(|stream| stream.index)
        .collect();
    for (number, track) in plan.sound.sound.iter().flatten().enumerate() {
        let Making::Copied { input, stream } = &track.making else {
            continue;
        };
        // Others lie where this one begins and ends, and are not whole.
        if spec.path_of(input) != spec.input {
            continue;
        }
        let fail = |reason: &str| Ok(Err(format!("track {}: {reason}", number + 1)));
        let Some(&index) = heard.get(number) else {
            return fail("it is not in the file");
        };
        let cancel = context.cancel.now_flag();
        let before = SoundReader::open(&spec.input, *stream, &cancel)?;
        let after = read_back(SoundReader::open(result, index, &cancel))?;
        // What fills the last packet up may be heard in the source.
        let missing = before.format().rate as usize / 5;
        if let Err(why) = same_sound(before, after, missing, context)? {
            return fail(&why);
        }
    }
    Ok(Ok(()))
}
