//! Model manifests: what a network takes, what it gives, and under which licence.

use crate::catalogue::LicenceClass;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

/// Version of the manifest that this program reads.
pub const MANIFEST_VERSION: u32 = 1;

/// `manifest.json` beside the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ModelManifest {
    /// [`MANIFEST_VERSION`].
    pub version: u32,
    /// Folder name and handle: lower case, digits, `-`, `_`, `.`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What it does.
    pub task: Task,
    /// Output size by input size, 1 to 8.
    pub scale: u32,
    /// File of the weights, in the same folder.
    pub file: String,
    /// SHA-256 of the weights, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Size of the weights.
    #[ts(type = "number")]
    pub size_bytes: u64,
    /// Licence of the weights.
    pub licence: Licence,
    /// How to feed it.
    pub input: TensorSpec,
    /// How to read it.
    pub output: OutputSpec,
    /// How it may be cut into tiles.
    pub tile: TileSpec,
    /// How a matte is read out of it; for the task `matte`, and for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub matte: Option<MatteSpec>,
    /// How places are read out of it; for the tasks that find something, and for no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub places: Option<PlacesSpec>,
    /// How a depth is read out of it; for the task `depth`, and for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub depth: Option<DepthSpec>,
    /// How it is fed with two pictures; for the task `between`, and for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub between: Option<BetweenSpec>,
    /// It changes brightness or colours on purpose; results are then checked for structure only.
    #[serde(default)]
    pub restyles: bool,
    /// One sentence for creators, by language (`en`, `vi`, `fr`).
    #[serde(default)]
    pub summary: BTreeMap<String, String>,
}

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Makes a picture of a picture: enlarges it, or cleans it at scale 1.
    Upscale,
    /// Says of each pixel how far it belongs to the foreground.
    Matte,
    /// Finds faces.
    Faces,
    /// Finds text.
    Text,
    /// Hears in windows of sound whether somebody speaks. Of how it is fed and read, only the names
    /// of the tensors mean something.
    VoiceActivity,
    /// Takes noise out of speech, spectrum by spectrum. Likewise.
    SpeechCleaning,
    /// Makes a dark picture lighter, as a whole and at its own size.
    Light,
    /// Paints a picture anew in the style of another, as a whole.
    Style,
    /// Says of each pixel how near it is.
    Depth,
    /// Makes the picture between two pictures.
    Between,
}

impl Task {
    /// True if it finds places in a picture and makes no picture.
    pub fn finds(self) -> bool {
        matches!(self, Task::Faces | Task::Text)
    }

    /// True if it makes no picture by itself, and lets a node change one: it sees the whole picture
    /// in a size of its own, and gives something for each pixel of that.
    pub fn sees_whole(self) -> bool {
        matches!(self, Task::Light | Task::Style | Task::Depth)
    }

    /// True if it works on sound, and does nothing to pictures.
    pub fn is_of_sound(self) -> bool {
        matches!(self, Task::VoiceActivity | Task::SpeechCleaning)
    }
}

/// How places are read out of what a network gives.
///
/// Such a network sees a picture brought to its own size: `tile` says which sizes it takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct PlacesSpec {
    /// What the network gives.
    pub head: PlacesHead,
    /// As [`MatteSpec::normal`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub normal: Option<Normal>,
}

/// What a network that finds something gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PlacesHead {
    /// Candidates: boxes `[1, n, 4]` as left, top, right and bottom in parts of the picture, and
    /// probabilities `[1, n, classes]`; several candidates may mean one thing.
    Boxes {
        /// Name of the output with the boxes.
        boxes: String,
        /// Name of the output with the probabilities.
        scores: String,
        /// The class that counts, from 0.
        class: u32,
    },
    /// A probability for each pixel, `[1, 1, height, width]`: places are what hangs together.
    Map {
        /// Name of the output.
        output: String,
    },
}

/// How a matte is read out of what a network gives: one channel of it, after a function.
///
/// Such a network sees the whole picture, brought to its own size: `tile` says which sizes it
/// takes, and its matte has the size of what went in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct MatteSpec {
    /// Channels of the output, 1 to [`MatteSpec::MOST_CHANNELS`].
    pub channels: u32,
    /// The channel of the foreground, counted from 0.
    pub foreground: u32,
    /// What makes probabilities of the numbers that come out.
    pub activation: Activation,
    /// What is subtracted from red, green and blue from 0 to 1, and what the rest is divided by, as
    /// some networks were trained; the range of the input is `unit` then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub normal: Option<Normal>,
}

