//! The catalog's handle.

use crate::{
    CatalogError, Change, CrashPoints, DefinitionsRead, DefinitionsWrite, HistoryLimits,
    HistoryPurge, LEASE_IDLE_MAX, LEASE_TOTAL_MAX, LOCK_TIMEOUT_DEFAULT, Lease,
    READ_TIMEOUT_DEFAULT, Result, RunsRead, RunsWrite, SpoolLimits,
};
use jiff::Timestamp;
use model::InstanceId;
use std::path::Path;
use std::time::Duration;

/// The instance that a new directory becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInstance {
    /// A fresh identity.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// Now.
    pub created: Timestamp,
}

/// How a catalog is opened.
#[derive(Debug, Clone)]
pub struct CatalogOptions {
    /// The instance to make when the directory holds no catalog yet; without it opening fails with
    /// `NotFound`. An existing catalog keeps its own.
    pub new_instance: Option<NewInstance>,
    /// Crash points of this process.
    pub crash_points: CrashPoints,
    /// How much history is kept.
    pub history_limits: HistoryLimits,
    /// How much may wait for the master.
    pub spool_limits: SpoolLimits,
    /// How long a write waits for its writer.
    pub lock_timeout: Duration,
    /// How long a lease may stay without a statement.
    pub lease_idle_max: Duration,
    /// How long a lease may last in all.
    pub lease_total_max: Duration,
    /// Longest a read may take.
    pub read_timeout: Duration,
}

impl Default for CatalogOptions {
    fn default() -> Self {
        Self {
            new_instance: None,
            crash_points: CrashPoints::inert(),
            history_limits: HistoryLimits::default(),
            spool_limits: SpoolLimits::default(),
            lock_timeout: LOCK_TIMEOUT_DEFAULT,
            lease_idle_max: LEASE_IDLE_MAX,
            lease_total_max: LEASE_TOTAL_MAX,
            read_timeout: READ_TIMEOUT_DEFAULT,
        }
    }
}

/// What the catalog counted since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Durable commits of the definitions file.
    pub definitions_commits: u64,
    /// Writes that took part in them.
    pub definitions_writes: u64,
    /// Durable commits of the runs file.
    pub runs_commits: u64,
    /// Writes that took part in them.
    pub runs_writes: u64,
}

/// Keeps a subscriber of the change feed; dropping it ends the subscription.
#[must_use = "dropping the subscription ends it"]
#[derive(Debug)]
pub struct Subscription(());

/// An open catalog. Clones are handles to the same one; the last one dropped closes it.
///
/// Closures run on the caller's thread. Inside one, no other write or lease of the same file may be
/// started (it would wait for itself, until the lock time-out).
#[derive(Debug, Clone)]
pub struct Catalog(());

impl Catalog {
    /// Opens the catalog of a data directory, makes it when the directory has none, and migrates it.
    ///
    /// # Errors
    /// `DirectoryInUse` when another process has it open, `Newer`, `Corrupt`, `Io`, `Storage`; `NotFound`
    /// when there is none and no new instance is given.
    pub fn open(_directory: &Path, _options: CatalogOptions) -> Result<Self> {
        todo!()
    }

    /// Reads definitions on a fresh snapshot.
    ///
    /// # Errors
    /// The closure's, or that no reader was free in time, or that the snapshot grew too old.
    pub fn definitions_read<T, E: From<CatalogError>>(
        &self,
        _read: impl FnOnce(&dyn DefinitionsRead) -> Result<T, E>,
    ) -> Result<T, E> {
        todo!()
    }

    /// Reads runs on a fresh snapshot.
    ///
    /// # Errors
    /// As [`Catalog::definitions_read`].
    pub fn runs_read<T, E: From<CatalogError>>(
        &self,
        _read: impl FnOnce(&dyn RunsRead) -> Result<T, E>,
    ) -> Result<T, E> {
        todo!()
    }

    /// Writes definitions; returns once they are durable. Writes that come together share a commit; an
    /// error undoes this write alone and returns at once.
    ///
    /// # Errors
    /// The closure's; `LockTimeout`, `Busy`, `Commit`, `Closed`.
    pub fn definitions_write<T, E: From<CatalogError>>(
        &self,
        _write: impl FnOnce(&mut dyn DefinitionsWrite) -> Result<T, E>,
    ) -> Result<T, E> {
        todo!()
    }

