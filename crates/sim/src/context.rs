//! What all nodes share: time, chance, the event queue, the network and the checker.

use crate::checker::Checker;
use crate::event::{ConnectionId, Event, Node, Queue};
use crate::options::Options;
use crate::random::Random;
use crate::time::{Clock, MINUTE, Micros, SECOND};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Shared by all nodes; a node is handed it with each event.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) now: Micros,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) queue: Queue,
    pub(crate) options: Options,
    pub(crate) checker: Checker,
    pub(crate) stats: Stats,
    pub(crate) trace: VecDeque<String>,
    /// Faults and odd latencies happen.
    pub(crate) trouble: bool,
    /// Died at a store point while its present event is handled: it acts no more.
    pub(crate) dead: Option<Node>,
    /// Store points until a node dies.
    pub(crate) deaths: BTreeMap<Node, u64>,
    pub(crate) partitioned: BTreeSet<usize>,
    pub(crate) full_disks: BTreeSet<Node>,
    connections: BTreeMap<ConnectionId, Connection>,
    last_connection: ConnectionId,
}

/// What happened, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Events handled.
    pub events: u64,
    /// Messages delivered.
    pub messages: u64,
    /// Steps launched.
    pub launches: u64,
    /// Report rows on the master at the end.
    pub rows: u64,
    /// Nodes that died, at a store point or elsewhere.
    pub crashes: u64,
    /// Times the master was restored from an older copy.
    pub restores: u64,
    /// Targets re-synced because a cursor was foreign.
    pub resyncs: u64,
    /// Instructions that failed on a target and blocked it.
    pub blocks: u64,
    /// STARTs and STOPs that a target refused.
    pub refused_orders: u64,
    /// Times moments of a schedule were recorded as missed.
    pub missed: u64,
    /// Messages that broke the protocol, doubled ones among them.
    pub protocol_errors: u64,
    /// Writes that found no room.
    pub failed_writes: u64,
    /// Targets that let go of their master.
    pub defections: u64,
    /// Instructions posted, as the queues' numbers say.
    pub instructions: u64,
    /// Digest of everything that was delivered, launched and stored, to compare two simulations of a seed.
    pub digest: u64,
}

#[derive(Debug)]
struct Connection {
    target: usize,
    /// Whether the master's and the target's end are open.
    open: [bool; 2],
    /// When the last bytes to the master and to the target arrive.
    arrival: [Micros; 2],
    /// Nothing passes any more, and nobody is told.
    stalled: bool,
}

/// Lines of a trace.
const TRACE_LINES_MAX: usize = 20_000;

struct Seconds(Micros);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{}.{:06}", self.0 / SECOND, self.0 % SECOND);
        f.pad(&text)
    }
}

const fn side(node: Node) -> usize {
    match node {
        Node::Master => 0,
        Node::Target(_) => 1,
    }
}

impl Context {
    pub(crate) fn new(seed: u64, options: Options) -> Self {
        Self {
            now: 0,
            clock: Clock::new(),
            random: Random::new(seed),
            queue: Queue::default(),
            options,
            checker: Checker::default(),
            stats: Stats::default(),
            trace: VecDeque::new(),
            trouble: true,
            dead: None,
            deaths: BTreeMap::new(),
            partitioned: BTreeSet::new(),
            full_disks: BTreeSet::new(),
            connections: BTreeMap::new(),
            last_connection: 0,
        }
    }

    /// Schedules an event after a wait.
    pub(crate) fn after(&mut self, wait: Micros, event: Event) {
        self.queue.push(self.now + wait, event);
    }

    /// Mixes a fact into the digest.
    pub(crate) const fn note(&mut self, fact: u64) {
        self.stats.digest = (self.stats.digest ^ fact)
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(23)
            ^ self.now;
    }

    /// Keeps a line for the trace.
    pub(crate) fn say(&mut self, what: impl FnOnce() -> String) {
        if self.options.trace {
            if self.trace.len() == TRACE_LINES_MAX {
                self.trace.pop_front();
            }
            let line = format!("{:>16} {}", Seconds(self.now), what());
            self.trace.push_back(line);
        }
    }

    /// Whether a node has died while handling this event.
    pub(crate) fn is_dead(&self, node: Node) -> bool {
        self.dead == Some(node)
    }

