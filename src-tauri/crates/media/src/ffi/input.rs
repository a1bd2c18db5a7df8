//! An open file: streams, tags, packets. Nothing but this one file can be opened through it.

use super::memory::Memory;
use super::packet::Packet;
use super::params::Parameters;
use super::util::{
    Dict, c_text, enum_number, error, file_address, io_error, rational, tags, text_of, ticks,
};
use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use frameloom_core::time::Rational;
use std::collections::BTreeMap;
use std::ffi::{c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr::{self, addr_of};
use std::slice;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// A chapter as the container has it.
pub(crate) struct RawChapter {
    pub id: i64,
    pub time_base: sys::AVRational,
    pub start: i64,
    pub end: i64,
    pub tags: BTreeMap<String, String>,
}

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// To know or to decode its pictures.
    Pictures,
    /// To copy its packets: the frames of sound must be known as well, or the last of them has
    /// no length.
    Packets,
}

/// An open demuxer.
pub(crate) struct Input {
    context: *mut sys::AVFormatContext,
    io: *mut sys::AVIOContext,
    /// Whose `io` it is, where it is not a file's.
    memory: Option<Memory>,
    path: PathBuf,
    // Boxed by the Arc: the interrupt callback holds its address.
    cancel: Arc<AtomicBool>,
}

// SAFETY: used by one thread at a time (`&mut`), and not tied to the one that opened it.
unsafe impl Send for Input {}

impl Drop for Input {
    fn drop(&mut self) {
        // SAFETY: both are owned; the demuxer does not close an I/O context that it was given.
        unsafe {
            sys::avformat_close_input(&mut self.context);
            if self.memory.is_none() {
                sys::avio_closep(&mut self.io);
            }
        }
    }
}

unsafe extern "C" fn interrupted(flag: *mut c_void) -> c_int {
    // SAFETY: the flag outlives every call: `Input` and `Output` hold it.
    let flag = unsafe { &*flag.cast::<AtomicBool>() };
    c_int::from(flag.load(Ordering::Relaxed))
}

/// The callback that lets a raised flag end a read or a write.
pub(crate) fn interrupt(flag: &Arc<AtomicBool>) -> sys::AVIOInterruptCB {
    sys::AVIOInterruptCB {
        callback: Some(interrupted),
        opaque: Arc::as_ptr(flag).cast_mut().cast(),
    }
}

/// Playlists and references inside of a file name other files and addresses. None is opened.
unsafe extern "C" fn refuse_to_open(
    _context: *mut sys::AVFormatContext,
    _io: *mut *mut sys::AVIOContext,
    _address: *const c_char,
    _flags: c_int,
    _options: *mut *mut sys::AVDictionary,
) -> c_int {
    sys::AVERROR(libc::EPERM)
}

/// The names of the demuxers that read one file and nothing else. Lists and playlists are left
/// out because they open what they name by ways of their own; so are those that take any text
/// for a picture.
fn plain_formats() -> &'static str {
    static NAMES: OnceLock<String> = OnceLock::new();
    NAMES.get_or_init(|| {
        const LEFT_OUT: &[&str] = &[
            "adf",
            "bin",
            "concat",
            "concatf",
            "dash",
            "data",
            "hls",
            "idf",
            "image2",
            "imf",
            "lavfi",
            "rtp",
            "rtsp",
            "sap",
            "sdp",
            "tedcaptions",
            "tty",
            "vapoursynth",
            "vobsub",
            "webm_dash_manifest",
            "xbin",
        ];
        let mut names = Vec::new();
        let mut state = ptr::null_mut();
        loop {
            // SAFETY: walks a constant list; the names are constant strings.
            let name = unsafe {
                match sys::av_demuxer_iterate(&mut state).as_ref() {
                    Some(format) => text_of(format.name).unwrap_or_default(),
                    None => break,
                }
            };
            if !name.split(',').any(|part| LEFT_OUT.contains(&part)) {
                names.push(name);
            }
        }
        names.join(",")
    })
}

