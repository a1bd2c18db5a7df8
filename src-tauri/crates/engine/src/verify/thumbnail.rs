//! A small picture of a picture: the mean of every cell of a grid, per plane.

use super::geometry::Geometry;
use crate::rgb::is_full_range;
use frameloom_core::pixel::{AnyPlane, PlaneRef, Planes};
use frameloom_media::Frame;
use frameloom_still::RowsRef;
use std::sync::Arc;

/// A rectangle of a picture, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rect {
    /// A whole picture.
    pub(crate) fn of(width: u32, height: u32) -> Self {
        Self {
            x: 0.0,
            y: 0.0,
            width: f64::from(width),
            height: f64::from(height),
        }
    }

    /// The rectangle with these two corners.
    pub(crate) fn between(a: (f64, f64), b: (f64, f64)) -> Self {
        Self {
            x: a.0.min(b.0),
            y: a.1.min(b.1),
            width: (a.0 - b.0).abs(),
            height: (a.1 - b.1).abs(),
        }
    }

    /// Left upper corner.
    pub(crate) fn corner(&self) -> (f64, f64) {
        (self.x, self.y)
    }

    /// Right lower corner.
    pub(crate) fn far_corner(&self) -> (f64, f64) {
        (self.x + self.width, self.y + self.height)
    }

    /// Moved to the right and down.
    pub(crate) fn moved(&self, x: f64, y: f64) -> Self {
        Self {
            x: self.x + x,
            y: self.y + y,
            ..*self
        }
    }

    /// In a picture that was resized.
    pub(crate) fn scaled(&self, was: (u32, u32), is: (u32, u32)) -> Self {
        let x = f64::from(is.0) / f64::from(was.0.max(1));
        let y = f64::from(is.1) / f64::from(was.1.max(1));
        Self {
            x: self.x * x,
            y: self.y * y,
            width: self.width * x,
            height: self.height * y,
        }
    }

    /// What both cover; `None` where that is nothing.
    pub(crate) fn intersection(&self, other: &Self) -> Option<Self> {
        let (a, b) = (self.far_corner(), other.far_corner());
        let (left, top) = (self.x.max(other.x), self.y.max(other.y));
        let (right, bottom) = (a.0.min(b.0), a.1.min(b.1));
        (right > left && bottom > top).then(|| Self::between((left, top), (right, bottom)))
    }
}

/// The cells that are compared: squares of `cell` source pixels.
///
/// A cell lies on whole source pixels, so that its edges fall on whole pixels of an enlarged
/// result as well; what does not fill a cell at the right and lower edge is left out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grid {
    cell: u32,
    pub columns: usize,
    pub rows: usize,
    source: Cells,
    result: Cells,
    /// Cells that something lies over.
    masked: Vec<usize>,
}

/// Where the cells lie in one of the two pictures, in its pixels.
#[derive(Debug, Clone, PartialEq)]
struct Cells {
    size: (u32, u32),
    /// Rising edges of columns and rows.
    across: Vec<f64>,
    down: Vec<f64>,
    /// For each cell of the source, row by row, the number of its cell here; `None`: the same.
    order: Option<Vec<usize>>,
}

impl Grid {
    /// About 64 cells along the longer side, none smaller than 8 pixels: a cell then holds enough
    /// samples that restored texture does not move its mean. `None` for pictures without a cell.
    pub(crate) fn new(geometry: &Geometry) -> Option<Self> {
        let view = geometry.view;
        // Half a millionth: what arithmetic may lose of a whole number.
        let (left, top) = ((view.x - 5e-7).ceil(), (view.y - 5e-7).ceil());
        let (right, bottom) = view.far_corner();
        let length = |from: f64, to: f64| (to - from + 5e-7).floor().max(0.0) as u32;
        let (width, height) = (length(left, right), length(top, bottom));
        let cell = width.max(height).div_ceil(64).max(8);
        let (columns, rows) = ((width / cell) as usize, (height / cell) as usize);
        if columns == 0 || rows == 0 {
            return None;
        }
        let edges = |from: f64, count: usize| -> Vec<f64> {
            (0..=count)
                .map(|i| from + i as f64 * f64::from(cell))
                .collect()
        };
        let source = Cells {
            size: geometry.source,
            across: edges(left, columns),
            down: edges(top, rows),
            order: None,
        };
        let rects: Vec<Rect> = source
            .down
            .windows(2)
            .flat_map(|y| {
                source
                    .across
                    .windows(2)
                    .map(move |x| (x[0], y[0], x[1], y[1]))
            })
            .map(|(x0, y0, x1, y1)| geometry.place_of(Rect::between((x0, y0), (x1, y1))))
            .collect();
        // A pixel more on each side: colours of 4:2:0 reach that far.
        let masks = geometry.masks.iter().map(|m| Rect {
            x: m.x - 2.0,
            y: m.y - 2.0,
            width: m.width + 4.0,
            height: m.height + 4.0,
        });
        let masks: Vec<Rect> = masks.filter(|m| m.width > 4.0 && m.height > 4.0).collect();
        let masked: Vec<usize> = (0..rects.len())
            .filter(|&i| masks.iter().any(|m| rects[i].intersection(m).is_some()))
            .collect();
        if masked.len() * 10 > rects.len() * 9 {
            return None;
        }
        let sorted = |values: &mut dyn Iterator<Item = f64>| {
            let mut values: Vec<f64> = values.collect();
            values.sort_by(f64::total_cmp);
            values.dedup_by(|a, b| (*a - *b).abs() < 1e-3);
            values
        };
        let across = sorted(&mut rects.iter().flat_map(|r| [r.x, r.x + r.width]));
        let down = sorted(&mut rects.iter().flat_map(|r| [r.y, r.y + r.height]));
        let nearest = |edges: &[f64], at: f64| {
            edges
                .partition_point(|edge| *edge < at - 1e-2)
                .min(edges.len().saturating_sub(2))
        };
        let order: Vec<usize> = rects
            .iter()
            .map(|r| nearest(&down, r.y) * (across.len() - 1) + nearest(&across, r.x))
            .collect();
        let same = order.iter().enumerate().all(|(i, &o)| i == o);
        Some(Self {
            cell,
            columns,
            rows,
            source,
            result: Cells {
                size: geometry.result,
                across,
                down,
                order: (!same).then_some(order),
            },
            masked,
        })
    }

