//! What each operation of a graph does to a picture.
//!
//! A node is a [`Filter`], one frame in and one frame out, or [`Temporal`], which has a memory.
//! Its output is known before anything is opened ([`output_format`]), so a plan can be shown and
//! the encoder chosen first.

mod background;
mod captions;
mod color;
mod crop;
mod cubic;
mod depth;
mod ffmpeg;
mod grid;
mod guided;
mod interpolate;
mod joint;
mod layer;
mod letters;
mod light;
mod lut;
mod overlay;
mod pad;
pub(crate) mod planes;
mod portion;
mod redact;
mod refined;
mod reframe;
mod scale;
mod stabilise;
mod steady;
mod style;
mod temporal;
mod text;
mod turn;
mod upscale;
mod windowed;

pub(crate) use captions::{check_subtitles, read_lines};
pub(crate) use joint::{At, Joints, Shift, fit_inside};
pub(crate) use letters::missing_letters;
pub(crate) use overlay::{Over, OverSource, SharedOver};
pub use portion::Portion;
pub(crate) use portion::{Patience, open_patiently};
pub use redact::{Appearance, Appearances, FacePicture};
pub(crate) use redact::{Watch, provider as finding_provider};
pub use reframe::reframed_size;
pub(crate) use temporal::source_window;
pub use temporal::{Give, Temporal, Timed, Window};
pub(crate) use turn::Turn;
pub(crate) use upscale::RGB_LUMA;

use crate::EngineError;
use crate::compute::Sessions;
pub use crate::verify::{Rect, Seams};
use frameloom_core::color::{ColorInfo, Matrix, Range};
use frameloom_core::graph::{DeinterlaceRate, OnnxParams, Op, SubtitlesParams};
use frameloom_core::job::{Device, ProviderChoice};
use frameloom_core::model::{ModelManifest, Task};
use frameloom_core::pixel::{PixelFormat, Planes};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::time::{FrameRate, Rational, TimeBase};
use frameloom_infer::{CancelHandle, InferError, InferenceSession, Model, Runtime};
use frameloom_media::{FilterInput, Frame};
use std::path::Path;
use std::sync::Arc;

/// What flows along a wire.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureFormat {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Layout of the samples.
    pub pixels: PixelFormat,
    /// Colour tags.
    pub color: ColorInfo,
    /// Width of a pixel by its height.
    pub sample_aspect_ratio: Rational,
    /// How times are counted.
    pub pace: Pace,
}

/// How the times of frames are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Seconds per tick.
    pub time_base: TimeBase,
    /// Frames per second on average, where it is known.
    pub frame_rate: Option<FrameRate>,
}

impl Pace {
    /// A picture by itself has no pace.
    pub const STILL: Pace = Pace {
        time_base: TimeBase::MICROS,
        frame_rate: None,
    };
}

/// A node that makes one frame from one frame.
pub trait Filter: Send {
    /// What comes out.
    fn output(&self) -> &PictureFormat;
    /// Processes one frame; timing, tags and side data go along.
    ///
    /// # Errors
    /// The model or ffmpeg fails, or the result is not finite.
    fn process(&mut self, frame: &Frame) -> Result<Frame, EngineError>;
    /// The part of the pictures that it lays something over, in pixels, where that is always the
    /// same.
    fn covers(&self) -> Option<Rect> {
        None
    }
    /// Where the tiles of its model meet, in pixels of its input.
    fn seams(&self) -> Option<Seams> {
        None
    }
    /// Stops a call of [`Filter::process`] from another thread, where one can take long.
    fn cancel_handle(&self) -> Option<CancelHandle> {
        None
    }
}

