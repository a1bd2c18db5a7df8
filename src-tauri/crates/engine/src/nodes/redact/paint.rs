//! Places of a picture made unrecognisable.
//!
//! Whatever the mode, all that is left of a place are the means of its cells, at most
//! [`CELLS`] a side, or nothing: no filter brings back what these do not hold. That is so for one
//! picture; in a clip the cells move with what was found, and whoever wants to be sure fills.

use crate::EngineError;
use frameloom_core::graph::RedactMode;
use frameloom_core::pixel::{AnyPlaneMut, PixelFormat, PlaneMut, Planes, Sample};
use frameloom_media::Frame;

/// Cells along the longer side of a place.
const CELLS: f32 = 8.0;
/// Least side of a cell in pixels of the picture.
const LEAST_CELL: f32 = 3.0;
/// An oval that runs out into the picture does so within this part of it.
const EDGE: f32 = 0.15;

/// A place in pixels of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    /// Left, top, right, bottom; they may lie outside.
    pub sides: [f32; 4],
    /// It is an oval, like a face; a rectangle otherwise.
    pub is_oval: bool,
}

/// Makes places unrecognisable, one after another. `fill` are the samples of one colour.
///
/// # Errors
/// No memory for a picture of its own.
pub(super) fn cover(
    frame: &mut Frame,
    places: &[Place],
    mode: RedactMode,
    fill: [u16; 4],
) -> Result<(), EngineError> {
    let pixels = frame.format();
    let max = f32::from(pixels.max_value());
    for index in 0..color_planes(pixels) {
        let (shift_x, shift_y) = match pixels.planes {
            Planes::Yuv { shift_x, shift_y } if index > 0 => (shift_x, shift_y),
            _ => (0, 0),
        };
        let shrink = (
            1.0 / f32::from(1u16 << shift_x),
            1.0 / f32::from(1u16 << shift_y),
        );
        let fill = f32::from(fill[index]);
        match frame.plane_mut(index)? {
            AnyPlaneMut::U8(mut plane) => {
                for place in places {
                    cover_plane(plane.reborrow(), place, shrink, (mode, fill, max));
                }
            }
            AnyPlaneMut::U16(mut plane) => {
                for place in places {
                    cover_plane(plane.reborrow(), place, shrink, (mode, fill, max));
                }
            }
        }
    }
    Ok(())
}

/// Planes before that of transparency, which stays.
fn color_planes(pixels: PixelFormat) -> usize {
    match pixels.planes {
        Planes::Gray => 1,
        Planes::Gbr | Planes::Yuv { .. } => 3,
    }
}

