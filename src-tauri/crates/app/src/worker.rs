//! The process that does a job: `worker --data-dir DIR --job ID`; or many small ones, some at once,
//! with what they have in common kept ready: `worker --data-dir DIR --lanes N`, which is told of each
//! by a line `do ID` and of the last by `end`.
//!
//! It takes the job's lock, does the job, and writes state, progress and segments to the database
//! itself. Standard output carries one JSON object per line ([`WorkerEvent`], at most
//! [`MAX_EVENT_BYTES`] long, beginning with the version of the protocol); standard input takes
//! one word per line (`pause`, `interrupt`, `interrupt-now`, `cancel`), and its end means that
//! whoever started the worker is gone: then it stops at once, so that no process is orphaned.

use crate::disk;
use crate::folder::{self, STOP_FILE, WORKER_LOCK};
use crate::forecast::{ENDING, Ending, Forecast};
use crate::onnx::JobModels;
use crate::runner::Stopping;
use crate::stopping::{Running, StopControl, interrupted};
use crate::{
    App, Places, compute, doctor, explain, jobs, logging, memory, model_speed, now_millis, onnx,
    project, viewer,
};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{
    Job, JobId, JobProgress, JobSpec, JobState, PictureSizes, ProviderChoice, Step,
};
use frameloom_core::media::{Caution, Warning};
use frameloom_engine::execute::{Pool, Threads};
use frameloom_engine::plan::MediumPlan;
use frameloom_engine::{Context, EngineError, Finished, Journal, Plan, Progress, SegmentRecord};
use frameloom_infer::Runtime;
use frameloom_store::{JobRow, Outcome, SegmentRow, Store};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a worker says on its standard output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum WorkerEvent {
    /// The first word.
    Hello {
        /// [`PROTOCOL_VERSION`].
        version: u32,
    },
    /// It lives; said every [`ALIVE_SECONDS`].
    Alive {
        /// A number that grows with everything that gets done.
        moved: u64,
    },
    /// A job moved on.
    Progress {
        /// Which.
        id: JobId,
        /// How far.
        progress: JobProgress,
    },
    /// A job's row changed.
    Changed {
        /// Which.
        id: JobId,
    },
    /// A job came to rest, of many.
    Ended {
        /// Which.
        id: JobId,
    },
}

/// Version of what worker and starter say to each other.
pub(crate) const PROTOCOL_VERSION: u32 = 2;
/// Seconds between two signs of life.
pub(crate) const ALIVE_SECONDS: u64 = 2;
/// No event is longer.
const MAX_EVENT_BYTES: u64 = 64 * 1024;

/// The next event; `None` at the end of the stream, or where it is no stream of events at all.
pub(crate) fn read_event(from: &mut impl BufRead) -> Option<Result<WorkerEvent, String>> {
    let mut line = Vec::new();
    let read = from
        .by_ref()
        .take(MAX_EVENT_BYTES)
        .read_until(b'\n', &mut line);
    match read {
        Ok(0) | Err(_) => None,
        // Cut off: by its end, or by its length, after which nothing can be trusted.
        Ok(_) if line.last() != Some(&b'\n') => None,
        Ok(_) => Some(serde_json::from_slice(&line).map_err(|error| error.to_string())),
    }
}

/// Exit status for arguments that make no sense.
const USAGE: u8 = 2;
/// Exit status when the job could not even be taken.
const NOT_TAKEN: u8 = 4;