/// Finds models by id.
pub trait Models {
    /// The manifest of a model.
    ///
    /// # Errors
    /// There is no such model, or its manifest is damaged.
    fn manifest(&self, id: &str) -> Result<ModelManifest, EngineError>;
    /// The model with its checked weights.
    ///
    /// # Errors
    /// There is no such model, or its files are damaged.
    fn load(&self, id: &str) -> Result<Model, EngineError>;
    /// What was found of an ONNX file.
    ///
    /// # Errors
    /// It cannot be read, or makes no picture of a picture.
    fn onnx(&self, file: &OnnxParams) -> Result<ModelManifest, EngineError> {
        Err(no_files(file))
    }
    /// An ONNX file with what was found of it.
    ///
    /// # Errors
    /// It is not the one that was inspected.
    fn load_onnx(&self, file: &OnnxParams) -> Result<Model, EngineError> {
        Err(no_files(file))
    }
}

/// The refusal of who knows installed models only.
fn no_files(file: &OnnxParams) -> EngineError {
    let reason = said!(
        "model.no_files",
        "no one here can look into {path}",
        path = file.path.as_str()
    );
    InferError::NotPictureToPicture { reason }.into()
}

/// The manifest of the model that an operation names, if it names one.
pub(crate) fn manifest_of(
    op: &Op,
    models: &dyn Models,
) -> Result<Option<ModelManifest>, EngineError> {
    Ok(match (op, op.model()) {
        (_, Some(id)) => Some(models.manifest(id)?),
        (Op::Onnx(file), None) => Some(models.onnx(file)?),
        _ => None,
    })
}

/// Largest side of a picture that a node may make: what H.264 to AV1 and the sample arithmetic
/// of ffmpeg can take.
pub const MAX_SIDE: u32 = 65_535;
/// Least side that a `resize` makes of a clip: what codecs work on as a block.
pub const MIN_SIDE: u32 = 16;

