//! Closing the window while a job runs: the page asks first. Where the user wants it, the program
//! stays in the tray instead.

use crate::tray::Tray;
use crate::{Door, window};
use serde::Deserialize;
use std::sync::atomic::{AtomicBool, Ordering};
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
    let busy = app.is_ok_and(|app| !app.jobs_that_closing_stops().is_empty());
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
            tauri::async_runtime::spawn_blocking(move || {
                let app = handle.state::<Door>().app();
                if let Err(error) = app.and_then(|app| app.stay()) {
                    tracing::warn!(%error, "a job that was told to stop does not go on");
                }
            });
        }
        Answer::Now => close(&handle),
        Answer::AfterPart => {
            tauri::async_runtime::spawn_blocking(move || {
                let app = handle.state::<Door>().app();
                // Where nothing can be learnt of the jobs, there is nothing to wait for.
                if app.is_ok_and(|app| !app.leave_after_part()) {
                    // Meanwhile the user has chosen to stay.
                    return;
                }
                close(&handle);
            });
        }
    }
}

fn close(handle: &AppHandle) {
    for window in handle.webview_windows().into_values() {
        if let Err(error) = window.destroy() {
            tracing::warn!(%error, "the window does not close");
        }
    }
}
