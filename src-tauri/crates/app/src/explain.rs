//! Errors as people read them: what happened in a sentence, and what to do.

use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_engine::EngineError;
use frameloom_infer::InferError;
use frameloom_media::MediaError;
use frameloom_net::NetError;
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
        EngineError::OutputIsInput { .. } => told(error.code(), error, error.said())
            .hint("Choose another name; the source is never overwritten."),
        EngineError::Node { .. } => told(error.code(), error, error.said())
            .hint("Change that node; `frameloom run --schema` prints what each takes."),
        other => told(other.code(), other, other.said()),
    }
}

/// A failure of ffmpeg.
pub fn media(error: &MediaError) -> AppError {
    let app = told(error.code(), error, error.said());
    match error.hint() {
        Some(hint) => app.hint(hint),
        None => app,
    }
}

/// A failure of inference.
pub fn infer(error: &InferError) -> AppError {
    let app = told(error.code(), error, error.said());
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
    let app = told(error.code(), error, error.said()).hint(error.hint());
    match error.details() {
        Some(details) => app.details(details),
        None => app,
    }
}

/// A failure of the database. Takes the error by value to fit `map_err`.
pub fn store(error: StoreError) -> AppError {
    let said = match &error {
        StoreError::Busy(_) => said!(
            "store.busy",
            "another process of Frameloom keeps the database to itself"
        ),
        StoreError::Damaged { reason } => said!(
            "store.damaged",
            "the database is damaged: {reason}",
            reason = Said::from(reason.as_str())
        ),
        StoreError::Newer { found, known } => said!(
            "store.newer",
            "the database is of version {found}; this program knows versions up to {known}",
            found = *found,
            known = *known
        ),
        StoreError::NoJob(id) => said!("job.none", "there is no job {id}", id = id),
        StoreError::NoItem(_) => said!("library.none", "this item is not in the library any more"),
        StoreError::Sqlite(_) | StoreError::SetAside { .. } | StoreError::Row { .. } => said!(
            "store.refused",
            "the database refused something: {error}",
            error = Said::from(error.to_string())
        ),
    };
    told(error.code(), &error, said)
}

/// A failure of a connection.
pub(crate) fn net(error: &NetError) -> AppError {
    let (code, remedy) = match error {
        NetError::AddressRefused { .. } | NetError::NoAddress => (
            ErrorCode::InvalidRequest,
            "Write the address as https://example.org/folder.",
        ),
        NetError::HostNotAllowed { .. } => (
            ErrorCode::NetworkUnavailable,
            "Only hosts of the program's list are asked; `frameloom outgoing --hosts` shows it. A mirror that you name is asked, too.",
        ),
        NetError::Proxy(_) => (
            ErrorCode::InvalidRequest,
            "Correct the address of the proxy in the settings.",
        ),
        NetError::Unreachable { .. } | NetError::Stalled { .. } | NetError::Truncated { .. } => (
            ErrorCode::NetworkUnavailable,
            "Check the connection and the proxy in the settings, and try again: what came is kept.",
        ),
        NetError::Status { .. } => (
            ErrorCode::NetworkUnavailable,
            "Try again later: what came is kept.",
        ),
        NetError::TooManyRedirects { .. }
        | NetError::WrongContent { .. }
        | NetError::TooLarge { .. } => (
            ErrorCode::NetworkUnavailable,
            "What came was thrown away. Try another mirror, or bring the file another way with `--from`.",
        ),
        NetError::Busy { .. } => (
            ErrorCode::NetworkUnavailable,
            "Wait until it is done, or end the other program.",
        ),
        NetError::Disk { path, source } => return data_folder(path, source),
        NetError::Record(_) => (
            ErrorCode::StoreUnavailable,
            "Check the data folder's disk and permissions.",
        ),
        NetError::Client(_) | NetError::Runtime(_) => {
            (ErrorCode::Internal, "Please report this with the details.")
        }
        NetError::Cancelled => return AppError::new(ErrorCode::Cancelled, "Given up."),
    };
    told(code, error, net_said(error)).hint(remedy)
}

