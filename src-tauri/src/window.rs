//! What the program does to the native window.

use frameloom_app::Settings;
use frameloom_app::settings::Theme;
use tauri::WebviewWindow;

/// Makes the window look as the settings say.
pub(crate) fn apply(window: &WebviewWindow, settings: &Settings) {
    apply_theme(window, settings.theme);
    // The webview's own zoom: the page is laid out for the room that is left.
    if let Err(error) = window.set_zoom(settings.scale_percent.factor()) {
        tracing::warn!(%error, "the size of the window's content cannot be changed");
    }
}

/// Gives the title bar, and what the webview thinks of the system, the theme that was chosen.
fn apply_theme(window: &WebviewWindow, theme: Theme) {
    let native = match theme {
        Theme::System => None,
        Theme::Dark => Some(tauri::Theme::Dark),
        Theme::Light => Some(tauri::Theme::Light),
    };
    if let Err(error) = window.set_theme(native) {
        // The pages carry the theme themselves; only the frame around them keeps the old one.
        tracing::warn!(%error, "the window's frame cannot change its theme");
    }
}
