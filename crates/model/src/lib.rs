//! The field's nouns: identifiers, jobs, steps, schedules, runs, target servers and instructions, with
//! their checks and msdb's encodings.
//!
//! No IO and no clock. Instants are UTC; what is local says so. Start with [`job`] and [`fleet`].

mod chain;
pub mod encoding;
pub mod fleet;
pub mod id;
pub mod job;
pub mod run;

pub use chain::error_chain;
pub use fleet::{
    Cursor, Enlistment, Instruction, InstructionBody, InstructionObject, MSX_OPERATOR, Operation,
    POLL_INTERVAL_SECS_DEFAULT, POLL_INTERVAL_SECS_RANGE, TargetStatus,
};
pub use id::{
    CategoryId, Generation, HistoryId, InstanceId, InstructionNumber, JobId, OperatorId,
    ReportPosition, RunId, ScheduleId, ScheduleUid, ServerId, StepUid,
};
pub use job::{
    Frequency, Job, JobDocument, JobStep, NotifyLevel, Operator, RelativeWeek, Schedule,
    StepAction, Subday, Subsystem,
};
pub use run::{HistoryRow, Outcome, RunSource, RunStatus};
