//! The processing graph as a document: nodes, edges, validation. What a node does is in `engine`.

mod areas;
mod between;
mod captions;
mod circle;
mod faults;
mod kept;
mod kinds;
mod layout;
mod looks;
mod ops;
mod paths;
mod read;
mod shape;
mod sound;

pub use areas::{Area, MAX_AREAS, parse_areas, parse_keys};
pub use between::*;
pub use captions::{SubtitleTrackParams, SubtitlesParams, TrackShow};
pub use faults::{Fault, FaultKind, PortSide, faults};
pub use kept::{KeptStretch, MAX_KEPT, MAX_KEPT_TEXT, kept_text, parse_kept};
pub use kinds::{NodeKind, PortShape, kinds};
pub use layout::{Captions, Layout, Line, Step, Tracks};
pub use looks::*;
pub use ops::*;
pub use paths::{MAX_PATHS_TEXT, MAX_SPOTS, SeenPath, Spot, between, parse_paths, paths_text};
pub use read::MAX_DOCUMENT_BYTES;
pub use shape::schema;
pub use sound::*;

use serde::{Deserialize, Serialize};
use std::fmt;
use ts_rs::TS;

/// Version of the document that this program writes. Older ones are migrated when they are read.
pub const GRAPH_VERSION: u32 = 2;
/// Most nodes of a graph.
pub const MAX_NODES: usize = 256;
/// Most wires of a graph.
pub const MAX_EDGES: usize = 1024;
/// Most steps that a graph may be worked out in, once every branch is followed to its sources.
pub const MAX_STEPS: usize = 1024;
/// Longest id of a node or name of a port, in bytes.
pub const MAX_ID: usize = 64;

/// Nodes and the wires between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(try_from = "serde_json::Value")]
pub struct Graph {
    /// [`GRAPH_VERSION`]; a higher one is refused.
    pub version: u32,
    /// Nodes, each with an id of its own.
    pub nodes: Vec<Node>,
    /// Wires from an output to an input.
    pub edges: Vec<Edge>,
}

/// One step of processing.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Node {
    /// Unique within the graph.
    pub id: String,
    /// What it does.
    #[serde(flatten)]
    pub op: Op,
}

/// A wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Edge {
    /// Id of the node it comes from.
    pub from: String,
    /// Its output; the first where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from_port: Option<String>,
    /// Id of the node it goes to.
    pub to: String,
    /// Its input; the first where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub to_port: Option<String>,
}

impl Edge {
    /// A wire between the first ports of two nodes.
    pub fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self {
            from: from.into(),
            from_port: None,
            to: to.into(),
            to_port: None,
        }
    }
}

/// What flows along a wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PortKind {
    /// Pictures.
    Pictures,
    /// Sound: one or more tracks.
    Sound,
    /// Subtitles: one or more tracks.
    Subtitles,
}

impl fmt::Display for PortKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PortKind::Pictures => "pictures",
            PortKind::Sound => "sound",
            PortKind::Subtitles => "subtitles",
        })
    }
}

/// An end of a node that a wire can be put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// Its name in the document.
    pub name: &'static str,
    /// What flows through it.
    pub kind: PortKind,
    /// It may be left without a wire.
    pub optional: bool,
    /// An input that takes several wires, in the order of the document. Outputs always may have
    /// several.
    pub many: bool,
}

const fn port(name: &'static str, kind: PortKind) -> Port {
    Port {
        name,
        kind,
        optional: false,
        many: false,
    }
}

impl Port {
    const fn optional(self) -> Port {
        Port {
            optional: true,
            ..self
        }
    }

    const fn many(self) -> Port {
        Port { many: true, ..self }
    }
}

const VIDEO: Port = port("video", PortKind::Pictures);
const AUDIO: Port = port("audio", PortKind::Sound).optional();
const SUBTITLES: Port = port("subtitles", PortKind::Subtitles).optional();
const PICTURES_IN: Port = port("in", PortKind::Pictures);
const PICTURES_OUT: Port = port("out", PortKind::Pictures);

impl Op {
    /// Inputs; the first is the one that an edge without a name means.
    pub fn inputs(&self) -> &'static [Port] {
        inputs_of(self.name())
    }

    /// Outputs; the first is the one that an edge without a name means.
    pub fn outputs(&self) -> &'static [Port] {
        outputs_of(self.name())
    }
}

/// Inputs of the operation of this name.
fn inputs_of(op: &str) -> &'static [Port] {
    match op {
        "source" => &[],
        // Sound may be all there is.
        "sink" => const { &[VIDEO.optional(), AUDIO, SUBTITLES] },
        "overlay" => const { &[PICTURES_IN, port("over", PortKind::Pictures)] },
        "background" => const { &[PICTURES_IN, port("behind", PortKind::Pictures).optional()] },
        "concat" => const { &[PICTURES_IN.many(), AUDIO.many()] },
        "mux" => const { &[AUDIO.many(), SUBTITLES.many()] },
        "loudness" | "audio_denoise" | "audio_redact" | "split_channels" => {
            const { &[port("in", PortKind::Sound)] }
        }
        "subtitle_track" => const { &[port("in", PortKind::Subtitles)] },
        _ => const { &[PICTURES_IN] },
    }
}

