//! Working out the tracks that something is done to, one after the other, each once: a finished
//! one is a part in the job's folder with a record beside it.

use super::again::Shelf;
use super::alike::same_sound;
use super::check::{Found, PEAK_TOLERANCE, check, loudness_fault};
use super::loudness::Gain;
use super::pace::Pace;
use super::samples::{Part, in_rate, open, place};
use super::{ClipSpan, Making, Sound, SoundPlan, SoundStep, TrackPlan, node_error};
use super::{captions, origin_of};
use crate::EngineError;
use crate::execute::Context;
use crate::plan::CutPlan;
use frameloom_core::graph::{LoudnessParams, SubtitleTrackParams};
use frameloom_core::job::JobSpec;
use frameloom_core::media::{MediaInfo, StreamKind, Warning};
use frameloom_core::receipt::{LoudnessCheck, SoundCheck};
use frameloom_core::said;
use frameloom_core::time::{Rational, TimeBase, Timestamp};
use frameloom_media::{
    AddedTrack, Container, CueTrack, SoundEncoderPlan, SoundPartReader, SoundPartWriter,
    SoundReader, SourceCut, SourceHole, TrackFrom,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// How often a track is encoded at most until its loudness is right: codecs add to peaks.
const ATTEMPTS: usize = 5;

/// What sound is worked out in.
pub(crate) struct World<'a> {
    /// The job.
    pub spec: &'a JobSpec,
    /// Its tracks.
    pub plan: &'a SoundPlan,
    /// The clips that are shown.
    pub clips: &'a [ClipSpan],
    /// The stretch of the first clip's input that is kept, where it is not all of it.
    pub cut: Option<SourceCut>,
    /// What is left out inside of that stretch.
    pub cut_plan: Option<&'a CutPlan>,
    /// The same, in the time of the file, for packets that are copied.
    pub holes: &'a [SourceHole],
    /// How many times as long all of the first clip's input lasts.
    pub slow: Option<Rational>,
    /// First moment of the pictures, and the moment behind the last one, in the result's time.
    pub pictures: (i64, i64),
    /// The run.
    pub context: &'a Context<'a>,
    /// Counts how far it is, where nothing else is done.
    pub pace: Option<Pace>,
    gains: RefCell<HashMap<String, Gain>>,
    floors: RefCell<HashMap<String, f64>>,
    /// Sound that is made once.
    pub(super) shelf: Shelf,
    /// What a test lets go wrong.
    #[cfg(test)]
    pub fault: Option<super::faults::Fault>,
}

impl<'a> World<'a> {
    pub(crate) fn new(
        spec: &'a JobSpec,
        plan: &'a SoundPlan,
        clips: &'a [ClipSpan],
        cut: Option<SourceCut>,
        pictures: (i64, i64),
        context: &'a Context<'a>,
    ) -> Self {
        Self {
            spec,
            plan,
            clips,
            cut,
            cut_plan: None,
            holes: &[],
            slow: None,
            pictures,
            context,
            pace: None,
            gains: RefCell::default(),
            floors: RefCell::default(),
            shelf: Shelf::new(context.work_dir),
            #[cfg(test)]
            fault: None,
        }
    }

    pub(super) fn gain(&self, step: &Sound) -> Option<Gain> {
        self.gains.borrow().get(&key(step)).copied()
    }

    pub(super) fn set_gain(&self, step: &Sound, gain: Gain) {
        self.gains.borrow_mut().insert(key(step), gain);
    }

    /// The noise floor of what goes into a step, measured once.
    pub(super) fn noise_floor(
        &self,
        step: &Sound,
        measure: impl FnOnce() -> Result<f64, EngineError>,
    ) -> Result<f64, EngineError> {
        let key = key(step);
        if let Some(floor) = self.floors.borrow().get(&key) {
            return Ok(*floor);
        }
        let floor = measure()?;
        self.floors.borrow_mut().insert(key, floor);
        Ok(floor)
    }
}

fn key(step: &Sound) -> String {
    format!("{step:?}")
}

/// The tracks beside the pictures, ready to be joined with them.
pub(crate) struct Made<'a> {
    tracks: Vec<Ready<'a>>,
    /// What was checked.
    pub checks: Vec<SoundCheck>,
}

