//! Rows about sessions of the agent, runs, activity and next runs.

use jiff::Timestamp;
use model::{HistoryId, JobId, RunId, RunSource, ScheduleUid};

/// A start of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// `session_id`, ascending.
    pub id: i64,
    /// When.
    pub started: Timestamp,
}

/// A run to be made durable before its first step starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Identity; a second begin of the same id does nothing.
    pub id: RunId,
    /// The job.
    pub job: JobId,
    /// Why.
    pub source: RunSource,
    /// When it was asked for.
    pub requested: Timestamp,
    /// When it started.
    pub started: Timestamp,
    /// Step it begins with.
    pub start_step_id: i32,
    /// Session of the agent it belongs to.
    pub session: i64,
}

/// What [`begin_run`](crate::RunsWrite::begin_run) found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeginRun {
    /// The run is new and durable with the commit.
    Begun,
    /// The id is known already: nothing was written, nothing may be started.
    AlreadyKnown,
}

/// What [`accept_start`](crate::RunsWrite::accept_start) found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAccepted {
    /// Cursor moved and the run is new.
    Accepted,
    /// The run id is known: only the cursor moved.
    AlreadyStarted,
}

/// A process as the launcher knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Process id; also its group.
    pub pid: u32,
    /// Start time as the kernel counts it, so that a reused id is recognised.
    pub start_ticks: u64,
}

/// A step that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepStart {
    /// The run.
    pub run: RunId,
    /// The step.
    pub step_id: i32,
    /// Which retry; 0 for the first try.
    pub retry: i32,
    /// When.
    pub started: Timestamp,
    /// The launcher's number of this start; unique on this instance.
    pub launch: u64,
    /// Its process, once known.
    pub process: Option<Process>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Its start row is durable; its outcome isn't.
    Active,
    /// Its outcome is durable.
    Ended,
}

/// A local run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// What began.
    pub run: NewRun,
    /// Where it stands.
    pub state: RunState,
    /// The step begun last.
    pub step: Option<StepStart>,
    /// Rows written so far, and so the next row's number.
    pub rows: u32,
}

/// Live and last state of a job in one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Session.
    pub session: i64,
    /// The job.
    pub job: JobId,
    /// The run in it; `None` before the first.
    pub run: Option<RunId>,
    /// When it was asked for.
    pub requested: Option<Timestamp>,
    /// `run_requested_source`.
    pub source_code: Option<i32>,
    /// Login that asked, when one did.
    pub requested_by: Option<String>,
    /// When it was put in a queue.
    pub queued: Option<Timestamp>,
    /// When it started.
    pub started: Option<Timestamp>,
    /// Step reached last.
    pub last_step_id: Option<i32>,
    /// When that step began.
    pub last_step_started: Option<Timestamp>,
    /// When it ended.
    pub stopped: Option<Timestamp>,
    /// The outcome's history row.
    pub history: Option<HistoryId>,
    /// The job's next run over all its schedules.
    pub next_run: Option<Timestamp>,
}

/// The next run of a job by one schedule, and how far its moments are accounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextRun {
    /// The job.
    pub job: JobId,
    /// The schedule.
    pub schedule: ScheduleUid,
    /// Next moment; `None` when there is none.
    pub next: Option<Timestamp>,
    /// Every moment up to this one was started or recorded as missed.
    pub accounted: Option<Timestamp>,
}

/// Moments of a schedule that passed without a run, coalesced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissedMoments {
    /// The job.
    pub job: JobId,
    /// The schedule.
    pub schedule: ScheduleUid,
    /// First of them.
    pub first: Timestamp,
    /// Last of them.
    pub last: Timestamp,
    /// How many.
    pub count: u64,
}