/// Runs as a worker with the arguments after `worker`.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let (mut data, mut job, mut lanes) = (None, None, None);
    let (mut inspected, mut hints, mut machine, mut speed) = (None, None, None, None);
    let mut views = None;
    let mut frames = None;
    let mut arguments = arguments.into_iter();
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        match name.to_str() {
            Some("--data-dir") => data = Some(PathBuf::from(value)),
            Some("--job") => job = value.into_string().ok(),
            Some("--lanes") => lanes = value.to_str().and_then(|lanes| lanes.parse().ok()),
            // Not a job: a model of a stranger is looked at.
            Some("--inspect") => inspected = Some(PathBuf::from(value)),
            // Nor this: the machine is looked at, its drivers included.
            Some("--machine") => machine = Some(PathBuf::from(value)),
            // Nor this: single pictures of graphs, for whoever builds them.
            Some("--views") => views = Some(PathBuf::from(value)),
            // A few frames of a result are rendered, to be compared.
            Some("--frames") => frames = Some(PathBuf::from(value)),
            Some("--hints") => hints = value.into_string().ok(),
            // Nor this: a model is measured.
            Some("--speed") => speed = value.into_string().ok(),
            _ => return ExitCode::from(USAGE),
        }
    }
    if let (Some(path), Some(hints)) = (inspected, hints) {
        return onnx::inspect_here(&path, &hints);
    }
    if let Some(data) = machine {
        return doctor::look_here(data);
    }
    if let (Some(data), Some(id)) = (&data, &speed) {
        return model_speed::measure_here(data.clone(), id);
    }
    if let Some(data) = views {
        return viewer::show_here(data);
    }
    if let (Some(data), Some(question)) = (&data, frames) {
        return project::frames::render_here(data.clone(), &question);
    }
    let result = match (data, job, lanes) {
        (Some(data), Some(job), None) => work(data, &JobId(job)),
        (Some(data), None, Some(lanes)) => work_on_many(data, lanes),
        _ => return ExitCode::from(USAGE),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The starter shows the last words of a worker that could not even begin.
            let _ = writeln!(std::io::stderr(), "{error}: {:?}", error.details);
            ExitCode::from(NOT_TAKEN)
        }
    }
}

fn hello() {
    say(&WorkerEvent::Hello {
        version: PROTOCOL_VERSION,
    });
}

fn work(data: PathBuf, id: &JobId) -> Result<(), AppError> {
    let app = App::open_in_worker(Places::discover(Some(data))?)?;
    // Before any thread is started, for threads inherit it.
    compute::apply(&app.job(id)?.spec.compute);
    let _log = logging::start(&app.places, "worker", "warn");
    let running = Running::default();
    let moved = Arc::new(AtomicU64::new(0));
    let begin = || {
        hello();
        running.listen_for_stop(&app, None)?;
        show_life(moved.clone())
    };
    do_job(&app, id, &running, &moved, None, &begin)
}

/// What jobs of one process have in common.
#[derive(Default)]
struct Warm {
    pool: Pool,
    /// Jobs at once.
    lanes: usize,
}

/// Does the jobs that it is told of, as many at once as there are lanes, until it is told that
/// there are no more, or to stop.
fn work_on_many(data: PathBuf, lanes: usize) -> Result<(), AppError> {
    let app = App::open_in_worker(Places::discover(Some(data))?)?;
    // The first says how all of them share the processor; before any thread is started.
    let mut first = String::new();
    std::io::stdin()
        .read_line(&mut first)
        .map_err(explain::internal)?;
    let Some(first) = job_of(&first) else {
        return Ok(());
    };
    compute::apply(&app.job(&first)?.spec.compute);
    let _log = logging::start(&app.places, "worker", "warn");
    hello();
    let running = Running::default();
    let moved = Arc::new(AtomicU64::new(0));
    show_life(moved.clone())?;
    let (tell, jobs) = std::sync::mpsc::channel();
    let _ = tell.send(first);
    running.listen_for_stop(&app, Some(tell))?;
    let jobs = Mutex::new(jobs);
    let warm = Warm {
        pool: Pool::default(),
        lanes: lanes.clamp(1, MAX_LANES),
    };
    std::thread::scope(|scope| {
        for _ in 0..warm.lanes {
            scope.spawn(|| {
                loop {
                    let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(id) = next else { break };
                    if running.is_stopping() {
                        break;
                    }
                    if let Err(error) = do_job(&app, &id, &running, &moved, Some(&warm), &|| Ok(())) {
                        tracing::error!(%error, details = ?error.details, "a job could not be done");
                    }
                    say(&WorkerEvent::Ended { id });
                }
            });
        }
    });
    Ok(())
}

