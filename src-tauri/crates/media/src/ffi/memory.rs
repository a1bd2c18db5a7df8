//! Bytes in memory as a file that a demuxer reads.

use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use std::ffi::{c_int, c_void};
use std::io::{Cursor, Read as _, Seek as _, SeekFrom};
use std::ptr::{self, addr_of_mut};

/// What the library reads at once.
const BLOCK: usize = 32 * 1024;

/// An I/O context over bytes.
pub(crate) struct Memory {
    io: *mut sys::AVIOContext,
    // The context holds its address.
    _bytes: Box<Cursor<Vec<u8>>>,
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: owned; the buffer may have become another one, and is freed as it is now.
        unsafe {
            if let Some(io) = self.io.as_mut() {
                sys::av_freep(addr_of_mut!(io.buffer).cast());
            }
            sys::avio_context_free(&mut self.io);
        }
    }
}

unsafe extern "C" fn read(cursor: *mut c_void, to: *mut u8, size: c_int) -> c_int {
    let size = usize::try_from(size).unwrap_or(0);
    if to.is_null() || size == 0 {
        return sys::AVERROR(libc::EINVAL);
    }
    // SAFETY: the cursor lives as long as the context, which one thread uses at a time; the buffer is
    // as long as stated.
    let (cursor, to) = unsafe {
        ptr::write_bytes(to, 0, size);
        (
            &mut *cursor.cast::<Cursor<Vec<u8>>>(),
            std::slice::from_raw_parts_mut(to, size),
        )
    };
    match cursor.read(to) {
        Ok(0) => sys::AVERROR_EOF,
        Ok(count) => count as c_int,
        Err(_) => sys::AVERROR(libc::EIO),
    }
}

unsafe extern "C" fn seek(cursor: *mut c_void, to: i64, whence: c_int) -> i64 {
    // SAFETY: as in `read`.
    let cursor = unsafe { &mut *cursor.cast::<Cursor<Vec<u8>>>() };
    let place = match whence & !(sys::AVSEEK_FORCE as c_int) {
        libc::SEEK_SET => u64::try_from(to).ok().map(SeekFrom::Start),
        libc::SEEK_CUR => Some(SeekFrom::Current(to)),
        libc::SEEK_END => Some(SeekFrom::End(to)),
        size if size == sys::AVSEEK_SIZE as c_int => return cursor.get_ref().len() as i64,
        _ => None,
    };
    match place.map(|place| cursor.seek(place)) {
        Some(Ok(at)) => at as i64,
        _ => i64::from(sys::AVERROR(libc::EINVAL)),
    }
}

impl Memory {
    pub(crate) fn new(bytes: Vec<u8>) -> Result<Self, MediaError> {
        let mut bytes = Box::new(Cursor::new(bytes));
        // SAFETY: memory of the library, owned by the context that is made of it; the cursor is boxed
        // and lives as long as that.
        let io = unsafe {
            let buffer = sys::av_malloc(BLOCK).cast::<u8>();
            if buffer.is_null() {
                return Err(MediaError::OutOfMemory);
            }
            let io = sys::avio_alloc_context(
                buffer,
                BLOCK as c_int,
                0,
                ptr::from_mut(bytes.as_mut()).cast(),
                Some(read),
                None,
                Some(seek),
            );
            if io.is_null() {
                sys::av_free(buffer.cast());
                return Err(MediaError::OutOfMemory);
            }
            io
        };
        Ok(Self { io, _bytes: bytes })
    }

    pub(crate) fn io(&self) -> *mut sys::AVIOContext {
        self.io
    }
}
