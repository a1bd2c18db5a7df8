//! Loudness by EBU R128: measured over the whole track, then one gain for everything; where peaks
//! would go beyond the limit, they alone are held down.
//!
//! ffmpeg's `loudnorm` would ride the gain up and down instead wherever peaks do not allow one
//! gain. Tried on music of -23.6 LUFS brought to -10 with peaks of -2 dBTP, with its own measured
//! values, it came to -11.4 LUFS and took the loudness range from 3.7 to 1.5 LU; the limiter here
//! came to -10.1 and leaves all but the peaks alone.

use super::Sound;
use super::make::World;
use super::samples::{Part, Placement, Samples, open};
use crate::EngineError;
use ebur128::{Channel, EbuR128, Mode};
use frameloom_core::graph::LoudnessParams;
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_media::{SoundBlock, SoundFormat};
use std::collections::VecDeque;

/// Passes in which the gain is found where peaks are held down.
const PASSES: usize = 3;

/// Nearer than this to the target, in LU, no further pass is made.
const NEAR_ENOUGH: f64 = 0.05;

/// Seconds by which the limiter looks ahead, which is how long it takes to close.
const AHEAD: f64 = 0.005;

/// Seconds in which it opens again by two thirds.
const RELEASE: f64 = 0.08;

/// What is done to a track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gain {
    /// Integrated loudness before, in LUFS; `None` where there is none.
    pub before: Option<f64>,
    /// Gain in dB.
    pub gain: f64,
    /// Highest true peak that the limiter lets through, in dBTP; `None` without a limiter.
    pub ceiling: Option<f64>,
}

/// Measures loudness and peaks.
pub(crate) struct Meter(EbuR128);

/// What a meter found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measured {
    /// LUFS; `None` for silence and for less than 0.4 seconds.
    pub loudness: Option<f64>,
    /// dBTP; negative infinity for silence.
    pub peak: f64,
}

fn fault(error: ebur128::Error) -> EngineError {
    super::node_error(
        "loudness",
        said!(
            "sound.unmeasured",
            "it cannot be measured: {error}",
            error = Said::from(error.to_string())
        ),
    )
}

impl Meter {
    pub(crate) fn new(format: &SoundFormat) -> Result<Self, EngineError> {
        let names = format.channel_names()?;
        let map: Vec<Channel> = names.iter().map(|name| channel(name)).collect();
        let mode = Mode::I | Mode::TRUE_PEAK;
        let mut meter = EbuR128::new(map.len() as u32, format.rate, mode).map_err(fault)?;
        meter.set_channel_map(&map).map_err(fault)?;
        Ok(Self(meter))
    }

    pub(crate) fn add(&mut self, block: &SoundBlock) -> Result<(), EngineError> {
        let lists: Vec<&[f64]> = block.channels.iter().map(Vec::as_slice).collect();
        self.0.add_frames_planar_f64(&lists).map_err(fault)
    }

    pub(crate) fn measured(&self) -> Result<Measured, EngineError> {
        let loudness = self.0.loudness_global().map_err(fault)?;
        let mut peak = 0f64;
        for channel in 0..self.0.channels() {
            peak = peak.max(self.0.true_peak(channel).map_err(fault)?);
        }
        Ok(Measured {
            loudness: loudness.is_finite().then_some(loudness),
            peak: 20.0 * peak.log10(),
        })
    }
}

/// What a channel counts as: the bass does not, what is behind the listener counts more.
fn channel(name: &str) -> Channel {
    match name {
        "LFE" | "LFE2" => Channel::Unused,
        "FR" => Channel::Right,
        "FC" => Channel::Center,
        "BL" | "SL" | "BC" => Channel::LeftSurround,
        "BR" | "SR" => Channel::RightSurround,
        _ => Channel::Left,
    }
}

/// Measures everything that `samples` gives.
pub(crate) fn measure(samples: &mut dyn Samples) -> Result<Measured, EngineError> {
    let mut meter = Meter::new(samples.format())?;
    while let Some(block) = samples.next()? {
        meter.add(&block)?;
    }
    meter.measured()
}

