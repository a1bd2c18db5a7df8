//! The shots of a clip, from a look at each of its pictures.
//!
//! Three things end a shot. A hard cut is two pictures that differ as [`super::scene`] says, more
//! than the pictures around them do, and after which nothing like the picture before comes back at
//! once: that would be a flash. A dissolve is a run of pictures each of which is a mixture of the
//! one before the run and the one behind it. Where a clip fades to black (or to any one tone) and
//! from there to something else, the shot ends in the middle of the black.
//!
//! Pictures come one after another, and only those near by are kept.

use super::scene::{Change, Glance};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Half lengths of runs that are looked at, in pictures; each a third longer than the one before,
/// so that one of them reaches a little beyond both ends of any dissolve up to four seconds at 25
/// pictures a second.
const HALVES: [usize; 13] = [3, 4, 5, 6, 8, 10, 13, 17, 22, 29, 38, 50, 65];
/// Pictures before and after one that are kept.
const REACH: usize = 65;
/// A flash lasts so long at most.
const FLASH_MICROS: i64 = 500_000;
const FLASH_FRAMES: usize = 30;
/// Pictures that are so much alike, with so few other tones, are of one shot for certain.
const ALIKE: f32 = 0.8;
const SAME_TONES: f32 = 0.35;
/// A cut changes pictures so many times as much as those around it change.
const STANDS_OUT: f32 = 2.0;
/// Pictures before and after a cut that say how much they change there.
const AROUND: usize = 4;
/// What is left of a picture that is no mixture, as a part of what lies between both ends: so much
/// at the usual sensitivity.
const REST: f32 = 0.22;
/// Mixtures of which part are neither the one nor the other end.
const MIXED: std::ops::Range<f32> = 0.12..0.88;
/// So much of a run at either end stands still, and is mixed by no more than this.
const STILL: f32 = 0.15;
const MOVED: f32 = 0.05;
/// A black (or white) pause between pictures of one shot that is no longer is none of its own.
const BLINK_MICROS: i64 = 700_000;
/// The first picture that is not black is so near to where a fade from black was seen to begin.
const BEGIN: u64 = 5;
/// So many pictures beyond a fade it is seen whether all is of one tone there.
const EDGE: u64 = 5;
/// A picture of one tone: no place is so far from the mean, which is nearly black or white.
const FLAT: f32 = 8.0;
const BLACK: f32 = 20.0;
const WHITE: f32 = 235.0;

/// Where a shot may begin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShotStart {
    /// Its first picture, counted from 0.
    pub frame: u64,
    /// When that is shown, in ticks of the stream.
    pub ticks: i64,
    /// The sensitivity from which on it counts, 0 (certain) to 1.
    pub needs: f32,
    /// The first picture that shows something of it; before `frame` for dissolves and fades.
    pub from_frame: u64,
    /// The first picture that shows nothing of the shot before.
    pub to_frame: u64,
}

/// A picture that is kept.
struct Look {
    micros: i64,
    glance: Glance,
    /// Against the picture before.
    change: Change,
}

/// A place where a shot may begin, with what is around it.
struct Event {
    start: ShotStart,
    before: Glance,
    after: Glance,
    /// The pictures before are of one tone, and those behind.
    from_blank: bool,
    to_blank: bool,
    micros: i64,
}

/// Finds shots.
#[derive(Default)]
pub(crate) struct Shots {
    held: VecDeque<Look>,
    /// Number of the first picture that is held.
    first: u64,
    /// Number of the next picture that is decided upon.
    next: u64,
    /// A dissolve that a better one near by may replace.
    dissolve: Option<Event>,
    /// A place behind which pictures are of one tone.
    into_blank: Option<Event>,
    /// The first picture that is not of one tone.
    begun: Option<u64>,
    /// When each picture is shown, in ticks.
    times: Vec<i64>,
    /// A flash goes on up to this picture.
    flash_until: u64,
    found: Vec<ShotStart>,
}

impl Shots {
    /// Takes the next picture, which is shown at `ticks` of the stream and `micros` of any clock.
    pub(crate) fn push(&mut self, ticks: i64, micros: i64, glance: Glance) {
        let before = self.held.back().map(|look| &look.glance);
        let change = Change::between(before.unwrap_or(&glance), &glance);
        self.times.push(ticks);
        self.held.push_back(Look {
            micros,
            glance,
            change,
        });
        if self.held.len() > (self.next - self.first) as usize + REACH {
            self.decide();
        }
    }

