//! Names that jobs are going to give their results.
//!
//! Whoever adds a job asks for them, and ten thousand files may be added at once, each of which must
//! not read all that were added before it. So they are read once and known until somebody else writes:
//! SQLite counts the writes of other connections (`data_version`) and those of this one.

use crate::{Store, StoreError};
use frameloom_core::job::{Job, JobSpec};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Writes to the database when the names were read: by others and by this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Writes {
    others: i64,
    own: u64,
}

impl Writes {
    pub(crate) fn so_far(connection: &Connection) -> Result<Self, StoreError> {
        Ok(Self {
            others: connection
                .prepare_cached("PRAGMA data_version")?
                .query_row([], |row| row.get(0))?,
            own: connection.total_changes(),
        })
    }
}

/// What is known of the names.
#[derive(Debug, Default)]
pub(crate) struct Promised {
    known: Mutex<Option<(Writes, Arc<BTreeSet<PathBuf>>)>>,
    #[cfg(test)]
    reads: std::sync::atomic::AtomicU32,
}

impl Promised {
    /// A job was added, and nothing else since `before`: its name is known, too.
    pub(crate) fn add(&self, job: &Job, before: Writes, connection: &Connection) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((writes, outputs)) = known.as_mut().filter(|(writes, _)| *writes == before) else {
            return;
        };
        writes.own = connection.total_changes();
        if !job.state.is_terminal() {
            Arc::make_mut(outputs).insert(job.spec.output.clone());
        }
    }
}

impl Store {
    /// The outputs of all jobs that are not over, as far as they can be read.
    ///
    /// # Errors
    /// The database refuses.
    pub fn promised_outputs(&self) -> Result<Arc<BTreeSet<PathBuf>>, StoreError> {
        let connection = self.lock();
        let now = Writes::so_far(&connection)?;
        let mut known = self
            .promised
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((_, outputs)) = known.as_ref().filter(|(writes, _)| *writes == now) {
            return Ok(outputs.clone());
        }
        #[cfg(test)]
        self.promised
            .reads
            .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let specs: Vec<JobSpec> = crate::jobs::unfinished(&connection)?;
        let outputs: BTreeSet<PathBuf> = specs.into_iter().map(|spec| spec.output).collect();
        let outputs = Arc::new(outputs);
        // Of the time before it was read: what others wrote meanwhile is noticed the next time.
        *known = Some((now, outputs.clone()));
        Ok(outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lane;
    use frameloom_core::graph::Graph;
    use frameloom_core::job::*;
    use std::sync::atomic::Ordering;
    use std::time::Instant;

    fn job(number: usize) -> Job {
        Job {
            id: JobId(format!("job-{number}")),
            spec: JobSpec {
                version: JOB_SPEC_VERSION,
                input: format!("/in/{number}.png").into(),
                pictures: None,
                output: format!("/out/{number}.png").into(),
                overwrite: false,
                graph: Graph::chain([]),
                encode: EncodeSpec::default(),
                device: Device::Auto,
                inputs: Default::default(),
                input_pictures: Default::default(),
                compute: ComputeSpec::default(),
                upright: false,
                sample: false,
            },
            state: JobState::Queued,
            progress: JobProgress::default(),
            error: None,
            warnings: Vec::new(),
            provider: None,
            sizes: None,
            created_millis: 1,
            finished_millis: None,
        }
    }

    fn is_promised(store: &Store, number: usize) -> bool {
        let outputs = store.promised_outputs().unwrap();
        outputs.contains(&job(number).spec.output)
    }

    #[test]
    fn unfinished_jobs_are_read_once_however_many_are_added() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        let mut reading_all = std::time::Duration::ZERO;
        let mut asking = std::time::Duration::ZERO;
        for number in 0..400 {
            let began = Instant::now();
            assert!(!is_promised(&store, number));
            asking += began.elapsed();
            let began = Instant::now();
            assert_eq!(store.unfinished().unwrap().len(), number);
            reading_all += began.elapsed();
            store
                .insert_job(&job(number), [Lane::Queue, Lane::Direct][number % 2], "{}")
                .unwrap();
            assert!(is_promised(&store, number));
        }
        println!("asked in {asking:?}, read again each time in {reading_all:?}");
        assert_eq!(store.promised.reads.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn what_this_and_other_processes_write_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        let other = Store::join(folder.path()).unwrap();
        assert!(!is_promised(&store, 1) && !is_promised(&other, 1));
        store.insert_job(&job(1), Lane::Queue, "{}").unwrap();
        assert!(is_promised(&store, 1) && is_promised(&other, 1));
        other.insert_job(&job(2), Lane::Queue, "{}").unwrap();
        // Added on top of what another one wrote that was not read yet.
        store.insert_job(&job(3), Lane::Queue, "{}").unwrap();
        assert!((1..4).all(|number| is_promised(&store, number)));
        let queued = [JobState::Queued];
        let id = job(1).id;
        assert!(
            store
                .change_state(&id, &queued, JobState::Cancelled, None, 2)
                .unwrap()
        );
        assert!(!is_promised(&store, 1) && !is_promised(&other, 1));
        let mut renamed = job(2).spec;
        renamed.output = job(9).spec.output;
        other.set_spec(&job(2).id, &renamed).unwrap();
        assert!(is_promised(&store, 9) && !is_promised(&store, 2));
        store.delete_job(&job(3).id).unwrap();
        assert!(!is_promised(&store, 3));
    }
}
