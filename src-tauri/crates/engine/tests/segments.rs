//! Stopped after every segment and gone on with, a clip comes out as in one go.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use frameloom_core::graph::{
    DeinterlaceParams, DeinterlaceRate, Graph, InterpolateParams, Op, ResizeParams, RotateParams,
    StabiliseParams, TrimParams,
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
    Cancel, Context, EngineError, Finished, Journal, MemoryJournal, Models, Plan, Progress,
    SegmentRecord, Stop, Unwatched, execute, plan,
};
use frameloom_infer::{InferError, Model, Runtime};
use frameloom_media::{Reader, ReaderOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

struct NoModels;

impl Models for NoModels {
    fn manifest(&self, id: &str) -> Result<ModelManifest, EngineError> {
        Err(InferError::ModelNotFound { id: id.to_owned() }.into())
    }
    fn load(&self, id: &str) -> Result<Model, EngineError> {
        Err(InferError::ModelNotFound { id: id.to_owned() }.into())
    }
}

/// Remembers segments, and asks for a stop with each.
struct Notes<'a> {
    segments: &'a MemoryJournal,
    stop: Option<(&'a Cancel, Stop)>,
}

impl Journal for Notes<'_> {
    fn completed(&self) -> Result<Vec<SegmentRecord>, EngineError> {
        self.segments.completed()
    }
    fn record(&self, segment: &SegmentRecord) -> Result<(), EngineError> {
        if let Some((cancel, stop)) = self.stop {
            cancel.request(stop);
        }
        self.segments.record(segment)
    }
    fn forget_from(&self, position: u64) -> Result<(), EngineError> {
        self.segments.forget_from(position)
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
            srgb: false,
        },
        device: Device::Cpu,
        inputs: Default::default(),
        input_pictures: Default::default(),
        compute: Default::default(),
        upright: true,
        sample: false,
    }
}

fn run(
    spec: &JobSpec,
    plan: &Plan,
    work: &Path,
    segments: &MemoryJournal,
    stop: Option<Stop>,
) -> Result<Finished, EngineError> {
    let cancel = Cancel::new();
    let notes = Notes {
        segments,
        stop: stop.map(|stop| (&cancel, stop)),
    };
    run_with(spec, plan, work, &notes, &Unwatched, &cancel)
}

