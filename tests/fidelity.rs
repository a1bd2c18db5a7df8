//! Nothing of a source is lost in silence: by the real command, told by the real diff.

use e2e::*;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small Matroska file with subtitles, chapters and a font, or `None` where there is no ffmpeg.
fn film(folder: &Path) -> Option<PathBuf> {
    fs::write(
        folder.join("s.srt"),
        "1\n00:00:00,100 --> 00:00:00,700\nHello\n\n",
    )
    .expect("the folder can be written");
    fs::write(folder.join("font.ttf"), [7; 500]).expect("the folder can be written");
    let arguments = "-v error -y -nostdin -f lavfi -i testsrc2=s=64x48:r=25:d=1 \
         -f lavfi -i sine=440:d=1 -i s.srt -map 0 -map 1 -map 2 -attach font.ttf \
         -metadata:s:t mimetype=font/ttf -metadata:s:a language=fra -metadata title=Film \
         -c:v libx264 -preset ultrafast -c:a aac -c:s srt film.mkv";
    let made = Command::new("ffmpeg")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no ffmpeg that makes the clip");
        return None;
    }
    Some(folder.join("film.mkv"))
}

fn upscale(cli: &Cli, source: &Path, more: &[&str]) -> Ran {
    let mut arguments = vec![OsStr::new("upscale"), source.as_os_str()];
    arguments.extend(["--quality", "draft"].map(OsStr::new));
    arguments.extend(more.iter().map(OsStr::new));
    cli.run(arguments)
}

#[test]
fn a_container_that_cannot_hold_a_track_is_refused_before_the_job_starts() {
    let cli = Cli::new();
    let Some(film) = film(&cli.folder()) else {
        return;
    };
    let output = cli.folder().join("out.mp4");
    let to_mp4 = ["-o", output.to_str().unwrap()];
    let ran = upscale(&cli, &film, &to_mp4).expect_code(3);
    for word in ["Stream 2", "stream 3", ".mp4", ".mkv", "--drop 2 --drop 3"] {
        assert!(
            ran.stderr.contains(word),
            "{word} is missing in {}",
            ran.stderr
        );
    }
    assert!(cli.jobs().is_empty() && !output.exists());

    let dropped = [&to_mp4[..], &["--drop", "subtitles", "--drop", "3"]].concat();
    upscale(&cli, &film, &dropped).expect_code(0);
    let kinds: Vec<_> = probe(&output)
        .streams
        .into_iter()
        .map(|s| s.codec)
        .collect();
    assert_eq!(kinds, ["h264", "aac"]);

    for wrong in ["sound", "17", "0"] {
        let ran = upscale(&cli, &film, &["--drop", wrong]).expect_code(2);
        assert!(ran.stderr.contains(wrong), "{}", ran.stderr);
    }
}

#[test]
fn left_alone_the_program_chooses_a_container_that_loses_nothing_and_the_diff_says_so() {
    let cli = Cli::new();
    let Some(film) = film(&cli.folder()) else {
        return;
    };
    upscale(&cli, &film, &[]).expect_code(0);
    let output = cli.folder().join("film_2x.mkv");
    let diff = |more: &[&str]| {
        let mut arguments = vec!["diff", film.to_str().unwrap(), output.to_str().unwrap()];
        arguments.extend(more);
        cli.run(arguments)
    };
    let document = diff(&["--json"]).expect_code(1).json();
    assert_eq!(document["equal"], false);
    let differing: Vec<&str> = document["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["aspect"].as_str().unwrap())
        .collect();
    assert!(
        differing.contains(&"size") && !differing.contains(&"pts"),
        "{differing:?}"
    );
    // The pictures were coded anew at another size; that is all.
    let coded = "video:size,video:content,video:setup,video:profile,video:dts,video:field_order,\
         tags.encoder,tags.duration,file:duration,video:packet_durations,video:end";
    let same = diff(&["--ignore", coded]).expect_code(0);
    assert!(
        same.stdout.contains("subtitle: subrip: same"),
        "{}",
        same.stdout
    );
    let itself = cli.run(["diff", film.to_str().unwrap(), film.to_str().unwrap()]);
    assert!(!itself.expect_code(0).stdout.contains("differs"));
    cli.run(["diff", film.to_str().unwrap(), "nowhere.mkv"])
        .expect_code(3);
    cli.run(["diff", "--ignore", "nothing", "a", "b"])
        .expect_code(2);
}
