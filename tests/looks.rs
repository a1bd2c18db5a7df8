//! Light, style and depth, through the real command line on real clips, with models as they come
//! from elsewhere.

use e2e::*;
use frameloom_core::pixel::AnyPlane;
use frameloom_media::Frame;
use std::path::{Path, PathBuf};

const DEPTH: &str = "models/depth/tcmonodepth_192x320.onnx";
/// The quickest one.
const LIGHT: &str = "models/lowlight/sci_360x640.onnx";
const STYLE: &str = "models/style/mosaic_nc8_256.onnx";
const TALK: &str = "media/video/h264_aac_face_1s.mp4";
const YARD: &str = "media/video/hevc_720p25_4s.ts";

const LOSSLESS: [&str; 4] = ["--codec", "ffv1", "--quality", "lossless"];

/// A program with a model called `id`; `None` where the test data is missing.
fn with_model(model: &str, id: &str, more: &[&str]) -> Option<Cli> {
    let model = text(&test_data(model)?);
    let cli = Cli::new();
    let import = [&["models", "import", &model, "--id", id][..], more].concat();
    cli.run(import).expect_code(0);
    Some(cli)
}

fn done(cli: &Cli, verb: &str, input: &Path, output: &Path, more: &[&str]) -> Ran {
    let (input, output) = (text(input), text(output));
    let all = [verb, &input, "-o", &output, "--device", "cpu"];
    cli.run(all.iter().chain(more)).expect_code(0)
}

/// A part of a clip in the size of the tests, without loss; `filter` changes it.
fn part_of(cli: &Cli, clip: &str, filter: &str) -> Option<PathBuf> {
    let (clip, part) = (test_data(clip)?, cli.folder().join("part.mkv"));
    let all = format!("scale=480:-2,{filter},format=yuv420p");
    let made = ffmpeg(&[
        "-t",
        "2",
        "-i",
        &text(&clip),
        "-an",
        "-vf",
        &all,
        "-c:v",
        "ffv1",
        &text(&part),
    ]);
    made.then_some(part)
}

/// The luma of a picture, 0 to 255.
fn luma(frame: &Frame) -> Vec<f32> {
    match frame.plane(0) {
        AnyPlane::U8(plane) => (0..plane.height)
            .flat_map(|y| plane.row(y).iter().map(|&v| f32::from(v)))
            .collect(),
        AnyPlane::U16(_) => panic!("eight bits are expected"),
    }
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64
}

/// How much a result flickers: the mean absolute difference between what `see` says of neighbouring
/// pictures of a shot, over the pixels whose luma in the source hardly changes between the two (by
/// no more than 3 of 255). Pictures whose luma differs by a tenth on average are of different shots.
fn flicker(source: &[Frame], result: &[Frame], see: impl Fn(f32, f32) -> f32) -> f64 {
    assert_eq!(source.len(), result.len());
    let before: Vec<Vec<f32>> = source.iter().map(luma).collect();
    let after: Vec<Vec<f32>> = result.iter().map(luma).collect();
    let (mut sum, mut count) = (0.0f64, 0u64);
    for (before, after) in before.windows(2).zip(after.windows(2)) {
        let pixels = before[0].iter().zip(&before[1]);
        let apart: f32 = pixels.clone().map(|(a, b)| (a - b).abs()).sum();
        if apart > 25.5 * before[0].len() as f32 {
            continue;
        }
        for ((a, b), (m, n)) in pixels.zip(after[0].iter().zip(&after[1])) {
            if (a - b).abs() <= 3.0 {
                sum += f64::from((see(*a, *m) - see(*b, *n)).abs());
                count += 1;
            }
        }
    }
    sum / count.max(1) as f64
}

/// The flicker of a result, each picture by itself and steadied.
fn both(
    cli: &Cli,
    source: &Path,
    verb: &str,
    more: &[&str],
    see: impl Fn(f32, f32) -> f32,
) -> (f64, f64) {
    let before = frames_of(source);
    let measured = |smooth: &str| {
        let output = cli.folder().join(format!("{verb}_{smooth}.mkv"));
        let more = [more, &["--smooth", smooth], &LOSSLESS].concat();
        done(cli, verb, source, &output, &more);
        flicker(&before, &frames_of(&output), &see)
    };
    let (alone, steady) = (measured("0"), measured("1"));
    eprintln!(
        "{verb}: {alone:.4} frame by frame, {steady:.4} steadied, {:.2}",
        steady / alone
    );
    (alone, steady)
}

