//! A clip: decode, nodes and encode run at once in threads of their own, joined by short channels.

use super::animated;
use super::lanes::{self, Entrances, Lanes};
use super::named;
use super::output::{Temporary, read_back, temporary};
use super::pictures;
use super::segment::{OpenSegment, encode, finish};
use super::side::Sides;
use super::source::{Source, Start};
use super::{Chain, ChainSpec, Context, Finished, format_of};
use crate::EngineError;
use crate::control::{SegmentRecord, SideMark};
use crate::nodes::{At, Joints, Pace, PictureFormat, Turn, source_window};
use crate::plan::{VideoPlan, encoder_spec, left_out, spans, upright};
use crate::sound::{Made, World, make};
use crate::verify::{PictureCheck, Verifier, times_sha256};
use frameloom_core::error::ErrorCode;
use frameloom_core::graph::{Layout, Line, Op};
use frameloom_core::job::{JobSpec, Step};
use frameloom_core::media::{MediaInfo, StreamInfo, Warning};
use frameloom_core::receipt::Checks;
use frameloom_core::segment::SegmentLength;
use frameloom_core::sequence::NumberPattern;
use frameloom_core::time::Rational;
use frameloom_media::{
    Container, EncoderPlan, EncoderSpec, Expectation, Frame, HdrStatic, MuxSpec, OutputCheck,
    PartReader, ReaderOptions, SourceCut, VideoEncoder,
};
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

/// Frames that wait between two stages. More would only cost memory: the slowest stage sets the
/// pace.
const QUEUE: usize = 3;

pub(super) fn run(
    spec: &JobSpec,
    video: &VideoPlan,
    context: &Context<'_>,
) -> Result<Finished, EngineError> {
    context
        .progress
        .step(Step::Preparing, video.frames_estimate);
    remove_leftovers(context, spec)?;
    if let Some((output, checks)) = named::earlier(&spec.output, context.work_dir) {
        tracing::info!(output = %output.display(), "the result is there already");
        return Ok(Finished {
            output,
            pictures: None,
            checks,
        });
    }
    let work = Work {
        spec,
        video,
        layout: spec.graph.layout()?,
        context,
    };
    let segments = work.segments()?;
    let failure = match finished(spec, video, &segments, context) {
        Err(error) if error.code() == ErrorCode::VerificationFailed => error,
        other => return other,
    };
    // What is wrong may be a part, which went bad on the disk, or the file, which did not get there
    // whole: only the parts that are not what was written are made again. If that is not it, it
    // will be the same the next time.
    tracing::warn!(%failure, "the result failed its check; its parts are checked and joined again");
    let segments = work.segments()?;
    finished(spec, video, &segments, context).map_err(|error| match error.code() {
        ErrorCode::VerificationFailed => EngineError::JoinCheck {
            reason: error.to_string(),
        },
        _ => error,
    })
}

/// Makes the result of the parts, and checks it.
fn finished(
    spec: &JobSpec,
    video: &VideoPlan,
    segments: &[SegmentRecord],
    context: &Context<'_>,
) -> Result<Finished, EngineError> {
    let container = Container::from_path(&spec.output)?;
    let frames: u64 = segments.iter().map(|s| s.frames).sum();
    let check = segments
        .iter()
        .fold(PictureCheck::default(), |sum, s| sum.merged(&s.check));
    if frames == 0 {
        let layout = spec.graph.layout()?;
        let line = layout.pictures.first();
        return Err(line.map_or_else(
            || EngineError::NoFrames {
                path: spec.input.clone(),
            },
            |line| nothing_in(line, &spec.input),
        ));
    }
    context.progress.step(Step::Joining, Some(frames));
    let parts: Vec<PathBuf> = segments
        .iter()
        .filter(|s| s.has_part())
        .map(|s| context.work_dir.join(&s.part))
        .collect();
    let (output, numbers, checks) = match container {
        Container::Pictures => {
            let (output, numbers) = pictures::join(spec, &parts, context)?;
            (output, Some(numbers), picture_checks(numbers.count, check))
        }
        container if container.is_animation() => {
            let (output, checks) =
                animated::join(spec, container, video.frame_rate, &parts, check, context)?;
            (output, None, checks)
        }
        container => {
            // The result holds what the parts hold, and more.
            context
                .journal
                .joining(segments.iter().map(|s| s.part_bytes).sum())?;
            let (output, checks) = join(spec, video, container, &parts, check, context)?;
            (output, None, checks)
        }
    };
    // The parts stay until the caller has noted that the job is done: killed before that, it
    // must find them again.
    Ok(Finished {
        output,
        pictures: numbers,
        checks,
    })
}

