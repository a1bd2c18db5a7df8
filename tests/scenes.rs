//! Shots found and split, through the real command line, in clips that are joined of real ones at places
//! that are known.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::*;
use frameloom_media::Inventory;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Stretches of real clips, each of a single shot: file, first second, frames at 25 a second.
const SHOTS: [(&str, f64, u64); 5] = [
    ("media/video/h264_1080p_full-range_5s.mp4", 0.0, 60),
    ("media/video/h264_aac_16s_320x240_60fps.mp4", 2.0, 50),
    ("media/video/hevc_1080p_full-range.mp4", 1.0, 70),
    ("media/video/preroll_5s_640x360.mp4", 0.0, 55),
    ("media/video/hevc_720p25_4s.ts", 1.0, 50),
];

/// Each as a file without loss, of one size and rate. `None` where something is missing.
fn stretches(folder: &Path) -> Option<Vec<PathBuf>> {
    let made = SHOTS.iter().enumerate().map(|(number, (file, from, frames))| {
        let source = test_data(file)?;
        let made = folder.join(format!("stretch{number}.mkv"));
        let look = "fps=25,scale=320:180:force_original_aspect_ratio=decrease,pad=320:180:-1:-1,setsar=1,format=yuv420p";
        ffmpeg(&[
            "-ss",
            &from.to_string(),
            "-i",
            &text(&source),
            "-an",
            "-sn",
            "-vf",
            look,
            "-frames:v",
            &frames.to_string(),
            "-c:v",
            "ffv1",
            &text(&made),
        ])
        .then_some(made)
    });
    made.collect()
}

/// The stretches one after the other, with a sound and subtitles, as H.264 in Matroska; each begins at
/// the frame that is told.
fn joined(cli: &Cli, name: &str) -> Option<(PathBuf, Vec<u64>)> {
    let parts = stretches(cli.folder().as_path())?;
    let list = cli.folder().join("list.txt");
    let lines: String = parts
        .iter()
        .map(|part| format!("file '{}'\n", part.display()))
        .collect();
    std::fs::write(&list, lines).unwrap();
    let words = cli.folder().join("words.srt");
    std::fs::write(
        &words,
        "1\n00:00:01,000 --> 00:00:02,000\nMột dòng chữ\n\n2\n00:00:05,000 --> 00:00:06,000\nÀ bientôt\n",
    )
    .unwrap();
    let made = cli.folder().join(name);
    let length: u64 = SHOTS.iter().map(|(.., frames)| frames).sum();
    ffmpeg(&[
        "-f",
        "concat",
        "-safe",
        "0",
        "-i",
        &text(&list),
        "-f",
        "lavfi",
        "-i",
        &format!("sine=330:d={}", length as f64 / 25.0),
        "-i",
        &text(&words),
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-map",
        "2:s",
        // A stretch may claim to last longer than its pictures do.
        "-vf",
        "setpts=N/(25*TB)",
        "-c:v",
        "libx264",
        "-crf",
        "16",
        "-g",
        "40",
        "-bf",
        "3",
        "-c:a",
        "aac",
        "-c:s",
        "srt",
        &text(&made),
    ]);
    let mut at = 0;
    let mut starts = Vec::new();
    for (.., frames) in SHOTS {
        starts.push(at);
        at += frames;
    }
    Some((made, starts))
}

/// First frames of the shots in a document of `--export json`.
fn starts(document: &Value) -> Vec<u64> {
    let shots = document["shots"].as_array().unwrap();
    let first = shots.iter().map(|shot| shot["first_frame"].as_u64());
    first.collect::<Option<_>>().unwrap()
}

fn found(cli: &Cli, clip: &Path, more: &[&str]) -> Vec<u64> {
    let clip = text(clip);
    let all = [&["scenes", &clip, "--export", "json", "--to", "-"], more].concat();
    starts(&cli.run(all).expect_code(0).json())
}

