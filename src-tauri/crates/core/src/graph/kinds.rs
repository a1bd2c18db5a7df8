//! The operations as a list that a canvas can offer: ports and parameters of each.

use super::{Port, PortKind, inputs_of, outputs_of, shape};
use serde::Serialize;
use ts_rs::TS;

/// An operation that a node can have.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct NodeKind {
    /// Its name in a document.
    pub op: String,
    /// What it does, in English.
    pub about: String,
    /// Inputs; the first is the one that an edge without a name means.
    pub inputs: Vec<PortShape>,
    /// Outputs; the first is the one that an edge without a name means.
    pub outputs: Vec<PortShape>,
    /// JSON Schema (draft 2020-12) of its parameters. Beyond the standard's words: `x-unit`, and
    /// `x-editor` where the type alone does not say how a person gives a value.
    #[ts(type = "Record<string, unknown>")]
    pub params: serde_json::Value,
}

/// An end of a node that a wire can be put on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct PortShape {
    /// Its name in the document.
    pub name: String,
    /// What flows through it.
    pub kind: PortKind,
    /// It may be left without a wire.
    pub optional: bool,
    /// An input that takes several wires.
    pub many: bool,
}

impl From<&Port> for PortShape {
    fn from(port: &Port) -> Self {
        Self {
            name: port.name.to_owned(),
            kind: port.kind,
            optional: port.optional,
            many: port.many,
        }
    }
}

/// Every operation there is, in the order of the schema.
pub fn kinds() -> Vec<NodeKind> {
    let ports = |ports: &[Port]| ports.iter().map(PortShape::from).collect();
    shape::ops()
        .map(|shape| NodeKind {
            op: shape.name.to_owned(),
            about: shape.about.to_owned(),
            inputs: ports(inputs_of(shape.name)),
            outputs: ports(outputs_of(shape.name)),
            params: shape.schema(),
        })
        .collect()
}
