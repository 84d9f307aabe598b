//! Due moments: started, or recorded as missed.

use crate::agent::{Agent, Phase};
use crate::jobs::{Slot, find};
use crate::run::{Run, RunPhase};
use crate::{AgentAction, MissedReason, Refused, StartRow};
use jiff::Timestamp;
use model::{Frequency, JobId, RunId, RunSource, ScheduleUid};
use schedule::{due_between, next_run};
use std::sync::Arc;

impl Agent {
    /// Decides due moments, at most a batch.
    pub(crate) fn decide_due(&mut self) {
        for _ in 0..self.config.limits.due_batch_max {
            if !self.decide_first_due() {
                break;
            }
        }
    }

    /// Decides the schedule that is due first; `false` when none is due.
    pub(crate) fn decide_first_due(&mut self) -> bool {
        match self.due.first() {
            Some(&(at, job, uid)) if at <= self.now => {
                self.due.pop_first();
                // Until its start is durable or refused by the store, nothing later of the job may be
                // accounted for: the watermark would pass a moment that has neither run nor row.
                let starting = self
                    .jobs
                    .get(&job)
                    .and_then(|entry| entry.run.as_ref())
                    .is_some_and(|run| run.phase == RunPhase::Recording);
                if !starting {
                    self.decide(job, uid);
                }
                true
            }
            _ => false,
        }
    }

    /// Takes up moments that were put off while a start was on its way to the disk.
    pub(crate) fn resume_due(&mut self, job: JobId) {
        if let Some(entry) = self.jobs.get(&job) {
            let next = |slot: &Slot| Some((slot.next?, job, slot.uid));
            self.due.extend(entry.slots.iter().filter_map(next));
        }
        self.settle_job(job);
    }

    /// Decides what is due of one job, also what was put off.
    pub(crate) fn settle_job(&mut self, job: JobId) {
        if self.phase != Phase::Active {
            return;
        }
        while let Some(uid) = self.jobs.get(&job).and_then(|entry| {
            let earliest = entry
                .slots
                .iter()
                .min_by_key(|s| (s.next.is_none(), s.next))?;
            earliest
                .next
                .is_some_and(|next| next <= self.now)
                .then_some(earliest.uid)
        }) {
            self.decide(job, uid);
        }
    }

    /// Runs jobs with a schedule for the start of the agent.
    pub(crate) fn run_start_schedules(&mut self) {
        let today = self.config.time_zone.to_datetime(self.now).date();
        let wanted: Vec<(JobId, ScheduleUid)> = self
            .jobs
            .iter()
            .filter(|(_, entry)| entry.document.job.enabled)
            .filter_map(|(job, entry)| {
                let schedule = entry.document.schedules.iter().find(|s| {
                    s.enabled
                        && s.frequency == Frequency::AgentStart
                        && (s.active_start_date..=s.active_end_date).contains(&today)
                })?;
                Some((*job, schedule.uid))
            })
            .collect();
        for (job, uid) in wanted {
            let run = RunId::scheduled(self.config.instance, job, self.now);
            let source = RunSource::AgentStart { uid };
            match self.startable(job, &crate::StartAt::JobStart) {
                Ok(step_index) => self.begin(job, run, source, step_index, Vec::new()),
                Err(why) => self.refuse_start(job, run, source, why),
            }
        }
    }

    /// Decides all moments of one schedule from its watermark to now: the latest starts a run, where it is
    /// not too late; the others are missed.
    fn decide(&mut self, job: JobId, uid: ScheduleUid) {
        let Some(entry) = self.jobs.get(&job) else {
            return;
        };
        let Some(slot) = entry.slots.iter().find(|s| s.uid == uid).copied() else {
            return;
        };
        let document = Arc::clone(&entry.document);
        let Some(schedule) = find(&document, uid) else {
            return;
        };
        let now = self.now;
        let Some(span) = due_between(schedule, slot.accounted, now, &self.config.time_zone) else {
            // Nothing is due after all; look again from here.
            self.account(job, uid, now.max(slot.accounted));
            self.tell_progress(job, uid);
            return;
        };
        let in_time = now.duration_since(span.last) <= self.config.limits.start_lateness_max;
        if !in_time {
            self.account(job, uid, span.last);
            self.miss(
                job,
                uid,
                MissedReason::Late,
                (span.first, span.last, span.count),
            );
            return;
        }
        let due = span.last;
        self.miss_before(job, uid, &span);
        let run = RunId::scheduled(self.config.instance, job, due);
        match self.startable(job, &crate::StartAt::JobStart) {
            Ok(step_index) => {
                let progress = self.account_all_at(job, due);
                let source = RunSource::Schedule {
                    uid,
                    schedule_id: slot.schedule_id,
                    name: schedule.name.clone(),
                    due,
                };
                self.begin(job, run, source, step_index, progress);
            }
            Err(why) => {
                self.account(job, uid, due);
                let reason = match why {
                    Refused::AlreadyRunning { .. } if self.runs.contains_key(&run) => {
                        // This very moment runs, by another schedule.
                        self.tell_progress(job, uid);
                        return;
                    }
                    Refused::AlreadyRunning { .. } => MissedReason::StillRunning,
                    Refused::NoSteps
                    | Refused::NoSuchStep { .. }
                    | Refused::NoSuchJob
                    | Refused::NotRunning
                    | Refused::NotRecorded { .. }
                    | Refused::Starting
                    | Refused::ShuttingDown => MissedReason::NothingToRun,
                };
                self.miss(job, uid, reason, (due, due, 1));
            }
        }
    }

