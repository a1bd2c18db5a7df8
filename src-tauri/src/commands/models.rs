//! Models.

use super::call;
use crate::Door;
use frameloom_app::{CatalogueView, ModelEntry, ModelImport, ModelSource, Outgoing};
use frameloom_core::error::AppError;
use frameloom_core::graph::OnnxParams;
use frameloom_core::model::ModelManifest;
use tauri::State;
use tauri::ipc::Channel;

type Answer<T> = Result<T, AppError>;

#[tauri::command]
pub(crate) async fn list_models(door: State<'_, Door>) -> Answer<Vec<ModelEntry>> {
    call(door, |app| Ok(app.list_models(false))).await
}

#[tauri::command]
pub(crate) async fn look_at_model(
    door: State<'_, Door>,
    file: OnnxParams,
) -> Answer<ModelManifest> {
    call(door, move |app| app.look_at_model(&file)).await
}

#[tauri::command]
pub(crate) async fn import_model(
    door: State<'_, Door>,
    request: ModelImport,
) -> Answer<ModelEntry> {
    call(door, move |app| Ok(app.import_model(&request)?.model)).await
}

#[tauri::command]
pub(crate) async fn remove_model(door: State<'_, Door>, id: String) -> Answer<Vec<ModelEntry>> {
    call(door, move |app| {
        app.remove_model(&id)?;
        Ok(app.list_models(false))
    })
    .await
}

#[tauri::command]
pub(crate) async fn catalogue(door: State<'_, Door>) -> Answer<CatalogueView> {
    call(door, |app| app.catalogue()).await
}

#[tauri::command]
pub(crate) async fn get_model(
    door: State<'_, Door>,
    id: String,
    source: ModelSource,
    channel: Channel<u64>,
) -> Answer<ModelEntry> {
    call(door, move |app| {
        // A window that is gone needs no news; the model comes all the same.
        app.fetch_model(&id, &source, &|done_bytes| drop(channel.send(done_bytes)))
    })
    .await
}

#[tauri::command]
pub(crate) async fn give_up_model(door: State<'_, Door>, id: String) -> Answer<()> {
    call(door, move |app| {
        app.give_up_model(&id);
        Ok(())
    })
    .await
}

#[tauri::command]
pub(crate) async fn outgoing(
    door: State<'_, Door>,
    before: Option<i64>,
    limit: u32,
) -> Answer<Vec<Outgoing>> {
    call(door, move |app| app.outgoing(before, limit)).await
}

#[tauri::command]
pub(crate) async fn outgoing_hosts(door: State<'_, Door>) -> Answer<Vec<String>> {
    call(door, |app| Ok(app.outgoing_hosts())).await
}
