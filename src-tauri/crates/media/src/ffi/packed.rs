//! Packed pictures (red, green and blue side by side), as the encoders of picture formats and the
//! filters for palettes take them.

use super::frame::AvFrame;
use super::pixel::AvFormat;
use super::util::check;
use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use std::slice;

impl AvFormat {
    /// Blue, green, red, alpha bytes.
    pub(crate) const BGRA: AvFormat = AvFormat(sys::AVPixelFormat::AV_PIX_FMT_BGRA as i32);
    /// Red, green, blue, alpha bytes.
    pub(crate) const RGBA: AvFormat = AvFormat(sys::AVPixelFormat::AV_PIX_FMT_RGBA as i32);
    /// Red, green, blue in big-endian words.
    pub(crate) const RGB48: AvFormat = AvFormat(sys::AVPixelFormat::AV_PIX_FMT_RGB48BE as i32);
    /// Red, green, blue, alpha in big-endian words.
    pub(crate) const RGBA64: AvFormat = AvFormat(sys::AVPixelFormat::AV_PIX_FMT_RGBA64BE as i32);
    /// Places in a palette.
    pub(crate) const PAL8: AvFormat = AvFormat(sys::AVPixelFormat::AV_PIX_FMT_PAL8 as i32);
}

impl AvFrame {
    /// A picture of its own in a packed format of `pixel_bytes` bytes per pixel, all zero.
    pub(crate) fn packed(
        format: AvFormat,
        pixel_bytes: usize,
        width: u32,
        height: u32,
    ) -> Result<Self, MediaError> {
        let bad = || MediaError::BadDimensions { width, height };
        let mut frame = Self::new()?;
        let raw = frame.as_mut_ptr();
        // SAFETY: a blank frame; the library allocates rows of at least `width` pixels, which are
        // written before anybody may look at them.
        unsafe {
            (*raw).width = i32::try_from(width).map_err(|_| bad())?;
            (*raw).height = i32::try_from(height).map_err(|_| bad())?;
            (*raw).format = format.0;
            check(
                "a picture could not be allocated",
                sys::av_frame_get_buffer(raw, 0),
            )?;
            let stride = usize::try_from((*raw).linesize[0]).map_err(|_| bad())?;
            if (*raw).data[0].is_null() || stride < width as usize * pixel_bytes {
                return Err(bad());
            }
            (*raw).data[0].write_bytes(0, stride * height as usize);
        }
        Ok(frame)
    }

    /// Row `y` of a picture made by [`AvFrame::packed`]; empty for a row that is not there. The
    /// samples must not be shared with another frame.
    pub(crate) fn packed_row_mut(&mut self, y: usize) -> &mut [u8] {
        let height = self.height() as usize;
        let raw = self.as_mut_ptr();
        // SAFETY: live; `packed` wrote `stride` bytes for each of `height` rows.
        unsafe {
            let stride = usize::try_from((*raw).linesize[0]).unwrap_or(0);
            if y >= height || (*raw).data[0].is_null() {
                return &mut [];
            }
            slice::from_raw_parts_mut((*raw).data[0].add(y * stride), stride)
        }
    }
}
