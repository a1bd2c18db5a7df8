//! From what was asked for to what will be done, before anything is done.
//!
//! A plan is data: it is stored with the job, shown to the user, and made only once, so that a
//! resumed run does exactly what the first one began.

use crate::EngineError;
use crate::nodes::{Models, PictureFormat, output_format};
use frameloom_core::graph::Op;
use frameloom_core::job::{EncodeSpec, JobSpec, PictureSizes};
use frameloom_core::media::{MediaInfo, MediaKind, StreamInfo, VideoInfo, Warning};
use frameloom_core::segment::SegmentLength;
use frameloom_core::time::Rational;
use frameloom_media::{Container, EncoderSpec};
use frameloom_still::StillFormat;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Version of the plan that this program makes and runs.
pub const PLAN_VERSION: u32 = 1;

/// What will be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// The input as it was.
    pub input: InputPrint,
    /// Every model with the hash of its weights.
    pub models: Vec<ModelUse>,
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
    for (_, op) in &ops {
        if let Op::Upscale { model } = op
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
    let mut input = picture_format(video);
    let still = info.kind == MediaKind::Still && frameloom_still::is_still(&spec.input)?;
    if still && video.rotation_degrees.rem_euclid(180) == 90 {
        // It is turned upright when it is read.
        (input.width, input.height) = (input.height, input.width);
    }
    let mut format = input.clone();
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
            if video.field_order.is_interlaced() {
                warnings.push(Warning::Interlaced);
            }
            if video.dolby_vision {
                warnings.push(Warning::HdrMetadataDropped {
                    what: "Dolby Vision".to_owned(),
                });
            }
            let container = Container::from_path(&spec.output)?;
            let drop = &spec.encode.drop;
            let mux = frameloom_media::plan_mux(info, container, drop)?.complete(info, drop)?;
            warnings.extend(mux.dropped);
            let encoder_spec = encoder_spec(&spec.encode, container, stream, &format, None, 1);
            let encoder = frameloom_media::plan_encoder(&encoder_spec)?;
            warnings.extend(encoder.warnings(&encoder_spec));
            MediumPlan::Video(VideoPlan {
                stream: stream.index,
                segment_length: segment_length(video),
                frames_estimate: frames_estimate(info, stream, video),
                container: container.extension().to_owned(),
                encoder: encoder.name,
                parameters: encoder.parameters,
            })
        }
    };
    let (matrix, guessed) = video.color.matrix_or_guess(video.width, video.height);
    let needs_matrix = ops.iter().any(|(_, op)| match op {
        Op::Upscale { model } => models
            .manifest(model)
            .is_ok_and(|m| m.input.color != frameloom_core::model::TensorColor::Luma),
        _ => false,
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
        sizes: PictureSizes {
            input: (input.width, input.height),
            output: (format.width, format.height),
        },
        medium,
        warnings,
    })
}

impl Plan {
    /// Checks that input and models are still those of the plan.
    ///
    /// # Errors
    /// [`EngineError::InputChanged`] or [`EngineError::ModelChanged`], by name.
    pub fn check_unchanged(&self, input: &Path, models: &dyn Models) -> Result<(), EngineError> {
        let now = InputPrint::take(input)?;
        if now != self.input {
            let what = if now.size_bytes == self.input.size_bytes {
                "its content differs".to_owned()
            } else {
                format!(
                    "it had {} bytes and has {} now",
                    self.input.size_bytes, now.size_bytes
                )
            };
            return Err(EngineError::InputChanged {
                what,
                path: input.to_owned(),
            });
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
fn picture_format(video: &VideoInfo) -> PictureFormat {
    let bits = video.bit_depth.clamp(8, 16);
    PictureFormat {
        width: video.width,
        height: video.height,
        pixels: frameloom_core::pixel::PixelFormat {
            bits,
            alpha: video.alpha,
            ..frameloom_core::pixel::PixelFormat::YUV420P8
        },
        color: video.color.clone(),
        sample_aspect_ratio: video.sample_aspect_ratio,
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
        time_base: stream.time_base,
        frame_rate: stream.video.as_ref().and_then(|v| v.frame_rate),
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
