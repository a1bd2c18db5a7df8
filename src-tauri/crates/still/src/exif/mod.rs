//! EXIF blocks: a TIFF structure without a picture (CIPA DC-008-2019).
//!
//! [`edit`] changes a block where it lies, so that everything that is not understood (maker notes
//! with offsets into the block) stays as it is. [`parse`] and [`serialise`] are for TIFF, whose
//! directories cannot be copied as a block.

mod edit;
mod facts;
mod ifd;

pub(crate) use edit::{reset_orientation, update};
pub(crate) use facts::facts;
pub(crate) use ifd::{Directories, Field, ifd_bytes, ifd_len, parse, serialise};

/// Tags of the TIFF and EXIF directories that this crate touches.
pub(crate) mod tag {
    pub(crate) const IMAGE_WIDTH: u16 = 0x0100;
    pub(crate) const IMAGE_LENGTH: u16 = 0x0101;
    pub(crate) const MAKE: u16 = 0x010f;
    pub(crate) const MODEL: u16 = 0x0110;
    pub(crate) const ORIENTATION: u16 = 0x0112;
    pub(crate) const X_RESOLUTION: u16 = 0x011a;
    pub(crate) const Y_RESOLUTION: u16 = 0x011b;
    pub(crate) const RESOLUTION_UNIT: u16 = 0x0128;
    pub(crate) const SOFTWARE: u16 = 0x0131;
    pub(crate) const DATE_TIME: u16 = 0x0132;
    pub(crate) const THUMBNAIL_OFFSET: u16 = 0x0201;
    pub(crate) const THUMBNAIL_LENGTH: u16 = 0x0202;
    pub(crate) const EXIF_IFD: u16 = 0x8769;
    pub(crate) const GPS_IFD: u16 = 0x8825;
    pub(crate) const DATE_TIME_ORIGINAL: u16 = 0x9003;
    pub(crate) const MAKER_NOTE: u16 = 0x927c;
    pub(crate) const PIXEL_X_DIMENSION: u16 = 0xa002;
    pub(crate) const PIXEL_Y_DIMENSION: u16 = 0xa003;
    pub(crate) const INTEROP_IFD: u16 = 0xa005;
}

/// The block without the `Exif\0\0` that some writers put in front of it; `None` if what is left
/// is no TIFF structure.
pub(crate) fn strip_prefix(bytes: &[u8]) -> Option<&[u8]> {
    let block = bytes.strip_prefix(b"Exif\0\0").unwrap_or(bytes);
    (block.len() >= 14 && (block.starts_with(b"II*\0") || block.starts_with(b"MM\0*")))
        .then_some(block)
}

/// The orientation that the block states.
pub(crate) fn orientation(block: &[u8]) -> Option<u32> {
    parse(block)?.primary_u32(tag::ORIENTATION)
}

/// Fields of the main directory that tell of the picture as a thing (who, when, with what). What
/// tells of storage (strips, subsampling, the thumbnail) or of places in the old picture
/// (GeoTIFF) would contradict a new file.
pub(crate) fn is_descriptive(tag: u16) -> bool {
    matches!(
        tag,
        0x000b
            | 0x010d..=0x0110
            | 0x011a
            | 0x011b
            | 0x011d
            | 0x0128
            | 0x0129
            | 0x0131
            | 0x0132
            | 0x013b
            | 0x013c
            | 0x4746
            | 0x4749
            | 0x8298
            | 0x9c9b..=0x9c9f
            | 0xc614
            | 0xc62f
    )
}

/// Fields that every picture has for its own storage; leaving them out loses nothing.
pub(crate) fn is_storage(tag: u16) -> bool {
    matches!(tag, 0x00fe..=0x0106 | 0x0111..=0x0119 | 0x011c | 0x013d | 0x0140..=0x015b | 0x0200..=0x0214 | 0x02bc | 0x8773)
}
