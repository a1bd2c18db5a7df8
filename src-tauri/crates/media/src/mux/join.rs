//! The join itself.

use super::copy::{
    CopiedStream, Holes, SourceCut, SourceHole, file_tags, general_tags, needed_tags, stream_tags,
};
use super::feed::{self, AddedTrack, Feed};
use super::video::Replay;
use crate::container::{Container, MuxPlan};
use crate::crop::Crops;
use crate::encode::encoder::EncodedPacket;
use crate::error::MediaError;
use crate::ffi::input::{Input, Look, Stream};
use crate::ffi::output::{NewVideo, Output, survives_processing};
use crate::ffi::packet::Packet;
use crate::ffi::pixel::AvFormat;
use crate::ffi::util::{av_rational, time_base};
use crate::hdr::HdrStatic;
use crate::sound::SoundFile;
use ffmpeg_sys_next as sys;
use frameloom_core::media::Warning;
use frameloom_core::said;
use frameloom_core::time::{Rational, TimeBase, Timestamp};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering as Memory};

/// What to join.
#[derive(Debug, Clone)]
pub struct MuxSpec<'a> {
    /// The file that everything but the pictures comes from.
    pub source: &'a Path,
    /// Index of the processed stream in the source.
    pub video_stream: u32,
    /// Part files in order.
    pub parts: &'a [PathBuf],
    /// The file to write. The caller renames it when it was checked.
    pub output_tmp: &'a Path,
    /// Container and copied streams, from [`crate::plan_mux`].
    pub plan: &'a MuxPlan,
    /// Static HDR data for the container; `None` takes what the encoder was given, or else what
    /// the source's container has.
    pub hdr: Option<&'a HdrStatic>,
    /// The stretch of the source that is kept; its start becomes the file's.
    pub cut: Option<SourceCut>,
    /// What is left out of that, in order.
    pub holes: &'a [SourceHole],
    /// How many times as long the rest lasts, as the pictures of the parts do already; as long as it
    /// does where left out.
    pub slow: Option<Rational>,
    /// The pictures of the parts stand upright already: no turn is written.
    pub upright: bool,
    /// Tracks that stand behind the pictures: of other files, or worked out. What they replace is
    /// not in `plan`.
    pub added: &'a [AddedTrack<'a>],
}

/// What was joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MuxReport {
    /// Frames written.
    pub frames: u64,
    /// Presentation times written, in ticks of `time_base`.
    pub pts: Vec<i64>,
    /// Base of `pts`: that of the source's stream.
    pub time_base: TimeBase,
    /// Added to every time, in microseconds: broadcast streams start anywhere, files at zero.
    pub shift_micros: i64,
    /// Packets copied from other streams.
    pub copied_packets: u64,
    /// Streams of the result that have packets or are attachments.
    pub streams: u32,
    /// Size of the file.
    pub size_bytes: u64,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

/// Writes the pictures of `parts` and everything else of the source into one file and waits until
/// it is on the disk. Equal input gives equal bytes.
///
/// MP4 and MOV get their index in front (`faststart`): the file then plays while it is being
/// downloaded or copied, at the price of moving its bytes once.
///
/// # Errors
/// [`MediaError::PartDamaged`], [`MediaError::PartsDiffer`], [`MediaError::DiskFull`],
/// [`MediaError::Write`], [`MediaError::Cancelled`], those of opening the source, or a container
/// that refuses a stream. A half-written file may be left at `output_tmp`.
pub fn mux(
    spec: &MuxSpec<'_>,
    cancel: &Arc<AtomicBool>,
    progress: &mut dyn FnMut(f64),
) -> Result<MuxReport, MediaError> {
    let replay = Replay::open(spec.parts)?;
    let input = crate::source::open(spec.source, Look::Packets, cancel)?;
    let mut join = Join::start(spec, replay, input, cancel)?;
    join.run(cancel, progress)?;
    join.finish(spec)
}

