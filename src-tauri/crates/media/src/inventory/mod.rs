//! What a file holds, down to every packet, and how two files differ in it.
//!
//! [`Inventory::take`] reads a file once, packet by packet, and keeps of each packet its times, its
//! length and a hash: memory grows by a few dozen bytes per packet and by nothing else.
//! [`Inventory::compare`] pairs the streams of two files and names everything that differs.

mod aspect;
mod compare;
mod kept;
mod pair;
mod times;
mod units;

pub use aspect::{Aspect, Rule, Scope};
pub use compare::{Comparison, DiffOptions, Difference, FirstTime, StreamPair};
pub use kept::Unkept;

use crate::color::ColorNumbers;
use crate::crop::{Crops, Cut};
use crate::error::MediaError;
use crate::ffi::decoder::{Answer, Decoder};
use crate::ffi::frame::AvFrame;
use crate::ffi::input::{Input, Look, Stream};
use crate::ffi::packet::Packet;
use crate::ffi::util::time_base;
use crate::hdr::HdrStatic;
use crate::probe::{has_vpx_alpha, hdr_of, is_shown, stream_info};
use ffmpeg_sys_next as sys;
use frameloom_core::color::ColorInfo;
use frameloom_core::media::{StreamInfo, StreamKind};
use frameloom_core::time::{TimeBase, Timestamp};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use units::Framing;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// Packets after which no first picture is waited for any more.
const FIRST_PICTURE_WITHIN: usize = 64;

/// A file, down to the hash of every packet.
#[derive(Debug, Clone, PartialEq)]
pub struct Inventory {
    /// Short name of the container as ffmpeg gives it.
    pub container: String,
    /// Length that the container states, in microseconds.
    pub duration_micros: Option<i64>,
    /// Tags of the file.
    pub tags: BTreeMap<String, String>,
    /// Chapters in order.
    pub chapters: Vec<ChapterEntry>,
    /// Streams in the order of the file.
    pub streams: Vec<StreamEntry>,
}

/// A chapter with its exact times.
#[derive(Debug, Clone, PartialEq)]
pub struct ChapterEntry {
    /// First moment.
    pub start: Timestamp,
    /// Moment after the last.
    pub end: Timestamp,
    /// Its tags; the title is one.
    pub tags: BTreeMap<String, String>,
}

/// A stream, down to the hash of every packet.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamEntry {
    /// What a probe says of it.
    pub info: StreamInfo,
    /// What it counts as when streams are paired.
    pub scope: Scope,
    /// Length and hash of the codec's global headers.
    pub setup: (usize, u64),
    /// Length and hash of a file in the file: a font, a cover.
    pub attached: Option<(usize, u64)>,
    /// The nine numbers of the display matrix.
    pub display_matrix: Option<Vec<i32>>,
    /// Static HDR data: of the first picture, or where it has none, of the container.
    pub hdr: Option<HdrStatic>,
    /// Dynamic HDR data that the first picture carries, by name.
    pub dynamic_hdr: Option<String>,
    /// Colour tags as decoded: of the first picture, filled in from the container.
    pub color: ColorInfo,
    /// Other side data of the stream: ffmpeg's name of its kind, and a hash.
    pub side_data: BTreeMap<String, u64>,
    /// Samples that a player leaves out at the start and at the end of sound.
    pub trim: (u64, u64),
    /// Every packet in the order of the file.
    pub packets: Vec<PacketEntry>,
}

/// A packet without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketEntry {
    /// Presentation time in ticks.
    pub pts: Option<i64>,
    /// Decoding time in ticks.
    pub dts: Option<i64>,
    /// Length in ticks; 0 unknown.
    pub duration: i64,
    /// Decoding can start here.
    pub key: bool,
    /// It is shown: not decoded for others only, nor cut off by an edit list.
    pub shown: bool,
    /// Coded bytes.
    pub size_bytes: u32,
    /// Hash of the coded bytes and of the side data that belongs to them.
    pub hash: u64,
    /// Hash of the coded bytes without what tells their units apart, which is another in another
    /// container.
    pub units: u64,
}

/// What is gathered of one stream while packets come.
#[derive(Default)]
struct Gathered {
    packets: Vec<PacketEntry>,
    trim: (u64, u64),
    picture: Option<FirstPicture>,
    decoder: Option<Decoder>,
    looked: bool,
}

/// What only a decoded picture says.
struct FirstPicture {
    color: ColorNumbers,
    hdr: Option<HdrStatic>,
    dynamic_hdr: Option<&'static str>,
}

impl Inventory {
    /// Reads a whole file. Of each video stream one picture is decoded, nothing else.
    ///
    /// # Errors
    /// Those of [`crate::probe`], a failed read, or [`MediaError::Cancelled`].
    pub fn take(path: &Path, cancel: &Arc<AtomicBool>) -> Result<Self, MediaError> {
        Self::take_telling(path, cancel, &mut || ())
    }