impl Input {
    /// Opens a regular file and reads what is needed to know its streams.
    pub(crate) fn open(
        path: &Path,
        look: Look,
        cancel: &Arc<AtomicBool>,
    ) -> Result<Self, MediaError> {
        let address =
            file_address(path).ok_or_else(|| MediaError::NotFound { path: path.into() })?;
        let cancel = Arc::clone(cancel);
        let callback = interrupt(&cancel);
        let mut input = Input {
            context: ptr::null_mut(),
            io: ptr::null_mut(),
            memory: None,
            path: path.into(),
            cancel,
        };
        let mut options = Dict::new([("protocol_whitelist", "file")])?;
        // SAFETY: the address ends with a zero; the callback's flag lives in `input`.
        let status = unsafe {
            sys::avio_open2(
                &mut input.io,
                address.as_ptr(),
                sys::AVIO_FLAG_READ,
                &callback,
                &mut options.0,
            )
        };
        if status < 0 {
            return Err(input.interrupted_or(|| open_failure(status, path)));
        }
        // SAFETY: a new context, given the open file; freed by the library if opening fails.
        let status = unsafe {
            let context = sys::avformat_alloc_context();
            if context.is_null() {
                return Err(MediaError::OutOfMemory);
            }
            (*context).pb = input.io;
            (*context).interrupt_callback = callback;
            (*context).io_open = Some(refuse_to_open);
            input.context = context;
            let mut options = Dict::new([
                ("protocol_whitelist", "file"),
                ("format_whitelist", plain_formats()),
            ])?;
            sys::avformat_open_input(
                &mut input.context,
                address.as_ptr(),
                ptr::null(),
                &mut options.0,
            )
        };
        if status < 0 {
            return Err(input.interrupted_or(|| not_media(status, path)));
        }
        if look == Look::Pictures && input.format_name().contains("mp4") {
            // The headers say nearly everything; a few pictures are decoded for the rest. By
            // itself the library decodes twenty to guess at a delay that these files state.
            // SAFETY: an open context.
            unsafe { (*input.context).max_analyze_duration = 50_000 };
        }
        // SAFETY: an open context. A failure leaves streams without parameters, which the caller
        // sees; only an interruption matters.
        let status = unsafe { sys::avformat_find_stream_info(input.context, ptr::null_mut()) };
        if status < 0 {
            return Err(input.interrupted_or(|| not_media(status, path)));
        }
        Ok(input)
    }

    /// Reads the text of a subtitle file, in UTF-8, with the demuxer of this name, or with whichever of
    /// those for subtitles takes it. `path` is for what is said of it.
    pub(crate) fn open_subtitles(
        text: String,
        format: Option<&str>,
        path: &Path,
        cancel: &Arc<AtomicBool>,
    ) -> Result<Self, MediaError> {
        const FORMATS: &str = "ass,aqtitle,jacosub,lrc,microdvd,mpl2,mpsub,pjs,realtext,sami,srt,\
                               stl,subviewer,subviewer1,vplayer,webvtt";
        let memory = Memory::new(text.into_bytes())?;
        let cancel = Arc::clone(cancel);
        let mut input = Input {
            context: ptr::null_mut(),
            io: memory.io(),
            memory: Some(memory),
            path: path.into(),
            cancel,
        };
        let name = format.map(c_text);
        // SAFETY: a new context, given the bytes; freed by the library if opening fails. The name is
        // null or ends with a zero, and what is found by it is a constant.
        let status = unsafe {
            let context = sys::avformat_alloc_context();
            if context.is_null() {
                return Err(MediaError::OutOfMemory);
            }
            (*context).pb = input.io;
            (*context).interrupt_callback = interrupt(&input.cancel);
            (*context).io_open = Some(refuse_to_open);
            input.context = context;
            let wanted = name
                .as_ref()
                .map_or(ptr::null(), |name| sys::av_find_input_format(name.as_ptr()));
            let mut options = Dict::new([("format_whitelist", FORMATS)])?;
            sys::avformat_open_input(&mut input.context, ptr::null(), wanted, &mut options.0)
        };
        if status < 0 {
            return Err(input.interrupted_or(|| not_media(status, path)));
        }
        Ok(input)
    }

    fn interrupted_or(&self, other: impl FnOnce() -> MediaError) -> MediaError {
        if self.cancel.load(Ordering::Relaxed) {
            MediaError::Cancelled
        } else {
            other()
        }
    }

