//! Directories of a TIFF structure: reading them from a block, writing them anew.

use super::tag;

/// Directories deeper or longer than any camera makes are not followed.
const MAX_FIELDS: usize = 4096;

/// Bytes per value of a field type; `None` for unknown types.
pub(super) fn type_size(kind: u16) -> Option<usize> {
    match kind {
        1 | 2 | 6 | 7 | 129 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16 | 17 | 18 => Some(8),
        _ => None,
    }
}

/// Bytes that change places when the byte order changes.
fn word_size(kind: u16) -> usize {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 | 5 | 10 => 4,
        12 | 16 | 17 | 18 => 8,
        _ => 1,
    }
}

/// One field. The value is little-endian whatever the source was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) tag: u16,
    pub(crate) kind: u16,
    pub(crate) data: Vec<u8>,
}

impl Field {
    #[cfg(test)]
    pub(crate) fn ascii(tag: u16, text: &str) -> Self {
        let mut data = text.as_bytes().to_vec();
        data.push(0);
        Self { tag, kind: 2, data }
    }

    pub(crate) fn bytes(tag: u16, kind: u16, data: &[u8]) -> Self {
        Self {
            tag,
            kind,
            data: data.to_vec(),
        }
    }

    pub(crate) fn shorts(tag: u16, values: &[u16]) -> Self {
        Self {
            tag,
            kind: 3,
            data: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        }
    }

    pub(crate) fn long(tag: u16, value: u32) -> Self {
        Self {
            tag,
            kind: 4,
            data: value.to_le_bytes().to_vec(),
        }
    }

    pub(crate) fn rational(tag: u16, numerator: u32, denominator: u32) -> Self {
        let mut data = numerator.to_le_bytes().to_vec();
        data.extend_from_slice(&denominator.to_le_bytes());
        Self { tag, kind: 5, data }
    }

    /// Offsets or byte counts: LONG, or LONG8 for BigTIFF.
    pub(crate) fn offsets(tag: u16, values: &[u64], big: bool) -> Self {
        let data = if big {
            values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        } else {
            values
                .iter()
                .flat_map(|value| (*value as u32).to_le_bytes())
                .collect()
        };
        Self {
            tag,
            kind: if big { 16 } else { 4 },
            data,
        }
    }

    fn count(&self) -> u64 {
        (self.data.len() / type_size(self.kind).unwrap_or(1)) as u64
    }

    /// The first value of a BYTE, SHORT or LONG; some writers use the signed types for these.
    pub(crate) fn as_u32(&self) -> Option<u32> {
        match (self.kind, self.data.as_slice()) {
            (1, [a, ..]) => Some(u32::from(*a)),
            (3 | 8, [a, b, ..]) => Some(u32::from(u16::from_le_bytes([*a, *b]))),
            (4 | 9 | 13, [a, b, c, d, ..]) => Some(u32::from_le_bytes([*a, *b, *c, *d])),
            _ => None,
        }
    }

    /// The first RATIONAL.
    pub(crate) fn as_ratio(&self) -> Option<f64> {
        self.as_ratios().first().copied()
    }

    /// The RATIONALs up to the first that is none.
    pub(crate) fn as_ratios(&self) -> Vec<f64> {
        if self.kind != 5 {
            return Vec::new();
        }
        let ratio = |bytes: &[u8]| {
            let [a, b, c, d, e, f, g, h] = *bytes else {
                return None;
            };
            let numerator = u32::from_le_bytes([a, b, c, d]);
            let denominator = u32::from_le_bytes([e, f, g, h]);
            (denominator != 0).then(|| f64::from(numerator) / f64::from(denominator))
        };
        self.data.chunks_exact(8).map_while(ratio).collect()
    }

    /// ASCII up to the first NUL.
    pub(crate) fn as_text(&self) -> Option<String> {
        (self.kind == 2).then(|| {
            let text = self.data.split(|byte| *byte == 0).next().unwrap_or(&[]);
            String::from_utf8_lossy(text).trim().to_owned()
        })
    }
}

/// The directories of an EXIF block, pointers between them left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Directories {
    pub(crate) primary: Vec<Field>,
    pub(crate) exif: Vec<Field>,
    pub(crate) gps: Vec<Field>,
    pub(crate) interop: Vec<Field>,
}

impl Directories {
    pub(crate) fn primary_u32(&self, tag: u16) -> Option<u32> {
        find(&self.primary, tag)?.as_u32()
    }

    pub(crate) fn text(&self, tag: u16) -> Option<String> {
        find(&self.primary, tag)
            .or_else(|| find(&self.exif, tag))?
            .as_text()
            .filter(|text| !text.is_empty())
    }

