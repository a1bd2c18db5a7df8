//! Networks that hear whether somebody speaks: a short window of sound in, a probability out, and
//! what they remember handed from one window to the next.

use crate::error::InferError;
use crate::model::Model;
use crate::provider::Runtime;
use crate::session::CancelHandle;
use crate::setting::Setting;
use frameloom_core::model::Task;
use ort::session::Session;
use ort::value::{TensorElementType, TensorRef, ValueType};
use std::sync::Arc;

/// A network of this family: an input `[batch, samples]` of sound at 16,000 samples a second from -1
/// to 1, an input `[2, batch, n]` that carries its memory, perhaps a whole number with the rate; a
/// probability and the memory come out.
///
/// Each window is heard with the last samples of the one before it, as the networks were trained.
pub struct VoiceSession {
    session: Session,
    name: String,
    input: String,
    output: String,
    rate: Option<String>,
    memory: (String, String),
    memory_shape: [usize; 3],
    memory_values: Vec<f32>,
    /// The last samples of the window before, then the window.
    heard: Vec<f32>,
    stop: CancelHandle,
}

/// How such a network names what goes in and comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VoiceNames {
    input: String,
    output: String,
    rate: Option<String>,
    memory: (String, String),
    cells: usize,
}

/// Why a model of sound is of no use for pictures.
pub(crate) const NO_PICTURES: &str = "it works on sound, and does nothing to pictures";

/// Most numbers in what it remembers of one sound.
const MOST_CELLS: usize = 1 << 16;

impl VoiceNames {
    pub(crate) fn input(&self) -> &str {
        &self.input
    }

    pub(crate) fn output(&self) -> &str {
        &self.output
    }

    /// Of a graph of this family; `None` for any other.
    pub(crate) fn of(session: &Session) -> Option<Self> {
        let floats = |kind: &ValueType, dimensions: usize| match kind {
            ValueType::Tensor {
                ty: TensorElementType::Float32,
                shape,
                ..
            } => (shape.len() == dimensions).then(|| shape.to_vec()),
            _ => None,
        };
        let only = |list: Vec<String>| match <[String; 1]>::try_from(list) {
            Ok([name]) => Some(name),
            Err(_) => None,
        };
        let (inputs, outputs) = (session.inputs(), session.outputs());
        if !(2..=3).contains(&inputs.len()) || outputs.len() != 2 {
            return None;
        }
        let named = |dimensions: usize, ins: bool| {
            let list = if ins { inputs } else { outputs };
            let fitting = list
                .iter()
                .filter(|slot| floats(slot.dtype(), dimensions).is_some());
            only(fitting.map(|slot| slot.name().to_owned()).collect())
        };
        // An input of one dimension or none, of whole numbers, is the rate.
        let rates: Vec<String> = inputs
            .iter()
            .filter(|slot| {
                matches!(slot.dtype(), ValueType::Tensor { ty: TensorElementType::Int64, shape, .. } if shape.len() <= 1)
            })
            .map(|slot| slot.name().to_owned())
            .collect();
        if inputs.len() - rates.len() != 2 {
            return None;
        }
        let memory = (named(3, true)?, named(3, false)?);
        let shape = inputs
            .iter()
            .find(|slot| slot.name() == memory.0)
            .and_then(|slot| floats(slot.dtype(), 3))?;
        let &[2, batch, cells] = &shape[..] else {
            return None;
        };
        let cells = usize::try_from(cells).ok()?;
        if batch.abs() != 1 || !(1..=MOST_CELLS).contains(&cells) {
            return None;
        }
        Some(Self {
            input: named(2, true)?,
            output: named(2, false)?,
            rate: rates.into_iter().next(),
            memory,
            cells,
        })
    }
}

impl VoiceSession {
    /// Samples a second that the networks hear.
    pub const RATE: u32 = 16_000;
    /// Samples of a window: 32 thousandths of a second.
    pub const WINDOW: usize = 512;
    /// Samples before a window that are heard with it.
    const CONTEXT: usize = 64;

    /// Opens a model of the task `voice_activity`, and runs it once.
    ///
    /// # Errors
    /// [`InferError::GraphMismatch`] for a model of another task or family;
    /// [`InferError::GraphRefused`].
    pub fn open(runtime: &Arc<Runtime>, model: &Model) -> Result<Self, InferError> {
        let name = &model.manifest.id;
        if model.manifest.task != Task::VoiceActivity {
            return Err(InferError::GraphMismatch {
                model: name.clone(),
                reason: "it does not hear whether somebody speaks".to_owned(),
            });
        }
        Self::of(runtime, model.weights(), name)
    }