/// Finds what brings `of` to the loudness asked for.
pub(crate) fn settle(
    world: &World<'_>,
    params: &LoudnessParams,
    of: &Sound,
    placement: Option<Placement>,
) -> Result<Gain, EngineError> {
    let found = measure(&mut *open(world, of, Part::Whole, placement)?)?;
    let Some(before) = found.loudness else {
        return Ok(Gain {
            before: None,
            gain: 0.0,
            ceiling: None,
        });
    };
    let mut gain = Gain {
        before: Some(before),
        gain: params.target - before,
        ceiling: None,
    };
    if found.peak + gain.gain <= params.peak {
        return Ok(gain);
    }
    gain.ceiling = Some(params.peak);
    // Held down, peaks no longer add to the loudness; a little more gain makes up for it.
    for _ in 0..PASSES {
        let inner = open(world, of, Part::Whole, placement)?;
        let found = measure(&mut Louder::new(inner, gain))?;
        let missing = found
            .loudness
            .map_or(0.0, |loudness| params.target - loudness);
        if missing.abs() <= NEAR_ENOUGH {
            break;
        }
        gain.gain += missing;
    }
    Ok(gain)
}

/// Sound with a gain, its peaks perhaps held down.
pub(crate) struct Louder<'w> {
    inner: Box<dyn Samples + 'w>,
    factor: f64,
    limiter: Option<Limiter>,
    ended: bool,
}

impl<'w> Louder<'w> {
    pub(crate) fn new(inner: Box<dyn Samples + 'w>, gain: Gain) -> Self {
        let rate = inner.format().rate;
        Self {
            factor: 10f64.powf(gain.gain / 20.0),
            limiter: gain.ceiling.map(|ceiling| Limiter::new(ceiling, rate)),
            inner,
            ended: false,
        }
    }
}

impl Samples for Louder<'_> {
    fn format(&self) -> &SoundFormat {
        self.inner.format()
    }

    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
        while !self.ended {
            let block = self.inner.next()?.map(|mut block| {
                for sample in block.channels.iter_mut().flatten() {
                    *sample *= self.factor;
                }
                block
            });
            self.ended = block.is_none();
            let block = match (&mut self.limiter, block) {
                (None, block) => block,
                (Some(limiter), Some(block)) => limiter.push(block),
                (Some(limiter), None) => limiter.finish(),
            };
            if let Some(block) = block.filter(|block| !block.is_empty()) {
                return Ok(Some(block));
            }
        }
        Ok(None)
    }
}

/// Taps of the filter that finds peaks between samples.
const TAPS: usize = 12;

/// Holds true peaks under a ceiling. All channels get the same gain, which falls before a peak
/// comes and rises slowly after it.
///
/// For every sample the gain is known that it needs at most. The least of those that lie ahead,
/// let up slowly and averaged over as long as was looked ahead, is never above it.
pub(crate) struct Limiter {
    ceiling: f64,
    ahead: usize,
    release: f64,
    /// Filters for the points a quarter, a half and three quarters behind a sample.
    between: [[f64; TAPS]; 3],
    /// Samples that did not leave yet, per channel, and the place of the first of them.
    waiting: Vec<VecDeque<f64>>,
    start: i64,
    /// Samples that came, counted from the first.
    came: usize,
    /// Samples that left.
    left: usize,
    /// The last samples per channel, newest last.
    recent: Vec<[f64; TAPS]>,
    /// Peak between the sample before the one whose need is found next and that one.
    before: f64,
    /// Needs ahead that may still be the least, with the samples that they belong to.
    least: VecDeque<(usize, f64)>,
    /// Gains that the average runs over.
    gains: VecDeque<f64>,
    held: f64,
    sum: f64,
}

