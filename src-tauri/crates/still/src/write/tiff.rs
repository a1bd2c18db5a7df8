//! TIFF in deflated strips with horizontal differences (TIFF 6.0; Adobe technote for deflate),
//! BigTIFF where 32-bit offsets may not reach. Little-endian.
//!
//! Written here and not by the `tiff` crate: that one borrows its encoder for as long as the
//! picture lasts, and knows no EXIF directories.

use super::carry::Carried;
use super::file::SharedFile;
use super::{Shape, WriteFault};
use crate::exif::{Field, ifd_bytes, ifd_len, tag};
use crate::picture::Channels;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use frameloom_core::job::Quality;
use std::borrow::Cow;
use std::io::{Seek, SeekFrom, Write};

/// Unpacked bytes of a strip: small enough for any reader, large enough to pack well.
const STRIP_BYTES: usize = 1 << 18;
/// Beyond this the offsets of a plain TIFF may not reach, packing may also lengthen.
const PLAIN_BYTES: u64 = 4_000_000_000;

pub(crate) struct TiffRows {
    file: SharedFile,
    shape: Shape,
    carried: Carried,
    big: bool,
    level: Compression,
    strip_rows: usize,
    pending: Vec<u8>,
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    /// Bytes written so far.
    at: u64,
}

impl TiffRows {
    pub(crate) fn start(
        file: SharedFile,
        shape: Shape,
        carried: Carried,
        quality: Quality,
    ) -> Result<Self, WriteFault> {
        let row_bytes = shape.row_samples() * usize::from(shape.bits / 8);
        let metadata: usize = [&carried.icc, &carried.exif, &carried.xmp]
            .into_iter()
            .flatten()
            .map(Vec::len)
            .sum();
        let total = row_bytes as u64 * u64::from(shape.height) + metadata as u64;
        let big = total > PLAIN_BYTES;
        let mut rows = Self {
            file,
            shape,
            carried,
            big,
            level: Compression::new(match quality {
                Quality::Draft | Quality::Good => 1,
                Quality::Archive | Quality::Lossless => 6,
            }),
            strip_rows: (STRIP_BYTES / row_bytes).clamp(1, shape.height as usize),
            pending: Vec::new(),
            offsets: Vec::new(),
            lengths: Vec::new(),
            at: 0,
        };
        // The place of the directory follows at the end.
        let head: &[u8] = if big {
            b"II+\0\x08\0\0\0\0\0\0\0\0\0\0\0"
        } else {
            b"II*\0\0\0\0\0"
        };
        rows.append(head)?;
        Ok(rows)
    }