    /// A store was written or synced: a node whose hour has come dies here.
    pub(crate) fn store_point(&mut self, node: Node) {
        if let Some(left) = self.deaths.get_mut(&node) {
            *left -= 1;
            if *left == 0 {
                self.deaths.remove(&node);
                self.dead = Some(node);
            }
        }
    }

    /// How long a sync takes.
    pub(crate) fn sync_latency(&mut self) -> Micros {
        if self.trouble && self.random.permille(5) {
            self.random.between(SECOND, 20 * SECOND)
        } else {
            self.random.between(200, 5_000)
        }
    }

    /// A new connection of a target, open at both ends.
    pub(crate) fn open(&mut self, target: usize) -> ConnectionId {
        self.last_connection += 1;
        self.connections.insert(
            self.last_connection,
            Connection {
                target,
                open: [true; 2],
                arrival: [self.now; 2],
                stalled: false,
            },
        );
        self.last_connection
    }

    /// The target of a connection whose end at `node` is open.
    pub(crate) fn target_of(&self, connection: ConnectionId, node: Node) -> Option<usize> {
        self.connections
            .get(&connection)
            .filter(|connection| connection.open[side(node)])
            .map(|connection| connection.target)
    }

    /// Sends bytes from an end. They arrive in order, unless the connection breaks before.
    pub(crate) fn send(&mut self, id: ConnectionId, from: Node, bytes: Vec<u8>) {
        if self.is_dead(from) {
            return;
        }
        let latency = if self.trouble && self.random.permille(10) {
            self.random.skewed(1_000, MINUTE)
        } else {
            self.random.between(50, 2_000)
        };
        let doubled = self.trouble && self.random.permille(1);
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if !connection.open[side(from)] || connection.stalled {
            return;
        }
        let to = match from {
            Node::Master => Node::Target(connection.target),
            Node::Target(_) => Node::Master,
        };
        let arrival = &mut connection.arrival[side(to)];
        *arrival = (*arrival).max(self.now + latency);
        let at = *arrival;
        if doubled {
            let bytes = bytes.clone();
            self.queue.push(
                at,
                Event::Deliver {
                    connection: id,
                    to,
                    bytes,
                },
            );
        }
        self.queue.push(
            at,
            Event::Deliver {
                connection: id,
                to,
                bytes,
            },
        );
    }

    /// An end closes; the other learns it after what is on the way, or never.
    pub(crate) fn close(&mut self, id: ConnectionId, from: Node, told: bool) {
        let latency = self.random.between(50, 2_000);
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.open[side(from)] = false;
        if connection.open == [false; 2] {
            self.connections.remove(&id);
            return;
        }
        let to = match from {
            Node::Master => Node::Target(connection.target),
            Node::Target(_) => Node::Master,
        };
        if told && !connection.stalled {
            let at = connection.arrival[side(to)].max(self.now + latency);
            self.queue.push(at, Event::Closed { connection: id, to });
        }
    }

    /// Whether an end still has the connection; it is gone for that end afterwards.
    pub(crate) fn closed_at(&mut self, id: ConnectionId, node: Node) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else {
            return false;
        };
        let was_open = std::mem::replace(&mut connection.open[side(node)], false);
        if connection.open == [false; 2] {
            self.connections.remove(&id);
        }
        was_open
    }

    /// Breaks a connection: nothing passes any more. Each end learns it after a while, or by its own
    /// time-outs alone; until then it goes on sending into the void. What is on the way still arrives.
    pub(crate) fn cut(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.stalled = true;
        let ends = [Node::Master, Node::Target(connection.target)];
        for node in ends {
            if self.random.permille(700) {
                let wait = self.random.skewed(1_000, 10 * MINUTE);
                self.after(
                    wait,
                    Event::Closed {
                        connection: id,
                        to: node,
                    },
                );
            }
        }
    }

    /// Breaks every connection of a target.
    pub(crate) fn cut_all(&mut self, target: usize) {
        let ids: Vec<ConnectionId> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.target == target)
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.cut(id);
        }
    }

    /// A node is gone with all its ends. Peers are told, or find out.
    pub(crate) fn close_all(&mut self, node: Node) {
        let ids: Vec<ConnectionId> = self
            .connections
            .iter()
            .filter(|(_, connection)| match node {
                Node::Master => true,
                Node::Target(target) => connection.target == target,
            })
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            let told = self.random.permille(800);
            self.close(id, node, told);
        }
    }
}
