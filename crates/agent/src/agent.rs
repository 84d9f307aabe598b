//! The state machine's face.

use crate::jobs::{JobEntry, Slot};
use crate::progress::{later, retry_interval};
use crate::run::{RowContext, RunPhase, StopCause};
use crate::{AdoptedRun, AgentAction, AgentConfig, AgentInput, JobActivity, NextDue};
use jiff::Timestamp;
use model::{JobId, RunId, ScheduleUid};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The agent of one instance.
///
/// Tell it what happens with [`Agent::handle`], wake it with [`Agent::handle_timeout`] at
/// [`Agent::poll_timeout`], and after each call carry out what [`Agent::poll_action`] gives until it gives
/// nothing. What it holds is bounded by the jobs it was told of: one run a job, one timer a run, one due
/// moment a schedule.
#[derive(Debug)]
pub struct Agent {
    pub(crate) config: AgentConfig,
    pub(crate) now: Timestamp,
    /// The latest instant that a watermark may stand at.
    pub(crate) clock_high: Timestamp,
    pub(crate) phase: Phase,
    pub(crate) jobs: BTreeMap<JobId, JobEntry>,
    /// Runs in memory. Invariant: the job's entry holds the run.
    pub(crate) runs: BTreeMap<RunId, JobId>,
    /// Outcomes on their way to the store of runs that are not in memory.
    pub(crate) closing: BTreeSet<RunId>,
    /// The next moment of each active schedule.
    pub(crate) due: BTreeSet<(Timestamp, JobId, ScheduleUid)>,
    /// Next tries and harder stops.
    pub(crate) timers: BTreeSet<(Timestamp, RunId)>,
    /// Runs that wait for a place, in order.
    pub(crate) ready: VecDeque<RunId>,
    /// Runs to be adopted when everything is loaded.
    pub(crate) adopting: Vec<AdoptedRun>,
    /// Adopted runs to be taken on before the call ends.
    pub(crate) resuming: Vec<RunId>,
    /// Runs in `RunPhase::Executing`.
    pub(crate) running_steps: usize,
    pub(crate) actions: VecDeque<AgentAction>,
}

/// The agent's own life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Jobs and runs are being told; nothing is due.
    Loading,
    /// At work.
    Active,
    /// Nothing new starts; runs are stopped at the deadline.
    ShuttingDown {
        /// When.
        deadline: Timestamp,
    },
    /// Every run has its outcome.
    Stopped,
}

impl Agent {
    /// An agent that knows no jobs yet; see [`AgentInput`] for what it must be told at start.
    #[must_use]
    pub fn new(config: AgentConfig, now: Timestamp) -> Self {
        Self {
            config,
            now,
            clock_high: now,
            phase: Phase::Loading,
            jobs: BTreeMap::new(),
            runs: BTreeMap::new(),
            closing: BTreeSet::new(),
            due: BTreeSet::new(),
            timers: BTreeSet::new(),
            ready: VecDeque::new(),
            adopting: Vec::new(),
            resuming: Vec::new(),
            running_steps: 0,
            actions: VecDeque::new(),
        }
    }

    /// Takes note of what happened at `now`; drain [`Agent::poll_action`] afterwards.
    pub fn handle(&mut self, input: AgentInput, now: Timestamp) {
        self.note_clock(now);
        match input {
            AgentInput::JobChanged {
                document,
                schedules,
            } => self.job_changed(*document, &schedules),
            AgentInput::JobRemoved { job } => self.job_removed(job),
            AgentInput::Adopt(adopted) => self.adoption_told(*adopted),
            AgentInput::Started => {
                if self.phase == Phase::Loading {
                    self.phase = Phase::Active;
                    self.adopt_all();
                    self.run_start_schedules();
                    self.decide_due();
                }
            }
            AgentInput::StartRequested {
                job,
                run,
                source,
                start_at,
                already_recorded,
            } => self.start_requested(job, run, source, &start_at, already_recorded),
            AgentInput::StopRequested { job, by } => self.stop_requested(job, by),
            AgentInput::StartRecorded { run } => self.start_recorded(run),
            AgentInput::StartNotRecorded { run, fault } => self.start_not_recorded(run, fault),
            AgentInput::StepEnded {
                run,
                sequence,
                result,
            } if self.phase == Phase::Loading => {
                self.adopting_step_ended(run, sequence, *result);
            }
            AgentInput::StepEnded {
                run,
                sequence,
                result,
            } => self.step_ended(run, sequence, *result),
            AgentInput::OutcomeRecorded { run } => self.outcome_recorded(run),
            AgentInput::ClockChanged => self.handle_timeout(now),
            AgentInput::TimeZoneChanged(zone) => self.time_zone_changed(zone),
            AgentInput::Shutdown => self.shutdown(),
        }
        self.resume_adopted();
    }

