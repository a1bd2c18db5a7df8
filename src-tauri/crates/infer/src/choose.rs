//! Which provider computes a model fastest on this machine, near enough to the exact result.
//!
//! Nothing is believed of a provider: each candidate computes a tile of a real picture, its answer
//! is held against that of the processor's own kernels in 32-bit floats, and the time of some
//! calls is taken with as many sessions at once as a job would use.

use crate::between::BetweenSession;
use crate::error::InferError;
use crate::matte::MatteSession;
use crate::model::Model;
use crate::provider::Runtime;
use crate::session::{CancelHandle, InferenceSession, SessionOptions, all_of, psnr, too_far};
use crate::setting::{Setting, devices, provider_name, shorter_numbers};
use crate::upscale::Upscaler;
use crate::voice::NO_PICTURES;
use crate::whole::WholeSession;
use frameloom_core::job::{Arithmetic, Device, Precision, ProviderChoice};
use frameloom_core::model::{Task, TensorColor};
use frameloom_core::pixel::{PlaneMut, PlaneRef};
use frameloom_core::said;
use frameloom_core::said::{Said, SaidValue};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Weights of R, G and B in luma: BT.601, as in the benchmarks of super-resolution.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];
/// Longest side of the picture that is measured. Larger tiles gain nothing more anywhere.
const LONGEST_SIDE: usize = 672;
/// A provider must be so much faster than the processor's own kernels to be taken instead: below
/// that, the same measurement may end either way on another day.
const WORTH_IT: f64 = 1.1;
/// Time for the calls of one candidate, after one that does not count.
const MEASURED: Duration = Duration::from_millis(400);
/// Most calls in one round.
const MOST_CALLS: u32 = 8;
/// Rounds; the fastest counts, for other programs only ever slow one down.
const ROUNDS: u32 = 2;
/// Stands for "not one bit differs", which JSON could not hold as infinity.
const SAME_DB: f64 = 200.0;

/// A real picture to measure with: red, green and blue from 0 to 1.
#[derive(Debug, Clone)]
pub struct Specimen {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Planes of width x height.
    pub rgb: [Vec<f32>; 3],
}

impl Specimen {
    /// Its mirror images side by side, cut to `width` x `height` pixels.
    pub(crate) fn region(&self, width: usize, height: usize) -> [Vec<f32>; 3] {
        let mirrored = |at: usize, length: usize| match at % (2 * length) {
            at if at < length => at,
            at => 2 * length - 1 - at,
        };
        [0, 1, 2].map(|channel| {
            let plane = &self.rgb[channel];
            let mut region = Vec::with_capacity(width * height);
            for y in 0..height {
                let row = &plane[mirrored(y, self.height) * self.width..][..self.width];
                region.extend((0..width).map(|x| row[mirrored(x, self.width)]));
            }
            region
        })
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// A device by name, which is used or refused, or [`Device::Auto`].
    pub device: Device,
    /// How near the result must be.
    pub precision: Precision,
    /// The same bits in every run.
    pub deterministic: bool,
    /// Threads for all calls together.
    pub threads: usize,
    /// Calls at once on the processor, which share the threads.
    pub lanes: usize,
    /// Devices that are not to be tried, and why.
    pub avoid: Vec<(Device, Said)>,
}

/// One candidate and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Device.
    pub device: Device,
    /// Numbers.
    pub arithmetic: Arithmetic,
    /// Name that ONNX Runtime gives the provider.
    pub provider: String,
    /// Peak signal-to-noise ratio against the processor's own kernels in 32-bit floats; 200 where
    /// not one bit differs.
    pub psnr_db: Option<f64>,
    /// Time of one call, of several at once where a job would make several.
    pub call_micros: Option<f64>,
    /// Why it cannot be used.
    pub refused: Option<String>,
    /// The same for the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
}

/// What was chosen, and from what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The choice with its reason.
    pub choice: ProviderChoice,
    /// Every candidate; empty where there was nothing to choose from.
    pub trials: Vec<Trial>,
    /// Less precision was allowed and is not used: why, in a sentence.
    pub precision_unused: Option<String>,
    /// The same for the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_said: Option<Said>,
}

