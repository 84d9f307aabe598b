//! The Agent's decisions: what is due, which step is next, what the outcome is.
//!
//! A state machine without IO: time and identifiers are arguments, acts are returned as [`AgentAction`]s.
//! Start with [`Agent`], then [`AgentInput`] and [`AgentAction`].
//!
//! # What keeps moments from being lost or started twice
//!
//! Each schedule of a job has a watermark, *accounted*: every due moment up to it was started or recorded as
//! missed. [`AgentAction::RecordStart`] and [`AgentAction::RecordMissed`] carry the new watermark, and whoever
//! carries them out commits it in the same transaction. A restarted agent is given the stored watermark and
//! looks at every moment after it, so none is lost; moments older than
//! [`AgentLimits::start_lateness_max`] are recorded as missed, coalesced, and a younger one still runs.
//! The id of a scheduled run is derived from (instance, job, moment), so a moment that is looked at twice, as
//! after a backward step of the clock, meets its own id in the store, which answers
//! [`StartFault::Duplicate`]; and nothing is launched before the store has said that the start is new.
//!
//! While a start is on its way to the store, later moments of its job are put off: the watermark never passes
//! a moment that has neither a run nor a row. The store must keep the order of acts for each job.
//!
//! # What a crash can cost
//!
//! A crash of the agent alone costs no step that the launcher runs: [`AgentInput::Adopt`] takes it up where it
//! is. What runs in the agent's own process ends with it, as a crash of the machine ends every step: whoever
//! adopts says [`StepEnd::Unknown`] of such a try, or that it does not know; the run gets a failed outcome that says
//! that its end is unknown, and rows of steps that were not durable yet are lost with it. No step is executed a
//! second time: where the launcher's knowledge is not complete, a run that waits to try a step again ends as
//! unknown too, because that try may have begun.
//!
//! # Deliberately absent
//!
//! Processes, storage, the clock; permissions (who may start a job); the texts of steps beyond their last
//! sentence; CPU-idle schedules, which never come due here.

mod action;
mod activity;
mod adopt;
mod agent;
mod config;
mod due;
mod flow;
mod input;
mod jobs;
mod progress;
mod requests;
mod run;
mod texts;

pub use action::{
    AgentAction, Launch, MissedReason, Refusal, Refused, RefusedRequest, ScheduleProgress, StartRow,
};
pub use activity::{ExecutionStatus, JobActivity, NextDue, RunActivity};
pub use agent::Agent;
pub use config::{AgentConfig, AgentLimits};
pub use input::{
    AdoptedAttempt, AdoptedRow, AdoptedRun, AdoptedState, AgentInput, AttachedSchedule, StartAt,
    StartFault, StepEnd, StepResult,
};
