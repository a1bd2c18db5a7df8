//! Models that tell a foreground from its background: what is found of their files, and their
//! mattes of a real picture.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod common;

use common::{options, runtime, specimen, test_data};
use frameloom_core::model::{Activation, Layout, Task};
use frameloom_infer::{
    Hints, InferError, InferenceSession, Inspection, MatteSession, Upscaler, inspect, load_onnx,
};
use std::path::Path;

fn look(path: &Path, hints: Hints) -> Result<Inspection, InferError> {
    inspect(&runtime(), path, &hints, &specimen())
}

fn session(path: &Path, found: &Inspection) -> InferenceSession {
    let model = load_onnx(path, &found.manifest).unwrap();
    InferenceSession::open(&runtime(), &model, &options(2))
        .unwrap()
        .0
}

/// The matte of a picture in the session's own size, and that size.
fn matte_of(session: InferenceSession, picture: &Path) -> (Vec<f32>, (usize, usize)) {
    let mut session = MatteSession::new(session).unwrap();
    let picture = image::open(picture).unwrap();
    let size = session.size_for(picture.width() as usize, picture.height() as usize);
    let small = picture.resize_exact(
        size.0 as u32,
        size.1 as u32,
        image::imageops::FilterType::Triangle,
    );
    let small = small.to_rgb32f();
    let plane = |channel: usize| -> Vec<f32> { small.pixels().map(|p| p.0[channel]).collect() };
    let (r, g, b) = (plane(0), plane(1), plane(2));
    let mut matte = Vec::new();
    session.run([&r, &g, &b], size, &mut matte).unwrap();
    (matte, size)
}

#[test]
fn matting_models_of_two_makes_find_the_same_person() {
    let Some(data) = test_data() else { return };
    let portrait = data.join("images/photo/modnet_portrait.jpg");
    let expected = [
        ("selfie_segmentation", 1, 0, Activation::None, (256, 256)),
        (
            "mediapipe_meet_144x256",
            2,
            1,
            Activation::Softmax,
            (256, 144),
        ),
    ];
    for (name, channels, foreground, activation, size) in expected {
        let path = data.join(format!("models/matting/{name}.onnx"));
        let found = look(&path, Hints::default()).unwrap();
        println!("{name}: {}", found.findings.join(" "));
        let manifest = &found.manifest;
        assert_eq!((manifest.task, manifest.scale), (Task::Matte, 1));
        assert_eq!(manifest.input.layout, Layout::Nhwc);
        let spec = manifest.matte.unwrap();
        assert_eq!(
            (spec.channels, spec.foreground, spec.activation),
            (channels, foreground, activation),
            "{name}"
        );
        let (matte, found_size) = matte_of(session(&path, &found), &portrait);
        assert_eq!(found_size, size);
        let at = |x: f32, y: f32| {
            let (w, h) = (found_size.0 as f32, found_size.1 as f32);
            matte[(y * h) as usize * found_size.0 + (x * w) as usize]
        };
        // Her jacket and her face; the wall to the right and the sky above.
        for (x, y) in [(0.42, 0.75), (0.455, 0.27)] {
            assert!(at(x, y) > 0.9, "{name} at {x}, {y}: {}", at(x, y));
        }
        for (x, y) in [(0.85, 0.7), (0.1, 0.05), (0.8, 0.1)] {
            assert!(at(x, y) < 0.4, "{name} at {x}, {y}: {}", at(x, y));
        }
    }
}

#[test]
fn a_matte_of_many_classes_wants_to_hear_which_is_the_foreground() {
    let Some(data) = test_data() else { return };
    let path = data.join("models/segmentation/deeplabv3_mnv2_257.onnx");
    let said = |foreground| Hints {
        task: Some(Task::Matte),
        foreground,
        range: Some(frameloom_core::model::TensorRange::Symmetric),
        ..Hints::default()
    };
    let refused = look(&path, said(None)).unwrap_err().to_string();
    assert!(refused.contains("21 classes"), "{refused}");
    let refused = look(&path, said(Some(21))).unwrap_err().to_string();
    assert!(refused.contains("`foreground` says 21"), "{refused}");
    let found = look(&path, said(Some(15))).unwrap();
    let spec = found.manifest.matte.unwrap();
    assert_eq!((spec.channels, spec.activation), (21, Activation::Softmax));
    let portrait = data.join("images/photo/modnet_portrait.jpg");
    let (matte, size) = matte_of(session(&path, &found), &portrait);
    assert_eq!(size, (257, 257));
    let share = matte.iter().sum::<f32>() / matte.len() as f32;
    assert!((0.1..0.5).contains(&share), "{share}");
    assert!(matte[90 * 257 + 113] > 0.9, "her hair");
}

#[test]
fn a_model_of_one_task_is_no_model_of_the_other() {
    let Some(data) = test_data() else { return };
    let path = data.join("models/matting/selfie_segmentation.onnx");
    let found = look(&path, Hints::default()).unwrap();
    let refused = Upscaler::new(session(&path, &found), &found.manifest).unwrap_err();
    assert!(
        refused.to_string().contains("a matte, not a picture"),
        "{refused}"
    );
    let (loom, _) =
        InferenceSession::open(&runtime(), &common::loom(), &options(1)).expect("a session");
    assert!(MatteSession::new(loom).is_err());
    // Said to make pictures, it is held to that.
    let hints = Hints {
        task: Some(Task::Upscale),
        ..Hints::default()
    };
    let refused = look(&path, hints).unwrap_err().to_string();
    assert!(refused.contains("one channel where"), "{refused}");
}