struct Ready<'a> {
    plan: &'a TrackPlan,
    from: From<'a>,
}

enum From<'a> {
    File {
        path: PathBuf,
        stream: u32,
        taken: Taken<'a>,
    },
    Written {
        /// With its times in the result, but for the shift.
        track: CueTrack,
        shift_micros: i64,
        /// Its place among the tracks of subtitles.
        number: usize,
    },
    Part {
        path: PathBuf,
        /// Its place among the tracks of sound.
        track: usize,
    },
}

/// What of an input comes into the result, and where.
#[derive(Clone, Copy)]
struct Taken<'a> {
    /// Added to its times, after everything else.
    shift_micros: i64,
    /// What is kept of it, in the time of its file.
    cut: Option<SourceCut>,
    /// What is left out of that.
    holes: &'a [SourceHole],
    /// How many times as long it lasts.
    slow: Option<Rational>,
}

/// What is remembered of a finished part.
#[derive(Serialize, Deserialize)]
struct Record {
    /// Of everything that decides what is in it.
    fingerprint: String,
    check: SoundCheck,
}

/// Works out what is not there yet. Sound and subtitles of the plan follow each other.
pub(crate) fn make<'a>(world: &World<'a>) -> Result<Made<'a>, EngineError> {
    let mut made = Made {
        tracks: Vec::new(),
        checks: Vec::new(),
    };
    let sound = world.plan.sound.iter().flatten().enumerate();
    let subtitles = world.plan.subtitles.iter().flatten().enumerate();
    for (number, plan) in sound.chain(subtitles) {
        let from = match &plan.making {
            Making::Copied { input, stream } => world.copied(input, *stream),
            Making::Written {
                input,
                origin_micros,
                params,
            } => world.written(number, input, *origin_micros, params)?,
            Making::WorkedOut { sound, encoder } => {
                let (path, check) = world.worked_out(number, plan, sound, encoder)?;
                made.checks.push(check);
                From::Part {
                    path,
                    track: number,
                }
            }
        };
        made.tracks.push(Ready { plan, from });
    }
    Ok(made)
}

