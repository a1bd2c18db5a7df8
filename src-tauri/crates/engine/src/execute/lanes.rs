//! The middle of the line: frames go through the nodes, several at once where that is quicker,
//! and leave in the order in which they came.

use super::side::Sides;
use super::video::{Cut, Cutting, Decoded, Item, Outcome, Processed};
use super::{Chain, ChainSpec, Context, window};
use crate::EngineError;
use crate::control::Stop;
use crate::nodes::manifest_of;
use crate::verify::{Before, Verifier};
use frameloom_media::Frame;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Frames that wait in front of and behind each lane. One keeps a lane busy while its neighbour
/// is slower; more would only cost memory.
const QUEUE: usize = 1;

/// With more than this, a copy of the weights per lane costs more than it gains.
const LARGEST_SHARED_BYTES: u64 = 64 << 20;

/// Opens the chain, or as many copies of it as frames are to be processed at once.
///
/// Only the processor gains from several: a graphics card is one device, and small models leave
/// the cores of a processor idle at every operator that is too small to be divided.
pub(super) fn open(spec: &ChainSpec<'_>, context: &Context<'_>) -> Result<Vec<Chain>, EngineError> {
    let threads = context.threads;
    let whole = Chain::open(spec, context)?;
    let on_processor = whole.providers().iter().all(|choice| choice.on_processor);
    for choice in whole.providers() {
        context.progress.provider(choice);
    }
    let mut weights = 0;
    for (_, op) in spec.line.ops() {
        if let Some(manifest) = manifest_of(op, context.models)? {
            weights += manifest.size_bytes;
        }
    }
    // Nodes with a memory of time see every frame in its order.
    let divisible = whole.window().is_none();
    let lanes = if divisible && on_processor && weights <= LARGEST_SHARED_BYTES {
        threads.lanes.max(1)
    } else {
        1
    };
    if lanes == 1 {
        return Ok(vec![whole]);
    }
    drop(whole);
    (0..lanes)
        .map(|_| {
            let one = ChainSpec {
                threads: threads.infer.div_ceil(lanes),
                ..spec.clone()
            };
            Chain::open(&one, context)
        })
        .collect()
}

/// A processed frame with what was seen of its source.
struct Done {
    index: u64,
    frame: Frame,
    before: Before,
    source_pts: i64,
    source_hash: Option<u64>,
}

/// The lanes' entrances, for the decoder: frame `n` goes into lane `n` modulo their number.
pub(super) struct Entrances(Vec<SyncSender<Item<Decoded>>>);

impl Entrances {
    /// False if nobody listens any more, because a later stage failed, which reports it.
    pub(super) fn send(&self, decoded: Decoded) -> bool {
        let lane = decoded.index as usize % self.0.len();
        self.0[lane].send(Item::Frame(decoded)).is_ok()
    }

    /// Says the end aloud, in every lane.
    pub(super) fn end(&self) {
        for lane in &self.0 {
            let _ = lane.send(Item::End);
        }
    }
}

/// The lanes' other side.
pub(super) struct Lanes {
    chains: Vec<Chain>,
    entries: Vec<Receiver<Item<Decoded>>>,
    verifier: Verifier,
}

impl Lanes {
    pub(super) fn new(chains: Vec<Chain>, verifier: Verifier) -> (Entrances, Self) {
        let (entrances, entries) = chains.iter().map(|_| sync_channel(QUEUE)).unzip();
        let lanes = Self {
            chains,
            entries,
            verifier,
        };
        (Entrances(entrances), lanes)
    }

    /// Runs until the clip ends, a stop was asked for, or something failed.
    pub(super) fn run(
        self,
        next: SyncSender<Item<Processed>>,
        start: u64,
        cutting: Cutting,
        sides: &Sides,
        context: &Context<'_>,
    ) -> Result<Outcome, EngineError> {
        let Self {
            mut chains,
            mut entries,
            mut verifier,
        } = self;
        if chains[0].window().is_some()
            && let ([chain], Some(entry)) = (&mut chains[..], entries.pop())
        {
            return window::run(
                entry,
                &next,
                chain,
                &mut verifier,
                start,
                (cutting, sides),
                context,
            );
        }
        std::thread::scope(|scope| {
            let mut exits = Vec::new();
            let mut threads = Vec::new();
            for (mut chain, entry) in chains.into_iter().zip(entries) {
                let (done, exit) = sync_channel(QUEUE);
                exits.push(exit);
                let watcher = verifier.watcher();
                threads.push(
                    std::thread::Builder::new()
                        .name("nodes".to_owned())
                        .spawn_scoped(scope, move || {
                            lane(entry, done, &mut chain, &watcher, context)
                        })
                        .map_err(|source| EngineError::Io {
                            what: "the system gives no memory for another thread",
                            source,
                            path: context.work_dir.to_owned(),
                        })?,
                );
            }
            let outcome = collect(
                &exits,
                &next,
                &mut verifier,
                start,
                (cutting, sides),
                context,
            );
            // Lanes that still wait for a frame, or with one, notice by their closed ends.
            drop(exits);
            for thread in threads {
                super::video::joined("nodes", thread.join())?;
            }
            outcome
        })
    }
}

