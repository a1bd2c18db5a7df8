//! The clip as a run reads it: from the frame where the last run ended, within the stretch that
//! was asked for, and with the frames before it that temporal nodes want to see.

use super::Context;
use super::within::Within;
use crate::EngineError;
use crate::control::SegmentRecord;
use crate::plan::{Hole, Stretch};
use frameloom_core::media::StreamInfo;
use frameloom_media::{Frame, ReadReport, Reader, ReaderOptions};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Where to begin.
pub(super) struct Start {
    /// Index of the first of `frames` in the stretch.
    pub first: u64,
    /// Warm-up frames, then the first frame that counts.
    pub frames: VecDeque<Frame>,
}

/// A clip that is being read.
pub(super) struct Source {
    reader: Reader,
    path: PathBuf,
    stream: StreamInfo,
    within: Within,
}

impl Source {
    pub(super) fn open(
        path: &Path,
        (stream, stretch): (u32, Option<Stretch>),
        holes: &[Hole],
        options: &ReaderOptions,
    ) -> Result<Self, EngineError> {
        let reader = Reader::open(path, options)?;
        let found = reader
            .info()
            .streams
            .iter()
            .find(|s| s.index == stream)
            .ok_or_else(|| EngineError::InputChanged {
                what: "its video stream is gone".to_owned(),
                path: path.to_owned(),
            })?
            .clone();
        Ok(Self {
            path: path.to_owned(),
            within: Within::new(stretch, holes),
            stream: found,
            reader,
        })
    }

    pub(super) fn stream(&self) -> &StreamInfo {
        &self.stream
    }

    /// What of the clip is read. Frames come as if nothing else had ever been there.
    pub(super) fn within(&self) -> &Within {
        &self.within
    }

    pub(super) fn report(&self) -> ReadReport {
        self.reader.report()
    }

