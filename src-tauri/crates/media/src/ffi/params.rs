//! Codec parameters of a stream: reading them, and building them for an output stream.

use super::util::{c_text, enum_number, rational, set_enum_number, text_of};
use crate::color::ColorNumbers;
use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use frameloom_core::time::Rational;
use serde::{Deserialize, Serialize};
use std::ptr::{self, addr_of, addr_of_mut};
use std::slice;

/// What a muxer must know of a video stream, in a form that can be stored in a part file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VideoParameters {
    pub codec: String,
    pub width: u32,
    pub height: u32,
    pub format: i32,
    pub profile: i32,
    pub level: i32,
    pub bit_rate: i64,
    pub bits_per_coded_sample: i32,
    pub bits_per_raw_sample: i32,
    pub sample_aspect_ratio: Rational,
    pub color: [i32; 5],
    pub video_delay: i32,
    pub codec_tag: u32,
}

/// Name of a codec id.
pub(crate) fn codec_name(id: sys::AVCodecID) -> String {
    // SAFETY: returns a constant string.
    unsafe { text_of(sys::avcodec_get_name(id)) }.unwrap_or_else(|| "unknown".to_owned())
}

/// Codec id of a name.
pub(crate) fn codec_id(name: &str) -> Option<sys::AVCodecID> {
    let name = c_text(name);
    // SAFETY: returns null or a pointer into a constant table.
    unsafe { sys::avcodec_descriptor_get_by_name(name.as_ptr()).as_ref() }.map(|d| d.id)
}

/// A view of a stream's parameters.
#[derive(Clone, Copy)]
pub(crate) struct Parameters<'a>(pub(crate) &'a sys::AVCodecParameters);

impl Parameters<'_> {
    pub(crate) fn color(self) -> ColorNumbers {
        let raw: *const sys::AVCodecParameters = self.0;
        // SAFETY: readable enums of a live structure.
        unsafe {
            ColorNumbers {
                primaries: enum_number(addr_of!((*raw).color_primaries)),
                transfer: enum_number(addr_of!((*raw).color_trc)),
                matrix: enum_number(addr_of!((*raw).color_space)),
                range: enum_number(addr_of!((*raw).color_range)),
                chroma: enum_number(addr_of!((*raw).chroma_location)),
            }
        }
    }

    pub(crate) fn field_order(self) -> i32 {
        // SAFETY: a readable enum of a live structure.
        unsafe { enum_number(&self.0.field_order) }
    }

    pub(crate) fn profile_name(self) -> Option<String> {
        // SAFETY: returns null or a constant string.
        unsafe { text_of(sys::avcodec_profile_name(self.0.codec_id, self.0.profile)) }
    }

    pub(crate) fn layout_name(self) -> String {
        let mut buffer = [0 as std::ffi::c_char; 128];
        // SAFETY: live structure; the function writes at most the stated length, with a zero.
        unsafe {
            let status = sys::av_channel_layout_describe(
                &self.0.ch_layout,
                buffer.as_mut_ptr(),
                buffer.len(),
            );
            if status < 0 {
                return "unknown".to_owned();
            }
            text_of(buffer.as_ptr()).unwrap_or_default()
        }
    }
}

impl VideoParameters {
    /// The parameters of an opened encoder.
    ///
    /// # Safety
    /// `context` must be a live, opened context.
    pub(crate) unsafe fn from_context(
        context: *const sys::AVCodecContext,
    ) -> Result<(Self, Vec<u8>), MediaError> {
        // SAFETY: a new structure, filled from a live context and freed below.
        unsafe {
            let mut raw = sys::avcodec_parameters_alloc();
            if raw.is_null() {
                return Err(MediaError::OutOfMemory);
            }
            let status = sys::avcodec_parameters_from_context(raw, context);
            if status < 0 {
                sys::avcodec_parameters_free(&mut raw);
                return Err(super::util::failure("codec parameters", status));
            }
            let p = &*raw;
            let color = Parameters(p).color();
            let parameters = Self {
                codec: codec_name(p.codec_id),
                width: p.width.max(0) as u32,
                height: p.height.max(0) as u32,
                format: p.format,
                profile: p.profile,
                level: p.level,
                bit_rate: p.bit_rate,
                bits_per_coded_sample: p.bits_per_coded_sample,
                bits_per_raw_sample: p.bits_per_raw_sample,
                sample_aspect_ratio: rational(p.sample_aspect_ratio)
                    .unwrap_or(Rational { num: 0, den: 1 }),
                color: [
                    color.primaries,
                    color.transfer,
                    color.matrix,
                    color.range,
                    color.chroma,
                ],
                video_delay: p.video_delay,
                codec_tag: p.codec_tag,
            };
            let extradata = extradata_of(p).to_vec();
            sys::avcodec_parameters_free(&mut raw);
            Ok((parameters, extradata))
        }
    }

