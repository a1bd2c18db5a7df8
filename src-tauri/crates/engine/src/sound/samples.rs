//! Sound on its way: opened from the files inwards, pulled block by block.

use super::cover::{self, Covered};
use super::denoise::Denoised;
use super::loudness::{Gain, Louder, settle};
use super::make::World;
use super::mend::Mended;
use super::slow::Slowed;
use super::speech::Speech;
use super::{Sound, SoundStep};
use crate::EngineError;
use frameloom_core::graph::MuxEnd;
use frameloom_core::said;
use frameloom_core::time::{TimeBase, Timestamp};
use frameloom_media::{SoundBlock, SoundFilter, SoundFormat, SoundReader};

/// Sound that comes in blocks which follow each other without a gap.
pub(crate) trait Samples {
    /// Rate and channels.
    fn format(&self) -> &SoundFormat;
    /// The next block, never an empty one; `None` at the end.
    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError>;
}

/// Where an input lies in the result's time, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placement {
    /// Added to its times.
    pub shift: i64,
    /// What lies before is left out.
    pub from: Option<i64>,
    /// What lies from here on is left out.
    pub to: Option<i64>,
}

/// What of a chain is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Everything.
    Whole,
    /// Without what changes how it sounds: what the result is compared with.
    Reference,
}

/// The place of a moment.
pub(crate) fn place(micros: i64, rate: u32) -> i64 {
    let samples = TimeBase::new(1, i64::from(rate)).unwrap_or(TimeBase::MICROS);
    Timestamp::new(micros, TimeBase::MICROS)
        .rescaled(samples)
        .ticks
}

impl World<'_> {
    /// True for the input whose time the result's is.
    pub(crate) fn is_main(&self, input: &str) -> bool {
        self.clips.first().is_none_or(|clip| clip.input == input)
            || self.spec.path_of(input) == self.spec.input
    }

    /// Where an input lies that is heard as a whole.
    pub(crate) fn placement(&self, input: &str) -> Placement {
        let (start, end) = self.pictures;
        if self.is_main(input) {
            let first = self.clips.first();
            return Placement {
                shift: first.map_or(0, |clip| clip.at_micros - clip.from_micros),
                from: self.cut.map(|cut| cut.from_micros),
                to: self.cut.and_then(|cut| cut.to_micros),
            };
        }
        let origin = self.plan.origins.get(input).copied().unwrap_or(0);
        Placement {
            shift: start.saturating_sub(origin),
            from: Some(start),
            to: (self.plan.ends == MuxEnd::Pictures).then_some(end),
        }
    }
}

/// Opens sound. `placement` is given inside of joined clips.
pub(crate) fn open<'w>(
    world: &'w World<'_>,
    sound: &Sound,
    part: Part,
    placement: Option<Placement>,
) -> Result<Box<dyn Samples + 'w>, EngineError> {
    match sound {
        Sound::Stream { input, stream } => {
            let placement = placement.unwrap_or_else(|| world.placement(input));
            let path = world.spec.path_of(input);
            let reader = SoundReader::open(path, *stream, &world.context.cancel.now_flag())?;
            let whole = Box::new(FromFile::new(world, reader, placement));
            let is_main = world.is_main(input);
            let kept: Box<dyn Samples + 'w> = match world.cut_plan.filter(|_| is_main) {
                Some(cut) => Box::new(Mended::new(whole, cut, placement.shift)),
                None => whole,
            };
            Ok(match world.slow.filter(|_| is_main) {
                Some(slow) => Box::new(Slowed::open(kept, slow)?),
                None => kept,
            })
        }
        Sound::Joined { clips } => Ok(Box::new(Joined::open(world, clips, part)?)),
        Sound::Step { node, step, of } => match step {
            SoundStep::Channel { index } => {
                let inner = open(world, of, part, placement)?;
                Ok(Box::new(OneChannel::new(inner, *index as usize)))
            }
            // Its reference is covered, too: what is under the cover is gone from both.
            SoundStep::Redact(params) => {
                let inner = open(world, of, part, placement)?;
                let spans = cover::spans(&params.ranges, world.pictures.0, inner.format().rate)?;
                Ok(Box::new(Covered::new(inner, spans, params.cover)))
            }
            SoundStep::Loudness(_) | SoundStep::Denoise(_) if part == Part::Reference => {
                open(world, of, part, placement)
            }
            SoundStep::Loudness(params) => {
                let gain = gain_of(world, sound, || settle(world, params, of, placement))?;
                let inner = open(world, of, part, placement)?;
                Ok(Box::new(Louder::new(inner, gain)))
            }
            SoundStep::Denoise(params) => {
                let cleaned: Box<dyn Samples + 'w> = match &params.model {
                    Some(model) => {
                        let beat = || {
                            world.context.progress.alive();
                            world.context.cancel.check()
                        };
                        let key = format!("{sound:?} {placement:?}");
                        world.shelf.once(key, beat, || {
                            let inner = open(world, of, part, placement)?;
                            Ok(Box::new(Speech::open(world, node, inner, model.as_ref())?))
                        })?
                    }
                    None => {
                        let inner = open(world, of, part, placement)?;
                        let floor = world.noise_floor(sound, || {
                            super::denoise::noise_floor(&mut *open(world, of, part, placement)?)
                        })?;
                        Box::new(Denoised::open(inner, params.reduction, floor)?)
                    }
                };
                if params.strength >= 1.0 {
                    return Ok(cleaned);
                }
                // Both are the same samples at the same places.
                let plain = open(world, of, part, placement)?;
                Ok(Box::new(Blended::new(cleaned, plain, params.strength)))
            }
        },
    }
}

