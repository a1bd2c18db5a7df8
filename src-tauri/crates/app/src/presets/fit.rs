//! Which presets a file is for, and why it is not for the others.

use super::{Preset, PresetId, offered};
use crate::Span;
use crate::fields::has_no_fields;
use crate::inputs::has_picture;
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::media::{FieldOrder, MediaInfo, MediaKind, StreamKind};
use frameloom_core::model::Task;
use frameloom_core::said;
use serde::Serialize;
use std::path::Path;
use ts_rs::TS;

/// Longest clip that an animation is made of: each second of it is as large as many of a video.
const LONGEST_ANIMATION_MICROS: i64 = 60_000_000;

/// Why a preset is not for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Misfit {
    /// The file holds no picture.
    NoPicture,
    /// It is for clips, and the file is a picture.
    NotAClip,
    /// It is for other kinds of files.
    NotForIt,
    /// The pictures of the clip are whole already.
    NotInterlaced,
    /// The clip has no sound.
    NoSound,
    /// The clip, or the stretch of it that is taken, is too long.
    TooLong {
        /// What is taken at most.
        #[ts(type = "number")]
        most_micros: i64,
    },
    /// It needs a model that is not installed: one that tells a foreground from its background.
    NoModel,
    /// It needs a model that is not installed: one that hears speech.
    NoVoiceModel,
}

/// Whether a preset is for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
pub struct PresetFit {
    /// The preset.
    pub id: PresetId,
    /// Why it is not; `None` where it is.
    pub misfit: Option<Misfit>,
}

/// Which presets a file is for, of which `span` is taken, where models for `tasks` are installed.
pub fn fits(info: &MediaInfo, span: Option<Span>, tasks: &[Task]) -> Vec<PresetFit> {
    let lacks = |preset: &Preset| preset.id.needs().and_then(|task| lacking(task, tasks));
    offered()
        .map(|preset| PresetFit {
            id: preset.id,
            misfit: misfit(preset, info, span).or_else(|| lacks(preset)),
        })
        .collect()
}

/// What is missing where no model for `task` is among those for `tasks`.
pub(super) fn lacking(task: Task, tasks: &[Task]) -> Option<Misfit> {
    match task {
        task if tasks.contains(&task) => None,
        Task::VoiceActivity => Some(Misfit::NoVoiceModel),
        _ => Some(Misfit::NoModel),
    }
}

/// Why `preset` is not for a file; `None` where it is.
pub(super) fn misfit(preset: &Preset, info: &MediaInfo, span: Option<Span>) -> Option<Misfit> {
    if info.kind == MediaKind::Audio && preset.takes.contains(&MediaKind::Audio) {
        return None;
    }
    if !has_picture(info) {
        return Some(Misfit::NoPicture);
    }
    if !preset.takes.contains(&info.kind) {
        return Some(Misfit::NotAClip);
    }
    if info.kind == MediaKind::Still {
        return None;
    }
    match preset.id {
        PresetId::Deinterlace => {
            let video = info.main_video().map(|(_, video)| video);
            let is_whole = has_no_fields(info)
                || video.is_some_and(|video| video.field_order == FieldOrder::Progressive);
            is_whole.then_some(Misfit::NotInterlaced)
        }
        PresetId::Loudness | PresetId::Silence | PresetId::Voice | PresetId::Sound => {
            let has_sound = info.streams.iter().any(|s| s.kind == StreamKind::Audio);
            (!has_sound).then_some(Misfit::NoSound)
        }
        PresetId::Animate => {
            let whole = info.duration_micros.unwrap_or(0);
            let taken = span.map_or(whole, |span| {
                span.to_micros
                    .min(whole.max(span.from_micros))
                    .saturating_sub(span.from_micros)
            });
            (taken > LONGEST_ANIMATION_MICROS).then_some(Misfit::TooLong {
                most_micros: LONGEST_ANIMATION_MICROS,
            })
        }
        _ => None,
    }
}

