//! Receipts: written when a job is done, read when somebody asks whether a file is still what
//! that job made.

use crate::jobs::parse_plan;
use crate::{App, explain, now_millis};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{Job, JobId};
use frameloom_core::receipt::{
    FilePrint, ModelPrint, PLAN_PRINT_VERSION, PlanPrint, ProgramPrint, RECEIPT_VERSION, Receipt,
};
use frameloom_core::said;
use frameloom_core::sequence::{NumberPattern, PictureNumbers};
use frameloom_engine::plan::{MediumPlan, VideoPlan};
use frameloom_engine::prints::{FrameHash, FrameHashes, changed_segments, segment_prints};
use frameloom_engine::{Finished, Plan};
use frameloom_infer::Runtime;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// One thing that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
pub struct Finding {
    /// What: `output`, `frames`, `times`, `streams`, `segments`, `input`, `input music.wav`, `file look.cube`,
    /// `model loom-x2`.
    pub what: String,
    /// How it stands.
    pub verdict: Verdict,
    /// A sentence.
    pub says: String,
}

/// How a compared thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As the receipt says.
    Same,
    /// Otherwise.
    Differs,
    /// It is not here to be compared, which proves nothing.
    Absent,
}

/// A file held against its receipt.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Verification {
    /// True if nothing of the result differs. A source or a model that changed since is told, and
    /// does not make the result another one.
    pub genuine: bool,
    /// The receipt.
    pub receipt: Receipt,
    /// All that was compared.
    pub findings: Vec<Finding>,
}

impl App {
    /// The receipt of a finished job.
    ///
    /// # Errors
    /// There is no such job, or it has none: it is not finished, or an older version did it.
    pub fn receipt(&self, id: &JobId) -> Result<Receipt, AppError> {
        let json = self.store.receipt(id).map_err(explain::store)?;
        let json = json.ok_or_else(|| {
            AppError::new(
                ErrorCode::JobState,
                said!(
                    "job.no_receipt",
                    "Job {id} has no receipt.",
                    id = id.0.as_str()
                ),
            )
            .hint("A job has one when it has succeeded.")
        })?;
        parse(&json)
    }

    /// Holds a file against the receipt given, or against that of the job which made it.
    ///
    /// # Errors
    /// The file cannot be read, or no receipt is known for it.
    pub fn verify(&self, file: &Path, receipt: Option<&Path>) -> Result<Verification, AppError> {
        let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        if NumberPattern::of_path(&path).is_some() && !path.exists() {
            return self.verify_pictures(&path, receipt);
        }
        let found = print(&path, None, &|| ())?;
        let (receipt, job) = match receipt {
            Some(receipt) => {
                let json = std::fs::read_to_string(receipt)
                    .map_err(|error| explain::unreadable(receipt, &error))?;
                (parse(&json)?, None)
            }
            None => self.receipt_for(&path, &found.sha256)?,
        };
        Ok(self.compare(&path, &found, receipt, job))
    }

    /// As [`App::verify`], for numbered pictures. They are known by their place alone.
    fn verify_pictures(
        &self,
        pattern: &Path,
        receipt: Option<&Path>,
    ) -> Result<Verification, AppError> {
        let (receipt, job) = match receipt {
            Some(receipt) => {
                let json = std::fs::read_to_string(receipt)
                    .map_err(|error| explain::unreadable(receipt, &error))?;
                (parse(&json)?, None)
            }
            None => self.receipt_for(pattern, "")?,
        };
        let found = print(pattern, receipt.output.pictures, &|| ());
        Ok(match found {
            Ok(found) => self.compare(pattern, &found, receipt, job),
            // One of them is gone: that is an answer, not a failure.
            Err(error) => Verification {
                genuine: false,
                receipt,
                findings: vec![compared("output", false, String::new(), error.message)],
            },
        })
    }

