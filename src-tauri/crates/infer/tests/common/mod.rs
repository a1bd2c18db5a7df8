//! What the tests of this crate share: the runtime, models, pictures, a writer of tiny graphs.
#![allow(
    dead_code,
    reason = "each test binary compiles this file and uses a part of it"
)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests: they fail by panicking and say what they skip"
)]

pub mod onnx;

use frameloom_core::job::Device;
use frameloom_core::pixel::{AnyPlane, AnyPlaneMut, PlaneMut, PlaneRef};
use frameloom_infer::{InferenceSession, Model, Runtime, SessionOptions, Upscaler, load_model};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .unwrap()
        .to_path_buf()
}

pub fn library() -> PathBuf {
    if let Some(path) = std::env::var_os("FRAMELOOM_ONNXRUNTIME") {
        return path.into();
    }
    let home = || PathBuf::from(std::env::var_os("HOME").expect("HOME is set"));
    let cache = if cfg!(target_os = "macos") {
        home().join("Library/Caches")
    } else if cfg!(target_os = "windows") {
        PathBuf::from(std::env::var_os("LOCALAPPDATA").expect("LOCALAPPDATA is set"))
    } else {
        std::env::var_os("XDG_CACHE_HOME").map_or_else(|| home().join(".cache"), PathBuf::from)
    };
    let file = if cfg!(target_os = "macos") {
        "libonnxruntime.1.31.1.dylib"
    } else if cfg!(target_os = "windows") {
        "onnxruntime.dll"
    } else {
        "libonnxruntime.so.1.31.1"
    };
    cache.join("frameloom/onnxruntime/1.31.1").join(file)
}

pub fn runtime() -> Arc<Runtime> {
    Runtime::load(&library()).expect("ONNX Runtime; `cargo xtask setup` installs it")
}

/// Folder of the third-party test media, or `None` after a line that says so.
pub fn test_data() -> Option<PathBuf> {
    let dir = std::env::var_os("FRAMELOOM_TEST_DATA")
        .map_or_else(|| workspace().join("../shared/data"), PathBuf::from);
    if dir.join("models").is_dir() {
        return Some(dir);
    }
    println!("skipped: no test data");
    None
}

pub fn loom() -> Model {
    load_model(&workspace().join("models/loom-x2")).expect("the bundled model")
}

/// A manifest for a graph of 3-channel floats from 0 to 1, called `x` and `y`.
pub fn manifest(weights: &[u8]) -> serde_json::Value {
    let sha: String = Sha256::digest(weights)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    serde_json::json!({
        "version": 1, "id": "test", "name": "Test", "task": "upscale", "scale": 1,
        "file": "test.onnx", "sha256": sha, "size_bytes": weights.len(),
        "licence": {"spdx": "CC0-1.0", "attribution": null},
        "input": {"name": "x", "layout": "nchw", "color": "rgb", "range": "unit", "type": "float32"},
        "output": {"name": "y", "layout": "nchw", "packing": "pixels"},
        "tile": {"overlap": 8, "feather": 0, "multiple": 1, "min": 1, "max": null, "preferred": 256},
    })
}

/// A model folder with these weights; `edit` changes the manifest.
pub fn model_folder(weights: &[u8], edit: impl FnOnce(&mut serde_json::Value)) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut json = manifest(weights);
    edit(&mut json);
    std::fs::write(dir.path().join("test.onnx"), weights).unwrap();
    std::fs::write(dir.path().join("manifest.json"), json.to_string()).unwrap();
    dir
}

pub fn model(weights: &[u8], edit: impl FnOnce(&mut serde_json::Value)) -> Model {
    load_model(model_folder(weights, edit).path()).expect("a sound model")
}

pub fn options(threads: usize) -> SessionOptions {
    SessionOptions {
        device: Device::Cpu,
        threads,
        check_against_cpu: false,
        ..SessionOptions::default()
    }
}

pub fn upscaler(model: &Model) -> Upscaler {
    let (session, _) = InferenceSession::open(&runtime(), model, &options(2)).expect("a session");
    Upscaler::new(session, &model.manifest).expect("an upscaler")
}

/// A picture with edges, slopes and texture. Values from 0 to `max`.
pub fn picture(width: usize, height: usize, max: u16) -> Vec<u16> {
    let mut noise = 12345u32;
    (0..width * height)
        .map(|i| {
            let (x, y) = ((i % width) as f32, (i / width) as f32);
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let waves = 0.3 * (x * 0.21 + y * 0.05).sin() + 0.15 * (x * y * 0.002).cos();
            let edge = if (x as usize / 23 + y as usize / 17).is_multiple_of(2) {
                0.2
            } else {
                -0.2
            };
            let grain = (noise >> 24) as f32 / 255.0 * 0.1;
            ((0.5 + waves + edge + grain).clamp(0.0, 1.0) * f32::from(max)) as u16
        })
        .collect()
}

pub fn picture8(width: usize, height: usize) -> Vec<u8> {
    picture(width, height, 255)
        .into_iter()
        .map(|v| v as u8)
        .collect()
}

pub fn plane<T>(data: &[T], width: usize, height: usize) -> PlaneRef<'_, T> {
    PlaneRef {
        data,
        stride: width,
        width,
        height,
    }
}

pub fn plane_mut<T>(data: &mut [T], width: usize, height: usize) -> PlaneMut<'_, T> {
    PlaneMut {
        data,
        stride: width,
        width,
        height,
    }
}

/// Enlarges an 8-bit luma plane of limited range.
pub fn luma8(upscaler: &mut Upscaler, src: &[u8], width: usize, height: usize) -> Vec<u8> {
    let s = upscaler.scale() as usize;
    let mut out = vec![0u8; src.len() * s * s];
    upscaler
        .upscale_luma(
            AnyPlane::U8(plane(src, width, height)),
            8,
            false,
            AnyPlaneMut::U8(plane_mut(&mut out, width * s, height * s)),
        )
        .expect("a picture");
    out
}

/// Enlarges three float planes.
pub fn rgb_f32(
    upscaler: &mut Upscaler,
    src: &[Vec<f32>; 3],
    width: usize,
    height: usize,
) -> [Vec<f32>; 3] {
    let s = upscaler.scale() as usize;
    let mut out = [(); 3].map(|()| vec![0f32; width * height * s * s]);
    let [r, g, b] = &mut out;
    upscaler
        .upscale_rgb_f32(
            [0, 1, 2].map(|c: usize| plane(&src[c], width, height)),
            [r, g, b].map(|p| plane_mut(p, width * s, height * s)),
        )
        .expect("a picture");
    out
}

/// Three different float planes.
pub fn rgb_picture(width: usize, height: usize) -> [Vec<f32>; 3] {
    let base: Vec<f32> = picture(width, height, 1023)
        .iter()
        .map(|&v| f32::from(v) / 1023.0)
        .collect();
    let turned = base.iter().rev().copied().collect();
    let dark = base.iter().map(|v| v * v).collect();
    [base, turned, dark]
}

pub fn max_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

/// The photograph that the program measures with.
pub fn specimen() -> frameloom_infer::Specimen {
    let picture = image::open(workspace().join("assets/specimen.jpg")).expect("the specimen");
    let picture = picture.to_rgb32f();
    let plane = |channel: usize| picture.pixels().map(|pixel| pixel.0[channel]).collect();
    frameloom_infer::Specimen {
        width: picture.width() as usize,
        height: picture.height() as usize,
        rgb: [plane(0), plane(1), plane(2)],
    }
}