impl Decision {
    /// How many times as fast as the processor's own kernels, where both were measured.
    pub fn speed_ratio(&self, trial: &Trial) -> Option<f64> {
        let base = self.trials.iter().find(|t| t.device == Device::Cpu)?;
        Some(base.call_micros? / trial.call_micros?)
    }
}

/// What a caller hears while candidates are tried.
pub struct Watch<'a> {
    /// A candidate is about to be touched; a broken driver may end the process.
    pub about_to_try: &'a dyn Fn(&Device),
    /// A session is about to run; this stops it.
    pub running: &'a dyn Fn(CancelHandle),
}

impl Watch<'_> {
    /// For who does not care.
    pub const NOBODY: Watch<'static> = Watch {
        about_to_try: &|_| {},
        running: &|_| {},
    };
}

/// Chooses where `model` is computed and in which numbers.
///
/// # Errors
/// [`InferError::DeviceUnavailable`] for a device asked for by name that cannot be had, or whose
/// answer is too far from the processor's; the model's own errors; [`InferError::Cancelled`].
pub fn choose(
    runtime: &Arc<Runtime>,
    model: &Model,
    specimen: &Specimen,
    wish: &Wish,
    watch: &Watch<'_>,
) -> Result<Decision, InferError> {
    let named = wish.device != Device::Auto;
    if wish.deterministic && named && wish.device != Device::Cpu {
        return Err(not_deterministic(&wish.device));
    }
    let (settings, mut trials) = candidates(runtime, wish)?;
    if let [only] = &settings[..]
        && only.device == Device::Cpu
    {
        return Ok(decide(wish, trials, runtime));
    }
    let bench = Bench::new(runtime, model, specimen, wish);
    (watch.about_to_try)(&Device::Cpu);
    let (reference, base) = bench.run(&Setting::CPU, None, watch)?;
    trials.push(base);
    for setting in settings.iter().filter(|s| **s != Setting::CPU) {
        (watch.about_to_try)(&setting.device);
        let trial = match bench.run(setting, Some(&reference), watch) {
            Ok((_, trial)) => trial,
            Err(InferError::Cancelled) => return Err(InferError::Cancelled),
            Err(e) => refused(setting, cause(&e)),
        };
        tracing::info!(?trial, "a provider was tried");
        trials.push(trial);
    }
    if named && wish.device != Device::Cpu {
        let own = || trials.iter().filter(|t| t.device == wish.device);
        if own().all(|t| t.refused.is_some()) {
            let reasons = Said::several(own().filter_map(Trial::why));
            return Err(InferError::DeviceUnavailable {
                device: provider_name(&wish.device).to_owned(),
                reason: reasons.unwrap_or_else(|| String::new().into()),
            });
        }
    }
    Ok(decide(wish, trials, runtime))
}

/// The refusal of a device that cannot promise the same bits in every run.
pub(crate) fn not_deterministic(device: &Device) -> InferError {
    InferError::DeviceUnavailable {
        device: provider_name(device).to_owned(),
        reason: said!(
            "device.not_deterministic",
            "it does not promise the same bits in every run; deterministic results need the processor's own kernels"
        ),
    }
}

/// What is worth a trial, and what is known to be out without one.
fn candidates(runtime: &Runtime, wish: &Wish) -> Result<(Vec<Setting>, Vec<Trial>), InferError> {
    if wish.device != Device::Auto {
        runtime.check_contains(&wish.device)?;
    }
    let mut settings = Vec::new();
    let mut out = Vec::new();
    for device in devices() {
        let asked = wish.device == *device;
        let may = match wish.device {
            Device::Auto => *device == Device::Cpu || !wish.deterministic,
            _ => asked,
        };
        if !may || runtime.presence(device).is_err() {
            continue;
        }
        if let Some((_, reason)) = wish.avoid.iter().find(|(d, _)| d == device) {
            let setting = Setting {
                device: device.clone(),
                arithmetic: Arithmetic::F32,
            };
            out.push(refused(&setting, reason.clone()));
            continue;
        }
        // In 32-bit floats no other provider gains anything on the processor, and its results are
        // not the reference's.
        let exact = asked || *device == Device::Cpu || !runtime.is_processor(device);
        let shorter = match wish.precision {
            Precision::Exact => &[][..],
            Precision::Balanced | Precision::Fast => shorter_numbers(device),
        };
        let numbers = exact.then_some(Arithmetic::F32).into_iter();
        settings.extend(
            numbers
                .chain(shorter.iter().copied())
                .map(|arithmetic| Setting {
                    device: device.clone(),
                    arithmetic,
                }),
        );
    }
    Ok((settings, out))
}

