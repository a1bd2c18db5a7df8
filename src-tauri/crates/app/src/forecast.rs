//! How fast a job is, and how long it will still take.
//!
//! Speed is what the last seconds show. The time that is left is judged by a longer stretch: at
//! least the last ten seconds and, once a job has run longer, the later half of its run. A slow
//! start is forgotten that way, a scene that is harder than others does not upset the forecast, and
//! a change that lasts is followed.

use std::time::Duration;

/// Speed is measured over this time.
const SPEED_WINDOW: Duration = Duration::from_secs(10);
/// No forecast before this many frames and this much time.
const FORECAST_FRAMES: u64 = 3;
const FORECAST_AFTER: Duration = Duration::from_millis(1500);
/// Samples are no closer than this.
const APART: Duration = Duration::from_millis(100);
/// More are thinned out.
const MOST_SAMPLES: usize = 600;

/// What was seen of a job since its frames began to move.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forecast {
    /// When how many frames were done, oldest first.
    samples: Vec<(Duration, u64)>,
    /// The first frames come late: models are opened, look-ahead fills. Their time counts for the
    /// forecast no more than for the speed.
    first_frame: Option<(Duration, u64)>,
}

impl Forecast {
    /// Frames do not move now: what was seen before does not count any more.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// So many frames are done at `now`, a moment of any clock that does not run backwards.
    pub(crate) fn note(&mut self, now: Duration, done: u64) {
        let Some(&(first_at, first_done)) = self.samples.first() else {
            self.samples.push((now, done));
            return;
        };
        if done > first_done && self.first_frame.is_none() {
            self.first_frame = Some((now, done));
            // The wait for the first frame was no speed.
            if now - first_at > Duration::ZERO {
                self.samples.clear();
            }
            self.samples.push((now, done));
            return;
        }
        let is_apart = self.samples.len() < 2
            || self
                .samples
                .last()
                .is_some_and(|(at, _)| now.saturating_sub(*at) >= APART);
        match self.samples.last_mut() {
            Some(last) if !is_apart => *last = (last.0, last.1.max(done)),
            _ => self.samples.push((now, done)),
        }
        if self.samples.len() > MOST_SAMPLES {
            let mut keep = false;
            self.samples.retain(|_| {
                keep = !keep;
                keep
            });
        }
    }

    /// Frames per second over the last `window`, which ends at `now`; `None` before it is honest.
    fn rate(&self, now: Duration, done: u64, window: Duration) -> Option<f64> {
        let since = now.saturating_sub(window);
        let at = self.samples.partition_point(|(at, _)| *at < since);
        let (from, before) = *self.samples.get(at.saturating_sub(1))?;
        let (span, frames) = (now.saturating_sub(from), done.saturating_sub(before));
        (frames >= FORECAST_FRAMES && span >= FORECAST_AFTER)
            .then(|| frames as f64 / span.as_secs_f64())
    }

    /// Frames per second of the last seconds.
    pub(crate) fn speed(&self, now: Duration, done: u64) -> Option<f64> {
        self.rate(now, done, SPEED_WINDOW)
    }

    /// Time until `total` frames are done.
    pub(crate) fn remaining(&self, now: Duration, done: u64, total: u64) -> Option<Duration> {
        let (began, _) = *self.samples.first()?;
        let window = (now.saturating_sub(began) / 2).max(SPEED_WINDOW);
        let rate = self.rate(now, done, window)?;
        Duration::try_from_secs_f64(total.saturating_sub(done) as f64 / rate).ok()
    }
}