    /// Does what is due at `now`, at most a batch of it. Calling early, late or too often does no harm.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.note_clock(now);
        while let Some(&(at, run)) = self.timers.first() {
            if at > now {
                break;
            }
            self.timer_fired(run);
        }
        match self.phase {
            Phase::Active => self.decide_due(),
            Phase::ShuttingDown { deadline } if deadline <= now => self.stop_all(),
            Phase::ShuttingDown { .. } | Phase::Loading | Phase::Stopped => {}
        }
    }

    /// The next act, in order; `None` when there is none.
    pub fn poll_action(&mut self) -> Option<AgentAction> {
        self.actions.pop_front()
    }

    /// When [`Agent::handle_timeout`] is wanted next, on the wall clock; may lie in the past. Wake at least
    /// once a minute as well, so that a step of the clock is noticed.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let timer = self.timers.first().map(|(at, _)| *at);
        let other = match self.phase {
            Phase::Active => self.due.first().map(|(at, ..)| *at),
            Phase::ShuttingDown { deadline } => self.has_unstopped_runs().then_some(deadline),
            Phase::Loading | Phase::Stopped => None,
        };
        timer.into_iter().chain(other).min()
    }

    /// What every job does, in order of their ids.
    pub fn activity(&self) -> impl Iterator<Item = JobActivity> + '_ {
        self.jobs
            .iter()
            .filter(|(_, entry)| !entry.removed || entry.run.is_some())
            .map(|(job, entry)| activity(*job, entry))
    }

    /// What jobs do that are not idle, in order of their runs' ids; cheap where few of many jobs run.
    pub fn running(&self) -> impl Iterator<Item = JobActivity> + '_ {
        self.runs
            .values()
            .filter_map(|job| Some(activity(*job, self.jobs.get(job)?)))
    }

    /// What one job does; `None` where the job is unknown.
    #[must_use]
    pub fn activity_of(&self, job: JobId) -> Option<JobActivity> {
        self.jobs.get(&job).map(|entry| activity(job, entry))
    }

    pub(crate) fn slot(&self, job: JobId, uid: ScheduleUid) -> Option<&Slot> {
        self.jobs.get(&job)?.slots.iter().find(|s| s.uid == uid)
    }

    pub(crate) fn row_context(&self) -> RowContext<'_> {
        RowContext {
            server: &self.config.server,
            zone: &self.config.time_zone,
        }
    }

    /// Sets or clears a run's timer.
    pub(crate) fn set_timer(&mut self, id: RunId, at: Option<Timestamp>) {
        let Some(run) = self.run_mut(id) else { return };
        let before = std::mem::replace(&mut run.timer, at);
        if let Some(before) = before {
            self.timers.remove(&(before, id));
        }
        if let Some(at) = at {
            self.timers.insert((at, id));
        }
    }

    /// Brings waits nearer that would grow by the step of the clock.
    pub(crate) fn clock_went_back(&mut self, now: Timestamp) {
        let limits = self.config.limits;
        let waits: Vec<(Timestamp, RunId)> = self.timers.iter().copied().collect();
        for (at, id) in waits {
            let wait = match self.run(id) {
                Some(run) if run.phase == RunPhase::BetweenRetries => {
                    retry_interval(run.step().retry_interval_minutes)
                }
                Some(_) => limits.stop_grace,
                None => continue,
            };
            self.set_timer(id, Some(at.min(later(now, wait))));
        }
        if let Phase::ShuttingDown { deadline } = &mut self.phase {
            *deadline = (*deadline).min(later(now, limits.shutdown_timeout));
        }
    }

    fn shutdown(&mut self) {
        if matches!(self.phase, Phase::ShuttingDown { .. } | Phase::Stopped) {
            return;
        }
        let deadline = later(self.now, self.config.limits.shutdown_timeout);
        self.phase = Phase::ShuttingDown { deadline };
        let pointless: Vec<RunId> = self
            .runs
            .keys()
            .copied()
            .filter(|id| {
                self.run(*id).is_some_and(|run| {
                    run.phase == RunPhase::BetweenRetries && run.timer > Some(deadline)
                })
            })
            .collect();
        for id in pointless {
            self.stop_run(id, StopCause::Shutdown);
        }
        self.complete_shutdown();
    }

    fn stop_all(&mut self) {
        let all: Vec<RunId> = self.runs.keys().copied().collect();
        for id in all {
            self.stop_run(id, StopCause::Shutdown);
        }
    }

    fn has_unstopped_runs(&self) -> bool {
        self.runs.keys().any(|id| {
            self.run(*id).is_some_and(|run| {
                run.stop.is_none() && !matches!(run.phase, RunPhase::Completing(_))
            })
        })
    }

    /// Ends the shutdown when nothing is going on any more.
    pub(crate) fn complete_shutdown(&mut self) {
        if matches!(self.phase, Phase::ShuttingDown { .. })
            && self.runs.is_empty()
            && self.closing.is_empty()
        {
            self.phase = Phase::Stopped;
            self.actions.push_back(AgentAction::ShutdownComplete);
        }
    }
}

fn activity(job: JobId, entry: &JobEntry) -> JobActivity {
    let next = entry
        .slots
        .iter()
        .filter_map(|slot| {
            Some(NextDue {
                at: slot.next?,
                schedule: slot.uid,
                schedule_id: slot.schedule_id,
            })
        })
        .min_by_key(|next| (next.at, next.schedule));
    JobActivity {
        job,
        run: entry.run.as_deref().map(crate::run::Run::activity),
        next,
    }
}
