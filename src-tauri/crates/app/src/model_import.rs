//! ONNX files of the user, kept under a name: copied into the data folder beside what was found out
//! of them, so that they can be used like the models that come with the program.

use crate::{App, ModelEntry, explain, onnx};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::OnnxParams;
use frameloom_core::job::Job;
use frameloom_core::model::{Activation, Licence, ManifestError, ModelManifest, Task};
use frameloom_core::said;
use frameloom_core::said::Said;
use frameloom_infer::Hints;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::Path;
use ts_rs::TS;

/// Longest text that a person says of a model, in characters.
const MAX_TEXT: usize = 200;

/// An ONNX file that is to be installed, and what its user says of it. What is left open is found
/// out by trying the file on a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ModelImport {
    /// The file, and how to feed it.
    pub file: OnnxParams,
    /// Handle: lower case, digits, `-`, `_`, `.`.
    pub id: Option<String>,
    /// Name for people.
    pub name: Option<String>,
    /// SPDX expression of the licence, or a name.
    pub licence: Option<String>,
    /// Line of credit that the licence asks for.
    pub credit: Option<String>,
    /// It keeps brightness and colours as they are, so that every result is checked for that too.
    pub faithful: bool,
    /// What it does; found out where it is left open.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub task: Option<Task>,
    /// How it is read, where it gives mattes.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub matte: Option<MatteHints>,
}

/// What the user says of a matting model. What is left open is found out, or taken as usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, TS)]
#[serde(default)]
pub struct MatteHints {
    /// The channel of the foreground, counted from 0.
    pub foreground: Option<u32>,
    /// What makes probabilities of its numbers.
    pub activation: Option<Activation>,
    /// It is fed with the mean and the deviation of ImageNet.
    pub imagenet: bool,
}

impl ModelImport {
    fn hints(&self) -> Hints {
        let matte = self.matte.unwrap_or_default();
        // Who says something that only a matting model has, says that it is one.
        let is_matte = matte != MatteHints::default();
        Hints {
            task: self.task.or(is_matte.then_some(Task::Matte)),
            foreground: matte.foreground,
            activation: matte.activation,
            imagenet: matte.imagenet,
            as_it_is: false,
            ..onnx::hints(&self.file)
        }
    }
}

/// A model that was installed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Imported {
    /// The model.
    pub model: ModelEntry,
    /// How its file wants to be fed, a sentence each.
    pub findings: Vec<String>,
}

fn invalid(message: impl Into<Said>) -> AppError {
    AppError::new(ErrorCode::InvalidRequest, message)
}

impl App {
    /// What an ONNX file is found to be, before it is installed.
    ///
    /// # Errors
    /// It cannot be read, or makes no picture of a picture; the reason is in the sentence.
    pub fn look_at_model(&self, file: &OnnxParams) -> Result<ModelManifest, AppError> {
        Ok(self.inspect_as(file)?.manifest)
    }

    /// Installs an ONNX file. The file itself stays where it is and is not needed any more. The same
    /// file under the same name is installed once; what is said of it anew replaces what was said.
    ///
    /// # Errors
    /// The file makes no picture of a picture, as a sentence says; the name is another model's;
    /// there is no room.
    pub fn import_model(&self, wish: &ModelImport) -> Result<Imported, AppError> {
        let path = Path::new(&wish.file.path);
        let found = self.inspect_path(path, &wish.hints())?;
        let manifest = described(found.manifest, wish)?;
        self.check_name(&manifest)?;

        if !self.has_weights(&manifest)? {
            self.room_for_weights(manifest.size_bytes)?;
            let unreadable = |error: std::io::Error| explain::unreadable(path, &error);
            let mut file = File::open(path).map_err(unreadable)?;
            self.copy_weights(&mut file, &manifest, unreadable, || {
                invalid(said!(
                    "model.changing",
                    "The file changed while it was looked at."
                ))
                .hint("Wait until nothing writes to it, and import it again.")
            })?;
        }
        self.place_model(&manifest, &card(&manifest, path, &found.findings))?;
        let (model, _) = self.model(&manifest.id)?;
        Ok(Imported {
            model,
            findings: found.findings,
        })
    }

