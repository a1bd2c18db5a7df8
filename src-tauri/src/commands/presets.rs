//! Presets that are shared as files, and folders whose files are worked on as they come.

use super::call;
use crate::Door;
use frameloom_app::{
    SavedFit, SavedPreset, Shelf, Span, UpscaleRequest, WatchFolder, WatchFolderView,
};
use frameloom_core::error::AppError;
use frameloom_core::media::{MediaInfo, MediaKind};
use std::path::PathBuf;
use tauri::State;

type Answer<T> = Result<T, AppError>;

/// The presets that came with the program, and the user's.
#[tauri::command]
pub(crate) async fn shelf(door: State<'_, Door>) -> Answer<Shelf> {
    call(door, |app| app.shelf()).await
}

/// Which of them a file is for.
#[tauri::command]
pub(crate) async fn saved_fits(
    door: State<'_, Door>,
    info: MediaInfo,
    span: Option<Span>,
) -> Answer<Vec<SavedFit>> {
    call(door, move |app| app.saved_fits(&info, span)).await
}

/// Keeps how something is done.
#[tauri::command]
pub(crate) async fn save_preset(
    door: State<'_, Door>,
    name: String,
    language: String,
    request: UpscaleRequest,
    kind: MediaKind,
) -> Answer<SavedPreset> {
    call(door, move |app| {
        app.save_preset(&name, &language, &request, kind)
    })
    .await
}

#[tauri::command]
pub(crate) async fn add_preset(door: State<'_, Door>, path: PathBuf) -> Answer<SavedPreset> {
    call(door, move |app| app.add_preset(&path)).await
}

#[tauri::command]
pub(crate) async fn export_preset(door: State<'_, Door>, id: String, to: PathBuf) -> Answer<()> {
    call(door, move |app| app.export_preset(&id, &to).map(drop)).await
}

#[tauri::command]
pub(crate) async fn remove_preset(door: State<'_, Door>, id: String) -> Answer<()> {
    call(door, move |app| app.remove_preset(&id)).await
}

/// The folders that are watched, and how they stand.
#[tauri::command]
pub(crate) async fn watch_folders(door: State<'_, Door>) -> Answer<Vec<WatchFolderView>> {
    call(door, |app| app.watch_folders()).await
}

#[tauri::command]
pub(crate) async fn put_watch_folder(door: State<'_, Door>, watch: WatchFolder) -> Answer<()> {
    call(door, move |app| app.put_watch_folder(&watch)).await
}

#[tauri::command]
pub(crate) async fn remove_watch_folder(door: State<'_, Door>, folder: PathBuf) -> Answer<()> {
    call(door, move |app| app.remove_watch_folder(&folder)).await
}
