//! Running a plan.

mod alone;
mod animated;
mod appearances;
mod copied;
pub(crate) mod inspect;
mod join;
mod lanes;
mod named;
mod output;
mod parts;
mod pictures;
mod planar;
mod pool;
mod rows;
mod segment;
mod side;
mod source;
mod still;
mod video;
mod view;
mod window;
mod within;

pub use appearances::appearances;
pub use output::{free_output, is_same_file, real_place, remove_leftovers};
pub use pool::Pool;
pub use view::{Pixels, View, ViewWish, view};

use crate::EngineError;
use crate::compute::Sessions;
use crate::control::{Cancel, Journal, Progress};
use crate::nodes::{
    At, Filter, Give, Joints, Models, Node, Opened, Opening, Pace, Patience, PictureFormat, Shift,
    Timed, Turn, Window, manifest_of, open, open_patiently, open_turn, source_window,
};
use crate::plan::{MediumPlan, Plan};
use crate::verify::Passed;
use frameloom_core::graph::{Line, Op, Step};
use frameloom_core::job::{ComputeSpec, Device, JobSpec, ProviderChoice};
use frameloom_core::media::Caution;
use frameloom_core::receipt::Checks;
use frameloom_core::said;
use frameloom_core::sequence::PictureNumbers;
use frameloom_core::time::Timestamp;
use frameloom_infer::Runtime;
use frameloom_media::Frame;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a run works with.
pub struct Context<'a> {
    /// Gives ONNX Runtime; called only if a node needs it.
    pub runtime: &'a (dyn Fn() -> Result<Arc<Runtime>, EngineError> + Sync),
    /// The models.
    pub models: &'a (dyn Models + Sync),
    /// Folder for the parts of this job alone; it must exist.
    pub work_dir: &'a Path,
    /// How many threads each stage may use.
    pub threads: Threads,
    /// Finished segments.
    pub journal: &'a dyn Journal,
    /// Where progress goes.
    pub progress: &'a dyn Progress,
    /// Stop requests.
    pub cancel: &'a Cancel,
    /// What earlier attempts taught.
    pub caution: Caution,
    /// Models that earlier jobs of this process left open, where many are done.
    pub pool: Option<&'a Pool>,
    /// How the job computes.
    pub compute: ComputeSpec,
    /// What was chosen for each model, by its id.
    pub chosen: BTreeMap<String, ProviderChoice>,
    /// What a test lets go wrong.
    #[cfg(test)]
    pub(crate) fault: Option<crate::verify::faults::Fault>,
}

/// Longest side of a tile for a cautious run: a fiftieth of the memory of a full-HD frame, and
/// still no slower than a third.
const SMALL_TILE: u32 = 256;

impl Context<'_> {
    /// Longest side that a tile may have, where that is limited.
    pub(crate) fn max_tile(&self) -> Option<u32> {
        (self.caution >= Caution::SmallTiles).then_some(SMALL_TILE)
    }

    /// Where the models of a job for `device` compute.
    pub(crate) fn sessions<'s>(&'s self, device: &'s Device) -> Sessions<'s> {
        Sessions {
            device,
            compute: self.compute,
            chosen: Some(&self.chosen),
            caution: self.caution,
        }
    }
}

/// Threads of each stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    /// Decoder.
    pub decode: usize,
    /// One call of a model, where frames are processed one after another.
    pub infer: usize,
    /// Frames that are processed at once on the processor, each with its share of `infer`.
    pub lanes: usize,
    /// Encoder.
    pub encode: usize,
}

impl Threads {
    /// For a machine with this many cores. The model gets all of them: it is the slowest stage by
    /// far, and the encoder's threads are asleep while they wait for it.
    ///
    /// It gets them as lanes. Two threads within one call wait for each other at every operator,
    /// and burn a core while they do (ONNX Runtime spins there, whatever it is told); when the
    /// encoder takes a core away, both stand still. Frames do not wait for each other.
    pub fn for_cores(cores: usize) -> Self {
        let cores = cores.max(1);
        Self {
            decode: (cores / 2).clamp(1, 8),
            infer: cores.min(16),
            lanes: cores.min(4),
            encode: cores.min(16),
        }
    }
}

