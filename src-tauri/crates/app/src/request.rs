//! "Make this larger", or any other preset: from a wish with sensible defaults to a job.

mod output;

pub(crate) use output::check_extension;

use crate::background::{self, BackgroundWish, Behind};
use crate::convert::{ConvertWish, conversion};
use crate::enlarge::{EnlargeWish, mixed};
use crate::inputs::{self, NameParts, Taken};
use crate::looks::LookWish;
use crate::models::{MODEL_FOR_CLEAN, MODEL_FOR_LOSSY, unfit};
use crate::motion::MotionWish;
use crate::pictures::{self, PicturesRequest, Source};
use crate::presets::{self, PresetDocument, PresetId, Work, with_format};
use crate::redact::RedactWish;
use crate::reframe::ReframeWish;
use crate::{
    App, ComputeWish, DeinterlaceChoice, SceneWish, SilenceWish, SubtitleWish, VoiceWish, explain,
    fields, subtitles,
};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{Op, ResizeParams, TrimParams};
use frameloom_core::job::{
    ComputeSpec, Device, EncodeSpec, JOB_SPEC_VERSION, JobSpec, PictureSizes, Quality, TrackChoice,
    VideoCodec,
};
use frameloom_core::media::{MediaInfo, MediaKind, StreamKind, VideoInfo, Warning};
use frameloom_core::model::{ModelManifest, Task};
use frameloom_core::said;
use frameloom_core::sequence::NumberPattern;
use frameloom_core::time::Rational;
use frameloom_engine::Plan;
use frameloom_engine::plan::MediumPlan;
use frameloom_infer::Runtime;
use frameloom_media::FieldReport;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ts_rs::TS;

/// What the user wants made of a file, and how. Everything but `input` may be left open; then the
/// file is enlarged.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct UpscaleRequest {
    /// What is done.
    pub preset: PresetId,
    /// The preset of the shelf that says what is done and how, by its id or as a file; what it says
    /// goes before what the request says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub saved: Option<String>,
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
    /// How a background is done, for the presets that are about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub background: Option<BackgroundWish>,
    /// What is made unrecognisable, for the preset that is about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub redact: Option<RedactWish>,
    /// The shape that it is cut to, for the preset that is about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reframe: Option<ReframeWish>,
    /// How motion is treated, for the presets that are about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub motion: Option<MotionWish>,
    /// How silence is cut, for the preset that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub silence: Option<SilenceWish>,
    /// How a voice is cleaned, for the preset that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub voice: Option<VoiceWish>,
    /// To which size something is enlarged, for the preset that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub enlarge: Option<EnlargeWish>,
    /// How pictures are converted, for the preset that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub convert: Option<ConvertWish>,
    /// How scenes are told from each other, for the preset that splits at them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub scenes: Option<SceneWish>,
    /// How light, style or depth are treated, for the presets that are about them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub look: Option<LookWish>,
    /// Which subtitles are burned in and how they look, or become a track, for the preset that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub subtitles: Option<SubtitleWish>,
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
    /// Pixels of source and result as they are shown; `None` for sound alone.
    pub sizes: Option<PictureSizes>,
    /// About how long a result of sound alone is, in microseconds.
    #[ts(type = "number | null")]
    pub length_micros: Option<i64>,
    /// Frames of a clip, as far as the file says.
    #[ts(type = "number | null")]
    pub frames: Option<u64>,
    /// Model that was chosen; `None` where none takes part.
    pub model: Option<String>,
    /// Encoder as ffmpeg names it; `None` for stills.
    pub encoder: Option<String>,
    /// Settings of the encoder as they are given to ffmpeg.
    pub encoder_parameters: Vec<(String, String)>,
    /// About how long it will take on this computer, in microseconds; `None` where nothing like it was
    /// done and its model was not measured.
    #[ts(type = "number | null")]
    pub about_micros: Option<u64>,
    /// What the user should know before it starts.
    pub warnings: Vec<Warning>,
}

/// What a request comes to.
struct Making {
    work: Work,
    /// The model that takes part, and how many times larger it makes pictures.
    model: Option<(String, u32)>,
    /// What is put behind a foreground, or over pictures.
    behind: Option<Behind>,
    is_transparent: bool,
}

/// The file, its probe, and what was found of fields.
type SourceFacts<'a> = (&'a Path, &'a MediaInfo, Option<FieldReport>);

