//! The change feed: who listens, and in which order they hear.

use crate::Change;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

/// Hears of committed changes; each commit calls once.
pub type Subscriber = Box<dyn Fn(&[Change]) + Send + Sync>;
type Shared = Arc<dyn Fn(&[Change]) + Send + Sync>;

/// Subscribers of committed changes.
#[derive(Default)]
pub(crate) struct Feed {
    subscribers: RwLock<Vec<(u64, Shared)>>,
    next_id: AtomicU64,
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").finish_non_exhaustive()
    }
}

impl Feed {
    /// Adds a subscriber.
    pub(crate) fn subscribe(self: &Arc<Self>, subscriber: Subscriber) -> Subscription {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        self.subscribers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push((id, Arc::from(subscriber)));
        Subscription {
            feed: Arc::downgrade(self),
            id,
        }
    }

    /// Tells every subscriber.
    pub(crate) fn publish(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let subscribers: Vec<Shared> = self
            .subscribers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|(_, subscriber)| Arc::clone(subscriber))
            .collect();
        for subscriber in subscribers {
            subscriber(changes);
        }
    }
}

/// Keeps a subscriber of the change feed; dropping it ends the subscription.
#[must_use = "dropping the subscription ends it"]
#[derive(Debug)]
pub struct Subscription {
    feed: Weak<Feed>,
    id: u64,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(feed) = self.feed.upgrade() {
            feed.subscribers
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .retain(|(id, _)| *id != self.id);
        }
    }
}

/// Keeps the order of publications the order of commits: taken while the writer is still held.
#[derive(Debug, Default)]
pub(crate) struct Turn(Mutex<()>);

impl Turn {
    /// Waits until earlier commits of this file are published.
    pub(crate) fn take(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
