//! ONNX files of the user: looked at in a process of their own, and fed as a plan says.
//!
//! A file of a stranger may be made to crash what reads it, or to eat all memory. It is only ever
//! opened by a child with a limit of both time and memory, or by the worker of a job.

use crate::child::{self, Answer};
use crate::choices::specimen;
use crate::models::ModelStore;
use crate::{App, Places, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::graph::OnnxParams;
use frameloom_core::model::{ModelManifest, Task};
use frameloom_core::said;
use frameloom_core::said::{Said, SaidValue};
use frameloom_engine::plan::OnnxUse;
use frameloom_engine::{EngineError, Models};
use frameloom_infer::{Hints, InferError, Inspection, Model, Runtime, onnx_print};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Name of the setting that holds what was found.
const NAME: &str = "onnx";
/// So many files are remembered.
const REMEMBERED: usize = 100;
/// A file that is not understood by then never will be: the slowest model that is any use takes
/// ten seconds a call.
const TIME_LIMIT: Duration = Duration::from_secs(300);
/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Report {
    Found(Box<Inspection>),
    Refused(AppError),
}

pub(crate) fn hints(params: &OnnxParams) -> Hints {
    Hints {
        scale: params.scale,
        layout: params.layout,
        range: params.range,
        color: params.color,
        tile: params.tile,
        as_it_is: true,
        ..Hints::default()
    }
}

/// The node runs files that make pictures.
fn check_makes_pictures(found: Inspection) -> Result<Inspection, AppError> {
    match found.manifest.task {
        Task::Upscale => Ok(found),
        Task::Matte => Err(refused(
            "it tells a foreground from its background, and makes no picture; install it by \
             `frameloom models import`, and use it in the node `background`",
        )),
        Task::Faces | Task::Text => Err(refused(
            "it finds something, and makes no picture; install it by `frameloom models import`, and \
             use it in the node `redact`",
        )),
        Task::Light => Err(refused(
            "it makes pictures lighter; install it by `frameloom models import`, and use it in the node \
             `light`",
        )),
        Task::Style => Err(refused(
            "it paints pictures in a style; install it by `frameloom models import`, and use it in the \
             node `style`",
        )),
        Task::Depth => Err(refused(
            "it says how near everything is, and makes no picture; install it by `frameloom models \
             import`, and use it in the node `depth`",
        )),
        Task::Between => Err(refused(
            "it makes pictures between two; install it by `frameloom models import`, and use it in the \
             node `interpolate`",
        )),
        Task::VoiceActivity | Task::SpeechCleaning => Err(refused(
            "it works on sound, and makes no picture; install it by `frameloom models import`, and \
             `frameloom silence` or `frameloom voice` uses it",
        )),
    }
}

fn refused(reason: impl Into<Said>) -> AppError {
    let reason = reason.into();
    explain::infer(&InferError::NotPictureToPicture { reason })
}

/// The child: looks at a file and says what it found. `arguments` are its path and the hints.
pub(crate) fn inspect_here(path: &Path, hints: &str) -> ExitCode {
    let look = || -> Result<Inspection, AppError> {
        let hints: Hints = serde_json::from_str(hints).map_err(explain::internal)?;
        limit_memory();
        let library = Places::discover(None)?.onnxruntime()?;
        let runtime = Runtime::load(&library).map_err(|e| explain::infer(&e))?;
        frameloom_infer::inspect(&runtime, path, &hints, &specimen()?)
            .map_err(|e| explain::infer(&e))
    };
    let report = match look() {
        Ok(found) => Report::Found(Box::new(found)),
        Err(error) => Report::Refused(error),
    };
    child::answer(&report)
}

/// A file that wants more memory than the machine has gets an error, and the machine stays usable.
pub(crate) fn limit_memory() {
    #[cfg(unix)]
    if let Ok(mut system) = sysinfo::System::new() {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        system.refresh_memory();
        // Addresses are counted, of which libraries take some that they never fill.
        let limit = system.available_memory() / 4 * 3 + (4 << 30);
        let limit = Rlimit {
            current: Some(limit),
            maximum: getrlimit(Resource::As).maximum,
        };
        if let Err(error) = setrlimit(Resource::As, limit) {
            tracing::warn!(%error, "the memory could not be limited");
        }
    }
}

impl App {
    /// What an ONNX file does with pictures, and how to feed it.
    ///
    /// # Errors
    /// It cannot be read, or makes no picture of a picture; the reason is in the sentence.
    pub fn inspect_onnx(&self, path: &Path) -> Result<Inspection, AppError> {
        self.inspect_path(path, &Hints::default())
    }

    /// As [`App::inspect_onnx`], with what is known of the file.
    pub(crate) fn inspect_as(&self, file: &OnnxParams) -> Result<Inspection, AppError> {
        self.inspect_path(Path::new(&file.path), &hints(file))
    }

    pub(crate) fn inspect_path(&self, path: &Path, hints: &Hints) -> Result<Inspection, AppError> {
        let path = std::path::absolute(path).map_err(|e| explain::unreadable(path, &e))?;
        self.inspect_with(&path, hints)
    }

    fn inspect_with(&self, path: &Path, hints: &Hints) -> Result<Inspection, AppError> {
        let facts = path.metadata().map_err(|e| explain::unreadable(path, &e))?;
        if facts.is_file() {
            check_memory(facts.len())?;
        }
        let print = self.onnx_prints.of(path, || onnx_print(path));
        let (_, sha256) = print.map_err(|e| explain::infer(&e))?;
        let said = serde_json::to_string(hints).map_err(explain::internal)?;
        let key = format!("{} {sha256} {said}", env!("CARGO_PKG_VERSION"));
        let mut known = self.inspected();
        if let Some(found) = known.get(&key) {
            return Ok(found.clone());
        }
        let found = self.look_apart(path, &said)?;
        while known.len() >= REMEMBERED {
            known.pop_first();
        }
        known.insert(key, found.clone());
        let json = serde_json::to_string(&known).map_err(explain::internal)?;
        self.store
            .set_setting(NAME, &json)
            .map_err(explain::store)?;
        Ok(found)
    }

    fn inspected(&self) -> BTreeMap<String, Inspection> {
        let stored = self.store.setting(NAME).ok().flatten();
        stored
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default()
    }

    fn look_apart(&self, path: &Path, hints: &str) -> Result<Inspection, AppError> {
        let arguments = [
            OsStr::new("--inspect"),
            path.as_os_str(),
            OsStr::new("--hints"),
            OsStr::new(hints),
        ];
        match self.ask_child(&arguments, TIME_LIMIT)? {
            Answer::Said(Report::Found(found)) => Ok(*found),
            Answer::Said(Report::Refused(error)) => Err(error),
            Answer::TooSlow => Err(refused(said!("onnx.slow", "it was not done with a small picture after {seconds} seconds", seconds = TIME_LIMIT.as_secs()))),
            Answer::Ended(status) => Err(refused(said!("onnx.ended", "the process that tried it ended without a word, as a damaged or hostile file makes it"))
            .details(status.to_string())),
        }
    }
}

/// Loading takes the file itself, the weights in memory, and room to work.
fn check_memory(size_bytes: u64) -> Result<(), AppError> {
    let Ok(mut system) = sysinfo::System::new() else {
        return Ok(());
    };
    system.refresh_memory();
    let free = system.available_memory();
    if free > 0 && size_bytes.saturating_mul(3) > free {
        return Err(AppError::new(
            ErrorCode::OutOfMemory,
            said!("onnx.memory", "The model has {size}, and {free} of memory are free; about three times its size is needed.", size = SaidValue::Size { bytes: size_bytes }, free = SaidValue::Size { bytes: free }),
        )
        .hint("Close other programs, or use a smaller model."));
    }
    Ok(())
}

/// The models of a job that is being planned.
pub(crate) struct PlannedModels<'a> {
    app: &'a App,
    seen: Mutex<Vec<OnnxUse>>,
}

