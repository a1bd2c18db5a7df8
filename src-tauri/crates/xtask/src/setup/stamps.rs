//! What earlier runs found, so that the same bytes are not hashed again: one small JSON file per
//! checkout in the user's cache. A stamp only ever saves work; whether a thing is there is
//! always looked up.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::place::Place;

/// Stamps by name.
#[derive(Debug)]
pub struct Stamps {
    file: PathBuf,
    values: Map<String, Value>,
    is_changed: bool,
}

impl Stamps {
    /// Reads the stamps of this checkout; an unreadable file counts as none.
    pub fn read(place: &Place) -> Self {
        let name = hex(&Sha256::digest(place.root.as_os_str().as_encoded_bytes()));
        let file = place
            .cache
            .join("stamps")
            .join(format!("{}.json", &name[..16]));
        let values = std::fs::read(&file)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Self {
            file,
            values,
            is_changed: false,
        }
    }

    /// Whether `name` was stamped with `value`.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.values.get(name).and_then(Value::as_str) == Some(value)
    }

    /// Stamps `name` with `value`.
    pub fn set(&mut self, name: &str, value: String) {
        self.values.insert(name.into(), Value::String(value));
        self.is_changed = true;
    }

    /// Keeps the stamps for the next run. A full disk or a read-only cache costs that run time,
    /// nothing else, so failures are not errors.
    pub fn write(&self) {
        if !self.is_changed {
            return;
        }
        if let Some(folder) = self.file.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        let _ = std::fs::write(&self.file, Value::Object(self.values.clone()).to_string());
    }
}

/// Size and time of change of a file: enough to see that it is still the file of last time.
pub fn file_mark(file: &Path) -> Option<String> {
    let meta = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let changed = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(format!("{} {}", meta.len(), changed.as_nanos()))
}

/// SHA-256 of a file in lower-case hexadecimal digits.
pub fn file_sha256(file: &Path) -> anyhow::Result<String> {
    let mut hasher = Sha256::new();
    let mut reader = std::fs::File::open(file)?;
    let mut block = vec![0; 1 << 16];
    loop {
        match reader.read(&mut block)? {
            0 => return Ok(hex(&hasher.finalize())),
            count => hasher.update(&block[..count]),
        }
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
