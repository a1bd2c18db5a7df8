//! What nodes do, with their parameters.

use crate::pixel::PixelFormat;
use crate::time::{FrameRate, Rational};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a node does, with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "op", content = "params", rename_all = "snake_case")]
pub enum Op {
    /// The input clip or picture.
    Source,
    /// Enlarge with a model, by the scale that the model has.
    Upscale {
        /// Model id.
        model: String,
    },
    /// Resize with a cubic kernel.
    Resize(ResizeParams),
    /// Cut out a rectangle.
    Crop(CropParams),
    /// Put the picture on a larger ground.
    Pad(PadParams),
    /// Turn clockwise.
    Rotate(RotateParams),
    /// Mirror.
    Flip(FlipParams),
    /// Change the pixel format; the colour tags stay what they are.
    Convert {
        /// Wanted format.
        format: PixelFormat,
    },
    /// Make whole pictures of fields.
    Deinterlace(DeinterlaceParams),
    /// Show the clip at a constant frame rate, by repeating and leaving out frames. New frames in
    /// between need a model for interpolation.
    Fps {
        /// Frames per second.
        rate: FrameRate,
    },
    /// Keep a stretch of the clip, with its sound and subtitles.
    Trim(TrimParams),
    /// Take noise out.
    Denoise(DenoiseParams),
    /// Correct colours.
    Color(ColorParams),
    /// The output file.
    Sink,
}

/// Target size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ResizeParams {
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// A rectangle in pixels of the incoming picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CropParams {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// The ground that a picture is put on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PadParams {
    /// Width of the result.
    pub width: u32,
    /// Height of the result.
    pub height: u32,
    /// Where the picture's left edge comes.
    pub x: u32,
    /// Where its upper edge comes.
    pub y: u32,
    /// Colour of the ground, `#rrggbb`; black where it is left out.
    #[serde(default = "black")]
    pub color: String,
}

fn black() -> String {
    "#000000".to_owned()
}

/// Reads `#rrggbb`.
pub fn parse_color(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').filter(|d| d.len() == 6)?;
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let number = u32::from_str_radix(digits, 16).ok()?;
    let [_, r, g, b] = number.to_be_bytes();
    Some([r, g, b])
}

/// A turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RotateParams {
    /// Clockwise: 90, 180 or 270.
    pub degrees: u32,
}

/// A mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FlipParams {
    /// What changes places.
    pub axis: FlipAxis,
}

/// What changes places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FlipAxis {
    /// Left and right.
    Horizontal,
    /// Top and bottom.
    Vertical,
}

/// How fields become pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct DeinterlaceParams {
    /// Pictures per second of the result.
    pub rate: DeinterlaceRate,
    /// Which field comes first.
    pub parity: Parity,
    /// Which frames are treated.
    pub frames: InterlacedFrames,
}

/// Pictures per second of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeinterlaceRate {
    /// One picture of each frame: the rate stays.
    #[default]
    Frame,
    /// One picture of each field: the rate doubles and motion is as smooth as it was taken.
    Field,
}

/// Which field comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// As each frame says; the upper where it does not.
    #[default]
    Auto,
    /// The upper.
    Top,
    /// The lower.
    Bottom,
}

/// Which frames are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum InterlacedFrames {
    /// All.
    #[default]
    All,
    /// Those that say that they are interlaced.
    Flagged,
}

/// A stretch of the clip, counted from its first frame. Half-open: the frame at `end` is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct TrimParams {
    /// Seconds from the first frame; the beginning where left out.
    pub start: Option<Rational>,
    /// Seconds from the first frame; the end of the clip where left out.
    pub end: Option<Rational>,
}

/// How noise is taken out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct DenoiseParams {
    /// Strength of ffmpeg's filter: about the standard deviation of the noise in steps of 8 bit,
    /// 0.5 to 30. Without meaning where a model is named.
    pub sigma: f64,
    /// Model id of a network of scale 1 that does it instead.
    pub model: Option<String>,
}

impl Default for DenoiseParams {
    fn default() -> Self {
        Self {
            sigma: 4.0,
            model: None,
        }
    }
}

/// Corrections, applied in this order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct ColorParams {
    /// Light in stops: 1 doubles it, -1 halves it.
    pub exposure: f64,
    /// Colour of the light that the scene was lit by, in Kelvin, 2000 to 15000: white under it
    /// becomes neutral. 6504 or left out changes nothing.
    pub temperature: Option<f64>,
    /// From magenta (-100) to green (100).
    pub tint: f64,
    /// Absolute path of a lookup table (`.cube`).
    pub lut: Option<String>,
}
