//! Kills a job again and again, at random moments and in random ways, and compares what comes out
//! in the end with a run that was left alone.
//!
//! Everything random comes from one seed, which every failure names; the moments of the kills
//! depend on the machine, so a seed repeats the choices, not the race.

use crate::{Cli, walk};
use anyhow::{Context, bail, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// Longest wait for anything that should take seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often the disk is looked at while a job runs.
const GLANCE: Duration = Duration::from_millis(4);

/// What the file system may hold beyond the parts and the results: folders, the lock, the request
/// to stop, the beginnings of a container.
const SLACK_BYTES: u64 = 256 * 1024;

/// Whom a kill hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Victim {
    /// The process that computes.
    Worker,
    /// The command that started it; the worker must notice.
    Command,
    /// Both at once, as when the machine is switched off.
    Both,
}

/// What a run of kills found.
#[derive(Debug, Default)]
pub struct Report {
    /// Kills that hit a living process.
    pub kills: BTreeMap<Victim, u64>,
    /// Jobs that were brought to their end.
    pub jobs: u64,
    /// Largest sum of all files at any moment, as a part of what is allowed.
    pub peak_disk: f64,
}

impl Report {
    /// All kills.
    pub fn total(&self) -> u64 {
        self.kills.values().sum()
    }
}

/// Numbers from a seed (SplitMix64, public domain, Vigna 2015).
#[derive(Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// Starts at a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

/// A source that is hard on a resumed run, and the name of the result.
struct Clip {
    name: &'static str,
    /// What ffmpeg makes it of.
    arguments: &'static [&'static str],
    source: &'static str,
    result: &'static str,
}

const CLIPS: &[Clip] = &[
    Clip {
        name: "constant frame rate, B-frames, sound",
        arguments: &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=160x90:r=25:d=14",
            "-f",
            "lavfi",
            "-i",
            "sine=440:d=14",
            "-c:v",
            "libx264",
            "-bf",
            "3",
            "-g",
            "40",
            "-preset",
            "veryfast",
            "-c:a",
            "aac",
        ],
        source: "constant.mp4",
        result: "constant.mp4",
    },
    Clip {
        name: "variable frame rate",
        // Every third frame is missing and the others wander by a few ticks.
        arguments: &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=128x72:r=30:d=18",
            "-vf",
            "select='mod(n,3)',setpts='PTS+mod(N*7,5)*0.002/TB'",
            "-vsync",
            "vfr",
            "-c:v",
            "libx264",
            "-bf",
            "2",
            "-preset",
            "veryfast",
        ],
        source: "variable.mkv",
        result: "variable.mkv",
    },
    Clip {
        name: "10 bit HEVC",
        arguments: &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=128x96:r=24:d=12",
            "-pix_fmt",
            "yuv420p10le",
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "log-level=error",
        ],
        source: "ten-bit.mkv",
        result: "ten-bit.mp4",
    },
    Clip {
        name: "open GOP in a transport stream",
        arguments: &[
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=160x96:r=25:d=12",
            "-f",
            "lavfi",
            "-i",
            "sine=330:d=12",
            "-c:v",
            "libx264",
            "-x264-params",
            "open-gop=1:keyint=30:bframes=3:b-pyramid=normal",
            "-preset",
            "veryfast",
            "-c:a",
            "mp2",
            "-f",
            "mpegts",
        ],
        source: "open.ts",
        result: "open.mkv",
    },
];

