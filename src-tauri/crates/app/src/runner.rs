//! Starts workers, listens to them, and knows what became of them.

use crate::worker::WorkerEvent;
use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{Job, JobEvent, JobId, JobState};
use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// How a running job is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopping {
    /// After its segment, to go on later by the user's will.
    Pause,
    /// After its segment, because the program is told to end.
    Interrupt,
    /// At once, because the program is told to end at once.
    InterruptNow,
    /// At once and for good.
    Cancel,
}

impl Stopping {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Stopping::Pause => "pause",
            Stopping::Interrupt => "interrupt",
            Stopping::InterruptNow => "interrupt-now",
            Stopping::Cancel => "cancel",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [
            Stopping::Pause,
            Stopping::Interrupt,
            Stopping::InterruptNow,
            Stopping::Cancel,
        ]
        .into_iter()
        .find(|s| s.word() == word)
    }
}

/// What a worker can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Stop.
    Stop(Stopping),
}

/// Name of the file in a job's folder that its worker keeps locked.
pub(crate) const LOCK_FILE: &str = "lock";
/// Name of the file in a job's folder through which another process asks its worker to stop.
pub(crate) const STOP_FILE: &str = "stop";

/// Is somebody working on a job?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Liveness {
    Alive,
    Dead,
}

impl Liveness {
    pub(crate) fn of(folder: &Path) -> Self {
        match lock(folder) {
            Ok(Some(_)) => Liveness::Dead,
            Ok(None) => Liveness::Alive,
            // No folder, no worker.
            Err(_) => Liveness::Dead,
        }
    }
}

/// Takes the lock of a job's folder; `None` if a worker holds it.
pub(crate) fn lock(folder: &Path) -> std::io::Result<Option<File>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(LOCK_FILE))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Workers of this process, and the queue.
#[derive(Default)]
pub(crate) struct Runner {
    running: Mutex<BTreeMap<JobId, ChildStdin>>,
    wake: Arc<(Mutex<bool>, Condvar)>,
}

impl Runner {
    fn running(&self) -> MutexGuard<'_, BTreeMap<JobId, ChildStdin>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn wake(&self) {
        let (flag, condition) = &*self.wake;
        *flag.lock().unwrap_or_else(PoisonError::into_inner) = true;
        condition.notify_all();
    }

    /// Tells the worker of a job something, whichever process started it.
    pub(crate) fn control(&self, app: &App, id: &JobId, control: Control) -> Result<(), AppError> {
        let Control::Stop(stopping) = control;
        if let Some(stdin) = self.running().get_mut(id)
            && writeln!(stdin, "{}", stopping.word())
                .and_then(|()| stdin.flush())
                .is_ok()
        {
            return Ok(());
        }
        let path = app.job_folder(id).join(STOP_FILE);
        std::fs::write(&path, stopping.word()).map_err(|e| explain::data_folder(&path, &e))
    }
}

/// The last bytes that a worker wrote to standard error.
const STDERR_KEPT_BYTES: usize = 8 * 1024;

