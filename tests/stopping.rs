//! Jobs that are told to stop while something does not let go, and what their end leaves behind.
#![cfg(target_os = "linux")]

use e2e::graphs::{chain, run_of};
use e2e::models::install;
use e2e::torture::workers_of;
use e2e::*;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// What lies beside a result under a hidden name.
fn hidden(cli: &Cli) -> Vec<PathBuf> {
    let is_hidden = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(".frameloom"))
    };
    walk(&cli.folder()).into_iter().filter(is_hidden).collect()
}

#[test]
fn a_call_that_cannot_be_stopped_does_not_keep_who_cancels_it() {
    let cli = Cli::new();
    let models = cli.folder().join("models");
    // One operator, which takes minutes for a picture of this size.
    install(&models, "slow", &onnx::means(255, 3), 1040);
    let source = cli.folder().join("source.png");
    write_png(&source, 1024, 1024, pattern).expect("the picture can be written");
    let output = cli.folder().join("out.png");
    let mut command = cli.command([
        "upscale".as_ref(),
        source.as_os_str(),
        "-o".as_ref(),
        output.as_os_str(),
        "--model".as_ref(),
        "slow".as_ref(),
        "--device".as_ref(),
        "cpu".as_ref(),
    ]);
    let mut child = command
        .env("FRAMELOOM_MODELS_DIR", models)
        .spawn()
        .expect("the command starts");
    wait_until("the first call of the model", || {
        let job = cli.jobs();
        job.first().is_some_and(|job| !job["provider"].is_null())
    });
    // It takes minutes, so this is in its middle.
    std::thread::sleep(Duration::from_secs(1));
    assert!(child.try_wait().unwrap().is_none(), "it is still at work");
    let id = cli.jobs()[0]["id"].as_str().unwrap().to_owned();
    let asked = Instant::now();
    cli.run(["jobs", "cancel", &id]).expect_code(0);
    let code = child.wait().unwrap().code();
    let took = asked.elapsed();
    assert_eq!(code, Some(4));
    // One second on a machine that does nothing else.
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(cli.jobs()[0]["state"], "cancelled");
    assert!(!output.exists() && hidden(&cli).is_empty());
    assert!(workers_of(&cli).is_empty());
}

#[test]
fn a_frozen_worker_does_not_keep_who_cancels_it_and_nothing_is_left() {
    let cli = Cli::new();
    let output = cli.folder().join("out.mp4");
    let mut child = cli.start([
        "upscale".as_ref(),
        demo_clip().as_os_str(),
        "-o".as_ref(),
        output.as_os_str(),
    ]);
    wait_until("a finished segment", || cli.parts() > 0);
    // Not in the middle of writing its row, which would hold the database as well.
    std::thread::sleep(Duration::from_millis(300));
    let frozen = workers_of(&cli);
    for pid in &frozen {
        signal(*pid, "STOP");
    }
    let id = cli.jobs()[0]["id"].as_str().unwrap().to_owned();
    let asked = Instant::now();
    cli.run(["jobs", "cancel", &id]).expect_code(0);
    let code = child.wait().unwrap().code();
    let took = asked.elapsed();
    for pid in frozen {
        signal_quietly(pid, "KILL");
    }
    assert_eq!(code, Some(4));
    assert!(took < Duration::from_secs(30), "{took:?}");
    assert_eq!(cli.jobs()[0]["state"], "cancelled");
    assert_eq!(cli.parts(), 0);
    assert!(!output.exists() && hidden(&cli).is_empty());
}

/// True if the process is stopped in the middle of a write to a database: it holds the lock for
/// writing of SQLite's log, byte 120 of the file of its index (<https://sqlite.org/walformat.html>).
fn is_frozen_in_a_write(pid: u32) -> bool {
    wait_until("the process stops", || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").map(|(_, behind)| &behind[..1]);
        matches!(state, None | Some("T" | "Z"))
    });
    let locks = std::fs::read_to_string("/proc/locks").expect("Linux lists its locks");
    locks.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        matches!(words[..], [_, "POSIX", _, "WRITE", holder, _, "120", "120"] if holder == pid.to_string())
    })
}

