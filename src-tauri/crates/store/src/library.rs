//! The table `library` and what belongs to it. Here is how files come into it and how their rows are
//! read; [`files`] has what the disk says of them, [`users`] what the user does.

mod files;
mod users;

use crate::{Store, StoreError};
use frameloom_core::folded::{folded, sort_key};
use frameloom_core::job::JobId;
use frameloom_core::library::{ItemId, LibraryItem, LibraryKind};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};

/// A file that comes into the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// Absolute path, valid UTF-8.
    pub path: PathBuf,
    /// By its name.
    pub kind: LibraryKind,
    /// Size.
    pub size_bytes: u64,
    /// Last change, in milliseconds since 1970.
    pub modified_millis: i64,
}

/// What made an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The job.
    pub job: &'a JobId,
    /// Its main source.
    pub made_from: &'a Path,
    /// Ids of its models.
    pub models: &'a [String],
    /// SHA-256 of the file as the job made it, where its receipt tells.
    pub sha256: Option<&'a str>,
}

/// What an item was made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance {
    /// Main source of the job that made it.
    pub made_from: Option<PathBuf>,
    /// Ids of its models.
    pub models: Vec<String>,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: Option<String>,
}

/// An item whose file is missing, with what that file is known again by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingItem {
    /// Its number.
    pub id: ItemId,
    /// Where it was.
    pub path: PathBuf,
    /// Size.
    pub size_bytes: u64,
    /// SHA-256 of its content, hexadecimal, if it was ever hashed.
    pub sha256: Option<String>,
}

/// What the file at the new place of an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// What the item was: what is known of its content stays known.
    Same,
    /// Maybe something else, of the same size even: it is read and hashed anew.
    Unknown,
}

/// What the disk says of a file: size, and last change in milliseconds since 1970.
pub type FileStamp = (u64, i64);

/// An item, where it is, what the disk last said of it, and whether it is missing.
pub type StampRow = (ItemId, PathBuf, FileStamp, bool);

const ITEM_COLUMNS: &str = "id, path, kind, size_bytes, modified_millis, added_millis, duration_micros, width, height, \
     codec, job_id, stars, missing, look, \
     (SELECT COUNT(*) FROM library AS other WHERE other.sha256 = library.sha256), \
     (SELECT json_group_array(tag) FROM (SELECT tag FROM library_tags WHERE item_id = library.id ORDER BY folded))";

/// The content of a row whose file was not read yet, was read, or is no media.
const LOOK_UNREAD: i64 = 0;
const LOOK_READ: i64 = 1;
const LOOK_UNREADABLE: i64 = 2;

impl Store {
    /// Adds files, in one transaction; those that are there already stay as they are. Returns the
    /// new numbers. With `unless_forgotten` files that were taken out of the library stay out.
    ///
    /// # Errors
    /// The database refuses.
    pub fn add_to_library(
        &self,
        items: &[NewItem],
        now_millis: i64,
        unless_forgotten: bool,
    ) -> Result<Vec<ItemId>, StoreError> {
        self.in_transaction(|transaction| {
            let mut forgotten =
                transaction.prepare_cached("SELECT 1 FROM library_forgotten WHERE path = ?1")?;
            let mut remember =
                transaction.prepare_cached("DELETE FROM library_forgotten WHERE path = ?1")?;
            let mut added = Vec::new();
            for item in items {
                let path = item.path.to_string_lossy();
                if unless_forgotten {
                    if forgotten.exists([&path])? {
                        continue;
                    }
                } else {
                    remember.execute([&path])?;
                }
                added.extend(insert(transaction, item, now_millis)?);
            }
            Ok(added)
        })
    }

