//! From nodes and wires to what has to be done: which pictures are made of which, and which sound.

use super::{
    BackgroundMode, Edge, GRAPH_VERSION, Graph, GraphError, MAX_EDGES, MAX_NODES, MAX_STEPS, Op,
    Port, SubtitleTrackParams,
};
use super::{PortKind, SourceParams, shape};
use std::collections::{BTreeMap, BTreeSet};

/// The work of a graph, followed from the sink back to its sources. Where an output has several
/// wires, what leads there appears once for each.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout<'a> {
    /// What is shown: one clip after another. Without `concat` there is one; none where the result is
    /// sound alone.
    pub pictures: Vec<Line<'a>>,
    /// What is heard; `None`: the sound of the first clip's input, as it is.
    pub sound: Option<Tracks<'a>>,
    /// The subtitles that are kept, in order; `None`: those of the first clip's input.
    pub subtitles: Option<Vec<Captions<'a>>>,
    /// How long sound and subtitles of other inputs may be; from the `mux` node on the way.
    pub sound_ends: super::MuxEnd,
}

/// Subtitles of an input.
#[derive(Debug, Clone, PartialEq)]
pub struct Captions<'a> {
    /// Name of the input.
    pub input: &'a str,
    /// The node that writes them anew and what it wants; as they are where `None`.
    pub written: Option<(&'a str, &'a SubtitleTrackParams)>,
}

/// Pictures of an input and what is done to them, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    /// Id of the `source` node.
    pub source: &'a str,
    /// Name of the input.
    pub input: &'a str,
    /// What is done.
    pub steps: Vec<Step<'a>>,
}

/// A node on a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Step<'a> {
    /// Id of the node.
    pub id: &'a str,
    /// What it does.
    pub op: &'a Op,
    /// The pictures at its second input.
    pub side: Option<Line<'a>>,
}

/// Tracks of sound.
#[derive(Debug, Clone, PartialEq)]
pub enum Tracks<'a> {
    /// All tracks of the input of this name, in its order.
    Input(&'a str),
    /// What a node makes.
    Node {
        /// Its id.
        id: &'a str,
        /// What it does.
        op: &'a Op,
        /// What its inputs get, in the order of their wires.
        of: Vec<Tracks<'a>>,
    },
}

impl<'a> Layout<'a> {
    /// Name of the input whose tags, chapters and attachments the result keeps: the first that is
    /// shown, or else heard.
    pub fn main_input(&self) -> &'a str {
        let shown = self.pictures.first().map(|line| line.input);
        let heard = || self.sound.as_ref().and_then(Tracks::first_input);
        shown.or_else(heard).unwrap_or(SourceParams::MAIN)
    }

    /// Names of all inputs, the main one first.
    pub fn inputs(&self) -> Vec<&'a str> {
        let mut names = vec![self.main_input()];
        let mut add = |name: &'a str| {
            if !names.contains(&name) {
                names.push(name);
            }
        };
        for line in &self.pictures {
            line.visit_inputs(&mut add);
        }
        if let Some(sound) = &self.sound {
            sound.visit_inputs(&mut add);
        }
        let captions = self.subtitles.iter().flatten();
        captions.for_each(|captions| add(captions.input));
        names
    }
}

impl<'a> Line<'a> {
    /// Operations with the ids of their nodes, in order.
    pub fn ops(&self) -> Vec<(&'a str, &'a Op)> {
        self.steps.iter().map(|step| (step.id, step.op)).collect()
    }

    fn visit_inputs(&self, add: &mut impl FnMut(&'a str)) {
        add(self.input);
        for side in self.steps.iter().filter_map(|step| step.side.as_ref()) {
            side.visit_inputs(add);
        }
    }
}

impl<'a> Tracks<'a> {
    /// The first input whose sound leads here.
    fn first_input(&self) -> Option<&'a str> {
        match self {
            Tracks::Input(name) => Some(name),
            Tracks::Node { of, .. } => of.iter().find_map(Tracks::first_input),
        }
    }

