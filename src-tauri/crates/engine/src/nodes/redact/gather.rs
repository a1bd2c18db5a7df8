//! Who is seen in a clip: what was found in its pictures, put together to appearances.
//!
//! There is nothing here that knows a face again. An appearance is what is surely one thing: found
//! in picture after picture with nothing else near enough to be mistaken for it, within one shot.
//! Where two faces meet, where one comes out of another, and at cuts, appearances end and new ones
//! begin, and whoever chooses which stay visible says so of each.

use super::inside;
use super::track::{REACH, Small, links};
use crate::EngineError;
use frameloom_core::graph::{SeenPath, Spot, between};
use frameloom_infer::Found;

/// Most appearances that are told apart; of more, those that were seen least are left out.
pub(super) const MOST: usize = 200;
/// What was found in fewer pictures, and was never as sure as [`SURE`], is left out: it is seldom a
/// face.
const FEWEST: u64 = 3;
const SURE: f32 = 0.8;
/// Another one that lies on a place by so much of what the best one does could be meant as well.
const RIVAL: f32 = 0.5;
/// As far as one lies in another, one may be hidden by the other.
const HIDDEN: f32 = 0.6;
/// What grows or shrinks by this from one picture to the next may have another one in it, or have had.
const GROWN: f32 = 1.5;
/// What was found in so many pictures is something that others can be mistaken for.
const LASTING: u64 = 3;
/// What was missed for a while is found again where so much of what both cover is common.
const AGAIN: f32 = 0.3;
/// Places between two that are written down lie on the straight way by so much of what both cover.
const STRAIGHT: f32 = 0.75;
/// Places that are looked at again when one is added to a way, at most.
const LONGEST: usize = 250;
/// A moment shows something better if it is better by this: pictures are not made for less.
const BETTER: f32 = 1.15;

/// Something that was seen for a while.
pub(super) struct Gathered<T> {
    /// Its ways; where it was missed, one ends and the next begins.
    pub paths: Vec<SeenPath>,
    /// When it was seen first and last, in seconds.
    pub from: f64,
    pub to: f64,
    /// In how many pictures.
    pub pictures: u64,
    /// Where it is seen best.
    pub best: Spot,
    /// How sure it was there.
    pub score: f32,
    /// What it looks like there.
    pub face: T,
    /// How much there is of it: area by pictures.
    weight: f64,
}

/// Where something goes that is still seen.
#[derive(Default)]
struct Way {
    spots: Vec<Spot>,
    /// Behind the last of those.
    pending: Vec<Spot>,
}

impl Way {
    fn push(&mut self, spot: Spot) {
        if let Some(last) = self.spots.last() {
            let is_near = |seen: &Spot| {
                let straight = between(last, &spot, seen.seconds);
                found_at(straight).overlap(&found_at(seen.sides)) >= STRAIGHT
            };
            let is_straight = self.pending.len() < LONGEST && self.pending.iter().all(is_near);
            if !is_straight {
                self.spots.extend(self.pending.pop());
                self.pending.clear();
            }
            self.pending.push(spot);
        } else {
            self.spots.push(spot);
        }
    }

    fn finish(mut self) -> Option<SeenPath> {
        self.spots.extend(self.pending.pop());
        SeenPath::new(self.spots)
    }
}

fn found_at(sides: [f64; 4]) -> Found {
    Found {
        sides: sides.map(|side| side as f32),
        score: 0.0,
    }
}

/// What is seen, or was a moment ago.
struct Live<T> {
    all: Gathered<T>,
    quality: f32,
    way: Way,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    /// Which of what was found in the last picture it is.
    Seen(usize),
    /// Where it would be by what the pictures look like, for how many of them.
    Missed([f32; 4], usize),
    Over,
}

/// Puts together what was found, picture after picture.
pub(super) struct Gather<T> {
    live: Vec<Live<T>>,
    done: Vec<Gathered<T>>,
    left_out: u64,
    before: Option<(Vec<Found>, Small)>,
}

impl<T> Default for Gather<T> {
    fn default() -> Self {
        Self {
            live: Vec::new(),
            done: Vec::new(),
            left_out: 0,
            before: None,
        }
    }
}

