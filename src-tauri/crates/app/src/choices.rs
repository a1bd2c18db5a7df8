//! Where a job's models compute: measured on this machine, remembered, and settled per job.
//!
//! The choice is made in the worker, for a broken driver ends the process that touches it, and
//! noted in the job's plan before the first frame: a resumed job goes on as it began.
//!
//! | device | comes with | numbers | tried |
//! |---|---|---|---|
//! | `cpu` | ONNX Runtime | f32 | yes; the reference for all others |
//! | `openvino` | plug-in | f32, f16, bf16 | on a processor; not on Intel's cards and accelerators |
//! | `webgpu` | plug-in | f32 | refused where there is no card; never on one |
//! | `cuda` | ONNX Runtime for CUDA | f32, tf32 | refused without a card; on one never with this choice |
//! | `tensorrt` | ONNX Runtime for CUDA | f32, f16 | refused without a card; never on one |
//! | `directml`, `coreml` | ONNX Runtime of that system | f32; Core ML f16 | compiled, never run |
//!
//! A plug-in is a library in the folder `plugins` beside ONNX Runtime. `exact` asks for 80 dB from
//! the reference on a real picture, which 32-bit floats in any order reach; `balanced` for 55,
//! `fast` for 45. Of the providers on the processor itself only the reference is taken for `exact`
//! by `auto`: no other is faster in 32-bit floats.

use crate::models::unfit;
use crate::{App, explain, folder, now_millis};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{Arithmetic, Device, Job, Precision, ProviderChoice};
use frameloom_core::media::{Caution, Warning};
use frameloom_core::model::{ModelManifest, Task};
use frameloom_core::said;
use frameloom_engine::execute::Threads;
use frameloom_engine::plan::MediumPlan;
use frameloom_engine::{Cancel, EngineError, Models, Plan};
use frameloom_infer::{CPU_PROVIDER, InferError, Runtime, Specimen, Watch, Wish, choose};
pub use frameloom_infer::{Decision, Trial};
use frameloom_store::JobRow;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use sysinfo::System;

/// A photograph of many edges, colours and flat parts, released by Kodak for unrestricted use
/// (picture 23 of its set, a part of it).
const SPECIMEN: &[u8] = include_bytes!("../../../../assets/specimen.jpg");

/// Name of the setting that holds what was measured.
const NAME: &str = "providers";
/// So many decisions are remembered; the oldest go first.
const REMEMBERED: usize = 200;
/// In a job's folder while a device is tried: which. Still there at the next start, it ended the
/// process.
const TRYING_FILE: &str = "trying";

/// Threads of the encoder in a deterministic job, whatever the machine has: what an encoder makes
/// may depend on their number.
pub(crate) const DETERMINISTIC_ENCODER_THREADS: usize = 4;

/// A remembered decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// Id of the model.
    pub model: String,
    /// The device that was asked for.
    pub device: Device,
    /// What precision was asked for.
    pub precision: Precision,
    /// What was chosen and from what.
    pub decision: Decision,
    /// When, in milliseconds since 1970.
    pub at_millis: i64,
}

/// The picture that speed and precision are measured on.
pub(crate) fn specimen() -> Result<Specimen, AppError> {
    let picture = frameloom_still::read_bytes(SPECIMEN, &frameloom_still::Limits::default())
        .map_err(|e| explain::still(&e))?;
    let (width, height) = (picture.width as usize, picture.height as usize);
    let frameloom_still::Samples::U8(samples) = picture.samples else {
        return Err(AppError::new(
            ErrorCode::Internal,
            said!(
                "program.specimen",
                "The picture that is measured with is damaged."
            ),
        )
        .hint("Install Frameloom again."));
    };
    let plane = |channel: usize| {
        samples
            .iter()
            .skip(channel)
            .step_by(3)
            .map(|&v| f32::from(v) / 255.0)
            .collect()
    };
    Ok(Specimen {
        width,
        height,
        rgb: [plane(0), plane(1), plane(2)],
    })
}

impl App {
    /// Settles what a job leaves open and must not change from run to run: where each model
    /// computes, and the encoder's threads. Says whether anything was settled.
    pub(crate) fn settle(
        &self,
        row: &JobRow,
        plan: &mut Plan,
        models: &dyn Models,
        threads: Threads,
        cancel: &Cancel,
    ) -> Result<(), AppError> {
        let job = &row.job;
        let mut settled = false;
        if let MediumPlan::Video(video) = &mut plan.medium
            && video.encoder_threads.is_none()
        {
            video.encoder_threads = Some(if job.spec.compute.deterministic {
                DETERMINISTIC_ENCODER_THREADS
            } else {
                threads.encode
            });
            settled = true;
        }
        // What is done without a driver needs no choice.
        let careful = Caution::of(&job.warnings) >= Caution::Processor;
        for used in &mut plan.models {
            if used.choice.is_some() || careful {
                continue;
            }
            // Its weights are read, and held against their hash, when it is measured or opened.
            let decision = self.decide(job, &used.id, models, (threads, cancel))?;
            if let Some(reason) = &decision.precision_unused {
                self.warn(
                    job,
                    Warning::PrecisionUnused {
                        allowed: job.spec.compute.precision,
                        reason: reason.clone(),
                        said: decision.unused_said.clone(),
                    },
                )?;
            }
            used.choice = Some(decision.choice);
            settled = true;
        }
        if settled {
            let json = serde_json::to_string(plan).map_err(explain::internal)?;
            let folder = self.job_folder(&job.id);
            folder::write_job(&folder, job, &json, row.lane)
                .map_err(|e| explain::data_folder(&folder, &e))?;
            self.store
                .set_plan(&job.id, &json)
                .map_err(explain::store)?;
        }
        Ok(())
    }

