//! Packed, semi-planar, paletted and foreign-endian pictures into planes, without loss.

use super::frame::AvFrame;
use super::pixel::AvFormat;
use ffmpeg_sys_next as sys;
use frameloom_core::pixel::{AnyPlaneMut, PixelFormat, Planes};

/// Where a component lies in the source and how it becomes a sample.
#[derive(Clone, Copy)]
struct Component {
    plane: usize,
    step: usize,
    offset: isize,
    shift: u32,
    depth: u32,
    big_endian: bool,
    /// Bits that the target has more; YUV is shifted up, everything else is stretched.
    target_bits: u32,
    stretch: bool,
}

/// True if [`unpack`] takes this format into `target`; the rest is swscale's.
pub(crate) fn can_unpack(format: AvFormat, target: PixelFormat) -> bool {
    let Some(d) = format.descriptor() else {
        return false;
    };
    if format.is_palette() {
        return target.planes == Planes::Gbr && target.bits == 8;
    }
    let other = sys::AV_PIX_FMT_FLAG_BITSTREAM
        | sys::AV_PIX_FMT_FLAG_HWACCEL
        | sys::AV_PIX_FMT_FLAG_FLOAT
        | sys::AV_PIX_FMT_FLAG_BAYER;
    if d.flags & other as u64 != 0 || format.name().starts_with("xyz") {
        return false;
    }
    // Alpha that is known to say nothing may stay behind; it is never made up.
    let like = |planar: PixelFormat| PixelFormat {
        alpha: planar.alpha && target.alpha,
        ..planar
    };
    if format.to_planar().map(like) != Some(target) {
        return false;
    }
    match target.planes {
        Planes::Yuv { shift_x, shift_y } => {
            (d.log2_chroma_w, d.log2_chroma_h) == (shift_x, shift_y)
        }
        Planes::Gray | Planes::Gbr => true,
    }
}

/// Which component of the source fills plane `plane` of the target.
fn component_of(target: PixelFormat, plane: usize, components: usize) -> usize {
    if Some(plane) == target.alpha_plane() {
        return components - 1;
    }
    match target.planes {
        // Gray with alpha: one component for all three.
        Planes::Gbr if components <= 2 => 0,
        // The description lists R, G, B; the planes are G, B, R.
        Planes::Gbr => [1, 2, 0][plane],
        Planes::Gray | Planes::Yuv { .. } => plane,
    }
}

/// Fills `to`, a writable picture of `target` and of the size of `from`. [`can_unpack`] must have
/// said yes for the format of `from`.
pub(crate) fn unpack(from: &AvFrame, to: &mut AvFrame, target: PixelFormat) {
    let format = from.format();
    let Some(d) = format.descriptor() else {
        return;
    };
    if format.is_palette() {
        unpack_palette(from, to, target);
        return;
    }
    let big_endian = d.flags & sys::AV_PIX_FMT_FLAG_BE as u64 != 0;
    let components = usize::from(d.nb_components).clamp(1, 4);
    for plane in 0..target.plane_count() {
        let c = d.comp[component_of(target, plane, components)];
        let alpha = Some(plane) == target.alpha_plane();
        let component = Component {
            plane: c.plane as usize,
            step: c.step as usize,
            offset: c.offset as isize,
            shift: c.shift as u32,
            depth: c.depth as u32,
            big_endian,
            target_bits: u32::from(target.bits),
            stretch: alpha || !matches!(target.planes, Planes::Yuv { .. }),
        };
        unpack_plane(from, component, to.plane_mut(target, plane));
    }
}

