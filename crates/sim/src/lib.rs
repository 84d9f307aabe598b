//! A whole fleet in one thread, from a seed: a master and its targets, with the real machines of `fleet`
//! and `agent` over a simulated network, simulated stores and virtual time.
//!
//! [`simulate`] runs one fleet. Faults are far worse than life: nodes die at any write, each file of a store
//! losing what was not synced, connections break with nobody told, messages come late or twice, clocks jump
//! by hours, disks are full, the master is away for hours or comes back from an older copy. The checker
//! ([`Violation`]) says what must hold all the same. [`Broken`] breaks a rule on purpose, to show that the
//! checker would see it.
//!
//! The nodes' shells here do to their stores what the events of `fleet` say, one transaction for one event,
//! as the server does. Deliberately absent: sockets, TLS, SQL, processes.

mod checker;
mod context;
mod event;
mod file;
mod master;
mod options;
mod random;
mod target;
mod time;
mod workload;
mod world;

pub use context::Stats;
pub use options::{Broken, Options};
pub use world::{Violation, simulate};