/// A finished job.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// Where the result is. Differs from what was asked for if that name was taken meanwhile.
    pub output: PathBuf,
    /// Which pictures of `output`, a pattern, are the result; `None` for a file.
    pub pictures: Option<PictureNumbers>,
    /// What was checked; all of it passed.
    pub checks: Checks,
}

/// Does the job, or the rest of it.
///
/// # Errors
/// [`EngineError::Stopped`] if the user stopped it (finished segments stay in the journal);
/// otherwise what failed. Nothing is left beside the output in any case.
pub fn execute(
    spec: &JobSpec,
    plan: &Plan,
    context: &Context<'_>,
) -> Result<Finished, EngineError> {
    plan.check_unchanged(&spec.input, context.models)?;
    // Folders and links may have moved since the job was submitted.
    let mut inputs = std::iter::once(&spec.input).chain(spec.inputs.values());
    if spec.overwrite && inputs.any(|input| is_same_file(&spec.output, input)) {
        return Err(EngineError::OutputIsInput {
            path: spec.output.clone(),
        });
    }
    if let Some(sizes) = plan.sizes {
        context.progress.sizes(sizes);
    }
    match &plan.medium {
        MediumPlan::Video(video) => video::run(spec, video, context).map_err(|e| plan.blame(e)),
        MediumPlan::Still => still::run(spec, context),
        MediumPlan::StillByFfmpeg => still::run_by_ffmpeg(spec, context),
        MediumPlan::Sound(alone) => alone::run(spec, alone, context).map_err(|e| plan.blame(e)),
    }
}

/// Why nothing is shown of a job whose result is sound alone.
fn without_pictures() -> EngineError {
    EngineError::Node {
        node: "sink".to_owned(),
        reason: said!(
            "sound.nothing_to_see",
            "the result is sound alone, of which there are no pictures"
        ),
    }
}

/// The opened nodes of a graph, in order.
pub(crate) struct Chain {
    /// Up to the last node with a memory of time; empty where there is none.
    head: Vec<Node>,
    /// The others.
    tail: Vec<Box<dyn Filter>>,
    window: Window,
    /// The nodes behind the last with a memory of time, for whoever compares their results.
    passed: Vec<Passed>,
    /// A picture that leaves the head may be blank although its source is not.
    may_be_blank: bool,
    /// What leaves the head.
    between: PictureFormat,
    output: PictureFormat,
    /// Time of the first picture, in the pace of `output`.
    zero: Timestamp,
    providers: Vec<ProviderChoice>,
    threads: usize,
}

/// What a chain is opened for.
#[derive(Clone)]
pub(crate) struct ChainSpec<'a> {
    /// The job.
    pub job: &'a JobSpec,
    /// Its nodes.
    pub line: &'a Line<'a>,
    /// The pictures that go in.
    pub input: &'a PictureFormat,
    /// Time of the first of them, in ticks.
    pub zero: i64,
    /// Done before the first node.
    pub upright: Option<Turn>,
    /// Where to compute.
    pub device: &'a Device,
    /// Threads that each call of a model may use.
    pub threads: usize,
    /// Second inputs, shared with other chains of the job.
    pub sides: &'a side::Sides,
    /// What pictures are like at joints.
    pub joints: &'a Joints,
    /// Where the clip lies in the result, which its last joint sees to.
    pub at: Option<At>,
    /// How long models may take, where a single picture is looked at.
    pub patience: Option<&'a Patience>,
}

impl<'a> ChainSpec<'a> {
    /// For a picture, which has no time and was turned when it was read.
    fn of_still(
        job: &'a JobSpec,
        line: &'a Line<'a>,
        input: &'a PictureFormat,
        (sides, joints): (&'a side::Sides, &'a Joints),
        context: &Context<'_>,
    ) -> Self {
        Self {
            job,
            line,
            input,
            zero: 0,
            upright: None,
            device: &job.device,
            threads: context.threads.infer,
            sides,
            joints,
            at: None,
            patience: None,
        }
    }

