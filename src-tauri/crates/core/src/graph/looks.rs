//! Parameters of nodes that change what pictures look like as a whole: light, style, depth.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How dark pictures become lighter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct LightParams {
    /// Id of a model that makes pictures lighter; without one, the light of the scene is estimated
    /// from the pictures themselves.
    pub model: Option<String>,
    /// How much lighter, 0 to 1.
    pub strength: f64,
    /// How far what is bright already keeps its shades, 0 to 1.
    pub highlights: f64,
    /// How much neighbouring pictures of a clip count, so that its light does not flicker, 0 to 1;
    /// 0 takes each picture by itself.
    pub smooth: f64,
}

impl Default for LightParams {
    fn default() -> Self {
        Self {
            model: None,
            strength: 0.7,
            highlights: 1.0,
            smooth: 1.0,
        }
    }
}

/// Whose colours a picture in another style has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StyleColors {
    /// Those of the style.
    #[default]
    Style,
    /// Its own: only brightness comes from the style.
    Source,
}

/// How pictures are painted anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct StyleParams {
    /// Id of a model of a style.
    pub model: String,
    /// How much of the style is seen, 0 to 1.
    #[serde(default = "StyleParams::usual_strength")]
    pub strength: f64,
    /// Longest side in pixels of the picture that is painted, 256 to 2048: small ones have large
    /// strokes. Without meaning for a model that takes one size only.
    #[serde(default = "StyleParams::usual_size")]
    pub size: u32,
    /// Whose colours it has.
    #[serde(default)]
    pub colors: StyleColors,
    /// How much neighbouring pictures of a clip count, so that strokes stay where they are, 0 to 1;
    /// 0 takes each picture by itself.
    #[serde(default = "StyleParams::usual_smooth")]
    pub smooth: f64,
}

impl StyleParams {
    /// With everything but the model as it usually is.
    pub fn new(model: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            strength: Self::usual_strength(),
            size: Self::usual_size(),
            colors: StyleColors::default(),
            smooth: Self::usual_smooth(),
        }
    }

    fn usual_strength() -> f64 {
        1.0
    }

    fn usual_size() -> u32 {
        720
    }

    fn usual_smooth() -> f64 {
        1.0
    }
}

/// What is made of how near everything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DepthShow {
    /// A picture of it: near is bright.
    #[default]
    Map,
    /// The picture, sharp at one distance and out of focus at others.
    Blur,
}

/// The colours of a picture of distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DepthColors {
    /// From black, far away, to white.
    #[default]
    Gray,
    /// From violet, far away, over red to yellow.
    Heat,
}

/// What of a picture goes out of focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DepthSide {
    /// What is farther away than the subject.
    #[default]
    Background,
    /// What is nearer.
    Foreground,
    /// Both, as a lens does it.
    Both,
}

/// What is made of the distances in a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct DepthParams {
    /// Id of a model that says how near everything is.
    pub model: String,
    /// A picture of distances, or the picture with some of it out of focus.
    #[serde(default)]
    pub show: DepthShow,
    /// For `map`.
    #[serde(default)]
    pub colors: DepthColors,
    /// Where it is sharp, from the farthest thing (0) to the nearest (1); what is near the middle
    /// and in front where it is left out. For `blur`.
    #[serde(default)]
    pub focus: Option<f64>,
    /// The standard deviation of the strongest blur in percent of the picture's height, 0.2 to 20.
    /// For `blur`.
    #[serde(default = "DepthParams::usual_blur")]
    pub blur: f64,
    /// What goes out of focus. For `blur`.
    #[serde(default)]
    pub side: DepthSide,
    /// How much neighbouring pictures of a clip count, so that distances do not flicker, 0 to 1; 0
    /// takes each picture by itself.
    #[serde(default = "DepthParams::usual_smooth")]
    pub smooth: f64,
}

impl DepthParams {
    /// With everything but the model as it usually is.
    pub fn new(model: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            show: DepthShow::default(),
            colors: DepthColors::default(),
            focus: None,
            blur: Self::usual_blur(),
            side: DepthSide::default(),
            smooth: Self::usual_smooth(),
        }
    }

    fn usual_blur() -> f64 {
        2.0
    }

    fn usual_smooth() -> f64 {
        1.0
    }
}
