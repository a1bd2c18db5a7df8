//! ffmpeg's pixel formats and `core::pixel::PixelFormat`.

use super::util::text_of;
use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use frameloom_core::pixel::{PixelFormat, Planes};
use std::ffi::CString;

/// A pixel format of ffmpeg as its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AvFormat(pub i32);

/// The depths that ffmpeg has for a layout, ascending.
fn depths(planes: Planes, alpha: bool) -> &'static [u8] {
    match (planes, alpha) {
        (Planes::Gray, _) => &[8, 9, 10, 12, 14, 16],
        (Planes::Gbr, false) => &[8, 9, 10, 12, 14, 16],
        (Planes::Gbr, true) => &[8, 10, 12, 16],
        (
            Planes::Yuv {
                shift_x: 0,
                shift_y: 1,
            },
            _,
        ) => &[8, 10, 12],
        (
            Planes::Yuv {
                shift_x: 1,
                shift_y: 1,
            },
            true,
        ) => &[8, 9, 10, 16],
        (Planes::Yuv { .. }, true) => &[8, 9, 10, 12, 16],
        (Planes::Yuv { .. }, false) => &[8, 9, 10, 12, 14, 16],
    }
}

/// The format of `layout` with at least `bits` bits.
fn with_depth(planes: Planes, bits: u8, alpha: bool) -> Option<PixelFormat> {
    let bits = *depths(planes, alpha).iter().find(|d| **d >= bits)?;
    Some(PixelFormat {
        planes,
        bits,
        alpha,
    })
}

impl AvFormat {
    /// Packed red, green, blue bytes, for showing.
    pub(crate) const RGB24: AvFormat = AvFormat(sys::AVPixelFormat::AV_PIX_FMT_RGB24 as i32);

    /// ffmpeg's format for a planar format; `None` where it has none.
    pub(crate) fn from_planar(format: PixelFormat) -> Option<Self> {
        let name = CString::new(format.to_string()).ok()?;
        // SAFETY: the name ends with a zero. The library adds the byte order of this machine.
        let number = unsafe { sys::av_get_pix_fmt(name.as_ptr()) } as i32;
        (number >= 0).then_some(Self(number))
    }

    /// The enum value; `None` for a number that this build of the bindings does not know.
    pub(crate) fn to_enum(self) -> Option<sys::AVPixelFormat> {
        let end = sys::AVPixelFormat::AV_PIX_FMT_NB as i32;
        if !(0..end).contains(&self.0) {
            return None;
        }
        // SAFETY: the variants are numbered from 0 to `AV_PIX_FMT_NB` without a gap.
        Some(unsafe { std::mem::transmute::<i32, sys::AVPixelFormat>(self.0) })
    }

