//! Faults put into sound on purpose: every one must be caught, and real sound may raise no alarm.

use super::samples::Samples;
use crate::EngineError;
use frameloom_media::{SoundBlock, SoundFormat};

/// What goes wrong. All but the last keep the length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// All of it is 40 ms late.
    Shift,
    /// A tenth of a second is missing in the middle, and silence is put at the end.
    Drop,
    /// It is 6 dB too loud.
    Gain,
    /// Nothing is heard.
    Silence,
    /// The last tenth of a second never comes.
    Short,
}

struct Faulty<'w> {
    inner: Box<dyn Samples + 'w>,
    fault: Fault,
}

/// Sound as a faulty line hands it on.
pub(crate) fn faulty<'w>(
    mut inner: Box<dyn Samples + 'w>,
    fault: Option<Fault>,
) -> Result<Box<dyn Samples + 'w>, EngineError> {
    let Some(fault) = fault else {
        return Ok(inner);
    };
    if matches!(fault, Fault::Gain | Fault::Silence) {
        return Ok(Box::new(Faulty { inner, fault }));
    }
    // The clips of tests are short: taken as a whole.
    let format = inner.format().clone();
    let mut whole: Option<SoundBlock> = None;
    while let Some(block) = inner.next()? {
        match &mut whole {
            None => whole = Some(block),
            Some(whole) => {
                for (all, more) in whole.channels.iter_mut().zip(block.channels) {
                    all.extend(more);
                }
            }
        }
    }
    let rate = format.rate as usize;
    if let Some(whole) = &mut whole {
        for channel in &mut whole.channels {
            let length = channel.len();
            match fault {
                Fault::Shift => {
                    channel.splice(0..0, vec![0.0; rate / 25]);
                    channel.truncate(length);
                }
                Fault::Drop => {
                    channel.drain(length / 2..length / 2 + rate / 10);
                    channel.resize(length, 0.0);
                }
                _ => channel.truncate(length - rate / 10),
            }
        }
    }
    Ok(Box::new(Once(format, whole)))
}

struct Once(SoundFormat, Option<SoundBlock>);

impl Samples for Once {
    fn format(&self) -> &SoundFormat {
        &self.0
    }
    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
        Ok(self.1.take())
    }
}

impl Samples for Faulty<'_> {
    fn format(&self) -> &SoundFormat {
        self.inner.format()
    }
    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
        let factor = if self.fault == Fault::Gain { 2.0 } else { 0.0 };
        Ok(self.inner.next()?.map(|mut block| {
            block
                .channels
                .iter_mut()
                .flatten()
                .for_each(|v| *v *= factor);
            block
        }))
    }
}
