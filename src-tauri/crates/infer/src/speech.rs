//! Networks that clean speech frame by frame: a spectrum in, a spectrum out, and what they
//! remember handed from one run to the next.

use crate::error::InferError;
use crate::provider::Runtime;
use crate::session::CancelHandle;
use crate::setting::Setting;
use ort::session::Session;
use ort::value::{TensorElementType, TensorRef, ValueType};
use std::path::Path;
use std::sync::Arc;

/// Largest file that is taken for such a network.
const MOST_BYTES: u64 = 256 << 20;

/// Most numbers in what it remembers.
const MOST_STATE: usize = 1 << 24;

/// A network of this family: one input `[1, bins, 1, 2]` with the real and the imaginary parts of
/// a spectrum, an output of that shape, and pairs of inputs and outputs of equal shapes that carry
/// its memory.
pub struct SpeechSession {
    session: Session,
    name: String,
    bins: usize,
    input: String,
    output: String,
    state: Vec<Memory>,
    stop: CancelHandle,
}

/// Something that the network remembers.
struct Memory {
    input: String,
    output: String,
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// Name and shape of an input or an output.
struct Slot {
    name: String,
    shape: Vec<i64>,
}

impl SpeechSession {
    /// Opens the network in a file, and runs it once.
    ///
    /// # Errors
    /// [`InferError::ModelUnreadable`], [`InferError::WeightsTooLarge`],
    /// [`InferError::GraphRefused`]; [`InferError::GraphMismatch`] with the reason for a network of
    /// another family.
    pub fn open(runtime: &Arc<Runtime>, path: &Path) -> Result<Self, InferError> {
        let name = path
            .file_name()
            .map_or_else(|| "model".to_owned(), |n| n.to_string_lossy().into_owned());
        let unreadable = |source| InferError::ModelUnreadable {
            source,
            path: path.to_owned(),
        };
        let size_bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        if size_bytes > MOST_BYTES {
            return Err(InferError::WeightsTooLarge {
                size_bytes,
                limit_bytes: MOST_BYTES,
                path: path.to_owned(),
            });
        }
        let weights = std::fs::read(path).map_err(unreadable)?;
        Self::of(runtime, &weights, &name)
    }

    /// Opens a network by its bytes, and runs it once; `name` is how errors call it.
    ///
    /// # Errors
    /// [`InferError::GraphRefused`]; [`InferError::GraphMismatch`] with the reason for a network of
    /// another family.
    pub(crate) fn of(
        runtime: &Arc<Runtime>,
        weights: &[u8],
        name: &str,
    ) -> Result<Self, InferError> {
        // One thread: a frame is so little work that others would only be waited for, and the
        // order of sums stays the same everywhere.
        let session = runtime
            .builder(&Setting::CPU, 1, true)
            .and_then(|mut b| b.commit_from_memory(weights))
            .map_err(|e| InferError::graph(name, e))?;
        let mismatch = |reason: String| InferError::GraphMismatch {
            model: name.to_owned(),
            reason: format!(
                "{reason}; a model for speech takes one spectrum [1, bins, 1, 2] at a time, gives \
                 one, and carries its memory in inputs and outputs of equal shapes"
            ),
        };
        let inputs: Vec<Slot> = session
            .inputs()
            .iter()
            .map(|o| slot(o.name(), o.dtype()))
            .collect::<Result<_, String>>()
            .map_err(&mismatch)?;
        let outputs: Vec<Slot> = session
            .outputs()
            .iter()
            .map(|o| slot(o.name(), o.dtype()))
            .collect::<Result<_, String>>()
            .map_err(&mismatch)?;
        if inputs.len() != outputs.len() {
            return Err(mismatch(format!(
                "it has {} inputs and {} outputs",
                inputs.len(),
                outputs.len()
            )));
        }
        let is_spectrum = |slot: &&Slot| matches!(slot.shape[..], [batch, bins, 1, 2] if batch.abs() == 1 && bins > 1);
        let (mut ins, mut outs) = (
            inputs.iter().filter(is_spectrum),
            outputs.iter().filter(is_spectrum),
        );
        let (Some(input), None, Some(output), None) =
            (ins.next(), ins.next(), outs.next(), outs.next())
        else {
            return Err(mismatch(
                "it has not exactly one spectrum on each side".to_owned(),
            ));
        };
        let bins = input.shape[1];
        if output.shape[1] != bins || !(bins - 1).unsigned_abs().is_power_of_two() {
            return Err(mismatch(format!(
                "spectra of {bins} and {} bins do not belong to one window of a power of two",
                output.shape[1]
            )));
        }
        let mut state = Vec::new();
        let mut free: Vec<&Slot> = outputs.iter().filter(|o| o.name != output.name).collect();
        for memory in inputs.iter().filter(|i| i.name != input.name) {
            // By its name with something behind it, or else the next of that shape.
            let place = free
                .iter()
                .position(|o| o.shape == memory.shape && o.name.starts_with(&memory.name))
                .or_else(|| free.iter().position(|o| o.shape == memory.shape));
            let Some(place) = place else {
                return Err(mismatch(format!(
                    "nothing follows from its input `{}`",
                    memory.name
                )));
            };
            let shape: Vec<usize> = memory
                .shape
                .iter()
                .map(|side| usize::try_from(*side).unwrap_or(1).max(1))
                .collect();
            let count = shape
                .iter()
                .try_fold(1usize, |all, side| all.checked_mul(*side));
            let Some(count) = count.filter(|count| *count <= MOST_STATE) else {
                return Err(mismatch(format!(
                    "its memory `{}` is too large",
                    memory.name
                )));
            };
            state.push(Memory {
                input: memory.name.clone(),
                output: free.remove(place).name.clone(),
                shape,
                values: vec![0.0; count],
            });
        }
        let mut opened = Self {
            bins: bins as usize,
            input: input.name.clone(),
            output: output.name.clone(),
            stop: CancelHandle::new()?,
            session,
            name: name.to_owned(),
            state,
        };
        let mut still = vec![0.0; opened.bins * 2];
        opened.run(&mut still)?;
        opened.forget();
        Ok(opened)
    }

