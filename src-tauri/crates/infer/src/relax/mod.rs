//! Graphs that name one size although their operators take any.
//!
//! Exporters write down the size of the picture that they were given. Where the manifest of a model
//! says that other sizes were tried and work, the names of the sizes are taken out of the graph
//! before it is loaded: out of the declarations of inputs and outputs (`ModelProto`, `GraphProto` and
//! `ValueInfoProto` of `onnx.proto`), and out of the one way of enlarging that names them
//! ([`doubled`]). Other operators, and weights, stay what they are.

mod doubled;

use doubled::{Doubled, GRAPH_INITIALIZER, GRAPH_NODE};
use frameloom_core::model::{Layout, ModelManifest};
use std::borrow::Cow;
use std::ops::Range;

/// Field numbers of `onnx.proto`.
const MODEL_GRAPH: u64 = 7;
const GRAPH_INPUT: u64 = 11;
const GRAPH_OUTPUT: u64 = 12;
/// Sizes of what is in between: hints that would be wrong for another size.
const GRAPH_VALUE_INFO: u64 = 13;
const VALUE_NAME: u64 = 1;
const VALUE_TYPE: u64 = 2;
const TYPE_TENSOR: u64 = 1;
const TENSOR_SHAPE: u64 = 2;
const SHAPE_DIM: u64 = 1;
/// Wire type of what has a length.
const BYTES: u64 = 2;

/// The weights of a model as they are loaded: with open sides where its manifest takes any.
pub(crate) fn loaded<'a>(manifest: &ModelManifest, weights: &'a [u8]) -> Cow<'a, [u8]> {
    if !manifest.task.sees_whole() || manifest.tile.only_size().is_some() {
        return Cow::Borrowed(weights);
    }
    let input = &manifest.input;
    match relaxed(weights, &input.name, input.layout) {
        Some(weights) => Cow::Owned(weights),
        None => Cow::Borrowed(weights),
    }
}

/// An ONNX file whose input `name` takes any width and height. `None` where it is no such file.
pub(crate) fn relaxed(weights: &[u8], name: &str, layout: Layout) -> Option<Vec<u8>> {
    let sides = match layout {
        Layout::Nchw => 2..4,
        Layout::Nhwc => 1..3,
    };
    let opset = doubled::opset(weights).unwrap_or(0);
    rewritten(weights, |field| match field.number {
        MODEL_GRAPH => {
            let doubled = match opset {
                // Older ones have the factors elsewhere.
                9.. => Doubled::of(field.payload, opset),
                _ => None,
            };
            let mut graph = opened_graph(field.payload, (name, &sides), doubled.as_ref())?;
            if doubled.is_some() {
                put_bytes(GRAPH_INITIALIZER, &doubled::factors(), &mut graph);
            }
            Some(Change::To(graph))
        }
        _ => Some(Change::Same),
    })
}

/// A graph whose input `name` takes any size on these dimensions.
fn opened_graph(
    graph: &[u8],
    (name, sides): (&str, &Range<usize>),
    doubled: Option<&Doubled>,
) -> Option<Vec<u8>> {
    let mut node = 0;
    rewritten(graph, |field| {
        Some(match field.number {
            GRAPH_NODE => {
                let at = node;
                node += 1;
                match doubled {
                    Some(doubled) if doubled.gone.contains(&at) => Change::Gone,
                    Some(doubled) => match doubled.instead.get(&at) {
                        Some(node) => Change::To(node.clone()),
                        None => Change::Same,
                    },
                    None => Change::Same,
                }
            }
            GRAPH_INPUT if is_called(field.payload, name) => {
                Change::To(opened(field.payload, &|at| sides.contains(&at))?)
            }
            GRAPH_OUTPUT => Change::To(opened(field.payload, &|_| true)?),
            GRAPH_VALUE_INFO => Change::Gone,
            _ => Change::Same,
        })
    })
}

/// A field of a message.
struct Field<'a> {
    number: u64,
    /// With its tag and its length.
    whole: &'a [u8],
    /// What is in it, where it has a length.
    payload: &'a [u8],
    /// The number that it is, where it is one.
    value: u64,
    wire: u64,
}

/// Looks at every field of a message; `None` where it is none, or `look` says so.
fn each<'a>(bytes: &'a [u8], mut look: impl FnMut(Field<'a>) -> Option<()>) -> Option<()> {
    let mut at = 0;
    while at < bytes.len() {
        look(field(bytes, &mut at)?)?;
    }
    Some(())
}

fn put_bytes(number: u64, payload: &[u8], out: &mut Vec<u8>) {
    put_varint(number << 3 | BYTES, out);
    put_varint(payload.len() as u64, out);
    out.extend_from_slice(payload);
}

