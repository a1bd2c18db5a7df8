//! Where the window was, and where it can be again: screens come and go between two starts.

use crate::{App, explain};
use frameloom_core::error::AppError;
use serde::{Deserialize, Serialize};

/// Name of the setting.
const NAME: &str = "window";
/// So much of the window's upper edge must be on a screen to take hold of it, in pixels.
const GRIP: (u32, u32) = (160, 24);
/// Smaller ones are no window that anybody made so.
const SMALLEST: (u32, u32) = (320, 240);

/// Place of the window, in pixels of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowPlace {
    /// Left edge of its frame.
    pub x: i32,
    /// Upper edge of its frame.
    pub y: i32,
    /// Width without its frame.
    pub width: u32,
    /// Height without its frame.
    pub height: u32,
    /// It fills the screen; the rest is where it goes when it no longer does.
    pub maximised: bool,
}

/// A screen, in the same pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Screen {
    /// Pixels that a rectangle has in common with the screen, in width and height.
    fn shared(&self, x: i32, y: i32, width: u32, height: u32) -> (u32, u32) {
        let common = |a: i32, a_length: u32, b: i32, b_length: u32| {
            let from = i64::from(a.max(b));
            let to = (i64::from(a) + i64::from(a_length)).min(i64::from(b) + i64::from(b_length));
            u32::try_from(to - from).unwrap_or(0)
        };
        (
            common(self.x, self.width, x, width),
            common(self.y, self.height, y, height),
        )
    }
}

/// Where the window is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Upper left corner of its frame; `None`: the system's choice.
    pub position: Option<(i32, i32)>,
    /// Width and height without the frame.
    pub size: (u32, u32),
    /// It fills the screen.
    pub maximised: bool,
}

impl WindowPlace {
    /// Where the window can be on `screens`, the main one first. A window whose upper edge cannot
    /// be taken hold of on any of them goes where the system puts new ones; none is larger than
    /// its screen.
    pub fn on(self, screens: &[Screen]) -> Shown {
        let (wide, high) = GRIP;
        let home = screens.iter().find(|screen| {
            let (across, down) = screen.shared(self.x, self.y, self.width, high);
            // Above the screen there is nothing to take hold of, however much of it is below.
            across >= wide.min(self.width) && down >= high && self.y >= screen.y
        });
        let fitted = |length: u32, room: Option<u32>, least: u32| {
            let length = length.max(least);
            room.map_or(length, |room| length.min(room.max(least)))
        };
        let screen = home.or(screens.first());
        Shown {
            position: home.map(|_| (self.x, self.y)),
            size: (
                fitted(self.width, screen.map(|s| s.width), SMALLEST.0),
                fitted(self.height, screen.map(|s| s.height), SMALLEST.1),
            ),
            maximised: self.maximised,
        }
    }
}

impl App {
    /// Where the window was last; `None` the first time, or where it cannot be read.
    pub fn window_place(&self) -> Option<WindowPlace> {
        let stored = self.store.setting(NAME).ok().flatten()?;
        serde_json::from_str(&stored).ok()
    }

    /// Remembers where the window is.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_window_place(&self, place: WindowPlace) -> Result<(), AppError> {
        let json = serde_json::to_string(&place).map_err(explain::internal)?;
        self.store.set_setting(NAME, &json).map_err(explain::store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: Screen = Screen {
        x: 0,
        y: 0,
        width: 1920,
        height: 1080,
    };
    /// To the left of the main one, a little lower.
    const LEFT: Screen = Screen {
        x: -1280,
        y: 100,
        width: 1280,
        height: 800,
    };

    fn place(x: i32, y: i32, width: u32, height: u32) -> WindowPlace {
        WindowPlace {
            x,
            y,
            width,
            height,
            maximised: false,
        }
    }

    #[test]
    fn a_window_returns_to_its_place_on_a_screen_that_is_still_there() {
        let shown = place(-1200, 150, 1000, 700).on(&[MAIN, LEFT]);
        assert_eq!(shown.position, Some((-1200, 150)));
        assert_eq!(shown.size, (1000, 700));
    }

    #[test]
    fn a_window_of_a_screen_that_is_gone_is_put_where_it_can_be_seen() {
        let shown = place(-1200, 150, 1000, 700).on(&[MAIN]);
        assert_eq!(shown.position, None);
        assert_eq!(shown.size, (1000, 700));
        // One pixel of it, or its lower half, is not enough to drag it back.
        assert_eq!(place(1919, 10, 800, 600).on(&[MAIN]).position, None);
        assert_eq!(place(100, -40, 800, 600).on(&[MAIN]).position, None);
        assert_eq!(place(100, 1079, 800, 600).on(&[MAIN]).position, None);
    }

    #[test]
    fn a_window_is_never_larger_than_its_screen_nor_too_small_to_use() {
        let big = place(0, 0, 3840, 2160).on(&[MAIN]);
        assert_eq!(big.size, (1920, 1080));
        assert_eq!(place(0, 0, 0, 0).on(&[MAIN]).size, SMALLEST);
        // Nothing is known of the screens: the size is kept.
        assert_eq!(place(5, 5, 3840, 2160).on(&[]).size, (3840, 2160));
    }

    #[test]
    fn a_filled_screen_is_remembered_beside_the_place_to_return_to() {
        let place = WindowPlace {
            maximised: true,
            ..place(40, 30, 1200, 800)
        };
        let shown = place.on(&[MAIN]);
        assert!(shown.maximised);
        assert_eq!((shown.position, shown.size), (Some((40, 30)), (1200, 800)));
    }

    #[test]
    fn numbers_at_the_edge_of_what_fits_do_not_overflow() {
        let far = place(i32::MAX, i32::MAX, u32::MAX, u32::MAX);
        assert_eq!(far.on(&[MAIN]).position, None);
        assert_eq!(far.on(&[MAIN]).size, (1920, 1080));
    }
}
