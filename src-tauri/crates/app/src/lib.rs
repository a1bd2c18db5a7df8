//! The one door: every use case of the desktop as a plain function, and the runner of jobs.
//!
//! What lives here: [`App`] with what the window, the command line and the tests can ask for, the
//! [`worker`] process that does one job, sentences for people made of errors ([`explain`]), where
//! things are on this machine ([`places`]), models ([`models`]).
//!
//! What must not: a tauri type, a terminal, SQL, decisions that belong to the engine.
//!
//! Every job runs in a process of its own. Whether a job's worker is alive is told by a lock on a
//! file in the job's folder, which the operating system gives back however the worker ends; so
//! any process may clean up after a dead worker and none can take a living one for dead.
#![forbid(unsafe_code)]

mod about;
mod asked;
mod background;
mod batch;
mod canvas;
mod catalogue;
mod child;
pub mod choices;
mod chosen;
mod compute;
mod convert;
mod details;
pub mod disk;
pub mod doctor;
pub mod encoders;
mod enlarge;
pub mod explain;
mod faces;
mod fields;
mod folder;
mod forecast;
mod graph_request;
pub mod history;
pub mod inputs;
pub mod inventory;
mod jobs;
mod kept;
mod left_behind;
mod library;
mod likeness;
mod listener;
pub mod logging;
mod looks;
mod memory;
mod menu;
mod model_folder;
mod model_get;
mod model_import;
mod model_speed;
pub mod models;
mod motion;
mod network;
mod node_view;
mod onnx;
mod opening;
mod paste;
pub mod pictures;
pub mod places;
pub mod presets;
mod preview;
mod process;
pub mod project;
pub mod queue;
pub mod receipt;
mod redact;
mod reframe;
mod request;
mod runner;
mod saved;
pub mod scenes;
pub mod settings;
mod sheet;
pub mod silence;
mod sound;
mod stamp;
mod stopping;
pub mod subtitles;
mod viewer;
mod voice;
pub mod watch;
mod window_place;
pub mod worker;

pub use about::About;
pub use background::BackgroundWish;
pub use batch::Batch;
pub use canvas::{CanvasEntry, CanvasGraph, CanvasSave, CanvasVersion};
pub use catalogue::{CatalogueEntry, CatalogueView};
pub use compute::ComputeWish;
pub use convert::ConvertWish;
pub use doctor::Report;
pub use enlarge::EnlargeWish;
pub use faces::{FaceSeen, FacesView, keep_of};
pub use fields::DeinterlaceChoice;
pub use graph_request::{GraphPlan, GraphRequest, read_graph};
pub use history::{HistoryPage, HistoryQuery};
pub use kept::{Kept, KeptKind, KeptLimit};
pub use likeness::{BlemishesOfBoth, Likeness, PictureLikeness, SoundFigures, SoundOfBoth};
pub use looks::LookWish;
pub use menu::{MenuEntry, MenuGroup, NativeAction, TrayWords};
pub use model_get::{Bundled, ModelSource};
pub use model_import::{Imported, MatteHints, ModelImport};
pub use model_speed::ModelSpeed;
pub use models::{ModelEntry, ModelState};
pub use motion::MotionWish;
pub use network::{Outgoing, OutgoingEnd, OutgoingPurpose};
pub use node_view::{NodeView, PartPlace, ViewRequest};
pub use opening::{Opened, PROJECT_EXTENSION};
pub use paste::Clipboard;
pub use pictures::PicturesRequest;
pub use places::Places;
pub use presets::{
    Misfit, Preset, PresetCard, PresetFit, PresetId, PresetOption, RefusedPreset, SavedFit,
    SavedPreset, Shelf,
};
pub use preview::{EncodedPicture, Side};
pub use queue::{JobEdit, QueueEvent, QueueOptions, QueueView, Retry, WhenDone};
pub use redact::{RedactWhat, RedactWish};
pub use reframe::ReframeWish;
pub use request::{Span, UpscalePlan, UpscaleRequest};
pub use runner::{Control, Stopping};
pub use scenes::{SCENE_EXPORTS, SceneExport, SceneWatch, SceneWish, ScenesView, Shot};
pub use settings::Settings;
pub use sheet::{MadeSheet, SheetWish, WrittenSheet};
pub use silence::{EditFormat, SilenceView, SilenceWish};
pub use sound::SoundWish;
pub use subtitles::{SubtitlePlace, SubtitleWish};
pub use voice::VoiceWish;
pub use watch::{WatchFolder, WatchFolderView, WatchRule};
pub use window_place::{Screen, Shown, WindowPlace};

use frameloom_core::error::AppError;
use frameloom_core::job::JobEvent;
use frameloom_core::media::MediaInfo;
pub use frameloom_net::Watch;
pub use frameloom_store::Lane;
use frameloom_store::{SetAside, Store};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

type Listener = Box<dyn Fn(&JobEvent) -> bool + Send>;

