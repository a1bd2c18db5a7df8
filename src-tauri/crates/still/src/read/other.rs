//! The formats that `image` reads whole: GIF, BMP, ICO, PNM, QOI, TGA, Radiance HDR, OpenEXR,
//! Farbfeld.

use super::{Header, Source, Stored, zeroed};
use crate::color::{float_to_u16, linear_to_srgb};
use crate::error::Fault;
use crate::format::SourceFormat;
use crate::orient::Orientation;
use crate::picture::{Channels, Limits, Metadata, Samples};
use frameloom_core::media::Warning;
use frameloom_core::said;
use image::codecs::{bmp, farbfeld, gif, hdr, ico, openexr, pnm, qoi, tga};
use image::{ColorType, ImageDecoder};
use std::io::{Read, Seek, SeekFrom};

pub(super) fn header(mut source: Source<'_>, format: SourceFormat) -> Result<Header, Fault> {
    let frames = count_frames(&mut source, format)?;
    describe(&*open(source, format)?, frames)
}

pub(super) fn read(
    mut source: Source<'_>,
    format: SourceFormat,
    limits: &Limits,
) -> Result<Stored, Fault> {
    let frames = count_frames(&mut source, format)?;
    let mut decoder = open(source, format)?;
    let mut header = describe(&*decoder, frames)?;
    let color = decoder.color_type();
    // Floats take four bytes a sample until they are rounded.
    let sample_bytes = usize::from(color.bytes_per_pixel()) / header.layout.count();
    let count = limits.samples(
        header.width,
        header.height,
        header.layout.count(),
        sample_bytes,
    )?;
    let mut decoder_limits = image::Limits::no_limits();
    decoder_limits.max_alloc = Some(limits.max_bytes.saturating_mul(2));
    decoder.set_limits(decoder_limits)?;
    let samples = match color {
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => {
            let mut samples = zeroed::<u16>(count)?;
            decoder.read_image(bytemuck::cast_slice_mut(&mut samples))?;
            Samples::U16(samples)
        }
        ColorType::Rgb32F | ColorType::Rgba32F => {
            let mut floats = zeroed::<f32>(count)?;
            decoder.read_image(bytemuck::cast_slice_mut(&mut floats))?;
            let channels = header.layout.count();
            let colors = header.layout.color_count();
            let is_outside = |v: &f32| !(0.0..=1.0).contains(v);
            if floats
                .chunks_exact(channels)
                .any(|pixel| pixel[..colors].iter().any(is_outside))
            {
                header.warnings.push(Warning::dropped(said!(
                    "lost.above_white",
                    "brightness above white (the result holds the standard range)"
                )));
            }
            // Both formats hold linear light; the four layouts are encoded as sRGB.
            let encode = |(index, value): (usize, f32)| {
                if index % channels < colors {
                    float_to_u16(linear_to_srgb(value))
                } else {
                    float_to_u16(value)
                }
            };
            Samples::U16(floats.into_iter().enumerate().map(encode).collect())
        }
        _ => {
            let mut samples = zeroed::<u8>(count)?;
            decoder.read_image(&mut samples)?;
            Samples::U8(samples)
        }
    };
    if header.frames > 1 {
        header.warnings.push(Warning::FirstFrameOnly);
    }
    Ok(without_idle_alpha(Stored { header, samples }, format))
}

/// GIF decoders always give alpha. Where every pixel is opaque it is no channel of the picture.
fn without_idle_alpha(mut stored: Stored, format: SourceFormat) -> Stored {
    if format != SourceFormat::Gif || stored.header.layout != Channels::Rgba {
        return stored;
    }
    if let Samples::U8(data) = &mut stored.samples
        && data.chunks_exact(4).all(|pixel| pixel[3] == 255)
    {
        let pixels = data.len() / 4;
        for index in 0..pixels {
            data.copy_within(index * 4..index * 4 + 3, index * 3);
        }
        data.truncate(pixels * 3);
        data.shrink_to_fit();
        stored.header.layout = Channels::Rgb;
    }
    stored
}

