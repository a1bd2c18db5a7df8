//! Sound of a clip that is played, against ffmpeg's own decoding.

use crate::support::{data, ffmpeg};
use frameloom_media::{Listener, probe};
use std::path::Path;
use std::process::Command;

/// Everything of the first track of sound as ffmpeg gives it: stereo at `rate`, from the first
/// sample of the track on. `None` with a line where there is no ffmpeg command.
fn reference(path: &Path, rate: u32) -> Option<Vec<f32>> {
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-map", "0:a:0", "-ac", "2", "-ar", &rate.to_string()])
        .args(["-f", "f32le", "-"])
        .output();
    let Ok(made) = made else {
        println!("skipped: there is no ffmpeg command");
        return None;
    };
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let floats = made.stdout.chunks_exact(4);
    Some(
        floats
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect(),
    )
}

/// The first stream of sound, and by how many samples it begins after the first picture.
fn track(path: &Path, rate: u32) -> (Listener, i64) {
    let info = probe(path).unwrap();
    let seconds = |ticks: Option<i64>, base: frameloom_core::time::TimeBase| {
        ticks.unwrap_or(0) as f64 * base.ratio().to_f64()
    };
    let sound = info.streams.iter().find(|s| s.audio.is_some()).unwrap();
    let pictures = info.main_video().map_or(0.0, |(video, _)| {
        seconds(video.start_ticks, video.time_base)
    });
    let late = seconds(sound.start_ticks, sound.time_base) - pictures;
    let listener = Listener::open(path, &info, sound.index, rate).unwrap();
    (listener, (late * f64::from(rate)).round() as i64)
}

/// The largest difference between `found`, which begins at `from`, and the reference, whose first
/// sample lies at `late`. Outside of the reference there must be silence.
fn worst(found: &[f32], from: i64, reference: &[f32], late: i64) -> f32 {
    found
        .iter()
        .enumerate()
        .map(|(n, sample)| {
            let place = (from - late) * 2 + n as i64;
            let wanted = usize::try_from(place).ok().and_then(|p| reference.get(p));
            (sample - wanted.copied().unwrap_or(0.0)).abs()
        })
        .fold(0.0, f32::max)
}

/// How alike `found` and the reference are, 1 being the same, if `found` began `by` samples later.
fn likeness(found: &[f32], from: i64, reference: &[f32], late: i64, by: i64) -> f64 {
    let (mut both, mut one, mut other) = (0.0, 0.0, 0.0);
    for (n, sample) in found.iter().enumerate() {
        let place = usize::try_from((from + by - late) * 2 + n as i64);
        let wanted = place.ok().and_then(|place| reference.get(place));
        let (a, b) = (
            f64::from(*sample),
            f64::from(wanted.copied().unwrap_or(0.0)),
        );
        both += a * b;
        one += a * a;
        other += b * b;
    }
    // Silence is like silence.
    if one + other < 1e-6 {
        return 1.0;
    }
    both / (one * other).sqrt().max(1e-9)
}

