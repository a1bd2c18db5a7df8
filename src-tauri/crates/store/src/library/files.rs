//! What the disk says of the files of the library: where they are, whether they were read, what is in
//! them.

use super::{Content, FileStamp, LOOK_READ, LOOK_UNREADABLE, StampRow, sort_name, write_search};
use crate::jobs::to_json;
use crate::{Store, StoreError};
use frameloom_core::library::{ItemFacts, ItemId, LibraryKind};
use rusqlite::{OptionalExtension, params};
use std::path::{Path, PathBuf};

impl Store {
    /// At most `limit` items after number `after`, with where they are, what the disk last said of
    /// them, and whether they are missing: for whoever looks after the files, piece by piece.
    ///
    /// # Errors
    /// The database refuses.
    pub fn library_stamps(&self, after: ItemId, limit: u32) -> Result<Vec<StampRow>, StoreError> {
        self.rows(
            "SELECT id, path, size_bytes, modified_millis, missing FROM library WHERE id > ?1 \
             ORDER BY id LIMIT ?2",
            params![after, limit],
            |row| {
                Ok((
                    row.get(0)?,
                    PathBuf::from(row.get::<_, String>(1)?),
                    (row.get::<_, i64>(2)? as u64, row.get(3)?),
                    row.get(4)?,
                ))
            },
        )
    }

    /// At most `limit` items whose file was not read, without those of `except`, newest first: they
    /// are looked at first.
    ///
    /// # Errors
    /// The database refuses.
    pub fn unread_items(
        &self,
        limit: u32,
        except: &[ItemId],
    ) -> Result<Vec<(ItemId, PathBuf)>, StoreError> {
        self.rows(
            "SELECT id, path FROM library WHERE look = 0 AND missing = 0 \
             AND id NOT IN (SELECT value FROM json_each(?2)) ORDER BY id DESC LIMIT ?1",
            params![limit, to_json("list of items", &except)?],
            |row| Ok((row.get(0)?, PathBuf::from(row.get::<_, String>(1)?))),
        )
    }

    /// At most `limit` items whose content was not hashed, without those of `except`; while some
    /// share their size with another item only those, for only they can be copies.
    ///
    /// # Errors
    /// The database refuses.
    pub fn unhashed_items(
        &self,
        limit: u32,
        except: &[ItemId],
    ) -> Result<Vec<(ItemId, PathBuf, FileStamp)>, StoreError> {
        let except = to_json("list of items", &except)?;
        let some = |condition: &str| {
            self.rows(
                &format!(
                    "SELECT id, path, size_bytes, modified_millis FROM library \
                     WHERE sha256 IS NULL AND missing = 0 AND look = 1 \
                     AND id NOT IN (SELECT value FROM json_each(?2)) {condition} LIMIT ?1"
                ),
                params![limit, except],
                |row| {
                    Ok((
                        row.get(0)?,
                        PathBuf::from(row.get::<_, String>(1)?),
                        (row.get::<_, i64>(2)? as u64, row.get(3)?),
                    ))
                },
            )
        };
        let shared = some(
            "AND EXISTS (SELECT 1 FROM library AS other \
             WHERE other.size_bytes = library.size_bytes AND other.id <> library.id)",
        )?;
        match shared.is_empty() {
            true => some(""),
            false => Ok(shared),
        }
    }

