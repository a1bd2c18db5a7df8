//! Frames of a clip wherever the pointer is, and one after another: the file stays open.

use crate::error::MediaError;
use crate::frame::Frame;
use crate::picture::{RgbImage, Tones, upright};
use crate::reader::{Reader, ReaderOptions};
use frameloom_core::time::{TimeBase, Timestamp};
use std::path::{Path, PathBuf};

/// Rather than to seek, frames are decoded so far ahead: a seek goes back to a key frame, and what
/// lies between is decoded as well.
const AHEAD_MICROS: i64 = 700_000;

/// Shows a clip.
pub struct Scrubber {
    path: PathBuf,
    reader: Reader,
    /// First time of the clip, in ticks.
    start: i64,
    /// The frame that was shown last.
    shown: Option<Frame>,
    /// The one behind it.
    ahead: Option<Frame>,
    /// Frames were decoded since the clip was opened.
    decoded: u64,
}

impl std::fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scrubber")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Scrubber {
    /// Opens a clip.
    ///
    /// # Errors
    /// Those of [`Reader`].
    pub fn open(path: &Path) -> Result<Self, MediaError> {
        let reader = Reader::open(path, &ReaderOptions::default())?;
        let start = reader
            .info()
            .main_video()
            .and_then(|(stream, _)| stream.start_ticks)
            .unwrap_or(0);
        Ok(Self {
            path: path.to_owned(),
            reader,
            start,
            shown: None,
            ahead: None,
            decoded: 0,
        })
    }

    /// The picture at `at_micros` of the clip, upright, with square pixels, at most `max_side`
    /// pixels wide and high. `exact`: the very frame that is on the screen then. Otherwise one
    /// near by, in the time of a single frame: the pointer moves on anyway.
    ///
    /// # Errors
    /// Those of [`Reader`].
    pub fn picture(
        &mut self,
        at_micros: i64,
        max_side: u32,
        exact: bool,
    ) -> Result<RgbImage, MediaError> {
        let base = self.reader.time_base();
        let ticks = |micros: i64| {
            Timestamp::new(micros, TimeBase::MICROS)
                .rescaled(base)
                .ticks
        };
        let wanted = self.start.saturating_add(ticks(at_micros.max(0)));
        let reach = ticks(AHEAD_MICROS).max(1);
        let is_near = self.shown.as_ref().is_some_and(|shown| {
            let last = self.ahead.as_ref().map_or(shown.pts(), Frame::pts);
            shown.pts() <= wanted && wanted <= last.saturating_add(reach)
        });
        if !is_near {
            self.jump(wanted)?;
            if !exact {
                // The key frame.
                self.shown = self.next()?;
                return self.show(max_side);
            }
        }
        loop {
            let ahead = match self.ahead.take() {
                Some(ahead) => Some(ahead),
                None => self.next()?,
            };
            match ahead {
                Some(frame) if frame.pts() <= wanted || self.shown.is_none() => {
                    self.shown = Some(frame);
                }
                later => {
                    self.ahead = later;
                    return self.show(max_side);
                }
            }
        }
    }

    /// How many frames were decoded so far.
    pub fn decoded(&self) -> u64 {
        self.decoded
    }

    fn next(&mut self) -> Result<Option<Frame>, MediaError> {
        let frame = self.reader.next_frame()?;
        self.decoded += u64::from(frame.is_some());
        Ok(frame)
    }

    fn jump(&mut self, wanted: i64) -> Result<(), MediaError> {
        (self.shown, self.ahead) = (None, None);
        if wanted > self.start {
            self.reader.seek_before(wanted)
        } else {
            self.reader.restart()
        }
    }

    fn show(&self, max_side: u32) -> Result<RgbImage, MediaError> {
        let frame = self.shown.as_ref().ok_or_else(|| MediaError::NoFrames {
            path: self.path.clone(),
        })?;
        upright(
            frame,
            self.reader.info(),
            &self.path,
            Some(max_side.max(1)),
            Tones::Shown,
        )
    }
}
