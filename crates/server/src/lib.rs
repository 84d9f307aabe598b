//! Sockets, TLS, identities, timers and threads: wires one instance together.
//!
//! Nothing here decides what a job, a statement or an instruction means; it carries bytes and wakes the
//! state machines of `agent` and `fleet` and the sessions of `engine`.

pub mod clock;
pub mod console_front;
pub mod control;
pub mod identity;
pub mod listener;
pub mod options;
pub mod platform;
pub mod tds_front;
