//! Backgrounds: left away, blurred, replaced, through the real command line on real people, with
//! matting models as they come from elsewhere.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::*;
use frameloom_core::media::MediaInfo;
use frameloom_core::pixel::AnyPlane;
use frameloom_media::Frame;
use std::path::{Path, PathBuf};

const MODEL: &str = "models/matting/selfie_segmentation.onnx";
const PORTRAIT: &str = "images/photo/modnet_portrait.jpg";
const TALK: &str = "media/video/h264_aac_face_1s.mp4";

/// A program with a matting model called `people`, and the file of the test data that is worked
/// on. `None` where the data is missing.
fn with_model(file: &str) -> Option<(Cli, PathBuf)> {
    let (model, file) = (test_data(MODEL)?, test_data(file)?);
    let cli = Cli::new();
    let import = ["models", "import", &text(&model), "--id", "people"];
    let told = cli.run(import).expect_code(0);
    assert!(
        told.stdout.contains("background FILE --model people"),
        "{told:?}"
    );
    Some((cli, file))
}

fn background(cli: &Cli, input: &Path, output: &Path, more: &[&str]) -> Ran {
    let (input, output) = (text(input), text(output));
    let all = ["background", &input, "-o", &output, "--device", "cpu"];
    cli.run(all.iter().chain(more))
}

/// A plane from 0 to 1.
fn plane(frame: &Frame, index: usize) -> Vec<f32> {
    let max = f32::from(frame.format().max_value());
    match frame.plane(index) {
        AnyPlane::U8(plane) => (0..plane.height)
            .flat_map(|y| plane.row(y).iter().map(|&v| f32::from(v) / max))
            .collect(),
        AnyPlane::U16(plane) => (0..plane.height)
            .flat_map(|y| plane.row(y).iter().map(|&v| f32::from(v) / max))
            .collect(),
    }
}

/// A sample of a plane of full size, at a place in parts of the sides.
fn at(frame: &Frame, index: usize, (x, y): (f32, f32)) -> f32 {
    let (width, height) = (frame.width() as f32, frame.height() as f32);
    plane(frame, index)[(y * height) as usize * frame.width() as usize + (x * width) as usize]
}

fn alpha(frame: &Frame, place: (f32, f32)) -> f32 {
    let index = frame.format().alpha_plane().expect("it is transparent");
    at(frame, index, place)
}

fn is_transparent(info: &MediaInfo) -> bool {
    info.main_video().is_some_and(|(_, video)| video.alpha)
}

/// On the portrait: her jacket, and the wall beside her.
const JACKET: (f32, f32) = (0.42, 0.75);
const WALL: (f32, f32) = (0.92, 0.6);
/// In the talk: his chin, and the ceiling.
const CHIN: (f32, f32) = (0.54, 0.78);
const CEILING: (f32, f32) = (0.06, 0.3);

fn pixel(picture: &image::DynamicImage, (x, y): (f32, f32)) -> [u8; 4] {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let rgba = picture.to_rgba8();
    rgba.get_pixel((x * width) as u32, (y * height) as u32).0
}

