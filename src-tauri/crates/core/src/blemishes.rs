//! What spoils a picture, told from the picture alone: noise, and the edges of the blocks in which it was
//! coded. Estimates, in steps of 8 bits: good for telling before from after.

use crate::quality::{Luma, Rgb};
use serde::Serialize;
use ts_rs::TS;

/// Side of the blocks that noise is looked for in.
const BLOCK: usize = 16;
/// So many of the blocks are flat enough to show noise alone: the flattest part.
const FLAT: usize = 4;
/// Longest side of what is looked at, in pixels.
const LOOKED_AT: usize = 1024;
/// Side of the blocks that JPEG, MPEG-2 and H.264 code.
const CODED: usize = 8;

/// How much of each there is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, TS)]
pub struct Blemishes {
    /// Standard deviation of the noise where the picture is flattest.
    pub noise: f64,
    /// By how much more samples differ across the edges of coded blocks than beside them.
    pub blocks: f64,
}

impl Blemishes {
    /// Of a picture, by its middle where it is large; `None` for one too small to tell.
    pub fn of(picture: &Rgb) -> Option<Self> {
        Self::of_luma(&middle(picture)?.luma())
    }

    fn of_luma(luma: &Luma) -> Option<Self> {
        Some(Self {
            noise: noise(luma)?,
            blocks: blocks(luma)?,
        })
    }
}

/// What lies in the middle, with coded blocks where they were.
fn middle(picture: &Rgb) -> Option<Rgb> {
    let span = |side: usize| {
        let from = side.saturating_sub(LOOKED_AT) / 2 / CODED * CODED;
        (from, side.min(LOOKED_AT))
    };
    let ((left, width), (top, height)) = (span(picture.width), span(picture.height));
    let mut data = Vec::with_capacity(width * height * 3);
    let rows = picture.data.chunks_exact(picture.width.max(1) * 3);
    for row in rows.skip(top).take(height) {
        data.extend_from_slice(row.get(left * 3..(left + width) * 3)?);
    }
    Some(Rgb {
        width,
        height,
        data,
    })
}

/// Rows of a picture, each as long as it is wide.
fn rows(luma: &Luma) -> Vec<&[f64]> {
    luma.data.chunks_exact(luma.width.max(1)).collect()
}

