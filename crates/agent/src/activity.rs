//! What jobs do at this moment, for sp_help_job and sp_help_jobactivity.

use jiff::Timestamp;
use model::{JobId, RunId, RunSource, ScheduleUid};

/// `execution_status`, as `current_execution_status` and `job_state` show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionStatus {
    /// 1: a step runs, or is about to.
    Executing,
    /// 2: waits for a free place among running steps.
    WaitingForThread,
    /// 3: waits for the next try of a step.
    BetweenRetries,
    /// 4: nothing.
    Idle,
    /// 7: its outcome is being made durable.
    Completing,
}

impl ExecutionStatus {
    /// The number.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Executing => 1,
            Self::WaitingForThread => 2,
            Self::BetweenRetries => 3,
            Self::Idle => 4,
            Self::Completing => 7,
        }
    }
}

/// A job's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobActivity {
    /// The job.
    pub job: JobId,
    /// Its run; `None` when idle.
    pub run: Option<RunActivity>,
    /// Its next run by any of its schedules.
    pub next: Option<NextDue>,
}

impl JobActivity {
    /// The job's status; idle without a run.
    #[must_use]
    pub fn status(&self) -> ExecutionStatus {
        self.run
            .as_ref()
            .map_or(ExecutionStatus::Idle, |run| run.status)
    }
}

/// A run that is going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunActivity {
    /// The run.
    pub run: RunId,
    /// Why it began.
    pub source: RunSource,
    /// When it was asked for.
    pub requested: Timestamp,
    /// When it began.
    pub started: Timestamp,
    /// What it does.
    pub status: ExecutionStatus,
    /// Number and name of the step it is at.
    pub step: Option<(i32, String)>,
    /// When that step's try was launched.
    pub step_started: Option<Timestamp>,
    /// Which retry of that step; 0 for the first try.
    pub retry: i32,
}

/// The next run of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextDue {
    /// When.
    pub at: Timestamp,
    /// By which schedule.
    pub schedule: ScheduleUid,
    /// Its number on this server.
    pub schedule_id: i64,
}
