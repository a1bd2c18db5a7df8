//! The folders that the window watches: which they are, and the thread that looks at them.

use super::{SETTLED, WatchEvent, WatchRule, Watcher, checked, text};
use crate::{App, Lane, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::said;
use frameloom_store::{WatchRow, WatchState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use ts_rs::TS;

/// How often the folders are looked at.
const EVERY: Duration = Duration::from_secs(2);

/// A folder that the window watches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct WatchFolder {
    /// The folder that files come into.
    #[ts(type = "string")]
    pub folder: PathBuf,
    /// Is it looked at?
    pub enabled: bool,
    /// What is done with its files.
    pub rule: WatchRule,
}

/// How a folder stands.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct WatchFolderView {
    /// The folder.
    pub watch: WatchFolder,
    /// Files that are worked on or wait for it.
    pub working: u32,
    /// Files whose results are there.
    pub done: u32,
    /// Files that could not be worked on.
    pub failed: u32,
    /// What stands in the way, now.
    pub error: Option<AppError>,
}

/// What stands in the way of folders, by their paths.
pub(crate) type WatchTroubles = Mutex<BTreeMap<PathBuf, AppError>>;

impl App {
    fn watch_list(&self) -> Result<Vec<WatchFolder>, AppError> {
        let rows = self.store.watch_rows().map_err(explain::store)?;
        // A rule of a newer program is none that this one could follow.
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                Some(WatchFolder {
                    folder: PathBuf::from(row.folder),
                    enabled: row.enabled,
                    rule: serde_json::from_str(&row.rule).ok()?,
                })
            })
            .collect())
    }

    /// The folders that the window watches, and how they stand.
    ///
    /// # Errors
    /// The database refuses.
    pub fn watch_folders(&self) -> Result<Vec<WatchFolderView>, AppError> {
        let mut views = Vec::new();
        for watch in self.watch_list()? {
            let files = self
                .store
                .watched_files(&text(&watch.folder))
                .map_err(explain::store)?;
            let count = |states: &[WatchState]| {
                let all = files.iter().filter(|file| states.contains(&file.state));
                u32::try_from(all.count()).unwrap_or(u32::MAX)
            };
            let troubles = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
            views.push(WatchFolderView {
                working: count(&[WatchState::Claimed, WatchState::Working]),
                done: count(&[WatchState::Done]),
                failed: count(&[WatchState::Failed]),
                error: troubles.get(&watch.folder).cloned(),
                watch,
            });
        }
        Ok(views)
    }

    /// Watches a folder from now on, or changes what is done with its files.
    ///
    /// # Errors
    /// The folder is none, the preset is unknown, or results cannot be written there.
    pub fn put_watch_folder(&self, watch: &WatchFolder) -> Result<(), AppError> {
        let (folder, rule) = checked(&watch.folder, &watch.rule)?;
        if folder.to_str().is_none() || rule.output.to_str().is_none() {
            return Err(AppError::new(
                ErrorCode::InvalidRequest,
                said!(
                    "name.no_text",
                    "The name `{path}` is not valid Unicode.",
                    path = folder.display()
                ),
            )
            .hint("Rename the file or its folder."));
        }
        if rule.preset.parse::<crate::PresetId>().is_err() {
            self.saved_preset(&rule.preset)?;
        }
        let row = WatchRow {
            folder: text(&folder),
            enabled: watch.enabled,
            rule: serde_json::to_string(&rule).map_err(explain::internal)?,
        };
        self.store.put_watch(&row).map_err(explain::store)
    }

    /// Watches a folder no longer. Its files stay where they are, and what was begun is finished.
    ///
    /// # Errors
    /// The database refuses.
    pub fn remove_watch_folder(&self, folder: &Path) -> Result<(), AppError> {
        self.store
            .remove_watch(&text(folder))
            .map_err(explain::store)
    }

    /// Starts the thread that looks at the folders; it ends with the program.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start_watching(self: &Arc<Self>) -> Result<(), AppError> {
        let app = Arc::downgrade(self);
        std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                let mut watchers = BTreeMap::new();
                while let Some(app) = app.upgrade() {
                    app.look_at_watches(&mut watchers);
                    drop(app);
                    std::thread::sleep(EVERY);
                }
            })
            .map(drop)
            .map_err(explain::internal)
    }

    fn look_at_watches(&self, watchers: &mut BTreeMap<PathBuf, (WatchRule, Watcher)>) {
        let list = match self.watch_list() {
            Ok(list) => list,
            Err(error) => {
                tracing::warn!(message = error.message, "the watched folders are not known");
                return;
            }
        };
        let wanted = |folder: &PathBuf, rule: &WatchRule| {
            let mut on = list.iter().filter(|watch| watch.enabled);
            on.any(|watch| watch.folder == *folder && watch.rule == *rule)
        };
        watchers.retain(|folder, (rule, _)| wanted(folder, rule));
        let mut troubles = BTreeMap::new();
        for watch in list.into_iter().filter(|watch| watch.enabled) {
            if !watchers.contains_key(&watch.folder) {
                match self.watch(&watch.folder, &watch.rule, Lane::Queue, SETTLED) {
                    Ok(watcher) => {
                        watchers.insert(watch.folder.clone(), (watch.rule, watcher));
                    }
                    Err(error) => {
                        troubles.insert(watch.folder, error);
                        continue;
                    }
                }
            }
            let Some((_, watcher)) = watchers.get_mut(&watch.folder) else {
                continue;
            };
            match watcher.look(self, Instant::now()) {
                Ok(events) => {
                    let before = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
                    let mut trouble = before.get(&watch.folder).cloned();
                    for event in events {
                        match event {
                            WatchEvent::Waiting { error, .. } => trouble = Some(error),
                            WatchEvent::Begun(_) => trouble = None,
                            _ => {}
                        }
                    }
                    if let Some(error) = trouble {
                        troubles.insert(watch.folder, error);
                    }
                }
                Err(error) => {
                    troubles.insert(watch.folder, error);
                }
            }
        }
        *self.watches.lock().unwrap_or_else(PoisonError::into_inner) = troubles;
    }
}
