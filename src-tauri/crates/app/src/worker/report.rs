//! How far a job is: told to whoever started it, and stored.

use super::events::{WorkerEvent, say};
use crate::forecast::{ENDING, Ending, Forecast};
use frameloom_core::job::{Job, JobId, JobProgress, PictureSizes, ProviderChoice, Step};
use frameloom_core::media::Warning;
use frameloom_engine::Progress;
use frameloom_store::{Store, StoreError};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Events to the starter at most this often.
const EVENT_INTERVAL: Duration = Duration::from_millis(100);
/// Progress to the database at most this often.
const STORE_INTERVAL: Duration = Duration::from_secs(1);

/// Turns what the engine tells into progress, events and rows.
pub(super) struct Reporter<'a> {
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
    pub(super) fn new(store: &'a Store, job: &'a Job, moved: Arc<AtomicU64>) -> Self {
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

    pub(super) fn store_now(&self) {
        self.update(true, |_| {});
    }

    /// The result is there: how long its end took is worth knowing for the next one.
    pub(super) fn learn(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let frames = state.progress.total.unwrap_or(0);
        if let Some(learnt) = state.ending.learnt(state.began.elapsed(), frames) {
            self.noted(self.store.set_setting(ENDING, &learnt));
        }
    }

    /// Progress that cannot be stored is no reason to stop: segments are what counts.
    fn noted(&self, result: Result<(), StoreError>) {
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