    /// Accounts every schedule of a job for which `due` is a moment, so that one start covers them all.
    fn account_all_at(&mut self, job: JobId, due: Timestamp) -> Vec<crate::ScheduleProgress> {
        let Some(entry) = self.jobs.get(&job) else {
            return Vec::new();
        };
        let document = Arc::clone(&entry.document);
        let candidates: Vec<_> = entry
            .slots
            .iter()
            .filter(|slot| slot.next.is_some_and(|next| next <= due))
            .copied()
            .collect();
        let mut covered = Vec::with_capacity(candidates.len());
        for slot in candidates {
            let span = find(&document, slot.uid)
                .and_then(|s| due_between(s, slot.accounted, due, &self.config.time_zone))
                .filter(|span| span.last == due);
            if let Some(span) = span {
                self.miss_before(job, slot.uid, &span);
                self.account(job, slot.uid, due);
                covered.push(slot.uid);
            }
        }
        let slots = self.jobs.get(&job).map_or(&[][..], |entry| &entry.slots);
        slots
            .iter()
            .filter(|slot| covered.contains(&slot.uid))
            .map(|slot| slot.progress())
            .collect()
    }

    /// Records the moments of a span before its last as missed.
    fn miss_before(&mut self, job: JobId, uid: ScheduleUid, span: &schedule::DueSpan) {
        if let Some(before) = span.before_last {
            self.account(job, uid, before);
            self.miss(
                job,
                uid,
                MissedReason::Late,
                (span.first, before, span.count - 1),
            );
        }
    }

    fn miss(
        &mut self,
        job: JobId,
        uid: ScheduleUid,
        reason: MissedReason,
        (first, last, count): (Timestamp, Timestamp, u64),
    ) {
        if let Some(slot) = self.slot(job, uid) {
            let progress = slot.progress();
            self.actions.push_back(AgentAction::RecordMissed {
                job,
                reason,
                first,
                last,
                count,
                progress,
            });
        }
    }

    /// Records the moment of a scheduled run whose start row was not written.
    pub(crate) fn miss_unrecorded(&mut self, job: JobId, uid: ScheduleUid, due: Timestamp) {
        self.miss(job, uid, MissedReason::NotRecorded, (due, due, 1));
    }

    /// Moves a schedule's watermark and finds its next moment.
    fn account(&mut self, job: JobId, uid: ScheduleUid, accounted: Timestamp) {
        let Some(entry) = self.jobs.get_mut(&job) else {
            return;
        };
        let Some(slot) = entry.slots.iter_mut().find(|s| s.uid == uid) else {
            return;
        };
        if let Some(next) = slot.next {
            self.due.remove(&(next, job, uid));
        }
        slot.accounted = accounted;
        slot.next =
            find(&entry.document, uid).and_then(|s| next_run(s, accounted, &self.config.time_zone));
        if let Some(next) = slot.next {
            self.due.insert((next, job, uid));
        }
    }

    /// Tells the store how far a schedule has come.
    pub(crate) fn tell_progress(&mut self, job: JobId, uid: ScheduleUid) {
        if let Some(slot) = self.slot(job, uid) {
            let progress = slot.progress();
            self.actions
                .push_back(AgentAction::NextRun { job, progress });
        }
    }

    /// Begins a run whose start row is yet to be written.
    pub(crate) fn begin(
        &mut self,
        job: JobId,
        id: RunId,
        source: RunSource,
        step_index: usize,
        progress: Vec<crate::ScheduleProgress>,
    ) {
        self.insert_run(job, id, source, step_index);
        let Some(run) = self.run_mut(id) else { return };
        run.covers = progress.iter().map(|p| p.schedule).collect();
        let row = StartRow {
            run: id,
            job,
            source: run.source.clone(),
            requested: run.requested,
            started: run.started,
            start_step_id: run.start_step_id,
            progress,
        };
        self.actions
            .push_back(AgentAction::RecordStart(Box::new(row)));
    }

    /// Takes a new run of a job into memory.
    pub(crate) fn insert_run(
        &mut self,
        job: JobId,
        id: RunId,
        source: RunSource,
        step_index: usize,
    ) {
        if let Some(entry) = self.jobs.get_mut(&job) {
            let document = Arc::clone(&entry.document);
            entry.run = Some(Box::new(Run::new(
                id, source, document, step_index, self.now,
            )));
            self.runs.insert(id, job);
        }
    }
}
