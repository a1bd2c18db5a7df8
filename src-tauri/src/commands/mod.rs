//! What the window can call. One file per noun; each command unpacks, calls, packs.

pub(crate) mod canvas;
pub(crate) mod home;
pub(crate) mod jobs;
pub(crate) mod library;
pub(crate) mod media;
pub(crate) mod models;
pub(crate) mod presets;
pub(crate) mod project;
pub(crate) mod queue;
pub(crate) mod settings;
pub(crate) mod shell;

use crate::Door;
use frameloom_app::App;
use frameloom_core::error::{AppError, ErrorCode};
use std::path::Path;
use tauri::{AppHandle, State};
use tauri_plugin_opener::OpenerExt;

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

/// Shows a file in the system's file manager.
pub(crate) fn reveal(handle: &AppHandle, path: &Path) -> Result<(), AppError> {
    let opener = handle.opener();
    opener.reveal_item_in_dir(path).or_else(|error| {
        // Not every file manager can point at a file; its folder is better than nothing.
        let folder = path.parent().unwrap_or(path);
        tracing::info!(%error, "the file manager cannot point at a file");
        opener
            .open_path(folder.to_string_lossy(), None::<&str>)
            .map_err(|error| {
                AppError::new(ErrorCode::Internal, "No file manager could be opened.")
                    .hint(format!("Open this folder yourself: {}", folder.display()))
                    .details(error.to_string())
            })
    })
}
