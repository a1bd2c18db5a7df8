//! The inner loops over samples, compiled once for every x86-64 and once for those with AVX2.
//!
//! Plain Rust with only what every x86-64 has takes about four times as long to round a frame,
//! which is a tenth of the time that a small network needs for it. The loops themselves are safe;
//! the only unsafe act is to enter the AVX2 copy after the processor was asked for AVX2.
#![cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "a function with a target feature can only be entered by unsafe code; the feature is checked in front of it"
    )
)]

use frameloom_core::pixel::Sample;

/// `v * gain + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Affine {
    pub gain: f32,
    pub offset: f32,
}

impl Affine {
    /// Leads from the numbers of `from` (black, white) to those of `to`.
    pub(crate) fn between(from: (f64, f64), to: (f64, f64)) -> Self {
        let gain = (to.1 - to.0) / (from.1 - from.0);
        Self {
            gain: gain as f32,
            offset: (to.0 - from.0 * gain) as f32,
        }
    }

    #[inline(always)]
    fn apply(self, value: f32) -> f32 {
        value * self.gain + self.offset
    }
}

#[inline(always)]
fn load_row<T: Sample>(src: &[T], map: Affine, dst: &mut [f32]) {
    for (d, s) in dst.iter_mut().zip(src) {
        *d = map.apply(s.to_f32());
    }
}

/// The bits of a float without its sign: NaN and infinity are the largest.
#[inline(always)]
fn magnitude(value: f32) -> u32 {
    value.to_bits() & 0x7fff_ffff
}

const INFINITY_BITS: u32 = 0x7f80_0000;

#[inline(always)]
fn store_row<T: Sample, const S: usize>(
    phases: [&[f32]; S],
    map: Affine,
    max: f32,
    dst: &mut [T],
) -> bool {
    let (groups, _) = dst.as_chunks_mut::<S>();
    let n = groups.len();
    let phases = phases.map(|phase| &phase[..n]);
    let mut worst = 0u32;
    for (i, group) in groups.iter_mut().enumerate() {
        *group = std::array::from_fn(|p| {
            let value = phases[p][i];
            worst = worst.max(magnitude(value));
            T::nearest(map.apply(value), max)
        });
    }
    worst < INFINITY_BITS
}

#[inline(always)]
fn blend_row_plain(weights: &[f32], factor: f32, src: &[f32], dst: &mut [f32]) {
    for ((d, s), w) in dst.iter_mut().zip(src).zip(weights) {
        *d += w * factor * s;
    }
}

macro_rules! dispatched {
    ($(#[$doc:meta])* $name:ident [$($generics:tt)*] [$($call:tt)*] ($($arg:ident: $ty:ty),*) -> $ret:ty = $plain:ident) => {
        $(#[$doc])*
        #[inline]
        pub(crate) fn $name<$($generics)*>($($arg: $ty),*) -> $ret {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn with_avx2<$($generics)*>($($arg: $ty),*) -> $ret {
                    $plain($($arg),*)
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has AVX2, which is all that the function asks for.
                    return unsafe { with_avx2::<$($call)*>($($arg),*) };
                }
            }
            $plain($($arg),*)
        }
    };
}

dispatched! {
    /// `dst[i] = map(src[i])`; the shorter length counts.
    load [T: Sample] [T] (src: &[T], map: Affine, dst: &mut [f32]) -> () = load_row
}

dispatched! {
    /// `dst[i * S + p] = nearest(map(phases[p][i]))`: puts `S` rows of sub-pixels side by side and
    /// rounds to samples from 0 to `max`. Every phase must be as long as `dst` divided by `S`.
    /// False if a value is NaN or infinite.
    store [T: Sample, const S: usize] [T, S] (phases: [&[f32]; S], map: Affine, max: f32, dst: &mut [T]) -> bool = store_row
}

dispatched! {
    /// `dst[i] += weights[i] * factor * src[i]`.
    blend [] [] (weights: &[f32], factor: f32, src: &[f32], dst: &mut [f32]) -> () = blend_row_plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAME: Affine = Affine {
        gain: 1.0,
        offset: 0.0,
    };

    #[test]
    fn rounding_is_to_the_nearest_sample_and_stays_in_range() {
        let values: Vec<f32> = (-2000..72_000 * 4).map(|i| i as f32 / 4.0).collect();
        let mut out = vec![0u16; values.len()];
        assert!(store::<u16, 1>([&values], SAME, 1023.0, &mut out));
        for (v, o) in values.iter().zip(&out) {
            let exact = v.clamp(0.0, 1023.0);
            assert!(
                (exact - f32::from(*o)).abs() <= 0.5,
                "{v} became {o}, which is not nearest"
            );
        }
        let mut bytes = vec![0u8; values.len()];
        assert!(store::<u8, 1>([&values], SAME, 255.0, &mut bytes));
        for (v, o) in values.iter().zip(&bytes) {
            assert!((v.clamp(0.0, 255.0) - f32::from(*o)).abs() <= 0.5);
        }
    }

    #[test]
    fn sub_pixels_are_put_side_by_side() {
        let (a, b, c) = ([0.0, 3.0, 6.0], [1.0, 4.0, 7.0], [2.0, 5.0, 8.0]);
        let mut out = [0u8; 9];
        assert!(store::<u8, 3>([&a, &b, &c], SAME, 255.0, &mut out));
        assert_eq!(out, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn one_value_that_is_not_a_number_is_seen_wherever_it_stands() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in 0..67 {
                let mut values = vec![0.5f32; 67];
                values[at] = bad;
                let other = vec![0.5f32; 67];
                let mut out = vec![0u8; 134];
                assert!(!store::<u8, 2>([&other, &values], SAME, 255.0, &mut out));
            }
        }
        assert!(store::<f32, 1>([&[f32::MAX]], SAME, 1.0, &mut [0.0f32]));
    }

    #[test]
    fn a_range_is_mapped_end_to_end() {
        let limited = Affine::between((16.0, 235.0), (0.0, 1.0));
        let mut out = [0.0f32; 2];
        load(&[16u8, 235], limited, &mut out);
        assert!(out[0].abs() < 1e-6 && (out[1] - 1.0).abs() < 1e-6);
        let back = Affine::between((0.0, 1.0), (16.0, 235.0));
        let mut bytes = [0u8; 2];
        assert!(store::<u8, 1>([&out], back, 255.0, &mut bytes));
        assert_eq!(bytes, [16, 235]);
    }
}
