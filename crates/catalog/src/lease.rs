//! A transaction's exclusive hold of the definitions' writer.

use crate::{CatalogError, DefinitionsWrite, Result};

/// The definitions' writer, held by one transaction. Dropping it rolls back.
///
/// Reads and writes of the runs file go on meanwhile; other writers of definitions wait with their own
/// time-outs. A lease that idles or lasts too long is ended by the catalog: every call then fails with
/// `LeaseExpired`.
#[derive(Debug)]
pub struct Lease(());

impl Lease {
    /// Runs one statement, which sees the transaction's own writes. An error undoes this statement alone.
    ///
    /// # Errors
    /// The closure's; `LeaseExpired`.
    pub fn run<T, E: From<CatalogError>>(
        &mut self,
        _statement: impl FnOnce(&mut dyn DefinitionsWrite) -> Result<T, E>,
    ) -> Result<T, E> {
        todo!()
    }

    /// Sets a savepoint. A name may be set again; the newest counts.
    ///
    /// # Errors
    /// `LeaseExpired`, `Storage`.
    pub fn savepoint(&mut self, _name: &str) -> Result<()> {
        todo!()
    }

    /// Undoes everything since the newest savepoint of that name, which stays set.
    ///
    /// # Errors
    /// `UnknownSavepoint` (SQL Server's 6401), `LeaseExpired`, `Storage`.
    pub fn rollback_to(&mut self, _name: &str) -> Result<()> {
        todo!()
    }

    /// Commits; returns once everything is durable.
    ///
    /// # Errors
    /// `LeaseExpired`, `Commit`; nothing was kept then.
    pub fn commit(self) -> Result<()> {
        todo!()
    }

    /// Undoes everything.
    ///
    /// # Errors
    /// `Storage`; everything is undone even then.
    pub fn rollback(self) -> Result<()> {
        todo!()
    }
}
