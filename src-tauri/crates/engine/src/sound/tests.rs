//! Tracks worked out without pictures: faults must be caught, real sound must raise no alarm,
//! joined clips must keep their times, and a network must clean speech.

use super::faults::Fault;
use super::make::World;
use super::{ClipSpan, Making, Sound, SoundPlan, SoundStep, TrackPlan};
use crate::control::{Cancel, Journal, Progress, SegmentRecord};
use crate::execute::{Context, Threads};
use crate::nodes::Models;
use crate::{EngineError, sound};
use frameloom_core::graph::{AudioDenoiseParams, Graph, LoudnessParams, MuxEnd};
use frameloom_core::job::{
    Device, EncodeSpec, JobSpec, PictureSizes, ProviderChoice, Quality, Step,
};
use frameloom_core::media::{Caution, Warning};
use frameloom_core::model::ModelManifest;
use frameloom_core::receipt::SoundCheck;
use frameloom_infer::{InferError, Model, Runtime};
use frameloom_media::{Container, SoundReader, plan_sound_encoder};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Nothing;

impl Models for Nothing {
    fn manifest(&self, id: &str) -> Result<ModelManifest, EngineError> {
        Err(InferError::ModelNotFound { id: id.to_owned() }.into())
    }
    fn load(&self, id: &str) -> Result<Model, EngineError> {
        Err(InferError::ModelNotFound { id: id.to_owned() }.into())
    }
}

impl Journal for Nothing {
    fn completed(&self) -> Result<Vec<SegmentRecord>, EngineError> {
        Ok(Vec::new())
    }
    fn record(&self, _: &SegmentRecord) -> Result<(), EngineError> {
        Ok(())
    }
    fn forget_from(&self, _: u64) -> Result<(), EngineError> {
        Ok(())
    }
}

impl Progress for Nothing {
    fn step(&self, _: Step, _: Option<u64>) {}
    fn done(&self, _: u64) {}
    fn warning(&self, _: Warning) {}
    fn provider(&self, _: &ProviderChoice) {}
    fn sizes(&self, _: PictureSizes) {}
}

fn data(below: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FRAMELOOM_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(below);
    if !path.exists() {
        println!("skipped: no test data ({below})");
        return None;
    }
    Some(path)
}

/// ONNX Runtime where `cargo xtask test` says it is.
fn runtime() -> Result<Arc<Runtime>, EngineError> {
    let library = std::env::var_os("FRAMELOOM_ONNXRUNTIME").ok_or(InferError::Cancelled)?;
    Ok(Runtime::load(Path::new(&library))?)
}

/// A track that was worked out: its check, and its samples with the place of the first.
type Outcome = Result<(SoundCheck, i64, Vec<Vec<f64>>), EngineError>;

