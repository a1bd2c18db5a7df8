//! Does the jobs of the queue: one thread that looks after it, and one for each job at hand.

use super::{Countdown, QueueEvent, WhenDone};
use crate::{App, explain, now_millis};
use frameloom_core::error::AppError;
use frameloom_core::job::{JobId, JobState};
use frameloom_store::Lane;
use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How often the queue is looked after while something runs: the forecast is told so often.
const BUSY_INTERVAL: Duration = Duration::from_secs(1);
/// And while nothing does: for jobs that another process put into it, and the end of the
/// application.
const IDLE_INTERVAL: Duration = Duration::from_secs(2);

pub(crate) fn run(app: &Weak<App>, wake: &(Mutex<bool>, Condvar)) {
    loop {
        let Some(app) = app.upgrade() else { return };
        if let Err(error) = app.look_after_queue() {
            tracing::error!(%error, details = ?error.details, "the queue cannot be read");
        }
        let interval = app.until_next_look();
        drop(app);
        let (flag, condition) = wake;
        let guard = flag.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut guard, _) = condition
            .wait_timeout_while(guard, interval, |woken| !*woken)
            .unwrap_or_else(PoisonError::into_inner);
        *guard = false;
    }
}

/// Keeps the machine from falling asleep by itself until it is dropped; whoever closes the lid
/// still has their way. Where the system has no such thing, the job runs all the same.
fn stay_awake() -> Option<keepawake::KeepAwake> {
    keepawake::Builder::default()
        .idle(true)
        .app_name("Frameloom")
        .app_reverse_domain("app.frameloom.studio")
        .reason("Frameloom is working on a video or picture")
        .create()
        .inspect_err(|error| tracing::info!(%error, "the machine cannot be kept awake"))
        .ok()
}

impl App {
    fn look_after_queue(self: &Arc<Self>) -> Result<(), AppError> {
        self.begin_jobs()?;
        self.count_down()?;
        self.tell_queue()
    }

    fn until_next_look(&self) -> Duration {
        let state = self.queue.state();
        let interval = match state.taken.is_empty() {
            true => IDLE_INTERVAL,
            false => BUSY_INTERVAL,
        };
        let until_act = state
            .countdown
            .map(|(_, at)| at.saturating_duration_since(Instant::now()));
        until_act.map_or(interval, |until| interval.min(until))
    }

    /// Begins as many jobs as there is room for.
    fn begin_jobs(self: &Arc<Self>) -> Result<(), AppError> {
        let options = self.queue_options()?;
        loop {
            if options.paused || self.runner.is_held() {
                return Ok(());
            }
            let id = {
                let mut state = self.queue.state();
                if state.asks || state.taken.len() >= options.at_once as usize {
                    return Ok(());
                }
                let next = self
                    .store
                    .next_queued(&state.taken)
                    .map_err(explain::store)?;
                let Some(row) = next else { return Ok(()) };
                state.taken.insert(row.job.id.clone());
                // Who adds a job while the machine is about to sleep is awake.
                state.countdown = None;
                row.job.id
            };
            let (app, job) = (Arc::clone(self), id.clone());
            let spawned = std::thread::Builder::new()
                .name(format!("job {id}"))
                .spawn(move || app.do_queued(&job));
            if let Err(error) = spawned {
                self.queue.state().taken.remove(&id);
                return Err(explain::no_thread(error));
            }
        }
    }

    /// Does one job and says that it ended.
    fn do_queued(&self, id: &JobId) {
        let result = {
            let _awake = stay_awake();
            self.run_job(id)
        };
        if let Err(error) = result {
            tracing::error!(%error, job = %id, "a job could not be run");
            let alive = [JobState::Queued, JobState::Running];
            if self
                .change(id, &alive, JobState::Failed, Some(&error))
                .is_err()
            {
                // It would be begun again at once.
                std::thread::sleep(BUSY_INTERVAL);
            }
        }
        if let Err(error) = self.job_came_to_rest(id) {
            tracing::error!(%error, job = %id, "the queue cannot be kept");
        }
        self.runner.wake();
    }

