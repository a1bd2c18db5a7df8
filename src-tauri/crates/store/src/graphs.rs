//! The tables `graphs` and `graph_versions`: documents of the canvas, and what they were before.

use crate::{Store, StoreError};
use rusqlite::{OptionalExtension, Row, TransactionBehavior, params};

/// A document of the canvas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphRow {
    /// Its id.
    pub id: String,
    /// Name that its user gave it.
    pub name: String,
    /// The document as JSON; this crate does not look into it.
    pub document: String,
    /// When it was first saved.
    pub created_millis: i64,
    /// When it was last saved.
    pub changed_millis: i64,
}

/// Which earlier documents are kept when a new one is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepVersions {
    /// The document that is replaced is kept if the last version is at least this much older.
    pub apart_millis: i64,
    /// Most versions of a graph; the oldest go first.
    pub most: u32,
}

fn graph(row: &Row<'_>) -> rusqlite::Result<GraphRow> {
    Ok(GraphRow {
        id: row.get(0)?,
        name: row.get(1)?,
        document: row.get(2)?,
        created_millis: row.get(3)?,
        changed_millis: row.get(4)?,
    })
}

const COLUMNS: &str = "id, name, document, created_millis, changed_millis";

impl Store {
    /// All graphs, the one that was changed last first.
    ///
    /// # Errors
    /// The database refuses.
    pub fn graphs(&self) -> Result<Vec<GraphRow>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare(&format!(
            "SELECT {COLUMNS} FROM graphs ORDER BY changed_millis DESC, id"
        ))?;
        let rows = statement.query_map([], graph)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The graph of this id, if there is one.
    ///
    /// # Errors
    /// The database refuses.
    pub fn graph(&self, id: &str) -> Result<Option<GraphRow>, StoreError> {
        Ok(self
            .lock()
            .query_row(
                &format!("SELECT {COLUMNS} FROM graphs WHERE id = ?1"),
                [id],
                graph,
            )
            .optional()?)
    }

    /// Saves a graph, in one transaction with the version that is kept of what it replaces.
    ///
    /// # Errors
    /// The database refuses; then everything is as it was.
    pub fn save_graph(
        &self,
        id: &str,
        name: &str,
        document: &str,
        now_millis: i64,
        keep: KeepVersions,
    ) -> Result<(), StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT OR IGNORE INTO graph_versions (graph_id, saved_millis, document) \
             SELECT id, changed_millis, document FROM graphs \
             WHERE id = ?1 AND document <> ?2 AND changed_millis - ?3 >= \
             COALESCE((SELECT MAX(saved_millis) FROM graph_versions WHERE graph_id = ?1), \
             created_millis - ?3)",
            params![id, document, keep.apart_millis],
        )?;
        transaction.execute(
            "DELETE FROM graph_versions WHERE graph_id = ?1 AND saved_millis NOT IN \
             (SELECT saved_millis FROM graph_versions WHERE graph_id = ?1 \
             ORDER BY saved_millis DESC LIMIT ?2)",
            params![id, keep.most],
        )?;
        transaction.execute(
            "INSERT INTO graphs (id, name, document, created_millis, changed_millis) \
             VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (id) DO UPDATE SET name = excluded.name, \
             document = excluded.document, changed_millis = excluded.changed_millis",
            params![id, name, document, now_millis],
        )?;
        transaction.commit()?;
        Ok(())
    }

    /// Removes a graph with its versions; false if there was none.
    ///
    /// # Errors
    /// The database refuses.
    pub fn remove_graph(&self, id: &str) -> Result<bool, StoreError> {
        let removed = self
            .lock()
            .execute("DELETE FROM graphs WHERE id = ?1", [id])?;
        Ok(removed > 0)
    }

    /// When the versions of a graph were saved, the newest first, with their documents.
    ///
    /// # Errors
    /// The database refuses.
    pub fn graph_versions(&self, id: &str) -> Result<Vec<(i64, String)>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare(
            "SELECT saved_millis, document FROM graph_versions WHERE graph_id = ?1 \
             ORDER BY saved_millis DESC",
        )?;
        let rows = statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
