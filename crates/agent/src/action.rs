//! What an agent wants done.

use jiff::Timestamp;
use model::{HistoryRow, JobDocument, JobId, JobStep, RunId, RunSource, ScheduleUid};
use std::sync::Arc;

/// Something to do, in the order given. Acts on the store become durable in the order given, at least those of
/// one job, and those given after one call are best committed together. A step may be launched while rows of
/// its run are still on their way to the disk, since its start row is durable.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentAction {
    /// Make a start durable, with the progress of its schedules in one transaction; then tell
    /// `StartRecorded` or `StartNotRecorded`.
    RecordStart(Box<StartRow>),
    /// Start a try of a step; then tell `StepEnded`, whatever happens to it.
    LaunchStep(Box<Launch>),
    /// Stop a try of a step. `StepEnded` is still awaited.
    StopStep {
        /// The run.
        run: RunId,
        /// The try.
        sequence: u32,
        /// Kill it: the order to stop had its time.
        force: bool,
    },
    /// Store a step's row.
    RecordStep(Box<HistoryRow>),
    /// Store a run's last row (step 0); then tell `OutcomeRecorded`.
    RecordOutcome(Box<HistoryRow>),
    /// Add to the missed moments of a job and schedule and commit `progress` with it.
    RecordMissed {
        /// The job.
        job: JobId,
        /// Why they did not run.
        reason: MissedReason,
        /// The earliest of them.
        first: Timestamp,
        /// The latest of them.
        last: Timestamp,
        /// How many.
        count: u64,
        /// The schedule, its new watermark and next run.
        progress: ScheduleProgress,
    },
    /// Store a schedule's watermark and next run; nothing is waited for.
    NextRun {
        /// The job.
        job: JobId,
        /// The schedule's state.
        progress: ScheduleProgress,
    },
    /// Forget the watermark and next run of a schedule that no longer hangs on the job.
    ForgetSchedule {
        /// The job.
        job: JobId,
        /// The schedule.
        schedule: ScheduleUid,
    },
    /// A request is not done. Tell whoever asked; for the log otherwise.
    Refused(Box<Refusal>),
    /// The job asked to be deleted after this outcome (`delete_level`). Its outcome is durable.
    DeleteJob {
        /// The job.
        job: JobId,
        /// The run that ended.
        run: RunId,
    },
    /// After `Shutdown`: every run has its durable outcome.
    ShutdownComplete,
}

/// A start to be made durable before anything is launched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartRow {
    /// The run.
    pub run: RunId,
    /// The job.
    pub job: JobId,
    /// Why.
    pub source: RunSource,
    /// When it was asked for: the due moment is in `source`.
    pub requested: Timestamp,
    /// When it begins: the time of its outcome row.
    pub started: Timestamp,
    /// Step it begins with.
    pub start_step_id: i32,
    /// Schedules that this start accounts for; empty for requests.
    pub progress: Vec<ScheduleProgress>,
}

/// How far a schedule of a job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleProgress {
    /// The schedule.
    pub schedule: ScheduleUid,
    /// Every due moment up to this one was started or recorded as missed.
    pub accounted: Timestamp,
    /// The next moment; `None` when there is none, or job or schedule are disabled.
    pub next: Option<Timestamp>,
}

/// A try of a step to be started.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// The run.
    pub run: RunId,
    /// Which try within the run, from 0 without gaps; the number of its history row too.
    pub sequence: u32,
    /// Which retry of the step; 0 for the first try.
    pub retry: i32,
    /// How often the run has executed this step, this time included, retries left out (token STEPCT).
    pub executions: u32,
    /// The job as the run began with it.
    pub document: Arc<JobDocument>,
    /// Index into `document.steps`. Invariant: within bounds.
    pub step_index: usize,
    /// When the run began (tokens STRTDT and STRTTM).
    pub run_started: Timestamp,
    /// Why the run began.
    pub source: RunSource,
}

impl Launch {
    /// The step.
    #[must_use]
    pub fn step(&self) -> &JobStep {
        &self.document.steps[self.step_index]
    }
}

/// Why due moments did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MissedReason {
    /// Found too late: the agent, the machine or its clock was away.
    Late,
    /// The job was still running.
    StillRunning,
    /// The job has no steps, or its start step is none of them.
    NothingToRun,
    /// The start row could not be written.
    NotRecorded,
}

/// A request that is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was asked.
    pub request: RefusedRequest,
    /// The job.
    pub job: JobId,
    /// Its name; empty where the job is unknown.
    pub job_name: String,
    /// Why.
    pub why: Refused,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusedRequest {
    /// A run.
    Start {
        /// Its id.
        run: RunId,
        /// What asked for it.
        source: RunSource,
    },
    /// A stop.
    Stop {
        /// Login.
        by: String,
    },
}

/// Why a request is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The agent has not loaded everything yet (14258).
    #[error("SQLServerAgent is starting")]
    Starting,
    /// The agent ends.
    #[error("SQLServerAgent is shutting down")]
    ShuttingDown,
    /// There is no such job.
    #[error("the job does not exist")]
    NoSuchJob,
    /// It runs already.
    #[error("the job is already running from a request by {by}")]
    AlreadyRunning {
        /// `User sa`, `Schedule 3 (Nightly)`, …
        by: String,
    },
    /// It does not run.
    #[error("the job is not currently running")]
    NotRunning,
    /// It has no steps (14528).
    #[error("the job has no steps")]
    NoSteps,
    /// The step to begin with does not exist.
    #[error("the job has no step {step}")]
    NoSuchStep {
        /// Number or name.
        step: String,
    },
    /// The start row could not be written.
    #[error("the start of the run could not be recorded: {cause}")]
    NotRecorded {
        /// The store's reason.
        cause: String,
    },
}
