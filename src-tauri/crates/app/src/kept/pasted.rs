//! Pictures from the clipboard that nothing names any more.
//!
//! They have no other file, so whatever might still want one keeps it: a job of the list or of the
//! history, a graph or an earlier state of it, a project that is known here or an earlier state of it,
//! an entry of the library. What cannot be read might name any of them.

use crate::{App, explain};
use frameloom_core::error::AppError;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// So long a picture stays in any case: it may lie in the window, and not yet in any list.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// Regular files of a folder that were not changed for [`FRESH`], with their sizes.
fn old_files(folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Ok(facts) = entry.metadata() else {
            continue;
        };
        // A clock that was set back makes a file of the future, which is fresh.
        let age = facts.modified()?.elapsed().unwrap_or_default();
        if facts.is_file() && age > FRESH {
            files.push((entry.path(), facts.len()));
        }
    }
    Ok(files)
}

impl App {
    /// Pictures that would go if they were cleared, with their sizes in bytes.
    ///
    /// # Errors
    /// The folder or the database cannot be read.
    pub(super) fn unused_pasted(&self) -> Result<Vec<(PathBuf, u64)>, AppError> {
        let folder = self.places.pasted();
        let mut files = old_files(&folder).map_err(|e| explain::data_folder(&folder, &e))?;
        if files.is_empty() {
            return Ok(files);
        }
        let Some(texts) = self.what_names_files()? else {
            return Ok(Vec::new());
        };
        let mut unused = Vec::new();
        for (path, size_bytes) in files.drain(..) {
            // By its name alone: the data folder may be spelt in another way than it was.
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            let in_library = self.store.library_item_at(&path).map_err(explain::store)?;
            if in_library.is_none() && !texts.iter().any(|text| text.contains(name)) {
                unused.push((path, size_bytes));
            }
        }
        Ok(unused)
    }

    /// All texts in which a job, a graph or a project names its files; `None` where one of them
    /// cannot be read.
    fn what_names_files(&self) -> Result<Option<Vec<String>>, AppError> {
        let (rows, unreadable) = self.store.jobs().map_err(explain::store)?;
        if !unreadable.is_empty() {
            return Ok(None);
        }
        let mut texts = Vec::new();
        for row in rows {
            texts.push(serde_json::to_string(&row.job.spec).map_err(explain::internal)?);
        }
        for graph in self.store.graphs().map_err(explain::store)? {
            let earlier = self
                .store
                .graph_versions(&graph.id)
                .map_err(explain::store)?;
            texts.push(graph.document);
            texts.extend(earlier.into_iter().map(|(_, document)| document));
        }
        let Some(projects) = self.project_files_named()? else {
            return Ok(None);
        };
        texts.extend(projects);
        Ok(Some(texts))
    }
}
