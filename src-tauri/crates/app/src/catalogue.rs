//! The catalogue of models that can be fetched: the one that the program brings, or a newer one that
//! is signed by the same people.

use crate::about::About;
use crate::{App, explain};
use frameloom_core::catalogue::{Catalogue, CatalogueModel, MAX_CATALOGUE_BYTES};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_net::{Address, Purpose, Watch};
use minisign_verify::{PublicKey, Signature};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use ts_rs::TS;

/// The catalogue as the program brings it; what brought the program is trusted already.
const BUILT_IN: &[u8] = include_bytes!("../../../../assets/catalogue/catalogue.json");
/// Who may sign a newer one.
const KEY: &str = include_str!("../../../../assets/catalogue/catalogue.pub");
/// Name of a catalogue in the data folder and in bundles.
pub(crate) const FILE: &str = "catalogue.json";
/// What is put behind the name of a catalogue for that of its signature.
pub(crate) const SIGNATURE: &str = ".minisig";
/// No signature is longer.
pub(crate) const MAX_SIGNATURE_BYTES: u64 = 4096;

/// The catalogue as the window and the command line show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CatalogueView {
    /// Rises with every catalogue.
    #[ts(type = "number")]
    pub version: u64,
    /// When a newer one is to be asked for, in milliseconds since 1970.
    #[ts(type = "number")]
    pub expires_millis: u64,
    /// True behind that moment.
    pub is_old: bool,
    /// Its models.
    pub models: Vec<CatalogueEntry>,
}

/// A model of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CatalogueEntry {
    /// What the catalogue says of it.
    pub model: CatalogueModel,
    /// It is installed already.
    pub installed: bool,
    /// Bytes of it that an earlier download left.
    #[ts(type = "number")]
    pub there_bytes: u64,
}

/// Why a catalogue is not taken.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("the catalogue is not signed by the makers of this program")]
    Unsigned,
    #[error("the catalogue cannot be used: {0}")]
    Content(#[from] frameloom_core::catalogue::CatalogueError),
    #[error("the catalogue has version {found}, and version {known} is known already")]
    Older { found: u64, known: u64 },
    #[error("the catalogue is out of date")]
    Expired,
}

impl App {
    /// The newest catalogue that is known.
    ///
    /// # Errors
    /// The catalogue that the program brings cannot be read: a fault of the program.
    pub(crate) fn known_catalogue(&self) -> Result<Catalogue, AppError> {
        let version = About::this().version;
        let built_in = Catalogue::parse(BUILT_IN, &version).map_err(explain::internal)?;
        let newer = self.kept_catalogue().and_then(|(json, signature)| {
            signed(&json, &signature, KEY, &version)
                .inspect_err(|error| tracing::warn!(%error, "the kept catalogue is not used"))
                .ok()
        });
        Ok(newer
            .filter(|newer| newer.version > built_in.version)
            .unwrap_or(built_in))
    }

    /// The newest catalogue that is known, and which of its models are there.
    ///
    /// # Errors
    /// As a fault of the program alone.
    pub fn catalogue(&self) -> Result<CatalogueView, AppError> {
        let catalogue = self.known_catalogue()?;
        let installed = self.list_models(false);
        let models = catalogue.models.into_iter().map(|model| {
            let known = installed.iter().find(|known| known.id == model.manifest.id);
            let known = known.and_then(|known| known.manifest.as_ref());
            CatalogueEntry {
                installed: known.is_some_and(|known| known.sha256 == model.manifest.sha256),
                there_bytes: fs::metadata(self.weights_part(&model.manifest.sha256))
                    .map_or(0, |facts| facts.len()),
                model,
            }
        });
        Ok(CatalogueView {
            version: catalogue.version,
            expires_millis: catalogue.expires_seconds.saturating_mul(1000),
            is_old: catalogue.expires_seconds < now_seconds(),
            models: models.collect(),
        })
    }