    /// What the end of a job means for the queue.
    pub(super) fn job_came_to_rest(&self, id: &JobId) -> Result<(), AppError> {
        let job = self.job(id);
        let (was_set_back, leaves, is_last);
        {
            let mut state = self.queue.state();
            state.taken.remove(id);
            state.costs = None;
            was_set_back = state.set_back.remove(id);
            leaves = state.stopped_for_leaving(id);
            is_last = state.taken.is_empty();
        }
        // One that was taken off the list meanwhile.
        let Ok(job) = job else { return Ok(()) };
        // One that waits for room on the disk would only wait again.
        let only_stopped = match job.state {
            JobState::Interrupted => true,
            JobState::Paused => job.error.is_none(),
            _ => false,
        };
        if was_set_back && only_stopped {
            match self.resume(id, Lane::Queue) {
                Ok(_) => return Ok(()),
                Err(error) => tracing::warn!(%error, job = %id, "a job cannot go on"),
            }
        }
        let by_user = match job.state {
            JobState::Cancelled | JobState::Queued => true,
            JobState::Paused => job.error.is_none(),
            JobState::Interrupted => leaves,
            _ => false,
        };
        {
            let mut state = self.queue.state();
            match job.state {
                JobState::Succeeded => state.end.succeeded += 1,
                _ if by_user => {}
                _ => state.end.failed += 1,
            }
        }
        let next = self.store.next_queued(&BTreeSet::new());
        if is_last && next.map_err(explain::store)?.is_none() {
            self.queue_is_done(by_user)?;
        }
        Ok(())
    }

