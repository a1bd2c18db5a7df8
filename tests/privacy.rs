//! Nothing that the program loads keeps records of its own, let alone sends them.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::*;
use serde_json::json;
use std::fs;
use std::path::Path;

/// Variables by which ONNX Runtime believes to be under test, and is silent by itself.
const UNDER_TEST: &[&str] = &[
    "ORT_RUNNING_UNIT_TESTS",
    "CI",
    "TF_BUILD",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "BUILD_NUMBER",
    "BUILD_ID",
    "TRAVIS",
    "CIRCLECI",
    "APPVEYOR",
    "TEAMCITY_VERSION",
    "CODEBUILD_BUILD_ID",
    "JENKINS_URL",
];

/// Runs the program as at a user's home, which is empty, and gives what it printed.
#[track_caller]
fn at_home(cli: &Cli, home: &Path, arguments: &[&str]) -> std::process::Output {
    let mut command = cli.command(arguments);
    for name in UNDER_TEST {
        command.env_remove(name);
    }
    command
        // Whatever the user's own setting is.
        .env("ORT_DISABLE_TELEMETRY", "0")
        .env("HOME", home)
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("LOCALAPPDATA", home.join("local"))
        .output()
        .unwrap()
}

#[test]
fn the_runtime_of_models_keeps_no_records_of_what_is_done() {
    let cli = Cli::new();
    let home = cli.folder().join("home");
    fs::create_dir(&home).unwrap();
    let picture = cli.folder().join("picture.png");
    write_png(&picture, 64, 48, pattern).unwrap();
    let model = root().join("models/loom-x2/loom-x2.onnx");
    let graph = cli.folder().join("graph.json");
    let nodes = json!([
        {"id": "in", "op": "source"},
        {"id": "model", "op": "onnx", "params": {"path": model}},
        {"id": "out", "op": "sink"},
    ]);
    let edges = json!([{"from": "in", "to": "model"}, {"from": "model", "to": "out"}]);
    fs::write(
        &graph,
        json!({"version": 2, "nodes": nodes, "edges": edges}).to_string(),
    )
    .unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (picture, graph, model) = (text(&picture), text(&graph), text(&model));
    let (large, other) = (
        text(&cli.folder().join("large.png")),
        text(&cli.folder().join("other.png")),
    );
    // In workers, in children that look at a file, and in the command itself.
    for arguments in [
        &["upscale", &picture, "-o", &large][..],
        &["run", &graph, "--in", &picture, "--out", &other],
        &["models", "inspect", &model],
        &["verify", &large],
        &["doctor", "--json"],
    ] {
        let ran = at_home(&cli, &home, arguments);
        assert!(ran.status.success(), "{arguments:?}: {ran:?}");
        let kept = walk(&home);
        assert!(kept.is_empty(), "{arguments:?} left {kept:?}");
    }
}
