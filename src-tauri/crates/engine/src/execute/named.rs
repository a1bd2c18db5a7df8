//! What is remembered of a checked result just before it gets its name. A run that is killed behind
//! that and before the job is noted as done left the result: the next run finds it by this note and
//! makes no second one beside it.

use super::output::Temporary;
use crate::{EngineError, FileStamp};
use frameloom_core::receipt::Checks;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The note in the folder of the job's parts.
const NOTE: &str = "checked.json";

#[derive(Serialize, Deserialize)]
struct Note {
    file: FileStamp,
    checks: Checks,
}

/// Gives a checked result its name, having made the note first.
///
/// # Errors
/// The note or the result cannot be written.
pub(super) fn publish(
    file: Temporary,
    output: &Path,
    overwrite: bool,
    checks: Checks,
    work_dir: &Path,
) -> Result<(PathBuf, Checks), EngineError> {
    let path = work_dir.join(NOTE);
    let write = || -> std::io::Result<()> {
        let facts = file.path().metadata()?;
        let Some(stamp) = FileStamp::of(&facts) else {
            return Ok(());
        };
        let note = Note {
            file: stamp,
            checks: checks.clone(),
        };
        let writing = path.with_extension("writing");
        let mut to = File::create(&writing)?;
        to.write_all(&serde_json::to_vec(&note)?)?;
        to.sync_data()?;
        std::fs::rename(&writing, &path)
    };
    write().map_err(EngineError::io("the job's folder cannot be written", &path))?;
    Ok((file.publish(output, overwrite)?, checks))
}

/// The result of an earlier run that was killed before it could say so; `None` if there is none, or
/// somebody changed it since.
pub(super) fn earlier(output: &Path, work_dir: &Path) -> Option<(PathBuf, Checks)> {
    let note: Note = serde_json::from_slice(&std::fs::read(work_dir.join(NOTE)).ok()?).ok()?;
    let is_it = |path: &Path| {
        path.symlink_metadata().is_ok_and(|facts| {
            facts.is_file() && FileStamp::of(&facts).as_ref() == Some(&note.file)
        })
    };
    if is_it(output) {
        return Some((output.to_owned(), note.checks));
    }
    // Its name may have been taken: it then got the next free one.
    let same_kind = |path: &PathBuf| {
        let is_hidden = path
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        !is_hidden && path.extension() == output.extension()
    };
    let found = std::fs::read_dir(output.parent()?)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(same_kind)
        .find(|path| is_it(path))?;
    Some((found, note.checks))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(folder: &Path, work: &Path, name: &str) -> PathBuf {
        let file = Temporary::new(folder.join(".frameloom-x.mkv"));
        std::fs::write(file.path(), "frames").unwrap();
        let checks = Checks {
            frames: 7,
            ..Checks::default()
        };
        publish(file, &folder.join(name), false, checks, work)
            .unwrap()
            .0
    }

    #[test]
    fn a_named_result_is_found_again_also_under_another_name() {
        let (folder, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let output = folder.path().join("a.mkv");
        assert_eq!(earlier(&output, work.path()), None);
        std::fs::write(&output, "somebody's").unwrap();
        let made = made(folder.path(), work.path(), "a.mkv");
        assert_ne!(made, output);
        let (found, checks) = earlier(&output, work.path()).unwrap();
        assert_eq!((found, checks.frames), (made, 7));
    }

    #[test]
    fn a_result_that_was_changed_or_is_gone_is_made_again() {
        let (folder, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let output = made(folder.path(), work.path(), "a.mkv");
        assert!(earlier(&output, work.path()).is_some());
        std::fs::write(&output, "frames and more").unwrap();
        assert!(earlier(&output, work.path()).is_none());
        std::fs::remove_file(&output).unwrap();
        assert!(earlier(&output, work.path()).is_none());
    }

    #[test]
    fn a_result_that_has_no_name_yet_is_not_taken_for_one() {
        let (folder, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let output = made(folder.path(), work.path(), "a.mkv");
        std::fs::rename(&output, folder.path().join(".frameloom-x.mkv")).unwrap();
        assert!(earlier(&output, work.path()).is_none());
    }
}
