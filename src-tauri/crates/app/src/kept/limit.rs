//! A limit for what is kept on the disk and can be made again: results of samples, and logs.
//!
//! Nothing waits for it. A thread of the window looks whenever a sample was made or the limit was
//! changed, and now and then; what was used longest ago goes first. What is open, what was looked at a
//! moment ago and what belongs to a job that is not over stays, even where that is more than the limit.
//!
//! When a sample was looked at last is noted with its file, as the time of its last access: it outlives
//! the program, and copies and receipts do not depend on it.

use super::{old_logs, size_of};
use crate::{App, explain};
use frameloom_core::error::AppError;
use frameloom_core::job::{Job, JobEvent, JobId, JobState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, FileTimes, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};
use ts_rs::TS;

/// Looked at so lately, it may be on the screen.
const IN_USE: Duration = Duration::from_secs(10 * 60);
/// A look is noted at most so often: a clip that is played is looked at thirty times a second.
const NOTE_EVERY: Duration = Duration::from_secs(60);
/// The files of other processes grow, too.
const LOOK_EVERY: Duration = Duration::from_secs(30 * 60);
const GB: u64 = 1_000_000_000;

/// So many gigabytes of what can be made again are kept, 1 to 1000. Five hold hundreds of usual samples,
/// or several of the largest there are: a few seconds of 4K without loss. There is no number for "all":
/// what nobody limits fills the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(from = "i64")]
pub struct KeptLimit(#[ts(type = "number")] i64);

impl Default for KeptLimit {
    fn default() -> Self {
        Self(5)
    }
}

impl From<i64> for KeptLimit {
    fn from(gigabytes: i64) -> Self {
        Self(gigabytes.clamp(1, 1000))
    }
}

impl KeptLimit {
    /// In bytes.
    pub fn bytes(self) -> u64 {
        self.0.unsigned_abs() * GB
    }
}

/// Wakes the thread that looks after the limit.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    wake: Arc<(Mutex<bool>, Condvar)>,
}

impl Keeper {
    pub(crate) fn wake(&self) {
        let (flag, condition) = &*self.wake;
        *flag.lock().unwrap_or_else(PoisonError::into_inner) = true;
        condition.notify_all();
    }
}

/// Something that can go.
#[derive(Debug)]
struct Removable {
    used: SystemTime,
    bytes: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    /// A sample goes with its job.
    Sample(JobId),
    Log(PathBuf),
}

/// When a file was made or looked at last.
fn last_use(facts: &Metadata) -> SystemTime {
    let accessed = facts.accessed().unwrap_or(SystemTime::UNIX_EPOCH);
    let modified = facts.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    accessed.max(modified)
}

