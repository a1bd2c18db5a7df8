//! Sound of a job through the engine: copied, levelled, split, of several inputs; measured again
//! with ffmpeg's own command.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use frameloom_core::graph::Graph;
use frameloom_core::job::{
    Device, EncodeSpec, JOB_SPEC_VERSION, JobSpec, PictureSizes, ProviderChoice, Quality, Step,
    VideoCodec,
};
use frameloom_core::media::{Caution, Warning};
use frameloom_core::model::ModelManifest;
use frameloom_engine::execute::Threads;
use frameloom_engine::plan::MediumPlan;
use frameloom_engine::sound::Making;
use frameloom_engine::{
    Cancel, Context, EngineError, Finished, Journal, Models, Plan, Progress, SegmentRecord, Stop,
    execute, plan,
};
use frameloom_infer::{InferError, Model, Runtime};
use frameloom_media::{Inventory, SoundReader};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

struct NoModels;

impl Models for NoModels {
    fn manifest(&self, id: &str) -> Result<ModelManifest, EngineError> {
        Err(InferError::ModelNotFound { id: id.to_owned() }.into())
    }
    fn load(&self, id: &str) -> Result<Model, EngineError> {
        Err(InferError::ModelNotFound { id: id.to_owned() }.into())
    }
}

/// Keeps warnings, and asks for a stop when the sound has been heard of so often.
struct Listener<'a> {
    warnings: Mutex<Vec<Warning>>,
    patience: AtomicI64,
    cancel: &'a Cancel,
}

impl Progress for Listener<'_> {
    fn step(&self, _: Step, _: Option<u64>) {}
    fn done(&self, _: u64) {}
    fn alive(&self) {
        if self.patience.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.cancel.request(Stop::Now);
        }
    }
    fn warning(&self, warning: Warning) {
        self.warnings.lock().unwrap().push(warning);
    }
    fn provider(&self, _: &ProviderChoice) {}
    fn sizes(&self, _: PictureSizes) {}
}

struct Notes(Mutex<Vec<SegmentRecord>>);

impl Journal for Notes {
    fn completed(&self) -> Result<Vec<SegmentRecord>, EngineError> {
        Ok(self.0.lock().unwrap().clone())
    }
    fn record(&self, segment: &SegmentRecord) -> Result<(), EngineError> {
        self.0.lock().unwrap().push(segment.clone());
        Ok(())
    }
    fn forget_from(&self, position: u64) -> Result<(), EngineError> {
        self.0.lock().unwrap().truncate(position as usize);
        Ok(())
    }
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

/// Runs the system's ffmpeg in `folder`; gives what it writes to standard error, or `None` with a
/// line that says why not.
fn ffmpeg(folder: &Path, arguments: &str) -> Option<String> {
    let output = std::process::Command::new("ffmpeg")
        .args(["-hide_banner", "-y", "-nostdin"])
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output();
    match output {
        Ok(output) if output.status.success() => {
            Some(String::from_utf8_lossy(&output.stderr).into_owned())
        }
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr);
            println!("skipped: ffmpeg refuses {arguments}: {words}");
            None
        }
        Err(error) => {
            println!("skipped: no ffmpeg ({error})");
            None
        }
    }
}

/// Integrated loudness and true peak by ffmpeg's `ebur128`.
fn ebur128(file: &Path, track: usize) -> (f64, f64) {
    let arguments = format!(
        "-i {} -map 0:a:{track} -af ebur128=peak=true:framelog=verbose -f null -",
        file.display()
    );
    let said = ffmpeg(Path::new("/"), &arguments).unwrap();
    let summary = &said[said.rfind("Summary:").unwrap()..];
    let after = |word: &str| -> f64 {
        let rest = &summary[summary.find(word).unwrap() + word.len()..];
        rest.split_whitespace().next().unwrap().parse().unwrap()
    };
    (after("I:"), after("Peak:"))
}

/// A job with the graph that `edges` ("from.port to.port") and `nodes` make.
struct Work {
    folder: tempfile::TempDir,
    spec: JobSpec,
}

