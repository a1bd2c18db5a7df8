//! What can go wrong with a picture, and what a person can do about it.

use frameloom_core::error::{AppError, ErrorCode};
use std::io;
use std::path::{Path, PathBuf};

/// A failure while reading or writing a picture. The path is a field, not part of the sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StillError {
    /// There is no such file.
    #[error("the picture does not exist")]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// The file is there and the system does not hand it out.
    #[error("the picture cannot be read: {source}")]
    Read {
        /// What the system said.
        #[source]
        source: io::Error,
        /// The file.
        path: PathBuf,
    },
    /// The file has no bytes.
    #[error("the picture is empty (0 bytes)")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The content is no picture format that this crate reads.
    #[error("the content of the file is not a picture that can be read")]
    NotAStill {
        /// The file.
        path: PathBuf,
    },
    /// The format is known, this flavour of it is not.
    #[error("this kind of {format} is not supported: {what}")]
    Unsupported {
        /// Name of the format.
        format: &'static str,
        /// Which flavour.
        what: String,
        /// The file.
        path: PathBuf,
    },
    /// Nothing could be decoded.
    #[error("the {format} picture is damaged")]
    Damaged {
        /// Name of the format.
        format: &'static str,
        /// What the decoder said.
        what: String,
        /// The file.
        path: PathBuf,
    },
    /// The picture is beyond the limits. Found before any memory was taken for it.
    #[error("the picture of {width} x {height} pixels is larger than the program takes ({limit})")]
    TooLarge {
        /// Width in pixels as the header states it.
        width: u32,
        /// Height in pixels as the header states it.
        height: u32,
        /// The limit that was passed, in words.
        limit: String,
        /// The file.
        path: PathBuf,
    },
    /// The target format has no alpha.
    #[error("{format} cannot hold transparency")]
    AlphaNotSupported {
        /// Name of the format.
        format: &'static str,
        /// What to do instead.
        remedy: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Every bit was asked for, and the target format rounds.
    #[error("{format} cannot store a picture without loss")]
    LosslessNotSupported {
        /// Name of the format.
        format: &'static str,
        /// What to do instead.
        remedy: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The target format cannot hold a picture of this size.
    #[error("{format} cannot hold a picture of {width} x {height} pixels ({limit})")]
    TooLargeForFormat {
        /// Name of the format.
        format: &'static str,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The limit of the format, in words.
        limit: &'static str,
        /// What to do instead.
        remedy: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// No format that this crate writes has this extension.
    #[error("pictures cannot be written as \"{extension}\"")]
    UnknownExtension {
        /// The extension, without the dot; empty if there is none.
        extension: String,
        /// The file.
        path: PathBuf,
    },
    /// The system does not take the result.
    #[error("the picture cannot be written: {source}")]
    Write {
        /// What the system said.
        #[source]
        source: io::Error,
        /// The file.
        path: PathBuf,
    },
    /// The encoder refused what it was given.
    #[error("the {format} encoder failed")]
    Encode {
        /// Name of the format.
        format: &'static str,
        /// What the encoder said.
        what: String,
        /// The file.
        path: PathBuf,
    },
    /// The caller broke the contract of the writer (a fault of the program).
    #[error("the rows handed to the writer do not make the picture: {what}")]
    Rows {
        /// What does not fit.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
}

impl StillError {
    /// Kind of failure.
    pub fn code(&self) -> ErrorCode {
        match self {
            StillError::NotFound { .. } => ErrorCode::InputNotFound,
            StillError::Read { .. }
            | StillError::Empty { .. }
            | StillError::NotAStill { .. }
            | StillError::Damaged { .. } => ErrorCode::InputUnreadable,
            StillError::Unsupported { .. } => ErrorCode::InputUnsupported,
            StillError::TooLarge { .. } => ErrorCode::InputTooLarge,
            StillError::AlphaNotSupported { .. }
            | StillError::LosslessNotSupported { .. }
            | StillError::TooLargeForFormat { .. }
            | StillError::UnknownExtension { .. } => ErrorCode::InvalidRequest,
            StillError::Write { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::DiskFull,
                _ => ErrorCode::OutputUnwritable,
            },
            StillError::Encode { .. } | StillError::Rows { .. } => ErrorCode::Internal,
        }
    }

    /// True if doing the same again may succeed.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }

    /// What the decoder or encoder said, in words that are not always meant for people.
    pub fn details(&self) -> Option<&str> {
        match self {
            StillError::Damaged { what, .. } | StillError::Encode { what, .. } => Some(what),
            _ => None,
        }
    }

    /// What a person can do, in a sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            StillError::NotFound { .. } => "Check the name of the file and try again.",
            StillError::Read { .. } => "Check that you may read the file.",
            StillError::Empty { .. } => "Copy the picture again from where it came from.",
            StillError::NotAStill { .. } => {
                "Choose a PNG, JPEG, WebP, TIFF, GIF, BMP or other common picture."
            }
            StillError::Unsupported { .. } => {
                "Save the picture as PNG or TIFF in another program and use that."
            }
            StillError::Damaged { .. } => "Copy or download the picture again.",
            StillError::TooLarge { .. } => "Cut the picture into smaller parts first.",
            StillError::AlphaNotSupported { remedy, .. }
            | StillError::LosslessNotSupported { remedy, .. }
            | StillError::TooLargeForFormat { remedy, .. } => remedy,
            StillError::UnknownExtension { .. } => "Name the result .png, .jpg, .webp or .tif.",
            StillError::Write { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "Free space on the disk and start again."
                }
                _ => "Check that the folder exists and that you may write there.",
            },
            StillError::Encode { .. } | StillError::Rows { .. } => {
                "Choose another format for the result, and report this as a fault."
            }
        }
    }

    /// The file it is about; empty for pictures read from memory.
    pub fn path(&self) -> &Path {
        match self {
            StillError::NotFound { path }
            | StillError::Read { path, .. }
            | StillError::Empty { path }
            | StillError::NotAStill { path }
            | StillError::Unsupported { path, .. }
            | StillError::Damaged { path, .. }
            | StillError::TooLarge { path, .. }
            | StillError::AlphaNotSupported { path, .. }
            | StillError::LosslessNotSupported { path, .. }
            | StillError::TooLargeForFormat { path, .. }
            | StillError::UnknownExtension { path, .. }
            | StillError::Write { path, .. }
            | StillError::Encode { path, .. }
            | StillError::Rows { path, .. } => path,
        }
    }
}

