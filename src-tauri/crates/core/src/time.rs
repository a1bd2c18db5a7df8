//! Exact time: rationals and ticks. Floating point appears only where a person reads the value.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use ts_rs::TS;

/// A fraction in lowest terms with a positive denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(try_from = "RawRational")]
pub struct Rational {
    /// Numerator; carries the sign.
    #[ts(type = "number")]
    pub num: i64,
    /// Denominator, at least 1.
    #[ts(type = "number")]
    pub den: i64,
}

#[derive(Deserialize)]
struct RawRational {
    num: i64,
    den: i64,
}

impl TryFrom<RawRational> for Rational {
    type Error = &'static str;
    fn try_from(raw: RawRational) -> Result<Self, Self::Error> {
        Rational::new(raw.num, raw.den).ok_or("a fraction needs a denominator other than zero")
    }
}

impl Rational {
    /// One.
    pub const ONE: Rational = Rational { num: 1, den: 1 };

    /// Reduces `num / den`; `None` if the denominator is zero or a part does not fit.
    pub fn new(num: i64, den: i64) -> Option<Self> {
        if den == 0 {
            return None;
        }
        let gcd = gcd(num.unsigned_abs(), den.unsigned_abs()).max(1);
        let sign = if den < 0 { -1i128 } else { 1 };
        let num = i64::try_from(sign * i128::from(num) / i128::from(gcd)).ok()?;
        let den = i64::try_from(sign * i128::from(den) / i128::from(gcd)).ok()?;
        Some(Self { num, den })
    }

    /// The value as floating point, for display only.
    pub fn to_f64(self) -> f64 {
        self.num as f64 / self.den as f64
    }

    /// `self * other`, or `None` if a part does not fit.
    pub fn times(self, other: Self) -> Option<Self> {
        // Crosswise first: two numbers in lowest terms may not fit before they are reduced again.
        let (a, b) = (
            Self::new(self.num, other.den)?,
            Self::new(other.num, self.den)?,
        );
        Self::new(a.num.checked_mul(b.num)?, a.den.checked_mul(b.den)?)
    }

    /// So many times a whole number, rounded half away from zero and saturated.
    pub fn of(self, number: i64) -> i64 {
        let num = i128::from(number) * i128::from(self.num);
        let den = i128::from(self.den);
        let rounded = (2 * num.abs() + den) / (2 * den) * num.signum();
        i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
    }

    /// `1 / self`, or `None` for zero.
    pub fn recip(self) -> Option<Self> {
        Self::new(self.den, self.num)
    }
}

impl FromStr for Rational {
    type Err = String;

    /// Reads `4`, `1.5` or `3/2`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        fraction(text).ok_or_else(|| format!("`{text}` is no number; write 4, 1.5 or 3/2"))
    }
}

/// A number that is not negative: whole, with up to six digits behind a point, or as a fraction.
fn fraction(text: &str) -> Option<Rational> {
    let whole = |digits: &str| digits.parse::<u32>().ok().map(i64::from);
    if let Some((num, den)) = text.split_once('/') {
        return Rational::new(whole(num)?, whole(den)?);
    }
    let Some((whole_part, part)) = text.split_once('.') else {
        return Rational::new(whole(text)?, 1);
    };
    let den = 10i64
        .checked_pow(part.len() as u32)
        .filter(|den| *den <= 1_000_000)?;
    Rational::new(whole(whole_part)? * den + whole(part)?, den)
}

impl PartialOrd for Rational {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rational {
    fn cmp(&self, other: &Self) -> Ordering {
        (i128::from(self.num) * i128::from(other.den))
            .cmp(&(i128::from(other.num) * i128::from(self.den)))
    }
}

impl fmt::Display for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Seconds per tick of a stream, always positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct TimeBase(Rational);

impl TimeBase {
    /// Milliseconds times a thousand: the base of every `*_micros` value.
    pub const MICROS: TimeBase = TimeBase(Rational {
        num: 1,
        den: 1_000_000,
    });

    /// `num / den` seconds per tick; `None` unless positive.
    pub fn new(num: i64, den: i64) -> Option<Self> {
        let ratio = Rational::new(num, den)?;
        (ratio.num > 0).then_some(Self(ratio))
    }

    /// Ticks that last so many times as long; `None` unless that is positive and fits.
    pub fn slowed(self, times: Rational) -> Option<Self> {
        let ratio = self.0.times(times)?;
        (ratio.num > 0).then_some(Self(ratio))
    }

    /// The fraction of a second that one tick lasts.
    pub fn ratio(self) -> Rational {
        self.0
    }
}

/// A point in time: ticks of a base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct Timestamp {
    /// Ticks since the origin of the stream; may be negative.
    #[ts(type = "number")]
    pub ticks: i64,
    /// Length of one tick.
    pub base: TimeBase,
}

impl Timestamp {
    /// A timestamp of `ticks` in `base`.
    pub fn new(ticks: i64, base: TimeBase) -> Self {
        Self { ticks, base }
    }

    /// The same moment in another base, rounded half away from zero and saturated, as
    /// `av_rescale_q` does.
    pub fn rescaled(self, base: TimeBase) -> Self {
        let (from, to) = (self.base.ratio(), base.ratio());
        let num = i128::from(self.ticks)
            .saturating_mul(i128::from(from.num))
            .saturating_mul(i128::from(to.den));
        let den = i128::from(from.den) * i128::from(to.num);
        let rounded = if num >= 0 {
            num.saturating_add(den / 2) / den
        } else {
            -((-num).saturating_add(den / 2) / den)
        };
        let ticks = i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX });
        Self { ticks, base }
    }

    /// Microseconds, rounded.
    pub fn micros(self) -> i64 {
        self.rescaled(TimeBase::MICROS).ticks
    }
}

