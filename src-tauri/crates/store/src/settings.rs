//! The table `settings`: small values by name.

use crate::{Store, StoreError};
use rusqlite::{OptionalExtension, params};

impl Store {
    /// The value of a setting.
    ///
    /// # Errors
    /// The database refuses.
    pub fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self
            .lock()
            .query_row(
                "SELECT value FROM settings WHERE name = ?1",
                [name],
                |row| row.get(0),
            )
            .optional()?)
    }

    /// Sets the value of a setting.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.lock().execute(
            "INSERT INTO settings (name, value) VALUES (?1, ?2) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            params![name, value],
        )?;
        Ok(())
    }
}
