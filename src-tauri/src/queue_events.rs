//! Events of the queue on their way to the window and to the taskbar.

use crate::tray::Tray;
use frameloom_app::{App, QueueEvent, QueueView};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tauri::ipc::Channel;
use tauri::window::{ProgressBarState, ProgressBarStatus};
use tauri::{Manager, WebviewWindow};

/// As [`crate::events::Watchers`], for the queue.
#[derive(Debug, Default)]
pub(crate) struct QueueWatchers {
    newest: Arc<AtomicU64>,
}

impl QueueWatchers {
    /// Sends every event through `channel` until a newer one is given or it is closed.
    pub(crate) fn watch(&self, app: &App, channel: Channel<QueueEvent>) {
        let newest = Arc::clone(&self.newest);
        let mine = newest.fetch_add(1, Ordering::Relaxed) + 1;
        app.listen_to_queue(move |event| {
            newest.load(Ordering::Relaxed) == mine && channel.send(event.clone()).is_ok()
        });
    }
}

/// Shows how far the queue is on the window's button in the taskbar or dock, where the system can,
/// and in the tray.
pub(crate) fn show_outside(app: &App, window: WebviewWindow) {
    app.listen_to_queue(move |event| {
        let QueueEvent::Changed { view } = event else {
            return true;
        };
        if let Err(error) = window.set_progress_bar(bar_of(view)) {
            // Not every desktop has such a thing.
            tracing::debug!(%error, "no progress is shown in the taskbar");
        }
        let handle = window.app_handle();
        handle.state::<Tray>().set_queue(handle, view);
        true
    });
}

fn bar_of(view: &QueueView) -> ProgressBarState {
    let status = match (view.per_mille, view.options.paused) {
        (None, _) => ProgressBarStatus::None,
        (Some(_), true) => ProgressBarStatus::Paused,
        (Some(_), false) => ProgressBarStatus::Normal,
    };
    ProgressBarState {
        status: Some(status),
        progress: view.per_mille.map(|share| u64::from(share) / 10),
    }
}
