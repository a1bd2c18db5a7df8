//! From parts to one animated picture.

use super::paint::{Look, RgbPainter, interleaved};
use super::{clock, gif, settings, webp};
use crate::color::{ColorNumbers, UNSPECIFIED};
use crate::container::Container;
use crate::error::MediaError;
use crate::ffi::encoder::{Encoder, EncoderSettings};
use crate::ffi::frame::AvFrame;
use crate::ffi::output::Output;
use crate::ffi::packet::Packet;
use crate::ffi::pixel::AvFormat;
use crate::ffi::util::av_rational;
use crate::frame::Frame;
use crate::mux::video::Replay;
use crate::part::{PartFrames, PartReader};
use frameloom_core::job::Quality;
use frameloom_core::media::Warning;
use frameloom_core::said;
use frameloom_core::time::{FrameRate, Rational, TimeBase, Timestamp};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What to write.
#[derive(Debug, Clone)]
pub struct AnimationSpec<'a> {
    /// Part files in order.
    pub parts: &'a [PathBuf],
    /// The file to write. The caller renames it when it was checked.
    pub output_tmp: &'a Path,
    /// GIF, APNG or WebP.
    pub container: Container,
    /// Quality in a word.
    pub quality: Quality,
    /// How often it is played; 0 for ever.
    pub plays: u32,
    /// Frames per second, for the last frame where its length is unknown.
    pub frame_rate: Option<FrameRate>,
}

/// What was written, and what a reading must find again.
#[derive(Debug, Clone)]
pub struct AnimationReport {
    /// When each frame is shown, from 0, in ticks of `clock`.
    pub times: Vec<i64>,
    /// When the last one ends.
    pub end: i64,
    /// Seconds per tick.
    pub clock: TimeBase,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// How often it is played; 0 for ever.
    pub plays: u32,
    /// Size of the file.
    pub size_bytes: u64,
    /// What the user should know.
    pub warnings: Vec<Warning>,
    pub(super) container: Container,
    pub(super) quality: Quality,
    pub(super) looks: Vec<Look>,
}

/// Frames of the parts that are written, with their times.
pub(super) struct Schedule {
    /// For every frame of the parts: its tick, or `None` if the format cannot show it in time.
    pub(super) ticks: Vec<Option<i64>>,
    pub(super) end: i64,
}

impl Schedule {
    /// `pts` rise; `end` is where the last frame ends. Frames closer than `least` ticks to the one
    /// before are left out.
    fn new(pts: &[i64], end: i64, base: TimeBase, clock: TimeBase, least: i64) -> Self {
        let first = pts.first().copied().unwrap_or(0);
        let tick = |pts: i64| {
            let from_start = Timestamp::new(pts.saturating_sub(first), base);
            from_start.rescaled(clock).ticks
        };
        let mut last = None;
        let ticks = pts
            .iter()
            .map(|pts| {
                let at = tick(*pts);
                let fits = last.is_none_or(|last| at - last >= least);
                last = if fits { Some(at) } else { last };
                fits.then_some(at)
            })
            .collect();
        Self {
            ticks,
            end: tick(end).max(last.unwrap_or(0) + least),
        }
    }

