//! When subtitles are shown: times moved and stretched, exactly.

use crate::time::Rational;

/// Nobody moves subtitles further: two days, in microseconds.
pub const MOST_SHIFT_MICROS: i64 = 172_800_000_000;
/// Nobody stretches or squeezes subtitles more.
pub const MOST_STRETCH: i64 = 100;

/// What becomes of the times of subtitles: first they are stretched from zero on, then moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retime {
    /// What every time is multiplied by.
    pub stretch: Rational,
    /// Added afterwards, in microseconds; may be negative.
    pub shift_micros: i64,
}

impl Default for Retime {
    fn default() -> Self {
        Self {
            stretch: Rational { num: 1, den: 1 },
            shift_micros: 0,
        }
    }
}

impl Retime {
    /// A shift in seconds and a factor, as nodes and wishes have them; what is left out changes
    /// nothing. `None` beyond [`MOST_SHIFT_MICROS`] and [`MOST_STRETCH`].
    pub fn new(shift_seconds: Option<Rational>, stretch: Option<Rational>) -> Option<Self> {
        let shift_micros = match shift_seconds {
            Some(shift) => scaled(1_000_000, shift)?,
            None => 0,
        };
        let retime = Self {
            stretch: stretch.unwrap_or(Rational { num: 1, den: 1 }),
            shift_micros,
        };
        retime.is_possible().then_some(retime)
    }

    /// The stretch and shift that bring two times to where they belong: each pair is a time of the
    /// subtitles and the one wanted for it, in microseconds. `None` where there is no such, or it is
    /// beyond the limits.
    pub fn through(first: (i64, i64), second: (i64, i64)) -> Option<Self> {
        let is = second.0.checked_sub(first.0)?;
        let wanted = second.1.checked_sub(first.1)?;
        let stretch = Rational::new(wanted, is)?;
        let shift_micros = first.1.checked_sub(scaled(first.0, stretch)?)?;
        let retime = Self {
            stretch,
            shift_micros,
        };
        retime.is_possible().then_some(retime)
    }

    /// True if every time stays what it is.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }

    /// Where a time comes to, rounded to the nearest microsecond.
    pub fn at(self, micros: i64) -> i64 {
        scaled(micros, self.stretch)
            .unwrap_or(i64::MAX / 2)
            .saturating_add(self.shift_micros)
    }

    fn is_possible(self) -> bool {
        let Rational { num, den } = self.stretch;
        let (num, den) = (i128::from(num), i128::from(den));
        let most = i128::from(MOST_STRETCH);
        num > 0
            && num <= den * most
            && den <= num * most
            && self.shift_micros.unsigned_abs() <= MOST_SHIFT_MICROS.unsigned_abs()
    }
}

/// `value * by`, rounded to the nearest whole number, halves upwards; `None` where it does not fit.
fn scaled(value: i64, by: Rational) -> Option<i64> {
    let (num, den) = (i128::from(by.num), i128::from(by.den));
    let doubled = i128::from(value) * num * 2 + den;
    i64::try_from(doubled.div_euclid(den * 2)).ok()
}

/// Languages by two letters as files have them, by three; MP4 knows no others.
const LANGUAGES: &[(&str, &str)] = &[
    ("ar", "ara"),
    ("bg", "bul"),
    ("ca", "cat"),
    ("cs", "ces"),
    ("da", "dan"),
    ("de", "deu"),
    ("el", "ell"),
    ("en", "eng"),
    ("es", "spa"),
    ("et", "est"),
    ("fa", "fas"),
    ("fi", "fin"),
    ("fr", "fra"),
    ("he", "heb"),
    ("hi", "hin"),
    ("hr", "hrv"),
    ("hu", "hun"),
    ("id", "ind"),
    ("it", "ita"),
    ("ja", "jpn"),
    ("km", "khm"),
    ("ko", "kor"),
    ("lo", "lao"),
    ("lt", "lit"),
    ("lv", "lav"),
    ("ms", "msa"),
    ("nl", "nld"),
    ("no", "nor"),
    ("pl", "pol"),
    ("pt", "por"),
    ("ro", "ron"),
    ("ru", "rus"),
    ("sk", "slk"),
    ("sl", "slv"),
    ("sr", "srp"),
    ("sv", "swe"),
    ("ta", "tam"),
    ("th", "tha"),
    ("tl", "tgl"),
    ("tr", "tur"),
    ("uk", "ukr"),
    ("ur", "urd"),
    ("vi", "vie"),
    ("zh", "zho"),
];

