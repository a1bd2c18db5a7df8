//! A small picture of a picture: the mean of every cell of a grid, per plane.

use crate::rgb::is_full_range;
use frameloom_core::pixel::{AnyPlane, PlaneRef, Planes};
use frameloom_media::Frame;

/// A rectangle of a frame, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

/// The cells that are compared: `columns` x `rows` squares of `cell` source pixels.
///
/// A cell lies on whole source pixels, so that its edges fall on whole pixels of an enlarged
/// result as well; what does not fill a cell at the right and lower edge is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    view: View,
    cell: u32,
    pub columns: usize,
    pub rows: usize,
}

impl Grid {
    /// About 64 cells along the longer side, none smaller than 8 pixels: a cell then holds enough
    /// samples that restored texture does not move its mean. `None` for pictures without a cell.
    pub(crate) fn new(view: View) -> Option<Self> {
        let cell = view.width.max(view.height).div_ceil(64).max(8);
        let (columns, rows) = (view.width / cell, view.height / cell);
        (columns > 0 && rows > 0).then_some(Self {
            view,
            cell,
            columns: columns as usize,
            rows: rows as usize,
        })
    }

    /// Source pixels along the side of a cell.
    pub(crate) fn cell_pixels(&self) -> f32 {
        self.cell as f32
    }

    /// Number of cells.
    pub(crate) fn len(&self) -> usize {
        self.columns * self.rows
    }

    /// Edges of the columns (or rows) in the samples of a plane: `length` samples stand for
    /// `whole` source pixels, of which the view begins at `start`.
    fn edges(&self, count: usize, start: u32, whole: u32, length: usize) -> Vec<usize> {
        (0..=count as u64)
            .map(|i| {
                let at = u64::from(start) + i * u64::from(self.cell);
                let scaled = (at * length as u64 * 2 + u64::from(whole)) / (2 * u64::from(whole));
                (scaled as usize).min(length)
            })
            .collect()
    }
}

/// Mean of each cell, row by row, for the first three planes. Luma and colours lie between 0 and
/// 1, chroma between -0.5 and 0.5, whatever the depth and range of the samples.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Thumbnail {
    pub planes: Vec<Vec<f32>>,
}

impl Thumbnail {
    /// Of the part of the source that `grid` lies on.
    pub(crate) fn of_source(frame: &Frame, grid: &Grid) -> Self {
        Self::take(frame, grid, (frame.width(), frame.height()), grid.view)
    }

    /// Of a whole result that shows what `grid` lies on.
    pub(crate) fn of_result(frame: &Frame, grid: &Grid) -> Self {
        let view = View {
            x: 0,
            y: 0,
            ..grid.view
        };
        Self::take(frame, grid, (view.width, view.height), view)
    }

    fn take(frame: &Frame, grid: &Grid, whole: (u32, u32), view: View) -> Self {
        let format = frame.format();
        let max = f32::from(format.max_value());
        let full = is_full_range(format, &frame.color());
        let step = max / 255.0;
        let count = match format.planes {
            Planes::Gray => 1,
            Planes::Yuv { .. } | Planes::Gbr => 3,
        };
        let planes = (0..count)
            .map(|index| {
                let chroma = index > 0 && format.planes != Planes::Gbr;
                let (offset, span) = match (full, chroma) {
                    (true, false) => (0.0, max),
                    (false, false) => (16.0 * step, 219.0 * step),
                    (true, true) => (128.0 * step, max),
                    (false, true) => (128.0 * step, 224.0 * step),
                };
                let mut cells = match frame.plane(index) {
                    AnyPlane::U8(plane) => means(plane, grid, whole, view),
                    AnyPlane::U16(plane) => means(plane, grid, whole, view),
                };
                for cell in &mut cells {
                    *cell = (*cell - offset) / span;
                }
                cells
            })
            .collect();
        Self { planes }
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

fn means<T: Copy + Into<u32>>(
    plane: PlaneRef<'_, T>,
    grid: &Grid,
    whole: (u32, u32),
    view: View,
) -> Vec<f32> {
    let columns = grid.edges(grid.columns, view.x, whole.0, plane.width);
    let rows = grid.edges(grid.rows, view.y, whole.1, plane.height);
    let mut cells = Vec::with_capacity(grid.len());
    let mut sums = vec![0u64; grid.columns];
    for row in rows.windows(2) {
        sums.fill(0);
        for y in row[0]..row[1] {
            let samples = plane.row(y);
            for (sum, column) in sums.iter_mut().zip(columns.windows(2)) {
                // A cell's row is far too short to overflow 32 bits.
                *sum += u64::from(
                    samples[column[0]..column[1]]
                        .iter()
                        .map(|&sample| sample.into())
                        .sum::<u32>(),
                );
            }
        }
        for (sum, column) in sums.iter().zip(columns.windows(2)) {
            let count = (row[1] - row[0]) * (column[1] - column[0]);
            cells.push(if count == 0 {
                0.0
            } else {
                *sum as f32 / count as f32
            });
        }
    }
    cells
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_doubled_picture_has_the_thumbnail_of_its_source() {
        let paint = |x: u32, y: u32| (x * 3 + y * 2) as u8;
        let source = painted(50, 38, paint);
        let result = painted(100, 76, |x, y| paint(x / 2, y / 2));
        let grid = Grid::new(View {
            x: 0,
            y: 0,
            width: 50,
            height: 38,
        })
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
    fn a_view_looks_only_at_what_was_cut_out() {
        let source = painted(64, 64, |x, _| if x < 32 { 16 } else { 235 });
        let cut = painted(32, 64, |_, _| 235);
        let grid = Grid::new(View {
            x: 32,
            y: 0,
            width: 32,
            height: 64,
        })
        .unwrap();
        let a = Thumbnail::of_source(&source, &grid);
        assert!(a.planes[0].iter().all(|cell| (cell - 1.0).abs() < 1e-6));
        assert!(a.distance(&Thumbnail::of_result(&cut, &grid)) < 1e-6);
    }

    #[test]
    fn a_picture_smaller_than_a_cell_has_no_grid() {
        let view = View {
            x: 0,
            y: 0,
            width: 7,
            height: 100,
        };
        assert_eq!(Grid::new(view), None);
    }
}
