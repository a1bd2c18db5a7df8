//! The containers that can be written, and what of a source each can hold.

use crate::error::MediaError;
use crate::ffi::output::can_hold;
use crate::ffi::params::codec_id;
use crate::sound::SoundFile;
use frameloom_core::job::{TrackChoice, VideoCodec};
use frameloom_core::media::{MediaInfo, StreamInfo, StreamKind, Warning};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_core::sequence::NumberPattern;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
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
    /// Animated GIF.
    Gif,
    /// Animated PNG.
    Apng,
    /// Animated WebP.
    WebP,
    /// Numbered pictures, one file for each frame (`shot_%05d.png`).
    Pictures,
    /// Sound and no pictures.
    Sound(SoundFile),
}

impl Container {
    /// Every container of a clip, the one that plays in most places first. Animated and numbered
    /// pictures hold nothing but pictures, files of sound none, and neither is among them.
    pub const ALL: [Container; 4] = [
        Container::Mp4,
        Container::Mkv,
        Container::Mov,
        Container::Webm,
    ];

    /// The container of a file extension without its dot, in any case.
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "mp4" | "m4v" => Some(Container::Mp4),
            "mov" | "qt" => Some(Container::Mov),
            "mkv" => Some(Container::Mkv),
            "webm" => Some(Container::Webm),
            "gif" => Some(Container::Gif),
            "apng" => Some(Container::Apng),
            "webp" => Some(Container::WebP),
            other => SoundFile::from_extension(other).map(Container::Sound),
        }
    }

    /// The container that the name of an output asks for. A name with a place for a number asks
    /// for numbered pictures, if its extension is that of a picture.
    ///
    /// # Errors
    /// [`MediaError::UnsupportedContainer`] for any other extension, or none.
    pub fn from_path(path: &Path) -> Result<Self, MediaError> {
        if NumberPattern::of_path(path).is_some() && has_picture_extension(path) {
            return Ok(Container::Pictures);
        }
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
            Container::Gif => "gif",
            Container::Apng => "apng",
            Container::WebP => "webp",
            Container::Pictures => "png",
            Container::Sound(file) => file.extension(),
        }
    }

    /// As a sentence names it: `.mp4`, or `numbered pictures`.
    pub fn shown(self) -> String {
        match self {
            Container::Pictures => "numbered pictures".to_owned(),
            file => format!(".{}", file.extension()),
        }
    }

    /// True for a single file of moving pictures without sound.
    pub fn is_animation(self) -> bool {
        matches!(self, Container::Gif | Container::Apng | Container::WebP)
    }

    /// True for what holds pictures in red, green and blue and nothing else: their times and
    /// transparency, but no tracks, no turn and no matrix. The pictures of such a result are made
    /// from parts without loss when all are there.
    pub fn is_pictures(self) -> bool {
        self.is_animation() || self == Container::Pictures
    }

    /// The kind of a file of sound alone.
    pub fn sound_file(self) -> Option<SoundFile> {
        match self {
            Container::Sound(file) => Some(file),
            _ => None,
        }
    }

    /// True if files of this kind can hold a stream as it is.
    pub fn holds(self, stream: &StreamInfo) -> bool {
        holds(self, stream)
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
            Container::Gif => "gif",
            Container::Apng => "apng",
            Container::WebP => "webp",
            // Written without a muxer.
            Container::Pictures => "image2",
            Container::Sound(file) => file.muxer(),
        }
    }

    pub(crate) fn is_iso(self) -> bool {
        matches!(
            self,
            Container::Mp4 | Container::Mov | Container::Sound(SoundFile::M4a)
        )
    }
}

/// Extensions of pictures that are written.
const PICTURE_EXTENSIONS: &[&str] = &["png", "jpg", "jpeg", "jpe", "jfif", "webp", "tif", "tiff"];

fn has_picture_extension(path: &Path) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|e| PICTURE_EXTENSIONS.contains(&e.to_ascii_lowercase().as_str()))
}

/// What of a source goes into a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MuxPlan {
    /// The container.
    pub container: Container,
    /// Streams that are copied, by their index in the source. The processed stream is not among
    /// them.
    pub copied: Vec<u32>,
    /// One [`Warning::StreamDropped`] for each stream that no container can hold.
    pub dropped: Vec<Warning>,
    /// What this container cannot hold and another could. A job with such a plan is refused.
    pub refused: Vec<Unfit>,
    /// The display matrix is written.
    pub keeps_turn: bool,
    /// Tags of the file and its tracks are written.
    #[serde(default = "yes")]
    pub keeps_tags: bool,
}

/// Plans of older versions know nothing else.
fn yes() -> bool {
    true
}

/// Something that a container cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfit {
    /// What it is, as a person reads it.
    pub what: Said,
    /// What leaves it out.
    pub choice: TrackChoice,
}

