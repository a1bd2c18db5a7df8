//! What the window says of a failure of this crate.

use crate::error::StillError;
use frameloom_core::said;
use frameloom_core::said::Said;
use std::fmt;

impl StillError {
    /// The sentence for the window.
    pub fn said(&self) -> Said {
        let theirs = |words: &dyn fmt::Display| Said::from(words.to_string());
        let path = || self.path().display();
        match self {
            StillError::NotFound { .. } => {
                said!("file.none", "there is no file at {path}", path = path())
            }
            StillError::Read { source, .. } => said!(
                "file.unreadable",
                "the file cannot be opened for reading ({source}): {path}",
                source = theirs(source),
                path = path()
            ),
            StillError::Empty { .. } => {
                said!("file.empty", "the file is empty: {path}", path = path())
            }
            StillError::NotAStill { .. } => said!(
                "still.none",
                "the content of the file is not a picture that can be read: {path}",
                path = path()
            ),
            StillError::Unsupported { format, what, .. } => said!(
                "still.kind",
                "this kind of {format} is not supported: {what}",
                format = *format,
                what = theirs(what)
            ),
            StillError::Damaged { format, .. } => {
                said!(
                    "still.damaged",
                    "the {format} picture is damaged",
                    format = *format
                )
            }
            StillError::TooLarge { width, height, .. } => said!(
                "still.too_large",
                "the picture of {width} x {height} pixels is larger than the program takes",
                width = *width,
                height = *height
            ),
            StillError::AlphaNotSupported { format, .. } => said!(
                "still.no_alpha",
                "{format} cannot hold transparency",
                format = *format
            ),
            StillError::LosslessNotSupported { format, .. } => said!(
                "still.no_lossless",
                "{format} cannot store a picture without loss",
                format = *format
            ),
            StillError::TooLargeForFormat {
                format,
                width,
                height,
                ..
            } => said!(
                "still.too_large_for",
                "{format} cannot hold a picture of {width} x {height} pixels",
                format = *format,
                width = *width,
                height = *height
            ),
            StillError::UnknownExtension { extension, .. } => said!(
                "still.extension",
                "pictures cannot be written as `{extension}`",
                extension = extension
            ),
            StillError::Write { source, .. } => said!(
                "file.write_failed",
                "writing failed ({source}): {path}",
                source = theirs(source),
                path = path()
            ),
            StillError::Encode { format, what, .. } => said!(
                "still.encoder",
                "the {format} encoder failed: {what}",
                format = *format,
                what = theirs(what)
            ),
            StillError::Rows { .. } => self.to_string().into(),
        }
    }
}