/// Kills `kills` times, over as many jobs as that takes.
///
/// # Errors
/// The first thing that is not as promised, with the seed in the caller's hands.
pub fn torture(kills: u64, seed: u64, say: &mut dyn FnMut(&str)) -> anyhow::Result<Report> {
    let mut numbers = Numbers::new(seed);
    let mut report = Report::default();
    let whole = Cli::new();
    let mut expected: BTreeMap<usize, (PathBuf, Vec<u8>, Duration)> = BTreeMap::new();
    while report.total() < kills {
        let chosen = numbers.below(CLIPS.len() as u64) as usize;
        let clip = &CLIPS[chosen];
        if let Entry::Vacant(place) = expected.entry(chosen) {
            place.insert(undisturbed(clip, &whole)?);
        }
        let (source, bytes, length) = &expected[&chosen];
        let wanted = (1 + numbers.below(5)).min(kills - report.total());
        one_job(
            clip,
            source,
            bytes,
            *length,
            wanted,
            &mut numbers,
            &mut report,
        )
        .with_context(|| format!("{}, job {}", clip.name, report.jobs + 1))?;
        say(&format!(
            "{} of {kills} kills, {} jobs ended as they should ({})",
            report.total(),
            report.jobs,
            clip.name
        ));
    }
    Ok(report)
}

fn undisturbed(clip: &Clip, cli: &Cli) -> anyhow::Result<(PathBuf, Vec<u8>, Duration)> {
    let source = cli.folder().join(clip.source);
    let made = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-y"])
        .args(clip.arguments)
        .arg(&source)
        .status()
        .context("ffmpeg cannot be started")?;
    ensure!(made.success(), "ffmpeg cannot make the clip");
    let output = cli.folder().join(format!("whole-{}", clip.result));
    let since = Instant::now();
    let status = start(cli, &source, &output)?.wait()?;
    let length = since.elapsed();
    ensure!(status.success(), "an undisturbed run fails: {status}");
    Ok((source, std::fs::read(&output)?, length))
}

fn start(cli: &Cli, source: &Path, output: &Path) -> anyhow::Result<Child> {
    let mut command = cli.command([
        "upscale".as_ref(),
        source.as_os_str(),
        "-o".as_ref(),
        output.as_os_str(),
        "--model".as_ref(),
        "loom-x2".as_ref(),
        "--quality".as_ref(),
        "draft".as_ref(),
    ]);
    Ok(quiet(&mut command).spawn()?)
}

/// Nobody reads the pipes of a command that is to be killed.
fn quiet(command: &mut Command) -> &mut Command {
    command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
}

fn one_job(
    clip: &Clip,
    source: &Path,
    expected: &[u8],
    length: Duration,
    kills: u64,
    numbers: &mut Numbers,
    report: &mut Report,
) -> anyhow::Result<()> {
    let cli = Cli::new();
    let output = cli.folder().join(clip.result);
    let mut left = kills;
    let mut peak = 0;
    let mut largest_part = 0;
    let mut child = start(&cli, source, &output)?;
    loop {
        let moment = (left > 0).then(|| {
            let millis = length.as_millis() as u64;
            Duration::from_millis(numbers.below(millis + millis / 4))
        });
        let victim = match numbers.below(3) {
            0 => Victim::Worker,
            1 => Victim::Command,
            _ => Victim::Both,
        };
        let ended = watch(&cli, &mut child, moment, &mut peak, &mut largest_part)?;
        if ended.is_none() && kill(&cli, &mut child, victim)? {
            left -= 1;
            *report.kills.entry(victim).or_default() += 1;
        }
        child.wait()?;
        no_orphan(&cli)?;
        let jobs = settled_jobs(&cli);
        let Some(job) = jobs.first() else {
            // The kill came before the job was stored: nothing may be there at all.
            ensure!(!output.exists(), "a result without a job");
            child = start(&cli, source, &output)?;
            continue;
        };
        ensure!(jobs.len() == 1, "one job became {}", jobs.len());
        match job["state"].as_str().unwrap_or_default() {
            "succeeded" => break,
            "interrupted" | "queued" => {}
            state => bail!("the job is {state}: {job}"),
        }
        let id = job["id"].as_str().unwrap_or_default();
        let mut command = cli.command(["jobs", "resume", id]);
        child = quiet(&mut command).spawn()?;
    }
    let result = std::fs::read(&output)?;
    if result != expected {
        let kept = cli.keep();
        std::fs::write(kept.join("expected"), expected)?;
        let at = result.iter().zip(expected).position(|(a, b)| a != b);
        bail!(
            "the result ({} bytes) differs from that of an undisturbed run ({} bytes) from byte {at:?} on; both are kept in {}",
            result.len(),
            expected.len(),
            kept.display()
        );
    }
    let files = walk(&cli.folder());
    ensure!(
        files == [output],
        "more than the result is there: {files:?}"
    );
    let left = walk(&cli.data().join("jobs"));
    ensure!(left.is_empty(), "parts were left behind: {left:?}");
    // The result, as much again in parts, and the segment that was in the making.
    let allowed = 2 * expected.len() as u64 + largest_part + SLACK_BYTES;
    ensure!(
        peak <= allowed,
        "{peak} bytes were on the disk at once, {allowed} are allowed"
    );
    report.peak_disk = report.peak_disk.max(peak as f64 / allowed as f64);
    report.jobs += 1;
    Ok(())
}

