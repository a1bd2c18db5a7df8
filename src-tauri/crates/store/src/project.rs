//! Project files (`.frameloom`): everything that makes a result again, in one SQLite file.
//!
//! # The format, version 1
//!
//! | place | holds |
//! |---|---|
//! | `application_id` (bytes 68 to 71) | `0x46724C6D`, "FrLm" |
//! | `user_version` (bytes 60 to 63) | 1; a program that knows only lower ones refuses the file |
//! | table `facts` | one row for each name below |
//! | table `media` | one row for each file that takes part |
//! | table `models` | one row for each model of the program that takes part, with the hash of its weights |
//!
//! | fact | holds |
//! |---|---|
//! | `id` | a random name that the project keeps for life |
//! | `title` | its name for people |
//! | `saved_millis` | when it was saved, milliseconds since 1970 |
//! | `program` | JSON: version of the program, system, versions of ONNX Runtime and of ffmpeg's libraries |
//! | `document` | JSON: what the canvas draws, without `run` and with empty texts in place of paths |
//! | `graph` | JSON: what is run of it (nodes that rest left out), if anything; paths are empty here too |
//! | `settings` | JSON: name of the result below the project's folder, codec, quality, tracks left out, device, precision, determinism |
//! | `lock` | JSON: see `frameloom_app`; only in a locked project |
//! | `origin` | only in a recovery copy: the file that it is a later state of |
//!
//! A row of `media` is found by its `role`: `input:NAME` for the inputs of the graph, `node:ID:PARAMETER`
//! for a file that a node names. `relative` is its path from the project's folder, with `/` between
//! folders and `..` where it lies beside; `absolute` is the last resort, and empty in a project that was
//! collected into a folder. `pictures` is JSON with the numbers where the name is a pattern
//! (`shot_%05d.png`). `sha256` is that of all bytes, of numbered pictures that of the list which
//! `sha256sum` prints for them; it is missing where nobody read the file yet. `summary` is JSON with what
//! a probe said.
//!
//! # A file from a stranger
//!
//! The file is opened for reading only and as unchangeable, so that no journal beside it counts. Nothing
//! of it is run: its tables must be, letter by letter, those of [`SCHEMA`], with no view, trigger or
//! generated column beside them, `trusted_schema` is off, and all statements are this program's. Sizes
//! are limited before anything is read into memory. A file is never changed in place: a new one is
//! written beside it and takes its name.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// `application_id` of a project file.
pub const APPLICATION_ID: u32 = 0x4672_4C6D;
/// Version of the format that this program writes, and the highest that it reads.
pub const FORMAT_VERSION: u32 = 1;
/// Largest file that is opened.
pub const MAX_FILE_BYTES: u64 = 64 << 20;
/// Longest value of a fact.
const MAX_FACT_BYTES: i64 = 16 << 20;
/// Longest text in a row of media or models.
const MAX_TEXT_BYTES: i64 = 64 << 10;
/// Most rows of a table.
const MAX_ROWS: i64 = 4096;

/// The tables, as `sqlite_schema` tells them.
pub const SCHEMA: [(&str, &str); 3] = [
    (
        "facts",
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    ),
    (
        "media",
        "CREATE TABLE media (role TEXT PRIMARY KEY, relative TEXT, absolute TEXT NOT NULL, \
         pictures TEXT, size_bytes INTEGER NOT NULL, modified_millis INTEGER NOT NULL, \
         sha256 TEXT, summary TEXT NOT NULL) STRICT, WITHOUT ROWID",
    ),
    (
        "models",
        "CREATE TABLE models (id TEXT PRIMARY KEY, sha256 TEXT NOT NULL) STRICT, WITHOUT ROWID",
    ),
];

