//! From what was asked for to what will be done, before anything is done.
//!
//! A plan is data: it is stored with the job, shown to the user, and made only once, so that a
//! resumed run does exactly what the first one began.

mod clips;
mod print;

pub use clips::Stretch;
pub(crate) use clips::{clip_of, spans};
pub use print::InputPrint;
pub(crate) use print::hex;

use crate::EngineError;
use crate::nodes::{
    Joints, Models, Pace, PictureFormat, Turn, check_text_file, manifest_of, missing_letters,
};
use crate::sound::{self, SoundPlan};
use clips::join_clips;
use frameloom_core::color::ColorInfo;
use frameloom_core::graph::{
    DeinterlaceRate, InterlacedFrames, Layout, Line, OnnxParams, Op, Step,
};
use frameloom_core::job::{EncodeSpec, JobSpec, PictureSizes, ProviderChoice, TrackChoice};
use frameloom_core::media::{MediaInfo, MediaKind, StreamInfo, VideoInfo, Warning};
use frameloom_core::model::ModelManifest;
use frameloom_core::pixel::{PixelFormat, Planes};
use frameloom_core::segment::SegmentLength;
use frameloom_core::sequence::NumberPattern;
use frameloom_core::time::{FrameRate, Rational, TimeBase};
use frameloom_media::{AnimationInput, AnimationPlan, Container, EncoderSpec};
use frameloom_still::StillFormat;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Version of the plan that this program makes and runs.
/// Plans of version 1 know neither a stretch of the clip nor other files, and run as they are.
pub const PLAN_VERSION: u32 = 2;

/// What will be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// The program that made the plan, and the libraries that it reads clips with; plans of older
    /// programs do not say.
    #[serde(default)]
    pub program: Option<String>,
    /// The input as it was.
    pub input: InputPrint,
    /// Every model with the hash of its weights.
    pub models: Vec<ModelUse>,
    /// Every other file that takes part, such as a lookup table, as it was.
    #[serde(default)]
    pub files: Vec<(PathBuf, InputPrint)>,
    /// ONNX files of the user, with what was found of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub onnx: Vec<OnnxUse>,
    /// Source and result in pixels.
    pub sizes: PictureSizes,
    /// What only a clip, or only a picture has.
    pub medium: MediumPlan,
    /// What the user should know before it starts.
    pub warnings: Vec<Warning>,
}

/// An ONNX file that takes part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OnnxUse {
    /// As the node names it.
    pub params: OnnxParams,
    /// How it is fed; found once, so that every run of the job feeds it so.
    pub manifest: ModelManifest,
}

/// A model that takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelUse {
    /// Its id.
    pub id: String,
    /// Hash of its weights.
    pub sha256: String,
    /// Where it computes and in which numbers, once that is chosen: the same in every run of the
    /// job.
    #[serde(default)]
    pub choice: Option<ProviderChoice>,
}

/// Clip or picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "there is one plan at a time")]
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
    /// Frames per second of the result, where it is known.
    #[serde(default)]
    pub frame_rate: Option<FrameRate>,
    /// Frames of the result, where they are known; as many as there are in the source for plans of
    /// older versions.
    #[serde(default)]
    pub result_frames: Option<u64>,
    /// Samples of the pictures that are coded; unknown to plans of older versions.
    #[serde(default)]
    pub pixels: Option<PixelFormat>,
    /// Threads of the encoder, once they are settled: what it makes may depend on their number.
    #[serde(default)]
    pub encoder_threads: Option<usize>,
    /// Clips that are shown after the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Joined>,
    /// Sound and subtitles, where the graph says something of them.
    #[serde(default)]
    pub sound: Option<Box<SoundPlan>>,
}

/// Clips that are shown one after another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Joined {
    /// How the times of the result are counted.
    pub time_base: TimeBase,
    /// All of them, in order.
    pub clips: Vec<ClipPlan>,
}

