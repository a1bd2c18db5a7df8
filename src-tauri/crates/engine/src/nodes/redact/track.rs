//! Places that stay covered while a model misses them.
//!
//! A face turns away, something passes in front of it, a picture is blurred by motion: a model that
//! looks at each picture by itself misses it there, and it must not be seen for a single picture.
//! So what was found is linked from picture to picture; where a chain ends, the place is followed
//! by what it looks like for up to [`REACH`] further pictures, growing a little with each, and
//! where one begins, as far back. Nothing is followed beyond a cut.
//!
//! What comes out of a picture depends on [`REACH`] pictures before and after it, whichever run
//! computes it.

use frameloom_infer::Found;

/// Pictures for which a place is followed that is not found any more, or not yet.
pub(in crate::nodes) const REACH: usize = 12;
/// A place grows by this part of its sides, on each side, with every picture that it is followed.
const GROWTH: f32 = 0.02;
/// What is found in one picture, and nowhere near in the others, is followed farther than [`NEAR`]
/// if it is as sure as this.
const SURE: f32 = 0.8;
/// For so many pictures everything is followed.
const NEAR: usize = 3;
/// What is found in neighbouring pictures is one thing from this overlap on.
const LINKED: f32 = 0.15;
/// Pictures of a flash, at most.
const FLASH: usize = 3;
/// Mean difference of grey, of 1, below which pictures are of one shot.
const ALIKE: f32 = 0.1;
/// A place that was followed was found again where so much of it lies in what was found.
const FOUND_AGAIN: f32 = 0.6;
/// Width of the picture in which places are followed.
const SMALL_WIDTH: usize = 160;
/// A place moves by so many pixels of the small picture from one picture to the next, at most.
const LARGEST_STEP: isize = 8;

/// A picture in small, in grey from 0 to 1.
#[derive(Debug, Clone, Default)]
pub(super) struct Small {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Small {
    /// Of red, green and blue.
    pub(super) fn new(rgb: &[Vec<f32>; 3], (width, height): (usize, usize)) -> Self {
        let step = width.div_ceil(SMALL_WIDTH).max(1);
        let (w, h) = ((width / step).max(1), (height / step).max(1));
        let [r, g, b] = rgb;
        let mut values = Vec::with_capacity(w * h);
        for y in 0..h {
            for x in 0..w {
                let (mut sum, mut count) = (0.0, 0);
                for v in y * step..((y + 1) * step).min(height) {
                    for at in v * width + x * step..v * width + ((x + 1) * step).min(width) {
                        sum += 0.25 * r[at] + 0.5 * g[at] + 0.25 * b[at];
                        count += 1;
                    }
                }
                values.push(sum / count.max(1) as f32);
            }
        }
        Self {
            width: w,
            height: h,
            values,
        }
    }

    /// True if it may be of the same shot as `other`.
    fn is_like(&self, other: &Small) -> bool {
        if (self.width, self.height) != (other.width, other.height) {
            return false;
        }
        let apart = self.values.iter().zip(&other.values);
        let sum: f32 = apart.map(|(a, b)| (a - b).abs()).sum();
        sum < ALIKE * self.values.len() as f32
    }

    /// Pixels from left to right and from top to bottom.
    fn pixels(&self, sides: [f32; 4]) -> [isize; 4] {
        let (w, h) = (self.width as f32, self.height as f32);
        [
            (sides[0] * w).floor() as isize,
            (sides[1] * h).floor() as isize,
            (sides[2] * w).ceil() as isize,
            (sides[3] * h).ceil() as isize,
        ]
    }

    /// Where the place `sides` of this picture lies in `next`.
    pub(super) fn follow(&self, sides: [f32; 4], next: &Small) -> [f32; 4] {
        if (self.width, self.height) != (next.width, next.height) {
            return sides;
        }
        let [left, top, right, bottom] = self.pixels(sides);
        let mut best = (f32::INFINITY, 0, 0);
        for dy in -LARGEST_STEP..=LARGEST_STEP {
            for dx in -LARGEST_STEP..=LARGEST_STEP {
                let Some(apart) = self.apart(next, [left, top, right, bottom], (dx, dy)) else {
                    continue;
                };
                // Of equally good places the nearest: flat ones do not wander.
                let apart = apart + 1e-4 * ((dx * dx + dy * dy) as f32).sqrt();
                if apart < best.0 {
                    best = (apart, dx, dy);
                }
            }
        }
        let (dx, dy) = (
            best.1 as f32 / self.width as f32,
            best.2 as f32 / self.height as f32,
        );
        [sides[0] + dx, sides[1] + dy, sides[2] + dx, sides[3] + dy]
    }

