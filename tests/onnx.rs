//! The node `onnx`: files of strangers on real pictures and clips, through the real command line.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::graphs::{chain, run_of};
use e2e::*;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

fn run(cli: &Cli, ops: &[(&str, Value)], input: &Path, output: &Path, more: &[&str]) -> Ran {
    let more = [&["--json"], more].concat();
    cli.run(run_of(&graph(cli, ops), input, output, &more))
}

/// A chain of nodes.
fn graph(cli: &Cli, ops: &[(&str, Value)]) -> PathBuf {
    chain(cli, "graph.json", ops)
}

/// The model in the checkout, as a stranger's file.
fn loom(cli: &Cli) -> PathBuf {
    let copy = cli.folder().join("stranger.onnx");
    fs::copy(root().join("models/loom-x2/loom-x2.onnx"), &copy).unwrap();
    copy
}

/// A small picture in colours.
fn picture(cli: &Cli, width: u32, height: u32) -> PathBuf {
    let path = cli.folder().join(format!("{width}x{height}.png"));
    let all = image::open(root().join("assets/specimen.jpg")).unwrap();
    all.crop_imm(0, 0, width, height).save(&path).unwrap();
    path
}

const LOSSLESS: &[&str] = &[
    "--codec",
    "ffv1",
    "--quality",
    "lossless",
    "--device",
    "cpu",
];

#[test]
fn a_file_does_what_the_same_model_does_when_it_is_installed() {
    let cli = Cli::new();
    let file = loom(&cli);
    let inspected = cli.run(["models", "inspect", &text(&file), "--json"]);
    let found = inspected.expect_code(0).json();
    assert_eq!(found["manifest"]["scale"], 2);
    assert_eq!(found["manifest"]["output"]["packing"], "subpixel");
    let source = picture(&cli, 200, 150);
    let by_file = cli.folder().join("file.png");
    // The file does not say that its black is 16/255.
    let params = json!({"path": text(&file), "range": "studio_255"});
    let job = run(&cli, &[("onnx", params)], &source, &by_file, &[]);
    let job = job.expect_code(0).json();
    let by_id = cli.folder().join("id.png");
    run(
        &cli,
        &[("upscale", json!({"model": "loom-x2"}))],
        &source,
        &by_id,
        &[],
    )
    .expect_code(0);
    let (a, b) = (image::open(&by_file).unwrap(), image::open(&by_id).unwrap());
    assert_eq!((a.width(), a.height()), (400, 300));
    let different = a
        .to_rgb8()
        .as_raw()
        .iter()
        .zip(b.to_rgb8().as_raw())
        .filter(|(a, b)| a.abs_diff(**b) > 1)
        .count();
    assert_eq!(different, 0, "samples that differ by more than rounding");
    let id = job["id"].as_str().unwrap();
    let receipt = cli.run(["jobs", "show", id, "--receipt", "--json"]).json();
    assert_eq!(receipt["models"][0]["sha256"], found["manifest"]["sha256"]);
}

#[test]
fn a_file_works_on_a_clip_and_a_changed_one_is_refused_on_resume() {
    let cli = Cli::new();
    let file = loom(&cli);
    let params = json!({"path": text(&file)});
    let output = cli.folder().join("out.mkv");
    let graph = text(&graph(&cli, &[("onnx", params)]));
    let (input, out) = (text(&demo_clip()), text(&output));
    let all = ["run", &graph, "--in", &input, "--out", &out];
    let mut child = cli.start(all.iter().chain(LOSSLESS));
    while cli.parts() == 0 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    while cli.jobs()[0]["state"] != "interrupted" {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let id = cli.jobs()[0]["id"].as_str().unwrap().to_owned();
    let honest = fs::read(&file).unwrap();
    let mut changed = honest.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&file, &changed).unwrap();
    let refused = cli.run(["jobs", "resume", &id]).expect_code(3);
    assert!(refused.stderr.contains("stranger.onnx"), "{refused:?}");
    fs::write(&file, &honest).unwrap();
    cli.run(["jobs", "resume", &id]).expect_code(0);
    assert_eq!(
        frames(&output).unwrap().len(),
        frames(&demo_clip()).unwrap().len()
    );
}

#[test]
fn what_makes_no_picture_is_refused_before_anything_is_stored() {
    let cli = Cli::new();
    let source = picture(&cli, 64, 64);
    let output = cli.folder().join("out.png");
    let noise = cli.folder().join("noise.onnx");
    let bytes: Vec<u8> = (0..50_000u32)
        .map(|i| (i.wrapping_mul(i) >> 5) as u8)
        .collect();
    fs::write(&noise, bytes).unwrap();
    let mut cases = vec![
        (text(&noise), "no ONNX file, or damaged".to_owned()),
        ("stranger.onnx".to_owned(), "absolute".to_owned()),
    ];
    for (file, reason) in [
        (
            "models/matting/selfie_segmentation.onnx",
            "the node `background`",
        ),
        ("models/audio/silero_vad.onnx", "works on sound"),
        ("models/detect/yolox_nano.onnx", "rather a list"),
        ("models/style/candy_nc16_256.onnx", "put a `resize`"),
    ] {
        match test_data(file) {
            Some(path) => cases.push((text(&path), reason.to_owned())),
            None => println!("skipped: {file}"),
        }
    }
    for (path, reason) in cases {
        let params = json!({ "path": path });
        let ran = run(&cli, &[("onnx", params)], &source, &output, &[]);
        assert_ne!(ran.code, Some(0), "{path}");
        assert!(ran.stdout.contains(&reason), "{path}: {ran:?}");
    }
    assert!(cli.jobs().is_empty());
    assert!(!output.exists());
}

/// Every usable kind of file on a real picture; what comes out is looked at by eye in `KEEP`.
#[test]
fn files_of_every_kind_make_pictures_of_a_picture() {
    let cli = Cli::new();
    let source = picture(&cli, 300, 220);
    let square = json!({"width": 256, "height": 256});
    #[expect(clippy::type_complexity, reason = "a table")]
    let cases: [(&str, Vec<(&str, Value)>, (u32, u32)); 5] = [
        ("sr/2xNomosUni_compact_otf_medium", vec![], (600, 440)),
        ("sr/espcn-x3_y224", vec![], (900, 660)),
        (
            "denoise-image/1x-span-anime-pretrain-fp16",
            vec![],
            (300, 220),
        ),
        ("lowlight/sci_360x640", vec![], (300, 220)),
        ("style/candy_nc16_256", vec![("resize", square)], (256, 256)),
    ];
    for (name, mut ops, size) in cases {
        let Some(file) = test_data(&format!("models/{name}.onnx")) else {
            println!("skipped: {name}");
            continue;
        };
        ops.push(("onnx", json!({"path": text(&file)})));
        let output = cli.folder().join(format!("{}.png", name.replace('/', "-")));
        run(&cli, &ops, &source, &output, &[]).expect_code(0);
        let result = image::open(&output).unwrap().to_rgb8();
        assert_eq!(result.dimensions(), size, "{name}");
        let darkest = result.as_raw().iter().min().unwrap();
        let brightest = result.as_raw().iter().max().unwrap();
        assert!(brightest - darkest > 100, "{name} is flat");
        if let Some(keep) = std::env::var_os("FRAMELOOM_KEEP") {
            let target = Path::new(&keep).join(output.file_name().unwrap());
            fs::copy(&output, target).unwrap();
        }
    }
}