/// The format that `op` makes of `input`.
///
/// # Errors
/// The parameters do not fit the picture.
pub fn output_format(
    node: &str,
    op: &Op,
    input: &PictureFormat,
    models: &dyn Models,
) -> Result<PictureFormat, EngineError> {
    let refuse = |reason: Said| EngineError::Node {
        node: node.to_owned(),
        reason,
    };
    let mut output = input.clone();
    match op {
        Op::Source(_) | Op::Sink => {}
        Op::Upscale { .. } | Op::Onnx(_) => {
            let manifest = manifest_of(op, models)?;
            if let Some(manifest) = &manifest {
                check_makes_pictures(manifest).map_err(refuse)?;
            }
            let scale = manifest.as_ref().map_or(1, |manifest| manifest.scale);
            if let Some(tile) = manifest.map(|manifest| manifest.tile)
                && tile.is_whole()
                && let Some((width, height)) = tile.only_size()
                && (width, height) != (input.width, input.height)
            {
                return Err(refuse(said!(
                    "node.whole_picture",
                    "its model looks at the whole picture at once and takes {width} x {height} pixels only, not {found_width} x {found_height}; put a `resize` or `crop` to that size in front of it",
                    width = width,
                    height = height,
                    found_width = input.width,
                    found_height = input.height
                )));
            }
            let larger = |side: u32| side.checked_mul(scale).filter(|&s| s <= MAX_SIDE);
            let (Some(width), Some(height)) = (larger(input.width), larger(input.height)) else {
                return Err(refuse(said!(
                    "node.too_large",
                    "{width} x {height} pixels times {scale} is larger than {most} on a side",
                    width = input.width,
                    height = input.height,
                    scale = scale,
                    most = MAX_SIDE
                )));
            };
            (output.width, output.height) = (width, height);
        }
        Op::Resize(size) => {
            // A picture by itself may have any size; what is smaller to begin with may stay so.
            let least = match input.pace == Pace::STILL {
                true => 1,
                false => MIN_SIDE,
            };
            let fits = |to: u32, from: u32| (from.min(least)..=MAX_SIDE).contains(&to);
            if !fits(size.width, input.width) || !fits(size.height, input.height) {
                return Err(refuse(said!(
                    "node.size",
                    "{width} x {height} pixels is not a possible size; each side takes {least} to {most}",
                    width = size.width,
                    height = size.height,
                    least = least,
                    most = MAX_SIDE
                )));
            }
            // The picture keeps its shape on the screen.
            let stretch = |a: u32, b: u32| Rational::new(i64::from(a), i64::from(b));
            if let (Some(x), Some(y)) = (
                stretch(input.width, size.width),
                stretch(size.height, input.height),
            ) && let Some(sar) = Rational::new(
                input.sample_aspect_ratio.num.saturating_mul(x.num * y.num),
                input.sample_aspect_ratio.den.saturating_mul(x.den * y.den),
            ) {
                output.sample_aspect_ratio = sar;
            }
            (output.width, output.height) = (size.width, size.height);
        }
        Op::Crop(rect) => {
            let fits = |at: u32, length: u32, side: u32| {
                length > 0 && at.checked_add(length).is_some_and(|end| end <= side)
            };
            if !fits(rect.x, rect.width, input.width) || !fits(rect.y, rect.height, input.height) {
                return Err(refuse(said!(
                    "node.rectangle",
                    "the rectangle {width} x {height} at ({x}, {y}) does not lie within {whole_width} x {whole_height} pixels",
                    width = rect.width,
                    height = rect.height,
                    x = rect.x,
                    y = rect.y,
                    whole_width = input.width,
                    whole_height = input.height
                )));
            }
            check_corner(input, rect.x, rect.y).map_err(refuse)?;
            (output.width, output.height) = (rect.width, rect.height);
        }
        Op::Pad(pad) => {
            let fits = |at: u32, length: u32, side: u32| {
                at.checked_add(length).is_some_and(|end| end <= side)
            };
            if !fits(pad.x, input.width, pad.width) || !fits(pad.y, input.height, pad.height) {
                return Err(refuse(said!(
                    "node.pad",
                    "a picture of {width} x {height} at ({x}, {y}) does not lie within {whole_width} x {whole_height} pixels",
                    width = input.width,
                    height = input.height,
                    x = pad.x,
                    y = pad.y,
                    whole_width = pad.width,
                    whole_height = pad.height
                )));
            }
            check_corner(input, pad.x, pad.y).map_err(refuse)?;
            (output.width, output.height) = (pad.width, pad.height);
        }
        Op::Rotate(params) => output = Turn::clockwise(params.degrees).format(input),
        Op::Flip(params) => output = Turn::flip(params.axis).format(input),
        Op::Deinterlace(params) => {
            if input.pace == Pace::STILL {
                return Err(refuse(said!(
                    "node.no_fields",
                    "a picture by itself has no fields"
                )));
            }
            if params.rate == DeinterlaceRate::Field {
                // The second field is shown half a frame later, perhaps between two ticks.
                let base = input.pace.time_base.ratio();
                let rate = input.pace.frame_rate.map(FrameRate::ratio);
                output.pace = Pace {
                    time_base: base
                        .den
                        .checked_mul(2)
                        .and_then(|den| TimeBase::new(base.num, den))
                        .ok_or_else(|| {
                            refuse(said!("node.clock", "the clip's clock is too fine"))
                        })?,
                    frame_rate: rate.and_then(|r| FrameRate::new(r.num.checked_mul(2)?, r.den)),
                };
            }
        }
        Op::Fps { rate } => output.pace = constant_pace(*rate, input).map_err(refuse)?,
        Op::Interpolate(params) => {
            interpolate::check(manifest_of(op, models)?.as_ref()).map_err(refuse)?;
            output.pace = interpolate::pace(params, input).map_err(refuse)?;
        }
        Op::Stabilise(_) => stabilise::check(input).map_err(refuse)?,
        Op::Trim(params) => {
            if input.pace == Pace::STILL {
                return Err(refuse(said!(
                    "node.no_length",
                    "a picture by itself has no length"
                )));
            }
            if let (Some(start), Some(end)) = (params.start, params.end)
                && start >= end
            {
                return Err(refuse(said!(
                    "node.end_before_start",
                    "the end ({end} s) is not after the start ({start} s)",
                    end = end.to_string(),
                    start = start.to_string()
                )));
            }
        }
        Op::Cut(params) => {
            if input.pace == Pace::STILL {
                return Err(refuse(said!(
                    "node.no_length",
                    "a picture by itself has no length"
                )));
            }
            if !(0.0..=100.0).contains(&params.fade) {
                return Err(refuse(said!(
                    "node.fade",
                    "a fade of {fade} ms is not possible; 0 to 100 is",
                    fade = params.fade.to_string()
                )));
            }
        }
        Op::Denoise(params) => {
            if let Some(model) = &params.model {
                let manifest = models.manifest(model)?;
                check_makes_pictures(&manifest).map_err(refuse)?;
                if manifest.scale != 1 {
                    return Err(refuse(said!(
                        "node.model_enlarges",
                        "the model `{model}` enlarges; use `upscale`, or a model of scale 1",
                        model = model
                    )));
                }
            }
        }
        Op::Color(params) => color::check(params, input).map_err(refuse)?,
        Op::Overlay(params) => {
            overlay::check_shown(params.start, params.end).map_err(refuse)?;
        }
        Op::Background(params) => {
            let task = models.manifest(&params.model)?.task;
            output = background::output_format(params, task, input).map_err(refuse)?;
        }
        Op::Light(params) => {
            let manifest = manifest_of(op, models)?;
            light::check(params, manifest.as_ref(), input).map_err(refuse)?;
        }
        Op::Style(params) => {
            style::check(params, models.manifest(&params.model)?.task).map_err(refuse)?;
        }
        Op::Depth(params) => {
            let task = models.manifest(&params.model)?.task;
            output = depth::output_format(params, task, input).map_err(refuse)?;
        }
        Op::Reframe(params) => {
            if let Some(manifest) = manifest_of(op, models)? {
                redact::check_faces(&manifest).map_err(refuse)?;
            }
            output = reframe::output_format(params, input).map_err(refuse)?;
        }
        Op::Redact(params) => {
            let manifest = manifest_of(op, models)?;
            redact::check(params, manifest.as_ref(), input).map_err(refuse)?;
        }
        Op::Text(params) => text::check(params).map_err(refuse)?,
        Op::Subtitles(params) => captions::check(params).map_err(refuse)?,
        Op::Concat => {}
        Op::Mux(_)
        | Op::Loudness(_)
        | Op::AudioDenoise(_)
        | Op::AudioRedact(_)
        | Op::SplitChannels(_)
        | Op::SubtitleTrack(_) => {
            return Err(refuse(said!(
                "node.no_pictures",
                "it does not work on pictures"
            )));
        }
        Op::Convert { format } => {
            if !(8..=16).contains(&format.bits) {
                return Err(refuse(said!(
                    "node.bits",
                    "{bits} bits per sample is not possible",
                    bits = format.bits
                )));
            }
            output.pixels = *format;
            output.color = converted_color(input, format.planes);
        }
    }
    Ok(output)
}

