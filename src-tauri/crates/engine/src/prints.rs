//! What a receipt tells of the segments of a result, and which of them a file still has.

use crate::plan::hex;
use frameloom_core::pixel::AnyPlane;
use frameloom_core::receipt::SegmentPrint;
use frameloom_core::time::Timestamp;
use frameloom_media::{Frame, FrameTimes, MediaError};
use sha2::{Digest, Sha256};
use std::path::Path;

/// SHA-256 of a coded frame.
pub type FrameHash = [u8; 32];

/// The coded frames of a clip.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameHashes {
    /// When they are shown, and what a probe says of the file.
    pub times: FrameTimes,
    /// When each is shown, in microseconds, rising, with its hash; empty where frames cannot be
    /// told apart without decoding (WebP).
    pub frames: Vec<(i64, FrameHash)>,
}

impl FrameHashes {
    /// Reads a file, without decoding. `alive` is called now and then.
    ///
    /// # Errors
    /// As [`frameloom_media::frame_times`].
    pub fn of(path: &Path, alive: &dyn Fn()) -> Result<Self, MediaError> {
        let mut frames: Vec<(i64, FrameHash)> = Vec::new();
        let times = frameloom_media::coded_frames(path, &mut |ticks, data| {
            alive();
            frames.push((ticks, Sha256::digest(data).into()));
        })?;
        // Frames lie in a file as they are decoded.
        frames.sort_unstable_by_key(|(ticks, _)| *ticks);
        for (time, _) in &mut frames {
            *time = Timestamp::new(*time, times.time_base).micros();
        }
        Ok(Self { times, frames })
    }
}

/// SHA-256, hexadecimal, of every visible sample of a frame with its size and format; times and colour
/// tags do not count.
pub fn frame_sha256(frame: &Frame) -> String {
    let mut hash = Sha256::new();
    hash.update(frame.width().to_le_bytes());
    hash.update(frame.height().to_le_bytes());
    hash.update(frame.format().to_string());
    let mut bytes = Vec::new();
    for index in 0..frame.format().plane_count() {
        match frame.plane(index) {
            AnyPlane::U8(plane) => {
                for y in 0..plane.height {
                    hash.update(plane.row(y));
                }
            }
            AnyPlane::U16(plane) => {
                for y in 0..plane.height {
                    bytes.clear();
                    bytes.extend(plane.row(y).iter().flat_map(|sample| sample.to_le_bytes()));
                    hash.update(&bytes);
                }
            }
        }
    }
    hex(&hash.finalize())
}

/// The hash of a segment of these frames.
pub fn segment_sha256<'a>(frames: impl IntoIterator<Item = &'a FrameHash>) -> String {
    let mut hash = Sha256::new();
    for frame in frames {
        hash.update(frame);
    }
    hex(&hash.finalize())
}

/// The segments of a result with these frames, from the clip and the frames of each. `None` for the
/// hashes if there are other frames than the segments say.
pub fn segment_prints(
    segments: impl IntoIterator<Item = (u32, u64)>,
    times: impl IntoIterator<Item = i64>,
    hashes: &[FrameHash],
) -> Vec<SegmentPrint> {
    let times: Vec<i64> = times.into_iter().collect();
    let mut first = 0;
    let mut prints: Vec<SegmentPrint> = Vec::new();
    for (clip, frames) in segments {
        let place = usize::try_from(first).unwrap_or(usize::MAX);
        let end = usize::try_from(first + frames).unwrap_or(usize::MAX);
        prints.push(SegmentPrint {
            clip,
            first,
            frames,
            start_micros: times.get(place).copied().filter(|_| frames > 0),
            sha256: hashes.get(place..end).map(segment_sha256),
        });
        first += frames;
    }
    let all = |known: usize| known == 0 || u64::try_from(known) == Ok(first);
    if !all(times.len()) || !all(hashes.len()) {
        for print in &mut prints {
            (print.start_micros, print.sha256) = (None, None);
        }
    }
    if hashes.is_empty() {
        prints.iter_mut().for_each(|print| print.sha256 = None);
    }
    prints
}

/// Places of the segments whose frames are not those in the file any more. What belongs to a
/// segment is told by its time, so that a lost frame makes no difference behind its segment.
/// `None` where the receipt cannot tell.
pub fn changed_segments(
    segments: &[SegmentPrint],
    frames: &[(i64, FrameHash)],
) -> Option<Vec<usize>> {
    let shown: Vec<(usize, i64, &str)> = segments
        .iter()
        .enumerate()
        .filter(|(_, segment)| segment.frames > 0)
        .map(|(place, segment)| Some((place, segment.start_micros?, segment.sha256.as_deref()?)))
        .collect::<Option<_>>()?;
    let changed = shown
        .iter()
        .enumerate()
        .filter(|(index, (_, start, expected))| {
            // What comes before the first belongs to it.
            let from = match index {
                0 => 0,
                _ => frames.partition_point(|(time, _)| time < start),
            };
            let to = match shown.get(index + 1) {
                Some((_, next, _)) => frames.partition_point(|(time, _)| time < next),
                None => frames.len(),
            };
            let found = frames.get(from..to).unwrap_or_default();
            segment_sha256(found.iter().map(|(_, hash)| hash)) != *expected
        });
    Some(changed.map(|(_, (place, ..))| *place).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(count: u8) -> Vec<(i64, FrameHash)> {
        (0..count).map(|n| (i64::from(n) * 40, [n; 32])).collect()
    }

    fn prints(frames: &[(i64, FrameHash)], lengths: &[u64]) -> Vec<SegmentPrint> {
        let hashes: Vec<FrameHash> = frames.iter().map(|(_, hash)| *hash).collect();
        let times = frames.iter().map(|(time, _)| *time);
        segment_prints(lengths.iter().map(|&n| (0, n)), times, &hashes)
    }

    #[test]
    fn a_changed_a_lost_and_an_added_frame_are_found_in_their_segment_alone() {
        let made = frames(10);
        // One segment left out all of its frames.
        let prints = prints(&made, &[4, 0, 4, 2]);
        assert_eq!(prints[2].start_micros, Some(160));
        assert_eq!((prints[1].start_micros, prints[3].first), (None, 8));
        assert_eq!(changed_segments(&prints, &made), Some(vec![]));
        let mut changed = made.clone();
        changed[5].1 = [77; 32];
        assert_eq!(changed_segments(&prints, &changed), Some(vec![2]));
        let mut lost = made.clone();
        lost.remove(0);
        assert_eq!(changed_segments(&prints, &lost), Some(vec![0]));
        let mut added = made.clone();
        added.push((400, [10; 32]));
        assert_eq!(changed_segments(&prints, &added), Some(vec![3]));
        assert_eq!(changed_segments(&prints, &[]), Some(vec![0, 2, 3]));
    }

    #[test]
    fn segments_that_do_not_add_up_to_the_frames_of_the_result_get_no_hash() {
        let made = frames(10);
        let prints = prints(&made, &[4, 5]);
        assert_eq!((prints[1].first, prints[1].frames), (4, 5));
        assert!(
            prints
                .iter()
                .all(|p| p.sha256.is_none() && p.start_micros.is_none())
        );
        assert_eq!(changed_segments(&prints, &made), None);
    }
}
