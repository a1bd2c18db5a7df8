//! Strips and tiles of a TIFF: unpacked by the `tiff` crate where it knows the kind of samples,
//! else here (palettes, Lab, odd depths), and set into the picture.

use super::tiff::{Tiff, layout_of};
use crate::color::{cmyk_to_rgb, float_to_u16, lab_to_srgb, to_8_bits, to_16_bits};
use crate::error::Fault;
use crate::picture::{Channels, Samples};
use std::io::{Read, Seek, SeekFrom};
use tiff::decoder::DecodingResult;
use tiff::tags::{ByteOrder, CompressionMethod, Tag};

/// What the samples of a pixel mean.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
    Cmyk,
    Ycc,
    /// Red, green and blue of every index.
    Palette(Vec<[u16; 3]>),
    /// `signed`: a and b are two's complement (CIELab), else shifted by half (ICCLab).
    Lab {
        signed: bool,
    },
}

/// How the picture is cut and stored.
pub(super) struct Chunks {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) layout: Channels,
    pub(super) kind: Kind,
    pub(super) premultiplied: bool,
    /// Channels beyond colour and alpha are there.
    pub(super) extra_dropped: bool,
    bits: u16,
    samples: usize,
    planar: bool,
    format: u16,
    white_is_zero: bool,
    compression: CompressionMethod,
    predictor: u16,
    chunk_width: u32,
    chunk_height: u32,
}

/// 8 and 16-bit samples.
pub(super) trait Sample: Copy {
    fn from_8(value: u8) -> Self;
    fn from_16(value: u16) -> Self;
}

impl Sample for u8 {
    fn from_8(value: u8) -> Self {
        value
    }
    fn from_16(value: u16) -> Self {
        to_8_bits(value)
    }
}

impl Sample for u16 {
    fn from_8(value: u8) -> Self {
        to_16_bits(value)
    }
    fn from_16(value: u16) -> Self {
        value
    }
}

/// Unpacked samples, `per_pixel` for every pixel, rows without padding.
enum Unpacked {
    U8(Vec<u8>),
    U16(Vec<u16>),
}

