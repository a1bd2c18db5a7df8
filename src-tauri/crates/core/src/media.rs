//! What a probe says of a file.

use crate::color::ColorInfo;
use crate::job::Precision;
use crate::said::Said;
use crate::time::{FrameRate, Rational, TimeBase};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

/// Container and streams of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct MediaInfo {
    /// What a person would call the file.
    pub kind: MediaKind,
    /// Short name of the container as ffmpeg or the picture reader gives it (`mov,mp4,...`, `png`).
    pub container: String,
    /// Size of the file.
    #[ts(type = "number")]
    pub size_bytes: u64,
    /// Length of the whole; `None` for stills and where unknown.
    #[ts(type = "number | null")]
    pub duration_micros: Option<i64>,
    /// Overall bit rate, bits per second.
    #[ts(type = "number | null")]
    pub bit_rate: Option<u64>,
    /// Streams in the order of the file.
    pub streams: Vec<StreamInfo>,
    /// Chapters in order.
    pub chapters: Vec<Chapter>,
    /// Tags of the container.
    pub tags: BTreeMap<String, String>,
    /// Things a person should know before processing (guessed colour, damaged index, ...).
    pub warnings: Vec<Warning>,
}

impl MediaInfo {
    /// The stream that will be processed: the first video stream that is no cover art.
    pub fn main_video(&self) -> Option<(&StreamInfo, &VideoInfo)> {
        self.streams.iter().find_map(|stream| {
            let video = stream.video.as_ref()?;
            (!stream.dispositions.iter().any(|d| d == "attached_pic")).then_some((stream, video))
        })
    }
}

/// What a person would call the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// Moving pictures.
    Video,
    /// One picture.
    Still,
    /// Sound only.
    Audio,
    /// Neither.
    Other,
}

/// Kind of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StreamKind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
    /// Text or bitmap subtitles.
    Subtitle,
    /// A file inside the file (a font).
    Attachment,
    /// Timed metadata and everything else.
    Data,
}

/// One stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct StreamInfo {
    /// Position in the file.
    pub index: u32,
    /// Kind.
    pub kind: StreamKind,
    /// Codec name (`h264`, `aac`, ...); `unknown` where ffmpeg has none.
    pub codec: String,
    /// Profile name, where the codec has one.
    pub profile: Option<String>,
    /// Seconds per tick of this stream's timestamps.
    pub time_base: TimeBase,
    /// First timestamp, in ticks.
    #[ts(type = "number | null")]
    pub start_ticks: Option<i64>,
    /// Length, in ticks.
    #[ts(type = "number | null")]
    pub duration_ticks: Option<i64>,
    /// Frames as the container counts them.
    #[ts(type = "number | null")]
    pub frame_count: Option<u64>,
    /// Bits per second.
    #[ts(type = "number | null")]
    pub bit_rate: Option<u64>,
    /// ISO 639 language tag.
    pub language: Option<String>,
    /// `default`, `forced`, `attached_pic`, ...
    pub dispositions: Vec<String>,
    /// Tags of the stream.
    pub tags: BTreeMap<String, String>,
    /// Present for video streams.
    pub video: Option<VideoInfo>,
    /// Present for audio streams.
    pub audio: Option<AudioInfo>,
}

/// What only a video stream has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct VideoInfo {
    /// Width in pixels as it is decoded and worked on: without what the file asks players to cut
    /// off, and before rotation.
    pub width: u32,
    /// Height in pixels, likewise.
    pub height: u32,
    /// Pixel format as ffmpeg names it (`yuv420p10le`).
    pub pixel_format: String,
    /// Significant bits per sample.
    pub bit_depth: u8,
    /// Average frames per second.
    pub frame_rate: Option<FrameRate>,
    /// True: frames are not evenly spaced. `None` where it was not measured.
    pub variable_frame_rate: Option<bool>,
    /// Width of a pixel by its height.
    pub sample_aspect_ratio: Rational,
    /// Clockwise turn that a player applies, in degrees.
    pub rotation_degrees: i32,
    /// True if the display matrix mirrors the picture.
    pub mirrored: bool,
    /// Colour tags.
    pub color: ColorInfo,
    /// The stream carries transparency.
    pub alpha: bool,
    /// How the lines of a frame were taken.
    pub field_order: FieldOrder,
    /// Static HDR data (mastering display, content light) is present.
    pub hdr_metadata: bool,
    /// Dolby Vision configuration is present.
    pub dolby_vision: bool,
}

