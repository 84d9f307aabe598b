//! Commands and queries on runs: what the agent and the fleet write by themselves.
//!
//! All fail with `Storage`, `Full`, `ReadTimeout` or `Corrupt` when the store does. Pages hold at most
//! [`PAGE_ROWS_MAX`](crate::PAGE_ROWS_MAX) rows.

use crate::{
    Activity, AlertOccurrence, BeginRun, DownloadState, HistoryFilter, HistoryPlace, HistoryRecord,
    HistoryRemoval, InstructionRefusal, JobOutcome, JobsOverLimit, Liveness, MissedMoments, NewRun,
    NextRun, OperatorNotice, Poll, QueuedReport, RecordHistory, RecordedHistory, ReportBatch,
    ReportQueueState, ReportStored, Result, RunRecord, Session, StartAccepted, StepLog,
    StepOutcome, StepStart, TargetCursor,
};
use jiff::Timestamp;
use model::{
    Generation, HistoryId, InstanceId, InstructionNumber, JobId, ReportPosition, RunId,
    ScheduleUid, ServerId, StepUid,
};

/// Queries on runs. All of one call see the same snapshot.
pub trait RunsRead {
    /// Sessions of the agent, oldest first.
    fn sessions(&self) -> Result<Vec<Session>>;
    /// The newest session.
    fn current_session(&self) -> Result<Option<Session>>;
    /// Activity, of one session and of one job where given, by session and job.
    fn activity(&self, session: Option<i64>, job: Option<JobId>) -> Result<Vec<Activity>>;
    /// A local run.
    fn run(&self, id: RunId) -> Result<Option<RunRecord>>;
    /// Local runs without an outcome, oldest first: what a restarted agent adopts.
    fn active_runs(&self) -> Result<Vec<RunRecord>>;

    /// A page of history: rows that pass, beyond `after` in the filter's order (from the beginning when
    /// `None`), at most `limit`. An empty page is the end. Rows come without their output.
    fn history(
        &self,
        filter: &HistoryFilter,
        after: Option<HistoryId>,
        limit: usize,
    ) -> Result<Vec<HistoryRecord>>;
    /// How many history rows there are.
    fn history_rows(&self) -> Result<u64>;
    /// The last history row; 0 when there is none.
    fn newest_history(&self) -> Result<HistoryId>;
    /// The next rows that a removal takes, without those that wait for the master: by number, or, with a date and
    /// without a job, by start.
    fn removable_history(
        &self,
        removal: &HistoryRemoval,
        after: Option<HistoryPlace>,
        limit: usize,
    ) -> Result<Vec<HistoryPlace>>;
    /// Of the next `limit` jobs on targets, those with more than `rows_max` rows of history.
    fn jobs_over_limit(
        &self,
        rows_max: u64,
        after: Option<(JobId, ServerId)>,
        limit: usize,
    ) -> Result<JobsOverLimit>;
    /// Output of a history row, where some was captured.
    fn history_output(&self, id: HistoryId) -> Result<Option<String>>;
    /// Last outcomes, of one job and on one server where given.
    fn job_outcomes(&self, job: Option<JobId>, server: Option<ServerId>)
    -> Result<Vec<JobOutcome>>;
    /// Last local outcomes of a job's steps; of all jobs' when `None`.
    fn step_outcomes(&self, job: Option<JobId>) -> Result<Vec<StepOutcome>>;
    /// Logs of a step; of all steps when `None`.
    fn step_logs(&self, step: Option<StepUid>) -> Result<Vec<StepLog>>;

    /// Next runs, of one job where given.
    fn next_runs(&self, job: Option<JobId>) -> Result<Vec<NextRun>>;
    /// Missed moments, of one job where given.
    fn missed_moments(&self, job: Option<JobId>) -> Result<Vec<MissedMoments>>;

