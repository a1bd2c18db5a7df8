//! New, save and save as. A file is replaced as a whole; what it was before is kept.

use super::contents::{self, MAX_TITLE, Project, Split};
use super::files::write_whole;
use super::{EXTENSION, Watch, invalid, is_project, read};
use crate::places::ONNXRUNTIME_VERSION;
use crate::{App, explain, jobs, now_millis};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::receipt::{ModelPrint, ProgramPrint};
use frameloom_core::said;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// Earlier states of a project that are kept.
const BACKUPS: usize = 10;
/// Largest document, in bytes of JSON.
const MAX_DOCUMENT_BYTES: usize = 8 << 20;

/// What the window draws, to be saved as a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ProjectSave {
    /// The file; its extension is added if it is missing.
    #[ts(type = "string")]
    pub path: PathBuf,
    /// The project that this one is saved from, where that is another file: it keeps what the window
    /// does not know, such as the lock.
    #[ts(type = "string | null")]
    pub from: Option<PathBuf>,
    /// Id of a project that is saved for the first time; a new one is given where `None`.
    pub id: Option<String>,
    /// Its name for people.
    pub title: String,
    /// What is drawn, a JSON object with a `graph` and a `run`, paths absolute.
    #[ts(type = "unknown")]
    pub document: Value,
    /// What is run of it: without the nodes that rest.
    #[ts(type = "unknown")]
    pub graph: Value,
}

/// A project that was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ProjectSaved {
    /// The file.
    #[ts(type = "string")]
    pub path: PathBuf,
    /// Its id.
    pub id: String,
    /// When, in milliseconds since 1970.
    #[ts(type = "number")]
    pub saved_millis: i64,
}

impl App {
    /// Saves a project. Files that were never read are read for their hashes.
    ///
    /// # Errors
    /// The document is none, its file cannot be written, or it was stopped; then the file is as it was.
    pub fn save_project(
        &self,
        save: &ProjectSave,
        watch: &Watch<'_>,
    ) -> Result<ProjectSaved, AppError> {
        let path = with_extension(&save.path)?;
        refuse_other(save, &path)?;
        let project = self.project_of(save, &path, Some(watch))?;
        watch.check()?;
        self.write_project(&path, &project)?;
        self.drop_recovery(&path);
        self.note_project(&path, &project.id, &project.title)?;
        Ok(ProjectSaved {
            path,
            id: project.id,
            saved_millis: project.saved_millis,
        })
    }

    /// The project that a save makes. Without `watch`, no file is read for its hash.
    pub(super) fn project_of(
        &self,
        save: &ProjectSave,
        path: &Path,
        watch: Option<&Watch<'_>>,
    ) -> Result<Project, AppError> {
        let title = save.title.trim();
        if title.is_empty() || title.len() > MAX_TITLE {
            return Err(invalid(said!(
                "project.name",
                "The name of a project has 1 to {most} bytes.",
                most = MAX_TITLE
            )));
        }
        if !save.document["graph"].is_object() {
            return Err(invalid("A project needs a document with a `graph`."));
        }
        let size = serde_json::to_vec(&save.document).map_err(explain::internal)?;
        if size.len() > MAX_DOCUMENT_BYTES {
            return Err(invalid(said!(
                "project.too_large",
                "The document has {bytes} bytes; {most} are the limit.",
                bytes = size.len(),
                most = MAX_DOCUMENT_BYTES
            ))
            .hint("Shorten texts and comments, or make two projects of it."));
        }
        let folder = path
            .parent()
            .ok_or_else(|| invalid("A project needs a name."))?;
        let from = save.from.as_deref().unwrap_or(path);
        // Something else in its place is told, and not replaced.
        let before = match from.symlink_metadata() {
            Ok(_) => Some(read(from)?),
            Err(_) => None,
        };
        // Another project that the user chose to replace: nothing of it lives on in this one.
        let is_own = |before: &Project| save.id.as_ref().is_none_or(|id| *id == before.id);
        let before = before.filter(|before| save.from.is_some() || is_own(before));
        let graph = Some(save.graph.clone()).filter(Value::is_object);
        let Split {
            document,
            graph,
            settings,
            paths,
            models,
        } = contents::split(save.document.clone(), graph, folder);
        let known = before.as_ref().map_or(&[][..], |before| &before.media[..]);
        let mut media = Vec::new();
        for (role, file) in &paths {
            let before = known.iter().find(|media| media.role == *role);
            media.push(self.describe_source(
                (role, file),
                folder,
                settings.pictures,
                before,
                watch,
            )?);
        }
        let is_other = from != path;
        Ok(Project {
            // Another file is another project.
            id: before
                .as_ref()
                .filter(|_| !is_other)
                .map(|before| before.id.clone())
                .or_else(|| save.id.clone().filter(|_| before.is_none()))
                .filter(|id| contents::is_id(id))
                .unwrap_or_else(jobs::fresh_name),
            title: title.to_owned(),
            saved_millis: now_millis(),
            program: self.program_as_made(!models.is_empty()),
            models: self.model_prints(models),
            lock: before.and_then(|before| before.lock),
            origin: None,
            document,
            graph,
            settings,
            media,
        })
    }

