//! Decoders and encoders of text subtitles. All of them speak in events of ASS.

use super::input::Stream;
use super::packet::Packet;
use super::params::{codec_id, codec_name};
use super::util::{c_text, check, error};
use crate::error::MediaError;
use ffmpeg_sys_next as sys;
use std::mem::MaybeUninit;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::slice;

/// The longest event that is encoded, in bytes: larger ones are no text that anybody reads, and the
/// samples of MP4 count their length in 16 bits.
pub(crate) const LONGEST_EVENT: usize = 16_000;

/// A codec context that is freed.
struct Context(NonNull<sys::AVCodecContext>);

// SAFETY: used by one thread at a time (`&mut`); codecs of text have no threads.
unsafe impl Send for Context {}

impl Drop for Context {
    fn drop(&mut self) {
        let mut raw = self.0.as_ptr();
        // SAFETY: owned and not used afterwards.
        unsafe { sys::avcodec_free_context(&mut raw) };
    }
}

impl Context {
    fn new(codec: *const sys::AVCodec) -> Result<Self, MediaError> {
        // SAFETY: a constant codec; returns null or a new context.
        NonNull::new(unsafe { sys::avcodec_alloc_context3(codec) })
            .map(Self)
            .ok_or(MediaError::OutOfMemory)
    }

    fn raw(&self) -> *mut sys::AVCodecContext {
        self.0.as_ptr()
    }
}

/// True for subtitles that are text and not pictures of it.
pub(crate) fn is_text(codec: &str) -> bool {
    let Some(id) = codec_id(codec) else {
        return false;
    };
    // SAFETY: returns null or a constant.
    let descriptor = unsafe { sys::avcodec_descriptor_get(id).as_ref() };
    descriptor.is_some_and(|d| d.props & sys::AV_CODEC_PROP_TEXT_SUB != 0)
}

/// An open decoder of text.
pub(crate) struct SubtitleDecoder(Context);

impl SubtitleDecoder {
    pub(crate) fn open(stream: Stream<'_>, path: &Path) -> Result<Self, MediaError> {
        let raw = stream.raw();
        // SAFETY: live parameters of an open file; a new context, owned by the result.
        unsafe {
            let id = (*raw.codecpar).codec_id;
            let codec = sys::avcodec_find_decoder(id);
            let unsupported = |why: String| MediaError::UnsupportedCodec {
                codec: format!("{}{why}", codec_name(id)),
                path: path.into(),
            };
            if codec.is_null() {
                return Err(unsupported(String::new()));
            }
            let context = Context::new(codec)?;
            check(
                "the stream's parameters were refused",
                sys::avcodec_parameters_to_context(context.raw(), raw.codecpar),
            )?;
            (*context.raw()).pkt_timebase = raw.time_base;
            let status = sys::avcodec_open2(context.raw(), codec, ptr::null_mut());
            if status < 0 {
                return Err(unsupported(format!(" ({})", error(status))));
            }
            Ok(Self(context))
        }
    }

    /// What stands before the events in a document of ASS: its sections of facts and styles.
    pub(crate) fn header(&self) -> String {
        // SAFETY: an open context; the header is null or as long as stated.
        unsafe {
            let context = &*self.0.raw();
            let length = usize::try_from(context.subtitle_header_size).unwrap_or(0);
            if context.subtitle_header.is_null() || length == 0 {
                return String::new();
            }
            let bytes = slice::from_raw_parts(context.subtitle_header, length);
            String::from_utf8_lossy(bytes)
                .trim_end_matches('\0')
                .to_owned()
        }
    }

