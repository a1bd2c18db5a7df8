//! Jobs.

use super::{call, reveal};
use crate::Door;
use crate::events::Watchers;
use frameloom_app::receipt::Verification;
use frameloom_app::{Lane, Likeness, SoundOfBoth, UpscalePlan, UpscaleRequest};
use frameloom_core::error::AppError;
use frameloom_core::job::{Job, JobEvent, JobId};
use frameloom_core::receipt::Receipt;
use tauri::ipc::Channel;
use tauri::{AppHandle, State};

type Answer<T> = Result<T, AppError>;

#[tauri::command]
pub(crate) async fn plan_upscale(
    door: State<'_, Door>,
    request: UpscaleRequest,
) -> Answer<UpscalePlan> {
    call(door, move |app| app.plan_upscale(&request)).await
}

#[tauri::command]
pub(crate) async fn submit_upscale(door: State<'_, Door>, request: UpscaleRequest) -> Answer<Job> {
    call(door, move |app| app.submit_upscale(&request, Lane::Queue)).await
}

#[tauri::command]
pub(crate) async fn list_jobs(door: State<'_, Door>) -> Answer<Vec<Job>> {
    call(door, |app| app.jobs_at_hand()).await
}

#[tauri::command]
pub(crate) async fn pause_job(door: State<'_, Door>, id: JobId) -> Answer<()> {
    call(door, move |app| app.pause(&id)).await
}

#[tauri::command]
pub(crate) async fn resume_job(door: State<'_, Door>, id: JobId) -> Answer<()> {
    call(door, move |app| app.resume(&id, Lane::Queue).map(drop)).await
}

#[tauri::command]
pub(crate) async fn cancel_job(door: State<'_, Door>, id: JobId) -> Answer<()> {
    call(door, move |app| app.cancel(&id)).await
}

#[tauri::command]
pub(crate) async fn remove_job(door: State<'_, Door>, id: JobId) -> Answer<()> {
    call(door, move |app| app.remove(&id)).await
}

/// Sends every event from now on through `channel`, until the window asks again or is gone.
#[tauri::command]
pub(crate) fn watch_jobs(
    door: State<'_, Door>,
    watchers: State<'_, Watchers>,
    channel: Channel<JobEvent>,
) -> Answer<()> {
    watchers.watch(door.app()?.as_ref(), channel);
    Ok(())
}

#[tauri::command]
pub(crate) async fn receipt(door: State<'_, Door>, id: JobId) -> Answer<Receipt> {
    call(door, move |app| app.receipt(&id)).await
}

#[tauri::command]
pub(crate) async fn verify_output(door: State<'_, Door>, id: JobId) -> Answer<Verification> {
    call(door, move |app| app.verify_job(&id)).await
}

/// How alike a frame of a result and of its source are.
#[tauri::command]
pub(crate) async fn job_likeness(
    door: State<'_, Door>,
    id: JobId,
    at_micros: i64,
) -> Answer<Likeness> {
    call(door, move |app| app.job_likeness(&id, at_micros)).await
}

/// What the source and the result of a job sound like.
#[tauri::command]
pub(crate) async fn job_sound(door: State<'_, Door>, id: JobId) -> Answer<SoundOfBoth> {
    call(door, move |app| app.job_sound(&id)).await
}

/// Shows the result of a job in the system's file manager.
#[tauri::command]
pub(crate) async fn reveal_output(
    handle: AppHandle,
    door: State<'_, Door>,
    id: JobId,
) -> Answer<()> {
    call(door, move |app| {
        let output = app.job(&id)?.spec.output;
        reveal(&handle, &output)
    })
    .await
}
