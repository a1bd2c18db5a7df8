//! Listens to a worker: what it says, and when it is to be given up.
//!
//! A worker says every two seconds that it lives, with a number that grows with everything that
//! gets done. One that falls silent is frozen, one that lives and does not move hangs, and one of
//! another version cannot be understood. How the caller goes on is its own business.

use crate::explain;
use crate::worker::{self, ALIVE_SECONDS, PROTOCOL_VERSION, WorkerEvent};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::said;
use frameloom_core::said::Said;
use std::collections::VecDeque;
use std::io::{BufReader, Read};
use std::process::{Child, ChildStdin, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The last bytes that a worker wrote to standard error.
const STDERR_KEPT_BYTES: usize = 8 * 1024;
/// A worker says that it lives every two seconds; one that is silent for so long is frozen.
const SILENCE_LIMIT_SECONDS: u64 = 60;
/// A worker that lives and gets no further for so long hangs, as in a driver. One frame of the
/// slowest model that is any use takes less.
const STALL_LIMIT_SECONDS: u64 = 600;
/// A worker that is told to stop at once and did not even say that it lives for so long will not.
const FROZEN_SECONDS: u64 = 3 * ALIVE_SECONDS;
/// A worker that closed its pipe is about to end; the system may need a while for much memory.
const ENDING_LIMIT: Duration = Duration::from_secs(30);

/// [`STALL_LIMIT_SECONDS`], or what the environment says for a test.
fn stall_limit_seconds() -> u64 {
    std::env::var("FRAMELOOM_STALL_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(STALL_LIMIT_SECONDS)
}

/// What was heard within a second.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    /// A word.
    Event(WorkerEvent),
    /// Nothing, or nothing that is understood.
    Nothing,
    /// It closed its pipe: it is ending.
    Closed,
    /// It must be ended, for this reason.
    GivenUp(Said),
}

/// When a worker is given up.
struct Limits {
    /// How long one call listens.
    tick: Duration,
    silent_ticks: u64,
    stalled_seconds: u64,
}

impl Limits {
    fn usual() -> Self {
        let stalled_seconds = stall_limit_seconds();
        Self {
            tick: Duration::from_secs(1),
            silent_ticks: SILENCE_LIMIT_SECONDS.min(stalled_seconds),
            stalled_seconds,
        }
    }
}

/// The ear at a worker's pipes.
pub(crate) struct WorkerListener {
    events: Receiver<Result<WorkerEvent, String>>,
    last_words: JoinHandle<String>,
    limits: Limits,
    // Counted in signs of life, not read from a clock: a machine that slept is no worker that hung.
    silent_ticks: u64,
    stalled_seconds: u64,
    last_moved: Option<u64>,
}

impl WorkerListener {
    /// Takes the pipes of a worker that was just started; the one to talk into is given back.
    pub(crate) fn of(child: &mut Child) -> Result<(Self, ChildStdin), AppError> {
        match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(stdin), Some(stdout), Some(stderr)) => {
                match Self::new(stdout, stderr, Limits::usual()) {
                    Ok(listener) => Ok((listener, stdin)),
                    Err(error) => {
                        // Nobody would hear it.
                        let _ = child.kill();
                        let _ = child.wait();
                        Err(error)
                    }
                }
            }
            _ => Err(AppError::new(
                ErrorCode::Internal,
                "The worker has no pipes to talk through.",
            )),
        }
    }

    fn new(
        stdout: impl Read + Send + 'static,
        stderr: impl Read + Send + 'static,
        limits: Limits,
    ) -> Result<Self, AppError> {
        let (told, events) = std::sync::mpsc::channel();
        let listen = move || {
            let mut stdout = BufReader::new(stdout);
            while let Some(event) = worker::read_event(&mut stdout) {
                if told.send(event).is_err() {
                    break;
                }
            }
        };
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        thread("listen").spawn(listen).map_err(explain::no_thread)?;
        Ok(Self {
            events,
            last_words: thread("last-words")
                .spawn(move || tail(stderr))
                .map_err(explain::no_thread)?,
            limits,
            silent_ticks: 0,
            stalled_seconds: 0,
            last_moved: None,
        })
    }

    /// The next word, waited for at most a second.
    pub(crate) fn listen(&mut self) -> Heard {
        match self.events.recv_timeout(self.limits.tick) {
            Ok(Ok(WorkerEvent::Hello { version })) if version != PROTOCOL_VERSION => {
                Heard::GivenUp(said!(
                    "process.other_version",
                    "The worker is of another version than this program; install Frameloom again."
                ))
            }
            Ok(Ok(event)) => {
                self.silent_ticks = 0;
                if let WorkerEvent::Alive { moved } = event {
                    self.stalled_seconds = match self.last_moved == Some(moved) {
                        true => self.stalled_seconds + ALIVE_SECONDS,
                        false => 0,
                    };
                    self.last_moved = Some(moved);
                    if self.stalled_seconds >= self.limits.stalled_seconds {
                        return Heard::GivenUp(said!(
                            "process.stalled",
                            "The job got no further for {seconds} seconds; a driver may hang.",
                            seconds = self.stalled_seconds
                        ));
                    }
                }
                Heard::Event(event)
            }
            Ok(Err(error)) => {
                tracing::warn!(error, "a worker said something unknown");
                Heard::Nothing
            }
            Err(RecvTimeoutError::Timeout) => {
                self.silent_ticks += 1;
                if self.silent_ticks >= self.limits.silent_ticks {
                    return Heard::GivenUp(said!(
                        "process.silent",
                        "The process that did this job gave no sign of life for {seconds} seconds.",
                        seconds = self.silent_ticks
                    ));
                }
                Heard::Nothing
            }
            Err(RecvTimeoutError::Disconnected) => Heard::Closed,
        }
    }

    /// True if the worker missed three of its signs of life: nothing that it is told reaches it.
    pub(crate) fn is_frozen(&self) -> bool {
        self.silent_ticks >= FROZEN_SECONDS
    }

    /// What the worker wrote to standard error last. Call it when the worker has ended.
    pub(crate) fn last_words(self) -> String {
        self.last_words.join().unwrap_or_default()
    }
}

