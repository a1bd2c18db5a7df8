//! How a worker hears that it is to stop, and what it does when a call does not let go.

use crate::folder::{self, WORKER_LOCK};
use crate::process::ProcessMark;
use crate::runner::{Control, Stopping, stop_file, take_stop_file};
use crate::worker::job_of;
use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{JobId, JobState};
use frameloom_core::said;
use frameloom_engine::{Cancel, Stop};
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So often requests by file are looked for.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// The engine stops between two operators of a model, two frames or two reads, which takes less.
/// What takes longer is a call that cannot be stopped: one operator over a whole picture, the
/// opening of a model, a driver.
const LET_GO_LIMIT: Duration = Duration::from_millis(500);

/// A worker that has not taken a request for so long, which is three looks, is frozen, or so far
/// behind that it will not stop in time.
const HEARING_LIMIT: Duration = Duration::from_millis(750);
/// A worker that took the request ends within [`LET_GO_LIMIT`]; one that does not is writing down
/// what became of a finished job.
const ENDING_LIMIT: Duration = Duration::from_secs(3);
/// So often it is looked whether a worker has ended.
const ENDED_INTERVAL: Duration = Duration::from_millis(20);

impl App {
    /// Has a running job end at once and for good. A worker that does not hear is ended from here:
    /// it may hold the database, which nobody else can write to then, and nothing of what it does
    /// is wanted any more. False if it heard and is not through yet.
    pub(crate) fn end_worker(&self, id: &JobId) -> Result<bool, AppError> {
        let folder = self.job_folder(id);
        let has_ended = || !folder::is_held(&folder, WORKER_LOCK);
        if has_ended() {
            return Ok(true);
        }
        let asked = self
            .runner
            .control(self, id, Control::Stop(Stopping::Cancel));
        if let Err(error) = asked {
            // It may have ended this moment, and taken its folder along.
            return has_ended().then_some(true).ok_or(error);
        }
        let (told, mut was_ended) = (Instant::now(), false);
        while told.elapsed() < ENDING_LIMIT {
            if has_ended() {
                return Ok(true);
            }
            let is_deaf = told.elapsed() >= HEARING_LIMIT && stop_file(&folder).is_some();
            if is_deaf && !was_ended {
                was_ended = true;
                match folder::worker(&folder).map(ProcessMark::kill) {
                    Some(Ok(true)) => {
                        tracing::warn!(job = %id, "a worker that does not hear was ended")
                    }
                    Some(Ok(false)) | None => {}
                    Some(Err(error)) => {
                        tracing::warn!(%error, job = %id, "a worker that does not hear cannot be ended");
                    }
                }
            }
            std::thread::sleep(ENDED_INTERVAL);
        }
        Ok(has_ended())
    }
}

/// What the user wants, and the flag that the engine sees.
#[derive(Default)]
pub(crate) struct StopControl {
    pub(crate) cancel: Cancel,
    /// With the moment since when it is to stop at once, where it is.
    wanted: Mutex<Option<(Stopping, Option<Instant>)>>,
    /// Why the job pauses by itself.
    no_room: Mutex<Option<AppError>>,
}

impl StopControl {
    pub(crate) fn wanted(&self) -> Option<Stopping> {
        self.lock().map(|(stopping, _)| stopping)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Stopping, Option<Instant>)>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it is to stop, if it was to stop at once and has not for too long.
    fn overdue(&self) -> Option<Stopping> {
        let (stopping, since) = (*self.lock())?;
        (since?.elapsed() >= LET_GO_LIMIT).then_some(stopping)
    }

    /// Lets the running segment end, and then waits for room on the disk.
    pub(crate) fn pause_for_room(&self, error: AppError) {
        *self.no_room.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        self.cancel.request(Stop::AfterSegment);
    }

    pub(crate) fn no_room(&self) -> Option<AppError> {
        let no_room = self.no_room.lock().unwrap_or_else(PoisonError::into_inner);
        no_room.clone()
    }

    fn request(&self, stopping: Stopping) {
        let stop = match stopping {
            Stopping::Pause | Stopping::Interrupt => Stop::AfterSegment,
            Stopping::InterruptNow | Stopping::Cancel => Stop::Now,
        };
        let mut wanted = self.lock();
        let since = wanted.and_then(|(_, since)| since);
        let since = since.or_else(|| (stop == Stop::Now).then(Instant::now));
        *wanted = Some((stopping, since));
        drop(wanted);
        self.cancel.request(stop);
    }
}

/// The jobs at hand, by whom a request to stop is heard.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<Mutex<Jobs>>);

#[derive(Default)]
struct Jobs {
    at_hand: Vec<AtHand>,
    /// What was asked of all of them, those that are still to come included.
    stopping: Option<Stopping>,
}