/// For each of `now`, the one of `before` that is surely the same; `lasting` says of those whether they
/// were there for a while.
fn sure_links(before: &[Found], now: &[Found], lasting: &[bool]) -> Vec<Option<usize>> {
    let links = links(before, now);
    let is_sure = |n: usize, o: usize| {
        let (Some(new), Some(old)) = (now.get(n), before.get(o)) else {
            return false;
        };
        let best = new.overlap(old);
        let (large, small) = (area(new).max(area(old)), area(new).min(area(old)));
        if large > GROWN * small {
            return false;
        }
        let rival = before.iter().enumerate().any(|(other, rival)| {
            let is_near = new.overlap(rival) > RIVAL * best;
            let is_hidden = rival.share_in(new) > HIDDEN
                && lasting.get(other).copied().unwrap_or(true)
                && !links.contains(&Some(other));
            other != o && (is_near || is_hidden)
        });
        let second = now.iter().enumerate().any(|(other, second)| {
            let is_near = second.overlap(old) > RIVAL * best;
            let came_out =
                second.share_in(old) > HIDDEN && links.get(other).copied().flatten().is_none();
            other != n && (is_near || came_out)
        });
        !rival && !second
    };
    (0..)
        .zip(&links)
        .map(|(n, link)| link.filter(|o| is_sure(n, *o)))
        .collect()
}

fn area(found: &Found) -> f32 {
    let [left, top, right, bottom] = found.sides;
    (right - left).max(0.0) * (bottom - top).max(0.0)
}

/// True if one may be mistaken for the other.
fn is_near(one: &Found, other: &Found) -> bool {
    one.overlap(other) > 0.1 || one.share_in(other) > HIDDEN || other.share_in(one) > HIDDEN
}

impl<T> Gather<T> {
    /// The next picture, its time in seconds, and what was found of it; `face` makes what shows
    /// something at its place.
    ///
    /// # Errors
    /// What `face` says.
    pub(super) fn push(
        &mut self,
        seconds: f64,
        found: Vec<Found>,
        (small, is_cut): (Small, bool),
        face: &mut dyn FnMut([f64; 4]) -> Result<T, EngineError>,
    ) -> Result<(), EngineError> {
        let found: Vec<Found> = found.iter().map(inside).collect();
        if is_cut {
            self.end_all();
        }
        let mut owner = vec![None; found.len()];
        if let Some((before, seen)) = self.before.take() {
            let mut lasting = vec![false; before.len()];
            for live in &self.live {
                if let State::Seen(at) = live.state
                    && let Some(lasting) = lasting.get_mut(at)
                {
                    *lasting = live.all.pictures >= LASTING;
                }
            }
            let links = sure_links(&before, &found, &lasting);
            for (number, live) in self.live.iter_mut().enumerate() {
                live.state = match live.state {
                    State::Seen(at) => match links.iter().position(|link| *link == Some(at)) {
                        Some(next) => {
                            if let Some(owner) = owner.get_mut(next) {
                                *owner = Some(number);
                            }
                            State::Seen(next)
                        }
                        None => match before.get(at) {
                            // Something else is there that it may or may not be.
                            Some(old) if found.iter().any(|new| is_near(new, old)) => State::Over,
                            Some(old) => State::Missed(seen.follow(old.sides, &small), 1),
                            None => State::Over,
                        },
                    },
                    State::Missed(place, steps) if steps < REACH => {
                        State::Missed(seen.follow(place, &small), steps + 1)
                    }
                    State::Missed(..) | State::Over => State::Over,
                };
            }
            self.find_again(&found, &links, &mut owner);
            self.end_those_that_are_over(&mut owner);
        }
        for (index, (found, owner)) in found.iter().zip(&owner).enumerate() {
            let spot = Spot {
                seconds,
                sides: found.sides.map(f64::from),
            };
            let area = area(found);
            let quality = found.score * found.score * area.sqrt();
            match owner.and_then(|number| self.live.get_mut(number)) {
                Some(live) => {
                    live.way.push(spot);
                    live.all.to = seconds;
                    live.all.pictures += 1;
                    live.all.weight += f64::from(area);
                    if quality > BETTER * live.quality {
                        live.quality = quality;
                        (live.all.best, live.all.score) = (spot, found.score);
                        live.all.face = face(spot.sides)?;
                    }
                }
                None => {
                    let mut way = Way::default();
                    way.push(spot);
                    self.live.push(Live {
                        all: Gathered {
                            paths: Vec::new(),
                            from: seconds,
                            to: seconds,
                            pictures: 1,
                            best: spot,
                            score: found.score,
                            face: face(spot.sides)?,
                            weight: f64::from(area),
                        },
                        quality,
                        way,
                        state: State::Seen(index),
                    });
                }
            }
        }
        self.before = Some((found, small));
        Ok(())
    }

