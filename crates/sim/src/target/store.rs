//! What a target stores, in two files, and the transactions on them.

use crate::file::FileState;
use crate::options::Broken;
use agent::{AdoptedRow, ScheduleProgress, StartRow};
use fleet::DefinitionsApplied;
use fleet::message::{InstructionText, ReportRow};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{
    Cursor, Generation, HistoryRow, Instruction, InstructionBody, InstructionNumber, JobDocument,
    JobId, ReportPosition, RunId, RunSource, RunStatus, Schedule, ScheduleUid,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// A job whose name ends so can't be downloaded until its target is put right.
pub(crate) const TROUBLE_MARK: char = '!';

/// What the master's instructions change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Definitions {
    pub(crate) enlistment: Option<Membership>,
    /// The generation of the last enlistment, told when enlisting anew.
    pub(crate) last_generation: Option<Generation>,
    pub(crate) jobs: BTreeMap<JobId, Arc<JobDocument>>,
    /// For the checker: what took effect in this enlistment.
    pub(crate) applied: BTreeSet<Uuid>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Membership {
    pub(crate) generation: Generation,
    pub(crate) poll_interval_secs: u32,
}

/// A transaction on the definitions.
#[derive(Debug, Clone)]
pub(crate) enum Define {
    Enlist(Membership),
    Defect,
    Apply {
        /// For the checker: the enlistment that the instructions are of.
        generation: Generation,
        instructions: Vec<Instruction>,
        /// Whether jobs that make trouble are taken.
        put_right: bool,
    },
}

/// What a transaction on the definitions found.
#[derive(Debug)]
pub(crate) struct Defined {
    pub(crate) done: DefinitionsApplied,
    /// Jobs to be told to the agent: `None` for removed ones.
    pub(crate) changed: BTreeMap<JobId, Option<Arc<JobDocument>>>,
    /// For the checker: it was not this enlistment's.
    pub(crate) stray: bool,
}

impl FileState for Definitions {
    type Write = Define;
    type Found = Defined;

    fn apply(&mut self, write: &Define) -> Defined {
        let mut found = Defined {
            done: DefinitionsApplied {
                applied: 0,
                failure: None,
            },
            changed: BTreeMap::new(),
            stray: false,
        };
        match write {
            Define::Enlist(membership) => {
                // The same enlistment told again: its jobs and cursor stand.
                let again =
                    self.enlistment.map(|own| own.generation) == Some(membership.generation);
                if !again {
                    self.clear(&mut found);
                }
                self.enlistment = Some(*membership);
                self.last_generation = Some(membership.generation);
            }
            Define::Defect => {
                self.clear(&mut found);
                self.enlistment = None;
            }
            Define::Apply {
                generation,
                instructions,
                put_right,
            } => {
                found.stray = self
                    .enlistment
                    .is_none_or(|own| own.generation != *generation);
                for instruction in instructions {
                    if let Err(text) = self.apply_one(instruction, *put_right, &mut found) {
                        found.done.failure = Some(text);
                        break;
                    }
                    self.applied.insert(instruction.uid);
                    found.done.applied += 1;
                }
            }
        }
        found
    }
}

impl Definitions {
    fn clear(&mut self, found: &mut Defined) {
        for job in std::mem::take(&mut self.jobs).into_keys() {
            found.changed.insert(job, None);
        }
        self.applied.clear();
    }

    fn apply_one(
        &mut self,
        instruction: &Instruction,
        put_right: bool,
        found: &mut Defined,
    ) -> Result<(), String> {
        match &instruction.body {
            InstructionBody::Insert(Some(document)) => {
                if document.job.name.ends_with(TROUBLE_MARK) && !put_right {
                    return Err("Proxy not found.".to_owned());
                }
                let document = Arc::new(JobDocument::clone(document));
                found
                    .changed
                    .insert(document.job.id, Some(Arc::clone(&document)));
                self.jobs.insert(document.job.id, document);
            }
            InstructionBody::Update(Some(document)) => {
                if let Some(mine) = self.jobs.get_mut(&document.job.id) {
                    let changed = Arc::make_mut(mine);
                    changed.job = document.job.clone();
                    changed.owner_login.clone_from(&document.owner_login);
                    changed.category_name.clone_from(&document.category_name);
                    found
                        .changed
                        .insert(document.job.id, Some(Arc::clone(mine)));
                }
            }
            InstructionBody::Insert(None) | InstructionBody::Update(None) => {}
            InstructionBody::Delete(job) if *job == JobId::ALL => {
                for job in std::mem::take(&mut self.jobs).into_keys() {
                    found.changed.insert(job, None);
                }
            }
            InstructionBody::Delete(job) => {
                if self.jobs.remove(job).is_some() {
                    found.changed.insert(*job, None);
                }
            }
            InstructionBody::SetPoll(secs) => {
                if let Some(membership) = &mut self.enlistment {
                    membership.poll_interval_secs = *secs;
                }
            }
            InstructionBody::ReEnlist { .. } => {}
            InstructionBody::Start { .. }
            | InstructionBody::Stop { .. }
            | InstructionBody::Defect
            | InstructionBody::SyncTime => return Err("not a definition".to_owned()),
        }
        Ok(())
    }
}

/// What the agent and the fleet write by themselves.
#[derive(Debug, Clone)]
pub(crate) struct Runs {
    cursor: (Generation, Cursor),
    refused: Vec<(Generation, InstructionText)>,
    pub(crate) runs: BTreeMap<RunId, RunRow>,
    pub(crate) history: BTreeMap<ReportPosition, Arc<HistoryRow>>,
    pub(crate) last_position: ReportPosition,
    pub(crate) acknowledged: ReportPosition,
    pub(crate) schedules: BTreeMap<(JobId, ScheduleUid), Accounted>,
    started_moments: BTreeSet<(JobId, Timestamp)>,
    missed: BTreeMap<(JobId, ScheduleUid), Vec<(Timestamp, Timestamp)>>,
    /// For the checker: moments that were passed over without a run or a record.
    pub(crate) lost_moments: Vec<(JobId, Timestamp)>,
    /// For the checker: refused orders by their run.
    pub(crate) refused_runs: BTreeSet<RunId>,
    broken: Broken,
}

#[derive(Debug, Clone)]
pub(crate) struct RunRow {
    pub(crate) job: JobId,
    pub(crate) source: RunSource,
    pub(crate) requested: Timestamp,
    pub(crate) started: Timestamp,
    pub(crate) start_step_id: i32,
    /// The machine's life in which it began.
    pub(crate) boot: u32,
    pub(crate) rows: u32,
    pub(crate) last_row: Option<AdoptedRow>,
    pub(crate) ended: bool,
}

/// How far a schedule is accounted for, and by what timing that was reckoned.
#[derive(Debug, Clone)]
pub(crate) struct Accounted {
    pub(crate) progress: ScheduleProgress,
    timing: Timing,
}

/// What a schedule's moments depend on, as the agent had it when it reckoned.
#[derive(Debug, Clone)]
pub(crate) struct Timing {
    pub(crate) schedule: Option<Arc<Schedule>>,
    /// Jumps of the wall clock so far; moments across a jump are not compared.
    pub(crate) jumps: u32,
}

/// A transaction on the runs.
#[derive(Debug, Clone)]
pub(crate) enum Record {
    Cursor {
        generation: Generation,
        cursor: Cursor,
    },
    Orders {
        generation: Generation,
        cursor: Cursor,
        starts: Vec<(RunId, RunRow)>,
        refused: Vec<InstructionText>,
        refused_runs: Vec<RunId>,
    },
    Start {
        row: Box<StartRow>,
        boot: u32,
        timings: Vec<Timing>,
    },
    Step(Arc<HistoryRow>),
    Outcome(Arc<HistoryRow>),
    Missed {
        job: JobId,
        first: Timestamp,
        last: Timestamp,
        progress: ScheduleProgress,
        timing: Timing,
    },
    Progress {
        job: JobId,
        progress: ScheduleProgress,
        timing: Timing,
    },
    ForgetSchedule {
        job: JobId,
        schedule: ScheduleUid,
    },
    Acknowledged(ReportPosition),
    RefusalsAcknowledged(InstructionNumber),
}

/// What a transaction on the runs found.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    /// Runs that began with it.
    pub(crate) begun: BTreeSet<RunId>,
}