/// A clip of many segments that take next to no time, so that most of it goes into recording them;
/// `None` where there is no ffmpeg.
fn clip_of_many_segments(folder: &Path) -> Option<PathBuf> {
    let path = folder.join("long.mkv");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .arg("testsrc2=size=32x32:rate=1:duration=12000")
        .args(["-c:v", "ffv1"])
        .arg(&path)
        .status();
    match made {
        Ok(status) if status.success() => Some(path),
        _ => {
            eprintln!("skipped: no ffmpeg that makes the clip");
            None
        }
    }
}

#[test]
fn a_worker_frozen_in_the_middle_of_a_write_keeps_nobody_from_cancelling_its_job() {
    // The command that started it may be frozen as well: then nobody else listens to the worker.
    for command_too in [false, true] {
        let cli = Cli::new();
        let Some(clip) = clip_of_many_segments(&cli.folder()) else {
            return;
        };
        let graph = chain(
            &cli,
            "graph.json",
            &[("flip", json!({"axis": "horizontal"}))],
        );
        let output = cli.folder().join("out.mkv");
        let mut child = cli.start(run_of(&graph, &clip, &output, &["--codec", "ffv1"]));
        wait_until("a finished segment", || cli.parts() > 0);
        let [worker] = workers_of(&cli)[..] else {
            panic!("one job has one worker");
        };
        wait_until("a stop in the middle of a write", || {
            signal(worker, "STOP");
            let is_it = is_frozen_in_a_write(worker);
            if !is_it {
                signal(worker, "CONT");
                std::thread::sleep(Duration::from_millis(3));
            }
            is_it
        });
        if command_too {
            signal(child.id(), "STOP");
        }
        let id = cli.jobs()[0]["id"].as_str().unwrap().to_owned();
        let asked = Instant::now();
        cli.run(["jobs", "cancel", &id]).expect_code(0);
        let took = asked.elapsed();
        // About a second on a machine that does nothing else.
        assert!(took < Duration::from_secs(5), "{took:?}");
        assert_eq!(cli.jobs()[0]["state"], "cancelled");
        if command_too {
            signal(child.id(), "CONT");
        }
        assert_eq!(child.wait().unwrap().code(), Some(4));
        assert_eq!(cli.jobs()[0]["state"], "cancelled");
        assert!(workers_of(&cli).is_empty());
        assert_eq!(cli.parts(), 0);
        assert!(!output.exists() && hidden(&cli).is_empty());
        assert!(walk(&cli.data().join("jobs")).is_empty());
    }
}

#[test]
fn a_half_made_result_of_a_killed_job_goes_when_the_job_is_given_up() {
    for command in ["cancel", "remove"] {
        let cli = Cli::new();
        let output = cli.folder().join("out.mp4");
        let mut child = cli.start([
            "upscale".as_ref(),
            demo_clip().as_os_str(),
            "-o".as_ref(),
            output.as_os_str(),
        ]);
        wait_until("a finished segment", || cli.parts() > 0);
        let id = cli.jobs()[0]["id"].as_str().unwrap().to_owned();
        child.kill().unwrap();
        child.wait().unwrap();
        wait_until("the end of the worker", || {
            cli.jobs()[0]["state"] == "interrupted"
        });
        // As a worker that was killed while it joined the parts leaves it.
        let half = cli.folder().join(format!(".frameloom-{id}.mp4"));
        let others = cli.folder().join(".frameloom-others.mp4");
        std::fs::write(&half, "half").unwrap();
        std::fs::write(&others, "of another job").unwrap();
        cli.run(["jobs", command, &id]).expect_code(0);
        assert_eq!(hidden(&cli), [others], "{command}");
    }
}