impl App {
    /// What a request would do, without doing it.
    ///
    /// # Errors
    /// The input, the model or the wanted output cannot be used, in a sentence.
    pub fn plan_upscale(&self, request: &UpscaleRequest) -> Result<UpscalePlan, AppError> {
        let (spec, mut plan, model, info) = self.prepare_probed(request)?;
        plan.warnings.extend(self.room_warning(&spec, &plan));
        let about_micros = self.about_micros(&spec, &plan);
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
                Some(video.pictures_encoder().to_owned()),
                match video.copies {
                    true => Vec::new(),
                    false => video.parameters.clone(),
                },
            ),
            MediumPlan::Still | MediumPlan::StillByFfmpeg => (None, None, Vec::new()),
            MediumPlan::Sound(alone) => (None, Some(alone.encoder().to_owned()), Vec::new()),
        };
        Ok(UpscalePlan {
            output: spec.output,
            sizes: plan.sizes.map(|sizes| PictureSizes {
                input: turned(sizes.input),
                // Pictures that were turned themselves are planned as they are shown.
                output: match upright {
                    true => sizes.output,
                    false => turned(sizes.output),
                },
            }),
            length_micros: match &plan.medium {
                MediumPlan::Sound(alone) => alone.length_micros,
                _ => None,
            },
            frames,
            model,
            about_micros,
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
        let (request, steps) = self.with_saved(request)?;
        let request = request.as_ref();
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
        let request = with_format(request, steps.as_ref(), &input, &info)?;
        let request = request.as_ref();
        let video = info.main_video().map(|(_, video)| video);
        let video = video.filter(|_| inputs::has_picture(&info));
        let is_heard = info.kind == MediaKind::Audio && preset.takes.contains(&info.kind);
        if video.is_none() && !is_heard {
            return Err(no_picture(&input, &info));
        }
        presets::check_fit(preset, &input, &info, request.span)?;
        let compute = request.compute.or(self.settings()?.compute);
        self.check_device(&request.device, &compute)?;
        let trim = match (request.span, info.kind) {
            (Some(span), MediaKind::Video | MediaKind::Audio) => Some(span.node()),
            _ => None,
        };
        let source = (input.as_path(), &info, report);
        let Making {
            work,
            model: with_model,
            behind,
            is_transparent,
        } = match video {
            Some(video) => self.seen(request, steps.as_ref(), trim, source, video)?,
            None => self.only_heard(request, steps.as_ref(), trim, source)?,
        };
        let request = &background::guarded(request, behind.as_ref());
        let (model, scale) = match &with_model {
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
        if preset.id == PresetId::Redact {
            let wish = request.redact.clone().unwrap_or_default();
            let more = wish
                .leaves_out()
                .iter()
                .filter(|c| !request.drop.contains(c));
            drop.extend(more);
        }
        let convert = request
            .convert
            .as_ref()
            .filter(|_| preset.id == PresetId::Convert);
        if preset.id == PresetId::Sound {
            // Only sound is asked for: nothing else is missed.
            let others = [
                TrackChoice::Video,
                TrackChoice::Subtitles,
                TrackChoice::Data,
            ];
            drop.extend(others.iter().filter(|c| !request.drop.contains(c)));
        }
        if convert.is_some_and(|wish| wish.strip) && !drop.contains(&TrackChoice::Metadata) {
            drop.push(TrackChoice::Metadata);
        }
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
                srgb: convert.is_some_and(|wish| wish.srgb),
            },
            device: request.device.clone(),
            input_pictures: behind
                .iter()
                .filter_map(|behind| Some((behind.name.to_owned(), behind.pictures?)))
                .collect(),
            inputs: behind
                .into_iter()
                .map(|behind| (behind.name.to_owned(), behind.path))
                .collect(),
            compute,
            // An enlargement keeps the turn of a clip as a note for the player.
            upright: preset.id != PresetId::Enlarge,
            sample: request.sample,
        };
        let mut plan =
            frameloom_engine::plan(&spec, &info, &self.models).map_err(|e| explain::engine(&e))?;
        plan.warnings.extend(fields::telecine(report));
        plan.warnings.extend(left_out);
        if is_transparent {
            background::check_transparent(&plan.warnings, &spec.output)?;
        }
        Ok((spec, plan, with_model.map(|(model, _)| model), info))
    }

    /// What is done to a source that has pictures.
    fn seen(
        &self,
        request: &UpscaleRequest,
        steps: Option<&PresetDocument>,
        trim: Option<Op>,
        (input, info, report): SourceFacts<'_>,
        video: &VideoInfo,
    ) -> Result<Making, AppError> {
        let preset = request.preset.preset();
        let (mut behind, mut is_transparent) = (None, false);
        let (work, with_model) = if preset.id == PresetId::Enlarge {
            self.enlargement(request, trim, info, video, report)?
        } else if let Some(steps) = steps.filter(|_| preset.id == PresetId::Steps) {
            let (work, model) = self.steps(steps, request, trim, (input, info), report)?;
            (work, model.map(|model| (model, 1)))
        } else if preset.id.background().is_some() {
            let cut = self.cut(request, trim, info, video, report)?;
            (behind, is_transparent) = (cut.behind, cut.is_transparent);
            (cut.work, Some((cut.model, 1)))
        } else if preset.id == PresetId::Convert {
            let (work, mark) = conversion(request, video)?;
            behind = mark;
            (work, None)
        } else if let Some(task) = preset.id.look() {
            let (work, model) = self.looks(task, request, trim, video, report)?;
            (work, model.map(|model| (model, 1)))
        } else if preset.id == PresetId::Subtitles {
            let (work, text) = subtitles::adding(request, trim, (input, info), video, report)?;
            behind = text;
            (work, None)
        } else if preset.id == PresetId::Reframe {
            let (work, model) = self.reframing(request, trim, video, report)?;
            (work, model.map(|model| (model, 1)))
        } else if preset.id == PresetId::Redact {
            let (work, model) = self.redaction(request, trim, video, report)?;
            (work, model.map(|model| (model, 1)))
        } else if preset.id == PresetId::Silence {
            // The stretch that is taken bounds what is kept.
            let (work, model) = self.silence(request, input, info, Some(video))?;
            (work, Some((model, 1)))
        } else if preset.id == PresetId::Voice {
            let (work, model) = self.voice(request, trim, Some(video))?;
            (work, model.map(|model| (model, 1)))
        } else {
            let work = presets::work(preset, request, trim, info, video, report)?;
            (work, None)
        };
        Ok(Making {
            work,
            model: with_model,
            behind,
            is_transparent,
        })
    }

    /// What is done to sound without pictures.
    fn only_heard(
        &self,
        request: &UpscaleRequest,
        steps: Option<&PresetDocument>,
        trim: Option<Op>,
        (input, info, report): SourceFacts<'_>,
    ) -> Result<Making, AppError> {
        let preset = request.preset.preset();
        let (work, model) = match (preset.id, steps) {
            (PresetId::Steps, Some(steps)) => {
                self.steps(steps, request, trim, (input, info), report)?
            }
            (PresetId::Silence, _) => {
                let (work, model) = self.silence(request, input, info, None)?;
                (work, Some(model))
            }
            (PresetId::Voice, _) => self.voice(request, trim, None)?,
            _ => (presets::sound_work(preset, request, trim, info)?, None),
        };
        Ok(Making {
            work,
            model: model.map(|model| (model, 1)),
            behind: None,
            is_transparent: false,
        })
    }

    /// The graph that enlarges a source, with the model and the scale.
    fn enlargement(
        &self,
        request: &UpscaleRequest,
        trim: Option<Op>,
        info: &MediaInfo,
        video: &VideoInfo,
        report: Option<FieldReport>,
    ) -> Result<(Work, Option<(String, u32)>), AppError> {
        let manifest = self.enlarging(request.model.as_deref(), info)?;
        let model = manifest.id.clone();
        let size = (video.width, video.height);
        // Still pictures are turned upright when they are read.
        let size = match info.kind {
            MediaKind::Still => shown(video, size),
            _ => size,
        };
        let wish = request.enlarge.unwrap_or_default();
        wish.check()?;
        // The size is meant as people see it; a clip is processed as it is stored.
        let lies = shown(video, (1, 2)) != (1, 2) && info.kind != MediaKind::Still;
        let as_stored = |(width, height)| {
            if lies {
                (height, width)
            } else {
                (width, height)
            }
        };
        let wish = EnlargeWish {
            fit: wish.fit.map(as_stored),
            ..wish
        };
        let target = wish.target(size);
        let scale = match target {
            Some((_, least)) if manifest.scale > 1 => least,
            Some(_) => 1,
            None => request.scale.unwrap_or(manifest.scale),
        };
        if !(1..=8).contains(&scale) || (manifest.scale == 1 && scale != 1) {
            return Err(unfit(said!(
                "model.scale",
                "The model `{model}` cannot enlarge {scale} times.",
                model = model,
                scale = scale
            )));
        }
        let before: Vec<Op> = trim
            .into_iter()
            .chain(fields::node(request.deinterlace, report))
            .collect();
        // What is as large already is made smaller, and no model helps with that.
        let is_reached = target.is_some() && scale == 1 && manifest.scale > 1;
        let mut larger = match is_reached {
            true => Vec::new(),
            false => upscale_ops(&model, manifest.scale, scale, size),
        };
        let mut made = (size.0.saturating_mul(scale), size.1.saturating_mul(scale));
        if let Some((target, _)) = target {
            // One resize is enough, to the size that is wanted.
            if matches!(larger.last(), Some(Op::Resize(_))) {
                larger.pop();
            }
            made = target;
            let reached = larger
                .iter()
                .fold(1_u32, |reached, _| reached.saturating_mul(manifest.scale));
            if target
                != (
                    size.0.saturating_mul(reached),
                    size.1.saturating_mul(reached),
                )
            {
                let (width, height) = target;
                larger.push(Op::Resize(ResizeParams { width, height }));
            }
        }
        let source = wish.source.filter(|_| !is_reached).unwrap_or(0.0);
        let work = Work {
            graph: mixed(before, larger, made, source),
            size: Some(as_stored(made)),
            ending: presets::ending_of(PresetId::Enlarge.preset(), request)?,
        };
        Ok((work, (!is_reached).then_some((model, scale))))
    }

    /// The model that enlarges a source: the one that is named, or the one that fits.
    pub(crate) fn enlarging(
        &self,
        model: Option<&str>,
        info: &MediaInfo,
    ) -> Result<ModelManifest, AppError> {
        let model = match model {
            Some(id) => id.to_owned(),
            None if inputs::is_lossy(info) => MODEL_FOR_LOSSY.to_owned(),
            None => MODEL_FOR_CLEAN.to_owned(),
        };
        let manifest = self.models.ready(&model).map_err(|e| explain::engine(&e))?;
        if manifest.task.finds() {
            return Err(unfit(said!(
                "redact.enlarges_nothing",
                "The model `{model}` finds faces or text, and enlarges nothing.",
                model = model
            ))
            .hint("`frameloom redact` uses it; `frameloom models list` shows the others."));
        }
        if manifest.task == Task::Matte {
            return Err(unfit(said!(
                "background.enlarges_nothing",
                "The model `{model}` tells a foreground from its background, and enlarges nothing.",
                model = model
            ))
            .hint("`frameloom background` uses it; `frameloom models list` shows the others."));
        }
        if manifest.task.sees_whole() {
            return Err(unfit(said!(
                "looks.enlarges_nothing",
                "The model `{model}` sees whole pictures in a size of its own, and enlarges nothing.",
                model = model
            ))
            .hint("`frameloom light`, `style` and `depth` use such models; `frameloom models list` shows the others."));
        }
        if manifest.task.is_of_sound() {
            return Err(unfit(said!(
                "model.of_sound",
                "The model `{model}` works on sound, and does nothing to pictures.",
                model = model
            ))
            .hint("`frameloom silence` and `frameloom voice` use such models; `frameloom models list` shows the others."));
        }
        Ok(manifest)
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
            said!(
                "name.no_text",
                "The name `{path}` is not valid Unicode.",
                path = input.display()
            ),
        )
        .hint("Rename the file or its folder."));
    }
    Ok(input)
}

/// Upscale steps until the scale is reached, and a resize where it was passed; of pictures of
/// `size`.
pub(crate) fn upscale_ops(model: &str, model_scale: u32, scale: u32, size: (u32, u32)) -> Vec<Op> {
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
            width: size.0.saturating_mul(scale),
            height: size.1.saturating_mul(scale),
        }));
    }
    ops
}

pub(crate) fn no_picture(input: &Path, info: &MediaInfo) -> AppError {
    let holds = |kind| info.streams.iter().any(|stream| stream.kind == kind);
    let what = match (holds(StreamKind::Audio), holds(StreamKind::Subtitle)) {
        (true, _) => said!(
            "file.only_sound",
            "`{path}` holds sound and no picture.",
            path = input.display()
        ),
        (false, true) => said!(
            "file.only_subtitles",
            "`{path}` holds subtitles and no picture.",
            path = input.display()
        ),
        (false, false) => said!(
            "file.nothing_to_enlarge",
            "`{path}` holds no picture that can be enlarged.",
            path = input.display()
        ),
    };
    AppError::new(ErrorCode::InputUnsupported, what)
        .hint(explain::hint(ErrorCode::InputUnsupported).unwrap_or_default())
        .details(format!("container: {}", info.container))
}
