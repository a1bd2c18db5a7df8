//! `frameloom do`: each preset on a clip, what comes of it, and what it is refused for.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::*;
use frameloom_core::media::{FieldOrder, MediaKind, StreamKind};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes `name` of the demo clip with the ffmpeg command; `None` with a line where it is missing.
fn made(cli: &Cli, name: &str, arguments: &str) -> Option<PathBuf> {
    let path = cli.folder().join(name);
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-nostdin", "-i"])
        .arg(demo_clip())
        .args(arguments.split_whitespace())
        .arg(&path)
        .status();
    match status {
        Ok(status) => {
            assert!(status.success(), "ffmpeg makes {name}");
            Some(path)
        }
        Err(error) => {
            eprintln!("skipped: no ffmpeg command ({error})");
            None
        }
    }
}

/// Does it, and gives the job and the result.
fn done(cli: &Cli, preset: &str, source: &Path, more: &[&str]) -> (Value, PathBuf) {
    let folder = cli.folder().join(format!("{preset}-out"));
    let mut words = vec!["do".to_owned(), preset.to_owned()];
    words.push(source.to_str().unwrap().to_owned());
    words.extend(["-o".to_owned(), format!("{}/", folder.display())]);
    words.push("--json".to_owned());
    words.extend(more.iter().map(|word| (*word).to_owned()));
    let job = cli.run(words).expect_code(0).json();
    assert_eq!(job["state"], "succeeded", "{job}");
    let output = PathBuf::from(job["output"].as_str().unwrap());
    (job, output)
}

#[test]
fn a_large_clip_is_made_small_enough_to_send_and_a_picture_too() {
    let cli = Cli::new();
    let large = "-t 0.5 -vf scale=1920:1080 -c:v libx264 -preset ultrafast -crf 12 -c:a pcm_s16le";
    let Some(source) = made(&cli, "holiday.mov", large) else {
        return;
    };
    let (_, output) = done(&cli, "share", &source, &[]);
    let info = probe(&output);
    let (stream, video) = info.main_video().unwrap();
    assert_eq!((video.width, video.height), (1280, 720));
    assert_eq!(stream.codec, "h264");
    // MP4 would lose the sound of this one; its own container does not.
    assert_eq!(output.file_name().unwrap(), "holiday_small.mov");
    assert!(info.streams.iter().any(|s| s.kind == StreamKind::Audio));
    assert!(info.size_bytes < probe(&source).size_bytes);
    let picture = cli.folder().join("wide.png");
    write_png(&picture, 3000, 1000, pattern).unwrap();
    let (_, output) = done(&cli, "share", &picture, &[]);
    assert_eq!(output.file_name().unwrap(), "wide_small.jpg");
    let info = probe(&output);
    let (_, video) = info.main_video().unwrap();
    assert_eq!((video.width, video.height), (2048, 682));
}

#[test]
fn noise_is_less_afterwards_than_before() {
    let cli = Cli::new();
    // Smooth, for the threads of the clip are much like noise themselves.
    let smooth = "scale=320:180:flags=area,gblur=sigma=1.2,scale=640:360";
    let coded = "-c:v libx264 -preset ultrafast -qp 0";
    let clean = &format!("-t 0.4 -an -vf {smooth} {coded}");
    let noisy = &format!("-t 0.4 -an -vf {smooth},noise=c0s=13:c0f=t {coded}");
    let (Some(clean), Some(noisy)) = (made(&cli, "a.mkv", clean), made(&cli, "b.mkv", noisy))
    else {
        return;
    };
    let (job, output) = done(&cli, "clean", &noisy, &["-q", "archive"]);
    let (before, after) = (
        luma_psnr(&clean, &noisy).unwrap(),
        luma_psnr(&clean, &output).unwrap(),
    );
    assert!(after > before + 1.0, "{before} dB to {after} dB");
    let compare = ["jobs", "compare", job["id"].as_str().unwrap(), "--json"];
    let found = cli.run(compare).expect_code(0).json();
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 5, "moments of the clip");
    for moment in found {
        let noise = |side: &str| {
            let both = &moment["likeness"]["blemishes"];
            both[side]["noise"].as_f64().unwrap()
        };
        let (before, after) = (noise("before"), noise("after"));
        assert!(before > 2.0 && after < 0.6 * before, "{moment}");
    }
}

