//! What the window costs beyond a bare one, and what its pages cost in a browser.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::{Bench, Goal, measure};
use crate::exec::{self, say};
use crate::setup::SetUp;

/// What both programs say when their page is drawn.
const UP: &str = "the page is up";
/// Starts that count; one more before them reads the files.
const STARTS: usize = 5;
/// For caches to fill and start-up work to end, before memory is looked at.
const SETTLE: Duration = Duration::from_secs(4);

/// Start and memory of the window, the size of its pages, and their long lists.
pub fn main(bench: &mut Bench) -> anyhow::Result<()> {
    SetUp::build_ui(&bench.place)?;
    bundle(bench)?;
    pages(bench)?;
    windows(bench)
}

/// What is loaded to show the first place, compressed as a server would.
fn bundle(bench: &mut Bench) -> anyhow::Result<()> {
    let folder = bench.place.root.join("ui/dist/assets");
    let mut sum = 0;
    for entry in
        std::fs::read_dir(&folder).with_context(|| format!("no pages in {}", folder.display()))?
    {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "js" || e == "css") {
            let packed = Command::new("gzip")
                .args(["-9", "--stdout"])
                .arg(&path)
                .output()?;
            if !packed.status.success() {
                bail!("gzip refused {}", path.display());
            }
            sum += packed.stdout.len();
        }
    }
    bench.figure(
        "scripts and styles of the window, gzip -9",
        sum as f64 / 1024.0,
        "KiB",
        Goal::AtMost(400.0),
    );
    Ok(())
}

fn pages(bench: &mut Bench) -> anyhow::Result<()> {
    let output = bench
        .set_up
        .command("npx")
        .args([
            "playwright",
            "test",
            "--config",
            "playwright.bench.config.ts",
            "--pass-with-no-tests",
        ])
        .current_dir(bench.place.root.join("ui"))
        .stderr(Stdio::inherit())
        .output()
        .context("the page's measurements cannot be started")?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("the page's measurements failed:\n{text}");
    }
    let found: Vec<Value> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("figure "))
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .context("a figure of the page cannot be read")?;
    if found.is_empty() {
        say("skipped: no Chromium to measure the pages in");
    }
    for (name, unit, most) in [
        (
            "library of 100,000: until the first items are painted",
            "ms",
            300.0,
        ),
        (
            "library of 100,000: longest frame while scrolled",
            "ms",
            50.0,
        ),
        ("canvas of 200 nodes: usual frame while moved", "ms", 17.0),
        (
            "10,000 events of progress: until they are painted",
            "ms",
            1000.0,
        ),
        ("10,000 events of progress: last states lost", "", 0.0),
    ] {
        let figure = found.iter().find(|figure| figure["name"] == name);
        if let Some(value) = figure.and_then(|figure| figure["value"].as_f64()) {
            bench.figure(name, value, unit, Goal::AtMost(most));
        } else if !found.is_empty() {
            bail!("the page did not measure: {name}");
        }
    }
    Ok(())
}

/// The product's window against a bare one, taking turns on a screen of their own.
fn windows(bench: &mut Bench) -> anyhow::Result<()> {
    exec::run(
        bench
            .set_up
            .cargo()
            .args(["build", "--release", "--package", "frameloom-studio"])
            .args(["--bin", "frameloom-studio", "--example", "bare-window"])
            .current_dir(&bench.place.root),
    )?;
    let screen = Screen::open()?;
    let data = bench.work.join("window-data");
    let open = |program: PathBuf| {
        let mut command = bench.set_up.command(program);
        command
            .env("DISPLAY", &screen.display)
            .env("FRAMELOOM_DATA_DIR", &data)
            .env("FRAMELOOM_LOG", "frameloom_studio=info")
            .env("NO_AT_BRIDGE", "1");
        Opened::open(&mut command)
    };
    let product = bench.place.program("release", "frameloom-studio");
    let bare = bench.place.program("release", "examples/bare-window");
    let (mut starts, mut bare_starts) = (Vec::new(), Vec::new());
    let (mut memory, mut bare_memory) = (Vec::new(), Vec::new());
    for run in 0..=STARTS {
        for (program, starts, memory) in [
            (&product, &mut starts, &mut memory),
            (&bare, &mut bare_starts, &mut bare_memory),
        ] {
            let opened = open(program.clone())?;
            std::thread::sleep(SETTLE);
            let used = measure::proportional_bytes(opened.child.id());
            if run > 0 {
                starts.push(opened.until_up);
                memory.push(used);
            }
        }
    }
    let seconds = |times: &[Duration]| measure::least(times).as_secs_f64();
    let least = |bytes: &[u64]| bytes.iter().copied().min().unwrap_or_default() as f64;
    bench.detail(
        "window",
        json!({
            "start_seconds": measure::median(&starts).as_secs_f64(),
            "bare_start_seconds": measure::median(&bare_starts).as_secs_f64(),
            "memory_mib": least(&memory) / f64::from(1 << 20),
            "bare_memory_mib": least(&bare_memory) / f64::from(1 << 20),
        }),
    );
    bench.figure(
        "start of the window beyond that of a bare one",
        seconds(&starts) - seconds(&bare_starts),
        "s",
        Goal::AtMost(1.0),
    );
    bench.figure(
        "memory of all its processes / of a bare window",
        least(&memory) / least(&bare_memory).max(1.0),
        "x",
        Goal::AtMost(1.5),
    );
    Ok(())
}

/// A window that said that its page is up. It is closed when dropped.
struct Opened {
    child: Child,
    until_up: Duration,
}

impl Opened {
    fn open(command: &mut Command) -> anyhow::Result<Self> {
        let line = exec::shown(command);
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{line}`"))?;
        let stderr = child.stderr.take().context("no standard error")?;
        let mut opened = Self {
            child,
            until_up: Duration::ZERO,
        };
        let mut said = Vec::new();
        let mut lines = BufReader::new(stderr).lines();
        for text in lines.by_ref() {
            let text = text?;
            if text.contains(UP) {
                opened.until_up = started.elapsed();
                // What it says later must not make it wait.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(opened);
            }
            said.push(text);
        }
        bail!(
            "`{line}` ended before its page was up:\n{}",
            said.join("\n")
        );
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A screen that nobody sees.
struct Screen {
    server: Child,
    display: String,
}

impl Screen {
    fn open() -> anyhow::Result<Self> {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1280x860x24",
                "-nolisten",
                "tcp",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("Xvfb cannot be started; install xvfb")?;
        let mut number = String::new();
        if let Some(stdout) = server.stdout.take() {
            BufReader::new(stdout).read_line(&mut number)?;
        }
        let display = format!(":{}", number.trim());
        Ok(Self { server, display })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