impl Limiter {
    pub(crate) fn new(ceiling_db: f64, rate: u32) -> Self {
        let rate = f64::from(rate);
        let ahead = ((rate * AHEAD).round() as usize).max(1);
        Self {
            ceiling: 10f64.powf(ceiling_db / 20.0),
            ahead,
            release: 1.0 - (-1.0 / (RELEASE * rate)).exp(),
            between: [0.25, 0.5, 0.75].map(interpolator),
            waiting: Vec::new(),
            start: 0,
            came: 0,
            left: 0,
            recent: Vec::new(),
            before: 0.0,
            least: VecDeque::new(),
            gains: VecDeque::from(vec![1.0; ahead + 1]),
            held: 1.0,
            sum: (ahead + 1) as f64,
        }
    }

    /// Takes samples and gives those whose gain is known by now.
    pub(crate) fn push(&mut self, block: SoundBlock) -> Option<SoundBlock> {
        if self.recent.is_empty() {
            self.recent = vec![[0.0; TAPS]; block.channels.len()];
            self.waiting = vec![VecDeque::new(); block.channels.len()];
            self.start = block.start;
            // The gain must have fallen before the first sample as well.
            let silence = vec![vec![0.0; self.ahead]; block.channels.len()];
            self.advance(&silence);
        }
        self.advance(&block.channels);
        self.take()
    }

    /// Gives the rest.
    pub(crate) fn finish(&mut self) -> Option<SoundBlock> {
        let length = self.came;
        let silence = vec![vec![0.0; self.ahead + TAPS]; self.recent.len()];
        self.advance(&silence);
        // What is beyond the last sample is only that silence.
        let mut block = self.take()?;
        let end = self.start + length as i64 - self.ahead as i64;
        block.keep(i64::MIN, end);
        Some(block)
    }

    fn advance(&mut self, channels: &[Vec<f64>]) {
        let count = channels.first().map_or(0, Vec::len);
        for (waiting, more) in self.waiting.iter_mut().zip(channels) {
            waiting.extend(more);
        }
        for at in 0..count {
            let (mut peak, mut behind) = (0f64, 0f64);
            for (recent, channel) in self.recent.iter_mut().zip(channels) {
                recent.rotate_left(1);
                recent[TAPS - 1] = channel[at];
                peak = peak.max(recent[TAPS / 2 - 1].abs());
                for filter in &self.between {
                    let value: f64 = filter.iter().zip(recent.iter()).map(|(f, v)| f * v).sum();
                    behind = behind.max(value.abs());
                }
            }
            let highest = peak.max(behind).max(self.before);
            self.before = behind;
            self.came += 1;
            // The filter reaches half of its length ahead.
            let Some(index) = self.came.checked_sub(TAPS / 2 + 1) else {
                continue;
            };
            let need = if highest > self.ceiling {
                self.ceiling / highest
            } else {
                1.0
            };
            while self.least.back().is_some_and(|(_, other)| *other >= need) {
                self.least.pop_back();
            }
            self.least.push_back((index, need));
            let Some(leaving) = index.checked_sub(self.ahead) else {
                continue;
            };
            while self
                .least
                .front()
                .is_some_and(|(place, _)| *place < leaving)
            {
                self.least.pop_front();
            }
            let lowest = self.least.front().map_or(1.0, |(_, need)| *need);
            self.held = if lowest < self.held {
                lowest
            } else {
                self.held + (lowest - self.held) * self.release
            };
            self.sum += self.held - self.gains.pop_front().unwrap_or(1.0);
            self.gains.push_back(self.held);
            let gain = (self.sum / self.gains.len() as f64).min(1.0);
            for waiting in &mut self.waiting {
                if let Some(sample) = waiting.get_mut(leaving - self.left) {
                    *sample *= gain;
                }
            }
        }
    }

    /// The samples whose gain was given, without the silence in front.
    fn take(&mut self) -> Option<SoundBlock> {
        let ready = self.came.checked_sub(TAPS / 2 + self.ahead)? - self.left;
        if ready == 0 {
            return None;
        }
        let skip = self.ahead.saturating_sub(self.left).min(ready);
        let mut channels = Vec::new();
        for waiting in &mut self.waiting {
            let list: Vec<f64> = waiting.drain(..ready.min(waiting.len())).collect();
            channels.push(list[skip.min(list.len())..].to_vec());
        }
        let start = self.start + (self.left + skip) as i64 - self.ahead as i64;
        self.left += ready;
        Some(SoundBlock { start, channels })
    }
}

