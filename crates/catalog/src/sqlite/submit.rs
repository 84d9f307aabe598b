//! Writes that nobody waits for: a bounded queue and the thread that works it off.

use super::files::Kind;
use super::writer::{Held, Writer};
use crate::{CatalogError, Result, SUBMIT_QUEUE_MAX, WRITE_BATCH_MAX};
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Stack of a queue's thread: the commands are shallow, and an idle instance has to stay small.
const THREAD_STACK_BYTES: usize = 512 * 1024;

/// Tells the submitter what became of its write, given what became of the group.
pub(crate) type Finisher = Box<dyn FnOnce(Result<()>) + Send>;
/// A write: runs with the connection, or learns why there is none.
pub(crate) type Job = Box<dyn FnOnce(Result<&mut Held<'_>>) -> Finisher + Send>;

/// The queue of one file. Its thread starts with the first write.
pub(crate) struct Submitter {
    kind: Kind,
    timeout: Duration,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl fmt::Debug for Submitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submitter")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Submitter {
    pub(crate) fn new(kind: Kind, timeout: Duration) -> Self {
        Self {
            kind,
            timeout,
            shared: Arc::new(Shared {
                queue: Mutex::default(),
                changed: Condvar::new(),
            }),
            thread: Mutex::new(None),
        }
    }

    /// Queues a write.
    pub(crate) fn submit(&self, writer: &Arc<Writer>, job: Job) -> Result<()> {
        {
            let mut queue = self.shared.lock();
            if queue.closed {
                return Err(CatalogError::Closed);
            }
            if queue.jobs.len() >= SUBMIT_QUEUE_MAX {
                return Err(CatalogError::Busy {
                    queue: self.kind.word(),
                    limit: SUBMIT_QUEUE_MAX,
                });
            }
            queue.jobs.push_back(job);
        }
        self.shared.changed.notify_one();
        self.start(writer)
    }

    fn start(&self, writer: &Arc<Writer>) -> Result<()> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_some() {
            return Ok(());
        }
        let shared = Arc::clone(&self.shared);
        let writer = Arc::clone(writer);
        let timeout = self.timeout;
        let started = std::thread::Builder::new()
            .name(format!("catalog-{}", self.kind.word()))
            .stack_size(THREAD_STACK_BYTES)
            .spawn(move || shared.work(&writer, timeout))
            .map_err(|source| CatalogError::Storage {
                action: "start the catalog's thread",
                source: Box::new(source),
            })?;
        *thread = Some(started);
        Ok(())
    }

    /// Takes no more writes, works off those queued, and ends the thread.
    pub(crate) fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // The last handle may be dropped by a write of this very thread.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next writes, at most a group of them; `None` once closed and empty.
    fn next(&self) -> Option<Vec<Job>> {
        let mut queue = self.lock();
        loop {
            if !queue.jobs.is_empty() {
                let count = queue.jobs.len().min(WRITE_BATCH_MAX);
                return Some(queue.jobs.drain(..count).collect());
            }
            if queue.closed {
                return None;
            }
            queue = self
                .changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(&self, writer: &Writer, timeout: Duration) {
        while let Some(jobs) = self.next() {
            let outcome = match writer.acquire(timeout) {
                Ok(mut held) => {
                    let finishers: Vec<Finisher> = jobs
                        .into_iter()
                        .filter_map(|job| guarded(|| job(Ok(&mut held))))
                        .collect();
                    let outcome = held.finish().wait().map_err(Arc::new);
                    (finishers, outcome)
                }
                Err(error) => {
                    let error = Arc::new(error);
                    let finishers = jobs
                        .into_iter()
                        .filter_map(|job| {
                            let source = Arc::clone(&error);
                            guarded(|| job(Err(CatalogError::Commit { source })))
                        })
                        .collect();
                    (finishers, Err(error))
                }
            };
            let (finishers, outcome) = outcome;
            for finisher in finishers {
                let outcome = outcome
                    .as_ref()
                    .copied()
                    .map_err(|error| CatalogError::Commit {
                        source: Arc::clone(error),
                    });
                guarded(|| finisher(outcome));
            }
        }
    }
}

/// Keeps the thread alive through a bug in one write; that write's submitter hears nothing more.
fn guarded<T>(act: impl FnOnce() -> T) -> Option<T> {
    let result = catch_unwind(AssertUnwindSafe(act));
    if result.is_err() {
        tracing::error!("a write submitted to the catalog panicked");
    }
    result.ok()
}
