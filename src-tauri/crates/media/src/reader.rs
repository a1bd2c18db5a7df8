//! Decoding of the main video stream, frame by frame, in presentation order.

use crate::animation::WebPFrames;
use crate::color::ColorNumbers;
use crate::crop::Cut;
use crate::error::MediaError;
use crate::ffi::decoder::{Answer, Decoder};
use crate::ffi::frame::AvFrame;
use crate::ffi::input::{Input, Look};
use crate::ffi::packet::Packet;
use crate::frame::Frame;
use crate::normalise::Normaliser;
use crate::probe::{has_vpx_alpha, hdr_of, probe_cut};
use crate::sequence::{PictureFiles, probe_pictures_with};
use frameloom_core::media::{MediaInfo, Warning};
use frameloom_core::said;
use frameloom_core::sequence::PictureRun;
use frameloom_core::time::{TimeBase, Timestamp};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How to read.
#[derive(Debug, Clone)]
pub struct ReaderOptions {
    /// Decoder threads; 0 lets the decoder choose.
    pub threads: usize,
    /// Raised by the caller: every read ends with [`MediaError::Cancelled`].
    pub cancel: Arc<AtomicBool>,
    /// The path is a pattern, and these of its numbered pictures are the clip.
    pub pictures: Option<PictureRun>,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        Self {
            threads: 0,
            cancel: Arc::new(AtomicBool::new(false)),
            pictures: None,
        }
    }
}

/// Where frames come from.
enum Origin {
    /// A file that ffmpeg demuxes.
    File { input: Input, decoder: Decoder },
    /// Numbered pictures.
    Pictures(PictureFiles),
    /// An animated WebP.
    WebP(WebPFrames),
}

/// What a reader saw so far. Seeking does not reset it; [`Reader::restart`] does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadReport {
    /// Frames given out.
    pub frames: u64,
    /// Frames that the decoder flagged, and packets that it could not decode at all.
    pub damaged_frames: u64,
    /// Frames whose time was missing or not after the one before.
    pub mended_timestamps: u64,
    /// Frames of another size or pixel format, converted to what the others have.
    pub converted_frames: u64,
    /// End of the last frame given out, in ticks.
    pub last_pts_end: Option<i64>,
    /// Set at the end of the stream if the file holds less than it states.
    pub truncated: Option<Truncation>,
    /// Name of dynamic HDR data seen, which processing drops.
    pub dynamic_hdr: Option<&'static str>,
}

/// The file ends before its stated length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// Length that could be read.
    pub read_micros: i64,
    /// Length that the container states.
    pub stated_micros: i64,
}

impl ReadReport {
    /// What the user should know of this reading.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if let Some(cut) = self.truncated {
            warnings.push(Warning::Truncated {
                frames: self.frames,
                read_micros: cut.read_micros,
                stated_micros: cut.stated_micros,
            });
        }
        if self.damaged_frames > 0 {
            warnings.push(Warning::DamagedFrames {
                frames: self.damaged_frames,
            });
        }
        if self.mended_timestamps > 0 {
            warnings.push(Warning::TimestampsMended {
                frames: self.mended_timestamps,
            });
        }
        if let Some(what) = self.dynamic_hdr {
            warnings.push(Warning::HdrMetadataDropped { what: what.into() });
        }
        if self.converted_frames > 0 {
            warnings.push(Warning::dropped(said!(
                "lost.other_frames",
                "the picture size or format of {count} frames, which differ from the others",
                count = self.converted_frames
            )));
        }
        warnings
    }
}

