//! Frames of a result, rendered in a process of their own: a codec that crashes does not take the
//! window along.
//!
//! The engine is told that everything before a place is done, and stopped a few frames later. Nothing is
//! written but in a folder that goes afterwards.

use super::Watch;
use crate::child::{self, Answer};
use crate::onnx::JobModels;
use crate::{App, Places, choices, compute, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{JobSpec, PictureSizes, ProviderChoice, Step};
use frameloom_core::media::{Caution, Warning};
use frameloom_core::receipt::ProgramPrint;
use frameloom_core::said;
use frameloom_engine::execute::Threads;
use frameloom_engine::plan::{MediumPlan, VideoPlan};
use frameloom_engine::prints::frame_sha256;
use frameloom_engine::{
    Cancel, Context, EngineError, Journal, Plan, Progress, SegmentRecord, Stop, execute,
};
use frameloom_infer::Runtime;
use frameloom_media::{Frame, MediaError, Reader, ReaderOptions, frame_times};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Frames of each place.
pub(super) const FRAMES: usize = 3;
/// Places of a result, over all of its clips.
pub(super) const PLACES: u64 = 5;
/// Most clips of which places are taken.
pub(super) const MAX_CLIPS: u32 = 5;
/// No three frames take longer on any machine that the model is any use on.
const TIME_LIMIT: Duration = Duration::from_secs(1800);
/// File with the question, in the folder that the answer is made in.
const QUESTION: &str = "question.json";

/// Where in the result frames are taken: behind what comes before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which of the clips that are shown one after another; 0 for the first.
    pub clip: u32,
    /// The frame of the source before it; `None` for the beginning of the clip.
    pub behind: Option<SourceFrame>,
}

/// A frame of a source, by which a run finds its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFrame {
    /// Frames up to it and with it.
    pub done: u64,
    /// Its time in ticks of the source.
    pub pts: i64,
    /// Hash of its content.
    pub hash: u64,
}

