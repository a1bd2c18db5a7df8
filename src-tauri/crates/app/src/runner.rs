//! Starts workers, listens to them, and knows what became of them.

use crate::folder::{self, STOP_FILE, WORKER_LOCK};
use crate::listener::{Heard, WorkerListener, wait_for_end};
use crate::worker::WorkerEvent;
use crate::{App, explain, jobs};
use frameloom_core::error::{AppError, ErrorCode};
#[cfg(windows)]
use frameloom_core::job::Priority;
use frameloom_core::job::{Arithmetic, Device, Job, JobEvent, JobId, JobState};
use frameloom_core::media::{Caution, CautionRoom, Warning};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_engine::Plan;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

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

/// What C++, Rust, ONNX Runtime, x264 and SVT-AV1 write to standard error before they end a process
/// that got no memory, or run into the null that they got.
const OUT_OF_MEMORY_SIGNS: [&str; 5] = [
    "bad_alloc",
    "memory allocation of",
    "Failed to allocate memory",
    "malloc of size",
    "allocate memory failed",
];

/// True if the last words of a worker tell of memory.
fn tells_of_memory(last_words: &str) -> bool {
    OUT_OF_MEMORY_SIGNS
        .iter()
        .any(|sign| last_words.contains(sign))
}

/// A worker that leaves its job without a word, in plain words.
pub(crate) fn how_it_ended(status: ExitStatus, last_words: &str) -> Said {
    if !status.success() && tells_of_memory(last_words) {
        return said!(
            "process.no_memory",
            "The process that did this job got no more memory."
        );
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return match signal {
            9 => said!(
                "process.killed",
                "The process that did this job was killed from outside; the system does that when memory runs out."
            ),
            15 | 2 => said!(
                "process.told_to_end",
                "The process that did this job was told to end by another program."
            ),
            _ => said!(
                "process.crashed",
                "The process that did this job crashed (signal {signal}), as a faulty driver or codec makes it.",
                signal = signal
            ),
        };
    }
    match status.code() {
        Some(101) => said!(
            "process.own_fault",
            "The process that did this job stopped at a fault of its own."
        ),
        // Windows ends a process that crashed with an NTSTATUS of severity "error".
        Some(code) if (code as u32) >= 0xC000_0000 => said!(
            "process.crashed_status",
            "The process that did this job crashed (status {status}), as a faulty driver or codec makes it.",
            status = format!("{code:#x}")
        ),
        _ => said!(
            "process.no_result",
            "The process that did this job ended without a result."
        ),
    }
}

/// Workers of this process, and the queue.
#[derive(Default)]
pub(crate) struct Runner {
    running: Mutex<BTreeMap<JobId, ChildStdin>>,
    /// Locks of the jobs that this process sees to.
    owned: Mutex<BTreeMap<JobId, File>>,
    /// What was asked of running jobs; a worker that died of it is not started again.
    stops: Mutex<BTreeMap<JobId, Stopping>>,
    wake: Arc<(Mutex<bool>, Condvar)>,
    /// No further job of the queue is begun.
    held: AtomicBool,
}

impl Runner {
    fn running(&self) -> MutexGuard<'_, BTreeMap<JobId, ChildStdin>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owned(&self) -> MutexGuard<'_, BTreeMap<JobId, File>> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn own(&self, id: &JobId, lock: File) {
        self.owned().insert(id.clone(), lock);
    }

    pub(crate) fn owns(&self, id: &JobId) -> bool {
        self.owned().contains_key(id)
    }

    pub(crate) fn disown(&self, id: &JobId) {
        self.owned().remove(id);
    }

    fn stops(&self) -> MutexGuard<'_, BTreeMap<JobId, Stopping>> {
        self.stops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wanted_stop(&self, id: &JobId) -> Option<Stopping> {
        self.stops().get(id).copied()
    }

    fn is_stopping(&self, id: &JobId) -> bool {
        self.wanted_stop(id).is_some()
    }

    pub(crate) fn forget_stop(&self, id: &JobId) {
        self.stops().remove(id);
    }

    pub(crate) fn is_running(&self, id: &JobId) -> bool {
        self.running().contains_key(id)
    }

    /// True while this process runs no job.
    pub(crate) fn is_idle(&self) -> bool {
        self.running().is_empty()
    }

    pub(crate) fn wake(&self) {
        let (flag, condition) = &*self.wake;
        *flag.lock().unwrap_or_else(PoisonError::into_inner) = true;
        condition.notify_all();
    }

