//! From what was asked for to what will be done, before anything is done.
//!
//! A plan is data: it is stored with the job, shown to the user, and made only once, so that a
//! resumed run does exactly what the first one began.

mod again;
mod alone;
mod clips;
mod cut;
mod inputs;
mod print;
mod result;

pub use alone::{AloneClip, AlonePlan};
pub(crate) use alone::{PLACE, mux_plan, spans as alone_spans};
pub use clips::Stretch;
pub(crate) use clips::{clip_of, refuse_retimed, spans};
pub use cut::{CutPlan, Hole};
#[cfg(test)]
pub(crate) use inputs::probe;
pub(crate) use inputs::probe_input;
pub use print::InputPrint;
pub(crate) use print::hex;
pub(crate) use result::{encoder_spec, left_out, settled_color, uncuttable, upright, upright_turn};

use crate::EngineError;
use crate::nodes::{
    Joints, Models, Pace, check_subtitles, finding_provider, manifest_of, missing_letters,
};
use crate::sound::{self, SoundPlan};
use again::this_program;
use clips::join_clips;
use frameloom_core::graph::{Layout, OnnxParams, Op, SubtitlesParams};
use frameloom_core::job::{JobSpec, PictureSizes, ProviderChoice};
use frameloom_core::media::{MediaInfo, MediaKind, VideoInfo, Warning};
use frameloom_core::model::ModelManifest;
use frameloom_core::pixel::PixelFormat;
use frameloom_core::said;
use frameloom_core::segment::SegmentLength;
use frameloom_core::time::{FrameRate, Rational, TimeBase};
use frameloom_media::Container;
use frameloom_still::StillFormat;
use inputs::{Inputs, visit};
use result::{copy_plan, field_warning, has_profile, makes_pictures, picture_plan, segment_length};
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
    /// Source and result in pixels; `None` where no pictures take part.
    pub sizes: Option<PictureSizes>,
    /// What only a clip, only a picture, or only sound has.
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

/// Clip, picture or sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediumPlan {
    /// A clip.
    Video(VideoPlan),
    /// A picture that the `still` crate reads.
    Still,
    /// A picture that ffmpeg reads (AVIF).
    StillByFfmpeg,
    /// Sound and no pictures.
    Sound(AlonePlan),
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
    /// What is left out inside of that stretch; never where clips are joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<CutPlan>,
    /// How many times as long everything of the clip lasts in the result, more than 1; never where
    /// clips are joined. As long as it did where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<Rational>,
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
    /// Nothing is done to the pictures: they are copied, and encoded only if that fails.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copies: bool,
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
    /// What stands for an encoder where pictures are copied, as ffmpeg names it.
    pub const COPY: &'static str = "copy";

    /// What makes the coded pictures of the result: an encoder, or [`VideoPlan::COPY`].
    pub fn pictures_encoder(&self) -> &str {
        match self.copies {
            true => Self::COPY,
            false => &self.encoder,
        }
    }

    /// The stream and the stretch of each clip, in order.
    pub fn clips(&self) -> Vec<(u32, Option<Stretch>)> {
        match &self.joined {
            Some(joined) => joined.clips.iter().map(|c| (c.stream, c.stretch)).collect(),
            None => vec![(self.stream, self.stretch)],
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
            reason: said!(
                "clip.picture_with_sound",
                "a picture holds neither sound nor subtitles; leave their wires away"
            ),
        });
    }
    if alone::is_alone(spec, info, &layout) {
        return alone::plan_alone(spec, info, &layout);
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
                reason: error.said(),
            })?;
            files.push((path.to_owned(), print));
        }
        if let Some(model) = model
            && !uses.iter().any(|u| u.id == *model)
        {
            let manifest = models.manifest(model)?;
            uses.push(ModelUse {
                id: manifest.id,
                // What finds something computes nowhere else.
                choice: (manifest.task.finds()).then(|| finding_provider(&spec.device)),
                sha256: manifest.sha256,
            });
        }
    }
    let mut infos = BTreeMap::from([(layout.main_input(), info.clone())]);
    let mut cuts = Vec::new();
    let mut boxes = Vec::new();
    for line in &layout.pictures {
        visit(line, &mut |step| {
            boxes.extend(missing_letters(step.id, step.op));
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
                    reason: said!(
                        "clip.still",
                        "a still picture has no length and cannot be joined with clips"
                    ),
                });
            }
            StillFormat::for_output(&spec.output)?;
            // Whether the transparency of these can be read, or is any, shows when they are read.
            let sure = still && info.container != "gif";
            let makes_alpha = line
                .steps
                .iter()
                .any(|step| matches!(step.op, Op::Background(_)));
            let picture = VideoInfo {
                alpha: match makes_alpha {
                    true => format.pixels.alpha,
                    false => video.alpha && sure,
                },
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
            let container = Container::from_path(&spec.output)?;
            let clip = clip_of(line, info, spec)?;
            let joined = join_clips(&layout, &inputs, format.pace, &mut joints, &mut warnings)?;
            let mut drop = left_out(spec, stream);
            if clip.cut.is_some() {
                warnings.extend(uncuttable(info, stream, &mut drop));
            }
            let planned = sound::plan_sound(&sound::Request {
                spec,
                layout: &layout,
                main: info,
                container,
                clips: &spans(stream, clip.stretch, joined.as_ref(), layout.main_input()),
                is_changed: clip.cut.is_some() || clip.slow.is_some(),
                is_alone: false,
                drop: &drop,
            })?;
            let sound = planned.map(|planned| {
                warnings.extend(planned.warnings);
                files.extend(planned.files);
                drop.extend(planned.plan.replaced());
                Box::new(planned.plan)
            });
            let is_whole = clip.stretch.is_none() && clip.cut.is_none() && joined.is_none();
            let copy = match sound.is_some() && upright.is_none() && is_whole {
                true => copy_plan(spec, line, info, container, &drop),
                false => Ok(None),
            };
            let copy = copy.unwrap_or_else(|why| {
                warnings.push(Warning::PicturesEncoded { why });
                None
            });
            let copies = copy.is_some();
            if copies {
                // What is said of pictures that are worked on.
                warnings.retain(|warning| !matches!(warning, Warning::HdrMetadataDropped { .. }));
            }
            let mux = match copy {
                Some(plan) => plan,
                None => {
                    warnings.extend(field_warning(&ops, video));
                    frameloom_media::plan_mux(info, container, &drop)?.complete(info, &drop)?
                }
            };
            warnings.extend(mux.dropped);
            let encoder_spec = encoder_spec(&spec.encode, container, stream, &format, None, 1);
            let encoder = frameloom_media::plan_encoder(&encoder_spec)?;
            if !copies {
                warnings.extend(encoder.warnings(&encoder_spec));
            }
            if container != Container::Pictures && has_profile(spec)? {
                warnings.push(Warning::dropped(said!(
                    "lost.profile_of_pictures",
                    "the colour profile of the pictures, which only numbered pictures keep"
                )));
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
                let more = clip_of(line, inputs.info(line)?, spec)?.frames;
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
                cut: clip.cut,
                slow: clip.slow,
                upright: upright.is_some(),
                frame_rate: format.pace.frame_rate,
                result_frames: frames
                    .map(|frames| at_rate(frames, input.pace, format.pace, clip.slow)),
                pixels: Some(format.pixels),
                joined,
                encoder_threads: None,
                sound,
                copies,
            })
        }
    };
    let (matrix, guessed) = video.color.matrix_or_guess(video.width, video.height);
    let needs_matrix = ops.iter().any(|(_, op)| match op {
        Op::Color(_) | Op::Overlay(_) | Op::Text(_) | Op::Subtitles(_) | Op::Concat => true,
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
        sizes: Some(PictureSizes {
            input: (input.width, input.height),
            output: (format.width, format.height),
        }),
        medium,
        warnings,
    })
}

