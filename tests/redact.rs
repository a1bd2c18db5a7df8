//! Faces, text and areas made unrecognisable, through the real command line on real people, with
//! detectors as they come from elsewhere.

use e2e::*;
use frameloom_core::pixel::AnyPlane;
use frameloom_media::Frame;
use std::path::{Path, PathBuf};

const FACES: &str = "models/face/ultraface-RFB-320.onnx";
const TEXT: &str = "models/ocr/en_PP-OCRv3_det.onnx";
const PORTRAIT: &str = "images/photo/modnet_portrait.jpg";
const TALK: &str = "media/video/h264_aac_face_1s.mp4";

/// A program with a detector called `id`, and the file of the test data that is worked on. `None`
/// where the data is missing.
fn with_model(model: &str, id: &str, file: &str) -> Option<(Cli, PathBuf)> {
    let (model, file) = (test_data(model)?, test_data(file)?);
    let cli = Cli::new();
    let told = cli.run(["models", "import", &text(&model), "--id", id]);
    let told = told.expect_code(0);
    assert!(
        told.stdout.contains(&format!("--model {id}")) && told.stdout.contains("redact FILE"),
        "{told:?}"
    );
    Some((cli, file))
}

fn redact(cli: &Cli, input: &Path, output: &Path, more: &[&str]) -> Ran {
    let (input, output) = (text(input), text(output));
    let all = ["redact", &input, "-o", &output];
    cli.run(all.iter().chain(more))
}

/// A sample of a plane, at a place in parts of the sides.
fn at(frame: &Frame, index: usize, (x, y): (f32, f32)) -> u16 {
    match frame.plane(index) {
        AnyPlane::U8(plane) => {
            let row = plane.row((y * plane.height as f32) as usize);
            u16::from(row[(x * plane.width as f32) as usize])
        }
        AnyPlane::U16(plane) => {
            plane.row((y * plane.height as f32) as usize)[(x * plane.width as f32) as usize]
        }
    }
}

/// In the talk: his nose, and the ceiling. On the portrait: hers, and the wall.
const NOSE: (f32, f32) = (0.54, 0.62);
const CEILING: (f32, f32) = (0.06, 0.3);

/// Every bit of the result is that of the filter.
const LOSSLESS: [&str; 4] = ["--codec", "ffv1", "--quality", "lossless"];

#[test]
fn a_face_stays_covered_where_the_detector_misses_it() {
    let Some((cli, talk)) = with_model(FACES, "faces", TALK) else {
        return;
    };
    // For five pictures it is out of focus so much that no detector finds it.
    let source = cli.folder().join("blurred.mkv");
    let blur = "gblur=sigma=24:steps=3:enable='between(n,12,16)'";
    if !ffmpeg(&[
        "-i",
        &text(&talk),
        "-an",
        "-vf",
        blur,
        "-c:v",
        "ffv1",
        &text(&source),
    ]) {
        return;
    }
    let output = cli.folder().join("out.mkv");
    let green = [&["--fill=#00ff00"], &LOSSLESS[..]].concat();
    redact(&cli, &source, &output, &green).expect_code(0);
    let (before, after) = (frames_of(&source), frames_of(&output));
    assert_eq!((before.len(), after.len()), (30, 30));
    let green = [0, 1, 2].map(|plane| at(&after[0], plane, NOSE));
    for (number, (before, after)) in before.iter().zip(&after).enumerate() {
        let shown = [0, 1, 2].map(|plane| at(after, plane, NOSE));
        assert_eq!(shown, green, "frame {number}");
        assert_eq!(
            at(after, 0, CEILING),
            at(before, 0, CEILING),
            "frame {number}"
        );
    }
    assert_ne!(green[0], at(&before[0], 0, NOSE));
    // By itself that picture shows no face: what covered it was remembered.
    let still = cli.folder().join("still.png");
    let select = "select=eq(n\\,14)";
    ffmpeg(&[
        "-i",
        &text(&source),
        "-vf",
        select,
        "-frames:v",
        "1",
        &text(&still),
    ]);
    let alone = cli.folder().join("alone.png");
    redact(&cli, &still, &alone, &["--fill=#00ff00"]).expect_code(0);
    let pixels = |path: &Path| image::open(path).unwrap().to_rgb8();
    assert_eq!(pixels(&alone), pixels(&still));
}