/// A frame of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameSample {
    /// When it is shown, in microseconds; 0 for a still.
    pub at_micros: i64,
    /// Its hash; of a still that of its file.
    pub sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Question {
    /// Where to take frames.
    Places { spec: JobSpec, plan: Plan },
    /// The frames of a place.
    Frames {
        spec: JobSpec,
        plan: Plan,
        mark: Mark,
    },
    /// What computes; the library of models is loaded to be asked.
    Program { with_model: bool },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Found {
    Places(Vec<Mark>),
    Frames(Vec<FrameSample>),
    Program(ProgramPrint),
    Refused(AppError),
}

impl App {
    /// Places of a result to take frames at.
    pub(super) fn sample_places(
        &self,
        spec: &JobSpec,
        plan: &Plan,
        work: &Path,
        watch: &Watch<'_>,
    ) -> Result<Vec<Mark>, AppError> {
        let question = Question::Places {
            spec: spec.clone(),
            plan: plan.clone(),
        };
        match self.ask_for_frames(&question, work, watch)? {
            Found::Places(places) => Ok(places),
            other => Err(other.refusal()),
        }
    }

    /// The frames of a place.
    pub(super) fn render_frames(
        &self,
        spec: &JobSpec,
        plan: &Plan,
        mark: &Mark,
        work: &Path,
        watch: &Watch<'_>,
    ) -> Result<Vec<FrameSample>, AppError> {
        let question = Question::Frames {
            spec: spec.clone(),
            plan: plan.clone(),
            mark: mark.clone(),
        };
        match self.ask_for_frames(&question, work, watch)? {
            Found::Frames(frames) => Ok(frames),
            other => Err(other.refusal()),
        }
    }

    /// What computes here, as it says itself.
    pub(super) fn program_apart(
        &self,
        with_model: bool,
        work: &Path,
        watch: &Watch<'_>,
    ) -> Result<ProgramPrint, AppError> {
        match self.ask_for_frames(&Question::Program { with_model }, work, watch)? {
            Found::Program(program) => Ok(program),
            other => Err(other.refusal()),
        }
    }

    fn ask_for_frames(
        &self,
        question: &Question,
        work: &Path,
        watch: &Watch<'_>,
    ) -> Result<Found, AppError> {
        watch.check()?;
        let json = serde_json::to_vec(question).map_err(explain::internal)?;
        let file = work.join(QUESTION);
        std::fs::write(&file, json).map_err(|error| explain::data_folder(&file, &error))?;
        let arguments = [
            OsStr::new("--data-dir"),
            self.places.data.as_os_str(),
            OsStr::new("--frames"),
            file.as_os_str(),
        ];
        let go_on = || !watch.is_stopped();
        let answer = self.ask_child_while(&arguments, TIME_LIMIT, &go_on)?;
        watch.check()?;
        match answer {
            Answer::Said(found) => Ok(found),
            Answer::Ended(status) => Err(no_answer(&status.to_string())),
            Answer::TooSlow => Err(no_answer("it took too long")),
        }
    }
}

impl Found {
    /// Why this is no answer to what was asked.
    fn refusal(self) -> AppError {
        match self {
            Found::Refused(error) => error,
            _ => no_answer("it answered something else"),
        }
    }
}

fn no_answer(how: &str) -> AppError {
    AppError::new(
        ErrorCode::WorkerCrashed,
        said!(
            "process.rendering",
            "The process that was to render a frame ended without one."
        ),
    )
    .hint("Try again; if it happens again, report the file and the details.")
    .details(how)
}

/// The child: answers the question in a file.
pub(crate) fn render_here(data: PathBuf, question: &Path) -> ExitCode {
    let found = look(data, question).unwrap_or_else(Found::Refused);
    child::answer(&found)
}

fn look(data: PathBuf, file: &Path) -> Result<Found, AppError> {
    let json = std::fs::read(file).map_err(|error| explain::unreadable(file, &error))?;
    let question: Question = serde_json::from_slice(&json).map_err(explain::internal)?;
    // Before any thread is started, for threads inherit it.
    if let Question::Frames { spec, .. } = &question {
        compute::apply(&spec.compute);
    }
    let app = App::open(Places::discover(Some(data))?)?;
    let work = file.parent().unwrap_or(file);
    match question {
        Question::Program { with_model } => Ok(Found::Program(app.program(with_model))),
        Question::Places { spec, plan } => match &plan.medium {
            MediumPlan::Video(video) => places(&spec, video).map(Found::Places),
            MediumPlan::Still | MediumPlan::StillByFfmpeg => Ok(Found::Places(vec![Mark {
                clip: 0,
                behind: None,
            }])),
            // It has no frames.
            MediumPlan::Sound(_) => Ok(Found::Places(Vec::new())),
        },
        Question::Frames { spec, plan, mark } => {
            app.frames_at(&spec, &plan, &mark, work).map(Found::Frames)
        }
    }
}

/// Beginnings of segments, spread over each clip.
fn places(spec: &JobSpec, video: &VideoPlan) -> Result<Vec<Mark>, AppError> {
    let layout = spec
        .graph
        .layout()
        .map_err(|error| explain::engine(&error.into()))?;
    let clips = (layout.pictures.len() as u32).clamp(1, MAX_CLIPS);
    let each = (PLACES / u64::from(clips)).max(1);
    let mut marks = Vec::new();
    for (clip, line) in (0..clips).zip(&layout.pictures) {
        marks.push(Mark { clip, behind: None });
        // Numbered pictures have no times of their own.
        let of = video.clips().get(clip as usize).copied();
        let (Some((_, stretch)), None) = (of, spec.pictures_of(line.input)) else {
            continue;
        };
        let path = spec.path_of(line.input);
        let Ok(times) = frame_times(path) else {
            continue;
        };
        let within = |ticks: &&i64| {
            stretch.is_none_or(|stretch| {
                stretch.from_ticks.is_none_or(|from| **ticks >= from)
                    && stretch.to_ticks.is_none_or(|to| **ticks < to)
            })
        };
        let ticks: Vec<i64> = times.ticks.iter().filter(within).copied().collect();
        let length = video.segment_length.frames().max(1);
        let last = (ticks.len() as u64).saturating_sub(1) / length;
        let mut segments: Vec<u64> = (1..each)
            .map(|place| place * last / (each - 1).max(1))
            .filter(|segment| *segment > 0)
            .collect();
        segments.dedup();
        for segment in segments {
            let done = segment * length;
            let at = usize::try_from(done - 1).unwrap_or(usize::MAX);
            let Some(&pts) = ticks.get(at) else { break };
            // A frame that a reader does not find there is no place to begin behind.
            if let Ok(Some(hash)) = hash_at(path, pts) {
                let behind = Some(SourceFrame { done, pts, hash });
                marks.push(Mark { clip, behind });
            }
        }
    }
    Ok(marks)
}

/// The hash of the frame at a time in ticks.
fn hash_at(path: &Path, pts: i64) -> Result<Option<u64>, MediaError> {
    let mut reader = Reader::open(path, &ReaderOptions::default())?;
    reader.seek_before(pts)?;
    while let Some(frame) = reader.next_frame()? {
        if frame.pts() >= pts {
            return Ok((frame.pts() == pts).then(|| frame.content_hash()));
        }
    }
    Ok(None)
}

impl App {
    fn frames_at(
        &self,
        spec: &JobSpec,
        plan: &Plan,
        mark: &Mark,
        work: &Path,
    ) -> Result<Vec<FrameSample>, AppError> {
        let mut threads = Threads::for_cores(compute::budget(&spec.compute));
        threads.encode = choices::DETERMINISTIC_ENCODER_THREADS;
        let models = JobModels {
            store: &self.models,
            onnx: plan.onnx.clone(),
        };
        let runtime = || -> Result<Arc<Runtime>, EngineError> {
            Ok(Runtime::load(&self.places.onnxruntime_or_missing())?)
        };
        let cancel = Cancel::new();
        let watcher = Watcher {
            frames: Mutex::default(),
            cancel: &cancel,
        };
        let context = Context {
            runtime: &runtime,
            models: &models,
            work_dir: work,
            threads,
            journal: &Behind(mark),
            progress: &watcher,
            cancel: &cancel,
            caution: Caution::default(),
            pool: None,
            compute: spec.compute,
            // Every model is opened on the processor.
            chosen: BTreeMap::new(),
        };
        // Frames are made as for an encoder, also of pictures that the job copies.
        let mut plan = plan.clone();
        if let MediumPlan::Video(video) = &mut plan.medium {
            video.copies = false;
        }
        let ran = execute(spec, &plan, &context);
        if let (Ok(finished), MediumPlan::Still | MediumPlan::StillByFfmpeg) = (&ran, &plan.medium)
        {
            let print = frameloom_engine::file_sha256(&finished.output, &|| ());
            let (_, sha256) =
                print.map_err(|error| explain::unreadable(&finished.output, &error))?;
            return Ok(vec![FrameSample {
                at_micros: 0,
                sha256,
            }]);
        }
        let frames = watcher
            .frames
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        match ran {
            // It is stopped in the middle, on purpose.
            Err(EngineError::Stopped) | Ok(_) => Ok(frames),
            Err(_) if frames.len() >= FRAMES => Ok(frames),
            Err(error) => Err(explain::engine(&error)),
        }
    }
}

/// A journal that says that everything before a place is done.
struct Behind<'a>(&'a Mark);