fn gain_of(
    world: &World<'_>,
    sound: &Sound,
    measure: impl FnOnce() -> Result<Gain, EngineError>,
) -> Result<Gain, EngineError> {
    if let Some(gain) = world.gain(sound) {
        return Ok(gain);
    }
    let gain = measure()?;
    world.set_gain(sound, gain);
    Ok(gain)
}

/// A track of a file at its place.
struct FromFile<'w> {
    world: &'w World<'w>,
    reader: SoundReader,
    shift: i64,
    from: i64,
    to: i64,
}

impl<'w> FromFile<'w> {
    fn new(world: &'w World<'_>, reader: SoundReader, placement: Placement) -> Self {
        let rate = reader.format().rate;
        Self {
            world,
            shift: place(placement.shift, rate),
            from: placement
                .from
                .map_or(i64::MIN, |micros| place(micros, rate)),
            to: placement.to.map_or(i64::MAX, |micros| place(micros, rate)),
            reader,
        }
    }
}

impl Samples for FromFile<'_> {
    fn format(&self) -> &SoundFormat {
        self.reader.format()
    }

    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
        while let Some(mut block) = self.reader.next_block()? {
            let world = self.world;
            world.context.progress.alive();
            world.context.cancel.check()?;
            if let Some(pace) = &world.pace {
                let rate = self.reader.format().rate;
                pace.read(block.len(), rate, world.context.progress);
            }
            block.start = block.start.saturating_add(self.shift);
            if block.start >= self.to {
                return Ok(None);
            }
            block.keep(self.from, self.to);
            if !block.is_empty() {
                return Ok(Some(block));
            }
        }
        Ok(None)
    }
}

/// One channel of several.
struct OneChannel<'w> {
    inner: Box<dyn Samples + 'w>,
    index: usize,
    format: SoundFormat,
}

impl<'w> OneChannel<'w> {
    fn new(inner: Box<dyn Samples + 'w>, index: usize) -> Self {
        let format = SoundFormat {
            rate: inner.format().rate,
            layout: "mono".to_owned(),
        };
        Self {
            inner,
            index,
            format,
        }
    }
}

impl Samples for OneChannel<'_> {
    fn format(&self) -> &SoundFormat {
        &self.format
    }

    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
        Ok(self.inner.next()?.map(|mut block| {
            let index = self.index.min(block.channels.len() - 1);
            block.channels = vec![block.channels.swap_remove(index)];
            block
        }))
    }
}

/// What was made of sound, mixed with the sound itself.
struct Blended<'w> {
    made: Box<dyn Samples + 'w>,
    plain: Box<dyn Samples + 'w>,
    /// The share of what was made, 0 to 1.
    share: f64,
    /// Of the plain sound, what stands beside nothing yet.
    waiting: Option<SoundBlock>,
}

impl<'w> Blended<'w> {
    fn new(made: Box<dyn Samples + 'w>, plain: Box<dyn Samples + 'w>, share: f64) -> Self {
        Self {
            made,
            plain,
            share: share.clamp(0.0, 1.0),
            waiting: None,
        }
    }
}

impl Samples for Blended<'_> {
    fn format(&self) -> &SoundFormat {
        self.made.format()
    }

    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
        let Some(mut block) = self.made.next()? else {
            return Ok(None);
        };
        for sample in block.channels.iter_mut().flatten() {
            *sample *= self.share;
        }
        let (start, end) = (block.start, block.end());
        loop {
            let mut plain = match self.waiting.take() {
                Some(plain) => plain,
                None => match self.plain.next()? {
                    Some(plain) => plain,
                    None => break,
                },
            };
            let (from, to) = (plain.start.max(start), plain.end().min(end));
            for (made, plain_channel) in block.channels.iter_mut().zip(&plain.channels) {
                let count = usize::try_from(to - from).unwrap_or(0);
                let skip = |of: i64| usize::try_from(from - of).unwrap_or(0);
                let pairs = made.iter_mut().skip(skip(start));
                let pairs = pairs.zip(plain_channel.iter().skip(skip(plain.start)));
                for (made, plain) in pairs.take(count) {
                    *made += plain * (1.0 - self.share);
                }
            }
            if plain.end() > end {
                plain.keep(end, i64::MAX);
                self.waiting = Some(plain);
                break;
            }
        }
        Ok(Some(block))
    }
}

/// Sound in another rate or layout.
pub(crate) struct Converted<'w> {
    inner: Box<dyn Samples + 'w>,
    filter: SoundFilter,
    format: SoundFormat,
    next: Option<i64>,
    ended: bool,
}

