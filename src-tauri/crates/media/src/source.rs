//! Opening a file that a person named: which of the many ways of not being media is it?

use crate::error::MediaError;
use crate::ffi::input::{Input, Look};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Opens `path` for demuxing.
pub(crate) fn open(path: &Path, look: Look, cancel: &Arc<AtomicBool>) -> Result<Input, MediaError> {
    crate::init()?;
    let head = check_file(path)?;
    Input::open(path, look, cancel).map_err(|error| match error {
        MediaError::NotMedia { source, path } if begins_like_mp4(&head) => {
            if has_whole_index(&path) {
                MediaError::BrokenIndex { source, path }
            } else {
                MediaError::MissingIndex { path }
            }
        }
        other => other,
    })
}

/// True for an MP4 or MOV whose index is not there, or not all of it.
pub(crate) fn lacks_index(path: &Path) -> bool {
    check_file(path).is_ok_and(|head| begins_like_mp4(&head)) && !has_whole_index(path)
}

/// Walks over the outermost boxes. False if no `moov` is among them, or it ends beyond the file.
fn has_whole_index(path: &Path) -> bool {
    let walk = || -> io::Result<bool> {
        let mut file = File::open(path)?;
        let end = file.metadata()?.len();
        let mut at = 0u64;
        while at + 8 <= end {
            file.seek(SeekFrom::Start(at))?;
            let mut head = [0; 8];
            file.read_exact(&mut head)?;
            let mut length = u64::from(u32::from_be_bytes([head[0], head[1], head[2], head[3]]));
            if length == 1 {
                let mut long = [0; 8];
                file.read_exact(&mut long)?;
                length = u64::from_be_bytes(long);
            } else if length == 0 {
                length = end - at;
            }
            let next = at.saturating_add(length);
            if &head[4..8] == b"moov" {
                return Ok(next <= end);
            }
            if length < 8 {
                return Ok(false);
            }
            at = next;
        }
        Ok(false)
    };
    walk().unwrap_or(false)
}

/// Refuses what is not a readable file with something in it; gives its first bytes.
pub(crate) fn check_file(path: &Path) -> Result<[u8; 12], MediaError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            MediaError::NotFound { path: path.into() }
        }
        _ => MediaError::NotReadable {
            source,
            path: path.into(),
        },
    };
    let facts = std::fs::metadata(path).map_err(unreadable)?;
    if !facts.is_file() {
        return Err(MediaError::NotAFile { path: path.into() });
    }
    if facts.len() == 0 {
        return Err(MediaError::Empty { path: path.into() });
    }
    let mut head = [0; 12];
    let mut file = File::open(path).map_err(unreadable)?;
    let mut filled = 0;
    while filled < head.len() {
        match file.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    Ok(head)
}

/// The first box is one that MP4 and MOV begin with.
fn begins_like_mp4(head: &[u8; 12]) -> bool {
    matches!(
        &head[4..8],
        b"ftyp" | b"mdat" | b"wide" | b"free" | b"skip" | b"pnot"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_with_a_box_of_mp4_counts_as_one() {
        assert!(begins_like_mp4(b"\0\0\0\x20ftypisom"));
        assert!(begins_like_mp4(b"\0\0\0\x08mdat\0\0\0\0"));
        assert!(!begins_like_mp4(b"hello world\n"));
    }
}
