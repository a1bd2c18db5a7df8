//! The pictures at the second input of a node: a still picture, or a clip that is read beside the
//! one that is worked on.

use super::within::Within;
use super::{Chain, ChainSpec, Context, format_of};
use crate::EngineError;
use crate::control::SideMark;
use crate::nodes::{Joints, Over, OverSource, Pace, PictureFormat, SharedOver, Timed, Turn};
use crate::plan::{clip_of, refuse_retimed, upright_turn};
use frameloom_core::graph::{Line, OverEnd, Step};
use frameloom_core::media::MediaKind;
use frameloom_core::time::{Rational, TimeBase, Timestamp};
use frameloom_media::{Frame, Reader, ReaderOptions};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The opened second inputs of a job: lanes share them.
#[derive(Default)]
pub(crate) struct Sides {
    opened: Mutex<BTreeMap<String, SharedOver>>,
    /// Pictures of their clips that earlier runs saw.
    known: Vec<SideMark>,
}

impl Sides {
    /// With what earlier runs recorded.
    pub(crate) fn known<'m>(marks: impl Iterator<Item = &'m SideMark>) -> Self {
        Self {
            known: marks.cloned().collect(),
            ..Self::default()
        }
    }

    /// Where the clips are, for a later run.
    pub(crate) fn marks(&self) -> Vec<SideMark> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = |(node, over): (&String, &SharedOver)| {
            let over = over.lock().unwrap_or_else(PoisonError::into_inner);
            let (pts, hash) = over.mark()?;
            Some(SideMark {
                node: node.clone(),
                pts,
                hash,
            })
        };
        opened.iter().filter_map(mark).collect()
    }

    fn marks_of(&self, node: &str) -> Vec<Mark> {
        let of = self.known.iter().filter(|mark| mark.node == node);
        of.map(|mark| Mark {
            pts: mark.pts,
            hash: mark.hash,
        })
        .collect()
    }

    /// The pictures at the second input of `step`.
    pub(crate) fn open(
        &self,
        step: &Step<'_>,
        spec: &ChainSpec<'_>,
        context: &Context<'_>,
    ) -> Result<Option<SharedOver>, EngineError> {
        let Some(line) = &step.side else {
            return Ok(None);
        };
        let opened = || self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(over) = opened().get(step.id) {
            return Ok(Some(over.clone()));
        }
        // Not under the lock: a line may have second inputs of its own.
        let over = OverSource::new(open(step.id, line, spec, context)?);
        if let Some(patience) = spec.patience {
            patience.moves();
        }
        Ok(Some(
            opened().entry(step.id.to_owned()).or_insert(over).clone(),
        ))
    }
}

