//! Checkpoints: the write-ahead log is folded back into its file beside the writers, not within a commit.
//!
//! SQLite by itself does it in the commit that fills the log, and everybody behind that commit waits for
//! thousands of pages and their flush. Here a commit that finds the log long starts a thread, which copies the
//! pages while others go on writing; only what these added meanwhile is copied in the writer's turn.

use super::files::open_checkpointer;
use super::writer::Writer;
use crate::{CatalogError, Result};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Pages of the log that call for a checkpoint, and pages added before one that could not be finished is tried
/// again.
pub(crate) const CHECKPOINT_PAGES: u64 = 1_000;
/// Pages of the log from which on a checkpoint waits for readers, so that the log begins anew.
const WAL_PAGES_MAX: u64 = 16_384;
/// How long the end of a checkpoint waits for the writer's turn.
const TURN_WAIT: Duration = Duration::from_secs(1);
/// Stack of the thread; SQLite needs the most of it.
const THREAD_STACK_BYTES: usize = 256 * 1024;

/// The checkpoints of one file.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    path: PathBuf,
    /// Pages of the log after the last commit, as SQLite's hook tells them.
    pages: Arc<AtomicU64>,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug)]
struct State {
    /// Pages of the log that the last commit was seen with.
    seen: u64,
    /// Pages of the log that call for the next checkpoint.
    due: u64,
    running: bool,
    closed: bool,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// For the file at `path`, told of the log's length by the hook that is put on its writer's connection.
    pub(crate) fn new(path: PathBuf, writer: &mut Connection) -> Result<Self> {
        let pages = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&pages);
        // This takes the place of SQLite's own checkpoints.
        writer.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            told.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self {
            path,
            pages,
            state: Mutex::new(State {
                seen: 0,
                due: CHECKPOINT_PAGES,
                running: false,
                closed: false,
                thread: None,
            }),
            ended: Condvar::new(),
        })
    }

    /// To be called after a commit: starts a checkpoint when the log has grown long.
    pub(crate) fn after_commit(&self, writer: &Arc<Writer>) {
        let pages = self.pages.load(Ordering::Relaxed);
        let mut state = self.lock();
        if pages < state.seen {
            // The log was begun anew.
            state.due = CHECKPOINT_PAGES;
        }
        state.seen = pages;
        if pages < state.due || state.running || state.closed {
            return;
        }
        state.running = true;
        let writer = Arc::clone(writer);
        let started = std::thread::Builder::new()
            .name("catalog-checkpoint".to_owned())
            .stack_size(THREAD_STACK_BYTES)
            .spawn(move || writer.checkpoints().work(&writer));
        match started {
            // The thread before has done its work, or `running` would have been set.
            Ok(thread) => state.thread = Some(thread),
            Err(error) => {
                tracing::warn!(%error, "no thread for a checkpoint of the catalog; trying again later");
                state.running = false;
                state.due = pages + CHECKPOINT_PAGES;
            }
        }
    }

    /// Waits until no checkpoint is under way: for writers that make many pages and are in no haste.
    pub(crate) fn settle(&self) {
        let mut state = self.lock();
        while state.running {
            state = self
                .ended
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Starts no more and waits for the one under way.
    pub(crate) fn close(&self) {
        let thread = {
            let mut state = self.lock();
            state.closed = true;
            state.thread.take()
        };
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }

    fn work(&self, writer: &Writer) {
        let ended = Ended { checkpoints: self };
        if let Err(error) = self.run(writer) {
            tracing::warn!(%error, path = %self.path.display(), "checkpoint of the catalog failed; trying again later");
        }
        drop(ended);
    }

    fn run(&self, writer: &Writer) -> Result<()> {
        let connection = open_checkpointer(&self.path)?;
        let copied = checkpoint(&connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
        if self.pages.load(Ordering::Relaxed) > copied {
            // What was written during the first round is little.
            checkpoint(&connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
        }
        // Also when nothing is left: a transaction that began before the log was copied cannot begin it anew.
        let finish = || {
            if self.pages.load(Ordering::Relaxed) < WAL_PAGES_MAX {
                checkpoint(&connection, "PRAGMA wal_checkpoint(PASSIVE)")
            } else {
                checkpoint(&connection, "PRAGMA wal_checkpoint(RESTART)")
            }
        };
        match writer.between_transactions(TURN_WAIT, finish) {
            Ok(done) => done.map(|_| ()),
            // A long transaction is under way; its end makes the log longer still, and then due.
            Err(CatalogError::LockTimeout { .. } | CatalogError::Busy { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks a checkpoint as ended, even after a panic.
struct Ended<'c> {
    checkpoints: &'c Checkpoints,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let mut state = self.checkpoints.lock();
        state.running = false;
        state.due = state.seen + CHECKPOINT_PAGES;
        drop(state);
        self.checkpoints.ended.notify_all();
    }
}

/// Pages of the log that are in the file now.
fn checkpoint(connection: &Connection, pragma: &'static str) -> Result<u64> {
    let copied: i64 = connection.query_row(pragma, [], |row| row.get(2))?;
    Ok(u64::try_from(copied).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalog, CatalogOptions, NewInstance};
    use jiff::Timestamp;
    use model::{InstanceId, JobId, StepUid};
    use uuid::Uuid;

    /// Bytes of what each write stores: ten pages.
    const TEXT_BYTES: usize = 40_000;

    struct Log {
        catalog: Option<Catalog>,
        directory: PathBuf,
    }

    impl Log {
        fn new() -> Self {
            let directory = std::env::temp_dir().join(format!("muster-log-{}", Uuid::new_v4()));
            std::fs::create_dir_all(&directory).unwrap();
            let options = CatalogOptions {
                new_instance: Some(NewInstance {
                    id: InstanceId(Uuid::from_u128(1)),
                    name: "HERE".to_owned(),
                    created: Timestamp::UNIX_EPOCH,
                }),
                ..CatalogOptions::default()
            };
            Self {
                catalog: Some(Catalog::open(&directory, options).unwrap()),
                directory,
            }
        }

        fn catalog(&self) -> &Catalog {
            self.catalog.as_ref().unwrap()
        }

        fn write(&self) {
            let (id, text) = (Uuid::from_u128(7), "x".repeat(TEXT_BYTES));
            self.catalog()
                .runs_write(|w| {
                    w.write_step_log(
                        JobId(id),
                        StepUid(id),
                        &text,
                        false,
                        TEXT_BYTES,
                        Timestamp::UNIX_EPOCH,
                    )
                })
                .unwrap();
        }

        fn pages(&self) -> u64 {
            let checkpoints = self.catalog().inner().runs.checkpoints();
            checkpoints.pages.load(Ordering::Relaxed)
        }

        /// Writes until a checkpoint has begun, and waits for its end.
        fn write_to_a_checkpoint(&self) {
            let checkpoints = self.catalog().inner().runs.checkpoints();
            let due = checkpoints.lock().due;
            while self.pages() < due {
                self.write();
            }
            checkpoints.settle();
        }
    }

    impl Drop for Log {
        fn drop(&mut self) {
            self.catalog = None;
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }

    #[test]
    fn a_log_that_grew_long_begins_anew() {
        let log = Log::new();
        for _ in 0..3 {
            log.write_to_a_checkpoint();
            assert!(log.pages() >= CHECKPOINT_PAGES);
            log.write();
            assert!(log.pages() < CHECKPOINT_PAGES, "{}", log.pages());
        }
    }

    #[test]
    fn a_snapshot_keeps_the_log_and_its_end_sets_it_free() {
        let log = Log::new();
        log.catalog()
            .runs_read(|r| {
                r.history_rows()?;
                log.write_to_a_checkpoint();
                log.write();
                assert!(log.pages() > CHECKPOINT_PAGES);
                Ok::<_, CatalogError>(())
            })
            .unwrap();
        log.write_to_a_checkpoint();
        assert!(log.pages() >= 2 * CHECKPOINT_PAGES);
        log.write();
        assert!(log.pages() < CHECKPOINT_PAGES);
    }

    #[test]
    fn the_end_of_a_catalog_waits_for_its_checkpoint() {
        let log = Log::new();
        while log.pages() < CHECKPOINT_PAGES {
            log.write();
        }
        let directory = log.directory.clone();
        let mut log = log;
        log.catalog = None;
        // The directory is free, and the log went into its file.
        assert!(!directory.join("runs.db-wal").exists());
        log.catalog = Some(Catalog::open(&directory, CatalogOptions::default()).unwrap());
    }
}
