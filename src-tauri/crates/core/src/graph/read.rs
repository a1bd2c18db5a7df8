//! From JSON to a graph: strict, by name, and from older versions too.

use super::shape::{self, shortened};
use super::{Edge, GRAPH_VERSION, Graph, GraphError, MAX_EDGES, MAX_ID, MAX_NODES, Node, Op};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Largest document in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 4 << 20;

impl Graph {
    /// Reads a graph document.
    ///
    /// # Errors
    /// The first [`GraphError`] found, which names the place and the remedy. Structure is checked
    /// by [`Graph::ordered_ops`].
    pub fn parse(json: &str) -> Result<Self, GraphError> {
        if json.len() > MAX_DOCUMENT_BYTES {
            return Err(GraphError::Document {
                reason: format!(
                    "it has {} bytes; {MAX_DOCUMENT_BYTES} are the limit",
                    json.len()
                ),
            });
        }
        // Editors on Windows like to begin a text with a mark of its encoding.
        let json = json.strip_prefix('\u{feff}').unwrap_or(json);
        let Unambiguous(value) = serde_json::from_str(json).map_err(|error| {
            wrong(match error.is_data() {
                true => error.to_string(),
                false => format!("it is not JSON: {error}"),
            })
        })?;
        Self::try_from(value)
    }
}

/// A JSON document whose objects name no key twice: which one counts would be anybody's guess.
struct Unambiguous(Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Unambiguous(Value::Null)).map(Self)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Unambiguous(value)) = from.next_element()? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Unambiguous(value))) = from.next_entry::<String, Unambiguous>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!(
                    "the key `{}` is given twice; leave one of them",
                    shortened(&key)
                )));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

impl TryFrom<Value> for Graph {
    type Error = GraphError;

    fn try_from(value: Value) -> Result<Self, GraphError> {
        let mut document = object(value, "a graph")?;
        let version = document
            .remove("version")
            .as_ref()
            .and_then(Value::as_u64)
            .ok_or_else(|| wrong("it needs a `version`, which is a whole number"))?;
        match u32::try_from(version) {
            Ok(found @ 1..=GRAPH_VERSION) => migrate(&mut document, found),
            found => {
                return Err(GraphError::Version {
                    found: found.unwrap_or(u32::MAX),
                });
            }
        }
        let nodes = list(&mut document, "nodes", MAX_NODES)?;
        let edges = list(&mut document, "edges", MAX_EDGES)?;
        if let Some(key) = document.keys().next() {
            return Err(wrong(format!(
                "there is no field `{}`; a graph has `version`, `nodes` and `edges`",
                shortened(key)
            )));
        }
        Ok(Graph {
            version: GRAPH_VERSION,
            nodes: nodes.into_iter().map(node).collect::<Result<_, _>>()?,
            edges: edges.into_iter().map(edge).collect::<Result<_, _>>()?,
        })
    }
}

/// Brings the fields of an older version to the newest. Version 1 had no named ports: an edge
/// without them means the first port of either node, so nothing has to be moved.
fn migrate(_document: &mut Map<String, Value>, _found: u32) {}

fn wrong(reason: impl Into<String>) -> GraphError {
    GraphError::Document {
        reason: reason.into(),
    }
}

fn object(value: Value, what: &str) -> Result<Map<String, Value>, GraphError> {
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(wrong(format!("{what} must be a JSON object"))),
    }
}

fn list(
    document: &mut Map<String, Value>,
    key: &'static str,
    limit: usize,
) -> Result<Vec<Value>, GraphError> {
    match document.remove(key) {
        Some(Value::Array(list)) if list.len() <= limit => Ok(list),
        Some(Value::Array(list)) => Err(wrong(format!(
            "it has {} {key}; {limit} are the limit",
            list.len()
        ))),
        _ => Err(wrong(format!("it needs a list `{key}`"))),
    }
}

/// A name in a document: short and without signs that would break a message.
fn id(value: Option<Value>, what: &str) -> Result<String, GraphError> {
    match value {
        Some(Value::String(id))
            if !id.is_empty() && id.len() <= MAX_ID && !id.chars().any(char::is_control) =>
        {
            Ok(id)
        }
        _ => Err(wrong(format!(
            "{what} must be a text of 1 to {MAX_ID} bytes"
        ))),
    }
}

pub(super) fn node(value: Value) -> Result<Node, GraphError> {
    let mut fields = object(value, "a node")?;
    let id = id(fields.remove("id"), "the `id` of a node")?;
    let at = |reason: String| GraphError::Node {
        id: id.clone(),
        reason,
    };
    let Some(Value::String(op)) = fields.remove("op") else {
        return Err(at("it needs an `op`, which says what it does".into()));
    };
    let shape = shape::find(&op).ok_or_else(|| {
        let known: Vec<&str> = shape::ops().map(|shape| shape.name).collect();
        at(format!(
            "there is no operation `{}`; there are {}",
            shortened(&op),
            known.join(", ")
        ))
    })?;
    let params = match fields.remove("params") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(params)) => params,
        Some(_) => return Err(at("`params` must be a JSON object".into())),
    };
    if let Some(key) = fields.keys().next() {
        return Err(at(format!(
            "there is no field `{}`; a node has `id`, `op` and `params`",
            shortened(key)
        )));
    }
    shape.check(&params).map_err(at)?;
    let mut tagged = Map::new();
    tagged.insert("op".into(), op.into());
    if !shape.params.is_empty() {
        tagged.insert("params".into(), Value::Object(params));
    }
    let op: Op = serde_json::from_value(Value::Object(tagged))
        .map_err(|error| at(format!("its parameters cannot be read: {error}")))?;
    if let Op::Text(text) = &op
        && text.text.is_some() == text.file.is_some()
    {
        return Err(at("it needs either `text` or `file`".into()));
    }
    if let Op::Interpolate(params) = &op
        && params.rate.is_some()
        && params.times.is_some()
    {
        return Err(at("it takes either `rate` or `times`, not both".into()));
    }
    Ok(Node { id, op })
}

pub(super) fn edge(value: Value) -> Result<Edge, GraphError> {
    let mut fields = object(value, "an edge")?;
    let port = |value: Option<Value>| match value {
        None | Some(Value::Null) => Ok(None),
        some => id(some, "the port of an edge").map(Some),
    };
    let edge = Edge {
        from: id(fields.remove("from"), "`from` of an edge")?,
        from_port: port(fields.remove("from_port"))?,
        to: id(fields.remove("to"), "`to` of an edge")?,
        to_port: port(fields.remove("to_port"))?,
    };
    match fields.keys().next() {
        Some(key) => Err(wrong(format!(
            "there is no field `{}` in an edge; it has `from`, `from_port`, `to` and `to_port`",
            shortened(key)
        ))),
        None => Ok(edge),
    }
}