    /// What [`Runner::wake`] sets.
    pub(crate) fn wake_sign(&self) -> Arc<(Mutex<bool>, Condvar)> {
        Arc::clone(&self.wake)
    }

    /// See [`App::hold_queue`].
    pub(crate) fn is_held(&self) -> bool {
        self.held.load(Ordering::SeqCst)
    }

    /// Tells the worker of a job something, whichever process started it.
    pub(crate) fn control(&self, app: &App, id: &JobId, control: Control) -> Result<(), AppError> {
        let Control::Stop(stopping) = control;
        self.stops().insert(id.clone(), stopping);
        let told = self.running().get_mut(id).is_some_and(|stdin| {
            writeln!(stdin, "{}", stopping.word())
                .and_then(|()| stdin.flush())
                .is_ok()
        });
        // A file that stays where it is tells that the worker hears nothing.
        if told && stopping != Stopping::Cancel {
            return Ok(());
        }
        let path = app.job_folder(id).join(STOP_FILE);
        std::fs::write(&path, stopping.word()).map_err(|e| explain::data_folder(&path, &e))
    }
}

/// How glibc gives memory to a worker (`mallopt(3)`); other C libraries ignore these. Every segment
/// has an encoder of its own, and every picture the same large buffers: kept, their pages need not be
/// made anew, which was 155,000 of 175,000 page faults in a minute of video. What is kept is bounded.
const MALLOC: [(&str, &str); 2] = [
    ("MALLOC_MMAP_THRESHOLD_", "33554432"),
    ("MALLOC_TRIM_THRESHOLD_", "268435456"),
];

/// x264 (core 164) reads memory that it never wrote, so that what a segment becomes depended on what
/// lay there before: on whether it is the first of its process, as after a resume, or a later one.
/// 4 of 16 runs differed, none of 56 with memory of known content. A worker of many small pictures has
/// no such encoder.
const MALLOC_OF_ENCODERS: (&str, &str) = ("MALLOC_PERTURB_", "170");

/// So often a job is started again at the same place as it was, before it is done more carefully.
const SAME_AGAIN: u32 = 1;

/// How a worker came to its end.
struct Ended {
    /// What became of it, as a sentence, if it left its job without a word.
    what: Said,
    /// The status and its last words.
    details: String,
    /// It said itself what became of the job.
    in_order: bool,
    /// It looks as if memory ran out.
    memory: bool,
}

/// Can what computes this job be told to use shorter numbers than it does, without breaking what
/// was promised?
fn has_shorter_numbers(job: &Job) -> bool {
    !job.spec.compute.deterministic
        && job.provider.as_ref().is_some_and(|choice| {
            choice.arithmetic == Arithmetic::F32
                && !frameloom_infer::shorter_numbers(&choice.device).is_empty()
        })
}

/// What can be done more carefully with a job.
pub(crate) fn room_for_caution(job: &Job, plan: &Plan) -> CautionRoom {
    CautionRoom {
        models: !plan.models.is_empty(),
        elsewhere: plan.models.iter().any(|used| {
            used.choice.as_ref().is_none_or(|choice| {
                choice.device != Device::Cpu || choice.arithmetic != Arithmetic::F32
            })
        }),
        shorter_numbers: has_shorter_numbers(job),
    }
}

/// May a job that failed for `reason` be tried again as it is? What failed so before will fail so
/// again; and what fails in another way each time comes to an end too.
fn may_try_as_it_is(warnings: &[Warning], reason: &str) -> bool {
    const MOST: usize = 3;
    let mut earlier = warnings.iter().filter_map(|warning| match warning {
        Warning::SteppedDown { reason, .. } => Some(reason.as_str()),
        _ => None,
    });
    earlier.clone().count() < MOST && !earlier.any(|before| before == reason)
}

/// The system kills what takes too much memory.
fn was_killed(status: &std::io::Result<ExitStatus>) -> bool {
    #[cfg(unix)]
    if let Ok(status) = status {
        return std::os::unix::process::ExitStatusExt::signal(status) == Some(9);
    }
    let _ = status;
    false
}

