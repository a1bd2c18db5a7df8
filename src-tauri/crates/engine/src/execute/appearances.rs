//! Who is seen in what a job is about to cover: a pass over its pictures, up to the node, as a run
//! makes them.

use super::still;
use super::video::Work;
use super::{Chain, ChainSpec, Context, format_of};
use crate::EngineError;
use crate::execute::side::Sides;
use crate::nodes::{Appearances, Joints, Opening, Pace, PictureFormat, Timed, Watch};
use crate::plan::{MediumPlan, Plan, VideoPlan};
use frameloom_core::graph::{Line, Op, RedactParams};
use frameloom_core::job::JobSpec;
use frameloom_core::time::Rational;
use frameloom_media::Frame;
use std::collections::VecDeque;

/// What the first node that covers what a model finds will find, put together to appearances.
/// `progress` is told the part that is done, 0 to 1, where the length is known.
///
/// # Errors
/// The job has no such node; otherwise as a run of the job would end.
pub fn appearances(
    spec: &JobSpec,
    plan: &Plan,
    context: &Context<'_>,
    progress: &mut dyn FnMut(f64),
) -> Result<Appearances, EngineError> {
    plan.check_unchanged(&spec.input, context.models)?;
    match &plan.medium {
        MediumPlan::Video(video) => of_clips(spec, video, context, progress),
        MediumPlan::Still => {
            let layout = spec.graph.layout()?;
            let (line, at) = the_node(still::only_line(&layout, spec)?)?;
            let (frame, input) = still::frame_before(spec, id_of(line, at)?, context)?;
            of_picture(&frame, &input, params_of(line, at)?, spec, context)
        }
        MediumPlan::StillByFfmpeg => {
            let layout = spec.graph.layout()?;
            let (line, at) = the_node(still::only_line(&layout, spec)?)?;
            let (frame, _) = still::by_ffmpeg(&spec.input, line)?;
            let input = format_of(&frame, Rational { num: 1, den: 1 }, Pace::STILL);
            let before = up_to(line, at);
            let (sides, joints) = (Sides::default(), Joints::default());
            let chain_spec = ChainSpec::of_still(spec, &before, &input, (&sides, &joints), context);
            let mut chain = Chain::open(&chain_spec, context)?;
            let frame = chain.process(frame)?;
            let input = chain.output().clone();
            of_picture(&frame, &input, params_of(line, at)?, spec, context)
        }
        MediumPlan::Sound(_) => Err(super::without_pictures()),
    }
}

/// The line without the node and what is behind it.
fn up_to<'a>(line: &Line<'a>, at: usize) -> Line<'a> {
    Line {
        steps: line.steps.iter().take(at).cloned().collect(),
        ..line.clone()
    }
}

fn place_of(line: &Line<'_>) -> Option<usize> {
    let finds = |op: &Op| matches!(op, Op::Redact(params) if params.model.is_some());
    line.steps.iter().position(|step| finds(step.op))
}

fn none() -> EngineError {
    EngineError::Node {
        node: "redact".to_owned(),
        reason: "no node of the graph finds faces or text".into(),
    }
}

fn the_node<'a, 'b>(line: &'b Line<'a>) -> Result<(&'b Line<'a>, usize), EngineError> {
    place_of(line).map(|at| (line, at)).ok_or_else(none)
}

fn params_of<'a>(line: &Line<'a>, at: usize) -> Result<&'a RedactParams, EngineError> {
    match line.steps.get(at).map(|step| step.op) {
        Some(Op::Redact(params)) => Ok(params),
        _ => Err(none()),
    }
}

fn id_of<'a>(line: &Line<'a>, at: usize) -> Result<&'a str, EngineError> {
    line.steps.get(at).map(|step| step.id).ok_or_else(none)
}

fn of_picture(
    frame: &Frame,
    input: &PictureFormat,
    params: &RedactParams,
    spec: &JobSpec,
    context: &Context<'_>,
) -> Result<Appearances, EngineError> {
    let opening = Opening {
        runtime: context.runtime,
        models: context.models,
        sessions: context.sessions(&spec.device),
        threads: context.threads.infer,
        max_tile: context.max_tile(),
        zero: 0,
        scratch: context.work_dir,
        over: None,
        joint: None,
    };
    let mut watch = Watch::open(params, input, &opening, Default::default())?;
    context.cancel.watch(watch.cancel_handle());
    context.cancel.check()?;
    watch.see(frame)?;
    Ok(watch.into_seen().finish())
}

fn of_clips(
    spec: &JobSpec,
    video: &VideoPlan,
    context: &Context<'_>,
    progress: &mut dyn FnMut(f64),
) -> Result<Appearances, EngineError> {
    let work = Work::new(spec, video, context)?;
    let mut seen = Default::default();
    let mut done = 0u64;
    let mut is_there = false;
    for (clip, line) in (0..).zip(&work.layout.pictures) {
        let Some(at) = place_of(line) else { continue };
        is_there = true;
        let entry = work.entry(clip)?;
        let (joints, sides) = (work.joints(clip, &entry)?, Sides::default());
        let before = up_to(line, at);
        let chain_spec = ChainSpec {
            job: spec,
            line: &before,
            input: &entry.input,
            zero: entry.zero,
            upright: entry.upright,
            device: &spec.device,
            threads: context.threads.infer,
            sides: &sides,
            joints: &joints,
            at: work.place_of(clip),
            patience: None,
        };
        let mut chain = Chain::open(&chain_spec, context)?;
        let input = chain.output().clone();
        let opening = chain.opening(&spec.device, context);
        let mut watch = Watch::open(params_of(line, at)?, &input, &opening, seen)?;
        context.cancel.watch(watch.cancel_handle());
        let mut source = work.open(clip)?;
        source.rewind()?;
        chain.restart()?;
        let mut ready: VecDeque<Frame> = VecDeque::new();
        loop {
            context.cancel.check()?;
            let next = source.next()?;
            let is_end = next.is_none();
            let mut give = |timed: Timed| {
                ready.push_back(timed.frame);
                Ok(())
            };
            match next {
                Some(frame) if chain.window().is_some() => {
                    let source_pts = frame.pts();
                    chain.push(Timed { frame, source_pts }, &mut give)?;
                }
                Some(frame) => ready.push_back(frame),
                None => chain.finish(&mut give)?,
            }
            for frame in ready.drain(..) {
                context.cancel.check()?;
                watch.see(&chain.process(frame)?)?;
            }
            if is_end {
                break;
            }
            done += 1;
            if let Some(all) = video.frames_estimate {
                progress((done as f64 / all.max(1) as f64).min(1.0));
            }
        }
        seen = watch.into_seen();
    }
    match is_there {
        true => Ok(seen.finish()),
        false => Err(none()),
    }
}
