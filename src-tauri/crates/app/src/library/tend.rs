//! The threads that keep the library up.

use super::hash::hash;
use super::import::{facts_of, list};
use super::resting::Resting;
use super::{stamp_at, stamp_of};
use crate::{App, explain, inputs, now_millis};
use frameloom_core::error::{AppError, ErrorCode};
use frameloom_core::job::{JobEvent, JobState};
use frameloom_core::library::{ItemFacts, ItemId, LibraryKind};
use frameloom_store::NewItem;
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
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
/// A file that is empty may be filled; one that is empty for a day will not be.
const EMPTY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// Files read in one go, between looks at what else there is to do.
const READ_AT_ONCE: u32 = 16;
/// Bytes at either end of a file that show whether it can be read.
const PROOF_BYTES: usize = 64 << 10;
/// Rows looked after in one go.
const CHECK_AT_ONCE: u32 = 1_000;

/// What the keeper remembers from round to round.
#[derive(Default)]
pub(super) struct Round {
    looked: Option<Instant>,
    checked: Option<Instant>,
    /// The last number that the present check came to.
    check_after: Option<ItemId>,
    /// Watched folders, and those below them: when each was changed, and what is below.
    folders: BTreeMap<PathBuf, Seen>,
    resting: Resting,
}

#[derive(Clone)]
struct Seen {
    modified_millis: i64,
    below: Vec<PathBuf>,
    /// Everything in it was old enough to be whole, and not empty.
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
        let read = self.read_some(&mut round.resting)?;
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
    fn read_some(&self, resting: &mut Resting) -> Result<bool, AppError> {
        let unread = self
            .store
            .unread_items(READ_AT_ONCE, &resting.ids())
            .map_err(explain::store)?;
        let mut ids = Vec::with_capacity(unread.len());
        for (id, path) in &unread {
            let found = match look_into(path) {
                Look::Media(kind, facts) => Some((kind, facts)),
                Look::NoMedia => None,
                Look::NotNow if stamp_at(path).is_none() => {
                    self.store
                        .set_stamps(&[(*id, None)])
                        .map_err(explain::store)?;
                    ids.push(*id);
                    continue;
                }
                Look::NotNow => {
                    resting.rest(*id);
                    continue;
                }
            };
            self.store
                .set_item_facts(*id, found.as_ref().map(|(kind, facts)| (*kind, facts)))
                .map_err(explain::store)?;
            resting.forget(*id);
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
                    let (mut is_whole, mut is_filled) = (true, true);
                    let listed = list(
                        &folder,
                        &mut |item| {
                            let rests = now - item.modified_millis > SETTLED_MILLIS;
                            is_whole &= rests;
                            if rests {
                                found.push(item);
                            }
                        },
                        // Nothing tells when a file is filled: the folder does not change then.
                        &mut |modified| is_filled &= now - modified > EMPTY_MILLIS,
                    );
                    let Ok(below) = listed else { continue };
                    let rests = now - modified_millis > SETTLED_MILLIS;
                    Seen {
                        modified_millis,
                        below,
                        settled: rests && is_whole && is_filled,
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
}

/// What a look into a file found.
enum Look {
    Media(LibraryKind, ItemFacts),
    /// It was read, and holds neither pictures nor sound nor text.
    NoMedia,
    /// It could not be read: it is open elsewhere, its drive went or fails, or memory ran out.
    NotNow,
}

fn look_into(path: &Path) -> Look {
    // Twice, for what kept it from being read may have ended between the look and the proof.
    for _ in 0..2 {
        match inputs::probe(path) {
            Ok(info) => {
                return match facts_of(&info) {
                    Some((kind, facts)) => Look::Media(kind, facts),
                    None => Look::NoMedia,
                };
            }
            Err(error) if error.code == ErrorCode::OutOfMemory => return Look::NotNow,
            Err(_) if !can_be_read(path) => return Look::NotNow,
            Err(_) => {}
        }
    }
    Look::NoMedia
}

/// Does the system hand out the content of a file, at its beginning and its end?
fn can_be_read(path: &Path) -> bool {
    let read = || {
        let mut file = std::fs::File::open(path)?;
        let mut block = vec![0; PROOF_BYTES];
        // `Read::read` may end early; where nothing can be read, it says so at once.
        let _ = file.read(&mut block)?;
        let end = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(end.saturating_sub(PROOF_BYTES as u64)))?;
        file.read(&mut block)
    };
    read().is_ok()
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

/// Waits until there is something to do, or for the next look at folders. Holds nothing of the
/// application meanwhile.
pub(super) fn rest(app: Arc<App>) {
    let wake = app.library.wake.clone();
    drop(app);
    let (calls, condition) = &*wake;
    let guard = calls.lock().unwrap_or_else(PoisonError::into_inner);
    let before = *guard;
    let _ = condition.wait_timeout_while(guard, LOOK_EVERY, |calls| *calls == before);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::library::tests::{add, app, broken_drive, picture};

    #[test]
    fn a_file_that_cannot_be_read_now_is_read_later_and_only_one_that_was_read_is_no_media() {
        let (folder, app) = app();
        let path = broken_drive(folder.path(), "a.png");
        let id = add(&app, &path);
        let other = folder.path().join("b.png");
        std::fs::write(&other, "this is no picture").unwrap();
        let other = add(&app, &other);
        let mut resting = Resting::default();
        app.read_some(&mut resting).unwrap();
        let item = |id| app.store.library_item(id).unwrap();
        assert!(item(other).unreadable);
        assert!(!item(id).unreadable && !item(id).missing);
        assert_eq!(item(id).width, None);
        // The drive is well again.
        std::fs::remove_file(&path).unwrap();
        picture(folder.path(), "a.png");
        app.read_some(&mut resting).unwrap();
        assert_eq!(item(id).width, None, "it rests");
        app.read_some(&mut Resting::default()).unwrap();
        assert_eq!(item(id).width, Some(8));
    }

    #[test]
    fn a_file_that_is_empty_for_long_comes_in_when_it_is_filled() {
        let (folder, app) = app();
        let watched = folder.path().join("watched");
        std::fs::create_dir(&watched).unwrap();
        app.watch_folder(&watched, true).unwrap();
        let path = watched.join("a.png");
        let age = |path: &Path, millis| {
            let then = std::time::SystemTime::now() - Duration::from_millis(millis);
            let file = std::fs::File::options().write(true).open(path).unwrap();
            file.set_modified(then).unwrap();
        };
        std::fs::write(&path, "").unwrap();
        age(&path, 60_000);
        // The folder rests, too: only its file is still to come.
        let folder_of = std::fs::File::open(&watched).unwrap();
        folder_of
            .set_modified(std::time::SystemTime::now() - Duration::from_secs(60))
            .unwrap();
        let mut round = Round::default();
        let items = || app.library_summary().unwrap().items;
        app.look_at_watched(&mut round).unwrap();
        assert_eq!(items(), 0);
        std::fs::write(&path, "a picture, for all that its name says").unwrap();
        age(&path, 60_000);
        app.look_at_watched(&mut round).unwrap();
        assert_eq!(items(), 1);
    }
}
