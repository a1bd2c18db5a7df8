//! What the user says of the library: stars, tags, folders that are watched, what is taken out; and what
//! there is of it all.

use super::write_search;
use crate::{Store, StoreError};
use frameloom_core::folded::folded;
use frameloom_core::library::{Counted, ItemId, LibrarySummary};
use rusqlite::{OptionalExtension, Row, params};
use std::path::{Path, PathBuf};

impl Store {
    /// Gives items stars, 0 to 5.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_stars(&self, ids: &[ItemId], stars: u8) -> Result<(), StoreError> {
        self.in_transaction(|transaction| {
            let mut update =
                transaction.prepare_cached("UPDATE library SET stars = ?2 WHERE id = ?1")?;
            for id in ids {
                update.execute(params![id, stars.min(5)])?;
            }
            Ok(())
        })
    }

    /// Gives items the tags `add` and takes `remove` from them. A tag that exists in another
    /// spelling keeps the spelling that it has.
    ///
    /// # Errors
    /// The database refuses.
    pub fn change_tags(
        &self,
        ids: &[ItemId],
        add: &[String],
        remove: &[String],
    ) -> Result<(), StoreError> {
        self.in_transaction(|transaction| {
            let clean = |tag: &String| tag.split_whitespace().collect::<Vec<_>>().join(" ");
            let mut known = transaction
                .prepare_cached("SELECT tag FROM library_tags WHERE folded = ?1 LIMIT 1")?;
            let mut insert = transaction.prepare_cached(
                "INSERT OR IGNORE INTO library_tags (item_id, tag, folded) VALUES (?1, ?2, ?3)",
            )?;
            let mut delete = transaction
                .prepare_cached("DELETE FROM library_tags WHERE item_id = ?1 AND folded = ?2")?;
            for tag in add.iter().map(clean).filter(|tag| !tag.is_empty()) {
                let key = folded(&tag);
                let tag: String = known
                    .query_row([&key], |row| row.get(0))
                    .optional()?
                    .unwrap_or(tag);
                for id in ids {
                    insert.execute(params![id, tag, key])?;
                }
            }
            for tag in remove.iter().map(clean) {
                for id in ids {
                    delete.execute(params![id, folded(&tag)])?;
                }
            }
            for id in ids {
                write_search(transaction, *id)?;
            }
            Ok(())
        })
    }

    /// Takes items out of the library. With `remember` watched folders do not bring them back.
    ///
    /// # Errors
    /// The database refuses.
    pub fn forget_items(&self, ids: &[ItemId], remember: bool) -> Result<(), StoreError> {
        self.in_transaction(|transaction| {
            for id in ids {
                if remember {
                    transaction.execute(
                        "INSERT OR IGNORE INTO library_forgotten (path) \
                         SELECT path FROM library WHERE id = ?1",
                        [id],
                    )?;
                }
                transaction.execute("DELETE FROM library WHERE id = ?1", [id])?;
            }
            Ok(())
        })
    }

    /// What the library holds.
    ///
    /// # Errors
    /// The database refuses.
    pub fn library_summary(&self) -> Result<LibrarySummary, StoreError> {
        let counted = |row: &Row<'_>| {
            Ok(Counted {
                name: row.get(0)?,
                count: row.get(1)?,
            })
        };
        let mut summary = self.lock().query_row(
            "SELECT COUNT(*), COALESCE(SUM(kind = 'video'), 0), COALESCE(SUM(kind = 'still'), 0), \
             COALESCE(SUM(kind = 'audio'), 0), COALESCE(SUM(kind = 'subtitles'), 0), \
             COALESCE(SUM(job_id IS NOT NULL), 0), COALESCE(SUM(missing), 0), \
             COALESCE(SUM(look = 0 AND missing = 0), 0), \
             COALESCE(SUM(look = 1 AND missing = 0 AND sha256 IS NULL), 0) FROM library",
            [],
            |row| {
                Ok(LibrarySummary {
                    items: row.get(0)?,
                    kinds: vec![row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?],
                    made: row.get(5)?,
                    missing: row.get(6)?,
                    unread: row.get(7)?,
                    unhashed: row.get(8)?,
                    ..LibrarySummary::default()
                })
            },
        )?;
        summary.duplicates = self.lock().query_row(
            "SELECT COALESCE(SUM(n), 0) FROM (SELECT COUNT(*) AS n FROM library \
             WHERE sha256 IS NOT NULL GROUP BY sha256 HAVING n > 1)",
            [],
            |row| row.get(0),
        )?;
        summary.tags = self.rows(
            "SELECT tag, COUNT(*) FROM library_tags GROUP BY folded ORDER BY folded",
            [],
            counted,
        )?;
        summary.models = self.rows(
            "SELECT value, COUNT(*) FROM library, json_each(library.models) \
             WHERE library.models IS NOT NULL GROUP BY value ORDER BY value",
            [],
            counted,
        )?;
        summary.watched = self.watched_folders()?;
        Ok(summary)
    }

    /// Folders whose files come in by themselves, by name.
    ///
    /// # Errors
    /// The database refuses.
    pub fn watched_folders(&self) -> Result<Vec<PathBuf>, StoreError> {
        self.rows(
            "SELECT path FROM library_watched ORDER BY path",
            [],
            |row| Ok(PathBuf::from(row.get::<_, String>(0)?)),
        )
    }

    /// Begins or ends to watch a folder.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_watched(&self, folder: &Path, watched: bool) -> Result<(), StoreError> {
        let sql = match watched {
            true => "INSERT OR IGNORE INTO library_watched (path) VALUES (?1)",
            false => "DELETE FROM library_watched WHERE path = ?1",
        };
        self.lock().execute(sql, [folder.to_string_lossy()])?;
        Ok(())
    }
}
