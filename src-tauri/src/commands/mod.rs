//! What the window can call. One file per noun; each command unpacks, calls, packs.

pub(crate) mod canvas;
pub(crate) mod jobs;
pub(crate) mod media;
pub(crate) mod models;
pub(crate) mod settings;

use crate::Door;
use frameloom_app::App;
use frameloom_core::error::{AppError, ErrorCode};
use tauri::State;

/// Calls `work` on a thread that may wait for a disk, and packs what comes out.
pub(crate) async fn call<T: Send + 'static>(
    door: State<'_, Door>,
    work: impl FnOnce(&App) -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    let app = door.app()?;
    tauri::async_runtime::spawn_blocking(move || work(&app))
        .await
        .unwrap_or_else(|error| {
            Err(AppError::new(
                ErrorCode::Internal,
                "A part of the program stopped unexpectedly.",
            )
            .hint("Try again.")
            .details(error.to_string()))
        })
}
