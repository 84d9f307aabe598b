//! Starts and stops job steps through a launcher that outlives the agent.
//!
//! The launcher is one small process per instance (`muster launcher --dir DIR`). It starts steps in
//! process groups of their own, keeps a bounded part of their output, and writes down how they ended, so
//! that an agent which crashed finds on its return what still runs and what has ended meanwhile.
//!
//! What it promises: a [`StepKey`] starts at most one process, whatever crashes; an end is kept until
//! the agent has collected it; memory, files and messages are bounded by named constants. What it does
//! not promise: to survive the machine. Nothing here is synced to the disk, because no process survives
//! a machine either.
//!
//! Start with [`LauncherClient`] (the agent's side), [`launcher`] (the process) and [`StepCommand`].

pub mod capture;
pub mod client;
mod clock;
pub mod environment;
pub mod error;
mod journal;
pub mod launcher;
pub mod output_file;
pub mod pages;
mod process;
mod socket;
pub mod step;
mod suspended;
pub mod tokens;
mod wire;

pub use capture::{CapturedOutput, OUTPUT_LIMIT_BYTES_DEFAULT, OutputBuffer};
pub use client::{LauncherClient, LauncherConfig, LauncherEvent};
pub use environment::{StepIdentity, step_environment};
pub use error::ExecError;
pub use output_file::OutputFile;
pub use pages::ProgramPages;
pub use process::running_for;
pub use step::{Program, StepCommand, StepEnd, StepEnded, StepKey, StepReport, StepState};
pub use tokens::{TokenError, TokenValues, replace_tokens};
