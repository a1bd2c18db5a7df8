//! What of the metadata goes into which format, and a word for everything that does not.

use super::Shape;
use crate::exif::{self, Directories};
use crate::format::StillFormat;
use crate::picture::{Metadata, PngColor};
use crate::xmp::{self, Xmp};
use frameloom_core::media::Warning;
use frameloom_core::said;
use frameloom_core::said::Said;

/// A JPEG segment holds 65533 bytes, the names in front not counted.
const JPEG_EXIF_BYTES: usize = 65_533 - 6;
const JPEG_XMP_BYTES: usize = 65_533 - 29;
/// 255 segments of a profile, 65519 bytes each.
const JPEG_ICC_BYTES: usize = 255 * 65_519;

/// Metadata that fits the new picture and its format.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    pub(crate) icc: Option<Vec<u8>>,
    /// The block, for formats that take it as one.
    pub(crate) exif: Option<Vec<u8>>,
    /// The same for TIFF.
    pub(crate) directories: Directories,
    pub(crate) xmp: Option<Vec<u8>>,
    pub(crate) dpi: Option<(f64, f64)>,
    pub(crate) text: Vec<(String, String)>,
    pub(crate) png_color: Option<PngColor>,
}

impl Carried {
    pub(crate) fn new(
        metadata: &Metadata,
        format: StillFormat,
        shape: Shape,
        warnings: &mut Vec<Warning>,
    ) -> Self {
        let mut drop = |what: Said| {
            warnings.push(Warning::dropped(said!(
                "lost.in_format",
                "{what} ({format})",
                what = what,
                format = format.name()
            )));
        };
        let mut carried = Self {
            icc: metadata.icc.clone(),
            dpi: metadata.dpi,
            ..Self::default()
        };
        let is_jpeg = format == StillFormat::Jpeg;
        if is_jpeg
            && carried
                .icc
                .as_ref()
                .is_some_and(|icc| icc.len() > JPEG_ICC_BYTES)
        {
            carried.icc = None;
            drop(said!(
                "lost.long_profile",
                "the colour profile, which is too long"
            ));
        }
        if let Some(block) = &metadata.exif {
            let mut block = block.clone();
            exif::update(&mut block, shape.width, shape.height);
            if is_jpeg && block.len() > JPEG_EXIF_BYTES {
                drop(said!(
                    "lost.long_exif",
                    "the EXIF metadata, which is too long"
                ));
            } else if format == StillFormat::Tiff {
                carried.directories = directories(&block, &mut drop);
            } else {
                carried.exif = Some(block);
            }
        }
        if let Some(packet) = &metadata.xmp {
            match xmp::update(packet, Some((shape.width, shape.height))) {
                Xmp::Keep(packet) if is_jpeg && packet.len() > JPEG_XMP_BYTES => {
                    drop(said!(
                        "lost.long_xmp",
                        "the XMP metadata, which is too long"
                    ));
                }
                Xmp::Keep(packet) => carried.xmp = Some(packet),
                Xmp::Drop(what) => drop(what),
            }
        }
        if format == StillFormat::WebP && carried.dpi.is_some() && carried.exif.is_none() {
            drop(said!("lost.dpi", "dots per inch"));
        }
        if format == StillFormat::Png {
            carried.text = metadata.text.clone();
            carried.png_color = metadata.png_color;
        } else {
            if !metadata.text.is_empty() {
                let names: Vec<&str> = metadata.text.iter().map(|(k, _)| k.as_str()).collect();
                drop(said!(
                    "lost.texts",
                    "the texts {names}",
                    names = names.join(", ")
                ));
            }
            if metadata.icc.is_none() && metadata.png_color.is_some_and(|color| !color.is_srgb()) {
                drop(said!(
                    "lost.png_colour",
                    "the colour description of the PNG (gamma, chromaticities)"
                ));
            }
        }
        carried
    }
}

/// The fields of a block that may stand in the directories of a TIFF.
fn directories(block: &[u8], drop: &mut impl FnMut(Said)) -> Directories {
    let Some(mut found) = exif::parse(block) else {
        drop(said!(
            "lost.damaged_exif",
            "the EXIF metadata, which is damaged"
        ));
        return Directories::default();
    };
    // It refers to places in its block, which a TIFF has not.
    let before = found.exif.len();
    found
        .exif
        .retain(|field| field.tag != exif::tag::MAKER_NOTE);
    if found.exif.len() < before {
        drop(said!("lost.maker_note", "the maker note of the camera"));
    }
    let mut lost = Vec::new();
    found.primary.retain(|field| {
        let kept = exif::is_descriptive(field.tag);
        if !kept && !exif::is_storage(field.tag) {
            lost.push(format!("0x{:04x}", field.tag));
        }
        kept
    });
    if !lost.is_empty() {
        drop(said!(
            "lost.exif_fields",
            "the EXIF fields {fields}",
            fields = lost.join(", ")
        ));
    }
    found
}
