//! What a file is: streams, times, colour, turn, transparency, HDR, chapters.

use crate::animation::{WebPFrames, animation_facts};
use crate::crop::{Crops, Cut};
use crate::error::MediaError;
use crate::ffi::decoder::{Answer, Decoder, can_decode_vpx_alpha};
use crate::ffi::frame::AvFrame;
use crate::ffi::input::{Input, Look, Stream};
use crate::ffi::packet::Packet;
use crate::ffi::params::codec_name;
use crate::ffi::pixel::AvFormat;
use crate::ffi::util::{rational, time_base};
use ffmpeg_sys_next as sys;
use frameloom_core::color::Matrix;
use frameloom_core::media::{
    AudioInfo, Chapter, FieldOrder, MediaInfo, MediaKind, StreamInfo, StreamKind, VideoInfo,
    Warning,
};
use frameloom_core::time::{FrameRate, Rational, TimeBase, Timestamp};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Packets looked at to tell even from uneven frame times.
const TIMING_PACKETS: usize = 600;

/// Bytes after which that look ends: a probe must not read gigabytes of an editing codec.
const TIMING_BYTES: usize = 24 << 20;

/// Below this many bits a second no file has pictures that move: the stated length is wrong.
const LEAST_BIT_RATE: f64 = 1_500.0;

/// Says what `path` is. Opens nothing but that file, decodes at most one frame.
///
/// # Errors
/// Every way of not being a readable media file has its own variant; see [`MediaError`].
pub fn probe(path: &Path) -> Result<MediaInfo, MediaError> {
    probe_with(path, &Arc::new(AtomicBool::new(false)))
}

pub(crate) fn probe_with(path: &Path, cancel: &Arc<AtomicBool>) -> Result<MediaInfo, MediaError> {
    probe_cut(path, cancel).map(|(info, _)| info)
}

/// As [`probe`], with what is to be cut off the decoded pictures of the main video.
pub(crate) fn probe_cut(
    path: &Path,
    cancel: &Arc<AtomicBool>,
) -> Result<(MediaInfo, Option<Cut>), MediaError> {
    if let Some(info) = WebPFrames::probe(path)? {
        return Ok((info, None));
    }
    let mut input = crate::source::open(path, Look::Pictures, cancel)?;
    let crops = Crops::of(path, &input);
    let size_bytes = std::fs::metadata(path).map_or(0, |facts| facts.len());
    let mut info = MediaInfo {
        kind: MediaKind::Other,
        container: input.format_name(),
        size_bytes,
        duration_micros: input.duration_micros(),
        bit_rate: input.bit_rate(),
        streams: input
            .streams()
            .map(|stream| {
                let mut info = stream_info(stream);
                if let Some(cut) = crops.cut(&input, stream) {
                    cut.apply(&mut info);
                }
                if let (Some(turn), Some(video)) = (crops.turn(), info.video.as_mut()) {
                    (video.rotation_degrees, video.mirrored) = (turn.degrees, turn.mirrored);
                }
                info
            })
            .collect(),
        chapters: input
            .chapters()
            .into_iter()
            .filter_map(|chapter| {
                let base = time_base(chapter.time_base)?;
                let micros = |ticks| Timestamp::new(ticks, base).micros();
                Some(Chapter {
                    start_micros: micros(chapter.start),
                    end_micros: micros(chapter.end),
                    title: chapter.tags.get("title").cloned(),
                })
            })
            .collect(),
        tags: input.tags(),
        warnings: Vec::new(),
    };
    if info.streams.is_empty() {
        return Err(MediaError::NotMedia {
            source: crate::ffi::util::error(sys::AVERROR_INVALIDDATA),
            path: path.into(),
        });
    }
    let main = info.main_video().map(|(stream, _)| stream.index as usize);
    let stream = main.and_then(|index| input.stream(index));
    let cut = stream.and_then(|stream| crops.cut(&input, stream));
    let told = stream.and_then(|stream| crops.warning(&input, stream));
    let timing = match main {
        Some(index) => Some(measure(&mut input, index)?),
        None => None,
    };
    check_durations(&mut info, timing.as_ref(), input.duration_is_guess());
    info.kind = kind(&info, timing.as_ref());
    // An index that ends in its middle may leave a stream of nothing.
    let empty = info.kind == MediaKind::Other && info.streams.iter().all(|s| s.codec == "unknown");
    if empty && crate::source::lacks_index(path) {
        return Err(MediaError::MissingIndex { path: path.into() });
    }
    if let (Some(index), Some(timing)) = (main, timing)
        && let Some(video) = info.streams[index].video.as_mut()
    {
        video.variable_frame_rate = timing.variable;
        video.hdr_metadata |= timing.hdr;
    }
    if info.kind == MediaKind::Still {
        info.duration_micros = None;
    }
    if info.container == "gif"
        && let Some(facts) = animation_facts(path)?
        && let Some(video) = info.streams.iter_mut().find_map(|s| s.video.as_mut())
    {
        video.alpha = facts.alpha && (!facts.alpha_by_first || first_has_holes(path, cancel)?);
    }
    info.warnings = warnings(&info);
    info.warnings.extend(told);
    Ok((info, cut))
}

