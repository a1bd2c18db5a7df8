//! Cross-fades where tiles overlap, in memory for one row of tiles.

use super::Upscaler;
use super::target::Target;
use crate::simd::{Affine, blend, store};
use crate::tensor::TensorShape;
use crate::tile::{Cut, Span};
use frameloom_core::pixel::Sample;

/// The sum of cross-faded tiles: one row of tiles, and what the row before left for it.
pub(super) struct Fade {
    weights: Vec<Vec<f32>>,
    width: usize,
    shape: TensorShape,
    /// Most rows of input that a row of tiles contributes to.
    capacity: usize,
    /// Rows of input that the previous row of tiles has already contributed to.
    carried: usize,
}

impl Fade {
    pub(super) fn new(across: &[Cut], down: &[Cut], width: usize, shape: TensorShape) -> Self {
        Self {
            weights: across.iter().map(|cut| weights(cut, shape.scale)).collect(),
            width: width * shape.scale,
            shape,
            capacity: down.iter().map(|cut| cut.reach().len()).max().unwrap_or(0),
            carried: 0,
        }
    }

    /// The rows that no later row of tiles contributes to.
    pub(super) fn complete(line: &Cut) -> Span {
        let reach = line.reach();
        Span {
            start: reach.start,
            end: line.fade_out.map_or(reach.end, |fade| fade.start),
        }
    }

    /// Samples of one channel in the sum.
    fn plane(&self) -> usize {
        self.capacity * self.shape.scale * self.width
    }

    /// Makes room behind the rows that the previous row of tiles left.
    pub(super) fn begin(&self, sum: &mut Vec<f32>) {
        let plane = self.plane();
        if self.carried == 0 {
            sum.clear();
        }
        sum.resize(plane * self.shape.channels, 0.0);
        let kept = self.carried * self.shape.scale * self.width;
        for channel in sum.chunks_exact_mut(plane) {
            channel[kept..].fill(0.0);
        }
    }

    pub(super) fn add(
        &self,
        scaler: &mut Upscaler,
        values: &[f32],
        i: usize,
        tile: (&Cut, &Cut),
    ) -> bool {
        let (column, line) = tile;
        let scale = self.shape.scale;
        let (reach_x, reach_y) = (column.reach(), line.reach());
        let down = weights(line, scale);
        let same = Affine {
            gain: 1.0,
            offset: 0.0,
        };
        scaler.line.resize(reach_x.len() * scale, 0.0);
        let mut finite = true;
        for channel in 0..self.shape.channels {
            for (j, factor) in down.iter().enumerate() {
                let x = reach_x.start - column.read.start;
                let y = (reach_y.start - line.read.start) * scale + j;
                finite &= self.shape.unpack(
                    values,
                    (column.read.len(), line.read.len()),
                    channel,
                    (x, y),
                    same,
                    0.0,
                    &mut scaler.row,
                    &mut scaler.line,
                );
                let start = channel * self.plane() + j * self.width + reach_x.start * scale;
                let sum = &mut scaler.faded[start..][..reach_x.len() * scale];
                blend(&self.weights[i], *factor, &scaler.line, sum);
            }
        }
        finite
    }

    /// Writes the complete rows and moves the others to the front.
    pub(super) fn give<T: Sample, E>(
        &mut self,
        sum: &mut [f32],
        line: &Cut,
        map: Affine,
        max: f32,
        target: &mut dyn Target<T, E>,
    ) {
        let scale = self.shape.scale;
        let complete = Self::complete(line);
        let (count, first) = (complete.len() * scale, complete.start * scale);
        self.carried = line.reach().end - complete.end;
        let plane = self.plane();
        for (channel, sum) in sum.chunks_exact_mut(plane).enumerate() {
            for (j, row) in sum.chunks_exact(self.width).take(count).enumerate() {
                // The tiles were finite, and so is a weighted mean of them.
                store::<T, 1>([row], map, max, target.row(channel, first + j));
            }
            let rest = count * self.width;
            sum.copy_within(rest..rest + self.carried * scale * self.width, 0);
        }
    }
}

/// A tile's share at each output pixel of its reach along one axis. Neighbours add up to one.
fn weights(cut: &Cut, scale: usize) -> Vec<f32> {
    let reach = cut.reach();
    let mut weights = vec![1.0f32; reach.len() * scale];
    let ramp = |length: usize, i: usize| (i as f32 + 0.5) / length as f32;
    if let Some(fade) = cut.fade_in {
        let length = fade.len() * scale;
        for (i, w) in weights[..length].iter_mut().enumerate() {
            *w = ramp(length, i);
        }
    }
    if let Some(fade) = cut.fade_out {
        let length = fade.len() * scale;
        let start = weights.len() - length;
        for (i, w) in weights[start..].iter_mut().enumerate() {
            *w = 1.0 - ramp(length, i);
        }
    }
    weights
}
