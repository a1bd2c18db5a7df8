//! Decoding a track of sound into blocks that follow each other without a gap.

use super::part::SoundPartReader;
use super::{SoundBlock, SoundFilter, SoundFormat, SoundSource};
use crate::error::MediaError;
use crate::ffi::decoder::{Answer, Decoder};
use crate::ffi::frame::AvFrame;
use crate::ffi::input::{Input, Look};
use crate::ffi::packet::Packet;
use crate::ffi::params::codec_name;
use crate::ffi::sound::read_samples;
use crate::ffi::util::time_base;
use frameloom_core::time::{TimeBase, Timestamp};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// By how much, in milliseconds, a time may differ from the count of samples before it counts as
/// a gap or an overlap: containers round times, and clocks of cameras are not exact.
const TOLERANCE_MILLIS: i64 = 20;

/// A longer gap, in seconds, is a jump of the clock and no silence.
const LONGEST_GAP_SECONDS: i64 = 6 * 3600;

/// What was not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SoundReport {
    /// Samples of silence that stand for what was missing.
    pub filled: u64,
    /// Samples that were left out as they overlapped.
    pub overlapped: u64,
    /// Packets that could not be decoded.
    pub damaged: u64,
}

/// What is known of a track before it is decoded.
struct Facts {
    codec: String,
    bit_rate: Option<u64>,
    bits: Option<u32>,
}

enum Feed {
    File { input: Input, stream: usize },
    Part(Box<SoundPartReader>),
}

/// Reads a track of sound, in order and without gaps: silence stands for what is missing.
pub struct SoundReader {
    feed: Feed,
    decoder: Decoder,
    path: PathBuf,
    base: TimeBase,
    format: SoundFormat,
    /// Where frames come in another form than the first ones had.
    change: Option<(SoundFormat, SoundFilter)>,
    ready: VecDeque<SoundBlock>,
    /// Place of the next sample; `None` before the first.
    next: Option<i64>,
    start: i64,
    ended: bool,
    report: SoundReport,
    codec: String,
    bit_rate: Option<u64>,
    bits: Option<u32>,
    cancel: Arc<AtomicBool>,
}