/// Why a file is not read as a project, or cannot be written as one.
#[derive(Debug, thiserror::Error)]
pub enum ProjectFileError {
    /// It cannot be opened.
    #[error("the project cannot be read: {0}")]
    Io(#[source] std::io::Error),
    /// It is something else.
    #[error("the file is no project of Frameloom")]
    NotAProject,
    /// A newer program made it.
    #[error("the project is of format {found}; this program knows formats up to {FORMAT_VERSION}")]
    Newer {
        /// The format found.
        found: u32,
    },
    /// It is larger than any project.
    #[error("the project has {bytes} bytes; {MAX_FILE_BYTES} are the limit")]
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// It is not as it was written.
    #[error("the project is damaged: {reason}")]
    Damaged {
        /// What is wrong.
        reason: String,
    },
    /// It cannot be written.
    #[error("the project cannot be written: {0}")]
    Write(#[source] rusqlite::Error),
}

/// A file that takes part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MediaRow {
    /// `input:NAME` or `node:ID:PARAMETER`.
    pub role: String,
    /// Path from the project's folder.
    pub relative: Option<String>,
    /// Absolute path; may be empty.
    pub absolute: String,
    /// Numbers of the pictures of a pattern, as JSON.
    pub pictures: Option<String>,
    /// Size when it was saved.
    pub size_bytes: u64,
    /// Its last change then, milliseconds since 1970.
    pub modified_millis: i64,
    /// Hash of its content.
    pub sha256: Option<String>,
    /// What a probe said, as JSON.
    pub summary: String,
}

/// What a project file holds. This crate does not look into the JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectFile {
    /// Facts by their names.
    pub facts: BTreeMap<String, String>,
    /// Files that take part.
    pub media: Vec<MediaRow>,
    /// Ids of models with the hashes of their weights.
    pub models: Vec<(String, String)>,
}

fn damaged(error: impl std::fmt::Display) -> ProjectFileError {
    ProjectFileError::Damaged {
        reason: error.to_string(),
    }
}

/// What the first bytes say, before SQLite sees any of them.
fn check_head(path: &Path) -> Result<(), ProjectFileError> {
    // Asked before it is opened: a pipe would keep whoever opens it waiting for ever.
    let facts = std::fs::metadata(path).map_err(ProjectFileError::Io)?;
    if !facts.is_file() {
        return Err(ProjectFileError::NotAProject);
    }
    if facts.len() > MAX_FILE_BYTES {
        return Err(ProjectFileError::TooLarge { bytes: facts.len() });
    }
    let mut file = File::open(path).map_err(ProjectFileError::Io)?;
    let mut head = [0; 100];
    match file.read_exact(&mut head) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return Err(ProjectFileError::NotAProject);
        }
        other => other.map_err(ProjectFileError::Io)?,
    }
    let number = |at: usize| {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&head[at..at + 4]);
        u32::from_be_bytes(bytes)
    };
    if !head.starts_with(b"SQLite format 3\0") || number(68) != APPLICATION_ID {
        return Err(ProjectFileError::NotAProject);
    }
    match number(60) {
        FORMAT_VERSION => Ok(()),
        0 => Err(damaged("it does not say its format")),
        found => Err(ProjectFileError::Newer { found }),
    }
}

/// The address of a file that SQLite takes for unchangeable: it looks for no journal beside it, takes
/// no lock and writes nothing.
fn unchangeable(path: &Path) -> String {
    let mut address = String::from("file:");
    let bytes = path.as_os_str().as_encoded_bytes();
    if cfg!(windows) {
        address.push('/');
    }
    for &byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => {
                address.push(char::from(byte));
            }
            b'\\' if cfg!(windows) => address.push('/'),
            other => address.push_str(&format!("%{other:02X}")),
        }
    }
    address + "?mode=ro&immutable=1"
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        unchangeable(path),
        OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    for (setting, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        connection.set_db_config(setting, value)?;
    }
    connection.pragma_update(None, "trusted_schema", "off")?;
    connection.pragma_update(None, "cell_size_check", "on")?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "query_only", "on")?;
    Ok(connection)
}

