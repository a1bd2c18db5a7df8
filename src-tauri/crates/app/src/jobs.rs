//! Jobs as the user handles them: submit, list, pause, resume, cancel, remove.

use crate::disk;
use crate::folder::{self, OWNER_LOCK, WORKER_LOCK};
use crate::runner::{Control, Stopping};
use crate::{App, PresetId, UpscaleRequest, explain, now_millis, scenes};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{Job, JobEvent, JobId, JobProgress, JobSpec, JobState, Priority};
use frameloom_core::media::Warning;
use frameloom_core::said;
use frameloom_engine::Plan;
use frameloom_engine::execute::remove_leftovers;
use frameloom_store::{JobRow, Lane, SegmentRow};
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl App {
    /// Submits an enlargement to `lane`. Nothing is processed before this returns.
    ///
    /// # Errors
    /// The request cannot be done, in a sentence; then nothing was stored.
    pub fn submit_upscale(&self, request: &UpscaleRequest, lane: Lane) -> Result<Job, AppError> {
        if request.preset == PresetId::Scenes && request.span.is_none() {
            return Err(scenes::unsplit());
        }
        let (spec, plan, _) = self.prepare(request)?;
        self.submit(spec, &plan, lane)
    }

    pub(crate) fn submit(&self, spec: JobSpec, plan: &Plan, lane: Lane) -> Result<Job, AppError> {
        check_writable(&spec.output)?;
        let tight = self.room_warning(&spec, plan);
        let job = Job {
            id: new_id(),
            spec,
            state: JobState::Queued,
            progress: JobProgress::default(),
            error: None,
            warnings: plan.warnings.iter().cloned().chain(tight).collect(),
            provider: None,
            sizes: plan.sizes,
            created_millis: now_millis(),
            finished_millis: None,
        };
        let plan = serde_json::to_string(plan).map_err(explain::internal)?;
        // The lock comes first: a job of a command without an owner counts as interrupted.
        self.own(&job.id)?;
        let folder = self.job_folder(&job.id);
        folder::write_job(&folder, &job, &plan, lane)
            .map_err(|e| explain::data_folder(&folder, &e))?;
        self.store
            .insert_job(&job, lane, &plan)
            .map_err(explain::store)?;
        self.changed(&job.id)?;
        self.runner.wake();
        Ok(job)
    }

    /// A warning where the room for a job may not be there.
    pub(crate) fn room_warning(&self, spec: &JobSpec, plan: &Plan) -> Option<Warning> {
        disk::check(plan, &spec.encode, &self.places.data, &spec.output)
    }

    /// Makes this process the one that sees to the job. Lasts until [`App::run_job`] is through
    /// with it, or the process ends.
    fn own(&self, id: &JobId) -> Result<(), AppError> {
        let folder = self.job_folder(id);
        let failed = |error: std::io::Error| explain::data_folder(&folder, &error);
        std::fs::create_dir_all(&folder).map_err(failed)?;
        match folder::lock(&folder, OWNER_LOCK).map_err(failed)? {
            Some(lock) => {
                self.runner.own(id, lock);
                Ok(())
            }
            None if self.runner.owns(id) => Ok(()),
            None => Err(AppError::new(
                ErrorCode::JobState,
                said!(
                    "job.other_program",
                    "Job {id} is being seen to by another Frameloom.",
                    id = id.0.as_str()
                ),
            )
            .hint("Wait for it, or stop it there.")),
        }
    }

    /// As [`App::submit_upscale`], for a caller that runs the job itself with [`App::run_job`].
    ///
    /// # Errors
    /// As [`App::submit_upscale`].
    pub fn submit_upscale_directly(&self, request: &UpscaleRequest) -> Result<Job, AppError> {
        self.submit_upscale(request, Lane::Direct)
    }

    /// As [`App::resume`], for a caller that runs the job itself with [`App::run_job`].
    ///
    /// # Errors
    /// As [`App::resume`].
    pub fn resume_directly(&self, id: &JobId) -> Result<Job, AppError> {
        self.resume(id, Lane::Direct)
    }

    /// All jobs, oldest first.
    ///
    /// # Errors
    /// The database refuses.
    pub fn jobs(&self) -> Result<Vec<Job>, AppError> {
        let (rows, _) = self.store.jobs().map_err(explain::store)?;
        Ok(rows.into_iter().map(|row| row.job).collect())
    }

    /// A sentence about jobs whose rows cannot be read, if there are any.
    ///
    /// # Errors
    /// The database refuses.
    pub fn unreadable_notice(&self) -> Result<Option<String>, AppError> {
        let (_, unreadable) = self.store.jobs().map_err(explain::store)?;
        if unreadable.is_empty() {
            return Ok(None);
        }
        let ids: Vec<&str> = unreadable.iter().map(|id| id.0.as_str()).collect();
        Ok(Some(format!(
            "These jobs are damaged or of another version and cannot be read: {}. Results are untouched; `frameloom jobs remove ID` takes such a job off the list.",
            ids.join(", ")
        )))
    }

    /// One job.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn job(&self, id: &JobId) -> Result<Job, AppError> {
        Ok(self.row(id)?.job)
    }

    pub(crate) fn row(&self, id: &JobId) -> Result<JobRow, AppError> {
        self.store.job(id).map_err(explain::store)
    }

    /// Lets a running job finish its segment and stop. A queued job is paused at once.
    ///
    /// # Errors
    /// The job is neither queued nor running.
    pub fn pause(&self, id: &JobId) -> Result<(), AppError> {
        // Otherwise one that ends its part because the queue was paused would go on with the queue.
        self.queue.leave_to_user(id);
        // Looked at first: its worker may be in the middle of a write, and reading waits for nobody.
        if self.job(id)?.state == JobState::Queued
            && self.change(id, &[JobState::Queued], JobState::Paused, None)?
        {
            self.runner.disown(id);
            return Ok(());
        }
        match self.job(id)?.state {
            JobState::Running => self
                .runner
                .control(self, id, Control::Stop(Stopping::Pause)),
            state => Err(wrong_state(id, state, "paused")),
        }
    }

    /// Sets what of the machine a job that is not running may use; what is `None` stays as it is.
    ///
    /// # Errors
    /// There is no such job, or it is running.
    pub fn limit(
        &self,
        id: &JobId,
        threads: Option<u32>,
        priority: Option<Priority>,
    ) -> Result<(), AppError> {
        if threads.is_none() && priority.is_none() {
            return Ok(());
        }
        let job = self.job(id)?;
        if job.state == JobState::Running {
            return Err(wrong_state(id, job.state, "given other limits"));
        }
        let mut spec = job.spec;
        spec.compute.threads = threads.or(spec.compute.threads);
        spec.compute.priority = priority.unwrap_or(spec.compute.priority);
        self.store.set_spec(id, &spec).map_err(explain::store)
    }

    /// Queues a paused, interrupted or failed job again; finished segments are kept.
    ///
    /// # Errors
    /// The job is not in a state to be resumed, or its input or the program changed.
    pub fn resume(&self, id: &JobId, lane: Lane) -> Result<Job, AppError> {
        self.mark_dead_jobs()?;
        let row = self.row(id)?;
        if !row.job.state.is_resumable() {
            return Err(wrong_state(id, row.job.state, "resumed"));
        }
        let plan = parse_plan(&row)?;
        plan.check_unchanged(&row.job.spec.input, &self.models)
            .and_then(|()| plan.check_program(&row.job.spec, &self.models))
            .map_err(|e| explain::engine(&e))?;
        check_writable(&row.job.spec.output)?;
        self.own(id)?;
        self.store.set_lane(id, lane).map_err(explain::store)?;
        if !self.change(id, &[row.job.state], JobState::Queued, None)? {
            self.runner.disown(id);
            return Err(wrong_state(id, self.job(id)?.state, "resumed"));
        }
        self.runner.wake();
        self.job(id)
    }

    /// Stops a job for good and removes its parts. A running one stops at once, also where its
    /// worker is frozen; one whose result is being written down may still come to its end.
    ///
    /// # Errors
    /// The job is finished already, or the database refuses.
    pub fn cancel(&self, id: &JobId) -> Result<(), AppError> {
        loop {
            // Reading waits for nobody, not even for a worker that was frozen in the middle of a
            // write; so its worker is seen to before anything is written.
            let job = self.job(id)?;
            let state = job.state;
            if state == JobState::Cancelled {
                self.clean_up(&job);
                return Ok(());
            }
            if state == JobState::Succeeded {
                return Err(wrong_state(id, state, "cancelled"));
            }
            if state == JobState::Running && !self.end_worker(id)? {
                return Ok(());
            }
            if self.change(id, &[state], JobState::Cancelled, None)? {
                self.runner.disown(id);
                self.clean_up(&self.job(id)?);
                return Ok(());
            }
        }
    }

    /// Takes a job off the list; its result stays. A running job must be cancelled first.
    ///
    /// # Errors
    /// The job is running.
    pub fn remove(&self, id: &JobId) -> Result<(), AppError> {
        // Asked of the lock, not of the row, which may be one that cannot be read.
        if folder::is_held(&self.job_folder(id), WORKER_LOCK) {
            return Err(wrong_state(id, JobState::Running, "removed"));
        }
        self.runner.disown(id);
        // One that cannot be read does not say where its result would be.
        let spec = self.job(id).ok().map(|job| job.spec);
        self.store.delete_job(id).map_err(explain::store)?;
        if let Some(spec) = spec {
            self.remove_leftovers(id, &spec.output);
            // Never a file that only says so: what goes with its job lies in our own folder.
            if spec.sample && spec.output.parent() == Some(&self.places.samples()) {
                let _ = std::fs::remove_file(&spec.output);
            }
        }
        self.remove_parts(id);
        self.tell(&JobEvent::Removed { id: id.clone() });
        Ok(())
    }

    /// Marks jobs as interrupted whose worker is gone without a word, or whose command is gone
    /// before it started one.
    ///
    /// # Errors
    /// The database refuses.
    pub(crate) fn mark_dead_jobs(&self) -> Result<(), AppError> {
        for job in self.store.active().map_err(explain::store)? {
            let (id, state) = (&job.id, job.state);
            let folder = self.job_folder(id);
            let waits_for_its_command = state == JobState::Queued && job.lane == Lane::Direct;
            let is_seen_to = || {
                folder::is_held(&folder, WORKER_LOCK)
                    || folder::is_held(&folder, OWNER_LOCK) && self.has_living_owner(id, state)
            };
            if (state == JobState::Running || waits_for_its_command)
                && !is_seen_to()
                // Of one that cannot be read nothing could be told.
                && self.job(id).is_ok()
            {
                let error = AppError::new(
                    ErrorCode::WorkerCrashed,
                    said!(
                        "job.program_ended",
                        "The program ended while this job was running."
                    ),
                )
                .hint(explain::hint(ErrorCode::WorkerCrashed).unwrap_or_default());
                self.change(id, &[state], JobState::Interrupted, Some(&error))?;
            }
        }
        Ok(())
    }

    /// A process that owns a job sees to it, with one exception: this one knows better of its own.
    fn has_living_owner(&self, id: &JobId, state: JobState) -> bool {
        !self.runner.owns(id) || state == JobState::Queued || self.runner.is_running(id)
    }

    /// Removes folders of jobs that are on no list: their command was killed before it could
    /// store them. Jobs are brought back instead if the list itself was lost. Removes those of jobs
    /// that are over, too: killed after that was noted, nobody was left to do it.
    pub(crate) fn tend_folders(&self, list_was_lost: bool) {
        let Ok(states) = self.store.states() else {
            return;
        };
        let over: BTreeSet<JobId> = states
            .iter()
            .filter(|(_, state)| matches!(state, Some(JobState::Succeeded | JobState::Cancelled)))
            .map(|(id, _)| id.clone())
            .collect();
        let known: BTreeSet<JobId> = states.into_iter().map(|(id, _)| id).collect();
        for entry in std::fs::read_dir(self.places.jobs())
            .into_iter()
            .flatten()
            .flatten()
        {
            let id = JobId(entry.file_name().to_string_lossy().into_owned());
            let path = entry.path();
            let is_free =
                || !folder::is_held(&path, OWNER_LOCK) && !folder::is_held(&path, WORKER_LOCK);
            let is_over = over.contains(&id);
            let is_stray = path.is_dir() && (is_over || !known.contains(&id)) && is_free();
            if !is_stray {
                continue;
            }
            if is_over {
                self.remove_parts(&id);
                continue;
            }
            let brought_back = list_was_lost
                && folder::read(&path).is_some_and(|(row, segments)| {
                    row.job.id == id && self.bring_back(&row, &segments).is_ok()
                });
            // A job that was only just submitted has its folder for a moment before its row.
            if !brought_back && is_old(&path) {
                self.remove_parts(&id);
            }
        }
    }

    fn bring_back(
        &self,
        row: &JobRow,
        segments: &[SegmentRow],
    ) -> Result<(), frameloom_store::StoreError> {
        let plan = row.plan.as_deref().unwrap_or_default();
        self.store.insert_job(&row.job, row.lane, plan)?;
        for segment in segments {
            self.store
                .record_segment(&row.job.id, segment, now_millis())?;
        }
        Ok(())
    }

    /// Outputs that jobs are going to write.
    pub(crate) fn promised_outputs(&self) -> Result<Arc<BTreeSet<PathBuf>>, AppError> {
        self.store.promised_outputs().map_err(explain::store)
    }

    pub(crate) fn job_folder(&self, id: &JobId) -> PathBuf {
        self.places.jobs().join(&id.0)
    }

    /// Removes what a job that came to rest does not need any more.
    pub(crate) fn clean_up(&self, job: &Job) {
        if job.state == JobState::Cancelled {
            // Its worker may have been killed in the middle of the result.
            self.remove_leftovers(&job.id, &job.spec.output);
        }
        if job.state.is_terminal() && job.state != JobState::Failed {
            self.remove_parts(&job.id);
        }
    }

    fn remove_leftovers(&self, id: &JobId, output: &Path) {
        if let Err(error) = remove_leftovers(output, &self.job_folder(id)) {
            tracing::warn!(%error, job = %id, "a half-made result could not be removed");
        }
    }

    /// Removes the folder of a job. A failure leaves files that the next attempt removes.
    pub(crate) fn remove_parts(&self, id: &JobId) {
        if let Err(error) = std::fs::remove_dir_all(self.job_folder(id))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, job = %id, "the folder of a job could not be removed");
        }
    }

    pub(crate) fn change(
        &self,
        id: &JobId,
        from: &[JobState],
        to: JobState,
        error: Option<&AppError>,
    ) -> Result<bool, AppError> {
        let changed = self
            .store
            .change_state(id, from, to, error, now_millis())
            .map_err(explain::store)?;
        if changed {
            self.changed(id)?;
        }
        Ok(changed)
    }

    /// Tells listeners of a job's present row.
    pub(crate) fn changed(&self, id: &JobId) -> Result<(), AppError> {
        let job = Box::new(self.job(id)?);
        self.tell(&JobEvent::Changed { job });
        Ok(())
    }
}

