//! Which items of the library, and in which order: the filter as SQL.

use crate::{Store, StoreError};
use frameloom_core::folded::folded;
use frameloom_core::library::{ItemId, LibraryOrigin, LibraryQuery, LibrarySort};
use rusqlite::params_from_iter;
use rusqlite::types::Value;

impl Store {
    /// The numbers of the items that `query` means, in its order. Numbers only: a hundred thousand
    /// of them are at hand in milliseconds, and the items follow page by page
    /// ([`Store::library_items`]), while choice, range and scroll bar know the whole list.
    ///
    /// # Errors
    /// The database refuses.
    pub fn find_in_library(&self, query: &LibraryQuery) -> Result<Vec<ItemId>, StoreError> {
        let (sql, values) = statement(query);
        self.rows(&sql, params_from_iter(values), |row| row.get(0))
    }
}

fn statement(query: &LibraryQuery) -> (String, Vec<Value>) {
    let mut conditions: Vec<String> = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    for word in folded(&query.text).split_whitespace() {
        conditions.push("instr(search, ?) > 0".to_owned());
        values.push(word.to_owned().into());
    }
    if !query.kinds.is_empty() {
        let kinds: Vec<_> = query
            .kinds
            .iter()
            .map(|kind| format!("'{}'", kind.as_str()))
            .collect();
        conditions.push(format!("kind IN ({})", kinds.join(", ")));
    }
    match query.origin {
        Some(LibraryOrigin::Added) => conditions.push("job_id IS NULL".to_owned()),
        Some(LibraryOrigin::Made) => conditions.push("job_id IS NOT NULL".to_owned()),
        None => {}
    }
    if let Some(model) = &query.model {
        conditions.push(
            "models IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(models) WHERE value = ?)"
                .to_owned(),
        );
        values.push(model.clone().into());
    }
    if query.least_stars > 0 {
        conditions.push("stars >= ?".to_owned());
        values.push(i64::from(query.least_stars).into());
    }
    for tag in &query.tags {
        conditions.push("id IN (SELECT item_id FROM library_tags WHERE folded = ?)".to_owned());
        values.push(folded(tag).into());
    }
    let mut bound = |condition: &str, value: Option<i64>| {
        if let Some(value) = value {
            conditions.push(condition.to_owned());
            values.push(value.into());
        }
    };
    let bytes = |value: Option<u64>| value.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    bound("size_bytes >= ?", bytes(query.least_bytes));
    bound("size_bytes <= ?", bytes(query.most_bytes));
    bound("modified_millis >= ?", query.since_millis);
    bound("modified_millis < ?", query.until_millis);
    if query.missing {
        conditions.push("missing = 1".to_owned());
    }
    if query.duplicates {
        conditions.push(
            "sha256 IN (SELECT sha256 FROM library WHERE sha256 IS NOT NULL \
             GROUP BY sha256 HAVING COUNT(*) > 1)"
                .to_owned(),
        );
    }
    let filter = match conditions.is_empty() {
        true => String::new(),
        false => format!("WHERE {}", conditions.join(" AND ")),
    };
    let order = order(query);
    // The narrow index holds all that these ask for; left to itself SQLite takes the index of the
    // order and looks up every wide row for the filter.
    let is_narrow = query.text.trim().is_empty() && query.model.is_none() && !query.duplicates;
    let by_plain_order = conditions.is_empty() && has_own_index(query.sort);
    let index = match is_narrow && !by_plain_order {
        true => "INDEXED BY library_lists",
        false => "",
    };
    (
        format!("SELECT id FROM library {index} {filter} ORDER BY {order}"),
        values,
    )
}

/// Whole lists in these orders are read off an index.
fn has_own_index(sort: LibrarySort) -> bool {
    match sort {
        LibrarySort::Added | LibrarySort::Name | LibrarySort::Modified | LibrarySort::Size => true,
        LibrarySort::Duration | LibrarySort::Stars | LibrarySort::Kind => false,
    }
}

/// Numbers begin with the largest, names with A.
fn order(query: &LibraryQuery) -> String {
    let (down, up) = match query.reversed {
        false => ("DESC", "ASC"),
        true => ("ASC", "DESC"),
    };
    let by = match query.sort {
        LibrarySort::Added => format!("added_millis {down}, id {down}"),
        LibrarySort::Name => format!("sort_name {up}, id {up}"),
        LibrarySort::Modified => format!("modified_millis {down}, id {down}"),
        LibrarySort::Size => format!("size_bytes {down}, id {down}"),
        LibrarySort::Duration => {
            format!("duration_micros IS NULL, duration_micros {down}, id {down}")
        }
        LibrarySort::Stars => format!("stars {down}, added_millis DESC, id DESC"),
        LibrarySort::Kind => format!("kind {up}, sort_name {up}, id {up}"),
    };
    match query.duplicates {
        // Copies stand together, in the order of the largest of each content.
        true if query.sort == LibrarySort::Size => format!("size_bytes {down}, sha256, id"),
        true => format!("sha256, {by}"),
        false => by,
    }
}