impl MatteSpec {
    /// More classes than any network of scenes tells apart.
    pub const MOST_CHANNELS: u32 = 256;
}

/// How a depth is read out of what a network gives: one number for each pixel, in no unit.
///
/// Such a network sees the whole picture, as those of [`MatteSpec`] do.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct DepthSpec {
    /// Large numbers are far away; near, where false, as most networks have it.
    pub far_is_large: bool,
    /// As [`MatteSpec::normal`].
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub normal: Option<Normal>,
}

/// How a network is fed that makes the picture between two.
///
/// Such a network sees whole pictures: `tile` says which sizes it takes. [`TensorSpec::name`] is the
/// input of the first picture, or that of everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BetweenSpec {
    /// Name of the input of the second picture; where left out, both are channels of one tensor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub second: Option<String>,
    /// How it is told when the picture is shown: 0 with the first, 1 with the second. Where left out, it
    /// makes the picture in the middle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub moment: Option<Moment>,
}

/// How a network is told a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Moment {
    /// By a tensor of one number.
    Number {
        /// Name of the input.
        input: String,
        /// Its dimensions, each of one, 0 to 4.
        dimensions: u32,
    },
    /// By a plane of it, `[1, 1, height, width]`.
    Plane {
        /// Name of the input.
        input: String,
    },
    /// By channels behind those of both pictures.
    Channels {
        /// Which.
        planes: MomentPlanes,
    },
}

/// Channels that say a moment, each a plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MomentPlanes {
    /// The moment: 7 channels in all, as in the second exports of RIFE for VapourSynth.
    Moment,
    /// The moment, and 1 for full resolution: 8 channels, as in those of VSGAN.
    MomentAndScale,
    /// The moment, places from -1 to 1 across and down, and the distance of two columns and of two
    /// rows: 11 channels, as in the first exports of RIFE for vs-mlrt.
    MomentAndGrid,
}

impl MomentPlanes {
    /// How many.
    pub fn count(self) -> usize {
        match self {
            MomentPlanes::Moment => 1,
            MomentPlanes::MomentAndScale => 2,
            MomentPlanes::MomentAndGrid => 5,
        }
    }
}

/// Mean and standard deviation of the pictures that a network was trained on, for red, green and
/// blue from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
pub struct Normal {
    /// Subtracted first.
    pub mean: [f32; 3],
    /// Divided by then.
    pub deviation: [f32; 3],
}

impl Normal {
    /// Bytes less 127, by 128: by which small detectors are fed.
    pub const BYTE_127: Normal = Normal {
        mean: [127.0 / 255.0; 3],
        deviation: [128.0 / 255.0; 3],
    };

    /// True if numbers come of it that a network can be fed with.
    fn is_sound(&self) -> bool {
        self.deviation.iter().all(|d| d.is_finite() && *d > 0.0)
            && self.mean.iter().all(|m| m.is_finite())
    }

    /// Of the pictures of ImageNet, by which most networks that begin with a classifier are fed.
    pub const IMAGENET: Normal = Normal {
        mean: [0.485, 0.456, 0.406],
        deviation: [0.229, 0.224, 0.225],
    };
}

/// What makes probabilities of the numbers of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// They are probabilities already.
    None,
    /// The logistic function of each.
    Sigmoid,
    /// The share of each among the exponentials of all channels.
    Softmax,
}

/// Licence of the weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Licence {
    /// SPDX expression, or a name.
    pub spdx: String,
    /// Line of credit that the licence asks for.
    pub attribution: Option<String>,
    /// Where its text is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub url: Option<String>,
    /// What it allows, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub class: Option<LicenceClass>,
}

impl Licence {
    /// A licence that is known by its name alone.
    pub fn named(spdx: impl Into<String>) -> Self {
        Self {
            spdx: spdx.into(),
            attribution: None,
            url: None,
            class: None,
        }
    }

    /// True if the weights must not be used for commercial work: by what is known of the licence, or by
    /// the letters that the names of such licences have (`CC-BY-NC-4.0`).
    pub fn forbids_commerce(&self) -> bool {
        match self.class {
            Some(class) => class == LicenceClass::NonCommercial,
            None => {
                let words: Vec<_> = self.spdx.split(|c: char| !c.is_alphanumeric()).collect();
                let is = |word: &&str, known: &str| word.eq_ignore_ascii_case(known);
                let said = ["NC", "NonCommercial"];
                words
                    .iter()
                    .any(|word| said.iter().any(|known| is(word, known)))
                    || words
                        .windows(2)
                        .any(|pair| is(&pair[0], "non") && is(&pair[1], "commercial"))
            }
        }
    }
}

