//! A transaction's exclusive hold of the definitions' writer.

use crate::sqlite::definitions::Definitions;
use crate::sqlite::lease::LeaseCell;
use crate::{CatalogError, DefinitionsWrite, Result};
use std::sync::Arc;

/// The definitions' writer, held by one transaction. Dropping it rolls back.
///
/// Reads and writes of the runs file go on meanwhile; other writers of definitions wait with their own
/// time-outs. A lease that idles or lasts too long is ended by the catalog: every call then fails with
/// `LeaseExpired`.
#[derive(Debug)]
pub struct Lease {
    cell: Arc<LeaseCell>,
}

impl Lease {
    pub(crate) const fn new(cell: Arc<LeaseCell>) -> Self {
        Self { cell }
    }

    /// Runs one statement, which sees the transaction's own writes. An error undoes this statement alone.
    ///
    /// # Errors
    /// The closure's; `LeaseExpired`.
    pub fn run<T, E: From<CatalogError>>(
        &mut self,
        statement: impl FnOnce(&mut dyn DefinitionsWrite) -> Result<T, E>,
    ) -> Result<T, E> {
        self.cell
            .run(|connection, log| statement(&mut Definitions::writing(connection, log)))
    }

    /// Sets a savepoint. A name may be set again; the newest counts.
    ///
    /// # Errors
    /// `LeaseExpired`, `Storage`.
    pub fn savepoint(&mut self, name: &str) -> Result<()> {
        self.cell.savepoint(name)
    }

    /// Undoes everything since the newest savepoint of that name, which stays set.
    ///
    /// # Errors
    /// `UnknownSavepoint` (SQL Server's 6401), `LeaseExpired`, `Storage`.
    pub fn rollback_to(&mut self, name: &str) -> Result<()> {
        self.cell.rollback_to(name)
    }

    /// Commits; returns once everything is durable.
    ///
    /// # Errors
    /// `LeaseExpired`, `Commit`; nothing was kept then.
    pub fn commit(self) -> Result<()> {
        self.cell.commit()
    }

    /// Undoes everything.
    ///
    /// # Errors
    /// `Storage`; everything is undone even then.
    pub fn rollback(self) -> Result<()> {
        self.cell.rollback()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Err(error) = self.cell.rollback() {
            tracing::warn!(%error, "a dropped transaction could not be rolled back");
        }
    }
}
