//! From rows to a file, without the whole picture in memory where the format allows it.

mod carry;
mod file;
mod jpeg;
mod png;
mod tiff;
mod webp;

use crate::color::{to_8_bits, to_16_bits};
use crate::error::StillError;
use crate::format::StillFormat;
use crate::picture::{Channels, Metadata, Picture, RowsRef};
use carry::Carried;
use file::SharedFile;
use frameloom_core::job::Quality;
use frameloom_core::media::{VideoInfo, Warning};
use frameloom_core::said;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// What a format needs to know before the first row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) layout: Channels,
    /// 8 or 16: bits of the samples in the file.
    pub(crate) bits: u8,
}

impl Shape {
    pub(crate) fn row_samples(self) -> usize {
        self.width as usize * self.layout.count()
    }
}

/// A failure of an encoder, before the path is known.
#[derive(Debug)]
pub(crate) enum WriteFault {
    Io(std::io::Error),
    Encode(String),
}

impl From<std::io::Error> for WriteFault {
    fn from(error: std::io::Error) -> Self {
        WriteFault::Io(error)
    }
}

enum Encoder {
    Png(png::PngRows),
    Jpeg(jpeg::JpegRows),
    WebP(webp::WebPRows),
    Tiff(Box<tiff::TiffRows>),
}

/// Writes a picture row by row: [`open`](Self::open), [`write_rows`](Self::write_rows) until all
/// rows are there, [`finish`](Self::finish). A writer that is dropped before it finished removes
/// its file.
pub struct RowWriter {
    path: PathBuf,
    format: StillFormat,
    shape: Shape,
    rows_done: u32,
    encoder: Option<Encoder>,
    file: SharedFile,
    warnings: Vec<Warning>,
    finished: bool,
}

