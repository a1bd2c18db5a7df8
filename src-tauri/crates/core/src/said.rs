//! Sentences of the program: in English for the command line and the log, and as a code with values
//! by which the window says them in its own language. Words of somebody else (the system, a driver,
//! a library) have no code: the window quotes them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path;
use ts_rs::TS;

/// A sentence, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct Said {
    /// Name of the sentence, as `node.no_fields`; `None` for words of somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub code: Option<String>,
    /// What the sentence names, by the names that its translations use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[ts(as = "Option<BTreeMap<String, SaidValue>>", optional)]
    pub values: BTreeMap<String, SaidValue>,
    /// All of it in English.
    pub text: String,
}

/// What a sentence names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(untagged)]
pub enum SaidValue {
    /// A number, which each language writes in its way.
    Number(#[ts(type = "number")] i64),
    /// A name: of a file, a format, a node.
    Text(String),
    /// A size, in bytes.
    Size {
        /// How many.
        #[ts(type = "number")]
        bytes: u64,
    },
    /// A number with decimals.
    Decimal {
        /// Without the point.
        #[ts(type = "number")]
        digits: i64,
        /// How many of them stand behind it.
        places: u8,
    },
    /// Another sentence.
    Said(Box<Said>),
}

impl SaidValue {
    /// A number with so many decimals.
    pub fn decimal(value: f64, places: u8) -> Self {
        let digits = (value * 10f64.powi(places.into())).round() as i64;
        Self::Decimal { digits, places }
    }
}

impl Said {
    /// A sentence that the window knows as `code`; [`said!`](crate::said!) is shorter.
    pub fn coded<const N: usize>(
        code: &str,
        text: impl Into<String>,
        values: [(&str, SaidValue); N],
    ) -> Self {
        let named = |(name, value): (&str, SaidValue)| (name.to_owned(), value);
        Self {
            code: Some(code.to_owned()),
            values: values.into_iter().map(named).collect(),
            text: text.into(),
        }
    }

    /// Several sentences as one, parted by `; `. `None` for none.
    pub fn several(all: impl IntoIterator<Item = Said>) -> Option<Self> {
        all.into_iter().reduce(|first, rest| {
            crate::said!("several", "{first}; {rest}", first = first, rest = rest)
        })
    }

    /// The sentence if it has a code.
    pub fn known(self) -> Option<Self> {
        self.code.is_some().then_some(self)
    }
}

/// The words of somebody else.
impl From<String> for Said {
    fn from(text: String) -> Self {
        Self {
            code: None,
            values: BTreeMap::new(),
            text,
        }
    }
}

impl From<&str> for Said {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl fmt::Display for Said {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl fmt::Display for SaidValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(out),
            Self::Text(text) => out.write_str(text),
            Self::Size { bytes } => write!(out, "{:.1} MB", *bytes as f64 / 1e6),
            Self::Decimal { digits, places } => {
                let value = *digits as f64 / 10f64.powi((*places).into());
                write!(out, "{value:.*}", usize::from(*places))
            }
            Self::Said(said) => said.fmt(out),
        }
    }
}

impl From<Said> for SaidValue {
    fn from(said: Said) -> Self {
        Self::Said(Box::new(said))
    }
}

impl From<&Said> for SaidValue {
    fn from(said: &Said) -> Self {
        said.clone().into()
    }
}

impl From<String> for SaidValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for SaidValue {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&str> for SaidValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<path::Display<'_>> for SaidValue {
    fn from(path: path::Display<'_>) -> Self {
        Self::Text(path.to_string())
    }
}

impl From<i32> for SaidValue {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<i64> for SaidValue {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u8> for SaidValue {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for SaidValue {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u64> for SaidValue {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for SaidValue {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// A [`Said`] by its code, its English text, and the values that stand in the text:
/// `said!("name.taken", "there is a file {name} already", name = name)`.
#[macro_export]
macro_rules! said {
    ($code:literal, $text:literal $(,)?) => {
        $crate::said::Said::coded($code, $text, [])
    };
    ($code:literal, $text:literal, $($name:ident = $value:expr),+ $(,)?) => {{
        // All values before any of their names, which may stand for something else outside.
        let ($($name,)+) = ($($crate::said::SaidValue::from($value),)+);
        let text = ::std::format!($text, $($name = $name),+);
        $crate::said::Said::coded($code, text, [$((::std::stringify!($name), $name)),+])
    }};
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json, to_value};

    #[test]
    fn a_sentence_says_the_same_as_a_code_and_in_english() {
        let (width, reason) = (0, Said::from("No such device"));
        let said = said!(
            "lost",
            "{width} of {size}: {why}",
            width = width,
            size = SaidValue::Size { bytes: 1_500_000 },
            why = reason
        );
        assert_eq!(said.to_string(), "0 of 1.5 MB: No such device");
        let json = json!({
            "code": "lost",
            "values": {"width": 0, "size": {"bytes": 1_500_000}, "why": {"text": "No such device"}},
            "text": "0 of 1.5 MB: No such device",
        });
        assert_eq!(to_value(&said).unwrap(), json);
        assert_eq!(from_value::<Said>(json).unwrap(), said);
    }

    #[test]
    fn several_sentences_are_one_and_none_is_none() {
        let of = |texts: &[&str]| Said::several(texts.iter().map(|text| Said::from(*text)));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["a"]).unwrap().text, "a");
        assert_eq!(of(&["a", "b", "c"]).unwrap().text, "a; b; c");
    }

    #[test]
    fn the_words_of_somebody_else_have_no_code() {
        assert_eq!(Said::from("Permission denied").known(), None);
        assert!(said!("gone", "it is gone").known().is_some());
    }
}