    /// Dots per inch.
    pub(crate) fn dpi(&self) -> Option<(f64, f64)> {
        let x = find(&self.primary, tag::X_RESOLUTION)?.as_ratio()?;
        let y = find(&self.primary, tag::Y_RESOLUTION)?.as_ratio()?;
        let scale = match self.primary_u32(tag::RESOLUTION_UNIT) {
            None | Some(2) => 1.0,
            Some(3) => 2.54,
            _ => return None,
        };
        (x > 0.0 && y > 0.0).then_some((x * scale, y * scale))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.primary.is_empty()
            && self.exif.is_empty()
            && self.gps.is_empty()
            && self.interop.is_empty()
    }
}

fn find(fields: &[Field], tag: u16) -> Option<&Field> {
    fields.iter().find(|field| field.tag == tag)
}

/// Where the entries of a directory lie in a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) tag: u16,
    pub(super) kind: u16,
    pub(super) count: usize,
    /// Position of the 12 bytes of the entry.
    pub(super) at: usize,
    /// Position of the value, inside the entry or elsewhere; within the block.
    pub(super) value_at: usize,
    /// Bytes of the value.
    pub(super) len: usize,
}

/// A block with its byte order. Every access is checked: the content is anybody's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) little: bool,
}

impl<'a> Block<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        match bytes.get(..4)? {
            b"II*\0" => Some(Self {
                bytes,
                little: true,
            }),
            b"MM\0*" => Some(Self {
                bytes,
                little: false,
            }),
            _ => None,
        }
    }

    pub(super) fn u16(self, at: usize) -> Option<u16> {
        let two: [u8; 2] = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.little {
            u16::from_le_bytes(two)
        } else {
            u16::from_be_bytes(two)
        })
    }

    pub(super) fn u32(self, at: usize) -> Option<u32> {
        let four: [u8; 4] = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.little {
            u32::from_le_bytes(four)
        } else {
            u32::from_be_bytes(four)
        })
    }

    /// The readable entries of the directory at `at`, and the position of its link to the next.
    pub(super) fn directory(self, at: usize) -> Option<(Vec<Entry>, usize)> {
        let count = usize::from(self.u16(at)?);
        let link_at = at.checked_add(2 + 12 * count)?;
        let mut entries = Vec::new();
        for index in 0..count.min(MAX_FIELDS) {
            let entry_at = at + 2 + 12 * index;
            if entry_at + 12 > self.bytes.len() {
                break;
            }
            if let Some(entry) = self.entry(entry_at) {
                entries.push(entry);
            }
        }
        Some((entries, link_at))
    }

    fn entry(self, at: usize) -> Option<Entry> {
        let tag = self.u16(at)?;
        let kind = self.u16(at + 2)?;
        let count = usize::try_from(self.u32(at + 4)?).ok()?;
        let len = count.checked_mul(type_size(kind)?)?;
        let value_at = if len <= 4 {
            at + 8
        } else {
            usize::try_from(self.u32(at + 8)?).ok()?
        };
        self.bytes.get(value_at..value_at.checked_add(len)?)?;
        Some(Entry {
            tag,
            kind,
            count,
            at,
            value_at,
            len,
        })
    }

    fn field(self, entry: Entry) -> Option<Field> {
        let mut data = self
            .bytes
            .get(entry.value_at..entry.value_at + entry.len)?
            .to_vec();
        if !self.little {
            data.chunks_exact_mut(word_size(entry.kind))
                .for_each(<[u8]>::reverse);
        }
        Some(Field {
            tag: entry.tag,
            kind: entry.kind,
            data,
        })
    }

    pub(super) fn pointer(self, entries: &[Entry], tag: u16) -> Option<usize> {
        let entry = entries.iter().find(|entry| entry.tag == tag)?;
        (matches!(entry.kind, 4 | 9 | 13) && entry.count == 1)
            .then(|| self.u32(entry.value_at))
            .flatten()
            .and_then(|at| usize::try_from(at).ok())
            .filter(|at| *at >= 8)
    }

    fn fields(self, entries: &[Entry]) -> Vec<Field> {
        const POINTERS: [u16; 3] = [tag::EXIF_IFD, tag::GPS_IFD, tag::INTEROP_IFD];
        // Overlapping values let a small block unpack to a huge one: no more than four times.
        let mut budget = self.bytes.len().saturating_mul(4);
        let mut fields = Vec::new();
        for entry in entries
            .iter()
            .filter(|entry| !POINTERS.contains(&entry.tag))
        {
            let Some(left) = budget.checked_sub(entry.len) else {
                break;
            };
            budget = left;
            fields.extend(self.field(*entry));
        }
        fields
    }
}

