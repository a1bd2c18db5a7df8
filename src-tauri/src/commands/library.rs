//! The library.

use super::{call, reveal};
use crate::Door;
use crate::events::LibraryWatchers;
use frameloom_app::{MadeSheet, SheetWish};
use frameloom_core::error::AppError;
use frameloom_core::library::{
    Done, Fate, Imported, ItemId, LibraryDetails, LibraryEvent, LibraryItem, LibraryQuery,
    LibrarySummary,
};
use std::path::PathBuf;
use tauri::ipc::Channel;
use tauri::{AppHandle, State};

type Answer<T> = Result<T, AppError>;

#[tauri::command]
pub(crate) async fn find_in_library(
    door: State<'_, Door>,
    query: LibraryQuery,
) -> Answer<Vec<ItemId>> {
    call(door, move |app| app.find_in_library(&query)).await
}

#[tauri::command]
pub(crate) async fn library_items(
    door: State<'_, Door>,
    ids: Vec<ItemId>,
) -> Answer<Vec<LibraryItem>> {
    call(door, move |app| app.library_items(&ids)).await
}

#[tauri::command]
pub(crate) async fn library_summary(door: State<'_, Door>) -> Answer<LibrarySummary> {
    call(door, |app| app.library_summary()).await
}

#[tauri::command]
pub(crate) async fn library_details(door: State<'_, Door>, id: ItemId) -> Answer<LibraryDetails> {
    call(door, move |app| app.library_details(id)).await
}

#[tauri::command]
pub(crate) async fn import_to_library(
    door: State<'_, Door>,
    paths: Vec<PathBuf>,
) -> Answer<Imported> {
    call(door, move |app| app.import(&paths)).await
}

/// Sends every event from now on through `channel`, until the window asks again or is gone.
#[tauri::command]
pub(crate) fn watch_library(
    door: State<'_, Door>,
    watchers: State<'_, LibraryWatchers>,
    channel: Channel<LibraryEvent>,
) -> Answer<()> {
    watchers.watch(door.app()?.as_ref(), channel);
    Ok(())
}

#[tauri::command]
pub(crate) async fn set_stars(door: State<'_, Door>, ids: Vec<ItemId>, stars: u8) -> Answer<()> {
    call(door, move |app| app.set_stars(&ids, stars)).await
}

#[tauri::command]
pub(crate) async fn change_tags(
    door: State<'_, Door>,
    ids: Vec<ItemId>,
    add: Vec<String>,
    remove: Vec<String>,
) -> Answer<()> {
    call(door, move |app| app.change_tags(&ids, &add, &remove)).await
}

#[tauri::command]
pub(crate) async fn rename_item(
    door: State<'_, Door>,
    id: ItemId,
    name: String,
) -> Answer<LibraryItem> {
    call(door, move |app| app.rename_item(id, &name)).await
}

#[tauri::command]
pub(crate) async fn relink_item(
    door: State<'_, Door>,
    id: ItemId,
    path: PathBuf,
    anyway: bool,
) -> Answer<Done> {
    call(door, move |app| app.relink_item(id, &path, anyway)).await
}

#[tauri::command]
pub(crate) async fn find_missing(door: State<'_, Door>, folder: PathBuf) -> Answer<Done> {
    call(door, move |app| app.find_missing(&folder)).await
}

#[tauri::command]
pub(crate) fn stop_search(door: State<'_, Door>) -> Answer<()> {
    door.app()?.stop_search();
    Ok(())
}

#[tauri::command]
pub(crate) async fn delete_items(
    door: State<'_, Door>,
    ids: Vec<ItemId>,
    fate: Fate,
) -> Answer<Done> {
    call(door, move |app| app.delete_items(&ids, fate)).await
}

#[tauri::command]
pub(crate) async fn watch_folder(
    door: State<'_, Door>,
    folder: PathBuf,
    watched: bool,
) -> Answer<()> {
    call(door, move |app| app.watch_folder(&folder, watched)).await
}

/// Makes one picture of many files; which part of it is made, 0 to 1, while that takes.
#[tauri::command]
pub(crate) async fn make_sheet(
    door: State<'_, Door>,
    wish: SheetWish,
    channel: Channel<f64>,
) -> Answer<MadeSheet> {
    // A window that is gone needs no news.
    call(door, move |app| {
        app.make_sheet(&wish, &mut |part| drop(channel.send(part)))
    })
    .await
}

/// Nobody waits for a sheet any more.
#[tauri::command]
pub(crate) fn leave_sheet(door: State<'_, Door>) -> Answer<()> {
    door.app()?.leave_sheet();
    Ok(())
}

/// Shows the file of an item in the system's file manager.
#[tauri::command]
pub(crate) async fn reveal_item(
    handle: AppHandle,
    door: State<'_, Door>,
    id: ItemId,
) -> Answer<()> {
    call(door, move |app| {
        let item = app.library_item(id)?;
        reveal(&handle, &item.path)
    })
    .await
}
