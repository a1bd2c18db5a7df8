//! The frames of a stretch of a clip, without what is left out inside of it.
//!
//! Where pictures come at uneven times, the one that is on screen when the stretch begins may have
//! come long before. It is kept, from the beginning of the stretch on, as any editor does it. On an
//! even grid a stretch begins with its first picture: a picture moved off the grid would make the
//! rate uneven for the sake of less than one frame. It is the same behind everything that is left
//! out.
//!
//! What comes behind a hole moves up: whoever gets the frames sees a clip without holes, and only
//! here it is known where they were.

use crate::EngineError;
use crate::plan::{Hole, Stretch};
use frameloom_media::{Frame, Reader};

/// A kept piece, in ticks of the stream; half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    from: i64,
    to: i64,
    /// Ticks that were left out before it.
    gone: i64,
}

/// Picks the frames of a stretch from a reader.
pub(super) struct Within {
    pieces: Vec<Piece>,
    /// First time of the stretch, where it does not begin with the clip.
    from: Option<i64>,
    /// The picture on screen where a piece begins belongs to it.
    holds_first: bool,
    /// The last picture before a piece, and which piece.
    held: Option<(usize, Frame)>,
    /// The picture behind the one that was held.
    waiting: Option<Frame>,
}

impl Within {
    pub(super) fn new(stretch: Option<Stretch>, holes: &[Hole]) -> Self {
        let from = stretch.and_then(|s| s.from_ticks);
        let mut pieces = vec![Piece {
            from: from.unwrap_or(i64::MIN),
            to: i64::MAX,
            gone: 0,
        }];
        for hole in holes {
            let gone = hole.ticks() + pieces.last().map_or(0, |piece| piece.gone);
            if let Some(before) = pieces.last_mut() {
                before.to = hole.from_ticks;
            }
            pieces.push(Piece {
                from: hole.to_ticks,
                to: i64::MAX,
                gone,
            });
        }
        if let Some(last) = pieces.last_mut() {
            last.to = stretch.and_then(|s| s.to_ticks).unwrap_or(i64::MAX);
        }
        Self {
            pieces,
            from,
            holds_first: stretch.is_some_and(|s| s.holds_first),
            held: None,
            waiting: None,
        }
    }

    /// First time of the stretch, in ticks.
    pub(super) fn from(&self) -> Option<i64> {
        self.from
    }

    /// False if a time of the clip is left out.
    pub(super) fn has(&self, ticks: i64) -> bool {
        let (_, piece) = self.piece_of(ticks);
        piece.is_some_and(|piece| piece.from <= ticks)
    }

    /// The piece that a time of the clip lies in, or the next one.
    fn piece_of(&self, ticks: i64) -> (usize, Option<Piece>) {
        let number = self.pieces.partition_point(|piece| piece.to <= ticks);
        (number, self.pieces.get(number).copied())
    }

    /// The stretch of the clip's time that is kept around `ticks`, or else behind it; the first one
    /// where nothing is behind it. Half-open, `None` for the end of the clip.
    pub(super) fn kept_from(&self, ticks: i64) -> Option<(i64, Option<i64>)> {
        let (_, piece) = self.piece_of(ticks);
        let piece = piece.or(self.pieces.first().copied())?;
        Some((piece.from, Some(piece.to).filter(|&to| to < i64::MAX)))
    }

    /// Where a kept time of the clip comes once the holes are gone.
    pub(super) fn moved(&self, ticks: i64) -> i64 {
        let (_, piece) = self.piece_of(ticks);
        let gone = piece.or(self.pieces.last().copied()).map_or(0, |p| p.gone);
        ticks.saturating_sub(gone)
    }

