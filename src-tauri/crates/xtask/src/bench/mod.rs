//! `bench`: how much of the machine the product turns into pictures. Everything is measured in
//! one run on one machine, and told as ratios: bare seconds say more about the machine.

mod bare;
mod clips;
mod measure;
mod more;
mod operations;
mod python;
mod ui;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::exec::{self, say};
use crate::place::Place;
use crate::setup::{Purpose, SetUp};
use measure::{Spent, least, median};
use python::Python;

/// The model everything is measured with.
const MODEL: &str = "loom-x2";

/// One measured figure with the goal it is held against.
struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    goal: Goal,
}

enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    fn is_met(&self) -> bool {
        match self.goal {
            Goal::AtMost(limit) => self.value <= limit,
            Goal::AtLeast(limit) => self.value >= limit,
        }
    }

    fn goal_text(&self) -> String {
        match self.goal {
            Goal::AtMost(limit) => format!("at most {limit}"),
            Goal::AtLeast(limit) => format!("at least {limit}"),
        }
    }
}

/// What the parts share.
struct Bench {
    place: Place,
    set_up: SetUp,
    /// Empty folder of this run: data folders and results.
    work: PathBuf,
    runs: usize,
    seconds: u32,
    figures: Vec<Figure>,
    details: serde_json::Map<String, Value>,
}

type Part = fn(&mut Bench) -> anyhow::Result<()>;

/// Parts with their functions; the last take long and run only where they are named.
const PARTS: &[(&str, Part)] = &[
    ("start", start),
    ("pipeline", pipeline),
    ("memory", memory),
    ("transcode", more::transcode),
    ("stills", more::stills),
    ("models", more::models),
    ("length", more::length),
    ("ui", ui::main),
    ("operations", operations::main),
    ("quality", operations::quality),
];
const ONLY_BY_NAME: &[&str] = &["models", "length", "ui", "operations", "quality"];

/// Measures all parts, or those that are named.
pub fn main(arguments: &[String]) -> anyhow::Result<()> {
    let usage = "bench [PART..] [--runs N] [--seconds N] [--json FILE], of the parts start, pipeline, memory, transcode, stills, models, length, ui, operations, quality";
    let mut only: Option<Vec<String>> = None;
    let mut json_file = None;
    let (mut runs, mut seconds) = (3, 10);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().with_context(|| usage.to_owned());
        match argument.as_str() {
            "--only" => only = Some(value()?.split(',').map(str::to_owned).collect()),
            "--runs" => runs = value()?.parse::<usize>()?.max(1),
            "--seconds" => seconds = value()?.parse::<u32>()?.max(1),
            "--json" => json_file = Some(PathBuf::from(value()?)),
            name if PARTS.iter().any(|(part, _)| *part == name) => {
                only.get_or_insert_default().push(name.to_owned());
            }
            other => bail!("unknown argument `{other}`: {usage}"),
        }
    }
    let is_wanted = |name: &str| match &only {
        Some(names) => names.iter().any(|n| n == name),
        None => !ONLY_BY_NAME.contains(&name),
    };
    if !PARTS.iter().any(|(name, _)| is_wanted(name)) {
        bail!("nothing to measure: {usage}");
    }

    let place = Place::find()?;
    let set_up = SetUp::new(&place, Purpose::Bench)?;
    exec::run(
        set_up
            .cargo()
            .args(["build", "--release", "--package", "frameloom-cli"])
            .current_dir(&place.root),
    )?;
    let work = place
        .cache
        .join(format!("bench/work-{}", std::process::id()));
    std::fs::create_dir_all(&work)?;
    let mut bench = Bench {
        place,
        set_up,
        work: work.clone(),
        runs,
        seconds,
        figures: Vec::new(),
        details: serde_json::Map::new(),
    };
    let mut result = Ok(());
    for (name, part) in PARTS {
        if is_wanted(name) && result.is_ok() {
            say(&format!("--- {name}"));
            result = part(&mut bench).with_context(|| format!("measuring {name}"));
        }
    }
    let _ = std::fs::remove_dir_all(&work);
    bench.report(json_file)?;
    result
}

impl Bench {
    fn frameloom(&self) -> Command {
        self.set_up
            .command(self.place.program("release", "frameloom"))
    }

    fn model(&self) -> PathBuf {
        self.place.root.join("models").join(MODEL)
    }

    /// `frameloom upscale` with every choice made, so that all runs compute the same.
    fn upscale(&self, input: &Path, output: &Path) -> Command {
        let mut command = self.frameloom();
        command
            .arg("upscale")
            .arg(input)
            .arg("--output")
            .arg(output)
            .args(["--model", MODEL, "--device", "cpu", "--codec", "h264"])
            .args(["--overwrite", "--json", "--data-dir"])
            .arg(self.work.join("data"));
        command
    }