/// One of several clips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClipPlan {
    /// Name of its input.
    pub input: String,
    /// The stream that is processed.
    pub stream: u32,
    /// The stretch of it that is kept.
    pub stretch: Option<Stretch>,
    /// Time of its first picture in the result, in ticks of [`Joined::time_base`].
    pub at_ticks: i64,
    /// Microseconds from the first picture of all to its own.
    pub at_micros: i64,
    /// Where its pictures begin and end, in the time of its file.
    pub from_micros: i64,
    /// The first moment behind them.
    pub to_micros: i64,
}

impl VideoPlan {
    /// The stream and the stretch of each clip, in order.
    pub fn clips(&self) -> Vec<(u32, Option<Stretch>)> {
        match &self.joined {
            Some(joined) => joined.clips.iter().map(|c| (c.stream, c.stretch)).collect(),
            None => vec![(self.stream, self.stretch)],
        }
    }
}

/// What a file is: by the reader of still pictures, or by ffmpeg.
pub(crate) fn probe(path: &Path) -> Result<MediaInfo, EngineError> {
    if frameloom_still::is_still(path)? {
        return Ok(frameloom_still::probe(path)?);
    }
    Ok(frameloom_media::probe(path)?)
}

/// What the input of a job that its graph calls `name` is: a file, or numbered pictures.
pub(crate) fn probe_input(spec: &JobSpec, name: &str) -> Result<MediaInfo, EngineError> {
    match spec.pictures_of(name) {
        Some(run) => Ok(frameloom_media::probe_pictures(spec.path_of(name), run)?),
        None => probe(spec.path_of(name)),
    }
}

/// The inputs of a job, as the plan knows them.
struct Inputs<'a> {
    spec: &'a JobSpec,
    infos: BTreeMap<&'a str, MediaInfo>,
    models: &'a dyn Models,
}

impl<'a> Inputs<'a> {
    fn info(&self, line: &Line<'_>) -> Result<&MediaInfo, EngineError> {
        self.infos
            .get(line.input)
            .ok_or_else(|| EngineError::NoFrames {
                path: self.spec.path_of(line.input).to_owned(),
            })
    }

    /// The pictures of a line's input as its first node gets them.
    fn format(&self, line: &Line<'_>, turn: bool) -> Result<PictureFormat, EngineError> {
        let info = self.info(line)?;
        let path = self.spec.path_of(line.input);
        let (stream, video) = info
            .main_video()
            .ok_or_else(|| EngineError::NoFrames { path: path.into() })?;
        let mut input = picture_format(stream, video, info.kind);
        if info.kind == MediaKind::Still
            && let Some(turn) = upright_turn(stream)
        {
            // It is turned upright when it is read.
            input = turn.format(&input);
        }
        Ok(match upright_turn(stream) {
            Some(turn_by) if turn && info.kind != MediaKind::Still => turn_by.format(&input),
            _ => input,
        })
    }

    /// What a line makes of its pictures.
    fn result(
        &self,
        line: &Line<'_>,
        turn: bool,
        joints: &mut Joints,
    ) -> Result<PictureFormat, EngineError> {
        let mut format = self.format(line, turn)?;
        for step in &line.steps {
            let over = match &step.side {
                Some(side) => Some(self.result(side, true, &mut Joints::default())?),
                None => None,
            };
            format = joints.after(step, &format, over.as_ref(), self.models)?;
        }
        Ok(format)
    }
}

/// Every step of a job, those of second inputs included.
fn visit<'a>(line: &Line<'a>, seen: &mut dyn FnMut(&Step<'a>)) {
    for step in &line.steps {
        seen(step);
        if let Some(side) = &step.side {
            visit(side, seen);
        }
    }
}