impl<'a> World<'a> {
    fn copied(&self, input: &str, stream: u32) -> From<'a> {
        From::File {
            path: self.spec.path_of(input).to_owned(),
            stream,
            taken: self.taken(input),
        }
    }

    fn taken(&self, input: &str) -> Taken<'a> {
        let placement = self.placement(input);
        let own = |micros: Option<i64>| micros.map(|m| m.saturating_sub(placement.shift));
        let (from, to) = (own(placement.from), own(placement.to));
        Taken {
            shift_micros: placement.shift,
            holes: if self.is_main(input) { self.holes } else { &[] },
            slow: self.slow.filter(|_| self.is_main(input)),
            cut: (from.is_some() || to.is_some()).then(|| SourceCut {
                from_micros: from.unwrap_or(i64::MIN),
                to_micros: to,
            }),
        }
    }

    fn written(
        &self,
        number: usize,
        input: &str,
        origin_micros: i64,
        params: &SubtitleTrackParams,
    ) -> Result<From<'a>, EngineError> {
        let path = self.spec.path_of(input);
        let container = Container::from_path(&self.spec.output)?;
        let cancel = self.context.cancel.now_flag();
        let lines = captions::read("subtitle_track", path, params, container, &cancel)?;
        let taken = self.taken(input);
        let track = lines.track;
        Ok(From::Written {
            track: track.placed(origin_micros, taken.cut, taken.holes, taken.slow),
            shift_micros: taken.shift_micros,
            number,
        })
    }

    fn fingerprint(&self, plan: &TrackPlan) -> String {
        let cut = self.cut.map(|cut| (cut.from_micros, cut.to_micros));
        let all = format!(
            "{plan:?} {:?} {:?} {cut:?} {:?} {:?} {:?} {:?}",
            self.clips, self.pictures, self.plan.origins, self.plan.ends, self.cut_plan, self.slow
        );
        crate::plan::hex(&Sha256::digest(all.as_bytes()))
    }

    /// A finished part, from an earlier run or made now.
    fn worked_out(
        &self,
        number: usize,
        plan: &TrackPlan,
        sound: &Sound,
        encoder: &SoundEncoderPlan,
    ) -> Result<(PathBuf, SoundCheck), EngineError> {
        let file = |extension: &str| {
            let name = format!("sound-{number:02}.{extension}");
            self.context.work_dir.join(name)
        };
        let (part, note) = (file("sound"), file("json"));
        let fingerprint = self.fingerprint(plan);
        if let Some(check) = finished(&part, &note, &fingerprint) {
            self.tell(number, &check);
            return Ok((part, check));
        }
        let writing = file("making");
        let made = self.encoded(number, sound, encoder, &writing);
        let check = made.inspect_err(|_| {
            // On a full disk this makes the room in which the failure can be recorded.
            if let Err(error) = std::fs::remove_file(&writing)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(%error, "unfinished sound could not be removed");
            }
        })?;
        std::fs::rename(&writing, &part)
            .map_err(EngineError::io("sound cannot be given its name", &part))?;
        let record = Record { fingerprint, check };
        remember(&file("writing"), &note, &record)?;
        self.tell(number, &record.check);
        Ok((part, record.check))
    }

    fn tell(&self, number: usize, check: &SoundCheck) {
        if check.loudness.is_some_and(|found| found.before.is_none()) {
            self.context.progress.warning(Warning::LoudnessUnknown {
                track: number as u32 + 1,
            });
        }
    }

    /// Encodes a track and checks it, again with another gain where its loudness is not right.
    fn encoded(
        &self,
        number: usize,
        sound: &Sound,
        encoder: &SoundEncoderPlan,
        writing: &Path,
    ) -> Result<SoundCheck, EngineError> {
        let params = match sound {
            Sound::Step {
                step: SoundStep::Loudness(params),
                ..
            } => Some(params),
            _ => None,
        };
        let mut attempt = 1;
        loop {
            self.write(sound, encoder, writing)?;
            let found = check(self, sound, writing, number + 1)?;
            let gain = self.gain(sound);
            if let (Some(params), Some(gain)) = (params, gain)
                && let Some(reason) = loudness_fault(params, gain.before, &found.measured)
            {
                if attempt < ATTEMPTS
                    && let Some(better) = corrected(params, gain, &found)
                {
                    tracing::info!(attempt, reason, "sound is encoded with another gain");
                    self.set_gain(sound, better);
                    attempt += 1;
                    continue;
                }
                let Some(loudness) = quieter_than_asked(params, gain, &found) else {
                    return Err(EngineError::OutputCheck {
                        reason: format!("track {} of the sound: {reason}", number + 1),
                    });
                };
                let tenths = |value: f64| (value * 10.0).round() as i32;
                self.context.progress.warning(Warning::QuieterThanAsked {
                    track: number as u32 + 1,
                    target_tenths: tenths(params.target),
                    loudness_tenths: tenths(loudness),
                    peak_tenths: tenths(params.peak),
                });
            }
            return Ok(SoundCheck {
                track: number as u32,
                codec: encoder.codec.clone(),
                sample_rate: encoder.format.rate,
                samples: found.samples,
                offset_micros: found.offset_micros,
                loudness: params.zip(gain).map(|(params, gain)| LoudnessCheck {
                    target: params.target,
                    peak: params.peak,
                    before: gain.before,
                    found: found.measured.loudness,
                    found_peak: Some(found.measured.peak).filter(|peak| peak.is_finite()),
                    limited: gain.ceiling.is_some(),
                }),
            });
        }
    }

    fn write(
        &self,
        sound: &Sound,
        encoder: &SoundEncoderPlan,
        path: &Path,
    ) -> Result<(), EngineError> {
        let samples = open(self, sound, Part::Whole, None)?;
        let samples = in_rate(samples, encoder.format.rate)?;
        #[cfg(test)]
        let samples = super::faults::faulty(samples, self.fault)?;
        let mut samples = samples;
        let mut writer: Option<SoundPartWriter> = None;
        while let Some(block) = samples.next()? {
            let writer = match &mut writer {
                Some(writer) => writer,
                None => writer.insert(SoundPartWriter::create(path, encoder, block.start)?),
            };
            writer.write(&block.channels)?;
        }
        let writer = writer.ok_or_else(|| {
            node_error(
                "sink",
                said!(
                    "sound.outside",
                    "none of its sound lies within the time of the pictures"
                ),
            )
        })?;
        writer.finish()?;
        Ok(())
    }
}

