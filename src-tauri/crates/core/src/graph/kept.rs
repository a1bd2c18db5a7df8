//! The stretches that the node `cut` keeps, as a person writes them: one in a line.

use crate::time::Rational;

/// Most stretches of a list: a day of speech has fewer.
pub const MAX_KEPT: usize = 20_000;
/// Longest list, in bytes.
pub const MAX_KEPT_TEXT: usize = 1 << 20;
/// No clip is longer, in seconds.
const LONGEST_SECONDS: u64 = 1_000_000;

/// A stretch of a clip, counted from its first picture. Half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptStretch {
    /// Microseconds from the first picture.
    pub from_micros: i64,
    /// The first moment that is out; `None` for the end of the clip.
    pub to_micros: Option<i64>,
}

impl KeptStretch {
    /// Seconds, exactly.
    pub fn start(&self) -> Rational {
        seconds(self.from_micros)
    }
}

fn seconds(micros: i64) -> Rational {
    Rational::new(micros, 1_000_000).unwrap_or(Rational { num: 0, den: 1 })
}

/// Reads a list: stretches `start-end` in seconds or as `h:mm:ss`, with up to six digits behind the
/// point, one in a line or with commas between them. The last may leave out its end.
///
/// # Errors
/// What is wrong, and in which stretch, counted from 1.
pub fn parse_kept(text: &str) -> Result<Vec<KeptStretch>, String> {
    if text.len() > MAX_KEPT_TEXT {
        return Err(format!("it is longer than {MAX_KEPT_TEXT} bytes"));
    }
    let mut list: Vec<KeptStretch> = Vec::new();
    let words = text.split([',', '\n', '\r']).map(str::trim);
    for (number, word) in (1..).zip(words.filter(|word| !word.is_empty())) {
        if number > MAX_KEPT {
            return Err(format!(
                "it has more than {MAX_KEPT} stretches, which are the limit"
            ));
        }
        let wrong =
            || format!("stretch {number} is not written like `12.5-20` or `0:12.5-0:20.25`");
        let (from, to) = word.split_once('-').ok_or_else(wrong)?;
        let from_micros = parse_moment(from).ok_or_else(wrong)?;
        let to_micros = match to.trim() {
            "" => None,
            to => Some(parse_moment(to).ok_or_else(wrong)?),
        };
        if to_micros.is_some_and(|to| to <= from_micros) {
            return Err(format!("stretch {number} does not end after it begins"));
        }
        match list.last() {
            Some(before) if before.to_micros.is_none_or(|end| end > from_micros) => {
                return Err(format!(
                    "stretch {number} begins before the one in front of it ends"
                ));
            }
            _ => list.push(KeptStretch {
                from_micros,
                to_micros,
            }),
        }
    }
    if list.is_empty() {
        return Err("no stretch is named".to_owned());
    }
    Ok(list)
}

/// Seconds with a point, or hours, minutes and seconds with colons.
fn parse_moment(text: &str) -> Option<i64> {
    let mut micros: u64 = 0;
    let parts: Vec<&str> = text.trim().split(':').collect();
    let (last, whole) = parts.split_last()?;
    if whole.len() > 2 {
        return None;
    }
    for part in whole {
        micros = micros.checked_mul(60)?.checked_add(digits(part)?)?;
    }
    let (seconds, behind) = last.split_once('.').unwrap_or((last, ""));
    if behind.len() > 6 || (behind.is_empty() && last.contains('.')) {
        return None;
    }
    let whole = micros.checked_mul(60)?.checked_add(digits(seconds)?)?;
    if whole > LONGEST_SECONDS {
        return None;
    }
    let mut part = if behind.is_empty() {
        0
    } else {
        digits(behind)?
    };
    for _ in behind.len()..6 {
        part *= 10;
    }
    i64::try_from(whole * 1_000_000 + part).ok()
}

fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// Writes a list as [`parse_kept`] reads it, in seconds, one stretch in a line.
pub fn kept_text(list: &[KeptStretch]) -> String {
    let moment = |micros: i64| {
        let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        let short = text.trim_end_matches('0');
        short.trim_end_matches('.').to_owned()
    };
    let lines: Vec<String> = list
        .iter()
        .map(|kept| {
            let to = kept.to_micros.map(moment).unwrap_or_default();
            format!("{}-{to}", moment(kept.from_micros))
        })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kept(from_micros: i64, to_micros: Option<i64>) -> KeptStretch {
        KeptStretch {
            from_micros,
            to_micros,
        }
    }

    #[test]
    fn stretches_are_read_in_seconds_and_with_colons() {
        let wanted = vec![
            kept(0, Some(1_500_000)),
            kept(61_250_000, Some(3_661_000_001)),
            kept(4_000_000_000, None),
        ];
        for text in [
            "0-1.5\n61.25-3661.000001\n4000-",
            " 0 - 1.5 , 1:01.25-1:01:01.000001,\r\n\n 1:06:40 -",
        ] {
            assert_eq!(parse_kept(text).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_place() {
        for (text, says) in [
            ("", "no stretch"),
            (" \n,", "no stretch"),
            ("1-2\n5", "stretch 2 is not written"),
            ("1-x", "stretch 1 is not written"),
            ("1-2.1234567", "not written"),
            ("1.-2", "not written"),
            ("1-99999999999999999999", "not written"),
            ("0-1:2:3:4", "not written"),
            ("-1-2", "not written"),
            ("2-2", "does not end"),
            ("1-3,2-4", "stretch 2 begins before"),
            ("1-,2-4", "stretch 2 begins before"),
        ] {
            let refused = parse_kept(text).unwrap_err();
            assert!(refused.contains(says), "{text:?}: {refused}");
        }
        let many = "1-2\n".repeat(MAX_KEPT_TEXT);
        assert!(parse_kept(&many).is_err());
    }

    proptest! {
        #[test]
        fn a_list_is_read_back_as_written(steps in prop::collection::vec((0i64..5_000_000, 1i64..9_000_000), 1..40), open: bool) {
            let mut at = 0;
            let mut list: Vec<KeptStretch> = steps.into_iter().map(|(gap, length)| {
                let from = at + gap;
                at = from + length;
                kept(from, Some(at))
            }).collect();
            if open && let Some(last) = list.last_mut() {
                last.to_micros = None;
            }
            prop_assert_eq!(parse_kept(&kept_text(&list)).unwrap(), list);
        }

        #[test]
        fn no_text_breaks_the_reader(text in "[0-9:.,\\- \n]{0,60}") {
            let _ = parse_kept(&text);
        }
    }
}
