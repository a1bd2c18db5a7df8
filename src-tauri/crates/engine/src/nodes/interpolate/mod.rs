//! New frames between those of a clip.
//!
//! For each two frames it is found where everything moves, there and back ([`crate::motion::flow`]);
//! a frame in between shows it on its way ([`between`]). Across a cut and a long pause nothing is
//! made, nor between two frames that have too little in common: there the frame before stays.
//!
//! A network may take the place of motion: it gets both frames and how far on its way the new one is;
//! where there are cuts and pauses is found without it.
//!
//! In slow motion the same frames lie further apart: only the times change by which it is known how far
//! on its way a frame in between is.
//!
//! Why not a filter of ffmpeg: `minterpolate` begins its search with what it found in all frames
//! before, so that a segment of a clip would come out different by itself; it takes 8 bits only, and
//! one core. Measured over clips of which every second frame was taken away, this is nearer to what
//! was there (`tests/motion.rs`).

mod between;
mod network;

use super::temporal::{Give, Slots, Temporal, Timed};
use super::{Opened, Opening, Pace, PictureFormat};
use crate::EngineError;
use crate::motion::{Pyramid, Shrink, flow, is_cut};
use between::Between;
use frameloom_core::graph::InterpolateParams;
use frameloom_core::job::ProviderChoice;
use frameloom_core::model::{ModelManifest, Task};
use frameloom_core::said;
use frameloom_core::said::{Said, SaidValue};
use frameloom_core::time::{Rational, Timestamp};
use frameloom_infer::{BetweenSession, CancelHandle};
use frameloom_media::FramePool;
use network::Network;

/// Frames that are further apart, in microseconds and in frames of the clip's rate, are not
/// neighbours: a clip of still pictures stays one.
const PAUSE_MICROS: i64 = 250_000;
const PAUSE_STEPS: i64 = 3;

/// Refuses models that make no pictures between two.
pub(super) fn check(manifest: Option<&ModelManifest>) -> Result<(), Said> {
    match manifest {
        Some(manifest) if manifest.task != Task::Between => Err(said!(
            "interpolate.no_between",
            "the model `{model}` makes no pictures between two",
            model = &manifest.id
        )),
        _ => Ok(()),
    }
}

/// Opens the network; refuses pictures that are too large for it.
fn network(
    (node, model): (&str, &str),
    input: &PictureFormat,
    output: &PictureFormat,
    opening: &Opening<'_>,
) -> Result<(Network, ProviderChoice), EngineError> {
    let (session, choice) = opening.session_of(model)?;
    let session = BetweenSession::new(session)?;
    let size = (input.width as usize, input.height as usize);
    if session.size_for(size).is_none() {
        return Err(EngineError::Node {
            node: node.to_owned(),
            reason: said!(
                "interpolate.too_large",
                "the model `{model}` takes no pictures of {width} x {height} pixels; make them smaller before, by a node `resize`",
                model = model,
                width = input.width,
                height = input.height
            ),
        });
    }
    let pool = FramePool::new(output.pixels, output.width, output.height)?;
    Ok((Network::new(session, input, pool), choice))
}

/// The pace of the result, and what is wrong with it where there is none.
pub(super) fn pace(params: &InterpolateParams, input: &PictureFormat) -> Result<Pace, Said> {
    let slow = params.slowness();
    if !(Rational::ONE..=whole(InterpolateParams::SLOWEST)).contains(&slow) {
        return Err(said!(
            "interpolate.slow",
            "{times} times as long is not possible; 1 to {most} times is",
            times = SaidValue::decimal(slow.to_f64(), 2),
            most = InterpolateParams::SLOWEST
        ));
    }
    let rate = params.rate_of(input.pace.frame_rate).ok_or_else(|| {
        said!(
            "interpolate.unknown_rate",
            "the clip does not say how many frames it has per second; say how many there are to be with `rate`"
        )
    })?;
    let pace = super::constant_pace(rate, input)?;
    match input.pace.time_base.slowed(slow) {
        Some(_) => Ok(pace),
        None => Err(said!("node.clock", "the clip's clock is too fine")),
    }
}

fn whole(number: i64) -> Rational {
    Rational {
        num: number,
        den: 1,
    }
}

pub(super) fn open(
    (node, params): (&str, &InterpolateParams),
    input: &PictureFormat,
    output: PictureFormat,
    opening: &Opening<'_>,
) -> Result<Opened, EngineError> {
    let slots = Slots::new(input, &output, params.slowness()).ok_or(EngineError::Node {
        node: node.to_owned(),
        reason: said!("node.clock", "the clip's clock is too fine"),
    })?;
    let opened = params
        .model
        .as_deref()
        .map(|model| network((node, model), input, &output, opening));
    let (network, choice) = opened.transpose()?.unzip();
    let base = input.pace.time_base;
    let pause = Timestamp::new(PAUSE_MICROS, frameloom_core::time::TimeBase::MICROS);
    let node = Interpolate {
        pause: pause
            .rescaled(base)
            .ticks
            .max(slots.step.saturating_mul(PAUSE_STEPS)),
        slots,
        shrink: Shrink::new(input.width, input.height),
        between: Between::new(
            FramePool::new(output.pixels, output.width, output.height)?,
            opening.threads,
        ),
        network,
        threads: opening.threads,
        held: None,
        output,
    };
    Ok((super::Node::Temporal(Box::new(node)), choice))
}

