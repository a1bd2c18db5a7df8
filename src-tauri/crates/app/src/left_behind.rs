//! What a program that was killed left in a folder, and nobody else will remove.

use std::fs::{self, FileType};
use std::path::Path;
use std::time::Duration;

/// Removes the entries of `folder` that are ours by name and kind and older than `age`: a younger one may
/// be at work. Of links only the link itself is looked at. What cannot be removed stays; nothing depends
/// on it.
pub(crate) fn sweep(folder: &Path, age: Duration, is_ours: impl Fn(&str, FileType) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(facts) = entry.metadata() else {
            continue;
        };
        let modified = facts.modified().ok();
        let is_old = modified
            .and_then(|time| time.elapsed().ok())
            .is_some_and(|since| since > age);
        if !is_old || !is_ours(&entry.file_name().to_string_lossy(), facts.file_type()) {
            continue;
        }
        let path = entry.path();
        let removed = match facts.is_dir() {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        };
        if let Err(error) = removed {
            tracing::debug!(%error, "what was left behind could not be removed");
        }
    }
}
