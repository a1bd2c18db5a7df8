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

    #[cfg(unix)]
    {
        let device = refused(&cli, Path::new("/dev/null"), 3);
        assert!(device.contains("not a regular file"), "{device}");
    }
}

#[test]
fn names_that_a_result_cannot_have_are_refused_with_what_would_do() {
    let cli = Cli::new();
    let picture = cli.folder().join("a.png");
    write_png(&picture, 8, 8, pattern).unwrap();
    let to = |input: &Path, name: &str| {
        let output = cli.folder().join(name);
        let named = [
            "upscale".as_ref(),
            input.as_os_str(),
            "-o".as_ref(),
            output.as_os_str(),
        ];
        cli.run(named).expect_code(2).stderr
    };
    let clip = to(&picture, "a.mp4");
    for part in ["One picture makes no clip", "--rate"] {
        assert!(clip.contains(part), "{clip}");
    }
    let bare = to(&demo_clip(), ".mp4");
    for part in ["`.mp4` is an ending without a name", "result.mp4"] {
        assert!(bare.contains(part), "{bare}");
    }
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
        .expect_code(2);
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
        .expect_code(2);
    assert!(unknown.stderr.contains("no-such-model"), "{unknown:?}");
    cli.run(["models", "show", "no-such-model"]).expect_code(2);

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
    fs::remove_file(&weights).unwrap();
    let missing = cli
        .run([
            "upscale".as_ref(),
            source.as_os_str(),
            "--model".as_ref(),
            "loom-x2".as_ref(),
        ])
        .expect_code(2);
    assert!(
        missing.stderr.contains("models verify --repair"),
        "the remedy of a model that comes with the program: {missing:?}"
    );
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
        &["-o", "x.png", "--name", "{nam}"],
        &["-o", "x.png", "--name", "{name}"],
        &["--device", "coreml"],
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

/// Runs `upscale` with these arguments.
fn upscale(cli: &Cli, arguments: &[&Path]) -> Ran {
    let mut all = vec![Path::new("upscale")];
    all.extend(arguments);
    cli.run(all)
}

#[cfg(unix)]
#[test]
fn the_source_is_not_replaced_by_whatever_way_one_comes_to_it() {
    let cli = Cli::new();
    let folder = cli.folder();
    fs::create_dir_all(folder.join("in/sub")).unwrap();
    let source = folder.join("in/orig.png");
    write_png(&source, 16, 12, pattern).unwrap();
    let before = fs::read(&source).unwrap();
    std::os::unix::fs::symlink(folder.join("in"), folder.join("link")).unwrap();
    for (input, output) in [
        ("in/orig.png", "in/sub/../orig.png"),
        ("in/orig.png", "in/new/../orig.png"),
        ("in/orig.png", "link/orig.png"),
        ("link/orig.png", "in/orig.png"),
    ] {
        let ran = upscale(
            &cli,
            &[
                &folder.join(input),
                "-o".as_ref(),
                &folder.join(output),
                "--overwrite".as_ref(),
            ],
        )
        .expect_code(2);
        assert!(ran.stderr.contains("never overwritten"), "{ran:?}");
    }
    assert_eq!(fs::read(&source).unwrap(), before);
    assert!(cli.jobs().is_empty());
}

#[test]
fn a_command_that_may_overwrite_spares_its_own_inputs_and_results() {
    let cli = Cli::new();
    let folder = cli.folder();
    fs::create_dir_all(folder.join("twice")).unwrap();
    fs::create_dir_all(folder.join("chain")).unwrap();
    write_png(&folder.join("twice/x.png"), 10, 10, pattern).unwrap();
    write_png(&folder.join("x.png"), 20, 20, pattern).unwrap();
    let out = folder.join("out/");
    upscale(
        &cli,
        &[
            &folder.join("twice/x.png"),
            &folder.join("x.png"),
            "--overwrite".as_ref(),
            "-o".as_ref(),
            &out,
        ],
    )
    .expect_code(0);
    let sizes: Vec<_> = walk(&out)
        .iter()
        .map(|path| image::open(path).unwrap().width())
        .collect();
    assert_eq!(sizes, [40, 20], "{:?}", walk(&out));

    // The result of the first would have the name of the second.
    write_png(&folder.join("chain/p.png"), 10, 10, pattern).unwrap();
    write_png(&folder.join("chain/p_2x.png"), 30, 30, pattern).unwrap();
    upscale(&cli, &[&folder.join("chain"), "--overwrite".as_ref()]).expect_code(0);
    let width = |name: &str| {
        image::open(folder.join("chain").join(name))
            .unwrap()
            .width()
    };
    assert_eq!(width("p_2x.png"), 30, "the input is still there");
    assert_eq!((width("p_2x (2).png"), width("p_2x_2x.png")), (20, 60));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_batch_even_where_its_jobs_are_too_short_to_stop() {
    let cli = Cli::new();
    let folder = cli.folder().join("many");
    fs::create_dir(&folder).unwrap();
    // Far more than are in front of the worker at once.
    let count = 60;
    for n in 0..count {
        write_png(&folder.join(format!("{n:02}.png")), 300, 200, pattern).unwrap();
    }
    let child = cli.start(["upscale".as_ref(), folder.as_os_str(), "--json".as_ref()]);
    let finished = || {
        walk(&folder)
            .iter()
            .filter(|path| path.to_string_lossy().ends_with("_2x.png"))
            .count()
    };
    while finished() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(finished() < count, "it went on to the end");
    for line in stderr.lines() {
        serde_json::from_str::<serde_json::Value>(line)
            .unwrap_or_else(|error| panic!("no JSON on standard error ({error}): {line}"));
    }
    assert!(stderr.contains("were not begun"), "{stderr}");
}

#[test]
fn a_name_that_is_too_long_is_shortened_or_refused_before_the_work() {
    let cli = Cli::new();
    let folder = cli.folder();
    let long = folder.join("é".repeat(125) + ".png");
    write_png(&long, 8, 8, pattern).unwrap();
    let job = upscale(&cli, &[&long, "--json".as_ref()])
        .expect_code(0)
        .json();
    let name = Path::new(job["output"].as_str().unwrap())
        .file_name()
        .unwrap()
        .to_string_lossy()
        .into_owned();
    assert!(name.ends_with("é_2x.png"), "{name}");
    let ran = upscale(
        &cli,
        &[&long, "-o".as_ref(), &folder.join("x".repeat(260) + ".png")],
    )
    .expect_code(2);
    assert!(ran.stderr.contains("too long"), "{ran:?}");
    assert_eq!(cli.jobs().len(), 1);
}

#[test]
fn a_picture_that_its_format_cannot_hold_becomes_a_png_or_is_refused_at_once() {
    let cli = Cli::new();
    let folder = cli.folder();
    let source = folder.join("wide.webp");
    image::RgbImage::from_fn(9000, 4, |x, y| image::Rgb(pattern(x, y)))
        .save(&source)
        .unwrap();
    let plan = upscale(&cli, &[&source, "--dry-run".as_ref(), "--json".as_ref()])
        .expect_code(0)
        .json();
    let output = plan[0]["output"].as_str().unwrap();
    assert!(output.ends_with("wide_2x.png"), "{output}");
    let ran = upscale(&cli, &[&source, "-o".as_ref(), &folder.join("larger.webp")]).expect_code(2);
    assert!(ran.stderr.contains("16383"), "{ran:?}");
    assert!(cli.jobs().is_empty());
}

#[test]
fn what_has_no_picture_is_told_what_it_has() {
    let cli = Cli::new();
    let subtitles = cli.folder().join("words.srt");
    fs::write(&subtitles, "1\n00:00:01,000 --> 00:00:02,000\nhi\n").unwrap();
    let ran = upscale(&cli, &[&subtitles]).expect_code(3);
    assert!(ran.stderr.contains("subtitles and no picture"), "{ran:?}");
    assert!(!ran.stderr.contains("Resume"), "{ran:?}");
}

#[test]
fn a_job_that_would_fail_again_is_not_offered_to_be_resumed() {
    let cli = Cli::new();
    let source = cli.folder().join("cut.png");
    let whole = cli.folder().join("whole.png");
    write_png(&whole, 64, 64, pattern).unwrap();
    let bytes = fs::read(&whole).unwrap();
    // Its header is there and nothing of its samples.
    fs::write(&source, &bytes[..48]).unwrap();
    let ran = upscale(&cli, &[&source]);
    assert!(matches!(ran.code, Some(3 | 4)), "{ran:?}");
    assert!(!ran.stderr.contains("Resume it with"), "{ran:?}");
    for raw in ["ChunkType", "{ type"] {
        assert!(!ran.stderr.contains(raw), "{ran:?}");
    }
}

#[test]
fn a_closed_pipe_is_no_failure_of_the_manual_and_the_completions() {
    let cli = Cli::new();
    for arguments in [&["man"][..], &["completions", "bash"]] {
        let mut child = cli.start(arguments);
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
        assert_eq!(stderr, "");
    }
}