fn lane(
    frames: Receiver<Item<Decoded>>,
    next: SyncSender<Item<Done>>,
    chain: &mut Chain,
    watcher: &crate::verify::Watcher,
    context: &Context<'_>,
) -> Result<(), EngineError> {
    for item in frames {
        let Item::Frame(Decoded { index, frame, hash }) = item else {
            let _ = next.send(Item::End);
            return Ok(());
        };
        context.cancel.check()?;
        let source_pts = frame.pts();
        let before = watcher.before(&frame);
        let frame = chain.process(frame)?;
        #[cfg(test)]
        let Some(frame) = crate::verify::faults::injected(context.fault, index, frame) else {
            continue;
        };
        let done = Done {
            index,
            frame,
            before,
            source_pts,
            source_hash: hash,
        };
        if next.send(Item::Frame(done)).is_err() {
            break;
        }
    }
    Ok(())
}

fn collect(
    exits: &[Receiver<Item<Done>>],
    next: &SyncSender<Item<Processed>>,
    verifier: &mut Verifier,
    start: u64,
    (cutting, sides): (Cutting, &Sides),
    context: &Context<'_>,
) -> Result<Outcome, EngineError> {
    let length = cutting.length;
    let mut index = start;
    let mut open: Option<Cut> = None;
    let failed = |index: u64, reason: String| EngineError::SegmentCheck {
        position: cutting.position_of(index),
        reason,
    };
    loop {
        let Ok(item) = exits[index as usize % exits.len()].recv() else {
            // Only when the lane failed, or the decoder; their error is the one that is reported.
            context.cancel.check()?;
            return Ok(Outcome::Stopped);
        };
        let at_cut = index.is_multiple_of(length.frames());
        let Item::Frame(done) = item else {
            let check = verifier.end_segment().map_err(|reason| {
                failed(index.saturating_sub(1), format!("its pictures {reason}"))
            })?;
            // The last segment of the clip may be shorter than the others.
            if let Some(cut) = open {
                let _ = next.send(Item::Cut(Cut {
                    check,
                    sides: sides.marks(),
                    ..cut
                }));
            }
            let _ = next.send(Item::End);
            return Ok(Outcome::Complete);
        };
        context.cancel.check()?;
        if at_cut && index > start && context.cancel.requested() == Stop::AfterSegment {
            return Ok(Outcome::Stopped);
        }
        if done.index != index {
            return Err(failed(
                index,
                format!("frame {} came where frame {index} was due", done.index),
            ));
        }
        verifier
            .after(done.before, &done.frame)
            .map_err(|reason| failed(index, format!("frame {index} {reason}")))?;
        let mut cut = Cut {
            clip: cutting.clip,
            position: cutting.position_of(index),
            source_frames: index % length.frames() + 1,
            last_source_pts: done.source_pts,
            last_source_hash: done.source_hash.unwrap_or(0),
            check: verifier.found(),
            sides: Vec::new(),
        };
        let is_last = cut.source_frames == length.frames();
        // Judged before the encoder has the last frame: a segment that fails is never recorded.
        if is_last {
            cut.check = verifier
                .end_segment()
                .map_err(|reason| failed(index, format!("its pictures {reason}")))?;
            cut.sides = sides.marks();
        }
        let processed = Processed {
            position: cut.position,
            source_done: cutting.frames_before + index + 1,
            frame: done.frame,
        };
        let mut sent = next.send(Item::Frame(processed)).is_ok();
        open = if is_last {
            sent &= next.send(Item::Cut(cut)).is_ok();
            None
        } else {
            Some(cut)
        };
        if !sent {
            context.cancel.check()?;
            return Ok(Outcome::Stopped);
        }
        index += 1;
    }
}
