//! What the program does to the native window.

use frameloom_app::settings::Theme;
use tauri::WebviewWindow;

/// Gives the title bar, and what the webview thinks of the system, the theme that was chosen.
pub(crate) fn apply_theme(window: &WebviewWindow, theme: Theme) {
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
