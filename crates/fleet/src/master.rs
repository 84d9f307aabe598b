//! The master's end of the fleet conversation: one [`MasterLink`] for each connection.
//!
//! The shell keeps at most one admitted link for each target: when a newer one is admitted it
//! [kicks](MasterLink::kick) the older. Liveness, change notices and the target's queue go through the
//! admitted link alone. An acknowledgement leaves this end only after the store has said "durable".

mod event;
mod judge;
mod link;

pub use event::{Closed, Kick, LoadedInstructions, MasterEvent, Whose};
pub use judge::{CursorStanding, Standing, TargetRecord, judge, judge_cursor};
pub use link::{MasterConfig, MasterLink};
