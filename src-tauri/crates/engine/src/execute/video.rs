//! A clip: decode, nodes and encode run at once in threads of their own, joined by short channels.

use super::copied;
use super::join::{finished, nothing_in};
use super::lanes::{self, Entrances, Lanes};
use super::named;
use super::parts::{intact_segments, remove_leftovers, remove_unfinished};
use super::segment::{OpenSegment, encode, finish};
use super::side::Sides;
use super::source::{Source, Start};
use super::{Chain, ChainSpec, Context, Finished, format_of};
use crate::EngineError;
use crate::control::{SegmentRecord, SideMark};
use crate::nodes::{At, Joints, Pace, PictureFormat, Turn, source_window};
use crate::plan::{VideoPlan, encoder_spec, upright};
use crate::verify::{PictureCheck, Verifier};
use frameloom_core::error::ErrorCode;
use frameloom_core::graph::Layout;
use frameloom_core::job::{JobSpec, Step};
use frameloom_core::media::{StreamInfo, Warning};
use frameloom_core::said;
use frameloom_core::segment::SegmentLength;
use frameloom_core::time::Rational;
use frameloom_media::{
    Container, EncoderPlan, EncoderSpec, Frame, HdrStatic, PartReader, ReaderOptions, VideoEncoder,
};
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
    if let Some(finished) = copied::run(spec, video, context)? {
        return Ok(finished);
    }
    let work = Work::new(spec, video, context)?;
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
pub(super) struct Work<'a> {
    spec: &'a JobSpec,
    video: &'a VideoPlan,
    pub layout: Layout<'a>,
    context: &'a Context<'a>,
}

/// What the first picture of a clip says of it.
pub(super) struct Entry {
    pub stream: StreamInfo,
    pub input: PictureFormat,
    pub zero: i64,
    pub upright: Option<Turn>,
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

impl<'a> Work<'a> {
    pub(super) fn new(
        spec: &'a JobSpec,
        video: &'a VideoPlan,
        context: &'a Context<'a>,
    ) -> Result<Self, EngineError> {
        Ok(Self {
            spec,
            video,
            layout: spec.graph.layout()?,
            context,
        })
    }

    /// Where a clip lies in the result, where it is one of several.
    pub(super) fn place_of(&self, clip: u32) -> Option<At> {
        let joined = self.video.joined.as_ref()?;
        Some(At {
            time_base: joined.time_base,
            ticks: joined.clips.get(clip as usize)?.at_ticks,
            first: joined.clips.first()?.at_ticks,
        })
    }

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

    pub(super) fn open(&self, clip: u32) -> Result<Source, EngineError> {
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
        let holes = self.video.cut.as_ref().map_or(&[][..], |cut| &cut.holes);
        Source::open(self.spec.path_of(line.input), of, holes, &options)
    }

    /// Reads the first picture of a clip.
    pub(super) fn entry(&self, clip: u32) -> Result<Entry, EngineError> {
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
    pub(super) fn joints(&self, clip: u32, entry: &Entry) -> Result<Joints, EngineError> {
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
            at: self.place_of(clip),
            patience: None,
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
                    reason: said!(
                        "clip.unlike",
                        "its pictures cannot be joined with those before"
                    ),
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
                what: "the system gives no memory for another thread",
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
