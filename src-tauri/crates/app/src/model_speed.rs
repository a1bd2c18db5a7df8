//! How fast a model is on this machine and how much memory it takes, measured when it is asked for and
//! remembered.

use crate::child::{self, Answer};
use crate::{App, Places, explain, memory, now_millis};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{Device, ProviderChoice};
use frameloom_core::said;
use frameloom_engine::Models;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use ts_rs::TS;

/// Size of the pictures that a model is measured with.
const SIZE: (u32, u32) = (640, 360);
/// How often, after a first run that does not count.
const RUNS: u32 = 5;
/// By then the slowest machine has measured the largest model.
const TIME_LIMIT: Duration = Duration::from_secs(180);
/// Name of the setting.
const NAME: &str = "model_speeds";

/// How fast a model is on this machine, and how much memory it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ModelSpeed {
    /// Pictures per second; of a model of sound, seconds of sound per second.
    pub fps: f64,
    /// Width and height of these pictures, before they are enlarged; `None` for a model of sound.
    pub size: Option<(u32, u32)>,
    /// The most memory of this computer that it took, in bytes. `None` where it computes on a card, of
    /// whose memory ONNX Runtime tells nothing, and where the system does not tell.
    #[serde(default)]
    #[ts(type = "number | null")]
    pub memory_bytes: Option<u64>,
    /// Where it was computed, as ONNX Runtime names it.
    pub provider: String,
    /// When, in milliseconds since 1970.
    #[ts(type = "number")]
    pub at_millis: i64,
}

impl ModelSpeed {
    /// As it was just measured; `before` is what this process had taken at the most before that.
    fn new(
        fps: f64,
        size: Option<(u32, u32)>,
        provider: &ProviderChoice,
        before: Option<u64>,
    ) -> Self {
        let taken = || Some(memory::most_used()?.saturating_sub(before?));
        Self {
            fps,
            size,
            provider: provider.provider.clone(),
            memory_bytes: provider.on_processor.then(taken).flatten(),
            at_millis: now_millis(),
        }
    }
}

/// A measurement holds for these weights only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stored {
    sha256: String,
    speed: ModelSpeed,
}

/// The child: measures and prints what it found.
pub(crate) fn measure_here(data: PathBuf, id: &str) -> ExitCode {
    let app = Places::discover(Some(data)).and_then(App::open);
    child::answer(&app.and_then(|app| app.measure_speed(id)))
}

impl App {
    /// Measures a model where jobs with it compute on this machine, in a process of its own: a
    /// driver that crashes does not take the window along. What was found is remembered. Takes
    /// seconds.
    ///
    /// # Errors
    /// There is no such model, or it does not compute here.
    pub fn measure_speed_apart(&self, id: &str) -> Result<ModelSpeed, AppError> {
        let manifest = self.models.ready(id).map_err(|e| explain::engine(&e))?;
        let arguments = [
            OsStr::new("--data-dir"),
            self.places.data.as_os_str(),
            OsStr::new("--speed"),
            OsStr::new(id),
        ];
        let speed = match self.ask_child::<Result<ModelSpeed, AppError>>(&arguments, TIME_LIMIT)? {
            Answer::Said(said) => said?,
            Answer::Ended(status) => return Err(unanswered(status.to_string())),
            Answer::TooSlow => {
                return Err(unanswered(format!(
                    "not done after {} s",
                    TIME_LIMIT.as_secs()
                )));
            }
        };
        let mut all = self.stored_speeds();
        all.insert(
            id.to_owned(),
            Stored {
                sha256: manifest.sha256,
                speed: speed.clone(),
            },
        );
        let json = serde_json::to_string(&all).map_err(explain::internal)?;
        self.store
            .set_setting(NAME, &json)
            .map_err(explain::store)?;
        Ok(speed)
    }

    fn measure_speed(&self, id: &str) -> Result<ModelSpeed, AppError> {
        // This process does nothing else: what it takes from here on is for the model.
        let before = memory::most_used();
        let model = self.models.load(id).map_err(|e| explain::engine(&e))?;
        let runtime = self.runtime()?;
        if model.manifest.task.is_of_sound() {
            let (times, provider) = frameloom_infer::measure_sound(&runtime, &model, RUNS)
                .map_err(|e| explain::infer(&e))?;
            return Ok(ModelSpeed::new(times, None, &provider, before));
        }
        // Where jobs went last; the processor where no choice was ever made.
        let device = self
            .remembered_choices()
            .into_iter()
            .find(|known| known.model == id && known.device == Device::Auto)
            .map_or(Device::Cpu, |known| known.decision.choice.device);
        let (width, height) = SIZE;
        let measured = frameloom_infer::measure(&runtime, &model, device, width, height, RUNS)
            .map_err(|e| explain::infer(&e))?;
        let (fps, size) = (measured.fps(), Some(measured.input));
        Ok(ModelSpeed::new(fps, size, &measured.provider, before))
    }

    /// What was measured of the models as they are now, by their ids.
    pub fn model_speeds(&self) -> BTreeMap<String, ModelSpeed> {
        self.stored_speeds()
            .into_iter()
            .filter(|(id, stored)| self.holds(id, stored))
            .map(|(id, stored)| (id, stored.speed))
            .collect()
    }

    /// As [`App::model_speeds`], of one model.
    pub(crate) fn model_speed(&self, id: &str) -> Option<ModelSpeed> {
        let stored = self.stored_speeds().remove(id)?;
        self.holds(id, &stored).then_some(stored.speed)
    }

    fn holds(&self, id: &str, stored: &Stored) -> bool {
        let manifest = self.models.ready(id);
        manifest.is_ok_and(|manifest| manifest.sha256 == stored.sha256)
    }

    fn stored_speeds(&self) -> BTreeMap<String, Stored> {
        let stored = self
            .store
            .setting(NAME)
            .inspect_err(|error| tracing::warn!(%error, "what was measured cannot be read"))
            .ok()
            .flatten();
        // Of another version: measured again.
        stored
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default()
    }
}

fn unanswered(how: String) -> AppError {
    AppError::new(
        ErrorCode::Internal,
        said!(
            "process.measuring",
            "The process that measures the model did not answer."
        ),
    )
    .hint("Bring the driver of the graphics card up to date, and try again.")
    .details(how)
}
