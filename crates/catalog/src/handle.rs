//! The catalog's handle.

use crate::housekeeping::Queue;
use crate::sqlite::checkpoint::Checkpoints;
use crate::sqlite::definitions::Definitions;
use crate::sqlite::feed::{Feed, Subscriber, Subscription};
use crate::sqlite::files::{Kind, lock_directory, open_writer, sync_directory};
use crate::sqlite::log::TxLog;
use crate::sqlite::readers::Readers;
use crate::sqlite::runs::{Limits, Runs};
use crate::sqlite::submit::{Job, Submitter};
use crate::sqlite::writer::Writer;
use crate::{
    CatalogError, CrashPoints, DefinitionsRead, DefinitionsWrite, HistoryLimits, LEASE_IDLE_MAX,
    LEASE_TOTAL_MAX, LOCK_TIMEOUT_DEFAULT, Lease, Object, READ_TIMEOUT_DEFAULT, Result, RunsRead,
    RunsWrite, SpoolLimits,
};
use jiff::Timestamp;
use model::InstanceId;
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
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
    /// Callers waiting for the definitions' writer now.
    pub definitions_waiting: usize,
    /// Callers waiting for the runs' writer now.
    pub runs_waiting: usize,
}

/// An open catalog. Clones are handles to the same one; the last one dropped closes it.
///
/// Closures run on the caller's thread, and everything they borrow may stay there. Inside one, no other call
/// of the catalog may be made: a write would wait for its own writer until the lock time-out, and a read that
/// waits for a writer keeps a reader from the subscribers of that writer's changes.
#[derive(Debug, Clone)]
pub struct Catalog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    // Invariant: readers are dropped before the writers' connections, so that the last connection of each
    // file is its writer and folds the write-ahead log back in; the directory's lock goes with the writers.
    definitions_readers: Readers,
    runs_readers: Readers,
    definitions_queue: Submitter,
    runs_queue: Submitter,
    definitions: Arc<Writer>,
    pub(crate) runs: Arc<Writer>,
    pub(crate) housekeeping: Queue,
    feed: Arc<Feed>,
    limits: RwLock<Limits>,
    pub(crate) options: CatalogOptions,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.definitions_queue.close();
        self.runs_queue.close();
        self.definitions.checkpoints().close();
        self.runs.checkpoints().close();
    }
}

