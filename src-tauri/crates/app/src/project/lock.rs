//! Locks: what made the result of a project, noted so that it can be found out later whether this
//! machine still makes the same.
//!
//! A lock holds hashes of every file and model, the graph and the settings, versions, what the plan
//! said, and SHA-256 hashes of a few frames of the result. The frames are taken in the form in which
//! the encoder gets them, from the beginnings of segments spread over the clip, so that none of them
//! needs more of the clip rendered than its segment's first frames; of a still picture it is the
//! finished file. They are always computed on the processor, exactly and deterministically, whatever the
//! project asks for: another device may round otherwise. Sound is not rendered again; that its sources
//! and the graph are the same is what a lock says of it.
//!
//! Locking renders nothing that is kept, and changes nothing of how the project is run, but that a run
//! refuses a source that is another file.

use super::contents::{Project, ProjectSettings};
use super::frames::{FRAMES, FrameSample, MAX_CLIPS, Mark, PLACES};
use super::request::{refuse_missing, request_of};
use super::sources::{Media, ProjectSource, SourceState};
use super::{OpenedProject, ProjectStep, Watch, invalid, read};
use crate::{App, ComputeWish, GraphRequest, explain, left_behind, now_millis};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{Device, Precision};
use frameloom_core::receipt::{ModelPrint, ProgramPrint};
use frameloom_core::said;
use frameloom_engine::Plan;
use frameloom_engine::plan::MediumPlan;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use sysinfo::System;
use tempfile::TempDir;

/// Version of [`Lock`] that this program writes and compares with.
pub const LOCK_VERSION: u32 = 1;

/// Nothing is rendered for so long.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 3600);
/// No clip has more frames.
const MOST_FRAMES: u64 = 1 << 40;

/// What made the result of a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// [`LOCK_VERSION`].
    pub version: u32,
    /// When it was locked, in milliseconds since 1970.
    pub locked_millis: i64,
    /// The program and its libraries.
    pub program: ProgramPrint,
    /// The processor, as it names itself.
    pub processor: String,
    /// What was run, with empty texts in place of paths.
    pub graph: Value,
    /// How the result was to be made.
    pub settings: ProjectSettings,
    /// Every file.
    pub files: Vec<LockedFile>,
    /// Models of the program.
    pub models: Vec<ModelPrint>,
    /// What the plan said.
    pub plan: PlanFacts,
    /// Frames of the result.
    pub samples: Vec<Sample>,
}

/// A file of a locked project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedFile {
    /// `input:NAME` or `node:ID:PARAMETER`.
    pub role: String,
    /// Hash of its content.
    pub sha256: String,
}

/// What a plan says of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFacts {
    /// Pixels of the source; `None` for sound alone.
    pub input_size: Option<(u32, u32)>,
    /// Pixels of the result.
    pub output_size: Option<(u32, u32)>,
    /// Frames of the result, where they are known.
    pub frames: Option<u64>,
    /// Frames of the source in a segment of a clip.
    pub segment_frames: Option<u64>,
    /// Encoder with its parameters; `None` for stills.
    pub encoder: Option<(String, Vec<(String, String)>)>,
}

impl PlanFacts {
    pub(super) fn of(plan: &Plan) -> Self {
        let video = match &plan.medium {
            MediumPlan::Video(video) => Some(video),
            MediumPlan::Still | MediumPlan::StillByFfmpeg | MediumPlan::Sound(_) => None,
        };
        Self {
            input_size: plan.sizes.map(|sizes| sizes.input),
            output_size: plan.sizes.map(|sizes| sizes.output),
            frames: video.and_then(|video| video.result_frames.or(video.frames_estimate)),
            segment_frames: video.map(|video| video.segment_length.frames()),
            encoder: video.map(|video| {
                let parameters = match video.copies {
                    true => Vec::new(),
                    false => video.parameters.clone(),
                };
                (video.pictures_encoder().to_owned(), parameters)
            }),
        }
    }
}

/// Frames of one place of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Where they begin.
    pub mark: Mark,
    /// The frames, in order.
    pub frames: Vec<FrameSample>,
}

