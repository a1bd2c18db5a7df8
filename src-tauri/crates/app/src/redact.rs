//! Faces, text and areas made unrecognisable: from a wish to a graph.

use crate::models::unfit;
use crate::presets::{self, Work};
use crate::request::shown;
use crate::{App, UpscaleRequest, explain, fields};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{
    Graph, Op, RedactMode, RedactParams, Search, parse_areas, parse_color,
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

impl App {
    /// The model that a request names, or the only one there is that finds this.
    pub(crate) fn finding_model(&self, wish: Option<&str>, task: Task) -> Result<String, AppError> {
        if let Some(id) = wish {
            let manifest = self.models.ready(id).map_err(|e| explain::engine(&e))?;
            return match (manifest.task == task, task) {
                (true, _) => Ok(manifest.id),
                (false, Task::Text) => Err(unfit(said!(
                    "redact.no_text_finder",
                    "The model `{model}` finds no text.",
                    model = id
                ))),
                (false, _) => Err(unfit(said!(
                    "redact.no_finder",
                    "The model `{model}` finds no faces.",
                    model = id
                ))),
            };
        }
        match &self.models_for(task)[..] {
            [only] => Ok(only.clone()),
            [] if task == Task::Text => Err(AppError::new(
                ErrorCode::ModelNotFound,
                said!("redact.no_text_model", "No model is installed that finds text."),
            )
            .hint(
                "Fetch one of the catalogue, `frameloom models get text-ppocr`; or install an ONNX file of yours: \
                 `frameloom models import FILE.onnx --id text`.",
            )),
            [] => Err(AppError::new(
                ErrorCode::ModelNotFound,
                said!("redact.no_face_model", "No model is installed that finds faces."),
            )
            .hint(
                "Fetch one of the catalogue, `frameloom models get faces-ultra`; or install an ONNX file of yours: \
                 `frameloom models import FILE.onnx --id faces`.",
            )),
            several => Err(invalid(said!(
                "redact.several",
                "Several models find this: {models}.",
                models = several.join(", ")
            ))
            .hint("Name one of them with --model.")),
        }
    }

    /// What a request to make something unrecognisable comes to, and the model that finds it.
    pub(crate) fn redaction(
        &self,
        request: &UpscaleRequest,
        first: Option<Op>,
        video: &VideoInfo,
        report: Option<FieldReport>,
    ) -> Result<(Work, Option<String>), AppError> {
        let mut wish = request.redact.clone().unwrap_or_default();
        for text in [&mut wish.areas, &mut wish.spare] {
            *text = text.take().filter(|text| !text.trim().is_empty());
        }
        let model = match wish.what {
            RedactWhat::Faces => Some(self.finding_model(request.model.as_deref(), Task::Faces)?),
            RedactWhat::Text => Some(self.finding_model(request.model.as_deref(), Task::Text)?),
            RedactWhat::Areas => None,
        };
        if model.is_none() && wish.areas.is_none() {
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
        let usual = RedactParams::default();
        let color = wish.color.unwrap_or(usual.color);
        if parse_color(&color).is_none() {
            return Err(invalid(format!("`{color}` is no colour."))
                .hint("Write it like #ff8000: red, green and blue in hexadecimal digits."));
        }
        let within =
            |value: Option<f64>, usual: f64, (least, most): (f64, f64), what: &str| match value {
                Some(value) if !(least..=most).contains(&value) => Err(invalid(format!(
                    "{value} is no {what}; {least} to {most} is possible."
                ))
                .hint("Choose another value, or leave it out.")),
                value => Ok(value.unwrap_or(usual)),
            };
        let op = Op::Redact(RedactParams {
            threshold: within(wish.threshold, usual.threshold, (0.05, 0.95), "threshold")?,
            grow: within(wish.grow, usual.grow, (0.0, 1.0), "part to grow by")?,
            model: model.clone(),
            cover: wish.cover.unwrap_or_default(),
            color,
            search: wish.search.unwrap_or_default(),
            areas: wish.areas,
            spare: wish.spare,
        });
        let mut ops: Vec<Op> = first.into_iter().collect();
        ops.extend(fields::node(request.deinterlace, report));
        ops.push(op);
        let work = Work {
            graph: Graph::chain(ops),
            size: shown(video, (video.width, video.height)),
            ending: presets::ending_of(request.preset.preset(), request)?,
        };
        Ok((work, model))
    }
}