/// How the lines of a frame were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FieldOrder {
    /// Not stated.
    Unknown,
    /// All at once.
    Progressive,
    /// Two fields, the upper first.
    TopFirst,
    /// Two fields, the lower first.
    BottomFirst,
}

impl FieldOrder {
    /// True for either interlaced order.
    pub fn is_interlaced(self) -> bool {
        matches!(self, FieldOrder::TopFirst | FieldOrder::BottomFirst)
    }
}

/// What only an audio stream has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AudioInfo {
    /// Samples per second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
    /// Layout name (`stereo`, `5.1`).
    pub layout: String,
}

/// A chapter mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Chapter {
    /// Start, in microseconds.
    #[ts(type = "number")]
    pub start_micros: i64,
    /// End, in microseconds.
    #[ts(type = "number")]
    pub end_micros: i64,
    /// Title, where there is one.
    pub title: Option<String>,
}

/// Something the user should know that did not stop the work. Stored with the job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Warning {
    /// The file ends before its stated length.
    Truncated {
        /// Frames that could be read.
        #[ts(type = "number")]
        frames: u64,
        /// Length that could be read.
        #[ts(type = "number")]
        read_micros: i64,
        /// Length that the container states.
        #[ts(type = "number")]
        stated_micros: i64,
    },
    /// The decoder reported damage in this many frames.
    DamagedFrames {
        /// How many.
        #[ts(type = "number")]
        frames: u64,
    },
    /// The file does not say its matrix; this one was assumed for the conversion, and not written.
    GuessedMatrix {
        /// The assumed matrix, as a person names it.
        matrix: String,
    },
    /// A stream the target container cannot hold was left out.
    StreamDropped {
        /// Index in the source.
        index: u32,
        /// Codec name.
        codec: String,
        /// Target container.
        container: String,
    },
    /// The wanted provider could not be used.
    FellBackToCpu {
        /// What was asked for.
        wanted: String,
        /// Why it was not used.
        reason: String,
    },
    /// Timestamps were missing or ran backwards and were mended.
    TimestampsMended {
        /// How many frames.
        #[ts(type = "number")]
        frames: u64,
    },
    /// Dynamic HDR data (Dolby Vision, HDR10+) does not survive the processing.
    HdrMetadataDropped {
        /// What was dropped.
        what: String,
    },
    /// The source is interlaced, and its lines are processed as if each frame were one picture.
    Interlaced,
    /// The source is interlaced; whole pictures are made of its fields first.
    Deinterlaced {
        /// One picture per field instead of one per frame.
        doubles_rate: bool,
    },
    /// Nothing says that the source is interlaced; pictures are made of its fields all the same,
    /// because the graph asks for it.
    DeinterlacedAnyway,
    /// The source is film brought to video by 3:2 pulldown.
    Telecine {
        /// By flags: the pictures themselves are whole.
        soft: bool,
    },
    /// The container asks players to cut pixels off the sides, and they were.
    Cropped {
        /// Pixels at the left.
        left: u32,
        /// Pixels at the right.
        right: u32,
        /// Pixels at the top.
        top: u32,
        /// Pixels at the bottom.
        bottom: u32,
        /// Less than was asked for, by the few pixels that share a sample of colour.
        rounded: bool,
    },
    /// No font of this machine has some letters of a text: empty boxes stand in their places.
    MissingLetters {
        /// The node that writes the text.
        node: String,
        /// The letters, each once; of many the first ones.
        letters: String,
        /// How many there are beyond those.
        more: u32,
    },
    /// The picture had to be padded to even sides for the codec.
    PaddedToEven {
        /// Padded width.
        width: u32,
        /// Padded height.
        height: u32,
    },
    /// Something of the source could not be carried over.
    Dropped {
        /// What it was, in plain words.
        what: String,
        /// The same for the window.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        said: Option<Said>,
    },
    /// The part of a picture that could not be decoded was left out of the result or is blank.
    DamagedStill,
    /// Only the first frame of an animation was processed.
    FirstFrameOnly,
    /// There may not be room for the result. The job pauses before the disk is full.
    DiskTight {
        /// What is needed, about, in bytes.
        #[ts(type = "number")]
        needed_bytes: u64,
        /// What is left free beside it for everything else, in bytes; 0 where nothing is.
        #[serde(default)]
        #[ts(type = "number")]
        reserve_bytes: u64,
        /// What is free, in bytes.
        #[ts(type = "number")]
        free_bytes: u64,
        /// On which disk: a path on it.
        place: String,
    },
    /// Less precision was allowed, and none of it makes this model faster on this machine: the
    /// result is exact.
    PrecisionUnused {
        /// What was allowed.
        allowed: Precision,
        /// What was measured, in a sentence.
        reason: String,
        /// The same for the window.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        said: Option<Said>,
    },
    /// Lines of subtitles could not be read, or be written in what the result holds, and are left out.
    LinesUnreadable {
        /// So many.
        #[ts(type = "number")]
        count: u64,
    },
    /// Lines of subtitles would be over before the first picture, and are left out.
    LinesTooEarly {
        /// So many.
        #[ts(type = "number")]
        count: u64,
    },
    /// Nothing is done to the pictures, and still they could not be copied: they were encoded anew.
    PicturesEncoded {
        /// Why, in plain words.
        why: Said,
    },
    /// A track of sound was worked on and so had to be encoded anew.
    SoundEncoded {
        /// Its place among the tracks of sound of the result, from 1.
        track: u32,
        /// Codec name.
        codec: String,
        /// Bits per second; `None` for a codec without loss.
        #[ts(type = "number | null")]
        bit_rate: Option<u64>,
    },
    /// A clip among several has no sound, or fewer tracks of it: silence stands there.
    SoundMissing {
        /// Which clip, from 1.
        clip: u32,
        /// Which track of the result, from 1.
        track: u32,
    },
    /// A track has no loudness that could be measured (silence, or less than 0.4 seconds), and
    /// stays as loud as it is.
    LoudnessUnknown {
        /// Its place among the tracks of sound of the result, from 1.
        track: u32,
    },
    /// A track is not as loud as was asked for: its peaks would pass their limit.
    QuieterThanAsked {
        /// Its place among the tracks of sound of the result, from 1.
        track: u32,
        /// What was asked for, in tenths of a LUFS.
        target_tenths: i32,
        /// What it came to, in tenths of a LUFS.
        loudness_tenths: i32,
        /// The limit of its true peak, in tenths of a dBTP.
        peak_tenths: i32,
    },
    /// Something went wrong, and the rest was done more carefully.
    SteppedDown {
        /// What went wrong.
        reason: String,
        /// The same for the window.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        said: Option<Said>,
        /// How it went on.
        to: Caution,
    },
}