/// Decodes the main video stream of a file.
pub struct Reader {
    origin: Origin,
    path: PathBuf,
    options: ReaderOptions,
    info: MediaInfo,
    stream: usize,
    time_base: TimeBase,
    /// Ticks between frames where the file gives no duration.
    step: i64,
    /// What is cut off every picture.
    cut: Option<Cut>,
    normaliser: Normaliser,
    /// Packets read ahead while looking for a key frame.
    pending: VecDeque<Packet>,
    sent_end: bool,
    last_pts: Option<i64>,
    /// End of what was read from any stream, in microseconds.
    seen_end_micros: Option<i64>,
    report: ReadReport,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("path", &self.path)
            .field("stream", &self.stream)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens the stream that [`MediaInfo::main_video`] names.
    ///
    /// # Errors
    /// Those of [`crate::probe`]; [`MediaError::NoVideo`]; [`MediaError::UnsupportedCodec`].
    pub fn open(path: &Path, options: &ReaderOptions) -> Result<Self, MediaError> {
        let (info, cut) = match options.pictures {
            Some(run) => (probe_pictures_with(path, run, &options.cancel)?, None),
            None => probe_cut(path, &options.cancel)?,
        };
        let (stream, video) = info
            .main_video()
            .ok_or_else(|| MediaError::NoVideo { path: path.into() })?;
        let index = stream.index as usize;
        let time_base = stream.time_base;
        let size = (video.width, video.height);
        let step = video
            .frame_rate
            .and_then(|rate| rate.ratio().recip())
            .and_then(|seconds| TimeBase::new(seconds.num, seconds.den))
            .map_or(1, |base| Timestamp::new(1, base).rescaled(time_base).ticks)
            .max(1);
        let (origin, stream_color) = Self::open_stream(path, options, index, &info)?;
        Ok(Self {
            origin,
            path: path.into(),
            options: options.clone(),
            stream: index,
            time_base,
            step,
            normaliser: Normaliser::new(stream_color, size)
                .without_alpha(is_opaque_gif(&info))
                .cutting(cut),
            cut,
            pending: VecDeque::new(),
            sent_end: false,
            last_pts: None,
            seen_end_micros: None,
            report: ReadReport::default(),
            info,
        })
    }

    fn open_stream(
        path: &Path,
        options: &ReaderOptions,
        index: usize,
        info: &MediaInfo,
    ) -> Result<(Origin, ColorNumbers), MediaError> {
        if let Some(run) = options.pictures {
            let files = PictureFiles::open(path, run, &options.cancel)?;
            return Ok((Origin::Pictures(files), stated_color(info)));
        }
        if info.container == "webp" {
            let frames = WebPFrames::open(path)?;
            return Ok((Origin::WebP(frames), stated_color(info)));
        }
        let mut input = crate::source::open(path, Look::Pictures, &options.cancel)?;
        let (decoder, color) = {
            let stream = input
                .stream(index)
                .ok_or_else(|| MediaError::NoVideo { path: path.into() })?;
            let alpha = has_vpx_alpha(stream);
            (
                Decoder::open(stream, alpha, options.threads, path)?,
                stream.parameters().color(),
            )
        };
        // Where only the whole file states its length, the other streams tell whether it is all
        // there; otherwise they are not even read.
        let all = stated_end(info, index).is_none();
        input.keep_streams(|i| all || i == index);
        Ok((Origin::File { input, decoder }, color))
    }

    /// What the file is.
    pub fn info(&self) -> &MediaInfo {
        &self.info
    }

    /// Index of the stream that is decoded.
    pub fn stream_index(&self) -> u32 {
        self.stream as u32
    }

    /// Seconds per tick of every time given here.
    pub fn time_base(&self) -> TimeBase {
        self.time_base
    }

    /// Static HDR data as the container states it. That of the first frame, if it has any, is the
    /// better source.
    pub fn container_hdr(&self) -> Option<crate::hdr::HdrStatic> {
        match &self.origin {
            Origin::File { input, .. } => input.stream(self.stream).and_then(hdr_of),
            Origin::Pictures(_) | Origin::WebP(_) => None,
        }
    }

    /// What was seen so far.
    pub fn report(&self) -> ReadReport {
        self.report.clone()
    }

