//! What creators reach for: each operation beside the bare inference of its model, or beside a bare
//! ffmpeg pipeline where it has none; and how good its results are, on references.
//!
//! The product's time is the difference of a long and a short clip, so that starting and looking at
//! files is not in it. All of a row takes turns, and the least of the runs counts.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::measure::{self, Cost};
use super::python::Python;
use super::{Bench, bare, encoder_of, size_of};
use crate::exec::{self, say};

/// The least part of the speed of bare inference, or of the same filter in ffmpeg.
const GOAL: f64 = 0.9;

/// Material that a row is measured on, made for it from a real file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Clip {
    /// A man who talks, 640x360, again and again.
    Talk,
    /// The same, 360x360, for models of one square size.
    Square,
    /// The same as a camera sees it by night.
    Night,
    /// The same, 160x90.
    Small,
    /// Out of a hand, 640x360.
    Walk,
    /// Fields of two times in each picture, 640x360.
    Fields,
    /// People who speak, with small pictures.
    Speech,
    /// The same, a file of sound alone.
    Sound,
}

impl Clip {
    /// File of the test data, filter of pictures, further settings.
    fn recipe(self) -> (&'static str, &'static str, &'static [&'static str]) {
        const TALK: &str = "media/video/h264_aac_face_1s.mp4";
        match self {
            Clip::Talk => (TALK, "fps=25,scale=640:-2,crop=640:360", &[]),
            Clip::Square => (TALK, "fps=25,scale=-2:360,crop=360:360", &[]),
            Clip::Night => (
                TALK,
                "fps=25,scale=640:-2,crop=640:360,curves=all='0/0 0.25/0.05 0.5/0.11 0.75/0.2 1/0.45',\
                 noise=c0s=3:c0f=t:all_seed=7",
                &[],
            ),
            Clip::Small => (TALK, "fps=25,scale=160:-2,crop=160:90", &[]),
            Clip::Walk => ("media/video/h264_aac_17s_640x360.mp4", "fps=25", &[]),
            Clip::Fields => (
                TALK,
                "fps=50,scale=640:-2,crop=640:360,tinterlace=interleave_top,fieldorder=tff",
                &["-flags", "+ildct+ilme", "-x264-params", "tff=1"],
            ),
            Clip::Speech | Clip::Sound => ("media/speech/silero_vad_test_60s.wav", "", &[]),
        }
    }

    /// Ending of its file, and so of what comes of it.
    fn ending(self) -> &'static str {
        match self {
            Clip::Sound => "wav",
            _ => "mp4",
        }
    }

    /// It is counted in seconds of sound, not in frames.
    fn is_heard(self) -> bool {
        matches!(self, Clip::Speech | Clip::Sound)
    }

    /// `seconds` of it.
    fn make(self, bench: &Bench, data: &Path, seconds: u32) -> anyhow::Result<PathBuf> {
        let made = (bench.work).join(format!("{self:?}-{seconds}s.{}", self.ending()));
        if made.exists() {
            return Ok(made);
        }
        let (file, filter, more) = self.recipe();
        let mut command = Command::new("ffmpeg");
        command.args(["-hide_banner", "-loglevel", "error", "-y"]);
        if self == Clip::Speech {
            command.args(["-f", "lavfi", "-i", "testsrc2=s=192x108:r=25"]);
        }
        command
            .args(["-stream_loop", "-1", "-i"])
            .arg(data.join(file));
        if !filter.is_empty() {
            command.args(["-vf", filter]);
        }
        command.args(["-t", &seconds.to_string()]);
        if self != Clip::Sound {
            command.args(["-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p"]);
            command.args(["-c:a", "aac"]).args(more);
        }
        exec::run(command.arg(&made))?;
        Ok(made)
    }
}

/// Stands for the file of [`lines`] in the words of a row and in a filter.
const LINES: &str = "{lines}";

