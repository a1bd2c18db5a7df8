//! How fast a model is on a device.

use crate::between::BetweenSession;
use crate::error::InferError;
use crate::matte::MatteSession;
use crate::model::Model;
use crate::places::PlaceSession;
use crate::provider::Runtime;
use crate::session::{InferenceSession, SessionOptions};
use crate::speech::SpeechSession;
use crate::upscale::Upscaler;
use crate::voice::{NO_PICTURES, VoiceSession};
use crate::whole::WholeSession;
use frameloom_core::job::{Device, ProviderChoice};
use frameloom_core::model::Task;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, PlaneRef};
use std::sync::Arc;
use std::time::Instant;

/// So much sound is heard in a run.
const HEARD_SECONDS: u32 = 4;

/// Speed of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Throughput {
    /// Provider that computed.
    pub provider: ProviderChoice,
    /// Width and height of the source.
    pub input: (u32, u32),
    /// Width and height of the result.
    pub output: (u32, u32),
    /// Runs that were timed; one more warmed up.
    pub runs: u32,
    /// Time of the median run, samples in to samples out.
    pub median_micros: u64,
    /// Time of the fastest run.
    pub best_micros: u64,
}

impl Throughput {
    /// Pictures per second, by the median.
    pub fn fps(&self) -> f64 {
        1e6 / (self.median_micros.max(1) as f64)
    }

    /// Millions of output pixels per second, by the median.
    pub fn megapixels_per_second(&self) -> f64 {
        f64::from(self.output.0) * f64::from(self.output.1) / (self.median_micros.max(1) as f64)
    }
}

/// Enlarges an 8-bit test picture of `width` x `height` pixels `runs` times.
///
/// # Errors
/// As [`InferenceSession::open`] and [`Upscaler::upscale_luma`].
pub fn measure(
    runtime: &Arc<Runtime>,
    model: &Model,
    device: Device,
    width: u32,
    height: u32,
    runs: u32,
) -> Result<Throughput, InferError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let options = SessionOptions {
        device,
        threads,
        ..SessionOptions::default()
    };
    if model.manifest.task.finds() {
        return measure_places(runtime, model, (width, height), (threads, runs));
    }
    if model.manifest.task.is_of_sound() {
        return Err(InferError::GraphMismatch {
            model: model.manifest.id.clone(),
            reason: NO_PICTURES.to_owned(),
        });
    }
    let (session, provider) = InferenceSession::open(runtime, model, &options)?;
    if model.manifest.task == Task::Matte {
        return measure_matte(MatteSession::new(session)?, provider, (width, height), runs);
    }
    if model.manifest.task.sees_whole() {
        return measure_whole(WholeSession::new(session)?, provider, (width, height), runs);
    }
    if model.manifest.task == Task::Between {
        return measure_between(
            BetweenSession::new(session)?,
            provider,
            (width, height),
            runs,
        );
    }
    let mut upscaler = Upscaler::new(session, &model.manifest)?;
    let (w, h, s) = (width as usize, height as usize, upscaler.scale() as usize);
    let source: Vec<u8> = (0..w * h)
        .map(|i| ((i % w) ^ (i / w)) as u8 / 2 + 64)
        .collect();
    let mut results = vec![vec![0u8; w * h * s * s]; upscaler.color().channels()];
    let times = timed(runs, || {
        let src = PlaneRef {
            data: &source[..],
            stride: w,
            width: w,
            height: h,
        };
        let mut planes = results.iter_mut().map(|data| {
            AnyPlaneMut::U8(PlaneMut {
                data: &mut data[..],
                stride: w * s,
                width: w * s,
                height: h * s,
            })
        });
        match (planes.next(), planes.next(), planes.next()) {
            (Some(r), Some(g), Some(b)) => {
                upscaler.upscale_rgb([AnyPlane::U8(src); 3], 8, [r, g, b])
            }
            (Some(y), ..) => upscaler.upscale_luma(AnyPlane::U8(src), 8, true, y),
            _ => Ok(()),
        }
    })?;
    Ok(Throughput {
        output: (width * s as u32, height * s as u32),
        ..of_times(times, provider, (width, height))
    })
}

/// A model that finds something, on the picture of its own size that one of `size` is brought to.
fn measure_places(
    runtime: &Arc<Runtime>,
    model: &Model,
    size: (u32, u32),
    (threads, runs): (usize, u32),
) -> Result<Throughput, InferError> {
    let mut session = PlaceSession::open(runtime, model, threads)?;
    let (w, h) = session.size_for(size.0 as usize, size.1 as usize);
    let plane: Vec<f32> = (0..w * h)
        .map(|i| (((i % w) ^ (i / w)) % 256) as f32 / 255.0)
        .collect();
    let times = timed(runs, || session.run([&plane; 3], (w, h), 0.5).map(drop))?;
    let provider = PlaceSession::provider();
    Ok(of_times(times, provider, (w as u32, h as u32)))
}

