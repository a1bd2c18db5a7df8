//! The nodes of a chain that has a memory of time, segment by segment.
//!
//! Every segment is computed by nodes that have just been started, from its own frames and a fixed
//! number before and after them. So it comes out the same in a run that was killed and resumed as
//! in one that was not: no segment knows of any other.

use super::inspect::{Look, look};
use super::side::Sides;
use super::video::{Cut, Cutting, Decoded, Item, Outcome, Processed};
use super::{Chain, Context};
use crate::EngineError;
use crate::control::Stop;
use crate::nodes::{Timed, Window};
use crate::verify::Verifier;
use frameloom_media::Frame;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender};

/// A source frame that may be needed more than once.
struct Kept {
    index: u64,
    pts: i64,
    /// `None` when no later segment needs it: what was seen of it stays.
    frame: Option<Frame>,
    hash: Option<u64>,
    look: Look,
}

/// The frames around the segment in hand.
struct Frames {
    from_decoder: Receiver<Item<Decoded>>,
    kept: VecDeque<Kept>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    More,
    /// The clip has no further frame.
    Ended,
    /// The decoder failed and reports it itself.
    Broken,
}

impl Frames {
    /// The frame of this index, if the clip has it.
    fn get(&mut self, index: u64) -> Option<&Kept> {
        while self.state == State::More && self.kept.back().is_none_or(|k| k.index < index) {
            match self.from_decoder.recv() {
                Ok(Item::Frame(Decoded { index, frame, hash })) => self.kept.push_back(Kept {
                    index,
                    pts: frame.pts(),
                    look: look(&frame),
                    frame: Some(frame),
                    hash,
                }),
                Ok(Item::Cut(_)) => {}
                Ok(Item::End) => self.state = State::Ended,
                Err(_) => self.state = State::Broken,
            }
        }
        let first = self.kept.front()?.index;
        self.kept
            .get(usize::try_from(index.checked_sub(first)?).ok()?)
    }

    /// The samples of a frame; from now on without them where `is_last` says so.
    fn take(&mut self, index: u64, is_last: bool) -> Result<Option<Frame>, EngineError> {
        if self.get(index).is_none() {
            return Ok(None);
        }
        let Some(first) = self.kept.front().map(|k| k.index) else {
            return Ok(None);
        };
        let at = usize::try_from(index.saturating_sub(first)).unwrap_or(usize::MAX);
        let Some(kept) = self.kept.get_mut(at) else {
            return Ok(None);
        };
        if is_last {
            return Ok(kept.frame.take());
        }
        Ok(match &kept.frame {
            Some(frame) => Some(frame.share()?),
            None => None,
        })
    }

    fn forget_before(&mut self, index: u64) {
        while self.kept.front().is_some_and(|k| k.index < index) {
            self.kept.pop_front();
        }
    }

    /// The look of the source frame that a result belongs to.
    fn look_at(&self, source_pts: i64) -> Option<Look> {
        let after = self.kept.partition_point(|k| k.pts <= source_pts);
        Some(self.kept.get(after.checked_sub(1)?)?.look)
    }
}

/// Where results go.
struct Target<'a> {
    next: &'a SyncSender<Item<Processed>>,
    chain: &'a mut Chain,
    verifier: &'a mut Verifier,
}

/// The segment in hand.
struct Segment {
    position: u64,
    /// Times of the source frames that belong to it.
    times: std::ops::Range<i64>,
    /// Source frames that are done with it so far.
    done: u64,
}

