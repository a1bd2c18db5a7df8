//! Faults put into frames on purpose: every one must be caught, and no real clip may raise an
//! alarm.

use super::Verifier;
use crate::EngineError;
use crate::control::{Cancel, Journal, Progress, SegmentRecord};
use crate::execute::format_of;
use crate::execute::{Context, Finished, Threads, execute};
use crate::nodes::{Filter, Models, Node, Opening, Pace, PictureFormat, open};
use frameloom_core::graph::{CropParams, Graph, Op, ResizeParams};
use frameloom_core::job::{
    Device, EncodeSpec, JobSpec, PictureSizes, ProviderChoice, Quality, Step,
};
use frameloom_core::media::{Caution, Warning};
use frameloom_core::model::ModelManifest;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, Planes};
use frameloom_core::time::Rational;
use frameloom_infer::{InferError, Model, Runtime};
use frameloom_media::{Frame, Reader};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// One frame is all zero, as a driver that lost its memory gives.
    Zero,
    /// One frame is of one grey.
    Flat,
    /// One frame is the one before it.
    Repeat,
    /// From one frame on, each shows what the one after it should.
    Drop,
    /// From one frame on, each shows what the one before it should.
    Delay,
    /// All frames are moved to the right and down by so many result pixels.
    Shift(usize),
    /// All frames are upside down.
    Flip,
    /// All frames have their second and third plane exchanged.
    SwapChannels,
    /// Limited range is stretched to full range, without a word in the tags.
    StretchRange,
    /// And the other way round.
    SqueezeRange,
    /// The tag of the range is wrong, not the samples.
    WrongRangeTag,
    /// A quarter of every frame is darker, as a tile with the wrong scale would be.
    DarkTile,
    /// One frame never arrives.
    Lose,
}

/// A processed frame as a faulty line hands it on; `None` if it loses it.
pub(crate) fn injected(fault: Option<Fault>, index: u64, mut frame: Frame) -> Option<Frame> {
    if fault == Some(Fault::Lose) && index == Fault::AT {
        return None;
    }
    if let Some(fault) = fault {
        fault.apply(index, &mut frame);
    }
    Some(frame)
}

impl Fault {
    /// The frame where faults of single frames, and of the rest of the clip, set in.
    const AT: u64 = 7;

    /// Which frame of the source a faulty line would have processed as frame `index`.
    fn source_of(self, index: u64) -> u64 {
        match self {
            Fault::Repeat if index == Self::AT => index - 1,
            Fault::Drop if index >= Self::AT => index + 1,
            Fault::Delay if index >= Self::AT => index - 1,
            _ => index,
        }
    }

    /// Changes the samples.
    pub(crate) fn apply(self, index: u64, frame: &mut Frame) {
        let format = frame.format();
        let step = usize::from(format.max_value().div_ceil(255));
        let is_yuv = matches!(format.planes, Planes::Yuv { .. } | Planes::Gray);
        let luma = |change: &dyn Fn(f32) -> f32, frame: &mut Frame| {
            let planes = if is_yuv { 1 } else { 3 };
            for plane in 0..planes {
                edit(frame, plane, |samples, _, _| {
                    for sample in samples {
                        *sample = change(f32::from(*sample) / step as f32)
                            .clamp(0.0, 255.0)
                            .mul_add(step as f32, 0.5) as u16;
                    }
                });
            }
        };
        match self {
            Fault::Zero if index == Self::AT => luma(&|_| 0.0, frame),
            Fault::Flat if index == Self::AT => luma(&|_| 126.0, frame),
            Fault::Shift(pixels) => shift(frame, pixels),
            Fault::Flip => {
                for plane in 0..frame.format().plane_count() {
                    let rows = samples(frame, plane);
                    edit(frame, plane, |row, y, height| {
                        row.copy_from_slice(&rows[height - 1 - y]);
                    });
                }
            }
            Fault::SwapChannels if frame.format().plane_count() >= 3 => {
                let (a, b) = (samples(frame, 1), samples(frame, 2));
                edit(frame, 1, |row, y, _| row.copy_from_slice(&b[y]));
                edit(frame, 2, |row, y, _| row.copy_from_slice(&a[y]));
            }
            Fault::StretchRange => luma(&|v| (v - 16.0) * 255.0 / 219.0, frame),
            Fault::SqueezeRange => luma(&|v| v * 219.0 / 255.0 + 16.0, frame),
            Fault::WrongRangeTag => {
                use frameloom_core::color::Range;
                let mut color = frame.color();
                color.range = match color.range {
                    Range::Full => Range::Limited,
                    _ => Range::Full,
                };
                frame.set_color(&color);
            }
            Fault::DarkTile => edit(frame, 0, |row, y, height| {
                if y < height / 2 {
                    let half = row.len() / 2;
                    for sample in &mut row[..half] {
                        *sample = (u32::from(*sample) * 4 / 5) as u16;
                    }
                }
            }),
            _ => {}
        }
    }
}

