//! Silence cut out of clips: a model listens, a rule decides what is kept, and a graph keeps it.
//!
//! The decision is taken before the job begins and stands in its graph: a run that is resumed cuts
//! at the same pictures without listening again.

mod edit;
mod heard;

pub use edit::{EDIT_FORMATS, EditFormat};
pub(crate) use heard::{Listened, listen_here};

use crate::presets::{self, Work};
use crate::request::{absolute_input, shown};
use crate::saved::saved;
use crate::{App, Span, UpscaleRequest, explain, inputs};
use edit::EditList;
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{CutParams, Graph, KeptStretch, Op, kept_text};
use frameloom_core::media::{MediaInfo, MediaKind, StreamKind, VideoInfo};
use frameloom_core::model::Task;
use frameloom_core::said;
use frameloom_core::said::{Said, SaidValue};
use frameloom_core::speech::{SilenceRule, Speech, kept_of, speech_of};
use frameloom_engine::voice::WINDOW_MICROS;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ts_rs::TS;

/// How silence is cut.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct SilenceWish {
    /// How it is told from speech.
    pub rule: SilenceRule,
    /// Index of the only track that is listened to; all of them where `None`, and who speaks in any
    /// is kept.
    pub track: Option<u32>,
}

/// What would be kept of a clip, and what was heard of it. Times count from its first picture.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct SilenceView {
    /// What is kept, in order.
    pub kept: Vec<Span>,
    /// Where somebody speaks: what is kept without its padding.
    pub speech: Vec<Span>,
    /// Length of the clip.
    #[ts(type = "number")]
    pub length_micros: i64,
    /// Length of what is kept.
    #[ts(type = "number")]
    pub kept_micros: i64,
    /// Where the first of `levels` begins.
    #[ts(type = "number")]
    pub first_micros: i64,
    /// How long each of them is.
    #[ts(type = "number")]
    pub step_micros: i64,
    /// Loudness over time, in dB of full scale, -100 to 0; whole numbers, for drawing.
    pub levels: Vec<i8>,
    /// How probable speech is over time, 0 to 100.
    pub probabilities: Vec<u8>,
    /// Id of the model that listened.
    pub model: String,
}

/// What a rule decides about a clip.
struct Decided {
    speech: Vec<Speech>,
    kept: Vec<KeptStretch>,
    length_micros: i64,
}

fn invalid(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
}

impl App {
    /// What was heard of a file, now or before.
    fn heard(
        &self,
        input: &Path,
        info: &MediaInfo,
        wish: &SilenceWish,
        model: &str,
    ) -> Result<Arc<Listened>, AppError> {
        let tracks = tracks_of(input, info, wish)?;
        self.listen_apart(input, info, &tracks, model)
    }

    /// The graph that cuts silence out of a clip, and the model that listened.
    pub(crate) fn silence(
        &self,
        request: &UpscaleRequest,
        input: &Path,
        info: &MediaInfo,
        video: Option<&VideoInfo>,
    ) -> Result<(Work, String), AppError> {
        if request.scale.is_some() {
            return Err(invalid(said!(
                "silence.scale",
                "Where silence is cut, a scale has no meaning."
            ))
            .hint("Leave it out."));
        }
        let wish = request.silence.unwrap_or_default();
        let model = self.model_for(request.model.as_deref(), Task::VoiceActivity)?;
        let heard = self.heard(input, info, &wish, &model)?;
        let decided = decide(&heard, input, info, request.span, &wish.rule)?;
        check_worth(input, &decided, request.span)?;
        let work = Work {
            graph: Graph::chain([Op::Cut(CutParams {
                heard_by: Some(model.clone()),
                ..CutParams::new(kept_text(&decided.kept))
            })]),
            size: video.map(|video| shown(video, (video.width, video.height))),
            ending: presets::ending_of(request.preset.preset(), request)?,
        };
        Ok((work, model))
    }