    /// Mean difference between a place here and the displaced one in `next`; `None` where too
    /// little of it lies in both.
    fn apart(
        &self,
        next: &Small,
        [left, top, right, bottom]: [isize; 4],
        (dx, dy): (isize, isize),
    ) -> Option<f32> {
        let (w, h) = (self.width as isize, self.height as isize);
        let xs = left.max(0).max(-dx)..right.min(w).min(w - dx);
        let ys = top.max(0).max(-dy)..bottom.min(h).min(h - dy);
        let area = (right - left).max(1) * (bottom - top).max(1);
        if xs.is_empty() || ys.is_empty() || (xs.end - xs.start) * (ys.end - ys.start) * 2 < area {
            return None;
        }
        let mut sum = 0.0;
        let count = (xs.end - xs.start) * (ys.end - ys.start);
        for y in ys {
            let own = &self.values[(y * w + xs.start) as usize..(y * w + xs.end) as usize];
            let at = (y + dy) * w + dx;
            let other = &next.values[(at + xs.start) as usize..(at + xs.end) as usize];
            sum += own
                .iter()
                .zip(other)
                .map(|(a, b)| (a - b).abs())
                .sum::<f32>();
        }
        Some(sum / count as f32)
    }
}

/// What was seen of a picture.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// What was found.
    pub found: Vec<Found>,
    /// For each of those, the one of the picture before that is the same.
    pub back: Vec<Option<usize>>,
    /// Which of those stay visible; none where it is empty.
    pub kept: Vec<bool>,
    /// The picture is the first of a shot.
    pub is_cut: bool,
    /// The picture.
    pub small: Small,
}

impl Seen {
    /// True if what was found there stays visible.
    fn keeps(&self, index: usize) -> bool {
        self.kept.get(index).copied().unwrap_or(false)
    }

    /// What was found and is covered.
    fn covered(&self) -> impl Iterator<Item = &Found> {
        let found = self.found.iter().enumerate();
        found
            .filter(|(index, _)| !self.keeps(*index))
            .map(|(_, found)| found)
    }
}

/// For each of `now`, the one of `before` that is the same thing.
pub(super) fn links(before: &[Found], now: &[Found]) -> Vec<Option<usize>> {
    let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
    for (n, new) in now.iter().enumerate() {
        for (o, old) in before.iter().enumerate() {
            let overlap = new.overlap(old);
            if overlap > LINKED {
                pairs.push((overlap, n, o));
            }
        }
    }
    // Equal ones in their order: the same in every run.
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut links = vec![None; now.len()];
    let mut taken = vec![false; before.len()];
    for (_, n, o) in pairs {
        if links[n].is_none() && !taken[o] {
            links[n] = Some(o);
            taken[o] = true;
        }
    }
    links
}

/// The places of the picture `at` of a window of pictures: what was found in it, and what of its
/// neighbours is followed to it. In parts of the picture; they may lead over its edges.
pub(super) fn places(window: &[&Seen], at: usize) -> Vec<[f32; 4]> {
    // Whatever the window holds, the same pictures count.
    let first = at.saturating_sub(REACH);
    let last = (at + REACH).min(window.len().saturating_sub(1));
    let Some(window) = window.get(first..=last) else {
        return Vec::new();
    };
    let at = at - first;
    let cuts: Vec<bool> = (0..window.len()).map(|i| is_cut(window, i)).collect();
    let first = (0..at).rev().take_while(|&i| !cuts[i + 1]).last();
    let last = (at + 1..window.len()).take_while(|&i| !cuts[i]).last();
    let shot = first.unwrap_or(at)..=last.unwrap_or(at);

    let own = window[at];
    let mut places: Vec<[f32; 4]> = own.covered().map(|found| found.sides).collect();
    for from in shot.clone().filter(|&from| from != at) {
        let seen = window[from];
        // The next picture on the way, in which the chain must have ended. One that leads to what
        // stays visible has ended, too: that is somebody else, or was not known to be the same.
        let (steps, goes_on): (usize, &dyn Fn(usize) -> bool) = match from < at {
            true => (at - from, &|index| {
                let next = window[from + 1];
                let mut back = next.back.iter().enumerate();
                back.any(|(own, back)| *back == Some(index) && !next.keeps(own))
            }),
            false => (from - at, &|index| {
                let before = seen.back.get(index).copied().flatten();
                from > *shot.start() && before.is_some_and(|before| !window[from - 1].keeps(before))
            }),
        };
        for (index, found) in seen.found.iter().enumerate() {
            if seen.keeps(index) || goes_on(index) {
                continue;
            }
            // What nothing speaks for is followed for a moment only.
            if steps > NEAR && found.score < SURE && !has_company(window, &shot, from, found) {
                continue;
            }
            let here = match from < at {
                true => followed(found.sides, (from..at).map(|i| (window[i], window[i + 1]))),
                false => {
                    let path = (at + 1..=from).rev();
                    followed(found.sides, path.map(|i| (window[i], window[i - 1])))
                }
            };
            // Found again in this very picture, it needs no help. What stays visible there is not it.
            let place = Found {
                sides: here,
                score: 0.0,
            };
            if own.covered().all(|own| place.share_in(own) < FOUND_AGAIN) {
                places.push(grown(here, GROWTH * steps as f32));
            }
        }
    }
    places
}

