//! JPEG, and the first picture of an MPO.

use super::jpeg_walk::has_all_blocks;
use super::{Header, Source, Stored, icc_space, stated_orientation, take_exif, zeroed};
use crate::color::{cmyk_to_rgb, to_8_bits, to_16_bits};
use crate::error::Fault;
use crate::exif;
use crate::picture::{Channels, Limits, Metadata, Samples};
use frameloom_core::media::Warning;
use frameloom_core::said;
use frameloom_core::said::Said;
use std::io::Read;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// A file of more bytes than this is not read into memory.
const MAX_FILE_BYTES: u64 = 1 << 30;

pub(super) fn header(source: Source<'_>) -> Result<Header, Fault> {
    let bytes = whole(source)?;
    let segments = Segments::scan(&bytes)?;
    describe(&segments)
}

pub(super) fn read(source: Source<'_>, limits: &Limits) -> Result<Stored, Fault> {
    let bytes = whole(source)?;
    let segments = Segments::scan(&bytes)?;
    let mut header = describe(&segments)?;
    let count = limits.samples(header.width, header.height, header.layout.count(), 1)?;
    if segments.entropy_bytes == 0 {
        return Err(Fault::Damaged("it ends before the picture begins".into()));
    }
    let cmyk = segments.components == 4;
    let (samples, complete) = if cmyk {
        limits.samples(header.width, header.height, 4, 1)?;
        let len = header.width as usize * header.height as usize * 4;
        let (inks, complete) = decode(&bytes, len, &header)?;
        let rgb = inks_to_rgb(inks, &segments, header.metadata.icc.as_deref());
        if header.metadata.icc.take().is_some() {
            header.warnings.push(Warning::dropped(said!(
                "lost.ink_profile",
                "the colour profile of the inks (the picture became sRGB)"
            )));
        }
        (rgb, complete)
    } else {
        decode(&bytes, count, &header)?
    };
    if !complete || !segments.ends || !has_all_blocks(&bytes) {
        header.warnings.push(Warning::DamagedStill);
    }
    Ok(Stored {
        header,
        samples: Samples::U8(samples),
    })
}

fn whole(source: Source<'_>) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    source.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Fault::unsupported("a file of more than 1 GiB"));
    }
    Ok(bytes)
}

/// The samples, and whether the data was sound. The decoder fills gaps with grey in silence
/// unless it is strict, so the strict attempt comes first.
fn decode(bytes: &[u8], len: usize, header: &Header) -> Result<(Vec<u8>, bool), Fault> {
    let attempt = |strict: bool, out: &mut [u8]| -> Result<(), Fault> {
        let options = DecoderOptions::default()
            .set_strict_mode(strict)
            .set_max_width(usize::MAX)
            .set_max_height(usize::MAX);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers()?;
        let stored = decoder.input_colorspace().unwrap_or(ColorSpace::YCbCr);
        let wanted = match stored {
            ColorSpace::Luma | ColorSpace::CMYK | ColorSpace::YCCK => stored,
            _ => ColorSpace::RGB,
        };
        decoder.set_options(options.jpeg_set_out_colorspace(wanted));
        let size = (header.width as usize, header.height as usize);
        if decoder.dimensions() != Some(size) || decoder.output_buffer_size() != Some(out.len()) {
            return Err(Fault::Damaged("its headers contradict each other".into()));
        }
        Ok(decoder.decode_into(out)?)
    };
    let mut out = zeroed::<u8>(len)?;
    let Err(strict_fault) = attempt(true, &mut out) else {
        return Ok((out, true));
    };
    out.fill(128);
    attempt(false, &mut out)?;
    // Stray bytes between two headers harm nothing.
    let harmless = matches!(&strict_fault, Fault::Damaged(what) if what.contains("Extra bytes"));
    if !harmless {
        tracing::debug!(?strict_fault, "damaged JPEG");
    }
    Ok((out, harmless))
}

