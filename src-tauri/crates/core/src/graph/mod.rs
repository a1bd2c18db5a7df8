//! The processing graph as a document: nodes, edges, validation. What a node does is in `engine`.

mod ops;
mod read;
mod shape;

pub use ops::*;
pub use read::MAX_DOCUMENT_BYTES;
pub use shape::schema;

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use ts_rs::TS;

/// Version of the document that this program writes. Older ones are migrated when they are read.
pub const GRAPH_VERSION: u32 = 2;
/// Most nodes of a graph.
pub const MAX_NODES: usize = 256;
/// Most wires of a graph.
pub const MAX_EDGES: usize = 1024;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortKind {
    /// Pictures.
    Pictures,
    /// Sound.
    Sound,
}

impl fmt::Display for PortKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PortKind::Pictures => "pictures",
            PortKind::Sound => "sound",
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
}

const fn port(name: &'static str, kind: PortKind, optional: bool) -> Port {
    Port {
        name,
        kind,
        optional,
    }
}

const ENDS: &[Port] = &[
    port("video", PortKind::Pictures, false),
    port("audio", PortKind::Sound, true),
];
const IN: &[Port] = &[port("in", PortKind::Pictures, false)];
const OUT: &[Port] = &[port("out", PortKind::Pictures, false)];

impl Op {
    /// Inputs; the first is the one that an edge without a name means.
    pub fn inputs(&self) -> &'static [Port] {
        match self {
            Op::Source => &[],
            Op::Sink => ENDS,
            _ => IN,
        }
    }

    /// Outputs; the first is the one that an edge without a name means.
    pub fn outputs(&self) -> &'static [Port] {
        match self {
            Op::Source => ENDS,
            Op::Sink => &[],
            _ => OUT,
        }
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
    /// Two wires into one input, or a branch.
    #[error(
        "the {direction} `{port}` of `{id}` has more than one wire; this program runs chains of nodes"
    )]
    Branch {
        /// The node.
        id: String,
        /// `input` or `output`.
        direction: &'static str,
        /// The port.
        port: &'static str,
    },
    /// The wires lead in a circle, or a part hangs loose.
    #[error(
        "the nodes {ids} are not on the way from the source to the sink: their wires lead in a circle; remove one of them"
    )]
    OffPath {
        /// The nodes, comma-separated.
        ids: String,
    },
    /// Not exactly one source or sink.
    #[error("a graph needs exactly one {what}, and this one has {count}")]
    Count {
        /// `source` or `sink`.
        what: &'static str,
        /// How many there are.
        count: usize,
    },
}

/// The port of this name, or the first.
fn find_port(
    id: &str,
    ports: &'static [Port],
    wanted: Option<&str>,
    direction: &'static str,
) -> Result<&'static Port, GraphError> {
    let found = match wanted {
        Some(name) => ports.iter().find(|port| port.name == name),
        None => ports.first(),
    };
    found.ok_or_else(|| GraphError::NoSuchPort {
        id: id.to_owned(),
        direction,
        port: shape::shortened(wanted.unwrap_or_default()),
        remedy: if ports.is_empty() {
            "remove that wire".to_owned()
        } else {
            let names: Vec<&str> = ports.iter().map(|port| port.name).collect();
            format!("it has {}", names.join(", "))
        },
    })
}