/// Works out `sound` of the files `inputs` (the first is the main one), shown from 0 on.
fn work(
    sound: Sound,
    inputs: &[(&str, &Path)],
    clips: &[ClipSpan],
    pictures: (i64, i64),
    container: Container,
    fault: Option<Fault>,
) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let spec = JobSpec {
        version: 1,
        input: inputs[0].1.to_owned(),
        pictures: None,
        output: folder.path().join("o.mkv"),
        overwrite: false,
        graph: Graph::chain([]),
        encode: EncodeSpec::default(),
        device: Device::Cpu,
        inputs: inputs
            .iter()
            .map(|(name, path)| ((*name).to_owned(), (*path).to_owned()))
            .collect(),
        input_pictures: Default::default(),
        compute: Default::default(),
        upright: false,
        sample: false,
    };
    let mut of = &sound;
    let mut mono = false;
    let (path, stream) = loop {
        match of {
            Sound::Stream { input, stream } => break (spec.path_of(input).to_owned(), *stream),
            Sound::Step {
                of: inner, step, ..
            } => {
                mono |= matches!(step, SoundStep::Channel { .. });
                of = inner;
            }
            Sound::Joined { clips } => of = clips.iter().flatten().next().unwrap(),
        }
    };
    let mut source = SoundReader::open(&path, stream, &Default::default())?.source();
    if mono {
        source.format.layout = "mono".to_owned();
    }
    let encoder = plan_sound_encoder(&source, container, Quality::Good)?;
    let plan = SoundPlan {
        sound: Some(vec![TrackPlan {
            making: Making::WorkedOut { sound, encoder },
            tags: BTreeMap::new(),
            dispositions: Vec::new(),
        }]),
        subtitles: None,
        ends: MuxEnd::Pictures,
        origins: BTreeMap::new(),
    };
    let context = Context {
        runtime: &runtime,
        models: &Nothing,
        work_dir: folder.path(),
        threads: Threads::for_cores(2),
        journal: &Nothing,
        progress: &Nothing,
        cancel: &Cancel::new(),
        caution: Caution::default(),
        compute: Default::default(),
        chosen: Default::default(),
        pool: None,
        fault: None,
    };
    let mut world = World::new(&spec, &plan, clips, None, pictures, &context);
    world.fault = fault;
    let made = sound::make(&world)?;
    let part = folder.path().join("sound-00.sound");
    let mut reader = SoundReader::open_part(&part, &Default::default())?;
    let start = reader.start();
    let mut samples = vec![Vec::new(); reader.format().channels()?];
    while let Some(block) = reader.next_block()? {
        for (all, more) in samples.iter_mut().zip(block.channels) {
            all.extend(more);
        }
    }
    Ok((made.checks[0].clone(), start, samples))
}

fn stream(input: &str, stream: u32) -> Sound {
    Sound::Stream {
        input: input.to_owned(),
        stream,
    }
}

fn step(step: SoundStep, of: Sound) -> Sound {
    Sound::Step {
        node: "n".to_owned(),
        step,
        of: Box::new(of),
    }
}

fn span(input: &str, from: i64, to: i64, at: i64) -> ClipSpan {
    ClipSpan {
        input: input.to_owned(),
        from_micros: from,
        to_micros: Some(to),
        at_micros: at,
    }
}

fn steps() -> Vec<(&'static str, SoundStep)> {
    let loudness = LoudnessParams {
        target: -16.0,
        peak: -1.0,
    };
    vec![
        ("loudness", SoundStep::Loudness(loudness)),
        ("denoise", SoundStep::Denoise(AudioDenoiseParams::default())),
        ("channel", SoundStep::Channel { index: 0 }),
    ]
}

#[test]
fn every_fault_in_sound_is_caught() {
    let Some(path) = data("media/speech/jfk_11s.flac") else {
        return;
    };
    let clips = [span("main", 0, 11_000_000, 0)];
    for (name, what) in steps() {
        for fault in [
            None,
            Some(Fault::Shift),
            Some(Fault::Drop),
            Some(Fault::Gain),
            Some(Fault::Silence),
            Some(Fault::Short),
        ] {
            let sound = step(what.clone(), stream("main", 0));
            let inputs = [("main", path.as_path())];
            let result = work(
                sound,
                &inputs,
                &clips,
                (0, 11_000_000),
                Container::Mkv,
                fault,
            );
            match (fault, result) {
                (None, Ok((check, ..))) => assert_eq!(check.offset_micros, Some(0), "{name}"),
                // A gain that is wrong by itself is set right by measuring the result.
                (Some(Fault::Gain), Ok((check, ..))) if name == "loudness" => {
                    let found = check.loudness.unwrap().found.unwrap();
                    assert!((found + 16.0).abs() <= 0.5, "{found}");
                }
                (Some(_), Err(EngineError::OutputCheck { reason })) => {
                    println!("{name} {fault:?}: {reason}");
                }
                (fault, result) => panic!("{name} {fault:?}: {result:?}"),
            }
        }
    }
}

