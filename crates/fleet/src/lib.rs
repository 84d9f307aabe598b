//! Both ends of the fleet protocol: how a target enlists at a master, takes instructions, reports what it
//! ran, and leaves.
//!
//! Everything is a state machine without IO: the shell (`server`, or `sim` in tests) carries frames, keeps
//! time and does to the store what events say. Deliberately absent: sockets, TLS, storage, clocks,
//! randomness but for a seed that spreads waits.
//!
//! Start reading at [`message`] (what is said), then [`target`] and [`master`] (who says it when);
//! [`enlist`] is the short conversation before. [`limits`] names every bound.

pub mod admission;
mod backoff;
mod convert;
pub mod enlist;
pub mod error;
pub mod frame;
pub mod limits;
pub mod master;
pub mod message;
pub mod numbers;
mod plan;
pub mod target;
pub mod version;
mod wire;

pub use error::ProtocolError;
pub use frame::{FrameReader, encode_frames};
pub use master::{MasterConfig, MasterEvent, MasterLink};
pub use message::{
    ALPN_ENLIST, ALPN_FLEET, BackoffAdvice, EnlistAnswer, EnlistReply, EnlistRequest, Hello,
    InstructionText, Moment, Proof, Refusal, ReportRow, Results, TargetFacts,
};
pub use plan::{PlannedDownload, plan_downloads};
pub use target::{DefinitionsApplied, TargetConfig, TargetEvent, TargetLink, TargetState};
pub use version::PROTOCOL_VERSION;
