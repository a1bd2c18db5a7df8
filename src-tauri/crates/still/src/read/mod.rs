//! From a file to a picture that stands upright.

mod jpeg;
mod jpeg_walk;
mod other;
mod png;
mod tiff;
mod tiff_chunk;
mod webp;

use crate::error::{Fault, StillError};
use crate::exif;
use crate::format::{HEAD_LEN, SourceFormat};
use crate::orient::Orientation;
use crate::picture::{Channels, Limits, Metadata, Picture, Samples};
use crate::xmp::{self, Xmp};
use frameloom_core::color::ColorInfo;
use frameloom_core::library::ExifFact;
use frameloom_core::media::{
    FieldOrder, MediaInfo, MediaKind, StreamInfo, StreamKind, VideoInfo, Warning,
};
use frameloom_core::said;
use frameloom_core::time::{Rational, TimeBase};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// What decoders read from.
pub(crate) trait ReadSeek: BufRead + Seek {}
impl<T: BufRead + Seek> ReadSeek for T {}

pub(crate) type Source<'a> = Box<dyn ReadSeek + 'a>;

/// What a header says.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) layout: Channels,
    pub(crate) bits: u8,
    pub(crate) orientation: Orientation,
    pub(crate) metadata: Metadata,
    /// Pictures of an animation or pages; 1 for a plain picture.
    pub(crate) frames: u32,
    pub(crate) warnings: Vec<Warning>,
}

/// A picture as it lies in the file, not yet turned.
pub(crate) struct Stored {
    pub(crate) header: Header,
    pub(crate) samples: Samples,
}

/// True if the content (not the name) of the file is a picture that [`read`] knows. AVIF and HEIC
/// are none: ffmpeg reads them.
///
/// # Errors
/// The file is missing or cannot be read. An empty file is no picture and no error.
pub fn is_still(path: &Path) -> Result<bool, StillError> {
    let (mut file, _) = open(path)?;
    let format = detect(&mut file).map_err(|fault| fault.at("picture", path))?;
    Ok(format.is_some())
}

/// What the header of a picture says, without decoding it. Width and height are as stored; the
/// rotation and mirroring that make it upright stand beside them, as for a video.
///
/// # Errors
/// The file is missing, is no picture, or its header is damaged.
pub fn probe(path: &Path) -> Result<MediaInfo, StillError> {
    let (format, header, size_bytes) = header_of(path)?;
    let mut info = media_info(format, &header, size_bytes);
    if header.frames > 1 && !info.warnings.contains(&Warning::FirstFrameOnly) {
        info.warnings.push(Warning::FirstFrameOnly);
    }
    Ok(info)
}

/// What the camera wrote into a picture, without decoding it, in the order in which people ask.
///
/// # Errors
/// As [`probe`].
pub fn exif_facts(path: &Path) -> Result<Vec<ExifFact>, StillError> {
    let (_, header, _) = header_of(path)?;
    let directories = header.metadata.exif.as_deref().and_then(exif::parse);
    Ok(directories.map_or_else(Vec::new, |found| exif::facts(&found)))
}

fn header_of(path: &Path) -> Result<(SourceFormat, Header, u64), StillError> {
    let (mut file, size_bytes) = open(path)?;
    let format = known_format(&mut file, size_bytes, path)?;
    let header = guarded(|| match format {
        SourceFormat::Png => png::header(Box::new(file)),
        SourceFormat::Jpeg => jpeg::header(Box::new(file)),
        SourceFormat::WebP => webp::header(Box::new(file)),
        SourceFormat::Tiff => tiff::header(Box::new(file)),
        other => other::header(Box::new(file), other),
    })
    .map_err(|fault| fault.at(format.name(), path))?;
    Ok((format, header, size_bytes))
}

/// Decodes the picture, turns it upright and keeps what came with it. Of an animation the first
/// frame, of a file with several pictures the first one; a warning says so.
///
/// # Errors
/// The file is missing, is no picture, is beyond the limits, or nothing of it can be decoded. A
/// picture of which a part can be decoded is returned with [`Warning::DamagedStill`].
pub fn read(path: &Path, limits: &Limits) -> Result<Picture, StillError> {
    let (mut file, size_bytes) = open(path)?;
    let format = known_format(&mut file, size_bytes, path)?;
    decode(Box::new(file), format, limits).map_err(|fault| fault.at(format.name(), path))
}