fn samples(frame: &Frame, plane: usize) -> Vec<Vec<u16>> {
    match frame.plane(plane) {
        AnyPlane::U8(p) => (0..p.height)
            .map(|y| p.row(y).iter().map(|&s| u16::from(s)).collect())
            .collect(),
        AnyPlane::U16(p) => (0..p.height).map(|y| p.row(y).to_vec()).collect(),
    }
}

/// Edits a plane row by row as 16-bit samples: (row, its number, number of rows).
fn edit(frame: &mut Frame, plane: usize, mut change: impl FnMut(&mut [u16], usize, usize)) {
    match frame.plane_mut(plane).unwrap() {
        AnyPlaneMut::U8(mut p) => {
            let height = p.height;
            for y in 0..height {
                let row = p.row_mut(y);
                let mut wide: Vec<u16> = row.iter().map(|&s| u16::from(s)).collect();
                change(&mut wide, y, height);
                for (sample, wide) in row.iter_mut().zip(wide) {
                    *sample = wide.min(255) as u8;
                }
            }
        }
        AnyPlaneMut::U16(mut p) => {
            let height = p.height;
            for y in 0..height {
                change(p.row_mut(y), y, height);
            }
        }
    }
}

fn shift(frame: &mut Frame, pixels: usize) {
    let width = frame.width() as usize;
    for plane in 0..frame.format().plane_count() {
        let rows = samples(frame, plane);
        let by = pixels * rows[0].len() / width;
        edit(frame, plane, |row, y, _| {
            let source = &rows[y.saturating_sub(by)];
            for (x, sample) in row.iter_mut().enumerate() {
                *sample = source[x.saturating_sub(by)];
            }
        });
    }
}

struct Bundled;

