//! Rows of the fidelity table that a diff of two files does not see by itself: what was hidden,
//! mended, missing, made anew, and what is not written on purpose.

use crate::support::{Pass, data, ffmpeg, frames, keys, one, reader};
use frameloom_core::job::{Quality, VideoCodec};
use frameloom_core::media::{FieldOrder, MediaInfo, Warning};
use frameloom_core::pixel::{AnyPlane, Planes};
use frameloom_core::time::Rational;
use frameloom_media::{Container, Frame, plan_mux, probe};
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
        // This codec writes with every picture what it is told of its fields.
        let output = folder.path().join("lossless.mkv");
        let pass = Pass {
            limit: 4,
            codec: Some(VideoCodec::Ffv1),
            quality: Quality::Lossless,
            ..Pass::new(&source, &output)
        };
        pass.run(folder.path());
        let mut written = reader(&output);
        while let Some(frame) = written.next_frame().unwrap() {
            assert!(!frame.field_order().is_interlaced(), "{source:?}");
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

/// Writes `value` over the number of an element of Matroska and gives the element another id.
fn becomes(bytes: &mut [u8], from: [u8; 2], to: [u8; 2], value: u8) {
    let at = bytes.windows(2).position(|w| w == from).unwrap();
    bytes[at..at + 2].copy_from_slice(&to);
    let length = usize::from(bytes[at + 2] & 0x7F);
    bytes[at + 3..at + 3 + length].fill(0);
    bytes[at + 2 + length] = value;
}

/// Puts a `clap` box into the only track of an MP4 whose index is at its end.
fn add_aperture(path: &Path, numbers: [i32; 8]) {
    let mut bytes = std::fs::read(path).unwrap();
    let find = |bytes: &[u8], name: &[u8]| bytes.windows(4).rposition(|w| w == name).unwrap();
    // It stands in front of what the entry holds already.
    let codec = find(&bytes, b"avcC") - 4;
    let mut clap = 40u32.to_be_bytes().to_vec();
    clap.extend(b"clap");
    clap.extend(numbers.iter().flat_map(|n| n.to_be_bytes()));
    bytes.splice(codec..codec, clap);
    for name in [
        b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1",
    ] {
        let at = find(&bytes, name) - 4;
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) + 40;
        bytes[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }
    std::fs::write(path, bytes).unwrap();
}

/// The planes of `whole` inside of a place, as they must be after the cut.
pub fn assert_inside(cut: &Frame, whole: &Frame, (left, top): (u32, u32)) {
    for index in 0..cut.format().plane_count() {
        let (AnyPlane::U8(cut_plane), AnyPlane::U8(whole_plane)) =
            (cut.plane(index), whole.plane(index))
        else {
            panic!("made with 8 bits")
        };
        let (across, down) = match cut.format().planes {
            Planes::Yuv { shift_x, shift_y } if index > 0 => (shift_x, shift_y),
            _ => (0, 0),
        };
        let (x, y) = ((left >> across) as usize, (top >> down) as usize);
        for row in 0..cut_plane.height {
            let wanted = &whole_plane.row(y + row)[x..x + cut_plane.width];
            assert_eq!(cut_plane.row(row), wanted, "plane {index}, row {row}");
        }
    }
}

/// What is told to be cut off a file's pictures.
pub fn cropped(path: &Path) -> Option<Warning> {
    let warnings = probe(path).unwrap().warnings;
    warnings
        .into_iter()
        .find(|warning| matches!(warning, Warning::Cropped { .. }))
}

const MOVING: &str = "-f lavfi -i testsrc2=s=128x96:r=25:d=1";

#[test]
fn what_matroska_notes_to_be_cut_off_is_cut_off_every_picture_and_not_noted_again() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    if !ffmpeg(
        folder.path(),
        &format!("{MOVING} -vf setsar=4/3 -c:v mpeg4 -g 5 whole.mkv"),
    ) {
        return;
    }
    // The size for showing, which stands there, becomes a crop.
    for (left, bottom, placed, size, rounded) in [
        (16, 8, (16, 0), (112, 88), false),
        (17, 7, (16, 0), (112, 90), true),
    ] {
        let mut bytes = std::fs::read(at("whole.mkv")).unwrap();
        becomes(&mut bytes, [0x54, 0xB0], [0x54, 0xCC], left);
        becomes(&mut bytes, [0x54, 0xBA], [0x54, 0xAA], bottom);
        std::fs::write(at("noted.mkv"), bytes).unwrap();
        let told = Warning::Cropped {
            left: placed.0,
            right: 0,
            top: 0,
            bottom: 96 - size.1,
            rounded,
        };
        assert_eq!(cropped(&at("noted.mkv")), Some(told));
        let info = probe(&at("noted.mkv")).unwrap();
        let (_, video) = info.main_video().unwrap();
        assert_eq!((video.width, video.height), size);
        // Nothing but the size of the cut picture says now how it is shown.
        assert_eq!(video.sample_aspect_ratio, one());
        let (mut whole, mut cut) = (reader(&at("whole.mkv")), reader(&at("noted.mkv")));
        let mut count = 0;
        while let Some(frame) = cut.next_frame().unwrap() {
            assert_eq!((frame.width(), frame.height()), size);
            assert_inside(&frame, &whole.next_frame().unwrap().unwrap(), placed);
            count += 1;
            if count == 10 {
                // In the middle as at the start.
                cut.seek_before(600).unwrap();
                whole.seek_before(600).unwrap();
            }
        }
        assert!(count > 15);
        let picture = frameloom_media::frame_at(&at("noted.mkv"), 0).unwrap();
        assert_eq!((picture.width, picture.height), size);
        for name in ["out.mkv", "out.mp4"] {
            Pass::new(&at("noted.mkv"), &at(name)).run(folder.path());
            assert_eq!(cropped(&at(name)), None);
            let ignored = ["codec", "setup", "content", "profile", "tags", "file:*"];
            let found = keys(&at("noted.mkv"), &at(name), &ignored, 1_000);
            for what in ["size", "sample_aspect", "display_matrix", "side_data"] {
                assert!(!found.contains(&format!("video:{what}")), "{found:?}");
            }
        }
    }
}