/// True if the picture is the first of a shot. A flash of light, or a few black pictures, between
/// pictures that are alike are part of one.
fn is_cut(window: &[&Seen], at: usize) -> bool {
    if !window[at].is_cut || at == 0 {
        return false;
    }
    let is_flash = |from: usize, to: usize| {
        window[to].is_cut && window[from - 1].small.is_like(&window[to].small)
    };
    let ends = (at + 1..=at + FLASH).any(|to| to < window.len() && is_flash(at, to));
    let began =
        (at.saturating_sub(FLASH).max(1)..at).any(|from| window[from].is_cut && is_flash(from, at));
    !ends && !began
}

/// True if something near it was found in another picture of the shot.
fn has_company(
    window: &[&Seen],
    shot: &std::ops::RangeInclusive<usize>,
    from: usize,
    found: &Found,
) -> bool {
    let middle = |sides: [f32; 4]| (0.5 * (sides[0] + sides[2]), 0.5 * (sides[1] + sides[3]));
    let (x, y) = middle(found.sides);
    let (width, height) = (
        found.sides[2] - found.sides[0],
        found.sides[3] - found.sides[1],
    );
    shot.clone().filter(|&other| other != from).any(|other| {
        let far = 1.0 + 0.2 * other.abs_diff(from) as f32;
        window[other].found.iter().any(|found| {
            let (u, v) = middle(found.sides);
            (u - x).abs() < far * width && (v - y).abs() < far * height
        })
    })
}

fn followed<'a>(mut sides: [f32; 4], path: impl Iterator<Item = (&'a Seen, &'a Seen)>) -> [f32; 4] {
    for (here, next) in path {
        sides = here.small.follow(sides, &next.small);
    }
    sides
}