    /// What was missed and is found again where nothing else could be it.
    fn find_again(
        &mut self,
        found: &[Found],
        links: &[Option<usize>],
        owner: &mut [Option<usize>],
    ) {
        let is_new = |owner: &[Option<usize>], index: usize| {
            owner.get(index).copied().flatten().is_none()
                && links.get(index).copied().flatten().is_none()
        };
        let missed: Vec<(usize, Found)> = self
            .live
            .iter()
            .enumerate()
            .filter_map(|(number, live)| match live.state {
                State::Missed(sides, _) => Some((number, Found { sides, score: 0.0 })),
                _ => None,
            })
            .collect();
        for (number, place) in &missed {
            let near = |found: &Found| is_near(found, place);
            let mut candidates = (0..).zip(found).filter(|(_, found)| near(found));
            let Some((index, one)) = candidates.next() else {
                continue;
            };
            let others = missed
                .iter()
                .any(|(other, place)| other != number && is_near(one, place));
            let is_it = candidates.next().is_none()
                && !others
                && is_new(owner, index)
                && one.overlap(place) > AGAIN;
            let Some(live) = self.live.get_mut(*number) else {
                continue;
            };
            if is_it {
                // Between the two nothing was found: nothing stays visible there.
                live.all
                    .paths
                    .extend(std::mem::take(&mut live.way).finish());
                live.state = State::Seen(index);
                if let Some(owner) = owner.get_mut(index) {
                    *owner = Some(*number);
                }
            } else {
                live.state = State::Over;
            }
        }
    }

    fn end_those_that_are_over(&mut self, owner: &mut [Option<usize>]) {
        let mut moved = Vec::with_capacity(self.live.len());
        let mut kept = Vec::new();
        for live in std::mem::take(&mut self.live) {
            match live.state {
                State::Over => {
                    moved.push(None);
                    self.end(live);
                }
                _ => {
                    moved.push(Some(kept.len()));
                    kept.push(live);
                }
            }
        }
        self.live = kept;
        for owner in owner {
            *owner = owner.and_then(|number| moved.get(number).copied().flatten());
        }
    }

    fn end_all(&mut self) {
        self.before = None;
        for live in std::mem::take(&mut self.live) {
            self.end(live);
        }
    }

    fn end(&mut self, live: Live<T>) {
        let mut all = live.all;
        all.paths.extend(live.way.finish());
        if all.pictures < FEWEST && all.score < SURE {
            self.left_out += 1;
            return;
        }
        self.done.push(all);
        if self.done.len() > MOST {
            let least = self.done.iter().enumerate();
            let least = least.min_by(|(_, a), (_, b)| a.weight.total_cmp(&b.weight));
            if let Some((index, _)) = least {
                self.done.remove(index);
                self.left_out += 1;
            }
        }
    }

    /// What was seen in the order in which it was, and how much is left out of that.
    pub(super) fn finish(mut self) -> (Vec<Gathered<T>>, u64) {
        self.end_all();
        let left = |one: &Gathered<T>| one.paths.first().map_or(0.0, left_of);
        self.done.sort_by(|a, b| {
            let by_time = a.from.total_cmp(&b.from);
            by_time.then_with(|| left(a).total_cmp(&left(b)))
        });
        (self.done, self.left_out)
    }
}