/// Four ink samples a pixel to RGB, in place: by the profile where it can be used.
fn inks_to_rgb(mut data: Vec<u8>, segments: &Segments<'_>, icc: Option<&[u8]>) -> Vec<u8> {
    // Adobe stores the paper that is left, not the ink.
    for pixel in data.chunks_exact_mut(4) {
        if segments.adobe_transform == Some(2) {
            // C = 255 - R, stored as the paper: the ink is R again.
            let rgb = ycc_to_rgb(pixel[0], pixel[1], pixel[2]);
            pixel[..3].copy_from_slice(&rgb);
            pixel[3] = 255 - pixel[3];
        } else if segments.adobe_transform.is_some() {
            pixel.iter_mut().for_each(|v| *v = 255 - *v);
        }
    }
    let pixels = data.len() / 4;
    if let Some(transform) = icc.and_then(crate::preview::inks_to_srgb) {
        let mut rgb = vec![0; pixels * 3];
        if transform.transform(&data, &mut rgb).is_ok() {
            return rgb;
        }
    }
    for index in 0..pixels {
        let at = index * 4;
        let inks = [data[at], data[at + 1], data[at + 2], data[at + 3]].map(to_16_bits);
        let rgb = cmyk_to_rgb(inks).map(to_8_bits);
        data[index * 3..index * 3 + 3].copy_from_slice(&rgb);
    }
    data.truncate(pixels * 3);
    data
}

/// JFIF's YCbCr (BT.601, full range).
fn ycc_to_rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    [
        y + 1.402 * cr,
        y - 0.344_136 * cb - 0.714_136 * cr,
        y + 1.772 * cb,
    ]
    .map(|v| (v + 0.5) as u8)
}

fn describe(segments: &Segments<'_>) -> Result<Header, Fault> {
    let layout = match segments.components {
        1 => Channels::Gray,
        3 | 4 => Channels::Rgb,
        n => return Err(Fault::unsupported(format!("{n} components"))),
    };
    if segments.precision != 8 {
        return Err(Fault::unsupported(format!("{} bits", segments.precision)));
    }
    let mut metadata = Metadata {
        icc: segments.icc(),
        xmp: segments.xmp.map(<[u8]>::to_vec),
        ..Metadata::default()
    };
    let mut warnings = Vec::new();
    if let Some(exif) = segments.exif {
        take_exif(exif, &mut metadata, &mut warnings);
    }
    let exif_dpi = metadata
        .exif
        .as_deref()
        .and_then(exif::parse)
        .and_then(|directories| directories.dpi());
    metadata.dpi = segments.dpi.or(exif_dpi);
    let mut dropped = |present: bool, what: Said| {
        if present {
            warnings.push(Warning::dropped(what));
        }
    };
    dropped(
        segments.more_pictures,
        said!(
            "lost.more_pictures",
            "the further pictures in the file (MPO: second view, gain map or preview)"
        ),
    );
    dropped(
        segments.extended_xmp,
        said!("lost.extended_xmp", "the extended part of the XMP metadata"),
    );
    dropped(
        segments.photoshop,
        said!("lost.photoshop", "Photoshop and IPTC metadata (APP13)"),
    );
    dropped(
        segments.comment,
        said!("lost.comment", "the comment in the file"),
    );
    let space_fits = match metadata.icc.as_deref().and_then(icc_space) {
        Some(space) => match segments.components {
            1 => &space == b"GRAY" || &space == b"RGB ",
            3 => &space == b"RGB ",
            _ => &space == b"CMYK",
        },
        None => metadata.icc.is_none(),
    };
    if !space_fits {
        metadata.icc = None;
        warnings.push(Warning::dropped(said!(
            "lost.other_profile",
            "the colour profile (it is for another kind of picture)"
        )));
    }
    Ok(Header {
        width: segments.width,
        height: segments.height,
        layout,
        bits: 8,
        orientation: stated_orientation(&metadata),
        metadata,
        frames: 1,
        warnings,
    })
}

/// The marker segments of the first picture (ITU-T T.81, annex B).
#[derive(Default)]
struct Segments<'a> {
    width: u32,
    height: u32,
    components: u8,
    precision: u8,
    exif: Option<&'a [u8]>,
    xmp: Option<&'a [u8]>,
    icc_parts: Vec<(u8, u8, &'a [u8])>,
    dpi: Option<(f64, f64)>,
    adobe_transform: Option<u8>,
    more_pictures: bool,
    extended_xmp: bool,
    photoshop: bool,
    comment: bool,
    /// Bytes of coded picture.
    entropy_bytes: usize,
    /// The end marker is there.
    ends: bool,
}