    fn figure(&mut self, name: &'static str, value: f64, unit: &'static str, goal: Goal) {
        self.figures.push(Figure {
            name,
            value,
            unit,
            goal,
        });
    }

    fn detail(&mut self, name: &str, value: Value) {
        say(&format!("{name}: {value}"));
        self.details.insert(name.to_owned(), value);
    }

    fn report(&self, file: Option<PathBuf>) -> anyhow::Result<()> {
        let figures: Vec<Value> = self
            .figures
            .iter()
            .map(|figure| {
                json!({
                    "name": figure.name,
                    "value": figure.value,
                    "unit": figure.unit,
                    "goal": figure.goal_text(),
                    "is_met": figure.is_met(),
                })
            })
            .collect();
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let report = json!({
            "model": MODEL,
            "cores": cores,
            "runs": self.runs,
            "figures": figures,
            "details": self.details,
        });
        let file = file.unwrap_or_else(|| self.place.cache.join("bench/report.json"));
        std::fs::write(&file, serde_json::to_string_pretty(&report)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
        let mut out = std::io::stdout().lock();
        for figure in &self.figures {
            writeln!(
                out,
                "{:<58} {:>8.3} {:<3} {:<14} {}",
                figure.name,
                figure.value,
                figure.unit,
                figure.goal_text(),
                if figure.is_met() { "met" } else { "MISSED" }
            )?;
        }
        writeln!(out, "{}", file.display())?;
        Ok(())
    }
}

/// Time until a short command has answered.
fn start(bench: &mut Bench) -> anyhow::Result<()> {
    let data = bench.work.join("data");
    let demo = clips::demo(&bench.place);
    let version = measure::start_up(
        &|| {
            let mut command = bench.frameloom();
            command.arg("--version");
            command
        },
        20,
    )?;
    let probe = measure::start_up(
        &|| {
            let mut command = bench.frameloom();
            command.arg("probe").arg(&demo).arg("--data-dir").arg(&data);
            command
        },
        20,
    )?;
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    for (name, times) in [("version_median_ms", &version), ("probe_median_ms", &probe)] {
        bench.detail(name, json!(milliseconds(median(times))));
    }
    // The best run is the one that foreign load disturbed least.
    bench.figure(
        "frameloom --version, best of 20",
        milliseconds(least(&version)),
        "ms",
        Goal::AtMost(50.0),
    );
    bench.figure(
        "frameloom probe, best of 20",
        milliseconds(least(&probe)),
        "ms",
        Goal::AtMost(150.0),
    );
    Ok(())
}

/// All runs of one thing.
#[derive(Default)]
struct Times(Vec<Spent>);

impl Times {
    /// The run that foreign load disturbed least.
    fn best(&self) -> f64 {
        self.0
            .iter()
            .map(|spent| spent.seconds)
            .fold(f64::INFINITY, f64::min)
    }

    fn least_cpu(&self) -> f64 {
        self.0
            .iter()
            .map(|spent| spent.cpu_seconds)
            .fold(f64::INFINITY, f64::min)
    }

