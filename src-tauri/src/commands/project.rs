//! Projects.

use super::call;
use crate::Door;
use frameloom_app::project::{
    CollectForecast, Collected, OpenedProject, ProjectProgress, ProjectRecovery, ProjectSave,
    ProjectSaved, ProjectVerification, RecentProject, Watch,
};
use frameloom_core::error::AppError;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tauri::State;
use tauri::ipc::Channel;

type Answer<T> = Result<T, AppError>;

/// What takes its time with a project, so that the window can stop it. There is one at a time.
#[derive(Debug, Default)]
pub(crate) struct ProjectWork {
    stop: Arc<AtomicBool>,
}

impl ProjectWork {
    fn begin(&self) -> Arc<AtomicBool> {
        self.stop.store(false, Ordering::SeqCst);
        Arc::clone(&self.stop)
    }
}

/// A page that is gone needs no progress.
fn tell(channel: &Channel<ProjectProgress>) -> impl Fn(&ProjectProgress) {
    move |progress| {
        let _ = channel.send(progress.clone());
    }
}

#[tauri::command]
pub(crate) async fn open_project(
    door: State<'_, Door>,
    work: State<'_, ProjectWork>,
    path: PathBuf,
    channel: Channel<ProjectProgress>,
) -> Answer<OpenedProject> {
    let stop = work.begin();
    call(door, move |app| {
        app.open_project(&path, &Watch::new(&tell(&channel), &stop))
    })
    .await
}

#[tauri::command]
pub(crate) async fn save_project(
    door: State<'_, Door>,
    work: State<'_, ProjectWork>,
    save: ProjectSave,
    channel: Channel<ProjectProgress>,
) -> Answer<ProjectSaved> {
    let stop = work.begin();
    call(door, move |app| {
        app.save_project(&save, &Watch::new(&tell(&channel), &stop))
    })
    .await
}

#[tauri::command]
pub(crate) async fn autosave_project(door: State<'_, Door>, save: ProjectSave) -> Answer<()> {
    call(door, move |app| app.autosave_project(&save)).await
}

#[tauri::command]
pub(crate) async fn project_recoveries(door: State<'_, Door>) -> Answer<Vec<ProjectRecovery>> {
    call(door, |app| Ok(app.project_recoveries())).await
}

#[tauri::command]
pub(crate) async fn recover_project(
    door: State<'_, Door>,
    work: State<'_, ProjectWork>,
    path: PathBuf,
    channel: Channel<ProjectProgress>,
) -> Answer<OpenedProject> {
    let stop = work.begin();
    call(door, move |app| {
        app.recover_project(&path, &Watch::new(&tell(&channel), &stop))
    })
    .await
}

#[tauri::command]
pub(crate) async fn drop_recovery(door: State<'_, Door>, path: PathBuf) -> Answer<()> {
    call(door, move |app| {
        app.drop_recovery(&path);
        Ok(())
    })
    .await
}

#[tauri::command]
pub(crate) async fn recent_projects(door: State<'_, Door>) -> Answer<Vec<RecentProject>> {
    call(door, |app| app.recent_projects()).await
}

#[tauri::command]
pub(crate) async fn forget_project(door: State<'_, Door>, path: PathBuf) -> Answer<()> {
    call(door, move |app| app.forget_project(&path)).await
}

#[tauri::command]
pub(crate) async fn relink_project(
    door: State<'_, Door>,
    work: State<'_, ProjectWork>,
    path: PathBuf,
    role: String,
    file: PathBuf,
    anyway: bool,
    channel: Channel<ProjectProgress>,
) -> Answer<OpenedProject> {
    let stop = work.begin();
    call(door, move |app| {
        let told = tell(&channel);
        app.relink_project(&path, &role, &file, anyway, &Watch::new(&told, &stop))
    })
    .await
}

#[tauri::command]
pub(crate) async fn forecast_collect(
    door: State<'_, Door>,
    path: PathBuf,
    folder: PathBuf,
) -> Answer<CollectForecast> {
    call(door, move |app| app.forecast_collect(&path, &folder)).await
}

#[tauri::command]
pub(crate) async fn collect_project(
    door: State<'_, Door>,
    work: State<'_, ProjectWork>,
    path: PathBuf,
    folder: PathBuf,
    channel: Channel<ProjectProgress>,
) -> Answer<Collected> {
    let stop = work.begin();
    call(door, move |app| {
        app.collect_project(&path, &folder, &Watch::new(&tell(&channel), &stop))
    })
    .await
}

#[tauri::command]
pub(crate) async fn lock_project(
    door: State<'_, Door>,
    work: State<'_, ProjectWork>,
    path: PathBuf,
    channel: Channel<ProjectProgress>,
) -> Answer<OpenedProject> {
    let stop = work.begin();
    call(door, move |app| {
        app.lock_project(&path, &Watch::new(&tell(&channel), &stop))
    })
    .await
}

#[tauri::command]
pub(crate) async fn verify_project(
    door: State<'_, Door>,
    work: State<'_, ProjectWork>,
    path: PathBuf,
    channel: Channel<ProjectProgress>,
) -> Answer<ProjectVerification> {
    let stop = work.begin();
    call(door, move |app| {
        app.verify_project(&path, &Watch::new(&tell(&channel), &stop))
    })
    .await
}

/// Stops what takes its time with a project.
#[tauri::command]
pub(crate) fn stop_project_work(work: State<'_, ProjectWork>) {
    work.stop.store(true, Ordering::SeqCst);
}
