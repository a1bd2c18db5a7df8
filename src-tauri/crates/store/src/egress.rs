//! The table `egress`: everything that was sent to other machines.

use crate::{Store, StoreError};
use rusqlite::params;

/// So many rows are kept; the oldest go first.
const KEPT: u32 = if cfg!(test) { 50 } else { 5_000 };

/// A request that was sent, or was about to be when the program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressRow {
    /// Its number; later ones are larger.
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub at_millis: i64,
    /// What it was for, in JSON.
    pub purpose: String,
    /// `GET`.
    pub method: String,
    /// The host.
    pub host: String,
    /// The whole address.
    pub address: String,
    /// Its headers, a line each.
    pub headers: String,
    /// What became of it; `None` while it is under way, or where the program was ended meanwhile.
    pub end: Option<EgressEnd>,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressEnd {
    /// HTTP's number, where there was an answer.
    pub status: Option<u16>,
    /// Bytes of the answer that were taken.
    pub received_bytes: u64,
    /// Why it failed.
    pub error: Option<String>,
}

impl Store {
    /// Notes a request before it is sent, and gives its number.
    ///
    /// # Errors
    /// The database refuses; then the request must not be sent.
    pub fn begin_egress(&self, row: &EgressRow) -> Result<i64, StoreError> {
        let connection = self.lock();
        connection.execute(
            "INSERT INTO egress (at_millis, purpose, method, host, address, headers) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                row.at_millis,
                row.purpose,
                row.method,
                row.host,
                row.address,
                row.headers
            ],
        )?;
        let id = connection.last_insert_rowid();
        connection.execute("DELETE FROM egress WHERE id <= ?1", [id - i64::from(KEPT)])?;
        Ok(id)
    }

    /// Notes what became of it.
    ///
    /// # Errors
    /// The database refuses.
    pub fn end_egress(&self, id: i64, end: &EgressEnd) -> Result<(), StoreError> {
        self.lock().execute(
            "UPDATE egress SET ended = 1, status = ?2, received_bytes = ?3, error = ?4 WHERE id = ?1",
            params![
                id,
                end.status,
                i64::try_from(end.received_bytes).unwrap_or(i64::MAX),
                end.error
            ],
        )?;
        Ok(())
    }

    /// The newest requests first, those before the number `before` alone.
    ///
    /// # Errors
    /// The database refuses.
    pub fn egress(&self, before: Option<i64>, limit: u32) -> Result<Vec<EgressRow>, StoreError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT id, at_millis, purpose, method, host, address, headers, \
                    ended, status, received_bytes, error \
             FROM egress WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(params![before.unwrap_or(i64::MAX), limit], |row| {
            let ended: bool = row.get(7)?;
            Ok(EgressRow {
                id: row.get(0)?,
                at_millis: row.get(1)?,
                purpose: row.get(2)?,
                method: row.get(3)?,
                host: row.get(4)?,
                address: row.get(5)?,
                headers: row.get(6)?,
                end: match ended {
                    false => None,
                    true => Some(EgressEnd {
                        status: row.get(8)?,
                        received_bytes: row.get::<_, i64>(9)?.unsigned_abs(),
                        error: row.get(10)?,
                    }),
                },
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: i64) -> EgressRow {
        EgressRow {
            id: 0,
            at_millis: number,
            purpose: "{}".to_owned(),
            method: "GET".to_owned(),
            host: "example.org".to_owned(),
            address: format!("https://example.org/{number}"),
            headers: "accept: */*".to_owned(),
            end: None,
        }
    }

    #[test]
    fn a_request_is_noted_before_and_after_and_the_newest_is_first() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        let first = store.begin_egress(&row(1)).unwrap();
        let second = store.begin_egress(&row(2)).unwrap();
        assert!(
            store
                .egress(None, 10)
                .unwrap()
                .iter()
                .all(|row| row.end.is_none())
        );
        let end = EgressEnd {
            status: Some(206),
            received_bytes: 5_000_000_000,
            error: Some("cut off".to_owned()),
        };
        store.end_egress(first, &end).unwrap();
        let rows = store.egress(None, 10).unwrap();
        assert_eq!(
            rows.iter().map(|row| row.id).collect::<Vec<_>>(),
            [second, first]
        );
        assert_eq!(rows[1].end.as_ref(), Some(&end));
        assert_eq!(rows[0].end, None);
        assert_eq!(rows[1].address, "https://example.org/1");
        assert_eq!(store.egress(Some(second), 10).unwrap().len(), 1);
        assert_eq!(store.egress(None, 1).unwrap().len(), 1);
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path()).unwrap();
        for number in 0..i64::from(KEPT) + 3 {
            store.begin_egress(&row(number)).unwrap();
        }
        let rows = store.egress(None, 2 * KEPT).unwrap();
        assert_eq!(rows.len(), KEPT as usize);
        assert_eq!(rows.last().unwrap().at_millis, 3);
    }
}