/// The loudness of a track that its limit on peaks keeps from being as loud as was asked for: what
/// is cut off the peaks makes it quieter, and more gain is cut off again.
fn quieter_than_asked(params: &LoudnessParams, gain: Gain, found: &Found) -> Option<f64> {
    let loudness = found.measured.loudness?;
    let is_within = found.measured.peak <= params.peak + PEAK_TOLERANCE;
    let is_between =
        gain.before.is_some_and(|before| loudness > before) && loudness < params.target;
    (gain.ceiling.is_some() && is_within && is_between).then_some(loudness)
}

/// The gain that would have been right, if what was found is a matter of gain.
fn corrected(params: &LoudnessParams, gain: Gain, found: &Found) -> Option<Gain> {
    let loudness = found.measured.loudness?;
    let over = found.measured.peak - params.peak;
    let ceiling = gain.ceiling.unwrap_or(params.peak);
    Some(Gain {
        gain: gain.gain + (params.target - loudness),
        ceiling: match over > 0.0 {
            true => Some(ceiling - over - 0.05),
            false => gain.ceiling,
        },
        ..gain
    })
}

fn finished(part: &Path, note: &Path, fingerprint: &str) -> Option<SoundCheck> {
    let record: Record = serde_json::from_slice(&std::fs::read(note).ok()?).ok()?;
    if record.fingerprint != fingerprint {
        return None;
    }
    match SoundPartReader::open(part) {
        Ok(_) => Some(record.check),
        Err(error) => {
            tracing::warn!(%error, "finished sound is damaged and is made again");
            None
        }
    }
}

fn remember(writing: &Path, note: &Path, record: &Record) -> Result<(), EngineError> {
    let json = serde_json::to_vec(record).map_err(|error| EngineError::Journal {
        disk_full: false,
        source: error.into(),
    })?;
    let write = || -> std::io::Result<()> {
        let mut file = File::create(writing)?;
        file.write_all(&json)?;
        file.sync_data()?;
        std::fs::rename(writing, note)
    };
    write().map_err(EngineError::io("finished sound cannot be recorded", note))
}

