//! The shell: starts Tauri, wires commands, events and pictures to [`frameloom_app`], and runs.
//!
//! What lives here: the only code that names tauri. Commands are thin: unpack, call, pack.
//!
//! What must not: a decision. What the window can do is a public function of the app crate, so
//! that tests and the command line can do it too.
//!
//! The main types are [`arguments::Arguments`] and the commands below `commands/`.
#![forbid(unsafe_code)]

pub mod arguments;
mod closing;
mod commands;
mod events;
mod menu;
mod opening;
mod preview;
mod queue_events;
mod single;
mod tray;
mod window;

pub use single::start_again;

use anyhow::Context;
use arguments::Arguments;
use frameloom_app::{App, Opened, Places};
use frameloom_core::error::AppError;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use tauri::{AppHandle, Manager, RunEvent, WindowEvent};

/// What every command works with. A data folder that cannot be opened does not keep the window
/// shut: each command then answers with the reason, which the window shows.
pub(crate) struct Door {
    app: Result<Arc<App>, AppError>,
    start_files: Vec<PathBuf>,
}

impl Door {
    pub(crate) fn app(&self) -> Result<Arc<App>, AppError> {
        self.app.clone()
    }
}

#[expect(
    clippy::exit,
    reason = "tauri's macro ends the program where a bundle is damaged"
)]
fn context() -> tauri::Context {
    tauri::generate_context!("tauri.conf.json")
}

