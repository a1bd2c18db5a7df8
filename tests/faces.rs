//! Single faces that stay visible in what is redacted, through the real command line on real people.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::*;
use frameloom_core::pixel::AnyPlane;
use frameloom_media::Frame;
use serde_json::Value;
use std::path::{Path, PathBuf};

const FACES: &str = "models/face/ultraface-RFB-320.onnx";
const PORTRAIT: &str = "images/photo/modnet_portrait.jpg";
const TALK: &str = "media/video/h264_aac_face_1s.mp4";
/// Every bit of the result is that of the filter, and what is covered is green.
const GREEN: [&str; 5] = ["--fill=#00ff00", "--codec", "ffv1", "--quality", "lossless"];
/// Where his face and hers lie where they are beside each other: left, top, right and bottom.
const HIS: [f32; 4] = [0.25, 0.45, 0.35, 0.65];
const HERS: [f32; 4] = [0.73, 0.19, 0.77, 0.3];

/// A program with a detector, and a clip made of a real talk and a real portrait. `None` where the data
/// is missing.
fn with_clip(filter: &str, more: &[&str]) -> Option<(Cli, PathBuf)> {
    let (model, talk, portrait) = (test_data(FACES)?, test_data(TALK)?, test_data(PORTRAIT)?);
    let cli = Cli::new();
    cli.run(["models", "import", &text(&model), "--id", "faces"])
        .expect_code(0);
    let clip = cli.folder().join("two.mkv");
    let (talk, portrait, output) = (text(&talk), text(&portrait), text(&clip));
    let inputs = [
        "-stream_loop",
        "3",
        "-i",
        &talk,
        "-loop",
        "1",
        "-framerate",
        "30",
        "-i",
        &portrait,
    ];
    let made = ["-filter_complex", filter, "-an", "-c:v", "ffv1"];
    let all: Vec<&str> = inputs.iter().chain(&made).chain(more).copied().collect();
    ffmpeg(&[&all[..], &[&output]].concat()).then_some((cli, clip))
}

/// He on the left and she on the right, in 960 by 360 pixels.
const BESIDE: &str = "[0:v]scale=540:360,setsar=1,fps=30[m];[1:v]scale=-2:360,crop=420:360,setsar=1,fps=30[w];\
                      [m][w]hstack=shortest=1,format=yuv420p";

fn list(cli: &Cli, input: &Path) -> Vec<Value> {
    let told = cli.run(["redact", &text(input), "--list", "--json"]);
    let told = told.expect_code(0).json();
    told["faces"].as_array().unwrap().clone()
}

fn redact(cli: &Cli, input: &Path, output: &Path, more: &[&str]) -> Ran {
    let (input, output) = (text(input), text(output));
    cli.run(["redact", &input, "-o", &output].iter().chain(more))
}

/// All samples of the first plane within a place.
fn luma(frame: &Frame, [left, top, right, bottom]: [f32; 4]) -> Vec<u8> {
    let AnyPlane::U8(plane) = frame.plane(0) else {
        panic!("the clip has 8 bits");
    };
    let at = |part: f32, all: usize| (part * all as f32) as usize;
    let xs = at(left, plane.width)..at(right, plane.width);
    (at(top, plane.height)..at(bottom, plane.height))
        .flat_map(|y| plane.row(y)[xs.clone()].to_vec())
        .collect()
}

fn is_covered(frame: &Frame, place: [f32; 4]) -> bool {
    let seen = luma(frame, place);
    seen.iter().all(|v| v.abs_diff(seen[0]) <= 1)
}

#[test]
fn a_face_is_left_visible_by_its_number_and_all_others_stay_covered() {
    // Two shots, the second mirrored and darker: nobody knows there who was in the first.
    let filter = format!(
        "{BESIDE},split[a][b];[b]hflip,lutyuv=y=val*0.5,trim=end_frame=20[c];[a]trim=end_frame=25,setpts=PTS-STARTPTS[d];[d][c]concat=n=2"
    );
    let Some((cli, clip)) = with_clip(&filter, &[]) else {
        return;
    };
    let faces = list(&cli, &clip);
    assert_eq!(faces.len(), 4, "{faces:#?}");
    assert_eq!(list(&cli, &clip), faces, "the same numbers every time");
    let millis = |face: &Value, name: &str| face[name].as_i64().unwrap() / 1000;
    let times: Vec<(i64, i64)> = faces
        .iter()
        .map(|face| (millis(face, "from_micros"), millis(face, "to_micros")))
        .collect();
    assert!(times[..2].iter().all(|time| *time == (0, 800)), "{times:?}");
    assert!(times[2..].iter().all(|time| time.0 == 833), "{times:?}");
    let before = frames_of(&clip);
    let mirrored = |[left, top, right, bottom]: [f32; 4]| [1.0 - right, top, 1.0 - left, bottom];
    for (how, his_stays) in [("--keep", true), ("--only", false)] {
        let output = cli.folder().join(format!("{}.mkv", &how[2..]));
        redact(&cli, &clip, &output, &[&[how, "1"], &GREEN[..]].concat()).expect_code(0);
        let after = frames_of(&output);
        assert_eq!(after.len(), 45);
        for (number, (before, after)) in before.iter().zip(&after).enumerate() {
            let is_first = number < 25;
            let places = if is_first {
                [HIS, HERS]
            } else {
                [HIS, HERS].map(mirrored)
            };
            // Of the second shot nobody was chosen; with `--only`, all but one are visible.
            let visible = [is_first == his_stays, !his_stays];
            let visible = if is_first {
                visible
            } else {
                [!his_stays, !his_stays]
            };
            for (place, visible) in places.into_iter().zip(visible) {
                match visible {
                    true => assert_eq!(luma(after, place), luma(before, place), "{how} {number}"),
                    false => assert!(is_covered(after, place), "{how} {number}"),
                }
            }
        }
    }
}

