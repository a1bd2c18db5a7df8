//! An output file: streams, tags, packets.

use super::input::{RawChapter, Stream, interrupt};
use super::packet::Packet;
use super::params::{VideoParameters, codec_id, set_extradata};
use super::sound::SoundParameters;
use super::util::{Dict, c_text, check, failure, file_address, libavformat_major, write_failure};
use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Opus counts its delay at this rate, whatever it was made from (RFC 7845).
const OPUS_CLOCK: sys::AVRational = sys::AVRational {
    num: 1,
    den: 48_000,
};

/// An open muxer.
pub(crate) struct Output {
    context: *mut sys::AVFormatContext,
    path: PathBuf,
    _cancel: Arc<AtomicBool>,
}

// SAFETY: used by one thread at a time (`&mut`), and not tied to the one that opened it.
unsafe impl Send for Output {}

impl Drop for Output {
    fn drop(&mut self) {
        // SAFETY: both are owned; closing twice is harmless with the pointer-clearing call.
        unsafe {
            if !self.context.is_null() {
                sys::avio_closep(&mut (*self.context).pb);
                sys::avformat_free_context(self.context);
            }
        }
    }
}

/// The video stream that replaces one of the source.
pub(crate) struct NewVideo<'a> {
    pub parameters: &'a VideoParameters,
    pub extradata: &'a [u8],
    pub time_base: sys::AVRational,
    pub tags: &'a BTreeMap<String, String>,
    /// `None`: that of the source.
    pub frame_rate: Option<sys::AVRational>,
    /// `None`: the container's usual one.
    pub codec_tag: Option<u32>,
}

/// The library's output format of this name.
fn format(name: &str) -> Result<*const sys::AVOutputFormat, MediaError> {
    let short = c_text(name);
    // SAFETY: returns null or a constant.
    let format = unsafe { sys::av_guess_format(short.as_ptr(), ptr::null(), ptr::null()) };
    if format.is_null() {
        return Err(MediaError::UnsupportedContainer {
            extension: name.to_owned(),
        });
    }
    Ok(format)
}

/// True if the container says that it can hold the codec.
pub(crate) fn can_hold(container: &str, id: sys::AVCodecID) -> bool {
    let Ok(format) = format(container) else {
        return false;
    };
    // SAFETY: a constant format and a codec id.
    unsafe { sys::avformat_query_codec(format, id, 0) == 1 }
}

impl Output {
    pub(crate) fn create(
        path: &Path,
        container: &str,
        cancel: &Arc<AtomicBool>,
    ) -> Result<Self, MediaError> {
        let address = file_address(path).ok_or_else(|| MediaError::InvalidRequest {
            what: "the name of the output contains a zero byte".into(),
        })?;
        let format = format(container)?;
        let cancel = Arc::clone(cancel);
        let callback = interrupt(&cancel);
        let mut output = Self {
            context: ptr::null_mut(),
            path: path.into(),
            _cancel: cancel,
        };
        // SAFETY: a constant format and an address that ends with a zero.
        let status = unsafe {
            sys::avformat_alloc_output_context2(
                &mut output.context,
                format,
                ptr::null(),
                address.as_ptr(),
            )
        };
        check("the output could not be prepared", status)?;
        // SAFETY: a live context; the callback's flag lives in `output`.
        let status = unsafe {
            (*output.context).interrupt_callback = callback;
            // No dates, no random numbers, no library version: equal input gives equal bytes.
            (*output.context).flags |= sys::AVFMT_FLAG_BITEXACT;
            // Some pairs (TrueHD in MP4) are valid and still called experimental.
            (*output.context).strict_std_compliance = -2;
            sys::avio_open2(
                &mut (*output.context).pb,
                address.as_ptr(),
                sys::AVIO_FLAG_WRITE,
                &callback,
                ptr::null_mut(),
            )
        };
        if status < 0 {
            return Err(write_failure(status, path));
        }
        Ok(output)
    }