/// A place made larger by `part` of its sides on each side.
pub(super) fn grown([left, top, right, bottom]: [f32; 4], part: f32) -> [f32; 4] {
    let (x, y) = ((right - left) * part, (bottom - top) * part);
    [left - x, top - y, right + x, bottom + y]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (160, 90);

    /// A picture with a face that lies at `x`, and what was found of it.
    fn seen(x: f32, found: Option<f32>) -> Seen {
        let (w, h) = SIZE;
        let mut grey = vec![0.3; w * h];
        let left = (x * w as f32) as usize;
        for y in 30..60 {
            for u in 0..24 {
                // Something that is like itself at one place only.
                grey[y * w + left + u] = 0.4 + 0.02 * (u as f32) + 0.005 * (y as f32 - 30.0);
            }
        }
        let face = |score| Found {
            sides: [x, 30.0 / 90.0, x + 24.0 / 160.0, 60.0 / 90.0],
            score,
        };
        Seen {
            found: found.into_iter().map(face).collect(),
            back: Vec::new(),
            kept: Vec::new(),
            is_cut: false,
            small: Small::new(&[grey.clone(), grey.clone(), grey], SIZE),
        }
    }

    fn linked(mut all: Vec<Seen>) -> Vec<Seen> {
        for i in 1..all.len() {
            all[i].back = match all[i].is_cut {
                true => vec![None; all[i].found.len()],
                false => links(&all[i - 1].found, &all[i].found),
            };
        }
        all
    }

    fn at(x: usize) -> f32 {
        0.2 + 0.0125 * x as f32
    }

    fn covers(places: &[[f32; 4]], x: f32) -> bool {
        places
            .iter()
            .any(|sides| sides[0] <= x + 0.007 && sides[2] >= x + 24.0 / 160.0 - 0.007)
    }

    #[test]
    fn a_face_that_is_missed_for_a_while_stays_covered_where_it_went() {
        // It moves by two pixels a picture and is not found from 5 to 14.
        let all: Vec<Seen> = (0..20)
            .map(|i| seen(at(i), (!(5..15).contains(&i)).then_some(0.9)))
            .collect();
        let all = linked(all);
        let window: Vec<&Seen> = all.iter().collect();
        for i in 0..20 {
            let places = places(&window, i);
            assert!(covers(&places, at(i)), "{i}: {places:?}");
            let alone = (5..15).contains(&i);
            assert!(alone || places.len() == 1, "{i}: {places:?}");
        }
    }

    #[test]
    fn what_is_not_sure_and_found_once_is_followed_for_a_moment_only() {
        let counts = |found: &dyn Fn(usize) -> Option<f32>| -> Vec<usize> {
            let all = linked((0..13).map(|i| seen(0.4, found(i))).collect());
            let window: Vec<&Seen> = all.iter().collect();
            (0..13).map(|i| places(&window, i).len()).collect()
        };
        let once = |score: f32| counts(&|i| (i == 6).then_some(score));
        assert_eq!(once(0.6), [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
        assert_eq!(once(0.9), [1; 13]);
        // Found in every second picture, it is surely there.
        let all = counts(&|i| (i % 2 == 0 && i > 3).then_some(0.6));
        assert!(all.iter().all(|count| *count > 0), "{all:?}");
    }

    #[test]
    fn a_flash_is_no_cut() {
        let mut all: Vec<Seen> = (0..12)
            .map(|i| seen(0.4, (i != 5 && i != 6).then_some(0.9)))
            .collect();
        for flash in &mut all[5..7] {
            flash.small.values.fill(1.0);
        }
        (all[5].is_cut, all[7].is_cut) = (true, true);
        let all = linked(all);
        let window: Vec<&Seen> = all.iter().collect();
        for i in [5, 6] {
            assert!(!places(&window, i).is_empty(), "{i}");
        }
    }

    #[test]
    fn of_two_faces_side_by_side_the_one_that_is_missed_stays_covered() {
        let face = |x: f32| Found {
            sides: [x, 0.3, x + 0.15, 0.7],
            score: 0.9,
        };
        let mut all: Vec<Seen> = (0..5).map(|_| seen(0.4, None)).collect();
        for (i, seen) in all.iter_mut().enumerate() {
            seen.found = match i {
                2 => vec![face(0.475)],
                _ => vec![face(0.4), face(0.475)],
            };
        }
        let all = linked(all);
        let window: Vec<&Seen> = all.iter().collect();
        let places = places(&window, 2);
        assert!(places.iter().any(|sides| sides[0] < 0.42), "{places:?}");
    }

    #[test]
    fn what_stays_visible_is_not_followed_and_hides_nobody() {
        let face = |x: f32| Found {
            sides: [x, 30.0 / 90.0, x + 24.0 / 160.0, 60.0 / 90.0],
            score: 0.9,
        };
        // Two faces come close; of both, one at a time is missed.
        let mut all: Vec<Seen> = (0..9).map(|_| seen(0.4, None)).collect();
        for (i, seen) in all.iter_mut().enumerate() {
            seen.found = match i {
                3 => vec![face(0.4)],
                5 => vec![face(0.44)],
                _ => vec![face(0.4), face(0.44)],
            };
        }
        // The first is kept.
        for seen in &mut all {
            seen.kept = seen
                .found
                .iter()
                .map(|found| found.sides[0] < 0.42)
                .collect();
        }
        let all = linked(all);
        let window: Vec<&Seen> = all.iter().collect();
        for i in 0..9 {
            let places = places(&window, i);
            // What is covered is the second, in the picture in which it is missed and lies in the
            // first, too; where only the second is seen nothing more is.
            assert!(covers(&places, 0.44), "{i}: {places:?}");
            assert!(
                places.iter().all(|sides| sides[0] > 0.42),
                "{i}: {places:?}"
            );
        }
        // In picture 3 what was found of the second could go on in the first: it does not.
        let mut mislinked = all.clone();
        mislinked[3].back = vec![Some(1)];
        let window: Vec<&Seen> = mislinked.iter().collect();
        assert!(covers(&places(&window, 3), 0.44));
    }

    #[test]
    fn nothing_is_followed_beyond_a_cut_or_farther_than_it_reaches() {
        let mut all: Vec<Seen> = (0..40)
            .map(|i| seen(0.4, (i < 3 || i == 39).then_some(0.9)))
            .collect();
        all[6].is_cut = true;
        let all = linked(all);
        let window: Vec<&Seen> = all.iter().collect();
        assert_eq!(places(&window, 5).len(), 1);
        assert_eq!(places(&window, 6), Vec::<[f32; 4]>::new());
        assert_eq!(places(&window, 39 - REACH).len(), 1);
        assert_eq!(places(&window, 38 - REACH), Vec::<[f32; 4]>::new());
    }

    #[test]
    fn a_window_of_the_reach_says_the_same_as_the_whole_clip() {
        let all: Vec<Seen> = (0..60)
            .map(|i| {
                seen(
                    at(i % 40),
                    (i % 7 != 3 && i % 11 > 2).then_some(0.5 + 0.01 * i as f32),
                )
            })
            .collect();
        let all = linked(all);
        let whole: Vec<&Seen> = all.iter().collect();
        for i in 0..60usize {
            let from = i.saturating_sub(REACH);
            let window: Vec<&Seen> = all[from..(i + REACH + 1).min(60)].iter().collect();
            assert_eq!(places(&window, i - from), places(&whole, i), "{i}");
        }
    }
}
