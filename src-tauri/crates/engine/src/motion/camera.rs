//! How the camera moved from one picture to the next.
//!
//! Corners (Shi and Tomasi 1994) are followed by the method of Lucas and Kanade (1981) from the
//! smallest level of a pyramid to the largest, there and back again: who does not come home is
//! left out. Of what remains a shift, a turn and a change of size is chosen that most agree with
//! (Fischler and Bolles 1981, with a fixed sequence of draws), and fitted to those by weighted
//! least squares. So people who walk through the picture do not count, nor does what differs in
//! brightness only.

use super::gray::{Gray, Pyramid};

/// Side of the squares over which corners are spread, in cells: the best of each counts.
const SPREAD: usize = 30;
/// Half the side of the window that is followed.
const RADIUS: usize = 6;
/// The least eigenvalue of a corner, as a mean of squared gradients over its window: below it,
/// noise is followed.
const CORNER: f32 = 6.0;
const STEPS: usize = 12;
/// How far from home a corner may come back, in cells.
const HOME: f32 = 0.5;
/// How far a corner may be from where the fit puts it, in cells.
const AGREE: f32 = 0.8;
const DRAWS: usize = 160;
/// Fewer corners, or a smaller part of them that agree, say nothing of the camera.
const LEAST_CORNERS: usize = 12;
const LEAST_SHARE: f32 = 0.25;

/// A shift, a turn and a change of size, as complex numbers: `p` becomes `turn * p + shift`. Places
/// count from the middle of the picture, in units whose height and width on the screen are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Similarity {
    pub turn: (f64, f64),
    pub shift: (f64, f64),
}