    /// The next frame of the stretch; `None` at its end.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, EngineError> {
        self.within.next(&mut self.reader)
    }

    /// Goes before a time of the frames that this gives.
    fn seek_before(&mut self, ticks: i64) -> Result<(), EngineError> {
        self.within.forget();
        Ok(self.reader.seek_before(self.within.original(ticks))?)
    }

    /// Goes to the first frame of the stretch.
    pub(super) fn rewind(&mut self) -> Result<(), EngineError> {
        match self.within.from() {
            Some(from) => self.seek_before(from),
            None => {
                self.within.forget();
                Ok(self.reader.restart()?)
            }
        }
    }

    /// Brings the clip to the frame with index `done`, behind `last`, with up to `warm_up` frames
    /// before it; `None` if the clip ends there.
    pub(super) fn start_at(
        &mut self,
        last: Option<&SegmentRecord>,
        done: u64,
        warm_up: u64,
        context: &Context<'_>,
    ) -> Result<Option<Start>, EngineError> {
        let Some(last) = last else {
            if let Some(from) = self.within.from() {
                self.seek_before(from)?;
            }
            return Ok(self.next()?.map(|frame| Start {
                first: 0,
                frames: VecDeque::from([frame]),
            }));
        };
        let warm_up = warm_up.min(done);
        let frames = match self.enter(last, warm_up)? {
            Some(frames) => frames,
            None => self.count(last, done, warm_up, context)?,
        };
        self.with_next(frames, done)
    }

    /// The frame that is on screen at `ticks`, as its place among up to `before` frames before it
    /// and `after` behind it; `None` if there is no frame at all.
    pub(super) fn around(
        &mut self,
        ticks: i64,
        before: u64,
        after: u64,
    ) -> Result<Option<(VecDeque<Frame>, usize)>, EngineError> {
        let start = self.stream.start_ticks.unwrap_or(0);
        let start = self.within.from().map_or(start, |from| from.max(start));
        let step = self.step();
        let mut reach = i64::try_from(before)
            .unwrap_or(i64::MAX)
            .saturating_add(1)
            .saturating_mul(step);
        loop {
            let target = ticks.saturating_sub(reach);
            let from_start = target <= start;
            if from_start {
                self.rewind()?;
            } else {
                self.seek_before(target)?;
            }
            let mut kept = VecDeque::new();
            let mut shown = None;
            while let Some(frame) = self.next()? {
                // Frames before the target may come from an open group of pictures.
                if !from_start && frame.pts() < target {
                    continue;
                }
                if frame.pts() > ticks && shown.is_none() {
                    // The first frame may be shown later than the clip begins.
                    shown = Some(kept.len().saturating_sub(1));
                    if kept.is_empty() && !from_start {
                        break;
                    }
                }
                kept.push_back(frame);
                match shown {
                    None if kept.len() as u64 > before.saturating_add(1) => {
                        kept.pop_front();
                    }
                    Some(place) if (kept.len() - place - 1) as u64 >= after => break,
                    _ => {}
                }
            }
            let Some(last) = kept.len().checked_sub(1) else {
                if from_start {
                    return Ok(None);
                }
                reach = reach.saturating_mul(2).max(step);
                continue;
            };
            let shown = shown.unwrap_or(last);
            if from_start || shown as u64 >= before {
                return Ok(Some((kept, shown)));
            }
            // Frames lie further apart than the rate says.
            reach = reach.saturating_mul(2).max(step);
        }
    }

    fn with_next(
        &mut self,
        mut frames: VecDeque<Frame>,
        done: u64,
    ) -> Result<Option<Start>, EngineError> {
        let first = done - frames.len() as u64;
        Ok(self.next()?.map(|frame| {
            frames.push_back(frame);
            Start { first, frames }
        }))
    }

    /// Seeks to the end of `last` and gives the `warm_up` frames up to it. A seek is believed only
    /// if it leads to the very picture that ended the last segment.
    fn enter(
        &mut self,
        last: &SegmentRecord,
        warm_up: u64,
    ) -> Result<Option<VecDeque<Frame>>, EngineError> {
        let step = self.step();
        let mut reach = i64::try_from(warm_up.saturating_sub(1))
            .unwrap_or(i64::MAX)
            .saturating_mul(step);
        loop {
            let target = last.last_source_pts.saturating_sub(reach);
            let from_start = self.within.from().is_some_and(|from| target <= from);
            self.seek_before(target)?;
            let mut kept = VecDeque::new();
            let mut found = false;
            while let Some(frame) = self.next()? {
                let pts = frame.pts();
                // Frames before the target may come from an open group of pictures.
                if pts < target {
                    continue;
                }
                if pts > last.last_source_pts {
                    break;
                }
                let is_last = pts == last.last_source_pts;
                if is_last && frame.content_hash() != last.last_source_hash {
                    break;
                }
                kept.push_back(frame);
                while kept.len() as u64 > warm_up.max(1) {
                    kept.pop_front();
                }
                if is_last {
                    found = true;
                    break;
                }
            }
            if !found {
                return Ok(None);
            }
            if warm_up == 0 {
                kept.clear();
            }
            if kept.len() as u64 >= warm_up {
                return Ok(Some(kept));
            }
            // Frames lie further apart than the rate says: reach back further, or count.
            let start = self.stream.start_ticks.unwrap_or(0);
            if from_start || target <= start {
                return Ok(None);
            }
            reach = reach.saturating_mul(2).max(step);
        }
    }

    /// Bad timestamps, an open GOP: counts from the start, which is slow and sure.
    fn count(
        &mut self,
        last: &SegmentRecord,
        done: u64,
        warm_up: u64,
        context: &Context<'_>,
    ) -> Result<VecDeque<Frame>, EngineError> {
        tracing::info!("the source cannot be entered in the middle; it is read from its start");
        self.rewind()?;
        let mut kept = VecDeque::new();
        let mut index = 0;
        while let Some(frame) = self.next()? {
            context.progress.alive();
            index += 1;
            let hash = (index == done).then(|| frame.content_hash());
            kept.push_back(frame);
            while kept.len() as u64 > warm_up {
                kept.pop_front();
            }
            if let Some(hash) = hash {
                if hash != last.last_source_hash {
                    return Err(EngineError::InputChanged {
                        what: "its pictures differ from those of the first run".to_owned(),
                        path: self.path.clone(),
                    });
                }
                return Ok(kept);
            }
        }
        Err(EngineError::InputChanged {
            what: "it ends before the place that the first run reached".to_owned(),
            path: self.path.clone(),
        })
    }

    /// Ticks between frames, on average.
    fn step(&self) -> i64 {
        let base = self.stream.time_base.ratio().to_f64();
        let rate = self
            .stream
            .video
            .as_ref()
            .and_then(|v| v.frame_rate)
            .map_or(25.0, |rate| rate.ratio().to_f64());
        ((1.0 / rate / base).ceil() as i64).max(1)
    }
}