impl MuxPlan {
    /// The plan itself, or the refusal with its remedies.
    ///
    /// # Errors
    /// [`MediaError::TracksDoNotFit`].
    pub fn complete(self, source: &MediaInfo, drop: &[TrackChoice]) -> Result<Self, MediaError> {
        if self.refused.is_empty() {
            return Ok(self);
        }
        let others = Container::ALL.into_iter().filter(|other| {
            plan_mux(source, *other, drop).is_ok_and(|plan| plan.refused.is_empty())
        });
        Err(MediaError::TracksDoNotFit {
            tracks: self
                .refused
                .iter()
                .map(|unfit| (unfit.what.clone(), unfit.choice.to_string()))
                .collect(),
            container: self.container.shown(),
            others: others.map(|other| other.extension().to_owned()).collect(),
        })
    }
}

/// Decides which streams of `source` besides the processed one are copied: all that the container
/// can hold, without those that the user left out.
///
/// # Errors
/// [`MediaError::InvalidRequest`] if `drop` names the processed stream or one that is not there.
pub fn plan_mux(
    source: &MediaInfo,
    container: Container,
    drop: &[TrackChoice],
) -> Result<MuxPlan, MediaError> {
    let main = source.main_video().map(|(stream, _)| stream.index);
    for choice in drop {
        let TrackChoice::Stream(index) = choice else {
            continue;
        };
        let exists = source.streams.iter().any(|s| s.index == *index);
        if !exists || Some(*index) == main {
            let what = match exists {
                true => said!(
                    "request.main_stream",
                    "stream {index} is the one that is processed; it cannot be left out",
                    index = *index
                ),
                false => said!(
                    "request.no_stream",
                    "the source has no stream {index} that could be left out",
                    index = *index
                ),
            };
            return Err(MediaError::InvalidRequest { what });
        }
    }
    let turned = source
        .main_video()
        .is_some_and(|(_, v)| v.rotation_degrees != 0 || v.mirrored);
    let drops_turn = drop.contains(&TrackChoice::Rotation);
    let mut plan = MuxPlan {
        container,
        copied: Vec::new(),
        dropped: Vec::new(),
        refused: Vec::new(),
        keeps_turn: !drops_turn,
        keeps_tags: !drop.contains(&TrackChoice::Metadata),
    };
    for stream in &source.streams {
        if Some(stream.index) == main || is_left_out(stream, drop) {
            continue;
        }
        // Fonts belong to subtitles; other files tell of where the clip comes from.
        let is_font = matches!(stream.codec.as_str(), "ttf" | "otf");
        if !plan.keeps_tags && stream.kind == StreamKind::Attachment && !is_font {
            continue;
        }
        if holds(container, stream) {
            plan.copied.push(stream.index);
        } else if is_made_anew(source, stream, container) {
            continue;
        } else if container.sound_file().is_some() {
            plan.dropped.push(unfit(described(stream), container));
        } else if Container::ALL.into_iter().any(|other| holds(other, stream)) {
            plan.refused.push(Unfit {
                what: described(stream),
                // Pictures alone hold none of a kind, whichever it is.
                choice: match container.is_pictures() {
                    true => kind_of(stream),
                    false => TrackChoice::Stream(stream.index),
                },
            });
        } else {
            plan.dropped.push(Warning::StreamDropped {
                index: stream.index,
                codec: stream.codec.clone(),
                container: container.extension().to_owned(),
            });
        }
    }
    if container.is_pictures() {
        plan.dropped.extend(lost_with_pictures(source, container));
    }
    if container
        .sound_file()
        .is_some_and(|file| !file.holds_chapters())
    {
        plan.dropped.extend(lost_chapters(source, container));
    }
    if turned && !drops_turn && !holds_turn(container) {
        plan.refused.push(Unfit {
            what: said!("track.rotation", "the rotation of the picture"),
            choice: TrackChoice::Rotation,
        });
    }
    Ok(plan)
}

/// What pictures alone do not hold and nobody can choose to leave out.
fn lost_with_pictures(source: &MediaInfo, container: Container) -> Vec<Warning> {
    let mut lost: Vec<Warning> = lost_chapters(source, container).into_iter().collect();
    let tags = crate::mux::file_tags(&source.tags, container);
    if !tags.is_empty() {
        let names: Vec<&str> = tags.keys().map(String::as_str).collect();
        let what = said!("lost.tags", "the tags {tags}", tags = names.join(", "));
        lost.push(unfit(what, container));
    }
    lost
}

/// The pictures of a clip of which a file of sound is made.
pub fn lost_pictures(container: Container) -> Option<Warning> {
    let what = said!("lost.pictures", "the pictures");
    container
        .sound_file()
        .is_some()
        .then(|| unfit(what, container))
}