#[test]
fn an_interlaced_clip_becomes_whole_pictures_one_of_each_field() {
    let cli = Cli::new();
    let fields = "-t 1.6 -an -vf crop=400:288:n*5:60,tinterlace=interleave_top,setfield=tff \
                  -c:v libx264 -preset ultrafast -crf 10 -flags +ildct+ilme -x264opts tff=1";
    let Some(source) = made(&cli, "camcorder.mp4", fields) else {
        return;
    };
    let before = frames(&source).unwrap().len();
    let (_, output) = done(&cli, "deinterlace", &source, &[]);
    let info = probe(&output);
    let (_, video) = info.main_video().unwrap();
    assert_eq!(video.field_order, FieldOrder::Progressive);
    assert_eq!(frames(&output).unwrap().len(), before * 2);
    // What is whole already is refused, in words.
    let refused = cli
        .run([
            "do",
            "deinterlace",
            demo_clip().to_str().unwrap(),
            "--dry-run",
        ])
        .expect_code(2);
    assert!(refused.stderr.contains("not interlaced"), "{refused:?}");
}

#[test]
fn an_animation_is_small_and_silent_and_a_long_clip_becomes_none() {
    let cli = Cli::new();
    let Some(source) = made(
        &cli,
        "wave.mp4",
        "-t 1 -vf scale=1280:720 -preset ultrafast",
    ) else {
        return;
    };
    for (format, most) in [("webp", 26), ("gif", 16)] {
        let (_, output) = done(&cli, "animate", &source, &["--format", format]);
        assert_eq!(output.extension().unwrap(), format);
        let picture = image::image_dimensions(&output).unwrap();
        assert_eq!(picture, (640, 360), "{format}");
        assert!(output.metadata().unwrap().len() > 1000);
        if format == "gif" {
            let info = probe(&output);
            assert_eq!(info.kind, MediaKind::Video);
            assert!(frames(&output).unwrap().len() <= most);
        }
    }
    let path = cli.folder().join("long.mp4");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-nostdin", "-stream_loop", "12", "-i"])
        .arg(demo_clip())
        .args(["-c", "copy"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(status.success());
    let refused = cli
        .run(["do", "animate", path.to_str().unwrap()])
        .expect_code(2);
    assert!(
        refused.stderr.contains("longer than a minute"),
        "{refused:?}"
    );
}

#[test]
fn sound_is_brought_to_its_loudness_and_the_pictures_stay() {
    let cli = Cli::new();
    let (job, output) = done(&cli, "loudness", &demo_clip(), &[]);
    assert_eq!(output.file_name().unwrap(), "demo_even.mp4");
    let id = job["id"].as_str().unwrap();
    let shown = cli
        .run(["jobs", "show", id, "--receipt"])
        .expect_code(0)
        .json();
    let loudness = &shown["checks"]["sound"][0]["loudness"];
    let found = loudness["found"].as_f64().unwrap();
    assert!((found + 16.0).abs() <= 0.5, "{loudness}");
    assert!(shown["checks"]["copied"].as_u64() > Some(0), "{shown}");
    let likeness = luma_psnr(&demo_clip(), &output).unwrap();
    assert!(likeness > 130.0, "{likeness} dB");
}

#[test]
fn every_frame_becomes_a_picture_in_a_folder_of_its_own() {
    let cli = Cli::new();
    let Some(source) = made(&cli, "50% done.mp4", "-t 0.4 -preset ultrafast") else {
        return;
    };
    let count = frames(&source).unwrap().len();
    for folder in ["50_ done_frames", "50_ done_frames (2)"] {
        let (_, pattern) = done(&cli, "frames", &source, &[]);
        let made = pattern.parent().unwrap();
        assert_eq!(made.file_name().unwrap(), folder);
        let files = walk(made);
        assert_eq!(files.len(), count, "{files:?}");
        assert!(
            files
                .iter()
                .all(|f| image::image_dimensions(f).unwrap() == (640, 360))
        );
    }
}

#[test]
fn an_archive_holds_the_very_pictures_upright() {
    let cli = Cli::new();
    let (_, output) = done(&cli, "archive", &demo_clip(), &[]);
    assert_eq!(output.file_name().unwrap(), "demo_archive.mkv");
    let info = probe(&output);
    assert_eq!(info.main_video().unwrap().0.codec, "ffv1");
    let (before, after) = (frames(&demo_clip()).unwrap(), frames(&output).unwrap());
    let hashes = |list: &[(i64, u64)]| list.iter().map(|(_, hash)| *hash).collect::<Vec<_>>();
    assert_eq!(hashes(&before), hashes(&after));
}

#[test]
fn a_word_does_what_the_command_for_enlarging_does_and_wrong_words_are_refused() {
    let cli = Cli::new();
    let picture = cli.folder().join("small.png");
    write_png(&picture, 64, 48, pattern).unwrap();
    let (_, output) = done(
        &cli,
        "enlarge",
        &picture,
        &["--scale", "4", "--format", "webp"],
    );
    assert_eq!(output.file_name().unwrap(), "small_4x.webp");
    assert_eq!(image::image_dimensions(&output).unwrap(), (256, 192));
    let path = picture.to_str().unwrap();
    for (words, says) in [
        (vec!["do", "frames", path], "is a picture"),
        (vec!["do", "clean", path, "--scale", "2"], "have no meaning"),
        (
            vec!["do", "share", path, "--format", "gif"],
            "makes no `.gif`",
        ),
        (vec!["do", "embiggen", path], "enlarge, clean, deinterlace"),
    ] {
        let refused = cli.run(words.clone()).expect_code(2);
        assert!(refused.stderr.contains(says), "{words:?}: {refused:?}");
    }
}

#[test]
fn a_preset_of_steps_makes_an_old_clip_large_and_says_what_it_did() {
    let cli = Cli::new();
    let old = "-t 0.4 -vf scale=180:144 -c:v libx264 -preset ultrafast -crf 20";
    let Some(source) = made(&cli, "old.mp4", old) else {
        return;
    };
    let file = cli.folder().join("mine.json");
    let steps = serde_json::json!({
        "frameloom_preset": 1,
        "id": "mine",
        "words": {"en": {"name": "Mine"}},
        "takes": ["video"],
        "steps": [
            {"op": "whole"},
            {"op": "denoise", "params": {"sigma": 3.0}},
            {"op": "enlarge", "params": {"scale": 2}},
            {"op": "fit", "params": {"width": 300, "height": 300}},
            {"op": "loudness", "params": {"target": -16}},
        ],
        "with": {"clip_format": "mkv", "name": "{name}_mine"},
    });
    std::fs::write(&file, steps.to_string()).unwrap();
    // As a file, and as one of the shelf.
    cli.run(["presets", "add", file.to_str().unwrap()])
        .expect_code(0);
    let (job, output) = done(&cli, "mine", &source, &[]);
    assert_eq!(output.file_name().unwrap(), "old_mine.mkv");
    let ops: Vec<&str> = job["spec"]["graph"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|node| node["op"].as_str())
        .collect();
    assert_eq!(
        ops,
        ["source", "denoise", "upscale", "resize", "sink", "loudness"]
    );
    let info = probe(&output);
    let (_, video) = info.main_video().unwrap();
    assert_eq!((video.width, video.height), (300, 240));
    let by_file = cli.folder().join("by-file/");
    let words = ["do", file.to_str().unwrap(), source.to_str().unwrap(), "-o"];
    cli.run(words.into_iter().chain([by_file.to_str().unwrap()]))
        .expect_code(0);
    assert_eq!(
        std::fs::read(by_file.join("old_mine.mkv")).unwrap(),
        std::fs::read(&output).unwrap()
    );
    // A picture is nothing for it.
    let picture = cli.folder().join("a.png");
    write_png(&picture, 30, 20, pattern).unwrap();
    let refused = cli.run(["do", "mine", picture.to_str().unwrap()]);
    assert!(refused.expect_code(2).stderr.contains("for clips"));
}

#[test]
fn presets_are_kept_shared_and_removed_and_those_that_ship_stay() {
    let cli = Cli::new();
    let listed = cli.run(["presets", "list", "--json"]).expect_code(0).json();
    let shipped = listed["presets"].as_array().unwrap().len();
    assert!(shipped >= 20);
    let shared = cli.folder().join("a.json");
    let words = [
        "presets",
        "export",
        "send-by-mail",
        shared.to_str().unwrap(),
    ];
    cli.run(words).expect_code(0);
    // Nothing is written over.
    assert!(!cli.run(words).expect_code(2).stderr.is_empty());
    let added = cli
        .run(["presets", "add", shared.to_str().unwrap(), "--json"])
        .expect_code(0)
        .json();
    // The one that ships keeps its name.
    assert_eq!(added["id"], "send-by-mail-2");
    let broken = cli.data().join("presets/broken.json");
    std::fs::write(broken, "{}").unwrap();
    let listed = cli.run(["presets", "list", "--json"]).expect_code(0).json();
    assert_eq!(listed["presets"].as_array().unwrap().len(), shipped + 1);
    assert_eq!(listed["refused"][0]["file"], "broken.json");
    cli.run(["presets", "remove", "send-by-mail"])
        .expect_code(2);
    cli.run(["presets", "remove", "send-by-mail-2"])
        .expect_code(0);
    cli.run(["do", "send-by-mail-2", "a.png"]).expect_code(2);
}

#[test]
fn something_is_enlarged_to_a_size_and_a_part_of_the_source_makes_it_softer() {
    let cli = Cli::new();
    let picture = cli.folder().join("a.png");
    write_png(&picture, 60, 40, pattern).unwrap();
    let upscale = |name: &str, more: &[&str]| {
        let output = cli.folder().join(name);
        let words = ["upscale", picture.to_str().unwrap(), "-o"];
        let words = words.into_iter().chain([output.to_str().unwrap()]);
        cli.run(words.chain(more.iter().copied())).expect_code(0);
        output
    };
    let size = |path: &Path| {
        let info = probe(path);
        let (_, video) = info.main_video().unwrap();
        (video.width, video.height)
    };
    let sharp = upscale("sharp.png", &["--size", "200x150"]);
    assert_eq!(size(&sharp), (200, 134));
    let mixed = upscale("mixed.png", &["--size", "200x150", "--source", "0.5"]);
    let soft = upscale("soft.png", &["--size", "200x150", "--source", "1"]);
    assert_eq!(size(&mixed), size(&sharp));
    // Half of each lies between both.
    let far = luma_psnr(&sharp, &soft).unwrap();
    for end in [&sharp, &soft] {
        let near = luma_psnr(&mixed, end).unwrap();
        assert!(near > far + 4.0, "{near} dB, and {far} dB between the ends");
    }
    let file = picture.to_str().unwrap();
    for wrong in [
        &["--source", "2"][..],
        &["--size", "4x4"],
        &["--size", "huge"],
    ] {
        let words = ["upscale", file].into_iter().chain(wrong.iter().copied());
        cli.run(words).expect_code(2);
    }
}

#[test]
fn pictures_are_converted_together_marked_and_told_nothing_of() {
    let cli = Cli::new();
    let folder = cli.folder().join("in");
    std::fs::create_dir_all(folder.join("b")).unwrap();
    let Some(photo) = test_data("images/exif/Landscape_6.jpg") else {
        return;
    };
    std::fs::copy(&photo, folder.join("photo.jpg")).unwrap();
    write_png(&folder.join("b/plain.png"), 640, 100, |_, _| [90, 90, 90]).unwrap();
    let mark = cli.folder().join("mark.png");
    write_png(&mark, 40, 40, |_, _| [255, 0, 0]).unwrap();
    let out = cli.folder().join("out/");
    let words = [
        "convert",
        folder.to_str().unwrap(),
        "-o",
        out.to_str().unwrap(),
    ];
    let more = [
        "--size",
        "320x320",
        "--format",
        "png",
        "--strip",
        "--srgb",
        "--opacity",
        "1",
    ];
    let with_mark = ["--mark", mark.to_str().unwrap(), "--place", "bottom-right"];
    cli.run(words.into_iter().chain(more).chain(with_mark))
        .expect_code(0);
    let plain = image::open(out.join("b/plain_converted.png"))
        .unwrap()
        .to_rgb8();
    assert_eq!(plain.dimensions(), (320, 50));
    // A fifth of the width, a fiftieth of the shorter side from the corner.
    assert_eq!(plain.get_pixel(300, 40).0, [255, 0, 0]);
    assert_eq!(plain.get_pixel(20, 10).0, [90, 90, 90]);
    let made = out.join("photo_converted.png");
    let info = probe(&made);
    let tags: Vec<&String> = info.tags.keys().collect();
    assert!(tags.iter().all(|tag| !tag.starts_with("exif")), "{tags:?}");
    // It was stored lying on its side; people see it upright, and so is what is left of it.
    let (_, video) = info.main_video().unwrap();
    assert!(video.width > video.height, "a landscape");
    // A picture is no clip.
    cli.run(["convert", demo_clip().to_str().unwrap()])
        .expect_code(2);
}

#[test]
fn many_pictures_are_seen_on_one_sheet_and_what_is_broken_is_named() {
    let cli = Cli::new();
    let folder = cli.folder().join("in");
    std::fs::create_dir_all(&folder).unwrap();
    write_png(&folder.join("a wide.png"), 600, 100, |_, _| [200, 40, 40]).unwrap();
    write_png(&folder.join("b tall.png"), 100, 600, |_, _| [40, 200, 40]).unwrap();
    std::fs::write(folder.join("c broken.png"), b"\x89PNG and no more").unwrap();
    let (from, to) = (text(&folder), cli.folder().join("sheet.png"));
    let sheet = |more: &[&str]| {
        let words = ["sheet", &from, "-o", to.to_str().unwrap()];
        cli.run(words.iter().chain(more))
    };
    let told = sheet(&["--json"]).expect_code(3);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["shown"], 2);
    let broken = told["not_shown"][0]["input"].as_str().unwrap();
    assert!(broken.ends_with("c broken.png"), "{told}");
    let made = image::open(&to).unwrap().to_rgb8();
    // Two columns and two rows of 320 x 213 pixels, lines of 28 below, gaps of 8.
    assert_eq!(made.dimensions(), (2 * 328 + 8, 2 * 241 + 8));
    let color = |x, y| made.get_pixel(x, y).0;
    assert_eq!(color(168, 114), [200, 40, 40]);
    assert_eq!(color(168, 20), [0, 0, 0], "above the wide one");
    assert_eq!(color(496, 114), [40, 200, 40]);
    assert_eq!(
        color(496, 10),
        [40, 200, 40],
        "the tall one fills its place"
    );
    assert_eq!(color(350, 114), [0, 0, 0], "beside the tall one");
    let letters = (8..300).any(|x| (222..248).any(|y| color(x, y)[0] > 200));
    assert!(letters, "its name stands below");
    // Nothing is written over without being told to, and no source ever.
    let again = sheet(&[]);
    assert!(again.stdout.contains("sheet (2).png"), "{again:?}");
    let small = ["--columns", "1", "--size", "80", "--no-names"];
    let told = sheet(&small).expect_code(3);
    assert!(told.stdout.contains("sheet (3).png"), "{told:?}");
    let made = image::open(cli.folder().join("sheet (3).png")).unwrap();
    assert_eq!((made.width(), made.height()), (80 + 16, 3 * 61 + 8));
    sheet(&["--columns", "30"]).expect_code(2);
    let source = folder.join("a wide.png");
    let words = [
        "sheet",
        &from,
        "-o",
        source.to_str().unwrap(),
        "--overwrite",
    ];
    let told = cli.run(words);
    assert!(!told.stdout.contains("a wide.png\n"), "{told:?}");
    assert_eq!(
        image::open(&source).unwrap().to_rgb8().dimensions(),
        (600, 100)
    );
    cli.run(["sheet", &from, "-o", "sheet.webp"]).expect_code(2);
}
