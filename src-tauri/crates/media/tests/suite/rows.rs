//! Rows of the fidelity table that a diff of two files does not see by itself: what was hidden,
//! mended, missing, made anew, and what is not written on purpose.

use crate::support::{Pass, data, ffmpeg, frames, reader};
use frameloom_core::media::{FieldOrder, MediaInfo, Warning};
use frameloom_media::{Container, plan_mux, probe};
use std::path::Path;
use tempfile::tempdir;

#[test]
fn times_that_run_backwards_are_mended_and_their_number_is_told() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let made = ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=96x64:r=25:d=1 -c:v mpeg2video -bf 0 -f mpegts one.ts",
    );
    if !made {
        return;
    }
    // A recorder that began anew: the clock of the second half is that of the first.
    let one = std::fs::read(path("one.ts")).unwrap();
    std::fs::write(path("twice.ts"), [one.as_slice(), one.as_slice()].concat()).unwrap();
    let mut reader = reader(&path("twice.ts"));
    let mut times = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        times.push(frame.pts());
    }
    assert_eq!(times.len(), 50);
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    let mended = reader.report().mended_timestamps;
    assert!(mended >= 20, "{mended}");
    let told = Warning::TimestampsMended { frames: mended };
    assert!(reader.report().warnings().contains(&told));
}

#[test]
fn what_an_edit_list_hides_is_not_processed() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // Cut between two key frames without coding: the pictures before the cut are in the file, and
    // an edit list hides them.
    let made = ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=96x64:r=25:d=4 -c:v libx264 -g 50 -bf 2 whole.mp4",
    ) && ffmpeg(folder.path(), "-ss 1 -i whole.mp4 -c copy cut.mp4");
    if !made {
        return;
    }
    let whole: Vec<u64> = frames(&path("whole.mp4"))
        .into_iter()
        .map(|f| f.1)
        .collect();
    let cut: Vec<u64> = frames(&path("cut.mp4")).into_iter().map(|f| f.1).collect();
    assert_eq!(cut, whole[25..], "pictures that no player shows were read");
}

#[test]
fn a_file_that_ends_early_is_told_with_what_is_missing() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    if !ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=320x240:r=25:d=8 -c:v mpeg4 -q:v 2 whole.mkv",
    ) {
        return;
    }
    let mut bytes = std::fs::read(path("whole.mkv")).unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(path("cut.mkv"), bytes).unwrap();
    let mut reader = reader(&path("cut.mkv"));
    let mut count = 0;
    while reader.next_frame().unwrap().is_some() {
        count += 1;
    }
    assert!((50..150).contains(&count), "{count}");
    let warnings = reader.report().warnings();
    let told = warnings.iter().any(|warning| {
        matches!(warning, Warning::Truncated { frames, read_micros, stated_micros }
            if *frames == count && *read_micros < 6_000_000 && *stated_micros > 7_900_000)
    });
    assert!(told, "{warnings:?}");
}

#[test]
fn tracks_that_the_muxer_makes_anew_are_neither_dropped_nor_doubled() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(
        path("chapters.txt"),
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=one\n\
         [CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=two\n",
    )
    .unwrap();
    // One after the other: ffmpeg refers to one such track only.
    let made = ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=96x64:r=25:d=2 -i chapters.txt -map_metadata 1 -c:v mpeg4 \
         chapters.mov",
    ) && ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=96x64:r=25:d=2 -c:v mpeg4 -timecode 01:02:03:04 code.mov",
    );
    if !made {
        return;
    }
    let code = |info: &MediaInfo| {
        let mut tags = info.streams.iter().filter_map(|s| s.tags.get("timecode"));
        tags.next().cloned()
    };
    for (name, chapters, timecode) in [
        ("chapters.mov", 2, None),
        ("code.mov", 0, Some("01:02:03:04")),
    ] {
        let source = probe(&path(name)).unwrap();
        assert_eq!(
            source.streams.len(),
            2,
            "{name}: pictures and one other track"
        );
        assert_eq!(source.chapters.len(), chapters, "{name}");
        for (output, container) in [("a.mov", Container::Mov), ("a.mp4", Container::Mp4)] {
            let plan = plan_mux(&source, container, &[]).unwrap();
            assert_eq!((&plan.dropped[..], &plan.refused[..]), (&[][..], &[][..]));
            Pass::new(&path(name), &path(output)).run(folder.path());
            let result = probe(&path(output)).unwrap();
            assert_eq!(result.streams.len(), 2, "{name} to {output}");
            assert_eq!(result.chapters, source.chapters, "{name} to {output}");
            assert_eq!(code(&result).as_deref(), timecode, "{name} to {output}");
        }
    }
}

#[test]
fn interlaced_pictures_are_never_written_as_fields() {
    let folder = tempdir().unwrap();
    let made = folder.path().join("made.mpg");
    let mut sources = Vec::new();
    if ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=96x64:r=50:d=1 -vf interlace,fieldorder=tff -c:v mpeg2video \
         -flags +ildct+ilme made.mpg",
    ) {
        sources.push(made);
    }
    sources.extend(data("media/video/interlaced_tff_640x360.mp4"));
    for source in sources {
        let first = reader(&source).next_frame().unwrap().unwrap();
        assert_ne!(first.field_order(), FieldOrder::Progressive, "{source:?}");
        for name in ["out.mp4", "out.mkv"] {
            let output = folder.path().join(name);
            let pass = Pass {
                limit: 20,
                ..Pass::new(&source, &output)
            };
            pass.run(folder.path());
            not_fields(&output);
        }
    }
}

fn not_fields(output: &Path) {
    let info = probe(output).unwrap();
    let (_, video) = info.main_video().unwrap();
    assert!(
        !video.field_order.is_interlaced(),
        "{:?}",
        video.field_order
    );
    let mut reader = reader(output);
    while let Some(frame) = reader.next_frame().unwrap() {
        assert_eq!(frame.field_order(), FieldOrder::Progressive, "{output:?}");
    }
}

#[test]
fn a_crop_that_only_the_container_notes_is_told_and_the_whole_picture_is_read() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("noted.mkv");
    let mut files = Vec::new();
    if ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=128x96:r=25:d=1 -vf setsar=4/3 -c:v mpeg4 noted.mkv",
    ) {
        // The display size, which stands there, becomes a crop of 16 and 8 pixels.
        let mut bytes = std::fs::read(&path).unwrap();
        for (from, to, value) in [
            ([0x54, 0xB0], [0x54, 0xCC], 16),
            ([0x54, 0xBA], [0x54, 0xAA], 8),
        ] {
            let at = bytes.windows(2).position(|w| w == from).unwrap();
            bytes[at..at + 2].copy_from_slice(&to);
            let length = usize::from(bytes[at + 2] & 0x7F);
            bytes[at + 3..at + 3 + length].fill(0);
            bytes[at + 2 + length] = value;
        }
        std::fs::write(&path, bytes).unwrap();
        files.push((
            path,
            (128, 96),
            "16 pixels at the left, 0 at the right, 0 at the top and 8",
        ));
    }
    if let Some(real) = data("media/video/prores_4444_alpha.mov") {
        files.push((
            real,
            (1_920, 1_080),
            "16 pixels at the left, 16 at the right, 9",
        ));
    }
    for (path, size, wanted) in files {
        let frame = reader(&path).next_frame().unwrap().unwrap();
        assert_eq!((frame.width(), frame.height()), size);
        let info = probe(&path).unwrap();
        let told = info
            .warnings
            .iter()
            .any(|warning| matches!(warning, Warning::Dropped { what } if what.contains(wanted)));
        assert!(told, "{:?}", info.warnings);
    }
}