    /// How long each frame that is written is shown, in ticks.
    pub(super) fn lengths(&self) -> Vec<i64> {
        let mut times: Vec<i64> = self.ticks.iter().flatten().copied().collect();
        times.push(self.end);
        times.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

/// Writes the frames of the parts as an animated picture and waits until it is on the disk.
///
/// # Errors
/// [`MediaError::PartDamaged`], [`MediaError::PartsDiffer`], [`MediaError::Cancelled`],
/// [`MediaError::DiskFull`], [`MediaError::Write`], an encoder or filter that is not there or
/// fails. A half-written file may be left at `output_tmp`.
pub fn write_animation(
    spec: &AnimationSpec<'_>,
    cancel: &Arc<AtomicBool>,
    progress: &mut dyn FnMut(f64),
) -> Result<AnimationReport, MediaError> {
    let replay = Replay::open(spec.parts)?;
    let base = replay.header.time_base;
    let (clock, least) = clock(spec.container);
    let end = end_of(spec, replay.pts(), base)?;
    let schedule = Schedule::new(replay.pts(), end, base, clock, least);
    let mut source = Source::open(spec, &schedule, cancel, progress)?;
    match spec.container {
        Container::Gif => gif::write(spec, &schedule, &mut source, cancel)?,
        Container::Apng => write_apng(spec, &schedule, &mut source, cancel)?,
        Container::WebP => webp::write(spec, &schedule, &mut source)?,
        other => {
            return Err(MediaError::UnsupportedContainer {
                extension: other.extension().to_owned(),
            });
        }
    }
    let synced = File::open(spec.output_tmp).and_then(|file| {
        file.sync_data()?;
        file.metadata()
    });
    let facts = synced.map_err(|e| MediaError::from_write(e, spec.output_tmp))?;
    let times: Vec<i64> = schedule.ticks.iter().flatten().copied().collect();
    let left_out = schedule.ticks.len() - times.len();
    let warnings = (left_out > 0)
        .then(|| {
            Warning::dropped(said!(
                "lost.fast_frames",
                "{count} of {all} frames, which come faster than {container} can show",
                count = left_out,
                all = schedule.ticks.len(),
                container = spec.container.shown()
            ))
        })
        .into_iter()
        .collect();
    Ok(AnimationReport {
        times,
        end: schedule.end,
        clock,
        size: source.size,
        plays: spec.plays,
        size_bytes: facts.len(),
        warnings,
        container: spec.container,
        quality: spec.quality,
        looks: source.looks,
    })
}

/// Where the last frame ends: as the source says, else as far behind it as the one before.
fn end_of(spec: &AnimationSpec<'_>, pts: &[i64], base: TimeBase) -> Result<i64, MediaError> {
    let last = pts.last().copied().unwrap_or(0);
    let mut length = 0;
    if let Some(path) = spec.parts.last() {
        let part = PartReader::open(path)?;
        length = part
            .entries()
            .iter()
            .find(|e| e.pts == last)
            .map_or(0, |e| e.duration);
    }
    if length <= 0 {
        let step = match pts {
            [.., before, last] => Some(last - before),
            _ => spec
                .frame_rate
                .and_then(|rate| rate.ratio().recip())
                .and_then(|seconds| TimeBase::new(seconds.num, seconds.den))
                .map(|one| Timestamp::new(1, one).rescaled(base).ticks),
        };
        let tenth = Timestamp::new(100_000, TimeBase::MICROS)
            .rescaled(base)
            .ticks;
        length = step.unwrap_or(tenth);
    }
    Ok(last.saturating_add(length.max(1)))
}

/// The frames that are written, one after the other, in red, green and blue.
pub(super) struct Source<'a, 'b> {
    spec: &'b AnimationSpec<'a>,
    frames: PartFrames<'a>,
    next: usize,
    schedule: &'b Schedule,
    painter: RgbPainter,
    cancel: &'b AtomicBool,
    progress: &'b mut dyn FnMut(f64),
    pub(super) size: (u32, u32),
    pub(super) alpha: bool,
    /// Bits per sample of what is given out: 8 or 16.
    pub(super) bits: u8,
    looks: Vec<Look>,
}

impl<'a, 'b> Source<'a, 'b> {
    fn open(
        spec: &'b AnimationSpec<'a>,
        schedule: &'b Schedule,
        cancel: &'b AtomicBool,
        progress: &'b mut dyn FnMut(f64),
    ) -> Result<Self, MediaError> {
        let frames = PartFrames::open(spec.parts)?;
        let format = AvFormat(frames.header().parameters.format);
        let deep = frames.header().depth() > 8 && spec.container == Container::Apng;
        let bits = if deep { 16 } else { 8 };
        let color = frames.header().color();
        Ok(Self {
            spec,
            size: frames.header().size(),
            frames,
            next: 0,
            schedule,
            painter: RgbPainter::new(bits).in_srgb(&color),
            cancel,
            progress,
            alpha: format.has_alpha(),
            bits,
            looks: Vec::new(),
        })
    }

    /// Starts over.
    pub(super) fn rewind(&mut self) -> Result<(), MediaError> {
        self.frames = PartFrames::open(self.spec.parts)?;
        self.next = 0;
        self.looks.clear();
        Ok(())
    }

    /// The next frame that is written, its time in ticks of the format.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, MediaError> {
        loop {
            if self.cancel.load(Ordering::Relaxed) {
                return Err(MediaError::Cancelled);
            }
            let Some(frame) = self.frames.next()? else {
                if self.next == self.schedule.ticks.len() {
                    return Ok(None);
                }
                return Err(MediaError::Verification {
                    what: format!(
                        "{} of {} frames could be read back",
                        self.next,
                        self.schedule.ticks.len()
                    ),
                    path: self.spec.output_tmp.into(),
                });
            };
            let tick = self.schedule.ticks.get(self.next).copied().flatten();
            self.next += 1;
            (self.progress)(self.next as f64 / self.schedule.ticks.len().max(1) as f64);
            let Some(tick) = tick else { continue };
            let mut frame = self.painter.rgb(&frame)?;
            frame.set_timing(tick, 0);
            let all_or_nothing = self.spec.container == Container::Gif;
            self.looks.push(Look::of(&frame, all_or_nothing));
            return Ok(Some(frame));
        }
    }
}

/// What the encoders of picture formats are told of colour: red, green, blue in full range.
pub(super) fn rgb_color() -> ColorNumbers {
    ColorNumbers {
        primaries: UNSPECIFIED,
        transfer: UNSPECIFIED,
        matrix: 0,
        range: 2,
        chroma: 0,
    }
}

/// An encoder of pictures and, behind it, a muxer.
pub(super) struct Sink {
    encoder: Encoder,
    output: Output,
    clock: Rational,
    /// How long each frame is shown, in ticks.
    lengths: std::vec::IntoIter<i64>,
}

impl Sink {
    pub(super) fn open(
        spec: &AnimationSpec<'_>,
        schedule: &Schedule,
        size: (u32, u32),
        format: AvFormat,
        encoder_options: &[(String, String)],
        muxer_options: &[(&str, String)],
        cancel: &Arc<AtomicBool>,
    ) -> Result<Self, MediaError> {
        let clock = clock(spec.container).0.ratio();
        let (name, _) = settings(spec.container, spec.quality);
        let encoder = Encoder::open(&EncoderSettings {
            name,
            width: size.0,
            height: size.1,
            format,
            time_base: clock,
            frame_rate: None,
            color: rgb_color(),
            sample_aspect_ratio: Rational { num: 1, den: 1 },
            options: encoder_options,
        })?;
        let (parameters, extradata) = encoder.parameters()?;
        let mut output = Output::create(spec.output_tmp, spec.container.muxer(), cancel)?;
        let base = av_rational(clock).ok_or(MediaError::OutOfMemory)?;
        output.add_pictures(&parameters, &extradata, base)?;
        output.write_header(muxer_options)?;
        Ok(Self {
            encoder,
            output,
            clock,
            lengths: schedule.lengths().into_iter(),
        })
    }