struct AtHand {
    id: JobId,
    folder: PathBuf,
    control: Arc<StopControl>,
    /// The engine is through with it: what became of it is known and being written down.
    came_back: bool,
}

impl Running {
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self, id: &JobId, folder: PathBuf, control: Arc<StopControl>) {
        let mut jobs = self.jobs();
        if let Some(stopping) = jobs.stopping {
            control.request(stopping);
        }
        jobs.at_hand.push(AtHand {
            id: id.clone(),
            folder,
            control,
            came_back: false,
        });
    }

    /// The engine has let go of a job, which from now on comes to its end by itself.
    pub(crate) fn came_back(&self, id: &JobId) {
        for job in &mut self.jobs().at_hand {
            job.came_back |= job.id == *id;
        }
    }

    pub(crate) fn leave(&self, id: &JobId) {
        self.jobs().at_hand.retain(|at_hand| at_hand.id != *id);
    }

    fn stop(&self, stopping: Stopping) {
        let mut jobs = self.jobs();
        jobs.stopping = Some(stopping);
        for job in &jobs.at_hand {
            job.control.request(stopping);
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.jobs().stopping.is_some()
    }

    /// Listens to standard input, and for requests that other processes leave in the jobs' folders.
    /// `tell` gets the jobs that are named.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub(crate) fn listen_for_stop(
        &self,
        app: &Arc<App>,
        tell: Option<Sender<JobId>>,
    ) -> Result<(), AppError> {
        let by_pipe = self.clone();
        std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || {
                let mut tell = tell;
                for line in std::io::stdin().lock().lines() {
                    let Ok(line) = line else { break };
                    if let Some(stopping) = Stopping::parse(line.trim()) {
                        by_pipe.stop(stopping);
                        tell = None;
                    } else if let (Some(id), Some(tell)) = (job_of(&line), &tell) {
                        let _ = tell.send(id);
                    } else if line.trim() == "end" {
                        tell = None;
                    }
                }
                by_pipe.stop(Stopping::InterruptNow);
            })
            .map_err(explain::no_thread)?;
        let (by_file, app) = (self.clone(), app.clone());
        std::thread::Builder::new()
            .name("stop-file".to_owned())
            .spawn(move || {
                loop {
                    std::thread::sleep(LOOK_INTERVAL);
                    for job in &by_file.jobs().at_hand {
                        if let Some(stopping) = take_stop_file(&job.folder) {
                            job.control.request(stopping);
                        }
                    }
                    by_file.tear_off(&app);
                }
            })
            .map_err(explain::no_thread)?;
        Ok(())
    }

    /// Ends this process if none of its jobs lets go though all were told to: a call of a driver or
    /// of a model that cannot be stopped. What became of them is written down first, if it can be.
    fn tear_off(&self, app: &Arc<App>) {
        // Held to the end: a job that comes back this very moment has to wait, and is not told.
        let jobs = self.jobs();
        let overdue = |job: &AtHand| job.control.overdue().filter(|_| !job.came_back);
        if jobs.at_hand.is_empty() || !jobs.at_hand.iter().all(|job| overdue(job).is_some()) {
            return;
        }
        let told: Vec<_> = jobs
            .at_hand
            .iter()
            .map(|job| (job.id.clone(), overdue(job)))
            .collect();
        let (app, (written, all)) = (app.clone(), channel());
        let write_down = move || {
            for (id, stopping) in told {
                let (state, error) = match stopping {
                    Some(Stopping::Cancel) => (JobState::Cancelled, None),
                    _ => (JobState::Interrupted, Some(interrupted())),
                };
                if let Err(error) = app.change(&id, &[JobState::Running], state, error.as_ref()) {
                    tracing::warn!(%error, job = %id, "that a job is stopped cannot be stored");
                }
            }
            let _ = written.send(());
        };
        // What does not let go may be a write to the database: then whoever told it to stop writes
        // down what became of it.
        let writer = std::thread::Builder::new().name("stopped".to_owned());
        if writer.spawn(write_down).is_ok() && all.recv_timeout(LET_GO_LIMIT).is_err() {
            tracing::warn!("what became of the jobs cannot be stored in time");
        }
        tracing::warn!("a call did not end; this process ends in the middle of it");
        #[cfg(unix)]
        {
            use rustix::process::{Signal, getpid, kill_process};
            if let Err(error) = kill_process(getpid(), Signal::KILL) {
                tracing::error!(%error, "this process cannot end itself");
            }
        }
        #[cfg(not(unix))]
        std::process::abort();
    }
}

/// Why a job that was told to stop rests.
pub(crate) fn interrupted() -> AppError {
    AppError::new(
        ErrorCode::Interrupted,
        said!("job.interrupted", "The job was interrupted."),
    )
    .hint(explain::hint(ErrorCode::Interrupted).unwrap_or_default())
}
