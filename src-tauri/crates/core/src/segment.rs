//! The cut of a clip into segments: the unit of work and of resume.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Frames `start..end` in presentation order; `end` is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
pub struct FrameRange {
    /// First frame.
    #[ts(type = "number")]
    pub start: u64,
    /// One past the last frame.
    #[ts(type = "number")]
    pub end: u64,
}

impl FrameRange {
    /// Number of frames.
    pub fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// True if there is no frame.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }
}

/// A range of the clip and the frames before it that a temporal node wants to see first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Segment {
    /// What the segment produces.
    pub range: FrameRange,
    /// Frames before `range.start` to feed without keeping their output.
    #[ts(type = "number")]
    pub warm_up: u64,
}

/// How long a segment is. The cut depends on nothing but this number, so that every run of a job,
/// interrupted or not, cuts at the same frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SegmentLength(#[ts(type = "number")] u64);

impl SegmentLength {
    /// At least one frame.
    pub fn new(frames: u64) -> Self {
        Self(frames.max(1))
    }

    /// Frames per segment.
    pub fn frames(self) -> u64 {
        self.0
    }

    /// Index of the segment that holds `frame`.
    pub fn index_of(self, frame: u64) -> u64 {
        frame / self.0
    }

    /// Segment `index` of a clip; `total` cuts the last one, `None` leaves it whole. `None` as a
    /// result: the clip ends before it.
    pub fn segment(self, index: u64, total: Option<u64>, warm_up: u64) -> Option<Segment> {
        let start = index.checked_mul(self.0)?;
        let mut end = start.checked_add(self.0)?;
        if let Some(total) = total {
            if start >= total {
                return None;
            }
            end = end.min(total);
        }
        Some(Segment {
            range: FrameRange { start, end },
            warm_up: warm_up.min(start),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn segments_cover_every_frame_once(total in 0u64..5_000, length in 0u64..700, warm in 0u64..9) {
            let length = SegmentLength::new(length);
            let mut next = 0;
            let mut index = 0;
            while let Some(segment) = length.segment(index, Some(total), warm) {
                prop_assert_eq!(segment.range.start, next);
                prop_assert!(!segment.range.is_empty());
                prop_assert!(segment.warm_up <= segment.range.start);
                prop_assert_eq!(length.index_of(segment.range.start), index);
                prop_assert_eq!(length.index_of(segment.range.end - 1), index);
                next = segment.range.end;
                index += 1;
            }
            prop_assert_eq!(next, total);
        }
    }
}
