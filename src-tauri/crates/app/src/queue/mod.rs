//! The queue of the window: in which order its jobs are done, how many at once, whether it is
//! paused, how long it will take, and what happens when it is done.
//!
//! The order is in the database. What is asked of the queue as a whole is a setting, so that both
//! survive the program. What [`run`] is doing is in [`Queue`], for as long as the program lives.

mod change;
mod forecast;
mod leave;
mod power;
mod run;

pub use change::{JobEdit, Retry};
pub(crate) use run::run;

use crate::runner::Stopping;
use crate::settings::AtStart;
use crate::{App, explain};
use frameloom_core::error::AppError;
use frameloom_core::job::{JobId, JobState};
use frameloom_store::Lane;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use ts_rs::TS;

/// So long the user can stop what happens when the queue is done.
const COUNTDOWN: Duration = Duration::from_secs(60);
/// More jobs at once only get into each other's way.
pub const MOST_AT_ONCE: u32 = 8;
/// Name of the setting.
const NAME: &str = "queue";

/// What is asked of the queue as a whole. It outlives the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct QueueOptions {
    /// So many jobs are done at once, 1 to [`MOST_AT_ONCE`].
    pub at_once: u32,
    /// What happens when the queue is done.
    pub when_done: WhenDone,
    /// No job begins until the user says so.
    pub paused: bool,
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self {
            at_once: 1,
            when_done: WhenDone::Nothing,
            paused: false,
        }
    }
}

/// What happens when the queue is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WhenDone {
    /// A sound is played, by the window.
    Sound,
    /// The machine sleeps, after a countdown; once.
    Sleep,
    /// The machine is shut down, after a countdown; once.
    ShutDown,
    /// Nothing.
    #[default]
    #[serde(other)]
    Nothing,
}

/// The machine will sleep or be shut down unless somebody objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Countdown {
    /// [`WhenDone::Sleep`] or [`WhenDone::ShutDown`].
    pub what: WhenDone,
    /// Milliseconds since 1970.
    #[ts(type = "number")]
    pub at_millis: i64,
}

/// How long the queue will take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct QueueForecast {
    /// Time until all jobs are done of which something is known.
    #[ts(type = "number")]
    pub remaining_micros: u64,
    /// Jobs of which nothing is known yet: nothing like them was ever done here.
    pub unknown: u32,
}

/// The queue as the window shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct QueueView {
    /// Jobs that wait, the next one first.
    pub waiting: Vec<JobId>,
    /// What was asked of it.
    pub options: QueueOptions,
    /// Jobs were left over from the last time, and the user is asked about them first.
    pub asks: bool,
    /// What is about to happen.
    pub countdown: Option<Countdown>,
    /// How long it will take; `None` when there is nothing to do.
    pub forecast: Option<QueueForecast>,
    /// Share of the whole queue that is done, 0 to 1, while it runs.
    pub per_mille: Option<u16>,
}

/// What the queue tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum QueueEvent {
    /// It changed.
    Changed {
        /// As it is now.
        view: Box<QueueView>,
    },
    /// Its last job came to its end by itself.
    Done {
        /// What became of its jobs.
        end: QueueEnd,
        /// Whether a sound was asked for.
        sound: bool,
    },
    /// The machine does not sleep or shut down.
    Refused {
        /// Why.
        error: AppError,
    },
}

/// What became of the jobs since the queue was last empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
pub struct QueueEnd {
    /// Have a result.
    pub succeeded: u32,
    /// Failed, or stopped before their end.
    pub failed: u32,
}

type Listener = Box<dyn Fn(&QueueEvent) -> bool + Send>;
type Act = fn(WhenDone) -> Result<(), AppError>;

/// What the queue is doing.
pub(crate) struct Queue {
    state: Mutex<State>,
    listeners: Mutex<Vec<Listener>>,
}

