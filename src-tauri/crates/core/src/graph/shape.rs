//! Every operation with its parameters and their limits, in one table: the strict reader checks
//! documents by it, and the JSON Schema is written from it.

use super::Anchor;
use serde_json::{Map, Value, json};

/// An operation in a document.
pub(super) struct OpShape {
    pub name: &'static str,
    pub about: &'static str,
    pub params: &'static [Param],
}

/// A parameter.
pub(super) struct Param {
    pub name: &'static str,
    pub about: &'static str,
    pub required: bool,
    pub kind: Kind,
    /// What a number counts, as `x-unit` of the schema names it.
    pub unit: Option<&'static str>,
    /// What holds where it is left out, as JSON; `None`: nothing, or what the source decides.
    pub default: Option<&'static str>,
}

impl Param {
    const fn unit(self, unit: &'static str) -> Param {
        Param {
            unit: Some(unit),
            ..self
        }
    }

    const fn or(self, json: &'static str) -> Param {
        Param {
            default: Some(json),
            ..self
        }
    }
}

/// What a parameter may be.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A whole number.
    Int { min: u64, max: u64 },
    /// A whole number that may be negative.
    Signed { min: i64, max: i64 },
    /// A number.
    Number { min: f64, max: f64 },
    /// One of some words.
    Choice(&'static [&'static str]),
    /// One of some whole numbers.
    OneOf(&'static [u64]),
    /// A text that is not empty.
    Text,
    /// A text that may have several lines.
    Lines,
    /// Absolute path of a file with one of these extensions.
    File(&'static [&'static str]),
    /// Id of a model.
    Model,
    /// `#rrggbb`.
    Color,
    /// A fraction `{"num": n, "den": d}` within limits, in whole numbers.
    Fraction { min: i64, max: i64 },
    /// A pixel format, as `core::pixel` has it.
    PixelFormat,
}

/// Longest text of a parameter, in bytes.
pub(super) const MAX_TEXT: usize = 4096;

const SIDE: Kind = Kind::Int {
    min: 1,
    max: 65_535,
};
const PLACE: Kind = Kind::Int {
    min: 0,
    max: 65_535,
};
/// Eleven days: no clip is longer.
const SECONDS: Kind = Kind::Fraction {
    min: 0,
    max: 1_000_000,
};

/// Pixels; a picture is not larger.
const OFFSET: Kind = Kind::Signed {
    min: -65_535,
    max: 65_535,
};
const PART: Kind = Kind::Number { min: 0.0, max: 1.0 };
const PERCENT: Kind = Kind::Number {
    min: 0.0,
    max: 50.0,
};

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Param {
    Param {
        name,
        about,
        required: true,
        kind,
        unit: None,
        default: None,
    }
}

const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Param {
    Param {
        name,
        about,
        required: false,
        kind,
        unit: None,
        default: None,
    }
}

