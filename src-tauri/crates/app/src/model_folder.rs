//! Where models lie: one folder each with its manifest and its card, and their weights once each under
//! their hash (`.weights/`), of which the folders hold hard links.

use crate::{App, explain, jobs, left_behind};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::model::ModelManifest;
use frameloom_engine::file_sha256;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How the names of folders begin that are not complete.
const UNFINISHED: &str = ".importing-";
/// How the names of folders begin that are being removed.
const LEAVING: &str = ".removing-";
/// The folder of weights by hash.
pub(crate) const WEIGHTS: &str = ".weights";
/// How the names of weights end that are not complete.
const PART: &str = ".part";
/// No import takes so long: what is older was left by a program that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(6 * 3600);
/// Weights that no model names may be about to get one: another program may be at it.
const UNUSED: Duration = Duration::from_secs(3600);
/// A download that nobody went on with for so long is not wanted any more.
const FORGOTTEN: Duration = Duration::from_secs(14 * 24 * 3600);

impl App {
    /// Where the weights of this hash lie, or will lie once they are complete.
    pub(crate) fn weights_path(&self, sha256: &str) -> PathBuf {
        self.places.models().join(WEIGHTS).join(sha256)
    }

    /// Where weights of this hash are collected until they are complete.
    pub(crate) fn weights_part(&self, sha256: &str) -> PathBuf {
        self.places
            .models()
            .join(WEIGHTS)
            .join(format!("{sha256}{PART}"))
    }

    /// Makes the folder of weights.
    pub(crate) fn make_weights_folder(&self) -> Result<PathBuf, AppError> {
        let folder = self.places.models().join(WEIGHTS);
        fs::create_dir_all(&folder).map_err(|error| explain::data_folder(&folder, &error))?;
        Ok(folder)
    }

    /// Gives complete weights their name.
    pub(crate) fn keep_weights(&self, part: &Path, sha256: &str) -> Result<(), AppError> {
        let whole = self.weights_path(sha256);
        fs::rename(part, &whole).map_err(|error| explain::data_folder(&whole, &error))
    }