    /// Stores what was found in a file; `None` if it is no media.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_item_facts(
        &self,
        id: ItemId,
        found: Option<(LibraryKind, &ItemFacts)>,
    ) -> Result<(), StoreError> {
        self.without_sync(|connection| {
            match found {
                Some((kind, facts)) => connection
                    .prepare_cached(
                        "UPDATE library SET look = ?2, kind = ?3, duration_micros = ?4, width = ?5, \
                         height = ?6, codec = ?7 WHERE id = ?1",
                    )?
                    .execute(params![
                        id,
                        LOOK_READ,
                        kind.as_str(),
                        facts.duration_micros,
                        facts.width,
                        facts.height,
                        facts.codec
                    ])?,
                None => connection.execute(
                    "UPDATE library SET look = ?2 WHERE id = ?1",
                    params![id, LOOK_UNREADABLE],
                )?,
            };
            Ok(())
        })
    }

    /// Stores the hash of an item's content, unless the file was changed since `stamp`.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_item_hash(
        &self,
        id: ItemId,
        stamp: FileStamp,
        sha256: &str,
    ) -> Result<(), StoreError> {
        self.without_sync(|connection| {
            connection.execute(
                "UPDATE library SET sha256 = ?2 WHERE id = ?1 AND size_bytes = ?3 AND modified_millis = ?4",
                params![id, sha256, stamp.0 as i64, stamp.1],
            )?;
            Ok(())
        })
    }

    /// Notes what the disk says of files: `None` where there is none. A changed file is read and
    /// hashed again.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_stamps(&self, seen: &[(ItemId, Option<FileStamp>)]) -> Result<(), StoreError> {
        self.in_transaction(|transaction| {
            for (id, stamp) in seen {
                match stamp {
                    None => transaction.execute("UPDATE library SET missing = 1 WHERE id = ?1", [id])?,
                    Some((size, modified)) => transaction.execute(
                        "UPDATE library SET missing = 0, \
                         look = CASE WHEN size_bytes = ?2 AND modified_millis = ?3 THEN look ELSE 0 END, \
                         sha256 = CASE WHEN size_bytes = ?2 AND modified_millis = ?3 THEN sha256 END, \
                         size_bytes = ?2, modified_millis = ?3 WHERE id = ?1",
                        params![id, *size as i64, modified],
                    )?,
                };
            }
            Ok(())
        })
    }

    /// Moves an item to another place on the disk, which no other item has: one that has it goes
    /// into this one, with its tags and stars, and what made it where this one has no such past.
    ///
    /// # Errors
    /// The database refuses.
    pub fn move_item(
        &self,
        id: ItemId,
        path: &Path,
        stamp: FileStamp,
        content: Content,
    ) -> Result<Option<ItemId>, StoreError> {
        self.in_transaction(|transaction| {
            let text = path.to_string_lossy();
            let other: Option<ItemId> = transaction
                .query_row(
                    "SELECT id FROM library WHERE path = ?1 AND id <> ?2",
                    params![text, id],
                    |row| row.get(0),
                )
                .optional()?;
            if let Some(other) = other {
                transaction.execute(
                    "INSERT OR IGNORE INTO library_tags (item_id, tag, folded) \
                     SELECT ?1, tag, folded FROM library_tags WHERE item_id = ?2",
                    [id, other],
                )?;
                transaction.execute(
                    "UPDATE library SET stars = MAX(stars, (SELECT stars FROM library WHERE id = ?2)) WHERE id = ?1",
                    [id, other],
                )?;
                transaction.execute(
                    "UPDATE library SET (job_id, made_from, models) = \
                     (SELECT job_id, made_from, models FROM library WHERE id = ?2) \
                     WHERE id = ?1 AND job_id IS NULL AND made_from IS NULL",
                    [id, other],
                )?;
                transaction.execute("DELETE FROM library WHERE id = ?1", [other])?;
            }
            transaction.execute(
                "UPDATE library SET path = ?2, sort_name = ?3, missing = 0, \
                 look = CASE WHEN ?6 AND size_bytes = ?4 AND modified_millis = ?5 THEN look ELSE 0 END, \
                 sha256 = CASE WHEN ?6 AND size_bytes = ?4 THEN sha256 END, \
                 size_bytes = ?4, modified_millis = ?5 WHERE id = ?1",
                params![
                    id,
                    text,
                    sort_name(path),
                    stamp.0 as i64,
                    stamp.1,
                    content == Content::Same
                ],
            )?;
            write_search(transaction, id)?;
            Ok(other)
        })
    }
}
