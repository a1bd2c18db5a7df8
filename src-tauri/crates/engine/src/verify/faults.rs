//! Faults put into frames on purpose: every one must be caught, and no real clip may raise an
//! alarm.

mod jobs;
mod nodes;

use super::{Passed, PictureCheck, Verifier};
use crate::EngineError;
use crate::control::{Cancel, MemoryJournal, Unwatched};
use crate::execute::format_of;
use crate::execute::{Context, Finished, Threads, execute};
use crate::nodes::{Filter, Models, Node, Opening, Pace, PictureFormat, open};
use frameloom_core::graph::{
    ColorParams, CropParams, DenoiseParams, FlipAxis, FlipParams, Graph, Op, PadParams,
    ResizeParams, RotateParams, TextParams,
};
use frameloom_core::job::{Device, EncodeSpec, JobSpec, Quality};
use frameloom_core::media::Caution;
use frameloom_core::model::ModelManifest;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, Planes};
use frameloom_core::time::Rational;
use frameloom_infer::{InferError, Model, Runtime};
use frameloom_media::{Frame, Reader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
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
    /// In a stripe from a column on, all frames are lighter by four steps of 8 bit, as tiles with too little
    /// context are.
    Seam(usize),
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
            Fault::Seam(column) => edit(frame, 0, |row, _, _| {
                for sample in &mut row[column..column + 64] {
                    *sample += 4 * step as u16;
                }
            }),
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

/// The files of a folder of the test data in the order of their names; none where it is missing.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// ONNX Runtime where `cargo xtask test` says it is.
pub(crate) fn runtime() -> Option<Arc<Runtime>> {
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

/// Frames that went through some nodes.
struct Line {
    sources: Vec<Frame>,
    input: PictureFormat,
    passed: Vec<Passed>,
    results: Vec<Frame>,
}

impl Line {
    fn new(sources: &[Frame], ops: &[Op]) -> Self {
        let input = format_of(&sources[0], Rational { num: 1, den: 1 }, Pace::STILL);
        let mut format = input.clone();
        let (mut nodes, mut passed) = (Vec::new(), Vec::new());
        for op in ops {
            let node = filter(op, &format);
            passed.push(Passed {
                covers: node.covers(),
                seams: node.seams(),
                ..Passed::plain(op, &format, node.output())
            });
            format = node.output().clone();
            nodes.push(node);
        }
        let results = sources.iter().map(|source| {
            let mut result = source.share().unwrap();
            for node in &mut nodes {
                result = node.process(&result).unwrap();
            }
            result
        });
        Self {
            results: results.collect(),
            sources: sources.iter().map(|frame| frame.share().unwrap()).collect(),
            input,
            passed,
        }
    }

    /// What the verifier says of it, with a fault: what was found, and the first alarm.
    fn judge(&self, fault: Option<Fault>) -> (Verifier, Result<(), String>) {
        let mut verifier = Verifier::new(&self.input, &self.passed);
        let watcher = verifier.watcher();
        let mut first = Ok(());
        for (index, source) in (0..).zip(&self.sources) {
            let processed = fault.map_or(index, |fault| fault.source_of(index));
            let Some(result) = self.results.get(processed as usize) else {
                break;
            };
            let mut result = result.share().unwrap();
            if let Some(fault) = fault {
                fault.apply(index, &mut result);
            }
            let judged = verifier
                .after(watcher.before(source), &result)
                .map_err(|reason| format!("frame {index} {reason}"));
            if first.is_ok() {
                first = judged;
            }
        }
        let kept = verifier.found();
        match verifier.end_segment() {
            Ok(check) => verifier.found = check,
            Err(reason) if first.is_ok() => first = Err(format!("its pictures {reason}")),
            Err(_) => {}
        }
        verifier.found = PictureCheck {
            compared: kept.compared,
            looked_at: kept.looked_at,
            ..verifier.found.merged(&kept)
        };
        (verifier, first)
    }
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

#[test]
fn no_real_picture_raises_a_false_alarm_and_each_is_compared() {
    let Some(data) = data() else { return };
    let mut alarms = Vec::new();
    let mut compared = 0;
    for kind in [
        "png", "jpeg", "tiff", "webp", "exif", "photo", "other", "avif",
    ] {
        for file in files_in(&data.join("../../images").join(kind)) {
            let Some((width, height)) = crate::plan::probe(&file).ok().and_then(|info| {
                let (_, video) = info.main_video()?;
                Some((video.width, video.height))
            }) else {
                continue;
            };
            let mut ops = vec![Op::Rotate(RotateParams { degrees: 90 })];
            if width * height < 1_000_000 {
                ops.push(Op::Resize(ResizeParams {
                    width: width * 2,
                    height: height * 2,
                }));
            }
            if width * height < 300 * 300 && runtime().is_some() {
                ops.push(Op::Upscale {
                    model: "loom-x2".into(),
                });
            }
            for op in ops {
                let what = format!("{}: {op:?}", file.display());
                match jobs::execute_on(file.clone(), "out.png", op, None).0 {
                    Ok(finished) => {
                        let check = finished.checks.pictures.unwrap();
                        compared += check.compared;
                        println!("{what}: {check:?}");
                    }
                    Err(EngineError::OutputCheck { reason }) => {
                        alarms.push(format!("{what}: {reason}"));
                    }
                    // Damaged on purpose, or of a kind that is refused.
                    Err(error) => println!("{what}: {error}"),
                }
            }
        }
    }
    assert!(alarms.is_empty(), "{alarms:#?}");
    assert!(compared > 50, "{compared} pictures were compared");
}

#[test]
fn a_spoiled_picture_is_caught() {
    let (width, height) = (96u32, 80u32);
    let input = PictureFormat {
        pixels: frameloom_core::pixel::PixelFormat {
            planes: Planes::Gbr,
            bits: 8,
            alpha: false,
        },
        ..format_of(
            &Frame::new(frameloom_core::pixel::PixelFormat::YUV420P8, width, height).unwrap(),
            Rational { num: 1, den: 1 },
            Pace::STILL,
        )
    };
    let turn = Op::Rotate(RotateParams { degrees: 90 });
    let output = crate::nodes::output_format("n", &turn, &input, &Bundled).unwrap();
    let source: Vec<u8> = (0..width * height)
        .flat_map(|i| {
            let (x, y) = (i % width, i / width);
            [(x * 2) as u8, (y * 3) as u8, (x + y) as u8]
        })
        .collect();
    // Clockwise: a row of the result is a column of the source, from its lower end.
    let turned: Vec<u8> = (0..width)
        .flat_map(|y| (0..height).map(move |x| (y, height - 1 - x)))
        .flat_map(|(x, y)| {
            let at = ((y * width + x) * 3) as usize;
            [source[at], source[at + 1], source[at + 2]]
        })
        .collect();
    let judge = |change: &dyn Fn(usize, u8) -> u8| {
        use frameloom_still::RowsRef;
        let passed = [Passed::plain(&turn, &input, &output)];
        let rows = RowsRef::U8(&source);
        let mut verifier = super::StillVerifier::new(&input, &passed, (rows, (3, 3)), (3, 3));
        let result: Vec<u8> = (0..).zip(&turned).map(|(i, &v)| change(i, v)).collect();
        // In bands, as they come.
        for band in result.chunks(height as usize * 3 * 7) {
            verifier.push(RowsRef::U8(band));
        }
        verifier.finish()
    };
    assert_eq!(judge(&|_, v| v).unwrap().compared, 1);
    assert!(judge(&|_, _| 0).is_err(), "black");
    assert!(
        judge(&|i, v| if i % 3 == 0 { v / 2 } else { v }).is_err(),
        "less red"
    );
    assert!(judge(&|_, v| v.saturating_add(4)).is_err(), "lighter");
    let quarter = |i: usize| i < turned.len() / 4;
    assert!(
        judge(&|i, v| if quarter(i) { 128 } else { v }).is_err(),
        "a grey band"
    );
    assert!(
        judge(&|i, _| turned[turned.len() - 1 - i]).is_err(),
        "upside down"
    );
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
        let line = Line::new(&sources, &[doubled(&sources[0])]);
        for &fault in FAULTS {
            match line.judge(Some(fault)).1 {
                Ok(()) => missed.push(format!("{clip}: {fault:?}")),
                Err(reason) => println!("{clip}: {fault:?}: {reason}"),
            }
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:#?}");
}

#[test]
fn a_frame_that_leaves_as_it_came_is_right_and_faults_behind_an_empty_line_are_caught() {
    let Some(data) = data() else { return };
    let sources = frames(&data.join("h264_aac_17s_640x360.mp4"), 24);
    let line = Line::new(&sources, &[]);
    let (verifier, judged) = line.judge(None);
    assert_eq!(judged, Ok(()));
    assert_eq!(verifier.found.compared as usize, sources.len());
    for &fault in FAULTS {
        let judged = line.judge(Some(fault)).1;
        assert!(judged.is_err(), "not caught: {fault:?}");
    }
}

#[test]
fn no_real_clip_raises_a_false_alarm() {
    let Some(data) = data() else { return };
    let with_models = std::env::var_os("FRAMELOOM_ONNXRUNTIME").is_some();
    if !with_models {
        println!("skipped: the bundled models, as FRAMELOOM_ONNXRUNTIME is not set");
    }
    let mut alarms = Vec::new();
    for file in files_in(&data) {
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
            let (verifier, judged) = Line::new(&sources, std::slice::from_ref(&op)).judge(None);
            println!("{name}: {op:?}: {:?}", verifier.found());
            if let Err(reason) = judged {
                alarms.push(format!("{name}: {op:?}: {reason}"));
            }
        }
    }
    assert!(alarms.is_empty(), "{alarms:#?}");
}

#[test]
fn a_line_where_tiles_meet_is_seen_and_real_tiles_make_none() {
    let Some(data) = data() else { return };
    let Some(runtime) = runtime() else {
        println!("skipped: FRAMELOOM_ONNXRUNTIME is not set");
        return;
    };
    for file in files_in(&data) {
        let clip = file.file_name().unwrap().to_string_lossy().into_owned();
        let sources = frames(&file, 6);
        let large = |frame: &Frame| frame.width() * frame.height() > 640 * 360;
        if sources.len() < 6 || large(&sources[0]) || sources[0].width() < 161 {
            continue;
        }
        let input = format_of(&sources[0], Rational { num: 1, den: 1 }, Pace::STILL);
        let op = Op::Upscale {
            model: "loom-x2".into(),
        };
        let scratch = std::env::temp_dir();
        let load = || Ok(runtime.clone());
        let opening = Opening {
            max_tile: Some(96),
            ..Opening::new(&load, &Bundled, &Device::Cpu, &scratch)
        };
        let Some((Node::Filter(mut node), _)) = open("node", &op, &input, &opening).unwrap() else {
            panic!("one frame of one frame");
        };
        let seams = node.seams();
        let column = seams.as_ref().unwrap().columns[0] * 2;
        let line = Line {
            passed: vec![Passed {
                seams,
                ..Passed::plain(&op, &input, node.output())
            }],
            results: sources.iter().map(|f| node.process(f).unwrap()).collect(),
            sources,
            input,
        };
        let (verifier, judged) = line.judge(None);
        println!("{clip}: {:?}", verifier.found());
        assert_eq!(judged, Ok(()), "{clip}");
        let (verifier, spoiled) = line.judge(Some(Fault::Seam(column)));
        println!("{clip}: {:?}", verifier.found());
        let spoiled = spoiled.unwrap_err();
        assert!(spoiled.contains("tiles"), "{clip}: {spoiled}");
    }
}
