//! The containers that can be written, and what of a source each can hold.

use crate::error::MediaError;
use crate::ffi::output::can_hold;
use crate::ffi::params::codec_id;
use frameloom_core::job::VideoCodec;
use frameloom_core::media::{MediaInfo, StreamInfo, StreamKind, Warning};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A container that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Container {
    /// ISO MP4.
    Mp4,
    /// QuickTime.
    Mov,
    /// Matroska.
    Mkv,
    /// WebM.
    Webm,
}

impl Container {
    /// The container of a file extension without its dot, in any case.
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "mp4" | "m4v" => Some(Container::Mp4),
            "mov" | "qt" => Some(Container::Mov),
            "mkv" => Some(Container::Mkv),
            "webm" => Some(Container::Webm),
            _ => None,
        }
    }

    /// The container that the name of an output asks for.
    ///
    /// # Errors
    /// [`MediaError::UnsupportedContainer`] for any other extension, or none.
    pub fn from_path(path: &Path) -> Result<Self, MediaError> {
        let extension = path
            .extension()
            .map(|e| e.to_string_lossy().into_owned())
            .unwrap_or_default();
        Self::from_extension(&extension).ok_or(MediaError::UnsupportedContainer { extension })
    }

    /// The usual file extension.
    pub fn extension(self) -> &'static str {
        match self {
            Container::Mp4 => "mp4",
            Container::Mov => "mov",
            Container::Mkv => "mkv",
            Container::Webm => "webm",
        }
    }

    /// True if files of this kind can hold video of this codec.
    pub fn takes(self, codec: VideoCodec) -> bool {
        crate::encode::plan::container_takes(self, codec)
    }

    /// The name that ffmpeg has for the muxer.
    pub(crate) fn muxer(self) -> &'static str {
        match self {
            Container::Mp4 => "mp4",
            Container::Mov => "mov",
            Container::Mkv => "matroska",
            Container::Webm => "webm",
        }
    }

    pub(crate) fn is_iso(self) -> bool {
        matches!(self, Container::Mp4 | Container::Mov)
    }
}

/// What of a source goes into a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MuxPlan {
    /// The container.
    pub container: Container,
    /// Streams that are copied, by their index in the source. The processed stream is not among
    /// them.
    pub copied: Vec<u32>,
    /// One [`Warning::StreamDropped`] for each stream that is left out.
    pub dropped: Vec<Warning>,
}

/// Decides which streams of `source` besides the processed one can be copied.
pub fn plan_mux(source: &MediaInfo, container: Container) -> MuxPlan {
    let main = source.main_video().map(|(stream, _)| stream.index);
    let mut plan = MuxPlan {
        container,
        copied: Vec::new(),
        dropped: Vec::new(),
    };
    for stream in &source.streams {
        if Some(stream.index) == main {
            continue;
        }
        if holds(container, stream) {
            plan.copied.push(stream.index);
        } else if !is_made_anew(source, stream, container) {
            plan.dropped.push(Warning::StreamDropped {
                index: stream.index,
                codec: stream.codec.clone(),
                container: container.extension().to_owned(),
            });
        }
    }
    plan
}

fn is_cover(stream: &StreamInfo) -> bool {
    stream.dispositions.iter().any(|d| d == "attached_pic")
}

fn holds(container: Container, stream: &StreamInfo) -> bool {
    let known = || codec_id(&stream.codec).is_some_and(|id| can_hold(container.muxer(), id));
    match stream.kind {
        // Matroska keeps covers as attachments.
        StreamKind::Video if is_cover(stream) && container == Container::Mkv => {
            matches!(stream.codec.as_str(), "mjpeg" | "png")
        }
        StreamKind::Video if is_cover(stream) => {
            // The muxer of MOV has no place for one.
            container == Container::Mp4 && matches!(stream.codec.as_str(), "mjpeg" | "png" | "bmp")
        }
        StreamKind::Video | StreamKind::Audio | StreamKind::Subtitle => known(),
        StreamKind::Attachment => container == Container::Mkv,
        // No container takes timed metadata of an unknown kind from another writer.
        StreamKind::Data => false,
    }
}

/// Tracks that the muxer writes itself, from the chapters and from the time code tag.
fn is_made_anew(source: &MediaInfo, stream: &StreamInfo, container: Container) -> bool {
    if stream.kind != StreamKind::Data || !source.container.contains("mp4") {
        return false;
    }
    let chapters = stream.codec == "bin_data" && !source.chapters.is_empty();
    let time_code = stream.tags.contains_key("timecode") && container.is_iso();
    chapters || time_code
}

/// The container for a result: the one asked for, or the one most like the source that loses
/// no sound and no subtitles, or else Matroska, which holds nearly everything.
///
/// # Errors
/// [`MediaError::UnsupportedContainer`] if `wanted`, an extension, is none that can be written.
pub fn choose_container(source: &MediaInfo, wanted: Option<&str>) -> Result<Container, MediaError> {
    if let Some(extension) = wanted {
        let extension = extension.trim_start_matches('.');
        return Container::from_extension(extension).ok_or_else(|| {
            MediaError::UnsupportedContainer {
                extension: extension.to_owned(),
            }
        });
    }
    let alpha = source.main_video().is_some_and(|(_, video)| video.alpha);
    let name = source.container.as_str();
    let quicktime = source
        .tags
        .get("major_brand")
        .is_some_and(|b| b.trim() == "qt");
    let open_codecs = source.streams.iter().all(|s| {
        matches!(
            s.codec.as_str(),
            "vp8" | "vp9" | "av1" | "opus" | "vorbis" | "webvtt"
        )
    });
    let like_source = if name.contains("mp4") && (quicktime || alpha) {
        Container::Mov
    } else if name.contains("mp4") {
        Container::Mp4
    } else if alpha || (name.contains("webm") && open_codecs) {
        Container::Webm
    } else if name.contains("matroska") {
        Container::Mkv
    } else {
        Container::Mp4
    };
    let loses = |container: Container| {
        plan_mux(source, container).dropped.iter().any(|warning| {
            let Warning::StreamDropped { index, .. } = warning else {
                return false;
            };
            source.streams.iter().any(|s| {
                s.index == *index && matches!(s.kind, StreamKind::Audio | StreamKind::Subtitle)
            })
        })
    };
    Ok(if loses(like_source) && !loses(Container::Mkv) {
        Container::Mkv
    } else {
        like_source
    })
}
