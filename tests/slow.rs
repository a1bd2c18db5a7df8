//! Slow motion through the real command line: pictures, sound, subtitles and chapters last so many times
//! as long, exactly.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::*;
use frameloom_core::pixel::AnyPlane;
use serde_json::json;
use std::f64::consts::TAU;
use std::path::{Path, PathBuf};

/// Two seconds out of a hand with a tone of 440 Hz from 0.5 to 1.5 s, two subtitles and two chapters,
/// 25 pictures a second.
fn clip(folder: &Path) -> Option<PathBuf> {
    let source = test_data("media/video/h264_aac_17s_640x360.mp4")?;
    let (cues, marks) = (folder.join("a.srt"), folder.join("a.txt"));
    std::fs::write(
        &cues,
        "1\n00:00:00,240 --> 00:00:00,920\nFirst\n\n2\n00:00:01,000 --> 00:00:01,760\nSecond\n",
    )
    .unwrap();
    std::fs::write(
        &marks,
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=800\ntitle=One\n\
         [CHAPTER]\nTIMEBASE=1/1000\nSTART=800\nEND=2000\ntitle=Two\n",
    )
    .unwrap();
    let path = folder.join("clip.mkv");
    let tone = "aevalsrc='0.4*sin(2*PI*440*t)*between(t,0.5,1.5)':s=48000:d=2";
    let all = [
        "-ss",
        "4",
        "-i",
        &text(&source),
        "-f",
        "lavfi",
        "-i",
        tone,
        "-i",
        &text(&cues),
        "-i",
        &text(&marks),
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-map",
        "2:s",
        "-map_metadata",
        "3",
        "-vf",
        "fps=25,setpts=N/25/TB,scale=320:180,format=yuv420p",
        "-frames:v",
        "50",
        "-c:v",
        "ffv1",
        "-c:a",
        "flac",
        "-c:s",
        "srt",
        &text(&path),
    ];
    ffmpeg(&all).then_some(path)
}

fn lumas(path: &Path) -> Vec<(i64, u64)> {
    frames(path).unwrap()
}

/// The height of the loudest tone between two moments, in Hz, among whole ones up to 1000.
fn pitch(sound: &[f64], rate: f64, (from, to): (f64, f64)) -> f64 {
    let part = &sound[(from * rate) as usize..(to * rate) as usize];
    let power = |hertz: f64| {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, value) in part.iter().enumerate() {
            let angle = TAU * hertz * n as f64 / rate;
            re += value * angle.cos();
            im += value * angle.sin();
        }
        re * re + im * im
    };
    let all = (50..1_000).map(f64::from);
    let loudest = all.map(|hertz| (power(hertz), hertz));
    loudest.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap().1
}

/// When sound begins and ends to be heard, in seconds.
fn heard(sound: &[f64], rate: f64) -> (f64, f64) {
    let is_loud = |value: &f64| value.abs() > 0.1;
    let first = sound.iter().position(is_loud).unwrap();
    let last = sound.iter().rposition(is_loud).unwrap();
    (first as f64 / rate, last as f64 / rate)
}