    /// Source pixels along the side of a cell.
    pub(crate) fn cell_pixels(&self) -> f32 {
        self.cell as f32
    }
}

impl Cells {
    /// Edges in the samples of a plane of `length` samples that stand for `whole` pixels.
    fn in_samples(edges: &[f64], whole: u32, length: usize) -> Vec<usize> {
        edges
            .iter()
            .map(|at| {
                let scaled = at * length as f64 / f64::from(whole.max(1));
                ((scaled + 0.5).max(0.0) as usize).min(length)
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
    columns: Vec<usize>,
    rows: Vec<usize>,
    /// Row that comes next, and the row of cells that it belongs to.
    y: usize,
    row: usize,
    /// Sums of the row of cells in hand, channel by channel.
    sums: Vec<Vec<u64>>,
    planes: Vec<Vec<f32>>,
    max: f32,
}

impl RowThumbnail {
    /// Of the source, or of the result, of `channels` samples per pixel of which `colors` count.
    pub(crate) fn new(grid: &Arc<Grid>, of_result: bool, channels: usize, colors: usize) -> Self {
        let cells = if of_result {
            &grid.result
        } else {
            &grid.source
        };
        let (width, height) = cells.size;
        let columns = Cells::in_samples(&cells.across, width, width as usize);
        Self {
            rows: Cells::in_samples(&cells.down, height, height as usize),
            sums: vec![vec![0; columns.len() - 1]; colors],
            planes: vec![Vec::new(); colors],
            grid: grid.clone(),
            of_result,
            channels,
            columns,
            y: 0,
            row: 0,
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
        let cells = if self.of_result {
            &self.grid.result
        } else {
            &self.grid.source
        };
        let channels = self.channels;
        for row in samples.chunks_exact(cells.size.0 as usize * channels) {
            if let Some([top, bottom]) = self.rows.get(self.row..self.row + 2)
                && (*top..*bottom).contains(&self.y)
            {
                for (channel, sums) in self.sums.iter_mut().enumerate() {
                    for (sum, column) in sums.iter_mut().zip(self.columns.windows(2)) {
                        let cell = &row[column[0] * channels..column[1] * channels];
                        let picked = cell.iter().skip(channel).step_by(channels);
                        *sum += u64::from(picked.map(|&sample| sample.into()).sum::<u32>());
                    }
                }
                if self.y + 1 == *bottom {
                    let height = bottom - top;
                    for (sums, plane) in self.sums.iter_mut().zip(&mut self.planes) {
                        for (sum, column) in sums.iter_mut().zip(self.columns.windows(2)) {
                            let count = (height * (column[1] - column[0])).max(1);
                            plane.push(*sum as f32 / count as f32 / max);
                            *sum = 0;
                        }
                    }
                    self.row += 1;
                }
            }
            self.y += 1;
        }
    }

    /// The small picture; `None` if rows are missing.
    pub(crate) fn finish(self) -> Option<Thumbnail> {
        let cells = if self.of_result {
            &self.grid.result
        } else {
            &self.grid.source
        };
        let whole = (self.columns.len() - 1) * (self.rows.len() - 1);
        let planes = self.planes.into_iter().map(|means| {
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
    let columns = Cells::in_samples(&cells.across, cells.size.0, plane.width);
    let rows = Cells::in_samples(&cells.down, cells.size.1, plane.height);
    let mut means = Vec::with_capacity((columns.len() - 1) * (rows.len() - 1));
    let mut sums = vec![0u64; columns.len() - 1];
    for row in rows.windows(2) {
        sums.fill(0);
        for y in row[0]..row[1] {
            add_row(plane.row(y), &columns, &mut sums);
        }
        for (sum, column) in sums.iter().zip(columns.windows(2)) {
            let count = (row[1] - row[0]) * (column[1] - column[0]);
            means.push(if count == 0 {
                0.0
            } else {
                *sum as f32 / count as f32
            });
        }
    }
    means
}

/// Adds the samples of a row to the sums of its columns.
fn add_row<T: Copy + Into<u32>>(samples: &[T], columns: &[usize], sums: &mut [u64]) {
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
