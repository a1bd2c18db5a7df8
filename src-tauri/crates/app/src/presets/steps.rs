//! From the steps of a preset and a source to a graph.

use super::document::{ANY_MODEL, PresetDocument, ReadStep, Step};
use super::{Work, ending_of};
use crate::request::UpscaleRequest;
use crate::voice::with_sound;
use crate::{App, DeinterlaceChoice, explain, fields};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{Graph, Op, ResizeParams};
use frameloom_core::job::{EncodeSpec, JOB_SPEC_VERSION, JobSpec};
use frameloom_core::media::{MediaInfo, MediaKind, StreamKind};
use frameloom_core::model::Task;
use frameloom_core::said;
use frameloom_media::FieldReport;
use std::path::Path;

/// The kinds of models that steps ask for, where any will do.
pub(crate) fn needs(steps: &[ReadStep]) -> Vec<Task> {
    let mut tasks = Vec::new();
    for step in steps {
        let ReadStep::Node(op) = step else { continue };
        if op.model() != Some(ANY_MODEL) {
            continue;
        }
        tasks.extend(match op {
            Op::Background(_) => Some(Task::Matte),
            Op::Redact(_) => Some(Task::Faces),
            Op::Style(_) => Some(Task::Style),
            Op::Depth(_) => Some(Task::Depth),
            _ => None,
        });
    }
    tasks
}

/// True if a step works on sound.
pub(crate) fn wants_sound(steps: &[ReadStep]) -> bool {
    steps
        .iter()
        .any(|step| matches!(step, ReadStep::Node(op) if is_of_sound(op)))
}

pub(super) fn is_of_sound(op: &Op) -> bool {
    matches!(
        op,
        Op::Loudness(_) | Op::AudioDenoise(_) | Op::AudioRedact(_)
    )
}

/// `size` made to fit into a rectangle in its shape, with even sides.
pub(crate) fn fitted((width, height): (u32, u32), most: (u32, u32), larger: bool) -> (u32, u32) {
    let (width, height) = (u64::from(width.max(1)), u64::from(height.max(1)));
    let (w, h) = (u64::from(most.0), u64::from(most.1));
    if width <= w && height <= h && (!larger || width == w || height == h) {
        return (width as u32, height as u32);
    }
    // Which side meets its limit first.
    let (num, den) = match width * h > height * w {
        true => (w, width),
        false => (h, height),
    };
    let side = |side: u64, limit: u64| {
        // The nearest even number.
        let even = (side * num + den) / (2 * den) * 2;
        even.min(limit & !1).max(2) as u32
    };
    (side(width, w), side(height, h))
}

impl App {
    /// What the steps of a preset come to for a source. `first` is the stretch that is taken.
    pub(crate) fn steps(
        &self,
        document: &PresetDocument,
        request: &UpscaleRequest,
        first: Option<Op>,
        (input, info): (&Path, &MediaInfo),
        report: Option<FieldReport>,
    ) -> Result<(Work, Option<String>), AppError> {
        let mut ops: Vec<Op> = first.into_iter().collect();
        let mut sound = Vec::new();
        let mut model = None;
        for step in document.read_steps()? {
            match step {
                ReadStep::Own(Step::Whole {}) => {
                    ops.extend(fields::node(DeinterlaceChoice::Auto, report));
                }
                ReadStep::Own(Step::Enlarge { scale }) => {
                    let enlarging = self.enlarging(request.model.as_deref(), info)?;
                    let size = self.size_after(&ops, input, info)?;
                    ops.extend(crate::request::upscale_ops(
                        &enlarging.id,
                        enlarging.scale,
                        scale,
                        size,
                    ));
                    model.get_or_insert(enlarging.id);
                }
                ReadStep::Own(Step::Fit {
                    width,
                    height,
                    larger,
                }) => {
                    let size = self.size_after(&ops, input, info)?;
                    let (width, height) = fitted(size, (width, height), larger);
                    if (width, height) != size {
                        ops.push(Op::Resize(ResizeParams { width, height }));
                    }
                }
                ReadStep::Node(op) if is_of_sound(&op) => sound.push(self.sound_step(op)?),
                ReadStep::Node(op) => {
                    let op = self.with_model(op)?;
                    if let Some(used) = op.model() {
                        model.get_or_insert_with(|| used.to_owned());
                    }
                    ops.push(op);
                }
            }
        }
        let size = match info.kind {
            MediaKind::Audio => None,
            _ => Some(self.size_after(&ops, input, info)?),
        };
        let has_sound = info.streams.iter().any(|s| s.kind == StreamKind::Audio);
        let graph = match sound.is_empty() || info.kind == MediaKind::Still || !has_sound {
            true => Graph::chain(ops),
            false => {
                let names: Vec<String> = (1..=sound.len()).map(|n| format!("sound{n}")).collect();
                let sound = names.iter().map(String::as_str).zip(sound).collect();
                with_sound(ops, sound)
            }
        };
        let work = Work {
            graph,
            size,
            ending: ending_of(request.preset.preset(), request)?,
        };
        Ok((work, model))
    }