impl<'w> Converted<'w> {
    pub(crate) fn open(
        inner: Box<dyn Samples + 'w>,
        to: &SoundFormat,
    ) -> Result<Self, EngineError> {
        Ok(Self {
            filter: SoundFilter::open(inner.format(), to, &[])?,
            inner,
            format: to.clone(),
            next: None,
            ended: false,
        })
    }
}

impl Samples for Converted<'_> {
    fn format(&self) -> &SoundFormat {
        &self.format
    }

    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
        loop {
            if let Some(channels) = self.filter.receive()? {
                let start = self.next.unwrap_or(0);
                let block = SoundBlock { start, channels };
                self.next = Some(block.end());
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
                    if self.next.is_none() {
                        let from = TimeBase::new(1, i64::from(self.inner.format().rate));
                        let to = TimeBase::new(1, i64::from(self.format.rate));
                        self.next = from
                            .zip(to)
                            .map(|(from, to)| Timestamp::new(block.start, from).rescaled(to).ticks);
                    }
                    self.filter.send(&block.channels)?;
                }
                None => {
                    self.ended = true;
                    self.filter.finish()?;
                }
            }
        }
    }
}

/// Sound in the rate that its encoder takes.
pub(crate) fn in_rate<'w>(
    inner: Box<dyn Samples + 'w>,
    rate: u32,
) -> Result<Box<dyn Samples + 'w>, EngineError> {
    if inner.format().rate == rate {
        return Ok(inner);
    }
    let to = SoundFormat {
        rate,
        ..inner.format().clone()
    };
    Ok(Box::new(Converted::open(inner, &to)?))
}

/// First place of a clip, the place behind its last sample, and its sound.
type Piece<'w> = (i64, i64, Option<Box<dyn Samples + 'w>>);

/// The sound of one clip after another, each exactly as long as its pictures.
struct Joined<'w> {
    /// What is left, the next one last.
    clips: Vec<Piece<'w>>,
    format: SoundFormat,
    channels: usize,
    /// Place of the next sample.
    at: i64,
    /// A block that begins later than `at`.
    held: Option<SoundBlock>,
}

impl<'w> Joined<'w> {
    fn open(
        world: &'w World<'_>,
        sounds: &[Option<Sound>],
        part: Part,
    ) -> Result<Self, EngineError> {
        let mut opened = Vec::new();
        let mut format: Option<SoundFormat> = None;
        for (number, (clip, sound)) in world.clips.iter().zip(sounds).enumerate() {
            let end = match world.clips.get(number + 1) {
                Some(next) => next.at_micros,
                None => world.pictures.1,
            };
            let inner = match sound {
                Some(sound) => {
                    let placement = Placement {
                        shift: clip.at_micros - clip.from_micros,
                        from: Some(clip.at_micros),
                        to: Some(end),
                    };
                    Some(open(world, sound, part, Some(placement))?)
                }
                None => None,
            };
            if let (None, Some(inner)) = (&format, &inner) {
                format = Some(inner.format().clone());
            }
            opened.push((clip.at_micros, end, inner));
        }
        let format = format.ok_or_else(|| {
            super::node_error("sink", said!("sound.no_clip", "no clip has sound"))
        })?;
        let mut clips = Vec::new();
        for (from, to, inner) in opened {
            let inner: Option<Box<dyn Samples + 'w>> = match inner {
                Some(inner) if *inner.format() != format => {
                    Some(Box::new(Converted::open(inner, &format)?))
                }
                other => other,
            };
            clips.push((place(from, format.rate), place(to, format.rate), inner));
        }
        clips.reverse();
        Ok(Self {
            at: clips.last().map_or(0, |(from, ..)| *from),
            channels: format.channels()?,
            clips,
            format,
            held: None,
        })
    }

    /// Silence up to `to`, in pieces.
    fn silence(&mut self, to: i64) -> SoundBlock {
        let length = (to - self.at).clamp(0, i64::from(self.format.rate)) as usize;
        let block = SoundBlock {
            start: self.at,
            channels: vec![vec![0.0; length]; self.channels],
        };
        self.at = block.end();
        block
    }
}

impl Samples for Joined<'_> {
    fn format(&self) -> &SoundFormat {
        &self.format
    }

    fn next(&mut self) -> Result<Option<SoundBlock>, EngineError> {
        loop {
            if let Some(start) = self.held.as_ref().map(|block| block.start) {
                if start > self.at {
                    return Ok(Some(self.silence(start)));
                }
                if let Some(block) = self.held.take() {
                    self.at = block.end();
                    return Ok(Some(block));
                }
            }
            let Some((_, to, inner)) = self.clips.last_mut() else {
                return Ok(None);
            };
            let to = *to;
            let next = match inner {
                Some(inner) => inner.next()?,
                None => None,
            };
            match next {
                Some(mut block) => {
                    block.keep(self.at, to);
                    if !block.is_empty() {
                        self.held = Some(block);
                    }
                }
                None if self.at < to => return Ok(Some(self.silence(to))),
                None => {
                    self.clips.pop();
                }
            }
        }
    }
}