/// More at once would only cost memory.
const MAX_LANES: usize = 16;

/// The job of a line `do ID`.
pub(crate) fn job_of(line: &str) -> Option<JobId> {
    let id = line.trim().strip_prefix("do ")?;
    Some(JobId(id.trim().to_owned()))
}

/// Takes a job, does it, and says what became of it. `begin` is called once the job is this
/// process's.
fn do_job(
    app: &App,
    id: &JobId,
    running: &Running,
    moved: &Arc<AtomicU64>,
    warm: Option<&Warm>,
    begin: &dyn Fn() -> Result<(), AppError>,
) -> Result<(), AppError> {
    let changed = || say(&WorkerEvent::Changed { id: id.clone() });
    let folder = app.job_folder(id);
    let lock = folder::lock(&folder, WORKER_LOCK)
        .map_err(|error| explain::data_folder(&folder, &error))?
        .ok_or_else(|| {
            AppError::new(
                ErrorCode::JobState,
                format!("Job {id} is being done already."),
            )
        })?;
    if let Err(error) = folder::write_worker(&folder) {
        tracing::warn!(%error, "which process does the job could not be noted");
    }
    // A request that was meant for an earlier run; one for this run comes when it is running.
    let _ = std::fs::remove_file(folder.join(STOP_FILE));
    if !app.change(id, &[JobState::Queued], JobState::Running, None)? {
        return Err(AppError::new(
            ErrorCode::JobState,
            format!("Job {id} is not waiting to be done."),
        ));
    }
    let control = Arc::new(StopControl::default());
    running.enter(id, folder, control.clone());
    begin()?;
    changed();
    let row = app.row(id)?;
    let result = jobs::parse_plan(&row)
        .map_err(Failure::from)
        .and_then(|plan| perform(app, &row, plan, &control, moved.clone(), warm));
    running.came_back(id);
    // What this process did is what counts, whoever thought it dead meanwhile.
    let believed = [JobState::Running, JobState::Interrupted];
    let (state, error) = match result {
        Ok(finished) => {
            let receipt = app.row(id).and_then(|row| {
                let plan = jobs::parse_plan(&row)?;
                let alive = || {
                    moved.fetch_add(1, Ordering::Relaxed);
                };
                // Many jobs of one process share what it used.
                let memory = warm.map_or_else(memory::most_used, |_| None);
                app.make_receipt(&row.job, &plan, &finished, memory, &alive)
            });
            if let Err(error) = &receipt {
                // The result is there and was checked; only the proof of it is missing.
                tracing::error!(%error, details = ?error.details, "the receipt could not be written");
            }
            let spec = JobSpec {
                output: finished.output,
                ..row.job.spec
            };
            let outcome = Outcome {
                spec: &spec,
                receipt: receipt.as_deref().ok(),
            };
            app.store
                .succeed(id, &believed, &outcome, now_millis())
                .map_err(explain::store)?;
            (JobState::Succeeded, None)
        }
        Err(Failure { error, for_caution }) => match (error.code, control.wanted()) {
            (ErrorCode::Interrupted, Some(Stopping::Pause)) => (JobState::Paused, None),
            (ErrorCode::Interrupted, None) if control.no_room().is_some() => {
                (JobState::Paused, control.no_room())
            }
            (_, Some(Stopping::Cancel)) => (JobState::Cancelled, None),
            (ErrorCode::Interrupted, _) => (JobState::Interrupted, Some(interrupted())),
            // A full disk is no failure: the job waits until there is room.
            (ErrorCode::DiskFull, _) => (JobState::Paused, Some(error)),
            // A segment that is not what it should be is done again, more carefully, as often as
            // that can be said.
            (code, None)
                if for_caution
                    && app.try_again(id, &error.message, code == ErrorCode::OutOfMemory)? =>
            {
                (JobState::Queued, None)
            }
            _ => (JobState::Failed, Some(error)),
        },
    };
    running.leave(id);
    if state != JobState::Succeeded {
        app.change(id, &believed, state, error.as_ref())?;
    }
    drop(lock);
    if state == JobState::Succeeded || state == JobState::Cancelled {
        app.remove_parts(id);
    }
    changed();
    Ok(())
}