/// The directories of a block. `None` if it is no TIFF structure; what cannot be read in it is
/// left out.
pub(crate) fn parse(bytes: &[u8]) -> Option<Directories> {
    let block = Block::new(bytes)?;
    let (primary, _) = block.directory(usize::try_from(block.u32(4)?).ok()?)?;
    let sub = |entries: &[Entry], tag| -> Vec<Entry> {
        block
            .pointer(entries, tag)
            .and_then(|at| block.directory(at))
            .map(|(entries, _)| entries)
            .unwrap_or_default()
    };
    let exif = sub(&primary, tag::EXIF_IFD);
    let gps = sub(&primary, tag::GPS_IFD);
    let interop = sub(&exif, tag::INTEROP_IFD);
    Some(Directories {
        primary: block.fields(&primary),
        exif: block.fields(&exif),
        gps: block.fields(&gps),
        interop: block.fields(&interop),
    })
}

/// Bytes that [`ifd_bytes`] makes of these fields.
pub(crate) fn ifd_len(fields: &[Field], big: bool) -> usize {
    let (head, entry, inline, link) = if big { (8, 20, 8, 8) } else { (2, 12, 4, 4) };
    let outside: usize = fields
        .iter()
        .map(|field| field.data.len())
        .filter(|len| *len > inline)
        .map(|len| len.next_multiple_of(2))
        .sum();
    head + entry * fields.len() + link + outside
}

/// A little-endian directory that will lie at `at`, its long values behind it, linked to nothing.
pub(crate) fn ifd_bytes(fields: &[Field], at: u64, big: bool) -> Vec<u8> {
    let mut sorted: Vec<&Field> = fields.iter().collect();
    sorted.sort_by_key(|field| field.tag);
    let inline = if big { 8 } else { 4 };
    let total = ifd_len(fields, big);
    let outside: usize = fields
        .iter()
        .map(|field| field.data.len())
        .filter(|len| *len > inline)
        .map(|len| len.next_multiple_of(2))
        .sum();
    let mut out = Vec::with_capacity(total);
    let mut values = Vec::with_capacity(outside);
    let values_at = at + (total - outside) as u64;
    if big {
        out.extend_from_slice(&(sorted.len() as u64).to_le_bytes());
    } else {
        out.extend_from_slice(&(sorted.len() as u16).to_le_bytes());
    }
    for field in sorted {
        out.extend_from_slice(&field.tag.to_le_bytes());
        out.extend_from_slice(&field.kind.to_le_bytes());
        let number = |out: &mut Vec<u8>, value: u64| {
            if big {
                out.extend_from_slice(&value.to_le_bytes());
            } else {
                out.extend_from_slice(&(value as u32).to_le_bytes());
            }
        };
        number(&mut out, field.count());
        if field.data.len() <= inline {
            out.extend_from_slice(&field.data);
            out.resize(out.len() + inline - field.data.len(), 0);
        } else {
            number(&mut out, values_at + values.len() as u64);
            values.extend_from_slice(&field.data);
            values.resize(values.len().next_multiple_of(2), 0);
        }
    }
    out.resize(out.len() + inline, 0);
    out.extend_from_slice(&values);
    out
}

/// A little-endian EXIF block with these directories.
pub(crate) fn serialise(directories: &Directories) -> Vec<u8> {
    let Directories {
        primary,
        exif,
        gps,
        interop,
    } = directories;
    let mut primary = primary.clone();
    let mut exif = exif.clone();
    // The pointers take their place first, so that all lengths are final.
    let needs_exif = !exif.is_empty() || !interop.is_empty();
    if needs_exif {
        primary.push(Field::long(tag::EXIF_IFD, 0));
    }
    if !gps.is_empty() {
        primary.push(Field::long(tag::GPS_IFD, 0));
    }
    if !interop.is_empty() {
        exif.push(Field::long(tag::INTEROP_IFD, 0));
    }
    let point = |fields: &mut Vec<Field>, tag: u16, at: usize| {
        if let Some(field) = fields.iter_mut().find(|field| field.tag == tag) {
            field.data = (at as u32).to_le_bytes().to_vec();
        }
    };
    let primary_at = 8;
    let exif_at = primary_at + ifd_len(&primary, false);
    let gps_at = exif_at + if needs_exif { ifd_len(&exif, false) } else { 0 };
    let interop_at = gps_at
        + if gps.is_empty() {
            0
        } else {
            ifd_len(gps, false)
        };
    point(&mut primary, tag::EXIF_IFD, exif_at);
    point(&mut primary, tag::GPS_IFD, gps_at);
    point(&mut exif, tag::INTEROP_IFD, interop_at);
    let mut out = b"II*\0\x08\0\0\0".to_vec();
    out.extend(ifd_bytes(&primary, primary_at as u64, false));
    if needs_exif {
        out.extend(ifd_bytes(&exif, exif_at as u64, false));
    }
    if !gps.is_empty() {
        out.extend(ifd_bytes(gps, gps_at as u64, false));
    }
    if !interop.is_empty() {
        out.extend(ifd_bytes(interop, interop_at as u64, false));
    }
    out
}