    /// The time of the clip that comes to `moved`.
    pub(super) fn original(&self, moved: i64) -> i64 {
        let behind = |piece: &&Piece| piece.from.saturating_sub(piece.gone) <= moved;
        let piece = self.pieces.iter().take_while(behind).last();
        moved.saturating_add(piece.map_or(0, |piece| piece.gone))
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
        loop {
            let frame = match self.waiting.take() {
                Some(frame) => frame,
                None => match reader.next_frame()? {
                    Some(frame) => frame,
                    None => break,
                },
            };
            let pts = frame.pts();
            let (number, piece) = self.piece_of(pts);
            // Another picture begins, in the piece of the held one or behind it.
            let ends_held = self
                .held
                .as_ref()
                .is_some_and(|(of, _)| *of < number || piece.is_none_or(|piece| piece.from < pts));
            if ends_held && let Some(held) = self.shown_until(pts) {
                self.waiting = Some(frame);
                return Ok(Some(held));
            }
            let Some(piece) = piece else {
                return Ok(None);
            };
            if pts >= piece.from {
                self.held = None;
                return Ok(Some(self.placed(frame, piece)));
            }
            self.held = self.holds_first.then_some((number, frame));
        }
        // The last picture of the clip may be shown into the stretch.
        let end = self
            .held
            .as_ref()
            .map(|(_, held)| held.pts().saturating_add(held.duration()));
        Ok(end.and_then(|end| self.shown_until(end)))
    }

    /// The held picture as the first of its piece, if it is shown there, up to `end`.
    fn shown_until(&mut self, end: i64) -> Option<Frame> {
        let (number, mut held) = self.held.take()?;
        let piece = *self.pieces.get(number)?;
        let end = piece.to.min(end);
        if end <= piece.from {
            return None;
        }
        held.set_timing(piece.from - piece.gone, end - piece.from);
        Some(held)
    }

    /// A picture of a piece at its time in a clip without holes.
    fn placed(&self, mut frame: Frame, piece: Piece) -> Frame {
        if self.pieces.len() > 1 {
            let (pts, duration) = (frame.pts(), frame.duration());
            let shown = duration.min(piece.to.saturating_sub(pts));
            frame.set_timing(pts - piece.gone, shown);
        }
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn within(from: Option<i64>, to: Option<i64>, holes: &[(i64, i64)]) -> Within {
        let stretch = Stretch {
            from_ticks: from,
            to_ticks: to,
            from_micros: 0,
            to_micros: None,
            holds_first: false,
        };
        let hole = |&(from_ticks, to_ticks): &(i64, i64)| Hole {
            from_ticks,
            to_ticks,
            from_micros: 0,
            to_micros: 0,
        };
        let holes: Vec<Hole> = holes.iter().map(hole).collect();
        Within::new(Some(stretch), &holes)
    }

    #[test]
    fn times_behind_holes_move_up_and_lead_back() {
        let within = within(Some(100), Some(1_000), &[(200, 300), (400, 450)]);
        for (own, moved) in [
            (100, 100),
            (199, 199),
            (300, 200),
            (399, 299),
            (450, 300),
            (999, 849),
        ] {
            assert!(within.has(own));
            assert_eq!((within.moved(own), within.original(moved)), (moved, own));
        }
        for outside in [99, 200, 299, 400, 449, 1_000] {
            assert!(!within.has(outside), "{outside}");
        }
        assert_eq!(within.kept_from(210), Some((300, Some(400))));
        assert_eq!(within.kept_from(0), Some((100, Some(200))));
        assert_eq!(within.kept_from(5_000), Some((100, Some(200))));
    }

    #[test]
    fn a_clip_without_a_stretch_is_all_there() {
        let all = Within::new(None, &[]);
        assert!(all.has(i64::MIN) && all.has(i64::MAX - 1));
        assert_eq!((all.from(), all.moved(-7), all.original(9)), (None, -7, 9));
    }

    proptest! {
        #[test]
        fn moved_times_are_those_of_a_clip_without_holes(
            steps in prop::collection::vec((1i64..50, 1i64..50), 0..12), start in -100i64..100,
        ) {
            let mut at = start;
            let mut holes = Vec::new();
            for (kept, hole) in steps {
                holes.push((at + kept, at + kept + hole));
                at += kept + hole;
            }
            let within = within(Some(start), None, &holes);
            let kept: Vec<i64> = (start..at + 50).filter(|t| within.has(*t)).collect();
            for (n, own) in kept.iter().enumerate() {
                prop_assert_eq!(within.moved(*own), start + n as i64);
                prop_assert_eq!(within.original(start + n as i64), *own);
            }
        }
    }
}
