//! Faces, text and areas made unrecognisable: from a wish to a graph.

use crate::asked::{self, or_usual};
use crate::presets::{self, Work};
use crate::request::shown;
use crate::voice::with_sound;
use crate::{App, UpscaleRequest, fields};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{
    AudioRedactParams, Graph, Op, RedactMode, RedactParams, Search, SoundCover, parse_areas,
    parse_kept, parse_paths, paths_text,
};
use frameloom_core::job::TrackChoice;
use frameloom_core::media::VideoInfo;
use frameloom_core::model::Task;
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_media::FieldReport;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What is made unrecognisable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RedactWhat {
    /// Faces, and the areas that are named.
    #[default]
    Faces,
    /// Text, and the areas that are named.
    Text,
    /// The areas that are named, and nothing else.
    Areas,
}

/// What is made unrecognisable, and how. What is left open is as usual.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct RedactWish {
    /// What.
    pub what: RedactWhat,
    /// How.
    pub cover: Option<RedactMode>,
    /// `#rrggbb`, where it is filled.
    pub color: Option<String>,
    /// How sure the model must be, 0.05 to 0.95.
    pub threshold: Option<f64>,
    /// How far beyond what was found is covered, in parts of its sides.
    pub grow: Option<f64>,
    /// How closely pictures are searched.
    pub search: Option<Search>,
    /// Areas that are covered, one a line, as [`parse_areas`] reads them.
    pub areas: Option<String>,
    /// Areas in which what is found stays as it is.
    pub spare: Option<String>,
    /// Ways of faces that stay as they are, as [`parse_paths`] reads them and [`App::faces`] finds them.
    pub keep: Option<String>,
    /// From where the times of `keep` count, in microseconds from the first picture of the source; from
    /// the first that is taken where `None`.
    #[ts(type = "number | null")]
    pub keep_from_micros: Option<i64>,
    /// Stretches of a clip without sound, as [`parse_kept`](frameloom_core::graph::parse_kept) reads
    /// them.
    pub mute: Option<String>,
    /// Stretches with a tone instead of their sound, likewise.
    pub beep: Option<String>,
    /// Tags, places, dates, cover pictures and timed data of the source stay in the result.
    pub keep_metadata: bool,
}

/// What is left out of a result in which something was made unrecognisable: what tells of people and
/// places beside the pictures, and pictures that nobody worked on.
pub(crate) const REDACTED: [TrackChoice; 4] = [
    TrackChoice::Video,
    TrackChoice::Covers,
    TrackChoice::Data,
    TrackChoice::Metadata,
];

fn invalid(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
}

impl RedactWish {
    /// What of the source tells who is in it, beside the pictures.
    pub(crate) fn leaves_out(&self) -> &'static [TrackChoice] {
        match self.keep_metadata {
            // Pictures beside the ones that are worked on show the same people.
            true => &[TrackChoice::Video],
            false => &REDACTED,
        }
    }
}

/// The nodes that cover sound.
fn covered_sound(wish: &RedactWish) -> Result<Vec<(&'static str, Op)>, AppError> {
    let mut nodes = Vec::new();
    let wanted = [
        ("mute", &wish.mute, SoundCover::Mute),
        ("beep", &wish.beep, SoundCover::Beep),
    ];
    for (id, ranges, cover) in wanted {
        let Some(ranges) = ranges else { continue };
        if let Err(reason) = parse_kept(ranges) {
            return Err(invalid(said!(
                "redact.bad_ranges",
                "The stretches of sound cannot be read: {reason}.",
                reason = reason
            ))
            .hint("Write them in order, each like '12.5-14' or '1:02-1:04.5'."));
        }
        let op = Op::AudioRedact(AudioRedactParams {
            ranges: ranges.clone(),
            cover,
        });
        nodes.push((id, op));
    }
    Ok(nodes)
}

/// The ways of what stays visible, with times from the first picture that is taken.
fn kept(
    text: &str,
    from_micros: Option<i64>,
    request: &UpscaleRequest,
) -> Result<Option<String>, AppError> {
    let paths = parse_paths(text).map_err(|reason| {
        invalid(said!(
            "redact.bad_keep",
            "The faces that are to stay visible cannot be read: {reason}.",
            reason = Said::from(reason)
        ))
        .hint("Look for the faces again, and leave fewer of them visible.")
    })?;
    let begin = request.span.map_or(0, |span| span.from_micros);
    let later = begin.saturating_sub(from_micros.unwrap_or(begin));
    if later == 0 {
        return Ok(Some(text.to_owned()));
    }
    let seconds = later as f64 / 1e6;
    let paths: Vec<_> = paths
        .iter()
        .filter_map(|path| path.earlier(seconds))
        .collect();
    Ok((!paths.is_empty()).then(|| paths_text(&paths)))
}

impl App {
    /// What a request to make something unrecognisable comes to, and the model that finds it.
    pub(crate) fn redaction(
        &self,
        request: &UpscaleRequest,
        first: Option<Op>,
        video: &VideoInfo,
        report: Option<FieldReport>,
    ) -> Result<(Work, Option<String>), AppError> {
        let mut wish = request.redact.clone().unwrap_or_default();
        let texts = [
            &mut wish.areas,
            &mut wish.spare,
            &mut wish.keep,
            &mut wish.mute,
            &mut wish.beep,
        ];
        for text in texts {
            *text = text.take().filter(|text| !text.trim().is_empty());
        }
        let sound = covered_sound(&wish)?;
        let model = match wish.what {
            RedactWhat::Faces => Some(self.model_for(request.model.as_deref(), Task::Faces)?),
            RedactWhat::Text => Some(self.model_for(request.model.as_deref(), Task::Text)?),
            RedactWhat::Areas => None,
        };
        let has_places = model.is_some() || wish.areas.is_some();
        if !has_places && sound.is_empty() {
            return Err(invalid(said!(
                "redact.no_areas",
                "No area is named that is to be covered."
            ))
            .hint("Name one with --area '10 20 30 15': left edge, upper edge, width and height in percent."));
        }
        for text in [&wish.areas, &wish.spare].into_iter().flatten() {
            if let Err(reason) = parse_areas(text) {
                return Err(invalid(said!(
                    "redact.bad_areas",
                    "The areas cannot be read: {reason}.",
                    reason = Said::from(reason)
                ))
                .hint("Write each like '10 20 30 15' or '10 20 30 15 from 1.5 to 4'."));
            }
        }
        let keep = match wish.keep {
            Some(text) => kept(&text, wish.keep_from_micros, request)?,
            None => None,
        };
        let usual = RedactParams::default();
        let color = wish.color.unwrap_or(usual.color);
        asked::colour(&color)?;
        let op = Op::Redact(RedactParams {
            threshold: or_usual("--threshold", wish.threshold, usual.threshold, (0.05, 0.95))?,
            grow: or_usual("--grow", wish.grow, usual.grow, (0.0, 1.0))?,
            model: model.clone(),
            cover: wish.cover.unwrap_or_default(),
            color,
            search: wish.search.unwrap_or_default(),
            areas: wish.areas,
            spare: wish.spare,
            keep,
        });
        let mut ops: Vec<Op> = first.into_iter().collect();
        ops.extend(fields::node(request.deinterlace, report));
        ops.extend(has_places.then_some(op));
        let work = Work {
            graph: match sound.is_empty() {
                true => Graph::chain(ops),
                false => with_sound(ops, sound),
            },
            size: Some(shown(video, (video.width, video.height))),
            ending: presets::ending_of(request.preset.preset(), request)?,
        };
        Ok((work, model))
    }
}