    /// Adds a warning to a job that has no worker, or from its worker.
    fn warn(&self, job: &Job, warning: Warning) -> Result<(), AppError> {
        let mut warnings = self.job(&job.id)?.warnings;
        if !warnings.contains(&warning) {
            warnings.push(warning);
            self.store
                .set_warnings(&job.id, &warnings)
                .map_err(explain::store)?;
        }
        Ok(())
    }

    fn decide(
        &self,
        job: &Job,
        id: &str,
        models: &dyn Models,
        (threads, cancel): (Threads, &Cancel),
    ) -> Result<Decision, AppError> {
        let trying = self.job_folder(&job.id).join(TRYING_FILE);
        let avoid = std::fs::read_to_string(&trying)
            .ok()
            .and_then(|name| serde_json::from_str::<Device>(&name).ok())
            .filter(|device| *device != Device::Cpu)
            .map(|device| {
                let reason = said!(
                    "device.ended_process",
                    "the process ended while it was tried, as a faulty driver makes it"
                );
                (device, reason)
            });
        let wish = Wish {
            device: job.spec.device.clone(),
            precision: job.spec.compute.precision,
            deterministic: job.spec.compute.deterministic,
            threads: threads.infer,
            lanes: threads.lanes,
            avoid: avoid.into_iter().collect(),
        };
        let watch = Watch {
            about_to_try: &|device| {
                let name = serde_json::to_string(device).unwrap_or_default();
                if let Err(error) = std::fs::write(&trying, name) {
                    tracing::warn!(%error, "what is tried cannot be noted");
                }
            },
            running: &|handle| cancel.watch(handle),
        };
        let decision = self.remembered_or_measured(id, models, &wish, &watch);
        // This process lives.
        let _ = std::fs::remove_file(&trying);
        decision
    }

