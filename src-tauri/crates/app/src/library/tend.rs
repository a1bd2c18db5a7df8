//! The threads that keep the library up.

use super::import::{facts_of, list};
use super::{stamp_at, stamp_of};
use crate::{App, explain, inputs, now_millis};
use frameloom_core::error::AppError;
use frameloom_core::job::{JobEvent, JobState};
use frameloom_core::library::ItemId;
use frameloom_store::{Content, FileStamp, NewItem};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How often watched folders are looked at. A look costs one question per folder that did not
/// change, on network drives too, where the system tells of no changes; so nothing else is needed.
const LOOK_EVERY: Duration = Duration::from_secs(4);
/// How often it is looked whether every file is still there.
const CHECK_EVERY: Duration = Duration::from_secs(60);
/// Files that were changed a moment ago may still be written.
const SETTLED_MILLIS: i64 = 2_500;
/// Files read in one go, between looks at what else there is to do.
const READ_AT_ONCE: u32 = 16;
/// Rows looked after in one go.
const CHECK_AT_ONCE: u32 = 1_000;
/// Hashes asked for in one go.
const HASH_AT_ONCE: u32 = 32;
/// Bytes between two looks at whether a job runs.
const HASH_BLOCK: usize = 1 << 20;

/// What the keeper remembers from round to round.
#[derive(Default)]
pub(super) struct Round {
    looked: Option<Instant>,
    checked: Option<Instant>,
    /// The last number that the present check came to.
    check_after: Option<ItemId>,
    /// Watched folders, and those below them: when each was changed, and what is below.
    folders: BTreeMap<PathBuf, Seen>,
}

#[derive(Clone)]
struct Seen {
    modified_millis: i64,
    below: Vec<PathBuf>,
    /// Everything in it was old enough to be whole.
    settled: bool,
}