    /// Takes a newer catalogue from an address or a file, with its signature beside it.
    ///
    /// # Errors
    /// It cannot be had, is not signed by the makers of this program, is out of date, or is not newer
    /// than the one that is known; that one stays then.
    pub fn renew_catalogue(
        &self,
        from: &str,
        watch: &dyn Watch,
    ) -> Result<CatalogueView, AppError> {
        let (json, signature) = match Address::parse(from) {
            Ok(address) => self.fetch_catalogue(&address, watch)?,
            Err(_) if from.contains("://") => {
                let refused = Address::parse(from).err();
                return Err(refused.map_or_else(
                    || AppError::new(ErrorCode::InvalidRequest, "This is no address."),
                    |error| explain::net(&error),
                ));
            }
            Err(_) => read_catalogue(Path::new(from))?,
        };
        self.take_catalogue(&json, &signature)?;
        self.catalogue()
    }

    /// Keeps a catalogue that is newer than the one that is known.
    pub(crate) fn take_catalogue(&self, json: &[u8], signature: &str) -> Result<(), AppError> {
        let known = self.known_catalogue()?.version;
        newer(json, signature, KEY, known, now_seconds()).map_err(|error| refused(&error))?;
        let folder = self.catalogue_folder();
        let broken = |error: std::io::Error| explain::data_folder(&folder, &error);
        fs::create_dir_all(&folder).map_err(broken)?;
        // Either of them without the other does not fit its signature and is passed over.
        replace(&folder.join(FILE), json).map_err(broken)?;
        replace(
            &folder.join(format!("{FILE}{SIGNATURE}")),
            signature.as_bytes(),
        )
        .map_err(broken)
    }

    fn catalogue_folder(&self) -> PathBuf {
        self.places.data.join("catalogue")
    }

    /// The newest catalogue as it was signed, for a bundle.
    pub(crate) fn signed_catalogue(&self) -> Result<(Vec<u8>, String), AppError> {
        let version = self.known_catalogue()?.version;
        let program = About::this().version;
        let kept = self.kept_catalogue().filter(|(json, signature)| {
            signed(json, signature, KEY, &program).is_ok_and(|kept| kept.version == version)
        });
        Ok(kept.unwrap_or_else(|| {
            let signature = include_str!("../../../../assets/catalogue/catalogue.json.minisig");
            (BUILT_IN.to_vec(), signature.to_owned())
        }))
    }

    fn kept_catalogue(&self) -> Option<(Vec<u8>, String)> {
        let path = self.catalogue_folder().join(FILE);
        path.is_file().then(|| read_catalogue(&path).ok()).flatten()
    }

    fn fetch_catalogue(
        &self,
        address: &Address,
        watch: &dyn Watch,
    ) -> Result<(Vec<u8>, String), AppError> {
        let beside = Address::parse(&format!("{address}{SIGNATURE}"))
            .map_err(|error| explain::net(&error))?;
        self.with_client(std::slice::from_ref(address), |client| {
            let purpose = Purpose::Catalogue;
            let json = client.get(address, MAX_CATALOGUE_BYTES, &purpose, watch)?;
            let signature = client.get(&beside, MAX_SIGNATURE_BYTES, &purpose, watch)?;
            Ok((json, String::from_utf8_lossy(&signature).into_owned()))
        })
    }
}

fn refused(error: &Refused) -> AppError {
    let mut said = error.to_string();
    said[..1].make_ascii_uppercase();
    AppError::new(ErrorCode::InvalidRequest, format!("{said}.")).hint(match error {
        Refused::Unsigned => "Take it from where this program comes from, and leave it as it is.",
        Refused::Content(_) => "It may be made for a newer program.",
        Refused::Older { .. } => "Nothing is to be done: the newer one stays.",
        Refused::Expired => "Ask for a newer one; and see whether the clock is right.",
    })
}

