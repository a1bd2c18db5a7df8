//! Models that a test makes up.

use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Installs a model of pictures in red, green and blue that keeps their size, below `models`.
/// `tile` is the side of the pieces that it is given, in pixels.
pub fn install(models: &Path, id: &str, weights: &[u8], tile: u32) {
    let digest = Sha256::digest(weights);
    let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let manifest = json!({
        "version": 1, "id": id, "name": id, "task": "upscale", "scale": 1,
        "file": "model.onnx", "sha256": sha256, "size_bytes": weights.len(),
        "licence": {"spdx": "CC0-1.0", "attribution": null},
        "input": {"name": "x", "layout": "nchw", "color": "rgb", "range": "unit", "type": "float32"},
        "output": {"name": "y", "layout": "nchw", "packing": "pixels"},
        "tile": {"overlap": 8, "feather": 0, "multiple": 1, "min": 1, "max": null, "preferred": tile},
    });
    let folder = models.join(id);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    std::fs::write(folder.join("model.onnx"), weights).expect("the model can be written");
    std::fs::write(folder.join("manifest.json"), manifest.to_string())
        .expect("the manifest can be written");
}
