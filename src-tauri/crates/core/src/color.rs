//! Colour as video tags it (ITU-T H.273). Every value may be unknown, and unknown stays unknown.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The luma/chroma equation (H.273 MatrixCoefficients).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Matrix {
    /// Not stated by the file.
    #[default]
    Unspecified,
    /// The planes are G, B, R; no equation.
    Identity,
    /// BT.601, both the 525 and the 625 line tags.
    Bt601,
    /// BT.709.
    Bt709,
    /// BT.2020 non-constant luminance.
    Bt2020,
    /// SMPTE 240M.
    Smpte240m,
    /// FCC title 47.
    Fcc,
    /// Anything else (ICtCp, YCgCo, constant luminance): kept as a tag, not converted.
    Other,
}

impl Matrix {
    /// Kr and Kb of the equation (H.273 table 4); `None` where there is no such equation.
    pub fn kr_kb(self) -> Option<(f64, f64)> {
        match self {
            Matrix::Bt601 => Some((0.299, 0.114)),
            Matrix::Bt709 => Some((0.2126, 0.0722)),
            Matrix::Bt2020 => Some((0.2627, 0.0593)),
            Matrix::Smpte240m => Some((0.212, 0.087)),
            Matrix::Fcc => Some((0.30, 0.11)),
            Matrix::Unspecified | Matrix::Identity | Matrix::Other => None,
        }
    }
}

/// Which sample values mean black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// Not stated by the file.
    #[default]
    Unspecified,
    /// 16..235 in 8 bit (studio swing).
    Limited,
    /// 0..255 in 8 bit.
    Full,
}

/// Where a chroma sample sits among the luma samples it belongs to (H.273 figure 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ChromaLocation {
    /// Not stated: treated as `Left`, the default of MPEG-2, H.264 and HEVC.
    #[default]
    Unspecified,
    /// Beside the left luma sample, between the lines.
    Left,
    /// In the middle (JPEG, MPEG-1).
    Center,
    /// On the upper left luma sample (UHD HDR).
    TopLeft,
    /// On the upper edge, in the middle.
    Top,
    /// On the lower left luma sample.
    BottomLeft,
    /// On the lower edge, in the middle.
    Bottom,
}

impl ChromaLocation {
    /// Offset of a chroma sample from the top left luma sample of its block, in luma samples,
    /// for a 2x2 block: (horizontal, vertical), each 0, 0.5 or 1.
    pub fn offset(self) -> (f64, f64) {
        match self {
            ChromaLocation::Unspecified | ChromaLocation::Left => (0.0, 0.5),
            ChromaLocation::Center => (0.5, 0.5),
            ChromaLocation::TopLeft => (0.0, 0.0),
            ChromaLocation::Top => (0.5, 0.0),
            ChromaLocation::BottomLeft => (0.0, 1.0),
            ChromaLocation::Bottom => (0.5, 1.0),
        }
    }
}

/// The four colour tags of a video stream and the place of its chroma.
///
/// `primaries` and `transfer` are kept as the names that ffmpeg gives them (`bt709`,
/// `smpte2084`, ...): nothing here computes with them, they only travel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct ColorInfo {
    /// Colour primaries; `None` where the file does not say.
    pub primaries: Option<String>,
    /// Transfer characteristics; `None` where the file does not say.
    pub transfer: Option<String>,
    /// Name of the matrix as tagged; `None` where the file does not say.
    pub matrix_name: Option<String>,
    /// The matrix as the conversion understands it.
    pub matrix: Matrix,
    /// The range.
    pub range: Range,
    /// The chroma location.
    pub chroma_location: ChromaLocation,
}

impl ColorInfo {
    /// The matrix to compute with: the tag, or what the field assumes for untagged video of this
    /// height (BT.601 up to 576 lines, BT.709 above). The second value is true for a guess.
    pub fn matrix_or_guess(&self, width: u32, height: u32) -> (Matrix, bool) {
        match self.matrix {
            Matrix::Unspecified if width >= 1280 || height > 576 => (Matrix::Bt709, true),
            Matrix::Unspecified => (Matrix::Bt601, true),
            known => (known, false),
        }
    }

    /// True for the HDR transfer curves PQ and HLG.
    pub fn is_hdr(&self) -> bool {
        matches!(self.transfer.as_deref(), Some("smpte2084" | "arib-std-b67"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untagged_video_is_guessed_by_size_and_tagged_video_is_not() {
        let untagged = ColorInfo::default();
        assert_eq!(untagged.matrix_or_guess(640, 480), (Matrix::Bt601, true));
        assert_eq!(untagged.matrix_or_guess(720, 576), (Matrix::Bt601, true));
        assert_eq!(untagged.matrix_or_guess(1280, 720), (Matrix::Bt709, true));
        let tagged = ColorInfo {
            matrix: Matrix::Bt2020,
            ..ColorInfo::default()
        };
        assert_eq!(tagged.matrix_or_guess(640, 480), (Matrix::Bt2020, false));
    }
}