    pub(crate) fn of(
        runtime: &Arc<Runtime>,
        weights: &[u8],
        name: &str,
    ) -> Result<Self, InferError> {
        // One thread: a window is so little work that others would only be waited for, and the
        // order of sums stays the same everywhere.
        let session = runtime
            .builder(&Setting::CPU, 1, true)
            .and_then(|mut b| b.commit_from_memory(weights))
            .map_err(|e| InferError::graph(name, e))?;
        let names = VoiceNames::of(&session).ok_or_else(|| InferError::GraphMismatch {
            model: name.to_owned(),
            reason: "a model that hears speech takes windows of sound [1, samples] and its memory \
                     [2, 1, n], and gives a probability and that memory"
                .to_owned(),
        })?;
        let mut opened = Self {
            session,
            name: name.to_owned(),
            input: names.input,
            output: names.output,
            rate: names.rate,
            memory: names.memory,
            memory_shape: [2, 1, names.cells],
            memory_values: vec![0.0; 2 * names.cells],
            heard: vec![0.0; Self::CONTEXT + Self::WINDOW],
            stop: CancelHandle::new()?,
        };
        opened.hear(&[0.0; Self::WINDOW])?;
        opened.forget();
        Ok(opened)
    }

    /// Stops the running call from another thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        self.stop.clone()
    }

    /// Forgets what came before.
    pub fn forget(&mut self) {
        self.memory_values.fill(0.0);
        self.heard.fill(0.0);
    }

    /// How probable it is that somebody speaks in the next [`VoiceSession::WINDOW`] samples, 0 to 1.
    ///
    /// # Errors
    /// [`InferError::Cancelled`], [`InferError::NotFinite`], [`InferError::GraphMismatch`] or what
    /// ONNX Runtime says.
    pub fn hear(&mut self, window: &[f32; Self::WINDOW]) -> Result<f32, InferError> {
        if self.stop.is_cancelled() {
            return Err(InferError::Cancelled);
        }
        self.heard.copy_within(Self::WINDOW.., 0);
        if let Some(place) = self.heard.get_mut(Self::CONTEXT..) {
            place.copy_from_slice(window);
        }
        let stop = self.stop.clone();
        let said = self.try_hear(&stop).map_err(|error| {
            if stop.is_cancelled() {
                return InferError::Cancelled;
            }
            InferError::GraphMismatch {
                model: self.name.clone(),
                reason: error.to_string(),
            }
        })?;
        let finite = said.is_finite() && self.memory_values.iter().all(|v| v.is_finite());
        if !finite {
            return Err(InferError::NotFinite {
                model: self.name.clone(),
            });
        }
        Ok(said.clamp(0.0, 1.0))
    }

    fn try_hear(&mut self, stop: &CancelHandle) -> Result<f32, ort::Error> {
        let rate = [i64::from(Self::RATE)];
        let sound = TensorRef::from_array_view(([1, self.heard.len()], &self.heard[..]))?;
        let memory = TensorRef::from_array_view((self.memory_shape, &self.memory_values[..]))?;
        let mut inputs: Vec<(&str, ort::session::SessionInputValue<'_>)> = vec![
            (self.input.as_str(), sound.into()),
            (self.memory.0.as_str(), memory.into()),
        ];
        if let Some(name) = &self.rate {
            let tensor = TensorRef::from_array_view(([1usize], &rate[..]))?;
            inputs.push((name.as_str(), tensor.into()));
        }
        let outputs = self.session.run_with_options(inputs, stop.options())?;
        let read = |name: &str| {
            outputs
                .get(name)
                .ok_or_else(|| ort::Error::new("the graph gave no output of that name"))
        };
        let (_, said) = read(&self.output)?.try_extract_tensor::<f32>()?;
        let &[said] = said else {
            return Err(ort::Error::new("it gives more than one number"));
        };
        let (_, memory) = read(&self.memory.1)?.try_extract_tensor::<f32>()?;
        if memory.len() != self.memory_values.len() {
            return Err(ort::Error::new("its memory changes its size"));
        }
        self.memory_values.copy_from_slice(memory);
        Ok(said)
    }
}

impl std::fmt::Debug for VoiceSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VoiceSession")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