    fn new_stream(&mut self) -> Result<*mut sys::AVStream, MediaError> {
        // SAFETY: a live context; returns null or a stream owned by it.
        let stream = unsafe { sys::avformat_new_stream(self.context, ptr::null()) };
        if stream.is_null() {
            return Err(MediaError::OutOfMemory);
        }
        Ok(stream)
    }

    /// Adds a stream that is copied from `source`, with its dispositions and side data.
    pub(crate) fn add_copy(
        &mut self,
        source: Stream<'_>,
        tags: &BTreeMap<String, String>,
    ) -> Result<usize, MediaError> {
        let stream = self.new_stream()?;
        let from = source.raw();
        // SAFETY: both streams are live.
        unsafe {
            check(
                "stream parameters could not be copied",
                sys::avcodec_parameters_copy((*stream).codecpar, from.codecpar),
            )?;
            (*(*stream).codecpar).codec_tag = self.tag_for(from.codecpar);
            (*stream).time_base = from.time_base;
            (*stream).avg_frame_rate = from.avg_frame_rate;
            (*stream).r_frame_rate = from.r_frame_rate;
            (*stream).sample_aspect_ratio = from.sample_aspect_ratio;
            // The container's word counts where the codec's is another; muxers refuse two of them.
            if from.sample_aspect_ratio.num > 0 {
                (*(*stream).codecpar).sample_aspect_ratio = from.sample_aspect_ratio;
            }
        }
        self.finish_stream(stream, source, tags, |_| true)
    }

    /// Adds the new video stream in the place of `source`.
    pub(crate) fn add_video(
        &mut self,
        source: Stream<'_>,
        video: &NewVideo<'_>,
        keep_side_data: impl Fn(i32) -> bool,
    ) -> Result<usize, MediaError> {
        let stream = self.new_stream()?;
        // SAFETY: a live stream with blank parameters.
        unsafe {
            let parameters = (*stream).codecpar;
            video.parameters.write_to(video.extradata, parameters)?;
            (*parameters).codec_tag = video.codec_tag.unwrap_or(0);
            (*stream).time_base = video.time_base;
            (*stream).avg_frame_rate = video.frame_rate.unwrap_or(source.raw().avg_frame_rate);
            (*stream).sample_aspect_ratio = (*parameters).sample_aspect_ratio;
        }
        self.finish_stream(stream, source, video.tags, keep_side_data)
    }

    /// Adds the only stream of a file of pictures.
    pub(crate) fn add_pictures(
        &mut self,
        parameters: &VideoParameters,
        extradata: &[u8],
        time_base: sys::AVRational,
    ) -> Result<(), MediaError> {
        let stream = self.new_stream()?;
        // SAFETY: a live stream with blank parameters.
        unsafe {
            parameters.write_to(extradata, (*stream).codecpar)?;
            (*stream).time_base = time_base;
        }
        Ok(())
    }

    /// Adds a track of sound that was encoded here.
    pub(crate) fn add_sound(
        &mut self,
        parameters: &SoundParameters,
        extradata: &[u8],
        time_base: sys::AVRational,
        tags: &BTreeMap<String, String>,
    ) -> Result<usize, MediaError> {
        let stream = self.new_stream()?;
        // SAFETY: a live stream with blank parameters.
        unsafe {
            parameters.write_to(extradata, (*stream).codecpar)?;
            (*stream).time_base = time_base;
            (*stream).metadata = dictionary(tags)?;
            Ok((*stream).index as usize)
        }
    }

    /// Adds a track of subtitles that are text.
    pub(crate) fn add_subtitles(
        &mut self,
        codec: &str,
        extradata: &[u8],
        time_base: sys::AVRational,
        tags: &BTreeMap<String, String>,
    ) -> Result<usize, MediaError> {
        let stream = self.new_stream()?;
        // SAFETY: a live stream with blank parameters.
        unsafe {
            let p = (*stream).codecpar;
            (*p).codec_type = sys::AVMediaType::AVMEDIA_TYPE_SUBTITLE;
            if let Some(id) = codec_id(codec) {
                (*p).codec_id = id;
            }
            set_extradata(p, extradata)?;
            (*stream).time_base = time_base;
            (*stream).metadata = dictionary(tags)?;
            Ok((*stream).index as usize)
        }
    }

