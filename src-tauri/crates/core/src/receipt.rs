//! The receipt of a finished job: what went in, what was done with it, what came out, and how
//! that was checked. With it, anybody can find out later whether a file is still that result.

use crate::graph::Graph;
use crate::job::{Device, EncodeSpec, JobId, PictureSizes, Precision, ProviderChoice};
use crate::media::Warning;
use crate::model::Licence;
use crate::sequence::PictureNumbers;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Version of [`Receipt`] that this program writes.
pub const RECEIPT_VERSION: u32 = 1;

/// A file as it was, or numbered pictures. Its name is told without its folder: a receipt may be given away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FilePrint {
    /// Name without its folder.
    pub name: String,
    /// Size.
    #[ts(type = "number")]
    pub size_bytes: u64,
    /// SHA-256 of all bytes, hexadecimal. Of numbered pictures that of the list which `sha256sum`
    /// prints for them, in the order of their numbers.
    pub sha256: String,
    /// Which pictures of the pattern `name`; `None` for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub pictures: Option<PictureNumbers>,
}

/// A model that took part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ModelPrint {
    /// Its id.
    pub id: String,
    /// SHA-256 of its weights, hexadecimal.
    pub sha256: String,
    /// Under which licence it was used; `None` in receipts of older programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub licence: Option<Licence>,
}

/// Version of [`PlanPrint`] that this program writes and can hold a file against.
pub const PLAN_PRINT_VERSION: u32 = 1;

/// In which segments a clip was made, so that whoever finds its result changed can be told where.
/// The other parts of the plan are beside it in the receipt: graph, encoder, models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PlanPrint {
    /// [`PLAN_PRINT_VERSION`].
    pub version: u32,
    /// Frames of the source in each segment; the last of a clip may have fewer.
    #[ts(type = "number")]
    pub source_frames: u64,
    /// The segments in the order in which they are shown.
    pub segments: Vec<SegmentPrint>,
}

/// A segment of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SegmentPrint {
    /// Which of the clips that are shown one after another it was made of; 0 for the first.
    #[serde(default, skip_serializing_if = "is_first")]
    #[ts(optional, as = "Option<u32>")]
    pub clip: u32,
    /// Its first frame, counted in the result from 0.
    #[ts(type = "number")]
    pub first: u64,
    /// Frames in it.
    #[ts(type = "number")]
    pub frames: u64,
    /// When its first frame is shown, in microseconds; `None` where frames have no times, as
    /// numbered pictures, and where there is no frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub start_micros: Option<i64>,
    /// SHA-256 over the SHA-256 of each of its coded frames (binary, in the order in which they are
    /// shown) as they are in the result; of numbered pictures over those of their files. `None`
    /// where frames cannot be told apart without decoding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub sha256: Option<String>,
}

fn is_first(clip: &u32) -> bool {
    *clip == 0
}

/// What computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProgramPrint {
    /// Version of this program.
    pub version: String,
    /// Operating system and processor (`linux-x86_64`).
    pub system: String,
    /// Version of ONNX Runtime, where a model took part.
    pub onnxruntime: Option<String>,
    /// Versions of ffmpeg's libraries, by name.
    pub ffmpeg: Vec<(String, String)>,
}

/// What the comparison of results with their sources found, frame by frame and in small, over a
/// segment or a whole run. Differences are parts of full scale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct PictureCheck {
    /// Frames that were compared with their source.
    #[ts(type = "number")]
    pub compared: u64,
    /// Frames that were only looked at for blankness, as the graph changes pictures on purpose.
    #[ts(type = "number")]
    pub looked_at: u64,
    /// Largest shift of the mean of a plane in any frame.
    pub worst_shift: f32,
    /// Largest mean absolute difference of the cells of a plane in any frame.
    pub worst_difference: f32,
    /// Largest displacement of the picture over a segment, in pixels of the source or of a result
    /// that is smaller.
    pub worst_displacement_pixels: f32,
    /// Largest step, over a segment, at the lines where tiles meet, beyond what lies beside them
    /// and what the source has there.
    pub worst_seam: f32,
}

impl PictureCheck {
    /// The check of two pieces of one run.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        Self {
            compared: self.compared + other.compared,
            looked_at: self.looked_at + other.looked_at,
            worst_shift: self.worst_shift.max(other.worst_shift),
            worst_difference: self.worst_difference.max(other.worst_difference),
            worst_displacement_pixels: self
                .worst_displacement_pixels
                .max(other.worst_displacement_pixels),
            worst_seam: self.worst_seam.max(other.worst_seam),
        }
    }
}