#[test]
fn real_sound_raises_no_alarm() {
    for (below, track, container) in [
        ("media/audio/sample.flac", 0, Container::Mkv),
        ("media/audio/two_aac_5.1_tracks.mp4", 0, Container::Mp4),
        ("media/audio/eac3_5.1_atmos.mp4", 0, Container::Mp4),
        ("media/audio/aac_ac3_two_tracks.mp4", 1, Container::Mp4),
        ("media/audio/oversized_id3.wav", 0, Container::Mkv),
        ("media/speech/silero_vad_test_60s.wav", 0, Container::Mov),
        ("media/speech/silero_vad_test_8s.opus", 0, Container::Webm),
        ("media/speech/libri_1272-141231-0002.mp3", 0, Container::Mp4),
        (
            "media/video/h264_aac_16s_320x240_60fps.mp4",
            1,
            Container::Mp4,
        ),
        ("media/video/h264_aac_17s_640x360.mp4", 1, Container::Mkv),
        ("media/video/rotate90_5.1.mp4", 1, Container::Mp4),
        ("media/video/av1_aac.mp4", 1, Container::Mp4),
        ("media/video/slowmo_samsung_sef.mp4", 0, Container::Mp4),
        ("media/video/hdr10_pq_phone.mp4", 1, Container::Mp4),
        ("media/video/ts_eng_es_audio.ts", 1, Container::Mkv),
    ] {
        let Some(path) = data(below) else { return };
        let clips = [span("main", 0, 1, 0)];
        for (name, what) in steps() {
            let sound = step(what, stream("main", track));
            let inputs = [("main", path.as_path())];
            let (check, ..) = work(sound, &inputs, &clips, (0, 60_000_000), container, None)
                .unwrap_or_else(|error| panic!("{below} {name}: {error}"));
            println!("{below} {name}: {check:?}");
            assert!(
                check.offset_micros.is_none_or(|micros| micros == 0),
                "{below} {name}"
            );
        }
    }
}

#[test]
fn joined_clips_are_heard_with_their_pictures() {
    let (Some(first), Some(second)) = (
        data("media/speech/jfk_11s.flac"),
        data("media/speech/libri_1272-141231-0002.flac"),
    ) else {
        return;
    };
    // 2.5 s of the one, a clip without sound, and of the other more than it has left: another
    // rate, another layout.
    let clips = [
        span("a", 1_000_000, 3_500_000, 1_000_000),
        span("b", 0, 1_000_000, 3_500_000),
        span("c", 12_000_000, 14_000_000, 4_500_000),
    ];
    let sound = Sound::Joined {
        clips: vec![Some(stream("a", 0)), None, Some(stream("c", 0))],
    };
    let inputs = [
        ("a", first.as_path()),
        ("b", first.as_path()),
        ("c", second.as_path()),
    ];
    let pictures = (1_000_000, 6_500_000);
    let (check, start, samples) =
        work(sound, &inputs, &clips, pictures, Container::Mkv, None).unwrap();
    assert_eq!((check.sample_rate, start), (44_100, 44_100));
    assert_eq!(check.samples, 44_100 * 55 / 10);
    assert_eq!(samples.len(), 2);
    let mut reader = SoundReader::open(&first, 0, &Default::default()).unwrap();
    let mut source = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        source.extend_from_slice(&block.channels[0]);
    }
    let joint = 44_100 * 25 / 10;
    assert!(samples[0][..joint] == source[44_100..44_100 + joint]);
    assert!(samples[0][joint..joint + 44_100].iter().all(|v| *v == 0.0));
    let last = &samples[0][joint + 44_100..];
    let power = |list: &[f64]| list.iter().map(|v| v * v).sum::<f64>();
    assert!(power(&last[..44_100]) > 1.0, "the third clip is heard");
    assert!(power(&last[last.len() - 20_000..]) == 0.0, "and filled up");
}

/// Scale-invariant ratio of signal to noise, in dB.
fn si_snr(clean: &[f64], found: &[f64]) -> f64 {
    let count = clean.len().min(found.len());
    let mean = |list: &[f64]| list[..count].iter().sum::<f64>() / count as f64;
    let (a, b) = (mean(clean), mean(found));
    let (mut cc, mut cf, mut ff) = (0.0, 0.0, 0.0);
    for (x, y) in clean.iter().zip(found) {
        let (x, y) = (x - a, y - b);
        cc += x * x;
        cf += x * y;
        ff += y * y;
    }
    let signal = cf * cf / cc;
    10.0 * (signal / (ff - signal)).log10()
}

