//! The database of the desktop: one SQLite file in the data folder.
//!
//! What lives here: the schema and its migrations ([`migrate`]), and one file per table: jobs
//! ([`jobs`]), finished segments ([`segments`]), the library of files ([`library`]), documents of
//! the canvas ([`graphs`]), folders that are worked on ([`watch`]) and settings ([`settings`]); the files of projects, which are databases of
//! their own ([`project`]); the order of the queue ([`queue`]) and the
//! jobs that are over ([`history`]) are two views of the first. Several processes
//! open the same file at once (the window, the command line, a worker), so every change of a
//! state names the state it expects to find.
//!
//! What must not: decisions about jobs, files other than databases. It is the only
//! desktop crate that knows SQL.
//!
//! ```
//! let folder = tempfile::tempdir().unwrap();
//! let (store, recovered) = frameloom_store::Store::open(folder.path()).unwrap();
//! assert!(recovered.is_none());
//! assert!(store.jobs().unwrap().0.is_empty());
//! ```
#![forbid(unsafe_code)]

mod egress;
mod error;
pub mod graphs;
pub mod history;
pub mod jobs;
pub mod library;
mod library_query;
mod migrate;
pub mod project;
mod promised;
pub mod queue;
pub mod segments;
pub mod settings;
pub mod watch;

pub use egress::{EgressEnd, EgressRow};
pub use error::StoreError;
pub use graphs::{GraphRow, KeepVersions};
pub use history::{HistoryKey, Outcomes};
pub use jobs::{JobRow, Lane, Outcome};
pub use library::{Content, FileStamp, MissingItem, NewItem, Origin, Provenance};
pub use queue::ActiveJob;
pub use segments::SegmentRow;
pub use watch::{WatchRow, WatchState, WatchedFile};

use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long somebody else's write is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A commit is on the disk before it counts: a recorded segment must survive a power cut, or its
/// frames are done twice and its part file is an orphan.
const SYNC_EACH: &str = "full";
/// A commit is on the disk with the next one that is: see [`Store::without_sync`].
const SYNC_LATER: &str = "normal";

/// What SQLite may keep of the file in memory, in KiB: a library of a hundred thousand items.
const CACHE_KIB: i64 = 64 << 10;

/// Name of the database file in the data folder.
pub const DATABASE_FILE: &str = "frameloom.db";

/// The open database.
pub struct Store {
    connection: Mutex<Connection>,
    promised: promised::Promised,
}

/// A damaged database that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where the damaged file is now.
    pub path: PathBuf,
    /// What SQLite said of it.
    pub reason: String,
}

impl Store {
    /// Opens (or makes) the database of the data folder `dir`, which must exist.
    ///
    /// A file that SQLite calls damaged is renamed, never deleted, and a new one is begun; the
    /// second value says so and the caller tells the user.
    ///
    /// # Errors
    /// The folder cannot be written, or the database was made by a newer program.
    pub fn open(dir: &Path) -> Result<(Self, Option<SetAside>), StoreError> {
        let path = dir.join(DATABASE_FILE);
        match Self::connect(&path, true) {
            Ok(connection) => Ok((Self::from(connection), None)),
            Err(StoreError::Damaged { reason }) => {
                let aside = set_aside(&path)?;
                let connection = Self::connect(&path, true)?;
                Ok((
                    Self::from(connection),
                    Some(SetAside {
                        path: aside,
                        reason,
                    }),
                ))
            }
            Err(other) => Err(other),
        }
    }

    /// Opens the database of the data folder `dir` for a process that works for another one, which
    /// has it open: that one has looked through it, and it is never set aside here.
    ///
    /// # Errors
    /// The database cannot be used, damage included.
    pub fn join(dir: &Path) -> Result<Self, StoreError> {
        Self::connect(&dir.join(DATABASE_FILE), false).map(Self::from)
    }

    /// Waits for others that have the file to themselves: while the log is switched on or recovered,
    /// SQLite refuses at once, whatever it was told of waiting.
    fn connect(path: &Path, look_through: bool) -> Result<Connection, StoreError> {
        let since = Instant::now();
        loop {
            match Self::try_connect(path, look_through) {
                Err(StoreError::Busy(_)) if since.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                done => return done,
            }
        }
    }