impl std::fmt::Debug for SoundReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoundReader")
            .field("path", &self.path)
            .field("format", &self.format)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl SoundReader {
    /// Opens stream `stream` of a file and decodes its beginning.
    ///
    /// # Errors
    /// Those of opening a file; [`MediaError::NoSound`] if the stream is none of sound or nothing
    /// of it can be decoded; [`MediaError::UnsupportedCodec`].
    pub fn open(path: &Path, stream: u32, cancel: &Arc<AtomicBool>) -> Result<Self, MediaError> {
        let mut input = crate::source::open(path, Look::Packets, cancel)?;
        let index = stream as usize;
        let none = || MediaError::NoSound { path: path.into() };
        let view = input.stream(index).ok_or_else(none)?;
        if view.parameters().0.codec_type != ffmpeg_sys_next::AVMediaType::AVMEDIA_TYPE_AUDIO {
            return Err(none());
        }
        let base = time_base(view.time_base()).ok_or_else(none)?;
        let decoder = Decoder::open(view, false, 1, path)?;
        let p = view.parameters().0;
        let stated = u64::try_from(p.bit_rate).ok().filter(|rate| *rate > 0);
        let told = || view.tags().get("BPS").and_then(|text| text.parse().ok());
        let facts = Facts {
            codec: codec_name(p.codec_id),
            bit_rate: stated.or_else(told),
            bits: u32::try_from(p.bits_per_raw_sample.max(p.bits_per_coded_sample)).ok(),
        };
        input.keep_streams(|i| i == index);
        let feed = Feed::File {
            input,
            stream: index,
        };
        Self::begin(feed, decoder, base, facts, path, cancel)
    }

    /// Opens a part that was written by [`super::SoundPartWriter`]. What the encoder added before
    /// the first sample and after the last is left out.
    ///
    /// # Errors
    /// [`MediaError::PartDamaged`]; [`MediaError::NoSound`] if nothing of it can be decoded.
    pub fn open_part(path: &Path, cancel: &Arc<AtomicBool>) -> Result<Self, MediaError> {
        crate::init()?;
        let part = SoundPartReader::open(path)?;
        let header = part.header();
        let none = || MediaError::NoSound { path: path.into() };
        let base = TimeBase::new(1, i64::from(header.format.rate)).ok_or_else(none)?;
        let decoder = Decoder::open_sound(&header.parameters, &header.extradata, path)?;
        let p = &header.parameters;
        let facts = Facts {
            codec: p.codec.clone(),
            bit_rate: u64::try_from(p.bit_rate).ok().filter(|rate| *rate > 0),
            bits: u32::try_from(p.bits_per_raw_sample.max(p.bits_per_coded_sample)).ok(),
        };
        Self::begin(
            Feed::Part(Box::new(part)),
            decoder,
            base,
            facts,
            path,
            cancel,
        )
    }

    fn begin(
        feed: Feed,
        decoder: Decoder,
        base: TimeBase,
        facts: Facts,
        path: &Path,
        cancel: &Arc<AtomicBool>,
    ) -> Result<Self, MediaError> {
        let mut reader = Self {
            feed,
            decoder,
            path: path.into(),
            base,
            format: SoundFormat {
                rate: 0,
                layout: String::new(),
            },
            change: None,
            ready: VecDeque::new(),
            next: None,
            start: 0,
            ended: false,
            report: SoundReport::default(),
            codec: facts.codec,
            bit_rate: facts.bit_rate,
            bits: facts.bits,
            cancel: Arc::clone(cancel),
        };
        while reader.ready.is_empty() {
            if reader.ended {
                return Err(MediaError::NoSound { path: path.into() });
            }
            reader.step()?;
        }
        reader.start = reader.ready.front().map_or(0, |block| block.start);
        Ok(reader)
    }

    /// What the track is.
    pub fn source(&self) -> SoundSource {
        SoundSource {
            codec: self.codec.clone(),
            format: self.format.clone(),
            bit_rate: self.bit_rate,
            bits: self.bits,
        }
    }

    /// Rate and channels.
    pub fn format(&self) -> &SoundFormat {
        &self.format
    }

    /// Place of the first sample.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// What was not as it should be, so far.
    pub fn report(&self) -> SoundReport {
        self.report
    }

    /// The next block; `None` at the end. Never an empty one.
    ///
    /// # Errors
    /// [`MediaError::Cancelled`], a failed read, or no memory.
    pub fn next_block(&mut self) -> Result<Option<SoundBlock>, MediaError> {
        loop {
            if let Some(block) = self.ready.pop_front() {
                return Ok(Some(block));
            }
            if self.ended {
                return Ok(None);
            }
            self.step()?;
        }
    }

    /// Place of the sample that comes next; `None` at the end.
    ///
    /// # Errors
    /// As [`SoundReader::next_block`].
    pub fn place(&mut self) -> Result<Option<i64>, MediaError> {
        while self.ready.is_empty() && !self.ended {
            self.step()?;
        }
        Ok(self.ready.front().map(|block| block.start))
    }

    /// Goes to the packet that holds place `to`, or one before it. The first samples behind it may
    /// be wrong, for codecs build on what came before. False where the container cannot do that
    /// exactly; then the reader may be anywhere.
    ///
    /// # Errors
    /// As [`SoundReader::next_block`].
    pub fn seek(&mut self, to: i64) -> Result<bool, MediaError> {
        let Feed::File { input, stream } = &mut self.feed else {
            return Ok(false);
        };
        let name = input.format_name();
        let exact = ["mp4", "matroska", "mpegts"];
        let samples = TimeBase::new(1, i64::from(self.format.rate)).unwrap_or(TimeBase::MICROS);
        let ticks = Timestamp::new(to, samples).rescaled(self.base).ticks;
        if !exact.iter().any(|exact| name.contains(*exact)) || input.seek(*stream, ticks).is_err() {
            return Ok(false);
        }
        self.decoder.flush();
        self.ready.clear();
        (self.change, self.next, self.ended) = (None, None, false);
        Ok(self.place()?.is_none_or(|place| place <= to))
    }

    /// Feeds the decoder once and takes what it has.
    fn step(&mut self) -> Result<(), MediaError> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(MediaError::Cancelled);
        }
        let mut frame = AvFrame::new()?;
        match self.decoder.receive(&mut frame)? {
            Answer::Frame => self.take(&frame),
            Answer::Damaged => {
                self.report.damaged += 1;
                Ok(())
            }
            Answer::End => self.end(),
            Answer::NeedsInput => {
                let packet = self.feed.next()?;
                let (_, damage) = self.decoder.send(packet.as_ref())?;
                self.report.damaged += u64::from(damage.is_some());
                Ok(())
            }
        }
    }

    fn end(&mut self) -> Result<(), MediaError> {
        self.ended = true;
        if let Some((_, mut filter)) = self.change.take() {
            filter.finish()?;
            while let Some(channels) = filter.receive()? {
                self.append(channels);
            }
        }
        Ok(())
    }

    fn take(&mut self, frame: &AvFrame) -> Result<(), MediaError> {
        let (facts, mut channels) = read_samples(frame)?;
        let found = SoundFormat {
            rate: facts.rate,
            layout: facts.layout,
        };
        if self.format.rate == 0 {
            self.format = found.clone();
            // Decoders of lossy codecs give fractions, whatever the container says of bits.
            let whole = facts.whole_bits;
            self.bits = match (whole, self.bits) {
                (None, _) => None,
                (Some(whole), Some(stated)) if (1..=whole).contains(&stated) => Some(stated),
                (Some(whole), _) => Some(whole),
            };
        }
        let place = |pts: i64| {
            let rate = i64::from(self.format.rate);
            let samples = TimeBase::new(1, rate).unwrap_or(TimeBase::MICROS);
            Timestamp::new(pts, self.base).rescaled(samples).ticks
        };
        let stated = frame.best_pts().map(place);
        if found == self.format && self.change.is_none() {
            let next = match (self.next, stated) {
                (None, stated) => stated.unwrap_or(0),
                (Some(next), None) => next,
                (Some(next), Some(stated)) => self.mend(next, stated, &mut channels),
            };
            self.next = Some(next);
            self.append(channels);
            return Ok(());
        }
        if self.next.is_none() {
            self.next = stated;
        }
        // Broadcasts change between stereo and 5.1; the track stays what it was at its start.
        let same = self.change.as_ref().is_some_and(|(form, _)| *form == found);
        if !same {
            if let Some((_, mut filter)) = self.change.take() {
                filter.finish()?;
                while let Some(channels) = filter.receive()? {
                    self.append(channels);
                }
            }
            if found == self.format {
                return self.take(frame);
            }
            if let (Some(next), Some(stated)) = (self.next, stated) {
                let mut none = Vec::new();
                self.next = Some(self.mend(next, stated, &mut none));
            }
            let filter = SoundFilter::open(&found, &self.format, &[])?;
            self.change = Some((found, filter));
        }
        let mut made = Vec::new();
        if let Some((_, filter)) = &mut self.change {
            filter.send(&channels)?;
            while let Some(channels) = filter.receive()? {
                made.push(channels);
            }
        }
        for channels in made {
            self.append(channels);
        }
        Ok(())
    }

    /// Compares the time that a frame states with the count of samples: fills a gap, cuts an
    /// overlap, and lets small differences be. Gives the place where `channels` begin.
    fn mend(&mut self, next: i64, stated: i64, channels: &mut [Vec<f64>]) -> i64 {
        let rate = i64::from(self.format.rate);
        let gap = stated.saturating_sub(next);
        if gap.abs() <= rate * TOLERANCE_MILLIS / 1000 || gap.abs() > rate * LONGEST_GAP_SECONDS {
            return next;
        }
        if gap < 0 {
            let cut = usize::try_from(-gap).unwrap_or(usize::MAX);
            for channel in channels.iter_mut() {
                let cut = cut.min(channel.len());
                self.report.overlapped += cut as u64;
                channel.drain(..cut);
            }
            return next;
        }
        self.report.filled += gap as u64;
        let count = self.format.channels().unwrap_or(1);
        let mut at = next;
        while at < stated {
            // In pieces: a gap may be long.
            let length = (stated - at).min(rate.max(1)) as usize;
            self.ready.push_back(SoundBlock {
                start: at,
                channels: vec![vec![0.0; length]; count],
            });
            at += length as i64;
        }
        stated
    }

    fn append(&mut self, channels: Vec<Vec<f64>>) {
        let start = self.next.unwrap_or(0);
        let mut block = SoundBlock { start, channels };
        self.next = Some(block.end());
        if let Feed::Part(part) = &self.feed {
            let (from, to) = part.span();
            block.keep(from, to);
        }
        if !block.is_empty() {
            self.ready.push_back(block);
        }
    }
}

impl Feed {
    fn next(&mut self) -> Result<Option<Packet>, MediaError> {
        match self {
            Feed::File { input, stream } => {
                let mut packet = Packet::new()?;
                while input.read(&mut packet)? {
                    if packet.stream() == *stream {
                        return Ok(Some(packet));
                    }
                }
                Ok(None)
            }
            Feed::Part(part) => part.next_packet()?.as_ref().map(as_packet).transpose(),
        }
    }
}

/// A stored packet as the library wants it. What it says of samples to leave out is for players;
/// here they are known by their places.
fn as_packet(stored: &crate::encode::encoder::EncodedPacket) -> Result<Packet, MediaError> {
    let mut packet = Packet::with_data(&stored.data)?;
    packet.set_timing(stored.pts, stored.dts, stored.duration, stored.key);
    Ok(packet)
}