fn refused(setting: &Setting, reason: Said) -> Trial {
    Trial {
        device: setting.device.clone(),
        arithmetic: setting.arithmetic,
        provider: provider_name(&setting.device).to_owned(),
        psnr_db: None,
        call_micros: None,
        refused: Some(reason.text.clone()),
        said: reason.known(),
    }
}

impl Trial {
    /// Why it cannot be used.
    fn why(&self) -> Option<Said> {
        self.said
            .clone()
            .or_else(|| self.refused.clone().map(Said::from))
    }
}

/// A refusal without the name of the provider, which stands beside it.
fn cause(error: &InferError) -> Said {
    match error {
        InferError::DeviceUnavailable { reason, .. } => reason.clone(),
        other => all_of(other),
    }
}

/// Time of a call of the processor's own kernels.
fn base_micros(trials: &[Trial]) -> Option<f64> {
    let base = trials.iter().find(|t| t.device == Device::Cpu)?;
    base.call_micros
}

/// The candidate that is used instead of the processor's own kernels, if any is.
fn best<'t>(asked: &Device, trials: &'t [Trial]) -> Option<&'t Trial> {
    let usable = || {
        trials
            .iter()
            .filter(|t| t.refused.is_none() && t.device != Device::Cpu)
            .filter_map(|t| Some((t, t.call_micros?)))
    };
    let fastest = usable().map(|(_, micros)| micros).reduce(f64::min)?;
    let may_be_cpu = matches!(asked, Device::Auto | Device::Cpu);
    let distance = |t: &Trial| t.psnr_db.unwrap_or(0.0);
    // Of those that are about as fast as the fastest, the one that is nearest to the exact result.
    usable()
        .filter(|(_, micros)| micros / fastest < WORTH_IT)
        .max_by(|a, b| distance(a.0).total_cmp(&distance(b.0)))
        .filter(|(_, micros)| {
            !may_be_cpu || base_micros(trials).is_some_and(|base| base / micros >= WORTH_IT)
        })
        .map(|(trial, _)| trial)
}

/// Picks from what was measured.
fn decide(wish: &Wish, trials: Vec<Trial>, runtime: &Runtime) -> Decision {
    let base_micros = base_micros(&trials);
    let best = best(&wish.device, &trials);
    let told = |t: &Trial| match (t.why(), base_micros, t.call_micros) {
        (Some(reason), _, _) => said!(
            "provider.refused",
            "{provider} ({numbers}): {reason}",
            provider = t.provider.as_str(),
            numbers = t.arithmetic.as_str(),
            reason = reason
        ),
        (None, Some(base), Some(micros)) => said!(
            "provider.speed",
            "{provider} ({numbers}) is {times} times as fast as the processor's own kernels, {db} dB from their result",
            provider = t.provider.as_str(),
            numbers = t.arithmetic.as_str(),
            times = SaidValue::decimal(base / micros, 2),
            db = SaidValue::decimal(t.psnr_db.unwrap_or(SAME_DB), 1)
        ),
        _ => said!(
            "provider.plain",
            "{provider} ({numbers})",
            provider = t.provider.as_str(),
            numbers = t.arithmetic.as_str()
        ),
    };
    let others = || Said::several(trials.iter().filter(|t| t.device != Device::Cpu).map(told));
    let measured = |said: Said| said!("provider.measured", "measured: {result}", result = said);
    let choice = match best {
        Some(trial) => ProviderChoice {
            provider: trial.provider.clone(),
            fallback_reason: None,
            device: trial.device.clone(),
            arithmetic: trial.arithmetic,
            on_processor: runtime.is_processor(&trial.device),
            reason: None,
            fallback_said: None,
            said: None,
        }
        .because(Some(measured(told(trial)))),
        None => ProviderChoice {
            provider: provider_name(&Device::Cpu).to_owned(),
            fallback_reason: None,
            device: Device::Cpu,
            arithmetic: Arithmetic::F32,
            on_processor: true,
            reason: None,
            fallback_said: None,
            said: None,
        }
        // Speed is a reason, not a fallback; what could not be used is one.
        .instead_of(Said::several(
            trials
                .iter()
                .filter(|t| t.device != Device::Cpu && t.refused.is_some())
                .map(told),
        ))
        .because(others().map(measured)),
    };
    let unused = wish.precision != Precision::Exact && choice.arithmetic == Arithmetic::F32;
    let precision_unused = unused.then(|| {
        others().unwrap_or_else(|| {
            said!(
                "provider.no_shorter_numbers",
                "no provider of this machine computes in shorter numbers"
            )
        })
    });
    Decision {
        choice,
        trials,
        precision_unused: precision_unused.as_ref().map(Said::to_string),
        unused_said: precision_unused.and_then(Said::known),
    }
}

