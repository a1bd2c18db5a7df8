//! Sound: layouts of channels, frames of samples, encoders, and what a muxer must know.

use super::frame::AvFrame;
use super::packet::Packet;
use super::params::{codec_id, codec_name, extradata_of, set_extradata};
use super::util::{Dict, c_text, check, enum_number, error, failure, text_of};
use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use serde::{Deserialize, Serialize};
use std::ffi::c_char;
use std::ptr::{self, NonNull, addr_of, addr_of_mut};
use std::slice;

/// An owned layout of channels.
pub(crate) struct Channels(sys::AVChannelLayout);

// SAFETY: memory behind its pointers is its own and is reached through it alone.
unsafe impl Send for Channels {}

impl Drop for Channels {
    fn drop(&mut self) {
        // SAFETY: owned; a layout without memory of its own is left as it is.
        unsafe { sys::av_channel_layout_uninit(&mut self.0) };
    }
}

/// No program makes more channels than this; a hostile header may state any number.
pub(crate) const MOST_CHANNELS: i32 = 64;

impl Channels {
    fn blank() -> Self {
        // SAFETY: all zeros are a layout without channels.
        Self(unsafe { std::mem::zeroed() })
    }

    /// The layout of this name (`stereo`, `5.1(side)`, `3 channels`).
    pub(crate) fn parse(name: &str) -> Result<Self, MediaError> {
        let mut layout = Self::blank();
        let text = c_text(name);
        // SAFETY: a blank layout and a string that ends with a zero.
        let status = unsafe { sys::av_channel_layout_from_string(&mut layout.0, text.as_ptr()) };
        if status < 0 || !(1..=MOST_CHANNELS).contains(&layout.0.nb_channels) {
            return Err(MediaError::InvalidRequest {
                what: format!("`{name}` is no layout of channels").into(),
            });
        }
        Ok(layout)
    }

    /// The layout of a frame; the usual one for its number of channels where it does not say.
    fn of_frame(frame: &AvFrame) -> Result<Self, MediaError> {
        let mut layout = Self::blank();
        // SAFETY: a live frame; its layout is copied into a blank one.
        unsafe {
            let from = addr_of!((*frame.as_ptr()).ch_layout);
            if enum_number(addr_of!((*from).order)) == 0 {
                sys::av_channel_layout_default(&mut layout.0, (*from).nb_channels);
            } else {
                check(
                    "a layout of channels could not be copied",
                    sys::av_channel_layout_copy(&mut layout.0, from),
                )?;
            }
        }
        Ok(layout)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.nb_channels.max(0) as usize
    }

    pub(crate) fn name(&self) -> String {
        let mut buffer = [0 as c_char; 256];
        // SAFETY: a live layout; the function writes at most the stated length, with a zero.
        unsafe {
            let status =
                sys::av_channel_layout_describe(&self.0, buffer.as_mut_ptr(), buffer.len());
            if status < 0 {
                return format!("{} channels", self.count());
            }
            text_of(buffer.as_ptr()).unwrap_or_default()
        }
    }

    /// Short name of each channel (`FL`), in order; a number where it has none.
    pub(crate) fn channel_names(&self) -> Vec<String> {
        (0..self.count())
            .map(|index| {
                let mut buffer = [0 as c_char; 64];
                // SAFETY: a live layout and an index within it; the buffer is as long as stated.
                let name = unsafe {
                    let channel = sys::av_channel_layout_channel_from_index(&self.0, index as u32);
                    sys::av_channel_name(buffer.as_mut_ptr(), buffer.len(), channel);
                    text_of(buffer.as_ptr()).unwrap_or_default()
                };
                if name.is_empty() || name == "NONE" || name == "UNK" {
                    (index + 1).to_string()
                } else {
                    name
                }
            })
            .collect()
    }

    fn copy_to(&self, target: *mut sys::AVChannelLayout) -> Result<(), MediaError> {
        // SAFETY: the callers pass the layout of a live structure that they own.
        let status = unsafe { sys::av_channel_layout_copy(target, &self.0) };
        check("a layout of channels could not be copied", status).map(drop)
    }
}