#[test]
fn everything_of_a_slowed_clip_lasts_exactly_as_much_longer() {
    let cli = Cli::new();
    let folder = cli.folder();
    let Some(source) = clip(&folder) else { return };
    let own = lumas(&source);
    assert_eq!(own.len(), 50);
    for (slow, times) in [("4", 4.0), ("3/2", 1.5), ("8", 8.0)] {
        let out = folder.join(format!("slow_{times}.mkv"));
        cli.run([
            "interpolate",
            &text(&source),
            "-o",
            &text(&out),
            "--slow",
            slow,
            "--codec",
            "ffv1",
            "-q",
            "lossless",
        ])
        .expect_code(0);
        let info = probe(&out);
        let rate = info.main_video().unwrap().1.frame_rate.unwrap();
        assert_eq!(rate.ratio().to_string(), "25/1", "{slow}");
        // Pictures: at even times, those of the clip at theirs, and others between them.
        let made = lumas(&out);
        assert_eq!(made.len() as f64, 50.0 * times, "{slow}");
        for (number, (at, _)) in (0..).zip(&made) {
            assert_eq!(*at, number * 40, "{slow}");
        }
        let mut found = 0;
        for (number, (_, hash)) in made.iter().enumerate() {
            let source = number as f64 / times;
            if source.fract() == 0.0 {
                assert_eq!(*hash, own[source as usize].1, "{slow}: picture {number}");
            } else if own.iter().any(|(_, own)| own == hash) {
                // Behind the last one there is nothing to go to.
                assert!(source > 49.0, "{slow}: picture {number} is one of the clip");
            } else {
                found += 1;
            }
        }
        assert!(found > made.len() / 4, "{slow}: {found} new pictures");
        // Sound: as long, where it was and as high.
        let sound = sound_of(&out, 48_000);
        assert_eq!(sound.len() as f64, 96_000.0 * times, "{slow}");
        let (from, to) = heard(&sound, 48_000.0);
        let apart = (from - 0.5 * times).abs().max((to - 1.5 * times).abs());
        assert!(apart < 0.06 * times, "{slow}: heard from {from} to {to} s");
        let hertz = pitch(&sound, 48_000.0, (0.7 * times, 1.3 * times));
        assert!((hertz - 440.0).abs() <= 4.0, "{slow}: {hertz} Hz");
        // Subtitles and chapters.
        let cues = folder.join(format!("slow_{times}.srt"));
        cli.run(["subtitles", &text(&out), "-o", &text(&cues)])
            .expect_code(0);
        let cues = std::fs::read_to_string(&cues).unwrap();
        let moment = |seconds: f64| {
            let millis = (seconds * times * 1_000.0).round() as u64;
            format!("00:00:{:02},{:03}", millis / 1_000, millis % 1_000)
        };
        for (from, to) in [(0.24, 0.92), (1.0, 1.76)] {
            let line = format!("{} --> {}", moment(from), moment(to));
            assert!(cues.contains(&line), "{slow}: no {line} in {cues}");
        }
        let chapters = info.chapters.iter();
        let chapters: Vec<_> = chapters.map(|c| (c.start_micros, c.end_micros)).collect();
        let micros = |seconds: f64| (seconds * times * 1e6).round() as i64;
        let wanted = [(0, micros(0.8)), (micros(0.8), micros(2.0))];
        assert_eq!(chapters, wanted, "{slow}");
    }
}

#[test]
fn a_slowed_stretch_begins_with_its_first_picture_and_its_sound() {
    let cli = Cli::new();
    let folder = cli.folder();
    let Some(source) = clip(&folder) else { return };
    let own = lumas(&source);
    let graph = graphs::chain(
        &cli,
        "stretch.json",
        &[
            ("cut", json!({"keep": "0.2-0.6\n1-1.6"})),
            ("interpolate", json!({"slow": {"num": 4, "den": 1}})),
        ],
    );
    let out = folder.join("out.mkv");
    let lossless = ["--codec", "ffv1", "-q", "lossless"];
    cli.run(graphs::run_of(&graph, &source, &out, &lossless))
        .expect_code(0);
    let made = lumas(&out);
    assert_eq!(made.len(), 4 * (10 + 15));
    assert_eq!((made[0].0, made[0].1), (0, own[5].1));
    for number in 0..25 {
        let kept = if number < 10 { 5 + number } else { 15 + number };
        assert_eq!(made[4 * number].1, own[kept].1, "picture {number}");
    }
    // The tone begins at 0.5 s, which is 0.3 s behind the start, and its rest ends at 0.4 + 0.5 s.
    let sound = sound_of(&out, 48_000);
    assert_eq!(sound.len(), 4 * 48_000);
    let (from, to) = heard(&sound, 48_000.0);
    assert!(
        (from - 1.2).abs() < 0.2 && (to - 3.6).abs() < 0.2,
        "{from} {to}"
    );
}