    /// What was found, in order.
    pub(crate) fn finish(mut self) -> Vec<ShotStart> {
        while ((self.next - self.first) as usize) < self.held.len() {
            self.decide();
        }
        if let Some(last) = self.dissolve.take() {
            self.take(last);
        }
        // A clip may end in black.
        self.found
    }

    /// Decides whether a shot begins with the next picture.
    fn decide(&mut self) {
        let at = (self.next - self.first) as usize;
        if let Some(cut) = self.hard_cut(at) {
            if let Some(last) = self.dissolve.take() {
                self.take(last);
            }
            self.take(cut);
        } else if let Some(found) = self.dissolve_around(at) {
            match &self.dissolve {
                // The same one, seen a little later.
                Some(known) if found.start.from_frame < known.start.to_frame => {
                    if found.start.needs < known.start.needs {
                        self.dissolve = Some(found);
                    }
                }
                _ => {
                    if let Some(last) = self.dissolve.replace(found) {
                        self.take(last);
                    }
                }
            }
        } else if self
            .dissolve
            .as_ref()
            .is_some_and(|known| known.start.to_frame < self.next)
            && let Some(last) = self.dissolve.take()
        {
            self.take(last);
        }
        if self.begun.is_none()
            && self
                .held
                .get(at)
                .is_some_and(|look| !is_blank(&look.glance))
        {
            self.begun = Some(self.next);
        }
        self.next += 1;
        while self.next - self.first > REACH as u64 {
            self.held.pop_front();
            self.first += 1;
        }
    }

    /// True if there is nothing but one tone before.
    fn is_begin(&self, event: &Event) -> bool {
        let begun = self.begun.unwrap_or(u64::MAX);
        self.found.is_empty() && begun.saturating_add(BEGIN) >= event.start.from_frame
    }

    fn ticks(&self, frame: u64) -> i64 {
        let known = usize::try_from(frame)
            .ok()
            .and_then(|at| self.times.get(at));
        known.copied().unwrap_or_default()
    }

    /// The cut between the picture `at` and the one before.
    fn hard_cut(&mut self, at: usize) -> Option<Event> {
        let before = at.checked_sub(1)?;
        let needs = self.held.get(at)?.change.needs();
        if needs > 1.0 || !self.stands_out(at) || self.next <= self.flash_until {
            return None;
        }
        if let Some(end) = self.flash_from(at) {
            self.flash_until = self.first + end as u64;
            return None;
        }
        let (before, own) = (self.held.get(before)?, self.held.get(at)?);
        Some(Event {
            start: ShotStart {
                frame: self.next,
                ticks: self.ticks(self.next),
                needs,
                from_frame: self.next,
                to_frame: self.next,
            },
            before: before.glance.clone(),
            after: own.glance.clone(),
            from_blank: is_blank(&before.glance),
            to_blank: is_blank(&own.glance),
            micros: own.micros,
        })
    }

    /// True if there changes more than around it: where everything moves, nothing is cut.
    fn stands_out(&self, at: usize) -> bool {
        let near = at.saturating_sub(AROUND)..=at + AROUND;
        // The first picture that is held has nothing before it.
        let mut around: Vec<f32> = near
            .filter(|&i| i != at && i > 0)
            .filter_map(|i| Some(self.held.get(i)?.change.distance))
            .collect();
        around.sort_by(f32::total_cmp);
        let usual = around.get(around.len() / 2).copied().unwrap_or(0.0);
        self.held
            .get(at)
            .is_some_and(|own| own.change.distance > STANDS_OUT * usual)
    }

    /// Where a flash ends that begins at `at`: soon after it comes what was before it.
    fn flash_from(&self, at: usize) -> Option<usize> {
        let (before, own) = (self.held.get(at.checked_sub(1)?)?, self.held.get(at)?);
        (at + 1..=at + FLASH_FRAMES).find(|&i| {
            self.held.get(i).is_some_and(|look| {
                let change = Change::between(&before.glance, &look.glance);
                look.micros - own.micros <= FLASH_MICROS
                    && change.likeness > ALIKE
                    && change.tones < SAME_TONES
            })
        })
    }