impl Lock {
    /// Whether it asks for no more than a lock that [`App::lock_project`] makes: places are rendered one
    /// by one, and everything before a place is counted as done.
    pub(super) fn check(&self) -> Result<(), String> {
        let most = PLACES.max(u64::from(MAX_CLIPS));
        let is_small = self.samples.len() as u64 <= most
            && self.samples.iter().all(|sample| {
                let mark = &sample.mark;
                sample.frames.len() <= FRAMES
                    && mark.clip < MAX_CLIPS
                    && mark.behind.is_none_or(|frame| frame.done <= MOST_FRAMES)
            });
        match is_small {
            true => Ok(()),
            false => Err("its lock names more frames than any".to_owned()),
        }
    }
}

/// The processor, as it names itself.
pub(super) fn processor() -> String {
    let brand = System::new().ok().and_then(|mut system| {
        system.refresh_cpu_all();
        system
            .cpus()
            .first()
            .map(|cpu| cpu.brand().trim().to_owned())
    });
    brand
        .filter(|brand| !brand.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

impl App {
    /// Locks a project: reads every file and renders a few frames. The project is saved with the lock; an
    /// earlier one is replaced. When it was saved stays what it was, so that changes that are not in the
    /// file are still known to be newer.
    ///
    /// # Errors
    /// A file or model is missing, the graph cannot run, no frame could be rendered, the project was saved
    /// meanwhile, or it was stopped; then the project is as it was.
    pub fn lock_project(&self, path: &Path, watch: &Watch<'_>) -> Result<OpenedProject, AppError> {
        let path = std::path::absolute(path).map_err(|error| explain::unreadable(path, &error))?;
        let mut project = read(&path)?;
        let found = project.clone();
        let sources = self.project_sources(&path, &project, watch)?;
        refuse_missing(&sources)?;
        let lost = self.project_models(&project.models);
        if let Some(model) = lost
            .iter()
            .find(|model| model.state == SourceState::Missing)
        {
            return Err(AppError::new(
                ErrorCode::ModelNotFound,
                said!(
                    "project.no_model",
                    "The model `{id}` of the project is not installed.",
                    id = model.id.as_str()
                ),
            )
            .hint("Install it, then lock the project again."));
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        // What is there is what is locked, and what the project knows from now on.
        for (media, source) in project.media.iter_mut().zip(&sources) {
            let file = source.path.as_deref().unwrap_or(Path::new(""));
            let request = project.settings.pictures;
            let role = media.role.clone();
            *media = self.describe_source((&role, file), folder, request, None, Some(watch))?;
        }
        let ids = project.models.iter().map(|model| model.id.clone());
        project.models = self.model_prints(ids.collect::<Vec<_>>());
        let work = self.render_folder()?;
        let (facts, samples) = self.sample(&project, &sources, work.path(), watch)?;
        let with_model = has_model(&project);
        project.program = self.program_apart(with_model, work.path(), watch)?;
        project.lock = Some(Lock {
            version: LOCK_VERSION,
            locked_millis: now_millis(),
            program: project.program.clone(),
            processor: processor(),
            graph: graph_of(&project),
            settings: project.settings.clone(),
            files: project
                .media
                .iter()
                .map(|media| LockedFile {
                    role: media.role.clone(),
                    sha256: media.sha256.clone().unwrap_or_default(),
                })
                .collect(),
            models: project.models.clone(),
            plan: facts,
            samples,
        });
        watch.check()?;
        // Rendering takes its time, and whoever saved meanwhile is not to lose that.
        if read(&path)? != found {
            return Err(AppError::new(
                ErrorCode::InputChanged,
                said!(
                    "project.saved_meanwhile",
                    "The project was saved while it was being locked."
                ),
            )
            .hint("Lock it again; what was saved is untouched."));
        }
        self.write_project(&path, &project)?;
        self.open_project(&path, watch)
    }

    /// Plans the project, chooses places and renders their frames.
    fn sample(
        &self,
        project: &Project,
        sources: &[ProjectSource],
        work: &Path,
        watch: &Watch<'_>,
    ) -> Result<(PlanFacts, Vec<Sample>), AppError> {
        let request = exactly(project, sources, work)?;
        let (spec, plan) = self.prepare_graph(&request)?;
        let facts = PlanFacts::of(&plan);
        let marks = self.sample_places(&spec, &plan, work, watch)?;
        let total = marks.len() as u64;
        let mut samples = Vec::new();
        let mut refused = None;
        for (done, mark) in (0..).zip(marks) {
            watch.tell(ProjectStep::Rendering, "", done, total);
            match self.render_frames(&spec, &plan, &mark, work, watch) {
                Ok(frames) if frames.is_empty() => {}
                Ok(frames) => samples.push(Sample { mark, frames }),
                Err(error) if error.code == ErrorCode::Cancelled => return Err(error),
                // A clip that cannot be entered in the middle can be at its beginning.
                Err(error) => refused = Some(error),
            }
        }
        watch.tell(ProjectStep::Rendering, "", total, total);
        match (samples.is_empty(), refused) {
            (false, _) => Ok((facts, samples)),
            (true, Some(error)) => Err(error),
            (true, None) => Err(invalid(said!(
                "project.nothing_to_lock",
                "Nothing of the result could be rendered, so there is nothing to lock."
            ))
            .hint("Run the project once to see what it makes.")),
        }
    }

    /// A folder for what is rendered to be compared. It goes when it is dropped.
    pub(super) fn render_folder(&self) -> Result<TempDir, AppError> {
        let folder = self.places.projects().join("rendering");
        left_behind::sweep(&folder, LEFT_BEHIND, |_, kind| kind.is_dir());
        std::fs::create_dir_all(&folder)
            .and_then(|()| tempfile::tempdir_in(&folder))
            .map_err(|error| explain::data_folder(&folder, &error))
    }
}

/// True if a model takes part, of the program or of the user.
pub(super) fn has_model(project: &Project) -> bool {
    let of_user = |media: &Media| media.role.starts_with("node:") && media.role.ends_with(":path");
    !project.models.is_empty() || project.media.iter().any(of_user)
}

/// What is run of a project, without paths.
pub(super) fn graph_of(project: &Project) -> Value {
    let graph = project.graph.as_ref();
    graph.unwrap_or(&project.document["graph"]).clone()
}

/// The run of a project in which every machine of one kind computes the same.
pub(super) fn exactly(
    project: &Project,
    sources: &[ProjectSource],
    work: &Path,
) -> Result<GraphRequest, AppError> {
    let name = project.settings.output.as_deref().unwrap_or("result.mkv");
    let name = name.rsplit('/').next().unwrap_or(name);
    let request = request_of(project, sources, work.join(name))?;
    Ok(GraphRequest {
        device: Device::Cpu,
        compute: ComputeWish {
            precision: Some(Precision::Exact),
            deterministic: true,
            ..ComputeWish::default()
        },
        ..request
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::frames::SourceFrame;

    fn lock(marks: Vec<Mark>) -> Lock {
        let frame = FrameSample {
            at_micros: 0,
            sha256: String::new(),
        };
        let samples = marks.into_iter().map(|mark| Sample {
            mark,
            frames: vec![frame.clone(); FRAMES],
        });
        Lock {
            version: LOCK_VERSION,
            locked_millis: 0,
            program: ProgramPrint {
                version: String::new(),
                system: String::new(),
                onnxruntime: None,
                ffmpeg: Vec::new(),
            },
            processor: String::new(),
            graph: Value::Null,
            settings: ProjectSettings::default(),
            files: Vec::new(),
            models: Vec::new(),
            plan: PlanFacts {
                input_size: Some((1, 1)),
                output_size: Some((1, 1)),
                frames: None,
                segment_frames: None,
                encoder: None,
            },
            samples: samples.collect(),
        }
    }

    #[test]
    fn a_lock_of_a_stranger_asks_for_no_more_than_one_of_ours() {
        let mark = |clip, done| Mark {
            clip,
            behind: Some(SourceFrame {
                done,
                pts: 0,
                hash: 0,
            }),
        };
        assert_eq!(lock(vec![mark(4, 1000); 5]).check(), Ok(()));
        for endless in [
            // Everything before a place is counted, one clip after another.
            vec![mark(u32::MAX, 1)],
            vec![mark(0, u64::MAX)],
            // Places are rendered one after another.
            vec![mark(0, 1); 1000],
        ] {
            assert!(lock(endless).check().is_err());
        }
        let mut long = lock(vec![mark(0, 1)]);
        let frame = long.samples[0].frames[0].clone();
        long.samples[0].frames = vec![frame; 1000];
        assert!(long.check().is_err());
        // The file of a project is where it comes from.
        let json = |lock: &Lock| serde_json::to_string(lock).unwrap();
        assert!(crate::project::contents::lock_of(&json(&long)).is_err());
        assert!(crate::project::contents::lock_of(&json(&lock(vec![mark(0, 1)]))).is_ok());
    }
}
