//! Stretches of sound covered with silence or a tone.
//!
//! What is covered is gone to the last sample: the short fades that keep it from clicking lie outside of
//! it.

use super::samples::{Samples, place};
use crate::EngineError;
use frameloom_core::graph::{SoundCover, parse_kept};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_media::{SoundBlock, SoundFormat};

/// Seconds in which sound fades before and behind a stretch.
const FADE: f64 = 0.005;

/// Of the tone.
const HERTZ: f64 = 1_000.0;
const AMPLITUDE: f64 = 0.1;

/// The root of the summed power of all channels, below which a covered moment counts as silent; what a
/// codec leaves there lies far below.
const SILENT: f64 = 0.003;

/// A stretch that is covered, in samples; half-open, to the end where `to` is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub from: i64,
    pub to: Option<i64>,
}

/// Refuses ranges that cannot be read, and an empty list.
pub(crate) fn check(ranges: &str) -> Result<(), Said> {
    match parse_kept(ranges) {
        Ok(list) if list.is_empty() => Err(said!(
            "sound.covers_nothing",
            "no stretch is named that is to be covered; write one like 12.5-20"
        )),
        Ok(_) => Ok(()),
        Err(reason) => Err(said!(
            "sound.bad_ranges",
            "what is to be covered cannot be read: {reason}",
            reason = reason
        )),
    }
}

/// The stretches in samples; `zero` is the moment of the first picture, in microseconds.
///
/// # Errors
/// They cannot be read: nothing may pass for covered then.
pub(crate) fn spans(ranges: &str, zero: i64, rate: u32) -> Result<Vec<Span>, EngineError> {
    check(ranges).map_err(|why| super::node_error("audio_redact", why))?;
    let at = |micros: i64| place(zero.saturating_add(micros), rate);
    let list = parse_kept(ranges).unwrap_or_default();
    let spans = list.iter().map(|range| Span {
        from: at(range.from_micros),
        // A sample that lies in it by a part of it only is covered.
        to: range.to_micros.map(|to| at(to).saturating_add(1)),
    });
    Ok(spans.collect())
}

/// Is this loudness, the root of the summed power of all channels, that of the cover?
pub(crate) fn is_covered(value: f64, cover: SoundCover, channels: usize) -> bool {
    let tone = AMPLITUDE * (channels as f64 / 2.0).sqrt();
    match cover {
        SoundCover::Mute => value < SILENT,
        // In one thousandth of a second there is one wave, or a little more or less of one.
        SoundCover::Beep => (tone * 0.6..tone * 1.4).contains(&value),
    }
}

/// Sound with covered stretches.
pub(crate) struct Covered<'w> {
    inner: Box<dyn Samples + 'w>,
    spans: Vec<Span>,
    cover: SoundCover,
    fade: i64,
}

impl<'w> Covered<'w> {
    pub(crate) fn new(inner: Box<dyn Samples + 'w>, spans: Vec<Span>, cover: SoundCover) -> Self {
        let fade = (f64::from(inner.format().rate) * FADE) as i64;
        Self {
            inner,
            spans,
            cover,
            fade: fade.max(1),
        }
    }

    /// How much of the cover there is at a sample, 0 to 1.
    fn share(&self, at: i64) -> f64 {
        // Spans follow one another: only the last that has begun, and the next one, reach here.
        let next = self.spans.partition_point(|span| span.from <= at);
        let distance = |span: &Span| {
            if at < span.from {
                return span.from - at;
            }
            span.to.map_or(0, |to| (at - to + 1).max(0))
        };
        let before = next.checked_sub(1).and_then(|last| self.spans.get(last));
        let near = before.into_iter().chain(self.spans.get(next));
        let away = near.map(distance).min().unwrap_or(i64::MAX);
        (1.0 - away as f64 / self.fade as f64).clamp(0.0, 1.0)
    }
}

