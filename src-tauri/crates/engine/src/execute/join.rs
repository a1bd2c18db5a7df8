//! The last step of a clip: its parts become the result, which is read back and gets its name.

use super::animated;
use super::named;
use super::output::{Temporary, read_back, temporary};
use super::pictures;
use super::{Context, Finished};
use crate::EngineError;
use crate::control::SegmentRecord;
use crate::plan::{CutPlan, VideoPlan, left_out, spans, uncuttable};
use crate::sound::{Made, World, make};
use crate::verify::{PictureCheck, times_sha256};
use frameloom_core::graph::{Line, Op};
use frameloom_core::job::{JobSpec, Step};
use frameloom_core::media::MediaInfo;
use frameloom_core::receipt::Checks;
use frameloom_core::said;
use frameloom_core::sequence::NumberPattern;
use frameloom_media::{
    Container, Expectation, MuxSpec, OutputCheck, PartReader, SourceCut, SourceHole,
};
use std::path::{Path, PathBuf};

/// Makes the result of the parts, and checks it.
pub(super) fn finished(
    spec: &JobSpec,
    video: &VideoPlan,
    segments: &[SegmentRecord],
    context: &Context<'_>,
) -> Result<Finished, EngineError> {
    let container = Container::from_path(&spec.output)?;
    let frames: u64 = segments.iter().map(|s| s.frames).sum();
    let check = segments
        .iter()
        .fold(PictureCheck::default(), |sum, s| sum.merged(&s.check));
    if frames == 0 {
        let layout = spec.graph.layout()?;
        let line = layout.pictures.first();
        return Err(line.map_or_else(
            || EngineError::NoFrames {
                path: spec.input.clone(),
            },
            |line| nothing_in(line, &spec.input),
        ));
    }
    context.progress.step(Step::Joining, Some(frames));
    let parts: Vec<PathBuf> = segments
        .iter()
        .filter(|s| s.has_part())
        .map(|s| context.work_dir.join(&s.part))
        .collect();
    let (output, numbers, checks) = match container {
        Container::Pictures => {
            let (output, numbers) = pictures::join(spec, &parts, context)?;
            (output, Some(numbers), picture_checks(numbers.count, check))
        }
        container if container.is_animation() => {
            let (output, checks) =
                animated::join(spec, container, video.frame_rate, &parts, check, context)?;
            (output, None, checks)
        }
        container => {
            // The result holds what the parts hold, and more.
            context
                .journal
                .joining(segments.iter().map(|s| s.part_bytes).sum())?;
            let (output, checks) = join(spec, video, container, &parts, check, context)?;
            (output, None, checks)
        }
    };
    // The parts stay until the caller has noted that the job is done: killed before that, it
    // must find them again.
    Ok(Finished {
        output,
        pictures: numbers,
        checks,
    })
}

/// No picture came of a line's input: of the file itself, or of the stretch that is kept of it.
pub(super) fn nothing_in(line: &Line<'_>, path: &Path) -> EngineError {
    let trim = line
        .steps
        .iter()
        .find(|step| matches!(step.op, Op::Trim(_) | Op::Cut(_)));
    match trim {
        Some(step) => EngineError::Node {
            node: step.id.to_owned(),
            reason: said!(
                "clip.empty_stretch_of",
                "no picture of `{path}` lies in its stretch; choose another start or end",
                path = path.display()
            ),
        },
        None => EngineError::NoFrames { path: path.into() },
    }
}