/// How the times of a clip of a constant rate are counted: one tick per frame.
fn constant_pace(rate: FrameRate, input: &PictureFormat) -> Result<Pace, Said> {
    if input.pace == Pace::STILL {
        return Err(said!(
            "node.no_rate",
            "a picture by itself has no frame rate"
        ));
    }
    let seconds = rate.ratio().recip();
    let time_base = seconds.and_then(|seconds| TimeBase::new(seconds.num, seconds.den));
    Ok(Pace {
        time_base: time_base.ok_or_else(|| {
            said!(
                "node.rate",
                "{rate} is no frame rate",
                rate = rate.ratio().to_string()
            )
        })?,
        frame_rate: Some(rate),
    })
}

/// Refuses a model that gives something else than pictures.
fn check_makes_pictures(manifest: &ModelManifest) -> Result<(), Said> {
    match manifest.task {
        Task::Upscale => Ok(()),
        Task::Matte => Err(said!(
            "node.model_mattes",
            "the model `{model}` tells a foreground from its background and makes no pictures; it is one for the node `background`",
            model = &manifest.id
        )),
        Task::Faces | Task::Text => Err(said!(
            "node.model_finds",
            "the model `{model}` finds faces or text and makes no pictures; it is one for the node `redact`",
            model = &manifest.id
        )),
        Task::Light | Task::Style | Task::Depth => Err(said!(
            "node.model_sees_whole",
            "the model `{model}` sees whole pictures in a size of its own; it is one for the node `{node}`",
            model = &manifest.id,
            node = match manifest.task {
                Task::Light => "light",
                Task::Style => "style",
                _ => "depth",
            }
        )),
        Task::Between => Err(said!(
            "node.model_between",
            "the model `{model}` makes pictures between two; it is one for the node `interpolate`",
            model = &manifest.id
        )),
        Task::VoiceActivity | Task::SpeechCleaning => Err(said!(
            "node.model_of_sound",
            "the model `{model}` works on sound and makes no pictures",
            model = &manifest.id
        )),
    }
}

