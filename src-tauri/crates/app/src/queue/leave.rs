//! The window closes behind the part at hand, or stays after all.

use super::State;
use crate::App;
use crate::runner::Stopping;
use frameloom_core::error::AppError;
use frameloom_core::job::{JobId, JobState};
use frameloom_store::Lane;
use std::collections::BTreeSet;
use std::time::Duration;

/// So often it is looked whether the parts at hand are done.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// How far leaving has come.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    /// Jobs that were told to stop for it.
    told: BTreeSet<JobId>,
    /// Counts how often the user made up their mind, so that an earlier wish is known to be over.
    turn: u64,
}

impl State {
    /// True if a job stopped because the user wants to leave: that is their act, and no failure.
    pub(super) fn stopped_for_leaving(&self, id: &JobId) -> bool {
        self.leaving.told.contains(id)
    }

    /// The user has a will of their own for a job; what was to become of it with the queue or the
    /// window is over.
    pub(super) fn leave_to_user(&mut self, id: &JobId) {
        self.set_back.remove(id);
        self.leaving.told.remove(id);
    }
}

impl App {
    /// The jobs that stop if the window closes: those that its queue is doing. What a command line
    /// does on the same data folder goes on.
    pub fn jobs_that_closing_stops(&self) -> Vec<JobId> {
        self.queue.state().taken.iter().cloned().collect()
    }

    /// Lets no job of the queue begin and those at hand end their part. Returns when they rest, so
    /// that the program can end: true, unless the user chose meanwhile to [`stay`](Self::stay).
    pub fn leave_after_part(&self) -> bool {
        // The next file in the queue would only be cut short.
        self.hold_queue(true);
        let (jobs, turn) = {
            let mut state = self.queue.state();
            let jobs = state.taken.clone();
            state.leaving.told.extend(jobs.iter().cloned());
            state.leaving.turn += 1;
            (jobs, state.leaving.turn)
        };
        for id in &jobs {
            if let Err(error) = self.stop(id, Stopping::Interrupt) {
                tracing::warn!(%error, job = %id, "a job could not be asked to stop");
            }
        }
        loop {
            {
                let state = self.queue.state();
                if state.leaving.turn != turn {
                    return false;
                }
                if state.taken.is_disjoint(&jobs) {
                    return true;
                }
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
    }

    /// The user does not leave after all: the queue goes on, also with the jobs that were told to
    /// stop. One that still ends its part waits again then.
    ///
    /// # Errors
    /// A job that rests already cannot go on; the others do.
    pub fn stay(&self) -> Result<(), AppError> {
        let at_rest: Vec<JobId> = {
            let mut state = self.queue.state();
            state.leaving.turn += 1;
            let told = std::mem::take(&mut state.leaving.told);
            let (stopping, at_rest): (Vec<_>, Vec<_>) =
                told.into_iter().partition(|id| state.taken.contains(id));
            state.set_back.extend(stopping);
            at_rest
        };
        self.hold_queue(false);
        let mut went_on = Ok(());
        for id in at_rest {
            // One that came to its end, or was taken off the list, has nothing to go on with.
            let state = self.store.job(&id).map(|row| row.job.state);
            if matches!(state, Ok(JobState::Interrupted))
                && let Err(error) = self.resume(&id, Lane::Queue)
            {
                went_on = Err(error);
            }
        }
        self.tell_queue()?;
        went_on
    }
}
