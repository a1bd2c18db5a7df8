//! Contents: by their hash copies are told, and lost files found again.

use super::resting::Resting;
use super::stamp_at;
use super::tend::rest;
use crate::{App, explain};
use frameloom_core::error::AppError;
use frameloom_core::library::ItemId;
use frameloom_store::{Content, FileStamp};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::Path;
use std::sync::Weak;

/// Hashes asked for in one go.
const HASH_AT_ONCE: u32 = 32;
/// Bytes between two looks at whether to go on.
const HASH_BLOCK: usize = 1 << 20;

/// What came of hashing an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hashed {
    /// Its hash is known, or its file is not what it was and is looked at first.
    Done,
    /// A job began.
    GivenUp,
    /// Its file cannot be read now.
    NotNow,
}

/// The thread that hashes contents.
pub(super) fn hash(app: &Weak<App>) {
    let mut resting = Resting::default();
    while let Some(app) = app.upgrade() {
        let hashed = app.hash_some(&mut resting).unwrap_or_else(|error| {
            tracing::warn!(%error, "contents could not be compared");
            false
        });
        if !hashed {
            rest(app);
        }
    }
}

/// SHA-256 of a file, hexadecimal; `None` if `may_go_on`, which is asked now and then, said no. The
/// file is open only while it is read.
pub(super) fn content_hash(
    path: &Path,
    may_go_on: &dyn Fn() -> bool,
) -> std::io::Result<Option<String>> {
    let mut file = std::fs::File::open(path)?;
    let (mut hash, mut block) = (Sha256::new(), vec![0; HASH_BLOCK]);
    loop {
        if !may_go_on() {
            return Ok(None);
        }
        match file.read(&mut block)? {
            0 => break,
            read => hash.update(&block[..read]),
        }
    }
    let hash = hash.finalize();
    Ok(Some(hash.iter().map(|b| format!("{b:02x}")).collect()))
}

/// True if a file is gone for sure: its folder is there, and it is not in it. One on a drive that
/// is not connected, or in a folder that may not be entered now, comes back as it was.
fn has_left(path: &Path) -> bool {
    let is_gone = |error: std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    path.symlink_metadata().is_err_and(is_gone) && path.parent().is_some_and(Path::is_dir)
}

impl App {
    /// True if something was hashed.
    fn hash_some(&self, resting: &mut Resting) -> Result<bool, AppError> {
        // The disk and the cores belong to jobs while one runs.
        let may_go_on = || self.runner.is_idle();
        if !may_go_on() {
            return Ok(false);
        }
        let some = self
            .store
            .unhashed_items(HASH_AT_ONCE, &resting.ids())
            .map_err(explain::store)?;
        for (id, path, stamp) in &some {
            match self.hash_item(*id, path, *stamp, &may_go_on)? {
                Hashed::Done => resting.forget(*id),
                Hashed::NotNow => resting.rest(*id),
                Hashed::GivenUp => return Ok(false),
            }
        }
        Ok(!some.is_empty())
    }

    /// Hashes the content of one item, and finds copies and lost files by it.
    fn hash_item(
        &self,
        id: ItemId,
        path: &Path,
        stamp: FileStamp,
        may_go_on: &dyn Fn() -> bool,
    ) -> Result<Hashed, AppError> {
        if stamp_at(path) != Some(stamp) {
            // It changed or went since it was looked at; the next check sees to it.
            let seen = stamp_at(path);
            self.store
                .set_stamps(&[(id, seen)])
                .map_err(explain::store)?;
            return Ok(Hashed::Done);
        }
        let sha256 = match content_hash(path, may_go_on) {
            Ok(Some(sha256)) => sha256,
            Ok(None) => return Ok(Hashed::GivenUp),
            // It was read as media a moment ago, and may be read again when its drive is back.
            Err(error) => {
                tracing::info!(%error, "the content of an item cannot be read now");
                return Ok(Hashed::NotNow);
            }
        };
        self.store
            .set_item_hash(id, stamp, &sha256)
            .map_err(explain::store)?;
        self.unite_copies(id, path, stamp, &sha256)?;
        Ok(Hashed::Done)
    }

    /// A lost file that turned up elsewhere is the same item, at its new place.
    fn unite_copies(
        &self,
        id: ItemId,
        path: &Path,
        stamp: FileStamp,
        sha256: &str,
    ) -> Result<(), AppError> {
        let same = self
            .store
            .items_of_content(sha256)
            .map_err(explain::store)?;
        let items = self.store.library_items(&same).map_err(explain::store)?;
        // Asked of the disk: the look for missing files may not have come to it yet.
        let lost = items
            .iter()
            .find(|item| item.id != id && has_left(&item.path));
        if let Some(lost) = lost {
            self.store
                .move_item(lost.id, path, stamp, Content::Same)
                .map_err(explain::store)?;
            self.store
                .set_item_hash(lost.id, stamp, sha256)
                .map_err(explain::store)?;
            self.tell_list();
        } else if same.len() > 1 {
            self.tell_items(&same);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::tests::{add, app, picture};

    #[test]
    fn a_hash_is_given_up_when_a_job_begins_and_leaves_the_file_closed() {
        let (folder, app) = app();
        let path = picture(folder.path(), "a.png");
        let id = add(&app, &path);
        let stamp = stamp_at(&path).unwrap();
        let hash = |may_go_on: bool| app.hash_item(id, &path, stamp, &|| may_go_on).unwrap();
        let known = || app.store.provenance(id).unwrap().sha256;
        assert_eq!(hash(false), Hashed::GivenUp);
        assert_eq!(known(), None);
        #[cfg(target_os = "linux")]
        assert!(
            std::fs::read_dir("/proc/self/fd")
                .unwrap()
                .flatten()
                .all(|open| std::fs::read_link(open.path()).ok() != Some(path.clone()))
        );
        assert_eq!(hash(true), Hashed::Done);
        assert_eq!(known().map(|hash| hash.len()), Some(64));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_content_that_cannot_be_read_now_is_hashed_later() {
        let (folder, app) = app();
        let path = crate::library::tests::broken_drive(folder.path(), "a.png");
        let id = add(&app, &path);
        let facts = Default::default();
        app.store
            .set_item_facts(
                id,
                Some((frameloom_core::library::LibraryKind::Still, &facts)),
            )
            .unwrap();
        let mut resting = Resting::default();
        assert!(app.hash_some(&mut resting).unwrap());
        assert!(!app.store.library_item(id).unwrap().unreadable);
        assert_eq!(resting.ids(), [id]);
        assert!(!app.hash_some(&mut resting).unwrap(), "not all the time");
    }
}