    /// The next frame in presentation order, its time later than that of the one before; `None`
    /// at the end. All frames have one size and format: those of the first, or the size that the
    /// container states if the clip begins much smaller.
    ///
    /// # Errors
    /// [`MediaError::Cancelled`], a failed read, [`MediaError::NoFrames`] if the stream ends
    /// before any picture could be decoded. Damage within the stream is counted, not an error.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, MediaError> {
        loop {
            if self.options.cancel.load(Ordering::Relaxed) {
                return Err(MediaError::Cancelled);
            }
            let decoder = match &mut self.origin {
                Origin::File { decoder, .. } => decoder,
                Origin::Pictures(files) => {
                    let raw = files.next()?;
                    return self.deliver_next(raw);
                }
                Origin::WebP(frames) => {
                    let raw = frames.next()?;
                    return self.deliver_next(raw);
                }
            };
            let mut raw = AvFrame::new()?;
            match decoder.receive(&mut raw)? {
                Answer::Frame => return self.deliver(raw).map(Some),
                Answer::NeedsInput => self.feed()?,
                Answer::Damaged => self.report.damaged_frames += 1,
                Answer::End => {
                    if self.report.frames == 0 {
                        return Err(MediaError::NoFrames {
                            path: self.path.clone(),
                        });
                    }
                    self.report.truncated = self.truncation();
                    return Ok(None);
                }
            }
        }
    }

    /// A frame, or the end, of what is no file of ffmpeg's.
    fn deliver_next(&mut self, raw: Option<AvFrame>) -> Result<Option<Frame>, MediaError> {
        match raw {
            Some(raw) => self.deliver(raw).map(Some),
            None if self.report.frames == 0 => Err(MediaError::NoFrames {
                path: self.path.clone(),
            }),
            None => Ok(None),
        }
    }

    /// Sends one packet, or the end.
    fn feed(&mut self) -> Result<(), MediaError> {
        if self.sent_end {
            return Ok(());
        }
        let packet = match self.pending.pop_front() {
            Some(packet) => Some(packet),
            None => self.read_packet()?,
        };
        let Origin::File { decoder, .. } = &mut self.origin else {
            return Ok(());
        };
        let Some(packet) = packet else {
            self.sent_end = true;
            decoder.send(None)?;
            return Ok(());
        };
        let (taken, damage) = decoder.send(Some(&packet))?;
        if damage.is_some() {
            self.report.damaged_frames += 1;
        }
        if !taken {
            self.pending.push_front(packet);
        }
        Ok(())
    }

    /// The next packet of the stream.
    fn read_packet(&mut self) -> Result<Option<Packet>, MediaError> {
        let Origin::File { input, .. } = &mut self.origin else {
            return Ok(None);
        };
        let mut packet = Packet::new()?;
        while input.read(&mut packet)? {
            let index = packet.stream();
            if let (Some(time), Some(stream)) = (packet.pts(), self.info.streams.get(index)) {
                let end = time.saturating_add(packet.duration());
                let end = Timestamp::new(end, stream.time_base).micros();
                self.seen_end_micros = self.seen_end_micros.max(Some(end));
            }
            if index == self.stream {
                return Ok(Some(packet));
            }
        }
        Ok(None)
    }

    fn deliver(&mut self, raw: AvFrame) -> Result<Frame, MediaError> {
        if raw.is_damaged() {
            self.report.damaged_frames += 1;
        }
        if self.report.dynamic_hdr.is_none() {
            self.report.dynamic_hdr = raw.dynamic_hdr();
        }
        let (pts, duration) = (raw.best_pts(), raw.duration());
        let mut frame = self.normaliser.apply(raw)?;
        self.report.converted_frames = self.normaliser.converted;
        let after = self.last_pts.map(|last| {
            let step = if duration > 0 { duration } else { self.step };
            (last, last.saturating_add(step))
        });
        let time = match (pts, after) {
            (Some(pts), None) => pts,
            (Some(pts), Some((last, _))) if pts > last => pts,
            (found, after) => {
                self.report.mended_timestamps += 1;
                match (found, after) {
                    // Runs backwards: as little later as can be.
                    (Some(_), Some((last, _))) => last.saturating_add(1),
                    (None, Some((_, next))) => next,
                    (_, None) => self.first_pts(),
                }
            }
        };
        frame.set_timing(time, duration);
        self.last_pts = Some(time);
        self.report.frames += 1;
        let length = if duration > 0 { duration } else { self.step };
        let end = Some(time.saturating_add(length));
        self.report.last_pts_end = self.report.last_pts_end.max(end);
        Ok(frame)
    }

    fn stated_size(&self) -> (u32, u32) {
        let video = self.info.streams[self.stream].video.as_ref();
        video.map_or((0, 0), |video| (video.width, video.height))
    }

    fn first_pts(&self) -> i64 {
        self.info.streams[self.stream].start_ticks.unwrap_or(0)
    }

    fn truncation(&self) -> Option<Truncation> {
        let stream = &self.info.streams[self.stream];
        let base = self.time_base;
        let start = stream.start_ticks.unwrap_or(0);
        let (read, stated) = if let Some(end) = stated_end(&self.info, self.stream) {
            let last = self.report.last_pts_end?;
            let micros = |ticks| Timestamp::new(ticks, base).micros();
            (
                micros(last.saturating_sub(start)),
                micros(end.saturating_sub(start)),
            )
        } else {
            let start = self
                .info
                .streams
                .iter()
                .filter_map(|s| Some(Timestamp::new(s.start_ticks?, s.time_base).micros()))
                .min()
                .unwrap_or(0);
            (
                self.seen_end_micros?.saturating_sub(start),
                self.info.duration_micros?,
            )
        };
        let missing = stated.saturating_sub(read);
        (missing > 500_000.max(stated / 50)).then_some(Truncation {
            read_micros: read,
            stated_micros: stated,
        })
    }

    /// Goes to a key frame at or before `ticks`, so that the frame at `ticks` and all later ones
    /// come out as in a reading from the start. The frames in between come out first.
    ///
    /// Formats without reliable times or key frame marks are read from the start again: slower,
    /// and exact.
    ///
    /// # Errors
    /// [`MediaError::Cancelled`] or a failed read.
    pub fn seek_before(&mut self, ticks: i64) -> Result<(), MediaError> {
        if let Origin::Pictures(files) = &mut self.origin {
            files.seek(u64::try_from(ticks).unwrap_or(0));
            self.last_pts = None;
            return Ok(());
        }
        let report = self.report.clone();
        if !self.is_seekable() || !self.seek_to_key(ticks)? {
            self.restart()?;
        }
        self.report = ReadReport {
            truncated: None,
            ..report
        };
        Ok(())
    }

    fn is_seekable(&self) -> bool {
        let name = self.info.container.as_str();
        let indexed = name.contains("mp4") || name.contains("matroska") || name == "mpegts";
        indexed && self.report.mended_timestamps == 0
    }

    /// False if no key frame at or before `ticks` was found.
    fn seek_to_key(&mut self, ticks: i64) -> Result<bool, MediaError> {
        // Far enough that one step is usually enough, doubled until it is.
        let second = Timestamp::new(1_000_000, TimeBase::MICROS)
            .rescaled(self.time_base)
            .ticks
            .max(1);
        let start = self.first_pts();
        let (mut to, mut back) = (ticks, second);
        loop {
            if to <= start {
                return Ok(false);
            }
            self.pending.clear();
            let Origin::File { input, .. } = &mut self.origin else {
                return Ok(false);
            };
            if input.seek(self.stream, to).is_err() {
                return Ok(false);
            }
            let found = loop {
                match self.read_packet()? {
                    Some(packet) if packet.is_key() && !packet.is_discarded() => {
                        break Some(packet);
                    }
                    Some(_) => {}
                    None => break None,
                }
            };
            if let Some(packet) = found
                && packet
                    .pts()
                    .or(packet.dts())
                    .is_some_and(|pts| pts <= ticks)
            {
                self.pending.push_back(packet);
                if let Origin::File { decoder, .. } = &mut self.origin {
                    decoder.flush();
                }
                self.sent_end = false;
                self.last_pts = None;
                return Ok(true);
            }
            to = to.saturating_sub(back);
            back = back.saturating_mul(2);
        }
    }

    /// Reads from the very start again, with a fresh report.
    ///
    /// # Errors
    /// Those of [`Reader::open`], should the file have changed.
    pub fn restart(&mut self) -> Result<(), MediaError> {
        let (origin, color) =
            Self::open_stream(&self.path, &self.options, self.stream, &self.info)?;
        self.origin = origin;
        let opaque = is_opaque_gif(&self.info);
        self.normaliser = Normaliser::new(color, self.stated_size())
            .without_alpha(opaque)
            .cutting(self.cut);
        self.pending.clear();
        self.sent_end = false;
        self.last_pts = None;
        self.seen_end_micros = None;
        self.report = ReadReport::default();
        Ok(())
    }
}

