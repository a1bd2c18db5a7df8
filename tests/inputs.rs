//! Graphs with several inputs: pictures over others, text, clips one after another.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::graphs::{run_with, wired};
use e2e::*;
use frameloom_core::media::StreamKind;
use frameloom_core::pixel::{AnyPlane, PixelFormat, Planes};
use frameloom_media::{Converter, Frame, FramePool, Reader, ReaderOptions};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const LOSSLESS: &[&str] = &["--codec", "ffv1", "--quality", "lossless"];

/// Seconds of a frame of the demo clip.
fn seconds(frame: &Frame) -> f64 {
    frame.pts() as f64 / 12_800.0
}

fn pictures(path: &Path) -> Vec<Frame> {
    let mut reader = Reader::open(path, &ReaderOptions::default()).unwrap();
    std::iter::from_fn(|| reader.next_frame().unwrap()).collect()
}

/// The samples of a plane of 8 bits, row by row.
fn plane(frame: &Frame, index: usize) -> Vec<Vec<u8>> {
    let AnyPlane::U8(plane) = frame.plane(index) else {
        panic!("{:?}", frame.format());
    };
    (0..plane.height).map(|y| plane.row(y).to_vec()).collect()
}

/// R, G and B, row by row.
fn rgb(frame: &Frame) -> [Vec<Vec<u8>>; 3] {
    let format = PixelFormat {
        planes: Planes::Gbr,
        bits: 8,
        alpha: false,
    };
    let frame = frameloom_media::convert(frame, format).unwrap();
    [2, 0, 1].map(|index| plane(&frame, index))
}

fn rgb_at(frame: &Frame, x: usize, y: usize) -> [u8; 3] {
    rgb(frame).map(|plane| plane[y][x])
}

/// A logo: red on the left, nothing on the right, although its pixels there are white.
fn write_logo(path: &Path) {
    image::RgbaImage::from_fn(40, 20, |x, _| {
        image::Rgba(if x < 20 {
            [200, 30, 40, 255]
        } else {
            [255, 255, 255, 0]
        })
    })
    .save(path)
    .unwrap();
}

#[test]
fn a_logo_covers_what_it_covers_and_nothing_else() {
    let cli = Cli::new();
    let logo = cli.folder().join("logo.png");
    write_logo(&logo);
    let document = wired(
        &cli,
        "logo.json",
        &[
            ("clip", "source", json!({})),
            ("logo", "source", json!({"name": "logo"})),
            (
                "over",
                "overlay",
                json!({"anchor": "bottom_right", "x": 16, "y": 8,
                    "start": {"num": 1, "den": 2}, "end": {"num": 1, "den": 1}}),
            ),
            ("out", "sink", json!({})),
        ],
        &["clip over", "logo over.over", "over out"],
    );
    let output = cli.folder().join("out.mkv");
    cli.run(run_with(
        &document,
        &[("", &demo_clip()), ("logo", &logo)],
        &output,
        LOSSLESS,
    ))
    .expect_code(0);
    let (before, after) = (pictures(&demo_clip()), pictures(&output));
    assert_eq!(before.len(), after.len());
    let (left, top) = (640 - 16 - 40, 360 - 8 - 20);
    let mut covered = 0;
    for (a, b) in before.iter().zip(&after) {
        let seconds = seconds(a);
        let shown = (0.5..1.0).contains(&seconds);
        covered += u32::from(shown);
        for index in 0..3 {
            let half = usize::from(index > 0);
            for (y, (a, b)) in plane(a, index).iter().zip(&plane(b, index)).enumerate() {
                for (x, (a, b)) in a.iter().zip(b).enumerate() {
                    let red = (left >> half..(left + 20) >> half).contains(&x)
                        && (top >> half..(top + 20) >> half).contains(&y);
                    assert!(
                        shown && red || a == b,
                        "plane {index} at {x}, {y}, {seconds} s"
                    );
                }
            }
        }
        if shown {
            let found = rgb_at(b, left + 10, top + 10);
            for (value, wanted) in found.iter().zip([200u8, 30, 40]) {
                assert!(value.abs_diff(wanted) <= 3, "{found:?}");
            }
        }
    }
    assert!(covered > 5, "{covered}");
}