#[test]
fn the_sound_of_a_real_clip_is_stretched_or_left_out_in_an_mp4() {
    let Some(source) = test_data("media/video/h264_aac_16s_320x240_60fps.mp4") else {
        return;
    };
    let cli = Cli::new();
    let folder = cli.folder();
    let clip = folder.join("clip.mp4");
    let cut = [
        "-ss",
        "2",
        "-i",
        &text(&source),
        "-t",
        "1",
        "-c:v",
        "libx264",
        "-crf",
        "16",
        "-c:a",
        "aac",
        &text(&clip),
    ];
    if !ffmpeg(&cut) {
        return;
    }
    let own = lumas(&clip).len();
    for (more, tracks) in [(&[][..], 1), (&["--sound", "drop"][..], 0)] {
        let out = folder.join(format!("out_{tracks}.mp4"));
        let all = [
            "interpolate",
            &text(&clip),
            "-o",
            &text(&out),
            "--slow",
            "2",
        ];
        cli.run(all.iter().chain(more)).expect_code(0);
        assert_eq!(lumas(&out).len(), 2 * own);
        let info = probe(&out);
        let rate = info.main_video().unwrap().1.frame_rate.unwrap();
        assert_eq!(rate.ratio().to_string(), "60/1");
        let sounds = info.streams.iter().filter(|s| s.audio.is_some()).count();
        assert_eq!(sounds, tracks);
        if tracks == 1 {
            let (short, long) = (sound_of(&clip, 48_000), sound_of(&out, 48_000));
            // Within a packet of the encoder, and of the one before.
            let apart = (long.len() as i64 - 2 * short.len() as i64).abs();
            assert!(apart <= 3 * 1_024, "{} {}", short.len(), long.len());
        }
    }
}

#[test]
fn what_cannot_be_slowed_down_is_refused_in_a_sentence() {
    let cli = Cli::new();
    let clip = text(&demo_clip());
    for (words, says) in [
        (&["--slow", "0.5"][..], "1 to 32"),
        (&["--slow", "100"], "1 to 32"),
        (&["--slow", "much"], "is no number"),
        (&["--sound", "drop"], "--slow"),
    ] {
        let ran = cli.run(["interpolate", &clip].iter().chain(words));
        let ran = ran.expect_code(2);
        assert!(ran.stderr.contains(says), "{ran:?}");
    }
    let out = text(&cli.folder().join("joined.mkv"));
    let graph = graphs::wired(
        &cli,
        "joined.json",
        &[
            ("a", "source", json!({})),
            ("b", "source", json!({"name": "more"})),
            ("slow", "interpolate", json!({"slow": {"num": 2, "den": 1}})),
            ("joint", "concat", json!({})),
            ("end", "sink", json!({})),
        ],
        &["a slow", "slow joint", "b joint", "joint end"],
    );
    let graph = text(&graph);
    let more = format!("more={clip}");
    let ran = cli.run(["run", &graph, "--in", &clip, "--in", &more, "--out", &out]);
    let ran = ran.expect_code(2);
    assert!(ran.stderr.contains("cannot be slowed down"), "{ran:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_job_resumes_to_the_very_same_slow_motion() {
    let cli = Cli::new();
    let folder = cli.folder();
    let source = folder.join("long.mkv");
    let made = ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=192x108:r=24:d=14",
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=300:duration=14",
        "-c:v",
        "ffv1",
        "-c:a",
        "flac",
        &text(&source),
    ]);
    if !made {
        return;
    }
    let (whole, resumed) = (folder.join("whole.mkv"), folder.join("resumed.mkv"));
    let command = |out: &Path| {
        let out = text(out);
        ["interpolate", &text(&source), "-o", &out, "--slow", "5/2"].map(str::to_owned)
    };
    cli.run(command(&whole)).expect_code(0);
    let id = cli.killed_midway(command(&resumed), &resumed);
    cli.run(["jobs", "resume", &id]).expect_code(0);
    let read = |path: &Path| std::fs::read(path).unwrap();
    assert!(read(&resumed) == read(&whole), "the resumed file differs");
}

