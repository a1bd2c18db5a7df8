//! Installed models: those that come with the program, and those of the user.

use crate::stamp::Known;
use crate::{App, Places, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::model::{ModelManifest, Task};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_engine::EngineError;
use frameloom_infer::{InferError, Model};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use ts_rs::TS;

/// A model that is part of the program itself, so that it works from the first start on.
struct Bundled {
    id: &'static str,
    files: &'static [(&'static str, &'static [u8])],
}

macro_rules! bundled {
    ($id:literal) => {
        Bundled {
            id: $id,
            files: &[
                (
                    concat!($id, ".onnx"),
                    include_bytes!(concat!("../../../../models/", $id, "/", $id, ".onnx")),
                ),
                (
                    "README.md",
                    include_bytes!(concat!("../../../../models/", $id, "/README.md")),
                ),
                // Last: a folder with a manifest is complete.
                (
                    "manifest.json",
                    include_bytes!(concat!("../../../../models/", $id, "/manifest.json")),
                ),
            ],
        }
    };
}

const BUNDLED: &[Bundled] = &[bundled!("loom-x2"), bundled!("loom-x2-web")];

/// For sources that were compressed with loss.
pub const MODEL_FOR_LOSSY: &str = "loom-x2-web";
/// For clean sources.
pub const MODEL_FOR_CLEAN: &str = "loom-x2";

/// A model as the window and the command line list it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ModelEntry {
    /// Folder name; the same as the manifest's id where there is a manifest.
    pub id: String,
    /// What the manifest says; `None` where it cannot be read.
    pub manifest: Option<ModelManifest>,
    /// Can it be used?
    pub state: ModelState,
    /// Why not, in a sentence.
    pub message: Option<String>,
    /// The same for the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub said: Option<Said>,
    /// Comes with the program.
    pub bundled: bool,
}

/// Can a model be used?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ModelState {
    /// Yes.
    Ready,
    /// Its weights are not there.
    Missing,
    /// Its manifest or weights are damaged.
    Damaged,
}

/// The folders that hold models.
#[derive(Debug)]
pub struct ModelStore {
    own: PathBuf,
    folders: Vec<PathBuf>,
    manifests: Known<ModelManifest>,
}

impl ModelStore {
    pub(crate) fn open(places: &Places) -> Result<Self, AppError> {
        let own = places.models();
        for model in BUNDLED {
            let folder = own.join(model.id);
            let manifest = model.files.last().map_or(&[][..], |(_, bytes)| bytes);
            let current = fs::read(folder.join("manifest.json")).is_ok_and(|m| m == manifest);
            if !current {
                install(model, &own).map_err(|error| explain::data_folder(&own, &error))?;
            }
        }
        let mut folders = vec![own.clone()];
        folders.extend(places.extra_models.iter().cloned());
        Ok(Self {
            own,
            folders,
            manifests: Known::default(),
        })
    }

    fn folder(&self, id: &str) -> Result<PathBuf, EngineError> {
        let plain = !id.is_empty() && !id.starts_with('.') && !id.contains(['/', '\\', '\0', ':']);
        self.folders
            .iter()
            .map(|folder| folder.join(id))
            .find(|folder| plain && folder.join("manifest.json").is_file())
            .ok_or_else(|| InferError::ModelNotFound { id: id.to_owned() }.into())
    }

    fn manifest_in(&self, folder: &Path) -> Result<ModelManifest, EngineError> {
        let path = folder.join("manifest.json");
        Ok(self
            .manifests
            .of(&path, || frameloom_infer::read_manifest(folder))?)
    }
}

impl ModelStore {
    /// The manifest of a model whose weights are there, as far as their size tells.
    pub(crate) fn ready(&self, id: &str) -> Result<ModelManifest, EngineError> {
        let folder = self.folder(id)?;
        let manifest = self.manifest_in(&folder)?;
        let path = folder.join(&manifest.file);
        match fs::metadata(&path).map(|weights| weights.len()) {
            Ok(size) if size == manifest.size_bytes => Ok(manifest),
            Ok(size) => Err(InferError::WeightsDamaged {
                expected: format!("{} bytes", manifest.size_bytes),
                found: format!("{size} bytes"),
                path,
            }
            .into()),
            Err(_) => Err(InferError::WeightsMissing { path }.into()),
        }
    }
}

impl frameloom_engine::Models for ModelStore {
    fn manifest(&self, id: &str) -> Result<ModelManifest, EngineError> {
        self.manifest_in(&self.folder(id)?)
    }

    fn load(&self, id: &str) -> Result<Model, EngineError> {
        Ok(frameloom_infer::load_model(&self.folder(id)?)?)
    }
}

/// Writes a bundled model beside its place and moves it there, so that no other process sees half
/// of it.
fn install(model: &Bundled, own: &Path) -> std::io::Result<()> {
    let temporary = own.join(format!(".{}-{}", model.id, std::process::id()));
    let target = own.join(model.id);
    fs::create_dir_all(&temporary)?;
    for (name, bytes) in model.files {
        fs::write(temporary.join(name), bytes)?;
    }
    if target.exists() {
        // An older or damaged version of the same model.
        fs::remove_dir_all(&target)?;
    }
    fs::rename(&temporary, &target).or_else(|error| {
        fs::remove_dir_all(&temporary)?;
        // Another process that started at the same time was first.
        if target.join("manifest.json").is_file() {
            Ok(())
        } else {
            Err(error)
        }
    })
}

