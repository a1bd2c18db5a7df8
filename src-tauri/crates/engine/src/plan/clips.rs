//! What of a clip is read, and where each of several lies in the result.

use super::cut;
use super::{ClipPlan, CutPlan, Inputs, Joined};
use crate::EngineError;
use crate::nodes::{Joints, Pace};
use crate::sound::ClipSpan;
use frameloom_core::graph::{Layout, Line, Op, slowness};
use frameloom_core::job::JobSpec;
use frameloom_core::media::{MediaInfo, MediaKind, StreamInfo, StreamKind, VideoInfo, Warning};
use frameloom_core::said;
use frameloom_core::said::{Said, SaidValue};
use frameloom_core::time::{Rational, TimeBase, Timestamp};
use serde::{Deserialize, Serialize};

/// A stretch of a clip, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// First time of a frame, in ticks of the stream.
    pub from_ticks: Option<i64>,
    /// First time that is out, in ticks of the stream.
    pub to_ticks: Option<i64>,
    /// The same moments in the time of the file, for everything else in it.
    pub from_micros: i64,
    /// `None` for the end of the file.
    pub to_micros: Option<i64>,
    /// The picture that is on screen at `from_ticks` is its first, moved there: so where pictures
    /// come at uneven times. Plans of older versions leave it out.
    #[serde(default)]
    pub holds_first: bool,
}

impl Stretch {
    /// Times of the pictures that belong to it, in ticks. `all` rises.
    fn times(self, all: &[i64]) -> Vec<i64> {
        let (from, to) = (self.from_ticks.unwrap_or(i64::MIN), self.to_ticks);
        let before = all.partition_point(|&t| t < from);
        let next = all.get(before);
        // What is on screen at its start, unless a picture begins there.
        let first = (self.holds_first && before > 0 && next.is_some_and(|&t| t > from))
            .then_some(from)
            .filter(|&from| to.is_none_or(|to| from < to));
        let rest = all[before..].iter().copied();
        let inside = rest.take_while(|&t| to.is_none_or(|to| t < to));
        first.into_iter().chain(inside).collect()
    }
}

/// What of a clip is read.
pub(crate) struct ClipOf {
    /// The stream of its pictures.
    pub stream: u32,
    pub stretch: Option<Stretch>,
    /// What is left out of that.
    pub cut: Option<CutPlan>,
    /// How many times as long it lasts in the result, more than 1.
    pub slow: Option<Rational>,
    /// About how many frames.
    pub frames: Option<u64>,
}

/// What a line reads of its input.
///
/// # Errors
/// The input holds no pictures, or what is to be kept of it is not there.
pub(crate) fn clip_of(
    line: &Line<'_>,
    info: &MediaInfo,
    spec: &JobSpec,
) -> Result<ClipOf, EngineError> {
    let (stream, video) = info.main_video().ok_or_else(|| EngineError::Node {
        node: line.source.to_owned(),
        reason: said!("clip.no_pictures", "its file holds no pictures"),
    })?;
    let slow =
        slowness(line.steps.iter().map(|step| step.op)).ok_or_else(|| EngineError::Node {
            node: line.source.to_owned(),
            reason: said!("clip.slowness", "it would last longer than can be counted"),
        })?;
    let slow = Some(slow).filter(|slow| *slow > Rational::ONE);
    if let Some(found) = cut_of(line, stream, video, spec)? {
        return Ok(ClipOf {
            slow,
            stream: stream.index,
            stretch: Some(found.stretch),
            frames: Some(found.frames),
            cut: (!found.cut.holes.is_empty()).then_some(found.cut),
        });
    }
    let stretch = stretch(&line.ops(), info, (stream, video))?;
    let frames = frames_estimate(info, stream, video);
    Ok(ClipOf {
        stream: stream.index,
        cut: None,
        slow,
        frames: match stretch {
            Some(stretch) => frames_in(stretch, frames, stream, video),
            None => frames,
        },
        stretch,
    })
}

/// When the pictures of a clip are shown.
struct Times {
    ticks: Vec<i64>,
    time_base: TimeBase,
}

