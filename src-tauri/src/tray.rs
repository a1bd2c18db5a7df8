//! The icon in the system's tray: says how far the queue is, and leads back to the window.
//!
//! It is made when it is first needed, so that a start does not wait for it. Everything here
//! happens in the main thread, as the systems ask for.

use crate::{Door, closing, menu, window};
use frameloom_app::settings::TrayUse;
use frameloom_app::{QueueView, TrayWords};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager, Wry};

const ID: &str = "tray";
const SHOW: &str = "tray.show";
const ADD: &str = "tray.add";
const HOLD: &str = "tray.hold";
const QUIT: &str = "tray.quit";
/// The command of the page that adds files.
const ADD_FILES: &str = "files.add";

/// What the icon is made of, and what it is to show.
#[derive(Default)]
pub(crate) struct Tray {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    wanted: TrayUse,
    words: Option<TrayWords>,
    queue: QueueView,
    icon: Option<Icon>,
    /// It could not be made, and is not tried again.
    impossible: bool,
    /// What it says.
    said: String,
}

#[derive(Clone)]
struct Icon {
    icon: TrayIcon<Wry>,
    says: MenuItem<Wry>,
    hold: MenuItem<Wry>,
}

impl Tray {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The words, in the language of the window.
    pub(crate) fn set_words(&self, handle: &AppHandle, words: TrayWords) {
        {
            let mut state = self.state();
            if state.words.as_ref() == Some(&words) {
                return;
            }
            state.words = Some(words);
            // Words of an entry are not changed one by one: it is made anew.
            state.icon = None;
            state.said.clear();
        }
        refresh(handle);
    }

    /// When it is to be seen.
    pub(crate) fn set_use(&self, handle: &AppHandle, wanted: TrayUse) {
        self.state().wanted = wanted;
        refresh(handle);
    }

    /// The queue changed.
    pub(crate) fn set_queue(&self, handle: &AppHandle, queue: &QueueView) {
        {
            let mut state = self.state();
            let says = state.words.as_ref().map(|words| words.state(queue));
            let same = says.is_some_and(|says| says == state.said)
                && is_busy(&state.queue) == is_busy(queue);
            state.queue = queue.clone();
            // The queue speaks many times a second; the icon counts in whole per cent.
            if same {
                return;
            }
        }
        refresh(handle);
    }

    /// Whether the program stays in the tray when its window is closed. Only where there is an
    /// icon to come back from.
    pub(crate) fn keeps_program(&self) -> bool {
        let state = self.state();
        state.wanted == TrayUse::Stay && state.icon.is_some()
    }
}

fn is_busy(queue: &QueueView) -> bool {
    queue.forecast.is_some()
}

/// Makes, changes, shows or hides the icon as things are now.
fn refresh(handle: &AppHandle) {
    let in_main = handle.clone();
    let asked = handle.run_on_main_thread(move || {
        // A desktop without a library for such icons makes this panic, and must not end the program,
        // nor keep it waiting until the panic has been described on the terminal.
        let describe = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let done = catch_unwind(AssertUnwindSafe(|| draw(&in_main)));
        std::panic::set_hook(describe);
        let failure = match done {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the system has no library for it".to_owned(),
        };
        tracing::info!(failure, "there is no icon in the tray");
        if let Some(tray) = in_main.try_state::<Tray>() {
            tray.state().impossible = true;
        }
    });
    if let Err(error) = asked {
        tracing::debug!(%error, "the tray is not changed any more");
    }
}

fn draw(handle: &AppHandle) -> tauri::Result<()> {
    let Some(tray) = handle.try_state::<Tray>() else {
        return Ok(());
    };
    // The lock is not held while the system is asked: its answers may come back here.
    let (words, queue, known, wanted) = {
        let state = tray.state();
        let seen = match state.wanted {
            TrayUse::Never => false,
            TrayUse::WhileBusy => is_busy(&state.queue),
            TrayUse::Stay => true,
        };
        if state.impossible {
            return Ok(());
        }
        (
            state.words.clone(),
            state.queue.clone(),
            state.icon.clone(),
            seen,
        )
    };
    let Some(words) = words else { return Ok(()) };
    if known.is_none() && !wanted {
        return Ok(());
    }
    let icon = match known {
        Some(icon) => icon,
        None => made(handle, &words)?,
    };
    let says = words.state(&queue);
    icon.says.set_text(&says)?;
    icon.hold.set_text(if queue.options.paused {
        &words.resume
    } else {
        &words.pause
    })?;
    icon.icon.set_tooltip(Some(format!("Frameloom · {says}")))?;
    icon.icon.set_visible(wanted)?;
    let mut state = tray.state();
    state.said = says;
    state.icon = Some(icon);
    Ok(())
}

fn made(handle: &AppHandle, words: &TrayWords) -> tauri::Result<Icon> {
    const NO_KEYS: Option<&str> = None;
    // One with the words of another language.
    drop(handle.remove_tray_by_id(ID));
    let says = MenuItem::new(handle, &words.idle, false, NO_KEYS)?;
    let hold = MenuItem::with_id(handle, HOLD, &words.pause, true, NO_KEYS)?;
    let menu = Menu::with_items(
        handle,
        &[
            &says,
            &PredefinedMenuItem::separator(handle)?,
            &MenuItem::with_id(handle, SHOW, &words.show, true, NO_KEYS)?,
            &MenuItem::with_id(handle, ADD, &words.add, true, NO_KEYS)?,
            &hold,
            &PredefinedMenuItem::separator(handle)?,
            &MenuItem::with_id(handle, QUIT, &words.quit, true, NO_KEYS)?,
        ],
    )?;
    let mut builder = TrayIconBuilder::with_id(ID)
        .menu(&menu)
        // A left click leads to the window, as on every desktop that tells the two apart.
        .show_menu_on_left_click(cfg!(target_os = "macos"))
        .on_tray_icon_event(|tray, event| {
            if let TrayIconEvent::Click {
                button: MouseButton::Left,
                ..
            } = event
                && !cfg!(target_os = "macos")
            {
                window::bring_forward(tray.app_handle());
            }
        });
    if let Some(picture) = handle.default_window_icon() {
        builder = builder.icon(picture.clone());
    }
    Ok(Icon {
        icon: builder.build(handle)?,
        says,
        hold,
    })
}

/// Does what was chosen in the menu of the icon; false if it was none of it.
pub(crate) fn chosen(handle: &AppHandle, id: &str) -> bool {
    match id {
        SHOW => window::bring_forward(handle),
        ADD => {
            window::bring_forward(handle);
            menu::tell_page(handle, ADD_FILES);
        }
        HOLD => hold(handle),
        QUIT => closing::quit(handle),
        _ => return false,
    }
    true
}

/// Pauses the queue, or goes on with it.
fn hold(handle: &AppHandle) {
    let Ok(app) = handle.state::<Door>().app() else {
        return;
    };
    // It may wait for the database.
    tauri::async_runtime::spawn_blocking(move || {
        let turned = app.queue_options().and_then(|mut options| {
            options.paused = !options.paused;
            app.set_queue_options(&options)
        });
        if let Err(error) = turned {
            tracing::warn!(%error, "the queue could not be paused from the tray");
        }
    });
}
