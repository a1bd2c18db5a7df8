//! What is looked at while a graph is built is what a run of it makes.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use frameloom_core::error::ErrorCode;
use frameloom_core::graph::{
    ColorParams, CropParams, DeinterlaceParams, DeinterlaceRate, Edge, GRAPH_VERSION, Graph, Node,
    Op, ResizeParams, RotateParams, SourceParams, TrimParams,
};
use frameloom_core::job::{Device, EncodeSpec, JOB_SPEC_VERSION, JobSpec, Quality, VideoCodec};
use frameloom_core::media::Caution;
use frameloom_core::model::ModelManifest;
use frameloom_core::time::{FrameRate, Rational};
use frameloom_engine::execute::{Pixels, Threads};
use frameloom_engine::{
    Cancel, Context, EngineError, MemoryJournal, Models, Stop, Unwatched, View, ViewWish, execute,
    plan, view,
};
use frameloom_infer::{Model, Runtime};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// The models of the repository.
struct Ours;

fn folder_of(id: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../models")
        .join(id)
}

impl Models for Ours {
    fn manifest(&self, id: &str) -> Result<ModelManifest, EngineError> {
        Ok(frameloom_infer::read_manifest(&folder_of(id))?)
    }
    fn load(&self, id: &str) -> Result<Model, EngineError> {
        Ok(frameloom_infer::load_model(&folder_of(id))?)
    }
}

const RUNTIME: &str = "FRAMELOOM_ONNXRUNTIME";

/// Calls `work` with what a run on this machine needs.
fn in_context<T>(cancel: &Cancel, work: impl FnOnce(&Context<'_>) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let runtime = || -> Result<Arc<Runtime>, EngineError> {
        Ok(Runtime::load(Path::new(
            &std::env::var_os(RUNTIME).unwrap(),
        ))?)
    };
    let notes = MemoryJournal::default();
    work(&Context {
        runtime: &runtime,
        models: &Ours,
        work_dir: folder.path(),
        threads: Threads::for_cores(2),
        journal: &notes,
        progress: &Unwatched,
        cancel,
        caution: Caution::default(),
        pool: None,
        compute: Default::default(),
        chosen: Default::default(),
    })
}

fn job(input: &Path, output: &Path, graph: Graph) -> JobSpec {
    JobSpec {
        version: JOB_SPEC_VERSION,
        input: input.to_owned(),
        pictures: None,
        output: output.to_owned(),
        overwrite: false,
        graph,
        encode: EncodeSpec {
            codec: Some(VideoCodec::Ffv1),
            quality: Quality::Lossless,
            drop: Vec::new(),
            srgb: false,
        },
        device: Device::Cpu,
        inputs: BTreeMap::new(),
        input_pictures: BTreeMap::new(),
        compute: Default::default(),
        upright: true,
        sample: false,
    }
}

fn see(spec: &JobSpec, at_micros: i64, patience: Duration) -> Result<View, EngineError> {
    let info = match frameloom_still::is_still(&spec.input)? {
        true => frameloom_still::probe(&spec.input)?,
        false => frameloom_media::probe(&spec.input)?,
    };
    let plan = plan(spec, &info, &Ours)?;
    let wish = ViewWish {
        at_micros,
        max_side: 320,
        patience,
    };
    in_context(&Cancel::new(), |context| view(spec, &plan, wish, context))
}

const PATIENT: Duration = Duration::from_secs(3600);

fn pixels(spec: &JobSpec, at_micros: i64) -> Pixels {
    match see(spec, at_micros, PATIENT).unwrap() {
        View::Picture(pixels) => pixels,
        outside => panic!("{outside:?}"),
    }
}

fn run(spec: &JobSpec) {
    let info = frameloom_media::probe(&spec.input).unwrap();
    let plan = plan(spec, &info, &Ours).unwrap();
    in_context(&Cancel::new(), |context| execute(spec, &plan, context)).unwrap();
}