enum Change {
    Same,
    Gone,
    To(Vec<u8>),
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The field at `at`, which moves behind it.
fn field<'a>(bytes: &'a [u8], at: &mut usize) -> Option<Field<'a>> {
    let start = *at;
    let tag = varint(bytes, at)?;
    let mut value = 0;
    let skipped = match tag & 7 {
        0 => {
            value = varint(bytes, at)?;
            0
        }
        1 => 8,
        BYTES => usize::try_from(varint(bytes, at)?).ok()?,
        5 => 4,
        _ => return None,
    };
    let end = at.checked_add(skipped)?;
    let payload = bytes.get(*at..end)?;
    *at = end;
    Some(Field {
        number: tag >> 3,
        whole: bytes.get(start..end)?,
        payload: if tag & 7 == BYTES { payload } else { &[] },
        value,
        wire: tag & 7,
    })
}

/// A message with some of its fields changed.
fn rewritten(
    bytes: &[u8],
    mut change: impl FnMut(&Field<'_>) -> Option<Change>,
) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let field = field(bytes, &mut at)?;
        match change(&field)? {
            Change::Same => out.extend_from_slice(field.whole),
            Change::Gone => {}
            Change::To(payload) => put_bytes(field.number, &payload, &mut out),
        }
    }
    Some(out)
}

fn is_called(value: &[u8], name: &str) -> bool {
    let mut at = 0;
    while let Some(field) = field(value, &mut at) {
        if field.number == VALUE_NAME {
            return field.payload == name.as_bytes();
        }
    }
    false
}

/// The declaration of a value with some of its dimensions left open.
fn opened(value: &[u8], opens: &dyn Fn(usize) -> bool) -> Option<Vec<u8>> {
    let mut at = 0;
    let mut dimension = |field: &Field<'_>| {
        if field.number != SHAPE_DIM {
            return Some(Change::Same);
        }
        at += 1;
        Some(match opens(at - 1) {
            true => Change::To(Vec::new()),
            false => Change::Same,
        })
    };
    rewritten(value, |field| match field.number {
        VALUE_TYPE => Some(Change::To(rewritten(field.payload, |field| {
            match field.number {
                TYPE_TENSOR => Some(Change::To(rewritten(field.payload, |field| {
                    match field.number {
                        TENSOR_SHAPE => Some(Change::To(rewritten(field.payload, &mut dimension)?)),
                        _ => Some(Change::Same),
                    }
                })?)),
                _ => Some(Change::Same),
            }
        })?)),
        _ => Some(Change::Same),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(number: u64, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_bytes(number, payload, &mut out);
        out
    }

    fn value(name: &str, dims: &[u64]) -> Vec<u8> {
        let dims = dims.iter().flat_map(|&dim| {
            let mut value = vec![8];
            put_varint(dim, &mut value);
            bytes(SHAPE_DIM, &value)
        });
        let shape: Vec<u8> = dims.collect();
        let tensor = [vec![8, 1], bytes(TENSOR_SHAPE, &shape)].concat();
        let kind = bytes(TYPE_TENSOR, &tensor);
        [bytes(VALUE_NAME, name.as_bytes()), bytes(VALUE_TYPE, &kind)].concat()
    }

    #[test]
    fn only_the_sides_of_the_input_and_of_outputs_are_opened() {
        let graph = |size: u64, more: &[u8]| {
            [
                bytes(1, b"a node"),
                bytes(GRAPH_INPUT, &value("x", &[1, 3, size, size])),
                bytes(GRAPH_INPUT, &value("weights", &[300, 3, 9, 9])),
                more.to_vec(),
                bytes(5, &[7; 300]),
            ]
            .concat()
        };
        let between = bytes(GRAPH_VALUE_INFO, &value("y", &[1, 8, 256, 256]));
        let file = [vec![8, 7], bytes(MODEL_GRAPH, &graph(256, &between))].concat();
        let found = relaxed(&file, "x", Layout::Nchw).unwrap();
        let mut at = 2;
        let model = field(&found, &mut at).unwrap();
        assert_eq!((model.number, at), (MODEL_GRAPH, found.len()));
        // The same whatever size stood there.
        let other = [vec![8, 7], bytes(MODEL_GRAPH, &graph(64, &[]))].concat();
        assert_eq!(relaxed(&other, "x", Layout::Nchw).unwrap(), found);
        let weights = bytes(GRAPH_INPUT, &value("weights", &[300, 3, 9, 9]));
        assert!(found.windows(weights.len()).any(|part| part == weights));
        // Of another name nothing changes but what lies between.
        let kept = relaxed(&other, "z", Layout::Nchw).unwrap();
        assert_eq!(kept, other);
    }

    #[test]
    fn what_is_no_message_is_left_alone() {
        for wrong in [
            &[0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f][..],
            &[0x3f],
            &[0xff; 12],
        ] {
            assert!(relaxed(wrong, "x", Layout::Nchw).is_none());
        }
    }
}
