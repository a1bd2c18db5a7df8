//! "Make this larger": from a wish with sensible defaults to a job.

use crate::inputs::{self, DEFAULT_TEMPLATE, NameParts, fill_template};
use crate::models::{MODEL_FOR_CLEAN, MODEL_FOR_LOSSY, unfit};
use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{Graph, Op, ResizeParams};
use frameloom_core::job::{Device, EncodeSpec, JOB_SPEC_VERSION, JobSpec, Quality, VideoCodec};
use frameloom_core::media::{MediaInfo, MediaKind, VideoInfo, Warning};
use frameloom_engine::plan::MediumPlan;
use frameloom_engine::{EngineError, Models, Plan};
use frameloom_media::Container;
use frameloom_still::StillFormat;
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// What the user wants enlarged, and how. Everything but `input` may be left open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct UpscaleRequest {
    /// The source.
    #[ts(type = "string")]
    pub input: PathBuf,
    /// File, or folder for the result; the source's own folder where `None`.
    #[ts(type = "string | null")]
    pub output: Option<PathBuf>,
    /// Model id; chosen by the source where `None`.
    pub model: Option<String>,
    /// Enlargement, 1 to 8; the model's own where `None`.
    pub scale: Option<u32>,
    /// Codec of a video; the best for the container where `None`.
    pub codec: Option<VideoCodec>,
    /// Quality in a word.
    pub quality: Quality,
    /// Where to compute.
    pub device: Device,
    /// Template for the file name; see [`inputs::TEMPLATE_VARIABLES`].
    pub name_template: Option<String>,
    /// Position among the inputs of one command, for `{counter}`, from 1.
    pub counter: Option<u32>,
    /// May an existing result be replaced?
    pub overwrite: bool,
}

/// What a request would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct UpscalePlan {
    /// Where the result will be.
    #[ts(type = "string")]
    pub output: PathBuf,
    /// Pixels of the source.
    pub input_size: (u32, u32),
    /// Pixels of the result.
    pub output_size: (u32, u32),
    /// Frames of a clip, as far as the file says.
    #[ts(type = "number | null")]
    pub frames: Option<u64>,
    /// Model that was chosen.
    pub model: String,
    /// Encoder as ffmpeg names it; `None` for stills.
    pub encoder: Option<String>,
    /// Settings of the encoder as they are given to ffmpeg.
    pub encoder_parameters: Vec<(String, String)>,
    /// What the user should know before it starts.
    pub warnings: Vec<Warning>,
}

impl App {
    /// What a request would do, without doing it.
    ///
    /// # Errors
    /// The input, the model or the wanted output cannot be used, in a sentence.
    pub fn plan_upscale(&self, request: &UpscaleRequest) -> Result<UpscalePlan, AppError> {
        let (spec, plan, model) = self.prepare(request)?;
        let (frames, encoder, encoder_parameters) = match &plan.medium {
            MediumPlan::Video(video) => (
                video.frames_estimate,
                Some(video.encoder.clone()),
                video.parameters.clone(),
            ),
            MediumPlan::Still | MediumPlan::StillByFfmpeg => (None, None, Vec::new()),
        };
        Ok(UpscalePlan {
            output: spec.output,
            input_size: plan.sizes.input,
            output_size: plan.sizes.output,
            frames,
            model,
            encoder,
            encoder_parameters,
            warnings: plan.warnings,
        })
    }

    /// Turns a request into a spec and its plan; the third value is the model's id.
    pub(crate) fn prepare(
        &self,
        request: &UpscaleRequest,
    ) -> Result<(JobSpec, Plan, String), AppError> {
        let input = std::path::absolute(&request.input)
            .map_err(|error| explain::unreadable(&request.input, &error))?;
        if input.to_str().is_none() {
            return Err(AppError::new(
                ErrorCode::InputUnreadable,
                format!("The name `{}` is not valid Unicode.", input.display()),
            )
            .hint("Rename the file or its folder."));
        }
        let info = inputs::probe(&input)?;
        let (_, video) = info
            .main_video()
            .filter(|_| inputs::has_picture(&info))
            .ok_or_else(|| no_picture(&input, &info))?;
        let model = match &request.model {
            Some(id) => id.clone(),
            None if inputs::is_lossy(&info) => MODEL_FOR_LOSSY.to_owned(),
            None => MODEL_FOR_CLEAN.to_owned(),
        };
        let manifest = self
            .models
            .manifest(&model)
            .map_err(|e| explain::engine(&e))?;
        let scale = request.scale.unwrap_or(manifest.scale);
        if !(1..=8).contains(&scale) || (manifest.scale == 1 && scale != 1) {
            return Err(unfit(format!(
                "The model `{model}` cannot enlarge {scale} times."
            )));
        }
        let graph = upscale_graph(&model, manifest.scale, scale, video);
        let parts = NameParts {
            name: &input
                .file_stem()
                .map_or_else(String::new, |s| s.to_string_lossy().into_owned()),
            model: &model,
            scale,
            size: (
                video.width.saturating_mul(scale),
                video.height.saturating_mul(scale),
            ),
            counter: request.counter.unwrap_or(1) as usize,
        };
        let (output, codec) = self.output_for(request, &input, &info, video, &parts)?;
        let spec = JobSpec {
            version: JOB_SPEC_VERSION,
            input,
            output,
            overwrite: request.overwrite,
            graph,
            encode: EncodeSpec {
                codec,
                quality: request.quality,
            },
            device: request.device.clone(),
        };
        let plan =
            frameloom_engine::plan(&spec, &info, &self.models).map_err(|e| explain::engine(&e))?;
        Ok((spec, plan, model))
    }

