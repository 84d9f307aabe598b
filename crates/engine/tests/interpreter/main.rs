//! Control flow, errors, EXEC, transactions and remote calls, seen from a client.

#![allow(clippy::unwrap_used, reason = "a test's host may panic")]

mod control;
mod cursors;
mod errors;
mod procedures;
mod remote;
mod support;
mod transactions;