/// A corner must lie on a chroma sample.
fn check_corner(input: &PictureFormat, x: u32, y: u32) -> Result<(), Said> {
    let Planes::Yuv { shift_x, shift_y } = input.pixels.planes else {
        return Ok(());
    };
    let odd = |at: u32, shift: u8| at & ((1 << shift) - 1) != 0;
    if odd(x, shift_x) || odd(y, shift_y) {
        let on = |at: u32, shift: u8| at >> shift << shift;
        return Err(said!(
            "node.corner",
            "the corner ({x}, {y}) lies between chroma samples; the nearest that does not is ({near_x}, {near_y})",
            x = x,
            y = y,
            near_x = on(x, shift_x),
            near_y = on(y, shift_y)
        ));
    }
    Ok(())
}

/// The pictures as ffmpeg's filters want them described.
fn filter_input(format: &PictureFormat) -> FilterInput {
    FilterInput {
        format: format.pixels,
        width: format.width,
        height: format.height,
        time_base: format.pace.time_base,
        frame_rate: format.pace.frame_rate,
        sample_aspect_ratio: format.sample_aspect_ratio,
        color: format.color.clone(),
    }
}

/// The tags after a conversion, by the rule of [`frameloom_media::Converter`]: RGB has no matrix and
/// is full range; what comes from RGB gets the matrix that its size stands for, limited range. Grey
/// without a tag is full range and YUV without a tag is not: what becomes the other gets the tag.
fn converted_color(input: &PictureFormat, target: Planes) -> ColorInfo {
    let mut color = input.color.clone();
    let from_rgb = input.pixels.planes == Planes::Gbr;
    if from_rgb == (target == Planes::Gbr) {
        let was_gray = input.pixels.planes == Planes::Gray;
        if color.range == Range::Unspecified && was_gray != (target == Planes::Gray) {
            color.range = match was_gray {
                true => Range::Full,
                false => Range::Limited,
            };
        }
        return color;
    }
    if from_rgb {
        if matches!(color.matrix, Matrix::Identity) || color.range == Range::Unspecified {
            color.range = Range::Limited;
        }
        if color.matrix == Matrix::Identity {
            color.matrix = Matrix::Unspecified;
        }
        color.matrix = color.matrix_or_guess(input.width, input.height).0;
        color.matrix_name = None;
    } else {
        color.matrix = Matrix::Identity;
        color.matrix_name = Some("gbr".to_owned());
        color.range = Range::Full;
    }
    color
}