/// True if the first frame of a GIF has a transparent pixel, or cannot be decoded.
fn first_has_holes(path: &Path, cancel: &Arc<AtomicBool>) -> Result<bool, MediaError> {
    let mut input = crate::source::open(path, Look::Pictures, cancel)?;
    let Some(stream) = input.stream(0) else {
        return Ok(true);
    };
    let mut decoder = Decoder::open(stream, false, 1, path)?;
    let (mut packet, mut frame) = (Packet::new()?, AvFrame::new()?);
    while input.read(&mut packet)? {
        decoder.send(Some(&packet))?;
        if let Answer::Frame = decoder.receive(&mut frame)? {
            let row = frame.width() as usize * 4;
            let holes = frame
                .packed_rows(row)
                .chunks_exact(4)
                .any(|p| p[3] != u8::MAX);
            return Ok(frame.format() != AvFormat::BGRA || holes);
        }
    }
    Ok(true)
}

fn warnings(info: &MediaInfo) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let Some((_, video)) = info.main_video() else {
        return warnings;
    };
    let yuv = video.pixel_format.starts_with("yuv") || video.pixel_format.starts_with("nv");
    if yuv && video.color.matrix == Matrix::Unspecified {
        let (matrix, _) = video.color.matrix_or_guess(video.width, video.height);
        warnings.push(Warning::GuessedMatrix {
            matrix: if matrix == Matrix::Bt709 {
                "BT.709".into()
            } else {
                "BT.601".into()
            },
        });
    }
    if video.dolby_vision {
        warnings.push(Warning::HdrMetadataDropped {
            what: "Dolby Vision".into(),
        });
    }
    warnings
}

fn kind(info: &MediaInfo, timing: Option<&Timing>) -> MediaKind {
    if info.main_video().is_none() {
        let audio = info.streams.iter().any(|s| s.kind == StreamKind::Audio);
        return if audio {
            MediaKind::Audio
        } else {
            MediaKind::Other
        };
    }
    let names = info.container.as_str();
    let pictures = names.ends_with("_pipe") || names == "image2" || names == "ico";
    let animated = matches!(names, "gif" | "apng" | "webp_pipe" | "webp");
    let brand = info.tags.get("major_brand").map(|b| b.trim());
    let one_frame = timing.is_some_and(|t| t.packets <= 1 && t.complete);
    let still = match brand {
        Some("avif" | "mif1" | "heic" | "heix") => true,
        _ if animated => one_frame,
        _ => pictures,
    };
    if still {
        MediaKind::Still
    } else {
        MediaKind::Video
    }
}

/// A container may state a length that cannot be true. What was measured, or else what is
/// plausible, decides; otherwise the length is unknown.
fn check_durations(info: &mut MediaInfo, timing: Option<&Timing>, guessed: bool) {
    let size = info.size_bytes as f64;
    let plausible = |micros: i64| micros <= 0 || size * 8e6 / micros as f64 >= LEAST_BIT_RATE;
    let measured = timing
        .filter(|t| t.complete)
        .and_then(|t| t.end_micros)
        .filter(|end| *end > 0);
    for stream in &mut info.streams {
        let Some(ticks) = stream.duration_ticks else {
            continue;
        };
        let micros = Timestamp::new(ticks, stream.time_base).micros();
        if stream.video.is_some() && !plausible(micros) {
            stream.duration_ticks = measured.map(|end| {
                Timestamp::new(end, TimeBase::MICROS)
                    .rescaled(stream.time_base)
                    .ticks
            });
        }
    }
    let has_video = info.main_video().is_some();
    if let Some(stated) = info.duration_micros
        && has_video
        && (!plausible(stated) || guessed)
    {
        info.duration_micros = measured.or_else(|| plausible(stated).then_some(stated));
        info.bit_rate = info
            .duration_micros
            .filter(|d| *d > 0)
            .map(|d| (size * 8e6 / d as f64) as u64);
    }
}