/// Subtitles that show a line most of the time.
fn lines(bench: &Bench) -> anyhow::Result<PathBuf> {
    let file = bench.work.join("lines.srt");
    let mut text = String::new();
    for second in 0..60 {
        let (minute, rest) = (second / 60, second % 60);
        writeln!(
            text,
            "{}\n00:{minute:02}:{rest:02},000 --> 00:{minute:02}:{rest:02},900\nA line that is read in second {second},\nand another below it\n",
            second + 1,
        )?;
    }
    std::fs::write(&file, text)?;
    Ok(file)
}

/// A model and what it looks at.
struct Weights {
    id: &'static str,
    /// Below `models/` of the test data; the program's own where empty.
    file: &'static str,
    import: &'static [&'static str],
    /// Shapes that it is given for a frame, or for a second of sound, and how often.
    looks: &'static [(&'static [u32], u32)],
}

/// What comes out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    Clip,
    /// Text on standard output, by this option.
    Text(&'static str),
}

/// The nearest bare pipeline of ffmpeg.
struct Beside {
    /// Its filter.
    name: &'static str,
    pictures: &'static str,
    sound: &'static str,
    /// It is the very filter that the program uses, so the goal holds for it.
    is_same: bool,
}

/// A row.
struct Operation {
    name: &'static str,
    words: &'static [&'static str],
    clip: Clip,
    /// What is measured beside a second that is not.
    seconds: u32,
    result: Made,
    weights: Option<Weights>,
    beside: Option<Beside>,
}

impl Operation {
    /// A clip of a clip with a model.
    const fn with(
        name: &'static str,
        words: &'static [&'static str],
        (clip, seconds): (Clip, u32),
        weights: Weights,
    ) -> Self {
        Self {
            name,
            words,
            clip,
            seconds,
            result: Made::Clip,
            weights: Some(weights),
            beside: None,
        }
    }

    /// A clip of a clip without a model, beside a filter of pictures.
    const fn without(
        name: &'static str,
        words: &'static [&'static str],
        (clip, seconds): (Clip, u32),
        (filter, pictures, is_same): (&'static str, &'static str, bool),
    ) -> Self {
        Self {
            name,
            words,
            clip,
            seconds,
            result: Made::Clip,
            weights: None,
            beside: Some(Beside {
                name: filter,
                pictures,
                sound: "",
                is_same,
            }),
        }
    }

    /// Units that are counted: frames, or seconds of sound.
    fn units(&self) -> f64 {
        match self.clip.is_heard() {
            true => f64::from(self.seconds),
            false => f64::from(self.seconds) * 25.0,
        }
    }
}

const fn model(
    id: &'static str,
    file: &'static str,
    import: &'static [&'static str],
    looks: &'static [(&'static [u32], u32)],
) -> Weights {
    Weights {
        id,
        file,
        import,
        looks,
    }
}

const SELFIE: &str = "matting/selfie_segmentation.onnx";
const MEET: &str = "matting/mediapipe_meet_144x256.onnx";
const ULTRAFACE: &str = "face/ultraface-RFB-320.onnx";
const LETTERS: &str = "ocr/en_PP-OCRv3_det.onnx";
const DEPTH: &str = "depth/tcmonodepth_192x320.onnx";
const STYLE: &[&str] = &["--task", "style"];