#[test]
fn distances_of_real_clips_flicker_half_as_much_as_frame_by_frame() {
    for clip in [TALK, YARD] {
        let Some(cli) = with_model(DEPTH, "depth", &[]) else {
            return;
        };
        let Some(source) = part_of(&cli, clip, "null") else {
            return;
        };
        let (alone, steady) = both(&cli, &source, "depth", &[], |_, shown| shown);
        assert!(
            alone > 0.0 && steady <= 0.5 * alone,
            "{clip}: {steady} after {alone}"
        );
    }
}

#[test]
fn strokes_on_real_clips_flicker_half_as_much_as_frame_by_frame() {
    for clip in [TALK, YARD] {
        let Some(cli) = with_model(STYLE, "mosaic", &["--task", "style"]) else {
            return;
        };
        let Some(source) = part_of(&cli, clip, "null") else {
            return;
        };
        let (alone, steady) = both(&cli, &source, "style", &["--size", "480"], |_, shown| shown);
        assert!(
            alone > 0.0 && steady <= 0.5 * alone,
            "{clip}: {steady} after {alone}"
        );
    }
}

/// What a camera sees of a scene by night, from the scene by day: dark, and with the noise of it.
const NIGHT: &str =
    "curves=all='0/0 0.25/0.05 0.5/0.11 0.75/0.2 1/0.45',noise=c0s=3:c0f=t:all_seed=7";

#[test]
fn the_light_of_dark_clips_flickers_no_more_than_frame_by_frame() {
    for clip in [TALK, YARD] {
        let Some(cli) = with_model(LIGHT, "lamp", &[]) else {
            return;
        };
        let Some(source) = part_of(&cli, clip, NIGHT) else {
            return;
        };
        // By how many doublings a pixel became lighter, over what lies above black.
        let lighter = |own: f32, shown: f32| {
            let over = |v: f32| (v - 16.0).max(1.0);
            (over(shown) / over(own)).log2()
        };
        let (alone, steady) = both(&cli, &source, "light", &["--model", "lamp"], lighter);
        assert!(steady <= alone, "{clip}: {steady} after {alone}");
        both(&cli, &source, "light", &[], lighter);
    }
}

#[test]
fn a_dark_clip_becomes_lighter_and_what_is_bright_stays() {
    let cli = Cli::new();
    let Some(source) = part_of(&cli, YARD, NIGHT) else {
        return;
    };
    let output = cli.folder().join("light.mkv");
    done(&cli, "light", &source, &output, &LOSSLESS);
    let (before, after) = (frames_of(&source), frames_of(&output));
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        let (dark, light) = (luma(before), luma(after));
        assert!(
            mean(&light) > 1.3 * mean(&dark),
            "{} {}",
            mean(&light),
            mean(&dark)
        );
        let lost = light.iter().filter(|v| **v >= 235.0).count();
        let white = dark.iter().filter(|v| **v >= 200.0).count();
        assert!(lost <= white, "{lost} pixels are white");
        // Nothing but rounding makes a pixel darker.
        let darker = dark.iter().zip(&light).filter(|(a, b)| **b < **a - 1.0);
        assert_eq!(darker.count(), 0);
    }
}

#[test]
fn a_light_picture_stays_nearly_what_it_was() {
    let cli = Cli::new();
    let source = cli.folder().join("day.png");
    write_png(&source, 320, 200, |x, _| [200 + (x / 8) as u8; 3]).expect("it is written");
    let output = cli.folder().join("same.png");
    done(&cli, "light", &source, &output, &["--quality", "lossless"]);
    let open = |path: &Path| image::open(path).expect("it is a picture").to_luma8();
    let (before, after) = (open(&source), open(&output));
    for (a, b) in before.pixels().zip(after.pixels()) {
        let (a, b) = (i32::from(a.0[0]), i32::from(b.0[0]));
        assert!((-1..=24).contains(&(b - a)), "{a} became {b}");
    }
}

