//! Small pictures of numbers, and the ways between them and the planes of a frame.

use frameloom_core::pixel::{AnyPlane, PlaneRef, Sample};

/// Numbers on a grid that lies over a picture of any size, row by row.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Grid {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Grid {
    /// A grid of this size; what was in it is undefined.
    pub(super) fn resize(&mut self, (width, height): (usize, usize)) {
        (self.width, self.height) = (width, height);
        self.values.resize(width * height, 0.0);
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The means of a plane over the cells of this grid: each sample counts for one cell. The grid
    /// is not finer than the plane.
    pub(super) fn shrink(&mut self, plane: AnyPlane<'_>, gain: f32) {
        match plane {
            AnyPlane::U8(plane) => self.shrink_rows(plane, gain),
            AnyPlane::U16(plane) => self.shrink_rows(plane, gain),
        }
    }

    fn shrink_rows<S: Sample>(&mut self, plane: PlaneRef<'_, S>, gain: f32) {
        self.shrink_by((plane.width, plane.height), gain, |y, out| {
            for (out, sample) in out.iter_mut().zip(plane.row(y)) {
                *out = sample.to_f32();
            }
        });
    }

    /// As [`Grid::shrink`], of rows that `read` gives.
    pub(super) fn shrink_by(
        &mut self,
        (width, height): (usize, usize),
        gain: f32,
        mut read: impl FnMut(usize, &mut [f32]),
    ) {
        let edges: Vec<usize> = (0..=self.width).map(|x| x * width / self.width).collect();
        let mut row = vec![0.0; width];
        let mut sums = vec![0.0; width];
        for y in 0..self.height {
            let rows = y * height / self.height..(y + 1) * height / self.height;
            let count = rows.len();
            for (at, from) in rows.enumerate() {
                // Whole rows first: a loop that compilers make vectors of.
                match at {
                    0 => read(from, &mut sums),
                    _ => {
                        read(from, &mut row);
                        for (sum, v) in sums.iter_mut().zip(&row) {
                            *sum += v;
                        }
                    }
                }
            }
            let target = &mut self.values[y * self.width..][..self.width];
            for (out, edge) in target.iter_mut().zip(edges.windows(2)) {
                let cells = &sums[edge[0]..edge[1]];
                *out = cells.iter().sum::<f32>() * gain / (cells.len() * count).max(1) as f32;
            }
        }
    }

    /// The mean over a square of `2 * radius + 1` cells around each, less of it at the borders, in
    /// place. `scratch` becomes as large.
    pub(super) fn blur(&mut self, radius: usize, scratch: &mut Vec<f32>) {
        let (width, height) = self.size();
        if radius == 0 || width == 0 || height == 0 {
            return;
        }
        scratch.resize(width * height, 0.0);
        const TOGETHER: usize = 8;
        let rows = self.values.chunks(width * TOGETHER);
        for (from, to) in rows.zip(scratch.chunks_mut(width * TOGETHER)) {
            match from.len() == width * TOGETHER {
                true => means_along::<TOGETHER>(from, to, width, radius),
                false => {
                    for (from, to) in from.chunks(width).zip(to.chunks_mut(width)) {
                        means_along::<1>(from, to, width, radius);
                    }
                }
            }
        }
        let mut sums = vec![0.0f32; width];
        let mut count = radius.min(height);
        for row in scratch.chunks_exact(width).take(count) {
            for (sum, v) in sums.iter_mut().zip(row) {
                *sum += v;
            }
        }
        for (y, out) in self.values.chunks_exact_mut(width).enumerate() {
            if y + radius < height {
                let row = &scratch[(y + radius) * width..][..width];
                for (sum, v) in sums.iter_mut().zip(row) {
                    *sum += v;
                }
                count += 1;
            }
            if y > radius {
                let row = &scratch[(y - radius - 1) * width..][..width];
                for (sum, v) in sums.iter_mut().zip(row) {
                    *sum -= v;
                }
                count -= 1;
            }
            let share = 1.0 / count as f32;
            for (out, sum) in out.iter_mut().zip(&sums) {
                *out = sum * share;
            }
        }
    }

    /// `self` at another size, by the two nearest cells in each direction.
    pub(super) fn resampled(&self, target: &mut Grid) {
        let lens = Lens::new(self.size(), target.size());
        let mut line = Vec::new();
        let width = target.width;
        for (y, row) in target.values.chunks_exact_mut(width.max(1)).enumerate() {
            lens.line(self, y, &mut line);
            lens.across(&line, row);
        }
    }
}

/// The means over `2 * radius + 1` cells along `N` rows of `width` cells. Each sum waits for the one before
/// it, so rows are summed together: alone, the processor would do nothing else meanwhile.
fn means_along<const N: usize>(from: &[f32], to: &mut [f32], width: usize, radius: usize) {
    let begun = radius.min(width);
    let mut sums = [0.0f32; N];
    for (sum, row) in sums.iter_mut().zip(from.chunks_exact(width)) {
        *sum = row.iter().take(begun).sum();
    }
    for x in 0..width {
        let enters = (x + radius < width).then_some(x + radius);
        let leaves = x.checked_sub(radius + 1);
        let count = (x + radius + 1).min(width) - x.saturating_sub(radius);
        let share = 1.0 / count as f32;
        let rows = from.chunks_exact(width).zip(to.chunks_exact_mut(width));
        for (sum, (row, out)) in sums.iter_mut().zip(rows) {
            let cell = |at: Option<usize>| at.map_or(0.0, |at| row[at]);
            *sum += cell(enters) - cell(leaves);
            out[x] = *sum * share;
        }
    }
}

