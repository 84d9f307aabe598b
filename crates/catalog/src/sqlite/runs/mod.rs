//! Runs on SQLite: the traits' methods, one line each, told to the module that does them.

mod agent;
mod history;
mod master;
mod record;
mod removal;
mod target;

use super::codec::Db;
use super::log::TxLog;
use super::writer::in_savepoint;
use crate::{
    Activity, AlertOccurrence, BeginRun, CatalogError, Change, DownloadState, HistoryFilter,
    HistoryLimits, HistoryPlace, HistoryRecord, HistoryRemoval, InstructionRefusal, JobOutcome,
    JobsOverLimit, Liveness, MissedMoments, NewRun, NextRun, OperatorNotice, Poll, QueuedReport,
    RecordHistory, RecordedHistory, ReportBatch, ReportQueueState, ReportStored, Result, RunRecord,
    RunsRead, RunsWrite, Session, SpoolLimits, StartAccepted, StepLog, StepOutcome, StepStart,
    TargetCursor,
};
use jiff::Timestamp;
use model::{
    Generation, HistoryId, InstanceId, InstructionNumber, JobId, ReportPosition, RunId,
    ScheduleUid, ServerId, StepUid,
};
use rusqlite::Connection;

/// How much is kept.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) history: HistoryLimits,
    pub(crate) spool: SpoolLimits,
}

/// Runs on a connection: on a reader's snapshot, or in a writer's transaction.
pub(crate) struct Runs<'c> {
    db: Db<'c>,
    limits: Limits,
    /// `None` on a reader.
    log: Option<&'c mut TxLog>,
}

impl<'c> Runs<'c> {
    /// For queries alone.
    pub(crate) fn reading(connection: &'c Connection) -> Self {
        Self {
            db: Db(connection),
            limits: Limits::default(),
            log: None,
        }
    }

    /// For commands too.
    pub(crate) const fn writing(
        connection: &'c Connection,
        log: &'c mut TxLog,
        limits: Limits,
    ) -> Self {
        Self {
            db: Db(connection),
            limits,
            log: Some(log),
        }
    }

    /// Notes a change to publish after the commit.
    fn change(&mut self, change: Change) {
        if let Some(log) = &mut self.log {
            log.change(change);
        }
    }

    /// Notes a command whose commit has crash points of its own.
    fn mark(&mut self, name: &'static str) {
        if let Some(log) = &mut self.log {
            log.mark(name);
        }
    }

    /// Runs a command of several statements whole or not at all.
    fn atomically<T>(&mut self, command: impl FnOnce(&mut Runs<'_>) -> Result<T>) -> Result<T> {
        let limits = self.limits;
        let log = self.log.as_deref_mut().ok_or(CatalogError::Closed)?;
        in_savepoint(self.db.0, log, |connection, log| {
            command(&mut Runs::writing(connection, log, limits))
        })
    }
}

macro_rules! queries {
    ($($module:ident :: $name:ident ( $($arg:ident : $ty:ty),* ) -> $ret:ty;)*) => {
        $(fn $name(&self $(, $arg: $ty)*) -> $ret {
            $module::$name(self.db $(, $arg)*)
        })*
    };
}

macro_rules! commands {
    ($($module:ident :: $name:ident ( $($arg:ident : $ty:ty),* ) -> $ret:ty;)*) => {
        $(fn $name(&mut self $(, $arg: $ty)*) -> $ret {
            $module::$name(self $(, $arg)*)
        })*
    };
}

impl RunsRead for Runs<'_> {
    queries! {
        agent::sessions() -> Result<Vec<Session>>;
        agent::current_session() -> Result<Option<Session>>;
        agent::activity(session: Option<i64>, job: Option<JobId>) -> Result<Vec<Activity>>;
        agent::run(id: RunId) -> Result<Option<RunRecord>>;
        agent::active_runs() -> Result<Vec<RunRecord>>;
        history::history(filter: &HistoryFilter, after: Option<HistoryId>, limit: usize) -> Result<Vec<HistoryRecord>>;
        removal::history_rows() -> Result<u64>;
        removal::newest_history() -> Result<HistoryId>;
        removal::removable_history(removal: &HistoryRemoval, after: Option<HistoryPlace>, limit: usize) -> Result<Vec<HistoryPlace>>;
        removal::jobs_over_limit(rows_max: u64, after: Option<(JobId, ServerId)>, limit: usize) -> Result<JobsOverLimit>;
        history::history_output(id: HistoryId) -> Result<Option<String>>;
        history::job_outcomes(job: Option<JobId>, server: Option<ServerId>) -> Result<Vec<JobOutcome>>;
        history::step_outcomes(job: Option<JobId>) -> Result<Vec<StepOutcome>>;
        history::step_logs(step: Option<StepUid>) -> Result<Vec<StepLog>>;
        agent::next_runs(job: Option<JobId>) -> Result<Vec<NextRun>>;
        agent::missed_moments(job: Option<JobId>) -> Result<Vec<MissedMoments>>;
        target::target_cursor() -> Result<Option<TargetCursor>>;
        target::instruction_refusals(above: InstructionNumber) -> Result<Vec<InstructionRefusal>>;
        record::report_queue() -> Result<ReportQueueState>;
        record::queued_reports(above: ReportPosition, rows: usize, bytes: usize) -> Result<Vec<QueuedReport>>;
        master::report_position(instance: InstanceId) -> Result<ReportPosition>;
        master::acknowledged_instruction(server: ServerId) -> Result<InstructionNumber>;
        master::acknowledged_instructions() -> Result<Vec<(ServerId, InstructionNumber)>>;
        master::download_states(server: Option<ServerId>) -> Result<Vec<DownloadState>>;
        master::blocking_instructions(server: ServerId, above: InstructionNumber) -> Result<Vec<InstructionNumber>>;
        master::liveness(server: ServerId) -> Result<Option<Liveness>>;
        master::all_liveness() -> Result<Vec<Liveness>>;
        master::alert_occurrences() -> Result<Vec<AlertOccurrence>>;
        master::operator_notices() -> Result<Vec<OperatorNotice>>;
    }
}

