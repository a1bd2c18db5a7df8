//! What is around the page: menus, tray, what is handed over from outside; and what the program
//! keeps and can tell about itself.

use super::{call, reveal};
use crate::opening::Opening;
use crate::tray::Tray;
use crate::{Door, menu};
use frameloom_app::{About, Kept, KeptKind, MenuGroup, ModelEntry, ModelSpeed, Opened, TrayWords};
use frameloom_core::error::{AppError, ErrorCode};
use std::collections::BTreeMap;
use tauri::{AppHandle, State};

type Answer<T> = Result<T, AppError>;

/// Files and projects that came since this was asked last.
#[tauri::command]
pub(crate) fn take_opened(opening: State<'_, Opening>) -> Opened {
    opening.take()
}

/// Names of the window's commands for the menus of the system.
#[tauri::command]
pub(crate) fn set_menus(
    handle: AppHandle,
    tray: State<'_, Tray>,
    groups: Vec<MenuGroup>,
    words: TrayWords,
) -> Answer<()> {
    tray.set_words(&handle, words);
    menu::show(&handle, &groups).map_err(|error| {
        AppError::new(ErrorCode::Internal, "The menu bar cannot be changed.")
            .details(error.to_string())
    })
}

/// A failure with what somebody needs who can help, without paths and names.
#[tauri::command]
pub(crate) async fn error_details(door: State<'_, Door>, error: AppError) -> Answer<String> {
    call(door, move |app| Ok(app.details_of(&error))).await
}

#[tauri::command]
pub(crate) fn about() -> About {
    About::this()
}

#[tauri::command]
pub(crate) async fn kept(door: State<'_, Door>) -> Answer<Vec<Kept>> {
    call(door, |app| app.kept()).await
}

#[tauri::command]
pub(crate) async fn clear_kept(door: State<'_, Door>, kind: KeptKind) -> Answer<()> {
    call(door, move |app| app.clear_kept(kind)).await
}

/// Opens the folder with the program's data in the system's file manager.
#[tauri::command]
pub(crate) async fn reveal_kept(
    handle: AppHandle,
    door: State<'_, Door>,
    kind: KeptKind,
) -> Answer<()> {
    call(door, move |app| {
        let kept = app.kept()?;
        let path = kept.into_iter().find(|kept| kept.kind == kind);
        match path.and_then(|kept| kept.path) {
            Some(path) => reveal(&handle, &path),
            None => Ok(()),
        }
    })
    .await
}

#[tauri::command]
pub(crate) async fn model_card(door: State<'_, Door>, id: String) -> Answer<Option<String>> {
    call(door, move |app| Ok(app.model(&id)?.1)).await
}

#[tauri::command]
pub(crate) async fn verify_model(door: State<'_, Door>, id: String) -> Answer<ModelEntry> {
    call(door, move |app| app.verify_model(&id)).await
}

#[tauri::command]
pub(crate) async fn repair_models(door: State<'_, Door>) -> Answer<Vec<ModelEntry>> {
    call(door, |app| {
        app.repair_models()?;
        Ok(app.list_models(true))
    })
    .await
}

#[tauri::command]
pub(crate) async fn model_speeds(door: State<'_, Door>) -> Answer<BTreeMap<String, ModelSpeed>> {
    call(door, |app| Ok(app.model_speeds())).await
}

#[tauri::command]
pub(crate) async fn measure_model(door: State<'_, Door>, id: String) -> Answer<ModelSpeed> {
    call(door, move |app| app.measure_speed_apart(&id)).await
}

/// Shows a model in the system's file manager.
#[tauri::command]
pub(crate) async fn reveal_model(
    handle: AppHandle,
    door: State<'_, Door>,
    id: String,
) -> Answer<()> {
    call(door, move |app| {
        let folder = app.model_folder(&id)?;
        reveal(&handle, &folder)
    })
    .await
}
