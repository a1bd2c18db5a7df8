//! Baseline JPEG. The encoder pulls its rows, so it runs on a thread of its own and is fed
//! through a bounded channel.

use super::carry::Carried;
use super::file::SharedFile;
use super::{Shape, WriteFault};
use crate::picture::Channels;
use frameloom_core::job::Quality;
use jpeg_encoder::{
    Encoder, EncodingError, ImageBuffer, JpegColorType, PixelDensity, PixelDensityUnit,
    SamplingFactor, rgb_to_ycbcr,
};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Bands on their way to the encoder; each is about 1 MiB.
const BANDS: usize = 4;

pub(crate) struct JpegRows {
    bands: Option<SyncSender<Vec<u8>>>,
    thread: Option<JoinHandle<Result<(), WriteFault>>>,
}

impl JpegRows {
    pub(crate) fn start(
        file: SharedFile,
        shape: Shape,
        carried: Carried,
        quality: Quality,
    ) -> Result<Self, WriteFault> {
        let (bands, incoming) = sync_channel(BANDS);
        let cut_off = Arc::new(AtomicBool::new(false));
        let rows = Rows {
            shape,
            cut_off: Arc::clone(&cut_off),
            state: Mutex::new(Incoming {
                bands: incoming,
                band: Vec::new(),
                at: 0,
                row: None,
            }),
        };
        let output = Output { file, cut_off };
        let thread = std::thread::Builder::new()
            .name("encode-jpeg".into())
            .spawn(move || encode(output, rows, &carried, quality))?;
        Ok(Self {
            bands: Some(bands),
            thread: Some(thread),
        })
    }

    pub(crate) fn rows(&mut self, bytes: &[u8]) -> Result<(), WriteFault> {
        let sent = self
            .bands
            .as_ref()
            .is_some_and(|bands| bands.send(bytes.to_vec()).is_ok());
        // The thread hangs up only when it failed.
        if sent { Ok(()) } else { self.join() }
    }

    pub(crate) fn finish(mut self) -> Result<(), WriteFault> {
        self.join()
    }

    fn join(&mut self) -> Result<(), WriteFault> {
        self.bands = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(WriteFault::Encode("it stopped in the middle".into())),
            None => Err(WriteFault::Encode("it failed before".into())),
        }
    }
}

impl Drop for JpegRows {
    fn drop(&mut self) {
        if self.thread.is_some()
            && let Err(fault) = self.join()
        {
            tracing::debug!(?fault, "JPEG encoder stopped early");
        }
    }
}

fn encode(
    output: Output,
    rows: Rows,
    carried: &Carried,
    quality: Quality,
) -> Result<(), WriteFault> {
    let (percent, sampling) = match quality {
        Quality::Draft => (85, SamplingFactor::F_2_2),
        Quality::Good => (92, SamplingFactor::F_1_1),
        Quality::Archive | Quality::Lossless => (97, SamplingFactor::F_1_1),
    };
    let mut encoder = Encoder::new(output, percent);
    encoder.set_sampling_factor(sampling);
    // Better tables and progressive order need all coefficients in memory.
    encoder.set_progressive(false);
    encoder.set_optimized_huffman_tables(false);
    if let Some((x, y)) = carried.dpi {
        let dots = |dpi: f64| dpi.round().clamp(1.0, 65_535.0) as u16;
        encoder.set_density(PixelDensity {
            density: (dots(x), dots(y)),
            unit: PixelDensityUnit::Inches,
        });
    }
    if let Some(exif) = &carried.exif {
        encoder.add_exif_metadata(exif)?;
    }
    if let Some(xmp) = &carried.xmp {
        let mut segment = b"http://ns.adobe.com/xap/1.0/\0".to_vec();
        segment.extend_from_slice(xmp);
        encoder.add_app_segment(1, segment)?;
    }
    if let Some(icc) = &carried.icc {
        encoder.add_icc_profile(icc)?;
    }
    Ok(encoder.encode_image(rows)?)
}

/// The rows as the encoder asks for them: in order, the last one perhaps several times.
struct Rows {
    shape: Shape,
    /// The rows ended before the picture did; told to [`Output`], for `fill_buffers` cannot fail.
    cut_off: Arc<AtomicBool>,
    state: Mutex<Incoming>,
}

struct Incoming {
    bands: Receiver<Vec<u8>>,
    band: Vec<u8>,
    /// Start of the next row in `band`.
    at: usize,
    /// Number of the row before that.
    row: Option<u16>,
}

impl Incoming {
    /// Makes row `y` the current one and returns where it begins in `band`.
    fn seek(&mut self, y: u16, row_bytes: usize) -> Option<usize> {
        if self.row != Some(y) {
            if self.at >= self.band.len() {
                self.band = self.bands.recv().ok()?;
                self.at = 0;
            }
            self.at += row_bytes;
            self.row = Some(y);
        }
        self.at.checked_sub(row_bytes)
    }
}

impl ImageBuffer for Rows {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        match self.shape.layout {
            Channels::Gray | Channels::GrayAlpha => JpegColorType::Luma,
            Channels::Rgb | Channels::Rgba => JpegColorType::Ycbcr,
        }
    }

    fn width(&self) -> u16 {
        self.shape.width as u16
    }

    fn height(&self) -> u16 {
        self.shape.height as u16
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let row_bytes = self.shape.row_samples();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let start = if self.cut_off.load(Ordering::Relaxed) {
            None
        } else {
            state.seek(y, row_bytes)
        };
        let row = start.and_then(|start| state.band.get(start..start + row_bytes));
        let Some(row) = row else {
            self.cut_off.store(true, Ordering::Relaxed);
            let width = self.shape.width as usize;
            for buffer in buffers.iter_mut().take(self.shape.layout.color_count()) {
                buffer.resize(buffer.len() + width, 0);
            }
            return;
        };
        if self.shape.layout.color_count() == 1 {
            buffers[0].extend_from_slice(row);
            return;
        }
        let [luma, blue, red, _] = buffers;
        for pixel in row.as_chunks::<3>().0 {
            let (y, cb, cr) = rgb_to_ycbcr(pixel[0], pixel[1], pixel[2]);
            luma.push(y);
            blue.push(cb);
            red.push(cr);
        }
    }
}

/// The file, closed to an encoder whose rows ended too early.
struct Output {
    file: SharedFile,
    cut_off: Arc<AtomicBool>,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.cut_off.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl From<EncodingError> for WriteFault {
    fn from(error: EncodingError) -> Self {
        match error {
            EncodingError::IoError(source) => WriteFault::Io(source),
            other => WriteFault::Encode(other.to_string()),
        }
    }
}