/// How the samples of a frame lie in memory: ffmpeg's number for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SampleFormat(i32);

impl SampleFormat {
    pub(crate) const S16: Self = Self(1);
    pub(crate) const S32: Self = Self(2);
    pub(crate) const FLT: Self = Self(3);
    pub(crate) const DBL: Self = Self(4);
    pub(crate) const S16P: Self = Self(6);
    pub(crate) const S32P: Self = Self(7);
    pub(crate) const FLTP: Self = Self(8);
    pub(crate) const DBLP: Self = Self(9);

    /// The interleaved one of the same samples, and whether this one keeps channels apart.
    fn split(self) -> (i32, bool) {
        match self.0 {
            5..=9 => (self.0 - 5, true),
            11 => (10, true),
            other => (other, false),
        }
    }

    fn bytes(self) -> Option<usize> {
        Some(match self.split().0 {
            0 => 1,
            1 => 2,
            2 | 3 => 4,
            4 | 10 => 8,
            _ => return None,
        })
    }
}

/// What a decoded frame of sound is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FrameFacts {
    pub rate: u32,
    pub layout: String,
    pub samples: usize,
    /// Bits of its numbers where they are whole; `None` for fractions.
    pub whole_bits: Option<u32>,
}

/// Reads the samples of a frame, one list per channel, full scale being 1.
pub(crate) fn read_samples(frame: &AvFrame) -> Result<(FrameFacts, Vec<Vec<f64>>), MediaError> {
    let raw = frame.as_ptr();
    // SAFETY: a live frame; plain numbers.
    let (count, rate, size) =
        unsafe { ((*raw).nb_samples, (*raw).sample_rate, (*raw).linesize[0]) };
    let format = SampleFormat(frame.format().0);
    let layout = Channels::of_frame(frame)?;
    let channels = layout.count();
    let odd = || MediaError::InvalidRequest {
        what: "the decoder gave sound in a form that cannot be read".into(),
    };
    let bytes = format.bytes().ok_or_else(odd)?;
    let planar = format.split().1;
    let (count, rate) = match (usize::try_from(count), u32::try_from(rate)) {
        (Ok(count), Ok(rate)) if rate > 0 => (count, rate),
        _ => return Err(odd()),
    };
    if channels == 0 || channels > MOST_CHANNELS as usize {
        return Err(odd());
    }
    let per_plane = count * bytes * if planar { 1 } else { channels };
    if usize::try_from(size).unwrap_or(0) < per_plane {
        return Err(odd());
    }
    let mut samples = Vec::with_capacity(channels);
    for channel in 0..channels {
        // SAFETY: `extended_data` has a pointer per plane, each to `linesize[0]` bytes, which was
        // checked above to hold all samples.
        let plane = unsafe {
            let data = *(*raw).extended_data.add(if planar { channel } else { 0 });
            if data.is_null() {
                return Err(odd());
            }
            slice::from_raw_parts(data, per_plane)
        };
        let (first, step) = if planar { (0, 1) } else { (channel, channels) };
        samples.push(read_plane(plane, format.split().0, first, step, count));
    }
    let facts = FrameFacts {
        rate,
        layout: layout.name(),
        samples: count,
        whole_bits: match format.split().0 {
            0 => Some(8),
            1 => Some(16),
            2 => Some(32),
            10 => Some(64),
            _ => None,
        },
    };
    Ok((facts, samples))
}