struct State {
    /// Jobs that a thread of the queue sees to.
    taken: BTreeSet<JobId>,
    /// Jobs that were told to stop for the sake of the queue, or of a window that stayed after all:
    /// they wait again then.
    set_back: BTreeSet<JobId>,
    leaving: leave::Leaving,
    asks: bool,
    countdown: Option<(Countdown, Instant)>,
    end: QueueEnd,
    /// The view that was told last.
    told: Option<QueueView>,
    costs: Option<forecast::Costs>,
    /// What the rows of active jobs say, plans included, each of which is read once.
    known: BTreeMap<JobId, forecast::Known>,
    countdown_for: Duration,
    act: Act,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                taken: BTreeSet::new(),
                set_back: BTreeSet::new(),
                leaving: leave::Leaving::default(),
                asks: false,
                countdown: None,
                end: QueueEnd::default(),
                told: None,
                costs: None,
                known: BTreeMap::new(),
                countdown_for: COUNTDOWN,
                act: power::act,
            }),
            listeners: Mutex::default(),
        }
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user says what becomes of a job, whatever was asked of the queue as a whole.
    pub(crate) fn leave_to_user(&self, id: &JobId) {
        self.state().leave_to_user(id);
    }

    fn tell(&self, event: &QueueEvent) {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|listener| listener(event));
    }
}

impl App {
    /// The queue as it is now.
    ///
    /// # Errors
    /// The database refuses.
    pub fn queue(&self) -> Result<QueueView, AppError> {
        let mut active = self.store.active().map_err(explain::store)?;
        active.retain(|job| job.lane == Lane::Queue);
        let active = self.with_work(active)?;
        let waiting: Vec<JobId> = active
            .iter()
            .filter(|(job, _)| job.state == JobState::Queued)
            .map(|(job, _)| job.id.clone())
            .collect();
        let options = self.queue_options()?;
        let (forecast, per_mille) = self.forecast_queue(&active, options.at_once)?;
        let left_over = waiting.iter().any(|id| !self.runner.owns(id));
        let mut state = self.queue.state();
        // The last one was cancelled, or taken up by itself: nobody would answer any more.
        state.asks &= left_over;
        Ok(QueueView {
            waiting,
            options,
            asks: state.asks,
            countdown: state.countdown.map(|(countdown, _)| countdown),
            forecast,
            per_mille,
        })
    }