/// Frames per second as a fraction, always positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
pub struct FrameRate(Rational);

impl FrameRate {
    /// `num / den` frames per second; `None` unless positive.
    pub fn new(num: i64, den: i64) -> Option<Self> {
        let ratio = Rational::new(num, den)?;
        (ratio.num > 0).then_some(Self(ratio))
    }

    /// Frames per second.
    pub fn ratio(self) -> Rational {
        self.0
    }
}

impl FromStr for FrameRate {
    type Err = String;

    /// Reads `24`, `24000/1001` or `23.976`. The decimals by which people name the rates of NTSC
    /// mean those rates.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || format!("`{text}` is no rate; write 24, 23.976 or 24000/1001");
        for (name, num) in [("23.976", 24_000), ("29.97", 30_000), ("59.94", 60_000)] {
            if text == name {
                return Self::new(num, 1_001).ok_or_else(refused);
            }
        }
        fraction(text)
            .and_then(|ratio| Self::new(ratio.num, ratio.den))
            .filter(|rate| (0.001..=10_000.0).contains(&rate.0.to_f64()))
            .ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fraction_is_kept_in_lowest_terms_with_a_positive_denominator() {
        let half = Rational::new(-2, -4).unwrap();
        assert_eq!((half.num, half.den), (1, 2));
        assert_eq!(Rational::new(1, 0), None);
        assert_eq!(Rational::new(i64::MIN, -1), None);
    }

    #[test]
    fn fractions_are_multiplied_exactly_and_numbers_rounded_half_away() {
        let times = |a: (i64, i64), b: (i64, i64)| {
            Rational::new(a.0, a.1)
                .unwrap()
                .times(Rational::new(b.0, b.1).unwrap())
        };
        assert_eq!(times((1001, 30_000), (4, 1)), Rational::new(1001, 7_500));
        assert_eq!(times((i64::MAX, 2), (2, i64::MAX)), Some(Rational::ONE));
        assert_eq!(times((i64::MAX, 1), (2, 1)), None);
        let half = Rational::new(3, 2).unwrap();
        assert_eq!(
            ["1.5", "3/2", "6/4"].map(str::parse),
            [Ok(half), Ok(half), Ok(half)]
        );
        assert!("-1".parse::<Rational>().is_err() && "1/0".parse::<Rational>().is_err());
        assert_eq!([3, -3, 2, 0].map(|n| half.of(n)), [5, -5, 3, 0]);
        assert_eq!(half.of(i64::MIN), i64::MIN);
        let base = TimeBase::new(1, 1_000).unwrap();
        assert_eq!(base.slowed(half), TimeBase::new(3, 2_000));
        assert_eq!(base.slowed(Rational { num: 0, den: 1 }), None);
    }

    #[test]
    fn a_rate_is_read_as_people_write_it() {
        for (text, num, den) in [
            ("24", 24, 1),
            ("24000/1001", 24_000, 1_001),
            ("23.976", 24_000, 1_001),
            ("12.5", 25, 2),
            ("1/2", 1, 2),
        ] {
            assert_eq!(
                text.parse(),
                Ok(FrameRate::new(num, den).unwrap()),
                "{text}"
            );
        }
        for text in [
            "0",
            "-24",
            "24/0",
            "fast",
            "1e3",
            "",
            "99999",
            "1.0000000001",
        ] {
            assert!(text.parse::<FrameRate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_hostile_fraction_is_refused_when_read() {
        assert!(serde_json::from_str::<Rational>(r#"{"num":1,"den":0}"#).is_err());
    }

    #[test]
    fn ntsc_frame_times_survive_a_trip_through_a_finer_base() {
        let film = TimeBase::new(1001, 30_000).unwrap();
        let fine = TimeBase::new(1, 90_000).unwrap();
        for n in 0..100_000 {
            let t = Timestamp::new(n, film);
            assert_eq!(t.rescaled(fine).rescaled(film), t);
        }
    }

    proptest! {
        #[test]
        fn rescaling_never_panics_and_never_reverses_order(
            a in any::<i64>(), b in any::<i64>(),
            n1 in 1i64..100_000, d1 in 1i64..1_000_000,
            n2 in 1i64..100_000, d2 in 1i64..1_000_000,
        ) {
            let (from, to) = (TimeBase::new(n1, d1).unwrap(), TimeBase::new(n2, d2).unwrap());
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(
                Timestamp::new(low, from).rescaled(to).ticks
                    <= Timestamp::new(high, from).rescaled(to).ticks
            );
        }

        #[test]
        fn rescaling_is_within_half_a_tick(
            t in -1_000_000_000i64..1_000_000_000, d1 in 1i64..1_000_000, d2 in 1i64..1_000_000,
        ) {
            let (from, to) = (TimeBase::new(1, d1).unwrap(), TimeBase::new(1, d2).unwrap());
            let there = Timestamp::new(t, from).rescaled(to);
            let error = (i128::from(there.ticks) * i128::from(d1) - i128::from(t) * i128::from(d2)).abs();
            prop_assert!(2 * error <= i128::from(d1));
        }
    }
}
