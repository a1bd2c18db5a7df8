//! Where pictures are compared: the cells of a grid, and where they lie in each of the two.

use super::geometry::Geometry;

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
    pub(super) source: Cells,
    pub(super) result: Cells,
    /// Cells that something lies over.
    pub(super) masked: Vec<usize>,
}

/// Where the cells lie in one of the two pictures, in its pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cells {
    pub size: (u32, u32),
    /// Rising edges of columns.
    pub across: Vec<f64>,
    /// Rising edges of rows.
    pub down: Vec<f64>,
    /// For each cell of the source, row by row, the number of its cell here; `None`: the same.
    pub order: Option<Vec<usize>>,
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

    pub(super) fn cells(&self, of_result: bool) -> &Cells {
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
