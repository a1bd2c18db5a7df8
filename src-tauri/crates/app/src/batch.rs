//! Many small jobs in one worker, some at once: a process and an open model for each would take
//! longer than the work.

use crate::folder::{self, WORKER_LOCK};
use crate::listener::{Heard, WorkerListener, wait_for_end};
use crate::worker::WorkerEvent;
use crate::{App, ComputeWish, Stopping, compute};
use frameloom_core::error::AppError;
use frameloom_core::job::{Job, JobEvent, JobId, JobState};
use std::collections::VecDeque;
use std::io::Write;
use std::process::{Child, ChildStdin};

/// With more at once, memory is what runs out.
const MOST_AT_ONCE: usize = 8;

/// Jobs that are done in a worker of their own together. Dropped, it stops what is at hand.
pub struct Batch<'a> {
    app: &'a App,
    lanes: usize,
    worker: Option<Worker>,
    /// Given and not yet at rest, in the order in which they were given.
    at_hand: VecDeque<JobId>,
    /// To be done by themselves: the worker died while they were at hand, or they ask for more
    /// care.
    alone: VecDeque<JobId>,
    stopping: Option<Stopping>,
}

struct Worker {
    child: Child,
    stdin: ChildStdin,
    listener: WorkerListener,
}

impl App {
    /// Begins a batch of jobs that compute as `wish` says; one more than there are cores for them
    /// are done at once, but never more than eight.
    ///
    /// # Errors
    /// The settings cannot be read.
    pub fn batch(&self, wish: ComputeWish) -> Result<Batch<'_>, AppError> {
        let spec = wish.or(self.settings()?.compute);
        Ok(Batch {
            app: self,
            // One more than there are cores: while one waits for the disk, another computes.
            lanes: (compute::budget(&spec) + 1).min(MOST_AT_ONCE),
            worker: None,
            at_hand: VecDeque::new(),
            alone: VecDeque::new(),
            stopping: None,
        })
    }
}

