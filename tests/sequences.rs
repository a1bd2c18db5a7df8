//! Animations and numbered pictures, in and out, by the real command line.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::graphs::{chain, run_of};
use e2e::*;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
#[cfg(target_os = "linux")]
use std::time::{Duration, Instant};

/// Runs the system's ffmpeg in `folder`. False, with a line that says so, where there is none.
fn ffmpeg(folder: &Path, arguments: &str) -> bool {
    let ran = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-nostdin"])
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .status();
    match ran {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("skipped: no ffmpeg ({error})");
            false
        }
    }
}

/// A graph that changes nothing, so that a test is about files and not about models.
fn passing(cli: &Cli) -> PathBuf {
    chain(cli, "graph.json", &[])
}

fn words(list: &[&dyn AsRef<std::ffi::OsStr>]) -> Vec<OsString> {
    list.iter().map(|word| word.as_ref().to_owned()).collect()
}

/// `run` of the graph that changes nothing.
fn pass(cli: &Cli, input: &Path, output: &Path, more: &[&str]) -> Ran {
    cli.run(run_of(&passing(cli), input, output, more))
}

fn names(folder: &Path) -> Vec<String> {
    let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    walk(folder).into_iter().map(name).collect()
}

/// Numbered pictures of 16 bits with transparency, each of its own shade.
fn write_pictures(folder: &Path, numbers: std::ops::Range<u32>) {
    std::fs::create_dir_all(folder).unwrap();
    for number in numbers {
        let picture = image::ImageBuffer::from_fn(40, 30, |x, y| {
            let shade = (x * 1_500 + y * 111 + number * 257) as u16;
            image::Rgba([
                shade,
                u16::MAX - shade,
                (number * 3_001) as u16,
                20_000 + (y * 1_000) as u16,
            ])
        });
        picture
            .save(folder.join(format!("shot_{number:05}.png")))
            .unwrap();
    }
}

#[test]
fn a_clip_becomes_an_animation_by_its_name_alone() {
    let cli = Cli::new();
    let folder = cli.folder();
    if !ffmpeg(
        &folder,
        "-f lavfi -i testsrc2=s=96x64:r=25:d=1 -f lavfi -i sine=d=1 -c:v libx264 -c:a aac clip.mp4",
    ) {
        return;
    }
    let clip = folder.join("clip.mp4");
    for extension in ["gif", "apng", "webp"] {
        let output = folder.join("clip").with_extension(extension);
        let refused = cli
            .run(words(&[&"upscale", &clip, &"-o", &output]))
            .expect_code(3);
        assert!(refused.stderr.contains("sound"), "{refused:?}");
        assert!(refused.stderr.contains("--drop audio"), "{refused:?}");
        assert!(!output.exists());
        cli.run(words(&[
            &"upscale", &clip, &"-o", &output, &"--drop", &"audio",
        ]))
        .expect_code(0);
        let info = probe(&output);
        let (_, video) = info.main_video().unwrap();
        assert_eq!((video.width, video.height), (192, 128), "{extension}");
        let frames = frames(&output).unwrap();
        assert_eq!(frames.len(), 25, "{extension}");
        let verified = cli.run(words(&[&"verify", &output])).expect_code(0);
        assert!(verified.stdout.contains("times"), "{verified:?}");
        // Changed in its middle, it is another file.
        let mut bytes = std::fs::read(&output).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&output, bytes).unwrap();
        cli.run(words(&[&"verify", &output])).expect_code(4);
    }
    assert!(walk(&cli.data().join("jobs")).is_empty());
}