impl App {
    /// Does one job and returns when it came to rest: its row then says how. Events reach the
    /// listeners meanwhile; [`App::stop`] can be called from another thread.
    ///
    /// # Errors
    /// The worker cannot be started, or the database refuses. A job that failed is no error here.
    pub fn run_job(&self, id: &JobId) -> Result<Job, AppError> {
        let mut child = self.spawn_worker(id)?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(AppError::new(
                ErrorCode::Internal,
                "The worker has no pipes to talk through.",
            ));
        };
        self.runner.running().insert(id.clone(), stdin);
        let tail = std::thread::spawn(move || tail(stderr));
        for line in BufReader::new(stdout).lines() {
            let Ok(line) = line else { break };
            match serde_json::from_str(&line) {
                Ok(WorkerEvent::Progress { progress }) => self.tell(&JobEvent::Progress {
                    id: id.clone(),
                    progress,
                }),
                Ok(WorkerEvent::Changed) => self.changed(id)?,
                Err(error) => tracing::warn!(%error, "a worker said something unknown"),
            }
        }
        let status = child.wait();
        self.runner.running().remove(id);
        let stderr = tail.join().unwrap_or_default();
        let status = status.map_or_else(|e| e.to_string(), |s| s.to_string());
        let crash = AppError::new(
            ErrorCode::WorkerCrashed,
            "The process that did this job ended without a result.",
        )
        .hint(explain::hint(ErrorCode::WorkerCrashed).unwrap_or_default())
        .details(format!("{status}; {stderr}"));
        if !self.change(
            id,
            &[JobState::Running],
            JobState::Interrupted,
            Some(&crash),
        )? {
            // A worker that died before it took the job would be started again for ever.
            self.change(id, &[JobState::Queued], JobState::Failed, Some(&crash))?;
        }
        let job = self.job(id)?;
        if job.state.is_terminal() && job.state != JobState::Failed {
            self.remove_parts(id);
        }
        self.changed(id)?;
        Ok(job)
    }

    /// Asks a running job to stop, without judging its state.
    ///
    /// # Errors
    /// The worker cannot be reached.
    pub fn stop(&self, id: &JobId, stopping: Stopping) -> Result<(), AppError> {
        self.runner.control(self, id, Control::Stop(stopping))
    }

    fn spawn_worker(&self, id: &JobId) -> Result<Child, AppError> {
        const MMAP_THRESHOLD: &str = "MALLOC_MMAP_THRESHOLD_";
        let mut command = Command::new(&self.places.worker);
        command
            .arg("worker")
            .arg("--data-dir")
            .arg(&self.places.data)
            .arg("--job")
            .arg(&id.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if !self.places.extra_models.is_empty() {
            command.env(
                "FRAMELOOM_MODELS_DIR",
                std::env::join_paths(&self.places.extra_models).unwrap_or_default(),
            );
        }
        // Every segment has an encoder of its own, and glibc, left to itself, learns to keep their
        // large buffers for later: after 25 s of video a worker held a fifth more than after 10 s.
        // Above a fixed size, memory goes back at once. (Other C libraries ignore the variable.)
        if cfg!(target_env = "gnu") && std::env::var_os(MMAP_THRESHOLD).is_none() {
            command.env(MMAP_THRESHOLD, "262144");
        }
        // A group of its own: Ctrl-C on the terminal is for the command, which then asks the
        // worker to finish its segment.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        #[cfg(windows)]
        {
            const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
            const CREATE_NO_WINDOW: u32 = 0x0800_0000;
            std::os::windows::process::CommandExt::creation_flags(
                &mut command,
                CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW,
            );
        }
        command.spawn().map_err(|error| {
            AppError::new(ErrorCode::Internal, "The worker process cannot be started.")
                .hint("Install Frameloom again.")
                .details(error.to_string())
        })
    }

    /// Starts the queue: queued jobs are done one after another in a thread of their own, for as
    /// long as the application lives. Call it once, in the process that owns the window.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start_queue(self: &Arc<Self>) -> Result<(), AppError> {
        let app = Arc::downgrade(self);
        let wake = self.runner.wake.clone();
        std::thread::Builder::new()
            .name("queue".to_owned())
            .spawn(move || run_queue(&app, &wake))
            .map_err(explain::internal)?;
        Ok(())
    }
}

fn run_queue(app: &Weak<App>, wake: &(Mutex<bool>, Condvar)) {
    loop {
        let Some(app) = app.upgrade() else { return };
        match app.store.next_queued() {
            Ok(Some(row)) => {
                if let Err(error) = app.run_job(&row.job.id) {
                    tracing::error!(%error, "a job could not be run");
                    let failed = app.change(
                        &row.job.id,
                        &[JobState::Queued, JobState::Running],
                        JobState::Failed,
                        Some(&error),
                    );
                    if failed.is_err() {
                        std::thread::sleep(Duration::from_secs(1));
                    }
                }
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "the queue cannot be read"),
        }
        drop(app);
        let (flag, condition) = wake;
        let guard = flag.lock().unwrap_or_else(PoisonError::into_inner);
        // The time limit lets the thread notice that the application is gone, and jobs that
        // another process put into the queue.
        let (mut guard, _) = condition
            .wait_timeout_while(guard, Duration::from_secs(2), |woken| !*woken)
            .unwrap_or_else(PoisonError::into_inner);
        *guard = false;
    }
}

fn tail(mut stderr: impl Read) -> String {
    let mut kept = VecDeque::with_capacity(STDERR_KEPT_BYTES);
    let mut block = [0; 1024];
    while let Ok(read @ 1..) = stderr.read(&mut block) {
        kept.extend(&block[..read]);
        let surplus = kept.len().saturating_sub(STDERR_KEPT_BYTES);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(kept.make_contiguous())
        .trim()
        .to_owned()
}

/// Reads and removes a stop request that another process left.
pub(crate) fn take_stop_file(folder: &Path) -> Option<Stopping> {
    let path: PathBuf = folder.join(STOP_FILE);
    let word = std::fs::read_to_string(&path).ok()?;
    let stopping = Stopping::parse(word.trim())?;
    std::fs::remove_file(&path).ok()?;
    Some(stopping)
}