#[test]
fn every_cut_is_found_at_its_frame_and_flashes_are_none() {
    let cli = Cli::new();
    let Some((clip, truth)) = joined(&cli, "joined.mkv") else {
        return;
    };
    assert_eq!(found(&cli, &clip, &[]), truth);
    // A table for people and programs says the same.
    let table = cli.run(["scenes", &text(&clip), "--export", "list", "--to", "-"]);
    let table = table.expect_code(0).stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), truth.len() + 1);
    let second = "2,60,109,50,00:00:02.400,2.400000,4.400000,2.000000,cut";
    assert_eq!(lines[2], second);
    // White pictures, and a light that goes out, within shots.
    let flashes = cli.folder().join("flashes.mkv");
    let look = "geq=lum='if(between(N,20,21)+between(N,80,84),235,if(between(N,140,142),16,lum(X,Y)))':cb='cb(X,Y)':cr='cr(X,Y)'";
    ffmpeg(&[
        "-i",
        &text(&clip),
        "-an",
        "-sn",
        "-vf",
        look,
        "-c:v",
        "ffv1",
        &text(&flashes),
    ]);
    assert_eq!(found(&cli, &flashes, &[]), truth);
    // Shots that may not be short are fewer.
    assert_eq!(found(&cli, &clip, &["--least", "2.5"]).len(), 3);
    assert_eq!(
        found(&cli, &clip, &["--sensitivity", "0", "--least", "60"]),
        [0]
    );
}

#[test]
fn dissolves_and_fades_end_shots_near_their_middle() {
    let cli = Cli::new();
    let Some(parts) = stretches(cli.folder().as_path()) else {
        return;
    };
    for (kind, slack) in [("fade", 3), ("fadeblack", 6)] {
        // The first three, twelve and sixteen pictures of each pair shown together.
        let made = cli.folder().join(format!("{kind}.mkv"));
        let look = format!(
            "[0:v]settb=1/25,fps=25[a];[1:v]settb=1/25,fps=25[b];[2:v]settb=1/25,fps=25[c];\
             [a][b]xfade=transition={kind}:duration=0.48:offset=1.92[x];\
             [x][c]xfade=transition={kind}:duration=0.64:offset=3.28[o]"
        );
        let [a, b, c] = [0, 1, 2].map(|n| text(&parts[n]));
        let all = [
            "-i",
            &a,
            "-i",
            &b,
            "-i",
            &c,
            "-filter_complex",
            &look,
            "-map",
            "[o]",
            "-c:v",
            "libx264",
            "-crf",
            "16",
            &text(&made),
        ];
        if !ffmpeg(&all) {
            return;
        }
        let found = found(&cli, &made, &[]);
        assert_eq!(found.len(), 3, "{kind}: {found:?}");
        for (start, middle) in found[1..].iter().zip([54u64, 90]) {
            assert!(start.abs_diff(middle) <= slack, "{kind}: {found:?}");
        }
    }
}

#[test]
fn each_shot_becomes_a_clip_with_its_pictures_sound_and_subtitles() {
    let cli = Cli::new();
    let Some((clip, truth)) = joined(&cli, "joined.mkv") else {
        return;
    };
    let folder = cli.folder().join("shots");
    let told = cli.run([
        "scenes",
        &text(&clip),
        "--export",
        "files",
        "--to",
        &format!("{}/", folder.display()),
        "--name",
        "{name}_{shot:03}",
        "--codec",
        "ffv1",
        "--quality",
        "lossless",
    ]);
    told.expect_code(0);
    let whole = frames_of(&clip);
    for (number, from) in truth.iter().enumerate() {
        let made = folder.join(format!("joined_{:03}.mkv", number + 1));
        let frames = frames_of(&made);
        assert_eq!(frames.len() as u64, SHOTS[number].2, "shot {number}");
        for (n, frame) in frames.iter().enumerate() {
            let source = &whole[*from as usize + n];
            assert_eq!(
                frame.content_hash(),
                source.content_hash(),
                "shot {number}, frame {n}"
            );
        }
        let tracks = probe(&made).streams.len();
        assert_eq!(tracks, 3, "pictures, sound and subtitles of shot {number}");
    }
    // The first line of text is in the first shot, the second in the third, which begins at 4.4 s.
    let third = Inventory::take(&folder.join("joined_003.mkv"), &Default::default()).unwrap();
    let text_track = third
        .streams
        .iter()
        .find(|s| s.info.codec == "subrip")
        .unwrap();
    let times: Vec<i64> = text_track.presentation_times();
    assert_eq!(times, [600], "milliseconds");
    assert_eq!(
        walk(&folder).len(),
        truth.len(),
        "nothing else is left behind"
    );
}