/// The table.
pub(super) const OPS: &[OpShape] = &[
    OpShape {
        name: "source",
        about: "An input. Ports: `video`, `audio` and `subtitles`.",
        params: &[optional(
            "name",
            Kind::Text,
            "Name by which its file is given (`--in name=file`); `main` if left out.",
        )
        .or("\"main\"")],
    },
    OpShape {
        name: "sink",
        about: "The output. Ports: `video`, `audio` and `subtitles`; without a wire, sound and \
                subtitles of the first clip are copied as they are.",
        params: &[],
    },
    OpShape {
        name: "upscale",
        about: "Enlarge with a model, by the scale that the model has.",
        params: &[required("model", Kind::Model, "Model id.")],
    },
    OpShape {
        name: "onnx",
        about: "Run any model that makes a picture of a picture, from its file. How it wants to be \
                fed is found out of the graph and by trying it on a picture; `frameloom models \
                inspect FILE` shows it. Nobody says what it was made for, so its results are only \
                looked at for being blank.",
        params: &[
            required(
                "path",
                Kind::File(&["onnx"]),
                "Absolute path of the ONNX file.",
            ),
            optional(
                "scale",
                Kind::Int { min: 1, max: 8 },
                "Output size by input size; a file that does otherwise is refused.",
            )
            .unit("times"),
            optional(
                "layout",
                Kind::Choice(&["nchw", "nhwc"]),
                "Order of the dimensions of the input.",
            ),
            optional(
                "range",
                Kind::Choice(&["unit", "byte", "symmetric", "studio_255"]),
                "Black and white: 0 and 1, 0 and 255, -1 and 1, or 16/255 and 235/255.",
            ),
            optional(
                "color",
                Kind::Choice(&["luma", "rgb", "bgr"]),
                "What the channels mean; a file does not say whether red or blue comes first.",
            ),
            optional(
                "tile",
                Kind::Int { min: 32, max: 8192 },
                "Longest side of a tile in pixels, where the file takes any.",
            )
            .unit("px"),
        ],
    },
    OpShape {
        name: "resize",
        about: "Resize with a cubic kernel.",
        params: &[
            required("width", SIDE, "Width in pixels.").unit("px"),
            required("height", SIDE, "Height in pixels.").unit("px"),
        ],
    },
    OpShape {
        name: "crop",
        about: "Cut out a rectangle.",
        params: &[
            required("x", PLACE, "Left edge in pixels.").unit("px"),
            required("y", PLACE, "Upper edge in pixels.").unit("px"),
            required("width", SIDE, "Width in pixels.").unit("px"),
            required("height", SIDE, "Height in pixels.").unit("px"),
        ],
    },
    OpShape {
        name: "pad",
        about: "Put the picture on a larger ground.",
        params: &[
            required("width", SIDE, "Width of the result in pixels.").unit("px"),
            required("height", SIDE, "Height of the result in pixels.").unit("px"),
            required("x", PLACE, "Where the picture's left edge comes.").unit("px"),
            required("y", PLACE, "Where its upper edge comes.").unit("px"),
            optional(
                "color",
                Kind::Color,
                "Colour of the ground; black if left out.",
            )
            .or("\"#000000\""),
        ],
    },
    OpShape {
        name: "rotate",
        about: "Turn clockwise.",
        params: &[
            required("degrees", Kind::OneOf(&[90, 180, 270]), "90, 180 or 270.").unit("degrees"),
        ],
    },
    OpShape {
        name: "flip",
        about: "Mirror.",
        params: &[required(
            "axis",
            Kind::Choice(&["horizontal", "vertical"]),
            "What changes places: left and right, or top and bottom.",
        )],
    },
    OpShape {
        name: "convert",
        about: "Change the pixel format.",
        params: &[required("format", Kind::PixelFormat, "Wanted format.")],
    },
    OpShape {
        name: "deinterlace",
        about: "Make whole pictures of fields (bwdif).",
        params: &[
            optional(
                "rate",
                Kind::Choice(&["frame", "field"]),
                "One picture per frame (default) or per field.",
            )
            .or("\"frame\""),
            optional(
                "parity",
                Kind::Choice(&["auto", "top", "bottom"]),
                "Field that comes first; `auto` (default): as each frame says.",
            )
            .or("\"auto\""),
            optional(
                "frames",
                Kind::Choice(&["all", "flagged"]),
                "All frames (default), or those that say that they are interlaced.",
            )
            .or("\"all\""),
        ],
    },
    OpShape {
        name: "fps",
        about: "Show the clip at a constant frame rate by repeating and leaving out frames; new \
                frames in between need a model for interpolation.",
        params: &[required(
            "rate",
            Kind::Fraction { min: 1, max: 1_000 },
            "Frames per second.",
        )
        .unit("fps")],
    },
    OpShape {
        name: "trim",
        about: "Keep a stretch of the clip, with its sound and subtitles. Comes right after the \
                source.",
        params: &[
            optional("start", SECONDS, "Seconds from the first frame.").unit("seconds"),
            optional(
                "end",
                SECONDS,
                "Seconds from the first frame, not included.",
            )
            .unit("seconds"),
        ],
    },
    OpShape {
        name: "denoise",
        about: "Take noise out, with ffmpeg's filter or with a model.",
        params: &[
            optional(
                "sigma",
                Kind::Number {
                    min: 0.5,
                    max: 30.0,
                },
                "About the standard deviation of the noise in 8-bit steps; 4 if left out.",
            )
            .or("4.0"),
            optional(
                "model",
                Kind::Model,
                "Id of a model of scale 1 that does it instead.",
            ),
        ],
    },
    OpShape {
        name: "color",
        about: "Correct colours: exposure, then white balance, then a lookup table.",
        params: &[
            optional(
                "exposure",
                Kind::Number {
                    min: -10.0,
                    max: 10.0,
                },
                "Stops; 1 doubles the light.",
            )
            .unit("stops")
            .or("0.0"),
            optional(
                "temperature",
                Kind::Number {
                    min: 2_000.0,
                    max: 15_000.0,
                },
                "Kelvin of the light that the scene was lit by; white under it becomes neutral.",
            )
            .unit("kelvin"),
            optional(
                "tint",
                Kind::Number {
                    min: -100.0,
                    max: 100.0,
                },
                "From magenta to green.",
            )
            .or("0.0"),
            optional(
                "lut",
                Kind::File(&["cube"]),
                "Absolute path of a `.cube` file.",
            ),
        ],
    },
    OpShape {
        name: "overlay",
        about: "Lay the pictures of the port `over` over those of `in`: a watermark, a picture in \
                the picture. Transparency counts.",
        params: &[
            optional(
                "anchor",
                Kind::Choice(&Anchor::WORDS),
                "Where it lies; `top_left` if left out.",
            )
            .or("\"top_left\""),
            optional("x", OFFSET, "Pixels from the anchor, inwards.")
                .unit("px")
                .or("0"),
            optional("y", OFFSET, "Pixels from the anchor, inwards.")
                .unit("px")
                .or("0"),
            optional(
                "width",
                Kind::Number {
                    min: 0.01,
                    max: 1.0,
                },
                "Width as a part of the width below; its own if left out.",
            )
            .unit("part"),
            optional("opacity", PART, "0 to 1; 1 if left out.")
                .unit("part")
                .or("1.0"),
            optional("start", SECONDS, "Seconds from the first frame below.").unit("seconds"),
            optional("end", SECONDS, "Seconds from the first frame below.").unit("seconds"),
            optional(
                "after",
                Kind::Choice(&["hold", "hide", "repeat"]),
                "What follows a clip that ends earlier: its last picture (default), nothing, or it \
                 again.",
            )
            .or("\"hold\""),
        ],
    },
    OpShape {
        name: "text",
        about: "Write into the pictures: either `text`, or a subtitle `file` whose lines appear at \
                their times.",
        params: &[
            optional("text", Kind::Lines, "What is written."),
            optional(
                "file",
                Kind::File(&["ass", "ssa", "srt", "vtt"]),
                "Absolute path of an ASS, SRT or WebVTT file.",
            ),
            optional("font", Kind::Text, "Family of the font."),
            optional(
                "size",
                Kind::Number {
                    min: 0.5,
                    max: 50.0,
                },
                "Height of a line in percent of the picture's height; 5 if left out.",
            )
            .unit("percent")
            .or("5.0"),
            optional("color", Kind::Color, "White if left out.").or("\"#ffffff\""),
            optional("outline_color", Kind::Color, "Black if left out.").or("\"#000000\""),
            optional(
                "outline",
                PERCENT,
                "Width of the outline in percent of the size; 6 if left out.",
            )
            .unit("percent")
            .or("6.0"),
            optional(
                "anchor",
                Kind::Choice(&Anchor::WORDS),
                "Where it lies; `bottom` if left out.",
            )
            .or("\"bottom\""),
            optional(
                "margin",
                PERCENT,
                "Distance from the edges in percent of the picture's height; 4 if left out.",
            )
            .unit("percent")
            .or("4.0"),
            optional("opacity", PART, "0 to 1; 1 if left out.")
                .unit("part")
                .or("1.0"),
            optional("start", SECONDS, "Seconds from the first frame.").unit("seconds"),
            optional("end", SECONDS, "Seconds from the first frame.").unit("seconds"),
        ],
    },
    OpShape {
        name: "concat",
        about: "Show clips one after another. Ports: `in` and `audio` take several wires, in order; \
                `out` and `audio` give them. Other sizes are fitted into that of the first.",
        params: &[],
    },
    OpShape {
        name: "mux",
        about: "Bring tracks of several inputs into one file. Ports: `audio` and `subtitles`, which \
                take several wires, in order.",
        params: &[optional(
            "ends",
            Kind::Choice(&["pictures", "longest"]),
            "When tracks of other inputs end: with the pictures (default), or where they end \
             themselves.",
        )
        .or("\"pictures\"")],
    },
    OpShape {
        name: "loudness",
        about: "Bring sound to a loudness: measured first, then adjusted (EBU R128).",
        params: &[
            optional(
                "target",
                Kind::Number {
                    min: -70.0,
                    max: -5.0,
                },
                "Integrated loudness in LUFS: -23 (default) for broadcasting, -14 for most sites.",
            )
            .unit("lufs")
            .or("-23.0"),
            optional(
                "peak",
                Kind::Number {
                    min: -9.0,
                    max: 0.0,
                },
                "Highest true peak in dBTP; -1 if left out.",
            )
            .unit("dbtp")
            .or("-1.0"),
        ],
    },
    OpShape {
        name: "audio_denoise",
        about: "Take noise out of sound, with ffmpeg's filter or with a model for speech.",
        params: &[
            optional(
                "reduction",
                Kind::Number {
                    min: 0.01,
                    max: 97.0,
                },
                "By how many dB noise is lowered; 12 if left out.",
            )
            .unit("db")
            .or("12.0"),
            optional(
                "model",
                Kind::File(&["onnx"]),
                "Absolute path of an ONNX model for speech that does it instead.",
            ),
        ],
    },
    OpShape {
        name: "split_channels",
        about: "Make a track of each channel.",
        params: &[optional(
            "channels",
            Kind::Text,
            "Names with commas between them, such as FL,FR; all if left out.",
        )],
    },
];

