//! Clips of which the sound alone is changed, through the real command line: their coded pictures come
//! into the result as they are.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::*;
use frameloom_media::{Aspect, Inventory};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn take(path: &Path) -> Inventory {
    Inventory::take(path, &Default::default()).unwrap()
}

/// The main pictures and everything else but sound.
fn others(of: &Inventory) -> Vec<u32> {
    let streams = of.streams.iter().filter(|s| s.info.audio.is_none());
    streams.map(|stream| stream.info.index).collect()
}

/// Brings the sound of a clip to a loudness; gives the result, its receipt and what was noted.
fn louder(cli: &Cli, input: &Path, name: &str, more: &[&str]) -> (PathBuf, Value, String) {
    let output = cli.folder().join(name);
    let (input, to) = (text(input), text(&output));
    let words = ["voice", &input, "-o", &to, "--loudness", "-20"];
    let told = cli.run(words.iter().chain(more)).expect_code(0);
    let found = cli.run(["verify", &to, "--json"]).expect_code(0).json();
    assert_eq!(found["genuine"], true, "{found}");
    (output, found["receipt"].clone(), told.stdout)
}

#[test]
fn coded_pictures_come_through_as_they_are() {
    let cli = Cli::new();
    for (clip, ending) in [
        ("h264_aac_17s_640x360.mp4", "mp4"),
        ("h264_aac_17s_640x360.mp4", "mkv"),
        // Start codes become lengths, and times begin at zero.
        ("h264_mp2_short.ts", "mp4"),
        ("mpeg2_1080.ts", "mkv"),
        ("mkv_srt.mkv", "mkv"),
        ("mpeg4_mp3.avi", "mkv"),
        // Dolby Vision, and a turn that only players apply.
        ("hlg_rot90_phone.mp4", "mp4"),
        ("xavc_422_10bit_interlaced_4audio.mp4", "mkv"),
    ] {
        let Some(input) = test_data(&format!("media/video/{clip}")) else {
            return;
        };
        let name = format!("{clip}.{ending}");
        let (output, receipt, _) = louder(&cli, &input, &name, &[]);
        let (before, after) = (take(&input), take(&output));
        let mut kept = others(&before);
        // Timed metadata of phones fits nowhere.
        kept.retain(|index| {
            let stream = &before.streams[*index as usize];
            stream.info.video.is_some() || stream.info.codec == "subrip"
        });
        assert!(before.kept(&after, &kept).is_ok(), "{name}");
        let pictures = &after.streams[0];
        assert!(pictures.info.video.is_some(), "{name}: pictures come first");
        assert!(after.streams[1].info.audio.is_some(), "{name}: then sound");
        let frames = pictures.packets.len() as u64;
        assert_eq!(receipt["checks"]["copied"], frames, "{name}");
        assert_eq!(receipt["checks"]["pictures"], Value::Null, "{name}");
        assert_eq!(receipt["encoder"][0], "copy", "{name}");
        let layers = |of: &Inventory| {
            let mut shown = of.streams.iter().filter_map(|s| s.info.video.as_ref());
            shown.next().unwrap().dolby_vision
        };
        assert_eq!(layers(&before), layers(&after), "{name}");
    }
}

#[test]
fn a_copy_of_other_pictures_is_told_from_one() {
    let Some(input) = test_data("media/video/h264_aac_face_1s.mp4") else {
        return;
    };
    let cli = Cli::new();
    let (output, receipt, _) = louder(&cli, &input, "a.mp4", &["--codec", "h264"]);
    assert_ne!(receipt["encoder"][0], "copy", "a codec was asked for");
    assert_eq!(receipt["checks"]["copied"], Value::Null);
    let lost = take(&input).kept(&take(&output), &[0]).unwrap_err();
    assert_eq!((lost[0].stream, lost[0].aspect), (0, Aspect::Content));
    // Cameras write dates and places into coded pictures.
    let (_, receipt, _) = louder(&cli, &input, "b.mp4", &["--drop", "metadata"]);
    assert_eq!(receipt["checks"]["copied"], Value::Null);
}

#[test]
fn what_a_copy_would_show_too_much_of_is_encoded_and_it_is_told() {
    let Some(input) = test_data("media/video/slowmo_samsung_sef.mp4") else {
        return;
    };
    let cli = Cli::new();
    let (output, receipt, noted) = louder(&cli, &input, "a.mp4", &[]);
    assert!(noted.contains("an edit list hides some of them"), "{noted}");
    assert_eq!(receipt["checks"]["copied"], Value::Null);
    assert_ne!(receipt["encoder"][0], "copy");
    let shown = |of: &Inventory| {
        let mut streams = of.streams.iter().filter(|s| s.info.video.is_some());
        streams.next().unwrap().shown().count()
    };
    assert_eq!(shown(&take(&input)), shown(&take(&output)));
}
