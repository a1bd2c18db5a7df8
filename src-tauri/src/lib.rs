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
mod preview;
mod queue_events;
mod window;

use anyhow::Context;
use arguments::Arguments;
use frameloom_app::{App, Places};
use frameloom_core::error::AppError;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use tauri::Manager;

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
    let arguments = Arguments::parse(arguments);
    let places = Places::discover(arguments.data_dir);
    let _log = places
        .as_ref()
        .ok()
        .map(|places| frameloom_app::logging::start(places, "studio", "warn"));
    let app = places.and_then(App::open).and_then(|app| {
        app.start_queue()?;
        app.start_library()?;
        Ok(app)
    });
    if let Err(error) = &app {
        tracing::error!(%error, details = ?error.details, "the data folder cannot be opened");
    }
    let door = Door {
        app,
        start_files: arguments.files,
    };
    tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_opener::init())
        .manage(door)
        .manage(events::Watchers::default())
        .manage(events::LibraryWatchers::default())
        .manage(queue_events::QueueWatchers::default())
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
            commands::home::preset_fits,
            commands::home::clipboard,
            commands::home::paste,
            commands::home::clip_sound,
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
            commands::media::start_files,
            commands::media::expand_inputs,
            commands::media::probe_media,
            commands::models::list_models,
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
        ])
        .on_window_event(|window, event| {
            if let tauri::WindowEvent::CloseRequested { api, .. } = event {
                closing::requested(window, api);
            }
        })
        .setup(|app| {
            let settings = app.state::<Door>().app().and_then(|app| app.settings());
            if let (Ok(settings), Some(main)) = (settings, app.get_webview_window("main")) {
                window::apply(&main, &settings);
            }
            if let (Ok(app), Some(main)) =
                (app.state::<Door>().app(), app.get_webview_window("main"))
            {
                queue_events::show_in_taskbar(&app, main);
            }
            Ok(())
        })
        .run(context())
        .context("the window cannot be opened")
}

/// Tells whoever started the program from a terminal why there is no window.
pub fn report(error: &anyhow::Error) {
    use std::io::Write;
    // Nobody may be listening, and there is nowhere else to say it.
    let _ = writeln!(std::io::stderr(), "frameloom-studio: {error:#}");
}
