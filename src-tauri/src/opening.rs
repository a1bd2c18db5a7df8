//! Files and projects that come while the window is open: from a second start of the program, or
//! from the system ("Open with").
//!
//! The page is told that there is something and fetches it, so that nothing is lost that comes
//! before the page listens.

use crate::window;
use frameloom_app::Opened;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tauri::{AppHandle, Emitter, Manager};

/// The page listens to this.
const CAME: &str = "opened";

/// What the page has not fetched yet.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    waiting: Mutex<Opened>,
}

impl Opening {
    pub(crate) fn of(opened: Opened) -> Self {
        Self {
            waiting: Mutex::new(opened),
        }
    }

    /// Takes what waits.
    pub(crate) fn take(&self) -> Opened {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut waiting)
    }

    fn add(&self, later: Opened) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.add(later);
    }
}

/// Hands `paths` to the page and brings the window to the front, which a second start without
/// files is for, too.
pub(crate) fn receive(handle: &AppHandle, paths: impl IntoIterator<Item = PathBuf>) {
    let opened = Opened::sorted(paths);
    window::bring_forward(handle);
    // The system may be earlier than the window.
    let Some(opening) = handle.try_state::<Opening>() else {
        return;
    };
    if opened.is_empty() {
        return;
    }
    opening.add(opened);
    if let Err(error) = handle.emit(CAME, ()) {
        tracing::warn!(%error, "the page cannot be told of files to open");
    }
}