    /// Whole rows, 16-bit samples little-endian.
    pub(crate) fn rows(&mut self, bytes: Cow<'_, [u8]>) -> Result<(), WriteFault> {
        let strip_bytes = self.row_bytes() * self.strip_rows;
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            let taken = rest.len().min(strip_bytes - self.pending.len());
            self.pending.extend_from_slice(&rest[..taken]);
            rest = &rest[taken..];
            if self.pending.len() == strip_bytes {
                self.end_strip()?;
            }
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<(), WriteFault> {
        if !self.pending.is_empty() {
            self.end_strip()?;
        }
        let main_at = self.write_directories()?;
        if self.big {
            self.file.seek(SeekFrom::Start(8))?;
            self.file.write_all(&main_at.to_le_bytes())?;
        } else {
            let main_at = u32::try_from(main_at)
                .map_err(|_| WriteFault::Encode("the file grew beyond 4 GiB".into()))?;
            self.file.seek(SeekFrom::Start(4))?;
            self.file.write_all(&main_at.to_le_bytes())?;
        }
        Ok(())
    }

    fn row_bytes(&self) -> usize {
        self.shape.row_samples() * usize::from(self.shape.bits / 8)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), WriteFault> {
        self.file.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn end_strip(&mut self) -> Result<(), WriteFault> {
        let row_bytes = self.row_bytes();
        let step = self.shape.layout.count();
        let mut strip = std::mem::take(&mut self.pending);
        for row in strip.chunks_exact_mut(row_bytes) {
            if self.shape.bits == 8 {
                for index in (step..row.len()).rev() {
                    row[index] = row[index].wrapping_sub(row[index - step]);
                }
            } else {
                let (samples, _) = row.as_chunks_mut::<2>();
                for index in (step..samples.len()).rev() {
                    let before = u16::from_le_bytes(samples[index - step]);
                    let here = u16::from_le_bytes(samples[index]);
                    samples[index] = here.wrapping_sub(before).to_le_bytes();
                }
            }
        }
        let mut packer = ZlibEncoder::new(Vec::with_capacity(strip.len() / 2), self.level);
        packer.write_all(&strip)?;
        let packed = packer.finish()?;
        self.offsets.push(self.at);
        self.lengths.push(packed.len() as u64);
        self.append(&packed)?;
        strip.clear();
        self.pending = strip;
        Ok(())
    }

    /// Directories of EXIF first, then the main one that points at them; returns its place.
    fn write_directories(&mut self) -> Result<u64, WriteFault> {
        let mut directories = std::mem::take(&mut self.carried.directories);
        let mut main = self.picture_fields();
        if !directories.interop.is_empty() {
            let at = self.append_directory(&directories.interop)?;
            let field = Field::offsets(tag::INTEROP_IFD, &[at], self.big);
            directories.exif.push(field);
        }
        if !directories.exif.is_empty() {
            let at = self.append_directory(&directories.exif)?;
            main.push(Field::offsets(tag::EXIF_IFD, &[at], self.big));
        }
        if !directories.gps.is_empty() {
            let at = self.append_directory(&directories.gps)?;
            main.push(Field::offsets(tag::GPS_IFD, &[at], self.big));
        }
        let taken: Vec<u16> = main.iter().map(|field| field.tag).collect();
        main.extend(
            directories
                .primary
                .into_iter()
                .filter(|field| !taken.contains(&field.tag)),
        );
        self.append_directory(&main)
    }

    fn append_directory(&mut self, fields: &[Field]) -> Result<u64, WriteFault> {
        // Directories begin on a word boundary.
        let padding = (8 - self.at % 8) % 8;
        self.append(&[0; 8][..padding as usize])?;
        let at = self.at;
        if !self.big && at + ifd_len(fields, false) as u64 > u64::from(u32::MAX) {
            return Err(WriteFault::Encode("the file grew beyond 4 GiB".into()));
        }
        self.append(&ifd_bytes(fields, at, self.big))?;
        Ok(at)
    }

    fn picture_fields(&self) -> Vec<Field> {
        let layout = self.shape.layout;
        let count = layout.count();
        let photometric = match layout {
            Channels::Gray | Channels::GrayAlpha => 1,
            Channels::Rgb | Channels::Rgba => 2,
        };
        let mut fields = vec![
            Field::long(tag::IMAGE_WIDTH, self.shape.width),
            Field::long(tag::IMAGE_LENGTH, self.shape.height),
            Field::shorts(0x0102, &vec![u16::from(self.shape.bits); count]),
            // Deflate.
            Field::shorts(0x0103, &[8]),
            Field::shorts(0x0106, &[photometric]),
            Field::offsets(0x0111, &self.offsets, self.big),
            Field::shorts(tag::ORIENTATION, &[1]),
            Field::shorts(0x0115, &[count as u16]),
            Field::long(0x0116, self.strip_rows as u32),
            Field::offsets(0x0117, &self.lengths, self.big),
            Field::shorts(0x011c, &[1]),
            // Horizontal differences.
            Field::shorts(0x013d, &[2]),
        ];
        if layout.has_alpha() {
            // Straight alpha.
            fields.push(Field::shorts(0x0152, &[2]));
        }
        if let Some((x, y)) = self.carried.dpi {
            let ratio = |tag, dpi: f64| {
                Field::rational(tag, (dpi * 1000.0).round().clamp(1.0, 4e9) as u32, 1000)
            };
            fields.push(ratio(tag::X_RESOLUTION, x));
            fields.push(ratio(tag::Y_RESOLUTION, y));
            fields.push(Field::shorts(tag::RESOLUTION_UNIT, &[2]));
        }
        if let Some(xmp) = &self.carried.xmp {
            fields.push(Field::bytes(0x02bc, 1, xmp));
        }
        if let Some(icc) = &self.carried.icc {
            fields.push(Field::bytes(0x8773, 7, icc));
        }
        fields
    }
}
