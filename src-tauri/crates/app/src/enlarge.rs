//! How something is enlarged: to which size, and with how much of the source.

use crate::presets::fitted;
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{Edge, Graph, Node, Op, OverlayParams, ResizeParams};
use frameloom_core::said;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How something is enlarged. What is left open is as usual.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct EnlargeWish {
    /// Width and height that the result fits into, in its own shape, as large as it can be; the
    /// scale follows from it.
    pub fit: Option<(u32, u32)>,
    /// How much of the source, enlarged without a model, is mixed in, 0 to 1.
    pub source: Option<f64>,
}

fn invalid(message: impl Into<frameloom_core::said::Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message).hint("Choose another value, or leave it out.")
}

impl EnlargeWish {
    /// Refuses what cannot be done.
    pub(crate) fn check(&self) -> Result<(), AppError> {
        if let Some((width, height)) = self.fit
            && !((16..=32_768).contains(&width) && (16..=32_768).contains(&height))
        {
            return Err(invalid(said!(
                "enlarge.size",
                "{width} x {height} is no size to enlarge to; 16 to 32768 pixels are possible.",
                width = width,
                height = height
            )));
        }
        if let Some(source) = self.source
            && !(0.0..=1.0).contains(&source)
        {
            return Err(invalid(said!(
                "enlarge.source",
                "{value} of the source cannot be mixed in; 0 to 1 is possible.",
                value = source.to_string()
            )));
        }
        Ok(())
    }

    /// Size of the result of pictures of `size`, and by how much a model enlarges them at least.
    pub(crate) fn target(&self, size: (u32, u32)) -> Option<((u32, u32), u32)> {
        let made = fitted(size, self.fit?, true);
        let times = |to: u32, from: u32| to.div_ceil(from.max(1));
        // Half a pixel of rounding is no reason to enlarge once more.
        let near = |to: u32| to.saturating_sub(1);
        let scale = times(near(made.0), size.0).max(times(near(made.1), size.1));
        Some((made, scale.clamp(1, 8)))
    }
}

/// The steps behind one another, with the part `source` of what `before` gives mixed into the result
/// of `larger`, brought to its `size` by a cubic kernel.
pub(crate) fn mixed(before: Vec<Op>, larger: Vec<Op>, size: (u32, u32), source: f64) -> Graph {
    let forks = before.len();
    let mut graph = Graph::chain(before.into_iter().chain(larger));
    if source <= 0.0 {
        return graph;
    }
    // A chain: the source, its steps, the sink, in this order.
    let id_at = |at: usize| {
        graph
            .nodes
            .get(at)
            .map_or_else(String::new, |n| n.id.clone())
    };
    let (from, sink) = (id_at(forks), id_at(graph.nodes.len() - 1));
    let [mix, cubic] = ["mix", "cubic"].map(str::to_owned);
    for edge in &mut graph.edges {
        if edge.to == sink {
            edge.to.clone_from(&mix);
        }
    }
    let (width, height) = size;
    graph.nodes.push(Node {
        id: cubic.clone(),
        op: Op::Resize(ResizeParams { width, height }),
    });
    graph.nodes.push(Node {
        id: mix.clone(),
        op: Op::Overlay(OverlayParams {
            width: Some(1.0),
            opacity: source.min(1.0),
            ..OverlayParams::default()
        }),
    });
    graph.edges.push(Edge::new(from, cubic.clone()));
    graph.edges.push(Edge {
        to_port: Some("over".to_owned()),
        ..Edge::new(cubic, mix.clone())
    });
    graph.edges.push(Edge::new(mix, sink));
    graph
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_the_least_that_reaches_the_size() {
        let four_k = EnlargeWish {
            fit: Some((3840, 2160)),
            source: None,
        };
        assert_eq!(four_k.target((1920, 1080)), Some(((3840, 2160), 2)));
        assert_eq!(four_k.target((640, 360)), Some(((3840, 2160), 6)));
        assert_eq!(four_k.target((1080, 1920)), Some(((1216, 2160), 2)));
        assert_eq!(four_k.target((4096, 2160)), Some(((3840, 2026), 1)));
        assert_eq!(four_k.target((100, 100)), Some(((2160, 2160), 8)));
        assert_eq!(EnlargeWish::default().target((9, 9)), None);
    }

    #[test]
    fn the_source_is_mixed_in_behind_what_was_done_before() {
        let ops = || vec![Op::Upscale { model: "a".into() }];
        let graph = mixed(Vec::new(), ops(), (20, 20), 0.0);
        assert_eq!(graph.nodes.len(), 3);
        let flip = Op::Flip(frameloom_core::graph::FlipParams {
            axis: frameloom_core::graph::FlipAxis::Vertical,
        });
        let graph = mixed(vec![flip], ops(), (20, 20), 0.3);
        let layout = graph.layout().unwrap();
        let steps = &layout.pictures[0].steps;
        let names: Vec<&str> = steps.iter().map(|step| step.op.name()).collect();
        assert_eq!(names, ["flip", "upscale", "overlay"]);
        let side = steps[2].side.as_ref().unwrap();
        let names: Vec<&str> = side.steps.iter().map(|step| step.op.name()).collect();
        assert_eq!(names, ["flip", "resize"]);
    }
}
