//! Sound without what is left out of its clip: where a hole was, the sound before it fades into the
//! sound behind it, and what comes behind moves up.
//!
//! The fade lies half before the joint and half behind it, and takes what it needs from the edges of
//! the hole: nothing that is kept is shortened, and pictures and sound stay together. Its weights are
//! those of equal power, as the background of the two sides is alike and not the same.

use super::samples::{Samples, place};
use crate::EngineError;
use crate::plan::{CutPlan, Hole};
use frameloom_media::{SoundBlock, SoundFormat};
use std::collections::VecDeque;
use std::f64::consts::FRAC_PI_2;

/// A hole in samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gap {
    from: i64,
    to: i64,
    /// Half of the fade.
    half: i64,
}

/// Sound whose holes are closed.
pub(crate) struct Mended<'w> {
    inner: Box<dyn Samples + 'w>,
    /// Holes that are still to come, or that the sound is in.
    gaps: VecDeque<Gap>,
    /// Samples that were left out so far.
    gone: i64,
    /// Per channel, what fades out at the hole that the sound is in.
    tail: Vec<Vec<f64>>,
    waiting: Option<SoundBlock>,
}

impl<'w> Mended<'w> {
    /// `shift_micros` is how much later than in its file the sound is.
    pub(crate) fn new(inner: Box<dyn Samples + 'w>, cut: &CutPlan, shift_micros: i64) -> Self {
        let rate = inner.format().rate;
        let gaps = gaps(&cut.holes, cut.fade_micros, shift_micros, rate);
        Self {
            inner,
            gaps: gaps.into(),
            gone: 0,
            tail: Vec::new(),
            waiting: None,
        }
    }

    /// Takes the samples of `block` up to the place `to`.
    fn split(block: &mut SoundBlock, to: i64) -> SoundBlock {
        let count = usize::try_from(to.saturating_sub(block.start)).unwrap_or(0);
        let channels = block.channels.iter_mut();
        let first = SoundBlock {
            start: block.start,
            channels: channels
                .map(|list| list.drain(..count.min(list.len())).collect())
                .collect(),
        };
        block.start = first.end();
        first
    }

    fn moved(&self, mut block: SoundBlock) -> SoundBlock {
        block.start = block.start.saturating_sub(self.gone);
        block
    }

    /// The samples around the end of `gap`, mixed with those around its beginning.
    fn mixed(&self, mut block: SoundBlock, gap: Gap) -> SoundBlock {
        let first = block.start - (gap.to - gap.half);
        let length = (2 * gap.half) as f64;
        for (channel, samples) in block.channels.iter_mut().enumerate() {
            let tail = self.tail.get(channel).map_or(&[][..], Vec::as_slice);
            for (at, sample) in (first..).zip(samples) {
                let angle = FRAC_PI_2 * (at as f64 + 0.5) / length;
                let before = usize::try_from(at).ok().and_then(|at| tail.get(at));
                *sample = *sample * angle.sin() + before.copied().unwrap_or(0.0) * angle.cos();
            }
        }
        block
    }
}

/// The holes in samples, each with a fade that fits: into it, and into what is kept beside it.
fn gaps(holes: &[Hole], fade_micros: i64, shift_micros: i64, rate: u32) -> Vec<Gap> {
    let at = |micros: i64| place(micros.saturating_add(shift_micros), rate);
    let wanted = place(fade_micros, rate) / 2;
    let mut list: Vec<Gap> = Vec::new();
    for (number, hole) in holes.iter().enumerate() {
        let (from, to) = (at(hole.from_micros), at(hole.to_micros));
        // Neighbours share what is kept between them.
        let room = |kept: Option<i64>| kept.map_or(i64::MAX, |length| length / 2);
        let before = number
            .checked_sub(1)
            .and_then(|before| holes.get(before))
            .map(|before| from - at(before.to_micros));
        let behind = holes.get(number + 1).map(|next| at(next.from_micros) - to);
        let half = wanted
            .min((to - from) / 2)
            .min(room(before))
            .min(room(behind))
            .max(0);
        if to > from {
            list.push(Gap { from, to, half });
        }
    }
    list
}

