//! Everything that keeps a document from running, at once: a canvas shows each fault at its place,
//! where [`Graph::layout`] stops at the first.

use super::shape::{self, shortened};
use super::{
    Edge, GRAPH_VERSION, Graph, GraphError, MAX_EDGES, MAX_NODES, Node, Op, Port, PortKind,
};
use super::{inputs_of, outputs_of, read};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use ts_rs::TS;

/// Kind of fault. A window translates its sentence by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Not a graph document of a version that is known.
    Document,
    /// Two nodes share an id.
    DuplicateId,
    /// No operation of this name.
    UnknownOp,
    /// A parameter has a value that it cannot have.
    Param,
    /// A parameter is missing.
    ParamMissing,
    /// The parameters do not fit together, or what the nodes are to do does not.
    Node,
    /// A wire to or from a node or a port that does not exist.
    Wire,
    /// Sound into pictures, or the other way round.
    Mismatch,
    /// Two wires into an input that takes one.
    Crowded,
    /// An input without a wire.
    InputOpen,
    /// An output that leads nowhere.
    OutputOpen,
    /// The wires lead in a circle.
    Circle,
    /// What nodes make does not reach the output.
    OffPath,
    /// There is no sink.
    NoSink,
    /// There are several sinks.
    SeveralSinks,
    /// Branches that multiply.
    TooManySteps,
}

/// Side of a node that a port is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PortSide {
    /// What goes in.
    Input,
    /// What comes out.
    Output,
}

/// Something that keeps a graph from running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Fault {
    /// What kind of fault.
    pub kind: FaultKind,
    /// The node, where it is about one.
    pub node: Option<String>,
    /// Side of the port, where it is about one.
    pub side: Option<PortSide>,
    /// The port, where it is about one.
    pub port: Option<String>,
    /// The parameter, where it is about one.
    pub param: Option<String>,
    /// Position of the wire among the edges of the document, where it is about one.
    pub wire: Option<u32>,
    /// What is wrong, in one English sentence that may say the remedy as well.
    pub message: String,
}

impl Fault {
    fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            node: None,
            side: None,
            port: None,
            param: None,
            wire: None,
            message: message.into(),
        }
    }

    fn of(error: &GraphError) -> Self {
        Self::new(kind_of(error), error.to_string())
    }

    fn at(self, node: &str) -> Self {
        Self {
            node: Some(node.to_owned()),
            ..self
        }
    }

    fn port(self, side: PortSide, name: &str) -> Self {
        Self {
            side: Some(side),
            port: Some(name.to_owned()),
            ..self
        }
    }

    fn wire(self, position: usize) -> Self {
        Self {
            wire: u32::try_from(position).ok(),
            ..self
        }
    }
}

fn kind_of(error: &GraphError) -> FaultKind {
    match error {
        GraphError::Version { .. } | GraphError::Document { .. } => FaultKind::Document,
        GraphError::Node { .. } => FaultKind::Node,
        GraphError::DuplicateId { .. } => FaultKind::DuplicateId,
        GraphError::UnknownNode { .. } | GraphError::NoSuchPort { .. } => FaultKind::Wire,
        GraphError::Mismatch { .. } => FaultKind::Mismatch,
        GraphError::Unconnected {
            direction: "input", ..
        } => FaultKind::InputOpen,
        GraphError::Unconnected { .. } => FaultKind::OutputOpen,
        GraphError::Crowded { .. } => FaultKind::Crowded,
        GraphError::OffPath { .. } => FaultKind::OffPath,
        GraphError::Circle { .. } => FaultKind::Circle,
        GraphError::TooManySteps => FaultKind::TooManySteps,
        GraphError::Sinks { count: 0 } => FaultKind::NoSink,
        GraphError::Sinks { .. } => FaultKind::SeveralSinks,
    }
}