#[test]
fn a_face_in_a_picture_goes_and_the_rest_stays() {
    let Some((cli, portrait)) = with_model(FACES, "faces", PORTRAIT) else {
        return;
    };
    let before = image::open(&portrait).unwrap().to_rgb8();
    for (name, how) in [
        ("blur.png", None),
        ("squares.png", Some("--pixelate")),
        ("black.png", Some("--fill")),
    ] {
        let output = cli.folder().join(name);
        redact(&cli, &portrait, &output, how.as_slice()).expect_code(0);
        let after = image::open(&output).unwrap().to_rgb8();
        assert_eq!(after.dimensions(), before.dimensions());
        // What changed is one place, and not a small one.
        let changed: Vec<(u32, u32)> = after
            .enumerate_pixels()
            .filter(|(x, y, pixel)| before.get_pixel(*x, *y) != *pixel)
            .map(|(x, y, _)| (x, y))
            .collect();
        let share = changed.len() as f64 / f64::from(after.width() * after.height());
        assert!((0.01..0.4).contains(&share), "{name}: {share}");
        assert_eq!(
            before.get_pixel(920, 400),
            after.get_pixel(920, 400),
            "{name}"
        );
    }
}

#[test]
fn tags_places_and_covers_go_with_the_faces_unless_they_are_to_stay() {
    let Some((cli, talk)) = with_model(FACES, "faces", TALK) else {
        return;
    };
    let source = cli.folder().join("told.mp4");
    let made = ffmpeg(&[
        "-i",
        &text(&talk),
        "-map_metadata",
        "-1",
        "-metadata",
        "title=At home",
        "-metadata",
        "location=+52.5200+013.4050/",
        "-metadata:s:a",
        "language=deu",
        "-metadata:s:a",
        "handler_name=Phone of Anna",
        "-c",
        "copy",
        &text(&source),
    ]);
    if !made {
        return;
    }
    let tags = |path: &Path| {
        let info = cli.run(["probe", &text(path), "--json"]);
        info.expect_code(0).stdout
    };
    assert!(tags(&source).contains("52.5200"));
    let bare = cli.folder().join("bare.mp4");
    redact(&cli, &source, &bare, &[]).expect_code(0);
    let told = tags(&bare);
    for word in ["52.52", "At home", "Anna"] {
        assert!(!told.contains(word), "{word}: {told}");
        let bytes = std::fs::read(&bare).unwrap();
        let found = bytes
            .windows(word.len())
            .any(|part| part == word.as_bytes());
        assert!(!found, "`{word}` stands in the file");
    }
    assert!(told.contains("deu"), "the language stays: {told}");
    let kept = cli.folder().join("kept.mp4");
    redact(&cli, &source, &kept, &["--keep-metadata"]).expect_code(0);
    assert!(tags(&kept).contains("At home"));
}

#[test]
fn what_a_camera_wrote_into_a_picture_goes_with_what_is_covered() {
    let Some(source) = test_data("images/exif/Landscape_6.jpg") else {
        return;
    };
    let cli = Cli::new();
    let output = cli.folder().join("out.jpg");
    let area = ["--only-areas", "--area", "0 0 50 50"];
    let has_exif = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(6).any(|part| part == b"Exif\0\0")
    };
    assert!(has_exif(&source));
    redact(&cli, &source, &output, &area).expect_code(0);
    assert!(!has_exif(&output));
    // It stands upright all the same.
    let sides = |path: &Path| image::open(path).unwrap().to_rgb8().dimensions();
    assert_eq!(sides(&output), (sides(&source).1, sides(&source).0));
    redact(
        &cli,
        &source,
        &output,
        &[&area[..], &["--keep-metadata", "--overwrite"]].concat(),
    )
    .expect_code(0);
    assert!(has_exif(&output));
}

