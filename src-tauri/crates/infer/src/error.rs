//! Why inference failed.

use frameloom_core::error::ErrorCode;
use frameloom_core::model::ManifestError;
use frameloom_core::said;
use frameloom_core::said::{Said, SaidValue};
use std::path::PathBuf;

/// A failure below this crate, kept as the cause without naming its type.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why inference failed. Paths come last, so that the sentence reads without them.
#[derive(Debug, thiserror::Error)]
pub enum InferError {
    /// The library of ONNX Runtime is not where it was expected.
    #[error("ONNX Runtime is missing: {}", path.display())]
    RuntimeMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file is there and is not a library of ONNX Runtime for this system.
    #[error("this file is not a usable ONNX Runtime library ({reason}): {}", path.display())]
    RuntimeInvalid {
        /// What the loader said.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// The library is older than the program needs.
    #[error("ONNX Runtime {found} is too old, {needed} or newer is needed: {}", path.display())]
    RuntimeTooOld {
        /// Version of the library.
        found: String,
        /// Lowest version that works.
        needed: String,
        /// The file.
        path: PathBuf,
    },
    /// A process can load ONNX Runtime once, and it was another file.
    #[error("ONNX Runtime is already loaded from {}, not from {}", loaded.display(), asked.display())]
    RuntimeAlreadyLoaded {
        /// The file in use.
        loaded: PathBuf,
        /// The file asked for.
        asked: PathBuf,
    },
    /// ONNX Runtime would report its use to its maker: [`silence`](crate::silence) was not called.
    #[error("ONNX Runtime is not loaded, for it would report its use to its maker")]
    RuntimeNotSilent,
    /// Memory ran out before anything was computed.
    #[error("memory ran out while {what}")]
    NoMemory {
        /// What was done.
        what: &'static str,
        /// What the system or ONNX Runtime said.
        #[source]
        source: Cause,
    },
    /// ONNX Runtime was loaded and could not start.
    #[error("ONNX Runtime could not start")]
    RuntimeStart(#[source] Cause),
    /// No model of this id is known.
    #[error("there is no model `{id}`")]
    ModelNotFound {
        /// The id asked for.
        id: String,
    },
    /// The model's folder has no manifest.
    #[error("the model has no manifest: {}", path.display())]
    ManifestMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The manifest cannot be read or makes no sense.
    #[error("the model's manifest is refused: {}", path.display())]
    ManifestInvalid {
        /// What is wrong with it.
        #[source]
        source: ManifestError,
        /// The manifest.
        path: PathBuf,
    },
    /// The file of the weights is not there.
    #[error("the model's weights are missing: {}", path.display())]
    WeightsMissing {
        /// Where they should be.
        path: PathBuf,
    },
    /// The file of the weights is not the one that the manifest describes.
    #[error("the model's weights are damaged (expected {expected}, found {found}): {}", path.display())]
    WeightsDamaged {
        /// Size or SHA-256 of the manifest.
        expected: String,
        /// Size or SHA-256 of the file.
        found: String,
        /// The file.
        path: PathBuf,
    },
    /// The weights are larger than the program takes.
    #[error("the model's weights have {size_bytes} bytes, at most {limit_bytes} are taken: {}", path.display())]
    WeightsTooLarge {
        /// Size of the file.
        size_bytes: u64,
        /// The limit.
        limit_bytes: u64,
        /// The file.
        path: PathBuf,
    },
    /// A file of the model exists and cannot be read.
    #[error("the model cannot be read: {}", path.display())]
    ModelUnreadable {
        /// What the system said.
        #[source]
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },
    /// The file is a model and makes no picture of a picture.
    #[error("this model cannot be a node: {reason}")]
    NotPictureToPicture {
        /// Why.
        reason: Said,
    },
    /// ONNX Runtime refuses the graph.
    #[error("ONNX Runtime refuses the graph of model `{model}`")]
    GraphRefused {
        /// Id of the model.
        model: String,
        /// What it said.
        #[source]
        source: Cause,
    },
    /// The graph is sound and is not what the manifest says.
    #[error("the graph of model `{model}` does not fit its manifest: {reason}")]
    GraphMismatch {
        /// Id of the model.
        model: String,
        /// What differs.
        reason: String,
    },
    /// The device that was asked for cannot be used.
    #[error("{device} cannot be used: {reason}")]
    DeviceUnavailable {
        /// Name of the execution provider.
        device: String,
        /// Why.
        reason: Said,
    },
    /// Memory ran out during a run.
    #[error("memory ran out while model `{model}` worked on {width}x{height} pixels")]
    OutOfMemory {
        /// Id of the model.
        model: String,
        /// Width of the tile.
        width: usize,
        /// Height of the tile.
        height: usize,
        /// What ONNX Runtime said.
        #[source]
        source: Cause,
    },
    /// The run failed for another reason.
    #[error("model `{model}` failed on {width}x{height} pixels")]
    Run {
        /// Id of the model.
        model: String,
        /// Width of the tile.
        width: usize,
        /// Height of the tile.
        height: usize,
        /// What ONNX Runtime said.
        #[source]
        source: Cause,
    },
    /// The network gave NaN or infinity. Such a picture must not be written.
    #[error("model `{model}` gave values that are not numbers")]
    NotFinite {
        /// Id of the model.
        model: String,
    },
    /// Stopped by a [`CancelHandle`](crate::CancelHandle).
    #[error("cancelled")]
    Cancelled,
    /// The caller's planes do not fit each other or the model: a fault of the program.
    #[error("the picture does not fit: {0}")]
    Picture(String),
}

/// True if these words of ONNX Runtime, of C++ or of a loader of libraries tell of memory: none of
/// them has a code of its own for it.
pub(crate) fn tells_of_memory(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    let signs = [
        "failed to allocate memory",
        "bad_alloc",
        "out of memory",
        // The system's words, as for a thread that gets no stack.
        "cannot allocate memory",
        "resource temporarily unavailable",
        "failed to map segment",
    ];
    signs.iter().any(|sign| words.contains(sign))
}

impl InferError {
    /// ONNX Runtime did not start.
    pub(crate) fn start(error: ort::Error) -> Self {
        match tells_of_memory(error.message()) {
            true => InferError::NoMemory {
                what: "ONNX Runtime was started",
                source: error.into(),
            },
            false => InferError::RuntimeStart(error.into()),
        }
    }

    /// ONNX Runtime did not open the graph of a model.
    pub(crate) fn graph(model: &str, error: ort::Error) -> Self {
        match tells_of_memory(error.message()) {
            true => InferError::NoMemory {
                what: "a model was opened",
                source: error.into(),
            },
            false => InferError::GraphRefused {
                model: model.to_owned(),
                source: error.into(),
            },
        }
    }

    /// The kind of failure that a person sees.
    pub fn code(&self) -> ErrorCode {
        match self {
            InferError::RuntimeMissing { .. }
            | InferError::RuntimeInvalid { .. }
            | InferError::RuntimeTooOld { .. }
            | InferError::RuntimeAlreadyLoaded { .. }
            | InferError::RuntimeNotSilent
            | InferError::RuntimeStart(_) => ErrorCode::RuntimeUnavailable,
            InferError::ModelNotFound { .. }
            | InferError::ManifestMissing { .. }
            | InferError::WeightsMissing { .. } => ErrorCode::ModelNotFound,
            InferError::ManifestInvalid { .. }
            | InferError::WeightsDamaged { .. }
            | InferError::WeightsTooLarge { .. }
            | InferError::ModelUnreadable { .. }
            | InferError::NotPictureToPicture { .. }
            | InferError::GraphRefused { .. }
            | InferError::GraphMismatch { .. }
            | InferError::NotFinite { .. } => ErrorCode::ModelInvalid,
            InferError::DeviceUnavailable { .. } => ErrorCode::DeviceUnavailable,
            InferError::OutOfMemory { .. } | InferError::NoMemory { .. } => ErrorCode::OutOfMemory,
            InferError::Cancelled => ErrorCode::Cancelled,
            InferError::Run { .. } | InferError::Picture(_) => ErrorCode::Internal,
        }
    }

    /// The sentence for the window.
    pub fn said(&self) -> Said {
        match self {
            InferError::RuntimeMissing { path } => said!(
                "runtime.missing",
                "ONNX Runtime is missing: {path}",
                path = path.display()
            ),
            InferError::RuntimeInvalid { reason, path } => said!(
                "runtime.invalid",
                "this file is not a usable ONNX Runtime library ({reason}): {path}",
                reason = Said::from(reason.as_str()),
                path = path.display()
            ),
            InferError::RuntimeTooOld {
                found,
                needed,
                path,
            } => said!(
                "runtime.too_old",
                "ONNX Runtime {found} is too old, {needed} or newer is needed: {path}",
                found = found,
                needed = needed,
                path = path.display()
            ),
            InferError::RuntimeAlreadyLoaded { loaded, asked } => said!(
                "runtime.already_loaded",
                "ONNX Runtime is already loaded from {loaded}, not from {asked}",
                loaded = loaded.display(),
                asked = asked.display()
            ),
            InferError::RuntimeNotSilent => said!(
                "runtime.not_silent",
                "ONNX Runtime is not loaded, for it would report its use to its maker"
            ),
            InferError::NoMemory { .. } | InferError::OutOfMemory { .. } => {
                said!("memory", "memory ran out")
            }
            InferError::RuntimeStart(source) => said!(
                "runtime.start",
                "ONNX Runtime could not start: {source}",
                source = Said::from(source.to_string())
            ),
            InferError::ModelNotFound { id } => {
                said!("model.none", "there is no model `{id}`", id = id)
            }
            InferError::ManifestMissing { path } => said!(
                "model.manifest_missing",
                "the model has no manifest: {path}",
                path = path.display()
            ),
            InferError::ManifestInvalid { source, path } => said!(
                "model.manifest_invalid",
                "the model's manifest is refused ({source}): {path}",
                source = Said::from(source.to_string()),
                path = path.display()
            ),
            InferError::WeightsMissing { path } => said!(
                "model.weights_missing",
                "the model's weights are missing: {path}",
                path = path.display()
            ),
            InferError::WeightsDamaged { path, .. } => said!(
                "model.weights_damaged",
                "the model's weights are damaged: {path}",
                path = path.display()
            ),
            InferError::WeightsTooLarge {
                size_bytes,
                limit_bytes,
                path,
            } => said!(
                "model.weights_too_large",
                "the model's weights have {size}, at most {limit} are taken: {path}",
                size = SaidValue::Size { bytes: *size_bytes },
                limit = SaidValue::Size {
                    bytes: *limit_bytes
                },
                path = path.display()
            ),
            InferError::ModelUnreadable { source, path } => said!(
                "model.unreadable",
                "the model cannot be read ({source}): {path}",
                source = Said::from(source.to_string()),
                path = path.display()
            ),
            InferError::NotPictureToPicture { reason } => said!(
                "model.no_node",
                "this model cannot be a node: {reason}",
                reason = reason
            ),
            InferError::GraphRefused { model, source } => said!(
                "model.refused",
                "ONNX Runtime refuses the graph of model `{model}`: {source}",
                model = model,
                source = Said::from(source.to_string())
            ),
            InferError::GraphMismatch { model, reason } => said!(
                "model.mismatch",
                "the graph of model `{model}` does not fit its manifest: {reason}",
                model = model,
                reason = Said::from(reason.as_str())
            ),
            InferError::DeviceUnavailable { device, reason } => said!(
                "device.unavailable",
                "{device} cannot be used: {reason}",
                device = device,
                reason = reason
            ),
            InferError::Run { model, source, .. } => said!(
                "model.failed",
                "model `{model}` failed: {source}",
                model = model,
                source = Said::from(source.to_string())
            ),
            InferError::NotFinite { model } => said!(
                "model.not_finite",
                "model `{model}` gave values that are not numbers",
                model = model
            ),
            InferError::Cancelled | InferError::Picture(_) => self.to_string().into(),
        }
    }

    /// True if doing the same again may succeed.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}