    /// As [`Catalog::definitions_write`] with a lock time-out of its own.
    ///
    /// # Errors
    /// As [`Catalog::definitions_write`].
    pub fn definitions_write_within<T, E: From<CatalogError>>(
        &self,
        _lock_timeout: Duration,
        _write: impl FnOnce(&mut dyn DefinitionsWrite) -> Result<T, E>,
    ) -> Result<T, E> {
        todo!()
    }

    /// Writes runs, as [`Catalog::definitions_write`] does definitions.
    ///
    /// # Errors
    /// As [`Catalog::definitions_write`].
    pub fn runs_write<T, E: From<CatalogError>>(
        &self,
        _write: impl FnOnce(&mut dyn RunsWrite) -> Result<T, E>,
    ) -> Result<T, E> {
        todo!()
    }

    /// Leases the definitions' writer for a transaction of several statements.
    ///
    /// # Errors
    /// `LockTimeout` (SQL Server's 1222), `Busy`, `Closed`.
    pub fn lease(&self, _lock_timeout: Duration) -> Result<Lease> {
        todo!()
    }

    /// Writes definitions without waiting: `done` is called on the catalog's thread once the write is
    /// durable or has failed.
    ///
    /// # Errors
    /// `Busy` when [`SUBMIT_QUEUE_MAX`](crate::SUBMIT_QUEUE_MAX) writes wait; `Closed`. Nothing was done.
    pub fn submit_definitions<T, E, W, D>(&self, _write: W, _done: D) -> Result<()>
    where
        T: Send + 'static,
        E: From<CatalogError> + Send + 'static,
        W: FnOnce(&mut dyn DefinitionsWrite) -> Result<T, E> + Send + 'static,
        D: FnOnce(Result<T, E>) + Send + 'static,
    {
        todo!()
    }

    /// Writes runs without waiting, as [`Catalog::submit_definitions`] does definitions.
    ///
    /// # Errors
    /// As [`Catalog::submit_definitions`].
    pub fn submit_runs<T, E, W, D>(&self, _write: W, _done: D) -> Result<()>
    where
        T: Send + 'static,
        E: From<CatalogError> + Send + 'static,
        W: FnOnce(&mut dyn RunsWrite) -> Result<T, E> + Send + 'static,
        D: FnOnce(Result<T, E>) + Send + 'static,
    {
        todo!()
    }

    /// Subscribes to committed changes. Each commit calls once, in commit order per file, before the
    /// writers return. The subscriber may read; it must not write or wait for a writer.
    pub fn subscribe(&self, _subscriber: Box<dyn Fn(&[Change]) + Send + Sync>) -> Subscription {
        todo!()
    }

    /// Removes history in chunks of [`PURGE_CHUNK_ROWS`](crate::PURGE_CHUNK_ROWS), letting other writes in
    /// between. Returns how many rows went.
    ///
    /// # Errors
    /// As [`Catalog::runs_write`]; rows removed before stay removed.
    pub fn purge_history(&self, _purge: &HistoryPurge) -> Result<u64> {
        todo!()
    }

    /// Removes what is left of deleted jobs in the runs file, in chunks. Re-runnable; to be called at start
    /// and after [`Change::JobDeleted`]. Returns how many jobs were finished.
    ///
    /// # Errors
    /// As [`Catalog::runs_write`] and [`Catalog::definitions_write`].
    pub fn cleanup_deleted_jobs(&self) -> Result<u64> {
        todo!()
    }

    /// How much history is kept.
    #[must_use]
    pub fn history_limits(&self) -> HistoryLimits {
        todo!()
    }

    /// Changes how much history is kept, from the next outcome on. Not stored: settings are the caller's.
    pub fn set_history_limits(&self, _limits: HistoryLimits) {
        todo!()
    }

    /// Crash points of this process.
    #[must_use]
    pub fn crash_points(&self) -> &CrashPoints {
        todo!()
    }

    /// What was counted.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        todo!()
    }
}