    /// How far this target is with its master's instructions; `None` before the first enlistment.
    fn target_cursor(&self) -> Result<Option<TargetCursor>>;
    /// Instructions refused above a number, in order.
    fn instruction_refusals(&self, above: InstructionNumber) -> Result<Vec<InstructionRefusal>>;
    /// The queue for the master.
    fn report_queue(&self) -> Result<ReportQueueState>;
    /// Queued rows above a position, with their outputs, at most `rows` and about `bytes` of text (at
    /// least one row). Acknowledged rows are among them as long as they are kept, so that a restored
    /// master can be sent them again.
    fn queued_reports(
        &self,
        above: ReportPosition,
        rows: usize,
        bytes: usize,
    ) -> Result<Vec<QueuedReport>>;

    /// The durable report position of a target's instance; 0 before the first report.
    fn report_position(&self, instance: InstanceId) -> Result<ReportPosition>;
    /// Number up to which a target has done its instructions; 0 before the first.
    fn acknowledged_instruction(&self, server: ServerId) -> Result<InstructionNumber>;
    /// All targets' acknowledged numbers.
    fn acknowledged_instructions(&self) -> Result<Vec<(ServerId, InstructionNumber)>>;
    /// Download states of a target, in order of the numbers; of all targets when `None`.
    fn download_states(&self, server: Option<ServerId>) -> Result<Vec<DownloadState>>;
    /// Instructions above a number whose errors block the target's queue, ascending.
    fn blocking_instructions(
        &self,
        server: ServerId,
        above: InstructionNumber,
    ) -> Result<Vec<InstructionNumber>>;
    /// The last sign of life of a target.
    fn liveness(&self, server: ServerId) -> Result<Option<Liveness>>;
    /// All targets' last signs of life.
    fn all_liveness(&self) -> Result<Vec<Liveness>>;

    /// How often alerts were seen.
    fn alert_occurrences(&self) -> Result<Vec<AlertOccurrence>>;
    /// When operators were told.
    fn operator_notices(&self) -> Result<Vec<OperatorNotice>>;
}

/// Commands on runs. A failed command leaves the transaction as it was before it.
pub trait RunsWrite: RunsRead {
    /// Opens a session, with an activity row for each of `jobs`.
    fn open_session(&mut self, started: Timestamp, jobs: &[JobId]) -> Result<Session>;