/// Runs the nodes from source frame `start` on.
pub(super) fn run(
    from_decoder: Receiver<Item<Decoded>>,
    next: &SyncSender<Item<Processed>>,
    chain: &mut Chain,
    verifier: &mut Verifier,
    start: u64,
    (cutting, sides): (Cutting, &Sides),
    context: &Context<'_>,
) -> Result<Outcome, EngineError> {
    let Window {
        warm_up,
        look_ahead,
    } = chain.window().unwrap_or_default();
    let mut frames = Frames {
        from_decoder,
        kept: VecDeque::new(),
        state: State::More,
    };
    let mut target = Target {
        next,
        chain,
        verifier,
    };
    let mut begin = start;
    loop {
        let Some(first) = frames.get(begin) else {
            if frames.state == State::Ended {
                let _ = next.send(Item::End);
                return Ok(Outcome::Complete);
            }
            context.cancel.check()?;
            return Ok(Outcome::Stopped);
        };
        if begin > start && context.cancel.requested() == Stop::AfterSegment {
            return Ok(Outcome::Stopped);
        }
        let first_pts = first.pts;
        let position = cutting.position_of(begin);
        let length = cutting.length;
        let end = (length.index_of(begin) + 1) * length.frames();
        let mut segment = Segment {
            position,
            // What comes before the first segment belongs to it.
            times: if begin == 0 { i64::MIN } else { first_pts }..i64::MAX,
            done: cutting.frames_before + begin,
        };
        target.chain.restart()?;
        // A clip's first frames have fewer before them.
        let known = frames.kept.front().map_or(begin, |k| k.index);
        let mut index = begin.saturating_sub(warm_up).max(known);
        let mut results: VecDeque<Timed> = VecDeque::new();
        while index < end.saturating_add(look_ahead) {
            context.cancel.check()?;
            // The next segment begins with the end of this one.
            let is_last = index < end.saturating_sub(warm_up);
            let Some(frame) = frames.take(index, is_last)? else {
                break;
            };
            let source_pts = frame.pts();
            if index == end {
                segment.times.end = source_pts;
            }
            index += 1;
            segment.done = cutting.frames_before + index.clamp(begin, end);
            let timed = Timed { frame, source_pts };
            target.chain.push(timed, &mut |timed| {
                results.push_back(timed);
                Ok(())
            })?;
            if !target.emit(&mut results, &frames, &segment)? {
                context.cancel.check()?;
                return Ok(Outcome::Stopped);
            }
        }
        if frames.state == State::Broken {
            // The decoder failed, and reports it.
            return Ok(Outcome::Stopped);
        }
        target.chain.finish(&mut |timed| {
            results.push_back(timed);
            Ok(())
        })?;
        let sent = target.emit(&mut results, &frames, &segment)?;
        let last = frames
            .kept
            .iter()
            .rev()
            .find(|k| k.index < end)
            .map_or((begin, 0, None), |k| (k.index, k.pts, k.hash));
        let check = target
            .verifier
            .end_segment()
            .map_err(|reason| EngineError::SegmentCheck {
                position,
                reason: format!("its pictures {reason}"),
            })?;
        let cut = Cut {
            clip: cutting.clip,
            position,
            source_frames: last.0 + 1 - begin,
            last_source_pts: last.1,
            last_source_hash: last.2.unwrap_or(0),
            check,
            sides: sides.marks(),
        };
        if !sent || next.send(Item::Cut(cut)).is_err() {
            // Only when a neighbour failed; its error is the one that is reported.
            context.cancel.check()?;
            return Ok(Outcome::Stopped);
        }
        begin = end;
        frames.forget_before(begin.saturating_sub(warm_up));
    }
}

impl Target<'_> {
    /// Sends on what belongs to the segment. False if nobody listens any more.
    fn emit(
        &mut self,
        results: &mut VecDeque<Timed>,
        frames: &Frames,
        segment: &Segment,
    ) -> Result<bool, EngineError> {
        for Timed { frame, source_pts } in results.drain(..) {
            if !segment.times.contains(&source_pts) {
                continue;
            }
            let failed = |reason: String| EngineError::SegmentCheck {
                position: segment.position,
                reason: format!("the frame at {source_pts} ticks {reason}"),
            };
            let lost = "came out blank although its source is not";
            if !self.chain.may_be_blank()
                && let Some(before) = frames.look_at(source_pts)
                && before.was_lost_in(&look(&frame))
            {
                return Err(failed(lost.to_owned()));
            }
            let before = self.verifier.watcher().before(&frame);
            let frame = self.chain.process(frame)?;
            self.verifier.after(before, &frame).map_err(failed)?;
            let processed = Processed {
                position: segment.position,
                source_done: segment.done,
                frame,
            };
            if self.next.send(Item::Frame(processed)).is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
