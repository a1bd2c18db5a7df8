//! The layout of a decoded picture: planes of 8-bit or 16-bit native-endian samples.
//!
//! All code past the decoder sees only these layouts. Packed and semi-planar formats (NV12,
//! RGB24, palettes, ...) are unpacked to the planar layout that holds them without loss.

use serde::{Deserialize, Serialize};
use std::fmt;
use ts_rs::TS;

/// What the planes of a picture mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Planes {
    /// One plane of luma.
    Gray,
    /// Y, Cb, Cr; the chroma planes are smaller by these shifts (log2), rounded up.
    Yuv {
        /// 1 for 4:2:0 and 4:2:2, 0 for 4:4:4 and 4:4:0.
        shift_x: u8,
        /// 1 for 4:2:0 and 4:4:0, 0 for 4:2:2 and 4:4:4.
        shift_y: u8,
    },
    /// G, B, R in this order, as ffmpeg's GBRP.
    Gbr,
}

/// Planes, bits per sample and alpha. More than 8 bits are stored in 16-bit words, low-aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct PixelFormat {
    /// What the planes mean.
    pub planes: Planes,
    /// Significant bits per sample, 8 to 16.
    pub bits: u8,
    /// A last plane of full size holds straight alpha.
    pub alpha: bool,
}

impl PixelFormat {
    /// 8-bit 4:2:0, the format of nearly all video.
    pub const YUV420P8: PixelFormat = PixelFormat {
        planes: Planes::Yuv {
            shift_x: 1,
            shift_y: 1,
        },
        bits: 8,
        alpha: false,
    };

    /// Number of planes, alpha included.
    pub fn plane_count(self) -> usize {
        let color = match self.planes {
            Planes::Gray => 1,
            Planes::Yuv { .. } | Planes::Gbr => 3,
        };
        color + usize::from(self.alpha)
    }

    /// Bytes per sample: 1 or 2.
    pub fn sample_bytes(self) -> usize {
        if self.bits > 8 { 2 } else { 1 }
    }

    /// The largest sample value.
    pub fn max_value(self) -> u16 {
        ((1u32 << self.bits) - 1) as u16
    }

    /// Size in samples of plane `index` of a `width` x `height` picture.
    pub fn plane_size(self, index: usize, width: u32, height: u32) -> (u32, u32) {
        match self.planes {
            Planes::Yuv { shift_x, shift_y } if index == 1 || index == 2 => {
                (ceil_shift(width, shift_x), ceil_shift(height, shift_y))
            }
            _ => (width, height),
        }
    }

    /// The index of the alpha plane.
    pub fn alpha_plane(self) -> Option<usize> {
        self.alpha.then(|| self.plane_count() - 1)
    }
}

fn ceil_shift(value: u32, shift: u8) -> u32 {
    (value + (1 << shift) - 1) >> shift
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let a = if self.alpha { "a" } else { "" };
        match self.planes {
            Planes::Gray => write!(f, "gray{a}")?,
            Planes::Gbr => write!(f, "gbr{a}p")?,
            Planes::Yuv { shift_x, shift_y } => {
                let sub = match (shift_x, shift_y) {
                    (1, 1) => "420",
                    (1, 0) => "422",
                    (0, 1) => "440",
                    _ => "444",
                };
                write!(f, "yuv{a}{sub}p")?;
            }
        }
        if self.bits > 8 {
            write!(f, "{}", self.bits)?;
        }
        Ok(())
    }
}

/// Samples of one plane. Rows are `stride` samples apart; `data` holds at least
/// `stride * (height - 1) + width` samples.
#[derive(Debug, Clone, Copy)]
pub struct PlaneRef<'a, T> {
    /// The samples.
    pub data: &'a [T],
    /// Distance between rows, in samples.
    pub stride: usize,
    /// Samples per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl<'a, T> PlaneRef<'a, T> {
    /// Row `y`, `width` samples long.
    ///
    /// # Panics
    /// If `y` is outside or `data` is shorter than promised.
    #[inline]
    pub fn row(&self, y: usize) -> &'a [T] {
        &self.data[y * self.stride..][..self.width]
    }
}