fn run_with(
    spec: &JobSpec,
    plan: &Plan,
    work: &Path,
    journal: &dyn Journal,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Finished, EngineError> {
    let runtime = || -> Result<Arc<Runtime>, EngineError> { panic!("no model takes part") };
    execute(
        spec,
        plan,
        &Context {
            runtime: &runtime,
            models: &NoModels,
            work_dir: work,
            threads: Threads::for_cores(2),
            journal,
            progress,
            cancel,
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
    run(&spec, &plan, &work, &MemoryJournal::default(), None).unwrap();
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
    both_ways_of(segment_frames, &|output| spec(input, output, ops.clone()))
}

/// As [`both_ways`], for any job.
fn both_ways_of(
    segment_frames: u64,
    spec: &dyn Fn(&Path) -> JobSpec,
) -> (PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut outputs = Vec::new();
    for (name, stops) in [("whole", false), ("pieces", true)] {
        let output = folder.path().join(format!("{name}.mkv"));
        let work = folder.path().join(name);
        std::fs::create_dir(&work).unwrap();
        let spec = spec(&output);
        let info = frameloom_media::probe(&spec.input).unwrap();
        let plan = plan(&spec, &info, &NoModels).unwrap();
        // Short segments: many seams.
        let plan = with_segments(plan, segment_frames);
        let segments = MemoryJournal::default();
        let mut runs = 0;
        loop {
            // The first run stops at once: a short clip is past its last cut before a stop behind a
            // segment is heard.
            let stop = if runs % 2 == 0 {
                Stop::Now
            } else {
                Stop::AfterSegment
            };
            runs += 1;
            match run(&spec, &plan, &work, &segments, stops.then_some(stop)) {
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
    assert_eq!(pictures(&outputs[0]), pictures(&outputs[1]));
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
fn a_calmed_camera_and_frames_in_between_have_no_seams() {
    // In a hand, with cuts.
    let Some(path) = clip("h264_aac_16s_320x240_60fps.mp4") else {
        return;
    };
    let stretch = Op::Trim(TrimParams {
        start: Rational::new(2, 1),
        end: Rational::new(3, 1),
    });
    let steady = Op::Stabilise(StabiliseParams {
        smooth: 0.2,
        ..StabiliseParams::default()
    });
    let more = Op::Interpolate(InterpolateParams {
        rate: FrameRate::new(100, 1),
        ..InterpolateParams::default()
    });
    let slow = Op::Interpolate(InterpolateParams {
        slow: Rational::new(3, 2),
        ..InterpolateParams::default()
    });
    for ops in [
        vec![stretch.clone(), steady.clone()],
        vec![stretch.clone(), more.clone()],
        vec![stretch.clone(), slow.clone()],
        vec![stretch.clone(), slow, steady.clone()],
        vec![stretch, steady, more],
    ] {
        let (whole, _folder) = both_ways(&path, ops.clone(), 20);
        let folder = tempfile::tempdir().unwrap();
        let uncut = in_one_go(&path, ops.clone(), 100_000, folder.path());
        assert!(
            pictures(&whole) == pictures(&uncut),
            "{ops:?} shows its seams"
        );
        let is_slow = matches!(&ops[1], Op::Interpolate(params) if params.slow.is_some());
        let wanted = match ops.len() {
            _ if is_slow => 90,
            2 if ops[1].name() == "stabilise" => 60,
            _ => 100,
        };
        assert_eq!(pictures(&whole).len(), wanted, "{ops:?}");
    }
}

#[test]
fn frames_in_between_of_an_uneven_clip_come_at_even_times_and_pauses_stay() {
    let folder = tempfile::tempdir().unwrap();
    // Pictures at 0, 0.1, 0.2, 0.5 and 1 s.
    let chosen = "eq(n\\,0)+eq(n\\,1)+eq(n\\,2)+eq(n\\,5)+eq(n\\,10)";
    let source = format!(
        "-f lavfi -i testsrc2=s=192x108:r=10:d=1.1 -vf select={chosen} -vsync vfr -c:v ffv1"
    );
    let Some(path) = made(folder.path(), "uneven.mkv", &source) else {
        return;
    };
    let more = Op::Interpolate(InterpolateParams {
        rate: FrameRate::new(20, 1),
        ..InterpolateParams::default()
    });
    let (whole, _folder) = both_ways(&path, vec![more], 2);
    let (shown, own) = (pictures(&whole), pictures(&path));
    let found: Vec<i64> = shown.iter().map(|(pts, _)| *pts).collect();
    let even: Vec<i64> = (0..shown.len() as i64).map(|n| n * 50).collect();
    assert_eq!(found, even);
    // Each picture of the source is there when it was there; what was made is none of them.
    let at = |millis: i64| shown[millis as usize / 50].1;
    for (pts, hash) in &own {
        assert_eq!(at(*pts), *hash, "at {pts} ms");
    }
    assert!(
        own.iter()
            .all(|(_, hash)| *hash != at(50) && *hash != at(150))
    );
    // Longer than a quarter of a second and three pictures: nothing is made up.
    assert!((200..500).step_by(50).all(|millis| at(millis) == own[2].1));
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
fn a_cut_between_two_pictures_far_apart_begins_with_the_one_on_screen() {
    // Pictures at 0, 1.115 and 1.157 s, and more.
    let Some(path) = clip("cursed_vfr_3026x1386.mp4") else {
        return;
    };
    let info = frameloom_media::probe(&path).unwrap();
    let base = info.main_video().unwrap().0.time_base.ratio().to_f64();
    let all: Vec<f64> = times(&path).into_iter().map(|t| t as f64 * base).collect();
    assert!(all[1] > 1.0, "{all:?}");
    let trim = Op::Trim(TrimParams {
        start: Rational::new(1, 3),
        end: Rational::new(5, 2),
    });
    let small = Op::Resize(ResizeParams {
        width: 320,
        height: 146,
    });
    let (whole, _folder) = both_ways(&path, vec![trim, small], 9);
    let start = 1.0 / 3.0;
    let expected: Vec<f64> = [0.0]
        .into_iter()
        .chain(
            all.iter()
                .filter(|t| (start..2.5).contains(*t))
                .map(|t| t - start),
        )
        .collect();
    let found: Vec<f64> = times(&whole)
        .into_iter()
        .map(|t| t as f64 / 1000.0)
        .collect();
    assert_eq!(found.len(), expected.len(), "{found:?} {expected:?}");
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 0.002, "{found} {expected}");
    }
}

#[test]
fn a_stretch_behind_the_last_picture_shows_it_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    // Pictures at 0, 0.1, 0.2, 0.5 and 1 s, the last of them for 0.1 s.
    let chosen = "eq(n\\,0)+eq(n\\,1)+eq(n\\,2)+eq(n\\,5)+eq(n\\,10)";
    let source =
        format!("-f lavfi -i testsrc2=s=64x48:r=10:d=1.1 -vf select={chosen} -vsync vfr -c:v ffv1");
    let Some(path) = made(folder.path(), "uneven.mkv", &source) else {
        return;
    };
    assert_eq!(times(&path), [0, 100, 200, 500, 1000]);
    let trim = Op::Trim(TrimParams {
        start: Rational::new(21, 20),
        end: None,
    });
    let (whole, _folder) = both_ways(&path, vec![trim], 3);
    let (shown, all) = (pictures(&whole), pictures(&path));
    assert_eq!(shown, [(0, all[4].1)], "the last picture, at the start");
}

#[test]
fn a_cut_behind_the_end_is_refused_with_the_length_of_the_clip() {
    let Some(path) = clip("h264_aac_face_1s.mp4") else {
        return;
    };
    let trim = Op::Trim(TrimParams {
        start: Rational::new(30, 1),
        end: None,
    });
    let spec = spec(&path, Path::new("never.mkv"), vec![trim]);
    let info = frameloom_media::probe(&path).unwrap();
    let refused = plan(&spec, &info, &NoModels).unwrap_err();
    assert!(matches!(refused, EngineError::Node { .. }), "{refused:?}");
    let said = refused.to_string();
    assert!(
        said.contains("30.00 s") && said.contains("ends at 1."),
        "{said}"
    );
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

/// Makes a clip in `folder`; `None`, with a line that says so, where there is no ffmpeg.
fn made(folder: &Path, name: &str, arguments: &str) -> Option<PathBuf> {
    let path = folder.join(name);
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-nostdin"])
        .args(arguments.split_whitespace())
        .arg(&path)
        .status();
    match status {
        Ok(status) if status.success() => Some(path),
        other => {
            println!("skipped: no ffmpeg ({other:?})");
            None
        }
    }
}

#[test]
fn a_picture_that_begins_where_a_stretch_ends_is_not_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let source = "-f lavfi -i testsrc2=s=64x48:r=10:d=2 -c:v ffv1";
    let Some(path) = made(folder.path(), "tenths.mkv", source) else {
        return;
    };
    let trim = Op::Trim(TrimParams {
        start: Rational::new(1, 2),
        end: Rational::new(1, 1),
    });
    let (whole, _folder) = both_ways(&path, vec![trim], 3);
    assert_eq!(times(&whole), [0, 100, 200, 300, 400]);
}

#[test]
fn a_clip_in_the_corner_goes_on_with_its_very_pictures_even_if_its_index_lies() {
    let folder = tempfile::tempdir().unwrap();
    let Some(below) = made(
        folder.path(),
        "below.mp4",
        "-f lavfi -i testsrc2=s=64x48:r=25:d=8 -c:v libx264 -preset ultrafast",
    ) else {
        return;
    };
    // Pictures that are told from those before them, one key frame in all of the clip.
    let moving = "-f lavfi -i testsrc2=s=64x48:r=30:d=8 -c:v mpeg4 -q:v 2 -g 10000 -bf 0";
    let (Some(honest), Some(lying)) = (
        made(folder.path(), "honest.mp4", moving),
        made(folder.path(), "lying.mp4", moving),
    ) else {
        return;
    };
    // Without its table of key frames, an MP4 says that every frame is one.
    let mut bytes = std::fs::read(&lying).unwrap();
    let table = bytes.windows(4).position(|w| w == b"stss").unwrap();
    bytes[table..table + 4].copy_from_slice(b"free");
    std::fs::write(&lying, bytes).unwrap();
    let corner = |input: &Path, output: &Path, from: i64| {
        let document = serde_json::json!({"version": 2, "nodes": [
            {"id": "below", "op": "source"},
            {"id": "corner", "op": "source", "params": {"name": "corner"}},
            {"id": "late", "op": "trim", "params": {"start": {"num": from, "den": 2}}},
            {"id": "over", "op": "overlay", "params": {"width": 0.5}},
            {"id": "out", "op": "sink"}],
            "edges": [{"from": "below", "to": "over"}, {"from": "corner", "to": "late"},
                {"from": "late", "to": "over", "to_port": "over"}, {"from": "over", "to": "out"}]});
        let mut spec = spec(&below, output, Vec::new());
        spec.graph = serde_json::from_value(document).unwrap();
        spec.inputs.insert("corner".to_owned(), input.to_owned());
        spec
    };
    for from in [0, 1] {
        let results = [&honest, &lying].map(|input| {
            let (whole, _folder) = both_ways_of(30, &|output| corner(input, output, from));
            pictures(&whole)
        });
        assert!(results[0] == results[1], "an index changes no picture");
    }
}

/// Remembers segments, and how many were made.
#[derive(Default)]
struct Counted {
    segments: MemoryJournal,
    made: AtomicU32,
}

impl Journal for Counted {
    fn completed(&self) -> Result<Vec<SegmentRecord>, EngineError> {
        self.segments.completed()
    }
    fn record(&self, segment: &SegmentRecord) -> Result<(), EngineError> {
        self.made.fetch_add(1, Ordering::SeqCst);
        self.segments.record(segment)
    }
    fn forget_from(&self, position: u64) -> Result<(), EngineError> {
        self.segments.forget_from(position)
    }
}

/// Damages what is being made, as the last step begins to check it.
struct Vandal<'a> {
    /// Folder of the result.
    results: &'a Path,
    /// Part that is damaged the first time.
    part: Option<PathBuf>,
    /// How many joined files are damaged.
    damaged: u32,
    joined: AtomicU32,
}

impl Progress for Vandal<'_> {
    fn step(&self, step: Step, _: Option<u64>) {
        if step != Step::Verifying {
            return;
        }
        let joined = self.joined.fetch_add(1, Ordering::SeqCst);
        if joined >= self.damaged {
            return;
        }
        for entry in std::fs::read_dir(self.results).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with(".frameloom-") {
                let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
                let length = file.metadata().unwrap().len();
                file.set_len(length * 2 / 3).unwrap();
            }
        }
        if let Some(part) = self.part.as_ref().filter(|_| joined == 0) {
            let mut bytes = std::fs::read(part).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(part, bytes).unwrap();
        }
    }
    fn done(&self, _: u64) {}
    fn warning(&self, _: Warning) {}
    fn provider(&self, _: &ProviderChoice) {}
    fn sizes(&self, _: PictureSizes) {}
}

#[test]
fn a_result_that_fails_at_the_join_is_joined_once_more_and_only_bad_parts_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let Some(input) = made(
        folder.path(),
        "in.mp4",
        "-f lavfi -i testsrc2=s=64x48:r=25:d=4 -c:v libx264 -preset ultrafast",
    ) else {
        return;
    };
    let turned = vec![Op::Rotate(RotateParams { degrees: 180 })];
    let whole = in_one_go(&input, turned.clone(), 25, folder.path());
    let expected = std::fs::read(whole).unwrap();
    // How many joined files go bad, whether the third part does, how often it is joined, and how
    // many segments are made.
    for (damaged, part, joined, made) in [
        (0, false, 1, 4),
        (1, false, 2, 4),
        (1, true, 2, 4 + 2),
        (9, false, 2, 4),
    ] {
        let results = tempfile::tempdir().unwrap();
        let work = tempfile::tempdir().unwrap();
        let output = results.path().join("out.mkv");
        let spec = spec(&input, &output, turned.clone());
        let info = frameloom_media::probe(&input).unwrap();
        let plan = with_segments(plan(&spec, &info, &NoModels).unwrap(), 25);
        let vandal = Vandal {
            results: results.path(),
            part: part.then(|| work.path().join("000002.part")),
            damaged,
            joined: AtomicU32::new(0),
        };
        let notes = Counted::default();
        let finished = run_with(&spec, &plan, work.path(), &notes, &vandal, &Cancel::new());
        assert_eq!(vandal.joined.load(Ordering::SeqCst), joined);
        assert_eq!(notes.made.load(Ordering::SeqCst), made);
        match finished {
            Ok(finished) => {
                assert!(damaged < 2);
                assert!(std::fs::read(finished.output).unwrap() == expected);
            }
            Err(error) => {
                assert!(damaged > 2, "{error}");
                assert!(matches!(error, EngineError::JoinCheck { .. }), "{error}");
                assert!(!error.is_for_caution(), "no model has a part in it");
                assert_eq!(std::fs::read_dir(results.path()).unwrap().count(), 0);
            }
        }
    }
}

#[test]
fn pictures_that_come_out_otherwise_are_blamed_on_the_file_only_where_the_program_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = "-f lavfi -i testsrc2=size=64x48:rate=5:duration=96 -c:v ffv1";
    let Some(input) = made(folder.path(), "a.mkv", arguments) else {
        return;
    };
    let spec = spec(&input, &folder.path().join("out.mkv"), Vec::new());
    let info = frameloom_media::probe(&input).unwrap();
    let plan = with_segments(plan(&spec, &info, &NoModels).unwrap(), 24);
    let segments = MemoryJournal::default();
    let work = tempfile::tempdir().unwrap();
    let stopped = run(
        &spec,
        &plan,
        work.path(),
        &segments,
        Some(Stop::AfterSegment),
    );
    assert!(matches!(stopped, Err(EngineError::Stopped)), "{stopped:?}");
    // As if what is cut off, or a decoder, were another than in the run before.
    let mut done = segments.segments();
    done.last_mut().unwrap().last_source_hash ^= 1;
    let segments = MemoryJournal::default();
    for segment in &done {
        segments.record(segment).unwrap();
    }
    let again = |plan: &Plan| run(&spec, plan, work.path(), &segments, None).unwrap_err();
    let same = again(&plan);
    assert!(matches!(same, EngineError::InputChanged { .. }), "{same}");
    for program in [None, Some("frameloom 0.0.1".to_owned())] {
        let other = again(&Plan {
            program,
            ..plan.clone()
        });
        assert!(
            matches!(other, EngineError::ProgramChanged { .. }),
            "{other}"
        );
        assert!(other.to_string().contains("the program changed"), "{other}");
    }
    // The file is looked at first: where it changed, it is the file.
    std::fs::write(&input, "another").unwrap();
    let changed = again(&Plan {
        program: None,
        ..plan.clone()
    });
    assert!(
        matches!(changed, EngineError::InputChanged { .. }),
        "{changed}"
    );
}

#[test]
fn a_plan_for_pictures_of_another_size_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = "-f lavfi -i testsrc2=size=64x48:rate=5:duration=1 -c:v ffv1";
    let Some(input) = made(folder.path(), "a.mkv", arguments) else {
        return;
    };
    let spec = spec(&input, &folder.path().join("out.mkv"), Vec::new());
    let info = frameloom_media::probe(&input).unwrap();
    let mut plan = plan(&spec, &info, &NoModels).unwrap();
    plan.check_program(&spec, &NoModels).unwrap();
    // As a program planned that did not cut off what the file asks to cut off.
    if let Some(sizes) = &mut plan.sizes {
        sizes.input = (64, 56);
    }
    let refused = plan.check_program(&spec, &NoModels).unwrap_err();
    assert!(
        matches!(refused, EngineError::ProgramChanged { .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("64 x 56"), "{refused}");
}