/// All faults of a document, those of nodes in its order; none means that it can be laid out.
pub fn faults(document: &Value) -> Vec<Fault> {
    let mut search = Search::default();
    if let Err(fault) = search.document(document) {
        return vec![fault];
    }
    if search.faults.is_empty() {
        // What only the whole shows: the strict reader has the last word.
        let read = Graph::try_from(document.clone());
        let error = match &read {
            Ok(graph) => graph.layout().err(),
            Err(error) => Some(error.clone()),
        };
        if let Some(error) = error {
            let fault = Fault::of(&error);
            search.faults.push(match &error {
                GraphError::Node { id, .. } => fault.at(id),
                GraphError::OffPath { ids } => {
                    let first = ids.split(", ").next().unwrap_or_default().to_owned();
                    fault.at(&first)
                }
                _ => fault,
            });
        }
    }
    search.faults
}

/// What has been read of a document, and what was wrong with it.
#[derive(Default)]
struct Search {
    /// Operations by the ids of their nodes, those that exist.
    ops: BTreeMap<String, String>,
    /// Ids of nodes with an operation that does not exist: nothing is known of their ports.
    strange: BTreeSet<String>,
    edges: Vec<Edge>,
    /// Inputs and outputs that a wire is on.
    fed: BTreeSet<(String, &'static str)>,
    used: BTreeSet<(String, &'static str)>,
    faults: Vec<Fault>,
}

impl Search {
    fn document(&mut self, document: &Value) -> Result<(), Fault> {
        let wrong = |reason: &str| {
            Fault::of(&GraphError::Document {
                reason: reason.to_owned(),
            })
        };
        let list = |key: &'static str, limit: usize| match document.get(key) {
            Some(Value::Array(list)) if list.len() <= limit => Ok(list),
            Some(Value::Array(list)) => Err(wrong(&format!(
                "it has {} {key}; {limit} are the limit",
                list.len()
            ))),
            _ => Err(wrong(&format!("it needs a list `{key}`"))),
        };
        match document.get("version").and_then(Value::as_u64) {
            Some(version) if (1..=u64::from(GRAPH_VERSION)).contains(&version) => {}
            Some(version) => {
                return Err(Fault::of(&GraphError::Version {
                    found: u32::try_from(version).unwrap_or(u32::MAX),
                }));
            }
            None => return Err(wrong("it needs a `version`, which is a whole number")),
        }
        for node in list("nodes", MAX_NODES)? {
            self.node(node)?;
        }
        let mut broken = Vec::new();
        for (position, value) in list("edges", MAX_EDGES)?.iter().enumerate() {
            match read::edge(value.clone()) {
                Ok(edge) => self.edge(position, edge),
                Err(error) => broken.push(Fault::of(&error).wire(position)),
            }
        }
        self.faults.extend(broken);
        self.open_ports(document);
        self.circle();
        self.sinks();
        Ok(())
    }

    fn node(&mut self, value: &Value) -> Result<(), Fault> {
        let id = value.get("id").and_then(Value::as_str);
        let (Some(id), Some(op)) = (id, value.get("op").and_then(Value::as_str)) else {
            return Err(Fault::new(
                FaultKind::Document,
                "a node needs an `id` and an `op`, which are texts",
            ));
        };
        if self.ops.contains_key(id) || self.strange.contains(id) {
            let error = GraphError::DuplicateId { id: id.to_owned() };
            self.faults.push(Fault::of(&error).at(id));
            return Ok(());
        }
        let Some(shape) = shape::find(op) else {
            self.strange.insert(id.to_owned());
            let message = format!("there is no operation `{}`", shortened(op));
            self.faults
                .push(Fault::new(FaultKind::UnknownOp, message).at(id));
            return Ok(());
        };
        self.ops.insert(id.to_owned(), op.to_owned());
        let none = Map::new();
        let params = value
            .get("params")
            .and_then(Value::as_object)
            .unwrap_or(&none);
        let found = shape.faults(params);
        if found.is_empty()
            && let Err(error) = read::node(value.clone())
        {
            self.faults.push(Fault::of(&error).at(id));
        }
        self.faults.extend(found.into_iter().map(|fault| {
            let kind = match fault.missing {
                true => FaultKind::ParamMissing,
                false => FaultKind::Param,
            };
            Fault {
                param: Some(fault.name),
                ..Fault::new(kind, fault.reason).at(id)
            }
        }));
        Ok(())
    }

    fn edge(&mut self, position: usize, edge: Edge) {
        let known = |id: &str| self.ops.get(id).map(String::as_str);
        let find = |ports: &'static [Port], wanted: &Option<String>| match wanted {
            Some(name) => ports.iter().find(|port| port.name == name),
            None => ports.first(),
        };
        let mut fault = None;
        let mut out = None;
        let mut input = None;
        for (id, side) in [(&edge.from, PortSide::Output), (&edge.to, PortSide::Input)] {
            let Some(op) = known(id) else {
                if !self.strange.contains(id) {
                    fault = Some(Fault::of(&GraphError::UnknownNode { id: id.clone() }));
                }
                continue;
            };
            let (ports, wanted) = match side {
                PortSide::Output => (outputs_of(op), &edge.from_port),
                PortSide::Input => (inputs_of(op), &edge.to_port),
            };
            let port = find(ports, wanted);
            if port.is_none() {
                let direction = match side {
                    PortSide::Output => "output",
                    PortSide::Input => "input",
                };
                let name = shortened(wanted.as_deref().unwrap_or_default());
                let message = format!("the node `{id}` has no {direction} `{name}`");
                fault = Some(Fault::new(FaultKind::Wire, message).at(id));
            }
            match side {
                PortSide::Output => out = port,
                PortSide::Input => input = port,
            }
        }
        if let Some(out) = out {
            self.used.insert((edge.from.clone(), out.name));
        }
        if let (Some(out), Some(input)) = (out, input)
            && out.kind != input.kind
        {
            let error = GraphError::Mismatch {
                from: format!("{}.{}", edge.from, out.name),
                gives: out.kind,
                to: format!("{}.{}", edge.to, input.name),
                takes: input.kind,
            };
            fault = Some(
                Fault::of(&error)
                    .at(&edge.to)
                    .port(PortSide::Input, input.name),
            );
        }
        if let Some(input) = input {
            let fresh = self.fed.insert((edge.to.clone(), input.name));
            if !fresh && !input.many {
                let error = GraphError::Crowded {
                    id: edge.to.clone(),
                    port: input.name,
                };
                fault = Some(
                    Fault::of(&error)
                        .at(&edge.to)
                        .port(PortSide::Input, input.name),
                );
            }
        }
        self.faults.extend(fault.map(|fault| fault.wire(position)));
        self.edges.push(edge);
    }