/// What a node needs to be opened.
pub struct Opening<'a> {
    /// ONNX Runtime; loaded only when a node needs it.
    pub runtime: &'a dyn Fn() -> Result<Arc<Runtime>, EngineError>,
    /// The models.
    pub models: &'a dyn Models,
    /// Where models compute.
    pub sessions: Sessions<'a>,
    /// Threads for inference.
    pub threads: usize,
    /// Longest side of a tile in source pixels; `None`: what the model prefers.
    pub max_tile: Option<u32>,
    /// Time of the first picture, in the pace of the node's input.
    pub zero: i64,
    /// Folder for files that are removed again at once.
    pub scratch: &'a Path,
    /// The pictures at the node's second input.
    pub(crate) over: Option<SharedOver>,
    /// What the pictures are like behind a joint, and when they are shown.
    pub(crate) joint: Option<(PictureFormat, Option<Shift>)>,
}

impl<'a> Opening<'a> {
    /// A session of `model`, and where it computes, as it is told.
    ///
    /// # Errors
    /// ONNX Runtime is not there, or cannot make a session of the model anywhere it may.
    pub(crate) fn session(
        &self,
        model: &Model,
    ) -> Result<(InferenceSession, ProviderChoice), EngineError> {
        let runtime = (self.runtime)()?;
        let id = &model.manifest.id;
        let options = self.sessions.options(id, self.threads);
        let (session, choice) = InferenceSession::open(&runtime, model, &options)?;
        Ok((session, self.sessions.told(id, choice)))
    }

    /// As [`Opening::session`], of the installed model with this id.
    ///
    /// # Errors
    /// Those of [`Opening::session`], or there is no such model.
    pub(crate) fn session_of(
        &self,
        id: &str,
    ) -> Result<(InferenceSession, ProviderChoice), EngineError> {
        self.session(&self.models.load(id)?)
    }

    /// With small models in mind: one thread, tiles as the model prefers, times from zero.
    pub fn new(
        runtime: &'a dyn Fn() -> Result<Arc<Runtime>, EngineError>,
        models: &'a dyn Models,
        device: &'a Device,
        scratch: &'a Path,
    ) -> Self {
        Self {
            runtime,
            models,
            sessions: Sessions::on(device),
            threads: 1,
            max_tile: None,
            zero: 0,
            scratch,
            over: None,
            joint: None,
        }
    }
}

/// An opened node.
pub enum Node {
    /// One frame of one frame.
    Filter(Box<dyn Filter>),
    /// With a memory.
    Temporal(Box<dyn Temporal>),
}

impl Node {
    /// What comes out.
    pub fn output(&self) -> &PictureFormat {
        match self {
            Node::Filter(filter) => filter.output(),
            Node::Temporal(temporal) => temporal.output(),
        }
    }
}

/// An opened node, and what computes where a model is involved.
pub type Opened = (Node, Option<ProviderChoice>);

