//! Jobs: what was asked for, how far it is, what happened.

use crate::error::AppError;
use crate::graph::Graph;
use crate::media::Warning;
use crate::said::Said;
use crate::sequence::PictureRun;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use ts_rs::TS;

/// Version of [`JobSpec`] that this program writes.
pub const JOB_SPEC_VERSION: u32 = 1;

/// Name of a job: short, sortable by time, safe to copy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct JobId(pub String);

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything needed to do the job, now or after a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct JobSpec {
    /// [`JOB_SPEC_VERSION`]; a higher one is refused.
    pub version: u32,
    /// Absolute path of the source; of the main one where the graph has several; a pattern
    /// (`shot_%05d.png`) where `pictures` is there.
    #[ts(type = "string")]
    pub input: PathBuf,
    /// Which of the numbered pictures are the source; `None` for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub pictures: Option<PictureRun>,
    /// Absolute paths of the other inputs, by the names that the graph gives them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[ts(as = "Option<BTreeMap<String, String>>", optional)]
    pub inputs: BTreeMap<String, PathBuf>,
    /// Which numbered pictures those of the other inputs are whose path is a pattern.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[ts(as = "Option<BTreeMap<String, PictureRun>>", optional)]
    pub input_pictures: BTreeMap<String, PictureRun>,
    /// Absolute path of the result, chosen when the job was submitted.
    #[ts(type = "string")]
    pub output: PathBuf,
    /// May an existing file at `output` be replaced?
    pub overwrite: bool,
    /// What to do.
    pub graph: Graph,
    /// How to encode.
    pub encode: EncodeSpec,
    /// Where to compute.
    pub device: Device,
    /// How to compute.
    #[serde(default)]
    pub compute: ComputeSpec,
    /// Places and turns in the graph mean the picture as players show it, not as it is coded.
    #[serde(default)]
    pub upright: bool,
    /// A few seconds to judge the settings by: the result is the program's own, and goes with the
    /// job.
    #[serde(default)]
    pub sample: bool,
}

impl JobSpec {
    /// Absolute path of the input that the graph calls `name`. Names without a file of their own
    /// mean the main one.
    pub fn path_of(&self, name: &str) -> &Path {
        self.inputs.get(name).unwrap_or(&self.input)
    }

    /// Which numbered pictures the input that the graph calls `name` is; `None` for a file.
    pub fn pictures_of(&self, name: &str) -> Option<PictureRun> {
        if self.inputs.contains_key(name) {
            self.input_pictures.get(name).copied()
        } else {
            self.pictures
        }
    }
}

/// Codec and quality of a result. For stills only `quality` counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EncodeSpec {
    /// `None`: the best that this machine has for the container.
    pub codec: Option<VideoCodec>,
    /// Quality in a word.
    pub quality: Quality,
    /// What of the source is left out. Nothing else is: a container that cannot hold the rest is
    /// refused.
    #[serde(default)]
    #[ts(type = "Array<string>")]
    pub drop: Vec<TrackChoice>,
    /// Colours of a still picture with a profile become those of sRGB, which every program shows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[ts(optional = nullable, type = "boolean")]
    pub srgb: bool,
}

impl Default for EncodeSpec {
    fn default() -> Self {
        Self {
            codec: None,
            quality: Quality::Good,
            drop: Vec::new(),
            srgb: false,
        }
    }
}

/// Something of a source that can be left out. Written as its index or its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TrackChoice {
    /// The stream with this index in the source.
    Stream(u32),
    /// Pictures beside the ones that are processed.
    Video,
    /// All sound.
    Audio,
    /// All subtitles.
    Subtitles,
    /// Files in the file (fonts).
    Attachments,
    /// Pictures that stand for the file.
    Covers,
    /// Timed metadata.
    Data,
    /// The turn or flip that a player applies.
    Rotation,
    /// What is told of the file, its tracks and chapters: places, dates, names, devices, and files in
    /// it that are no fonts. Languages of tracks stay, and what says how colours are meant.
    Metadata,
}

