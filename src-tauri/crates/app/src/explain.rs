//! Errors as people read them: what happened in a sentence, and what to do.

use frameloom_core::error::{AppError, ErrorCode};
use frameloom_engine::EngineError;
use frameloom_infer::InferError;
use frameloom_media::MediaError;
use frameloom_still::StillError;
use frameloom_store::StoreError;
use std::error::Error;
use std::io;
use std::path::Path;

/// A failure of the engine.
pub fn engine(error: &EngineError) -> AppError {
    match error {
        EngineError::Media(inner) => media(inner),
        EngineError::Infer(inner) => infer(inner),
        EngineError::Still(inner) => still(inner),
        EngineError::Model(inner) => inner.as_ref().clone(),
        EngineError::OutputIsInput { .. } => from_error(error.code(), error)
            .hint("Choose another name; the source is never overwritten."),
        EngineError::Node { .. } => from_error(error.code(), error)
            .hint("Change that node; `frameloom run --schema` prints what each takes."),
        other => from_error(other.code(), other),
    }
}

/// A failure of ffmpeg.
pub fn media(error: &MediaError) -> AppError {
    let told = from_error(error.code(), error);
    match error.hint() {
        Some(hint) => told.hint(hint),
        None => told,
    }
}

/// A failure of inference.
pub fn infer(error: &InferError) -> AppError {
    let app = from_error(error.code(), error);
    match error {
        // The model is known: it is to be put back, not to be looked for.
        InferError::WeightsMissing { .. } | InferError::ManifestMissing { .. } => {
            app.hint(hint(ErrorCode::ModelInvalid).unwrap_or_default())
        }
        // Nothing of the program's own is damaged.
        InferError::NotPictureToPicture { .. } => {
            app.hint("A node runs models that take one picture and give one; choose another file.")
        }
        _ => app,
    }
}

/// A failure with a still picture.
pub fn still(error: &StillError) -> AppError {
    let app = from_error(error.code(), error).hint(error.hint());
    match error.details() {
        Some(details) => app.details(details),
        None => app,
    }
}

/// A failure of the database. Takes the error by value to fit `map_err`.
pub fn store(error: StoreError) -> AppError {
    from_error(error.code(), &error)
}

/// A fault of the program itself.
pub fn internal(error: impl Error) -> AppError {
    from_error(ErrorCode::Internal, &error)
}

/// A thread cannot be started: there is no memory for its stack, or a limit is reached.
pub(crate) fn no_thread(error: io::Error) -> AppError {
    from_error(
        ErrorCode::OutOfMemory,
        &io::Error::other("the system gives no memory for another thread"),
    )
    .details(error.to_string())
}

/// The input cannot be opened.
pub fn unreadable(path: &Path, error: &io::Error) -> AppError {
    let (code, message, hint) = match error.kind() {
        io::ErrorKind::NotFound => (
            ErrorCode::InputNotFound,
            format!("There is no file `{}`.", path.display()),
            "Check the name, and that the drive is connected.",
        ),
        io::ErrorKind::PermissionDenied => (
            ErrorCode::InputUnreadable,
            format!("`{}` may not be read.", path.display()),
            "Change its permissions, or copy it to a folder of your own.",
        ),
        _ => (
            ErrorCode::InputUnreadable,
            format!("`{}` cannot be read.", path.display()),
            "Check the drive it is on.",
        ),
    };
    AppError::new(code, message)
        .hint(hint)
        .details(error.to_string())
}

/// The output cannot be written.
pub fn unwritable(path: &Path, error: &io::Error) -> AppError {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::DiskFull,
        _ => ErrorCode::OutputUnwritable,
    };
    AppError::new(
        code,
        format!("Nothing can be written at `{}`.", path.display()),
    )
    .hint(hint(code).unwrap_or_default())
    .details(error.to_string())
}