impl Times {
    /// Of the input of a job that its graph calls `name`.
    fn of(spec: &JobSpec, name: &str) -> Result<Self, EngineError> {
        // The clock of numbered pictures ticks once for each.
        if let Some(run) = spec.pictures_of(name) {
            return Ok(Self {
                ticks: (0..i64::try_from(run.count).unwrap_or(i64::MAX)).collect(),
                time_base: TimeBase::new(run.rate.ratio().den, run.rate.ratio().num)
                    .unwrap_or(TimeBase::MICROS),
            });
        }
        let found = frameloom_media::frame_times(spec.path_of(name))?;
        Ok(Self {
            ticks: found.ticks,
            time_base: found.time_base,
        })
    }
}

/// What a `cut` node keeps; `None` where there is none.
fn cut_of(
    line: &Line<'_>,
    stream: &StreamInfo,
    video: &VideoInfo,
    spec: &JobSpec,
) -> Result<Option<cut::Found>, EngineError> {
    let mut steps = line.steps.iter().enumerate();
    let Some((place, step, params)) = steps.find_map(|(place, step)| match step.op {
        Op::Cut(params) => Some((place, step, params)),
        _ => None,
    }) else {
        return Ok(None);
    };
    let refuse = |reason| EngineError::Node {
        node: step.id.to_owned(),
        reason,
    };
    // Behind the source: what is cut away is not worked on.
    let another =
        |step: &frameloom_core::graph::Step<'_>| matches!(step.op, Op::Cut(_) | Op::Trim(_));
    if place != 0 || line.steps.iter().skip(1).any(another) {
        return Err(refuse(said!(
            "clip.cut_place",
            "put it right after the source; a graph has one `cut`, and then no `trim`"
        )));
    }
    let times = Times::of(spec, line.input)?;
    let is_even = video.variable_frame_rate == Some(false);
    let found = cut::found(params, stream, &times.ticks, is_even).map_err(refuse)?;
    Ok(Some(found))
}

/// Refuses a `cut` and slow motion on a line where they have no meaning yet.
pub(crate) fn refuse_retimed(line: &Line<'_>) -> Result<(), EngineError> {
    for step in &line.steps {
        let reason = match step.op {
            Op::Cut(_) => said!(
                "clip.cut_alone",
                "a clip that is joined with others, laid over them or put behind them cannot be cut on the way; make a file of it first, and use that"
            ),
            Op::Interpolate(params) if params.slowness() > Rational::ONE => said!(
                "clip.slow_alone",
                "a clip that is joined with others, laid over them or put behind them cannot be slowed down on the way; make a file of it first, and use that"
            ),
            _ => continue,
        };
        return Err(EngineError::Node {
            node: step.id.to_owned(),
            reason,
        });
    }
    Ok(())
}