    /// As [`Inventory::take`]; `alive` is called for every packet.
    ///
    /// # Errors
    /// As [`Inventory::take`].
    pub fn take_telling(
        path: &Path,
        cancel: &Arc<AtomicBool>,
        alive: &mut dyn FnMut(),
    ) -> Result<Self, MediaError> {
        let mut input = crate::source::open(path, Look::Packets, cancel)?;
        let mut gathered: Vec<Gathered> = Vec::new();
        let mut packet = Packet::new()?;
        while input.read(&mut packet)? {
            alive();
            let index = packet.stream();
            // A stream may first appear with its first packet.
            while gathered.len() <= index && gathered.len() < input.stream_count() {
                gathered.push(Gathered::default());
            }
            if let (Some(stream), Some(entry)) = (input.stream(index), gathered.get_mut(index)) {
                entry.add(stream, &packet, path)?;
            }
        }
        gathered.resize_with(input.stream_count(), Gathered::default);
        let crops = Crops::of(path, &input);
        let streams = input
            .streams()
            .zip(gathered)
            .map(|(stream, gathered)| entry(stream, gathered, crops.cut(&input, stream)))
            .collect();
        Ok(Self {
            container: input.format_name(),
            duration_micros: input.duration_micros(),
            tags: input.tags(),
            chapters: chapters(&input),
            streams,
        })
    }
}

fn chapters(input: &Input) -> Vec<ChapterEntry> {
    let chapters = input.chapters().into_iter();
    chapters
        .filter_map(|chapter| {
            let base = time_base(chapter.time_base)?;
            Some(ChapterEntry {
                start: Timestamp::new(chapter.start, base),
                end: Timestamp::new(chapter.end, base),
                tags: chapter.tags,
            })
        })
        .collect()
}

impl Gathered {
    fn add(&mut self, stream: Stream<'_>, packet: &Packet, path: &Path) -> Result<(), MediaError> {
        use sys::AVPacketSideDataType as S;
        let codec = stream.parameters().0.codec_id;
        let mut hash = Xxh3::new();
        hash.update(packet.data());
        let mut kept = packet.side_data();
        kept.sort();
        for (kind, bytes) in kept {
            if kind == S::AV_PKT_DATA_SKIP_SAMPLES as u32 {
                let word = |at: usize| {
                    let bytes = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
                    bytes.map_or(0, u32::from_le_bytes)
                };
                self.trim.0 += u64::from(word(0));
                self.trim.1 += u64::from(word(4));
            }
            let coded = [
                S::AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL as u32,
                S::AV_PKT_DATA_NEW_EXTRADATA as u32,
                S::AV_PKT_DATA_PALETTE as u32,
                S::AV_PKT_DATA_WEBVTT_IDENTIFIER as u32,
                S::AV_PKT_DATA_WEBVTT_SETTINGS as u32,
            ];
            if coded.contains(&kind) {
                hash.update(&kind.to_le_bytes());
                hash.update(&bytes);
            }
        }
        let video = stream.parameters().0.codec_type == sys::AVMediaType::AVMEDIA_TYPE_VIDEO;
        self.packets.push(PacketEntry {
            pts: packet.pts(),
            dts: packet.dts(),
            duration: packet.duration(),
            key: packet.is_key(),
            shown: !packet.is_discarded() && (!video || is_shown(Some(codec), packet.data())),
            size_bytes: u32::try_from(packet.data().len()).unwrap_or(u32::MAX),
            hash: hash.digest(),
            units: Framing::of(stream).hash(packet.data()),
        });
        if video && !stream.has_disposition(sys::AV_DISPOSITION_ATTACHED_PIC) {
            self.look(stream, packet, path)?;
        }
        Ok(())
    }

    /// Decodes until there is one picture, or none can be hoped for.
    fn look(&mut self, stream: Stream<'_>, packet: &Packet, path: &Path) -> Result<(), MediaError> {
        if !self.looked {
            self.looked = true;
            self.decoder = Decoder::open(stream, has_vpx_alpha(stream), 1, path).ok();
        }
        let Some(decoder) = &mut self.decoder else {
            return Ok(());
        };
        let hopeless =
            decoder.send(Some(packet)).is_err() || self.packets.len() > FIRST_PICTURE_WITHIN;
        let mut frame = AvFrame::new()?;
        if !hopeless && let Ok(Answer::Frame) = decoder.receive(&mut frame) {
            self.found(&frame);
        }
        if hopeless || self.picture.is_some() {
            self.decoder = None;
        }
        Ok(())
    }

