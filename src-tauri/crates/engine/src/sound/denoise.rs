//! Noise taken out by ffmpeg's `afftdn`, whose threshold is measured first.
//!
//! By itself the filter takes noise to lie at -50 dB, and leaves louder noise in. On the speech of
//! the test material the best threshold lay about 7 dB above the loudness of the quietest tenth.

use super::samples::Samples;
use super::through::{Stage, Through};
use crate::EngineError;
use frameloom_media::{SoundFilter, SoundFormat};

/// Pieces of this many to a second are looked at for the quietest.
const PIECES: u32 = 20;

/// By how much noise lies above the quietest tenth of the pieces, in dB.
const ABOVE_QUIET: f64 = 7.0;

/// What the filter takes for its threshold, in dB.
const FLOORS: (f64, f64) = (-80.0, -20.0);

/// Quieter pieces, in dB, are no noise but silence that was put in.
const SILENCE: f64 = -100.0;

/// Measures how loud the noise of a track is, in dB of full scale.
pub(crate) fn noise_floor(samples: &mut dyn Samples) -> Result<f64, EngineError> {
    let piece = (samples.format().rate / PIECES).max(1) as usize;
    // Counted in tenths of a dB: a track may be long.
    let mut counts = vec![0u64; 1_001];
    let (mut sum, mut filled) = (0.0, 0);
    while let Some(block) = samples.next()? {
        for n in 0..block.len() {
            sum += block.channels.iter().map(|c| c[n] * c[n]).sum::<f64>();
            filled += 1;
            if filled == piece {
                let power = sum / (piece * block.channels.len()) as f64;
                let db = 10.0 * power.log10();
                if db > SILENCE {
                    counts[(-db * 10.0).clamp(0.0, 1_000.0) as usize] += 1;
                }
                (sum, filled) = (0.0, 0);
            }
        }
    }
    let all: u64 = counts.iter().sum();
    let mut left = all.div_ceil(10);
    for (tenths, count) in counts.iter().enumerate().rev() {
        left = left.saturating_sub(*count);
        if left == 0 && all > 0 {
            let quiet = -(tenths as f64) / 10.0;
            return Ok((quiet + ABOVE_QUIET).clamp(FLOORS.0, FLOORS.1));
        }
    }
    Ok(FLOORS.0)
}

/// Sound with less noise.
pub(crate) type Denoised<'w> = Through<'w, Noise>;

/// The filter without what it gives before the first sample that was sent.
pub(crate) struct Noise {
    filter: SoundFilter,
    /// So many samples are still to be left out.
    delay: usize,
}

impl<'w> Denoised<'w> {
    pub(crate) fn open(
        inner: Box<dyn Samples + 'w>,
        reduction: f64,
        floor: f64,
    ) -> Result<Self, EngineError> {
        let format = inner.format();
        let noise = Noise {
            filter: filter(format, reduction, floor)?,
            delay: delay(format.rate)?,
        };
        Ok(Through::new(inner, noise))
    }
}

impl Stage for Noise {
    fn send(&mut self, channels: &[Vec<f64>]) -> Result<(), EngineError> {
        Ok(self.filter.send(channels)?)
    }

    fn receive(&mut self) -> Result<Option<Vec<Vec<f64>>>, EngineError> {
        let Some(mut channels) = self.filter.receive()? else {
            return Ok(None);
        };
        let early = self.delay.min(channels.first().map_or(0, Vec::len));
        self.delay -= early;
        for channel in &mut channels {
            channel.drain(..early);
        }
        Ok(Some(channels))
    }

    fn finish(&mut self) -> Result<(), EngineError> {
        Ok(self.filter.finish()?)
    }
}

fn filter(format: &SoundFormat, reduction: f64, floor: f64) -> Result<SoundFilter, EngineError> {
    let options = vec![
        ("noise_reduction", format!("{reduction:.3}")),
        ("noise_floor", format!("{floor:.1}")),
    ];
    Ok(SoundFilter::open(format, format, &[("afftdn", options)])?)
}

