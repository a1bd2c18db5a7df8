//! `frameloom watch`: what comes into a folder is done once, also where the program is killed.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::clips::text;
use e2e::*;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn watching(came: &Path, preset: &str, more: &[&str]) -> Vec<String> {
    let to = came.join("made");
    let mut words: Vec<String> = ["watch", &text(came), "--preset", preset, "--to", &text(&to)]
        .map(str::to_owned)
        .to_vec();
    words.extend(["--settle", "0.5", "--json"].map(str::to_owned));
    words.extend(more.iter().map(|word| (*word).to_owned()));
    words
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = walk(folder)
        .iter()
        .map(|path| path.strip_prefix(folder).unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn what_comes_is_done_once_and_put_away_with_the_reason_where_it_cannot_be() {
    let cli = Cli::new();
    let came = cli.folder().join("in");
    std::fs::create_dir_all(came.join("trip")).unwrap();
    write_png(&came.join("a.png"), 3000, 20, pattern).unwrap();
    write_png(&came.join("trip/a.png"), 20, 3000, pattern).unwrap();
    std::fs::write(came.join("b.png"), b"no picture").unwrap();
    std::fs::write(came.join("notes.txt"), b"nothing to work on").unwrap();
    let ended = cli.run(watching(&came, "web-pictures", &["--once"]));
    assert_eq!(ended.json_lines("done").len(), 2, "{ended:?}");
    assert_eq!(ended.json_lines("failed").len(), 1, "{ended:?}");
    let last: Value = ended.expect_code(3).json();
    assert_eq!((&last["done"], &last["failed"]), (&2.into(), &1.into()));
    let wanted = [
        "done/a.png",
        "done/trip/a.png",
        "failed/b.png",
        "failed/b.png.txt",
        "made/a_web.webp",
        "made/trip/a_web.webp",
        "notes.txt",
    ];
    assert_eq!(names(&came), wanted.map(PathBuf::from));
    let reason = std::fs::read_to_string(came.join("failed/b.png.txt")).unwrap();
    assert!(reason.contains("not video"), "{reason}");
    // Again: there is nothing to do, and what was done is not touched.
    cli.run(watching(&came, "web-pictures", &["--once"]))
        .expect_code(0);
    assert_eq!(names(&came), wanted.map(PathBuf::from));
    assert_eq!(cli.jobs().len(), 2);
}

#[test]
#[cfg(target_os = "linux")]
fn a_command_that_is_killed_is_gone_on_with_by_the_next_and_makes_one_result() {
    let cli = Cli::new();
    let came = cli.folder().join("in");
    std::fs::create_dir_all(&came).unwrap();
    std::fs::copy(demo_clip(), came.join("demo.mp4")).unwrap();
    let words = watching(&came, "enlarge", &["--quality", "draft"]);
    let mut child = cli.start(&words);
    wait_until("a finished segment", || cli.parts() > 0);
    signal(child.id(), "KILL");
    child.wait().unwrap();
    wait_until("the end of the worker", || {
        e2e::torture::workers_of(&cli).is_empty()
    });
    assert_eq!(names(&came), [PathBuf::from("demo.mp4")]);
    let words = watching(&came, "enlarge", &["--quality", "draft", "--once"]);
    cli.run(words).expect_code(0);
    let jobs = cli.jobs();
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    assert_eq!(jobs[0]["state"], "succeeded");
    let wanted = ["done/demo.mp4", "made/demo_2x.mp4"].map(PathBuf::from);
    assert_eq!(names(&came), wanted);
}
