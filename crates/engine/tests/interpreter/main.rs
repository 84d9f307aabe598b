//! Control flow, errors, EXEC, transactions and remote calls, seen from a client.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test's host may panic, and shows any value"
)]

mod bulk;
mod control;
mod cursors;
mod errors;
mod procedures;
mod remote;
mod support;
mod transactions;
mod wire_cursors;