impl Models for Bundled {
    fn manifest(&self, id: &str) -> Result<ModelManifest, EngineError> {
        Ok(frameloom_infer::read_manifest(&folder(id))?)
    }
    fn load(&self, id: &str) -> Result<Model, EngineError> {
        Ok(frameloom_infer::load_model(&folder(id))?)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

fn folder(id: &str) -> PathBuf {
    root().join("models").join(id)
}

fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("FRAMELOOM_TEST_DATA")
        .map_or_else(|| root().join("../shared/data"), PathBuf::from)
        .join("media/video");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no test data (media/video)");
    None
}

/// ONNX Runtime where `cargo xtask test` says it is.
fn runtime() -> Option<Arc<Runtime>> {
    let library = std::env::var_os("FRAMELOOM_ONNXRUNTIME")?;
    Some(Runtime::load(Path::new(&library)).unwrap())
}

fn frames(path: &Path, count: usize) -> Vec<Frame> {
    let mut reader = Reader::open(path, &Default::default()).unwrap();
    let mut frames = Vec::new();
    while frames.len() < count
        && let Ok(Some(frame)) = reader.next_frame()
    {
        frames.push(frame);
    }
    frames
}

fn filter(op: &Op, input: &PictureFormat) -> Box<dyn Filter> {
    let load = || runtime().ok_or(EngineError::Infer(InferError::Cancelled));
    let scratch = std::env::temp_dir();
    let opening = Opening::new(&load, &Bundled, &Device::Cpu, &scratch);
    match open("node", op, input, &opening).unwrap().unwrap().0 {
        Node::Filter(filter) => filter,
        Node::Temporal(_) => panic!("one frame of one frame"),
    }
}

/// Runs frames through a node and the verifier, with a fault; what was found, and the first alarm.
fn run(sources: &[Frame], op: &Op, fault: Option<Fault>) -> (Verifier, Result<(), String>) {
    let input = format_of(&sources[0], Rational { num: 1, den: 1 }, Pace::STILL);
    let mut verifier = Verifier::new(&[("node", op)], &input);
    let watcher = verifier.watcher();
    let mut node = filter(op, &input);
    let mut first = Ok(());
    for index in 0..sources.len() as u64 {
        let processed = fault.map_or(index, |fault| fault.source_of(index));
        let Some(source) = sources.get(processed as usize) else {
            break;
        };
        let mut result = node.process(source).unwrap();
        if let Some(fault) = fault {
            fault.apply(index, &mut result);
        }
        let before = watcher.before(&sources[index as usize]);
        let judged = verifier
            .after(before, &result)
            .map_err(|reason| format!("frame {index} {reason}"));
        if first.is_ok() {
            first = judged;
        }
    }
    let kept = verifier.found();
    let end = verifier.end_segment();
    if let Err(reason) = end
        && first.is_ok()
    {
        first = Err(format!("its pictures {reason}"));
    }
    verifier.found = verifier.found.merged(&kept);
    (verifier, first)
}

fn doubled(frame: &Frame) -> Op {
    Op::Resize(ResizeParams {
        width: frame.width() * 2,
        height: frame.height() * 2,
    })
}

const FAULTS: &[Fault] = &[
    Fault::Zero,
    Fault::Flat,
    Fault::Repeat,
    Fault::Drop,
    Fault::Delay,
    Fault::Shift(8),
    Fault::Flip,
    Fault::SwapChannels,
    Fault::StretchRange,
    Fault::SqueezeRange,
    Fault::WrongRangeTag,
    Fault::DarkTile,
];

/// Segments of a run, in memory.
#[derive(Default)]
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

struct Silent;

impl Progress for Silent {
    fn step(&self, _: Step, _: Option<u64>) {}
    fn done(&self, _: u64) {}
    fn warning(&self, _: Warning) {}
    fn provider(&self, _: &ProviderChoice) {}
    fn sizes(&self, _: PictureSizes) {}
}

/// Runs a whole job on the demo clip without a model.
fn execute_with(fault: Option<Fault>) -> (Result<Finished, EngineError>, PathBuf, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let input = root().join("assets/demo.mp4");
    let info = frameloom_media::probe(&input).unwrap();
    let output = folder.path().join("out.mp4");
    let spec = JobSpec {
        version: frameloom_core::job::JOB_SPEC_VERSION,
        input,
        output: output.clone(),
        overwrite: false,
        graph: Graph::chain([Op::Resize(ResizeParams {
            width: 320,
            height: 180,
        })]),
        encode: EncodeSpec {
            codec: None,
            quality: Quality::Draft,
            ..EncodeSpec::default()
        },
        device: Device::Cpu,
        inputs: Default::default(),
        compute: Default::default(),
        upright: false,
    };
    let plan = crate::plan(&spec, &info, &Bundled).unwrap();
    let work_dir = folder.path().join("work");
    std::fs::create_dir(&work_dir).unwrap();
    let context = Context {
        runtime: &|| Err(EngineError::Stopped),
        models: &Bundled,
        work_dir: &work_dir,
        threads: Threads::for_cores(2),
        journal: &Notes::default(),
        progress: &Silent,
        cancel: &Cancel::new(),
        caution: Caution::Usual,
        compute: Default::default(),
        chosen: Default::default(),
        fault,
    };
    (execute(&spec, &plan, &context), output, folder)
}

#[test]
fn a_fault_in_the_line_fails_the_job_and_leaves_no_result() {
    let (finished, output, _folder) = execute_with(None);
    let checks = finished.unwrap().checks;
    assert!(output.exists());
    assert_eq!(checks.pictures.unwrap().compared, checks.frames);
    for fault in [
        Fault::Zero,
        Fault::SwapChannels,
        Fault::StretchRange,
        Fault::Lose,
    ] {
        let (finished, output, folder) = execute_with(Some(fault));
        let error = finished.expect_err("a spoiled run must fail");
        assert!(
            matches!(error, EngineError::SegmentCheck { position: 0, .. }),
            "{fault:?}: {error}"
        );
        assert!(!output.exists(), "{fault:?}");
        let left = std::fs::read_dir(folder.path().join("work")).unwrap();
        assert_eq!(left.count(), 0, "{fault:?} leaves parts behind");
    }
}

#[test]
fn every_fault_is_caught_in_every_moving_clip() {
    let Some(data) = data() else { return };
    // Clips with motion, colour and light: what a fault spoils must be there to be spoiled.
    let clips = [
        "h264_aac_17s_640x360.mp4",
        "h264_aac_face_1s.mp4",
        "vp9_10bit.webm",
        "sar_2x1.mp4",
        "mkv_srt.mkv",
    ];
    let mut missed = Vec::new();
    for clip in clips {
        let sources = frames(&data.join(clip), 24);
        assert!(sources.len() > 20, "{clip} has {} frames", sources.len());
        for &fault in FAULTS {
            match run(&sources, &doubled(&sources[0]), Some(fault)).1 {
                Ok(()) => missed.push(format!("{clip}: {fault:?}")),
                Err(reason) => println!("{clip}: {fault:?}: {reason}"),
            }
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:#?}");
}

#[test]
fn no_real_clip_raises_a_false_alarm() {
    let Some(data) = data() else { return };
    let with_models = std::env::var_os("FRAMELOOM_ONNXRUNTIME").is_some();
    if !with_models {
        println!("skipped: the bundled models, as FRAMELOOM_ONNXRUNTIME is not set");
    }
    let mut alarms = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let sources = frames(&file, 40);
        let Some(first) = sources.first() else {
            continue;
        };
        // A clip whose size changes is brought to one size by the reader, or ends there.
        let mut ops = vec![doubled(first)];
        let small = first.width() * first.height() <= 640 * 360;
        if small && with_models {
            for id in ["loom-x2", "loom-x2-web"] {
                ops.push(Op::Upscale { model: id.into() });
            }
        }
        for op in ops {
            let (verifier, judged) = run(&sources, &op, None);
            println!("{name}: {op:?}: {:?}", verifier.found());
            if let Err(reason) = judged {
                alarms.push(format!("{name}: {op:?}: {reason}"));
            }
        }
    }
    assert!(alarms.is_empty(), "{alarms:#?}");
}

#[test]
fn a_cut_out_part_is_compared_with_its_place_in_the_source() {
    let Some(data) = data() else { return };
    let sources = frames(&data.join("h264_aac_17s_640x360.mp4"), 10);
    let crop = |x| {
        Op::Crop(CropParams {
            x,
            y: 64,
            width: 320,
            height: 200,
        })
    };
    let (verifier, judged) = run(&sources, &crop(128), None);
    assert_eq!(judged, Ok(()));
    assert_eq!(verifier.found().compared, sources.len() as u64);
    // The same cut, judged as if it had been made elsewhere.
    let input = format_of(&sources[0], Rational { num: 1, den: 1 }, Pace::STILL);
    let wrong = crop(160);
    let mut verifier = Verifier::new(&[("node", &wrong)], &input);
    let mut node = filter(&crop(128), &input);
    let mut alarm = false;
    for source in &sources {
        let before = verifier.watcher().before(source);
        alarm |= verifier
            .after(before, &node.process(source).unwrap())
            .is_err();
    }
    assert!(alarm || verifier.end_segment().is_err());
}
