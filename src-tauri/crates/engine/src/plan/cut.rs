//! What a `cut` node leaves out of a clip, in whole pictures where those come at an even rate.

use super::Stretch;
use frameloom_core::graph::{CutParams, parse_kept};
use frameloom_core::media::StreamInfo;
use frameloom_core::said;
use frameloom_core::said::{Said, SaidValue};
use frameloom_core::time::{TimeBase, Timestamp};
use frameloom_media::SourceHole;
use serde::{Deserialize, Serialize};

/// What is left out inside of a stretch, and how the sound is mended there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutPlan {
    /// In order; none of them touches another.
    pub holes: Vec<Hole>,
    /// How long the sound on both sides is mixed, in microseconds.
    pub fade_micros: i64,
}

impl CutPlan {
    /// What is left out, in the time of the file.
    pub(crate) fn source_holes(&self) -> impl Iterator<Item = SourceHole> + '_ {
        self.holes.iter().map(|hole| SourceHole {
            from_micros: hole.from_micros,
            to_micros: hole.to_micros,
        })
    }
}

/// A stretch that is left out, half-open. What comes behind it moves up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    /// Its first moment, in ticks of the stream.
    pub from_ticks: i64,
    /// The first moment behind it, in ticks of the stream.
    pub to_ticks: i64,
    /// The same moments in the time of the file, for everything else in it.
    pub from_micros: i64,
    /// The first moment behind it, in the time of the file.
    pub to_micros: i64,
}

impl Hole {
    /// Ticks that it is long.
    pub(crate) fn ticks(&self) -> i64 {
        self.to_ticks.saturating_sub(self.from_ticks)
    }
}

/// A kept stretch, in ticks; half-open, `None` for the end of the clip.
type Piece = (i64, Option<i64>);

/// What a node keeps of a clip.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub stretch: Stretch,
    pub cut: CutPlan,
    /// Pictures that begin in what is kept.
    pub frames: u64,
}

/// Works out what `params` keep of the pictures of `stream`, which are shown at `times`, rising.
/// They come at an even rate where `is_even`.
pub(super) fn found(
    params: &CutParams,
    stream: &StreamInfo,
    times: &[i64],
    is_even: bool,
) -> Result<Found, Said> {
    let kept = parse_kept(&params.keep).map_err(|reason| {
        said!(
            "clip.cut_list",
            "its list cannot be read: {reason}",
            reason = Said::from(reason)
        )
    })?;
    let base = stream.time_base;
    let start = stream
        .start_ticks
        .or(times.first().copied())
        .unwrap_or_default();
    let (Some(&first), Some(&last)) = (times.first(), times.last()) else {
        return Err(said!(
            "clip.cut_empty",
            "the clip has no picture that could be kept"
        ));
    };
    let mut pieces: Vec<Piece> = Vec::new();
    for stretch in &kept {
        let from = start.saturating_add(ticks(stretch.from_micros, base, false));
        let to = stretch
            .to_micros
            .map(|micros| start.saturating_add(ticks(micros, base, true)));
        // Where pictures come unevenly, the last may be shown for long.
        if from > last && is_even {
            break;
        }
        let (from, to) = if is_even {
            (
                on_screen(times, from).unwrap_or(first),
                to.and_then(|to| next(times, to)),
            )
        } else {
            (from.max(first), to)
        };
        match pieces.last_mut() {
            // Grown to whole pictures they may meet.
            Some((_, end)) if end.is_none_or(|end| end >= from) => {
                *end = end.and_then(|end| to.map(|to| to.max(end)));
            }
            _ => pieces.push((from, to)),
        }
    }
    let micros = |ticks| Timestamp::new(ticks, base).micros();
    let (Some(&(from, _)), Some(&(_, to))) = (pieces.first(), pieces.last()) else {
        let begins = kept.first().map_or(0, |kept| kept.from_micros);
        let seconds = |micros: i64| SaidValue::decimal(micros as f64 / 1e6, 2);
        return Err(said!(
            "clip.cut_too_late",
            "its first stretch begins at {start} s, and the last picture of the clip is shown at {end} s",
            start = seconds(begins),
            end = seconds(micros(last).saturating_sub(micros(start)))
        ));
    };
    let holes = pieces.windows(2).filter_map(|pair| {
        let (from_ticks, to_ticks) = (pair[0].1?, pair[1].0);
        Some(Hole {
            from_ticks,
            to_ticks,
            from_micros: micros(from_ticks),
            to_micros: micros(to_ticks),
        })
    });
    let inside = |time: &&i64| {
        let piece = pieces.partition_point(|(_, to)| to.is_some_and(|to| to <= **time));
        pieces.get(piece).is_some_and(|(from, _)| from <= *time)
    };
    Ok(Found {
        frames: times.iter().filter(inside).count() as u64,
        cut: CutPlan {
            holes: holes.collect(),
            fade_micros: params.fade_micros(),
        },
        stretch: Stretch {
            from_ticks: Some(from),
            to_ticks: to,
            from_micros: micros(from),
            to_micros: to.map(micros),
            holds_first: !is_even,
        },
    })
}