/// Plans a job. `info` is the probe of `spec.input`.
///
/// # Errors
/// The graph is not one, an input holds nothing that can be processed, the output's format
/// cannot hold the result, or a model is missing.
pub fn plan(spec: &JobSpec, info: &MediaInfo, models: &dyn Models) -> Result<Plan, EngineError> {
    let layout = spec.graph.layout()?;
    let says_sound = layout.sound.is_some() || layout.subtitles.is_some();
    if info.kind == MediaKind::Still && says_sound {
        return Err(EngineError::Node {
            node: "sink".to_owned(),
            reason: "a picture holds neither sound nor subtitles; leave their wires away"
                .to_owned(),
        });
    }
    let mut uses: Vec<ModelUse> = Vec::new();
    let mut files: Vec<(PathBuf, InputPrint)> = Vec::new();
    let onnx = onnx_of(&layout, models)?;
    for file in &onnx {
        if !uses.iter().any(|u| u.id == file.manifest.id) {
            uses.push(ModelUse {
                id: file.manifest.id.clone(),
                sha256: file.manifest.sha256.clone(),
                choice: None,
            });
        }
    }
    for (model, path) in uses_of(&layout)? {
        if let Some((node, path)) = path {
            let print = InputPrint::take(path).map_err(|error| EngineError::Node {
                node: node.to_owned(),
                reason: error.to_string(),
            })?;
            files.push((path.to_owned(), print));
        }
        if let Some(model) = model
            && !uses.iter().any(|u| u.id == *model)
        {
            let manifest = models.manifest(model)?;
            uses.push(ModelUse {
                id: manifest.id,
                sha256: manifest.sha256,
                choice: None,
            });
        }
    }
    let mut infos = BTreeMap::from([(layout.main_input(), info.clone())]);
    let mut cuts = Vec::new();
    let mut boxes = Vec::new();
    for line in &layout.pictures {
        visit(line, &mut |step| {
            if let Op::Text(params) = step.op {
                boxes.extend(missing_letters(step.id, params));
            }
        });
    }
    for name in layout.inputs().into_iter().skip(1) {
        let path = spec.path_of(name);
        let found = probe_input(spec, name)?;
        let cut = |warning: &&Warning| matches!(warning, Warning::Cropped { .. });
        cuts.extend(found.warnings.iter().filter(cut).cloned());
        infos.insert(name, found);
        files.push((path.to_owned(), InputPrint::of_input(spec, name)?));
    }
    let inputs = Inputs {
        spec,
        infos,
        models,
    };
    let (stream, video) = info.main_video().ok_or_else(|| EngineError::NoFrames {
        path: spec.input.clone(),
    })?;
    let Some(line) = layout.pictures.first() else {
        return Err(EngineError::NoFrames {
            path: spec.input.clone(),
        });
    };
    let ops = line.ops();
    let mut warnings = info.warnings.clone();
    warnings.extend(cuts);
    warnings.extend(boxes);
    // The probe guesses for whoever may convert; whether this job does is known below.
    warnings.retain(|warning| !matches!(warning, Warning::GuessedMatrix { .. }));
    let is_clip = info.kind != MediaKind::Still;
    let still = !is_clip && frameloom_still::is_still(&spec.input)?;
    let upright = upright(spec, stream).filter(|_| is_clip);
    let input = inputs.format(line, false)?;
    let mut joints = Joints::default();
    let format = inputs.result(line, upright.is_some(), &mut joints)?;
    let medium = match info.kind {
        MediaKind::Still => {
            if layout.pictures.len() > 1 {
                return Err(EngineError::Node {
                    node: line.source.to_owned(),
                    reason: "a still picture has no length and cannot be joined with clips"
                        .to_owned(),
                });
            }
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
            let container = Container::from_path(&spec.output)?;
            let clip = clip_of(line, info)?;
            let joined = join_clips(&layout, &inputs, format.pace, &mut joints, &mut warnings)?;
            let mut drop = left_out(spec, stream);
            let planned = sound::plan_sound(&sound::Request {
                spec,
                layout: &layout,
                main: info,
                container,
                clips: &spans(stream, clip.stretch, joined.as_ref(), layout.main_input()),
                drop: &drop,
            })?;
            let sound = planned.map(|planned| {
                warnings.extend(planned.warnings);
                files.extend(planned.files);
                drop.extend(planned.plan.replaced());
                Box::new(planned.plan)
            });
            let mux = frameloom_media::plan_mux(info, container, &drop)?.complete(info, &drop)?;
            warnings.extend(mux.dropped);
            let encoder_spec = encoder_spec(&spec.encode, container, stream, &format, None, 1);
            let encoder = frameloom_media::plan_encoder(&encoder_spec)?;
            warnings.extend(encoder.warnings(&encoder_spec));
            if container != Container::Pictures && has_profile(spec)? {
                warnings.push(Warning::Dropped {
                    what: "the colour profile of the pictures, which only numbered pictures keep"
                        .to_owned(),
                });
            }
            // The parts of pictures are of another codec than the pictures themselves.
            let (encoder_name, parameters) = match picture_plan(spec, container, &format, video)? {
                Some(plan) => {
                    warnings.extend(plan.warnings);
                    (plan.encoder, plan.parameters)
                }
                None => (encoder.name, encoder.parameters),
            };
            let mut frames = clip.frames;
            for line in layout.pictures.iter().skip(1) {
                let more = clip_of(line, inputs.info(line)?)?.frames;
                frames = frames.zip(more).map(|(a, b)| a + b);
            }
            MediumPlan::Video(VideoPlan {
                stream: stream.index,
                segment_length: segment_length(video),
                frames_estimate: frames,
                container: container.extension().to_owned(),
                encoder: encoder_name,
                parameters,
                stretch: clip.stretch,
                upright: upright.is_some(),
                frame_rate: format.pace.frame_rate,
                result_frames: frames.map(|frames| at_rate(frames, input.pace, format.pace)),
                pixels: Some(format.pixels),
                joined,
                encoder_threads: None,
                sound,
            })
        }
    };
    let (matrix, guessed) = video.color.matrix_or_guess(video.width, video.height);
    let needs_matrix = ops.iter().any(|(_, op)| match op {
        Op::Color(_) | Op::Overlay(_) | Op::Text(_) | Op::Concat => true,
        op => manifest_of(op, models).is_ok_and(|manifest| {
            manifest.is_some_and(|m| m.input.color != frameloom_core::model::TensorColor::Luma)
        }),
    });
    let crosses = video.color.matrix_or_guess(format.width, format.height).0 != matrix;
    // Pictures are made of red, green and blue.
    let to_rgb = info.kind == MediaKind::Video && makes_pictures(spec);
    let yuv = ["yuv", "nv", "p0"];
    let has_matrix = yuv.iter().any(|name| video.pixel_format.starts_with(name));
    let needs_matrix = needs_matrix || crosses || (to_rgb && has_matrix);
    if guessed && info.kind == MediaKind::Video && needs_matrix {
        warnings.push(Warning::GuessedMatrix {
            matrix: format!("{matrix:?}").to_uppercase().replace("BT", "BT."),
        });
    }
    Ok(Plan {
        version: PLAN_VERSION,
        program: Some(this_program()),
        input: InputPrint::of(spec)?,
        models: uses,
        files,
        onnx,
        sizes: PictureSizes {
            input: (input.width, input.height),
            output: (format.width, format.height),
        },
        medium,
        warnings,
    })
}