#[test]
fn a_logo_lies_on_a_still_picture_too() {
    let cli = Cli::new();
    let (photo, logo) = (
        cli.folder().join("photo.png"),
        cli.folder().join("logo.png"),
    );
    write_png(&photo, 90, 60, pattern).unwrap();
    write_logo(&logo);
    let document = wired(
        &cli,
        "logo.json",
        &[
            ("photo", "source", json!({})),
            ("logo", "source", json!({"name": "logo"})),
            ("over", "overlay", json!({"x": 5, "y": 7, "opacity": 0.5})),
            ("out", "sink", json!({})),
        ],
        &["photo over", "logo over.over", "over out"],
    );
    let output = cli.folder().join("out.png");
    cli.run(run_with(
        &document,
        &[("main", &photo), ("logo", &logo)],
        &output,
        &[],
    ))
    .expect_code(0);
    // The receipt knows both sources.
    let logo_now = || {
        let verified = cli
            .run(["verify", output.to_str().unwrap(), "--json"])
            .expect_code(0)
            .json();
        assert_eq!(verified["genuine"], true);
        let findings = verified["findings"].as_array().unwrap().clone();
        let logo = findings.iter().find(|f| f["what"] == "input logo.png");
        logo.unwrap()["verdict"].clone()
    };
    let same = logo_now();
    fs::copy(&photo, &logo).unwrap();
    assert_ne!(logo_now(), same, "another logo does not pass for it");
    let before = image::open(&photo).unwrap().to_rgb8();
    let after = image::open(&output).unwrap().to_rgb8();
    for (x, y, pixel) in after.enumerate_pixels() {
        let source = before.get_pixel(x, y).0;
        let wanted = if (5..25).contains(&x) && (7..27).contains(&y) {
            [0, 1, 2].map(|c| ((u16::from(source[c]) + [200, 30, 40][c]) / 2) as u8)
        } else {
            source
        };
        for (found, wanted) in pixel.0.iter().zip(wanted) {
            assert!(
                found.abs_diff(wanted) <= 1,
                "{x}, {y}: {pixel:?} {wanted:?}"
            );
        }
    }
}

#[test]
fn subtitles_are_written_into_the_pictures_at_their_times() {
    let cli = Cli::new();
    let file = cli.folder().join("tiếng Việt, l'été: [1].srt");
    fs::write(
        &file,
        "1\n00:00:00,500 --> 00:00:01,000\nXin chào, l'été <i>{x}</i>\n",
    )
    .unwrap();
    let document = wired(
        &cli,
        "text.json",
        &[
            ("clip", "source", json!({})),
            (
                "text",
                "text",
                json!({"file": file, "size": 8, "color": "#00ff00"}),
            ),
            ("out", "sink", json!({})),
        ],
        &["clip text", "text out"],
    );
    let output = cli.folder().join("out.mkv");
    cli.run(run_with(
        &document,
        &[("", &demo_clip())],
        &output,
        LOSSLESS,
    ))
    .expect_code(0);
    let mut green = 0;
    for (a, b) in pictures(&demo_clip()).iter().zip(&pictures(&output)) {
        let seconds = seconds(a);
        let (before, after) = (plane(a, 0), plane(b, 0));
        assert_eq!(before[..200], after[..200], "the upper half stays");
        // The times of subtitles are whole hundredths.
        if (0.51..0.99).contains(&seconds) {
            assert_ne!(before[200..], after[200..], "{seconds} s");
            if green == 0 {
                let [red, grass, blue] = rgb(b);
                for ((red, grass), blue) in red.iter().zip(&grass).zip(&blue).skip(280) {
                    let letters = red.iter().zip(grass).zip(blue);
                    green += letters
                        .filter(|((r, g), b)| **g > 230 && **r < 30 && **b < 30)
                        .count();
                }
                assert!(green > 20, "letters have the colour that was asked for");
            }
        } else if !(0.49..1.01).contains(&seconds) {
            assert_eq!(before, after, "{seconds} s");
        }
    }
    assert!(green > 0);
}

/// The two halves of a clip, joined.
fn halves(cli: &Cli, more: &[(&str, &str, Value)], wires: &[&str]) -> PathBuf {
    let cut = json!({"num": 11, "den": 10});
    let mut nodes = vec![
        ("a", "source", json!({})),
        ("first", "trim", json!({"end": cut})),
        ("b", "source", json!({"name": "again"})),
        ("second", "trim", json!({"start": cut})),
        ("both", "concat", json!({})),
        ("out", "sink", json!({})),
    ];
    nodes.extend(more.iter().cloned());
    let mut all = vec!["a first", "first both", "b second", "second both"];
    all.extend(wires);
    wired(cli, "halves.json", &nodes, &all)
}