impl App {
    /// Does one job and returns when it came to rest: its row then says how. Events reach the
    /// listeners meanwhile; [`App::stop`] can be called from another thread.
    ///
    /// A worker that crashed, was killed or hangs is started again from the last finished segment:
    /// first as it was, then more carefully, as the job's warnings say.
    ///
    /// # Errors
    /// The worker cannot be started, or the database refuses. A job that failed is no error here.
    pub fn run_job(&self, id: &JobId) -> Result<Job, AppError> {
        let result = self.run_until_rest(id);
        self.runner.disown(id);
        self.runner.forget_stop(id);
        let job = self.job(id)?;
        result?;
        self.clean_up(&job);
        self.changed(id)?;
        Ok(job)
    }

    fn run_until_rest(&self, id: &JobId) -> Result<(), AppError> {
        let (mut place, mut tries) = (None, 0);
        loop {
            let ended = self.run_worker(id)?;
            match self.job(id)?.state {
                // Its own check made the worker ask for another, more careful one.
                JobState::Queued if ended.in_order => continue,
                JobState::Running | JobState::Queued => {}
                _ => return Ok(()),
            }
            if folder::is_held(&self.job_folder(id), WORKER_LOCK) {
                // This worker was refused: another process' does the job.
                return Ok(());
            }
            let done = self.store.segments(id).map_err(explain::store)?.len();
            tries = if place == Some(done) { tries + 1 } else { 1 };
            place = Some(done);
            // A request that the worker did not live to take.
            if let Some(stopping) = take_stop_file(&self.job_folder(id)) {
                self.runner.stops().insert(id.clone(), stopping);
            }
            let may_retry = !self.runner.is_stopping(id);
            let mut again = may_retry && tries <= SAME_AGAIN;
            if again {
                self.note_retry(self.job(id)?, &ended.what, Caution::Usual)?;
            } else if may_retry {
                again = self.step_down(id, &ended.what, ended.memory)?;
            }
            tracing::warn!(job = %id, what = %ended.what, details = ended.details, again, "a worker ended");
            let (state, error) = if again {
                (JobState::Queued, None)
            } else if self.runner.wanted_stop(id) == Some(Stopping::Cancel) {
                (JobState::Cancelled, None)
            } else {
                let crash = AppError::new(ErrorCode::WorkerCrashed, ended.what)
                    .hint(explain::hint(ErrorCode::WorkerCrashed).unwrap_or_default())
                    .details(ended.details);
                (JobState::Interrupted, Some(crash))
            };
            let alive = [JobState::Running, JobState::Queued];
            if !self.change(id, &alive, state, error.as_ref())? || !again {
                return Ok(());
            }
        }
    }

    /// Notes that the rest of a job is to be done more carefully; false if it is already done as
    /// carefully as can be.
    pub(crate) fn step_down(
        &self,
        id: &JobId,
        reason: &Said,
        memory: bool,
    ) -> Result<bool, AppError> {
        let row = self.row(id)?;
        let room = room_for_caution(&row.job, &jobs::parse_plan(&row)?);
        let Some(to) = Caution::of(&row.job.warnings).next(memory, room) else {
            return Ok(false);
        };
        self.note_retry(row.job, reason, to)?;
        Ok(true)
    }

    /// As [`App::step_down`]; a job that nothing can be made safer of is tried once more as it is,
    /// unless it failed in this very way before.
    pub(crate) fn try_again(
        &self,
        id: &JobId,
        reason: &Said,
        memory: bool,
    ) -> Result<bool, AppError> {
        if self.step_down(id, reason, memory)? {
            return Ok(true);
        }
        let job = self.job(id)?;
        if !may_try_as_it_is(&job.warnings, &reason.text) {
            return Ok(false);
        }
        self.note_retry(job, reason, Caution::Usual)?;
        Ok(true)
    }

    /// Notes with a job what went wrong and how it goes on.
    fn note_retry(&self, job: Job, reason: &Said, to: Caution) -> Result<(), AppError> {
        let mut warnings = job.warnings;
        let note = Warning::stepped_down(reason.clone(), to);
        if !warnings.contains(&note) {
            warnings.push(note);
        }
        self.store
            .set_warnings(&job.id, &warnings)
            .map_err(explain::store)
    }

