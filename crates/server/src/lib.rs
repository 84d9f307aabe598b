//! Sockets, TLS, identities, timers and threads: wires one instance together.
//!
//! Nothing here decides what a job, a statement or an instruction means; it carries bytes and wakes the
//! state machines of `agent` and `fleet` and the sessions of `engine`.

pub mod agent_runtime;
pub mod allocator;
pub mod clock;
pub mod console_front;
pub mod control;
pub mod dial;
pub mod enlist;
pub mod error_log;
pub mod fleet_membership;
pub mod identity;
pub mod instance;
pub mod listener;
pub mod logins;
pub mod machine;
pub mod maintenance;
pub mod master_end;
pub mod options;
mod outgoing;
pub mod platform;
pub mod rest;
pub mod services;
pub mod sessions;
mod store_work;
pub mod target_end;
pub mod tds_front;

pub use identity::IdentityError;
pub use identity::password::random_password;
pub use instance::{ServeError, ca_certificate_path, serve};
pub use platform::ask_to_stop;
