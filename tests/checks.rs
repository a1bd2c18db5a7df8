//! The check of a result takes nothing for a fault that was asked for.

use e2e::graphs::{chain, run_of, wired};
use e2e::*;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs one node on a file.
#[track_caller]
fn through(cli: &Cli, op: &str, params: Value, input: &Path, output: &str) -> (PathBuf, Ran) {
    let graph = match op {
        "loudness" => wired(
            cli,
            "graph.json",
            &[
                ("in", "source", json!({})),
                ("node", op, params),
                ("out", "sink", json!({})),
            ],
            &["in out", "in.audio node", "node out.audio"],
        ),
        _ => chain(cli, "graph.json", &[(op, params)]),
    };
    let output = cli.folder().join(output);
    let ran = cli.run(run_of(
        &graph,
        input,
        &output,
        &["--quality", "draft", "--overwrite"],
    ));
    (output, ran)
}

/// A short clip that ffmpeg makes; `None` where there is no ffmpeg.
fn clip(cli: &Cli, name: &str, arguments: &str) -> Option<PathBuf> {
    let path = cli.folder().join(name);
    let made = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-y"])
        .args(arguments.split_whitespace())
        .arg(&path)
        .status();
    match made {
        Ok(status) if status.success() => Some(path),
        _ => {
            eprintln!("skipped: no ffmpeg command");
            None
        }
    }
}

#[test]
fn clips_are_made_smaller_by_any_ratio() {
    let cli = Cli::new();
    let mut sources = vec![demo_clip()];
    sources.extend(test_data("media/video/h264_1080p_full-range_5s.mp4"));
    sources.extend(test_data("media/video/hevc_720p25_4s.ts"));
    sources.extend(clip(
        &cli,
        "bars.mkv",
        "-f lavfi -i testsrc=s=640x360:r=5:d=1 -c:v ffv1 -pix_fmt yuv420p",
    ));
    sources.extend(clip(
        &cli,
        "logo.mkv",
        "-f lavfi -i color=black:s=1920x1080:r=5:d=1,drawbox=16:20:140:24:gray:fill -c:v ffv1 -pix_fmt yuv420p",
    ));
    for source in sources {
        // A second is enough to be seen as displaced.
        let cut = cli.folder().join("second.mkv");
        let (cut, ran) = {
            let (path, ran) = through(
                &cli,
                "trim",
                json!({"end": {"num": 1, "den": 1}}),
                &source,
                "second.mkv",
            );
            assert_eq!(path, cut);
            (path, ran)
        };
        ran.expect_code(0);
        for (width, height) in [(800, 450), (480, 270), (160, 120), (40, 30)] {
            let size = json!({"width": width, "height": height});
            through(&cli, "resize", size, &cut, "small.mkv")
                .1
                .expect_code(0);
        }
    }
}

#[test]
fn pictures_are_made_smaller_by_any_ratio() {
    let cli = Cli::new();
    let mut sources = vec![root().join("assets/specimen.jpg")];
    for name in [
        "jpeg/flower.jpg",
        "jpeg/hopper.jpg",
        "avif/hopper.avif",
        "avif/rot1mir0.avif",
    ] {
        sources.extend(test_data(&format!("images/{name}")));
    }
    for source in sources {
        for (width, height) in [(160, 120), (64, 48), (40, 30), (9, 7)] {
            let size = json!({"width": width, "height": height});
            through(&cli, "resize", size, &source, "small.png")
                .1
                .expect_code(0);
        }
    }
}

#[test]
fn a_clip_without_a_tag_of_its_range_becomes_grey_and_says_which_range_that_is() {
    let cli = Cli::new();
    let Some(source) = clip(
        &cli,
        "untagged.mkv",
        "-f lavfi -i testsrc2=s=160x120:r=10:d=1 -c:v ffv1 -pix_fmt yuv420p",
    ) else {
        return;
    };
    let gray = json!({"planes": "gray", "bits": 8, "alpha": false});
    let (output, ran) = through(
        &cli,
        "convert",
        json!({"format": gray}),
        &source,
        "gray.mkv",
    );
    ran.expect_code(0);
    let (_, video) = probe(&output)
        .main_video()
        .map(|(i, v)| (i, v.clone()))
        .unwrap();
    assert_eq!(json!(video.color.range), json!("limited"));
}

#[test]
fn a_negative_and_much_light_are_no_faults() {
    let cli = Cli::new();
    let table = cli.folder().join("negative.cube");
    let corner = |n: usize, axis: usize| 1 - (n >> axis & 1);
    let lines: String = (0..8)
        .map(|n| format!("{} {} {}\n", corner(n, 0), corner(n, 1), corner(n, 2)))
        .collect();
    fs::write(&table, format!("LUT_3D_SIZE 2\n{lines}")).unwrap();
    let (source, ran) = through(
        &cli,
        "trim",
        json!({"end": {"num": 1, "den": 1}}),
        &demo_clip(),
        "second.mkv",
    );
    ran.expect_code(0);
    for params in [
        json!({"lut": table}),
        json!({"exposure": 5.0}),
        json!({"exposure": 10.0}),
    ] {
        through(&cli, "color", params, &source, "colored.mkv")
            .1
            .expect_code(0);
    }
}

#[test]
fn sound_that_cannot_be_so_loud_is_as_loud_as_its_peaks_allow_and_says_so() {
    let cli = Cli::new();
    // Speech-like: short bursts in near silence, whose peaks are far above their loudness.
    let Some(source) = clip(
        &cli,
        "bursts.mkv",
        "-f lavfi -i testsrc2=s=64x48:r=10:d=6 -f lavfi -i aevalsrc='0.3*sin(2*PI*300*t)*lt(mod(t\\,1)\\,0.02)':d=6 -c:v ffv1 -c:a flac",
    ) else {
        return;
    };
    let loud = json!({"target": -5.0, "peak": 0.0});
    let (_, ran) = through(&cli, "loudness", loud, &source, "loud.mkv");
    let ran = ran.expect_code(0);
    assert!(ran.stdout.contains("its peaks would pass"), "{ran:?}");
}
