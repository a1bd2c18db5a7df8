//! Where every place of a picture comes to in the next one.
//!
//! Dense inverse search (Kroeger and others 2016): small windows on a grid are each brought to where
//! they fit best, from the smallest level of a pyramid to the largest, and every place takes the
//! mean of the windows over it that fit. Beside the paper's way, a window also tries what its
//! neighbours found and to stand still, and outliers of the grid give way to the median around them.

use super::gray::{Gray, Pyramid};

/// Side of a window, and from one to the next.
const PATCH: usize = 8;
const STRIDE: usize = 4;
const AREA: usize = PATCH * PATCH;
const STEPS: usize = 8;
/// Squared gradients that noise has, summed over a window: they keep what is found of a wall small.
const NOISE: f32 = 48.0;

/// A motion of each cell of a picture, in cells.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flow {
    pub width: usize,
    pub height: usize,
    pub values: Vec<(f32, f32)>,
}

impl Flow {
    /// Between the nearest cells; beyond the border, what is there.
    pub(crate) fn at(&self, x: f32, y: f32) -> (f32, f32) {
        let x = x.clamp(0.0, (self.width - 1) as f32);
        let y = y.clamp(0.0, (self.height - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let right = (left + 1).min(self.width - 1);
        let bottom = (top + 1).min(self.height - 1);
        let (fx, fy) = (x - left as f32, y - top as f32);
        let value = |x: usize, y: usize| self.values[y * self.width + x];
        let mix = |a: (f32, f32), b: (f32, f32), part: f32| {
            (a.0 + (b.0 - a.0) * part, a.1 + (b.1 - a.1) * part)
        };
        let upper = mix(value(left, top), value(right, top), fx);
        let lower = mix(value(left, bottom), value(right, bottom), fx);
        mix(upper, lower, fy)
    }
}

/// The motion from one picture to another of the same size.
pub(crate) fn flow(from: &Pyramid, to: &Pyramid) -> Flow {
    let mut found = Flow::default();
    let levels = from.levels.iter().zip(&to.levels).enumerate();
    for (level, (from, to)) in levels.rev() {
        found = refined(from, to, &found, level == 0);
    }
    found
}

type Patch = [f32; AREA];

/// The samples of a window whose first lies at `x`, `y`.
fn read(gray: &Gray, x: f32, y: f32, out: &mut Patch) {
    let (left, top) = (x.floor(), y.floor());
    let inside = left >= 0.0
        && top >= 0.0
        && left as usize + PATCH < gray.width
        && top as usize + PATCH < gray.height;
    if !inside {
        for (i, out) in out.iter_mut().enumerate() {
            *out = gray.at(x + (i % PATCH) as f32, y + (i / PATCH) as f32);
        }
        return;
    }
    let (fx, fy) = (x - left, y - top);
    let (left, top) = (left as usize, top as usize);
    let mut lines = [[0.0f32; PATCH]; PATCH + 1];
    for (row, line) in lines.iter_mut().enumerate() {
        let from = &gray.row(top + row)[left..=left + PATCH];
        for (at, v) in line.iter_mut().enumerate() {
            *v = from[at] + (from[at + 1] - from[at]) * fx;
        }
    }
    for (pair, out) in lines.windows(2).zip(out.chunks_exact_mut(PATCH)) {
        for (out, (a, b)) in out.iter_mut().zip(pair[0].iter().zip(&pair[1])) {
            *out = a + (b - a) * fy;
        }
    }
}

/// A window of the first picture.
struct Template {
    x: f32,
    y: f32,
    values: Patch,
    gx: Patch,
    gy: Patch,
    sums: (f32, f32),
    xx: f32,
    xy: f32,
    yy: f32,
}

impl Template {
    fn of(gray: &Gray, x: usize, y: usize) -> Self {
        let (x, y) = (x as f32, y as f32);
        let mut this = Self {
            x,
            y,
            values: [0.0; AREA],
            gx: [0.0; AREA],
            gy: [0.0; AREA],
            sums: (0.0, 0.0),
            xx: NOISE,
            xy: 0.0,
            yy: NOISE,
        };
        let mut other = [0.0; AREA];
        read(gray, x, y, &mut this.values);
        read(gray, x + 1.0, y, &mut this.gx);
        read(gray, x - 1.0, y, &mut other);
        this.gx
            .iter_mut()
            .zip(&other)
            .for_each(|(a, b)| *a = 0.5 * (*a - b));
        read(gray, x, y + 1.0, &mut this.gy);
        read(gray, x, y - 1.0, &mut other);
        this.gy
            .iter_mut()
            .zip(&other)
            .for_each(|(a, b)| *a = 0.5 * (*a - b));
        let share = 1.0 / AREA as f32;
        let (sx, sy) = (this.gx.iter().sum::<f32>(), this.gy.iter().sum::<f32>());
        this.sums = (sx * share, sy * share);
        for (gx, gy) in this.gx.iter().zip(&this.gy) {
            this.xx += gx * gx;
            this.xy += gx * gy;
            this.yy += gy * gy;
        }
        this.xx -= sx * sx * share;
        this.xy -= sx * sy * share;
        this.yy -= sy * sy * share;
        this
    }

    /// How badly the window fits there, without what differs by the same amount everywhere; and the
    /// step that would make it fit better.
    fn look(&self, to: &Gray, (u, v): (f32, f32)) -> (f32, (f32, f32)) {
        let mut shown = [0.0; AREA];
        read(to, self.x + u, self.y + v, &mut shown);
        let (mut sum, mut square, mut ex, mut ey) = (0.0f32, 0.0f32, 0.0f32, 0.0f32);
        let gradients = self.gx.iter().zip(&self.gy);
        for ((v, own), (gx, gy)) in shown.iter().zip(&self.values).zip(gradients) {
            let apart = v - own;
            sum += apart;
            square += apart * apart;
            ex += apart * gx;
            ey += apart * gy;
        }
        ex -= sum * self.sums.0;
        ey -= sum * self.sums.1;
        let determinant = self.xx * self.yy - self.xy * self.xy;
        let step = (
            (self.yy * ex - self.xy * ey) / determinant,
            (self.xx * ey - self.xy * ex) / determinant,
        );
        (square - sum * sum / AREA as f32, step)
    }

    /// The best place near `start`, and how badly it fits.
    fn search(&self, to: &Gray, start: (f32, f32)) -> ((f32, f32), f32) {
        let (mut at, mut best, mut least) = (start, start, f32::INFINITY);
        for _ in 0..STEPS {
            let (cost, step) = self.look(to, at);
            if cost < least {
                (best, least) = (at, cost);
            }
            at = (at.0 - step.0, at.1 - step.1);
            let far = (at.0 - start.0).abs().max((at.1 - start.1).abs());
            if far > PATCH as f32 || step.0.abs().max(step.1.abs()) < 0.02 {
                break;
            }
        }
        (best, least)
    }
}

/// Corners of windows along a side, the last at its end.
fn corners(side: usize) -> Vec<usize> {
    let last = side.saturating_sub(PATCH);
    let mut list: Vec<usize> = (0..last).step_by(STRIDE).collect();
    list.push(last);
    list
}

/// The motion on one level. `is_finest` tries to stand still as well: titles and signs do on what
/// moves behind them, and smaller levels do not show them.
fn refined(from: &Gray, to: &Gray, coarser: &Flow, is_finest: bool) -> Flow {
    let (columns, rows) = (corners(from.width), corners(from.height));
    let count = columns.len() * rows.len();
    let middle = 0.5 * (PATCH as f32 - 1.0);
    let mut templates = Vec::with_capacity(count);
    let mut found: Vec<((f32, f32), f32)> = Vec::with_capacity(count);
    for (r, &y) in rows.iter().enumerate() {
        for (c, &x) in columns.iter().enumerate() {
            let template = Template::of(from, x, y);
            let mut start = match coarser.values.is_empty() {
                true => (0.0, 0.0),
                false => {
                    let at = |v: usize| (v as f32 + middle + 0.5) / 2.0 - 0.5;
                    let (u, v) = coarser.at(at(x), at(y));
                    (2.0 * u, 2.0 * v)
                }
            };
            let mut least = template.look(to, start).0;
            let left = (c > 0).then(|| found[found.len() - 1].0);
            let above = (r > 0).then(|| found[found.len() - columns.len()].0);
            for other in [left, above].into_iter().flatten() {
                let cost = template.look(to, other).0;
                if cost < least {
                    (start, least) = (other, cost);
                }
            }
            let mut best = template.search(to, start);
            if is_finest && template.look(to, (0.0, 0.0)).0 < best.1 {
                best = template.search(to, (0.0, 0.0));
            }
            found.push(best);
            templates.push(template);
        }
    }
    // Back again, for what the neighbours on the other side found.
    for i in (0..count).rev() {
        let (r, c) = (i / columns.len(), i % columns.len());
        let right = (c + 1 < columns.len()).then(|| found[i + 1].0);
        let below = (r + 1 < rows.len()).then(|| found[i + columns.len()].0);
        for other in [right, below].into_iter().flatten() {
            if templates[i].look(to, other).0 < found[i].1 {
                found[i] = templates[i].search(to, other);
            }
        }
    }
    let calmed = medians(&found, columns.len(), rows.len());
    densified(from, to, (&columns, &rows), &calmed)
}

/// Each motion as the median of those around it.
fn medians(found: &[((f32, f32), f32)], columns: usize, rows: usize) -> Vec<(f32, f32)> {
    let mut calmed = Vec::with_capacity(found.len());
    for r in 0..rows {
        for c in 0..columns {
            let (mut us, mut vs) = (Vec::with_capacity(9), Vec::with_capacity(9));
            for r in r.saturating_sub(1)..(r + 2).min(rows) {
                for c in c.saturating_sub(1)..(c + 2).min(columns) {
                    let (u, v) = found[r * columns + c].0;
                    us.push(u);
                    vs.push(v);
                }
            }
            us.sort_by(f32::total_cmp);
            vs.sort_by(f32::total_cmp);
            calmed.push((us[us.len() / 2], vs[vs.len() / 2]));
        }
    }
    calmed
}

/// The mean of the windows over each cell, by how well that cell fits in each.
fn densified(
    from: &Gray,
    to: &Gray,
    (columns, rows): (&[usize], &[usize]),
    found: &[(f32, f32)],
) -> Flow {
    let (width, height) = (from.width, from.height);
    let mut sums = vec![(0.0f32, 0.0f32); width * height];
    let mut weights = vec![0.0f32; width * height];
    let mut shown = [0.0; AREA];
    let places = rows
        .iter()
        .flat_map(|y| columns.iter().map(move |x| (*x, *y)));
    for ((x, y), &(u, v)) in places.zip(found) {
        read(to, x as f32 + u, y as f32 + v, &mut shown);
        for row in 0..PATCH.min(height) {
            let own = &from.row(y + row)[x..(x + PATCH).min(width)];
            for (at, (a, b)) in own.iter().zip(&shown[row * PATCH..]).enumerate() {
                let weight = 1.0 / (a - b).abs().max(1.0);
                let cell = (y + row) * width + x + at;
                sums[cell].0 += weight * u;
                sums[cell].1 += weight * v;
                weights[cell] += weight;
            }
        }
    }
    for (sum, weight) in sums.iter_mut().zip(&weights) {
        let share = 1.0 / weight.max(1e-6);
        *sum = (sum.0 * share, sum.1 * share);
    }
    Flow {
        width,
        height,
        values: sums,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texture(x: f32, y: f32) -> f32 {
        let wave = |fx: f32, fy: f32, phase: f32| (x * fx + y * fy + phase).sin();
        128.0 + 25.0 * (wave(0.31, 0.12, 0.4) + wave(-0.17, 0.36, 1.0) + wave(0.07, 0.05, 2.0))
    }

    fn picture(see: impl Fn(f32, f32) -> f32) -> Pyramid {
        let (width, height) = (200, 120);
        let cells = (0..height).flat_map(|y| (0..width).map(move |x| (x as f32, y as f32)));
        Pyramid::of_gray(Gray {
            width,
            height,
            values: cells.map(|(x, y)| see(x, y)).collect(),
        })
    }

    #[test]
    fn a_thing_that_moves_before_a_background_that_moves_is_followed_and_so_is_that() {
        let inside = |x: f32, y: f32| (70.0..130.0).contains(&x) && (30.0..90.0).contains(&y);
        let thing = |x: f32, y: f32| texture(1.2 * y + 300.0, 0.9 * x);
        let one = picture(|x, y| {
            if inside(x, y) {
                thing(x, y)
            } else {
                texture(x, y)
            }
        });
        let two = picture(|x, y| match inside(x - 6.5, y + 3.0) {
            true => thing(x - 6.5, y + 3.0),
            false => texture(x + 2.25, y),
        });
        let found = flow(&one, &two);
        let near = |x: f32, y: f32, wanted: (f32, f32)| {
            let (u, v) = found.at(x, y);
            let far = (u - wanted.0).hypot(v - wanted.1);
            assert!(far < 0.4, "{u}, {v} at {x}, {y}");
        };
        near(100.0, 60.0, (6.5, -3.0));
        near(85.0, 45.0, (6.5, -3.0));
        near(30.0, 60.0, (-2.25, 0.0));
        near(170.0, 20.0, (-2.25, 0.0));
    }

    #[test]
    fn what_stands_and_walls_without_texture_do_not_move() {
        let still = picture(texture);
        let wall = picture(|_, _| 77.0);
        for (a, b) in [(&still, &still), (&wall, &wall)] {
            let found = flow(a, b);
            assert!(found.values.iter().all(|v| v.0.abs() + v.1.abs() < 0.01));
        }
    }

    #[test]
    fn pictures_smaller_than_a_window_have_a_motion_too() {
        for (width, height) in [(1, 1), (5, 3), (8, 20)] {
            let gray = Gray {
                width,
                height,
                values: (0..width * height).map(|v| v as f32).collect(),
            };
            let one = Pyramid::of_gray(gray);
            assert_eq!(flow(&one, &one).values.len(), width * height);
        }
    }
}
