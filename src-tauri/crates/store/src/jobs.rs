//! The table `jobs`: what was asked for, in which state it is, how far it got.

use crate::promised::Writes;
use crate::{Store, StoreError};
use frameloom_core::error::AppError;
use frameloom_core::job::{
    Job, JobId, JobProgress, JobSpec, JobState, PictureSizes, ProviderChoice,
};
use frameloom_core::media::Warning;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Who starts a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// The queue of the window, one after another.
    Queue,
    /// The command that submitted it; the queue leaves it alone.
    Direct,
}

impl Lane {
    fn as_str(self) -> &'static str {
        match self {
            Lane::Queue => "queue",
            Lane::Direct => "direct",
        }
    }

    pub(crate) fn parse(name: &str) -> Self {
        match name == Lane::Direct.as_str() {
            true => Lane::Direct,
            false => Lane::Queue,
        }
    }
}

/// What came of a job that succeeded.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// As it was asked for, with the name that the result really has.
    pub spec: &'a JobSpec,
    /// JSON; `None` if it could not be made.
    pub receipt: Option<&'a str>,
}

/// A job with what only the runner needs.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRow {
    /// The job as everybody sees it.
    pub job: Job,
    /// Who starts it.
    pub lane: Lane,
    /// The plan as JSON, once made.
    pub plan: Option<String>,
}

pub(crate) const COLUMNS: &str = "id, lane, state, spec, plan, progress, error, warnings, provider, sizes, \
                       created_millis, finished_millis";
/// The same for whoever needs no plan, which is longer than all the rest.
pub(crate) const COLUMNS_BUT_PLAN: &str = "id, lane, state, spec, NULL, progress, error, warnings, provider, sizes, \
                       created_millis, finished_millis";

impl Store {
    /// Adds a job with its plan (JSON). One of the queue is on the disk then; one of a command that
    /// a power cut ends as well, with the first that is done of it.
    ///
    /// # Errors
    /// The database refuses.
    pub fn insert_job(&self, job: &Job, lane: Lane, plan: &str) -> Result<(), StoreError> {
        let insert = |connection: &Connection| {
            let before = Writes::so_far(connection)?;
            insert(connection, job, lane, plan)?;
            self.promised.add(job, before, connection);
            Ok(())
        };
        match lane {
            Lane::Queue => insert(&self.lock()),
            Lane::Direct => self.without_sync(insert),
        }
    }