/// All rows. How often a finder looks at a frame of 640x360 follows from the rule in
/// `engine/src/nodes/redact`: the whole, and parts of it that overlap, where they show more.
#[rustfmt::skip]
const OPERATIONS: &[Operation] = &[
    Operation::with("upscale", &["upscale"], (Clip::Talk, 2),
        model("loom-x2", "", &[], &[(&[1, 1, 360, 640], 1)])),
    Operation::with("restore, 160x90", &["upscale", "--scale", "1"], (Clip::Small, 1),
        model("span", "denoise-image/1x-span-anime-pretrain-fp16.onnx", &[], &[(&[1, 3, 90, 160], 1)])),
    Operation::with("background", &["background", "--color", "#00ff00"], (Clip::Talk, 8),
        model("selfie", SELFIE, &[], &[(&[1, 256, 256, 3], 1)])),
    Operation::with("background", &["background", "--color", "#00ff00"], (Clip::Talk, 8),
        model("meet", MEET, &[], &[(&[1, 144, 256, 3], 1)])),
    Operation::with("redact faces, one look", &["redact", "--quick"], (Clip::Talk, 8),
        model("ultraface", ULTRAFACE, &[], &[(&[1, 3, 240, 320], 1)])),
    Operation::with("redact faces", &["redact"], (Clip::Talk, 4),
        model("ultraface", ULTRAFACE, &[], &[(&[1, 3, 240, 320], 7)])),
    Operation::with("redact text, one look", &["redact", "--text", "--quick"], (Clip::Talk, 2),
        model("letters", LETTERS, &[], &[(&[1, 3, 384, 640], 1)])),
    Operation::with("redact text", &["redact", "--text"], (Clip::Talk, 1),
        model("letters", LETTERS, &[], &[(&[1, 3, 384, 640], 1)])),
    Operation::with("reframe", &["reframe"], (Clip::Talk, 4),
        model("ultraface", ULTRAFACE, &[], &[(&[1, 3, 240, 320], 7)])),
    Operation::with("light", &["light"], (Clip::Night, 1),
        model("tbefn", "lowlight/tbefn_360x640.onnx", &[], &[(&[1, 3, 360, 640], 1)])),
    Operation::with("light", &["light"], (Clip::Night, 4),
        model("sci", "lowlight/sci_360x640.onnx", &[], &[(&[1, 3, 360, 640], 1)])),
    Operation::with("style, 256x256", &["style", "--size", "256"], (Clip::Square, 1),
        model("candy", "style/candy_nc16_256.onnx", STYLE, &[(&[1, 3, 256, 256], 1)])),
    Operation::with("style, 256x256", &["style", "--size", "256"], (Clip::Square, 2),
        model("mosaic", "style/mosaic_nc8_256.onnx", STYLE, &[(&[1, 3, 256, 256], 1)])),
    Operation::with("depth, distances", &["depth"], (Clip::Talk, 4),
        model("depth", DEPTH, &[], &[(&[1, 3, 192, 320], 1)])),
    Operation::with("depth, blur", &["depth", "--blur"], (Clip::Talk, 4),
        model("depth", DEPTH, &[], &[(&[1, 3, 192, 320], 1)])),
    // 512 samples of 16,000 a second.
    Operation { name: "silence, what is kept", words: &["silence", "--export", "list"], clip: Clip::Speech, seconds: 48,
        result: Made::Text("--output"), beside: None,
        weights: Some(model("silero", "audio/silero_vad.onnx", &[], &[(&[1, 576], 31)])) },
    // 256 of 16,000.
    Operation::with("voice", &["voice"], (Clip::Speech, 24),
        model("gtcrn", "audio/gtcrn_simple.onnx", &[], &[(&[1, 257, 1, 2], 63)])),
    Operation::with("voice of a file of sound", &["voice"], (Clip::Sound, 24),
        model("gtcrn", "audio/gtcrn_simple.onnx", &[], &[(&[1, 257, 1, 2], 63)])),
    Operation::without("denoise", &["do", "clean"], (Clip::Talk, 1),
        ("nlmeans", "nlmeans=s=4", true)),
    Operation::without("deinterlace", &["do", "deinterlace"], (Clip::Fields, 8),
        ("bwdif", "bwdif=mode=send_field", true)),
    Operation::without("interpolate", &["interpolate"], (Clip::Walk, 1),
        ("minterpolate", "minterpolate=fps=50", false)),
    Operation::without("slow motion, twice as long", &["interpolate", "--slow", "2", "--sound", "drop"], (Clip::Walk, 1),
        ("minterpolate", "minterpolate=fps=50,setpts=2*PTS", false)),
    Operation::without("subtitles, burned in", &["subtitles", "--burn", LINES], (Clip::Walk, 8),
        ("subtitles", "subtitles=filename={lines}", true)),
    Operation::without("stabilise", &["stabilise"], (Clip::Walk, 8),
        ("deshake", "deshake", false)),
    Operation::without("reframe by motion", &["reframe", "--motion"], (Clip::Walk, 8),
        ("crop", "crop=202:360", false)),
    Operation::without("light", &["light"], (Clip::Night, 8),
        ("normalize", "normalize=smoothing=10", false)),
    Operation { name: "scenes", words: &["scenes", "--export", "json"], clip: Clip::Walk, seconds: 14,
        result: Made::Text("--to"), weights: None,
        beside: Some(Beside { name: "scdet", pictures: "scdet", sound: "", is_same: false }) },
    Operation { name: "voice", words: &["voice"], clip: Clip::Speech, seconds: 24,
        result: Made::Clip, weights: None,
        beside: Some(Beside { name: "afftdn, loudnorm", pictures: "", sound: "afftdn,loudnorm=I=-16", is_same: false }) },
    Operation { name: "voice of a file of sound", words: &["voice"], clip: Clip::Sound, seconds: 24,
        result: Made::Clip, weights: None,
        beside: Some(Beside { name: "afftdn, loudnorm", pictures: "", sound: "afftdn,loudnorm=I=-16,aresample=16000", is_same: false }) },
];