fn now_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Reads a catalogue that is signed with `key`.
fn signed(json: &[u8], signature: &str, key: &str, program: &str) -> Result<Catalogue, Refused> {
    let key = PublicKey::decode(key).map_err(|_| Refused::Unsigned)?;
    let signature = Signature::decode(signature).map_err(|_| Refused::Unsigned)?;
    key.verify(json, &signature, false)
        .map_err(|_| Refused::Unsigned)?;
    Ok(Catalogue::parse(json, program)?)
}

/// Reads a signed catalogue that is to take the place of version `known`.
fn newer(
    json: &[u8],
    signature: &str,
    key: &str,
    known: u64,
    now_seconds: u64,
) -> Result<Catalogue, Refused> {
    let catalogue = signed(json, signature, key, &About::this().version)?;
    if catalogue.version <= known {
        return Err(Refused::Older {
            found: catalogue.version,
            known,
        });
    }
    if catalogue.expires_seconds <= now_seconds {
        return Err(Refused::Expired);
    }
    Ok(catalogue)
}

/// A catalogue and the signature beside it.
fn read_catalogue(path: &Path) -> Result<(Vec<u8>, String), AppError> {
    let read = |path: &Path, limit: u64| -> Result<Vec<u8>, AppError> {
        let unreadable = |error: std::io::Error| explain::unreadable(path, &error);
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(limit)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        Ok(bytes)
    };
    let json = read(path, MAX_CATALOGUE_BYTES)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(SIGNATURE);
    let signature = read(Path::new(&beside), MAX_SIGNATURE_BYTES)?;
    Ok((json, String::from_utf8_lossy(&signature).into_owned()))
}

/// Writes a file whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use minisign::KeyPair;

    struct Maker(KeyPair);

    impl Maker {
        fn new() -> Self {
            Self(KeyPair::generate_unencrypted_keypair().unwrap())
        }

        fn key(&self) -> String {
            self.0.pk.to_box().unwrap().to_string()
        }

        fn sign(&self, json: &[u8]) -> String {
            minisign::sign(None, &self.0.sk, json, None, None)
                .unwrap()
                .to_string()
        }
    }

    fn json(version: u64) -> Vec<u8> {
        let mut json: serde_json::Value = serde_json::from_slice(BUILT_IN).unwrap();
        json["version"] = version.into();
        json["expires_seconds"] = 1_000.into();
        json.to_string().into_bytes()
    }

    #[test]
    fn the_catalogue_of_the_program_is_signed_with_its_key_and_can_be_read() {
        let signature = include_str!("../../../../assets/catalogue/catalogue.json.minisig");
        let catalogue = signed(BUILT_IN, signature, KEY, &About::this().version).unwrap();
        assert!(!catalogue.models.is_empty());
    }

    #[test]
    fn a_newer_catalogue_is_taken_from_its_makers_alone() {
        let (maker, other) = (Maker::new(), Maker::new());
        let json = json(8);
        let signature = maker.sign(&json);
        assert_eq!(
            newer(&json, &signature, &maker.key(), 7, 10)
                .unwrap()
                .version,
            8
        );
        let refused = |json: &[u8], signature: &str, key: &str| {
            matches!(newer(json, signature, key, 7, 10), Err(Refused::Unsigned))
        };
        assert!(refused(&json, &signature, &other.key()));
        assert!(refused(&json, &other.sign(&json), &maker.key()));
        assert!(refused(&json, "", &maker.key()));
        let mut changed = json.clone();
        *changed.last_mut().unwrap() = b' ';
        assert!(refused(&changed, &signature, &maker.key()));
    }

    #[test]
    fn neither_an_older_catalogue_nor_one_that_is_out_of_date_takes_its_place() {
        let maker = Maker::new();
        let json = json(8);
        let signature = maker.sign(&json);
        let take = |known, now| newer(&json, &signature, &maker.key(), known, now);
        assert!(matches!(
            take(8, 10),
            Err(Refused::Older { found: 8, known: 8 })
        ));
        assert!(matches!(take(9, 10), Err(Refused::Older { .. })));
        assert!(take(7, 999).is_ok());
        assert!(matches!(take(7, 1_000), Err(Refused::Expired)));
    }
}
