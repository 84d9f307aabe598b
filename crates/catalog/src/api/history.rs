//! Rows about what was recorded of runs.

use jiff::Timestamp;
use model::{HistoryId, HistoryRow, JobId, RunId, RunStatus, ServerId, StepUid};

/// A stored history row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRecord {
    /// Number on this server, ascending in write order.
    pub id: HistoryId,
    /// The target it ran on; 0 for this server.
    pub server: ServerId,
    /// The row. `output` is `None` unless asked for.
    pub row: HistoryRow,
    /// Whether output was captured (and may be read with `history_output`).
    pub has_output: bool,
    /// Operators told: mail, net send, pager; 0 is none.
    pub operators: [i64; 3],
}

/// Order of a history page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HistoryOrder {
    /// Ascending ids; pages go on above the id given.
    #[default]
    OldestFirst,
    /// Descending ids; pages go on below the id given.
    NewestFirst,
}

/// Conditions on history rows; all of them hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryFilter {
    /// Of this job.
    pub job: Option<JobId>,
    /// Of this run.
    pub run: Option<RunId>,
    /// From this target; 0 is this server.
    pub server: Option<ServerId>,
    /// Of this step; 0 is the outcome.
    pub step_id: Option<i32>,
    /// With this status.
    pub status: Option<RunStatus>,
    /// Started at or after.
    pub started_from: Option<Timestamp>,
    /// Started before or at.
    pub started_to: Option<Timestamp>,
    /// At least this long, in milliseconds.
    pub duration_ms_min: Option<u64>,
    /// With this message number.
    pub sql_message_id: Option<i32>,
    /// With this severity.
    pub sql_severity: Option<i32>,
    /// At least so many retries.
    pub retries_min: Option<i32>,
    /// Order of rows and pages.
    pub order: HistoryOrder,
}

/// Rows that a purge removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HistoryPurge {
    /// Of this job; of all jobs when `None`.
    pub job: Option<JobId>,
    /// Only rows that started before.
    pub before: Option<Timestamp>,
}

/// Rows of a removal that goes on in many transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRemoval {
    /// Which.
    pub rows: HistoryPurge,
    /// Whether the newest outcome of a job on a target stays.
    pub keep_newest: bool,
    /// The last row there was when the removal began: later ones stay.
    pub up_to: HistoryId,
}

/// A row to be removed, and the place in history from which a removal goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPlace {
    /// When the row started.
    pub started: Timestamp,
    /// Its number.
    pub id: HistoryId,
}

/// A stretch of the jobs on targets, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobsOverLimit {
    /// Those that have more history than asked for.
    pub over: Vec<(JobId, ServerId)>,
    /// The last of the stretch; `None` at the end.
    pub last: Option<(JobId, ServerId)>,
}

/// The last outcome of a job on one target: `sysjobservers`' outcome columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOutcome {
    /// The job.
    pub job: JobId,
    /// The target; 0 is this server.
    pub server: ServerId,
    /// Outcome.
    pub status: RunStatus,
    /// Its text.
    pub message: String,
    /// When the run started.
    pub started: Timestamp,
    /// Minutes east of UTC where it ran, at `started`.
    pub utc_offset_minutes: i16,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The run.
    pub run: RunId,
    /// The outcome's history row.
    pub history: HistoryId,
}

/// The last local run of a step: `sysjobsteps.last_run_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepOutcome {
    /// The step.
    pub step: StepUid,
    /// Outcome.
    pub status: RunStatus,
    /// When it started.
    pub started: Timestamp,
    /// Minutes east of UTC, at `started`.
    pub utc_offset_minutes: i16,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Retries.
    pub retries: i32,
}

/// Output of a step kept in the table: `sysjobstepslogs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepLog {
    /// `log_id`.
    pub id: i64,
    /// The step.
    pub step: StepUid,
    /// Text.
    pub log: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last written.
    pub modified: Timestamp,
}

impl StepLog {
    /// Bytes of the text as an `nvarchar`: `sysjobstepslogs.log_size`.
    #[must_use]
    pub fn log_bytes(&self) -> u64 {
        self.log.encode_utf16().count() as u64 * 2
    }
}