/// About how many frames come of `frames` where the nodes change their rate.
fn at_rate(frames: u64, from: Pace, to: Pace) -> u64 {
    match (from.frame_rate, to.frame_rate) {
        (Some(from), Some(to)) if from != to => {
            let times = to.ratio().to_f64() / from.ratio().to_f64();
            (frames as f64 * times).round() as u64
        }
        _ => frames,
    }
}

/// What is found of the ONNX files that the nodes name.
fn onnx_of(layout: &Layout<'_>, models: &dyn Models) -> Result<Vec<OnnxUse>, EngineError> {
    let mut files: Vec<&OnnxParams> = Vec::new();
    for line in &layout.pictures {
        visit(line, &mut |step| {
            if let Op::Onnx(params) = step.op
                && !files.contains(&params)
            {
                files.push(params);
            }
        });
    }
    files
        .into_iter()
        .map(|params| {
            Ok(OnnxUse {
                params: params.clone(),
                manifest: models.onnx(params)?,
            })
        })
        .collect()
}

/// Models and files that the nodes name: a model's id, or a node with its file.
#[expect(clippy::type_complexity, reason = "one of the two, for each use")]
fn uses_of<'a>(
    layout: &Layout<'a>,
) -> Result<Vec<(Option<&'a String>, Option<(&'a str, &'a Path)>)>, EngineError> {
    let mut found = Vec::new();
    let mut texts = Vec::new();
    for line in &layout.pictures {
        visit(line, &mut |step| {
            if let Some(model) = model_of(step.op) {
                found.push((Some(model), None));
            }
            let file = match step.op {
                Op::Color(params) => params.lut.as_ref(),
                Op::Onnx(params) => Some(&params.path),
                Op::Text(params) => {
                    texts.extend(params.file.as_ref().map(|file| (step.id, file)));
                    params.file.as_ref()
                }
                _ => None,
            };
            if let Some(file) = file {
                found.push((None, Some((step.id, Path::new(file)))));
            }
        });
    }
    for (node, file) in texts {
        check_text_file(node, Path::new(file))?;
    }
    Ok(found)
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
    let depends = spec.graph.nodes.iter().any(|node| {
        matches!(
            node.op,
            Op::Crop(_)
                | Op::Pad(_)
                | Op::Rotate(_)
                | Op::Flip(_)
                | Op::Resize(_)
                | Op::Overlay(_)
                | Op::Text(_)
                | Op::Concat
        )
    });
    // Pictures alone have no note for a player.
    let wanted = (spec.upright && depends) || makes_pictures(spec);
    upright_turn(stream).filter(|_| wanted)
}

