//! The process that makes single pictures of graphs: `worker --views DIR`.
//!
//! Drivers, codecs and models run here, so that one that crashes does not take the window along.
//! The process stays for the next picture and ends by itself when nobody asks for a while. It
//! takes one request at a time, as a line of JSON; the line `stop` gives up the one at hand. Each
//! is answered by the line `begun`, a line of JSON, and the bytes of the picture that it announces.

use crate::models::ModelStore;
use crate::onnx::{JobModels, limit_memory};
use crate::runner::how_it_ended;
use crate::{App, Places, choices, compute, explain, preview};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{JobSpec, ProviderChoice};
use frameloom_core::media::Caution;
use frameloom_core::said;
use frameloom_engine::execute::{Pixels, Threads};
use frameloom_engine::{
    Cancel, Context, EngineError, MemoryJournal, Plan, Stop, Unwatched, View, ViewWish, view,
};
use frameloom_infer::Runtime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long models may take for a picture before they do a part of it.
const PATIENCE: Duration = Duration::from_secs(1);
/// The process ends after so long without a request: an open model holds memory.
const IDLE_LIMIT: Duration = Duration::from_secs(120);
/// A picture that is not there by then is given up.
const TIME_LIMIT: Duration = Duration::from_secs(120);
/// A process that was told to stop and has not by then is in a call that cannot be stopped.
const LET_GO_LIMIT: Duration = Duration::from_millis(1500);
/// So often it is looked whether the request was overtaken.
const TICK: Duration = Duration::from_millis(20);
/// No picture is larger.
const MOST_BYTES: usize = 64 << 20;
/// The line before an answer: from here on, the request may be what ends the process.
const BEGUN: &str = "begun";

/// What is asked of the process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ask {
    pub spec: JobSpec,
    pub plan: Plan,
    /// Where models compute, by their ids.
    pub chosen: BTreeMap<String, ProviderChoice>,
    pub at_micros: i64,
    pub max_side: u32,
}

/// What it answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    /// A PNG of so many bytes follows.
    Picture {
        facts: Facts,
        bytes: usize,
    },
    Outside {
        from_micros: i64,
        to_micros: Option<i64>,
    },
    Refused(AppError),
    Stopped,
}

/// What there is to say of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub size: (u32, u32),
    pub at_micros: i64,
    /// Only a part went through the models.
    pub partial: bool,
    /// Which: left, top, right and bottom, as shares.
    pub place: Option<[f64; 4]>,
}

impl Facts {
    fn of(pixels: &Pixels) -> Self {
        Self {
            size: pixels.size,
            at_micros: pixels.at_micros,
            partial: pixels.portion.is_some(),
            place: pixels
                .portion
                .flatten()
                .map(|at| [at.left, at.top, at.right, at.bottom]),
        }
    }
}

