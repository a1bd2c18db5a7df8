//! A small picture of a picture: the mean of every cell of a grid, per plane.

use super::geometry::Geometry;
use crate::rgb::is_full_range;
use frameloom_core::pixel::{AnyPlane, PlaneRef, Planes};
use frameloom_media::Frame;
use frameloom_still::RowsRef;
use std::ops::Range;
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

/// Least side of a cell, in pixels of the coarser of the two pictures: a cell then holds enough
/// samples, of halved chroma too, that texture which was restored or lost does not move its mean.
const LEAST_CELL: f64 = 8.0;

/// The same in pixels of a result that is smaller than its source: its chroma samples may lie a
/// quarter of their width beside those of the source, which shows at edges of strong colours.
const LEAST_SMALL_CELL: f64 = 16.0;

/// The cells that are compared: squares of `cell` source pixels.
///
/// A cell lies on whole source pixels; in the result its edges may fall anywhere, and samples that
/// they cut count in part. What does not fill a cell at the right and lower edge is left out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grid {
    cell: u32,
    /// See [`coarseness`].
    coarseness: (f64, f64),
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
    /// About 64 cells along the longer side, none smaller than [`LEAST_CELL`]. `None` for pictures
    /// without a cell.
    pub(crate) fn new(geometry: &Geometry) -> Option<Self> {
        let view = geometry.view;
        // Half a millionth: what arithmetic may lose of a whole number.
        let (left, top) = ((view.x - 5e-7).ceil(), (view.y - 5e-7).ceil());
        let (right, bottom) = view.far_corner();
        let length = |from: f64, to: f64| (to - from + 5e-7).floor().max(0.0) as u32;
        let (width, height) = (length(left, right), length(top, bottom));
        let coarseness = coarseness(geometry);
        let coarsest = coarseness.0.max(coarseness.1);
        let pixels = match coarsest > 1.0 + 1e-6 {
            true => LEAST_SMALL_CELL * coarsest,
            false => LEAST_CELL,
        };
        let least = (pixels - 5e-7).ceil() as u32;
        let cell = width.max(height).div_ceil(64).max(least);
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
            coarseness,
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

    fn cells(&self, of_result: bool) -> &Cells {
        if of_result {
            &self.result
        } else {
            &self.source
        }
    }

    /// Pixels of the coarser of the two pictures along the width and the height of a cell.
    pub(crate) fn cell_pixels(&self) -> (f32, f32) {
        let along = |coarseness| (f64::from(self.cell) / coarseness) as f32;
        (along(self.coarseness.0), along(self.coarseness.1))
    }
}

/// Source pixels along a pixel of the coarser of the two pictures, to the right and down in the
/// source: 1 where the result is as large or larger.
fn coarseness(geometry: &Geometry) -> (f64, f64) {
    let (view, place) = (geometry.view, geometry.place);
    let half = geometry.place_of(Rect {
        width: view.width / 2.0,
        ..view
    });
    // A turn by a quarter exchanges the sides.
    let (across, down) = match half.width < place.width * 0.75 {
        true => (place.width, place.height),
        false => (place.height, place.width),
    };
    let along = |source: f64, result: f64| (source / result.max(1e-6)).max(1.0);
    (along(view.width, across), along(view.height, down))
}

/// A stretch between two edges of cells, in the samples of a plane.
#[derive(Debug, Clone, PartialEq)]
struct Stretch {
    /// Samples that lie in it as a whole.
    whole: Range<usize>,
    /// Samples that an edge cuts, each with the part of it that lies inside.
    parts: [(usize, f64); 2],
    /// An edge cuts one.
    is_cut: bool,
    /// Its length in samples.
    length: f64,
}

impl Stretch {
    /// Those between neighbouring `edges`, in a plane of `length` samples that stand for `whole`
    /// pixels.
    fn between(edges: &[f64], whole: u32, length: usize) -> Vec<Self> {
        let step = length as f64 / f64::from(whole.max(1));
        let at = |edge: f64| {
            let at = (edge * step).clamp(0.0, length as f64);
            // What arithmetic lost of a whole number.
            if (at - at.round()).abs() < 1e-6 {
                at.round()
            } else {
                at
            }
        };
        let stretch = |pair: &[f64]| {
            let (start, end) = (at(pair[0]), at(pair[1]));
            let (first, last) = (start.ceil() as usize, end.floor() as usize);
            let parts = if first > last {
                // Both edges cut the same sample.
                [(last, end - start), (last, 0.0)]
            } else {
                [
                    (first.saturating_sub(1), first as f64 - start),
                    (last, end - last as f64),
                ]
            };
            Self {
                is_cut: parts.iter().any(|(_, part)| *part > 0.0),
                whole: first.min(last)..last,
                // A part of nothing may lie behind the last sample.
                parts: parts.map(|(index, part)| (index.min(length.saturating_sub(1)), part)),
                length: end - start,
            }
        };
        edges.windows(2).map(stretch).collect()
    }

    /// How much of sample `index` lies in it.
    fn share(&self, index: usize) -> f64 {
        if self.whole.contains(&index) {
            return 1.0;
        }
        self.parts
            .iter()
            .filter(|(part, _)| *part == index)
            .map(|(_, share)| share)
            .sum()
    }

