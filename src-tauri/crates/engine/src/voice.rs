//! Listening to a track: how probable it is that somebody speaks, and how loud it is, over time.

use crate::EngineError;
use frameloom_core::time::{TimeBase, Timestamp};
use frameloom_infer::{Model, Runtime, VoiceSession};
use frameloom_media::{SoundFilter, SoundFormat, SoundReader};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Levels below this count as this, in dB of full scale.
pub const QUIETEST: f32 = -100.0;

/// What was heard of a track, in windows of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// Where the first window begins, in microseconds of the time of the file.
    pub first_micros: i64,
    /// Of each window, how probable it is that somebody speaks in it, 0 to 1.
    pub speech: Vec<f32>,
    /// Of each window, its mean power in dB of full scale, [`QUIETEST`] to 0.
    pub levels: Vec<f32>,
}

/// Microseconds of a window.
pub const WINDOW_MICROS: i64 = VoiceSession::WINDOW as i64 * 1_000_000 / VoiceSession::RATE as i64;

/// Listens to all of stream `stream` of a file, whose channels are mixed into one, with a model of the
/// task `voice_activity`.
///
/// # Errors
/// The stream is none of sound, or the model cannot be used.
pub fn listen(
    path: &Path,
    stream: u32,
    runtime: &Arc<Runtime>,
    model: &Model,
) -> Result<Heard, EngineError> {
    let never = Arc::new(AtomicBool::new(false));
    let mut reader = SoundReader::open(path, stream, &never)?;
    let mut session = VoiceSession::open(runtime, model)?;
    let wanted = SoundFormat {
        rate: VoiceSession::RATE,
        layout: "mono".to_owned(),
    };
    let base = TimeBase::new(1, i64::from(reader.format().rate)).unwrap_or(TimeBase::MICROS);
    let mut filter = SoundFilter::open(reader.format(), &wanted, &[])?;
    let mut heard = Heard {
        first_micros: Timestamp::new(reader.start(), base).micros(),
        speech: Vec::new(),
        levels: Vec::new(),
    };
    let mut waiting = Vec::new();
    loop {
        let block = reader.next_block()?;
        match &block {
            Some(block) => filter.send(&block.channels)?,
            None => filter.finish()?,
        }
        while let Some(channels) = filter.receive()? {
            waiting.extend(channels.iter().take(1).flatten().map(|v| *v as f32));
        }
        if block.is_none() {
            // The last window is filled up with silence.
            waiting.resize(waiting.len().next_multiple_of(VoiceSession::WINDOW), 0.0);
        }
        let mut windows = waiting.chunks_exact(VoiceSession::WINDOW);
        for window in &mut windows {
            if let Ok(window) = <&[f32; VoiceSession::WINDOW]>::try_from(window) {
                heard.speech.push(session.hear(window)?);
                heard.levels.push(level(window));
            }
        }
        waiting = windows.remainder().to_vec();
        if block.is_none() {
            return Ok(heard);
        }
    }
}

/// Mean power in dB of full scale.
fn level(window: &[f32]) -> f32 {
    let power = window.iter().map(|v| v * v).sum::<f32>() / window.len().max(1) as f32;
    (10.0 * power.log10()).clamp(QUIETEST, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_full_scale() {
        assert_eq!(level(&[0.0; 512]), QUIETEST);
        assert_eq!(level(&[1.0; 512]), 0.0);
        assert!((level(&[0.1; 512]) + 20.0).abs() < 1e-4);
        assert_eq!(WINDOW_MICROS, 32_000);
    }
}
