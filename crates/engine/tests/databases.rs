//! Databases and the objects that users make in them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;
#[path = "databases/computed.rs"]
mod computed;
#[path = "databases/modules.rs"]
mod modules;
#[path = "databases/registry.rs"]
mod registry;
#[path = "databases/support.rs"]
mod support;
#[path = "databases/table_parameters.rs"]
mod table_parameters;
#[path = "databases/tables.rs"]
mod tables;
#[path = "databases/terminated.rs"]
mod terminated;
#[path = "databases/triggers.rs"]
mod triggers;