fn unpack_plane(from: &AvFrame, c: Component, to: AnyPlaneMut<'_>) {
    let (base, stride) = from.raw_plane(c.plane);
    // Two components may lie in one byte only in bit streams, which are not handled here.
    let bytes = if c.shift + c.depth <= 8 {
        1
    } else if c.shift + c.depth <= 16 {
        2
    } else {
        4
    };
    // A component within one byte of a big-endian word: its offset names the byte before it.
    let first = c.offset + isize::from(bytes == 1 && c.big_endian);
    let mask = ((1u64 << c.depth) - 1) as u32;
    let convert = |raw: u32| {
        let value = (raw >> c.shift) & mask;
        if c.depth == c.target_bits {
            value
        } else if c.stretch {
            let top = (1u32 << c.target_bits) - 1;
            ((u64::from(value) * u64::from(top) + u64::from(mask) / 2) / u64::from(mask)) as u32
        } else {
            value << (c.target_bits - c.depth)
        }
    };
    let row = |y: usize| {
        // SAFETY: the decoder allocated `stride` bytes per row for the whole width of every
        // component, and `y` stays within the picture; so does `x` in the reads below.
        unsafe { base.offset(stride * y as isize + first) }
    };
    match to {
        AnyPlaneMut::U8(mut to) => {
            for y in 0..to.height {
                let (source, target) = (row(y), to.row_mut(y));
                if bytes == 1 && c.depth == 8 && c.target_bits == 8 {
                    for (x, sample) in target.iter_mut().enumerate() {
                        // SAFETY: see `row`.
                        *sample = unsafe { *source.add(x * c.step) };
                    }
                } else {
                    for (x, sample) in target.iter_mut().enumerate() {
                        // SAFETY: see `row`.
                        let raw = unsafe { read(source.add(x * c.step), bytes, c.big_endian) };
                        *sample = convert(raw) as u8;
                    }
                }
            }
        }
        AnyPlaneMut::U16(mut to) => {
            for y in 0..to.height {
                let (source, target) = (row(y), to.row_mut(y));
                for (x, sample) in target.iter_mut().enumerate() {
                    // SAFETY: see `row`.
                    let raw = unsafe { read(source.add(x * c.step), bytes, c.big_endian) };
                    *sample = convert(raw) as u16;
                }
            }
        }
    }
}

/// One little or big endian number of 1, 2 or 4 bytes.
///
/// # Safety
/// `bytes` bytes must be readable at `at`.
#[inline(always)]
unsafe fn read(at: *const u8, bytes: usize, big_endian: bool) -> u32 {
    // SAFETY: as promised by the caller; the reads need no alignment.
    unsafe {
        match (bytes, big_endian) {
            (1, _) => u32::from(*at),
            (2, false) => u32::from(u16::from_le(at.cast::<u16>().read_unaligned())),
            (2, true) => u32::from(u16::from_be(at.cast::<u16>().read_unaligned())),
            (_, false) => u32::from_le(at.cast::<u32>().read_unaligned()),
            (_, true) => u32::from_be(at.cast::<u32>().read_unaligned()),
        }
    }
}

/// The palette of a frame: 256 words of alpha, red, green, blue from high to low.
fn palette(from: &AvFrame) -> [u32; 256] {
    let mut words = [0; 256];
    let (colors, _) = from.raw_plane(1);
    if !colors.is_null() {
        for (index, word) in words.iter_mut().enumerate() {
            // SAFETY: a paletted frame has 1024 bytes in its second plane.
            *word = unsafe { colors.cast::<u32>().add(index).read_unaligned() };
        }
    }
    words
}

/// True if some colour of a paletted picture is not opaque.
pub(crate) fn palette_has_alpha(from: &AvFrame) -> bool {
    palette(from)
        .iter()
        .any(|word| word >> 24 != 0xff && *word != 0)
}

