//! An open video decoder.

use super::frame::AvFrame;
use super::input::Stream;
use super::packet::Packet;
use super::params::{VideoParameters, codec_name};
use super::pixel::AvFormat;
use super::sound::SoundParameters;
use super::util::{check, error};
use crate::error::{FfmpegError, MediaError};
use ffmpeg_sys_next as sys;
use std::path::Path;
use std::ptr::{self, NonNull};

/// What a decoder answered.
pub(crate) enum Answer {
    /// A picture was written into the frame.
    Frame,
    /// It wants another packet.
    NeedsInput,
    /// Nothing more will come.
    End,
    /// It could not decode something and goes on.
    Damaged,
}

/// An open decoder.
pub(crate) struct Decoder(NonNull<sys::AVCodecContext>);

// SAFETY: used by one thread at a time (`&mut`); its own threads are joined when it is freed.
unsafe impl Send for Decoder {}

impl Drop for Decoder {
    fn drop(&mut self) {
        let mut raw = self.0.as_ptr();
        // SAFETY: owned and not used afterwards.
        unsafe { sys::avcodec_free_context(&mut raw) };
    }
}

/// The decoder that keeps transparency: ffmpeg's own VP8 and VP9 decoders drop it.
unsafe fn choose(id: sys::AVCodecID, wants_alpha: bool) -> *const sys::AVCodec {
    let by_name = match id {
        sys::AVCodecID::AV_CODEC_ID_VP8 if wants_alpha => Some(c"libvpx"),
        sys::AVCodecID::AV_CODEC_ID_VP9 if wants_alpha => Some(c"libvpx-vp9"),
        _ => None,
    };
    // SAFETY: both functions return null or a constant codec.
    unsafe {
        if let Some(name) = by_name {
            let codec = sys::avcodec_find_decoder_by_name(name.as_ptr());
            if !codec.is_null() {
                return codec;
            }
        }
        sys::avcodec_find_decoder(id)
    }
}

/// True if transparency of VP8 and VP9 can be decoded here.
pub(crate) fn can_decode_vpx_alpha(id: sys::AVCodecID) -> bool {
    // SAFETY: `choose` returns null or a constant codec.
    unsafe { !ptr::eq(choose(id, true), choose(id, false)) }
}

impl Decoder {
    pub(crate) fn open(
        stream: Stream<'_>,
        wants_alpha: bool,
        threads: usize,
        path: &Path,
    ) -> Result<Self, MediaError> {
        let raw = stream.raw();
        // SAFETY: live parameters of an open file.
        unsafe { Self::open_raw(raw.codecpar, raw.time_base, wants_alpha, threads, path) }
    }

    /// A decoder for packets of a part file.
    pub(crate) fn open_stored(
        parameters: &VideoParameters,
        extradata: &[u8],
        path: &Path,
    ) -> Result<Self, MediaError> {
        // SAFETY: a new structure, filled, used and freed here.
        unsafe {
            let mut raw = sys::avcodec_parameters_alloc();
            if raw.is_null() {
                return Err(MediaError::OutOfMemory);
            }
            let base = sys::AVRational {
                num: 1,
                den: 1_000_000,
            };
            let alpha = AvFormat(parameters.format).has_alpha();
            let opened = parameters
                .write_to(extradata, raw)
                .and_then(|()| Self::open_raw(raw, base, alpha, 1, path));
            sys::avcodec_parameters_free(&mut raw);
            opened
        }
    }

    /// A decoder for packets of a part of sound.
    pub(crate) fn open_sound(
        parameters: &SoundParameters,
        extradata: &[u8],
        path: &Path,
    ) -> Result<Self, MediaError> {
        // SAFETY: a new structure, filled, used and freed here.
        unsafe {
            let mut raw = sys::avcodec_parameters_alloc();
            if raw.is_null() {
                return Err(MediaError::OutOfMemory);
            }
            let base = sys::AVRational {
                num: 1,
                den: parameters.sample_rate as i32,
            };
            let opened = parameters
                .write_to(extradata, raw)
                .and_then(|()| Self::open_raw(raw, base, false, 1, path));
            sys::avcodec_parameters_free(&mut raw);
            opened
        }
    }