/// Reads a clip forwards, which must be what ffmpeg decodes, and then here and there. After a jump
/// decoders of lossy codecs make other noise than before where noise is all that is coded, so that
/// the place is what is compared. `slack`: by so many samples it may be off, where the container
/// rounds times.
fn check(path: &Path, rate: u32, tolerance: f32, slack: i64) {
    let Some(wanted) = reference(path, rate) else {
        return;
    };
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let (mut listener, late) = track(path, rate);
    let total = wanted.len() as i64 / 2 + late;
    let chunk = rate as usize / 2 + 17;
    let mut from = 0;
    while from < total + i64::from(rate) {
        let found = listener.samples(from, chunk).unwrap();
        assert_eq!(found.len(), chunk * 2);
        let off = worst(&found, from, &wanted, late);
        assert!(off <= tolerance, "{name} at {rate}: {off} at {from}");
        from += chunk as i64;
    }
    for share in [50, 3, 97, 51, 0, 88, 12] {
        let from = total * share / 100;
        let found = listener.samples(from, chunk).unwrap();
        if worst(&found, from, &wanted, late) <= tolerance {
            continue;
        }
        let near = (-slack - 3..=slack + 3)
            .map(|by| (by, likeness(&found, from, &wanted, late, by)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap();
        assert!(
            near.0.abs() <= slack + 1 && near.1 > 0.9,
            "{name} at {rate}: {near:?} after a jump to {from}"
        );
        if slack == 0 && tolerance < 1e-3 {
            let off = worst(&found, from, &wanted, late);
            assert!(
                off <= tolerance,
                "{name} at {rate}: {off} after a jump to {from}"
            );
        }
    }
}

#[test]
fn what_is_heard_at_a_moment_is_what_ffmpeg_decodes_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let tones = "-f lavfi -i testsrc2=s=128x72:r=25:d=9 -f lavfi -i";
    // A tone that rises tells where it is, and codecs keep it, which they do not do with noise.
    let rising = "aevalsrc=0.3*sin(2*PI*t*(200+90*t)):d=9:s=";
    for (file, source, codec, tolerance) in [
        (
            "stereo.mp4",
            "48000,aformat=channel_layouts=stereo",
            "aac -b:a 192k",
            2e-3,
        ),
        (
            "mono.mp4",
            "44100,aformat=channel_layouts=mono",
            "aac",
            2e-3,
        ),
        (
            "surround.mov",
            "48000,aformat=channel_layouts=5.1",
            "pcm_s16le",
            5e-4,
        ),
        (
            "flac.mkv",
            "44100,aformat=channel_layouts=stereo",
            "flac",
            5e-4,
        ),
    ] {
        let command = format!("{tones} {rising}{source} -c:v libx264 -c:a {codec} {file}");
        if !ffmpeg(folder.path(), &command) {
            return;
        }
        for rate in [44_100, 48_000] {
            // Matroska counts whole milliseconds.
            let slack = if file.ends_with("mkv") { 48 } else { 0 };
            check(&folder.path().join(file), rate, tolerance, slack);
        }
    }
}

#[test]
fn sound_that_begins_later_or_earlier_than_the_pictures_is_heard_at_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let made = [
        "-f lavfi -i testsrc2=s=128x72:r=25:d=6 -itsoffset 1.25 -f lavfi -i anoisesrc=d=4:a=0.3:r=48000 -map 0 -map 1 -c:v libx264 -c:a pcm_s16le later.mov",
        "-itsoffset 0.8 -f lavfi -i testsrc2=s=128x72:r=25:d=6 -f lavfi -i anoisesrc=d=6:a=0.3:r=48000 -map 0 -map 1 -vsync passthrough -c:v libx264 -c:a pcm_s16le earlier.mov",
    ];
    for command in made {
        if !ffmpeg(folder.path(), command) {
            return;
        }
    }
    for (file, wanted) in [("later.mov", 60_000), ("earlier.mov", -38_400)] {
        let path = folder.path().join(file);
        let (_, late) = track(&path, 48_000);
        assert_eq!(late, wanted, "{file}");
        check(&path, 48_000, 2e-4, 0);
    }
}

#[test]
fn real_clips_sound_as_ffmpeg_decodes_them() {
    let Some(folder) = data("media/video") else {
        return;
    };
    for name in ["h264_aac_17s_640x360.mp4", "vp9_10bit.webm", "h264_aac.flv"] {
        let path = folder.join(name);
        let has_sound = probe(&path)
            .unwrap()
            .streams
            .iter()
            .any(|s| s.audio.is_some());
        if path.exists() && has_sound {
            // What these files say of times is up to 20 ms beside what they hold.
            let slack = 960;
            check(&path, 48_000, 5e-3, slack);
        }
    }
}