impl App {
    /// Starts the thread that keeps to the limit; it ends with the program.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start_keeper(self: &Arc<Self>) -> Result<(), AppError> {
        let app = Arc::downgrade(self);
        self.listen(move |event| {
            let Some(app) = app.upgrade() else {
                return false;
            };
            if let JobEvent::Changed { job } = event
                && job.spec.sample
                && job.state == JobState::Succeeded
            {
                app.keeper.wake();
            }
            true
        });
        let app = Arc::downgrade(self);
        let wake = self.keeper.wake.clone();
        std::thread::Builder::new()
            .name("keeper".to_owned())
            .spawn(move || keep(&app, &wake))
            .map_err(explain::no_thread)?;
        Ok(())
    }

    /// Notes that a file was looked at, if it is one that may go some day.
    pub(crate) fn note_use(&self, path: &Path, facts: &Metadata) {
        if path.parent() != Some(&self.places.samples()) {
            return;
        }
        let is_noted = last_use(facts)
            .elapsed()
            .is_ok_and(|since| since < NOTE_EVERY);
        let note = || {
            let times = FileTimes::new().set_accessed(SystemTime::now());
            File::options().write(true).open(path)?.set_times(times)
        };
        if !is_noted && let Err(error) = note() {
            tracing::debug!(%error, "the use of a sample could not be noted");
        }
    }

    /// Removes what can be made again, that used longest ago first, until no more is left than the
    /// settings allow. Returns the bytes that were freed.
    ///
    /// # Errors
    /// A folder of the program cannot be read, or something does not go.
    pub fn keep_to_limit(&self) -> Result<u64, AppError> {
        let limit = self.settings()?.kept_limit.bytes();
        self.keep_to(limit, SystemTime::now())
    }

    fn keep_to(&self, limit: u64, now: SystemTime) -> Result<u64, AppError> {
        let (samples, logs) = (self.places.samples(), self.places.logs());
        let failed = |folder: &Path, error: std::io::Error| explain::data_folder(folder, &error);
        let mut total = 0;
        for folder in [&samples, &logs] {
            total += size_of(folder).map_err(|error| failed(folder, error))?;
        }
        // Nearly always: nothing is asked of the database then.
        if total <= limit {
            return Ok(0);
        }
        let mut removable = self.removable(now)?;
        removable.sort_by_key(|one| one.used);
        let mut freed = 0;
        for one in removable {
            if total <= limit {
                break;
            }
            match &one.what {
                What::Sample(id) => self.remove(id)?,
                What::Log(path) => {
                    std::fs::remove_file(path).map_err(|error| failed(&logs, error))?
                }
            }
            total = total.saturating_sub(one.bytes);
            freed += one.bytes;
        }
        tracing::info!(freed, total, limit, "kept to the limit");
        Ok(freed)
    }

    /// What can go: samples of jobs that are over and that nobody looks at, logs that nothing is
    /// written to any more.
    fn removable(&self, now: SystemTime) -> Result<Vec<Removable>, AppError> {
        let samples = self.places.samples();
        let mut found = Vec::new();
        // Two jobs never have one result; should they, the file is in use while one of them is.
        let mut by_file: BTreeMap<PathBuf, Vec<Job>> = BTreeMap::new();
        for job in self.jobs()? {
            if job.spec.sample && job.spec.output.parent() == Some(&samples) {
                let path = job.spec.output.clone();
                by_file.entry(path).or_default().push(job);
            }
        }
        for (path, jobs) in by_file {
            let Ok(facts) = path.symlink_metadata() else {
                continue;
            };
            let used = last_use(&facts);
            let is_in_use = now.duration_since(used).map_or(true, |age| age < IN_USE)
                || self.clips.has(&path)
                || self.sounds.has(&path)
                || jobs.iter().any(|job| !job.state.is_terminal());
            if is_in_use {
                continue;
            }
            found.extend(jobs.into_iter().take(1).map(|job| Removable {
                used,
                bytes: facts.len(),
                what: What::Sample(job.id),
            }));
        }
        let logs = self.places.logs();
        if logs.is_dir() {
            let old = old_logs(&logs).map_err(|error| explain::data_folder(&logs, &error))?;
            for path in old {
                let Ok(facts) = path.symlink_metadata() else {
                    continue;
                };
                found.push(Removable {
                    // Read by people now and then, which makes them no younger.
                    used: facts.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                    bytes: facts.len(),
                    what: What::Log(path),
                });
            }
        }
        Ok(found)
    }
}

