//! The target's end of the fleet conversation.
//!
//! [`TargetLink`] lives as long as the enlistment, across connections. The shell opens and closes
//! connections when told, carries bytes, and does to the store what events say; each event's documentation
//! names the one transaction it is, so that the real store and a simulated one do the same.
//!
//! Order of effects, which everything rests on:
//! - a definition is durable before the cursor moves past it, so a crash repeats it (it is idempotent);
//! - a START's run, its start row and the cursor are one transaction, so a crash can't repeat it;
//! - nothing is fetched while something is being applied, and a hello waits for what is being applied,
//!   so the cursor that the master judges is the durable one.

mod event;
mod link;
mod reports;
mod state;

pub use event::{DefinitionsApplied, TargetEvent};
pub use link::{TargetConfig, TargetLink, TargetState};