    /// The decision for a wish: the remembered one, or a new one, which is remembered.
    fn remembered_or_measured(
        &self,
        id: &str,
        models: &dyn Models,
        wish: &Wish,
        watch: &Watch<'_>,
    ) -> Result<Decision, AppError> {
        if wish.device == Device::Cpu && wish.precision == Precision::Exact {
            return Ok(on_processor());
        }
        let manifest = models.manifest(id).map_err(|e| explain::engine(&e))?;
        // In this process nothing else changes that a decision depends on.
        let here = format!("{} {} {wish:?}", manifest.sha256, manifest.tile.preferred);
        let decided = || {
            self.decisions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if wish.avoid.is_empty()
            && let Some(decision) = decided().get(&here)
        {
            return Ok(decision.clone());
        }
        let runtime = self.runtime()?;
        let key = key(&runtime, &manifest, wish);
        let known = self.remembered().remove(&key);
        if let Some(known) = known
            && wish.avoid.is_empty()
        {
            decided().insert(here, known.decision.clone());
            return Ok(known.decision);
        }
        let model = models.load(id).map_err(|e| explain::engine(&e))?;
        let decision = choose(&runtime, &model, &specimen()?, wish, watch)
            .map_err(|e| explain::engine(&EngineError::from(e)))?;
        // Where there was nothing to choose from, that is worth remembering too: finding it out
        // may take the loading of a plug-in.
        if !decision.trials.is_empty() || wish.device == Device::Auto {
            self.remember(
                key,
                Remembered {
                    model: manifest.id,
                    device: wish.device.clone(),
                    precision: wish.precision,
                    decision: decision.clone(),
                    at_millis: now_millis(),
                },
            )?;
        }
        decided().insert(here, decision.clone());
        Ok(decision)
    }

    pub(crate) fn runtime(&self) -> Result<Arc<Runtime>, AppError> {
        Runtime::load(&self.places.onnxruntime()?).map_err(|e| explain::infer(&e))
    }

    /// What was measured on this data folder, by key.
    fn remembered(&self) -> BTreeMap<String, Remembered> {
        let stored = match self.store.setting(NAME) {
            Ok(stored) => stored,
            Err(error) => {
                tracing::warn!(%error, "what was measured cannot be read; it is measured again");
                return BTreeMap::new();
            }
        };
        // Of another version: measured again.
        stored
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default()
    }

    fn remember(&self, key: String, new: Remembered) -> Result<(), AppError> {
        let mut all = self.remembered();
        all.insert(key, new);
        while all.len() > REMEMBERED {
            let oldest = all
                .iter()
                .min_by_key(|(_, known)| known.at_millis)
                .map(|(key, _)| key.clone());
            all.remove(&oldest.unwrap_or_default());
        }
        let json = serde_json::to_string(&all).map_err(explain::internal)?;
        self.store.set_setting(NAME, &json).map_err(explain::store)
    }

    /// The decisions that this machine remembers, the newest first.
    pub fn remembered_choices(&self) -> Vec<Remembered> {
        let mut all: Vec<Remembered> = self.remembered().into_values().collect();
        all.sort_by_key(|known| std::cmp::Reverse(known.at_millis));
        all
    }

    /// True if a model can compute elsewhere than on the processor.
    ///
    /// # Errors
    /// There is no such model.
    pub fn may_choose(&self, id: &str) -> Result<bool, AppError> {
        let manifest = self.models.ready(id).map_err(|e| explain::engine(&e))?;
        Ok(has_choice(manifest.task))
    }

    /// Measures a model on this machine with every provider and in all numbers, on a real picture.
    /// The decision of each precision for `auto` is remembered.
    ///
    /// # Errors
    /// There is no such model, or ONNX Runtime cannot be used.
    pub fn measure_model(&self, id: &str) -> Result<Vec<Remembered>, AppError> {
        let model = self.models.load(id).map_err(|e| explain::engine(&e))?;
        if !has_choice(model.manifest.task) {
            return Err(unfit(said!(
                "model.no_choice",
                "The model `{model}` always computes on the processor; there is nothing to choose.",
                model = id
            )));
        }
        let runtime = self.runtime()?;
        let threads = Threads::for_cores(cores());
        Precision::ALL
            .into_iter()
            .map(|precision| {
                let wish = Wish {
                    device: Device::Auto,
                    precision,
                    deterministic: false,
                    threads: threads.infer,
                    lanes: threads.lanes,
                    avoid: Vec::new(),
                };
                let decision = choose(&runtime, &model, &specimen()?, &wish, &Watch::NOBODY)
                    .map_err(|e| explain::infer(&e))?;
                let measured = Remembered {
                    model: id.to_owned(),
                    device: Device::Auto,
                    precision,
                    decision,
                    at_millis: now_millis(),
                };
                if !measured.decision.trials.is_empty() {
                    self.remember(key(&runtime, &model.manifest, &wish), measured.clone())?;
                }
                Ok(measured)
            })
            .collect()
    }
}

/// What finds places or works on sound is so little work at a time that it stays on the processor.
fn has_choice(task: Task) -> bool {
    !task.finds() && !task.is_of_sound()
}

/// Cores that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The processor's own kernels, as nothing else was asked for.
fn on_processor() -> Decision {
    Decision {
        choice: ProviderChoice {
            provider: CPU_PROVIDER.to_owned(),
            fallback_reason: None,
            fallback_said: None,
            said: None,
            device: Device::Cpu,
            arithmetic: Arithmetic::F32,
            on_processor: true,
            reason: None,
        },
        trials: Vec::new(),
        precision_unused: None,
        unused_said: None,
    }
}

/// Everything that a measurement depends on, as far as this program can know it.
fn key(runtime: &Runtime, manifest: &ModelManifest, wish: &Wish) -> String {
    let processor = System::new().ok().and_then(|mut system| {
        system.refresh_cpu_all();
        system.cpus().first().map(|cpu| cpu.brand().to_owned())
    });
    let text = format!(
        "{} {} {} {} {} {} {} {} {}",
        env!("CARGO_PKG_VERSION"),
        manifest.sha256,
        manifest.tile.preferred,
        runtime.fingerprint(),
        processor.unwrap_or_default(),
        wish.device.as_str(),
        wish.precision.as_str(),
        wish.threads,
        wish.lanes,
    ) + if wish.deterministic { " same" } else { "" };
    let digest = Sha256::digest(text.as_bytes());
    digest[..12].iter().map(|b| format!("{b:02x}")).collect()
}

/// Refuses at once what cannot be had, so that nobody waits for it in a queue.
pub(crate) fn check(device: &Device, deterministic: bool) -> Result<(), AppError> {
    if deterministic && !matches!(device, Device::Auto | Device::Cpu) {
        let error = InferError::DeviceUnavailable {
            device: device.as_str().to_owned(),
            reason: said!(
                "device.other_bits",
                "it does not promise the same bits in every run"
            ),
        };
        return Err(explain::infer(&error)
            .hint("Leave --deterministic out, or compute on the processor with `--device cpu`."));
    }
    Ok(())
}
