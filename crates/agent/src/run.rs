//! A run in memory: where it is, and the rows it writes.

use crate::texts::{self, OutcomeText};
use crate::{AdoptedAttempt, ExecutionStatus, RunActivity, StepResult};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::run::OUTCOME_STEP_NAME;
use model::{HistoryRow, JobDocument, JobStep, RunId, RunSource, RunStatus};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A run from its start row to its durable outcome.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: RunId,
    pub(crate) source: RunSource,
    pub(crate) requested: Timestamp,
    pub(crate) started: Timestamp,
    /// The job as the run began with it. Invariant: `step_index` and `last_step` are within its steps.
    pub(crate) document: Arc<JobDocument>,
    pub(crate) start_step_id: i32,
    /// The step it is at, and which retry of it.
    pub(crate) step_index: usize,
    pub(crate) retry: i32,
    /// The step launched last.
    pub(crate) last_step: Option<usize>,
    /// History rows written; the number of the next try and of the next row.
    pub(crate) rows: u32,
    /// Executions per step index, retries left out. At most one entry a step.
    pub(crate) executions: BTreeMap<usize, u32>,
    /// Who asked to stop it, and when; the first request counts.
    pub(crate) stop: Option<(StopCause, Timestamp)>,
    pub(crate) phase: RunPhase,
    /// Schedules whose moment its start accounts for; empty for requests.
    pub(crate) covers: Vec<model::ScheduleUid>,
    /// Its entry among the agent's timers.
    pub(crate) timer: Option<Timestamp>,
    /// What the launcher knew at adoption, used up as the run comes to it.
    pub(crate) replay: Option<Replay>,
}

/// What a run waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunPhase {
    /// Its start row.
    Recording,
    /// A free place among running steps.
    Ready,
    /// The end of a step's try, whose number is `rows`.
    Executing {
        /// When it was launched.
        since: Timestamp,
    },
    /// The time of the next try: the run's timer.
    BetweenRetries,
    /// Its outcome row.
    Completing(RunStatus),
}

/// Why a run is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StopCause {
    /// A user asked.
    User(String),
    /// The agent ends.
    Shutdown,
    /// The job was deleted.
    Removed,
    /// A stop from before the agent's restart; who asked is not known any more.
    Earlier,
}

/// What a launcher knew of a run's tries.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) attempts: BTreeMap<u32, AdoptedAttempt>,
    /// Whether a try that is not among them was certainly never launched.
    pub(crate) complete: bool,
}

/// What every history row of an instance shares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowContext<'a> {
    pub(crate) server: &'a str,
    pub(crate) zone: &'a TimeZone,
}

impl Run {
    /// A run at the step of `step_index`, its start row yet to be written.
    pub(crate) fn new(
        id: RunId,
        source: RunSource,
        document: Arc<JobDocument>,
        step_index: usize,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            source,
            requested: now,
            started: now,
            start_step_id: document.steps[step_index].step_id,
            document,
            step_index,
            retry: 0,
            last_step: None,
            rows: 0,
            executions: BTreeMap::new(),
            stop: None,
            phase: RunPhase::Recording,
            covers: Vec::new(),
            timer: None,
            replay: None,
        }
    }

    pub(crate) fn step(&self) -> &JobStep {
        &self.document.steps[self.step_index]
    }

    /// The row of the try that ended, whose number is `rows`.
    pub(crate) fn step_row(
        &self,
        result: &StepResult,
        status: RunStatus,
        context: RowContext<'_>,
    ) -> HistoryRow {
        let step = self.step();
        HistoryRow {
            run_id: self.id,
            row: self.rows,
            job_id: self.document.job.id,
            step_id: step.step_id,
            step_name: step.name.clone(),
            step_uid: Some(step.uid),
            sql_message_id: result.sql_message_id,
            sql_severity: result.sql_severity,
            message: texts::step(&result.message, status),
            status,
            started: result.started,
            utc_offset_minutes: offset_minutes(context.zone, result.started),
            duration_ms: elapsed_ms(result.started, result.ended),
            retries_attempted: self.retry,
            server: context.server.to_owned(),
            output: result.output.clone(),
        }
    }

    /// The outcome's row, whose number is `rows`.
    pub(crate) fn outcome_row(
        &self,
        status: RunStatus,
        note: Option<&str>,
        now: Timestamp,
        context: RowContext<'_>,
    ) -> HistoryRow {
        let asked_for = (self.start_step_id != self.document.job.start_step_id)
            .then(|| {
                self.document
                    .steps
                    .iter()
                    .find(|step| step.step_id == self.start_step_id)
            })
            .flatten();
        let message = texts::outcome(&OutcomeText {
            status,
            stop: self.stop.as_ref().map(|(cause, _)| cause),
            source: &self.source,
            last_step: self.last_step.map(|index| &self.document.steps[index]),
            start_step: asked_for,
            note,
        });
        let identity = OutcomeIdentity {
            run: self.id,
            row: self.rows,
            job: self.document.job.id,
            started: self.started,
        };
        outcome_row(identity, status, message, now, context)
    }

    pub(crate) fn activity(&self) -> RunActivity {
        let (status, step_started) = match self.phase {
            RunPhase::Recording => (ExecutionStatus::Executing, None),
            RunPhase::Ready => (ExecutionStatus::WaitingForThread, None),
            RunPhase::Executing { since } => (ExecutionStatus::Executing, Some(since)),
            RunPhase::BetweenRetries => (ExecutionStatus::BetweenRetries, None),
            RunPhase::Completing(_) => (ExecutionStatus::Completing, None),
        };
        let step = self.step();
        RunActivity {
            run: self.id,
            source: self.source.clone(),
            requested: self.requested,
            started: self.started,
            status,
            step: Some((step.step_id, step.name.clone())),
            step_started,
            retry: self.retry,
        }
    }
}

/// Which outcome a row is.
pub(crate) struct OutcomeIdentity {
    pub(crate) run: RunId,
    pub(crate) row: u32,
    pub(crate) job: model::JobId,
    pub(crate) started: Timestamp,
}

/// A row of step 0.
pub(crate) fn outcome_row(
    identity: OutcomeIdentity,
    status: RunStatus,
    message: String,
    now: Timestamp,
    context: RowContext<'_>,
) -> HistoryRow {
    HistoryRow {
        run_id: identity.run,
        row: identity.row,
        job_id: identity.job,
        step_id: 0,
        step_name: OUTCOME_STEP_NAME.to_owned(),
        step_uid: None,
        sql_message_id: 0,
        sql_severity: 0,
        message,
        status,
        started: identity.started,
        utc_offset_minutes: offset_minutes(context.zone, identity.started),
        duration_ms: elapsed_ms(identity.started, now),
        retries_attempted: 0,
        server: context.server.to_owned(),
        output: None,
    }
}

/// Minutes east of UTC at an instant, rounded towards zero.
fn offset_minutes(zone: &TimeZone, at: Timestamp) -> i16 {
    i16::try_from(zone.to_offset(at).seconds() / 60).expect("an offset is less than 26 hours")
}

/// Milliseconds between two instants; 0 where the clock went back between them.
fn elapsed_ms(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(from.duration_until(to).as_millis()).unwrap_or(0)
}