impl RunsWrite for Runs<'_> {
    commands! {
        agent::open_session(started: Timestamp, jobs: &[JobId]) -> Result<Session>;
        agent::begin_run(run: &NewRun) -> Result<BeginRun>;
        agent::accept_start(cursor: &TargetCursor, run: &NewRun) -> Result<StartAccepted>;
        agent::step_started(start: &StepStart) -> Result<()>;
        record::record_history(record: RecordHistory<'_>) -> Result<RecordedHistory>;
        history::write_step_log(job: JobId, step: StepUid, text: &str, append: bool, bytes_max: usize, now: Timestamp) -> Result<()>;
        history::delete_step_logs(step: StepUid, before: Option<Timestamp>, larger_than: Option<u64>) -> Result<u64>;
        agent::set_next_run(next: &NextRun) -> Result<()>;
        agent::remove_next_run(job: JobId, schedule: ScheduleUid) -> Result<()>;
        agent::record_missed(missed: &MissedMoments) -> Result<()>;
        target::advance_cursor(cursor: &TargetCursor, refusal: Option<(&str, Timestamp)>) -> Result<()>;
        target::reset_cursor(cursor: &TargetCursor) -> Result<()>;
        record::acknowledge_reports(up_to: ReportPosition) -> Result<()>;
        record::rewind_reports(to: ReportPosition) -> Result<()>;
        record::trim_reports(before: Timestamp) -> Result<u64>;
        master::store_reports(batch: ReportBatch<'_>) -> Result<ReportStored>;
        master::acknowledge_instructions(server: ServerId, generation: Generation, up_to: InstructionNumber, at: Timestamp) -> Result<()>;
        master::set_instruction_error(server: ServerId, number: InstructionNumber, error: &str, blocks: bool, at: Timestamp) -> Result<()>;
        master::clear_instruction_error(server: ServerId, number: InstructionNumber) -> Result<bool>;
        master::trim_download_states(server: ServerId, below: InstructionNumber) -> Result<u64>;
        master::record_polls(polls: &[Poll]) -> Result<()>;
        master::forget_target(server: ServerId) -> Result<()>;
        master::forget_job_target(job: JobId, server: ServerId) -> Result<()>;
        removal::remove_history(rows: &[HistoryPlace], keep_newest: bool) -> Result<usize>;
        removal::trim_job_history(job: JobId, server: ServerId, limit: usize) -> Result<usize>;
        removal::cleanup_job(job: JobId, keep_history: bool, limit: usize) -> Result<usize>;
        master::set_alert_occurrence(occurrence: &AlertOccurrence) -> Result<()>;
        master::record_operator_notice(notice: &OperatorNotice) -> Result<()>;
    }
}