impl TrackChoice {
    /// Every choice but that of a single stream, with its name.
    pub const KINDS: [(TrackChoice, &'static str); 8] = [
        (TrackChoice::Video, "video"),
        (TrackChoice::Audio, "audio"),
        (TrackChoice::Subtitles, "subtitles"),
        (TrackChoice::Attachments, "attachments"),
        (TrackChoice::Covers, "covers"),
        (TrackChoice::Data, "data"),
        (TrackChoice::Rotation, "rotation"),
        (TrackChoice::Metadata, "metadata"),
    ];
}

impl fmt::Display for TrackChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let TrackChoice::Stream(index) = self {
            return index.fmt(f);
        }
        let name = Self::KINDS.iter().find(|(kind, _)| kind == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

impl FromStr for TrackChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(index) = text.parse() {
            return Ok(TrackChoice::Stream(index));
        }
        let found = Self::KINDS.iter().find(|(_, name)| *name == text);
        found.map(|(kind, _)| *kind).ok_or_else(|| {
            let names: Vec<&str> = Self::KINDS.iter().map(|(_, name)| *name).collect();
            format!(
                "`{text}` is neither the index of a stream nor one of {}",
                names.join(", ")
            )
        })
    }
}

impl TryFrom<String> for TrackChoice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TrackChoice> for String {
    fn from(choice: TrackChoice) -> Self {
        choice.to_string()
    }
}

/// Codecs that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum VideoCodec {
    /// H.264 / AVC.
    H264,
    /// H.265 / HEVC.
    Hevc,
    /// AV1.
    Av1,
    /// VP9.
    Vp9,
    /// FFV1, lossless.
    Ffv1,
    /// Apple ProRes.
    Prores,
    /// Avid DNxHR.
    Dnxhr,
}

/// Quality named for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Quick, to look at.
    Draft,
    /// Visually without loss for nearly everybody.
    #[default]
    Good,
    /// To keep; large.
    Archive,
    /// Every bit of the processed picture.
    Lossless,
}

/// Where to compute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// The fastest that works.
    #[default]
    Auto,
    /// The processor, with ONNX Runtime's own kernels.
    Cpu,
    /// An NVIDIA card.
    Cuda,
    /// Direct3D 12 on Windows.
    Directml,
    /// Apple's Core ML.
    Coreml,
    /// An NVIDIA card, through TensorRT.
    Tensorrt,
    /// Intel's processors, graphics and neural accelerators, through OpenVINO.
    Openvino,
    /// Any graphics card, through WebGPU.
    Webgpu,
}

impl Device {
    /// The name in lower case, as people type it and jobs store it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Device::Auto => "auto",
            Device::Cpu => "cpu",
            Device::Cuda => "cuda",
            Device::Directml => "directml",
            Device::Coreml => "coreml",
            Device::Tensorrt => "tensorrt",
            Device::Openvino => "openvino",
            Device::Webgpu => "webgpu",
        }
    }
}

/// How exactly, how repeatably and with how much of the machine a job computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct ComputeSpec {
    /// How near the result must be to the exact one.
    pub precision: Precision,
    /// The same bytes in every run, whatever the number of threads. Only the processor can.
    pub deterministic: bool,
    /// About how many cores the whole job may keep busy; all where `None`.
    pub threads: Option<u32>,
    /// How it shares the processor with other programs.
    pub priority: Priority,
}

/// How near a result must be to the exact one. What is allowed is used only where it was measured
/// to be faster.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, TS,
)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    Exact,
    /// Differences that no eye sees, below half a step of 8 bit on average: at least 55 dB.
    Balanced,
    /// Differences that are hard to see: at least 45 dB.
    Fast,
}

impl Precision {
    /// All of them, the most exact first.
    pub const ALL: [Precision; 3] = [Precision::Exact, Precision::Balanced, Precision::Fast];

    /// Least peak signal-to-noise ratio, in dB, of what a provider gives against the processor's
    /// 32-bit floats on a tile of a picture. Another order of additions alone costs less than the
    /// first of them allows; TF32 and 16-bit floats fall below it.
    pub fn least_db(self) -> f64 {
        match self {
            Precision::Exact => 80.0,
            Precision::Balanced => 55.0,
            Precision::Fast => 45.0,
        }
    }

    /// The name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Precision::Exact => "exact",
            Precision::Balanced => "balanced",
            Precision::Fast => "fast",
        }
    }
}