impl FileState for Runs {
    type Write = Record;
    type Found = Recorded;

    fn apply(&mut self, write: &Record) -> Recorded {
        let mut found = Recorded::default();
        match write {
            Record::Cursor { generation, cursor } => self.cursor = (*generation, *cursor),
            Record::Orders {
                generation,
                cursor,
                starts,
                refused,
                refused_runs,
            } => {
                self.cursor = (*generation, *cursor);
                for (run, row) in starts {
                    if self.broken != Broken::DropsStarts {
                        self.begin(*run, row.clone(), &mut found);
                    }
                }
                self.refused
                    .extend(refused.iter().map(|text| (*generation, text.clone())));
                self.refused_runs.extend(refused_runs);
            }
            Record::Start { row, boot, timings } => {
                let start = RunRow {
                    job: row.job,
                    source: row.source.clone(),
                    requested: row.requested,
                    started: row.started,
                    start_step_id: row.start_step_id,
                    boot: *boot,
                    rows: 0,
                    last_row: None,
                    ended: false,
                };
                if self.begin(row.run, start, &mut found) {
                    if let RunSource::Schedule { due, .. } = row.source
                        && self.broken != Broken::DropsMoments
                    {
                        self.started_moments.insert((row.job, due));
                    }
                    for (progress, timing) in row.progress.iter().zip(timings) {
                        self.account(row.job, *progress, timing);
                    }
                }
            }
            Record::Step(row) => self.record(row, false),
            Record::Outcome(row) => self.record(row, true),
            Record::Missed {
                job,
                first,
                last,
                progress,
                timing,
            } => {
                if self.broken != Broken::DropsMoments {
                    let spans = self.missed.entry((*job, progress.schedule)).or_default();
                    spans.push((*first, *last));
                }
                self.account(*job, *progress, timing);
            }
            Record::Progress {
                job,
                progress,
                timing,
            } => self.account(*job, *progress, timing),
            Record::ForgetSchedule { job, schedule } => {
                self.schedules.remove(&(*job, *schedule));
            }
            Record::Acknowledged(through) => self.acknowledged = *through,
            Record::RefusalsAcknowledged(through) => {
                self.refused
                    .retain(|(_, refused)| refused.instruction.number > *through);
            }
        }
        found
    }
}

