//! What a worker says on its standard output: one JSON object per line.

use frameloom_core::job::{JobId, JobProgress};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Read, Write};

/// What a worker says on its standard output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum WorkerEvent {
    /// The first word.
    Hello {
        /// [`PROTOCOL_VERSION`].
        version: u32,
    },
    /// It lives; said every [`ALIVE_SECONDS`].
    Alive {
        /// A number that grows with everything that gets done.
        moved: u64,
    },
    /// A job moved on.
    Progress {
        /// Which.
        id: JobId,
        /// How far.
        progress: JobProgress,
    },
    /// A job's row changed.
    Changed {
        /// Which.
        id: JobId,
    },
    /// A job came to rest, of many.
    Ended {
        /// Which.
        id: JobId,
    },
}

/// Version of what worker and starter say to each other.
pub(crate) const PROTOCOL_VERSION: u32 = 2;
/// Seconds between two signs of life.
pub(crate) const ALIVE_SECONDS: u64 = 2;
/// No event is longer.
const MAX_EVENT_BYTES: u64 = 64 * 1024;

/// The next event; `None` at the end of the stream, or where it is no stream of events at all.
pub(crate) fn read_event(from: &mut impl BufRead) -> Option<Result<WorkerEvent, String>> {
    let mut line = Vec::new();
    let read = from
        .by_ref()
        .take(MAX_EVENT_BYTES)
        .read_until(b'\n', &mut line);
    match read {
        Ok(0) | Err(_) => None,
        // Cut off: by its end, or by its length, after which nothing can be trusted.
        Ok(_) if line.last() != Some(&b'\n') => None,
        Ok(_) => Some(serde_json::from_slice(&line).map_err(|error| error.to_string())),
    }
}

/// Says an event.
pub(super) fn say(event: &WorkerEvent) {
    if let Ok(line) = serde_json::to_string(event) {
        // A starter that is gone is noticed through standard input.
        let mut out = std::io::stdout().lock();
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}
