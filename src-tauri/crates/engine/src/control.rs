//! How a run talks to whoever started it: stop requests in, progress and finished segments out.

use crate::EngineError;
use frameloom_core::job::{PictureSizes, ProviderChoice, Step};
use frameloom_core::media::Warning;
use frameloom_core::receipt::PictureCheck;
use frameloom_infer::CancelHandle;
use frameloom_media::Frame;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the user wants of a running job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Go on.
    No = 0,
    /// Finish the running segment, then stop.
    AfterSegment = 1,
    /// Stop at once; the running segment is lost.
    Now = 2,
}

/// A stop request, shared between threads. It only ever gets more urgent.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    level: Arc<AtomicU8>,
    now: Arc<AtomicBool>,
    watched: Arc<Mutex<Vec<CancelHandle>>>,
}

impl Cancel {
    /// Nothing requested.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to stop.
    pub fn request(&self, stop: Stop) {
        self.level.fetch_max(stop as u8, Ordering::SeqCst);
        if stop == Stop::Now {
            self.now.store(true, Ordering::SeqCst);
            for handle in self.watched().iter() {
                handle.cancel();
            }
        }
    }

    /// Lets an immediate stop end the running call of a model as well, however long it is.
    pub fn watch(&self, handle: CancelHandle) {
        let mut watched = self.watched();
        if self.requested() == Stop::Now {
            handle.cancel();
        }
        watched.push(handle);
    }

    fn watched(&self) -> MutexGuard<'_, Vec<CancelHandle>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was asked.
    pub fn requested(&self) -> Stop {
        match self.level.load(Ordering::SeqCst) {
            0 => Stop::No,
            1 => Stop::AfterSegment,
            _ => Stop::Now,
        }
    }

    /// The flag that ffmpeg's interrupt callback reads.
    pub fn now_flag(&self) -> Arc<AtomicBool> {
        self.now.clone()
    }

    /// Fails with [`EngineError::Stopped`] once an immediate stop was asked.
    ///
    /// # Errors
    /// [`EngineError::Stopped`].
    pub fn check(&self) -> Result<(), EngineError> {
        if self.requested() == Stop::Now {
            Err(EngineError::Stopped)
        } else {
            Ok(())
        }
    }
}

/// Receives what a run tells. Called from the run's threads, also at once.
pub trait Progress: Sync {
    /// What is being done now, and the total once it is known or known better.
    fn step(&self, step: Step, total: Option<u64>);
    /// So many frames are done, those of earlier runs included.
    fn done(&self, frames: u64);
    /// Something moved that no number shows: who watches for a stalled run need not worry.
    fn alive(&self) {}
    /// Something the user should know.
    fn warning(&self, warning: Warning);
    /// What computes.
    fn provider(&self, choice: &ProviderChoice);
    /// Source and result in pixels.
    fn sizes(&self, sizes: PictureSizes);
    /// A frame of a clip on its way to the encoder, in the form in which that gets it, shown so many
    /// microseconds after time zero; in order.
    fn frame(&self, _at_micros: i64, _frame: &Frame) {}
}

/// A finished part of a clip.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentRecord {
    /// 0 for the first.
    pub position: u64,
    /// Which of the clips that are shown one after another it belongs to; 0 for the first.
    pub clip: u32,
    /// Frames of the source that it was made of.
    pub source_frames: u64,
    /// Frames in it. Nodes that change the frame rate make more or fewer than there were.
    pub frames: u64,
    /// File name of the part in the work folder; empty if there are no frames.
    pub part: String,
    /// Size of the part.
    pub part_bytes: u64,
    /// Timestamp of the last source frame that went into it.
    pub last_source_pts: i64,
    /// Content hash of that source frame.
    pub last_source_hash: u64,
    /// What the comparison of its frames with their sources found.
    pub check: PictureCheck,
    /// Where the clips at the second inputs of nodes were by then, or a little before.
    pub sides: Vec<SideMark>,
}

/// A picture of a clip at the second input of a node, as a reading from its start gave it: a later
/// run believes a seek into the clip only if it leads to this very picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideMark {
    /// Id of the node.
    pub node: String,
    /// Its time, in ticks of the clip.
    pub pts: i64,
    /// Its content hash.
    pub hash: u64,
}

impl SegmentRecord {
    /// True if it has frames, which are in a file.
    pub fn has_part(&self) -> bool {
        !self.part.is_empty()
    }
}

/// Remembers finished segments across runs.
pub trait Journal: Sync {
    /// Finished segments in order.
    ///
    /// # Errors
    /// [`EngineError::Journal`].
    fn completed(&self) -> Result<Vec<SegmentRecord>, EngineError>;
    /// The part is on the disk; it counts from now on.
    ///
    /// # Errors
    /// [`EngineError::Journal`].
    fn record(&self, segment: &SegmentRecord) -> Result<(), EngineError>;
    /// Everything from `position` on has to be done again.
    ///
    /// # Errors
    /// [`EngineError::Journal`].
    fn forget_from(&self, position: u64) -> Result<(), EngineError>;
    /// All parts are there, and a result of about `bytes` is to be written beside the output.
    ///
    /// # Errors
    /// [`EngineError::Stopped`] where it must not be begun, as for want of room.
    fn joining(&self, _bytes: u64) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Nobody watches a run that is only looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn step(&self, _step: Step, _total: Option<u64>) {}
    fn done(&self, _frames: u64) {}
    fn warning(&self, _warning: Warning) {}
    fn provider(&self, _choice: &ProviderChoice) {}
    fn sizes(&self, _sizes: PictureSizes) {}
}

/// Finished segments in memory, for a run that no other process goes on with.
#[derive(Debug, Default)]
pub struct MemoryJournal(Mutex<Vec<SegmentRecord>>);

impl MemoryJournal {
    /// Finished segments in order.
    pub fn segments(&self) -> Vec<SegmentRecord> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SegmentRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn completed(&self) -> Result<Vec<SegmentRecord>, EngineError> {
        Ok(self.segments())
    }
    fn record(&self, segment: &SegmentRecord) -> Result<(), EngineError> {
        self.lock().push(segment.clone());
        Ok(())
    }
    fn forget_from(&self, position: u64) -> Result<(), EngineError> {
        self.lock().retain(|segment| segment.position < position);
        Ok(())
    }
}
