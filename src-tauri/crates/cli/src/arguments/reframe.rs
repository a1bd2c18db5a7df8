//! Arguments of `reframe`.

use super::{DeinterlaceName, Making, Pictures, Upscale};
use clap::{Args, ValueEnum};
use frameloom_app::{PresetId, ReframeWish};
use frameloom_core::graph::ReframeShape;
use std::path::PathBuf;

/// Arguments of `reframe`.
#[derive(Debug, Args)]
pub struct Reframe {
    /// Files, folders, or patterns of numbered pictures (shot_%05d.png).
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// How numbered pictures are read.
    #[command(flatten)]
    pub pictures: Pictures,
    /// Where to write: a file, or a folder.
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// Width by height of the result.
    #[arg(long, default_value = "9:16")]
    pub shape: ShapeName,
    /// A model that finds faces, which are followed; the only one that is installed if left out.
    /// Without any, what moves is followed.
    #[arg(short, long, value_name = "ID")]
    pub model: Option<String>,
    /// Follow what moves, not faces.
    #[arg(long, conflicts_with_all = ["model", "key"])]
    pub motion: bool,
    /// Where the middle of the crop is at which time, instead of following anything: seconds, and
    /// percent from the left or the top: '2.5 30'. May be given again.
    #[arg(long, value_name = "PLACE", conflicts_with = "model")]
    pub key: Vec<String>,
    /// Seconds before and after a picture that say where it is cut, 0.1 to 2.
    #[arg(long, value_name = "SECONDS")]
    pub smooth: Option<f64>,
    /// How the result is made.
    #[command(flatten)]
    pub making: Making,
    /// File name of the result, with {name}, {model}, {width}, {height}, {counter}.
    #[arg(long, value_name = "TEMPLATE")]
    pub name: Option<String>,
    /// Make whole pictures of the fields of an interlaced source first (bwdif).
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub deinterlace: DeinterlaceName,
}

/// Shapes by their usual names.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ShapeName {
    /// Upright, as phones are held.
    #[value(name = "9:16")]
    Upright,
    /// Nearly square.
    #[value(name = "4:5")]
    Portrait,
    /// Square.
    #[value(name = "1:1")]
    Square,
    /// Wide.
    #[value(name = "16:9")]
    Wide,
}

impl From<ShapeName> for ReframeShape {
    fn from(name: ShapeName) -> Self {
        match name {
            ShapeName::Upright => ReframeShape::Upright,
            ShapeName::Portrait => ReframeShape::Portrait,
            ShapeName::Square => ReframeShape::Square,
            ShapeName::Wide => ReframeShape::Wide,
        }
    }
}

impl Reframe {
    /// As the command for enlarging takes it.
    pub fn upscale(&self) -> Upscale {
        Upscale {
            inputs: self.inputs.clone(),
            pictures: self.pictures,
            output: self.output.clone(),
            model: self.model.clone(),
            scale: None,
            making: self.making.clone(),
            name: self.name.clone(),
            deinterlace: self.deinterlace,
            preset: PresetId::Reframe,
            saved: None,
            reframe: Some(ReframeWish {
                shape: Some(self.shape.into()),
                smooth: self.smooth,
                keys: (!self.key.is_empty()).then(|| self.key.join("\n")),
                motion_only: self.motion,
            }),
            background: None,
            redact: None,
            motion: None,
            silence: None,
            voice: None,
            scenes: None,
            look: None,
            format: None,
            size: None,
            source: None,
            convert: None,
            subtitles: None,
        }
    }
}