/// What the packets of the main stream say.
struct Timing {
    variable: Option<bool>,
    packets: usize,
    /// The look reached the end of the file.
    complete: bool,
    /// End of the last packet seen, from the first one on.
    end_micros: Option<i64>,
    hdr: bool,
}

fn measure(input: &mut Input, index: usize) -> Result<Timing, MediaError> {
    let Some(stream) = input.stream(index) else {
        return Err(MediaError::NoVideo {
            path: input.path().into(),
        });
    };
    let base = time_base(stream.time_base());
    // PQ without a word about the display in the container: it may be in the coded stream.
    let wants_frame = stream.parameters().color().transfer == 16 && hdr_of(stream).is_none();
    let mut decoder = if wants_frame {
        Decoder::open(stream, false, 1, input.path()).ok()
    } else {
        None
    };
    let indexed = input
        .stream(index)
        .map(|s| s.index_ticks(TIMING_PACKETS * 4));
    let mut ticks = indexed.unwrap_or_default();
    let from_index = ticks.len() > 2;
    let mut timing = Timing {
        variable: None,
        packets: 0,
        complete: false,
        end_micros: None,
        hdr: false,
    };
    if !from_index || decoder.is_some() {
        if !from_index {
            ticks.clear();
        }
        read_packets(
            input,
            index,
            &mut decoder,
            from_index,
            &mut ticks,
            &mut timing,
        )?;
    }
    if from_index {
        timing.packets = ticks.len();
    }
    ticks.sort_unstable();
    timing.variable = is_uneven(&ticks, base);
    Ok(timing)
}