    /// Starts a worker and listens to it until it ends.
    fn run_worker(&self, id: &JobId) -> Result<Ended, AppError> {
        let mut child = self.spawn_worker(id, None)?;
        let (mut listener, stdin) = WorkerListener::of(&mut child)?;
        self.runner.running().insert(id.clone(), stdin);
        // A stop that came between two workers is meant for this one.
        if let Some(stopping) = self.runner.wanted_stop(id) {
            let _ = self.runner.control(self, id, Control::Stop(stopping));
        }
        let mut hung = self.listen_to(id, &mut listener);
        let status = if hung.is_some() {
            let _ = child.kill();
            child.wait()
        } else {
            let (status, stayed) = wait_for_end(&mut child);
            hung = stayed;
            status
        };
        self.runner.running().remove(id);
        let stderr = listener.last_words();
        let what = match (&hung, &status) {
            (Some(hung), _) => hung.clone(),
            (None, Ok(status)) => how_it_ended(*status, &stderr),
            (None, Err(error)) => said!(
                "process.lost",
                "The process that did this job was lost ({error}).",
                error = Said::from(error.to_string())
            ),
        };
        let memory = hung.is_none() && (was_killed(&status) || tells_of_memory(&stderr));
        let in_order = hung.is_none() && matches!(&status, Ok(status) if status.success());
        let details = match status {
            Ok(status) => format!("{status}; {stderr}"),
            Err(_) => stderr,
        };
        Ok(Ended {
            what,
            details,
            in_order,
            memory,
        })
    }

    /// Passes on what a worker says until it ends (`None`) or must be ended, with the reason.
    fn listen_to(&self, id: &JobId, listener: &mut WorkerListener) -> Option<Said> {
        loop {
            match listener.listen() {
                Heard::Event(WorkerEvent::Progress { id, progress }) => {
                    self.tell(&JobEvent::Progress { id, progress });
                }
                Heard::Event(WorkerEvent::Changed { .. }) => {
                    // The row is read again at the end; the job goes on either way.
                    if let Err(error) = self.changed(id) {
                        tracing::warn!(%error, "a changed job could not be read");
                    }
                }
                Heard::Event(_) | Heard::Nothing => {}
                Heard::Closed => return None,
                Heard::GivenUp(reason) => return Some(reason),
            }
            if listener.is_frozen() && self.is_to_stop_at_once(id) {
                return Some(said!(
                    "process.frozen",
                    "The process that did this job did not stop when it was told to."
                ));
            }
        }
    }

    /// Was the job told to stop at once, by this process or by a request that no worker has taken?
    fn is_to_stop_at_once(&self, id: &JobId) -> bool {
        let asked = self.runner.wanted_stop(id);
        let asked = asked.or_else(|| stop_file(&self.job_folder(id)));
        matches!(asked, Some(Stopping::Cancel | Stopping::InterruptNow))
    }

    /// Asks a running job to stop, without judging its state.
    ///
    /// # Errors
    /// The worker cannot be reached.
    pub fn stop(&self, id: &JobId, stopping: Stopping) -> Result<(), AppError> {
        self.runner.control(self, id, Control::Stop(stopping))
    }

    /// Starts a worker for one job; or, with `lanes`, for many of which this is the first.
    pub(crate) fn spawn_worker(&self, id: &JobId, lanes: Option<usize>) -> Result<Child, AppError> {
        let mut command = Command::new(&self.places.worker);
        command
            .arg("worker")
            .arg("--data-dir")
            .arg(&self.places.data);
        match lanes {
            None => command.arg("--job").arg(&id.0),
            Some(lanes) => command.arg("--lanes").arg(lanes.to_string()),
        };
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if !self.places.extra_models.is_empty() {
            command.env(
                "FRAMELOOM_MODELS_DIR",
                std::env::join_paths(&self.places.extra_models).unwrap_or_default(),
            );
        }
        if cfg!(target_env = "gnu") {
            let encoders = lanes.is_none().then_some(MALLOC_OF_ENCODERS);
            for (name, value) in MALLOC.into_iter().chain(encoders) {
                if std::env::var_os(name).is_none() {
                    command.env(name, value);
                }
            }
        }
        // A group of its own: Ctrl-C on the terminal is for the command, which then asks the
        // worker to finish its segment.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        #[cfg(windows)]
        {
            const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
            const CREATE_NO_WINDOW: u32 = 0x0800_0000;
            const BELOW_NORMAL_PRIORITY_CLASS: u32 = 0x4000;
            let priority = match self.job(id)?.spec.compute.priority {
                Priority::Low => BELOW_NORMAL_PRIORITY_CLASS,
                Priority::Normal => 0,
            };
            std::os::windows::process::CommandExt::creation_flags(
                &mut command,
                CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW | priority,
            );
        }
        command.spawn().map_err(|error| {
            AppError::new(
                ErrorCode::Internal,
                said!(
                    "process.unstartable",
                    "A process of this program cannot be started."
                ),
            )
            .hint("Install Frameloom again.")
            .details(error.to_string())
        })
    }