/// What was measured of a row.
struct Row<'a> {
    operation: &'a Operation,
    /// Units per second of the product, and of what it is held against.
    speed: f64,
    other: f64,
    /// Processor time of bare inference, by that of the product; foreign load hardly moves it.
    inference: Option<f64>,
    /// Processor time of bare decoding, inference and encoding, by that of the product.
    parts: Option<f64>,
    peak_bytes: u64,
}

impl Row<'_> {
    fn ratio(&self) -> f64 {
        self.speed / self.other
    }

    fn has_goal(&self) -> bool {
        self.operation.beside.as_ref().is_none_or(|b| b.is_same)
    }
}

/// Speed and memory of all operations, and how good their results are.
pub fn main(bench: &mut Bench) -> anyhow::Result<()> {
    let Some(data) = test_data(bench) else {
        return Ok(());
    };
    let python = Python::ensure(&bench.place)?;
    let mut rows = Vec::new();
    for operation in OPERATIONS {
        let row = measured(bench, &data, &python, operation)
            .with_context(|| format!("measuring {}", operation.name))?;
        say(&told(&row).to_string());
        rows.push(row);
    }
    let table = table(&rows);
    let details: Vec<Value> = rows.iter().map(told).collect();
    bench.detail("operations", json!(details));
    std::io::stdout().lock().write_all(table.as_bytes())?;
    quality(bench)
}

/// How good results are, on references.
pub fn quality(bench: &mut Bench) -> anyhow::Result<()> {
    let Some(data) = test_data(bench) else {
        return Ok(());
    };
    let python = Python::ensure(&bench.place)?;
    let work = bench.work.join("quality");
    std::fs::create_dir_all(&work)?;
    let mut command = python.script("quality.py");
    command
        .arg("--frameloom")
        .arg(bench.place.program("release", "frameloom"))
        .arg("--data")
        .arg(&data)
        .arg("--work")
        .arg(&work);
    bench.set_up.equip(&mut command);
    let rows: Value = serde_json::from_str(&exec::stdout_of_loud(&mut command)?)?;
    let mut table = String::from(
        "\n| operation | what | on | before | after | goal | |\n|---|---|---|---|---|---|---|\n",
    );
    for row in rows.as_array().into_iter().flatten() {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {} |",
            text("operation"),
            text("what"),
            text("on"),
            text("before"),
            text("after"),
            text("goal"),
            match row["is_met"].as_bool() {
                Some(true) => "met",
                Some(false) => "**missed**",
                None => "",
            }
        )?;
    }
    bench.detail("quality", rows);
    std::io::stdout().lock().write_all(table.as_bytes())?;
    Ok(())
}

