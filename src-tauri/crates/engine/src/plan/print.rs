//! Whether a file is still the one that a plan was made for.

use crate::EngineError;
use frameloom_core::job::JobSpec;
use frameloom_core::sequence::{NumberPattern, PictureNumbers};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Enough of the input to notice that it was replaced: its size and a hash of samples spread over
/// the whole file. Hashing all of a film would take longer than probing it a thousand times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputPrint {
    /// Size of the file.
    pub size_bytes: u64,
    /// SHA-256 over the size and up to [`InputPrint::SAMPLES`] blocks, hexadecimal; over those of
    /// all pictures where there are several.
    pub samples_sha256: String,
    /// Which numbered pictures it was taken of; `None` for a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pictures: Option<PictureNumbers>,
}

impl InputPrint {
    /// Blocks that are read.
    pub const SAMPLES: u64 = 32;
    const BLOCK: u64 = 64 * 1024;

    /// Reads the print of a file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn take(path: &Path) -> Result<Self, EngineError> {
        let read = |path: &Path| -> std::io::Result<Self> {
            let mut file = File::open(path)?;
            let size_bytes = file.metadata()?.len();
            let mut hash = Sha256::new();
            hash.update(size_bytes.to_le_bytes());
            let mut block = vec![0; Self::BLOCK as usize];
            let whole = size_bytes <= Self::SAMPLES * Self::BLOCK;
            for sample in 0..Self::SAMPLES {
                let at = if whole {
                    sample * Self::BLOCK
                } else {
                    // The last block ends at the last byte, where indexes like to live.
                    (size_bytes - Self::BLOCK) / (Self::SAMPLES - 1) * sample
                        + if sample == Self::SAMPLES - 1 {
                            (size_bytes - Self::BLOCK) % (Self::SAMPLES - 1)
                        } else {
                            0
                        }
                };
                if at >= size_bytes {
                    break;
                }
                file.seek(SeekFrom::Start(at))?;
                let mut filled = 0;
                while filled < block.len() {
                    match file.read(&mut block[filled..])? {
                        0 => break,
                        read => filled += read,
                    }
                }
                hash.update(&block[..filled]);
            }
            Ok(Self {
                size_bytes,
                samples_sha256: hex(&hash.finalize()),
                pictures: None,
            })
        };
        read(path).map_err(|source| EngineError::InputUnreadable {
            source,
            path: path.to_owned(),
        })
    }
}

impl InputPrint {
    /// Reads the print of numbered pictures: that of each of them, with its name.
    ///
    /// # Errors
    /// A picture cannot be read.
    pub fn take_pictures(pattern: &Path, numbers: PictureNumbers) -> Result<Self, EngineError> {
        let names = NumberPattern::of_path(pattern).ok_or_else(|| EngineError::NoFrames {
            path: pattern.to_owned(),
        })?;
        let mut hash = Sha256::new();
        let mut size_bytes = 0u64;
        for number in numbers.all() {
            let one = Self::take(&names.path(pattern, number))?;
            size_bytes = size_bytes.saturating_add(one.size_bytes);
            hash.update(names.name(number).as_bytes());
            hash.update(one.samples_sha256.as_bytes());
        }
        Ok(Self {
            size_bytes,
            samples_sha256: hex(&hash.finalize()),
            pictures: Some(numbers),
        })
    }

    /// The print of the source of a job.
    pub(super) fn of(spec: &JobSpec) -> Result<Self, EngineError> {
        match spec.pictures {
            Some(run) => Self::take_pictures(&spec.input, run.picture_numbers()),
            None => Self::take(&spec.input),
        }
    }

    /// The print of another input.
    pub(super) fn of_input(spec: &JobSpec, name: &str) -> Result<Self, EngineError> {
        let path = spec.path_of(name);
        match spec.pictures_of(name) {
            Some(run) => Self::take_pictures(path, run.picture_numbers()),
            None => Self::take(path),
        }
    }

    /// Checks that the file is still the one that the print was taken of.
    pub(super) fn check(&self, path: &Path) -> Result<(), EngineError> {
        let now = match self.pictures {
            Some(numbers) => Self::take_pictures(path, numbers),
            None => Self::take(path),
        };
        let now = now.map_err(|error| match error {
            EngineError::InputUnreadable { source, path }
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                EngineError::InputChanged {
                    what: "it is missing".to_owned(),
                    path,
                }
            }
            other => other,
        })?;
        if now == *self {
            return Ok(());
        }
        let what = if now.size_bytes == self.size_bytes {
            "its content differs".to_owned()
        } else {
            format!(
                "it had {} bytes and has {} now",
                self.size_bytes, now.size_bytes
            )
        };
        Err(EngineError::InputChanged {
            what,
            path: path.to_owned(),
        })
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