    /// Opens a node; one with a model for as much of the picture as there is patience for.
    fn open_step(
        &self,
        step: &Step<'_>,
        input: &PictureFormat,
        opening: &Opening<'_>,
        context: &Context<'_>,
    ) -> Result<Option<Opened>, EngineError> {
        let Some(patience) = self.patience else {
            return open(step.id, step.op, input, opening);
        };
        patience.passes(step.op);
        let Some(manifest) = manifest_of(step.op, context.models)? else {
            return open(step.id, step.op, input, opening);
        };
        let watch = |handle| context.cancel.watch(handle);
        let named = (step.id, step.op);
        open_patiently(named, &manifest.tile, input, opening, (patience, &watch))
    }
}

/// True if nothing need be left of a picture after the operation: one without a foreground, or
/// covered as a whole, or of one distance.
fn may_blank(op: &Op) -> bool {
    matches!(op, Op::Background(_) | Op::Redact(_) | Op::Depth(_))
}

impl Chain {
    /// Opens the nodes.
    pub(crate) fn open(spec: &ChainSpec<'_>, context: &Context<'_>) -> Result<Self, EngineError> {
        let input = spec.input;
        let mut chain = Self {
            head: Vec::new(),
            tail: Vec::new(),
            window: source_window(&spec.line.ops(), input.pace.frame_rate),
            passed: Vec::new(),
            may_be_blank: false,
            between: input.clone(),
            output: input.clone(),
            zero: Timestamp::new(spec.zero, input.pace.time_base),
            providers: Vec::new(),
            threads: spec.threads,
        };
        if let Some(turn) = spec.upright {
            let opened = open_turn(turn, &chain.output)?;
            chain.take(None, Some(turn), opened, context);
        }
        let last_joint = spec
            .line
            .steps
            .iter()
            .rposition(|step| matches!(step.op, Op::Concat));
        for (place, step) in spec.line.steps.iter().enumerate() {
            let mut opening = chain.opening(spec.device, context);
            opening.over = spec.sides.open(step, spec, context)?;
            let mut zero = None;
            if matches!(step.op, Op::Concat) {
                let at = spec.at.filter(|_| Some(place) == last_joint);
                let shift = at.map(|at| Shift {
                    zero: opening.zero,
                    at: at.ticks,
                    pace: Pace {
                        time_base: at.time_base,
                        frame_rate: spec.joints.frame_rate(step.id),
                    },
                });
                opening.joint = Some((spec.joints.target(step.id, &chain.output), shift));
                // Behind the joint, times count from the beginning of the result.
                zero = at.map(|at| Timestamp::new(at.first, at.time_base));
            }
            let opened = spec.open_step(step, &chain.output, &opening, context)?;
            chain.take(Some(step.op), None, opened, context);
            // In slow motion everything is later by as much as it is slower.
            if let Op::Interpolate(params) = step.op
                && let Some(base) = chain.zero.base.slowed(params.slowness())
            {
                chain.zero.base = base;
            }
            if let Some(zero) = zero {
                chain.zero = zero;
            }
        }
        Ok(chain)
    }