impl From<&StillError> for AppError {
    fn from(error: &StillError) -> Self {
        let sentence = error.to_string();
        let mut letters = sentence.chars();
        let message = match letters.next() {
            Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
            None => sentence,
        };
        let mut told = AppError::new(error.code(), message)
            .hint(error.hint())
            .details(format!("{error:?}"));
        told.said = error.said().known().map(Box::new);
        told
    }
}

/// A failure inside a decoder, before the path is known.
#[derive(Debug)]
pub(crate) enum Fault {
    Io(io::Error),
    Unsupported(String),
    Damaged(String),
    TooLarge {
        width: u32,
        height: u32,
        limit: String,
    },
}

impl Fault {
    pub(crate) fn damaged(what: impl ToString) -> Self {
        Fault::Damaged(what.to_string())
    }

    pub(crate) fn unsupported(what: impl ToString) -> Self {
        Fault::Unsupported(what.to_string())
    }

    pub(crate) fn at(self, format: &'static str, path: &Path) -> StillError {
        let path = path.to_path_buf();
        match self {
            // The end of the file is damage of the content, not a refusal of the system.
            Fault::Io(source)
                if matches!(
                    source.kind(),
                    io::ErrorKind::UnexpectedEof
                        | io::ErrorKind::InvalidData
                        | io::ErrorKind::InvalidInput
                        | io::ErrorKind::Other
                ) =>
            {
                StillError::Damaged {
                    format,
                    what: source.to_string(),
                    path,
                }
            }
            Fault::Io(source) => StillError::Read { source, path },
            Fault::Unsupported(what) => StillError::Unsupported { format, what, path },
            Fault::Damaged(what) => StillError::Damaged { format, what, path },
            Fault::TooLarge {
                width,
                height,
                limit,
            } => StillError::TooLarge {
                width,
                height,
                limit,
                path,
            },
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::Io(error)
    }
}

impl From<png::DecodingError> for Fault {
    fn from(error: png::DecodingError) -> Self {
        match error {
            png::DecodingError::IoError(source) => Fault::Io(source),
            png::DecodingError::LimitsExceeded => {
                Fault::Damaged("it unpacks to more memory than a picture of its size needs".into())
            }
            other => Fault::damaged(other),
        }
    }
}

impl From<tiff::TiffError> for Fault {
    fn from(error: tiff::TiffError) -> Self {
        match error {
            tiff::TiffError::IoError(source) => Fault::Io(source),
            tiff::TiffError::UnsupportedError(what) => Fault::unsupported(what),
            tiff::TiffError::LimitsExceeded => {
                Fault::Damaged("it asks for more memory than a picture of its size needs".into())
            }
            other => Fault::damaged(other),
        }
    }
}

impl From<image_webp::DecodingError> for Fault {
    fn from(error: image_webp::DecodingError) -> Self {
        match error {
            image_webp::DecodingError::IoError(source) => Fault::Io(source),
            image_webp::DecodingError::UnsupportedFeature(what) => Fault::unsupported(what),
            other => Fault::damaged(other),
        }
    }
}

impl From<image::ImageError> for Fault {
    fn from(error: image::ImageError) -> Self {
        match error {
            image::ImageError::IoError(source) => Fault::Io(source),
            image::ImageError::Unsupported(what) => Fault::unsupported(what),
            other => Fault::damaged(other),
        }
    }
}

impl From<zune_jpeg::errors::DecodeErrors> for Fault {
    fn from(error: zune_jpeg::errors::DecodeErrors) -> Self {
        match error {
            zune_jpeg::errors::DecodeErrors::Unsupported(what) => {
                Fault::unsupported(format!("{what:?}"))
            }
            other => Fault::damaged(format!("{other:?}")),
        }
    }
}