fn cover_plane<S: Sample>(
    mut plane: PlaneMut<'_, S>,
    place: &Place,
    shrink: (f32, f32),
    (mode, fill, max): (RedactMode, f32, f32),
) {
    let [left, top, right, bottom] = place.sides;
    let (width, height) = (right - left, bottom - top);
    // A side that is no number, or none at all, covers nothing.
    if !(width > 0.0 && height > 0.0 && width.is_finite() && height.is_finite()) {
        return;
    }
    let cell = (width.max(height) / CELLS).max(LEAST_CELL);
    let count = |side: f32| ((side / cell).round() as usize).clamp(1, CELLS as usize);
    let (columns, rows) = (count(width), count(height));
    let [left, right] = [left, right].map(|x| x * shrink.0);
    let [top, bottom] = [top, bottom].map(|y| y * shrink.1);
    let within = |from: f32, to: f32, side: usize| {
        let first = from.floor().clamp(0.0, side as f32) as usize;
        first..(to.ceil().clamp(0.0, side as f32) as usize).max(first)
    };
    let (xs, ys) = (
        within(left, right, plane.width),
        within(top, bottom, plane.height),
    );
    if xs.is_empty() || ys.is_empty() {
        return;
    }
    // Where a sample lies in the cells, counted from the middle of the first.
    let across = |at: usize, from: f32, to: f32, cells: usize| {
        (at as f32 + 0.5 - from) / (to - from) * cells as f32 - 0.5
    };
    let means = match mode {
        RedactMode::Fill => Vec::new(),
        RedactMode::Blur | RedactMode::Pixelate => {
            let mut sums = vec![(0.0f32, 0u32); columns * rows];
            for y in ys.clone() {
                let row = nearest(across(y, top, bottom, rows), rows);
                let line = &plane.as_ref().row(y)[xs.clone()];
                for (x, sample) in xs.clone().zip(line) {
                    let column = nearest(across(x, left, right, columns), columns);
                    let sum = &mut sums[row * columns + column];
                    *sum = (sum.0 + sample.to_f32(), sum.1 + 1);
                }
            }
            filled(&sums)
        }
    };
    for y in ys {
        let v = across(y, top, bottom, rows);
        let line = plane.row_mut(y);
        for x in xs.clone() {
            let weight = match place.is_oval {
                true => oval(
                    (x as f32 + 0.5 - left) / (right - left),
                    (y as f32 + 0.5 - top) / (bottom - top),
                ),
                false => 1.0,
            };
            let weight = match mode {
                RedactMode::Blur => weight,
                _ if weight > 0.0 => 1.0,
                _ => 0.0,
            };
            if weight <= 0.0 {
                continue;
            }
            let u = across(x, left, right, columns);
            let value = match mode {
                RedactMode::Fill => fill,
                RedactMode::Pixelate => means[nearest(v, rows) * columns + nearest(u, columns)],
                RedactMode::Blur => between(&means, (columns, rows), (u, v)),
            };
            let own = line[x].to_f32();
            line[x] = S::nearest(own + (value - own) * weight, max);
        }
    }
}

fn nearest(at: f32, count: usize) -> usize {
    (at.round().max(0.0) as usize).min(count - 1)
}

/// The means of the cells; one that lies outside of the picture is like those beside it.
fn filled(sums: &[(f32, u32)]) -> Vec<f32> {
    let all: (f32, u32) = sums
        .iter()
        .fold((0.0, 0), |all, sum| (all.0 + sum.0, all.1 + sum.1));
    let usual = all.0 / all.1.max(1) as f32;
    sums.iter()
        .map(|&(sum, count)| match count {
            0 => usual,
            count => sum / count as f32,
        })
        .collect()
}

/// Between the middles of four cells.
fn between(means: &[f32], (columns, rows): (usize, usize), (u, v): (f32, f32)) -> f32 {
    let axis = |at: f32, count: usize| {
        let at = at.clamp(0.0, (count - 1) as f32);
        let low = (at as usize).min(count - 1);
        (low, (low + 1).min(count - 1), at - low as f32)
    };
    let ((left, right, x), (above, below, y)) = (axis(u, columns), axis(v, rows));
    let row = |row: usize| {
        let (a, b) = (means[row * columns + left], means[row * columns + right]);
        a + (b - a) * x
    };
    let (a, b) = (row(above), row(below));
    a + (b - a) * y
}