pub(crate) fn parse_plan(row: &JobRow) -> Result<Plan, AppError> {
    let json = row.plan.as_deref().unwrap_or("null");
    serde_json::from_str(json).map_err(|error| {
        AppError::new(
            ErrorCode::ProgramChanged,
            format!(
                "Another version of the program planned job {}, and its plan cannot be read.",
                row.job.id
            ),
        )
        .hint(explain::hint(ErrorCode::ProgramChanged).unwrap_or_default())
        .details(error.to_string())
    })
}

/// True for a folder that nobody has touched for a minute.
fn is_old(path: &Path) -> bool {
    path.metadata()
        .and_then(|facts| facts.modified())
        .is_ok_and(|at| at.elapsed().is_ok_and(|age| age.as_secs() > 60))
}

pub(crate) fn wrong_state(id: &JobId, state: JobState, wanted: &str) -> AppError {
    AppError::new(
        ErrorCode::JobState,
        said!(
            "job.state",
            "Job {id} is {state} and cannot be {wanted}.",
            id = id.0.as_str(),
            state = state.as_str(),
            wanted = wanted
        ),
    )
    .hint("`frameloom jobs list` shows the state of every job.")
}

/// Creates the folder of an output and tries to write there, so that a night's work does not end
/// at a closed door.
pub(crate) fn check_writable(output: &Path) -> Result<(), AppError> {
    let folder = output.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| explain::unwritable(folder, &error))?;
    // A file without a name, where the system has such: a kill at this moment leaves nothing behind.
    tempfile::tempfile_in(folder)
        .map(drop)
        .map_err(|error| explain::unwritable(folder, &error))
}

/// Milliseconds since 1970 and a little chance, in base 36: sorts by time and is easy to type.
fn new_id() -> JobId {
    JobId(fresh_name())
}

/// A name that nothing else has, which sorts by its time.
pub(crate) fn fresh_name() -> String {
    let chance = RandomState::new().hash_one(std::process::id()) % (36 * 36 * 36);
    format!(
        "{}-{:0>3}",
        base36(now_millis().unsigned_abs()),
        base36(chance)
    )
}

fn base36(mut value: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::new();
    loop {
        digits.push(DIGITS[(value % 36) as usize]);
        value /= 36;
        if value == 0 {
            break;
        }
    }
    digits.reverse();
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_sort_by_time() {
        let ids: BTreeSet<String> = (0..50).map(|_| new_id().0).collect();
        assert!(ids.len() > 45, "{ids:?}");
        assert_eq!(base36(0), "0");
        assert_eq!(base36(35 * 36 + 1), "z1");
    }
}