#[test]
fn areas_are_covered_at_their_times_without_any_model() {
    let cli = Cli::new();
    let demo = demo_clip();
    let output = cli.folder().join("areas.mkv");
    let more = [
        &[
            "--only-areas",
            "--area",
            "0 0 25 50",
            "--area",
            "75,75,25,25 from 1 to 2",
            "--fill=#000000",
        ],
        &LOSSLESS[..],
    ]
    .concat();
    redact(&cli, &demo, &output, &more).expect_code(0);
    let (before, after) = (frames_of(&demo), frames_of(&output));
    let rate = before.len() as f32 / (probe(&demo).duration_micros.unwrap() as f32 / 1e6);
    for (number, (before, after)) in before.iter().zip(&after).enumerate() {
        let seconds = number as f32 / rate;
        assert_eq!(at(after, 0, (0.1, 0.2)), 16, "frame {number}");
        assert_eq!(at(after, 0, (0.4, 0.4)), at(before, 0, (0.4, 0.4)));
        let corner = (0.9, 0.9);
        if (1.05..1.95).contains(&seconds) {
            assert_eq!(at(after, 0, corner), 16, "frame {number}");
        } else if !(0.95..2.05).contains(&seconds) {
            assert_eq!(
                at(after, 0, corner),
                at(before, 0, corner),
                "frame {number}"
            );
        }
    }
    let refused = redact(
        &cli,
        &demo,
        &output,
        &["--only-areas", "--area", "0 0 200 5"],
    );
    let refused = refused.expect_code(2);
    assert!(refused.stderr.contains("is no area"), "{refused:?}");
    let refused = redact(&cli, &demo, &output, &["--overwrite"]).expect_code(2);
    assert!(
        refused
            .stderr
            .contains("No model is installed that finds faces"),
        "{refused:?}"
    );
}