/// A GIF is always decoded with transparency; the probe knows better.
fn is_opaque_gif(info: &MediaInfo) -> bool {
    info.container == "gif" && info.main_video().is_some_and(|(_, video)| !video.alpha)
}

/// The colour tags that a probe found.
fn stated_color(info: &MediaInfo) -> ColorNumbers {
    let color = info.main_video().map(|(_, video)| video.color.clone());
    ColorNumbers::from_info(&color.unwrap_or_default())
}

/// Where the stream itself states that it ends, in its ticks.
fn stated_end(info: &MediaInfo, index: usize) -> Option<i64> {
    let stream = info.streams.get(index)?;
    let start = stream.start_ticks.unwrap_or(0);
    if let Some(ticks) = stream.duration_ticks {
        return Some(start.saturating_add(ticks));
    }
    // Matroska: statistics tags, `HH:MM:SS.fraction`.
    let text = stream
        .tags
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case("DURATION"))
        .map(|(_, value)| value)?;
    let mut parts = text.split(':');
    let hours: i64 = parts.next()?.trim().parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next()?.parse().ok()?;
    let micros = hours
        .checked_mul(60)?
        .checked_add(minutes)?
        .checked_mul(60_000_000)?
        .checked_add((seconds * 1e6) as i64)?;
    let ticks = Timestamp::new(micros, TimeBase::MICROS)
        .rescaled(stream.time_base)
        .ticks;
    // The tag counts from zero, not from the stream's start.
    (ticks > 0).then_some(ticks)
}