#[test]
fn a_person_in_a_picture_is_cut_out_or_put_before_something_else() {
    let Some((cli, source)) = with_model(PORTRAIT) else {
        return;
    };
    let before = image::open(&source).unwrap();
    let out = |name: &str| cli.folder().join(name);
    let done = |name: &str, more: &[&str]| {
        background(&cli, &source, &out(name), more).expect_code(0);
        let after = image::open(out(name)).unwrap();
        assert_eq!((after.width(), after.height()), (1000, 667));
        // What is surely foreground keeps every bit.
        assert_eq!(pixel(&after, JACKET), pixel(&before, JACKET), "{name}");
        after
    };
    for name in ["cut.png", "cut.webp", "cut.tiff"] {
        let cut = done(name, &["--quality", "lossless"]);
        assert!(cut.color().has_alpha(), "{name}");
        assert_eq!(pixel(&cut, WALL)[3], 0, "{name}");
        // Nothing of what was there hides under the transparency.
        assert_eq!(pixel(&cut, WALL)[..3], [0, 0, 0], "{name}");
    }
    let green = done("green.png", &["--color", "#12c040"]);
    assert_eq!(pixel(&green, WALL), [0x12, 0xc0, 0x40, 255]);
    let blurred = done("blurred.png", &["--blur=5"]);
    let texture = |picture: &image::DynamicImage| -> f64 {
        let gray = picture.crop_imm(800, 250, 150, 150).to_luma8();
        let rows = gray
            .rows()
            .map(|row| row.map(|p| f64::from(p.0[0])).collect::<Vec<_>>());
        rows.flat_map(|row| {
            row.windows(2)
                .map(|pair| (pair[0] - pair[1]).abs())
                .collect::<Vec<_>>()
        })
        .sum()
    };
    let (sharp, soft) = (texture(&before), texture(&blurred));
    assert!(soft < 0.3 * sharp, "the wall has {soft} after {sharp}");
    let beach = out("beach.png");
    write_png(&beach, 300, 300, |x, y| [(x / 2) as u8, 200, (y / 2) as u8]).unwrap();
    let moved = done("moved.png", &["--picture", &text(&beach)]);
    // As wide as the portrait, cut above and below: 1000 pixels of 300, and 167 hidden.
    let [r, g, b, _] = pixel(&moved, WALL);
    let near = |a: u8, b: f32| (f32::from(a) - b).abs() <= 3.0;
    assert!(near(g, 200.0), "{r} {g} {b}");
    assert!(near(r, 0.92 * 300.0 / 2.0), "{r} {g} {b}");
    assert!(near(b, (0.6 * 667.0 + 166.5) * 0.3 / 2.0), "{r} {g} {b}");
}

#[test]
fn transparency_of_a_clip_survives_in_prores_and_in_vp9_and_the_sound_stays() {
    let Some((cli, source)) = with_model(TALK) else {
        return;
    };
    for name in ["talk.mov", "talk.webm", "talk.mkv"] {
        let output = cli.folder().join(name);
        let more: &[&str] = match name {
            // AAC is not for WebM.
            "talk.webm" => &["--drop", "audio"],
            _ => &[],
        };
        background(&cli, &source, &output, more).expect_code(0);
        let info = probe(&output);
        assert!(is_transparent(&info), "{name}: {info:?}");
        let frames = frames_of(&output);
        assert_eq!(frames.len(), 30, "{name}");
        for frame in [&frames[0], &frames[15], &frames[29]] {
            assert!(alpha(frame, CHIN) > 0.98, "{name}");
            assert!(alpha(frame, CEILING) < 0.02, "{name}");
        }
    }
    let usual = cli.run(["background", &text(&source), "--dry-run", "--json"]);
    let plan = usual.expect_code(0).json();
    let output = plan[0]["output"].as_str().unwrap();
    assert!(output.ends_with("h264_aac_face_1s_cutout.mov"), "{output}");
    let sound = probe(&cli.folder().join("talk.mov"));
    assert_eq!(sound.streams.len(), 2);
}

#[test]
fn a_clip_comes_behind_a_clip_and_begins_again_where_it_ends() {
    let Some((cli, source)) = with_model(TALK) else {
        return;
    };
    let sky = cli.folder().join("sky.mkv");
    // Half a second in which it grows brighter.
    if !ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "color=black:s=320x180:r=30:d=0.5,geq=lum='40+N*10':cb=128:cr=128,format=yuv420p",
        "-c:v",
        "ffv1",
        &text(&sky),
    ]) {
        return;
    }
    let output = cli.folder().join("out.mkv");
    let lossless = ["--quality", "lossless", "--codec", "ffv1"];
    let sky = text(&sky);
    let more = [&["--video", sky.as_str()], &lossless[..]].concat();
    background(&cli, &source, &output, &more).expect_code(0);
    let (before, after) = (frames_of(&source), frames_of(&output));
    assert_eq!(after.len(), 30);
    assert!(!is_transparent(&probe(&output)));
    for (number, (before, after)) in before.iter().zip(&after).enumerate() {
        let shown = at(after, 0, CEILING) * 255.0;
        let wanted = 40.0 + (number % 15) as f32 * 10.0;
        assert!(
            (shown - wanted).abs() <= 10.5,
            "frame {number}: {shown}, not {wanted}"
        );
        assert_eq!(at(after, 0, CHIN), at(before, 0, CHIN), "frame {number}");
    }
    // It does move.
    assert_ne!(at(&after[2], 0, CEILING), at(&after[12], 0, CEILING));
}