fn join(
    spec: &JobSpec,
    video: &VideoPlan,
    container: Container,
    parts: &[PathBuf],
    pictures: PictureCheck,
    context: &Context<'_>,
) -> Result<(PathBuf, Checks), EngineError> {
    let file = Temporary::new(temporary(&spec.output, context.work_dir));
    let info = source_info(spec)?;
    let source = source_file(spec);
    let mut streams = info.streams.iter();
    let stream = streams.find(|stream| stream.index == video.stream);
    let mut drop = stream.map_or_else(|| spec.encode.drop.clone(), |s| left_out(spec, s));
    if let (Some(_), Some(main)) = (&video.cut, stream) {
        uncuttable(&info, main, &mut drop);
    }
    let holes: Vec<SourceHole> = video.cut.iter().flat_map(CutPlan::source_holes).collect();
    let cut = match video.joined.as_ref().and_then(|j| j.clips.first()) {
        Some(first) => Some(SourceCut {
            from_micros: first.from_micros,
            to_micros: Some(first.to_micros),
        }),
        None => video.stretch.map(|stretch| SourceCut {
            from_micros: stretch.from_micros,
            to_micros: stretch.to_micros,
        }),
    };
    let layout = spec.graph.layout()?;
    let clips = stream.map_or_else(Vec::new, |stream| {
        let joined = video.joined.as_ref();
        spans(stream, video.stretch, joined, layout.main_input())
    });
    let world = match &video.sound {
        Some(plan) => {
            drop.extend(plan.replaced());
            let pictures = frameloom_media::parts_span(parts)?;
            let mut world = World::new(spec, plan, &clips, cut, pictures, context);
            world.cut_plan = video.cut.as_ref();
            world.holes = &holes;
            world.slow = video.slow;
            Some(world)
        }
        None => None,
    };
    let sound = world.as_ref().map(make).transpose()?;
    let added = sound.as_ref().map(Made::added).unwrap_or_default();
    let mux_plan = frameloom_media::plan_mux(&info, container, &drop)?;
    let report = frameloom_media::mux(
        &MuxSpec {
            source: &source,
            video_stream: video.stream,
            parts,
            output_tmp: file.path(),
            plan: &mux_plan,
            hdr: None,
            cut,
            holes: &holes,
            slow: video.slow,
            upright: video.upright,
            added: &added,
        },
        &context.cancel.now_flag(),
        &mut |_| context.progress.alive(),
    )?;
    for warning in &report.warnings {
        context.progress.warning(warning.clone());
    }
    context.cancel.check()?;
    context.progress.step(Step::Verifying, Some(report.frames));
    // Where the codec wants even sides, the coded picture is a pixel larger than the plan's.
    let size = parts
        .first()
        .map(|part| PartReader::open(part))
        .transpose()?
        .map_or((0, 0), |part| part.header().size());
    let checked = read_back(frameloom_media::verify_output(
        file.path(),
        &Expectation {
            pts: &report.pts,
            time_base: report.time_base,
            size,
            streams: report.streams,
        },
    ))?;
    let mut sounds = Vec::new();
    if let (Some(world), Some(made)) = (&world, sound) {
        // Times were expected as they are in the source: this holds the shift of the mux as well.
        let moved = checked.offset_micros;
        read_back(made.check_output(world, file.path(), moved))?;
        sounds = made.checks;
    }
    let checks = Checks {
        sound: sounds,
        ..checks(&checked, pictures)
    };
    named::publish(file, &spec.output, spec.overwrite, checks, context.work_dir)
}

/// What the source is.
fn source_info(spec: &JobSpec) -> Result<MediaInfo, EngineError> {
    Ok(match spec.pictures {
        Some(run) => frameloom_media::probe_pictures(&spec.input, run)?,
        None => frameloom_media::probe(&spec.input)?,
    })
}

/// The file that everything but the pictures comes from: of numbered pictures the first one.
fn source_file(spec: &JobSpec) -> PathBuf {
    match (spec.pictures, NumberPattern::of_path(&spec.input)) {
        (Some(run), Some(names)) => names.path(&spec.input, run.first),
        _ => spec.input.clone(),
    }
}

/// Numbered pictures have no times of their own.
fn picture_checks(frames: u64, pictures: PictureCheck) -> Checks {
    Checks {
        frames,
        span_micros: None,
        times_sha256: None,
        streams: 0,
        pictures: Some(pictures),
        copied: None,
        sound: Vec::new(),
    }
}

fn checks(checked: &OutputCheck, pictures: PictureCheck) -> Checks {
    let times = &checked.times;
    Checks {
        frames: checked.frames,
        span_micros: times.micros().next().zip(times.micros().last()),
        times_sha256: Some(times_sha256(times)),
        streams: times.info.streams.len() as u32,
        pictures: Some(pictures),
        copied: None,
        sound: Vec::new(),
    }
}