#[test]
fn a_copy_gets_a_chapter_for_each_shot_and_keeps_every_packet() {
    let cli = Cli::new();
    let Some((clip, truth)) = joined(&cli, "joined.mkv") else {
        return;
    };
    let told = cli.run([
        "scenes",
        &text(&clip),
        "--export",
        "chapters",
        "--chapter",
        "Cảnh",
    ]);
    told.expect_code(0);
    let copy = cli.folder().join("joined_chapters.mkv");
    let told = cli.run([
        "diff",
        &text(&clip),
        &text(&copy),
        // Lengths are those of the last packets, rounded to milliseconds by another writer.
        "--ignore",
        "file:chapters,duration,tags.duration,tags.encoder",
    ]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let inventory = Inventory::take(&copy, &Default::default()).unwrap();
    let chapters: Vec<(i64, String)> = inventory
        .chapters
        .iter()
        .map(|chapter| (chapter.start.micros(), chapter.tags["title"].clone()))
        .collect();
    // Sound that begins earlier moves the first picture, in the source as well.
    let first = chapters[0].0;
    assert!((0..40_000).contains(&first), "{first}");
    let wanted: Vec<(i64, String)> = truth
        .iter()
        .zip(1..)
        .map(|(frame, number)| (first + *frame as i64 * 40_000, format!("Cảnh {number}")))
        .collect();
    assert_eq!(chapters, wanted);
    // Never over what is there, unless that is wanted.
    cli.run(["scenes", &text(&clip), "--export", "chapters"])
        .expect_code(0);
    assert!(cli.folder().join("joined_chapters (2).mkv").exists());
}

#[test]
fn a_sheet_shows_each_shot() {
    let cli = Cli::new();
    let Some((clip, truth)) = joined(&cli, "joined.mkv") else {
        return;
    };
    let sheet = cli.folder().join("sheet.png");
    cli.run([
        "scenes",
        &text(&clip),
        "--export",
        "sheet",
        "--to",
        &text(&sheet),
    ])
    .expect_code(0);
    let picture = image::open(&sheet).unwrap().to_rgb8();
    // Three beside each other, in two rows, each with a line below.
    assert_eq!(picture.dimensions(), (3 * 328 + 8, 2 * (180 + 28) + 8));
    let spread = |left: u32, top: u32| {
        let values = (0..180 * 320).map(|n| picture.get_pixel(left + n % 320, top + n / 320).0[1]);
        let all: Vec<u8> = values.collect();
        all.iter().max().unwrap() - all.iter().min().unwrap()
    };
    for number in 0..truth.len() as u32 {
        assert!(
            spread(8 + number % 3 * 328, 8 + number / 3 * 208) > 60,
            "picture {number}"
        );
    }
    assert_eq!(spread(8 + 2 * 328, 8 + 208), 0, "the last place is empty");
    let white = |top: u32| {
        (0..28 * 320)
            .filter(|n| picture.get_pixel(8 + n % 320, top + n / 320).0[1] > 200)
            .count()
    };
    assert!(white(8 + 180) > 40, "the line below the first picture");
    assert_eq!(
        walk(&cli.folder())
            .iter()
            .filter(|p| p.extension().is_some_and(|e| e == "ass"))
            .count(),
        0
    );
}

#[test]
fn what_cannot_be_is_said_before_anything_is_looked_at() {
    let cli = Cli::new();
    let clip = text(&demo_clip());
    for (more, says) in [
        (&["--export", "sheet", "--to", "a.gif"][..], "PNG or a JPEG"),
        (&["--export", "files", "--to", "a.mp4"], "need a folder"),
        (&["--sensitivity", "2"], "sensitivity"),
        (&["--least", "-1"], "unexpected argument"),
        (&["--least=-1"], "shortest shot"),
        (&["--export", "chapters", "--to", "a.txt"], "txt"),
    ] {
        let all = [&["scenes", &clip], more].concat();
        let told = cli.run(all).expect_code(2);
        assert!(told.stderr.contains(says), "{told:?}");
    }
    let still = text(&root().join("assets/specimen.jpg"));
    let told = cli.run(["scenes", &still]).expect_code(2);
    assert!(told.stderr.contains("only a clip has scenes"), "{told:?}");
    let told = cli.run(["do", "scenes", &clip]).expect_code(2);
    assert!(
        told.stderr.contains("scenes FILE --export files"),
        "{told:?}"
    );
}
