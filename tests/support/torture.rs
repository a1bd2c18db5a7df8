//! Kills a job again and again, at random moments and in random ways, and compares what comes out
//! in the end with a run that was left alone.
//!
//! Everything random comes from one seed, which every failure names; the moments of the kills
//! depend on the machine, so a seed repeats the choices, not the race.

use crate::scenes::{SCENES, Scene, Work, document};
use crate::tree::{Tree, difference, is_hidden, tree};
use crate::{Cli, walk};
use anyhow::{Context, bail, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
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
    /// Kills of each kind of job.
    pub scenes: BTreeMap<&'static str, u64>,
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

/// A kind of job, and what comes of it when it is left alone.
struct Prepared {
    scene: &'static Scene,
    /// Arguments of the command up to the place of the result.
    arguments: Vec<OsString>,
    expected: Tree,
    /// How long it takes.
    length: Duration,
    /// How long its last step takes.
    last_step: Duration,
    /// What its parts take while they are joined.
    parts: u64,
}

/// Kills `kills` times, over as many jobs as that takes.
///
/// # Errors
/// The first thing that is not as promised, with the seed in the caller's hands.
pub fn torture(kills: u64, seed: u64, say: &mut dyn FnMut(&str)) -> anyhow::Result<Report> {
    let mut numbers = Numbers::new(seed);
    let mut report = Report::default();
    let stock = Cli::new();
    let mut prepared: BTreeMap<usize, Prepared> = BTreeMap::new();
    // A short run is to see many kinds of jobs.
    let most = if kills < 40 { 2 } else { 5 };
    let mut deck = Vec::new();
    while report.total() < kills {
        let chosen = match deck.pop() {
            Some(chosen) => chosen,
            None => {
                deck = shuffled(&mut numbers);
                continue;
            }
        };
        let job = match prepared.remove(&chosen) {
            Some(job) => job,
            None => Prepared::new(&SCENES[chosen], &stock.folder())
                .with_context(|| format!("{}, undisturbed", SCENES[chosen].name))?,
        };
        let wanted = (1 + numbers.below(most)).min(kills - report.total());
        one_job(&job, wanted, &mut numbers, &mut report)
            .with_context(|| format!("{}, job {}", job.scene.name, report.jobs + 1))?;
        say(&format!(
            "{} of {kills} kills, {} jobs ended as they should ({})",
            report.total(),
            report.jobs,
            job.scene.name
        ));
        prepared.insert(chosen, job);
    }
    Ok(report)
}

/// Every kind of job once, in a random order (Fisher and Yates).
fn shuffled(numbers: &mut Numbers) -> Vec<usize> {
    let mut deck: Vec<usize> = (0..SCENES.len()).collect();
    for last in (1..deck.len()).rev() {
        deck.swap(last, numbers.below(last as u64 + 1) as usize);
    }
    deck
}

impl Prepared {
    /// Makes the sources in `stock`, and does the job once.
    fn new(scene: &'static Scene, stock: &Path) -> anyhow::Result<Self> {
        for (name, made_of) in scene.sources {
            let made = Command::new("ffmpeg")
                .args(["-hide_banner", "-loglevel", "error", "-y", "-nostdin"])
                .args(made_of.split_whitespace())
                .arg(stock.join(name))
                .status()
                .context("ffmpeg cannot be started")?;
            ensure!(made.success(), "ffmpeg cannot make {name}");
        }
        let mut job = Self {
            scene,
            arguments: arguments(scene, stock)?,
            expected: Tree::new(),
            length: Duration::ZERO,
            last_step: Duration::ZERO,
            parts: 0,
        };
        let cli = Cli::new();
        let since = Instant::now();
        let mut seen = Seen::default();
        let status = watch(&cli, &mut job.start(&cli)?, &Moment::Never, &mut seen)?;
        job.length = since.elapsed();
        ensure!(
            status.is_some_and(|status| status.success()),
            "an undisturbed run fails: {status:?}"
        );
        job.expected = tree(&cli.folder())?;
        job.parts = seen.parts;
        job.last_step = seen
            .last_step
            .map_or(Duration::ZERO, |begun| begun.elapsed());
        ensure!(
            !job.expected.keys().any(|path| is_hidden(path)),
            "an undisturbed run leaves something: {:?}",
            job.expected.keys()
        );
        Ok(job)
    }

    fn start(&self, cli: &Cli) -> anyhow::Result<Child> {
        let output = cli.folder().join(self.scene.result);
        let mut command = cli.command(self.arguments.iter().chain([&output.into_os_string()]));
        Ok(quiet(&mut command).spawn()?)
    }

    /// Size of the result.
    fn bytes(&self) -> u64 {
        let files = self.expected.values().flatten();
        files.map(|bytes| bytes.len() as u64).sum()
    }

    /// What may be on the disk at once: the result, what it is made of, and the part in the making.
    /// A file is made of parts that are as large as itself; animations and pictures of parts
    /// without loss, which a run that was left alone shows the size of.
    fn allowed(&self, seen: &Seen) -> u64 {
        let parts = match self.scene.is_of_larger_parts() {
            true => self.parts,
            false => self.bytes(),
        };
        self.bytes() + parts + seen.largest_part + SLACK_BYTES
    }
}

fn arguments(scene: &Scene, stock: &Path) -> anyhow::Result<Vec<OsString>> {
    let mut list: Vec<OsString> = Vec::new();
    let mut add = |words: &[&dyn AsRef<std::ffi::OsStr>]| {
        list.extend(words.iter().map(|word| word.as_ref().to_owned()));
    };
    let mut sources = scene.sources.iter().map(|(name, _)| stock.join(name));
    let main = sources.next().context("a job needs a source")?;
    match &scene.work {
        Work::Upscale => add(&[&"upscale", &main, &"--model", &"loom-x2"]),
        Work::Graph { nodes, wires } => {
            let graph = stock.join(scene.result).with_extension("json");
            std::fs::write(&graph, document(nodes(), wires).to_string())?;
            add(&[&"run", &graph, &"--in", &main]);
            for source in sources {
                let mut named = source.file_stem().unwrap_or_default().to_owned();
                named.push("=");
                named.push(&source);
                add(&[&"--in", &named]);
            }
        }
    }
    add(&[&"--quality", &"draft"]);
    add(match scene.work {
        Work::Upscale => &[&"-o"],
        Work::Graph { .. } => &[&"--out"],
    });
    Ok(list)
}

/// Nobody reads the pipes of a command that is to be killed.
fn quiet(command: &mut Command) -> &mut Command {
    command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
}

/// When to kill.
enum Moment {
    Never,
    /// After this time.
    After(Duration),
    /// This long after the last step began.
    InLastStep(Duration),
}

impl Moment {
    fn random(job: &Prepared, numbers: &mut Numbers) -> Self {
        let mut within = |length: Duration| {
            let millis = length.as_millis() as u64;
            Duration::from_millis(numbers.below(millis + millis / 4))
        };
        let (at, late) = (within(job.length), within(job.last_step));
        // The last step is short, and the one in which names are given.
        match numbers.below(4) {
            0 => Self::InLastStep(late),
            _ => Self::After(at),
        }
    }
}

/// What was seen of the disk.
#[derive(Default)]
struct Seen {
    /// Largest sum of all files.
    peak: u64,
    /// Largest file that was in the making or part of the result.
    largest_part: u64,
    /// Largest sum of finished parts.
    parts: u64,
    /// When the last step of the present run was first seen.
    last_step: Option<Instant>,
}

impl Seen {
    fn look(&mut self, cli: &Cli) {
        let (mut sum, mut parts, mut hidden) = (0, 0, false);
        // A file with two names is there once.
        let mut known = HashSet::new();
        let files = walk(&cli.data().join("jobs"));
        for file in files.into_iter().chain(walk(&cli.folder())) {
            let of_result = file.strip_prefix(cli.folder()).ok();
            let is_in_making = of_result.is_some_and(is_hidden);
            hidden |= is_in_making;
            let Ok(facts) = file.metadata() else { continue };
            if !known.insert((facts.dev(), facts.ino())) {
                continue;
            }
            sum += facts.len();
            let extension = file.extension().unwrap_or_default();
            if ["part", "writing", "sound", "making"]
                .iter()
                .any(|of| extension == *of)
            {
                self.largest_part = self.largest_part.max(facts.len());
            }
            if extension == "part" {
                parts += facts.len();
            }
        }
        self.peak = self.peak.max(sum);
        self.parts = self.parts.max(parts);
        if hidden {
            self.last_step.get_or_insert_with(Instant::now);
        }
    }
}

fn one_job(
    job: &Prepared,
    kills: u64,
    numbers: &mut Numbers,
    report: &mut Report,
) -> anyhow::Result<()> {
    let cli = Cli::new();
    let mut left = kills;
    let mut seen = Seen::default();
    let mut child = job.start(&cli)?;
    loop {
        let moment = match left {
            0 => Moment::Never,
            _ => Moment::random(job, numbers),
        };
        let victim = match numbers.below(3) {
            0 => Victim::Worker,
            1 => Victim::Command,
            _ => Victim::Both,
        };
        let ended = watch(&cli, &mut child, &moment, &mut seen)?;
        if ended.is_none() && kill(&cli, &mut child, victim)? {
            left -= 1;
            *report.kills.entry(victim).or_default() += 1;
            *report.scenes.entry(job.scene.name).or_default() += 1;
        }
        child.wait()?;
        no_orphan(&cli)?;
        let jobs = settled_jobs(&cli);
        let Some(stored) = jobs.first() else {
            // The kill came before the job was stored: nothing may be there at all.
            let files = walk(&cli.folder());
            ensure!(files.is_empty(), "files without a job: {files:?}");
            child = job.start(&cli)?;
            continue;
        };
        ensure!(jobs.len() == 1, "one job became {}", jobs.len());
        match stored["state"].as_str().unwrap_or_default() {
            "succeeded" => break,
            "interrupted" | "queued" => {}
            state => bail!("the job is {state}: {stored}"),
        }
        let id = stored["id"].as_str().unwrap_or_default();
        let mut command = cli.command(["jobs", "resume", id]);
        child = quiet(&mut command).spawn()?;
    }
    let result = tree(&cli.folder())?;
    if let Some(difference) = difference(&result, &job.expected) {
        let kept = cli.keep();
        std::fs::create_dir_all(kept.join("expected"))?;
        for (name, bytes) in &job.expected {
            let path = kept.join("expected").join(name);
            match bytes {
                None => std::fs::create_dir_all(path)?,
                Some(bytes) => std::fs::write(path, bytes)?,
            }
        }
        bail!(
            "the result differs from that of an undisturbed run: {difference}; both are kept in {}",
            kept.display()
        );
    }
    // Killed after its end was noted, the next start takes away what is left; but not before the
    // system has taken back the locks of who was killed.
    let since = Instant::now();
    loop {
        let left = walk(&cli.data().join("jobs"));
        if left.is_empty() {
            break;
        }
        ensure!(
            since.elapsed() < Duration::from_secs(5),
            "parts were left behind: {left:?}"
        );
        cli.jobs();
        std::thread::sleep(Duration::from_millis(50));
    }
    let allowed = job.allowed(&seen);
    ensure!(
        seen.peak <= allowed,
        "{} bytes were on the disk at once, {allowed} are allowed",
        seen.peak
    );
    report.peak_disk = report.peak_disk.max(seen.peak as f64 / allowed as f64);
    report.jobs += 1;
    Ok(())
}

/// Looks at the disk until the command ended (its status) or the moment has come (`None`).
fn watch(
    cli: &Cli,
    child: &mut Child,
    moment: &Moment,
    seen: &mut Seen,
) -> anyhow::Result<Option<ExitStatus>> {
    let since = Instant::now();
    seen.last_step = None;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        seen.look(cli);
        let has_come = match moment {
            Moment::Never => false,
            Moment::After(time) => since.elapsed() >= *time,
            Moment::InLastStep(time) => {
                seen.last_step.is_some_and(|begun| begun.elapsed() >= *time)
            }
        };
        if has_come {
            return Ok(None);
        }
        ensure!(
            since.elapsed() < PATIENCE,
            "the command does not come to an end"
        );
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

/// Ends a process without a word; false if it was gone.
///
/// # Errors
/// There is no `kill`.
pub fn send_kill(pid: u32) -> anyhow::Result<bool> {
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
    workers_in(&cli.data())
}

/// Living workers that carry this data folder on their command line.
pub fn workers_in(data: &Path) -> Vec<u32> {
    let data = data.display().to_string();
    processes(|line| line.contains(&data) && line.contains("worker"))
}

/// Processes whose command line is of a kind; its words are separated by zeros.
pub fn processes(is_wanted: impl Fn(&str) -> bool) -> Vec<u32> {
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
        if is_wanted(&line) {
            found.push(pid);
        }
    }
    found
}
