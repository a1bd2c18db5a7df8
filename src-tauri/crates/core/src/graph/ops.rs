//! What nodes do, with their parameters.

use super::between::InterpolateParams;
use super::captions::{SubtitleTrackParams, SubtitlesParams};
use super::looks::{DepthParams, LightParams, StyleParams};
use super::sound::{
    AudioDenoiseParams, AudioRedactParams, LoudnessParams, MuxParams, SplitChannelsParams,
};
use crate::model::{self, TensorColor, TensorRange};
use crate::pixel::PixelFormat;
use crate::time::{FrameRate, Rational};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a node does, with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "op", content = "params", rename_all = "snake_case")]
pub enum Op {
    /// An input: a clip, a picture or sound.
    Source(SourceParams),
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
    /// Show the clip at a constant frame rate, by repeating and leaving out frames.
    Fps {
        /// Frames per second.
        rate: FrameRate,
    },
    /// Calm the camera.
    Stabilise(StabiliseParams),
    /// Show the clip at a constant frame rate, by new frames in between.
    Interpolate(InterpolateParams),
    /// Keep a stretch of the clip, with its sound and subtitles.
    Trim(TrimParams),
    /// Keep several stretches of the clip and show them one right after another, with their sound,
    /// subtitles and chapters.
    Cut(CutParams),
    /// Take noise out.
    Denoise(DenoiseParams),
    /// Correct colours.
    Color(ColorParams),
    /// Lay pictures over others: a watermark, a picture in the picture.
    Overlay(OverlayParams),
    /// Tell a foreground from its background with a model, and leave the background away or put
    /// something else in its place.
    Background(BackgroundParams),
    /// Make dark pictures lighter.
    Light(LightParams),
    /// Paint pictures anew in a style, with a model.
    Style(StyleParams),
    /// Show how near everything is, or put out of focus what is far from where the lens looks, with
    /// a model.
    Depth(DepthParams),
    /// Make faces, text or areas unrecognisable.
    Redact(RedactParams),
    /// Cut clips to another shape, around what matters in them.
    Reframe(ReframeParams),
    /// Write text or subtitles into the pictures.
    Text(TextParams),
    /// Burn subtitles of a file into the pictures.
    Subtitles(Box<SubtitlesParams>),
    /// Read a track of text, and write it anew in what the result can hold.
    SubtitleTrack(Box<SubtitleTrackParams>),
    /// Show clips one after another. Pictures and sound enter in the order of their wires; sound
    /// of each clip is as long as its pictures.
    Concat,
    /// Bring tracks of several inputs into one file, in the order of their wires.
    Mux(MuxParams),
    /// Bring sound to a loudness (EBU R128, measured first, then adjusted).
    Loudness(LoudnessParams),
    /// Take noise out of sound.
    AudioDenoise(AudioDenoiseParams),
    /// Cover stretches of sound, such as names, with silence or a tone.
    AudioRedact(AudioRedactParams),
    /// Make a track of each channel.
    SplitChannels(SplitChannelsParams),
    /// Run any model that makes a picture of a picture, from its file.
    Onnx(OnnxParams),
    /// The output file.
    Sink,
}

impl Op {
    /// Its name in a document.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Source(_) => "source",
            Op::Upscale { .. } => "upscale",
            Op::Resize(_) => "resize",
            Op::Crop(_) => "crop",
            Op::Pad(_) => "pad",
            Op::Rotate(_) => "rotate",
            Op::Flip(_) => "flip",
            Op::Convert { .. } => "convert",
            Op::Deinterlace(_) => "deinterlace",
            Op::Fps { .. } => "fps",
            Op::Stabilise(_) => "stabilise",
            Op::Interpolate(_) => "interpolate",
            Op::Trim(_) => "trim",
            Op::Cut(_) => "cut",
            Op::Denoise(_) => "denoise",
            Op::Color(_) => "color",
            Op::Overlay(_) => "overlay",
            Op::Background(_) => "background",
            Op::Light(_) => "light",
            Op::Style(_) => "style",
            Op::Depth(_) => "depth",
            Op::Redact(_) => "redact",
            Op::Reframe(_) => "reframe",
            Op::Text(_) => "text",
            Op::Subtitles(_) => "subtitles",
            Op::SubtitleTrack(_) => "subtitle_track",
            Op::Concat => "concat",
            Op::Mux(_) => "mux",
            Op::Loudness(_) => "loudness",
            Op::AudioDenoise(_) => "audio_denoise",
            Op::AudioRedact(_) => "audio_redact",
            Op::SplitChannels(_) => "split_channels",
            Op::Onnx(_) => "onnx",
            Op::Sink => "sink",
        }
    }

    /// Id of the installed model that it runs.
    pub fn model(&self) -> Option<&str> {
        match self {
            Op::Upscale { model } => Some(model),
            Op::Denoise(params) => params.model.as_deref(),
            Op::Background(params) => Some(&params.model),
            Op::Light(params) => params.model.as_deref(),
            Op::Style(params) => Some(&params.model),
            Op::Depth(params) => Some(&params.model),
            Op::Redact(params) => params.model.as_deref(),
            Op::Reframe(params) => params.model.as_deref(),
            Op::Interpolate(params) => params.model.as_deref(),
            _ => None,
        }
    }
}

