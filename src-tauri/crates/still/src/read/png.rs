//! PNG and the first picture of an APNG.

use super::{Header, Source, Stored, stated_orientation, take_exif, zeroed};
use crate::error::Fault;
use crate::picture::{Channels, Limits, Metadata, PngColor, Samples};
use frameloom_core::media::Warning;
use frameloom_core::said;

/// Memory for the chunks around the picture: a small file may unpack to no more than this.
const CHUNK_BYTES: usize = 256 << 20;

/// Unpacked length of a profile or packet in a text chunk.
const PROFILE_BYTES: usize = 32 << 20;

/// Unpacked length of a text that is carried to the result.
const TEXT_BYTES: usize = 1 << 20;

const XMP_KEYWORD: &str = "XML:com.adobe.xmp";

pub(super) fn header(source: Source<'_>) -> Result<Header, Fault> {
    let reader = start(source)?;
    describe(&reader)
}

pub(super) fn read(source: Source<'_>, limits: &Limits) -> Result<Stored, Fault> {
    let mut reader = start(source)?;
    let mut header = describe(&reader)?;
    let (width, height) = (header.width, header.height);
    let count = limits.samples(
        width,
        height,
        header.layout.count(),
        usize::from(header.bits / 8),
    )?;
    let mut fill = |out: &mut [u8]| fill(&mut reader, out, height as usize);
    let (samples, complete) = if header.bits == 16 {
        let mut samples = zeroed::<u16>(count)?;
        let complete = fill(bytemuck::cast_slice_mut(&mut samples))?;
        // The file is big-endian.
        samples.iter_mut().for_each(|s| *s = u16::from_be(*s));
        (Samples::U16(samples), complete)
    } else {
        let mut samples = zeroed::<u8>(count)?;
        let complete = fill(&mut samples)?;
        (Samples::U8(samples), complete)
    };
    if !complete {
        header.warnings.push(Warning::DamagedStill);
    } else if reader.info().animation_control().is_none() {
        // EXIF, XMP and text may stand behind the picture.
        match reader.finish() {
            Ok(()) => {
                let found = describe(&reader)?;
                header.metadata = found.metadata;
                header.orientation = found.orientation;
            }
            Err(error) => {
                tracing::debug!(%error, "chunks behind the picture are damaged");
                header.warnings.push(Warning::dropped(said!(
                    "lost.behind",
                    "what stands behind the picture in the file (damaged)"
                )));
            }
        }
    }
    if header.frames > 1 {
        header.warnings.push(Warning::FirstFrameOnly);
    }
    Ok(Stored { header, samples })
}

