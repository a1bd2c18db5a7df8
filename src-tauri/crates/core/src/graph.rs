//! The processing graph as a document: nodes, edges, validation. What a node does is in `engine`.

use crate::pixel::PixelFormat;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use ts_rs::TS;

/// Version of the document that this program writes.
pub const GRAPH_VERSION: u32 = 1;

/// Nodes and the wires between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Graph {
    /// [`GRAPH_VERSION`]; a higher one is refused.
    pub version: u32,
    /// Nodes, each with an id of its own.
    pub nodes: Vec<Node>,
    /// Wires from an output to an input.
    pub edges: Vec<Edge>,
}

/// One step of processing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Node {
    /// Unique within the graph.
    pub id: String,
    /// What it does.
    #[serde(flatten)]
    pub op: Op,
}

/// What a node does, with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "op", content = "params", rename_all = "snake_case")]
pub enum Op {
    /// The input clip or picture.
    Source,
    /// Enlarge with a model, by the scale that the model has.
    Upscale {
        /// Model id.
        model: String,
    },
    /// Resize with a cubic kernel.
    Resize(ResizeParams),
    /// Cut out a rectangle.
    Crop(CropParams),
    /// Change the pixel format; the colour tags stay what they are.
    Convert {
        /// Wanted format.
        format: PixelFormat,
    },
    /// The output file.
    Sink,
}

impl Op {
    fn has_input(&self) -> bool {
        !matches!(self, Op::Source)
    }

    fn has_output(&self) -> bool {
        !matches!(self, Op::Sink)
    }
}

/// Target size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ResizeParams {
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// A rectangle in pixels of the incoming picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CropParams {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// A wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Edge {
    /// Id of the node it comes from.
    pub from: String,
    /// Id of the node it goes to.
    pub to: String,
}

/// Why a graph cannot run. Each names the node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Written by a newer program.
    #[error("this graph is of version {found}; this program reads up to {GRAPH_VERSION}")]
    Version {
        /// The version found.
        found: u32,
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
    #[error("the node `{id}` has no {port}; remove that wire")]
    NoSuchPort {
        /// The node.
        id: String,
        /// `input` or `output`.
        port: &'static str,
    },
    /// An input without a wire, or an output that leads nowhere.
    #[error("the {port} of `{id}` is not connected")]
    Unconnected {
        /// The node.
        id: String,
        /// `input` or `output`.
        port: &'static str,
    },
    /// Two wires into one input, or a branch.
    #[error("the {port} of `{id}` has more than one wire; this program runs chains of nodes")]
    Branch {
        /// The node.
        id: String,
        /// `input` or `output`.
        port: &'static str,
    },
    /// The wires lead in a circle, or a part hangs loose.
    #[error("the nodes {ids} are not on the way from the source to the sink")]
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
            .map(|pair| Edge {
                from: pair[0].id.clone(),
                to: pair[1].id.clone(),
            })
            .collect();
        Graph {
            version: GRAPH_VERSION,
            nodes,
            edges,
        }
    }

    /// The operations between source and sink, in order.
    ///
    /// # Errors
    /// The first [`GraphError`] found: version, ids, wires, branches, circles.
    pub fn ordered_ops(&self) -> Result<Vec<(&str, &Op)>, GraphError> {
        if self.version > GRAPH_VERSION || self.version == 0 {
            return Err(GraphError::Version {
                found: self.version,
            });
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
        let mut next = BTreeMap::new();
        let mut entered = BTreeSet::new();
        for edge in &self.edges {
            for id in [&edge.from, &edge.to] {
                if !by_id.contains_key(id.as_str()) {
                    return Err(GraphError::UnknownNode { id: id.clone() });
                }
            }
            if !by_id[edge.from.as_str()].has_output() {
                return Err(GraphError::NoSuchPort {
                    id: edge.from.clone(),
                    port: "output",
                });
            }
            if !by_id[edge.to.as_str()].has_input() {
                return Err(GraphError::NoSuchPort {
                    id: edge.to.clone(),
                    port: "input",
                });
            }
            if next.insert(edge.from.as_str(), edge.to.as_str()).is_some() {
                return Err(GraphError::Branch {
                    id: edge.from.clone(),
                    port: "output",
                });
            }
            if !entered.insert(edge.to.as_str()) {
                return Err(GraphError::Branch {
                    id: edge.to.clone(),
                    port: "input",
                });
            }
        }
        for node in &self.nodes {
            if node.op.has_output() && !next.contains_key(node.id.as_str()) {
                return Err(GraphError::Unconnected {
                    id: node.id.clone(),
                    port: "output",
                });
            }
            if node.op.has_input() && !entered.contains(node.id.as_str()) {
                return Err(GraphError::Unconnected {
                    id: node.id.clone(),
                    port: "input",
                });
            }
        }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upscale() -> Op {
        Op::Upscale {
            model: "loom-x2".into(),
        }
    }

    #[test]
    fn a_chain_survives_json_and_keeps_its_order() {
        let graph = Graph::chain([
            upscale(),
            Op::Resize(ResizeParams {
                width: 64,
                height: 32,
            }),
        ]);
        let json = serde_json::to_string(&graph).unwrap();
        let back: Graph = serde_json::from_str(&json).unwrap();
        assert_eq!(back, graph);
        let ops = back.ordered_ops().unwrap();
        assert_eq!(ops.len(), 4);
        assert_eq!(ops[1].1, &upscale());
    }

    #[test]
    fn a_circle_is_named_instead_of_running_for_ever() {
        let mut graph = Graph::chain([]);
        for id in ["a", "b"] {
            graph.nodes.push(Node {
                id: id.into(),
                op: upscale(),
            });
        }
        for (from, to) in [("a", "b"), ("b", "a")] {
            graph.edges.push(Edge {
                from: from.into(),
                to: to.into(),
            });
        }
        assert_eq!(
            graph.ordered_ops(),
            Err(GraphError::OffPath { ids: "a, b".into() })
        );
    }

    #[test]
    fn a_newer_version_a_branch_and_a_loose_wire_are_refused() {
        let mut graph = Graph::chain([upscale()]);
        graph.version = 2;
        assert_eq!(graph.ordered_ops(), Err(GraphError::Version { found: 2 }));
        let mut graph = Graph::chain([upscale()]);
        graph.edges.push(Edge {
            from: "n0".into(),
            to: "n2".into(),
        });
        assert!(matches!(
            graph.ordered_ops(),
            Err(GraphError::Branch { .. })
        ));
        let mut graph = Graph::chain([upscale()]);
        graph.edges.pop();
        assert!(matches!(
            graph.ordered_ops(),
            Err(GraphError::Unconnected { .. })
        ));
        graph.edges.push(Edge {
            from: "n1".into(),
            to: "nowhere".into(),
        });
        assert!(matches!(
            graph.ordered_ops(),
            Err(GraphError::UnknownNode { .. })
        ));
    }
}
