//! What can be done to a file in a word: one table, of which the cards of the window, the words of
//! the command line and graphs to go on from are made.

mod document;
mod fit;
mod shelf;
mod steps;
mod work;

pub use document::{
    MAX_PRESET_BYTES, PRESET_ENDING, PRESET_VERSION, PresetDocument, PresetSettings, PresetWords,
    Step,
};
pub(crate) use fit::check_fit;
pub use fit::{Misfit, PresetFit, fits};
pub(crate) use shelf::with_format;
pub use shelf::{PresetOrigin, RefusedPreset, SavedFit, SavedPreset, Shelf};
pub(crate) use steps::fitted;
pub(crate) use work::{Work, check_settings, ending_of, left_out, sound_work, work};

use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{Quality, VideoCodec};
use frameloom_core::media::MediaKind;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use ts_rs::TS;

/// Name of a preset.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, TS,
)]
#[serde(rename_all = "snake_case")]
pub enum PresetId {
    /// More pixels, by a model.
    #[default]
    Enlarge,
    /// Less noise.
    Clean,
    /// Whole pictures of fields.
    Deinterlace,
    /// Small enough to send.
    Share,
    /// A picture that moves.
    Animate,
    /// Sound of an even loudness.
    Loudness,
    /// Every frame a picture.
    Frames,
    /// Without any loss.
    Archive,
    /// The foreground alone, transparent around it.
    Cutout,
    /// The background out of focus.
    Defocus,
    /// The foreground on one colour.
    Backdrop,
    /// Faces that nobody recognises.
    Redact,
    /// A camera that moves calmly.
    Steady,
    /// New frames in between.
    Smooth,
    /// Another shape.
    Reframe,
    /// Dark pictures made lighter.
    Light,
    /// Pictures painted anew in a style.
    Style,
    /// Out of focus by distance.
    Depth,
    /// Pauses cut out.
    Silence,
    /// Speech without noise, at an even loudness.
    Voice,
    /// A file of each shot.
    Scenes,
    /// Other formats and sizes of pictures.
    Convert,
    /// Subtitles burned into the pictures.
    Subtitles,
    /// Sound without pictures, or in another format.
    Sound,
    /// The steps of a preset of the shelf; no card of its own.
    Steps,
}

/// A setting that a preset leaves to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PresetOption {
    /// Which model does it.
    Model,
    /// How many times larger.
    Scale,
    /// Quality in a word.
    Quality,
    /// Codec of a clip.
    Codec,
}

/// A row of the table.
#[derive(Debug)]
pub struct Preset {
    /// Its name.
    pub id: PresetId,
    /// Its word on the command line.
    pub word: &'static str,
    /// What it does, in a sentence of the command line.
    pub summary: &'static str,
    /// What it can be done to.
    pub takes: &'static [MediaKind],
    /// What it leaves to the user.
    pub options: &'static [PresetOption],
    /// Endings that the result of a clip may have, the usual one first. As the source has it where
    /// nobody chooses and `follows_source` holds.
    pub clip_formats: &'static [&'static str],
    /// Endings that the result of a picture may have.
    pub still_formats: &'static [&'static str],
    /// Endings that the result of sound alone may have.
    pub sound_formats: &'static [&'static str],
    /// Where no ending is chosen, it is the source's if that can be.
    pub follows_source: bool,
    /// Name of the result where the user gave no template.
    pub template: &'static str,
    /// The codec that it is about.
    pub codec: Option<VideoCodec>,
    /// The quality that it is about; the user's where there is none.
    pub quality: Option<Quality>,
}

const PICTURES: &[MediaKind] = &[MediaKind::Video, MediaKind::Still];
const CLIPS: &[MediaKind] = &[MediaKind::Video];
/// What has sound.
const HEARD: &[MediaKind] = &[MediaKind::Video, MediaKind::Audio];
const EVERYTHING: &[MediaKind] = &[MediaKind::Video, MediaKind::Still, MediaKind::Audio];
const CLIP_FORMATS: &[&str] = &["mp4", "mkv", "mov", "webm"];
const STILL_FORMATS: &[&str] = &["png", "jpg", "webp", "tiff"];
const SOUND_FORMATS: &[&str] = &["m4a", "mp3", "wav", "flac", "ogg", "opus"];

