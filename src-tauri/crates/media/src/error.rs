//! What can go wrong with a file, a codec or a disk, each with the path last.

use frameloom_core::error::ErrorCode;
use frameloom_core::said::Said;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A status code of FFmpeg with the text that the library has for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FfmpegError {
    /// The negative number that the library returned.
    pub code: i32,
    /// The library's words for it.
    pub text: String,
}

impl fmt::Display for FfmpegError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for FfmpegError {}

/// Failure of this crate. [`MediaError::code`] gives the kind that callers branch on.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// There is no such file.
    #[error("there is no file at {path}")]
    NotFound {
        /// The path asked for.
        path: PathBuf,
    },
    /// The file exists and may not be read.
    #[error("the file cannot be opened for reading: {source}: {path}")]
    NotReadable {
        /// What the system said.
        #[source]
        source: io::Error,
        /// The file.
        path: PathBuf,
    },
    /// A folder or a device, not a file.
    #[error("this is not a regular file: {path}")]
    NotAFile {
        /// The path asked for.
        path: PathBuf,
    },
    /// Zero bytes.
    #[error("the file is empty: {path}")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// No demuxer recognises the content.
    #[error("the content is not video, sound or a picture: {path}")]
    NotMedia {
        /// What the library said.
        #[source]
        source: FfmpegError,
        /// The file.
        path: PathBuf,
    },
    /// An MP4 or MOV without its index: recording or download was cut off.
    #[error("the file has no index (moov atom); its recording or download was cut off: {path}")]
    MissingIndex {
        /// The file.
        path: PathBuf,
    },
    /// An MP4 or MOV whose index is there and makes no sense.
    #[error("the index of the file cannot be read; it is damaged or encrypted: {path}")]
    BrokenIndex {
        /// What the library said.
        #[source]
        source: FfmpegError,
        /// The file.
        path: PathBuf,
    },
    /// Media without a picture that could be processed.
    #[error("the file has no video stream: {path}")]
    NoVideo {
        /// The file.
        path: PathBuf,
    },
    /// No sound where some was to be worked on, or none that could be decoded.
    #[error("there is no sound to work on: {path}")]
    NoSound {
        /// The file.
        path: PathBuf,
    },
    /// There is a video stream, and no picture could be decoded from it.
    #[error("no picture could be decoded: {path}")]
    NoFrames {
        /// The file.
        path: PathBuf,
    },
    /// No decoder for this codec.
    #[error("there is no decoder for `{codec}`: {path}")]
    UnsupportedCodec {
        /// Codec name.
        codec: String,
        /// The file.
        path: PathBuf,
    },
    /// A layout of pixels that no planar format here can hold.
    #[error("the pixel format `{format}` cannot be processed")]
    UnsupportedPixelFormat {
        /// Name as ffmpeg has it.
        format: String,
    },
    /// Sides outside of what can be held.
    #[error("a picture of {width}x{height} is outside of what can be processed")]
    BadDimensions {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// A container that this program does not write.
    #[error(
        "`{extension}` is nothing that a clip can be written as; use mp4, mov, mkv or webm, gif, apng or webp, or a pattern such as `name_%05d.png` for numbered pictures"
    )]
    UnsupportedContainer {
        /// The extension asked for.
        extension: String,
    },
    /// The container cannot hold something of the source, and nobody said that it may be lost.
    #[error("{} cannot go into {container}", listed(tracks))]
    TracksDoNotFit {
        /// What does not fit: each as a person reads it, and as `--drop` takes it; empty for a
        /// track that the graph itself asks for.
        tracks: Vec<(Said, String)>,
        /// The container as a sentence names it (`.mp4`).
        container: String,
        /// Extensions of containers that can hold everything.
        others: Vec<String>,
    },
    /// A picture of a sequence is missing, or not like the others.
    #[error("{what}: {path}")]
    Sequence {
        /// What is wrong with it.
        what: Said,
        /// The picture.
        path: PathBuf,
    },
    /// Subtitles that cannot be read or written.
    #[error("{what}: {path}")]
    Subtitles {
        /// What is wrong with them.
        what: Said,
        /// What helps.
        remedy: String,
        /// The file.
        path: PathBuf,
    },
    /// The request contradicts itself.
    #[error("{what}")]
    InvalidRequest {
        /// Which part, and why.
        what: Said,
    },
    /// No usable encoder for what was asked.
    #[error("no encoder for {wanted}: {reason}")]
    EncoderUnavailable {
        /// Codec, container and format asked for.
        wanted: String,
        /// Why each candidate was refused.
        reason: String,
    },
    /// A filter that is not there, or does not take the pictures.
    #[error("the filter `{filter}` cannot be used: {reason}")]
    FilterUnavailable {
        /// Name as ffmpeg has it.
        filter: String,
        /// What it or the library said.
        reason: String,
    },
    /// The codec library refused or failed.
    #[error("{action}: {source}")]
    Codec {
        /// What was being done.
        action: &'static str,
        /// What the library said.
        #[source]
        source: FfmpegError,
    },
    /// Reading failed in the middle.
    #[error("reading failed: {source}: {path}")]
    Read {
        /// What the library said.
        #[source]
        source: FfmpegError,
        /// The file.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("the disk is full: {path}")]
    DiskFull {
        /// The file being written.
        path: PathBuf,
    },
    /// Writing failed.
    #[error("writing failed: {source}: {path}")]
    Write {
        /// What the system said.
        #[source]
        source: io::Error,
        /// The file being written.
        path: PathBuf,
    },
    /// A part file is cut off, altered or of another version.
    #[error("the part file is damaged ({reason}): {path}")]
    PartDamaged {
        /// What did not match.
        reason: String,
        /// The part.
        path: PathBuf,
    },
    /// Two parts were not made by the same encoder with the same settings.
    #[error("the part file does not fit the others ({reason}): {path}")]
    PartsDiffer {
        /// What differs.
        reason: String,
        /// The part.
        path: PathBuf,
    },
    /// The finished file is not what it should be.
    #[error("the result failed its check ({what}): {path}")]
    Verification {
        /// What does not match.
        what: String,
        /// The file.
        path: PathBuf,
    },
    /// The caller's flag was raised.
    #[error("cancelled")]
    Cancelled,
    /// Memory ran out.
    #[error("memory ran out")]
    OutOfMemory,
}

