//! The process that does one job: `worker --data-dir DIR --job ID`.
//!
//! It takes the job's lock, does the job, and writes state, progress and segments to the database
//! itself. Standard output carries one JSON object per line ([`WorkerEvent`]); standard input takes
//! one word per line (`pause`, `interrupt`, `interrupt-now`, `cancel`), and its end means that
//! whoever started the worker is gone: then it stops at once, so that no process is orphaned.

use crate::runner::{self, STOP_FILE, Stopping, take_stop_file};
use crate::{App, Places, explain, jobs, logging};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{
    Job, JobId, JobProgress, JobSpec, JobState, PictureSizes, ProviderChoice, Step,
};
use frameloom_core::media::Warning;
use frameloom_engine::execute::Threads;
use frameloom_engine::{
    Cancel, Context, EngineError, Finished, Journal, Plan, Progress, SegmentRecord, Stop,
};
use frameloom_infer::Runtime;
use frameloom_store::{SegmentRow, Store};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a worker says on its standard output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum WorkerEvent {
    /// It moved on.
    Progress {
        /// How far.
        progress: JobProgress,
    },
    /// The job's row changed.
    Changed,
}

/// Exit status for arguments that make no sense.
const USAGE: u8 = 2;
/// Exit status when the job could not even be taken.
const NOT_TAKEN: u8 = 4;

/// Runs as a worker with the arguments after `worker`.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut data = None;
    let mut job = None;
    let mut arguments = arguments.into_iter();
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        match name.to_str() {
            Some("--data-dir") => data = Some(PathBuf::from(value)),
            Some("--job") => job = value.into_string().ok(),
            _ => return ExitCode::from(USAGE),
        }
    }
    let (Some(data), Some(job)) = (data, job) else {
        return ExitCode::from(USAGE);
    };
    match work(data, JobId(job)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The starter shows the last words of a worker that could not even begin.
            let _ = writeln!(std::io::stderr(), "{error}: {:?}", error.details);
            ExitCode::from(NOT_TAKEN)
        }
    }
}

fn work(data: PathBuf, id: JobId) -> Result<(), AppError> {
    let app = App::open(Places::discover(Some(data))?)?;
    let _log = logging::start(&app.places, "worker");
    let folder = app.job_folder(&id);
    let lock = runner::lock(&folder)
        .map_err(|error| explain::data_folder(&folder, &error))?
        .ok_or_else(|| {
            AppError::new(
                ErrorCode::JobState,
                format!("Job {id} is being done already."),
            )
        })?;
    if !app.change(&id, &[JobState::Queued], JobState::Running, None)? {
        return Err(AppError::new(
            ErrorCode::JobState,
            format!("Job {id} is not waiting to be done."),
        ));
    }
    say(&WorkerEvent::Changed);
    // A request that was meant for an earlier run.
    let _ = std::fs::remove_file(folder.join(STOP_FILE));
    let row = app.row(&id)?;
    let control = Arc::new(StopControl::default());
    listen_for_stop(control.clone(), folder.clone())?;
    let result = jobs::parse_plan(&row).and_then(|plan| perform(&app, &row.job, &plan, &control));
    let (state, error) = match result {
        Ok(finished) => {
            let spec = JobSpec {
                output: finished.output,
                ..row.job.spec
            };
            app.store.set_spec(&id, &spec).map_err(explain::store)?;
            (JobState::Succeeded, None)
        }
        Err(error) => match (error.code, control.wanted()) {
            (ErrorCode::Interrupted, Some(Stopping::Pause)) => (JobState::Paused, None),
            (_, Some(Stopping::Cancel)) => (JobState::Cancelled, None),
            (ErrorCode::Interrupted, _) => (
                JobState::Interrupted,
                Some(
                    AppError::new(ErrorCode::Interrupted, "The job was interrupted.")
                        .hint(explain::hint(ErrorCode::Interrupted).unwrap_or_default()),
                ),
            ),
            (ErrorCode::DiskFull, _) => (JobState::Interrupted, Some(error)),
            _ => (JobState::Failed, Some(error)),
        },
    };
    app.change(&id, &[JobState::Running], state, error.as_ref())?;
    drop(lock);
    if state == JobState::Succeeded || state == JobState::Cancelled {
        app.remove_parts(&id);
    }
    say(&WorkerEvent::Changed);
    Ok(())
}

fn perform(app: &App, job: &Job, plan: &Plan, control: &StopControl) -> Result<Finished, AppError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let reporter = Reporter::new(&app.store, job);
    let journal = StoreJournal {
        store: &app.store,
        id: &job.id,
    };
    let threads = Threads::for_cores(cores);
    let runtime = || -> Result<Arc<Runtime>, EngineError> {
        let library = app
            .places
            .onnxruntime()
            .unwrap_or_else(|_| PathBuf::from(crate::places::onnxruntime_file()));
        Ok(Runtime::load(&library)?)
    };
    let context = Context {
        runtime: &runtime,
        models: &app.models,
        work_dir: &app.job_folder(&job.id),
        threads,
        journal: &journal,
        progress: &reporter,
        cancel: &control.cancel,
    };
    let result = frameloom_engine::execute(&job.spec, plan, &context);
    reporter.store_now();
    result.map_err(|error| explain::engine(&error))
}