fn keep(app: &Weak<App>, wake: &(Mutex<bool>, Condvar)) {
    while let Some(app) = app.upgrade() {
        if let Err(error) = app.keep_to_limit() {
            tracing::warn!(%error, details = ?error.details, "what is kept could not be limited");
        }
        drop(app);
        let (flag, condition) = wake;
        let guard = flag.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut guard, _) = condition
            .wait_timeout_while(guard, LOOK_EVERY, |woken| !*woken)
            .unwrap_or_else(PoisonError::into_inner);
        *guard = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Places;
    use frameloom_core::graph::Graph;
    use frameloom_core::job::{
        ComputeSpec, Device, EncodeSpec, JOB_SPEC_VERSION, JobProgress, JobSpec,
    };
    use frameloom_store::Lane;
    use std::fs;

    fn app() -> (tempfile::TempDir, Arc<App>) {
        let folder = tempfile::tempdir().unwrap();
        let places = Places {
            data: folder.path().join("data"),
            worker: "unused".into(),
            extra_models: vec![],
        };
        let app = App::open(places).unwrap();
        for folder in [app.places.samples(), app.places.logs()] {
            fs::create_dir_all(folder).unwrap();
        }
        (folder, app)
    }

    fn touch(path: &Path, bytes: usize, age_minutes: u64) {
        fs::write(path, vec![0; bytes]).unwrap();
        let then = SystemTime::now() - Duration::from_secs(60 * age_minutes);
        let times = FileTimes::new().set_accessed(then).set_modified(then);
        let file = File::options().write(true).open(path).unwrap();
        file.set_times(times).unwrap();
    }

    /// A job with a result of 100 bytes that was last used so long ago.
    fn sample(app: &App, name: &str, state: JobState, age_minutes: u64) -> PathBuf {
        let output = app.places.samples().join(format!("{name}.mp4"));
        touch(&output, 100, age_minutes);
        add(app, name, &output, state, true);
        output
    }

    fn add(app: &App, name: &str, output: &Path, state: JobState, sample: bool) {
        let job = Job {
            id: JobId(name.to_owned()),
            spec: JobSpec {
                version: JOB_SPEC_VERSION,
                input: "/in.mp4".into(),
                pictures: None,
                output: output.to_owned(),
                overwrite: false,
                graph: Graph::chain([]),
                encode: EncodeSpec::default(),
                device: Device::Auto,
                inputs: Default::default(),
                input_pictures: Default::default(),
                compute: ComputeSpec::default(),
                upright: false,
                sample,
            },
            state,
            progress: JobProgress::default(),
            error: None,
            warnings: Vec::new(),
            provider: None,
            sizes: None,
            created_millis: 1,
            finished_millis: None,
        };
        app.store.insert_job(&job, Lane::Queue, "null").unwrap();
    }

    #[test]
    fn what_was_used_longest_ago_goes_first_and_only_as_much_as_must() {
        let (_folder, app) = app();
        let paths: Vec<PathBuf> = [("a", 30), ("b", 90), ("c", 60), ("d", 40)]
            .iter()
            .map(|(name, age)| sample(&app, name, JobState::Succeeded, *age))
            .collect();
        // The oldest is looked at once more, a quarter of an hour ago.
        let seen = SystemTime::now() - Duration::from_secs(15 * 60);
        app.note_use(&paths[1], &paths[1].metadata().unwrap());
        let noted = last_use(&paths[1].metadata().unwrap());
        assert!(noted > seen, "a look is noted with the file");
        let file = File::options().write(true).open(&paths[1]).unwrap();
        file.set_times(FileTimes::new().set_accessed(seen)).unwrap();
        let there = || {
            paths
                .iter()
                .map(|path| path.exists())
                .collect::<Vec<bool>>()
        };
        let now = SystemTime::now();
        assert_eq!(app.keep_to(400, now).unwrap(), 0);
        assert_eq!(app.keep_to(399, now).unwrap(), 100);
        assert_eq!(there(), [true, true, false, true]);
        assert_eq!(app.keep_to(250, now).unwrap(), 100);
        assert_eq!(there(), [true, true, false, false]);
        assert!(app.job(&JobId("c".into())).is_err(), "with its entry");
        assert!(app.job(&JobId("b".into())).is_ok());
    }

    #[test]
    fn what_is_in_use_stays_even_where_it_is_more_than_the_limit() {
        let (folder, app) = app();
        let looked_at = sample(&app, "looked-at", JobState::Succeeded, 1);
        let paused = sample(&app, "paused", JobState::Paused, 500);
        let open = app.places.samples().join("open.mp4");
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/demo.mp4");
        fs::copy(demo, &open).unwrap();
        add(&app, "open", &open, JobState::Succeeded, true);
        app.clip_frame(&open, 0, 64, false).unwrap();
        let then = SystemTime::now() - Duration::from_secs(60 * 600);
        let file = File::options().write(true).open(&open).unwrap();
        file.set_times(FileTimes::new().set_accessed(then).set_modified(then))
            .unwrap();
        // A result of the user that only says that it is a sample, and one that is none.
        let others = ["own.mp4", "other.mp4"].map(|name| folder.path().join(name));
        for (path, sample) in others.iter().zip([true, false]) {
            touch(path, 100, 900);
            let name = path.file_stem().unwrap().to_string_lossy();
            add(&app, &name, path, JobState::Succeeded, sample);
        }
        let newest_log = app.places.logs().join("studio.2026-11-22.log");
        touch(&newest_log, 100, 700);
        let old_log = app.places.logs().join("studio.2026-11-01.log");
        touch(&old_log, 100, 800);
        assert_eq!(app.keep_to(1, SystemTime::now()).unwrap(), 100);
        assert!(!old_log.exists());
        for path in [&looked_at, &paused, &open, &newest_log]
            .into_iter()
            .chain(&others)
        {
            assert!(path.exists(), "{}", path.display());
        }
        // An hour later nobody looks at the one any more; the others are still in use.
        let later = SystemTime::now() + Duration::from_secs(3600);
        assert_eq!(app.keep_to(1, later).unwrap(), 100);
        assert!(!looked_at.exists() && paused.exists() && open.exists());
    }

    #[test]
    fn the_limit_of_the_settings_is_kept_to_without_being_asked() {
        let (_folder, app) = app();
        // A file of 2 GB that takes no room.
        let large = sample(&app, "large", JobState::Succeeded, 60);
        let then = large.metadata().unwrap().modified().unwrap();
        let file = File::options().write(true).open(&large).unwrap();
        file.set_len(2 * GB).unwrap();
        file.set_times(FileTimes::new().set_accessed(then).set_modified(then))
            .unwrap();
        app.start_keeper().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        assert!(large.exists(), "5 GB are allowed");
        let mut settings = app.settings().unwrap();
        settings.kept_limit = KeptLimit::from(0);
        assert_eq!(settings.kept_limit.bytes(), GB, "no limit is none");
        app.set_settings(&settings).unwrap();
        let began = SystemTime::now();
        while large.exists() {
            assert!(began.elapsed().unwrap() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