    fn opening<'a>(&self, device: &'a Device, context: &'a Context<'_>) -> Opening<'a> {
        Opening {
            runtime: context.runtime,
            models: context.models,
            sessions: context.sessions(device),
            threads: self.threads,
            max_tile: context.max_tile(),
            zero: self.zero.rescaled(self.output.pace.time_base).ticks,
            scratch: context.work_dir,
            over: None,
            joint: None,
        }
    }

    fn take(
        &mut self,
        op: Option<&Op>,
        turn: Option<Turn>,
        opened: Option<Opened>,
        context: &Context<'_>,
    ) {
        let Some((node, choice)) = opened else { return };
        self.providers.extend(choice);
        let may_be_blank = op.is_some_and(may_blank);
        let manifest = op.map(|op| manifest_of(op, context.models));
        let restyles = matches!(manifest, Some(Ok(Some(manifest))) if manifest.restyles);
        self.passed.push(Passed {
            op: op.cloned(),
            turn,
            restyles,
            covers: match &node {
                Node::Filter(filter) => filter.covers(),
                Node::Temporal(_) => None,
            },
            seams: match &node {
                Node::Filter(filter) => filter.seams(),
                Node::Temporal(_) => None,
            },
            input: self.output.clone(),
            output: node.output().clone(),
        });
        self.output = node.output().clone();
        match node {
            Node::Filter(filter) => {
                if let Some(handle) = filter.cancel_handle() {
                    context.cancel.watch(handle);
                }
                self.tail.push(filter);
            }
            Node::Temporal(temporal) => {
                if let Some(handle) = temporal.cancel_handle() {
                    context.cancel.watch(handle);
                }
                // What came before it belongs to the head as well.
                let emptied = |node: &Passed| node.op.as_ref().is_some_and(may_blank);
                self.may_be_blank |= may_be_blank || self.passed.iter().any(emptied);
                self.head.extend(self.tail.drain(..).map(Node::Filter));
                self.head.push(Node::Temporal(temporal));
                self.between = self.output.clone();
                self.passed.clear();
            }
        }
    }

    /// What computes, one entry per model.
    pub(crate) fn providers(&self) -> &[ProviderChoice] {
        &self.providers
    }

    pub(crate) fn output(&self) -> &PictureFormat {
        &self.output
    }

    /// What the nodes after the last temporal one get.
    pub(crate) fn between(&self) -> &PictureFormat {
        &self.between
    }

    /// True if what they get may be blank although its source is not.
    pub(crate) fn may_be_blank(&self) -> bool {
        self.may_be_blank
    }

    /// The nodes that [`Chain::process`] goes through.
    pub(crate) fn passed(&self) -> &[Passed] {
        &self.passed
    }

    /// What its temporal nodes want to see; `None` if there are none.
    pub(crate) fn window(&self) -> Option<Window> {
        (!self.head.is_empty()).then_some(self.window)
    }

    /// Lets the chain end in `pixels`, which the encoder wants.
    pub(crate) fn end_in(
        &mut self,
        pixels: frameloom_core::pixel::PixelFormat,
        device: &Device,
        context: &Context<'_>,
    ) -> Result<(), EngineError> {
        let opening = self.opening(device, context);
        let op = Op::Convert { format: pixels };
        let opened = open("encoder", &op, &self.output, &opening)?;
        self.take(Some(&op), None, opened, context);
        Ok(())
    }

    /// Forgets every frame: the next one begins a segment.
    pub(crate) fn restart(&mut self) -> Result<(), EngineError> {
        for node in &mut self.head {
            if let Node::Temporal(temporal) = node {
                temporal.restart()?;
            }
        }
        Ok(())
    }

    /// Feeds a frame to the nodes up to the last temporal one.
    pub(crate) fn push(&mut self, timed: Timed, give: &mut Give<'_>) -> Result<(), EngineError> {
        feed(&mut self.head, timed, give)
    }

    /// Lets the temporal nodes give what they hold.
    pub(crate) fn finish(&mut self, give: &mut Give<'_>) -> Result<(), EngineError> {
        let mut nodes = &mut self.head[..];
        while let Some((first, rest)) = nodes.split_first_mut() {
            if let Node::Temporal(temporal) = first {
                temporal.finish(&mut |timed| feed(rest, timed, give))?;
            }
            nodes = rest;
        }
        Ok(())
    }

    /// The nodes after the last temporal one; all of them where there is none.
    pub(crate) fn process(&mut self, frame: Frame) -> Result<Frame, EngineError> {
        let mut frame = frame;
        for filter in &mut self.tail {
            frame = filter.process(&frame)?;
        }
        Ok(frame)
    }
}

fn feed(nodes: &mut [Node], timed: Timed, give: &mut Give<'_>) -> Result<(), EngineError> {
    let Some((first, rest)) = nodes.split_first_mut() else {
        return give(timed);
    };
    match first {
        Node::Filter(filter) => {
            let frame = filter.process(&timed.frame)?;
            feed(rest, Timed { frame, ..timed }, give)
        }
        Node::Temporal(temporal) => temporal.push(timed, &mut |timed| feed(rest, timed, give)),
    }
}

/// The format of a decoded frame.
pub(crate) fn format_of(
    frame: &Frame,
    sample_aspect_ratio: frameloom_core::time::Rational,
    pace: Pace,
) -> PictureFormat {
    PictureFormat {
        width: frame.width(),
        height: frame.height(),
        pixels: frame.format(),
        color: frame.color(),
        sample_aspect_ratio,
        pace,
    }
}
