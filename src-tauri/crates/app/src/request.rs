//! "Make this larger", or any other preset: from a wish with sensible defaults to a job.

use crate::inputs::{self, NameParts, Taken, fill_name};
use crate::models::{MODEL_FOR_CLEAN, MODEL_FOR_LOSSY, unfit};
use crate::pictures::{self, PicturesRequest, Source};
use crate::presets::{self, Preset, PresetId, Work};
use crate::{App, ComputeWish, DeinterlaceChoice, explain, fields};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{Graph, Op, ResizeParams, TrimParams};
use frameloom_core::job::{
    ComputeSpec, Device, EncodeSpec, JOB_SPEC_VERSION, JobSpec, Quality, TrackChoice, VideoCodec,
};
use frameloom_core::media::{MediaInfo, MediaKind, StreamKind, VideoInfo, Warning};
use frameloom_core::sequence::NumberPattern;
use frameloom_core::time::Rational;
use frameloom_engine::Plan;
use frameloom_engine::execute::is_same_file;
use frameloom_engine::plan::MediumPlan;
use frameloom_infer::Runtime;
use frameloom_media::{Container, FieldReport};
use frameloom_still::StillFormat;
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ts_rs::TS;

/// What the user wants made of a file, and how. Everything but `input` may be left open; then the
/// file is enlarged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct UpscaleRequest {
    /// What is done.
    pub preset: PresetId,
    /// The source.
    #[ts(type = "string")]
    pub input: PathBuf,
    /// Ending of the result, of those that the preset offers; the usual one where `None`.
    pub format: Option<String>,
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
    /// How to compute; as the settings have it where it is left open.
    pub compute: ComputeWish,
    /// Template for the file name; see [`inputs::TEMPLATE_VARIABLES`].
    pub name_template: Option<String>,
    /// Position among the inputs of one command, for `{counter}`, from 1.
    pub counter: Option<u32>,
    /// May an existing result be replaced?
    pub overwrite: bool,
    /// What of the source is left out: indices of streams, or `subtitles`, `data`, ...
    #[ts(type = "Array<string>")]
    pub drop: Vec<TrackChoice>,
    /// Are whole pictures made of the fields of an interlaced source first?
    pub deinterlace: DeinterlaceChoice,
    /// Place below the output folder, for a file that was found in a folder. It has no meaning
    /// where results go beside their sources.
    #[ts(type = "string")]
    pub below: PathBuf,
    /// How the input is read where it is numbered pictures.
    #[ts(optional)]
    pub pictures: Option<PicturesRequest>,
    /// The stretch of a clip that is taken; all of it where `None`.
    pub span: Option<Span>,
    /// A few seconds to judge the settings by: the result is kept by the program, only as long as
    /// the job is.
    pub sample: bool,
    /// Names that are not overwritten in any case.
    #[serde(skip)]
    #[ts(skip)]
    pub taken: Arc<Taken>,
}

/// A stretch of a clip, counted from its first frame. Half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Span {
    /// Its beginning.
    #[ts(type = "number")]
    pub from_micros: i64,
    /// Its end.
    #[ts(type = "number")]
    pub to_micros: i64,
}

impl Span {
    fn node(self) -> Op {
        let seconds = |micros: i64| Rational::new(micros, 1_000_000);
        Op::Trim(TrimParams {
            start: seconds(self.from_micros),
            end: seconds(self.to_micros),
        })
    }
}

