//! Samples between those of a plane, by cubics through the sixteen around (Catmull and Rom 1974),
//! which keep a picture sharp. Beyond the border, the picture is mirrored at it.

use frameloom_core::pixel::{PlaneRef, Sample};

/// Places between two samples that are told apart.
const PHASES: usize = 256;

/// Samples planes.
pub(super) struct Cubic {
    /// Weights of four samples, for each place between the middle two.
    weights: Vec<[f32; 4]>,
}

impl Cubic {
    pub(super) fn new() -> Self {
        let phases = (0..=PHASES).map(|phase| cubic(phase as f32 / PHASES as f32));
        Self {
            weights: phases.collect(),
        }
    }

    /// At the place `x`, `y`, counted in samples from the middle of the first.
    #[inline(always)]
    pub(super) fn at<S: Sample>(&self, from: &PlaneRef<'_, S>, x: f64, y: f64) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let phase = |part: f64| (part * PHASES as f64 + 0.5) as usize;
        let (wx, wy) = (
            &self.weights[phase(x - left).min(PHASES)],
            &self.weights[phase(y - top).min(PHASES)],
        );
        let (left, top) = (left as i64 - 1, top as i64 - 1);
        let inside =
            left >= 0 && top >= 0 && left + 4 <= from.width as i64 && top + 4 <= from.height as i64;
        let mut columns = [0.0f32; 4];
        if inside {
            let left = left as usize;
            for (at, weight) in wy.iter().enumerate() {
                let four = &from.row(top as usize + at)[left..left + 4];
                for (sum, v) in columns.iter_mut().zip(four) {
                    *sum += weight * v.to_f32();
                }
            }
        } else {
            for (at, weight) in wy.iter().enumerate() {
                let row = from.row(mirrored(top + at as i64, from.height));
                for (next, sum) in columns.iter_mut().enumerate() {
                    *sum += weight * row[mirrored(left + next as i64, from.width)].to_f32();
                }
            }
        }
        columns.iter().zip(wx).map(|(v, weight)| v * weight).sum()
    }
}

/// A place that may lie outside of `0..side`, mirrored into it.
fn mirrored(at: i64, side: usize) -> usize {
    let side = side as i64;
    let at = at.rem_euclid(2 * side);
    (if at < side { at } else { 2 * side - 1 - at }) as usize
}

/// Weights of the samples at -1, 0, 1 and 2 for the place `t` between 0 and 1.
fn cubic(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        0.5 * (-t + 2.0 * t2 - t3),
        0.5 * (2.0 - 5.0 * t2 + 3.0 * t3),
        0.5 * (t + 4.0 * t2 - 3.0 * t3),
        0.5 * (t3 - t2),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_border_lies_the_mirrored_picture() {
        let found: Vec<usize> = (-5..9).map(|at| mirrored(at, 4)).collect();
        assert_eq!(found, [3, 3, 2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0, 0]);
        assert_eq!(mirrored(-1_000_001, 1), 0);
    }
}
