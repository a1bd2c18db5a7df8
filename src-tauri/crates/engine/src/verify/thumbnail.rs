//! A small picture of a picture: the mean of every cell of a grid, per plane.

use super::adder::Adder;
use super::grid::{Cells, Grid};
use crate::rgb::is_full_range;
use frameloom_core::pixel::{AnyPlane, PlaneRef, Planes};
use frameloom_media::Frame;
use frameloom_still::RowsRef;
use std::sync::Arc;

/// Mean of each cell, row by row, for the first three planes. Luma and colours lie between 0 and
/// 1, chroma between -0.5 and 0.5, whatever the depth and range of the samples.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Thumbnail {
    pub planes: Vec<Vec<f32>>,
}

impl Thumbnail {
    /// Of the part of the source that `grid` lies on.
    pub(crate) fn of_source(frame: &Frame, grid: &Grid) -> Self {
        Self::take(frame, &grid.source).masked(grid)
    }

    /// Of the same part in a result.
    pub(crate) fn of_result(frame: &Frame, grid: &Grid) -> Self {
        Self::take(frame, &grid.result).masked(grid)
    }

    /// Makes the cells that something lies over the same in every picture.
    fn masked(mut self, grid: &Grid) -> Self {
        for plane in &mut self.planes {
            for &cell in &grid.masked {
                plane[cell] = 0.0;
            }
        }
        self
    }

    fn take(frame: &Frame, cells: &Cells) -> Self {
        let format = frame.format();
        let count = match format.planes {
            Planes::Gray => 1,
            Planes::Yuv { .. } | Planes::Gbr => 3,
        };
        let full = is_full_range(format, &frame.color());
        let planes = (0..count)
            .map(|index| {
                let mut means = match frame.plane(index) {
                    AnyPlane::U8(plane) => means(plane, cells),
                    AnyPlane::U16(plane) => means(plane, cells),
                };
                let max = f32::from(format.max_value());
                let chroma = index > 0 && format.planes != Planes::Gbr;
                normalise(&mut means, max, full, chroma);
                match &cells.order {
                    None => means,
                    Some(order) => order.iter().map(|&cell| means[cell]).collect(),
                }
            })
            .collect();
        Self { planes }
    }

    /// In R, G and B, whatever matrix the samples had: means go through it like samples.
    pub(crate) fn into_rgb(mut self, frame: &Frame) -> Self {
        if frame.format().planes == Planes::Gbr {
            self.planes.rotate_right(1);
            return self;
        }
        let [luma, cb, cr] = &self.planes[..] else {
            let gray = self.planes.swap_remove(0);
            return Self {
                planes: vec![gray.clone(), gray.clone(), gray],
            };
        };
        let color = frame.color();
        let (matrix, _) = color.matrix_or_guess(frame.width(), frame.height());
        let (kr, kb) = matrix.kr_kb().unwrap_or((0.2126, 0.0722));
        let (kr, kb) = (kr as f32, kb as f32);
        let mut planes = vec![Vec::new(); 3];
        for ((&y, &cb), &cr) in luma.iter().zip(cb).zip(cr) {
            let (r, b) = (y + 2.0 * (1.0 - kr) * cr, y + 2.0 * (1.0 - kb) * cb);
            planes[0].push(r);
            planes[1].push((y - kr * r - kb * b) / (1.0 - kr - kb));
            planes[2].push(b);
        }
        Self { planes }
    }

    /// Only the first plane, with its mean at 0 and its spread at 1; `None` for a picture without
    /// structure.
    pub(crate) fn toneless(&self) -> Option<Self> {
        let luma = self.planes.first()?;
        let count = luma.len() as f32;
        let mean = luma.iter().sum::<f32>() / count;
        let spread = (luma.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / count).sqrt();
        (spread > 0.01).then(|| Self {
            planes: vec![luma.iter().map(|v| (v - mean) / spread).collect()],
        })
    }