    fn compare(
        &self,
        path: &Path,
        found: &FilePrint,
        receipt: Receipt,
        job: Option<Job>,
    ) -> Verification {
        let FilePrint {
            size_bytes, sha256, ..
        } = found;
        let mut findings = Vec::new();
        let same_bytes = *sha256 == receipt.output.sha256;
        findings.push(compared(
            "output",
            same_bytes,
            format!("{} bytes, SHA-256 {sha256}", size_bytes),
            format!(
                "{size_bytes} bytes, SHA-256 {sha256}; the receipt says {} bytes, SHA-256 {}",
                receipt.output.size_bytes, receipt.output.sha256
            ),
        ));
        if let Some(expected) = &receipt.checks.times_sha256 {
            findings.extend(self.compare_times(path, &receipt, expected));
        }
        let with_job = job.is_some();
        if let Some(job) = job {
            findings.push(self.compare_input(&job, &receipt));
            findings.extend(self.compare_others(&job, &receipt));
        }
        for model in &receipt.models {
            // One that the user named by its file is among those above.
            let is_file = |file: &FilePrint| file.sha256 == model.sha256;
            if !with_job || !receipt.others.iter().any(is_file) {
                findings.push(self.compare_model(model));
            }
        }
        let of_result = ["output", "frames", "times", "streams", "segments"];
        let genuine = !findings.iter().any(|finding| {
            finding.verdict == Verdict::Differs && of_result.contains(&finding.what.as_str())
        });
        Verification {
            genuine,
            receipt,
            findings,
        }
    }

    /// Recomputed from the file itself, so that a receipt that was tampered with is found out, and
    /// a file that was only re-muxed is told from one that lost frames.
    fn compare_times(&self, path: &Path, receipt: &Receipt, expected: &str) -> Vec<Finding> {
        let found = match FrameHashes::of(path, &|| ()) {
            Ok(found) => found,
            Err(error) => {
                return vec![compared("frames", false, String::new(), error.to_string())];
            }
        };
        let times = &found.times;
        let (frames, streams) = (times.ticks.len() as u64, times.info.streams.len() as u32);
        let checks = &receipt.checks;
        let mut findings = vec![
            compared(
                "frames",
                frames == checks.frames,
                format!("{frames} frames"),
                format!("{frames} frames instead of {}", checks.frames),
            ),
            compared(
                "times",
                frameloom_engine::times_sha256(times) == expected,
                "every frame at its time".to_owned(),
                "frames are shown at other times".to_owned(),
            ),
            compared(
                "streams",
                streams == checks.streams,
                format!("{streams} streams"),
                format!("{streams} streams instead of {}", checks.streams),
            ),
        ];
        findings.extend(compare_segments(receipt, &found.frames));
        findings
    }

    fn compare_input(&self, job: &Job, receipt: &Receipt) -> Finding {
        match print(&job.spec.input, receipt.input.pictures, &|| ()) {
            Ok(found) => compared(
                "input",
                found.sha256 == receipt.input.sha256,
                format!("{} is still the source", receipt.input.name),
                format!("{} is another file now", receipt.input.name),
            ),
            Err(_) => absent("input", format!("{} is not there", receipt.input.name)),
        }
    }

    /// Every other file that took part: further inputs, lookup tables, subtitles, ONNX files.
    fn compare_others(&self, job: &Job, receipt: &Receipt) -> Vec<Finding> {
        // The receipt tells names without folders; the plan knows the places, in the same order.
        let plan = self.row(&job.id).and_then(|row| parse_plan(&row));
        let paths: Vec<PathBuf> = plan
            .map(|plan| plan.files.into_iter().map(|(path, _)| path).collect())
            .unwrap_or_default();
        let is_input = |path: &PathBuf| job.spec.inputs.values().any(|input| input == path);
        let findings = receipt.others.iter().enumerate().map(|(index, other)| {
            let name = &other.name;
            let is_it = |path: &&PathBuf| {
                path.file_name()
                    .is_some_and(|n| n.to_string_lossy() == *name)
            };
            let Some(path) = paths.get(index).filter(is_it) else {
                let what = format!("file {name}");
                return absent(&what, format!("where {name} was is not known any more"));
            };
            let (what, same) = match is_input(path) {
                true => (
                    format!("input {name}"),
                    format!("{name} is still the source"),
                ),
                false => (format!("file {name}"), format!("{name} is as it was")),
            };
            match print(path, other.pictures, &|| ()) {
                Ok(found) => compared(
                    &what,
                    found.sha256 == other.sha256,
                    same,
                    format!("{name} is another file now"),
                ),
                Err(_) => absent(&what, format!("{name} is not there")),
            }
        });
        findings.collect()
    }

