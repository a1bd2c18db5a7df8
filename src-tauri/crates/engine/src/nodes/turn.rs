use super::{Filter, PictureFormat};
use crate::EngineError;
use frameloom_core::color::ChromaLocation;
use frameloom_core::graph::FlipAxis;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, PlaneRef, Planes};
use frameloom_core::time::Rational;
use frameloom_media::{Frame, FramePool};

/// First the mirror (left and right swapped), then the clockwise quarter turns: the order that
/// display matrices are read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub mirror: bool,
    /// 0 to 3.
    pub quarters: u8,
}

impl Turn {
    pub(crate) fn clockwise(degrees: u32) -> Self {
        Self {
            mirror: false,
            quarters: (degrees / 90 % 4) as u8,
        }
    }

    pub(crate) fn flip(axis: FlipAxis) -> Self {
        Self {
            mirror: true,
            quarters: match axis {
                FlipAxis::Horizontal => 0,
                FlipAxis::Vertical => 2,
            },
        }
    }

    pub(crate) fn is_none(self) -> bool {
        !self.mirror && self.quarters == 0
    }

    pub(crate) fn swaps_sides(self) -> bool {
        self.quarters % 2 == 1
    }

    /// What becomes of a picture's format. Samples are moved, never computed anew, so the place
    /// of the chroma moves with them; a mirrored `Left` would lie on the right, which no tag can
    /// say: there the tag stays, and chroma lies one luma sample beside its place.
    pub(crate) fn format(self, input: &PictureFormat) -> PictureFormat {
        let mut output = input.clone();
        let chroma = input.color.chroma_location;
        if self.swaps_sides() {
            (output.width, output.height) = (input.height, input.width);
            if let Some(ratio) = input.sample_aspect_ratio.recip() {
                output.sample_aspect_ratio = ratio;
            }
            if let Planes::Yuv { shift_x, shift_y } = input.pixels.planes {
                output.pixels.planes = Planes::Yuv {
                    shift_x: shift_y,
                    shift_y: shift_x,
                };
            }
        }
        let both = Planes::Yuv {
            shift_x: 1,
            shift_y: 1,
        };
        if input.pixels.planes == both {
            let moved = self.chroma(chroma);
            let was_default = chroma == ChromaLocation::Unspecified;
            if !(was_default && moved == ChromaLocation::Left) {
                output.color.chroma_location = moved;
            }
        }
        output
    }

    fn chroma(self, from: ChromaLocation) -> ChromaLocation {
        let (mut x, y) = from.offset();
        if self.mirror {
            x = 1.0 - x;
        }
        let (x, y) = match self.quarters {
            0 => (x, y),
            1 => (1.0 - y, x),
            2 => (1.0 - x, 1.0 - y),
            _ => (y, 1.0 - x),
        };
        let found = [
            ChromaLocation::Left,
            ChromaLocation::Center,
            ChromaLocation::TopLeft,
            ChromaLocation::Top,
            ChromaLocation::BottomLeft,
            ChromaLocation::Bottom,
        ]
        .into_iter()
        .find(|location| location.offset() == (x, y));
        found.unwrap_or(match y {
            0.0 => ChromaLocation::TopLeft,
            1.0 => ChromaLocation::BottomLeft,
            _ => ChromaLocation::Left,
        })
    }
}

/// Turns and mirrors.
pub(super) struct TurnNode {
    turn: Turn,
    output: PictureFormat,
    pool: FramePool,
}

impl TurnNode {
    pub(super) fn open(turn: Turn, output: PictureFormat) -> Result<Self, EngineError> {
        let pool = FramePool::new(output.pixels, output.width, output.height)?;
        Ok(Self { turn, output, pool })
    }
}

