//! From what was asked for to what will be done, before anything is done.
//!
//! A plan is data: it is stored with the job, shown to the user, and made only once, so that a
//! resumed run does exactly what the first one began.

use crate::EngineError;
use crate::nodes::{Models, Pace, PictureFormat, Turn, output_format};
use frameloom_core::graph::{DeinterlaceRate, Op};
use frameloom_core::job::{EncodeSpec, JobSpec, PictureSizes, TrackChoice};
use frameloom_core::media::{MediaInfo, MediaKind, StreamInfo, VideoInfo, Warning};
use frameloom_core::segment::SegmentLength;
use frameloom_core::time::{Rational, Timestamp};
use frameloom_media::{Container, EncoderSpec};
use frameloom_still::StillFormat;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Version of the plan that this program makes and runs.
/// Plans of version 1 know neither a stretch of the clip nor other files, and run as they are.
pub const PLAN_VERSION: u32 = 2;

/// What will be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// The input as it was.
    pub input: InputPrint,
    /// Every model with the hash of its weights.
    pub models: Vec<ModelUse>,
    /// Every other file that takes part, such as a lookup table, as it was.
    #[serde(default)]
    pub files: Vec<(PathBuf, InputPrint)>,
    /// Source and result in pixels.
    pub sizes: PictureSizes,
    /// What only a clip, or only a picture has.
    pub medium: MediumPlan,
    /// What the user should know before it starts.
    pub warnings: Vec<Warning>,
}

/// A model that takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelUse {
    /// Its id.
    pub id: String,
    /// Hash of its weights.
    pub sha256: String,
}

/// Clip or picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediumPlan {
    /// A clip.
    Video(VideoPlan),
    /// A picture that the `still` crate reads.
    Still,
    /// A picture that ffmpeg reads (AVIF).
    StillByFfmpeg,
}

/// How a clip will be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoPlan {
    /// The stream that is processed.
    pub stream: u32,
    /// Frames per segment.
    pub segment_length: SegmentLength,
    /// Frames as the container counts or implies them.
    pub frames_estimate: Option<u64>,
    /// Container of the result, as its file extension.
    pub container: String,
    /// Encoder as ffmpeg names it.
    pub encoder: String,
    /// Its parameters as they are given to ffmpeg.
    pub parameters: Vec<(String, String)>,
    /// The stretch of the clip that is kept; all of it where there is none.
    #[serde(default)]
    pub stretch: Option<Stretch>,
    /// The pictures are turned as players show them, and the note that says so is left out.
    #[serde(default)]
    pub upright: bool,
}

/// A stretch of a clip, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// First time of a frame, in ticks of the stream.
    pub from_ticks: Option<i64>,
    /// First time that is out, in ticks of the stream.
    pub to_ticks: Option<i64>,
    /// The same moments in the time of the file, for everything else in it.
    pub from_micros: i64,
    /// `None` for the end of the file.
    pub to_micros: Option<i64>,
}

/// Enough of the input to notice that it was replaced: its size and a hash of samples spread over
/// the whole file. Hashing all of a film would take longer than probing it a thousand times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputPrint {
    /// Size of the file.
    pub size_bytes: u64,
    /// SHA-256 over the size and up to [`InputPrint::SAMPLES`] blocks, hexadecimal.
    pub samples_sha256: String,
}

impl InputPrint {
    /// Blocks that are read.
    pub const SAMPLES: u64 = 32;
    const BLOCK: u64 = 64 * 1024;

    /// Reads the print of a file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn take(path: &Path) -> Result<Self, EngineError> {
        let read = |path: &Path| -> std::io::Result<Self> {
            let mut file = File::open(path)?;
            let size_bytes = file.metadata()?.len();
            let mut hash = Sha256::new();
            hash.update(size_bytes.to_le_bytes());
            let mut block = vec![0; Self::BLOCK as usize];
            let whole = size_bytes <= Self::SAMPLES * Self::BLOCK;
            for sample in 0..Self::SAMPLES {
                let at = if whole {
                    sample * Self::BLOCK
                } else {
                    // The last block ends at the last byte, where indexes like to live.
                    (size_bytes - Self::BLOCK) / (Self::SAMPLES - 1) * sample
                        + if sample == Self::SAMPLES - 1 {
                            (size_bytes - Self::BLOCK) % (Self::SAMPLES - 1)
                        } else {
                            0
                        }
                };
                if at >= size_bytes {
                    break;
                }
                file.seek(SeekFrom::Start(at))?;
                let mut filled = 0;
                while filled < block.len() {
                    match file.read(&mut block[filled..])? {
                        0 => break,
                        read => filled += read,
                    }
                }
                hash.update(&block[..filled]);
            }
            Ok(Self {
                size_bytes,
                samples_sha256: hex(&hash.finalize()),
            })
        };
        read(path).map_err(EngineError::io("the input cannot be read", path))
    }
}