/// Lays clips one behind another; `None` where there is one. `pace` is that of the first when it
/// reaches the end of the graph.
pub(super) fn join_clips(
    layout: &Layout<'_>,
    inputs: &Inputs<'_>,
    pace: Pace,
    joints: &mut Joints,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Joined>, EngineError> {
    if layout.pictures.len() < 2 {
        return Ok(None);
    }
    // Fine enough for every clip: whole microseconds where their ticks have no small multiple.
    let mut time_base = pace.time_base;
    let mut clips = Vec::new();
    for line in &layout.pictures {
        let info = inputs.info(line)?;
        if info.kind == MediaKind::Still {
            return Err(EngineError::Node {
                node: line.source.to_owned(),
                reason: said!(
                    "clip.still",
                    "a still picture has no length and cannot be joined with clips"
                ),
            });
        }
        let own = inputs.result(line, true, joints)?.pace.time_base;
        time_base = common_base(time_base, own);
        refuse_retimed(line)?;
        let clip = clip_of(line, info, inputs.spec)?;
        let times = Times::of(inputs.spec, line.input)?;
        let inside = match clip.stretch {
            Some(stretch) => stretch.times(&times.ticks),
            None => times.ticks.clone(),
        };
        let (Some(&first), Some(&last)) = (inside.first(), inside.last()) else {
            return Err(EngineError::Node {
                node: line.source.to_owned(),
                reason: said!(
                    "clip.empty_stretch",
                    "no picture lies in that stretch of it"
                ),
            });
        };
        // The last picture is shown as long as pictures are on average, or until the next.
        let next = times.ticks.iter().copied().find(|&t| t > last);
        let mean = (last - first) / (inside.len() as i64 - 1).max(1);
        let rate = info.main_video().and_then(|(_, v)| v.frame_rate);
        let by_rate = rate
            .and_then(|rate| rate.ratio().recip())
            .and_then(|seconds| TimeBase::new(seconds.num, seconds.den))
            .map(|frame| Timestamp::new(1, frame).rescaled(times.time_base).ticks);
        let shown = by_rate.filter(|&t| t > 0).unwrap_or(mean.max(1));
        let end = next.unwrap_or(last.saturating_add(shown));
        let micros = |ticks| Timestamp::new(ticks, times.time_base).micros();
        clips.push((
            Timestamp::new(end - first, times.time_base),
            ClipPlan {
                input: line.input.to_owned(),
                stream: clip.stream,
                stretch: clip.stretch,
                at_ticks: 0,
                at_micros: 0,
                from_micros: micros(first),
                to_micros: micros(end),
            },
        ));
        let subtitles = info.streams.iter().any(|s| s.kind == StreamKind::Subtitle);
        let timed = subtitles || !info.chapters.is_empty();
        if timed && clips.len() > 1 {
            warnings.push(Warning::dropped(said!(
                "lost.subtitles_of",
                "subtitles and chapters of `{input}`",
                input = line.input
            )));
        }
    }
    // The first keeps the times that it has: what is copied of its file goes with them.
    let start = clips.first().map_or(0, |(_, clip)| clip.from_micros);
    let mut at = Timestamp::new(start, TimeBase::MICROS)
        .rescaled(time_base)
        .ticks;
    let first = at;
    let clips = clips
        .into_iter()
        .map(|(length, mut clip)| {
            clip.at_ticks = at;
            clip.at_micros = Timestamp::new(at - first, time_base).micros();
            at = at.saturating_add(length.rescaled(time_base).ticks.max(1));
            clip
        })
        .collect();
    Ok(Some(Joined { time_base, clips }))
}

/// Ticks that fit those of both as far as that is possible.
fn common_base(a: TimeBase, b: TimeBase) -> TimeBase {
    /// Finer ticks would not last for a day in the containers that count in 32 bits.
    const FINEST: i64 = 1_000_000;
    let (a, b) = (a.ratio(), b.ratio());
    if a == b {
        return TimeBase::new(a.num, a.den).unwrap_or(TimeBase::MICROS);
    }
    let gcd = |mut x: i64, mut y: i64| {
        while y != 0 {
            (x, y) = (y, x % y);
        }
        x.max(1)
    };
    (a.den / gcd(a.den, b.den))
        .checked_mul(b.den)
        .filter(|&den| den <= FINEST)
        .and_then(|den| TimeBase::new(1, den))
        .unwrap_or(TimeBase::MICROS)
}

/// The stretch that a `trim` node keeps.
fn stretch(
    ops: &[(&str, &Op)],
    info: &MediaInfo,
    (stream, video): (&StreamInfo, &VideoInfo),
) -> Result<Option<Stretch>, EngineError> {
    let mut found = None;
    for (place, (node, op)) in ops.iter().enumerate() {
        let Op::Trim(params) = op else { continue };
        // Behind the source: what is cut away is not even read.
        if place != 0 {
            return Err(EngineError::Node {
                node: (*node).to_owned(),
                reason: said!(
                    "clip.trim_place",
                    "put it right after the source; a graph has one trim"
                ),
            });
        }
        if let (Some(start), Some(length)) = (params.start, length_micros(info, stream))
            && i128::from(start.num) * 1_000_000 >= i128::from(length) * i128::from(start.den)
        {
            return Err(EngineError::Node {
                node: (*node).to_owned(),
                reason: begins_too_late(start, length),
            });
        }
        let base = stream.time_base.ratio();
        let start = stream.start_ticks.unwrap_or(0);
        // The first tick that is not earlier.
        let ticks = |seconds: Rational| {
            let num = i128::from(seconds.num) * i128::from(base.den);
            let den = i128::from(seconds.den) * i128::from(base.num);
            let up = num.div_euclid(den) + i128::from(num.rem_euclid(den) != 0);
            i64::try_from(up).unwrap_or(i64::MAX).saturating_add(start)
        };
        let micros = |seconds: Rational| {
            let whole = i128::from(seconds.num) * 1_000_000 / i128::from(seconds.den);
            Timestamp::new(start, stream.time_base)
                .micros()
                .saturating_add(i64::try_from(whole).unwrap_or(i64::MAX))
        };
        found = Some(Stretch {
            from_ticks: params.start.map(ticks),
            to_ticks: params.end.map(ticks),
            from_micros: micros(params.start.unwrap_or(Rational { num: 0, den: 1 })),
            to_micros: params.end.map(micros),
            holds_first: params.start.is_some() && video.variable_frame_rate != Some(false),
        });
    }
    Ok(found)
}

/// How long a clip is, as far as its file tells: the longest of what it says.
fn length_micros(info: &MediaInfo, stream: &StreamInfo) -> Option<i64> {
    let of_stream = stream
        .duration_ticks
        .map(|ticks| Timestamp::new(ticks, stream.time_base).micros());
    of_stream.max(info.duration_micros).filter(|&l| l > 0)
}

/// Why nothing is left of a clip that is `length` microseconds long.
pub(super) fn begins_too_late(start: Rational, length: i64) -> Said {
    said!(
        "clip.too_late",
        "it begins at {start} s, and the clip ends at {end} s; choose an earlier start",
        start = SaidValue::decimal(start.to_f64(), 2),
        end = SaidValue::decimal(length as f64 / 1e6, 2)
    )
}

/// The clips that are shown, in order. Their time is that of the first one's file.
pub(crate) fn spans(
    stream: &StreamInfo,
    stretch: Option<Stretch>,
    joined: Option<&Joined>,
    main: &str,
) -> Vec<ClipSpan> {
    if let Some(joined) = joined {
        let start = joined.clips.first().map_or(0, |clip| clip.from_micros);
        let clips = joined.clips.iter().map(|clip| ClipSpan {
            input: clip.input.clone(),
            from_micros: clip.from_micros,
            to_micros: Some(clip.to_micros),
            at_micros: start.saturating_add(clip.at_micros),
        });
        return clips.collect();
    }
    let start = Timestamp::new(stream.start_ticks.unwrap_or(0), stream.time_base).micros();
    let from_micros = stretch.map_or(start, |stretch| stretch.from_micros);
    vec![ClipSpan {
        input: main.to_owned(),
        from_micros,
        to_micros: stretch.and_then(|stretch| stretch.to_micros),
        at_micros: from_micros,
    }]
}

/// About how many frames lie in a stretch.
fn frames_in(
    stretch: Stretch,
    all: Option<u64>,
    stream: &StreamInfo,
    video: &VideoInfo,
) -> Option<u64> {
    let rate = video.frame_rate?.ratio().to_f64();
    let seconds = |ticks: i64| ticks as f64 * stream.time_base.ratio().to_f64();
    let start = stream.start_ticks.unwrap_or(0);
    let from = seconds(stretch.from_ticks.unwrap_or(start) - start);
    let length = all.map(|frames| frames as f64 / rate);
    let to = match (stretch.to_ticks, length) {
        (Some(to), Some(length)) => seconds(to - start).min(length),
        (Some(to), None) => seconds(to - start),
        (None, length) => length?,
    };
    Some(((to - from).max(0.0) * rate).round() as u64)
}

fn frames_estimate(info: &MediaInfo, stream: &StreamInfo, video: &VideoInfo) -> Option<u64> {
    if let Some(count) = stream.frame_count.filter(|&count| count > 0) {
        return Some(count);
    }
    let micros = stream
        .duration_ticks
        .map(|ticks| frameloom_core::time::Timestamp::new(ticks, stream.time_base).micros())
        .or(info.duration_micros)?;
    let fps = video.frame_rate?.ratio().to_f64();
    let frames = (micros as f64 / 1e6 * fps).round();
    (frames >= 1.0).then_some(frames as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(holds_first: bool, from: i64, to: Option<i64>) -> Vec<i64> {
        let stretch = Stretch {
            from_ticks: Some(from),
            to_ticks: to,
            from_micros: 0,
            to_micros: None,
            holds_first,
        };
        stretch.times(&[0, 1000, 1040])
    }

    #[test]
    fn a_stretch_begins_with_the_picture_on_screen_unless_the_grid_is_even() {
        assert_eq!(times(true, 300, None), [300, 1000, 1040]);
        assert_eq!(times(false, 300, None), [1000, 1040]);
        // One that begins there needs no other; nor is one behind the last known to be shown.
        assert_eq!(times(true, 1000, None), [1000, 1040]);
        assert!(times(true, 2000, None).is_empty());
        assert_eq!(times(true, 300, Some(900)), [300]);
        assert_eq!(times(true, -10, Some(900)), [0]);
    }
}
