//! From how the camera moved to how each picture is moved.
//!
//! What a picture shows is brought to where a camera that moves smoothly would show it: to the
//! value at that moment of a straight line through the places that it had in the pictures around,
//! which count by a bell curve. A line and not a mean, so that an even pan stays what it is even
//! where a shot begins and there is nothing before. Only motions within the window count, one after
//! another from the picture itself: nothing adds up over a clip, and whoever computes a segment
//! finds the same.

use crate::motion::Similarity;

/// Standard deviation of the bell as a part of how far the window reaches.
const DEVIATION: f64 = 0.4;
/// Up to this part of the room, a picture is moved as it should be; beyond it, less and less, so
/// that it never comes to an end of the room with a jerk.
const FREE: f64 = 0.7;

/// The pictures of a window, as they lie to the one that is moved.
pub(super) struct Window {
    /// Where what that picture shows lies in each, in order.
    poses: Vec<Similarity>,
    /// Position of the picture itself.
    at: usize,
    /// How far the window reaches.
    reach: usize,
}

impl Window {
    /// `before` are the motions into the picture and into those before it, the nearest first;
    /// `after` those into the pictures behind it, the nearest first; none of them across a cut.
    pub(super) fn of<'a>(
        before: impl Iterator<Item = &'a Similarity>,
        after: impl Iterator<Item = &'a Similarity>,
        reach: usize,
    ) -> Self {
        let mut poses = vec![Similarity::NONE];
        let mut pose = Similarity::NONE;
        for motion in before.take(reach) {
            pose = pose.then(&motion.inverse());
            poses.push(pose);
        }
        poses.reverse();
        let at = poses.len() - 1;
        pose = Similarity::NONE;
        for motion in after.take(reach) {
            pose = pose.then(motion);
            poses.push(pose);
        }
        Self { poses, at, reach }
    }

    /// How what the picture `at` shows is to be moved.
    fn correction(&self, at: usize) -> Similarity {
        let mut line = Line::default();
        let deviation = (DEVIATION * self.reach as f64).max(0.5);
        let home = self.poses[at].inverse();
        let all = self.poses.iter().enumerate();
        let near = all.skip(at.saturating_sub(self.reach));
        for (place, pose) in near.take_while(|(place, _)| *place <= at + self.reach) {
            let time = place as f64 - at as f64;
            let far = time / deviation;
            line.add((-0.5 * far * far).exp(), time, numbers(&home.then(pose)));
        }
        let [size, angle, x, y] = line.at_zero();
        let (sin, cos) = angle.sin_cos();
        let size = size.exp();
        Similarity {
            turn: (size * cos, size * sin),
            shift: (x, y),
        }
    }

    /// From the places of a result to those of its source, so that nothing outside of the source is
    /// seen. `size` is that of the picture as it is shown; `zoom` is how many times larger the
    /// result shows it; `room` is the zoom whose room may be used, which is larger than `zoom` where
    /// the border is filled.
    ///
    /// Where the room is too small for the worst pictures, those around them are moved less as well:
    /// the camera then moves more than it should, but as smoothly.
    pub(super) fn way_back(&self, size: (f64, f64), zoom: f64, room: f64) -> Similarity {
        let mut back = Similarity::NONE;
        let mut most = 0.0f64;
        for at in 0..self.poses.len() {
            let own = self.correction(at).inverse();
            let far = at.abs_diff(self.at) as f64 / (self.reach + 1) as f64;
            let counts = (0.5 * std::f64::consts::PI * far).cos();
            most = most.max(load(&own, size, room) * counts * counts);
            if at == self.at {
                back = own;
            }
        }
        let limited = back.part(gain(most));
        let turn = limited.turn;
        Similarity {
            turn: (turn.0 / zoom, turn.1 / zoom),
            shift: limited.shift,
        }
    }
}

/// Logarithm of the size, angle, and shift.
fn numbers(motion: &Similarity) -> [f64; 4] {
    let (a, b) = motion.turn;
    let (x, y) = motion.shift;
    [a.hypot(b).max(1e-6).ln(), b.atan2(a), x, y]
}

/// Weighted sums for straight lines through four numbers over time.
#[derive(Default)]
struct Line {
    weight: f64,
    time: f64,
    square: f64,
    values: [f64; 4],
    products: [f64; 4],
}

impl Line {
    fn add(&mut self, weight: f64, time: f64, values: [f64; 4]) {
        self.weight += weight;
        self.time += weight * time;
        self.square += weight * time * time;
        for (at, v) in values.into_iter().enumerate() {
            self.values[at] += weight * v;
            self.products[at] += weight * time * v;
        }
    }

    fn at_zero(&self) -> [f64; 4] {
        let spread = self.weight * self.square - self.time * self.time;
        let mut found = [0.0; 4];
        for (at, found) in found.iter_mut().enumerate() {
            let (value, product) = (self.values[at], self.products[at]);
            *found = match spread > 1e-9 {
                true => (self.square * value - self.time * product) / spread,
                // One picture alone.
                false => value / self.weight.max(1e-9),
            };
        }
        found
    }
}