/// Luma of red, green and blue.
pub(crate) fn luma([r, g, b]: &[Vec<f32>; 3]) -> Vec<f32> {
    let pixels = r.iter().zip(g).zip(b);
    pixels
        .map(|((r, g), b)| LUMA[0] * r + LUMA[1] * g + LUMA[2] * b)
        .collect()
}

/// A picture, and what it takes to let candidates work on it.
struct Bench<'a> {
    runtime: &'a Arc<Runtime>,
    model: &'a Model,
    wish: &'a Wish,
    size: (usize, usize),
    planes: Vec<Vec<f32>>,
}

impl<'a> Bench<'a> {
    fn new(
        runtime: &'a Arc<Runtime>,
        model: &'a Model,
        specimen: &Specimen,
        wish: &'a Wish,
    ) -> Self {
        let tile = &model.manifest.tile;
        let size = match tile.only_size() {
            Some((width, height)) => (width as usize, height as usize),
            None => {
                let side = (tile.preferred as usize).clamp(16, LONGEST_SIDE);
                let multiple = (tile.multiple as usize).max(1);
                // A matting model is given one picture that it takes as it is.
                let side = match model.manifest.task {
                    Task::Upscale | Task::VoiceActivity | Task::SpeechCleaning => side,
                    Task::Matte
                    | Task::Faces
                    | Task::Text
                    | Task::Light
                    | Task::Style
                    | Task::Depth
                    | Task::Between => side.next_multiple_of(multiple),
                };
                (side, side)
            }
        };
        let rgb = specimen.region(size.0, size.1);
        let planes = match model.manifest.input.color {
            TensorColor::Rgb | TensorColor::Bgr => rgb.to_vec(),
            TensorColor::Luma => vec![luma(&rgb)],
        };
        Self {
            runtime,
            model,
            wish,
            size,
            planes,
        }
    }

