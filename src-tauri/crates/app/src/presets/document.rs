//! The file that a preset is shared as: JSON with its words in several languages, perhaps a picture,
//! and either a word of the table with settings, or steps of its own.

use super::PresetId;
use super::steps::is_of_sound;
use crate::{
    BackgroundWish, ConvertWish, DeinterlaceChoice, EnlargeWish, LookWish, MotionWish, RedactWish,
    ReframeWish, SilenceWish, SubtitleWish, VoiceWish,
};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{GRAPH_VERSION, Graph, Op};
use frameloom_core::job::{Quality, TrackChoice, VideoCodec};
use frameloom_core::media::MediaKind;
use frameloom_core::said;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use ts_rs::TS;

/// The version of preset files that this program writes and reads.
pub const PRESET_VERSION: u32 = 1;
/// The ending of preset files.
pub const PRESET_ENDING: &str = "frameloom-preset.json";
/// Largest preset file in bytes: a picture in it is a small one.
pub const MAX_PRESET_BYTES: usize = 512 << 10;
/// Most steps of a preset.
const MAX_STEPS: usize = 32;
/// The model that fits, in the place of an id: presets are shared between machines that have
/// different ones.
pub(crate) const ANY_MODEL: &str = "any";

/// A preset as it is shared.
///
/// Nothing in it leads to a file of this machine: what is shared tells nothing of who made it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresetDocument {
    /// [`PRESET_VERSION`].
    pub frameloom_preset: u32,
    /// Its name for machines: letters a to z, digits and dashes, at most 64.
    pub id: String,
    /// What it is called and what it does, by language (`en`, `vi`, `fr`, ...); at least one.
    pub words: BTreeMap<String, PresetWords>,
    /// A picture to know it by: a `data:` address of a WebP, PNG or JPEG.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// What it is for; all that its word or its steps are for where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<MediaKind>,
    /// The word of the table that it is about.
    #[serde(default, rename = "do", skip_serializing_if = "Option::is_none")]
    pub word: Option<PresetId>,
    /// What is done, step by step, where no word of the table does it: nodes of a graph that stand
    /// one behind another, `{"op": ..., "params": ...}`, and the steps of [`Step`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Value>,
    /// How it is done.
    #[serde(default, rename = "with")]
    pub settings: PresetSettings,
}

/// Words of a preset in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct PresetWords {
    /// What it is called.
    pub name: String,
    /// What it does, in a sentence.
    #[serde(default)]
    pub about: String,
}

/// What a preset says of how something is done; what it leaves out is as usual, or as the user
/// says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PresetSettings {
    /// Ending of the result of a clip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_format: Option<String>,
    /// Ending of the result of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub still_format: Option<String>,
    /// Codec of a clip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<VideoCodec>,
    /// Quality in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Template for the name of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Id of the model that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How many times larger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<u32>,
    /// Whether whole pictures are made of fields first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deinterlace: Option<DeinterlaceChoice>,
    /// What of the source is left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<TrackChoice>,
    /// How a background is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<BackgroundWish>,
    /// What is made unrecognisable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redact: Option<RedactWish>,
    /// The shape that it is cut to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reframe: Option<ReframeWish>,
    /// How motion is treated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub motion: Option<MotionWish>,
    /// How silence is cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silence: Option<SilenceWish>,
    /// How a voice is cleaned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<VoiceWish>,
    /// How light, style or depth are treated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look: Option<LookWish>,
    /// To which size something is enlarged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enlarge: Option<EnlargeWish>,
    /// How pictures are converted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub convert: Option<ConvertWish>,
    /// How subtitles look that are burned in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtitles: Option<SubtitleWish>,
}

/// A step of a preset that knows the file it is done to: what it comes to is a node of a graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "op",
    content = "params",
    rename_all = "snake_case",
    deny_unknown_fields
)]
pub enum Step {
    /// Whole pictures of fields, where the clip has any.
    Whole {},
    /// Larger, by the model that fits the file.
    Enlarge {
        /// How many times.
        scale: u32,
    },
    /// Into a rectangle, in the shape that the picture has.
    Fit {
        /// Most pixels in width.
        width: u32,
        /// Most pixels in height.
        height: u32,
        /// Smaller pictures are made as large.
        #[serde(default)]
        larger: bool,
    },
}