/// Looks at the disk until the command ended (its status) or the moment has come (`None`).
fn watch(
    cli: &Cli,
    child: &mut Child,
    moment: Option<Duration>,
    peak: &mut u64,
    largest_part: &mut u64,
) -> anyhow::Result<Option<ExitStatus>> {
    let since = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let waited = since.elapsed();
        if moment.is_some_and(|moment| waited >= moment) {
            return Ok(None);
        }
        ensure!(waited < PATIENCE, "the command does not come to an end");
        let mut sum = 0;
        for file in walk(&cli.data().join("jobs"))
            .into_iter()
            .chain(walk(&cli.folder()))
        {
            let size = file.metadata().map_or(0, |facts| facts.len());
            sum += size;
            if file
                .extension()
                .is_some_and(|e| e == "part" || e == "writing")
            {
                *largest_part = (*largest_part).max(size);
            }
        }
        *peak = (*peak).max(sum);
        std::thread::sleep(GLANCE);
    }
}

/// True if somebody was hit.
fn kill(cli: &Cli, child: &mut Child, victim: Victim) -> anyhow::Result<bool> {
    let workers = workers_of(cli);
    let mut hit = false;
    if victim != Victim::Command {
        for pid in &workers {
            hit |= send_kill(*pid)?;
        }
    }
    if victim != Victim::Worker {
        hit |= child.try_wait()?.is_none();
        let _ = child.kill();
    }
    // A worker that died takes its command along only after it was heard of.
    Ok(hit)
}

fn send_kill(pid: u32) -> anyhow::Result<bool> {
    let sent = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .stderr(std::process::Stdio::null())
        .status()
        .context("kill cannot be started")?;
    Ok(sent.success())
}

/// The jobs, once the system has taken back the locks of processes that were just killed: a
/// process loses its command line, by which [`workers_of`] finds it, a moment before its files.
fn settled_jobs(cli: &Cli) -> Vec<Value> {
    let since = Instant::now();
    loop {
        let jobs = cli.jobs();
        let is_settled = jobs.iter().all(|job| job["state"] != "running");
        if is_settled || since.elapsed() > Duration::from_secs(5) {
            return jobs;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn no_orphan(cli: &Cli) -> anyhow::Result<()> {
    let since = Instant::now();
    loop {
        let alive = workers_of(cli);
        if alive.is_empty() {
            return Ok(());
        }
        ensure!(
            since.elapsed() < Duration::from_secs(20),
            "orphans live on: {alive:?}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Living workers that carry this data folder on their command line.
pub fn workers_of(cli: &Cli) -> Vec<u32> {
    let data = cli.data().display().to_string();
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return found;
    };
    for entry in entries.flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        if line.contains(&data) && line.contains("worker") {
            found.push(pid);
        }
    }
    found
}
