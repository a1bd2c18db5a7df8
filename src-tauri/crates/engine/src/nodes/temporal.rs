//! Nodes with a memory of time: what comes out depends on neighbouring frames.
//!
//! Each says how many frames before and after a frame its result depends on. The engine starts
//! such nodes anew at every segment and feeds them that window, so that the result of a segment
//! is the same whoever computes it, and when.

use super::PictureFormat;
use crate::EngineError;
use frameloom_core::graph::{DeinterlaceParams, DeinterlaceRate, InterlacedFrames, Op, Parity};
use frameloom_core::time::{FrameRate, Rational, TimeBase, Timestamp};
use frameloom_infer::CancelHandle;
use frameloom_media::{FilterGraph, FilterInput, FilterSpec, Frame};
use std::collections::VecDeque;

/// A frame and the time of the source frame that it belongs to, in ticks of the source.
pub struct Timed {
    /// The picture, its times in the pace of the node that gave it.
    pub frame: Frame,
    /// Time of the source frame.
    pub source_pts: i64,
}

/// Frames of its input that a node's result depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// Before the frame.
    pub warm_up: u64,
    /// After it.
    pub look_ahead: u64,
}

/// Takes what a node gives.
pub type Give<'a> = dyn FnMut(Timed) -> Result<(), EngineError> + 'a;