impl<'a> Segments<'a> {
    fn scan(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut segments = Self::default();
        let mut at = 2;
        // Fill bytes and stray bytes before a marker are skipped.
        while let Some(found) = bytes
            .get(at..)
            .and_then(|rest| rest.iter().position(|b| *b == 0xff))
        {
            let marker_at = at + found + 1;
            let Some(&marker) = bytes.get(marker_at) else {
                break;
            };
            match marker {
                0xd9 => {
                    segments.ends = true;
                    break;
                }
                0xff => at = marker_at,
                0x00 | 0x01 | 0xd0..=0xd8 => at = marker_at + 1,
                _ => {
                    let Some(body) = segment_body(bytes, marker_at + 1) else {
                        break;
                    };
                    at = marker_at + 3 + body.len();
                    segments.take(marker, body);
                    if marker == 0xda {
                        let coded = coded_len(&bytes[at..]);
                        segments.entropy_bytes += coded;
                        at += coded;
                    }
                }
            }
        }
        if segments.width == 0 || segments.height == 0 {
            return Err(Fault::Damaged("it has no picture header".into()));
        }
        Ok(segments)
    }

    fn take(&mut self, marker: u8, body: &'a [u8]) {
        match marker {
            // Frame headers; C4, C8 and CC are tables.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                if let [precision, h1, h0, w1, w0, components, ..] = *body
                    && self.components == 0
                {
                    self.precision = precision;
                    self.height = u32::from(u16::from_be_bytes([h1, h0]));
                    self.width = u32::from(u16::from_be_bytes([w1, w0]));
                    self.components = components;
                }
            }
            0xe0 => {
                if let Some([_, _, unit, x1, x0, y1, y0, ..]) = body.strip_prefix(b"JFIF\0") {
                    let x = f64::from(u16::from_be_bytes([*x1, *x0]));
                    let y = f64::from(u16::from_be_bytes([*y1, *y0]));
                    self.dpi = match unit {
                        1 if x > 0.0 && y > 0.0 => Some((x, y)),
                        2 if x > 0.0 && y > 0.0 => Some((x * 2.54, y * 2.54)),
                        _ => None,
                    };
                }
            }
            0xe1 => {
                if let Some(exif) = body.strip_prefix(b"Exif\0") {
                    self.exif = self.exif.or(exif.get(1..));
                } else if let Some(xmp) = body.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
                    self.xmp = self.xmp.or(Some(xmp));
                } else if body.starts_with(b"http://ns.adobe.com/xmp/extension/\0") {
                    self.extended_xmp = true;
                }
            }
            0xe2 => {
                if let Some([index, count, part @ ..]) = body.strip_prefix(b"ICC_PROFILE\0") {
                    self.icc_parts.push((*index, *count, part));
                } else if body.starts_with(b"MPF\0") {
                    self.more_pictures = true;
                }
            }
            0xed => self.photoshop |= body.starts_with(b"Photoshop 3.0\0"),
            0xee => {
                if let Some([_, _, _, _, _, _, transform, ..]) = body.strip_prefix(b"Adobe") {
                    self.adobe_transform = Some(*transform);
                }
            }
            0xfe => self.comment = true,
            _ => {}
        }
    }

    /// The profile, if all its parts are there.
    fn icc(&self) -> Option<Vec<u8>> {
        let mut parts = self.icc_parts.clone();
        parts.sort_by_key(|(index, ..)| *index);
        let is_whole = parts.iter().enumerate().all(|(n, (index, count, _))| {
            usize::from(*index) == n + 1 && usize::from(*count) == parts.len()
        });
        (is_whole && !parts.is_empty()).then(|| {
            parts
                .iter()
                .flat_map(|(_, _, part)| *part)
                .copied()
                .collect()
        })
    }
}

/// The bytes behind the length field at `at`; `None` if the file ends before.
fn segment_body(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    bytes.get(at + 2..at.checked_add(length.max(2))?)
}

/// Bytes up to the next marker that is no restart marker.
pub(super) fn coded_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|b| *b == 0xff) {
        at += found;
        match bytes.get(at + 1) {
            Some(0x00 | 0xd0..=0xd7) => at += 2,
            Some(0xff) => at += 1,
            Some(_) => return at,
            None => break,
        }
    }
    bytes.len()
}
