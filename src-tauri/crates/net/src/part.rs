//! A file that is being fetched: what is there of it, and the hash so far.

use crate::NetError;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The unfinished file, held by this process alone.
pub(crate) struct Part {
    file: File,
    path: PathBuf,
    hash: Sha256,
    length: u64,
}

impl Part {
    /// Opens what is there, and makes it if there is nothing. `look` is told how much of it was read
    /// and says when to stop.
    pub(crate) fn open(
        path: &Path,
        wanted: u64,
        mut look: impl FnMut(u64) -> Result<(), NetError>,
    ) -> Result<Self, NetError> {
        let broken = |source| NetError::Disk {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(broken)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(NetError::Busy {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(broken(source)),
        }
        let mut hash = Sha256::new();
        let mut length = 0;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let read = file.read(&mut buffer).map_err(broken)?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            length += read as u64;
            look(length)?;
        }
        let mut part = Self {
            file,
            path: path.to_owned(),
            hash,
            length,
        };
        if length > wanted {
            part.restart()?;
        }
        Ok(part)
    }

    /// Bytes that are there.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Forgets what is there.
    pub(crate) fn restart(&mut self) -> Result<(), NetError> {
        self.hash = Sha256::new();
        self.length = 0;
        let emptied = self
            .file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)).map(drop));
        emptied.map_err(|source| self.broken(source))
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        if let Err(source) = self.file.write_all(bytes) {
            return Err(self.broken(source));
        }
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// SHA-256 of what is there, hexadecimal.
    pub(crate) fn sha256(&self) -> String {
        let digest = self.hash.clone().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn sync(&self) -> Result<(), NetError> {
        self.file.sync_all().map_err(|source| self.broken(source))
    }

    fn broken(&self, source: std::io::Error) -> NetError {
        NetError::Disk {
            path: self.path.clone(),
            source,
        }
    }
}
