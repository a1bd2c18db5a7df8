//! The main job as a user does it: a real file in, a larger one out, by the real command.

use e2e::*;
use frameloom_core::media::StreamKind;
use std::fs;
use std::path::Path;

#[test]
fn a_clip_doubles_its_size_and_keeps_every_frame_and_its_sound() {
    let cli = Cli::new();
    let output = cli.folder().join("larger.mp4");
    let ran = cli
        .run([
            "upscale".as_ref(),
            demo_clip().as_os_str(),
            "-o".as_ref(),
            output.as_os_str(),
            "--quality".as_ref(),
            "draft".as_ref(),
            "--json".as_ref(),
        ])
        .expect_code(0);
    let job = ran.json();
    assert_eq!(job["state"], "succeeded");
    assert_eq!(job["output"], output.to_str().unwrap());
    assert!(
        ran.stderr.lines().any(|line| {
            serde_json::from_str::<serde_json::Value>(line)
                .is_ok_and(|v| v["event"] == "progress" && v["total"].is_number())
        }),
        "progress must come as JSON lines: {}",
        ran.stderr
    );

    let (source, result) = (probe(&demo_clip()), probe(&output));
    let (source_stream, source_video) = source.main_video().unwrap();
    let (stream, video) = result.main_video().unwrap();
    assert_eq!(
        (video.width, video.height),
        (source_video.width * 2, source_video.height * 2)
    );
    assert_eq!(video.color.range, source_video.color.range);
    assert_eq!(video.color.primaries, source_video.color.primaries);
    assert_eq!(stream.time_base, source_stream.time_base);
    let times =
        |path: &Path| -> Vec<i64> { frames(path).unwrap().into_iter().map(|(t, _)| t).collect() };
    let source_times = times(&demo_clip());
    assert!(source_times.len() > 100);
    assert_eq!(times(&output), source_times, "timestamps must not move");
    let sound = |info: &frameloom_core::media::MediaInfo| {
        info.streams
            .iter()
            .filter(|s| s.kind == StreamKind::Audio)
            .map(|s| (s.codec.clone(), s.start_ticks, s.duration_ticks, s.bit_rate))
            .collect::<Vec<_>>()
    };
    assert_eq!(sound(&result), sound(&source));
    assert_eq!(cli.parts(), 0, "no part is left behind");
    assert!(walk(&cli.data().join("jobs")).is_empty());
    assert_eq!(
        walk(&cli.folder()),
        [output],
        "nothing but the result is in the folder"
    );
}

#[test]
fn an_enlarged_clip_looks_like_its_source() {
    // Shrunk back, the result must be the source again: this catches swapped ranges, shifted
    // planes and lost detail at once.
    let cli = Cli::new();
    let output = cli.folder().join("larger.mkv");
    cli.run([
        "upscale".as_ref(),
        demo_clip().as_os_str(),
        "-o".as_ref(),
        output.as_os_str(),
        "--model".as_ref(),
        "loom-x2".as_ref(),
    ])
    .expect_code(0);
    let mut source = frameloom_media::Reader::open(&demo_clip(), &Default::default()).unwrap();
    let mut result = frameloom_media::Reader::open(&output, &Default::default()).unwrap();
    let mut worst = f64::MAX;
    for _ in 0..5 {
        let (a, b) = (
            source.next_frame().unwrap().unwrap(),
            result.next_frame().unwrap().unwrap(),
        );
        for plane in 0..3 {
            let (frameloom_core::pixel::AnyPlane::U8(a), frameloom_core::pixel::AnyPlane::U8(b)) =
                (a.plane(plane), b.plane(plane))
            else {
                panic!("8-bit planes are expected");
            };
            let (mut sum, mut count) = (0.0, 0.0);
            for y in 0..a.height {
                for x in 0..a.width {
                    let mean = [(0, 0), (1, 0), (0, 1), (1, 1)]
                        .iter()
                        .map(|(dx, dy)| f64::from(b.row(2 * y + dy)[2 * x + dx]))
                        .sum::<f64>()
                        / 4.0;
                    sum += (mean - f64::from(a.row(y)[x])).powi(2);
                    count += 1.0;
                }
            }
            worst = f64::min(worst, 10.0 * (255.0f64.powi(2) * count / sum).log10());
        }
    }
    assert!(worst > 30.0, "the worst plane has {worst:.1} dB");
}