/// No picture came of a line's input: of the file itself, or of the stretch that is kept of it.
pub(super) fn nothing_in(line: &Line<'_>, path: &Path) -> EngineError {
    let trim = line
        .steps
        .iter()
        .find(|step| matches!(step.op, Op::Trim(_)));
    match trim {
        Some(step) => EngineError::Node {
            node: step.id.to_owned(),
            reason: format!(
                "no picture of `{}` lies in its stretch; choose another start or end",
                path.display()
            ),
        },
        None => EngineError::NoFrames { path: path.into() },
    }
}

/// A killed run may leave a part without its row, or a half-written result.
fn remove_leftovers(context: &Context<'_>, spec: &JobSpec) -> Result<(), EngineError> {
    let unreadable = || EngineError::io("the job's folder cannot be read", context.work_dir);
    let recorded: Vec<String> = context
        .journal
        .completed()?
        .into_iter()
        .map(|s| s.part)
        .collect();
    for entry in std::fs::read_dir(context.work_dir).map_err(unreadable())? {
        let path = entry.map_err(unreadable())?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        let is_part = path
            .extension()
            .is_some_and(|e| e == "part" || e == "writing");
        if is_part && !name.is_some_and(|n| recorded.contains(&n)) {
            std::fs::remove_file(&path)
                .map_err(EngineError::io("a leftover cannot be removed", &path))?;
        }
    }
    drop(Temporary::new(temporary(&spec.output, context.work_dir)));
    pictures::remove_leftovers(&spec.output, context.work_dir);
    Ok(())
}

/// Removes the segment that was in the making; what fails here, the next run tries again.
fn remove_unfinished(work_dir: &Path) {
    for entry in std::fs::read_dir(work_dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "writing")
            && let Err(error) = std::fs::remove_file(&path)
        {
            tracing::warn!(%error, "an unfinished part could not be removed");
        }
    }
}

/// The recorded segments whose parts are still what was written. From the first damaged one on,
/// everything is done again.
fn intact_segments(context: &Context<'_>) -> Result<Vec<SegmentRecord>, EngineError> {
    let mut intact = Vec::new();
    for segment in context.journal.completed()? {
        let expected = segment.position == intact.len() as u64;
        let readable = expected
            && (!segment.has_part()
                || PartReader::open(&context.work_dir.join(&segment.part))
                    .is_ok_and(|part| part.entries().len() as u64 == segment.frames));
        if !readable {
            tracing::warn!(
                segment.position,
                "a finished segment is damaged and is done again"
            );
            context.journal.forget_from(intact.len() as u64)?;
            break;
        }
        intact.push(segment);
    }
    Ok(intact)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Complete,
    Stopped,
}

/// What one stage hands to the next. The end is said aloud: a channel that merely closes means
/// that a stage failed, and then the segment in hand must not be taken for the last of the clip.
pub(super) enum Item<T> {
    Frame(T),
    /// The segment in hand is complete.
    Cut(Cut),
    End,
}

/// A source frame on its way.
pub(super) struct Decoded {
    pub index: u64,
    pub frame: Frame,
    /// Set for the last frame of a segment.
    pub hash: Option<u64>,
}

/// A processed frame on its way to the encoder.
pub(super) struct Processed {
    /// Its segment.
    pub position: u64,
    /// Source frames that are done with it.
    pub source_done: u64,
    pub frame: Frame,
}

/// How a clip is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cutting {
    pub length: SegmentLength,
    /// Which clip it is.
    pub clip: u32,
    /// Position of its first segment.
    pub first_position: u64,
    /// Frames of the clips before it.
    pub frames_before: u64,
}

