//! A model on a part of a picture: where a picture is only looked at, and all of it would take
//! longer than somebody who looks waits.
//!
//! The part is the very result of the model. What lies around it is enlarged by a plain kernel, so
//! that the picture keeps its size and every node behind finds its places.

use super::crop::Crop;
use super::scale::Scale;
use super::{Filter, Node, Opened, Opening, PictureFormat, open};
use crate::EngineError;
use frameloom_core::graph::{CropParams, Op};
use frameloom_core::model::TileSpec;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, PlaneRef, Planes};
use frameloom_infer::CancelHandle;
use frameloom_media::Frame;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A part of a picture, as shares of its width and height from the left upper corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Portion {
    /// Where it begins, 0 to 1.
    pub left: f64,
    /// Where it begins, 0 to 1.
    pub top: f64,
    /// Where it ends, 0 to 1.
    pub right: f64,
    /// Where it ends, 0 to 1.
    pub bottom: f64,
}

impl Portion {
    /// What lies in both.
    fn within(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
    }
}

/// How long a model may take for a picture, and what of the picture went through models.
pub(crate) struct Patience {
    limit: Duration,
    done: Mutex<Done>,
}

#[derive(Clone, Copy, Default)]
struct Done {
    portion: Option<Portion>,
    /// A node behind it moved the picture, or it is another picture: its place cannot be said.
    moved: bool,
}

impl Patience {
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit,
            done: Mutex::default(),
        }
    }

    fn note(&self, portion: Portion) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.portion = Some(match done.portion {
            Some(before) => before.within(portion),
            None => portion,
        });
    }

    /// A node follows.
    pub(crate) fn passes(&self, op: &Op) {
        if let Op::Crop(_) | Op::Pad(_) | Op::Rotate(_) | Op::Flip(_) | Op::Concat = op {
            self.moves();
        }
    }

    /// What was made of a part, if anything was, is at another place now.
    pub(crate) fn moves(&self) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.moved |= done.portion.is_some();
    }

    /// What of the picture went through every model: `None` for all of it, `Some(None)` for a part
    /// whose place is not known any more.
    pub(crate) fn portion(&self) -> Option<Option<Portion>> {
        let done = *self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.portion.map(|portion| (!done.moved).then_some(portion))
    }
}

/// Longest side of the picture that a model is tried on: what the slowest that is any use does in a
/// few seconds.
const TRIAL_SIDE: u32 = 256;

/// Corners lie on samples of chroma, whichever way those are shared.
const GRID: u32 = 4;

/// Opens the node of a model for the whole picture where that is quick enough by a trial, and for
/// a part in its middle otherwise.
pub(crate) fn open_patiently(
    (node, op): (&str, &Op),
    tile: &TileSpec,
    input: &PictureFormat,
    opening: &Opening<'_>,
    (patience, watch): (&Patience, &dyn Fn(CancelHandle)),
) -> Result<Option<Opened>, EngineError> {
    let whole = || open(node, op, input, opening);
    let size = (input.width, input.height);
    let side = match tile.only_size() {
        Some((width, height)) => width.max(height),
        None => tile.preferred.min(TRIAL_SIDE).max(tile.min),
    };
    let trial = middle(size, (side, side));
    if tile.is_whole() || (trial.width, trial.height) == size {
        return whole();
    }
    let Some((Node::Filter(mut model), choice)) = open(node, op, &part_of(input, trial), opening)?
    else {
        return whole();
    };
    if let Some(handle) = model.cancel_handle() {
        watch(handle);
    }
    let picture = Frame::new(input.pixels, trial.width, trial.height)?;
    // The first call makes ready what later ones find.
    model.process(&picture)?;
    let began = Instant::now();
    model.process(&picture)?;
    let area = |width: u32, height: u32| f64::from(width) * f64::from(height);
    let times = area(input.width, input.height) / area(trial.width, trial.height);
    let all = began.elapsed().mul_f64(times);
    if all <= patience.limit {
        drop(model);
        return whole();
    }
    let share = (patience.limit.as_secs_f64() / all.as_secs_f64()).sqrt();
    let scaled = |side: u32| (f64::from(side) * share) as u32;
    let wanted = (
        scaled(input.width).max(trial.width),
        scaled(input.height).max(trial.height),
    );
    let read = middle(size, wanted);
    if read != trial {
        let opened = open(node, op, &part_of(input, read), opening)?;
        let Some((Node::Filter(larger), _)) = opened else {
            return whole();
        };
        model = larger;
    }
    let output = super::output_format(node, op, input, opening.models)?;
    let part = Part {
        crop: Crop::open(read, part_of(input, read))?,
        plain: Scale::open(output.clone())?,
        given: core_of(read, size, tile.overlap),
        read,
        scale: output.width / input.width.max(1),
        model,
        output,
    };
    let share = |at: u32, side: u32| f64::from(at) / f64::from(side);
    let given = part.given;
    patience.note(Portion {
        left: share(given.x, input.width),
        top: share(given.y, input.height),
        right: share(given.x + given.width, input.width),
        bottom: share(given.y + given.height, input.height),
    });
    Ok(Some((Node::Filter(Box::new(part)), choice)))
}

