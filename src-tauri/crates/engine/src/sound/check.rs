//! Is the finished track what it should be? It is decoded again and held against its source:
//! length, place, level and loudness.

use super::cover::{self, Span};
use super::loudness::{Measured, Meter};
use super::make::World;
use super::samples::{Part, in_rate, open};
use super::{Sound, SoundStep};
use crate::EngineError;
use frameloom_core::graph::{LoudnessParams, SoundCover};
use frameloom_media::{SoundBlock, SoundFormat, SoundReader};
use std::path::Path;

/// Envelopes have one value for each thousandth of a second.
const PER_SECOND: i64 = 1_000;

/// Values of an envelope that are compared at once.
const WINDOW: usize = 3_000;

/// Furthest shift that is looked for, in thousandths of a second.
const FURTHEST: usize = 150;

/// A larger shift, in thousandths of a second, is a fault. What people notice begins at 20 to 40.
const SHIFT: i64 = 5;

/// A window tells something of the place of sound only where envelopes are this much alike.
const ALIKE: f64 = 0.5;

/// By how much another place must fit better before it counts.
const BETTER: f64 = 0.05;

/// Quieter sound, in dB, is not compared.
const QUIET: f64 = -65.0;

/// Largest difference to the target, in LU.
pub(super) const LOUDNESS_TOLERANCE: f64 = 0.5;

/// True peaks may be over the limit by what meters differ in, in dB.
pub(super) const PEAK_TOLERANCE: f64 = 0.05;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// Samples of the finished track.
    pub samples: u64,
    /// Largest shift against the source, in microseconds; `None` if nothing tells.
    pub offset_micros: Option<i64>,
    /// Loudness and peak of the finished track.
    pub measured: Measured,
}

/// Loudness over time.
#[derive(Default)]
struct Envelope {
    values: Vec<f32>,
    /// Thousandth of a second of the first value.
    first: Option<i64>,
    open: (i64, f64, u32),
    power: f64,
    samples: u64,
    start: Option<i64>,
}

impl Envelope {
    fn add(&mut self, block: &SoundBlock, rate: u32) {
        self.start.get_or_insert(block.start);
        self.samples += block.len() as u64;
        for n in 0..block.len() {
            let power: f64 = block.channels.iter().map(|c| c[n] * c[n]).sum();
            self.power += power;
            let slot = (block.start + n as i64)
                .saturating_mul(PER_SECOND)
                .div_euclid(i64::from(rate));
            if slot != self.open.0 || self.open.2 == 0 {
                self.close();
                self.open.0 = slot;
                self.first.get_or_insert(slot);
            }
            self.open.1 += power;
            self.open.2 += 1;
        }
    }

    fn close(&mut self) {
        if self.open.2 > 0 {
            self.values
                .push((self.open.1 / f64::from(self.open.2)).sqrt() as f32);
        }
        self.open = (self.open.0, 0.0, 0);
    }

    /// The first thousandth of a second inside of `spans` at which something else is heard than what
    /// covers it, where nothing of `above` covers it again. Codecs smear: what is near the ends of a span
    /// is not looked at.
    fn uncovered(
        &self,
        spans: &[Span],
        above: &[Span],
        cover: SoundCover,
        format: &SoundFormat,
    ) -> Option<i64> {
        const EDGE: i64 = 60;
        let channels = format.channels().unwrap_or(1);
        let first = self.first?;
        let millis = |at: i64| {
            at.saturating_mul(PER_SECOND)
                .div_euclid(i64::from(format.rate))
        };
        let around = |span: &Span, more: i64| {
            let to = span.to.map_or(i64::MAX, |to| millis(to) + more);
            millis(span.from) - more..to
        };
        for span in spans {
            let inside = around(span, -EDGE);
            let at = |slot: i64| usize::try_from(slot.saturating_sub(first)).unwrap_or(0);
            let (from, to) = (at(inside.start), at(inside.end).min(self.values.len()));
            let values = self.values.get(from..to).unwrap_or_default();
            for (value, slot) in values.iter().zip(inside.start.max(first)..) {
                let is_inside = !above
                    .iter()
                    .any(|above| around(above, EDGE).contains(&slot));
                if is_inside && !cover::is_covered(f64::from(*value), cover, channels) {
                    return Some(slot);
                }
            }
        }
        None
    }

    /// Mean power in dB.
    fn level(&self) -> f64 {
        10.0 * (self.power / self.samples.max(1) as f64).log10()
    }
}

