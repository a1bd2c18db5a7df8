//! How long the queue will take: what running jobs say of themselves, and for those that wait, how
//! long the job took that was most like them.

use super::QueueForecast;
use crate::{App, explain, jobs};
use frameloom_core::error::AppError;
use frameloom_core::graph::{Graph, Op};
use frameloom_core::job::{Job, JobId, JobState};
use frameloom_engine::Plan;
use frameloom_engine::plan::MediumPlan;
use frameloom_store::{ActiveJob, StoreError};

/// So many finished jobs are looked at.
const LOOKED_AT: u64 = 60;

/// What there is to do for a job.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Work {
    /// What is done to each picture, and with which device.
    kind: String,
    /// Pixels of the source, over all frames; seconds of sound alone.
    pixels: f64,
}

/// What the row of a job says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Known {
    /// What there is to do; `None` where its plan does not tell.
    Work(Option<Work>),
    /// It cannot be read, so that nobody knows what it is.
    Unreadable,
}

/// How long jobs took, newest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Costs(Vec<(Work, u64)>);

impl Costs {
    /// Time that `work` will take; `None` if nothing like it was done.
    fn micros(&self, work: &Work) -> Option<u64> {
        // Large and small work cost differently per pixel: opening a model is a part of each. So
        // the nearest counts, and of equally near ones the newest.
        let distance = |other: &Work| (other.pixels / work.pixels).ln().abs();
        let (like, micros) = self
            .0
            .iter()
            .filter(|(other, _)| other.kind == work.kind)
            .min_by(|(a, _), (b, _)| distance(a).total_cmp(&distance(b)))?;
        Some((*micros as f64 * work.pixels / like.pixels) as u64)
    }
}

fn kind_of(graph: &Graph, job: &Job, kind: &str) -> String {
    let mut kind = format!(
        "{} {} {}",
        kind,
        job.spec.device.as_str(),
        job.spec.compute.precision.as_str(),
    );
    for node in &graph.nodes {
        kind.push(' ');
        match &node.op {
            Op::Upscale { model } => kind.push_str(model),
            // What it costs is how many frames come of one, and what makes them.
            Op::Interpolate(params) => {
                let named = serde_json::to_string(params).unwrap_or_default();
                kind.push_str("interpolate ");
                kind.push_str(&named);
            }
            op => {
                // By the name that graphs have for it.
                let named = serde_json::to_value(op).unwrap_or_default();
                kind.push_str(named["op"].as_str().unwrap_or_default());
            }
        }
    }
    kind
}

fn work_of(job: &Job, plan: &Plan) -> Option<Work> {
    if let MediumPlan::Sound(alone) = &plan.medium {
        let seconds = alone.seconds()? as f64;
        return Some(Work {
            kind: kind_of(&job.spec.graph, job, "sound"),
            pixels: seconds,
        });
    }
    let (width, height) = plan.sizes?.input;
    let (frames, kind) = match &plan.medium {
        MediumPlan::Video(video) if video.copies => (video.frames_estimate?, "copy"),
        MediumPlan::Video(video) => (video.frames_estimate?, "clip"),
        MediumPlan::Still | MediumPlan::StillByFfmpeg | MediumPlan::Sound(_) => (1, "picture"),
    };
    let pixels = f64::from(width) * f64::from(height) * frames as f64;
    (pixels > 0.0).then(|| Work {
        kind: kind_of(&job.spec.graph, job, kind),
        pixels,
    })
}

/// When the last of `lanes` is free, if `running` jobs take so long and `waiting` ones are given
/// to the first lane that is free.
fn finish(lanes: usize, running: &[u64], waiting: &[u64]) -> u64 {
    let mut free: Vec<u64> = running.to_vec();
    free.resize(lanes.max(running.len()), 0);
    for micros in waiting {
        if let Some(first) = free.iter_mut().min() {
            *first += micros;
        }
    }
    free.into_iter().max().unwrap_or(0)
}