    /// Lets a candidate work; gives its answer and how it did.
    fn run(
        &self,
        setting: &Setting,
        reference: Option<&Vec<Vec<f32>>>,
        watch: &Watch<'_>,
    ) -> Result<(Vec<Vec<f32>>, Trial), InferError> {
        let on_processor = self.runtime.is_processor(&setting.device);
        let lanes = if on_processor {
            self.wish.lanes.max(1)
        } else {
            1
        };
        let options = SessionOptions {
            device: setting.device.clone(),
            arithmetic: setting.arithmetic,
            least_db: self.wish.precision.least_db(),
            deterministic: self.wish.deterministic,
            threads: self.wish.threads.div_ceil(lanes),
            // The answer to a real picture is compared below.
            check_against_cpu: false,
        };
        let mut workers = (0..lanes)
            .map(|_| {
                let (session, _) = InferenceSession::open(self.runtime, self.model, &options)?;
                Worker::new(session)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut answer = Vec::new();
        let mut first = Duration::ZERO;
        for worker in &mut workers {
            (watch.running)(worker.cancel_handle());
            let started = Instant::now();
            answer = self.call(worker)?;
            first = started.elapsed();
        }
        let mut trial = Trial {
            device: setting.device.clone(),
            arithmetic: setting.arithmetic,
            provider: provider_name(&setting.device).to_owned(),
            psnr_db: None,
            call_micros: None,
            refused: None,
            said: None,
        };
        if let Some(reference) = reference {
            let (all, found) = (reference.concat(), answer.concat());
            let db = psnr(&all, &found, self.full_scale(&all)).min(SAME_DB);
            trial.psnr_db = Some(db);
            let least_db = self.wish.precision.least_db();
            if db < least_db {
                let why = too_far(db, least_db);
                trial.refused = Some(why.text.clone());
                trial.said = why.known();
                return Ok((answer, trial));
            }
        } else {
            trial.psnr_db = Some(SAME_DB);
        }
        let calls = (MEASURED.as_secs_f64() / first.as_secs_f64().max(1e-6)) as u32;
        let calls = calls.clamp(1, MOST_CALLS);
        let mut best = f64::INFINITY;
        for _ in 0..ROUNDS {
            let started = Instant::now();
            std::thread::scope(|scope| {
                let running: Vec<_> = workers
                    .iter_mut()
                    .map(|worker| {
                        scope
                            .spawn(move || (0..calls).try_for_each(|_| self.call(worker).map(drop)))
                    })
                    .collect();
                running.into_iter().try_for_each(|thread| {
                    thread.join().unwrap_or_else(|_| {
                        Err(InferError::Picture("a measuring thread broke".to_owned()))
                    })
                })
            })?;
            let micros = started.elapsed().as_secs_f64() * 1e6;
            best = best.min(micros / (f64::from(calls) * lanes as f64));
        }
        trial.call_micros = Some(best);
        Ok((answer, trial))
    }

    /// What full scale is in an answer. Distances have no unit: it is how far they lie apart.
    fn full_scale(&self, answer: &[f32]) -> f64 {
        if self.model.manifest.depth.is_none() {
            return 1.0;
        }
        let (low, high) = answer
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| {
                (low.min(v), high.max(v))
            });
        f64::from((high - low).max(f32::MIN_POSITIVE))
    }

    /// One call: the picture through the model.
    fn call(&self, worker: &mut Worker) -> Result<Vec<Vec<f32>>, InferError> {
        let (width, height) = self.size;
        let upscaler = match worker {
            Worker::Pictures(upscaler) => upscaler,
            Worker::Matte(session) => {
                let mut matte = Vec::new();
                if let [r, g, b] = &self.planes[..] {
                    session.run([r, g, b], self.size, &mut matte)?;
                }
                return Ok(vec![matte]);
            }
            Worker::Between(session) => {
                let mut planes = <[Vec<f32>; 3]>::default();
                if let [r, g, b] = &self.planes[..] {
                    session.run([[r, g, b]; 2], self.size, 0.5, &mut planes)?;
                }
                return Ok(planes.to_vec());
            }
            Worker::Whole(session) => {
                let mut planes = Vec::new();
                if let [r, g, b] = &self.planes[..] {
                    session.run([r, g, b], self.size, &mut planes)?;
                }
                return Ok(planes);
            }
        };
        let scale = upscaler.scale() as usize;
        let mut out = vec![vec![0.0; width * height * scale * scale]; self.planes.len()];
        let source = |data| PlaneRef {
            data,
            stride: width,
            width,
            height,
        };
        let target = |data| PlaneMut {
            data,
            stride: width * scale,
            width: width * scale,
            height: height * scale,
        };
        match (&self.planes[..], &mut out[..]) {
            ([luma], [to]) => upscaler.upscale_luma_f32(source(luma), target(to))?,
            ([r, g, b], [to_r, to_g, to_b]) => upscaler.upscale_rgb_f32(
                [source(r), source(g), source(b)],
                [target(to_r), target(to_g), target(to_b)],
            )?,
            _ => {}
        }
        Ok(out)
    }
}

/// What is measured: a session in the shape that the jobs of its model use.
enum Worker {
    Pictures(Box<Upscaler>),
    Matte(Box<MatteSession>),
    Whole(Box<WholeSession>),
    Between(Box<BetweenSession>),
}

impl Worker {
    fn new(session: InferenceSession) -> Result<Self, InferError> {
        let manifest = session.manifest().clone();
        Ok(match manifest.task {
            Task::Upscale => Worker::Pictures(Box::new(Upscaler::new(session, &manifest)?)),
            Task::Matte => Worker::Matte(Box::new(MatteSession::new(session)?)),
            Task::Light | Task::Style | Task::Depth => {
                Worker::Whole(Box::new(WholeSession::new(session)?))
            }
            Task::Between => Worker::Between(Box::new(BetweenSession::new(session)?)),
            Task::Faces | Task::Text => {
                return Err(InferError::GraphMismatch {
                    model: manifest.id,
                    reason: "it always computes on the processor".to_owned(),
                });
            }
            Task::VoiceActivity | Task::SpeechCleaning => {
                return Err(InferError::GraphMismatch {
                    model: manifest.id,
                    reason: NO_PICTURES.to_owned(),
                });
            }
        })
    }

