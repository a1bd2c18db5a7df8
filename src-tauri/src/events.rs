//! Events of jobs and of the library on their way to the window.

use frameloom_app::App;
use frameloom_core::job::JobEvent;
use frameloom_core::library::LibraryEvent;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tauri::ipc::Channel;

/// Counts the watchers of the one window, so that a page that was loaded anew replaces the
/// channel of the page before.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    newest: Arc<AtomicU64>,
}

impl Watchers {
    /// Sends every event of `app` through `channel` until a newer one is given or it is closed.
    pub(crate) fn watch(&self, app: &App, channel: Channel<JobEvent>) {
        let newest = Arc::clone(&self.newest);
        let mine = newest.fetch_add(1, Ordering::Relaxed) + 1;
        app.listen(move |event| {
            newest.load(Ordering::Relaxed) == mine && channel.send(event.clone()).is_ok()
        });
    }
}

/// As [`Watchers`], for events of the library.
#[derive(Debug, Default)]
pub(crate) struct LibraryWatchers {
    newest: Arc<AtomicU64>,
}

impl LibraryWatchers {
    /// Sends every event of the library of `app` through `channel` until a newer one is given or
    /// it is closed.
    pub(crate) fn watch(&self, app: &App, channel: Channel<LibraryEvent>) {
        let newest = Arc::clone(&self.newest);
        let mine = newest.fetch_add(1, Ordering::Relaxed) + 1;
        app.listen_to_library(move |event| {
            newest.load(Ordering::Relaxed) == mine && channel.send(event.clone()).is_ok()
        });
    }
}