fn read_packets(
    input: &mut Input,
    index: usize,
    decoder: &mut Option<Decoder>,
    only_hdr: bool,
    ticks: &mut Vec<i64>,
    timing: &mut Timing,
) -> Result<(), MediaError> {
    let base = input.stream(index).and_then(|s| time_base(s.time_base()));
    let codec = input.stream(index).map(|s| s.parameters().0.codec_id);
    input.keep_streams(|i| i == index);
    let mut packet = Packet::new()?;
    let mut frame = AvFrame::new()?;
    let (mut bytes, mut first, mut last) = (0, None::<i64>, None::<i64>);
    while timing.packets < TIMING_PACKETS && bytes < TIMING_BYTES {
        if !input.read(&mut packet)? {
            timing.complete = true;
            break;
        }
        if packet.stream() != index {
            continue;
        }
        if let Some(open) = decoder {
            let sent = open.send(Some(&packet));
            if sent.is_err() || timing.packets > 64 {
                *decoder = None;
            } else if let Ok(Answer::Frame) = open.receive(&mut frame) {
                use sys::AVFrameSideDataType as S;
                let mastering = frame.side_data(S::AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
                let light = frame.side_data(S::AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
                timing.hdr = crate::hdr::HdrStatic::parse(mastering, light).is_some();
                *decoder = None;
            }
        }
        if only_hdr && decoder.is_none() {
            return Ok(());
        }
        timing.packets += 1;
        bytes += packet.data().len();
        if packet.is_discarded() || !is_shown(codec, packet.data()) {
            continue;
        }
        if let Some(time) = packet.pts().or_else(|| packet.dts()) {
            if !only_hdr {
                ticks.push(time);
            }
            first = Some(first.map_or(time, |f| f.min(time)));
            last = last.max(Some(time.saturating_add(packet.duration())));
        }
    }
    if let (Some(base), Some(first), Some(last)) = (base, first, last) {
        timing.end_micros = Some(Timestamp::new(last.saturating_sub(first), base).micros());
    }
    Ok(())
}

/// VP8 and VP9 have pictures that are only referred to; some writers give them packets and times
/// of their own. The flag is in the first byte of the frame header.
pub(crate) fn is_shown(codec: Option<sys::AVCodecID>, data: &[u8]) -> bool {
    let Some(first) = data.first() else {
        return false;
    };
    let superframe = data.last().is_some_and(|last| {
        let index = 2 + usize::from(((last >> 3) & 3) + 1) * usize::from((last & 7) + 1);
        let start = data.len().checked_sub(index);
        last & 0xe0 == 0xc0 && start.is_some_and(|at| data[at] == *last)
    });
    match codec {
        // Several pictures in one packet, of which the last is shown.
        Some(sys::AVCodecID::AV_CODEC_ID_VP9) if superframe => true,
        Some(sys::AVCodecID::AV_CODEC_ID_VP8) => first & 0x10 != 0,
        // Profile 3 has one bit more in front of the flags.
        Some(sys::AVCodecID::AV_CODEC_ID_VP9) if first & 0x30 == 0x30 => first & 0x05 != 0,
        Some(sys::AVCodecID::AV_CODEC_ID_VP9) => first & 0x0a != 0,
        _ => true,
    }
}

/// Frame times are uneven if steps differ by more than the container's rounding. Containers
/// that count milliseconds alternate between two neighbouring steps.
fn is_uneven(sorted: &[i64], base: Option<TimeBase>) -> Option<bool> {
    if sorted.len() < 3 {
        return None;
    }
    let steps: Vec<i64> = sorted
        .windows(2)
        .map(|pair| pair[1].saturating_sub(pair[0]))
        .collect();
    let (shortest, longest) = (steps.iter().min()?, steps.iter().max()?);
    let coarse = base.is_some_and(|b| b.ratio().to_f64() >= 0.0005);
    let tolerance = if coarse { 2 } else { 1 + longest / 100 };
    Some(longest - shortest > tolerance)
}

/// Static HDR data in the container.
pub(crate) fn hdr_of(stream: Stream<'_>) -> Option<crate::hdr::HdrStatic> {
    use sys::AVPacketSideDataType as S;
    crate::hdr::HdrStatic::parse(
        stream.side_data_of(S::AV_PKT_DATA_MASTERING_DISPLAY_METADATA),
        stream.side_data_of(S::AV_PKT_DATA_CONTENT_LIGHT_LEVEL),
    )
}

/// True where transparency travels beside the coded pictures and the decoder must be told.
pub(crate) fn has_vpx_alpha(stream: Stream<'_>) -> bool {
    let id = stream.parameters().0.codec_id;
    let vpx = matches!(
        id,
        sys::AVCodecID::AV_CODEC_ID_VP8 | sys::AVCodecID::AV_CODEC_ID_VP9
    );
    vpx && stream
        .tags()
        .iter()
        .any(|(key, value)| key.eq_ignore_ascii_case("alpha_mode") && value == "1")
        && can_decode_vpx_alpha(id)
}

pub(crate) fn stream_info(stream: Stream<'_>) -> StreamInfo {
    use sys::AVMediaType as M;
    let parameters = stream.parameters();
    let p = parameters.0;
    let kind = match p.codec_type {
        M::AVMEDIA_TYPE_VIDEO => StreamKind::Video,
        M::AVMEDIA_TYPE_AUDIO => StreamKind::Audio,
        M::AVMEDIA_TYPE_SUBTITLE => StreamKind::Subtitle,
        M::AVMEDIA_TYPE_ATTACHMENT => StreamKind::Attachment,
        _ => StreamKind::Data,
    };
    let codec = match codec_name(p.codec_id) {
        name if name == "none" || name.starts_with("unknown") => "unknown".to_owned(),
        name => name,
    };
    let tags = stream.tags();
    StreamInfo {
        index: stream.raw().index.max(0) as u32,
        kind,
        codec,
        profile: parameters.profile_name(),
        time_base: time_base(stream.time_base()).unwrap_or(TimeBase::MICROS),
        start_ticks: stream.start(),
        duration_ticks: stream.duration(),
        frame_count: stream.frame_count(),
        bit_rate: u64::try_from(p.bit_rate).ok().filter(|b| *b > 0),
        language: tags
            .get("language")
            .filter(|l| !l.is_empty() && *l != "und")
            .cloned(),
        dispositions: stream.dispositions(),
        video: (kind == StreamKind::Video).then(|| video_info(stream)),
        audio: (kind == StreamKind::Audio).then(|| AudioInfo {
            sample_rate: p.sample_rate.max(0) as u32,
            channels: p.ch_layout.nb_channels.max(0) as u32,
            layout: parameters.layout_name(),
        }),
        tags,
    }
}

fn video_info(stream: Stream<'_>) -> VideoInfo {
    use sys::AVPacketSideDataType as S;
    let parameters = stream.parameters();
    let p = parameters.0;
    let format = AvFormat(p.format);
    let matrix = stream
        .side_data_of(S::AV_PKT_DATA_DISPLAYMATRIX)
        .and_then(Turn::parse)
        .unwrap_or_default();
    let mut numbers = parameters.color();
    if format.is_full_range_by_name() {
        numbers.range = 2;
    }
    let one = Rational { num: 1, den: 1 };
    VideoInfo {
        width: p.width.max(0) as u32,
        height: p.height.max(0) as u32,
        pixel_format: format.name(),
        bit_depth: format.bit_depth(),
        frame_rate: frame_rate(stream),
        variable_frame_rate: None,
        sample_aspect_ratio: stream
            .sample_aspect_ratio()
            .or_else(|| rational(p.sample_aspect_ratio).filter(|r| r.num > 0))
            .unwrap_or(one),
        rotation_degrees: matrix.degrees,
        mirrored: matrix.mirrored,
        color: numbers.to_info(),
        alpha: format.has_alpha() || has_vpx_alpha(stream),
        field_order: match parameters.field_order() {
            1 => FieldOrder::Progressive,
            // Stored order and shown order may differ; what is shown counts.
            2 | 5 => FieldOrder::TopFirst,
            3 | 4 => FieldOrder::BottomFirst,
            _ => FieldOrder::Unknown,
        },
        hdr_metadata: hdr_of(stream).is_some(),
        dolby_vision: stream.side_data_of(S::AV_PKT_DATA_DOVI_CONF).is_some(),
    }
}

/// The average rate, or the nominal one where the average is nonsense (a rate of 1000 or more is
/// a container's clock, not a camera's).
fn frame_rate(stream: Stream<'_>) -> Option<FrameRate> {
    let sane = |rate: &Rational| rate.to_f64() < 1_000.0;
    let rate = stream
        .average_rate()
        .filter(sane)
        .or_else(|| stream.real_rate().filter(sane))?;
    FrameRate::new(rate.num, rate.den)
}

/// How a player turns the picture: first the mirror (left and right swapped), then the clockwise
/// turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Turn {
    pub degrees: i32,
    pub mirrored: bool,
}

impl Turn {
    /// Reads the nine numbers of a display matrix.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let number = |index: usize| {
            let bytes = bytes.get(index * 4..index * 4 + 4)?;
            Some(f64::from(i32::from_ne_bytes(bytes.try_into().ok()?)))
        };
        let (mut a, mut b, c, d) = (number(0)?, number(1)?, number(3)?, number(4)?);
        if a * d - b * c == 0.0 {
            return None;
        }
        let mirrored = a * d - b * c < 0.0;
        if mirrored {
            (a, b) = (-a, -b);
        }
        let degrees = b.atan2(a).to_degrees().round() as i32;
        Some(Self {
            degrees: degrees.rem_euclid(360),
            mirrored,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(a: i32, b: i32, c: i32, d: i32) -> Vec<u8> {
        let one = 65_536;
        [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30]
            .iter()
            .flat_map(|n| n.to_ne_bytes())
            .collect()
    }

    #[test]
    fn a_display_matrix_is_read_as_a_mirror_and_a_clockwise_turn() {
        let turn = |m: Vec<u8>| Turn::parse(&m).map(|t| (t.degrees, t.mirrored));
        assert_eq!(turn(matrix(1, 0, 0, 1)), Some((0, false)));
        // A phone held upright.
        assert_eq!(turn(matrix(0, 1, -1, 0)), Some((90, false)));
        assert_eq!(turn(matrix(-1, 0, 0, -1)), Some((180, false)));
        assert_eq!(turn(matrix(0, -1, 1, 0)), Some((270, false)));
        assert_eq!(turn(matrix(-1, 0, 0, 1)), Some((0, true)));
        assert_eq!(turn(matrix(1, 0, 0, -1)), Some((180, true)));
        assert_eq!(turn(matrix(0, 0, 0, 0)), None);
        assert_eq!(Turn::parse(&[1, 2, 3]), None);
    }

    #[test]
    fn rounding_of_milliseconds_is_not_a_variable_rate() {
        let ms = TimeBase::new(1, 1_000);
        let sixty: Vec<i64> = (0..300).map(|n| (n * 1_000 + 30) / 60).collect();
        assert_eq!(is_uneven(&sixty, ms), Some(false));
        let mut pause = sixty.clone();
        pause.iter_mut().skip(100).for_each(|t| *t += 50);
        assert_eq!(is_uneven(&pause, ms), Some(true));
        assert_eq!(is_uneven(&[0, 1], ms), None);
    }
}