    fn compare_model(&self, model: &ModelPrint) -> Finding {
        use frameloom_engine::Models;
        let what = format!("model {}", model.id);
        match self.models.load(&model.id) {
            Ok(found) => compared(
                &what,
                found.manifest.sha256 == model.sha256,
                "its weights are those of then".to_owned(),
                "its weights are others now".to_owned(),
            ),
            Err(_) => absent(&what, "it is not installed".to_owned()),
        }
    }

    /// By the content first: a result may have been moved or renamed. By its place then: it may
    /// have been changed.
    fn receipt_for(&self, path: &Path, sha256: &str) -> Result<(Receipt, Option<Job>), AppError> {
        let mut by_place = None;
        for job in self.jobs()?.into_iter().rev() {
            let Ok(receipt) = self.receipt(&job.id) else {
                continue;
            };
            if receipt.output.sha256 == sha256 {
                return Ok((receipt, Some(job)));
            }
            if job.spec.output == path && by_place.is_none() {
                by_place = Some((receipt, Some(job)));
            }
        }
        by_place.ok_or_else(|| {
            AppError::new(
                ErrorCode::InvalidRequest,
                format!("No job of this computer made {}, as far as the list of jobs tells.", path.display()),
            )
            .hint("If you have the receipt (`frameloom jobs show ID --receipt` prints it), name it with --receipt.")
        })
    }

    /// Holds the result of a job against its receipt.
    ///
    /// # Errors
    /// There is no such job, it has no receipt, or its result cannot be read.
    pub fn verify_job(&self, id: &JobId) -> Result<Verification, AppError> {
        let job = self.job(id)?;
        let receipt = self.receipt(id)?;
        let path = job.spec.output.clone();
        if receipt.output.pictures.is_some() {
            return self.verify_pictures(&path, None);
        }
        let found = print(&path, None, &|| ())?;
        Ok(self.compare(&path, &found, receipt, Some(job)))
    }

    /// The receipt of a job that just finished, as JSON; `memory_bytes` is the most that its worker
    /// used, if it is known.
    pub(crate) fn make_receipt(
        &self,
        job: &Job,
        plan: &Plan,
        finished: &Finished,
        memory_bytes: Option<u64>,
        alive: &dyn Fn(),
    ) -> Result<String, AppError> {
        let encoder = match &plan.medium {
            // Whether they were copied only the run knows.
            MediumPlan::Video(_) if finished.checks.copied.is_some() => {
                Some((VideoPlan::COPY.to_owned(), Vec::new()))
            }
            MediumPlan::Video(video) => Some((video.encoder.clone(), video.parameters.clone())),
            MediumPlan::Still | MediumPlan::StillByFfmpeg => None,
            // Its tracks say how they are encoded.
            MediumPlan::Sound(_) => None,
        };
        let receipt = Receipt {
            version: RECEIPT_VERSION,
            job: job.id.clone(),
            finished_millis: now_millis(),
            program: self.program(!plan.models.is_empty()),
            input: print(
                &job.spec.input,
                job.spec.pictures.map(|run| run.picture_numbers()),
                alive,
            )?,
            others: plan
                .files
                .iter()
                .map(|(path, was)| print(path, was.pictures, alive))
                .collect::<Result<_, _>>()?,
            output: print(&finished.output, finished.pictures, alive)?,
            models: self.model_prints_of(job, plan),
            graph: job.spec.graph.clone(),
            plan: self.plan_print(job, plan, finished, alive)?,
            encode: job.spec.encode.clone(),
            encoder,
            device: job.spec.device.clone(),
            precision: job.spec.compute.precision,
            deterministic: job.spec.compute.deterministic,
            provider: job.provider.clone(),
            sizes: plan.sizes,
            warnings: job.warnings.clone(),
            checks: finished.checks.clone(),
            memory_bytes,
        };
        serde_json::to_string(&receipt).map_err(explain::internal)
    }