/// Compares a finished part with the sound that it was made of. `track` counts from 1.
pub(crate) fn check(
    world: &World<'_>,
    sound: &Sound,
    part: &Path,
    track: usize,
) -> Result<Found, EngineError> {
    let fail = |reason: String| EngineError::OutputCheck {
        reason: format!("track {track} of the sound: {reason}"),
    };
    let mut reader = SoundReader::open_part(part, &world.context.cancel.now_flag())?;
    let rate = reader.format().rate;
    let mut reference = in_rate(open(world, sound, Part::Reference, None)?, rate)?;
    let mut before = Envelope::default();
    while let Some(block) = reference.next()? {
        before.add(&block, rate);
    }
    before.close();
    let mut meter = Meter::new(reader.format())?;
    let mut after = Envelope::default();
    while let Some(block) = reader.next_block()? {
        world.context.progress.alive();
        world.context.cancel.check()?;
        meter.add(&block)?;
        after.add(&block, rate);
    }
    after.close();
    if before.samples != after.samples || before.start != after.start {
        return Err(fail(format!(
            "it has {} samples from {} on instead of {} from {} on",
            after.samples,
            after.start.unwrap_or(0),
            before.samples,
            before.start.unwrap_or(0)
        )));
    }
    let offset = offset(&before.values, &after.values);
    if let Some(offset) = offset
        && offset.abs() > SHIFT
    {
        return Err(fail(format!(
            "it lies {} ms {} than its source",
            offset.abs(),
            if offset > 0 { "later" } else { "earlier" }
        )));
    }
    let mut above = Vec::new();
    for (spans, cover) in covered(world, sound, rate)? {
        if let Some(at) = after.uncovered(&spans, &above, cover, reader.format()) {
            return Err(fail(format!(
                "at {:.2} s something is heard that was to be covered",
                at as f64 / PER_SECOND as f64
            )));
        }
        above.extend(spans);
    }
    let change = after.level() - before.level();
    let (least, most) = level_limits(sound);
    if before.level() > QUIET && !(least..=most).contains(&change) {
        return Err(fail(format!(
            "its level changed by {change:.1} dB, which its nodes do not explain"
        )));
    }
    Ok(Found {
        samples: after.samples,
        offset_micros: offset.map(|millis| millis * 1_000),
        measured: meter.measured()?,
    })
}

/// What the last steps of a track cover, the last one first; another step behind them may change how
/// loud a tone is.
fn covered(
    world: &World<'_>,
    mut sound: &Sound,
    rate: u32,
) -> Result<Vec<(Vec<Span>, SoundCover)>, EngineError> {
    let mut list = Vec::new();
    while let Sound::Step {
        step: SoundStep::Redact(params),
        of,
        ..
    } = sound
    {
        let spans = cover::spans(&params.ranges, world.pictures.0, rate)?;
        list.push((spans, params.cover));
        sound = of;
    }
    Ok(list)
}

/// By how many dB the nodes may change the level.
fn level_limits(sound: &Sound) -> (f64, f64) {
    match sound {
        Sound::Stream { .. } => (-0.7, 0.7),
        Sound::Joined { clips } => clips
            .iter()
            .flatten()
            .map(level_limits)
            .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
            .unwrap_or((-0.7, 0.7)),
        Sound::Step { step, of, .. } => {
            let (least, most) = level_limits(of);
            match step {
                SoundStep::Channel { .. } | SoundStep::Redact(_) => (least, most),
                SoundStep::Denoise(params) if params.model.is_none() => {
                    (least - params.reduction, most)
                }
                SoundStep::Denoise(_) => (least - 40.0, most + 3.0),
                // The loudness itself is measured.
                SoundStep::Loudness(_) => (least - 80.0, most + 80.0),
            }
        }
    }
}

/// How loud a finished track should be, and is.
pub(crate) fn loudness_fault(
    params: &LoudnessParams,
    before: Option<f64>,
    found: &Measured,
) -> Option<String> {
    // Without a loudness before there is none to be had.
    before?;
    let Some(loudness) = found.loudness else {
        return Some("it is silent".to_owned());
    };
    if (loudness - params.target).abs() > LOUDNESS_TOLERANCE {
        return Some(format!(
            "its loudness is {loudness:.1} LUFS instead of {:.1}",
            params.target
        ));
    }
    (found.peak > params.peak + PEAK_TOLERANCE).then(|| {
        format!(
            "its true peak is {:.2} dBTP, above the limit of {:.2}",
            found.peak, params.peak
        )
    })
}