/// An ONNX file that makes a picture of a picture. What is left out is found out of the file and
/// by trying it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OnnxParams {
    /// Absolute path of the file.
    pub path: String,
    /// Output size by input size.
    #[serde(default)]
    pub scale: Option<u32>,
    /// Order of the dimensions.
    #[serde(default)]
    pub layout: Option<model::Layout>,
    /// Which numbers mean black and white.
    #[serde(default)]
    pub range: Option<TensorRange>,
    /// What the channels mean; red, green, blue where there are three.
    #[serde(default)]
    pub color: Option<TensorColor>,
    /// Longest side of a tile.
    #[serde(default)]
    pub tile: Option<u32>,
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

fn white() -> String {
    "#ffffff".to_owned()
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

/// What is seen where a picture was moved away from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StabiliseBorder {
    /// Nothing: every picture is shown a little larger.
    #[default]
    Crop,
    /// The mirrored picture, which is shown as large as it was.
    Mirror,
}

/// How the camera is calmed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct StabiliseParams {
    /// Seconds before and after a picture whose motion counts, 0.1 to 2: what the camera does in
    /// less is taken out.
    pub smooth: f64,
    /// What is seen where a picture was moved away from.
    pub border: StabiliseBorder,
    /// How many times as large pictures are shown, 1.02 to 1.5: the room in which they may be
    /// moved. For `crop`.
    pub zoom: f64,
}

impl Default for StabiliseParams {
    fn default() -> Self {
        Self {
            smooth: 0.8,
            border: StabiliseBorder::Crop,
            zoom: 1.1,
        }
    }
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

/// Stretches of the clip that are kept, counted from its first picture; see
/// [`parse_kept`](super::parse_kept).
///
/// Where pictures come at an even rate, a stretch grows to whole pictures: the one on screen at its
/// start is its first. Pictures are cut hard; the sound of one stretch fades into that of the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CutParams {
    /// `start-end` in seconds or `h:mm:ss`, one in a line, each behind the one before it.
    pub keep: String,
    /// How long the sound of two stretches is mixed where they meet, in milliseconds, 0 to 100.
    #[serde(default = "CutParams::usual_fade")]
    pub fade: f64,
    /// Id of the model that heard where somebody speaks, where one decided what is kept. Nothing is
    /// done with it in a run: receipts name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub heard_by: Option<String>,
}

impl CutParams {
    /// With the usual fade: too short to be heard as one, and long enough that nothing clicks.
    pub fn new(keep: impl Into<String>) -> Self {
        Self {
            keep: keep.into(),
            fade: Self::usual_fade(),
            heard_by: None,
        }
    }

    fn usual_fade() -> f64 {
        20.0
    }

    /// The fade in microseconds.
    pub fn fade_micros(&self) -> i64 {
        (self.fade.clamp(0.0, 100.0) * 1_000.0).round() as i64
    }
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

/// Which input a source stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct SourceParams {
    /// Name by which a file is given (`--in name=file`); `main` where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
}

impl SourceParams {
    /// Name of the input of a source without one.
    pub const MAIN: &'static str = "main";

    /// The name.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(Self::MAIN)
    }
}

/// Where something lies on a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// Upper left corner.
    #[default]
    TopLeft,
    /// Upper edge.
    Top,
    /// Upper right corner.
    TopRight,
    /// Left edge.
    Left,
    /// Centre.
    Center,
    /// Right edge.
    Right,
    /// Lower left corner.
    BottomLeft,
    /// Lower edge.
    Bottom,
    /// Lower right corner.
    BottomRight,
}