/// Order of the dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Batch, channels, height, width.
    Nchw,
    /// Batch, height, width, channels.
    Nhwc,
}

/// What the channels mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TensorColor {
    /// One channel of luma; the chroma is enlarged by a cubic kernel.
    Luma,
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

impl TensorColor {
    /// Channels of the tensor.
    pub fn channels(self) -> usize {
        match self {
            TensorColor::Luma => 1,
            TensorColor::Rgb | TensorColor::Bgr => 3,
        }
    }
}

/// Which numbers mean black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TensorRange {
    /// Black 0, white 1.
    Unit,
    /// Black 0, white 255.
    Byte,
    /// Black -1, white 1.
    Symmetric,
    /// Black 16/255, white 235/255: studio luma as the benchmark protocol of super-resolution
    /// has it.
    #[serde(rename = "studio_255")]
    Studio255,
}

impl TensorRange {
    /// (black, white) in the numbers of the tensor.
    pub fn black_white(self) -> (f32, f32) {
        match self {
            TensorRange::Unit => (0.0, 1.0),
            TensorRange::Byte => (0.0, 255.0),
            TensorRange::Symmetric => (-1.0, 1.0),
            TensorRange::Studio255 => (16.0 / 255.0, 235.0 / 255.0),
        }
    }
}

/// Element type of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TensorType {
    /// 32-bit float.
    Float32,
    /// 16-bit float.
    Float16,
    /// Byte. Its black is 0 and its white 255.
    Uint8,
}

/// How to feed a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TensorSpec {
    /// Name of the input in the graph.
    pub name: String,
    /// Order of the dimensions.
    pub layout: Layout,
    /// What the channels mean.
    pub color: TensorColor,
    /// Which numbers mean black and white; the output uses the same.
    pub range: TensorRange,
    /// Element type; the output uses the same.
    #[serde(rename = "type")]
    pub element: TensorType,
}

/// How the output pixels are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Packing {
    /// One element is one pixel of the enlarged picture.
    Pixels,
    /// `channels * scale * scale` channels of the input's size, in the channel order of
    /// PyTorch's `pixel_shuffle`: channel `c * s * s + dy * s + dx`. The engine shuffles while it
    /// rounds, which is far cheaper than a DepthToSpace node on a CPU.
    Subpixel,
}

/// How to read a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OutputSpec {
    /// Name of the output in the graph.
    pub name: String,
    /// Order of the dimensions.
    pub layout: Layout,
    /// How the pixels are packed.
    pub packing: Packing,
    /// Which numbers mean black and white, where that differs from the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub range: Option<TensorRange>,
}

/// How a picture may be cut into tiles. All lengths are input pixels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TileSpec {
    /// Context on each side that the network needs: its receptive field's radius.
    pub overlap: u32,
    /// Width of the cross-fade between neighbours, within the overlap; 0 where the overlap covers
    /// the whole receptive field and tiles meet exactly.
    pub feather: u32,
    /// Sides of the input must be multiples of this.
    pub multiple: u32,
    /// Smallest side.
    pub min: u32,
    /// Largest side, where the graph has one; equal to `min` for a fixed size.
    pub max: Option<u32>,
    /// Side that ran fastest per pixel without waste of memory.
    pub preferred: u32,
    /// Width and height of the only tile that the graph takes, where it is no square.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub fixed: Option<(u32, u32)>,
    /// The network looks at the whole picture, so that tiles would not fit each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub whole: Option<bool>,
}

impl TileSpec {
    /// Width and height of the only tile that the graph takes; `None` if it takes several.
    pub fn only_size(&self) -> Option<(u32, u32)> {
        let square = self.max.filter(|&max| max == self.min);
        self.fixed.or(square.map(|side| (side, side)))
    }

