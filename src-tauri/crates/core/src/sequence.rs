//! Numbered pictures that together are one clip: `shot_%05d.png`.

use crate::time::FrameRate;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// The longest number that a name may hold, in digits.
const MAX_DIGITS: usize = 18;

/// A file name with a place for a number, written as `%d` or `%05d` (five digits at least, with
/// leading zeros). `%%` stands for one percent sign.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NumberPattern {
    before: String,
    digits: usize,
    after: String,
}

impl NumberPattern {
    /// The pattern that a file name is; `None` if it has no place for a number, or several.
    pub fn parse(name: &str) -> Option<Self> {
        let (mut text, mut found) = (String::new(), None);
        let mut rest = name.chars().peekable();
        while let Some(letter) = rest.next() {
            if letter != '%' {
                text.push(letter);
                continue;
            }
            if rest.peek() == Some(&'%') {
                rest.next();
                text.push('%');
                continue;
            }
            let mut width = String::new();
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                width.push(digit);
            }
            let padded = width.is_empty() || width.starts_with('0');
            let digits = width
                .parse()
                .or(width.is_empty().then_some(0).ok_or(()))
                .ok()?;
            if rest.next() != Some('d') || !padded || digits > MAX_DIGITS || found.is_some() {
                return None;
            }
            found = Some((std::mem::take(&mut text), digits));
        }
        let (before, digits) = found?;
        Some(Self {
            before,
            digits,
            after: text,
        })
    }

    /// The pattern in the last part of a path.
    pub fn of_path(path: &Path) -> Option<Self> {
        Self::parse(path.file_name()?.to_str()?)
    }

    /// The pattern of which a name is one member, with its number: the last run of digits before
    /// the extension counts, with leading zeros as wide as it is. `None` for a name without one.
    pub fn of_member(name: &str) -> Option<(Self, u64)> {
        let stem = name.rfind('.').filter(|at| *at > 0).unwrap_or(name.len());
        let end = name[..stem].rfind(|c: char| c.is_ascii_digit())? + 1;
        let start = name[..end]
            .rfind(|c: char| !c.is_ascii_digit())
            .map_or(0, |at| {
                at + name[at..].chars().next().map_or(1, char::len_utf8)
            });
        let number = &name[start..end];
        if number.len() > MAX_DIGITS {
            return None;
        }
        let padded = number.len() > 1 && number.starts_with('0');
        let pattern = Self {
            before: name[..start].to_owned(),
            digits: if padded { number.len() } else { 0 },
            after: name[end..].to_owned(),
        };
        Some((pattern, number.parse().ok()?))
    }

    /// The name of the picture with this number.
    pub fn name(&self, number: u64) -> String {
        let digits = self.digits;
        format!("{}{number:0digits$}{}", self.before, self.after)
    }

    /// The number of the picture with this name; `None` for a name that is not of the pattern.
    pub fn number_of(&self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(&self.before)?.strip_suffix(&self.after)?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number = digits.parse().ok()?;
        // Written in one way only: `7` is no member of `%05d`.
        (self.name(number) == name).then_some(number)
    }

    /// The pattern as a file name, as [`parse`](Self::parse) takes it.
    pub fn text(&self) -> String {
        let escaped = |text: &str| text.replace('%', "%%");
        let (before, after) = (escaped(&self.before), escaped(&self.after));
        match self.digits {
            0 => format!("{before}%d{after}"),
            digits => format!("{before}%0{digits}d{after}"),
        }
    }

    /// What stands before the number, without signs that only part it from the name.
    pub fn title(&self) -> &str {
        let title = self
            .before
            .trim_end_matches(['_', '-', '.', ' ', '(', '[', '#']);
        if title.is_empty() { "pictures" } else { title }
    }

    /// The path of the picture with this number, beside `path`.
    pub fn path(&self, path: &Path, number: u64) -> PathBuf {
        path.with_file_name(self.name(number))
    }
}

/// Which pictures of a pattern are the clip, and how fast they follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct PictureRun {
    /// Pictures per second.
    pub rate: FrameRate,
    /// Number of the first picture.
    #[ts(type = "number")]
    pub first: u64,
    /// How many pictures follow each other without a gap.
    #[ts(type = "number")]
    pub count: u64,
}

impl PictureRun {
    /// The numbers, in order.
    pub fn numbers(self) -> std::ops::Range<u64> {
        self.picture_numbers().all()
    }

    /// The same without the rate.
    pub fn picture_numbers(self) -> PictureNumbers {
        PictureNumbers {
            first: self.first,
            count: self.count,
        }
    }
}

/// Which pictures of a pattern belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct PictureNumbers {
    /// Number of the first picture.
    #[ts(type = "number")]
    pub first: u64,
    /// How many follow each other without a gap.
    #[ts(type = "number")]
    pub count: u64,
}

impl PictureNumbers {
    /// The numbers, in order.
    pub fn all(self) -> std::ops::Range<u64> {
        self.first..self.first.saturating_add(self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(name: &str) -> NumberPattern {
        NumberPattern::parse(name).unwrap_or_else(|| panic!("{name} is a pattern"))
    }

    #[test]
    fn a_pattern_names_its_pictures_and_knows_them_again() {
        let shots = pattern("shot_%05d.png");
        assert_eq!(shots.name(7), "shot_00007.png");
        assert_eq!(shots.name(123_456), "shot_123456.png");
        assert_eq!(shots.number_of("shot_00007.png"), Some(7));
        assert_eq!(shots.number_of("shot_123456.png"), Some(123_456));
        for other in [
            "shot_7.png",
            "shot_000007.png",
            "shot_00007.jpg",
            "shot_.png",
            "shot_-0007.png",
        ] {
            assert_eq!(shots.number_of(other), None, "{other}");
        }
        assert_eq!(pattern("%d").name(12), "12");
        assert_eq!(pattern("100%% %03d.png").name(1), "100% 001.png");
        assert_eq!(pattern("100%% %03d.png").text(), "100%% %03d.png");
    }

    #[test]
    fn what_has_no_place_or_several_for_a_number_is_no_pattern() {
        for name in [
            "a.png",
            "100%.png",
            "%5d.png",
            "%d_%d.png",
            "%s.png",
            "%0",
            "%099d.png",
            "%%d",
        ] {
            assert_eq!(NumberPattern::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_member_leads_to_its_pattern() {
        for (name, text, number) in [
            ("shot_00031.png", "shot_%05d.png", 31),
            ("v2 take 9.tif", "v2 take %d.tif", 9),
            ("0.png", "%d.png", 0),
            ("007", "%03d", 7),
            ("été_01é.jpg", "été_%02dé.jpg", 1),
        ] {
            let (found, at) = NumberPattern::of_member(name).unwrap();
            assert_eq!((found.text().as_str(), at), (text, number));
            assert_eq!(found.number_of(name), Some(number), "{name}");
        }
        assert_eq!(NumberPattern::of_member("holiday.jp2"), None);
    }

    #[test]
    fn the_title_of_a_pattern_has_no_signs_at_its_end() {
        assert_eq!(pattern("shot_%05d.png").title(), "shot");
        assert_eq!(pattern("%05d.png").title(), "pictures");
    }
}