#[test]
fn the_halves_of_a_clip_joined_are_the_clip_frame_for_frame() {
    let cli = Cli::new();
    let document = halves(&cli, &[], &["both out"]);
    let output = cli.folder().join("out.mp4");
    let lossless = &["--quality", "lossless", "--codec", "h264"];
    let clip = demo_clip();
    cli.run(run_with(
        &document,
        &[("", &clip), ("again", &clip)],
        &output,
        lossless,
    ))
    .expect_code(0);
    assert_eq!(frames(&output).unwrap(), frames(&clip).unwrap());
    // Their sound came along, as long as the pictures.
    let length = |path: &Path| {
        let info = probe(path);
        let is_sound = |s: &&frameloom_core::media::StreamInfo| s.kind == StreamKind::Audio;
        let sound = info.streams.iter().find(is_sound).unwrap();
        sound.duration_ticks.unwrap() as f64 * sound.time_base.ratio().to_f64()
    };
    assert!((length(&output) - length(&clip)).abs() < 0.05);
}

#[test]
fn tracks_of_other_files_come_into_the_result_and_sound_gets_its_loudness() {
    let Some(music) = test_data("media/audio/sample.flac") else {
        return;
    };
    let cli = Cli::new();
    let subtitles = cli.folder().join("lines.srt");
    fs::write(&subtitles, "1\n00:00:01,000 --> 00:00:02,000\nXin chào\n").unwrap();
    let document = wired(
        &cli,
        "mux.json",
        &[
            ("clip", "source", json!({})),
            ("music", "source", json!({"name": "music"})),
            ("lines", "source", json!({"name": "lines"})),
            ("loud", "loudness", json!({"target": -18.0})),
            ("mux", "mux", json!({})),
            ("out", "sink", json!({})),
        ],
        &[
            "clip out",
            "clip.audio loud",
            "loud mux",
            "music.audio mux",
            "mux out.audio",
            "lines.subtitles mux.subtitles",
            "mux.subtitles out.subtitles",
        ],
    );
    let output = cli.folder().join("out.mkv");
    let job = cli
        .run(run_with(
            &document,
            &[("", &demo_clip()), ("music", &music), ("lines", &subtitles)],
            &output,
            &["--quality", "draft", "--json"],
        ))
        .expect_code(0)
        .json();
    let info = probe(&output);
    let codecs: Vec<&str> = info.streams.iter().map(|s| s.codec.as_str()).collect();
    assert_eq!(codecs, ["h264", "aac", "flac", "subrip"]);
    let id = job["id"].as_str().unwrap();
    let shown = cli
        .run(["jobs", "show", id, "--receipt"])
        .expect_code(0)
        .json();
    let loudness = &shown["checks"]["sound"][0]["loudness"];
    let measured = loudness["found"].as_f64().unwrap();
    assert!((measured + 18.0).abs() <= 0.5, "{loudness}");
    assert_eq!(shown["others"].as_array().unwrap().len(), 2);
    // MP4 cannot hold them all, and says so before anything is done.
    let ran = cli
        .run(run_with(
            &document,
            &[("", &demo_clip()), ("music", &music), ("lines", &subtitles)],
            &cli.folder().join("out.mp4"),
            &[],
        ))
        .expect_code(3);
    assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
}