impl Chunks {
    pub(super) fn describe(tiff: &mut Tiff<'_>) -> Result<Self, Fault> {
        let (width, height) = tiff.dimensions()?;
        let (chunk_width, chunk_height) = tiff.chunk_dimensions();
        let numbers = |tiff: &mut Tiff<'_>, tag: Tag| -> Result<Vec<u16>, Fault> {
            Ok(tiff.find_tag_unsigned_vec::<u16>(tag)?.unwrap_or_default())
        };
        let first = |values: Vec<u16>, default: u16| values.first().copied().unwrap_or(default);
        let photometric = first(numbers(tiff, Tag::PhotometricInterpretation)?, 1);
        let bits = first(numbers(tiff, Tag::BitsPerSample)?, 1);
        let samples = usize::from(first(numbers(tiff, Tag::SamplesPerPixel)?, 1));
        let extra = numbers(tiff, Tag::ExtraSamples)?;
        let format = first(numbers(tiff, Tag::SampleFormat)?, 1);
        let planar = first(numbers(tiff, Tag::PlanarConfiguration)?, 1) == 2 && samples > 1;
        let compression =
            CompressionMethod::from_u16_exhaustive(first(numbers(tiff, Tag::Compression)?, 1));
        let predictor = first(numbers(tiff, Tag::Predictor)?, 1);
        let alpha_kind = extra.first().copied();
        let has_alpha = matches!(alpha_kind, Some(1 | 2));
        let kind = match (photometric, samples) {
            (0 | 1, n) if n >= 2 && has_alpha => Kind::GrayAlpha,
            (0 | 1, _) => Kind::Gray,
            // Four samples without a word about the fourth: alpha, as everybody reads it.
            (2, n) if n >= 4 && (has_alpha || extra.is_empty()) => Kind::Rgba,
            (2, n) if n >= 3 => Kind::Rgb,
            (3, _) => Kind::Palette(palette(&numbers(tiff, Tag::ColorMap)?)?),
            (5, n) if n >= 4 => Kind::Cmyk,
            (6, n) if n >= 3 => Kind::Ycc,
            (8, n) if n >= 3 => Kind::Lab { signed: true },
            (9, n) if n >= 3 => Kind::Lab { signed: false },
            (8 | 9, 1 | 2) => Kind::Gray,
            (4, _) => return Err(Fault::unsupported("a transparency mask")),
            (kind, n) => {
                return Err(Fault::unsupported(format!(
                    "colour interpretation {kind} with {n} samples"
                )));
            }
        };
        let is_plain = matches!(kind, Kind::Gray | Kind::GrayAlpha | Kind::Rgb | Kind::Rgba);
        if planar && !is_plain {
            return Err(Fault::unsupported("this colour in separate planes"));
        }
        let layout = layout_of(&kind);
        let used = match kind {
            Kind::Cmyk => 4,
            Kind::Palette(_) => 1,
            _ => layout.count(),
        };
        Ok(Self {
            width,
            height,
            layout,
            premultiplied: alpha_kind == Some(1) && layout.has_alpha(),
            extra_dropped: samples > used,
            kind,
            bits,
            samples,
            planar,
            format,
            white_is_zero: photometric == 0,
            compression,
            predictor,
            chunk_width,
            chunk_height,
        })
    }

    /// Depth of the result.
    pub(super) fn out_bits(&self) -> u8 {
        if self.bits <= 8 || matches!(self.kind, Kind::Palette(_)) {
            8
        } else {
            16
        }
    }

    pub(super) fn is_float(&self) -> bool {
        self.format == 3
    }

    /// The samples of a picture that is one strip, without a second copy of them: such files are
    /// common, and large ones would take twice their memory. `None` where [`fill`](Self::fill)
    /// has to do it.
    pub(super) fn take_whole(&self, tiff: &mut Tiff<'_>, count: usize) -> Option<Samples> {
        let is_plain = matches!(
            self.kind,
            Kind::Gray | Kind::GrayAlpha | Kind::Rgb | Kind::Rgba
        );
        if self.planar
            || !is_plain
            || !self.crate_knows()
            || self.chunk_width != self.width
            || self.chunk_height < self.height
        {
            return None;
        }
        let (w, h) = (self.width as usize, self.height as usize);
        match (self.unpack(tiff, 0, w, h).ok()?, self.out_bits()) {
            (Unpacked::U8(data), 8) if data.len() == count => Some(Samples::U8(data)),
            (Unpacked::U16(data), 16) if data.len() == count => Some(Samples::U16(data)),
            _ => None,
        }
    }

    /// Sets every strip or tile into `canvas`. False if some could not be unpacked (their place
    /// stays black); an error if none could.
    pub(super) fn fill<T: Sample>(
        &self,
        tiff: &mut Tiff<'_>,
        canvas: &mut [T],
        channels: usize,
    ) -> Result<bool, Fault> {
        let across = self.width.div_ceil(self.chunk_width);
        let down = self.height.div_ceil(self.chunk_height);
        let per_plane = across
            .checked_mul(down)
            .ok_or(Fault::Damaged("too many tiles".into()))?;
        let planes = if self.planar { self.layout.count() } else { 1 };
        let mut good = 0;
        let mut last_fault = None;
        for plane in 0..planes {
            for index in 0..per_plane {
                let chunk_index = plane as u32 * per_plane + index;
                let x = index % across * self.chunk_width;
                let y = index / across * self.chunk_height;
                let w = self.chunk_width.min(self.width - x) as usize;
                let h = self.chunk_height.min(self.height - y) as usize;
                let unpacked = match self.unpack(tiff, chunk_index, w, h) {
                    Ok(unpacked) => unpacked,
                    Err(fault @ Fault::Unsupported(_)) => return Err(fault),
                    Err(fault) => {
                        last_fault = Some(fault);
                        continue;
                    }
                };
                let place = Place {
                    x: x as usize,
                    y: y as usize,
                    w,
                    h,
                    stride: self.width as usize,
                    channels,
                    plane: self.planar.then_some(plane),
                };
                let set = match unpacked {
                    Unpacked::U8(data) => self.set(canvas, &place, &data, T::from_8, to_16_bits),
                    Unpacked::U16(data) => self.set(canvas, &place, &data, T::from_16, |v| v),
                };
                match set {
                    Some(()) => good += 1,
                    None => last_fault = Some(Fault::Damaged("a strip is too short".into())),
                }
            }
        }
        match last_fault {
            Some(fault) if good == 0 => Err(fault),
            fault => Ok(fault.is_none()),
        }
    }

    /// The tiff crate's colour types; everything else is unpacked here.
    fn crate_knows(&self) -> bool {
        !matches!(self.kind, Kind::Palette(_) | Kind::Lab { .. })
            && (matches!(self.bits, 8 | 16 | 32 | 64) || (self.bits < 8 && self.kind == Kind::Gray))
    }

    fn unpack(
        &self,
        tiff: &mut Tiff<'_>,
        index: u32,
        w: usize,
        h: usize,
    ) -> Result<Unpacked, Fault> {
        if !self.crate_knows() {
            return self.unpack_here(tiff, index, w, h);
        }
        Ok(match tiff.read_chunk(index)? {
            DecodingResult::U8(data) if self.bits < 8 => Unpacked::U8(
                self.widen(&data, w, h)?
                    .into_iter()
                    .map(to_8_bits)
                    .collect(),
            ),
            DecodingResult::U8(data) => Unpacked::U8(data),
            DecodingResult::U16(data) => Unpacked::U16(data),
            DecodingResult::U32(data) => narrowed(data, |v| (v >> 16) as u16),
            DecodingResult::U64(data) => narrowed(data, |v| (v >> 48) as u16),
            DecodingResult::F16(data) => narrowed(data, |v| float_to_u16(v.to_f32())),
            DecodingResult::F32(data) => narrowed(data, float_to_u16),
            DecodingResult::F64(data) => narrowed(data, |v| float_to_u16(v as f32)),
            DecodingResult::I8(data) => {
                Unpacked::U8(data.into_iter().map(|v| (v as u8) ^ 0x80).collect())
            }
            DecodingResult::I16(data) => narrowed(data, |v| (v as u16) ^ 0x8000),
            DecodingResult::I32(data) => narrowed(data, |v| ((v >> 16) as u16) ^ 0x8000),
            DecodingResult::I64(data) => narrowed(data, |v| ((v >> 48) as u16) ^ 0x8000),
        })
    }

    /// Samples per pixel of one chunk.
    fn per_pixel(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    /// Packed samples of any depth to 16 bits; palette indices keep their value.
    fn widen(&self, data: &[u8], w: usize, h: usize) -> Result<Vec<u16>, Fault> {
        let bits = usize::from(self.bits);
        let row_samples = w * self.per_pixel();
        let row_bytes = (row_samples * bits).div_ceil(8);
        let max = (1u32 << bits) - 1;
        let is_index = matches!(self.kind, Kind::Palette(_));
        let mut out = Vec::with_capacity(row_samples * h);
        if data.len() < row_bytes * h {
            return Err(Fault::Damaged("a strip is too short".into()));
        }
        for row in data.chunks_exact(row_bytes).take(h) {
            let (mut held, mut held_bits) = (0u32, 0);
            let mut bytes = row.iter();
            for _ in 0..row_samples {
                while held_bits < bits {
                    held = held << 8 | u32::from(*bytes.next().unwrap_or(&0));
                    held_bits += 8;
                }
                held_bits -= bits;
                let value = held >> held_bits & max;
                out.push(if is_index {
                    value as u16
                } else {
                    ((value * 65_535 + max / 2) / max) as u16
                });
            }
        }
        Ok(out)
    }

    fn unpack_here(
        &self,
        tiff: &mut Tiff<'_>,
        index: u32,
        w: usize,
        h: usize,
    ) -> Result<Unpacked, Fault> {
        if self.format == 3 || !(1..=16).contains(&self.bits) {
            return Err(Fault::unsupported(format!("samples of {} bits", self.bits)));
        }
        // Strips have the width of the picture; tiles are padded to their full width.
        let chunk_w = self.chunk_width as usize;
        let row_samples = chunk_w * self.per_pixel();
        let row_bytes = (row_samples * usize::from(self.bits)).div_ceil(8);
        let mut data = self.raw_bytes(tiff, index, row_bytes * h)?;
        let little = tiff.byte_order() == ByteOrder::LittleEndian;
        if self.bits == 16 && little {
            data.chunks_exact_mut(2).for_each(<[u8]>::reverse);
        }
        if self.predictor == 2 {
            self.undo_predictor(&mut data, row_bytes)?;
        } else if self.predictor != 1 {
            return Err(Fault::unsupported(format!("predictor {}", self.predictor)));
        }
        let mut wide = self.widen(&data, chunk_w, h)?;
        if chunk_w != w {
            let per_pixel = self.per_pixel();
            let cut: Vec<u16> = wide
                .chunks_exact(row_samples)
                .flat_map(|row| &row[..w * per_pixel])
                .copied()
                .collect();
            wide = cut;
        }
        if self.white_is_zero {
            wide.iter_mut().for_each(|v| *v = 65_535 - *v);
        }
        Ok(Unpacked::U16(wide))
    }

    /// Horizontal differences of big-endian samples (TIFF 6.0, section 14).
    fn undo_predictor(&self, data: &mut [u8], row_bytes: usize) -> Result<(), Fault> {
        let step = self.per_pixel();
        for row in data.chunks_exact_mut(row_bytes) {
            match self.bits {
                8 => {
                    for at in step..row.len() {
                        row[at] = row[at].wrapping_add(row[at - step]);
                    }
                }
                16 => {
                    for at in (2 * step..row.len().saturating_sub(1)).step_by(2) {
                        let before =
                            u16::from_be_bytes([row[at - 2 * step], row[at - 2 * step + 1]]);
                        let here = u16::from_be_bytes([row[at], row[at + 1]]);
                        row[at..at + 2].copy_from_slice(&here.wrapping_add(before).to_be_bytes());
                    }
                }
                bits => {
                    return Err(Fault::unsupported(format!("a predictor for {bits} bits")));
                }
            }
        }
        Ok(())
    }

    /// `wanted` unpacked bytes of a chunk.
    fn raw_bytes(&self, tiff: &mut Tiff<'_>, index: u32, wanted: usize) -> Result<Vec<u8>, Fault> {
        let is_tiled = matches!(tiff.get_chunk_type(), tiff::decoder::ChunkType::Tile);
        let (offsets, counts) = if is_tiled {
            (Tag::TileOffsets, Tag::TileByteCounts)
        } else {
            (Tag::StripOffsets, Tag::StripByteCounts)
        };
        let number = |tiff: &mut Tiff<'_>, tag: Tag| -> Result<u64, Fault> {
            tiff.get_tag_u64_vec(tag)?
                .get(index as usize)
                .copied()
                .ok_or(Fault::Damaged("a strip is missing".into()))
        };
        let offset = number(tiff, offsets)?;
        let packed_len = number(tiff, counts)?;
        let source = tiff.inner();
        source.seek(SeekFrom::Start(offset))?;
        let mut packed = source.take(packed_len.min(wanted as u64 * 2 + (1 << 16)));
        let mut out = Vec::new();
        match self.compression {
            CompressionMethod::None => {
                packed.take(wanted as u64).read_to_end(&mut out)?;
            }
            CompressionMethod::Deflate | CompressionMethod::OldDeflate => {
                flate2::read::ZlibDecoder::new(packed)
                    .take(wanted as u64)
                    .read_to_end(&mut out)?;
            }
            CompressionMethod::LZW => {
                let mut bytes = Vec::new();
                packed.read_to_end(&mut bytes)?;
                let mut decoder =
                    weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
                out = super::zeroed(wanted)?;
                let mut filled = 0;
                let mut input = bytes.as_slice();
                while filled < wanted {
                    let step = decoder.decode_bytes(input, &mut out[filled..]);
                    input = input.get(step.consumed_in..).unwrap_or_default();
                    filled += step.consumed_out;
                    if !matches!(step.status, Ok(weezl::LzwStatus::Ok)) {
                        break;
                    }
                }
                out.truncate(filled);
            }
            CompressionMethod::PackBits => {
                let mut bytes = Vec::new();
                packed.read_to_end(&mut bytes)?;
                unpack_bits(&bytes, wanted, &mut out);
            }
            method => {
                return Err(Fault::unsupported(format!(
                    "compression {} for this kind of samples",
                    method.to_u16()
                )));
            }
        }
        if out.len() < wanted {
            return Err(Fault::Damaged("a strip is too short".into()));
        }
        Ok(out)
    }

    /// Sets unpacked samples into the picture; `None` if there are too few.
    fn set<T: Sample, S: Copy>(
        &self,
        canvas: &mut [T],
        place: &Place,
        data: &[S],
        same: impl Fn(S) -> T,
        wide: impl Fn(S) -> u16,
    ) -> Option<()> {
        let pixels = place.w * place.h;
        let n = place.channels;
        if let Some(plane) = place.plane {
            let data = data.get(..pixels)?;
            for (row, y) in data.chunks_exact(place.w).zip(place.y..) {
                let start = (y * place.stride + place.x) * n;
                let target = canvas.get_mut(start..start + place.w * n)?;
                for (pixel, sample) in target.chunks_exact_mut(n).zip(row) {
                    pixel[plane] = same(*sample);
                }
            }
            return Some(());
        }
        // The crate leaves channels out that it does not know: what is there counts.
        let per_pixel = data.len().checked_div(pixels)?;
        let needed = match self.kind {
            Kind::Cmyk => 4,
            Kind::Palette(_) => 1,
            _ => n,
        };
        if per_pixel < needed {
            return None;
        }
        for (row, y) in data.chunks_exact(place.w * per_pixel).zip(place.y..) {
            let start = (y * place.stride + place.x) * n;
            let target = canvas.get_mut(start..start + place.w * n)?;
            for (pixel, s) in target.chunks_exact_mut(n).zip(row.chunks_exact(per_pixel)) {
                match &self.kind {
                    Kind::Gray | Kind::GrayAlpha | Kind::Rgb | Kind::Rgba => {
                        for (to, from) in pixel.iter_mut().zip(s) {
                            *to = same(*from);
                        }
                    }
                    Kind::Cmyk => {
                        let rgb = cmyk_to_rgb([wide(s[0]), wide(s[1]), wide(s[2]), wide(s[3])]);
                        put(pixel, rgb);
                    }
                    Kind::Ycc => put(pixel, ycc([wide(s[0]), wide(s[1]), wide(s[2])])),
                    Kind::Palette(colors) => {
                        let color = colors.get(usize::from(wide(s[0])));
                        put(pixel, color.copied().unwrap_or_default());
                    }
                    Kind::Lab { signed } => {
                        put(pixel, lab([wide(s[0]), wide(s[1]), wide(s[2])], *signed));
                    }
                }
            }
        }
        Some(())
    }
}

