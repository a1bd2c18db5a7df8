//! An open video encoder.

use super::frame::AvFrame;
use super::packet::Packet;
use super::params::VideoParameters;
use super::pixel::AvFormat;
use super::util::{Dict, av_rational, c_text, error, failure, set_enum_number};
use crate::color::ColorNumbers;
use crate::error::{FfmpegError, MediaError};
use ffmpeg_sys_next as sys;
use frameloom_core::pixel::PixelFormat;
use frameloom_core::time::Rational;
use std::ptr::{self, NonNull, addr_of_mut};

/// What an encoder is opened with.
pub(crate) struct EncoderSettings<'a> {
    pub name: &'a str,
    pub width: u32,
    pub height: u32,
    pub format: AvFormat,
    pub time_base: Rational,
    pub frame_rate: Option<Rational>,
    pub color: ColorNumbers,
    pub sample_aspect_ratio: Rational,
    pub options: &'a [(String, String)],
}

/// An open encoder.
pub(crate) struct Encoder(NonNull<sys::AVCodecContext>);

// SAFETY: used by one thread at a time (`&mut`); its own threads are joined when it is freed.
unsafe impl Send for Encoder {}

impl Drop for Encoder {
    fn drop(&mut self) {
        let mut raw = self.0.as_ptr();
        // SAFETY: owned and not used afterwards.
        unsafe { sys::avcodec_free_context(&mut raw) };
    }
}

fn find(name: &str) -> *const sys::AVCodec {
    let name = c_text(name);
    // SAFETY: returns null or a constant codec.
    unsafe { sys::avcodec_find_encoder_by_name(name.as_ptr()) }
}

/// True if the library was built with this encoder. It may still fail to open.
pub(crate) fn is_built_in(name: &str) -> bool {
    !find(name).is_null()
}

/// The planar formats that an encoder takes as they are.
pub(crate) fn input_formats(name: &str) -> Vec<PixelFormat> {
    let codec = find(name);
    let mut formats = Vec::new();
    if codec.is_null() {
        return formats;
    }
    // SAFETY: a constant codec; its list of formats is null or ends with -1.
    unsafe {
        #[cfg(ffmpeg_7_1)]
        let mut entry = {
            let mut list = ptr::null();
            let kind = sys::AVCodecConfig::AV_CODEC_CONFIG_PIX_FORMAT;
            let none = ptr::null_mut();
            sys::avcodec_get_supported_config(ptr::null(), codec, kind, 0, &mut list, none);
            list.cast::<i32>()
        };
        #[cfg(not(ffmpeg_7_1))]
        let mut entry = (*codec).pix_fmts.cast::<i32>();
        while !entry.is_null() && *entry >= 0 {
            let format = AvFormat(*entry);
            if !format.is_full_range_by_name()
                && let Some(planar) = format.as_planar()
                && !formats.contains(&planar)
            {
                formats.push(planar);
            }
            entry = entry.add(1);
        }
    }
    formats
}

