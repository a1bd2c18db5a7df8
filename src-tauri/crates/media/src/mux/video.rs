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
        let sorted = part.sorted_pts();
        for (index, entry) in part.entries().iter().enumerate() {
            let rank = sorted.partition_point(|pts| *pts < entry.pts);
            self.delay = self.delay.max(index.saturating_sub(rank));
        }
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

    /// Decoding time of the packet with this place in decoding order: the presentation times
    /// themselves, `delay` places later, continued downward at the start. Never above the
    /// packet's own presentation time, always rising.
    fn dts(&self, index: usize) -> i64 {
        match index.checked_sub(self.delay) {
            Some(place) => self.pts[place],
            None => {
                let step = match self.pts[..] {
                    [first, second, ..] => second - first,
                    _ => 1,
                };
                let missing = (self.delay - index) as i64;
                self.pts[0].saturating_sub(missing.saturating_mul(step))
            }
        }
    }

    /// The next packet in decoding order, with its decoding time.
    pub(crate) fn next(&mut self) -> Result<Option<EncodedPacket>, MediaError> {
        loop {
            if let Some(part) = &mut self.open
                && let Some(mut packet) = part.next_packet()?
            {
                packet.dts = self.dts(self.next_frame);
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