impl InputPrint {
    /// Checks that the file is still the one that the print was taken of.
    fn check(&self, path: &Path) -> Result<(), EngineError> {
        let now = Self::take(path)?;
        if now == *self {
            return Ok(());
        }
        let what = if now.size_bytes == self.size_bytes {
            "its content differs".to_owned()
        } else {
            format!(
                "it had {} bytes and has {} now",
                self.size_bytes, now.size_bytes
            )
        };
        Err(EngineError::InputChanged {
            what,
            path: path.to_owned(),
        })
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Plans a job. `info` is the probe of `spec.input`.
///
/// # Errors
/// The graph is not one, the input holds nothing that can be processed, the output's format
/// cannot hold the result, or a model is missing.
pub fn plan(spec: &JobSpec, info: &MediaInfo, models: &dyn Models) -> Result<Plan, EngineError> {
    let ops = spec.graph.ordered_ops()?;
    let mut uses: Vec<ModelUse> = Vec::new();
    let mut files: Vec<(PathBuf, InputPrint)> = Vec::new();
    for (node, op) in &ops {
        if let Op::Color(params) = op
            && let Some(lut) = &params.lut
        {
            let path = PathBuf::from(lut);
            let print = InputPrint::take(&path).map_err(|error| EngineError::Node {
                node: (*node).to_owned(),
                reason: error.to_string(),
            })?;
            files.push((path, print));
        }
        if let Some(model) = model_of(op)
            && !uses.iter().any(|u| u.id == *model)
        {
            let manifest = models.manifest(model)?;
            uses.push(ModelUse {
                id: manifest.id,
                sha256: manifest.sha256,
            });
        }
    }
    let (stream, video) = info.main_video().ok_or_else(|| EngineError::NoFrames {
        path: spec.input.clone(),
    })?;
    let mut warnings = info.warnings.clone();
    // The probe guesses for whoever may convert; whether this job does is known below.
    warnings.retain(|warning| !matches!(warning, Warning::GuessedMatrix { .. }));
    let mut input = picture_format(stream, video, info.kind);
    let still = info.kind == MediaKind::Still && frameloom_still::is_still(&spec.input)?;
    if still && video.rotation_degrees.rem_euclid(180) == 90 {
        // It is turned upright when it is read.
        (input.width, input.height) = (input.height, input.width);
    }
    let upright = upright(spec, stream).filter(|_| info.kind != MediaKind::Still);
    let mut format = match upright {
        Some(turn) => turn.format(&input),
        None => input.clone(),
    };
    for (node, op) in &ops {
        format = output_format(node, op, &format, models)?;
    }
    let medium = match info.kind {
        MediaKind::Still => {
            StillFormat::for_output(&spec.output)?;
            // Whether the transparency of these can be read, or is any, shows when they are read.
            let sure = still && info.container != "gif";
            let picture = VideoInfo {
                alpha: video.alpha && sure,
                ..video.clone()
            };
            let size = (format.width, format.height);
            frameloom_still::check_output(&spec.output, &picture, size, spec.encode.quality)?;
            if still {
                MediumPlan::Still
            } else {
                MediumPlan::StillByFfmpeg
            }
        }
        _ => {
            warnings.extend(field_warning(&ops, video));
            if video.dolby_vision {
                warnings.push(Warning::HdrMetadataDropped {
                    what: "Dolby Vision".to_owned(),
                });
            }
            let container = Container::from_path(&spec.output)?;
            let drop = &left_out(spec, stream);
            let mux = frameloom_media::plan_mux(info, container, drop)?.complete(info, drop)?;
            warnings.extend(mux.dropped);
            let encoder_spec = encoder_spec(&spec.encode, container, stream, &format, None, 1);
            let encoder = frameloom_media::plan_encoder(&encoder_spec)?;
            warnings.extend(encoder.warnings(&encoder_spec));
            let stretch = stretch(&ops, stream)?;
            let frames = frames_estimate(info, stream, video);
            MediumPlan::Video(VideoPlan {
                stream: stream.index,
                segment_length: segment_length(video),
                frames_estimate: match stretch {
                    Some(stretch) => frames_in(stretch, frames, stream, video),
                    None => frames,
                },
                container: container.extension().to_owned(),
                encoder: encoder.name,
                parameters: encoder.parameters,
                stretch,
                upright: upright.is_some(),
            })
        }
    };
    let (matrix, guessed) = video.color.matrix_or_guess(video.width, video.height);
    let needs_matrix = ops.iter().any(|(_, op)| match op {
        Op::Color(_) => true,
        op => model_of(op).is_some_and(|model| {
            models
                .manifest(model)
                .is_ok_and(|m| m.input.color != frameloom_core::model::TensorColor::Luma)
        }),
    });
    let crosses = video.color.matrix_or_guess(format.width, format.height).0 != matrix;
    if guessed && info.kind == MediaKind::Video && (needs_matrix || crosses) {
        warnings.push(Warning::GuessedMatrix {
            matrix: format!("{matrix:?}").to_uppercase().replace("BT", "BT."),
        });
    }
    Ok(Plan {
        version: PLAN_VERSION,
        input: InputPrint::take(&spec.input)?,
        models: uses,
        files,
        sizes: PictureSizes {
            input: (input.width, input.height),
            output: (format.width, format.height),
        },
        medium,
        warnings,
    })
}

/// The model that an operation names.
pub(crate) fn model_of(op: &Op) -> Option<&String> {
    match op {
        Op::Upscale { model } => Some(model),
        Op::Denoise(params) => params.model.as_ref(),
        _ => None,
    }
}

/// The turn that brings the pictures upright before anything is done to them: where the job asks
/// for it and an operation depends on what is up and what is left.
pub(crate) fn upright(spec: &JobSpec, stream: &StreamInfo) -> Option<Turn> {
    let video = stream.video.as_ref().filter(|_| spec.upright)?;
    let depends = spec.graph.nodes.iter().any(|node| {
        matches!(
            node.op,
            Op::Crop(_) | Op::Pad(_) | Op::Rotate(_) | Op::Flip(_) | Op::Resize(_)
        )
    });
    let degrees = video.rotation_degrees.rem_euclid(360);
    let turn = Turn {
        mirror: video.mirrored,
        quarters: (degrees / 90) as u8,
    };
    // A turn by another angle stays with the player.
    (depends && degrees % 90 == 0 && !turn.is_none()).then_some(turn)
}

/// What the container need not hold: what the user leaves out, and the turn of pictures that are
/// turned themselves.
pub(crate) fn left_out(spec: &JobSpec, stream: &StreamInfo) -> Vec<TrackChoice> {
    let mut list = spec.encode.drop.clone();
    if upright(spec, stream).is_some() && !list.contains(&TrackChoice::Rotation) {
        list.push(TrackChoice::Rotation);
    }
    list
}

/// What is done about fields.
fn field_warning(ops: &[(&str, &Op)], video: &VideoInfo) -> Option<Warning> {
    let deinterlace = ops.iter().find_map(|(_, op)| match op {
        Op::Deinterlace(params) => Some(params),
        _ => None,
    });
    match deinterlace {
        Some(params) => Some(Warning::Deinterlaced {
            doubles_rate: params.rate == DeinterlaceRate::Field,
        }),
        None => video
            .field_order
            .is_interlaced()
            .then_some(Warning::Interlaced),
    }
}

/// The stretch that a `trim` node keeps.
fn stretch(ops: &[(&str, &Op)], stream: &StreamInfo) -> Result<Option<Stretch>, EngineError> {
    let mut found = None;
    for (place, (node, op)) in ops.iter().enumerate() {
        let Op::Trim(params) = op else { continue };
        // Behind the source: what is cut away is not even read.
        if place != 1 {
            return Err(EngineError::Node {
                node: (*node).to_owned(),
                reason: "put it right after the source; a graph has one trim".to_owned(),
            });
        }
        let base = stream.time_base.ratio();
        let start = stream.start_ticks.unwrap_or(0);
        // The first tick that is not earlier.
        let ticks = |seconds: Rational| {
            let num = i128::from(seconds.num) * i128::from(base.den);
            let den = i128::from(seconds.den) * i128::from(base.num);
            let up = num.div_euclid(den) + i128::from(num.rem_euclid(den) != 0);
            i64::try_from(up).unwrap_or(i64::MAX).saturating_add(start)
        };
        let micros = |seconds: Rational| {
            let whole = i128::from(seconds.num) * 1_000_000 / i128::from(seconds.den);
            Timestamp::new(start, stream.time_base)
                .micros()
                .saturating_add(i64::try_from(whole).unwrap_or(i64::MAX))
        };
        found = Some(Stretch {
            from_ticks: params.start.map(ticks),
            to_ticks: params.end.map(ticks),
            from_micros: micros(params.start.unwrap_or(Rational { num: 0, den: 1 })),
            to_micros: params.end.map(micros),
        });
    }
    Ok(found)
}

/// About how many frames lie in a stretch.
fn frames_in(
    stretch: Stretch,
    all: Option<u64>,
    stream: &StreamInfo,
    video: &VideoInfo,
) -> Option<u64> {
    let rate = video.frame_rate?.ratio().to_f64();
    let seconds = |ticks: i64| ticks as f64 * stream.time_base.ratio().to_f64();
    let start = stream.start_ticks.unwrap_or(0);
    let from = seconds(stretch.from_ticks.unwrap_or(start) - start);
    let length = all.map(|frames| frames as f64 / rate);
    let to = match (stretch.to_ticks, length) {
        (Some(to), Some(length)) => seconds(to - start).min(length),
        (Some(to), None) => seconds(to - start),
        (None, length) => length?,
    };
    Some(((to - from).max(0.0) * rate).round() as u64)
}

impl Plan {
    /// Checks that the plan is one of this program's, and that input, other files and models are
    /// still those of the plan.
    ///
    /// # Errors
    /// [`EngineError::PlanVersion`], [`EngineError::InputChanged`] or
    /// [`EngineError::ModelChanged`], by name.
    pub fn check_unchanged(&self, input: &Path, models: &dyn Models) -> Result<(), EngineError> {
        if self.version == 0 || self.version > PLAN_VERSION {
            return Err(EngineError::PlanVersion {
                found: self.version,
            });
        }
        self.input.check(input)?;
        for (path, print) in &self.files {
            print.check(path)?;
        }
        for model in &self.models {
            if models.manifest(&model.id)?.sha256 != model.sha256 {
                return Err(EngineError::ModelChanged {
                    id: model.id.clone(),
                });
            }
        }
        Ok(())
    }
}

/// What the probe says of the picture. The real pixel layout is known only from the first frame;
/// until then 4:2:0 stands in, which none of the sizes depends on.
fn picture_format(stream: &StreamInfo, video: &VideoInfo, kind: MediaKind) -> PictureFormat {
    let yuv = frameloom_core::pixel::PixelFormat::YUV420P8;
    PictureFormat {
        width: video.width,
        height: video.height,
        pixels: frameloom_core::pixel::PixelFormat {
            planes: match video.pixel_format.as_str() {
                // Pictures are worked on as they are read: in full resolution of colour.
                _ if kind == MediaKind::Still => frameloom_core::pixel::Planes::Gbr,
                name if name.starts_with("gray") => frameloom_core::pixel::Planes::Gray,
                _ => yuv.planes,
            },
            bits: video.bit_depth.clamp(8, 16),
            alpha: video.alpha,
        },
        color: video.color.clone(),
        sample_aspect_ratio: video.sample_aspect_ratio,
        pace: if kind == MediaKind::Still {
            Pace::STILL
        } else {
            Pace {
                time_base: stream.time_base,
                frame_rate: video.frame_rate,
            }
        },
    }
}

/// About five seconds: what a kill may cost, and long enough that the key frame at each cut does
/// not weigh.
fn segment_length(video: &VideoInfo) -> SegmentLength {
    let fps = video
        .frame_rate
        .map_or(25.0, |rate| rate.ratio().to_f64().clamp(1.0, 240.0));
    SegmentLength::new(((fps * 5.0).round() as u64).clamp(24, 300))
}

fn frames_estimate(info: &MediaInfo, stream: &StreamInfo, video: &VideoInfo) -> Option<u64> {
    if let Some(count) = stream.frame_count.filter(|&count| count > 0) {
        return Some(count);
    }
    let micros = stream
        .duration_ticks
        .map(|ticks| frameloom_core::time::Timestamp::new(ticks, stream.time_base).micros())
        .or(info.duration_micros)?;
    let fps = video.frame_rate?.ratio().to_f64();
    let frames = (micros as f64 / 1e6 * fps).round();
    (frames >= 1.0).then_some(frames as u64)
}

/// The encoder settings for pictures of `format`. Called for the plan, and again with what the
/// first frame really is.
pub(crate) fn encoder_spec(
    encode: &EncodeSpec,
    container: Container,
    stream: &StreamInfo,
    format: &PictureFormat,
    hdr: Option<frameloom_media::HdrStatic>,
    threads: usize,
) -> EncoderSpec {
    let mut color = format.color.clone();
    if let Some(video) = &stream.video {
        // A file without a matrix tag is decoded by a guess from its size. If the result's size
        // leads players to another guess, the colours would shift: then the matrix that the
        // samples really have is written.
        let (matrix, guessed) = video.color.matrix_or_guess(video.width, video.height);
        if guessed && color.matrix_or_guess(format.width, format.height).0 != matrix {
            color.matrix = matrix;
        }
    }
    EncoderSpec {
        codec: encode.codec,
        quality: encode.quality,
        container,
        width: format.width,
        height: format.height,
        format: format.pixels,
        time_base: format.pace.time_base,
        frame_rate: format.pace.frame_rate,
        color,
        sample_aspect_ratio: positive(format.sample_aspect_ratio),
        threads,
        hdr,
    }
}

fn positive(ratio: Rational) -> Rational {
    if ratio.num > 0 {
        ratio
    } else {
        Rational { num: 1, den: 1 }
    }
}