    fn raw(&self) -> &sys::AVFormatContext {
        // SAFETY: open for the life of `self`.
        unsafe { &*self.context }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn format_name(&self) -> String {
        // SAFETY: the input format is a constant of the library.
        unsafe { text_of((*self.raw().iformat).name) }.unwrap_or_default()
    }

    /// True for formats whose timestamps may jump (transport streams and the like).
    pub(crate) fn has_discontinuities(&self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.raw().iformat).flags & sys::AVFMT_TS_DISCONT != 0 }
    }

    pub(crate) fn duration_micros(&self) -> Option<i64> {
        ticks(self.raw().duration).filter(|d| *d >= 0)
    }

    /// True if the duration was guessed from size and bit rate.
    pub(crate) fn duration_is_guess(&self) -> bool {
        // SAFETY: a readable enum; 2 is the estimate from the bit rate.
        unsafe { enum_number(addr_of!((*self.context).duration_estimation_method)) == 2 }
    }

    pub(crate) fn start_micros(&self) -> Option<i64> {
        ticks(self.raw().start_time)
    }

    pub(crate) fn bit_rate(&self) -> Option<u64> {
        u64::try_from(self.raw().bit_rate).ok().filter(|b| *b > 0)
    }

    pub(crate) fn tags(&self) -> BTreeMap<String, String> {
        // SAFETY: null or live.
        unsafe { tags(self.raw().metadata) }
    }

    pub(crate) fn chapters(&self) -> Vec<RawChapter> {
        let raw = self.raw();
        (0..raw.nb_chapters as usize)
            .filter_map(|index| {
                // SAFETY: the array holds `nb_chapters` live chapters.
                unsafe {
                    let chapter = (*raw.chapters.add(index)).as_ref()?;
                    Some(RawChapter {
                        id: chapter.id,
                        time_base: chapter.time_base,
                        start: chapter.start,
                        end: chapter.end,
                        tags: tags(chapter.metadata),
                    })
                }
            })
            .collect()
    }

    pub(crate) fn stream_count(&self) -> usize {
        self.raw().nb_streams as usize
    }

    pub(crate) fn stream(&self, index: usize) -> Option<Stream<'_>> {
        if index >= self.stream_count() {
            return None;
        }
        // SAFETY: the array holds `nb_streams` live streams, which live as long as the context.
        unsafe { (*self.raw().streams.add(index)).as_ref() }.map(Stream)
    }

    pub(crate) fn streams(&self) -> impl Iterator<Item = Stream<'_>> {
        (0..self.stream_count()).filter_map(|index| self.stream(index))
    }

    /// Drops the packets of every stream but those for which `keep` holds.
    pub(crate) fn keep_streams(&mut self, keep: impl Fn(usize) -> bool) {
        for index in 0..self.stream_count() {
            // SAFETY: as in `stream`; the context is borrowed mutably.
            unsafe {
                let stream = *self.raw().streams.add(index);
                (*stream).discard = if keep(index) {
                    sys::AVDiscard::AVDISCARD_DEFAULT
                } else {
                    sys::AVDiscard::AVDISCARD_ALL
                };
            }
        }
    }

    /// Reads the next packet; false at the end of the file.
    pub(crate) fn read(&mut self, packet: &mut Packet) -> Result<bool, MediaError> {
        loop {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(MediaError::Cancelled);
            }
            packet.clear();
            // SAFETY: an open context and a blank packet.
            let status = unsafe { sys::av_read_frame(self.context, packet.as_mut_ptr()) };
            if status >= 0 {
                return Ok(true);
            }
            if status == sys::AVERROR(libc::EAGAIN) {
                continue;
            }
            // Damage at the end of a file reads as invalid data; the caller compares what came
            // with what the container promised.
            let file_error = self.io_error();
            if status == sys::AVERROR_EOF || (status == sys::AVERROR_INVALIDDATA && !file_error) {
                return Ok(false);
            }
            return Err(self.interrupted_or(|| MediaError::Read {
                source: error(status),
                path: self.path.clone(),
            }));
        }
    }

    fn io_error(&self) -> bool {
        // SAFETY: open for the life of `self`.
        let status = unsafe { (*self.io).error };
        status < 0 && status != sys::AVERROR_EOF
    }

    /// Moves to the last index point of `stream` at or before `to`.
    pub(crate) fn seek(&mut self, stream: usize, to: i64) -> Result<(), MediaError> {
        // SAFETY: an open context and a stream of it.
        let status =
            unsafe { sys::avformat_seek_file(self.context, stream as c_int, i64::MIN, to, to, 0) };
        if status < 0 {
            return Err(self.interrupted_or(|| MediaError::Read {
                source: error(status),
                path: self.path.clone(),
            }));
        }
        Ok(())
    }
}

/// A stream of an open file.
#[derive(Clone, Copy)]
pub(crate) struct Stream<'a>(&'a sys::AVStream);