impl App {
    /// Starts the threads that keep the library up; they end with the program.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start_library(self: &Arc<Self>) -> Result<(), AppError> {
        let app = Arc::downgrade(self);
        self.listen(move |event| {
            let Some(app) = app.upgrade() else {
                return false;
            };
            if matches!(event, JobEvent::Changed { job } if job.state == JobState::Succeeded) {
                app.library.wake();
            }
            true
        });
        let spawn = |name: &str, work: fn(&Weak<App>)| {
            let app = Arc::downgrade(self);
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || work(&app))
                .map_err(explain::internal)
        };
        spawn("library", keep)?;
        spawn("library-hash", hash)?;
        Ok(())
    }

    /// A part of what there is to do; true if there is more to do at once.
    pub(super) fn tend_library(&self, round: &mut Round) -> Result<bool, AppError> {
        self.take_results()?;
        let due = |last: Option<Instant>, every| last.is_none_or(|then| then.elapsed() >= every);
        if due(round.looked, LOOK_EVERY) {
            self.look_at_watched(round)?;
            round.looked = Some(Instant::now());
        }
        if round.check_after.is_none() && due(round.checked, CHECK_EVERY) {
            round.check_after = Some(0);
        }
        if let Some(after) = round.check_after {
            round.check_after = self.check_files(after)?;
            round.checked = Some(Instant::now());
        }
        let read = self.read_some()?;
        Ok(read || round.check_after.is_some())
    }

    /// Looks whether some files are there and as they were; returns where to go on, `None` at the
    /// end.
    fn check_files(&self, after: ItemId) -> Result<Option<ItemId>, AppError> {
        let rows = self
            .store
            .library_stamps(after, CHECK_AT_ONCE)
            .map_err(explain::store)?;
        let changed: Vec<_> = rows
            .iter()
            .filter_map(|(id, path, known, missing)| {
                let found = stamp_at(path);
                (found != (!missing).then_some(*known)).then_some((*id, found))
            })
            .collect();
        if !changed.is_empty() {
            self.store.set_stamps(&changed).map_err(explain::store)?;
            let ids: Vec<_> = changed.iter().map(|(id, _)| *id).collect();
            self.tell_items(&ids);
        }
        Ok(rows.last().map(|row| row.0))
    }

    /// Reads what some files are; true if there may be more.
    fn read_some(&self) -> Result<bool, AppError> {
        let unread = self
            .store
            .unread_items(READ_AT_ONCE)
            .map_err(explain::store)?;
        let mut ids = Vec::with_capacity(unread.len());
        for (id, path) in &unread {
            let found = inputs::probe(path).ok();
            let facts = found.as_ref().and_then(facts_of);
            if facts.is_none() && stamp_at(path).is_none() {
                self.store
                    .set_stamps(&[(*id, None)])
                    .map_err(explain::store)?;
            } else {
                self.store
                    .set_item_facts(*id, facts.as_ref().map(|(kind, facts)| (*kind, facts)))
                    .map_err(explain::store)?;
            }
            ids.push(*id);
        }
        self.tell_items(&ids);
        if !unread.is_empty() && unread.len() < READ_AT_ONCE as usize {
            // Kinds, lengths and sizes are known now: lists that go by them change.
            self.tell_list();
        }
        Ok(unread.len() == READ_AT_ONCE as usize)
    }

    /// Takes in what appeared in watched folders.
    fn look_at_watched(&self, round: &mut Round) -> Result<(), AppError> {
        let mut waiting = self.store.watched_folders().map_err(explain::store)?;
        let mut seen = BTreeMap::new();
        let mut found: Vec<NewItem> = Vec::new();
        let now = now_millis();
        while let Some(folder) = waiting.pop() {
            // A drive that is not connected now: it is looked at again.
            let Ok(facts) = std::fs::metadata(&folder) else {
                continue;
            };
            let (_, modified_millis) = stamp_of(&facts);
            let known = round
                .folders
                .remove(&folder)
                .filter(|known| known.settled && known.modified_millis == modified_millis);
            let state = match known {
                Some(known) => known,
                None => {
                    let mut settled = now - modified_millis > SETTLED_MILLIS;
                    let listed = list(&folder, &mut |item| {
                        let is_whole = now - item.modified_millis > SETTLED_MILLIS;
                        settled &= is_whole;
                        if is_whole {
                            found.push(item);
                        }
                    });
                    let Ok(below) = listed else { continue };
                    Seen {
                        modified_millis,
                        below,
                        settled,
                    }
                }
            };
            waiting.extend(state.below.iter().cloned());
            seen.insert(folder, state);
        }
        round.folders = seen;
        let mut added = 0;
        for some in found.chunks(CHECK_AT_ONCE as usize) {
            added += self
                .store
                .add_to_library(some, now, true)
                .map_err(explain::store)?
                .len();
        }
        if added > 0 {
            self.tell_list();
        }
        Ok(())
    }

    /// Hashes the content of one item, and finds copies and lost files by it.
    pub(super) fn hash_item(
        &self,
        id: ItemId,
        path: &Path,
        stamp: FileStamp,
        may_go_on: &dyn Fn(),
    ) -> Result<(), AppError> {
        if stamp_at(path) != Some(stamp) {
            // It changed or went since it was looked at; the next check sees to it.
            let seen = stamp_at(path);
            return self.store.set_stamps(&[(id, seen)]).map_err(explain::store);
        }
        let sha256 = match content_hash(path, may_go_on) {
            Ok(sha256) => sha256,
            Err(error) => {
                tracing::info!(%error, "the content of an item cannot be read");
                return self.store.set_item_facts(id, None).map_err(explain::store);
            }
        };
        self.store
            .set_item_hash(id, stamp, &sha256)
            .map_err(explain::store)?;
        self.unite_copies(id, path, stamp, &sha256)
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

/// True if a file is gone for sure: its folder is there, and it is not in it. One on a drive that
/// is not connected, or in a folder that may not be entered now, comes back as it was.
fn has_left(path: &Path) -> bool {
    let is_gone = |error: std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    path.symlink_metadata().is_err_and(is_gone) && path.parent().is_some_and(Path::is_dir)
}

/// SHA-256 of a file, hexadecimal. `may_go_on` is called now and then, and may wait.
pub(super) fn content_hash(path: &Path, may_go_on: &dyn Fn()) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let (mut hash, mut block) = (Sha256::new(), vec![0; HASH_BLOCK]);
    loop {
        may_go_on();
        match file.read(&mut block)? {
            0 => break,
            read => hash.update(&block[..read]),
        }
    }
    Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

fn keep(app: &Weak<App>) {
    let mut round = Round::default();
    while let Some(app) = app.upgrade() {
        let more = app.tend_library(&mut round).unwrap_or_else(|error| {
            tracing::warn!(%error, "the library could not be kept up");
            false
        });
        if !more {
            rest(app);
        }
    }
}

fn hash(app: &Weak<App>) {
    while let Some(app) = app.upgrade() {
        let hashed = app.hash_some().unwrap_or_else(|error| {
            tracing::warn!(%error, "contents could not be compared");
            false
        });
        if !hashed {
            rest(app);
        }
    }
}

impl App {
    /// True if something was hashed.
    fn hash_some(&self) -> Result<bool, AppError> {
        // The disk and the cores belong to jobs while one runs.
        let may_go_on = || {
            while !self.runner.is_idle() {
                std::thread::sleep(Duration::from_secs(1));
            }
        };
        let some = self
            .store
            .unhashed_items(HASH_AT_ONCE)
            .map_err(explain::store)?;
        for (id, path, stamp) in &some {
            self.hash_item(*id, path, *stamp, &may_go_on)?;
        }
        Ok(!some.is_empty())
    }
}

/// Waits until there is something to do, or for the next look at folders. Holds nothing of the
/// application meanwhile.
fn rest(app: Arc<App>) {
    let wake = app.library.wake.clone();
    drop(app);
    let (calls, condition) = &*wake;
    let guard = calls.lock().unwrap_or_else(PoisonError::into_inner);
    let before = *guard;
    let _ = condition.wait_timeout_while(guard, LOOK_EVERY, |calls| *calls == before);
}
