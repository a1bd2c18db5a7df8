//! Clips cut to another shape: from a wish to a graph.

use crate::asked::or_usual;
use crate::presets::{self, Work};
use crate::request::shown;
use crate::{App, UpscaleRequest, fields};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{Graph, Op, ReframeParams, ReframeShape, parse_keys};
use frameloom_core::media::VideoInfo;
use frameloom_core::model::Task;
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_media::FieldReport;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The shape that a clip is cut to, and what the crop follows. What is left open is as usual.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct ReframeWish {
    /// The shape; upright, 9:16, where `None`.
    pub shape: Option<ReframeShape>,
    /// Seconds before and after a picture that say where it is cut, 0.1 to 2.
    pub smooth: Option<f64>,
    /// Where the crop is at which time, one a line, as [`parse_keys`] reads them.
    pub keys: Option<String>,
    /// What moves is followed, even where a model that finds faces is installed.
    pub motion_only: bool,
}

fn invalid(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
}

impl App {
    /// What a request for another shape comes to, and the model that finds faces.
    pub(crate) fn reframing(
        &self,
        request: &UpscaleRequest,
        first: Option<Op>,
        video: &VideoInfo,
        report: Option<FieldReport>,
    ) -> Result<(Work, Option<String>), AppError> {
        let wish = request.reframe.clone().unwrap_or_default();
        if let Some(keys) = &wish.keys
            && let Err(reason) = parse_keys(keys)
        {
            return Err(invalid(said!(
                "reframe.bad_keys",
                "The places of the crop cannot be read: {reason}.",
                reason = Said::from(reason)
            ))
            .hint("Write each like '2.5 30': seconds, and percent from the left or the top."));
        }
        let usual = ReframeParams::default();
        let smooth = or_usual("--smooth", wish.smooth, usual.smooth, (0.1, 2.0))?;
        let named = request.model.as_deref();
        let is_wanted = wish.keys.is_none() && !wish.motion_only;
        let model = match is_wanted {
            true => self.model_if_any(named, Task::Faces)?,
            false => None,
        };
        let shape = wish.shape.unwrap_or_default();
        let mut ops: Vec<Op> = first.into_iter().collect();
        ops.extend(fields::node(request.deinterlace, report));
        ops.push(Op::Reframe(ReframeParams {
            shape,
            model: model.clone(),
            smooth,
            keys: wish.keys,
        }));
        let work = Work {
            graph: Graph::chain(ops),
            size: Some(frameloom_engine::reframed_size(
                shape,
                shown(video, (video.width, video.height)),
            )),
            ending: presets::ending_of(request.preset.preset(), request)?,
        };
        Ok((work, model))
    }
}