/// The turn by which players show the pictures of a stream.
pub(crate) fn upright_turn(stream: &StreamInfo) -> Option<Turn> {
    let video = stream.video.as_ref()?;
    let degrees = video.rotation_degrees.rem_euclid(360);
    let turn = Turn {
        mirror: video.mirrored,
        quarters: (degrees / 90) as u8,
    };
    // A turn by another angle stays with the player.
    (degrees % 90 == 0 && !turn.is_none()).then_some(turn)
}

/// True if the result is pictures alone: an animation, or one file for each frame.
fn makes_pictures(spec: &JobSpec) -> bool {
    Container::from_path(&spec.output).is_ok_and(Container::is_pictures)
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

/// True if the first of numbered pictures has a colour profile.
fn has_profile(spec: &JobSpec) -> Result<bool, EngineError> {
    let (Some(run), Some(names)) = (spec.pictures, NumberPattern::of_path(&spec.input)) else {
        return Ok(false);
    };
    let first = names.path(&spec.input, run.first);
    Ok(frameloom_still::is_still(&first)?
        && frameloom_still::read(&first, &frameloom_still::Limits::default())?
            .metadata
            .icc
            .is_some())
}

/// How a result of pictures alone is written; `None` for any other.
fn picture_plan(
    spec: &JobSpec,
    container: Container,
    format: &PictureFormat,
    video: &VideoInfo,
) -> Result<Option<AnimationPlan>, EngineError> {
    if container.is_animation() {
        let input = AnimationInput {
            width: format.width,
            height: format.height,
            format: format.pixels,
            color: format.color.clone(),
            frame_rate: format.pace.frame_rate,
            sample_aspect_ratio: format.sample_aspect_ratio,
        };
        let plan = frameloom_media::plan_animation(container, spec.encode.quality, &input)?;
        return Ok(Some(plan));
    }
    if container != Container::Pictures {
        return Ok(None);
    }
    let still = StillFormat::for_output(&spec.output)?;
    if format.color.is_hdr() && still != StillFormat::Png {
        let what = format!(
            "pictures of high dynamic range cannot go into {}, which could not say what they mean; \
             name the result .png",
            still.name()
        );
        return Err(frameloom_media::MediaError::InvalidRequest { what }.into());
    }
    let picture = VideoInfo {
        alpha: format.pixels.alpha,
        bit_depth: format.pixels.bits,
        ..video.clone()
    };
    let size = (format.width, format.height);
    frameloom_still::check_output(&spec.output, &picture, size, spec.encode.quality)?;
    // A PNG says what its colours are, and a profile says it in every format.
    let says = still == StillFormat::Png || has_profile(spec)?;
    let lost = frameloom_media::lost_in_srgb(&format.color, still.name()).filter(|_| !says);
    let warnings = lost.map(|what| Warning::Dropped {
        what: format!("{what}; pictures named .png keep them"),
    });
    Ok(Some(AnimationPlan {
        encoder: still.extension().to_owned(),
        parameters: Vec::new(),
        warnings: warnings.into_iter().collect(),
    }))
}

/// What is done about fields.
fn field_warning(ops: &[(&str, &Op)], video: &VideoInfo) -> Option<Warning> {
    let deinterlace = ops.iter().find_map(|(_, op)| match op {
        Op::Deinterlace(params) => Some(params),
        _ => None,
    });
    match deinterlace {
        Some(params) if video.field_order.is_interlaced() => Some(Warning::Deinterlaced {
            doubles_rate: params.rate == DeinterlaceRate::Field,
        }),
        // Frames that do not say that they are interlaced are left as they are.
        Some(params) if params.frames == InterlacedFrames::Flagged => None,
        Some(_) => Some(Warning::DeinterlacedAnyway),
        None => video
            .field_order
            .is_interlaced()
            .then_some(Warning::Interlaced),
    }
}

/// This program and the libraries that it reads clips with, each with its version.
fn this_program() -> String {
    let mut text = format!("frameloom {}", env!("CARGO_PKG_VERSION"));
    for library in frameloom_media::libraries() {
        text.push_str(&format!(", {} {}", library.name, library.version));
    }
    text
}

impl Plan {
    /// Checks that this program sees pictures of the size in the inputs that the plan was made for,
    /// before a job goes on with it. Everything else a job does as it was planned.
    ///
    /// # Errors
    /// [`EngineError::ProgramChanged`]: call it behind [`Plan::check_unchanged`].
    pub fn check_program(&self, spec: &JobSpec, models: &dyn Models) -> Result<(), EngineError> {
        let info = match spec.pictures {
            Some(run) => frameloom_media::probe_pictures(&spec.input, run)?,
            None => probe(&spec.input)?,
        };
        // What this program would refuse today was planned all the same, and is tried.
        let Ok(now) = plan(spec, &info, models) else {
            return Ok(());
        };
        let text = |sizes: PictureSizes| {
            let ((iw, ih), (ow, oh)) = (sizes.input, sizes.output);
            format!("pictures of {iw} x {ih} that become {ow} x {oh}")
        };
        if now.sizes == self.sizes {
            return Ok(());
        }
        Err(EngineError::ProgramChanged {
            what: format!(
                "it sees {} where there were {}",
                text(now.sizes),
                text(self.sizes)
            ),
        })
    }

    /// The failure of a run whose inputs were found unchanged: if one turns out otherwise than in an
    /// earlier run, it is the program that changed, unless it is the very same.
    pub(crate) fn blame(&self, error: EngineError) -> EngineError {
        match error {
            EngineError::InputChanged { what, .. } if self.program != Some(this_program()) => {
                EngineError::ProgramChanged { what }
            }
            other => other,
        }
    }

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
        let of_file = |id: &str| self.onnx.iter().any(|file| file.manifest.id == id);
        // Files are among those above.
        for model in self.models.iter().filter(|model| !of_file(&model.id)) {
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
    let yuv = PixelFormat::YUV420P8;
    PictureFormat {
        width: video.width,
        height: video.height,
        pixels: PixelFormat {
            planes: match video.pixel_format.as_str() {
                // Pictures are worked on as they are read: in full resolution of colour.
                _ if kind == MediaKind::Still => Planes::Gbr,
                name if name.starts_with("gray") => Planes::Gray,
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
    EncoderSpec {
        codec: encode.codec,
        quality: encode.quality,
        container,
        width: format.width,
        height: format.height,
        format: format.pixels,
        time_base: format.pace.time_base,
        frame_rate: format.pace.frame_rate,
        color: settled_color(stream, format),
        sample_aspect_ratio: positive(format.sample_aspect_ratio),
        threads,
        hdr,
    }
}

/// What the samples of pictures of `format` mean, which were made of those of `stream`.
pub(crate) fn settled_color(stream: &StreamInfo, format: &PictureFormat) -> ColorInfo {
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
    color
}

fn positive(ratio: Rational) -> Rational {
    if ratio.num > 0 {
        ratio
    } else {
        Rational { num: 1, den: 1 }
    }
}
