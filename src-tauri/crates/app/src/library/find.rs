//! Missing files, looked for below a folder.

use super::hash::content_hash;
use super::import::walk;
use super::{absolute, stamp_at};
use crate::{App, explain};
use frameloom_core::error::AppError;
use frameloom_core::library::{Done, LibraryEvent};
use frameloom_store::{Content, MissingItem};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// So often it is told how far the search is.
const TELL_INTERVAL: Duration = Duration::from_millis(100);

/// The items that are missing, by their size.
#[derive(Debug, Default)]
struct Lost(BTreeMap<u64, Vec<MissingItem>>);

impl Lost {
    fn of(items: Vec<MissingItem>) -> Self {
        let mut lost = Self::default();
        for item in items {
            lost.0.entry(item.size_bytes).or_default().push(item);
        }
        lost
    }

    fn has_size(&self, size_bytes: u64) -> bool {
        self.0
            .get(&size_bytes)
            .is_some_and(|items| !items.is_empty())
    }

    /// Takes out the item whose file is found at `path`: by its content, which is hashed at most
    /// once, or by its name where the content was never read. Of copies that are missing the one
    /// of the same name comes first. `None` if it is none, or the hash was given up.
    fn take<E>(
        &mut self,
        path: &Path,
        size_bytes: u64,
        hash: impl FnOnce() -> Result<Option<String>, E>,
    ) -> Result<Option<MissingItem>, E> {
        let Some(items) = self.0.get_mut(&size_bytes) else {
            return Ok(None);
        };
        let named = |item: &MissingItem| item.path.file_name() == path.file_name();
        let found = match items.iter().any(|item| item.sha256.is_some()) {
            true => hash()?,
            false => None,
        };
        let same = |item: &MissingItem| found.is_some() && item.sha256 == found;
        let place = items
            .iter()
            .position(|item| same(item) && named(item))
            .or_else(|| items.iter().position(same))
            .or_else(|| {
                let unread = |item: &MissingItem| item.sha256.is_none() && named(item);
                items.iter().position(unread)
            });
        Ok(place.map(|place| items.remove(place)))
    }
}

/// How far a search is, and whether it goes on.
struct Search<'a> {
    app: &'a App,
    turn: u64,
    told: Option<Instant>,
    looked: u32,
    of: u32,
    found: u32,
}

impl Search<'_> {
    fn goes_on(&self) -> bool {
        self.app.library.search.load(Ordering::SeqCst) == self.turn
    }

    fn tell(&mut self) {
        if self.told.is_some_and(|at| at.elapsed() < TELL_INTERVAL) {
            return;
        }
        self.told = Some(Instant::now());
        self.app.library.tell(&LibraryEvent::Search {
            looked: self.looked,
            of: self.of,
            found: self.found,
        });
    }
}

impl App {
    /// Looks for everything that is missing below a folder, by content, or by name and size where
    /// the content was never read. How far it is, is told as [`LibraryEvent::Search`].
    /// [`App::stop_search`] ends it, and so does another one; what was found until then is kept.
    ///
    /// # Errors
    /// The database refuses. Folders and files that cannot be read are in the answer.
    pub fn find_missing(&self, folder: &Path) -> Result<Done, AppError> {
        let turn = self.library.search.fetch_add(1, Ordering::SeqCst) + 1;
        let mut search = Search {
            app: self,
            turn,
            told: None,
            looked: 0,
            of: 0,
            found: 0,
        };
        let mut lost = Lost::of(self.store.missing_items().map_err(explain::store)?);
        let mut done = Done::default();
        let mut files: Vec<(PathBuf, u64)> = Vec::new();
        let goes_on = || self.library.search.load(Ordering::SeqCst) == turn;
        walk(
            &absolute(folder)?,
            &mut |item| {
                if lost.has_size(item.size_bytes) {
                    files.push((item.path, item.size_bytes));
                    search.of += 1;
                }
                search.tell();
            },
            &mut |error| done.refused.push(error),
            &goes_on,
        );
        for (path, size_bytes) in files {
            if !search.goes_on() {
                break;
            }
            search.tell();
            search.looked += 1;
            let found = lost.take(&path, size_bytes, || content_hash(&path, &goes_on));
            match found {
                Ok(Some(item)) => {
                    if self.place_found(&item, &path)? {
                        search.found += 1;
                    }
                }
                Ok(None) => {}
                Err(error) => done.refused.push(explain::unreadable(&path, &error)),
            }
        }
        done.count = search.found;
        if done.count > 0 {
            self.tell_list();
            self.library.wake();
        }
        Ok(done)
    }

    /// Ends the search for missing files, if one runs.
    pub fn stop_search(&self) {
        self.library.search.fetch_add(1, Ordering::SeqCst);
    }

    /// Moves an item to where its file was found; false if that went in between.
    fn place_found(&self, item: &MissingItem, path: &Path) -> Result<bool, AppError> {
        let Some(stamp) = stamp_at(path) else {
            return Ok(false);
        };
        self.store
            .move_item(item.id, path, stamp, Content::Same)
            .map_err(explain::store)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::convert::Infallible;

    #[test]
    fn a_found_file_is_hashed_once_however_many_of_its_size_are_missing() {
        let item = |id: i64, name: &str, hash: Option<String>| MissingItem {
            id,
            path: Path::new("/old").join(name),
            size_bytes: 9,
            sha256: hash,
        };
        let mut items: Vec<_> = (0..1000)
            .map(|n| item(n, &format!("{n}.bmp"), Some(format!("hash {n}"))))
            .collect();
        items.push(item(1000, "twin.bmp", Some("hash 7".to_owned())));
        items.push(item(1001, "unread.bmp", None));
        let mut lost = Lost::of(items);
        assert!(lost.has_size(9) && !lost.has_size(8));
        let hashes = Cell::new(0);
        let mut take = |name: &str, hash: &str| {
            let path = Path::new("/new").join(name);
            let found = lost.take(&path, 9, || {
                hashes.set(hashes.get() + 1);
                Ok::<_, Infallible>(Some(hash.to_owned()))
            });
            let Ok(found) = found;
            found.map(|item| item.id)
        };
        assert_eq!(take("999.bmp", "hash 999"), Some(999));
        assert_eq!(take("other name.bmp", "hash 500"), Some(500));
        assert_eq!(hashes.get(), 2);
        // Of two with one content, the one of this name; then the other.
        assert_eq!(take("twin.bmp", "hash 7"), Some(1000));
        assert_eq!(take("twin.bmp", "hash 7"), Some(7));
        assert_eq!(take("twin.bmp", "hash 7"), None);
        // The name alone says something only where nothing else is known.
        assert_eq!(take("3.bmp", "another"), None);
        assert_eq!(take("unread.bmp", "another"), Some(1001));
    }
}