/// As [`read`], from memory.
///
/// # Errors
/// As [`read`]; the path in the error is empty.
pub fn read_bytes(bytes: &[u8], limits: &Limits) -> Result<Picture, StillError> {
    let mut source = Cursor::new(bytes);
    let path = Path::new("");
    let format = known_format(&mut source, bytes.len() as u64, path)?;
    decode(Box::new(source), format, limits).map_err(|fault| fault.at(format.name(), path))
}

fn open(path: &Path) -> Result<(BufReader<File>, u64), StillError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => StillError::NotFound {
            path: path.to_path_buf(),
        },
        _ => StillError::Read {
            source,
            path: path.to_path_buf(),
        },
    };
    let file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    if meta.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    Ok((BufReader::with_capacity(1 << 17, file), meta.len()))
}

fn known_format(
    source: &mut (impl BufRead + Seek),
    size_bytes: u64,
    path: &Path,
) -> Result<SourceFormat, StillError> {
    if size_bytes == 0 {
        return Err(StillError::Empty {
            path: path.to_path_buf(),
        });
    }
    detect(source)
        .map_err(|fault| fault.at("picture", path))?
        .ok_or_else(|| StillError::NotAStill {
            path: path.to_path_buf(),
        })
}

/// The format by content; leaves the source at its start.
fn detect(source: &mut (impl BufRead + Seek)) -> Result<Option<SourceFormat>, Fault> {
    let mut head = Vec::with_capacity(HEAD_LEN);
    source.take(HEAD_LEN as u64).read_to_end(&mut head)?;
    let len = source.seek(SeekFrom::End(0))?;
    source.seek(SeekFrom::Start(len.saturating_sub(26)))?;
    let mut tail = Vec::with_capacity(26);
    source.take(26).read_to_end(&mut tail)?;
    source.seek(SeekFrom::Start(0))?;
    Ok(SourceFormat::detect(&head, &tail))
}

fn decode(source: Source<'_>, format: SourceFormat, limits: &Limits) -> Result<Picture, Fault> {
    let stored = guarded(|| match format {
        SourceFormat::Png => png::read(source, limits),
        SourceFormat::Jpeg => jpeg::read(source, limits),
        SourceFormat::WebP => webp::read(source, limits),
        SourceFormat::Tiff => tiff::read(source, limits),
        other => other::read(source, other, limits),
    })?;
    let Stored {
        mut header,
        samples,
    } = stored;
    let (samples, width, height) =
        header
            .orientation
            .apply(samples, header.width, header.height, header.layout.count());
    if let Some(exif) = &mut header.metadata.exif {
        exif::reset_orientation(exif);
    }
    if let Some(packet) = header.metadata.xmp.take() {
        match xmp::update(&packet, None) {
            Xmp::Keep(packet) => header.metadata.xmp = Some(packet),
            Xmp::Drop(what) => header.warnings.push(Warning::dropped(what)),
        }
    }
    // Dots across and down change places with the sides.
    if header.orientation.swaps_sides() {
        header.metadata.dpi = header.metadata.dpi.map(|(x, y)| (y, x));
    }
    Ok(Picture {
        width,
        height,
        samples,
        layout: header.layout,
        metadata: header.metadata,
        warnings: header.warnings,
    })
}

/// The decoders are other people's and the content is anybody's: a panic in there is damage of
/// the file, not the end of the job.
fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Fault::Damaged("the decoder gave up on its content".into())))
}

/// Zeroed samples, or an error where the system has no memory left.
pub(crate) fn zeroed<T: Copy + Default>(len: usize) -> Result<Vec<T>, Fault> {
    let mut samples = Vec::new();
    samples
        .try_reserve_exact(len)
        .map_err(|_| Fault::Io(io::ErrorKind::OutOfMemory.into()))?;
    samples.resize(len, T::default());
    Ok(samples)
}

