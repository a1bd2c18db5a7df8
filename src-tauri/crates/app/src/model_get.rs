//! Models of the catalogue: fetched, or taken from a folder or a bundle that somebody brought.

use crate::catalogue::{FILE, MAX_SIGNATURE_BYTES, SIGNATURE};
use crate::{App, ModelEntry, explain};
use frameloom_core::catalogue::{CatalogueModel, MAX_CATALOGUE_BYTES};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::model::ModelManifest;
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_engine::file_sha256;
use frameloom_net::{Address, Download, Purpose, Watch};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use ts_rs::TS;

/// How often a window is told.
const OFTEN: Duration = Duration::from_millis(150);
/// Most entries of a bundle that are looked at.
const MAX_ENTRIES: usize = 20_000;

/// Where the weights of a model come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelSource {
    /// The addresses that the catalogue names.
    Catalogue,
    /// A server of the user that has `ID/FILE` below an address.
    Mirror {
        /// The address.
        address: String,
    },
    /// A folder, a bundle, or the file itself.
    Path {
        /// Its path.
        path: String,
    },
}

/// A bundle of models that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bundled {
    /// The file.
    pub path: PathBuf,
    /// Ids of the models in it.
    pub models: Vec<String>,
    /// Its size.
    pub size_bytes: u64,
}

fn invalid(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
}

impl App {
    /// What the catalogue says of a model.
    ///
    /// # Errors
    /// It has no such model.
    pub fn catalogue_model(&self, id: &str) -> Result<CatalogueModel, AppError> {
        let catalogue = self.known_catalogue()?;
        catalogue.model(id).cloned().ok_or_else(|| {
            AppError::new(
                ErrorCode::ModelNotFound,
                said!(
                    "catalogue.no_model",
                    "The catalogue has no model `{id}`.",
                    id = id
                ),
            )
            .hint("`frameloom models available` shows those that it has.")
        })
    }

    /// Installs a model of the catalogue. What is there already is not fetched again, and what came of
    /// it before the connection broke is gone on with.
    ///
    /// # Errors
    /// The catalogue has no such model, there is no room, or its weights cannot be had from `source`.
    pub fn get_model(
        &self,
        id: &str,
        source: &ModelSource,
        watch: &dyn Watch,
    ) -> Result<ModelEntry, AppError> {
        let mut bundle = match source {
            ModelSource::Path { path } => Bundle::open(Path::new(path))?,
            _ => None,
        };
        let model = self.catalogue_model(id)?;
        let manifest = &model.manifest;
        self.check_name(manifest)?;
        if self.models.ready(id).is_ok() {
            return Ok(self.model(id)?.0);
        }
        self.sweep_models();
        if !self.has_weights(manifest)? {
            self.room_for_weights(manifest.size_bytes)?;
            match (source, &mut bundle) {
                (_, Some(bundle)) => self.take_from_bundle(bundle, manifest)?,
                (ModelSource::Path { path }, None) => {
                    self.take_from_path(Path::new(path), manifest)?;
                }
                (ModelSource::Mirror { address }, None) => {
                    let base = Address::parse(address).map_err(|error| explain::net(&error))?;
                    let at = base.below([manifest.id.as_str(), manifest.file.as_str()]);
                    self.fetch(manifest, &[at], std::slice::from_ref(&base), watch)?;
                }
                (ModelSource::Catalogue, None) => {
                    let addresses = model.addresses.iter().map(|text| Address::parse(text));
                    let addresses: Vec<_> = addresses
                        .collect::<Result<_, _>>()
                        .map_err(|error| explain::net(&error))?;
                    self.fetch(manifest, &addresses, &[], watch)?;
                }
            }
        }
        self.place_model(manifest, &card(&model))?;
        Ok(self.model(id)?.0)
    }

