//! What the program does to the native window.

use crate::Door;
use frameloom_app::settings::Theme;
use frameloom_app::{Screen, Settings, Shown, WindowPlace};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tauri::{
    App, AppHandle, Manager, Monitor, PhysicalPosition, PhysicalSize, WebviewWindow,
    WebviewWindowBuilder,
};

/// Label of the one window.
pub(crate) const LABEL: &str = "main";
/// The window has come to rest when it was not moved for so long.
const AT_REST: Duration = Duration::from_millis(700);

/// Opens the window where it was last, hidden: the page's theme and size are set before anybody
/// sees it.
pub(crate) fn open(app: &App) -> tauri::Result<WebviewWindow> {
    let config = &app.config().app.windows;
    let config = config.iter().find(|window| window.label == LABEL);
    let config = config.ok_or(tauri::Error::WindowNotFound)?;
    let window = WebviewWindowBuilder::from_config(app, config)?
        .visible(false)
        .build()?;
    let door = app.state::<Door>().app().ok();
    if let Some(place) = door.as_ref().and_then(|door| door.window_place())
        && let Err(error) = put(&window, place.on(&screens(&window)))
    {
        tracing::warn!(%error, "the window cannot be put where it was");
    }
    if let Some(Ok(settings)) = door.map(|door| door.settings()) {
        apply(&window, &settings);
    }
    window.show()?;
    Ok(window)
}

fn put(window: &WebviewWindow, shown: Shown) -> tauri::Result<()> {
    let (width, height) = shown.size;
    window.set_size(PhysicalSize::new(width, height))?;
    match shown.position {
        Some((x, y)) => window.set_position(PhysicalPosition::new(x, y))?,
        None => window.center()?,
    }
    if shown.maximised {
        window.maximize()?;
    }
    Ok(())
}

/// The screens of the machine, the main one first.
fn screens(window: &WebviewWindow) -> Vec<Screen> {
    let screen = |monitor: &Monitor| Screen {
        x: monitor.position().x,
        y: monitor.position().y,
        width: monitor.size().width,
        height: monitor.size().height,
    };
    let main = window.primary_monitor().ok().flatten();
    let all = window.available_monitors().unwrap_or_default();
    main.iter().chain(&all).map(screen).collect()
}

/// Notes where the window is.
pub(crate) struct Remembering {
    moved: Mutex<Sender<()>>,
}

impl Remembering {
    /// Starts the thread that waits for the window to come to rest. It ends with the program.
    pub(crate) fn start(handle: &AppHandle) -> std::io::Result<Self> {
        let (moved, told) = channel();
        let handle = handle.clone();
        std::thread::Builder::new()
            .name("window place".to_owned())
            .spawn(move || wait_for_rest(&told, || note(&handle)))?;
        Ok(Self {
            moved: Mutex::new(moved),
        })
    }

    /// The window was moved or changed its size.
    pub(crate) fn moved(&self) {
        let moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        // The thread lives as long as this does.
        let _ = moved.send(());
    }
}

/// Calls `note` whenever something was told and then nothing more for a while.
fn wait_for_rest(told: &Receiver<()>, note: impl Fn()) {
    while told.recv().is_ok() {
        loop {
            match told.recv_timeout(AT_REST) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break note(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

/// Stores where the window is now.
pub(crate) fn note(handle: &AppHandle) {
    let (Some(window), Some(Ok(door))) = (
        handle.get_webview_window(LABEL),
        handle.try_state::<Door>().map(|door| door.app()),
    ) else {
        return;
    };
    let stored = match place_of(&window, door.window_place()) {
        Ok(Some(place)) => door.set_window_place(place),
        // On its way out, or small: it returns to where it was.
        Ok(None) | Err(_) => return,
    };
    if let Err(error) = stored {
        tracing::warn!(%error, "where the window is cannot be noted");
    }
}

/// Where the window is; `None` while that is nothing to return to. One that fills the screen keeps
/// the place that it had `before`.
fn place_of(
    window: &WebviewWindow,
    before: Option<WindowPlace>,
) -> tauri::Result<Option<WindowPlace>> {
    if window.is_minimized()? || window.is_fullscreen()? || !window.is_visible()? {
        return Ok(None);
    }
    let maximised = window.is_maximized()?;
    if maximised && let Some(before) = before {
        return Ok(Some(WindowPlace {
            maximised,
            ..before
        }));
    }
    let (position, size) = (window.outer_position()?, window.inner_size()?);
    Ok(Some(WindowPlace {
        x: position.x,
        y: position.y,
        width: size.width,
        height: size.height,
        maximised,
    }))
}

/// Shows the window in front of all others, wherever it was hidden.
pub(crate) fn bring_forward(handle: &AppHandle) {
    let Some(window) = handle.get_webview_window(LABEL) else {
        return;
    };
    let brought = window
        .show()
        .and_then(|()| window.unminimize())
        .and_then(|()| window.set_focus());
    if let Err(error) = brought {
        tracing::warn!(%error, "the window cannot be brought to the front");
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn a_window_that_is_dragged_about_is_noted_once_when_it_rests() {
        let (moved, told) = channel();
        let noted = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&noted);
        let waiting = std::thread::spawn(move || {
            wait_for_rest(&told, || {
                count.fetch_add(1, Ordering::SeqCst);
            });
        });
        for _ in 0..20 {
            moved.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(noted.load(Ordering::SeqCst), 0, "still on its way");
        std::thread::sleep(AT_REST * 3);
        assert_eq!(noted.load(Ordering::SeqCst), 1);
        drop(moved);
        waiting.join().unwrap();
    }
}
