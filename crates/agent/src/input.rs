//! What an agent is told.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{JobDocument, JobId, RunId, RunSource, ScheduleUid};

/// Something that happened.
///
/// At start: `JobChanged` for every job, `Adopt` for every run without an outcome, then `Started`.
#[derive(Debug, Clone)]
pub enum AgentInput {
    /// A job was loaded, made or changed. A run that is going on keeps the steps it began with.
    JobChanged {
        /// The job as it is now.
        document: Box<JobDocument>,
        /// What this instance knows of its schedules. One that is left out counts from now.
        schedules: Vec<AttachedSchedule>,
    },
    /// A job was deleted. A run of it is stopped.
    JobRemoved {
        /// The job.
        job: JobId,
    },
    /// A run whose start is durable and whose outcome isn't, found at start, and taken on with `Started`.
    /// Ignored where its id is known.
    Adopt(Box<AdoptedRun>),
    /// Everything is loaded: schedules for the start of the Agent run, and due moments are looked at.
    Started,
    /// Somebody asks for a run, enabled or not.
    StartRequested {
        /// The job.
        job: JobId,
        /// Id of the run: drawn by the caller, or the instruction's own. The id of a run that is going on
        /// already is the same request told twice and changes nothing.
        run: RunId,
        /// Who asks: `User` or `Master`.
        source: RunSource,
        /// Step to begin with.
        start_at: StartAt,
        /// The start row is durable already, as a START's is, committed with the cursor. Then a refusal
        /// also records the run's outcome, and [`AgentInput::StartRecorded`] is not waited for.
        already_recorded: bool,
    },
    /// Somebody asks to stop the run of a job.
    StopRequested {
        /// The job.
        job: JobId,
        /// Login, for the outcome's message.
        by: String,
    },
    /// A start row is durable.
    StartRecorded {
        /// The run.
        run: RunId,
    },
    /// A start row was not written.
    StartNotRecorded {
        /// The run.
        run: RunId,
        /// Why.
        fault: StartFault,
    },
    /// A launched step ended. Told twice, the second is ignored.
    StepEnded {
        /// The run.
        run: RunId,
        /// As in [`Launch::sequence`](crate::Launch::sequence).
        sequence: u32,
        /// How.
        result: Box<StepResult>,
    },
    /// An outcome row is durable: the job may run again.
    OutcomeRecorded {
        /// The run.
        run: RunId,
    },
    /// The wall clock was set, or the machine slept. Any input with an earlier time is noticed as well.
    ClockChanged,
    /// Schedules follow another zone from now on.
    TimeZoneChanged(TimeZone),
    /// Nothing new starts; running jobs get the shutdown time-out, then are stopped.
    /// [`AgentAction::ShutdownComplete`](crate::AgentAction::ShutdownComplete) ends it.
    Shutdown,
}

/// What an instance has stored of a job's schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttachedSchedule {
    /// The schedule.
    pub uid: ScheduleUid,
    /// Its number on this server, for messages.
    pub schedule_id: i64,
    /// The stored watermark; `None` where nothing is stored: the schedule counts from now. Read only when
    /// the agent does not hold the schedule yet.
    pub accounted: Option<Timestamp>,
    /// The stored next run, so that only a change of it is told.
    pub next: Option<Timestamp>,
}

/// Step to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartAt {
    /// The job's start step.
    JobStart,
    /// The step of this number.
    Step(i32),
    /// The step of this name, without regard to case.
    Named(String),
}

/// Why a start row was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartFault {
    /// The run id is known already: its moment has had its run.
    Duplicate,
    /// The store failed, as for want of room.
    Failed(String),
}

/// How a step ended, and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepResult {
    /// How.
    pub end: StepEnd,
    /// Text for the history without its last sentence, which the agent adds: who it ran as, output, exit code.
    pub message: String,
    /// Last error number of a TSQL step; 0 else.
    pub sql_message_id: i32,
    /// Highest severity of a TSQL step; 0 else.
    pub sql_severity: i32,
    /// Captured output, where the step keeps it.
    pub output: Option<String>,
    /// When the step began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
}

/// The end of a step's try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepEnd {
    /// It succeeded, as whoever ran it judges.
    Succeeded,
    /// It failed, could not be started, or was refused.
    Failed,
    /// The process ended with this code; success where it is the step's `cmdexec_success_code`.
    Exited(i32),
    /// It was ended by an order to stop.
    Stopped,
    /// Its end cannot be known. It counts as failed, is not tried again, and fails the job.
    Unknown,
}

/// A run that began under an earlier process of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedRun {
    /// The run.
    pub run: RunId,
    /// Its job. Where the job is gone, the run gets a failed outcome.
    pub job: JobId,
    /// Why it began.
    pub source: RunSource,
    /// When it was asked for.
    pub requested: Timestamp,
    /// When it began.
    pub started: Timestamp,
    /// Step it began with.
    pub start_step_id: i32,
    /// Durable history rows of it.
    pub rows: u32,
    /// The last of them; `None` when there is none.
    pub last_row: Option<AdoptedRow>,
    /// How often each step was executed, retries left out; may be empty.
    pub executions: Vec<(i32, u32)>,
    /// What the launcher knows of tries from number `rows` on.
    pub attempts: Vec<AdoptedAttempt>,
    /// Whether `attempts` is all that was ever launched. Where it isn't (the launcher died as well), a try
    /// that nobody knows may have run: the run fails rather than risk a second execution. Only a retry whose
    /// wait is not over, by the wall clock, is known not to have run.
    pub attempts_complete: bool,
}

/// The durable row a run had come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdoptedRow {
    /// Its step.
    pub step_id: i32,
    /// How that try ended.
    pub status: model::RunStatus,
    /// Which retry it was.
    pub retries_attempted: i32,
    /// When that try ended.
    pub ended: Timestamp,
}

/// A try that the launcher knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedAttempt {
    /// As in [`Launch::sequence`](crate::Launch::sequence).
    pub sequence: u32,
    /// The step that was launched.
    pub step_id: i32,
    /// As in [`Launch::retry`](crate::Launch::retry).
    pub retry: i32,
    /// How it stands.
    pub state: AdoptedState,
}

/// How a try stands with the launcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdoptedState {
    /// It goes on; its [`AgentInput::StepEnded`] will follow.
    Running,
    /// It ended.
    Ended(Box<StepResult>),
}