    /// Makes a run durable: the run, the job's activity and, for a schedule, that its moment is accounted
    /// for. Does nothing for a run id known already.
    fn begin_run(&mut self, run: &NewRun) -> Result<BeginRun>;
    /// Accepts a START: cursor, run and activity in one. For a run id known already only the cursor moves.
    ///
    /// # Errors
    /// As [`RunsWrite::advance_cursor`].
    fn accept_start(&mut self, cursor: &TargetCursor, run: &NewRun) -> Result<StartAccepted>;
    /// Records that a step begins, or, called again for the same launch, its process.
    ///
    /// # Errors
    /// `NotFound` for the run.
    fn step_started(&mut self, start: &StepStart) -> Result<()>;
    /// Records a history row of this instance: the row, last outcome of its step or job, activity, the
    /// queue for the master, and trimming, in one. A row of step 0 ends its run.
    ///
    /// # Errors
    /// As the module says. The run need not be known.
    fn record_history(&mut self, record: RecordHistory<'_>) -> Result<RecordedHistory>;
    /// Writes a step's log; `append` adds to what is there. At most `bytes_max` bytes are kept, the newest.
    fn write_step_log(
        &mut self,
        job: JobId,
        step: StepUid,
        text: &str,
        append: bool,
        bytes_max: usize,
        now: Timestamp,
    ) -> Result<()>;
    /// Deletes logs of a step, those modified before and those larger (in bytes of UTF-16) where given. Returns how
    /// many.
    fn delete_step_logs(
        &mut self,
        step: StepUid,
        before: Option<Timestamp>,
        larger_than: Option<u64>,
    ) -> Result<u64>;

    /// Stores the next run of a job by one schedule. `accounted`, where given, moves the watermark, never
    /// back.
    fn set_next_run(&mut self, next: &NextRun) -> Result<()>;
    /// Forgets the next run by a schedule that no longer hangs on the job.
    fn remove_next_run(&mut self, job: JobId, schedule: ScheduleUid) -> Result<()>;
    /// Adds missed moments to those of the same job and schedule, and accounts for them.
    fn record_missed(&mut self, missed: &MissedMoments) -> Result<()>;

    /// Moves the cursor after an instruction was done; `refusal` says why it was refused without blocking.
    ///
    /// # Errors
    /// `OutOfRange` when the cursor would go back within its generation, or to an older generation.
    fn advance_cursor(
        &mut self,
        cursor: &TargetCursor,
        refusal: Option<(&str, Timestamp)>,
    ) -> Result<()>;
    /// Starts the cursor of a new enlistment, or after a re-sync, at any place.
    fn reset_cursor(&mut self, cursor: &TargetCursor) -> Result<()>;
    /// Notes that the master has everything up to a position. Never goes back. Rows stay queued until
    /// [`RunsWrite::trim_reports`].
    ///
    /// # Errors
    /// `OutOfRange` beyond the last position given.
    fn acknowledge_reports(&mut self, up_to: ReportPosition) -> Result<()>;
    /// Sets the acknowledged position back, for a restored master.
    ///
    /// # Errors
    /// `OutOfRange` when it is ahead of the acknowledged one.
    fn rewind_reports(&mut self, to: ReportPosition) -> Result<()>;
    /// Forgets acknowledged reports of rows that started before. Returns how many.
    fn trim_reports(&mut self, before: Timestamp) -> Result<u64>;

    /// Stores reports on the master: rows not known yet (by run and row), last outcomes, activity and the
    /// durable position, in one.
    fn store_reports(&mut self, batch: ReportBatch<'_>) -> Result<ReportStored>;
    /// Notes on the master that a target has done everything up to a number; states of the numbers between
    /// become downloaded at `at`. Never goes back within a generation of the target.
    fn acknowledge_instructions(
        &mut self,
        server: ServerId,
        generation: Generation,
        up_to: InstructionNumber,
        at: Timestamp,
    ) -> Result<()>;
    /// Stores what a target said of one instruction: an error that blocks its queue (`blocks`), or why it
    /// was refused.
    fn set_instruction_error(
        &mut self,
        server: ServerId,
        number: InstructionNumber,
        error: &str,
        blocks: bool,
        at: Timestamp,
    ) -> Result<()>;
    /// Clears the error of an instruction, so that the target tries again. Returns whether there was one.
    fn clear_instruction_error(
        &mut self,
        server: ServerId,
        number: InstructionNumber,
    ) -> Result<bool>;
    /// Forgets download states of a target below a number.
    fn trim_download_states(&mut self, server: ServerId, below: InstructionNumber) -> Result<u64>;
    /// Stores signs of life, the newest of each target.
    fn record_polls(&mut self, polls: &[Poll]) -> Result<()>;
    /// Forgets liveness, download states and acknowledged number of a target that is gone; its history,
    /// outcomes and report position stay.
    fn forget_target(&mut self, server: ServerId) -> Result<()>;
    /// Forgets the last outcome of a job on a target that was taken from the job.
    fn forget_job_target(&mut self, job: JobId, server: ServerId) -> Result<()>;

    /// Removes history rows that were chosen on a reader; those that wait for the master by now stay, and with
    /// `keep_newest` the newest outcomes. Returns how many went.
    fn remove_history(&mut self, rows: &[HistoryPlace], keep_newest: bool) -> Result<usize>;
    /// Brings a job on a target back within its limit: at most `limit` of its oldest rows go; the newest outcome
    /// and rows that wait for the master stay. Returns how many went.
    fn trim_job_history(&mut self, job: JobId, server: ServerId, limit: usize) -> Result<usize>;
    /// Removes up to `limit` rows of a deleted job from every table, history last and unless kept. A run
    /// still active and rows waiting for the master stay. Returns how many; less than `limit` is the end.
    fn cleanup_job(&mut self, job: JobId, keep_history: bool, limit: usize) -> Result<usize>;

    /// Stores how often an alert was seen.
    fn set_alert_occurrence(&mut self, occurrence: &AlertOccurrence) -> Result<()>;
    /// Stores when an operator was told; methods that are `None` stay as they are.
    fn record_operator_notice(&mut self, notice: &OperatorNotice) -> Result<()>;
}