/// What the window says of a failure of a connection.
fn net_said(error: &NetError) -> Said {
    match error {
        NetError::AddressRefused { address, .. } => said!(
            "net.address",
            "the address {address} cannot be used",
            address = address.to_string()
        ),
        NetError::HostNotAllowed { host } => said!(
            "net.host",
            "the program does not speak to {host}",
            host = host
        ),
        NetError::Proxy(_) => said!("net.proxy", "the proxy cannot be used"),
        NetError::Client(_) | NetError::Runtime(_) => {
            said!("net.client", "connections cannot be made")
        }
        NetError::Unreachable { host, .. } => said!(
            "net.unreachable",
            "the server {host} cannot be reached",
            host = host
        ),
        NetError::Stalled { host, after } => said!(
            "net.stalled",
            "the server {host} sent nothing for {seconds} seconds",
            host = host,
            seconds = after.as_secs()
        ),
        NetError::Status { host, status, .. } => said!(
            "net.status",
            "the server {host} answered {status}",
            host = host,
            status = status.to_string()
        ),
        NetError::TooManyRedirects { host } => said!(
            "net.redirects",
            "the server {host} leads from one address to the next",
            host = host
        ),
        NetError::Truncated { host, .. } => said!(
            "net.truncated",
            "the server {host} sent less than it said",
            host = host
        ),
        NetError::WrongContent { host } => said!(
            "net.wrong_content",
            "the server {host} sent another file than the one that was wanted",
            host = host
        ),
        NetError::TooLarge { host, .. } => said!(
            "net.too_large",
            "the server {host} sent more than is taken",
            host = host
        ),
        NetError::Busy { .. } => said!("net.busy", "this is being fetched by another program"),
        NetError::Record(_) => said!(
            "net.record",
            "what is sent could not be recorded, so nothing was sent"
        ),
        NetError::NoAddress => said!("net.no_address", "there is no address to ask"),
        NetError::Disk { .. } | NetError::Cancelled => error.to_string().into(),
    }
}

/// A fault of the program itself.
pub fn internal(error: impl Error) -> AppError {
    from_error(ErrorCode::Internal, &error)
}

/// A thread cannot be started: there is no memory for its stack, or a limit is reached.
pub(crate) fn no_thread(error: io::Error) -> AppError {
    AppError::new(
        ErrorCode::OutOfMemory,
        said!(
            "process.no_thread",
            "The system gives no memory for another thread."
        ),
    )
    .hint(hint(ErrorCode::OutOfMemory).unwrap_or_default())
    .details(error.to_string())
}

/// The input cannot be opened.
pub fn unreadable(path: &Path, error: &io::Error) -> AppError {
    let (code, message, hint) = match error.kind() {
        io::ErrorKind::NotFound => (
            ErrorCode::InputNotFound,
            said!(
                "file.gone",
                "There is no file `{path}`.",
                path = path.display()
            ),
            "Check the name, and that the drive is connected.",
        ),
        io::ErrorKind::PermissionDenied => (
            ErrorCode::InputUnreadable,
            said!(
                "file.forbidden",
                "`{path}` may not be read.",
                path = path.display()
            ),
            "Change its permissions, or copy it to a folder of your own.",
        ),
        _ => (
            ErrorCode::InputUnreadable,
            said!(
                "file.closed",
                "`{path}` cannot be read.",
                path = path.display()
            ),
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
        said!(
            "output.unwritable",
            "Nothing can be written at `{path}`.",
            path = path.display()
        ),
    )
    .hint(hint(code).unwrap_or_default())
    .details(error.to_string())
}

/// The data folder cannot be used.
pub fn data_folder(path: &Path, error: &io::Error) -> AppError {
    AppError::new(
        ErrorCode::StoreUnavailable,
        said!(
            "data.unusable",
            "The data folder `{path}` cannot be used.",
            path = path.display()
        ),
    )
    .hint("Name another with --data-dir or FRAMELOOM_DATA_DIR, or change its permissions.")
    .details(error.to_string())
}

/// An error in its own words, with those of the window.
fn told(code: ErrorCode, error: &dyn Error, said: Said) -> AppError {
    AppError {
        said: said.known().map(Box::new),
        ..from_error(code, error)
    }
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
        ErrorCode::NetworkUnavailable => "Check the connection, and try again.",
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
