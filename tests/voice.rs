//! Voices made clean, through the real command line: noise, loudness and true peaks of what comes out,
//! measured by other means than the program's own.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use e2e::*;
use frameloom_app::{App, Places};
use frameloom_core::job::JobId;
use frameloom_media::{SoundFilter, SoundFormat, SoundReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const MODEL: &str = "models/audio/gtcrn_simple.onnx";
/// Noisy speech, and the same without noise; with the least that must be gained, in dB.
const PAIRS: [(&str, f64); 3] = [("0015", 2.0), ("0016", 6.0), ("0072", 9.0)];

fn with_model() -> Option<Cli> {
    let model = test_data(MODEL)?;
    let cli = Cli::new();
    let import = ["models", "import", &text(&model), "--id", "cleaner"];
    let told = cli.run(import).expect_code(0);
    assert!(
        told.stdout.contains("voice FILE --model cleaner"),
        "{told:?}"
    );
    Some(cli)
}

/// What the ffmpeg command writes to standard error; `None` after a line where it is missing.
fn ffmpeg(arguments: &[&str]) -> Option<String> {
    let made = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostats", "-nostdin", "-y"])
        .args(arguments)
        .output();
    match made {
        Ok(done) => {
            let told = String::from_utf8_lossy(&done.stderr).into_owned();
            assert!(done.status.success(), "ffmpeg {arguments:?}: {told}");
            Some(told)
        }
        Err(error) => {
            eprintln!("skipped: no ffmpeg command ({error})");
            None
        }
    }
}

/// A clip with pictures and this sound, without loss.
fn clip(cli: &Cli, sound: &Path, name: &str, more: &[&str]) -> Option<PathBuf> {
    let made = cli.folder().join(name);
    let all = ["-f", "lavfi", "-i", "testsrc2=s=96x54:r=25:d=12", "-i"];
    let (sound, to) = (text(sound), text(&made));
    let mut arguments = all.to_vec();
    arguments.extend([
        sound.as_str(),
        "-shortest",
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
    ]);
    arguments.extend(["-c:a", "flac"]);
    arguments.extend(more);
    arguments.push(&to);
    ffmpeg(&arguments).map(|_| made)
}

/// Samples of the first channel at 16,000 a second.
fn samples(path: &Path) -> Vec<f64> {
    let info = probe(path);
    let stream = info.streams.iter().find(|s| s.audio.is_some()).unwrap();
    let mut reader = SoundReader::open(path, stream.index, &Arc::default()).unwrap();
    let wanted = SoundFormat {
        rate: 16_000,
        layout: "mono".into(),
    };
    let mut filter = SoundFilter::open(reader.format(), &wanted, &[]).unwrap();
    let mut all = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        filter.send(&block.channels).unwrap();
    }
    filter.finish().unwrap();
    while let Some(channels) = filter.receive().unwrap() {
        all.extend_from_slice(&channels[0]);
    }
    all
}

/// Scale-invariant ratio of speech to everything else, in dB.
fn si_snr(clean: &[f64], found: &[f64]) -> f64 {
    let count = clean.len().min(found.len());
    let (clean, found) = (&clean[..count], &found[..count]);
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let scale = dot(clean, found) / dot(clean, clean);
    let (mut speech, mut rest) = (0.0, 0.0);
    for (c, f) in clean.iter().zip(found) {
        speech += (scale * c) * (scale * c);
        rest += (f - scale * c) * (f - scale * c);
    }
    10.0 * (speech / rest).log10()
}

/// Integrated loudness in LUFS and true peak in dBTP, by ffmpeg.
fn loudness(path: &Path) -> (f64, f64) {
    let told = ffmpeg(&[
        "-i",
        &text(path),
        "-af",
        "ebur128=peak=true",
        "-f",
        "null",
        "-",
    ])
    .unwrap();
    let summary = told.rsplit("Summary:").next().unwrap();
    let number = |label: &str| -> f64 {
        let (_, behind) = summary.split_once(label).unwrap();
        behind.split_whitespace().next().unwrap().parse().unwrap()
    };
    (number("I:"), number("Peak:"))
}

fn voice(cli: &Cli, input: &Path, name: &str, more: &[&str]) -> PathBuf {
    let out = cli.folder().join(name);
    let (input, to) = (text(input), text(&out));
    let all = ["voice", &input, "-o", &to, "--device", "cpu"];
    cli.run(all.iter().chain(more)).expect_code(0);
    out
}