    /// # Safety
    /// `parameters` must be live.
    unsafe fn open_raw(
        parameters: *const sys::AVCodecParameters,
        time_base: sys::AVRational,
        wants_alpha: bool,
        threads: usize,
        path: &Path,
    ) -> Result<Self, MediaError> {
        // SAFETY: live parameters; a new context, owned by the result.
        unsafe {
            let id = (*parameters).codec_id;
            let codec = choose(id, wants_alpha);
            if codec.is_null() {
                return Err(MediaError::UnsupportedCodec {
                    codec: codec_name(id),
                    path: path.into(),
                });
            }
            let context =
                NonNull::new(sys::avcodec_alloc_context3(codec)).ok_or(MediaError::OutOfMemory)?;
            let decoder = Self(context);
            let raw = context.as_ptr();
            check(
                "the stream's parameters were refused",
                sys::avcodec_parameters_to_context(raw, parameters),
            )?;
            (*raw).pkt_timebase = time_base;
            (*raw).thread_count = i32::try_from(threads).unwrap_or(0);
            (*raw).thread_type = sys::FF_THREAD_FRAME | sys::FF_THREAD_SLICE;
            // A crop at the left that is no multiple of the vectors' width would be left undone.
            (*raw).flags |= sys::AV_CODEC_FLAG_UNALIGNED.cast_signed();
            // A picture of more than 16384 x 16384 pixels is beyond what the program takes; the
            // bound keeps a hostile header from reserving memory.
            (*raw).max_pixels = 16_384 * 16_384;
            let status = sys::avcodec_open2(raw, codec, ptr::null_mut());
            if status < 0 {
                return Err(match status {
                    code if code == sys::AVERROR(libc::ENOMEM) => MediaError::OutOfMemory,
                    _ => MediaError::UnsupportedCodec {
                        codec: format!("{} ({})", codec_name(id), error(status)),
                        path: path.into(),
                    },
                });
            }
            Ok(decoder)
        }
    }

    /// Hands over a packet; `None` ends the stream. False: frames must be taken first. Errors of
    /// damaged data are given as `Some`.
    pub(crate) fn send(
        &mut self,
        packet: Option<&Packet>,
    ) -> Result<(bool, Option<FfmpegError>), MediaError> {
        let raw = packet.map_or(ptr::null(), Packet::as_ptr);
        // SAFETY: an open context; the packet is live or null.
        let status = unsafe { sys::avcodec_send_packet(self.0.as_ptr(), raw) };
        match status {
            0.. => Ok((true, None)),
            code if code == sys::AVERROR(libc::EAGAIN) => Ok((false, None)),
            sys::AVERROR_EOF => Ok((true, None)),
            code if code == sys::AVERROR(libc::ENOMEM) => Err(MediaError::OutOfMemory),
            code => Ok((true, Some(error(code)))),
        }
    }

    /// Takes the next frame.
    pub(crate) fn receive(&mut self, frame: &mut AvFrame) -> Result<Answer, MediaError> {
        frame.clear();
        // SAFETY: an open context and a blank frame.
        let status = unsafe { sys::avcodec_receive_frame(self.0.as_ptr(), frame.as_mut_ptr()) };
        match status {
            0.. => Ok(Answer::Frame),
            code if code == sys::AVERROR(libc::EAGAIN) => Ok(Answer::NeedsInput),
            sys::AVERROR_EOF => Ok(Answer::End),
            code if code == sys::AVERROR(libc::ENOMEM) => Err(MediaError::OutOfMemory),
            _ => Ok(Answer::Damaged),
        }
    }

    /// Forgets everything: after a seek.
    pub(crate) fn flush(&mut self) {
        // SAFETY: an open context.
        unsafe { sys::avcodec_flush_buffers(self.0.as_ptr()) };
    }
}