    /// As [`App::get_model`], for a window: it is told how many bytes are there, a few times a second,
    /// and ends it by [`App::give_up_model`].
    ///
    /// # Errors
    /// As [`App::get_model`]; or this model is being fetched already.
    pub fn fetch_model(
        &self,
        id: &str,
        source: &ModelSource,
        tell: &dyn Fn(u64),
    ) -> Result<ModelEntry, AppError> {
        let given_up = Arc::new(AtomicBool::new(false));
        {
            let mut fetches = self.fetches();
            if fetches.contains_key(id) {
                return Err(invalid(said!(
                    "catalogue.fetching",
                    "The model `{id}` is being fetched already.",
                    id = id
                ))
                .hint("Wait until it is there."));
            }
            fetches.insert(id.to_owned(), given_up.clone());
        }
        let waiting = Waiting {
            given_up,
            tell,
            told: Cell::new(None),
        };
        let got = self.get_model(id, source, &waiting);
        self.fetches().remove(id);
        got
    }

    /// Ends [`App::fetch_model`]; what came is kept for the next time.
    pub fn give_up_model(&self, id: &str) {
        if let Some(given_up) = self.fetches().get(id) {
            given_up.store(true, Ordering::SeqCst);
        }
    }

    fn fetches(&self) -> MutexGuard<'_, BTreeMap<String, Arc<AtomicBool>>> {
        self.fetches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fetch(
        &self,
        manifest: &ModelManifest,
        sources: &[Address],
        named: &[Address],
        watch: &dyn Watch,
    ) -> Result<(), AppError> {
        self.make_weights_folder()?;
        let part = self.weights_part(&manifest.sha256);
        let wanted = Download {
            sources,
            sha256: &manifest.sha256,
            size_bytes: manifest.size_bytes,
            purpose: Purpose::Model {
                id: manifest.id.clone(),
            },
        };
        self.with_client(named, |client| client.download(&wanted, &part, watch))?;
        self.keep_weights(&part, &manifest.sha256)
    }

    fn take_from_path(&self, path: &Path, manifest: &ModelManifest) -> Result<(), AppError> {
        let path = match path.is_dir() {
            false => path.to_owned(),
            true => {
                let known = path.join(&manifest.id).join(&manifest.file);
                Some(known)
                    .filter(|path| path.is_file())
                    .or_else(|| of_this_hash(path, manifest))
                    .ok_or_else(|| {
                        AppError::new(
                            ErrorCode::ModelNotFound,
                            said!("catalogue.no_file", "The folder has no file of the model `{id}`.", id = manifest.id.as_str()),
                        )
                        .hint(format!(
                            "It is looked for as `{}/{}`, and by its SHA-256 among the files of that folder.",
                            manifest.id, manifest.file
                        ))
                    })?
            }
        };
        let unreadable = |error: io::Error| explain::unreadable(&path, &error);
        let mut file = File::open(&path).map_err(unreadable)?;
        self.copy_weights(&mut file, manifest, unreadable, || {
            others(&path, &manifest.id)
        })
    }

    /// Takes the catalogue of a bundle if it is newer than the one that is known: to be done before
    /// licences are shown, which it may say otherwise. Of another source there is nothing to learn.
    ///
    /// # Errors
    /// The bundle cannot be read.
    pub fn learn_from(&self, source: &ModelSource) -> Result<(), AppError> {
        let ModelSource::Path { path } = source else {
            return Ok(());
        };
        let Some(mut bundle) = Bundle::open(Path::new(path))? else {
            return Ok(());
        };
        let json = bundle.read(FILE, MAX_CATALOGUE_BYTES)?;
        let signature = bundle.read(&format!("{FILE}{SIGNATURE}"), MAX_SIGNATURE_BYTES)?;
        let (Some(json), Some(signature)) = (json, signature) else {
            return Ok(());
        };
        let signature = String::from_utf8_lossy(&signature);
        // The bundle of an older program is as good for its models.
        if let Err(error) = self.take_catalogue(&json, &signature) {
            tracing::info!(%error, "the catalogue of a bundle is not taken");
        }
        Ok(())
    }

