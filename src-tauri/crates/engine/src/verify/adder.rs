//! Adding up the samples of cells.

use super::grid::Cells;
use std::ops::Range;

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

/// Adds up cells row by row, from top to bottom, for one or more channels side by side.
///
/// Rows that lie in a row of cells as a whole are added up sample by sample first, which takes a
/// few instructions for many samples; only the sums are cut into columns.
#[derive(Debug)]
pub(super) struct Adder {
    across: Vec<Stretch>,
    down: Vec<Stretch>,
    channels: usize,
    /// Rows of samples that any cell needs.
    pub rows: Range<usize>,
    /// First row of cells that is not finished.
    row: usize,
    /// Sums over the whole rows of the row of cells in hand. They hold 65,537 rows of 16 bits; a
    /// cell has a 64th of the longer side.
    line: Vec<u32>,
    /// Samples of a row that any cell needs.
    span: Range<usize>,
    /// Sums of the rows of cells in hand, channel by channel: an edge may cut a row of samples,
    /// which is then in two.
    sums: [Vec<Vec<f64>>; 2],
    /// Mean of each finished cell, row by row, of each channel.
    pub means: Vec<Vec<f32>>,
}

impl Adder {
    /// For rows of `width` pixels of `channels` samples, of which the first `counted` are added
    /// up.
    pub(super) fn new(
        cells: &Cells,
        (width, height): (usize, usize),
        (channels, counted): (usize, usize),
    ) -> Self {
        let across = Stretch::between(&cells.across, cells.size.0, width);
        let down = Stretch::between(&cells.down, cells.size.1, height);
        let touched = |stretches: &[Stretch]| match (stretches.first(), stretches.last()) {
            (Some(first), Some(last)) => first.touched().start..last.touched().end,
            _ => 0..0,
        };
        let pixels = touched(&across);
        let span = pixels.start * channels..pixels.end * channels;
        let sums = vec![vec![0.0; across.len()]; counted];
        Self {
            rows: touched(&down),
            line: vec![0; span.len()],
            span,
            sums: [sums.clone(), sums],
            means: vec![Vec::with_capacity(across.len() * down.len()); counted],
            across,
            down,
            channels,
            row: 0,
        }
    }

    /// Takes row `y`.
    pub(super) fn add<T: Copy + Into<u32>>(&mut self, y: usize, samples: &[T]) {
        let samples = &samples[self.span.clone()];
        // No cell is shorter than a sample, so that a row lies in two at most, and a whole one only
        // in the first: the row of cells before it is finished.
        for (sums, down) in self.sums.iter_mut().zip(&self.down[self.row..]) {
            let share = down.share(y);
            if share >= 1.0 {
                for (sum, &sample) in self.line.iter_mut().zip(samples) {
                    *sum += sample.into();
                }
            } else if share > 0.0 {
                let columns = (&self.across[..], self.span.start / self.channels);
                cut(samples, self.channels, columns, share, sums);
            }
        }
        while let Some(down) = self.down.get(self.row)
            && down.touched().end <= y + 1
        {
            let [sums, next] = &mut self.sums;
            let columns = (&self.across[..], self.span.start / self.channels);
            cut(&self.line, self.channels, columns, 1.0, sums);
            self.line.fill(0);
            for (means, sums) in self.means.iter_mut().zip(sums.iter()) {
                means.extend(
                    sums.iter().zip(&self.across).map(|(sum, across)| {
                        (sum / (across.length * down.length).max(1e-9)) as f32
                    }),
                );
            }
            std::mem::swap(sums, next);
            for sums in next {
                sums.fill(0.0);
            }
            self.row += 1;
        }
    }
}

/// Adds a share of `samples`, `step` to a pixel and the first of them of pixel `first`, to the
/// sums of the columns.
fn cut<T: Copy + Into<u32>>(
    samples: &[T],
    step: usize,
    (columns, first): (&[Stretch], usize),
    share: f64,
    sums: &mut [Vec<f64>],
) {
    for (channel, sums) in sums.iter_mut().enumerate() {
        let at = |pixel: usize| u64::from(samples[(pixel - first) * step + channel].into());
        for (sum, column) in sums.iter_mut().zip(columns) {
            let mut total = column.whole.clone().map(at).sum::<u64>() as f64;
            if column.is_cut {
                for (pixel, part) in column.parts {
                    if part > 0.0 {
                        total += part * at(pixel) as f64;
                    }
                }
            }
            *sum += share * total;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    /// The mean of each cell, as it is meant: every sample by the part of it that lies inside.
    fn plainly(samples: &[u16], cells: &Cells, (width, height): (usize, usize)) -> Vec<f32> {
        let overlap = |edges: &[f64], index: usize| {
            let (from, to) = (index as f64, index as f64 + 1.0);
            (edges[1].min(to) - edges[0].max(from)).max(0.0)
        };
        let mut means = Vec::new();
        for rows in cells.down.windows(2) {
            for columns in cells.across.windows(2) {
                let mut sum = 0.0;
                for y in 0..height {
                    for x in 0..width {
                        let part = overlap(rows, y) * overlap(columns, x);
                        sum += part * f64::from(samples[y * width + x]);
                    }
                }
                means.push((sum / (rows[1] - rows[0]) / (columns[1] - columns[0])) as f32);
            }
        }
        means
    }

    proptest! {
        #[test]
        fn cells_are_added_up_as_they_are_meant(
            (width, height) in (12usize..50, 12usize..50),
            (left, top) in (0.0f64..3.0, 0.0f64..3.0),
            (cell_width, cell_height) in (1.0f64..5.0, 1.0f64..5.0),
            seed in 0u32..1000,
        ) {
            let edges = |from: f64, step: f64, length: usize| -> Vec<f64> {
                let count = ((length as f64 - from) / step).floor() as usize;
                (0..=count).map(|i| from + i as f64 * step).collect()
            };
            let cells = Cells {
                size: (width as u32, height as u32),
                across: edges(left, cell_width, width),
                down: edges(top, cell_height, height),
                order: None,
            };
            // Two channels that differ, and one that does not count.
            let channel = |channel: u32| -> Vec<u16> {
                (0..(width * height) as u32)
                    .map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(seed * 7 + channel) >> 16) as u16)
                    .collect()
            };
            let (a, b) = (channel(1), channel(99));
            let mixed: Vec<u16> = a.iter().zip(&b).flat_map(|(&a, &b)| [a, b, 9]).collect();
            let mut adder = Adder::new(&cells, (width, height), (3, 2));
            for y in adder.rows.clone() {
                adder.add(y, &mixed[y * width * 3..][..width * 3]);
            }
            for (found, plane) in adder.means.iter().zip([&a, &b]) {
                let wanted = plainly(plane, &cells, (width, height));
                prop_assert_eq!(found.len(), wanted.len());
                for (found, wanted) in found.iter().zip(&wanted) {
                    prop_assert!((found - wanted).abs() < 0.5, "{} is not {}", found, wanted);
                }
            }
        }
    }
}
