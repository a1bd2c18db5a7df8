//! The schema, as a list of steps. A step that has shipped is never edited.

use crate::StoreError;
use rusqlite::{Connection, TransactionBehavior};

const STEPS: &[&str] = &[
    "
CREATE TABLE jobs (
    id              TEXT PRIMARY KEY,
    lane            TEXT NOT NULL,
    state           TEXT NOT NULL,
    spec            TEXT NOT NULL,
    plan            TEXT,
    progress        TEXT NOT NULL,
    error           TEXT,
    warnings        TEXT NOT NULL DEFAULT '[]',
    provider        TEXT,
    sizes           TEXT,
    created_millis  INTEGER NOT NULL,
    finished_millis INTEGER
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state, created_millis);

CREATE TABLE segments (
    job_id           TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    position         INTEGER NOT NULL,
    frames           INTEGER NOT NULL,
    part             TEXT NOT NULL,
    part_bytes       INTEGER NOT NULL,
    last_source_pts  INTEGER NOT NULL,
    last_source_hash INTEGER NOT NULL,
    done_millis      INTEGER NOT NULL,
    PRIMARY KEY (job_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
",
    "
ALTER TABLE jobs ADD COLUMN receipt TEXT;
ALTER TABLE segments ADD COLUMN picture_check TEXT NOT NULL DEFAULT '{}';
",
    // Frame rates may change: how many frames of the source went into a segment.
    "ALTER TABLE segments ADD COLUMN source_frames INTEGER;",
    // Clips may be shown one after another.
    "ALTER TABLE segments ADD COLUMN clip INTEGER NOT NULL DEFAULT 0;",
    // Where the clips at the second inputs of nodes were.
    "ALTER TABLE segments ADD COLUMN sides TEXT NOT NULL DEFAULT '[]';",
    // The library of files. What made an item outlives the job's row.
    "
CREATE TABLE library (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    path            TEXT NOT NULL UNIQUE,
    sort_name       TEXT NOT NULL,
    search          TEXT NOT NULL,
    kind            TEXT NOT NULL,
    size_bytes      INTEGER NOT NULL,
    modified_millis INTEGER NOT NULL,
    added_millis    INTEGER NOT NULL,
    look            INTEGER NOT NULL,
    duration_micros INTEGER,
    width           INTEGER,
    height          INTEGER,
    codec           TEXT,
    stars           INTEGER NOT NULL DEFAULT 0,
    missing         INTEGER NOT NULL DEFAULT 0,
    sha256          TEXT,
    job_id          TEXT,
    made_from       TEXT,
    models          TEXT
) STRICT;
CREATE INDEX library_by_added ON library (added_millis);
CREATE INDEX library_lists ON library
    (kind, stars, missing, job_id, size_bytes, modified_millis, added_millis, duration_micros, sort_name);
CREATE INDEX library_by_name ON library (sort_name);
CREATE INDEX library_by_modified ON library (modified_millis);
CREATE INDEX library_by_size ON library (size_bytes);
CREATE INDEX library_by_content ON library (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX library_unhashed ON library (size_bytes) WHERE sha256 IS NULL;
CREATE INDEX library_unread ON library (id) WHERE look = 0;

CREATE TABLE library_tags (
    item_id INTEGER NOT NULL REFERENCES library (id) ON DELETE CASCADE,
    tag     TEXT NOT NULL,
    folded  TEXT NOT NULL,
    PRIMARY KEY (item_id, folded)
) STRICT, WITHOUT ROWID;
CREATE INDEX library_tags_by_name ON library_tags (folded);

CREATE TABLE library_jobs (
    job_id TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE library_watched (
    path TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE library_forgotten (
    path TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
",
    // The order of the queue; which jobs are in the history alone.
    "
ALTER TABLE jobs ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN put_away INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET place = created_millis;
CREATE INDEX jobs_by_place ON jobs (state, lane, place);
CREATE INDEX jobs_by_end ON jobs (finished_millis);
",
    // Documents of the canvas, and what they were before.
    "
CREATE TABLE graphs (
    id             TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    document       TEXT NOT NULL,
    created_millis INTEGER NOT NULL,
    changed_millis INTEGER NOT NULL
) STRICT;

CREATE TABLE graph_versions (
    graph_id     TEXT NOT NULL REFERENCES graphs (id) ON DELETE CASCADE,
    saved_millis INTEGER NOT NULL,
    document     TEXT NOT NULL,
    PRIMARY KEY (graph_id, saved_millis)
) STRICT;
",
    // What was sent to other machines.
    "
CREATE TABLE egress (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    at_millis      INTEGER NOT NULL,
    purpose        TEXT NOT NULL,
    method         TEXT NOT NULL,
    host           TEXT NOT NULL,
    address        TEXT NOT NULL,
    headers        TEXT NOT NULL,
    ended          INTEGER NOT NULL DEFAULT 0,
    status         INTEGER,
    received_bytes INTEGER NOT NULL DEFAULT 0,
    error          TEXT
) STRICT;
",
    // Folders whose files are worked on as they come, and what became of each file.
    "
CREATE TABLE watch_folders (
    folder  TEXT PRIMARY KEY,
    enabled INTEGER NOT NULL,
    rule    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE watch_files (
    folder          TEXT NOT NULL,
    path            TEXT NOT NULL,
    size            INTEGER NOT NULL,
    modified_micros INTEGER NOT NULL,
    state           TEXT NOT NULL,
    job_id          TEXT,
    at_millis       INTEGER NOT NULL,
    PRIMARY KEY (folder, path, size, modified_micros)
) STRICT, WITHOUT ROWID;
",
];

/// Brings the database to the newest version, in one transaction.
pub(crate) fn run(connection: &mut Connection) -> Result<(), StoreError> {
    let known = STEPS.len() as i64;
    let version = |connection: &Connection| {
        connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
    };
    if version(connection)? == known {
        return Ok(());
    }
    // Immediate: of two processes that start together, the second waits and finds it done.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found > known || found < 0 {
        return Err(StoreError::Newer { found, known });
    }
    for step in &STEPS[found as usize..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}
