//! Bad input: a sentence with cause and remedy, the right exit code, nothing left behind.

use e2e::*;
use std::fs;
use std::path::{Path, PathBuf};

/// Upscales `input` and expects a refusal with this exit code; gives the message.
#[track_caller]
fn refused(cli: &Cli, input: &Path, code: i32) -> String {
    let output = cli.folder().join("out");
    let ran = cli
        .run([
            "upscale".as_ref(),
            input.as_os_str(),
            "-o".as_ref(),
            output.as_os_str(),
        ])
        .expect_code(code);
    assert!(ran.stderr.contains("error: "), "{ran:?}");
    assert!(ran.stderr.contains("hint: "), "no remedy: {ran:?}");
    assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    assert_eq!(walk(&output), Vec::<PathBuf>::new(), "something was left");
    ran.stderr
}

#[test]
fn files_that_are_no_media_are_refused_in_words() {
    let cli = Cli::new();
    let folder = cli.folder();
    let missing = refused(&cli, &folder.join("nowhere.mp4"), 3);
    assert!(missing.contains("nowhere.mp4"), "{missing}");

    let empty = folder.join("empty.mp4");
    fs::write(&empty, "").unwrap();
    assert!(refused(&cli, &empty, 3).contains("empty"));

    let text = folder.join("text.mp4");
    fs::write(&text, "Dear diary, this is not a film.").unwrap();
    refused(&cli, &text, 3);

    let bare = folder.join("folder");
    fs::create_dir(&bare).unwrap();
    refused(&cli, &bare, 3);
}

#[test]
fn a_film_without_its_index_is_refused_and_one_without_its_end_is_processed() {
    let cli = Cli::new();
    let whole = fs::read(demo_clip()).unwrap();
    // The demo clip has its index in front; without it nothing can be read.
    let headless = cli.folder().join("headless.mp4");
    let index = whole
        .windows(4)
        .position(|w| w == b"moov")
        .expect("an mp4 has an index");
    let mut bytes = whole;
    bytes[index..index + 4].copy_from_slice(b"junk");
    fs::write(&headless, bytes).unwrap();
    refused(&cli, &headless, 3);

    let matroska = cli.folder().join("whole.mkv");
    cli.run([
        "upscale".as_ref(),
        demo_clip().as_os_str(),
        "--scale".as_ref(),
        "1".as_ref(),
        "--quality".as_ref(),
        "draft".as_ref(),
        "-o".as_ref(),
        matroska.as_os_str(),
    ])
    .expect_code(0);
    let bytes = fs::read(&matroska).unwrap();
    let cut = cli.folder().join("cut.mkv");
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let output = cli.folder().join("cut-larger.mkv");
    let job = cli
        .run([
            "upscale".as_ref(),
            cut.as_os_str(),
            "--quality".as_ref(),
            "draft".as_ref(),
            "--json".as_ref(),
            "-o".as_ref(),
            output.as_os_str(),
        ])
        .expect_code(0)
        .json();
    assert!(
        job["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|w| w["kind"] == "truncated"),
        "{job}"
    );
    let got = frames(&output).unwrap().len();
    assert!(got > 10 && got < frames(&demo_clip()).unwrap().len());
}

#[test]
fn sound_alone_is_refused() {
    let Some(sound) = test_data("media/speech/jfk_11s.flac") else {
        return;
    };
    let cli = Cli::new();
    refused(&cli, &sound, 3);
}

#[test]
fn damaged_and_hostile_pictures_never_panic() {
    let Some(folder) = test_data("images/bad") else {
        return;
    };
    let cli = Cli::new();
    for file in walk(&folder) {
        let output = cli.folder().join("out");
        let ran = cli.run([
            "upscale".as_ref(),
            file.as_os_str(),
            "-o".as_ref(),
            output.as_os_str(),
        ]);
        assert!(
            matches!(ran.code, Some(0 | 3 | 4)),
            "{}: {ran:?}",
            file.display()
        );
        assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_anything_is_done() {
    let cli = Cli::new();
    let source = cli.folder().join("a.png");
    write_png(&source, 8, 8, pattern).unwrap();
    // A file where a folder is needed: no user, not even root, can write below it.
    let blocked = cli.folder().join("blocked");
    fs::write(&blocked, "").unwrap();
    let ran = cli
        .run([
            "upscale".as_ref(),
            source.as_os_str(),
            "-o".as_ref(),
            blocked.join("x.png").as_os_str(),
        ])
        .expect_code(4);
    assert!(ran.stderr.contains("hint: "), "{ran:?}");
    assert!(cli.jobs().is_empty());
}

#[test]
fn a_missing_or_damaged_model_and_runtime_are_named() {
    let cli = Cli::new();
    let source = cli.folder().join("a.png");
    write_png(&source, 8, 8, pattern).unwrap();
    let unknown = cli
        .run([
            "upscale".as_ref(),
            source.as_os_str(),
            "--model".as_ref(),
            "no-such-model".as_ref(),
        ])
        .expect_code(4);
    assert!(unknown.stderr.contains("no-such-model"), "{unknown:?}");

    let weights = cli.data().join("models/loom-x2/loom-x2.onnx");
    let mut bytes = fs::read(&weights).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&weights, bytes).unwrap();
    let damaged = cli
        .run([
            "upscale".as_ref(),
            source.as_os_str(),
            "--model".as_ref(),
            "loom-x2".as_ref(),
        ])
        .expect_code(4);
    assert!(damaged.stderr.contains("damaged"), "{damaged:?}");
    cli.run(["models", "verify"]).expect_code(4);
    cli.run(["models", "verify", "--repair"]).expect_code(0);

    let wrong = cli.folder().join("libonnxruntime.so");
    fs::write(&wrong, "not a library").unwrap();
    let output = cli
        .command(["upscale".as_ref(), source.as_os_str()])
        .env("FRAMELOOM_ONNXRUNTIME", &wrong)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("ONNX Runtime"), "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn the_smallest_picture_is_done_and_impossible_requests_are_usage_errors() {
    let cli = Cli::new();
    let source = cli.folder().join("dot.png");
    write_png(&source, 1, 1, |_, _| [10, 20, 30]).unwrap();
    let output = cli.folder().join("dots.png");
    cli.run([
        "upscale".as_ref(),
        source.as_os_str(),
        "-o".as_ref(),
        output.as_os_str(),
    ])
    .expect_code(0);
    assert_eq!(image::open(&output).unwrap().to_rgb8().dimensions(), (2, 2));
    for arguments in [
        &["--scale", "9"][..],
        &["--name", "{nope}"],
        &["-o", "x.docx"],
        &["--codec", "cinepak"],
    ] {
        let mut all = vec!["upscale", source.to_str().unwrap()];
        all.extend(arguments);
        cli.run(&all).expect_code(2);
    }
    // The source itself is never the target.
    let ran = cli
        .run([
            "upscale".as_ref(),
            source.as_os_str(),
            "--overwrite".as_ref(),
            "-o".as_ref(),
            source.as_os_str(),
        ])
        .expect_code(2);
    assert!(ran.stderr.contains("never overwritten"), "{ran:?}");
}