/// A node that makes frames of several frames.
pub trait Temporal: Send {
    /// What comes out.
    fn output(&self) -> &PictureFormat;
    /// Stops the running call of its model from another thread, where it has one.
    fn cancel_handle(&self) -> Option<CancelHandle> {
        None
    }
    /// Forgets every frame.
    ///
    /// # Errors
    /// The filter cannot be opened again.
    fn restart(&mut self) -> Result<(), EngineError>;
    /// Takes the next frame; what is ready goes to `give`.
    ///
    /// # Errors
    /// The filter fails, or what `give` says.
    fn push(&mut self, frame: Timed, give: &mut Give<'_>) -> Result<(), EngineError>;
    /// No further frame comes: what was held back goes to `give`.
    ///
    /// # Errors
    /// The filter fails, or what `give` says.
    fn finish(&mut self, give: &mut Give<'_>) -> Result<(), EngineError>;
}

/// Fields into pictures, by bwdif.
pub(super) struct Deinterlace {
    filters: Vec<FilterSpec>,
    input: FilterInput,
    threads: usize,
    graph: Option<FilterGraph>,
    /// Frames inside of the filter: their time, the source's, and how long they are shown.
    inside: VecDeque<(i64, i64, i64)>,
    output: PictureFormat,
}

impl Deinterlace {
    pub(super) fn open(
        params: DeinterlaceParams,
        input: &PictureFormat,
        output: PictureFormat,
        threads: usize,
    ) -> Result<Self, EngineError> {
        let mode = match params.rate {
            DeinterlaceRate::Frame => "send_frame",
            DeinterlaceRate::Field => "send_field",
        };
        let parity = match params.parity {
            Parity::Auto => "auto",
            Parity::Top => "tff",
            Parity::Bottom => "bff",
        };
        let which = match params.frames {
            InterlacedFrames::All => "all",
            InterlacedFrames::Flagged => "interlaced",
        };
        let filters = vec![FilterSpec {
            name: "bwdif",
            options: vec![
                ("mode", mode.to_owned()),
                ("parity", parity.to_owned()),
                ("deint", which.to_owned()),
            ],
        }];
        let mut node = Self {
            filters,
            input: super::filter_input(input),
            threads,
            graph: None,
            inside: VecDeque::new(),
            output,
        };
        // A format that the filter does not take is refused now, not in the middle.
        node.restart()?;
        Ok(node)
    }

    fn graph(&mut self) -> Result<&mut FilterGraph, EngineError> {
        let graph = match self.graph.take() {
            Some(graph) => graph,
            None => FilterGraph::open(&self.filters, &self.input, self.threads)?,
        };
        Ok(self.graph.insert(graph))
    }

    fn drain(&mut self, give: &mut Give<'_>) -> Result<(), EngineError> {
        let base = self.output.pace.time_base;
        let inner = self.input.time_base;
        loop {
            let graph = self.graph()?;
            let finer = graph.time_base();
            let Some(mut frame) = graph.receive()? else {
                return Ok(());
            };
            // The frame that it was made of: the last one that is not later.
            let at = frame.pts();
            let is_later = |pts: i64| Timestamp::new(pts, inner).rescaled(finer).ticks > at;
            while self.inside.get(1).is_some_and(|next| !is_later(next.0)) {
                self.inside.pop_front();
            }
            let (_, source_pts, duration) = self.inside.front().copied().unwrap_or((at, at, 0));
            let pts = Timestamp::new(at, finer).rescaled(base).ticks;
            // In the field's finer ticks each field lasts as many as the frame in its own.
            frame.set_timing(pts, duration);
            give(Timed { frame, source_pts })?;
        }
    }
}

impl Temporal for Deinterlace {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn restart(&mut self) -> Result<(), EngineError> {
        self.graph = None;
        self.inside.clear();
        self.graph().map(drop)
    }

    fn push(&mut self, timed: Timed, give: &mut Give<'_>) -> Result<(), EngineError> {
        let Timed { frame, source_pts } = timed;
        self.inside
            .push_back((frame.pts(), source_pts, frame.duration()));
        self.graph()?.send(&frame)?;
        self.drain(give)
    }

    fn finish(&mut self, give: &mut Give<'_>) -> Result<(), EngineError> {
        self.graph()?.flush()?;
        self.drain(give)
    }
}

/// The fixed grid of times of a constant rate. It begins at time zero of the stream, so it is the
/// same for every segment.
pub(super) struct Slots {
    from: TimeBase,
    to: TimeBase,
    /// Half a tick in which a clock may have rounded, in halves of a tick of `from`.
    grace: i128,
    /// How long a frame is shown where it does not say, in ticks of `from`.
    pub step: i64,
}

impl Slots {
    /// From the times of `input`, which last `slow` times as long there, to those of `output`, whose
    /// ticks are the slots. `None` where such a time cannot be counted.
    pub(super) fn new(
        input: &PictureFormat,
        output: &PictureFormat,
        slow: Rational,
    ) -> Option<Self> {
        let from = input.pace.time_base;
        let step = input
            .pace
            .frame_rate
            .and_then(|rate| rate.ratio().recip())
            .and_then(|seconds| TimeBase::new(seconds.num, seconds.den))
            .map_or(1, |base| Timestamp::new(1, base).rescaled(from).ticks)
            .max(1);
        // Containers with a fine clock round the times of frames to it.
        let tick = from.ratio();
        Some(Self {
            from: from.slowed(slow)?,
            to: output.pace.time_base,
            grace: i128::from(tick.num.saturating_mul(1_000) <= tick.den),
            step,
        })
    }

    /// The first slot that is not before `ticks`; half a tick of grace keeps a frame that was rounded
    /// up in its slot.
    pub(super) fn slot(&self, ticks: i64) -> i64 {
        let (from, to) = (self.from.ratio(), self.to.ratio());
        let num = (2 * i128::from(ticks) - self.grace) * i128::from(from.num) * i128::from(to.den);
        let den = 2 * i128::from(from.den) * i128::from(to.num);
        let up = num.div_euclid(den) + i128::from(num.rem_euclid(den) != 0);
        i64::try_from(up).unwrap_or(if up < 0 { i64::MIN } else { i64::MAX })
    }

    /// How far a slot lies on the way from one time to a later one: 0 at the first, 1 at the other.
    pub(super) fn way(&self, slot: i64, (first, next): (i64, i64)) -> f64 {
        let (from, to) = (self.from.ratio(), self.to.ratio());
        let at = i128::from(slot) * i128::from(to.num) * i128::from(from.den);
        let unit = i128::from(from.num) * i128::from(to.den);
        let length = (i128::from(next) - i128::from(first)).max(1) * unit;
        (at - i128::from(first) * unit) as f64 / length as f64
    }

    /// Nearer to one of two times than this part of the way between them, a slot is at that time: it
    /// is to the eye, or as far as a clock that rounds can tell.
    pub(super) fn near(&self, times: (i64, i64)) -> f64 {
        /// Nobody sees such a difference.
        const SEEN: f64 = 0.02;
        let length = (i128::from(times.1) - i128::from(times.0)).max(1);
        let rounded = self.grace as f64 * 0.55 / length as f64;
        // Of slots that lie closely, the neighbours are others.
        let step = self.way(1, times) - self.way(0, times);
        SEEN.min(step / 4.0).max(rounded.min(step * 0.45))
    }

    /// Slots of the last frame of a clip, which is shown at least once.
    pub(super) fn last(&self, frame: &Frame) -> std::ops::Range<i64> {
        let length = match frame.duration() {
            0 => self.step,
            duration => duration,
        };
        let first = self.slot(frame.pts());
        let end = self.slot(frame.pts().saturating_add(length));
        first..end.max(first + 1)
    }

    /// Shows a frame in several slots.
    pub(super) fn show(
        held: &Timed,
        slots: std::ops::Range<i64>,
        give: &mut Give<'_>,
    ) -> Result<(), EngineError> {
        for slot in slots {
            let mut frame = held.frame.share()?;
            frame.set_timing(slot, 1);
            give(Timed {
                frame,
                source_pts: held.source_pts,
            })?;
        }
        Ok(())
    }
}

/// A constant rate: every slot of the grid shows what the clip shows at that moment.
pub(super) struct Fps {
    slots: Slots,
    output: PictureFormat,
    held: Option<Timed>,
}

impl Fps {
    /// `None` where the times of `input` cannot be counted.
    pub(super) fn open(input: &PictureFormat, output: PictureFormat) -> Option<Self> {
        Some(Self {
            slots: Slots::new(input, &output, Rational::ONE)?,
            output,
            held: None,
        })
    }
}

impl Temporal for Fps {
    fn output(&self) -> &PictureFormat {
        &self.output
    }

    fn restart(&mut self) -> Result<(), EngineError> {
        self.held = None;
        Ok(())
    }

    fn push(&mut self, timed: Timed, give: &mut Give<'_>) -> Result<(), EngineError> {
        if let Some(held) = self.held.take() {
            let slots = self.slots.slot(held.frame.pts())..self.slots.slot(timed.frame.pts());
            Slots::show(&held, slots, give)?;
        }
        self.held = Some(timed);
        Ok(())
    }

    fn finish(&mut self, give: &mut Give<'_>) -> Result<(), EngineError> {
        match self.held.take() {
            Some(held) => Slots::show(&held, self.slots.last(&held.frame), give),
            None => Ok(()),
        }
    }
}

/// What the result of an operation depends on, in frames of its input; `None` where it has no
/// memory of time. `rate` is that of its input.
fn window_of(op: &Op, rate: Option<FrameRate>) -> Option<Window> {
    match op {
        // Bwdif looks at the fields of both neighbours.
        Op::Deinterlace(_) => Some(Window {
            warm_up: 1,
            look_ahead: 1,
        }),
        Op::Stabilise(params) => {
            let reach = super::stabilise::reach(params, rate);
            Some(Window {
                warm_up: reach,
                look_ahead: reach,
            })
        }
        // A frame is shown until the next one comes, or on its way there.
        Op::Fps { .. } | Op::Interpolate(_) => Some(Window {
            warm_up: 0,
            look_ahead: 1,
        }),
        Op::Background(params) if params.smooth > 0.0 => Some(Window {
            warm_up: super::steady::REACH as u64,
            look_ahead: super::steady::REACH as u64,
        }),
        Op::Light(params) if params.smooth > 0.0 => Some(Window {
            warm_up: super::steady::REACH as u64,
            look_ahead: super::steady::REACH as u64,
        }),
        Op::Style(params) if params.smooth > 0.0 => Some(Window {
            warm_up: super::style::REACH as u64,
            look_ahead: super::style::REACH as u64,
        }),
        Op::Depth(params) if params.smooth > 0.0 => Some(Window {
            warm_up: super::depth::REACH as u64,
            look_ahead: super::depth::REACH as u64,
        }),
        // What moves is seen against the picture before.
        Op::Reframe(params) if params.keys.is_none() => {
            let reach = super::reframe::reach(params, rate);
            Some(Window {
                warm_up: reach + 1,
                look_ahead: reach,
            })
        }
        Op::Redact(params) if params.model.is_some() => Some(Window {
            warm_up: super::redact::REACH as u64,
            look_ahead: super::redact::REACH as u64,
        }),
        _ => None,
    }
}

/// What the result of a chain depends on, in frames of a source of this rate.
pub(crate) fn source_window(ops: &[(&str, &Op)], source: Option<FrameRate>) -> Window {
    let mut rate = source;
    let mut slow = Rational::ONE;
    let mut all = Window::default();
    for (_, op) in ops {
        if let Some(window) = window_of(op, rate) {
            // As many to a second of the source.
            let dense = rate.and_then(|rate| {
                let rate = rate.ratio().times(slow)?;
                FrameRate::new(rate.num, rate.den)
            });
            all.warm_up += source_frames(window.warm_up, source, dense);
            all.look_ahead += source_frames(window.look_ahead, source, dense);
        }
        if let Op::Interpolate(params) = op {
            slow = slow.times(params.slowness()).unwrap_or(slow);
        }
        rate = match op {
            Op::Fps { rate } => Some(*rate),
            Op::Interpolate(params) => params.rate_of(rate),
            Op::Deinterlace(params) if params.rate == DeinterlaceRate::Field => rate
                .map(FrameRate::ratio)
                .and_then(|r| FrameRate::new(r.num.checked_mul(2)?, r.den)),
            _ => rate,
        };
    }
    all
}

/// How many source frames `count` frames at `rate` are, rounded up; unknown rates count as equal.
fn source_frames(count: u64, source: Option<FrameRate>, rate: Option<FrameRate>) -> u64 {
    let (Some(source), Some(rate)) = (source, rate) else {
        return count;
    };
    if count == 0 || source == rate {
        return count;
    }
    let frames = count as f64 * source.ratio().to_f64() / rate.ratio().to_f64();
    // One more: the frames need not lie evenly.
    (frames.ceil() as u64).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::super::Pace;
    use super::*;
    use frameloom_core::color::ColorInfo;
    use frameloom_core::graph::InterpolateParams;
    use frameloom_core::pixel::PixelFormat;

    fn format(base: (i64, i64), rate: i64) -> PictureFormat {
        PictureFormat {
            width: 16,
            height: 16,
            pixels: PixelFormat::YUV420P8,
            color: ColorInfo::default(),
            sample_aspect_ratio: Rational { num: 1, den: 1 },
            pace: Pace {
                time_base: TimeBase::new(base.0, base.1).unwrap(),
                frame_rate: FrameRate::new(rate, 1),
            },
        }
    }

    fn shown(times: &[i64], to: i64) -> Vec<(i64, i64)> {
        let mut node = Fps::open(&format((1, 1000), 25), format((1, to), to)).unwrap();
        let mut seen = Vec::new();
        let mut give = |timed: Timed| {
            seen.push((timed.frame.pts(), timed.source_pts));
            Ok(())
        };
        for &pts in times {
            let mut frame = Frame::new(PixelFormat::YUV420P8, 16, 16).unwrap();
            frame.set_timing(pts, 0);
            let source_pts = pts;
            node.push(Timed { frame, source_pts }, &mut give).unwrap();
        }
        node.finish(&mut give).unwrap();
        seen
    }

    #[test]
    fn a_higher_rate_repeats_frames_and_a_lower_one_leaves_some_out() {
        assert_eq!(
            shown(&[0, 40, 80], 50),
            [(0, 0), (1, 0), (2, 40), (3, 40), (4, 80), (5, 80)]
        );
        assert_eq!(
            shown(&[0, 40, 80, 120, 160, 200], 10),
            [(0, 0), (1, 80), (2, 200)]
        );
    }

    #[test]
    fn the_window_of_a_chain_counts_frames_of_the_source() {
        let deinterlace = Op::Deinterlace(DeinterlaceParams::default());
        let slow = Op::Fps {
            rate: FrameRate::new(5, 1).unwrap(),
        };
        let source = FrameRate::new(25, 1);
        let window = |ops: &[&Op]| {
            let ops: Vec<(&str, &Op)> = ops.iter().map(|op| ("n", *op)).collect();
            source_window(&ops, source)
        };
        assert_eq!(window(&[]), Window::default());
        let one = window(&[&deinterlace, &slow]);
        assert_eq!((one.warm_up, one.look_ahead), (1, 2));
        // A frame before, of those that are five times as far apart.
        let late = window(&[&slow, &deinterlace]);
        assert_eq!((late.warm_up, late.look_ahead), (6, 7));
        // Of ten times as long at that rate, two make one of the source.
        let longer = Op::Interpolate(InterpolateParams {
            rate: FrameRate::new(5, 1),
            slow: Rational::new(10, 1),
            ..InterpolateParams::default()
        });
        let behind = window(&[&longer, &deinterlace]);
        assert_eq!((behind.warm_up, behind.look_ahead), (2, 3));
    }

    #[test]
    fn rounded_milliseconds_lose_no_frame_at_their_own_rate() {
        let times: Vec<i64> = (0..300).map(|n| (n * 1000 + 15) / 30).collect();
        let mut seen = shown(&times, 30);
        // How long the last one is shown is the source's rate, which is another here.
        seen.truncate(300);
        let slots: Vec<i64> = seen.iter().map(|s| s.0).collect();
        let sources: Vec<i64> = seen.iter().map(|s| s.1).collect();
        assert_eq!(slots, (0..300).collect::<Vec<_>>());
        assert_eq!(sources, times);
    }

    #[test]
    fn slowed_frames_lie_in_every_slot_of_their_own_although_their_times_are_rounded() {
        // 60000/1001 a second, in thousandths.
        let times: Vec<i64> = (0..500)
            .map(|n| (n * 1_001_000 + 30_000) / 60_000)
            .collect();
        let input = format((1, 1_000), 60);
        let output = format((1_001, 60_000), 60);
        for slow in [1, 2, 4, 8] {
            let slots = Slots::new(&input, &output, Rational::new(slow, 1).unwrap()).unwrap();
            for (number, pair) in (0..).zip(times.windows(2)) {
                let pair = (pair[0], pair[1]);
                let at = slots.slot(pair.0);
                assert_eq!(at, number * slow, "{slow} times");
                let way = slots.way(at, pair);
                assert!(way <= slots.near(pair), "{slow} times: {way} at {pair:?}");
                let next = slots.way(at + 1, pair);
                assert!(next > slots.near(pair), "{slow} times: {next}");
            }
        }
    }

    #[test]
    fn a_pause_is_filled_with_the_frame_before_it() {
        let seen = shown(&[0, 40, 1040], 25);
        assert_eq!(seen.len(), 27);
        assert!(seen[1..26].iter().all(|s| s.1 == 40));
    }
}