/// Opens a second input, for a chain that is opened by `spec`.
fn open(
    node: &str,
    line: &Line<'_>,
    spec: &ChainSpec<'_>,
    context: &Context<'_>,
) -> Result<Box<dyn Over>, EngineError> {
    let path = spec.job.path_of(line.input);
    let nothing = Joints::default();
    let own = |input, upright, zero| ChainSpec {
        line,
        input,
        zero,
        upright,
        threads: 1,
        joints: &nothing,
        at: None,
        ..spec.clone()
    };
    let info = crate::plan::probe_input(spec.job, line.input)?;
    let named = |error: EngineError| EngineError::Node {
        node: line.source.to_owned(),
        reason: error.said(),
    };
    if info.kind == MediaKind::Still {
        let frame = super::still::frame_of(path, line).map_err(named)?;
        let input = format_of(&frame, Rational { num: 1, den: 1 }, Pace::STILL);
        let mut chain = Chain::open(&own(&input, None, 0), context)?;
        return Ok(Box::new(Still {
            frame: Arc::new(chain.process(frame)?),
            format: chain.output().clone(),
        }));
    }
    refuse_retimed(line)?;
    let clip = clip_of(line, &info, spec.job).map_err(named)?;
    let options = ReaderOptions {
        threads: 1,
        cancel: context.cancel.now_flag(),
        pictures: spec.job.pictures_of(line.input),
    };
    let mut reader = Reader::open(path, &options)?;
    let stream = reader
        .info()
        .streams
        .iter()
        .find(|s| s.index == clip.stream)
        .cloned()
        .ok_or_else(|| named(EngineError::NoFrames { path: path.into() }))?;
    let mut within = Within::new(clip.stretch, &[]);
    let first = within
        .next(&mut reader)
        .map_err(named)?
        .ok_or_else(|| super::join::nothing_in(line, path))?;
    let video = stream.video.as_ref();
    let aspect = video.map_or(Rational { num: 1, den: 1 }, |v| v.sample_aspect_ratio);
    let pace = Pace {
        time_base: stream.time_base,
        frame_rate: video.and_then(|v| v.frame_rate),
    };
    let input = format_of(&first, aspect, pace);
    let turn: Option<Turn> = upright_turn(&stream);
    let chain = Chain::open(&own(&input, turn, first.pts()), context)?;
    let mut marks = spec.sides.marks_of(node);
    marks.push(Mark::of(&first));
    marks.sort_by_key(|mark| mark.pts);
    marks.dedup_by_key(|mark| mark.pts);
    let mut clip = Clip {
        reader,
        path: path.to_owned(),
        within,
        marks,
        unmarked: 0,
        believed: true,
        hurried: spec.patience.is_some(),
        zero: first.pts(),
        source: pace,
        format: chain.output().clone(),
        chain,
        pending: VecDeque::new(),
        recent: VecDeque::new(),
        ended: false,
        fresh: true,
        length: None,
        round: 0,
        count: 0,
    };
    clip.feed(first)?;
    Ok(Box::new(clip))
}

struct Still {
    frame: Arc<Frame>,
    format: PictureFormat,
}

impl Over for Still {
    fn format(&self) -> &PictureFormat {
        &self.format
    }

    fn at(&mut self, micros: i64, _: OverEnd) -> Result<Option<(u64, Arc<Frame>)>, EngineError> {
        Ok((micros >= 0).then(|| (0, self.frame.clone())))
    }

    fn mark(&self) -> Option<(i64, u64)> {
        None
    }
}

/// Pictures that are kept: lanes ask for times that lie a few frames apart.
const RECENT: usize = 12;

/// Times that are this close are the same: clips count in different ticks.
const TOLERANCE_MICROS: i64 = 500;

/// Pictures between two marks: a hash costs little, and a seek goes back further than this anyway.
const MARKED: u64 = 16;

/// A picture as a reading from the start gave it.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// In ticks of the source.
    pts: i64,
    hash: u64,
}

impl Mark {
    fn of(frame: &Frame) -> Self {
        Self {
            pts: frame.pts(),
            hash: frame.content_hash(),
        }
    }
}

struct Shot {
    /// From the first picture of the first round.
    micros: i64,
    /// As the file has it; behind nodes with a memory, as they say.
    source_pts: i64,
    number: u64,
    frame: Arc<Frame>,
}

struct Clip {
    reader: Reader,
    path: PathBuf,
    /// In the order of their times; the first is the first picture.
    marks: Vec<Mark>,
    /// Pictures since the last one that could be a mark.
    unmarked: u64,
    /// No seek has led to another picture than it should have.
    believed: bool,
    /// Only one picture is looked at: not worth a reading from the start.
    hurried: bool,
    within: Within,
    /// Time of its first picture, in ticks of the source.
    zero: i64,
    source: Pace,
    chain: Chain,
    format: PictureFormat,
    /// What the chain gave and nobody asked for yet.
    pending: VecDeque<Timed>,
    recent: VecDeque<Shot>,
    ended: bool,
    /// Nothing but the first picture was read.
    fresh: bool,
    /// How long it is, known once its end was seen.
    length: Option<i64>,
    /// How often it began again.
    round: i64,
    count: u64,
}

