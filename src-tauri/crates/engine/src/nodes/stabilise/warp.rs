//! Pictures moved by parts of a pixel.
//!
//! Beyond the border, the picture is mirrored at it.

use crate::EngineError;
use crate::motion::Similarity;
use crate::nodes::cubic::Cubic;
use crate::nodes::planes::{bands, size_of};
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, PlaneRef, Sample};
use frameloom_media::{Frame, FramePool};

/// Moves pictures of one format.
pub(super) struct Warp {
    pool: FramePool,
    cubic: Cubic,
    threads: usize,
    /// Width of a pixel by its height.
    aspect: f64,
}

impl Warp {
    pub(super) fn new(pool: FramePool, aspect: f64, threads: usize) -> Self {
        Self {
            pool,
            cubic: Cubic::new(),
            threads: threads.max(1),
            aspect,
        }
    }

    /// What a picture is whose places come from those of `source` by `back`, in pixels as high as
    /// the source's.
    pub(super) fn moved(&self, source: &Frame, back: &Similarity) -> Result<Frame, EngineError> {
        let mut out = self.pool.get()?;
        out.copy_props_from(source)?;
        let max = f32::from(source.format().max_value());
        let full = (f64::from(source.width()), f64::from(source.height()));
        for index in 0..source.format().plane_count() {
            let plane = source.plane(index);
            let (width, height) = size_of(plane);
            let steps = Steps::new(back, full, (width, height), self.aspect);
            match (plane, out.plane_mut(index)?) {
                (AnyPlane::U8(from), AnyPlaneMut::U8(to)) => self.plane(&from, to, &steps, max),
                (AnyPlane::U16(from), AnyPlaneMut::U16(to)) => self.plane(&from, to, &steps, max),
                // The pool was made for this format.
                _ => {}
            }
        }
        Ok(out)
    }

    fn plane<S: Sample>(
        &self,
        from: &PlaneRef<'_, S>,
        to: PlaneMut<'_, S>,
        steps: &Steps,
        max: f32,
    ) {
        let (width, height, stride) = (to.width, to.height, to.stride);
        bands(self.threads, height, to.data, stride, |rows, band| {
            for (y, row) in rows.zip(band.chunks_mut(stride)) {
                let row = &mut row[..width];
                let (mut x, mut v) = steps.row(y);
                for out in row {
                    *out = S::nearest(self.cubic.at(from, x, v), max);
                    x += steps.across.0;
                    v += steps.across.1;
                }
            }
        });
    }
}

/// Where the samples of a plane of the result come from.
struct Steps {
    /// The first sample of the first row.
    first: (f64, f64),
    /// From a sample to the next of its row, and of its column.
    across: (f64, f64),
    down: (f64, f64),
}

impl Steps {
    fn new(
        back: &Similarity,
        full: (f64, f64),
        (width, height): (usize, usize),
        aspect: f64,
    ) -> Self {
        // Samples of the plane per pixel.
        let (px, py) = (width as f64 / full.0, height as f64 / full.1);
        let (a, b) = back.turn;
        let across = (a, b * aspect / px * py);
        let down = (-b / aspect / py * px, a);
        let middle = (0.5 * (width as f64 - 1.0), 0.5 * (height as f64 - 1.0));
        let shift = (back.shift.0 / aspect * px, back.shift.1 * py);
        Self {
            first: (
                middle.0 - middle.0 * across.0 - middle.1 * down.0 + shift.0,
                middle.1 - middle.0 * across.1 - middle.1 * down.1 + shift.1,
            ),
            across,
            down,
        }
    }

    fn row(&self, y: usize) -> (f64, f64) {
        let y = y as f64;
        (
            self.first.0 + y * self.down.0,
            self.first.1 + y * self.down.1,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frameloom_core::pixel::{PixelFormat, Planes};

    fn frame(pixels: PixelFormat, value: impl Fn(usize, f64, f64) -> f64) -> Frame {
        let (width, height) = (96, 64);
        let mut frame = Frame::new(pixels, width, height).unwrap();
        for index in 0..pixels.plane_count() {
            let (w, h) = pixels.plane_size(index, width, height);
            // In pixels of the picture, from its middle.
            let place = |at: usize, count: u32, side: u32| {
                (at as f64 + 0.5) / f64::from(count) * f64::from(side) - 0.5 * f64::from(side)
            };
            for y in 0..h as usize {
                for x in 0..w as usize {
                    let v = value(index, place(x, w, width), place(y, h, height));
                    match frame.plane_mut(index).unwrap() {
                        AnyPlaneMut::U8(mut plane) => plane.row_mut(y)[x] = v.round() as u8,
                        AnyPlaneMut::U16(mut plane) => plane.row_mut(y)[x] = v.round() as u16,
                    }
                }
            }
        }
        frame
    }

    fn value_at(frame: &Frame, index: usize, x: usize, y: usize) -> f64 {
        match frame.plane(index) {
            AnyPlane::U8(plane) => f64::from(plane.row(y)[x]),
            AnyPlane::U16(plane) => f64::from(plane.row(y)[x]),
        }
    }

    #[test]
    fn every_plane_of_every_depth_moves_by_the_same_part_of_the_picture() {
        let yuv = |shift_x, shift_y| Planes::Yuv { shift_x, shift_y };
        for (planes, bits, alpha) in [
            (yuv(1, 1), 8, false),
            (yuv(1, 0), 10, true),
            (yuv(0, 0), 12, false),
            (Planes::Gbr, 16, true),
            (Planes::Gray, 8, false),
        ] {
            let pixels = PixelFormat {
                planes,
                bits,
                alpha,
            };
            let one = f64::from(pixels.max_value()) / 255.0;
            let slope =
                |index: usize, x: f64, y: f64| one * (110.0 + 10.0 * index as f64 + 0.7 * x - y);
            let source = frame(pixels, slope);
            let pool = FramePool::new(pixels, 96, 64).unwrap();
            let back = Similarity {
                turn: (0.9, 0.03),
                shift: (2.3, -1.6),
            };
            let found = Warp::new(pool, 1.0, 2).moved(&source, &back).unwrap();
            let wanted = frame(pixels, |index, x, y| {
                let (x, y) = back.of((x, y));
                slope(index, x, y)
            });
            for index in 0..pixels.plane_count() {
                let (w, h) = pixels.plane_size(index, 96, 64);
                for (x, y) in [(w / 2, h / 2), (w / 4, h / 3), (3 * w / 4, 2 * h / 3)] {
                    let (x, y) = (x as usize, y as usize);
                    let apart = value_at(&found, index, x, y) - value_at(&wanted, index, x, y);
                    assert!(
                        apart.abs() <= 1.0 + 0.05 * one,
                        "{pixels}, {index}: {apart}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_not_moved_is_the_same_to_the_last_bit() {
        let source = frame(PixelFormat::YUV420P8, |index, x, y| {
            (index as f64 * 50.0 + (x * 3.3).sin() * 40.0 + y + 80.0).clamp(0.0, 255.0)
        });
        let pool = FramePool::new(PixelFormat::YUV420P8, 96, 64).unwrap();
        let same = Warp::new(pool, 1.0, 1).moved(&source, &Similarity::NONE);
        assert_eq!(same.unwrap().content_hash(), source.content_hash());
    }
}