/// How much mattes flicker: the mean absolute difference between the mattes of neighbouring
/// pictures of a shot, from 0 to 1, over the pixels whose luma hardly changes between the two (by no
/// more than 3 of 255): there, nothing happened that a matte could follow. Pictures whose luma
/// differs by a tenth on average are of different shots.
fn flicker(source: &[Frame], cut: &[Frame]) -> f64 {
    assert_eq!(source.len(), cut.len());
    let (mut sum, mut count) = (0.0f64, 0u64);
    let lumas: Vec<Vec<f32>> = source.iter().map(|frame| plane(frame, 0)).collect();
    let mattes: Vec<Vec<f32>> = cut
        .iter()
        .map(|frame| plane(frame, frame.format().alpha_plane().unwrap()))
        .collect();
    for (luma, matte) in lumas.windows(2).zip(mattes.windows(2)) {
        let apart = luma[0].iter().zip(&luma[1]).map(|(a, b)| (a - b).abs());
        if apart.sum::<f32>() > 0.1 * luma[0].len() as f32 {
            continue;
        }
        let pixels = luma[0].iter().zip(&luma[1]);
        for ((a, b), (m, n)) in pixels.zip(matte[0].iter().zip(&matte[1])) {
            if (a - b).abs() <= 3.0 / 255.0 {
                sum += f64::from((m - n).abs());
                count += 1;
            }
        }
    }
    sum / count.max(1) as f64
}