    fn take_from_bundle(
        &self,
        bundle: &mut Bundle,
        manifest: &ModelManifest,
    ) -> Result<(), AppError> {
        let path = bundle.path.clone();
        let unreadable = |error: io::Error| explain::unreadable(&path, &error);
        let name = format!("{}/{}", manifest.id, manifest.file);
        let found = bundle.with(&name, |entry| {
            self.copy_weights(entry, manifest, unreadable, || others(&path, &manifest.id))
        })?;
        found.unwrap_or_else(|| {
            Err(AppError::new(
                ErrorCode::ModelNotFound,
                said!(
                    "catalogue.not_in_bundle",
                    "The bundle has no model `{id}`.",
                    id = manifest.id.as_str()
                ),
            )
            .hint("Write it anew with this model on a computer that has it: `frameloom models bundle`."))
        })
    }

    /// Writes models of the catalogue into one file, for a computer without a connection.
    ///
    /// # Errors
    /// A model is not installed as the catalogue has it, or the file is there already or cannot be
    /// written.
    pub fn bundle_models(&self, ids: &[String], to: &Path) -> Result<Bundled, AppError> {
        let mut models = Vec::new();
        for id in ids {
            let model = self.catalogue_model(id)?;
            let folder = self.models.ready(id).ok().zip(self.model_folder(id).ok());
            match folder {
                Some((installed, folder)) if installed.sha256 == model.manifest.sha256 => {
                    models.push((model.manifest, folder.join(installed.file)));
                }
                _ => {
                    return Err(invalid(format!("The model `{id}` is not installed."))
                        .hint(format!("Get it first: `frameloom models get {id}`.")));
                }
            }
        }
        if models.is_empty() {
            return Err(invalid("No model was named.")
                .hint("`frameloom models available` shows which are installed."));
        }
        let (json, signature) = self.signed_catalogue()?;
        let broken = |error: io::Error| explain::unwritable(to, &error);
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        let file =
            tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(broken)?;
        let mut tar = tar::Builder::new(file);
        let mut add = |name: &str, size: u64, content: &mut dyn Read| {
            let mut header = tar::Header::new_gnu();
            header.set_size(size);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, content)
        };
        add(FILE, json.len() as u64, &mut &json[..]).map_err(broken)?;
        let name = format!("{FILE}{SIGNATURE}");
        add(&name, signature.len() as u64, &mut signature.as_bytes()).map_err(broken)?;
        for (manifest, path) in &models {
            let unreadable = |error: io::Error| explain::unreadable(path, &error);
            let (_, found) = file_sha256(path, &|| {}).map_err(unreadable)?;
            if found != manifest.sha256 {
                return Err(AppError::new(
                    ErrorCode::ModelInvalid,
                    said!(
                        "catalogue.damaged",
                        "The weights of `{id}` are damaged.",
                        id = manifest.id.as_str()
                    ),
                )
                .hint("Remove the model and get it again."));
            }
            let mut weights = File::open(path).map_err(unreadable)?;
            let name = format!("{}/{}", manifest.id, manifest.file);
            add(&name, manifest.size_bytes, &mut weights).map_err(broken)?;
        }
        let file = tar.into_inner().map_err(broken)?;
        file.as_file().sync_all().map_err(broken)?;
        let kept = file
            .persist_noclobber(to)
            .map_err(|error| match error.error.kind() {
                io::ErrorKind::AlreadyExists => {
                    invalid(format!("There is a file `{}` already.", to.display()))
                        .hint("Choose another name; nothing is overwritten.")
                }
                _ => broken(error.error),
            })?;
        Ok(Bundled {
            path: to.to_owned(),
            models: models
                .into_iter()
                .map(|(manifest, _)| manifest.id)
                .collect(),
            size_bytes: kept.metadata().map_err(broken)?.len(),
        })
    }
}

/// A window that waits for a model.
struct Waiting<'a> {
    given_up: Arc<AtomicBool>,
    tell: &'a dyn Fn(u64),
    told: Cell<Option<Instant>>,
}

impl Watch for Waiting<'_> {
    fn progress(&self, done_bytes: u64) {
        if self.told.get().is_none_or(|told| told.elapsed() >= OFTEN) {
            self.told.set(Some(Instant::now()));
            (self.tell)(done_bytes);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.given_up.load(Ordering::SeqCst)
    }
}

