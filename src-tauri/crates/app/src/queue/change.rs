//! What a user does to single jobs of the queue: try again, once more, differently.

use crate::onnx::PlannedModels;
use crate::pictures::{self, PicturesRequest, Source};
use crate::runner::room_for_caution;
use crate::{App, explain, fields, folder, jobs};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{
    Device, Job, JobId, JobSpec, JobState, Precision, Priority, Quality, VideoCodec,
};
use frameloom_core::media::{Caution, Warning};
use frameloom_core::said;
use frameloom_engine::Plan;
use frameloom_media::Container;
use frameloom_store::Lane;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// How a job is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// As it was asked for.
    AsItWas,
    /// In small tiles, on the processor, exactly: what no driver and no lack of memory can upset.
    Safer,
}

/// What is changed of a job that has not begun; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct JobEdit {
    /// Quality in a word.
    pub quality: Option<Quality>,
    /// Codec of a video. Where the container of the result does not take it, one is chosen that
    /// does, and the name of the result gets its ending.
    pub codec: Option<VideoCodec>,
    /// The best codec for the container, as if none had been asked for.
    pub codec_auto: bool,
    /// Folder or file of the result.
    #[ts(type = "string | null")]
    pub output: Option<PathBuf>,
    /// How the job shares the processor with other programs.
    pub priority: Option<Priority>,
}

impl App {
    /// Does a failed or cancelled job again, at the end of the queue. A failed one keeps the parts
    /// that it has; a cancelled one has none, so a new job takes its place, and the old one stays
    /// in the history.
    ///
    /// # Errors
    /// The job did not fail and was not cancelled, or its source or place for the result is gone.
    pub fn retry(&self, id: &JobId, how: Retry) -> Result<Job, AppError> {
        let job = self.job(id)?;
        match job.state {
            JobState::Failed => {
                if how == Retry::Safer {
                    self.make_safer(id)?;
                }
                self.store
                    .put_last(id, crate::now_millis())
                    .map_err(explain::store)?;
                let job = self.resume(id, Lane::Queue)?;
                self.tell_queue()?;
                Ok(job)
            }
            JobState::Cancelled => {
                let again = self.submit_again(job.spec, how)?;
                self.put_away(id)?;
                Ok(again)
            }
            state => Err(jobs::wrong_state(id, state, "tried again")),
        }
    }

    /// Lets the rest of a job be done as safely as can be.
    fn make_safer(&self, id: &JobId) -> Result<(), AppError> {
        let row = self.row(id)?;
        let room = room_for_caution(&row.job, &jobs::parse_plan(&row)?);
        let mut spec = row.job.spec;
        spec.compute.precision = Precision::Exact;
        self.store.set_spec(id, &spec).map_err(explain::store)?;
        let to = match (room.models, room.elsewhere) {
            (false, _) => return Ok(()),
            (true, true) => Caution::Processor,
            (true, false) => Caution::SmallTiles,
        };
        let mut warnings = row.job.warnings;
        if Caution::of(&warnings) < to {
            warnings.push(safer(to));
        }
        self.store
            .set_warnings(id, &warnings)
            .map_err(explain::store)
    }

    /// The same job once more, at the end of the queue, with a result of its own.
    ///
    /// # Errors
    /// The source or the place for the result is gone.
    pub fn duplicate(&self, id: &JobId) -> Result<Job, AppError> {
        let spec = self.job(id)?.spec;
        self.submit_again(spec, Retry::AsItWas)
    }

    fn submit_again(&self, mut spec: JobSpec, how: Retry) -> Result<Job, AppError> {
        if how == Retry::Safer {
            spec.compute.precision = Precision::Exact;
            spec.device = Device::Cpu;
        }
        // Beside an earlier result, not over it, even where that was allowed the first time.
        spec.overwrite = false;
        spec.output = self.place_for(&spec, None)?;
        let mut plan = self.plan_again(&spec)?;
        if how == Retry::Safer && !plan.models.is_empty() {
            plan.warnings.push(safer(Caution::SmallTiles));
        }
        let job = self.submit(spec, &plan, Lane::Queue)?;
        self.tell_queue()?;
        Ok(job)
    }

