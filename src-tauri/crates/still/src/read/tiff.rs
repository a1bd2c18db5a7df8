//! TIFF and BigTIFF: the first page.

use super::tiff_chunk::{Chunks, Kind};
use super::{Header, Source, Stored, icc_space, zeroed};
use crate::error::Fault;
use crate::exif::{self, Directories, Field};
use crate::orient::Orientation;
use crate::picture::{Channels, Limits, Metadata, Samples};
use frameloom_core::media::Warning;
use frameloom_core::said;
use frameloom_core::said::Said;
use tiff::decoder::Decoder;
use tiff::tags::{ByteOrder, IfdPointer, Tag, ValueBuffer};

pub(super) type Tiff<'a> = Decoder<Source<'a>>;

/// Values longer than this are left out of the EXIF block.
const MAX_VALUE_BYTES: usize = 1 << 20;
/// Pages are counted for a person; no further than this.
const MAX_PAGES: u32 = 1000;

pub(super) fn header(source: Source<'_>) -> Result<Header, Fault> {
    let mut tiff = Decoder::new(source)?;
    let chunks = Chunks::describe(&mut tiff)?;
    describe(&mut tiff, &chunks)
}

pub(super) fn read(source: Source<'_>, limits: &Limits) -> Result<Stored, Fault> {
    let mut tiff = Decoder::new(source)?;
    let chunks = Chunks::describe(&mut tiff)?;
    let mut header = describe(&mut tiff, &chunks)?;
    let (width, height) = (header.width, header.height);
    let channels = header.layout.count();
    let count = limits.samples(width, height, channels, usize::from(header.bits / 8))?;
    // No strip or tile can need more than the picture in its widest form.
    let widest = (u64::from(width) * u64::from(height)).saturating_mul(32);
    let allowed = widest.max(1 << 24).min(limits.max_bytes.saturating_mul(4));
    let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
    let mut chunk_limits = tiff::decoder::Limits::default();
    chunk_limits.decoding_buffer_size = allowed;
    chunk_limits.intermediate_buffer_size = allowed;
    chunk_limits.ifd_value_size = 64 << 20;
    let mut tiff = tiff.with_limits(chunk_limits);
    let whole = chunks.take_whole(&mut tiff, count);
    let (mut samples, complete) = if let Some(samples) = whole {
        (samples, true)
    } else if header.bits == 16 {
        let mut canvas = zeroed::<u16>(count)?;
        let complete = chunks.fill(&mut tiff, &mut canvas, channels)?;
        (Samples::U16(canvas), complete)
    } else {
        let mut canvas = zeroed::<u8>(count)?;
        let complete = chunks.fill(&mut tiff, &mut canvas, channels)?;
        (Samples::U8(canvas), complete)
    };
    if chunks.premultiplied {
        match &mut samples {
            Samples::U8(data) => straighten(data, channels, 255, u32::from, |v| v as u8),
            Samples::U16(data) => {
                straighten(data, channels, 65_535, u32::from, |v| v as u16);
            }
        }
    }
    if !complete {
        header.warnings.push(Warning::DamagedStill);
    }
    if chunks.is_float() {
        header.warnings.push(Warning::dropped(said!(
            "lost.float",
            "floating-point precision, and values outside 0 to 1"
        )));
    }
    if header.frames > 1 {
        header.warnings.push(Warning::FirstFrameOnly);
    }
    Ok(Stored { header, samples })
}

/// Divides the colour by the alpha that is multiplied into it.
fn straighten<T: Copy>(
    data: &mut [T],
    channels: usize,
    max: u32,
    wide: impl Fn(T) -> u32,
    narrow: impl Fn(u32) -> T,
) {
    for pixel in data.chunks_exact_mut(channels) {
        let alpha = wide(pixel[channels - 1]);
        if alpha == 0 || alpha == max {
            continue;
        }
        for sample in &mut pixel[..channels - 1] {
            *sample = narrow(((wide(*sample) * max + alpha / 2) / alpha).min(max));
        }
    }
}