impl Cutting {
    /// The segment that the clip's frame `index` belongs to.
    pub(super) fn position_of(&self, index: u64) -> u64 {
        self.first_position + self.length.index_of(index)
    }
}

/// What went into a segment, and what was found in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cut {
    pub clip: u32,
    pub position: u64,
    pub source_frames: u64,
    pub last_source_pts: i64,
    pub last_source_hash: u64,
    pub check: PictureCheck,
    pub sides: Vec<SideMark>,
}

/// What a run works on.
struct Work<'a> {
    spec: &'a JobSpec,
    video: &'a VideoPlan,
    layout: Layout<'a>,
    context: &'a Context<'a>,
}

/// What the first picture of a clip says of it.
struct Entry {
    stream: StreamInfo,
    input: PictureFormat,
    zero: i64,
    upright: Option<Turn>,
    hdr: Option<HdrStatic>,
}

impl Entry {
    fn of(spec: &JobSpec, source: &Source, first: &Frame) -> Self {
        let stream = source.stream().clone();
        let shown = stream.video.as_ref();
        let aspect = shown.map_or(Rational { num: 1, den: 1 }, |v| v.sample_aspect_ratio);
        let pace = Pace {
            time_base: stream.time_base,
            frame_rate: shown.and_then(|v| v.frame_rate),
        };
        Self {
            input: format_of(first, aspect, pace),
            zero: first.pts(),
            upright: upright(spec, &stream),
            hdr: first.hdr(),
            stream,
        }
    }
}

