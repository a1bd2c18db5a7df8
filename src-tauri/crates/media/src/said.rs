//! What the window says of a failure of this crate.

use crate::error::MediaError;
use frameloom_core::said;
use frameloom_core::said::Said;
use std::fmt;

impl MediaError {
    /// The sentence for the window.
    pub fn said(&self) -> Said {
        let theirs = |words: &dyn fmt::Display| Said::from(words.to_string());
        match self {
            MediaError::NotFound { path } => {
                said!(
                    "file.none",
                    "there is no file at {path}",
                    path = path.display()
                )
            }
            MediaError::NotReadable { source, path } => said!(
                "file.unreadable",
                "the file cannot be opened for reading ({source}): {path}",
                source = theirs(source),
                path = path.display()
            ),
            MediaError::NotAFile { path } => said!(
                "file.not_regular",
                "this is not a regular file: {path}",
                path = path.display()
            ),
            MediaError::Empty { path } => said!(
                "file.empty",
                "the file is empty: {path}",
                path = path.display()
            ),
            MediaError::NotMedia { path, .. } => said!(
                "file.not_media",
                "the content is not video, sound or a picture: {path}",
                path = path.display()
            ),
            MediaError::MissingIndex { path } => said!(
                "file.no_index",
                "the file has no index (moov atom); its recording or download was cut off: {path}",
                path = path.display()
            ),
            MediaError::BrokenIndex { path, .. } => said!(
                "file.broken_index",
                "the index of the file cannot be read; it is damaged or encrypted: {path}",
                path = path.display()
            ),
            MediaError::NoVideo { path } => said!(
                "file.no_video",
                "the file has no video stream: {path}",
                path = path.display()
            ),
            MediaError::NoSound { path } => said!(
                "file.no_sound",
                "there is no sound to work on: {path}",
                path = path.display()
            ),
            MediaError::NoFrames { path } => said!(
                "file.no_frames",
                "no picture could be decoded: {path}",
                path = path.display()
            ),
            MediaError::UnsupportedCodec { codec, path } => said!(
                "file.no_decoder",
                "there is no decoder for `{codec}`: {path}",
                codec = codec,
                path = path.display()
            ),
            MediaError::UnsupportedPixelFormat { format } => said!(
                "file.pixel_format",
                "the pixel format `{format}` cannot be processed",
                format = format
            ),
            MediaError::BadDimensions { width, height } => said!(
                "file.dimensions",
                "a picture of {width}x{height} is outside of what can be processed",
                width = *width,
                height = *height
            ),
            MediaError::UnsupportedContainer { extension } => said!(
                "request.container",
                "`{extension}` is nothing that a clip can be written as; use mp4, mov, mkv or webm, gif, apng or webp, or a pattern such as `name_%05d.png` for numbered pictures",
                extension = extension
            ),
            MediaError::TracksDoNotFit {
                tracks, container, ..
            } => said!(
                "tracks.unfit",
                "{tracks} cannot go into {container}",
                tracks = listed(tracks),
                container = container
            ),
            MediaError::Sequence { what, path } => {
                said!(
                    "sequence.broken",
                    "{what}: {path}",
                    what = what,
                    path = path.display()
                )
            }
            MediaError::Subtitles { what, path, .. } => {
                said!(
                    "subtitles.of_file",
                    "{what}: {path}",
                    what = what,
                    path = path.display()
                )
            }
            MediaError::InvalidRequest { what } => what.clone(),
            MediaError::EncoderUnavailable { wanted, reason } => said!(
                "encoder.none",
                "no encoder for {wanted}: {reason}",
                wanted = wanted,
                reason = theirs(reason)
            ),
            MediaError::FilterUnavailable { filter, reason } => said!(
                "filter.unusable",
                "the filter `{filter}` cannot be used: {reason}",
                filter = filter,
                reason = theirs(reason)
            ),
            MediaError::Codec { source, .. } => said!(
                "codec.failed",
                "a part of FFmpeg failed: {source}",
                source = theirs(source)
            ),
            MediaError::Read { source, path } => said!(
                "file.read_failed",
                "reading failed ({source}): {path}",
                source = theirs(source),
                path = path.display()
            ),
            MediaError::DiskFull { path } => {
                said!(
                    "disk.full",
                    "the disk is full: {path}",
                    path = path.display()
                )
            }
            MediaError::Write { source, path } => said!(
                "file.write_failed",
                "writing failed ({source}): {path}",
                source = theirs(source),
                path = path.display()
            ),
            MediaError::PartDamaged { reason, path } => said!(
                "part.damaged",
                "the part file is damaged ({reason}): {path}",
                reason = theirs(reason),
                path = path.display()
            ),
            MediaError::PartsDiffer { reason, path } => said!(
                "part.differs",
                "the part file does not fit the others ({reason}): {path}",
                reason = theirs(reason),
                path = path.display()
            ),
            MediaError::Verification { what, path } => said!(
                "check.result_at",
                "the result failed its check ({what}): {path}",
                what = theirs(what),
                path = path.display()
            ),
            MediaError::Cancelled => self.to_string().into(),
            MediaError::OutOfMemory => said!("memory", "memory ran out"),
        }
    }
}

/// Names as a sentence lists them; of many only the first ones.
fn listed(tracks: &[(Said, String)]) -> Said {
    match tracks {
        [] => said!("list.none", "nothing"),
        [(one, _)] => one.clone(),
        [(first, _), (second, _)] => said!(
            "list.two",
            "{first} and {second}",
            first = first,
            second = second
        ),
        [(first, _), (second, _), rest @ ..] => said!(
            "list.more",
            "{first}, {second} and {count} more",
            first = first,
            second = second,
            count = rest.len()
        ),
    }
}