/// Why a job was not done.
struct Failure {
    error: AppError,
    /// Whether a more careful run may do better.
    for_caution: bool,
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        let of_caution = [ErrorCode::VerificationFailed, ErrorCode::OutOfMemory];
        Self {
            for_caution: of_caution.contains(&error.code),
            error,
        }
    }
}

fn perform(
    app: &App,
    row: &JobRow,
    mut plan: Plan,
    control: &StopControl,
    moved: Arc<AtomicU64>,
    warm: Option<&Warm>,
) -> Result<Finished, Failure> {
    let cores = compute::budget(&row.job.spec.compute);
    let mut threads = Threads::for_cores(cores / warm.map_or(1, |warm| warm.lanes));
    let models = JobModels {
        store: &app.models,
        onnx: plan.onnx.clone(),
    };
    app.settle(row, &mut plan, &models, threads, &control.cancel)?;
    if let MediumPlan::Video(video) = &plan.medium {
        threads.encode = video.encoder_threads.unwrap_or(threads.encode);
    }
    // With what settling had to say of it.
    let job = &app.job(&row.job.id)?;
    let reporter = Reporter::new(&app.store, job, moved);
    let folder = app.job_folder(&job.id);
    let journal = StoreJournal {
        store: &app.store,
        folder: &folder,
        output: &job.spec.output,
        control,
        id: &job.id,
    };
    let runtime = || -> Result<Arc<Runtime>, EngineError> {
        // Never by a bare name: that would be looked for where the program happens to be started.
        Ok(Runtime::load(&app.places.onnxruntime_or_missing())?)
    };
    let context = Context {
        runtime: &runtime,
        models: &models,
        work_dir: &folder,
        threads,
        journal: &journal,
        progress: &reporter,
        cancel: &control.cancel,
        caution: Caution::of(&job.warnings),
        pool: warm.map(|warm| &warm.pool),
        compute: job.spec.compute,
        chosen: plan
            .models
            .iter()
            .filter_map(|used| Some((used.id.clone(), used.choice.clone()?)))
            .collect(),
    };
    let result = frameloom_engine::execute(&job.spec, &plan, &context);
    reporter.store_now();
    if result.is_ok() {
        reporter.learn();
    }
    result.map_err(|error| {
        let told = explain::engine(&error);
        Failure {
            for_caution: error.is_for_caution(),
            error: match told.code {
                // It was in the plan, so there is one; x264 has no word of its own for want of
                // memory.
                ErrorCode::EncoderUnavailable => told.hint(
                    "If it worked before, memory may have run out: close other programs and start the job again. \
                     Otherwise choose another codec or container; `frameloom doctor` shows the encoders of this machine.",
                ),
                _ => told,
            },
        }
    })
}

/// Tells the starter every two seconds that this process lives, and whether it gets on.
fn show_life(moved: Arc<AtomicU64>) -> Result<(), AppError> {
    std::thread::Builder::new()
        .name("alive".to_owned())
        .spawn(move || {
            loop {
                say(&WorkerEvent::Alive {
                    moved: moved.load(Ordering::Relaxed),
                });
                // Where the system keeps no mark, the moments at which it is asked are what is known.
                let _ = memory::most_used();
                std::thread::sleep(Duration::from_secs(ALIVE_SECONDS));
            }
        })
        .map_err(explain::no_thread)?;
    Ok(())
}