/// A step as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ReadStep {
    /// One that knows the file.
    Own(Step),
    /// A node of a graph.
    Node(Op),
}

fn refused(reason: impl std::fmt::Display) -> AppError {
    AppError::new(
        ErrorCode::InvalidRequest,
        said!(
            "preset.bad_file",
            "This is no preset that can be used: {reason}.",
            reason = reason.to_string()
        ),
    )
    .hint("`frameloom presets show ID` shows what one looks like.")
}

/// A file of this machine would be named; presets are shared.
fn names_a_file() -> AppError {
    refused("it names a file of one machine")
}

impl PresetDocument {
    /// Reads a preset.
    ///
    /// # Errors
    /// The text is too long or no preset of a version that this program knows, or what it says
    /// cannot be done; the sentence tells what.
    pub fn parse(json: &str) -> Result<Self, AppError> {
        if json.len() > MAX_PRESET_BYTES {
            return Err(refused(format_args!(
                "it has {} bytes; {MAX_PRESET_BYTES} are the limit",
                json.len()
            )));
        }
        let json = json.strip_prefix('\u{feff}').unwrap_or(json);
        // The version comes first: what a newer one may hold would only be called unknown.
        #[derive(Deserialize)]
        struct Versioned {
            frameloom_preset: u32,
        }
        let versioned: Versioned = serde_json::from_str(json).map_err(refused)?;
        if versioned.frameloom_preset != PRESET_VERSION {
            return Err(refused(format_args!(
                "it is of version {}, and this program knows {PRESET_VERSION}",
                versioned.frameloom_preset
            )));
        }
        let document: Self = serde_json::from_str(json).map_err(refused)?;
        document.check()?;
        Ok(document)
    }

    /// Refuses what could not be used or shown.
    pub(crate) fn check(&self) -> Result<(), AppError> {
        if !is_id(&self.id) {
            return Err(refused(
                "its `id` may have letters a to z, digits and dashes, at most 64",
            ));
        }
        if self.words.is_empty() || self.words.len() > 64 {
            return Err(refused("it needs words in at least one language"));
        }
        for (language, words) in &self.words {
            let fits = |text: &str, most: usize| {
                text.chars().count() <= most && !text.chars().any(char::is_control)
            };
            if !fits(language, 16) || !fits(&words.name, 80) || !fits(&words.about, 300) {
                return Err(refused(
                    "a name has at most 80 characters and a sentence 300, without line breaks",
                ));
            }
            if words.name.trim().is_empty() {
                return Err(refused("a name is empty"));
            }
        }
        let kinds = ["webp", "png", "jpeg"].map(|kind| format!("data:image/{kind};base64,"));
        if let Some(picture) = &self.picture
            && !kinds.iter().any(|kind| {
                picture.strip_prefix(kind.as_str()).is_some_and(|rest| {
                    rest.bytes()
                        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
                })
            })
        {
            return Err(refused(
                "its picture is no `data:` address of a WebP, PNG or JPEG",
            ));
        }
        match (self.word, self.steps.is_empty()) {
            (Some(PresetId::Steps), _) | (None, true) => {
                Err(refused("it says neither what to `do` nor `steps`"))
            }
            (Some(_), false) => Err(refused("it has both a word for what to `do` and `steps`")),
            (Some(word), true) => {
                let preset = word.preset();
                match self.takes.iter().find(|kind| !preset.takes.contains(kind)) {
                    Some(_) => Err(refused(format_args!(
                        "`{}` is not for all that it `takes`",
                        preset.word
                    ))),
                    None => Ok(()),
                }
            }
            (None, false) => self.read_steps().map(drop),
        }?;
        let PresetSettings {
            background,
            convert,
            name,
            subtitles,
            ..
        } = &self.settings;
        if background
            .as_ref()
            .is_some_and(|wish| wish.behind.is_some())
            || convert.as_ref().is_some_and(|wish| wish.mark.is_some())
            || subtitles.as_ref().is_some_and(|wish| wish.file.is_some())
            || name.as_ref().is_some_and(|name| name.contains(['/', '\\']))
        {
            return Err(names_a_file());
        }
        Ok(())
    }

