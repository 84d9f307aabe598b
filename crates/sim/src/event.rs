//! What happens, and when.

use crate::time::Micros;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A node of the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    Master,
    Target(usize),
}

/// Which of a node's two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Definitions,
    Runs,
}

/// A connection's number; never given twice.
pub(crate) type ConnectionId = u64;

/// Counts a node's lives. What was scheduled in an earlier life does not happen.
pub(crate) type Life = u32;

#[derive(Debug)]
pub(crate) enum Event {
    /// A target's attempt to connect gets its answer.
    ConnectAnswered {
        target: usize,
        life: Life,
        attempt: u64,
        enlist: bool,
    },
    /// Bytes reach an end.
    Deliver {
        connection: ConnectionId,
        to: Node,
        bytes: Vec<u8>,
    },
    /// An end learns that the connection is gone.
    Closed { connection: ConnectionId, to: Node },
    /// A sync ends.
    Synced {
        node: Node,
        life: Life,
        which: Which,
    },
    /// Writes failed for want of room, and their callers learn it.
    WritesFailed { node: Node, life: Life },
    /// A master's link has a time-out.
    MasterLink {
        connection: ConnectionId,
        life: Life,
    },
    /// A target's link has a time-out.
    TargetLink { target: usize, life: Life },
    /// A target that could not leave speaks with its master again.
    OpenLink { target: usize, life: Life },
    /// An agent has something due.
    Agent { target: usize, life: Life },
    /// A launched process ends, in its machine's life.
    ProcessEnded {
        target: usize,
        boot: Life,
        process: u64,
    },
    /// A node comes back.
    Restart(Node),
    /// A target tries to enlist.
    Enlist { target: usize },
    /// Writes that found no room are tried again.
    RetryWrites { target: usize, life: Life },
    /// The administrator acts.
    Administrate,
    /// Something goes wrong.
    Fault,
    /// A fault ends.
    Heal { node: Node, what: Healed },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Healed {
    Partition,
    Disk,
}

/// Events in order of their time; of the same time, in order of their scheduling.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    scheduled: u64,
}

#[derive(Debug)]
struct Entry {
    at: Micros,
    order: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl Queue {
    pub(crate) fn push(&mut self, at: Micros, event: Event) {
        self.scheduled += 1;
        self.heap.push(Reverse(Entry {
            at,
            order: self.scheduled,
            event,
        }));
    }

    /// The next event that is not later than `until`.
    pub(crate) fn pop(&mut self, until: Micros) -> Option<(Micros, Event)> {
        if self.heap.peek()?.0.at > until {
            return None;
        }
        self.heap
            .pop()
            .map(|Reverse(entry)| (entry.at, entry.event))
    }
}