    pub(super) fn send(&mut self, frame: &AvFrame) -> Result<(), MediaError> {
        while !self.encoder.send(Some(frame))? {
            self.drain()?;
        }
        self.drain()
    }

    fn drain(&mut self) -> Result<(), MediaError> {
        let mut packet = Packet::new()?;
        while self.encoder.receive(&mut packet)? {
            let clock = av_rational(self.clock).ok_or(MediaError::OutOfMemory)?;
            // The last packet of some encoders holds no picture.
            if packet.pts().is_some() && !packet.data().is_empty() {
                packet.set_duration(self.lengths.next().unwrap_or(0));
            }
            packet.set_stream(0);
            packet.rescale(clock, self.output.time_base(0));
            self.output.write(&mut packet)?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(), MediaError> {
        self.encoder.send(None)?;
        self.drain()?;
        self.output.finish()
    }
}

fn write_apng(
    spec: &AnimationSpec<'_>,
    schedule: &Schedule,
    source: &mut Source<'_, '_>,
    cancel: &Arc<AtomicBool>,
) -> Result<(), MediaError> {
    let format = match (source.bits, source.alpha) {
        (8, false) => AvFormat::RGB24,
        (8, true) => AvFormat::RGBA,
        (_, false) => AvFormat::RGB48,
        (_, true) => AvFormat::RGBA64,
    };
    let (_, options) = settings(spec.container, spec.quality);
    let last = schedule.lengths().last().copied().unwrap_or(1);
    let clock = clock(spec.container).0.ratio();
    let length = Rational::new(last.saturating_mul(clock.num), clock.den)
        .unwrap_or(Rational { num: 1, den: 10 });
    let length = nearest_delay(length);
    let muxer = [
        ("plays", spec.plays.to_string()),
        ("final_delay", format!("{}/{}", length.num, length.den)),
    ];
    let mut sink = Sink::open(
        spec,
        schedule,
        source.size,
        format,
        &options,
        &muxer,
        cancel,
    )?;
    while let Some(frame) = source.next()? {
        sink.send(&interleaved(&frame, format)?)?;
    }
    sink.finish()
}

/// The nearest fraction of two 16-bit numbers, as an APNG has them.
fn nearest_delay(seconds: Rational) -> Rational {
    let top = i64::from(u16::MAX);
    if seconds.num <= top && seconds.den <= top {
        return seconds;
    }
    let den = if seconds.num > seconds.den {
        // Longer than a second: as fine as the numerator leaves room.
        (top * seconds.den / seconds.num).clamp(1, top)
    } else {
        top
    };
    let num = (i128::from(seconds.num) * i128::from(den) * 2 + i128::from(seconds.den))
        / (2 * i128::from(seconds.den));
    Rational::new(i64::try_from(num).unwrap_or(top).clamp(1, top), den).unwrap_or(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(den: i64) -> TimeBase {
        TimeBase::new(1, den).unwrap()
    }

    #[test]
    fn frames_of_an_ordinary_clip_keep_their_times_to_half_a_tick() {
        let pts: Vec<i64> = (0..72).map(|n| 5_000 + n * 1_001).collect();
        let end = 5_000 + 72 * 1_001;
        let plan = Schedule::new(&pts, end, base(24_000), base(100), 2);
        assert_eq!(plan.ticks[..4], [Some(0), Some(4), Some(8), Some(13)]);
        assert!(plan.ticks.iter().all(Option::is_some));
        assert_eq!(plan.end, 300);
        assert_eq!(plan.lengths().iter().sum::<i64>(), 300);
    }

    #[test]
    fn what_comes_faster_than_the_format_shows_is_left_out_and_the_length_stays() {
        let pts: Vec<i64> = (0..60).collect();
        let plan = Schedule::new(&pts, 60, base(60), base(100), 2);
        assert!(plan.lengths().iter().all(|length| *length >= 2));
        assert_eq!(plan.end, 100);
        let kept = plan.ticks.iter().flatten().count();
        assert!((34..=50).contains(&kept), "{kept}");
    }

    #[test]
    fn a_delay_of_a_png_is_a_fraction_of_two_short_numbers() {
        for (num, den) in [
            (1_001, 24_000),
            (41_708, 1_000_000),
            (123_456_789, 1_000_000),
            (1, 3),
        ] {
            let exact = Rational::new(num, den).unwrap();
            let near = nearest_delay(exact);
            assert!(near.num <= 65_535 && near.den <= 65_535);
            assert!(
                (near.to_f64() / exact.to_f64() - 1.0).abs() < 1e-3,
                "{near}"
            );
        }
    }
}
