//! Ctrl-C: once to finish the segment at hand and stop, twice to stop at once.

use crate::output::Output;
use frameloom_app::{App, Stopping};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::JobId;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The job that Ctrl-C is meant for; none between two jobs.
static CURRENT: Mutex<Option<(Arc<App>, JobId)>> = Mutex::new(None);
/// How often Ctrl-C was pressed since the command began. Pressed once between two jobs it still
/// ends the command.
static PRESSED: AtomicU32 = AtomicU32::new(0);

/// Was the command asked to end?
pub fn requested() -> bool {
    PRESSED.load(Ordering::SeqCst) > 0
}

/// How the job at hand is to stop, if it is.
pub fn stopping() -> Option<Stopping> {
    match PRESSED.load(Ordering::SeqCst) {
        0 => None,
        1 => Some(Stopping::Interrupt),
        _ => Some(Stopping::InterruptNow),
    }
}

/// Names the job that Ctrl-C is meant for until the guard is dropped.
pub fn meant_for(app: &Arc<App>, id: &JobId) -> Guard {
    *current() = Some((app.clone(), id.clone()));
    Guard
}

/// See [`meant_for`].
pub struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        *current() = None;
    }
}

fn current() -> std::sync::MutexGuard<'static, Option<(Arc<App>, JobId)>> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes Ctrl-C over from the system, for the rest of the command.
///
/// # Errors
/// The system refuses.
pub fn listen(output: &Output) -> Result<(), AppError> {
    static HANDLER: OnceLock<()> = OnceLock::new();
    if HANDLER.set(()).is_err() {
        return Ok(());
    }
    let output = Output::new(output.is_json());
    ctrlc::set_handler(move || {
        let pressed = PRESSED.fetch_add(1, Ordering::SeqCst);
        let job = current().clone();
        match (&job, pressed) {
            (Some(_), 0) => {
                output.notice("Finishing the running segment; press Ctrl-C again to stop at once.")
            }
            (None, 0) => {
                output.notice("Stopping after this step; press Ctrl-C again to stop at once.")
            }
            _ => output.notice("Stopping."),
        }
        match (job, stopping()) {
            (Some((app, id)), Some(stopping)) => {
                if let Err(error) = app.stop(&id, stopping) {
                    output.error(&error);
                }
            }
            // No job is at hand: nothing is left half done.
            (None, _) if pressed > 0 => leave(),
            _ => {}
        }
    })
    .map_err(|error| {
        AppError::new(ErrorCode::Internal, "Ctrl-C cannot be handled.").details(error.to_string())
    })
}

#[expect(
    clippy::exit,
    reason = "a source on a drive that does not answer cannot be waited for"
)]
fn leave() -> ! {
    std::process::exit(i32::from(ErrorCode::Interrupted.exit_code()))
}

/// The exit code of a command that was asked to end.
pub fn exit_code() -> ExitCode {
    ExitCode::from(ErrorCode::Interrupted.exit_code())
}
