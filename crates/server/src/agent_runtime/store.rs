//! What the agent wants durable, on its way to the catalog.
//!
//! Acts of one run keep their order: one batch of it is on its way at a time, and what comes meanwhile
//! makes the next. Batches of different runs, and of the fleet, share commits.

use super::handle::Message;
use agent::{ScheduleProgress, StartRow};
use catalog::{
    BeginRun, Catalog, CatalogError, MissedMoments, NewRun, NextRun, RecordHistory, RunsWrite,
    StepStart,
};
use jiff::Timestamp;
use model::{HistoryRow, JobId, RunId, ScheduleUid, StepUid};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// Shortest and longest wait before a write that failed is tried again.
const RETRY_WAIT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// Missed moments that may wait for a store that fails; beyond, the oldest are given up.
const MISSED_WAITING_MAX: usize = 10_000;
/// Schedules' progress that one transaction takes.
const PROGRESS_BATCH_MAX: usize = 1_000;

/// How long the begin of a launched step waits for another act of its run to share a commit with. A short
/// step then takes none of its own, and none while its process is being started.
const NOTE_SETTLE: Duration = Duration::from_millis(50);

/// An act on the store of one run.
#[derive(Debug, Clone)]
pub(super) enum RunWrite {
    /// The start row, with the progress of schedules.
    Start(Box<StartRow>),
    /// A T-SQL step is about to begin; it waits for this.
    StepBegins(StepStart),
    /// A launched step has begun. Only activity shows it: nothing waits for this.
    StepNoted(StepStart),
    /// A step's log in its table.
    StepLog {
        job: JobId,
        step: StepUid,
        text: String,
        append: bool,
        bytes_max: usize,
        at: Timestamp,
    },
    /// A step's row or the outcome's.
    Row(Box<HistoryRow>),
}

/// What became of a submitted write.
#[derive(Debug)]
pub(super) enum Stored {
    /// A run's batch.
    Run(RunId, Result<BatchStored, CatalogError>),
    /// Something nobody waits for; missed moments come back when they failed.
    Loose(Vec<MissedMoments>, Result<(), CatalogError>),
}

/// What a run's batch found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BatchStored {
    /// The start was known already.
    pub(super) duplicate: bool,
    /// Rows were queued for the master.
    pub(super) queued: bool,
}

/// What happened to acts of a run, in order.
#[derive(Debug)]
pub(super) enum RunEvent {
    Started,
    NotStarted(agent::StartFault),
    StepBegins(StepStart),
    StepNotBegun(StepStart, String),
    /// The row of this number, of a step.
    StepRecorded(u32),
    OutcomeRecorded,
}

/// Writes that wait and writes on their way.
#[derive(Debug)]
pub(super) struct Store {
    catalog: Catalog,
    sender: Sender<Message>,
    session: i64,
    runs: BTreeMap<RunId, RunQueue>,
    /// Runs with something to submit.
    eager: BTreeSet<RunId>,
    /// Runs that have nothing but notes to submit, and when they do.
    noted: BTreeSet<RunId>,
    notes_due: Option<Instant>,
    progress: Vec<(JobId, ScheduleProgress)>,
    forgotten: Vec<(JobId, ScheduleUid)>,
    missed: VecDeque<MissedMoments>,
    loose_in_flight: usize,
    retry_at: Option<Instant>,
    retry_wait: Duration,
}

#[derive(Debug, Default)]
struct RunQueue {
    waiting: Vec<RunWrite>,
    in_flight: Option<Arc<Vec<RunWrite>>>,
    /// Its rows go to the master too.
    report: bool,
}

impl Store {
    pub(super) fn new(catalog: Catalog, sender: Sender<Message>, session: i64) -> Self {
        Self {
            catalog,
            sender,
            session,
            runs: BTreeMap::new(),
            eager: BTreeSet::new(),
            noted: BTreeSet::new(),
            notes_due: None,
            progress: Vec::new(),
            forgotten: Vec::new(),
            missed: VecDeque::new(),
            loose_in_flight: 0,
            retry_at: None,
            retry_wait: RETRY_WAIT.0,
        }
    }

    /// Adds an act of a run.
    pub(super) fn push(&mut self, run: RunId, write: RunWrite, report: bool) {
        if let RunWrite::Start(start) = &write {
            let job = start.job;
            self.progress.retain(|(other, pending)| {
                *other != job
                    || !start
                        .progress
                        .iter()
                        .any(|newer| newer.schedule == pending.schedule)
            });
        }
        let queue = self.runs.entry(run).or_default();
        queue.report |= report;
        queue.waiting.push(write);
        if queue.in_flight.is_none() {
            self.noted.remove(&run);
            self.eager.insert(run);
        }
    }

    pub(super) fn push_progress(&mut self, job: JobId, progress: ScheduleProgress) {
        self.progress.push((job, progress));
    }