fn describe(tiff: &mut Tiff<'_>, chunks: &Chunks) -> Result<Header, Fault> {
    let mut warnings = Vec::new();
    let main = main_directory(tiff)?;
    let mut bytes_of = |tag: u16| {
        field(tiff, &main, Tag::from_u16_exhaustive(tag))
            .map(|field| field.data)
            .filter(|data| !data.is_empty())
    };
    let mut icc = bytes_of(34_675);
    let xmp = bytes_of(700);
    if let Some(space) = icc.as_deref().and_then(icc_space) {
        let fits = match chunks.kind {
            Kind::Gray | Kind::GrayAlpha => &space == b"GRAY" || &space == b"RGB ",
            Kind::Cmyk | Kind::Lab { .. } => false,
            _ => &space == b"RGB ",
        };
        if !fits {
            icc = None;
            warnings.push(Warning::dropped(said!(
                "lost.profile",
                "the colour profile (the picture became sRGB)"
            )));
        }
    }
    let mut dropped = |present: bool, what: Said| {
        if present {
            warnings.push(Warning::dropped(what));
        }
    };
    let has = |tag: u16| main.contains(Tag::from_u16_exhaustive(tag));
    dropped(
        has(34_377),
        said!("lost.layers", "Photoshop layers and settings"),
    );
    dropped(has(33_723), said!("lost.iptc", "IPTC metadata"));
    dropped(
        chunks.extra_dropped,
        said!("lost.channels", "extra channels"),
    );
    let directories = directories(tiff, &main, &mut warnings);
    let dpi = directories.dpi();
    let orientation = tiff
        .find_tag(Tag::Orientation)
        .ok()
        .flatten()
        .and_then(|value| value.into_u32().ok())
        .map_or(Orientation::UPRIGHT, Orientation::from_exif);
    let mut directories = directories;
    // These come back from `dpi` in whatever form the result has for them.
    directories.primary.retain(|field| {
        !matches!(
            field.tag,
            exif::tag::X_RESOLUTION | exif::tag::Y_RESOLUTION | exif::tag::RESOLUTION_UNIT
        )
    });
    let exif = (!directories.is_empty()).then(|| exif::serialise(&directories));
    let mut frames = 1;
    // Walking the chain moves the decoder; it comes back to the first page.
    while frames < MAX_PAGES && tiff.more_images() && tiff.next_image().is_ok() {
        frames += 1;
    }
    if frames > 1 {
        tiff.seek_to_image(0)?;
    }
    Ok(Header {
        width: chunks.width,
        height: chunks.height,
        layout: chunks.layout,
        bits: chunks.out_bits(),
        orientation,
        metadata: Metadata {
            icc,
            exif,
            xmp,
            dpi,
            ..Metadata::default()
        },
        frames,
        warnings,
    })
}

fn main_directory(tiff: &mut Tiff<'_>) -> Result<tiff::Directory, Fault> {
    let at = tiff
        .ifd_pointer()
        .ok_or(Fault::Damaged("it has no directory".into()))?;
    Ok(tiff.read_directory(at)?)
}

/// What the directories of the file say of the picture, as EXIF has it.
fn directories(
    tiff: &mut Tiff<'_>,
    main: &tiff::Directory,
    warnings: &mut Vec<Warning>,
) -> Directories {
    let mut found = Directories {
        primary: fields(tiff, main, exif::is_descriptive),
        ..Directories::default()
    };
    let sub = |tiff: &mut Tiff<'_>, parent: &tiff::Directory, tag: u16| {
        let at = tiff
            .read_directory_tags(parent)
            .find_tag(Tag::from_u16_exhaustive(tag))
            .ok()??
            .into_u64()
            .ok()?;
        tiff.read_directory(IfdPointer(at)).ok()
    };
    // A maker note refers to places in its file: moved to another one it is of no use.
    let keep = |tag: u16| tag != exif::tag::MAKER_NOTE && tag != exif::tag::INTEROP_IFD;
    if let Some(directory) = sub(tiff, main, exif::tag::EXIF_IFD) {
        found.exif = fields(tiff, &directory, keep);
        if directory.contains(Tag::from_u16_exhaustive(exif::tag::MAKER_NOTE)) {
            warnings.push(Warning::dropped(said!(
                "lost.maker_note",
                "the maker note of the camera"
            )));
        }
        if let Some(interop) = sub(tiff, &directory, exif::tag::INTEROP_IFD) {
            found.interop = fields(tiff, &interop, keep);
        }
    }
    if let Some(directory) = sub(tiff, main, exif::tag::GPS_IFD) {
        found.gps = fields(tiff, &directory, keep);
    }
    found
}

fn fields(
    tiff: &mut Tiff<'_>,
    directory: &tiff::Directory,
    keep: impl Fn(u16) -> bool,
) -> Vec<Field> {
    let mut found = Vec::new();
    for (tag, entry) in directory.iter() {
        let number = tag.to_u16();
        // Eight bytes is the widest a value of any type can be.
        if keep(number) && entry.count() <= MAX_VALUE_BYTES as u64 / 8 {
            found.extend(field(tiff, directory, tag));
        }
    }
    found
}

fn field(tiff: &mut Tiff<'_>, directory: &tiff::Directory, tag: Tag) -> Option<Field> {
    let kind = directory.get(tag)?.field_type();
    let mut value = ValueBuffer::empty(kind);
    tiff.read_directory_tags(directory)
        .find_tag_buf(tag, &mut value)
        .ok()??;
    value.set_byte_order(ByteOrder::LittleEndian);
    Some(Field::bytes(tag.to_u16(), kind.to_u16(), value.as_bytes()))
}

/// The layout of the four that holds this kind of picture.
pub(super) fn layout_of(kind: &Kind) -> Channels {
    match kind {
        Kind::Gray => Channels::Gray,
        Kind::GrayAlpha => Channels::GrayAlpha,
        Kind::Rgba => Channels::Rgba,
        Kind::Rgb | Kind::Cmyk | Kind::Ycc | Kind::Palette(_) | Kind::Lab { .. } => Channels::Rgb,
    }
}
