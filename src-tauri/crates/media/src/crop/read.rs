//! Where containers note what players cut off: `PixelCrop` of Matroska (RFC 9559, 5.1.4.1.28) and
//! `clap` of MP4 and MOV (ISO/IEC 14496-12, 12.1.4).

use super::Edges;
use super::item::main_picture;
use crate::probe::Turn;
use frameloom_core::time::Rational;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Neighbours that are passed over at most: a hostile file has no end of them.
const MOST: usize = 100_000;

/// Which stream a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Track {
    /// The n-th video track, from 0.
    Place(usize),
    /// The track with this number.
    Number(u32),
}

/// What a container notes of one track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Noted {
    pub track: Track,
    /// Size of the picture that the note is about.
    pub whole: (u32, u32),
    /// `None`: what is noted cannot be of a picture.
    pub edges: Option<Edges>,
    /// Both eyes in one picture, cut we do not know where.
    pub stereo: bool,
    /// Shape of the pixels, where it follows from the size at which the cut picture is shown.
    pub shape: Option<Rational>,
}

/// The shape of a pixel of a picture of size `of` that is shown at `shown`.
fn shape(shown: (u64, u64), of: (u32, u32)) -> Option<Rational> {
    let (wide, high) = (
        shown.0.checked_mul(u64::from(of.1))?,
        shown.1.checked_mul(u64::from(of.0))?,
    );
    let (mut a, mut b) = (wide, high);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    let part = |value: u64| i32::try_from(value / a.max(1)).ok().map(i64::from);
    let (num, den) = (part(wide)?, part(high)?);
    (num > 0 && den > 0).then_some(Rational { num, den })
}

/// What the container notes of its video tracks, and how the picture is turned that is no track, as
/// far as it can be read; whoever opens the file in earnest says what is wrong with it.
pub(super) fn noted(path: &Path, format: &str) -> (Vec<Noted>, Option<Turn>) {
    let (mut found, mut turn) = (Vec::new(), None);
    let mut look = |found: &mut Vec<Noted>| {
        let mut file = BufReader::new(File::open(path)?);
        let end = file.get_ref().metadata()?.len();
        if format.contains("matroska") {
            matroska(&mut file, end, found)
        } else if format.contains("mp4") {
            if iso(&mut file, end, found)? {
                return Ok(());
            }
            if let Some(item) = main_picture(&mut file, end)? {
                found.extend(item.noted);
                turn = Some(item.turn);
            }
            Ok(())
        } else {
            Ok(())
        }
    };
    // A file that ends in the middle of its index still has what came before.
    let _: io::Result<()> = look(&mut found);
    (found, turn)
}

pub(super) trait Bytes: Read + Seek {}
impl<T: Read + Seek> Bytes for T {}

pub(super) type Range = std::ops::Range<u64>;

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

fn matroska(file: &mut dyn Bytes, end: u64, found: &mut Vec<Noted>) -> io::Result<()> {
    const SEGMENT: u64 = 0x1853_8067;
    const TRACKS: u64 = 0x1654_AE6B;
    const TRACK: u64 = 0xAE;
    const VIDEO: u64 = 0xE0;
    /// Centimetres, inches and shapes are units as good as pixels; the next one is no unit.
    const UNITS: u32 = 4;
    let Some(segment) = element(file, 0..end, SEGMENT)? else {
        return Ok(());
    };
    let Some(mut tracks) = element(file, segment, TRACKS)? else {
        return Ok(());
    };
    while let Some(track) = element(file, tracks.clone(), TRACK)? {
        tracks.start = track.end;
        let Some(video) = element(file, track, VIDEO)? else {
            continue;
        };
        let mut read = |id| number(file, video.clone(), id);
        let whole = (read(0xB0)?.unwrap_or(0), read(0xBA)?.unwrap_or(0));
        let edges = Edges {
            bottom: read(0x54AA)?.unwrap_or(0),
            top: read(0x54BB)?.unwrap_or(0),
            left: read(0x54CC)?.unwrap_or(0),
            right: read(0x54DD)?.unwrap_or(0),
        };
        let (wide, high) = (read(0x54B0)?, read(0x54BA)?);
        let has_unit = read(0x54B2)?.is_none_or(|unit| unit < UNITS);
        let stereo = read(0x53B8)?.is_some_and(|mode| mode != 0);
        // The size for showing is that of the cut picture, and where it is missing the same.
        let cut = edges.inside(whole).filter(|_| has_unit);
        let shape = cut.and_then(|cut| {
            let side = |noted: Option<u32>, own| u64::from(noted.unwrap_or(own));
            shape((side(wide, cut.0), side(high, cut.1)), cut)
        });
        found.push(Noted {
            track: Track::Place(found.len()),
            whole,
            edges: Some(edges),
            stereo,
            shape,
        });
    }
    Ok(())
}