impl MediaError {
    /// Kind of failure.
    pub fn code(&self) -> ErrorCode {
        match self {
            MediaError::NotFound { .. } => ErrorCode::InputNotFound,
            MediaError::NotReadable { .. }
            | MediaError::NotAFile { .. }
            | MediaError::Empty { .. }
            | MediaError::NotMedia { .. }
            | MediaError::MissingIndex { .. }
            | MediaError::BrokenIndex { .. }
            | MediaError::Read { .. } => ErrorCode::InputUnreadable,
            MediaError::NoVideo { .. }
            | MediaError::NoSound { .. }
            | MediaError::NoFrames { .. }
            | MediaError::Sequence { .. }
            | MediaError::Subtitles { .. }
            | MediaError::UnsupportedCodec { .. }
            | MediaError::UnsupportedPixelFormat { .. } => ErrorCode::InputUnsupported,
            MediaError::BadDimensions { .. } => ErrorCode::InputTooLarge,
            MediaError::UnsupportedContainer { .. } | MediaError::InvalidRequest { .. } => {
                ErrorCode::InvalidRequest
            }
            MediaError::TracksDoNotFit { .. } => ErrorCode::TracksDoNotFit,
            MediaError::EncoderUnavailable { .. } => ErrorCode::EncoderUnavailable,
            MediaError::FilterUnavailable { .. } => ErrorCode::InvalidRequest,
            MediaError::Codec { .. } => ErrorCode::Internal,
            MediaError::DiskFull { .. } => ErrorCode::DiskFull,
            MediaError::Write { .. } => ErrorCode::OutputUnwritable,
            MediaError::PartDamaged { .. }
            | MediaError::PartsDiffer { .. }
            | MediaError::Verification { .. } => ErrorCode::VerificationFailed,
            MediaError::Cancelled => ErrorCode::Cancelled,
            MediaError::OutOfMemory => ErrorCode::OutOfMemory,
        }
    }

    /// The remedy, where it depends on what exactly went wrong.
    pub fn hint(&self) -> Option<String> {
        let (tracks, others) = match self {
            MediaError::TracksDoNotFit { tracks, others, .. } => (tracks, others),
            MediaError::Subtitles { remedy, .. } => return Some(remedy.clone()),
            _ => return None,
        };
        // Tracks of other inputs are there because the graph asks for them.
        if tracks.iter().any(|(_, choice)| choice.is_empty()) {
            return Some(match others.split_first() {
                Some((best, _)) => format!(
                    "Give the result a name that ends in .{best}, which can hold everything, or \
                     take the wire to that track out of the graph."
                ),
                None => "No container can hold everything: take the wire to that track out of the \
                         graph."
                    .to_owned(),
            });
        }
        let mut drop: Vec<String> = Vec::new();
        for (_, choice) in tracks {
            let text = format!("--drop {choice}");
            if !drop.contains(&text) {
                drop.push(text);
            }
        }
        let drop = if drop.len() > 6 {
            format!("{} and so on", drop[..3].join(" "))
        } else {
            drop.join(" ")
        };
        Some(match others.split_first() {
            Some((best, _)) => format!(
                "Give the result a name that ends in .{best}, which can hold everything, or leave it \
                 out with `{drop}`."
            ),
            None => format!("No container can hold everything: leave it out with `{drop}`."),
        })
    }

    /// A failed write, told apart from a full disk.
    pub(crate) fn from_write(source: io::Error, path: &Path) -> Self {
        if source.kind() == io::ErrorKind::StorageFull {
            return MediaError::DiskFull { path: path.into() };
        }
        MediaError::Write {
            source,
            path: path.into(),
        }
    }
}

/// Names as a sentence lists them; of many only the first ones.
fn listed(tracks: &[(Said, String)]) -> String {
    let names: Vec<&str> = tracks.iter().map(|(name, _)| name.text.as_str()).collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [first, second] => format!("{first} and {second}"),
        [first, second, rest @ ..] => format!("{first}, {second} and {} more", rest.len()),
    }
}