/// Its tables are ours, and nothing else is there.
fn check_schema(connection: &Connection) -> Result<(), ProjectFileError> {
    let mut statement = connection
        .prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name LIMIT 8")
        .map_err(damaged)?;
    let found: Vec<(String, String, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .and_then(Iterator::collect)
        .map_err(damaged)?;
    let expected = SCHEMA.map(|(name, sql)| ("table".to_owned(), name.to_owned(), sql.to_owned()));
    if found != expected {
        return Err(damaged("its tables are not those of a project"));
    }
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(damaged)?;
    if verdict != "ok" {
        return Err(damaged(verdict));
    }
    Ok(())
}

/// Nothing in a table is longer than it may be; asked before any of it is read.
fn check_sizes(connection: &Connection) -> Result<(), ProjectFileError> {
    let ask = |sql: &str, most: i64, what: &str| -> Result<(), ProjectFileError> {
        let found: Option<i64> = connection
            .query_row(sql, [], |row| row.get(0))
            .map_err(damaged)?;
        match found.unwrap_or(0) {
            found if found > most => {
                Err(damaged(format!("{what}: {found}, and {most} is the limit")))
            }
            _ => Ok(()),
        }
    };
    for (table, _) in SCHEMA {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        ask(&sql, MAX_ROWS, "rows of a table")?;
    }
    let longest = "SELECT MAX(MAX(octet_length(";
    let all = [
        (
            format!("{longest}name), octet_length(value))) FROM facts"),
            MAX_FACT_BYTES,
        ),
        (
            format!(
                "{longest}role), IFNULL(octet_length(relative), 0), octet_length(absolute), \
                 IFNULL(octet_length(pictures), 0), IFNULL(octet_length(sha256), 0), \
                 octet_length(summary))) FROM media"
            ),
            MAX_TEXT_BYTES,
        ),
        (
            format!("{longest}id), octet_length(sha256))) FROM models"),
            MAX_TEXT_BYTES,
        ),
    ];
    for (sql, most) in all {
        ask(&sql, most, "bytes of a text")?;
    }
    Ok(())
}

/// Reads a project file.
///
/// # Errors
/// [`ProjectFileError`]; the file is untouched in every case.
pub fn read(path: &Path) -> Result<ProjectFile, ProjectFileError> {
    check_head(path)?;
    let connection = open(path).map_err(damaged)?;
    check_schema(&connection)?;
    check_sizes(&connection)?;
    let facts = connection
        .prepare("SELECT name, value FROM facts")
        .and_then(|mut statement| {
            statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .map_err(damaged)?;
    let media = connection
        .prepare(
            "SELECT role, relative, absolute, pictures, size_bytes, modified_millis, sha256, \
             summary FROM media ORDER BY role",
        )
        .and_then(|mut statement| {
            statement
                .query_map([], |row| {
                    Ok(MediaRow {
                        role: row.get(0)?,
                        relative: row.get(1)?,
                        absolute: row.get(2)?,
                        pictures: row.get(3)?,
                        size_bytes: row.get::<_, i64>(4)?.unsigned_abs(),
                        modified_millis: row.get(5)?,
                        sha256: row.get(6)?,
                        summary: row.get(7)?,
                    })
                })?
                .collect()
        })
        .map_err(damaged)?;
    let models = connection
        .prepare("SELECT id, sha256 FROM models ORDER BY id")
        .and_then(|mut statement| {
            statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .map_err(damaged)?;
    Ok(ProjectFile {
        facts,
        media,
        models,
    })
}

/// Writes a project file where none is. It is not flushed to the disk: the caller does that before
/// it gives the file its name.
///
/// # Errors
/// [`ProjectFileError::Write`].
pub fn write(path: &Path, project: &ProjectFile) -> Result<(), ProjectFileError> {
    fill(path, project).map_err(ProjectFileError::Write)
}

fn fill(path: &Path, project: &ProjectFile) -> rusqlite::Result<()> {
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // Nobody knows the file yet: what a crash leaves of it is thrown away.
    connection.pragma_update(None, "journal_mode", "memory")?;
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    let transaction = connection.transaction()?;
    transaction.pragma_update(None, "user_version", FORMAT_VERSION)?;
    for (_, sql) in SCHEMA {
        transaction.execute(sql, [])?;
    }
    for (name, value) in &project.facts {
        transaction.execute("INSERT INTO facts VALUES (?1, ?2)", params![name, value])?;
    }
    for row in &project.media {
        transaction.execute(
            "INSERT INTO media VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                row.role,
                row.relative,
                row.absolute,
                row.pictures,
                i64::try_from(row.size_bytes).unwrap_or(i64::MAX),
                row.modified_millis,
                row.sha256,
                row.summary,
            ],
        )?;
    }
    for (id, sha256) in &project.models {
        transaction.execute("INSERT INTO models VALUES (?1, ?2)", params![id, sha256])?;
    }
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)
}