pub(super) fn find(name: &str) -> Option<&'static OpShape> {
    OPS.iter().find(|shape| shape.name == name)
}

impl OpShape {
    /// Names of the parameters that cannot be left out.
    fn needed(&self) -> Vec<&'static str> {
        let needed = self.params.iter().filter(|p| p.required);
        needed.map(|p| p.name).collect()
    }

    /// The JSON Schema of the parameters. Beyond the words of the standard: `x-order`, `x-unit`,
    /// and `x-editor` where the type alone does not say how a person gives a value.
    pub(super) fn schema(&self) -> Value {
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

    fn knows(&self) -> String {
        if self.params.is_empty() {
            return "it takes none".to_owned();
        }
        let names: Vec<String> = self
            .params
            .iter()
            .map(|p| format!("`{}`", p.name))
            .collect();
        format!("it takes {}", names.join(", "))
    }

    /// Everything that is wrong with the parameters of a node: which, and what would be right.
    pub(super) fn faults(&self, params: &Map<String, Value>) -> Vec<ParamFault> {
        let mut faults = Vec::new();
        for (name, value) in params {
            let Some(param) = self.params.iter().find(|p| p.name == name) else {
                let reason = format!(
                    "there is no parameter `{}`; {}",
                    shortened(name),
                    self.knows()
                );
                faults.push(ParamFault {
                    name: name.clone(),
                    missing: false,
                    reason,
                });
                continue;
            };
            if value.is_null() && !param.required {
                continue;
            }
            if let Err(wanted) = param.kind.check(value) {
                faults.push(ParamFault {
                    name: name.clone(),
                    missing: false,
                    reason: format!("`{name}` must be {wanted}"),
                });
            }
        }
        for missing in self.params.iter().filter(|p| p.required) {
            if !params.contains_key(missing.name) {
                faults.push(ParamFault {
                    name: missing.name.to_owned(),
                    missing: true,
                    reason: format!(
                        "the parameter `{}` is missing; it must be {}",
                        missing.name,
                        missing.kind.wanted()
                    ),
                });
            }
        }
        faults
    }

    /// Checks the parameters of a node; the text says what is wrong and what would be right.
    pub(super) fn check(&self, params: &Map<String, Value>) -> Result<(), String> {
        match self.faults(params).into_iter().next() {
            Some(first) => Err(first.reason),
            None => Ok(()),
        }
    }
}

