//! Storage of definitions and runs: domain commands and queries, migrations, change feed.
//!
//! Two files by writer: `msdb.db` holds what administrators write, `runs.db` what the agent and the fleet
//! write by themselves. No transaction spans both. [`Catalog`] is the handle; [`DefinitionsRead`],
//! [`DefinitionsWrite`], [`RunsRead`] and [`RunsWrite`] are the commands and queries, free of SQL, so that
//! another backend can stand behind them. Every committed command tells the [change feed](Change).
//!
//! Not here: T-SQL, permissions, msdb's encodings, clocks and randomness (instants and fresh identifiers
//! are arguments). Start reading with [`Catalog`], then `api`, then `sqlite`.

mod api;
mod handle;
mod housekeeping;
mod lease;
mod sqlite;

pub use api::*;
pub use handle::{Catalog, CatalogOptions, NewInstance, Statistics};
pub use lease::Lease;
pub use sqlite::feed::{Subscriber, Subscription};

/// The form in which names are compared: lower case, without trailing blanks.
#[must_use]
pub fn name_key(name: &str) -> String {
    name.trim_end_matches(' ').to_lowercase()
}
