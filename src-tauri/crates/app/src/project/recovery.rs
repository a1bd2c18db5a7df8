//! What was not saved when the program ended, and projects of late.
//!
//! While a project that was changed is open, its state lies in the data folder as well, never in the
//! user's. It goes when the project is saved or the user throws it away; what is still there at the next
//! start is newer than the file, and offered. Nothing is taken without being asked for.

use super::contents::Project;
use super::files::write_whole;
use super::{EXTENSION, OpenedProject, ProjectSave, Watch, invalid, read};
use crate::{App, explain, now_millis};
use frameloom_core::error::AppError;
use frameloom_core::said;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// Name of the setting that holds the projects of late.
const RECENT: &str = "projects";
/// So many are remembered.
const MOST_RECENT: usize = 20;

/// Changes of a project that were not saved when the program ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ProjectRecovery {
    /// The project.
    #[ts(type = "string")]
    pub path: PathBuf,
    /// Its name for people, as it was changed.
    pub title: String,
    /// When the changes were noted, in milliseconds since 1970.
    #[ts(type = "number")]
    pub changed_millis: i64,
    /// The file is still there.
    pub file_exists: bool,
}

/// A project that was opened or saved of late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RecentProject {
    /// The file.
    #[ts(type = "string")]
    pub path: PathBuf,
    /// Its id.
    #[serde(default)]
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// When it was opened or saved last, in milliseconds since 1970.
    #[ts(type = "number")]
    pub opened_millis: i64,
    /// The file is there.
    #[serde(default)]
    pub exists: bool,
}