impl Anchor {
    /// The words of a document, in the order of the variants.
    pub const WORDS: [&'static str; 9] = [
        "top_left",
        "top",
        "top_right",
        "left",
        "center",
        "right",
        "bottom_left",
        "bottom",
        "bottom_right",
    ];

    /// Free space to the left of something and above it, in halves of all of it: 0, 1 or 2.
    pub fn halves(self) -> (i64, i64) {
        let at = self as i64;
        (at % 3, at / 3)
    }
}

/// What is shown when the clip that is laid over has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum OverEnd {
    /// Its last picture.
    #[default]
    Hold,
    /// Nothing.
    Hide,
    /// It from its beginning.
    Repeat,
}

/// How pictures are laid over others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct OverlayParams {
    /// The place from which `x` and `y` count inwards.
    pub anchor: Anchor,
    /// Pixels from the anchor, inwards (to the right and down from the centre).
    #[ts(type = "number")]
    pub x: i64,
    /// Pixels from the anchor, inwards (to the right and down from the centre).
    #[ts(type = "number")]
    pub y: i64,
    /// Width as a part of the width of the picture below, 0.01 to 1; its own where left out.
    pub width: Option<f64>,
    /// 0 to 1, together with the transparency that it has itself.
    pub opacity: f64,
    /// Seconds from the first frame below at which it appears.
    pub start: Option<Rational>,
    /// Seconds from the first frame below at which it disappears.
    pub end: Option<Rational>,
    /// What follows a clip that ends earlier.
    pub after: OverEnd,
}

impl Default for OverlayParams {
    fn default() -> Self {
        Self {
            anchor: Anchor::TopLeft,
            x: 0,
            y: 0,
            width: None,
            opacity: 1.0,
            start: None,
            end: None,
            after: OverEnd::Hold,
        }
    }
}

/// What comes in the place of a background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BackgroundMode {
    /// Nothing: the pictures are transparent there.
    #[default]
    Remove,
    /// Itself, out of focus.
    Blur,
    /// A colour.
    Color,
    /// The pictures of the port `behind`, large enough to leave no bar.
    Picture,
}

/// How a foreground is told from its background, and what comes in the place of that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct BackgroundParams {
    /// Id of a matting model.
    pub model: String,
    /// What comes in the place of the background.
    #[serde(default)]
    pub mode: BackgroundMode,
    /// How far out of focus it is: the standard deviation of the blur in percent of the picture's
    /// height, 0.2 to 20. For `blur`.
    #[serde(default = "BackgroundParams::usual_blur")]
    pub blur: f64,
    /// `#rrggbb`; white where it is left out. For `color`.
    #[serde(default = "white")]
    pub color: String,
    /// How much of the light that the old background threw on the edges is taken away, 0 to 1.
    #[serde(default = "BackgroundParams::usual_spill")]
    pub spill: f64,
    /// How much the mattes of neighbouring pictures of a clip count, so that edges stand still, 0
    /// to 1; 0 takes each picture by itself.
    #[serde(default = "BackgroundParams::usual_smooth")]
    pub smooth: f64,
}

impl BackgroundParams {
    /// With everything but the model as it usually is.
    pub fn new(model: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            mode: BackgroundMode::default(),
            blur: Self::usual_blur(),
            color: white(),
            spill: Self::usual_spill(),
            smooth: Self::usual_smooth(),
        }
    }

    /// Of a lens wide open, as far as a blur of one strength can be.
    fn usual_blur() -> f64 {
        2.5
    }

    fn usual_spill() -> f64 {
        1.0
    }

    fn usual_smooth() -> f64 {
        1.0
    }
}

/// Width by height of a picture as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub enum ReframeShape {
    /// Upright, as phones are held.
    #[default]
    #[serde(rename = "9:16")]
    Upright,
    /// Nearly square, as feeds show most of.
    #[serde(rename = "4:5")]
    Portrait,
    /// Square.
    #[serde(rename = "1:1")]
    Square,
    /// Wide, as television is.
    #[serde(rename = "16:9")]
    Wide,
}