impl Work<'_> {
    /// All segments of the job: those that are there and whole, and the others made now.
    fn segments(&self) -> Result<Vec<SegmentRecord>, EngineError> {
        let context = self.context;
        let length = self.video.segment_length.frames();
        let mut segments = intact_segments(context)?;
        context
            .progress
            .done(segments.iter().map(|s| s.source_frames).sum());
        for clip in 0..self.layout.pictures.len() as u32 {
            // A segment of a later clip, or a shorter one at the end, says that it was read to its
            // end.
            let complete = segments.last().is_some_and(|last| {
                last.clip > clip || (last.clip == clip && last.source_frames < length)
            });
            if complete {
                continue;
            }
            let outcome = self.process(clip, &mut segments).inspect_err(|_| {
                // On a full disk this makes the room in which the failure can be recorded.
                remove_unfinished(context.work_dir);
            })?;
            if outcome == Outcome::Stopped {
                return Err(EngineError::Stopped);
            }
            segments = context.journal.completed()?;
        }
        Ok(segments)
    }

    fn open(&self, clip: u32) -> Result<Source, EngineError> {
        let options = ReaderOptions {
            threads: self.context.threads.decode,
            cancel: self.context.cancel.now_flag(),
            pictures: None,
        };
        let gone = || EngineError::NoFrames {
            path: self.spec.input.clone(),
        };
        let line = self.layout.pictures.get(clip as usize).ok_or_else(gone)?;
        let options = ReaderOptions {
            pictures: self.spec.pictures_of(line.input),
            ..options
        };
        let of = *self.video.clips().get(clip as usize).ok_or_else(gone)?;
        Source::open(self.spec.path_of(line.input), of, &options)
    }

    /// Reads the first picture of a clip.
    fn entry(&self, clip: u32) -> Result<Entry, EngineError> {
        let mut source = self.open(clip)?;
        source.rewind()?;
        let first =
            source
                .next()?
                .ok_or_else(|| match self.layout.pictures.get(clip as usize) {
                    Some(line) => nothing_in(line, self.spec.path_of(line.input)),
                    None => EngineError::NoFrames {
                        path: self.spec.input.clone(),
                    },
                })?;
        Ok(Entry::of(self.spec, &source, &first))
    }

    /// What the pictures are like at each joint, from the clips up to `clip`.
    fn joints(&self, clip: u32, entry: &Entry) -> Result<Joints, EngineError> {
        let mut joints = Joints::default();
        if self.video.joined.is_none() {
            return Ok(joints);
        }
        for (number, line) in (0..=clip).zip(&self.layout.pictures) {
            let earlier;
            let entry = if number == clip {
                entry
            } else {
                earlier = self.entry(number)?;
                &earlier
            };
            let mut format = match entry.upright {
                Some(turn) => turn.format(&entry.input),
                None => entry.input.clone(),
            };
            for step in &line.steps {
                format = joints.after(step, &format, None, self.context.models)?;
            }
        }
        Ok(joints)
    }

    fn process(
        &self,
        clip: u32,
        segments: &mut Vec<SegmentRecord>,
    ) -> Result<Outcome, EngineError> {
        let Self {
            spec,
            video,
            context,
            ..
        } = *self;
        let frames = |of: &dyn Fn(&SegmentRecord) -> bool| -> u64 {
            let those = segments.iter().filter(|s| of(s));
            those.map(|s| s.source_frames).sum()
        };
        let done = frames(&|s| s.clip == clip);
        let cutting = Cutting {
            length: video.segment_length,
            clip,
            first_position: segments.iter().filter(|s| s.clip < clip).count() as u64,
            frames_before: frames(&|s| s.clip < clip),
        };
        let Some(line) = self.layout.pictures.get(clip as usize) else {
            return Ok(Outcome::Complete);
        };
        let ops = line.ops();
        let mut source = self.open(clip)?;
        let rate = source.stream().video.as_ref().and_then(|v| v.frame_rate);
        let warm_up = source_window(&ops, rate).warm_up;
        let last = segments.last().filter(|last| last.clip == clip);
        let Some(begin) = source.start_at(last, done, warm_up, context)? else {
            report_reading(&source, done, context);
            return Ok(Outcome::Complete);
        };
        let entry = match begin.frames.back() {
            Some(first) if last.is_none() => Entry::of(spec, &source, first),
            Some(_) => self.entry(clip)?,
            None => return Ok(Outcome::Complete),
        };
        let joints = self.joints(clip, &entry)?;
        let sides = Sides::known(segments.iter().flat_map(|s| &s.sides));
        let chain_spec = ChainSpec {
            job: spec,
            line,
            input: &entry.input,
            zero: entry.zero,
            upright: entry.upright,
            device: &spec.device,
            threads: context.threads.infer,
            sides: &sides,
            joints: &joints,
            at: video.joined.as_ref().and_then(|joined| {
                Some(At {
                    time_base: joined.time_base,
                    ticks: joined.clips.get(clip as usize)?.at_ticks,
                    first: joined.clips.first()?.at_ticks,
                })
            }),
        };
        let mut chains = lanes::open(&chain_spec, context)?;
        let container = Container::from_path(&spec.output)?;
        // The first clip says how the pictures are coded.
        let first = if clip == 0 {
            None
        } else {
            Some(self.entry(0)?)
        };
        let first = first.as_ref().unwrap_or(&entry);
        let encoder_spec = encoder_spec(
            &spec.encode,
            container,
            &first.stream,
            chains[0].output(),
            first.hdr.clone(),
            context.threads.encode,
        );
        let encoder_plan = frameloom_media::plan_encoder_again(&encoder_spec, &video.encoder)?;
        for chain in &mut chains {
            chain.end_in(encoder_plan.input_format, &spec.device, context)?;
        }
        // Parts of two different encoders cannot be joined.
        if let Some(segment) = segments.iter().find(|s| s.has_part())
            && *PartReader::open(&context.work_dir.join(&segment.part))?.header()
                != VideoEncoder::open(&encoder_spec, &encoder_plan)?.part_header()
        {
            if clip > 0 && last.is_none() {
                return Err(EngineError::Node {
                    node: line.source.to_owned(),
                    reason: "its pictures cannot be joined with those before".to_owned(),
                });
            }
            tracing::warn!("the encoder changed since the job was begun; it starts over");
            context.journal.forget_from(0)?;
            segments.clear();
            drop(chains);
            drop(source);
            return self.process(0, segments);
        }
        context
            .progress
            .step(Step::Processing, video.frames_estimate);

        // What temporal nodes make of several frames is the source of the nodes behind them.
        let source_format = match chains[0].window() {
            Some(_) => chains[0].between(),
            None => &entry.input,
        };
        let verifier = Verifier::new(source_format, chains[0].passed());
        self.stages(
            source,
            begin,
            chains,
            verifier,
            &sides,
            cutting,
            done,
            (&encoder_spec, &encoder_plan),
        )
    }

    /// Runs the stages side by side until the clip ends.
    #[expect(clippy::too_many_arguments, reason = "each is the input of a stage")]
    fn stages(
        &self,
        mut source: Source,
        begin: Start,
        chains: Vec<Chain>,
        verifier: Verifier,
        sides: &Sides,
        cutting: Cutting,
        done: u64,
        encoder: (&EncoderSpec, &EncoderPlan),
    ) -> Result<Outcome, EngineError> {
        let context = self.context;
        let (entrances, lanes) = Lanes::new(chains, verifier);
        let (to_encoder, from_nodes) = sync_channel::<Item<Processed>>(QUEUE);
        // Handed over, never stored: two encoders hold their look-ahead at once, not three.
        let (to_finisher, from_encoder) = sync_channel::<(Option<OpenSegment>, Cut)>(0);

        std::thread::scope(|scope| {
            let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
            let spawn_failed = |source| EngineError::Io {
                what: "a thread cannot be started",
                source,
                path: self.spec.input.clone(),
            };
            let decode = named("decode")
                .spawn_scoped(scope, move || {
                    let result = decode(&mut source, begin, done, cutting, &entrances);
                    drop(entrances);
                    result.map(|read| (source, read))
                })
                .map_err(spawn_failed)?;
            let encode = named("encode")
                .spawn_scoped(scope, || {
                    encode(from_nodes, to_finisher, encoder.0, encoder.1, context)
                })
                .map_err(spawn_failed)?;
            let finish = named("finish")
                .spawn_scoped(scope, || finish(from_encoder, context))
                .map_err(spawn_failed)?;
            let nodes = lanes.run(to_encoder, done, cutting, sides, context);
            // A stage that failed closes its channels, which ends its neighbours without an error of
            // their own; so the first real error is the cause, from the end of the line backwards.
            let finished = joined("finish", finish.join());
            let encoded = joined("encode", encode.join());
            let decoded = joined("decode", decode.join());
            finished?;
            encoded?;
            let outcome = nodes?;
            let (source, read) = decoded?;
            report_reading(&source, read, context);
            Ok(outcome)
        })
    }
}