/// Refuses a file that `preset` is not for, in a sentence.
pub(crate) fn check_fit(
    preset: &Preset,
    input: &Path,
    info: &MediaInfo,
    span: Option<Span>,
) -> Result<(), AppError> {
    let Some(misfit) = misfit(preset, info, span) else {
        return Ok(());
    };
    let name = input.display().to_string();
    let (says, hint) = match misfit {
        // The callers know a better sentence for this one, with what the file does hold.
        Misfit::NoPicture => (
            said!("fit.no_picture", "`{name}` holds no picture.", name = name),
            "Choose a video or a picture.",
        ),
        Misfit::NotAClip => (
            said!(
                "fit.no_clip",
                "`{name}` is a picture, and this is for clips.",
                name = name
            ),
            "Choose a video, or something else to do.",
        ),
        Misfit::NotInterlaced => (
            said!(
                "fit.not_interlaced",
                "The pictures of `{name}` are whole already; it is not interlaced.",
                name = name
            ),
            "Nothing needs to be done. A graph with the node `deinterlace` does it all the same.",
        ),
        Misfit::NoSound => (
            said!("fit.no_sound", "`{name}` has no sound.", name = name),
            "Choose a clip with sound, or something else to do.",
        ),
        Misfit::TooLong { .. } => (
            said!(
                "fit.too_long",
                "`{name}` is longer than a minute, which would make a huge animation.",
                name = name
            ),
            "Take a shorter stretch of it: mark its beginning and its end.",
        ),
        // Who asks for it all the same hears which model is missing.
        Misfit::NoModel | Misfit::NoVoiceModel | Misfit::NotForIt => return Ok(()),
    };
    Err(AppError::new(ErrorCode::InvalidRequest, says).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::probe;

    fn demo() -> MediaInfo {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        probe(&root.join("assets/demo.mp4")).unwrap()
    }

    fn why(info: &MediaInfo, id: PresetId, span: Option<Span>) -> Option<Misfit> {
        let all = fits(
            info,
            span,
            &[
                Task::Matte,
                Task::Faces,
                Task::VoiceActivity,
                Task::Style,
                Task::Depth,
            ],
        );
        assert_eq!(all.len(), offered().count());
        all.into_iter().find(|fit| fit.id == id).unwrap().misfit
    }

    #[test]
    fn each_misfit_has_its_reason() {
        let mut clip = demo();
        assert_eq!(why(&clip, PresetId::Enlarge, None), None);
        assert_eq!(why(&clip, PresetId::Loudness, None), None);
        assert_eq!(
            why(&clip, PresetId::Deinterlace, None),
            Some(Misfit::NotInterlaced)
        );
        clip.streams.retain(|s| s.kind != StreamKind::Audio);
        assert_eq!(why(&clip, PresetId::Loudness, None), Some(Misfit::NoSound));
        for stream in &mut clip.streams {
            if let Some(video) = &mut stream.video {
                video.field_order = FieldOrder::TopFirst;
            }
        }
        assert_eq!(why(&clip, PresetId::Deinterlace, None), None);
        clip.kind = MediaKind::Still;
        assert_eq!(why(&clip, PresetId::Frames, None), Some(Misfit::NotAClip));
        assert_eq!(why(&clip, PresetId::Clean, None), None);
        clip.kind = MediaKind::Audio;
        assert_eq!(why(&clip, PresetId::Clean, None), Some(Misfit::NoPicture));
    }

    #[test]
    fn a_long_clip_is_no_animation_and_a_short_stretch_of_it_is() {
        let mut clip = demo();
        assert_eq!(why(&clip, PresetId::Animate, None), None);
        clip.duration_micros = Some(600_000_000);
        let span = |from_micros, to_micros| {
            Some(Span {
                from_micros,
                to_micros,
            })
        };
        let long = Some(Misfit::TooLong {
            most_micros: LONGEST_ANIMATION_MICROS,
        });
        assert_eq!(why(&clip, PresetId::Animate, None), long);
        assert_eq!(why(&clip, PresetId::Animate, span(0, 61_000_000)), long);
        assert_eq!(
            why(&clip, PresetId::Animate, span(500_000_000, 550_000_000)),
            None
        );
        // What lies behind the end is not there.
        assert_eq!(
            why(&clip, PresetId::Animate, span(599_000_000, 900_000_000)),
            None
        );
    }
}
