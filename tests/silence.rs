//! Silence cut out of clips, through the real command line, with a model that hears speech and speech
//! of real people whose places are known.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::*;
use frameloom_core::graph::{KeptStretch, parse_kept};
use frameloom_media::{Inventory, Reader};
use serde_json::json;
use std::path::{Path, PathBuf};

const MODEL: &str = "models/audio/silero_vad.onnx";
/// People who speak, each in a recording of its own.
const SPEECH: [&str; 4] = [
    "media/speech/libri_1272-141231-0002.flac",
    "media/speech/dns3_0015_clean.wav",
    "media/speech/jfk_11s.flac",
    "media/speech/dns3_0016_clean.wav",
];
/// What is silent before each of them and behind the last, in seconds.
const PAUSES: [f64; 5] = [2.0, 1.5, 3.0, 1.2, 2.5];
/// Samples of the labels a second.
const RATE: i64 = 16_000;

/// A program with a model that hears speech, and the recordings; `None` where the data is missing.
fn with_model() -> Option<(Cli, Vec<PathBuf>)> {
    let model = test_data(MODEL)?;
    let speech: Option<Vec<PathBuf>> = SPEECH.iter().map(|file| test_data(file)).collect();
    let (cli, speech) = (Cli::new(), speech?);
    let import = ["models", "import", &text(&model), "--id", "speech"];
    let told = cli.run(import).expect_code(0);
    assert!(
        told.stdout.contains("silence FILE --model speech"),
        "{told:?}"
    );
    Some((cli, speech))
}

/// Hundredths of a second in which somebody speaks, by the loudness of a clean recording alone: what is
/// less than 25 dB below its loud parts, and not alone. Quieter than that are breaths, and the crowd
/// that listens to one of the speakers.
fn spoken(clean: &[f64]) -> Vec<bool> {
    let step = (RATE / 100) as usize;
    let power: Vec<f64> = clean
        .chunks_exact(step)
        .map(|part| part.iter().map(|v| v * v).sum::<f64>() / step as f64)
        .collect();
    let mut sorted = power.clone();
    sorted.sort_by(f64::total_cmp);
    let loud = sorted[sorted.len() * 95 / 100];
    let over: Vec<bool> = power.iter().map(|p| *p > loud * 10f64.powf(-2.5)).collect();
    (0..over.len())
        .map(|n| {
            over[n]
                && over[n.saturating_sub(1)..(n + 2).min(over.len())]
                    .iter()
                    .filter(|o| **o)
                    .count()
                    > 1
        })
        .collect()
}

/// A clip of people who speak between pauses with the hiss of a room, and the hundredths of a second in
/// which they do. `None` where there is no ffmpeg command.
fn clip(cli: &Cli, speech: &[PathBuf], name: &str, hiss_db: f64) -> Option<(PathBuf, Vec<bool>)> {
    let silence = |seconds: f64| vec![0.0; (seconds * RATE as f64) as usize];
    let (mut sound, mut labels) = (Vec::new(), Vec::new());
    for (pause, file) in PAUSES.iter().zip(speech) {
        sound.extend(silence(*pause));
        labels.extend(vec![false; (pause * 100.0).round() as usize]);
        let one = sound_of(file, RATE);
        let whole = one.len() / 160 * 160;
        // All are about equally loud.
        let power = one.iter().map(|v| v * v).sum::<f64>() / one.len() as f64;
        let gain = 0.08 / power.sqrt();
        sound.extend(one[..whole].iter().map(|v| v * gain));
        labels.extend(spoken(&one[..whole]));
    }
    sound.extend(silence(PAUSES[4]));
    labels.extend(vec![false; (PAUSES[4] * 100.0) as usize]);
    let raw = cli.folder().join("sound.f32");
    let mut state = 1u32;
    let hiss = 10f64.powf(hiss_db / 20.0);
    let bytes: Vec<u8> = sound
        .iter()
        .flat_map(|v| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (f64::from(state >> 8) / f64::from(1 << 23) - 1.0) * hiss;
            ((v + noise) as f32).to_le_bytes()
        })
        .collect();
    std::fs::write(&raw, bytes).unwrap();
    let seconds = format!("{}", sound.len() as f64 / RATE as f64);
    let made = cli.folder().join(name);
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        &format!("testsrc2=s=192x108:r=30000/1001:d={seconds}"),
        "-f",
        "f32le",
        "-ar",
        "16000",
        "-ac",
        "1",
        "-i",
        &text(&raw),
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-c:v",
        "libx264",
        "-crf",
        "16",
        "-g",
        "60",
        "-pix_fmt",
        "yuv420p",
        "-ar",
        "48000",
        "-ac",
        "2",
        "-c:a",
        "aac",
        "-b:a",
        "160k",
        &text(&made),
    ])
    .then_some((made, labels))
}