pub(super) fn joined<T>(
    stage: &'static str,
    result: std::thread::Result<Result<T, EngineError>>,
) -> Result<T, EngineError> {
    result.unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
            .unwrap_or_default();
        Err(EngineError::Panicked { stage, message })
    })
}

/// Tells what was wrong with the source. `frames` counts those of earlier runs as well.
fn report_reading(source: &Source, frames: u64, context: &Context<'_>) {
    for mut warning in source.report().warnings() {
        if let Warning::Truncated { frames: read, .. } = &mut warning {
            *read = frames;
        }
        context.progress.warning(warning);
    }
}

fn decode(
    source: &mut Source,
    begin: Start,
    start: u64,
    cutting: Cutting,
    lanes: &Entrances,
) -> Result<u64, EngineError> {
    let Start {
        first: mut index,
        mut frames,
    } = begin;
    loop {
        let frame = match frames.pop_front() {
            Some(frame) => frame,
            None => match source.next()? {
                Some(frame) => frame,
                None => break,
            },
        };
        let ends_segment = index >= start && (index + 1).is_multiple_of(cutting.length.frames());
        let hash = ends_segment.then(|| frame.content_hash());
        if !lanes.send(Decoded { index, frame, hash }) {
            return Ok(index);
        }
        index += 1;
    }
    lanes.end();
    Ok(index)
}