#[test]
fn results_never_overwrite_unless_told_to() {
    let cli = Cli::new();
    let folder = cli.folder();
    let source = folder.join("été 日本 🎬.png");
    write_png(&source, 40, 30, pattern).unwrap();
    for expected in ["été 日本 🎬_2x.png", "été 日本 🎬_2x (2).png"] {
        let job = cli
            .run(["upscale".as_ref(), source.as_os_str(), "--json".as_ref()])
            .expect_code(0)
            .json();
        assert_eq!(job["output"], folder.join(expected).to_str().unwrap());
    }
    let first = folder.join("été 日本 🎬_2x.png");
    fs::write(&first, "old").unwrap();
    let job = cli
        .run([
            "upscale".as_ref(),
            source.as_os_str(),
            "--overwrite".as_ref(),
            "--json".as_ref(),
        ])
        .expect_code(0)
        .json();
    assert_eq!(job["output"], first.to_str().unwrap());
    assert_eq!(
        image::open(&first).unwrap().to_rgb8().dimensions(),
        (80, 60)
    );
}

#[test]
fn a_folder_keeps_its_structure_and_one_bad_file_does_not_stop_the_rest() {
    let cli = Cli::new();
    let input = cli.folder().join("in");
    fs::create_dir_all(input.join("a/b")).unwrap();
    write_png(&input.join("one.png"), 20, 10, pattern).unwrap();
    write_png(&input.join("a/b/two.png"), 17, 9, pattern).unwrap();
    fs::write(input.join("a/broken.png"), "not a picture").unwrap();
    let output = cli.folder().join("out");
    let ran = cli
        .run([
            "upscale".as_ref(),
            input.as_os_str(),
            "-o".as_ref(),
            output.as_os_str(),
            "--name".as_ref(),
            "{name}-{width}".as_ref(),
            "--json".as_ref(),
        ])
        .expect_code(3);
    let states: Vec<_> = ran
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["state"].as_str().unwrap().to_owned())
        .collect();
    // The names of `JobState`, also for a file that no job was made of.
    assert_eq!(states, ["succeeded", "failed", "succeeded"]);
    assert_eq!(ran.json()[1]["id"], serde_json::Value::Null);
    assert_eq!(ran.json()[1]["error"]["code"], "input_unreadable");
    assert_eq!(
        walk(&output),
        [output.join("a/b/two-34.png"), output.join("one-40.png")]
    );
}

#[test]
fn a_scale_that_the_model_does_not_have_is_reached_in_steps() {
    let cli = Cli::new();
    let source = cli.folder().join("s.png");
    write_png(&source, 33, 21, pattern).unwrap();
    for (scale, size) in [("1", (33, 21)), ("3", (99, 63)), ("4", (132, 84))] {
        let output = cli.folder().join(format!("x{scale}.png"));
        cli.run([
            "upscale".as_ref(),
            source.as_os_str(),
            "--scale".as_ref(),
            scale.as_ref(),
            "-o".as_ref(),
            output.as_os_str(),
        ])
        .expect_code(0);
        let result = image::open(&output).unwrap().to_rgb8();
        assert_eq!(result.dimensions(), size, "scale {scale}");
    }
}

#[test]
fn transparency_and_sixteen_bits_survive() {
    let cli = Cli::new();
    let source = cli.folder().join("alpha.png");
    let picture = image::ImageBuffer::<image::Rgba<u16>, _>::from_fn(64, 48, |x, y| {
        let alpha = if x < 32 { 0 } else { 65535 };
        image::Rgba([(x * 1000) as u16, (y * 1300) as u16, 30_000, alpha])
    });
    image::DynamicImage::ImageRgba16(picture)
        .save(&source)
        .unwrap();
    let output = cli.folder().join("out.png");
    cli.run([
        "upscale".as_ref(),
        source.as_os_str(),
        "-o".as_ref(),
        output.as_os_str(),
    ])
    .expect_code(0);
    let result = image::open(&output).unwrap();
    assert_eq!(result.color(), image::ColorType::Rgba16);
    let result = result.to_rgba16();
    assert_eq!(result.dimensions(), (128, 96));
    assert_eq!(result.get_pixel(10, 50).0[3], 0);
    assert_eq!(result.get_pixel(120, 50).0[3], 65535);
    // A value between two 8-bit steps: 30000 / 257 is no whole number.
    let blue = result.get_pixel(100, 50).0[2];
    assert!(blue.abs_diff(30_000) < 100, "{blue}");
}

