//! Jobs that are over, newest first; and which of them are on the window's list no more.

use crate::jobs::{COLUMNS, read_row};
use crate::{JobRow, Store, StoreError};
use frameloom_core::job::{JobId, JobState};
use rusqlite::params;

/// What a job that is over is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryKey {
    /// Name.
    pub id: JobId,
    /// How it ended.
    pub state: JobState,
    /// Paths of source and result, and the models that it used, one behind the other.
    pub text: String,
}

/// How many jobs ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// With a result.
    pub succeeded: u64,
    /// With an error.
    pub failed: u64,
    /// By the user's will.
    pub cancelled: u64,
}

/// Newest first; a job of an older version may lack the time of its end.
const NEWEST_FIRST: &str = "ORDER BY COALESCE(finished_millis, created_millis) DESC, id DESC";
const OVER: &str = "('succeeded', 'failed', 'cancelled')";

impl Store {
    /// Jobs that are over, of one outcome or of all, newest first: `limit` of them after `skip`.
    /// Rows that cannot be read are left out.
    ///
    /// # Errors
    /// The database refuses.
    pub fn history(
        &self,
        outcome: Option<JobState>,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<JobRow>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM jobs WHERE state IN {OVER} AND (?1 IS NULL OR state = ?1) \
             {NEWEST_FIRST} LIMIT ?2 OFFSET ?3"
        ))?;
        let outcome = outcome.map(JobState::as_str);
        let mut rows = statement.query(params![outcome, limit as i64, skip as i64])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.extend(read_row(row).ok());
        }
        Ok(found)
    }

    /// What every job that is over is found by, newest first.
    ///
    /// # Errors
    /// The database refuses.
    pub fn history_keys(&self) -> Result<Vec<HistoryKey>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT id, state, json_extract(spec, '$.input') || char(10) || \
             json_extract(spec, '$.output') || char(10) || COALESCE((SELECT group_concat(value, char(10)) \
             FROM json_tree(spec, '$.graph.nodes') WHERE key = 'model' AND type = 'text'), '') \
             FROM jobs WHERE state IN {OVER} AND json_valid(spec) {NEWEST_FIRST}"
        ))?;
        let mut rows = statement.query([])?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next()? {
            let state: String = row.get(1)?;
            keys.extend(
                JobState::parse(&state)
                    .map(|state| -> rusqlite::Result<_> {
                        Ok(HistoryKey {
                            id: JobId(row.get(0)?),
                            state,
                            text: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
                        })
                    })
                    .transpose()?,
            );
        }
        Ok(keys)
    }

    /// The state of every job, `None` where it is one of another version. Nothing else is read, so
    /// that a process that starts need not read the whole history.
    ///
    /// # Errors
    /// The database refuses.
    pub fn states(&self) -> Result<Vec<(JobId, Option<JobState>)>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached("SELECT id, state FROM jobs")?;
        let rows = statement.query_map([], |row| {
            let state: String = row.get(1)?;
            Ok((JobId(row.get(0)?), JobState::parse(&state)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many jobs ended how.
    ///
    /// # Errors
    /// The database refuses.
    pub fn outcomes(&self) -> Result<Outcomes, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT state, COUNT(*) FROM jobs WHERE state IN {OVER} GROUP BY state"
        ))?;
        let mut rows = statement.query([])?;
        let mut outcomes = Outcomes::default();
        while let Some(row) = rows.next()? {
            let count = row.get::<_, i64>(1)?.unsigned_abs();
            match JobState::parse(&row.get::<_, String>(0)?) {
                Some(JobState::Succeeded) => outcomes.succeeded = count,
                Some(JobState::Failed) => outcomes.failed = count,
                Some(JobState::Cancelled) => outcomes.cancelled = count,
                _ => {}
            }
        }
        Ok(outcomes)
    }

    /// Takes a job that is over off the window's list; the history keeps it. True if it was over.
    ///
    /// # Errors
    /// The database refuses.
    pub fn put_away(&self, id: &JobId) -> Result<bool, StoreError> {
        let changed = self.lock().execute(
            &format!("UPDATE jobs SET put_away = 1 WHERE id = ?1 AND state IN {OVER}"),
            [&id.0],
        )?;
        Ok(changed > 0)
    }

    /// Puts a job back on the window's list.
    ///
    /// # Errors
    /// The database refuses.
    pub fn take_out(&self, id: &JobId) -> Result<(), StoreError> {
        self.lock()
            .execute("UPDATE jobs SET put_away = 0 WHERE id = ?1", [&id.0])?;
        Ok(())
    }

    /// The jobs that are on the window's list, oldest first, as far as they can be read. One that
    /// is not over is always on it.
    ///
    /// # Errors
    /// The database refuses.
    pub fn at_hand(&self) -> Result<Vec<JobRow>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM jobs WHERE put_away = 0 OR state NOT IN {OVER} \
             ORDER BY created_millis, id"
        ))?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.extend(read_row(row).ok());
        }
        Ok(found)
    }
}
