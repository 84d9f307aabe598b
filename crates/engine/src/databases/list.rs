//! The list of databases in master's file: CREATE, ALTER and DROP DATABASE.

use super::file::FileError;
use super::{Database, DatabaseInfo, Databases, MASTER, locked, open, remove, unreadable};
use crate::host::SYSTEM_DATABASES;
use rusqlite::{Connection, params};
use std::path::Path;
use tsql::{SqlError, fault, messages};

/// Databases that users may make.
pub const USER_DATABASES_MAX: usize = 64;
/// Number of the first database that a user makes.
const FIRST_USER_DATABASE: i32 = 5;

/// The databases that master's file lists; `None` where there is no list, which is not an empty one.
pub(super) fn listed(master: &Path) -> rusqlite::Result<Option<Vec<DatabaseInfo>>> {
    // A path that cannot be looked at is one that cannot be opened, and says so below.
    if matches!(master.try_exists(), Ok(false)) {
        return Ok(None);
    }
    let db = open(master)?;
    if !db.table_exists(None, "muster_database")? {
        return Ok(None);
    }
    let mut select =
        db.prepare("SELECT id, name, created, owner FROM muster_database ORDER BY id")?;
    let rows = select.query_map([], |row| {
        Ok(DatabaseInfo {
            id: row.get(0)?,
            name: row.get(1)?,
            created: row.get(2)?,
            owner_sid: row.get(3)?,
        })
    })?;
    rows.collect::<rusqlite::Result<_>>().map(Some)
}

/// The administration of the list itself, durable when a call returns.
impl Databases {
    /// Makes an empty database.
    ///
    /// # Errors
    /// 1801 when the name is taken, 1835 beyond [`USER_DATABASES_MAX`].
    pub fn create(&self, name: &str, created: i64, owner: &[u8]) -> Result<DatabaseInfo, SqlError> {
        let _changing = locked(&self.changing);
        if self.named(name).is_some() {
            return Err(messages::DATABASE_EXISTS.with(&[name]));
        }
        let used: Vec<i32> = locked(&self.list).keys().copied().collect();
        if used.len() >= USER_DATABASES_MAX + SYSTEM_DATABASES.len() {
            return Err(messages::TOO_MANY_DATABASES.with(&[&USER_DATABASES_MAX.to_string()]));
        }
        let id = (FIRST_USER_DATABASE..)
            .find(|id| !used.contains(id))
            .unwrap_or(i32::MAX);
        let info = DatabaseInfo {
            id,
            name: name.to_owned(),
            created,
            owner_sid: owner.to_vec(),
        };
        let database = Database::new(&self.directory, id);
        // The list is there before the first file that it could lack: a file without any list stops a start.
        self.write_list(|_| Ok(0))?;
        database.ensure().map_err(|error| unreadable(&error))?;
        self.write_list(|db| {
            db.execute(
                "INSERT INTO muster_database(id, name, created, owner) VALUES (?1, ?2, ?3, ?4)",
                params![id, name, created, owner],
            )
        })?;
        locked(&self.list).insert(id, (info.clone(), database));
        Ok(info)
    }

    /// Gives a database of a user another name.
    ///
    /// # Errors
    /// 911 for an unknown database, 1801 when the name is taken.
    pub fn rename(&self, id: i32, name: &str) -> Result<(), SqlError> {
        let _changing = locked(&self.changing);
        if self.named(name).is_some_and(|other| other.id != id) {
            return Err(messages::DATABASE_EXISTS.with(&[name]));
        }
        self.write_list(|db| {
            db.execute(
                "UPDATE muster_database SET name = ?2 WHERE id = ?1",
                params![id, name],
            )
        })?;
        if let Some((info, _)) = locked(&self.list).get_mut(&id) {
            name.clone_into(&mut info.name);
        }
        Ok(())
    }

    /// Gives a database to another login.
    ///
    /// # Errors
    /// When the list cannot be written; then the owner stays.
    pub fn set_owner(&self, id: i32, sid: &[u8]) -> Result<(), SqlError> {
        let _changing = locked(&self.changing);
        self.write_list(|db| {
            db.execute(
                "UPDATE muster_database SET owner = ?2 WHERE id = ?1",
                params![id, sid],
            )
        })?;
        if let Some((info, _)) = locked(&self.list).get_mut(&id) {
            info.owner_sid = sid.to_vec();
        }
        Ok(())
    }

    /// Whether it is some session's current database.
    pub(crate) fn in_use(&self, id: i32) -> bool {
        self.database(id)
            .is_some_and(|database| database.users.load(std::sync::atomic::Ordering::SeqCst) > 0)
    }

    /// Removes a database and its file. Sessions that have it open read what they had until they let go of it.
    ///
    /// # Errors
    /// When the list cannot be written; then the database stays as it is.
    pub fn drop_database(&self, id: i32) -> Result<(), SqlError> {
        let _changing = locked(&self.changing);
        self.write_list(|db| db.execute("DELETE FROM muster_database WHERE id = ?1", [id]))?;
        let dropped = locked(&self.list).remove(&id);
        if let Some((_, database)) = dropped {
            locked(&database.cache).reader = None;
            if let Err(error) = remove(&database.path) {
                // The next start sets it aside: no list names it.
                tracing::warn!(%error, path = %database.path.display(), "remove a dropped database");
            }
        }
        Ok(())
    }

    /// One write of the list in master's file.
    fn write_list(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<usize>,
    ) -> Result<(), SqlError> {
        let master = self
            .database(MASTER)
            .ok_or_else(|| fault::internal("master is not there"))?;
        master.ensure().map_err(|error| unreadable(&error))?;
        let written = open(&master.path).and_then(|db| {
            db.execute_batch(
                "CREATE TABLE IF NOT EXISTS muster_database(id INTEGER PRIMARY KEY, name TEXT NOT NULL, \
                 created INTEGER NOT NULL, owner BLOB NOT NULL)",
            )?;
            write(&db)
        });
        match written {
            Ok(_) => Ok(()),
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                Err(messages::LOCK_TIMEOUT.with(&[]))
            }
            Err(error) => Err(unreadable(&FileError::Sqlite(error))),
        }
    }
}
