//! Models.

use super::call;
use crate::Door;
use frameloom_app::ModelEntry;
use frameloom_core::error::AppError;
use tauri::State;

#[tauri::command]
pub(crate) async fn list_models(door: State<'_, Door>) -> Result<Vec<ModelEntry>, AppError> {
    call(door, |app| Ok(app.list_models(false))).await
}
