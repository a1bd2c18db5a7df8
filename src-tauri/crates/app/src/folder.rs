//! A job's folder: who works on it, and enough to find it again without the database.
//!
//! ```text
//! jobs/ID/owner            locked by the process that will see to the job
//! jobs/ID/lock             locked by its worker
//! jobs/ID/worker           which process that is, for whoever has to end it
//! jobs/ID/stop             a request to stop, from another process
//! jobs/ID/job.json         the job as it was submitted
//! jobs/ID/segments.jsonl   finished segments, one a line
//! jobs/ID/000000.part      the segments
//! ```
//!
//! The database is the truth. `job.json` and `segments.jsonl` are read only when it was damaged
//! and had to be set aside.

use crate::process::ProcessMark;
use frameloom_core::job::{Job, JobState};
use frameloom_store::{JobRow, Lane, SegmentRow};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

/// Locked by the worker.
pub(crate) const WORKER_LOCK: &str = "lock";
/// Locked by the process that submitted or resumed the job, as long as it cares for it.
pub(crate) const OWNER_LOCK: &str = "owner";
/// Through this file another process asks the worker to stop.
pub(crate) const STOP_FILE: &str = "stop";
/// In this file the worker says which process it is. Not in the file of the lock, which nobody else
/// can read on Windows while it is held.
const WORKER_FILE: &str = "worker";
const JOB_FILE: &str = "job.json";
const SEGMENTS_FILE: &str = "segments.jsonl";

/// No job or plan is larger; a larger file is damage.
const MAX_JOB_BYTES: u64 = 16 << 20;

/// Takes a lock of a job's folder; `None` if a living process holds it.
///
/// The operating system gives it back however that process ends.
pub(crate) fn lock(folder: &Path, name: &str) -> io::Result<Option<File>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(name))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Does a living process hold this lock? Where there is no folder, none does, and none is made.
pub(crate) fn is_held(folder: &Path, name: &str) -> bool {
    let file = OpenOptions::new().write(true).open(folder.join(name));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Says that this process is the worker. Call it with the lock in hand.
pub(crate) fn write_worker(folder: &Path) -> io::Result<()> {
    match ProcessMark::of_this() {
        Some(mark) => std::fs::write(folder.join(WORKER_FILE), mark.to_string()),
        None => Ok(()),
    }
}

/// The process that holds the worker's lock, or held it last.
pub(crate) fn worker(folder: &Path) -> Option<ProcessMark> {
    let text = std::fs::read_to_string(folder.join(WORKER_FILE)).ok()?;
    text.parse().ok()
}

#[derive(Serialize, Deserialize)]
struct Stored {
    job: Job,
    plan: String,
    queued: bool,
}

/// Writes `job.json`.
pub(crate) fn write_job(folder: &Path, job: &Job, plan: &str, lane: Lane) -> io::Result<()> {
    let stored = Stored {
        job: job.clone(),
        plan: plan.to_owned(),
        queued: lane == Lane::Queue,
    };
    std::fs::write(folder.join(JOB_FILE), serde_json::to_vec(&stored)?)
}

/// Adds a finished segment to `segments.jsonl`.
pub(crate) fn append_segment(folder: &Path, segment: &SegmentRow) -> io::Result<()> {
    let mut line = serde_json::to_vec(segment)?;
    line.push(b'\n');
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join(SEGMENTS_FILE))?
        .write_all(&line)
}

/// The job of a folder as an interrupted one, with its finished segments; `None` where the folder
/// does not say enough. The parts are checked when the job is resumed.
pub(crate) fn read(folder: &Path) -> Option<(JobRow, Vec<SegmentRow>)> {
    let mut text = Vec::new();
    let file = File::open(folder.join(JOB_FILE)).ok()?;
    file.take(MAX_JOB_BYTES).read_to_end(&mut text).ok()?;
    let stored: Stored = serde_json::from_slice(&text).ok()?;
    let mut segments: Vec<SegmentRow> = Vec::new();
    if let Ok(file) = File::open(folder.join(SEGMENTS_FILE)) {
        // A line that was cut off ends the list; a position may come twice, after a part was
        // found damaged and made again.
        for line in BufReader::new(file.take(MAX_JOB_BYTES)).lines() {
            let Some(segment) = line
                .ok()
                .and_then(|line| serde_json::from_str::<SegmentRow>(&line).ok())
            else {
                break;
            };
            let Ok(position) = usize::try_from(segment.position) else {
                break;
            };
            if position > segments.len() {
                break;
            }
            segments.truncate(position);
            segments.push(segment);
        }
    }
    let mut job = stored.job;
    job.state = JobState::Interrupted;
    job.progress.done = segments.iter().map(|segment| segment.frames).sum();
    Some((
        JobRow {
            job,
            lane: if stored.queued {
                Lane::Queue
            } else {
                Lane::Direct
            },
            plan: Some(stored.plan),
        },
        segments,
    ))
}
