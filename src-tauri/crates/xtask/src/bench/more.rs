//! What the main comparison does not see: no model at all, many small pictures, length, and
//! models of others.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::measure::{self, Spent};
use super::python::Python;
use super::{Bench, Goal, Times, clips, encoder_of, plan_of};
use crate::exec::{self, say};

fn spent(command: &mut Command) -> anyhow::Result<Spent> {
    let cost = measure::run(command)?;
    Ok(Spent {
        seconds: cost.wall.as_secs_f64(),
        cpu_seconds: cost.cpu_seconds,
    })
}

/// Writes a chain of nodes as a graph.
fn graph(bench: &Bench, name: &str, nodes: &[Value]) -> anyhow::Result<std::path::PathBuf> {
    let mut all = vec![json!({"id": "in", "op": "source"})];
    all.extend(nodes.iter().cloned());
    all.push(json!({"id": "out", "op": "sink"}));
    let edges: Vec<Value> = all
        .windows(2)
        .map(|pair| json!({"from": pair[0]["id"], "to": pair[1]["id"]}))
        .collect();
    let path = bench.work.join(format!("{name}.json"));
    let document = json!({"version": 2, "nodes": all, "edges": edges});
    std::fs::write(&path, document.to_string())?;
    Ok(path)
}

/// `frameloom run` with every choice made.
fn run_graph(bench: &Bench, graph: &Path, input: &Path, output: &Path) -> Command {
    let mut command = bench.frameloom();
    command
        .arg("run")
        .arg(graph)
        .arg("--in")
        .arg(input)
        .arg("--out")
        .arg(output)
        .args(["--device", "cpu", "--codec", "h264"])
        .args(["--overwrite", "--json", "--data-dir"])
        .arg(bench.work.join("data"));
    command
}

/// A graph without a model against the ffmpeg command with the same encoder settings.
pub fn transcode(bench: &mut Bench) -> anyhow::Result<()> {
    let input = clips::full(&bench.place, bench.seconds.max(20))?;
    let output = bench.work.join("transcode.mp4");
    let encoder = encoder_of(&plan_of(bench, &input, &output)?)?;
    let empty = graph(bench, "empty", &[])?;
    let mut ffmpeg_options = vec!["-c:v".to_owned(), encoder.0.clone()];
    for (name, value) in encoder.1.as_object().into_iter().flatten() {
        let value = value.as_str().context("a setting is no text")?;
        ffmpeg_options.extend([format!("-{name}"), value.to_owned()]);
    }
    let (mut product, mut ffmpeg) = (Times::default(), Times::default());
    for run in 1..=bench.runs {
        say(&format!("run {run} of {}", bench.runs));
        product
            .0
            .push(spent(&mut run_graph(bench, &empty, &input, &output))?);
        ffmpeg.0.push(spent(
            Command::new("ffmpeg")
                .args(["-hide_banner", "-loglevel", "error", "-y", "-i"])
                .arg(&input)
                .args(["-map", "0", "-c", "copy"])
                .args(&ffmpeg_options)
                .arg(bench.work.join("ffmpeg.mp4")),
        )?);
    }
    bench.detail("transcode", product.report());
    bench.detail("transcode_ffmpeg", ffmpeg.report());
    bench.figure(
        "speed without a model / ffmpeg command",
        ffmpeg.best() / product.best(),
        "x",
        Goal::AtLeast(0.97),
    );
    Ok(())
}

/// Many small pictures against the bare model on pictures of their size.
pub fn stills(bench: &mut Bench) -> anyhow::Result<()> {
    const SIDE: u64 = 256;
    let count: u64 = if bench.runs > 1 { 1000 } else { 200 };
    let folder = bench.work.join("pictures");
    std::fs::create_dir_all(&folder)?;
    exec::run(
        Command::new("ffmpeg")
            .args(["-hide_banner", "-loglevel", "error", "-y"])
            .args(["-stream_loop", "-1", "-i"])
            .arg(clips::demo(&bench.place))
            .args(["-vf", "crop=256:256:mod(n*7\\,384):mod(n*3\\,104)"])
            .args(["-frames:v", &count.to_string()])
            .arg(folder.join("%04d.png")),
    )?;
    let python = Python::ensure(&bench.place)?;
    let (mut product, mut infer) = (Times::default(), Times::default());
    for run in 1..=bench.runs.min(2) {
        let output = bench.work.join(format!("larger-{run}"));
        std::fs::create_dir_all(&output)?;
        product.0.push(spent(&mut bench.upscale(&folder, &output))?);
        let made = std::fs::read_dir(&output)?.count() as u64;
        if made != count {
            bail!("{made} of {count} pictures were made");
        }
        infer
            .0
            .push(python.inference(&bench.model(), (SIDE, SIDE), count)?);
    }
    bench.detail("stills", product.report());
    bench.detail("stills_inference", infer.report());
    bench.detail(
        "stills_cpu_time_of_inference",
        json!(infer.least_cpu() / product.least_cpu()),
    );
    bench.figure(
        "speed of small pictures / bare inference",
        infer.best() / product.best(),
        "x",
        Goal::AtLeast(0.9),
    );
    Ok(())
}

