//! Where and how a job computes, through the real command line: providers by name and by
//! measurement, precision, determinism, limits.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::graphs::{chain, run_of};
use e2e::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

fn hash(path: &Path) -> String {
    let digest = Sha256::digest(fs::read(path).unwrap());
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

/// A graph that enlarges the first second of a clip.
fn one_second(cli: &Cli) -> PathBuf {
    let ops = [
        ("trim", json!({"end": {"num": 1, "den": 1}})),
        ("upscale", json!({"model": "loom-x2"})),
    ];
    chain(cli, "second.json", &ops)
}

fn run(cli: &Cli, output: &Path, more: &[&str]) -> Ran {
    let more = [&["--json"], more].concat();
    cli.run(run_of(&one_second(cli), &demo_clip(), output, &more))
}

/// What `models measure` says of a precision.
fn measured<'a>(report: &'a Value, precision: &str) -> &'a Value {
    report
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["precision"] == precision)
        .unwrap()
}

#[test]
fn a_deterministic_job_gives_the_same_bytes_with_any_number_of_threads() {
    let cli = Cli::new();
    for codec in ["h264", "hevc"] {
        let hashes: Vec<String> = ["1", "2", "2"]
            .iter()
            .enumerate()
            .map(|(i, threads)| {
                let output = cli.folder().join(format!("{codec}-{i}.mkv"));
                let more = ["--deterministic", "--threads", threads, "--codec", codec];
                let job = run(&cli, &output, &more).expect_code(0).json();
                assert_eq!(job["provider"]["provider"], "CPUExecutionProvider");
                assert_eq!(job["provider"]["arithmetic"], "f32");
                hash(&output)
            })
            .collect();
        assert_eq!(hashes[0], hashes[1], "{codec} by one thread and by two");
        assert_eq!(hashes[1], hashes[2], "{codec} twice");
    }
}

#[test]
fn what_cannot_be_had_is_refused_by_name_before_it_starts() {
    let cli = Cli::new();
    let output = cli.folder().join("out.mkv");
    let refused = run(&cli, &output, &["--deterministic", "--device", "cuda"]).expect_code(2);
    assert!(refused.stdout.contains("same bits"), "{refused:?}");
    assert!(refused.stdout.contains("--device cpu"), "{refused:?}");
    let device = if cfg!(target_os = "macos") {
        "directml"
    } else {
        "coreml"
    };
    let refused = run(&cli, &output, &["--device", device]).expect_code(2);
    assert!(refused.stdout.contains("cannot be used"), "{refused:?}");
    assert!(!output.exists());
    assert!(cli.jobs().is_empty());
}

#[test]
fn a_precision_is_measured_used_or_openly_not_used_and_stands_in_the_receipt() {
    let cli = Cli::new();
    let report = cli.run(["models", "measure", "loom-x2", "--json"]);
    let report = report.expect_code(0).json()["choices"].clone();
    assert_eq!(
        measured(&report, "exact")["decision"]["choice"]["arithmetic"],
        "f32"
    );
    let wanted = &measured(&report, "balanced")["decision"];
    let output = cli.folder().join("balanced.mkv");
    let lossless = ["--codec", "ffv1", "--quality", "lossless"];
    let more = [&["--precision", "balanced"][..], &lossless].concat();
    let job = run(&cli, &output, &more).expect_code(0).json();
    // Remembered, not measured again.
    assert_eq!(job["provider"]["device"], wanted["choice"]["device"]);
    assert_eq!(
        job["provider"]["arithmetic"],
        wanted["choice"]["arithmetic"]
    );
    assert_eq!(job["provider"]["reason"], wanted["choice"]["reason"]);
    let id = job["id"].as_str().unwrap();
    let receipt = cli.run(["jobs", "show", id, "--receipt", "--json"]).json();
    assert_eq!(receipt["precision"], "balanced");
    assert_eq!(receipt["provider"], job["provider"]);
    let exact = cli.folder().join("exact.mkv");
    run(&cli, &exact, &lossless).expect_code(0);
    if wanted["choice"]["arithmetic"] == "f32" {
        println!("skipped in part: nothing is faster than exact here: {wanted}");
        let warnings = job["warnings"].as_array().unwrap();
        assert!(
            warnings.iter().any(|w| w["kind"] == "precision_unused"),
            "{warnings:?}"
        );
        assert_eq!(frames(&output).unwrap(), frames(&exact).unwrap());
        return;
    }
    // Rounding to 8 bits alone costs what 59 dB allow.
    let db = luma_psnr(&output, &exact).unwrap();
    println!("balanced is {db:.1} dB from exact");
    assert!((50.0..99.0).contains(&db), "{db}");
    let doctor = cli.run(["doctor", "--json"]).expect_code(0).json();
    let choices = doctor["choices"].as_array().unwrap();
    assert!(
        choices
            .iter()
            .any(|c| c["model"] == "loom-x2" && c["precision"] == "balanced"),
        "{choices:?}"
    );
}