fn times(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

impl Similarity {
    /// What changes nothing.
    pub(crate) const NONE: Self = Self {
        turn: (1.0, 0.0),
        shift: (0.0, 0.0),
    };

    /// Where a place comes to.
    pub(crate) fn of(&self, p: (f64, f64)) -> (f64, f64) {
        let turned = times(self.turn, p);
        (turned.0 + self.shift.0, turned.1 + self.shift.1)
    }

    /// First `self`, then `next`.
    pub(crate) fn then(&self, next: &Self) -> Self {
        Self {
            turn: times(next.turn, self.turn),
            shift: next.of(self.shift),
        }
    }

    /// The way back.
    pub(crate) fn inverse(&self) -> Self {
        let (a, b) = self.turn;
        let square = (a * a + b * b).max(1e-12);
        let turn = (a / square, -b / square);
        let back = times(turn, self.shift);
        Self {
            turn,
            shift: (-back.0, -back.1),
        }
    }

    /// A part of it: 0 changes nothing, 1 is all of it.
    pub(crate) fn part(&self, part: f64) -> Self {
        Self {
            turn: (1.0 + (self.turn.0 - 1.0) * part, self.turn.1 * part),
            shift: (self.shift.0 * part, self.shift.1 * part),
        }
    }

    /// The same in units that are so many times as small.
    pub(crate) fn scaled(&self, by: f64) -> Self {
        Self {
            shift: (self.shift.0 * by, self.shift.1 * by),
            ..*self
        }
    }
}

/// Follows the camera of a clip.
pub(crate) struct Camera {
    /// Width of a cell by its height, as they are shown.
    aspect: f64,
}

impl Camera {
    /// For pictures whose pixels are `aspect` times as wide as high.
    pub(crate) fn new(aspect: f64) -> Self {
        Self { aspect }
    }

    /// Where what `from` shows lies in `to`, in cells of the largest level. `None` where there is
    /// too little to tell by.
    pub(crate) fn motion(&self, from: &Pyramid, to: &Pyramid) -> Option<Similarity> {
        let finest = from.finest();
        let gray = to.finest();
        if (finest.width, finest.height) != (gray.width, gray.height) {
            return None;
        }
        let middle = (
            (finest.width as f64 - 1.0) / 2.0,
            (finest.height as f64 - 1.0) / 2.0,
        );
        let place = |(x, y): (f32, f32)| {
            (
                (f64::from(x) - middle.0) * self.aspect,
                f64::from(y) - middle.1,
            )
        };
        let mut pairs = Vec::new();
        for corner in corners(finest) {
            let Some(there) = follow(from, to, corner) else {
                continue;
            };
            let Some(home) = follow(to, from, there) else {
                continue;
            };
            if (home.0 - corner.0).hypot(home.1 - corner.1) <= HOME {
                pairs.push((place(corner), place(there)));
            }
        }
        fit(&pairs)
    }
}

/// Places that can be found again, spread over the picture.
fn corners(gray: &Gray) -> Vec<(f32, f32)> {
    let (width, height) = (gray.width, gray.height);
    let margin = RADIUS + 2;
    if width <= 2 * margin || height <= 2 * margin {
        return Vec::new();
    }
    // Sums of squared gradients over windows, by columns that slide down.
    let gradient = |x: usize, y: usize| {
        let row = gray.row(y);
        (
            0.5 * (row[x + 1] - row[x - 1]),
            0.5 * (gray.row(y + 1)[x] - gray.row(y - 1)[x]),
        )
    };
    let side = 2 * RADIUS + 1;
    let area = (side * side) as f32;
    let strengths_of = |y: usize, strengths: &mut Vec<f32>| {
        let mut columns = vec![[0.0f32; 3]; width];
        for v in y - RADIUS..=y + RADIUS {
            for (x, column) in columns.iter_mut().enumerate().take(width - 1).skip(1) {
                let (gx, gy) = gradient(x, v);
                column[0] += gx * gx;
                column[1] += gx * gy;
                column[2] += gy * gy;
            }
        }
        strengths.clear();
        strengths.resize(width, 0.0);
        for x in margin..width - margin {
            let mut sums = [0.0f32; 3];
            for column in &columns[x - RADIUS..=x + RADIUS] {
                for (sum, v) in sums.iter_mut().zip(column) {
                    *sum += v;
                }
            }
            let [xx, xy, yy] = sums.map(|sum| sum / area);
            let half = 0.5 * (xx - yy);
            strengths[x] = 0.5 * (xx + yy) - (half * half + xy * xy).sqrt();
        }
    };
    let columns = width.div_ceil(SPREAD);
    let mut found = Vec::new();
    let mut strengths = Vec::new();
    for top in (0..height).step_by(SPREAD) {
        let mut best: Vec<Option<(f32, usize, usize)>> = vec![None; columns];
        // Every second row: corners are wider than that.
        for y in (top.max(margin)..(top + SPREAD).min(height - margin)).step_by(2) {
            strengths_of(y, &mut strengths);
            for x in (margin..width - margin).step_by(2) {
                let strength = strengths[x];
                let best = &mut best[x / SPREAD];
                if strength >= CORNER && best.is_none_or(|(most, ..)| most < strength) {
                    *best = Some((strength, x, y));
                }
            }
        }
        let all = best.into_iter().flatten();
        found.extend(all.map(|(_, x, y)| (x as f32, y as f32)));
    }
    found
}

/// Where a place of `from` lies in `to`, both in cells of the largest level. `None` where it
/// leaves the picture, or is not found.
fn follow(from: &Pyramid, to: &Pyramid, place: (f32, f32)) -> Option<(f32, f32)> {
    let levels = from.levels.len().min(to.levels.len());
    let mut moved = (0.0f32, 0.0f32);
    for level in (0..levels).rev() {
        let (here, there) = (from.levels.get(level)?, to.levels.get(level)?);
        let scale = (1u32 << level) as f32;
        // Cells are counted by their middles.
        let at = |v: f32| (v + 0.5) / scale - 0.5;
        let step = track(here, there, (at(place.0), at(place.1)), moved);
        match step {
            Some(step) => moved = step,
            // In small, a corner may be too near to the border or too weak; a larger level shows
            // more of it.
            None if level > 0 => {}
            None => return None,
        }
        if level > 0 {
            moved = (moved.0 * 2.0, moved.1 * 2.0);
        }
    }
    let (x, y) = (place.0 + moved.0, place.1 + moved.1);
    let gray = to.finest();
    let inside = |v: f32, side: usize| v >= 1.0 && v <= side as f32 - 2.0;
    (inside(x, gray.width) && inside(y, gray.height)).then_some((x, y))
}

/// One level: by how much the window around `place` moved, beginning at `moved`.
fn track(from: &Gray, to: &Gray, place: (f32, f32), mut moved: (f32, f32)) -> Option<(f32, f32)> {
    const SIDE: usize = 2 * RADIUS + 1;
    const AREA: usize = SIDE * SIDE;
    let r = RADIUS as f32;
    let fits = |gray: &Gray, (x, y): (f32, f32), room: f32| {
        x >= room
            && y >= room
            && x <= gray.width as f32 - 1.0 - room
            && y <= gray.height as f32 - 1.0 - room
    };
    // Parts of a window may lie outside: a corner near the border counts as well.
    if !fits(from, place, 2.0) {
        return None;
    }
    let start = moved;
    let mut window = [0.0f32; AREA];
    let mut gradients = [(0.0f32, 0.0f32); AREA];
    let (mut mean, mut mx, mut my) = (0.0f32, 0.0f32, 0.0f32);
    let cells = (0..AREA).map(|i| ((i % SIDE) as f32 - r, (i / SIDE) as f32 - r));
    for (i, (dx, dy)) in cells.clone().enumerate() {
        let (x, y) = (place.0 + dx, place.1 + dy);
        window[i] = from.at(x, y);
        gradients[i] = (
            0.5 * (from.at(x + 1.0, y) - from.at(x - 1.0, y)),
            0.5 * (from.at(x, y + 1.0) - from.at(x, y - 1.0)),
        );
        mean += window[i];
        mx += gradients[i].0;
        my += gradients[i].1;
    }
    let share = 1.0 / AREA as f32;
    (mean, mx, my) = (mean * share, mx * share, my * share);
    let (mut xx, mut xy, mut yy) = (0.0f32, 0.0f32, 0.0f32);
    for (v, g) in window.iter_mut().zip(&mut gradients) {
        // Without what differs by the same amount everywhere: light.
        *v -= mean;
        *g = (g.0 - mx, g.1 - my);
        xx += g.0 * g.0;
        xy += g.0 * g.1;
        yy += g.1 * g.1;
    }
    let determinant = xx * yy - xy * xy;
    if determinant <= 1e-3 * (xx + yy) * (xx + yy) * 0.25 || xx + yy < 1.0 {
        return None;
    }
    let mut shown = [0.0f32; AREA];
    for _ in 0..STEPS {
        let at = (place.0 + moved.0, place.1 + moved.1);
        if !fits(to, at, 0.0) {
            return None;
        }
        let mut other = 0.0;
        for (v, (dx, dy)) in shown.iter_mut().zip(cells.clone()) {
            *v = to.at(at.0 + dx, at.1 + dy);
            other += *v;
        }
        other *= share;
        let (mut ex, mut ey) = (0.0f32, 0.0f32);
        for ((v, w), g) in shown.iter().zip(&window).zip(&gradients) {
            let apart = v - other - w;
            ex += apart * g.0;
            ey += apart * g.1;
        }
        let dx = (yy * ex - xy * ey) / determinant;
        let dy = (xx * ey - xy * ex) / determinant;
        moved = (moved.0 - dx, moved.1 - dy);
        if dx * dx + dy * dy < 1e-4 {
            break;
        }
    }
    // Whoever runs off has found something else.
    let far = (moved.0 - start.0).hypot(moved.1 - start.1);
    (far <= 2.0 * r).then_some(moved)
}

type Pair = ((f64, f64), (f64, f64));

fn apart(found: &Similarity, (from, to): &Pair) -> f64 {
    let (x, y) = found.of(*from);
    (x - to.0).hypot(y - to.1)
}

/// The motion that most of the pairs agree with.
fn fit(pairs: &[Pair]) -> Option<Similarity> {
    if pairs.len() < LEAST_CORNERS {
        return None;
    }
    let agree = f64::from(AGREE);
    // A small generator (Marsaglia 2003) with a seed of its own for each pair of pictures.
    let mut state = 0x2545_f491_u32;
    let mut draw = |count: usize| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % count
    };
    let mut best: Option<(f64, Similarity)> = None;
    for _ in 0..DRAWS {
        let (i, j) = (draw(pairs.len()), draw(pairs.len()));
        let (a, b) = (&pairs[i], &pairs[j]);
        let from = (b.0.0 - a.0.0, b.0.1 - a.0.1);
        let square = from.0 * from.0 + from.1 * from.1;
        // Two corners near to each other say little of a turn.
        if square < 400.0 {
            continue;
        }
        let to = (b.1.0 - a.1.0, b.1.1 - a.1.1);
        let turned = times(to, (from.0, -from.1));
        let turn = (turned.0 / square, turned.1 / square);
        let size = turn.0.hypot(turn.1);
        if !(0.8..=1.25).contains(&size) {
            continue;
        }
        let home = times(turn, a.0);
        let candidate = Similarity {
            turn,
            shift: (a.1.0 - home.0, a.1.1 - home.1),
        };
        // Near ones count more, so that the best of two that all agree with wins.
        let votes: f64 = pairs
            .iter()
            .map(|pair| (1.0 - apart(&candidate, pair) / agree).max(0.0))
            .sum();
        if best.as_ref().is_none_or(|(most, _)| votes > *most) {
            best = Some((votes, candidate));
        }
    }
    let (_, mut found) = best?;
    for _ in 0..6 {
        found = least_squares(pairs, &found, agree)?;
    }
    let agreeing = pairs.iter().filter(|pair| apart(&found, pair) < agree);
    (agreeing.count() as f32 >= LEAST_SHARE * pairs.len() as f32).then_some(found)
}