    /// Mean absolute difference of the first plane.
    pub(crate) fn distance(&self, other: &Self) -> f32 {
        match (self.planes.first(), other.planes.first()) {
            (Some(a), Some(b)) if !a.is_empty() => {
                a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>() / a.len() as f32
            }
            _ => 0.0,
        }
    }
}

/// A small picture of a picture that comes in rows, R, G and B side by side, from top to bottom.
pub(crate) struct RowThumbnail {
    grid: Arc<Grid>,
    of_result: bool,
    channels: usize,
    /// Row that comes next.
    y: usize,
    adder: Adder,
    max: f32,
}

impl RowThumbnail {
    /// Of the source, or of the result, of `channels` samples per pixel of which `colors` count.
    pub(crate) fn new(grid: &Arc<Grid>, of_result: bool, channels: usize, colors: usize) -> Self {
        let cells = grid.cells(of_result);
        let (width, height) = (cells.size.0 as usize, cells.size.1 as usize);
        Self {
            adder: Adder::new(cells, (width, height), (channels, colors)),
            grid: grid.clone(),
            of_result,
            channels,
            y: 0,
            max: 255.0,
        }
    }

    /// Takes whole rows.
    pub(crate) fn push(&mut self, rows: RowsRef<'_>) {
        match rows {
            RowsRef::U8(samples) => self.add(samples, 255.0),
            RowsRef::U16(samples) => self.add(samples, 65_535.0),
        }
    }

    fn add<T: Copy + Into<u32>>(&mut self, samples: &[T], max: f32) {
        self.max = max;
        let width = self.grid.cells(self.of_result).size.0 as usize;
        for row in samples.chunks_exact(width * self.channels) {
            if self.adder.rows.contains(&self.y) {
                self.adder.add(self.y, row);
            }
            self.y += 1;
        }
    }

    /// The small picture; `None` if rows are missing.
    pub(crate) fn finish(self) -> Option<Thumbnail> {
        let cells = self.grid.cells(self.of_result);
        let whole = (cells.across.len() - 1) * (cells.down.len() - 1);
        let max = self.max;
        let planes = self.adder.means.into_iter().map(|means| {
            let means: Vec<f32> = means.iter().map(|mean| mean / max).collect();
            (means.len() == whole).then(|| match &cells.order {
                None => means,
                Some(order) => order.iter().map(|&cell| means[cell]).collect(),
            })
        });
        let small = Thumbnail {
            planes: planes.collect::<Option<_>>()?,
        };
        Some(small.masked(&self.grid))
    }
}

/// Luma and colours between 0 and 1, chroma between -0.5 and 0.5.
fn normalise(means: &mut [f32], max: f32, full: bool, chroma: bool) {
    let step = max / 255.0;
    let (offset, span) = match (full, chroma) {
        (true, false) => (0.0, max),
        (false, false) => (16.0 * step, 219.0 * step),
        (true, true) => (128.0 * step, max),
        (false, true) => (128.0 * step, 224.0 * step),
    };
    for mean in means {
        *mean = (*mean - offset) / span;
    }
}

fn means<T: Copy + Into<u32>>(plane: PlaneRef<'_, T>, cells: &Cells) -> Vec<f32> {
    let mut adder = Adder::new(cells, (plane.width, plane.height), (1, 1));
    for y in adder.rows.clone() {
        adder.add(y, plane.row(y));
    }
    adder.means.swap_remove(0)
}

#[cfg(test)]
mod tests {
    use super::super::geometry::Geometry;
    use super::super::grid::Rect;
    use super::*;
    use frameloom_core::pixel::{AnyPlaneMut, PixelFormat};