/// Where the samples of a larger plane lie between the cells of a grid.
#[derive(Debug, Clone)]
pub(super) struct Lens {
    /// The left of the two nearest cells, and how near the right one is, 0 to 1.
    columns: Vec<(u32, f32)>,
    rows: Vec<(u32, f32)>,
    height: usize,
}

impl Lens {
    /// From a grid of the size `from` to a plane of the size `to`.
    pub(super) fn new(from: (usize, usize), to: (usize, usize)) -> Self {
        let axis = |from: usize, to: usize| {
            let last = from.saturating_sub(1);
            (0..to)
                .map(|at| {
                    let place = (at as f64 + 0.5) * from as f64 / to as f64 - 0.5;
                    let place = place.clamp(0.0, last as f64);
                    // The right neighbour is always there.
                    let left = (place as usize).min(last.saturating_sub(1));
                    (left as u32, (place - left as f64) as f32)
                })
                .collect()
        };
        Self {
            columns: axis(from.0, to.0),
            rows: axis(from.1, to.1),
            height: from.1,
        }
    }

    /// The cells of the grid at the height of the plane's row `y`.
    pub(super) fn line(&self, grid: &Grid, y: usize, line: &mut Vec<f32>) {
        let (above, share) = self.rows[y];
        let row = |y: usize| &grid.values[y * grid.width..][..grid.width];
        let above = above as usize;
        let below = (above + 1).min(self.height.saturating_sub(1));
        line.clear();
        let pairs = row(above).iter().zip(row(below));
        line.extend(pairs.map(|(a, b)| a + (b - a) * share));
        // So that a grid of one column has a right neighbour too.
        line.extend(line.last().copied());
    }

    /// A row of the plane out of a [`Lens::line`].
    pub(super) fn across(&self, line: &[f32], row: &mut [f32]) {
        for (out, &(left, share)) in row.iter_mut().zip(&self.columns) {
            let (a, b) = (line[left as usize], line[left as usize + 1]);
            *out = a + (b - a) * share;
        }
    }

    /// One sample out of a [`Lens::line`].
    pub(super) fn at(&self, line: &[f32], x: usize) -> f32 {
        let (left, share) = self.columns[x];
        let (a, b) = (line[left as usize], line[left as usize + 1]);
        a + (b - a) * share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(width: usize, height: usize, value: impl Fn(usize, usize) -> f32) -> Grid {
        let cells = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Grid {
            width,
            height,
            values: cells.map(|(x, y)| value(x, y)).collect(),
        }
    }

    #[test]
    fn a_blur_is_the_mean_of_what_lies_around_and_of_less_at_the_borders() {
        let wave = |x: usize, y: usize| ((x * 7 + y * 13) % 11) as f32;
        for (width, height, radius) in [(9, 7, 2), (3, 5, 4), (1, 8, 1), (8, 1, 3)] {
            let source = grid(width, height, wave);
            let mut blurred = source.clone();
            blurred.blur(radius, &mut Vec::new());
            for y in 0..height {
                for x in 0..width {
                    let (mut sum, mut count) = (0.0, 0);
                    for v in y.saturating_sub(radius)..=(y + radius).min(height - 1) {
                        for u in x.saturating_sub(radius)..=(x + radius).min(width - 1) {
                            sum += wave(u, v);
                            count += 1;
                        }
                    }
                    let found = blurred.values[y * width + x];
                    assert!((found - sum / count as f32).abs() < 1e-3, "{x}, {y}");
                }
            }
        }
    }

    #[test]
    fn a_slope_stays_a_slope_at_another_size() {
        let small = grid(8, 4, |x, y| x as f32 + 10.0 * y as f32);
        let mut large = Grid::default();
        large.resize((32, 16));
        small.resampled(&mut large);
        // The cell 3, 2 lies around the sample 13.5, 9.5.
        let mean = [13, 14].map(|x| [9, 10].map(|y| large.values[y * 32 + x]));
        let mean = mean.iter().flatten().sum::<f32>() / 4.0;
        assert!((mean - 23.0).abs() < 1e-4, "{mean}");
        let mut back = Grid::default();
        back.resize((8, 4));
        back.shrink_by((32, 16), 1.0, |y, out| {
            out.copy_from_slice(&large.values[y * 32..][..32]);
        });
        assert!((back.values[2 * 8 + 3] - 23.0).abs() < 1e-4);
        // One cell is the same everywhere.
        let one = grid(1, 1, |_, _| 4.0);
        one.resampled(&mut large);
        assert!(large.values.iter().all(|&v| v == 4.0));
    }
}