struct Join<'a> {
    replay: Replay<'a>,
    output: Output,
    video: usize,
    video_base: sys::AVRational,
    video_shift: i64,
    /// Everything else; the source comes first.
    feeds: Vec<Feed>,
    /// Streams of the output that had at least one packet; MP4 leaves the others out.
    filled: HashSet<usize>,
    copied_packets: u64,
    streams: u32,
    shift_micros: i64,
    warnings: Vec<Warning>,
}

impl<'a> Join<'a> {
    fn start(
        spec: &MuxSpec<'a>,
        replay: Replay<'a>,
        input: Input,
        cancel: &Arc<AtomicBool>,
    ) -> Result<Self, MediaError> {
        let container = spec.plan.container;
        let mut output = Output::create(spec.output_tmp, container.muxer(), cancel)?;
        let shift_micros = match spec.cut {
            Some(cut) => cut.from_micros.saturating_neg(),
            None => shift_micros(&input),
        };
        let slow = spec.slow.unwrap_or(Rational::ONE);
        let shift_micros = slow.of(shift_micros);
        let base = replay.header.time_base;
        let video_base = av_rational(base.ratio()).ok_or_else(|| MediaError::InvalidRequest {
            what: "the time base of the parts does not fit".into(),
        })?;
        let main = spec.video_stream as usize;
        let (mut video, mut streams, mut added) = (None, 0, None);
        let mut copied = HashMap::new();
        let tags = match spec.plan.keeps_tags {
            true => file_tags(&input.tags(), container),
            false => BTreeMap::new(),
        };
        let mut warnings = spec.plan.dropped.clone();
        let mut has_cover = false;
        for index in 0..input.stream_count() {
            let Some(stream) = input.stream(index) else {
                continue;
            };
            if index == main {
                let cut = Crops::of(spec.source, &input).cut(&input, stream);
                let from = cut.map_or_else(|| coded_size(stream), |cut| cut.size);
                video = Some(add_video(
                    &mut output,
                    (stream, from),
                    &replay,
                    video_base,
                    spec,
                )?);
                streams += 1;
                added = Some(feed::add(
                    &mut output,
                    (spec.added, spec.plan.keeps_tags),
                    shift_micros,
                    cancel,
                )?);
            } else if spec.plan.copied.contains(&(index as u32)) {
                has_cover |= stream.has_disposition(sys::AV_DISPOSITION_ATTACHED_PIC);
                match add_copy(&mut output, stream, spec.plan, shift_micros)? {
                    Some(mut copy) => {
                        // A cover is shown all the time.
                        if !stream.has_disposition(sys::AV_DISPOSITION_ATTACHED_PIC) {
                            copy.cut = spec.cut;
                            copy.slow = slow;
                            if let Some(base) = time_base(copy.time_base) {
                                copy.holes = Holes::new(spec.holes, base);
                            }
                        }
                        copied.insert(index, copy);
                    }
                    None => streams += 1,
                }
            }
        }
        let (video, added) = video.zip(added).ok_or_else(|| MediaError::NoVideo {
            path: spec.source.into(),
        })?;
        output.set_tags(&tags)?;
        let general = general_tags(container, &tags);
        // The general table takes the place of the one that holds the cover.
        let use_general = !general.is_empty() && !has_cover;
        if !general.is_empty() && has_cover {
            warnings.push(Warning::dropped(said!(
                "lost.tags_beside_cover",
                "the tags {tags}, beside a cover picture",
                tags = general.join(", ")
            )));
        }
        let named = spec.plan.keeps_tags;
        add_chapters(
            &mut output,
            (&input, named),
            (spec.cut, spec.holes, slow),
            shift_micros,
        )?;
        let mut starts = vec![(replay.pts()[0], video_base)];
        starts.extend(copied.values().map(CopiedStream::start));
        starts.extend(added.starts);
        let subtitles = added.has_subtitles || copied.values().any(|c| !c.strict);
        output.write_header(&options(container, base, use_general, subtitles, &starts))?;
        let mut feeds = vec![Feed::new(input, copied)];
        feeds.extend(added.feeds);
        Ok(Self {
            video_shift: ticks(shift_micros, base),
            replay,
            output,
            video,
            video_base,
            feeds,
            filled: HashSet::new(),
            copied_packets: 0,
            streams,
            shift_micros,
            warnings,
        })
    }

