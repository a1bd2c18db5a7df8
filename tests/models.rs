//! Models of the user: an ONNX file gets a name, and is then used like those of the program.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::*;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A model of the checkout, as a stranger's file.
fn stranger(cli: &Cli, id: &str) -> PathBuf {
    let copy = cli.folder().join(format!("{id}-of-a-stranger.onnx"));
    fs::copy(root().join(format!("models/{id}/{id}.onnx")), &copy).unwrap();
    copy
}

fn picture(cli: &Cli) -> PathBuf {
    let path = cli.folder().join("picture.png");
    let all = image::open(root().join("assets/specimen.jpg")).unwrap();
    all.crop_imm(40, 30, 160, 120).save(&path).unwrap();
    path
}

/// Folders of models, those that are not complete too, but for that of their weights.
fn folders(cli: &Cli) -> Vec<String> {
    let entries = fs::read_dir(cli.data().join("models")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| name != ".weights");
    names.sort();
    names
}

fn listed(cli: &Cli) -> Vec<String> {
    let models = cli.run(["models", "list", "--json"]).expect_code(0).json();
    let models = models.as_array().unwrap();
    models
        .iter()
        .map(|model| model["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_file_gets_a_name_and_enlarges_like_the_model_that_it_is() {
    let cli = Cli::new();
    let (file, source) = (stranger(&cli, "loom-x2"), picture(&cli));
    let imported = cli.run([
        "models",
        "import",
        &text(&file),
        "--id",
        "mine",
        "--name",
        "Của tôi",
        "--licence",
        "CC0-1.0",
        "--range",
        "studio_255",
        "--faithful",
        "--json",
    ]);
    let imported = imported.expect_code(0).json();
    let manifest = &imported["model"]["manifest"];
    assert_eq!(manifest["name"], "Của tôi");
    assert_eq!(manifest["restyles"], false);
    assert_eq!(imported["model"]["state"], "ready");
    assert!(!imported["findings"].as_array().unwrap().is_empty());
    // It does not need the file any more.
    fs::remove_file(&file).unwrap();
    assert!(listed(&cli).contains(&"mine".to_owned()));
    let card = cli.run(["models", "show", "mine"]).expect_code(0);
    assert!(card.stdout.contains("loom-x2-of-a-stranger.onnx"));

    let enlarge = |model: &str| -> (image::DynamicImage, Value) {
        let output = cli.folder().join(format!("{model}.png"));
        let job = cli.run([
            "upscale",
            &text(&source),
            "-o",
            &text(&output),
            "--model",
            model,
            "--device",
            "cpu",
            "--json",
        ]);
        let job = job.expect_code(0).json();
        let id = job["id"].as_str().unwrap().to_owned();
        let receipt = cli.run(["jobs", "show", &id, "--receipt", "--json"]);
        (image::open(&output).unwrap(), receipt.expect_code(0).json())
    };
    let (mine, receipt) = enlarge("mine");
    let (ours, _) = enlarge("loom-x2");
    assert_eq!((mine.width(), mine.height()), (320, 240));
    let differing = mine
        .to_rgb8()
        .iter()
        .zip(ours.to_rgb8().iter())
        .filter(|(a, b)| a.abs_diff(**b) > 1)
        .count();
    assert_eq!(differing, 0, "the same weights make the same picture");
    let models = receipt["models"].to_string();
    assert!(models.contains("\"mine\""), "{models}");
    let verified = cli.run(["models", "verify", "--json"]).expect_code(0);
    assert!(verified.stdout.contains("\"mine\""));
}

#[test]
fn no_model_loses_its_name_to_another() {
    let cli = Cli::new();
    let (file, other) = (stranger(&cli, "loom-x2"), stranger(&cli, "loom-x2-web"));
    let import = |file: &Path, id: &str, more: &[&str]| {
        let file = text(file);
        let basic = ["models", "import", &file, "--id", id, "--json"];
        cli.run([&basic[..], more].concat())
    };
    import(&file, "mine", &[]).expect_code(0);
    let again = import(&file, "mine", &["--licence", "MIT"]).expect_code(0);
    assert_eq!(
        again.json()["model"]["manifest"]["licence"]["spdx"],
        "MIT",
        "what is said anew holds"
    );
    for (file, id) in [
        (&other, "mine"),
        (&file, "loom-x2"),
        (&other, "loom-x2-web"),
    ] {
        let refused = import(file, id, &[]).expect_code(2);
        assert!(
            refused.stdout.contains("another model"),
            "{}",
            refused.stdout
        );
    }
    for id in ["Mine", "../mine", ".mine", "", "a b"] {
        let refused = import(&file, id, &[]).expect_code(2);
        assert!(refused.stdout.contains("lower-case"), "{}", refused.stdout);
    }
    let refused = import(&file, "two-lines", &["--name", "a\nb"]).expect_code(2);
    assert!(refused.stdout.contains("line"), "{}", refused.stdout);
    assert_eq!(folders(&cli), ["loom-x2", "loom-x2-web", "mine"]);
}

#[test]
fn what_is_no_model_leaves_nothing_behind() {
    let cli = Cli::new();
    let broken = cli.folder().join("broken.onnx");
    let whole = fs::read(stranger(&cli, "loom-x2")).unwrap();
    for bytes in [&whole[..whole.len() / 2], b"no model", b""] {
        fs::write(&broken, bytes).unwrap();
        let refused = cli.run(["models", "import", &text(&broken), "--json"]);
        assert_ne!(refused.code, Some(0), "{}", refused.stdout);
        assert!(refused.stdout.contains("\"hint\""), "{}", refused.stdout);
    }
    let missing = cli.folder().join("missing.onnx");
    let refused = cli.run(["models", "import", &text(&missing), "--json"]);
    assert_ne!(refused.code, Some(0));
    assert_eq!(folders(&cli), ["loom-x2", "loom-x2-web"]);
}

#[test]
fn a_model_goes_when_no_job_needs_it_and_those_of_the_program_stay() {
    let cli = Cli::new();
    let (file, source) = (stranger(&cli, "loom-x2"), picture(&cli));
    let import = ["models", "import", &text(&file), "--id", "mine"];
    cli.run(import).expect_code(0);
    let app = frameloom_app::App::open(frameloom_app::Places {
        data: cli.data(),
        worker: PathBuf::from("unused"),
        extra_models: Vec::new(),
    })
    .unwrap();
    let job = app
        .submit_upscale_directly(&frameloom_app::UpscaleRequest {
            input: source,
            output: Some(cli.folder().join("waits.png")),
            model: Some("mine".to_owned()),
            ..Default::default()
        })
        .unwrap();
    let refused = cli.run(["models", "remove", "mine", "--json"]);
    let refused = refused.expect_code(2);
    assert!(refused.stdout.contains(&job.id.0), "{}", refused.stdout);
    cli.run(["jobs", "cancel", &job.id.0]).expect_code(0);
    cli.run(["models", "remove", "mine"]).expect_code(0);
    assert_eq!(folders(&cli), ["loom-x2", "loom-x2-web"]);
    cli.run(["models", "show", "mine"]).expect_code(2);
    let refused = cli.run(["models", "remove", "loom-x2", "--json"]);
    let refused = refused.expect_code(2);
    assert!(refused.stdout.contains("part of the program"));
}
