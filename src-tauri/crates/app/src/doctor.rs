//! What this machine has and can do.

use crate::child::{self, Answer};
use crate::choices::Remembered;
use crate::models::MODEL_FOR_CLEAN;
use crate::{App, Places, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::Device;
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_engine::Models;
use frameloom_infer::{DeviceKind, Runtime};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use sysinfo::System;
use ts_rs::TS;

/// What this machine has and can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Report {
    /// Version of this program.
    pub version: String,
    /// Operating system with its version.
    pub system: String,
    /// Processor architecture.
    pub architecture: String,
    /// Name of the processor.
    pub processor: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Memory of the machine.
    #[ts(type = "number")]
    pub memory_bytes: u64,
    /// Memory that is free for use.
    #[ts(type = "number")]
    pub available_memory_bytes: u64,
    /// ONNX Runtime, or why it cannot be used.
    pub runtime: Result<RuntimeReport, String>,
    /// Why it cannot be used, for the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub runtime_said: Option<Said>,
    /// What was measured on this data folder to choose where models compute, the newest first.
    #[ts(skip)]
    pub choices: Vec<Remembered>,
    /// Libraries of ffmpeg.
    pub ffmpeg: Vec<LibraryReport>,
    /// Video encoders, each tried by opening it.
    pub encoders: Vec<EncoderReport>,
    /// Folder with database, jobs and models.
    #[ts(type = "string")]
    pub data_folder: PathBuf,
    /// Free space of its disk; `None` where it cannot be read.
    #[ts(type = "number | null")]
    pub free_bytes: Option<u64>,
}

/// ONNX Runtime.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct RuntimeReport {
    /// Its version.
    pub version: String,
    /// The library.
    #[ts(type = "string")]
    pub library: PathBuf,
    /// Processors and cards that it sees.
    pub devices: Vec<DeviceReport>,
    /// Execution providers.
    pub providers: Vec<ProviderReport>,
}

/// A processor or card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DeviceReport {
    /// `processor`, `graphics card`, `neural accelerator` or `other`.
    pub kind: String,
    /// Its maker, as the system names it; empty where it does not.
    pub vendor: String,
    /// Execution provider that drives it.
    pub provider: String,
}

/// An execution provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ProviderReport {
    /// Its name.
    pub name: String,
    /// Frames per second of the bundled model from 640x360 to twice the size, or why it cannot be
    /// used.
    pub speed: Result<f64, String>,
    /// Why it cannot be used, for the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub said: Option<Said>,
}

/// A library of ffmpeg.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct LibraryReport {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Licence that it was built under.
    pub licence: String,
}

/// A video encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct EncoderReport {
    /// Its name.
    pub name: String,
    /// Why it cannot be used; `None` if it can.
    pub problem: Option<String>,
}

/// Size of the frames that a provider is measured with.
const MEASURED_SIZE: (u32, u32) = (640, 360);
/// How often, after a first run that does not count.
const MEASURED_RUNS: u32 = 5;

/// By then the slowest machine has measured every provider.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// The child: looks at the machine and prints what it found.
pub(crate) fn look_here(data: PathBuf) -> ExitCode {
    let app = Places::discover(Some(data)).and_then(App::open_in_worker);
    match app {
        Ok(app) => child::answer(&app.doctor()),
        Err(_) => ExitCode::FAILURE,
    }
}

/// An error with its whole sentence in English.
fn whole(error: AppError) -> Said {
    Said {
        text: error.message.clone(),
        ..error.as_said()
    }
}

impl App {
    /// As [`App::doctor`], in a process of its own: a driver that crashes does not take the window
    /// along.
    ///
    /// # Errors
    /// That process did not answer.
    pub fn doctor_apart(&self) -> Result<Report, AppError> {
        let arguments = [OsStr::new("--machine"), self.places.data.as_os_str()];
        let how = match self.ask_child(&arguments, TIME_LIMIT)? {
            Answer::Said(report) => return Ok(report),
            Answer::Ended(status) => status.to_string(),
            Answer::TooSlow => format!("not done after {} s", TIME_LIMIT.as_secs()),
        };
        Err(AppError::new(
            ErrorCode::Internal,
            said!(
                "process.doctor",
                "The process that looks at this machine did not answer."
            ),
        )
        .hint("Bring the driver of the graphics card up to date, and try again.")
        .details(how))
    }

    /// Looks at the machine. Takes a few seconds: encoders and providers are tried, not listed.
    pub fn doctor(&self) -> Report {
        // What the system does not tell stays empty or zero; a report must not fail for it.
        let (mut processor, mut memory_bytes, mut available_memory_bytes) = (String::new(), 0, 0);
        if let Ok(mut system) = System::new() {
            system.refresh_memory();
            system.refresh_cpu_all();
            memory_bytes = system.total_memory();
            available_memory_bytes = system.available_memory();
            if let Some(cpu) = system.cpus().first() {
                processor = cpu.brand().trim().to_owned();
            }
        }
        let runtime = self.runtime_report();
        Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            system: System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_owned()),
            architecture: System::cpu_arch(),
            processor,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes,
            available_memory_bytes,
            runtime_said: runtime.as_ref().err().and_then(|why| why.clone().known()),
            runtime: runtime.map_err(|why| why.text),
            choices: self.remembered_choices(),
            ffmpeg: frameloom_media::libraries()
                .into_iter()
                .map(|library| LibraryReport {
                    name: library.name.to_owned(),
                    version: library.version,
                    licence: library.licence,
                })
                .collect(),
            encoders: frameloom_media::usable_encoders()
                .into_iter()
                .map(|encoder| EncoderReport {
                    name: encoder.name.to_owned(),
                    problem: encoder.refused,
                })
                .collect(),
            free_bytes: crate::disk::free_bytes(&self.places.data),
            data_folder: self.places.data.clone(),
        }
    }

    fn runtime_report(&self) -> Result<RuntimeReport, Said> {
        let library = self.places.onnxruntime().map_err(whole)?;
        let runtime = Runtime::load(&library).map_err(|e| whole(explain::infer(&e)))?;
        let devices = runtime
            .devices()
            .into_iter()
            .map(|device| DeviceReport {
                kind: match device.kind {
                    DeviceKind::Cpu => "processor",
                    DeviceKind::Gpu => "graphics card",
                    DeviceKind::Npu => "neural accelerator",
                    DeviceKind::Other => "other",
                }
                .to_owned(),
                vendor: device.vendor,
                provider: device.provider,
            })
            .collect();
        let providers = runtime
            .providers()
            .into_iter()
            .map(|provider| {
                let speed = match &provider.usable {
                    Ok(()) => self.measure(&runtime, &provider.device),
                    Err(reason) => Err(reason.clone()),
                };
                ProviderReport {
                    said: speed.as_ref().err().and_then(|why| why.clone().known()),
                    speed: speed.map_err(|why| why.text),
                    name: provider.name.to_string(),
                }
            })
            .collect();
        Ok(RuntimeReport {
            version: runtime.version(),
            library,
            devices,
            providers,
        })
    }

    fn measure(&self, runtime: &Arc<Runtime>, device: &Device) -> Result<f64, Said> {
        let model = self
            .models
            .load(MODEL_FOR_CLEAN)
            .map_err(|e| whole(explain::engine(&e)))?;
        let (width, height) = MEASURED_SIZE;
        frameloom_infer::measure(
            runtime,
            &model,
            device.clone(),
            width,
            height,
            MEASURED_RUNS,
        )
        .map(|throughput| throughput.fps())
        .map_err(|e| whole(explain::infer(&e)))
    }
}
