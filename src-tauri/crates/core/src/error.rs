//! The one error shape that the window and the command line see.

use crate::said::Said;
use serde::{Deserialize, Serialize};
use std::fmt;
use ts_rs::TS;

/// Kind of failure. Exists so that a caller can branch; each code has one exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request itself makes no sense (unknown option, impossible size).
    InvalidRequest,
    /// The input is missing.
    InputNotFound,
    /// The input exists and cannot be read as media.
    InputUnreadable,
    /// The input is media, and nothing in it can be processed.
    InputUnsupported,
    /// The input is larger than the program takes.
    InputTooLarge,
    /// The input changed since the job was planned.
    InputChanged,
    /// Another version of the program planned the job, and this one cannot go on with it.
    ProgramChanged,
    /// The output cannot be written where it was asked for.
    OutputUnwritable,
    /// The disk is full; the job can be resumed.
    DiskFull,
    /// A model is not there.
    ModelNotFound,
    /// A model file is damaged or of another hash.
    ModelInvalid,
    /// Another machine cannot be reached, does not give what was asked for, or may not be asked.
    NetworkUnavailable,
    /// ONNX Runtime is missing or of the wrong version.
    RuntimeUnavailable,
    /// The device or provider asked for cannot be used.
    DeviceUnavailable,
    /// No encoder for what was asked.
    EncoderUnavailable,
    /// The container cannot hold a track of the source.
    TracksDoNotFit,
    /// The result failed its own check.
    VerificationFailed,
    /// The worker process ended without a result.
    WorkerCrashed,
    /// Memory ran out.
    OutOfMemory,
    /// Interrupted by the user; the job can be resumed.
    Interrupted,
    /// Cancelled by the user.
    Cancelled,
    /// No such job.
    JobNotFound,
    /// The job is not in a state that allows this.
    JobState,
    /// The data folder or its database cannot be used.
    StoreUnavailable,
    /// Another process keeps the database to itself and does not go on.
    StoreBusy,
    /// A fault of the program itself.
    Internal,
}

impl ErrorCode {
    /// True if doing the same again may succeed without changing the request.
    pub fn is_retryable(self) -> bool {
        match self {
            ErrorCode::DiskFull
            | ErrorCode::NetworkUnavailable
            | ErrorCode::WorkerCrashed
            | ErrorCode::OutOfMemory
            | ErrorCode::Interrupted
            | ErrorCode::StoreUnavailable
            | ErrorCode::StoreBusy => true,
            ErrorCode::InvalidRequest
            | ErrorCode::InputNotFound
            | ErrorCode::InputUnreadable
            | ErrorCode::InputUnsupported
            | ErrorCode::InputTooLarge
            | ErrorCode::InputChanged
            | ErrorCode::ProgramChanged
            | ErrorCode::OutputUnwritable
            | ErrorCode::ModelNotFound
            | ErrorCode::ModelInvalid
            | ErrorCode::RuntimeUnavailable
            | ErrorCode::DeviceUnavailable
            | ErrorCode::EncoderUnavailable
            | ErrorCode::TracksDoNotFit
            | ErrorCode::VerificationFailed
            | ErrorCode::Cancelled
            | ErrorCode::JobNotFound
            | ErrorCode::JobState
            | ErrorCode::Internal => false,
        }
    }

    /// Exit code of the command line: 2 usage, 3 input refused, 4 job failed, 5 interrupted and
    /// resumable.
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorCode::InvalidRequest | ErrorCode::JobNotFound | ErrorCode::JobState => 2,
            ErrorCode::InputNotFound
            | ErrorCode::InputUnreadable
            | ErrorCode::InputUnsupported
            | ErrorCode::InputTooLarge
            | ErrorCode::InputChanged
            | ErrorCode::ProgramChanged
            | ErrorCode::TracksDoNotFit => 3,
            ErrorCode::DiskFull | ErrorCode::Interrupted => 5,
            ErrorCode::OutputUnwritable
            | ErrorCode::ModelNotFound
            | ErrorCode::ModelInvalid
            | ErrorCode::NetworkUnavailable
            | ErrorCode::RuntimeUnavailable
            | ErrorCode::DeviceUnavailable
            | ErrorCode::EncoderUnavailable
            | ErrorCode::VerificationFailed
            | ErrorCode::WorkerCrashed
            | ErrorCode::OutOfMemory
            | ErrorCode::Cancelled
            | ErrorCode::StoreUnavailable
            | ErrorCode::StoreBusy
            | ErrorCode::Internal => 4,
        }
    }
}

/// A failure as a person reads it: what happened and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AppError {
    /// Kind of failure; the window translates the remedy by it.
    pub code: ErrorCode,
    /// One sentence with the cause, in English, without a trailing path dump.
    pub message: String,
    /// One sentence with the remedy.
    pub hint: Option<String>,
    /// Technical chain of causes, for the details fold and the log.
    pub details: Option<String>,
    /// The cause as a code with values, for the window; not there where it is the words of somebody
    /// else, and in the records of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub said: Option<Box<Said>>,
}

impl AppError {
    /// An error with its cause in a sentence.
    pub fn new(code: ErrorCode, message: impl Into<Said>) -> Self {
        let said = message.into();
        Self {
            code,
            message: said.text.clone(),
            hint: None,
            details: None,
            said: said.known().map(Box::new),
        }
    }

    /// The cause as the window says it.
    pub fn as_said(&self) -> Said {
        self.said
            .as_deref()
            .cloned()
            .unwrap_or_else(|| self.message.clone().into())
    }

    /// Adds the remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the technical details.
    #[must_use]
    pub fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AppError {}
