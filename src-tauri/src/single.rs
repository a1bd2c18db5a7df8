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
