//! Where sources go once they were worked on.

use frameloom_core::error::AppError;
use std::io;
use std::path::{Path, PathBuf};

/// The folder for sources whose results are there.
pub(super) const DONE: &str = "done";
/// The folder for sources that could not be worked on.
pub(super) const FAILED: &str = "failed";

/// Moves a file to `wanted`, or to a name beside it that is free, and says which; nothing is ever
/// overwritten.
///
/// # Errors
/// The system refuses.
pub(super) fn move_into(from: &Path, wanted: &Path) -> io::Result<PathBuf> {
    if let Some(folder) = wanted.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let stem = wanted.file_stem().unwrap_or_default().to_owned();
    for number in 1..10_000 {
        let to = match number {
            1 => wanted.to_owned(),
            _ => {
                let mut name = stem.clone();
                name.push(format!("-{number}"));
                if let Some(ending) = wanted.extension() {
                    name.push(".");
                    name.push(ending);
                }
                wanted.with_file_name(name)
            }
        };
        if to.symlink_metadata().is_ok() {
            continue;
        }
        // A second name first: it is refused where the name is taken, which a move is not.
        match std::fs::hard_link(from, &to) {
            Ok(()) => {
                std::fs::remove_file(from)?;
                return Ok(to);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            // Some disks know no second names.
            Err(_) => {
                std::fs::rename(from, &to)?;
                return Ok(to);
            }
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Writes down beside a source why it could not be worked on. Who reads no files is told as well.
pub(super) fn write_reason(source: &Path, error: &AppError) {
    let mut name = source.file_name().unwrap_or_default().to_owned();
    name.push(".txt");
    let mut text = error.message.clone();
    for more in [&error.hint, &error.details].into_iter().flatten() {
        text.push('\n');
        text.push_str(more);
    }
    text.push('\n');
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(source.with_file_name(name))
        .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()));
    if let Err(error) = written {
        tracing::warn!(%error, "the reason could not be written down");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_moved_to_a_free_name_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = folder.path().join("done/sub/a.b.mp4");
        for (text, name) in [("1", "a.b.mp4"), ("2", "a.b-2.mp4"), ("3", "a.b-3.mp4")] {
            let from = folder.path().join("a.b.mp4");
            std::fs::write(&from, text).unwrap();
            let moved = move_into(&from, &wanted).unwrap();
            assert_eq!(moved, wanted.with_file_name(name));
            assert_eq!(std::fs::read_to_string(moved).unwrap(), text);
            assert!(!from.exists());
        }
    }
}