/// A file of a folder that is the one that is wanted, whatever it is called.
fn of_this_hash(folder: &Path, manifest: &ModelManifest) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.flatten().filter(|entry| {
        let facts = entry.metadata();
        facts.is_ok_and(|facts| facts.is_file() && facts.len() == manifest.size_bytes)
    });
    files.map(|entry| entry.path()).find(|path| {
        let found = file_sha256(path, &|| {});
        found.is_ok_and(|(_, found)| found == manifest.sha256)
    })
}

/// Files are told apart by their hash, not by their name.
fn others(path: &Path, id: &str) -> AppError {
    AppError::new(
        ErrorCode::ModelInvalid,
        said!("catalogue.other_weights", "`{path}` does not hold the weights of the model `{id}`.", path = path.display(), id = id),
    )
    .hint("Its SHA-256 is another. Copy or fetch it again; or import it as a model of yours: `frameloom models import`.")
}

/// What is told of a model of the catalogue where others have their card.
fn card(model: &CatalogueModel) -> String {
    let manifest = &model.manifest;
    let text = |texts: &std::collections::BTreeMap<String, String>| {
        texts.get("en").cloned().unwrap_or_default()
    };
    let licence = &manifest.licence;
    let mut card = format!(
        "# {}\n\n{}\n\n{}\n\n- Licence: {}",
        manifest.name,
        text(&manifest.summary),
        text(&model.quality),
        licence.spdx
    );
    if let Some(url) = &licence.url {
        card.push_str(&format!(" ({url})"));
    }
    if let Some(credit) = &licence.attribution {
        card.push_str(&format!("\n- Credit: {credit}"));
    }
    let origin = &model.origin;
    card.push_str(&format!(
        "\n- From: {}, commit {}, {}\n- SHA-256: {}\n",
        origin.repository, origin.commit, origin.path, manifest.sha256
    ));
    card
}

/// A tar file with a catalogue and weights as `ID/FILE`.
struct Bundle {
    path: PathBuf,
    file: File,
}

impl Bundle {
    /// Opens a bundle; `None` if the file is none.
    fn open(path: &Path) -> Result<Option<Self>, AppError> {
        if !path.is_file() {
            return match path.is_dir() {
                true => Ok(None),
                false => Err(explain::unreadable(
                    path,
                    &fs::metadata(path)
                        .map_or_else(|error| error, |_| io::ErrorKind::InvalidInput.into()),
                )),
            };
        }
        let unreadable = |error: io::Error| explain::unreadable(path, &error);
        let mut file = File::open(path).map_err(unreadable)?;
        let mut start = Vec::new();
        (&mut file)
            .take(512)
            .read_to_end(&mut start)
            .map_err(unreadable)?;
        let is_tar = start.get(257..262) == Some(b"ustar");
        Ok(is_tar.then(|| Self {
            path: path.to_owned(),
            file,
        }))
    }

    /// Does `work` with the entry of this name; `None` if there is none.
    fn with<T>(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut dyn Read) -> T,
    ) -> Result<Option<T>, AppError> {
        let unreadable = |error: io::Error| explain::unreadable(&self.path, &error);
        self.file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let mut tar = tar::Archive::new(BufReader::new(&self.file));
        for entry in tar.entries().map_err(unreadable)?.take(MAX_ENTRIES) {
            let mut entry = entry.map_err(unreadable)?;
            // Names are compared, never followed.
            if entry.header().entry_type().is_file() && *entry.path_bytes() == *name.as_bytes() {
                return Ok(Some(work(&mut entry)));
            }
        }
        Ok(None)
    }

    /// A small entry, whole.
    fn read(&mut self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, AppError> {
        let path = self.path.clone();
        let read = self.with(name, |entry| {
            let mut bytes = Vec::new();
            entry.take(limit).read_to_end(&mut bytes).map(|_| bytes)
        })?;
        read.transpose()
            .map_err(|error| explain::unreadable(&path, &error))
    }
}