    /// Changes a job that has not begun; it keeps its place.
    ///
    /// # Errors
    /// The job has begun or is over, or it cannot be done this way, in a sentence; then it stays as
    /// it was.
    pub fn edit(&self, id: &JobId, edit: &JobEdit) -> Result<Job, AppError> {
        let mut job = self.job(id)?;
        if !matches!(job.state, JobState::Queued | JobState::Paused) {
            return Err(jobs::wrong_state(id, job.state, "changed"));
        }
        let spec = &mut job.spec;
        spec.encode.quality = edit.quality.unwrap_or(spec.encode.quality);
        spec.compute.priority = edit.priority.unwrap_or(spec.compute.priority);
        spec.encode.codec = match edit.codec_auto {
            true => None,
            false => edit.codec.or(spec.encode.codec),
        };
        let wanted = match &edit.output {
            None => spec.output.clone(),
            Some(path) if crate::inputs::names_a_folder(path) => {
                path.join(spec.output.file_name().unwrap_or_default())
            }
            Some(path) => path.clone(),
        };
        let wanted = with_container_for(&wanted, spec.encode.codec);
        if wanted != spec.output {
            spec.output = self.place_for(spec, Some(wanted))?;
            jobs::check_writable(&spec.output)?;
        }
        let plan = self.plan_again(spec)?;
        let tight = self.room_warning(&job.spec, &plan);
        job.warnings = plan.warnings.iter().cloned().chain(tight).collect();
        job.sizes = plan.sizes;
        let plan = serde_json::to_string(&plan).map_err(explain::internal)?;
        if !self
            .store
            .replace_waiting(&job, &plan)
            .map_err(explain::store)?
        {
            return Err(AppError::new(
                ErrorCode::JobState,
                said!(
                    "job.begun",
                    "Job {id} has begun and cannot be changed any more.",
                    id = id.0.as_str()
                ),
            )
            .hint("Cancel it, and start it again from the history with changes."));
        }
        self.forget_work(id);
        let folder = self.job_folder(id);
        if let Err(error) = folder::write_job(&folder, &job, &plan, Lane::Queue) {
            // Only read where the database is lost.
            tracing::warn!(%error, job = %id, "a changed job could not be noted in its folder");
        }
        self.changed(id)?;
        self.tell_queue()?;
        self.job(id)
    }

    /// A free name for the result of a job, at `wanted` or where it was.
    fn place_for(&self, spec: &JobSpec, wanted: Option<PathBuf>) -> Result<PathBuf, AppError> {
        let wanted = wanted.unwrap_or_else(|| spec.output.clone());
        let wanted =
            std::path::absolute(&wanted).map_err(|error| explain::unwritable(&wanted, &error))?;
        let mut taken = crate::inputs::Taken::default();
        spec.inputs.values().for_each(|path| taken.insert(path));
        self.place_output(wanted, &spec.input, spec.overwrite, &taken)
    }

    /// Plans a job anew from its spec, as its source is now.
    pub(super) fn plan_again(&self, spec: &JobSpec) -> Result<Plan, AppError> {
        let compute = &spec.compute;
        self.check_device(&spec.device, compute)?;
        let request = PicturesRequest {
            rate: spec.pictures.map(|run| run.rate),
            sequence: false,
        };
        let Source { mut info, .. } = pictures::open(&spec.input, request)?;
        if let Some(still) = pictures::first_frame_only(&spec.input, Some(&spec.output), &info)? {
            info = still;
        }
        let report = fields::learn(&spec.input, &mut info)?;
        let mut plan = frameloom_engine::plan(spec, &info, &PlannedModels::new(self))
            .map_err(|e| explain::engine(&e))?;
        plan.warnings.extend(fields::telecine(report));
        Ok(plan)
    }
}

fn safer(to: Caution) -> Warning {
    Warning::stepped_down(
        said!("job.asked_again", "It was tried again with safer settings."),
        to,
    )
}

/// The name with the ending of a container that takes `codec`: its own, or the first that does.
fn with_container_for(output: &Path, codec: Option<VideoCodec>) -> PathBuf {
    let (Some(codec), Ok(container)) = (codec, Container::from_path(output)) else {
        return output.to_owned();
    };
    if container == Container::Pictures || container.is_animation() || container.takes(codec) {
        return output.to_owned();
    }
    [Container::Mp4, Container::Mov, Container::Mkv]
        .into_iter()
        .find(|container| container.takes(codec))
        .map_or_else(
            || output.to_owned(),
            |container| output.with_extension(container.extension()),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_changes_its_container_only_where_the_codec_asks_for_it() {
        let name = |codec| with_container_for(Path::new("/v/a.mp4"), codec);
        assert_eq!(name(None), Path::new("/v/a.mp4"));
        assert_eq!(name(Some(VideoCodec::Hevc)), Path::new("/v/a.mp4"));
        assert_eq!(name(Some(VideoCodec::Prores)), Path::new("/v/a.mov"));
        assert_eq!(name(Some(VideoCodec::Ffv1)), Path::new("/v/a.mkv"));
        let png = Path::new("/v/a.png");
        assert_eq!(with_container_for(png, Some(VideoCodec::H264)), png);
    }
}
