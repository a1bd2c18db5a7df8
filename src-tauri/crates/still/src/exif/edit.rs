//! Changing an EXIF block where it lies.

use super::ifd::{Block, Entry};
use super::tag;

/// Makes a block tell the truth about a picture of `width` x `height` that stands upright: the
/// orientation becomes 1, the sizes are set where they are stated, and the thumbnail goes, for it
/// shows the old picture. Everything else keeps its place, so the offsets in maker notes stay
/// right. A block that cannot be understood stays as it is.
pub(crate) fn update(block: &mut Vec<u8>, width: u32, height: u32) {
    edit(block, Some((width, height)));
}

/// Sets the orientation to 1 and nothing else.
pub(crate) fn reset_orientation(block: &mut Vec<u8>) {
    edit(block, None);
}

fn edit(block: &mut Vec<u8>, size: Option<(u32, u32)>) {
    for change in plan(block, size).unwrap_or_default() {
        match change {
            Change::Write { at, bytes } => {
                if let Some(target) = block.get_mut(at..at + bytes.len()) {
                    target.copy_from_slice(&bytes);
                }
            }
            Change::Wipe { from, to } => {
                if let Some(target) = block.get_mut(from..to) {
                    target.fill(0);
                }
            }
            Change::Cut { at } => block.truncate(at),
        }
    }
}

enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Wipe { from: usize, to: usize },
    Cut { at: usize },
}

fn plan(bytes: &[u8], size: Option<(u32, u32)>) -> Option<Vec<Change>> {
    let block = Block::new(bytes)?;
    let primary_at = usize::try_from(block.u32(4)?).ok()?;
    let (primary, link_at) = block.directory(primary_at)?;
    let mut changes = Vec::new();
    set(block, &primary, tag::ORIENTATION, 1, &mut changes);
    let Some((width, height)) = size else {
        return Some(changes);
    };
    set(block, &primary, tag::IMAGE_WIDTH, width, &mut changes);
    set(block, &primary, tag::IMAGE_LENGTH, height, &mut changes);
    let sub = |entries: &[Entry], tag: u16| {
        let at = block.pointer(entries, tag)?;
        Some((at, block.directory(at)?.0))
    };
    let exif = sub(&primary, tag::EXIF_IFD);
    if let Some((_, exif)) = &exif {
        set(block, exif, tag::PIXEL_X_DIMENSION, width, &mut changes);
        set(block, exif, tag::PIXEL_Y_DIMENSION, height, &mut changes);
    }
    let gps = sub(&primary, tag::GPS_IFD);
    let interop = exif
        .as_ref()
        .and_then(|(_, entries)| sub(entries, tag::INTEROP_IFD));
    let mut kept = vec![(0, 8), span(primary_at, &primary)];
    for (at, entries) in [Some((primary_at, primary)), exif, gps, interop]
        .into_iter()
        .flatten()
    {
        kept.push(span(at, &entries));
        kept.extend(entries.iter().map(|e| (e.value_at, e.value_at + e.len)));
    }
    drop_thumbnail(block, link_at, &kept, &mut changes);
    Some(changes)
}

/// Where a directory lies, its link included.
fn span(at: usize, entries: &[Entry]) -> (usize, usize) {
    let end = entries.iter().map(|entry| entry.at + 12).max();
    (at, end.unwrap_or(at + 2) + 4)
}

/// Writes a number where it stands. A SHORT that is too small for it becomes a LONG, for which the
/// entry has room; the signed types, which some writers use, become the right ones.
fn set(block: Block<'_>, entries: &[Entry], tag: u16, value: u32, changes: &mut Vec<Change>) {
    let word = |value: u16| match block.little {
        true => value.to_le_bytes(),
        false => value.to_be_bytes(),
    };
    for entry in entries.iter().filter(|entry| entry.tag == tag) {
        if entry.count != 1 || !matches!(entry.kind, 3 | 4 | 8 | 9) {
            continue;
        }
        let (kind, bytes) = match u16::try_from(value) {
            Ok(short) if matches!(entry.kind, 3 | 8) => (3, word(short).to_vec()),
            _ if block.little => (4, value.to_le_bytes().to_vec()),
            _ => (4, value.to_be_bytes().to_vec()),
        };
        changes.push(Change::Write {
            at: entry.at + 2,
            bytes: word(kind).to_vec(),
        });
        changes.push(Change::Write {
            at: entry.at + 8,
            bytes,
        });
    }
}

