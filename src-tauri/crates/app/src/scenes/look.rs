//! Looking at all pictures in a process of its own, as decoders may crash; what was seen is remembered
//! as long as the program runs.

use super::SceneWatch;
use crate::child::{self, Telling};
use crate::onnx::limit_memory;
use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::said;
use frameloom_engine::FileStamp;
use frameloom_engine::scenes::{Scenes, find};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// A thousandth of any clip takes less; where a clip does not tell its length, all of it does.
const STALLED: Duration = Duration::from_secs(600);

/// What a child is asked.
#[derive(Debug, Serialize, Deserialize)]
struct Question {
    path: PathBuf,
}

/// The child: looks, tells how far it is, and prints what it saw.
pub(crate) fn look_here(question: &str) -> ExitCode {
    let look = || -> Result<Scenes, AppError> {
        let question: Question = serde_json::from_str(question).map_err(explain::internal)?;
        limit_memory();
        let mut telling = Telling::default();
        find(&question.path, 0, &Arc::default(), &mut |part| {
            telling.tell(part);
        })
        .map_err(|e| explain::engine(&e))
    };
    child::answer(&look())
}

/// Somebody does not want it any more.
pub(crate) fn left() -> AppError {
    AppError::new(
        ErrorCode::Cancelled,
        said!("scenes.left", "The search for scenes was stopped."),
    )
}

impl App {
    /// Looks at a clip, unless that was done before and the file is the same.
    pub(super) fn seen_apart(
        &self,
        path: &Path,
        watch: &mut dyn SceneWatch,
    ) -> Result<Arc<Scenes>, AppError> {
        let facts = path.metadata().map_err(|e| explain::unreadable(path, &e))?;
        let stamp = FileStamp::of(&facts);
        let key = format!("{} {stamp:?}", path.display());
        if let Some(seen) = self.seen_scenes.find(&key).filter(|_| stamp.is_some()) {
            return Ok(seen);
        }
        let question = Question {
            path: path.to_owned(),
        };
        let question = serde_json::to_string(&question).map_err(explain::internal)?;
        let arguments = [OsStr::new("--scenes"), OsStr::new(&question)];
        let failed = |how: String| {
            AppError::new(
                ErrorCode::Internal,
                said!(
                    "scenes.unseen",
                    "The process that looked at the clip ended without an answer."
                ),
            )
            .hint("Try again; if it stays so, the file is damaged.")
            .details(how)
        };
        let seen: Scenes = self.ask_child_watched(&arguments, STALLED, watch, &left, &failed)?;
        let seen = Arc::new(seen);
        self.seen_scenes.keep(key, &seen);
        Ok(seen)
    }
}