#[test]
fn the_pixels_of_a_cut_picture_are_as_wide_as_its_size_for_showing_says() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    if !ffmpeg(
        folder.path(),
        &format!("{MOVING} -vf setsar=2 -c:v mpeg4 whole.mkv"),
    ) {
        return;
    }
    // Shown 8 wide and 3 high; the unit of these, which stands there, becomes a crop.
    let mut bytes = std::fs::read(at("whole.mkv")).unwrap();
    becomes(&mut bytes, [0x54, 0xB2], [0x54, 0xCC], 64);
    std::fs::write(at("noted.mkv"), bytes).unwrap();
    let info = probe(&at("noted.mkv")).unwrap();
    let (_, video) = info.main_video().unwrap();
    assert_eq!((video.width, video.height), (64, 96));
    assert_eq!(Some(video.sample_aspect_ratio), Rational::new(4, 1));
    Pass::new(&at("noted.mkv"), &at("out.mkv")).run(folder.path());
    let info = probe(&at("out.mkv")).unwrap();
    let (_, video) = info.main_video().unwrap();
    assert_eq!((video.width, video.height), (64, 96));
    assert_eq!(Some(video.sample_aspect_ratio), Rational::new(4, 1));
}

#[test]
fn an_odd_crop_is_exact_and_told_as_such_where_every_pixel_has_a_colour() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for pixels in ["yuv444p", "gbrp"] {
        if !ffmpeg(
            folder.path(),
            &format!("{MOVING} -vf setsar=4/3 -c:v ffv1 -pix_fmt {pixels} whole.mkv"),
        ) {
            return;
        }
        let mut bytes = std::fs::read(at("whole.mkv")).unwrap();
        becomes(&mut bytes, [0x54, 0xB0], [0x54, 0xCC], 17);
        becomes(&mut bytes, [0x54, 0xBA], [0x54, 0xBB], 7);
        std::fs::write(at("noted.mkv"), bytes).unwrap();
        let told = Warning::Cropped {
            left: 17,
            right: 0,
            top: 7,
            bottom: 0,
            rounded: false,
        };
        assert_eq!(cropped(&at("noted.mkv")), Some(told), "{pixels}");
        let cut = reader(&at("noted.mkv")).next_frame().unwrap().unwrap();
        let whole = reader(&at("whole.mkv")).next_frame().unwrap().unwrap();
        assert_eq!((cut.width(), cut.height()), (111, 89));
        assert_inside(&cut, &whole, (17, 7));
    }
}

#[test]
fn the_clean_aperture_of_mp4_is_what_is_worked_on_with_its_own_shape_of_pixels() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    if !ffmpeg(
        folder.path(),
        &format!("{MOVING} -c:v libx264 -pix_fmt yuv420p -bf 2 whole.mp4"),
    ) {
        return;
    }
    std::fs::copy(at("whole.mp4"), at("noted.mp4")).unwrap();
    // 16 pixels at the left, none at the right; 4 lines at the top and at the bottom.
    add_aperture(&at("noted.mp4"), [112, 1, 88, 1, 8, 1, 0, 1]);
    let told = Warning::Cropped {
        left: 16,
        right: 0,
        top: 4,
        bottom: 4,
        rounded: false,
    };
    assert_eq!(cropped(&at("noted.mp4")), Some(told));
    let cut = reader(&at("noted.mp4")).next_frame().unwrap().unwrap();
    let whole = reader(&at("whole.mp4")).next_frame().unwrap().unwrap();
    assert_eq!((cut.width(), cut.height()), (112, 88));
    assert_inside(&cut, &whole, (16, 4));
    // The boxes of ffmpeg say that pixels are square.
    Pass::new(&at("noted.mp4"), &at("out.mp4")).run(folder.path());
    assert_eq!(cropped(&at("out.mp4")), None);
    let found = keys(&at("noted.mp4"), &at("out.mp4"), &[], 1_000);
    for what in ["size", "sample_aspect", "side_data"] {
        assert!(!found.contains(&format!("video:{what}")), "{found:?}");
    }
    // More than there is: the whole picture stays, and that is said.
    std::fs::copy(at("whole.mp4"), at("wrong.mp4")).unwrap();
    add_aperture(&at("wrong.mp4"), [112, 1, 88, 0, 8, 1, 0, 1]);
    let info = probe(&at("wrong.mp4")).unwrap();
    let said = |w: &Warning| matches!(w, Warning::Dropped { what, .. } if what.contains("cut off"));
    assert!(info.warnings.iter().any(said), "{:?}", info.warnings);
    let frame = reader(&at("wrong.mp4")).next_frame().unwrap().unwrap();
    assert_eq!((frame.width(), frame.height()), (128, 96));
}

#[test]
fn the_clean_aperture_of_a_real_editing_file_is_honoured() {
    let Some(real) = data("media/video/prores_4444_alpha.mov") else {
        return;
    };
    let told = Warning::Cropped {
        left: 16,
        right: 16,
        top: 9,
        bottom: 9,
        rounded: false,
    };
    assert_eq!(cropped(&real), Some(told));
    let frame = reader(&real).next_frame().unwrap().unwrap();
    assert_eq!((frame.width(), frame.height()), (1_888, 1_062));
}