/// What a request would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct UpscalePlan {
    /// Where the result will be.
    #[ts(type = "string")]
    pub output: PathBuf,
    /// Pixels of the source as it is shown.
    pub input_size: (u32, u32),
    /// Pixels of the result as it is shown.
    pub output_size: (u32, u32),
    /// Frames of a clip, as far as the file says.
    #[ts(type = "number | null")]
    pub frames: Option<u64>,
    /// Model that was chosen; `None` where none takes part.
    pub model: Option<String>,
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
        let (spec, mut plan, model, info) = self.prepare_probed(request)?;
        plan.warnings.extend(self.room_warning(&spec, &plan));
        // A still picture is planned upright. A clip is processed as it is stored and keeps its
        // turn as a note for the player; people know the size that the player shows.
        let upright = matches!(&plan.medium, MediumPlan::Video(video) if video.upright);
        let turned = |size| match info.main_video() {
            Some((_, video)) if info.kind == MediaKind::Video => shown(video, size),
            _ => size,
        };
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
            input_size: turned(plan.sizes.input),
            // Pictures that were turned themselves are planned as they are shown.
            output_size: match upright {
                true => plan.sizes.output,
                false => turned(plan.sizes.output),
            },
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
    ) -> Result<(JobSpec, Plan, Option<String>), AppError> {
        let (spec, plan, model, _) = self.prepare_probed(request)?;
        Ok((spec, plan, model))
    }

    /// As [`App::prepare`], with what the probe found.
    fn prepare_probed(
        &self,
        request: &UpscaleRequest,
    ) -> Result<(JobSpec, Plan, Option<String>, MediaInfo), AppError> {
        let preset = request.preset.preset();
        let Source {
            input,
            pictures,
            mut info,
        } = pictures::open(
            &absolute_input(&request.input)?,
            request.pictures.unwrap_or_default(),
        )?;
        if let Some(still) = pictures::first_frame_only(&input, request.output.as_deref(), &info)? {
            info = still;
        }
        let report = fields::learn(&input, &mut info)?;
        let info = info;
        let (_, video) = info
            .main_video()
            .filter(|_| inputs::has_picture(&info))
            .ok_or_else(|| no_picture(&input, &info))?;
        presets::check_fit(preset, &input, &info, request.span)?;
        let compute = request.compute.or(self.settings()?.compute);
        self.check_device(&request.device, &compute)?;
        let trim = match (request.span, info.kind) {
            (Some(span), MediaKind::Video) => Some(span.node()),
            _ => None,
        };
        let (work, enlarged) = if preset.id == PresetId::Enlarge {
            let (work, model, scale) = self.enlargement(request, trim, &info, video, report)?;
            (work, Some((model, scale)))
        } else {
            let work = presets::work(preset, request, trim, &info, video, report)?;
            (work, None)
        };
        let (model, scale) = match &enlarged {
            Some((model, scale)) => (model.as_str(), *scale),
            None => (preset.word, 1),
        };
        let parts = NameParts {
            name: &match NumberPattern::of_path(&input).filter(|_| pictures.is_some()) {
                Some(names) => names.title().to_owned(),
                None => input
                    .file_stem()
                    .map_or_else(String::new, |s| s.to_string_lossy().into_owned()),
            },
            model,
            scale,
            size: work.size,
            counter: request.counter.unwrap_or(1) as usize,
        };
        let (output, codec) = self.output_for(request, &work, &input, &info, video, &parts)?;
        let mut drop = request.drop.clone();
        let left_out = presets::left_out(preset, &info, &output, &mut drop)?;
        let spec = JobSpec {
            version: JOB_SPEC_VERSION,
            input,
            pictures,
            output,
            overwrite: request.overwrite,
            graph: work.graph,
            encode: EncodeSpec {
                codec,
                quality: preset.quality.unwrap_or(request.quality),
                drop,
            },
            device: request.device.clone(),
            inputs: Default::default(),
            input_pictures: Default::default(),
            compute,
            // An enlargement keeps the turn of a clip as a note for the player.
            upright: preset.id != PresetId::Enlarge,
            sample: request.sample,
        };
        let mut plan =
            frameloom_engine::plan(&spec, &info, &self.models).map_err(|e| explain::engine(&e))?;
        plan.warnings.extend(fields::telecine(report));
        plan.warnings.extend(left_out);
        Ok((spec, plan, enlarged.map(|(model, _)| model), info))
    }

    /// The graph that enlarges a source, with the model and the scale.
    fn enlargement(
        &self,
        request: &UpscaleRequest,
        trim: Option<Op>,
        info: &MediaInfo,
        video: &VideoInfo,
        report: Option<FieldReport>,
    ) -> Result<(Work, String, u32), AppError> {
        let model = match &request.model {
            Some(id) => id.clone(),
            None if inputs::is_lossy(info) => MODEL_FOR_LOSSY.to_owned(),
            None => MODEL_FOR_CLEAN.to_owned(),
        };
        let manifest = self.models.ready(&model).map_err(|e| explain::engine(&e))?;
        let scale = request.scale.unwrap_or(manifest.scale);
        if !(1..=8).contains(&scale) || (manifest.scale == 1 && scale != 1) {
            return Err(unfit(format!(
                "The model `{model}` cannot enlarge {scale} times."
            )));
        }
        let size = (video.width, video.height);
        // Still pictures are turned upright when they are read.
        let size = match info.kind {
            MediaKind::Still => shown(video, size),
            _ => size,
        };
        let first = trim
            .into_iter()
            .chain(fields::node(request.deinterlace, report));
        let larger = (
            video.width.saturating_mul(scale),
            video.height.saturating_mul(scale),
        );
        let work = Work {
            graph: upscale_graph(first.collect(), &model, manifest.scale, scale, size),
            size: shown(video, larger),
            ending: presets::ending_of(PresetId::Enlarge.preset(), request)?,
        };
        Ok((work, model, scale))
    }

    /// Refuses a device that this installation cannot have.
    pub(crate) fn check_device(
        &self,
        device: &Device,
        compute: &ComputeSpec,
    ) -> Result<(), AppError> {
        crate::choices::check(device, compute.deterministic)?;
        if matches!(device, Device::Auto | Device::Cpu) {
            return Ok(());
        }
        Runtime::load(&self.places.onnxruntime()?)
            .and_then(|runtime| runtime.check_contains(device))
            .map_err(|e| explain::infer(&e))
    }

    /// Where the result goes and, where the container asks for one, its codec. The name is free,
    /// or may be overwritten.
    fn output_for(
        &self,
        request: &UpscaleRequest,
        work: &Work,
        input: &Path,
        info: &MediaInfo,
        video: &VideoInfo,
        parts: &NameParts<'_>,
    ) -> Result<(PathBuf, Option<VideoCodec>), AppError> {
        let preset = request.preset.preset();
        let codec = preset.codec.or(request.codec);
        let wanted = match &request.output {
            _ if request.sample => {
                let folder = self.places.samples();
                std::fs::create_dir_all(&folder)
                    .map_err(|error| explain::data_folder(&folder, &error))?;
                Err(folder)
            }
            Some(path) => {
                let is_folder =
                    inputs::names_a_folder(path) || !request.below.as_os_str().is_empty();
                let path =
                    std::path::absolute(path).map_err(|error| explain::unwritable(path, &error))?;
                if is_folder {
                    Err(path.join(&request.below))
                } else {
                    Ok(path)
                }
            }
            None => Err(match self.settings()?.output_dir {
                Some(folder) => folder.join(&request.below),
                None => input.parent().map(Path::to_owned).unwrap_or_default(),
            }),
        };
        let (wanted, codec) = match wanted {
            Ok(file) => {
                check_extension(&file, info.kind)?;
                if request.name_template.is_some() {
                    return Err(AppError::new(
                        ErrorCode::InvalidRequest,
                        format!("`{}` names the result already.", file.display()),
                    )
                    .hint("Name a folder for the output, or leave the template out."));
                }
                (file, codec)
            }
            Err(folder) if preset.id == PresetId::Frames => {
                let ending = work.ending.as_deref().unwrap_or("png");
                (
                    self.frames_in(&folder, preset, request, parts, ending)?,
                    None,
                )
            }
            Err(folder) => {
                let template = request.name_template.as_deref().unwrap_or(preset.template);
                let (extension, codec) = match (&work.ending, info.kind) {
                    (Some(ending), _) => (ending.clone(), codec),
                    (None, MediaKind::Still) => {
                        (still_extension(input, video, parts.size, request), None)
                    }
                    (None, _) => video_extension(info, video, request),
                };
                (folder.join(fill_name(template, parts, &extension)?), codec)
            }
        };
        let output = self.place_output(wanted, input, request.overwrite, &request.taken)?;
        Ok((output, codec))
    }

    /// A pattern for numbered pictures in a folder of their own below `folder`.
    fn frames_in(
        &self,
        folder: &Path,
        preset: &Preset,
        request: &UpscaleRequest,
        parts: &NameParts<'_>,
        ending: &str,
    ) -> Result<PathBuf, AppError> {
        let template = request.name_template.as_deref().unwrap_or(preset.template);
        let name = fill_name(template, parts, "frames")?;
        // A percent sign would be taken for the place of the number.
        let name = name.trim_end_matches(".frames").replace('%', "_");
        let promised = self.promised_outputs()?;
        let file = format!("{name}_%05d.{ending}");
        let pattern = frameloom_engine::execute::free_output(
            &folder.join(format!("{name}_frames")),
            |place| {
                let pattern = place.join(&file);
                let used = place.symlink_metadata().is_ok() || promised.contains(&pattern);
                used && !request.overwrite || request.taken.contains(&pattern)
            },
        );
        Ok(pattern.join(file))
    }

    /// A name for the result that is free, or may be overwritten.
    pub(crate) fn place_output(
        &self,
        wanted: PathBuf,
        input: &Path,
        overwrite: bool,
        taken: &Taken,
    ) -> Result<PathBuf, AppError> {
        if wanted.to_str().is_none() {
            return Err(AppError::new(
                ErrorCode::OutputUnwritable,
                "The name of the output is not valid Unicode.",
            )
            .hint("Choose another name or folder."));
        }
        if is_same_file(&wanted, input) {
            return Err(AppError::new(
                ErrorCode::InvalidRequest,
                "The output is the input itself.",
            )
            .hint("Choose another name; the source is never overwritten."));
        }
        if overwrite && wanted.is_dir() {
            return Err(AppError::new(
                ErrorCode::OutputUnwritable,
                format!("`{}` is a folder.", wanted.display()),
            )
            .hint("Choose another name."));
        }
        let promised = self.promised_outputs()?;
        if Container::from_path(&wanted).is_ok_and(|c| c == Container::Pictures) {
            pictures::check_names(&wanted, input, overwrite)?;
            if promised.contains(&wanted) || taken.contains(&wanted) {
                return Err(AppError::new(
                    ErrorCode::OutputUnwritable,
                    format!("Another job writes `{}`.", wanted.display()),
                )
                .hint("Choose another name or folder."));
            }
            check_name(&wanted)?;
            return Ok(wanted);
        }
        let free = frameloom_engine::execute::free_output(&wanted, |path| {
            let used = path.symlink_metadata().is_ok() || promised.contains(path);
            used && !overwrite || taken.contains(path)
        });
        check_name(&free)?;
        Ok(free)
    }
}

