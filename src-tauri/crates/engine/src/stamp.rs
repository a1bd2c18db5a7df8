//! By what a file is known again without being read.

use serde::{Deserialize, Serialize};
use std::fs::Metadata;
use std::time::UNIX_EPOCH;

/// What a file keeps when it gets another name, and neither another file has nor the same one after
/// it was written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// Bytes.
    size: u64,
    /// Time of the last change, since 1970.
    modified: (u64, u32),
    /// Disk and number on it, where the system tells.
    place: Option<(u64, u64)>,
}

impl FileStamp {
    /// `None` where the system does not tell enough.
    pub fn of(facts: &Metadata) -> Option<Self> {
        let modified = facts.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        #[cfg(unix)]
        let place = {
            use std::os::unix::fs::MetadataExt;
            Some((facts.dev(), facts.ino()))
        };
        #[cfg(not(unix))]
        let place = None;
        Some(Self {
            size: facts.len(),
            modified: (modified.as_secs(), modified.subsec_nanos()),
            place,
        })
    }
}