/// Opens the window and returns when it was closed. `arguments` are those after the program's name.
///
/// # Errors
/// There is no display, or the webview cannot be started.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<()> {
    let arguments = Arguments::of_this_process(arguments);
    let usual_folder = arguments.data_dir.is_none();
    let places = Places::discover(arguments.data_dir);
    let _log = places
        .as_ref()
        .ok()
        .map(|places| frameloom_app::logging::start(places, "studio", "warn"));
    let mut builder = tauri::Builder::default();
    // First of all: a second start ends in it, before it touches the data of the first.
    if let Ok(places) = &places
        && let Some(plugin) = single::plugin(places, usual_folder)
    {
        builder = builder.plugin(plugin);
    }
    let opened = Opened::sorted(arguments.files);
    let start_files = opened.files;
    let projects = Opened {
        projects: opened.projects,
        ..Opened::default()
    };
    let program = builder
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_opener::init())
        .manage(opening::Opening::of(projects))
        .manage(tray::Tray::default())
        .manage(events::Watchers::default())
        .manage(events::LibraryWatchers::default())
        .manage(queue_events::QueueWatchers::default())
        .manage(commands::project::ProjectWork::default())
        .manage(closing::Closing::default())
        .manage(preview::Desk::start().context("the threads for previews cannot be started")?)
        .register_asynchronous_uri_scheme_protocol("loom", |context, request, responder| {
            let app = context.app_handle();
            app.state::<preview::Desk>()
                .answer(app.state::<Door>().app(), &request, responder);
        })
        .invoke_handler(tauri::generate_handler![
            commands::canvas::node_kinds,
            commands::canvas::check_graph,
            commands::canvas::canvas_graphs,
            commands::canvas::canvas_graph,
            commands::canvas::save_canvas,
            commands::canvas::remove_canvas,
            commands::canvas::canvas_versions,
            commands::canvas::canvas_version,
            commands::canvas::upscale_as_graph,
            commands::canvas::job_as_graph,
            commands::canvas::plan_graph,
            commands::canvas::submit_graph,
            commands::home::presets,
            commands::presets::shelf,
            commands::presets::saved_fits,
            commands::presets::save_preset,
            commands::presets::add_preset,
            commands::presets::export_preset,
            commands::presets::remove_preset,
            commands::presets::watch_folders,
            commands::presets::put_watch_folder,
            commands::presets::remove_watch_folder,
            commands::home::preset_fits,
            commands::home::clipboard,
            commands::home::paste,
            commands::home::clip_sound,
            commands::home::view_silence,
            commands::home::view_scenes,
            commands::home::save_scenes,
            commands::home::split_scenes,
            commands::home::leave_scenes,
            commands::home::view_faces,
            commands::home::leave_faces,
            commands::canvas::view_node,
            commands::canvas::stop_viewing,
            commands::jobs::plan_upscale,
            commands::jobs::submit_upscale,
            commands::jobs::list_jobs,
            commands::jobs::pause_job,
            commands::jobs::resume_job,
            commands::jobs::cancel_job,
            commands::jobs::remove_job,
            commands::jobs::receipt,
            commands::jobs::verify_output,
            commands::jobs::job_likeness,
            commands::jobs::job_sound,
            commands::jobs::watch_jobs,
            commands::jobs::reveal_output,
            commands::library::find_in_library,
            commands::library::library_items,
            commands::library::library_summary,
            commands::library::library_details,
            commands::library::import_to_library,
            commands::library::watch_library,
            commands::library::set_stars,
            commands::library::change_tags,
            commands::library::rename_item,
            commands::library::relink_item,
            commands::library::find_missing,
            commands::library::stop_search,
            commands::library::delete_items,
            commands::library::watch_folder,
            commands::library::reveal_item,
            commands::library::make_sheet,
            commands::library::leave_sheet,
            commands::media::start_files,
            commands::media::expand_inputs,
            commands::media::probe_media,
            commands::models::list_models,
            commands::models::look_at_model,
            commands::models::import_model,
            commands::models::catalogue,
            commands::models::get_model,
            commands::models::give_up_model,
            commands::models::outgoing,
            commands::models::outgoing_hosts,
            commands::models::remove_model,
            commands::project::open_project,
            commands::project::save_project,
            commands::project::autosave_project,
            commands::project::project_recoveries,
            commands::project::recover_project,
            commands::project::drop_recovery,
            commands::project::recent_projects,
            commands::project::forget_project,
            commands::project::relink_project,
            commands::project::forecast_collect,
            commands::project::collect_project,
            commands::project::lock_project,
            commands::project::verify_project,
            commands::project::stop_project_work,
            commands::queue::queue,
            commands::queue::watch_queue,
            commands::queue::set_queue_options,
            commands::queue::move_jobs,
            commands::queue::answer_left_over,
            commands::queue::stop_countdown,
            commands::queue::retry_job,
            commands::queue::duplicate_job,
            commands::queue::edit_job,
            commands::queue::history,
            commands::queue::put_away_job,
            commands::queue::take_out_job,
            commands::queue::notify,
            commands::settings::get_settings,
            commands::settings::set_settings,
            commands::settings::look_at_machine,
            commands::settings::answer_close,
            commands::settings::page_is_up,
            commands::shell::take_opened,
            commands::shell::set_menus,
            commands::shell::error_details,
            commands::shell::about,
            commands::shell::kept,
            commands::shell::clear_kept,
            commands::shell::reveal_kept,
            commands::shell::model_card,
            commands::shell::verify_model,
            commands::shell::repair_models,
            commands::shell::model_speeds,
            commands::shell::measure_model,
            commands::shell::reveal_model,
        ])
        .on_menu_event(|handle, event| menu::chosen(handle, &event))
        .on_window_event(|window, event| match event {
            WindowEvent::CloseRequested { api, .. } => closing::requested(window, api),
            WindowEvent::Moved(_) | WindowEvent::Resized(_) => {
                if let Some(remembering) = window.try_state::<window::Remembering>() {
                    remembering.moved();
                }
            }
            _ => {}
        })
        .setup(|app| {
            let main = window::open(app)?;
            app.manage(window::Remembering::start(app.handle())?);
            if let Ok(door) = app.state::<Door>().app() {
                if let Ok(settings) = door.settings() {
                    app.state::<tray::Tray>()
                        .set_use(app.handle(), settings.tray);
                }
                queue_events::show_outside(&door, main);
            }
            Ok(())
        })
        .build(context())
        .context("the window cannot be opened")?;
    let app = places.and_then(App::open).and_then(|app| {
        app.start_queue()?;
        app.start_library()?;
        app.start_keeper()?;
        app.start_watching()?;
        Ok(app)
    });
    if let Err(error) = &app {
        tracing::error!(%error, details = ?error.details, "the data folder cannot be opened");
    }
    program.manage(Door { app, start_files });
    program.run(happened);
    Ok(())
}

/// Files come as events on macOS, and clicks on the icon in the dock.
#[cfg(target_os = "macos")]
fn happened(handle: &AppHandle, event: RunEvent) {
    match event {
        RunEvent::Opened { urls } => {
            let paths = urls.iter().filter_map(|url| url.to_file_path().ok());
            opening::receive(handle, paths);
        }
        RunEvent::Reopen { .. } => window::bring_forward(handle),
        _ => {}
    }
}

#[cfg(not(target_os = "macos"))]
fn happened(_: &AppHandle, _: RunEvent) {}

/// Tells whoever started the program from a terminal why there is no window.
pub fn report(error: &anyhow::Error) {
    use std::io::Write;
    // Nobody may be listening, and there is nowhere else to say it.
    let _ = writeln!(std::io::stderr(), "frameloom-studio: {error:#}");
}