/// What a frame costs in clips of ten seconds to an hour; an hour takes its time.
pub fn length(bench: &mut Bench) -> anyhow::Result<()> {
    let mut costs = Vec::new();
    for seconds in [10u32, 60, 300, 1200, 3600] {
        let input = clips::quarter(&bench.place, seconds)?;
        let output = bench.work.join("length.mp4");
        say(&format!("{seconds} s of 160x90"));
        let cost = measure::run(&mut bench.upscale(&input, &output))?;
        let frames = f64::from(seconds) * 25.0;
        let per_frame = cost.cpu_seconds / frames * 1e3;
        costs.push((seconds, per_frame, cost.peak_bytes));
        let _ = std::fs::remove_file(&output);
        // Told at once: the last takes longer than all others. The first is 40 characters long.
        let first = costs.first().map_or(per_frame, |(_, first, _)| *first);
        let bar = "#".repeat((per_frame / first * 40.0).round() as usize);
        say(&format!(
            "{seconds:>5} s {bar:<50} {per_frame:.2} ms of processor time per frame, {} MiB",
            cost.peak_bytes >> 20
        ));
    }
    bench.detail("cost_by_length", json!(costs));
    let (Some(minute), Some(hour)) = (costs.get(1), costs.last()) else {
        bail!("five lengths were to be measured");
    };
    bench.figure(
        "processor time per frame of an hour / of a minute",
        hour.1 / minute.1,
        "x",
        Goal::AtMost(1.05),
    );
    bench.figure(
        "peak memory of an hour / of a minute",
        hour.2 as f64 / (minute.2 as f64).max(1.0),
        "x",
        Goal::AtMost(1.05),
    );
    Ok(())
}

/// RGB models of others as an `onnx` node, against a plain Python pipeline.
pub fn models(bench: &mut Bench) -> anyhow::Result<()> {
    let data = std::env::var_os("FRAMELOOM_TEST_DATA")
        .map_or_else(|| bench.place.root.join("../shared/data"), Into::into);
    let folder = data.join("models/sr");
    if !folder.is_dir() {
        say("skipped: no test data (models/sr)");
        return Ok(());
    }
    let input = clips::quarter(&bench.place, 4)?;
    let output = bench.work.join("model.mp4");
    let encoder = encoder_of(&plan_of(bench, &input, &output)?)?;
    let python = Python::ensure(&bench.place)?;
    let mut files: Vec<_> = std::fs::read_dir(&folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "onnx"))
        // Those for luma have a fixed size, which a plain pipeline cannot feed with a clip.
        .filter(|path| {
            let name = path.file_stem().map(|s| s.to_string_lossy().into_owned());
            !name.is_some_and(|name| name.contains("_y"))
        })
        .collect();
    files.sort();
    let mut slowest: Option<(f64, String)> = None;
    for file in files {
        let name = file
            .file_stem()
            .map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let node = json!({"id": "model", "op": "onnx", "params": {"path": file}});
        let document = graph(bench, &name, &[node])?;
        // A file that was never met is looked at once, which no later job waits for.
        let mut look = bench.frameloom();
        look.args(["models", "inspect"]).arg(&file);
        look.arg("--data-dir").arg(bench.work.join("data"));
        let first_look = spent(&mut look)?;
        bench.detail(&format!("first_look_{name}"), json!(first_look.seconds));
        let (mut product, mut serial) = (Times::default(), Times::default());
        for _ in 0..bench.runs {
            product
                .0
                .push(spent(&mut run_graph(bench, &document, &input, &output))?);
            let (_, plain) =
                python.pipeline("rgb", &input, &bench.work.join("rgb.mp4"), &file, &encoder)?;
            serial.0.push(plain);
        }
        let ratio = serial.best() / product.best();
        bench.detail(&format!("speed_by_python_{name}"), json!(ratio));
        if slowest.as_ref().is_none_or(|(least, _)| ratio < *least) {
            slowest = Some((ratio, name));
        }
    }
    let (least, name) = slowest.context("there is no model")?;
    bench.detail("slowest_model", json!(name));
    bench.figure(
        "speed of any model / serial Python pipeline, least",
        least,
        "x",
        Goal::AtLeast(1.0),
    );
    Ok(())
}
