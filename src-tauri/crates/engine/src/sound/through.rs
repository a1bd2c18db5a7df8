//! Sound that goes through something which keeps part of it back for a while.

use super::samples::Samples;
use crate::EngineError;
use frameloom_media::{SoundBlock, SoundFormat};

/// Silence behind the end that pushes out what is kept back, as a share of a second.
const PUSH: u32 = 4;

/// What sound goes through. All in all it gives a sample for each that it gets and for those of the
/// silence at the end, some of them late.
pub(crate) trait Stage {
    /// Takes samples, by channel.
    fn send(&mut self, channels: &[Vec<f64>]) -> Result<(), EngineError>;

    /// Samples that are done; `None` until more are sent.
    fn receive(&mut self) -> Result<Option<Vec<Vec<f64>>>, EngineError>;

    /// Nothing more is sent.
    fn finish(&mut self) -> Result<(), EngineError>;
}

/// Sound behind a stage: where it was, and as long as it was.
pub(crate) struct Through<'w, S> {
    inner: Box<dyn Samples + 'w>,
    stage: S,
    /// Place of the next sample that leaves.
    next: Option<i64>,
    end: i64,
    ended: bool,
}

impl<'w, S: Stage> Through<'w, S> {
    pub(crate) fn new(inner: Box<dyn Samples + 'w>, stage: S) -> Self {
        Self {
            inner,
            stage,
            next: None,
            end: 0,
            ended: false,
        }
    }
}

impl<S: Stage> Samples for Through<'_, S> {
    fn format(&self) -> &SoundFormat {
        self.inner.format()
    }

    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
        loop {
            if let Some(channels) = self.stage.receive()? {
                let start = self.next.unwrap_or(0);
                let mut block = SoundBlock { start, channels };
                self.next = Some(block.end());
                if self.ended {
                    block.keep(i64::MIN, self.end);
                }
                if block.is_empty() {
                    continue;
                }
                return Ok(Some(block));
            }
            if self.ended {
                return Ok(None);
            }
            match self.inner.next()? {
                Some(block) => {
                    self.next.get_or_insert(block.start);
                    self.end = block.end();
                    self.stage.send(&block.channels)?;
                }
                None => {
                    self.ended = true;
                    let format = self.inner.format();
                    let silence = vec![0.0; (format.rate / PUSH) as usize];
                    self.stage.send(&vec![silence; format.channels()?])?;
                    self.stage.finish()?;
                }
            }
        }
    }
}
