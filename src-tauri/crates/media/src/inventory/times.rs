//! Times of two streams against each other, exact whatever their bases are.

use frameloom_core::time::{TimeBase, Timestamp};

/// How two lists of times differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimesDifference {
    /// Place of the first that differs.
    pub first: usize,
    /// How many differ.
    pub count: u64,
    /// The largest difference in microseconds, without its sign.
    pub largest_micros: i64,
    /// Set if all of them, from the first one on, are later in `b` by this many microseconds, to
    /// the rounding of the bases.
    pub shift_micros: Option<i64>,
}

/// `b - a` in microseconds, and whether it is exactly zero.
fn difference(a: Timestamp, b: Timestamp) -> (i64, bool) {
    let (ra, rb) = (a.base.ratio(), b.base.ratio());
    let scaled = |ticks: i64, num: i64, den: i64| {
        i128::from(ticks)
            .saturating_mul(i128::from(num))
            .saturating_mul(i128::from(den))
    };
    let left = scaled(a.ticks, ra.num, rb.den);
    let right = scaled(b.ticks, rb.num, ra.den);
    let apart = right.saturating_sub(left);
    let unit = i128::from(ra.den).saturating_mul(i128::from(rb.den)).max(1);
    let micros = apart.saturating_mul(1_000_000) / unit;
    let clamped = micros.clamp(i128::from(i64::MIN + 1), i128::from(i64::MAX));
    (clamped as i64, apart == 0)
}

/// True if the two moments are apart by more than `tolerance_micros`; with 0, if they are not the
/// very same.
pub(crate) fn apart(a: Timestamp, b: Timestamp, tolerance_micros: i64) -> bool {
    let (micros, same) = difference(a, b);
    !same && (tolerance_micros == 0 || micros.abs() > tolerance_micros)
}

/// Compares as many as both have. `None`: no difference.
pub(crate) fn compare(
    a: &[Option<i64>],
    a_base: TimeBase,
    b: &[Option<i64>],
    b_base: TimeBase,
    tolerance_micros: i64,
) -> Option<TimesDifference> {
    let mut found: Option<TimesDifference> = None;
    let coarse = a_base.ratio().max(b_base.ratio()).to_f64() * 1e6;
    let (mut low, mut high) = (i64::MAX, i64::MIN);
    for (place, (a, b)) in a.iter().zip(b).enumerate() {
        let (micros, differs) = match (a, b) {
            (None, None) => continue,
            (Some(a), Some(b)) => {
                let (a, b) = (Timestamp::new(*a, a_base), Timestamp::new(*b, b_base));
                (difference(a, b).0, apart(a, b, tolerance_micros))
            }
            _ => (0, true),
        };
        (low, high) = (low.min(micros), high.max(micros));
        if !differs {
            continue;
        }
        let entry = found.get_or_insert(TimesDifference {
            first: place,
            count: 0,
            largest_micros: 0,
            shift_micros: None,
        });
        entry.count += 1;
        entry.largest_micros = entry.largest_micros.max(micros.abs());
    }
    if let Some(found) = &mut found
        && found.first == 0
        && high.saturating_sub(low) as f64 <= coarse
        && found.largest_micros > 0
    {
        found.shift_micros = Some(low / 2 + high / 2 + (low % 2 + high % 2) / 2);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(num: i64, den: i64) -> TimeBase {
        TimeBase::new(num, den).unwrap()
    }

    fn some(list: &[i64]) -> Vec<Option<i64>> {
        list.iter().copied().map(Some).collect()
    }

    #[test]
    fn equal_moments_in_unlike_bases_are_equal() {
        let a = some(&[0, 1001, 2002]);
        let b = some(&[0, 3003, 6006]);
        assert_eq!(compare(&a, base(1, 30_000), &b, base(1, 90_000), 0), None);
    }

    #[test]
    fn one_tick_is_a_difference_unless_it_is_tolerated() {
        let a = some(&[0, 3000, 6000]);
        let b = some(&[0, 3000, 6001]);
        let (x, y) = (base(1, 90_000), base(1, 90_000));
        let found = compare(&a, x, &b, y, 0).unwrap();
        assert_eq!((found.first, found.count), (2, 1));
        assert_eq!((found.largest_micros, found.shift_micros), (11, None));
        assert_eq!(compare(&a, x, &b, y, 20), None);
    }

    #[test]
    fn a_common_shift_is_told_as_one() {
        let a = some(&[0, 40, 80]);
        let b = some(&[126_000, 129_600, 133_200]);
        let found = compare(&a, base(1, 1_000), &b, base(1, 90_000), 0).unwrap();
        assert_eq!(found.shift_micros, Some(1_400_000));
        assert_eq!(found.count, 3);
    }

    #[test]
    fn a_missing_time_is_a_difference_and_the_largest_numbers_do_no_harm() {
        let one = base(1, 1);
        let found = compare(&[None], one, &[Some(5)], one, 1_000_000).unwrap();
        assert_eq!((found.first, found.count), (0, 1));
        let far = base(i64::from(i32::MAX), 1);
        let near = base(1, i64::from(i32::MAX));
        let found = compare(&[Some(i64::MIN)], far, &[Some(i64::MAX)], near, 0).unwrap();
        assert_eq!(found.largest_micros, i64::MAX);
    }
}
