//! Every operation with its parameters and their limits, in one table: the strict reader checks
//! documents by it, and the JSON Schema is written from it.

mod schema;
mod table;

pub use schema::schema;
pub(super) use table::ops;

use serde_json::{Map, Value};

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
    /// Places of a crop, one a line, as [`parse_keys`](crate::graph::parse_keys) reads them.
    Keys,
    /// Parts of the picture, one a line, as [`parse_areas`](crate::graph::parse_areas) reads them.
    Areas,
    /// Ways of things through the pictures, as [`parse_paths`](crate::graph::parse_paths) reads them.
    Paths,
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
    /// Stretches of a clip, as [`parse_kept`](super::parse_kept) reads them.
    Stretches,
}

/// Longest text of a parameter, in bytes.
pub(super) const MAX_TEXT: usize = 4096;

/// Longest list of areas, in bytes.
pub(super) const MAX_AREAS_TEXT: usize = 16_384;

pub(super) fn find(name: &str) -> Option<&'static OpShape> {
    ops().find(|shape| shape.name == name)
}

impl OpShape {
    /// Names of the parameters that cannot be left out.
    fn needed(&self) -> Vec<&'static str> {
        let needed = self.params.iter().filter(|p| p.required);
        needed.map(|p| p.name).collect()
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
            Kind::Keys => {
                "places, one a line, like \"2.5 30\": seconds, and percent from the left or the top"
                    .to_owned()
            }
            Kind::Areas => {
                "areas, one a line, like \"10 20 30 15 from 1.5 to 4\": left edge, upper \
                            edge, width and height in percent of the picture, and seconds"
                    .to_owned()
            }
            Kind::Paths => {
                "places, one a line, like \"2.5 10 20 5 8\": seconds, and left edge, upper edge, width and \
                 height in percent of the picture; a blank line between two ways"
                    .to_owned()
            }
            Kind::Color => "a colour like \"#ff8000\"".to_owned(),
            Kind::Fraction { min, max } => {
                format!("a fraction like {{\"num\": 30000, \"den\": 1001}} from {min} to {max}")
            }
            Kind::PixelFormat => "a pixel format like {\"planes\": {\"yuv\": {\"shift_x\": 1, \
                 \"shift_y\": 1}}, \"bits\": 8, \"alpha\": false}"
                .to_owned(),
            Kind::Stretches => "a list of stretches in order, one in a line, like \"0-12.5\" and \
                 \"1:02.25-1:30\""
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
            Kind::Keys => value.as_str().is_some_and(|text| {
                text.len() <= MAX_AREAS_TEXT && super::areas::parse_keys(text).is_ok()
            }),
            Kind::Areas => value.as_str().is_some_and(|text| {
                text.len() <= MAX_AREAS_TEXT
                    && super::areas::parse_areas(text).is_ok_and(|areas| !areas.is_empty())
            }),
            Kind::Paths => value.as_str().is_some_and(|text| {
                text.len() <= super::MAX_PATHS_TEXT && super::paths::parse_paths(text).is_ok()
            }),
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
            Kind::Stretches => {
                return match value.as_str().map(super::parse_kept) {
                    Some(Ok(_)) => Ok(()),
                    Some(Err(reason)) => Err(format!("{}; {reason}", self.wanted())),
                    None => Err(self.wanted()),
                };
            }
        };
        if fits { Ok(()) } else { Err(self.wanted()) }
    }
}
