//! What the program keeps on this machine beside results: how much of it there is, and how to get
//! rid of what can be made again.
//!
//! | what | where | goes |
//! |---|---|---|
//! | pictures for the window | memory | the oldest first, at 64 MB |
//! | samples | `samples/` | with their entry in the list; those used longest ago at the limit of the settings |
//! | pictures from the clipboard | `pasted/` | when nothing names them any more and the user says so |
//! | earlier and unsaved states of projects | `projects/` | the eleventh state; what was unsaved, when it is saved |
//! | finished parts of unfinished jobs | `jobs/` | with their job |
//! | logs | `logs/` | after 14 days, or at that limit |
//! | models | `models/` | those of the user when they are removed; those of the program never |
//! | lists of jobs and of the library | `frameloom.db` | never |

mod limit;
mod pasted;

pub(crate) use limit::Keeper;
pub use limit::KeptLimit;

use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::said;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// A kind of thing that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum KeptKind {
    /// Pictures for the window, in memory.
    Previews,
    /// Results of trying settings on a few seconds.
    Samples,
    /// Log files.
    Logs,
    /// Pictures from the clipboard.
    Pasted,
    /// Earlier and unsaved states of projects.
    Projects,
    /// Finished parts of jobs that are not done.
    Parts,
    /// Models.
    Models,
    /// Lists of jobs and of the library, settings.
    Database,
}

/// How much there is of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Kept {
    /// Which kind.
    pub kind: KeptKind,
    /// Where; `None` for what is in memory.
    #[ts(type = "string | null")]
    pub path: Option<PathBuf>,
    /// Size of all of it.
    #[ts(type = "number")]
    pub size_bytes: u64,
    /// How much of it would go.
    #[ts(type = "number")]
    pub clearable_bytes: u64,
    /// It can be cleared: nothing goes that is used and could not be made again.
    pub can_be_cleared: bool,
}

/// Size of all files of a folder and below it. Links count as what they are, not as what they
/// point at. A folder that is not there is empty.
///
/// # Errors
/// A folder cannot be listed.
fn size_of(folder: &Path) -> io::Result<u64> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut total = 0;
    for entry in entries {
        let entry = entry?;
        total += match entry.metadata() {
            Ok(facts) if facts.is_dir() => size_of(&entry.path())?,
            Ok(facts) => facts.len(),
            // Gone since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
    }
    Ok(total)
}

/// Log files that nothing is written to any more: all but the newest of each program, whose names
/// are `name.YYYY-MM-DD.log`.
fn old_logs(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut by_program: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some((program, _)) = name.split_once('.')
            && name.ends_with(".log")
        {
            by_program
                .entry(program.to_owned())
                .or_default()
                .push(path.clone());
        }
    }
    Ok(by_program
        .into_values()
        .flat_map(|mut files| {
            files.sort();
            files.pop();
            files
        })
        .collect())
}

impl App {
    /// What is kept, each kind with its size.
    ///
    /// # Errors
    /// A folder of the program cannot be read.
    pub fn kept(&self) -> Result<Vec<Kept>, AppError> {
        let folder = |kind, path: PathBuf, can_be_cleared| -> Result<Kept, AppError> {
            let size_bytes = size_of(&path).map_err(|e| explain::data_folder(&path, &e))?;
            Ok(Kept {
                kind,
                path: Some(path),
                size_bytes,
                clearable_bytes: if can_be_cleared { size_bytes } else { 0 },
                can_be_cleared,
            })
        };
        let places = &self.places;
        let mut models = folder(KeptKind::Models, places.models(), false)?;
        models.size_bytes = models.size_bytes.saturating_sub(self.shared_bytes());
        let faces = self.faces_seen.all();
        let faces: u64 = faces.iter().map(|faces| faces.size_bytes()).sum();
        let previews = self.previews.size_bytes() + faces;
        let unused = self.unused_pasted()?;
        Ok(vec![
            Kept {
                kind: KeptKind::Previews,
                path: None,
                size_bytes: previews,
                clearable_bytes: previews,
                can_be_cleared: true,
            },
            folder(KeptKind::Samples, places.samples(), true)?,
            folder(KeptKind::Logs, places.logs(), true)?,
            Kept {
                clearable_bytes: unused.iter().map(|(_, size_bytes)| size_bytes).sum(),
                ..folder(KeptKind::Pasted, places.pasted(), true)?
            },
            folder(KeptKind::Projects, places.projects(), false)?,
            folder(KeptKind::Parts, places.jobs(), false)?,
            models,
            self.kept_in_database()?,
        ])
    }