/// The data folder cannot be used.
pub fn data_folder(path: &Path, error: &io::Error) -> AppError {
    AppError::new(
        ErrorCode::StoreUnavailable,
        format!("The data folder `{}` cannot be used.", path.display()),
    )
    .hint("Name another with --data-dir or FRAMELOOM_DATA_DIR, or change its permissions.")
    .details(error.to_string())
}

fn from_error(code: ErrorCode, error: &dyn Error) -> AppError {
    let said = error.to_string();
    let mut app = AppError::new(code, sentence(&said));
    app.hint = hint(code).map(str::to_owned);
    let mut chain = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        // Many messages hold their cause already.
        let text = cause.to_string();
        if !said.contains(&text) && !chain.contains(&text) {
            chain.push(text);
        }
        source = cause.source();
    }
    if !chain.is_empty() {
        app.details = Some(chain.join(": "));
    }
    app
}

/// First letter large, full stop at the end.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let mut sentence: String = chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// The remedy for a kind of failure.
pub fn hint(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::InvalidRequest => "Change the request; `--help` shows what is possible.",
        ErrorCode::InputNotFound => "Check the name, and that the drive is connected.",
        ErrorCode::InputUnreadable => {
            "Open the file in a player: if that fails too, copy or download it again; a recording that was cut off may need a repair tool."
        }
        ErrorCode::InputUnsupported => {
            "Choose a video or a picture; `frameloom probe FILE` shows what a file holds."
        }
        ErrorCode::InputTooLarge => "Cut the picture into parts, or choose a smaller scale.",
        ErrorCode::InputChanged => "Put the original file back, or start a new job.",
        ErrorCode::ProgramChanged => {
            "The file is as it was: run it again as a new job, or go on with the version that began this one; `frameloom jobs remove ID` takes it off the list."
        }
        ErrorCode::OutputUnwritable => "Choose a folder that you may write to.",
        ErrorCode::DiskFull => "Free some space, then resume the job; finished parts are kept.",
        ErrorCode::ModelNotFound => "`frameloom models list` shows the models that are installed.",
        ErrorCode::ModelInvalid => {
            "`frameloom models verify --repair` restores the models that come with the program; install others again."
        }
        ErrorCode::RuntimeUnavailable => {
            "Install Frameloom again, or set FRAMELOOM_ONNXRUNTIME to the library's path."
        }
        ErrorCode::DeviceUnavailable => {
            "Choose another device, or leave the choice to the program."
        }
        ErrorCode::EncoderUnavailable => {
            "Choose another codec or container; `frameloom doctor` shows the encoders of this machine."
        }
        ErrorCode::TracksDoNotFit => {
            "Choose a container that can hold every track (.mkv holds most), or leave tracks out with `--drop`."
        }
        ErrorCode::VerificationFailed => {
            "Run it again; if it fails again, report the file and the details."
        }
        ErrorCode::WorkerCrashed => "Resume the job; finished parts are kept.",
        ErrorCode::OutOfMemory => "Close other programs, then resume the job.",
        ErrorCode::Interrupted => "Resume the job; finished parts are kept.",
        ErrorCode::JobNotFound => "`frameloom jobs list` shows the jobs.",
        ErrorCode::JobState => "`frameloom jobs show ID` shows the state of the job.",
        ErrorCode::StoreUnavailable => "Check the data folder's disk and permissions.",
        ErrorCode::StoreBusy => {
            "Cancel the job that is running, or end that process if it is frozen, and try again; nothing is lost."
        }
        ErrorCode::Internal => "Please report this with the details.",
        ErrorCode::Cancelled => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_the_message_holds_is_not_told_again() {
        let circle = frameloom_core::graph::GraphError::Circle {
            ids: "a, b".to_owned(),
        };
        let told = engine(&EngineError::from(circle));
        assert!(told.message.contains("a, b"), "{told:?}");
        assert_eq!(told.details, None);
    }

    #[test]
    fn a_message_is_a_sentence() {
        assert_eq!(sentence("the file is empty"), "The file is empty.");
        assert_eq!(sentence("Übel!"), "Übel!");
        assert_eq!(sentence(""), ".");
    }
}
