//! Model manifests: what a network takes, what it gives, and under which licence.

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
    /// Enlarges pictures.
    Upscale,
}

/// Licence of the weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Licence {
    /// SPDX expression, or a name.
    pub spdx: String,
    /// Line of credit that the licence asks for.
    pub attribution: Option<String>,
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

    fn check(&self) -> Result<(), ManifestError> {
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