    /// Width and height behind `ops`, as pictures are shown.
    fn size_after(
        &self,
        ops: &[Op],
        input: &Path,
        info: &MediaInfo,
    ) -> Result<(u32, u32), AppError> {
        let spec = JobSpec {
            version: JOB_SPEC_VERSION,
            input: input.to_owned(),
            pictures: None,
            // Of no importance for a size.
            output: input.to_owned(),
            overwrite: false,
            graph: Graph::chain(ops.iter().cloned()),
            encode: EncodeSpec::default(),
            device: Default::default(),
            input_pictures: Default::default(),
            inputs: Default::default(),
            compute: Default::default(),
            upright: true,
            sample: false,
        };
        frameloom_engine::result_size(&spec, info, &self.models).map_err(|e| explain::engine(&e))
    }

    /// A step with the model that fits, where any will do.
    fn with_model(&self, mut op: Op) -> Result<Op, AppError> {
        if op.model() != Some(ANY_MODEL) {
            return Ok(op);
        }
        match &mut op {
            Op::Background(params) => params.model = self.model_for(None, Task::Matte)?,
            Op::Redact(params) => params.model = Some(self.model_for(None, Task::Faces)?),
            // It follows what moves where nothing finds faces.
            Op::Reframe(params) => params.model = self.model_if_any(None, Task::Faces)?,
            // The light is estimated where there is none.
            Op::Light(params) => params.model = self.model_if_any(None, Task::Light)?,
            Op::Style(params) => params.model = self.model_for(None, Task::Style)?,
            Op::Depth(params) => params.model = self.model_for(None, Task::Depth)?,
            // What moves is followed where there is none.
            Op::Interpolate(params) => params.model = self.model_if_any(None, Task::Between)?,
            other => {
                return Err(AppError::new(
                    ErrorCode::InvalidRequest,
                    said!(
                        "preset.names_model",
                        "The step `{step}` needs the id of a model.",
                        step = other.name()
                    ),
                )
                .hint("`frameloom models list` shows the ids."));
            }
        }
        Ok(op)
    }

    /// A step on sound with the model that cleans speech; a filter does it where none is installed.
    fn sound_step(&self, op: Op) -> Result<Op, AppError> {
        let Op::AudioDenoise(mut params) = op else {
            return Ok(op);
        };
        if params.model.is_some() {
            params.model = match self.model_if_any(None, Task::SpeechCleaning)? {
                Some(id) => Some(self.model_path(&id)?),
                None => None,
            };
        }
        Ok(Op::AudioDenoise(params))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_fit_into_a_rectangle_in_their_shape() {
        assert_eq!(fitted((3840, 2160), (1920, 1080), false), (1920, 1080));
        assert_eq!(fitted((1080, 1920), (1920, 1080), false), (608, 1080));
        assert_eq!(fitted((640, 480), (1920, 1080), false), (640, 480));
        assert_eq!(fitted((640, 480), (1920, 1080), true), (1440, 1080));
        assert_eq!(fitted((1440, 1080), (1920, 1080), true), (1440, 1080));
        assert_eq!(fitted((9000, 3), (1920, 1080), true), (1920, 2));
        assert_eq!(fitted((1, 1), (16384, 16384), true), (16384, 16384));
    }
}
