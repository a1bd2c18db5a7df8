//! Interlaced or not: what real clips and made-up ones turn out to be.

use crate::support::data;
use frameloom_core::media::FieldOrder;
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