#[test]
fn an_animation_stays_one_and_its_first_frame_is_a_picture_where_that_is_asked_for() {
    let cli = Cli::new();
    let folder = cli.folder();
    let source = folder.join("moving.gif");
    let mut encoder = image::codecs::gif::GifEncoder::new(std::fs::File::create(&source).unwrap());
    encoder
        .set_repeat(image::codecs::gif::Repeat::Finite(2))
        .unwrap();
    for n in 0..3u8 {
        let picture = image::RgbaImage::from_fn(24, 16, |x, y| {
            let seen = x + y > u32::from(n) * 6;
            image::Rgba([
                n * 80,
                200 - n * 60,
                (x * 8) as u8,
                if seen { 255 } else { 0 },
            ])
        });
        let delay = image::Delay::from_numer_denom_ms(100 + u32::from(n) * 50, 1);
        encoder
            .encode_frame(image::Frame::from_parts(picture, 0, 0, delay))
            .unwrap();
    }
    drop(encoder);
    cli.run(words(&[&"upscale", &source])).expect_code(0);
    let enlarged = folder.join("moving_2x.gif");
    let facts = |path: &Path| frameloom_media::animation_facts(path).unwrap().unwrap();
    let (before, after) = (facts(&source), facts(&enlarged));
    assert_eq!((after.width, after.height), (48, 32));
    assert_eq!(after.lengths, before.lengths);
    assert_eq!((before.plays, after.plays), (3, 3));
    for other in ["webp", "apng"] {
        let output = folder.join("other").with_extension(other);
        pass(&cli, &source, &output, &[]).expect_code(0);
        let found = facts(&output);
        assert_eq!(
            (found.plays, found.lengths),
            (3, before.lengths.clone()),
            "{other}"
        );
        assert!(found.alpha);
        // And back: an animated WebP is read as well.
        let clip = folder.join(other).with_extension("mkv");
        pass(&cli, &output, &clip, &["--codec", "ffv1"]).expect_code(0);
        let hashes = |path: &Path| -> Vec<u64> {
            let list = frames(path).unwrap();
            list.into_iter().map(|(_, hash)| hash).collect()
        };
        assert_eq!(hashes(&clip).len(), 3);
    }
    let still = folder.join("first.png");
    let ran = cli
        .run(words(&[&"upscale", &source, &"-o", &still]))
        .expect_code(0);
    assert!(ran.stderr.contains("Only the first frame"), "{ran:?}");
}

#[test]
fn numbered_pictures_go_in_and_come_out_bit_for_bit() {
    let cli = Cli::new();
    let folder = cli.folder();
    let source = folder.join("in");
    write_pictures(&source, 31..61);
    let input = source.join("shot_%05d.png");
    let output = folder.join("out/shot_%05d.png");
    let rate = ["--rate", "24000/1001"];
    pass(&cli, &input, &output, &rate).expect_code(0);
    assert_eq!(
        names(&folder.join("out")),
        names(&source),
        "numbers are kept"
    );
    for (a, b) in walk(&source).iter().zip(walk(&folder.join("out"))) {
        let (a, b) = (image::open(a).unwrap(), image::open(&b).unwrap());
        assert_eq!(a.as_bytes(), b.as_bytes());
    }
    // Never over the pictures of somebody else.
    let again = pass(&cli, &input, &output, &rate).expect_code(2);
    assert!(again.stderr.contains("shot_00031.png"), "{again:?}");
    pass(&cli, &input, &output, &["--rate", "24", "--overwrite"]).expect_code(0);
    let into_itself = pass(&cli, &input, &input, &["--rate", "24", "--overwrite"]);
    into_itself.expect_code(2);
    // The receipt knows every one of them.
    cli.run(words(&[&"verify", &output])).expect_code(0);
    let lost = folder.join("out/shot_00040.png");
    let kept = std::fs::read(&lost).unwrap();
    std::fs::remove_file(&lost).unwrap();
    let verified = cli.run(words(&[&"verify", &output])).expect_code(4);
    assert!(verified.stdout.contains("shot_00040.png"), "{verified:?}");
    let mut other = kept.clone();
    let middle = other.len() / 2;
    other[middle] ^= 1;
    std::fs::write(&lost, other).unwrap();
    cli.run(words(&[&"verify", &output])).expect_code(4);
    std::fs::write(&lost, kept).unwrap();
    cli.run(words(&[&"verify", &output])).expect_code(0);
}