#[test]
fn models_and_doctor_speak_json() {
    let cli = Cli::new();
    let models = cli
        .run(["models", "verify", "--json"])
        .expect_code(0)
        .json();
    let ids: Vec<_> = models
        .as_array()
        .unwrap()
        .iter()
        .map(|m| (m["id"].as_str().unwrap().to_owned(), m["state"].clone()))
        .collect();
    assert_eq!(
        ids,
        [
            ("loom-x2".to_owned(), "ready".into()),
            ("loom-x2-web".to_owned(), "ready".into())
        ]
    );
    let doctor = cli.run(["doctor", "--json"]).expect_code(0).json();
    let providers = doctor["runtime"]["Ok"]["providers"].as_array().unwrap();
    let cpu = providers
        .iter()
        .find(|p| p["name"] == "CPUExecutionProvider")
        .expect("the processor is always there");
    assert!(cpu["speed"]["Ok"].as_f64().unwrap() > 0.1, "{doctor}");
    assert!(
        doctor["encoders"]
            .as_array()
            .unwrap()
            .iter()
            .any(|e| e["problem"].is_null())
    );
    for device in doctor["runtime"]["Ok"]["devices"].as_array().unwrap() {
        assert!(device["kind"].is_string() && device["provider"].is_string());
    }
}

#[test]
fn the_doctor_and_every_encoder_keep_standard_error_clean() {
    let cli = Cli::new();
    let doctor = cli.run(["doctor", "--json"]).expect_code(0);
    assert_eq!(doctor.stderr, "");
    let plan = cli
        .run([
            "upscale".as_ref(),
            demo_clip().as_os_str(),
            "--codec".as_ref(),
            "av1".as_ref(),
            "--dry-run".as_ref(),
        ])
        .expect_code(0);
    assert_eq!(plan.stderr, "");
}

