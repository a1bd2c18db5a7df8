//! The stream-inventory diff: equal files are equal, and every change is named, alone.

use crate::support::{data, ffmpeg, keys};
use frameloom_media::{DiffOptions, Inventory};
use std::path::Path;
use tempfile::tempdir;

fn take(path: &Path) -> Inventory {
    Inventory::take(path, &Default::default()).unwrap()
}

#[test]
fn every_file_equals_itself_and_hostile_ones_do_no_harm() {
    for folder in ["media/video", "media/audio", "media/bad", "images/gif"] {
        let Some(folder) = data(folder) else { return };
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let Ok(a) = Inventory::take(&path, &Default::default()) else {
                println!("{} was refused", path.display());
                continue;
            };
            let found = a.compare(&take(&path), &DiffOptions::default());
            assert!(found.equal, "{}: {:?}", path.display(), found.keys());
        }
    }
}

/// A small Matroska file with two sounds, subtitles, chapters and a font; all by ffmpeg.
fn film(folder: &Path) -> Option<std::path::PathBuf> {
    let path = folder.join("film.mkv");
    std::fs::write(
        folder.join("s.srt"),
        "1\n00:00:00,100 --> 00:00:00,700\nHello\n\n",
    )
    .unwrap();
    std::fs::write(folder.join("font.ttf"), vec![7u8; 999]).unwrap();
    std::fs::write(
        folder.join("chapters.txt"),
        ";FFMETADATA1\ntitle=Film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle=One\n\
         [CHAPTER]\nTIMEBASE=1/1000\nSTART=400\nEND=1000\ntitle=Two\n",
    )
    .unwrap();
    let done = ffmpeg(
        folder,
        "-f lavfi -i testsrc2=s=96x64:r=25:d=1 -f lavfi -i sine=440:d=1 -f lavfi -i sine=880:d=1 \
         -i s.srt -i chapters.txt -map 0 -map 1 -map 2 -map 3 -map_metadata 4 -map_chapters 4 \
         -attach font.ttf -metadata:s:t mimetype=font/ttf \
         -metadata:s:a:0 language=eng -metadata:s:a:1 language=fra -metadata:s:s language=vie \
         -disposition:a:0 default -disposition:a:1 0 \
         -c:v libx264 -preset ultrafast -bf 2 -c:a aac -c:s srt -fflags +bitexact film.mkv",
    );
    done.then_some(path)
}

#[test]
fn each_change_is_named_and_nothing_else() {
    let folder = tempdir().unwrap();
    let Some(film) = film(folder.path()) else {
        return;
    };
    let copy = "-i film.mkv -map 0 -c copy -fflags +bitexact";
    let h264 = "-bsf:v h264_metadata=colour_primaries=9:video_full_range_flag=1";
    for (what, arguments, wanted) in [
        ("nothing", "", &[][..]),
        ("title", "-metadata title=Other", &["file:tags.title"]),
        (
            "language",
            "-metadata:s:a:1 language=deu",
            &["audio:tags.language"],
        ),
        (
            "disposition",
            "-disposition:s:0 +forced",
            &["subtitle:dispositions"],
        ),
        ("a sound is gone", "-map -0:a:1", &["audio:stream"]),
        ("the font is gone", "-map -0:t", &["attachment:stream"]),
        (
            "chapters are gone",
            "-map_chapters -1",
            &["file:chapters.0", "file:chapters.1"],
        ),
        (
            "one sound is late",
            "-bsf:a:1 setts=ts=TS+7",
            &["audio:dts", "audio:end", "audio:pts"],
        ),
        (
            "one picture is late",
            "-bsf:v setts=pts=if(eq(N\\,12)\\,PTS+3\\,PTS)",
            &["video:dts", "video:pts"],
        ),
        (
            "colour",
            h264,
            &[
                "video:primaries",
                "video:range",
                "video:setup",
                "video:pixel_format",
            ],
        ),
        (
            "damage",
            "-bsf:a:0 noise=amount=-1*not(mod(n\\,9))",
            &["audio:content", "audio:end", "audio:packet_durations"],
        ),
    ] {
        assert!(
            ffmpeg(folder.path(), &format!("{copy} {arguments} other.mkv")),
            "{what}"
        );
        let other = folder.path().join("other.mkv");
        // The muxer writes the length of each stream as a tag, which follows the times.
        let found = keys(&film, &other, &["tags.duration", "file:duration"], 0);
        let mut wanted: Vec<String> = wanted.iter().map(|w| (*w).to_owned()).collect();
        wanted.sort();
        let found: Vec<String> = found
            .into_iter()
            .filter(|key| wanted.contains(key) || !key.ends_with(":dts"))
            .collect();
        wanted.retain(|key| !key.ends_with(":dts") || found.contains(key));
        assert_eq!(found, wanted, "{what}");
    }
}

#[test]
fn streams_are_paired_by_language_when_their_order_differs() {
    let folder = tempdir().unwrap();
    let Some(film) = film(folder.path()) else {
        return;
    };
    assert!(ffmpeg(
        folder.path(),
        "-i film.mkv -map 0:v -map 0:a:1 -map 0:a:0 -map 0:s -map 0:t -c copy -fflags +bitexact \
         other.mkv"
    ));
    let other = folder.path().join("other.mkv");
    // Copied in another order, the last packets of the sounds may get other lengths.
    let lengths = ["file:duration", "tags.duration"];
    assert_eq!(keys(&film, &other, &lengths, 0), ["file:order"]);
    let ignored = keys(&film, &other, &["file:*", "tags.duration"], 0);
    assert!(ignored.is_empty(), "{ignored:?}");
}

#[test]
fn the_first_packet_that_differs_is_named_exactly() {
    let folder = tempdir().unwrap();
    let made = ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=96x64:r=25:d=1 -c:v mjpeg -video_track_timescale 90000 a.mp4",
    ) && ffmpeg(
        folder.path(),
        "-i a.mp4 -c copy -bsf:v setts=ts=if(gte(N\\,20)\\,TS+1\\,TS) \
         -video_track_timescale 90000 b.mp4",
    );
    if !made {
        return;
    }
    let (a, b) = (
        take(&folder.path().join("a.mp4")),
        take(&folder.path().join("b.mp4")),
    );
    let found = a.compare(&b, &DiffOptions::default());
    let pts = found
        .differences
        .iter()
        .find(|d| d.key() == "video:pts")
        .unwrap();
    let first = pts.first.unwrap();
    assert_eq!((first.packet, pts.count), (20, Some(5)));
    assert_eq!(first.a.unwrap().ticks, 20 * 3600);
    assert_eq!(first.b.unwrap().ticks, 20 * 3600 + 1);
    let options = DiffOptions {
        tolerance_micros: 500,
        ..DiffOptions::default()
    };
    let keys = a.compare(&b, &options).keys();
    assert!(!keys.iter().any(|k| k == "video:pts"), "{keys:?}");
}
