//! Sound for the window: stretches of a clip that is played, as numbers.

use crate::{App, explain, inputs};
use frameloom_core::error::AppError;
use frameloom_media::Listener;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use ts_rs::TS;

/// A stretch of the sound of a clip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SoundWish {
    /// The clip.
    #[ts(type = "string")]
    pub path: PathBuf,
    /// Index of the track among the streams of the clip.
    pub stream: u32,
    /// Samples per second, as the device that plays them has it.
    pub rate: u32,
    /// Its first sample; 0 is heard while the first picture is shown.
    #[ts(type = "number")]
    pub from: i64,
    /// Samples of each of the two channels, at most ten seconds.
    pub count: u32,
}

/// Rates that devices have.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;
/// Longest stretch.
const MOST_SECONDS: u32 = 10;
/// One that is played, and one before it.
const OPEN_SOUNDS: usize = 2;

/// Tracks that are played; their files stay open.
#[derive(Debug, Default)]
pub(crate) struct OpenSounds {
    sounds: Mutex<VecDeque<OpenSound>>,
}

#[derive(Debug, Clone)]
struct OpenSound {
    path: PathBuf,
    stream: u32,
    rate: u32,
    modified: Option<SystemTime>,
    listener: Arc<Mutex<Listener>>,
}

/// The track, if it is open as it is now.
fn known(
    sounds: &mut VecDeque<OpenSound>,
    wanted: (&Path, u32, u32),
    modified: Option<SystemTime>,
) -> Option<Arc<Mutex<Listener>>> {
    let at = sounds.iter().position(|sound| {
        (sound.path.as_path(), sound.stream, sound.rate) == wanted && sound.modified == modified
    })?;
    let sound = sounds.remove(at)?;
    sounds.push_back(sound.clone());
    Some(sound.listener)
}

impl OpenSounds {
    fn open(
        &self,
        path: &Path,
        stream: u32,
        rate: u32,
        modified: Option<SystemTime>,
    ) -> Result<Arc<Mutex<Listener>>, AppError> {
        let wanted = (path, stream, rate);
        if let Some(listener) = known(&mut self.sounds(), wanted, modified) {
            return Ok(listener);
        }
        // Without the lock: a large file on a slow drive must not hold up the others.
        let info = inputs::probe(path)?;
        let opened = Listener::open(path, &info, stream, rate).map_err(|e| explain::media(&e))?;
        let mut sounds = self.sounds();
        if let Some(listener) = known(&mut sounds, wanted, modified) {
            return Ok(listener);
        }
        let listener = Arc::new(Mutex::new(opened));
        sounds.push_back(OpenSound {
            path: path.to_owned(),
            stream,
            rate,
            modified,
            listener: listener.clone(),
        });
        while sounds.len() > OPEN_SOUNDS {
            sounds.pop_front();
        }
        Ok(listener)
    }

    fn sounds(&self) -> MutexGuard<'_, VecDeque<OpenSound>> {
        self.sounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is a track of this file open?
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.sounds().iter().any(|sound| sound.path == path)
    }
}

impl App {
    /// A stretch of the sound of a clip: left and right by turns, 16 bit each, the lower byte
    /// first. All channels of the track are mixed into the two; where it has nothing there is
    /// silence, so that there are always as many samples as were asked for.
    ///
    /// # Errors
    /// The file cannot be read, or the stream is none of sound.
    pub fn clip_sound(&self, wish: &SoundWish) -> Result<Vec<u8>, AppError> {
        let rate = wish.rate.clamp(*RATES.start(), *RATES.end());
        let count = wish.count.min(rate * MOST_SECONDS) as usize;
        let path = &wish.path;
        let metadata =
            std::fs::metadata(path).map_err(|error| explain::unreadable(path, &error))?;
        self.note_use(path, &metadata);
        let modified = metadata.modified().ok();
        let listener = self.sounds.open(path, wish.stream, rate, modified)?;
        // One that panicked may be anywhere; it finds its place again by counting.
        let mut listener = listener.lock().unwrap_or_else(PoisonError::into_inner);
        let samples = listener
            .samples(wish.from, count)
            .map_err(|e| explain::media(&e))?;
        drop(listener);
        let mut bytes = Vec::with_capacity(samples.len() * 2);
        for sample in samples {
            let whole = (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16;
            bytes.extend(whole.to_le_bytes());
        }
        Ok(bytes)
    }
}
