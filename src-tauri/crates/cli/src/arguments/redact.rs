//! Arguments of `redact`.

use super::{DeinterlaceName, Making, Pictures, Upscale, Wishes};
use clap::{ArgGroup, Args};
use frameloom_app::{PresetId, RedactWhat, RedactWish};
use frameloom_core::graph::{RedactMode, Search};
use std::path::PathBuf;

/// Arguments of `redact`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("how"), group = ArgGroup::new("what"))]
pub struct Redact {
    /// Files, folders, or patterns of numbered pictures (shot_%05d.png).
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// How numbered pictures are read.
    #[command(flatten)]
    pub pictures: Pictures,
    /// Where to write: a file, or a folder.
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// A model that finds faces or text; the first of those that are installed if left out.
    #[arg(short, long, value_name = "ID")]
    pub model: Option<String>,
    /// Cover text instead of faces.
    #[arg(long, group = "what")]
    pub text: bool,
    /// Cover the areas and the stretches of sound that are named, and nothing else.
    #[arg(long, group = "what", conflicts_with = "model")]
    pub only_areas: bool,
    /// Squares instead of colours that run into each other.
    #[arg(long, group = "how")]
    pub pixelate: bool,
    /// One colour, black if none is named.
    #[arg(
        long,
        value_name = "COLOR",
        group = "how",
        num_args = 0..=1,
        default_missing_value = "#000000",
        require_equals = true
    )]
    pub fill: Option<String>,
    /// An area that is always covered: left edge, upper edge, width and height in percent of the
    /// picture, and perhaps a time in seconds: '10 20 30 15 from 1.5 to 4'. May be given again.
    #[arg(long, value_name = "AREA")]
    pub area: Vec<String>,
    /// An area in which what is found stays as it is, written as for --area.
    #[arg(long, value_name = "AREA")]
    pub spare: Vec<String>,
    /// Show who is seen in it, each with a number, and do nothing else. A number is no person: after a
    /// cut, or where two faces meet, the same one has another.
    #[arg(long)]
    pub list: bool,
    /// With --list, write a picture with the face of each and its number (PNG or JPEG).
    #[arg(long, value_name = "FILE", requires = "list")]
    pub sheet: Option<PathBuf>,
    /// Leave the faces of these numbers visible, as --list shows them with the same settings: '2,5'.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', conflicts_with_all = ["only", "list"])]
    pub keep: Vec<u32>,
    /// Cover the faces of these numbers, and leave all others of the list visible.
    #[arg(
        long,
        value_name = "NUMBERS",
        value_delimiter = ',',
        conflicts_with = "list"
    )]
    pub only: Vec<u32>,
    /// Take the sound out of a stretch, in seconds or h:mm:ss from the first picture: '12.5-14'. May be
    /// given again, in order.
    #[arg(long, value_name = "FROM-TO")]
    pub mute: Vec<String>,
    /// Put a tone in the place of the sound of a stretch, likewise.
    #[arg(long, value_name = "FROM-TO")]
    pub beep: Vec<String>,
    /// How sure the model must be, 0.05 to 0.95: less finds more, and more that is none.
    #[arg(long, value_name = "PART")]
    pub threshold: Option<f64>,
    /// How far beyond what was found is covered on each side, in parts of its sides, 0 to 1.
    #[arg(long, value_name = "PART")]
    pub grow: Option<f64>,
    /// Look at smaller parts of the pictures too, for small faces; slower.
    #[arg(long, conflicts_with = "quick")]
    pub thorough: bool,
    /// Look at the pictures as a whole only.
    #[arg(long)]
    pub quick: bool,
    /// Keep tags of the file, its tracks and chapters, covers, timed data, and files in it.
    #[arg(long)]
    pub keep_metadata: bool,
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

impl Redact {
    /// As the command for enlarging takes it.
    pub fn upscale(&self) -> Upscale {
        let lines = |areas: &[String]| (!areas.is_empty()).then(|| areas.join("\n"));
        let wish = RedactWish {
            what: match (self.text, self.only_areas) {
                (true, _) => RedactWhat::Text,
                (_, true) => RedactWhat::Areas,
                _ => RedactWhat::Faces,
            },
            cover: match (self.pixelate, &self.fill) {
                (true, _) => Some(RedactMode::Pixelate),
                (_, Some(_)) => Some(RedactMode::Fill),
                _ => None,
            },
            color: self.fill.clone(),
            threshold: self.threshold,
            grow: self.grow,
            search: match (self.thorough, self.quick) {
                (true, _) => Some(Search::Thorough),
                (_, true) => Some(Search::Quick),
                _ => None,
            },
            areas: lines(&self.area),
            spare: lines(&self.spare),
            keep: None,
            keep_from_micros: None,
            mute: lines(&self.mute),
            beep: lines(&self.beep),
            keep_metadata: self.keep_metadata,
        };
        Upscale {
            pictures: self.pictures,
            output: self.output.clone(),
            model: self.model.clone(),
            name: self.name.clone(),
            deinterlace: self.deinterlace,
            wishes: Wishes {
                redact: Some(wish),
                ..Wishes::default()
            },
            ..Upscale::new(PresetId::Redact, &self.inputs, &self.making)
        }
    }
}