#[test]
fn a_clip_of_another_shape_gets_bars_and_the_colours_of_the_first() {
    let Some(other) = test_data("media/video/h264_aac_16s_320x240_60fps.mp4") else {
        return;
    };
    let cli = Cli::new();
    let document = halves(&cli, &[], &["both out"]);
    let output = cli.folder().join("out.mkv");
    cli.run(run_with(
        &document,
        &[("", &demo_clip()), ("again", &other)],
        &output,
        LOSSLESS,
    ))
    .expect_code(0);
    let (first, second, all) = (pictures(&demo_clip()), pictures(&other), pictures(&output));
    let cut = first.iter().filter(|f| seconds(f) < 1.1).count();
    let picture = &all[cut];
    assert_eq!((picture.width(), picture.height()), (640, 360));
    assert_eq!(picture.color(), all[0].color());
    // Bars of 80 pixels, the picture between them.
    assert_eq!(rgb_at(picture, 40, 180), [0, 0, 0]);
    assert_eq!(rgb_at(picture, 600, 180), [0, 0, 0]);
    let (stream, _) = probe(&other)
        .main_video()
        .map(|(stream, video)| (stream.clone(), video.clone()))
        .unwrap();
    let base = 1.0 / stream.time_base.ratio().to_f64();
    let source = second
        .iter()
        .find(|f| f.pts() as f64 >= 1.1 * base)
        .unwrap();
    let pool = FramePool::new(source.format(), 480, 360).unwrap();
    let source = Converter::new().convert(source, &pool).unwrap();
    let (wanted, found) = (rgb(&source), rgb(picture));
    let (mut difference, mut count) = (0.0, 0.0);
    for (wanted, found) in wanted.iter().zip(&found) {
        for (wanted, found) in wanted.iter().zip(found) {
            for (a, b) in wanted.iter().zip(&found[80..]) {
                difference += f64::from(a.abs_diff(*b));
                count += 1.0;
            }
        }
    }
    assert!(difference / count < 3.0, "{}", difference / count);
}

