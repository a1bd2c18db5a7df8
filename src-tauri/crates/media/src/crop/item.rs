//! What a picture in the HEIF container says around its coded picture: what is cut off it, and how
//! it is turned then (ISO/IEC 23008-12: `ipma` 9.3, `clap` 6.5.9, `irot` 6.5.10, `imir` 6.5.12).
//! FFmpeg before 7.1 passes over all of it.

use super::read::{Bytes, Noted, Range, Track, aperture, bytes_at, iso_box, next_box};
use crate::probe::Turn;
use std::io::{self, Read, SeekFrom};

/// More bytes than the list of the properties of any picture has.
const MOST_BYTES: u64 = 1 << 20;

/// What is said of the main picture of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Item {
    /// `None`: nothing is cut off.
    pub noted: Option<Noted>,
    /// How it is turned, after the cut.
    pub turn: Turn,
}

/// Reads the properties of the main picture; `None` where the file has none.
pub(super) fn main_picture(file: &mut dyn Bytes, end: u64) -> io::Result<Option<Item>> {
    let Some(meta) = iso_box(file, 0..end, b"meta")? else {
        return Ok(None);
    };
    // It begins with version and flags.
    let meta = meta.start.saturating_add(4)..meta.end;
    let (Some(primary), Some(lists)) = (
        iso_box(file, meta.clone(), b"pitm")?,
        iso_box(file, meta, b"iprp")?,
    ) else {
        return Ok(None);
    };
    let number = match bytes_at::<1>(file, &primary, 0)? {
        Some([0]) => bytes_at(file, &primary, 4)?.map(|n| u32::from(u16::from_be_bytes(n))),
        _ => bytes_at(file, &primary, 4)?.map(u32::from_be_bytes),
    };
    let Some(number) = number else {
        return Ok(None);
    };
    let wanted = properties_of(file, lists.clone(), number)?;
    let Some(mut properties) = iso_box(file, lists, b"ipco")? else {
        return Ok(None);
    };
    let (mut whole, mut clap, mut quarters, mut axis) = ((0, 0), None, 0, None);
    let last = wanted.iter().copied().max().unwrap_or(0);
    for place in 1..=last {
        let Some((name, body)) = next_box(file, &properties)? else {
            break;
        };
        properties.start = body.end;
        if !wanted.contains(&place) {
            continue;
        }
        match &name {
            b"ispe" => {
                if let Some(bytes) = bytes_at::<12>(file, &body, 0)? {
                    let [_, _, _, _, a, b, c, d, e, f, g, h] = bytes;
                    whole = (
                        u32::from_be_bytes([a, b, c, d]),
                        u32::from_be_bytes([e, f, g, h]),
                    );
                }
            }
            b"clap" => clap = Some(bytes_at::<32>(file, &body, 0)?),
            b"irot" => quarters = bytes_at::<1>(file, &body, 0)?.map_or(0, |[angle]| angle & 3),
            b"imir" => axis = bytes_at::<1>(file, &body, 0)?.map(|[axis]| axis & 1),
            _ => {}
        }
    }
    Ok(Some(Item {
        noted: clap.map(|numbers| Noted {
            track: Track::Place(0),
            whole,
            edges: numbers.and_then(|numbers| aperture(&numbers, whole)),
            stereo: false,
            shape: None,
        }),
        turn: turn(quarters, axis),
    }))
}

/// First so many quarters anticlockwise, then the mirror: 0 exchanges top and bottom, 1 left and
/// right. Said the other way round, as display matrices are read.
fn turn(quarters: u8, axis: Option<u8>) -> Turn {
    let anticlockwise = i32::from(quarters) * 90;
    let degrees = match axis {
        None => -anticlockwise,
        Some(0) => anticlockwise + 180,
        Some(_) => anticlockwise,
    };
    Turn {
        degrees: degrees.rem_euclid(360),
        mirrored: axis.is_some(),
    }
}

/// Places of an item's properties in their list, from 1.
fn properties_of(file: &mut dyn Bytes, mut lists: Range, item: u32) -> io::Result<Vec<usize>> {
    let mut found = Vec::new();
    while let Some(list) = iso_box(file, lists.clone(), b"ipma")? {
        lists.start = list.end;
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(list.start))?;
        let length = (list.end - list.start).min(MOST_BYTES);
        (&mut *file).take(length).read_to_end(&mut bytes)?;
        // A list that ends too early has what came before.
        let _ended: Option<()> = read_list(&bytes, item, &mut found);
    }
    Ok(found)
}

