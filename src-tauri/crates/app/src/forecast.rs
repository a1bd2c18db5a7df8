//! How fast a job is, and how long it will still take.
//!
//! Speed is what the last seconds show. The time that is left is judged by a longer stretch: at
//! least the last five seconds and, once a job has run longer, the later half of its run. A slow
//! start is forgotten that way, a scene that is harder than others does not upset the forecast, and
//! a change that lasts is followed.
//!
//! After the last frame the result is joined and read back, which is no small part of a job that a
//! fast card did. How long that takes on this machine is learnt from one job for the next
//! ([`Ending`]).

use std::time::Duration;

/// Speed is measured over this time.
const SPEED_WINDOW: Duration = Duration::from_secs(10);
/// What is left is judged by no less than this.
const FORECAST_WINDOW: Duration = Duration::from_secs(5);
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
    /// When how many frames were done, oldest first: the moments when there were more.
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
            Some(last) if done <= last.1 => {}
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

    /// Frames per second over the last `window`, which ends at `now`, and the moment up to which
    /// that is counted; `None` before it is honest.
    fn rate(&self, now: Duration, window: Duration) -> Option<(f64, Duration)> {
        let since = now.saturating_sub(window);
        let at = self
            .samples
            .partition_point(|(at, _)| *at < since)
            .saturating_sub(1);
        let (from, before) = *self.samples.get(at)?;
        let (last, done) = *self.samples.last()?;
        // Frames that come several at once are counted from one arrival to another; only if the
        // next one is long overdue does the wait count.
        let steps = (self.samples.len() - 1 - at).max(1) as u32;
        let gap = last.saturating_sub(from) / steps;
        let to = if now.saturating_sub(last) <= gap * 2 {
            last
        } else {
            now
        };
        let (span, frames) = (to.saturating_sub(from), done.saturating_sub(before));
        (frames >= FORECAST_FRAMES && span >= FORECAST_AFTER)
            .then(|| (frames as f64 / span.as_secs_f64(), to))
    }

    /// Frames per second of the last seconds.
    pub(crate) fn speed(&self, now: Duration) -> Option<f64> {
        Some(self.rate(now, SPEED_WINDOW)?.0)
    }

    /// Time until `total` frames are done.
    pub(crate) fn remaining(&self, now: Duration, done: u64, total: u64) -> Option<Duration> {
        let (began, _) = *self.samples.first()?;
        let window = (now.saturating_sub(began) / 2).max(FORECAST_WINDOW);
        let (rate, counted_to) = self.rate(now, window)?;
        let left = Duration::try_from_secs_f64(total.saturating_sub(done) as f64 / rate).ok()?;
        Some(left.saturating_sub(now.saturating_sub(counted_to)))
    }
}

/// What joining and checking cost before anything was learnt: two cores read 720p back at 400
/// frames a second.
const USUAL_MICROS_PER_MEGAPIXEL: f64 = 2700.0;
/// Name of the setting.
pub(crate) const ENDING: &str = "ending_micros_per_megapixel";

/// How long it takes to join and check a result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    micros_per_megapixel: f64,
    megapixels_per_frame: f64,
    began: Option<Duration>,
}

impl Ending {
    /// For frames of so many pixels; `known` is what [`Ending::learnt`] gave after another job.
    pub(crate) fn new(pixels: f64, known: Option<&str>) -> Self {
        Self {
            micros_per_megapixel: known
                .and_then(|known| known.parse().ok())
                .filter(|micros: &f64| micros.is_finite() && *micros >= 0.0)
                .unwrap_or(USUAL_MICROS_PER_MEGAPIXEL),
            megapixels_per_frame: pixels / 1e6,
            began: None,
        }
    }

    fn whole(&self, frames: u64) -> Duration {
        let micros = self.micros_per_megapixel * self.megapixels_per_frame * frames as f64;
        Duration::try_from_secs_f64(micros / 1e6).unwrap_or_default()
    }

    /// What is still to come before the last frame is done.
    pub(crate) fn coming(&mut self, frames: u64) -> Duration {
        self.began = None;
        self.whole(frames)
    }

    /// What is left of it at `now`, once it has begun; `None` where it takes longer than foreseen.
    pub(crate) fn remaining(&mut self, now: Duration, frames: u64) -> Option<Duration> {
        let began = *self.began.get_or_insert(now);
        self.whole(frames)
            .checked_sub(now.saturating_sub(began))
            .filter(|left| !left.is_zero())
    }

