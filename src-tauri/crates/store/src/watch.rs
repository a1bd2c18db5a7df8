//! The tables `watch_folders` and `watch_files`: folders whose files are worked on as they come,
//! and what became of each file, so that none is worked on twice.

use crate::{Store, StoreError};
use frameloom_core::job::JobId;
use rusqlite::{OptionalExtension, params};

/// A folder whose files are worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchRow {
    /// Absolute path.
    pub folder: String,
    /// Is it looked at?
    pub enabled: bool,
    /// What is done with its files, in JSON.
    pub rule: String,
}

/// A file that came into such a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedFile {
    /// Absolute path.
    pub path: String,
    /// In bytes.
    pub size: i64,
    /// When its content was changed, in microseconds since 1970.
    pub modified_micros: i64,
    /// How far it is.
    pub state: WatchState,
    /// The job that works on it, or did.
    pub job: Option<JobId>,
    /// When it was taken, in milliseconds since 1970.
    pub at_millis: i64,
}

/// How far a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchState {
    /// It is about to get a job.
    Claimed,
    /// It has one.
    Working,
    /// Its result is there.
    Done,
    /// It could not be worked on.
    Failed,
}

impl WatchState {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Claimed, "claimed"),
        (Self::Working, "working"),
        (Self::Done, "done"),
        (Self::Failed, "failed"),
    ];

    fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(state, _)| *state == self)
            .map_or("failed", |(_, word)| word)
    }

    /// A word that nobody wrote counts as failed: the file is not taken again.
    fn of(word: &str) -> Self {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == word)
            .map_or(Self::Failed, |(state, _)| *state)
    }
}

impl Store {
    /// The folders, in the order of their paths.
    ///
    /// # Errors
    /// The database refuses.
    pub fn watch_rows(&self) -> Result<Vec<WatchRow>, StoreError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT folder, enabled, rule FROM watch_folders ORDER BY folder")?;
        let rows = statement.query_map([], |row| {
            Ok(WatchRow {
                folder: row.get(0)?,
                enabled: row.get(1)?,
                rule: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Keeps a folder; what was said of it before is replaced.
    ///
    /// # Errors
    /// The database refuses.
    pub fn put_watch(&self, row: &WatchRow) -> Result<(), StoreError> {
        self.lock().execute(
            "INSERT INTO watch_folders (folder, enabled, rule) VALUES (?1, ?2, ?3) \
             ON CONFLICT (folder) DO UPDATE SET enabled = ?2, rule = ?3",
            params![row.folder, row.enabled, row.rule],
        )?;
        Ok(())
    }

    /// Forgets a folder. What became of its files stays known.
    ///
    /// # Errors
    /// The database refuses.
    pub fn remove_watch(&self, folder: &str) -> Result<(), StoreError> {
        self.lock()
            .execute("DELETE FROM watch_folders WHERE folder = ?1", [folder])?;
        Ok(())
    }

    /// The files of a folder that are known, the oldest first.
    ///
    /// # Errors
    /// The database refuses.
    pub fn watched_files(&self, folder: &str) -> Result<Vec<WatchedFile>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT path, size, modified_micros, state, job_id, at_millis FROM watch_files \
             WHERE folder = ?1 ORDER BY at_millis, path",
        )?;
        let rows = statement.query_map([folder], |row| {
            Ok(WatchedFile {
                path: row.get(0)?,
                size: row.get(1)?,
                modified_micros: row.get(2)?,
                state: WatchState::of(&row.get::<_, String>(3)?),
                job: row.get::<_, Option<String>>(4)?.map(JobId),
                at_millis: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes a file of a folder, or what became of it.
    ///
    /// # Errors
    /// The database refuses.
    pub fn put_watched(&self, folder: &str, file: &WatchedFile) -> Result<(), StoreError> {
        self.lock().execute(
            "INSERT INTO watch_files (folder, path, size, modified_micros, state, job_id, at_millis) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
             ON CONFLICT (folder, path, size, modified_micros) \
             DO UPDATE SET state = ?5, job_id = ?6, at_millis = ?7",
            params![
                folder,
                file.path,
                file.size,
                file.modified_micros,
                file.state.word(),
                file.job.as_ref().map(|id| id.0.as_str()),
                file.at_millis
            ],
        )?;
        Ok(())
    }

    /// Forgets a file of a folder.
    ///
    /// # Errors
    /// The database refuses.
    pub fn remove_watched(&self, folder: &str, file: &WatchedFile) -> Result<(), StoreError> {
        self.lock().execute(
            "DELETE FROM watch_files WHERE folder = ?1 AND path = ?2 AND size = ?3 \
             AND modified_micros = ?4",
            params![folder, file.path, file.size, file.modified_micros],
        )?;
        Ok(())
    }

    /// The newest job that has this file as its input and was submitted at or after `since_millis`.
    ///
    /// # Errors
    /// The database refuses.
    pub fn job_of_input(
        &self,
        input: &str,
        since_millis: i64,
    ) -> Result<Option<JobId>, StoreError> {
        let connection = self.lock();
        let id: Option<String> = connection
            .query_row(
                "SELECT id FROM jobs WHERE created_millis >= ?2 \
                 AND json_extract(spec, '$.input') = ?1 ORDER BY created_millis DESC LIMIT 1",
                params![input, since_millis],
                |row| row.get(0),
            )
            .optional()?;
        Ok(id.map(JobId))
    }
}