/// Every preset, in the order of the cards.
pub const PRESETS: &[Preset] = &[
    Preset {
        id: PresetId::Enlarge,
        word: "enlarge",
        summary: "Enlarge with a model: twice, unless --scale says otherwise",
        takes: PICTURES,
        options: &[
            PresetOption::Scale,
            PresetOption::Model,
            PresetOption::Quality,
            PresetOption::Codec,
        ],
        clip_formats: CLIP_FORMATS,
        still_formats: STILL_FORMATS,
        sound_formats: &[],
        follows_source: true,
        template: crate::inputs::DEFAULT_TEMPLATE,
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Clean,
        word: "clean",
        summary: "Take noise out of the pictures",
        takes: PICTURES,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: STILL_FORMATS,
        sound_formats: &[],
        follows_source: true,
        template: "{name}_clean",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Deinterlace,
        word: "deinterlace",
        summary: "Make whole pictures of an interlaced clip, one of each field",
        takes: CLIPS,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: &[],
        sound_formats: &[],
        follows_source: true,
        template: "{name}_progressive",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Share,
        word: "share",
        summary: "Make it small enough to send: at most 1280 pixels (a picture 2048), H.264 or JPEG",
        takes: PICTURES,
        options: &[PresetOption::Quality],
        clip_formats: &["mp4", "mov", "mkv"],
        still_formats: &["jpg", "webp", "png"],
        sound_formats: &[],
        follows_source: false,
        template: "{name}_small",
        codec: Some(VideoCodec::H264),
        quality: None,
    },
    Preset {
        id: PresetId::Animate,
        word: "animate",
        summary: "Make an animation of a clip of at most a minute: WebP, GIF or APNG",
        takes: CLIPS,
        options: &[],
        clip_formats: &["webp", "gif", "apng"],
        still_formats: &[],
        sound_formats: &[],
        follows_source: false,
        template: "{name}",
        codec: None,
        quality: Some(Quality::Good),
    },
    Preset {
        id: PresetId::Loudness,
        word: "loudness",
        summary: "Bring the sound to -16 LUFS; the pictures stay as they are",
        takes: HEARD,
        options: &[PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: &[],
        sound_formats: SOUND_FORMATS,
        follows_source: true,
        template: "{name}_even",
        codec: None,
        quality: Some(Quality::Archive),
    },
    Preset {
        id: PresetId::Frames,
        word: "frames",
        summary: "Write every frame as a numbered picture into a folder",
        takes: CLIPS,
        options: &[],
        clip_formats: &["png", "jpg", "tiff", "webp"],
        still_formats: &[],
        sound_formats: &[],
        follows_source: false,
        template: "{name}",
        codec: None,
        quality: Some(Quality::Archive),
    },
    Preset {
        id: PresetId::Archive,
        word: "archive",
        summary: "Keep every bit of the pictures: FFV1 in Matroska",
        takes: CLIPS,
        options: &[],
        clip_formats: &["mkv"],
        still_formats: &[],
        sound_formats: &[],
        follows_source: false,
        template: "{name}_archive",
        codec: Some(VideoCodec::Ffv1),
        quality: Some(Quality::Lossless),
    },
    Preset {
        id: PresetId::Cutout,
        word: "cutout",
        summary: "Leave the background away: transparent PNG, ProRes 4444 or VP9, by a matting model",
        takes: PICTURES,
        options: &[PresetOption::Quality],
        clip_formats: &["mov", "webm", "mkv", "webp"],
        still_formats: &["png", "webp", "tiff"],
        sound_formats: &[],
        follows_source: false,
        template: "{name}_cutout",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Defocus,
        word: "defocus",
        summary: "Blur the background behind people, by a matting model",
        takes: PICTURES,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: STILL_FORMATS,
        sound_formats: &[],
        follows_source: true,
        template: "{name}_defocus",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Backdrop,
        word: "backdrop",
        summary: "Put people before plain white, by a matting model",
        takes: PICTURES,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: STILL_FORMATS,
        sound_formats: &[],
        follows_source: true,
        template: "{name}_backdrop",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Redact,
        word: "redact",
        summary: "Make faces unrecognisable, and leave out what the file tells beside its pictures",
        takes: PICTURES,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: STILL_FORMATS,
        sound_formats: &[],
        follows_source: true,
        template: "{name}_redacted",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Steady,
        word: "steady",
        summary: "Calm a shaky camera; the picture is shown a tenth larger, so that no border is seen",
        takes: CLIPS,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: &[],
        sound_formats: &[],
        follows_source: true,
        template: "{name}_steady",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Smooth,
        word: "smooth",
        summary: "Make a new frame between each two, for smoother motion",
        takes: CLIPS,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: &[],
        sound_formats: &[],
        follows_source: true,
        template: "{name}_smooth",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Reframe,
        word: "reframe",
        summary: "Cut upright, 9:16, around faces or what moves",
        takes: PICTURES,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: STILL_FORMATS,
        sound_formats: &[],
        follows_source: true,
        template: "{name}_upright",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Light,
        word: "light",
        summary: "Make dark pictures lighter, without washing out what is bright",
        takes: PICTURES,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: STILL_FORMATS,
        sound_formats: &[],
        follows_source: true,
        template: "{name}_light",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Style,
        word: "style",
        summary: "Paint pictures anew in the style of a model",
        takes: PICTURES,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: STILL_FORMATS,
        sound_formats: &[],
        follows_source: true,
        template: "{name}_style",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Depth,
        word: "depth",
        summary: "Put what is far behind the subject out of focus, by a model that tells distances",
        takes: PICTURES,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: STILL_FORMATS,
        sound_formats: &[],
        follows_source: true,
        template: "{name}_depth",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Silence,
        word: "silence",
        summary: "Cut the pauses out where nobody speaks, by a model that hears speech",
        takes: HEARD,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: &[],
        sound_formats: SOUND_FORMATS,
        follows_source: true,
        template: "{name}_cut",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Voice,
        word: "voice",
        summary: "Take noise out of speech and bring it to -16 LUFS under -1 dBTP; the pictures stay as they are",
        takes: HEARD,
        options: &[PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: &[],
        sound_formats: SOUND_FORMATS,
        follows_source: true,
        template: "{name}_voice",
        codec: None,
        quality: Some(Quality::Archive),
    },
    Preset {
        id: PresetId::Scenes,
        word: "scenes",
        summary: "Split at the cuts: `frameloom scenes`",
        takes: CLIPS,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: &[],
        sound_formats: &[],
        follows_source: true,
        template: "{name}_{shot}",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Convert,
        word: "convert",
        summary: "Convert pictures: another format or size, a mark, without what they tell",
        takes: &[MediaKind::Still],
        options: &[PresetOption::Quality],
        clip_formats: &[],
        still_formats: STILL_FORMATS,
        sound_formats: &[],
        follows_source: true,
        template: "{name}_converted",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Subtitles,
        word: "subtitles",
        summary: "Burn subtitles into the pictures: those of the clip, or with `frameloom subtitles --burn` of a file",
        takes: CLIPS,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: CLIP_FORMATS,
        still_formats: &[],
        sound_formats: &[],
        follows_source: true,
        template: "{name}_subtitled",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Sound,
        word: "sound",
        summary: "Take the sound out of a clip, or convert sound: M4A, MP3, WAV, FLAC, Ogg or Opus",
        takes: HEARD,
        options: &[PresetOption::Quality],
        clip_formats: SOUND_FORMATS,
        still_formats: &[],
        sound_formats: SOUND_FORMATS,
        follows_source: false,
        template: "{name}",
        codec: None,
        quality: None,
    },
    Preset {
        id: PresetId::Steps,
        word: "steps",
        summary: "What the steps of a preset file say",
        takes: EVERYTHING,
        options: &[PresetOption::Quality, PresetOption::Codec],
        clip_formats: &["mp4", "mkv", "mov", "webm", "gif", "apng", "webp"],
        still_formats: STILL_FORMATS,
        sound_formats: SOUND_FORMATS,
        follows_source: true,
        template: "{name}_made",
        codec: None,
        quality: None,
    },
];

/// The presets that are cards and words of the command line.
pub fn offered() -> impl Iterator<Item = &'static Preset> {
    PRESETS.iter().filter(|preset| preset.id != PresetId::Steps)
}

/// A row of the table as the window shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct PresetCard {
    /// Its name.
    pub id: PresetId,
    /// What it can be done to.
    pub takes: Vec<MediaKind>,
    /// What it leaves to the user.
    pub options: Vec<PresetOption>,
    /// Endings that the result of a clip may have.
    pub clip_formats: Vec<String>,
    /// Endings that the result of a picture may have.
    pub still_formats: Vec<String>,
    /// Endings that the result of sound alone may have.
    pub sound_formats: Vec<String>,
    /// Where no ending is chosen, it is the source's if that can be; otherwise the first.
    pub follows_source: bool,
}

