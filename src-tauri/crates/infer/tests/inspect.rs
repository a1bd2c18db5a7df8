//! Models of strangers: what is found of them, and why the others are refused.

mod common;

use common::{onnx, runtime, specimen, test_data};
use frameloom_core::error::ErrorCode;
use frameloom_core::model::{Layout, Packing, Task, TensorRange};
use frameloom_infer::{Hints, InferError, Inspection, inspect};
use std::path::Path;

fn look(path: &Path) -> Result<Inspection, InferError> {
    inspect(&runtime(), path, &Hints::default(), &specimen())
}

/// What is to be found: scale, range, exactly tiled, whole; `None` where the file is refused for
/// the given reason.
type Expected = (
    &'static str,
    Option<(u32, TensorRange, bool, bool)>,
    &'static str,
);

const UNIT: TensorRange = TensorRange::Unit;
const BYTE: TensorRange = TensorRange::Byte;

/// Stands for the reason of a file that gives a matte.
const MATTE: &str = "it gives a matte";
const VOICE: &str = "it hears speech";
const CLEAN: &str = "it cleans speech";
const FACES: &str = "it finds faces";
const TEXT: &str = "it finds text";
const LIGHT: &str = "it makes pictures lighter";
const DEPTH: &str = "it tells distances";

const EXPECTED: &[Expected] = &[
    ("sr/espcn-x3_y224", Some((3, UNIT, true, false)), ""),
    ("sr/acnet-hdn0-x2_y", Some((2, UNIT, true, false)), ""),
    (
        "sr/2xNomosUni_compact_otf_medium",
        Some((2, UNIT, true, false)),
        "",
    ),
    (
        "sr/realesr-animevideov3-x4",
        Some((4, UNIT, true, false)),
        "",
    ),
    (
        "sr/realesr-animevideov3-x2",
        Some((2, UNIT, true, false)),
        "",
    ),
    // These weigh channels by means over the whole picture, or nearly.
    ("sr/rlfn-ntire-x4", Some((4, UNIT, false, false)), ""),
    ("sr/imdn-x2", Some((2, UNIT, false, false)), ""),
    ("sr/imdn-x4", Some((4, UNIT, false, false)), ""),
    (
        "denoise-image/1x-span-anime-pretrain-fp16",
        Some((1, UNIT, true, false)),
        "",
    ),
    ("style/candy_nc16_256", Some((1, BYTE, false, true)), ""),
    ("style/mosaic_nc8_256", Some((1, BYTE, false, true)), ""),
    ("lowlight/tbefn_360x640", None, LIGHT),
    ("lowlight/sci_360x640", None, LIGHT),
    ("matting/selfie_segmentation", None, MATTE),
    ("matting/mediapipe_meet_144x256", None, MATTE),
    (
        "segmentation/deeplabv3_mnv2_257",
        None,
        "no picture of that",
    ),
    ("depth/tcmonodepth_192x320", None, DEPTH),
    ("face/ultraface-RFB-320", None, FACES),
    ("face/yunet_120x160", None, "rather a list"),
    ("detect/yolox_nano", None, "rather a list"),
    ("audio/silero_vad", None, VOICE),
    ("audio/gtcrn_simple", None, CLEAN),
    // The same kind of map as a matte: letters tell them apart.
    ("ocr/en_PP-OCRv3_det", None, TEXT),
    ("ocr/en_number_mobile_v2.0_rec", None, "rather a list"),
    ("ocr/ch_ppocr_mobile_v2.0_cls", None, "rather a list"),
];

