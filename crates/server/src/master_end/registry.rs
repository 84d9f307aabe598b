//! What all connections of a master share: who is connected, signs of life, admission.

use super::store::MasterStore;
use crate::clock::Clock;
use crate::store_work::StoreWork;
use catalog::{Catalog, Change, Poll, Subscription};
use fleet::admission::Admission;
use fleet::master::{Kick, MasterConfig};
use model::ServerId;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Signs of life are written together this often.
const SEEN_FLUSH: Duration = Duration::from_secs(1);

/// The master's end, shared by its connections.
pub struct MasterEnd {
    pub(super) store: Arc<MasterStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: Arc<MasterConfig>,
    pub(super) admission: Mutex<Admission>,
    pub(super) work: StoreWork,
    /// By target, and by whether instructions flow: a copy of a target that may only report does not end
    /// the connection of the real one.
    links: Mutex<BTreeMap<(ServerId, bool), Link>>,
    seen: Mutex<BTreeMap<ServerId, Poll>>,
    connections: AtomicU64,
}

/// The admitted connection of a target.
struct Link {
    connection: u64,
    signals: Arc<Signals>,
}

/// How the rest of the instance reaches one connection's task. Signals of one kind melt into one.
#[derive(Default)]
pub struct Signals {
    wake: Notify,
    changed: AtomicBool,
    unblocked: AtomicBool,
    kick: Mutex<Option<Kick>>,
}

/// What a task was woken for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Woken {
    /// Instructions were posted or deleted.
    pub(super) changed: bool,
    /// Download states changed: an error may be gone.
    pub(super) unblocked: bool,
    /// The connection has to end.
    pub(super) kick: Option<Kick>,
}

impl Signals {
    fn change(&self) {
        self.changed.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    fn unblock(&self) {
        self.unblocked.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    fn kick(&self, kick: Kick) {
        *lock(&self.kick) = Some(kick);
        self.wake.notify_one();
    }

    /// Waits for signals and takes them.
    pub(super) async fn take(&self) -> Woken {
        self.wake.notified().await;
        Woken {
            changed: self.changed.swap(false, Ordering::AcqRel),
            unblocked: self.unblocked.swap(false, Ordering::AcqRel),
            kick: lock(&self.kick).take(),
        }
    }
}

impl MasterEnd {
    /// A master's end that nobody is connected to.
    #[must_use]
    pub fn new(store: Arc<MasterStore>, clock: Arc<dyn Clock>, config: MasterConfig) -> Arc<Self> {
        Arc::new(Self {
            store,
            clock,
            config: Arc::new(config),
            admission: Mutex::default(),
            work: StoreWork::default(),
            links: Mutex::default(),
            seen: Mutex::default(),
            connections: AtomicU64::new(0),
        })
    }

    /// Passes committed changes on to connected targets, as long as the subscription is kept.
    pub fn subscribe(self: &Arc<Self>, catalog: &Catalog) -> Subscription {
        let end = Arc::clone(self);
        catalog.subscribe(Box::new(move |changes| {
            for change in changes {
                end.note(change);
            }
        }))
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of the catalog's many changes, five concern connected targets"
    )]
    fn note(&self, change: &Change) {
        let links = lock(&self.links);
        match change {
            // A target that enlisted anew fetches on its older connection, which then finds out and ends.
            Change::InstructionsPosted { server }
            | Change::InstructionsCleared { server }
            | Change::TargetChanged(server) => {
                if let Some(link) = links.get(&(*server, true)) {
                    link.signals.change();
                }
            }
            Change::DownloadsChanged(server) => {
                if let Some(link) = links.get(&(*server, true)) {
                    link.signals.unblock();
                }
            }
            Change::TargetRemoved { server, .. } => {
                for (_, link) in links.range((*server, false)..=(*server, true)) {
                    link.signals.kick(Kick::Defected);
                }
            }
            _ => {}
        }
    }

    /// Number of targets that are connected.
    #[must_use]
    pub fn connected(&self) -> usize {
        lock(&self.links).len()
    }

    pub(super) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Makes a connection the one of its target; an older one is ended.
    pub(super) fn register(
        &self,
        member: (ServerId, bool),
        connection: u64,
        signals: Arc<Signals>,
    ) {
        let link = Link {
            connection,
            signals,
        };
        if let Some(older) = lock(&self.links).insert(member, link) {
            older.signals.kick(Kick::Superseded);
        }
    }

    /// Forgets a connection, unless a newer one has taken its place.
    pub(super) fn unregister(&self, member: (ServerId, bool), connection: u64) {
        let mut links = lock(&self.links);
        if links
            .get(&member)
            .is_some_and(|link| link.connection == connection)
        {
            links.remove(&member);
        }
    }

    pub(super) fn seen(&self, poll: Poll) {
        lock(&self.seen).insert(poll.server, poll);
    }

    /// Writes signs of life once a second until the task is dropped.
    pub async fn keep_liveness(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SEEN_FLUSH).await;
            let polls: Vec<Poll> = std::mem::take(&mut *lock(&self.seen))
                .into_values()
                .collect();
            if polls.is_empty() {
                continue;
            }
            let store = Arc::clone(&self.store);
            let written = tokio::task::spawn_blocking(move || store.record_polls(&polls)).await;
            if let Ok(Err(error)) = written {
                tracing::warn!(%error, "signs of life were not written");
            }
        }
    }

    /// Ends every connection: the master stops.
    pub fn stop(&self) {
        for link in lock(&self.links).values() {
            link.signals.kick(Kick::Stopping);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