    /// The dissolve of which the picture `at` is the first that shows more of what comes.
    fn dissolve_around(&self, at: usize) -> Option<Event> {
        let mut best: Option<Event> = None;
        for half in HALVES {
            let (Some(from), to) = (at.checked_sub(half), at + half) else {
                break;
            };
            let (Some(a), Some(b)) = (self.held.get(from), self.held.get(to)) else {
                break;
            };
            // Beyond a cut nothing is mixed.
            if (from + 1..=to).any(|i| self.is_plain_cut(i)) {
                break;
            }
            let by_ends = Change::between(&a.glance, &b.glance).needs_of_whole();
            if by_ends > 1.0 {
                continue;
            }
            let Some(mixture) = self.mixture(from, at, to) else {
                continue;
            };
            let by_rest = 0.5 * mixture.rest / REST;
            let needs = by_ends.max(by_rest);
            if needs > 1.0 || best.as_ref().is_some_and(|best| best.start.needs <= needs) {
                continue;
            }
            let own = self.held.get(at)?;
            let (begin, end) = (
                self.first + mixture.from as u64,
                self.first + mixture.to as u64,
            );
            best = Some(Event {
                start: ShotStart {
                    frame: self.next,
                    ticks: self.ticks(self.next),
                    needs,
                    from_frame: begin,
                    to_frame: end,
                },
                before: a.glance.clone(),
                after: b.glance.clone(),
                from_blank: self.is_blank_within(begin.saturating_sub(EDGE), begin),
                to_blank: self.is_blank_within(end.saturating_sub(1), end + EDGE),
                micros: own.micros,
            });
        }
        best
    }

    /// True if any of these pictures is of one tone.
    fn is_blank_within(&self, from: u64, to: u64) -> bool {
        let numbers = from.max(self.first)..=to;
        let mut looks = numbers.filter_map(|n| self.held.get((n - self.first) as usize));
        looks.any(|look| is_blank(&look.glance))
    }

    /// True if the change at `at` is larger than any mixing makes.
    fn is_plain_cut(&self, at: usize) -> bool {
        let cut = self.held.get(at).is_some_and(|look| look.change.is_cut());
        cut && self.stands_out(at)
    }

    /// How the pictures between `from` and `to` are mixed of those two, if the first that shows more
    /// of the latter is `at` and both ends are reached before the run ends.
    fn mixture(&self, from: usize, at: usize, to: usize) -> Option<Mixture> {
        let (a, b) = (&self.held.get(from)?.glance, &self.held.get(to)?.glance);
        let apart: Vec<f32> = b.cells.iter().zip(&a.cells).map(|(b, a)| b - a).collect();
        let whole: f32 = apart.iter().map(|v| v * v).sum();
        if whole <= 0.0 {
            return None;
        }
        let part = |i: usize| -> Option<(f32, f32)> {
            let seen = self.held.get(i)?.glance.cells.iter().zip(&a.cells);
            let (mut along, mut all) = (0.0f32, 0.0f32);
            for ((v, a), d) in seen.zip(&apart) {
                let v = v - a;
                along += v * d;
                all += v * v;
            }
            // What is left once the mixture is taken away; never less than nothing.
            Some((
                along / whole,
                (all - along * along / whole).max(0.0) / whole,
            ))
        };
        // The cheapest question first: most runs are none, or another's.
        if part(at)?.0 < 0.5 || part(at - 1)?.0 >= 0.5 {
            return None;
        }
        let parts: Vec<(f32, f32)> = (from..=to).map(part).collect::<Option<_>>()?;
        // Both ends stand: the run reaches beyond the dissolve, and is no part of one.
        let still = (parts.len() as f32 * STILL).ceil() as usize + 1;
        let mean = |ends: &[(f32, f32)]| ends.iter().map(|(p, _)| p).sum::<f32>() / still as f32;
        let (head, tail) = (parts.get(..still)?, parts.get(parts.len() - still..)?);
        let is_whole = mean(head) < MOVED && mean(tail) > 1.0 - MOVED;
        let rises = parts.windows(2).all(|pair| pair[1].0 > pair[0].0 - 0.1);
        if !is_whole || !rises {
            return None;
        }
        let mixed: Vec<f32> = parts
            .iter()
            .filter(|(p, _)| MIXED.contains(p))
            .map(|(_, rest)| *rest)
            .collect();
        if mixed.is_empty() {
            return None;
        }
        let rest = (mixed.iter().sum::<f32>() / mixed.len() as f32).sqrt();
        let first = parts.iter().position(|(p, _)| *p >= MIXED.start)?;
        let last = parts.iter().rposition(|(p, _)| *p <= MIXED.end)?;
        Some(Mixture {
            rest,
            from: from + first,
            to: from + last + 1,
        })
    }