#[test]
fn whoever_passes_a_face_that_stays_visible_stays_covered() {
    // She goes through the picture in front of him.
    let filter = "[0:v]scale=540:360,setsar=1,fps=15,pad=960:360:0:0[m];\
                  [1:v]scale=-2:360,crop=300:300,setsar=1,fps=15[w];\
                  [m][w]overlay=x='760-220*t':y=30:shortest=1,format=yuv420p";
    let Some((cli, clip)) = with_clip(filter, &["-t", "4"]) else {
        return;
    };
    let faces = list(&cli, &clip);
    let middle = |face: &Value| {
        let side = |n: usize| face["sides"][n].as_f64().unwrap();
        0.5 * (side(0) + side(2))
    };
    let seconds = |face: &Value| face["at_micros"].as_f64().unwrap() / 1e6;
    // The middle of her face in the picture that goes by.
    let hers = |at: f64| (760.0 - 220.0 * at + 124.0) / 960.0;
    let is_hers = |face: &Value| (middle(face) - hers(seconds(face))).abs() < 0.05;
    let number = |face: &Value| face["number"].to_string();
    let she = faces.iter().find(|face| is_hers(face)).unwrap();
    let he = faces.iter().find(|face| !is_hers(face)).unwrap();
    assert!(
        he["to_micros"].as_i64().unwrap() < 3_000_000,
        "he ends where she hides him"
    );
    for (face, others) in [(she, false), (he, true)] {
        let output = cli.folder().join("kept.mkv");
        let more = ["--keep", &number(face), "--overwrite"];
        redact(&cli, &clip, &output, &[&more, &GREEN[..]].concat()).expect_code(0);
        let left = list(&cli, &output);
        assert!(!left.is_empty());
        for one in &left {
            assert_eq!(is_hers(one), !others, "{one:#?}");
        }
    }
}

#[test]
fn a_face_of_a_picture_stays_visible_and_a_number_that_there_is_not_is_refused() {
    let (Some(model), Some(portrait)) = (test_data(FACES), test_data(PORTRAIT)) else {
        return;
    };
    let cli = Cli::new();
    cli.run(["models", "import", &text(&model), "--id", "faces"])
        .expect_code(0);
    assert_eq!(list(&cli, &portrait).len(), 1);
    let output = cli.folder().join("out.png");
    redact(&cli, &portrait, &output, &["--keep", "1"]).expect_code(0);
    let pixels = |path: &Path| image::open(path).unwrap().to_rgb8();
    assert_eq!(pixels(&output), pixels(&portrait));
    redact(&cli, &portrait, &output, &["--only", "1", "--overwrite"]).expect_code(0);
    assert_ne!(pixels(&output), pixels(&portrait));
    let refused = redact(&cli, &portrait, &output, &["--keep", "2"]).expect_code(2);
    assert!(refused.stderr.contains("numbers 1 to 1"), "{refused:?}");
    let two = [text(&portrait), text(&portrait)];
    let refused = cli
        .run(["redact", &two[0], &two[1], "--list"])
        .expect_code(2);
    assert!(refused.stderr.contains("one file at a time"), "{refused:?}");
    // The sheet shows it.
    let sheet = cli.folder().join("faces.png");
    cli.run(["redact", &two[0], "--list", "--sheet", &text(&sheet)])
        .expect_code(0);
    assert!(pixels(&sheet).width() > 100);
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_job_resumes_to_the_very_same_faces() {
    let filter = format!("{BESIDE},scale=480:180");
    let Some((cli, one)) = with_clip(&filter, &[]) else {
        return;
    };
    // Long enough for several segments.
    let clip = cli.folder().join("long.mkv");
    let input = text(&one);
    let long = [
        "-stream_loop",
        "2",
        "-i",
        &input,
        "-c:v",
        "libx264",
        "-crf",
        "18",
    ];
    if !ffmpeg(&[&long[..], &[&text(&clip)]].concat()) {
        return;
    }
    let whole = cli.folder().join("whole.mp4");
    redact(&cli, &clip, &whole, &["--quick", "--keep", "1"]).expect_code(0);
    let resumed = cli.folder().join("resumed.mp4");
    let (input, output) = (text(&clip), text(&resumed));
    let id = cli.killed_midway(
        ["redact", &input, "-o", &output, "--quick", "--keep", "1"],
        &resumed,
    );
    cli.run(["jobs", "resume", &id]).expect_code(0);
    assert_eq!(
        std::fs::read(&resumed).unwrap(),
        std::fs::read(&whole).unwrap(),
        "the resumed file differs"
    );
    // He is visible all the time, she never.
    let (before, after) = (frames_of(&clip), frames_of(&whole));
    let apart = |a: &Frame, b: &Frame, place| {
        let (a, b) = (luma(a, place), luma(b, place));
        let sum: u32 = a
            .iter()
            .zip(&b)
            .map(|(a, b)| u32::from(a.abs_diff(*b)))
            .sum();
        f64::from(sum) / a.len() as f64
    };
    for (number, (before, after)) in before.iter().zip(&after).enumerate() {
        let (his, hers) = (apart(before, after, HIS), apart(before, after, HERS));
        assert!(his < 4.0 && hers > 8.0, "{number}: {his} {hers}");
    }
}