impl<'a> Stream<'a> {
    pub(crate) fn parameters(self) -> Parameters<'a> {
        // SAFETY: every stream has parameters, and they live as long as it does.
        Parameters(unsafe { &*self.0.codecpar })
    }

    pub(crate) fn raw(self) -> &'a sys::AVStream {
        self.0
    }

    pub(crate) fn time_base(self) -> sys::AVRational {
        self.0.time_base
    }

    pub(crate) fn start(self) -> Option<i64> {
        ticks(self.0.start_time)
    }

    pub(crate) fn duration(self) -> Option<i64> {
        ticks(self.0.duration).filter(|d| *d > 0)
    }

    pub(crate) fn frame_count(self) -> Option<u64> {
        u64::try_from(self.0.nb_frames).ok().filter(|n| *n > 0)
    }

    pub(crate) fn average_rate(self) -> Option<Rational> {
        rational(self.0.avg_frame_rate).filter(|r| r.num > 0)
    }

    pub(crate) fn real_rate(self) -> Option<Rational> {
        rational(self.0.r_frame_rate).filter(|r| r.num > 0)
    }

    pub(crate) fn sample_aspect_ratio(self) -> Option<Rational> {
        rational(self.0.sample_aspect_ratio).filter(|r| r.num > 0)
    }

    pub(crate) fn tags(self) -> BTreeMap<String, String> {
        // SAFETY: null or live.
        unsafe { tags(self.0.metadata) }
    }

    pub(crate) fn has_disposition(self, flag: c_int) -> bool {
        self.0.disposition & flag != 0
    }

    /// Names of the dispositions that are set.
    pub(crate) fn dispositions(self) -> Vec<String> {
        (0..31)
            .map(|bit| 1 << bit)
            .filter(|flag| self.has_disposition(*flag))
            // SAFETY: returns null or a constant string.
            .filter_map(|flag| unsafe { text_of(sys::av_disposition_to_string(flag)) })
            .collect()
    }

    /// Side data of the stream as (kind, bytes).
    pub(crate) fn side_data(self) -> Vec<(i32, &'a [u8])> {
        #[cfg(ffmpeg_6_1)]
        // SAFETY: every stream has parameters.
        let (list, count) = unsafe {
            let p = &*self.0.codecpar;
            (p.coded_side_data, p.nb_coded_side_data)
        };
        #[cfg(not(ffmpeg_6_1))]
        let (list, count) = (self.0.side_data, self.0.nb_side_data);
        if list.is_null() {
            return Vec::new();
        }
        (0..count.max(0) as usize)
            .filter_map(|index| {
                // SAFETY: the array holds `count` entries, each as long as stated, which live as
                // long as the stream.
                unsafe {
                    let entry = list.add(index);
                    let data = (*entry).data;
                    if data.is_null() {
                        return None;
                    }
                    let kind = enum_number(addr_of!((*entry).type_));
                    Some((kind, slice::from_raw_parts(data, (*entry).size)))
                }
            })
            .collect()
    }

    pub(crate) fn side_data_of(self, kind: sys::AVPacketSideDataType) -> Option<&'a [u8]> {
        let kind = kind as i32;
        self.side_data()
            .into_iter()
            .find_map(|(k, bytes)| (k == kind).then_some(bytes))
    }

    /// Decoding times of the container's own index, at most `limit`. Empty for a container
    /// without an index of every frame.
    pub(crate) fn index_ticks(self, limit: usize) -> Vec<i64> {
        let raw = ptr::from_ref(self.0);
        // SAFETY: a live stream; the index is not changed meanwhile.
        let count = unsafe { sys::avformat_index_get_entries_count(raw) };
        if count < 0 || self.0.nb_frames != i64::from(count) {
            return Vec::new();
        }
        (0..count.min(i32::try_from(limit).unwrap_or(i32::MAX)))
            // SAFETY: as above; the function only reads, whatever the binding says.
            .filter_map(|index| unsafe {
                sys::avformat_index_get_entry(raw.cast_mut(), index).as_ref()
            })
            .map(|entry| entry.timestamp)
            .collect()
    }

    pub(crate) fn extradata(self) -> &'a [u8] {
        super::params::extradata_of(self.parameters().0)
    }

    /// The cover picture of an `attached_pic` stream.
    pub(crate) fn attached_picture(self) -> &'a [u8] {
        let packet = &self.0.attached_pic;
        if packet.data.is_null() || packet.size <= 0 {
            return &[];
        }
        // SAFETY: the packet holds `size` bytes and lives as long as the stream.
        unsafe { slice::from_raw_parts(packet.data, packet.size as usize) }
    }
}

fn open_failure(status: c_int, path: &Path) -> MediaError {
    let path = path.to_path_buf();
    if status == sys::AVERROR(libc::ENOENT) {
        return MediaError::NotFound { path };
    }
    if (-255..0).contains(&status) {
        return MediaError::NotReadable {
            source: io_error(status),
            path,
        };
    }
    not_media(status, &path)
}

fn not_media(status: c_int, path: &Path) -> MediaError {
    MediaError::NotMedia {
        source: error(status),
        path: path.into(),
    }
}
