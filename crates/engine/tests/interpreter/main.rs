//! Control flow, errors, EXEC, transactions and remote calls, seen from a client.

mod control;
mod cursors;
mod errors;
mod procedures;
mod remote;
mod support;
mod transactions;