    /// What would be kept of a clip or of sound, without doing anything.
    ///
    /// # Errors
    /// The file has no sound, or no model hears speech, in a sentence.
    pub fn view_silence(&self, request: &UpscaleRequest) -> Result<SilenceView, AppError> {
        let (input, info) = opened(&request.input)?;
        let wish = request.silence.unwrap_or_default();
        let model = self.model_for(request.model.as_deref(), Task::VoiceActivity)?;
        let heard = self.heard(&input, &info, &wish, &model)?;
        let decided = decide(&heard, &input, &info, request.span, &wish.rule)?;
        let kept: Vec<Span> = decided.spans();
        Ok(SilenceView {
            kept_micros: kept.iter().map(|s| s.to_micros - s.from_micros).sum(),
            kept,
            speech: decided
                .speech
                .iter()
                .map(|run| Span {
                    from_micros: run.from_micros,
                    to_micros: run.to_micros,
                })
                .collect(),
            length_micros: decided.length_micros,
            first_micros: heard.first_micros.saturating_sub(start_of(&input, &info)?),
            step_micros: WINDOW_MICROS,
            levels: heard.levels.clone(),
            probabilities: heard.speech.clone(),
            model,
        })
    }

    /// What is kept of a clip or of sound, as a text that other programs read.
    ///
    /// # Errors
    /// As [`App::view_silence`]; nothing is said in it, or it has more stretches than the format.
    pub fn silence_edit(
        &self,
        request: &UpscaleRequest,
        format: EditFormat,
    ) -> Result<String, AppError> {
        let (input, info) = opened(&request.input)?;
        let wish = request.silence.unwrap_or_default();
        let model = self.model_for(request.model.as_deref(), Task::VoiceActivity)?;
        let heard = self.heard(&input, &info, &wish, &model)?;
        let decided = decide(&heard, &input, &info, request.span, &wish.rule)?;
        if decided.kept.is_empty() {
            return Err(no_speech(&input));
        }
        let list = EditList::new(&input, &info, decided.spans(), decided.length_micros);
        list.written(format)
    }
}

impl App {
    /// Writes what is kept beside the clip, or where the request says, under a name that is free or
    /// may be overwritten; gives that name.
    ///
    /// # Errors
    /// As [`App::silence_edit`], or nothing can be written there.
    pub fn save_silence_edit(
        &self,
        request: &UpscaleRequest,
        format: EditFormat,
    ) -> Result<PathBuf, AppError> {
        let text = self.silence_edit(request, format)?;
        let input = absolute_input(&request.input)?;
        let beside = input.with_extension(format.extension());
        let wanted = match &request.output {
            Some(path) if inputs::names_a_folder(path) => {
                path.join(beside.file_name().unwrap_or_default())
            }
            Some(path) => path.clone(),
            None => beside,
        };
        saved(&wanted, &input, request.overwrite, |place| {
            std::fs::write(place, &text).map_err(|e| explain::unwritable(&wanted, &e))
        })
    }
}

impl Decided {
    fn spans(&self) -> Vec<Span> {
        let spans = self.kept.iter().map(|kept| Span {
            from_micros: kept.from_micros,
            to_micros: kept.to_micros.unwrap_or(self.length_micros),
        });
        spans.collect()
    }
}

fn opened(input: &Path) -> Result<(PathBuf, MediaInfo), AppError> {
    let input = absolute_input(input)?;
    let info = inputs::probe(&input)?;
    if info.kind == MediaKind::Still {
        return Err(no_sound(&input));
    }
    Ok((input, info))
}

fn no_sound(input: &Path) -> AppError {
    let name = input.display().to_string();
    invalid(said!("fit.no_sound", "`{name}` has no sound.", name = name))
        .hint("Choose a clip with sound, or something else to do.")
}

fn no_speech(input: &Path) -> AppError {
    invalid(said!(
        "silence.no_speech",
        "Nobody was heard to speak in `{name}`; nothing would be left of it.",
        name = input.display()
    ))
    .hint("Choose another file, or a lower threshold.")
}

/// Indices of the tracks that are listened to.
fn tracks_of(input: &Path, info: &MediaInfo, wish: &SilenceWish) -> Result<Vec<u32>, AppError> {
    let sound = info.streams.iter().filter(|s| s.kind == StreamKind::Audio);
    let all: Vec<u32> = sound.map(|stream| stream.index).collect();
    match wish.track {
        None if all.is_empty() => Err(no_sound(input)),
        None => Ok(all),
        Some(track) if all.contains(&track) => Ok(vec![track]),
        Some(track) => Err(invalid(said!(
            "silence.no_track",
            "Stream {track} is no sound.",
            track = track
        ))
        .hint("`frameloom probe` shows the streams of a file.")),
    }
}

/// When the first picture is shown, or of sound alone the first sample is heard, in the time of the file.
fn start_of(input: &Path, info: &MediaInfo) -> Result<i64, AppError> {
    frameloom_engine::origin_of(input, info).map_err(|e| explain::engine(&e))
}

