//! The types that the window shares with the program, written for TypeScript.

use frameloom_app::inputs::Expanded;
use frameloom_app::project::{
    CollectForecast, Collected, OpenedProject, ProjectProgress, ProjectRecovery, ProjectSave,
    ProjectSaved, ProjectVerification, RecentProject,
};
use frameloom_app::receipt::Verification;
use frameloom_app::{
    About, CanvasEntry, CanvasGraph, CanvasSave, CanvasVersion, CatalogueView, Clipboard,
    FacesView, GraphPlan, GraphRequest, HistoryPage, HistoryQuery, JobEdit, Kept, Likeness,
    MadeSheet, MenuGroup, ModelEntry, ModelImport, ModelSource, ModelSpeed, NodeView, Opened,
    Outgoing, PresetCard, PresetFit, QueueEvent, Report, Retry, SavedFit, SavedPreset, SceneExport,
    ScenesView, Settings, SheetWish, Shelf, SilenceView, SoundOfBoth, SoundWish, TrayWords,
    UpscalePlan, UpscaleRequest, ViewRequest, WatchFolderView,
};
use frameloom_core::error::AppError;
use frameloom_core::graph::{Fault, NodeKind};
use frameloom_core::job::{Job, JobEvent};
use frameloom_core::library::{
    Done, Fate, Imported, LibraryDetails, LibraryEvent, LibraryItem, LibraryQuery, LibrarySummary,
};
use frameloom_core::media::MediaInfo;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use ts_rs::{Config, ExportError, TS};

fn export(folder: &Path) -> Result<(), ExportError> {
    let config = Config::new().with_out_dir(folder);
    About::export_all(&config)?;
    AppError::export_all(&config)?;
    CanvasEntry::export_all(&config)?;
    CanvasGraph::export_all(&config)?;
    CanvasSave::export_all(&config)?;
    CanvasVersion::export_all(&config)?;
    Expanded::export_all(&config)?;
    HistoryPage::export_all(&config)?;
    HistoryQuery::export_all(&config)?;
    Fault::export_all(&config)?;
    GraphPlan::export_all(&config)?;
    GraphRequest::export_all(&config)?;
    Job::export_all(&config)?;
    JobEdit::export_all(&config)?;
    JobEvent::export_all(&config)?;
    Kept::export_all(&config)?;
    Likeness::export_all(&config)?;
    MadeSheet::export_all(&config)?;
    MenuGroup::export_all(&config)?;
    MediaInfo::export_all(&config)?;
    Done::export_all(&config)?;
    Fate::export_all(&config)?;
    Imported::export_all(&config)?;
    LibraryDetails::export_all(&config)?;
    LibraryEvent::export_all(&config)?;
    LibraryItem::export_all(&config)?;
    LibraryQuery::export_all(&config)?;
    LibrarySummary::export_all(&config)?;
    ModelEntry::export_all(&config)?;
    Clipboard::export_all(&config)?;
    PresetCard::export_all(&config)?;
    PresetFit::export_all(&config)?;
    SavedFit::export_all(&config)?;
    SavedPreset::export_all(&config)?;
    SheetWish::export_all(&config)?;
    Shelf::export_all(&config)?;
    WatchFolderView::export_all(&config)?;
    SilenceView::export_all(&config)?;
    SceneExport::export_all(&config)?;
    ScenesView::export_all(&config)?;
    FacesView::export_all(&config)?;
    ModelImport::export_all(&config)?;
    ModelSource::export_all(&config)?;
    CatalogueView::export_all(&config)?;
    Outgoing::export_all(&config)?;
    ModelSpeed::export_all(&config)?;
    Opened::export_all(&config)?;
    Report::export_all(&config)?;
    CollectForecast::export_all(&config)?;
    Collected::export_all(&config)?;
    OpenedProject::export_all(&config)?;
    ProjectProgress::export_all(&config)?;
    ProjectRecovery::export_all(&config)?;
    ProjectSave::export_all(&config)?;
    ProjectSaved::export_all(&config)?;
    ProjectVerification::export_all(&config)?;
    RecentProject::export_all(&config)?;
    QueueEvent::export_all(&config)?;
    Retry::export_all(&config)?;
    NodeKind::export_all(&config)?;
    NodeView::export_all(&config)?;
    ViewRequest::export_all(&config)?;
    Settings::export_all(&config)?;
    SoundOfBoth::export_all(&config)?;
    SoundWish::export_all(&config)?;
    TrayWords::export_all(&config)?;
    Verification::export_all(&config)?;
    UpscalePlan::export_all(&config)?;
    UpscaleRequest::export_all(&config)
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| {
            let entry = entry.expect("the folder can be listed");
            let name = entry.file_name().into_string().expect("names are plain");
            // A checkout on Windows may have turned the ends of lines.
            let text = fs::read_to_string(entry.path()).expect("a binding is text");
            (name, text.replace("\r\n", "\n"))
        })
        .collect()
}

#[test]
fn bindings_are_fresh() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui/src/ipc/bindings");
    let fresh = tempfile::tempdir().unwrap();
    export(fresh.path()).unwrap();
    let (old, new) = (files(&committed), files(fresh.path()));
    assert!(new.len() > 40, "only {} types were written", new.len());
    if old == new {
        return;
    }
    let mut stale: Vec<&String> = new
        .iter()
        .filter(|(name, text)| old.get(*name) != Some(text))
        .map(|(name, _)| name)
        .collect();
    stale.extend(old.keys().filter(|name| !new.contains_key(*name)));
    let _ = fs::remove_dir_all(&committed);
    fs::create_dir_all(&committed).unwrap();
    for (name, text) in &new {
        fs::write(committed.join(name), text).unwrap();
    }
    panic!("the window's types were stale and have been written anew; commit them: {stale:?}");
}
