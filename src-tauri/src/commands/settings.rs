//! Settings of the window, and its end.

use super::call;
use crate::closing::{self, Answer};
use crate::tray::Tray;
use crate::{Door, window};
use frameloom_app::{Report, Settings};
use frameloom_core::error::AppError;
use tauri::{AppHandle, Manager, State, WebviewWindow};

#[tauri::command]
pub(crate) async fn get_settings(door: State<'_, Door>) -> Result<Settings, AppError> {
    call(door, |app| app.settings()).await
}

#[tauri::command]
pub(crate) async fn set_settings(
    door: State<'_, Door>,
    tray: State<'_, Tray>,
    window: WebviewWindow,
    settings: Settings,
) -> Result<(), AppError> {
    window::apply(&window, &settings);
    tray.set_use(window.app_handle(), settings.tray);
    call(door, move |app| app.set_settings(&settings)).await
}

/// What this machine has and can do; measured, which takes a few seconds.
#[tauri::command]
pub(crate) async fn look_at_machine(door: State<'_, Door>) -> Result<Report, AppError> {
    call(door, |app| app.doctor_apart()).await
}

/// The first place is drawn and answers; said for whoever measures the start.
#[tauri::command]
pub(crate) fn page_is_up() {
    tracing::info!("the page is up");
}

/// What the user chose when the window asked whether to close.
#[tauri::command]
pub(crate) fn answer_close(handle: AppHandle, answer: Answer) {
    closing::answer(handle, answer);
}
