//! The one writer of a file: who may use it when, group commit, and leases.
//!
//! The connection travels: whoever holds the [`Core`] runs its statements on its own thread. Callers queue
//! in order of arrival and the connection is handed over directly. A writer that finds others waiting
//! leaves its transaction open for them; the last of them, or the one that fills the group, commits for
//! all. So a lone write costs one commit and no change of thread, and a crowd shares one fsync.

use super::checkpoint::Checkpoints;
use super::feed::{Feed, Turn};
use super::files::Kind;
use super::lease::LeaseCell;
use super::log::TxLog;
use super::readers::now;
use crate::{CatalogError, CrashPoints, Result, WRITE_BATCH_MAX, WRITE_WAITERS_MAX};
use rusqlite::Connection;
use std::collections::VecDeque;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// The connection with the transaction that is open on it, if one is.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) connection: Connection,
    group: Option<Group>,
}

/// Writes that will share one commit.
#[derive(Debug)]
struct Group {
    log: TxLog,
    writes: usize,
    outcome: Arc<Outcome>,
}

/// What became of a group's commit.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    result: Mutex<Option<Result<(), Arc<CatalogError>>>>,
    known: Condvar,
}

impl Outcome {
    fn set(&self, result: Result<(), Arc<CatalogError>>) {
        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        self.known.notify_all();
    }

    /// Waits for the commit. Whoever holds the connection commits or fails the group, so it always ends.
    pub(crate) fn wait(&self) -> Result<()> {
        let mut result = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match &*result {
                Some(Ok(())) => return Ok(()),
                Some(Err(source)) => {
                    return Err(CatalogError::Commit {
                        source: Arc::clone(source),
                    });
                }
                None => {
                    result = self
                        .known
                        .wait(result)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

/// A group whose commit was tried; with the turn to publish it where there is something to publish.
struct Committed<'w> {
    group: Group,
    result: Result<Option<MutexGuard<'w, ()>>>,
}

/// The writer of one file.
#[derive(Debug)]
pub(crate) struct Writer {
    kind: Kind,
    state: Mutex<State>,
    crash_points: CrashPoints,
    feed: Arc<Feed>,
    turn: Turn,
    checkpoints: Checkpoints,
    /// Itself, for the thread of a checkpoint.
    this: Weak<Self>,
    commits: AtomicU64,
    writes: AtomicU64,
    /// Keeps the directory locked as long as anything may still write, a forgotten lease included.
    _directory: Arc<File>,
}

#[derive(Debug)]
struct State {
    /// The connection while nobody holds it.
    core: Option<Core>,
    /// Who waits, in order.
    waiting: VecDeque<(u64, Arc<Condvar>)>,
    /// The waiter that `core` is kept for.
    granted: Option<u64>,
    next_ticket: u64,
    /// The lease that holds the connection, while one does.
    lease: Option<Arc<LeaseCell>>,
}

impl Writer {
    pub(crate) fn new(
        kind: Kind,
        connection: Connection,
        checkpoints: Checkpoints,
        crash_points: CrashPoints,
        feed: Arc<Feed>,
        directory: Arc<File>,
    ) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            kind,
            state: Mutex::new(State {
                core: Some(Core {
                    connection,
                    group: None,
                }),
                waiting: VecDeque::new(),
                granted: None,
                next_ticket: 0,
                lease: None,
            }),
            crash_points,
            feed,
            turn: Turn::default(),
            checkpoints,
            this: Weak::clone(this),
            commits: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            _directory: directory,
        })
    }

