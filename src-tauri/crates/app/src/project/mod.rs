//! Projects: a graph, the files it is run on, how the result is made, and what made it, in one file.
//!
//! What the file looks like stands with [`frameloom_store::project`]. Here is what is done with it:
//!
//! | file | what |
//! |---|---|
//! | [`contents`] | between the file and what the window and the command line work with |
//! | [`sources`] | where each file is now, whether it is the same, and how it is found again |
//! | `save` | new, save, save as; earlier states are kept in the data folder |
//! | `recovery` | what was not saved when the program ended; projects of late |
//! | `collect` | a copy of the project with every file that it needs in one folder |
//! | [`lock`] | what made the result, with hashes of frames of it |
//! | `check` | the frames of the lock are rendered again and compared |
//! | `finding` | what differs, as codes and in words |
//! | `frames` | how they are rendered, in a process of their own |
//!
//! A project never says where something is written but by a name below its own folder, and never that
//! something may be replaced.

mod check;
mod collect;
mod contents;
mod files;
mod finding;
pub(crate) mod frames;
pub mod lock;
mod recovery;
mod request;
mod save;
pub mod sources;

pub use check::ProjectVerification;
pub use collect::{CollectForecast, Collected};
pub use contents::ProjectSettings;
pub use finding::{ProjectFinding, Remark, Subject};
pub use lock::Lock;
pub use recovery::{ProjectRecovery, RecentProject};
pub use save::{ProjectSave, ProjectSaved};
pub use sources::{ProjectSource, SourceState};

use crate::{App, explain};
use contents::Project;
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::receipt::ModelPrint;
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_store::project::{self as file, FORMAT_VERSION, ProjectFileError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use ts_rs::TS;

/// Extension of project files.
pub const EXTENSION: &str = "frameloom";

/// A project that was opened.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct OpenedProject {
    /// The file.
    #[ts(type = "string")]
    pub path: PathBuf,
    /// A random name that it keeps for life.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What the canvas draws, with its files where they are now; its `run` says how it is made.
    #[ts(type = "unknown")]
    pub document: Value,
    /// How the result is made.
    pub settings: ProjectSettings,
    /// Every file that takes part.
    pub sources: Vec<ProjectSource>,
    /// Models of the program that take part.
    pub models: Vec<ProjectModel>,
    /// When it was locked, in milliseconds since 1970.
    #[ts(type = "number | null")]
    pub locked_millis: Option<i64>,
    /// When it was saved, in milliseconds since 1970.
    #[ts(type = "number")]
    pub saved_millis: i64,
    /// Version of the program that saved it.
    pub program: String,
    /// Changes that were not saved when the program ended, newer than the file.
    pub recovery: Option<ProjectRecovery>,
}

/// A model of the program that takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct ProjectModel {
    /// Its id.
    pub id: String,
    /// How it stands.
    pub state: SourceState,
}

/// How far something that takes its time is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProjectProgress {
    /// What is being done.
    pub step: ProjectStep,
    /// The file at hand; empty while frames are rendered.
    pub name: String,
    /// Bytes or frames that are done.
    #[ts(type = "number")]
    pub done: u64,
    /// All of them.
    #[ts(type = "number")]
    pub total: u64,
}

/// Something that takes its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ProjectStep {
    /// Files are read for their hashes; bytes are counted.
    Reading,
    /// Files are copied; bytes are counted.
    Copying,
    /// Frames are rendered; places in the clip are counted.
    Rendering,
}

/// Where progress goes, and whether to go on.
pub struct Watch<'a> {
    told: &'a dyn Fn(&ProjectProgress),
    stop: &'a AtomicBool,
}

impl<'a> Watch<'a> {
    /// Tells `told` what is done until `stop` is set.
    pub fn new(told: &'a dyn Fn(&ProjectProgress), stop: &'a AtomicBool) -> Self {
        Self { told, stop }
    }

    fn tell(&self, step: ProjectStep, name: &str, done: u64, total: u64) {
        (self.told)(&ProjectProgress {
            step,
            name: name.to_owned(),
            done,
            total,
        });
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// For who waits in silence until it is done.
    pub fn quiet() -> Watch<'static> {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Watch::new(&|_| {}, &NEVER)
    }

