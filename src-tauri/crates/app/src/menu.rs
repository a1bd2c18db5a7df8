//! What the page tells the shell for the menus of the system: names and keys in the language of
//! the window. The shell draws them; what a command does is the page's business.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A menu of the menu bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MenuGroup {
    /// Name of the menu.
    pub title: String,
    /// Its entries from above to below.
    pub items: Vec<MenuEntry>,
}

/// An entry of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MenuEntry {
    /// A command of the window.
    Command {
        /// Its id.
        id: String,
        /// Its name.
        title: String,
        /// Its keys, as `Mod+Shift+K`.
        keys: Option<String>,
        /// It can be given now.
        enabled: bool,
    },
    /// Something that the system does itself.
    Native {
        /// What.
        action: NativeAction,
        /// Its name.
        title: String,
    },
    /// A line.
    Line,
}

/// What the system does itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum NativeAction {
    /// In the field of text that has the focus: takes the last change back.
    Undo,
    /// Makes it again.
    Redo,
    /// Cuts what is selected.
    Cut,
    /// Copies what is selected.
    Copy,
    /// Puts in what was copied.
    Paste,
    /// Selects everything.
    SelectAll,
    /// Makes the window small.
    Minimise,
    /// Fills the screen with the window.
    FullScreen,
    /// Hides the program.
    Hide,
    /// Hides all others.
    HideOthers,
    /// Shows all others again.
    ShowAll,
    /// Closes the window, and asks first where work would stop.
    Quit,
}

/// Words of the icon in the tray.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TrayWords {
    /// Shows the window.
    pub show: String,
    /// Adds files.
    pub add: String,
    /// Pauses the queue.
    pub pause: String,
    /// Goes on with it.
    pub resume: String,
    /// Ends the program.
    pub quit: String,
    /// Nothing is done.
    pub idle: String,
    /// How far the queue is; `{percent}` stands for the number.
    pub progress: String,
    /// The queue is paused.
    pub paused: String,
}

impl TrayWords {
    /// What the queue does, in a few words.
    pub fn state(&self, queue: &crate::QueueView) -> String {
        if queue.options.paused {
            return self.paused.clone();
        }
        match queue.per_mille {
            Some(share) => self
                .progress
                .replace("{percent}", &(share / 10).to_string()),
            None => self.idle.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QueueView;

    #[test]
    fn the_tray_says_what_the_queue_does() {
        let words = TrayWords {
            show: "Hiện".into(),
            add: "Thêm".into(),
            pause: "Tạm dừng".into(),
            resume: "Tiếp tục".into(),
            quit: "Thoát".into(),
            idle: "Không có việc nào".into(),
            progress: "Đã xong {percent}%".into(),
            paused: "Đang tạm dừng".into(),
        };
        let mut queue = QueueView::default();
        assert_eq!(words.state(&queue), "Không có việc nào");
        queue.per_mille = Some(429);
        assert_eq!(words.state(&queue), "Đã xong 42%");
        queue.options.paused = true;
        assert_eq!(words.state(&queue), "Đang tạm dừng");
    }
}