fn kept(cli: &Cli, clip: &Path, more: &[&str]) -> Vec<KeptStretch> {
    let clip = text(clip);
    let all = ["silence", &clip, "--export", "list", "-o", "-"];
    let told = cli.run(all.iter().chain(more)).expect_code(0);
    parse_kept(&told.stdout).unwrap()
}

/// How many labelled hundredths are not kept, and how much of what is labelled silent is.
fn clipped(kept: &[KeptStretch], labels: &[bool]) -> (usize, f64) {
    let is_kept = |n: usize| {
        let (from, to) = (n as i64 * 10_000, (n as i64 + 1) * 10_000);
        kept.iter()
            .any(|k| k.from_micros <= from && k.to_micros.is_none_or(|end| end >= to))
    };
    let lost = (0..labels.len()).filter(|&n| labels[n] && !is_kept(n));
    let silent = labels.iter().filter(|l| !**l).count();
    let left = (0..labels.len()).filter(|&n| !labels[n] && is_kept(n));
    (lost.count(), left.count() as f64 / silent as f64)
}

#[test]
fn no_labelled_word_is_clipped_and_the_long_pauses_are_gone() {
    let Some((cli, speech)) = with_model() else {
        return;
    };
    // In louder hiss, what is nearly as quiet as the hiss is lost at the usual threshold.
    for hiss in [-70.0, -60.0] {
        let Some((clip, labels)) = clip(&cli, &speech, "talk.mp4", hiss) else {
            return;
        };
        let kept = kept(&cli, &clip, &[]);
        let (lost, left) = clipped(&kept, &labels);
        let words = labels.iter().filter(|l| **l).count();
        println!(
            "hiss at {hiss} dB: {} stretches; {lost} of {words} spoken hundredths clipped, {:.0} % of the silence left",
            kept.len(),
            left * 100.0
        );
        assert_eq!(lost, 0, "hiss at {hiss} dB: {kept:?}");
        // The pauses inside of sentences and the padding stay.
        assert!(left < 0.6, "{left}");
        // Each long pause is cut.
        let mut at = 0.0;
        for (number, pause) in PAUSES.iter().enumerate() {
            let middle = ((at + pause / 2.0) * 1e6) as i64;
            let inside = |k: &KeptStretch| {
                k.from_micros <= middle && k.to_micros.is_none_or(|end| end > middle)
            };
            assert!(!kept.iter().any(inside), "pause {number} stays: {kept:?}");
            if let Some(file) = speech.get(number) {
                at += pause + (sound_of(file, RATE).len() / 160) as f64 / 100.0;
            }
        }
    }
}

/// Pictures of a clip by what they look like, and when they are shown.
fn pictures(path: &Path) -> Vec<(i64, Vec<u8>)> {
    let mut reader = Reader::open(path, &Default::default()).unwrap();
    let mut list = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        let frameloom_core::pixel::AnyPlane::U8(plane) = frame.plane(0) else {
            panic!("8 bits are expected");
        };
        let rows = (0..plane.height).step_by(3);
        let small = rows.flat_map(|y| plane.row(y).iter().step_by(3).copied().collect::<Vec<_>>());
        list.push((frame.pts(), small.collect()));
    }
    list
}

