//! The menu bar of the system, where it has one for programs: on macOS. Elsewhere the window has a
//! button for the same commands.
//!
//! What is in it comes from the page, in the language of the window; a command that is chosen goes
//! back to the page.

use crate::{closing, tray};
use frameloom_app::{MenuEntry, MenuGroup, NativeAction};
use tauri::menu::{IsMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem, Submenu};
use tauri::{AppHandle, Emitter, Wry};

/// The page listens to this; it carries the id of a command.
const CHOSEN: &str = "command-chosen";
/// Id of the entry that ends the program.
const QUIT: &str = "shell.quit";

/// Puts `groups` into the menu bar.
///
/// # Errors
/// The system refuses.
pub(crate) fn show(handle: &AppHandle, groups: &[MenuGroup]) -> tauri::Result<()> {
    if cfg!(target_os = "macos") {
        handle.set_menu(built(handle, groups)?)?;
    }
    Ok(())
}

fn built(handle: &AppHandle, groups: &[MenuGroup]) -> tauri::Result<Menu<Wry>> {
    let menu = Menu::new(handle)?;
    for group in groups {
        let submenu = Submenu::new(handle, &group.title, true)?;
        for entry in &group.items {
            submenu.append(entry_of(handle, entry)?.as_ref())?;
        }
        menu.append(&submenu)?;
    }
    Ok(menu)
}

fn entry_of(handle: &AppHandle, entry: &MenuEntry) -> tauri::Result<Box<dyn IsMenuItem<Wry>>> {
    Ok(match entry {
        MenuEntry::Line => Box::new(PredefinedMenuItem::separator(handle)?),
        MenuEntry::Native { action, title } => native(handle, *action, title)?,
        MenuEntry::Command {
            id,
            title,
            keys,
            enabled,
        } => {
            let keys = keys.as_deref().and_then(accelerator);
            let item = MenuItem::with_id(handle, id, title, *enabled, keys.as_deref());
            // Keys that the system has no name for work in the page all the same.
            Box::new(
                item.or_else(|_| MenuItem::with_id(handle, id, title, *enabled, None::<&str>))?,
            )
        }
    })
}

fn native(
    handle: &AppHandle,
    action: NativeAction,
    title: &str,
) -> tauri::Result<Box<dyn IsMenuItem<Wry>>> {
    let text = Some(title);
    let item = match action {
        NativeAction::Undo => PredefinedMenuItem::undo(handle, text),
        NativeAction::Redo => PredefinedMenuItem::redo(handle, text),
        NativeAction::Cut => PredefinedMenuItem::cut(handle, text),
        NativeAction::Copy => PredefinedMenuItem::copy(handle, text),
        NativeAction::Paste => PredefinedMenuItem::paste(handle, text),
        NativeAction::SelectAll => PredefinedMenuItem::select_all(handle, text),
        NativeAction::Minimise => PredefinedMenuItem::minimize(handle, text),
        NativeAction::FullScreen => PredefinedMenuItem::fullscreen(handle, text),
        NativeAction::Hide => PredefinedMenuItem::hide(handle, text),
        NativeAction::HideOthers => PredefinedMenuItem::hide_others(handle, text),
        NativeAction::ShowAll => PredefinedMenuItem::show_all(handle, text),
        // The system's own would end the program without asking.
        NativeAction::Quit => {
            let item = MenuItem::with_id(handle, QUIT, title, true, Some("CmdOrCtrl+Q"))?;
            return Ok(Box::new(item));
        }
    };
    Ok(Box::new(item?))
}

/// Keys of the page in the system's words. Only those with Command: others are typed into fields,
/// and the menu bar would take them away.
fn accelerator(chord: &str) -> Option<String> {
    let rest = chord.strip_prefix("Mod+")?;
    Some(format!("CmdOrCtrl+{rest}"))
}

/// Something was chosen, here or in the tray.
pub(crate) fn chosen(handle: &AppHandle, event: &MenuEvent) {
    match event.id().as_ref() {
        QUIT => closing::quit(handle),
        id if tray::chosen(handle, id) => {}
        id => tell_page(handle, id),
    }
}

/// Lets the page do a command.
pub(crate) fn tell_page(handle: &AppHandle, command: &str) {
    if let Err(error) = handle.emit(CHOSEN, command) {
        tracing::warn!(%error, command, "the page cannot be told of a command");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_with_command_are_taken_by_the_menu_bar() {
        assert_eq!(
            accelerator("Mod+Shift+K").as_deref(),
            Some("CmdOrCtrl+Shift+K")
        );
        assert_eq!(accelerator("Mod+,").as_deref(), Some("CmdOrCtrl+,"));
        assert_eq!(accelerator("Delete"), None);
        assert_eq!(accelerator("?"), None);
    }
}