    fn run(
        &mut self,
        cancel: &Arc<AtomicBool>,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(), MediaError> {
        let total = self.replay.pts().len().max(1) as f64;
        let mut picture = self.replay.next()?;
        for feed in &mut self.feeds {
            feed.advance()?;
        }
        loop {
            if cancel.load(Memory::Relaxed) {
                return Err(MediaError::Cancelled);
            }
            let other = self.earliest();
            let picture_first = match (&picture, other) {
                (None, None) => return Ok(()),
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some(picture), Some((_, dts, base))) => {
                    let own = picture.dts.saturating_add(self.video_shift);
                    compare(own, self.video_base, dts, base) != Ordering::Greater
                }
            };
            if picture_first {
                if let Some(picture) = picture.take() {
                    self.write_picture(&picture)?;
                    progress(self.replay.done() as f64 / total);
                }
                picture = self.replay.next()?;
            } else if let Some((feed, ..)) = other {
                if let Some(stream) = self.feeds[feed].write(&mut self.output)? {
                    self.streams += u32::from(self.filled.insert(stream));
                    self.copied_packets += 1;
                }
                self.feeds[feed].advance()?;
            }
        }
    }

    /// The feed whose next packet is decoded first, with that time.
    fn earliest(&self) -> Option<(usize, i64, sys::AVRational)> {
        let times = self.feeds.iter().enumerate();
        times
            .filter_map(|(feed, packets)| packets.time().map(|(dts, base)| (feed, dts, base)))
            .min_by(|a, b| compare(a.1, a.2, b.1, b.2))
    }

    fn write_picture(&mut self, picture: &EncodedPacket) -> Result<(), MediaError> {
        let mut packet = Packet::with_data(&picture.data)?;
        for (kind, bytes) in &picture.side_data {
            packet.add_side_data(*kind, bytes)?;
        }
        packet.set_timing(picture.pts, picture.dts, picture.duration, picture.key);
        packet.shift(self.video_shift);
        packet.rescale(self.video_base, self.output.time_base(self.video));
        packet.set_stream(self.video);
        self.output.write(&mut packet)
    }

    fn finish(self, spec: &MuxSpec<'_>) -> Result<MuxReport, MediaError> {
        self.output.finish()?;
        let synced = File::open(spec.output_tmp).and_then(|file| {
            file.sync_data()?;
            file.metadata()
        });
        let facts = synced.map_err(|e| MediaError::from_write(e, spec.output_tmp))?;
        Ok(MuxReport {
            frames: self.replay.pts().len() as u64,
            pts: self.replay.pts().to_vec(),
            time_base: self.replay.header.time_base,
            shift_micros: self.shift_micros,
            copied_packets: self.copied_packets,
            streams: self.streams,
            size_bytes: facts.len(),
            warnings: self.warnings,
        })
    }
}

/// Broadcast streams start at any time of day; a file starts at zero. Everything is moved by the
/// same amount. Other files keep the start that they have.
pub(super) fn shift_micros(input: &Input) -> i64 {
    match input.start_micros() {
        Some(start) if input.has_discontinuities() => start.saturating_neg(),
        _ => 0,
    }
}

fn ticks(micros: i64, base: TimeBase) -> i64 {
    Timestamp::new(micros, TimeBase::MICROS)
        .rescaled(base)
        .ticks
}

/// Compares two times in different bases.
pub(super) fn compare(
    a: i64,
    a_base: sys::AVRational,
    b: i64,
    b_base: sys::AVRational,
) -> Ordering {
    let value = |ticks: i64, base: sys::AVRational, other: sys::AVRational| {
        i128::from(ticks) * i128::from(base.num) * i128::from(other.den)
    };
    value(a, a_base, b_base).cmp(&value(b, b_base, a_base))
}

