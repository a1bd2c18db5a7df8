//! What an AVIF file says beside its coded picture: the colour profile, whether there is alpha or
//! EXIF. Whoever decodes the picture sees to its crop and its turn, and passes over these.
//!
//! Boxes of ISO/IEC 23008-12 (HEIF): `colr` 6.5.5, `auxC` 6.5.8.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The properties lie in the `meta` box at the start of the file; a profile may make it long.
const HEAD_BYTES: u64 = 4 << 20;

/// Properties of the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvifProperties {
    /// ICC profile, byte for byte.
    pub icc: Option<Vec<u8>>,
    /// A second picture holds alpha.
    pub alpha: bool,
    /// An item holds EXIF.
    pub exif: bool,
}

impl AvifProperties {
    /// Reads the properties of a file; one that cannot be read or is no AVIF has none.
    pub fn of(path: &Path) -> Self {
        let mut head = Vec::new();
        if let Ok(file) = File::open(path) {
            // What could be read before an error is used; the decoder reports the error.
            let _ = file.take(HEAD_BYTES).read_to_end(&mut head);
        }
        Self::parse(&head)
    }

    fn parse(head: &[u8]) -> Self {
        let (mut icc, mut alpha) = (None, false);
        for (kind, body) in properties(head) {
            match (kind, body) {
                (b"colr", [b'p', b'r', b'o', b'f', profile @ ..]) => icc = Some(profile.to_vec()),
                // Version and flags, then the name of the kind of auxiliary picture.
                (b"auxC", [_, _, _, _, name @ ..]) => {
                    alpha |= name.starts_with(b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha");
                }
                _ => {}
            }
        }
        Self {
            icc,
            alpha,
            exif: item_kinds(head).any(|kind| kind == *b"Exif"),
        }
    }
}

fn find<'a>(within: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(within).find_map(|(kind, body)| (kind == wanted).then_some(body))
}

/// A box in `meta`.
fn in_meta<'a>(head: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    // `meta` begins with version and flags.
    find(head, b"meta").and_then(|meta| find(meta.get(4..)?, wanted))
}

/// The boxes in `meta` / `iprp` / `ipco`.
fn properties(head: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let container = in_meta(head, b"iprp").and_then(|iprp| find(iprp, b"ipco"));
    boxes(container.unwrap_or_default())
}

/// The kind of every item, from `meta` / `iinf` / `infe` (ISO/IEC 14496-12, 8.11.6).
fn item_kinds(head: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    let list = in_meta(head, b"iinf").and_then(|iinf| {
        // Version and flags, then the number of entries in two bytes or four.
        let count_bytes = if *iinf.first()? == 0 { 2 } else { 4 };
        iinf.get(4 + count_bytes..)
    });
    boxes(list.unwrap_or_default()).filter_map(|(kind, entry)| {
        // Version and flags, the item's number in two bytes or four, the index of its protection.
        let at = match (kind, entry.first()?) {
            (b"infe", 2) => 8,
            (b"infe", 3) => 10,
            _ => return None,
        };
        entry.get(at..at + 4)?.try_into().ok()
    })
}

/// The boxes that lie one after another in `bytes`; a cut one ends the walk with what is there.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (size, rest) = bytes.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let (header, size, rest) = match u32::from_be_bytes(*size) {
            // To the end of the file.
            0 => (8, bytes.len() as u64, rest),
            1 => {
                let (large, rest) = rest.split_first_chunk::<8>()?;
                (16, u64::from_be_bytes(*large), rest)
            }
            size => (8, u64::from(size), rest),
        };
        let length = usize::try_from(size.checked_sub(header)?).ok()?;
        let body = &rest[..length.min(rest.len())];
        bytes = &rest[body.len()..];
        Some((kind, body))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut bytes = (body.len() as u32 + 8).to_be_bytes().to_vec();
        bytes.extend(kind);
        bytes.extend(body);
        bytes
    }

    fn file(properties: &[Vec<u8>]) -> Vec<u8> {
        let ipco = boxed(b"ipco", &properties.concat());
        let mut meta = vec![0; 4];
        meta.extend(boxed(b"hdlr", b"pict"));
        meta.extend(boxed(b"iprp", &ipco));
        [boxed(b"ftyp", b"avif"), boxed(b"meta", &meta)].concat()
    }

    #[test]
    fn profile_and_alpha_are_found() {
        let found = AvifProperties::parse(&file(&[
            boxed(b"colr", b"profPROFILE"),
            boxed(
                b"auxC",
                b"\0\0\0\0urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0",
            ),
        ]));
        assert_eq!(found.icc.as_deref(), Some(&b"PROFILE"[..]));
        assert!(found.alpha && !found.exif);
        let plain = AvifProperties::parse(&file(&[boxed(b"colr", b"nclx1234")]));
        assert_eq!((plain.icc, plain.alpha), (None, false));
    }

    #[test]
    fn an_item_with_exif_is_found_in_either_form_of_the_list() {
        let with = |version: u8, kinds: &[&[u8; 4]]| {
            let wide = usize::from(version > 0);
            let mut iinf = vec![version, 0, 0, 0];
            iinf.extend(vec![0; 2 + 2 * wide]);
            for kind in kinds {
                let mut entry = vec![2 + wide as u8, 0, 0, 0];
                entry.extend(vec![0; 4 + 2 * wide]);
                entry.extend(*kind);
                entry.extend(b"name\0");
                iinf.extend(boxed(b"infe", &entry));
            }
            let meta = [vec![0; 4], boxed(b"iinf", &iinf)].concat();
            AvifProperties::parse(&boxed(b"meta", &meta)).exif
        };
        for version in [0, 1] {
            assert!(with(version, &[b"av01", b"Exif"]));
            assert!(!with(version, &[b"av01", b"mime"]));
        }
    }

    #[test]
    fn no_cut_and_no_size_makes_it_panic() {
        let whole = file(&[boxed(b"irot", &[3]), boxed(b"colr", b"profPROFILE")]);
        for end in 0..whole.len() {
            AvifProperties::parse(&whole[..end]);
            for value in [0, 1, 7, 255] {
                let mut bytes = whole.clone();
                bytes[end] = value;
                AvifProperties::parse(&bytes);
            }
        }
    }
}