    /// The database with its journal: files beside the folders.
    fn kept_in_database(&self) -> Result<Kept, AppError> {
        let data = &self.places.data;
        let read = || -> io::Result<u64> {
            let mut total = 0;
            for entry in fs::read_dir(data)? {
                let facts = entry?.metadata()?;
                total += if facts.is_file() { facts.len() } else { 0 };
            }
            Ok(total)
        };
        Ok(Kept {
            kind: KeptKind::Database,
            path: Some(data.clone()),
            size_bytes: read().map_err(|e| explain::data_folder(data, &e))?,
            clearable_bytes: 0,
            can_be_cleared: false,
        })
    }

    /// Clears what is kept of a kind, as far as nothing is lost: samples of jobs that are over,
    /// logs that nothing is written to any more, pictures from the clipboard that nothing names.
    ///
    /// # Errors
    /// It is of a kind that cannot be cleared, or the system does not let it go.
    pub fn clear_kept(&self, kind: KeptKind) -> Result<(), AppError> {
        match kind {
            KeptKind::Previews => {
                self.previews.clear();
                self.faces_seen.clear();
            }
            KeptKind::Samples => {
                for job in self.jobs_at_hand()? {
                    if job.spec.sample && job.state.is_terminal() {
                        self.remove(&job.id)?;
                    }
                }
            }
            KeptKind::Logs => {
                let logs = self.places.logs();
                let cleared =
                    old_logs(&logs).and_then(|old| old.iter().try_for_each(fs::remove_file));
                cleared.map_err(|error| explain::data_folder(&logs, &error))?;
            }
            KeptKind::Pasted => {
                for (path, _) in self.unused_pasted()? {
                    fs::remove_file(&path).map_err(|error| explain::data_folder(&path, &error))?;
                }
            }
            KeptKind::Projects | KeptKind::Parts | KeptKind::Models | KeptKind::Database => {
                return Err(AppError::new(
                    ErrorCode::InvalidRequest,
                    said!(
                        "kept.never",
                        "This cannot be cleared: something would be lost."
                    ),
                )
                .hint("Cancel or remove jobs one by one."));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_folder_is_that_of_all_files_below_it_and_links_lead_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        fs::write(at("one"), [0; 10]).unwrap();
        fs::write(at("a/two"), [0; 20]).unwrap();
        fs::write(at("a/b/three"), [0; 30]).unwrap();
        assert_eq!(size_of(folder.path()).unwrap(), 60);
        assert_eq!(size_of(&at("nothing")).unwrap(), 0);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path(), at("a/loop")).unwrap();
            assert!(size_of(folder.path()).unwrap() < 60 + 4096);
        }
    }

    #[test]
    fn of_the_logs_of_each_program_the_newest_stays() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "studio.2026-11-20.log",
            "studio.2026-11-22.log",
            "worker.2026-11-01.log",
            "frameloom.2025-01-01.log",
            "frameloom.2026-01-01.log",
            "notes.txt",
        ] {
            fs::write(folder.path().join(name), "line").unwrap();
        }
        let mut old: Vec<String> = old_logs(folder.path())
            .unwrap()
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        old.sort();
        assert_eq!(old, ["frameloom.2025-01-01.log", "studio.2026-11-20.log"]);
    }
}