    /// What it does: a word of the table, or [`PresetId::Steps`].
    pub fn base(&self) -> PresetId {
        self.word.unwrap_or(PresetId::Steps)
    }

    /// The kinds of files that it is for.
    pub fn kinds(&self) -> Vec<MediaKind> {
        if !self.takes.is_empty() {
            return self.takes.clone();
        }
        let mut kinds = self.base().preset().takes.to_vec();
        let is_seen = |step: &ReadStep| !matches!(step, ReadStep::Node(op) if is_of_sound(op));
        if self.word.is_none() && self.read_steps().is_ok_and(|all| all.iter().any(is_seen)) {
            kinds.retain(|kind| *kind != MediaKind::Audio);
        }
        kinds
    }

    /// Its steps, checked as nodes of a graph are.
    ///
    /// # Errors
    /// A step is none, or stands where it cannot.
    pub(crate) fn read_steps(&self) -> Result<Vec<ReadStep>, AppError> {
        if self.steps.len() > MAX_STEPS {
            return Err(refused(format_args!("it has more than {MAX_STEPS} steps")));
        }
        let mut steps = Vec::new();
        for value in &self.steps {
            let own = ["whole", "enlarge", "fit"];
            let op = value.get("op").and_then(Value::as_str).unwrap_or_default();
            if !own.contains(&op) {
                steps.push(ReadStep::Node(read_node(value)?));
                continue;
            }
            let mut value = value.clone();
            if let Some(step) = value.as_object_mut() {
                step.entry("params").or_insert_with(|| json!({}));
            }
            let step: Step = serde_json::from_value(value).map_err(refused)?;
            let possible = match step {
                Step::Whole {} => true,
                Step::Enlarge { scale } => (1..=8).contains(&scale),
                Step::Fit { width, height, .. } => {
                    (2..=16384).contains(&width) && (2..=16384).contains(&height)
                }
            };
            if !possible {
                return Err(refused(format_args!(
                    "the numbers of `{op}` are not possible"
                )));
            }
            steps.push(ReadStep::Own(step));
        }
        Ok(steps)
    }
}

/// Reads a node by the rules of graphs, and refuses those that stand in no chain.
fn read_node(value: &Value) -> Result<Op, AppError> {
    let mut node = value.as_object().cloned().unwrap_or_default();
    if let Some(extra) = node
        .keys()
        .find(|key| !["op", "params"].contains(&key.as_str()))
    {
        return Err(refused(format_args!("a step has no `{extra}`")));
    }
    node.insert("id".to_owned(), json!("step"));
    let document = json!({
        "version": GRAPH_VERSION,
        "nodes": [
            {"id": "source", "op": "source"},
            node,
            {"id": "sink", "op": "sink"},
        ],
        "edges": [],
    });
    let graph = Graph::try_from(document).map_err(refused)?;
    let op = graph.nodes.into_iter().nth(1).map(|node| node.op);
    match op {
        None => Err(refused("a step is empty")),
        Some(Op::Source(_) | Op::Sink | Op::Concat | Op::Mux(_) | Op::Overlay(_)) => {
            Err(refused("a step takes one stream and gives one"))
        }
        Some(Op::SplitChannels(_) | Op::Trim(_) | Op::Cut(_)) => Err(refused(
            "a stretch or a channel is chosen for one file, not for all",
        )),
        Some(Op::Onnx(_) | Op::Subtitles(_)) => Err(names_a_file()),
        Some(Op::Color(params)) if params.lut.is_some() => Err(names_a_file()),
        Some(Op::Text(params)) if params.file.is_some() => Err(names_a_file()),
        Some(Op::AudioDenoise(params)) if params.model.as_ref().is_some_and(|m| m != ANY_MODEL) => {
            Err(names_a_file())
        }
        Some(op) => Ok(op),
    }
}