impl Work {
    fn new(input: &Path, output: &str, nodes: Value, edges: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let edges: Vec<Value> = edges
            .iter()
            .map(|edge| {
                let (from, to) = edge.split_once(' ').unwrap();
                let end = |text: &str| -> (String, Option<String>) {
                    match text.split_once('.') {
                        Some((node, port)) => (node.to_owned(), Some(port.to_owned())),
                        None => (text.to_owned(), None),
                    }
                };
                let ((from, from_port), (to, to_port)) = (end(from), end(to));
                let mut edge = json!({"from": from, "to": to});
                if let Some(port) = from_port {
                    edge["from_port"] = port.into();
                }
                if let Some(port) = to_port {
                    edge["to_port"] = port.into();
                }
                edge
            })
            .collect();
        let document = json!({"version": 2, "nodes": nodes, "edges": edges});
        let graph: Graph = serde_json::from_value(document).unwrap();
        let spec = JobSpec {
            version: JOB_SPEC_VERSION,
            input: input.to_owned(),
            pictures: None,
            output: folder.path().join(output),
            overwrite: false,
            graph,
            encode: EncodeSpec {
                codec: None,
                quality: Quality::Draft,
                drop: Vec::new(),
                srgb: false,
            },
            device: Device::Cpu,
            inputs: Default::default(),
            input_pictures: Default::default(),
            compute: Default::default(),
            upright: true,
            sample: false,
        };
        std::fs::create_dir(folder.path().join("work")).unwrap();
        Self { folder, spec }
    }

    fn with(mut self, name: &str, path: &Path) -> Self {
        self.spec.inputs.insert(name.to_owned(), path.to_owned());
        self
    }

    fn plan(&self) -> Result<Plan, EngineError> {
        let info = frameloom_media::probe(&self.spec.input).unwrap();
        plan(&self.spec, &info, &NoModels)
    }

    /// Runs the job; stops it when the sound was heard of `patience` times.
    fn run(
        &self,
        plan: &Plan,
        notes: &Notes,
        patience: i64,
    ) -> (Result<Finished, EngineError>, Vec<Warning>) {
        let cancel = Cancel::new();
        let runtime = || -> Result<Arc<Runtime>, EngineError> { panic!("no model takes part") };
        let progress = Listener {
            warnings: Mutex::default(),
            patience: AtomicI64::new(patience),
            cancel: &cancel,
        };
        let result = execute(
            &self.spec,
            plan,
            &Context {
                runtime: &runtime,
                models: &NoModels,
                work_dir: &self.folder.path().join("work"),
                threads: Threads::for_cores(2),
                journal: notes,
                progress: &progress,
                cancel: &cancel,
                caution: Caution::default(),
                compute: Default::default(),
                chosen: Default::default(),
                pool: None,
            },
        );
        (result, progress.warnings.into_inner().unwrap())
    }

    fn finished(&self) -> Finished {
        let plan = self.plan().unwrap();
        let (result, _) = self.run(&plan, &Notes(Mutex::default()), 0);
        result.unwrap()
    }
}

fn take(path: &Path) -> Inventory {
    Inventory::take(path, &Default::default()).unwrap()
}

/// A clip of moving shades with the sound of another file, cut to ten seconds.
fn clip(folder: &Path, sound: &Path, arguments: &str, name: &str) -> Option<PathBuf> {
    ffmpeg(
        folder,
        &format!(
            "-f lavfi -i testsrc=s=96x64:r=10:d=10 -i {} -map 0:v -map 1:a:0 -t 10 \
             -c:v libx264 -preset ultrafast {arguments} {name}",
            sound.display()
        ),
    )?;
    Some(folder.join(name))
}

const LOUDNESS: &[&str] = &["a sink", "a.audio l", "l sink.audio"];

fn loudness(target: f64, peak: f64) -> Value {
    json!([
        {"id": "a", "op": "source"},
        {"id": "l", "op": "loudness", "params": {"target": target, "peak": peak}},
        {"id": "sink", "op": "sink"}
    ])
}