/// Width and height as they are shown: turned, where the file says so.
pub(crate) fn shown(video: &VideoInfo, (width, height): (u32, u32)) -> (u32, u32) {
    if video.rotation_degrees.rem_euclid(180) == 90 {
        (height, width)
    } else {
        (width, height)
    }
}

/// The absolute path of an input, which must be valid Unicode: it is stored as JSON.
pub(crate) fn absolute_input(path: &Path) -> Result<PathBuf, AppError> {
    let input = std::path::absolute(path).map_err(|error| explain::unreadable(path, &error))?;
    if input.to_str().is_none() {
        return Err(AppError::new(
            ErrorCode::InputUnreadable,
            format!("The name `{}` is not valid Unicode.", input.display()),
        )
        .hint("Rename the file or its folder."));
    }
    Ok(input)
}

/// `first`, upscale steps until the scale is reached, and a resize where it was passed.
fn upscale_graph(
    first: Vec<Op>,
    model: &str,
    model_scale: u32,
    scale: u32,
    size: (u32, u32),
) -> Graph {
    let mut ops = first;
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
            width: size.0.saturating_mul(scale),
            height: size.1.saturating_mul(scale),
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

/// Asks the disk whether it takes a name of this length, without making anything.
fn check_name(output: &Path) -> Result<(), AppError> {
    // The name counts where its folder is, or will be.
    let name = output.file_name().unwrap_or_default();
    let disk = output.ancestors().skip(1).find(|folder| folder.is_dir());
    for path in [Some(output.to_owned()), disk.map(|disk| disk.join(name))] {
        if let Some(path) = path
            && let Err(error) = path.symlink_metadata()
            && error.kind() == std::io::ErrorKind::InvalidFilename
        {
            return Err(AppError::new(
                ErrorCode::OutputUnwritable,
                "The name of the output is too long for its disk.",
            )
            .hint("Choose a shorter name.")
            .details(error.to_string()));
        }
    }
    Ok(())
}

pub(crate) fn check_extension(output: &Path, kind: MediaKind) -> Result<(), AppError> {
    let extension = extension_of(output);
    let fits = if kind == MediaKind::Still {
        StillFormat::from_path(output).is_some()
    } else {
        Container::from_path(output).is_ok()
    };
    if fits {
        return Ok(());
    }
    let name = output
        .file_name()
        .and_then(OsStr::to_str)
        .unwrap_or_default();
    if let Some(ending) = inputs::bare_ending(output) {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            format!("`{name}` is an ending without a name before it."),
        )
        .hint(format!("Name the result, as in `result.{ending}`.")));
    }
    if kind == MediaKind::Still && Container::from_path(output).is_ok() {
        return Err(AppError::new(
            ErrorCode::InvalidRequest,
            format!("One picture makes no clip, so it cannot be written to `{name}`."),
        )
        .hint(
            "Give the output a name that ends in png, jpg, webp or tiff; numbered pictures make \
             a clip: `name_%05d.png` with --rate.",
        ));
    }
    let possible = if kind == MediaKind::Still {
        "png, jpg, webp or tiff"
    } else {
        "mp4, mov, mkv, webm, gif, apng or webp, or give it a place for a number, such as \
         name_%05d.png, for numbered pictures"
    };
    Err(AppError::new(
        ErrorCode::InvalidRequest,
        format!("The program cannot write `.{extension}` files from this input."),
    )
    .hint(format!(
        "Give the output a name that ends in {possible}; a `/` at the end names a folder."
    )))
}