impl Clip {
    fn feed(&mut self, frame: Frame) -> Result<(), EngineError> {
        let source_pts = frame.pts();
        if self.chain.window().is_none() {
            self.unmarked += 1;
            let is_new = self.marks.last().is_none_or(|last| last.pts < source_pts);
            if is_new && self.unmarked >= MARKED {
                self.marks.push(Mark::of(&frame));
                self.unmarked = 0;
            }
            let frame = self.chain.process(frame)?;
            self.pending.push_back(Timed { frame, source_pts });
            return Ok(());
        }
        let mut heads = Vec::new();
        self.chain.push(Timed { frame, source_pts }, &mut |timed| {
            heads.push(timed);
            Ok(())
        })?;
        self.process(heads)
    }

    /// The rest of the nodes, behind those with a memory.
    fn process(&mut self, heads: Vec<Timed>) -> Result<(), EngineError> {
        for Timed { frame, source_pts } in heads {
            let frame = self.chain.process(frame)?;
            self.pending.push_back(Timed { frame, source_pts });
        }
        Ok(())
    }

    /// Moves the next picture to the recent ones; false at the end.
    fn advance(&mut self) -> Result<bool, EngineError> {
        while self.pending.is_empty() && !self.ended {
            match self.within.next(&mut self.reader)? {
                Some(frame) => {
                    self.fresh = false;
                    self.feed(frame)?;
                }
                None => {
                    self.ended = true;
                    if self.chain.window().is_some() {
                        let mut heads = Vec::new();
                        self.chain.finish(&mut |timed| {
                            heads.push(timed);
                            Ok(())
                        })?;
                        self.process(heads)?;
                    }
                }
            }
        }
        let Some(Timed { frame, source_pts }) = self.pending.pop_front() else {
            if self.length.is_none()
                && let Some(last) = self.recent.back()
            {
                let base = self.format.pace.time_base;
                let stated = Timestamp::new(last.frame.duration(), base).micros();
                let rate = self
                    .format
                    .pace
                    .frame_rate
                    .map_or(25.0, |r| r.ratio().to_f64());
                let shown = if stated > 0 {
                    stated
                } else {
                    (1e6 / rate) as i64
                };
                self.length = Some((last.micros + shown).max(1));
            }
            return Ok(false);
        };
        let micros = self.micros_of(&frame) + self.round * self.length.unwrap_or(0);
        self.recent.push_back(Shot {
            micros,
            source_pts,
            number: self.count,
            frame: Arc::new(frame),
        });
        self.count += 1;
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        Ok(true)
    }

    /// Time of a picture that the chain gave, from the first of its round.
    fn micros_of(&self, frame: &Frame) -> i64 {
        let zero =
            Timestamp::new(self.zero, self.source.time_base).rescaled(self.format.pace.time_base);
        Timestamp::new(
            frame.pts().saturating_sub(zero.ticks),
            self.format.pace.time_base,
        )
        .micros()
    }

    /// Goes to a picture at this time or before it.
    ///
    /// A seek is believed only if it leads to the very picture that a reading from the start gave:
    /// the index of a file may be wrong, and a resumed run must show what an undisturbed one shows.
    fn go_to(&mut self, micros: i64, round: i64) -> Result<(), EngineError> {
        self.begin_anew()?;
        self.round = round;
        // Nodes with a memory want all that came before.
        let ticks = match self.chain.window() {
            Some(_) => self.zero,
            None => Timestamp::new(micros.max(0), TimeBase::MICROS)
                .rescaled(self.source.time_base)
                .ticks
                .saturating_add(self.zero),
        };
        if self.hurried && ticks > self.zero {
            return self.seek_near(ticks);
        }
        let after = self.marks.partition_point(|mark| mark.pts <= ticks);
        let mark = after.checked_sub(1).map(|last| self.marks[last]);
        // The first picture of a whole clip is where a reading begins.
        let wanted = mark.filter(|mark| self.within.from().is_some() || mark.pts > self.zero);
        if let Some(mark) = wanted.filter(|_| self.believed) {
            if self.enter(mark)? {
                return Ok(());
            }
            tracing::info!(
                path = %self.path.display(),
                mark.pts,
                "a clip that is laid over cannot be entered in the middle; it is read from its start"
            );
            self.believed = false;
            self.begin_anew()?;
        }
        self.unmarked = 0;
        Ok(self.reader.restart()?)
    }

