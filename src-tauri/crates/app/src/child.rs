//! Asking a process of our own a question, because the answer needs code that may crash or hang:
//! a stranger's model, a driver.

use crate::{App, SceneWatch};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::said;
use serde::{Serialize, de::DeserializeOwned};
use std::cell::RefCell;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// No answer is longer: the longest tells what was heard in a day of sound.
const MAX_ANSWER_BYTES: u64 = 32 << 20;

/// How a line begins that says how far a child is, in thousandths.
const PROGRESS: &str = "progress ";

/// What a child came to.
pub(crate) enum Answer<T> {
    /// It answered.
    Said(T),
    /// It ended without an answer that can be read.
    Ended(ExitStatus),
    /// It did not end in time, and was killed.
    TooSlow,
}

impl App {
    /// Starts `worker` with `arguments` and waits for the JSON that it prints.
    ///
    /// # Errors
    /// The process cannot be started.
    pub(crate) fn ask_child<T: DeserializeOwned>(
        &self,
        arguments: &[&OsStr],
        time_limit: Duration,
    ) -> Result<Answer<T>, AppError> {
        self.ask_child_while(arguments, time_limit, &|| true)
    }

    /// As [`App::ask_child`], until `may_go_on` says no: then the child is ended like one that is too
    /// slow.
    ///
    /// # Errors
    /// As [`App::ask_child`].
    pub(crate) fn ask_child_while<T: DeserializeOwned>(
        &self,
        arguments: &[&OsStr],
        time_limit: Duration,
        may_go_on: &dyn Fn() -> bool,
    ) -> Result<Answer<T>, AppError> {
        self.ask_child_telling(arguments, time_limit, may_go_on, &mut |_| {})
    }

    /// As [`App::ask_child_telling`], of a child that answers with what it found or why it could not, for
    /// somebody who waits. `left` is the error where nobody does any more, `failed` that of a child that
    /// gave no answer, from what became of it.
    ///
    /// # Errors
    /// As [`App::ask_child`]; what the child says; `left` and `failed`.
    pub(crate) fn ask_child_watched<T: DeserializeOwned>(
        &self,
        arguments: &[&OsStr],
        time_limit: Duration,
        watch: &mut dyn SceneWatch,
        left: &dyn Fn() -> AppError,
        failed: &dyn Fn(String) -> AppError,
    ) -> Result<T, AppError> {
        let watch = RefCell::new(watch);
        let answer = self.ask_child_telling::<Result<T, AppError>>(
            arguments,
            time_limit,
            &|| watch.borrow().is_wanted(),
            &mut |part| watch.borrow_mut().told(part),
        )?;
        if !watch.borrow().is_wanted() {
            return Err(left());
        }
        match answer {
            Answer::Said(said) => said,
            Answer::Ended(status) => Err(failed(status.to_string())),
            Answer::TooSlow => Err(failed(format!("no further for {} s", time_limit.as_secs()))),
        }
    }

    /// As [`App::ask_child_while`], of a child that says how far it is ([`tell_progress`]): `told`
    /// hears the part that is done, 0 to 1, whenever it grew. `time_limit` is that between two such
    /// words.
    ///
    /// # Errors
    /// As [`App::ask_child`].
    pub(crate) fn ask_child_telling<T: DeserializeOwned>(
        &self,
        arguments: &[&OsStr],
        time_limit: Duration,
        may_go_on: &dyn Fn() -> bool,
        told: &mut dyn FnMut(f64),
    ) -> Result<Answer<T>, AppError> {
        let mut command = Command::new(&self.places.worker);
        if !self.places.extra_models.is_empty() {
            command.env(
                "FRAMELOOM_MODELS_DIR",
                std::env::join_paths(&self.places.extra_models).unwrap_or_default(),
            );
        }
        let mut child = command
            .arg("worker")
            .args(arguments)
            .stdin(Stdio::null())
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
        let stdout = child.stdout.take();
        // In thousandths.
        let done = Arc::new(AtomicU32::new(0));
        let heard = done.clone();
        let reader = std::thread::spawn(move || {
            let mut answer = String::new();
            // Cut off, it is no JSON, which is seen below.
            let stdout = stdout.map(|stdout| BufReader::new(stdout.take(MAX_ANSWER_BYTES)));
            for line in stdout
                .into_iter()
                .flat_map(BufRead::lines)
                .map_while(Result::ok)
            {
                match line.strip_prefix(PROGRESS) {
                    Some(part) => heard.store(part.trim().parse().unwrap_or(0), Ordering::Relaxed),
                    None => answer.push_str(&line),
                }
            }
            answer
        });
        let mut began = Instant::now();
        let mut known = 0;
        let status = loop {
            let now = done.load(Ordering::Relaxed);
            if now > known {
                (known, began) = (now, Instant::now());
                told(f64::from(now) / 1000.0);
            }
            match child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if began.elapsed() < time_limit && may_go_on() => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Ok(None) | Err(_) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    break None;
                }
            }
        };
        let text = reader.join().unwrap_or_default();
        Ok(match (status, serde_json::from_str(&text)) {
            (Some(_), Ok(said)) => Answer::Said(said),
            (Some(status), Err(_)) => Answer::Ended(status),
            (None, _) => Answer::TooSlow,
        })
    }
}

/// Tells who asked a child how far it is, once for each thousandth.
#[derive(Default)]
pub(crate) struct Telling {
    last: u32,
}

impl Telling {
    /// `part` is done, 0 to 1.
    pub(crate) fn tell(&mut self, part: f64) {
        let now = (part.clamp(0.0, 1.0) * 1000.0) as u32;
        if now > self.last {
            self.last = now;
            // Who asked may be gone; then the answer finds nobody, too.
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{PROGRESS}{now}").and_then(|()| out.flush());
        }
    }
}

/// Prints the answer of a child.
pub(crate) fn answer(said: &impl Serialize) -> ExitCode {
    let told = serde_json::to_string(said)
        .map_err(std::io::Error::other)
        .and_then(|json| writeln!(std::io::stdout(), "{json}"));
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