    /// Bins of a spectrum: half of the window and one more.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// Names of the input and the output for spectra.
    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.input, &self.output)
    }

    /// Stops the running call from another thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        self.stop.clone()
    }

    /// Forgets what came before.
    pub fn forget(&mut self) {
        for memory in &mut self.state {
            memory.values.fill(0.0);
        }
    }

    /// Cleans a spectrum in place: real and imaginary part of each bin, one after the other.
    ///
    /// # Errors
    /// [`InferError::Cancelled`], [`InferError::NotFinite`], [`InferError::GraphMismatch`] or what
    /// ONNX Runtime says.
    pub fn run(&mut self, spectrum: &mut [f32]) -> Result<(), InferError> {
        if self.stop.is_cancelled() {
            return Err(InferError::Cancelled);
        }
        let stop = self.stop.clone();
        self.try_run(spectrum, &stop).map_err(|error| {
            if stop.is_cancelled() {
                return InferError::Cancelled;
            }
            match error {
                Fault::Ort(error) => InferError::GraphMismatch {
                    model: self.name.clone(),
                    reason: error.to_string(),
                },
                Fault::NotFinite => InferError::NotFinite {
                    model: self.name.clone(),
                },
            }
        })
    }

    fn try_run(&mut self, spectrum: &mut [f32], stop: &CancelHandle) -> Result<(), Fault> {
        let shape = [1, self.bins, 1, 2];
        let mut inputs: Vec<(&str, ort::session::SessionInputValue<'_>)> = vec![(
            self.input.as_str(),
            TensorRef::from_array_view((shape, &*spectrum))?.into(),
        )];
        for memory in &self.state {
            let tensor = TensorRef::from_array_view((memory.shape.clone(), &memory.values[..]))?;
            inputs.push((memory.input.as_str(), tensor.into()));
        }
        let outputs = self.session.run_with_options(inputs, stop.options())?;
        let read = |name: &str, target: &mut [f32]| -> Result<(), Fault> {
            let value = outputs
                .get(name)
                .ok_or_else(|| ort::Error::new("the graph gave no output of that name"))?;
            let (_, values) = value.try_extract_tensor::<f32>()?;
            if values.len() != target.len() {
                return Err(ort::Error::new("an output has another size than its input").into());
            }
            if values.iter().any(|v| !v.is_finite()) {
                return Err(Fault::NotFinite);
            }
            target.copy_from_slice(values);
            Ok(())
        };
        read(&self.output, spectrum)?;
        for memory in &mut self.state {
            read(&memory.output, &mut memory.values)?;
        }
        Ok(())
    }
}

enum Fault {
    Ort(ort::Error),
    NotFinite,
}

impl From<ort::Error> for Fault {
    fn from(error: ort::Error) -> Self {
        Fault::Ort(error)
    }
}

fn slot(name: &str, kind: &ValueType) -> Result<Slot, String> {
    match kind {
        ValueType::Tensor {
            ty: TensorElementType::Float32,
            shape,
            ..
        } => Ok(Slot {
            name: name.to_owned(),
            shape: shape.to_vec(),
        }),
        other => Err(format!("`{name}` is {other}, not numbers of 32 bits")),
    }
}