    /// Ports that need a wire and have none.
    fn open_ports(&mut self, document: &Value) {
        let nodes = document.get("nodes").and_then(Value::as_array);
        let mut seen = BTreeSet::new();
        for id in nodes
            .into_iter()
            .flatten()
            .filter_map(|node| node.get("id").and_then(Value::as_str))
        {
            let Some(op) = self.ops.get(id) else {
                continue;
            };
            if !seen.insert(id) {
                continue;
            }
            for (side, ports, wired) in [
                (PortSide::Input, inputs_of(op), &self.fed),
                (PortSide::Output, outputs_of(op), &self.used),
            ] {
                let is_wired = |port: &Port| wired.contains(&(id.to_owned(), port.name));
                let mut open: Vec<&Port> = ports
                    .iter()
                    .filter(|port| !port.optional && !is_wired(port))
                    .collect();
                // Subtitles alone are no result.
                let counts = |port: &&Port| op != "sink" || port.kind != PortKind::Subtitles;
                if open.is_empty() && !ports.iter().filter(counts).any(is_wired) {
                    open.extend(ports.first());
                }
                for port in open {
                    let error = GraphError::Unconnected {
                        id: id.to_owned(),
                        direction: match side {
                            PortSide::Input => "input",
                            PortSide::Output => "output",
                        },
                        port: port.name,
                    };
                    self.faults
                        .push(Fault::of(&error).at(id).port(side, port.name));
                }
            }
        }
    }

    fn circle(&mut self) {
        // Only ids and wires matter for it.
        let nodes = self.ops.keys().map(|id| Node {
            id: id.clone(),
            op: Op::Sink,
        });
        let skeleton = Graph {
            version: GRAPH_VERSION,
            nodes: nodes.collect(),
            edges: self.edges.clone(),
        };
        if let Err(error) = skeleton.check_circles() {
            let first = match &error {
                GraphError::Circle { ids } => ids.split(" -> ").next().map(str::to_owned),
                _ => None,
            };
            let fault = Fault::of(&error);
            self.faults.push(match first {
                Some(id) => fault.at(&id),
                None => fault,
            });
        }
    }

