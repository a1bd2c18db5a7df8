//! Pictures doubled by way of lists, as exporters for runtimes without `Upsample` wrote it: every
//! sample is put beside itself, then every row below itself, and sizes are named in between.
//!
//! `Reshape [-1, 1]`, `Concat` of that with itself, `Reshape [-1, w]`, `Concat`, `Reshape [-1, c, h, w]`
//! become one operator that doubles pictures of any size.

use super::{BYTES, Field, each, put_bytes, put_varint};
use std::collections::{BTreeMap, BTreeSet};

const NODE_INPUT: u64 = 1;
const NODE_OUTPUT: u64 = 2;
const NODE_OPERATOR: u64 = 4;
const NODE_ATTRIBUTE: u64 = 5;
const ATTRIBUTE_TENSOR: u64 = 5;
const TENSOR_DIMS: u64 = 1;
const TENSOR_TYPE: u64 = 2;
const TENSOR_NAME: u64 = 8;
const TENSOR_RAW: u64 = 9;
const MODEL_OPSET: u64 = 8;
const OPSET_DOMAIN: u64 = 1;
const OPSET_VERSION: u64 = 2;
pub(super) const GRAPH_NODE: u64 = 1;
pub(super) const GRAPH_INITIALIZER: u64 = 5;
/// Name of the factors; none that an exporter gives.
const FACTORS: &str = "frameloom.doubled";

/// An operator of a graph.
#[derive(Default)]
struct Node<'a> {
    operator: &'a [u8],
    inputs: Vec<&'a [u8]>,
    outputs: Vec<&'a [u8]>,
    /// The whole numbers of a constant.
    numbers: Vec<i64>,
}

/// What becomes of the operators of a graph, by their places.
#[derive(Default)]
pub(super) struct Doubled {
    /// They go.
    pub gone: BTreeSet<usize>,
    /// They become this instead.
    pub instead: BTreeMap<usize, Vec<u8>>,
}

impl Doubled {
    /// Of a graph in a model of this version of the operators; nothing where none doubles so.
    pub(super) fn of(graph: &[u8], opset: u64) -> Option<Self> {
        let mut nodes = Vec::new();
        each(graph, |field| {
            if field.number == GRAPH_NODE {
                nodes.push(node(field.payload)?);
            }
            Some(())
        })?;
        let mut made: BTreeMap<&[u8], usize> = BTreeMap::new();
        let mut uses: BTreeMap<&[u8], usize> = BTreeMap::new();
        for (at, node) in nodes.iter().enumerate() {
            made.extend(node.outputs.iter().map(|name| (*name, at)));
            let names: BTreeSet<&[u8]> = node.inputs.iter().copied().collect();
            for name in names {
                *uses.entry(name).or_default() += 1;
            }
        }
        let numbers = |name: &[u8]| made.get(name).map(|at| &nodes[*at].numbers[..]);
        // The operator of this kind that made a value which nobody else uses.
        let before = |name: &[u8], operator: &[u8]| {
            let at = *made.get(name)?;
            let fits = nodes[at].operator == operator && uses.get(name) == Some(&1);
            fits.then_some(at)
        };
        let twice = |at: usize| match nodes[at].inputs[..] {
            [one, other] if one == other => Some(one),
            _ => None,
        };
        let mut found = Self::default();
        for (at, last) in nodes.iter().enumerate() {
            let matched = || {
                let [rows, shape] = last.inputs[..] else {
                    return None;
                };
                let &[-1, _, _, wide] = numbers(shape)? else {
                    return None;
                };
                let second = before(rows, b"Concat")?;
                let lines = before(twice(second)?, b"Reshape")?;
                let [samples, shape] = nodes[lines].inputs[..] else {
                    return None;
                };
                (numbers(shape)? == [-1, wide]).then_some(())?;
                let first = before(samples, b"Concat")?;
                let list = before(twice(first)?, b"Reshape")?;
                let [picture, shape] = nodes[list].inputs[..] else {
                    return None;
                };
                (numbers(shape)? == [-1, 1]).then_some(())?;
                Some((picture, [list, first, lines, second]))
            };
            if last.operator != b"Reshape" {
                continue;
            }
            if let (Some((picture, gone)), [output]) = (matched(), &last.outputs[..]) {
                found.gone.extend(gone);
                found.instead.insert(at, doubling(picture, output, opset));
            }
        }
        (!found.instead.is_empty()).then_some(found)
    }
}

/// The version of the operators of the standard.
pub(super) fn opset(model: &[u8]) -> Option<u64> {
    let mut found = None;
    each(model, |field| {
        if field.number == MODEL_OPSET {
            let (mut is_standard, mut version) = (true, None);
            each(field.payload, |field| {
                match field.number {
                    OPSET_DOMAIN => {
                        is_standard = field.payload.is_empty() || field.payload == b"ai.onnx"
                    }
                    OPSET_VERSION => version = Some(field.value),
                    _ => {}
                }
                Some(())
            })?;
            if is_standard {
                found = version;
            }
        }
        Some(())
    })?;
    found
}

/// The factors that every doubling has.
pub(super) fn factors() -> Vec<u8> {
    let mut tensor = Vec::new();
    put_varint(TENSOR_DIMS << 3, &mut tensor);
    put_varint(4, &mut tensor);
    put_varint(TENSOR_TYPE << 3, &mut tensor);
    // 32-bit floats.
    put_varint(1, &mut tensor);
    put_bytes(TENSOR_NAME, FACTORS.as_bytes(), &mut tensor);
    let raw: Vec<u8> = [1.0f32, 1.0, 2.0, 2.0]
        .into_iter()
        .flat_map(f32::to_le_bytes)
        .collect();
    put_bytes(TENSOR_RAW, &raw, &mut tensor);
    tensor
}

/// An operator that doubles a picture by repeating its samples.
fn doubling(picture: &[u8], output: &[u8], opset: u64) -> Vec<u8> {
    let mut node = Vec::new();
    put_bytes(NODE_INPUT, picture, &mut node);
    if opset > 10 {
        // The region, for the ways of resizing that cut.
        put_bytes(NODE_INPUT, b"", &mut node);
    }
    put_bytes(NODE_INPUT, FACTORS.as_bytes(), &mut node);
    put_bytes(NODE_OUTPUT, output, &mut node);
    let operator: &[u8] = if opset > 9 { b"Resize" } else { b"Upsample" };
    put_bytes(NODE_OPERATOR, operator, &mut node);
    node
}

fn node(bytes: &[u8]) -> Option<Node<'_>> {
    let mut node = Node::default();
    each(bytes, |field: Field<'_>| {
        match field.number {
            NODE_INPUT => node.inputs.push(field.payload),
            NODE_OUTPUT => node.outputs.push(field.payload),
            NODE_OPERATOR => node.operator = field.payload,
            NODE_ATTRIBUTE => each(field.payload, |field| {
                if field.wire == BYTES && field.number == ATTRIBUTE_TENSOR {
                    each(field.payload, |field| {
                        if field.number == TENSOR_RAW && field.payload.len() <= 64 {
                            let numbers = field.payload.as_chunks::<8>().0.iter();
                            node.numbers = numbers.map(|v| i64::from_le_bytes(*v)).collect();
                        }
                        Some(())
                    })?;
                }
                Some(())
            })?,
            _ => {}
        }
        Some(())
    })?;
    Some(node)
}
