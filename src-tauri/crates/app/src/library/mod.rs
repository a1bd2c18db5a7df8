//! The library: what the user added and what jobs made, kept up by itself.
//!
//! Adding a file stores its name and what the folder says of it, and no more: a folder of a
//! hundred thousand is in the list in seconds. Two threads of the window do the rest
//! ([`App::start_library`]): one takes in results and new files of watched folders, looks whether
//! files are still there and reads what they are; the other hashes contents while no job runs, by
//! which copies are told and lost files found again.

mod details;
mod files;
mod find;
mod hash;
mod import;
mod relink;
mod resting;
mod tend;

pub(crate) use files::rename_without_replacing;

use crate::{App, explain};
use frameloom_core::error::AppError;
use frameloom_core::library::{
    Done, ItemId, LibraryEvent, LibraryItem, LibraryQuery, LibrarySummary,
};
use frameloom_core::said;
use frameloom_store::FileStamp;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

type Listener = Box<dyn Fn(&LibraryEvent) -> bool + Send>;

/// At most so many items are asked for at once: a page of the window, with room.
const PAGE_ITEMS: usize = 1000;

/// What the library keeps in this process.
#[derive(Default)]
pub(crate) struct Library {
    /// Set when there is something to do for the threads that keep it up.
    wake: Arc<(Mutex<u64>, Condvar)>,
    listeners: Mutex<Vec<Listener>>,
    /// Counts searches for missing files, and their ends: one goes on while its number stands.
    search: AtomicU64,
}

impl Library {
    fn wake(&self) {
        let (calls, condition) = &*self.wake;
        *calls.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        condition.notify_all();
    }

    fn tell(&self, event: &LibraryEvent) {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|listener| listener(event));
    }
}

impl App {
    /// The numbers of the items that `query` means, in its order.
    ///
    /// # Errors
    /// The database refuses.
    pub fn find_in_library(&self, query: &LibraryQuery) -> Result<Vec<ItemId>, AppError> {
        self.store.find_in_library(query).map_err(explain::store)
    }

    /// The items of these numbers, at most a thousand; those that are gone are left out.
    ///
    /// # Errors
    /// The database refuses.
    pub fn library_items(&self, ids: &[ItemId]) -> Result<Vec<LibraryItem>, AppError> {
        let ids = &ids[..ids.len().min(PAGE_ITEMS)];
        self.store.library_items(ids).map_err(explain::store)
    }

    /// One item.
    ///
    /// # Errors
    /// There is none of this number.
    pub fn library_item(&self, id: ItemId) -> Result<LibraryItem, AppError> {
        self.store.library_item(id).map_err(explain::store)
    }

    /// What the library holds, for its filters.
    ///
    /// # Errors
    /// The database refuses.
    pub fn library_summary(&self) -> Result<LibrarySummary, AppError> {
        self.store.library_summary().map_err(explain::store)
    }

    /// Calls `listener` with every change of the library that this process makes or notices, until
    /// it returns false.
    pub fn listen_to_library(&self, listener: impl Fn(&LibraryEvent) -> bool + Send + 'static) {
        self.library
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Box::new(listener));
    }

    /// Gives items 0 to 5 stars.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_stars(&self, ids: &[ItemId], stars: u8) -> Result<(), AppError> {
        self.store.set_stars(ids, stars).map_err(explain::store)?;
        self.tell_items(ids);
        Ok(())
    }

    /// Gives items the tags `add` and takes `remove` from them.
    ///
    /// # Errors
    /// The database refuses.
    pub fn change_tags(
        &self,
        ids: &[ItemId],
        add: &[String],
        remove: &[String],
    ) -> Result<(), AppError> {
        self.store
            .change_tags(ids, add, remove)
            .map_err(explain::store)?;
        self.tell_items(ids);
        Ok(())
    }

    /// Begins or ends to take in by itself what appears in a folder.
    ///
    /// # Errors
    /// The folder is none, or the database refuses.
    pub fn watch_folder(&self, folder: &Path, watched: bool) -> Result<(), AppError> {
        if watched && !folder.is_dir() {
            let error = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(explain::unreadable(folder, &error));
        }
        self.store
            .set_watched(folder, watched)
            .map_err(explain::store)?;
        self.library.wake();
        self.tell_list();
        Ok(())
    }

    fn tell_list(&self) {
        self.library.tell(&LibraryEvent::List);
    }

    fn tell_items(&self, ids: &[ItemId]) {
        if !ids.is_empty() {
            let ids = ids.to_vec();
            self.library.tell(&LibraryEvent::Items { ids });
        }
    }
}

/// Size, and last change in milliseconds since 1970. A disk without times says 0.
fn stamp_of(facts: &Metadata) -> FileStamp {
    let modified = facts
        .modified()
        .ok()
        .map_or(0, |time| match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        });
    (facts.len(), modified)
}

/// The stamp of a file that is there; `None` for a folder and for what cannot be looked at.
fn stamp_at(path: &Path) -> Option<FileStamp> {
    let facts = std::fs::metadata(path).ok()?;
    facts.is_file().then(|| stamp_of(&facts))
}

/// What came of several, one by one.
fn done_with<T>(
    each: impl IntoIterator<Item = T>,
    mut act: impl FnMut(T) -> Result<(), AppError>,
) -> Done {
    let mut done = Done::default();
    for one in each {
        match act(one) {
            Ok(()) => done.count += 1,
            Err(error) => done.refused.push(error),
        }
    }
    done
}

/// A path that the database can hold.
fn absolute(path: &Path) -> Result<PathBuf, AppError> {
    let path = std::path::absolute(path).map_err(|error| explain::unreadable(path, &error))?;
    if path.to_str().is_none() {
        return Err(AppError::new(
            frameloom_core::error::ErrorCode::InputUnsupported,
            said!(
                "name.signs",
                "The name of `{path}` holds signs that are no text.",
                path = path.display()
            ),
        )
        .hint("Rename the file or folder, then add it again."));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Places;
    use frameloom_core::library::LibraryKind;
    use frameloom_store::NewItem;

    pub(super) fn app() -> (tempfile::TempDir, Arc<App>) {
        let folder = tempfile::tempdir().unwrap();
        let places = Places {
            data: folder.path().join("data"),
            worker: "unused".into(),
            extra_models: vec![],
        };
        (folder, App::open(places).unwrap())
    }

    /// A picture, 8 across.
    pub(super) fn picture(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        image::GrayImage::new(8, 4).save(&path).unwrap();
        path
    }

    /// A file on a drive that fails: it is there, and reading it is an error of the drive. The
    /// memory of a process is such a file, where nothing lies at its beginning.
    #[cfg(target_os = "linux")]
    pub(super) fn broken_drive(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        std::os::unix::fs::symlink("/proc/self/mem", &path).unwrap();
        path
    }

    /// Adds a file as it is to the library.
    pub(super) fn add(app: &App, path: &Path) -> ItemId {
        let (size_bytes, modified_millis) = stamp_at(path).unwrap();
        let item = NewItem {
            path: path.to_owned(),
            kind: LibraryKind::Still,
            size_bytes,
            modified_millis,
        };
        app.store.add_to_library(&[item], 1, false).unwrap()[0]
    }
}