/// A clip that ffmpeg makes; `None` with a line that says so where it cannot.
fn made(folder: &Path, name: &str, arguments: &[&str]) -> Option<PathBuf> {
    let path = folder.join(name);
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i"])
        .args(arguments)
        .arg(&path)
        .status();
    if status.is_ok_and(|status| status.success()) {
        return Some(path);
    }
    println!("skipped: no ffmpeg command that makes {name}");
    None
}

fn clip(folder: &Path) -> Option<PathBuf> {
    // B-frames and few key frames: a place in the middle has to be found.
    let coded = [
        "-c:v", "libx264", "-bf", "2", "-g", "40", "-pix_fmt", "yuv420p",
    ];
    let picture = ["testsrc2=s=320x180:r=25:d=4"];
    made(folder, "clip.mp4", &[&picture[..], &coded].concat())
}

fn fps(num: i64) -> Op {
    Op::Fps {
        rate: FrameRate::new(num, 1).unwrap(),
    }
}

fn seconds(num: i64, den: i64) -> Option<Rational> {
    Rational::new(num, den)
}

#[test]
fn what_is_looked_at_is_the_very_frame_that_a_run_makes() {
    let folder = tempfile::tempdir().unwrap();
    let Some(source) = clip(folder.path()) else {
        return;
    };
    let resize = Op::Resize(ResizeParams {
        width: 200,
        height: 120,
    });
    let color = Op::Color(ColorParams {
        exposure: 0.4,
        temperature: Some(4200.0),
        ..ColorParams::default()
    });
    let crop = Op::Crop(CropParams {
        x: 20,
        y: 40,
        width: 160,
        height: 100,
    });
    let fields = Op::Deinterlace(DeinterlaceParams {
        rate: DeinterlaceRate::Field,
        ..DeinterlaceParams::default()
    });
    let turn = Op::Rotate(RotateParams { degrees: 90 });
    for (name, ops) in [
        ("plain", vec![]),
        ("sized", vec![crop, resize.clone()]),
        ("colours", vec![color, turn]),
        ("fields", vec![fields.clone(), resize]),
        ("slow", vec![fps(5)]),
        ("fast", vec![fps(60)]),
        ("both", vec![fields, fps(10)]),
    ] {
        let output = folder.path().join(format!("{name}.mkv"));
        let spec = job(&source, &output, Graph::chain(ops));
        run(&spec);
        let first = frameloom_media::probe(&output).unwrap();
        let start = first.main_video().unwrap().0.start_ticks.unwrap_or(0);
        assert_eq!(start, 0, "{name}: times of source and result are the same");
        for at in [0, 40_000, 1_000_000, 1_530_000, 3_990_000] {
            let made =
                frameloom_media::thumbnail(&output, Some(at), 320, frameloom_media::Tones::Shown)
                    .unwrap();
            let seen = pixels(&spec, at);
            assert_eq!(
                (seen.width, seen.height),
                (made.width, made.height),
                "{name}"
            );
            assert!(seen.rgb == made.data, "{name} differs at {at}");
            assert_eq!(seen.portion, None);
        }
    }
}

#[test]
fn a_moment_that_is_cut_away_is_said_to_be_and_one_that_is_left_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let Some(source) = clip(folder.path()) else {
        return;
    };
    let trim = Op::Trim(TrimParams {
        start: seconds(1, 1),
        end: seconds(5, 2),
    });
    let output = folder.path().join("trimmed.mkv");
    let spec = job(&source, &output, Graph::chain([trim]));
    for outside in [0, 999_000, 2_500_000] {
        assert_eq!(
            see(&spec, outside, PATIENT).unwrap(),
            View::Outside {
                from_micros: 1_000_000,
                to_micros: Some(2_500_000)
            }
        );
    }
    let whole =
        frameloom_media::thumbnail(&source, Some(1_240_000), 320, frameloom_media::Tones::Shown)
            .unwrap();
    let seen = pixels(&spec, 1_240_000);
    assert!(seen.rgb == whole.data);
    assert_eq!((seen.size, seen.at_micros), ((320, 180), 1_240_000));
}