/// Can this be the name of a preset for machines?
pub(crate) fn is_id(id: &str) -> bool {
    let letters = id
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    letters && !id.is_empty() && id.len() <= 64 && !id.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(more: Value) -> String {
        let mut document = json!({
            "frameloom_preset": 1,
            "id": "a-1",
            "words": {"en": {"name": "A"}},
        });
        let all = document.as_object_mut().unwrap();
        all.extend(more.as_object().unwrap().clone());
        document.to_string()
    }

    fn says(more: Value) -> String {
        let error = PresetDocument::parse(&with(more)).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRequest);
        error.message
    }

    #[test]
    fn a_word_with_settings_or_steps_is_a_preset() {
        let voice = json!({"do": "voice", "with": {"voice": {"loudness": -14.0}}});
        let voice = PresetDocument::parse(&with(voice)).unwrap();
        assert_eq!(voice.base(), PresetId::Voice);
        assert_eq!(voice.kinds(), [MediaKind::Video, MediaKind::Audio]);
        let again = serde_json::to_string(&voice).unwrap();
        assert_eq!(PresetDocument::parse(&again).unwrap(), voice);
        let steps = json!({"steps": [
            {"op": "whole"},
            {"op": "denoise"},
            {"op": "enlarge", "params": {"scale": 2}},
            {"op": "fit", "params": {"width": 1920, "height": 1080}},
            {"op": "loudness", "params": {"target": -16}},
        ]});
        let steps = PresetDocument::parse(&with(steps)).unwrap();
        assert_eq!(steps.base(), PresetId::Steps);
        assert_eq!(steps.read_steps().unwrap().len(), 5);
    }

    #[test]
    fn what_is_none_is_refused_by_what_is_wrong_with_it() {
        for (more, part) in [
            (json!({}), "neither"),
            (json!({"do": "steps"}), "neither"),
            (json!({"do": "voice", "steps": [{"op": "denoise"}]}), "both"),
            (json!({"do": "voice", "takes": ["still"]}), "not for all"),
            (json!({"do": "dance"}), "dance"),
            (json!({"do": "share", "colour": 1}), "colour"),
            (json!({"do": "share", "with": {"speed": 1}}), "speed"),
            (json!({"do": "share", "id": "../a"}), "`id`"),
            (json!({"do": "share", "words": {}}), "language"),
            (
                json!({"do": "share", "words": {"en": {"name": " "}}}),
                "empty",
            ),
            (
                json!({"do": "share", "words": {"en": {"name": "a\nb"}}}),
                "line breaks",
            ),
            (
                json!({"do": "share", "picture": "https://a.example/p.png"}),
                "picture",
            ),
            (
                json!({"do": "share", "picture": "data:image/png;base64,<svg>"}),
                "picture",
            ),
            (
                json!({"do": "share", "with": {"name": "../{name}"}}),
                "file",
            ),
            (
                json!({"do": "defocus", "with": {"background": {"behind": "/a.png"}}}),
                "file",
            ),
            (
                json!({"steps": [{"op": "fit", "params": {"width": 0, "height": 9}}]}),
                "numbers",
            ),
            (
                json!({"steps": [{"op": "enlarge", "params": {"scale": 9}}]}),
                "numbers",
            ),
            (json!({"steps": [{"op": "dance"}]}), "dance"),
            (
                json!({"steps": [{"op": "denoise", "params": {"sgima": 2}}]}),
                "sgima",
            ),
            (json!({"steps": [{"op": "denoise", "id": "a"}]}), "`id`"),
            (json!({"steps": [{"op": "sink"}]}), "one stream"),
            (
                json!({"steps": [{"op": "color", "params": {"lut": "/a.cube"}}]}),
                "file",
            ),
            (
                json!({"steps": [{"op": "text", "params": {"file": "/a.srt"}}]}),
                "file",
            ),
            (
                json!({"steps": [{"op": "onnx", "params": {"path": "/a.onnx"}}]}),
                "file",
            ),
            (json!({"steps": [{"op": "trim", "params": {}}]}), "one file"),
            (
                json!({"frameloom_preset": 2, "of": "tomorrow"}),
                "version 2",
            ),
        ] {
            let message = says(more.clone());
            assert!(message.contains(part), "{more}: {message}");
        }
        assert!(PresetDocument::parse("{").is_err());
        assert!(PresetDocument::parse(&" ".repeat(MAX_PRESET_BYTES + 1)).is_err());
    }
}