    /// Nothing is left to do. Where the user stopped the last job, they know.
    fn queue_is_done(&self, by_user: bool) -> Result<(), AppError> {
        let end = std::mem::take(&mut self.queue.state().end);
        if by_user || self.runner.is_held() {
            return Ok(());
        }
        let when_done = self.queue_options()?.when_done;
        self.queue.tell(&QueueEvent::Done {
            end,
            sound: when_done == WhenDone::Sound,
        });
        if matches!(when_done, WhenDone::Sleep | WhenDone::ShutDown) {
            let mut state = self.queue.state();
            let wait = state.countdown_for;
            let countdown = Countdown {
                what: when_done,
                at_millis: now_millis() + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX),
            };
            state.countdown = Some((countdown, Instant::now() + wait));
        }
        Ok(())
    }

    /// Lets the machine sleep or shuts it down when the countdown is over.
    fn count_down(&self) -> Result<(), AppError> {
        let (what, act) = {
            let mut state = self.queue.state();
            match state.countdown {
                Some((countdown, at)) if at <= Instant::now() => {
                    state.countdown = None;
                    (countdown.what, state.act)
                }
                _ => return Ok(()),
            }
        };
        // Before it acts: afterwards there may be no program.
        self.forget_when_done()?;
        self.tell_queue()?;
        if let Err(error) = act(what) {
            tracing::error!(%error, details = ?error.details, "the machine does not obey");
            self.queue.tell(&QueueEvent::Refused { error });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Places;
    use crate::queue::QueueOptions;
    use crate::queue::forecast::Known;
    use frameloom_core::error::ErrorCode;
    use frameloom_core::graph::{Graph, Op, ResizeParams};
    use frameloom_core::job::{ComputeSpec, Device, EncodeSpec, JOB_SPEC_VERSION, JobSpec};
    use std::path::Path;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc::{Receiver, channel};

    static SHUT_DOWN: AtomicU32 = AtomicU32::new(0);

    fn app() -> (tempfile::TempDir, Arc<App>, Receiver<QueueEvent>) {
        app_in(tempfile::tempdir().unwrap())
    }

    fn app_in(folder: tempfile::TempDir) -> (tempfile::TempDir, Arc<App>, Receiver<QueueEvent>) {
        let mut places = Places::discover(Some(folder.path().join("data"))).unwrap();
        places.extra_models.clear();
        places.worker = folder.path().join("no such program");
        let app = App::open(places).unwrap();
        let (sender, events) = channel();
        app.listen_to_queue(move |event| sender.send(event.clone()).is_ok());
        (folder, app, events)
    }

    fn options(when_done: WhenDone) -> QueueOptions {
        QueueOptions {
            when_done,
            ..QueueOptions::default()
        }
    }

    #[test]
    fn the_machine_is_shut_down_once_and_not_before_the_countdown_is_over() {
        let (_folder, app, events) = app();
        {
            let mut state = app.queue.state();
            state.countdown_for = Duration::from_millis(300);
            state.act = |what| {
                assert_eq!(what, WhenDone::ShutDown);
                SHUT_DOWN.fetch_add(1, Ordering::SeqCst);
                Err(AppError::new(ErrorCode::Internal, "It does not obey."))
            };
        }
        app.set_queue_options(&options(WhenDone::ShutDown)).unwrap();
        app.queue_is_done(false).unwrap();
        app.look_after_queue().unwrap();
        assert_eq!(
            app.queue().unwrap().countdown.unwrap().what,
            WhenDone::ShutDown
        );
        assert_eq!(SHUT_DOWN.load(Ordering::SeqCst), 0, "not yet");
        std::thread::sleep(app.until_next_look());
        app.look_after_queue().unwrap();
        app.look_after_queue().unwrap();
        assert_eq!(SHUT_DOWN.load(Ordering::SeqCst), 1);
        let view = app.queue().unwrap();
        assert_eq!(view.countdown, None);
        assert_eq!(view.options.when_done, WhenDone::Nothing, "only once");
        let events: Vec<QueueEvent> = events.try_iter().collect();
        assert!(
            matches!(events.last(), Some(QueueEvent::Refused { error }) if error.message.contains("obey"))
        );
        let done = |event: &&QueueEvent| matches!(event, QueueEvent::Done { sound: false, .. });
        assert_eq!(events.iter().filter(done).count(), 1);
    }

    /// A job of the queue: a picture that is made smaller.
    fn submit(app: &App, folder: &Path) -> JobId {
        let source = folder.join("a.png");
        image::RgbImage::new(8, 8).save(&source).unwrap();
        let spec = JobSpec {
            version: JOB_SPEC_VERSION,
            input: source,
            pictures: None,
            inputs: Default::default(),
            input_pictures: Default::default(),
            output: folder.join("out.png"),
            overwrite: false,
            graph: Graph::chain([Op::Resize(ResizeParams {
                width: 4,
                height: 4,
            })]),
            encode: EncodeSpec::default(),
            device: Device::Cpu,
            compute: ComputeSpec::default(),
            upright: false,
            sample: false,
        };
        let plan = app.plan_again(&spec).unwrap();
        app.submit(spec, &plan, Lane::Queue).unwrap().id
    }

    /// A job at which a worker seems to be.
    fn job_at_hand(app: &App, folder: &Path) -> JobId {
        let id = submit(app, folder);
        app.queue.state().taken.insert(id.clone());
        app.change(&id, &[JobState::Queued], JobState::Running, None)
            .unwrap();
        id
    }

    /// The worker of a job ends as it was told to.
    fn come_to_rest(app: &App, id: &JobId, state: JobState) {
        let error = (state == JobState::Interrupted).then(crate::stopping::interrupted);
        app.change(id, &[JobState::Running], state, error.as_ref())
            .unwrap();
        app.runner.disown(id);
        app.job_came_to_rest(id).unwrap();
    }

    /// Begins to leave, in a thread of its own; the answer is whether the program may end.
    fn leave(app: &Arc<App>) -> std::thread::JoinHandle<bool> {
        let leaving = {
            let app = app.clone();
            std::thread::spawn(move || app.leave_after_part())
        };
        while !app.runner.is_held() {
            std::thread::sleep(Duration::from_millis(5));
        }
        // Until the jobs were told.
        std::thread::sleep(Duration::from_millis(100));
        leaving
    }

    #[test]
    fn who_stays_after_all_finds_the_queue_going_on_and_nothing_failed() {
        for rests_before_the_answer in [false, true] {
            let (folder, app, events) = app();
            app.queue.state().act = |_| panic!("nobody sleeps");
            app.set_queue_options(&options(WhenDone::ShutDown)).unwrap();
            let id = job_at_hand(&app, folder.path());
            let leaving = leave(&app);
            if rests_before_the_answer {
                come_to_rest(&app, &id, JobState::Interrupted);
                assert_eq!(app.job(&id).unwrap().state, JobState::Interrupted);
                app.stay().unwrap();
            } else {
                app.stay().unwrap();
                assert_eq!(app.job(&id).unwrap().state, JobState::Running);
                come_to_rest(&app, &id, JobState::Interrupted);
            }
            // Where it came to rest first, it may have been seen before the answer.
            let may_end = leaving.join().unwrap();
            assert!(!may_end || rests_before_the_answer);
            let job = app.job(&id).unwrap();
            assert_eq!((job.state, job.error), (JobState::Queued, None));
            let view = app.queue().unwrap();
            assert_eq!((view.waiting, view.countdown), (vec![id], None));
            assert_eq!(app.queue.state().end, crate::queue::QueueEnd::default());
            let done = |event: QueueEvent| matches!(event, QueueEvent::Done { .. });
            assert!(!events.try_iter().any(done));
        }
    }

    #[test]
    fn who_leaves_may_go_when_the_part_is_done_and_the_job_waits_for_the_next_time() {
        let (folder, app, _events) = app();
        let id = job_at_hand(&app, folder.path());
        let leaving = leave(&app);
        assert!(!leaving.is_finished());
        come_to_rest(&app, &id, JobState::Interrupted);
        assert!(leaving.join().unwrap());
        assert_eq!(app.job(&id).unwrap().state, JobState::Interrupted);
    }

    #[test]
    fn a_job_that_the_user_pauses_stays_so_when_the_paused_queue_goes_on() {
        let (folder, app, _events) = app();
        let id = job_at_hand(&app, folder.path());
        let paused = QueueOptions {
            paused: true,
            ..QueueOptions::default()
        };
        app.set_queue_options(&paused).unwrap();
        app.pause(&id).unwrap();
        come_to_rest(&app, &id, JobState::Paused);
        app.set_queue_options(&QueueOptions::default()).unwrap();
        assert_eq!(app.job(&id).unwrap().state, JobState::Paused);
        // Without the user's own pause it waits again.
        let other = job_at_hand(&app, folder.path());
        app.set_queue_options(&paused).unwrap();
        come_to_rest(&app, &other, JobState::Paused);
        assert_eq!(app.job(&other).unwrap().state, JobState::Queued);
    }

    /// Makes the rows of all jobs as ones of another version: their specs lack the source.
    fn spoil_rows(data: &Path) {
        let path = data.join(frameloom_store::DATABASE_FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        let (known, other) = (b"\"input\":", b"\"inpuT\":");
        let mut spoilt = 0;
        for at in 0..bytes.len() - known.len() {
            if bytes[at..].starts_with(known) {
                bytes[at..at + other.len()].copy_from_slice(other);
                spoilt += 1;
            }
        }
        assert!(spoilt > 0, "the rows are in the file");
        std::fs::write(&path, bytes).unwrap();
    }

    #[test]
    fn a_row_that_cannot_be_read_neither_asks_nor_keeps_the_queue_from_its_end() {
        let folder = {
            let (folder, app, _events) = app();
            submit(&app, folder.path());
            folder
        };
        spoil_rows(&folder.path().join("data"));
        let (folder, app, events) = app_in(folder);
        assert!(app.unreadable_notice().unwrap().is_some());
        app.start_queue().unwrap();
        let view = app.queue().unwrap();
        assert!(!view.asks && view.waiting.is_empty(), "{view:?}");
        // There is no worker, so that this job fails; what counts is that the queue ends.
        submit(&app, folder.path());
        let done = loop {
            match events.recv_timeout(Duration::from_secs(20)).unwrap() {
                QueueEvent::Done { end, .. } => break end,
                _ => continue,
            }
        };
        assert_eq!((done.succeeded, done.failed), (0, 1));
        // Nor does it keep the others from being left.
        app.answer_left_over(false).unwrap();
    }

    #[test]
    fn a_plan_is_read_once_however_often_the_queue_is_asked() {
        let (folder, app, _events) = app();
        let first = submit(&app, folder.path());
        app.queue().unwrap();
        let known = app.queue.state().known.clone();
        assert!(matches!(known.get(&first), Some(Known::Work(Some(_)))));
        app.store.set_plan(&first, "no plan at all").unwrap();
        let second = submit(&app, folder.path());
        assert_eq!(
            app.queue().unwrap().waiting,
            [first.clone(), second.clone()]
        );
        let later = app.queue.state().known.clone();
        assert_eq!(later.get(&first), known.get(&first), "not read again");
        assert!(matches!(later.get(&second), Some(Known::Work(Some(_)))));
        app.cancel(&first).unwrap();
        app.queue().unwrap();
        assert!(!app.queue.state().known.contains_key(&first));
    }

    #[test]
    fn the_queue_asks_as_long_as_something_is_left_to_ask_about() {
        let (folder, id) = {
            let (folder, app, _events) = app();
            let id = submit(&app, folder.path());
            (folder, id)
        };
        let (_folder, app, _events) = app_in(folder);
        app.start_queue().unwrap();
        assert!(app.queue().unwrap().asks);
        app.cancel(&id).unwrap();
        assert!(!app.queue().unwrap().asks);
        assert!(!app.queue.state().asks, "so the next one begins");
    }

    #[test]
    fn who_listens_is_told_how_the_queue_is_even_if_nothing_changes() {
        let (_folder, app, events) = app();
        app.tell_queue().unwrap();
        app.tell_queue().unwrap();
        assert_eq!(events.try_iter().count(), 1);
        let (sender, late) = channel();
        app.listen_to_queue(move |event| sender.send(event.clone()).is_ok());
        app.look_after_queue().unwrap();
        assert_eq!(late.try_iter().count(), 1);
    }

    #[test]
    fn what_was_asked_for_on_another_day_does_not_shut_the_machine_down() {
        let (_folder, app, _events) = app();
        app.set_queue_options(&options(WhenDone::ShutDown)).unwrap();
        app.start_queue().unwrap();
        assert_eq!(app.queue_options().unwrap().when_done, WhenDone::Nothing);
        let (_folder, app, _events) = self::app();
        app.set_queue_options(&options(WhenDone::Sound)).unwrap();
        app.start_queue().unwrap();
        assert_eq!(app.queue_options().unwrap().when_done, WhenDone::Sound);
    }

    #[test]
    fn a_countdown_can_be_stopped_and_one_that_the_user_caused_never_begins() {
        let (_folder, app, events) = app();
        app.queue.state().act = |_| panic!("nobody sleeps");
        app.set_queue_options(&options(WhenDone::Sleep)).unwrap();
        app.queue_is_done(true).unwrap();
        assert_eq!(app.queue().unwrap().countdown, None);
        app.queue_is_done(false).unwrap();
        let countdown = app.queue().unwrap().countdown.unwrap();
        let left = countdown.at_millis - now_millis();
        assert!((55_000..=60_000).contains(&left), "{left}");
        app.stop_countdown().unwrap();
        let view = app.queue().unwrap();
        assert_eq!(
            (view.countdown, view.options.when_done),
            (None, WhenDone::Nothing)
        );
        app.look_after_queue().unwrap();
        app.set_queue_options(&options(WhenDone::Sound)).unwrap();
        app.queue_is_done(false).unwrap();
        assert_eq!(app.queue().unwrap().countdown, None);
        let sounds = events
            .try_iter()
            .filter(|event| matches!(event, QueueEvent::Done { sound: true, .. }));
        assert_eq!(sounds.count(), 1);
    }
}
