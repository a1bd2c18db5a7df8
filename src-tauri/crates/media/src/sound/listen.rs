//! Sound of a clip wherever it is played: stretches of stereo samples at one rate, each beside the
//! next without a seam, counted from the first picture as the pictures are.

use super::{SoundFilter, SoundFormat, SoundReader};
use crate::error::MediaError;
use frameloom_core::media::MediaInfo;
use frameloom_core::time::{TimeBase, Timestamp};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Rather than to seek, sound is decoded so far ahead.
const AHEAD_SECONDS: i64 = 4;

/// Before the place that is wanted, so much is decoded and thrown away, in milliseconds: codecs
/// and the change of the rate need what came before.
const RUN_UP_MILLIS: i64 = 250;

/// Plays a track of sound of a clip.
pub struct Listener {
    path: PathBuf,
    stream: u32,
    reader: SoundReader,
    /// From the track's form to the wanted one; `None` once it has given everything.
    filter: Option<SoundFilter>,
    wanted: SoundFormat,
    /// Of the result: the sample at which the first picture is shown.
    zero: i64,
    /// Of the result: place of the first sample in `ready`, counted as the file counts.
    place: i64,
    /// Likewise: place of the first sample of the track.
    first: i64,
    /// Left and right.
    ready: VecDeque<[f32; 2]>,
    cancel: Arc<AtomicBool>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("path", &self.path)
            .field("stream", &self.stream)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl Listener {
    /// Opens stream `stream` of the clip at `path`, of which `info` is the probe, to be heard at
    /// `rate` samples per second. All channels are mixed into two.
    ///
    /// # Errors
    /// Those of [`SoundReader`], and a rate that is none.
    pub fn open(path: &Path, info: &MediaInfo, stream: u32, rate: u32) -> Result<Self, MediaError> {
        let wanted = SoundFormat {
            rate,
            layout: "stereo".to_owned(),
        };
        let base = TimeBase::new(1, i64::from(rate)).ok_or_else(|| MediaError::InvalidRequest {
            what: format!("{rate} samples per second are none").into(),
        })?;
        // Pictures are counted from the first one, wherever it lies in the file.
        let zero = info
            .main_video()
            .and_then(|(video, _)| Some((video.start_ticks?, video.time_base)))
            .map_or(0, |(ticks, of)| {
                Timestamp::new(ticks, of).rescaled(base).ticks
            });
        let cancel = Arc::new(AtomicBool::new(false));
        let reader = SoundReader::open(path, stream, &cancel)?;
        let mut listener = Self {
            path: path.to_owned(),
            stream,
            reader,
            filter: None,
            wanted,
            zero,
            place: 0,
            first: 0,
            ready: VecDeque::new(),
            cancel,
        };
        let start = listener.reader.start();
        listener.begin_at(start)?;
        listener.first = listener.place;
        Ok(listener)
    }

    /// `count` samples from place `from` on, 0 being the moment of the first picture: left and
    /// right by turns. Where the track has nothing there is silence.
    ///
    /// # Errors
    /// A failed read, or no memory.
    pub fn samples(&mut self, from: i64, count: usize) -> Result<Vec<f32>, MediaError> {
        let mut samples = vec![0.0; count * 2];
        let from = from.saturating_add(self.zero);
        let end = from.saturating_add(count as i64);
        let reach = AHEAD_SECONDS * i64::from(self.wanted.rate);
        if end <= self.first {
            return Ok(samples);
        }
        let have = self.place + self.ready.len() as i64;
        if from < self.place || from > have.saturating_add(reach) {
            self.jump(from)?;
        }
        while self.place < end {
            if self.ready.is_empty() && !self.more()? {
                break;
            }
            // What lies before the wanted place is not needed any more.
            let early = from.saturating_sub(self.place).max(0);
            let skipped = usize::try_from(early)
                .unwrap_or(usize::MAX)
                .min(self.ready.len());
            self.ready.drain(..skipped);
            self.place += skipped as i64;
            if self.ready.is_empty() {
                continue;
            }
            let at = usize::try_from(self.place - from)
                .unwrap_or(count)
                .min(count);
            let taken = self.ready.len().min(count - at);
            for (n, [left, right]) in self.ready.drain(..taken).enumerate() {
                samples[(at + n) * 2] = left;
                samples[(at + n) * 2 + 1] = right;
            }
            self.place += taken as i64;
        }
        Ok(samples)
    }

    /// Gets more samples ready; false at the end of the track.
    fn more(&mut self) -> Result<bool, MediaError> {
        let Some(filter) = &mut self.filter else {
            return Ok(false);
        };
        loop {
            if let Some(channels) = filter.receive()? {
                let [left, right] = channels.as_slice() else {
                    return Ok(false);
                };
                let pairs = left.iter().zip(right);
                self.ready
                    .extend(pairs.map(|(l, r)| [*l as f32, *r as f32]));
                if !self.ready.is_empty() {
                    return Ok(true);
                }
                continue;
            }
            match self.reader.next_block()? {
                Some(block) => filter.send(&block.channels)?,
                None if filter.is_finished() => {
                    self.filter = None;
                    return Ok(false);
                }
                None => filter.finish()?,
            }
        }
    }

    /// Goes to place `wanted` of the result, counted as the file counts.
    fn jump(&mut self, wanted: i64) -> Result<(), MediaError> {
        let own = i64::from(self.reader.format().rate);
        let scaled = i128::from(wanted) * i128::from(own) / i128::from(self.wanted.rate);
        let in_track = i64::try_from(scaled).unwrap_or(0);
        let before = in_track - own * RUN_UP_MILLIS / 1000;
        if before <= self.reader.start() || !self.reader.seek(before)? {
            self.reader = SoundReader::open(&self.path, self.stream, &self.cancel)?;
        }
        let Some(first) = self.reader.place()? else {
            // Nothing is there any more.
            self.ready.clear();
            self.filter = None;
            self.place = wanted;
            return Ok(());
        };
        if first > in_track && first > self.reader.start() {
            // The seek went too far; from the beginning it is right.
            self.reader = SoundReader::open(&self.path, self.stream, &self.cancel)?;
            return self.begin_at(self.reader.start());
        }
        self.begin_at(first)
    }

    /// The reader's next sample has place `first` of its own rate: opens the way to the wanted
    /// form so that a sample of the result lies exactly where it says.
    fn begin_at(&mut self, first: i64) -> Result<(), MediaError> {
        let own = self.reader.format().clone();
        let (from, to) = (i64::from(own.rate), i64::from(self.wanted.rate));
        let common = greatest_common_divisor(from, to);
        // Every so many samples of the track one of the result falls on the same moment.
        let step = from / common;
        let aligned = first.div_euclid(step) * step;
        let mut filter = SoundFilter::open(&own, &self.wanted, &[])?;
        let silence = usize::try_from(first - aligned).unwrap_or(0);
        if silence > 0 {
            filter.send(&vec![vec![0.0; silence]; own.channels()?])?;
        }
        self.place = aligned / step * (to / common);
        self.ready.clear();
        self.filter = Some(filter);
        Ok(())
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    match b {
        0 => a.max(1),
        b => greatest_common_divisor(b, a % b),
    }
}