fn rows(height: usize, row: impl Fn(usize) -> Vec<f64>) -> Vec<f64> {
    (0..height).flat_map(row).collect()
}

#[test]
fn a_network_makes_the_frames_in_between_where_a_clip_has_one_scene() {
    let cli = Cli::new();
    let folder = cli.folder();
    let source = folder.join("cut.mkv");
    let scenes = "testsrc2=s=97x65:r=25:d=0.4,format=rgb24,format=gbrp[a];\
                  mandelbrot=s=97x65:r=25,trim=end_frame=10,format=gbrp[b];[a][b]concat";
    let made = ffmpeg(&["-filter_complex", scenes, "-c:v", "ffv1", &text(&source)]);
    if !made {
        return;
    }
    let one = || onnx::Told::By(vec![onnx::Dim::Fixed(1)]);
    for (id, told) in [("mix", one()), ("middle", onnx::Told::Never)] {
        let file = folder.join(format!("{id}.onnx"));
        std::fs::write(&file, onnx::mixed(&told, 32, false)).unwrap();
        let ran = cli.run([
            "models",
            "import",
            &text(&file),
            "--id",
            id,
            "--licence",
            "MIT",
        ]);
        let ran = ran.expect_code(0);
        assert!(
            ran.stdout
                .contains(&format!("interpolate FILE --model {id}")),
            "{ran:?}"
        );
        let out = folder.join(format!("{id}.mkv"));
        let words = [
            "interpolate",
            &text(&source),
            "-o",
            &text(&out),
            "--model",
            id,
            "--times",
            "8",
            "--codec",
            "ffv1",
            "-q",
            "lossless",
        ];
        cli.run(words).expect_code(0);
        let (own, made) = (frames_of(&source), frames_of(&out));
        assert_eq!(made.len(), 8 * own.len());
        // The codec takes red, green and blue of more than 8 bits alone.
        let values = |frame: &frameloom_media::Frame| -> Vec<f64> {
            let full = 255.0 / f64::from(frame.format().max_value());
            let of = |samples: &[f64]| samples.iter().map(|v| v * full).collect::<Vec<_>>();
            let plane = |index| match frame.plane(index) {
                AnyPlane::U8(plane) => rows(plane.height, |y| {
                    plane.row(y).iter().map(|&v| v.into()).collect()
                }),
                AnyPlane::U16(plane) => rows(plane.height, |y| {
                    plane.row(y).iter().map(|&v| v.into()).collect()
                }),
            };
            (0..3).flat_map(|index| of(&plane(index))).collect()
        };
        for (number, frame) in made.iter().enumerate() {
            let (before, part) = (number / 8, number % 8);
            // The first scene ends with its tenth picture, the clip with its last.
            let part = if before == 9 || before == 19 { 0 } else { part };
            let a = values(&own[before]);
            let b = values(own.get(before + 1).unwrap_or(&own[before]));
            let way = part as f64 / 8.0;
            let found = values(frame);
            assert_eq!(found.len(), 3 * 97 * 65);
            for ((a, b), found) in a.iter().zip(&b).zip(&found) {
                let apart = (a + (b - a) * way - found).abs();
                assert!(apart <= 1.5, "{id}: picture {number} is {apart} apart");
            }
        }
        let receipt = cli.run(["jobs", "list"]).expect_code(0);
        assert!(!receipt.stdout.is_empty());
        let jobs = cli.jobs();
        let job = jobs.first().unwrap()["id"].as_str().unwrap().to_owned();
        let receipt = cli.run(["jobs", "show", &job, "--receipt"]).expect_code(0);
        assert!(receipt.stdout.contains("MIT"), "{receipt:?}");
    }
    let (input, out) = (text(&source), text(&folder.join("no.mkv")));
    let ran = cli.run(["interpolate", &input, "-o", &out, "--model", "loom-x2"]);
    let ran = ran.expect_code(2);
    assert!(
        ran.stderr.contains("makes no pictures between two"),
        "{ran:?}"
    );
}
