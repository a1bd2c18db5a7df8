//! What can be typed to split clips at their cuts.

use super::{DeinterlaceName, Making, Pictures, Upscale};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use frameloom_app::{PresetId, SCENE_EXPORTS, SceneExport, SceneWish};
use std::path::PathBuf;

/// Arguments of `scenes`.
#[derive(Debug, Args)]
pub struct Scenes {
    /// Clips, or folders.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// What is made of the shots: a table (CSV), JSON, a file of each, a copy of the clip with a chapter
    /// for each (nothing is encoded anew; chapters that are there are replaced), or a sheet with a picture
    /// of each (PNG or JPEG). Only shown if left out.
    #[arg(long, value_name = "WHAT", value_parser = scene_export())]
    pub export: Option<SceneExport>,
    /// Where to write: a file, or a folder; for list and json also `-`, the standard output. Beside the
    /// source if left out.
    #[arg(
        short = 'o',
        long = "to",
        visible_alias = "output",
        value_name = "FILE|DIR",
        requires = "export"
    )]
    pub to: Option<PathBuf>,
    /// How little must change for a shot to end, 0 (only what nobody would deny) to 1.
    #[arg(long, value_name = "PART", default_value_t = SceneWish::default().sensitivity)]
    pub sensitivity: f64,
    /// A shot is at least so long, in seconds, 0 to 600; what is shorter belongs to its neighbour.
    #[arg(long, value_name = "SECONDS", default_value_t = f64::from(SceneWish::default().least_millis) / 1000.0)]
    pub least: f64,
    /// What stands before the number in the names of chapters.
    #[arg(long, value_name = "WORD", default_value_t = SceneWish::default().chapter)]
    pub chapter: String,
    /// How files are made.
    #[command(flatten)]
    pub making: Making,
    /// File name of a shot, with {name}, {shot} or {shot:05}, {width}, {height}; `{name}_{shot:03}` if
    /// left out.
    #[arg(long, value_name = "TEMPLATE")]
    pub name: Option<String>,
}

fn scene_export() -> impl TypedValueParser<Value = SceneExport> {
    let words = SCENE_EXPORTS.iter().map(|(_, word, _)| *word);
    PossibleValuesParser::new(words).try_map(|word| word.parse::<SceneExport>())
}

impl Scenes {
    /// How they are told from each other. What is no length becomes one that is refused.
    pub fn wish(&self) -> SceneWish {
        let millis = (self.least * 1000.0).round();
        SceneWish {
            sensitivity: self.sensitivity,
            least_millis: match (0.0..1e9).contains(&millis) {
                true => millis as u32,
                false => u32::MAX,
            },
            chapter: self.chapter.clone(),
        }
    }

    /// As the command for enlarging takes it.
    pub fn upscale(&self) -> Upscale {
        Upscale {
            inputs: self.inputs.clone(),
            pictures: Pictures {
                rate: None,
                sequence: false,
            },
            output: self.to.clone(),
            model: None,
            scale: None,
            making: self.making.clone(),
            name: self.name.clone(),
            deinterlace: DeinterlaceName::Off,
            preset: PresetId::Scenes,
            saved: None,
            background: None,
            redact: None,
            reframe: None,
            motion: None,
            silence: None,
            voice: None,
            look: None,
            scenes: Some(self.wish()),
            format: None,
            size: None,
            source: None,
            convert: None,
            subtitles: None,
        }
    }
}