    /// Adds the result of a job, or notes what made it where the file is there already. `None` for
    /// the item only marks the job as seen, so that what the user takes out stays out.
    ///
    /// # Errors
    /// The database refuses.
    pub fn add_made_to_library(
        &self,
        item: Option<&NewItem>,
        origin: &Origin<'_>,
        now_millis: i64,
    ) -> Result<Option<ItemId>, StoreError> {
        self.in_transaction(|transaction| {
            transaction.execute(
                "INSERT OR IGNORE INTO library_jobs (job_id) VALUES (?1)",
                [&origin.job.0],
            )?;
            let Some(item) = item else { return Ok(None) };
            let path = item.path.to_string_lossy();
            let id = match insert(transaction, item, now_millis)? {
                Some(id) => id,
                None => transaction.query_row(
                    "SELECT id FROM library WHERE path = ?1",
                    [&path],
                    |row| row.get(0),
                )?,
            };
            transaction.execute(
                "UPDATE library SET job_id = ?2, made_from = ?3, models = ?4, sha256 = ?5 WHERE id = ?1",
                params![
                    id,
                    origin.job.0,
                    origin.made_from.to_string_lossy(),
                    serde_json::to_string(origin.models).map_err(|source| StoreError::Row {
                        what: "list of models",
                        source
                    })?,
                    origin.sha256,
                ],
            )?;
            Ok(Some(id))
        })
    }

    /// Jobs that succeeded and whose results the library was not told of.
    ///
    /// # Errors
    /// The database refuses.
    pub fn jobs_unknown_to_library(&self) -> Result<Vec<JobId>, StoreError> {
        self.rows(
            "SELECT id FROM jobs WHERE state = 'succeeded' \
             AND id NOT IN (SELECT job_id FROM library_jobs) ORDER BY created_millis",
            [],
            |row| Ok(JobId(row.get(0)?)),
        )
    }

    /// The items of these numbers, in their order; those that are gone are left out.
    ///
    /// # Errors
    /// The database refuses, or a row was written by a newer program.
    pub fn library_items(&self, ids: &[ItemId]) -> Result<Vec<LibraryItem>, StoreError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached(&format!("SELECT {ITEM_COLUMNS} FROM library WHERE id = ?1"))?;
        let mut items = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(item) = statement.query_row([id], |row| Ok(item(row))).optional()? {
                items.push(item?);
            }
        }
        Ok(items)
    }

    /// One item.
    ///
    /// # Errors
    /// [`StoreError::NoItem`] if there is none of this number.
    pub fn library_item(&self, id: ItemId) -> Result<LibraryItem, StoreError> {
        self.library_items(&[id])?
            .pop()
            .ok_or(StoreError::NoItem(id))
    }

    /// The number of the item at `path`.
    ///
    /// # Errors
    /// The database refuses.
    pub fn library_item_at(&self, path: &Path) -> Result<Option<ItemId>, StoreError> {
        Ok(self
            .lock()
            .prepare_cached("SELECT id FROM library WHERE path = ?1")?
            .query_row([path.to_string_lossy()], |row| row.get(0))
            .optional()?)
    }

    /// What an item was made of.
    ///
    /// # Errors
    /// The database refuses.
    pub fn provenance(&self, id: ItemId) -> Result<Provenance, StoreError> {
        let found = self.lock().query_row(
            "SELECT made_from, models, sha256 FROM library WHERE id = ?1",
            [id],
            |row| {
                Ok((
                    row.get::<_, Option<String>>(0)?,
                    row.get::<_, Option<String>>(1)?,
                    row.get(2)?,
                ))
            },
        );
        let (made_from, models, sha256) = found.optional()?.ok_or(StoreError::NoItem(id))?;
        Ok(Provenance {
            made_from: made_from.map(PathBuf::from),
            models: match models {
                Some(text) => serde_json::from_str(&text).map_err(|source| StoreError::Row {
                    what: "list of models",
                    source,
                })?,
                None => Vec::new(),
            },
            sha256,
        })
    }

    /// Items with a content, by their numbers.
    ///
    /// # Errors
    /// The database refuses.
    pub fn items_of_content(&self, sha256: &str) -> Result<Vec<ItemId>, StoreError> {
        self.rows(
            "SELECT id FROM library WHERE sha256 = ?1 ORDER BY id",
            [sha256],
            |row| row.get(0),
        )
    }

    /// Everything that is missing.
    ///
    /// # Errors
    /// The database refuses.
    pub fn missing_items(&self) -> Result<Vec<MissingItem>, StoreError> {
        self.rows(
            "SELECT id, path, size_bytes, sha256 FROM library WHERE missing = 1 ORDER BY id",
            [],
            |row| {
                Ok(MissingItem {
                    id: row.get(0)?,
                    path: PathBuf::from(row.get::<_, String>(1)?),
                    size_bytes: row.get::<_, i64>(2)? as u64,
                    sha256: row.get(3)?,
                })
            },
        )
    }

    pub(crate) fn rows<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// One transaction that need not wait for the disk: files of the library are still on the disk
    /// if a power cut takes the last minute of their rows.
    fn in_transaction<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.without_sync(|connection| {
            let transaction =
                Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        })
    }
}