/// A language as files name it, by three letters; `None` for what is no name of two or three letters.
pub fn language_of(name: &str) -> Option<String> {
    let name = name.trim().to_ascii_lowercase();
    if let Ok(place) = LANGUAGES.binary_search_by_key(&name.as_str(), |(short, _)| short) {
        return LANGUAGES.get(place).map(|(_, long)| (*long).to_owned());
    }
    (name.len() == 3 && name.bytes().all(|b| b.is_ascii_lowercase())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ratio(num: i64, den: i64) -> Option<Rational> {
        Rational::new(num, den)
    }

    #[test]
    fn times_of_film_come_to_those_of_television_exactly() {
        // 24000/1001 pictures a second shown as 25: everything is earlier.
        let retime = Retime::new(None, ratio(24_000, 25_025)).unwrap();
        assert_eq!(retime.at(3_600_000_000), 3_452_547_453);
        assert_eq!(retime.at(0), 0);
        let moved = Retime::new(ratio(-3, 2), None).unwrap();
        assert_eq!(moved.at(1_000_000), -500_000);
        assert!(Retime::new(None, None).unwrap().is_nothing());
    }

    #[test]
    fn two_times_that_are_known_say_all_of_it() {
        let retime = Retime::through((60_000_000, 62_500_000), (3_660_000_000, 3_666_100_000));
        let retime = retime.unwrap();
        assert_eq!(retime.at(60_000_000), 62_500_000);
        assert_eq!(retime.at(3_660_000_000), 3_666_100_000);
        assert!(Retime::through((5, 1), (5, 2)).is_none(), "one time twice");
        assert!(
            Retime::through((0, 10), (5, 1)).is_none(),
            "time runs backwards"
        );
    }

    #[test]
    fn languages_are_named_by_three_letters() {
        assert_eq!(language_of("vi").as_deref(), Some("vie"));
        assert_eq!(language_of(" ENG").as_deref(), Some("eng"));
        assert_eq!(language_of("Tiếng Việt"), None);
        assert_eq!(language_of("q1"), None);
        assert!(LANGUAGES.is_sorted(), "or what is searched is not found");
    }

    #[test]
    fn what_nobody_wants_is_refused() {
        assert!(Retime::new(None, ratio(0, 1)).is_none());
        assert!(Retime::new(None, ratio(-1, 1)).is_none());
        assert!(Retime::new(None, ratio(101, 1)).is_none());
        assert!(Retime::new(None, ratio(1, 101)).is_none());
        assert!(Retime::new(ratio(172_801, 1), None).is_none());
        assert!(Retime::new(ratio(i64::MAX, 1), None).is_none());
    }

    proptest! {
        #[test]
        fn order_is_kept_and_nothing_overflows(
            a in any::<i64>(),
            b in any::<i64>(),
            num in 1i64..100_000,
            den in 1i64..100_000,
            shift in -200_000i64..200_000,
        ) {
            if let Some(retime) = Retime::new(ratio(shift, 1), ratio(num, den)) {
                let (low, high) = (a.min(b) / 1_000, a.max(b) / 1_000);
                prop_assert!(retime.at(low) <= retime.at(high));
                let exact = low as f64 * num as f64 / den as f64 + retime.shift_micros as f64;
                prop_assert!((retime.at(low) as f64 - exact).abs() <= 1.0 + exact.abs() * 1e-12);
            }
        }
    }
}