/// Numbers of one channel, as the kind says that they are stored.
fn read_plane(bytes: &[u8], kind: i32, first: usize, step: usize, count: usize) -> Vec<f64> {
    fn each<const N: usize>(
        bytes: &[u8],
        (first, step, count): (usize, usize, usize),
        value: impl Fn([u8; N]) -> f64,
    ) -> Vec<f64> {
        let (units, _) = bytes.as_chunks::<N>();
        let units = units.iter().skip(first).step_by(step.max(1)).take(count);
        units.map(|unit| value(*unit)).collect()
    }
    let place = (first, step, count);
    match kind {
        0 => each::<1>(bytes, place, |b| (f64::from(b[0]) - 128.0) / 128.0),
        1 => each::<2>(bytes, place, |b| {
            f64::from(i16::from_ne_bytes(b)) / 32_768.0
        }),
        2 => each::<4>(bytes, place, |b| {
            f64::from(i32::from_ne_bytes(b)) / 2_147_483_648.0
        }),
        3 => each::<4>(bytes, place, |b| finite(f64::from(f32::from_ne_bytes(b)))),
        4 => each::<8>(bytes, place, |b| finite(f64::from_ne_bytes(b))),
        _ => each::<8>(bytes, place, |b| {
            i64::from_ne_bytes(b) as f64 / 9_223_372_036_854_775_808.0
        }),
    }
}

/// A decoder that met damage may give anything.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

/// A frame with these samples (equally many per channel), as `format` stores them.
pub(crate) fn frame_of(
    samples: &[&[f64]],
    format: SampleFormat,
    rate: u32,
    layout: &Channels,
    pts: i64,
) -> Result<AvFrame, MediaError> {
    let count = samples.first().map_or(0, |channel| channel.len());
    if samples.len() != layout.count() || samples.iter().any(|c| c.len() != count) || count == 0 {
        return Err(MediaError::InvalidRequest {
            what: "channels of sound of different length".into(),
        });
    }
    let mut frame = AvFrame::new()?;
    let raw = frame.as_mut_ptr();
    // SAFETY: a blank frame that is described first and then given memory by the library.
    unsafe {
        (*raw).nb_samples = i32::try_from(count).map_err(|_| MediaError::OutOfMemory)?;
        (*raw).sample_rate = rate as i32;
        (*raw).format = format.0;
        (*raw).pts = pts;
        layout.copy_to(addr_of_mut!((*raw).ch_layout))?;
        check("no memory for sound", sys::av_frame_get_buffer(raw, 0))?;
    }
    let (kind, planar) = format.split();
    let bytes = format.bytes().ok_or(MediaError::OutOfMemory)?;
    let planes = if planar { samples.len() } else { 1 };
    let length = count * bytes * (samples.len() / planes);
    for plane in 0..planes {
        // SAFETY: the library allocated this many bytes for every plane, and nobody else has
        // the frame.
        let target = unsafe { slice::from_raw_parts_mut(*(*raw).extended_data.add(plane), length) };
        if planar {
            write_plane(samples[plane], target, kind, 0, 1);
        } else {
            for (channel, list) in samples.iter().enumerate() {
                write_plane(list, target, kind, channel, samples.len());
            }
        }
    }
    Ok(frame)
}

fn write_plane(samples: &[f64], target: &mut [u8], kind: i32, first: usize, step: usize) {
    fn each<const N: usize>(
        samples: &[f64],
        target: &mut [u8],
        (first, step): (usize, usize),
        bytes: impl Fn(f64) -> [u8; N],
    ) {
        let (units, _) = target.as_chunks_mut::<N>();
        for (unit, value) in units.iter_mut().skip(first).step_by(step).zip(samples) {
            *unit = bytes(*value);
        }
    }
    let place = (first, step);
    match kind {
        0 => each::<1>(samples, target, place, |v| {
            [(v * 128.0 + 128.0).round().clamp(0.0, 255.0) as u8]
        }),
        // `as` saturates, which is what clipping means.
        1 => each::<2>(samples, target, place, |v| {
            ((v * 32_768.0).round() as i16).to_ne_bytes()
        }),
        2 => each::<4>(samples, target, place, |v| {
            ((v * 2_147_483_648.0).round() as i32).to_ne_bytes()
        }),
        3 => each::<4>(samples, target, place, |v| (v as f32).to_ne_bytes()),
        4 => each::<8>(samples, target, place, f64::to_ne_bytes),
        _ => each::<8>(samples, target, place, |v| {
            ((v * 9_223_372_036_854_775_808.0).round() as i64).to_ne_bytes()
        }),
    }
}