fn join(
    spec: &JobSpec,
    video: &VideoPlan,
    container: Container,
    parts: &[PathBuf],
    pictures: PictureCheck,
    context: &Context<'_>,
) -> Result<(PathBuf, Checks), EngineError> {
    let file = Temporary::new(temporary(&spec.output, context.work_dir));
    let info = source_info(spec)?;
    let source = source_file(spec);
    let mut streams = info.streams.iter();
    let stream = streams.find(|stream| stream.index == video.stream);
    let mut drop = stream.map_or_else(|| spec.encode.drop.clone(), |s| left_out(spec, s));
    let cut = match video.joined.as_ref().and_then(|j| j.clips.first()) {
        Some(first) => Some(SourceCut {
            from_micros: first.from_micros,
            to_micros: Some(first.to_micros),
        }),
        None => video.stretch.map(|stretch| SourceCut {
            from_micros: stretch.from_micros,
            to_micros: stretch.to_micros,
        }),
    };
    let layout = spec.graph.layout()?;
    let clips = stream.map_or_else(Vec::new, |stream| {
        let joined = video.joined.as_ref();
        spans(stream, video.stretch, joined, layout.main_input())
    });
    let world = match &video.sound {
        Some(plan) => {
            drop.extend(plan.replaced());
            let pictures = frameloom_media::parts_span(parts)?;
            Some(World::new(spec, plan, &clips, cut, pictures, context))
        }
        None => None,
    };
    let sound = world.as_ref().map(make).transpose()?;
    let added = sound.as_ref().map(Made::added).unwrap_or_default();
    let mux_plan = frameloom_media::plan_mux(&info, container, &drop)?;
    let report = frameloom_media::mux(
        &MuxSpec {
            source: &source,
            video_stream: video.stream,
            parts,
            output_tmp: file.path(),
            plan: &mux_plan,
            hdr: None,
            cut,
            upright: video.upright,
            added: &added,
        },
        &context.cancel.now_flag(),
        &mut |_| context.progress.alive(),
    )?;
    for warning in &report.warnings {
        context.progress.warning(warning.clone());
    }
    context.cancel.check()?;
    context.progress.step(Step::Verifying, Some(report.frames));
    // Where the codec wants even sides, the coded picture is a pixel larger than the plan's.
    let size = parts
        .first()
        .map(|part| PartReader::open(part))
        .transpose()?
        .map_or((0, 0), |part| part.header().size());
    let checked = read_back(frameloom_media::verify_output(
        file.path(),
        &Expectation {
            pts: &report.pts,
            time_base: report.time_base,
            size,
            streams: report.streams,
        },
    ))?;
    let mut sounds = Vec::new();
    if let (Some(world), Some(made)) = (&world, sound) {
        let moved = report.shift_micros.saturating_add(checked.offset_micros);
        read_back(made.check_output(world, file.path(), moved))?;
        sounds = made.checks;
    }
    let checks = Checks {
        sound: sounds,
        ..checks(&checked, pictures)
    };
    named::publish(file, &spec.output, spec.overwrite, checks, context.work_dir)
}

/// What the source is.
fn source_info(spec: &JobSpec) -> Result<MediaInfo, EngineError> {
    Ok(match spec.pictures {
        Some(run) => frameloom_media::probe_pictures(&spec.input, run)?,
        None => frameloom_media::probe(&spec.input)?,
    })
}

/// The file that everything but the pictures comes from: of numbered pictures the first one.
fn source_file(spec: &JobSpec) -> PathBuf {
    match (spec.pictures, NumberPattern::of_path(&spec.input)) {
        (Some(run), Some(names)) => names.path(&spec.input, run.first),
        _ => spec.input.clone(),
    }
}

/// Numbered pictures have no times of their own.
fn picture_checks(frames: u64, pictures: PictureCheck) -> Checks {
    Checks {
        frames,
        span_micros: None,
        times_sha256: None,
        streams: 0,
        pictures: Some(pictures),
        sound: Vec::new(),
    }
}

fn checks(checked: &OutputCheck, pictures: PictureCheck) -> Checks {
    let times = &checked.times;
    Checks {
        frames: checked.frames,
        span_micros: times.micros().next().zip(times.micros().last()),
        times_sha256: Some(times_sha256(times)),
        streams: times.info.streams.len() as u32,
        pictures: Some(pictures),
        sound: Vec::new(),
    }
}
