//! The msdb database: its tables as projections of the catalog, its stored procedures, permissions and
//! error numbers.
//!
//! A procedure is a declaration (`declare`, data) and a body (`procedures`, one file per noun). Who may do
//! what is decided in `caller`; how a statement meets the catalog in `call`; what the catalog holds becomes
//! msdb's columns in `tables`. [`MsdbHost`] is what the engine sees.
//!
//! Not here: sockets, processes, the clock and keys, which [`services`] asks the server for; T-SQL itself.
//! Start with [`MsdbHost`] and [`declare`].

mod admin;
mod call;
mod caller;
mod changes;
#[cfg(test)]
mod compatibility;
mod convert;
pub mod declare;
mod error;
pub mod error_log;
mod functions;
mod host;
mod lookup;
mod made;
mod mail_store;
pub mod messages;
mod pattern;
mod post;
mod procedures;
pub mod properties;
mod rehearsal;
mod rights;
mod script;
pub mod services;
pub mod settings;
mod subsystems;
mod system;
mod tables;
mod targets;

pub use admin::SQL_SERVER_HASH_PREFIX;
pub use host::{MsdbHost, may_connect, may_use_agent};
pub use subsystems::default_subsystems;