/// Width and height of a stream's decoded pictures.
fn coded_size(stream: Stream<'_>) -> (u32, u32) {
    let p = stream.parameters().0;
    (p.width.max(0) as u32, p.height.max(0) as u32)
}

/// The rate of pictures that come at even times, which need not be that of the source: Matroska
/// writes it into its header. Times are sorted.
fn even_rate(times: &[i64], base: sys::AVRational) -> Option<sys::AVRational> {
    let step = times.get(1)?.checked_sub(*times.first()?)?;
    let is_even = times
        .windows(2)
        .all(|pair| pair[1].checked_sub(pair[0]) == Some(step));
    let rate = Rational::new(base.den.into(), i64::from(base.num).checked_mul(step)?)?;
    av_rational(rate).filter(|rate| is_even && rate.num > 0)
}

/// `from` is the size of the source's pictures as they are worked on.
fn add_video(
    output: &mut Output,
    (source, from): (Stream<'_>, (u32, u32)),
    replay: &Replay<'_>,
    base: sys::AVRational,
    spec: &MuxSpec<'_>,
) -> Result<usize, MediaError> {
    use sys::AVPacketSideDataType as S;
    let header = &replay.header;
    let stated = spec.hdr.or(header.hdr.as_ref());
    let replaced = |kind: i32| {
        let hdr = [
            S::AV_PKT_DATA_MASTERING_DISPLAY_METADATA as i32,
            S::AV_PKT_DATA_CONTENT_LIGHT_LEVEL as i32,
        ];
        stated.is_some() && hdr.contains(&kind)
    };
    let mut tags = stream_tags(&source.tags(), true);
    if AvFormat(header.parameters.format).has_alpha() && header.codec().starts_with("vp") {
        tags.insert("alpha_mode".into(), "1".into());
    }
    if !spec.plan.keeps_tags {
        tags = needed_tags(tags);
    }
    // Apple's players know HEVC by this tag only.
    let apple_hevc = header.codec() == "hevc" && spec.plan.container.is_iso();
    let video = NewVideo {
        parameters: &header.parameters,
        extradata: &header.extradata,
        time_base: base,
        tags: &tags,
        frame_rate: even_rate(replay.pts(), base),
        codec_tag: apple_hevc.then(|| u32::from_le_bytes(*b"hvc1")),
    };
    let turn = S::AV_PKT_DATA_DISPLAYMATRIX;
    let index = output.add_video(source, &video, |kind| {
        survives_processing(kind) && !replaced(kind) && kind != turn as i32
    })?;
    if let Some(matrix) = source
        .side_data_of(turn)
        .filter(|_| spec.plan.keeps_turn && !spec.upright)
    {
        output.set_side_data(index, turn, &display_matrix(matrix, from, header.size()))?;
    }
    if let Some(hdr) = stated {
        if let Some(display) = &hdr.mastering {
            let kind = S::AV_PKT_DATA_MASTERING_DISPLAY_METADATA;
            output.set_side_data(index, kind, &display.to_bytes())?;
        }
        if let Some(light) = hdr.content_light {
            let kind = S::AV_PKT_DATA_CONTENT_LIGHT_LEVEL;
            output.set_side_data(index, kind, &light.to_bytes())?;
        }
    }
    Ok(index)
}

/// The display matrix for pictures of another size: its turn as it is, its shift, which is counted
/// in pixels of the turned picture, as much larger as the picture.
fn display_matrix(matrix: &[u8], from: (u32, u32), to: (u32, u32)) -> Vec<u8> {
    let mut numbers: Vec<i32> = matrix
        .chunks_exact(4)
        .map(|b| i32::from_ne_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    if let [a, b, _, c, d, _, x, y, _] = numbers.as_mut_slice() {
        // Which side of the coded picture runs along each side of the turned one.
        let lies = |along: i32, across: i32| along.unsigned_abs() >= across.unsigned_abs();
        let larger = |shift: i32, is_width: bool| {
            let (new, old) = if is_width {
                (to.0, from.0)
            } else {
                (to.1, from.1)
            };
            let value = i64::from(shift) * i64::from(new) / i64::from(old.max(1));
            i32::try_from(value).unwrap_or(shift)
        };
        *x = larger(*x, lies(*a, *c));
        *y = larger(*y, !lies(*d, *b));
    }
    numbers.iter().flat_map(|n| n.to_ne_bytes()).collect()
}

/// Adds a copied stream; `None` for what has no packets.
pub(super) fn add_copy(
    output: &mut Output,
    source: Stream<'_>,
    plan: &MuxPlan,
    shift_micros: i64,
) -> Result<Option<CopiedStream>, MediaError> {
    use sys::AVMediaType as M;
    let kind = source.parameters().0.codec_type;
    let tags = match plan.keeps_tags {
        true => stream_tags(&source.tags(), false),
        false => needed_tags(stream_tags(&source.tags(), false)),
    };
    let codec = crate::ffi::params::codec_name(source.parameters().0.codec_id);
    if kind == M::AVMEDIA_TYPE_ATTACHMENT {
        output.add_attachment(&codec, source.extradata(), &tags)?;
        return Ok(None);
    }
    let attaches = matches!(
        plan.container,
        Container::Mkv | Container::Sound(SoundFile::Mka)
    );
    if attaches && source.has_disposition(sys::AV_DISPOSITION_ATTACHED_PIC) {
        output.add_attachment(&codec, source.attached_picture(), &cover_tags(&codec, tags))?;
        return Ok(None);
    }
    let index = output.add_copy(source, &tags)?;
    let shift = time_base(source.time_base()).map_or(0, |base| ticks(shift_micros, base));
    let strict = matches!(kind, M::AVMEDIA_TYPE_AUDIO | M::AVMEDIA_TYPE_VIDEO);
    let start = source.start().unwrap_or(0);
    let mut copied = CopiedStream::new(index, source.time_base(), shift, start, strict);
    copied.sample_rate = source.parameters().0.sample_rate;
    Ok(Some(copied))
}

fn cover_tags(codec: &str, mut tags: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let (name, kind) = match codec {
        "png" => ("cover.png", "image/png"),
        _ => ("cover.jpg", "image/jpeg"),
    };
    tags.entry("filename".into()).or_insert_with(|| name.into());
    tags.entry("mimetype".into()).or_insert_with(|| kind.into());
    tags
}

/// Adds the chapters, with their titles if they are `named`.
pub(super) fn add_chapters(
    output: &mut Output,
    (input, named): (&Input, bool),
    (cut, holes, slow): (Option<SourceCut>, &[SourceHole], Rational),
    shift_micros: i64,
) -> Result<(), MediaError> {
    // Those of an MP3 count from its first sample, and its packets from what comes before that.
    let origin = match input.format_name() == "mp3" {
        true => input.start_micros().unwrap_or(0),
        false => 0,
    };
    for mut chapter in input.chapters() {
        if let Some(base) = time_base(chapter.time_base) {
            chapter.start = chapter.start.saturating_add(ticks(origin, base));
            chapter.end = chapter.end.saturating_add(ticks(origin, base));
        }
        if !named {
            chapter.tags.clear();
        }
        if let Some(base) = time_base(chapter.time_base) {
            if let Some(cut) = cut {
                let (from, to) = cut.ticks(base);
                chapter.start = chapter.start.max(from);
                chapter.end = chapter.end.min(to);
                if chapter.start >= chapter.end {
                    continue;
                }
            }
            if !holes.is_empty() {
                let holes = Holes::new(holes, base);
                chapter.start = holes.moved(chapter.start);
                chapter.end = holes.moved(chapter.end);
                if chapter.start >= chapter.end {
                    continue;
                }
            }
            let shift = ticks(shift_micros, base);
            chapter.start = slow.of(chapter.start).saturating_add(shift);
            chapter.end = slow.of(chapter.end).saturating_add(shift);
        }
        output.add_chapter(&chapter)?;
    }
    Ok(())
}

/// The muxer's options. `starts` are the first times of the streams before the common shift.
pub(super) fn options(
    container: Container,
    base: TimeBase,
    general_tags: bool,
    subtitles: bool,
    starts: &[(i64, sys::AVRational)],
) -> Vec<(&'static str, String)> {
    match container {
        Container::Mp4 | Container::Mov => {
            let tags = if general_tags {
                "+use_metadata_tags"
            } else {
                ""
            };
            let mut list = vec![("movflags", format!("+faststart{tags}"))];
            // Ticks of the source fit exactly into a multiple of its clock.
            if let Ok(mut scale) = i32::try_from(base.ratio().den) {
                while scale < 10_000 {
                    scale *= 2;
                }
                list.push(("video_track_timescale", scale.to_string()));
            }
            // The muxer would add a box of its own to the header of subtitles.
            if subtitles {
                list.push(("write_btrt", "0".into()));
            }
            if let Some(scale) = movie_scale(starts) {
                list.push(("movie_timescale", scale.to_string()));
            }
            list
        }
        // The muxer's own rule would mark tracks as default that the source does not.
        Container::Mkv | Container::Webm => vec![("default_mode", "passthrough".into())],
        Container::Sound(file) => match file {
            SoundFile::Wav => vec![("rf64", "auto".into())],
            SoundFile::Aiff => vec![("write_id3v2", "1".into())],
            SoundFile::M4a if general_tags => {
                vec![("movflags", "+faststart+use_metadata_tags".into())]
            }
            SoundFile::M4a => vec![("movflags", "+faststart".into())],
            SoundFile::Mka => vec![("default_mode", "passthrough".into())],
            SoundFile::Flac | SoundFile::Mp3 | SoundFile::Ogg | SoundFile::Opus => Vec::new(),
        },
        // Written by others; see `animation`.
        Container::Gif | Container::Apng | Container::WebP | Container::Pictures => Vec::new(),
    }
}

/// A late start of a stream is kept as a pause in front of it, which the muxer counts in
/// milliseconds. Where that is too coarse: a clock in which every start is a whole number.
fn movie_scale(starts: &[(i64, sys::AVRational)]) -> Option<i32> {
    let fits = |ticks: i64, base: sys::AVRational, scale: i64| {
        let value = i128::from(ticks) * i128::from(base.num) * i128::from(scale);
        base.den > 0 && value % i128::from(base.den) == 0
    };
    let late = || starts.iter().filter(|(ticks, _)| *ticks > 0);
    if late().all(|(ticks, base)| fits(*ticks, *base, 1_000)) {
        return None;
    }
    let gcd = |mut a: i64, mut b: i64| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let mut scale = 1_000i64;
    for (_, base) in late() {
        let den = i64::from(base.den).max(1);
        let common = scale / gcd(scale, den) * den;
        // A clock that does not fit keeps the streams that came first exact: the video.
        scale = if common <= i64::from(i32::MAX) {
            common
        } else {
            scale.max(den)
        };
    }
    i32::try_from(scale).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shift_of_a_display_matrix_grows_with_the_picture_and_its_turn_stays() {
        let one = 1 << 16;
        let words =
            |list: [i32; 9]| -> Vec<u8> { list.iter().flat_map(|n| n.to_ne_bytes()).collect() };
        // A phone held upright: what is shown is as wide as the coded picture is high.
        let turned = |x: i32| words([0, one, 0, -one, 0, 0, x * one, 0, 1 << 30]);
        let larger = display_matrix(&turned(1080), (1920, 1080), (3840, 2160));
        assert_eq!(larger, turned(2160));
        let wider = display_matrix(&turned(1080), (1920, 1080), (3840, 1080));
        assert_eq!(wider, turned(1080));
        let flipped = |x: i32, y: i32| words([-one, 0, 0, 0, -one, 0, x * one, y * one, 1 << 30]);
        let larger = display_matrix(&flipped(96, 64), (96, 64), (192, 256));
        assert_eq!(larger, flipped(192, 256));
        assert_eq!(display_matrix(&[1, 2, 3], (0, 0), (1, 1)), [0u8; 0]);
    }
}