impl App {
    /// Ids of the models that are ready and do this, in order.
    pub(crate) fn models_for(&self, task: Task) -> Vec<String> {
        self.ready_models()
            .filter(|manifest| manifest.task == task)
            .map(|manifest| manifest.id)
            .collect()
    }

    /// What the models that are ready do, each task once.
    pub fn model_tasks(&self) -> Vec<Task> {
        let mut tasks = Vec::new();
        for manifest in self.ready_models() {
            if !tasks.contains(&manifest.task) {
                tasks.push(manifest.task);
            }
        }
        tasks
    }

    fn ready_models(&self) -> impl Iterator<Item = ModelManifest> {
        let models = self.list_models(false).into_iter();
        models
            .filter(|entry| entry.state == ModelState::Ready)
            .filter_map(|entry| entry.manifest)
    }

    /// All models, checked as far as `verify` says: without it, only that the files are there and
    /// have the right size; with it, their hashes.
    pub fn list_models(&self, verify: bool) -> Vec<ModelEntry> {
        let mut entries: Vec<ModelEntry> = Vec::new();
        for folder in &self.models.folders {
            let Ok(children) = fs::read_dir(folder) else {
                continue;
            };
            for child in children.flatten() {
                let id = child.file_name().to_string_lossy().into_owned();
                let path = child.path();
                let known = entries.iter().any(|e| e.id == id);
                if id.starts_with('.') || known || !path.join("manifest.json").is_file() {
                    continue;
                }
                entries.push(self.entry(id, &path, verify));
            }
        }
        entries.sort_by(|a, b| (!a.bundled, &a.id).cmp(&(!b.bundled, &b.id)));
        entries
    }

    fn entry(&self, id: String, folder: &Path, verify: bool) -> ModelEntry {
        let bundled =
            folder.parent() == Some(&self.models.own) && BUNDLED.iter().any(|b| b.id == id);
        let manifest = match frameloom_infer::read_manifest(folder) {
            Ok(manifest) => manifest,
            Err(error) => {
                return ModelEntry {
                    id,
                    manifest: None,
                    state: ModelState::Damaged,
                    said: Some(error.said()),
                    message: Some(explain::infer(&error).message),
                    bundled,
                };
            }
        };
        let weights = folder.join(&manifest.file);
        let size = fs::metadata(&weights).map(|m| m.len());
        let (state, wrong) = match size {
            Err(_) => (
                ModelState::Missing,
                Some(said!(
                    "model.no_weights",
                    "The weights `{file}` are not there.",
                    file = manifest.file.as_str()
                )),
            ),
            Ok(size) if size != manifest.size_bytes => (
                ModelState::Damaged,
                Some(said!(
                    "model.weights_size",
                    "The weights have {size} bytes instead of {expected}.",
                    size = size,
                    expected = manifest.size_bytes
                )),
            ),
            Ok(_) if verify => match frameloom_infer::load_model(folder) {
                Ok(_) => (ModelState::Ready, None),
                Err(error) => {
                    let told = explain::infer(&error);
                    (
                        ModelState::Damaged,
                        Some(told.as_said()).map(|said| Said {
                            text: told.message,
                            ..said
                        }),
                    )
                }
            },
            Ok(_) => (ModelState::Ready, None),
        };
        ModelEntry {
            id,
            manifest: Some(manifest),
            state,
            message: wrong.as_ref().map(Said::to_string),
            said: wrong.and_then(Said::known),
            bundled,
        }
    }

    /// One model with its card.
    ///
    /// # Errors
    /// There is no such model.
    pub fn model(&self, id: &str) -> Result<(ModelEntry, Option<String>), AppError> {
        let folder = self.models.folder(id).map_err(|e| explain::engine(&e))?;
        let card = fs::read_to_string(folder.join("README.md")).ok();
        Ok((self.entry(id.to_owned(), &folder, false), card))
    }

    /// One model, with the hash of its weights.
    ///
    /// # Errors
    /// There is no such model.
    pub fn verify_model(&self, id: &str) -> Result<ModelEntry, AppError> {
        let folder = self.models.folder(id).map_err(|e| explain::engine(&e))?;
        Ok(self.entry(id.to_owned(), &folder, true))
    }

    /// The folder of a model.
    ///
    /// # Errors
    /// There is no such model.
    pub fn model_folder(&self, id: &str) -> Result<PathBuf, AppError> {
        self.models.folder(id).map_err(|e| explain::engine(&e))
    }

    /// Puts the bundled models back as they came with the program.
    ///
    /// # Errors
    /// The data folder cannot be written.
    pub fn repair_models(&self) -> Result<(), AppError> {
        for model in BUNDLED {
            install(model, &self.models.own)
                .map_err(|error| explain::data_folder(&self.models.own, &error))?;
        }
        Ok(())
    }
}

/// Error for a request that names a model which does not fit.
pub(crate) fn unfit(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
        .hint("`frameloom models list` shows the models that are installed.")
}