/// What was checked before the job was called done. Every line of it passed; what does not pass
/// fails the job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct Checks {
    /// Frames in the result, as many as the source gave, each at its time. 1 for a still.
    #[ts(type = "number")]
    pub frames: u64,
    /// Presentation time of the first and of the last frame of the result, in microseconds;
    /// `None` for stills.
    #[ts(type = "[number, number] | null")]
    pub span_micros: Option<(i64, i64)>,
    /// SHA-256 over all presentation times in microseconds (little-endian 64-bit); `None` for
    /// stills.
    pub times_sha256: Option<String>,
    /// Streams in the result; 0 for stills.
    pub streams: u32,
    /// Pictures against their sources; `None` where an older version made the receipt, or they were
    /// copied.
    pub pictures: Option<PictureCheck>,
    /// Coded pictures that were copied and found in the result byte by byte, each at its time; `None`
    /// where pictures were encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(type = "number", optional)]
    pub copied: Option<u64>,
    /// Tracks of sound that were worked on, in the order of the result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<SoundCheck>>", optional)]
    pub sound: Vec<SoundCheck>,
}

/// What was checked of a track of sound that was worked on. Every line of it passed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SoundCheck {
    /// Its place among the tracks of sound of the result, from 0.
    pub track: u32,
    /// Codec that it is encoded in.
    pub codec: String,
    /// Samples per second.
    pub sample_rate: u32,
    /// Samples of each channel, as many as there should be.
    #[ts(type = "number")]
    pub samples: u64,
    /// Largest shift against the source that was found, in microseconds; `None` where the source
    /// has nothing by which that could be told, such as silence.
    #[ts(type = "number | null")]
    pub offset_micros: Option<i64>,
    /// Present where a loudness was asked for.
    pub loudness: Option<LoudnessCheck>,
}

/// Loudness by EBU R128, measured again in the finished track.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct LoudnessCheck {
    /// What was asked for, in LUFS.
    pub target: f64,
    /// Highest true peak that was asked for, in dBTP.
    pub peak: f64,
    /// Integrated loudness before, in LUFS; `None` for silence and for less than 0.4 seconds,
    /// which have none and stay as they are.
    pub before: Option<f64>,
    /// Integrated loudness of the result, in LUFS.
    pub found: Option<f64>,
    /// True peak of the result, in dBTP.
    pub found_peak: Option<f64>,
    /// Peaks were held down; without it, the same gain was given to everything.
    pub limited: bool,
}

/// What went in, what was done, what came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Receipt {
    /// [`RECEIPT_VERSION`].
    pub version: u32,
    /// The job.
    pub job: JobId,
    /// When it was finished, in milliseconds since 1970.
    #[ts(type = "number")]
    pub finished_millis: i64,
    /// What computed.
    pub program: ProgramPrint,
    /// The source; the main one of several.
    pub input: FilePrint,
    /// Every other file that took part: further sources, lookup tables, subtitles.
    #[serde(default)]
    pub others: Vec<FilePrint>,
    /// The result.
    pub output: FilePrint,
    /// Models with the hashes of their weights.
    pub models: Vec<ModelPrint>,
    /// What was done.
    pub graph: Graph,
    /// In which segments; `None` for stills, and where an older version made the receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub plan: Option<PlanPrint>,
    /// How it was encoded.
    pub encode: EncodeSpec,
    /// Encoder and its parameters as they were given to it; `None` for stills.
    pub encoder: Option<(String, Vec<(String, String)>)>,
    /// The device that was asked for.
    pub device: Device,
    /// How exactly it was to be computed.
    #[serde(default)]
    pub precision: Precision,
    /// It was to be the same in every run.
    #[serde(default)]
    pub deterministic: bool,
    /// What computed; `None` without a model.
    pub provider: Option<ProviderChoice>,
    /// Source and result in pixels; `None` for sound alone.
    pub sizes: Option<PictureSizes>,
    /// What the user was told, steps to more caution included.
    pub warnings: Vec<Warning>,
    /// What was checked.
    pub checks: Checks,
    /// The most memory that its worker used, in bytes, that of a graphics card not
    /// counted; `None` where the system does not tell, for one of many jobs of a worker,
    /// and where an older version made the receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "number")]
    pub memory_bytes: Option<u64>,
}