fn say(event: &WorkerEvent) {
    if let Ok(line) = serde_json::to_string(event) {
        // A starter that is gone is noticed through standard input.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

struct StoreJournal<'a> {
    store: &'a Store,
    folder: &'a Path,
    output: &'a Path,
    control: &'a StopControl,
    id: &'a JobId,
}

fn journal_error(error: frameloom_store::StoreError) -> EngineError {
    EngineError::Journal {
        disk_full: error.code() == ErrorCode::DiskFull,
        source: Box::new(error),
    }
}

impl Journal for StoreJournal<'_> {
    fn completed(&self) -> Result<Vec<SegmentRecord>, EngineError> {
        let rows = self.store.segments(self.id).map_err(journal_error)?;
        Ok(rows
            .into_iter()
            .map(|row| SegmentRecord {
                position: row.position,
                clip: row.clip,
                source_frames: row.source_frames,
                frames: row.frames,
                part: row.part,
                part_bytes: row.part_bytes,
                last_source_pts: row.last_source_pts,
                last_source_hash: row.last_source_hash,
                // Rows of older versions have none.
                check: serde_json::from_str(&row.picture_check).unwrap_or_default(),
                // Without them a clip is read from its start.
                sides: serde_json::from_str(&row.sides).unwrap_or_default(),
            })
            .collect())
    }

    fn record(&self, segment: &SegmentRecord) -> Result<(), EngineError> {
        let row = SegmentRow {
            position: segment.position,
            clip: segment.clip,
            source_frames: segment.source_frames,
            frames: segment.frames,
            part: segment.part.clone(),
            part_bytes: segment.part_bytes,
            last_source_pts: segment.last_source_pts,
            last_source_hash: segment.last_source_hash,
            picture_check: serde_json::to_string(&segment.check).unwrap_or_default(),
            sides: serde_json::to_string(&segment.sides).unwrap_or_else(|_| "[]".to_owned()),
        };
        // Only needed if the database is lost; a line too many is found out when its part is read.
        if let Err(error) = folder::append_segment(self.folder, &row) {
            tracing::warn!(%error, "a segment could not be noted beside its part");
        }
        self.store
            .record_segment(self.id, &row, crate::now_millis())
            .map_err(journal_error)?;
        if let Some(error) = disk::watch(self.folder, segment.part_bytes) {
            self.control.pause_for_room(error);
        }
        Ok(())
    }

    fn joining(&self, bytes: u64) -> Result<(), EngineError> {
        match disk::watch_output(self.output, bytes) {
            Some(error) => {
                self.control.pause_for_room(error);
                Err(EngineError::Stopped)
            }
            None => Ok(()),
        }
    }

    fn forget_from(&self, position: u64) -> Result<(), EngineError> {
        self.store
            .forget_segments_from(self.id, position)
            .map_err(journal_error)
    }
}

/// Events to the starter at most this often.
const EVENT_INTERVAL: Duration = Duration::from_millis(100);
/// Progress to the database at most this often.
const STORE_INTERVAL: Duration = Duration::from_secs(1);

/// Turns what the engine tells into progress, events and rows.
struct Reporter<'a> {
    store: &'a Store,
    id: &'a JobId,
    state: Mutex<ReporterState>,
    failed: AtomicBool,
    moved: Arc<AtomicU64>,
}

struct ReporterState {
    progress: JobProgress,
    warnings: Vec<Warning>,
    began: Instant,
    elapsed_before_micros: u64,
    forecast: Forecast,
    ending: Ending,
    last_event: Option<Instant>,
    last_store: Instant,
}

impl<'a> Reporter<'a> {
    fn new(store: &'a Store, job: &'a Job, moved: Arc<AtomicU64>) -> Self {
        let now = Instant::now();
        let pixels = job.sizes.map_or(0.0, |sizes| {
            f64::from(sizes.output.0) * f64::from(sizes.output.1)
        });
        // Without it the forecast begins with what is usual.
        let known = store.setting(ENDING).ok().flatten();
        Self {
            store,
            id: &job.id,
            state: Mutex::new(ReporterState {
                progress: job.progress,
                warnings: job.warnings.clone(),
                began: now,
                elapsed_before_micros: job.progress.elapsed_micros,
                forecast: Forecast::default(),
                ending: Ending::new(pixels, known.as_deref()),
                last_event: None,
                last_store: now,
            }),
            failed: AtomicBool::new(false),
            moved,
        }
    }

