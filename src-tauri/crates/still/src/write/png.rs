//! PNG, one row after the other.

use super::carry::Carried;
use super::file::SharedFile;
use super::{Shape, WriteFault};
use crate::picture::{Channels, PngColor};
use frameloom_core::job::Quality;
use std::io::Write;

const IDAT_BYTES: usize = 1 << 18;

pub(crate) struct PngRows(png::StreamWriter<'static, SharedFile>);

impl PngRows {
    pub(crate) fn start(
        file: SharedFile,
        shape: Shape,
        carried: &Carried,
        quality: Quality,
    ) -> Result<Self, WriteFault> {
        let mut info = png::Info::with_size(shape.width, shape.height);
        info.color_type = match shape.layout {
            Channels::Gray => png::ColorType::Grayscale,
            Channels::GrayAlpha => png::ColorType::GrayscaleAlpha,
            Channels::Rgb => png::ColorType::Rgb,
            Channels::Rgba => png::ColorType::Rgba,
        };
        info.bit_depth = if shape.bits == 16 {
            png::BitDepth::Sixteen
        } else {
            png::BitDepth::Eight
        };
        info.pixel_dims = carried.dpi.map(|(x, y)| {
            let per_metre = |dpi: f64| (dpi / 0.0254).round() as u32;
            png::PixelDimensions {
                xppu: per_metre(x),
                yppu: per_metre(y),
                unit: png::Unit::Meter,
            }
        });
        info.icc_profile = carried.icc.clone().map(Into::into);
        info.exif_metadata = carried.exif.clone().map(Into::into);
        if let Some(color) = &carried.png_color
            && carried.icc.is_none()
        {
            describe_color(&mut info, color);
        }
        let intent = carried.png_color.and_then(|color| color.srgb_intent);
        let mut encoder = png::Encoder::with_info(file, info)?;
        if let Some(intent) = intent.and_then(rendering_intent)
            && carried.icc.is_none()
        {
            encoder.set_source_srgb(intent);
        }
        // Photos: `Fast` is a third larger than the slow levels at ten times their speed, but
        // its fixed code does nothing for the low bytes of 16-bit samples.
        encoder.set_compression(match (quality, shape.bits) {
            (Quality::Draft, _) => png::Compression::Fastest,
            (Quality::Good, 8) => png::Compression::Fast,
            (Quality::Good, _) | (Quality::Archive | Quality::Lossless, _) => {
                png::Compression::Balanced
            }
        });
        let mut writer = encoder.write_header()?;
        if let Some(cicp) = carried.png_color.and_then(|color| color.cicp) {
            writer.write_chunk(png::chunk::ChunkType(*b"cICP"), &cicp)?;
        }
        if let Some(xmp) = &carried.xmp {
            // Not compressed, as the XMP specification wants it.
            let text = String::from_utf8_lossy(xmp).into_owned();
            writer.write_text_chunk(&png::text_metadata::ITXtChunk::new(
                "XML:com.adobe.xmp",
                text,
            ))?;
        }
        for (keyword, text) in &carried.text {
            let chunk = png::text_metadata::ITXtChunk::new(keyword.clone(), text.clone());
            writer.write_text_chunk(&chunk)?;
        }
        Ok(Self(writer.into_stream_writer_with_size(IDAT_BYTES)?))
    }

    pub(crate) fn rows(&mut self, bytes: &[u8]) -> Result<(), WriteFault> {
        Ok(self.0.write_all(bytes)?)
    }

    pub(crate) fn finish(self) -> Result<(), WriteFault> {
        Ok(self.0.finish()?)
    }
}

fn rendering_intent(value: u8) -> Option<png::SrgbRenderingIntent> {
    match value {
        0 => Some(png::SrgbRenderingIntent::Perceptual),
        1 => Some(png::SrgbRenderingIntent::RelativeColorimetric),
        2 => Some(png::SrgbRenderingIntent::Saturation),
        3 => Some(png::SrgbRenderingIntent::AbsoluteColorimetric),
        _ => None,
    }
}

fn describe_color(info: &mut png::Info<'_>, color: &PngColor) {
    info.source_gamma = color.gamma.map(png::ScaledFloat::from_scaled);
    info.source_chromaticities = color.chromaticities.map(|values| {
        let value = |index: usize| png::ScaledFloat::from_scaled(values[index]);
        png::SourceChromaticities {
            white: (value(0), value(1)),
            red: (value(2), value(3)),
            green: (value(4), value(5)),
            blue: (value(6), value(7)),
        }
    });
}

impl From<png::EncodingError> for WriteFault {
    fn from(error: png::EncodingError) -> Self {
        match error {
            png::EncodingError::IoError(source) => WriteFault::Io(source),
            other => WriteFault::Encode(other.to_string()),
        }
    }
}