    /// Keeps where a shot begins; two that overlap are one transition, seen twice.
    fn keep(&mut self, start: ShotStart) {
        match self.found.last_mut() {
            Some(last)
                if start.from_frame >= last.from_frame
                    && start.to_frame <= last.to_frame
                    && last.from_frame < last.to_frame => {}
            Some(last) if start.from_frame < last.to_frame => {
                let from_frame = last.from_frame.min(start.from_frame);
                let to_frame = last.to_frame.max(start.to_frame);
                if start.needs < last.needs {
                    *last = start;
                }
                (last.from_frame, last.to_frame) = (from_frame, to_frame);
            }
            _ => self.found.push(start),
        }
    }

    /// Takes what was found, in order; fades to one tone and from there are one.
    fn take(&mut self, event: Event) {
        match (self.into_blank.take(), event.from_blank, event.to_blank) {
            // From one tone to another.
            (waiting, true, true) => self.into_blank = waiting,
            (Some(into), true, false) => {
                let is_other = Change::between(&into.before, &event.after).needs_of_whole();
                let gone = event.micros - into.micros;
                if is_other > 1.0 && gone <= BLINK_MICROS {
                    return;
                }
                let frame = (into.start.frame + event.start.frame) / 2;
                self.keep(ShotStart {
                    frame,
                    ticks: self.ticks(frame),
                    // Where one half is clear, the other is no doubt.
                    needs: into.start.needs.min(event.start.needs),
                    from_frame: into.start.from_frame,
                    to_frame: event.start.to_frame,
                });
            }
            // A clip may begin in black.
            (None, true, false) if self.is_begin(&event) => {}
            (waiting, _, true) => {
                waiting
                    .into_iter()
                    .for_each(|waiting| self.keep(waiting.start));
                self.into_blank = Some(event);
            }
            (waiting, _, false) => {
                waiting
                    .into_iter()
                    .for_each(|waiting| self.keep(waiting.start));
                self.keep(event.start);
            }
        }
    }
}

/// How a run of pictures is mixed.
struct Mixture {
    /// What is left of the pictures in between, as a part of what lies between both ends.
    rest: f32,
    /// The first picture that shows something of the end.
    from: usize,
    /// The first that shows nothing of the begin.
    to: usize,
}