struct Place {
    x: usize,
    y: usize,
    w: usize,
    h: usize,
    stride: usize,
    channels: usize,
    plane: Option<usize>,
}

fn put<T: Sample>(pixel: &mut [T], rgb: [u16; 3]) {
    for (to, from) in pixel.iter_mut().zip(rgb) {
        *to = T::from_16(from);
    }
}

fn narrowed<V>(data: Vec<V>, convert: impl Fn(V) -> u16) -> Unpacked {
    Unpacked::U16(data.into_iter().map(convert).collect())
}

/// Reds, then greens, then blues (TIFF 6.0, ColorMap).
fn palette(map: &[u16]) -> Result<Vec<[u16; 3]>, Fault> {
    let count = map.len() / 3;
    if count == 0 {
        return Err(Fault::Damaged("its palette is missing".into()));
    }
    Ok((0..count)
        .map(|i| [map[i], map[count + i], map[2 * count + i]])
        .collect())
}

/// YCbCr of BT.601, full range, as JPEG has it.
fn ycc(samples: [u16; 3]) -> [u16; 3] {
    let [y, cb, cr] = samples.map(f32::from);
    let (cb, cr) = (cb - 32_896.0, cr - 32_896.0);
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
    .map(|v| (v + 0.5) as u16)
}

fn lab(samples: [u16; 3], signed: bool) -> [u16; 3] {
    let lightness = f32::from(samples[0]) / 655.35;
    // 8-bit values arrive times 257, so one unit of a and b is 257 (TIFF technote, CIELab).
    let unit = |v: u16| {
        if signed {
            f32::from((v / 257) as u8 as i8)
        } else {
            f32::from(v) / 257.0 - 128.0
        }
    };
    lab_to_srgb([lightness, unit(samples[1]), unit(samples[2])]).map(float_to_u16)
}

/// PackBits (TIFF 6.0, section 9).
fn unpack_bits(packed: &[u8], wanted: usize, out: &mut Vec<u8>) {
    let mut at = 0;
    while out.len() < wanted {
        let Some(&control) = packed.get(at) else {
            return;
        };
        match control {
            0..=127 => {
                let end = (at + 2 + usize::from(control)).min(packed.len());
                out.extend_from_slice(&packed[at + 1..end]);
                at = end;
            }
            128 => at += 1,
            _ => {
                let Some(&value) = packed.get(at + 1) else {
                    return;
                };
                out.resize(out.len() + 257 - usize::from(control), value);
                at += 2;
            }
        }
    }
    out.truncate(wanted);
}