impl App {
    /// How long the queue will take, and the share of it that is done, in thousandths.
    pub(super) fn forecast_queue(
        &self,
        active: &[(ActiveJob, Option<Work>)],
        at_once: u32,
    ) -> Result<(Option<QueueForecast>, Option<u16>), AppError> {
        if active.is_empty() {
            return Ok((None, None));
        }
        let costs = self.costs()?;
        let (mut running, mut waiting, mut unknown) = (Vec::new(), Vec::new(), 0);
        let mut share = 0.0;
        for (job, work) in active {
            let whole = work.as_ref().and_then(|work| costs.micros(work));
            let left = whole.map(|whole| whole.saturating_sub(job.progress.elapsed_micros));
            if job.state == JobState::Running {
                share += job.progress.fraction();
                match job.progress.remaining_micros.or(left) {
                    Some(micros) => running.push(micros),
                    None => unknown += 1,
                }
            } else {
                match left {
                    Some(micros) => waiting.push(micros),
                    None => unknown += 1,
                }
            }
        }
        let end = self.queue.state().end;
        let ended = f64::from(end.succeeded + end.failed);
        let all = active.len() as f64 + ended;
        let is_running = active.iter().any(|(job, _)| job.state == JobState::Running);
        Ok((
            Some(QueueForecast {
                remaining_micros: finish(at_once as usize, &running, &waiting),
                unknown,
            }),
            is_running.then(|| ((ended + share) / all * 1000.0) as u16),
        ))
    }

    /// How long jobs took; read again when another one has ended.
    fn costs(&self) -> Result<Costs, AppError> {
        if let Some(known) = self.queue.state().costs.clone() {
            return Ok(known);
        }
        let rows = self
            .store
            .history(Some(JobState::Succeeded), 0, LOOKED_AT)
            .map_err(explain::store)?;
        let costs = Costs(
            rows.iter()
                .filter(|row| row.job.progress.elapsed_micros > 0)
                .filter_map(|row| {
                    let work = work_of(&row.job, &jobs::parse_plan(row).ok()?)?;
                    Some((work, row.job.progress.elapsed_micros))
                })
                .collect(),
        );
        self.queue.state().costs = Some(costs.clone());
        Ok(costs)
    }

    /// The jobs that can be read, with their work. Plans are long and thousands of jobs may wait,
    /// so each is read once, one by one: others get at the database in between.
    pub(super) fn with_work(
        &self,
        active: Vec<ActiveJob>,
    ) -> Result<Vec<(ActiveJob, Option<Work>)>, AppError> {
        let is_new = |job: &&ActiveJob| !self.queue.state().known.contains_key(&job.id);
        for ActiveJob { id, .. } in active.iter().filter(is_new) {
            let known = match self.store.job(id) {
                Ok(row) => Known::Work(
                    jobs::parse_plan(&row)
                        .ok()
                        .and_then(|plan| work_of(&row.job, &plan)),
                ),
                Err(StoreError::Row { .. } | StoreError::Damaged { .. }) => Known::Unreadable,
                // Taken off the list this moment.
                Err(StoreError::NoJob(_)) => continue,
                Err(error) => return Err(explain::store(error)),
            };
            self.queue.state().known.insert(id.clone(), known);
        }
        let mut state = self.queue.state();
        let mut known = std::mem::take(&mut state.known);
        let mut with_work = Vec::with_capacity(active.len());
        for job in active {
            let Some((id, found)) = known.remove_entry(&job.id) else {
                continue;
            };
            if let Known::Work(work) = &found {
                with_work.push((job, work.clone()));
            }
            state.known.insert(id, found);
        }
        Ok(with_work)
    }

    /// Forgets what was known of a job's work, for it is to do something else.
    pub(super) fn forget_work(&self, id: &JobId) {
        self.queue.state().known.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(kind: &str, pixels: f64) -> Work {
        Work {
            kind: kind.to_owned(),
            pixels,
        }
    }

    #[test]
    fn a_job_takes_as_long_as_the_one_that_was_most_like_it() {
        let costs = Costs(vec![
            (work("clip x2", 1000.0), 5_000),
            (work("clip x2", 100.0), 2_000),
            (work("clip x2", 1000.0), 9_000),
            (work("picture x2", 300.0), 77),
        ]);
        assert_eq!(costs.micros(&work("clip x2", 2000.0)), Some(10_000));
        assert_eq!(costs.micros(&work("clip x2", 50.0)), Some(1_000));
        assert_eq!(costs.micros(&work("clip x4", 50.0)), None);
    }

    #[test]
    fn jobs_at_once_are_done_when_the_last_lane_is_free() {
        assert_eq!(finish(1, &[5], &[10, 20]), 35);
        assert_eq!(finish(2, &[5], &[10, 20]), 25);
        assert_eq!(finish(2, &[5, 30], &[10, 20]), 35);
        assert_eq!(finish(3, &[], &[7]), 7);
        assert_eq!(finish(1, &[], &[]), 0);
        // More are running than may be: the number was just made smaller.
        assert_eq!(finish(1, &[5, 8], &[1]), 8);
    }
}
