//! Sound that took a network to make, kept while its job is made: loudness is measured over all of it
//! several times before it is encoded, and no network need run for each of those.

use super::samples::Samples;
use crate::EngineError;
use frameloom_media::{SoundBlock, SoundFormat};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// Longer sound is made again instead, in bytes: five hours of stereo.
const MOST: u64 = 7 << 30;
/// Samples of a channel that are read at once.
const AT_ONCE: usize = 8_192;

/// Sound that was kept as a whole: 32-bit floats, channel by channel within each sample.
#[derive(Debug)]
struct Kept {
    path: TempPath,
    format: SoundFormat,
    channels: usize,
    start: i64,
    samples: u64,
}

/// What was kept, in files of a folder that go with it.
#[derive(Debug)]
pub(crate) struct Shelf {
    folder: PathBuf,
    kept: RefCell<HashMap<String, Kept>>,
}

impl Shelf {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            kept: RefCell::default(),
        }
    }

    /// The sound with this key, made by `make` the first time. `beat` is called for every piece that is
    /// read again, and may stop it.
    ///
    /// # Errors
    /// That of `make`; what was kept cannot be read.
    pub(crate) fn once<'w>(
        &'w self,
        key: String,
        beat: impl Fn() -> Result<(), EngineError> + 'w,
        make: impl FnOnce() -> Result<Box<dyn Samples + 'w>, EngineError>,
    ) -> Result<Box<dyn Samples + 'w>, EngineError> {
        if let Some(kept) = self.kept.borrow().get(&key) {
            return Ok(Box::new(Again::open(kept, Box::new(beat))?));
        }
        let inner = make()?;
        let file = tempfile::Builder::new()
            .prefix(".sound-")
            .tempfile_in(&self.folder);
        Ok(Box::new(Keeping {
            shelf: self,
            key,
            channels: inner.format().channels()?,
            file: match file {
                Ok(file) => Some(BufWriter::new(file)),
                Err(error) => {
                    not_kept(&error);
                    None
                }
            },
            inner,
            start: None,
            bytes: 0,
        }))
    }
}

/// What cannot be kept is made again where it is needed: slower, and the same.
fn not_kept(error: &std::io::Error) {
    tracing::warn!(%error, "sound cannot be kept and is made again where it is needed");
}

/// Sound on its way, written down as it passes.
struct Keeping<'w> {
    shelf: &'w Shelf,
    key: String,
    inner: Box<dyn Samples + 'w>,
    channels: usize,
    /// `None` once it cannot be kept.
    file: Option<BufWriter<NamedTempFile>>,
    start: Option<i64>,
    bytes: u64,
}

impl Keeping<'_> {
    fn keep(&mut self, block: &SoundBlock) {
        let Some(file) = &mut self.file else { return };
        let mut bytes = Vec::with_capacity(block.len() * self.channels * 4);
        for n in 0..block.len() {
            for channel in &block.channels {
                let sample = channel.get(n).copied().unwrap_or_default() as f32;
                bytes.extend_from_slice(&sample.to_le_bytes());
            }
        }
        self.bytes += bytes.len() as u64;
        let written = match self.bytes <= MOST {
            true => file.write_all(&bytes),
            false => Err(std::io::ErrorKind::FileTooLarge.into()),
        };
        if let Err(error) = written {
            not_kept(&error);
            self.file = None;
        }
    }

    fn finish(&mut self) {
        let (Some(file), Some(start)) = (self.file.take(), self.start) else {
            return;
        };
        match file.into_inner() {
            Ok(file) => {
                let kept = Kept {
                    path: file.into_temp_path(),
                    format: self.inner.format().clone(),
                    channels: self.channels,
                    start,
                    samples: self.bytes / 4 / self.channels.max(1) as u64,
                };
                let key = std::mem::take(&mut self.key);
                self.shelf.kept.borrow_mut().insert(key, kept);
            }
            Err(error) => not_kept(error.error()),
        }
    }
}

impl Samples for Keeping<'_> {
    fn format(&self) -> &SoundFormat {
        self.inner.format()
    }

    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
        let Some(mut block) = self.inner.next()? else {
            self.finish();
            return Ok(None);
        };
        // As it is when it is read again, so that every pass hears the same.
        for sample in block.channels.iter_mut().flatten() {
            *sample = f64::from(*sample as f32);
        }
        self.start.get_or_insert(block.start);
        self.keep(&block);
        Ok(Some(block))
    }
}

/// Sound that was kept.
struct Again<'w> {
    beat: Box<dyn Fn() -> Result<(), EngineError> + 'w>,
    path: PathBuf,
    file: BufReader<File>,
    format: SoundFormat,
    channels: usize,
    at: i64,
    left: u64,
}