impl Warning {
    /// [`Warning::Dropped`].
    pub fn dropped(what: impl Into<Said>) -> Self {
        let said = what.into();
        Self::Dropped {
            what: said.text.clone(),
            said: said.known(),
        }
    }

    /// [`Warning::SteppedDown`].
    pub fn stepped_down(reason: impl Into<Said>, to: Caution) -> Self {
        let said = reason.into();
        Self::SteppedDown {
            reason: said.text.clone(),
            said: said.known(),
            to,
        }
    }
}

/// What a job leaves to be more careful with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CautionRoom {
    /// It computes models; all caution is about them.
    pub models: bool,
    /// One of them is computed elsewhere than exactly on the processor, or that is not known.
    pub elsewhere: bool,
    /// What computes them can be told to use shorter numbers than it does.
    pub shorter_numbers: bool,
}

/// How carefully a job is done after something went wrong with it. Each step gives up speed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, TS,
)]
#[serde(rename_all = "snake_case")]
pub enum Caution {
    /// As planned.
    #[default]
    Usual,
    /// In small tiles, which need little memory.
    SmallTiles,
    /// In small tiles and shorter numbers, which need less.
    LowPrecision,
    /// In small tiles on the processor, without any driver, exactly.
    Processor,
}

impl Caution {
    /// The next step that changes anything; `None` after the last. Shorter numbers help only where
    /// memory ran out.
    pub fn next(self, memory_ran_out: bool, room: CautionRoom) -> Option<Self> {
        if !room.models {
            return None;
        }
        match self {
            Caution::Usual => Some(Caution::SmallTiles),
            Caution::SmallTiles if memory_ran_out && room.shorter_numbers => {
                Some(Caution::LowPrecision)
            }
            Caution::LowPrecision => Some(Caution::Processor),
            Caution::SmallTiles if room.elsewhere => Some(Caution::Processor),
            Caution::SmallTiles | Caution::Processor => None,
        }
    }

    /// The step that the warnings of a job have come to.
    pub fn of(warnings: &[Warning]) -> Self {
        warnings
            .iter()
            .filter_map(|warning| match warning {
                Warning::SteppedDown { to, .. } => Some(*to),
                _ => None,
            })
            .max()
            .unwrap_or_default()
    }
}