    /// The models that a result owes something to: those of the plan, and those that worked on its sound
    /// or decided what is kept.
    fn model_prints_of(&self, job: &Job, plan: &Plan) -> Vec<ModelPrint> {
        let planned = plan.models.iter().map(|model| ModelPrint {
            id: model.id.clone(),
            sha256: model.sha256.clone(),
            licence: self.models.ready(&model.id).ok().map(|it| it.licence),
        });
        let mut prints: Vec<ModelPrint> = planned.collect();
        for manifest in self.models_in(&job.spec.graph) {
            if !prints.iter().any(|print| print.id == manifest.id) {
                prints.push(ModelPrint {
                    id: manifest.id,
                    sha256: manifest.sha256,
                    licence: Some(manifest.licence),
                });
            }
        }
        prints
    }

    /// The segments of a clip, as they are in its result.
    fn plan_print(
        &self,
        job: &Job,
        plan: &Plan,
        finished: &Finished,
        alive: &dyn Fn(),
    ) -> Result<Option<PlanPrint>, AppError> {
        let MediumPlan::Video(video) = &plan.medium else {
            return Ok(None);
        };
        let made = self.store.segments(&job.id).map_err(explain::store)?;
        let segments = made.iter().map(|segment| (segment.clip, segment.frames));
        let segments = match finished.pictures {
            Some(numbers) => {
                let hashes = picture_hashes(&finished.output, numbers, alive)?;
                segment_prints(segments, [], &hashes)
            }
            None => {
                let found = FrameHashes::of(&finished.output, alive);
                let found = found.map_err(|error| explain::media(&error))?;
                let hashes: Vec<FrameHash> = found.frames.iter().map(|(_, hash)| *hash).collect();
                segment_prints(segments, found.times.micros(), &hashes)
            }
        };
        Ok(Some(PlanPrint {
            version: PLAN_PRINT_VERSION,
            source_frames: video.segment_length.frames(),
            segments,
        }))
    }

    /// What computes here.
    pub(crate) fn program(&self, with_model: bool) -> ProgramPrint {
        // The library is loaded once per process; asking again only gives its version.
        let runtime = || Runtime::load(&self.places.onnxruntime_or_missing()).ok();
        ProgramPrint {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            system: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            onnxruntime: with_model
                .then(runtime)
                .flatten()
                .map(|runtime| runtime.version()),
            ffmpeg: frameloom_media::libraries()
                .into_iter()
                .map(|library| (library.name.to_owned(), library.version))
                .collect(),
        }
    }
}

/// In which segments the frames are not those that were made.
fn compare_segments(receipt: &Receipt, frames: &[(i64, FrameHash)]) -> Option<Finding> {
    let plan = receipt.plan.as_ref()?;
    if plan.version != PLAN_PRINT_VERSION {
        return None;
    }
    let all = plan.segments.iter().filter(|s| s.frames > 0).count();
    let changed = changed_segments(&plan.segments, frames)?;
    /// More would only be read as "everywhere".
    const NAMED: usize = 5;
    let named: Vec<String> = changed
        .iter()
        .filter_map(|&place| Some((place + 1, plan.segments.get(place)?)))
        .take(NAMED)
        .map(|(number, segment)| {
            let seconds = segment.start_micros.unwrap_or_default() as f64 / 1e6;
            format!(
                "segment {number} (frames {} to {}, from {seconds:.2} s)",
                segment.first + 1,
                segment.first + segment.frames
            )
        })
        .collect();
    let more = match changed.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(compared(
        "segments",
        changed.is_empty(),
        format!("the frames of all {all} segments are those that were made"),
        format!(
            "{} of {all} segments hold other frames: {}{more}",
            changed.len(),
            named.join(", ")
        ),
    ))
}