    pub(super) fn push_missed(&mut self, missed: MissedMoments, progress: ScheduleProgress) {
        if self.missed.len() >= MISSED_WAITING_MAX {
            self.missed.pop_front();
            tracing::error!(
                "missed moments could not be stored for too long; the oldest are given up"
            );
        }
        self.progress.push((missed.job, progress));
        self.missed.push_back(missed);
    }

    pub(super) fn forget_schedule(&mut self, job: JobId, schedule: ScheduleUid) {
        self.progress
            .retain(|(other, pending)| *other != job || pending.schedule != schedule);
        self.forgotten.push((job, schedule));
    }

    /// Notes that a launched step has begun, with the run's next act or a little later.
    pub(super) fn note_step(&mut self, start: StepStart, now: Instant) {
        let run = start.run;
        let queue = self.runs.entry(run).or_default();
        queue.waiting.push(RunWrite::StepNoted(start));
        if queue.in_flight.is_none() && !self.eager.contains(&run) {
            self.noted.insert(run);
            self.notes_due.get_or_insert(now + NOTE_SETTLE);
        }
    }

    /// Whether nothing waits and nothing is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.runs.is_empty()
            && self.progress.is_empty()
            && self.forgotten.is_empty()
            && self.missed.is_empty()
            && self.loose_in_flight == 0
    }

    /// When [`Store::submit`] is wanted again: after a failure, or for notes.
    pub(super) fn submit_at(&self) -> Option<Instant> {
        self.retry_at.or(self.notes_due)
    }

    /// Submits what can be submitted.
    pub(super) fn submit(&mut self, now: Instant) {
        if self.retry_at.is_some_and(|at| at > now) {
            return;
        }
        self.retry_at = None;
        if self.notes_due.is_some_and(|due| due <= now) {
            self.notes_due = None;
            self.eager.append(&mut self.noted);
        }
        while let Some(run) = self.eager.pop_first() {
            if !self.submit_run(run) {
                self.eager.insert(run);
                return self.wait(now);
            }
        }
        if !self.submit_loose() {
            self.wait(now);
        }
    }

    fn wait(&mut self, now: Instant) {
        self.retry_at = Some(now + self.retry_wait);
        self.retry_wait = (self.retry_wait * 2).min(RETRY_WAIT.1);
    }

    fn submit_run(&mut self, run: RunId) -> bool {
        let Some(queue) = self.runs.get_mut(&run) else {
            return true;
        };
        if queue.in_flight.is_some() || queue.waiting.is_empty() {
            return true;
        }
        let batch = Arc::new(std::mem::take(&mut queue.waiting));
        let for_write = Arc::clone(&batch);
        let (session, report) = (self.session, queue.report);
        let sender = self.sender.clone();
        let submitted = self.catalog.submit_runs(
            move |write: &mut dyn RunsWrite| apply(write, &for_write, session, report),
            move |result: Result<BatchStored, CatalogError>| {
                let _ = sender.send(Message::Stored(Stored::Run(run, result)));
            },
        );
        match submitted {
            Ok(()) => {
                queue.in_flight = Some(batch);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "the store takes nothing at present");
                queue.waiting = unwrap(batch);
                false
            }
        }
    }

    fn submit_loose(&mut self) -> bool {
        while !(self.progress.is_empty() && self.forgotten.is_empty() && self.missed.is_empty()) {
            let many = self.progress.len().min(PROGRESS_BATCH_MAX);
            let progress: Vec<_> = self.progress.drain(..many).collect();
            let forgotten = std::mem::take(&mut self.forgotten);
            let missed: Vec<MissedMoments> =
                self.missed.drain(..).take(PROGRESS_BATCH_MAX).collect();
            let for_write = (progress.clone(), forgotten.clone(), missed.clone());
            let kept = missed.clone();
            let sender = self.sender.clone();
            let submitted = self.catalog.submit_runs(
                move |write: &mut dyn RunsWrite| {
                    let (progress, forgotten, missed) = &for_write;
                    for missed in missed {
                        write.record_missed(missed)?;
                    }
                    for (job, progress) in progress {
                        write.set_next_run(&next_run(*job, progress))?;
                    }
                    for (job, schedule) in forgotten {
                        write.remove_next_run(*job, *schedule)?;
                    }
                    Ok(())
                },
                move |result: Result<(), CatalogError>| {
                    let missed = if result.is_err() { kept } else { Vec::new() };
                    let _ = sender.send(Message::Stored(Stored::Loose(missed, result)));
                },
            );
            if submitted.is_err() {
                self.progress.splice(..0, progress);
                self.forgotten = forgotten;
                for missed in missed.into_iter().rev() {
                    self.missed.push_front(missed);
                }
                return false;
            }
            self.loose_in_flight += 1;
        }
        true
    }

    /// Takes note of what became of a write. What happened to the run is handed to `told`, in order.
    pub(super) fn stored(
        &mut self,
        stored: Stored,
        now: Instant,
        mut told: impl FnMut(RunId, RunEvent),
    ) -> bool {
        let (run, result) = match stored {
            Stored::Run(run, result) => (run, result),
            Stored::Loose(missed, result) => {
                self.loose_in_flight -= 1;
                if let Err(error) = result {
                    tracing::warn!(error = %model::error_chain(&error), "progress of schedules was not stored");
                    if !missed.is_empty() {
                        self.missed.extend(missed);
                        self.wait(now);
                    }
                }
                return false;
            }
        };
        let Some(queue) = self.runs.get_mut(&run) else {
            return false;
        };
        let batch = queue.in_flight.take().map(unwrap).unwrap_or_default();
        match result {
            Ok(found) => {
                self.retry_wait = RETRY_WAIT.0;
                if queue.waiting.is_empty() {
                    self.runs.remove(&run);
                } else {
                    self.eager.insert(run);
                }
                for write in batch {
                    match write {
                        RunWrite::Start(_) if found.duplicate => {
                            told(run, RunEvent::NotStarted(agent::StartFault::Duplicate));
                        }
                        RunWrite::Start(_) => told(run, RunEvent::Started),
                        RunWrite::StepBegins(start) => told(run, RunEvent::StepBegins(start)),
                        RunWrite::StepNoted(_) | RunWrite::StepLog { .. } => {}
                        RunWrite::Row(row) if row.step_id == 0 => {
                            told(run, RunEvent::OutcomeRecorded);
                        }
                        RunWrite::Row(row) => told(run, RunEvent::StepRecorded(row.row)),
                    }
                }
                found.queued
            }
            Err(error) => {
                let cause = model::error_chain(&error);
                tracing::error!(%run, error = %cause, "a run's rows were not stored");
                // A start or a step that could not be recorded does not take place; rows are tried again.
                let mut again = Vec::new();
                for write in batch {
                    match write {
                        RunWrite::Start(_) => {
                            let fault = agent::StartFault::Failed(cause.clone());
                            told(run, RunEvent::NotStarted(fault));
                        }
                        RunWrite::StepBegins(start) => {
                            told(run, RunEvent::StepNotBegun(start, cause.clone()));
                        }
                        RunWrite::StepNoted(_) => {}
                        RunWrite::StepLog { .. } | RunWrite::Row(_) => again.push(write),
                    }
                }
                let failed_rows = !again.is_empty();
                again.append(&mut queue.waiting);
                queue.waiting = again;
                if queue.waiting.is_empty() {
                    self.runs.remove(&run);
                } else {
                    self.eager.insert(run);
                }
                if failed_rows {
                    self.wait(now);
                }
                false
            }
        }
    }
}