/// The node.
struct Interpolate {
    slots: Slots,
    /// Frames that are so many ticks apart are no neighbours.
    pause: i64,
    shrink: Shrink,
    between: Between,
    /// What makes frames instead of that.
    network: Option<Network>,
    threads: usize,
    /// The last frame that came; in small, if that was needed.
    held: Option<(Timed, Option<Pyramid>)>,
    output: PictureFormat,
}

impl Interpolate {
    /// Gives the frames from `first` on, before `next`.
    fn give_way(
        &mut self,
        first: (&Timed, Option<Pyramid>),
        next: &Timed,
        give: &mut Give<'_>,
    ) -> Result<Option<Pyramid>, EngineError> {
        let (first, small) = first;
        let times = (first.frame.pts(), next.frame.pts());
        let slots = self.slots.slot(times.0)..self.slots.slot(times.1);
        let near = self.slots.near(times);
        let is_new = |way: f64| way > near && way < 1.0 - near;
        let is_near = times.1.saturating_sub(times.0) < self.pause;
        if !is_near
            || !slots
                .clone()
                .any(|slot| is_new(self.slots.way(slot, times)))
        {
            for slot in slots {
                let late = is_near && self.slots.way(slot, times) >= 1.0 - near;
                let shown = if late { next } else { first };
                Slots::show(
                    &Timed {
                        frame: shown.frame.share()?,
                        source_pts: first.source_pts,
                    },
                    slot..slot + 1,
                    give,
                )?;
            }
            return Ok(None);
        }
        let before = small.unwrap_or_else(|| Pyramid::of(&first.frame, &self.shrink));
        let after = Pyramid::of(&next.frame, &self.shrink);
        let scene = match (&mut self.network, is_cut(before.finest(), after.finest())) {
            (_, true) => None,
            (Some(network), false) => {
                network.begin(&first.frame, &next.frame);
                Some(Scene::Network)
            }
            (None, false) => {
                let (there, back) = both(&before, &after, self.threads);
                let scene = between::Scene::of(before.finest(), after.finest(), there, back);
                scene.map(Scene::Flow)
            }
        };
        for slot in slots {
            let way = self.slots.way(slot, times);
            let shown = match &scene {
                Some(_) if way >= 1.0 - near => Some(next),
                Some(_) if way > near => None,
                _ => Some(first),
            };
            let pair = (&first.frame, &next.frame);
            let mut frame = match (shown, &scene, &mut self.network) {
                (None, Some(Scene::Flow(scene)), _) => {
                    self.between.frame(pair, scene, way, self.shrink.factor)?
                }
                (None, Some(Scene::Network), Some(network)) => network.frame(pair, way)?,
                (shown, ..) => shown.unwrap_or(first).frame.share()?,
            };
            frame.set_timing(slot, 1);
            give(Timed {
                frame,
                source_pts: first.source_pts,
            })?;
        }
        Ok(Some(after))
    }
}

/// What is known of two frames that belong together.
enum Scene {
    /// How everything moves.
    Flow(between::Scene),
    /// The network got them.
    Network,
}

/// The motion from one picture to another, and back.
fn both(one: &Pyramid, two: &Pyramid, threads: usize) -> (flow::Flow, flow::Flow) {
    if threads < 2 {
        return (flow::flow(one, two), flow::flow(two, one));
    }
    std::thread::scope(|scope| {
        let back = scope.spawn(|| flow::flow(two, one));
        let there = flow::flow(one, two);
        // A thread that ended badly has its work done here, where it ends the same way.
        (there, back.join().unwrap_or_else(|_| flow::flow(two, one)))
    })
}

impl Temporal for Interpolate {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn cancel_handle(&self) -> Option<CancelHandle> {
        self.network.as_ref().map(Network::cancel_handle)
    }

    fn restart(&mut self) -> Result<(), EngineError> {
        self.held = None;
        Ok(())
    }

    fn push(&mut self, timed: Timed, give: &mut Give<'_>) -> Result<(), EngineError> {
        let small = match self.held.take() {
            Some((held, small)) => self.give_way((&held, small), &timed, give)?,
            None => None,
        };
        self.held = Some((timed, small));
        Ok(())
    }

    fn finish(&mut self, give: &mut Give<'_>) -> Result<(), EngineError> {
        match self.held.take() {
            Some((held, _)) => Slots::show(&held, self.slots.last(&held.frame), give),
            None => Ok(()),
        }
    }
}