fn sort_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| sort_key(&name.to_string_lossy()))
}

fn insert(
    connection: &Connection,
    item: &NewItem,
    now_millis: i64,
) -> Result<Option<ItemId>, StoreError> {
    let added = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO library (path, sort_name, search, kind, size_bytes, \
             modified_millis, added_millis, look) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            item.path.to_string_lossy(),
            sort_name(&item.path),
            search_text(&item.path, ""),
            item.kind.as_str(),
            item.size_bytes as i64,
            item.modified_millis,
            now_millis,
            LOOK_UNREAD,
        ])?;
    Ok((added == 1).then(|| connection.last_insert_rowid()))
}

/// What words are looked for in: the name, then the tags, then the two folders that it lies in.
/// All further ones would make every item of `/home/video` a hit for `video`.
fn search_text(path: &Path, tags: &str) -> String {
    let mut parts = path.iter().rev().map(|part| part.to_string_lossy());
    let name = parts.next().unwrap_or_default();
    let folders: Vec<_> = parts.take(2).collect();
    folded(&format!("{name}\n{tags}\n{}", folders.join("\n")))
}

fn write_search(connection: &Connection, id: ItemId) -> Result<(), StoreError> {
    let found: Option<(String, String)> = connection
        .prepare_cached(
            "SELECT path, COALESCE((SELECT group_concat(tag, char(10)) FROM library_tags \
             WHERE item_id = library.id), '') FROM library WHERE id = ?1",
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((path, tags)) = found {
        connection
            .prepare_cached("UPDATE library SET search = ?2 WHERE id = ?1")?
            .execute(params![id, search_text(Path::new(&path), &tags)])?;
    }
    Ok(())
}

fn item(row: &Row<'_>) -> Result<LibraryItem, StoreError> {
    let kind: String = row.get(2)?;
    let look: i64 = row.get(13)?;
    Ok(LibraryItem {
        id: row.get(0)?,
        path: row.get::<_, String>(1)?.into(),
        kind: LibraryKind::parse(&kind).ok_or_else(|| StoreError::Damaged {
            reason: format!("an item has the unknown kind `{kind}`"),
        })?,
        size_bytes: row.get::<_, i64>(3)? as u64,
        modified_millis: row.get(4)?,
        added_millis: row.get(5)?,
        duration_micros: row.get(6)?,
        width: row.get(7)?,
        height: row.get(8)?,
        codec: row.get(9)?,
        made_by: row.get::<_, Option<String>>(10)?.map(JobId),
        stars: row.get(11)?,
        missing: row.get(12)?,
        unreadable: look == LOOK_UNREADABLE,
        copies: row.get::<_, u32>(14)?.max(1),
        tags: serde_json::from_str(&row.get::<_, String>(15)?).map_err(|source| {
            StoreError::Row {
                what: "list of tags",
                source,
            }
        })?,
    })
}