    fn visit_inputs(&self, add: &mut impl FnMut(&'a str)) {
        match self {
            Tracks::Input(name) => add(name),
            Tracks::Node { of, .. } => of.iter().for_each(|tracks| tracks.visit_inputs(add)),
        }
    }
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

/// The checked wires: what leads into each input, in the order of the document.
struct Wires<'a> {
    ops: BTreeMap<&'a str, &'a Op>,
    into: BTreeMap<(&'a str, &'static str), Vec<(&'a str, &'static str)>>,
    /// Nodes that were reached.
    reached: BTreeSet<&'a str>,
    /// Steps that were laid out.
    steps: usize,
}

impl Graph {
    /// What has to be done.
    ///
    /// # Errors
    /// The first [`GraphError`] found: version, ids, wires, ports, circles, loose ends.
    pub fn layout(&self) -> Result<Layout<'_>, GraphError> {
        let ops = self.checked_nodes()?;
        self.check_circles()?;
        let sinks: Vec<&str> = self
            .nodes
            .iter()
            .filter(|n| matches!(n.op, Op::Sink))
            .map(|n| n.id.as_str())
            .collect();
        let [sink] = sinks[..] else {
            return Err(GraphError::Sinks { count: sinks.len() });
        };
        let mut wires = Wires {
            into: self.checked_wires(&ops)?,
            ops,
            reached: BTreeSet::from([sink]),
            steps: 0,
        };
        let mut pictures = Vec::new();
        for from in wires.leading_to(sink, "video") {
            pictures.extend(wires.pictures(from)?);
        }
        let mut sound_ends = super::MuxEnd::default();
        let mut sound = None;
        for from in wires.leading_to(sink, "audio") {
            sound = Some(wires.sound(from, &mut sound_ends)?);
        }
        let mut subtitles = None;
        for from in wires.leading_to(sink, "subtitles") {
            subtitles = Some(wires.subtitles(from, &mut sound_ends)?);
        }
        // Subtitles alone are no result.
        if pictures.is_empty() && sound.is_none() {
            return Err(GraphError::Unconnected {
                id: sink.to_owned(),
                direction: "input",
                port: "video",
            });
        }
        let loose: Vec<&str> = wires
            .ops
            .keys()
            .copied()
            .filter(|id| !wires.reached.contains(id))
            .collect();
        if !loose.is_empty() {
            return Err(GraphError::OffPath {
                ids: loose.join(", "),
            });
        }
        Ok(Layout {
            pictures,
            sound,
            subtitles,
            sound_ends,
        })
    }

    /// Version, sizes and ids.
    fn checked_nodes(&self) -> Result<BTreeMap<&str, &Op>, GraphError> {
        if self.version > GRAPH_VERSION || self.version == 0 {
            return Err(GraphError::Version {
                found: self.version,
            });
        }
        for (what, count, limit) in [
            ("nodes", self.nodes.len(), MAX_NODES),
            ("edges", self.edges.len(), MAX_EDGES),
        ] {
            if count > limit {
                return Err(GraphError::Document {
                    reason: format!("it has {count} {what}; {limit} are the limit"),
                });
            }
        }
        let mut ops = BTreeMap::new();
        for node in &self.nodes {
            if ops.insert(node.id.as_str(), &node.op).is_some() {
                return Err(GraphError::DuplicateId {
                    id: node.id.clone(),
                });
            }
        }
        Ok(ops)
    }

    /// Every wire and every port.
    #[expect(
        clippy::type_complexity,
        reason = "input and the outputs that lead to it"
    )]
    fn checked_wires<'a>(
        &'a self,
        ops: &BTreeMap<&'a str, &'a Op>,
    ) -> Result<BTreeMap<(&'a str, &'static str), Vec<(&'a str, &'static str)>>, GraphError> {
        let mut into: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut left = BTreeSet::new();
        for edge in &self.edges {
            let Edge {
                from,
                from_port,
                to,
                to_port,
            } = edge;
            let op = |id: &str| {
                ops.get(id)
                    .copied()
                    .ok_or_else(|| GraphError::UnknownNode { id: id.to_owned() })
            };
            let out = find_port(from, op(from)?.outputs(), from_port.as_deref(), "output")?;
            let input = find_port(to, op(to)?.inputs(), to_port.as_deref(), "input")?;
            if out.kind != input.kind {
                return Err(GraphError::Mismatch {
                    from: format!("{from}.{}", out.name),
                    gives: out.kind,
                    to: format!("{to}.{}", input.name),
                    takes: input.kind,
                });
            }
            let entered = into.entry((to.as_str(), input.name)).or_default();
            if !input.many && !entered.is_empty() {
                return Err(GraphError::Crowded {
                    id: to.clone(),
                    port: input.name,
                });
            }
            entered.push((from.as_str(), out.name));
            left.insert((from.as_str(), out.name));
        }
        for node in &self.nodes {
            let id = node.id.as_str();
            let open = |direction, port: &Port| GraphError::Unconnected {
                id: id.to_owned(),
                direction,
                port: port.name,
            };
            let outputs = node.op.outputs();
            let used = |port: &&Port| left.contains(&(id, port.name));
            if let Some(port) = outputs.iter().find(|port| !port.optional && !used(port)) {
                return Err(open("output", port));
            }
            if let Some(first) = outputs.first()
                && !outputs.iter().any(|port| used(&port))
            {
                return Err(open("output", first));
            }
            let inputs = node.op.inputs();
            let fed = |port: &&Port| into.contains_key(&(id, port.name));
            if let Some(port) = inputs.iter().find(|port| !port.optional && !fed(port)) {
                return Err(open("input", port));
            }
            if let Some(first) = inputs.first()
                && !inputs.iter().any(|port| fed(&port))
            {
                return Err(open("input", first));
            }
        }
        Ok(into)
    }

    /// The operations that the pictures of the first clip go through, source and sink included.
    ///
    /// # Errors
    /// As [`Graph::layout`].
    pub fn ordered_ops(&self) -> Result<Vec<(&str, &Op)>, GraphError> {
        let layout = self.layout()?;
        let end = |is_it: fn(&Op) -> bool, id: Option<&str>| {
            self.nodes
                .iter()
                .find(|node| is_it(&node.op) && id.is_none_or(|id| node.id == id))
                .map(|node| (node.id.as_str(), &node.op))
        };
        let first = layout.pictures.first();
        Ok(
            end(|op| matches!(op, Op::Source(_)), first.map(|l| l.source))
                .into_iter()
                .chain(first.map(Line::ops).unwrap_or_default())
                .chain(end(|op| matches!(op, Op::Sink), None))
                .collect(),
        )
    }
}