/// The application on one data folder.
pub struct App {
    pub(crate) places: Places,
    pub(crate) store: Store,
    pub(crate) models: models::ModelStore,
    pub(crate) runner: runner::Runner,
    pub(crate) queue: queue::Queue,
    pub(crate) previews: preview::Cache,
    pub(crate) clips: preview::OpenClips,
    pub(crate) sounds: sound::OpenSounds,
    pub(crate) heard: stamp::Lately<silence::Listened>,
    pub(crate) seen_scenes: stamp::Lately<frameloom_engine::scenes::Scenes>,
    /// Who was seen in files that are to be redacted.
    pub(crate) faces_seen: stamp::Lately<faces::Faces>,
    /// Which search for faces of a window is the last one that was wanted.
    pub(crate) faces_wanted: AtomicU64,
    /// Which search for scenes of a window is the last one that was wanted.
    pub(crate) scenes_wanted: AtomicU64,
    /// Which sheet of a window is the last one that was wanted.
    pub(crate) sheet_wanted: AtomicU64,
    pub(crate) viewer: viewer::Viewer,
    pub(crate) views: node_view::Views,
    pub(crate) library: library::Library,
    pub(crate) keeper: kept::Keeper,
    /// Size and hash of ONNX files of the user.
    pub(crate) onnx_prints: stamp::Known<(u64, String)>,
    /// Hashes of the files of projects.
    pub(crate) source_prints: stamp::Known<String>,
    /// Decisions that this process took or looked up before, by what they depend on.
    pub(crate) decisions: Mutex<BTreeMap<String, choices::Decision>>,
    /// Models that are being fetched for a window, and whether it gave them up.
    pub(crate) fetches: Mutex<BTreeMap<String, Arc<AtomicBool>>>,
    /// What stands in the way of folders that the window watches.
    pub(crate) watches: watch::WatchTroubles,
    listeners: Mutex<Vec<Listener>>,
    set_aside: Option<SetAside>,
}

impl App {
    /// Opens the data folder (it is made if missing), installs the bundled models there and marks
    /// jobs whose worker is gone as interrupted.
    ///
    /// # Errors
    /// The folder cannot be used, or its database was made by a newer program.
    pub fn open(places: Places) -> Result<Arc<Self>, AppError> {
        make_folders(&places)?;
        let (store, set_aside) = Store::open(&places.data).map_err(explain::store)?;
        Self::on(places, store, set_aside)
    }

    /// As [`App::open`], in a process that works for another one, which has looked through the
    /// database: thousands of jobs may be in it, and each may get a worker.
    pub(crate) fn open_in_worker(places: Places) -> Result<Arc<Self>, AppError> {
        make_folders(&places)?;
        let store = Store::join(&places.data).map_err(explain::store)?;
        Self::on(places, store, None)
    }

    fn on(
        places: Places,
        store: Store,
        set_aside: Option<SetAside>,
    ) -> Result<Arc<Self>, AppError> {
        let models = models::ModelStore::open(&places)?;
        let app = Arc::new(Self {
            store,
            models,
            runner: runner::Runner::default(),
            queue: queue::Queue::default(),
            previews: preview::Cache::default(),
            clips: preview::OpenClips::default(),
            sounds: sound::OpenSounds::default(),
            heard: stamp::Lately::default(),
            seen_scenes: stamp::Lately::default(),
            faces_seen: stamp::Lately::default(),
            faces_wanted: AtomicU64::new(0),
            scenes_wanted: AtomicU64::new(0),
            sheet_wanted: AtomicU64::new(0),
            viewer: viewer::Viewer::default(),
            views: node_view::Views::default(),
            library: library::Library::default(),
            keeper: kept::Keeper::default(),
            onnx_prints: stamp::Known::default(),
            source_prints: stamp::Known::default(),
            decisions: Mutex::default(),
            fetches: Mutex::default(),
            watches: Mutex::default(),
            listeners: Mutex::new(Vec::new()),
            set_aside,
            places,
        });
        app.tend_folders(app.set_aside.is_some());
        // On a full disk, or beside a process that was frozen in the middle of a write, the list must
        // still open.
        let marked = app
            .with_little_patience(|| app.mark_dead_jobs())
            .and_then(|marked| marked);
        if let Err(error) = marked {
            tracing::warn!(%error, "dead jobs could not be marked");
        }
        Ok(app)
    }

    /// Does what can be left to the next time without waiting long for the writes of others.
    fn with_little_patience<T>(&self, write: impl FnOnce() -> T) -> Result<T, AppError> {
        const LITTLE: Duration = Duration::from_millis(250);
        let set = |patience| self.store.wait_at_most(patience).map_err(explain::store);
        set(Some(LITTLE))?;
        let written = write();
        set(None)?;
        Ok(written)
    }

    /// Where this application keeps its things.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// A sentence about a damaged database that was set aside when the folder was opened.
    pub fn set_aside_notice(&self) -> Option<String> {
        self.set_aside.as_ref().map(|aside| {
            format!(
                "The list of jobs was damaged ({}). It was set aside as {}; unfinished jobs were found again in their folders, and finished results are untouched.",
                aside.reason,
                aside.path.display()
            )
        })
    }

    /// What a file is.
    ///
    /// # Errors
    /// It is missing, unreadable or no media, in a sentence.
    pub fn probe(&self, path: &Path) -> Result<MediaInfo, AppError> {
        inputs::probe(path)
    }

    /// Calls `listener` with every event from now on, until it returns false.
    pub fn listen(&self, listener: impl Fn(&JobEvent) -> bool + Send + 'static) {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Box::new(listener));
    }

    pub(crate) fn tell(&self, event: &JobEvent) {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|listener| listener(event));
    }
}

fn make_folders(places: &Places) -> Result<(), AppError> {
    for folder in [places.data.clone(), places.jobs(), places.models()] {
        std::fs::create_dir_all(&folder).map_err(|error| explain::data_folder(&folder, &error))?;
    }
    Ok(())
}

pub(crate) fn now_millis() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
