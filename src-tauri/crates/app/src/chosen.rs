//! Which installed model does what a request asks for.

use crate::models::unfit;
use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::{Graph, Op};
use frameloom_core::model::{ModelManifest, Task};
use frameloom_core::said;
use std::path::Path;

impl App {
    /// The model that `wish` names, which must be for `task`; the first of those that are installed for it
    /// where nobody names one: the plan says which.
    ///
    /// # Errors
    /// The model is not there or does something else, or none is installed.
    pub(crate) fn model_for(&self, wish: Option<&str>, task: Task) -> Result<String, AppError> {
        self.model_if_any(wish, task)?.ok_or_else(|| none_for(task))
    }

    /// As [`App::model_for`]; `None` where none is installed and none is named.
    ///
    /// # Errors
    /// The model that is named is not there or does something else.
    pub(crate) fn model_if_any(
        &self,
        wish: Option<&str>,
        task: Task,
    ) -> Result<Option<String>, AppError> {
        let Some(id) = wish else {
            return Ok(self.models_for(task).into_iter().next());
        };
        let manifest = self.models.ready(id).map_err(|e| explain::engine(&e))?;
        match manifest.task {
            found if found == task => Ok(Some(manifest.id)),
            found => Err(not_for(id, found, task)),
        }
    }

    /// The installed models that a graph owes something to: those that it runs, and those that decided
    /// what a node keeps.
    pub(crate) fn models_in(&self, graph: &Graph) -> Vec<ModelManifest> {
        let mut found: Vec<ModelManifest> = Vec::new();
        for node in &graph.nodes {
            let id = match &node.op {
                Op::Cut(params) => params.heard_by.clone(),
                op => self.model_run_by(op),
            };
            if let Some(manifest) = id.and_then(|id| self.models.ready(&id).ok())
                && !found.iter().any(|known| known.id == manifest.id)
            {
                found.push(manifest);
            }
        }
        found
    }

    /// Id of the model that a node runs: the one that it names, or the one whose folder holds the weights
    /// that it names.
    pub(crate) fn model_run_by(&self, op: &Op) -> Option<String> {
        let Op::AudioDenoise(params) = op else {
            return op.model().map(str::to_owned);
        };
        let folder = Path::new(params.model.as_deref()?).parent()?;
        let id = folder.file_name()?.to_string_lossy().into_owned();
        // Somewhere else there may be a folder of this name.
        let own = std::path::absolute(self.model_folder(&id).ok()?).ok()?;
        (own == folder).then_some(id)
    }
}

/// A model that does something else.
fn not_for(id: &str, found: Task, task: Task) -> AppError {
    let of_sound = |task| matches!(task, Task::VoiceActivity | Task::SpeechCleaning);
    if of_sound(found) && !of_sound(task) {
        return unfit(said!(
            "model.of_sound",
            "The model `{model}` works on sound, and does nothing to pictures.",
            model = id
        ));
    }
    match task {
        Task::Matte => unfit(said!(
            "background.no_matte",
            "The model `{model}` tells no foreground from a background.",
            model = id
        )),
        Task::Faces => unfit(said!(
            "redact.no_finder",
            "The model `{model}` finds no faces.",
            model = id
        )),
        Task::Text => unfit(said!(
            "redact.no_text_finder",
            "The model `{model}` finds no text.",
            model = id
        )),
        Task::Light => unfit(said!(
            "looks.no_light",
            "The model `{model}` does not make pictures lighter.",
            model = id
        )),
        Task::Style => unfit(said!(
            "looks.no_style",
            "The model `{model}` is not one of a style.",
            model = id
        ))
        .hint("If it is one, say so when it is installed: `frameloom models import FILE --task style`."),
        Task::Depth => unfit(said!(
            "looks.no_depth",
            "The model `{model}` tells no distances.",
            model = id
        )),
        Task::Between => unfit(said!(
            "interpolate.no_model_between",
            "The model `{model}` makes no pictures between two.",
            model = id
        ))
        .hint("Leave the model out: what moves is followed then."),
        Task::VoiceActivity => unfit(said!(
            "silence.no_ears",
            "The model `{model}` does not hear whether somebody speaks.",
            model = id
        ))
        .hint("Leave the model out, or name one for speech; `frameloom models list` shows them."),
        Task::SpeechCleaning => unfit(said!(
            "voice.no_cleaner",
            "The model `{model}` takes no noise out of speech.",
            model = id
        ))
        .hint("Leave the model out: a filter does it then; or install one for speech, such as GTCRN."),
        Task::Upscale => unfit(said!(
            "model.no_picture",
            "The model `{model}` makes no picture of a picture.",
            model = id
        )),
    }
}

/// No model is installed for this.
fn none_for(task: Task) -> AppError {
    let none = |message| AppError::new(ErrorCode::ModelNotFound, message);
    match task {
        Task::Matte => none(said!(
            "background.no_model",
            "No model is installed that tells a foreground from its background."
        ))
        .hint(
            "Fetch a matting model of the catalogue, `frameloom models get people-selfie`; or install an ONNX \
             file of yours, such as MODNet: `frameloom models import FILE.onnx --id people`.",
        ),
        Task::Faces => none(said!(
            "redact.no_face_model",
            "No model is installed that finds faces."
        ))
        .hint(
            "Fetch one of the catalogue, `frameloom models get faces-ultra`; or install an ONNX file of yours: \
             `frameloom models import FILE.onnx --id faces`.",
        ),
        Task::Text => none(said!(
            "redact.no_text_model",
            "No model is installed that finds text."
        ))
        .hint(
            "Fetch one of the catalogue, `frameloom models get text-ppocr`; or install an ONNX file of yours: \
             `frameloom models import FILE.onnx --id text`.",
        ),
        Task::Light => none(said!(
            "looks.no_light_model",
            "No model is installed that makes pictures lighter."
        ))
        .hint("Leave the model out: the light of the scene is estimated then."),
        Task::Style => none(said!(
            "looks.no_style_model",
            "No model of a style is installed."
        ))
        .hint(
            "Install an ONNX file of yours, such as one of the networks of \"fast neural style\": \
             `frameloom models import FILE.onnx --task style --id mosaic`.",
        ),
        Task::Depth => none(said!(
            "looks.no_depth_model",
            "No model is installed that tells distances."
        ))
        .hint(
            "Fetch one of the catalogue, `frameloom models get depth-tcmono`; or install an ONNX file of yours: \
             `frameloom models import FILE.onnx --task depth --id depth`.",
        ),
        Task::Between => none(said!(
            "interpolate.no_model",
            "No model is installed that makes pictures between two."
        ))
        .hint("Leave the model out: what moves is followed then."),
        Task::VoiceActivity => none(said!(
            "silence.no_model",
            "No model is installed that hears whether somebody speaks."
        ))
        .hint(
            "Download silero_vad.onnx of Silero VAD (github.com/snakers4/silero-vad, MIT licence), and \
             install it: `frameloom models import silero_vad.onnx --id speech --licence MIT`.",
        ),
        Task::SpeechCleaning => none(said!(
            "voice.no_model",
            "No model is installed that takes noise out of speech."
        ))
        .hint("Leave the model out: a filter does it then."),
        Task::Upscale => none(said!(
            "model.none_for_pictures",
            "No model is installed that makes a picture of a picture."
        ))
        .hint("`frameloom models list` shows the models that are installed."),
    }
}