    fn found(&mut self, frame: &AvFrame) {
        use sys::AVFrameSideDataType as S;
        let mut color = frame.color();
        if frame.format().is_full_range_by_name() {
            color.range = 2;
        }
        self.picture = Some(FirstPicture {
            color,
            hdr: HdrStatic::parse(
                frame.side_data(S::AV_FRAME_DATA_MASTERING_DISPLAY_METADATA),
                frame.side_data(S::AV_FRAME_DATA_CONTENT_LIGHT_LEVEL),
            ),
            dynamic_hdr: frame.dynamic_hdr(),
        });
    }

    /// A clip of fewer pictures than its codec holds back gives them at the end only.
    fn flush(&mut self) {
        let Some(mut decoder) = self.decoder.take() else {
            return;
        };
        if let (Ok(_), Ok(mut frame)) = (decoder.send(None), AvFrame::new())
            && let Ok(Answer::Frame) = decoder.receive(&mut frame)
        {
            self.found(&frame);
        }
    }
}

fn entry(stream: Stream<'_>, mut gathered: Gathered, cut: Option<Cut>) -> StreamEntry {
    use sys::AVPacketSideDataType as S;
    gathered.flush();
    let mut info = stream_info(stream);
    if let Some(cut) = cut {
        // Without what players cut off, as it is worked on.
        cut.apply(&mut info);
    }
    let scope = Scope::of(&info);
    let hashed = |bytes: &[u8]| (bytes.len(), xxh3_64(bytes));
    let attached = match scope {
        Scope::Attachment => Some(hashed(stream.extradata())),
        Scope::Cover => Some(hashed(stream.attached_picture())),
        _ => None,
    };
    let mut side_data = BTreeMap::new();
    for (kind, bytes) in stream.side_data() {
        // These are compared as what they mean.
        let known = [
            S::AV_PKT_DATA_DISPLAYMATRIX as i32,
            S::AV_PKT_DATA_MASTERING_DISPLAY_METADATA as i32,
            S::AV_PKT_DATA_CONTENT_LIGHT_LEVEL as i32,
            S::AV_PKT_DATA_DOVI_CONF as i32,
            // What the encoder of the source was told about its buffer.
            S::AV_PKT_DATA_CPB_PROPERTIES as i32,
        ];
        #[cfg(ffmpeg_7_1)]
        if kind == S::AV_PKT_DATA_FRAME_CROPPING as i32 {
            continue;
        }
        if !known.contains(&kind) {
            side_data.insert(crate::ffi::packet::side_data_name(kind), xxh3_64(bytes));
        }
    }
    let display_matrix = stream
        .side_data_of(S::AV_PKT_DATA_DISPLAYMATRIX)
        .map(|bytes| {
            bytes
                .chunks_exact(4)
                .map(|b| i32::from_ne_bytes([b[0], b[1], b[2], b[3]]))
                .collect()
        });
    let stated = stream.parameters().color();
    let picture = gathered.picture;
    let color = picture.as_ref().map_or(stated, |p| p.color.or(stated));
    StreamEntry {
        scope,
        setup: match scope {
            Scope::Attachment => (0, 0),
            _ => hashed(stream.extradata()),
        },
        attached,
        display_matrix,
        hdr: picture
            .as_ref()
            .and_then(|p| p.hdr.clone())
            .or_else(|| hdr_of(stream)),
        dynamic_hdr: picture
            .as_ref()
            .and_then(|p| p.dynamic_hdr.map(str::to_owned)),
        color: match info.kind {
            StreamKind::Video => color.to_info(),
            _ => ColorInfo::default(),
        },
        side_data,
        trim: gathered.trim,
        packets: gathered.packets,
        info,
    }
}

impl StreamEntry {
    /// Base of the packets' times.
    pub fn time_base(&self) -> TimeBase {
        self.info.time_base
    }

    /// Packets that a player shows.
    pub fn shown(&self) -> impl Iterator<Item = &PacketEntry> {
        self.packets.iter().filter(|packet| packet.shown)
    }

    /// Presentation times of the shown packets, rising. A stream whose packets carry none at all
    /// (AVI) is taken by its decoding times.
    pub fn presentation_times(&self) -> Vec<i64> {
        let mut times: Vec<i64> = self.shown().filter_map(|packet| packet.pts).collect();
        if times.is_empty() {
            times = self.shown().filter_map(|packet| packet.dts).collect();
        }
        times.sort_unstable();
        times
    }

    /// End of the packet that is shown last; where it has no length, the end that the container
    /// states.
    pub fn end(&self) -> Option<Timestamp> {
        let last = self
            .shown()
            .filter_map(|packet| Some((packet.pts.or(packet.dts)?, packet.duration)))
            .max()?;
        let end = match last {
            (start, 0) => {
                let info = &self.info;
                let stated = info.start_ticks.zip(info.duration_ticks);
                let stated = stated.map(|(start, length)| start.saturating_add(length));
                stated.filter(|end| *end >= start).unwrap_or(start)
            }
            (start, duration) => start.saturating_add(duration),
        };
        Some(Timestamp::new(end, self.time_base()))
    }
}
