//! Colour and noise arithmetic of the demo scene. All colours are linear light, 0 to about 4.

use std::ops::{Add, Mul};

/// Linear red, green, blue.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rgb(pub [f32; 3]);

impl Add for Rgb {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|c| self.0[c] + other.0[c]))
    }
}

impl Mul<f32> for Rgb {
    type Output = Self;
    fn mul(self, factor: f32) -> Self {
        Self(self.0.map(|value| value * factor))
    }
}

impl Mul for Rgb {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self(std::array::from_fn(|c| self.0[c] * other.0[c]))
    }
}

/// A colour written as in a style sheet (`0xRRGGBB`, sRGB).
pub fn srgb(hex: u32) -> Rgb {
    let channel = |shift: u32| {
        let value = ((hex >> shift) & 0xff) as f32 / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    Rgb([channel(16), channel(8), channel(0)])
}

/// From `a` (at 0) to `b` (at 1).
pub fn mix(a: Rgb, b: Rgb, amount: f32) -> Rgb {
    a * (1.0 - amount) + b * amount
}

/// 0 below `from`, 1 above `to`, smooth between.
pub fn smooth(from: f32, to: f32, value: f32) -> f32 {
    let x = ((value - from) / (to - from)).clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// The colour at `at` along stops that are sorted by position.
pub fn gradient(stops: &[(f32, Rgb)], at: f32) -> Rgb {
    let after = stops.partition_point(|(position, _)| *position <= at);
    match (
        after.checked_sub(1).and_then(|i| stops.get(i)),
        stops.get(after),
    ) {
        (Some((from, a)), Some((to, b))) => mix(*a, *b, (at - from) / (to - from)),
        (Some((_, only)), None) | (None, Some((_, only))) => *only,
        (None, None) => Rgb::default(),
    }
}

/// A number in 0..1 that looks random and is the same everywhere for the same cell.
pub fn hash(x: i32, y: i32) -> f32 {
    let mut h = (x as u32)
        .wrapping_mul(0x9e37_79b1)
        .wrapping_add((y as u32).wrapping_mul(0x85eb_ca77));
    h ^= h >> 15;
    h = h.wrapping_mul(0x2c1b_3c6d);
    h ^= h >> 12;
    h = h.wrapping_mul(0x297a_2d39);
    h ^= h >> 15;
    (h >> 8) as f32 / (1 << 24) as f32
}

/// Smooth noise, 0 to 1, one feature per unit.
pub fn noise(x: f32, y: f32) -> f32 {
    let (ix, iy) = (x.floor(), y.floor());
    let (fx, fy) = (x - ix, y - iy);
    let (sx, sy) = (fx * fx * (3.0 - 2.0 * fx), fy * fy * (3.0 - 2.0 * fy));
    let (ix, iy) = (ix as i32, iy as i32);
    let top = hash(ix, iy) + (hash(ix + 1, iy) - hash(ix, iy)) * sx;
    let bottom = hash(ix, iy + 1) + (hash(ix + 1, iy + 1) - hash(ix, iy + 1)) * sx;
    top + (bottom - top) * sy
}

/// Noise of several sizes, 0 to about 1.
pub fn fractal(x: f32, y: f32, octaves: u32) -> f32 {
    let (mut sum, mut weight, mut scale) = (0.0, 0.5, 1.0);
    for octave in 0..octaves {
        sum += weight * noise(x * scale + 17.0 * octave as f32, y * scale);
        weight *= 0.5;
        scale *= 2.03;
    }
    sum
}

/// One 8-bit sRGB pixel of linear light, with a soft shoulder for what is brighter than white.
pub fn pixel(color: Rgb) -> [u8; 3] {
    color.0.map(|value| {
        let value = value.max(0.0);
        // The rational curve of K. Narkowicz, "ACES filmic tone mapping curve" (2016).
        let shown = (value * (2.51 * value + 0.03)) / (value * (2.43 * value + 0.59) + 0.14);
        let coded = if shown <= 0.003_130_8 {
            12.92 * shown
        } else {
            1.055 * shown.powf(1.0 / 2.4) - 0.055
        };
        (coded.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
    })
}
