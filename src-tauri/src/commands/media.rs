//! Files that the user points at.

use super::call;
use crate::Door;
use frameloom_app::inputs::{Expanded, Gather};
use frameloom_core::error::AppError;
use frameloom_core::media::MediaInfo;
use std::path::PathBuf;
use tauri::State;

/// Files and folders named when the program was started.
#[tauri::command]
pub(crate) fn start_files(door: State<'_, Door>) -> Vec<PathBuf> {
    door.start_files.clone()
}

#[tauri::command]
pub(crate) async fn expand_inputs(
    door: State<'_, Door>,
    paths: Vec<PathBuf>,
) -> Result<Expanded, AppError> {
    call(door, move |_| {
        frameloom_app::inputs::expand(&paths, Gather::SoundToo)
    })
    .await
}

#[tauri::command]
pub(crate) async fn probe_media(
    door: State<'_, Door>,
    path: PathBuf,
) -> Result<MediaInfo, AppError> {
    call(door, move |app| app.probe(&path)).await
}