    /// Samples that lie in it, as a whole or in part.
    fn touched(&self) -> Range<usize> {
        let cut = |(index, share): &(usize, f64)| (*share > 0.0).then_some(*index);
        let first = cut(&self.parts[0]).unwrap_or(self.whole.start);
        let last = cut(&self.parts[1]).map_or(self.whole.end, |index| index + 1);
        first..last.max(first + usize::from(cut(&self.parts[0]).is_some()))
    }
}

/// Adds up cells row by row, from top to bottom.
#[derive(Debug)]
struct Adder {
    across: Vec<Stretch>,
    down: Vec<Stretch>,
    /// Rows of samples that any cell needs.
    rows: Range<usize>,
    /// First row of cells that is not finished.
    row: usize,
    /// Sums of the rows of cells in hand: an edge may cut a row of samples, which is then in two.
    sums: [Vec<f64>; 2],
    means: Vec<f32>,
}

impl Adder {
    fn new(cells: &Cells, width: usize, height: usize) -> Self {
        let across = Stretch::between(&cells.across, cells.size.0, width);
        let down = Stretch::between(&cells.down, cells.size.1, height);
        let rows = match (down.first(), down.last()) {
            (Some(first), Some(last)) => first.touched().start..last.touched().end,
            _ => 0..0,
        };
        Self {
            rows,
            sums: [vec![0.0; across.len()], vec![0.0; across.len()]],
            means: Vec::with_capacity(across.len() * down.len()),
            across,
            down,
            row: 0,
        }
    }

    /// Takes row `y`, whose samples lie `step` apart.
    fn add<T: Copy + Into<u32>>(&mut self, y: usize, samples: &[T], step: usize) {
        // No cell is shorter than a sample, so that a row lies in two at most.
        for (sums, down) in self.sums.iter_mut().zip(&self.down[self.row..]) {
            let share = down.share(y);
            if share > 0.0 {
                add_row(samples, step, &self.across, share, sums);
            }
        }
        while let Some(down) = self.down.get(self.row)
            && down.touched().end <= y + 1
        {
            let [sums, next] = &mut self.sums;
            for (sum, across) in sums.iter().zip(&self.across) {
                self.means
                    .push((sum / (across.length * down.length).max(1e-9)) as f32);
            }
            std::mem::swap(sums, next);
            next.fill(0.0);
            self.row += 1;
        }
    }
}

/// Adds a share of the samples of a row to the sums of its columns.
fn add_row<T: Copy + Into<u32>>(
    samples: &[T],
    step: usize,
    columns: &[Stretch],
    share: f64,
    sums: &mut [f64],
) {
    for (sum, column) in sums.iter_mut().zip(columns) {
        // A cell's row is far too short to overflow 32 bits.
        let whole: u32 = if step == 1 {
            samples[column.whole.clone()]
                .iter()
                .map(|&sample| sample.into())
                .sum()
        } else {
            let picked = column.whole.clone().map(|index| samples[index * step]);
            picked.map(Into::into).sum()
        };
        let mut total = f64::from(whole);
        if column.is_cut {
            for (index, part) in column.parts {
                if part > 0.0 {
                    total += part * f64::from(samples[index * step].into());
                }
            }
        }
        *sum += share * total;
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
    /// Row that comes next.
    y: usize,
    /// One for each colour.
    adders: Vec<Adder>,
    max: f32,
}

impl RowThumbnail {
    /// Of the source, or of the result, of `channels` samples per pixel of which `colors` count.
    pub(crate) fn new(grid: &Arc<Grid>, of_result: bool, channels: usize, colors: usize) -> Self {
        let cells = grid.cells(of_result);
        let (width, height) = (cells.size.0 as usize, cells.size.1 as usize);
        Self {
            adders: (0..colors)
                .map(|_| Adder::new(cells, width, height))
                .collect(),
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
            for (channel, adder) in self.adders.iter_mut().enumerate() {
                if adder.rows.contains(&self.y) {
                    adder.add(self.y, &row[channel..], self.channels);
                }
            }
            self.y += 1;
        }
    }

    /// The small picture; `None` if rows are missing.
    pub(crate) fn finish(self) -> Option<Thumbnail> {
        let cells = self.grid.cells(self.of_result);
        let whole = (cells.across.len() - 1) * (cells.down.len() - 1);
        let max = self.max;
        let planes = self.adders.into_iter().map(|adder| {
            let means: Vec<f32> = adder.means.iter().map(|mean| mean / max).collect();
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
    let mut adder = Adder::new(cells, plane.width, plane.height);
    for y in adder.rows.clone() {
        adder.add(y, plane.row(y), 1);
    }
    adder.means
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
    fn a_sample_that_an_edge_cuts_counts_in_part_on_both_sides() {
        let stretches = Stretch::between(&[0.0, 5.0, 5.2, 10.0], 10, 5);
        let share = |index| stretches.iter().map(|s| s.share(index)).sum::<f64>();
        for index in 0..5 {
            assert!((share(index) - 1.0).abs() < 1e-9, "{index}");
        }
        assert_eq!(stretches[0].whole, 0..2);
        assert!((stretches[1].share(2) - 0.1).abs() < 1e-9);
        assert_eq!(stretches[1].touched(), 2..3);
        assert_eq!(stretches[2].touched(), 2..5);
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