/// Which of `sources` a picture is.
fn place_of(picture: &[u8], sources: &[(i64, Vec<u8>)]) -> usize {
    let distance = |other: &[u8]| -> u64 {
        let pairs = picture.iter().zip(other);
        pairs.map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum()
    };
    (0..sources.len())
        .min_by_key(|n| distance(&sources[*n].1))
        .unwrap()
}

#[test]
fn what_is_left_are_the_very_pictures_and_sounds_that_were_kept() {
    let Some((cli, speech)) = with_model() else {
        return;
    };
    let Some((clip, _)) = clip(&cli, &speech[..2], "talk.mp4", -60.0) else {
        return;
    };
    let kept = kept(&cli, &clip, &[]);
    assert!(kept.len() >= 2, "{kept:?}");
    let out = cli.folder().join("cut.mp4");
    let told = cli
        .run(["silence", &text(&clip), "-o", &text(&out)])
        .expect_code(0);
    println!("{}", told.stdout);
    let (before, after) = (pictures(&clip), pictures(&out));
    // Every picture of which a part is kept, and no other.
    let seconds = |n: usize| n as f64 * 1_001.0 / 30_000.0;
    let wanted: Vec<usize> = (0..before.len())
        .filter(|&n| {
            let (from, to) = (seconds(n) * 1e6, seconds(n + 1) * 1e6);
            let touches = |k: &KeptStretch| {
                k.from_micros as f64 + 1.0 < to
                    && k.to_micros.is_none_or(|end| end as f64 - 1.0 > from)
            };
            kept.iter().any(touches)
        })
        .collect();
    assert_eq!(after.len(), wanted.len());
    // The counter of the test picture moves in each.
    for n in (0..after.len()).step_by(7) {
        assert_eq!(place_of(&after[n].1, &before), wanted[n], "picture {n}");
    }
    let steps: std::collections::BTreeSet<i64> =
        after.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert_eq!(steps.len(), 1, "the rate stays even: {steps:?}");
    // Sound is what it was, at the place of its picture.
    let (sound, source) = (sound_of(&out, RATE), sound_of(&clip, RATE));
    let length = seconds(after.len()) * RATE as f64;
    assert!(
        (sound.len() as f64 - length).abs() < 0.03 * RATE as f64,
        "{} samples, {length} wanted",
        sound.len()
    );
    let (mut signal, mut error) = (0.0, 0.0);
    for (n, &from) in wanted.iter().enumerate() {
        // Away from joints, where it fades.
        let is_joint = |n: usize| n > 0 && wanted[n] != wanted[n - 1] + 1;
        if (n.saturating_sub(2)..(n + 3).min(wanted.len())).any(is_joint)
            || n < 3
            || n + 3 > wanted.len()
        {
            continue;
        }
        let (a, b) = (
            (seconds(from) * RATE as f64).round() as usize,
            (seconds(n) * RATE as f64).round() as usize,
        );
        for at in 0..500 {
            let (x, y) = (source[a + at], sound[b + at]);
            signal += x * x;
            error += (x - y) * (x - y);
        }
    }
    let ratio = 10.0 * f64::log10(signal / error);
    println!("sound kept at {ratio:.1} dB");
    assert!(ratio > 12.0, "{ratio}");
    // A joint makes no click: no step is larger than those of the speech itself.
    let largest = |list: &[f64]| {
        let steps = list.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        steps.fold(0.0, f64::max)
    };
    assert!(largest(&sound) <= largest(&source) * 1.2);
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_job_resumes_to_the_very_same_cut() {
    let Some((cli, speech)) = with_model() else {
        return;
    };
    let Some((clip, _)) = clip(&cli, &speech, "talk.mp4", -60.0) else {
        return;
    };
    let whole = cli.folder().join("whole.mkv");
    let arguments = |out: &Path| {
        let (clip, out) = (text(&clip), text(out));
        ["silence", &clip, "-o", &out, "--device", "cpu"].map(str::to_owned)
    };
    cli.run(arguments(&whole)).expect_code(0);
    let resumed = cli.folder().join("resumed.mkv");
    let id = cli.killed_midway(arguments(&resumed), &resumed);
    // What is kept was decided before it began: no model is needed to go on.
    cli.run(["models", "remove", "speech"]).expect_code(0);
    cli.run(["jobs", "resume", &id]).expect_code(0);
    assert_eq!(
        std::fs::read(&resumed).unwrap(),
        std::fs::read(&whole).unwrap(),
        "a resumed result must equal an undisturbed one, byte for byte"
    );
}

#[test]
fn lists_for_editing_programs_are_written_and_never_over_something() {
    let Some((cli, speech)) = with_model() else {
        return;
    };
    let Some((clip, _)) = clip(&cli, &speech[..2], "talk.mp4", -60.0) else {
        return;
    };
    let count = kept(&cli, &clip, &[]).len();
    let written = |format: &str, ending: &str| {
        cli.run(["silence", &text(&clip), "--export", format])
            .expect_code(0);
        std::fs::read_to_string(clip.with_extension(ending)).unwrap()
    };
    let edl = written("edl", "edl");
    assert_eq!(
        edl.matches("* FROM CLIP NAME: talk.mp4").count(),
        count,
        "{edl}"
    );
    let fcpxml = written("fcpxml", "fcpxml");
    assert_eq!(fcpxml.matches("<asset-clip").count(), count, "{fcpxml}");
    let otio: serde_json::Value = serde_json::from_str(&written("otio", "otio")).unwrap();
    let clips = otio["tracks"]["children"][0]["children"]
        .as_array()
        .unwrap();
    assert_eq!(clips.len(), count);
    // ffmpeg reads the chapters.
    let chapters = written("chapters", "ffmeta");
    assert_eq!(chapters.matches("[CHAPTER]").count(), count);
    let with = cli.folder().join("chapters.mp4");
    assert!(ffmpeg(&[
        "-i",
        &text(&clip),
        "-i",
        &text(&clip.with_extension("ffmeta")),
        "-map_metadata",
        "1",
        "-map_chapters",
        "1",
        "-c",
        "copy",
        &text(&with),
    ]));
    assert_eq!(probe(&with).chapters.len(), count);
    // Again: beside what is there.
    cli.run(["silence", &text(&clip), "--export", "edl"])
        .expect_code(0);
    assert!(cli.folder().join("talk (2).edl").is_file());
    // Sound alone has a list, too.
    let told = cli
        .run(["silence", &text(&speech[0]), "--export", "edl", "-o", "-"])
        .expect_code(0);
    assert!(told.stdout.contains("001  AX       A "), "{told:?}");
}

#[test]
fn without_a_model_without_speech_and_without_a_pause_it_says_what_to_do() {
    let cli = Cli::new();
    let demo = text(&demo_clip());
    let told = cli.run(["silence", &demo]).expect_code(2);
    assert!(told.stderr.contains("models import"), "{told:?}");
    let Some((cli, speech)) = with_model() else {
        return;
    };
    let quiet = cli.folder().join("quiet.mp4");
    if !ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=96x54:r=25:d=3",
        "-f",
        "lavfi",
        "-i",
        "anoisesrc=d=3:a=0.01",
        "-c:v",
        "libx264",
        "-c:a",
        "aac",
        &text(&quiet),
    ]) {
        return;
    }
    let told = cli.run(["silence", &text(&quiet)]).expect_code(2);
    assert!(told.stderr.contains("Nobody was heard"), "{told:?}");
    let mute = cli.folder().join("mute.mp4");
    assert!(ffmpeg(&[
        "-i",
        &text(&quiet),
        "-an",
        "-c",
        "copy",
        &text(&mute)
    ]));
    let told = cli.run(["silence", &text(&mute)]).expect_code(2);
    assert!(told.stderr.contains("has no sound"), "{told:?}");
    let talk = cli.folder().join("short.mp4");
    assert!(ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=96x54:r=25:d=2",
        "-ss",
        "1",
        "-t",
        "2",
        "-i",
        &text(&speech[0]),
        "-c:v",
        "libx264",
        "-c:a",
        "aac",
        &text(&talk),
    ]));
    let told = cli
        .run([
            "silence",
            &text(&talk),
            "--min-silence",
            "2000",
            "--padding",
            "1000",
        ])
        .expect_code(2);
    assert!(told.stderr.contains("has no pause"), "{told:?}");
    let told = cli
        .run(["silence", &text(&talk), "--threshold", "2"])
        .expect_code(2);
    assert!(told.stderr.contains("0.05 to 0.95"), "{told:?}");
    // A model for pictures hears nothing, and one for speech makes no pictures.
    let told = cli
        .run(["silence", &text(&talk), "--model", "loom-x2"])
        .expect_code(2);
    assert!(told.stderr.contains("does not hear"), "{told:?}");
    let told = cli
        .run(["upscale", &demo, "--model", "speech"])
        .expect_code(2);
    assert!(told.stderr.contains("works on sound"), "{told:?}");
}