    /// Another model must not lose its name: jobs, graphs and projects know it by that.
    pub(crate) fn check_name(&self, manifest: &ModelManifest) -> Result<(), AppError> {
        let known = self.list_models(false);
        let Some(known) = known.iter().find(|known| known.id == manifest.id) else {
            return Ok(());
        };
        let same = |known: &ModelManifest| known.sha256 == manifest.sha256;
        let is_ours = self.places.models().join(&known.id).is_dir();
        if !known.bundled && is_ours && known.manifest.as_ref().is_some_and(same) {
            return Ok(());
        }
        Err(invalid(said!(
            "model.taken",
            "There is another model `{id}`.",
            id = manifest.id.as_str()
        ))
        .hint("Give this one another id, or remove the other first."))
    }

    /// Removes a model of the user, with its weights.
    ///
    /// # Errors
    /// It comes with the program, lies in a folder that is not this program's, or a job that is
    /// not at rest needs it.
    pub fn remove_model(&self, id: &str) -> Result<(), AppError> {
        let (entry, _) = self.model(id)?;
        if entry.bundled {
            return Err(invalid(said!(
                "model.bundled",
                "The model `{id}` is part of the program.",
                id = id
            ))
            .hint("It takes little room, and everything works with it from the first start."));
        }
        let own = self.places.models();
        let folder = own.join(id);
        if !folder.is_dir() {
            return Err(invalid(said!(
                "model.elsewhere",
                "The model `{id}` lies in a folder that was given to the program, not in its own.",
                id = id
            ))
            .hint("Remove it there yourself."));
        }
        if let Some(job) = self.jobs()?.iter().find(|job| needs(self, job, id)) {
            return Err(invalid(said!(
                "model.needed",
                "The job {job} is not finished and needs the model `{id}`.",
                job = job.id.0.as_str(),
                id = id
            ))
            .hint("Finish or cancel the job first."));
        }
        self.unplace_model(id)
    }
}

/// Does a job that may still be done need this model?
fn needs(app: &App, job: &Job, id: &str) -> bool {
    let mut nodes = job.spec.graph.nodes.iter();
    !job.state.is_terminal() && nodes.any(|node| app.model_run_by(&node.op).as_deref() == Some(id))
}

/// What was found, with what the user says of it.
fn described(found: ModelManifest, wish: &ModelImport) -> Result<ModelManifest, AppError> {
    let said = |text: &Option<String>, what: &str| -> Result<Option<String>, AppError> {
        let Some(text) = text
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
        else {
            return Ok(None);
        };
        if text.chars().count() > MAX_TEXT || text.contains(char::is_control) {
            return Err(invalid(said!(
                "model.no_line",
                "This {what} is no line of text.",
                what = what
            ))
            .hint(format!(
                "Use at most {MAX_TEXT} characters, and no line breaks."
            )));
        }
        Ok(Some(text.to_owned()))
    };
    let unknown = found.licence.spdx.clone();
    let manifest = ModelManifest {
        id: wish.id.clone().unwrap_or(found.id),
        name: said(&wish.name, "name")?.unwrap_or(found.name),
        licence: Licence {
            attribution: said(&wish.credit, "credit")?,
            ..Licence::named(said(&wish.licence, "licence")?.unwrap_or(unknown))
        },
        // What makes no picture has no colours to keep.
        restyles: match found.task {
            Task::Upscale => !wish.faithful,
            Task::Light | Task::Style => true,
            _ => false,
        },
        ..found
    };
    // The same rules as for every other model.
    let json = serde_json::to_string(&manifest).map_err(explain::internal)?;
    ModelManifest::parse(&json).map_err(|error| {
        let hint = match &error {
            ManifestError::Field { field: "id", .. } => {
                "Use lower-case letters, digits, `-`, `_` and `.`, at most 64."
            }
            _ => "Say of the file what it is, or leave it out.",
        };
        invalid(said!(
            "model.not_so",
            "The model cannot be installed so: {error}.",
            error = Said::from(error.to_string())
        ))
        .hint(hint)
    })
}

/// What is told of an imported model where others have their card.
fn card(manifest: &ModelManifest, path: &Path, findings: &[String]) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let mut text = format!(
        "# {}\n\nImported from `{file}`. What was found out by trying it on a picture:\n\n",
        manifest.name
    );
    for finding in findings {
        text.push_str(&format!("- {finding}\n"));
    }
    text
}