    /// Are the weights kept already? What lies under their name and is something else goes.
    pub(crate) fn has_weights(&self, manifest: &ModelManifest) -> Result<bool, AppError> {
        let path = self.weights_path(&manifest.sha256);
        let broken = |error: std::io::Error| explain::data_folder(&path, &error);
        match file_sha256(&path, &|| {}) {
            Ok((_, found)) if found == manifest.sha256 => return Ok(true),
            Ok(_) => tracing::warn!("kept weights were damaged and are fetched again"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(broken(error)),
        }
        fs::remove_file(&path).map_err(broken)?;
        Ok(false)
    }

    /// Copies weights from a reader to where they are kept, if they are those of `manifest`.
    ///
    /// # Errors
    /// They are not, or cannot be read or kept.
    pub(crate) fn copy_weights(
        &self,
        source: &mut dyn Read,
        manifest: &ModelManifest,
        unreadable: impl Fn(std::io::Error) -> AppError,
        others: impl Fn() -> AppError,
    ) -> Result<(), AppError> {
        // Another name than that of a download, which would go on behind these bytes.
        let unfinished = format!("{UNFINISHED}{}", jobs::fresh_name());
        let path = self.make_weights_folder()?.join(unfinished);
        let broken = |error: std::io::Error| explain::data_folder(&path, &error);
        let unfinished = Unfinished(path.clone());
        let mut target = File::create_new(&path).map_err(broken)?;
        let mut source = source.take(manifest.size_bytes.saturating_add(1));
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        loop {
            let read = source.read(&mut buffer).map_err(&unreadable)?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            target.write_all(&buffer[..read]).map_err(broken)?;
        }
        target.sync_all().map_err(broken)?;
        let found: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        if found != manifest.sha256 {
            return Err(others());
        }
        self.keep_weights(&path, &manifest.sha256)?;
        drop(unfinished);
        Ok(())
    }

    /// Makes the folder of a model whose weights are kept. An earlier folder of the same id goes.
    pub(crate) fn place_model(&self, manifest: &ModelManifest, card: &str) -> Result<(), AppError> {
        let own = self.places.models();
        let broken = |error: std::io::Error| explain::data_folder(&own, &error);
        let folder = own.join(format!("{UNFINISHED}{}", jobs::fresh_name()));
        let unfinished = Unfinished(folder.clone());
        fs::create_dir_all(&folder).map_err(broken)?;
        let weights = self.weights_path(&manifest.sha256);
        link(&weights, &folder.join(&manifest.file)).map_err(broken)?;
        write_synced(&folder.join("README.md"), card.as_bytes()).map_err(broken)?;
        let json = serde_json::to_vec_pretty(manifest).map_err(explain::internal)?;
        // Last: a folder with a manifest is complete.
        write_synced(&folder.join("manifest.json"), &json).map_err(broken)?;

        let target = own.join(&manifest.id);
        let before = own.join(format!("{LEAVING}{}", jobs::fresh_name()));
        let replaced = fs::rename(&target, &before).is_ok();
        if let Err(error) = fs::rename(&folder, &target) {
            if replaced && let Err(error) = fs::rename(&before, &target) {
                tracing::error!(%error, "an earlier copy of a model could not be put back");
            }
            return Err(broken(error));
        }
        drop(unfinished);
        if replaced && let Err(error) = fs::remove_dir_all(&before) {
            tracing::warn!(%error, "an earlier copy of a model could not be removed");
        }
        Ok(())
    }

    /// Removes the folder of a model, and its weights where no other model has the same.
    pub(crate) fn unplace_model(&self, id: &str) -> Result<(), AppError> {
        let own = self.places.models();
        let folder = own.join(id);
        let sha256 = frameloom_infer::read_manifest(&folder).map(|manifest| manifest.sha256);
        // Out of sight at once: nobody meets a model that is half there.
        let leaving = own.join(format!("{LEAVING}{}", jobs::fresh_name()));
        let broken = |error: std::io::Error| explain::data_folder(&folder, &error);
        fs::rename(&folder, &leaving).map_err(broken)?;
        fs::remove_dir_all(&leaving).map_err(broken)?;
        let models = self.list_models(false);
        let named = |sha256: &str| {
            let mut manifests = models.iter().filter_map(|model| model.manifest.as_ref());
            manifests.any(|manifest| manifest.sha256 == sha256)
        };
        if let Some(sha256) = sha256.ok().filter(|sha256| !named(sha256))
            && let Err(error) = fs::remove_file(self.weights_path(&sha256))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "weights that nothing names could not be removed");
        }
        self.sweep_models();
        Ok(())
    }

    /// Removes what killed programs left, weights that no model names, and downloads that nobody went
    /// on with.
    pub(crate) fn sweep_models(&self) {
        let own = self.places.models();
        left_behind::sweep(&own, LEFT_BEHIND, |name, kind| {
            kind.is_dir() && (name.starts_with(UNFINISHED) || name.starts_with(LEAVING))
        });
        let weights = own.join(WEIGHTS);
        left_behind::sweep(&weights, LEFT_BEHIND, |name, kind| {
            kind.is_file() && name.starts_with(UNFINISHED)
        });
        left_behind::sweep(&weights, FORGOTTEN, |name, kind| {
            kind.is_file() && name.ends_with(PART)
        });
        let named: BTreeSet<String> = self
            .list_models(false)
            .into_iter()
            .filter_map(|model| Some(model.manifest?.sha256))
            .collect();
        left_behind::sweep(&weights, UNUSED, |name, kind| {
            kind.is_file() && is_hash(name) && !named.contains(name)
        });
    }

    /// Bytes that are counted twice when all files of all models are counted: weights that a model
    /// shares with the store.
    pub(crate) fn shared_bytes(&self) -> u64 {
        let models = self.list_models(false).into_iter();
        let shared = models.filter_map(|model| {
            let weights = self.weights_path(&model.manifest?.sha256);
            fs::metadata(weights).ok().map(|facts| facts.len())
        });
        shared.sum()
    }

    /// Refuses where there is no room for `bytes` more.
    pub(crate) fn room_for_weights(&self, bytes: u64) -> Result<(), AppError> {
        let own = self.places.models();
        let Some(free) = crate::disk::free_bytes(&own) else {
            return Ok(());
        };
        if free >= bytes.saturating_add(crate::disk::RESERVE_BYTES) {
            return Ok(());
        }
        let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
        Err(AppError::new(
            ErrorCode::DiskFull,
            format!(
                "The model needs {} MB, and the disk of the data folder has {} MB left.",
                megabytes(bytes),
                megabytes(free)
            ),
        )
        .hint("Free some space, and try again."))
    }
}

/// Is this the name of weights that are complete?
pub(crate) fn is_hash(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Some disks of memory cards know no links; there the file itself goes to its model.
fn link(weights: &Path, to: &Path) -> std::io::Result<()> {
    match fs::hard_link(weights, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(error),
        Err(error) => {
            tracing::info!(%error, "weights cannot be linked on this disk, and are moved");
            fs::rename(weights, to)
        }
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A folder or a file that goes unless it was given its name.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let removed = match self.0.is_dir() {
            true => fs::remove_dir_all(&self.0),
            false => fs::remove_file(&self.0),
        };
        if let Err(error) = removed
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "what was copied of a model could not be removed");
        }
    }
}