/// Width and height in pixels of what the pictures of a job's main input become, without planning
/// the rest of the job.
///
/// # Errors
/// As [`plan`], for what is known of the pictures.
pub fn result_size(
    spec: &JobSpec,
    info: &MediaInfo,
    models: &dyn Models,
) -> Result<(u32, u32), EngineError> {
    let none = || EngineError::NoFrames {
        path: spec.input.clone(),
    };
    let layout = spec.graph.layout()?;
    let (stream, _) = info.main_video().ok_or_else(none)?;
    let line = layout.pictures.first().ok_or_else(none)?;
    let is_turned = info.kind != MediaKind::Still && upright(spec, stream).is_some();
    let inputs = Inputs {
        spec,
        infos: BTreeMap::from([(layout.main_input(), info.clone())]),
        models,
    };
    let format = inputs.result(line, is_turned, &mut Joints::default())?;
    Ok((format.width, format.height))
}

/// About how many frames come of `frames` where the nodes change their rate, or how long they last.
fn at_rate(frames: u64, from: Pace, to: Pace, slow: Option<Rational>) -> u64 {
    let slow = slow.map_or(1.0, Rational::to_f64);
    match (from.frame_rate, to.frame_rate) {
        (Some(from), Some(to)) if from != to || slow > 1.0 => {
            let times = to.ratio().to_f64() / from.ratio().to_f64();
            (frames as f64 * times * slow).round() as u64
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
) -> Result<Vec<(Option<&'a str>, Option<(&'a str, &'a Path)>)>, EngineError> {
    let mut found = Vec::new();
    let mut texts = Vec::new();
    for line in &layout.pictures {
        visit(line, &mut |step| {
            if let Some(model) = step.op.model() {
                found.push((Some(model), None));
            }
            let file = match step.op {
                Op::Color(params) => params.lut.as_ref(),
                Op::Onnx(params) => Some(&params.path),
                Op::Text(params) => {
                    texts.extend(SubtitlesParams::of_text(params).map(|file| (step.id, file)));
                    params.file.as_ref()
                }
                Op::Subtitles(params) => {
                    texts.push((step.id, params.as_ref().clone()));
                    Some(&params.file)
                }
                _ => None,
            };
            if let Some(file) = file {
                found.push((None, Some((step.id, Path::new(file)))));
            }
        });
    }
    for (node, params) in texts {
        check_subtitles(node, &params)?;
    }
    Ok(found)
}