/// A JPEG that is stored on its side: EXIF orientation 6.
fn sideways(path: &Path, width: u32, height: u32) {
    let mut jpeg = Vec::new();
    image::RgbImage::from_fn(width, height, |x, y| image::Rgb(pattern(x, y)))
        .write_with_encoder(image::codecs::jpeg::JpegEncoder::new(&mut jpeg))
        .expect("a picture can be coded");
    let mut exif = b"\xff\xe1\0\x22Exif\0\0".to_vec();
    exif.extend(b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend(exif);
    bytes.extend(&jpeg[2..]);
    fs::write(path, bytes).expect("the picture can be written");
}

#[test]
fn a_picture_that_lies_on_its_side_is_enlarged_upright_and_undistorted() {
    let cli = Cli::new();
    let source = cli.folder().join("side.jpg");
    sideways(&source, 60, 40);
    for (scale, size) in [("2", (80, 120)), ("3", (120, 180))] {
        let plan = cli
            .run([
                "upscale".as_ref(),
                source.as_os_str(),
                "--scale".as_ref(),
                scale.as_ref(),
                "--name".as_ref(),
                "{width}x{height}".as_ref(),
                "--dry-run".as_ref(),
                "--json".as_ref(),
            ])
            .expect_code(0)
            .json();
        let sizes = serde_json::json!({"input": [40, 60], "output": [size.0, size.1]});
        assert_eq!(plan[0]["sizes"], sizes);
        let output = cli.folder().join(format!("{}x{}.jpg", size.0, size.1));
        assert_eq!(plan[0]["output"], output.to_str().unwrap());
        cli.run([
            "upscale".as_ref(),
            source.as_os_str(),
            "--scale".as_ref(),
            scale.as_ref(),
            "-o".as_ref(),
            output.as_os_str(),
        ])
        .expect_code(0);
        assert_eq!(image::image_dimensions(&output).unwrap(), size);
    }
}

#[test]
fn the_container_is_one_that_takes_the_codec_and_keeps_the_subtitles() {
    let Some(folder) = test_data("media/video") else {
        return;
    };
    let cli = Cli::new();
    let planned = |file: &str, codec: &str| {
        let plan = cli
            .run([
                "upscale".as_ref(),
                folder.join(file).as_os_str(),
                "--codec".as_ref(),
                codec.as_ref(),
                "-o".as_ref(),
                cli.folder().join("out/").as_os_str(),
                "--dry-run".as_ref(),
                "--json".as_ref(),
            ])
            .expect_code(0)
            .json();
        let output = plan[0]["output"].as_str().unwrap().to_owned();
        output.rsplit('.').next().unwrap().to_owned()
    };
    assert_eq!(planned("vp9_10bit.webm", "h264"), "mp4");
    assert_eq!(planned("vp9_10bit.webm", "hevc"), "mp4");
    assert_eq!(planned("vp9_10bit.webm", "av1"), "webm");
    assert_eq!(planned("mkv_ass.mkv", "prores"), "mkv");
    assert_eq!(planned("prores_4444_alpha.mov", "prores"), "mov");
}

#[test]
fn notes_are_told_before_the_work_and_in_a_dry_run() {
    let cli = Cli::new();
    let source = cli.folder().join("moving.gif");
    let file = fs::File::create(&source).unwrap();
    let mut encoder = image::codecs::gif::GifEncoder::new(file);
    for n in 0..2u8 {
        let frame = image::RgbaImage::from_pixel(16, 16, image::Rgba([n * 200, 9, 9, 255]));
        encoder.encode_frame(image::Frame::new(frame)).unwrap();
    }
    drop(encoder);
    let note = "Only the first frame";
    let still = cli.folder().join("still.png");
    let to_still = ["-o".as_ref(), still.as_os_str()];
    let words = ["upscale".as_ref(), source.as_os_str()];
    let dry = cli
        .run(words.iter().chain(&to_still).chain(&["--dry-run".as_ref()]))
        .expect_code(0);
    assert!(dry.stdout.contains(note), "{dry:?}");
    let ran = cli.run(words.iter().chain(&to_still)).expect_code(0);
    assert!(ran.stderr.contains(note), "{ran:?}");
    assert!(!ran.stdout.contains(note), "told twice: {ran:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn pictures_whose_worker_is_killed_are_done_all_the_same() {
    let cli = Cli::new();
    let folder = cli.folder().join("in");
    fs::create_dir(&folder).unwrap();
    for n in 0..24 {
        write_png(&folder.join(format!("{n:02}.png")), 200, 160, |x, y| {
            pattern(x + n, y)
        })
        .unwrap();
    }
    let results = cli.folder().join("out");
    let mut child = cli.start([
        "upscale",
        folder.to_str().unwrap(),
        "-o",
        results.to_str().unwrap(),
        "--model",
        "loom-x2",
    ]);
    let since = std::time::Instant::now();
    let done = || fs::read_dir(&results).map_or(0, Iterator::count);
    while done() < 3 {
        assert!(since.elapsed().as_secs() < 120, "nothing is done");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let workers = torture::workers_of(&cli);
    assert_eq!(workers.len(), 1, "one worker does them all");
    std::process::Command::new("kill")
        .args(["-9", &workers[0].to_string()])
        .status()
        .unwrap();
    assert!(child.wait().unwrap().success());
    let mut whole = 0;
    for n in 0..24 {
        let picture = image::open(results.join(format!("{n:02}_2x.png"))).unwrap();
        assert_eq!((picture.width(), picture.height()), (400, 320));
        whole += 1;
    }
    assert_eq!(whole, 24);
    // Nothing is left beside them, and every job says that it is done.
    assert_eq!(done(), 24);
    for job in cli.jobs() {
        assert_eq!(job["state"], "succeeded", "{job}");
    }
    assert!(torture::workers_of(&cli).is_empty());
}