/// What the user wants, and the flag that the engine sees.
#[derive(Default)]
struct StopControl {
    cancel: Cancel,
    wanted: Mutex<Option<Stopping>>,
}

impl StopControl {
    fn wanted(&self) -> Option<Stopping> {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn request(&self, stopping: Stopping) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some(stopping);
        self.cancel.request(match stopping {
            Stopping::Pause | Stopping::Interrupt => Stop::AfterSegment,
            Stopping::InterruptNow | Stopping::Cancel => Stop::Now,
        });
    }
}

fn listen_for_stop(control: Arc<StopControl>, folder: PathBuf) -> Result<(), AppError> {
    let by_pipe = control.clone();
    std::thread::Builder::new()
        .name("control".to_owned())
        .spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { break };
                if let Some(stopping) = Stopping::parse(line.trim()) {
                    by_pipe.request(stopping);
                }
            }
            by_pipe.request(Stopping::InterruptNow);
        })
        .map_err(explain::internal)?;
    std::thread::Builder::new()
        .name("stop-file".to_owned())
        .spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(250));
                if let Some(stopping) = take_stop_file(&folder) {
                    control.request(stopping);
                }
            }
        })
        .map_err(explain::internal)?;
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
                frames: row.frames,
                part: row.part,
                part_bytes: row.part_bytes,
                last_source_pts: row.last_source_pts,
                last_source_hash: row.last_source_hash,
            })
            .collect())
    }

    fn record(&self, segment: &SegmentRecord) -> Result<(), EngineError> {
        let row = SegmentRow {
            position: segment.position,
            frames: segment.frames,
            part: segment.part.clone(),
            part_bytes: segment.part_bytes,
            last_source_pts: segment.last_source_pts,
            last_source_hash: segment.last_source_hash,
        };
        self.store
            .record_segment(self.id, &row, crate::now_millis())
            .map_err(journal_error)
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
/// Speed is measured over this time.
const SPEED_WINDOW: Duration = Duration::from_secs(10);
/// No forecast before this many frames and this much time.
const FORECAST_FRAMES: u64 = 3;
const FORECAST_AFTER: Duration = Duration::from_millis(1500);

/// Turns what the engine tells into progress, events and rows.
struct Reporter<'a> {
    store: &'a Store,
    id: &'a JobId,
    state: Mutex<ReporterState>,
    failed: AtomicBool,
}

struct ReporterState {
    progress: JobProgress,
    warnings: Vec<Warning>,
    began: Instant,
    elapsed_before_micros: u64,
    samples: VecDeque<(Instant, u64)>,
    last_event: Option<Instant>,
    last_store: Instant,
}

impl<'a> Reporter<'a> {
    fn new(store: &'a Store, job: &'a Job) -> Self {
        let now = Instant::now();
        Self {
            store,
            id: &job.id,
            state: Mutex::new(ReporterState {
                progress: job.progress,
                warnings: job.warnings.clone(),
                began: now,
                elapsed_before_micros: job.progress.elapsed_micros,
                samples: VecDeque::new(),
                last_event: None,
                last_store: now,
            }),
            failed: AtomicBool::new(false),
        }
    }

    fn update(&self, force: bool, change: impl FnOnce(&mut ReporterState)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let now = Instant::now();
        state.measure(now);
        if force || state.last_event.is_none_or(|at| now - at >= EVENT_INTERVAL) {
            state.last_event = Some(now);
            say(&WorkerEvent::Progress {
                progress: state.progress,
            });
        }
        if force || now - state.last_store >= STORE_INTERVAL {
            state.last_store = now;
            self.noted(self.store.set_progress(self.id, &state.progress));
        }
    }

    fn store_now(&self) {
        self.update(true, |_| {});
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
        if self.progress.step != Step::Processing {
            self.progress.remaining_micros = None;
            self.samples.clear();
            return;
        }
        self.samples.push_back((now, done));
        while self
            .samples
            .front()
            .is_some_and(|(at, _)| now - *at > SPEED_WINDOW)
            && self.samples.len() > 2
        {
            self.samples.pop_front();
        }
        let Some(&(since, from)) = self.samples.front() else {
            return;
        };
        let (span, frames) = (now - since, done.saturating_sub(from));
        if frames < FORECAST_FRAMES || span < FORECAST_AFTER {
            return;
        }
        let fps = frames as f64 / span.as_secs_f64();
        self.progress.fps = fps;
        self.progress.remaining_micros = self
            .progress
            .total
            .map(|total| (total.saturating_sub(done) as f64 / fps * 1e6) as u64);
    }
}

impl Progress for Reporter<'_> {
    fn step(&self, step: Step, total: Option<u64>) {
        self.update(true, |state| {
            state.progress.step = step;
            state.progress.total = total;
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

    fn warning(&self, warning: Warning) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.warnings.contains(&warning) {
            state.warnings.push(warning);
            self.noted(self.store.set_warnings(self.id, &state.warnings));
            say(&WorkerEvent::Changed);
        }
    }

    fn provider(&self, choice: &ProviderChoice) {
        self.noted(self.store.set_provider(self.id, choice));
        say(&WorkerEvent::Changed);
    }

    fn sizes(&self, sizes: PictureSizes) {
        self.noted(self.store.set_sizes(self.id, &sizes));
        say(&WorkerEvent::Changed);
    }
}
