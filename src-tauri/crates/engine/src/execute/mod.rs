//! Running a plan.

mod inspect;
mod output;
mod still;
mod video;

pub use output::free_output;

use crate::EngineError;
use crate::control::{Cancel, Journal, Progress};
use crate::nodes::{Filter, Models, Opening, PictureFormat, open};
use crate::plan::{MediumPlan, Plan};
use frameloom_core::graph::Op;
use frameloom_core::job::JobSpec;
use frameloom_infer::Runtime;
use frameloom_media::Frame;
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
}

/// Threads of each stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    /// Decoder.
    pub decode: usize,
    /// One call of a model.
    pub infer: usize,
    /// Encoder.
    pub encode: usize,
}

impl Threads {
    /// For a machine with this many cores. The model gets all of them: it is the slowest stage by
    /// far, and the encoder's threads are asleep while they wait for it.
    pub fn for_cores(cores: usize) -> Self {
        let cores = cores.max(1);
        Self {
            decode: (cores / 2).clamp(1, 8),
            infer: cores.min(16),
            encode: cores.min(16),
        }
    }
}

/// A finished job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Where the result is. Differs from what was asked for if that name was taken meanwhile.
    pub output: PathBuf,
    /// Frames in it.
    pub frames: u64,
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
    context.progress.sizes(plan.sizes);
    match &plan.medium {
        MediumPlan::Video(video) => video::run(spec, video, context),
        MediumPlan::Still => still::run(spec, context),
        MediumPlan::StillByFfmpeg => still::run_by_ffmpeg(spec, context),
    }
}

/// The opened nodes of a graph, in order.
pub(crate) struct Chain {
    filters: Vec<Box<dyn Filter>>,
    output: PictureFormat,
}

impl Chain {
    pub(crate) fn open(
        ops: &[(&str, &Op)],
        input: &PictureFormat,
        device: &frameloom_core::job::Device,
        context: &Context<'_>,
    ) -> Result<Self, EngineError> {
        let opening = Opening {
            runtime: context.runtime,
            models: context.models,
            device,
            threads: context.threads.infer,
        };
        let mut format = input.clone();
        let mut filters = Vec::new();
        for (node, op) in ops {
            if let Some((filter, choice)) = open(node, op, &format, &opening)? {
                if let Some(choice) = choice {
                    context.progress.provider(&choice);
                }
                format = filter.output().clone();
                filters.push(filter);
            }
        }
        Ok(Self {
            filters,
            output: format,
        })
    }

    pub(crate) fn output(&self) -> &PictureFormat {
        &self.output
    }

    /// Lets the chain end in `pixels`, which the encoder wants.
    pub(crate) fn end_in(
        &mut self,
        pixels: frameloom_core::pixel::PixelFormat,
        context: &Context<'_>,
        device: &frameloom_core::job::Device,
    ) -> Result<(), EngineError> {
        let opening = Opening {
            runtime: context.runtime,
            models: context.models,
            device,
            threads: context.threads.infer,
        };
        let op = Op::Convert { format: pixels };
        if let Some((filter, _)) = open("encoder", &op, &self.output, &opening)? {
            self.output = filter.output().clone();
            self.filters.push(filter);
        }
        Ok(())
    }

    pub(crate) fn process(&mut self, frame: Frame) -> Result<Frame, EngineError> {
        let mut frame = frame;
        for filter in &mut self.filters {
            frame = filter.process(&frame)?;
        }
        Ok(frame)
    }
}

/// The format of a decoded frame.
pub(crate) fn format_of(
    frame: &Frame,
    sample_aspect_ratio: frameloom_core::time::Rational,
) -> PictureFormat {
    PictureFormat {
        width: frame.width(),
        height: frame.height(),
        pixels: frame.format(),
        color: frame.color(),
        sample_aspect_ratio,
    }
}
