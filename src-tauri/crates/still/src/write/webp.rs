//! WebP without loss. The encoder needs the whole picture.

use super::carry::Carried;
use super::file::SharedFile;
use super::{Shape, WriteFault};
use crate::picture::Channels;

/// Larger pictures are refused: they would have to be held in memory whole.
pub(crate) const MAX_CANVAS_BYTES: u64 = 512 << 20;

pub(crate) struct WebPRows {
    file: SharedFile,
    shape: Shape,
    carried: Carried,
    canvas: Vec<u8>,
}

impl WebPRows {
    pub(crate) fn start(
        file: SharedFile,
        shape: Shape,
        carried: Carried,
    ) -> Result<Self, WriteFault> {
        let mut canvas = Vec::new();
        canvas
            .try_reserve_exact(shape.row_samples() * shape.height as usize)
            .map_err(|_| WriteFault::Io(std::io::ErrorKind::OutOfMemory.into()))?;
        Ok(Self {
            file,
            shape,
            carried,
            canvas,
        })
    }

    pub(crate) fn rows(&mut self, bytes: &[u8]) -> Result<(), WriteFault> {
        self.canvas.extend_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<(), WriteFault> {
        let color = match self.shape.layout {
            Channels::Gray => image_webp::ColorType::L8,
            Channels::GrayAlpha => image_webp::ColorType::La8,
            Channels::Rgb => image_webp::ColorType::Rgb8,
            Channels::Rgba => image_webp::ColorType::Rgba8,
        };
        let mut encoder = image_webp::WebPEncoder::new(self.file);
        if let Some(icc) = self.carried.icc {
            encoder.set_icc_profile(icc);
        }
        if let Some(exif) = self.carried.exif {
            encoder.set_exif_metadata(exif);
        }
        if let Some(xmp) = self.carried.xmp {
            encoder.set_xmp_metadata(xmp);
        }
        encoder
            .encode(&self.canvas, self.shape.width, self.shape.height, color)
            .map_err(|error| match error {
                image_webp::EncodingError::IoError(source) => WriteFault::Io(source),
                other => WriteFault::Encode(other.to_string()),
            })
    }
}