/// How much of the room around a picture that is shown `zoom` times as large the corners need: 1 is
/// all of it.
fn load(back: &Similarity, (width, height): (f64, f64), zoom: f64) -> f64 {
    let (half_x, half_y) = (0.5 * width, 0.5 * height);
    let mut most = 0.0f64;
    for (sx, sy) in [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)] {
        let corner = (sx * half_x / zoom, sy * half_y / zoom);
        let moved = back.of(corner);
        let axes = [
            (corner.0, moved.0 - corner.0, half_x),
            (corner.1, moved.1 - corner.1, half_y),
        ];
        for (at, by, half) in axes {
            let room = match by > 0.0 {
                true => half - at,
                false => half + at,
            };
            if by != 0.0 {
                most = most.max(by.abs() / room.max(1e-9));
            }
        }
    }
    most
}

/// Which part of a correction is made that needs so much of the room.
fn gain(load: f64) -> f64 {
    if load <= FREE {
        return 1.0;
    }
    let rest = 1.0 - FREE;
    let used = FREE + rest * (1.0 - (-(load - FREE) / rest).exp());
    used / load
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shift(x: f64, y: f64) -> Similarity {
        Similarity {
            shift: (x, y),
            ..Similarity::NONE
        }
    }

    fn window(motions: &[Similarity], at: usize, reach: usize) -> Window {
        let before = motions[..at].iter().rev();
        Window::of(before, motions[at..].iter(), reach)
    }

    /// Corrections of a clip whose camera moved so, with windows that reach `reach` pictures.
    fn corrections(motions: &[Similarity], reach: usize) -> Vec<Similarity> {
        let all = 0..=motions.len();
        all.map(|at| {
            let window = window(motions, at, reach);
            window.correction(window.at)
        })
        .collect()
    }

    #[test]
    fn an_even_pan_is_left_as_it_is_from_the_first_picture_to_the_last() {
        let motions = vec![shift(3.5, -1.25); 40];
        for (at, found) in corrections(&motions, 12).iter().enumerate() {
            let (x, y) = found.shift;
            assert!(x.hypot(y) < 1e-6, "picture {at} is moved by {x}, {y}");
        }
    }

    #[test]
    fn a_jolt_of_one_picture_goes_away() {
        let mut motions = vec![Similarity::NONE; 40];
        motions[19] = shift(8.0, 0.0);
        motions[20] = shift(-8.0, 0.0);
        let found = corrections(&motions, 15);
        let shown = |at: usize, place: f64| place + found[at].shift.0;
        assert!(shown(20, 8.0).abs() < 0.8, "{}", shown(20, 8.0));
        assert!(shown(19, 0.0).abs() < 0.8 && shown(10, 0.0).abs() < 0.5);
    }

    #[test]
    fn no_border_is_ever_seen_however_far_a_picture_should_be_moved() {
        let size = (1920.0, 1080.0);
        for strength in [0.1, 0.5, 1.0, 2.0, 10.0, 100.0] {
            let mut motions = vec![Similarity::NONE; 40];
            motions[20] = Similarity {
                turn: ((0.02f64 * strength).cos(), (0.02 * strength).sin()),
                shift: (40.0 * strength, -25.0 * strength),
            };
            let zoom = 1.1;
            for at in 10..30 {
                let back = window(&motions, at, 9).way_back(size, zoom, zoom);
                for (x, y) in [
                    (-960.0, -540.0),
                    (960.0, -540.0),
                    (-960.0, 540.0),
                    (960.0, 540.0),
                ] {
                    let (x, y) = back.of((x, y));
                    assert!(
                        x.abs() <= 960.0 && y.abs() <= 540.0,
                        "{x}, {y} is seen in picture {at} at {strength}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_swing_that_there_is_no_room_for_is_made_smaller_and_stays_smooth() {
        let swing = |at: usize| 80.0 * (at as f64 * std::f64::consts::TAU / 20.0).sin();
        let motions: Vec<Similarity> = (0..80)
            .map(|at| shift(0.0, swing(at + 1) - swing(at)))
            .collect();
        let shown: Vec<f64> = (20..60)
            .map(|at| {
                let back = window(&motions, at, 20).way_back((1920.0, 1080.0), 1.1, 1.1);
                swing(at) - back.shift.1
            })
            .collect();
        let bend =
            |way: &dyn Fn(usize) -> f64, at: usize| way(at) - 2.0 * way(at + 1) + way(at + 2);
        for at in 0..38 {
            let own = bend(&|at| shown[at], at).abs();
            assert!(own < 5.0, "picture {at} is jerked by {own}");
            assert!(shown[at].abs() < 50.0, "{}", shown[at]);
        }
        // Of what was there: at the turning points 80 (1 - cos(18 degrees)) * 2.
        assert!(bend(&swing, 4).abs() > 7.0);
    }
}
