//! The catalogue of models that can be fetched: what it says of each, and which of it is believed.

use crate::model::ModelManifest;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use ts_rs::TS;

/// Format of the catalogue that this program reads.
pub const CATALOGUE_FORMAT: u32 = 1;
/// Largest catalogue that is read, in bytes.
pub const MAX_CATALOGUE_BYTES: u64 = 4 << 20;
/// Most models of a catalogue.
const MAX_MODELS: usize = 10_000;
/// Most addresses of a model.
const MAX_ADDRESSES: usize = 8;
/// Languages in which everything is said that people choose by.
const LANGUAGES: [&str; 3] = ["en", "vi", "fr"];

/// Models that can be fetched. It is signed as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// [`CATALOGUE_FORMAT`].
    pub format: u32,
    /// Rises with every catalogue: an older one never replaces a newer one.
    pub version: u64,
    /// From then on a newer one is to be asked for, in seconds since 1970 (UTC).
    pub expires_seconds: u64,
    /// The models.
    pub models: Vec<CatalogueModel>,
}

/// A model that can be fetched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct CatalogueModel {
    /// What it is: id, task, licence, how it is fed and read, hash and size of its file.
    pub manifest: ModelManifest,
    /// Where its file is, the place of its maker first.
    pub addresses: Vec<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// Memory that it takes on a picture of 1920x1080, beyond the program itself.
    #[ts(type = "number")]
    pub memory_bytes: u64,
    /// What it is good at and what not, a sentence or two, by language.
    pub quality: BTreeMap<String, String>,
    /// The oldest version of the program that can use it.
    pub minimum_program: String,
}

/// A file in a public repository, as it was at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Origin {
    /// Address of the repository.
    pub repository: String,
    /// The whole hash of the commit.
    pub commit: String,
    /// Path of the file in it.
    pub path: String,
}

/// Why a catalogue is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// Not JSON of this shape.
    #[error("it cannot be read: {0}")]
    Syntax(String),
    /// Of another format.
    #[error("its format is {found}; this program reads {CATALOGUE_FORMAT}")]
    Format {
        /// What it is.
        found: u32,
    },
    /// A model says something that makes no sense.
    #[error("the model `{model}` is not described rightly: {reason}")]
    Model {
        /// Its id.
        model: String,
        /// What is wrong.
        reason: String,
    },
    /// It has too many models.
    #[error("it has more than {MAX_MODELS} models")]
    TooMany,
}

impl Catalogue {
    /// Reads a catalogue. Models that `program` is too old for are left out: their description may use
    /// words that it does not know.
    ///
    /// # Errors
    /// It is none, or a model that this program should know is not described rightly.
    pub fn parse(json: &[u8], program: &str) -> Result<Self, CatalogueError> {
        #[derive(Deserialize)]
        struct Outer {
            format: u32,
            version: u64,
            expires_seconds: u64,
            models: Vec<serde_json::Value>,
        }
        let syntax = |error: serde_json::Error| CatalogueError::Syntax(error.to_string());
        let format: serde_json::Value = serde_json::from_slice(json).map_err(syntax)?;
        let found = format["format"].as_u64().unwrap_or(0);
        if found != u64::from(CATALOGUE_FORMAT) {
            return Err(CatalogueError::Format {
                found: found.try_into().unwrap_or(u32::MAX),
            });
        }
        let outer: Outer = serde_json::from_value(format).map_err(syntax)?;
        if outer.models.len() > MAX_MODELS {
            return Err(CatalogueError::TooMany);
        }
        let mut models = Vec::new();
        for value in outer.models {
            let needs = value["minimum_program"].as_str().unwrap_or_default();
            if version_of(needs).is_some_and(|needs| version_of(program) < Some(needs)) {
                continue;
            }
            let id = value["manifest"]["id"].as_str().unwrap_or("?").to_owned();
            let model: CatalogueModel =
                serde_json::from_value(value).map_err(|error| CatalogueError::Model {
                    model: id,
                    reason: error.to_string(),
                })?;
            models.push(model);
        }
        let catalogue = Self {
            format: outer.format,
            version: outer.version,
            expires_seconds: outer.expires_seconds,
            models,
        };
        catalogue.check()?;
        Ok(catalogue)
    }

    fn check(&self) -> Result<(), CatalogueError> {
        let mut ids = BTreeSet::new();
        for model in &self.models {
            let reason = match ids.insert(&model.manifest.id) {
                true => model.fault(),
                false => Some("another model has the same id".to_owned()),
            };
            if let Some(reason) = reason {
                return Err(CatalogueError::Model {
                    model: model.manifest.id.clone(),
                    reason,
                });
            }
        }
        Ok(())
    }

    /// The model of an id.
    pub fn model(&self, id: &str) -> Option<&CatalogueModel> {
        self.models.iter().find(|model| model.manifest.id == id)
    }
}