impl Made<'_> {
    /// The tracks as the mux takes them.
    pub(crate) fn added(&self) -> Vec<AddedTrack<'_>> {
        let tracks = self.tracks.iter();
        tracks
            .map(|ready| AddedTrack {
                from: match &ready.from {
                    From::File {
                        path,
                        stream,
                        taken,
                    } => TrackFrom::File {
                        path,
                        stream: *stream,
                        shift_micros: taken.shift_micros,
                        cut: taken.cut,
                        holes: taken.holes,
                        slow: taken.slow,
                    },
                    From::Written {
                        track,
                        shift_micros,
                        ..
                    } => TrackFrom::Subtitles {
                        track,
                        shift_micros: *shift_micros,
                    },
                    From::Part { path, .. } => TrackFrom::Sound { part: path },
                },
                tags: ready.plan.tags.clone(),
                dispositions: ready.plan.dispositions.clone(),
            })
            .collect()
    }

    /// Looks into the joined file: is every worked-out track there, where it should be, and as
    /// long as it should be? `moved_micros` is by how much all streams were moved.
    pub(crate) fn check_output(
        &self,
        world: &World<'_>,
        output: &Path,
        moved_micros: i64,
    ) -> Result<(), EngineError> {
        let is_copied = |ready: &Ready<'_>| matches!(ready.from, From::File { .. });
        if self.tracks.iter().all(is_copied) {
            return Ok(());
        }
        let info = frameloom_media::probe(output)?;
        let sound = tracks_of(&info);
        self.check_lines(world, output, &info, moved_micros)?;
        for ready in &self.tracks {
            let From::Part { path, track } = &ready.from else {
                continue;
            };
            let fail = |reason: String| EngineError::OutputCheck {
                reason: format!("track {} of the sound: {reason}", track + 1),
            };
            let index = *sound
                .get(*track)
                .ok_or_else(|| fail("it is not in the file".to_owned()))?;
            let part = SoundPartReader::open(path)?;
            let (start, end) = part.span();
            let rate = part.header().format.rate;
            let mut reader = SoundReader::open(output, index, &world.context.cancel.now_flag())?;
            let found_start = reader.start();
            let mut found_end = found_start;
            while let Some(block) = reader.next_block()? {
                world.context.progress.alive();
                world.context.cancel.check()?;
                found_end = block.end();
            }
            let base = TimeBase::new(1, i64::from(rate)).unwrap_or(TimeBase::MICROS);
            let moved = place(moved_micros, rate);
            // Containers that count in thousandths round twice. What an encoder puts before the
            // first sample may be told as sound, and so may what fills its last frame up.
            let tolerance = i64::from(rate) * 3 / 1_000;
            let frame = i64::from(rate) / 5;
            let late = found_start - (start + moved);
            let over = found_end - (end + moved);
            if late > tolerance || late < -frame || !(-tolerance..=frame).contains(&over) {
                let millis = |samples| Timestamp::new(samples, base).micros() as f64 / 1e3;
                return Err(fail(format!(
                    "in the file it begins {:.1} ms late and ends {:.1} ms late",
                    millis(late),
                    millis(over)
                )));
            }
        }
        Ok(())
    }

    /// Are the lines that were written anew all there, at their times?
    fn check_lines(
        &self,
        world: &World<'_>,
        output: &Path,
        info: &MediaInfo,
        moved_micros: i64,
    ) -> Result<(), EngineError> {
        let tracks: Vec<u32> = info
            .streams
            .iter()
            .filter(|stream| stream.kind == StreamKind::Subtitle)
            .map(|stream| stream.index)
            .collect();
        // Lines are counted from the first picture.
        let origin = match info.main_video() {
            Some(_) => origin_of(output, info)?,
            None => 0,
        };
        for ready in &self.tracks {
            let From::Written {
                track,
                shift_micros,
                number,
            } = &ready.from
            else {
                continue;
            };
            let fail = |reason: String| EngineError::OutputCheck {
                reason: format!("track {} of the subtitles: {reason}", number + 1),
            };
            let stream = tracks
                .get(*number)
                .ok_or_else(|| fail("it is not in the file".to_owned()))?;
            let moved = shift_micros
                .saturating_add(moved_micros)
                .saturating_sub(origin);
            let cancel = world.context.cancel.now_flag();
            if let Some(why) = track.differs(output, *stream, moved, &cancel)? {
                return Err(fail(why));
            }
        }
        Ok(())
    }

    /// As [`Made::check_output`], for a file without pictures: every sample of the finished tracks is heard
    /// in it, whatever moment its format has for the first one.
    pub(crate) fn check_alone(&self, world: &World<'_>, output: &Path) -> Result<(), EngineError> {
        let info = frameloom_media::probe(output)?;
        let sound: Vec<u32> = tracks_of(&info);
        for ready in &self.tracks {
            let From::Part { path, track } = &ready.from else {
                continue;
            };
            let fail = |reason: String| EngineError::OutputCheck {
                reason: format!("track {} of the sound: {reason}", track + 1),
            };
            let index = *sound
                .get(*track)
                .ok_or_else(|| fail("it is not in the file".to_owned()))?;
            let cancel = world.context.cancel.now_flag();
            let part = SoundReader::open_part(path, &cancel)?;
            let file = SoundReader::open(output, index, &cancel)?;
            if let Err(why) = same_sound(part, file, 0, world.context)? {
                return Err(fail(why));
            }
        }
        Ok(())
    }
}

/// Indices of the tracks of sound.
fn tracks_of(info: &MediaInfo) -> Vec<u32> {
    let tracks = info.streams.iter().filter(|stream| stream.audio.is_some());
    tracks.map(|stream| stream.index).collect()
}