    /// All jobs that can be read, oldest first, and the names of those that cannot: a row of
    /// another version or a damaged one must not take the others along.
    ///
    /// # Errors
    /// The database refuses.
    pub fn jobs(&self) -> Result<(Vec<JobRow>, Vec<JobId>), StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM jobs ORDER BY created_millis, id"
        ))?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, read_row(row))))?;
        let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
        for row in rows {
            match row? {
                (_, Ok(row)) => readable.push(row),
                (id, Err(error)) => {
                    tracing::warn!(%error, id, "a job cannot be read");
                    unreadable.push(JobId(id));
                }
            }
        }
        Ok((readable, unreadable))
    }

    /// One job.
    ///
    /// # Errors
    /// [`StoreError::NoJob`] if there is none of this name.
    pub fn job(&self, id: &JobId) -> Result<JobRow, StoreError> {
        self.lock()
            .prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1"))?
            .query_row([&id.0], |row| Ok(read_row(row)))
            .optional()?
            .ok_or_else(|| StoreError::NoJob(id.0.clone()))?
    }

    /// The specs of all jobs that are not over, as far as they can be read.
    ///
    /// # Errors
    /// The database refuses.
    pub fn unfinished(&self) -> Result<Vec<JobSpec>, StoreError> {
        unfinished(&self.lock())
    }

    /// Moves a job to `to` if it is in one of the states `from`; true if it was. The error is
    /// replaced, and a terminal state gets its time; one that is not over any more is on the
    /// window's list again.
    ///
    /// # Errors
    /// The database refuses.
    pub fn change_state(
        &self,
        id: &JobId,
        from: &[JobState],
        to: JobState,
        error: Option<&AppError>,
        now_millis: i64,
    ) -> Result<bool, StoreError> {
        let change = |connection: &Connection| {
            let transaction =
                Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
            let changed = change_state(&transaction, id, from, to, error, now_millis)?;
            transaction.commit()?;
            Ok(changed)
        };
        match to {
            // Whether somebody works on it is told by a lock, which a power cut takes as well.
            JobState::Running => self.without_sync(change),
            _ => change(&self.lock()),
        }
    }

    /// A job is done: what came of it and its new state, in one step.
    ///
    /// # Errors
    /// The database refuses.
    pub fn succeed(
        &self,
        id: &JobId,
        from: &[JobState],
        outcome: &Outcome<'_>,
        now_millis: i64,
    ) -> Result<bool, StoreError> {
        let connection = self.lock();
        let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
        let to = JobState::Succeeded;
        let changed = change_state(&transaction, id, from, to, None, now_millis)?;
        if changed {
            transaction
                .prepare_cached("UPDATE jobs SET spec = ?2, receipt = ?3 WHERE id = ?1")?
                .execute(params![
                    id.0,
                    to_json("spec", outcome.spec)?,
                    outcome.receipt
                ])?;
        }
        transaction.commit()?;
        Ok(changed)
    }

    /// Puts a job into another lane.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_lane(&self, id: &JobId, lane: Lane) -> Result<(), StoreError> {
        self.update(id, "lane", Some(lane.as_str().to_owned()))
    }

    /// Replaces the spec, as when the output had to take another name.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_spec(&self, id: &JobId, spec: &JobSpec) -> Result<(), StoreError> {
        self.update(id, "spec", Some(to_json("spec", spec)?))
    }

    /// Stores how far the job is.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_progress(&self, id: &JobId, progress: &JobProgress) -> Result<(), StoreError> {
        self.update(id, "progress", Some(to_json("progress", progress)?))
    }

    /// Replaces the warnings.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_warnings(&self, id: &JobId, warnings: &[Warning]) -> Result<(), StoreError> {
        self.update(id, "warnings", Some(to_json("warnings", &warnings)?))
    }

    /// Stores the plan (JSON) as a worker settled it.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_plan(&self, id: &JobId, plan: &str) -> Result<(), StoreError> {
        self.update(id, "plan", Some(plan.to_owned()))
    }

    /// Stores what computes.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_provider(&self, id: &JobId, choice: &ProviderChoice) -> Result<(), StoreError> {
        self.update(id, "provider", Some(to_json("provider", choice)?))
    }

    /// Stores the sizes of source and result.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_sizes(&self, id: &JobId, sizes: &PictureSizes) -> Result<(), StoreError> {
        self.update(id, "sizes", Some(to_json("sizes", sizes)?))
    }

    /// The receipt of a job (JSON), if it has one.
    ///
    /// # Errors
    /// [`StoreError::NoJob`] if there is none of this name.
    pub fn receipt(&self, id: &JobId) -> Result<Option<String>, StoreError> {
        self.lock()
            .query_row("SELECT receipt FROM jobs WHERE id = ?1", [&id.0], |row| {
                row.get(0)
            })
            .optional()?
            .ok_or_else(|| StoreError::NoJob(id.0.clone()))
    }

    /// Forgets a job and its segments.
    ///
    /// # Errors
    /// [`StoreError::NoJob`] if there is none of this name.
    pub fn delete_job(&self, id: &JobId) -> Result<(), StoreError> {
        match self
            .lock()
            .execute("DELETE FROM jobs WHERE id = ?1", [&id.0])?
        {
            0 => Err(StoreError::NoJob(id.0.clone())),
            _ => Ok(()),
        }
    }

    fn update(
        &self,
        id: &JobId,
        column: &'static str,
        value: Option<String>,
    ) -> Result<(), StoreError> {
        let changed = self.without_sync(|connection| {
            let update = format!("UPDATE jobs SET {column} = ?2 WHERE id = ?1");
            Ok(connection
                .prepare_cached(&update)?
                .execute(params![id.0, value])?)
        })?;
        if changed == 0 {
            return Err(StoreError::NoJob(id.0.clone()));
        }
        Ok(())
    }
}