/// By how much `b` is later than `a`, in values: the largest shift that windows agree on. `None`
/// if no window tells.
fn offset(a: &[f32], b: &[f32]) -> Option<i64> {
    let mut found: Vec<i64> = Vec::new();
    let window = WINDOW.min(a.len().saturating_sub(1)).max(1);
    for at in (0..a.len().saturating_sub(window / 2)).step_by(window) {
        let end = (at + window).min(a.len());
        found.extend(window_offset(a, b, at, end));
    }
    // One window alone may err where there are many.
    let shifted: Vec<i64> = found.iter().copied().filter(|o| o.abs() > SHIFT).collect();
    if shifted.len() > usize::from(found.len() > 3) {
        return shifted.into_iter().max_by_key(|o| o.abs());
    }
    found
        .into_iter()
        .filter(|o| o.abs() <= SHIFT)
        .max_by_key(|o| o.abs())
}

fn window_offset(a: &[f32], b: &[f32], at: usize, end: usize) -> Option<i64> {
    let here = centred(&a[at..end])?;
    let fit = |lag: i64| -> Option<f64> {
        let from = usize::try_from(at as i64 + lag).ok()?;
        let there = centred(b.get(from..from + here.len())?)?;
        Some(here.iter().zip(&there).map(|(x, y)| x * y).sum())
    };
    let still = fit(0).unwrap_or(0.0);
    let furthest = FURTHEST as i64;
    let best = (-furthest..=furthest)
        .filter_map(|lag| fit(lag).map(|fit| (lag, fit)))
        .max_by(|x, y| x.1.total_cmp(&y.1))?;
    if best.1 < ALIKE {
        return None;
    }
    Some(if best.1 - still > BETTER { best.0 } else { 0 })
}

/// A stretch of an envelope without its mean, of length one; `None` where it is too even or too
/// quiet to tell anything.
fn centred(values: &[f32]) -> Option<Vec<f64>> {
    let count = values.len().max(1) as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
    let list: Vec<f64> = values.iter().map(|v| f64::from(*v) - mean).collect();
    let length = list.iter().map(|v| v * v).sum::<f64>().sqrt();
    let spread = length / count.sqrt();
    (mean > 10f64.powf(QUIET / 20.0) && spread > 0.2 * mean)
        .then(|| list.into_iter().map(|v| v / length).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(values: impl Fn(f64) -> f64) -> Envelope {
        let mut envelope = Envelope::default();
        let samples = (0..16_000)
            .map(|n| values(f64::from(n) / 8_000.0))
            .collect();
        let block = SoundBlock {
            start: 0,
            channels: vec![samples],
        };
        envelope.add(&block, 8_000);
        envelope.close();
        envelope
    }

    #[test]
    fn what_is_heard_under_a_cover_is_found() {
        let format = SoundFormat {
            rate: 8_000,
            layout: "mono".into(),
        };
        let spans = cover::spans("0.5-1", 0, 8_000).unwrap();
        let found = |cover, values: &dyn Fn(f64) -> f64, above: &[Span]| {
            heard(values).uncovered(&spans, above, cover, &format)
        };
        let tone = |t: f64| 0.1 * (std::f64::consts::TAU * 1_000.0 * t).sin();
        let silent = |t: f64| if (0.5..=1.0).contains(&t) { 0.0 } else { 0.4 };
        assert_eq!(found(SoundCover::Mute, &silent, &[]), None);
        assert_eq!(found(SoundCover::Beep, &tone, &[]), None);
        // A word that is left, and a cover of the other kind.
        let left = |t: f64| {
            if (0.7..0.75).contains(&t) {
                0.4
            } else {
                silent(t)
            }
        };
        assert_eq!(found(SoundCover::Mute, &left, &[]), Some(700));
        assert_eq!(
            found(SoundCover::Beep, &|t| tone(t) + left(t), &[]),
            Some(700)
        );
        assert!(found(SoundCover::Mute, &tone, &[]).is_some());
        assert!(found(SoundCover::Beep, &silent, &[]).is_some());
        // What is covered again by something else is not looked at.
        let again = cover::spans("0.4-2", 0, 8_000).unwrap();
        assert_eq!(found(SoundCover::Mute, &tone, &again), None);
    }
}