    /// Fills the parameters of an output stream or of a decoder.
    ///
    /// # Safety
    /// `target` must be a live, blank structure.
    pub(crate) unsafe fn write_to(
        &self,
        extradata: &[u8],
        target: *mut sys::AVCodecParameters,
    ) -> Result<(), MediaError> {
        let id = codec_id(&self.codec).ok_or_else(|| MediaError::EncoderUnavailable {
            wanted: self.codec.clone(),
            reason: "the library does not know this codec".into(),
        })?;
        // SAFETY: live and blank, as the caller promises; the extradata is copied into memory of
        // the library with the padding that it wants.
        unsafe {
            let p = &mut *target;
            p.codec_type = sys::AVMediaType::AVMEDIA_TYPE_VIDEO;
            p.codec_id = id;
            p.codec_tag = 0;
            p.width = self.width as i32;
            p.height = self.height as i32;
            p.format = self.format;
            p.profile = self.profile;
            p.level = self.level;
            p.bit_rate = self.bit_rate;
            p.bits_per_coded_sample = self.bits_per_coded_sample;
            p.bits_per_raw_sample = self.bits_per_raw_sample;
            if let Some(ratio) = super::util::av_rational(self.sample_aspect_ratio) {
                p.sample_aspect_ratio = ratio;
            }
            p.video_delay = self.video_delay;
            let [primaries, transfer, matrix, range, chroma] = self.color;
            set_enum_number(addr_of_mut!((*target).color_primaries), primaries);
            set_enum_number(addr_of_mut!((*target).color_trc), transfer);
            set_enum_number(addr_of_mut!((*target).color_space), matrix);
            set_enum_number(addr_of_mut!((*target).color_range), range);
            set_enum_number(addr_of_mut!((*target).chroma_location), chroma);
            set_extradata(target, extradata)
        }
    }
}

/// The codec's global headers; empty where it has none.
pub(crate) fn extradata_of(parameters: &sys::AVCodecParameters) -> &[u8] {
    let start = parameters.extradata;
    let length = usize::try_from(parameters.extradata_size).unwrap_or(0);
    if start.is_null() || length == 0 {
        return &[];
    }
    // SAFETY: the extradata is as long as stated and lives as long as the parameters.
    unsafe { slice::from_raw_parts(start, length) }
}

/// Stores a copy of `extradata`.
///
/// # Safety
/// `target` must be live and hold no extradata yet.
pub(crate) unsafe fn set_extradata(
    target: *mut sys::AVCodecParameters,
    extradata: &[u8],
) -> Result<(), MediaError> {
    if extradata.is_empty() {
        return Ok(());
    }
    // SAFETY: the allocation has room for the bytes and the zeroed padding behind them.
    unsafe {
        let padding = sys::AV_INPUT_BUFFER_PADDING_SIZE as usize;
        let memory = sys::av_mallocz(extradata.len() + padding).cast::<u8>();
        if memory.is_null() {
            return Err(MediaError::OutOfMemory);
        }
        ptr::copy_nonoverlapping(extradata.as_ptr(), memory, extradata.len());
        (*target).extradata = memory;
        (*target).extradata_size = extradata.len() as i32;
    }
    Ok(())
}