    /// Sets the dispositions of a stream by their names; what the library does not know is left
    /// out.
    pub(crate) fn set_dispositions(&mut self, stream: usize, names: &[String]) {
        let mut flags = 0;
        for name in names {
            let name = c_text(name);
            // SAFETY: a string that ends with a zero.
            let flag = unsafe { sys::av_disposition_from_string(name.as_ptr()) };
            flags |= flag.max(0);
        }
        // SAFETY: the stream was added to the live context.
        unsafe { (**(*self.context).streams.add(stream)).disposition = flags };
    }

    /// Adds a file within the file (a font, a cover), which has no packets.
    pub(crate) fn add_attachment(
        &mut self,
        codec: &str,
        bytes: &[u8],
        tags: &BTreeMap<String, String>,
    ) -> Result<(), MediaError> {
        let stream = self.new_stream()?;
        // SAFETY: a live stream with blank parameters.
        unsafe {
            let p = (*stream).codecpar;
            (*p).codec_type = sys::AVMediaType::AVMEDIA_TYPE_ATTACHMENT;
            if let Some(id) = codec_id(codec) {
                (*p).codec_id = id;
            }
            set_extradata(p, bytes)?;
            (*stream).metadata = dictionary(tags)?;
        }
        Ok(())
    }

    fn finish_stream(
        &mut self,
        stream: *mut sys::AVStream,
        source: Stream<'_>,
        tags: &BTreeMap<String, String>,
        keep_side_data: impl Fn(i32) -> bool,
    ) -> Result<usize, MediaError> {
        // SAFETY: `stream` was just added to the live context.
        unsafe {
            (*stream).disposition = source.raw().disposition;
            (*stream).metadata = dictionary(tags)?;
            for (kind, bytes) in source.side_data() {
                if keep_side_data(kind) {
                    add_side_data(stream, kind, bytes)?;
                }
            }
            Ok((*stream).index as usize)
        }
    }

    /// Attaches side data to a stream, replacing what it has of that kind.
    pub(crate) fn set_side_data(
        &mut self,
        stream: usize,
        kind: sys::AVPacketSideDataType,
        bytes: &[u8],
    ) -> Result<(), MediaError> {
        // SAFETY: the stream was added to the live context.
        unsafe {
            let stream = *(*self.context).streams.add(stream);
            add_side_data(stream, kind as i32, bytes)
        }
    }

    /// The tag of the source, where it means the same codec in this container.
    ///
    /// # Safety
    /// `parameters` must be live.
    unsafe fn tag_for(&self, parameters: *const sys::AVCodecParameters) -> u32 {
        // SAFETY: live context and parameters; the tables are constants.
        unsafe {
            let table = (*(*self.context).oformat).codec_tag;
            let (id, tag) = ((*parameters).codec_id, (*parameters).codec_tag);
            if table.is_null() {
                return 0;
            }
            let mut known = 0;
            if sys::av_codec_get_id(table, tag) == id
                || sys::av_codec_get_tag2(table, id, &mut known) == 0
            {
                tag
            } else {
                0
            }
        }
    }

    pub(crate) fn set_tags(&mut self, tags: &BTreeMap<String, String>) -> Result<(), MediaError> {
        // SAFETY: a live context whose tags are replaced.
        unsafe {
            sys::av_dict_free(&mut (*self.context).metadata);
            (*self.context).metadata = dictionary(tags)?;
        }
        Ok(())
    }

