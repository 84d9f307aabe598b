//! The master's end of the fleet conversation: one task per connection drives a link of `fleet`; the
//! registry knows which target is connected and passes changes on.

mod registry;
mod store;
mod task;

pub use registry::{MasterEnd, Signals};
pub use store::{DEFECTED_SETTINGS, Enlisted, MasterStore, PeerCertificate};
