//! How a job is to compute: what the request says, over what the settings say.

use frameloom_core::job::{ComputeSpec, Precision, Priority};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a request says of how to compute; what it leaves open is as the settings have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct ComputeWish {
    /// How near the result must be to the exact one.
    pub precision: Option<Precision>,
    /// The same bytes in every run, whatever the number of threads.
    pub deterministic: bool,
    /// About how many cores the job may keep busy.
    pub threads: Option<u32>,
    /// How it shares the processor with other programs.
    pub priority: Option<Priority>,
}

impl ComputeWish {
    /// What is done: the wish, and where it is open, `otherwise`.
    pub fn or(self, otherwise: ComputeSpec) -> ComputeSpec {
        ComputeSpec {
            precision: self.precision.unwrap_or(otherwise.precision),
            deterministic: self.deterministic || otherwise.deterministic,
            threads: self.threads.or(otherwise.threads),
            priority: self.priority.unwrap_or(otherwise.priority),
        }
    }
}

/// Lets this process, and every thread that it starts from now on, use about `threads` cores, and
/// stand behind other programs if asked. Call it before any thread is started.
///
/// Linux can bind a process to cores, which holds whatever the libraries do; elsewhere the number
/// of threads of each stage is the only limit. Where the system refuses, the job runs as any
/// other.
pub(crate) fn apply(spec: &ComputeSpec) {
    #[cfg(unix)]
    if spec.priority == Priority::Low
        && let Err(error) = rustix::process::setpriority_process(None, LOW_NICE)
    {
        tracing::warn!(%error, "the priority could not be lowered");
    }
    #[cfg(target_os = "linux")]
    if let Some(threads) = spec.threads
        && let Err(error) = bind(threads.max(1) as usize)
    {
        tracing::warn!(%error, "the job could not be bound to some cores");
    }
    #[cfg(not(unix))]
    let _ = spec;
}

/// Cores that a job may keep busy.
pub(crate) fn budget(spec: &ComputeSpec) -> usize {
    let cores = crate::choices::cores();
    spec.threads
        .map_or(cores, |threads| cores.min(threads.max(1) as usize))
}

/// Behind everything that people look at, in front of nothing that they wait for.
#[cfg(unix)]
const LOW_NICE: i32 = 10;

/// Binds this process to `count` of the cores that it may use. Which ones depends on its number,
/// so that several jobs do not crowd on the same.
#[cfg(target_os = "linux")]
fn bind(count: usize) -> rustix::io::Result<()> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None)?;
    let cores: Vec<usize> = (0..CpuSet::MAX_CPU)
        .filter(|&core| allowed.is_set(core))
        .collect();
    if cores.len() <= count {
        return Ok(());
    }
    let first = std::process::id() as usize % cores.len();
    let mut chosen = CpuSet::new();
    for core in cores.iter().cycle().skip(first).take(count) {
        chosen.set(*core);
    }
    sched_setaffinity(None, &chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_before_the_settings_and_takes_the_rest_from_them() {
        let settings = ComputeSpec {
            precision: Precision::Balanced,
            deterministic: false,
            threads: Some(3),
            priority: Priority::Low,
        };
        assert_eq!(ComputeWish::default().or(settings), settings);
        let wish = ComputeWish {
            precision: Some(Precision::Exact),
            deterministic: true,
            threads: Some(1),
            priority: Some(Priority::Normal),
        };
        assert_eq!(
            wish.or(settings),
            ComputeSpec {
                precision: Precision::Exact,
                deterministic: true,
                threads: Some(1),
                priority: Priority::Normal,
            }
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_bound_thread_sees_no_more_cores_than_it_was_given() {
        // In a thread of its own: the binding goes with the thread, and to its children.
        let seen = std::thread::spawn(|| {
            apply(&ComputeSpec {
                threads: Some(1),
                ..ComputeSpec::default()
            });
            let child = std::thread::spawn(crate::choices::cores);
            (crate::choices::cores(), child.join().unwrap())
        });
        assert_eq!(seen.join().unwrap(), (1, 1));
    }
}
