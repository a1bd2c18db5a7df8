//! Cubic resampling of one plane, aware of where chroma samples sit.
//!
//! Swscale cannot move a single plane by a fraction of a sample, and a wrong chroma position is a
//! colour fringe on every edge, so this small resampler is our own. The kernel is Keys' cubic with
//! a = -0.5 (R. Keys, "Cubic convolution interpolation for digital image processing", 1981), the
//! one that the super-resolution benchmarks call bicubic; shrinking widens it against aliasing.

use frameloom_core::pixel::{PlaneMut, PlaneRef, Sample};
use std::ops::Range;

/// One direction of a resampling: output sample `i` lies at `i * step + start` of the input.
#[derive(Debug, Clone)]
pub struct Axis {
    /// Per output sample: index of the first tap in a row that is padded by `pad` on both sides.
    first: Vec<u32>,
    /// `taps` weights per output sample, normalised.
    weights: Vec<f32>,
    taps: usize,
    pad: usize,
    input: usize,
    /// Output samples that come in pairs with the same weights as the pair before, one input
    /// sample further on: all but those near the edges when a plane is doubled.
    pairs: Range<usize>,
}

impl Axis {
    /// From `input` to `output` samples. `step` is the distance between output samples and
    /// `start` the place of the first, both in input samples.
    pub fn new(input: usize, output: usize, step: f64, start: f64) -> Self {
        let widen = step.max(1.0);
        let radius = 2.0 * widen;
        let taps = (2.0 * radius).ceil() as usize;
        // Far taps of the first and last samples fall at most this much outside.
        let pad = taps + start.abs().ceil() as usize + 1;
        let mut first = Vec::with_capacity(output);
        let mut weights = Vec::with_capacity(output * taps);
        for i in 0..output {
            let center = i as f64 * step + start;
            // Positions beyond the picture repeat its edge.
            let center = center.clamp(-1.0, input as f64);
            let left = (center - radius).floor() as i64 + 1;
            let at = weights.len();
            let mut sum = 0.0;
            for tap in 0..taps {
                let weight = keys_cubic((center - (left + tap as i64) as f64) / widen);
                sum += weight;
                weights.push(weight);
            }
            for weight in &mut weights[at..] {
                *weight /= sum;
            }
            first.push((left + pad as i64) as u32);
        }
        let weights: Vec<f32> = weights.into_iter().map(|w| w as f32).collect();
        let pairs = pairs(&first, &weights, taps);
        Self {
            first,
            weights,
            taps,
            pad,
            input,
            pairs,
        }
    }

    /// Enlarging by the whole number `scale`, edges aligned (pixel centres at half samples).
    pub fn enlarge(input: usize, scale: usize) -> Self {
        let scale_f = scale as f64;
        Self::new(input, input * scale, 1.0 / scale_f, 0.5 / scale_f - 0.5)
    }

    /// Enlarging chroma that is subsampled by two in this direction, before and after, and sits
    /// `offset` luma samples from the first luma sample of its pair.
    pub fn enlarge_chroma(input: usize, output: usize, scale: usize, offset: f64) -> Self {
        let scale = scale as f64;
        Self::new(
            input,
            output,
            1.0 / scale,
            (offset + 0.5) / (2.0 * scale) - 0.25 - offset / 2.0,
        )
    }

    /// From subsampled chroma to one sample per luma sample.
    pub fn chroma_to_luma(input: usize, output: usize, offset: f64) -> Self {
        Self::new(input, output, 0.5, -offset / 2.0)
    }

    /// From one sample per luma sample to subsampled chroma.
    pub fn luma_to_chroma(input: usize, output: usize, offset: f64) -> Self {
        Self::new(input, output, 2.0, offset)
    }

    /// No change of size or place.
    pub fn identity(input: usize) -> Self {
        Self::new(input, input, 1.0, 0.0)
    }

    /// Output samples.
    pub fn output(&self) -> usize {
        self.first.len()
    }

    /// Makes a row of output samples of a padded row of input samples.
    fn apply(&self, padded: &[f32], out: &mut [f32]) {
        let one = |i: usize| -> f32 {
            let (first, weights) = self.taps_of(i);
            if let &[a, b, c, d] = weights {
                let s = &padded[first..][..4];
                return s[0] * a + s[1] * b + s[2] * c + s[3] * d;
            }
            let samples = &padded[first..][..self.taps];
            samples.iter().zip(weights).map(|(s, w)| s * w).sum()
        };
        let Range { start, end } = self.pairs.clone();
        for i in (0..start).chain(end..out.len()) {
            out[i] = one(i);
        }
        if start == end {
            return;
        }
        let ((even, a), (odd, b)) = (self.taps_of(start), self.taps_of(start + 1));
        let (&[a0, a1, a2, a3], &[b0, b1, b2, b3]) = (a, b) else {
            return;
        };
        let pairs = out[start..end].as_chunks_mut::<2>().0;
        let samples = padded[even..].windows(4).zip(padded[odd..].windows(4));
        for (pair, (s, t)) in pairs.iter_mut().zip(samples) {
            *pair = [
                s[0] * a0 + s[1] * a1 + s[2] * a2 + s[3] * a3,
                t[0] * b0 + t[1] * b1 + t[2] * b2 + t[3] * b3,
            ];
        }
    }