impl Batch<'_> {
    /// Jobs that were given and are not at rest yet.
    pub fn outstanding(&self) -> usize {
        self.at_hand.len() + self.alone.len()
    }

    /// Jobs that are worth having in front of the worker, so that it never waits.
    pub fn depth(&self) -> usize {
        self.lanes * 4
    }

    /// Gives a submitted job to the worker.
    ///
    /// # Errors
    /// The worker cannot be started.
    pub fn give(&mut self, id: &JobId) -> Result<(), AppError> {
        if self.worker.is_none() {
            self.worker = Some(Worker::start(self.app, id, self.lanes)?);
        }
        self.at_hand.push_back(id.clone());
        if let Some(worker) = &mut self.worker {
            // A worker that is gone is noticed by its silence, with all that it had at hand.
            let _ = writeln!(worker.stdin, "do {id}").and_then(|()| worker.stdin.flush());
        }
        Ok(())
    }

    /// Asks all jobs to stop, those that were not begun as well.
    pub fn stop(&mut self, stopping: Stopping) {
        self.stopping = Some(stopping);
        if let Some(worker) = &mut self.worker {
            let _ =
                writeln!(worker.stdin, "{}", stopping.word()).and_then(|()| worker.stdin.flush());
        }
    }

    /// Waits for the next job to come to rest; `None` when none is outstanding. `asked` is called
    /// every second and says how to stop, if that was asked for.
    ///
    /// # Errors
    /// The database refuses, or a job that is done by itself cannot be begun.
    pub fn next(&mut self, asked: &dyn Fn() -> Option<Stopping>) -> Result<Option<Job>, AppError> {
        loop {
            if let Some(stopping) = asked()
                && self.stopping != Some(stopping)
            {
                self.stop(stopping);
            }
            if let Some(id) = self.alone.pop_front() {
                let job = match self.stopping {
                    Some(_) => self.rest(&id)?,
                    None => self.app.run_job(&id)?,
                };
                return Ok(Some(job));
            }
            if self.at_hand.is_empty() {
                return Ok(None);
            }
            let heard = self.worker.as_mut().map(|worker| worker.listener.listen());
            match heard {
                Some(Heard::Event(WorkerEvent::Ended { id })) => {
                    self.at_hand.retain(|at_hand| *at_hand != id);
                    if let Some(job) = self.ended(id)? {
                        return Ok(Some(job));
                    }
                }
                Some(Heard::Event(WorkerEvent::Progress { id, progress })) => {
                    self.app.tell(&JobEvent::Progress { id, progress });
                }
                Some(Heard::Event(_)) => {}
                Some(Heard::Nothing) => {
                    let at_once = [Stopping::InterruptNow, Stopping::Cancel].map(Some);
                    if at_once.contains(&self.stopping) && self.is_frozen() {
                        self.lost("it did not stop when it was told to")?;
                    }
                }
                None => self.lost("there is none")?,
                Some(Heard::Closed) => self.lost("it ended")?,
                Some(Heard::GivenUp(reason)) => self.lost(&reason.text)?,
            }
        }
    }

    fn is_frozen(&self) -> bool {
        let worker = self.worker.as_ref();
        worker.is_some_and(|worker| worker.listener.is_frozen())
    }

    /// A job that the worker is through with; `None` if it is to be done again by itself.
    fn ended(&mut self, id: JobId) -> Result<Option<Job>, AppError> {
        match self.app.job(&id)?.state {
            JobState::Queued | JobState::Running => {
                self.alone.push_back(id);
                Ok(None)
            }
            _ => self.rest(&id).map(Some),
        }
    }

    /// What is to be done when a job came to rest, as behind [`App::run_job`].
    fn rest(&self, id: &JobId) -> Result<Job, AppError> {
        if self.stopping.is_some() {
            // It was given, and never begun.
            self.app
                .change(id, &[JobState::Queued], JobState::Interrupted, None)?;
        }
        self.app.runner.disown(id);
        self.app.runner.forget_stop(id);
        let job = self.app.job(id)?;
        self.app.clean_up(&job);
        self.app.changed(id)?;
        Ok(job)
    }

    /// The worker is gone. What it had at hand is done job by job: the one that it died of then
    /// fails alone, and as carefully as any other.
    fn lost(&mut self, reason: &str) -> Result<(), AppError> {
        if let Some(mut worker) = self.worker.take() {
            let _ = worker.child.kill();
            let status = worker.child.wait();
            let last_words = worker.listener.last_words();
            if self.stopping.is_none() {
                tracing::warn!(
                    reason,
                    ?status,
                    last_words,
                    at_hand = self.at_hand.len(),
                    "the worker of a batch was lost"
                );
            }
        }
        for id in std::mem::take(&mut self.at_hand) {
            if !folder::is_held(&self.app.job_folder(&id), WORKER_LOCK) {
                self.app
                    .change(&id, &[JobState::Running], JobState::Queued, None)?;
            }
            self.alone.push_back(id);
        }
        Ok(())
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if let Some(mut worker) = self.worker.take() {
            let word = if self.at_hand.is_empty() {
                "end"
            } else {
                Stopping::InterruptNow.word()
            };
            let _ = writeln!(worker.stdin, "{word}").and_then(|()| worker.stdin.flush());
            // Its standard input ends here, which is the last word.
            drop(worker.stdin);
            let _ = wait_for_end(&mut worker.child);
            let last_words = worker.listener.last_words();
            if !last_words.is_empty() {
                tracing::warn!(last_words, "the worker of a batch");
            }
        }
    }
}

impl Worker {
    fn start(app: &App, first: &JobId, lanes: usize) -> Result<Self, AppError> {
        let mut child = app.spawn_worker(first, Some(lanes))?;
        let (listener, stdin) = WorkerListener::of(&mut child)?;
        Ok(Self {
            child,
            stdin,
            listener,
        })
    }
}