/// What a muxer must know of a track of sound, in a form that can be stored in a part file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SoundParameters {
    pub codec: String,
    pub sample_rate: u32,
    pub layout: String,
    pub format: i32,
    pub profile: i32,
    pub level: i32,
    pub bit_rate: i64,
    pub bits_per_coded_sample: i32,
    pub bits_per_raw_sample: i32,
    pub block_align: i32,
    pub frame_size: i32,
    pub initial_padding: i32,
    pub seek_preroll: i32,
}

impl SoundParameters {
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
        let layout = Channels::parse(&self.layout)?;
        // SAFETY: live and blank, as the caller promises; what is stored in it is copied.
        unsafe {
            let p = &mut *target;
            p.codec_type = sys::AVMediaType::AVMEDIA_TYPE_AUDIO;
            p.codec_id = id;
            p.codec_tag = 0;
            p.format = self.format;
            p.profile = self.profile;
            p.level = self.level;
            p.bit_rate = self.bit_rate;
            p.bits_per_coded_sample = self.bits_per_coded_sample;
            p.bits_per_raw_sample = self.bits_per_raw_sample;
            p.sample_rate = self.sample_rate as i32;
            p.block_align = self.block_align;
            p.frame_size = self.frame_size;
            p.initial_padding = self.initial_padding;
            p.seek_preroll = self.seek_preroll;
            layout.copy_to(&mut p.ch_layout)?;
            set_extradata(target, extradata)
        }
    }
}

/// What an encoder of sound is opened with.
#[derive(Debug, Clone)]
pub(crate) struct SoundSettings<'a> {
    pub name: &'a str,
    pub rate: u32,
    pub layout: &'a str,
    pub format: SampleFormat,
    /// 0 leaves it to the encoder.
    pub bit_rate: u64,
    /// Significant bits, where the encoder can be told; 0 leaves it to the encoder.
    pub raw_bits: u32,
    pub options: &'a [(&'a str, &'a str)],
}

/// An open encoder of sound.
pub(crate) struct SoundEncoder {
    context: NonNull<sys::AVCodecContext>,
    layout: Channels,
    format: SampleFormat,
    rate: u32,
}

// SAFETY: used by one thread at a time (`&mut`); it has no threads of its own.
unsafe impl Send for SoundEncoder {}

impl Drop for SoundEncoder {
    fn drop(&mut self) {
        let mut raw = self.context.as_ptr();
        // SAFETY: owned and not used afterwards.
        unsafe { sys::avcodec_free_context(&mut raw) };
    }
}

/// The forms of samples that an encoder takes.
pub(crate) fn sample_formats(name: &str) -> Vec<SampleFormat> {
    let name = c_text(name);
    let mut list = Vec::new();
    // SAFETY: a constant codec; its list of formats is null or ends with -1.
    unsafe {
        let codec = sys::avcodec_find_encoder_by_name(name.as_ptr());
        if codec.is_null() {
            return list;
        }
        #[cfg(ffmpeg_7_1)]
        let mut entry = {
            let mut formats = ptr::null();
            let kind = sys::AVCodecConfig::AV_CODEC_CONFIG_SAMPLE_FORMAT;
            let none = ptr::null_mut();
            sys::avcodec_get_supported_config(ptr::null(), codec, kind, 0, &mut formats, none);
            formats.cast::<i32>()
        };
        #[cfg(not(ffmpeg_7_1))]
        let mut entry = (*codec).sample_fmts.cast::<i32>();
        while !entry.is_null() && *entry >= 0 {
            list.push(SampleFormat(*entry));
            entry = entry.add(1);
        }
    }
    list
}