/// Decides what is kept of what was heard.
fn decide(
    heard: &Listened,
    input: &Path,
    info: &MediaInfo,
    span: Option<Span>,
    rule: &SilenceRule,
) -> Result<Decided, AppError> {
    if !rule.is_possible() {
        return Err(invalid(said!(
            "silence.limits",
            "The padding and the shortest speech are 0 to 5000 ms, the shortest silence is 50 to 60000 ms, and the threshold 0.05 to 0.95."
        ))
        .hint("Choose another value, or leave it out."));
    }
    let first = heard.first_micros.saturating_sub(start_of(input, info)?);
    let end = first.saturating_add(WINDOW_MICROS * heard.speech.len() as i64);
    let length_micros = info.duration_micros.filter(|&l| l > 0).unwrap_or(end);
    let probabilities: Vec<f32> = heard.speech.iter().map(|p| f32::from(*p) / 100.0).collect();
    let speech = speech_of(&probabilities, first, WINDOW_MICROS, rule);
    let within = match span {
        Some(span) => (span.from_micros.max(0), span.to_micros.min(length_micros)),
        None => (0, length_micros),
    };
    let mut kept = kept_of(&speech, rule, within);
    // The end of a stretch that is taken is not that of the clip.
    if let (Some(span), Some(last)) = (span, kept.last_mut())
        && last.to_micros.is_none()
        && span.to_micros < length_micros
    {
        last.to_micros = Some(span.to_micros);
    }
    Ok(Decided {
        speech,
        kept,
        length_micros,
    })
}

/// Refuses a clip of which nothing, or everything, would be kept.
fn check_worth(input: &Path, decided: &Decided, span: Option<Span>) -> Result<(), AppError> {
    if decided.kept.is_empty() {
        return Err(no_speech(input));
    }
    let all = decided.length_micros;
    let kept: i64 = decided
        .spans()
        .iter()
        .map(|s| s.to_micros - s.from_micros)
        .sum();
    if span.is_none() && kept >= all {
        return Err(invalid(said!(
            "silence.no_pause",
            "`{name}` has no pause that is long enough to be cut ({length} s of speech).",
            name = input.display(),
            length = SaidValue::decimal(all as f64 / 1e6, 1)
        ))
        .hint("Choose a shorter silence or less padding, or leave the clip as it is."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/demo.mp4")
    }

    fn info() -> MediaInfo {
        let mut info = inputs::probe(&demo()).unwrap();
        info.duration_micros = Some(3_200_000);
        info
    }

    fn heard() -> Listened {
        // A second of speech in the middle of 3.2.
        let speech = (0..100).map(|n| if (31..63).contains(&n) { 90 } else { 3 });
        Listened {
            first_micros: start_of(&demo(), &info()).unwrap(),
            speech: speech.collect(),
            levels: vec![-30; 100],
        }
    }

    #[test]
    fn a_stretch_that_is_taken_bounds_what_is_kept() {
        let rule = SilenceRule::default();
        let span = |from_micros, to_micros| {
            Some(Span {
                from_micros,
                to_micros,
            })
        };
        let kept = |span| {
            decide(&heard(), &demo(), &info(), span, &rule)
                .unwrap()
                .spans()
        };
        let pair = |s: &Span| (s.from_micros, s.to_micros);
        let all: Vec<_> = kept(None).iter().map(pair).collect();
        assert_eq!(all, [(31 * 32_000 - 200_000, 63 * 32_000 + 200_000)]);
        let part: Vec<_> = kept(span(1_000_000, 1_500_000)).iter().map(pair).collect();
        assert_eq!(part, [(1_000_000, 1_500_000)]);
        assert!(kept(span(0, 100_000)).is_empty());
    }

    #[test]
    fn clips_without_speech_or_without_a_pause_are_left_alone() {
        let quiet = Listened {
            speech: vec![2; 100],
            ..heard()
        };
        let loud = Listened {
            speech: vec![99; 100],
            ..heard()
        };
        let rule = SilenceRule::default();
        for (heard, code) in [(quiet, "silence.no_speech"), (loud, "silence.no_pause")] {
            let decided = decide(&heard, &demo(), &info(), None, &rule).unwrap();
            let refused = check_worth(Path::new("a.mp4"), &decided, None).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidRequest);
            let json = serde_json::to_string(&refused).unwrap();
            assert!(json.contains(code), "{json}");
        }
        let wrong = SilenceRule {
            min_silence_millis: 0,
            ..rule
        };
        assert!(decide(&heard(), &demo(), &info(), None, &wrong).is_err());
    }
}
