use super::{Filter, PictureFormat};
use crate::EngineError;
use crate::rgb::samples_of_rgb;
use frameloom_core::graph::{PadParams, parse_color};
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, PlaneRef, Planes};
use frameloom_media::{Frame, FramePool};

/// Puts the picture on a larger ground of one colour.
pub(super) struct Pad {
    at: (u32, u32),
    ground: Vec<u16>,
    output: PictureFormat,
    pool: FramePool,
}

impl Pad {
    pub(super) fn open(params: &PadParams, output: PictureFormat) -> Result<Self, EngineError> {
        let pool = FramePool::new(output.pixels, output.width, output.height)?;
        let rgb = parse_color(&params.color).unwrap_or_default();
        let rgb = rgb.map(|value| f32::from(value) / 255.0);
        let ground = samples_of_rgb(
            output.pixels,
            &output.color,
            (output.width, output.height),
            rgb,
        );
        Ok(Self {
            at: (params.x, params.y),
            ground,
            output,
            pool,
        })
    }
}

impl Filter for Pad {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError> {
        let mut out = self.pool.get()?;
        out.copy_props_from(frame)?;
        for (index, ground) in self.ground.iter().enumerate() {
            let (shift_x, shift_y) = match self.output.pixels.planes {
                Planes::Yuv { shift_x, shift_y } if index == 1 || index == 2 => (shift_x, shift_y),
                _ => (0, 0),
            };
            let at = (
                (self.at.0 >> shift_x) as usize,
                (self.at.1 >> shift_y) as usize,
            );
            match (frame.plane(index), out.plane_mut(index)?) {
                (AnyPlane::U8(from), AnyPlaneMut::U8(to)) => put(from, to, at, *ground as u8),
                (AnyPlane::U16(from), AnyPlaneMut::U16(to)) => put(from, to, at, *ground),
                // The pool was made for this very format.
                _ => unreachable!("padding does not change the depth"),
            }
        }
        Ok(out)
    }
}

fn put<T: Copy>(from: PlaneRef<'_, T>, mut to: PlaneMut<'_, T>, (x, y): (usize, usize), ground: T) {
    for row in 0..to.height {
        let target = to.row_mut(row);
        match row.checked_sub(y).filter(|&r| r < from.height) {
            Some(source) => {
                target[..x].fill(ground);
                target[x..x + from.width].copy_from_slice(from.row(source));
                target[x + from.width..].fill(ground);
            }
            None => target.fill(ground),
        }
    }
}
