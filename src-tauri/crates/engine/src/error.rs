use frameloom_core::error::ErrorCode;
use frameloom_core::graph::GraphError;
use frameloom_core::said::Said;
use frameloom_infer::InferError;
use frameloom_media::MediaError;
use frameloom_still::StillError;
use std::path::PathBuf;

/// Why a job could not be planned or done.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The graph is not one.
    #[error("the graph cannot run: {0}")]
    Graph(#[from] GraphError),
    /// A node's parameters do not fit the picture that reaches it.
    #[error("the node `{node}` cannot run: {reason}")]
    Node {
        /// Id of the node.
        node: String,
        /// What does not fit, in a sentence.
        reason: Said,
    },
    /// ffmpeg.
    #[error(transparent)]
    Media(MediaError),
    /// ONNX Runtime or a model.
    #[error(transparent)]
    Infer(InferError),
    /// A model of the user was refused by who looked at it.
    #[error(transparent)]
    Model(Box<frameloom_core::error::AppError>),
    /// A still picture.
    #[error(transparent)]
    Still(#[from] StillError),
    /// The input is not what it was when the job was planned.
    #[error("the input changed since the job was planned: {what} ({})", path.display())]
    InputChanged {
        /// What differs.
        what: String,
        /// The input.
        path: PathBuf,
    },
    /// An input cannot be read.
    #[error("the input cannot be read: {source} ({})", path.display())]
    InputUnreadable {
        /// The cause.
        source: std::io::Error,
        /// The input.
        path: PathBuf,
    },
    /// The plan is of a version that this program does not run.
    #[error("another version of the program planned this job (its plan is of version {found})")]
    PlanVersion {
        /// The version found.
        found: u32,
    },
    /// The input is the same, and this program, or a library of it, makes something else of it than
    /// the one that planned the job or began it.
    #[error("another version of the program began this job, and the program changed since: {what}")]
    ProgramChanged {
        /// What comes out otherwise now.
        what: String,
    },
    /// A model is not the one that the job was planned with.
    #[error("the model `{id}` changed since the job was planned")]
    ModelChanged {
        /// Its id.
        id: String,
    },
    /// A finished segment is not what was put into it.
    #[error("segment {position} failed its check: {reason}")]
    SegmentCheck {
        /// Which segment.
        position: u64,
        /// What is wrong.
        reason: String,
    },
    /// The finished file is not what it should be.
    #[error("the result failed its check: {reason}")]
    OutputCheck {
        /// What is wrong.
        reason: String,
    },
    /// The parts are what they should be, and the file that they are joined to is not, each time.
    #[error("the result failed its check each time its parts were joined: {reason}")]
    JoinCheck {
        /// What was wrong the last time.
        reason: String,
    },
    /// The result would replace the source.
    #[error("the output is the input itself ({})", path.display())]
    OutputIsInput {
        /// Where the result was wanted.
        path: PathBuf,
    },
    /// No frame could be read.
    #[error("no frame could be read ({})", path.display())]
    NoFrames {
        /// The input.
        path: PathBuf,
    },
    /// The caller's journal refused.
    #[error("the progress of the job could not be recorded: {source}")]
    Journal {
        /// Whether the disk is full.
        disk_full: bool,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file operation outside of ffmpeg.
    #[error("{what}: {source} ({})", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The cause.
        source: std::io::Error,
        /// On which file.
        path: PathBuf,
    },
    /// A stage panicked.
    #[error("the {stage} stage broke: {message}")]
    Panicked {
        /// Which stage.
        stage: &'static str,
        /// What it said.
        message: String,
    },
    /// Stopped by the user.
    #[error("stopped")]
    Stopped,
}

impl From<MediaError> for EngineError {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::Cancelled => EngineError::Stopped,
            other => EngineError::Media(other),
        }
    }
}

impl From<InferError> for EngineError {
    fn from(error: InferError) -> Self {
        match error {
            InferError::Cancelled => EngineError::Stopped,
            other => EngineError::Infer(other),
        }
    }
}

impl EngineError {
    /// The kind of failure as callers see it.
    pub fn code(&self) -> ErrorCode {
        match self {
            EngineError::Graph(_)
            | EngineError::Node { .. }
            | EngineError::OutputIsInput { .. } => ErrorCode::InvalidRequest,
            EngineError::PlanVersion { .. } | EngineError::ProgramChanged { .. } => {
                ErrorCode::ProgramChanged
            }
            EngineError::Media(error) => error.code(),
            EngineError::Infer(error) => error.code(),
            EngineError::Still(error) => error.code(),
            EngineError::Model(error) => error.code,
            EngineError::InputChanged { .. } => ErrorCode::InputChanged,
            EngineError::InputUnreadable { source, .. } => match source.kind() {
                std::io::ErrorKind::NotFound => ErrorCode::InputNotFound,
                _ => ErrorCode::InputUnreadable,
            },
            EngineError::ModelChanged { .. } => ErrorCode::ModelInvalid,
            EngineError::SegmentCheck { .. }
            | EngineError::OutputCheck { .. }
            | EngineError::JoinCheck { .. } => ErrorCode::VerificationFailed,
            EngineError::NoFrames { .. } => ErrorCode::InputUnsupported,
            EngineError::Journal {
                disk_full: true, ..
            } => ErrorCode::DiskFull,
            EngineError::Journal { .. } => ErrorCode::StoreUnavailable,
            EngineError::Io { source, .. } => match source.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                    ErrorCode::DiskFull
                }
                // A thread that gets no stack is told to try again later; no file says that.
                std::io::ErrorKind::OutOfMemory | std::io::ErrorKind::WouldBlock => {
                    ErrorCode::OutOfMemory
                }
                _ => ErrorCode::OutputUnwritable,
            },
            EngineError::Panicked { .. } => ErrorCode::Internal,
            EngineError::Stopped => ErrorCode::Interrupted,
        }
    }

    /// Whether a run with smaller tiles, or on the processor, may do better.
    pub fn is_for_caution(&self) -> bool {
        match self.code() {
            // No model has a part in joining.
            ErrorCode::VerificationFailed => !matches!(self, EngineError::JoinCheck { .. }),
            ErrorCode::OutOfMemory => true,
            _ => false,
        }
    }

    pub(crate) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| EngineError::Io { what, source, path }
    }
}