/// An EXIF block from a chunk or segment: kept if it can be understood, else a warning.
pub(crate) fn take_exif(bytes: &[u8], metadata: &mut Metadata, warnings: &mut Vec<Warning>) {
    match exif::strip_prefix(bytes) {
        Some(block) if exif::parse(block).is_some() => metadata.exif = Some(block.to_vec()),
        _ if bytes.is_empty() => {}
        _ => warnings.push(Warning::dropped(said!(
            "lost.exif",
            "EXIF metadata (damaged)"
        ))),
    }
}

/// The orientation of the EXIF block, or of XMP where no EXIF block states one.
pub(crate) fn stated_orientation(metadata: &Metadata) -> Orientation {
    let from_exif = metadata.exif.as_deref().and_then(exif::orientation);
    let value = from_exif.or_else(|| metadata.xmp.as_deref().and_then(xmp::orientation));
    value.map_or(Orientation::UPRIGHT, Orientation::from_exif)
}

/// Bit pattern of a colour space in the header of an ICC profile (ICC.1:2022, 7.2.6).
pub(crate) fn icc_space(profile: &[u8]) -> Option<[u8; 4]> {
    profile.get(16..20)?.try_into().ok()
}

fn media_info(format: SourceFormat, header: &Header, size_bytes: u64) -> MediaInfo {
    let metadata = &header.metadata;
    let mut tags = BTreeMap::new();
    let mut tag = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            tags.insert(name.to_owned(), value);
        }
    };
    let presence = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|b| format!("{} bytes", b.len()));
    tag("icc", presence(&metadata.icc));
    tag("exif", presence(&metadata.exif));
    tag("xmp", presence(&metadata.xmp));
    tag("dpi", metadata.dpi.map(|(x, y)| format!("{x:.0}x{y:.0}")));
    tag(
        "frames",
        (header.frames > 1).then(|| header.frames.to_string()),
    );
    if let Some(directories) = metadata.exif.as_deref().and_then(exif::parse) {
        tag("make", directories.text(exif::tag::MAKE));
        tag("model", directories.text(exif::tag::MODEL));
        tag("software", directories.text(exif::tag::SOFTWARE));
        tag(
            "date",
            directories
                .text(exif::tag::DATE_TIME_ORIGINAL)
                .or_else(|| directories.text(exif::tag::DATE_TIME)),
        );
    }
    for (keyword, text) in &metadata.text {
        let short: String = text.chars().take(200).collect();
        tag(&keyword.to_lowercase(), Some(short));
    }
    let pixel_format = match (header.layout, header.bits > 8) {
        (Channels::Gray, false) => "gray",
        (Channels::Gray, true) => "gray16le",
        (Channels::GrayAlpha, false) => "ya8",
        (Channels::GrayAlpha, true) => "ya16le",
        (Channels::Rgb, false) => "rgb24",
        (Channels::Rgb, true) => "rgb48le",
        (Channels::Rgba, false) => "rgba",
        (Channels::Rgba, true) => "rgba64le",
    };
    let video = VideoInfo {
        width: header.width,
        height: header.height,
        pixel_format: pixel_format.into(),
        bit_depth: header.bits,
        frame_rate: None,
        variable_frame_rate: None,
        sample_aspect_ratio: Rational { num: 1, den: 1 },
        rotation_degrees: header.orientation.rotation_degrees(),
        mirrored: header.orientation.is_mirrored(),
        color: ColorInfo::default(),
        alpha: header.layout.has_alpha(),
        field_order: FieldOrder::Progressive,
        hdr_metadata: false,
        dolby_vision: false,
    };
    MediaInfo {
        kind: MediaKind::Still,
        container: format.id().into(),
        size_bytes,
        duration_micros: None,
        bit_rate: None,
        streams: vec![StreamInfo {
            index: 0,
            kind: StreamKind::Video,
            codec: format.id().into(),
            profile: None,
            time_base: TimeBase::MICROS,
            start_ticks: None,
            duration_ticks: None,
            frame_count: Some(u64::from(header.frames)),
            bit_rate: None,
            language: None,
            dispositions: Vec::new(),
            tags: BTreeMap::new(),
            video: Some(video),
            audio: None,
        }],
        chapters: Vec::new(),
        tags,
        warnings: header.warnings.clone(),
    }
}