fn left_of(path: &SeenPath) -> f64 {
    path.spots().first().map_or(0.0, |spot| spot.sides[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, score: f32) -> Found {
        Found {
            sides: [x, 0.3, x + 0.1, 0.5],
            score,
        }
    }

    fn gather(
        pictures: &[Vec<Found>],
        cut: &dyn Fn(usize) -> bool,
    ) -> (Vec<Gathered<[f64; 4]>>, u64) {
        let grey = vec![0.5; 160 * 90];
        let mut all = Gather::default();
        for (number, found) in pictures.iter().enumerate() {
            let small = Small::new(&[grey.clone(), grey.clone(), grey.clone()], (160, 90));
            let picture = (small, cut(number));
            all.push(number as f64 / 10.0, found.clone(), picture, &mut Ok)
                .unwrap();
        }
        all.finish()
    }

    /// In tenths of a second: first and last picture of each.
    fn times(all: &[Gathered<[f64; 4]>]) -> Vec<(i64, i64)> {
        let tenth = |seconds: f64| (seconds * 10.0).round() as i64;
        all.iter()
            .map(|one| (tenth(one.from), tenth(one.to)))
            .collect()
    }

    #[test]
    fn what_is_seen_is_one_appearance_with_the_way_it_went_and_its_best_moment() {
        let pictures: Vec<Vec<Found>> = (0..40)
            .map(|i| {
                vec![face(
                    0.1 + 0.01 * i as f32,
                    if i == 30 { 0.95 } else { 0.7 },
                )]
            })
            .collect();
        let (all, left_out) = gather(&pictures, &|_| false);
        assert_eq!((times(&all), left_out), (vec![(0, 39)], 0));
        let one = &all[0];
        assert_eq!((one.pictures, one.paths.len()), (40, 1));
        assert!((one.best.seconds - 3.0).abs() < 1e-6 && one.score > 0.9);
        assert_eq!(one.face, one.best.sides);
        // A straight way needs its two ends.
        assert_eq!(one.paths[0].spots().len(), 2);
        for (i, found) in pictures.iter().enumerate() {
            let at = one.paths[0].at(i as f64 / 10.0).unwrap();
            assert!(found_at(at).overlap(&found[0]) > 0.7, "{i}");
        }
    }

    #[test]
    fn cuts_end_appearances_and_moments_without_it_do_not() {
        let there = |i: usize| (!(10..16).contains(&i)).then(|| face(0.4, 0.9));
        let pictures: Vec<Vec<Found>> = (0..30).map(|i| there(i).into_iter().collect()).collect();
        let (all, _) = gather(&pictures, &|_| false);
        assert_eq!(times(&all), [(0, 29)]);
        let ways: Vec<f64> = all[0]
            .paths
            .iter()
            .map(|path| path.spots()[0].seconds)
            .collect();
        assert_eq!(ways, [0.0, 1.6], "nothing is known of the time between");
        assert_eq!(all[0].paths[0].at(1.2), None);
        let (all, _) = gather(&pictures, &|number| number == 20);
        assert_eq!(times(&all), [(0, 19), (20, 29)]);
    }

    #[test]
    fn where_two_meet_nobody_is_who_came_out_of_it() {
        // They go through each other; while they are on one another one of them is found.
        let pictures: Vec<Vec<Found>> = (0..41)
            .map(|i| {
                let (a, b) = (0.1 + 0.02 * i as f32, 0.9 - 0.02 * i as f32);
                match (a - b).abs() < 0.05 {
                    true => vec![face(0.5 * (a + b), 0.9)],
                    false => vec![face(a, 0.9), face(b, 0.8)],
                }
            })
            .collect();
        let (all, _) = gather(&pictures, &|_| false);
        for one in &all {
            // Nobody is on both sides of the meeting.
            let before = one.from < 1.8;
            let after = one.to > 2.2;
            assert!(!(before && after), "{:?}", times(&all));
        }
        assert!(all.len() >= 4, "{:?}", times(&all));
    }

    #[test]
    fn what_swallows_another_one_is_nobody_who_was_there_before() {
        // From 10 on two faces are found as one, which is as large as both; the second was not found
        // before.
        let pictures: Vec<Vec<Found>> = (0..20)
            .map(|i| {
                let mut one = face(0.4, 0.9);
                one.sides[2] += if i < 10 { 0.0 } else { 0.06 };
                vec![one]
            })
            .collect();
        let (all, _) = gather(&pictures, &|_| false);
        assert_eq!(times(&all), [(0, 9), (10, 19)]);
    }

    #[test]
    fn what_comes_while_one_is_missed_is_somebody_else() {
        // The first is not found from 10 to 14; at 12 another one is seen near its place.
        let pictures: Vec<Vec<Found>> = (0..25)
            .map(|i| match i {
                12 => vec![face(0.46, 0.9)],
                10..15 => Vec::new(),
                _ => vec![face(0.4, 0.9)],
            })
            .collect();
        let (all, _) = gather(&pictures, &|_| false);
        assert_eq!(times(&all), [(0, 9), (12, 12), (15, 24)]);
    }

    #[test]
    fn what_is_seen_for_a_moment_and_not_sure_is_left_out_and_so_are_the_least_of_very_many() {
        let mut pictures = vec![Vec::new(); 10];
        pictures[4] = vec![face(0.2, 0.6)];
        let (all, left_out) = gather(&pictures, &|_| false);
        assert_eq!((all.len(), left_out), (0, 1));
        pictures[4] = vec![face(0.2, 0.9)];
        assert_eq!(gather(&pictures, &|_| false).0.len(), 1);
        // A cut before each picture; the first shows the smallest face.
        let many: Vec<Vec<Found>> = (0..MOST + 1)
            .map(|i| {
                let mut one = face(0.1, 0.9);
                one.sides[2] -= if i == 0 { 0.05 } else { 0.0 };
                vec![one]
            })
            .collect();
        let (all, left_out) = gather(&many, &|_| true);
        assert_eq!((all.len(), left_out), (MOST, 1));
        assert_eq!(times(&all)[0], (1, 1));
    }
}
