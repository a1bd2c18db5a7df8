//! A model on disk: its manifest and its weights, checked before anything is executed.

use crate::error::InferError;
use frameloom_core::model::{ManifestError, ModelManifest};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Weights larger than this are refused; the format of ONNX ends at 2 GiB anyway.
pub const MAX_WEIGHTS_BYTES: u64 = 4 << 30;

/// A manifest has a few hundred bytes; a larger file is not one.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;

/// A model whose weights are in memory and are those that the manifest describes.
///
/// The bytes that were hashed are the bytes that are executed: the file is read once.
#[derive(Clone)]
pub struct Model {
    /// What the model is and how to feed it.
    pub manifest: ModelManifest,
    dir: PathBuf,
    weights: Vec<u8>,
}

impl Model {
    /// The folder it was read from.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A model of a single file with what was found of it.
    pub(crate) fn new(manifest: ModelManifest, path: &Path, weights: Vec<u8>) -> Self {
        Self {
            manifest,
            dir: path.parent().map(Path::to_owned).unwrap_or_default(),
            weights,
        }
    }

    /// The ONNX file.
    pub(crate) fn weights(&self) -> &[u8] {
        &self.weights
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("id", &self.manifest.id)
            .field("dir", &self.dir)
            .field("weights_bytes", &self.weights.len())
            .finish()
    }
}

/// Reads the model in `dir`: `manifest.json` and the weights that it names.
///
/// # Errors
/// [`InferError::ManifestMissing`], [`InferError::ManifestInvalid`], [`InferError::WeightsMissing`],
/// [`InferError::WeightsTooLarge`], [`InferError::WeightsDamaged`] where size or SHA-256 differ, and
/// [`InferError::ModelUnreadable`] for a file that the system does not let us read.
pub fn load_model(dir: &Path) -> Result<Model, InferError> {
    let manifest = read_manifest(dir)?;
    let path = dir.join(&manifest.file);
    let file = open(&path, |path| InferError::WeightsMissing { path })?;
    let unreadable = |source| InferError::ModelUnreadable {
        source,
        path: path.clone(),
    };
    let size_bytes = file.metadata().map_err(unreadable)?.len();
    if size_bytes > MAX_WEIGHTS_BYTES || manifest.size_bytes > MAX_WEIGHTS_BYTES {
        return Err(InferError::WeightsTooLarge {
            size_bytes: size_bytes.max(manifest.size_bytes),
            limit_bytes: MAX_WEIGHTS_BYTES,
            path,
        });
    }
    let mut weights = Vec::new();
    // One byte more than promised is enough to see that the file is another one.
    file.take(manifest.size_bytes + 1)
        .read_to_end(&mut weights)
        .map_err(unreadable)?;
    if size_bytes != manifest.size_bytes || weights.len() as u64 != manifest.size_bytes {
        return Err(InferError::WeightsDamaged {
            expected: format!("{} bytes", manifest.size_bytes),
            found: format!("{size_bytes} bytes"),
            path,
        });
    }
    let found = hex(&Sha256::digest(&weights));
    if found != manifest.sha256 {
        return Err(InferError::WeightsDamaged {
            expected: format!("SHA-256 {}", manifest.sha256),
            found: format!("SHA-256 {found}"),
            path,
        });
    }
    Ok(Model {
        manifest,
        dir: dir.to_path_buf(),
        weights,
    })
}

/// The manifests in `dirs`, one folder per model, sorted by id. Where two folders give the same
/// id, the one of the earlier entry of `dirs` counts.
///
/// Folders without `manifest.json`, the folder `training` and entries of `dirs` that do not exist
/// are skipped. Weights are not read: that is [`load_model`]'s work.
pub fn list_models(dirs: &[PathBuf]) -> Vec<Result<ModelManifest, (PathBuf, InferError)>> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for dir in dirs {
        let entries = match std::fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            Err(source) => {
                let path = dir.clone();
                found.push(Err((
                    dir.clone(),
                    InferError::ModelUnreadable { source, path },
                )));
                continue;
            }
        };
        let mut folders: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.file_name().is_some_and(|name| name != "training"))
            .filter(|path| path.join("manifest.json").is_file())
            .collect();
        folders.sort();
        for folder in folders {
            match read_manifest(&folder) {
                Ok(manifest) => {
                    if seen.insert(manifest.id.clone()) {
                        found.push(Ok(manifest));
                    }
                }
                Err(e) => found.push(Err((folder, e))),
            }
        }
    }
    found.sort_by(|a, b| match (a, b) {
        (Ok(a), Ok(b)) => a.id.cmp(&b.id),
        (Err((a, _)), Err((b, _))) => a.cmp(b),
        (Ok(_), Err(_)) => std::cmp::Ordering::Less,
        (Err(_), Ok(_)) => std::cmp::Ordering::Greater,
    });
    found
}

/// Reads and checks `manifest.json` in a model's folder, without its weights.
///
/// # Errors
/// [`InferError::ManifestMissing`], [`InferError::ManifestInvalid`] and
/// [`InferError::ModelUnreadable`].
pub fn read_manifest(dir: &Path) -> Result<ModelManifest, InferError> {
    let path = dir.join("manifest.json");
    let file = open(&path, |path| InferError::ManifestMissing { path })?;
    let mut json = String::new();
    match file.take(MAX_MANIFEST_BYTES).read_to_string(&mut json) {
        Ok(_) => {}
        Err(e) if e.kind() == ErrorKind::InvalidData => {
            return Err(InferError::ManifestInvalid {
                source: ManifestError::Syntax("not UTF-8".to_owned()),
                path,
            });
        }
        Err(source) => return Err(InferError::ModelUnreadable { source, path }),
    }
    ModelManifest::parse(&json).map_err(|source| InferError::ManifestInvalid { source, path })
}

fn open(path: &Path, missing: impl Fn(PathBuf) -> InferError) -> Result<File, InferError> {
    File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => missing(path.to_path_buf()),
        _ => InferError::ModelUnreadable {
            source,
            path: path.to_path_buf(),
        },
    })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut s, byte| {
            // Writing to a string cannot fail.
            let _ = write!(s, "{byte:02x}");
            s
        })
}