impl Samples for Mended<'_> {
    fn format(&self) -> &SoundFormat {
        self.inner.format()
    }

    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
        loop {
            let mut block = match self.waiting.take().filter(|block| !block.is_empty()) {
                Some(block) => block,
                None => match self.inner.next()? {
                    Some(block) => block,
                    None => return Ok(self.rest()),
                },
            };
            let Some(gap) = self.gaps.front().copied() else {
                return Ok(Some(self.moved(block)));
            };
            let at = block.start;
            if at < gap.from - gap.half {
                let kept = Self::split(&mut block, gap.from - gap.half);
                self.waiting = Some(block);
                return Ok(Some(self.moved(kept)));
            }
            if at < gap.from + gap.half {
                // Sound that begins here has silence before it.
                let late = usize::try_from(at - (gap.from - gap.half)).unwrap_or(0);
                self.tail.resize(block.channels.len(), Vec::new());
                let part = Self::split(&mut block, gap.from + gap.half);
                for (tail, samples) in self.tail.iter_mut().zip(part.channels) {
                    tail.resize(tail.len().max(late), 0.0);
                    tail.extend(samples);
                }
                self.waiting = Some(block);
                continue;
            }
            if at < gap.to - gap.half {
                drop(Self::split(&mut block, gap.to - gap.half));
                self.waiting = Some(block);
                continue;
            }
            let part = Self::split(&mut block, gap.to + gap.half);
            let ends = block.start >= gap.to + gap.half;
            self.waiting = Some(block);
            let mut done = self.mixed(part, gap);
            done.start = done.start.saturating_sub(self.gone + gap.to - gap.from);
            if ends {
                self.gone += gap.to - gap.from;
                self.gaps.pop_front();
                self.tail.clear();
            }
            if !done.is_empty() {
                return Ok(Some(done));
            }
        }
    }
}