    /// Lets no further job of the queue begin, as while a window closes behind the part at hand; or
    /// lets them begin again.
    pub fn hold_queue(&self, held: bool) {
        self.runner.held.store(held, Ordering::SeqCst);
        if !held {
            self.runner.wake();
        }
    }
}

/// Reads and removes a stop request that another process left.
pub(crate) fn take_stop_file(folder: &Path) -> Option<Stopping> {
    let stopping = stop_file(folder)?;
    std::fs::remove_file(folder.join(STOP_FILE)).ok()?;
    Some(stopping)
}

/// The stop request that another process left.
pub(crate) fn stop_file(folder: &Path) -> Option<Stopping> {
    let word = std::fs::read_to_string(folder.join(STOP_FILE)).ok()?;
    Stopping::parse(word.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps that a job goes through, one failure after another.
    fn ladder(memory: bool, room: CautionRoom) -> Vec<Caution> {
        let mut warnings = Vec::new();
        let mut steps = Vec::new();
        while let Some(to) = Caution::of(&warnings).next(memory, room) {
            warnings.push(Warning::stepped_down("Memory ran out.", to));
            steps.push(to);
            assert!(steps.len() < 10, "a ladder must end: {steps:?}");
        }
        steps
    }

    #[cfg(unix)]
    #[test]
    fn an_end_for_want_of_memory_is_told_from_a_crash() {
        use std::os::unix::process::ExitStatusExt;
        let how_it_ended = |status, words| super::how_it_ended(status, words).text;
        let abort = ExitStatus::from_raw(6);
        let words = "terminate called after throwing an instance of 'std::bad_alloc'";
        assert!(how_it_ended(abort, words).contains("memory"));
        assert!(how_it_ended(abort, "memory allocation of 800 bytes failed").contains("memory"));
        let fault = ExitStatus::from_raw(11);
        assert!(
            how_it_ended(fault, "x264 [error]: malloc of size 591680 failed").contains("memory")
        );
        assert!(how_it_ended(abort, "assertion failed").contains("crashed (signal 6)"));
        assert!(how_it_ended(ExitStatus::from_raw(11), "").contains("crashed (signal 11)"));
        assert!(how_it_ended(ExitStatus::from_raw(9), "").contains("killed"));
        assert!(how_it_ended(ExitStatus::from_raw(101 << 8), "").contains("a fault of its own"));
    }

    #[test]
    fn a_job_goes_down_by_smaller_tiles_shorter_numbers_and_the_processor() {
        use Caution::{LowPrecision, Processor, SmallTiles};
        let all = CautionRoom {
            models: true,
            elsewhere: true,
            shorter_numbers: true,
        };
        let exact = CautionRoom {
            shorter_numbers: false,
            ..all
        };
        assert_eq!(ladder(true, all), [SmallTiles, LowPrecision, Processor]);
        // Shorter numbers help neither a crash nor a provider that has none.
        assert_eq!(ladder(false, all), [SmallTiles, Processor]);
        assert_eq!(ladder(true, exact), [SmallTiles, Processor]);
    }

    #[test]
    fn steps_that_change_nothing_for_a_job_are_not_taken() {
        let here = CautionRoom {
            models: true,
            elsewhere: false,
            shorter_numbers: false,
        };
        assert_eq!(ladder(false, here), [Caution::SmallTiles]);
        let none = CautionRoom {
            models: false,
            ..here
        };
        assert!(ladder(true, none).is_empty());
    }

    #[test]
    fn what_fails_twice_in_the_same_way_ends_and_so_does_what_fails_ever_differently() {
        let failed = |reasons: &[&str]| -> Vec<Warning> {
            let one = |reason: &&str| Warning::stepped_down(*reason, Caution::Usual);
            reasons.iter().map(one).collect()
        };
        assert!(may_try_as_it_is(&failed(&[]), "It is flat."));
        assert!(!may_try_as_it_is(&failed(&["It is flat."]), "It is flat."));
        assert!(may_try_as_it_is(
            &failed(&["It was killed."]),
            "It is flat."
        ));
        assert!(!may_try_as_it_is(&failed(&["a", "b", "c"]), "It is flat."));
    }
}