impl Journal for Behind<'_> {
    fn completed(&self) -> Result<Vec<SegmentRecord>, EngineError> {
        let record = |clip: u32, source_frames, pts, hash| SegmentRecord {
            position: u64::from(clip),
            clip,
            source_frames,
            frames: 0,
            part: String::new(),
            part_bytes: 0,
            last_source_pts: pts,
            last_source_hash: hash,
            check: Default::default(),
            sides: Vec::new(),
        };
        // Fewer frames than a segment has: the clip is through.
        let mut records: Vec<_> = (0..self.0.clip).map(|clip| record(clip, 1, 0, 0)).collect();
        if let Some(SourceFrame { done, pts, hash }) = self.0.behind {
            records.push(record(self.0.clip, done, pts, hash));
        }
        Ok(records)
    }

    /// A clip of fewer frames than are wanted is through.
    fn record(&self, _segment: &SegmentRecord) -> Result<(), EngineError> {
        Err(EngineError::Stopped)
    }

    fn forget_from(&self, _position: u64) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Hashes the first frames and stops the run behind them.
struct Watcher<'a> {
    frames: Mutex<Vec<FrameSample>>,
    cancel: &'a Cancel,
}

impl Progress for Watcher<'_> {
    fn step(&self, _step: Step, _total: Option<u64>) {}
    fn done(&self, _frames: u64) {}
    fn warning(&self, _warning: Warning) {}
    fn provider(&self, _choice: &ProviderChoice) {}
    fn sizes(&self, _sizes: PictureSizes) {}

    fn frame(&self, at_micros: i64, frame: &Frame) {
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        if frames.len() < FRAMES {
            frames.push(FrameSample {
                at_micros,
                sha256: frame_sha256(frame),
            });
        }
        if frames.len() == FRAMES {
            self.cancel.request(Stop::Now);
        }
    }
}