    /// An error once it was stopped.
    fn check(&self) -> Result<(), AppError> {
        match self.is_stopped() {
            false => Ok(()),
            true => Err(AppError::new(
                ErrorCode::Cancelled,
                said!("project.stopped", "Stopped, as you asked."),
            )),
        }
    }
}

pub(crate) fn invalid(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
}

/// Why a project file cannot be used, with its name.
fn refused(path: &Path, error: &ProjectFileError) -> AppError {
    let name = path
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    match error {
        ProjectFileError::Io(error) => explain::unreadable(path, error),
        ProjectFileError::NotAProject => AppError::new(
            ErrorCode::InputUnsupported,
            said!("project.none", "`{name}` is no project of Frameloom.", name = name),
        )
        .hint("Choose a file that ends in .frameloom and was saved by this program."),
        ProjectFileError::Newer { found } => AppError::new(
            ErrorCode::ProgramChanged,
            said!("project.newer", "`{name}` was saved by a newer Frameloom (format {found}; this one reads up to {known}).", name = name, found = i64::from(*found), known = i64::from(FORMAT_VERSION)),
        )
        .hint("Install the newest Frameloom, then open it again; the file is untouched."),
        ProjectFileError::TooLarge { .. } | ProjectFileError::Damaged { .. } => AppError::new(
            ErrorCode::InputUnreadable,
            said!("project.damaged", "`{name}` is damaged and cannot be opened.", name = name),
        )
        .hint("Open an earlier state: the last ones that were saved are in the folder `projects/backups` of the program's data, or copy the file again from where it came.")
        .details(error.to_string()),
        ProjectFileError::Write(_) => AppError::new(
            ErrorCode::OutputUnwritable,
            said!("project.unwritable", "`{name}` cannot be written.", name = name),
        )
        .hint("Choose a folder that you may write to and that has room.")
        .details(error.to_string()),
    }
}

/// Reads a project file.
fn read(path: &Path) -> Result<Project, AppError> {
    let stored = file::read(path).map_err(|error| refused(path, &error))?;
    Project::of_file(stored).map_err(|reason| refused(path, &ProjectFileError::Damaged { reason }))
}

/// True if the name is that of a project.
pub fn is_project(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case(EXTENSION))
}

impl App {
    /// Opens a project: looks for its files and says how each stands. Those that were copied are read
    /// once, which takes its time. Nothing is changed but the list of projects of late.
    ///
    /// # Errors
    /// The file is no project, damaged or of a newer program, and the sentence says which; `watch` was
    /// stopped.
    pub fn open_project(&self, path: &Path, watch: &Watch<'_>) -> Result<OpenedProject, AppError> {
        let path = std::path::absolute(path).map_err(|error| explain::unreadable(path, &error))?;
        let project = read(&path)?;
        let recovery = self.recovery_of(&path, &project)?;
        let opened = self.opened(path, project, recovery, watch)?;
        self.note_project(&opened.path, &opened.id, &opened.title)?;
        Ok(opened)
    }

    /// A project with its files looked for.
    fn opened(
        &self,
        path: PathBuf,
        project: Project,
        recovery: Option<ProjectRecovery>,
        watch: &Watch<'_>,
    ) -> Result<OpenedProject, AppError> {
        let sources = self.project_sources(&path, &project, watch)?;
        Ok(OpenedProject {
            document: contents::filled(&project, &path, &sources),
            models: self.project_models(&project.models),
            id: project.id,
            title: project.title,
            settings: project.settings,
            sources,
            locked_millis: project.lock.map(|lock| lock.locked_millis),
            saved_millis: project.saved_millis,
            program: project.program.version,
            recovery,
            path,
        })
    }

    /// How the models of a project stand here.
    fn project_models(&self, models: &[ModelPrint]) -> Vec<ProjectModel> {
        let models = models.iter().map(|model| ProjectModel {
            id: model.id.clone(),
            state: match self.models.ready(&model.id) {
                Ok(found) if found.sha256 == model.sha256 => SourceState::Same,
                Ok(_) => SourceState::Changed,
                Err(_) => SourceState::Missing,
            },
        });
        models.collect()
    }
}