impl RowWriter {
    /// Creates (or replaces) the file and writes what stands before the picture.
    ///
    /// `bits` is the depth of the rows to come, 8 or 16; rows of the other depth are converted.
    /// Sizes, orientation and thumbnail in the metadata are made to fit the new picture.
    ///
    /// # Errors
    /// The format cannot hold the picture (alpha, size, no loss), or the file cannot be written.
    /// Nothing is created where the format is the reason.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a fact about the picture, and no two have the same type but the sides"
    )]
    pub fn open(
        path: &Path,
        format: StillFormat,
        width: u32,
        height: u32,
        layout: Channels,
        bits: u8,
        metadata: &Metadata,
        quality: Quality,
    ) -> Result<Self, StillError> {
        check(path, format, width, height, layout, bits, quality)?;
        let mut warnings = Vec::new();
        let out_bits = if format.holds_16_bits() { bits } else { 8 };
        if out_bits < bits {
            warnings.push(Warning::dropped(said!(
                "lost.finer_half",
                "the finer half of 16-bit samples ({format} holds 8 bits)",
                format = format.name()
            )));
        }
        let shape = Shape {
            width,
            height,
            layout,
            bits: out_bits,
        };
        let carried = Carried::new(metadata, format, shape, &mut warnings);
        let failed = |fault| at_path(fault, format, path);
        let file = SharedFile::create(path).map_err(|error| failed(error.into()))?;
        let mut writer = Self {
            path: path.to_path_buf(),
            format,
            shape,
            rows_done: 0,
            encoder: None,
            file: file.clone(),
            warnings,
            finished: false,
        };
        // From here on a failure drops the writer and with it the file.
        let encoder = match format {
            StillFormat::Png => {
                png::PngRows::start(file, shape, &carried, quality).map(Encoder::Png)
            }
            StillFormat::Jpeg => {
                jpeg::JpegRows::start(file, shape, carried, quality).map(Encoder::Jpeg)
            }
            StillFormat::WebP => webp::WebPRows::start(file, shape, carried).map(Encoder::WebP),
            StillFormat::Tiff => tiff::TiffRows::start(file, shape, carried, quality)
                .map(|rows| Encoder::Tiff(Box::new(rows))),
        };
        writer.encoder = Some(encoder.map_err(failed)?);
        Ok(writer)
    }

    /// Appends whole rows of `width * layout.count()` samples each, any number at a time.
    ///
    /// # Errors
    /// The samples are no whole rows or more than the picture has, or the file cannot be written.
    pub fn write_rows(&mut self, rows: RowsRef<'_>) -> Result<(), StillError> {
        let row_samples = self.shape.row_samples();
        let broken = |what| StillError::Rows {
            what,
            path: self.path.clone(),
        };
        if !rows.len().is_multiple_of(row_samples) {
            return Err(broken("the last row is not whole"));
        }
        let count = u32::try_from(rows.len() / row_samples).unwrap_or(u32::MAX);
        if count > self.shape.height - self.rows_done {
            return Err(broken("there are more rows than the picture has"));
        }
        let Some(encoder) = &mut self.encoder else {
            return Err(broken("the writer failed before"));
        };
        // Bands keep what is copied for a change of depth or byte order small.
        let band = ((1 << 20) / row_samples).max(1) * row_samples;
        let result = match (rows, self.shape.bits) {
            (RowsRef::U8(data), 8) => data.chunks(band).try_for_each(|b| encoder.rows_8(b)),
            (RowsRef::U16(data), 16) => data.chunks(band).try_for_each(|b| encoder.rows_16(b)),
            (RowsRef::U16(data), _) => data.chunks(band).try_for_each(|b| {
                let narrow: Vec<u8> = b.iter().map(|v| to_8_bits(*v)).collect();
                encoder.rows_8(&narrow)
            }),
            (RowsRef::U8(data), _) => data.chunks(band).try_for_each(|b| {
                let wide: Vec<u16> = b.iter().map(|v| to_16_bits(*v)).collect();
                encoder.rows_16(&wide)
            }),
        };
        match result {
            Ok(()) => {
                self.rows_done += count;
                Ok(())
            }
            Err(fault) => {
                self.encoder = None;
                // What the disk said first is the cause of whatever the encoder says.
                let cause = self.file.take_error().map_or(fault, WriteFault::Io);
                Err(at_path(cause, self.format, &self.path))
            }
        }
    }

    /// Rows written so far.
    pub fn rows_done(&self) -> u32 {
        self.rows_done
    }

    /// What could not be carried into this format, so far.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Writes the end of the file and waits until the disk has it.
    ///
    /// # Errors
    /// Rows are missing, or the file cannot be written. The file is removed.
    pub fn finish(mut self) -> Result<Vec<Warning>, StillError> {
        if self.rows_done < self.shape.height {
            return Err(StillError::Rows {
                what: "rows are missing",
                path: self.path.clone(),
            });
        }
        let ended = match self.encoder.take() {
            Some(Encoder::Png(rows)) => rows.finish(),
            Some(Encoder::Jpeg(rows)) => rows.finish(),
            Some(Encoder::WebP(rows)) => rows.finish(),
            Some(Encoder::Tiff(rows)) => rows.finish(),
            None => Err(WriteFault::Encode("it failed before".into())),
        };
        let synced = self.file.close();
        // The disk's own words before the encoder's.
        synced
            .map_err(WriteFault::Io)
            .and(ended)
            .map_err(|fault| at_path(fault, self.format, &self.path))?;
        self.finished = true;
        Ok(std::mem::take(&mut self.warnings))
    }
}

impl Drop for RowWriter {
    fn drop(&mut self) {
        if !self.finished {
            self.encoder = None;
            self.file.abandon();
            if let Err(error) = std::fs::remove_file(&self.path) {
                tracing::debug!(%error, path = %self.path.display(), "unfinished picture stays");
            }
        }
    }
}

impl Encoder {
    fn rows_8(&mut self, data: &[u8]) -> Result<(), WriteFault> {
        match self {
            Encoder::Png(rows) => rows.rows(data),
            Encoder::Jpeg(rows) => rows.rows(data),
            Encoder::WebP(rows) => rows.rows(data),
            Encoder::Tiff(rows) => rows.rows(Cow::Borrowed(data)),
        }
    }

