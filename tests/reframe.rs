//! Clips cut to another shape, through the real command line.

use e2e::*;
use frameloom_core::pixel::AnyPlane;
use frameloom_media::Frame;
use std::path::Path;

fn luma(frame: &Frame) -> Vec<Vec<u8>> {
    match frame.plane(0) {
        AnyPlane::U8(plane) => (0..plane.height).map(|y| plane.row(y).to_vec()).collect(),
        AnyPlane::U16(_) => panic!("eight bits are expected"),
    }
}

/// A grey clip of `seconds` in which a bright square goes from left to right and back.
fn square(path: &Path, seconds: u32) -> bool {
    let input = format!("color=0x606060:s=640x360:r=25:d={seconds}");
    let box_of = "color=white:s=60x60:r=25[box];[0][box]overlay=x='290+250*sin(t*0.9)':y=150:shortest=1,format=yuv420p";
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        &input,
        "-filter_complex",
        box_of,
        "-c:v",
        "ffv1",
        &text(path),
    ])
}

const LOSSLESS: [&str; 4] = ["--codec", "ffv1", "--quality", "lossless"];

#[test]
fn what_moves_stays_in_view_and_the_crop_glides() {
    let cli = Cli::new();
    let source = cli.folder().join("square.mkv");
    if !square(&source, 8) {
        return;
    }
    let output = cli.folder().join("upright.mkv");
    let (input, to) = (text(&source), text(&output));
    let all = [
        &["reframe", &input, "-o", &to, "--motion"][..],
        &LOSSLESS[..],
    ]
    .concat();
    cli.run(all).expect_code(0);
    let frames = frames_of(&output);
    assert_eq!(frames.len(), 200);
    assert_eq!((frames[0].width(), frames[0].height()), (202, 360));
    let before = frames_of(&source);
    let mut lefts = Vec::new();
    for (number, (frame, source)) in frames.iter().zip(&before).enumerate() {
        let (rows, whole) = (luma(frame), luma(source));
        let bright = |row: &[u8]| row.iter().filter(|v| **v > 200).count();
        assert!(
            bright(&rows[180]) >= 58,
            "frame {number} lost it: {}",
            bright(&rows[180])
        );
        // Where the crop is: from where the square is in both.
        let middle = |row: &[u8]| {
            let at: Vec<usize> = (0..row.len()).filter(|&x| row[x] > 200).collect();
            at.iter().sum::<usize>() as f64 / at.len() as f64
        };
        lefts.push(middle(&whole[180]) - middle(&rows[180]));
    }
    let steps: Vec<f64> = lefts.windows(2).map(|w| w[1] - w[0]).collect();
    assert!(steps.iter().all(|step| step.abs() < 14.0), "{steps:?}");
    let jerks = steps.windows(2).map(|w| (w[1] - w[0]).abs());
    assert!(jerks.fold(0.0, f64::max) < 2.5, "{steps:?}");
    assert!(lefts.iter().any(|left| *left > 330.0) && lefts.iter().any(|left| *left < 110.0));
}

#[test]
fn the_crop_is_where_the_user_says() {
    let cli = Cli::new();
    let source = cli.folder().join("slope.mkv");
    let slope = "nullsrc=s=640x360:r=25:d=3,format=yuv420p,geq=lum='16+X/4':cb=128:cr=128";
    if !ffmpeg(&["-f", "lavfi", "-i", slope, "-c:v", "ffv1", &text(&source)]) {
        return;
    }
    let output = cli.folder().join("out.mkv");
    let (input, to) = (text(&source), text(&output));
    let keys = ["--key", "0.5 25", "--key", "2,75", "--shape", "1:1"];
    let all = [
        &["reframe", &input, "-o", &to][..],
        &keys[..],
        &LOSSLESS[..],
    ]
    .concat();
    cli.run(all).expect_code(0);
    let frames = frames_of(&output);
    assert_eq!((frames[0].width(), frames[0].height()), (360, 360));
    let left = |number: usize| (f64::from(luma(&frames[number])[100][20]) - 16.0) * 4.0 - 20.0;
    // The middle would be at 160 of 640: the crop stays within the picture.
    for (number, wanted) in [(0, 0.0), (12, 0.0), (31, 140.0), (50, 280.0), (74, 280.0)] {
        assert!(
            (left(number) - wanted).abs() < 6.0,
            "{number}: {}",
            left(number)
        );
    }
    let refused = cli
        .run(["reframe", &input, "-o", &to, "--key", "2"])
        .expect_code(2);
    assert!(refused.stderr.contains("is no place"), "{refused:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_job_resumes_to_the_very_same_crop() {
    let cli = Cli::new();
    let source = cli.folder().join("long.mkv");
    if !square(&source, 24) {
        return;
    }
    let whole = cli.folder().join("whole.mp4");
    let input = text(&source);
    cli.run(["reframe", &input, "-o", &text(&whole), "--smooth", "0.5"])
        .expect_code(0);
    let resumed = cli.folder().join("resumed.mp4");
    let id = cli.killed_midway(
        ["reframe", &input, "-o", &text(&resumed), "--smooth", "0.5"],
        &resumed,
    );
    cli.run(["jobs", "resume", &id]).expect_code(0);
    assert_eq!(
        std::fs::read(&resumed).unwrap(),
        std::fs::read(&whole).unwrap(),
        "the resumed file differs"
    );
}