impl Graph {
    /// A chain from a source through `ops` to a sink.
    pub fn chain(ops: impl IntoIterator<Item = Op>) -> Self {
        let ops = [Op::Source].into_iter().chain(ops).chain([Op::Sink]);
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

    /// The operations from source to sink, in order.
    ///
    /// # Errors
    /// The first [`GraphError`] found: version, ids, wires, ports, branches, circles.
    pub fn ordered_ops(&self) -> Result<Vec<(&str, &Op)>, GraphError> {
        if self.version > GRAPH_VERSION || self.version == 0 {
            return Err(GraphError::Version {
                found: self.version,
            });
        }
        let too_many = |what: &str, count: usize, limit: usize| GraphError::Document {
            reason: format!("it has {count} {what}; {limit} are the limit"),
        };
        if self.nodes.len() > MAX_NODES {
            return Err(too_many("nodes", self.nodes.len(), MAX_NODES));
        }
        if self.edges.len() > MAX_EDGES {
            return Err(too_many("edges", self.edges.len(), MAX_EDGES));
        }
        let mut by_id = BTreeMap::new();
        for node in &self.nodes {
            if by_id.insert(node.id.as_str(), &node.op).is_some() {
                return Err(GraphError::DuplicateId {
                    id: node.id.clone(),
                });
            }
        }
        for (what, is_it) in [
            ("source", (|op| matches!(op, Op::Source)) as fn(&Op) -> bool),
            ("sink", |op| matches!(op, Op::Sink)),
        ] {
            let count = self.nodes.iter().filter(|n| is_it(&n.op)).count();
            if count != 1 {
                return Err(GraphError::Count { what, count });
            }
        }
        let next = self.wires(&by_id)?;
        let mut path = Vec::with_capacity(self.nodes.len());
        let mut at = self
            .nodes
            .iter()
            .find(|n| matches!(n.op, Op::Source))
            .map(|n| n.id.as_str());
        while let Some(id) = at {
            path.push((id, by_id[id]));
            at = next.get(id).copied();
        }
        if path.len() != self.nodes.len() {
            let on_path: BTreeSet<&str> = path.iter().map(|(id, _)| *id).collect();
            let ids: Vec<&str> = by_id
                .keys()
                .copied()
                .filter(|id| !on_path.contains(id))
                .collect();
            return Err(GraphError::OffPath {
                ids: ids.join(", "),
            });
        }
        Ok(path)
    }

    /// Checks every wire; gives where the pictures of each node go.
    fn wires<'a>(
        &'a self,
        by_id: &BTreeMap<&'a str, &'a Op>,
    ) -> Result<BTreeMap<&'a str, &'a str>, GraphError> {
        let mut next = BTreeMap::new();
        let (mut left, mut entered) = (BTreeSet::new(), BTreeSet::new());
        for edge in &self.edges {
            for id in [&edge.from, &edge.to] {
                if !by_id.contains_key(id.as_str()) {
                    return Err(GraphError::UnknownNode { id: id.clone() });
                }
            }
            let (from, to) = (edge.from.as_str(), edge.to.as_str());
            let out = find_port(
                from,
                by_id[from].outputs(),
                edge.from_port.as_deref(),
                "output",
            )?;
            let into = find_port(to, by_id[to].inputs(), edge.to_port.as_deref(), "input")?;
            if out.kind != into.kind {
                return Err(GraphError::Mismatch {
                    from: format!("{from}.{}", out.name),
                    gives: out.kind,
                    to: format!("{to}.{}", into.name),
                    takes: into.kind,
                });
            }
            if !left.insert((from, out.name)) {
                return Err(GraphError::Branch {
                    id: from.to_owned(),
                    direction: "output",
                    port: out.name,
                });
            }
            if !entered.insert((to, into.name)) {
                return Err(GraphError::Branch {
                    id: to.to_owned(),
                    direction: "input",
                    port: into.name,
                });
            }
            if out.kind == PortKind::Pictures {
                next.insert(from, to);
            }
        }
        for node in &self.nodes {
            let id = node.id.as_str();
            for (direction, ports, used) in [
                ("output", node.op.outputs(), &left),
                ("input", node.op.inputs(), &entered),
            ] {
                if let Some(port) = ports
                    .iter()
                    .find(|port| !port.optional && !used.contains(&(id, port.name)))
                {
                    return Err(GraphError::Unconnected {
                        id: id.to_owned(),
                        direction,
                        port: port.name,
                    });
                }
            }
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests;
