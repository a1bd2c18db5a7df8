//! Stopped after every segment and gone on with, a clip comes out as in one go.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use frameloom_core::graph::{
    DeinterlaceParams, DeinterlaceRate, Graph, Op, RotateParams, TrimParams,
};
use frameloom_core::job::{
    Device, EncodeSpec, JOB_SPEC_VERSION, JobSpec, PictureSizes, ProviderChoice, Quality, Step,
    VideoCodec,
};
use frameloom_core::media::{Caution, Warning};
use frameloom_core::model::ModelManifest;
use frameloom_core::time::{FrameRate, Rational};
use frameloom_engine::execute::Threads;
use frameloom_engine::{
    Cancel, Context, EngineError, Finished, Journal, Models, Plan, Progress, SegmentRecord, Stop,
    execute, plan,
};
use frameloom_infer::{InferError, Model, Runtime};
use frameloom_media::{Reader, ReaderOptions};
use std::path::{Path, PathBuf};
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

struct Silent;

impl Progress for Silent {
    fn step(&self, _: Step, _: Option<u64>) {}
    fn done(&self, _: u64) {}
    fn warning(&self, _: Warning) {}
    fn provider(&self, _: &ProviderChoice) {}
    fn sizes(&self, _: PictureSizes) {}
}

/// Remembers segments, and asks for a stop with each.
struct Notes<'a> {
    segments: &'a Mutex<Vec<SegmentRecord>>,
    stop: Option<&'a Cancel>,
}

impl Journal for Notes<'_> {
    fn completed(&self) -> Result<Vec<SegmentRecord>, EngineError> {
        Ok(self.segments.lock().unwrap().clone())
    }
    fn record(&self, segment: &SegmentRecord) -> Result<(), EngineError> {
        self.segments.lock().unwrap().push(segment.clone());
        if let Some(cancel) = self.stop {
            cancel.request(Stop::AfterSegment);
        }
        Ok(())
    }
    fn forget_from(&self, position: u64) -> Result<(), EngineError> {
        self.segments.lock().unwrap().truncate(position as usize);
        Ok(())
    }
}

fn clip(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("FRAMELOOM_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"),
        PathBuf::from,
    );
    let path = folder.join("media/video").join(name);
    if !path.exists() {
        println!("skipped: no test data ({name})");
        return None;
    }
    Some(path)
}

fn spec(input: &Path, output: &Path, ops: Vec<Op>) -> JobSpec {
    JobSpec {
        version: JOB_SPEC_VERSION,
        input: input.to_owned(),
        pictures: None,
        output: output.to_owned(),
        overwrite: false,
        graph: Graph::chain(ops),
        encode: EncodeSpec {
            codec: Some(VideoCodec::Ffv1),
            quality: Quality::Lossless,
            drop: Vec::new(),
        },
        device: Device::Cpu,
        inputs: Default::default(),
        input_pictures: Default::default(),
        compute: Default::default(),
        upright: true,
    }
}

fn run(
    spec: &JobSpec,
    plan: &Plan,
    work: &Path,
    segments: &Mutex<Vec<SegmentRecord>>,
    stop_after_each: bool,
) -> Result<Finished, EngineError> {
    let cancel = Cancel::new();
    let runtime = || -> Result<Arc<Runtime>, EngineError> { panic!("no model takes part") };
    execute(
        spec,
        plan,
        &Context {
            runtime: &runtime,
            models: &NoModels,
            work_dir: work,
            threads: Threads::for_cores(2),
            journal: &Notes {
                segments,
                stop: stop_after_each.then_some(&cancel),
            },
            progress: &Silent,
            cancel: &cancel,
            caution: Caution::default(),
            pool: None,
            compute: Default::default(),
            chosen: Default::default(),
        },
    )
}

/// Runs a graph in one go, in segments of this length.
fn in_one_go(input: &Path, ops: Vec<Op>, segment_frames: u64, folder: &Path) -> PathBuf {
    let info = frameloom_media::probe(input).unwrap();
    let output = folder.join(format!("{segment_frames}.mkv"));
    let work = folder.join(format!("work-{segment_frames}"));
    std::fs::create_dir(&work).unwrap();
    let spec = spec(input, &output, ops);
    let plan = with_segments(plan(&spec, &info, &NoModels).unwrap(), segment_frames);
    run(&spec, &plan, &work, &Mutex::new(Vec::new()), false).unwrap();
    output
}

fn with_segments(plan: Plan, segment_frames: u64) -> Plan {
    let mut json = serde_json::to_value(&plan).unwrap();
    json["medium"]["video"]["segment_length"] = segment_frames.into();
    serde_json::from_value(json).unwrap()
}

