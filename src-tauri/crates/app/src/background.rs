//! Foregrounds without their backgrounds, or on others: from a wish to a graph.

use crate::asked::{self, or_usual};
use crate::pictures::{self, PicturesRequest, Source};
use crate::presets::{self, PresetId, Work};
use crate::request::{absolute_input, no_picture, shown};
use crate::{App, UpscaleRequest, fields};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{
    BackgroundMode, BackgroundParams, Edge, Graph, Node, Op, SourceParams,
};
use frameloom_core::media::{MediaInfo, MediaKind, VideoInfo, Warning};
use frameloom_core::model::Task;
use frameloom_core::said::Said;
use frameloom_core::sequence::PictureRun;
use frameloom_media::FieldReport;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ts_rs::TS;

/// Name of the input that is put behind a foreground.
pub(crate) const BEHIND: &str = "behind";

/// How a background is done, beyond what the preset says. What is left open is as usual.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct BackgroundWish {
    /// What comes in its place; what the preset is about where `None`.
    pub mode: Option<BackgroundMode>,
    /// How far out of focus it is, in percent of the picture's height.
    pub blur: Option<f64>,
    /// `#rrggbb`.
    pub color: Option<String>,
    /// A picture or a clip that is put behind.
    #[ts(type = "string | null")]
    pub behind: Option<PathBuf>,
    /// How much of the old background's light is taken off edges, 0 to 1.
    pub spill: Option<f64>,
    /// How much neighbouring pictures count, 0 to 1.
    pub smooth: Option<f64>,
}

/// A second file that takes part, as a job knows it: what is put behind, over, or beside.
pub(crate) struct Behind {
    /// Name of the input.
    pub name: &'static str,
    pub path: PathBuf,
    pub pictures: Option<PictureRun>,
}

/// What a request for another background comes to.
pub(crate) struct Cut {
    pub work: Work,
    pub model: String,
    pub behind: Option<Behind>,
    /// The result is to be transparent.
    pub is_transparent: bool,
}

fn invalid(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
}

impl PresetId {
    /// What comes in the place of a background, for the presets that are about one.
    pub(crate) fn background(self) -> Option<BackgroundMode> {
        match self {
            PresetId::Cutout => Some(BackgroundMode::Remove),
            PresetId::Defocus => Some(BackgroundMode::Blur),
            PresetId::Backdrop => Some(BackgroundMode::Color),
            _ => None,
        }
    }

    /// What a model must be installed for.
    pub(crate) fn needs(self) -> Option<Task> {
        match self {
            PresetId::Cutout | PresetId::Defocus | PresetId::Backdrop => Some(Task::Matte),
            PresetId::Redact => Some(Task::Faces),
            PresetId::Silence => Some(Task::VoiceActivity),
            // Light needs none.
            PresetId::Style => Some(Task::Style),
            PresetId::Depth => Some(Task::Depth),
            _ => None,
        }
    }
}