/// Writable twin of [`PlaneRef`].
#[derive(Debug)]
pub struct PlaneMut<'a, T> {
    /// The samples.
    pub data: &'a mut [T],
    /// Distance between rows, in samples.
    pub stride: usize,
    /// Samples per row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl<T> PlaneMut<'_, T> {
    /// Row `y`, `width` samples long.
    ///
    /// # Panics
    /// If `y` is outside or `data` is shorter than promised.
    #[inline]
    pub fn row_mut(&mut self, y: usize) -> &mut [T] {
        &mut self.data[y * self.stride..][..self.width]
    }

    /// The same plane for reading.
    #[inline]
    pub fn as_ref(&self) -> PlaneRef<'_, T> {
        PlaneRef {
            data: self.data,
            stride: self.stride,
            width: self.width,
            height: self.height,
        }
    }

    /// A shorter-lived borrow of the same plane.
    #[inline]
    pub fn reborrow(&mut self) -> PlaneMut<'_, T> {
        PlaneMut {
            data: self.data,
            stride: self.stride,
            width: self.width,
            height: self.height,
        }
    }
}

/// One plane of either depth.
#[derive(Debug, Clone, Copy)]
pub enum AnyPlane<'a> {
    /// 8-bit samples.
    U8(PlaneRef<'a, u8>),
    /// 9 to 16-bit samples.
    U16(PlaneRef<'a, u16>),
}

/// Writable twin of [`AnyPlane`].
#[derive(Debug)]
pub enum AnyPlaneMut<'a> {
    /// 8-bit samples.
    U8(PlaneMut<'a, u8>),
    /// 9 to 16-bit samples.
    U16(PlaneMut<'a, u16>),
}

/// A sample of a picture: 8-bit, 16-bit or float.
pub trait Sample: Copy + Default + Send + Sync + 'static {
    /// The sample as it is.
    fn to_f32(self) -> f32;
    /// The nearest sample from 0 to `max`; a float stays as it is.
    fn nearest(value: f32, max: f32) -> Self;
}

/// 1.5 * 2^23: added to a float below 2^22 it leaves the nearest integer in the low bits, with
/// ties to even. Unlike a cast it needs no care for NaN and vectorises on every target.
const INTEGER_IN_LOW_BITS: f32 = 12_582_912.0;

#[inline(always)]
fn clamp(value: f32, max: f32) -> f32 {
    // In this form a NaN becomes 0 and each line is one instruction.
    let value = if value > 0.0 { value } else { 0.0 };
    if value < max { value } else { max }
}

impl Sample for u8 {
    #[inline(always)]
    fn to_f32(self) -> f32 {
        f32::from(self)
    }
    #[inline(always)]
    fn nearest(value: f32, max: f32) -> Self {
        (clamp(value, max) + INTEGER_IN_LOW_BITS).to_bits() as u8
    }
}

impl Sample for u16 {
    #[inline(always)]
    fn to_f32(self) -> f32 {
        f32::from(self)
    }
    #[inline(always)]
    fn nearest(value: f32, max: f32) -> Self {
        (clamp(value, max) + INTEGER_IN_LOW_BITS).to_bits() as u16
    }
}

impl Sample for f32 {
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }
    #[inline(always)]
    fn nearest(value: f32, _max: f32) -> Self {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chroma_of_an_odd_picture_covers_the_last_column_and_row() {
        assert_eq!(PixelFormat::YUV420P8.plane_size(1, 161, 121), (81, 61));
        assert_eq!(PixelFormat::YUV420P8.plane_size(0, 161, 121), (161, 121));
    }

    #[test]
    fn names_are_those_of_the_field() {
        let ten = PixelFormat {
            bits: 10,
            ..PixelFormat::YUV420P8
        };
        assert_eq!(ten.to_string(), "yuv420p10");
        let gbra = PixelFormat {
            planes: Planes::Gbr,
            bits: 16,
            alpha: true,
        };
        assert_eq!(gbra.to_string(), "gbrap16");
        assert_eq!(gbra.alpha_plane(), Some(3));
    }

    #[test]
    fn a_number_becomes_the_nearest_sample_in_range() {
        for (value, byte) in [
            (-3.0, 0),
            (0.49, 0),
            (0.51, 1),
            (127.6, 128),
            (254.4, 254),
            (300.0, 255),
            (f32::NAN, 0),
            (f32::INFINITY, 255),
            (f32::NEG_INFINITY, 0),
        ] {
            assert_eq!(u8::nearest(value, 255.0), byte, "{value}");
        }
        assert_eq!(u16::nearest(65_534.6, 65_535.0), 65_535);
        assert_eq!(u16::nearest(1_022.7, 1_023.0), 1_023);
        assert_eq!(u16::nearest(1_030.0, 1_023.0), 1_023);
    }
}
