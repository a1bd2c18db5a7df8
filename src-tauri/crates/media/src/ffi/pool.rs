//! Memory for pictures that is used again.

use super::frame::{AvFrame, layout, layout_bytes};
use super::pixel::av_format;
use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use frameloom_core::pixel::PixelFormat;
use std::ptr::NonNull;

/// A pool of equal pictures. Freed when the last frame from it is gone.
pub(crate) struct BufferPool {
    pool: NonNull<sys::AVBufferPool>,
    pub(crate) format: PixelFormat,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

// SAFETY: the library guards the pool with a mutex.
unsafe impl Send for BufferPool {}
// SAFETY: as above.
unsafe impl Sync for BufferPool {}

impl Drop for BufferPool {
    fn drop(&mut self) {
        let mut raw = self.pool.as_ptr();
        // SAFETY: owned; the memory lives on until the last buffer comes back.
        unsafe { sys::av_buffer_pool_uninit(&mut raw) };
    }
}

impl BufferPool {
    pub(crate) fn new(format: PixelFormat, width: u32, height: u32) -> Result<Self, MediaError> {
        av_format(format)?;
        let bytes = layout_bytes(&layout(format, width, height)?);
        // Zeroed, so that padding between rows never shows what was in memory before.
        // SAFETY: creates a pool or returns null.
        let pool = unsafe { sys::av_buffer_pool_init(bytes, Some(sys::av_buffer_allocz)) };
        Ok(Self {
            pool: NonNull::new(pool).ok_or(MediaError::OutOfMemory)?,
            format,
            width,
            height,
        })
    }

    pub(crate) fn get(&self) -> Result<AvFrame, MediaError> {
        // SAFETY: the pool is live, and its buffers were allocated for this very layout.
        unsafe {
            let buffer = sys::av_buffer_pool_get(self.pool.as_ptr());
            AvFrame::over_buffer(self.format, self.width, self.height, buffer)
        }
    }
}
