//! Listening in a process of its own, as the model may be anybody's; what was heard is remembered as
//! long as the program runs.

use crate::child::{self, Answer};
use crate::onnx::limit_memory;
use crate::{App, Places, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::media::MediaInfo;
use frameloom_core::said;
use frameloom_engine::voice::WINDOW_MICROS;
use frameloom_engine::{FileStamp, Models};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Longer than any machine listens to a short clip.
const LEAST_TIME: Duration = Duration::from_secs(120);

/// What was heard in all tracks that were listened to, in windows of [`WINDOW_MICROS`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Listened {
    /// Where the first window begins, in the time of the file.
    pub first_micros: i64,
    /// How probable speech is, 0 to 100: the most of all tracks.
    pub speech: Vec<u8>,
    /// Loudness in dB of full scale: the most of all tracks.
    pub levels: Vec<i8>,
}

/// What a child is asked.
#[derive(Debug, Serialize, Deserialize)]
struct Question {
    path: PathBuf,
    tracks: Vec<u32>,
    model: String,
}

/// The child: listens and prints what it heard.
pub(crate) fn listen_here(data: PathBuf, question: &str) -> ExitCode {
    let listen = || -> Result<Listened, AppError> {
        let question: Question = serde_json::from_str(question).map_err(explain::internal)?;
        limit_memory();
        let app = App::open_in_worker(Places::discover(Some(data))?)?;
        let model = app
            .models
            .load(&question.model)
            .map_err(|e| explain::engine(&e))?;
        let runtime = app.runtime()?;
        let mut all: Option<Listened> = None;
        for track in question.tracks {
            let heard = frameloom_engine::voice::listen(&question.path, track, &runtime, &model)
                .map_err(|e| explain::engine(&e))?;
            let one = Listened {
                first_micros: heard.first_micros,
                speech: heard
                    .speech
                    .iter()
                    .map(|p| (p * 100.0).round() as u8)
                    .collect(),
                levels: heard.levels.iter().map(|l| l.round() as i8).collect(),
            };
            all = Some(match all {
                Some(before) => before.with(one),
                None => one,
            });
        }
        all.ok_or_else(|| AppError::new(ErrorCode::InvalidRequest, "No track was named."))
    };
    child::answer(&listen())
}

impl Listened {
    /// The most of two tracks, each at its place.
    fn with(self, other: Self) -> Self {
        let (first, second) = match self.first_micros <= other.first_micros {
            true => (self, other),
            false => (other, self),
        };
        // To the nearest window: half of one is far less than the padding.
        let late = (second.first_micros - first.first_micros + WINDOW_MICROS / 2) / WINDOW_MICROS;
        let late = usize::try_from(late).unwrap_or(0);
        fn most<T: Copy + Ord>(first: &[T], second: &[T], late: usize, nothing: T) -> Vec<T> {
            let length = first.len().max(late.saturating_add(second.len()));
            let at = |list: &[T], n: Option<usize>| {
                n.and_then(|n| list.get(n)).copied().unwrap_or(nothing)
            };
            (0..length)
                .map(|n| at(first, Some(n)).max(at(second, n.checked_sub(late))))
                .collect()
        }
        Self {
            first_micros: first.first_micros,
            speech: most(&first.speech, &second.speech, late, 0),
            levels: most(&first.levels, &second.levels, late, -100),
        }
    }
}

impl App {
    /// Listens to tracks of a file, unless that was done before and the file is the same.
    pub(super) fn listen_apart(
        &self,
        path: &Path,
        info: &MediaInfo,
        tracks: &[u32],
        model: &str,
    ) -> Result<Arc<Listened>, AppError> {
        let facts = path.metadata().map_err(|e| explain::unreadable(path, &e))?;
        let manifest = self.models.ready(model).map_err(|e| explain::engine(&e))?;
        let stamp = FileStamp::of(&facts);
        let key = format!(
            "{} {tracks:?} {} {stamp:?}",
            path.display(),
            manifest.sha256
        );
        if let Some(heard) = self.heard.find(&key).filter(|_| stamp.is_some()) {
            return Ok(heard);
        }
        let question = Question {
            path: path.to_owned(),
            tracks: tracks.to_vec(),
            model: model.to_owned(),
        };
        let question = serde_json::to_string(&question).map_err(explain::internal)?;
        let arguments = [
            OsStr::new("--data-dir"),
            self.places.data.as_os_str(),
            OsStr::new("--listen"),
            OsStr::new(&question),
        ];
        // Every machine listens faster than it plays; a file may say nothing of its length.
        let length = u64::try_from(info.duration_micros.unwrap_or(0)).unwrap_or(0);
        let limit = LEAST_TIME + Duration::from_micros(length).saturating_mul(tracks.len() as u32);
        let failed = |how: String| {
            AppError::new(
                ErrorCode::Internal,
                said!(
                    "silence.unheard",
                    "The process that listened to the clip ended without an answer."
                ),
            )
            .hint("Try again; if it stays so, the model or the file is damaged.")
            .details(how)
        };
        let heard = match self.ask_child::<Result<Listened, AppError>>(&arguments, limit)? {
            Answer::Said(said) => Arc::new(said?),
            Answer::Ended(status) => return Err(failed(status.to_string())),
            Answer::TooSlow => return Err(failed(format!("not done after {} s", limit.as_secs()))),
        };
        self.heard.keep(key, &heard);
        Ok(heard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_tracks_the_one_in_which_somebody_speaks_counts() {
        let track = |first_micros, speech: &[u8]| Listened {
            first_micros,
            speech: speech.to_vec(),
            levels: speech.iter().map(|p| *p as i8 - 100).collect(),
        };
        let both = track(64_000, &[9, 1]).with(track(0, &[1, 2, 3, 4, 5, 6]));
        assert_eq!(both, track(0, &[1, 2, 9, 4, 5, 6]));
        let apart = track(0, &[7]).with(track(100_000, &[8]));
        assert_eq!(apart.speech, [7, 0, 0, 8]);
    }
}