#[test]
fn sound_comes_to_the_loudness_asked_for_in_every_codec() {
    let folder = tempfile::tempdir().unwrap();
    for (sound, arguments, name, output, target, peak) in [
        (
            "media/speech/jfk_11s.flac",
            "-c:a aac -b:a 128k",
            "a.mp4",
            "o.mp4",
            -23.0,
            -1.0,
        ),
        (
            "media/speech/jfk_11s.flac",
            "-c:a libopus -b:a 96k",
            "a.mkv",
            "o.mkv",
            -14.0,
            -1.0,
        ),
        (
            "media/audio/sample.flac",
            "-c:a libopus -b:a 128k",
            "d.mkv",
            "o.webm",
            -18.0,
            -1.0,
        ),
        (
            "media/audio/sample.flac",
            "-c:a aac -b:a 192k",
            "b.mp4",
            "o.mp4",
            -14.0,
            -1.0,
        ),
        (
            "media/audio/sample.flac",
            "-c:a flac",
            "b.mkv",
            "o.mkv",
            -10.0,
            -2.0,
        ),
        (
            "media/audio/sample.flac",
            "-c:a pcm_s24le",
            "b.mov",
            "o.mov",
            -30.0,
            -9.0,
        ),
        (
            "media/audio/two_aac_5.1_tracks.mp4",
            "-c:a ac3 -b:a 448k",
            "c.mkv",
            "o.mkv",
            -20.0,
            -1.0,
        ),
    ] {
        let Some(sound) = data(sound) else { return };
        let Some(input) = clip(folder.path(), &sound, arguments, name) else {
            return;
        };
        let work = Work::new(&input, output, loudness(target, peak), LOUDNESS);
        let finished = work.finished();
        let [check] = &finished.checks.sound[..] else {
            panic!("{:?}", finished.checks)
        };
        let (found, found_peak) = ebur128(&finished.output, 0);
        let (before, _) = ebur128(&input, 0);
        println!("{name}: {before} -> {found} ({found_peak} dBTP) {check:?}");
        assert!(
            (found - target).abs() <= 0.5,
            "{name}: {found} instead of {target}"
        );
        assert!(
            found_peak <= peak + 0.1,
            "{name}: {found_peak} above {peak}"
        );
        let own = check.loudness.unwrap();
        assert!(
            (own.found.unwrap() - found).abs() < 0.2,
            "{name}: the meters agree"
        );
        assert_eq!(check.offset_micros, Some(0), "{name}");
        // Codec, rate, channels and length stay.
        let (a, b) = (take(&input), take(&finished.output));
        let (a, b) = (&a.streams[1], &b.streams[1]);
        assert_eq!(a.info.codec, b.info.codec);
        assert_eq!(a.info.audio, b.info.audio);
        let end = |s: &frameloom_media::StreamEntry| s.end().unwrap().micros();
        assert!(
            (end(a) - end(b)).abs() < 60_000,
            "{name}: {} {}",
            end(a),
            end(b)
        );
    }
}

#[test]
fn a_stopped_job_goes_on_with_its_sound_and_gives_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let Some(sound) = data("media/audio/sample.flac") else {
        return;
    };
    let Some(input) = clip(folder.path(), &sound, "-c:a aac -b:a 128k", "a.mp4") else {
        return;
    };
    let nodes = json!([
        {"id": "a", "op": "source"},
        {"id": "b", "op": "source", "params": {"name": "b"}},
        {"id": "m", "op": "mux"},
        {"id": "l", "op": "loudness", "params": {"target": -16.0}},
        {"id": "sink", "op": "sink"}
    ]);
    let edges = ["a sink", "a.audio m", "b.audio m", "m l", "l sink.audio"];
    // Once with pictures that are encoded, once with those that are copied.
    for codec in [Some(VideoCodec::Ffv1), None] {
        let work = || {
            let mut work = Work::new(&input, "o.mkv", nodes.clone(), &edges).with("b", &sound);
            work.spec.encode.codec = codec;
            work.spec.encode.quality = Quality::Lossless;
            work
        };
        let reference = work();
        let whole = reference.finished();
        assert_eq!(whole.checks.copied.is_some(), codec.is_none());
        let bytes = std::fs::read(&whole.output).unwrap();
        // Of several moments some lie in the first track, some in the second.
        for patience in [40, 900, 2_500, 3_500] {
            let work = work();
            let plan = work.plan().unwrap();
            let notes = Notes(Mutex::default());
            let (stopped, _) = work.run(&plan, &notes, patience);
            let Err(error) = stopped else {
                println!("{patience} is after the end");
                continue;
            };
            assert!(matches!(error, EngineError::Stopped), "{error}");
            assert!(!work.spec.output.exists());
            let first = work.folder.path().join("work/sound-00.sound");
            let made = first
                .exists()
                .then(|| first.metadata().unwrap().modified().unwrap());
            println!("{patience}: first track {}", made.is_some());
            let again = work.run(&plan, &notes, 0).0.unwrap();
            assert!(std::fs::read(&again.output).unwrap() == bytes, "{patience}");
            assert_eq!(again.checks, whole.checks);
            if let Some(made) = made {
                let now = first.metadata().unwrap().modified().unwrap();
                assert_eq!(made, now, "a finished track is not made again");
            }
        }
    }
}