#[test]
fn mattes_of_a_real_clip_flicker_half_as_much_as_frame_by_frame() {
    for file in [TALK, "media/video/hevc_720p25_4s.ts"] {
        let Some((cli, source)) = with_model(file) else {
            return;
        };
        let measured = |name: &str, smooth: &str| {
            let output = cli.folder().join(name);
            let more = [
                "--smooth",
                smooth,
                "--codec",
                "ffv1",
                "--quality",
                "lossless",
            ];
            background(&cli, &source, &output, &more).expect_code(0);
            flicker(&frames_of(&source), &frames_of(&output))
        };
        let alone = measured("alone.mkv", "0");
        let steady = measured("steady.mkv", "1");
        println!(
            "{file}: {alone:.5} frame by frame, {steady:.5} steadied, {:.2}",
            steady / alone
        );
        assert!(alone > 0.0);
        assert!(steady <= 0.5 * alone, "{file}: {steady} after {alone}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_job_resumes_to_the_very_same_cutout() {
    let Some((cli, talk)) = with_model(TALK) else {
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
    let whole = cli.folder().join("whole.mov");
    background(&cli, &source, &whole, &[]).expect_code(0);
    let resumed = cli.folder().join("resumed.mov");
    let (input, output) = (text(&source), text(&resumed));
    let id = cli.killed_midway(
        ["background", &input, "-o", &output, "--device", "cpu"],
        &resumed,
    );
    cli.run(["jobs", "resume", &id]).expect_code(0);
    assert_eq!(
        std::fs::read(&resumed).unwrap(),
        std::fs::read(&whole).unwrap(),
        "a resumed result must equal an undisturbed one, byte for byte"
    );
}

#[test]
fn a_folder_of_pictures_is_done_like_with_the_other_verbs() {
    let Some((cli, source)) = with_model(PORTRAIT) else {
        return;
    };
    let from = cli.folder().join("people/more");
    std::fs::create_dir_all(&from).unwrap();
    std::fs::copy(&source, cli.folder().join("people/a.jpg")).unwrap();
    std::fs::copy(&source, from.join("b.jpg")).unwrap();
    let folder = text(&cli.folder().join("people"));
    let to = cli.folder().join("cut");
    let to_text = format!("{}/", text(&to));
    cli.run(["background", &folder, "-o", &to_text])
        .expect_code(0);
    let made = walk(&to);
    assert_eq!(
        made,
        [to.join("a_cutout.png"), to.join("more/b_cutout.png")]
    );
}

#[test]
fn what_cannot_be_done_is_refused_with_a_remedy_before_anything_is_stored() {
    let Some(portrait) = test_data(PORTRAIT) else {
        return;
    };
    let bare = Cli::new();
    let output = bare.folder().join("out.png");
    let refused = background(&bare, &portrait, &output, &[]).expect_code(2);
    for part in [
        "No model is installed",
        "matting",
        "frameloom models import",
    ] {
        assert!(refused.stderr.contains(part), "{part}: {refused:?}");
    }
    let Some((cli, talk)) = with_model(TALK) else {
        return;
    };
    let cases: &[(&Path, &str, &[&str], &[&str])] = &[
        (&talk, "out.mp4", &[], &["transparent", "mov", "--blur"]),
        (&portrait, "out.jpg", &[], &["PNG"]),
        (
            &portrait,
            "out.png",
            &["--model", "loom-x2"],
            &["tells no foreground", "models list"],
        ),
        (
            &portrait,
            "out.png",
            &["--color", "red"],
            &["`red`", "#ff8000"],
        ),
        (&portrait, "out.png", &["--smooth", "3"], &["0 to 1"]),
        (
            &portrait,
            "out.png",
            &["--picture", "nowhere.png"],
            &["nowhere.png"],
        ),
        (
            &portrait,
            "out.png",
            &["--color", "#fff000", "--blur"],
            &["cannot be used with"],
        ),
    ];
    for (input, output, more, parts) in cases {
        let ran = background(&cli, input, &cli.folder().join(output), more);
        assert_ne!(ran.code, Some(0), "{more:?}");
        for part in *parts {
            assert!(ran.stderr.contains(part), "{part}: {ran:?}");
        }
    }
    let (input, output) = (text(&portrait), text(&cli.folder().join("large.png")));
    let enlarged = cli.run(["upscale", &input, "-o", &output, "--model", "people"]);
    assert!(enlarged.stderr.contains("enlarges nothing"), "{enlarged:?}");
    assert_ne!(enlarged.code, Some(0));
    assert!(cli.jobs().is_empty());
    assert!(walk(&cli.folder()).is_empty());
}

#[test]
fn a_network_of_many_classes_is_imported_by_saying_which_is_the_foreground() {
    let Some(model) = test_data("models/segmentation/deeplabv3_mnv2_257.onnx") else {
        return;
    };
    let Some(portrait) = test_data(PORTRAIT) else {
        return;
    };
    let cli = Cli::new();
    let model = text(&model);
    let import = |more: &[&str]| {
        let all = ["models", "import", &model, "--id", "voc"];
        cli.run(all.iter().chain(more))
    };
    let refused = import(&["--task", "matte"]);
    assert!(refused.stderr.contains("21 classes"), "{refused:?}");
    import(&["--foreground", "15", "--range", "symmetric"]).expect_code(0);
    let output = cli.folder().join("out.png");
    background(&cli, &portrait, &output, &[]).expect_code(0);
    let cut = image::open(&output).unwrap();
    // It is sure of her hair, which lies before her shoulders.
    assert_eq!(pixel(&cut, (0.44, 0.35))[3], 255);
    assert_eq!(pixel(&cut, WALL)[3], 0);
}