fn test_data(bench: &Bench) -> Option<PathBuf> {
    let data = std::env::var_os("FRAMELOOM_TEST_DATA")
        .map_or_else(|| bench.place.root.join("../shared/data"), Into::into);
    if data.join("models").is_dir() {
        return Some(data);
    }
    say("skipped: no test data (models)");
    None
}

/// The verb on a clip, with every choice made, on a data folder of its own.
fn command(
    bench: &Bench,
    operation: &Operation,
    clip: &Path,
    folder: &Path,
) -> anyhow::Result<Command> {
    let mut command = bench.frameloom();
    for word in operation.words {
        match *word {
            LINES => command.arg(lines(bench)?),
            word => command.arg(word),
        };
    }
    command.arg(clip);
    if let Some(weights) = &operation.weights {
        command.args(["--model", weights.id]);
    }
    command.args(["--device", "cpu", "--overwrite"]);
    if !operation.clip.is_heard() {
        // Where only the sound changes, a codec of pictures would keep them from being copied.
        command.args(["--codec", "h264"]);
    }
    match operation.result {
        Made::Clip => command.arg("--output").arg(result_of(operation, folder)),
        Made::Text(option) => command.args([option, "-"]),
    };
    command.arg("--data-dir").arg(folder.join("data"));
    Ok(command)
}

/// Where the result of a row goes.
fn result_of(operation: &Operation, folder: &Path) -> PathBuf {
    folder.join(format!("result.{}", operation.clip.ending()))
}

fn measured<'a>(
    bench: &Bench,
    data: &Path,
    python: &Python,
    operation: &'a Operation,
) -> anyhow::Result<Row<'a>> {
    say(&format!(
        "{} {}",
        operation.words.join(" "),
        operation.weights.as_ref().map_or("", |weights| weights.id)
    ));
    let folder = bench.work.join("operation");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let weights_file = operation
        .weights
        .as_ref()
        .map(|weights| match weights.file {
            "" => bench.model().join(format!("{}.onnx", weights.id)),
            file => data.join("models").join(file),
        });
    if let (Some(weights), Some(file)) = (&operation.weights, &weights_file)
        && !weights.file.is_empty()
    {
        let mut import = bench.frameloom();
        import.args(["models", "import"]).arg(file);
        import.args(["--id", weights.id]).args(weights.import);
        import.arg("--data-dir").arg(folder.join("data"));
        measure::run(&mut import)?;
    }
    let short = operation.clip.make(bench, data, 1)?;
    let long = operation.clip.make(bench, data, 1 + operation.seconds)?;
    let result = result_of(operation, &folder);
    let coding = match operation.result {
        Made::Clip => {
            let dry = exec::stdout_of(
                command(bench, operation, &long, &folder)?.args(["--dry-run", "--json"]),
            )?;
            let plan: Value = serde_json::from_str(&dry)?;
            // Where pictures are copied, nothing encodes them.
            Some(plan[0].clone())
                .filter(|plan| plan["encoder"].is_string() && plan["encoder"] != "copy")
                .filter(|_| operation.clip != Clip::Sound)
        }
        Made::Text(_) => None,
    };
    let encoder = coding.as_ref().map(encoder_of).transpose()?;
    let units = operation.units();
    let (mut own, mut other) = (Pair::default(), Pair::default());
    let mut bare_seconds = f64::INFINITY;
    let mut bare_cpu = f64::INFINITY;
    let (mut decode, mut encode) = (f64::INFINITY, f64::INFINITY);
    let mut peak_bytes = 0;
    for _ in 0..bench.runs {
        let cost = measure::run(&mut command(bench, operation, &long, &folder)?)?;
        own.long(&cost);
        peak_bytes = peak_bytes.max(cost.peak_bytes);
        if let (Some(weights), Some(file)) = (&operation.weights, &weights_file) {
            let rounds = (units as u64).clamp(1, 100);
            let spent = python.bare(file, weights.looks, rounds)?;
            bare_seconds = bare_seconds.min(spent.seconds);
            bare_cpu = bare_cpu.min(spent.cpu_seconds);
            if let (Some(plan), Some(encoder)) = (&coding, &encoder) {
                decode = decode.min(bare::decode(&long)?.cpu_seconds);
                let size = size_of(plan, "output")?;
                let frames = folder.join("frames.yuv");
                bare::unpack(&result, &frames, size.0 * size.1 * 3 / 2)?;
                let scratch = folder.join("scratch.mp4");
                let spent = bare::encode(&frames, size, "25", encoder, &scratch)?;
                encode = encode.min(spent.cpu_seconds);
                std::fs::remove_file(&frames)?;
            }
        } else if let Some(beside) = &operation.beside {
            let scratch = folder.join(format!("scratch.{}", operation.clip.ending()));
            let pictures = (beside.pictures).replace(LINES, &lines(bench)?.to_string_lossy());
            let pipeline =
                |clip: &Path| bare_filter(beside, &pictures, operation, clip, &encoder, &scratch);
            other.long(&measure::run(&mut pipeline(&long)?)?);
            other.short(&measure::run(&mut pipeline(&short)?)?);
        }
        own.short(&measure::run(&mut command(
            bench, operation, &short, &folder,
        )?)?);
    }
    let part = f64::from(operation.seconds) / f64::from(operation.seconds + 1);
    let inference = bare_cpu.is_finite().then(|| bare_cpu * units / own.cpu());
    let parts = (bare_cpu.is_finite() && decode.is_finite() && encode.is_finite())
        .then(|| ((decode + encode) * part + bare_cpu * units) / own.cpu());
    Ok(Row {
        operation,
        speed: units / own.wall(),
        other: match operation.weights {
            Some(_) => 1.0 / bare_seconds,
            None => units / other.wall(),
        },
        inference,
        parts,
        peak_bytes,
    })
}