#[test]
fn tracks_of_several_files_come_together_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (Some(aac), Some(flac)) = (
        data("media/audio/two_aac_5.1_tracks.mp4"),
        data("media/audio/sample.flac"),
    ) else {
        return;
    };
    let Some(input) = clip(folder.path(), &flac, "-c:a libopus", "a.mkv") else {
        return;
    };
    let srt = folder.path().join("s.srt");
    std::fs::write(&srt, "1\n00:00:01,000 --> 00:00:02,000\nXin chào\n").unwrap();
    let nodes = json!([
        {"id": "a", "op": "source"},
        {"id": "b", "op": "source", "params": {"name": "b"}},
        {"id": "c", "op": "source", "params": {"name": "c"}},
        {"id": "s", "op": "source", "params": {"name": "s"}},
        {"id": "m", "op": "mux"},
        {"id": "sink", "op": "sink"}
    ]);
    let edges = [
        "a sink",
        "c.audio m",
        "b.audio m",
        "a.audio m",
        "s.subtitles m.subtitles",
        "m.audio sink.audio",
        "m.subtitles sink.subtitles",
    ];
    let work = |output: &str| {
        Work::new(&input, output, nodes.clone(), &edges)
            .with("b", &aac)
            .with("c", &flac)
            .with("s", &srt)
    };
    let job = work("o.mkv");
    let finished = job.finished();
    assert_eq!(finished.checks.sound, [], "nothing was worked on");
    let found = take(&finished.output);
    let codecs: Vec<&str> = found
        .streams
        .iter()
        .map(|s| s.info.codec.as_str())
        .collect();
    assert_eq!(codecs, ["h264", "flac", "aac", "aac", "opus", "subrip"]);
    let default = |s: &&frameloom_media::StreamEntry| {
        s.info.audio.is_some() && s.info.dispositions.contains(&"default".to_owned())
    };
    assert!(found.streams.iter().filter(default).count() <= 1);
    let sources = [(&flac, 0, 1), (&aac, 0, 2), (&aac, 1, 3), (&input, 1, 4)];
    for (path, from, to) in sources {
        let (a, b) = (take(path), take(&finished.output));
        let hashes = |s: &frameloom_media::StreamEntry| -> Vec<u64> {
            s.packets.iter().map(|p| p.hash).collect()
        };
        let (a, b) = (hashes(&a.streams[from]), hashes(&b.streams[to]));
        assert_eq!(a[..b.len()], b[..], "copied bit for bit");
        assert!(!b.is_empty());
    }
    // Music of 19 seconds ends with the pictures, after ten.
    let end = found.streams[1].end().unwrap().micros();
    assert!((9_900_000..10_150_000).contains(&end), "{end}");
    // What does not fit is refused before anything is done.
    let error = work("o.webm").plan().unwrap_err();
    assert_eq!(
        error.code(),
        frameloom_core::error::ErrorCode::TracksDoNotFit
    );
    println!("{error}");
}

#[test]
fn an_input_without_the_sound_asked_for_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let Some(flac) = data("media/audio/sample.flac") else {
        return;
    };
    let Some(input) = clip(folder.path(), &flac, "-c:a aac", "a.mp4") else {
        return;
    };
    if ffmpeg(folder.path(), "-i a.mp4 -an -c copy silent.mp4").is_none() {
        return;
    }
    let nodes = json!([
        {"id": "a", "op": "source"},
        {"id": "music", "op": "source", "params": {"name": "music"}},
        {"id": "level", "op": "loudness"},
        {"id": "sink", "op": "sink"}
    ]);
    let edges = ["a sink", "music.audio level", "level sink.audio"];
    let work =
        Work::new(&input, "o.mp4", nodes, &edges).with("music", &folder.path().join("silent.mp4"));
    let error = work.plan().unwrap_err().to_string();
    assert!(
        error.contains("`level`") && error.contains("`music`"),
        "{error}"
    );
}

