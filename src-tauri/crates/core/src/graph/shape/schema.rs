//! The JSON Schema that is written from the table.

use super::{Kind, MAX_AREAS_TEXT, MAX_TEXT, OpShape, ops};
use crate::graph::{GRAPH_VERSION, MAX_EDGES, MAX_ID, MAX_KEPT_TEXT, MAX_NODES, MAX_PATHS_TEXT};
use serde_json::{Map, Value, json};

impl OpShape {
    /// The JSON Schema of the parameters. Beyond the words of the standard: `x-order`, `x-unit`,
    /// and `x-editor` where the type alone does not say how a person gives a value.
    pub(in crate::graph) fn schema(&self) -> Value {
        let properties: Map<String, Value> = self
            .params
            .iter()
            .enumerate()
            .map(|(position, param)| {
                let mut schema = param.kind.schema();
                schema["description"] = param.about.into();
                // The properties of a JSON object have no order, and those of a form do.
                schema["x-order"] = position.into();
                if let Some(unit) = param.unit {
                    schema["x-unit"] = unit.into();
                }
                if let Some(value) = param
                    .default
                    .and_then(|json| serde_json::from_str(json).ok())
                {
                    schema["default"] = value;
                }
                (param.name.to_owned(), schema)
            })
            .collect();
        json!({
            "type": "object",
            "properties": properties,
            "required": self.needed(),
            "additionalProperties": false
        })
    }
}

impl Kind {
    fn schema(self) -> Value {
        match self {
            Kind::Int { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Kind::Signed { min, max } => {
                json!({ "type": "integer", "minimum": min, "maximum": max })
            }
            Kind::Number { min, max } => {
                json!({ "type": "number", "minimum": min, "maximum": max })
            }
            Kind::Choice(words) => json!({ "enum": words }),
            Kind::OneOf(numbers) => json!({ "enum": numbers }),
            Kind::Text => json!({ "type": "string", "minLength": 1, "maxLength": MAX_TEXT }),
            Kind::Lines => json!({
                "type": "string", "minLength": 1, "maxLength": MAX_TEXT, "x-editor": "lines"
            }),
            Kind::Areas | Kind::Keys => json!({
                "type": "string", "minLength": 1, "maxLength": MAX_AREAS_TEXT, "x-editor": "lines"
            }),
            Kind::Paths => json!({
                "type": "string", "minLength": 1, "maxLength": MAX_PATHS_TEXT, "x-editor": "lines"
            }),
            Kind::File(extensions) => json!({
                "type": "string", "minLength": 1, "maxLength": MAX_TEXT,
                "x-editor": "file", "x-extensions": extensions
            }),
            Kind::Model => json!({
                "type": "string", "minLength": 1, "maxLength": MAX_TEXT, "x-editor": "model"
            }),
            Kind::Stretches => json!({
                "type": "string", "minLength": 2, "maxLength": MAX_KEPT_TEXT, "x-editor": "lines"
            }),
            Kind::Color => json!({
                "type": "string", "pattern": "^#[0-9a-fA-F]{6}$", "x-editor": "color"
            }),
            Kind::Fraction { min, max } => json!({
                "type": "object",
                "x-editor": "fraction",
                "x-minimum": min,
                "x-maximum": max,
                "properties": {
                    "num": { "type": "integer", "minimum": 0, "maximum": i32::MAX },
                    "den": { "type": "integer", "minimum": 1, "maximum": i32::MAX }
                },
                "required": ["num", "den"],
                "additionalProperties": false
            }),
            Kind::PixelFormat => json!({
                "type": "object",
                "x-editor": "pixel_format",
                "properties": {
                    "planes": { "oneOf": [
                        { "enum": ["gray", "gbr"] },
                        { "type": "object",
                          "properties": { "yuv": {
                              "type": "object",
                              "properties": {
                                  "shift_x": { "type": "integer", "minimum": 0, "maximum": 1 },
                                  "shift_y": { "type": "integer", "minimum": 0, "maximum": 1 }
                              },
                              "required": ["shift_x", "shift_y"] } },
                          "required": ["yuv"] }
                    ] },
                    "bits": { "type": "integer", "minimum": 8, "maximum": 16 },
                    "alpha": { "type": "boolean" }
                },
                "required": ["planes", "bits", "alpha"]
            }),
        }
    }
}

/// The JSON Schema (draft 2020-12) of a graph document of the newest version.
pub fn schema() -> Value {
    let nodes: Vec<Value> = ops()
        .map(|shape| {
            let needed = shape.needed();
            let mut required = vec!["id", "op"];
            if !needed.is_empty() {
                required.push("params");
            }
            json!({
                "type": "object",
                "description": shape.about,
                "properties": {
                    "id": { "$ref": "#/$defs/id" },
                    "op": { "const": shape.name },
                    "params": shape.schema()
                },
                "required": required,
                "additionalProperties": false
            })
        })
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Frameloom graph",
        "type": "object",
        "properties": {
            "version": { "const": GRAPH_VERSION },
            "nodes": {
                "type": "array",
                "minItems": 2,
                "maxItems": MAX_NODES,
                "items": { "oneOf": nodes }
            },
            "edges": {
                "type": "array",
                "maxItems": MAX_EDGES,
                "items": {
                    "type": "object",
                    "properties": {
                        "from": { "$ref": "#/$defs/id" },
                        "from_port": { "type": "string", "description": "The first port if left out." },
                        "to": { "$ref": "#/$defs/id" },
                        "to_port": { "type": "string", "description": "The first port if left out." }
                    },
                    "required": ["from", "to"],
                    "additionalProperties": false
                }
            }
        },
        "required": ["version", "nodes", "edges"],
        "additionalProperties": false,
        "$defs": {
            "id": { "type": "string", "minLength": 1, "maxLength": MAX_ID }
        }
    })
}