/// How much is covered at a point of an oval, whose sides are 0 and 1.
fn oval(x: f32, y: f32) -> f32 {
    let (x, y) = (2.0 * x - 1.0, 2.0 * y - 1.0);
    ((1.0 - (x * x + y * y)) / EDGE).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use frameloom_core::pixel::AnyPlane;

    fn noise(pixels: PixelFormat) -> Frame {
        let mut frame = Frame::new(pixels, 64, 48).unwrap();
        let mut state = 1u32;
        for index in 0..pixels.plane_count() {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state >> 16
            };
            match frame.plane_mut(index).unwrap() {
                AnyPlaneMut::U8(mut plane) => {
                    for y in 0..plane.height {
                        plane.row_mut(y).fill_with(|| next() as u8);
                    }
                }
                AnyPlaneMut::U16(mut plane) => {
                    let most = pixels.max_value();
                    for y in 0..plane.height {
                        plane.row_mut(y).fill_with(|| next() as u16 % (most + 1));
                    }
                }
            }
        }
        frame
    }

    fn samples(frame: &Frame, index: usize) -> Vec<u16> {
        match frame.plane(index) {
            AnyPlane::U8(plane) => (0..plane.height)
                .flat_map(|y| plane.row(y).iter().map(|&v| u16::from(v)))
                .collect(),
            AnyPlane::U16(plane) => (0..plane.height)
                .flat_map(|y| plane.row(y).to_vec())
                .collect(),
        }
    }

    const MODES: [RedactMode; 3] = [RedactMode::Blur, RedactMode::Pixelate, RedactMode::Fill];

    #[test]
    fn only_a_place_changes_and_what_it_becomes_tells_nothing_but_means() {
        let yuv = PixelFormat::YUV420P8;
        let ten = PixelFormat { bits: 10, ..yuv };
        let gray = PixelFormat {
            planes: Planes::Gray,
            ..yuv
        };
        for (pixels, mode) in [yuv, ten, gray]
            .into_iter()
            .flat_map(|p| MODES.map(|m| (p, m)))
        {
            let before = noise(pixels);
            let mut after = before.share().unwrap();
            let place = Place {
                sides: [8.0, 8.0, 40.0, 40.0],
                is_oval: false,
            };
            cover(&mut after, &[place], mode, [16, 128, 128, 0]).unwrap();
            let (a, b) = (samples(&before, 0), samples(&after, 0));
            let inside = |at: usize| (8..40).contains(&(at % 64)) && (8..40).contains(&(at / 64));
            for (at, (a, b)) in a.iter().zip(&b).enumerate() {
                assert!(inside(at) || a == b, "{pixels} {mode:?} at {at}");
            }
            // Noise has a mean everywhere and nothing more.
            let most = f32::from(pixels.max_value());
            let spread = |all: &[u16]| {
                let inside: Vec<f32> = (0..all.len())
                    .filter(|&at| inside(at))
                    .map(|at| f32::from(all[at]) / most)
                    .collect();
                let mean = inside.iter().sum::<f32>() / inside.len() as f32;
                let square = |v: &f32| (v - mean) * (v - mean);
                (inside.iter().map(square).sum::<f32>() / inside.len() as f32).sqrt()
            };
            assert!(spread(&a) > 0.25, "{}", spread(&a));
            assert!(spread(&b) < 0.09, "{pixels} {mode:?} {}", spread(&b));
        }
    }

    #[test]
    fn an_oval_covers_its_middle_and_not_its_corners() {
        let before = noise(PixelFormat::YUV420P8);
        let mut after = before.share().unwrap();
        let place = Place {
            sides: [8.0, 8.0, 40.0, 40.0],
            is_oval: true,
        };
        cover(&mut after, &[place], RedactMode::Fill, [1, 1, 1, 0]).unwrap();
        let (a, b) = (samples(&before, 0), samples(&after, 0));
        assert_eq!(b[24 * 64 + 24], 1);
        for corner in [8 * 64 + 8, 8 * 64 + 39, 39 * 64 + 39] {
            assert_eq!(a[corner], b[corner]);
        }
    }

    #[test]
    fn places_that_lead_over_the_edges_or_are_none_are_taken_as_they_are() {
        let sides = [
            [-30.0, -30.0, 10.0, 10.0],
            [60.0, 40.0, 90.0, 90.0],
            [-500.0, -500.0, 500.0, 500.0],
            [100.0, 100.0, 120.0, 120.0],
            [5.0, 5.0, 5.0, 5.0],
            [f32::NAN, 0.0, 4.0, 4.0],
            [3.2, 3.2, 3.4, 3.4],
        ];
        for mode in MODES {
            for is_oval in [false, true] {
                let mut frame = noise(PixelFormat::YUV420P8);
                for sides in sides {
                    cover(&mut frame, &[Place { sides, is_oval }], mode, [0; 4]).unwrap();
                }
            }
        }
    }
}
