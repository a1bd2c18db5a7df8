//! One window on a data folder: a second start hands over what it was to open, and ends.

use crate::arguments::Arguments;
use crate::opening;
use frameloom_app::Places;
use std::ffi::OsString;
use std::path::Path;
use tauri::Wry;
use tauri::plugin::TauriPlugin;

/// What keeps windows apart. On Linux each data folder has a window of its own; elsewhere the
/// system knows programs only by their name, so that windows on other folders than the usual one
/// are left alone.
pub(crate) fn plugin(places: &Places, usual_folder: bool) -> Option<TauriPlugin<Wry>> {
    let named = std::env::var_os("FRAMELOOM_DATA_DIR").is_some();
    if !cfg!(target_os = "linux") && (named || !usual_folder) {
        return None;
    }
    let plugin = tauri_plugin_single_instance::Builder::new()
        .callback(|handle, arguments, folder| {
            // The first of them is the program itself.
            let arguments = arguments.into_iter().skip(1).map(OsString::from);
            let arguments = Arguments::parse(arguments, Some(Path::new(&folder)));
            opening::receive(handle, arguments.files);
        })
        .dbus_id(format!("app.frameloom.{}", places.window_name()))
        .build();
    Some(plugin)
}

/// Counts how often this process began anew.
#[cfg(target_os = "linux")]
const STARTS: &str = "FRAMELOOM_STARTS";

/// Begins anew in this very process where the program that had the window was just ending: a start right
/// behind a crash hands its files to one that is not there any more. Comes back where something else is
/// wrong, or where that was tried often enough.
#[cfg(target_os = "linux")]
pub fn start_again(error: &anyhow::Error) {
    use std::os::unix::process::CommandExt;
    const MOST: u32 = 10;
    const PAUSE: std::time::Duration = std::time::Duration::from_millis(300);
    // What the plug-in says; it has no name for it.
    if !format!("{error:#}").contains("failed to forward arguments") {
        return;
    }
    let starts = std::env::var(STARTS).ok();
    let starts: u32 = starts.and_then(|text| text.parse().ok()).unwrap_or(0);
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    if starts >= MOST {
        return;
    }
    std::thread::sleep(PAUSE);
    let failed = std::process::Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(STARTS, (starts + 1).to_string())
        .exec();
    tracing::error!(error = %failed, "the program could not begin anew");
}

/// Elsewhere the system itself knows whether the other one is there.
#[cfg(not(target_os = "linux"))]
pub fn start_again(_: &anyhow::Error) {}