    fn try_connect(path: &Path, look_through: bool) -> Result<Connection, StoreError> {
        let mut connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        // A worker and the window write at the same time: wait instead of failing.
        connection.busy_timeout(PATIENCE)?;
        // WAL lets the window read while a worker writes.
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", SYNC_EACH)?;
        connection.pragma_update(None, "foreign_keys", "on")?;
        // All that the store ever says, so that each is parsed once.
        connection.set_prepared_statement_cache_capacity(64);
        // More than the few pages that jobs need is taken only where a library fills it.
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        if look_through {
            check(&connection)?;
        }
        migrate::run(&mut connection)?;
        Ok(connection)
    }

    fn from(connection: Connection) -> Self {
        Self {
            connection: Mutex::new(connection),
            promised: promised::Promised::default(),
        }
    }

    /// From now on, waits so long for the writes of others, instead of ten seconds. What can be
    /// left to a later time need not hold up the rest.
    ///
    /// # Errors
    /// The database refuses.
    pub fn wait_at_most(&self, patience: Option<Duration>) -> Result<(), StoreError> {
        Ok(self.lock().busy_timeout(patience.unwrap_or(PATIENCE))?)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic between two statements leaves no half-made state: every write is one
        // transaction.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks through the tables that work depends on. The library may be a hundred times as large as
/// they are, and the versions of graphs grow with every change; every command opens the file, and
/// damage there loses nobody's work: it is told where they are read.
fn check(connection: &Connection) -> Result<(), StoreError> {
    let tables: Vec<String> = connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' \
             AND name NOT LIKE 'library%' AND name NOT LIKE 'graph%' AND name NOT LIKE 'sqlite%'",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for table in tables {
        let verdict: String =
            connection.query_row(&format!("PRAGMA quick_check('{table}')"), [], |row| {
                row.get(0)
            })?;
        if verdict != "ok" {
            return Err(StoreError::Damaged { reason: verdict });
        }
    }
    Ok(())
}

impl Store {
    /// Writes what is worth nothing without a later commit that waits for the disk.
    ///
    /// What a process wrote outlives the process in any case. Only a power cut can take it, and then
    /// never without all that was written after it: the write-ahead log is one file, flushed as a
    /// whole by whoever commits for good next. So a segment or an end that is on the disk never
    /// lacks the row, the plan or the provider that it was made by; and a flush, which costs more
    /// than a small picture, is saved for each of these.
    pub(crate) fn without_sync<T>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = self.lock();
        connection.pragma_update(None, "synchronous", SYNC_LATER)?;
        let written = write(&connection);
        connection.pragma_update(None, "synchronous", SYNC_EACH)?;
        written
    }
}

fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs());
    let aside = path.with_extension(format!("damaged-{seconds}.db"));
    std::fs::rename(path, &aside).map_err(|source| StoreError::SetAside {
        source,
        path: path.to_owned(),
    })?;
    // The write-ahead log belongs to the damaged file.
    for suffix in ["-wal", "-shm"] {
        let mut from = path.as_os_str().to_owned();
        from.push(suffix);
        let mut to = aside.as_os_str().to_owned();
        to.push(suffix);
        if let Err(error) = std::fs::rename(&from, &to)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(StoreError::SetAside {
                source: error,
                path: from.into(),
            });
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_need_not_wait_leaves_the_next_one_waiting_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        let level = |connection: &Connection| {
            connection.query_row("PRAGMA synchronous", [], |row| row.get::<_, i64>(0))
        };
        // 1 is NORMAL, 2 is FULL.
        assert_eq!(level(&store.lock()).unwrap(), 2);
        let within = store.without_sync(|connection| Ok(level(connection)?));
        assert_eq!(within.unwrap(), 1);
        assert_eq!(level(&store.lock()).unwrap(), 2);
        let failed = store.without_sync(|_| Err::<(), _>(StoreError::NoJob("a".into())));
        assert!(failed.is_err());
        assert_eq!(level(&store.lock()).unwrap(), 2, "after a failure as well");
    }
}
