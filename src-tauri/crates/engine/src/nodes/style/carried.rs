//! What was painted of neighbouring pictures, carried to where things are in this one.

use crate::motion::Pyramid;
use crate::motion::flow::Flow;
use crate::nodes::planes::bands;

/// Brightness that differs by so much along a motion, of 255, is another thing: the weight is a half
/// there.
const SAME: f32 = 9.0;

/// What is kept of a picture.
pub(super) struct Painted {
    /// Size of what was painted.
    pub size: (usize, usize),
    /// Red, green and blue of that, 0 to 1.
    pub rgb: [Vec<f32>; 3],
    /// The picture itself in grey, small; `None` where nobody asks for its motion.
    pub pyramid: Option<Pyramid>,
    /// The motion from the picture before to this one and back, in cells of the small picture;
    /// `None` at the first one of a shot.
    pub ways: Option<(Flow, Flow)>,
}

/// The mean of what was painted of a picture and of its neighbours, each carried along its motion.
/// `strength` is the weight of a neighbour that shows the same, 0 to 1.
pub(super) fn averaged(
    own: &Painted,
    before: &[&Painted],
    after: &[&Painted],
    strength: f32,
    threads: usize,
) -> [Vec<f32>; 3] {
    let (width, height) = own.size;
    let Some(gray) = own.pyramid.as_ref().map(Pyramid::finest) else {
        return own.rgb.clone();
    };
    // Where each cell of the small picture is in each neighbour, and how sure that is.
    let mut carried = Vec::with_capacity(before.len() + after.len());
    // Backwards, the way lies in the later of two pictures; forwards, too.
    let chain = std::iter::once(&own).chain(before);
    let back = chain
        .zip(before)
        .map(|(from, to)| (*to, from.ways.as_ref().map(|w| &w.1)));
    follow(back, gray, strength, &mut carried);
    let forth = after.iter().map(|to| (*to, to.ways.as_ref().map(|w| &w.0)));
    follow(forth, gray, strength, &mut carried);

    let mut mean = own.rgb.clone();
    let scale = (
        gray.width as f32 / width as f32,
        gray.height as f32 / height as f32,
    );
    let mut weights = vec![1.0f32; width * height];
    for Carried { painted, places } in &carried {
        // Places and weights of every pixel, then all three colours there.
        let mut found: Vec<(f32, f32, f32)> = vec![(0.0, 0.0, 0.0); width * height];
        bands(threads, height, &mut found, width, |rows, band| {
            for (y, row) in rows.zip(band.chunks_exact_mut(width)) {
                for (x, out) in row.iter_mut().enumerate() {
                    let small = (
                        (x as f32 + 0.5) * scale.0 - 0.5,
                        (y as f32 + 0.5) * scale.1 - 0.5,
                    );
                    let (u, v, sure) = places.at(small);
                    *out = (x as f32 + u / scale.0, y as f32 + v / scale.1, sure);
                }
            }
        });
        for (mean, from) in mean.iter_mut().zip(&painted.rgb) {
            bands(threads, height, mean, width, |rows, band| {
                for (y, row) in rows.zip(band.chunks_exact_mut(width)) {
                    let found = &found[y * width..][..width];
                    for (sum, (px, py, sure)) in row.iter_mut().zip(found) {
                        *sum += sure * sample(from, (width, height), (*px, *py));
                    }
                }
            });
        }
        for (sum, (_, _, sure)) in weights.iter_mut().zip(&found) {
            *sum += sure;
        }
    }
    for plane in &mut mean {
        for (v, weight) in plane.iter_mut().zip(&weights) {
            *v /= weight;
        }
    }
    mean
}

/// A neighbour, and where it shows the cells of the picture.
struct Carried<'a> {
    painted: &'a Painted,
    places: Places,
}

/// For each cell, how far it is away in another picture, and how sure that is, 0 to 1.
struct Places {
    width: usize,
    height: usize,
    values: Vec<(f32, f32, f32)>,
}

