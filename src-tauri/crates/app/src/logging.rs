//! Logs of this program: on the terminal of a developer, and in daily files that do not pile up.

use crate::Places;
use std::io::IsTerminal;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

/// Files that are kept.
const KEPT_DAYS: usize = 14;

/// Keeps the log file open; logging ends when it is dropped.
pub struct Guard {
    _writer: Option<tracing_appender::non_blocking::WorkerGuard>,
}

/// Keeps ONNX Runtime from reporting its use to its maker, and codec libraries from writing lines of
/// their own to standard error. Call it first thing in `main`: it changes the environment, which is
/// sound only before a second thread exists.
pub fn quiet_libraries() {
    frameloom_infer::silence(frameloom_media::set_variable);
    frameloom_media::quiet_encoders();
}

/// Starts logging to `<data>/logs/<name>.<day>.log`, and to standard error as `FRAMELOOM_LOG`
/// says; `usual` (such as `warn` or `off`) where it says nothing. Does nothing if logging was
/// started before.
pub fn start(places: &Places, name: &str, usual: &str) -> Guard {
    let stderr_filter =
        EnvFilter::try_from_env("FRAMELOOM_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let stderr = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .with_filter(stderr_filter);
    // The appender complains on standard error about a folder that is not there.
    let _ = std::fs::create_dir_all(places.logs());
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix(name)
        .filename_suffix("log")
        .max_log_files(KEPT_DAYS)
        .build(places.logs())
        .ok();
    let (file, guard) = appender
        .map(tracing_appender::non_blocking)
        .map_or((None, None), |(writer, guard)| (Some(writer), Some(guard)));
    let file = file.map(|writer| {
        tracing_subscriber::fmt::layer()
            .with_writer(writer)
            .with_ansi(false)
            .with_filter(EnvFilter::new("info"))
    });
    let _ = tracing_subscriber::registry()
        .with(stderr)
        .with(file)
        .try_init();
    Guard { _writer: guard }
}
