//! A clip that is looked at wherever the pointer is.

use crate::support::{data, ffmpeg};
use frameloom_media::{Scrubber, Tones, thumbnail};

/// Times all over a clip of two seconds, back and forth, some of them close together.
const TIMES: [i64; 12] = [
    0, 40_000, 1_900_000, 80_000, 1_000_000, 1_039_000, 1_041_000, 1_500_000, 1_480_000, 3_000_000,
    -5, 700_000,
];

#[test]
fn wherever_the_pointer_goes_the_exact_picture_is_the_one_on_the_screen() {
    let Some(folder) = data("media/video") else {
        return;
    };
    for name in [
        "h264_aac_17s_640x360.mp4",
        "phone_hevc_rot90_metadata-track.mp4",
        "sar_2x1.mp4",
        "vp9_10bit.webm",
        "mpeg2_1080.ts",
        "h264_aac.flv",
        "slowmo_vfr_120fps-tagged.mp4",
    ] {
        let path = folder.join(name);
        let mut scrubber = Scrubber::open(&path).unwrap();
        for (index, at) in TIMES.into_iter().enumerate() {
            if index % 3 == 1 {
                // What is near by may be any frame, and must not disturb what follows.
                scrubber
                    .picture(TIMES[TIMES.len() - index], 64, false)
                    .unwrap();
            }
            let found = scrubber.picture(at, 64, true).unwrap();
            let wanted = thumbnail(&path, Some(at.max(0)), 64, Tones::Shown).unwrap();
            assert!(found == wanted, "{name} at {at}");
        }
    }
}

#[test]
fn a_picture_near_by_costs_one_frame_and_the_next_one_costs_one_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.mp4");
    let made = ffmpeg(
        folder.path(),
        "-f lavfi -i testsrc2=s=320x180:r=25:d=12 -c:v libx264 -g 250 -bf 2 -pix_fmt yuv420p long.mp4",
    );
    if !made {
        return;
    }
    let mut scrubber = Scrubber::open(&path).unwrap();
    for at in [9_000_000, 2_000_000, 11_000_000, 5_000_000] {
        let before = scrubber.decoded();
        scrubber.picture(at, 320, false).unwrap();
        assert_eq!(scrubber.decoded() - before, 1, "at {at}");
    }
    let first = scrubber.picture(6_000_000, 320, true).unwrap();
    let before = scrubber.decoded();
    let mut last = first;
    for frame in 1..=10 {
        let next = scrubber
            .picture(6_000_000 + frame * 40_000, 320, true)
            .unwrap();
        assert_ne!(next, last, "frame {frame}");
        last = next;
    }
    assert_eq!(scrubber.decoded() - before, 10);
}