#[test]
fn what_is_near_is_bright_and_what_is_far_goes_out_of_focus_without_a_halo() {
    let Some(cli) = with_model(DEPTH, "depth", &[]) else {
        return;
    };
    let Some(source) = part_of(&cli, TALK, "null") else {
        return;
    };
    let before = frames_of(&source);
    let (width, height) = (before[0].width() as usize, before[0].height() as usize);
    let at = |frame: &Frame, (x, y): (f32, f32)| {
        luma(frame)[(y * height as f32) as usize * width + (x * width as f32) as usize]
    };
    // His chin, and the ceiling.
    let (chin, ceiling) = ((0.54, 0.78), (0.06, 0.3));
    let map = cli.folder().join("map.mkv");
    done(&cli, "depth", &source, &map, &LOSSLESS);
    let blurred = cli.folder().join("blurred.mkv");
    let blur = [&["--blur=3"][..], &LOSSLESS].concat();
    done(&cli, "depth", &source, &blurred, &blur);
    let (map, blurred) = (frames_of(&map), frames_of(&blurred));
    for index in [0, 12, 29] {
        let (near, far) = (at(&map[index], chin), at(&map[index], ceiling));
        assert!(near > far + 80.0, "frame {index}: {near} and {far}");
        // The lamps of the ceiling have edges; the face keeps every bit.
        let texture = |frame: &Frame| -> f32 {
            let rows = luma(frame);
            let rows = rows.chunks_exact(width).take(height / 4);
            let steps = rows.flat_map(|row| {
                let pairs = row[..width / 4].windows(2);
                pairs
                    .map(|pair| (pair[0] - pair[1]).abs())
                    .collect::<Vec<_>>()
            });
            steps.sum()
        };
        let (sharp, soft) = (texture(&before[index]), texture(&blurred[index]));
        assert!(soft < 0.5 * sharp, "frame {index}: {soft} of {sharp}");
        assert_eq!(
            at(&blurred[index], chin),
            at(&before[index], chin),
            "frame {index}"
        );
    }
    // Focused far away and with the foreground blurred, it is the other way round.
    let other = cli.folder().join("other.mkv");
    let near = [
        &["--blur=3", "--focus", "0", "--side", "foreground"][..],
        &LOSSLESS,
    ]
    .concat();
    done(&cli, "depth", &source, &other, &near);
    let other = frames_of(&other);
    let distances = luma(&map[12]);
    let mut farthest = 0;
    for (place, value) in distances.iter().enumerate() {
        if *value < distances[farthest] {
            farthest = place;
        }
    }
    let (kept, was) = (luma(&other[12])[farthest], luma(&before[12])[farthest]);
    assert!(
        (kept - was).abs() <= 1.0,
        "{was} became {kept} at {farthest}"
    );
    assert_ne!(at(&other[12], (0.42, 0.55)), at(&before[12], (0.42, 0.55)));
}

#[test]
fn pictures_are_painted_in_a_style_and_may_keep_their_colours() {
    let Some(cli) = with_model(STYLE, "mosaic", &["--task", "style"]) else {
        return;
    };
    let Some(portrait) = test_data("images/photo/modnet_portrait.jpg") else {
        return;
    };
    let open = |path: &Path| image::open(path).expect("it is a picture").to_rgb8();
    let before = open(&portrait);
    let made = |name: &str, more: &[&str]| {
        let output = cli.folder().join(name);
        let more = [&["--quality", "lossless"][..], more].concat();
        done(&cli, "style", &portrait, &output, &more);
        let after = open(&output);
        assert_eq!(after.dimensions(), before.dimensions());
        after
    };
    let apart = |a: &image::RgbImage, b: &image::RgbImage| {
        let all = a.as_raw().iter().zip(b.as_raw());
        all.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.as_raw().len() as f64
    };
    let whole = made("whole.png", &[]);
    let half = made("half.png", &["--strength", "0.5"]);
    let none = made("none.png", &["--strength", "0"]);
    let own = made("own.png", &["--keep-colors"]);
    assert!(apart(&whole, &before) > 20.0, "{}", apart(&whole, &before));
    let (part, all) = (apart(&half, &before), apart(&whole, &before));
    assert!((part / all - 0.5).abs() < 0.05, "{part} of {all}");
    assert!(apart(&none, &before) < 1.0, "{}", apart(&none, &before));
    // Differences of the channels are what colours are made of.
    let tint = |a: &image::RgbImage, b: &image::RgbImage| {
        let all = a.pixels().zip(b.pixels()).map(|(a, b)| {
            let of = |p: &image::Rgb<u8>| f64::from(p.0[0]) - f64::from(p.0[2]);
            (of(a) - of(b)).abs()
        });
        all.sum::<f64>() / f64::from(a.width() * a.height())
    };
    assert!(tint(&own, &before) < 0.5 * tint(&whole, &before));
}

