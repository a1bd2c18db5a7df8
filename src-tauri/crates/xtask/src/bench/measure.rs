//! Running a program and reading how long it took and how much memory it used at its peak.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::exec;

/// What a finished program cost.
#[derive(Debug)]
pub struct Cost {
    /// From start to end.
    pub wall: Duration,
    /// Sum of the peak resident memory of the program and of all it started, in bytes; 0 where
    /// the system does not tell.
    pub peak_bytes: u64,
    /// Processor time of the same programs, user and system, in seconds; 0 where the system does
    /// not tell. Foreign load hardly moves it, unlike the wall time.
    pub cpu_seconds: f64,
    /// What it printed on standard output.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
}

/// Time of one run of one thing.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    /// Wall time.
    pub seconds: f64,
    /// Processor time of the whole program, its start included.
    pub cpu_seconds: f64,
}

/// Runs `command` to its end, looking at its memory every 20 ms.
pub fn run(command: &mut Command) -> anyhow::Result<Cost> {
    let line = exec::shown(command);
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let mut usage = BTreeMap::new();
    let status = loop {
        note_usage(child.id(), &mut usage);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let wall = started.elapsed();
    let stdout = stdout.join().unwrap_or_default();
    let stderr = stderr.join().unwrap_or_default();
    if !status.success() {
        let last: Vec<&str> = stderr.lines().rev().take(12).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        bail!("`{line}` ended with {status}:\n{}", last.join("\n"));
    }
    Ok(Cost {
        wall,
        peak_bytes: usage.values().map(|usage| usage.peak_bytes).sum(),
        cpu_seconds: usage.values().map(|usage| usage.cpu_seconds).sum(),
        stdout,
        stderr,
    })
}

fn reader(pipe: Option<impl std::io::Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A program that was killed leaves what it had printed.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Time of a command that ends at once: no look at its memory, which would cost more than it.
pub fn start_up(make: &dyn Fn() -> Command, times: usize) -> anyhow::Result<Vec<Duration>> {
    let mut walls = Vec::with_capacity(times);
    // The first start reads the program from the disk; it is not counted.
    for _ in 0..=times {
        let mut command = make();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let started = Instant::now();
        let status = command.status()?;
        walls.push(started.elapsed());
        if !status.success() {
            bail!("`{}` ended with {status}", exec::shown(&command));
        }
    }
    let mut walls = walls.split_off(1);
    walls.sort_unstable();
    Ok(walls)
}

/// What one process has used so far.
#[derive(Debug, Clone, Copy)]
struct Usage {
    peak_bytes: u64,
    cpu_seconds: f64,
}

/// Takes down what a process and its descendants have used. The kernel's figures only grow, so
/// the last look at a process is the one that counts.
fn note_usage(root: u32, usage: &mut BTreeMap<u32, Usage>) {
    for pid in family(root) {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).ok();
        // A process that has ended and was not waited for yet has no memory any more.
        if let (Some(status), Some(stat)) = (read("status"), read("stat"))
            && let (Some(peak_bytes), Some(cpu_seconds)) =
                (high_water_bytes(&status), processor_seconds(&stat))
        {
            usage.insert(
                pid,
                Usage {
                    peak_bytes,
                    cpu_seconds,
                },
            );
        }
    }
}

/// Memory that a process and its descendants use now, in bytes; what several share counts once.
/// 0 where the system does not tell.
pub fn proportional_bytes(root: u32) -> u64 {
    family(root)
        .into_iter()
        .filter_map(|pid| std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok())
        .filter_map(|rollup| kibibytes(&rollup, "Pss:"))
        .map(|kibibytes| kibibytes * 1024)
        .sum()
}

/// A process and its descendants.
fn family(root: u32) -> Vec<u32> {
    let mut all = Vec::new();
    let mut waiting = vec![root];
    while let Some(pid) = waiting.pop() {
        all.push(pid);
        // A child belongs to the thread that started it, which need not be the first.
        let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
        for thread in threads.into_iter().flatten().flatten() {
            let children = std::fs::read_to_string(thread.path().join("children"));
            waiting.extend(
                children
                    .unwrap_or_default()
                    .split_whitespace()
                    .filter_map(|word| word.parse::<u32>().ok()),
            );
        }
    }
    all
}

fn high_water_bytes(status: &str) -> Option<u64> {
    kibibytes(status, "VmHWM:").map(|kibibytes| kibibytes * 1024)
}

/// The figure of a line such as `VmHWM:   2048 kB`.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// User and system time in `/proc/PID/stat`, which counts hundredths of a second. The second
/// field is the program's name in brackets and may hold anything.
fn processor_seconds(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut ticks = rest.split_whitespace().skip(11);
    let user: u64 = ticks.next()?.parse().ok()?;
    let system: u64 = ticks.next()?.parse().ok()?;
    Some((user + system) as f64 / 100.0)
}

/// The middle of sorted or unsorted times.
pub fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// The least of the times: what foreign load disturbed least.
pub fn least(times: &[Duration]) -> Duration {
    times.iter().copied().min().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read_in_bytes() {
        let status = "Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 100 kB\n";
        assert_eq!(high_water_bytes(status), Some(2 * 1024 * 1024));
        assert_eq!(high_water_bytes("Name:\tx\n"), None);
    }

    #[test]
    fn processor_time_is_read_behind_a_name_with_brackets() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 9 9 20 0 4 0 1 2 3";
        assert_eq!(processor_seconds(stat), Some(3.0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_of_a_grandchild_is_counted() {
        // `sh` is small; the grandchild holds 40 MB for a while.
        let script =
            "sh -c 'x=$(head -c 40000000 /dev/zero | tr \"\\0\" a); sleep 0.5; echo ${#x}'; true";
        let cost = run(Command::new("sh").args(["-c", script])).unwrap();
        assert_eq!(cost.stdout.trim(), "40000000");
        assert!(cost.peak_bytes > 40_000_000, "{}", cost.peak_bytes);
    }

    #[test]
    fn a_failing_program_is_an_error_with_its_last_words() {
        let error = run(Command::new("sh").args(["-c", "echo sorry >&2; exit 1"])).unwrap_err();
        assert!(error.to_string().contains("sorry"), "{error}");
    }
}