/// Runs a graph in one go and, stopped behind a segment again and again, in many; both must make
/// the very same file.
fn both_ways(input: &Path, ops: Vec<Op>, segment_frames: u64) -> (PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let info = frameloom_media::probe(input).unwrap();
    let mut outputs = Vec::new();
    for (name, stops) in [("whole", false), ("pieces", true)] {
        let output = folder.path().join(format!("{name}.mkv"));
        let work = folder.path().join(name);
        std::fs::create_dir(&work).unwrap();
        let spec = spec(input, &output, ops.clone());
        let plan = plan(&spec, &info, &NoModels).unwrap();
        // Short segments: many seams.
        let plan = with_segments(plan, segment_frames);
        let segments = Mutex::new(Vec::new());
        let mut runs = 0;
        loop {
            runs += 1;
            match run(&spec, &plan, &work, &segments, stops) {
                Ok(finished) => {
                    assert_eq!(finished.output, output);
                    break;
                }
                Err(EngineError::Stopped) if stops && runs < 200 => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert!(!stops || runs > 1, "it was never stopped");
        outputs.push(output);
    }
    // Says more than two files that differ.
    assert_eq!(
        pictures(&outputs[0]),
        pictures(&outputs[1]),
        "{}",
        input.display()
    );
    let bytes = |path: &PathBuf| std::fs::read(path).unwrap();
    assert!(
        bytes(&outputs[0]) == bytes(&outputs[1]),
        "pieces must make the very same file"
    );
    (outputs.remove(0), folder)
}

/// Time and content of every frame.
fn pictures(path: &Path) -> Vec<(i64, u64)> {
    let mut reader = Reader::open(path, &ReaderOptions::default()).unwrap();
    let mut pictures = Vec::new();
    while let Some(frame) = reader.next_frame().unwrap() {
        pictures.push((frame.pts(), frame.content_hash()));
    }
    pictures
}

fn times(path: &Path) -> Vec<i64> {
    pictures(path).into_iter().map(|(pts, _)| pts).collect()
}

fn deinterlace(rate: DeinterlaceRate) -> Op {
    Op::Deinterlace(DeinterlaceParams {
        rate,
        ..DeinterlaceParams::default()
    })
}

fn fps(num: i64, den: i64) -> Op {
    Op::Fps {
        rate: FrameRate::new(num, den).unwrap(),
    }
}

#[test]
fn deinterlaced_clips_have_no_seams() {
    for (name, frames, segment) in [
        ("interlaced_tff_640x360.mp4", 126, 42),
        ("interlaced_bff.mkv", 11, 2),
    ] {
        let Some(path) = clip(name) else { continue };
        let rate = |rate| vec![deinterlace(rate)];
        for kind in [DeinterlaceRate::Frame, DeinterlaceRate::Field] {
            let folder = tempfile::tempdir().unwrap();
            let cut = in_one_go(&path, rate(kind), segment, folder.path());
            let uncut = in_one_go(&path, rate(kind), 100_000, folder.path());
            assert!(pictures(&cut) == pictures(&uncut), "{name} shows its seams");
        }
        let (whole, _folder) = both_ways(&path, rate(DeinterlaceRate::Frame), segment);
        assert_eq!(times(&whole).len(), frames, "{name}");
        let (doubled, _folder) = both_ways(&path, rate(DeinterlaceRate::Field), segment);
        assert_eq!(times(&doubled).len(), frames * 2, "{name}");
    }
}

#[test]
fn a_changed_frame_rate_is_even_and_has_no_seams() {
    let Some(path) = clip("h264_aac_face_1s.mp4") else {
        return;
    };
    let (slow, _folder) = both_ways(&path, vec![fps(5, 1)], 4);
    let folder = tempfile::tempdir().unwrap();
    let uncut = in_one_go(&path, vec![fps(5, 1)], 100_000, folder.path());
    assert!(pictures(&slow) == pictures(&uncut));
    let slow = times(&slow);
    assert!(slow.windows(2).all(|t| t[1] - t[0] == 200), "{slow:?}");
    let (fast, _folder) = both_ways(
        &path,
        vec![fps(60, 1), deinterlace(DeinterlaceRate::Field)],
        7,
    );
    let fast = times(&fast);
    assert!(
        fast.windows(2).all(|t| (8..=9).contains(&(t[1] - t[0]))),
        "{fast:?}"
    );
}

#[test]
fn variable_rates_keep_their_times_around_temporal_nodes() {
    let Some(path) = clip("slowmo_samsung_sef.mp4") else {
        return;
    };
    let source = times(&path);
    let folder = tempfile::tempdir().unwrap();
    let ops = vec![deinterlace(DeinterlaceRate::Frame)];
    let whole = in_one_go(&path, ops, 24, folder.path());
    assert_eq!(times(&whole).len(), source.len());
}

#[test]
fn a_trimmed_clip_holds_the_frames_of_its_stretch_and_no_seams() {
    let Some(path) = clip("h264_aac_17s_640x360.mp4") else {
        return;
    };
    let trim = Op::Trim(TrimParams {
        start: Rational::new(5, 2),
        end: Rational::new(9, 2),
    });
    let rotate = Op::Rotate(RotateParams { degrees: 180 });
    let (whole, _folder) = both_ways(&path, vec![trim, rotate], 9);
    let info = frameloom_media::probe(&path).unwrap();
    let base = info.main_video().unwrap().0.time_base.ratio().to_f64();
    let expected: Vec<f64> = times(&path)
        .into_iter()
        .map(|t| t as f64 * base)
        .filter(|t| (2.5..4.5).contains(t))
        .collect();
    let found = times(&whole);
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert!((*found as f64 / 1000.0 - (expected - 2.5)).abs() < 0.002);
    }
}