/// True for a picture of one tone, black or white.
fn is_blank(glance: &Glance) -> bool {
    let cells = &glance.cells;
    let mean = cells.iter().sum::<f32>() / cells.len().max(1) as f32;
    !(BLACK..=WHITE).contains(&mean) && cells.iter().all(|cell| (cell - mean).abs() < FLAT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::motion::gray::Gray;

    /// A picture of a shot: a pattern of its own that drifts slowly, `n` pictures into it.
    fn shot(number: usize, n: usize) -> Vec<f32> {
        let seed = number as f32;
        let (fx, fy) = (
            0.21 + 0.13 * (seed * 1.7).sin(),
            0.17 + 0.11 * (seed * 2.3).cos(),
        );
        let level = [170.0, 80.0, 140.0, 100.0][number % 4];
        let pixels = (0..56).flat_map(|y| (0..96).map(move |x| (x as f32, y as f32)));
        pixels
            .map(|(x, y)| {
                let x = x + 0.04 * n as f32;
                let v = level + 45.0 * (x * fx + seed).sin() * (y * fy - seed).cos();
                v.clamp(0.0, 255.0)
            })
            .collect()
    }

    fn mixed(a: &[f32], b: &[f32], part: f32) -> Vec<f32> {
        a.iter().zip(b).map(|(a, b)| a + (b - a) * part).collect()
    }

    fn found(pictures: &[Vec<f32>]) -> Vec<ShotStart> {
        let mut shots = Shots::default();
        for (n, values) in (0i64..).zip(pictures) {
            let gray = Gray {
                width: 96,
                height: 56,
                values: values.clone(),
            };
            shots.push(n * 512, n * 40_000, Glance::of(&gray));
        }
        let usual = |start: &ShotStart| start.needs <= super::super::scene::USUAL;
        let found: Vec<ShotStart> = shots.finish().into_iter().filter(usual).collect();
        assert!(
            found
                .iter()
                .all(|start| start.ticks == start.frame as i64 * 512)
        );
        found
    }

    fn frames(pictures: &[Vec<f32>]) -> Vec<u64> {
        found(pictures).iter().map(|start| start.frame).collect()
    }

    fn run(number: usize, from: usize, to: usize) -> Vec<Vec<f32>> {
        (from..to).map(|n| shot(number, n)).collect()
    }

    #[test]
    fn hard_cuts_are_found_at_their_pictures_wherever_they_are() {
        let clip = [run(1, 0, 30), run(2, 0, 90), run(3, 0, 4), run(4, 0, 150)].concat();
        assert_eq!(frames(&clip), [30, 120, 124]);
        assert_eq!(frames(&run(1, 0, 200)), [0u64; 0]);
        assert_eq!(frames(&run(1, 0, 1)), [0u64; 0]);
        assert_eq!(frames(&[]), [0u64; 0]);
    }

    #[test]
    fn dissolves_short_and_long_are_found_near_their_middle() {
        for length in [3, 6, 12, 25, 50, 90] {
            let mut clip = run(1, 0, 100);
            for n in 0..length {
                let part = (n + 1) as f32 / (length + 1) as f32;
                clip.push(mixed(&shot(1, 100 + n), &shot(2, n), part));
            }
            clip.extend(run(2, length, 200));
            let found = found(&clip);
            assert_eq!(found.len(), 1, "{length}: {found:?}");
            let start = found[0];
            let middle = 100 + length as u64 / 2;
            assert!(
                start.frame.abs_diff(middle) <= 1 + length as u64 / 12,
                "{length}: {start:?}"
            );
            assert!(start.from_frame >= 99 && start.to_frame <= 101 + length as u64);
            assert!(length < 6 || start.from_frame < start.frame && start.frame < start.to_frame);
        }
    }

    #[test]
    fn flashes_and_blinks_of_the_same_shot_are_no_cuts() {
        for tone in [255.0, 0.0] {
            for length in 1..8 {
                let mut clip = run(1, 0, 120);
                for picture in &mut clip[60..60 + length] {
                    *picture = vec![tone; 96 * 56];
                }
                assert_eq!(frames(&clip), [0u64; 0], "{tone} {length}");
            }
        }
        // A flash at a cut does not hide it.
        let white = vec![vec![255.0; 96 * 56]; 2];
        let clip = [run(1, 0, 60), white, run(2, 0, 60)].concat();
        assert_eq!(frames(&clip), [61]);
    }

    #[test]
    fn a_fade_to_black_and_from_it_is_one_end_in_the_middle_of_the_black() {
        let black = vec![0.0; 96 * 56];
        for pause in [8, 20, 200] {
            let mut clip = run(1, 0, 80);
            clip.extend((0..12).map(|n| mixed(&shot(1, 80 + n), &black, (n + 1) as f32 / 13.0)));
            clip.extend(vec![black.clone(); pause]);
            clip.extend((0..12).map(|n| mixed(&black, &shot(2, n), (n + 1) as f32 / 13.0)));
            clip.extend(run(2, 12, 90));
            let found = frames(&clip);
            let middle = 92 + pause as u64 / 2;
            assert!(
                matches!(found[..], [one] if one.abs_diff(middle) <= 3),
                "{pause}: {found:?}"
            );
        }
        // In from black and out to it: the ends of the clip are none of a shot.
        let mut clip = vec![black.clone(); 10];
        clip.extend((0..12).map(|n| mixed(&black, &shot(1, n), (n + 1) as f32 / 13.0)));
        clip.extend(run(1, 12, 80));
        clip.extend((0..12).map(|n| mixed(&shot(1, 80 + n), &black, (n + 1) as f32 / 13.0)));
        clip.extend(vec![black; 30]);
        assert_eq!(frames(&clip), [0u64; 0]);
    }

    #[test]
    fn a_camera_that_is_swung_round_cuts_nothing() {
        // Many times as fast as the usual drift for half a second.
        let mut at = 0.0f32;
        let clip: Vec<Vec<f32>> = (0..120)
            .map(|n| {
                at += if (50..63).contains(&n) { 75.0 } else { 1.0 };
                shot(1, at as usize)
            })
            .collect();
        assert_eq!(frames(&clip), [0u64; 0]);
    }
}
