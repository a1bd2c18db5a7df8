//! The frames of a stretch of a clip.
//!
//! Where pictures come at uneven times, the one that is on screen when the stretch begins may have
//! come long before. It is kept, from the beginning of the stretch on, as any editor does it. On an
//! even grid a stretch begins with its first picture: a picture moved off the grid would make the
//! rate uneven for the sake of less than one frame.

use crate::EngineError;
use crate::plan::Stretch;
use frameloom_media::{Frame, Reader};

/// Picks the frames of a stretch from a reader.
pub(super) struct Within {
    /// First time of the stretch, in ticks.
    from: Option<i64>,
    /// The time that is out of it.
    to: Option<i64>,
    /// The picture on screen at `from` belongs to it.
    holds_first: bool,
    /// The last picture before `from`.
    held: Option<Frame>,
    /// The picture behind the one that was held.
    waiting: Option<Frame>,
}

impl Within {
    pub(super) fn new(stretch: Option<Stretch>) -> Self {
        Self {
            from: stretch.and_then(|s| s.from_ticks),
            to: stretch.and_then(|s| s.to_ticks),
            holds_first: stretch.is_some_and(|s| s.holds_first),
            held: None,
            waiting: None,
        }
    }

    /// First time of the stretch, in ticks.
    pub(super) fn from(&self) -> Option<i64> {
        self.from
    }

    /// False if a time lies outside of the stretch.
    pub(super) fn has(&self, ticks: i64) -> bool {
        self.from.is_none_or(|from| from <= ticks) && self.to.is_none_or(|to| ticks < to)
    }

    /// The reader was moved: what was read before counts no more.
    pub(super) fn forget(&mut self) {
        (self.held, self.waiting) = (None, None);
    }

    /// The next frame of the stretch; `None` at its end.
    ///
    /// # Errors
    /// The clip cannot be read.
    pub(super) fn next(&mut self, reader: &mut Reader) -> Result<Option<Frame>, EngineError> {
        if let Some(frame) = self.waiting.take() {
            return Ok(self.inside(frame));
        }
        while let Some(frame) = reader.next_frame()? {
            let Some(from) = self.from.filter(|&from| frame.pts() <= from) else {
                return Ok(match self.shown_until(frame.pts()) {
                    Some(held) => {
                        self.waiting = Some(frame);
                        Some(held)
                    }
                    None => self.inside(frame),
                });
            };
            if frame.pts() == from {
                self.held = None;
                return Ok(self.inside(frame));
            }
            if self.holds_first {
                self.held = Some(frame);
            }
        }
        // The last picture of the clip may be shown into the stretch.
        let end = self
            .held
            .as_ref()
            .map(|held| held.pts().saturating_add(held.duration()));
        Ok(end.and_then(|end| self.shown_until(end)))
    }

    /// The held picture as the first of the stretch, if it is shown there, up to `end`.
    fn shown_until(&mut self, end: i64) -> Option<Frame> {
        let (mut held, from) = (self.held.take()?, self.from?);
        let end = self.to.map_or(end, |to| to.min(end));
        if end <= from {
            return None;
        }
        held.set_timing(from, end - from);
        Some(held)
    }

    fn inside(&self, frame: Frame) -> Option<Frame> {
        Some(frame).filter(|frame| self.to.is_none_or(|to| frame.pts() < to))
    }
}