/// A rectangle of about this size in the middle of a picture.
fn middle((width, height): (u32, u32), wanted: (u32, u32)) -> CropParams {
    let axis = |all: u32, wanted: u32| {
        let length = wanted / GRID * GRID;
        if length == 0 || length + GRID > all {
            return (0, all);
        }
        ((all - length) / 2 / GRID * GRID, length)
    };
    let ((x, width), (y, height)) = (axis(width, wanted.0), axis(height, wanted.1));
    CropParams {
        x,
        y,
        width,
        height,
    }
}

/// What of a part comes out as in the whole picture: at its inner borders the model misses its
/// surroundings.
fn core_of(part: CropParams, (width, height): (u32, u32), overlap: u32) -> CropParams {
    let margin = overlap.div_ceil(GRID) * GRID;
    let axis = |at: u32, length: u32, all: u32| {
        let (before, after) = (
            if at == 0 { 0 } else { margin },
            if at + length == all { 0 } else { margin },
        );
        match length.checked_sub(before + after) {
            Some(left) if left >= GRID => (at + before, left),
            _ => (at, length),
        }
    };
    let ((x, width), (y, height)) = (
        axis(part.x, part.width, width),
        axis(part.y, part.height, height),
    );
    CropParams {
        x,
        y,
        width,
        height,
    }
}

fn part_of(input: &PictureFormat, part: CropParams) -> PictureFormat {
    PictureFormat {
        width: part.width,
        height: part.height,
        ..input.clone()
    }
}

/// The node.
struct Part {
    crop: Crop,
    model: Box<dyn Filter>,
    plain: Scale,
    /// What the model gets.
    read: CropParams,
    /// What of its result is used.
    given: CropParams,
    scale: u32,
    output: PictureFormat,
}

impl Filter for Part {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn cancel_handle(&self) -> Option<CancelHandle> {
        self.model.cancel_handle()
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        let part = self.model.process(&self.crop.process(frame)?)?;
        let mut out = self.plain.process(frame)?;
        for index in 0..self.output.pixels.plane_count() {
            let (shift_x, shift_y) = match self.output.pixels.planes {
                Planes::Yuv { shift_x, shift_y } if index == 1 || index == 2 => (shift_x, shift_y),
                _ => (0, 0),
            };
            let axis = |given: (u32, u32), read: u32, shift: u8| Axis {
                to: ((given.0 * self.scale) >> shift) as usize,
                from: (((given.0 - read) * self.scale) >> shift) as usize,
                // Up to the border where a last sample is shared by fewer pixels.
                length: (given.1 * self.scale).div_ceil(1 << shift) as usize,
            };
            let x = axis((self.given.x, self.given.width), self.read.x, shift_x);
            let y = axis((self.given.y, self.given.height), self.read.y, shift_y);
            match (part.plane(index), out.plane_mut(index)?) {
                (AnyPlane::U8(from), AnyPlaneMut::U8(to)) => paste(from, to, x, y),
                (AnyPlane::U16(from), AnyPlaneMut::U16(to)) => paste(from, to, x, y),
                _ => unreachable!("both have the format of the node's output"),
            }
        }
        Ok(out)
    }
}

/// Along one axis: where samples go, where they come from, and how many.
#[derive(Clone, Copy)]
struct Axis {
    to: usize,
    from: usize,
    length: usize,
}

fn paste<T: Copy>(from: PlaneRef<'_, T>, mut to: PlaneMut<'_, T>, x: Axis, y: Axis) {
    for row in 0..y.length {
        to.row_mut(y.to + row)[x.to..x.to + x.length]
            .copy_from_slice(&from.row(y.from + row)[x.from..x.from + x.length]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: u32, y: u32, width: u32, height: u32) -> CropParams {
        CropParams {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn a_part_lies_in_the_middle_on_the_grid_of_chroma_and_never_outside() {
        assert_eq!(middle((640, 360), (256, 256)), rect(192, 52, 256, 256));
        assert_eq!(middle((321, 97), (256, 256)), rect(32, 0, 256, 97));
        assert_eq!(middle((101, 97), (256, 256)), rect(0, 0, 101, 97));
    }

    #[test]
    fn what_the_model_sees_without_its_surroundings_is_not_given() {
        let size = (640, 360);
        assert_eq!(
            core_of(rect(192, 52, 256, 256), size, 13),
            rect(208, 68, 224, 224)
        );
        // At the picture's own border it sees all there is.
        assert_eq!(
            core_of(rect(0, 52, 256, 308), size, 13),
            rect(0, 68, 240, 292)
        );
        // Where nothing would be left, a border that is not quite right is better than nothing.
        assert_eq!(core_of(rect(4, 4, 24, 24), size, 13), rect(4, 4, 24, 24));
    }

    #[test]
    fn of_two_models_the_part_counts_that_went_through_both() {
        let patience = Patience::new(Duration::ZERO);
        assert_eq!(patience.portion(), None);
        let part = |left, right| Portion {
            left,
            top: 0.0,
            right,
            bottom: 1.0,
        };
        patience.moves();
        patience.note(part(0.1, 0.8));
        patience.note(part(0.3, 0.9));
        assert_eq!(patience.portion(), Some(Some(part(0.3, 0.8))));
        patience.moves();
        assert_eq!(patience.portion(), Some(None));
    }
}