#[test]
fn a_resumed_job_goes_on_with_the_provider_that_it_began_with() {
    let whole = Cli::new();
    let clip = text(&demo_clip());
    let upscale = |output: &Path| -> Vec<String> {
        let all = ["upscale", &clip, "--precision", "balanced", "--json", "-o"];
        let mut all: Vec<String> = all.iter().map(|a| (*a).to_owned()).collect();
        all.push(text(output));
        all
    };
    let expected = whole.folder().join("out.mp4");
    let job = whole.run(upscale(&expected)).expect_code(0).json();

    // The same data folder: what is fastest here was measured once and is remembered.
    let cut = whole;
    let output = cut.folder().join("cut.mp4");
    let mut child = cut.start(upscale(&output));
    while cut.parts() == 0 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let id = cut.jobs().last().unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    // Other limits change nothing of what it makes.
    let resumed = loop {
        let ran = cut.run(["jobs", "resume", &id, "--json", "--threads", "1"]);
        // The killed command's worker needs a moment to notice.
        if ran.code != Some(2) {
            break ran.expect_code(0).json();
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    for key in ["device", "arithmetic"] {
        assert_eq!(resumed["provider"][key], job["provider"][key]);
    }
    assert_eq!(hash(&output), hash(&expected));
}

#[cfg(target_os = "linux")]
#[test]
fn a_limited_job_is_bound_to_its_cores_and_stands_behind_other_programs() {
    let cli = Cli::new();
    let output = cli.folder().join("out.mkv");
    let clip = text(&demo_clip());
    let limits = ["--threads", "1", "--priority", "low"];
    let mut child = cli.start(
        ["upscale", &clip, "-o", &text(&output)]
            .iter()
            .chain(&limits),
    );
    let field = |status: &str, name: &str| -> Option<String> {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split(':').nth(1).map(|value| value.trim().to_owned())
    };
    let mut seen = None;
    for _ in 0..200 {
        let worker = fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
            let status = fs::read_to_string(entry.path().join("status")).ok()?;
            (field(&status, "PPid")? == child.id().to_string()).then_some((entry.path(), status))
        });
        if let Some((path, status)) = worker {
            let cores = field(&status, "Cpus_allowed_list").unwrap();
            let stat = fs::read_to_string(path.join("stat")).unwrap();
            // Behind the name in brackets: the state is field 3, the nice value field 19.
            let nice = stat.rsplit(')').next().unwrap().split_whitespace().nth(16);
            seen = Some((cores, nice.unwrap().to_owned()));
            // The one is set after the other.
            if seen
                .as_ref()
                .is_some_and(|(cores, nice)| nice == "10" && !cores.contains([',', '-']))
            {
                break;
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let (cores, nice) = seen.unwrap();
    assert!(!cores.contains([',', '-']), "more than one core: {cores}");
    assert_eq!(nice, "10");
}

#[test]
#[cfg(target_os = "linux")]
fn a_job_that_gets_too_little_memory_says_so_in_plain_words_and_never_hangs() {
    // Where it runs out depends on the machine: while libraries are loaded, a thread is started, a
    // model is opened or run, an encoder is tried. None of these may hang or be blamed on anything
    // else.
    for kilobytes in (360_000..=760_000).step_by(50_000) {
        let cli = Cli::new();
        let output = cli.folder().join("out.mp4");
        let command = cli.command([
            "upscale".as_ref(),
            demo_clip().as_os_str(),
            "-o".as_ref(),
            output.as_os_str(),
            "--quality".as_ref(),
            "draft".as_ref(),
            "--device".as_ref(),
            "cpu".as_ref(),
        ]);
        let mut limited = std::process::Command::new("sh");
        limited
            .args(["-c", &format!("ulimit -v {kilobytes}; exec \"$0\" \"$@\"")])
            .arg(command.get_program())
            .args(command.get_args())
            .env("FRAMELOOM_DATA_DIR", cli.data())
            // One that hangs is given up, which is then said.
            .env("FRAMELOOM_STALL_SECONDS", "30")
            .stdin(std::process::Stdio::null());
        let ran = limited.output().expect("sh can be started");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(
            ran.status.success() || said.to_lowercase().contains("memory"),
            "{kilobytes}: {said}"
        );
        assert!(!said.contains("got no further"), "{kilobytes}: {said}");
    }
}

#[test]
fn a_model_is_measured_in_a_process_of_its_own_and_that_is_remembered_for_these_weights() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        frameloom_app::App::open(frameloom_app::Places {
            data: folder.path().to_owned(),
            worker: program("frameloom", "frameloom-cli"),
            extra_models: Vec::new(),
        })
        .unwrap()
    };
    let app = open();
    assert!(app.model_speeds().is_empty());
    let speed = app.measure_speed_apart("loom-x2").unwrap();
    assert!(speed.fps > 0.1 && speed.fps.is_finite(), "{speed:?}");
    assert_eq!(speed.size, Some((640, 360)));
    // Weights, planes and what it holds between its layers.
    let taken = speed.memory_bytes.unwrap();
    assert!((1 << 20..1 << 31).contains(&taken), "{taken}");
    assert_eq!(speed.provider, "CPUExecutionProvider");
    drop(app);
    let app = open();
    assert_eq!(app.model_speeds().get("loom-x2"), Some(&speed));
    let refused = app.measure_speed_apart("no-such-model").unwrap_err();
    assert_eq!(
        refused.code,
        frameloom_core::error::ErrorCode::ModelNotFound
    );
    // Other weights are another model: what was measured does not hold for them.
    let manifest = folder.path().join("models/loom-x2/manifest.json");
    let changed = fs::read_to_string(&manifest)
        .unwrap()
        .replace("06315eded2", "0000000000");
    fs::write(&manifest, changed).unwrap();
    assert!(app.model_speeds().is_empty());
}

#[test]
fn a_plan_says_how_long_it_takes_once_the_model_was_measured_or_used() {
    let cli = Cli::new();
    let output = cli.folder().join("out.mkv");
    let about = || {
        let plan = run(&cli, &output, &["--dry-run"]).expect_code(0).json();
        plan["about_micros"].as_u64()
    };
    assert_eq!(about(), None);
    cli.run(["models", "measure", "loom-x2"]).expect_code(0);
    assert!(about().unwrap() > 0);
    // How long a job took tells more.
    let job = run(&cli, &output, &[]).expect_code(0).json();
    assert_eq!(about(), job["elapsed_micros"].as_u64());
}