#[test]
#[cfg(target_os = "linux")]
fn killed_jobs_resume_to_the_very_same_pictures() {
    for (model, id, verb, more) in [
        (DEPTH, "depth", "depth", &[][..]),
        (STYLE, "mosaic", "style", &["--task", "style"][..]),
    ] {
        let quick: &[&str] = match verb {
            "style" => &["--size", "256"],
            _ => &[],
        };
        let Some(cli) = with_model(model, id, more) else {
            return;
        };
        let Some(talk) = test_data(TALK) else { return };
        // Long enough for several segments, with a cut at each repetition.
        let source = cli.folder().join("long.mkv");
        let filter = "fps=10,scale=240:160,noise=alls=6:allf=t";
        if !ffmpeg(&[
            "-stream_loop",
            "11",
            "-i",
            &text(&talk),
            "-an",
            "-vf",
            filter,
            "-c:v",
            "libx264",
            "-crf",
            "18",
            &text(&source),
        ]) {
            return;
        }
        let whole = cli.folder().join("whole.mkv");
        done(&cli, verb, &source, &whole, quick);
        let resumed = cli.folder().join("resumed.mkv");
        let (input, output) = (text(&source), text(&resumed));
        let all = [&[verb, &input, "-o", &output, "--device", "cpu"], quick].concat();
        let mut child = cli.start(all);
        wait_until("a finished segment", || cli.parts() > 0);
        signal(child.id(), "KILL");
        child.wait().expect("it ends");
        wait_until("the end of the worker", || {
            e2e::torture::workers_of(&cli).is_empty()
        });
        assert!(!resumed.exists(), "it was killed too late");
        let jobs = cli.jobs();
        let job = jobs.iter().find(|job| job["state"] == "interrupted");
        let id = job
            .and_then(|job| job["id"].as_str())
            .expect("it was interrupted");
        cli.run(["jobs", "resume", id]).expect_code(0);
        let read = |path: &Path| std::fs::read(path).expect("it is there");
        assert!(
            read(&resumed) == read(&whole),
            "{verb}: not the same, byte for byte"
        );
    }
}

#[test]
fn what_is_missing_or_does_something_else_is_named_with_a_remedy() {
    let Some(talk) = test_data(TALK) else { return };
    let input = text(&talk);
    let bare = Cli::new();
    let told = bare.run(["depth", &input]).expect_code(2);
    assert!(
        told.stderr
            .contains("No model is installed that tells distances"),
        "{told:?}"
    );
    assert!(told.stderr.contains("models get depth-tcmono"), "{told:?}");
    let told = bare.run(["style", &input]).expect_code(2);
    assert!(told.stderr.contains("--task style"), "{told:?}");
    for (verb, says) in [
        ("light", "does not make pictures lighter"),
        ("style", "not one of a style"),
        ("depth", "tells no distances"),
    ] {
        let told = bare.run([verb, &input, "--model", "loom-x2"]);
        assert_ne!(told.code, Some(0));
        assert!(told.stderr.contains(says), "{told:?}");
    }
    let told = bare
        .run(["light", &input, "--strength", "1.5"])
        .expect_code(2);
    assert!(told.stderr.contains("0 to 1 is."), "{told:?}");
    // One that sees pictures whole enlarges none.
    let Some(cli) = with_model(DEPTH, "depth", &[]) else {
        return;
    };
    let told = cli.run(["upscale", &input, "--model", "depth"]);
    assert_ne!(told.code, Some(0));
    assert!(told.stderr.contains("enlarges nothing"), "{told:?}");
}