    fn cancel_handle(&self) -> CancelHandle {
        match self {
            Worker::Pictures(upscaler) => upscaler.cancel_handle(),
            Worker::Matte(session) => session.cancel_handle(),
            Worker::Whole(session) => session.cancel_handle(),
            Worker::Between(session) => session.cancel_handle(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(device: Device, arithmetic: Arithmetic, db: f64, micros: f64) -> Trial {
        Trial {
            provider: provider_name(&device).to_owned(),
            device,
            arithmetic,
            psnr_db: Some(db),
            call_micros: Some(micros),
            refused: None,
            said: None,
        }
    }

    #[test]
    fn speed_decides_and_what_is_about_as_fast_is_decided_by_nearness() {
        let pick = |device: Device, trials: &[Trial]| {
            let trials = trials.to_vec();
            let best = best(&device, &trials);
            best.map(|trial| trial.arithmetic)
        };
        let cpu = trial(Device::Cpu, Arithmetic::F32, SAME_DB, 100.0);
        let near = trial(Device::Openvino, Arithmetic::F16, 70.0, 31.0);
        let far = trial(Device::Openvino, Arithmetic::Bf16, 56.0, 30.0);
        let slow = trial(Device::Openvino, Arithmetic::F16, 70.0, 95.0);
        let out = Trial {
            refused: Some("too far".to_owned()),
            ..far.clone()
        };
        let auto = || Device::Auto;
        let all = [cpu.clone(), near.clone(), far.clone()];
        assert_eq!(pick(auto(), &all), Some(Arithmetic::F16));
        let all = [cpu.clone(), slow.clone(), far.clone()];
        assert_eq!(pick(auto(), &all), Some(Arithmetic::Bf16));
        // Not worth a change, and not allowed.
        assert_eq!(pick(auto(), &[cpu.clone(), slow.clone()]), None);
        assert_eq!(pick(auto(), &[cpu.clone(), out]), None);
        // Asked for by name, it is used however slow.
        assert_eq!(pick(Device::Openvino, &[cpu, slow]), Some(Arithmetic::F16));
    }

    #[test]
    fn a_specimen_is_continued_by_its_mirror_image() {
        let specimen = Specimen {
            width: 3,
            height: 2,
            rgb: [(); 3].map(|()| vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        };
        let [plane, ..] = specimen.region(4, 4);
        assert_eq!(plane[..8], [1.0, 2.0, 3.0, 3.0, 4.0, 5.0, 6.0, 6.0]);
        assert_eq!(plane[8..12], [4.0, 5.0, 6.0, 6.0]);
        assert_eq!(plane[12..], [1.0, 2.0, 3.0, 3.0]);
    }
}