impl Filter for TurnNode {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        let mut out = self.pool.get()?;
        out.copy_props_from(frame)?;
        if let Some(ratio) = frame.sample_aspect_ratio().and_then(Rational::recip)
            && self.turn.swaps_sides()
        {
            out.set_sample_aspect_ratio(ratio);
        }
        let mut color = frame.color();
        color.chroma_location = self.output.color.chroma_location;
        out.set_color(&color);
        for index in 0..self.output.pixels.plane_count() {
            match (frame.plane(index), out.plane_mut(index)?) {
                (AnyPlane::U8(from), AnyPlaneMut::U8(to)) => turn(from, to, self.turn),
                (AnyPlane::U16(from), AnyPlaneMut::U16(to)) => turn(from, to, self.turn),
                // The pool was made for this very format.
                _ => unreachable!("turning does not change the depth"),
            }
        }
        Ok(out)
    }
}

fn turn<T: Copy>(from: PlaneRef<'_, T>, mut to: PlaneMut<'_, T>, turn: Turn) {
    let (w, h) = (from.width, from.height);
    // Rows of the result that lie along columns of the source are made some at a time, so that
    // every line of the cache that is fetched is used whole.
    const ROWS: usize = 16;
    let column = |x: usize| if turn.mirror { w - 1 - x } else { x };
    match turn.quarters {
        0 | 2 => {
            for y in 0..h {
                let row = from.row(if turn.quarters == 0 { y } else { h - 1 - y });
                let target = to.row_mut(y);
                // Mirror and half turn each reverse the columns; both together do not.
                if turn.mirror == (turn.quarters == 2) {
                    target.copy_from_slice(row);
                } else {
                    for (out, value) in target.iter_mut().zip(row.iter().rev()) {
                        *out = *value;
                    }
                }
            }
        }
        quarters => {
            for band in (0..w).step_by(ROWS) {
                for x in 0..h {
                    let row = from.row(if quarters == 1 { h - 1 - x } else { x });
                    for y in band..(band + ROWS).min(w) {
                        let source = column(if quarters == 1 { y } else { w - 1 - y });
                        to.row_mut(y)[x] = row[source];
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(degrees: u8, mirror: bool) -> Vec<u8> {
        // 1 2 3
        // 4 5 6
        let data = [1u8, 2, 3, 4, 5, 6];
        let mut out = [0u8; 6];
        let turn_by = Turn {
            mirror,
            quarters: degrees,
        };
        let (width, height) = if degrees % 2 == 1 { (2, 3) } else { (3, 2) };
        turn(
            PlaneRef {
                data: &data,
                stride: 3,
                width: 3,
                height: 2,
            },
            PlaneMut {
                data: &mut out,
                stride: width,
                width,
                height,
            },
            turn_by,
        );
        out.to_vec()
    }

    #[test]
    fn a_picture_is_mirrored_and_then_turned_clockwise() {
        assert_eq!(turned(0, false), [1, 2, 3, 4, 5, 6]);
        assert_eq!(turned(1, false), [4, 1, 5, 2, 6, 3]);
        assert_eq!(turned(2, false), [6, 5, 4, 3, 2, 1]);
        assert_eq!(turned(3, false), [3, 6, 2, 5, 1, 4]);
        assert_eq!(turned(0, true), [3, 2, 1, 6, 5, 4]);
        assert_eq!(turned(1, true), [6, 3, 5, 2, 4, 1]);
        // Top and bottom swapped.
        assert_eq!(turned(2, true), [4, 5, 6, 1, 2, 3]);
    }

    #[test]
    fn the_place_of_chroma_turns_with_the_picture() {
        let at = |degrees, from| Turn::clockwise(degrees).chroma(from);
        assert_eq!(at(90, ChromaLocation::Left), ChromaLocation::Top);
        assert_eq!(at(270, ChromaLocation::Left), ChromaLocation::Bottom);
        assert_eq!(at(270, ChromaLocation::Top), ChromaLocation::Left);
        assert_eq!(at(180, ChromaLocation::Center), ChromaLocation::Center);
        let upside_down = Turn::flip(FlipAxis::Vertical);
        assert_eq!(
            upside_down.chroma(ChromaLocation::TopLeft),
            ChromaLocation::BottomLeft
        );
    }
}
