//! Light, style and depth: from a wish to a graph.

use crate::models::unfit;
use crate::presets::{self, PresetId, Work};
use crate::request::shown;
use crate::{App, UpscaleRequest, explain, fields};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{
    DepthColors, DepthParams, DepthShow, DepthSide, Graph, LightParams, Op, StyleColors,
    StyleParams,
};
use frameloom_core::media::VideoInfo;
use frameloom_core::model::Task;
use frameloom_core::said;
use frameloom_core::said::Said;
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

fn invalid(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
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
    /// The model that a request names, or the only one there is that does this.
    fn look_model(&self, wish: Option<&str>, task: Task) -> Result<String, AppError> {
        if let Some(id) = wish {
            let manifest = self.models.ready(id).map_err(|e| explain::engine(&e))?;
            return match (manifest.task == task, task) {
                (true, _) => Ok(manifest.id),
                (false, Task::Light) => Err(unfit(said!(
                    "looks.no_light",
                    "The model `{model}` does not make pictures lighter.",
                    model = id
                ))),
                (false, Task::Style) => Err(unfit(said!(
                    "looks.no_style",
                    "The model `{model}` is not one of a style.",
                    model = id
                ))
                .hint("If it is one, say so when it is installed: `frameloom models import FILE --task style`.")),
                (false, _) => Err(unfit(said!(
                    "looks.no_depth",
                    "The model `{model}` tells no distances.",
                    model = id
                ))),
            };
        }
        match &self.models_for(task)[..] {
            [only] => Ok(only.clone()),
            [] if task == Task::Style => Err(AppError::new(
                ErrorCode::ModelNotFound,
                said!("looks.no_style_model", "No model of a style is installed."),
            )
            .hint(
                "Install an ONNX file of yours, such as one of the networks of \"fast neural style\": \
                 `frameloom models import FILE.onnx --task style --id mosaic`.",
            )),
            [] => Err(AppError::new(
                ErrorCode::ModelNotFound,
                said!("looks.no_depth_model", "No model is installed that tells distances."),
            )
            .hint(
                "Fetch one of the catalogue, `frameloom models get depth-tcmono`; or install an ONNX file of yours: \
                 `frameloom models import FILE.onnx --task depth --id depth`.",
            )),
            several => Err(invalid(said!(
                "looks.several",
                "Several models do this: {models}.",
                models = several.join(", ")
            ))
            .hint("Name one of them with --model.")),
        }
    }

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
        let within =
            |value: Option<f64>, usual: f64, (least, most): (f64, f64), what: &str| match value {
                Some(value) if !(least..=most).contains(&value) => Err(invalid(said!(
                    "looks.value",
                    "{value} is no {what}; {least} to {most} is possible.",
                    value = value.to_string(),
                    what = what,
                    least = least.to_string(),
                    most = most.to_string()
                ))
                .hint("Choose another value, or leave it out.")),
                value => Ok(value.unwrap_or(usual)),
            };
        let part = (0.0, 1.0);
        let named = request.model.as_deref();
        let (op, model) = match task {
            // The estimate needs no model; one takes part where it is named.
            Task::Light => {
                let usual = LightParams::default();
                let model = match named {
                    Some(named) => Some(self.look_model(Some(named), Task::Light)?),
                    None => None,
                };
                let params = LightParams {
                    model: model.clone(),
                    strength: within(wish.strength, usual.strength, part, "strength")?,
                    highlights: within(
                        wish.highlights,
                        usual.highlights,
                        part,
                        "part of highlights",
                    )?,
                    smooth: within(wish.smooth, usual.smooth, part, "weight of neighbours")?,
                };
                (Op::Light(params), model)
            }
            Task::Style => {
                let model = self.look_model(named, Task::Style)?;
                let usual = StyleParams::new(&model);
                let size = within(
                    wish.size.map(f64::from),
                    f64::from(usual.size),
                    (256.0, 2048.0),
                    "size to paint in",
                )?;
                let params = StyleParams {
                    strength: within(wish.strength, usual.strength, part, "strength")?,
                    size: size as u32,
                    colors: wish.style_colors.unwrap_or_default(),
                    smooth: within(wish.smooth, usual.smooth, part, "weight of neighbours")?,
                    model: usual.model,
                };
                (Op::Style(params), Some(model))
            }
            _ => {
                let model = self.look_model(named, Task::Depth)?;
                let usual = DepthParams::new(&model);
                let params = DepthParams {
                    show: wish.show.unwrap_or(DepthShow::Blur),
                    colors: wish.depth_colors.unwrap_or_default(),
                    focus: match wish.focus {
                        Some(_) => Some(within(wish.focus, 0.0, part, "distance to focus on")?),
                        None => None,
                    },
                    blur: within(wish.blur, usual.blur, (0.2, 20.0), "strength of a blur")?,
                    side: wish.side.unwrap_or_default(),
                    smooth: within(wish.smooth, usual.smooth, part, "weight of neighbours")?,
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
            size: shown(video, (video.width, video.height)),
            ending: presets::ending_of(request.preset.preset(), request)?,
        };
        Ok((work, model))
    }
}
