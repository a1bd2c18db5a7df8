//! Opening a file that a person named: which of the many ways of not being media is it?

use crate::error::MediaError;
use crate::ffi::input::{Input, Look};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Opens `path` for demuxing.
pub(crate) fn open(path: &Path, look: Look, cancel: &Arc<AtomicBool>) -> Result<Input, MediaError> {
    crate::init()?;
    let head = check_file(path)?;
    Input::open(path, look, cancel).map_err(|error| match error {
        MediaError::NotMedia { path, .. } if is_mp4_without_index(&head) => {
            MediaError::MissingIndex { path }
        }
        other => other,
    })
}

/// True for a file that begins as an MP4 or MOV does.
pub(crate) fn looks_like_mp4(path: &Path) -> bool {
    check_file(path).is_ok_and(|head| is_mp4_without_index(&head))
}

/// Refuses what is not a readable file with something in it; gives its first bytes.
fn check_file(path: &Path) -> Result<[u8; 12], MediaError> {
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

/// The file begins like an MP4 or MOV, and still the demuxer found no index.
fn is_mp4_without_index(head: &[u8; 12]) -> bool {
    matches!(
        &head[4..8],
        b"ftyp" | b"mdat" | b"wide" | b"free" | b"skip" | b"pnot"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_with_a_box_of_mp4_counts_as_one_that_was_cut_off() {
        assert!(is_mp4_without_index(b"\0\0\0\x20ftypisom"));
        assert!(is_mp4_without_index(b"\0\0\0\x08mdat\0\0\0\0"));
        assert!(!is_mp4_without_index(b"hello world\n"));
    }
}