fn wave(path: &Path) -> Vec<f64> {
    let mut reader = SoundReader::open(path, 0, &Default::default()).unwrap();
    let mut all = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        all.extend_from_slice(&block.channels[0]);
    }
    all
}

fn cleaned(path: &Path, model: Option<&Path>) -> Vec<f64> {
    let params = AudioDenoiseParams {
        model: model.map(|m| m.to_string_lossy().into_owned()),
        ..AudioDenoiseParams::default()
    };
    let sound = step(SoundStep::Denoise(params), stream("main", 0));
    let clips = [span("main", 0, 60_000_000, 0)];
    let inputs = [("main", path)];
    let (check, start, mut samples) = work(
        sound,
        &inputs,
        &clips,
        (0, 60_000_000),
        Container::Mkv,
        None,
    )
    .unwrap();
    let source = wave(path);
    assert_eq!((start, check.samples), (0, source.len() as u64));
    samples.remove(0)
}

#[test]
fn noise_is_lowered_in_noisy_speech() {
    for (pair, least) in [("0015", 1.0), ("0016", 0.5), ("0072", 1.0)] {
        let file = |kind: &str| data(&format!("media/speech/dns3_{pair}_{kind}.wav"));
        let (Some(noisy), Some(clean)) = (file("noisy"), file("clean")) else {
            return;
        };
        let clean = wave(&clean);
        let before = si_snr(&clean, &wave(&noisy));
        let after = si_snr(&clean, &cleaned(&noisy, None));
        println!("{pair}: {before:.2} -> {after:.2} dB");
        assert!(after - before > least, "{pair}: {before} -> {after}");
    }
}

#[test]
fn a_network_for_speech_cleans_as_its_makers_say() {
    let Some(model) = data("models/audio/gtcrn_simple.onnx") else {
        return;
    };
    if std::env::var_os("FRAMELOOM_ONNXRUNTIME").is_none() {
        println!("skipped: FRAMELOOM_ONNXRUNTIME is not set");
        return;
    }
    for (pair, published) in [("0015", 11.18), ("0016", 13.38), ("0072", 10.15)] {
        let file = |kind: &str| data(&format!("media/speech/dns3_{pair}_{kind}.wav"));
        let (Some(noisy), Some(clean)) = (file("noisy"), file("clean")) else {
            return;
        };
        let after = si_snr(&wave(&clean), &cleaned(&noisy, Some(&model)));
        println!("{pair}: {after:.2} dB");
        assert!((after - published).abs() < 0.3, "{pair}: {after}");
    }
    let (Some(mix), Some(reference)) = (
        data("media/speech/gtcrn_mix.wav"),
        data("media/speech/gtcrn_mix_enhanced_reference.wav"),
    ) else {
        return;
    };
    let alike = si_snr(&wave(&reference), &cleaned(&mix, Some(&model)));
    println!("against the reference: {alike:.1} dB");
    assert!(alike > 35.0, "{alike}");
    // Another rate, two channels, and a network of another family.
    let Some(stereo) = data("media/speech/jfk_11s.flac") else {
        return;
    };
    cleaned(&stereo, Some(&model));
    let Some(other) = data("models/audio/silero_vad.onnx") else {
        return;
    };
    let params = AudioDenoiseParams {
        model: Some(other.to_string_lossy().into_owned()),
        ..AudioDenoiseParams::default()
    };
    let sound = step(SoundStep::Denoise(params), stream("main", 0));
    let clips = [span("main", 0, 1, 0)];
    let inputs = [("main", stereo.as_path())];
    let error = work(sound, &inputs, &clips, (0, 1_000_000), Container::Mkv, None).unwrap_err();
    println!("{error}");
    assert!(error.to_string().contains("spectrum"), "{error}");
}