/// A matting model on the picture of its own size that one of `size` is brought to.
fn measure_matte(
    mut session: MatteSession,
    provider: ProviderChoice,
    size: (u32, u32),
    runs: u32,
) -> Result<Throughput, InferError> {
    let (w, h) = session.size_for(size.0 as usize, size.1 as usize);
    let source: Vec<f32> = (0..w * h)
        .map(|i| (((i % w) ^ (i / w)) as u8 / 2 + 64) as f32 / 255.0)
        .collect();
    let mut matte = Vec::new();
    let times = timed(runs, || {
        session.run([&source, &source, &source], (w, h), &mut matte)
    })?;
    Ok(of_times(times, provider, (w as u32, h as u32)))
}

/// A model that sees the whole picture, likewise.
fn measure_whole(
    mut session: WholeSession,
    provider: ProviderChoice,
    size: (u32, u32),
    runs: u32,
) -> Result<Throughput, InferError> {
    let (w, h) = session.size_for((size.0 as usize, size.1 as usize), None);
    let source: Vec<f32> = (0..w * h)
        .map(|i| (((i % w) ^ (i / w)) as u8 / 2 + 64) as f32 / 255.0)
        .collect();
    let mut planes = Vec::new();
    let times = timed(runs, || session.run([&source; 3], (w, h), &mut planes))?;
    Ok(of_times(times, provider, (w as u32, h as u32)))
}

fn measure_between(
    mut session: BetweenSession,
    provider: ProviderChoice,
    size: (u32, u32),
    runs: u32,
) -> Result<Throughput, InferError> {
    let (w, h) = (size.0 as usize, size.1 as usize);
    // A graph of one size is measured at that.
    let (w, h) = session
        .size_for((w, h))
        .or(session.size_for((1, 1)))
        .unwrap_or((w, h));
    let source: Vec<f32> = (0..w * h)
        .map(|i| (((i % w) ^ (i / w)) as u8 / 2 + 64) as f32 / 255.0)
        .collect();
    let mut planes = <[Vec<f32>; 3]>::default();
    let times = timed(runs, || {
        session.run([[&source; 3]; 2], (w, h), 0.5, &mut planes)
    })?;
    Ok(of_times(times, provider, (w as u32, h as u32)))
}

/// A model of sound: how many seconds of sound it goes through in a second, by the median of `runs`,
/// and what computed.
///
/// # Errors
/// [`InferError::GraphMismatch`] for a model of pictures; as [`VoiceSession::open`] and
/// [`SpeechSession::of`].
pub fn measure_sound(
    runtime: &Arc<Runtime>,
    model: &Model,
    runs: u32,
) -> Result<(f64, ProviderChoice), InferError> {
    let seconds = f64::from(HEARD_SECONDS);
    let heard = (HEARD_SECONDS * VoiceSession::RATE) as usize;
    let times = match model.manifest.task {
        Task::VoiceActivity => {
            let mut session = VoiceSession::open(runtime, model)?;
            let window: [f32; VoiceSession::WINDOW] =
                std::array::from_fn(|n| (n as f32 * 0.3).sin() * 0.2);
            timed(runs, || {
                for _ in 0..heard / VoiceSession::WINDOW {
                    session.hear(&window)?;
                }
                Ok(())
            })?
        }
        Task::SpeechCleaning => {
            let mut session = SpeechSession::of(runtime, model.weights(), &model.manifest.id)?;
            let step = (session.bins() - 1).max(1);
            let sound: Vec<f32> = (0..session.bins() * 2)
                .map(|n| (n as f32 * 0.3).sin())
                .collect();
            let mut spectrum = sound.clone();
            timed(runs, || {
                for _ in 0..heard / step {
                    spectrum.copy_from_slice(&sound);
                    session.run(&mut spectrum)?;
                }
                Ok(())
            })?
        }
        _ => {
            return Err(InferError::GraphMismatch {
                model: model.manifest.id.clone(),
                reason: "it works on pictures, and does nothing to sound".to_owned(),
            });
        }
    };
    let measured = of_times(times, PlaceSession::provider(), (0, 0));
    Ok((seconds * measured.fps(), measured.provider))
}

/// The times of all runs in microseconds; one more warms up, and is the first.
fn timed(
    runs: u32,
    mut run: impl FnMut() -> Result<(), InferError>,
) -> Result<Vec<u64>, InferError> {
    (0..=runs.max(1))
        .map(|_| {
            let started = Instant::now();
            run()?;
            Ok(u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX))
        })
        .collect()
}

/// From the times of all runs, of which the first does not count.
fn of_times(mut times: Vec<u64>, provider: ProviderChoice, size: (u32, u32)) -> Throughput {
    let mut timed = times.split_off(1);
    timed.sort_unstable();
    Throughput {
        provider,
        input: size,
        output: size,
        runs: timed.len() as u32,
        median_micros: timed[timed.len() / 2],
        best_micros: timed[0],
    }
}