    /// What to give to the next job, half of it from this one; `None` if there was no ending, or
    /// none of a clip.
    pub(crate) fn learnt(&self, now: Duration, frames: u64) -> Option<String> {
        let megapixels = self.megapixels_per_frame * frames as f64;
        let took = now.saturating_sub(self.began?).as_secs_f64() * 1e6;
        (frames > 1 && megapixels > 0.0)
            .then(|| f64::midpoint(self.micros_per_megapixel, took / megapixels).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_job_is_foreseen_as_the_one_before_it_was() {
        let second = Duration::from_secs(1);
        let mut ending = Ending::new(1e6, None);
        assert_eq!(ending.coming(1000), Duration::from_micros(2_700_000));
        assert_eq!(ending.learnt(second, 1000), None, "it has not begun");
        assert_eq!(
            ending.remaining(10 * second, 1000),
            Some(Duration::from_micros(2_700_000))
        );
        assert_eq!(
            ending.remaining(12 * second, 1000),
            Some(Duration::from_micros(700_000))
        );
        assert_eq!(ending.remaining(13 * second, 1000), None, "nobody knows");
        // It took seven seconds instead of 2.7: halfway the next time.
        let learnt = ending.learnt(17 * second, 1000).unwrap();
        let mut next = Ending::new(2e6, Some(&learnt));
        assert_eq!(next.coming(1000), Duration::from_micros(9_700_000));
        assert_eq!(
            Ending::new(1e6, Some("NaN")).coming(1000),
            ending.coming(1000)
        );
        assert_eq!(next.learnt(second, 1), None);
    }

    const TICK: Duration = Duration::from_millis(100);

    /// The largest share by which a forecast of the time that is left was wrong, from ten seconds
    /// after the frames began to move until five seconds before the end, and when that was.
    /// `curve` says how many frames are done at a moment.
    fn worst(curve: impl Fn(f64) -> f64, total: u64, from_seconds: f64) -> (f64, f64) {
        let mut forecast = Forecast::default();
        let done_at = |at: Duration| (curve(at.as_secs_f64()) as u64).min(total);
        let mut end = Duration::ZERO;
        while done_at(end) < total {
            end += TICK;
        }
        let (mut worst, mut at) = ((0.0, 0.0), Duration::ZERO);
        while at < end {
            let done = done_at(at);
            forecast.note(at, done);
            let left = (end - at).as_secs_f64();
            if at.as_secs_f64() >= from_seconds && left > 5.0 {
                let said = forecast.remaining(at, done, total);
                let said = said.map_or(0.0, |said| said.as_secs_f64());
                let wrong = (said - left).abs() / left;
                if wrong > worst.0 {
                    worst = (wrong, at.as_secs_f64());
                }
            }
            at += TICK;
        }
        worst
    }

    #[track_caller]
    fn check(name: &str, worst: (f64, f64)) {
        assert!(
            worst.0 <= 0.2,
            "{name}: wrong by {:.0} % after {:.1} s",
            worst.0 * 100.0,
            worst.1
        );
    }

    #[test]
    fn what_is_left_is_right_within_a_fifth_after_ten_seconds() {
        check("steady", worst(|t| t * 20.0, 2000, 10.0));
        check("slow", worst(|t| t * 1.5, 150, 10.0));
        // Parts are handed on whole.
        let bursts = |t: f64| (t / 2.0).floor() * 50.0;
        check("bursts", worst(bursts, 3000, 10.0));
        // Scenes of two seconds, each half as hard or one and a half times as hard as usual.
        let scenes = |t: f64| t * 20.0 + (t * std::f64::consts::PI).sin() * 6.0;
        check("scenes", worst(scenes, 2000, 10.0));
    }

    #[test]
    fn a_slow_start_is_forgotten_within_ten_seconds() {
        // The model is opened for seven seconds, then all is fast.
        check("late", worst(|t| (t - 7.0).max(0.0) * 20.0, 2000, 17.0));
        // The first seconds are slower: caches are cold, look-ahead fills.
        let warming = |t: f64| match t {
            t if t < 4.0 => t * 6.0,
            t => 24.0 + (t - 4.0) * 20.0,
        };
        check("warming", worst(warming, 2400, 10.0));
    }

    #[test]
    fn a_change_that_lasts_is_followed_and_nothing_is_said_before_it_is_honest() {
        // Another program takes half of the machine after a minute; thirty seconds later the
        // forecast knows.
        let shared = |t: f64| {
            if t < 60.0 {
                t * 20.0
            } else {
                1200.0 + (t - 60.0) * 10.0
            }
        };
        check("shared", worst(shared, 3000, 105.0));
        let mut forecast = Forecast::default();
        forecast.note(Duration::ZERO, 0);
        forecast.note(Duration::from_secs(1), 30);
        assert_eq!(forecast.remaining(Duration::from_secs(1), 30, 300), None);
        // Resumed: what was done before is no speed.
        let mut forecast = Forecast::default();
        for tenth in 0..40 {
            forecast.note(TICK * tenth, 500 + u64::from(tenth));
        }
        let now = TICK * 39;
        let fps = forecast.speed(now).unwrap();
        assert!((fps - 10.0).abs() < 0.5, "{fps}");
    }

    #[test]
    fn a_long_job_is_remembered_in_few_samples() {
        let mut forecast = Forecast::default();
        for second in 0..20_000 {
            forecast.note(Duration::from_secs(second), second * 25);
        }
        assert!(forecast.samples.len() <= MOST_SAMPLES);
        let now = Duration::from_secs(19_999);
        let left = forecast.remaining(now, 19_999 * 25, 25_000 * 25).unwrap();
        assert!((left.as_secs_f64() - 5001.0).abs() < 20.0, "{left:?}");
    }
}