/// The first box of a stretch of an MP4 or MOV: its name and what is in it.
pub(super) fn next_box(
    file: &mut dyn Bytes,
    within: &Range,
) -> io::Result<Option<([u8; 4], Range)>> {
    let at = within.start;
    if at.saturating_add(8) > within.end {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(at))?;
    let mut head = [0; 8];
    file.read_exact(&mut head)?;
    let [a, b, c, d, name @ ..] = head;
    let mut length = u64::from(u32::from_be_bytes([a, b, c, d]));
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
    Ok((length >= 8 && start <= end).then_some((name, start..end)))
}

/// The first box `wanted` in a stretch of an MP4 or MOV.
pub(super) fn iso_box(
    file: &mut dyn Bytes,
    mut within: Range,
    wanted: &[u8; 4],
) -> io::Result<Option<Range>> {
    for _ in 0..MOST {
        let Some((name, inside)) = next_box(file, &within)? else {
            break;
        };
        if &name == wanted {
            return Ok(Some(inside));
        }
        within.start = inside.end;
    }
    Ok(None)
}

/// `length` bytes that lie `at` bytes into a stretch; `None` where it is shorter.
pub(super) fn bytes_at<const LENGTH: usize>(
    file: &mut dyn Bytes,
    within: &Range,
    at: u64,
) -> io::Result<Option<[u8; LENGTH]>> {
    if within.end.saturating_sub(within.start) < at + LENGTH as u64 {
        return Ok(None);
    }
    let mut bytes = [0; LENGTH];
    file.seek(SeekFrom::Start(within.start + at))?;
    file.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

/// False where the file has no tracks.
fn iso(file: &mut dyn Bytes, end: u64, found: &mut Vec<Noted>) -> io::Result<bool> {
    let Some(mut movie) = iso_box(file, 0..end, b"moov")? else {
        return Ok(false);
    };
    while let Some(track) = iso_box(file, movie.clone(), b"trak")? {
        movie.start = track.end;
        found.extend(iso_track(file, track)?);
    }
    Ok(true)
}

/// What is noted of a track; `None` for nothing, and for tracks of other kinds.
fn iso_track(file: &mut dyn Bytes, track: Range) -> io::Result<Option<Noted>> {
    let (Some(head), Some(media)) = (
        iso_box(file, track.clone(), b"tkhd")?,
        iso_box(file, track, b"mdia")?,
    ) else {
        return Ok(None);
    };
    let Some(handler) = iso_box(file, media.clone(), b"hdlr")? else {
        return Ok(None);
    };
    if bytes_at(file, &handler, 8)? != Some(*b"vide") {
        return Ok(None);
    }
    let mut inner = Some(media);
    for name in [b"minf", b"stbl", b"stsd"] {
        inner = match inner {
            Some(within) => iso_box(file, within, name)?,
            None => None,
        };
    }
    // Version, flags and the number of entries; the header and the fields of the first entry.
    let Some(entries) = inner else {
        return Ok(None);
    };
    let Some(length) = bytes_at(file, &entries, 8)?.map(u32::from_be_bytes) else {
        return Ok(None);
    };
    let entry = entries.start + 8..entries.end.min(entries.start + 8 + u64::from(length));
    let Some([a, b, c, d]) = bytes_at(file, &entry, 8 + 24)? else {
        return Ok(None);
    };
    let whole = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let whole = (u32::from(whole.0), u32::from(whole.1));
    let boxes = entry.start.saturating_add(8 + 78)..entry.end;
    let Some(clap) = iso_box(file, boxes.clone(), b"clap")? else {
        return Ok(None);
    };
    let edges = bytes_at(file, &clap, 0)?.and_then(|numbers| aperture(&numbers, whole));
    // Dates and lengths have twice the bytes in the second version.
    let longer = match bytes_at::<1>(file, &head, 0)? {
        Some([1]) => (8, 12),
        _ => (0, 0),
    };
    let mut word = |at| -> io::Result<u32> {
        let found = bytes_at(file, &head, at)?;
        Ok(found.map_or(0, u32::from_be_bytes))
    };
    let number = word(12 + longer.0)?;
    let shown = (word(76 + longer.1)?, word(80 + longer.1)?);
    // Where the shape stands in a box of its own, the library has it from there.
    let is_said = iso_box(file, boxes, b"pasp")?.is_some();
    let shape = edges
        .filter(|_| !is_said)
        .and_then(|edges| edges.inside(whole))
        .and_then(|cut| shape((shown.0.into(), shown.1.into()), cut));
    Ok(Some(Noted {
        track: Track::Number(number),
        whole,
        edges,
        stereo: false,
        shape,
    }))
}

/// Eight numbers of 32 bits: width, height and the way of the middle, as fractions. `None` where
/// they do not lie within the picture. Parts of pixels are kept.
pub(super) fn aperture(bytes: &[u8; 32], (width, height): (u32, u32)) -> Option<Edges> {
    /// What the division of fractions may miss a whole number by.
    const SLACK: f64 = 1e-6;
    let fraction = |place: usize| {
        let at = |i: usize| {
            let i = place * 8 + i * 4;
            i32::from_be_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]])
        };
        (at(1) > 0).then(|| f64::from(at(0)) / f64::from(at(1)))
    };
    let side = |whole: u32, kept: f64, offset: f64| {
        let spare = f64::from(whole) - kept;
        let before = (spare / 2.0 + offset + SLACK).floor();
        let behind = (spare / 2.0 - offset + SLACK).floor();
        (kept > 0.0 && before >= 0.0 && behind >= 0.0).then_some((before as u32, behind as u32))
    };
    let (left, right) = side(width, fraction(0)?, fraction(2)?)?;
    let (top, bottom) = side(height, fraction(1)?, fraction(3)?)?;
    Some(Edges {
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
        let size = [part(&[0xB0], &[2, 0]), part(&[0xBA], &[1, 8])].concat();
        // 256 x 256 are left of 512 x 264, and are shown twice as wide.
        let shown = part(&[0x54, 0xB0], &[2, 0]);
        let video = part(&[0xE0], &[size, crop, shown].concat());
        let tracks = [part(&[0xAE], &part(&[0x83], &[2])), part(&[0xAE], &video)].concat();
        let tracks = part(&[0x16, 0x54, 0xAE, 0x6B], &tracks);
        let mut file = part(&[0x1A, 0x45, 0xDF, 0xA3], &[]);
        // A live recording: nobody knew how long it would be.
        file.extend([
            0x18, 0x53, 0x80, 0x67, 0x01, 255, 255, 255, 255, 255, 255, 255,
        ]);
        file.extend(tracks);
        let end = file.len() as u64;
        let mut found = Vec::new();
        matroska(&mut Cursor::new(&file), end, &mut found).unwrap();
        let wanted = Noted {
            track: Track::Place(0),
            whole: (512, 264),
            edges: Some(Edges {
                bottom: 8,
                right: 256,
                ..Edges::default()
            }),
            stereo: false,
            shape: Some(Rational { num: 2, den: 1 }),
        };
        assert_eq!(found, [wanted]);
        for cut in 0..file.len() {
            let _ = matroska(&mut Cursor::new(&file[..cut]), cut as u64, &mut Vec::new());
        }
    }

    #[test]
    fn the_clean_aperture_of_a_film_is_found_and_counted_from_the_middle() {
        let numbers: Vec<u8> = [1_888, 1, 1_060, 1, 0, 1, -1, 1]
            .iter()
            .flat_map(|n: &i32| n.to_be_bytes())
            .collect();
        let mut fields = vec![0; 78];
        fields[24..28].copy_from_slice(&[0x07, 0x80, 0x04, 0x38]);
        let entry = [fields, boxed(b"clap", &numbers)].concat();
        let table = [vec![0; 8], boxed(b"apcn", &entry)].concat();
        let table = boxed(b"minf", &boxed(b"stbl", &boxed(b"stsd", &table)));
        let handler = |kind: &[u8]| boxed(b"hdlr", &[&[0; 8], kind, &[0; 12]].concat());
        let media = [handler(b"vide"), table.clone()].concat();
        let sound = [handler(b"soun"), table].concat();
        let mut head = vec![0; 84];
        head[15] = 7;
        // Shown at 1888 x 530, in 65536ths.
        head[76..84].copy_from_slice(&[0x07, 0x60, 0, 0, 0x02, 0x12, 0, 0]);
        let track = |media| [boxed(b"tkhd", &head), boxed(b"mdia", media)].concat();
        let tracks = [
            boxed(b"trak", &track(&sound)),
            boxed(b"trak", &track(&media)),
        ];
        let file = [boxed(b"ftyp", &[0; 8]), boxed(b"moov", &tracks.concat())].concat();
        let end = file.len() as u64;
        let mut found = Vec::new();
        iso(&mut Cursor::new(&file), end, &mut found).unwrap();
        let wanted = Noted {
            track: Track::Number(7),
            whole: (1_920, 1_080),
            edges: Some(Edges {
                top: 9,
                bottom: 11,
                left: 16,
                right: 16,
            }),
            stereo: false,
            shape: Some(Rational { num: 2, den: 1 }),
        };
        assert_eq!(found, [wanted]);
        for cut in 0..file.len() {
            let _ = iso(&mut Cursor::new(&file[..cut]), cut as u64, &mut Vec::new());
        }
    }

    #[test]
    fn an_aperture_that_is_none_is_not_taken_for_one() {
        let edges = |numbers: [i32; 8]| {
            let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
            aperture(&bytes.try_into().unwrap(), (720, 576))
        };
        // As editors write it for standard definition: 702.9 pixels, of which none is halved.
        let usual = edges([41_472, 59, 576, 1, 0, 1, 0, 1]).unwrap();
        assert_eq!((usual.left, usual.right, usual.top), (8, 8, 0));
        for wrong in [
            [720, 0, 576, 1, 0, 1, 0, 1],
            [0, 1, 576, 1, 0, 1, 0, 1],
            [-700, 1, 576, 1, 0, 1, 0, 1],
            [700, -1, 576, 1, 0, 1, 0, 1],
            [800, 1, 576, 1, 0, 1, 0, 1],
            [700, 1, 576, 1, 11, 1, 0, 1],
            [700, 1, 576, 1, i32::MIN, 1, 0, 1],
        ] {
            assert_eq!(edges(wrong), None, "{wrong:?}");
        }
    }
}
