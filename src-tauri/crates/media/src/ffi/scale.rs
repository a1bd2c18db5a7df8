//! swscale with the right matrix, range and chroma position.

use super::frame::AvFrame;
use super::pixel::AvFormat;
use super::util::check;
use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use frameloom_core::color::{ChromaLocation, Matrix};
use std::ptr::NonNull;

/// One side of a conversion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Side {
    pub width: u32,
    pub height: u32,
    pub format: AvFormat,
    pub matrix: Matrix,
    pub full_range: bool,
    pub chroma: ChromaLocation,
}

/// A swscale context for one pair of sides.
pub(crate) struct Scaler {
    context: NonNull<sys::SwsContext>,
    from: Side,
    to: Side,
}

// SAFETY: a context may move between threads, and is used by one at a time (`&mut`).
unsafe impl Send for Scaler {}

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: owned and not used afterwards.
        unsafe { sys::sws_freeContext(self.context.as_ptr()) };
    }
}

fn coefficients(matrix: Matrix) -> *const i32 {
    let number = match matrix {
        Matrix::Bt709 => sys::SWS_CS_ITU709,
        Matrix::Bt2020 => sys::SWS_CS_BT2020,
        Matrix::Smpte240m => sys::SWS_CS_SMPTE240M,
        Matrix::Fcc => sys::SWS_CS_FCC,
        Matrix::Bt601 | Matrix::Unspecified | Matrix::Identity | Matrix::Other => {
            sys::SWS_CS_ITU601
        }
    };
    // SAFETY: returns a pointer into a constant table.
    unsafe { sys::sws_getCoefficients(number) }
}

impl Scaler {
    pub(crate) fn new(from: Side, to: Side) -> Result<Self, MediaError> {
        let refused = || MediaError::UnsupportedPixelFormat {
            format: format!("{} to {}", from.format.name(), to.format.name()),
        };
        let flags = sys::SWS_BICUBIC
            | sys::SWS_ACCURATE_RND
            | sys::SWS_FULL_CHR_H_INT
            | sys::SWS_FULL_CHR_H_INP;
        // SAFETY: returns null or a new context.
        let context =
            NonNull::new(unsafe { sys::sws_alloc_context() }).ok_or(MediaError::OutOfMemory)?;
        let scaler = Self { context, from, to };
        let set = |name: &std::ffi::CStr, value: i64| {
            // SAFETY: the context is live and carries an option table; unknown names are refused.
            unsafe { sys::av_opt_set_int(context.as_ptr().cast(), name.as_ptr(), value, 0) };
        };
        set(c"srcw", i64::from(from.width));
        set(c"srch", i64::from(from.height));
        set(c"src_format", i64::from(from.format.0));
        set(c"src_range", i64::from(from.full_range));
        set(c"dstw", i64::from(to.width));
        set(c"dsth", i64::from(to.height));
        set(c"dst_format", i64::from(to.format.0));
        set(c"dst_range", i64::from(to.full_range));
        set(c"sws_flags", i64::from(flags));
        for (side, horizontal, vertical) in [
            (from, c"src_h_chr_pos", c"src_v_chr_pos"),
            (to, c"dst_h_chr_pos", c"dst_v_chr_pos"),
        ] {
            let Some(d) = side.format.descriptor() else {
                return Err(refused());
            };
            let (x, y) = side.chroma.offset();
            if d.log2_chroma_w == 1 {
                set(horizontal, (x * 256.0) as i64);
            }
            if d.log2_chroma_h == 1 {
                set(vertical, (y * 256.0) as i64);
            }
        }
        // SAFETY: live context; the filters may be null.
        let status = unsafe {
            sys::sws_init_context(context.as_ptr(), std::ptr::null_mut(), std::ptr::null_mut())
        };
        if status < 0 {
            return Err(refused());
        }
        // The status says only that one side is RGB of a kind that needs no table.
        // SAFETY: live context, constant tables of four numbers.
        unsafe {
            sys::sws_setColorspaceDetails(
                context.as_ptr(),
                coefficients(from.matrix),
                i32::from(from.full_range),
                coefficients(to.matrix),
                i32::from(to.full_range),
                0,
                1 << 16,
                1 << 16,
            );
        }
        Ok(scaler)
    }

    /// True if the context was made for this pair.
    pub(crate) fn is_for(&self, from: Side, to: Side) -> bool {
        self.from == from && self.to == to
    }

    /// Converts `from` into `to`, a writable picture of the target side.
    pub(crate) fn run(&mut self, from: &AvFrame, to: &mut AvFrame) -> Result<(), MediaError> {
        let fits = |frame: &AvFrame, side: Side| {
            (frame.width(), frame.height(), frame.format())
                == (side.width, side.height, side.format)
        };
        if !fits(from, self.from) || !fits(to, self.to) {
            return Err(MediaError::InvalidRequest {
                what: "a picture does not have the size and format of its converter".into(),
            });
        }
        let (source, source_strides) = from.data();
        let (target, target_strides) = to.data();
        // SAFETY: both frames have the sizes and formats that the context was made for.
        let rows = unsafe {
            sys::sws_scale(
                self.context.as_ptr(),
                source.cast::<*const u8>(),
                source_strides,
                0,
                from.height() as i32,
                target,
                target_strides,
            )
        };
        check("a picture could not be converted", rows)?;
        Ok(())
    }
}