/// The least of the runs on a long and on a short clip: wall time and processor time, in seconds.
struct Pair {
    long: (f64, f64),
    short: (f64, f64),
}

impl Default for Pair {
    fn default() -> Self {
        let none = (f64::INFINITY, f64::INFINITY);
        Self {
            long: none,
            short: none,
        }
    }
}

impl Pair {
    fn least(best: &mut (f64, f64), cost: &Cost) {
        best.0 = best.0.min(cost.wall.as_secs_f64());
        best.1 = best.1.min(cost.cpu_seconds);
    }

    fn long(&mut self, cost: &Cost) {
        Self::least(&mut self.long, cost);
    }

    fn short(&mut self, cost: &Cost) {
        Self::least(&mut self.short, cost);
    }

    fn wall(&self) -> f64 {
        (self.long.0 - self.short.0).max(1e-3)
    }

    fn cpu(&self) -> f64 {
        (self.long.1 - self.short.1).max(1e-3)
    }
}

/// ffmpeg with the filter and the product's settings of the encoder.
fn bare_filter(
    beside: &Beside,
    pictures: &str,
    operation: &Operation,
    clip: &Path,
    encoder: &Option<(String, Value)>,
    scratch: &Path,
) -> anyhow::Result<Command> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y", "-i"]);
    command.arg(clip);
    if let Made::Text(_) = operation.result {
        command.args(["-an", "-vf", pictures, "-f", "null", "-"]);
        return Ok(command);
    }
    command.args(["-map", "0", "-c", "copy"]);
    if !beside.sound.is_empty() {
        let codec = match operation.clip {
            Clip::Sound => "pcm_s16le",
            _ => "aac",
        };
        command.args(["-c:a", codec, "-af", beside.sound]);
    }
    if !pictures.is_empty() {
        let Some((name, settings)) = encoder else {
            bail!("nothing encodes the pictures of {}", operation.name);
        };
        command.args(["-vf", pictures, "-c:v", name]);
        for (name, value) in settings.as_object().into_iter().flatten() {
            let value = value.as_str().context("a setting is no text")?;
            command.args([&format!("-{name}"), value]);
        }
    }
    command.arg(scratch);
    Ok(command)
}