    /// Adds a chapter.
    pub(crate) fn add_chapter(&mut self, chapter: &RawChapter) -> Result<(), MediaError> {
        // SAFETY: the array and its entries are in memory of the library, which frees them with
        // the context.
        unsafe {
            let count = (*self.context).nb_chapters as usize;
            let bytes = (count + 1) * size_of::<*mut sys::AVChapter>();
            let list = sys::av_realloc((*self.context).chapters.cast(), bytes);
            if list.is_null() {
                return Err(MediaError::OutOfMemory);
            }
            (*self.context).chapters = list.cast();
            let entry = sys::av_mallocz(size_of::<sys::AVChapter>()).cast::<sys::AVChapter>();
            if entry.is_null() {
                return Err(MediaError::OutOfMemory);
            }
            (*entry).id = chapter.id;
            (*entry).time_base = chapter.time_base;
            (*entry).start = chapter.start;
            (*entry).end = chapter.end;
            *(*self.context).chapters.add(count) = entry;
            (*self.context).nb_chapters += 1;
            (*entry).metadata = dictionary(&chapter.tags)?;
        }
        Ok(())
    }

    /// Writes the header. Options that the muxer does not know are an error.
    pub(crate) fn write_header(&mut self, options: &[(&str, String)]) -> Result<(), MediaError> {
        let mut dict = Dict::new(options.iter().map(|(k, v)| (*k, v.as_str())))?;
        // SAFETY: a live context with its streams.
        let status = unsafe { sys::avformat_write_header(self.context, &mut dict.0) };
        if status < 0 {
            return Err(self.failure(status));
        }
        let left = dict.left();
        if !left.is_empty() {
            return Err(MediaError::InvalidRequest {
                what: format!("the container has no option {}", left.join(", ")).into(),
            });
        }
        Ok(())
    }

    fn failure(&self, status: i32) -> MediaError {
        // A failed write shows in the I/O context; other failures are the muxer's.
        // SAFETY: a live context with an open file.
        let io = unsafe { (*self.context).pb.as_ref() }.map_or(0, |pb| pb.error);
        if io < 0 && io != sys::AVERROR_EOF {
            return write_failure(io, &self.path);
        }
        if (-255..0).contains(&status)
            && status != sys::AVERROR(libc::EINVAL)
            && status != sys::AVERROR(libc::ENOMEM)
            && status != sys::AVERROR(libc::ENOSYS)
        {
            return write_failure(status, &self.path);
        }
        failure("the container refused the streams", status)
    }

    /// Seconds per tick that the muxer chose for a stream. Valid after the header.
    pub(crate) fn time_base(&self, stream: usize) -> sys::AVRational {
        // SAFETY: the stream was added to the live context.
        unsafe { (**(*self.context).streams.add(stream)).time_base }
    }

    /// Writes a packet whose stream and times are set, in the stream's time base.
    pub(crate) fn write(&mut self, packet: &mut Packet) -> Result<(), MediaError> {
        packet.shift(self.forgotten_delay(packet.stream()));
        // SAFETY: header written; the library takes the packet's data over.
        let status = unsafe { sys::av_interleaved_write_frame(self.context, packet.as_mut_ptr()) };
        if status < 0 {
            return Err(self.failure(status));
        }
        Ok(())
    }

    /// Matroska has the times of Opus with the delay of its decoder in them, and readers take that out
    /// again. Before FFmpeg 8 the muxer only noted the delay: its sound was heard that much too early.
    /// Gives what is missing, in ticks of the stream.
    fn forgotten_delay(&self, stream: usize) -> i64 {
        if libavformat_major() >= 62 || !matches!(self.format_name(), "matroska" | "webm") {
            return 0;
        }
        // SAFETY: a live context; its streams have parameters, and are as many as it says.
        unsafe {
            if stream >= (*self.context).nb_streams as usize {
                return 0;
            }
            let stream = *(*self.context).streams.add(stream);
            let parameters = (*stream).codecpar;
            if (*parameters).codec_id != sys::AVCodecID::AV_CODEC_ID_OPUS {
                return 0;
            }
            let padding = i64::from((*parameters).initial_padding.max(0));
            sys::av_rescale_q(padding, OPUS_CLOCK, (*stream).time_base)
        }
    }

