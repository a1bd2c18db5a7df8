//! What each operation of a graph does to a picture.
//!
//! A node is a [`Filter`]: one frame in, one frame out. Its output is known before anything is
//! opened ([`output_format`]), so a plan can be shown and the encoder chosen first.

mod crop;
mod scale;
mod upscale;

pub(crate) use upscale::RGB_LUMA;

use crate::EngineError;
use frameloom_core::color::{ColorInfo, Matrix, Range};
use frameloom_core::graph::Op;
use frameloom_core::job::{Device, ProviderChoice};
use frameloom_core::model::ModelManifest;
use frameloom_core::pixel::{PixelFormat, Planes};
use frameloom_core::time::Rational;
use frameloom_infer::{CancelHandle, Model, Runtime};
use frameloom_media::Frame;
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
}

/// Largest side of a picture that a node may make: what H.264 to AV1 and the sample arithmetic
/// of ffmpeg can take.
pub const MAX_SIDE: u32 = 65_535;

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
    let refuse = |reason: String| EngineError::Node {
        node: node.to_owned(),
        reason,
    };
    let mut output = input.clone();
    match op {
        Op::Source | Op::Sink => {}
        Op::Upscale { model } => {
            let scale = models.manifest(model)?.scale;
            let larger = |side: u32| side.checked_mul(scale).filter(|&s| s <= MAX_SIDE);
            let (Some(width), Some(height)) = (larger(input.width), larger(input.height)) else {
                return Err(refuse(format!(
                    "{} x {} pixels times {scale} is larger than {MAX_SIDE} on a side",
                    input.width, input.height
                )));
            };
            (output.width, output.height) = (width, height);
        }
        Op::Resize(size) => {
            if !(1..=MAX_SIDE).contains(&size.width) || !(1..=MAX_SIDE).contains(&size.height) {
                return Err(refuse(format!(
                    "{} x {} pixels is not a possible size",
                    size.width, size.height
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
                return Err(refuse(format!(
                    "the rectangle {} x {} at ({}, {}) does not lie within {} x {} pixels",
                    rect.width, rect.height, rect.x, rect.y, input.width, input.height
                )));
            }
            if let Planes::Yuv { shift_x, shift_y } = input.pixels.planes {
                let odd = |at: u32, shift: u8| at & ((1 << shift) - 1) != 0;
                if odd(rect.x, shift_x) || odd(rect.y, shift_y) {
                    return Err(refuse(format!(
                        "the corner ({}, {}) lies between chroma samples; use even numbers",
                        rect.x, rect.y
                    )));
                }
            }
            (output.width, output.height) = (rect.width, rect.height);
        }
        Op::Convert { format } => {
            if !(8..=16).contains(&format.bits) {
                return Err(refuse(format!(
                    "{} bits per sample is not possible",
                    format.bits
                )));
            }
            output.pixels = *format;
            output.color = converted_color(input, format.planes);
        }
    }
    Ok(output)
}

/// The tags after a conversion, by the rule of [`frameloom_media::Converter`]: RGB has no matrix and
/// is full range; what comes from RGB gets the matrix that its size stands for, limited range.
fn converted_color(input: &PictureFormat, target: Planes) -> ColorInfo {
    let mut color = input.color.clone();
    let from_rgb = input.pixels.planes == Planes::Gbr;
    if from_rgb == (target == Planes::Gbr) {
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
    /// Where to compute.
    pub device: &'a Device,
    /// Threads for inference.
    pub threads: usize,
    /// Longest side of a tile in source pixels; `None`: what the model prefers.
    pub max_tile: Option<u32>,
}

/// An opened node, and what computes where a model is involved.
pub type Opened = (Box<dyn Filter>, Option<ProviderChoice>);

/// Opens the node for `op`, and says what computes where a model is involved. `None` for nodes
/// that change nothing.
///
/// # Errors
/// The parameters do not fit, or the model or its provider cannot be used.
pub fn open(
    node: &str,
    op: &Op,
    input: &PictureFormat,
    opening: &Opening<'_>,
) -> Result<Option<Opened>, EngineError> {
    let output = output_format(node, op, input, opening.models)?;
    Ok(match op {
        Op::Source | Op::Sink => None,
        Op::Upscale { model } => {
            let model = opening.models.load(model)?;
            let (filter, choice) = upscale::Upscale::open(&model, input, output, opening)?;
            Some((Box::new(filter), Some(choice)))
        }
        Op::Resize(_) | Op::Convert { .. } => {
            if output == *input {
                None
            } else {
                Some((Box::new(scale::Scale::open(output)?), None))
            }
        }
        Op::Crop(rect) => Some((Box::new(crop::Crop::open(*rect, output)?), None)),
    })
}
