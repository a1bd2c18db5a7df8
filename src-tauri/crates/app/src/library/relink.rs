//! Files that are not where they were, found again.

use super::hash::content_hash;
use super::{absolute, stamp_at};
use crate::{App, explain};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::library::{Done, ItemId, LibraryItem, LibraryQuery};
use frameloom_core::said;
use frameloom_store::Content;
use std::path::{Path, PathBuf};

/// What a file is to an item that is missing.
enum Match {
    /// The content is the same.
    Content,
    /// The content of the item is not known; size and name are the same.
    Name,
    /// It is another file.
    None,
}

impl App {
    /// Tells where a missing item is now. Everything else that is missing and moved along with it
    /// is found by the way. With `anyway` a file of another content is taken.
    ///
    /// # Errors
    /// There is no such file, or it is another one.
    pub fn relink_item(&self, id: ItemId, path: &Path, anyway: bool) -> Result<Done, AppError> {
        let item = self.library_item(id)?;
        let path = absolute(path)?;
        if stamp_at(&path).is_none() {
            let error = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(explain::unreadable(&path, &error));
        }
        let known = self.store.provenance(id).map_err(explain::store)?.sha256;
        let content = match self.matched(&item, &path)? {
            Match::Content => Content::Same,
            Match::Name | Match::None => Content::Unknown,
        };
        if known.is_some() && content == Content::Unknown && !anyway {
            return Err(AppError::new(
                ErrorCode::InputChanged,
                said!(
                    "library.other_file",
                    "`{path}` holds something else than the file that is missing.",
                    path = path.display()
                ),
            )
            .hint("Choose another file, or take this one all the same."));
        }
        self.place(&item, &path, content)?;
        let mut done = Done {
            count: 1,
            refused: Vec::new(),
        };
        if let Some((from, to)) = roots(&item.path, &path) {
            done.count += self.relink_below(&from, &to)?;
        }
        self.tell_list();
        self.library.wake();
        Ok(done)
    }

    /// Missing items below `from` that are below `to` now.
    fn relink_below(&self, from: &Path, to: &Path) -> Result<u32, AppError> {
        let query = LibraryQuery {
            missing: true,
            ..LibraryQuery::default()
        };
        let ids = self.store.find_in_library(&query).map_err(explain::store)?;
        let mut count = 0;
        for item in self.store.library_items(&ids).map_err(explain::store)? {
            let Ok(below) = item.path.strip_prefix(from) else {
                continue;
            };
            let place = to.join(below);
            if !matches!(self.matched(&item, &place)?, Match::None) {
                self.place(&item, &place, Content::Same)?;
                count += 1;
            }
        }
        Ok(count)
    }

    fn matched(&self, item: &LibraryItem, path: &Path) -> Result<Match, AppError> {
        let Some((size_bytes, _)) = stamp_at(path) else {
            return Ok(Match::None);
        };
        if size_bytes != item.size_bytes {
            return Ok(Match::None);
        }
        let known = self
            .store
            .provenance(item.id)
            .map_err(explain::store)?
            .sha256;
        Ok(match known {
            Some(_) if content_hash(path, &|| true).is_ok_and(|found| found == known) => {
                Match::Content
            }
            None if item.path.file_name() == path.file_name() => Match::Name,
            _ => Match::None,
        })
    }

    fn place(&self, item: &LibraryItem, path: &Path, content: Content) -> Result<(), AppError> {
        if let Some(stamp) = stamp_at(path) {
            self.store
                .move_item(item.id, path, stamp, content)
                .map_err(explain::store)?;
        }
        Ok(())
    }
}

/// The folders that differ between an old and a new place: what was below the first is now below
/// the second. `None` where even the names differ.
fn roots(old: &Path, new: &Path) -> Option<(PathBuf, PathBuf)> {
    let (mut old, mut new) = (old.to_owned(), new.to_owned());
    if old.file_name() != new.file_name() {
        return None;
    }
    while old.file_name().is_some() && old.file_name() == new.file_name() {
        old.pop();
        new.pop();
    }
    (old != new).then_some((old, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_places_have_in_common_at_their_ends_is_not_what_moved() {
        let at = |old: &str, new: &str| roots(Path::new(old), Path::new(new));
        let found = |a: &str, b: &str| Some((PathBuf::from(a), PathBuf::from(b)));
        assert_eq!(at("/a/x/1.mp4", "/b/x/1.mp4"), found("/a", "/b"));
        assert_eq!(at("/a/1.mp4", "/b/c/1.mp4"), found("/a", "/b/c"));
        assert_eq!(at("/a/1.mp4", "/a/2.mp4"), None);
        assert_eq!(at("/a/1.mp4", "/a/1.mp4"), None);
    }
}
