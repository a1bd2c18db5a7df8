use frameloom_core::error::ErrorCode;
use std::path::PathBuf;

/// Why the database could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("the database refused: {0}")]
    Sqlite(#[source] rusqlite::Error),
    /// Another process has the database to itself, and had it for as long as was waited.
    #[error("another process of Frameloom keeps the database to itself")]
    Busy(#[source] rusqlite::Error),
    /// The file is no healthy database.
    #[error("the database is damaged: {reason}")]
    Damaged {
        /// What SQLite said.
        reason: String,
    },
    /// A damaged database could not be renamed.
    #[error("the damaged database could not be set aside: {source} ({path})")]
    SetAside {
        /// The cause.
        source: std::io::Error,
        /// The file.
        path: PathBuf,
    },
    /// Made by a newer program.
    #[error("the database is of version {found}; this program knows versions up to {known}")]
    Newer {
        /// Version found.
        found: i64,
        /// Highest version known.
        known: i64,
    },
    /// A row cannot be read.
    #[error("a stored {what} cannot be read: {source}")]
    Row {
        /// Which kind of row.
        what: &'static str,
        /// The cause.
        source: serde_json::Error,
    },
    /// There is no such job.
    #[error("there is no job {0}")]
    NoJob(String),
    /// There is no such item in the library.
    #[error("there is no item {0} in the library")]
    NoItem(i64),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                code @ (rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase),
            ) => StoreError::Damaged {
                reason: format!("{code:?}: {error}"),
            },
            Some(rusqlite::ErrorCode::DatabaseBusy) => StoreError::Busy(error),
            _ => StoreError::Sqlite(error),
        }
    }
}

impl StoreError {
    /// The kind of failure as callers see it.
    pub fn code(&self) -> ErrorCode {
        match self {
            StoreError::Sqlite(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) =>
            {
                ErrorCode::DiskFull
            }
            StoreError::Busy(_) => ErrorCode::StoreBusy,
            StoreError::Sqlite(_)
            | StoreError::Damaged { .. }
            | StoreError::SetAside { .. }
            | StoreError::Newer { .. }
            | StoreError::Row { .. } => ErrorCode::StoreUnavailable,
            StoreError::NoJob(_) => ErrorCode::JobNotFound,
            StoreError::NoItem(_) => ErrorCode::InputNotFound,
        }
    }
}