    /// Goes to the picture that is shown at a time, on the word of the file's index.
    fn seek_near(&mut self, ticks: i64) -> Result<(), EngineError> {
        self.reader.seek_before(ticks)?;
        let mut shown = None;
        while let Some(frame) = self.within.next(&mut self.reader)? {
            let later = frame.pts() > ticks;
            if let Some(before) = shown.replace(frame)
                && later
            {
                self.feed(before)?;
                break;
            }
            if later {
                break;
            }
        }
        shown.map_or(Ok(()), |frame| self.feed(frame))
    }

    fn begin_anew(&mut self) -> Result<(), EngineError> {
        self.pending.clear();
        self.recent.clear();
        self.ended = false;
        self.fresh = false;
        self.within.forget();
        self.chain.restart()
    }

    /// Seeks to a picture; false if it is another one there.
    fn enter(&mut self, mark: Mark) -> Result<bool, EngineError> {
        self.within.forget();
        self.reader.seek_before(mark.pts)?;
        while let Some(frame) = self.within.next(&mut self.reader)? {
            // Those before it may come from an open group of pictures.
            if frame.pts() < mark.pts {
                continue;
            }
            if frame.pts() != mark.pts || frame.content_hash() != mark.hash {
                return Ok(false);
            }
            self.feed(frame)?;
            self.unmarked = 0;
            return Ok(true);
        }
        Ok(false)
    }

    fn known(&self, wanted: i64) -> Option<(u64, Arc<Frame>)> {
        let after = self.recent.partition_point(|shot| shot.micros <= wanted);
        let shot = self.recent.get(after.checked_sub(1)?)?;
        Some((shot.number, shot.frame.clone()))
    }
}

impl Over for Clip {
    fn format(&self) -> &PictureFormat {
        &self.format
    }

    fn mark(&self) -> Option<(i64, u64)> {
        // Lanes run ahead of the cut, by no more than the pictures that are kept.
        let oldest = self.recent.front()?.source_pts;
        let after = self.marks.partition_point(|mark| mark.pts <= oldest);
        let mark = self.marks[after.checked_sub(1)?];
        Some((mark.pts, mark.hash))
    }

    fn at(
        &mut self,
        micros: i64,
        after: OverEnd,
    ) -> Result<Option<(u64, Arc<Frame>)>, EngineError> {
        if micros < 0 {
            return Ok(None);
        }
        let wanted = micros.saturating_add(TOLERANCE_MICROS);
        // A run that goes on in the middle.
        if self.fresh && micros > 2_000_000 && after != OverEnd::Repeat {
            self.go_to(micros, 0)?;
        }
        if self
            .recent
            .front()
            .is_some_and(|first| first.micros > wanted)
        {
            let round = match (after, self.length) {
                (OverEnd::Repeat, Some(length)) => wanted / length,
                _ => 0,
            };
            self.go_to(wanted - round * self.length.unwrap_or(0), round)?;
        }
        loop {
            // Known for sure once a later one was seen.
            if self.recent.back().is_some_and(|last| last.micros > wanted) {
                return Ok(self.known(wanted));
            }
            if self.advance()? {
                continue;
            }
            let length = self.length.unwrap_or(1);
            match after {
                OverEnd::Hold => return Ok(self.known(wanted)),
                OverEnd::Hide => {
                    return Ok(if wanted < length + TOLERANCE_MICROS {
                        self.known(wanted)
                    } else {
                        None
                    });
                }
                OverEnd::Repeat => {
                    if wanted / length == self.round {
                        return Ok(self.known(wanted));
                    }
                    let kept: Vec<Shot> = self.recent.drain(..).collect();
                    self.go_to(0, wanted / length)?;
                    // The lanes behind still want those of the last round.
                    self.recent = kept.into();
                }
            }
        }
    }
}