fn read_list(mut bytes: &[u8], item: u32, found: &mut Vec<usize>) -> Option<()> {
    let mut next = |length: usize| {
        let (number, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        let number = number.iter();
        Some(number.fold(0u32, |number, byte| number << 8 | u32::from(*byte)))
    };
    let has_long_numbers = next(1)? > 0;
    let has_long_places = next(3)? & 1 == 1;
    for _ in 0..next(4)? {
        let number = next(if has_long_numbers { 4 } else { 2 })?;
        for _ in 0..next(1)? {
            // The highest bit says that whoever does not know the property must give up.
            let place = match has_long_places {
                true => next(2)? & 0x7fff,
                false => next(1)? & 0x7f,
            };
            if number == item {
                found.push(place as usize);
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crop::Edges;
    use std::io::Cursor;

    fn boxed(name: &[u8; 4], inner: &[u8]) -> Vec<u8> {
        let mut bytes = (inner.len() as u32 + 8).to_be_bytes().to_vec();
        bytes.extend(name);
        bytes.extend(inner);
        bytes
    }

    /// A file of a picture of 64 x 48 and one of 32 x 24 that says how bright the first is, with
    /// the numbers of items and properties in their short or their long form.
    fn file(long: bool, extra: &[Vec<u8>]) -> Vec<u8> {
        let size = |w: u8, h: u8| boxed(b"ispe", &[0, 0, 0, 0, 0, 0, 0, w, 0, 0, 0, h]);
        let mut properties = vec![size(32, 24), size(64, 48)];
        properties.extend_from_slice(extra);
        let number = |n: u16| match long {
            true => vec![0, 0, (n >> 8) as u8, n as u8],
            false => n.to_be_bytes().to_vec(),
        };
        let place = |n: u8| match long {
            true => vec![0x80, n],
            false => vec![0x80 | n],
        };
        let version = u8::from(long);
        let mut list = vec![version, 0, 0, version, 0, 0, 0, 2];
        let own: Vec<u8> = (2..=properties.len() as u8).collect();
        for (item, places) in [(2, &[1, 4][..]), (300, &own)] {
            list.extend(number(item));
            list.push(places.len() as u8);
            list.extend(places.iter().flat_map(|p| place(*p)));
        }
        let lists = [boxed(b"ipco", &properties.concat()), boxed(b"ipma", &list)];
        let primary = [&[version, 0, 0, 0][..], &number(300)].concat();
        let meta = [
            vec![0; 4],
            boxed(b"hdlr", b"pict"),
            boxed(b"pitm", &primary),
            boxed(b"iprp", &lists.concat()),
        ];
        [boxed(b"ftyp", b"avif"), boxed(b"meta", &meta.concat())].concat()
    }

    fn clap(numbers: [i32; 8]) -> Vec<u8> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
        boxed(b"clap", &bytes)
    }

    fn read(bytes: &[u8]) -> Option<Item> {
        main_picture(&mut Cursor::new(bytes), bytes.len() as u64).unwrap()
    }

    #[test]
    fn cut_and_turn_are_those_of_the_main_picture_in_either_form_of_the_lists() {
        for long in [false, true] {
            let cut = clap([40, 1, 60, 2, 5, 1, -3, 1]);
            let bytes = file(long, &[cut, boxed(b"irot", &[3])]);
            let found = read(&bytes).unwrap();
            let noted = found.noted.unwrap();
            assert_eq!(noted.whole, (64, 48));
            let edges = Edges {
                left: 17,
                right: 7,
                top: 6,
                bottom: 12,
            };
            assert_eq!(noted.edges, Some(edges));
            assert_eq!((found.turn.degrees, found.turn.mirrored), (90, false));
            for cut in 0..bytes.len() {
                let _ = main_picture(&mut Cursor::new(&bytes[..cut]), cut as u64);
            }
        }
        // What is said of the other picture is not said of this one.
        let bytes = file(false, &[boxed(b"free", &[]), boxed(b"irot", &[1])]);
        let turned_other = read(&bytes).unwrap();
        assert_eq!(turned_other.noted, None);
        let mut other = bytes;
        // The main picture loses its last property, the turn.
        let end = other.len();
        other[end - 1] = 0x80 | 3;
        assert_eq!(read(&other).unwrap().turn, Turn::default());
    }

    #[test]
    fn a_turn_and_a_mirror_are_those_that_players_make_in_the_other_order() {
        let said = |quarters, axis| {
            let turn = turn(quarters, axis);
            (turn.degrees, turn.mirrored)
        };
        assert_eq!(said(0, None), (0, false));
        assert_eq!(said(1, None), (270, false));
        assert_eq!(said(3, None), (90, false));
        assert_eq!(said(0, Some(0)), (180, true));
        assert_eq!(said(0, Some(1)), (0, true));
        assert_eq!(said(1, Some(0)), (270, true));
        assert_eq!(said(1, Some(1)), (90, true));
        assert_eq!(said(2, Some(1)), (180, true));
    }

    #[test]
    fn a_cut_that_cannot_be_is_noted_as_none() {
        for numbers in [[80, 1, 48, 1, 0, 1, 0, 1], [64, 0, 48, 1, 0, 1, 0, 1]] {
            let noted = read(&file(false, &[clap(numbers)])).unwrap().noted.unwrap();
            assert_eq!(noted.edges, None);
        }
        let short = boxed(b"clap", &[0; 8]);
        assert_eq!(
            read(&file(false, &[short])).unwrap().noted.unwrap().edges,
            None
        );
        assert_eq!(read(&boxed(b"ftyp", b"avif")), None);
    }
}