#[test]
fn numbered_pictures_become_a_clip_with_their_rate_depth_and_transparency() {
    let cli = Cli::new();
    let folder = cli.folder();
    write_pictures(&folder, 7..37);
    let clip = folder.join("clip.mkv");
    let first = folder.join("shot_00007.png");
    let by_first = ["--sequence", "--rate", "23.976", "--codec", "ffv1"];
    pass(&cli, &first, &clip, &by_first).expect_code(0);
    let info = probe(&clip);
    let (_, video) = info.main_video().unwrap();
    assert!(video.alpha && video.bit_depth == 16, "{video:?}");
    let mut reader = frameloom_media::Reader::open(&clip, &Default::default()).unwrap();
    let mut times = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        times.push(frame.pts());
    }
    // Matroska counts milliseconds.
    let wanted: Vec<i64> = (0..30).map(|n| (n * 1_001 * 2 + 24) / 48).collect();
    assert_eq!(times, wanted);
    let probed = cli
        .run(words(&[
            &"probe",
            &folder.join("shot_%05d.png"),
            &"--rate",
            &"24",
            &"--json",
        ]))
        .expect_code(0)
        .json();
    assert_eq!(probed["streams"][0]["frame_count"], 30);
    assert_eq!(probed["duration_micros"], 1_250_000);
}

#[test]
fn a_sequence_that_is_not_one_is_refused_by_the_name_of_the_picture() {
    let cli = Cli::new();
    let folder = cli.folder();
    let pattern = folder.join("shot_%05d.png");
    let output = folder.join("clip.mkv");
    let run = |more: &[&str]| pass(&cli, &pattern, &output, more);
    run(&["--rate", "24"]).expect_code(3);
    write_pictures(&folder, 1..6);
    let without_rate = run(&[]).expect_code(2);
    assert!(
        without_rate.stderr.contains("--rate 24"),
        "{without_rate:?}"
    );
    let gap = folder.join("shot_00003.png");
    let kept = std::fs::read(&gap).unwrap();
    std::fs::remove_file(&gap).unwrap();
    let missing = run(&["--rate", "24"]).expect_code(3);
    assert!(missing.stderr.contains("shot_00003.png"), "{missing:?}");
    write_png(&gap, 41, 30, pattern_of).unwrap();
    let other_size = run(&["--rate", "24"]).expect_code(3);
    assert!(
        other_size.stderr.contains("shot_00003.png"),
        "{other_size:?}"
    );
    write_png(&gap, 40, 30, pattern_of).unwrap();
    let other_depth = run(&["--rate", "24"]).expect_code(3);
    assert!(
        other_depth.stderr.contains("shot_00003.png"),
        "{other_depth:?}"
    );
    assert!(
        other_depth.stderr.contains("another kind"),
        "{other_depth:?}"
    );
    std::fs::write(&gap, &kept[..kept.len() / 2]).unwrap();
    let cut = run(&["--rate", "24"]);
    assert!(matches!(cut.code, Some(3 | 4)), "{cut:?}");
    assert!(cut.stderr.contains("shot_00003.png"), "{cut:?}");
    std::fs::write(&gap, kept).unwrap();
    run(&["--rate", "24", "--codec", "ffv1"]).expect_code(0);
    let clip_with_rate = pass(&cli, &output, &folder.join("b.mkv"), &["--rate", "24"]);
    clip_with_rate.expect_code(2);
}

fn pattern_of(x: u32, y: u32) -> [u8; 3] {
    e2e::pattern(x, y)
}