fn start(source: Source<'_>) -> Result<png::Reader<Source<'_>>, Fault> {
    let mut decoder = png::Decoder::new_with_limits(source, png::Limits { bytes: CHUNK_BYTES });
    decoder.set_transformations(png::Transformations::EXPAND);
    Ok(decoder.read_info()?)
}

/// Fills `out` row by row. False if the data ends or breaks in the middle; an error if not one
/// row could be read.
fn fill(
    reader: &mut png::Reader<Source<'_>>,
    out: &mut [u8],
    height: usize,
) -> Result<bool, Fault> {
    if reader.info().interlaced {
        // The passes are spread over the picture while they are read; a broken one is coarser.
        return match reader.next_frame(out) {
            Ok(_) => Ok(true),
            Err(error) if out.iter().all(|byte| *byte == 0) => Err(error.into()),
            Err(_) => Ok(false),
        };
    }
    let line = out.len() / height;
    for (index, row) in out.chunks_exact_mut(line).enumerate() {
        match reader.read_row(row) {
            Ok(Some(_)) => {}
            Ok(None) if index == 0 => return Err(Fault::Damaged("it has no picture data".into())),
            Err(error) if index == 0 => return Err(error.into()),
            Ok(None) | Err(_) => return Ok(false),
        }
    }
    Ok(true)
}

fn describe(reader: &png::Reader<Source<'_>>) -> Result<Header, Fault> {
    let info = reader.info();
    let (color, depth) = reader.output_color_type();
    let layout = match color {
        png::ColorType::Grayscale => Channels::Gray,
        png::ColorType::GrayscaleAlpha => Channels::GrayAlpha,
        png::ColorType::Rgb => Channels::Rgb,
        png::ColorType::Rgba => Channels::Rgba,
        png::ColorType::Indexed => return Err(Fault::Damaged("its palette is missing".into())),
    };
    let bits = match depth {
        png::BitDepth::Sixteen => 16,
        _ => 8,
    };
    let mut metadata = Metadata {
        icc: info.icc_profile.as_ref().map(|icc| icc.to_vec()),
        ..Metadata::default()
    };
    let mut warnings = Vec::new();
    collect_text(info, &mut metadata, &mut warnings);
    if let Some(exif) = &info.exif_metadata {
        take_exif(exif, &mut metadata, &mut warnings);
    }
    if let Some(dims) = info.pixel_dims {
        match dims.unit {
            png::Unit::Meter => {
                let inch = |per_metre: u32| f64::from(per_metre) * 0.0254;
                metadata.dpi = Some((inch(dims.xppu), inch(dims.yppu)));
            }
            png::Unit::Unspecified if dims.xppu != dims.yppu => {
                warnings.push(Warning::dropped(said!(
                    "lost.pixel_shape",
                    "the shape of the pixels (they are not square)"
                )))
            }
            png::Unit::Unspecified => {}
        }
    }
    metadata.png_color = png_color(info);
    Ok(Header {
        width: info.width,
        height: info.height,
        layout,
        bits,
        orientation: stated_orientation(&metadata),
        metadata,
        frames: info.animation_control().map_or(1, |a| a.num_frames.max(1)),
        warnings,
    })
}

fn png_color(info: &png::Info<'_>) -> Option<PngColor> {
    let color = PngColor {
        srgb_intent: info.srgb.map(|intent| intent as u8),
        gamma: info.gama_chunk.map(|gamma| gamma.into_scaled()),
        chromaticities: info.chrm_chunk.map(|c| {
            [c.white, c.red, c.green, c.blue]
                .map(|(x, y)| [x.into_scaled(), y.into_scaled()])
                .as_flattened()
                .try_into()
                .unwrap_or_default()
        }),
        cicp: info.coding_independent_code_points.map(|c| {
            [
                c.color_primaries,
                c.transfer_function,
                c.matrix_coefficients,
                u8::from(c.is_video_full_range_image),
            ]
        }),
    };
    (color != PngColor::default()).then_some(color)
}

fn collect_text(info: &png::Info<'_>, metadata: &mut Metadata, warnings: &mut Vec<Warning>) {
    let latin = info
        .uncompressed_latin1_text
        .iter()
        .map(|chunk| (chunk.keyword.clone(), Some(chunk.text.clone())));
    // A few bytes can unpack to gigabytes: never without a limit.
    let packed = info.compressed_latin1_text.iter().map(|chunk| {
        let mut chunk = chunk.clone();
        let unpacked = chunk.decompress_text_with_limit(PROFILE_BYTES);
        let text = unpacked.and_then(|()| chunk.get_text()).ok();
        (chunk.keyword, text)
    });
    let utf8 = info.utf8_text.iter().map(|chunk| {
        let mut chunk = chunk.clone();
        let unpacked = chunk.decompress_text_with_limit(PROFILE_BYTES);
        let text = unpacked.and_then(|()| chunk.get_text()).ok();
        (chunk.keyword, text)
    });
    for (keyword, text) in latin.chain(packed).chain(utf8) {
        let Some(text) = text else {
            warnings.push(Warning::dropped(said!(
                "lost.text",
                "the text \"{keyword}\" (damaged or too long)",
                keyword = keyword.as_str()
            )));
            continue;
        };
        if keyword == XMP_KEYWORD {
            metadata.xmp = Some(text.into_bytes());
        } else if let Some(kind) = keyword.strip_prefix("Raw profile type ") {
            match (kind, raw_profile(&text)) {
                ("exif" | "APP1", Some(bytes)) if bytes.starts_with(b"http://ns.adobe.com/xap") => {
                    let packet = bytes
                        .iter()
                        .position(|b| *b == 0)
                        .map(|end| &bytes[end + 1..]);
                    metadata.xmp = packet.map(<[u8]>::to_vec).or(metadata.xmp.take());
                }
                ("exif" | "APP1", Some(bytes)) => take_exif(&bytes, metadata, warnings),
                ("xmp", Some(bytes)) => metadata.xmp = Some(bytes),
                ("icc" | "icm", Some(bytes)) if metadata.icc.is_none() => {
                    metadata.icc = Some(bytes);
                }
                _ => metadata.text.push((keyword, text)),
            }
        } else if text.len() > TEXT_BYTES {
            warnings.push(Warning::dropped(said!(
                "lost.long_text",
                "the text \"{keyword}\" (longer than 1 MiB)",
                keyword = keyword.as_str()
            )));
        } else {
            metadata.text.push((keyword, text));
        }
    }
}

/// The bytes of an ImageMagick "raw profile": its name, its length, then hexadecimal digits.
fn raw_profile(text: &str) -> Option<Vec<u8>> {
    let mut lines = text.trim_start().splitn(2, '\n');
    lines.next()?;
    let rest = lines.next()?.trim_start();
    let (length, digits) = rest.split_once('\n')?;
    let length: usize = length.trim().parse().ok()?;
    let digits: Vec<u8> = digits
        .chars()
        .filter_map(|c| c.to_digit(16).map(|digit| digit as u8))
        .collect();
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    (bytes.len() >= length && length > 0).then(|| bytes[..length].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_profile_is_read_from_its_digits() {
        assert_eq!(
            raw_profile("\nexif\n       4\n4578\n6966\n").as_deref(),
            Some(b"Exif".as_slice())
        );
        assert_eq!(raw_profile("\nexif\n       9\n4578\n"), None);
        assert_eq!(raw_profile(""), None);
    }
}