/// What is wrong with a parameter.
pub(super) struct ParamFault {
    pub name: String,
    /// It is not there.
    pub missing: bool,
    /// In words, with what would be right.
    pub reason: String,
}

/// Names from a document that are shown in messages.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 40;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

impl Kind {
    /// What is accepted, in words.
    fn wanted(self) -> String {
        match self {
            Kind::Int { min, max } => format!("a whole number from {min} to {max}"),
            Kind::Signed { min, max } => format!("a whole number from {min} to {max}"),
            Kind::Number { min, max } => format!("a number from {min} to {max}"),
            Kind::Choice(words) => {
                let words: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
                format!("one of {}", words.join(", "))
            }
            Kind::OneOf(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
                match numbers.split_last() {
                    Some((last, others)) if !others.is_empty() => {
                        format!("{} or {last}", others.join(", "))
                    }
                    _ => numbers.concat(),
                }
            }
            Kind::Text | Kind::Lines | Kind::File(_) | Kind::Model => {
                format!("a text of 1 to {MAX_TEXT} bytes")
            }
            Kind::Color => "a colour like \"#ff8000\"".to_owned(),
            Kind::Fraction { min, max } => {
                format!("a fraction like {{\"num\": 30000, \"den\": 1001}} from {min} to {max}")
            }
            Kind::PixelFormat => "a pixel format like {\"planes\": {\"yuv\": {\"shift_x\": 1, \
                 \"shift_y\": 1}}, \"bits\": 8, \"alpha\": false}"
                .to_owned(),
        }
    }