/// Opens the node for `op`, and says what computes where a model is involved. `None` for nodes
/// that change no picture ([`Op::Trim`] and [`Op::Cut`] are done by whoever reads the clip).
///
/// # Errors
/// The parameters do not fit, or the model, its provider or a filter cannot be used.
pub fn open(
    node: &str,
    op: &Op,
    input: &PictureFormat,
    opening: &Opening<'_>,
) -> Result<Option<Opened>, EngineError> {
    let output = output_format(node, op, input, opening.models)?;
    let plain = |filter: Box<dyn Filter>| Some((Node::Filter(filter), None));
    let of_model = |model: &Model, output: PictureFormat| -> Result<_, EngineError> {
        let (filter, choice) = upscale::Upscale::open(model, input, output, opening)?;
        Ok(Some((
            Node::Filter(Box::new(filter) as Box<dyn Filter>),
            Some(choice),
        )))
    };
    let with_model = |id: &str, output: PictureFormat| of_model(&opening.models.load(id)?, output);
    Ok(match op {
        Op::Source(_) | Op::Sink | Op::Trim(_) | Op::Cut(_) => None,
        Op::Upscale { model } => with_model(model, output)?,
        Op::Onnx(file) => of_model(&opening.models.load_onnx(file)?, output)?,
        Op::Resize(_) | Op::Convert { .. } => {
            if output == *input {
                None
            } else {
                plain(Box::new(scale::Scale::open(output)?))
            }
        }
        Op::Crop(rect) => plain(Box::new(crop::Crop::open(*rect, output)?)),
        Op::Pad(pad) => plain(Box::new(pad::Pad::open(pad, output)?)),
        Op::Rotate(params) => open_turn(Turn::clockwise(params.degrees), input)?,
        Op::Flip(params) => open_turn(Turn::flip(params.axis), input)?,
        Op::Deinterlace(params) => {
            let threads = opening.threads.min(MAX_FILTER_THREADS);
            let node = temporal::Deinterlace::open(*params, input, output, threads)?;
            Some((Node::Temporal(Box::new(node)), None))
        }
        Op::Fps { .. } => {
            let node = temporal::Fps::open(input, output).ok_or_else(|| EngineError::Node {
                node: node.to_owned(),
                reason: said!("node.clock", "the clip's clock is too fine"),
            })?;
            Some((Node::Temporal(Box::new(node)), None))
        }
        Op::Stabilise(params) => Some(stabilise::open(params, input, output, opening)?),
        Op::Interpolate(params) => Some(interpolate::open((node, params), input, output, opening)?),
        Op::Denoise(params) => match &params.model {
            Some(model) => with_model(model, output)?,
            None => {
                let threads = opening.threads.min(MAX_FILTER_THREADS);
                plain(Box::new(ffmpeg::denoise(params.sigma, output, threads)?))
            }
        },
        Op::Color(params) => plain(Box::new(color::Color::open(params, input, output)?)),
        Op::Overlay(params) => match &opening.over {
            Some(over) => plain(Box::new(overlay::Overlay::open(
                params,
                over.clone(),
                opening.zero,
                output,
            )?)),
            None => None,
        },
        Op::Background(params) => Some(background::open(params, input, output, opening)?),
        Op::Light(params) => Some(light::open(params, input, output, opening)?),
        Op::Style(params) => Some(style::open(params, input, output, opening)?),
        Op::Depth(params) => Some(depth::open(params, input, output, opening)?),
        Op::Reframe(params) => Some(reframe::open(params, input, output, opening)?),
        Op::Redact(params) => Some(redact::open(params, input, output, opening)?),
        Op::Text(params) => match SubtitlesParams::of_text(params) {
            Some(file) => plain(Box::new(captions::Captions::open(
                &file,
                Some(params),
                opening.zero,
                opening.scratch,
                output,
            )?)),
            None => plain(Box::new(text::Text::open(
                params,
                opening.zero,
                opening.scratch,
                output,
            )?)),
        },
        Op::Subtitles(params) => plain(Box::new(captions::Captions::open(
            params,
            None,
            opening.zero,
            opening.scratch,
            output,
        )?)),
        Op::Concat => match &opening.joint {
            Some((target, shift)) => {
                plain(Box::new(joint::Joint::open(input, target.clone(), *shift)?))
            }
            None => None,
        },
        Op::Mux(_)
        | Op::Loudness(_)
        | Op::AudioDenoise(_)
        | Op::AudioRedact(_)
        | Op::SplitChannels(_)
        | Op::SubtitleTrack(_) => None,
    })
}

/// Slices that a filter of ffmpeg is cut into at most; more cost more than they gain.
const MAX_FILTER_THREADS: usize = 8;

/// Opens the node that turns pictures; `None` where nothing turns.
pub(crate) fn open_turn(turn: Turn, input: &PictureFormat) -> Result<Option<Opened>, EngineError> {
    if turn.is_none() {
        return Ok(None);
    }
    let node = turn::TurnNode::open(turn, turn.format(input))?;
    Ok(Some((Node::Filter(Box::new(node)), None)))
}
