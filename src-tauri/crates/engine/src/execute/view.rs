//! One picture of a job at a time, as it leaves the graph: what somebody looks at who builds it.
//!
//! It is made by the very steps of a run, from the same frames, before anything is encoded. Only
//! models may do less than a run, where all of a picture would take too long, and then that is said.

use super::planar::{interleaved, spread_color_under_transparency};
use super::side::Sides;
use super::still;
use super::video::Work;
use super::{Chain, ChainSpec, Context, format_of};
use crate::EngineError;
use crate::nodes::{Joints, Pace, Patience, PictureFormat, Portion, Timed, source_window};
use crate::plan::{MediumPlan, Plan, VideoPlan, settled_color};
use frameloom_core::graph::{Line, Op, slowness};
use frameloom_core::job::JobSpec;
use frameloom_core::media::StreamInfo;
use frameloom_core::time::{FrameRate, Rational, TimeBase, Timestamp};
use frameloom_media::{Frame, Tones};
use frameloom_still::{Limits, Metadata, Picture};
use std::collections::VecDeque;
use std::time::Duration;

/// Which picture, and how it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewWish {
    /// Time in the source that is shown first, from its beginning. A picture by itself has none.
    pub at_micros: i64,
    /// Longest side of what is shown, in pixels: the whole picture is made and reduced at the end.
    pub max_side: u32,
    /// How long the models may take for it.
    pub patience: Duration,
}

/// What is seen.
#[derive(Debug, Clone, PartialEq)]
pub enum View {
    /// A picture.
    Picture(Pixels),
    /// Nothing: the graph cuts that time away.
    Outside {
        /// First moment that is left, in the time of [`ViewWish::at_micros`].
        from_micros: i64,
        /// First moment that is out again; `None` for the end of the source.
        to_micros: Option<i64>,
    },
}

