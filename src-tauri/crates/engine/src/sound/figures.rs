//! What a file sounds like, in the figures of the field.

use super::loudness::Meter;
use crate::EngineError;
use frameloom_core::media::StreamKind;
use frameloom_core::time::{TimeBase, Timestamp};
use frameloom_media::{MediaError, SoundReader};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Of the first track of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Integrated loudness by EBU R128, in LUFS; `None` for silence and for less than 0.4 seconds.
    pub loudness: Option<f64>,
    /// Highest true peak, in dBTP; `None` for silence.
    pub peak: Option<f64>,
    /// From its first sample to its last, in microseconds.
    pub length_micros: i64,
}

/// Measures all of the first track of sound of a file.
///
/// # Errors
/// The file cannot be read, or has no sound.
pub fn figures(path: &Path) -> Result<Figures, EngineError> {
    let info = frameloom_media::probe(path)?;
    let mut tracks = info.streams.iter().filter(|s| s.kind == StreamKind::Audio);
    let track = tracks
        .next()
        .ok_or_else(|| MediaError::NoSound { path: path.into() })?;
    let never = Arc::new(AtomicBool::new(false));
    let mut reader = SoundReader::open(path, track.index, &never)?;
    let start = reader.start();
    let mut end = start;
    let mut meter = Meter::new(reader.format())?;
    while let Some(block) = reader.next_block()? {
        end = block.end();
        meter.add(&block)?;
    }
    let measured = meter.measured()?;
    let base = TimeBase::new(1, i64::from(reader.format().rate)).unwrap_or(TimeBase::MICROS);
    Ok(Figures {
        loudness: measured.loudness,
        peak: Some(measured.peak).filter(|peak| peak.is_finite()),
        length_micros: Timestamp::new(end.saturating_sub(start), base).micros(),
    })
}
