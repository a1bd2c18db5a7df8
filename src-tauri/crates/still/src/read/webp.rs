//! WebP and the first frame of an animated one.

use super::{Header, Source, Stored, stated_orientation, take_exif, zeroed};
use crate::error::Fault;
use crate::picture::{Channels, Limits, Metadata, Samples};
use frameloom_core::media::Warning;

pub(super) fn header(source: Source<'_>) -> Result<Header, Fault> {
    describe(&mut image_webp::WebPDecoder::new(source)?)
}

pub(super) fn read(source: Source<'_>, limits: &Limits) -> Result<Stored, Fault> {
    let mut decoder = image_webp::WebPDecoder::new(source)?;
    decoder.set_memory_limit(usize::try_from(limits.max_bytes).unwrap_or(usize::MAX));
    let mut header = describe(&mut decoder)?;
    let count = limits.samples(header.width, header.height, header.layout.count(), 1)?;
    let mut samples = zeroed::<u8>(count)?;
    decoder.read_image(&mut samples)?;
    if header.frames > 1 {
        header.warnings.push(Warning::FirstFrameOnly);
    }
    Ok(Stored {
        header,
        samples: Samples::U8(samples),
    })
}

fn describe(decoder: &mut image_webp::WebPDecoder<Source<'_>>) -> Result<Header, Fault> {
    let (width, height) = decoder.dimensions();
    let mut metadata = Metadata {
        icc: decoder.icc_profile()?,
        xmp: decoder.xmp_metadata()?,
        ..Metadata::default()
    };
    let mut warnings = Vec::new();
    if let Some(exif) = decoder.exif_metadata()? {
        take_exif(&exif, &mut metadata, &mut warnings);
    }
    Ok(Header {
        width,
        height,
        layout: Channels::Rgb.with_alpha(decoder.has_alpha()),
        bits: 8,
        orientation: stated_orientation(&metadata),
        metadata,
        frames: if decoder.is_animated() {
            decoder.num_frames().max(1)
        } else {
            1
        },
        warnings,
    })
}