/// Tags of a file that did not come into another one.
pub fn lost_tags(source: &MediaInfo, result: &MediaInfo, container: Container) -> Option<Warning> {
    let found = result.streams.iter().map(|stream| &stream.tags);
    let found: BTreeSet<String> = found
        .chain([&result.tags])
        .flat_map(BTreeMap::keys)
        .map(|key| key.to_ascii_lowercase())
        .collect();
    let wanted = crate::mux::tags_of_sound(source, container);
    let lost: Vec<String> = wanted
        .into_keys()
        .filter(|key| !found.contains(&key.to_ascii_lowercase()))
        .collect();
    let what = said!("lost.tags", "the tags {tags}", tags = lost.join(", "));
    (!lost.is_empty()).then(|| unfit(what, container))
}

fn lost_chapters(source: &MediaInfo, container: Container) -> Option<Warning> {
    let what = said!("lost.chapters", "the chapters");
    (!source.chapters.is_empty()).then(|| unfit(what, container))
}

/// What a container cannot hold and nobody can choose to leave out.
pub(crate) fn unfit(what: Said, container: Container) -> Warning {
    Warning::dropped(said!(
        "lost.unfit",
        "{what}, which {container} cannot hold",
        what = what,
        container = container.shown()
    ))
}

/// Matroska's muxer writes no display matrix before FFmpeg 7.
fn holds_turn(container: Container) -> bool {
    if container.is_pictures() {
        return false;
    }
    container.sound_file().is_some()
        || container.is_iso()
        || crate::ffi::util::libavformat_major() >= 61
}

fn is_left_out(stream: &StreamInfo, drop: &[TrackChoice]) -> bool {
    drop.contains(&kind_of(stream)) || drop.contains(&TrackChoice::Stream(stream.index))
}

/// The choice that leaves out all streams like this one.
fn kind_of(stream: &StreamInfo) -> TrackChoice {
    match stream.kind {
        StreamKind::Video if is_cover(stream) => TrackChoice::Covers,
        StreamKind::Video => TrackChoice::Video,
        StreamKind::Audio => TrackChoice::Audio,
        StreamKind::Subtitle => TrackChoice::Subtitles,
        StreamKind::Attachment => TrackChoice::Attachments,
        StreamKind::Data => TrackChoice::Data,
    }
}

/// A stream as a refusal names it: `stream 2 (subtitle, subrip, fra)`.
pub(crate) fn described(stream: &StreamInfo) -> Said {
    let kind = match stream.kind {
        StreamKind::Video if is_cover(stream) => said!("kind.cover", "cover"),
        StreamKind::Video => said!("kind.video", "video"),
        StreamKind::Audio => said!("kind.sound", "sound"),
        StreamKind::Subtitle => said!("kind.subtitles", "subtitles"),
        StreamKind::Attachment => said!("kind.attachment", "attachment"),
        StreamKind::Data => said!("kind.data", "data"),
    };
    let mut words = String::new();
    for word in [Some(&stream.codec), stream.language.as_ref()] {
        if let Some(word) = word.filter(|word| *word != "unknown") {
            words.push_str(", ");
            words.push_str(word);
        }
    }
    said!(
        "track.stream",
        "stream {index} ({kind}{words})",
        index = stream.index,
        kind = kind,
        words = words
    )
}

fn is_cover(stream: &StreamInfo) -> bool {
    stream.dispositions.iter().any(|d| d == "attached_pic")
}

pub(crate) fn holds(container: Container, stream: &StreamInfo) -> bool {
    if container.is_pictures() {
        return false;
    }
    if let Some(file) = container.sound_file() {
        return match stream.kind {
            StreamKind::Video => is_cover(stream) && file.holds_cover(&stream.codec),
            StreamKind::Audio => file.takes(&stream.codec),
            _ => false,
        };
    }
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
/// nothing. Of two that lose equally little, the one most like the source.
///
/// # Errors
/// [`MediaError::UnsupportedContainer`] if `wanted`, an extension, is none that can be written.
pub fn choose_container(
    source: &MediaInfo,
    wanted: Option<&str>,
    drop: &[TrackChoice],
) -> Result<Container, MediaError> {
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
    // Nothing at all should be lost; if that cannot be had, then no sound and no subtitles.
    let losses = |container: Container| {
        let plan = plan_mux(source, container, drop).ok()?;
        let heard = |unfit: &&Unfit| {
            source.streams.iter().any(|s| {
                unfit.choice == TrackChoice::Stream(s.index)
                    && matches!(s.kind, StreamKind::Audio | StreamKind::Subtitle)
            })
        };
        Some((
            plan.refused.iter().filter(heard).count(),
            plan.refused.len(),
        ))
    };
    let mut candidates = vec![like_source];
    candidates.extend(match like_source.is_iso() {
        true => [Container::Mov, Container::Mkv],
        false => [Container::Mkv, Container::Mov],
    });
    let best = candidates
        .into_iter()
        .min_by_key(|c| losses(*c).unwrap_or_default());
    Ok(best.unwrap_or(like_source))
}