/// Immerkær, Fast Noise Variance Estimation (1996): a mask that answers neither to slopes nor to straight
/// edges; only where there is the least else to answer to.
fn noise(luma: &Luma) -> Option<f64> {
    let rows = rows(luma);
    // (structure, answer) of each block.
    let mut found: Vec<(f64, f64)> = Vec::new();
    for top in (1..rows.len().saturating_sub(BLOCK)).step_by(BLOCK) {
        for left in (1..luma.width.saturating_sub(BLOCK)).step_by(BLOCK) {
            found.push(block(&rows, left, top)?);
        }
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    let count = found.len().div_ceil(FLAT);
    let sum: f64 = found.iter().take(count).map(|(_, answer)| answer).sum();
    // The mean of the absolute of normal noise through the mask is 6 sigma sqrt(2 / pi).
    (count > 0).then(|| sum / count as f64 * (std::f64::consts::PI / 2.0).sqrt() / 6.0)
}

fn block(rows: &[&[f64]], left: usize, top: usize) -> Option<(f64, f64)> {
    let mut answer = 0.0;
    // Means of 4 x 4 samples, which noise hardly moves.
    let mut means = [0.0; (BLOCK / 4) * (BLOCK / 4)];
    for y in top..top + BLOCK {
        let of =
            |row: &&[f64]| -> Option<Vec<f64>> { Some(row.get(left - 1..=left + BLOCK)?.to_vec()) };
        let [above, here, below] = [
            of(rows.get(y - 1)?)?,
            of(rows.get(y)?)?,
            of(rows.get(y + 1)?)?,
        ];
        // [1 -2 1] across of [1 -2 1] down.
        let down: Vec<f64> = above
            .iter()
            .zip(&here)
            .zip(&below)
            .map(|((above, here), below)| above - 2.0 * here + below)
            .collect();
        answer += down
            .windows(3)
            .map(|three| (three[0] - 2.0 * three[1] + three[2]).abs())
            .sum::<f64>();
        for (x, value) in here.iter().skip(1).take(BLOCK).enumerate() {
            if let Some(mean) = means.get_mut((y - top) / 4 * (BLOCK / 4) + x / 4) {
                *mean += value / 16.0;
            }
        }
    }
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    let structure = means.iter().map(|value| (value - mean).powi(2)).sum();
    Some((structure, answer / (BLOCK * BLOCK) as f64))
}

/// The mean step across edges of coded blocks, less that between other neighbours.
fn blocks(luma: &Luma) -> Option<f64> {
    let rows = rows(luma);
    if luma.width < 4 * CODED || rows.len() < 4 * CODED {
        return None;
    }
    let (mut at, mut beside) = (Mean::default(), Mean::default());
    for row in &rows {
        for (x, two) in (1..).zip(row.windows(2)) {
            let step = (two[1] - two[0]).abs();
            if x % CODED == 0 { &mut at } else { &mut beside }.add(step);
        }
    }
    for (y, two) in (1..).zip(rows.windows(2)) {
        let mean = if y % CODED == 0 { &mut at } else { &mut beside };
        for (above, below) in two[0].iter().zip(two[1]) {
            mean.add((below - above).abs());
        }
    }
    Some((at.value() - beside.value()).max(0.0))
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: u64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    fn value(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(mut paint: impl FnMut(usize, usize) -> f64) -> Luma {
        let (width, height) = (320, 200);
        Luma {
            width,
            height,
            data: (0..width * height)
                .map(|i| paint(i % width, i / width))
                .collect(),
        }
    }

    /// About normal, of variance 1.
    fn normal() -> impl FnMut() -> f64 {
        let mut state = 7u64;
        let mut uniform = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as f64 / f64::from(1u32 << 31)
        };
        move || (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }

    #[test]
    fn noise_is_found_beside_edges_and_slopes() {
        for sigma in [0.0, 1.0, 4.0, 12.0] {
            let mut normal = normal();
            let noisy = picture(|x, y| {
                let edge = if (x / 23 + y / 31) % 2 == 0 {
                    60.0
                } else {
                    180.0
                };
                edge + x as f64 / 8.0 + sigma * normal()
            });
            let found = Blemishes::of_luma(&noisy).unwrap().noise;
            assert!(
                (found - sigma).abs() < 0.1 + 0.1 * sigma,
                "{sigma}: {found}"
            );
        }
    }

    #[test]
    fn edges_of_coded_blocks_are_told_from_those_of_the_picture() {
        let blocky = picture(|x, y| ((x / 8 * 8 + y / 8 * 8) as f64 / 2.0) % 200.0);
        let smooth = picture(|x, y| ((x + y) as f64 / 2.0) % 200.0);
        let of = |luma: &Luma| Blemishes::of_luma(luma).unwrap().blocks;
        assert!(of(&blocky) > 3.5, "{}", of(&blocky));
        assert!(of(&smooth) < 0.2, "{}", of(&smooth));
    }

    #[test]
    fn of_small_pictures_nothing_is_said() {
        for (width, height) in [(0, 0), (16, 16), (400, 3), (3, 400)] {
            let luma = Luma {
                width,
                height,
                data: vec![1.0; width * height],
            };
            assert_eq!(Blemishes::of_luma(&luma), None, "{width} x {height}");
        }
    }

    #[test]
    fn of_large_pictures_the_middle_is_looked_at() {
        let (width, height) = (3_000, 1_111);
        let paint = |i: usize| {
            let (x, y) = (i % width, i / width);
            let is_middle = (988..2_012).contains(&x) && (40..1_064).contains(&y);
            if is_middle {
                (x / 8 * 8 % 200) as u8
            } else {
                0
            }
        };
        let picture = Rgb {
            width,
            height,
            data: (0..width * height).flat_map(|i| [paint(i); 3]).collect(),
        };
        let part = middle(&picture).unwrap();
        assert_eq!((part.width, part.height), (1_024, 1_024));
        assert_eq!(part.data[0], paint(40 * width + 984));
        assert!(Blemishes::of(&picture).unwrap().blocks > 2.0);
        let none = Rgb {
            width: 0,
            height: 0,
            data: Vec::new(),
        };
        assert_eq!(Blemishes::of(&none), None);
    }
}
