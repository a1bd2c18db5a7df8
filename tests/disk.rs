//! A disk that fills up in the middle: the job stops with a sentence, loses nothing, and goes on
//! where it was once there is room.
//!
//! The small disk is a tmpfs in a mount namespace of the test's own, which needs no privileges on
//! most systems; where it cannot be had, the tests say so and are skipped.
#![cfg(target_os = "linux")]

use e2e::*;
use std::path::Path;
use std::process::{Command, Output};

/// Runs a script in a mount namespace of its own; `None` where the system does not allow one.
/// `$DISK` is a folder to mount on, `$OUT` one that outlives the script.
fn in_namespace(cli: &Cli, script: &str) -> Option<Output> {
    let namespace = |command: &str| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--mount", "sh", "-euc", command]);
        unshare
    };
    let disk = cli.folder().join("disk");
    std::fs::create_dir_all(&disk).expect("the folder can be made");
    let can = namespace("mount -t tmpfs -o size=1m tmpfs \"$DISK\"")
        .env("DISK", &disk)
        .output()
        .is_ok_and(|tried| tried.status.success());
    if !can {
        eprintln!("skipped: this system allows no mount namespace");
        return None;
    }
    let output = namespace(script)
        .env("DISK", &disk)
        .env("OUT", cli.folder())
        .env("FRAMELOOM", program("frameloom", "frameloom-cli"))
        .env("CLIP", demo_clip())
        .env("FRAMELOOM_DATA_DIR", cli.data())
        .output()
        .expect("a namespace that opened once opens again");
    Some(output)
}

fn undisturbed(cli: &Cli) -> Vec<u8> {
    let output = cli.folder().join("whole.mp4");
    let clip = demo_clip();
    cli.run([
        "upscale".as_ref(),
        clip.as_os_str(),
        "-o".as_ref(),
        output.as_os_str(),
        "--quality".as_ref(),
        "draft".as_ref(),
    ])
    .expect_code(0);
    std::fs::read(output).expect("there is a result")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_default()
}

/// The first run must end with 5 and a sentence about the disk, leave no half-written result, and
/// the resumed one must equal a run that never met a full disk.
fn check(cli: &Cli, ran: &Output) {
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let out = cli.folder();
    assert_eq!(read(&out, "code").trim(), "5", "{}", read(&out, "first"));
    let said = read(&out, "first");
    assert!(
        said.contains("full") || said.contains("space") || said.contains("room"),
        "the disk must be named: {said}"
    );
    assert_eq!(
        read(&out, "left").trim(),
        "",
        "nothing half-written is left"
    );
    let jobs: serde_json::Value =
        serde_json::from_str(&read(&out, "jobs")).expect("a list of jobs");
    assert_eq!(jobs[0]["state"], "paused", "a full disk is no failure");
    assert_eq!(jobs[0]["error"]["code"], "disk_full");
    let resumed = std::fs::read(out.join("resumed.mp4")).expect("there is a result");
    assert!(
        resumed == undisturbed(&Cli::new()),
        "the resumed result must be the one of an undisturbed run"
    );
}

#[test]
fn a_data_folder_that_fills_up_stops_the_job_and_room_lets_it_go_on() {
    let cli = Cli::new();
    let Some(ran) = in_namespace(
        &cli,
        r#"
        mount -t tmpfs -o size=3m tmpfs "$DISK"
        export FRAMELOOM_DATA_DIR="$DISK"
        code=0
        "$FRAMELOOM" upscale "$CLIP" -o "$OUT/resumed.mp4" --quality draft 2>"$OUT/first" >&2 || code=$?
        echo $code >"$OUT/code"
        ls "$OUT" | grep mp4 >"$OUT/left" || true
        "$FRAMELOOM" jobs list --json >"$OUT/jobs"
        mount -o remount,size=200m "$DISK"
        id=$(sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' "$OUT/jobs" | head -1)
        "$FRAMELOOM" jobs resume "$id" >&2
        "#,
    ) else {
        return;
    };
    check(&cli, &ran);
}

#[test]
fn an_output_folder_that_fills_up_stops_the_job_and_room_lets_it_go_on() {
    let cli = Cli::new();
    let Some(ran) = in_namespace(
        &cli,
        r#"
        mount -t tmpfs -o size=1m tmpfs "$DISK"
        code=0
        "$FRAMELOOM" upscale "$CLIP" -o "$DISK/resumed.mp4" --quality draft --dry-run >"$OUT/forecast"
        "$FRAMELOOM" upscale "$CLIP" -o "$DISK/resumed.mp4" --quality draft 2>"$OUT/first" >&2 || code=$?
        echo $code >"$OUT/code"
        ls -A "$DISK" >"$OUT/left"
        "$FRAMELOOM" jobs list --json >"$OUT/jobs"
        mount -o remount,size=200m "$DISK"
        id=$(sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' "$OUT/jobs" | head -1)
        "$FRAMELOOM" jobs resume "$id" >&2
        cp "$DISK/resumed.mp4" "$OUT/"
        "#,
    ) else {
        return;
    };
    check(&cli, &ran);
    let forecast = read(&cli.folder(), "forecast");
    assert!(forecast.contains("MB are free"), "{forecast}");
    let said = read(&cli.folder(), "first");
    assert!(
        said.contains("the result takes"),
        "it must pause before the disk is full, not because it is: {said}"
    );
}
