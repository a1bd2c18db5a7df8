//! What is heard: which tracks the result has, which of them are copied, and how the others are
//! worked out.
//!
//! Without a wire to the sink's `audio` the source's tracks are copied by `media`, and nothing here
//! takes part. With one, [`plan_sound`] lays the tracks down before the job starts, and [`make`]
//! works out those that something is done to: streamed from the files through the nodes into an
//! encoder, checked against the source, and kept as a part in the job's folder until they are
//! joined with the pictures.
//!
//! Times are those of the first clip's file, in microseconds, as they are for its pictures; places
//! are the same times in samples.

mod again;
mod alike;
mod captions;
mod check;
mod cover;
mod denoise;
#[cfg(test)]
mod faults;
mod figures;
mod layout;
mod loudness;
mod make;
mod mend;
mod pace;
mod samples;
mod slow;
mod speech;
#[cfg(test)]
mod tests;
mod through;

pub(crate) use alike::same_sound;
pub use figures::{Figures, figures};
pub use layout::origin_of;
pub(crate) use layout::{Request, first_sample, plan_sound};
pub(crate) use make::{Made, World, make};
pub(crate) use pace::Pace;

use crate::EngineError;
use frameloom_core::graph::{
    AudioDenoiseParams, AudioRedactParams, LoudnessParams, MuxEnd, SubtitleTrackParams,
};
use frameloom_core::job::TrackChoice;
use frameloom_core::said::Said;
use frameloom_media::SoundEncoderPlan;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sound and subtitles of a result, where the graph says something of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SoundPlan {
    /// Tracks of sound in the order of the result; `None`: those of the source, as they are.
    pub sound: Option<Vec<TrackPlan>>,
    /// Tracks of subtitles in the order of the result; `None`: those of the source.
    pub subtitles: Option<Vec<TrackPlan>>,
    /// When tracks of other inputs end.
    pub ends: MuxEnd,
    /// Where each input but the first begins, in microseconds of its own time: that moment is
    /// heard with the first picture.
    pub origins: BTreeMap<String, i64>,
}

impl SoundPlan {
    /// What the mux of the first clip's input must not copy, as it is replaced.
    pub(crate) fn replaced(&self) -> impl Iterator<Item = TrackChoice> {
        let sound = self.sound.is_some().then_some(TrackChoice::Audio);
        let subtitles = self.subtitles.is_some().then_some(TrackChoice::Subtitles);
        sound.into_iter().chain(subtitles)
    }
}

/// A track of the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackPlan {
    /// Where it comes from, or how it is made.
    pub making: Making,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its dispositions by name.
    pub dispositions: Vec<String>,
}

/// How a track comes about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Making {
    /// Its packets are copied.
    Copied {
        /// Name of the input.
        input: String,
        /// Index of the stream.
        stream: u32,
    },
    /// Its lines are read, moved in time, and written in what the result can hold.
    Written {
        /// Name of the input.
        input: String,
        /// The moment of that input from which its lines are counted, in microseconds of its time.
        origin_micros: i64,
        /// What is wanted.
        params: SubtitleTrackParams,
    },
    /// It is worked out and encoded.
    WorkedOut {
        /// What is done.
        sound: Sound,
        /// The encoder.
        encoder: SoundEncoderPlan,
    },
}

/// Sound and what is done to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sound {
    /// A track of an input.
    Stream {
        /// Name of the input.
        input: String,
        /// Index of the stream.
        stream: u32,
    },
    /// What a node makes of sound.
    Step {
        /// Id of the node.
        node: String,
        /// What it does.
        step: SoundStep,
        /// What goes in.
        of: Box<Sound>,
    },
    /// The sound of one clip after another; silence stands for `None`.
    Joined {
        /// Of each clip.
        clips: Vec<Option<Sound>>,
    },
}

/// What a node does to a track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoundStep {
    /// Brings it to a loudness.
    Loudness(LoudnessParams),
    /// Takes noise out.
    Denoise(AudioDenoiseParams),
    /// Covers stretches of it.
    Redact(AudioRedactParams),
    /// Keeps one channel.
    Channel {
        /// Its place.
        index: u32,
    },
}

/// A stretch of a clip and its place in the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClipSpan {
    /// Name of the input.
    pub input: String,
    /// Where it begins, in the time of its file.
    pub from_micros: i64,
    /// Where it ends, in the time of its file; `None` for the end of the file.
    pub to_micros: Option<i64>,
    /// Where that is in the result's time, which is that of the first clip's file.
    pub at_micros: i64,
}

fn node_error(node: &str, reason: impl Into<Said>) -> EngineError {
    EngineError::Node {
        node: node.to_owned(),
        reason: reason.into(),
    }
}