    /// The events of a packet: `ReadOrder,Layer,Style,Name,MarginL,MarginR,MarginV,Effect,Text`.
    /// `None` for one that is damaged.
    pub(crate) fn decode(
        &mut self,
        packet: &mut Packet,
    ) -> Result<Option<Vec<String>>, MediaError> {
        let mut subtitle = MaybeUninit::<sys::AVSubtitle>::zeroed();
        let mut got = 0;
        // SAFETY: an open context, a live packet, and a zeroed structure that is plain numbers and
        // pointers; what the decoder puts there is freed below.
        unsafe {
            let status = sys::avcodec_decode_subtitle2(
                self.0.raw(),
                subtitle.as_mut_ptr(),
                &mut got,
                packet.as_mut_ptr(),
            );
            if status == sys::AVERROR(libc::ENOMEM) {
                return Err(MediaError::OutOfMemory);
            }
            if status < 0 {
                return Ok(None);
            }
            let mut events = Vec::new();
            if got != 0 {
                let raw = subtitle.as_ptr();
                for index in 0..(*raw).num_rects as usize {
                    let rect = *(*raw).rects.add(index);
                    events.extend(super::util::text_of((*rect).ass));
                }
                sys::avsubtitle_free(subtitle.as_mut_ptr());
            }
            Ok(Some(events))
        }
    }
}

/// An open encoder of text.
pub(crate) struct SubtitleEncoder {
    context: Context,
    buffer: Vec<u8>,
}

impl SubtitleEncoder {
    /// Opens the encoder of `codec` for events under `header`.
    pub(crate) fn open(codec: &str, header: &str) -> Result<Self, MediaError> {
        let unavailable = |reason: String| MediaError::EncoderUnavailable {
            wanted: codec.to_owned(),
            reason,
        };
        let id = codec_id(codec)
            .ok_or_else(|| unavailable("the library does not know this codec".into()))?;
        // SAFETY: a constant codec; a new context, owned by the result; the header is copied into
        // memory of the library, which frees it with the context.
        unsafe {
            let found = sys::avcodec_find_encoder(id);
            if found.is_null() {
                return Err(unavailable("this build of FFmpeg has none".into()));
            }
            let context = Context::new(found)?;
            let raw = context.raw();
            let memory = sys::av_mallocz(header.len() + 1).cast::<u8>();
            if memory.is_null() {
                return Err(MediaError::OutOfMemory);
            }
            ptr::copy_nonoverlapping(header.as_ptr(), memory, header.len());
            (*raw).subtitle_header = memory;
            (*raw).subtitle_header_size = i32::try_from(header.len())
                .map_err(|_| unavailable("the styles are too large".into()))?;
            (*raw).time_base = sys::AVRational { num: 1, den: 1000 };
            let status = sys::avcodec_open2(raw, found, ptr::null_mut());
            if status < 0 {
                return Err(unavailable(error(status).text));
            }
            Ok(Self {
                context,
                // No codec makes an event more than a few times as long.
                buffer: vec![0; LONGEST_EVENT * 64],
            })
        }
    }

    /// The codec's global headers.
    pub(crate) fn extradata(&self) -> Vec<u8> {
        // SAFETY: an open context; the extradata is null or as long as stated.
        unsafe {
            let context = &*self.context.raw();
            let length = usize::try_from(context.extradata_size).unwrap_or(0);
            if context.extradata.is_null() || length == 0 {
                return Vec::new();
            }
            slice::from_raw_parts(context.extradata, length).to_vec()
        }
    }

    /// The bytes of an event, which is as [`SubtitleDecoder::decode`] gives it; `None` for one that is
    /// longer than [`LONGEST_EVENT`], or that the codec refuses.
    pub(crate) fn encode(&mut self, event: &str) -> Option<Vec<u8>> {
        if event.len() > LONGEST_EVENT {
            return None;
        }
        let text = c_text(event);
        // SAFETY: structures of plain numbers and pointers, for which zero is a value; both and the
        // text outlive the call, which only reads them; the buffer is as long as stated.
        let written = unsafe {
            let mut rect = MaybeUninit::<sys::AVSubtitleRect>::zeroed().assume_init();
            rect.type_ = sys::AVSubtitleType::SUBTITLE_ASS;
            rect.ass = text.as_ptr().cast_mut();
            let mut rects = [ptr::from_mut(&mut rect)];
            let mut subtitle = MaybeUninit::<sys::AVSubtitle>::zeroed().assume_init();
            subtitle.num_rects = 1;
            subtitle.rects = rects.as_mut_ptr();
            sys::avcodec_encode_subtitle(
                self.context.raw(),
                self.buffer.as_mut_ptr(),
                self.buffer.len() as i32,
                &subtitle,
            )
        };
        let length = usize::try_from(written).ok()?;
        self.buffer.get(..length).map(<[u8]>::to_vec)
    }
}