pub(crate) fn unfinished(connection: &Connection) -> Result<Vec<JobSpec>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT spec FROM jobs WHERE state IN ('queued', 'running', 'paused', 'interrupted')",
    )?;
    let mut rows = statement.query([])?;
    let mut specs = Vec::new();
    while let Some(row) = rows.next()? {
        specs.extend(from_json("spec", &row.get::<_, String>(0)?).ok());
    }
    Ok(specs)
}

fn change_state(
    connection: &Connection,
    id: &JobId,
    from: &[JobState],
    to: JobState,
    error: Option<&AppError>,
    now_millis: i64,
) -> Result<bool, StoreError> {
    let found: Option<String> = connection
        .prepare_cached("SELECT state FROM jobs WHERE id = ?1")?
        .query_row([&id.0], |row| row.get(0))
        .optional()?;
    let found = found.ok_or_else(|| StoreError::NoJob(id.0.clone()))?;
    if !from.iter().any(|state| state.as_str() == found) {
        return Ok(false);
    }
    connection
        .prepare_cached(
            "UPDATE jobs SET state = ?2, error = ?3, finished_millis = ?4, \
             put_away = CASE WHEN ?4 IS NULL THEN 0 ELSE put_away END WHERE id = ?1",
        )?
        .execute(params![
            id.0,
            to.as_str(),
            optional_json("error", error)?,
            to.is_terminal().then_some(now_millis)
        ])?;
    Ok(true)
}

fn insert(connection: &Connection, job: &Job, lane: Lane, plan: &str) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO jobs (id, lane, state, spec, progress, error, warnings, provider, sizes, \
         created_millis, finished_millis, plan, place) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?10)",
        params![
            job.id.0,
            lane.as_str(),
            job.state.as_str(),
            to_json("job", &job.spec)?,
            to_json("job", &job.progress)?,
            optional_json("job", job.error.as_ref())?,
            to_json("job", &job.warnings)?,
            optional_json("job", job.provider.as_ref())?,
            optional_json("job", job.sizes.as_ref())?,
            job.created_millis,
            job.finished_millis,
            plan,
        ],
    )?;
    Ok(())
}

pub(crate) fn read_row(row: &Row<'_>) -> Result<JobRow, StoreError> {
    let text = |index: usize| row.get::<_, Option<String>>(index);
    let state: String = row.get(2)?;
    let lane: String = row.get(1)?;
    Ok(JobRow {
        job: Job {
            id: JobId(row.get(0)?),
            spec: from_json("spec", &row.get::<_, String>(3)?)?,
            state: JobState::parse(&state).ok_or_else(|| StoreError::Damaged {
                reason: format!("a job has the unknown state `{state}`"),
            })?,
            progress: from_json("progress", &row.get::<_, String>(5)?)?,
            error: text(6)?.map(|t| from_json("error", &t)).transpose()?,
            warnings: from_json("warnings", &row.get::<_, String>(7)?)?,
            provider: text(8)?.map(|t| from_json("provider", &t)).transpose()?,
            sizes: text(9)?.map(|t| from_json("sizes", &t)).transpose()?,
            created_millis: row.get(10)?,
            finished_millis: row.get(11)?,
        },
        lane: Lane::parse(&lane),
        plan: text(4)?,
    })
}

pub(crate) fn to_json<T: Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Row { what, source })
}

fn optional_json<T: Serialize>(
    what: &'static str,
    value: Option<&T>,
) -> Result<Option<String>, StoreError> {
    value.map(|value| to_json(what, value)).transpose()
}

pub(crate) fn from_json<T: DeserializeOwned>(
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Row { what, source })
}