    /// Calls `listener` with every change of the queue from now on, until it returns false. It is
    /// told soon how the queue is now: whoever asked and got no answer knows it then.
    pub fn listen_to_queue(&self, listener: impl Fn(&QueueEvent) -> bool + Send + 'static) {
        self.queue
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Box::new(listener));
        self.queue.state().told = None;
        self.runner.wake();
    }

    /// What is asked of the queue.
    ///
    /// # Errors
    /// The database refuses.
    pub fn queue_options(&self) -> Result<QueueOptions, AppError> {
        let stored = self.store.setting(NAME).map_err(explain::store)?;
        let options: QueueOptions = stored
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default();
        Ok(QueueOptions {
            at_once: options.at_once.clamp(1, MOST_AT_ONCE),
            ..options
        })
    }

    /// Sets what is asked of the queue. Where it is to pause, running jobs end their part and wait
    /// again, in their places.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_queue_options(&self, options: &QueueOptions) -> Result<(), AppError> {
        let before = self.queue_options()?;
        let options = QueueOptions {
            at_once: options.at_once.clamp(1, MOST_AT_ONCE),
            ..*options
        };
        self.store_queue_options(&options)?;
        if options.paused && !before.paused {
            self.set_back_running();
        }
        if options.when_done != before.when_done {
            self.queue.state().countdown = None;
        }
        self.runner.wake();
        self.tell_queue()
    }

    fn store_queue_options(&self, options: &QueueOptions) -> Result<(), AppError> {
        let json = serde_json::to_string(options).map_err(explain::internal)?;
        self.store.set_setting(NAME, &json).map_err(explain::store)
    }

    /// Lets running jobs end their part; they wait again then.
    fn set_back_running(&self) {
        let taken = {
            let mut state = self.queue.state();
            state.set_back = state.taken.clone();
            state.taken.clone()
        };
        for id in taken {
            if let Err(error) = self.stop(&id, Stopping::Pause) {
                tracing::warn!(%error, job = %id, "a job could not be asked to pause");
            }
        }
    }

    /// Moves waiting jobs before another one, or behind all others.
    ///
    /// # Errors
    /// The database refuses.
    pub fn move_jobs(&self, moved: &[JobId], before: Option<&JobId>) -> Result<(), AppError> {
        self.store
            .move_jobs(moved, before)
            .map_err(explain::store)?;
        self.tell_queue()
    }

    /// What becomes of the jobs that were left over from the last time: they are done, or they
    /// pause, and each can be resumed by itself.
    ///
    /// # Errors
    /// The database refuses.
    pub fn answer_left_over(&self, go_on: bool) -> Result<(), AppError> {
        if !go_on {
            self.pause_left_over()?;
        }
        self.queue.state().asks = false;
        self.runner.wake();
        self.tell_queue()
    }

    fn pause_left_over(&self) -> Result<(), AppError> {
        for id in self.store.queue_order().map_err(explain::store)? {
            if !self.runner.owns(&id) {
                self.change(&id, &[JobState::Queued], JobState::Paused, None)?;
            }
        }
        Ok(())
    }

    /// Jobs that wait from the last time are done, left or asked about, as the settings say.
    fn meet_left_over(&self) -> Result<(), AppError> {
        let waiting = self.store.queue_order().map_err(explain::store)?;
        // What this program submitted itself was not left over.
        if waiting.iter().all(|id| self.runner.owns(id)) {
            return Ok(());
        }
        match self.settings()?.at_start {
            AtStart::Resume => {}
            AtStart::Leave => self.pause_left_over()?,
            AtStart::Ask => self.queue.state().asks = true,
        }
        Ok(())
    }

    /// Nobody is to sleep: the countdown ends, and nothing is asked for any more.
    ///
    /// # Errors
    /// The database refuses.
    pub fn stop_countdown(&self) -> Result<(), AppError> {
        self.queue.state().countdown = None;
        self.forget_when_done()?;
        self.tell_queue()
    }

    /// Sleep and shut down are asked for one queue, not for every one from now on.
    fn forget_when_done(&self) -> Result<(), AppError> {
        let options = self.queue_options()?;
        self.store_queue_options(&QueueOptions {
            when_done: WhenDone::Nothing,
            ..options
        })
    }

    /// Tells listeners of the queue if it is not what they know.
    pub(crate) fn tell_queue(&self) -> Result<(), AppError> {
        let view = self.queue()?;
        {
            let mut state = self.queue.state();
            if state.told.as_ref() == Some(&view) {
                return Ok(());
            }
            state.told = Some(view.clone());
        }
        self.queue.tell(&QueueEvent::Changed {
            view: Box::new(view),
        });
        Ok(())
    }

    /// Starts the queue: queued jobs are done in their order, as many at once as is asked for, for
    /// as long as the application lives. Call it once, in the process that owns the window.
    ///
    /// # Errors
    /// The thread cannot be started, or the database refuses.
    pub fn start_queue(self: &Arc<Self>) -> Result<(), AppError> {
        self.meet_left_over()?;
        // Asked for on another day: nobody expects it now.
        if matches!(
            self.queue_options()?.when_done,
            WhenDone::Sleep | WhenDone::ShutDown
        ) {
            self.forget_when_done()?;
        }
        let app = Arc::downgrade(self);
        let wake = self.runner.wake_sign();
        std::thread::Builder::new()
            .name("queue".to_owned())
            .spawn(move || run(&app, &wake))
            .map_err(explain::no_thread)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_a_newer_program_fall_back_value_by_value_and_never_shut_down() {
        let options: QueueOptions =
            serde_json::from_str(r#"{"at_once":3,"when_done":"hibernate","new":1}"#).unwrap();
        assert_eq!(options.at_once, 3);
        assert_eq!(options.when_done, WhenDone::Nothing);
        assert!(!options.paused);
    }
}