impl<'w> Again<'w> {
    fn open(
        kept: &Kept,
        beat: Box<dyn Fn() -> Result<(), EngineError> + 'w>,
    ) -> Result<Self, EngineError> {
        let path = kept.path.to_path_buf();
        let file = File::open(&path).map_err(EngineError::io("sound cannot be read", &path))?;
        Ok(Self {
            beat,
            path,
            file: BufReader::new(file),
            format: kept.format.clone(),
            channels: kept.channels,
            at: kept.start,
            left: kept.samples,
        })
    }
}

impl Samples for Again<'_> {
    fn format(&self) -> &SoundFormat {
        &self.format
    }

    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
        (self.beat)()?;
        let count = self.left.min(AT_ONCE as u64) as usize;
        if count == 0 {
            return Ok(None);
        }
        let mut bytes = vec![0u8; count * self.channels * 4];
        self.file
            .read_exact(&mut bytes)
            .map_err(EngineError::io("sound cannot be read", &self.path))?;
        let mut channels = vec![Vec::with_capacity(count); self.channels];
        for sample in bytes.chunks_exact(self.channels * 4) {
            for (channel, value) in channels.iter_mut().zip(sample.chunks_exact(4)) {
                let value = value.try_into().map_or(0.0, f32::from_le_bytes);
                channel.push(f64::from(value));
            }
        }
        let start = self.at;
        self.at += count as i64;
        self.left -= count as u64;
        Ok(Some(SoundBlock { start, channels }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// A ramp in blocks of several lengths, from a place on.
    struct Ramp {
        format: SoundFormat,
        at: i64,
        lengths: Vec<usize>,
    }

    impl Samples for Ramp {
        fn format(&self) -> &SoundFormat {
            &self.format
        }
        fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
            let Some(length) = self.lengths.pop() else {
                return Ok(None);
            };
            let start = self.at;
            self.at += length as i64;
            let value = |channel: usize, n: i64| (n as f64 + channel as f64 * 0.5) / 1e5;
            let channels = (0..2)
                .map(|channel| (start..self.at).map(|n| value(channel, n)).collect())
                .collect();
            Ok(Some(SoundBlock { start, channels }))
        }
    }

    fn all(mut samples: Box<dyn Samples + '_>) -> (i64, Vec<Vec<f64>>) {
        let (mut first, mut found) = (None, vec![Vec::new(); 2]);
        while let Some(block) = samples.next().unwrap() {
            let start = *first.get_or_insert(block.start);
            assert_eq!(block.start, start + found[0].len() as i64);
            for (all, more) in found.iter_mut().zip(block.channels) {
                all.extend(more);
            }
        }
        (first.unwrap(), found)
    }

    #[test]
    fn sound_is_made_once_and_heard_again_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(folder.path());
        let (made, beats) = (Cell::new(0), Cell::new(0));
        let open = |key: &str| {
            let beat = || {
                beats.set(beats.get() + 1);
                Ok(())
            };
            shelf
                .once(key.to_owned(), beat, || {
                    made.set(made.get() + 1);
                    Ok(Box::new(Ramp {
                        format: SoundFormat {
                            rate: 8_000,
                            layout: "stereo".into(),
                        },
                        at: -7,
                        lengths: vec![1, 20_000, 3, 900],
                    }))
                })
                .unwrap()
        };
        let first = all(open("a"));
        assert_eq!((first.0, first.1[0].len(), made.get()), (-7, 20_904, 1));
        assert_eq!(all(open("a")), first);
        assert_eq!(all(open("a")), first);
        assert_eq!(made.get(), 1);
        assert!(beats.get() > 4, "it can be stopped");
        // What was not heard to its end is not kept.
        drop(open("b"));
        let mut begun = open("b");
        begun.next().unwrap();
        drop(begun);
        assert_eq!(all(open("b")), first);
        assert_eq!(made.get(), 4);
        drop(shelf);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn where_nothing_can_be_written_sound_is_made_again() {
        let shelf = Shelf::new(Path::new("/no such folder"));
        let made = Cell::new(0);
        for _ in 0..2 {
            let sound = shelf.once(
                "a".to_owned(),
                || Ok(()),
                || {
                    made.set(made.get() + 1);
                    Ok(Box::new(Ramp {
                        format: SoundFormat {
                            rate: 8_000,
                            layout: "stereo".into(),
                        },
                        at: 0,
                        lengths: vec![5],
                    }))
                },
            );
            assert_eq!(all(sound.unwrap()).1[0].len(), 5);
        }
        assert_eq!(made.get(), 2);
    }
}