    fn rows_16(&mut self, data: &[u16]) -> Result<(), WriteFault> {
        match self {
            Encoder::Png(rows) => {
                let bytes: Vec<u8> = data.iter().flat_map(|v| v.to_be_bytes()).collect();
                rows.rows(&bytes)
            }
            Encoder::Tiff(rows) => rows.rows(
                data.iter()
                    .flat_map(|v| v.to_le_bytes())
                    .collect::<Vec<u8>>()
                    .into(),
            ),
            Encoder::Jpeg(_) | Encoder::WebP(_) => {
                let narrow: Vec<u8> = data.iter().map(|v| to_8_bits(*v)).collect();
                self.rows_8(&narrow)
            }
        }
    }
}

/// Writes a whole picture; see [`RowWriter`].
///
/// # Errors
/// As [`RowWriter::open`], [`RowWriter::write_rows`] and [`RowWriter::finish`].
pub fn write(
    path: &Path,
    format: StillFormat,
    picture: &Picture,
    quality: Quality,
) -> Result<Vec<Warning>, StillError> {
    let mut writer = RowWriter::open(
        path,
        format,
        picture.width,
        picture.height,
        picture.layout,
        picture.bits(),
        &picture.metadata,
        quality,
    )?;
    writer.write_rows(picture.samples.as_rows())?;
    writer.finish()
}

fn at_path(fault: WriteFault, format: StillFormat, path: &Path) -> StillError {
    let path = path.to_path_buf();
    match fault {
        WriteFault::Io(source) => StillError::Write { source, path },
        WriteFault::Encode(what) => StillError::Encode {
            format: format.name(),
            what,
            path,
        },
    }
}

/// Checks, without writing anything, that the format of `path` can hold the source `video` as a
/// picture of `size` (width, height) pixels.
///
/// # Errors
/// There is no such format, or it cannot hold the picture: alpha, size, no loss.
pub fn check_output(
    path: &Path,
    video: &VideoInfo,
    size: (u32, u32),
    quality: Quality,
) -> Result<(), StillError> {
    let format = StillFormat::for_output(path)?;
    let gray = video.pixel_format.starts_with("gray") || video.pixel_format.starts_with("ya");
    let layout = match (gray, video.alpha) {
        (true, false) => Channels::Gray,
        (true, true) => Channels::GrayAlpha,
        (false, false) => Channels::Rgb,
        (false, true) => Channels::Rgba,
    };
    let bits = if video.bit_depth > 8 { 16 } else { 8 };
    check(path, format, size.0, size.1, layout, bits, quality)
}

/// What the format cannot do is said before anything is written.
fn check(
    path: &Path,
    format: StillFormat,
    width: u32,
    height: u32,
    layout: Channels,
    bits: u8,
    quality: Quality,
) -> Result<(), StillError> {
    let name = format.name();
    let path = path.to_path_buf();
    if width == 0 || height == 0 || !matches!(bits, 8 | 16) {
        return Err(StillError::Rows {
            what: "a picture has pixels, of 8 or 16 bits a sample",
            path,
        });
    }
    if layout.has_alpha() && !format.holds_alpha() {
        return Err(StillError::AlphaNotSupported {
            format: name,
            remedy: "Choose PNG, WebP or TIFF, which keep transparency.",
            path,
        });
    }
    if quality == Quality::Lossless && format == StillFormat::Jpeg {
        return Err(StillError::LosslessNotSupported {
            format: name,
            remedy: "Choose PNG, WebP or TIFF, or another quality.",
            path,
        });
    }
    if width.max(height) > format.max_side() {
        return Err(StillError::TooLargeForFormat {
            format: name,
            width,
            height,
            limit: match format {
                StillFormat::Jpeg => "at most 65500 pixels a side",
                StillFormat::WebP => "at most 16383 pixels a side",
                StillFormat::Png | StillFormat::Tiff => "at most 2147483647 pixels a side",
            },
            remedy: "Choose PNG or TIFF.",
            path,
        });
    }
    let canvas = u64::from(width) * u64::from(height) * layout.count() as u64;
    if format == StillFormat::WebP && canvas > webp::MAX_CANVAS_BYTES {
        return Err(StillError::TooLargeForFormat {
            format: name,
            width,
            height,
            limit: "at most 512 MiB in memory",
            remedy: "Choose PNG or TIFF, which are written row by row.",
            path,
        });
    }
    Ok(())
}