/// Writes a run's batch, within one transaction.
fn apply(
    write: &mut dyn RunsWrite,
    batch: &[RunWrite],
    session: i64,
    report: bool,
) -> Result<BatchStored, CatalogError> {
    let mut found = BatchStored::default();
    for act in batch {
        match act {
            RunWrite::Start(start) => {
                let run = NewRun {
                    id: start.run,
                    job: start.job,
                    source: start.source.clone(),
                    requested: start.requested,
                    started: start.started,
                    start_step_id: start.start_step_id,
                    session,
                };
                match write.begin_run(&run)? {
                    BeginRun::Begun => {
                        for progress in &start.progress {
                            write.set_next_run(&next_run(start.job, progress))?;
                        }
                    }
                    BeginRun::AlreadyKnown => found.duplicate = true,
                }
            }
            RunWrite::StepBegins(start) => write.step_started(start)?,
            RunWrite::StepNoted(start) => match write.step_started(start) {
                Err(error) if !error.is_retryable() => {
                    tracing::debug!(%error, "a step's begin was not noted");
                }
                noted => noted?,
            },
            RunWrite::StepLog {
                job,
                step,
                text,
                append,
                bytes_max,
                at,
            } => write.write_step_log(*job, *step, text, *append, *bytes_max, *at)?,
            RunWrite::Row(row) => {
                let recorded = write.record_history(RecordHistory {
                    row,
                    operators: [0; 3],
                    report,
                })?;
                found.queued |= recorded.position.is_some();
            }
        }
    }
    Ok(found)
}

fn next_run(job: JobId, progress: &ScheduleProgress) -> NextRun {
    NextRun {
        job,
        schedule: progress.schedule,
        next: progress.next,
        accounted: Some(progress.accounted),
    }
}

fn unwrap(batch: Arc<Vec<RunWrite>>) -> Vec<RunWrite> {
    // The write's closure is gone by then; a clone is only made should it not be.
    Arc::try_unwrap(batch).unwrap_or_else(|shared| shared.as_ref().clone())
}