/// The numbers that a provider computes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Arithmetic {
    /// 32-bit floats.
    #[default]
    F32,
    /// Products of floats with 10 bits of fraction, summed in 32 bits.
    Tf32,
    /// 16-bit floats with 10 bits of fraction.
    F16,
    /// 16-bit floats with 7 bits of fraction.
    Bf16,
}

impl Arithmetic {
    /// The name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Arithmetic::F32 => "f32",
            Arithmetic::Tf32 => "tf32",
            Arithmetic::F16 => "f16",
            Arithmetic::Bf16 => "bf16",
        }
    }
}

/// How a job shares the processor with other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// As any program.
    #[default]
    Normal,
    /// Behind all others: the machine stays usable.
    Low,
}

/// State of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for its turn.
    Queued,
    /// A worker has it.
    Running,
    /// Stopped by the user between two segments; goes on when told.
    Paused,
    /// Its worker is gone (crash, kill, power cut, full disk); can be resumed.
    Interrupted,
    /// The result is there and was checked.
    Succeeded,
    /// Cannot be done; the error says why.
    Failed,
    /// The user does not want it.
    Cancelled,
}

impl JobState {
    /// No further change is possible but removal or a retry.
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            JobState::Succeeded | JobState::Failed | JobState::Cancelled
        )
    }

    /// A worker may be busy with it.
    pub fn is_active(self) -> bool {
        matches!(self, JobState::Queued | JobState::Running)
    }

    /// `resume` makes sense.
    pub fn is_resumable(self) -> bool {
        matches!(
            self,
            JobState::Paused | JobState::Interrupted | JobState::Failed
        )
    }

    /// The name in lower case, as the database and the command line have it.
    pub fn as_str(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Running => "running",
            JobState::Paused => "paused",
            JobState::Interrupted => "interrupted",
            JobState::Succeeded => "succeeded",
            JobState::Failed => "failed",
            JobState::Cancelled => "cancelled",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [
            JobState::Queued,
            JobState::Running,
            JobState::Paused,
            JobState::Interrupted,
            JobState::Succeeded,
            JobState::Failed,
            JobState::Cancelled,
        ]
        .into_iter()
        .find(|state| state.as_str() == name)
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, TS)]
pub struct JobProgress {
    /// Frames (pictures' tiles for stills, seconds for sound alone) done, earlier runs included.
    #[ts(type = "number")]
    pub done: u64,
    /// Of how many; `None` while unknown.
    #[ts(type = "number | null")]
    pub total: Option<u64>,
    /// Frames per second of the last seconds, or seconds of sound; 0 before it is known.
    pub fps: f64,
    /// Time spent, earlier runs included.
    #[ts(type = "number")]
    pub elapsed_micros: u64,
    /// Estimate of the time left; `None` before it is honest.
    #[ts(type = "number | null")]
    pub remaining_micros: Option<u64>,
    /// What is being done.
    pub step: Step,
}

impl JobProgress {
    /// Share done, 0 to 1; 0 while the total is unknown.
    pub fn fraction(&self) -> f64 {
        match self.total {
            Some(total) if total > 0 => (self.done as f64 / total as f64).clamp(0.0, 1.0),
            _ => 0.0,
        }
    }
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Reading the source, loading the model.
    #[default]
    Preparing,
    /// Frames are moving.
    Processing,
    /// Parts are put together, sound and subtitles are added.
    Joining,
    /// The result is being checked.
    Verifying,
}

/// A job as the window and the command line show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Job {
    /// Name.
    pub id: JobId,
    /// What was asked for.
    pub spec: JobSpec,
    /// State.
    pub state: JobState,
    /// How far it is.
    pub progress: JobProgress,
    /// Why it failed or was interrupted.
    pub error: Option<AppError>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
    /// Provider that computes, and why not a better one, once known.
    pub provider: Option<ProviderChoice>,
    /// Size of the source's picture and of the result's, once known.
    pub sizes: Option<PictureSizes>,
    /// Milliseconds since 1970 when it was submitted.
    #[ts(type = "number")]
    pub created_millis: i64,
    /// Milliseconds since 1970 when it reached a terminal state.
    #[ts(type = "number | null")]
    pub finished_millis: Option<i64>,
}

/// Source and result in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PictureSizes {
    /// Width and height of the source.
    pub input: (u32, u32),
    /// Width and height of the result.
    pub output: (u32, u32),
}