    fn report(&self) -> Value {
        let all = |read: fn(&Spent) -> f64| -> Vec<f64> { self.0.iter().map(read).collect() };
        json!({
            "wall_seconds": all(|spent| spent.seconds),
            "cpu_seconds": all(|spent| spent.cpu_seconds),
        })
    }
}

/// The product against its bare parts and against Python, taking turns so that foreign load and
/// a hot processor meet all of them alike. The best run of each counts.
fn pipeline(bench: &mut Bench) -> anyhow::Result<()> {
    let input = clips::full(&bench.place, bench.seconds)?;
    let output = bench.work.join("result.mp4");
    let plan = plan_of(bench, &input, &output)?;
    let encoder = encoder_of(&plan)?;
    let (small, large) = (size_of(&plan, "input")?, size_of(&plan, "output")?);
    let frame_bytes = large.0 * large.1 * 3 / 2;
    let python = Python::ensure(&bench.place)?;
    let (unpacked, scratch) = (
        bench.work.join("frames.yuv"),
        bench.work.join("scratch.mp4"),
    );
    let (mut product, mut decode, mut encode) =
        (Times::default(), Times::default(), Times::default());
    let (mut infer, mut serial, mut threaded) =
        (Times::default(), Times::default(), Times::default());
    let mut frames = 0;
    for run in 1..=bench.runs {
        say(&format!("run {run} of {}", bench.runs));
        let cost = measure::run(&mut bench.upscale(&input, &output))?;
        product.0.push(Spent {
            seconds: cost.wall.as_secs_f64(),
            cpu_seconds: cost.cpu_seconds,
        });
        if run == 1 {
            frames = bare::unpack(&output, &unpacked, frame_bytes)?;
        }
        decode.0.push(bare::decode(&input)?);
        infer
            .0
            .push(python.inference(&bench.model(), small, frames)?);
        encode
            .0
            .push(bare::encode(&unpacked, large, "25", &encoder, &scratch)?);
        for (name, times) in [("serial", &mut serial), ("threaded", &mut threaded)] {
            let (made, spent) =
                python.pipeline(name, &input, &scratch, &bench.model(), &encoder)?;
            if made != frames {
                bail!("the {name} baseline made {made} frames, not {frames}");
            }
            times.0.push(spent);
        }
    }
    bench.detail("frames", json!(frames));
    bench.detail("encoder", json!([&encoder.0, &encoder.1]));
    for (name, times) in [
        ("product", &product),
        ("decode", &decode),
        ("infer", &infer),
        ("encode", &encode),
        ("python_serial", &serial),
        ("python_threaded", &threaded),
    ] {
        bench.detail(name, times.report());
    }
    let bare_cpu = decode.least_cpu() + infer.least_cpu() + encode.least_cpu();
    bench.figure(
        "processor time / (bare decode + inference + encode)",
        product.least_cpu() / bare_cpu,
        "x",
        Goal::AtMost(1.05),
    );
    // No schedule of these parts is shorter than all of their processor time, spread evenly.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    bench.figure(
        "best possible schedule of the parts / wall time",
        bare_cpu / cores as f64 / product.best(),
        "x",
        Goal::AtLeast(0.95),
    );
    let bare = decode.best() + infer.best() + encode.best();
    let product = product.best();
    bench.figure(
        "wall time / (bare decode + inference + encode)",
        product / bare,
        "x",
        Goal::AtMost(1.08),
    );
    bench.figure(
        "speed / serial Python pipeline",
        serial.best() / product,
        "x",
        Goal::AtLeast(1.3),
    );
    bench.figure(
        "speed / threaded Python pipeline",
        threaded.best() / product,
        "x",
        Goal::AtLeast(1.1),
    );
    Ok(())
}

/// What the product would do.
fn plan_of(bench: &Bench, input: &Path, output: &Path) -> anyhow::Result<Value> {
    let plans = exec::stdout_of(bench.upscale(input, output).arg("--dry-run"))?;
    let plans: Value = serde_json::from_str(&plans)?;
    Ok(plans[0].clone())
}

/// Width and height of the pictures of a plan, of its `input` or its `output`.
fn size_of(plan: &Value, side: &str) -> anyhow::Result<(u64, u64)> {
    let read = |index: usize| plan["sizes"][side][index].as_u64();
    read(0)
        .zip(read(1))
        .with_context(|| format!("the plan tells no size of its {side}"))
}

/// Encoder and settings that the product uses, for everything it is compared with.
fn encoder_of(plan: &Value) -> anyhow::Result<(String, Value)> {
    let encoder = plan["encoder"]
        .as_str()
        .context("the plan names no encoder")?;
    let mut options = serde_json::Map::new();
    for pair in plan["encoder_parameters"].as_array().into_iter().flatten() {
        match (pair[0].as_str(), pair[1].as_str()) {
            // How the product shares the cores between its stages is its own affair: what it is
            // compared with may use all of them in every stage.
            (Some("threads"), _) => {}
            (Some(name), Some(value)) => {
                options.insert(name.to_owned(), json!(value));
            }
            _ => bail!("a setting of the encoder is not a pair of texts: {pair}"),
        }
    }
    Ok((encoder.to_owned(), Value::Object(options)))
}

/// Peak memory for a short and for a long clip: nothing may grow with the length.
fn memory(bench: &mut Bench) -> anyhow::Result<()> {
    let mut peaks = Vec::new();
    for seconds in [10, 300] {
        let input = clips::half(&bench.place, seconds)?;
        let output = bench.work.join("memory.mp4");
        say(&format!("{seconds} s of 320x180"));
        let cost = measure::run(&mut bench.upscale(&input, &output))?;
        bench.detail(
            &format!("peak_mib_{seconds}s"),
            json!(cost.peak_bytes / (1 << 20)),
        );
        peaks.push(cost.peak_bytes as f64);
    }
    let [short, long] = peaks[..] else {
        bail!("two clips were to be measured");
    };
    if short == 0.0 {
        say("this system does not tell the peak memory of a program");
        return Ok(());
    }
    bench.figure(
        "peak memory of 5 min / of 10 s",
        long / short,
        "x",
        Goal::AtMost(1.05),
    );
    Ok(())
}