impl SoundEncoder {
    pub(crate) fn open(settings: &SoundSettings<'_>) -> Result<Self, MediaError> {
        let refused = |reason: String| MediaError::EncoderUnavailable {
            wanted: settings.name.to_owned(),
            reason,
        };
        let name = c_text(settings.name);
        // SAFETY: returns null or a constant codec.
        let codec = unsafe { sys::avcodec_find_encoder_by_name(name.as_ptr()) };
        if codec.is_null() {
            return Err(refused("the library was built without it".into()));
        }
        let layout = Channels::parse(settings.layout)?;
        // SAFETY: a new context, owned by the result.
        let context = NonNull::new(unsafe { sys::avcodec_alloc_context3(codec) })
            .ok_or(MediaError::OutOfMemory)?;
        let encoder = Self {
            context,
            layout,
            format: settings.format,
            rate: settings.rate,
        };
        let raw = context.as_ptr();
        // SAFETY: a live context that is not open yet.
        unsafe {
            (*raw).sample_rate = settings.rate as i32;
            (*raw).time_base = sys::AVRational {
                num: 1,
                den: settings.rate as i32,
            };
            super::util::set_enum_number(addr_of_mut!((*raw).sample_fmt), settings.format.0);
            (*raw).bit_rate = i64::try_from(settings.bit_rate).unwrap_or(0);
            (*raw).bits_per_raw_sample = settings.raw_bits as i32;
            (*raw).thread_count = 1;
            // Equal input gives equal bytes: no name of the library in the stream.
            (*raw).flags |=
                (sys::AV_CODEC_FLAG_GLOBAL_HEADER | sys::AV_CODEC_FLAG_BITEXACT).cast_signed();
            encoder.layout.copy_to(addr_of_mut!((*raw).ch_layout))?;
        }
        let mut options = Dict::new(settings.options.iter().copied())?;
        // SAFETY: a live context and the codec it was made for.
        let status = unsafe { sys::avcodec_open2(raw, codec, &mut options.0) };
        if status == sys::AVERROR(libc::ENOMEM) {
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

    /// Samples that every call but the last must bring; `None` where any number is taken.
    pub(crate) fn frame_size(&self) -> Option<usize> {
        // SAFETY: an open context.
        let size = unsafe { (*self.context.as_ptr()).frame_size };
        usize::try_from(size).ok().filter(|size| *size > 0)
    }

    /// True for an encoder that fills the last frame up with silence.
    pub(crate) fn pads_the_end(&self) -> bool {
        let variable = sys::AV_CODEC_CAP_SMALL_LAST_FRAME | sys::AV_CODEC_CAP_VARIABLE_FRAME_SIZE;
        // SAFETY: an open context, whose codec is a constant.
        let capabilities = unsafe { (*(*self.context.as_ptr()).codec).capabilities };
        capabilities & variable.cast_signed() == 0
    }

    /// Samples at the end that it does not give by itself: its delay, where it does not say that
    /// it has one.
    pub(crate) fn held_back(&self) -> usize {
        let raw = self.context.as_ptr();
        // SAFETY: an open context, whose codec is a constant.
        let (capabilities, padding) =
            unsafe { ((*(*raw).codec).capabilities, (*raw).initial_padding) };
        let gives_all = capabilities & sys::AV_CODEC_CAP_DELAY.cast_signed() != 0;
        if gives_all {
            0
        } else {
            padding.max(0) as usize
        }
    }

    /// Hands over samples; `None` ends the stream.
    pub(crate) fn send(&mut self, samples: Option<(&[&[f64]], i64)>) -> Result<(), MediaError> {
        let frame = match samples {
            Some((samples, pts)) => Some(frame_of(
                samples,
                self.format,
                self.rate,
                &self.layout,
                pts,
            )?),
            None => None,
        };
        let raw = frame.as_ref().map_or(ptr::null(), AvFrame::as_ptr);
        // SAFETY: an open context; the frame is live or null.
        let status = unsafe { sys::avcodec_send_frame(self.context.as_ptr(), raw) };
        if status == sys::AVERROR_EOF && frame.is_none() {
            return Ok(());
        }
        check("the encoder refused sound", status).map(drop)
    }

    /// Takes the next packet; false where it wants samples or has ended.
    pub(crate) fn receive(&mut self, packet: &mut Packet) -> Result<bool, MediaError> {
        // SAFETY: an open context and a packet, which the library blanks first.
        let status =
            unsafe { sys::avcodec_receive_packet(self.context.as_ptr(), packet.as_mut_ptr()) };
        match status {
            0.. => Ok(true),
            sys::AVERROR_EOF => Ok(false),
            code if code == sys::AVERROR(libc::EAGAIN) => Ok(false),
            code => Err(failure("the encoder of sound failed", code)),
        }
    }

    /// What a muxer must know, and the extradata.
    pub(crate) fn parameters(&self) -> Result<(SoundParameters, Vec<u8>), MediaError> {
        // SAFETY: a new structure, filled from an open context and freed below.
        unsafe {
            let mut raw = sys::avcodec_parameters_alloc();
            if raw.is_null() {
                return Err(MediaError::OutOfMemory);
            }
            let status = sys::avcodec_parameters_from_context(raw, self.context.as_ptr());
            if status < 0 {
                sys::avcodec_parameters_free(&mut raw);
                return Err(failure("codec parameters", status));
            }
            let p = &*raw;
            let parameters = SoundParameters {
                codec: codec_name(p.codec_id),
                sample_rate: self.rate,
                layout: self.layout.name(),
                format: p.format,
                profile: p.profile,
                level: p.level,
                bit_rate: p.bit_rate,
                bits_per_coded_sample: p.bits_per_coded_sample,
                bits_per_raw_sample: p.bits_per_raw_sample,
                block_align: p.block_align,
                frame_size: p.frame_size,
                initial_padding: p.initial_padding,
                seek_preroll: p.seek_preroll,
            };
            let extradata = extradata_of(p).to_vec();
            sys::avcodec_parameters_free(&mut raw);
            Ok((parameters, extradata))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_every_form_survive_the_way_into_a_frame_and_out() {
        let left: Vec<f64> = (-8..8).map(|n| f64::from(n) / 8.0).collect();
        let right: Vec<f64> = left.iter().map(|v| v / 2.0).collect();
        let layout = Channels::parse("stereo").unwrap();
        for format in 0..12 {
            let format = SampleFormat(format);
            let frame = frame_of(&[&left, &right], format, 48_000, &layout, 7).unwrap();
            let (facts, samples) = read_samples(&frame).unwrap();
            assert_eq!(
                (facts.rate, facts.layout.as_str(), facts.samples),
                (48_000, "stereo", 16)
            );
            assert_eq!(samples, [left.clone(), right.clone()], "{format:?}");
            assert_eq!(frame.pts(), Some(7));
        }
    }

    #[test]
    fn what_is_too_loud_is_clipped_and_does_not_turn_over() {
        let layout = Channels::parse("mono").unwrap();
        for format in [SampleFormat::S16, SampleFormat::S32P] {
            let frame = frame_of(&[&[2.0, -2.0]], format, 8_000, &layout, 0).unwrap();
            let (_, samples) = read_samples(&frame).unwrap();
            assert!(samples[0][0] > 0.999 && samples[0][1] == -1.0);
        }
    }

    #[test]
    fn channels_have_their_names_and_impossible_layouts_are_refused() {
        let layout = Channels::parse("5.1").unwrap();
        assert_eq!(
            layout.channel_names(),
            ["FL", "FR", "FC", "LFE", "BL", "BR"]
        );
        assert_eq!(layout.name(), "5.1");
        let plain = Channels::parse("3 channels").unwrap();
        assert_eq!(plain.channel_names(), ["1", "2", "3"]);
        for name in ["", "nonsense", "0 channels", "70000 channels"] {
            assert!(Channels::parse(name).is_err(), "{name}");
        }
    }
}