#[test]
fn each_channel_becomes_a_track_that_bears_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let (Some(stereo), Some(surround)) = (
        data("media/audio/sample.flac"),
        data("media/audio/two_aac_5.1_tracks.mp4"),
    ) else {
        return;
    };
    for (sound, arguments, channels, names, bits) in [
        (&stereo, "-c:a pcm_s24le", None, vec!["FL", "FR"], true),
        (
            &surround,
            "-c:a flac",
            None,
            vec!["FL", "FR", "FC", "LFE", "BL", "BR"],
            true,
        ),
        (
            &surround,
            "-c:a aac -b:a 384k",
            Some("BR, FC"),
            vec!["BR", "FC"],
            false,
        ),
    ] {
        let Some(input) = clip(folder.path(), sound, arguments, "a.mkv") else {
            return;
        };
        let mut params = json!({});
        if let Some(channels) = channels {
            params["channels"] = channels.into();
        }
        let nodes = json!([
            {"id": "a", "op": "source"},
            {"id": "split", "op": "split_channels", "params": params},
            {"id": "sink", "op": "sink"}
        ]);
        let edges = ["a sink", "a.audio split", "split sink.audio"];
        let work = Work::new(&input, "o.mkv", nodes, &edges);
        let finished = work.finished();
        let info = frameloom_media::probe(&finished.output).unwrap();
        let found: Vec<&str> = info.streams[1..]
            .iter()
            .map(|s| s.tags.get("title").map_or("", String::as_str))
            .collect();
        assert_eq!(found, names);
        let read = |path: &Path, stream: u32| -> Vec<Vec<f64>> {
            let mut reader = SoundReader::open(path, stream, &Default::default()).unwrap();
            let mut all = vec![Vec::new(); reader.format().channels().unwrap()];
            while let Some(block) = reader.next_block().unwrap() {
                for (all, more) in all.iter_mut().zip(block.channels) {
                    all.extend(more);
                }
            }
            all
        };
        let source = read(&input, 1);
        let order = ["FL", "FR", "FC", "LFE", "BL", "BR"];
        for (track, name) in names.iter().enumerate() {
            let result = read(&finished.output, track as u32 + 1);
            assert_eq!(result.len(), 1);
            let channel = order.iter().position(|n| n == name).unwrap();
            if bits {
                assert!(result[0] == source[channel], "{name}: bit for bit");
            } else {
                assert!(result[0].len().abs_diff(source[channel].len()) <= 2_048);
            }
        }
        if bits {
            assert_eq!(
                info.streams[1].codec,
                if names.len() == 2 {
                    "pcm_s24le"
                } else {
                    "flac"
                }
            );
        }
    }
}

#[test]
fn noise_is_taken_out_and_the_plan_says_that_sound_is_encoded_anew() {
    let folder = tempfile::tempdir().unwrap();
    let Some(noisy) = data("media/speech/dns3_0015_noisy.wav") else {
        return;
    };
    let Some(input) = clip(folder.path(), &noisy, "-c:a pcm_s16le", "a.mov") else {
        return;
    };
    let nodes = json!([
        {"id": "a", "op": "source"},
        {"id": "clean", "op": "audio_denoise", "params": {"reduction": 12.0}},
        {"id": "sink", "op": "sink"}
    ]);
    let edges = ["a sink", "a.audio clean", "clean sink.audio"];
    let work = Work::new(&input, "o.mov", nodes, &edges);
    let plan = work.plan().unwrap();
    assert!(plan.warnings.contains(&Warning::SoundEncoded {
        track: 1,
        codec: "pcm_s16le".to_owned(),
        bit_rate: None
    }));
    let MediumPlan::Video(video) = &plan.medium else {
        panic!()
    };
    let tracks = video.sound.as_ref().unwrap().sound.as_ref().unwrap();
    assert!(matches!(tracks[0].making, Making::WorkedOut { .. }));
    let finished = work.finished();
    let check = &finished.checks.sound[0];
    assert_eq!((check.samples, check.offset_micros), (80_000, Some(0)));
}
