//! The process that does a job: `worker --data-dir DIR --job ID`; or many small ones, some at once,
//! with what they have in common kept ready: `worker --data-dir DIR --lanes N`, which is told of each
//! by a line `do ID` and of the last by `end`.
//!
//! It takes the job's lock, does the job, and writes state, progress and segments to the database
//! itself. Standard output carries one JSON object per line ([`WorkerEvent`], at most
//! 64 KiB long, beginning with the version of the protocol); standard input takes
//! one word per line (`pause`, `interrupt`, `interrupt-now`, `cancel`), and its end means that
//! whoever started the worker is gone: then it stops at once, so that no process is orphaned.

mod events;
mod journal;
mod report;

pub use events::WorkerEvent;
pub(crate) use events::{ALIVE_SECONDS, PROTOCOL_VERSION, read_event};

use crate::folder::{self, STOP_FILE, WORKER_LOCK};
use crate::onnx::JobModels;
use crate::runner::Stopping;
use crate::stopping::{Running, StopControl, interrupted};
use crate::{
    App, Places, compute, doctor, explain, faces, jobs, logging, memory, model_speed, now_millis,
    onnx, project, scenes, silence, viewer,
};
use events::say;
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{JobId, JobSpec, JobState};
use frameloom_core::media::Caution;
use frameloom_core::said;
use frameloom_engine::execute::{Pool, Threads};
use frameloom_engine::plan::MediumPlan;
use frameloom_engine::{Context, EngineError, Finished, Plan};
use frameloom_infer::Runtime;
use frameloom_store::{JobRow, Outcome};
use journal::StoreJournal;
use report::Reporter;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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
    let mut listened = None;
    let (mut seen, mut faces) = (None, None);
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
            // A track is listened to, with a model that may be anybody's.
            Some("--listen") => listened = value.into_string().ok(),
            // All pictures of a clip are looked at, for its shots.
            Some("--scenes") => seen = value.into_string().ok(),
            // All pictures of a clip are looked at, for who is seen.
            Some("--faces") => faces = value.into_string().ok(),
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
    if let (Some(data), Some(question)) = (&data, &listened) {
        return silence::listen_here(data.clone(), question);
    }
    if let (Some(data), Some(question)) = (&data, &faces) {
        return faces::look_here(data.clone(), question);
    }
    if let Some(question) = &seen {
        return scenes::look_here(question);
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
                said!(
                    "job.being_done",
                    "Job {id} is being done already.",
                    id = id.0.as_str()
                ),
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
            said!(
                "job.not_waiting",
                "Job {id} is not waiting to be done.",
                id = id.0.as_str()
            ),
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
                    && app.try_again(id, &error.as_said(), code == ErrorCode::OutOfMemory)? =>
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
