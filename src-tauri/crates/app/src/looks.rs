//! Light, style and depth: from a wish to a graph.

use crate::asked::or_usual;
use crate::presets::{self, PresetId, Work};
use crate::request::shown;
use crate::{App, UpscaleRequest, fields};
use frameloom_core::error::AppError;
use frameloom_core::graph::{
    DepthColors, DepthParams, DepthShow, DepthSide, Graph, LightParams, Op, StyleColors,
    StyleParams,
};
use frameloom_core::media::VideoInfo;
use frameloom_core::model::Task;
use frameloom_media::FieldReport;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How light, style or depth are treated. What is left open is as usual; what a preset is not about
/// has no meaning for it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct LookWish {
    /// How much lighter, or how much of the style is seen, 0 to 1.
    pub strength: Option<f64>,
    /// How far what is bright already keeps its shades, 0 to 1.
    pub highlights: Option<f64>,
    /// Longest side of the picture that is painted in a style, 256 to 2048.
    pub size: Option<u32>,
    /// Whose colours a picture in a style has.
    pub style_colors: Option<StyleColors>,
    /// What is made of distances; a blur where `None`.
    pub show: Option<DepthShow>,
    /// The colours of a picture of distances.
    pub depth_colors: Option<DepthColors>,
    /// Where it is sharp, from the farthest thing (0) to the nearest (1).
    pub focus: Option<f64>,
    /// The strongest blur, in percent of the picture's height, 0.2 to 20.
    pub blur: Option<f64>,
    /// What goes out of focus.
    pub side: Option<DepthSide>,
    /// How much neighbouring pictures count, 0 to 1.
    pub smooth: Option<f64>,
}

impl PresetId {
    /// What a model does that takes part in it, for the presets about light, style and depth.
    pub(crate) fn look(self) -> Option<Task> {
        match self {
            PresetId::Light => Some(Task::Light),
            PresetId::Style => Some(Task::Style),
            PresetId::Depth => Some(Task::Depth),
            _ => None,
        }
    }
}

impl App {
    /// What a request about light, style or depth comes to, and the model that takes part.
    pub(crate) fn looks(
        &self,
        task: Task,
        request: &UpscaleRequest,
        first: Option<Op>,
        video: &VideoInfo,
        report: Option<FieldReport>,
    ) -> Result<(Work, Option<String>), AppError> {
        let wish = request.look.clone().unwrap_or_default();
        let part = (0.0, 1.0);
        let named = request.model.as_deref();
        let (op, model) = match task {
            // The estimate needs no model; one takes part where it is named.
            Task::Light => {
                let usual = LightParams::default();
                let model = match named {
                    Some(_) => Some(self.model_for(named, Task::Light)?),
                    None => None,
                };
                let params = LightParams {
                    model: model.clone(),
                    strength: or_usual("--strength", wish.strength, usual.strength, part)?,
                    highlights: or_usual("--highlights", wish.highlights, usual.highlights, part)?,
                    smooth: or_usual("--smooth", wish.smooth, usual.smooth, part)?,
                };
                (Op::Light(params), model)
            }
            Task::Style => {
                let model = self.model_for(named, Task::Style)?;
                let usual = StyleParams::new(&model);
                let size = or_usual(
                    "--size",
                    wish.size.map(f64::from),
                    f64::from(usual.size),
                    (256.0, 2048.0),
                )?;
                let params = StyleParams {
                    strength: or_usual("--strength", wish.strength, usual.strength, part)?,
                    size: size as u32,
                    colors: wish.style_colors.unwrap_or_default(),
                    smooth: or_usual("--smooth", wish.smooth, usual.smooth, part)?,
                    model: usual.model,
                };
                (Op::Style(params), Some(model))
            }
            _ => {
                let model = self.model_for(named, Task::Depth)?;
                let usual = DepthParams::new(&model);
                let params = DepthParams {
                    show: wish.show.unwrap_or(DepthShow::Blur),
                    colors: wish.depth_colors.unwrap_or_default(),
                    focus: match wish.focus {
                        Some(_) => Some(or_usual("--focus", wish.focus, 0.0, part)?),
                        None => None,
                    },
                    blur: or_usual("--blur", wish.blur, usual.blur, (0.2, 20.0))?,
                    side: wish.side.unwrap_or_default(),
                    smooth: or_usual("--smooth", wish.smooth, usual.smooth, part)?,
                    model: usual.model,
                };
                (Op::Depth(params), Some(model))
            }
        };
        let mut ops: Vec<Op> = first.into_iter().collect();
        ops.extend(fields::node(request.deinterlace, report));
        ops.push(op);
        let work = Work {
            graph: Graph::chain(ops),
            size: Some(shown(video, (video.width, video.height))),
            ending: presets::ending_of(request.preset.preset(), request)?,
        };
        Ok((work, model))
    }
}
