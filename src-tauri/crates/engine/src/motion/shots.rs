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
const FLASH_MICROS: i64 = 350_000;
const FLASH_FRAMES: usize = 24;
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
/// A black (or white) pause between pictures of one shot that is no longer is none of its own.
const BLINK_MICROS: i64 = 700_000;
/// The first picture that is not black is so near to where a fade from black was seen to begin.
const BEGIN: u64 = 5;
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
        if self.begun.is_none() && self.held.get(at).is_some_and(|look| !is_blank(&look.glance)) {
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
        let known = usize::try_from(frame).ok().and_then(|at| self.times.get(at));
        known.copied().unwrap_or_default()
    }

    /// The cut between the picture `at` and the one before.
    fn hard_cut(&self, at: usize) -> Option<Event> {
        let own = self.held.get(at)?;
        let before = self.held.get(at.checked_sub(1)?)?;
        let needs = own.change.needs();
        if needs > 1.0 || !self.stands_out(at) || self.is_flash(at) {
            return None;
        }
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

    /// True if the change at `at` is the begin or the end of a flash: soon after it comes what was
    /// before it.
    fn is_flash(&self, at: usize) -> bool {
        let Some(own) = self.held.get(at) else {
            return false;
        };
        let alike = |a: usize, b: usize| match (self.held.get(a), self.held.get(b)) {
            (Some(a), Some(b)) => {
                let change = Change::between(&a.glance, &b.glance);
                change.likeness > ALIKE && change.tones < SAME_TONES
            }
            _ => false,
        };
        let soon = |i: usize| {
            let look = self.held.get(i);
            look.is_some_and(|look| (look.micros - own.micros).abs() <= FLASH_MICROS)
        };
        let ends = (at + 1..=at + FLASH_FRAMES)
            .take_while(|&i| soon(i))
            .any(|i| alike(at - 1, i));
        let begins = (at.saturating_sub(FLASH_FRAMES)..at - 1)
            .rev()
            .take_while(|&i| soon(i + 1))
            .any(|i| alike(i, at));
        ends || begins
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
            let by_ends = Change::between(&a.glance, &b.glance).needs();
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
            best = Some(Event {
                start: ShotStart {
                    frame: self.next,
                    ticks: self.ticks(self.next),
                    needs,
                    from_frame: self.first + mixture.from as u64,
                    to_frame: self.first + mixture.to as u64,
                },
                before: a.glance.clone(),
                after: b.glance.clone(),
                micros: own.micros,
            });
        }
        best
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
            Some((along / whole, (all - along * along / whole).max(0.0) / whole))
        };
        // The cheapest question first: most runs are none, or another's.
        if part(at)?.0 < 0.5 || part(at - 1)?.0 >= 0.5 {
            return None;
        }
        let parts: Vec<(f32, f32)> = (from..=to).map(part).collect::<Option<_>>()?;
        // Both ends stand: the run reaches beyond the dissolve.
        let still = (parts.len() / 10).max(1);
        let (head, tail) = (&parts[..=still], &parts[parts.len() - 1 - still..]);
        let is_whole =
            head.iter().all(|(p, _)| *p < 0.15) && tail.iter().all(|(p, _)| *p > 0.85);
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

    /// Takes what was found, in order; fades to one tone and from there are one.
    fn take(&mut self, event: Event) {
        let (from_blank, to_blank) = (is_blank(&event.before), is_blank(&event.after));
        match (self.into_blank.take(), from_blank, to_blank) {
            // From one tone to another.
            (waiting, true, true) => self.into_blank = waiting,
            (Some(into), true, false) => {
                let is_other = Change::between(&into.before, &event.after).needs();
                let gone = event.micros - into.micros;
                if is_other > 1.0 && gone <= BLINK_MICROS {
                    return;
                }
                let frame = (into.start.frame + event.start.frame) / 2;
                self.found.push(ShotStart {
                    frame,
                    ticks: self.ticks(frame),
                    needs: into.start.needs.max(event.start.needs),
                    from_frame: into.start.from_frame,
                    to_frame: event.start.to_frame,
                });
            }
            // A clip may begin in black.
            (None, true, false) if self.is_begin(&event) => {}
            (waiting, _, true) => {
                self.found.extend(waiting.map(|waiting| waiting.start));
                self.into_blank = Some(event);
            }
            (waiting, _, false) => {
                self.found.extend(waiting.map(|waiting| waiting.start));
                self.found.push(event.start);
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
    (mean < BLACK || mean > WHITE) && cells.iter().all(|cell| (cell - mean).abs() < FLAT)
}