    fn update(&self, force: bool, change: impl FnOnce(&mut ReporterState)) {
        self.moved.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let now = Instant::now();
        state.measure(now);
        if force || state.last_event.is_none_or(|at| now - at >= EVENT_INTERVAL) {
            state.last_event = Some(now);
            say(&WorkerEvent::Progress {
                id: self.id.clone(),
                progress: state.progress,
            });
        }
        if force || now - state.last_store >= STORE_INTERVAL {
            state.last_store = now;
            self.noted(self.store.set_progress(self.id, &state.progress));
        }
    }

    fn changed(&self) {
        say(&WorkerEvent::Changed {
            id: self.id.clone(),
        });
    }

    fn store_now(&self) {
        self.update(true, |_| {});
    }

    /// The result is there: how long its end took is worth knowing for the next one.
    fn learn(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let frames = state.progress.total.unwrap_or(0);
        if let Some(learnt) = state.ending.learnt(state.began.elapsed(), frames) {
            self.noted(self.store.set_setting(ENDING, &learnt));
        }
    }

    /// Progress that cannot be stored is no reason to stop: segments are what counts.
    fn noted(&self, result: Result<(), frameloom_store::StoreError>) {
        if let Err(error) = result
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "progress cannot be stored");
        }
    }
}

impl ReporterState {
    fn measure(&mut self, now: Instant) {
        let done = self.progress.done;
        self.progress.elapsed_micros = self.elapsed_before_micros
            + u64::try_from((now - self.began).as_micros()).unwrap_or(u64::MAX);
        let now = now - self.began;
        let total = self.progress.total;
        let left = match self.progress.step {
            Step::Preparing => {
                self.forecast.clear();
                None
            }
            Step::Processing => {
                self.forecast.note(now, done);
                let Some(fps) = self.forecast.speed(now) else {
                    return;
                };
                self.progress.fps = fps;
                total.and_then(|total| {
                    let frames = self.forecast.remaining(now, done, total)?;
                    Some(frames + self.ending.coming(total))
                })
            }
            Step::Joining | Step::Verifying => {
                total.and_then(|total| self.ending.remaining(now, total))
            }
        };
        self.progress.remaining_micros =
            left.map(|left| u64::try_from(left.as_micros()).unwrap_or(u64::MAX));
    }
}

impl Progress for Reporter<'_> {
    fn step(&self, step: Step, total: Option<u64>) {
        self.update(true, |state| {
            state.progress.step = step;
            // What is counted in one step may be more than there is to do in the next.
            state.progress.total = total.map(|total| total.max(state.progress.done));
        });
    }

    fn done(&self, frames: u64) {
        self.update(false, |state| {
            state.progress.done = frames;
            // A container may promise fewer frames than it holds.
            if state.progress.total.is_some_and(|total| total < frames) {
                state.progress.total = Some(frames);
            }
        });
    }

    fn alive(&self) {
        self.moved.fetch_add(1, Ordering::Relaxed);
    }

    fn warning(&self, warning: Warning) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A resumed run counts on where the one before it stopped.
        let earlier = state.warnings.iter_mut().find_map(|w| match (w, &warning) {
            (Warning::DamagedFrames { frames: sum }, Warning::DamagedFrames { frames })
            | (Warning::TimestampsMended { frames: sum }, Warning::TimestampsMended { frames }) => {
                Some((sum, *frames))
            }
            _ => None,
        });
        if let Some((sum, frames)) = earlier {
            *sum += frames;
            self.noted(self.store.set_warnings(self.id, &state.warnings));
            self.changed();
        } else if !state.warnings.contains(&warning) {
            state.warnings.push(warning);
            self.noted(self.store.set_warnings(self.id, &state.warnings));
            self.changed();
        }
    }

    fn provider(&self, choice: &ProviderChoice) {
        self.noted(self.store.set_provider(self.id, choice));
        self.changed();
    }

    fn sizes(&self, sizes: PictureSizes) {
        self.noted(self.store.set_sizes(self.id, &sizes));
        self.changed();
    }
}