    fn painted(width: u32, height: u32, paint: impl Fn(u32, u32) -> u8) -> Frame {
        let mut frame = Frame::new(PixelFormat::YUV420P8, width, height).unwrap();
        for index in 0..3 {
            let AnyPlaneMut::U8(mut plane) = frame.plane_mut(index).unwrap() else {
                panic!("8 bit");
            };
            for y in 0..plane.height {
                for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                    *sample = if index == 0 {
                        paint(x as u32, y as u32)
                    } else {
                        128
                    };
                }
            }
        }
        frame
    }

    fn shown(view: Rect, source: (u32, u32), place: Rect, result: (u32, u32)) -> Geometry {
        Geometry {
            view,
            place,
            source,
            result,
            turns: Vec::new(),
            masks: Vec::new(),
            covered: false,
            restyled: false,
            recolored: false,
            recoded: false,
            seams: None,
        }
    }

    #[test]
    fn a_doubled_picture_has_the_thumbnail_of_its_source() {
        let paint = |x: u32, y: u32| (x * 3 + y * 2) as u8;
        let source = painted(50, 38, paint);
        let result = painted(100, 76, |x, y| paint(x / 2, y / 2));
        let grid = Grid::new(&shown(
            Rect::of(50, 38),
            (50, 38),
            Rect::of(100, 76),
            (100, 76),
        ))
        .unwrap();
        assert_eq!((grid.columns, grid.rows), (6, 4));
        let (a, b) = (
            Thumbnail::of_source(&source, &grid),
            Thumbnail::of_result(&result, &grid),
        );
        assert!(a.distance(&b) < 1e-6);
        assert!(a.planes[1].iter().all(|chroma| chroma.abs() < 1e-6));
    }

    #[test]
    fn a_shrunk_picture_has_the_thumbnail_of_its_source_whatever_the_ratio() {
        // Brightness rises evenly to the right, so that the mean of a pixel is that of its middle;
        // chroma likewise.
        let ramp = |width: u32, height: u32| {
            let mut frame = painted(width, height, |x, _| {
                (20.0 + 200.0 * (f64::from(x) + 0.5) / f64::from(width)).round() as u8
            });
            let AnyPlaneMut::U8(mut plane) = frame.plane_mut(1).unwrap() else {
                panic!("8 bit");
            };
            let (wide, high) = (plane.width, plane.height);
            for y in 0..high {
                for (x, sample) in plane.row_mut(y).iter_mut().enumerate() {
                    let at = (x as f64 + 0.5 + y as f64 + 0.5) / (wide + high) as f64;
                    *sample = (40.0 + 160.0 * at).round() as u8;
                }
            }
            frame
        };
        let source = ramp(1920, 1080);
        for (width, height) in [
            (480, 270),
            (800, 450),
            (426, 240),
            (160, 90),
            (96, 54),
            (2880, 1620),
        ] {
            let grid = Grid::new(&shown(
                Rect::of(1920, 1080),
                (1920, 1080),
                Rect::of(width, height),
                (width, height),
            ))
            .unwrap();
            let (a, b) = (
                Thumbnail::of_source(&source, &grid),
                Thumbnail::of_result(&ramp(width, height), &grid),
            );
            for (a, b) in a.planes.iter().zip(&b.planes) {
                for (a, b) in a.iter().zip(b) {
                    assert!((a - b).abs() < 0.002, "{width}x{height}: {a} and {b}");
                }
            }
        }
    }

    #[test]
    fn a_view_looks_only_at_what_was_cut_out() {
        let source = painted(64, 64, |x, _| if x < 32 { 16 } else { 235 });
        let cut = painted(32, 64, |_, _| 235);
        let view = Rect::of(32, 64).moved(32.0, 0.0);
        let grid = Grid::new(&shown(view, (64, 64), Rect::of(32, 64), (32, 64))).unwrap();
        let a = Thumbnail::of_source(&source, &grid);
        assert!(a.planes[0].iter().all(|cell| (cell - 1.0).abs() < 1e-6));
        assert!(a.distance(&Thumbnail::of_result(&cut, &grid)) < 1e-6);
    }

    #[test]
    fn a_picture_smaller_than_a_cell_has_no_grid() {
        let small = Rect::of(7, 100);
        assert_eq!(Grid::new(&shown(small, (7, 100), small, (7, 100))), None);
    }
}