/// By how many samples the filter is late, which it does not say and which differs between
/// versions: found by a burst.
fn delay(rate: u32) -> Result<usize, EngineError> {
    let format = SoundFormat {
        rate,
        layout: "mono".to_owned(),
    };
    let mut filter = filter(&format, 0.01, FLOORS.0)?;
    let unit = (rate as usize / 10).max(64);
    let mut burst = vec![0.0; 3 * unit];
    // Rising in pitch: it fits itself at one place only.
    for (n, sample) in burst[unit..unit + unit / 2].iter_mut().enumerate() {
        let t = n as f64 / unit as f64;
        *sample = 0.5 * (std::f64::consts::TAU * t * (8.0 + 40.0 * t)).sin();
    }
    filter.send(std::slice::from_ref(&burst))?;
    filter.finish()?;
    let mut given: Vec<f64> = Vec::new();
    while let Some(mut channels) = filter.receive()? {
        given.append(&mut channels[0]);
    }
    let fit = |lag: usize| -> f64 {
        let part = &burst[unit..unit + unit / 2];
        let late = given.get(unit + lag..).unwrap_or_default();
        part.iter().zip(late).map(|(a, b)| a * b).sum()
    };
    Ok((0..unit)
        .max_by(|a, b| fit(*a).total_cmp(&fit(*b)))
        .unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use frameloom_media::SoundBlock;

    struct Once(SoundFormat, Vec<SoundBlock>);

    impl Samples for Once {
        fn format(&self) -> &SoundFormat {
            &self.0
        }
        fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
            Ok(self.1.pop())
        }
    }

    fn once(rate: u32, sound: Vec<f64>) -> Once {
        let format = SoundFormat {
            rate,
            layout: "mono".into(),
        };
        let block = SoundBlock {
            start: 500,
            channels: vec![sound],
        };
        Once(format, vec![block])
    }

    #[test]
    fn the_filter_moves_nothing_and_keeps_the_length() {
        for rate in [16_000, 44_100, 48_000] {
            let tone: Vec<f64> = (0..rate)
                .map(|n| {
                    let t = f64::from(n) / f64::from(rate);
                    let burst = (-(t * 4.0).fract() * 8.0).exp();
                    0.5 * burst * (std::f64::consts::TAU * 700.0 * t).sin()
                })
                .collect();
            let inner = Box::new(once(rate, tone.clone()));
            let mut denoised = Denoised::open(inner, 12.0, -60.0).unwrap();
            let mut found = Vec::new();
            while let Some(block) = denoised.next().unwrap() {
                assert_eq!(block.start, 500 + found.len() as i64);
                found.extend_from_slice(&block.channels[0]);
            }
            assert_eq!(found.len(), tone.len(), "{rate}");
            let error: f64 = tone.iter().zip(&found).map(|(a, b)| (a - b).powi(2)).sum();
            let power: f64 = tone.iter().map(|a| a * a).sum();
            assert!(error < 0.02 * power, "{rate}: {}", error / power);
        }
    }

    #[test]
    fn the_floor_is_that_of_the_quiet_moments_and_silence_does_not_count() {
        let noise = |level: f64| {
            let mut state = 1u32;
            move || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                level * (f64::from(state >> 8) / 8_388_608.0 - 1.0)
            }
        };
        // Noise of -44.8 dB, loud tones half of the time, and dead silence for a while.
        let mut hiss = noise(0.01);
        let mut sound: Vec<f64> = (0..96_000)
            .map(|n| {
                hiss()
                    + if n % 19_200 < 9_600 {
                        0.3 * (f64::from(n) * 0.2).sin()
                    } else {
                        0.0
                    }
            })
            .collect();
        sound.extend(vec![0.0; 48_000]);
        let floor = noise_floor(&mut once(48_000, sound)).unwrap();
        assert!((floor - (-44.8 + ABOVE_QUIET)).abs() < 1.0, "{floor}");
        assert_eq!(
            noise_floor(&mut once(48_000, vec![0.0; 48_000])).unwrap(),
            -80.0
        );
    }
}