fn told(row: &Row<'_>) -> Value {
    json!({
        "operation": row.operation.name,
        "model": row.operation.weights.as_ref().map(|weights| weights.id),
        "beside": row.operation.beside.as_ref().map(|beside| beside.name),
        "per_second": row.speed,
        "other_per_second": row.other,
        "ratio": row.ratio(),
        "inference": row.inference,
        "parts": row.parts,
        "peak_mib": row.peak_bytes >> 20,
    })
}

/// The rows as Markdown.
fn table(rows: &[Row<'_>]) -> String {
    let mut text = String::new();
    let speed = |row: &Row<'_>, value: f64| match row.operation.clip.is_heard() {
        true => format!("{value:.0} s"),
        false => format!("{value:.1}"),
    };
    let verdict = |row: &Row<'_>| match (row.has_goal(), row.ratio() >= GOAL) {
        (false, _) => "",
        (true, true) => "met",
        (true, false) => "**missed**",
    };
    text.push_str(
        "\n| operation | model, looks a frame | a second | bare inference | part of it | | of processor time: inference | with coding | MiB |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let Some(weights) = &row.operation.weights else {
            continue;
        };
        let looks: u32 = weights.looks.iter().map(|(_, times)| times).sum();
        let part = |part: Option<f64>| part.map_or("-".to_owned(), |p| format!("{p:.2}"));
        // Writing to a text does not fail.
        let _ = writeln!(
            text,
            "| {} | {}, {looks} | {} | {} | {:.2} | {} | {} | {} | {} |",
            row.operation.name,
            weights.id,
            speed(row, row.speed),
            speed(row, row.other),
            row.ratio(),
            verdict(row),
            part(row.inference),
            part(row.parts),
            row.peak_bytes >> 20,
        );
    }
    text.push_str(
        "\n| operation without a model | beside, in ffmpeg | a second | ffmpeg | part of it | | MiB |\n|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let Some(beside) = &row.operation.beside else {
            continue;
        };
        let note = match beside.is_same {
            true => "the same filter",
            false => "another method",
        };
        let _ = writeln!(
            text,
            "| {} | {} ({note}) | {} | {} | {:.2} | {} | {} |",
            row.operation.name,
            beside.name,
            speed(row, row.speed),
            speed(row, row.other),
            row.ratio(),
            verdict(row),
            row.peak_bytes >> 20,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_starting_costs_is_in_no_figure() {
        let cost = |wall: f64, cpu_seconds: f64| Cost {
            wall: std::time::Duration::from_secs_f64(wall),
            peak_bytes: 0,
            cpu_seconds,
            stdout: String::new(),
            stderr: String::new(),
        };
        let mut pair = Pair::default();
        // The second run was disturbed.
        for (long, short) in [(5.0, 1.5), (7.5, 2.0)] {
            pair.long(&cost(long, 2.0 * long));
            pair.short(&cost(short, 2.0 * short));
        }
        assert!((pair.wall() - 3.5).abs() < 1e-9 && (pair.cpu() - 7.0).abs() < 1e-9);
    }

    #[test]
    fn a_row_says_whether_its_goal_is_met_and_another_method_has_none() {
        let row = |operation, speed| Row {
            operation,
            speed,
            other: 100.0,
            inference: None,
            parts: None,
            peak_bytes: 3 << 20,
        };
        let of = |name: &str| OPERATIONS.iter().find(|o| o.name == name).unwrap();
        let all = [
            row(of("upscale"), 89.0),
            row(of("denoise"), 90.0),
            row(of("stabilise"), 10.0),
        ];
        let text = table(&all);
        let line = |name: &str| {
            let start = format!("| {name} |");
            text.lines().find(|line| line.starts_with(&start)).unwrap()
        };
        assert!(line("upscale").contains("0.89 | **missed** |"), "{text}");
        assert!(line("denoise").contains("0.90 | met |"), "{text}");
        assert!(line("stabilise").contains("0.10 |  |"), "{text}");
    }
}
