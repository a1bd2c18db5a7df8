//! Sound as numbers: read from a file or from a part, changed by filters, written as a part.
//!
//! A sample is a number from -1 to 1 (`f64`, which holds 32-bit samples exactly); its place is
//! counted in samples since the time zero of its file. Delays of codecs are taken out where sound
//! is read, and written where it is encoded, so a place means the same sample everywhere.

mod encode;
mod file;
mod filter;
mod listen;
mod part;
mod reader;

pub use encode::{SoundCodec, SoundEncoderPlan, SoundSource, plan_sound_encoder};
pub use file::SoundFile;
pub use filter::SoundFilter;
pub use listen::Listener;
pub use part::{SoundHeader, SoundPartReader, SoundPartWriter};
pub use reader::{SoundReader, SoundReport};

use crate::error::MediaError;
use crate::ffi::sound::Channels;
use serde::{Deserialize, Serialize};

/// Rate and channels of sound.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SoundFormat {
    /// Samples per second.
    pub rate: u32,
    /// Layout of the channels as ffmpeg names it (`stereo`, `5.1(side)`).
    pub layout: String,
}

impl SoundFormat {
    /// Names of the channels in order (`FL`, `FR`).
    ///
    /// # Errors
    /// [`MediaError::InvalidRequest`] for a layout that is none.
    pub fn channel_names(&self) -> Result<Vec<String>, MediaError> {
        Ok(Channels::parse(&self.layout)?.channel_names())
    }

    /// Number of channels.
    ///
    /// # Errors
    /// [`MediaError::InvalidRequest`] for a layout that is none.
    pub fn channels(&self) -> Result<usize, MediaError> {
        Ok(Channels::parse(&self.layout)?.count())
    }
}

/// A stretch of sound.
#[derive(Debug, Clone, PartialEq)]
pub struct SoundBlock {
    /// Place of the first sample.
    pub start: i64,
    /// Samples of each channel, equally many.
    pub channels: Vec<Vec<f64>>,
}

impl SoundBlock {
    /// Samples per channel.
    pub fn len(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    /// True if there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place behind the last sample.
    pub fn end(&self) -> i64 {
        self.start.saturating_add(self.len() as i64)
    }

    /// Cuts off what lies before `from` and from `to` on.
    pub fn keep(&mut self, from: i64, to: i64) {
        let length = self.len() as i64;
        let first = from.saturating_sub(self.start).clamp(0, length);
        let last = to.saturating_sub(self.start).clamp(first, length);
        if (first, last) == (0, length) {
            return;
        }
        for channel in &mut self.channels {
            channel.truncate(last as usize);
            channel.drain(..first as usize);
        }
        self.start = self.start.saturating_add(first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_cut_to_what_lies_within() {
        let block = |from, to| {
            let mut block = SoundBlock {
                start: 10,
                channels: vec![vec![0.0, 1.0, 2.0, 3.0]],
            };
            block.keep(from, to);
            (block.start, block.channels[0].clone())
        };
        assert_eq!(block(0, 99), (10, vec![0.0, 1.0, 2.0, 3.0]));
        assert_eq!(block(11, 13), (11, vec![1.0, 2.0]));
        assert_eq!(block(i64::MIN, 12), (10, vec![0.0, 1.0]));
        assert!(block(20, 30).1.is_empty());
        assert!(block(0, 5).1.is_empty());
    }
}
