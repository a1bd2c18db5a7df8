//! Models that must be refused, and by which name.

mod common;

use common::onnx::{Dim, pictures, unary};
use common::{model, model_folder, options, runtime, workspace};
use frameloom_core::error::ErrorCode;
use frameloom_infer::{InferError, InferenceSession, list_models, load_model};

fn refusal(weights: &[u8], edit: impl FnOnce(&mut serde_json::Value)) -> InferError {
    let model = model(weights, edit);
    match InferenceSession::open(&runtime(), &model, &options(1)) {
        Ok(_) => panic!("the model was taken"),
        Err(e) => {
            assert_eq!(e.code(), ErrorCode::ModelInvalid);
            e
        }
    }
}

#[test]
fn one_damaged_byte_is_seen() {
    let weights = pictures("Identity", 3);
    let dir = model_folder(&weights, |_| {});
    assert!(load_model(dir.path()).is_ok());
    let mut damaged = weights.clone();
    damaged[weights.len() / 2] ^= 1;
    std::fs::write(dir.path().join("test.onnx"), &damaged).unwrap();
    let e = load_model(dir.path()).unwrap_err();
    assert!(matches!(&e, InferError::WeightsDamaged { expected, found, .. } if expected != found));
    assert_eq!(e.code(), ErrorCode::ModelInvalid);
}

#[test]
fn a_file_of_another_size_is_seen_before_it_is_read() {
    let weights = pictures("Identity", 3);
    let dir = model_folder(&weights, |_| {});
    for size in [0, weights.len() - 1, weights.len() + 1, 50 << 20] {
        std::fs::write(dir.path().join("test.onnx"), vec![0; size]).unwrap();
        let e = load_model(dir.path()).unwrap_err();
        assert!(
            matches!(&e, InferError::WeightsDamaged { found, .. } if found.ends_with("bytes")),
            "{e}"
        );
    }
    let huge = model_folder(&weights, |m| m["size_bytes"] = (5u64 << 30).into());
    let e = load_model(huge.path()).unwrap_err();
    assert!(matches!(e, InferError::WeightsTooLarge { .. }), "{e}");
}

#[test]
fn missing_parts_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let e = load_model(dir.path()).unwrap_err();
    assert!(matches!(e, InferError::ManifestMissing { .. }));
    assert_eq!(e.code(), ErrorCode::ModelNotFound);
    std::fs::write(dir.path().join("manifest.json"), "{").unwrap();
    assert!(matches!(
        load_model(dir.path()).unwrap_err(),
        InferError::ManifestInvalid { .. }
    ));
    std::fs::write(dir.path().join("manifest.json"), [0xff, 0xfe]).unwrap();
    assert!(matches!(
        load_model(dir.path()).unwrap_err(),
        InferError::ManifestInvalid { .. }
    ));
    let without = model_folder(b"x", |_| {});
    std::fs::remove_file(without.path().join("test.onnx")).unwrap();
    assert!(matches!(
        load_model(without.path()).unwrap_err(),
        InferError::WeightsMissing { .. }
    ));
}

#[test]
fn folders_are_listed_once_by_id_and_damaged_ones_with_their_reason() {
    let root = tempfile::tempdir().unwrap();
    let weights = pictures("Identity", 3);
    for (folder, id) in [("b", "beta"), ("a", "alpha"), ("training", "gamma")] {
        let dir = root.path().join(folder);
        std::fs::create_dir(&dir).unwrap();
        let mut json = common::manifest(&weights);
        json["id"] = id.into();
        std::fs::write(dir.join("manifest.json"), json.to_string()).unwrap();
    }
    std::fs::create_dir(root.path().join("empty")).unwrap();
    std::fs::create_dir(root.path().join("bad")).unwrap();
    std::fs::write(root.path().join("bad/manifest.json"), "[]").unwrap();
    let dirs = [
        root.path().to_path_buf(),
        root.path().join("nowhere"),
        root.path().to_path_buf(),
    ];
    let found = list_models(&dirs);
    let ids: Vec<_> = found
        .iter()
        .map(|m| m.as_ref().map_or("?", |m| m.id.as_str()))
        .collect();
    assert_eq!(ids, ["alpha", "beta", "?", "?"]);

    let bundled = list_models(&[workspace().join("models")]);
    assert!(bundled.iter().all(Result::is_ok), "{bundled:?}");
    assert!(bundled.iter().flatten().any(|m| m.id == "loom-x2"));
}

#[test]
fn bytes_that_are_no_graph_are_refused() {
    let e = refusal(b"this is not a graph at all", |_| {});
    assert!(matches!(e, InferError::GraphRefused { .. }), "{e}");
    let mut cut = pictures("Identity", 3);
    cut.truncate(cut.len() - 9);
    let e = refusal(&cut, |_| {});
    assert!(matches!(e, InferError::GraphRefused { .. }), "{e}");
    let e = refusal(&pictures("NoSuchOperator", 3), |_| {});
    assert!(matches!(e, InferError::GraphRefused { .. }), "{e}");
}

#[test]
fn a_graph_that_does_not_fit_its_manifest_is_refused_by_what_differs() {
    let rgb = pictures("Identity", 3);
    let reason =
        |weights: &[u8], edit: &dyn Fn(&mut serde_json::Value)| match refusal(weights, edit) {
            InferError::GraphMismatch { reason, .. } => reason,
            other => panic!("{other}"),
        };
    assert!(reason(&rgb, &|m| m["input"]["name"] = "data".into()).contains("`data`"));
    assert!(reason(&rgb, &|m| m["output"]["name"] = "z".into()).contains("`z`"));
    assert!(reason(&rgb, &|m| m["input"]["color"] = "luma".into()).contains("1 channels"));
    assert!(reason(&rgb, &|m| m["input"]["layout"] = "nhwc".into()).contains("fixed height 3"));
    assert!(reason(&rgb, &|m| m["input"]["type"] = "float16".into()).contains("f16"));
    let fixed = || [Dim::Fixed(1), Dim::Fixed(3), Dim::Fixed(64), Dim::Fixed(64)];
    let fixed = unary("Identity", &fixed(), &fixed());
    assert!(reason(&fixed, &|_| {}).contains("fixed height 64"));
    let flat = unary(
        "Identity",
        &[Dim::Open("n"), Dim::Fixed(3)],
        &[Dim::Open("n"), Dim::Fixed(3)],
    );
    assert!(reason(&flat, &|_| {}).contains("2 dimensions"));
    assert!(
        reason(&rgb, &|m| {
            m["tile"]["max"] = 40.into();
            m["tile"]["multiple"] = 32.into();
        })
        .contains("tile limits")
    );
}