impl Encoder {
    pub(crate) fn open(settings: &EncoderSettings<'_>) -> Result<Self, MediaError> {
        let refused = |reason: String| MediaError::EncoderUnavailable {
            wanted: settings.name.to_owned(),
            reason,
        };
        let codec = find(settings.name);
        if codec.is_null() {
            return Err(refused("the library was built without it".into()));
        }
        let format = settings.format.to_enum().ok_or(MediaError::OutOfMemory)?;
        let time_base = av_rational(settings.time_base)
            .ok_or_else(|| refused("the time base does not fit".into()))?;
        // SAFETY: a new context, owned by the result.
        let context = NonNull::new(unsafe { sys::avcodec_alloc_context3(codec) })
            .ok_or(MediaError::OutOfMemory)?;
        let encoder = Self(context);
        let raw = context.as_ptr();
        // SAFETY: a live context that is not open yet.
        unsafe {
            (*raw).width = settings.width as i32;
            (*raw).height = settings.height as i32;
            (*raw).pix_fmt = format;
            (*raw).time_base = time_base;
            if let Some(rate) = settings.frame_rate.and_then(av_rational) {
                (*raw).framerate = rate;
            }
            if let Some(ratio) = av_rational(settings.sample_aspect_ratio) {
                (*raw).sample_aspect_ratio = ratio;
            }
            // Setting the flags as a whole would drop what the codec sets itself.
            let closed = sys::AV_CODEC_FLAG_CLOSED_GOP.cast_signed();
            (*raw).flags |= closed | sys::AV_CODEC_FLAG_GLOBAL_HEADER.cast_signed();
            let color = settings.color;
            set_enum_number(addr_of_mut!((*raw).color_primaries), color.primaries);
            set_enum_number(addr_of_mut!((*raw).color_trc), color.transfer);
            set_enum_number(addr_of_mut!((*raw).colorspace), color.matrix);
            set_enum_number(addr_of_mut!((*raw).color_range), color.range);
            set_enum_number(addr_of_mut!((*raw).chroma_sample_location), color.chroma);
        }
        let mut options = Dict::new(
            settings
                .options
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str())),
        )?;
        // SAFETY: a live context and the codec it was made for.
        let status = unsafe { sys::avcodec_open2(raw, codec, &mut options.0) };
        if status == sys::AVERROR(libc::ENOMEM) {
            return Err(MediaError::OutOfMemory);
        }
        if status < 0 && is_memory_short(settings.width, settings.height) {
            return Err(MediaError::OutOfMemory);
        }
        if status < 0 {
            return Err(refused(error(status).text));
        }
        let left = options.left();
        if !left.is_empty() {
            return Err(refused(format!("it has no option {}", left.join(", "))));
        }
        Ok(encoder)
    }

    /// Hands over a frame; `None` ends the stream. False: packets must be taken first.
    pub(crate) fn send(&mut self, frame: Option<&AvFrame>) -> Result<bool, MediaError> {
        let raw = frame.map_or(ptr::null(), AvFrame::as_ptr);
        // SAFETY: an open context; the frame is live or null.
        let status = unsafe { sys::avcodec_send_frame(self.0.as_ptr(), raw) };
        if status == sys::AVERROR(libc::EAGAIN) {
            return Ok(false);
        }
        if status == sys::AVERROR_EOF && frame.is_none() {
            return Ok(true);
        }
        if status < 0 {
            return Err(self.failed("the encoder refused a frame", status));
        }
        Ok(true)
    }

    fn failed(&self, action: &'static str, status: i32) -> MediaError {
        // SAFETY: an open context.
        let (width, height) = unsafe {
            let raw = self.0.as_ptr();
            ((*raw).width, (*raw).height)
        };
        if is_memory_short(width.unsigned_abs(), height.unsigned_abs()) {
            return MediaError::OutOfMemory;
        }
        failure(action, status)
    }

    /// Takes the next packet; false where it wants a frame or has ended.
    pub(crate) fn receive(&mut self, packet: &mut Packet) -> Result<bool, MediaError> {
        // SAFETY: an open context and a packet, which the library blanks first.
        let status = unsafe { sys::avcodec_receive_packet(self.0.as_ptr(), packet.as_mut_ptr()) };
        match status {
            0.. => Ok(true),
            sys::AVERROR_EOF => Ok(false),
            code if code == sys::AVERROR(libc::EAGAIN) => Ok(false),
            code => Err(self.failed("the encoder failed", code)),
        }
    }

    /// What a muxer must know, and the extradata.
    pub(crate) fn parameters(&self) -> Result<(VideoParameters, Vec<u8>), MediaError> {
        // SAFETY: an open context.
        unsafe { VideoParameters::from_context(self.0.as_ptr()) }
    }
}

/// True if this process gets no more memory than an encoder needs at the least for pictures of this
/// size, as under `ulimit -v`. Many have no word of their own for that: x264 that got no thread or
/// no buffer calls it an error of an external library. Ask it of an encoder that failed.
fn is_memory_short(width: u32, height: u32) -> bool {
    /// Threads with their stacks, tables, a few pictures of the trial.
    const LEAST_BYTES: usize = 64 << 20;
    /// Some forty pictures that wait to be looked at.
    const BYTES_PER_PIXEL: usize = 64;
    let pixels = (width as usize).saturating_mul(height as usize);
    let wanted = pixels.saturating_mul(BYTES_PER_PIXEL).max(LEAST_BYTES);
    // Only asked for, never touched.
    Vec::<u8>::new().try_reserve_exact(wanted).is_err()
}

/// Why opening an encoder failed, in the library's words.
pub(crate) fn reason(error: &MediaError) -> String {
    match error {
        MediaError::EncoderUnavailable { reason, .. } => reason.clone(),
        MediaError::Codec { source, .. } => FfmpegError::to_string(source),
        other => other.to_string(),
    }
}
