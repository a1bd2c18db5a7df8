//! The queue as a whole, and what is done to single jobs of it; the history.

use super::call;
use crate::Door;
use crate::queue_events::QueueWatchers;
use frameloom_app::{
    HistoryPage, HistoryQuery, JobEdit, QueueEvent, QueueOptions, QueueView, Retry,
};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{Job, JobId};
use tauri::ipc::Channel;
use tauri::{AppHandle, State, WebviewWindow};
use tauri_plugin_notification::NotificationExt;

type Answer<T> = Result<T, AppError>;

#[tauri::command]
pub(crate) async fn queue(door: State<'_, Door>) -> Answer<QueueView> {
    call(door, |app| app.queue()).await
}

/// Sends every event of the queue from now on through `channel`, until the window asks again or is
/// gone.
#[tauri::command]
pub(crate) fn watch_queue(
    door: State<'_, Door>,
    watchers: State<'_, QueueWatchers>,
    channel: Channel<QueueEvent>,
) -> Answer<()> {
    watchers.watch(door.app()?.as_ref(), channel);
    Ok(())
}

#[tauri::command]
pub(crate) async fn set_queue_options(door: State<'_, Door>, options: QueueOptions) -> Answer<()> {
    call(door, move |app| app.set_queue_options(&options)).await
}

#[tauri::command]
pub(crate) async fn move_jobs(
    door: State<'_, Door>,
    ids: Vec<JobId>,
    before: Option<JobId>,
) -> Answer<()> {
    call(door, move |app| app.move_jobs(&ids, before.as_ref())).await
}

#[tauri::command]
pub(crate) async fn answer_left_over(door: State<'_, Door>, go_on: bool) -> Answer<()> {
    call(door, move |app| app.answer_left_over(go_on)).await
}

#[tauri::command]
pub(crate) async fn stop_countdown(door: State<'_, Door>) -> Answer<()> {
    call(door, |app| app.stop_countdown()).await
}

#[tauri::command]
pub(crate) async fn retry_job(door: State<'_, Door>, id: JobId, how: Retry) -> Answer<Job> {
    call(door, move |app| app.retry(&id, how)).await
}

#[tauri::command]
pub(crate) async fn duplicate_job(door: State<'_, Door>, id: JobId) -> Answer<Job> {
    call(door, move |app| app.duplicate(&id)).await
}

#[tauri::command]
pub(crate) async fn edit_job(door: State<'_, Door>, id: JobId, edit: JobEdit) -> Answer<Job> {
    call(door, move |app| app.edit(&id, &edit)).await
}

#[tauri::command]
pub(crate) async fn history(door: State<'_, Door>, query: HistoryQuery) -> Answer<HistoryPage> {
    call(door, move |app| app.history(&query)).await
}

#[tauri::command]
pub(crate) async fn put_away_job(door: State<'_, Door>, id: JobId) -> Answer<()> {
    call(door, move |app| app.put_away(&id)).await
}

#[tauri::command]
pub(crate) async fn take_out_job(door: State<'_, Door>, id: JobId) -> Answer<Job> {
    call(door, move |app| app.take_out(&id)).await
}

/// Tells the user through the system, unless they are looking at the window.
#[tauri::command]
pub(crate) fn notify(
    handle: AppHandle,
    window: WebviewWindow,
    title: String,
    body: String,
) -> Answer<()> {
    if window.is_focused().unwrap_or(false) {
        return Ok(());
    }
    let shown = handle
        .notification()
        .builder()
        .title(title)
        .body(body)
        .show();
    shown.map_err(|error| {
        AppError::new(
            ErrorCode::Internal,
            "The system shows no notifications of programs.",
        )
        .hint("Allow them in the system's settings.")
        .details(error.to_string())
    })
}
