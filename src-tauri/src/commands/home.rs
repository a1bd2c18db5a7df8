//! What can be done with files in a word, the clipboard, and the sound of clips that are looked at.

use super::call;
use crate::Door;
use frameloom_app::presets::{cards, fits};
use frameloom_app::{
    Clipboard, FacesView, Lane, PresetCard, PresetFit, SceneExport, ScenesView, SilenceView,
    SoundWish, Span, UpscaleRequest,
};
use frameloom_core::error::AppError;
use frameloom_core::job::Job;
use frameloom_core::media::MediaInfo;
use std::path::PathBuf;
use tauri::State;
use tauri::ipc::{Channel, Response};

type Answer<T> = Result<T, AppError>;

#[tauri::command]
pub(crate) fn presets() -> Vec<PresetCard> {
    cards()
}

#[tauri::command]
pub(crate) async fn preset_fits(
    door: State<'_, Door>,
    info: MediaInfo,
    span: Option<Span>,
) -> Answer<Vec<PresetFit>> {
    call(door, move |app| Ok(fits(&info, span, &app.model_tasks()))).await
}

/// What the clipboard holds that can be worked on.
#[tauri::command]
pub(crate) async fn clipboard(door: State<'_, Door>) -> Answer<Clipboard> {
    call(door, |app| Ok(app.clipboard())).await
}

/// The files on the clipboard, or a file made of the picture on it.
#[tauri::command]
pub(crate) async fn paste(door: State<'_, Door>, name: String) -> Answer<Vec<PathBuf>> {
    call(door, move |app| app.paste(&name)).await
}

/// What would be kept of a clip whose silence is cut.
#[tauri::command]
pub(crate) async fn view_silence(
    door: State<'_, Door>,
    request: UpscaleRequest,
) -> Answer<SilenceView> {
    call(door, move |app| app.view_silence(&request)).await
}

/// The shots of a clip, and which part of it was looked at, 0 to 1, while that takes.
#[tauri::command]
pub(crate) async fn view_scenes(
    door: State<'_, Door>,
    request: UpscaleRequest,
    channel: Channel<f64>,
) -> Answer<ScenesView> {
    // A window that is gone needs no news.
    call(door, move |app| {
        app.view_scenes(&request, &mut |part| drop(channel.send(part)))
    })
    .await
}

/// Writes the shots of a clip as anything but clips; gives the name of the file.
#[tauri::command]
pub(crate) async fn save_scenes(
    door: State<'_, Door>,
    request: UpscaleRequest,
    export: SceneExport,
    channel: Channel<f64>,
) -> Answer<PathBuf> {
    call(door, move |app| {
        app.save_viewed_scenes(&request, export, &mut |part| drop(channel.send(part)))
    })
    .await
}

/// Queues a job for each shot of a clip.
#[tauri::command]
pub(crate) async fn split_scenes(
    door: State<'_, Door>,
    request: UpscaleRequest,
    channel: Channel<f64>,
) -> Answer<Vec<Job>> {
    call(door, move |app| {
        app.split_viewed_scenes(&request, Lane::Queue, &mut |part| drop(channel.send(part)))
    })
    .await
}

/// Nobody waits for the shots of a clip any more.
#[tauri::command]
pub(crate) async fn leave_scenes(door: State<'_, Door>) -> Answer<()> {
    call(door, |app| {
        app.leave_scenes();
        Ok(())
    })
    .await
}

/// Who is seen in a file that is to be redacted, and which part of it was looked at, 0 to 1, while that
/// takes.
#[tauri::command]
pub(crate) async fn view_faces(
    door: State<'_, Door>,
    request: UpscaleRequest,
    channel: Channel<f64>,
) -> Answer<FacesView> {
    call(door, move |app| {
        app.view_faces(&request, &mut |part| drop(channel.send(part)))
    })
    .await
}

/// Nobody waits for faces any more.
#[tauri::command]
pub(crate) async fn leave_faces(door: State<'_, Door>) -> Answer<()> {
    call(door, |app| {
        app.leave_faces();
        Ok(())
    })
    .await
}

/// A stretch of the sound of a clip, as bytes and not as JSON.
#[tauri::command]
pub(crate) async fn clip_sound(door: State<'_, Door>, wish: SoundWish) -> Answer<Response> {
    call(door, move |app| app.clip_sound(&wish))
        .await
        .map(Response::new)
}