/// Outputs of the operation of this name.
fn outputs_of(op: &str) -> &'static [Port] {
    match op {
        "source" => const { &[VIDEO.optional(), AUDIO, SUBTITLES] },
        "sink" => &[],
        "concat" => const { &[PICTURES_OUT, AUDIO] },
        "mux" => const { &[AUDIO, SUBTITLES] },
        "loudness" | "audio_denoise" | "audio_redact" | "split_channels" => {
            const { &[port("out", PortKind::Sound)] }
        }
        "subtitle_track" => const { &[port("out", PortKind::Subtitles)] },
        _ => const { &[PICTURES_OUT] },
    }
}

/// Why a graph cannot run. Each names the place and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Written by a newer program.
    #[error("this graph is of version {found}; this program reads 1 to {GRAPH_VERSION}")]
    Version {
        /// The version found.
        found: u32,
    },
    /// Not a graph document.
    #[error("the document is no graph: {reason}")]
    Document {
        /// What is wrong with it.
        reason: String,
    },
    /// A node that makes no sense.
    #[error("the node `{id}` makes no sense: {reason}")]
    Node {
        /// The node.
        id: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// Two nodes share an id.
    #[error("two nodes are called `{id}`; give each node its own id")]
    DuplicateId {
        /// The shared id.
        id: String,
    },
    /// A wire to or from nowhere.
    #[error("a wire names the node `{id}`, which does not exist")]
    UnknownNode {
        /// The missing id.
        id: String,
    },
    /// A wire on a node without such a port.
    #[error("the node `{id}` has no {direction} `{port}`; {remedy}")]
    NoSuchPort {
        /// The node.
        id: String,
        /// `input` or `output`.
        direction: &'static str,
        /// The name asked for; empty for the first.
        port: String,
        /// What it has.
        remedy: String,
    },
    /// Sound into pictures, or the other way round.
    #[error("`{from}` gives {gives} and `{to}` takes {takes}; connect ports of the same kind")]
    Mismatch {
        /// Node and port, `node.port`.
        from: String,
        /// What comes out.
        gives: PortKind,
        /// Node and port, `node.port`.
        to: String,
        /// What goes in.
        takes: PortKind,
    },
    /// An input without a wire, or an output that leads nowhere.
    #[error("the {direction} `{port}` of `{id}` is not connected; add a wire, or remove the node")]
    Unconnected {
        /// The node.
        id: String,
        /// `input` or `output`.
        direction: &'static str,
        /// The port.
        port: &'static str,
    },
    /// Two wires into an input that takes one.
    #[error("the input `{port}` of `{id}` has more than one wire; leave one of them")]
    Crowded {
        /// The node.
        id: String,
        /// The port.
        port: &'static str,
    },
    /// Nodes whose work nobody gets.
    #[error("what {ids} make does not reach the sink: connect them, or remove them")]
    OffPath {
        /// The nodes, comma-separated.
        ids: String,
    },
    /// The wires lead in a circle.
    #[error("the wires lead in a circle: {ids}; remove one of them")]
    Circle {
        /// The nodes on the way, as in `a -> b -> a`.
        ids: String,
    },
    /// Branches that multiply.
    #[error(
        "each output that has several wires is worked out once for each, and together that are more than {MAX_STEPS} steps; use fewer branches"
    )]
    TooManySteps,
    /// Not exactly one sink.
    #[error("a graph needs exactly one sink, and this one has {count}")]
    Sinks {
        /// How many there are.
        count: usize,
    },
}

impl Graph {
    /// A chain from a source through `ops` to a sink.
    pub fn chain(ops: impl IntoIterator<Item = Op>) -> Self {
        let ops = [Op::Source(SourceParams::default())]
            .into_iter()
            .chain(ops)
            .chain([Op::Sink]);
        let nodes: Vec<Node> = ops
            .enumerate()
            .map(|(i, op)| Node {
                id: format!("n{i}"),
                op,
            })
            .collect();
        let edges = nodes
            .windows(2)
            .map(|pair| Edge::new(&pair[0].id, &pair[1].id))
            .collect();
        Graph {
            version: GRAPH_VERSION,
            nodes,
            edges,
        }
    }

    /// How much of the beginning of the first source is left out on its way to the result, as far
    /// as a single line leads: a moment of the result is so much later in the source.
    pub fn skipped_micros(&self) -> i64 {
        let source = self.nodes.iter().find(|n| matches!(n.op, Op::Source(_)));
        let Some(mut at) = source else { return 0 };
        let mut skipped = 0i64;
        // No line is longer than the graph.
        for _ in 0..self.nodes.len() {
            let next = self
                .edges
                .iter()
                .filter(|edge| edge.from == at.id && edge.to_port.is_none())
                .find_map(|edge| self.nodes.iter().find(|node| node.id == edge.to));
            let Some(node) = next else { break };
            match &node.op {
                Op::Trim(params) => {
                    let seconds = params.start.map_or(0.0, |start| start.to_f64());
                    skipped = skipped.saturating_add((seconds * 1e6).round() as i64);
                }
                Op::Cut(params) => {
                    let first = parse_kept(&params.keep).ok();
                    let first = first.and_then(|list| list.first().map(|kept| kept.from_micros));
                    skipped = skipped.saturating_add(first.unwrap_or(0));
                }
                Op::Concat => break,
                _ => {}
            }
            at = node;
        }
        skipped
    }
}

#[cfg(test)]
mod tests;
