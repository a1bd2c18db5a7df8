//! What the container asks players to cut off: `PixelCrop` of Matroska (RFC 9559, 5.1.4.1.28) and
//! `clap` of MP4 and MOV (ISO/IEC 14496-12, 12.1.4).
//!
//! FFmpeg before 7.1 reads neither, and no version writes them for every codec. Players differ as
//! well: cameras and editors note a `clap` that few of them heed. So the whole coded picture is
//! processed, and who has such a file is told.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Neighbours that are passed over at most: a hostile file has no end of them.
const MOST: usize = 100_000;

/// Pixels that players are asked to cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ContainerCrop {
    pub top: u32,
    pub bottom: u32,
    pub left: u32,
    pub right: u32,
}

impl ContainerCrop {
    /// As a warning names it.
    pub(crate) fn describe(self) -> String {
        format!(
            "the note that players cut off {} pixels at the left, {} at the right, {} at the top and \
             {} at the bottom; the whole picture is processed, and a crop node cuts it",
            self.left, self.right, self.top, self.bottom
        )
    }

    fn some(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}

trait Bytes: Read + Seek {}
impl<T: Read + Seek> Bytes for T {}

type Range = std::ops::Range<u64>;

/// What the container notes for its first video track, whose coded pictures are of `size`. `None`
/// where it notes nothing or cannot be read; whoever opens the file in earnest says what is wrong
/// with it.
pub(crate) fn container_crop(path: &Path, format: &str, size: (u32, u32)) -> Option<ContainerCrop> {
    let mut file = BufReader::new(File::open(path).ok()?);
    let end = file.get_ref().metadata().ok()?.len();
    let found = if format.contains("matroska") {
        matroska(&mut file, end)
    } else if format.contains("mp4") {
        iso(&mut file, end, size)
    } else {
        return None;
    };
    found.ok().flatten().and_then(ContainerCrop::some)
}

/// An EBML number, whose length stands in its first byte; an id keeps its marker bit.
fn ebml_number(file: &mut dyn Bytes, is_id: bool) -> io::Result<u64> {
    let mut first = [0];
    file.read_exact(&mut first)?;
    let length = first[0].leading_zeros() as usize;
    if length > 7 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mask = if is_id { u8::MAX } else { 0x7f >> length };
    let mut value = u64::from(first[0] & mask);
    let mut unknown = !is_id && first[0] & mask == mask;
    let mut rest = [0; 7];
    file.read_exact(&mut rest[..length])?;
    for byte in &rest[..length] {
        value = value << 8 | u64::from(*byte);
        unknown &= *byte == u8::MAX;
    }
    // A size of ones alone: as far as its parent goes.
    Ok(if unknown { u64::MAX } else { value })
}

/// The first element `wanted` in a stretch of a Matroska file.
fn element(file: &mut dyn Bytes, within: Range, wanted: u64) -> io::Result<Option<Range>> {
    let mut at = within.start;
    for _ in 0..MOST {
        if at >= within.end {
            break;
        }
        file.seek(SeekFrom::Start(at))?;
        let id = ebml_number(file, true)?;
        let length = ebml_number(file, false)?;
        let start = file.stream_position()?;
        let end = start.saturating_add(length).min(within.end);
        if id == wanted {
            return Ok(Some(start..end));
        }
        at = end;
    }
    Ok(None)
}

/// The unsigned number that an element of a stretch holds.
fn number(file: &mut dyn Bytes, within: Range, id: u64) -> io::Result<Option<u32>> {
    let Some(found) = element(file, within, id)? else {
        return Ok(None);
    };
    file.seek(SeekFrom::Start(found.start))?;
    let mut value = 0u64;
    for _ in found.take(8) {
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        value = value << 8 | u64::from(byte[0]);
    }
    Ok(u32::try_from(value).ok())
}

fn matroska(file: &mut dyn Bytes, end: u64) -> io::Result<Option<ContainerCrop>> {
    const SEGMENT: u64 = 0x1853_8067;
    const TRACKS: u64 = 0x1654_AE6B;
    const TRACK: u64 = 0xAE;
    const VIDEO: u64 = 0xE0;
    let Some(segment) = element(file, 0..end, SEGMENT)? else {
        return Ok(None);
    };
    let Some(mut tracks) = element(file, segment, TRACKS)? else {
        return Ok(None);
    };
    while let Some(track) = element(file, tracks.clone(), TRACK)? {
        tracks.start = track.end;
        let Some(video) = element(file, track, VIDEO)? else {
            continue;
        };
        let mut read = |id| Ok::<_, io::Error>(number(file, video.clone(), id)?.unwrap_or(0));
        return Ok(Some(ContainerCrop {
            bottom: read(0x54AA)?,
            top: read(0x54BB)?,
            left: read(0x54CC)?,
            right: read(0x54DD)?,
        }));
    }
    Ok(None)
}

/// The first box `wanted` in a stretch of an MP4 or MOV.
fn iso_box(file: &mut dyn Bytes, within: Range, wanted: &[u8; 4]) -> io::Result<Option<Range>> {
    let mut at = within.start;
    for _ in 0..MOST {
        if at.saturating_add(8) > within.end {
            break;
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let mut length = u64::from(u32::from_be_bytes([head[0], head[1], head[2], head[3]]));
        let mut start = at + 8;
        if length == 1 {
            let mut long = [0; 8];
            file.read_exact(&mut long)?;
            length = u64::from_be_bytes(long);
            start += 8;
        } else if length == 0 {
            length = within.end - at;
        }
        let end = at.saturating_add(length).min(within.end);
        if length < 8 || start > end {
            break;
        }
        if &head[4..8] == wanted {
            return Ok(Some(start..end));
        }
        at = end;
    }
    Ok(None)
}

fn iso(file: &mut dyn Bytes, end: u64, size: (u32, u32)) -> io::Result<Option<ContainerCrop>> {
    let Some(mut movie) = iso_box(file, 0..end, b"moov")? else {
        return Ok(None);
    };
    while let Some(track) = iso_box(file, movie.clone(), b"trak")? {
        movie.start = track.end;
        let Some(media) = iso_box(file, track, b"mdia")? else {
            continue;
        };
        let Some(handler) = iso_box(file, media.clone(), b"hdlr")? else {
            continue;
        };
        let mut kind = [0; 12];
        file.seek(SeekFrom::Start(handler.start))?;
        file.read_exact(&mut kind)?;
        if &kind[8..12] != b"vide" {
            continue;
        }
        let mut inner = Some(media);
        for name in [b"minf", b"stbl", b"stsd"] {
            inner = match inner {
                Some(within) => iso_box(file, within, name)?,
                None => None,
            };
        }
        // Version, flags and the number of entries; the header and the fields of the first entry.
        let Some(entries) = inner else { continue };
        let boxes = entries.start.saturating_add(8 + 8 + 78)..entries.end;
        let Some(found) = iso_box(file, boxes, b"clap")? else {
            return Ok(None);
        };
        let mut numbers = [0; 32];
        file.seek(SeekFrom::Start(found.start))?;
        file.read_exact(&mut numbers)?;
        return Ok(aperture(&numbers, size));
    }
    Ok(None)
}

/// Eight numbers of 32 bits: width, height and the way of the middle, as fractions.
fn aperture(bytes: &[u8; 32], (width, height): (u32, u32)) -> Option<ContainerCrop> {
    let fraction = |place: usize| {
        let at = |i: usize| {
            let i = place * 8 + i * 4;
            i32::from_be_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]])
        };
        (at(1) != 0).then(|| f64::from(at(0)) / f64::from(at(1)))
    };
    let side = |whole: u32, kept: f64, offset: f64| {
        let spare = f64::from(whole) - kept;
        let before = (spare / 2.0 + offset).round().clamp(0.0, f64::from(whole));
        let behind = (spare - before).round().clamp(0.0, f64::from(whole));
        (before as u32, behind as u32)
    };
    let (left, right) = side(width, fraction(0)?, fraction(2)?);
    let (top, bottom) = side(height, fraction(1)?, fraction(3)?);
    Some(ContainerCrop {
        top,
        bottom,
        left,
        right,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn part(id: &[u8], inner: &[u8]) -> Vec<u8> {
        let mut bytes = id.to_vec();
        bytes.extend((0x1000_0000u32 | inner.len() as u32).to_be_bytes());
        bytes.extend(inner);
        bytes
    }

    fn boxed(name: &[u8; 4], inner: &[u8]) -> Vec<u8> {
        let mut bytes = (inner.len() as u32 + 8).to_be_bytes().to_vec();
        bytes.extend(name);
        bytes.extend(inner);
        bytes
    }

    #[test]
    fn the_crop_of_a_matroska_track_is_found_behind_tracks_of_other_kinds() {
        let crop = [part(&[0x54, 0xAA], &[8]), part(&[0x54, 0xDD], &[1, 0])].concat();
        let video = part(&[0xE0], &[part(&[0xB0], &[2, 0]), crop].concat());
        let tracks = [part(&[0xAE], &part(&[0x83], &[2])), part(&[0xAE], &video)].concat();
        let tracks = part(&[0x16, 0x54, 0xAE, 0x6B], &tracks);
        let mut file = part(&[0x1A, 0x45, 0xDF, 0xA3], &[]);
        // A live recording: nobody knew how long it would be.
        file.extend([
            0x18, 0x53, 0x80, 0x67, 0x01, 255, 255, 255, 255, 255, 255, 255,
        ]);
        file.extend(tracks);
        let end = file.len() as u64;
        let found = matroska(&mut Cursor::new(&file), end).unwrap().unwrap();
        let wanted = ContainerCrop {
            bottom: 8,
            right: 256,
            ..ContainerCrop::default()
        };
        assert_eq!(found, wanted);
        for cut in 0..file.len() {
            let _ = matroska(&mut Cursor::new(&file[..cut]), cut as u64);
        }
    }

    #[test]
    fn the_clean_aperture_of_a_film_is_found_and_counted_from_the_middle() {
        let numbers: Vec<u8> = [1_888, 1, 1_060, 1, 0, 1, -1, 1]
            .iter()
            .flat_map(|n: &i32| n.to_be_bytes())
            .collect();
        let entry = [
            vec![0; 78],
            boxed(b"pasp", &[0; 8]),
            boxed(b"clap", &numbers),
        ]
        .concat();
        let table = [vec![0; 8], boxed(b"apcn", &entry)].concat();
        let table = boxed(b"minf", &boxed(b"stbl", &boxed(b"stsd", &table)));
        let handler = |kind: &[u8]| boxed(b"hdlr", &[&[0; 8], kind, &[0; 12]].concat());
        let media = [handler(b"vide"), table.clone()].concat();
        let sound = [handler(b"soun"), table].concat();
        let tracks = [
            boxed(b"trak", &boxed(b"mdia", &sound)),
            boxed(b"trak", &boxed(b"mdia", &media)),
        ];
        let file = [boxed(b"ftyp", &[0; 8]), boxed(b"moov", &tracks.concat())].concat();
        let end = file.len() as u64;
        let found = iso(&mut Cursor::new(&file), end, (1_920, 1_080)).unwrap();
        let wanted = ContainerCrop {
            top: 9,
            bottom: 11,
            left: 16,
            right: 16,
        };
        assert_eq!(found, Some(wanted));
        for cut in 0..file.len() {
            let _ = iso(&mut Cursor::new(&file[..cut]), cut as u64, (1_920, 1_080));
        }
    }
}
