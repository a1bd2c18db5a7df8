//! Sound that lasts longer and is as high as before, by ffmpeg's `atempo`.
//!
//! The filter gives about as many samples as it should. Pictures do not wait for it: a moment of the
//! sound comes to the very moment that its picture comes to, and the end is as exact.

use super::samples::Samples;
use crate::EngineError;
use frameloom_core::time::Rational;
use frameloom_media::{SoundBlock, SoundFilter, SoundFormat};

/// The filter takes no more than twice as long at once.
const MOST_AT_ONCE: f64 = 2.0;

/// Slowed sound.
pub(crate) struct Slowed<'w> {
    inner: Box<dyn Samples + 'w>,
    filter: SoundFilter,
    slow: Rational,
    /// Where the next sample comes that is given; unknown before the first one was read.
    next: Option<i64>,
    /// The place behind the last sample that may be given.
    limit: i64,
    /// By channel, samples that were made and not given yet.
    made: Vec<Vec<f64>>,
    ended: bool,
}

impl<'w> Slowed<'w> {
    /// Opens the filter for sound that lasts `slow` times as long, which is more than once.
    pub(crate) fn open(inner: Box<dyn Samples + 'w>, slow: Rational) -> Result<Self, EngineError> {
        let format = inner.format();
        let steps = slow.to_f64().log(MOST_AT_ONCE).ceil().max(1.0);
        let tempo = slow.to_f64().powf(-1.0 / steps).clamp(0.5, 1.0);
        let one = ("atempo", vec![("tempo", format!("{tempo:.17}"))]);
        let filters = vec![one; steps as usize];
        Ok(Self {
            filter: SoundFilter::open(format, format, &filters)?,
            made: vec![Vec::new(); format.channels()?],
            inner,
            slow,
            next: None,
            limit: i64::MIN,
            ended: false,
        })
    }

    /// Takes what is made, up to the limit.
    fn give(&mut self) -> Option<SoundBlock> {
        let start = self.next?;
        let room = usize::try_from(self.limit.saturating_sub(start)).unwrap_or(0);
        let count = self.made.first().map_or(0, Vec::len).min(room);
        let channels = self.made.iter_mut();
        let block = SoundBlock {
            start,
            channels: channels.map(|list| list.drain(..count).collect()).collect(),
        };
        self.next = Some(block.end());
        (count > 0).then_some(block)
    }

    /// What the filter has done.
    fn collect(&mut self) -> Result<(), EngineError> {
        while let Some(channels) = self.filter.receive()? {
            for (made, more) in self.made.iter_mut().zip(channels) {
                made.extend(more);
            }
        }
        Ok(())
    }
}

impl Samples for Slowed<'_> {
    fn format(&self) -> &SoundFormat {
        self.inner.format()
    }

    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
        /// Silence is filled in by so many samples at once: an end may be as far away as a file says.
        const PIECE: usize = 1 << 16;
        loop {
            if let Some(block) = self.give() {
                return Ok(Some(block));
            }
            if self.ended {
                let Some(left) = self.next.map(|next| self.limit.saturating_sub(next)) else {
                    return Ok(None);
                };
                let left = usize::try_from(left).unwrap_or(0);
                if left == 0 {
                    return Ok(None);
                }
                for made in &mut self.made {
                    made.resize(left.min(PIECE), 0.0);
                }
                continue;
            }
            match self.inner.next()? {
                Some(block) => {
                    self.next.get_or_insert(self.slow.of(block.start));
                    self.limit = self.slow.of(block.end());
                    self.filter.send(&block.channels)?;
                }
                None => {
                    self.ended = true;
                    self.filter.finish()?;
                }
            }
            self.collect()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::f64::consts::TAU;

    const RATE: u32 = 48_000;

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

    /// Two seconds from `first` on: a tone of 440 Hz between 0.5 and 1.5 s.
    fn slowed(first: i64, slow: Rational) -> (i64, Vec<f64>) {
        let count = 2 * RATE as usize + 17;
        let tone = |n: usize| {
            let t = n as f64 / f64::from(RATE);
            let loud = if (0.5..1.5).contains(&t) { 0.5 } else { 0.0 };
            loud * (TAU * 440.0 * t).sin()
        };
        let samples: Vec<f64> = (0..count).map(tone).collect();
        let mut at = first;
        let blocks = samples.chunks(1_000).map(|piece| {
            let channels = vec![piece.to_vec(), piece.iter().map(|v| -v).collect()];
            let block = SoundBlock {
                start: at,
                channels,
            };
            at = block.end();
            block
        });
        let given = Given {
            blocks: blocks.collect(),
            format: SoundFormat {
                rate: RATE,
                layout: "stereo".into(),
            },
        };
        let mut slowed = Slowed::open(Box::new(given), slow).unwrap();
        let (mut start, mut found) = (None, Vec::new());
        while let Some(block) = slowed.next().unwrap() {
            assert!(!block.is_empty());
            let from = *start.get_or_insert(block.start);
            assert_eq!(block.start, from + found.len() as i64);
            assert_eq!(block.channels.len(), 2);
            found.extend_from_slice(&block.channels[0]);
        }
        (start.unwrap(), found)
    }

    /// Times at which the sound rises through zero, in seconds from its beginning.
    fn crossings(sound: &[f64]) -> Vec<f64> {
        let pairs = sound.windows(2).enumerate();
        pairs
            .filter(|(_, pair)| pair[0] < -1e-3 && pair[1] >= -1e-3)
            .map(|(n, _)| n as f64 / f64::from(RATE))
            .collect()
    }

    #[test]
    fn sound_is_as_long_and_where_it_should_be_and_as_high_as_before() {
        for (num, den) in [(3, 2), (2, 1), (3, 1), (4, 1), (8, 1), (32, 1)] {
            let slow = Rational::new(num, den).unwrap();
            let times = slow.to_f64();
            let (start, sound) = slowed(-4_801, slow);
            assert_eq!(start, slow.of(-4_801));
            let end = slow.of(-4_801 + 2 * i64::from(RATE) + 17);
            assert_eq!(start + sound.len() as i64, end, "{times}");
            let seconds = |from: f64, to: f64| {
                let at = |t: f64| (t * f64::from(RATE)) as usize;
                &sound[at(from)..at(to)]
            };
            let tone = seconds(0.6 * times, 1.4 * times);
            let heard = crossings(tone).len() as f64 / (0.8 * times);
            assert!((heard - 440.0).abs() < 8.0, "{times} times: {heard} Hz");
            let power = |part: &[f64]| part.iter().map(|v| v * v).sum::<f64>() / part.len() as f64;
            // A sine of half the height.
            let loud = power(tone);
            assert!((0.09..0.15).contains(&loud), "{times} times: {loud}");
            // What is heard begins and ends with what is seen.
            let edge = 0.04 * times;
            let silent = [
                power(seconds(0.0, 0.5 * times - edge)),
                power(seconds(1.5 * times + edge, 2.0 * times)),
            ];
            assert!(
                silent.iter().all(|power| *power < 0.01 * loud),
                "{silent:?}"
            );
        }
    }
}