#[test]
fn noise_is_taken_out_of_speech_and_the_loudness_is_the_one_asked_for() {
    let Some(cli) = with_model() else { return };
    for (pair, least) in PAIRS {
        let file = |kind: &str| test_data(&format!("media/speech/dns3_{pair}_{kind}.wav"));
        let (Some(noisy), Some(clean)) = (file("noisy"), file("clean")) else {
            return;
        };
        let Some(source) = clip(&cli, &noisy, &format!("{pair}.mkv"), &[]) else {
            return;
        };
        let clean = samples(&clean);
        let before = si_snr(&clean, &samples(&source));
        for target in ["-14", "-23"] {
            let out = voice(
                &cli,
                &source,
                &format!("{pair}{target}.mkv"),
                &["--loudness", target],
            );
            let after = si_snr(&clean, &samples(&out));
            let (found, peak) = loudness(&out);
            println!("{pair} at {target}: {before:.2} -> {after:.2} dB, {found} LUFS, {peak} dBTP");
            // A limiter at work is part of what is measured.
            let least = if target == "-14" { least - 2.5 } else { least };
            assert!(after - before > least, "{pair}: {before} -> {after}");
            let wanted: f64 = target.parse().unwrap();
            assert!((found - wanted).abs() <= 0.6, "{pair}: {found} LUFS");
            assert!(peak <= -0.9, "{pair}: {peak} dBTP");
        }
    }
}

#[test]
fn less_strength_leaves_more_of_the_noise() {
    let Some(cli) = with_model() else { return };
    let file = |kind: &str| test_data(&format!("media/speech/dns3_0072_{kind}.wav"));
    let (Some(noisy), Some(clean)) = (file("noisy"), file("clean")) else {
        return;
    };
    let Some(source) = clip(&cli, &noisy, "a.mkv", &[]) else {
        return;
    };
    let clean = samples(&clean);
    let found: Vec<f64> = ["0", "0.5", "1"]
        .iter()
        .map(|strength| {
            let more = ["--strength", strength, "--loudness", "-23"];
            let out = voice(&cli, &source, &format!("s{strength}.mkv"), &more);
            si_snr(&clean, &samples(&out))
        })
        .collect();
    println!("strength 0, 0.5, 1: {found:.2?} dB");
    let before = si_snr(&clean, &samples(&source));
    assert!((found[0] - before).abs() < 0.5, "{before} {found:?}");
    assert!(
        found[1] > found[0] + 3.0 && found[2] > found[1] + 1.0,
        "{found:?}"
    );
}

#[test]
fn what_lies_above_the_hearing_of_the_model_stays_in_speech_and_goes_in_noise() {
    let Some(cli) = with_model() else { return };
    let Some(speech) = test_data("media/speech/jfk_11s.flac") else {
        return;
    };
    // 48,000 samples a second: noise above 9 kHz rides on the speech, and goes on after it.
    let filter = "[1:a]aresample=48000,apad=pad_dur=3,asplit[a][b];anoisesrc=r=48000:a=0.05:d=14,highpass=f=9000:p=2,highpass=f=9000:p=2[n];[b]volume=0[q];[a][n][q]amix=inputs=3:normalize=0:duration=first[out]";
    let made = cli.folder().join("a.mkv");
    if ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=96x54:r=25:d=14",
        "-i",
        &text(&speech),
        "-filter_complex",
        filter,
        "-map",
        "0:v",
        "-map",
        "[out]",
        "-t",
        "13.5",
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "flac",
        &text(&made),
    ])
    .is_none()
    {
        return;
    }
    let out = voice(&cli, &made, "b.mkv", &["--loudness", "-23"]);
    // Power above 9 kHz while he speaks, and after it, against the loudness of the whole.
    let high = |path: &Path, from: &str, to: &str| -> f64 {
        let trim =
            format!("atrim={from}:{to},highpass=f=9500:p=2,highpass=f=9500:p=2,volumedetect");
        let told = ffmpeg(&["-i", &text(path), "-af", &trim, "-f", "null", "-"]).unwrap();
        let (_, behind) = told.split_once("mean_volume:").unwrap();
        behind.split_whitespace().next().unwrap().parse().unwrap()
    };
    let gain = loudness(&out).0 - loudness(&made).0;
    let (in_speech, after) = (
        high(&out, "1", "10") - high(&made, "1", "10") - gain,
        high(&out, "11.8", "13.4") - high(&made, "11.8", "13.4") - gain,
    );
    println!("above 9 kHz: {in_speech:.1} dB in speech, {after:.1} dB after it");
    assert!(after < in_speech - 6.0, "{in_speech} {after}");
    assert!(after < -12.0, "{after}");
}