    /// The program and its libraries. The library of models is named as this program is made for it:
    /// it is not loaded to be asked.
    fn program_as_made(&self, with_model: bool) -> ProgramPrint {
        ProgramPrint {
            onnxruntime: with_model.then(|| ONNXRUNTIME_VERSION.to_owned()),
            ..self.program(false)
        }
    }

    /// Ids and hashes of models; one that is not there has none.
    pub(super) fn model_prints(&self, ids: impl IntoIterator<Item = String>) -> Vec<ModelPrint> {
        use frameloom_engine::Models;
        let prints = ids.into_iter().map(|id| ModelPrint {
            sha256: self
                .models
                .manifest(&id)
                .map(|manifest| manifest.sha256)
                .unwrap_or_default(),
            id,
            licence: None,
        });
        prints.collect()
    }

    /// Writes a project in the place of the one that is there, which is kept in the data folder.
    pub(super) fn write_project(&self, path: &Path, project: &Project) -> Result<(), AppError> {
        if let Err(error) = self.keep_backup(path) {
            // The save itself loses nothing.
            tracing::warn!(%error, "the earlier state of a project could not be kept");
        }
        write_whole(path, &project.to_file())
    }

    /// The folder with the earlier states of a project.
    pub(super) fn backups_of(&self, path: &Path) -> PathBuf {
        self.places
            .projects()
            .join("backups")
            .join(super::recovery::key(path))
    }

    fn keep_backup(&self, path: &Path) -> std::io::Result<()> {
        if !path.is_file() {
            return Ok(());
        }
        let folder = self.backups_of(path);
        std::fs::create_dir_all(&folder)?;
        let mut numbers: Vec<u64> = std::fs::read_dir(&folder)?
            .flatten()
            .filter_map(|entry| number_of(&entry.path()))
            .collect();
        numbers.sort_unstable();
        let next = numbers.last().map_or(1, |last| last + 1);
        // Given its name when it is whole.
        let copying = folder.join("copying");
        std::fs::copy(path, &copying)?;
        std::fs::rename(&copying, folder.join(backup_name(next)))?;
        let old = numbers.len().saturating_sub(BACKUPS - 1);
        for number in numbers.into_iter().take(old) {
            std::fs::remove_file(folder.join(backup_name(number)))?;
        }
        Ok(())
    }

    /// Earlier states of a project, the newest first.
    pub fn project_backups(&self, path: &Path) -> Vec<PathBuf> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let entries = std::fs::read_dir(self.backups_of(&path));
        let mut found: Vec<(u64, PathBuf)> = entries
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some((number_of(&entry.path())?, entry.path())))
            .collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.into_iter().map(|(_, path)| path).collect()
    }
}

fn backup_name(number: u64) -> String {
    format!("{number:06}.{EXTENSION}")
}

fn number_of(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

/// Refuses to replace a file that the user did not name: the ending was added behind their back.
fn refuse_other(save: &ProjectSave, path: &Path) -> Result<(), AppError> {
    if is_project(&save.path) || path.symlink_metadata().is_err() {
        return Ok(());
    }
    let name = super::files::name_of(path);
    Err(AppError::new(
        ErrorCode::OutputUnwritable,
        said!(
            "project.there",
            "There is a project `{name}` already.",
            name = name
        ),
    )
    .hint("Choose another name; to replace that project, name it with its ending."))
}

/// An absolute path that ends as projects do.
pub(super) fn with_extension(path: &Path) -> Result<PathBuf, AppError> {
    let mut path = std::path::absolute(path).map_err(|error| explain::unwritable(path, &error))?;
    if path.to_str().is_none() {
        return Err(AppError::new(
            ErrorCode::OutputUnwritable,
            said!(
                "project.no_text",
                "The name of the project is not valid Unicode."
            ),
        )
        .hint("Choose another name or folder."));
    }
    if !is_project(&path) {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(invalid("A project needs a name."));
        }
        name.push(".");
        name.push(EXTENSION);
        path.set_file_name(name);
    }
    Ok(path)
}
