//! Values that a request asks for, held against what is possible.

use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::parse_color;
use frameloom_core::said;

/// Refuses a value that is not from `least` to `most`. `what` is the option of the command line.
///
/// # Errors
/// It is not, in a sentence.
pub(crate) fn within(
    what: &'static str,
    value: f64,
    (least, most): (f64, f64),
) -> Result<(), AppError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(AppError::new(
        ErrorCode::InvalidRequest,
        said!(
            "asked.outside",
            "{value} is not possible for `{what}`; {least} to {most} is.",
            value = value.to_string(),
            what = what,
            least = least.to_string(),
            most = most.to_string()
        ),
    )
    .hint("Choose another value, or leave it out."))
}

/// The value that is asked for, or the usual one.
///
/// # Errors
/// It is not from `least` to `most`, in a sentence.
pub(crate) fn or_usual(
    what: &'static str,
    value: Option<f64>,
    usual: f64,
    bounds: (f64, f64),
) -> Result<f64, AppError> {
    let value = value.unwrap_or(usual);
    within(what, value, bounds)?;
    Ok(value)
}

/// Refuses what is no colour.
///
/// # Errors
/// It is none, in a sentence.
pub(crate) fn colour(text: &str) -> Result<(), AppError> {
    if parse_color(text).is_some() {
        return Ok(());
    }
    Err(AppError::new(
        ErrorCode::InvalidRequest,
        said!("asked.no_color", "`{color}` is no colour.", color = text),
    )
    .hint("Write it like #ff8000: red, green and blue in hexadecimal digits."))
}
