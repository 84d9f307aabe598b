//! A bounded pool of read-only connections to one file.

use super::files::open_reader;
use super::writer::run_statement;
use crate::{CatalogError, READERS_PER_FILE_MAX, Result};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Virtual-machine instructions between two looks at the clock: below a millisecond.
const DEADLINE_CHECK_OPS: i32 = 10_000;
/// Milliseconds of [`Deadline`] that mean "none".
const NO_DEADLINE: u64 = u64::MAX;

/// Read-only connections, opened when first needed.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    timeout: Duration,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Reader>,
    open: usize,
}

#[derive(Debug)]
struct Reader {
    connection: Connection,
    deadline: Arc<Deadline>,
}

/// When the statement on a connection has to end, as milliseconds since `base`.
#[derive(Debug)]
struct Deadline {
    base: Instant,
    millis: AtomicU64,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, timeout: Duration) -> Self {
        Self {
            path,
            timeout,
            state: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    /// Runs `read` in one read transaction: all its statements see the same snapshot, which lives no longer
    /// than the time-out.
    pub(crate) fn read<T, E: From<CatalogError>>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut borrowed = self.borrow()?;
        let reader = borrowed.reader();
        reader.deadline.start(self.timeout);
        run_statement(&reader.connection, "BEGIN")?;
        let result = read(&reader.connection);
        let late = reader.deadline.passed();
        reader.deadline.clear();
        let ended = run_statement(&reader.connection, "COMMIT");
        match result {
            Ok(value) => {
                ended?;
                borrowed.keep();
                Ok(value)
            }
            Err(error) => {
                if ended.is_ok() {
                    borrowed.keep();
                }
                if late {
                    return Err(CatalogError::ReadTimeout {
                        limit: self.timeout,
                    }
                    .into());
                }
                Err(error)
            }
        }
    }

    /// Closes the readers that nobody uses.
    pub(crate) fn release_memory(&self) {
        let idle = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.open -= state.idle.len();
            std::mem::take(&mut state.idle)
        };
        drop(idle);
        self.returned.notify_all();
    }

    fn borrow(&self) -> Result<Borrowed<'_>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let started = now();
        loop {
            if let Some(reader) = state.idle.pop() {
                return Ok(Borrowed {
                    pool: self,
                    reader: Some(reader),
                    sound: false,
                });
            }
            if state.open < READERS_PER_FILE_MAX {
                state.open += 1;
                drop(state);
                let mut borrowed = Borrowed {
                    pool: self,
                    reader: None,
                    sound: false,
                };
                borrowed.reader = Some(Reader::open(&self.path)?);
                return Ok(borrowed);
            }
            let left = self.timeout.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(CatalogError::ReadTimeout {
                    limit: self.timeout,
                });
            }
            state = self
                .returned
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Reader {
    fn open(path: &std::path::Path) -> Result<Self> {
        let mut connection = open_reader(path)?;
        let deadline = Arc::new(Deadline {
            base: now(),
            millis: AtomicU64::new(NO_DEADLINE),
        });
        let seen = Arc::clone(&deadline);
        connection.progress_handler(DEADLINE_CHECK_OPS, Some(move || seen.passed()))?;
        Ok(Self {
            connection,
            deadline,
        })
    }
}

impl Deadline {
    fn start(&self, timeout: Duration) {
        let end = self.base.elapsed().saturating_add(timeout).as_millis();
        self.millis
            .store(u64::try_from(end).unwrap_or(NO_DEADLINE), Ordering::Relaxed);
    }

    fn clear(&self) {
        self.millis.store(NO_DEADLINE, Ordering::Relaxed);
    }

    fn passed(&self) -> bool {
        let millis = self.millis.load(Ordering::Relaxed);
        millis != NO_DEADLINE && self.base.elapsed().as_millis() > u128::from(millis)
    }
}

/// A reader on loan; it goes back when dropped, or is closed unless its transaction ended well.
struct Borrowed<'p> {
    pool: &'p Readers,
    reader: Option<Reader>,
    sound: bool,
}

impl Borrowed<'_> {
    fn reader(&mut self) -> &Reader {
        self.reader
            .as_ref()
            .expect("a loan holds its reader until it is dropped")
    }

    fn keep(&mut self) {
        self.sound = true;
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let reader = self.reader.take().filter(|_| self.sound);
        let mut state = self
            .pool
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match reader {
            Some(reader) => state.idle.push(reader),
            None => state.open -= 1,
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}

/// The monotonic clock, for time-outs alone.
#[expect(
    clippy::disallowed_methods,
    reason = "a time-out is measured by the thread that waits; no decision of the domain depends on it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
