use super::{Filter, PictureFormat};
use crate::EngineError;
use frameloom_core::graph::CropParams;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, PlaneRef, Planes};
use frameloom_media::{Frame, FramePool};

/// Cuts out a rectangle.
pub(super) struct Crop {
    rect: CropParams,
    output: PictureFormat,
    pool: FramePool,
}

impl Crop {
    pub(super) fn open(rect: CropParams, output: PictureFormat) -> Result<Self, EngineError> {
        let pool = FramePool::new(output.pixels, output.width, output.height)?;
        Ok(Self { rect, output, pool })
    }
}

impl Filter for Crop {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        let mut out = self.pool.get()?;
        out.copy_props_from(frame)?;
        for index in 0..self.output.pixels.plane_count() {
            let (shift_x, shift_y) = match self.output.pixels.planes {
                Planes::Yuv { shift_x, shift_y } if index == 1 || index == 2 => (shift_x, shift_y),
                _ => (0, 0),
            };
            let (x, y) = (
                (self.rect.x >> shift_x) as usize,
                (self.rect.y >> shift_y) as usize,
            );
            match (frame.plane(index), out.plane_mut(index)?) {
                (AnyPlane::U8(from), AnyPlaneMut::U8(to)) => copy_from(from, to, x, y),
                (AnyPlane::U16(from), AnyPlaneMut::U16(to)) => copy_from(from, to, x, y),
                // The pool was made for this very format.
                _ => unreachable!("crop does not change the depth"),
            }
        }
        Ok(out)
    }
}

fn copy_from<T: Copy>(from: PlaneRef<'_, T>, mut to: PlaneMut<'_, T>, x: usize, y: usize) {
    for row in 0..to.height {
        let width = to.width;
        to.row_mut(row)
            .copy_from_slice(&from.row(y + row)[x..x + width]);
    }
}
