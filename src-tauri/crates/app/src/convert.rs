//! Pictures in other formats and sizes, marked, without what they tell.

use crate::asked::{or_usual, within};
use crate::background::{Behind, open_behind};
use crate::presets::{self, Work, fitted};
use crate::request::{UpscaleRequest, shown};
use frameloom_core::error::AppError;
use frameloom_core::graph::{
    Anchor, Edge, Graph, Node, Op, OverlayParams, ResizeParams, SourceParams, TextParams,
};
use frameloom_core::media::VideoInfo;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use ts_rs::TS;

/// Name of the input that is laid over pictures.
const MARK: &str = "mark";

/// How pictures are converted. What is left open stays as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct ConvertWish {
    /// Width and height that the result fits into, in its own shape.
    pub fit: Option<(u32, u32)>,
    /// Smaller pictures are made as large.
    pub larger: bool,
    /// A picture that is laid over.
    #[ts(type = "string | null")]
    pub mark: Option<PathBuf>,
    /// A text that is laid over.
    pub text: Option<String>,
    /// Where what is laid over lies; in the lower right corner where `None`.
    pub anchor: Option<Anchor>,
    /// How much it covers, 0 to 1; 0.6 where `None`.
    pub opacity: Option<f64>,
    /// Width of the picture that is laid over as a part of the other's, 0.01 to 1; 0.2 where `None`.
    pub mark_width: Option<f64>,
    /// What is told of the picture is left out: where, when and with what it was taken, names.
    pub strip: bool,
    /// Colours become those of sRGB.
    pub srgb: bool,
}

/// What a request to convert a picture comes to.
pub(crate) fn conversion(
    request: &UpscaleRequest,
    video: &VideoInfo,
) -> Result<(Work, Option<Behind>), AppError> {
    let wish = request.convert.clone().unwrap_or_default();
    let opacity = or_usual("--opacity", wish.opacity, 0.6, (0.0, 1.0))?;
    let mark_width = or_usual("--mark-width", wish.mark_width, 0.2, (0.01, 1.0))?;
    let size = shown(video, (video.width, video.height));
    let mut made = size;
    let mut ops = Vec::new();
    if let Some((width, height)) = wish.fit {
        for side in [width, height] {
            within("--size", f64::from(side), (2.0, 32_768.0))?;
        }
        made = fitted(size, (width, height), wish.larger);
        if made != size {
            let (width, height) = made;
            ops.push(Op::Resize(ResizeParams { width, height }));
        }
    }
    let anchor = wish.anchor.unwrap_or(Anchor::BottomRight);
    if let Some(text) = wish.text.filter(|text| !text.trim().is_empty()) {
        ops.push(Op::Text(TextParams {
            text: Some(text),
            anchor,
            opacity,
            size: 3.5,
            margin: 2.0,
            ..TextParams::default()
        }));
    }
    let mut graph = Graph::chain(ops);
    let mark = match &wish.mark {
        Some(path) => Some(Behind {
            name: MARK,
            ..open_behind(path, request)?
        }),
        None => None,
    };
    if mark.is_some() {
        let margin = i64::from(made.0.min(made.1)) / 50;
        let (x, y) = anchor.halves();
        lay_over(
            &mut graph,
            OverlayParams {
                anchor,
                // In the middle there is no edge to keep away from.
                x: if x == 1 { 0 } else { margin },
                y: if y == 1 { 0 } else { margin },
                width: Some(mark_width),
                opacity,
                ..OverlayParams::default()
            },
        );
    }
    let work = Work {
        graph,
        size: Some(made),
        ending: presets::ending_of(request.preset.preset(), request)?,
    };
    Ok((work, mark))
}

/// Lays the input [`MARK`] over what the chain gives.
fn lay_over(graph: &mut Graph, params: OverlayParams) {
    let Some(sink) = graph.nodes.last().map(|node| node.id.clone()) else {
        return;
    };
    let over = "over".to_owned();
    for edge in &mut graph.edges {
        if edge.to == sink {
            edge.to.clone_from(&over);
        }
    }
    graph.nodes.push(Node {
        id: MARK.to_owned(),
        op: Op::Source(SourceParams {
            name: Some(MARK.to_owned()),
        }),
    });
    graph.nodes.push(Node {
        id: over.clone(),
        op: Op::Overlay(params),
    });
    graph.edges.push(Edge {
        to_port: Some(over.clone()),
        ..Edge::new(MARK, over.clone())
    });
    graph.edges.push(Edge::new(over, sink));
}