#[test]
fn every_model_of_the_test_data_is_used_or_refused_with_its_reason() {
    let Some(data) = test_data() else { return };
    let table = std::fs::read_to_string(data.join("MODELS.tsv")).unwrap();
    let mut seen = 0;
    for line in table.lines().skip(1) {
        let file = line.split('\t').next().unwrap();
        let started = std::time::Instant::now();
        let found = look(&data.join(file));
        let seconds = started.elapsed().as_secs_f32();
        let expected = EXPECTED
            .iter()
            .find(|(name, ..)| file == format!("models/{name}.onnx"));
        let &(_, usable, reason) = expected.unwrap_or_else(|| panic!("{file} is new"));
        match (&found, usable) {
            (Ok(found), Some((scale, range, exact, whole))) => {
                println!("{file} ({seconds:.1} s): {}", found.findings.join(" "));
                let m = &found.manifest;
                assert_eq!(m.scale, scale, "{file}");
                assert_eq!((m.input.range, m.output.range), (range, None), "{file}");
                assert_eq!(m.tile.is_whole(), whole, "{file}");
                let exactly = !whole && m.tile.feather == 0;
                assert_eq!(exactly, exact, "{file}: {:?}", m.tile);
            }
            (Ok(found), None) if reason == MATTE => {
                println!("{file} ({seconds:.1} s): {}", found.findings.join(" "));
                assert_eq!(found.manifest.task, Task::Matte, "{file}");
                assert!(found.manifest.matte.is_some(), "{file}");
            }
            (Ok(found), None) if reason == VOICE => {
                println!("{file} ({seconds:.1} s): {}", found.findings.join(" "));
                assert_eq!(found.manifest.task, Task::VoiceActivity, "{file}");
            }
            (Ok(found), None) if reason == CLEAN => {
                println!("{file} ({seconds:.1} s): {}", found.findings.join(" "));
                assert_eq!(found.manifest.task, Task::SpeechCleaning, "{file}");
            }
            (Ok(found), None) if reason == FACES || reason == TEXT => {
                println!("{file} ({seconds:.1} s): {}", found.findings.join(" "));
                let task = if reason == FACES {
                    Task::Faces
                } else {
                    Task::Text
                };
                assert_eq!(found.manifest.task, task, "{file}");
                assert!(found.manifest.places.is_some(), "{file}");
            }
            (Ok(found), None) if reason == LIGHT || reason == DEPTH => {
                println!("{file} ({seconds:.1} s): {}", found.findings.join(" "));
                let m = &found.manifest;
                let (task, range) = match reason == LIGHT {
                    true => (Task::Light, UNIT),
                    false => (Task::Depth, BYTE),
                };
                assert_eq!((m.task, m.input.range), (task, range), "{file}");
                assert_eq!(m.depth.is_some(), task == Task::Depth, "{file}");
                assert!(m.tile.is_whole(), "{file}");
            }
            (Err(error), None) => {
                println!("{file} ({seconds:.1} s): {error}");
                assert_eq!(error.code(), ErrorCode::ModelInvalid);
                assert!(error.to_string().contains(reason), "{file}: {error}");
            }
            _ => panic!("{file}: {found:?}, {usable:?} was expected"),
        }
        seen += 1;
    }
    assert_eq!(seen, EXPECTED.len());
    // Found by trial, as the table of the test data says: results with channels last.
    let mixed = look(&data.join("models/lowlight/tbefn_360x640.onnx")).unwrap();
    assert_eq!(mixed.manifest.input.layout, Layout::Nchw);
    assert_eq!(mixed.manifest.output.layout, Layout::Nhwc);
    // The size that its exporter wrote down is not the only one.
    assert_eq!(mixed.manifest.tile.fixed, None);
    assert_eq!(mixed.manifest.tile.preferred, 640);
}

