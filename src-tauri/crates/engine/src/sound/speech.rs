//! Noise taken out of speech by a network: spectra of short windows go through it one by one, and
//! what comes back is laid over each other again.
//!
//! Networks of this family hear 16,000 samples a second. What is higher than they hear is turned down
//! as much as they turn down the highest that they hear: speech keeps its sharpness, and pauses are
//! quiet up there as well.

use super::make::World;
use super::samples::Samples;
use super::through::{Stage, Through};
use crate::EngineError;
use frameloom_infer::SpeechSession;
use frameloom_media::{SoundFilter, SoundFormat};
use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

/// What the networks hear.
const RATE: u32 = 16_000;

/// Sound that went through a network.
pub(crate) type Speech<'w> = Through<'w, Heard<'w>>;

/// Sound on its way down to what the networks hear, through them, and up again.
pub(crate) struct Heard<'w> {
    world: &'w World<'w>,
    down: SoundFilter,
    up: SoundFilter,
    channels: Vec<Channel>,
    /// For sound that has something above what is heard.
    above: Option<Above>,
}

impl<'w> Speech<'w> {
    pub(crate) fn open(
        world: &'w World<'_>,
        node: &str,
        inner: Box<dyn Samples + 'w>,
        model: &Path,
    ) -> Result<Self, EngineError> {
        let format = inner.format();
        let heard = SoundFormat {
            rate: RATE,
            layout: format.layout.clone(),
        };
        let runtime = (world.context.runtime)()?;
        let channels = (0..format.channels()?)
            .map(|_| {
                let session = SpeechSession::open(&runtime, model)
                    .map_err(|error| super::node_error(node, said(&error)))?;
                world.context.cancel.watch(session.cancel_handle());
                Ok(Channel::new(session))
            })
            .collect::<Result<_, EngineError>>()?;
        let stage = Heard {
            world,
            down: SoundFilter::open(format, &heard, &[])?,
            up: SoundFilter::open(&heard, format, &[])?,
            above: match format.rate > RATE {
                true => Some(Above::open(&heard, format)?),
                false => None,
            },
            channels,
        };
        Ok(Through::new(inner, stage))
    }
}

impl Heard<'_> {
    /// Moves what was brought down through the networks and up again.
    fn pass_on(&mut self) -> Result<(), EngineError> {
        while let Some(heard) = self.down.receive()? {
            let mut cleaned = Vec::new();
            for (channel, samples) in self.channels.iter_mut().zip(&heard) {
                self.world.context.progress.alive();
                cleaned.push(channel.push(samples)?);
            }
            if let Some(pace) = &self.world.pace {
                let count = heard.first().map_or(0, Vec::len);
                pace.went_through(count, RATE, self.world.context.progress);
            }
            self.up.send(&cleaned)?;
            if let Some(above) = &mut self.above {
                above.up.send(&heard)?;
            }
        }
        Ok(())
    }
}

/// What lies above what the networks hear: the sound without what is left of it after the way down and
/// up.
struct Above {
    /// Brings up what the networks heard.
    up: SoundFilter,
    rate: u32,
    /// Samples left so far, per channel the same.
    place: u64,
    waiting: Vec<Waiting>,
}

/// Samples of a channel that stand beside nothing yet.
#[derive(Default)]
struct Waiting {
    plain: VecDeque<f64>,
    /// What was heard, brought up again.
    low: VecDeque<f64>,
    made: VecDeque<f64>,
}

impl Above {
    fn open(heard: &SoundFormat, format: &SoundFormat) -> Result<Self, EngineError> {
        Ok(Self {
            up: SoundFilter::open(heard, format, &[])?,
            rate: format.rate,
            place: 0,
            waiting: (0..format.channels()?)
                .map(|_| Waiting::default())
                .collect(),
        })
    }

    fn take(&mut self, channels: &[Vec<f64>], queue: impl Fn(&mut Waiting) -> &mut VecDeque<f64>) {
        for (waiting, samples) in self.waiting.iter_mut().zip(channels) {
            queue(waiting).extend(samples);
        }
    }

    /// What is complete: what the networks made, with what lies above it.
    fn give(&mut self, channels: &mut [Channel]) -> Result<Option<Vec<Vec<f64>>>, EngineError> {
        while let Some(low) = self.up.receive()? {
            self.take(&low, |waiting| &mut waiting.low);
        }
        let ready = self.waiting.iter().map(|waiting| {
            let Waiting { plain, low, made } = waiting;
            plain.len().min(low.len()).min(made.len())
        });
        let count = ready.min().unwrap_or(0);
        if count == 0 {
            return Ok(None);
        }
        let place = self.place;
        self.place += count as u64;
        let per_step = f64::from(RATE) / f64::from(self.rate);
        let mixed = self
            .waiting
            .iter_mut()
            .zip(channels)
            .map(|(waiting, channel)| {
                let Waiting { plain, low, made } = waiting;
                let trio = plain
                    .drain(..count)
                    .zip(low.drain(..count))
                    .zip(made.drain(..count));
                let mixed = (place..).zip(trio).map(|(at, ((plain, low), made))| {
                    made + (plain - low) * channel.gain_at(at as f64 * per_step)
                });
                mixed.collect::<Vec<f64>>()
            });
        let mixed = mixed.collect();
        Ok(Some(mixed))
    }
}

fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