/// Two sources: `main` below, `logo` over it.
fn laid_over(below: &Path, over: &Path, output: &Path) -> JobSpec {
    let node = |id: &str, op: Op| Node {
        id: id.to_owned(),
        op,
    };
    let named = |name: &str| {
        Op::Source(SourceParams {
            name: Some(name.to_owned()),
        })
    };
    let overlay: Op = serde_json::from_value(serde_json::json!({
        "op": "overlay", "params": {"x": 30, "y": 20}
    }))
    .unwrap();
    let graph = Graph {
        version: GRAPH_VERSION,
        nodes: vec![
            node("a", named("main")),
            node("b", named("logo")),
            node("lay", overlay),
            node("out", Op::Sink),
        ],
        edges: vec![
            Edge::new("a", "lay"),
            Edge {
                to_port: Some("over".to_owned()),
                ..Edge::new("b", "lay")
            },
            Edge::new("lay", "out"),
        ],
    };
    JobSpec {
        inputs: BTreeMap::from([("logo".to_owned(), over.to_owned())]),
        ..job(below, output, graph)
    }
}

#[test]
fn a_clip_that_is_laid_over_is_seen_at_the_same_moment() {
    let folder = tempfile::tempdir().unwrap();
    let (Some(below), Some(over)) = (
        clip(folder.path()),
        made(
            folder.path(),
            "over.mp4",
            &[
                "mandelbrot=s=120x80:r=30",
                "-t",
                "4",
                "-c:v",
                "libx264",
                "-pix_fmt",
                "yuv420p",
            ],
        ),
    ) else {
        return;
    };
    let output = folder.path().join("laid.mkv");
    let spec = laid_over(&below, &over, &output);
    run(&spec);
    for at in [0, 1_000_000, 3_480_000] {
        let made =
            frameloom_media::thumbnail(&output, Some(at), 320, frameloom_media::Tones::Shown)
                .unwrap();
        assert!(pixels(&spec, at).rgb == made.data, "it differs at {at}");
    }
}

#[test]
fn a_phone_held_upright_is_seen_upright() {
    let folder = tempfile::tempdir().unwrap();
    let Some(source) = clip(folder.path()) else {
        return;
    };
    let turned = folder.path().join("turned.mp4");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-display_rotation", "90", "-i"])
        .arg(&source)
        .args(["-c", "copy"])
        .arg(&turned)
        .status();
    let is_turned = status.is_ok_and(|status| status.success())
        && frameloom_media::probe(&turned).is_ok_and(|info| {
            info.main_video()
                .is_some_and(|(_, v)| v.rotation_degrees != 0)
        });
    if !is_turned {
        println!("skipped: no ffmpeg command that turns a clip");
        return;
    }
    let crop = Op::Crop(CropParams {
        x: 10,
        y: 20,
        width: 120,
        height: 200,
    });
    let slow = fps(5);
    for (name, op, size) in [("crop", crop, (120, 200)), ("slow", slow, (180, 320))] {
        let output = folder.path().join(format!("upright-{name}.mkv"));
        let spec = job(&turned, &output, Graph::chain([op]));
        run(&spec);
        let made = frameloom_media::thumbnail(
            &output,
            Some(1_000_000),
            320,
            frameloom_media::Tones::Shown,
        )
        .unwrap();
        let seen = pixels(&spec, 1_000_000);
        assert_eq!(seen.size, size, "{name}");
        assert!(seen.rgb == made.data, "{name}");
    }
}