    /// The library's description.
    pub(crate) fn descriptor(self) -> Option<&'static sys::AVPixFmtDescriptor> {
        let format = self.to_enum()?;
        // SAFETY: the function returns null or a pointer into a constant table.
        unsafe { sys::av_pix_fmt_desc_get(format).as_ref() }
    }

    /// ffmpeg's name.
    pub(crate) fn name(self) -> String {
        self.descriptor()
            // SAFETY: the name is a constant string.
            .and_then(|d| unsafe { text_of(d.name) })
            .unwrap_or_else(|| "unknown".to_owned())
    }

    /// Significant bits of the deepest component.
    pub(crate) fn bit_depth(self) -> u8 {
        self.descriptor().map_or(8, |d| {
            let count = usize::from(d.nb_components).min(4);
            let depth = d.comp[..count].iter().map(|c| c.depth).max();
            depth.map_or(8, |d| d.clamp(1, 64) as u8)
        })
    }

    /// True if the format has room for transparency.
    pub(crate) fn has_alpha(self) -> bool {
        self.has_flag(sys::AV_PIX_FMT_FLAG_ALPHA)
    }

    pub(crate) fn is_palette(self) -> bool {
        self.has_flag(sys::AV_PIX_FMT_FLAG_PAL)
    }

    fn has_flag(self, flag: i32) -> bool {
        self.descriptor()
            .is_some_and(|d| d.flags & flag as u64 != 0)
    }

    /// True for JPEG's formats, in which full range is part of the format itself.
    pub(crate) fn is_full_range_by_name(self) -> bool {
        use sys::AVPixelFormat as F;
        matches!(
            self.to_enum(),
            Some(
                F::AV_PIX_FMT_YUVJ420P
                    | F::AV_PIX_FMT_YUVJ422P
                    | F::AV_PIX_FMT_YUVJ444P
                    | F::AV_PIX_FMT_YUVJ440P
                    | F::AV_PIX_FMT_YUVJ411P
            )
        )
    }

    /// The planar format that holds this one without loss; `None` for surfaces of hardware.
    pub(crate) fn to_planar(self) -> Option<PixelFormat> {
        let d = self.descriptor()?;
        if self.has_flag(sys::AV_PIX_FMT_FLAG_HWACCEL) {
            return None;
        }
        let alpha = self.has_alpha();
        let bits = match self.bit_depth() {
            deep if self.has_flag(sys::AV_PIX_FMT_FLAG_FLOAT) || deep > 16 => 16,
            bits => bits.max(8),
        };
        let rgb = self.has_flag(sys::AV_PIX_FMT_FLAG_RGB) || self.is_palette();
        let xyz = self.name().starts_with("xyz");
        let planes = match d.nb_components {
            _ if rgb || xyz || self.has_flag(sys::AV_PIX_FMT_FLAG_BAYER) => Planes::Gbr,
            // Gray with alpha has no planar twin in ffmpeg: three equal planes hold it.
            2 => Planes::Gbr,
            1 => Planes::Gray,
            _ => match (d.log2_chroma_w, d.log2_chroma_h) {
                (0, 0) => Planes::Yuv {
                    shift_x: 0,
                    shift_y: 0,
                },
                (0, _) => Planes::Yuv {
                    shift_x: 0,
                    shift_y: 1,
                },
                (_, 0) => Planes::Yuv {
                    shift_x: 1,
                    shift_y: 0,
                },
                _ => Planes::Yuv {
                    shift_x: 1,
                    shift_y: 1,
                },
            },
        };
        with_depth(planes, bits, alpha)
            // 4:4:0 ends at 12 bits; 4:4:4 holds it.
            .or_else(|| {
                with_depth(
                    Planes::Yuv {
                        shift_x: 0,
                        shift_y: 0,
                    },
                    bits,
                    alpha,
                )
            })
    }

    /// The planar format that this one is already, byte for byte; JPEG's formats count.
    pub(crate) fn as_planar(self) -> Option<PixelFormat> {
        let planar = self.to_planar()?;
        let same = Self::from_planar(planar) == Some(self);
        let d = self.descriptor()?;
        let jpeg = self.is_full_range_by_name() && d.log2_chroma_w <= 1 && d.log2_chroma_h <= 1;
        (same || jpeg).then_some(planar)
    }
}

/// ffmpeg's format for a planar format, or the error that names it.
pub(crate) fn av_format(format: PixelFormat) -> Result<AvFormat, MediaError> {
    AvFormat::from_planar(format).ok_or_else(|| MediaError::UnsupportedPixelFormat {
        format: format.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn av(name: &str) -> AvFormat {
        let name = CString::new(name).unwrap();
        // SAFETY: the name ends with a zero.
        AvFormat(unsafe { sys::av_get_pix_fmt(name.as_ptr()) } as i32)
    }

    #[test]
    fn every_format_finds_a_planar_one_that_is_deep_enough() {
        for number in 0..sys::AVPixelFormat::AV_PIX_FMT_NB as i32 {
            let format = AvFormat(number);
            if format.descriptor().is_none() || format.has_flag(sys::AV_PIX_FMT_FLAG_HWACCEL) {
                continue;
            }
            let planar = format.to_planar();
            let Some(planar) = planar else {
                panic!("no planar format for {}", format.name());
            };
            assert!(
                AvFormat::from_planar(planar).is_some(),
                "{} leads to {planar}, which ffmpeg does not have",
                format.name()
            );
            assert!(planar.bits >= format.bit_depth().min(16) || format.bit_depth() > 16);
            assert_eq!(planar.alpha, format.has_alpha(), "{}", format.name());
        }
    }

    #[test]
    fn packed_and_semi_planar_formats_are_told_from_planar_ones() {
        assert_eq!(av("yuv420p").as_planar(), Some(PixelFormat::YUV420P8));
        assert_eq!(av("yuvj420p").as_planar(), Some(PixelFormat::YUV420P8));
        assert_eq!(av("nv12").as_planar(), None);
        assert_eq!(av("nv12").to_planar(), Some(PixelFormat::YUV420P8));
        assert_eq!(
            av("p010").to_planar().map(|f| f.to_string()).as_deref(),
            Some("yuv420p10")
        );
        assert_eq!(
            av("bgra").to_planar().map(|f| f.to_string()).as_deref(),
            Some("gbrap")
        );
        assert_eq!(
            av("yuv411p").to_planar().map(|f| f.to_string()).as_deref(),
            Some("yuv422p")
        );
        assert_eq!(av("gbrp12be").as_planar(), None);
    }
}