/// The table for the window.
pub fn cards() -> Vec<PresetCard> {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    offered()
        .map(|preset| PresetCard {
            id: preset.id,
            takes: preset.takes.to_vec(),
            options: preset.options.to_vec(),
            clip_formats: texts(preset.clip_formats),
            still_formats: texts(preset.still_formats),
            sound_formats: texts(preset.sound_formats),
            follows_source: preset.follows_source,
        })
        .collect()
}

impl PresetId {
    /// Its row.
    pub fn preset(self) -> &'static Preset {
        // The table has a row for each name, in the order of the names; a test holds it.
        &PRESETS[self as usize]
    }
}

impl fmt::Display for PresetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.preset().word)
    }
}

impl FromStr for PresetId {
    type Err = AppError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = offered().find(|preset| preset.word == text);
        found.map(|preset| preset.id).ok_or_else(|| {
            let words: Vec<&str> = offered().map(|preset| preset.word).collect();
            AppError::new(
                ErrorCode::InvalidRequest,
                format!("There is no preset `{text}`."),
            )
            .hint(format!("There are {}.", words.join(", ")))
        })
    }
}

impl Preset {
    /// Endings that the result of such a source may have.
    pub fn formats(&self, kind: MediaKind) -> &'static [&'static str] {
        match kind {
            MediaKind::Still => self.still_formats,
            MediaKind::Audio => self.sound_formats,
            _ => self.clip_formats,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use frameloom_media::Container;
    use frameloom_still::StillFormat;
    use std::path::Path;

    #[test]
    fn every_preset_has_its_row_and_its_word() {
        for (index, preset) in PRESETS.iter().enumerate() {
            assert_eq!(preset.id as usize, index, "{}", preset.word);
            let parsed = preset.word.parse::<PresetId>().ok();
            let is_word = preset.id != PresetId::Steps;
            assert_eq!(parsed, is_word.then_some(preset.id), "{}", preset.word);
            assert_eq!(preset.id.to_string(), preset.word);
            assert_eq!(
                serde_json::to_value(preset.id).unwrap(),
                preset.word,
                "one word everywhere"
            );
        }
        let refused = "bigger".parse::<PresetId>().unwrap_err();
        assert!(refused.hint.unwrap().contains("enlarge, clean"));
    }

    #[test]
    fn every_ending_that_a_preset_offers_is_one_that_can_be_written() {
        for preset in PRESETS {
            for ending in preset.still_formats {
                let name = format!("a.{ending}");
                assert!(
                    StillFormat::from_path(Path::new(&name)).is_some(),
                    "{} {ending}",
                    preset.word
                );
            }
            for ending in preset.clip_formats.iter().chain(preset.sound_formats) {
                let name = match preset.id {
                    PresetId::Frames => format!("a_%05d.{ending}"),
                    _ => format!("a.{ending}"),
                };
                let container = Container::from_path(Path::new(&name)).unwrap();
                if let Some(codec) = preset.codec {
                    assert!(container.takes(codec), "{} {ending}", preset.word);
                }
            }
        }
    }
}
