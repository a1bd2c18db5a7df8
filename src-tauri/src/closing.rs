//! Closing the window while a job runs: the page asks first. Where the user wants it, the program
//! stays in the tray instead.

use crate::tray::Tray;
use crate::{Door, window};
use frameloom_app::Stopping;
use serde::Deserialize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tauri::{AppHandle, CloseRequestApi, Emitter, Manager, Window};

/// The page listens to this.
const ASK: &str = "close-asked";

/// How far closing has come.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    /// The question is on the screen.
    asked: AtomicBool,
    /// The program is to end, not only its window to go.
    quitting: AtomicBool,
}

/// What the user chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// Go on working.
    Stay,
    /// Finish the part at hand, then close.
    AfterPart,
    /// Close at once.
    Now,
}

/// Keeps the window open and lets the page ask, if closing would stop a job. Who presses the
/// button again while the question stands has answered it, and so a page that hangs can be closed.
pub(crate) fn requested(window: &Window, api: &CloseRequestApi) {
    let handle = window.app_handle();
    window::note(handle);
    let quitting = window.state::<Closing>().quitting.load(Ordering::SeqCst);
    if !quitting && window.state::<Tray>().keeps_program() && window.hide().is_ok() {
        api.prevent_close();
        return;
    }
    let app = window.state::<Door>().app();
    let busy = app.is_ok_and(|app| {
        app.jobs_that_closing_stops()
            .is_ok_and(|jobs| !jobs.is_empty())
    });
    let asked = window.state::<Closing>().asked.swap(busy, Ordering::SeqCst);
    if busy && !asked && window.emit(ASK, ()).is_ok() {
        api.prevent_close();
    }
}

/// Ends the program, wherever its window is; asks first if that would stop a job.
pub(crate) fn quit(handle: &AppHandle) {
    handle
        .state::<Closing>()
        .quitting
        .store(true, Ordering::SeqCst);
    // The question must be seen.
    window::bring_forward(handle);
    let closed = handle
        .get_webview_window(window::LABEL)
        .map(|window| window.close());
    if let Some(Err(error)) = closed {
        tracing::warn!(%error, "the window does not close");
    }
}

/// Does what the user chose.
pub(crate) fn answer(handle: AppHandle, answer: Answer) {
    match answer {
        Answer::Stay => {
            let closing = handle.state::<Closing>();
            closing.asked.store(false, Ordering::SeqCst);
            closing.quitting.store(false, Ordering::SeqCst);
            hold_queue(&handle, false);
        }
        Answer::Now => close(&handle),
        Answer::AfterPart => {
            // The next file in the queue would only be cut short.
            hold_queue(&handle, true);
            tauri::async_runtime::spawn_blocking(move || {
                wait_for_part(&handle);
                // Meanwhile the user may have chosen to stay.
                if handle.state::<Closing>().asked.load(Ordering::SeqCst) {
                    close(&handle);
                }
            });
        }
    }
}

fn hold_queue(handle: &AppHandle, held: bool) {
    if let Ok(app) = handle.state::<Door>().app() {
        app.hold_queue(held);
    }
}

/// Returns when no job of the window runs any more, or nothing can be learnt of them.
fn wait_for_part(handle: &AppHandle) {
    let Ok(app) = handle.state::<Door>().app() else {
        return;
    };
    let Ok(jobs) = app.jobs_that_closing_stops() else {
        return;
    };
    for id in &jobs {
        if let Err(error) = app.stop(id, Stopping::Interrupt) {
            tracing::warn!(%error, job = %id, "a job could not be asked to stop");
        }
    }
    while app
        .jobs_that_closing_stops()
        .is_ok_and(|running| running.iter().any(|id| jobs.contains(id)))
    {
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn close(handle: &AppHandle) {
    for window in handle.webview_windows().into_values() {
        if let Err(error) = window.destroy() {
            tracing::warn!(%error, "the window does not close");
        }
    }
}
