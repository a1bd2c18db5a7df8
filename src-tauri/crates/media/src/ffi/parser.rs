//! What coded pictures say of themselves without being decoded.

use super::input::Stream;
use super::packet::Packet;
use super::util::check;
use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use std::ffi::c_int;
use std::ptr::{self, NonNull};

/// Reads the headers in the packets of one stream.
pub(crate) struct PictureParser {
    parser: NonNull<sys::AVCodecParserContext>,
    context: NonNull<sys::AVCodecContext>,
}

impl Drop for PictureParser {
    fn drop(&mut self) {
        let mut context = self.context.as_ptr();
        // SAFETY: both are owned and not used afterwards.
        unsafe {
            sys::av_parser_close(self.parser.as_ptr());
            sys::avcodec_free_context(&mut context);
        }
    }
}

impl PictureParser {
    /// `None` where the library has no parser for the codec.
    pub(crate) fn open(stream: Stream<'_>) -> Result<Option<Self>, MediaError> {
        let parameters = stream.parameters().0;
        // SAFETY: live parameters; both contexts are new and owned by the result, which frees
        // them whatever fails afterwards.
        unsafe {
            let Some(parser) = NonNull::new(sys::av_parser_init(parameters.codec_id as c_int))
            else {
                return Ok(None);
            };
            let Some(context) = NonNull::new(sys::avcodec_alloc_context3(ptr::null())) else {
                sys::av_parser_close(parser.as_ptr());
                return Err(MediaError::OutOfMemory);
            };
            let opened = Self { parser, context };
            check(
                "the stream's parameters were refused",
                sys::avcodec_parameters_to_context(context.as_ptr(), parameters),
            )?;
            // Containers hand over whole pictures; nothing is to be held back for the next.
            (*parser.as_ptr()).flags |= sys::PARSER_FLAG_COMPLETE_FRAMES as c_int;
            Ok(Some(opened))
        }
    }

    /// True if the picture in the packet asks to show one of its fields once more.
    pub(crate) fn repeats_field(&mut self, packet: &Packet) -> bool {
        /// Fields that follow the first one: this picture is shown for three.
        const THREE_FIELDS: c_int = 2;
        let data = packet.data();
        let Ok(length) = c_int::try_from(data.len()) else {
            return false;
        };
        let (mut out, mut out_length) = (ptr::null_mut(), 0);
        // SAFETY: live contexts; the packet holds `length` bytes and the padding behind them, and
        // what is given out points into it and is not used.
        unsafe {
            sys::av_parser_parse2(
                self.parser.as_ptr(),
                self.context.as_ptr(),
                &mut out,
                &mut out_length,
                data.as_ptr(),
                length,
                sys::AV_NOPTS_VALUE,
                sys::AV_NOPTS_VALUE,
                -1,
            );
            self.parser.as_ref().repeat_pict == THREE_FIELDS
        }
    }
}
