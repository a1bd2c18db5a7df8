//! What nodes that work on sound are told.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// When tracks of other inputs end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MuxEnd {
    /// With the pictures.
    #[default]
    Pictures,
    /// Where they end themselves.
    Longest,
}

/// How tracks come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct MuxParams {
    /// When tracks of other inputs end.
    pub ends: MuxEnd,
}

/// A loudness (EBU R128, ITU-R BS.1770).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct LoudnessParams {
    /// Integrated loudness in LUFS, -70 to -5. Broadcasting has -23, most sites near -14.
    pub target: f64,
    /// Highest true peak in dBTP, -9 to 0.
    pub peak: f64,
}

impl Default for LoudnessParams {
    fn default() -> Self {
        Self {
            target: -23.0,
            peak: -1.0,
        }
    }
}

/// How noise is taken out of sound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct AudioDenoiseParams {
    /// By how much noise is lowered, in dB, 0.01 to 97.
    pub reduction: f64,
    /// Absolute path of an ONNX model for speech that does it instead.
    pub model: Option<String>,
    /// How much of the result counts, 0 to 1; the rest is the sound as it was.
    pub strength: f64,
}

impl Default for AudioDenoiseParams {
    fn default() -> Self {
        Self {
            reduction: 12.0,
            model: None,
            strength: 1.0,
        }
    }
}

/// Which channels become tracks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct SplitChannelsParams {
    /// Names of channels with commas between them (`FL,FR`); all where left out.
    pub channels: Option<String>,
}

/// What is heard in the place of what is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SoundCover {
    /// Nothing.
    #[default]
    Mute,
    /// A tone of 1 kHz at -20 dB of full scale.
    Beep,
}

/// Which stretches of sound are covered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AudioRedactParams {
    /// `start-end` in seconds or `h:mm:ss` from the first picture, one in a line, each behind the one
    /// before it, as [`parse_kept`](super::parse_kept) reads them.
    pub ranges: String,
    /// What is heard instead.
    #[serde(default)]
    pub cover: SoundCover,
}