#[test]
fn letters_are_found_and_covered() {
    let Some((cli, _)) = with_model(TEXT, "text", PORTRAIT) else {
        return;
    };
    let source = cli.folder().join("sign.png");
    let sign = "color=0xd0c8b0:s=800x450,drawtext=text='SECRET 4711':fontsize=60:x=200:y=180:fontcolor=black";
    if !ffmpeg(&["-f", "lavfi", "-i", sign, "-frames:v", "1", &text(&source)]) {
        return;
    }
    let output = cli.folder().join("out.png");
    redact(&cli, &source, &output, &["--text"]).expect_code(0);
    let (before, after) = (image::open(&source).unwrap(), image::open(&output).unwrap());
    // Nothing dark and sharp is left.
    let darkest = |picture: &image::DynamicImage| picture.to_luma8().pixels().map(|p| p.0[0]).min();
    assert!(darkest(&before) < Some(30), "{:?}", darkest(&before));
    assert!(darkest(&after) > Some(90), "{:?}", darkest(&after));
    let faces = redact(&cli, &source, &output, &["--overwrite"]).expect_code(2);
    assert!(faces.stderr.contains("finds faces"), "{faces:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_job_resumes_to_the_very_same_redaction() {
    let Some((cli, talk)) = with_model(FACES, "faces", TALK) else {
        return;
    };
    // Long enough for several segments, with a cut at each repetition.
    let source = cli.folder().join("long.mkv");
    if !ffmpeg(&[
        "-stream_loop",
        "11",
        "-i",
        &text(&talk),
        "-an",
        "-vf",
        "scale=360:240,noise=alls=6:allf=t",
        "-c:v",
        "libx264",
        "-crf",
        "18",
        &text(&source),
    ]) {
        return;
    }
    let whole = cli.folder().join("whole.mp4");
    redact(&cli, &source, &whole, &["--quick"]).expect_code(0);
    let resumed = cli.folder().join("resumed.mp4");
    let (input, output) = (text(&source), text(&resumed));
    let id = cli.killed_midway(["redact", &input, "-o", &output, "--quick"], &resumed);
    cli.run(["jobs", "resume", &id]).expect_code(0);
    assert_eq!(
        std::fs::read(&resumed).unwrap(),
        std::fs::read(&whole).unwrap(),
        "the resumed file differs"
    );
}

/// Loudness of a stretch in dB of full scale.
fn level(sound: &[f64], rate: i64, from: f64, to: f64) -> f64 {
    let at = |seconds: f64| (seconds * rate as f64) as usize;
    let part = &sound[at(from)..at(to)];
    let power = part.iter().map(|v| v * v).sum::<f64>() / part.len() as f64;
    10.0 * (power + 1e-12).log10()
}

#[test]
fn names_in_the_sound_are_covered_and_the_rest_is_as_it_was() {
    const RATE: i64 = 16_000;
    let Some(speech) = test_data("media/speech/jfk_11s.flac") else {
        return;
    };
    let cli = Cli::new();
    let source = cli.folder().join("talk.mp4");
    let picture = "color=c=gray:s=192x108:r=25:d=11";
    let made = [
        "-f",
        "lavfi",
        "-i",
        picture,
        "-i",
        &text(&speech),
        "-c:a",
        "aac",
    ];
    if !ffmpeg(&[&made[..], &["-shortest", &text(&source)]].concat()) {
        return;
    }
    let output = cli.folder().join("out.mp4");
    let told = redact(&cli, &source, &output, &["--only-areas"]).expect_code(2);
    assert!(told.stderr.contains("No area is named"), "{told:?}");
    let wrong = ["--only-areas", "--mute", "3-2"];
    let told = redact(&cli, &source, &output, &wrong).expect_code(2);
    assert!(told.stderr.contains("cannot be read"), "{told:?}");
    let covers = [
        "--only-areas",
        "--mute",
        "0.5-1.5",
        "--mute",
        "8-8.5",
        "--beep",
        "3.6-4.6",
    ];
    redact(&cli, &source, &output, &covers).expect_code(0);
    let (before, after) = (sound_of(&source, RATE), sound_of(&output, RATE));
    assert!(
        level(&before, RATE, 0.6, 1.4) > -40.0,
        "somebody speaks there"
    );
    for (from, to) in [(0.56, 1.44), (8.06, 8.44)] {
        let found = level(&after, RATE, from, to);
        assert!(found < -60.0, "{from}: {found}");
    }
    // A tone of 1 kHz, and nothing else: what a wave of its own length and turn leaves over.
    let tone = &after[(3.7 * RATE as f64) as usize..(4.5 * RATE as f64) as usize];
    let turn = |n: usize| std::f64::consts::TAU * 1_000.0 * n as f64 / RATE as f64;
    let along = |f: &dyn Fn(f64) -> f64| {
        let sum: f64 = tone.iter().enumerate().map(|(n, v)| v * f(turn(n))).sum();
        2.0 * sum / tone.len() as f64
    };
    let (sine, cosine) = (along(&f64::sin), along(&f64::cos));
    // Two channels that say the same are louder as one.
    let found = sine.hypot(cosine);
    assert!((0.09..0.15).contains(&found), "{found}");
    let rest = tone.iter().enumerate();
    let rest: f64 = rest
        .map(|(n, v)| (v - sine * turn(n).sin() - cosine * turn(n).cos()).powi(2))
        .sum();
    let rest = 10.0 * (rest / tone.len() as f64).log10();
    assert!(rest < -60.0, "{rest}");
    // What was said between is still said.
    for (from, to) in [(2.0, 3.5), (5.0, 7.9), (8.6, 10.5)] {
        let (was, is) = (
            level(&before, RATE, from, to),
            level(&after, RATE, from, to),
        );
        assert!((was - is).abs() < 0.3, "{from}: {was} became {is}");
    }
}
