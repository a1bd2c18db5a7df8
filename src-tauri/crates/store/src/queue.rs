//! The order of the queue: `place` in the table `jobs`, which grows with time unless the user moves
//! a job. It is on the disk with every change, so that a restart finds the order as it was left.

use crate::jobs::{COLUMNS, COLUMNS_BUT_PLAN, Lane, from_json, read_row, to_json};
use crate::{JobRow, Store, StoreError};
use frameloom_core::job::{Job, JobId, JobProgress, JobState};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::collections::BTreeSet;

/// Jobs of the queue that wait, with their places, the next one first.
const WAITING: &str = "SELECT id, place FROM jobs WHERE state = 'queued' AND lane = 'queue' \
                       ORDER BY place, created_millis, id";

/// A job that runs or waits, with what changes while it does and no more: this is asked for every
/// second, and thousands may wait.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveJob {
    /// Name.
    pub id: JobId,
    /// [`JobState::Running`] or [`JobState::Queued`].
    pub state: JobState,
    /// Who starts it.
    pub lane: Lane,
    /// How far it is.
    pub progress: JobProgress,
}

fn waiting(connection: &Connection) -> Result<Vec<(JobId, i64)>, StoreError> {
    let mut statement = connection.prepare_cached(WAITING)?;
    let rows = statement.query_map([], |row| Ok((JobId(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Store {
    /// The first job of the queue that waits, can be read and is none of `taken`.
    ///
    /// # Errors
    /// The database refuses.
    pub fn next_queued(&self, taken: &BTreeSet<JobId>) -> Result<Option<JobRow>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM jobs WHERE state = 'queued' AND lane = 'queue' \
             ORDER BY place, created_millis, id"
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if taken.contains(&JobId(row.get(0)?)) {
                continue;
            }
            // One that cannot be read must not hold up those behind it.
            if let Ok(job) = read_row(row) {
                return Ok(Some(job));
            }
        }
        Ok(None)
    }

    /// The jobs of the queue that wait and can be read, the next one first. Of one that cannot be
    /// read nobody knows what it is: it waits for ever.
    ///
    /// # Errors
    /// The database refuses.
    pub fn queue_order(&self) -> Result<Vec<JobId>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS_BUT_PLAN} FROM jobs WHERE state = 'queued' AND lane = 'queue' \
             ORDER BY place, created_millis, id"
        ))?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.extend(read_row(row).ok().map(|row| row.job.id));
        }
        Ok(found)
    }

    /// The jobs of any lane that are running or waiting, in the order of the queue. The rest of a
    /// row may be one that cannot be read.
    ///
    /// # Errors
    /// The database refuses.
    pub fn active(&self) -> Result<Vec<ActiveJob>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT id, state, lane, progress FROM jobs WHERE state IN ('running', 'queued') \
             ORDER BY place, created_millis, id",
        )?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let state = JobState::parse(&row.get::<_, String>(1)?);
            let progress = from_json("progress", &row.get::<_, String>(3)?);
            if let (Some(state), Ok(progress)) = (state, progress) {
                found.push(ActiveJob {
                    id: JobId(row.get(0)?),
                    state,
                    lane: Lane::parse(&row.get::<_, String>(2)?),
                    progress,
                });
            }
        }
        Ok(found)
    }

    /// Moves waiting jobs, in the order that they are given in, before another one, or behind all
    /// others. Names that do not wait are passed over: a job may have begun meanwhile.
    ///
    /// # Errors
    /// The database refuses.
    pub fn move_jobs(&self, moved: &[JobId], before: Option<&JobId>) -> Result<(), StoreError> {
        let connection = self.lock();
        let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
        let found = waiting(&transaction)?;
        let mut places: Vec<i64> = found.iter().map(|(_, place)| *place).collect();
        let known: BTreeSet<&JobId> = found.iter().map(|(id, _)| id).collect();
        let mut order: Vec<&JobId> = found
            .iter()
            .map(|(id, _)| id)
            .filter(|id| !moved.contains(id))
            .collect();
        let at = before
            .and_then(|before| order.iter().position(|id| *id == before))
            .unwrap_or(order.len());
        order.splice(at..at, moved.iter().filter(|id| known.contains(id)));
        // Two that were submitted within a millisecond have one place.
        for at in 1..places.len() {
            places[at] = places[at].max(places[at - 1] + 1);
        }
        for (id, place) in order.iter().zip(places) {
            transaction
                .prepare_cached("UPDATE jobs SET place = ?2 WHERE id = ?1")?
                .execute(params![id.0, place])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Gives a job the last place, as if it had been submitted now.
    ///
    /// # Errors
    /// The database refuses.
    pub fn put_last(&self, id: &JobId, now_millis: i64) -> Result<(), StoreError> {
        self.lock().execute(
            "UPDATE jobs SET place = MAX(?2, (SELECT MAX(place) + 1 FROM jobs)) WHERE id = ?1",
            params![id.0, now_millis],
        )?;
        Ok(())
    }

    /// Replaces what a job that has not begun is to do: true if it was queued or paused and no part
    /// of it was done.
    ///
    /// # Errors
    /// The database refuses.
    pub fn replace_waiting(&self, job: &Job, plan: &str) -> Result<bool, StoreError> {
        let sizes = job.sizes.as_ref();
        let changed = self.lock().execute(
            "UPDATE jobs SET spec = ?2, plan = ?3, warnings = ?4, sizes = ?5, progress = ?6 \
             WHERE id = ?1 AND state IN ('queued', 'paused') \
             AND NOT EXISTS (SELECT 1 FROM segments WHERE job_id = ?1)",
            params![
                job.id.0,
                to_json("spec", &job.spec)?,
                plan,
                to_json("warnings", &job.warnings)?,
                sizes.map(|sizes| to_json("sizes", sizes)).transpose()?,
                to_json("progress", &JobProgress::default())?,
            ],
        )?;
        Ok(changed > 0)
    }
}