/// Microseconds in ticks, rounded down, or up.
fn ticks(micros: i64, base: TimeBase, up: bool) -> i64 {
    let base = base.ratio();
    let num = i128::from(micros) * i128::from(base.den);
    let den = 1_000_000 * i128::from(base.num);
    let whole = num.div_euclid(den) + i128::from(up && num.rem_euclid(den) != 0);
    i64::try_from(whole).unwrap_or(i64::MAX)
}

/// The picture on screen at a moment.
fn on_screen(times: &[i64], at: i64) -> Option<i64> {
    let behind = times.partition_point(|&time| time <= at);
    times.get(behind.checked_sub(1)?).copied()
}

/// The first picture that begins at a moment or behind it.
fn next(times: &[i64], at: i64) -> Option<i64> {
    times.get(times.partition_point(|&time| time < at)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use frameloom_core::media::StreamKind;

    fn stream(start_ticks: i64) -> StreamInfo {
        StreamInfo {
            index: 0,
            kind: StreamKind::Video,
            codec: "h264".into(),
            profile: None,
            time_base: TimeBase::new(1, 1_000).unwrap(),
            start_ticks: Some(start_ticks),
            duration_ticks: None,
            frame_count: None,
            bit_rate: None,
            language: None,
            tags: Default::default(),
            dispositions: Vec::new(),
            video: None,
            audio: None,
        }
    }

    fn keep(text: &str, times: &[i64], is_even: bool) -> Result<(Piece, Vec<Piece>, u64), String> {
        let start = times.first().copied().unwrap_or(0);
        let found = found(&CutParams::new(text), &stream(start), times, is_even)
            .map_err(|said| said.text)?;
        let holes = found.cut.holes.iter();
        assert_eq!(found.cut.fade_micros, 20_000);
        Ok((
            (found.stretch.from_ticks.unwrap(), found.stretch.to_ticks),
            holes
                .map(|hole| (hole.from_ticks, Some(hole.to_ticks)))
                .collect(),
            found.frames,
        ))
    }

    /// 25 pictures a second from 10 s on.
    fn even() -> Vec<i64> {
        (0..100).map(|n| 10_000 + n * 40).collect()
    }

    #[test]
    fn stretches_grow_to_whole_pictures_where_those_come_evenly() {
        let times = even();
        // 0.05 s lies in the second picture, 0.13 s in the fourth.
        let (stretch, holes, frames) = keep("0.05-0.13\n1-1.04\n2.001-", &times, true).unwrap();
        assert_eq!(stretch, (10_040, None));
        assert_eq!(holes, [(10_160, Some(11_000)), (11_040, Some(12_000))]);
        assert_eq!(frames, 3 + 1 + 50);
    }

    #[test]
    fn stretches_that_meet_once_they_have_grown_are_one() {
        let (stretch, holes, frames) = keep("0-0.13\n0.14-1", &even(), true).unwrap();
        assert_eq!((stretch, holes), ((10_000, Some(11_000)), vec![]));
        assert_eq!(frames, 25);
    }

    #[test]
    fn what_lies_behind_the_clip_is_not_there() {
        let (stretch, holes, _) = keep("0-1\n50-60", &even(), true).unwrap();
        assert_eq!((stretch, holes), ((10_000, Some(11_000)), vec![]));
        let refused = keep("50-60", &even(), true).unwrap_err();
        assert!(refused.contains("50"), "{refused}");
        assert!(keep("0-1", &[], true).is_err());
        assert!(keep("1-0", &even(), true).is_err());
    }

    #[test]
    fn where_pictures_come_unevenly_moments_stay_what_they_are() {
        let times = [10_000, 13_000, 13_100, 19_000];
        let (stretch, holes, frames) = keep("0.5-1\n3.05-4\n5-5.5", &times, false).unwrap();
        assert_eq!(stretch, (10_500, Some(15_500)));
        assert_eq!(holes, [(11_000, Some(13_050)), (14_000, Some(15_000))]);
        assert_eq!(frames, 1);
    }
}
