//! Whether two readings of sound are the same, sample by sample.

use crate::EngineError;
use crate::execute::Context;
use frameloom_media::{SoundBlock, SoundReader};

/// Compares what was made or copied with what is heard in a file; gives what is not alike.
///
/// Matroska does not say what comes before the first sample of coded sound, and whether what fills the
/// last packet up is heard depends on the container: up to a fifth of a second more is no difference at
/// either end. No more than `missing` samples may be missing at the end.
pub(crate) fn same_sound(
    before: SoundReader,
    after: SoundReader,
    missing: usize,
    context: &Context<'_>,
) -> Result<Result<(), String>, EngineError> {
    let (a, b) = (before.format(), after.format());
    // Some files name no layout.
    if (a.rate, a.channels()?) != (b.rate, b.channels()?) {
        return Ok(Err("it has another rate or other channels".to_owned()));
    }
    let most = before.format().rate as usize / 5;
    let mut before = Sequence::new(before);
    let mut after = Sequence::new(after);
    let lead = before.lead_in(&mut after, most)?;
    after.take(lead);
    loop {
        context.progress.alive();
        context.cancel.check()?;
        let count = before.ready()?.min(after.ready()?);
        if count == 0 {
            break;
        }
        if before.take(count) != after.take(count) {
            return Ok(Err("it does not sound as it did".to_owned()));
        }
    }
    if before.rest(missing)? > missing || after.rest(most)? > most {
        return Ok(Err("it is not as long as it was".to_owned()));
    }
    Ok(Ok(()))
}

/// Samples of a track one after another, wherever its blocks end.
struct Sequence {
    reader: SoundReader,
    waiting: SoundBlock,
}

impl Sequence {
    fn new(reader: SoundReader) -> Self {
        Self {
            reader,
            waiting: SoundBlock {
                start: 0,
                channels: Vec::new(),
            },
        }
    }

    /// Samples that can be taken at once; none at the end.
    fn ready(&mut self) -> Result<usize, EngineError> {
        while self.waiting.is_empty() {
            match self.reader.next_block()? {
                Some(block) => self.waiting = block,
                None => return Ok(0),
            }
        }
        Ok(self.waiting.len())
    }

    /// Reads on until so many samples can be taken at once, or to the end.
    fn gather(&mut self, count: usize) -> Result<usize, EngineError> {
        self.ready()?;
        while self.waiting.len() < count {
            let Some(block) = self.reader.next_block()? else {
                break;
            };
            for (list, more) in self.waiting.channels.iter_mut().zip(block.channels) {
                list.extend(more);
            }
        }
        Ok(self.waiting.len())
    }

    /// How many samples, at most `most`, `other` has before it begins as this one does; 0 where it is
    /// nowhere alike.
    fn lead_in(&mut self, other: &mut Self, most: usize) -> Result<usize, EngineError> {
        let ready = self.gather(4 * most)?;
        let there = other.gather(ready + most)?;
        let own = &self.waiting.channels;
        // Silence is alike everywhere.
        let heard = (0..ready).find(|at| own.iter().any(|list| list[*at] != 0.0));
        let Some(from) = heard else {
            return Ok(0);
        };
        let to = (from + most).min(ready);
        let is_alike = |lead: &usize| {
            let pairs = own.iter().zip(&other.waiting.channels);
            to + lead <= there
                && pairs
                    .into_iter()
                    .all(|(a, b)| a[from..to] == b[from + lead..to + lead])
        };
        Ok((0..=most).find(is_alike).unwrap_or(0))
    }

    fn take(&mut self, count: usize) -> Vec<Vec<f64>> {
        let channels = self.waiting.channels.iter_mut();
        channels.map(|list| list.drain(..count).collect()).collect()
    }

    /// How many samples are left, as far as they are no more than `most`.
    fn rest(&mut self, most: usize) -> Result<usize, EngineError> {
        let mut rest = 0;
        while rest <= most {
            match self.ready()? {
                0 => break,
                count => rest += count,
            }
            self.waiting.channels.clear();
        }
        Ok(rest)
    }
}