fn unpack_palette(from: &AvFrame, to: &mut AvFrame, target: PixelFormat) {
    let words = palette(from);
    let (base, stride) = from.raw_plane(0);
    for plane in 0..target.plane_count() {
        let shift = [8, 0, 16, 24][plane];
        let AnyPlaneMut::U8(mut to) = to.plane_mut(target, plane) else {
            return;
        };
        for y in 0..to.height {
            for (x, sample) in to.row_mut(y).iter_mut().enumerate() {
                // SAFETY: the first plane holds one byte per pixel, `stride` apart per row.
                let index = unsafe { *base.offset(stride * y as isize).add(x) };
                *sample = (words[usize::from(index)] >> shift) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::scale::{Scaler, Side};
    use frameloom_core::color::{ChromaLocation, Matrix};
    use frameloom_core::pixel::AnyPlane;

    const SIZE: (u32, u32) = (64, 32);

    fn side(format: AvFormat) -> Side {
        Side {
            width: SIZE.0,
            height: SIZE.1,
            format,
            matrix: Matrix::Bt709,
            full_range: true,
            chroma: ChromaLocation::Left,
        }
    }

    /// A slope of its own in every plane.
    fn slopes(format: PixelFormat) -> AvFrame {
        let mut frame = AvFrame::zeroed(format, SIZE.0, SIZE.1).unwrap();
        let top = usize::from(format.max_value());
        for plane in 0..format.plane_count() {
            let value = |x: usize, y: usize, w: usize, h: usize| match plane {
                0 => top * x / w,
                1 => top * y / h,
                2 => top - top * x / w,
                _ => top / 2 + top * y / h / 2,
            };
            match frame.plane_mut(format, plane) {
                AnyPlaneMut::U8(mut p) => {
                    let (w, h) = (p.width, p.height);
                    for y in 0..h {
                        let row = p.row_mut(y).iter_mut().enumerate();
                        row.for_each(|(x, s)| *s = value(x, y, w, h) as u8);
                    }
                }
                AnyPlaneMut::U16(mut p) => {
                    let (w, h) = (p.width, p.height);
                    for y in 0..h {
                        let row = p.row_mut(y).iter_mut().enumerate();
                        row.for_each(|(x, s)| *s = value(x, y, w, h) as u16);
                    }
                }
            }
        }
        frame
    }

    fn samples(frame: &AvFrame, format: PixelFormat, plane: usize) -> Vec<f64> {
        match frame.plane(format, plane) {
            AnyPlane::U8(p) => (0..p.height)
                .flat_map(|y| p.row(y).iter().map(|s| f64::from(*s)))
                .collect(),
            AnyPlane::U16(p) => (0..p.height)
                .flat_map(|y| p.row(y).iter().map(|s| f64::from(*s)))
                .collect(),
        }
    }

    /// swscale packs, the code here unpacks: every plane must come back.
    #[test]
    fn what_swscale_packs_is_unpacked_again() {
        let mut tested = Vec::new();
        for number in 0..sys::AVPixelFormat::AV_PIX_FMT_NB as i32 {
            let format = AvFormat(number);
            let Some(target) = format.to_planar() else {
                continue;
            };
            let packable = can_unpack(format, target) && !format.is_palette();
            // SAFETY: a format number in range.
            let known = format
                .to_enum()
                .is_some_and(|f| unsafe { sys::sws_isSupportedOutput(f) } > 0);
            let gray_alpha = format.name().starts_with("ya");
            if !packable || !known || gray_alpha || format.as_planar().is_some() {
                continue;
            }
            let original = slopes(target);
            let mut packed = AvFrame::new().unwrap();
            // SAFETY: a blank frame is described and given buffers.
            unsafe {
                let raw = packed.as_mut_ptr();
                (*raw).width = SIZE.0 as i32;
                (*raw).height = SIZE.1 as i32;
                (*raw).format = number;
                assert!(sys::av_frame_get_buffer(raw, 0) >= 0);
            }
            let from = side(crate::ffi::pixel::av_format(target).unwrap());
            let mut scaler = Scaler::new(from, side(format)).unwrap();
            scaler.run(&original, &mut packed).unwrap();
            let mut back = AvFrame::zeroed(target, SIZE.0, SIZE.1).unwrap();
            unpack(&packed, &mut back, target);
            let top = f64::from(target.max_value());
            // What the format itself cannot hold, and a little for swscale's dither.
            let coarse = format.descriptor().map_or(8, |d| {
                (0..3).map(|i| d.comp[i].depth.max(1)).min().unwrap_or(8)
            });
            let allowed = top * (1.5 / f64::from((1u32 << coarse.min(16)) - 1) + 0.012);
            for plane in 0..target.plane_count() {
                let (a, b) = (
                    samples(&original, target, plane),
                    samples(&back, target, plane),
                );
                let mean =
                    a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f64>() / a.len() as f64;
                assert!(mean <= allowed, "{} plane {plane}: {mean}", format.name());
            }
            tested.push(format.name());
        }
        for name in [
            "nv12", "nv21", "p010le", "rgb24", "bgra", "yuyv422", "gbrp10be", "rgb48be",
        ] {
            assert!(
                tested.iter().any(|t| t == name),
                "{name} not among {tested:?}"
            );
        }
    }
}
