//! The files of databases, attached to the session's own database as `d<number>`.

use super::Store;
use crate::databases::{DATABASE_BYTES_MAX, Database, bounded, is_durable, unreadable};
use std::sync::{MutexGuard, PoisonError};
use tsql::{SqlError, fault, messages};

/// Files that a session has attached at once, and so databases that one statement may name: SQLite's bound.
pub(crate) const ATTACHED_DATABASES_MAX: usize = 10;

/// An attached file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attached {
    id: i32,
    /// Which database of that number: numbers are used again.
    serial: u64,
}

impl Store {
    /// Makes sure that a database's file can be named in SQL.
    ///
    /// # Errors
    /// 8623 when the transaction holds too many others.
    pub(crate) fn attach_database(&mut self, database: &Database) -> Result<(), SqlError> {
        let wanted = Attached {
            id: database.id,
            serial: database.serial,
        };
        let known = self.files().iter().position(|file| *file == wanted);
        if let Some(at) = known {
            // The latest used stands last.
            self.files()[at..].rotate_left(1);
            return Ok(());
        }
        let other = self.files().iter().position(|file| file.id == wanted.id);
        if let Some(at) = other {
            self.detach(at)?;
        }
        let count = self.files().len();
        if count >= ATTACHED_DATABASES_MAX {
            let free = (0..count).find(|at| self.detach(*at).is_ok());
            if free.is_none() {
                return Err(messages::TOO_COMPLEX.with(&[]));
            }
        }
        database.ensure().map_err(|error| unreadable(&error))?;
        let path = database.path.to_string_lossy();
        let name = format!("d{}", database.id);
        self.db
            .execute(&format!("ATTACH ?1 AS {name}"), [path.as_ref()])
            .map_err(|error| self.error(&error))?;
        self.files().push(wanted);
        let durable = self
            .db
            .execute_batch(&bounded(&name, DATABASE_BYTES_MAX))
            .and_then(|()| is_durable(&self.db, &name))
            .map_err(|error| self.error(&error))?;
        if durable {
            Ok(())
        } else {
            Err(fault::internal("a database would not be durable"))
        }
    }

    fn files(&self) -> MutexGuard<'_, Vec<Attached>> {
        self.shared
            .files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn detach(&mut self, at: usize) -> Result<(), SqlError> {
        let file = self.files()[at];
        // Statements that are kept prepared would hold it.
        self.db.flush_prepared_statement_cache();
        self.db
            .execute_batch(&format!("DETACH d{}", file.id))
            .map_err(|_| messages::TOO_COMPLEX.with(&[]))?;
        self.files().remove(at);
        Ok(())
    }

    /// Takes the write lock of an attached database, for as long as the open transaction lasts; false while another
    /// session has it.
    ///
    /// # Errors
    /// 1205 when the transaction has read what another session has changed since.
    pub(crate) fn lock_database(&mut self, id: i32, spid: i16) -> Result<bool, SqlError> {
        let locked = self
            .db
            .prepare_cached(&format!(
                "UPDATE d{id}.muster_state SET value = value WHERE key = ''"
            ))
            .and_then(|mut statement| statement.execute([]));
        match locked {
            Ok(_) => Ok(true),
            Err(rusqlite::Error::SqliteFailure(failure, _))
                if failure.code == rusqlite::ErrorCode::DatabaseBusy =>
            {
                if failure.extended_code == rusqlite::ffi::SQLITE_BUSY_SNAPSHOT {
                    return Err(messages::DEADLOCK.with(&[&spid.to_string(), "lock"]));
                }
                Ok(false)
            }
            Err(error) => Err(self.error(&error)),
        }
    }
}