/// Waits for a worker that is about to end, and ends it where it does not: then the second value is
/// the reason.
pub(crate) fn wait_for_end(child: &mut Child) -> (std::io::Result<ExitStatus>, Option<Said>) {
    wait_at_most(child, ENDING_LIMIT)
}

fn wait_at_most(child: &mut Child, limit: Duration) -> (std::io::Result<ExitStatus>, Option<Said>) {
    let began = Instant::now();
    let mut pause = Duration::from_millis(1);
    while began.elapsed() < limit {
        match child.try_wait() {
            Ok(None) => std::thread::sleep(pause),
            Ok(Some(status)) => return (Ok(status), None),
            Err(error) => return (Err(error), None),
        }
        pause = (pause * 2).min(Duration::from_millis(50));
    }
    let _ = child.kill();
    let reason = said!(
        "process.stayed",
        "The process that did this job fell silent and did not end within {seconds} seconds.",
        seconds = limit.as_secs()
    );
    (child.wait(), Some(reason))
}

fn tail(mut stderr: impl Read) -> String {
    let mut kept = VecDeque::with_capacity(STDERR_KEPT_BYTES);
    let mut block = [0; 1024];
    while let Ok(read @ 1..) = stderr.read(&mut block) {
        kept.extend(&block[..read]);
        let surplus = kept.len().saturating_sub(STDERR_KEPT_BYTES);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(kept.make_contiguous())
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{PipeWriter, Write};

    /// A listener with little patience, and the other end of its pipe.
    fn listener(silent_ticks: u64, tick_millis: u64) -> (WorkerListener, PipeWriter) {
        let (reader, writer) = std::io::pipe().unwrap();
        let limits = Limits {
            tick: Duration::from_millis(tick_millis),
            silent_ticks,
            stalled_seconds: 3 * ALIVE_SECONDS,
        };
        let listener = WorkerListener::new(reader, std::io::empty(), limits).unwrap();
        (listener, writer)
    }

    /// One that waits for what was said, however busy the machine is.
    fn patient() -> (WorkerListener, PipeWriter) {
        listener(2, 60_000)
    }

    fn alive(moved: u64) -> WorkerEvent {
        WorkerEvent::Alive { moved }
    }

    fn say(to: &mut PipeWriter, event: &WorkerEvent) {
        writeln!(to, "{}", serde_json::to_string(event).unwrap()).unwrap();
    }

    #[test]
    fn a_worker_of_another_version_is_given_up_with_a_remedy() {
        let (mut ear, mut mouth) = patient();
        let version = PROTOCOL_VERSION;
        say(&mut mouth, &WorkerEvent::Hello { version });
        assert_eq!(ear.listen(), Heard::Event(WorkerEvent::Hello { version }));
        let version = PROTOCOL_VERSION + 1;
        say(&mut mouth, &WorkerEvent::Hello { version });
        match ear.listen() {
            Heard::GivenUp(reason) => assert!(reason.text.contains("install"), "{reason}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_worker_that_lives_and_does_not_move_is_given_up_and_one_that_moves_is_not() {
        let (mut ear, mut mouth) = patient();
        for moved in [1, 1, 1, 2, 2, 2, 2] {
            say(&mut mouth, &alive(moved));
        }
        for moved in [1, 1, 1, 2, 2, 2] {
            assert_eq!(ear.listen(), Heard::Event(alive(moved)));
        }
        match ear.listen() {
            Heard::GivenUp(reason) => assert!(reason.text.contains("6 seconds"), "{reason}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_worker_that_falls_silent_is_given_up_and_a_word_in_between_is_enough() {
        let (mut ear, mut mouth) = listener(2, 20);
        assert_eq!(ear.listen(), Heard::Nothing);
        say(&mut mouth, &alive(1));
        // The word may need longer than a tick to arrive, and then comes too late.
        ear.limits.tick = Duration::from_secs(60);
        assert_eq!(ear.listen(), Heard::Event(alive(1)));
        ear.limits.tick = Duration::from_millis(20);
        assert_eq!(ear.listen(), Heard::Nothing);
        match ear.listen() {
            Heard::GivenUp(reason) => assert!(reason.text.contains("no sign of life"), "{reason}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_not_understood_is_passed_over_and_the_end_is_heard() {
        let (mut ear, mut mouth) = patient();
        writeln!(mouth, "{{\"event\":\"of tomorrow\"}}").unwrap();
        say(&mut mouth, &alive(1));
        // Cut off by a kill.
        write!(mouth, "{{\"event\":").unwrap();
        drop(mouth);
        assert_eq!(ear.listen(), Heard::Nothing);
        assert_eq!(ear.listen(), Heard::Event(alive(1)));
        assert_eq!(ear.listen(), Heard::Closed);
    }

    #[test]
    fn the_last_words_are_kept_and_not_the_first() {
        let mut said = vec![b'x'; 3 * STDERR_KEPT_BYTES];
        said.extend(b"the reason\n");
        let kept = tail(&said[..]);
        assert!(kept.len() <= STDERR_KEPT_BYTES && kept.ends_with("xthe reason"));
    }

    #[cfg(unix)]
    #[test]
    fn a_process_that_closed_its_pipe_and_stays_is_ended() {
        use std::process::{Command, Stdio};
        let start = |script: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", script]).stdin(Stdio::null());
            shell.spawn().unwrap()
        };
        let (status, reason) = wait_at_most(&mut start("exit 3"), Duration::from_secs(60));
        assert_eq!((status.unwrap().code(), reason), (Some(3), None));
        let (status, reason) = wait_at_most(&mut start("sleep 600"), Duration::from_millis(200));
        assert_eq!(status.unwrap().code(), None);
        assert!(reason.is_some());
    }
}