impl Mended<'_> {
    /// What was held back for a fade that never came, as the sound ends in the hole.
    fn rest(&mut self) -> Option<SoundBlock> {
        let gap = self.gaps.pop_front()?;
        self.gaps.clear();
        let kept = usize::try_from(gap.half).unwrap_or(0);
        let mut channels = std::mem::take(&mut self.tail);
        for list in &mut channels {
            list.truncate(kept);
        }
        let start = gap.from - gap.half - self.gone;
        let block = SoundBlock { start, channels };
        (!block.channels.is_empty() && !block.is_empty()).then_some(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Given {
        blocks: VecDeque<SoundBlock>,
        format: SoundFormat,
    }

    impl Samples for Given {
        fn format(&self) -> &SoundFormat {
            &self.format
        }

        fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
            Ok(self.blocks.pop_front())
        }
    }

    /// 1000 samples a second.
    fn mended(
        sound: &[f64],
        first: i64,
        piece: usize,
        holes: &[(i64, i64)],
        fade: i64,
    ) -> (i64, Vec<f64>) {
        let mut at = first;
        let blocks = sound.chunks(piece).map(|part| {
            let block = SoundBlock {
                start: at,
                channels: vec![part.to_vec()],
            };
            at = block.end();
            block
        });
        let given = Given {
            blocks: blocks.collect(),
            format: SoundFormat {
                rate: 1_000,
                layout: "mono".into(),
            },
        };
        let holes = holes.iter().map(|&(from, to)| Hole {
            from_ticks: from,
            to_ticks: to,
            from_micros: from * 1_000,
            to_micros: to * 1_000,
        });
        let cut = CutPlan {
            holes: holes.collect(),
            fade_micros: fade * 1_000,
        };
        let mut mended = Mended::new(Box::new(given), &cut, 0);
        let (mut start, mut all) = (None, Vec::new());
        while let Some(block) = mended.next().unwrap() {
            let from = *start.get_or_insert(block.start);
            assert_eq!(block.start, from + all.len() as i64, "without a gap");
            all.extend_from_slice(&block.channels[0]);
        }
        (start.unwrap_or(0), all)
    }

    #[test]
    fn what_is_kept_stays_as_it_was_but_for_the_fades() {
        let sound: Vec<f64> = (0..2_000).map(f64::from).collect();
        let holes = [(500, 800), (1_000, 1_001), (1_500, 1_700)];
        let wanted: Vec<f64> = sound
            .iter()
            .copied()
            .filter(|&v| {
                !holes
                    .iter()
                    .any(|&(a, b)| (a as f64..b as f64).contains(&v))
            })
            .collect();
        for piece in [1, 7, 100, 2_000] {
            let (start, found) = mended(&sound, 0, piece, &holes, 20);
            assert_eq!((start, found.len()), (0, wanted.len()), "{piece}");
            for (n, (a, b)) in found.iter().zip(&wanted).enumerate() {
                let fades = [(490, 510), (1_189, 1_209)];
                if !fades.iter().any(|&(from, to)| (from..to).contains(&n)) {
                    assert_eq!(a, b, "{piece}: {n}");
                }
            }
            let plain = mended(&sound, 0, piece, &holes, 0).1;
            assert_eq!(plain, wanted, "{piece}");
        }
    }

    #[test]
    fn a_fade_keeps_the_power_and_has_no_step() {
        // Two sounds that have nothing to do with each other, equally loud.
        let noise = |n: usize, salt: usize| {
            let hash = (n * 2_654_435_761 + salt * 40_503) % 65_537;
            hash as f64 / 32_768.5 - 1.0
        };
        let sound: Vec<f64> = (0..40_000).map(|n| noise(n, n / 20_000)).collect();
        let (_, found) = mended(&sound, 0, 512, &[(10_000, 30_000)], 100);
        let power = |list: &[f64]| list.iter().map(|v| v * v).sum::<f64>() / list.len() as f64;
        let (beside, fade) = (power(&found[5_000..9_900]), power(&found[9_950..10_050]));
        assert!((fade / beside - 1.0).abs() < 0.35, "{fade} beside {beside}");
        let even = vec![0.5; 4_000];
        let (_, found) = mended(&even, 0, 512, &[(1_000, 3_000)], 40);
        let step = found.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        assert!(step.fold(0.0, f64::max) < 0.05);
    }

    #[test]
    fn sound_that_begins_or_ends_inside_of_a_hole_stays_in_its_place() {
        let sound = vec![1.0; 100];
        // It begins in the hole, before the fade or within it.
        for first in [520, 592, 595] {
            let (start, found) = mended(&sound, first, 9, &[(500, 600)], 20);
            let from = first.max(590);
            assert_eq!(start, from - 100, "{first}");
            assert_eq!(found.len() as i64, first + 100 - from);
        }
        // It ends in the hole: what was held back for the fade is heard.
        for (first, left) in [(420, 80), (395, 100), (405, 95)] {
            let (_, found) = mended(&sound, first, 9, &[(500, 900)], 20);
            assert_eq!(found.len(), left, "{first}");
        }
        assert!(mended(&sound, 520, 9, &[(500, 900)], 20).1.is_empty());
    }

    #[test]
    fn fades_fit_into_holes_and_between_them() {
        let hole = |from: i64, to: i64| Hole {
            from_ticks: 0,
            to_ticks: 0,
            from_micros: from * 1_000,
            to_micros: to * 1_000,
        };
        let found = gaps(
            &[hole(100, 108), hole(120, 300), hole(400, 500)],
            20_000,
            0,
            1_000,
        );
        let halves: Vec<i64> = found.iter().map(|gap| gap.half).collect();
        assert_eq!(halves, [4, 6, 10]);
    }
}