/// Unlinks the second directory (the thumbnail's) and wipes what only it refers to.
fn drop_thumbnail(
    block: Block<'_>,
    link_at: usize,
    kept: &[(usize, usize)],
    changes: &mut Vec<Change>,
) {
    let Some(second_at) = block.u32(link_at).filter(|at| *at != 0) else {
        return;
    };
    changes.push(Change::Write {
        at: link_at,
        bytes: vec![0; 4],
    });
    let Ok(second_at) = usize::try_from(second_at) else {
        return;
    };
    let Some((second, _)) = block.directory(second_at) else {
        return;
    };
    let len = block.bytes.len();
    let is_free = |from: usize, to: usize| {
        from < to && to <= len && kept.iter().all(|(start, end)| to <= *start || from >= *end)
    };
    // Only LONG pointers count here; a thumbnail has no other.
    let thumbnail = block
        .pointer(&second, tag::THUMBNAIL_OFFSET)
        .zip(block.pointer(&second, tag::THUMBNAIL_LENGTH));
    let mut wiped = vec![span(second_at, &second)];
    wiped.extend(second.iter().map(|e| (e.value_at, e.value_at + e.len)));
    let mut cut = None;
    if let Some((from, size)) = thumbnail {
        let to = from.saturating_add(size).min(len);
        wiped.push((from, to));
        // At the very end, where nearly every camera puts it, its bytes can go altogether.
        if to + 2 > len && is_free(from, len) && from > second_at {
            cut = Some(from);
        }
    }
    changes.extend(
        wiped
            .into_iter()
            .filter(|(from, to)| is_free(*from, *to))
            .map(|(from, to)| Change::Wipe { from, to }),
    );
    changes.extend(cut.map(|at| Change::Cut { at }));
}

#[cfg(test)]
mod tests {
    use super::super::{Directories, Field, orientation, parse, serialise};
    use super::*;

    fn sample() -> Vec<u8> {
        serialise(&Directories {
            primary: vec![
                Field::ascii(tag::MAKE, "A camera of some length"),
                Field::shorts(tag::ORIENTATION, &[6]),
            ],
            exif: vec![
                Field::shorts(tag::PIXEL_X_DIMENSION, &[4000]),
                Field::shorts(tag::PIXEL_Y_DIMENSION, &[3000]),
                Field::bytes(tag::MAKER_NOTE, 7, b"secret notes of the maker"),
            ],
            gps: vec![Field::rational(2, 47, 1)],
            interop: vec![Field::ascii(1, "R98")],
        })
    }

    /// The same block with a second directory and a thumbnail of 10 bytes at its end.
    fn with_thumbnail() -> Vec<u8> {
        let mut block = sample();
        let (_, link_at) = Block::new(&block).unwrap().directory(8).unwrap();
        let second_at = block.len() as u32;
        block[link_at..link_at + 4].copy_from_slice(&second_at.to_le_bytes());
        block.extend(super::super::ifd_bytes(
            &[
                Field::long(tag::THUMBNAIL_OFFSET, second_at + 30),
                Field::long(tag::THUMBNAIL_LENGTH, 10),
            ],
            u64::from(second_at),
            false,
        ));
        assert_eq!(block.len() as u32, second_at + 30);
        block.extend_from_slice(b"old pictur");
        block
    }

    #[test]
    fn a_block_written_here_reads_back_the_same() {
        let directories = parse(&sample()).unwrap();
        assert_eq!(parse(&serialise(&directories)).unwrap(), directories);
        assert_eq!(directories.interop[0].as_text().unwrap(), "R98");
        assert_eq!(directories.gps[0].as_ratio(), Some(47.0));
    }

    #[test]
    fn orientation_and_sizes_change_and_all_else_stays() {
        let before = sample();
        let mut after = before.clone();
        update(&mut after, 70_000, 6000);
        assert_eq!(after.len(), before.len());
        assert_eq!(orientation(&after), Some(1));
        let directories = parse(&after).unwrap();
        let of = |tag| directories.exif.iter().find(|f| f.tag == tag).unwrap();
        assert_eq!(of(tag::PIXEL_X_DIMENSION).as_u32(), Some(70_000));
        assert_eq!(of(tag::PIXEL_Y_DIMENSION).as_u32(), Some(6000));
        assert_eq!(of(tag::MAKER_NOTE).data, b"secret notes of the maker");
    }

    #[test]
    fn the_thumbnail_of_the_old_picture_is_gone() {
        let mut block = with_thumbnail();
        update(&mut block, 100, 50);
        assert!(!block.windows(3).any(|w| w == b"old"));
        let (_, link_at) = Block::new(&block).unwrap().directory(8).unwrap();
        assert_eq!(Block::new(&block).unwrap().u32(link_at), Some(0));
        assert_eq!(parse(&block).unwrap().exif.len(), 3);
        // In the middle of the block it cannot be cut off: its bytes are wiped.
        let mut block = with_thumbnail();
        block.extend_from_slice(b"something behind");
        update(&mut block, 100, 50);
        assert!(!block.windows(3).any(|w| w == b"old"));
        assert!(block.ends_with(b"something behind"));
    }

    #[test]
    fn no_cut_or_broken_block_brings_the_program_down() {
        let whole = with_thumbnail();
        for len in 0..whole.len() {
            let mut block = whole[..len].to_vec();
            let _ = parse(&block);
            update(&mut block, 1, 1);
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut block = whole.clone();
                block[at] = value;
                let _ = parse(&block).map(|d| serialise(&d));
                update(&mut block, u32::MAX, 1);
            }
        }
    }
}