/// A picture for showing.
#[derive(Debug, Clone, PartialEq)]
pub struct Pixels {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height * 3` bytes of R, G and B.
    pub rgb: Vec<u8>,
    /// Pixels of the picture as it leaves the graph, upright.
    pub size: (u32, u32),
    /// When the source's frame is shown that it belongs to.
    pub at_micros: i64,
    /// What of it went through the models: `None` for all of it, `Some(None)` for a part whose
    /// place cannot be said.
    pub portion: Option<Option<Portion>>,
}

/// Makes the picture that leaves the graph of a job at a time.
///
/// # Errors
/// As a run of the job would end, or [`EngineError::Stopped`].
pub fn view(
    spec: &JobSpec,
    plan: &Plan,
    wish: ViewWish,
    context: &Context<'_>,
) -> Result<View, EngineError> {
    let patience = Patience::new(wish.patience);
    match &plan.medium {
        MediumPlan::Video(video) => of_clip(spec, video, wish, &patience, context),
        MediumPlan::Still => of_still(spec, wish, &patience, context).map(View::Picture),
        MediumPlan::StillByFfmpeg => of_avif(spec, wish, &patience, context).map(View::Picture),
        MediumPlan::Sound(_) => Err(super::without_pictures()),
    }
}

fn of_clip(
    spec: &JobSpec,
    video: &VideoPlan,
    wish: ViewWish,
    patience: &Patience,
    context: &Context<'_>,
) -> Result<View, EngineError> {
    let work = Work::new(spec, video, context)?;
    let gone = || EngineError::NoFrames {
        path: spec.input.clone(),
    };
    // The same file may be shown several times: the first that shows that moment.
    let main = work.layout.main_input();
    let (mut found, mut outside) = (None, None);
    for (clip, line) in (0..).zip(&work.layout.pictures) {
        if line.input != main {
            continue;
        }
        let source = work.open(clip)?;
        let wanted = ticks_of(wish.at_micros, source.stream());
        if source.within().has(wanted) {
            let wanted = source.within().moved(wanted);
            found = Some((clip, line, source, wanted));
            break;
        }
        outside = outside.or(Some(clip));
    }
    let Some((clip, line, mut source, wanted)) = found else {
        let source = work.open(outside.ok_or_else(gone)?)?;
        let stream = source.stream();
        let wanted = ticks_of(wish.at_micros, stream);
        let (from, to) = source.within().kept_from(wanted).ok_or_else(gone)?;
        let start = stream.start_ticks.unwrap_or(0);
        let micros =
            |ticks: i64| Timestamp::new(ticks.saturating_sub(start), stream.time_base).micros();
        return Ok(View::Outside {
            from_micros: micros(from.max(start)),
            to_micros: to.map(micros),
        });
    };
    let ops = line.ops();
    let rate = source.stream().video.as_ref().and_then(|v| v.frame_rate);
    let window = source_window(&ops, rate);
    let before = window.warm_up + held_back(&ops, rate);
    let (mut frames, shown) = source
        .around(wanted, before, window.look_ahead)?
        .ok_or_else(gone)?;
    context.cancel.check()?;
    let entry = work.entry(clip)?;
    let (joints, sides) = (work.joints(clip, &entry)?, Sides::default());
    let chain_spec = ChainSpec {
        job: spec,
        line,
        input: &entry.input,
        zero: entry.zero,
        upright: entry.upright,
        device: &spec.device,
        threads: context.threads.infer,
        sides: &sides,
        joints: &joints,
        at: work.place_of(clip),
        patience: Some(patience),
    };
    let mut chain = Chain::open(&chain_spec, context)?;
    let source_pts = frames.get(shown).ok_or_else(gone)?.pts();
    let in_source = source.within().original(source_pts);
    let frame = match chain.window() {
        None => frames.swap_remove_back(shown).ok_or_else(gone)?,
        Some(_) => {
            // Behind a joint, times are those of the result.
            let joined = ops.iter().any(|(_, op)| matches!(op, Op::Concat));
            // In slow motion it is shown as much later.
            let slow = slowness(ops.iter().map(|(_, op)| *op)).unwrap_or(Rational::ONE);
            let base = entry.input.pace.time_base.slowed(slow);
            let base = base.filter(|_| !joined);
            let limit = base.map(|base| Timestamp::new(wanted, base));
            through_memory(&mut chain, frames, (source_pts, limit), context)?.ok_or_else(gone)?
        }
    };
    let mut frame = chain.process(frame)?;
    context.cancel.check()?;
    let (turn, quarter) = match (&entry.stream.video, entry.upright) {
        (Some(shown), None) => {
            let degrees = shown.rotation_degrees;
            ((degrees, shown.mirrored), degrees.rem_euclid(180) == 90)
        }
        _ => ((0, false), false),
    };
    if turn != (0, false) {
        patience.moves();
    }
    frame.set_color(&settled_color(&entry.stream, chain.output()));
    let aspect = chain.output().sample_aspect_ratio;
    let image = frameloom_media::show(
        &frame,
        aspect,
        turn,
        Some(wish.max_side.max(1)),
        Tones::Shown,
    )?;
    let (width, height) = (frame.width(), frame.height());
    let start = entry.stream.start_ticks.unwrap_or(0);
    Ok(View::Picture(Pixels {
        width: image.width,
        height: image.height,
        rgb: image.data,
        size: if quarter {
            (height, width)
        } else {
            (width, height)
        },
        at_micros: Timestamp::new(in_source.saturating_sub(start), entry.input.pace.time_base)
            .micros(),
        portion: patience.portion(),
    }))
}

/// A time from the beginning of a stream, in its ticks.
fn ticks_of(micros: i64, stream: &StreamInfo) -> i64 {
    let ticks = Timestamp::new(micros.max(0), TimeBase::MICROS).rescaled(stream.time_base);
    stream.start_ticks.unwrap_or(0).saturating_add(ticks.ticks)
}

/// How many frames of a source of this rate a frame of the result may be behind the one that is
/// shown in the source at the same time: on another grid of times it is shown later, and where the
/// rate is lowered, for long.
fn held_back(ops: &[(&str, &Op)], source: Option<FrameRate>) -> u64 {
    let per_second = |rate: FrameRate| rate.ratio().to_f64();
    let own = source;
    let source = source.map_or(25.0, per_second);
    let lowest = ops
        .iter()
        .filter_map(|(_, op)| match op {
            Op::Fps { rate } => Some(per_second(*rate)),
            Op::Interpolate(params) => {
                let rate = params.rate_of(own).map(per_second);
                rate.map(|rate| rate * params.slowness().to_f64())
            }
            _ => None,
        })
        .reduce(f64::min);
    let Some(lowest) = lowest else { return 0 };
    // No more than that of the longest memory: a frame a minute is not worth a minute's frames.
    const MOST: f64 = 600.0;
    (source / lowest.max(1e-6)).min(MOST).ceil() as u64 + 1
}

/// What the nodes up to the last one with a memory of time show at a time: they get `frames`, and
/// give the last picture that is not of a later frame than `source_pts`, nor later than `limit`.
fn through_memory(
    chain: &mut Chain,
    frames: VecDeque<Frame>,
    (source_pts, limit): (i64, Option<Timestamp>),
    context: &Context<'_>,
) -> Result<Option<Frame>, EngineError> {
    let base = chain.between().pace.time_base;
    let is_later = |timed: &Timed| {
        let at = Timestamp::new(timed.frame.pts(), base).micros();
        timed.source_pts > source_pts || limit.is_some_and(|limit| at > limit.micros())
    };
    let (mut best, mut first) = (None, None);
    let mut give = |timed: Timed| {
        if !is_later(&timed) {
            best = Some(timed.frame);
        } else if first.is_none() {
            first = Some(timed.frame);
        }
        Ok(())
    };
    chain.restart()?;
    for frame in frames {
        context.cancel.check()?;
        let source_pts = frame.pts();
        chain.push(Timed { frame, source_pts }, &mut give)?;
    }
    chain.finish(&mut give)?;
    // A grid of times may begin a little behind the first frame.
    Ok(best.or(first))
}

fn of_still(
    spec: &JobSpec,
    wish: ViewWish,
    patience: &Patience,
    context: &Context<'_>,
) -> Result<Pixels, EngineError> {
    let mut picture = frameloom_still::read(&spec.input, &Limits::default())?;
    let layout = spec.graph.layout()?;
    let line = still::only_line(&layout, spec)?;
    if picture.layout.has_alpha() {
        spread_color_under_transparency(&mut picture);
    }
    for (node, op) in line.ops() {
        context.cancel.check()?;
        picture = still::step(picture, (node, op), spec, patience, context)?;
    }
    Ok(of_picture(&picture, wish, patience))
}

fn of_picture(picture: &Picture, wish: ViewWish, patience: &Patience) -> Pixels {
    let preview = frameloom_still::to_srgb8_preview(picture, wish.max_side.max(1));
    Pixels {
        width: preview.width,
        height: preview.height,
        rgb: preview.data,
        size: (picture.width, picture.height),
        at_micros: 0,
        portion: patience.portion(),
    }
}

/// A picture that only ffmpeg can read (AVIF).
fn of_avif(
    spec: &JobSpec,
    wish: ViewWish,
    patience: &Patience,
    context: &Context<'_>,
) -> Result<Pixels, EngineError> {
    let layout = spec.graph.layout()?;
    let line: &Line<'_> = still::only_line(&layout, spec)?;
    let (frame, _) = still::by_ffmpeg(&spec.input, line)?;
    let input: PictureFormat = format_of(&frame, Rational { num: 1, den: 1 }, Pace::STILL);
    let (sides, joints) = (Sides::default(), Joints::default());
    let chain_spec = ChainSpec {
        patience: Some(patience),
        ..ChainSpec::of_still(spec, line, &input, (&sides, &joints), context)
    };
    let mut chain = Chain::open(&chain_spec, context)?;
    context.cancel.check()?;
    let frame = chain.process(frame)?;
    let (samples, layout) = interleaved(&frame)?;
    let metadata = Metadata {
        icc: frameloom_still::AvifProperties::of(&spec.input).icc,
        ..Metadata::default()
    };
    let picture = Picture {
        width: frame.width(),
        height: frame.height(),
        layout,
        samples,
        metadata,
        warnings: Vec::new(),
    };
    Ok(of_picture(&picture, wish, patience))
}