/// The provider that was taken, and why a better one was not. A fallback is never silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProviderChoice {
    /// Name that ONNX Runtime gives it, e.g. `CPUExecutionProvider`.
    pub provider: String,
    /// Why the wanted one was not used.
    pub fallback_reason: Option<String>,
    /// The device behind it; `auto` in the records of older versions, which did not keep it.
    #[serde(default)]
    pub device: Device,
    /// The numbers that it computes in.
    #[serde(default)]
    pub arithmetic: Arithmetic,
    /// It uses the cores of the processor, as the rest of the program does.
    #[serde(default)]
    pub on_processor: bool,
    /// Why this one, e.g. its measured speed.
    #[serde(default)]
    pub reason: Option<String>,
    /// `fallback_reason` for the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub fallback_said: Option<Said>,
    /// `reason` for the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub said: Option<Said>,
}

impl ProviderChoice {
    /// With why it was taken.
    #[must_use]
    pub fn because(mut self, reason: Option<Said>) -> Self {
        self.reason = reason.as_ref().map(Said::to_string);
        self.said = reason.and_then(Said::known);
        self
    }

    /// With why the wanted one was not.
    #[must_use]
    pub fn instead_of(mut self, reason: Option<Said>) -> Self {
        self.fallback_reason = reason.as_ref().map(Said::to_string);
        self.fallback_said = reason.and_then(Said::known);
        self
    }
}

/// What a running job tells. At most ten progress events a second, every terminal one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum JobEvent {
    /// It appeared or changed in any way other than progress; the whole row.
    Changed {
        /// The job.
        job: Box<Job>,
    },
    /// It moved on.
    Progress {
        /// Which.
        id: JobId,
        /// How far.
        progress: JobProgress,
    },
    /// It was removed from the list.
    Removed {
        /// Which.
        id: JobId,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_of_older_versions_compute_exactly_and_with_all_cores() {
        assert_eq!(
            serde_json::from_str::<ComputeSpec>("{}").unwrap(),
            ComputeSpec::default()
        );
        let choice: ProviderChoice =
            serde_json::from_str(r#"{"provider":"CPUExecutionProvider","fallback_reason":null}"#)
                .unwrap();
        assert_eq!(
            (choice.device, choice.arithmetic),
            (Device::Auto, Arithmetic::F32)
        );
        for device in [Device::Tensorrt, Device::Openvino, Device::Webgpu] {
            let json = serde_json::to_value(&device).unwrap();
            assert_eq!(json, serde_json::Value::from(device.as_str()));
        }
    }

    #[test]
    fn what_is_left_out_is_written_as_people_type_it_and_old_jobs_leave_nothing_out() {
        for text in ["3", "subtitles", "rotation"] {
            let choice: TrackChoice = text.parse().unwrap();
            let json = serde_json::to_string(&choice).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<TrackChoice>(&json).unwrap(), choice);
        }
        assert!("sound".parse::<TrackChoice>().is_err());
        assert!("-1".parse::<TrackChoice>().is_err());
        let old = r#"{"codec":null,"quality":"good"}"#;
        assert_eq!(
            serde_json::from_str::<EncodeSpec>(old).unwrap(),
            EncodeSpec::default()
        );
    }

    #[test]
    fn every_state_has_a_name_that_leads_back_to_it() {
        for state in [
            JobState::Queued,
            JobState::Running,
            JobState::Paused,
            JobState::Interrupted,
            JobState::Succeeded,
            JobState::Failed,
            JobState::Cancelled,
        ] {
            assert_eq!(JobState::parse(state.as_str()), Some(state));
            assert_eq!(
                serde_json::to_value(state).unwrap(),
                serde_json::Value::from(state.as_str())
            );
            assert!(!(state.is_terminal() && state.is_active()));
        }
    }

    #[test]
    fn a_share_is_never_above_one_or_a_number_that_json_cannot_hold() {
        let mut p = JobProgress {
            done: 12,
            total: Some(10),
            ..Default::default()
        };
        assert_eq!(p.fraction(), 1.0);
        p.total = Some(0);
        assert_eq!(p.fraction(), 0.0);
        p.total = None;
        assert_eq!(p.fraction(), 0.0);
    }
}
