//! Nodes whose pictures depend on their neighbours: what a node sees of each picture is kept for a
//! window of them.
//!
//! The window is finite: what comes out of a picture depends on so many pictures before and after
//! it, whichever run computes it. Nothing is taken from beyond a cut.

use super::temporal::{Give, Temporal, Timed};
use super::{Filter, Node, PictureFormat};
use crate::EngineError;
use frameloom_core::pixel::{AnyPlane, PixelFormat, Planes};
use frameloom_infer::CancelHandle;
use frameloom_media::{Converter, Frame, FramePool};
use std::collections::VecDeque;

/// Sees pictures, and makes others of them and of what was seen of their neighbours.
pub(super) trait Look: Send {
    /// What is kept of a picture.
    type Seen: Send;
    /// What comes out.
    fn output(&self) -> &PictureFormat;
    /// Stops [`Look::see`] from another thread.
    fn cancel_handle(&self) -> Option<CancelHandle>;
    /// Looks at a picture; `before` is what was seen of the one before it.
    ///
    /// # Errors
    /// The model fails.
    fn see(
        &mut self,
        frame: &Frame,
        before: Option<&Self::Seen>,
    ) -> Result<Self::Seen, EngineError>;
    /// True if `next` is of another shot than `before`.
    fn is_cut(before: &Self::Seen, next: &Self::Seen) -> bool;
    /// The picture that comes out of `frame`; `before` and `after` are of the same shot, the nearest
    /// first.
    ///
    /// # Errors
    /// There is no memory, or frames of that format cannot be made.
    fn make(
        &mut self,
        frame: &Frame,
        own: &Self::Seen,
        before: &[&Self::Seen],
        after: &[&Self::Seen],
    ) -> Result<Frame, EngineError>;
}

/// The node: with a memory of `reach` pictures on both sides, or without any.
pub(super) fn node<L: Look + 'static>(look: L, reach: Option<usize>) -> Node {
    match reach {
        Some(reach) => Node::Temporal(Box::new(Windowed {
            look,
            reach,
            held: VecDeque::new(),
            given: 0,
        })),
        None => Node::Filter(Box::new(Alone(look))),
    }
}

/// Takes each picture by itself.
struct Alone<L>(L);

impl<L: Look> Filter for Alone<L> {
    fn output(&self) -> &PictureFormat {
        self.0.output()
    }

    fn cancel_handle(&self) -> Option<CancelHandle> {
        self.0.cancel_handle()
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        let seen = self.0.see(frame, None)?;
        self.0.make(frame, &seen, &[], &[])
    }
}

/// A picture that waits for those after it, or what is kept of one that was given.
struct Held<S> {
    timed: Option<Timed>,
    seen: S,
    /// It is the first of a shot.
    is_cut: bool,
}

/// Takes pictures with their neighbours.
struct Windowed<L: Look> {
    look: L,
    reach: usize,
    /// Up to `reach` pictures that were given, and those that wait.
    held: VecDeque<Held<L::Seen>>,
    /// How many of those were given.
    given: usize,
}

impl<L: Look> Windowed<L> {
    /// Gives the first picture that waits.
    fn give_next(&mut self, give: &mut Give<'_>) -> Result<(), EngineError> {
        let at = self.given;
        let Some(timed) = self.held.get_mut(at).and_then(|own| own.timed.take()) else {
            return Ok(());
        };
        let before: Vec<&L::Seen> = (0..at)
            .rev()
            .take(self.reach)
            .take_while(|&i| !self.held[i + 1].is_cut)
            .map(|i| &self.held[i].seen)
            .collect();
        let after: Vec<&L::Seen> = self
            .held
            .iter()
            .skip(at + 1)
            .take(self.reach)
            .take_while(|held| !held.is_cut)
            .map(|held| &held.seen)
            .collect();
        let own = &self.held[at].seen;
        let frame = self.look.make(&timed.frame, own, &before, &after)?;
        self.given += 1;
        while self.given > self.reach {
            self.held.pop_front();
            self.given -= 1;
        }
        give(Timed {
            frame,
            source_pts: timed.source_pts,
        })
    }
}

impl<L: Look> Temporal for Windowed<L> {
    fn output(&self) -> &PictureFormat {
        self.look.output()
    }

    fn cancel_handle(&self) -> Option<CancelHandle> {
        self.look.cancel_handle()
    }

    fn restart(&mut self) -> Result<(), EngineError> {
        self.held.clear();
        self.given = 0;
        Ok(())
    }

    fn push(&mut self, timed: Timed, give: &mut Give<'_>) -> Result<(), EngineError> {
        let before = self.held.back().map(|held| &held.seen);
        let seen = self.look.see(&timed.frame, before)?;
        let is_cut = before.is_some_and(|before| L::is_cut(before, &seen));
        self.held.push_back(Held {
            timed: Some(timed),
            seen,
            is_cut,
        });
        if self.held.len() > self.given + self.reach {
            self.give_next(give)?;
        }
        Ok(())
    }

    fn finish(&mut self, give: &mut Give<'_>) -> Result<(), EngineError> {
        while self.given < self.held.len() {
            self.give_next(give)?;
        }
        Ok(())
    }
}

/// Brings pictures to the small size that a network sees.
pub(super) struct Small {
    converter: Converter,
    pool: FramePool,
}

impl Small {
    /// To `width` x `height` pixels.
    pub(super) fn new((width, height): (usize, usize)) -> Result<Self, EngineError> {
        let small = PixelFormat {
            planes: Planes::Gbr,
            bits: 16,
            alpha: false,
        };
        Ok(Self {
            converter: Converter::new(),
            pool: FramePool::new(small, width as u32, height as u32)?,
        })
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.pool.width() as usize, self.pool.height() as usize)
    }

    /// Red, green and blue of a picture, 0 to 1, row by row.
    pub(super) fn rgb(&mut self, frame: &Frame) -> Result<[Vec<f32>; 3], EngineError> {
        let small = self.converter.convert(frame, &self.pool)?;
        let (width, height) = self.size();
        let plane = |index: usize| -> Vec<f32> {
            let mut values = Vec::with_capacity(width * height);
            match small.plane(index) {
                AnyPlane::U16(plane) => {
                    for y in 0..height {
                        values.extend(plane.row(y).iter().map(|&v| f32::from(v) / 65_535.0));
                    }
                }
                AnyPlane::U8(plane) => {
                    for y in 0..height {
                        values.extend(plane.row(y).iter().map(|&v| f32::from(v) / 255.0));
                    }
                }
            }
            values
        };
        // Green, blue, red in the frame.
        Ok([plane(2), plane(0), plane(1)])
    }
}