/// The child: makes pictures until nobody asks any more.
pub(crate) fn show_here(data: PathBuf) -> ExitCode {
    limit_memory();
    let open = || -> Result<(Places, ModelStore, tempfile::TempDir), AppError> {
        let places = Places::discover(Some(data))?;
        let models = ModelStore::open(&places)?;
        let scratch = tempfile::tempdir().map_err(explain::internal)?;
        Ok((places, models, scratch))
    };
    let (places, models, scratch) = match open() {
        Ok(opened) => opened,
        Err(error) => {
            tell(&Said::Refused(error), &[]);
            return ExitCode::FAILURE;
        }
    };
    let (to_work, asked) = channel::<(Ask, Cancel)>();
    let listener = std::thread::Builder::new()
        .name("listen".to_owned())
        .spawn(move || {
            let mut current = Cancel::new();
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { break };
                if line == "stop" {
                    current.request(Stop::Now);
                } else if let Ok(ask) = serde_json::from_str(&line) {
                    current = Cancel::new();
                    if to_work.send((ask, current.clone())).is_err() {
                        return;
                    }
                }
            }
            // Whoever asked is gone: nothing of this is wanted any more.
            current.request(Stop::Now);
            drop(to_work);
            std::thread::sleep(LET_GO_LIMIT);
            std::process::abort();
        });
    if listener.is_err() {
        return ExitCode::FAILURE;
    }
    while let Ok((ask, cancel)) = asked.recv_timeout(IDLE_LIMIT) {
        if !put(BEGUN, &[]) {
            break;
        }
        let (said, bytes) = show(&ask, &cancel, &places, &models, scratch.path());
        if !tell(&said, &bytes) {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn tell(said: &Said, bytes: &[u8]) -> bool {
    let Ok(line) = serde_json::to_string(said) else {
        return false;
    };
    put(&line, bytes)
}

fn put(line: &str, bytes: &[u8]) -> bool {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.write_all(bytes))
        .and_then(|()| out.flush())
        .is_ok()
}

fn show(
    ask: &Ask,
    cancel: &Cancel,
    places: &Places,
    models: &ModelStore,
    scratch: &Path,
) -> (Said, Vec<u8>) {
    let runtime = || -> Result<Arc<Runtime>, EngineError> {
        Ok(Runtime::load(&places.onnxruntime_or_missing())?)
    };
    let models = JobModels {
        store: models,
        onnx: ask.plan.onnx.clone(),
    };
    let cores = compute::budget(&ask.spec.compute);
    let context = Context {
        runtime: &runtime,
        models: &models,
        work_dir: scratch,
        threads: Threads::for_cores(cores),
        journal: &MemoryJournal::default(),
        progress: &Unwatched,
        cancel,
        caution: Caution::default(),
        pool: None,
        compute: ask.spec.compute,
        chosen: ask.chosen.clone(),
    };
    let wish = ViewWish {
        at_micros: ask.at_micros,
        max_side: ask.max_side,
        patience: PATIENCE,
    };
    let refused = |error| (Said::Refused(error), Vec::new());
    match view(&ask.spec, &ask.plan, wish, &context) {
        Ok(View::Picture(pixels)) => {
            let facts = Facts::of(&pixels);
            match preview::encode(&pixels.rgb, pixels.width, pixels.height, true) {
                Ok(picture) => {
                    let bytes = picture.bytes.len();
                    (Said::Picture { facts, bytes }, picture.bytes)
                }
                Err(error) => refused(error),
            }
        }
        Ok(View::Outside {
            from_micros,
            to_micros,
        }) => {
            let said = Said::Outside {
                from_micros,
                to_micros,
            };
            (said, Vec::new())
        }
        Err(EngineError::Stopped) => (Said::Stopped, Vec::new()),
        Err(error) => refused(explain::engine(&error)),
    }
}

/// The process, seen from who asks it. One picture is made at a time: a newer request ends the one
/// before it.
#[derive(Default)]
pub(crate) struct Viewer {
    newest: AtomicU64,
    talk: Mutex<Option<Talk>>,
}

/// The turn of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn(u64);

pub(crate) fn overtaken() -> AppError {
    AppError::new(
        ErrorCode::Cancelled,
        said!("preview.overtaken", "A newer picture was asked for."),
    )
}

impl Viewer {
    /// Takes a turn, which ends that of every earlier request.
    pub(crate) fn turn(&self) -> Turn {
        Turn(self.newest.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn is_overtaken(&self, turn: Turn) -> bool {
        self.newest.load(Ordering::SeqCst) != turn.0
    }

    /// Asks for a picture and waits for it.
    ///
    /// # Errors
    /// What the process says; that it crashed or was too slow; or that a newer request came.
    pub(crate) fn ask(
        &self,
        app: &App,
        ask: &Ask,
        turn: Turn,
    ) -> Result<(Said, Vec<u8>), AppError> {
        let line = serde_json::to_string(ask).map_err(explain::internal)?;
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        // One that ended before it began with this is started again, once: for want of requests, or
        // killed while nobody waited, which a pipe may not show yet.
        for is_last in [false, true] {
            if self.is_overtaken(turn) {
                return Err(overtaken());
            }
            let at_hand = match talk.as_mut() {
                Some(at_hand) => at_hand,
                None => talk.insert(Talk::start(app)?),
            };
            if !at_hand.say(&line) {
                *talk = None;
                continue;
            }
            let heard = at_hand.listen(|| self.is_overtaken(turn));
            match heard {
                Heard::Said(Said::Stopped, _) => return Err(overtaken()),
                Heard::Said(said, bytes) => return Ok((said, bytes)),
                Heard::Ended { begun } => {
                    let ended = talk.take().and_then(Talk::end);
                    if is_last || begun {
                        let what = ended.map_or_else(
                            || {
                                said!(
                                    "process.picture_ended",
                                    "The process that makes this picture ended too early."
                                )
                            },
                            |status| {
                                let how = how_it_ended(status, "").text;
                                frameloom_core::said::Said::coded(
                                    "process.picture_ended",
                                    how.replace("did this job", "makes this picture"),
                                    [],
                                )
                            },
                        );
                        let hint = explain::hint(ErrorCode::WorkerCrashed).unwrap_or_default();
                        return Err(AppError::new(ErrorCode::WorkerCrashed, what).hint(hint));
                    }
                }
                Heard::Overtaken => {
                    *talk = None;
                    return Err(overtaken());
                }
                Heard::TooSlow => {
                    *talk = None;
                    return Err(AppError::new(
                        ErrorCode::Internal,
                        said!(
                            "preview.slow",
                            "This picture was not done after {seconds} seconds.",
                            seconds = TIME_LIMIT.as_secs()
                        ),
                    )
                    .hint("Look at a node further in front, or run the graph."));
                }
            }
        }
        Err(AppError::new(
            ErrorCode::WorkerCrashed,
            said!(
                "process.picture_ended",
                "The process that makes this picture ended too early."
            ),
        )
        .hint(explain::hint(ErrorCode::WorkerCrashed).unwrap_or_default()))
    }
}

enum Heard {
    Said(Said, Vec<u8>),
    /// The process is gone; whether it had begun with the request.
    Ended {
        begun: bool,
    },
    /// A newer request came, and it does not let go of this one.
    Overtaken,
    TooSlow,
}

/// A running process and the ear at its pipe.
struct Talk {
    child: Child,
    stdin: ChildStdin,
    answers: Receiver<Told>,
}

/// What comes through the pipe.
enum Told {
    Begun,
    Answer(Said, Vec<u8>),
}

impl Talk {
    fn start(app: &App) -> Result<Self, AppError> {
        let mut command = Command::new(&app.places.worker);
        command.arg("worker").arg("--views").arg(&app.places.data);
        if !app.places.extra_models.is_empty() {
            command.env(
                "FRAMELOOM_MODELS_DIR",
                std::env::join_paths(&app.places.extra_models).unwrap_or_default(),
            );
        }
        #[cfg(windows)]
        {
            const CREATE_NO_WINDOW: u32 = 0x0800_0000;
            std::os::windows::process::CommandExt::creation_flags(&mut command, CREATE_NO_WINDOW);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                AppError::new(
                    ErrorCode::Internal,
                    said!(
                        "process.unstartable",
                        "A process of this program cannot be started."
                    ),
                )
                .hint("Install Frameloom again.")
                .details(error.to_string())
            })?;
        let (told, answers) = channel();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let listener = std::thread::Builder::new()
            .name("views".to_owned())
            .spawn(move || {
                let Some(stdout) = stdout else { return };
                let mut stdout = BufReader::new(stdout);
                while let Some(next) = read_told(&mut stdout) {
                    if told.send(next).is_err() {
                        break;
                    }
                }
            });
        match (stdin, listener) {
            (Some(stdin), Ok(_)) => Ok(Self {
                child,
                stdin,
                answers,
            }),
            (_, listener) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(match listener {
                    Err(error) => explain::no_thread(error),
                    Ok(_) => AppError::new(
                        ErrorCode::Internal,
                        "The process that makes pictures has no pipes to talk through.",
                    ),
                })
            }
        }
    }

    fn say(&mut self, line: &str) -> bool {
        writeln!(self.stdin, "{line}")
            .and_then(|()| self.stdin.flush())
            .is_ok()
    }

    fn listen(&mut self, is_overtaken: impl Fn() -> bool) -> Heard {
        let (began, mut told) = (Instant::now(), None::<Instant>);
        let mut begun = false;
        loop {
            match self.answers.recv_timeout(TICK) {
                Ok(Told::Begun) => begun = true,
                Ok(Told::Answer(said, bytes)) => return Heard::Said(said, bytes),
                Err(RecvTimeoutError::Disconnected) => return Heard::Ended { begun },
                Err(RecvTimeoutError::Timeout) => {}
            }
            match told {
                None if is_overtaken() => {
                    if !self.say("stop") {
                        return Heard::Ended { begun };
                    }
                    told = Some(Instant::now());
                }
                Some(told) if told.elapsed() > LET_GO_LIMIT => return Heard::Overtaken,
                _ if began.elapsed() > TIME_LIMIT => return Heard::TooSlow,
                _ => {}
            }
        }
    }

    /// How a process that closed its pipe ended.
    fn end(mut self) -> Option<std::process::ExitStatus> {
        let began = Instant::now();
        while began.elapsed() < LET_GO_LIMIT {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(TICK);
        }
        None
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What comes next, an answer with its picture; `None` at the end of the stream, or where it is
/// neither.
fn read_told(from: &mut impl BufRead) -> Option<Told> {
    let mut line = String::new();
    from.by_ref()
        .take(MOST_BYTES as u64)
        .read_line(&mut line)
        .ok()
        .filter(|read| *read > 0)?;
    if line.trim_end() == BEGUN {
        return Some(Told::Begun);
    }
    let said: Said = serde_json::from_str(&line).ok()?;
    let mut bytes = Vec::new();
    if let Said::Picture { bytes: length, .. } = &said {
        let length = Some(*length).filter(|length| *length <= MOST_BYTES)?;
        bytes.resize(length, 0);
        from.read_exact(&mut bytes).ok()?;
    }
    Some(Told::Answer(said, bytes))
}

/// Where the models of a job compute that is looked at: as was measured for jobs on this machine,
/// and otherwise on the processor, for measuring takes long.
pub(crate) fn known_choices(
    app: &App,
    spec: &JobSpec,
    plan: &Plan,
) -> BTreeMap<String, ProviderChoice> {
    if plan.models.is_empty() {
        return BTreeMap::new();
    }
    let known: Vec<choices::Remembered> = app.remembered_choices();
    plan.models
        .iter()
        .filter_map(|used| {
            let fits = |known: &&choices::Remembered| {
                known.model == used.id
                    && known.device == spec.device
                    && known.precision == spec.compute.precision
            };
            let found = known.iter().find(fits)?;
            Some((used.id.clone(), found.decision.choice.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_its_picture_and_what_is_cut_off_is_none() {
        let facts = Facts {
            size: (640, 360),
            at_micros: 40_000,
            partial: true,
            place: Some([0.25, 0.25, 0.75, 0.75]),
        };
        let said = Said::Picture {
            facts: facts.clone(),
            bytes: 4,
        };
        let mut stream = format!("begun\n{}\nPNG!", serde_json::to_string(&said).unwrap());
        stream.push_str("\"stopped\"\n");
        let mut from = stream.as_bytes();
        assert!(matches!(read_told(&mut from), Some(Told::Begun)));
        let Some(Told::Answer(Said::Picture { facts: read, .. }, bytes)) = read_told(&mut from)
        else {
            panic!("no picture");
        };
        assert_eq!((read, &bytes[..]), (facts, &b"PNG!"[..]));
        assert!(matches!(
            read_told(&mut from),
            Some(Told::Answer(Said::Stopped, _))
        ));
        assert!(read_told(&mut from).is_none());
        let mut short = stream.as_bytes();
        short = &short[..short.len() - 13];
        assert!(matches!(read_told(&mut short), Some(Told::Begun)));
        assert!(read_told(&mut short).is_none(), "a picture that is cut off");
    }

    #[test]
    fn a_newer_request_overtakes_every_earlier_one() {
        let viewer = Viewer::default();
        let first = viewer.turn();
        assert!(!viewer.is_overtaken(first));
        let second = viewer.turn();
        assert!(viewer.is_overtaken(first) && !viewer.is_overtaken(second));
    }
}