impl Runs {
    pub(crate) const fn new(broken: Broken) -> Self {
        Self {
            cursor: (Generation(0), Cursor::START),
            refused: Vec::new(),
            runs: BTreeMap::new(),
            history: BTreeMap::new(),
            last_position: ReportPosition(0),
            acknowledged: ReportPosition(0),
            schedules: BTreeMap::new(),
            started_moments: BTreeSet::new(),
            missed: BTreeMap::new(),
            lost_moments: Vec::new(),
            refused_runs: BTreeSet::new(),
            broken,
        }
    }

    /// The cursor of an enlistment.
    pub(crate) fn cursor(&self, generation: Generation) -> Cursor {
        if self.cursor.0 == generation {
            self.cursor.1
        } else {
            Cursor::START
        }
    }

    /// Refused orders of an enlistment that the master may not know of.
    pub(crate) fn refused(&self, generation: Generation) -> Vec<InstructionText> {
        self.refused
            .iter()
            .filter(|(of, _)| *of == generation)
            .map(|(_, refused)| refused.clone())
            .collect()
    }

    /// Rows past a position, for the master.
    pub(crate) fn reports(&self, after: ReportPosition, max: usize) -> (Vec<ReportRow>, bool) {
        let mut rows = self.history.range(ReportPosition(after.0 + 1)..);
        let list = rows
            .by_ref()
            .take(max)
            .map(|(position, row)| ReportRow {
                position: *position,
                row: HistoryRow::clone(row),
            })
            .collect();
        (list, rows.next().is_some())
    }

    fn begin(&mut self, run: RunId, row: RunRow, found: &mut Recorded) -> bool {
        let known = self.runs.contains_key(&run);
        if !known {
            self.runs.insert(run, row);
        }
        let begun = !known || self.broken == Broken::RepeatsRuns;
        if begun {
            found.begun.insert(run);
        }
        begun
    }

    fn record(&mut self, row: &Arc<HistoryRow>, outcome: bool) {
        if let Some(run) = self.runs.get_mut(&row.run_id) {
            if run.ended || row.row < run.rows {
                return;
            }
            run.rows = row.row + 1;
            run.ended |= outcome;
            if !outcome {
                let lasted = i64::try_from(row.duration_ms).unwrap_or(i64::MAX);
                run.last_row = Some(AdoptedRow {
                    step_id: row.step_id,
                    status: row.status,
                    retries_attempted: row.retries_attempted,
                    ended: row
                        .started
                        .saturating_add(jiff::SignedDuration::from_millis(lasted))
                        .unwrap_or(row.started),
                });
            }
        }
        self.last_position.0 += 1;
        self.history.insert(self.last_position, Arc::clone(row));
    }

    fn account(&mut self, job: JobId, progress: ScheduleProgress, timing: &Timing) {
        let key = (job, progress.schedule);
        if let Some(before) = self.schedules.get(&key)
            && let (Some(old), Some(new)) = (&before.timing.schedule, &timing.schedule)
            && before.timing.jumps == timing.jumps
            && same_moments(old, new)
        {
            let mut from = before.progress.accounted;
            while let Some(moment) = schedule::next_run(new, from, &TimeZone::UTC) {
                if moment > progress.accounted {
                    break;
                }
                from = moment;
                let recorded = self.missed.get(&key).is_some_and(|spans| {
                    spans
                        .iter()
                        .any(|(first, last)| (*first..=*last).contains(&moment))
                });
                if !recorded && !self.started_moments.contains(&(job, moment)) {
                    self.lost_moments.push((job, moment));
                }
            }
        }
        let timing = timing.clone();
        self.schedules.insert(key, Accounted { progress, timing });
    }
}

fn same_moments(a: &Schedule, b: &Schedule) -> bool {
    a.frequency == b.frequency
        && a.subday == b.subday
        && a.active_start_time == b.active_start_time
        && a.active_end_time == b.active_end_time
        && a.active_start_date == b.active_start_date
        && a.active_end_date == b.active_end_date
}

/// Whether a row ends its run.
pub(crate) const fn is_outcome(row: &HistoryRow) -> bool {
    row.step_id == 0 && !matches!(row.status, RunStatus::InProgress)
}