    fn format_name(&self) -> &str {
        // SAFETY: a live context, whose format is a constant with a name.
        unsafe { CStr::from_ptr((*(*self.context).oformat).name) }
            .to_str()
            .unwrap_or_default()
    }

    /// Writes the end of the file and closes it. Errors of a full disk show here at the latest.
    pub(crate) fn finish(self) -> Result<(), MediaError> {
        // SAFETY: header written; nothing is written afterwards.
        unsafe {
            let status = sys::av_write_trailer(self.context);
            if status < 0 {
                return Err(self.failure(status));
            }
            let pb = (*self.context).pb;
            sys::avio_flush(pb);
            let io = (*pb).error;
            if io < 0 && io != sys::AVERROR_EOF {
                return Err(write_failure(io, &self.path));
            }
            let status = sys::avio_closep(&mut (*self.context).pb);
            if status < 0 {
                return Err(write_failure(status, &self.path));
            }
        }
        Ok(())
    }
}

fn dictionary(tags: &BTreeMap<String, String>) -> Result<*mut sys::AVDictionary, MediaError> {
    let entries = tags.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    Ok(Dict::new(entries)?.into_raw())
}

/// # Safety
/// `stream` must be a live stream of an output.
unsafe fn add_side_data(
    stream: *mut sys::AVStream,
    kind: i32,
    bytes: &[u8],
) -> Result<(), MediaError> {
    let Some(kind) = stream_side_data_kind(kind) else {
        return Ok(());
    };
    // SAFETY: allocates `bytes.len()` bytes that belong to the stream, or returns null.
    unsafe {
        #[cfg(ffmpeg_6_1)]
        let memory = {
            let p = &mut *(*stream).codecpar;
            let entry = sys::av_packet_side_data_new(
                &mut p.coded_side_data,
                &mut p.nb_coded_side_data,
                kind,
                bytes.len(),
                0,
            );
            entry.as_mut().map_or(ptr::null_mut(), |entry| entry.data)
        };
        #[cfg(not(ffmpeg_6_1))]
        let memory = sys::av_stream_new_side_data(stream, kind, bytes.len());
        if memory.is_null() {
            return Err(MediaError::OutOfMemory);
        }
        ptr::copy_nonoverlapping(bytes.as_ptr(), memory, bytes.len());
    }
    Ok(())
}

/// The kinds of side data that describe a stream as a whole and may be copied.
fn stream_side_data_kind(number: i32) -> Option<sys::AVPacketSideDataType> {
    use sys::AVPacketSideDataType as S;
    [
        S::AV_PKT_DATA_REPLAYGAIN,
        S::AV_PKT_DATA_DISPLAYMATRIX,
        S::AV_PKT_DATA_STEREO3D,
        S::AV_PKT_DATA_AUDIO_SERVICE_TYPE,
        S::AV_PKT_DATA_FALLBACK_TRACK,
        S::AV_PKT_DATA_MASTERING_DISPLAY_METADATA,
        S::AV_PKT_DATA_CONTENT_LIGHT_LEVEL,
        S::AV_PKT_DATA_SPHERICAL,
        S::AV_PKT_DATA_DOVI_CONF,
        S::AV_PKT_DATA_ICC_PROFILE,
    ]
    .into_iter()
    .find(|kind| *kind as i32 == number)
}

/// True for side data of a video stream that stays true when the pictures were processed.
pub(crate) fn survives_processing(kind: i32) -> bool {
    use sys::AVPacketSideDataType as S;
    [
        S::AV_PKT_DATA_DISPLAYMATRIX,
        S::AV_PKT_DATA_STEREO3D,
        S::AV_PKT_DATA_MASTERING_DISPLAY_METADATA,
        S::AV_PKT_DATA_CONTENT_LIGHT_LEVEL,
        S::AV_PKT_DATA_SPHERICAL,
        S::AV_PKT_DATA_ICC_PROFILE,
    ]
    .into_iter()
    .any(|known| known as i32 == kind)
}