/// What a project's folder in the data folder is called: paths have signs that no name may have.
pub(super) fn key(path: &Path) -> String {
    // One file has one key, by whatever way one comes to it.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl App {
    fn recovery_file(&self, path: &Path) -> PathBuf {
        let name = format!("{}.{EXTENSION}", key(path));
        self.places.projects().join("recovery").join(name)
    }

    /// Notes what is not saved of a project, in the data folder. No file is read for it.
    ///
    /// # Errors
    /// The data folder cannot be written.
    pub fn autosave_project(&self, save: &ProjectSave) -> Result<(), AppError> {
        let path = super::save::with_extension(&save.path)?;
        let mut project = self.project_of(save, &path, None)?;
        project.origin = Some(path.clone());
        // The file was brought back to what it is: by undoing, say.
        if read(&path).is_ok_and(|saved| saved.drawn() == project.drawn()) {
            self.drop_recovery(&path);
            return Ok(());
        }
        let file = self.recovery_file(&path);
        let folder = file.parent().unwrap_or(&file);
        std::fs::create_dir_all(folder).map_err(|error| explain::data_folder(folder, &error))?;
        write_whole(&file, &project.to_file())
    }

    /// Every project with changes that were not saved, the newest first.
    pub fn project_recoveries(&self) -> Vec<ProjectRecovery> {
        let folder = self.places.projects().join("recovery");
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut found: Vec<ProjectRecovery> = entries
            .filter_map(|entry| {
                let kept = read(&entry.path()).ok()?;
                let path = kept.origin.clone()?;
                // One that was killed while it wrote leaves a second file, whole or not.
                if entry.path() != self.recovery_file(&path) {
                    return None;
                }
                let saved = read(&path).ok();
                is_newer(&kept, saved.as_ref()).then(|| recovery(path, &kept))
            })
            .collect();
        found.sort_unstable_by_key(|one| std::cmp::Reverse(one.changed_millis));
        found
    }

    /// Changes of a project that are newer than its file.
    pub(super) fn recovery_of(
        &self,
        path: &Path,
        saved: &Project,
    ) -> Result<Option<ProjectRecovery>, AppError> {
        let file = self.recovery_file(path);
        if !file.is_file() {
            return Ok(None);
        }
        Ok(match read(&file) {
            Ok(kept) if is_newer(&kept, Some(saved)) => Some(recovery(path.to_owned(), &kept)),
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(%error, "what was not saved of a project cannot be read");
                None
            }
        })
    }

    /// Opens a project as it was when the program ended. Its file stays as it is until it is saved.
    ///
    /// # Errors
    /// Nothing of this project is kept.
    pub fn recover_project(
        &self,
        path: &Path,
        watch: &Watch<'_>,
    ) -> Result<OpenedProject, AppError> {
        let path = std::path::absolute(path).map_err(|error| explain::unreadable(path, &error))?;
        let file = self.recovery_file(&path);
        if !file.is_file() {
            return Err(invalid(said!(
                "project.no_recovery",
                "Nothing that was not saved is kept of this project."
            ))
            .hint("Open the project itself."));
        }
        let kept = read(&file)?;
        let opened = self.opened(path, kept, None, watch)?;
        self.note_project(&opened.path, &opened.id, &opened.title)?;
        Ok(opened)
    }

    /// Throws away what was not saved of a project.
    pub fn drop_recovery(&self, path: &Path) {
        if let Err(error) = std::fs::remove_file(self.recovery_file(path))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "what was kept of a project could not be removed");
        }
    }

    /// Projects that were opened or saved of late, the newest first.
    ///
    /// # Errors
    /// The database refuses.
    pub fn recent_projects(&self) -> Result<Vec<RecentProject>, AppError> {
        let stored = self.store.setting(RECENT).map_err(explain::store)?;
        let mut recent: Vec<RecentProject> = stored
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default();
        for project in &mut recent {
            project.exists = project.path.is_file();
        }
        Ok(recent)
    }

    /// The paths of all files that projects of late name, and every state of a project that is kept;
    /// `None` where one of them cannot be read.
    ///
    /// # Errors
    /// The database refuses.
    pub(crate) fn project_files_named(&self) -> Result<Option<Vec<String>>, AppError> {
        let of_late = self.recent_projects()?;
        let mut files: Vec<PathBuf> = of_late
            .into_iter()
            .filter(|project| project.exists)
            .map(|project| project.path)
            .collect();
        let mut folders = vec![self.places.projects()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if super::is_project(&path) {
                    files.push(path);
                }
            }
        }
        let mut named = Vec::new();
        for file in files {
            let Ok(project) = read(&file) else {
                return Ok(None);
            };
            named.extend(
                project
                    .media
                    .into_iter()
                    .map(|media| media.place().to_owned()),
            );
        }
        Ok(Some(named))
    }

    /// Takes a project off the list of late ones; its file stays.
    ///
    /// # Errors
    /// The database refuses.
    pub fn forget_project(&self, path: &Path) -> Result<(), AppError> {
        let mut recent = self.recent_projects()?;
        recent.retain(|project| project.path != path);
        self.store_recent(&recent)
    }

    pub(super) fn note_project(&self, path: &Path, id: &str, title: &str) -> Result<(), AppError> {
        let mut recent = self.recent_projects()?;
        recent.retain(|project| project.path != path);
        let newest = RecentProject {
            path: path.to_owned(),
            id: id.to_owned(),
            title: title.to_owned(),
            opened_millis: now_millis(),
            exists: true,
        };
        recent.insert(0, newest);
        recent.truncate(MOST_RECENT);
        self.store_recent(&recent)
    }

    fn store_recent(&self, recent: &[RecentProject]) -> Result<(), AppError> {
        let json = serde_json::to_string(recent).map_err(explain::internal)?;
        self.store
            .set_setting(RECENT, &json)
            .map_err(explain::store)
    }
}

/// What is kept counts only if it is of a later time than the file, and something else.
fn is_newer(kept: &Project, saved: Option<&Project>) -> bool {
    saved
        .is_none_or(|saved| kept.saved_millis > saved.saved_millis && kept.drawn() != saved.drawn())
}

fn recovery(path: PathBuf, kept: &Project) -> ProjectRecovery {
    ProjectRecovery {
        file_exists: path.is_file(),
        title: kept.title.clone(),
        changed_millis: kept.saved_millis,
        path,
    }
}