    /// True if a picture must not be cut.
    pub fn is_whole(&self) -> bool {
        self.whole.unwrap_or(false)
    }
}

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON of this shape.
    #[error("the manifest cannot be read: {0}")]
    Syntax(String),
    /// A field has a value that makes no sense.
    #[error("the manifest's `{field}` is not valid: {reason}")]
    Field {
        /// Path of the field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl ModelManifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// [`ManifestError`] with the field that is wrong.
    pub fn parse(json: &str) -> Result<Self, ManifestError> {
        let manifest: Self =
            serde_json::from_str(json).map_err(|e| ManifestError::Syntax(e.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    pub(crate) fn check(&self) -> Result<(), ManifestError> {
        let field = |field, ok: bool, reason: &str| {
            if ok {
                Ok(())
            } else {
                Err(ManifestError::Field {
                    field,
                    reason: reason.to_owned(),
                })
            }
        };
        let plain = |s: &str| {
            !s.is_empty()
                && s.len() <= 64
                && !s.starts_with('.')
                && s.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
        };
        field(
            "version",
            self.version == MANIFEST_VERSION,
            "another version than this program reads",
        )?;
        field(
            "id",
            plain(&self.id),
            "use lower-case letters, digits, `-`, `_`, `.`",
        )?;
        // A manifest may come from anywhere: the file must not lead out of its folder.
        field(
            "file",
            !self.file.is_empty()
                && !self.file.contains(['/', '\\', '\0', ':'])
                && self.file != ".."
                && self.file != ".",
            "a plain file name is needed",
        )?;
        field(
            "sha256",
            self.sha256.len() == 64
                && self
                    .sha256
                    .bytes()
                    .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
            "64 lower-case hexadecimal digits are needed",
        )?;
        field("scale", (1..=8).contains(&self.scale), "1 to 8 is possible")?;
        self.check_matte()?;
        self.check_places()?;
        self.check_whole()?;
        self.check_between()?;
        field(
            "tile.multiple",
            (1..=256).contains(&self.tile.multiple),
            "1 to 256 is possible",
        )?;
        field(
            "tile.overlap",
            self.tile.overlap <= 512,
            "at most 512 pixels",
        )?;
        field(
            "tile.feather",
            self.tile.feather <= self.tile.overlap,
            "the cross-fade lies within the overlap",
        )?;
        field(
            "tile.min",
            (1..=4096).contains(&self.tile.min) && self.tile.max.is_none_or(|m| m >= self.tile.min),
            "1 to 4096, and not above `tile.max`",
        )?;
        field(
            "tile.fixed",
            self.tile.fixed.is_none_or(|(width, height)| {
                [width, height].iter().all(|side| {
                    (1..=8192).contains(side)
                        && *side > 2 * self.tile.overlap
                        && side.is_multiple_of(self.tile.multiple)
                })
            }),
            "a tile must be larger than its overlap on both sides, and a multiple of `tile.multiple`",
        )?;
        field(
            "input.type",
            self.input.element != TensorType::Uint8 || self.input.range == TensorRange::Byte,
            "bytes have the range `byte`",
        )?;
        let side = self.tile.max.unwrap_or(u32::MAX).min(self.tile.preferred);
        field(
            "tile.preferred",
            side > 2 * self.tile.overlap && side <= 8192,
            "a tile must be larger than its overlap on both sides",
        )?;
        Ok(())
    }
}

impl ModelManifest {
    fn check_matte(&self) -> Result<(), ManifestError> {
        let wrong = |field, reason: &str| {
            Err(ManifestError::Field {
                field,
                reason: reason.to_owned(),
            })
        };
        let Some(matte) = &self.matte else {
            return match self.task {
                Task::Matte => wrong("matte", "a model of the task `matte` needs it"),
                _ => Ok(()),
            };
        };
        if self.task != Task::Matte {
            return wrong("matte", "only a model of the task `matte` has it");
        }
        if !(1..=MatteSpec::MOST_CHANNELS).contains(&matte.channels)
            || matte.foreground >= matte.channels
        {
            return wrong(
                "matte.foreground",
                "it is one of the channels, counted from 0, of which there are 1 to 256",
            );
        }
        if matte.activation == Activation::Softmax && matte.channels < 2 {
            return wrong("matte.activation", "softmax is of two channels or more");
        }
        if self.scale != 1 {
            return wrong("scale", "a matte has the size of its picture");
        }
        if self.input.color == TensorColor::Luma {
            return wrong("input.color", "a matte is made of red, green and blue");
        }
        if matte.normal.is_some_and(|normal| {
            !normal.is_sound()
                || self.input.range != TensorRange::Unit
                || self.input.element == TensorType::Uint8
        }) {
            return wrong(
                "matte.normal",
                "deviations are above 0, and the range of the input is `unit`",
            );
        }
        Ok(())
    }

    fn check_whole(&self) -> Result<(), ManifestError> {
        let wrong = |field, reason: &str| {
            Err(ManifestError::Field {
                field,
                reason: reason.to_owned(),
            })
        };
        match (&self.depth, self.task) {
            (None, Task::Depth) => return wrong("depth", "a model of the task `depth` needs it"),
            (Some(_), task) if task != Task::Depth => {
                return wrong("depth", "only a model of the task `depth` has it");
            }
            (Some(depth), _)
                if depth.normal.is_some_and(|normal| {
                    !normal.is_sound()
                        || self.input.range != TensorRange::Unit
                        || self.input.element == TensorType::Uint8
                }) =>
            {
                return wrong(
                    "depth.normal",
                    "deviations are above 0, and the range of the input is `unit`",
                );
            }
            _ => {}
        }
        if !self.task.sees_whole() {
            return Ok(());
        }
        if self.scale != 1 || self.output.packing != Packing::Pixels {
            return wrong("scale", "what sees the whole picture enlarges nothing");
        }
        if self.input.color == TensorColor::Luma {
            return wrong("input.color", "red, green and blue are needed");
        }
        Ok(())
    }

    fn check_between(&self) -> Result<(), ManifestError> {
        let wrong = |field, reason: &str| {
            Err(ManifestError::Field {
                field,
                reason: reason.to_owned(),
            })
        };
        let Some(between) = &self.between else {
            return match self.task {
                Task::Between => wrong("between", "a model of the task `between` needs it"),
                _ => Ok(()),
            };
        };
        if self.task != Task::Between {
            return wrong("between", "only a model of the task `between` has it");
        }
        if self.scale != 1 || self.output.packing != Packing::Pixels {
            return wrong("scale", "the picture between two has their size");
        }
        if self.input.color == TensorColor::Luma || self.input.element == TensorType::Uint8 {
            return wrong("input.color", "red, green and blue in floats are needed");
        }
        let own = |moment: &Moment| !matches!(moment, Moment::Channels { .. });
        let fits = match (&between.second, &between.moment) {
            (Some(_), moment) => moment.as_ref().is_none_or(own),
            (None, moment) => {
                self.input.layout == Layout::Nchw && !moment.as_ref().is_some_and(own)
            }
        };
        if !fits {
            return wrong(
                "between.moment",
                "it is an input where the second picture is one, and otherwise channels behind both, channels first",
            );
        }
        Ok(())
    }

    fn check_places(&self) -> Result<(), ManifestError> {
        let wrong = |field, reason: &str| {
            Err(ManifestError::Field {
                field,
                reason: reason.to_owned(),
            })
        };
        let Some(places) = &self.places else {
            return match self.task.finds() {
                true => wrong("places", "a model that finds something needs it"),
                false => Ok(()),
            };
        };
        if !self.task.finds() {
            return wrong("places", "only a model that finds something has it");
        }
        let names = match &places.head {
            PlacesHead::Boxes {
                boxes,
                scores,
                class,
            } => {
                if *class >= MatteSpec::MOST_CHANNELS || boxes == scores {
                    return wrong(
                        "places.head",
                        "boxes and probabilities are two outputs, of at most 256 classes",
                    );
                }
                vec![boxes, scores]
            }
            PlacesHead::Map { output } => vec![output],
        };
        if names.iter().any(|name| name.is_empty()) {
            return wrong("places.head", "outputs have names");
        }
        if self.scale != 1 {
            return wrong("scale", "what only finds something enlarges nothing");
        }
        if self.input.color == TensorColor::Luma || self.input.element != TensorType::Float32 {
            return wrong(
                "input.color",
                "red, green and blue in 32-bit floats are needed",
            );
        }
        if places
            .normal
            .is_some_and(|normal| !normal.is_sound() || self.input.range != TensorRange::Unit)
        {
            return wrong(
                "places.normal",
                "deviations are above 0, and the range of the input is `unit`",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn manifest_json() -> serde_json::Value {
        serde_json::json!({
            "version": 1, "id": "loom-x2", "name": "Loom x2", "task": "upscale", "scale": 2,
            "file": "loom-x2.onnx", "sha256": "0".repeat(64), "size_bytes": 10,
            "licence": {"spdx": "CC0-1.0", "attribution": null},
            "input": {"name": "y", "layout": "nchw", "color": "luma", "range": "studio_255", "type": "float32"},
            "output": {"name": "subpixel", "layout": "nchw", "packing": "subpixel"},
            "tile": {"overlap": 9, "feather": 0, "multiple": 1, "min": 16, "max": null, "preferred": 256},
            "summary": {"en": "Sharper."}
        })
    }

    #[test]
    fn a_manifest_is_read_back_as_written() {
        let manifest = ModelManifest::parse(&manifest_json().to_string()).unwrap();
        assert_eq!(manifest.input.range, TensorRange::Studio255);
        let json = serde_json::to_string(&manifest).unwrap();
        assert_eq!(ModelManifest::parse(&json).unwrap(), manifest);
    }

    #[test]
    fn a_licence_forbids_commerce_by_its_class_or_by_its_name() {
        for name in [
            "CC-BY-NC-4.0",
            "cc-by-nc-sa-4.0",
            "S-Lab Non-Commercial",
            "LicenseRef-NonCommercial",
        ] {
            assert!(Licence::named(name).forbids_commerce(), "{name}");
        }
        for name in [
            "MIT",
            "CC-BY-4.0",
            "CC0-1.0",
            "NCSA",
            "LicenseRef-unknown",
            "",
        ] {
            assert!(!Licence::named(name).forbids_commerce(), "{name}");
        }
        let mut agreed = Licence::named("CC-BY-NC-4.0");
        agreed.class = Some(LicenceClass::Free);
        assert!(!agreed.forbids_commerce(), "what is known counts");
    }

    #[test]
    fn a_matting_model_says_which_channel_is_the_foreground() {
        let mut json = manifest_json();
        json["task"] = "matte".into();
        json["scale"] = 1.into();
        json["input"]["color"] = "rgb".into();
        json["input"]["range"] = "unit".into();
        json["output"]["packing"] = "pixels".into();
        let refused =
            |json: &serde_json::Value, name: &str| match ModelManifest::parse(&json.to_string()) {
                Err(ManifestError::Field { field, .. }) => assert_eq!(field, name),
                other => panic!("{name}: {other:?}"),
            };
        refused(&json, "matte");
        json["matte"] =
            serde_json::json!({"channels": 2, "foreground": 1, "activation": "softmax"});
        let manifest = ModelManifest::parse(&json.to_string()).unwrap();
        let again = serde_json::to_string(&manifest).unwrap();
        assert_eq!(ModelManifest::parse(&again).unwrap(), manifest);
        json["matte"]["foreground"] = 2.into();
        refused(&json, "matte.foreground");
        json["matte"] =
            serde_json::json!({"channels": 1, "foreground": 0, "activation": "softmax"});
        refused(&json, "matte.activation");
        json["matte"]["activation"] = "none".into();
        json["matte"]["normal"] =
            serde_json::json!({"mean": [0.5, 0.5, 0.5], "deviation": [0.5, 0.0, 0.5]});
        refused(&json, "matte.normal");
        json["matte"]["normal"]["deviation"] = serde_json::json!([0.5, 0.5, 0.5]);
        ModelManifest::parse(&json.to_string()).unwrap();
        json["task"] = "upscale".into();
        refused(&json, "matte");
    }

    #[test]
    fn a_manifest_that_leads_out_of_its_folder_is_refused() {
        for file in ["../x.onnx", "/etc/passwd", "a\\b.onnx", "", "..", "c:x"] {
            let mut json = manifest_json();
            json["file"] = file.into();
            assert!(
                matches!(
                    ModelManifest::parse(&json.to_string()),
                    Err(ManifestError::Field { field: "file", .. })
                ),
                "{file:?} must be refused"
            );
        }
    }

    #[test]
    fn impossible_numbers_are_refused_by_name() {
        for (path, value, name) in [
            ("/scale", 0, "scale"),
            ("/scale", 9, "scale"),
            ("/tile/multiple", 0, "tile.multiple"),
            ("/tile/preferred", 18, "tile.preferred"),
            ("/tile/feather", 10, "tile.feather"),
            ("/version", 2, "version"),
        ] {
            let mut json = manifest_json();
            *json.pointer_mut(path).unwrap() = value.into();
            match ModelManifest::parse(&json.to_string()) {
                Err(ManifestError::Field { field, .. }) => assert_eq!(field, name),
                other => panic!("{path} = {value} gave {other:?}"),
            }
        }
    }
}