    /// The checkpoints of its file.
    pub(crate) const fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    /// Commits and writes so far.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (
            self.commits.load(Ordering::Relaxed),
            self.writes.load(Ordering::Relaxed),
        )
    }

    /// Callers waiting now.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Runs one write in a savepoint and returns once it is durable.
    pub(crate) fn write<T, E: From<CatalogError>>(
        &self,
        timeout: Duration,
        write: impl FnOnce(&Connection, &mut TxLog) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut held = self.acquire(timeout)?;
        let result = held.step(write);
        let outcome = held.finish();
        let value = result?;
        outcome.wait()?;
        Ok(value)
    }

    /// Takes the connection for a sequence of writes that share a commit: [`Held::step`] each, then
    /// [`Held::finish`].
    pub(crate) fn acquire(&self, timeout: Duration) -> Result<Held<'_>> {
        let mut core = self.take(timeout)?;
        if core.group.is_none() {
            if let Err(error) = run_statement(&core.connection, "BEGIN IMMEDIATE") {
                self.release(core);
                return Err(error);
            }
            core.group = Some(Group {
                log: TxLog::default(),
                writes: 0,
                outcome: Arc::default(),
            });
        }
        Ok(Held {
            writer: self,
            core: Some(core),
        })
    }

    /// Takes the connection for a lease, with a transaction of its own begun.
    pub(crate) fn acquire_lease(
        self: &Arc<Self>,
        timeout: Duration,
        idle_max: Duration,
        total_max: Duration,
    ) -> Result<Arc<LeaseCell>> {
        let mut core = self.take(timeout)?;
        // Others' writes don't wait for this transaction's end.
        if let Some(done) = self.commit_group(&mut core) {
            self.announce(done);
        }
        if let Err(error) = run_statement(&core.connection, "BEGIN IMMEDIATE") {
            self.release(core);
            return Err(error);
        }
        let cell = LeaseCell::new(Arc::clone(self), core, idle_max, total_max);
        self.lock().lease = Some(Arc::clone(&cell));
        Ok(cell)
    }

    /// Empties the connection's caches, unless somebody uses it.
    pub(crate) fn release_memory(&self) {
        let Ok(core) = self.take(Duration::ZERO) else {
            return;
        };
        core.connection.flush_prepared_statement_cache();
        // What it cannot give back it keeps.
        let _ = core.connection.release_memory();
        self.release(core);
    }

    /// Does something in the writer's turn while no transaction is open.
    pub(crate) fn between_transactions<T>(
        &self,
        timeout: Duration,
        act: impl FnOnce() -> T,
    ) -> Result<T> {
        let mut core = self.take(timeout)?;
        let done = self.commit_group(&mut core);
        let result = catch_unwind(AssertUnwindSafe(act));
        self.release(core);
        if let Some(done) = done {
            self.announce(done);
        }
        match result {
            Ok(value) => Ok(value),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Waits for the connection in order of arrival.
    fn take(&self, timeout: Duration) -> Result<Core> {
        let started = now();
        let mut state = self.lock();
        let nobody_before = state.granted.is_none() && state.waiting.is_empty();
        if let Some(core) = state.core.take_if(|_| nobody_before) {
            return Ok(core);
        }
        if timeout.is_zero() {
            return Err(CatalogError::LockTimeout { waited: timeout });
        }
        if state.waiting.len() >= WRITE_WAITERS_MAX {
            return Err(CatalogError::Busy {
                queue: self.kind.word(),
                limit: WRITE_WAITERS_MAX,
            });
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        let ready = Arc::new(Condvar::new());
        state.waiting.push_back((ticket, Arc::clone(&ready)));
        loop {
            let mine = state.granted == Some(ticket);
            if let Some(core) = state.core.take_if(|_| mine) {
                state.granted = None;
                return Ok(core);
            }
            let left = timeout.saturating_sub(started.elapsed());
            if left.is_zero() {
                state.waiting.retain(|(waiter, _)| *waiter != ticket);
                return Err(CatalogError::LockTimeout { waited: timeout });
            }
            // Whoever waits ends a lease that has outlived its bounds.
            let mut pause = left;
            if let Some(lease) = state.lease.clone() {
                let until = lease.time_left();
                if until.is_zero() {
                    drop(state);
                    lease.expire();
                    state = self.lock();
                    pause = pause.min(LEASE_END_WAIT);
                    if state.granted == Some(ticket) {
                        continue;
                    }
                } else {
                    pause = pause.min(until);
                }
            }
            state = ready
                .wait_timeout(state, pause)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Gives the connection to the next in line, or keeps it for whoever comes.
    fn release(&self, core: Core) {
        let mut state = self.lock();
        state.core = Some(core);
        Self::grant(&mut state);
    }

    fn grant(state: &mut State) {
        if let Some((ticket, ready)) = state.waiting.pop_front() {
            state.granted = Some(ticket);
            ready.notify_one();
        }
    }

    /// Takes back a lease's connection, its transaction ended.
    pub(crate) fn release_lease(&self, core: Core) {
        self.lock().lease = None;
        self.release(core);
    }

    /// Passes an open group on to the next in line if one waits and there is room; else commits it.
    fn pass_on_or_commit(&self, core: Core) {
        let room = core
            .group
            .as_ref()
            .is_some_and(|group| group.writes < WRITE_BATCH_MAX);
        if room {
            let mut state = self.lock();
            if !state.waiting.is_empty() {
                state.core = Some(core);
                Self::grant(&mut state);
                return;
            }
        }
        self.commit(core);
    }

    /// Commits the group, gives the connection on, publishes, and tells the group's writers.
    fn commit(&self, mut core: Core) {
        let done = self.commit_group(&mut core);
        self.release(core);
        if let Some(done) = done {
            self.announce(done);
        }
    }

    /// Commits the open group, if there is one; the connection stays with the caller.
    fn commit_group(&self, core: &mut Core) -> Option<Committed<'_>> {
        let group = core.group.take()?;
        let result = if group.writes == 0 {
            core.roll_back().map(|()| None)
        } else {
            self.commit_transaction(&core.connection, &group.log, group.writes)
                .map(Some)
        };
        Some(Committed { group, result })
    }

    /// Publishes a commit and tells its writers, even if a subscriber panics.
    fn announce(&self, done: Committed<'_>) {
        let Committed { group, result } = done;
        match result {
            Ok(turn) => {
                let published = catch_unwind(AssertUnwindSafe(|| {
                    if turn.is_some() {
                        self.feed.publish(group.log.changes());
                    }
                }));
                drop(turn);
                group.outcome.set(Ok(()));
                if let Err(panic) = published {
                    resume_unwind(panic);
                }
            }
            Err(error) => group.outcome.set(Err(Arc::new(error))),
        }
    }

    /// Commits a transaction around its crash points; takes the turn to publish it. Rolls back on failure.
    fn commit_transaction(
        &self,
        connection: &Connection,
        log: &TxLog,
        writes: usize,
    ) -> Result<MutexGuard<'_, ()>> {
        log.pass(&self.crash_points, self.kind.word(), "before_commit");
        if let Err(error) = run_statement(connection, "COMMIT") {
            if !connection.is_autocommit() {
                // Nothing else can be done if this fails too; the next BEGIN will say so.
                let _ = connection.execute_batch("ROLLBACK");
            }
            return Err(error);
        }
        log.pass(&self.crash_points, self.kind.word(), "after_commit");
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.writes
            .fetch_add(u64::try_from(writes).unwrap_or(u64::MAX), Ordering::Relaxed);
        if let Some(this) = self.this.upgrade() {
            self.checkpoints.after_commit(&this);
        }
        Ok(self.turn.take())
    }

    /// Commits a lease's transaction and takes its connection back.
    pub(crate) fn commit_lease(&self, core: Core, log: &TxLog) -> Result<()> {
        let result = self.commit_transaction(&core.connection, log, 1);
        self.release_lease(core);
        let turn = result.map_err(|error| CatalogError::Commit {
            source: Arc::new(error),
        })?;
        self.feed.publish(log.changes());
        drop(turn);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a waiter gives a lease past its bounds to give the connection up before it looks again.
const LEASE_END_WAIT: Duration = Duration::from_millis(20);

/// The connection in a caller's hands, with an open group. Dropped, it goes on as after [`Held::finish`].
pub(crate) struct Held<'w> {
    writer: &'w Writer,
    core: Option<Core>,
}

impl Held<'_> {
    /// Runs one write in a savepoint of its own.
    ///
    /// # Errors
    /// The closure's: its savepoint is undone, other writes of the group stay. When the store has ended
    /// the whole transaction by itself, the group fails.
    pub(crate) fn step<T, E: From<CatalogError>>(
        &mut self,
        write: impl FnOnce(&Connection, &mut TxLog) -> Result<T, E>,
    ) -> Result<T, E> {
        let core = self.core.as_mut().ok_or(CatalogError::Closed)?;
        let group = core.group.as_mut().ok_or(CatalogError::Closed)?;
        if core.connection.is_autocommit() {
            return Err(undone_by_store().into());
        }
        let result = in_savepoint(&core.connection, &mut group.log, write);
        if result.is_ok() {
            group.writes += 1;
        }
        result
    }

    /// What will become of the group.
    pub(crate) fn outcome(&self) -> Arc<Outcome> {
        self.core
            .as_ref()
            .and_then(|core| core.group.as_ref())
            .map(|group| Arc::clone(&group.outcome))
            .unwrap_or_default()
    }

    /// Hands the connection on, or commits when nobody waits.
    pub(crate) fn finish(mut self) -> Arc<Outcome> {
        let outcome = self.outcome();
        self.let_go();
        outcome
    }

    fn let_go(&mut self) {
        let Some(mut core) = self.core.take() else {
            return;
        };
        if core.connection.is_autocommit() {
            // The store rolled the transaction back by itself (a full disk): no write of it is kept.
            let group = core.group.take();
            self.writer.release(core);
            if let Some(group) = group {
                group.outcome.set(Err(Arc::new(undone_by_store())));
            }
            return;
        }
        self.writer.pass_on_or_commit(core);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl Core {
    /// Ends the transaction without keeping anything.
    pub(crate) fn roll_back(&self) -> Result<()> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        Ok(self.connection.execute_batch("ROLLBACK")?)
    }
}

/// Runs a closure in a savepoint: an error or a panic undoes it and its log alone.
pub(crate) fn in_savepoint<T, E: From<CatalogError>>(
    connection: &Connection,
    log: &mut TxLog,
    write: impl FnOnce(&Connection, &mut TxLog) -> Result<T, E>,
) -> Result<T, E> {
    run_statement(connection, "SAVEPOINT statement")?;
    let mark = log.position();
    let result = catch_unwind(AssertUnwindSafe(|| write(connection, log)));
    match result {
        Ok(Ok(value)) => match run_statement(connection, "RELEASE statement") {
            Ok(()) => Ok(value),
            Err(error) => {
                log.back_to(mark);
                Err(error.into())
            }
        },
        Ok(Err(error)) => {
            log.back_to(mark);
            undo_savepoint(connection);
            Err(error)
        }
        Err(panic) => {
            log.back_to(mark);
            undo_savepoint(connection);
            resume_unwind(panic)
        }
    }
}

fn undo_savepoint(connection: &Connection) {
    if connection.is_autocommit() {
        return;
    }
    let undone = run_statement(connection, "ROLLBACK TO statement")
        .and_then(|()| run_statement(connection, "RELEASE statement"));
    if undone.is_err() {
        // What can't be undone alone must not be kept with the others.
        let _ = connection.execute_batch("ROLLBACK");
    }
}

/// Runs a statement that is kept: compiling it takes longer than running it.
pub(super) fn run_statement(connection: &Connection, sql: &'static str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// The error of writes whose transaction the store has rolled back by itself.
pub(crate) fn undone_by_store() -> CatalogError {
    CatalogError::Storage {
        action: "keep the transaction",
        source: "the store rolled it back after an input/output error".into(),
    }
}