#[test]
fn a_killed_run_of_several_clips_resumes_to_the_very_same_file() {
    let cli = Cli::new();
    let clip = demo_clip();
    let document = halves(
        &cli,
        &[
            ("pip", "source", json!({"name": "pip"})),
            ("small", "trim", json!({"end": {"num": 2, "den": 5}})),
            (
                "over",
                "overlay",
                json!({"anchor": "top_right", "width": 0.3, "after": "repeat"}),
            ),
            (
                "beside",
                "overlay",
                json!({"anchor": "left", "width": 0.4, "opacity": 0.7}),
            ),
            ("less", "resize", json!({"width": 320, "height": 180})),
            ("slow", "denoise", json!({})),
        ],
        &[
            "both less",
            "less slow",
            "slow over",
            "pip small",
            "small over.over",
            "pip beside.over",
            "over beside",
            "beside out",
        ],
    );
    let inputs = [("", &*clip), ("again", &*clip), ("pip", &*clip)];
    let expected = cli.folder().join("expected.mp4");
    let output = cli.folder().join("out.mp4");
    cli.run(run_with(&document, &inputs, &expected, &[]))
        .expect_code(0);
    // As the first clip is done, and in the middle of the second.
    for wait in [0, 400] {
        let _ = fs::remove_file(&output);
        let mut child = cli.start(run_with(&document, &inputs, &output, &[]));
        let since = Instant::now();
        while cli.parts() == 0 && child.try_wait().unwrap().is_none() {
            assert!(since.elapsed().as_secs() < 300, "no segment was finished");
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        while cli.jobs().last().unwrap()["state"] == "running" {
            assert!(since.elapsed().as_secs() < 300, "the worker goes on");
            std::thread::sleep(Duration::from_millis(100));
        }
        let id = cli.jobs().last().unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        cli.run(["jobs", "resume", &id]).expect_code(0);
        assert!(
            fs::read(&output).unwrap() == fs::read(&expected).unwrap(),
            "a resumed result must equal an undisturbed one, byte for byte"
        );
    }
}

#[test]
fn wrong_inputs_are_refused_before_anything_is_done() {
    let cli = Cli::new();
    let picture = cli.folder().join("still.png");
    write_png(&picture, 20, 10, pattern).unwrap();
    let clip = demo_clip();
    let output = cli.folder().join("out/never.mp4");
    let document = halves(&cli, &[], &["both out"]);
    let refused = |inputs: &[(&str, &Path)], output: &Path, code: i32, part: &str| {
        let ran = cli
            .run(run_with(&document, inputs, output, &["--overwrite"]))
            .expect_code(code);
        assert!(ran.stderr.contains(part), "{part:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    };
    refused(&[("", &clip)], &output, 2, "--in again=FILE");
    refused(
        &[("", &clip), ("again", &clip), ("third", &clip)],
        &output,
        2,
        "no input `third`",
    );
    refused(&[("", &clip), ("main", &clip)], &output, 2, "Two files");
    refused(
        &[("", &clip), ("again", Path::new("/nowhere.mp4"))],
        &output,
        3,
        "/nowhere.mp4",
    );
    refused(&[("", &clip), ("again", &picture)], &output, 2, "`b`");
    let copy = cli.folder().join("copy.mp4");
    fs::copy(&clip, &copy).unwrap();
    let before = fs::read(&copy).unwrap();
    cli.run(run_with(
        &document,
        &[("", &clip), ("again", &copy)],
        &copy,
        &["--overwrite", "--quality", "draft"],
    ));
    assert!(
        fs::read(&copy).unwrap() == before,
        "no input is overwritten"
    );
    if let Some(hdr) = test_data("media/video/hdr10_av1.mp4") {
        refused(&[("", &clip), ("again", &hdr)], &output, 2, "HDR");
    }
    assert!(!output.exists());
}

/// Numbered pictures of one grey each.
fn write_greys(folder: &Path, name: &str, greys: &[u8]) -> PathBuf {
    for (number, grey) in greys.iter().enumerate() {
        image::RgbImage::from_pixel(64, 48, image::Rgb([*grey; 3]))
            .save(folder.join(format!("{name}_{number:03}.png")))
            .unwrap();
    }
    folder.join(format!("{name}_%03d.png"))
}

#[test]
fn any_input_of_a_graph_may_be_numbered_pictures() {
    let cli = Cli::new();
    let folder = cli.folder();
    let main = write_greys(&folder, "main", &[10, 20, 30, 40]);
    let more = write_greys(&folder, "more", &[200, 150, 100]);
    let joined = wired(
        &cli,
        "joined.json",
        &[
            ("a", "source", json!({})),
            ("b", "source", json!({"name": "b"})),
            ("both", "concat", json!({})),
            ("out", "sink", json!({})),
        ],
        &["a both", "b both", "both out"],
    );
    let rate = [LOSSLESS, &["--rate", "25"]].concat();
    let output = folder.join("joined.mkv");
    let inputs = [("main", main.as_path()), ("b", more.as_path())];
    let without = cli.run(run_with(&joined, &inputs, &output, LOSSLESS));
    assert!(without.expect_code(2).stderr.contains("--rate 24"));
    cli.run(run_with(&joined, &inputs, &output, &rate))
        .expect_code(0);
    let frames = pictures(&output);
    let greys: Vec<u8> = frames.iter().map(|f| rgb_at(f, 5, 5)[0]).collect();
    let wanted = [10u8, 20, 30, 40, 200, 150, 100];
    // What is joined goes through YUV, which has fewer steps.
    let is_near = |(a, b): (&u8, &u8)| a.abs_diff(*b) <= 1;
    assert_eq!(greys.len(), wanted.len());
    assert!(greys.iter().zip(&wanted).all(is_near), "{greys:?}");
    let times: Vec<i64> = frames.iter().map(Frame::pts).collect();
    assert!(times.windows(2).all(|t| t[1] - t[0] == 40), "{times:?}");
    cli.run(["verify".into(), output.clone().into_os_string()])
        .expect_code(0);

    // Over a file, which has times of its own.
    let over = wired(
        &cli,
        "over.json",
        &[
            ("clip", "source", json!({})),
            ("logo", "source", json!({"name": "logo"})),
            ("over", "overlay", json!({"x": 16, "y": 8})),
            ("out", "sink", json!({})),
        ],
        &["clip over", "logo over.over", "over out"],
    );
    let output = folder.join("over.mkv");
    let demo = demo_clip();
    let inputs = [("", demo.as_path()), ("logo", more.as_path())];
    cli.run(run_with(&over, &inputs, &output, &rate))
        .expect_code(0);
    for (frame, grey) in pictures(&output).iter().zip([200u8, 150, 100]) {
        let found = rgb_at(frame, 16 + 30, 8 + 20);
        assert!(found.iter().all(|v| v.abs_diff(grey) <= 2), "{found:?}");
    }

    // A picture that was changed since is told, by the name of its pattern.
    image::RgbImage::from_pixel(64, 48, image::Rgb([1, 2, 3]))
        .save(folder.join("more_001.png"))
        .unwrap();
    let verified = cli.run(["verify".into(), output.into_os_string()]);
    assert!(verified.stdout.contains("more_%03d.png"), "{verified:?}");
    assert!(verified.stdout.contains("another file"), "{verified:?}");
}