impl Samples for Covered<'_> {
    fn format(&self) -> &SoundFormat {
        self.inner.format()
    }

    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
        let Some(mut block) = self.inner.next()? else {
            return Ok(None);
        };
        let rate = i64::from(self.format().rate);
        for n in 0..block.len() {
            let at = block.start + n as i64;
            let share = self.share(at);
            if share <= 0.0 {
                continue;
            }
            let tone = match self.cover {
                SoundCover::Mute => 0.0,
                // By its place alone, so that blocks do not matter.
                SoundCover::Beep => {
                    let turn = at.rem_euclid(rate) as f64 / rate as f64 * HERTZ;
                    AMPLITUDE * share * (std::f64::consts::TAU * turn).sin()
                }
            };
            for channel in &mut block.channels {
                if let Some(sample) = channel.get_mut(n) {
                    *sample = *sample * (1.0 - share) + tone;
                }
            }
        }
        Ok(Some(block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Loud {
        format: SoundFormat,
        blocks: Vec<SoundBlock>,
    }

    impl Samples for Loud {
        fn format(&self) -> &SoundFormat {
            &self.format
        }
        fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
            Ok(self.blocks.pop())
        }
    }

    fn covered(ranges: &str, zero: i64, cover: SoundCover, blocks: &[(i64, usize)]) -> Vec<f64> {
        let inner = Loud {
            format: SoundFormat {
                rate: 8_000,
                layout: "mono".into(),
            },
            blocks: blocks
                .iter()
                .rev()
                .map(|(start, len)| SoundBlock {
                    start: *start,
                    channels: vec![vec![0.5; *len]],
                })
                .collect(),
        };
        let spans = spans(ranges, zero, 8_000).unwrap();
        let mut covered = Covered::new(Box::new(inner), spans, cover);
        let mut all = Vec::new();
        while let Some(mut block) = covered.next().unwrap() {
            all.append(&mut block.channels[0]);
        }
        all
    }

    #[test]
    fn nothing_is_left_inside_and_everything_outside() {
        let found = covered("0.1-0.2\n0.5-", 0, SoundCover::Mute, &[(0, 8_000)]);
        for (n, sample) in found.iter().enumerate() {
            let inside = (800..=1_600).contains(&n) || n >= 4_000;
            // 5 ms are 40 samples.
            let outside = n <= 760 || (1_640..=3_960).contains(&n);
            if inside {
                assert_eq!(*sample, 0.0, "{n}");
            } else if outside {
                assert_eq!(*sample, 0.5, "{n}");
            } else {
                assert!((0.0..0.5).contains(sample), "{n}: {sample}");
            }
        }
    }

    #[test]
    fn times_count_from_the_first_picture_and_blocks_do_not_matter() {
        let whole = covered("0.1-0.2", 250_000, SoundCover::Beep, &[(1_000, 4_000)]);
        let parts = covered(
            "0.1-0.2",
            250_000,
            SoundCover::Beep,
            &[(1_000, 1_801), (2_801, 7), (2_808, 2_192)],
        );
        assert_eq!(whole, parts);
        // 0.35 s are sample 2800, which is the 1800th here.
        assert_eq!(whole[1_700], 0.5);
        let tone = &whole[1_800..2_600];
        let peak = tone.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        assert!((peak - AMPLITUDE).abs() < 1e-9, "{peak}");
        let mean = tone.iter().sum::<f64>() / tone.len() as f64;
        assert!(mean.abs() < 1e-6, "nothing of the source is in it: {mean}");
    }

    #[test]
    fn ranges_that_mean_nothing_are_refused() {
        assert!(check("1-2, 3-").is_ok());
        for wrong in ["", "  ", "2-1", "a-b", "1-2, 1.5-3"] {
            assert!(check(wrong).is_err(), "{wrong}");
            assert!(spans(wrong, 0, 8_000).is_err(), "{wrong}");
        }
    }
}
