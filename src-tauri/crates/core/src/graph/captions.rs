//! Subtitles in the pictures, and beside them.

use super::{Anchor, TextParams};
use crate::subtitles::Retime;
use crate::time::Rational;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A track of text that is read line by line, and written anew in what the result can hold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
pub struct SubtitleTrackParams {
    /// Index of the stream in the input; the first one with text where left out.
    #[serde(default)]
    pub track: Option<u32>,
    /// Character set of a file of subtitles; UTF-8, or UTF-16 with its mark, where left out.
    #[serde(default)]
    pub charset: Option<String>,
    /// Seconds by which all of it comes later; earlier where negative.
    #[serde(default)]
    pub shift: Option<Rational>,
    /// What all times are multiplied by, before they are shifted, 1/100 to 100.
    #[serde(default)]
    pub stretch: Option<Rational>,
    /// Two or three letters of ISO 639; that of the source where left out.
    #[serde(default)]
    pub language: Option<String>,
    /// Its name in a player's menu.
    #[serde(default)]
    pub title: Option<String>,
    /// When players show it.
    #[serde(default)]
    pub show: TrackShow,
}

/// When players show a track of subtitles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TrackShow {
    /// Where somebody chooses it.
    #[default]
    Chosen,
    /// Unless told otherwise.
    Always,
}

impl SubtitleTrackParams {
    /// When its lines are shown; `None` beyond what is possible.
    pub fn retime(&self) -> Option<Retime> {
        Retime::new(self.shift, self.stretch)
    }
}

/// Subtitles of a file and how they look. What is ASS keeps the look that it has itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct SubtitlesParams {
    /// Absolute path of a file of subtitles (ASS, SRT, WebVTT), or of a clip with a track of text.
    pub file: String,
    /// Index of the stream in that file; the first one with text where left out.
    #[serde(default)]
    pub track: Option<u32>,
    /// Character set of a file of subtitles; UTF-8, or UTF-16 with its mark, where left out.
    #[serde(default)]
    pub charset: Option<String>,
    /// Seconds by which all of it comes later; earlier where negative.
    #[serde(default)]
    pub shift: Option<Rational>,
    /// What all times are multiplied by, before they are shifted, 1/100 to 100.
    #[serde(default)]
    pub stretch: Option<Rational>,
    /// Family of the font; a sans-serif of the system where left out.
    #[serde(default)]
    pub font: Option<String>,
    /// Height of a line in parts of a hundred of the picture's height, 0.5 to 50.
    #[serde(default = "SubtitlesParams::usual_size")]
    pub size: f64,
    /// `#rrggbb`.
    #[serde(default = "SubtitlesParams::white")]
    pub color: String,
    /// Colour of the outline, `#rrggbb`.
    #[serde(default = "SubtitlesParams::black")]
    pub outline_color: String,
    /// Width of the outline in parts of a hundred of the size of the text, 0 to 50.
    #[serde(default = "SubtitlesParams::usual_outline")]
    pub outline: f64,
    /// Colour of a box behind the text, through which a little is seen, `#rrggbb`; none where left out.
    #[serde(default, rename = "box")]
    pub back: Option<String>,
    /// Where it lies.
    #[serde(default = "SubtitlesParams::usual_anchor")]
    pub anchor: Anchor,
    /// Distance from the edges in parts of a hundred of the picture's height, 0 to 50.
    #[serde(default = "SubtitlesParams::usual_margin")]
    pub margin: f64,
}

impl SubtitlesParams {
    /// A file as it usually looks.
    pub fn new(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            track: None,
            charset: None,
            shift: None,
            stretch: None,
            font: None,
            size: Self::usual_size(),
            color: Self::white(),
            outline_color: Self::black(),
            outline: Self::usual_outline(),
            back: None,
            anchor: Self::usual_anchor(),
            margin: Self::usual_margin(),
        }
    }

    /// The file of a node `text`, in its look; `None` where that writes a text.
    pub fn of_text(text: &TextParams) -> Option<Self> {
        Some(Self {
            font: text.font.clone(),
            size: text.size,
            color: text.color.clone(),
            outline_color: text.outline_color.clone(),
            outline: text.outline,
            anchor: text.anchor,
            margin: text.margin,
            ..Self::new(text.file.clone()?)
        })
    }

    /// When its lines are shown; `None` beyond what is possible.
    pub fn retime(&self) -> Option<Retime> {
        Retime::new(self.shift, self.stretch)
    }

    fn usual_size() -> f64 {
        5.0
    }

    fn usual_outline() -> f64 {
        6.0
    }

    fn usual_margin() -> f64 {
        4.0
    }

    fn usual_anchor() -> Anchor {
        Anchor::Bottom
    }

    fn white() -> String {
        "#ffffff".to_owned()
    }

    fn black() -> String {
        "#000000".to_owned()
    }
}
