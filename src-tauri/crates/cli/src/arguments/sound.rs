//! What can be typed to work on sound.

use super::{DeinterlaceName, Making, Upscale, Wishes};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use frameloom_app::silence::EDIT_FORMATS;
use frameloom_app::{EditFormat, PresetId, SilenceWish, VoiceWish};
use frameloom_core::speech::SilenceRule;
use std::path::PathBuf;

/// Arguments of `silence`.
#[derive(Debug, Args)]
pub struct Silence {
    /// Clips, files of sound, or folders.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Where to write: a file, or a folder; with --export also `-`, the standard output. Beside the
    /// source if left out.
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// A model that hears whether somebody speaks; the first of those that are installed if left out.
    /// `frameloom models import FILE.onnx` installs one, such as Silero VAD.
    #[arg(short, long, value_name = "ID")]
    pub model: Option<String>,
    /// How much is kept before and after speech, in milliseconds, 0 to 5000.
    #[arg(long, value_name = "MS", default_value_t = SilenceRule::default().padding_millis)]
    pub padding: u32,
    /// Pauses that are shorter stay, in milliseconds, 50 to 60000.
    #[arg(long, value_name = "MS", default_value_t = SilenceRule::default().min_silence_millis)]
    pub min_silence: u32,
    /// Sounds that are shorter are no speech, in milliseconds, 0 to 5000.
    #[arg(long, value_name = "MS", default_value_t = SilenceRule::default().min_speech_millis)]
    pub min_speech: u32,
    /// From which probability on somebody speaks, 0.05 to 0.95. Lower keeps more.
    #[arg(long, value_name = "P", default_value_t = SilenceRule::default().threshold)]
    pub threshold: f64,
    /// Listen to this track alone, by its index (see `frameloom probe`); to all if left out, and what
    /// is said in any is kept.
    #[arg(long, value_name = "INDEX")]
    pub track: Option<u32>,
    /// Leave the clip as it is, and write what would be kept: an EDL (CMX 3600), FCPXML, an
    /// OpenTimelineIO file, chapters (ffmetadata), or a list for the node `cut`.
    #[arg(long, value_name = "FORMAT", value_parser = edit_format())]
    pub export: Option<EditFormat>,
    /// How the result is made.
    #[command(flatten)]
    pub making: Making,
    /// File name of the result, with {name}, {model}, {counter}, and for clips {width}, {height}.
    #[arg(long, value_name = "TEMPLATE", conflicts_with = "export")]
    pub name: Option<String>,
}

fn edit_format() -> impl TypedValueParser<Value = EditFormat> {
    let words = EDIT_FORMATS.iter().map(|(_, word, _)| *word);
    PossibleValuesParser::new(words).try_map(|word| word.parse::<EditFormat>())
}

impl Silence {
    /// How it is cut.
    pub fn wish(&self) -> SilenceWish {
        SilenceWish {
            rule: SilenceRule {
                threshold: self.threshold,
                padding_millis: self.padding,
                min_silence_millis: self.min_silence,
                min_speech_millis: self.min_speech,
            },
            track: self.track,
        }
    }

    /// As the command for enlarging takes it.
    pub fn upscale(&self) -> Upscale {
        Upscale {
            output: self.output.clone(),
            model: self.model.clone(),
            name: self.name.clone(),
            deinterlace: DeinterlaceName::Off,
            wishes: Wishes {
                silence: Some(self.wish()),
                ..Wishes::default()
            },
            ..Upscale::new(PresetId::Silence, &self.inputs, &self.making)
        }
    }
}

/// Arguments of `voice`.
#[derive(Debug, Args)]
pub struct Voice {
    /// Clips, files of sound, or folders.
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Where to write: a file, or a folder. Beside the source if left out.
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// A model that takes noise out of speech; the first that is installed if left out, and a filter of
    /// ffmpeg where there is none. `frameloom models import FILE.onnx` installs one, such as GTCRN.
    #[arg(short, long, value_name = "ID")]
    pub model: Option<String>,
    /// Loudness of the result in LUFS: -14 for most sites, -16 for podcasts, -23 for broadcasting. True
    /// peaks stay below -1 dBTP.
    #[arg(long, value_name = "LUFS", allow_negative_numbers = true, default_value_t = VoiceWish::default().loudness)]
    pub loudness: f64,
    /// How much of the noise is taken, 0 to 1.
    #[arg(long, value_name = "PART", default_value_t = VoiceWish::default().strength)]
    pub strength: f64,
    /// How the result is made.
    #[command(flatten)]
    pub making: Making,
    /// File name of the result, with {name}, {model}, {counter}, and for clips {width}, {height}.
    #[arg(long, value_name = "TEMPLATE")]
    pub name: Option<String>,
}

impl Voice {
    /// As the command for enlarging takes it.
    pub fn upscale(&self) -> Upscale {
        Upscale {
            output: self.output.clone(),
            model: self.model.clone(),
            name: self.name.clone(),
            deinterlace: DeinterlaceName::Off,
            wishes: Wishes {
                voice: Some(VoiceWish {
                    loudness: self.loudness,
                    strength: self.strength,
                }),
                ..Wishes::default()
            },
            ..Upscale::new(PresetId::Voice, &self.inputs, &self.making)
        }
    }
}
