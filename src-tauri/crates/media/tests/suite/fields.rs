//! Interlaced or not: what real clips and made-up ones turn out to be.

use crate::support::{Pass, data, ffmpeg, reader};
use frameloom_core::media::FieldOrder;
use frameloom_core::time::Timestamp;
use frameloom_media::{FieldReport, ReaderOptions, Telecine, detect_fields, probe};
use std::io::Write;
use std::path::Path;

fn fields(path: &Path) -> FieldReport {
    let info = probe(path).unwrap();
    let (stream, video) = info.main_video().unwrap();
    detect_fields(path, stream, video, &ReaderOptions::default()).unwrap()
}

#[test]
fn real_interlaced_clips_are_known_with_their_order() {
    for (name, order) in [
        ("interlaced_tff_640x360.mp4", FieldOrder::TopFirst),
        ("interlaced_bff.mkv", FieldOrder::BottomFirst),
        ("interlaced_mpeg2_fields.mpg", FieldOrder::BottomFirst),
        ("xavc_422_10bit_interlaced_4audio.mp4", FieldOrder::TopFirst),
    ] {
        let Some(path) = data(&format!("media/video/{name}")) else {
            continue;
        };
        let found = fields(&path);
        assert_eq!(found.order, order, "{name}: {found:?}");
        assert_eq!(found.telecine, None, "{name}");
    }
}

#[test]
fn real_progressive_clips_are_not_taken_for_interlaced() {
    for name in [
        "h264_aac_17s_640x360.mp4",
        "mpeg4_mp3.avi",
        "h264_aac.flv",
        "dnxhr_hqx_12bit.mov",
        "cineform_422_10bit.avi",
        "mkv_srt.mkv",
        "hevc_720p25_4s.ts",
        "vp9_odd_161x121.webm",
        "cursed_vfr_3026x1386.mp4",
    ] {
        let Some(path) = data(&format!("media/video/{name}")) else {
            continue;
        };
        let found = fields(&path);
        assert!(!found.order.is_interlaced(), "{name}: {found:?}");
        assert_eq!(found.telecine, None, "{name}");
    }
}

/// A grey picture of a moving grating at a moment.
fn shade(x: usize, y: usize, moment: usize) -> u8 {
    let at = (x + moment * 3) as f64 * 0.21 + (y as f64 * 0.05).sin();
    (128.0 + 90.0 * at.sin()) as u8
}

/// Writes raw video that does not say how its lines were taken: `moments(frame)` are those of the
/// upper and the lower lines.
fn write_y4m(path: &Path, frames: usize, moments: impl Fn(usize) -> (usize, usize)) {
    let (w, h) = (320, 240);
    let mut file = std::fs::File::create(path).unwrap();
    writeln!(file, "YUV4MPEG2 W{w} H{h} F25:1 I? A1:1 C420jpeg").unwrap();
    for n in 0..frames {
        let (upper, lower) = moments(n);
        let mut bytes = b"FRAME\n".to_vec();
        for y in 0..h {
            let moment = if y % 2 == 0 { upper } else { lower };
            bytes.extend((0..w).map(|x| shade(x, y, moment)));
        }
        bytes.extend(std::iter::repeat_n(128, w * h / 2));
        file.write_all(&bytes).unwrap();
    }
}

#[test]
fn frames_that_carry_the_flag_are_known_where_their_lines_say_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("still.mkv");
    // Nothing moves, so that no line lies beside its neighbours.
    for (name, order) in [
        ("tff", FieldOrder::TopFirst),
        ("bff", FieldOrder::BottomFirst),
    ] {
        let made = format!(
            "-f lavfi -i color=gray:s=96x64:r=25:d=2 -vf setfield={name} -c:v ffv1 still.mkv"
        );
        if !ffmpeg(folder.path(), &made) {
            return;
        }
        let found = fields(&path);
        assert_eq!((found.order, found.flagged), (order, true), "{name}");
    }
}

#[test]
fn lines_tell_the_order_where_the_file_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.y4m");
    write_y4m(&path, 60, |n| (2 * n, 2 * n + 1));
    let found = fields(&path);
    assert_eq!((found.order, found.flagged), (FieldOrder::TopFirst, false));
    write_y4m(&path, 60, |n| (2 * n + 1, 2 * n));
    assert_eq!(fields(&path).order, FieldOrder::BottomFirst);
    write_y4m(&path, 60, |n| (n, n));
    assert_eq!(fields(&path).order, FieldOrder::Progressive);
}

/// Writes 3:2 pulldown into an MPEG-2 stream of whole frames: every other one asks for one of its
/// fields to be shown once more (ISO/IEC 13818-2, 6.3.10).
fn add_pulldown(bytes: &mut [u8]) {
    let mut count = 0;
    for at in 0..bytes.len() - 9 {
        if bytes[at..at + 4] != [0, 0, 1, 0xB5] {
            continue;
        }
        match bytes[at + 4] >> 4 {
            // The sequence: not of progressive frames alone.
            1 => bytes[at + 5] &= !0x08,
            // A picture: the upper field first, a field repeated, a progressive frame.
            8 => {
                let (top, repeat) = [(1, 1), (0, 0), (0, 1), (1, 0)][count % 4];
                bytes[at + 7] = bytes[at + 7] & !0x82 | top << 7 | repeat << 1;
                bytes[at + 8] |= 0x80;
                count += 1;
            }
            _ => {}
        }
    }
    assert!(count > 40, "{count} pictures");
}

