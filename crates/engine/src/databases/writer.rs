//! Changes of definitions, inside the transaction of a session's own connection.

use super::file::{FileError, Result, stamp};
use super::model::{ObjectInfo, SchemaInfo, TypeInfo};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

/// Distance between the numbers of objects: they look like SQL Server's, and rarely meet those of system objects.
const OBJECT_ID_STEP: i64 = 16_000_057;
/// Number of the first object.
const OBJECT_ID_FIRST: i64 = 245_575_913;

/// Changes definitions on a connection, inside the caller's transaction.
pub(crate) struct Writer<'c> {
    db: &'c Connection,
    schema: &'c str,
}

impl<'c> Writer<'c> {
    /// Writes to the database that is `schema` on this connection.
    pub(crate) fn new(db: &'c Connection, schema: &'c str) -> Self {
        Self { db, schema }
    }

    /// A new state: everything after it reads the definitions again.
    fn touch(&self) -> Result<i64> {
        // A number that was rolled back may come again with another meaning, so each is drawn by chance.
        self.db.execute(
            &format!(
                "UPDATE {}.muster_state SET value = random() WHERE key = 'stamp'",
                self.schema
            ),
            [],
        )?;
        stamp(self.db, self.schema)
    }

    /// The next number of an object that `taken` does not know.
    pub(crate) fn next_object(&self, taken: &dyn Fn(i32) -> bool) -> Result<i32> {
        let bound = i64::from(i32::MAX);
        let mut last: i64 = self.state("object")?;
        for _ in 0..1000 {
            last = if last == 0 {
                OBJECT_ID_FIRST
            } else {
                (last + OBJECT_ID_STEP) % bound
            };
            let id = i32::try_from(last).map_err(|_| FileError::Numbers)?;
            let used: Option<i64> = self
                .db
                .query_row(
                    &format!("SELECT 1 FROM {}.muster_object WHERE id = ?1", self.schema),
                    [id],
                    |row| row.get(0),
                )
                .optional()?;
            if id > 100 && used.is_none() && !taken(id) {
                self.set_state("object", last)?;
                return Ok(id);
            }
        }
        Err(FileError::Numbers)
    }

    /// The next number of a table or index in the file.
    pub(crate) fn next_storage(&self) -> Result<i64> {
        let next = self.state("storage")? + 1;
        self.set_state("storage", next)?;
        Ok(next)
    }

    fn state(&self, key: &str) -> Result<i64> {
        Ok(self.db.query_row(
            &format!(
                "SELECT value FROM {}.muster_state WHERE key = ?1",
                self.schema
            ),
            [key],
            |row| row.get(0),
        )?)
    }

    fn set_state(&self, key: &str, value: i64) -> Result<()> {
        self.db.execute(
            &format!(
                "UPDATE {}.muster_state SET value = ?2 WHERE key = ?1",
                self.schema
            ),
            params![key, value],
        )?;
        Ok(())
    }

    /// Writes an object, new or changed.
    pub(crate) fn put(&self, object: &ObjectInfo) -> Result<()> {
        let stamp = self.touch()?;
        self.db.execute(
            &format!(
                "INSERT OR REPLACE INTO {}.muster_object(id, stamp, body) VALUES (?1, ?2, ?3)",
                self.schema
            ),
            params![object.id, stamp, serde_json::to_string(object)?],
        )?;
        Ok(())
    }

    /// Removes an object and what is kept of its identity.
    pub(crate) fn remove(&self, id: i32) -> Result<()> {
        self.touch()?;
        for table in ["muster_object WHERE id", "muster_identity WHERE object"] {
            self.db
                .execute(&format!("DELETE FROM {}.{table} = ?1", self.schema), [id])?;
        }
        Ok(())
    }

    /// Writes a schema.
    pub(crate) fn put_schema(&self, schema: &SchemaInfo) -> Result<()> {
        self.put_body("muster_schema", schema.id, schema)
    }

    /// Removes a schema.
    pub(crate) fn remove_schema(&self, id: i32) -> Result<()> {
        self.remove_body("muster_schema", id)
    }

    /// Writes a type.
    pub(crate) fn put_type(&self, ty: &TypeInfo) -> Result<()> {
        self.put_body("muster_type", ty.id, ty)
    }

    /// Removes a type.
    pub(crate) fn remove_type(&self, id: i32) -> Result<()> {
        self.remove_body("muster_type", id)
    }

    fn put_body(&self, table: &str, id: i32, body: &impl Serialize) -> Result<()> {
        self.touch()?;
        self.db.execute(
            &format!(
                "INSERT OR REPLACE INTO {}.{table}(id, body) VALUES (?1, ?2)",
                self.schema
            ),
            params![id, serde_json::to_string(body)?],
        )?;
        Ok(())
    }

    fn remove_body(&self, table: &str, id: i32) -> Result<()> {
        self.touch()?;
        self.db.execute(
            &format!("DELETE FROM {}.{table} WHERE id = ?1", self.schema),
            [id],
        )?;
        Ok(())
    }

    /// Keeps the value that the next row of a table gets, with the rows that took those before it.
    pub(crate) fn put_identity(&self, object: i32, next: i64) -> Result<()> {
        self.db
            .prepare_cached(&format!(
                "INSERT OR REPLACE INTO {}.muster_identity(object, next) VALUES (?1, ?2)",
                self.schema
            ))?
            .execute(params![object, next])?;
        Ok(())
    }

    /// The value that the next row of a table gets, as it was last kept.
    pub(crate) fn identity(&self, object: i32) -> Result<Option<i64>> {
        Ok(self
            .db
            .query_row(
                &format!(
                    "SELECT next FROM {}.muster_identity WHERE object = ?1",
                    self.schema
                ),
                [object],
                |row| row.get(0),
            )
            .optional()?)
    }
}