impl Stage for Heard<'_> {
    fn send(&mut self, channels: &[Vec<f64>]) -> Result<(), EngineError> {
        if let Some(above) = &mut self.above {
            above.take(channels, |waiting| &mut waiting.plain);
        }
        self.down.send(channels)?;
        self.pass_on()
    }

    fn receive(&mut self) -> Result<Option<Vec<Vec<f64>>>, EngineError> {
        let Some(above) = &mut self.above else {
            return Ok(self.up.receive()?);
        };
        while let Some(made) = self.up.receive()? {
            above.take(&made, |waiting| &mut waiting.made);
        }
        above.give(&mut self.channels)
    }

    fn finish(&mut self) -> Result<(), EngineError> {
        self.down.finish()?;
        self.pass_on()?;
        if let Some(above) = &mut self.above {
            above.up.finish()?;
        }
        Ok(self.up.finish()?)
    }
}

/// The windows of one channel.
struct Channel {
    session: SpeechSession,
    forward: Arc<dyn RealToComplex<f32>>,
    backward: Arc<dyn ComplexToReal<f32>>,
    window: Vec<f32>,
    /// Samples that are not yet a step.
    waiting: VecDeque<f32>,
    /// The last window's worth of samples.
    heard: Vec<f32>,
    /// What windows so far add up to, from the first sample that is not complete.
    sum: Vec<f32>,
    /// The first step is complete only after the second window: it lies before the sound.
    begun: bool,
    /// How much of the upper half of what is heard was left in each window, 0 to 1; the middle of the
    /// first lies `gains_from` steps behind the first sample.
    gains: VecDeque<f64>,
    gains_from: u64,
}

impl Channel {
    fn new(session: SpeechSession) -> Self {
        let length = (session.bins() - 1) * 2;
        let mut planner = RealFftPlanner::new();
        // The square root of a Hann window, once before and once after: they add up to one.
        let window = (0..length)
            .map(|n| {
                let turn = std::f64::consts::PI * n as f64 / length as f64;
                turn.sin() as f32
            })
            .collect();
        Self {
            forward: planner.plan_fft_forward(length),
            backward: planner.plan_fft_inverse(length),
            window,
            waiting: VecDeque::new(),
            heard: vec![0.0; length],
            sum: vec![0.0; length],
            session,
            begun: false,
            gains: VecDeque::new(),
            gains_from: 0,
        }
    }

    /// How much of the upper half of what is heard is left around a sample, which never comes before
    /// one that was asked for.
    fn gain_at(&mut self, sample: f64) -> f64 {
        let step = (self.window.len() / 2).max(1) as f64;
        let at = sample / step;
        let before = at as u64;
        while self.gains_from < before && self.gains.len() > 2 {
            self.gains.pop_front();
            self.gains_from += 1;
        }
        let gain = |place: u64| {
            let index = usize::try_from(place.saturating_sub(self.gains_from)).unwrap_or(0);
            self.gains
                .get(index)
                .or(self.gains.back())
                .copied()
                .unwrap_or(0.0)
        };
        let share = at - at.floor();
        gain(before) * (1.0 - share) + gain(before + 1) * share
    }

    /// Takes samples and gives those that are complete; all in all half a window less.
    fn push(&mut self, samples: &[f64]) -> Result<Vec<f64>, EngineError> {
        self.waiting.extend(samples.iter().map(|v| *v as f32));
        let length = self.window.len();
        let step = length / 2;
        let mut done = Vec::new();
        while self.waiting.len() >= step {
            self.heard.copy_within(step.., 0);
            for (place, sample) in self.heard[step..]
                .iter_mut()
                .zip(self.waiting.drain(..step))
            {
                *place = sample;
            }
            let mut time: Vec<f32> = self
                .heard
                .iter()
                .zip(&self.window)
                .map(|(v, w)| v * w)
                .collect();
            let mut bins = self.forward.make_output_vec();
            self.transformed(&mut time, &mut bins)?;
            self.sum.copy_within(step.., 0);
            self.sum[step..].fill(0.0);
            for ((sum, value), weight) in self.sum.iter_mut().zip(&time).zip(&self.window) {
                *sum += value * weight / length as f32;
            }
            if self.begun {
                done.extend(self.sum[..step].iter().map(|v| f64::from(*v)));
            }
            self.begun = true;
        }
        Ok(done)
    }

    /// A window through the network and back.
    fn transformed(
        &mut self,
        time: &mut [f32],
        bins: &mut [Complex<f32>],
    ) -> Result<(), EngineError> {
        let fault =
            |error: realfft::FftError| super::node_error("audio_denoise", error.to_string());
        self.forward.process(time, bins).map_err(fault)?;
        let mut spectrum: Vec<f32> = bins.iter().flat_map(|c| [c.re, c.im]).collect();
        let upper = |spectrum: &[f32]| -> f32 {
            let half = spectrum.len() / 2;
            spectrum.iter().skip(half).map(|v| v * v).sum()
        };
        let before = upper(&spectrum);
        self.session.run(&mut spectrum)?;
        let left = f64::from(upper(&spectrum)) / f64::from(before).max(1e-12);
        self.gains.push_back(left.sqrt().min(1.0));
        for (bin, pair) in bins.iter_mut().zip(spectrum.chunks_exact(2)) {
            *bin = Complex::new(pair[0], pair[1]);
        }
        // Sound is real: neither the mean nor the highest bin has an imaginary part.
        if let [first, .., last] = bins {
            first.im = 0.0;
            last.im = 0.0;
        }
        self.backward.process(bins, time).map_err(fault)
    }
}
