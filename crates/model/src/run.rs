//! Runs and what is recorded of them.

use crate::id::{JobId, RunId, ScheduleUid, StepUid};
use crate::job::coded_enum;
use jiff::Timestamp;

coded_enum! {
    /// `run_status` of history rows. 4 (in progress) is shown for a row whose end is not known yet.
    RunStatus: i32 {
        /// Failed.
        Failed = 0,
        /// Succeeded.
        Succeeded = 1,
        /// A failed try that will be tried again.
        Retry = 2,
        /// Stopped by a user or a time limit.
        Canceled = 3,
        /// Still going.
        InProgress = 4,
    }
}

/// How a run ended; what `sysjobservers.last_run_outcome` shows.
pub type Outcome = RunStatus;

/// What asked for a run: `run_requested_source` and the "invoked by" sentence of its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunSource {
    /// A schedule came due.
    Schedule {
        /// Which.
        uid: ScheduleUid,
        /// Its number on this server, for the message.
        schedule_id: i64,
        /// Its name, for the message.
        name: String,
        /// When it was due.
        due: Timestamp,
    },
    /// A user called sp_start_job here.
    User {
        /// Login.
        login: String,
    },
    /// A START instruction of the master.
    Master {
        /// Login on the master that asked.
        login: String,
    },
    /// The Agent started.
    AgentStart {
        /// Which schedule.
        uid: ScheduleUid,
    },
}

impl RunSource {
    /// `sysjobactivity.run_requested_source`: 1 schedule, 2 alert, 3 Agent start, 4 user, 6 CPU idle.
    #[must_use]
    pub const fn code(&self) -> i32 {
        match self {
            Self::Schedule { .. } => 1,
            Self::AgentStart { .. } => 3,
            Self::User { .. } | Self::Master { .. } => 4,
        }
    }
}

/// A history row: a try of a step (`step_id` ≥ 1) or the outcome of a run (`step_id` 0, written last).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// The run.
    pub run_id: RunId,
    /// Place within the run, from 0 without gaps; (run, row) is unique everywhere.
    pub row: u32,
    /// The job.
    pub job_id: JobId,
    /// 0 for the outcome.
    pub step_id: i32,
    /// Name of the step, or "(Job outcome)".
    pub step_name: String,
    /// The step, where it is one.
    pub step_uid: Option<StepUid>,
    /// Last error number of a TSQL step; 0 else.
    pub sql_message_id: i32,
    /// Highest severity of a TSQL step; 0 else.
    pub sql_severity: i32,
    /// Text, at most [`HISTORY_MESSAGE_UNITS_MAX`] UTF-16 units.
    pub message: String,
    /// How it ended.
    pub status: RunStatus,
    /// When the step or the job began.
    pub started: Timestamp,
    /// Minutes east of UTC on the instance that ran it, at `started`.
    pub utc_offset_minutes: i16,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Which retry this was; 0 on outcomes.
    pub retries_attempted: i32,
    /// Name of the instance that ran it.
    pub server: String,
    /// Output of the step as it was captured, beyond what the message holds; bounded by the step's limit.
    pub output: Option<String>,
}

/// Longest history message, in UTF-16 units. Source: `sysjobhistory.message`, nvarchar(4000).
pub const HISTORY_MESSAGE_UNITS_MAX: usize = 4_000;
/// Step name of outcome rows (14570).
pub const OUTCOME_STEP_NAME: &str = "(Job outcome)";