/// The source's own format where it can hold the result, else PNG, which loses nothing.
fn still_extension(
    input: &Path,
    video: &VideoInfo,
    size: (u32, u32),
    request: &UpscaleRequest,
) -> String {
    let fits = frameloom_still::check_output(input, video, size, request.quality).is_ok();
    if fits {
        extension_of(input)
    } else {
        "png".to_owned()
    }
}

/// The container most like the source that takes the codec and keeps everything of the source.
/// Transparency asks for ProRes 4444.
fn video_extension(
    info: &MediaInfo,
    video: &VideoInfo,
    request: &UpscaleRequest,
) -> (String, Option<VideoCodec>) {
    if let (None, Some(own)) = (request.codec, pictures::own_extension(info)) {
        // A GIF has not the colours for a result without loss.
        let lossless = request.quality == Quality::Lossless && own == "gif";
        return (if lossless { "apng" } else { own }.to_owned(), None);
    }
    let codec = request.codec.or(video.alpha.then_some(VideoCodec::Prores));
    let usual = match codec {
        Some(VideoCodec::Prores | VideoCodec::Dnxhr) => Some(Container::Mov),
        Some(VideoCodec::Ffv1) => Some(Container::Mkv),
        _ => frameloom_media::choose_container(info, None, &request.drop).ok(),
    };
    let candidates: Vec<Container> = usual
        .into_iter()
        .chain([Container::Mp4, Container::Mkv, Container::Mov])
        .filter(|&container| codec.is_none_or(|codec| container.takes(codec)))
        .collect();
    let keeps_all = |container: Container| {
        frameloom_media::plan_mux(info, container, &request.drop)
            .is_ok_and(|plan| plan.refused.is_empty())
    };
    let container = candidates
        .iter()
        .find(|&&container| keeps_all(container))
        .or(candidates.first())
        .copied()
        .unwrap_or(Container::Mkv);
    (container.extension().to_owned(), codec)
}

pub(crate) fn no_picture(input: &Path, info: &MediaInfo) -> AppError {
    let holds = |kind| info.streams.iter().any(|stream| stream.kind == kind);
    let what = match (holds(StreamKind::Audio), holds(StreamKind::Subtitle)) {
        (true, _) => "holds sound and no picture",
        (false, true) => "holds subtitles and no picture",
        (false, false) => "holds no picture that can be enlarged",
    };
    AppError::new(
        ErrorCode::InputUnsupported,
        format!("`{}` {what}.", input.display()),
    )
    .hint(explain::hint(ErrorCode::InputUnsupported).unwrap_or_default())
    .details(format!("container: {}", info.container))
}