impl CatalogueModel {
    /// What is wrong with its description.
    fn fault(&self) -> Option<String> {
        if let Err(error) = self.manifest.check() {
            return Some(error.to_string());
        }
        let licence = &self.manifest.licence;
        let encrypted = |address: &String| address.starts_with("https://");
        let in_all = |texts: &BTreeMap<String, String>| {
            LANGUAGES.iter().all(|language| {
                texts
                    .get(*language)
                    .is_some_and(|text| !text.trim().is_empty())
            })
        };
        let hexadecimal = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        let rules = [
            (licence.class.is_some(), "its licence has no class"),
            (
                licence.url.as_ref().is_some_and(encrypted),
                "the text of its licence has no address",
            ),
            (
                licence.class != Some(LicenceClass::Attribution) || licence.attribution.is_some(),
                "its licence asks for a credit, and there is none",
            ),
            (
                (1..=MAX_ADDRESSES).contains(&self.addresses.len()),
                "it needs one to eight addresses",
            ),
            (
                self.addresses.iter().all(encrypted),
                "an address is not encrypted",
            ),
            (
                encrypted(&self.origin.repository),
                "its repository has no address",
            ),
            (
                self.origin.commit.len() == 40 && self.origin.commit.chars().all(hexadecimal),
                "its origin is not one commit",
            ),
            (!self.origin.path.is_empty(), "its origin names no file"),
            (self.memory_bytes > 0, "its need of memory is unknown"),
            (
                in_all(&self.manifest.summary) && in_all(&self.quality),
                "it is not described in en, vi and fr",
            ),
            (
                version_of(&self.minimum_program).is_some(),
                "`minimum_program` is no version",
            ),
        ];
        let broken = rules.iter().find(|(holds, _)| !holds);
        broken.map(|(_, reason)| (*reason).to_owned())
    }
}

/// What a licence of weights allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LicenceClass {
    /// Any use, without conditions on results.
    Free,
    /// Any use, with a credit.
    Attribution,
    /// Any use, and what is made of the weights stays under the licence.
    ShareAlike,
    /// No commercial use.
    NonCommercial,
    /// After an agreement with its maker alone.
    Gated,
}

/// Major, minor, patch.
fn version_of(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::manifest_json;
    use serde_json::{Value, json};

    fn model(id: &str) -> Value {
        let mut manifest = manifest_json();
        manifest["id"] = id.into();
        manifest["licence"] = json!({
            "spdx": "MIT", "attribution": null, "class": "free",
            "url": "https://example.org/LICENSE",
        });
        let texts = json!({"en": "Good.", "vi": "Tốt.", "fr": "Bon."});
        manifest["summary"] = texts.clone();
        json!({
            "manifest": manifest,
            "addresses": ["https://example.org/a.onnx"],
            "origin": {
                "repository": "https://example.org/a",
                "commit": "0123456789abcdef0123456789abcdef01234567",
                "path": "a.onnx",
            },
            "memory_bytes": 1000,
            "quality": texts,
            "minimum_program": "0.1.0",
        })
    }

    fn catalogue(models: Vec<Value>) -> Value {
        json!({"format": 1, "version": 3, "expires_seconds": 2_000_000_000, "models": models})
    }

    fn parse(json: &Value) -> Result<Catalogue, CatalogueError> {
        Catalogue::parse(json.to_string().as_bytes(), "0.1.0")
    }

    #[test]
    fn a_catalogue_is_read_and_its_models_found_by_id() {
        let read = parse(&catalogue(vec![model("a"), model("b")])).unwrap();
        assert_eq!(read.models.len(), 2);
        assert!(read.model("b").is_some());
        assert!(read.model("c").is_none());
    }

    #[test]
    fn what_only_a_newer_program_understands_is_left_out() {
        let mut newer = model("newer");
        newer["minimum_program"] = "0.2.0".into();
        newer["manifest"]["task"] = "something_new".into();
        let read = parse(&catalogue(vec![newer.clone(), model("a")])).unwrap();
        assert_eq!(read.models.len(), 1);
        newer["minimum_program"] = "0.1.0".into();
        let refused = parse(&catalogue(vec![newer])).unwrap_err();
        assert!(matches!(refused, CatalogueError::Model { model, .. } if model == "newer"));
    }

    #[test]
    fn another_format_is_told_before_anything_in_it_is_read() {
        let found = parse(&json!({"format": 2, "models": "elsewhere"})).unwrap_err();
        assert_eq!(found, CatalogueError::Format { found: 2 });
        assert!(matches!(
            Catalogue::parse(b"<html>", "0.1.0"),
            Err(CatalogueError::Syntax(_))
        ));
    }

    #[test]
    fn a_model_that_leaves_out_what_people_choose_by_is_refused() {
        let broken: &[(&str, Value)] = &[
            ("/manifest/id", "A b".into()),
            ("/manifest/licence/class", Value::Null),
            ("/manifest/licence/url", Value::Null),
            ("/manifest/licence/class", "attribution".into()),
            ("/manifest/summary/vi", "".into()),
            ("/manifest/sha256", "x".into()),
            ("/quality/fr", " ".into()),
            ("/addresses/0", "http://example.org/a.onnx".into()),
            ("/addresses", json!([])),
            ("/origin/commit", "main".into()),
            ("/origin/path", "".into()),
            ("/memory_bytes", 0.into()),
            ("/minimum_program", "soon".into()),
        ];
        for (path, value) in broken {
            let mut json = catalogue(vec![model("a")]);
            let place = format!("/models/0{path}");
            *json.pointer_mut(&place).unwrap() = value.clone();
            assert!(
                matches!(parse(&json), Err(CatalogueError::Model { .. })),
                "{path} = {value}"
            );
        }
        let twice = parse(&catalogue(vec![model("a"), model("a")]));
        assert!(matches!(twice, Err(CatalogueError::Model { .. })));
    }
}
