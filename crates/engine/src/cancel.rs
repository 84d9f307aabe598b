//! Cancelling a running batch from another thread.

use rusqlite::InterruptHandle;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Stops what a session is doing: statements between their steps, queries inside SQLite, and WAITFOR.
///
/// Clones share one state. A token serves one request: make a new one for each, or [`CancelToken::clear`] it.
#[derive(Clone, Default)]
pub struct CancelToken {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    cancelled: AtomicBool,
    /// Guards nothing but the wake-up of waiters.
    gate: Mutex<()>,
    wake: Condvar,
    query: Mutex<Option<InterruptHandle>>,
}

impl CancelToken {
    /// A token that nobody has cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels; takes effect within a few milliseconds of running code, at once for a waiting session.
    pub fn cancel(&self) {
        self.inner.cancelled.store(true, Ordering::SeqCst);
        let query = self
            .inner
            .query
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = query.as_ref() {
            handle.interrupt();
        }
        drop(query);
        let _gate = self
            .inner
            .gate
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.inner.wake.notify_all();
    }

    /// Whether [`CancelToken::cancel`] was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancelled.load(Ordering::SeqCst)
    }

    /// Makes the token fresh for the next request.
    pub fn clear(&self) {
        self.inner.cancelled.store(false, Ordering::SeqCst);
    }

    /// Waits for the time given; true when cancelled before it ended.
    #[must_use]
    pub fn wait(&self, time: Duration) -> bool {
        let gate = self
            .inner
            .gate
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .inner
            .wake
            .wait_timeout_while(gate, time, |()| !self.is_cancelled());
        drop(waited);
        self.is_cancelled()
    }

    /// While a query runs, `handle` interrupts it.
    pub(crate) fn attach(&self, handle: Option<InterruptHandle>) {
        *self
            .inner
            .query
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = handle;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_token_does_not_wait() {
        let token = CancelToken::new();
        assert!(!token.wait(Duration::ZERO));
        token.clone().cancel();
        assert!(token.wait(Duration::from_secs(3600)));
        token.clear();
        assert!(!token.is_cancelled());
    }
}