fn open(source: Source<'_>, format: SourceFormat) -> Result<Box<dyn ImageDecoder + '_>, Fault> {
    Ok(match format {
        SourceFormat::Gif => Box::new(gif::GifDecoder::new(source)?),
        SourceFormat::Bmp => Box::new(bmp::BmpDecoder::new(source)?),
        SourceFormat::Ico => Box::new(ico::IcoDecoder::new(source)?),
        SourceFormat::Pnm => Box::new(pnm::PnmDecoder::new(source)?),
        SourceFormat::Qoi => Box::new(qoi::QoiDecoder::new(source)?),
        SourceFormat::Tga => Box::new(tga::TgaDecoder::new(source)?),
        SourceFormat::Hdr => Box::new(hdr::HdrDecoder::new(source)?),
        SourceFormat::Exr => Box::new(openexr::OpenExrDecoder::new(source)?),
        SourceFormat::Farbfeld => Box::new(farbfeld::FarbfeldDecoder::new(source)?),
        SourceFormat::Png | SourceFormat::Jpeg | SourceFormat::WebP | SourceFormat::Tiff => {
            return Err(Fault::unsupported("it has a reader of its own"));
        }
    })
}

fn describe(decoder: &dyn ImageDecoder, frames: u32) -> Result<Header, Fault> {
    let (width, height) = decoder.dimensions();
    let (layout, bits) = match decoder.color_type() {
        ColorType::L8 => (Channels::Gray, 8),
        ColorType::La8 => (Channels::GrayAlpha, 8),
        ColorType::Rgb8 => (Channels::Rgb, 8),
        ColorType::Rgba8 => (Channels::Rgba, 8),
        ColorType::L16 => (Channels::Gray, 16),
        ColorType::La16 => (Channels::GrayAlpha, 16),
        ColorType::Rgb16 | ColorType::Rgb32F => (Channels::Rgb, 16),
        ColorType::Rgba16 | ColorType::Rgba32F => (Channels::Rgba, 16),
        other => return Err(Fault::unsupported(format!("samples of the type {other:?}"))),
    };
    Ok(Header {
        width,
        height,
        layout,
        bits,
        orientation: Orientation::UPRIGHT,
        metadata: Metadata::default(),
        frames,
        warnings: Vec::new(),
    })
}

/// Pictures in a GIF, found by walking its blocks without unpacking them; 1 for other formats.
/// Leaves the source at its start.
fn count_frames(source: &mut Source<'_>, format: SourceFormat) -> Result<u32, Fault> {
    if format != SourceFormat::Gif {
        return Ok(1);
    }
    let frames = walk_gif(source);
    source.seek(SeekFrom::Start(0))?;
    Ok(frames.max(1))
}

fn walk_gif(source: &mut Source<'_>) -> u32 {
    /// More than this is not counted: the number is for a person.
    const MOST: u32 = 100_000;
    let mut frames = 0;
    let mut walk = || -> Option<()> {
        let mut bytes = |count: usize| -> Option<Vec<u8>> {
            let mut out = vec![0; count];
            source.read_exact(&mut out).ok()?;
            Some(out)
        };
        let table = |flags: u8| match flags & 0x80 {
            0 => 0,
            _ => 3 << ((flags & 7) + 1),
        };
        let screen = bytes(13)?;
        bytes(table(screen[10]))?;
        while frames < MOST {
            match bytes(1)?[0] {
                0x2c => {
                    let descriptor = bytes(9)?;
                    bytes(table(descriptor[8]))?;
                    bytes(1)?;
                    frames += 1;
                }
                0x21 => {
                    bytes(1)?;
                }
                _ => return None,
            }
            loop {
                let size = usize::from(bytes(1)?[0]);
                if size == 0 {
                    break;
                }
                bytes(size)?;
            }
        }
        None
    };
    let _ended = walk();
    frames
}