    fn taps_of(&self, i: usize) -> (usize, &[f32]) {
        (
            self.first[i] as usize,
            &self.weights[i * self.taps..][..self.taps],
        )
    }
}

/// The longest stretch of pairs from the middle on; see [`Axis::pairs`].
fn pairs(first: &[u32], weights: &[f32], taps: usize) -> Range<usize> {
    let follows = |i: usize| {
        first[i] == first[i - 2] + 1
            && weights[i * taps..][..taps] == weights[(i - 2) * taps..][..taps]
    };
    let middle = first.len() / 2;
    let mut range = middle..middle;
    if taps != 4 {
        return range;
    }
    while range.start > 0 && range.start + 1 < first.len() && follows(range.start + 1) {
        range.start -= 1;
    }
    while range.end < first.len() && range.end >= 2 && follows(range.end) {
        range.end += 1;
    }
    // Whole pairs.
    range.end -= range.len() % 2;
    range
}

fn keys_cubic(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

/// Resamples whole planes; keeps its scratch rows between calls.
#[derive(Debug, Clone)]
pub struct Resampler {
    horizontal: Axis,
    vertical: Axis,
    column_sums: Vec<f32>,
}

impl Resampler {
    /// A resampler from `horizontal.input x vertical.input` samples.
    pub fn new(horizontal: Axis, vertical: Axis) -> Self {
        let scratch = horizontal.input + 2 * horizontal.pad;
        Self {
            horizontal,
            vertical,
            column_sums: vec![0.0; scratch],
        }
    }

    /// Resamples `src` into `dst`; values are rounded and kept within `0..=max`.
    pub fn run<S: Sample, D: Sample>(
        &mut self,
        src: PlaneRef<'_, S>,
        dst: &mut PlaneMut<'_, D>,
        max: f32,
    ) {
        let rows = 0..self.vertical.output();
        self.run_rows(src, 0, rows, |y, row: &[f32]| {
            for (out, &value) in dst.row_mut(y).iter_mut().zip(row) {
                *out = D::nearest(value, max);
            }
        });
    }

    /// Makes the output rows `rows`. `src` holds the input rows from `src_top` on; rows outside of
    /// it repeat its first or last row, so it must reach two rows further than `rows` needs or to
    /// the edge of the picture.
    pub fn run_rows<S: Sample>(
        &mut self,
        src: PlaneRef<'_, S>,
        src_top: usize,
        rows: Range<usize>,
        mut sink: impl FnMut(usize, &[f32]),
    ) {
        let Self {
            horizontal,
            vertical,
            column_sums,
        } = self;
        let pad = horizontal.pad;
        let width = src.width.min(horizontal.input);
        let mut out = vec![0.0f32; horizontal.output()];
        if width == 0 || src.height == 0 {
            return;
        }
        let last_row = (src.height - 1) as i64;
        for y in rows {
            let (first, weights) = vertical.taps_of(y);
            let sums = &mut column_sums[pad..pad + width];
            let row = |tap: usize| {
                let at = (first + tap) as i64 - vertical.pad as i64 - src_top as i64;
                src.row(at.clamp(0, last_row) as usize)
            };
            if let &[a, b, c, d] = weights
                && weights.iter().all(|&weight| weight != 0.0)
            {
                // All four at once spares the sums three ways to memory and back.
                let rows = row(0).iter().zip(row(1)).zip(row(2)).zip(row(3));
                for (sum, (((p, q), r), s)) in sums.iter_mut().zip(rows) {
                    *sum = a * p.to_f32() + b * q.to_f32() + c * r.to_f32() + d * s.to_f32();
                }
            } else {
                sums.fill(0.0);
                for (tap, &weight) in weights.iter().enumerate().filter(|(_, w)| **w != 0.0) {
                    for (sum, sample) in sums.iter_mut().zip(row(tap)) {
                        *sum += weight * sample.to_f32();
                    }
                }
            }
            let (left, right) = (column_sums[pad], column_sums[pad + width - 1]);
            column_sums[..pad].fill(left);
            column_sums[pad + width..].fill(right);
            horizontal.apply(column_sums, &mut out);
            sink(y, &out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plane<T>(data: &[T], width: usize) -> PlaneRef<'_, T> {
        PlaneRef {
            data,
            stride: width,
            width,
            height: data.len() / width,
        }
    }

    fn resample(src: &[f32], width: usize, h: Axis, v: Axis) -> Vec<f32> {
        let (ow, oh) = (h.output(), v.output());
        let mut out = vec![0.0; ow * oh];
        let mut dst = PlaneMut {
            data: &mut out[..],
            stride: ow,
            width: ow,
            height: oh,
        };
        Resampler::new(h, v).run(plane(src, width), &mut dst, 1.0);
        out
    }

    #[test]
    fn a_ramp_stays_a_ramp_at_the_right_place() {
        // Keys' kernel reproduces straight lines, so positions can be read off the values.
        let src: Vec<f32> = (0..32).map(|x| x as f32).collect();
        let out = resample(&src, 32, Axis::enlarge(32, 2), Axis::identity(1));
        for (i, value) in out.iter().enumerate().skip(8).take(48) {
            let wanted = (i as f32 + 0.5) / 2.0 - 0.5;
            assert!(
                (value - wanted).abs() < 1e-4,
                "{i}: {value} is not {wanted}"
            );
        }
    }

    #[test]
    fn left_sited_chroma_keeps_its_place_when_enlarged() {
        // Chroma sample k sits on luma 2k. Value = luma position.
        let src: Vec<f32> = (0..32).map(|k| 2.0 * k as f32).collect();
        let out = resample(
            &src,
            32,
            Axis::enlarge_chroma(32, 64, 2, 0.0),
            Axis::identity(1),
        );
        for (m, value) in out.iter().enumerate().skip(8).take(48) {
            // Output chroma m sits on output luma 2m, whose centre is at this source luma.
            let wanted = (2.0 * m as f32 + 0.5) / 2.0 - 0.5;
            assert!(
                (value - wanted).abs() < 1e-4,
                "{m}: {value} is not {wanted}"
            );
        }
    }

    #[test]
    fn chroma_to_luma_and_back_returns_a_smooth_plane() {
        let src: Vec<f32> = (0..64).map(|k| (k as f32 * 0.1).sin()).collect();
        for offset in [0.0, 0.5] {
            let up = resample(
                &src,
                64,
                Axis::chroma_to_luma(64, 128, offset),
                Axis::identity(1),
            );
            let back = resample(
                &up,
                128,
                Axis::luma_to_chroma(128, 64, offset),
                Axis::identity(1),
            );
            for i in 4..60 {
                assert!(
                    (back[i] - src[i]).abs() < 0.01,
                    "{} and {}",
                    back[i],
                    src[i]
                );
            }
        }
    }

    #[test]
    fn a_doubled_row_is_made_of_pairs_that_equal_what_single_samples_come_to() {
        for (axis, least) in [
            (Axis::enlarge(40, 2), 70),
            (Axis::enlarge_chroma(40, 80, 2, 0.0), 70),
            (Axis::chroma_to_luma(40, 80, 0.0), 70),
            (Axis::enlarge(40, 3), 0),
            (Axis::identity(40), 0),
            (Axis::enlarge(2, 2), 0),
        ] {
            assert!(axis.pairs.len() >= least, "{:?}", axis.pairs);
            let padded: Vec<f32> = (0..axis.input + 2 * axis.pad)
                .map(|i| ((i * 37) % 101) as f32)
                .collect();
            let mut found = vec![0.0; axis.output()];
            axis.apply(&padded, &mut found);
            for (i, found) in found.iter().enumerate() {
                let (first, weights) = axis.taps_of(i);
                let wanted: f32 = padded[first..]
                    .iter()
                    .zip(weights)
                    .map(|(s, w)| s * w)
                    .sum();
                assert!(
                    (found - wanted).abs() < 1e-3,
                    "{i}: {found} is not {wanted}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn a_flat_plane_stays_flat_whatever_the_size(
            width in 1usize..40, height in 1usize..40, scale in 1usize..5, value in 0u8..=255,
        ) {
            let src = vec![value; width * height];
            let mut out = vec![0u8; width * height * scale * scale];
            let mut dst = PlaneMut {
                data: &mut out[..], stride: width * scale, width: width * scale, height: height * scale,
            };
            Resampler::new(Axis::enlarge(width, scale), Axis::enlarge(height, scale))
                .run(plane(&src, width), &mut dst, 255.0);
            prop_assert!(out.iter().all(|&v| v == value));
        }

        #[test]
        fn bands_equal_the_whole(width in 1usize..20, height in 1usize..30, cut in 0usize..60) {
            let src: Vec<f32> = (0..width * height).map(|i| ((i * 37) % 101) as f32).collect();
            let whole = resample(&src, width, Axis::enlarge(width, 2), Axis::enlarge(height, 2));
            let cut = cut.min(2 * height);
            let mut banded = vec![0.0f32; whole.len()];
            for rows in [0..cut, cut..2 * height] {
                let top = (rows.start / 2).saturating_sub(3);
                let bottom = (rows.end / 2 + 4).min(height);
                if top >= bottom { continue; }
                let band = plane(&src[top * width..bottom * width], width);
                Resampler::new(Axis::enlarge(width, 2), Axis::enlarge(height, 2))
                    .run_rows(band, top, rows, |y, row| {
                        banded[y * 2 * width..][..2 * width].copy_from_slice(row);
                    });
            }
            prop_assert_eq!(banded, whole);
        }
    }
}