    fn sinks(&mut self) {
        let mut sinks = self.ops.iter().filter(|(_, op)| *op == "sink");
        let first = sinks.next();
        let others: Vec<String> = sinks.map(|(id, _)| id.clone()).collect();
        let count = usize::from(first.is_some()) + others.len();
        if count == 1 {
            return;
        }
        let fault = Fault::of(&GraphError::Sinks { count });
        if others.is_empty() {
            self.faults.push(fault.clone());
        }
        for id in others {
            self.faults.push(fault.clone().at(&id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn places(document: &Value) -> Vec<(FaultKind, Option<String>, Option<String>)> {
        let found = faults(document).into_iter();
        found
            .map(|fault| (fault.kind, fault.node, fault.port.or(fault.param)))
            .collect()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn every_fault_of_a_document_is_found_and_placed() {
        let document = json!({
            "version": 2,
            "nodes": [
                {"id": "s", "op": "source"},
                {"id": "r", "op": "resize", "params": {"width": 0}},
                {"id": "r", "op": "flip", "params": {"axis": "vertical"}},
                {"id": "x", "op": "sharpen"},
                {"id": "t", "op": "text", "params": {"text": "a", "file": "/b.srt"}},
                {"id": "l", "op": "loudness"},
                {"id": "o", "op": "sink"}
            ],
            "edges": [
                {"from": "s", "to": "r"},
                {"from": "s", "from_port": "video", "to": "l"},
                {"from": "r", "to": "o"},
                {"from": "t", "to": "o"},
                {"from": "gone", "to": "o", "to_port": "audio"},
                {"from": "s", "from_port": "sound", "to": "o", "to_port": "audio"},
                {"from": "x", "to": "t"}
            ]
        });
        assert_eq!(
            places(&document),
            [
                (FaultKind::Param, some("r"), some("width")),
                (FaultKind::ParamMissing, some("r"), some("height")),
                (FaultKind::DuplicateId, some("r"), None),
                (FaultKind::UnknownOp, some("x"), None),
                (FaultKind::Node, some("t"), None),
                (FaultKind::Mismatch, some("l"), some("in")),
                (FaultKind::Crowded, some("o"), some("video")),
                (FaultKind::Wire, None, None),
                (FaultKind::Crowded, some("o"), some("audio")),
                (FaultKind::OutputOpen, some("l"), some("out")),
            ]
        );
    }

    #[test]
    fn a_circle_and_a_missing_output_are_told_together() {
        let document = json!({
            "version": 2,
            "nodes": [
                {"id": "a", "op": "flip", "params": {"axis": "vertical"}},
                {"id": "b", "op": "flip", "params": {"axis": "vertical"}}
            ],
            "edges": [{"from": "a", "to": "b"}, {"from": "b", "to": "a"}]
        });
        assert_eq!(
            places(&document),
            [
                (FaultKind::Circle, some("a"), None),
                (FaultKind::NoSink, None, None)
            ]
        );
    }

    #[test]
    fn faults_and_layout_agree_on_what_can_run() {
        let good = serde_json::to_value(Graph::chain([Op::Flip(super::super::FlipParams {
            axis: super::super::FlipAxis::Vertical,
        })]));
        assert_eq!(faults(&good.unwrap()), []);
        // Reached through its sound only: the pictures of `c` are made for nobody.
        let bad = json!({
            "version": 2,
            "nodes": [
                {"id": "s", "op": "source"},
                {"id": "c", "op": "concat"},
                {"id": "o", "op": "sink"}
            ],
            "edges": [
                {"from": "s", "to": "c"},
                {"from": "s", "from_port": "audio", "to": "c", "to_port": "audio"},
                {"from": "s", "to": "o"},
                {"from": "c", "from_port": "audio", "to": "o", "to_port": "audio"}
            ]
        });
        assert_eq!(
            places(&bad),
            [(FaultKind::OutputOpen, some("c"), some("out"))]
        );
        assert_eq!(places(&json!({"version": 3}))[0].0, FaultKind::Document);
        assert_eq!(places(&json!([]))[0].0, FaultKind::Document);
    }
}