#[test]
fn a_style_that_names_one_size_is_painted_in_any() {
    let Some(data) = test_data() else { return };
    let file = data.join("models/style/mosaic_nc8_256.onnx");
    let hints = Hints {
        task: Some(Task::Style),
        ..Hints::default()
    };
    let found = inspect(&runtime(), &file, &hints, &specimen()).unwrap();
    let mut manifest = found.manifest;
    assert_eq!((manifest.task, manifest.input.range), (Task::Style, BYTE));
    assert_eq!((manifest.tile.fixed, manifest.tile.multiple), (None, 4));
    // Of the size that it names, the picture is the one that the file itself gives.
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(&file, folder.path().join("model.onnx")).unwrap();
    let mut paint = |fixed: Option<(u32, u32)>, (w, h): (usize, usize)| {
        manifest.tile.fixed = fixed;
        let json = serde_json::to_string(&manifest).unwrap();
        std::fs::write(folder.path().join("manifest.json"), json).unwrap();
        let model = frameloom_infer::load_model(folder.path()).unwrap();
        let options = frameloom_infer::SessionOptions::default();
        let (session, _) =
            frameloom_infer::InferenceSession::open(&runtime(), &model, &options).unwrap();
        let mut session = frameloom_infer::WholeSession::new(session).unwrap();
        let plane: Vec<f32> = (0..w * h)
            .map(|i| (i % w * 7 % 251) as f32 / 250.0)
            .collect();
        let mut out = Vec::new();
        session.run([&plane; 3], (w, h), &mut out).unwrap();
        out
    };
    let own = paint(Some((256, 256)), (256, 256));
    let open = paint(None, (256, 256));
    for (a, b) in own.iter().flatten().zip(open.iter().flatten()) {
        assert!((a - b).abs() < 1e-3, "{a} and {b}");
    }
    assert_eq!(paint(None, (320, 180))[0].len(), 320 * 180);
}

#[test]
fn what_a_bundled_model_says_of_itself_is_found_out_of_its_file() {
    let file = common::workspace().join("models/loom-x2/loom-x2.onnx");
    let found = look(&file).unwrap();
    let own = common::loom().manifest;
    assert_eq!(found.manifest.scale, own.scale);
    assert_eq!(found.manifest.output.packing, Packing::Subpixel);
    assert_eq!(found.manifest.input.color, own.input.color);
    assert_eq!(found.manifest.sha256, own.sha256);
    assert!(found.manifest.tile.overlap <= own.tile.overlap);
    assert_eq!(found.manifest.tile.feather, 0);
    let hints = Hints {
        scale: Some(3),
        ..Hints::default()
    };
    let error = inspect(&runtime(), &file, &hints, &specimen()).unwrap_err();
    assert!(error.to_string().contains("2 times, not 3"), "{error}");
}

#[test]
fn hostile_files_are_refused_and_nothing_breaks() {
    let folder = tempfile::tempdir().unwrap();
    let loom = std::fs::read(common::workspace().join("models/loom-x2/loom-x2.onnx")).unwrap();
    let mut flipped = loom.clone();
    for at in (200..flipped.len()).step_by(977) {
        flipped[at] ^= 0x55;
    }
    let noise = (0..100_000u32).map(|i| (i.wrapping_mul(i) >> 3) as u8);
    for (name, bytes) in [
        ("empty.onnx", Vec::new()),
        ("noise.onnx", noise.collect()),
        ("half.onnx", loom[..loom.len() / 2].to_vec()),
        ("flipped.onnx", flipped),
        ("text.onnx", b"this is no model\n".repeat(1000)),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        match look(&path) {
            Ok(found) => println!("{name}: survived: {}", found.findings.join(" ")),
            Err(error) => {
                println!("{name}: {error}");
                assert_eq!(error.code(), ErrorCode::ModelInvalid, "{name}");
            }
        }
    }
    let error = look(folder.path()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ModelInvalid);
    assert!(look(&folder.path().join("missing.onnx")).is_err());
}

#[test]
fn what_a_file_wants_that_is_not_there_is_told_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.bin");
    std::fs::write(&secret, [0; 4]).unwrap();
    let deep = folder.path().join("models");
    std::fs::create_dir(&deep).unwrap();
    let say = |name: &str, bytes: Vec<u8>| {
        let path = deep.join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = look(&path).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ModelInvalid, "{name}: {error}");
        error.to_string()
    };
    let unknown = say("unknown.onnx", onnx::pictures("Nonsense", 3));
    assert!(
        unknown.contains("operator `") && unknown.contains("Nonsense`"),
        "{unknown}"
    );
    // Beside it, above it, and anywhere on the disk: nothing of that is read.
    std::fs::write(deep.join("beside.bin"), [0; 4]).unwrap();
    for location in ["beside.bin", "../secret.bin", secret.to_str().unwrap()] {
        let elsewhere = say("elsewhere.onnx", onnx::elsewhere(location));
        assert!(elsewhere.contains("second file"), "{location}: {elsewhere}");
    }
}