/// The motion with the least squares of distances, of the pairs that are near to `found`.
fn least_squares(pairs: &[Pair], found: &Similarity, agree: f64) -> Option<Similarity> {
    let weight = |pair: &Pair| {
        let far = apart(found, pair) / (1.5 * agree);
        let near = (1.0 - far * far).max(0.0);
        near * near
    };
    let mut sum = 0.0;
    let (mut from, mut to) = ((0.0, 0.0), (0.0, 0.0));
    for pair in pairs {
        let w = weight(pair);
        sum += w;
        from = (from.0 + w * pair.0.0, from.1 + w * pair.0.1);
        to = (to.0 + w * pair.1.0, to.1 + w * pair.1.1);
    }
    if sum < 3.0 {
        return None;
    }
    from = (from.0 / sum, from.1 / sum);
    to = (to.0 / sum, to.1 / sum);
    let (mut dot, mut cross, mut square) = (0.0, 0.0, 0.0);
    for pair in pairs {
        let w = weight(pair);
        let p = (pair.0.0 - from.0, pair.0.1 - from.1);
        let q = (pair.1.0 - to.0, pair.1.1 - to.1);
        dot += w * (p.0 * q.0 + p.1 * q.1);
        cross += w * (p.0 * q.1 - p.1 * q.0);
        square += w * (p.0 * p.0 + p.1 * p.1);
    }
    if square < 1.0 {
        return None;
    }
    let turn = (dot / square, cross / square);
    let home = times(turn, from);
    Some(Similarity {
        turn,
        shift: (to.0 - home.0, to.1 - home.1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Smooth and without repetition over the size of a test.
    fn texture(x: f64, y: f64) -> f32 {
        let wave = |fx: f64, fy: f64, phase: f64| (x * fx + y * fy + phase).sin();
        let sum = wave(0.21, 0.05, 0.3)
            + wave(-0.09, 0.24, 1.1)
            + wave(0.13, 0.17, 2.0)
            + wave(0.31, -0.22, 0.7)
            + wave(0.041, 0.037, 4.0);
        (128.0 + 22.0 * sum) as f32
    }

    fn picture(see: impl Fn(f64, f64) -> f32) -> Pyramid {
        let (width, height) = (320, 180);
        let cells = (0..height).flat_map(|y| (0..width).map(move |x| (x as f64, y as f64)));
        Pyramid::of_gray(Gray {
            width,
            height,
            values: cells.map(|(x, y)| see(x, y)).collect(),
        })
    }

    /// The texture as a camera sees it that moved so.
    fn seen(motion: &Similarity) -> Pyramid {
        let back = motion.inverse();
        picture(|x, y| {
            let p = back.of((x - 159.5, y - 89.5));
            texture(p.0, p.1)
        })
    }

    #[track_caller]
    fn near(found: &Similarity, wanted: &Similarity) {
        for p in [(-150.0, -80.0), (150.0, -80.0), (0.0, 85.0)] {
            let (a, b) = (found.of(p), wanted.of(p));
            let far = (a.0 - b.0).hypot(a.1 - b.1);
            assert!(far < 0.1, "{far} cells apart at {p:?}: {found:?}");
        }
    }

    #[test]
    fn a_shift_a_turn_and_a_change_of_size_are_found_to_a_tenth_of_a_cell() {
        let camera = Camera::new(1.0);
        let still = seen(&Similarity::NONE);
        near(&camera.motion(&still, &still).unwrap(), &Similarity::NONE);
        for (angle, size, shift) in [
            (0.0, 1.0, (0.37, -0.61)),
            (0.0, 1.0, (9.3, 5.8)),
            (0.02, 1.0, (-3.0, 2.5)),
            (-0.03, 1.02, (4.4, -7.1)),
        ] {
            let (sin, cos) = f64::sin_cos(angle);
            let wanted = Similarity {
                turn: (size * cos, size * sin),
                shift,
            };
            near(&camera.motion(&still, &seen(&wanted)).unwrap(), &wanted);
        }
    }

    #[test]
    fn who_walks_through_the_picture_and_other_light_do_not_count() {
        let wanted = Similarity {
            turn: (1.0, 0.0),
            shift: (2.25, -1.5),
        };
        let person = |x: f64, y: f64| (90.0..190.0).contains(&x) && y > 40.0;
        let one = picture(|x, y| match person(x, y) {
            true => texture(3.0 * x, 400.0 - y),
            false => texture(x - 159.5, y - 89.5),
        });
        let two = picture(|x, y| match person(x - 9.0, y) {
            true => texture(3.0 * (x - 9.0), 400.0 - y) + 18.0,
            false => {
                let p = wanted.inverse().of((x - 159.5, y - 89.5));
                texture(p.0, p.1) + 18.0
            }
        });
        near(&Camera::new(1.0).motion(&one, &two).unwrap(), &wanted);
    }

    #[test]
    fn nothing_is_said_of_a_wall_or_of_another_scene() {
        let camera = Camera::new(1.0);
        let wall = picture(|_, _| 90.0);
        assert_eq!(camera.motion(&wall, &wall), None);
        let still = seen(&Similarity::NONE);
        let other = picture(|x, y| texture(900.0 - 2.3 * y, 1.7 * x));
        assert_eq!(camera.motion(&still, &other), None);
    }

    #[test]
    fn a_way_and_its_way_back_lead_home_and_wide_pixels_turn_as_they_are_shown() {
        let way = Similarity {
            turn: (0.99, 0.05),
            shift: (3.0, -4.0),
        };
        let home = way.then(&way.inverse());
        assert!((home.turn.0 - 1.0).abs() < 1e-9 && home.shift.0.abs() < 1e-9);
        // Pixels that are twice as wide: a turn on the screen is none of the grid.
        let turn = Similarity {
            turn: (0.02f64.cos(), 0.02f64.sin()),
            shift: (0.0, 0.0),
        };
        let two = picture(|x, y| {
            let p = turn.inverse().of((2.0 * (x - 159.5), y - 89.5));
            texture(p.0 / 2.0, p.1)
        });
        let found = Camera::new(2.0).motion(&seen(&Similarity::NONE), &two);
        let found = found.unwrap();
        assert!((found.turn.1 - turn.turn.1).abs() < 5e-4, "{found:?}");
    }
}