impl Places {
    /// Between the nearest cells.
    fn at(&self, (x, y): (f32, f32)) -> (f32, f32, f32) {
        let x = x.clamp(0.0, (self.width - 1) as f32);
        let y = y.clamp(0.0, (self.height - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let right = (left + 1).min(self.width - 1);
        let bottom = (top + 1).min(self.height - 1);
        let (fx, fy) = (x - left as f32, y - top as f32);
        let cell = |x: usize, y: usize| self.values[y * self.width + x];
        let mix = |a: (f32, f32, f32), b: (f32, f32, f32), part: f32| {
            (
                a.0 + (b.0 - a.0) * part,
                a.1 + (b.1 - a.1) * part,
                a.2 + (b.2 - a.2) * part,
            )
        };
        let upper = mix(cell(left, top), cell(right, top), fx);
        let lower = mix(cell(left, bottom), cell(right, bottom), fx);
        mix(upper, lower, fy)
    }
}

/// Follows every cell of a picture from neighbour to neighbour, as far as ways are known.
fn follow<'a>(
    steps: impl Iterator<Item = (&'a Painted, Option<&'a Flow>)>,
    gray: &crate::motion::gray::Gray,
    strength: f32,
    carried: &mut Vec<Carried<'a>>,
) {
    let (width, height) = (gray.width, gray.height);
    let mut way: Vec<(f32, f32)> = vec![(0.0, 0.0); width * height];
    for (painted, flow) in steps {
        let (Some(flow), Some(there)) = (flow, &painted.pyramid) else {
            return;
        };
        let there = there.finest();
        let mut values = Vec::with_capacity(way.len());
        for (i, way) in way.iter_mut().enumerate() {
            let (x, y) = ((i % width) as f32, (i / width) as f32);
            let (u, v) = flow.at(x + way.0, y + way.1);
            *way = (way.0 + u, way.1 + v);
            let (tx, ty) = (x + way.0, y + way.1);
            let apart = (there.at(tx, ty) - gray.values[i]) / SAME;
            let far = apart * apart;
            let outside =
                tx < -0.5 || ty < -0.5 || tx > width as f32 - 0.5 || ty > height as f32 - 0.5;
            let sure = if outside {
                0.0
            } else {
                strength / (1.0 + far * far)
            };
            values.push((way.0, way.1, sure));
        }
        carried.push(Carried {
            painted,
            places: Places {
                width,
                height,
                values,
            },
        });
    }
}

/// Between the four nearest pixels of a plane.
fn sample(plane: &[f32], (width, height): (usize, usize), (x, y): (f32, f32)) -> f32 {
    let x = x.clamp(0.0, (width - 1) as f32);
    let y = y.clamp(0.0, (height - 1) as f32);
    let (left, top) = (x as usize, y as usize);
    let right = (left + 1).min(width - 1);
    let bottom = (top + 1).min(height - 1);
    let (fx, fy) = (x - left as f32, y - top as f32);
    let (above, below) = (&plane[top * width..], &plane[bottom * width..]);
    let upper = above[left] + (above[right] - above[left]) * fx;
    let lower = below[left] + (below[right] - below[left]) * fx;
    upper + (lower - upper) * fy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::flow;
    use crate::motion::gray::Gray;

    /// A picture that moves by `shift` pixels, painted with a colour of its own.
    fn painted(shift: f32, color: f32) -> Painted {
        let size = (96, 64);
        let cells = (0..size.0 * size.1).map(|i| ((i % size.0) as f32, (i / size.0) as f32));
        let texture = |x: f32, y: f32| 120.0 + 50.0 * (x * 0.31).sin() + 40.0 * (y * 0.23).cos();
        Painted {
            size,
            rgb: [(); 3].map(|()| vec![color; size.0 * size.1]),
            pyramid: Some(Pyramid::of_gray(Gray {
                width: size.0,
                height: size.1,
                values: cells.map(|(x, y)| texture(x - shift, y)).collect(),
            })),
            ways: None,
        }
    }

    fn behind(before: &Painted, mut next: Painted) -> Painted {
        let (one, two) = (
            before.pyramid.as_ref().unwrap(),
            next.pyramid.as_ref().unwrap(),
        );
        next.ways = Some((flow::flow(one, two), flow::flow(two, one)));
        next
    }

    #[test]
    fn strokes_are_evened_out_along_the_motion_and_not_across_a_cut() {
        let first = painted(0.0, 0.2);
        let own = behind(&first, painted(2.0, 0.8));
        let last = behind(&own, painted(4.0, 0.2));
        let mean = averaged(&own, &[&first], &[&last], 1.0, 1);
        let middle = mean[0][32 * 96 + 48];
        assert!((middle - 0.4).abs() < 0.04, "{middle}");
        // Nothing is known of the way to the one before.
        let cut = Painted {
            ways: None,
            ..painted(2.0, 0.8)
        };
        let mean = averaged(&cut, &[&first], &[], 1.0, 1);
        assert_eq!(mean[0][32 * 96 + 48], 0.8);
        // What shows something else counts for little.
        let other = behind(&own, painted(9.0, 0.0));
        let flat = Painted {
            pyramid: Some(Pyramid::of_gray(Gray {
                width: 96,
                height: 64,
                values: vec![10.0; 96 * 64],
            })),
            ..other
        };
        let mean = averaged(&own, &[], &[&flat], 1.0, 1);
        assert!(mean[0][32 * 96 + 48] > 0.75);
    }
}
