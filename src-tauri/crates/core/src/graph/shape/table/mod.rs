//! The table of operations.

mod frames;
mod looks;
mod tracks;

use super::{Kind, OpShape, Param};

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
/// Of a file that is not the source of a wire.
const STREAM: Kind = Kind::Int { min: 0, max: 9_999 };
const CHARSET: &str =
    "Character set of a file of subtitles, such as windows-1252; UTF-8 if left out.";
const SHIFT: Kind = Kind::Fraction {
    min: -172_800,
    max: 172_800,
};
const SHIFTED: &str = "Seconds by which all of it comes later; earlier where negative.";
const STRETCH: Kind = Kind::Fraction { min: 0, max: 100 };
const STRETCHED: &str = "What all times are multiplied by, before they are shifted, 1/100 to 100.";
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

/// All operations, in the order in which they are shown.
pub(in crate::graph) fn ops() -> impl Iterator<Item = &'static OpShape> {
    [frames::FRAMES, looks::LOOKS, tracks::TRACKS]
        .into_iter()
        .flatten()
}