    /// Where the result goes and, where the container asks for one, its codec. The name is free,
    /// or may be overwritten.
    fn output_for(
        &self,
        request: &UpscaleRequest,
        input: &Path,
        info: &MediaInfo,
        video: &VideoInfo,
        parts: &NameParts<'_>,
    ) -> Result<(PathBuf, Option<VideoCodec>), AppError> {
        let wanted = match &request.output {
            Some(path) => {
                let is_folder = path.is_dir()
                    || path.as_os_str().to_string_lossy().ends_with(['/', '\\'])
                    || path.extension().is_none();
                let path =
                    std::path::absolute(path).map_err(|error| explain::unwritable(path, &error))?;
                if is_folder { Err(path) } else { Ok(path) }
            }
            None => Err(self
                .settings()?
                .output_dir
                .or_else(|| input.parent().map(Path::to_owned))
                .unwrap_or_default()),
        };
        let (wanted, codec) = match wanted {
            Ok(file) => {
                check_extension(&file, info.kind)?;
                (file, request.codec)
            }
            Err(folder) => {
                let template = request.name_template.as_deref().unwrap_or(DEFAULT_TEMPLATE);
                let name = fill_template(template, parts)?;
                let (extension, codec) = if info.kind == MediaKind::Still {
                    (still_extension(input), None)
                } else {
                    video_extension(info, video, request.codec)
                };
                (folder.join(format!("{name}.{extension}")), codec)
            }
        };
        if wanted.to_str().is_none() {
            return Err(AppError::new(
                ErrorCode::OutputUnwritable,
                "The name of the output is not valid Unicode.",
            )
            .hint("Choose another name or folder."));
        }
        if wanted == input {
            return Err(AppError::new(
                ErrorCode::InvalidRequest,
                "The output is the input itself.",
            )
            .hint("Choose another name; the source is never overwritten."));
        }
        if request.overwrite {
            if wanted.is_dir() {
                return Err(AppError::new(
                    ErrorCode::OutputUnwritable,
                    format!("`{}` is a folder.", wanted.display()),
                )
                .hint("Choose another name."));
            }
            return Ok((wanted, codec));
        }
        let promised = self.promised_outputs()?;
        let free = frameloom_engine::execute::free_output(&wanted, |path| {
            path.symlink_metadata().is_ok() || promised.contains(path)
        });
        Ok((free, codec))
    }
}

/// Upscale steps until the scale is reached, and a resize where it was passed.
fn upscale_graph(model: &str, model_scale: u32, scale: u32, video: &VideoInfo) -> Graph {
    let mut ops = Vec::new();
    let mut reached = 1;
    loop {
        ops.push(Op::Upscale {
            model: model.to_owned(),
        });
        reached *= model_scale;
        if reached >= scale || model_scale == 1 {
            break;
        }
    }
    if reached != scale && model_scale > 1 {
        ops.push(Op::Resize(ResizeParams {
            width: video.width.saturating_mul(scale),
            height: video.height.saturating_mul(scale),
        }));
    }
    Graph::chain(ops)
}

fn extension_of(path: &Path) -> String {
    path.extension()
        .and_then(OsStr::to_str)
        .unwrap_or_default()
        .to_ascii_lowercase()
}

fn check_extension(output: &Path, kind: MediaKind) -> Result<(), AppError> {
    let extension = extension_of(output);
    let fits = if kind == MediaKind::Still {
        StillFormat::from_path(output).is_some()
    } else {
        Container::from_path(output).is_ok()
    };
    if fits {
        return Ok(());
    }
    let possible = if kind == MediaKind::Still {
        "png, jpg, webp or tiff"
    } else {
        "mp4, mov, mkv or webm"
    };
    Err(AppError::new(
        ErrorCode::InvalidRequest,
        format!("The program cannot write `.{extension}` files from this input."),
    )
    .hint(format!("Give the output a name that ends in {possible}.")))
}

/// The source's own format where it can be written, else PNG, which loses nothing.
fn still_extension(input: &Path) -> String {
    let extension = extension_of(input);
    if StillFormat::from_path(input).is_some() {
        extension
    } else {
        "png".to_owned()
    }
}

/// The container most like the source that keeps its sound and subtitles. Transparency asks for
/// ProRes 4444.
fn video_extension(
    info: &MediaInfo,
    video: &VideoInfo,
    codec: Option<VideoCodec>,
) -> (String, Option<VideoCodec>) {
    if video.alpha && codec.is_none() {
        return ("mov".to_owned(), Some(VideoCodec::Prores));
    }
    let wanted = match codec {
        Some(VideoCodec::Prores) => Some("mov"),
        Some(VideoCodec::Ffv1) => Some("mkv"),
        _ => None,
    };
    let container = frameloom_media::choose_container(info, wanted).unwrap_or(Container::Mkv);
    (container.extension().to_owned(), codec)
}

fn no_picture(input: &Path, info: &MediaInfo) -> AppError {
    let what = if info.kind == MediaKind::Audio {
        "holds sound and no picture"
    } else {
        "holds no picture that can be enlarged"
    };
    explain::engine(&EngineError::NoFrames {
        path: input.to_owned(),
    })
    .details(format!("{} {what}", info.container))
}