/// Name, size and hash of a file, or of the pictures of a pattern. `alive` is called now and then.
pub(crate) fn print(
    path: &Path,
    pictures: Option<PictureNumbers>,
    alive: &dyn Fn(),
) -> Result<FilePrint, AppError> {
    if let (Some(numbers), Some(names)) = (pictures, NumberPattern::of_path(path)) {
        return print_pictures(path, &names, numbers, alive);
    }
    let (size_bytes, sha256) = frameloom_engine::file_sha256(path, alive)
        .map_err(|error| explain::unreadable(path, &error))?;
    Ok(FilePrint {
        name: path
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        size_bytes,
        sha256,
        pictures: None,
    })
}

/// The hashes of numbered pictures, each of a whole file.
fn picture_hashes(
    pattern: &Path,
    numbers: PictureNumbers,
    alive: &dyn Fn(),
) -> Result<Vec<FrameHash>, AppError> {
    let Some(names) = NumberPattern::of_path(pattern) else {
        return Ok(Vec::new());
    };
    let hash = |number| {
        let path = names.path(pattern, number);
        alive();
        std::fs::read(&path)
            .map(|bytes| Sha256::digest(bytes).into())
            .map_err(|error| explain::unreadable(&path, &error))
    };
    numbers.all().map(hash).collect()
}

/// The list that `sha256sum` prints for numbered pictures, hashed itself.
#[derive(Default)]
pub(crate) struct PictureList(Sha256);

impl PictureList {
    /// A picture with the hash of its file, in order.
    pub(crate) fn add(&mut self, sha256: &str, name: &str) {
        self.0.update(format!("{sha256}  {name}\n"));
    }

    /// The hash of all of them.
    pub(crate) fn sha256(self) -> String {
        self.0
            .finalize()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect()
    }
}

/// As [`print`], of numbered pictures.
fn print_pictures(
    pattern: &Path,
    names: &NumberPattern,
    numbers: PictureNumbers,
    alive: &dyn Fn(),
) -> Result<FilePrint, AppError> {
    let (mut list, mut total) = (PictureList::default(), 0);
    for number in numbers.all() {
        let path = names.path(pattern, number);
        let (size_bytes, sha256) = frameloom_engine::file_sha256(&path, alive)
            .map_err(|error| explain::unreadable(&path, &error))?;
        total += size_bytes;
        list.add(&sha256, &names.name(number));
    }
    let sha256 = list.sha256();
    Ok(FilePrint {
        name: names.text(),
        size_bytes: total,
        sha256,
        pictures: Some(numbers),
    })
}

fn parse(json: &str) -> Result<Receipt, AppError> {
    let invalid = |details: String| {
        AppError::new(
            ErrorCode::InvalidRequest,
            said!(
                "receipt.unreadable",
                "This is no receipt that this program can read."
            ),
        )
        .hint("It may be of a newer version: install the newest Frameloom.")
        .details(details)
    };
    let receipt: Receipt =
        serde_json::from_str(json).map_err(|error| invalid(error.to_string()))?;
    if receipt.version > RECEIPT_VERSION {
        return Err(invalid(format!("version {}", receipt.version)));
    }
    Ok(receipt)
}

pub(crate) fn compared(what: &str, same: bool, if_same: String, if_not: String) -> Finding {
    Finding {
        what: what.to_owned(),
        verdict: if same {
            Verdict::Same
        } else {
            Verdict::Differs
        },
        says: if same { if_same } else { if_not },
    }
}

pub(crate) fn absent(what: &str, says: String) -> Finding {
    Finding {
        what: what.to_owned(),
        verdict: Verdict::Absent,
        says,
    }
}
