//! Receipts: what a finished job says of itself, and how a changed result is found out.

use e2e::graphs::{run_with, wired};
use e2e::models::install;
use e2e::*;
use serde_json::{Value, json};
use std::fs;

fn finding<'a>(verification: &'a Value, what: &str) -> &'a Value {
    verification["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .find(|finding| finding["what"] == what)
        .unwrap_or_else(|| panic!("nothing is said of {what}: {verification}"))
}

#[test]
fn a_result_verifies_itself_and_a_changed_one_is_found_out() {
    let cli = Cli::new();
    let folder = cli.folder();
    let source = folder.join("source.mp4");
    fs::copy(demo_clip(), &source).unwrap();
    let output = folder.join("larger.mkv");
    let job = cli
        .run([
            "upscale".as_ref(),
            source.as_os_str(),
            "-o".as_ref(),
            output.as_os_str(),
            "--quality".as_ref(),
            "draft".as_ref(),
            "--json".as_ref(),
        ])
        .expect_code(0)
        .json();
    let id = job["id"].as_str().unwrap();

    let receipt = cli
        .run(["jobs", "show", id, "--receipt"])
        .expect_code(0)
        .json();
    assert_eq!(receipt["input"]["name"], "source.mp4");
    assert_eq!(receipt["output"]["name"], "larger.mkv");
    assert_eq!(
        receipt["output"]["size_bytes"],
        output.metadata().unwrap().len()
    );
    assert!(
        !receipt.to_string().contains(folder.to_str().unwrap()),
        "a receipt may be given away and must not tell where things lie: {receipt}"
    );
    let frames = frames(&source).unwrap().len() as u64;
    assert_eq!(receipt["checks"]["frames"], frames);
    assert_eq!(receipt["checks"]["pictures"]["compared"], frames);
    assert!(receipt["models"][0]["sha256"].as_str().unwrap().len() == 64);

    let verify = |arguments: &[&str], code: i32| {
        let words = ["verify", "--json"].iter().chain(arguments);
        cli.run(words).expect_code(code).json()
    };
    let path = output.to_str().unwrap();
    let genuine = verify(&[path], 0);
    assert_eq!(genuine["genuine"], true);
    let segments = receipt["plan"]["segments"].as_array().unwrap();
    assert!(segments.len() > 1, "{receipt}");
    let sum = |key: &str| {
        segments
            .iter()
            .map(|s| s[key].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!(sum("frames"), frames);
    assert_eq!(segments[1]["first"], segments[0]["frames"]);
    assert!(segments[1]["start_micros"].as_i64() > segments[0]["start_micros"].as_i64());
    for what in ["output", "frames", "times", "streams", "segments", "input"] {
        assert_eq!(finding(&genuine, what)["verdict"], "same", "{what}");
    }

    // Moved and renamed it is still that result; a source that changed since is told.
    let moved = folder.join("renamed.mkv");
    fs::rename(&output, &moved).unwrap();
    fs::write(&source, "another file").unwrap();
    let elsewhere = verify(&[moved.to_str().unwrap()], 0);
    assert_eq!(finding(&elsewhere, "input")["verdict"], "differs");

    // One byte less, and a receipt that came by another way.
    let kept = folder.join("receipt.json");
    fs::write(&kept, receipt.to_string()).unwrap();
    let mut bytes = fs::read(&moved).unwrap();
    bytes.pop();
    fs::write(&output, &bytes).unwrap();
    let cut = verify(&[path, "--receipt", kept.to_str().unwrap()], 4);
    assert_eq!(cut["genuine"], false);
    assert_eq!(finding(&cut, "output")["verdict"], "differs");
    assert_eq!(verify(&[path], 4)["genuine"], false);

    // A few bytes in the middle of the last segment: it is told where, also by an old receipt that
    // names no segments that something differs.
    let mut bytes = fs::read(&moved).unwrap();
    let at = bytes.len() * 19 / 20;
    bytes[at..at + 8].fill(0x55);
    fs::write(&output, &bytes).unwrap();
    let hurt = verify(&[path, "--receipt", kept.to_str().unwrap()], 4);
    let says = finding(&hurt, "segments")["says"].as_str().unwrap();
    let last = format!(
        "1 of {0} segments hold other frames: segment {0} (",
        segments.len()
    );
    assert!(says.starts_with(&last), "{says}");
    let mut old = receipt.clone();
    old.as_object_mut().unwrap().remove("plan");
    fs::write(&kept, old.to_string()).unwrap();
    let by_old = verify(&[path, "--receipt", kept.to_str().unwrap()], 4);
    let has_segments = |v: &Value| v["findings"].to_string().contains("segments");
    assert!(
        !has_segments(&by_old) && by_old["genuine"] == false,
        "{by_old}"
    );

    // A file that nobody made here.
    let stranger = cli.run(["verify".as_ref(), demo_clip().as_os_str()]);
    assert_eq!(stranger.code, Some(2), "{stranger:?}");
    assert!(stranger.stderr.contains("--receipt"), "{stranger:?}");
}

#[test]
fn every_file_that_took_part_is_held_against_the_receipt() {
    let cli = Cli::new();
    let folder = cli.folder();
    let (mark, look) = (folder.join("mark.png"), folder.join("look.cube"));
    let (lines, model) = (folder.join("lines.srt"), folder.join("same.onnx"));
    write_png(&mark, 32, 32, pattern).expect("the picture can be written");
    let cube = "LUT_3D_SIZE 2\n0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n";
    fs::write(&look, cube).expect("the table can be written");
    let text = "1\n00:00:00,000 --> 00:00:01,000\nHello\n";
    fs::write(&lines, text).expect("the subtitles can be written");
    fs::write(&model, onnx::pictures("Identity", 3)).expect("the model can be written");
    let source = folder.join("source.png");
    write_png(&source, 320, 200, pattern).expect("the picture can be written");
    let nodes = [
        ("in", "source", json!({})),
        ("mark", "source", json!({"name": "mark"})),
        ("table", "color", json!({"lut": look})),
        ("words", "text", json!({"file": lines})),
        ("over", "overlay", json!({})),
        ("net", "onnx", json!({"path": model})),
        ("out", "sink", json!({})),
    ];
    let wires = [
        "in table",
        "table words",
        "words over",
        "mark over.over",
        "over net",
        "net out",
    ];
    let graph = wired(&cli, "graph.json", &nodes, &wires);
    let output = folder.join("out.png");
    let inputs = [("", source.as_path()), ("mark", mark.as_path())];
    cli.run(run_with(&graph, &inputs, &output, &[]))
        .expect_code(0);
    let verify = || {
        let words = ["verify".as_ref(), output.as_os_str(), "--json".as_ref()];
        cli.run(words).expect_code(0).json()
    };
    let others = [
        ("input mark.png", &mark),
        ("file look.cube", &look),
        ("file lines.srt", &lines),
        ("file same.onnx", &model),
    ];
    let genuine = verify();
    for (what, _) in others {
        assert_eq!(finding(&genuine, what)["verdict"], "same", "{what}");
    }
    for (what, path) in others {
        let kept = fs::read(path).expect("it is there");
        fs::write(path, "another file").expect("it can be written");
        let found = verify();
        assert_eq!(finding(&found, what)["verdict"], "differs", "{what}");
        assert_eq!(found["genuine"], true, "the result is still what was made");
        fs::remove_file(path).expect("it can be removed");
        assert_eq!(finding(&verify(), what)["verdict"], "absent", "{what}");
        fs::write(path, kept).expect("it can be put back");
    }
    let all = genuine["findings"].as_array().expect("findings");
    let absent: Vec<_> = all.iter().filter(|f| f["verdict"] == "absent").collect();
    assert!(absent.is_empty(), "everything is here: {absent:?}");
}

#[test]
fn a_model_that_spoils_pictures_fails_its_job_after_more_careful_tries() {
    let cli = Cli::new();
    let models = cli.folder().join("models");
    install(&models, "harmless", &onnx::pictures("Identity", 3), 256);
    // cos(x) turns the dark bright: what a broken driver might as well give.
    install(&models, "harmful", &onnx::pictures("Cos", 3), 256);
    let run = |id: &str, output: &std::path::Path| {
        let mut command = cli.command([
            "upscale".as_ref(),
            demo_clip().as_os_str(),
            "-o".as_ref(),
            output.as_os_str(),
            "--quality".as_ref(),
            "draft".as_ref(),
            "--model".as_ref(),
            id.as_ref(),
        ]);
        let output = command
            .env("FRAMELOOM_MODELS_DIR", &models)
            .output()
            .expect("the command starts");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let good = cli.folder().join("good.mp4");
    assert_eq!(run("harmless", &good).0, Some(0));
    assert!(good.exists());

    let bad = cli.folder().join("bad.mp4");
    let (code, said) = run("harmful", &bad);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("its source"), "{said}");
    assert!(!bad.exists(), "garbage must not pass as a result");
    let jobs = cli.jobs();
    let job = &jobs[1];
    assert_eq!(job["state"], "failed");
    assert_eq!(job["error"]["code"], "verification_failed");
    let steps: Vec<&str> = job["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|warning| warning["to"].as_str())
        .collect();
    // It was computed on the processor from the beginning.
    assert_eq!(steps, ["small_tiles"]);
    assert_eq!(
        walk(&cli.data().join("jobs"))
            .iter()
            .filter(|file| file.ends_with(".part"))
            .count(),
        0
    );
}