#[test]
fn a_cut_of_ones_own_takes_subtitles_and_chapters_along() {
    let cli = Cli::new();
    let cues = "1\n00:00:00,200 --> 00:00:00,800\nfirst\n\n2\n00:00:01,500 --> 00:00:02,500\nacross\n\n3\n00:00:02,600 --> 00:00:02,900\ngone\n\n4\n00:00:03,200 --> 00:00:03,600\nlast\n";
    let srt = cli.folder().join("a.srt");
    std::fs::write(&srt, cues).unwrap();
    let marks = ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2500\ntitle=A\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=2500\nEND=4000\ntitle=B\n";
    let meta = cli.folder().join("a.ffmeta");
    std::fs::write(&meta, marks).unwrap();
    let source = cli.folder().join("source.mkv");
    if !ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=192x108:r=25:d=4",
        "-f",
        "lavfi",
        "-i",
        "sine=440:d=4",
        "-i",
        &text(&srt),
        "-i",
        &text(&meta),
        "-map",
        "0",
        "-map",
        "1",
        "-map",
        "2",
        "-map_metadata",
        "3",
        "-map_chapters",
        "3",
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "flac",
        "-c:s",
        "srt",
        &text(&source),
    ]) {
        return;
    }
    // Kept: 0 to 2 and 3 to 4.
    let graph = graphs::chain(&cli, "cut.json", &[("cut", json!({"keep": "0-2\n3-"}))]);
    let out = cli.folder().join("out.mkv");
    cli.run(graphs::run_of(&graph, &source, &out, &[]))
        .expect_code(0);
    let found = Inventory::take(&out, &Default::default()).unwrap();
    let subtitles = found
        .streams
        .iter()
        .find(|s| s.info.codec == "subrip")
        .unwrap();
    let times: Vec<(i64, i64)> = subtitles
        .packets
        .iter()
        .map(|p| (p.pts.unwrap(), p.duration))
        .collect();
    assert_eq!(times, [(200, 600), (1_500, 500), (2_200, 400)]);
    let info = probe(&out);
    let chapters: Vec<(i64, i64)> = info
        .chapters
        .iter()
        .map(|c| (c.start_micros / 1_000, c.end_micros / 1_000))
        .collect();
    assert_eq!(chapters, [(0, 2_000), (2_000, 3_000)]);
    assert_eq!(pictures(&out).len(), 75);
    assert!((sound_of(&out, RATE).len() as i64 - 3 * RATE).abs() < RATE / 25);
    // Where it makes no sense it is refused, with the node.
    for (keep, says) in [
        ("", "must be"),
        ("3-2", "does not end"),
        ("50-60", "begins at 50"),
    ] {
        let graph = graphs::chain(&cli, "bad.json", &[("cut", json!({"keep": keep}))]);
        let told = cli.run(graphs::run_of(&graph, &source, &out, &[]));
        assert_ne!(told.code, Some(0), "{keep}");
        assert!(told.stderr.contains(says), "{keep}: {told:?}");
    }
}