#[test]
fn film_by_flags_is_told_and_its_frames_keep_their_own_times() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    if !ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=128x96:r=30000/1001:d=3 -c:v mpeg2video -bf 0 -g 12 -q:v 3 film.m2v",
    ) {
        return;
    }
    let mut bytes = std::fs::read(at("film.m2v")).unwrap();
    add_pulldown(&mut bytes);
    std::fs::write(at("film.m2v"), bytes).unwrap();
    // The muxer gets its times from the flags: three fields, two fields, three fields, ...
    assert!(ffmpeg(
        folder.path(),
        "-fflags +genpts -i film.m2v -c copy film.ts"
    ));
    is_told_and_keeps_its_times(&at("film.ts"), folder.path());
}

/// A clip of 3:2 pulldown by flags is known for it, and comes out of a pass without a frame more,
/// every frame at its own time.
#[track_caller]
fn is_told_and_keeps_its_times(source: &Path, folder: &Path) {
    let at = |name: &str| folder.join(name);
    let found = fields(source);
    assert_eq!(found.telecine, Some(Telecine::Soft), "{found:?}");
    assert_eq!(found.order, FieldOrder::Progressive, "{found:?}");
    let times = |path: &Path| {
        let mut reader = reader(path);
        let base = reader.time_base();
        let mut list = Vec::new();
        while let Some(frame) = reader.next_frame().unwrap() {
            list.push(Timestamp::new(frame.pts(), base).micros());
        }
        list
    };
    let steps = |times: &[i64]| -> Vec<i64> { times.windows(2).map(|t| t[1] - t[0]).collect() };
    let wanted = steps(&times(source));
    let (long, short) = (wanted.iter().max(), wanted.iter().min());
    // Three fields of 1001/60000 s, and two.
    assert!((50_000..50_100).contains(long.unwrap()), "{wanted:?}");
    assert!((33_300..33_400).contains(short.unwrap()), "{wanted:?}");
    for (name, slack) in [("out.mp4", 12), ("out.mkv", 1_000)] {
        Pass::new(source, &at(name)).run(folder);
        let kept = steps(&times(&at(name)));
        assert_eq!(kept.len(), wanted.len(), "{name}: no frame is repeated");
        for (kept, wanted) in kept.iter().zip(&wanted) {
            assert!((kept - wanted).abs() <= slack, "{name}: {kept} {wanted}");
        }
        // What players are asked to repeat is in the times now, and only there.
        assert_eq!(fields(&at(name)).telecine, None, "{name}");
    }
}

/// Writes 3:2 pulldown into an H.264 stream: what its messages beside the pictures say of how a
/// picture is shown, in four bits with a flag for each of its fields behind (Rec. ITU-T H.264,
/// D.1.3). `plain` pictures at the start are left as they are.
fn add_pulldown_to_h264(bytes: &mut [u8], plain: usize) {
    let mut count = 0;
    let marks = |at: usize, bytes: &[u8]| bytes[at..].starts_with(&[0, 0, 1, 6, 1, 1, 0x04, 0x80]);
    for at in 0..bytes.len() - 8 {
        if !marks(at, bytes) {
            continue;
        }
        if count >= plain {
            // Upper, lower, upper; lower, upper; lower, upper, lower; upper, lower.
            bytes[at + 6] = [0x51, 0x42, 0x61, 0x32][count % 4];
        }
        count += 1;
    }
    assert!(count > 40, "{count} pictures");
}

#[test]
fn film_by_the_messages_of_h264_is_told_even_where_the_file_says_progressive() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    if !ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=128x96:r=30000/1001:d=4 -c:v libx264 -preset veryfast -bf 0 -g 12 \
         -x264-params pic-struct=1 plain.h264",
    ) {
        return;
    }
    let plain = std::fs::read(at("plain.h264")).unwrap();
    for (start, files) in [
        (0, ["film.ts", "film.mp4", "film.mkv"]),
        (20, ["f.ts", "f.mp4", "f.mkv"]),
    ] {
        let mut bytes = plain.clone();
        add_pulldown_to_h264(&mut bytes, start);
        std::fs::write(at("film.h264"), bytes).unwrap();
        let [ts, mp4, mkv] = files;
        for command in [
            format!("-fflags +genpts -i film.h264 -c copy {ts}"),
            format!("-fflags +genpts -i {ts} -c copy {mp4}"),
            // What the container says goes before what the stream says.
            format!("-i {ts} -c copy -field_order progressive {mkv}"),
        ] {
            assert!(ffmpeg(folder.path(), &command));
        }
        for file in files {
            let found = fields(&at(file));
            assert_eq!(found.telecine, Some(Telecine::Soft), "{file}: {found:?}");
            assert_eq!(found.order, FieldOrder::Progressive, "{file}: {found:?}");
        }
    }
    is_told_and_keeps_its_times(&at("film.mp4"), folder.path());
    // And a clip that says how it is shown, and has nothing repeated, is none.
    assert!(ffmpeg(
        folder.path(),
        "-fflags +genpts -i plain.h264 -c copy plain.mp4"
    ));
    let found = fields(&at("plain.mp4"));
    assert_eq!(
        (found.telecine, found.order),
        (None, FieldOrder::Progressive)
    );
}

#[test]
fn film_with_repeated_fields_is_told_from_video() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.y4m");
    // Fields of film frames 0, 1, 2, 3 come 2, 3, 2, 3 times.
    let cycle = [(0, 0), (1, 1), (1, 2), (2, 3), (3, 3)];
    write_y4m(&path, 100, |n| {
        let (upper, lower) = cycle[n % 5];
        let film = n / 5 * 4;
        (2 * (film + upper), 2 * (film + lower))
    });
    assert_eq!(fields(&path).telecine, Some(Telecine::Hard));
    write_y4m(&path, 100, |n| (2 * n, 2 * n + 1));
    assert_eq!(fields(&path).telecine, None);
}
