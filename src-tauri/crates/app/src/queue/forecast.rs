//! How long the queue will take: what running jobs say of themselves, and for those that wait, how
//! long the job took that was most like them. Of a job that is not begun yet the same is said, and
//! where nothing like it was done, what was measured of its model.

use super::QueueForecast;
use crate::choices::cores;
use crate::model_speed::ModelSpeed;
use crate::{App, explain, jobs};
use frameloom_core::error::AppError;
use frameloom_core::graph::Op;
use frameloom_core::job::{Device, JobId, JobSpec, JobState};
use frameloom_engine::Plan;
use frameloom_engine::plan::MediumPlan;
use frameloom_infer::CPU_PROVIDER;
use frameloom_store::{ActiveJob, StoreError};

/// So many finished jobs are looked at.
const LOOKED_AT: u64 = 60;

/// What there is to do for a job.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Work {
    /// What is done to each picture, and with which device.
    kind: String,
    /// What encodes the result, and how well.
    coder: String,
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
        // One with another encoder says less, and more than none.
        let key = |other: &Work| (other.coder != work.coder, distance(other));
        let (like, micros) = self
            .0
            .iter()
            .filter(|(other, _)| other.kind == work.kind)
            .min_by(|(a, _), (b, _)| {
                let ((a_coder, a), (b_coder, b)) = (key(a), key(b));
                a_coder.cmp(&b_coder).then(a.total_cmp(&b))
            })?;
        Some((*micros as f64 * work.pixels / like.pixels) as u64)
    }
}

fn kind_of(spec: &JobSpec, kind: &str) -> String {
    let mut kind = format!(
        "{} {} {}",
        kind,
        spec.device.as_str(),
        spec.compute.precision.as_str(),
    );
    for node in &spec.graph.nodes {
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

fn work_of(spec: &JobSpec, plan: &Plan) -> Option<Work> {
    let coder = |encoder: &str| format!("{encoder} {:?}", spec.encode.quality);
    if let MediumPlan::Sound(alone) = &plan.medium {
        let seconds = alone.seconds()? as f64;
        return Some(Work {
            kind: kind_of(spec, "sound"),
            coder: coder(alone.encoder()),
            pixels: seconds,
        });
    }
    let (width, height) = plan.sizes?.input;
    let (frames, kind, encoder) = match &plan.medium {
        MediumPlan::Video(video) if video.copies => (video.frames_estimate?, "copy", ""),
        MediumPlan::Video(video) => (video.frames_estimate?, "clip", video.pictures_encoder()),
        MediumPlan::Still | MediumPlan::StillByFfmpeg | MediumPlan::Sound(_) => (1, "picture", ""),
    };
    let pixels = f64::from(width) * f64::from(height) * frames as f64;
    (pixels > 0.0).then(|| Work {
        kind: kind_of(spec, kind),
        coder: coder(encoder),
        pixels,
    })
}

/// What one core takes to decode and encode a pixel of a result, until a job like it was done: H.264 of
/// 720p on two cores at about 35 pictures a second.
const USUAL_CODING_MICROS: f64 = 0.06;

/// Time that a job takes by what was measured of its model, where one goes over each picture once and
/// everything else is little beside it; `None` for any other job.
fn by_model(
    spec: &JobSpec,
    plan: &Plan,
    speed: impl Fn(&str) -> Option<ModelSpeed>,
) -> Option<u64> {
    let [used] = &plan.models[..] else {
        return None;
    };
    let is_its = |op: &Op| matches!(op, Op::Upscale { model } if *model == used.id);
    let plain = |op: &Op| {
        matches!(
            op,
            Op::Source { .. } | Op::Sink | Op::Trim(_) | Op::Cut(_) | Op::Resize(_)
        )
    };
    let ops = spec.graph.nodes.iter().map(|node| &node.op);
    if !ops.clone().all(|op| plain(op) || is_its(op)) || ops.filter(|op| is_its(op)).count() != 1 {
        return None;
    }
    let speed = speed(&used.id)?;
    let is_there = match spec.device {
        Device::Auto => true,
        Device::Cpu => speed.provider == CPU_PROVIDER,
        _ => false,
    };
    if !is_there {
        return None;
    }
    let frames = match &plan.medium {
        MediumPlan::Video(video) => video.frames_estimate? as f64,
        MediumPlan::Still | MediumPlan::StillByFfmpeg => 1.0,
        MediumPlan::Sound(_) => return None,
    };
    let area = |(width, height): (u32, u32)| f64::from(width) * f64::from(height);
    let sizes = plan.sizes?;
    let model = 1e6 / speed.fps * area(sizes.input) / area(speed.size?);
    let coding = area(sizes.output) * USUAL_CODING_MICROS / cores() as f64;
    let micros = frames * (model + coding);
    (micros.is_finite() && micros >= 0.0).then_some(micros as u64)
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
    /// About how long a job will take on this computer, in microseconds: as long as the job that was
    /// most like it, or else as was measured of its model. `None` where neither says anything.
    pub(crate) fn about_micros(&self, spec: &JobSpec, plan: &Plan) -> Option<u64> {
        let known = || {
            let work = work_of(spec, plan)?;
            // A plan is good without it.
            let costs = self.costs().inspect_err(|error| {
                tracing::warn!(message = %error.message, "how long jobs took cannot be read");
            });
            costs.ok()?.micros(&work)
        };
        known().or_else(|| by_model(spec, plan, |id| self.model_speed(id)))
    }

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
                    let work = work_of(&row.job.spec, &jobs::parse_plan(row).ok()?)?;
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
                        .and_then(|plan| work_of(&row.job.spec, &plan)),
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
            coder: String::new(),
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
    fn a_job_with_the_same_encoder_says_more_than_one_of_the_same_size() {
        let with = |coder: &str, pixels| Work {
            coder: coder.to_owned(),
            ..work("clip", pixels)
        };
        let costs = Costs(vec![
            (with("libx264 good", 1000.0), 5_000),
            (with("libsvtav1 good", 10.0), 200),
        ]);
        assert_eq!(costs.micros(&with("libsvtav1 good", 1000.0)), Some(20_000));
        assert_eq!(costs.micros(&with("libx264 good", 10.0)), Some(50));
        assert_eq!(costs.micros(&with("ffv1 lossless", 1000.0)), Some(5_000));
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