#[test]
fn pictures_of_a_clip_are_what_a_player_shows_and_say_what_their_colours_are() {
    let cli = Cli::new();
    let folder = cli.folder();
    if !ffmpeg(
        &folder,
        "-f lavfi -i color=red:s=64x48:r=10:d=0.5 -vf drawbox=w=32:c=blue:t=fill,format=yuv444p \
         -c:v ffv1 -color_primaries bt709 -color_trc bt709 -colorspace bt470bg bars.mkv",
    ) {
        return;
    }
    let output = folder.join("out/bar_%d.png");
    pass(&cli, &folder.join("bars.mkv"), &output, &[]).expect_code(0);
    let list: Vec<String> = (1..=5).map(|n| format!("bar_{n}.png")).collect();
    assert_eq!(names(&folder.join("out")), list);
    let picture = image::open(folder.join("out/bar_3.png")).unwrap().to_rgb8();
    for (x, wanted) in [(8, [0, 0, 255]), (50, [255, 0, 0])] {
        let found = picture.get_pixel(x, 20).0;
        let near = found.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 4);
        assert!(near, "{found:?} instead of {wanted:?}");
    }
    let bytes = std::fs::read(folder.join("out/bar_1.png")).unwrap();
    assert!(bytes.windows(4).any(|w| w == b"sRGB"));
}

#[cfg(target_os = "linux")]
fn kill_and_resume(output_name: &str) {
    use e2e::torture::workers_of;
    // Small pictures and three segments: long enough to be killed, short enough to be done twice.
    let clips = tempfile::tempdir().unwrap();
    if !ffmpeg(
        clips.path(),
        "-f lavfi -i testsrc2=s=160x90:r=25:d=12 -c:v libx264 clip.mp4",
    ) {
        return;
    }
    let source = clips.path().join("clip.mp4");
    let start = |cli: &Cli, output: &Path| {
        cli.start(words(&[
            &"upscale",
            &source,
            &"-o",
            &output,
            &"--quality",
            &"draft",
        ]))
    };
    let whole = Cli::new();
    let expected = whole.folder().join("out").join(output_name);
    assert!(start(&whole, &expected).wait().unwrap().success());
    let cli = Cli::new();
    let output = cli.folder().join("out").join(output_name);
    let since = Instant::now();
    let mut child = start(&cli, &output);
    let mut kills = 0;
    // Killed once in the frames and once in the last step, which writes the file or the files.
    while kills < 2 {
        assert!(
            since.elapsed() < Duration::from_secs(600),
            "it does not come so far"
        );
        let hidden = walk(&cli.folder())
            .iter()
            .any(|path| path.to_string_lossy().contains("/.frameloom-"));
        let ripe = if kills == 0 { cli.parts() > 0 } else { hidden };
        if ripe {
            // The command and its worker.
            let _ = child.kill();
            for pid in workers_of(&cli) {
                let _ = Command::new("kill")
                    .args(["-KILL", &pid.to_string()])
                    .status();
            }
            child.wait().unwrap();
            while !workers_of(&cli).is_empty() {
                std::thread::sleep(Duration::from_millis(20));
            }
            kills += 1;
            let id = cli.jobs()[0]["id"].as_str().unwrap().to_owned();
            child = cli.start(["jobs", "resume", &id]);
        }
        if child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(kills > 0, "it was never killed");
    assert!(child.wait().unwrap().success());
    let (found, wanted) = (
        walk(&cli.folder().join("out")),
        walk(&whole.folder().join("out")),
    );
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    for (a, b) in found.iter().zip(&wanted) {
        assert_eq!(a.file_name(), b.file_name());
        assert!(
            std::fs::read(a).unwrap() == std::fs::read(b).unwrap(),
            "{a:?}"
        );
    }
    cli.run(words(&[&"verify", &output])).expect_code(0);
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_animation_resumes_to_the_very_same_file() {
    kill_and_resume("moving.webp");
}

#[test]
#[cfg(target_os = "linux")]
fn killed_numbered_pictures_resume_to_the_very_same_files() {
    kill_and_resume("moving_%04d.png");
}