impl<'a> PlannedModels<'a> {
    pub(crate) fn new(app: &'a App) -> Self {
        Self {
            app,
            seen: Mutex::default(),
        }
    }
}

impl Models for PlannedModels<'_> {
    fn manifest(&self, id: &str) -> Result<ModelManifest, EngineError> {
        self.app.models.manifest(id)
    }

    fn load(&self, id: &str) -> Result<Model, EngineError> {
        self.app.models.load(id)
    }

    fn onnx(&self, file: &OnnxParams) -> Result<ModelManifest, EngineError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = seen.iter().find(|known| known.params == *file) {
            return Ok(known.manifest.clone());
        }
        let path = Path::new(&file.path);
        let found = if path.is_absolute() {
            self.app
                .inspect_with(path, &hints(file))
                .and_then(check_makes_pictures)
        } else {
            Err(refused(said!("onnx.relative", "its path must be absolute")))
        };
        let manifest = found
            .map_err(|error| EngineError::Model(Box::new(error)))?
            .manifest;
        seen.push(OnnxUse {
            params: file.clone(),
            manifest: manifest.clone(),
        });
        Ok(manifest)
    }
}

/// The models of a job that is being done: files as its plan found them.
pub(crate) struct JobModels<'a> {
    pub store: &'a ModelStore,
    pub onnx: Vec<OnnxUse>,
}

impl JobModels<'_> {
    fn file(&self, is_it: impl Fn(&OnnxUse) -> bool) -> Option<&OnnxUse> {
        self.onnx.iter().find(|file| is_it(file))
    }

    fn planned(&self, file: &OnnxParams) -> Result<&OnnxUse, EngineError> {
        self.file(|known| known.params == *file).ok_or_else(|| {
            let id = file.path.clone();
            InferError::ModelNotFound { id }.into()
        })
    }
}

impl Models for JobModels<'_> {
    fn manifest(&self, id: &str) -> Result<ModelManifest, EngineError> {
        match self.file(|file| file.manifest.id == id) {
            Some(file) => Ok(file.manifest.clone()),
            None => self.store.manifest(id),
        }
    }

    fn load(&self, id: &str) -> Result<Model, EngineError> {
        match self.file(|file| file.manifest.id == id) {
            Some(file) => self.load_onnx(&file.params),
            None => self.store.load(id),
        }
    }

    fn onnx(&self, file: &OnnxParams) -> Result<ModelManifest, EngineError> {
        Ok(self.planned(file)?.manifest.clone())
    }

    fn load_onnx(&self, file: &OnnxParams) -> Result<Model, EngineError> {
        let manifest = &self.planned(file)?.manifest;
        Ok(frameloom_infer::load_onnx(Path::new(&file.path), manifest)?)
    }
}
