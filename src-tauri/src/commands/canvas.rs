//! Documents of the canvas, and runs of their graphs.

use super::call;
use crate::Door;
use frameloom_app::{
    CanvasEntry, CanvasGraph, CanvasSave, CanvasVersion, GraphPlan, GraphRequest, NodeView,
    UpscaleRequest, ViewRequest,
};
use frameloom_core::error::AppError;
use frameloom_core::graph::{Fault, NodeKind};
use frameloom_core::job::{Job, JobId, JobSpec};
use serde_json::Value;
use tauri::State;

type Answer<T> = Result<T, AppError>;

#[tauri::command]
pub(crate) async fn node_kinds(door: State<'_, Door>) -> Answer<Vec<NodeKind>> {
    call(door, |app| Ok(app.node_kinds())).await
}

#[tauri::command]
pub(crate) async fn check_graph(door: State<'_, Door>, graph: Value) -> Answer<Vec<Fault>> {
    call(door, move |app| Ok(app.check_graph(&graph))).await
}

#[tauri::command]
pub(crate) async fn canvas_graphs(door: State<'_, Door>) -> Answer<Vec<CanvasEntry>> {
    call(door, |app| app.canvas_graphs()).await
}

#[tauri::command]
pub(crate) async fn canvas_graph(door: State<'_, Door>, id: String) -> Answer<CanvasGraph> {
    call(door, move |app| app.canvas_graph(&id)).await
}

#[tauri::command]
pub(crate) async fn save_canvas(door: State<'_, Door>, save: CanvasSave) -> Answer<CanvasEntry> {
    call(door, move |app| app.save_canvas(&save)).await
}

#[tauri::command]
pub(crate) async fn remove_canvas(door: State<'_, Door>, id: String) -> Answer<()> {
    call(door, move |app| app.remove_canvas(&id)).await
}

#[tauri::command]
pub(crate) async fn canvas_versions(
    door: State<'_, Door>,
    id: String,
) -> Answer<Vec<CanvasVersion>> {
    call(door, move |app| app.canvas_versions(&id)).await
}

#[tauri::command]
pub(crate) async fn canvas_version(
    door: State<'_, Door>,
    id: String,
    saved_millis: i64,
) -> Answer<Value> {
    call(door, move |app| app.canvas_version(&id, saved_millis)).await
}

#[tauri::command]
pub(crate) async fn upscale_as_graph(
    door: State<'_, Door>,
    request: UpscaleRequest,
) -> Answer<JobSpec> {
    call(door, move |app| app.upscale_as_graph(&request)).await
}

#[tauri::command]
pub(crate) async fn job_as_graph(door: State<'_, Door>, id: JobId) -> Answer<JobSpec> {
    call(door, move |app| app.job_as_graph(&id)).await
}

#[tauri::command]
pub(crate) async fn plan_graph(door: State<'_, Door>, request: GraphRequest) -> Answer<GraphPlan> {
    call(door, move |app| app.plan_graph(&request)).await
}

#[tauri::command]
pub(crate) async fn submit_graph(door: State<'_, Door>, request: GraphRequest) -> Answer<Job> {
    call(door, move |app| app.submit_graph(&request)).await
}

#[tauri::command]
pub(crate) async fn view_node(door: State<'_, Door>, request: ViewRequest) -> Answer<NodeView> {
    call(door, move |app| app.view_node(&request)).await
}

#[tauri::command]
pub(crate) fn stop_viewing(door: State<'_, Door>) -> Answer<()> {
    door.app()?.stop_viewing();
    Ok(())
}