    fn check(self, value: &Value) -> Result<(), String> {
        let fits = match self {
            Kind::Int { min, max } => value.as_u64().is_some_and(|n| (min..=max).contains(&n)),
            Kind::Signed { min, max } => value.as_i64().is_some_and(|n| (min..=max).contains(&n)),
            Kind::Number { min, max } => value.as_f64().is_some_and(|n| (min..=max).contains(&n)),
            Kind::Choice(words) => value.as_str().is_some_and(|w| words.contains(&w)),
            Kind::OneOf(numbers) => value.as_u64().is_some_and(|n| numbers.contains(&n)),
            Kind::Text | Kind::Lines | Kind::File(_) | Kind::Model => value
                .as_str()
                .is_some_and(|t| !t.is_empty() && t.len() <= MAX_TEXT && !t.contains('\0')),
            Kind::Color => value
                .as_str()
                .is_some_and(|c| super::ops::parse_color(c).is_some()),
            Kind::Fraction { min, max } => value.as_object().is_some_and(|object| {
                let part = |name| object.get(name).and_then(Value::as_i64);
                let (Some(num), Some(den)) = (part("num"), part("den")) else {
                    return false;
                };
                object.len() == 2
                    && (1..=i64::from(i32::MAX)).contains(&den)
                    && num <= i64::from(i32::MAX)
                    && num >= min.saturating_mul(den)
                    && num <= max.saturating_mul(den)
            }),
            Kind::PixelFormat => {
                serde_json::from_value::<crate::pixel::PixelFormat>(value.clone()).is_ok()
            }
        };
        if fits { Ok(()) } else { Err(self.wanted()) }
    }

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
            Kind::File(extensions) => json!({
                "type": "string", "minLength": 1, "maxLength": MAX_TEXT,
                "x-editor": "file", "x-extensions": extensions
            }),
            Kind::Model => json!({
                "type": "string", "minLength": 1, "maxLength": MAX_TEXT, "x-editor": "model"
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
    let nodes: Vec<Value> = OPS
        .iter()
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
            "version": { "const": super::GRAPH_VERSION },
            "nodes": {
                "type": "array",
                "minItems": 2,
                "maxItems": super::MAX_NODES,
                "items": { "oneOf": nodes }
            },
            "edges": {
                "type": "array",
                "maxItems": super::MAX_EDGES,
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
            "id": { "type": "string", "minLength": 1, "maxLength": super::MAX_ID }
        }
    })
}
