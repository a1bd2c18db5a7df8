//! Settings of the window.

use super::call;
use crate::{Door, window};
use frameloom_app::Settings;
use frameloom_core::error::AppError;
use tauri::{State, WebviewWindow};

#[tauri::command]
pub(crate) async fn get_settings(door: State<'_, Door>) -> Result<Settings, AppError> {
    call(door, |app| app.settings()).await
}

#[tauri::command]
pub(crate) async fn set_settings(
    door: State<'_, Door>,
    window: WebviewWindow,
    settings: Settings,
) -> Result<(), AppError> {
    window::apply_theme(&window, settings.theme);
    call(door, move |app| app.set_settings(&settings)).await
}