impl<'a> Wires<'a> {
    fn leading_to(&self, id: &'a str, port: &'static str) -> Vec<(&'a str, &'static str)> {
        self.into.get(&(id, port)).cloned().unwrap_or_default()
    }

    /// Steps on a node.
    fn enter(&mut self, id: &'a str) -> Result<&'a Op, GraphError> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(GraphError::TooManySteps);
        }
        self.reached.insert(id);
        Ok(self.ops[id])
    }

    /// The clips that come out of an output for pictures.
    fn pictures(&mut self, (id, _): (&'a str, &'static str)) -> Result<Vec<Line<'a>>, GraphError> {
        let op = self.enter(id)?;
        let lines = match op {
            Op::Source(params) => vec![Line {
                source: id,
                input: params.name(),
                steps: Vec::new(),
            }],
            _ => {
                let mut lines = Vec::new();
                for from in self.leading_to(id, "in") {
                    lines.extend(self.pictures(from)?);
                }
                let refuse = |reason: &str| GraphError::Node {
                    id: id.to_owned(),
                    reason: reason.to_owned(),
                };
                let mut side = None;
                let others = [
                    ("over", "laid over others"),
                    ("behind", "put behind others"),
                ];
                for (port, used) in others {
                    for from in self.leading_to(id, port) {
                        let mut pictures = self.pictures(from)?;
                        if pictures.len() != 1 {
                            return Err(refuse(&format!(
                                "clips that are joined by `concat` cannot be {used}; join them \
                                 in a graph of its own first"
                            )));
                        }
                        side = pictures.pop();
                    }
                }
                if let Op::Background(params) = op {
                    match (params.mode == BackgroundMode::Picture, side.is_some()) {
                        (true, false) => {
                            return Err(refuse(
                                "nothing leads to its input `behind`; connect the picture or the \
                                 clip there, or choose another mode than `picture`",
                            ));
                        }
                        (false, true) => {
                            return Err(refuse(
                                "it shows what leads to its input `behind` with the mode \
                                 `picture` only; choose that, or remove the wire",
                            ));
                        }
                        _ => {}
                    }
                }
                for line in &mut lines {
                    line.steps.push(Step {
                        id,
                        op,
                        side: side.clone(),
                    });
                }
                self.steps += lines.len();
                lines
            }
        };
        Ok(lines)
    }

    fn sound(
        &mut self,
        (id, _): (&'a str, &'static str),
        ends: &mut super::MuxEnd,
    ) -> Result<Tracks<'a>, GraphError> {
        let op = self.enter(id)?;
        let tracks = match op {
            Op::Source(params) => Tracks::Input(params.name()),
            _ => {
                if let Op::Mux(params) = op {
                    *ends = params.ends;
                }
                let port = op.inputs().iter().find(|p| p.kind == PortKind::Sound);
                let mut of = Vec::new();
                for from in port.map_or_else(Vec::new, |port| self.leading_to(id, port.name)) {
                    of.push(self.sound(from, ends)?);
                }
                Tracks::Node { id, op, of }
            }
        };
        Ok(tracks)
    }

    fn subtitles(
        &mut self,
        (id, _): (&'a str, &'static str),
        ends: &mut super::MuxEnd,
    ) -> Result<Vec<Captions<'a>>, GraphError> {
        let op = self.enter(id)?;
        let mut list = Vec::new();
        match op {
            Op::Source(params) => list.push(Captions {
                input: params.name(),
                written: None,
            }),
            Op::SubtitleTrack(params) => {
                for from in self.leading_to(id, "in") {
                    let Op::Source(source) = self.enter(from.0)? else {
                        return Err(GraphError::Node {
                            id: id.to_owned(),
                            reason:
                                "it comes right after a source; lead the wire of its file to it"
                                    .to_owned(),
                        });
                    };
                    list.push(Captions {
                        input: source.name(),
                        written: Some((id, params)),
                    });
                }
            }
            _ => {
                if let Op::Mux(params) = op {
                    *ends = params.ends;
                }
                for from in self.leading_to(id, "subtitles") {
                    list.extend(self.subtitles(from, ends)?);
                }
            }
        }
        Ok(list)
    }
}
