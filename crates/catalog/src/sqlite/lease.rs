//! The shared half of a lease: what its holder and those who wait for it both reach.

use super::log::{LogMark, TxLog};
use super::readers::now;
use super::writer::{Core, Writer, in_savepoint, undone_by_store};
use crate::{CatalogError, LeaseLimit, Result};
use rusqlite::{Connection, InterruptHandle};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A lease of the writer. The holder runs statements; a waiter may end it once its time is up.
pub(crate) struct LeaseCell {
    writer: Arc<Writer>,
    work: Mutex<Work>,
    times: Mutex<Times>,
    interrupt: InterruptHandle,
    idle_max: Duration,
    total_max: Duration,
}

/// What the holder works on; locked while a statement runs.
struct Work {
    /// `None` once the lease has ended.
    core: Option<Core>,
    log: TxLog,
    savepoints: Vec<Savepoint>,
}

struct Savepoint {
    name: String,
    sql_name: String,
    log: LogMark,
}

#[derive(Clone, Copy)]
struct Times {
    started: Instant,
    used: Instant,
    running: bool,
    ended: Option<LeaseLimit>,
}

impl fmt::Debug for LeaseCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseCell")
            .field("idle_max", &self.idle_max)
            .field("total_max", &self.total_max)
            .finish_non_exhaustive()
    }
}

impl LeaseCell {
    pub(crate) fn new(
        writer: Arc<Writer>,
        core: Core,
        idle_max: Duration,
        total_max: Duration,
    ) -> Arc<Self> {
        let started = now();
        let interrupt = core.connection.get_interrupt_handle();
        Arc::new(Self {
            writer,
            work: Mutex::new(Work {
                core: Some(core),
                log: TxLog::default(),
                savepoints: Vec::new(),
            }),
            times: Mutex::new(Times {
                started,
                used: started,
                running: false,
                ended: None,
            }),
            interrupt,
            idle_max,
            total_max,
        })
    }

    /// How long until the lease may be ended; zero when it is past its bounds.
    pub(crate) fn time_left(&self) -> Duration {
        let times = *self.times();
        if times.ended.is_some() {
            return Duration::ZERO;
        }
        let total = self.total_max.saturating_sub(times.started.elapsed());
        if times.running {
            return total;
        }
        total.min(self.idle_max.saturating_sub(times.used.elapsed()))
    }

    /// Ends the lease if it is past its bounds: at once when idle, else by interrupting its statement, whose
    /// thread then gives the connection back.
    pub(crate) fn expire(&self) {
        let running = {
            let mut times = self.times();
            if times.ended.is_none() {
                times.ended = self.passed(&times);
            }
            if times.ended.is_none() {
                return;
            }
            if times.running {
                // Under the lock: once `running` is false the connection may be someone else's.
                self.interrupt.interrupt();
            }
            times.running
        };
        if !running {
            // The holder learns of the end; a failed rollback shows at the next BEGIN.
            let _ = self.give_back(&mut self.work());
        }
    }

    fn passed(&self, times: &Times) -> Option<LeaseLimit> {
        if times.started.elapsed() >= self.total_max {
            Some(LeaseLimit::Total(self.total_max))
        } else if !times.running && times.used.elapsed() >= self.idle_max {
            Some(LeaseLimit::Idle(self.idle_max))
        } else {
            None
        }
    }

    /// Runs the holder's next act on the connection.
    fn act<T, E: From<CatalogError>>(
        &self,
        act: impl FnOnce(&mut Work) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut work = self.work();
        {
            let mut times = self.times();
            if times.ended.is_none() {
                times.ended = self.passed(&times);
            }
            if let Some(limit) = times.ended {
                drop(times);
                let _ = self.give_back(&mut work);
                return Err(CatalogError::LeaseExpired { limit }.into());
            }
            times.running = true;
        }
        let stop = Running { cell: self };
        let result = act(&mut work);
        drop(stop);
        let ended = self.times().ended;
        // A commit that went through before its time was up stays a commit.
        if let Some(limit) = ended.filter(|_| work.core.is_some()) {
            let _ = self.give_back(&mut work);
            return Err(CatalogError::LeaseExpired { limit }.into());
        }
        result
    }

    /// Runs one statement in a savepoint.
    pub(crate) fn run<T, E: From<CatalogError>>(
        &self,
        statement: impl FnOnce(&Connection, &mut TxLog) -> Result<T, E>,
    ) -> Result<T, E> {
        self.act(|work| {
            let Work { core, log, .. } = work;
            let core = core.as_ref().ok_or(CatalogError::Closed)?;
            let result = in_savepoint(&core.connection, log, statement);
            if core.connection.is_autocommit() {
                // The store has rolled everything back by itself: the transaction is gone.
                return Err(undone_by_store().into());
            }
            result
        })
    }

    pub(crate) fn savepoint(&self, name: &str) -> Result<()> {
        self.act(|work| {
            let core = work.core.as_ref().ok_or(CatalogError::Closed)?;
            // Numbered, so that no caller's text reaches the statement.
            let sql_name = format!("saved_{}", work.savepoints.len());
            core.connection
                .execute_batch(&format!("SAVEPOINT {sql_name}"))?;
            work.savepoints.push(Savepoint {
                name: name.to_owned(),
                sql_name,
                log: work.log.position(),
            });
            Ok(())
        })
    }

    pub(crate) fn rollback_to(&self, name: &str) -> Result<()> {
        self.act(|work| {
            let core = work.core.as_ref().ok_or(CatalogError::Closed)?;
            let place = work
                .savepoints
                .iter()
                .rposition(|saved| saved.name == name)
                .ok_or_else(|| CatalogError::UnknownSavepoint {
                    name: name.to_owned(),
                })?;
            work.savepoints.truncate(place + 1);
            let saved = &work.savepoints[place];
            core.connection
                .execute_batch(&format!("ROLLBACK TO {}", saved.sql_name))?;
            work.log.back_to(saved.log);
            Ok(())
        })
    }

    pub(crate) fn commit(&self) -> Result<()> {
        self.act(|work| {
            let core = work.core.take().ok_or(CatalogError::Closed)?;
            self.writer.commit_lease(core, &work.log)
        })
    }

    pub(crate) fn rollback(&self) -> Result<()> {
        let mut work = self.work();
        self.give_back(&mut work)
    }

    /// Rolls back and gives the connection to the next in line; nothing when that is done already.
    fn give_back(&self, work: &mut Work) -> Result<()> {
        work.log = TxLog::default();
        work.savepoints.clear();
        let Some(core) = work.core.take() else {
            return Ok(());
        };
        let result = core.roll_back();
        self.writer.release_lease(core);
        result
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks the lease idle again, even after a panic.
struct Running<'l> {
    cell: &'l LeaseCell,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut times = self.cell.times();
        times.running = false;
        times.used = now();
    }
}