impl App {
    /// What a request for another background comes to. `first` is the stretch that is taken.
    pub(crate) fn cut(
        &self,
        request: &UpscaleRequest,
        first: Option<Op>,
        info: &MediaInfo,
        video: &VideoInfo,
        report: Option<FieldReport>,
    ) -> Result<Cut, AppError> {
        let preset = request.preset.preset();
        let wish = request.background.clone().unwrap_or_default();
        let mode = match (&wish.behind, wish.mode, request.preset.background()) {
            (Some(_), None | Some(BackgroundMode::Picture), _) => BackgroundMode::Picture,
            (Some(_), Some(_), _) => {
                return Err(invalid("A file that is put behind shows in no other way.")
                    .hint("Leave it out, or leave the other mode out."));
            }
            (None, Some(BackgroundMode::Picture), _) => {
                return Err(invalid("No picture or clip is named that is put behind.")
                    .hint("Name it with --picture or --video."));
            }
            (None, mode, usual) => mode.or(usual).unwrap_or_default(),
        };
        let model = self.model_for(request.model.as_deref(), Task::Matte)?;
        let mut params = BackgroundParams::new(&model);
        params.mode = mode;
        if let Some(color) = &wish.color {
            params.color.clone_from(color);
        }
        asked::colour(&params.color)?;
        params.blur = or_usual("--blur", wish.blur, params.blur, (0.0, 20.0))?.max(0.2);
        params.spill = or_usual("--spill", wish.spill, params.spill, (0.0, 1.0))?;
        params.smooth = or_usual("--smooth", wish.smooth, params.smooth, (0.0, 1.0))?;
        let mut ops: Vec<Op> = first.into_iter().collect();
        ops.extend(fields::node(request.deinterlace, report));
        ops.push(Op::Background(params));
        let mut graph = Graph::chain(ops);
        let behind = match &wish.behind {
            Some(path) => Some(open_behind(path, request)?),
            None => None,
        };
        if behind.is_some() {
            put_behind(&mut graph);
        }
        let is_transparent = mode == BackgroundMode::Remove;
        let ending = match presets::ending_of(preset, request)? {
            None if is_transparent => Some(transparent_ending(info, request).to_owned()),
            chosen => chosen,
        };
        Ok(Cut {
            work: Work {
                graph,
                size: Some(shown(video, (video.width, video.height))),
                ending,
            },
            model,
            behind,
            is_transparent,
        })
    }
}

/// The ending of a transparent result where nobody chooses.
fn transparent_ending(info: &MediaInfo, request: &UpscaleRequest) -> &'static str {
    use frameloom_core::job::VideoCodec;
    match (info.kind, request.codec) {
        (MediaKind::Still, _) => "png",
        (_, Some(VideoCodec::Vp9)) => "webm",
        (_, Some(VideoCodec::Ffv1)) => "mkv",
        // ProRes 4444, which every editing program reads.
        _ => "mov",
    }
}

pub(crate) fn open_behind(path: &Path, request: &UpscaleRequest) -> Result<Behind, AppError> {
    let path = absolute_input(path)?;
    let asked = request.pictures.unwrap_or_default();
    let rate = asked.rate.filter(|_| pictures::is_pattern(&path));
    let Source {
        input,
        pictures,
        info,
    } = pictures::open(
        &path,
        PicturesRequest {
            rate,
            sequence: false,
        },
    )?;
    if !crate::inputs::has_picture(&info) {
        return Err(no_picture(&input, &info));
    }
    Ok(Behind {
        name: BEHIND,
        path: input,
        pictures,
    })
}

/// Adds the source that is put behind the foreground.
fn put_behind(graph: &mut Graph) {
    let cut = graph.nodes.iter().find_map(|node| match node.op {
        Op::Background(_) => Some(node.id.clone()),
        _ => None,
    });
    let Some(cut) = cut else { return };
    graph.nodes.push(Node {
        id: BEHIND.to_owned(),
        op: Op::Source(SourceParams {
            name: Some(BEHIND.to_owned()),
        }),
    });
    graph.edges.push(Edge {
        to_port: Some(BEHIND.to_owned()),
        ..Edge::new(BEHIND, cut)
    });
}

/// Refuses a result that was to be transparent and is not.
pub(crate) fn check_transparent(warnings: &[Warning], output: &Path) -> Result<(), AppError> {
    let loses = |warning: &Warning| matches!(warning, Warning::Dropped { what, .. } if what.starts_with("transparency"));
    if !warnings.iter().any(loses) {
        return Ok(());
    }
    let ending = output.extension().unwrap_or_default().to_string_lossy();
    Err(invalid(format!(
        "Without its background the result is transparent, and a `.{ending}` file of this codec is not."
    ))
    .hint(
        "Choose mov (ProRes 4444), webm or mkv (VP9), or put something behind: --blur, --color, \
         --picture or --video.",
    ))
}

/// The request with what it must not overwrite.
pub(crate) fn guarded(request: &UpscaleRequest, behind: Option<&Behind>) -> UpscaleRequest {
    let mut request = request.clone();
    if let Some(behind) = behind {
        Arc::make_mut(&mut request.taken).insert(&behind.path);
    }
    request
}