impl ReframeShape {
    /// The words of a document, in the order of the variants.
    pub const WORDS: [&'static str; 4] = ["9:16", "4:5", "1:1", "16:9"];

    /// Width and height.
    pub fn sides(self) -> (u32, u32) {
        match self {
            ReframeShape::Upright => (9, 16),
            ReframeShape::Portrait => (4, 5),
            ReframeShape::Square => (1, 1),
            ReframeShape::Wide => (16, 9),
        }
    }
}

/// The shape that clips are cut to, and what the crop follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct ReframeParams {
    /// The shape.
    pub shape: ReframeShape,
    /// Id of a model that finds faces; without one, the crop follows what moves.
    pub model: Option<String>,
    /// Seconds before and after a picture that say where it is cut, 0.1 to 2.
    pub smooth: f64,
    /// Where the crop is at which time, one a line, instead of finding its way; see [`parse_keys`].
    pub keys: Option<String>,
}

impl Default for ReframeParams {
    fn default() -> Self {
        Self {
            shape: ReframeShape::default(),
            model: None,
            smooth: 1.0,
            keys: None,
        }
    }
}

/// How a place is made unrecognisable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RedactMode {
    /// Eight colours a side that run into each other.
    #[default]
    Blur,
    /// Eight squares a side.
    Pixelate,
    /// One colour.
    Fill,
}

/// How closely a picture is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// The picture as a whole: finds what is large in it.
    Quick,
    /// Parts of it as well.
    #[default]
    Usual,
    /// Smaller parts as well.
    Thorough,
}

/// What is made unrecognisable, and how: what a model finds, and areas that are named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct RedactParams {
    /// Id of a model that finds faces or text; without one, only `areas` are covered.
    pub model: Option<String>,
    /// How.
    pub cover: RedactMode,
    /// `#rrggbb`; black where it is left out. For `fill`.
    pub color: String,
    /// How sure the model must be, 0.05 to 0.95: less finds more, and more that is none.
    pub threshold: f64,
    /// How far beyond what was found is covered on each side, in parts of its sides, 0 to 1.
    pub grow: f64,
    /// How closely pictures are searched.
    pub search: Search,
    /// Areas that are covered whatever is in them, one a line; see [`parse_areas`].
    pub areas: Option<String>,
    /// Areas in which what is found stays as it is, one a line; see [`parse_areas`].
    pub spare: Option<String>,
    /// Ways of single faces or texts that stay as they are; see [`parse_paths`]. In each picture at
    /// most one thing that is found is left by a way: the one that lies on it best.
    pub keep: Option<String>,
}

impl Default for RedactParams {
    fn default() -> Self {
        Self {
            model: None,
            cover: RedactMode::default(),
            color: black(),
            threshold: 0.5,
            grow: 0.25,
            search: Search::default(),
            areas: None,
            spare: None,
            keep: None,
        }
    }
}

/// Text in pictures. Either `text` or `file` is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct TextParams {
    /// What is written; line feeds begin lines.
    pub text: Option<String>,
    /// Absolute path of a subtitle file (ASS, SRT, WebVTT) whose lines appear at their times.
    pub file: Option<String>,
    /// Family of the font; a sans-serif of the system where left out. Without effect on ASS files,
    /// which have their own styles, as are the other properties of the text.
    pub font: Option<String>,
    /// Height of a line in parts of a hundred of the picture's height, 0.5 to 50.
    pub size: f64,
    /// `#rrggbb`.
    pub color: String,
    /// Colour of the outline, `#rrggbb`.
    pub outline_color: String,
    /// Width of the outline in parts of a hundred of the size of the text, 0 to 50.
    pub outline: f64,
    /// Where it lies.
    pub anchor: Anchor,
    /// Distance from the edges in parts of a hundred of the picture's height, 0 to 50.
    pub margin: f64,
    /// 0 to 1.
    pub opacity: f64,
    /// Seconds from the first frame at which it appears.
    pub start: Option<Rational>,
    /// Seconds from the first frame at which it disappears.
    pub end: Option<Rational>,
}

impl Default for TextParams {
    fn default() -> Self {
        Self {
            text: None,
            file: None,
            font: None,
            size: 5.0,
            color: "#ffffff".to_owned(),
            outline_color: black(),
            outline: 6.0,
            anchor: Anchor::Bottom,
            margin: 4.0,
            opacity: 1.0,
            start: None,
            end: None,
        }
    }
}