#[test]
fn without_a_model_a_filter_does_it_and_wrong_wishes_are_refused() {
    let cli = Cli::new();
    let Some(noisy) = test_data("media/speech/dns3_0072_noisy.wav") else {
        return;
    };
    let Some(source) = clip(&cli, &noisy, "a.mkv", &["-ar", "48000"]) else {
        return;
    };
    let out = voice(&cli, &source, "b.mkv", &[]);
    let (found, peak) = loudness(&out);
    assert!(
        (found + 16.0).abs() <= 0.6 && peak <= -0.9,
        "{found} {peak}"
    );
    // What the window tells of both is what ffmpeg finds.
    let app = App::open(Places::discover(Some(cli.data())).unwrap()).unwrap();
    let id = JobId(cli.jobs()[0]["id"].as_str().unwrap().to_owned());
    let told = app.job_sound(&id).unwrap();
    for (of, path) in [(told.before, &source), (told.after, &out)] {
        let (wanted, peak) = loudness(path);
        let near = |found: Option<f64>, wanted: f64| (found.unwrap() - wanted).abs() <= 0.2;
        assert!(near(of.loudness, wanted) && near(of.peak, peak), "{told:?}");
        assert_eq!(of.size_bytes, path.metadata().unwrap().len());
        assert!((of.length_micros - 5_000_000).abs() < 200_000, "{told:?}");
    }
    for (more, says) in [
        (["--loudness", "3"], "-31 to -5"),
        (["--strength", "2"], "0 to 1"),
        (["--model", "loom-x2"], "takes no noise out of speech"),
    ] {
        let input = text(&source);
        let all = ["voice", &input];
        let told = cli.run(all.iter().chain(&more)).expect_code(2);
        assert!(told.stderr.contains(says), "{more:?}: {told:?}");
    }
}

#[test]
fn the_model_that_cleaned_stands_in_the_receipt_and_is_refused_for_work_that_is_sold() {
    let (Some(model), Some(speech)) = (test_data(MODEL), test_data("media/speech/jfk_11s.flac"))
    else {
        return;
    };
    let cli = Cli::new();
    let import = ["models", "import", &text(&model), "--id", "cleaner"];
    cli.run(import.iter().chain(&["--licence", "CC-BY-NC-4.0"]))
        .expect_code(0);
    let Some(source) = clip(&cli, &speech, "a.mkv", &["-t", "3"]) else {
        return;
    };
    voice(&cli, &source, "out.mkv", &[]);
    let jobs = cli.jobs();
    let id = jobs[0]["id"].as_str().unwrap();
    let receipt = cli.run(["jobs", "show", id, "--receipt", "--json"]);
    let receipt = receipt.expect_code(0).json();
    assert_eq!(receipt["models"][0]["id"], "cleaner");
    assert_eq!(receipt["models"][0]["licence"]["spdx"], "CC-BY-NC-4.0");
    let file = cli.folder().join("graph.json");
    std::fs::write(&file, receipt["graph"].to_string()).unwrap();
    let (file, source) = (text(&file), text(&source));
    let out = text(&cli.folder().join("sold.mkv"));
    let words = ["run", &file, "--in", &source, "--out", &out];
    let told = cli
        .run(words.iter().chain(&["--commercial"]))
        .expect_code(2);
    assert!(told.stderr.contains("CC-BY-NC-4.0"), "{told:?}");
    cli.run(words).expect_code(0);
}

#[test]
fn a_model_of_sound_is_measured_in_seconds_of_sound() {
    let Some(cli) = with_model() else { return };
    let told = cli.run(["models", "measure", "cleaner", "--json"]);
    let told = told.expect_code(0).json();
    let speed = &told["speed"];
    assert!(speed["size"].is_null(), "{told}");
    assert!(speed["fps"].as_f64().unwrap() > 0.0, "{told}");
    // Its weights are half a megabyte.
    assert!(speed["memory_bytes"].as_u64().unwrap() > 1 << 19, "{told}");
    assert!(told["choices"].as_array().unwrap().is_empty(), "{told}");
    let told = cli.run(["models", "measure", "cleaner"]).expect_code(0);
    assert!(
        told.stdout.contains("seconds of sound a second"),
        "{}",
        told.stdout
    );
}
