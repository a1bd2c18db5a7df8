//! Maps of pictures (mattes, distances, light) that stand still where the pictures do.
//!
//! A network looks at each picture by itself, and what it is not sure of comes and goes from one to
//! the next. So each map becomes the weighted mean of its own and those of its neighbours in time: a
//! neighbour counts where the picture is the same there, and does not where something moved, so that
//! moving edges are not smeared. Nothing is taken from beyond a cut.

use super::grid::Grid;
use crate::motion::{Gray, is_cut};

/// Pictures before and after one whose maps usually count.
pub(super) const REACH: usize = 4;
/// Colours that differ by so much, of 1, are another thing: the weight is a half there.
const SAME: f32 = 0.03;

/// What was seen of a picture, in the size of the network.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Red, green and blue, 0 to 1.
    pub rgb: [Vec<f32>; 3],
    /// What was found of it.
    pub map: Grid,
}

impl Seen {
    /// True if `next` is of another shot.
    pub(super) fn is_cut(&self, next: &Seen) -> bool {
        let gray = |seen: &Seen| Gray::of_rgb(&seen.rgb, seen.map.size());
        is_cut(&gray(self), &gray(next))
    }
}

/// The map of `own` with the help of its `neighbours`, none of them from beyond a cut. `strength`
/// is the weight of a neighbour that shows the same, 0 to 1.
pub(super) fn steadied<'a>(
    own: &Seen,
    neighbours: impl Iterator<Item = &'a Seen>,
    strength: f32,
) -> Grid {
    let mut sums = own.map.clone();
    let mut weights = vec![1.0f32; sums.values.len()];
    let mut apart = Grid::default();
    let mut scratch = Vec::new();
    for other in neighbours {
        if other.map.size() != own.map.size() {
            continue;
        }
        apart.resize(own.map.size());
        apart.values.fill(0.0);
        for (a, b) in own.rgb.iter().zip(&other.rgb) {
            for (sum, (a, b)) in apart.values.iter_mut().zip(a.iter().zip(b)) {
                *sum += (a - b).abs();
            }
        }
        // Noise differs everywhere, and a moving thing over more than one place.
        apart.blur(1, &mut scratch);
        let cells = sums.values.iter_mut().zip(&mut weights);
        let others = apart.values.iter().zip(&other.map.values);
        for ((sum, weight), (apart, value)) in cells.zip(others) {
            let far = apart * (1.0 / (3.0 * SAME));
            let far = far * far;
            let counts = strength / (1.0 + far * far);
            *sum += counts * value;
            *weight += counts;
        }
    }
    for (sum, weight) in sums.values.iter_mut().zip(&weights) {
        *sum /= weight;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(width: usize, color: impl Fn(usize) -> f32, matte: impl Fn(usize) -> f32) -> Seen {
        let line = |value: &dyn Fn(usize) -> f32| -> Vec<f32> {
            (0..width * 8).map(|i| value(i % width)).collect()
        };
        Seen {
            rgb: [line(&color), line(&color), line(&color)],
            map: Grid {
                width,
                height: 8,
                values: line(&matte),
            },
        }
    }

    #[test]
    fn what_comes_and_goes_is_evened_out_where_the_picture_stands() {
        let still = |x: usize| 0.1 + 0.02 * x as f32;
        let on = seen(16, still, |_| 0.9);
        let off = seen(16, still, |_| 0.5);
        let even = steadied(&on, [&off, &on, &off].into_iter(), 1.0);
        assert!((even.values[20] - 0.7).abs() < 1e-3, "{}", even.values[20]);
        let alone = steadied(&on, [&off].into_iter(), 0.0);
        assert_eq!(alone.values, on.map.values);
    }

    #[test]
    fn an_edge_that_moves_is_not_smeared() {
        // Something bright from column 8 on, and from column 11 on in the next picture.
        let at = |edge: usize| {
            seen(
                24,
                move |x| if x < edge { 0.2 } else { 0.8 },
                move |x| if x < edge { 0.0 } else { 1.0 },
            )
        };
        let (own, next) = (at(8), at(11));
        let found = steadied(&own, [&next, &next].into_iter(), 1.0);
        let row = &found.values[3 * 24..][..24];
        for x in 8..11 {
            assert!(row[x] > 0.97, "{row:?}");
        }
        assert!(row[3] < 0.01 && row[20] > 0.99, "{row:?}");
    }

    #[test]
    fn a_cut_is_told_from_motion() {
        let at = |edge: usize| seen(64, move |x| if x < edge { 0.3 } else { 0.7 }, |_| 0.0);
        assert!(!at(20).is_cut(&at(24)));
        let other = seen(64, |x| 0.9 - 0.01 * x as f32, |_| 0.0);
        assert!(at(20).is_cut(&other));
    }
}