impl Inner {
    pub(crate) fn limits(&self) -> Limits {
        *self.limits.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Catalog {
    /// Opens the catalog of a data directory, makes it when the directory has none, and migrates it.
    ///
    /// # Errors
    /// `DirectoryInUse` when another process has it open, `Newer`, `Corrupt`, `Io`, `Storage`; `NotFound`
    /// when there is none and no new instance is given.
    pub fn open(directory: &Path, options: CatalogOptions) -> Result<Self> {
        let lock = Arc::new(lock_directory(directory)?);
        let feed = Arc::new(Feed::default());
        let writer = |kind| {
            let mut connection = open_writer(directory, kind)?;
            let file = directory.join(kind.file_name());
            let checkpoints = Checkpoints::new(file, &mut connection)?;
            Ok::<_, CatalogError>(Writer::new(
                kind,
                connection,
                checkpoints,
                options.crash_points.clone(),
                Arc::clone(&feed),
                Arc::clone(&lock),
            ))
        };
        // The definitions' file says whether there is a catalog: it gets its instance last.
        let runs = writer(Kind::Runs)?;
        let definitions = writer(Kind::Definitions)?;
        let readers =
            |kind: Kind| Readers::new(directory.join(kind.file_name()), options.read_timeout);
        let catalog = Self {
            inner: Arc::new(Inner {
                definitions_readers: readers(Kind::Definitions),
                runs_readers: readers(Kind::Runs),
                definitions_queue: Submitter::new(Kind::Definitions, options.lock_timeout),
                runs_queue: Submitter::new(Kind::Runs, options.lock_timeout),
                definitions,
                runs,
                housekeeping: Queue::default(),
                feed,
                limits: RwLock::new(Limits {
                    history: options.history_limits,
                    spool: options.spool_limits,
                }),
                options,
            }),
        };
        catalog.make_instance(directory)?;
        Ok(catalog)
    }

    fn make_instance(&self, directory: &Path) -> Result<()> {
        let options = &self.inner.options;
        let stored = self
            .inner
            .definitions_readers
            .read(|connection| Definitions::reading(connection).stored_instance())?;
        if stored.is_some() {
            return Ok(());
        }
        let new = options
            .new_instance
            .as_ref()
            .ok_or_else(|| CatalogError::not_found(Object::Instance, "this directory"))?;
        sync_directory(directory)?;
        self.inner
            .definitions
            .write(options.lock_timeout, |connection, log| {
                Definitions::writing(connection, log).create_instance(new)
            })
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Reads definitions on a fresh snapshot.
    ///
    /// # Errors
    /// The closure's, or that no reader was free in time, or that the snapshot grew too old.
    pub fn definitions_read<T, E: From<CatalogError>>(
        &self,
        read: impl FnOnce(&dyn DefinitionsRead) -> Result<T, E>,
    ) -> Result<T, E> {
        self.inner
            .definitions_readers
            .read(|connection| read(&Definitions::reading(connection)))
    }

    /// Reads runs on a fresh snapshot.
    ///
    /// # Errors
    /// As [`Catalog::definitions_read`].
    pub fn runs_read<T, E: From<CatalogError>>(
        &self,
        read: impl FnOnce(&dyn RunsRead) -> Result<T, E>,
    ) -> Result<T, E> {
        self.inner
            .runs_readers
            .read(|connection| read(&Runs::reading(connection)))
    }

    /// Writes definitions; returns once they are durable. Writes that come together share a commit; an
    /// error undoes this write alone and returns at once.
    ///
    /// # Errors
    /// The closure's; `LockTimeout`, `Busy`, `Commit`, `Closed`.
    pub fn definitions_write<T, E: From<CatalogError>>(
        &self,
        write: impl FnOnce(&mut dyn DefinitionsWrite) -> Result<T, E>,
    ) -> Result<T, E> {
        self.definitions_write_within(self.inner.options.lock_timeout, write)
    }

    /// As [`Catalog::definitions_write`] with a lock time-out of its own.
    ///
    /// # Errors
    /// As [`Catalog::definitions_write`].
    pub fn definitions_write_within<T, E: From<CatalogError>>(
        &self,
        lock_timeout: Duration,
        write: impl FnOnce(&mut dyn DefinitionsWrite) -> Result<T, E>,
    ) -> Result<T, E> {
        self.inner
            .definitions
            .write(lock_timeout, |connection, log| {
                write(&mut Definitions::writing(connection, log))
            })
    }

    /// Writes runs, as [`Catalog::definitions_write`] does definitions.
    ///
    /// # Errors
    /// As [`Catalog::definitions_write`].
    pub fn runs_write<T, E: From<CatalogError>>(
        &self,
        write: impl FnOnce(&mut dyn RunsWrite) -> Result<T, E>,
    ) -> Result<T, E> {
        let limits = self.inner.limits();
        self.inner
            .runs
            .write(self.inner.options.lock_timeout, |connection, log| {
                write(&mut Runs::writing(connection, log, limits))
            })
    }

    /// Leases the definitions' writer for a transaction of several statements.
    ///
    /// # Errors
    /// `LockTimeout` (SQL Server's 1222), `Busy`, `Closed`.
    pub fn lease(&self, lock_timeout: Duration) -> Result<Lease> {
        let options = &self.inner.options;
        let cell = self.inner.definitions.acquire_lease(
            lock_timeout,
            options.lease_idle_max,
            options.lease_total_max,
        )?;
        Ok(Lease::new(cell))
    }

    /// Writes definitions without waiting: `done` is called on the catalog's thread once the write is
    /// durable or has failed.
    ///
    /// # Errors
    /// `Busy` when [`SUBMIT_QUEUE_MAX`](crate::SUBMIT_QUEUE_MAX) writes wait; `Closed`. Nothing was done.
    pub fn submit_definitions<T, E, W, D>(&self, write: W, done: D) -> Result<()>
    where
        T: Send + 'static,
        E: From<CatalogError> + Send + 'static,
        W: FnOnce(&mut dyn DefinitionsWrite) -> Result<T, E> + Send + 'static,
        D: FnOnce(Result<T, E>) + Send + 'static,
    {
        self.inner.definitions_queue.submit(
            &self.inner.definitions,
            job(
                move |connection, log| write(&mut Definitions::writing(connection, log)),
                done,
            ),
        )
    }

    /// Writes runs without waiting, as [`Catalog::submit_definitions`] does definitions.
    ///
    /// # Errors
    /// As [`Catalog::submit_definitions`].
    pub fn submit_runs<T, E, W, D>(&self, write: W, done: D) -> Result<()>
    where
        T: Send + 'static,
        E: From<CatalogError> + Send + 'static,
        W: FnOnce(&mut dyn RunsWrite) -> Result<T, E> + Send + 'static,
        D: FnOnce(Result<T, E>) + Send + 'static,
    {
        let limits = self.inner.limits();
        self.inner.runs_queue.submit(
            &self.inner.runs,
            job(
                move |connection, log| write(&mut Runs::writing(connection, log, limits)),
                done,
            ),
        )
    }

    /// Subscribes to committed changes. Each commit calls once, in commit order per file, before its
    /// writers return. The subscriber may read; it must not write or wait for a writer.
    pub fn subscribe(&self, subscriber: Subscriber) -> Subscription {
        self.inner.feed.subscribe(subscriber)
    }

    /// Gives back what is kept for speed alone: idle readers, kept statements and pages in memory. What is in
    /// use at the moment stays. The next reads and writes are slower.
    pub fn release_memory(&self) {
        self.inner.definitions_readers.release_memory();
        self.inner.runs_readers.release_memory();
        self.inner.definitions.release_memory();
        self.inner.runs.release_memory();
    }

    /// How much history is kept.
    #[must_use]
    pub fn history_limits(&self) -> HistoryLimits {
        self.inner.limits().history
    }

    /// Changes how much history is kept, from the next outcome on. Not stored: settings are the caller's.
    pub fn set_history_limits(&self, limits: HistoryLimits) {
        self.inner
            .limits
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .history = limits;
    }

    /// Crash points of this process.
    #[must_use]
    pub fn crash_points(&self) -> &CrashPoints {
        &self.inner.options.crash_points
    }

    /// What was counted.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let (definitions_commits, definitions_writes) = self.inner.definitions.counts();
        let (runs_commits, runs_writes) = self.inner.runs.counts();
        Statistics {
            definitions_commits,
            definitions_writes,
            runs_commits,
            runs_writes,
            definitions_waiting: self.inner.definitions.waiting(),
            runs_waiting: self.inner.runs.waiting(),
        }
    }
}

/// A write and its answer as the queue takes them.
fn job<T, E>(
    write: impl FnOnce(&Connection, &mut TxLog) -> Result<T, E> + Send + 'static,
    done: impl FnOnce(Result<T, E>) + Send + 'static,
) -> Job
where
    T: Send + 'static,
    E: From<CatalogError> + Send + 'static,
{
    Box::new(move |held| {
        let result = match held {
            Ok(held) => held.step(write),
            Err(error) => Err(error.into()),
        };
        Box::new(move |outcome: Result<()>| {
            done(match (result, outcome) {
                (Ok(value), Ok(())) => Ok(value),
                (Ok(_), Err(error)) => Err(error.into()),
                (Err(error), _) => Err(error),
            });
        })
    })
}
