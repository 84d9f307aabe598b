//! The file of one database: its own tables of definitions, and how they are read and written.
//!
//! Users' tables stand beside them as `t<number>` with columns `c0`, `c1`, …, indexes as `i<number>`: no name that
//! a user chose is ever SQL text.

use super::model::{ObjectInfo, ObjectKind, Objects, SCHEMA_DBO, SchemaInfo, TypeInfo};
use rusqlite::Connection;
use std::sync::Arc;
use tsql::eval::collate;

/// Version of the tables below, in `user_version`.
pub(super) const FORMAT: i64 = 1;

/// Tables of definitions. `stamp` changes with every change of a row, so that readers know what they have.
const SCHEMA: &str = "
    CREATE TABLE muster_state(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE muster_schema(id INTEGER PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE muster_type(id INTEGER PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE muster_object(id INTEGER PRIMARY KEY, stamp INTEGER NOT NULL, body TEXT NOT NULL);
    CREATE TABLE muster_identity(object INTEGER PRIMARY KEY, next INTEGER NOT NULL);
    INSERT INTO muster_state VALUES ('stamp', 0), ('object', 0), ('storage', 0);
";

/// Makes the tables of definitions in an empty file.
pub(super) fn create(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(&format!(
        "BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;"
    ))
}

/// What bounds the file in SQL; `schema` is its name on the connection.
pub(crate) fn bounded(schema: &str, bytes_max: u64) -> String {
    let pages = bytes_max / PAGE_BYTES;
    format!("PRAGMA {schema}.max_page_count = {pages}")
}

/// Whether commits to the file wait for the disk: SQLite's default, which cannot be set inside a transaction.
pub(crate) fn is_durable(db: &Connection, schema: &str) -> rusqlite::Result<bool> {
    const FULL: i64 = 2;
    let level: i64 = db.query_row(&format!("PRAGMA {schema}.synchronous"), [], |row| {
        row.get(0)
    })?;
    Ok(level >= FULL)
}

/// Bytes of a page, SQLite's default.
const PAGE_BYTES: u64 = 4096;

/// Something is wrong with the file itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// SQLite's failure.
    #[error("the file of a database cannot be read or written")]
    Sqlite(#[from] rusqlite::Error),
    /// Out of numbers.
    #[error("the database is out of numbers for objects")]
    Numbers,
    /// A definition that this program does not understand.
    #[error("a definition in the file of a database cannot be read")]
    Definition(#[from] serde_json::Error),
}

pub(super) type Result<T> = std::result::Result<T, FileError>;

/// Number of the state that the definitions are in.
pub(super) fn stamp(db: &Connection, schema: &str) -> Result<i64> {
    Ok(db
        .prepare_cached(&format!(
            "SELECT value FROM {schema}.muster_state WHERE key = 'stamp'"
        ))?
        .query_row([], |row| row.get(0))?)
}

/// Reads all definitions; those that `known` has already are taken from there.
pub(crate) fn load(db: &Connection, schema: &str, known: Option<&Objects>) -> Result<Objects> {
    let mut objects = Objects {
        stamp: stamp(db, schema)?,
        ..Objects::empty()
    };
    let mut select = db.prepare(&format!(
        "SELECT body FROM {schema}.muster_schema ORDER BY id"
    ))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        objects.schemas.push(serde_json::from_str(
            row.get_ref(0)?.as_str().map_err(text)?,
        )?);
    }
    let mut select = db.prepare(&format!(
        "SELECT body FROM {schema}.muster_type ORDER BY id"
    ))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let ty: TypeInfo = serde_json::from_str(row.get_ref(0)?.as_str().map_err(text)?)?;
        objects.types.push(ty);
    }
    let mut select = db.prepare(&format!(
        "SELECT id, stamp, body FROM {schema}.muster_object ORDER BY id"
    ))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (id, stamp): (i32, i64) = (row.get(0)?, row.get(1)?);
        let same = known.filter(|known| known.stamps.get(&id) == Some(&stamp));
        let object = match same.and_then(|known| known.objects.get(&id)) {
            Some(object) => Arc::clone(object),
            None => Arc::new(serde_json::from_str::<ObjectInfo>(
                row.get_ref(2)?.as_str().map_err(text)?,
            )?),
        };
        if object.kind != ObjectKind::TableType {
            let name = (object.schema, collate::key(&object.name));
            objects.names.insert(name, id);
        }
        objects.stamps.insert(id, stamp);
        objects.objects.insert(id, object);
    }
    Ok(objects)
}

fn text(error: rusqlite::types::FromSqlError) -> FileError {
    FileError::Sqlite(error.into())
}

impl Objects {
    /// A database without objects.
    pub(crate) fn empty() -> Self {
        Self {
            schemas: vec![SchemaInfo {
                id: SCHEMA_DBO,
                name: "dbo".to_owned(),
                owner: "dbo".to_owned(),
            }],
            ..Self::default()
        }
    }
}
