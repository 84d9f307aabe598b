//! The target's end of the fleet conversation: gives the link of `fleet` its bytes, its store and its agent.
//!
//! [`run`] is one task as long as the enlistment lasts. It decides nothing: the link says what to do next.

mod addresses;
mod connection;
mod orders;
mod store;
mod task;

pub use addresses::told_addresses;
pub use connection::MasterRoute;
pub use orders::{Left, Orders};
pub use store::{TargetAgent, TargetStore, leave};
pub use task::{TargetEnd, run};