#[test]
fn a_slow_model_does_a_part_of_the_picture_and_that_is_said() {
    if std::env::var_os(RUNTIME).is_none() {
        println!("skipped: no {RUNTIME}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let picture = [
        "testsrc2=s=640x480:r=25:d=1",
        "-c:v",
        "ffv1",
        "-pix_fmt",
        "yuv420p",
    ];
    let Some(source) = made(folder.path(), "clip.mkv", &picture) else {
        return;
    };
    let model = || Op::Upscale {
        model: "loom-x2".to_owned(),
    };
    let crop = Op::Crop(CropParams {
        x: 480,
        y: 320,
        width: 320,
        height: 320,
    });
    let output = folder.path().join("out.mkv");
    let of = |ops: Vec<Op>| job(&source, &output, Graph::chain(ops));
    let view_of = |ops: Vec<Op>, patience| match see(&of(ops), 0, patience).unwrap() {
        View::Picture(pixels) => pixels,
        outside => panic!("{outside:?}"),
    };
    let whole = view_of(vec![model(), crop.clone()], PATIENT);
    assert_eq!((whole.portion, whole.size), (None, (320, 320)));
    let part = view_of(vec![model()], Duration::ZERO);
    let portion = part.portion.unwrap().unwrap();
    assert!(portion.left > 0.2 && portion.right < 0.8, "{portion:?}");
    assert!(portion.top > 0.2 && portion.bottom < 0.8, "{portion:?}");
    assert_eq!(part.size, (1280, 960), "the picture keeps its size");
    // The middle, cut out behind the model, is the very same as in the whole.
    let middle = view_of(vec![model(), crop.clone()], Duration::ZERO);
    assert_eq!(
        middle.portion,
        Some(None),
        "its place behind a crop is not said"
    );
    assert!(
        middle.rgb == whole.rgb,
        "what the model did is its true result"
    );
    let plain = view_of(
        vec![
            Op::Resize(ResizeParams {
                width: 1280,
                height: 960,
            }),
            crop,
        ],
        PATIENT,
    );
    assert!(plain.rgb != whole.rgb, "and not a plain enlargement");
}

#[test]
fn a_still_picture_is_seen_as_a_run_makes_it() {
    let folder = tempfile::tempdir().unwrap();
    let Some(source) = made(
        folder.path(),
        "a.png",
        &["testsrc2=s=300x200", "-frames:v", "1"],
    ) else {
        return;
    };
    let ops = vec![
        Op::Resize(ResizeParams {
            width: 211,
            height: 140,
        }),
        Op::Rotate(RotateParams { degrees: 90 }),
    ];
    let output = folder.path().join("b.png");
    let spec = job(&source, &output, Graph::chain(ops));
    let info = frameloom_still::probe(&source).unwrap();
    let plan = plan(&spec, &info, &Ours).unwrap();
    in_context(&Cancel::new(), |context| execute(&spec, &plan, context)).unwrap();
    let made = frameloom_still::read(&output, &Default::default()).unwrap();
    let made = frameloom_still::to_srgb8_preview(&made, 320);
    let seen = pixels(&spec, 0);
    assert_eq!(seen.size, (140, 211));
    assert!(seen.rgb == made.data);
}

#[test]
fn a_view_that_is_not_wanted_any_more_ends_and_what_does_not_fit_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let Some(source) = clip(folder.path()) else {
        return;
    };
    let output = folder.path().join("x.mkv");
    let spec = job(&source, &output, Graph::chain([fps(5)]));
    let info = frameloom_media::probe(&source).unwrap();
    let ready = plan(&spec, &info, &Ours).unwrap();
    let cancel = Cancel::new();
    cancel.request(Stop::Now);
    let wish = ViewWish {
        at_micros: 0,
        max_side: 320,
        patience: PATIENT,
    };
    let stopped = in_context(&cancel, |context| view(&spec, &ready, wish, context));
    assert!(matches!(stopped, Err(EngineError::Stopped)), "{stopped:?}");
    let crop = Op::Crop(CropParams {
        x: 300,
        y: 0,
        width: 160,
        height: 100,
    });
    let refused = see(&job(&source, &output, Graph::chain([crop])), 0, PATIENT).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidRequest);
    assert!(refused.to_string().contains("`n1`"), "{refused}");
}