/// A filter that gives the value `at` of the way from tap 5 to tap 6.
fn interpolator(at: f64) -> [f64; TAPS] {
    let mut taps = [0.0; TAPS];
    let middle = (TAPS / 2 - 1) as f64 + at;
    let mut sum = 0.0;
    for (n, tap) in taps.iter_mut().enumerate() {
        let x = n as f64 - middle;
        let angle = std::f64::consts::PI * x;
        let window = (angle / (TAPS as f64)).cos().powi(2);
        *tap = angle.sin() / angle * window;
        sum += *tap;
    }
    taps.map(|tap| tap / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(sound: &[f64], ceiling: f64, piece: usize) -> Vec<f64> {
        let mut limiter = Limiter::new(ceiling, 48_000);
        let mut all = Vec::new();
        let mut next = 100;
        let mut at = 100;
        let mut take = |block: Option<SoundBlock>| {
            for block in block.into_iter().filter(|block| !block.is_empty()) {
                assert_eq!(block.start, next, "nothing is lost on the way");
                next = block.end();
                all.extend_from_slice(&block.channels[0]);
            }
        };
        for part in sound.chunks(piece) {
            take(limiter.push(SoundBlock {
                start: at,
                channels: vec![part.to_vec()],
            }));
            at += part.len() as i64;
        }
        take(limiter.finish());
        all
    }

    fn peak(sound: &[f64]) -> f64 {
        let mut meter = Meter::new(&SoundFormat {
            rate: 48_000,
            layout: "mono".into(),
        })
        .unwrap();
        let block = SoundBlock {
            start: 0,
            channels: vec![sound.to_vec()],
        };
        meter.add(&block).unwrap();
        meter.measured().unwrap().peak
    }

    #[test]
    fn peaks_are_held_under_the_ceiling_and_nothing_moves() {
        // Quiet tones with loud bursts, the first of them at the very beginning.
        let sound: Vec<f64> = (0..48_000u32)
            .map(|n| {
                let t = f64::from(n) / 48_000.0;
                let loud = if n % 24_000 < 480 { 2.5 } else { 0.2 };
                loud * (std::f64::consts::TAU * 997.0 * t).sin()
            })
            .collect();
        for piece in [1, 777, 48_000] {
            let found = limited(&sound, -3.0, piece);
            assert_eq!(found.len(), sound.len());
            assert!(peak(&found) <= -2.95, "{}", peak(&found));
            // Long after a burst everything is as it was, at its own place.
            for n in (23_000..23_600).chain(47_000..47_600) {
                assert!((found[n] - sound[n]).abs() < 0.02 * 0.2, "{n}");
            }
        }
    }

    #[test]
    fn sound_without_such_peaks_is_left_alone() {
        let sound: Vec<f64> = (0..5_000)
            .map(|n| 0.3 * (f64::from(n) * 0.1).sin())
            .collect();
        let found = limited(&sound, -1.0, 640);
        assert_eq!(found.len(), sound.len());
        for (a, b) in sound.iter().zip(&found) {
            assert!((a - b).abs() < 1e-9);
        }
    }

    #[test]
    fn a_peak_between_two_samples_is_seen() {
        // A quarter of the rate, sampled beside its crests: 3 dB more than any sample.
        let sound: Vec<f64> = (0..4_800)
            .map(|n| {
                0.9 * (std::f64::consts::FRAC_PI_2 * f64::from(n) + std::f64::consts::FRAC_PI_4)
                    .sin()
            })
            .collect();
        assert!(sound.iter().all(|v| v.abs() < 0.64));
        let found = limited(&sound, -3.0, 100);
        assert!(peak(&found[480..4_000]) <= -2.9, "{}", peak(&found));
    }
}
