//! The packets of all parts as one stream with one sequence of decoding times.

use crate::encode::encoder::EncodedPacket;
use crate::error::MediaError;
use crate::part::{PartHeader, PartReader};
use std::path::{Path, PathBuf};

/// All parts, one after the other.
pub(crate) struct Replay<'a> {
    parts: &'a [PathBuf],
    pub header: PartHeader,
    /// Presentation times of all frames, rising.
    pts: Vec<i64>,
    /// How many places a packet may come before its turn in time.
    delay: usize,
    open: Option<PartReader>,
    next_part: usize,
    next_frame: usize,
}

impl<'a> Replay<'a> {
    /// Opens and checks every part once, and sees whether together they are one stream.
    pub(crate) fn open(parts: &'a [PathBuf]) -> Result<Self, MediaError> {
        let first = parts.first().ok_or_else(|| MediaError::InvalidRequest {
            what: "there are no parts to join".into(),
        })?;
        let header = PartReader::open(first)?.header().clone();
        let mut replay = Self {
            parts,
            header,
            pts: Vec::new(),
            delay: 0,
            open: None,
            next_part: 0,
            next_frame: 0,
        };
        for path in parts {
            replay.add(path)?;
        }
        if replay.pts.is_empty() {
            return Err(MediaError::NoFrames {
                path: first.clone(),
            });
        }
        Ok(replay)
    }

    fn add(&mut self, path: &Path) -> Result<(), MediaError> {
        let part = PartReader::open(path)?;
        let differ = |reason: &str| MediaError::PartsDiffer {
            reason: reason.to_owned(),
            path: path.into(),
        };
        let header = part.header();
        if header.settings_hash != self.header.settings_hash
            || header.encoder != self.header.encoder
            || header.time_base != self.header.time_base
        {
            return Err(differ("other encoder settings"));
        }
        if header.parameters != self.header.parameters || header.extradata != self.header.extradata
        {
            return Err(differ("other stream headers"));
        }
        let Some(first) = part.entries().first() else {
            return Ok(());
        };
        if !first.key {
            return Err(differ("it does not begin with a key frame"));
        }
        let coded: Vec<i64> = part.entries().iter().map(|entry| entry.pts).collect();
        let sorted = part.sorted_pts();
        self.delay = self.delay.max(delay(&coded, &sorted));
        let rises = |list: &[i64]| list.windows(2).all(|pair| pair[0] < pair[1]);
        let follows = self.pts.last().is_none_or(|last| *last < sorted[0]);
        if !rises(&sorted) || !follows {
            return Err(differ("its times do not follow those of the part before"));
        }
        self.pts.extend(sorted);
        Ok(())
    }

    /// Presentation times of all frames, rising.
    pub(crate) fn pts(&self) -> &[i64] {
        &self.pts
    }

    /// The next packet in decoding order, with its decoding time.
    pub(crate) fn next(&mut self) -> Result<Option<EncodedPacket>, MediaError> {
        loop {
            if let Some(part) = &mut self.open
                && let Some(mut packet) = part.next_packet()?
            {
                packet.dts = decoding_time(&self.pts, self.delay, self.next_frame);
                self.next_frame += 1;
                return Ok(Some(packet));
            }
            let Some(path) = self.parts.get(self.next_part) else {
                return Ok(None);
            };
            self.next_part += 1;
            self.open = Some(PartReader::open(path)?);
        }
    }

    /// Packets given out so far.
    pub(crate) fn done(&self) -> usize {
        self.next_frame
    }
}

/// How many places a packet comes before its turn in time, at most. `sorted` is `coded` in order.
pub(super) fn delay(coded: &[i64], sorted: &[i64]) -> usize {
    let places = coded.iter().enumerate().map(|(index, pts)| {
        let rank = sorted.partition_point(|other| other < pts);
        index.saturating_sub(rank)
    });
    places.max().unwrap_or(0)
}

/// Decoding time of the packet with this place in decoding order: the presentation times
/// themselves, `delay` places later, continued downward at the start. Never above the packet's
/// own presentation time, always rising.
pub(super) fn decoding_time(sorted: &[i64], delay: usize, index: usize) -> i64 {
    if let Some(pts) = index.checked_sub(delay).and_then(|place| sorted.get(place)) {
        return *pts;
    }
    let (first, step) = match sorted {
        [first, second, ..] => (*first, second - first),
        [only] => (*only, 1),
        [] => return 0,
    };
    let missing = delay.saturating_sub(index) as i64;
    first.saturating_sub(missing.saturating_mul(step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Parts of rising times, each shuffled within itself as far as B-frames might.
    fn parts() -> impl Strategy<Value = Vec<Vec<i64>>> {
        let part = proptest::collection::vec((1i64..5_000, 0usize..5), 1..40);
        proptest::collection::vec(part, 1..5).prop_map(|parts| {
            let mut time = -1_000;
            parts
                .into_iter()
                .map(|frames| {
                    let mut coded = Vec::new();
                    for (step, back) in frames {
                        time += step;
                        coded.push(time);
                        let last = coded.len() - 1;
                        coded.swap(last, last.saturating_sub(back).max(1).min(last));
                    }
                    coded
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn decoding_times_rise_and_never_pass_the_presentation(parts in parts()) {
            let (mut all, mut most) = (Vec::new(), 0);
            for part in &parts {
                let mut sorted = part.clone();
                sorted.sort_unstable();
                most = most.max(delay(part, &sorted));
                all.extend(sorted);
            }
            let mut last = i64::MIN;
            for (index, pts) in parts.iter().flatten().enumerate() {
                let dts = decoding_time(&all, most, index);
                prop_assert!(dts > last, "{dts} follows {last}");
                prop_assert!(dts <= *pts, "{dts} is later than {pts}");
                last = dts;
            }
        }
    }
}
