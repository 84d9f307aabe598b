//! A run's way from step to step to its outcome.

use crate::agent::{Agent, Phase};
use crate::flow::{self, Flow};
use crate::run::{Replay, Run, RunPhase, StopCause};
use crate::{AdoptedState, AgentAction, Launch, StepEnd, StepResult, texts};
use jiff::{SignedDuration, Timestamp};
use model::{JobId, NotifyLevel, RunId, RunStatus};
use std::sync::Arc;

impl Agent {
    pub(crate) fn run(&self, id: RunId) -> Option<&Run> {
        let job = self.runs.get(&id)?;
        self.jobs.get(job)?.run.as_deref()
    }

    pub(crate) fn run_mut(&mut self, id: RunId) -> Option<&mut Run> {
        let job = self.runs.get(&id)?;
        self.jobs.get_mut(job)?.run.as_deref_mut()
    }

    /// Puts a run in line for its step. An adopted run whose try is known does not wait for a place.
    pub(crate) fn make_ready(&mut self, id: RunId) {
        let Some(run) = self.run_mut(id) else { return };
        run.phase = RunPhase::Ready;
        if run.replay.is_some() {
            self.resuming.push(id);
        } else {
            self.ready.push_back(id);
            self.launch_ready();
        }
    }

    /// Launches runs that wait, as far as there are places.
    pub(crate) fn launch_ready(&mut self) {
        while self.running_steps < self.config.limits.running_steps_max.max(1) {
            let Some(id) = self.ready.pop_front() else {
                break;
            };
            self.launch(id);
        }
    }

    /// Takes adopted runs on as far as the launcher's knowledge reaches.
    pub(crate) fn resume_adopted(&mut self) {
        while let Some(id) = self.resuming.pop() {
            self.resume(id);
        }
    }

    /// Takes an adopted run on by what the launcher knows of its try.
    fn resume(&mut self, id: RunId) {
        let now = self.now;
        let Some(run) = self.run_mut(id) else { return };
        let Some(Replay { attempts, complete }) = &mut run.replay else {
            return;
        };
        let sequence = run.rows;
        let Some(known) = attempts.remove(&sequence) else {
            let complete = *complete;
            run.replay = None;
            if complete {
                self.make_ready(id);
            } else {
                self.executing(id);
                self.step_ended(id, sequence, unknown_launch(now));
            }
            return;
        };
        // What was launched counts, not what the job, changed meanwhile, would launch now.
        let Some(index) = flow::step_index(&run.document, known.step_id) else {
            if known.state == AdoptedState::Running {
                self.stop_orphan(id, sequence);
            }
            let note = texts::note_no_such_step(known.step_id);
            self.finish(id, RunStatus::Failed, Some(note));
            return;
        };
        run.step_index = index;
        run.retry = known.retry;
        match known.state {
            AdoptedState::Running => {
                run.replay = None;
                self.executing(id);
            }
            AdoptedState::Ended(result) => {
                self.executing(id);
                self.step_ended(id, sequence, *result);
            }
        }
    }

    fn launch(&mut self, id: RunId) {
        let Some(run) = self.run(id).filter(|run| run.phase == RunPhase::Ready) else {
            return;
        };
        // The outcome's row needs a number too.
        if run.rows == u32::MAX {
            self.finish(
                id,
                RunStatus::Failed,
                Some(texts::NOTE_ROWS_FULL.to_owned()),
            );
            return;
        }
        self.executing(id);
        let Some(run) = self.run(id) else { return };
        let launch = Launch {
            run: id,
            sequence: run.rows,
            retry: run.retry,
            executions: run.executions.get(&run.step_index).copied().unwrap_or(1),
            document: Arc::clone(&run.document),
            step_index: run.step_index,
            run_started: run.started,
            source: run.source.clone(),
        };
        self.actions
            .push_back(AgentAction::LaunchStep(Box::new(launch)));
    }

    /// Notes that a try of the run's step goes on.
    fn executing(&mut self, id: RunId) {
        let now = self.now;
        if let Some(run) = self.run_mut(id) {
            run.phase = RunPhase::Executing { since: now };
            run.last_step = Some(run.step_index);
            if run.retry == 0 {
                let executions = run.executions.entry(run.step_index).or_insert(0);
                *executions = executions.saturating_add(1);
            }
            self.running_steps += 1;
        }
    }

    pub(crate) fn step_ended(&mut self, id: RunId, sequence: u32, result: StepResult) {
        let now = self.now;
        let going_on =
            |run: &&Run| matches!(run.phase, RunPhase::Executing { .. }) && run.rows == sequence;
        let Some(run) = self.run(id).filter(going_on) else {
            return;
        };
        let step = run.step();
        let success = match result.end {
            StepEnd::Succeeded => true,
            StepEnd::Exited(code) => code == step.cmdexec_success_code,
            StepEnd::Failed | StepEnd::Stopped | StepEnd::Unknown => false,
        };
        let unknown = result.end == StepEnd::Unknown;
        // A step that ended before the stop was asked for has ended by itself.
        let stopped = !unknown
            && (result.end == StepEnd::Stopped
                || run.stop.as_ref().is_some_and(|(_, at)| result.ended >= *at));
        let retries = !success
            && !stopped
            && !unknown
            && run.stop.is_none()
            && run.retry < step.retry_attempts;
        let status = match (stopped, success, retries) {
            (true, _, _) => RunStatus::Canceled,
            (_, true, _) => RunStatus::Succeeded,
            (_, _, true) => RunStatus::Retry,
            (..) => RunStatus::Failed,
        };
        let retry_at = later(now, retry_interval(step.retry_interval_minutes));
        let row = run.step_row(&result, status, self.row_context());
        let flow = flow::after(&run.document, run.step_index, success);
        let stop_asked = run.stop.is_some();

        self.actions
            .push_back(AgentAction::RecordStep(Box::new(row)));
        self.running_steps -= 1;
        self.set_timer(id, None);
        if let Some(run) = self.run_mut(id) {
            run.rows += 1;
            if stopped && run.stop.is_none() {
                run.stop = Some((StopCause::Earlier, now));
            }
        }
        if stopped {
            self.finish(id, RunStatus::Canceled, None);
        } else if unknown {
            self.finish(
                id,
                RunStatus::Failed,
                Some(texts::NOTE_END_UNKNOWN.to_owned()),
            );
        } else if retries {
            self.retry_at(id, retry_at);
        } else {
            match flow {
                Flow::Step(_) if stop_asked => self.finish(id, RunStatus::Canceled, None),
                Flow::Step(index) => {
                    if let Some(run) = self.run_mut(id) {
                        run.step_index = index;
                        run.retry = 0;
                    }
                    self.make_ready(id);
                }
                Flow::End { success: true } => self.finish(id, RunStatus::Succeeded, None),
                Flow::End { success: false } => self.finish(id, RunStatus::Failed, None),
                Flow::NoSuchStep(step_id) => {
                    let note = texts::note_no_such_step(step_id);
                    self.finish(id, RunStatus::Failed, Some(note));
                }
            }
        }
        self.launch_ready();
    }

    /// Lets a run wait for its next try, at once where `at` has come or the try is known to go on already.
    pub(crate) fn retry_at(&mut self, id: RunId, at: Timestamp) {
        let (now, phase) = (self.now, self.phase);
        let Some(run) = self.run_mut(id) else { return };
        run.retry += 1;
        // Where nobody knows all tries, this one may have begun: by an earlier interval of the job, or by a
        // clock that was set back since.
        let known = run
            .replay
            .as_ref()
            .is_some_and(|replay| !replay.complete || replay.attempts.contains_key(&run.rows));
        if at <= now || known {
            self.make_ready(id);
            return;
        }
        run.replay = None;
        run.phase = RunPhase::BetweenRetries;
        let beyond_end = match phase {
            Phase::Loading | Phase::Active => false,
            Phase::ShuttingDown { deadline } => at > deadline,
            Phase::Stopped => true,
        };
        if beyond_end {
            self.stop_run(id, StopCause::Shutdown);
        } else {
            self.set_timer(id, Some(at));
        }
    }

    /// Stops a run: at once where no step goes on.
    pub(crate) fn stop_run(&mut self, id: RunId, cause: StopCause) {
        let now = self.now;
        let grace = self.config.limits.stop_grace;
        let Some(run) = self.run_mut(id) else { return };
        if run.stop.is_some() {
            return;
        }
        let (phase, sequence) = (run.phase, run.rows);
        match phase {
            RunPhase::Completing(_) => {}
            RunPhase::Recording => run.stop = Some((cause, now)),
            RunPhase::Ready | RunPhase::BetweenRetries => {
                run.stop = Some((cause, now));
                self.finish(id, RunStatus::Canceled, None);
            }
            RunPhase::Executing { .. } => {
                run.stop = Some((cause, now));
                self.actions.push_back(AgentAction::StopStep {
                    run: id,
                    sequence,
                    force: false,
                });
                self.set_timer(id, Some(later(now, grace)));
            }
        }
    }

    /// A run's timer has come: the next try, or a harder order to stop.
    pub(crate) fn timer_fired(&mut self, id: RunId) {
        let now = self.now;
        let grace = self.config.limits.stop_grace;
        self.set_timer(id, None);
        let Some(run) = self.run(id) else { return };
        let sequence = run.rows;
        match run.phase {
            RunPhase::BetweenRetries => self.make_ready(id),
            RunPhase::Executing { .. } if run.stop.is_some() => {
                self.actions.push_back(AgentAction::StopStep {
                    run: id,
                    sequence,
                    force: true,
                });
                self.set_timer(id, Some(later(now, grace)));
            }
            RunPhase::Executing { .. }
            | RunPhase::Recording
            | RunPhase::Ready
            | RunPhase::Completing(_) => {}
        }
    }

    /// Ends a run: its outcome is to be made durable.
    pub(crate) fn finish(&mut self, id: RunId, status: RunStatus, note: Option<String>) {
        self.set_timer(id, None);
        let now = self.now;
        let Some(run) = self.run(id) else { return };
        let row = run.outcome_row(status, note.as_deref(), now, self.row_context());
        self.actions
            .push_back(AgentAction::RecordOutcome(Box::new(row)));
        if let Some(run) = self.run_mut(id) {
            let before = std::mem::replace(&mut run.phase, RunPhase::Completing(status));
            run.replay = None;
            if before == RunPhase::Ready {
                self.ready.retain(|waiting| *waiting != id);
            }
        }
    }

    pub(crate) fn outcome_recorded(&mut self, id: RunId) {
        self.closing.remove(&id);
        let status = match self.run(id).map(|run| run.phase) {
            Some(RunPhase::Completing(status)) => Some(status),
            Some(
                RunPhase::Recording
                | RunPhase::Ready
                | RunPhase::Executing { .. }
                | RunPhase::BetweenRetries,
            )
            | None => None,
        };
        if let Some(status) = status
            && let Some(job) = self.forget_run(id)
        {
            self.delete_after(job, id, status);
            self.forget_removed_job(job);
        }
        self.complete_shutdown();
    }

    /// Takes a run out of memory and returns its job.
    pub(crate) fn forget_run(&mut self, id: RunId) -> Option<JobId> {
        self.set_timer(id, None);
        let job = self.runs.remove(&id)?;
        if let Some(entry) = self.jobs.get_mut(&job) {
            entry.run = None;
        }
        Some(job)
    }

    /// Forgets a deleted job whose run has ended.
    pub(crate) fn forget_removed_job(&mut self, job: JobId) {
        if self
            .jobs
            .get(&job)
            .is_some_and(|entry| entry.removed && entry.run.is_none())
        {
            self.jobs.remove(&job);
        }
    }

    fn delete_after(&mut self, job: JobId, run: RunId, status: RunStatus) {
        let Some(entry) = self.jobs.get(&job).filter(|entry| !entry.removed) else {
            return;
        };
        let wanted = match entry.document.job.delete_level {
            NotifyLevel::Never => false,
            NotifyLevel::OnSuccess => status == RunStatus::Succeeded,
            NotifyLevel::OnFailure => status == RunStatus::Failed,
            NotifyLevel::Always => true,
        };
        if wanted {
            self.actions.push_back(AgentAction::DeleteJob { job, run });
        }
    }
}

/// The result of a try that may or may not have been launched.
fn unknown_launch(now: Timestamp) -> StepResult {
    StepResult {
        end: StepEnd::Unknown,
        message: texts::LAUNCH_UNKNOWN.to_owned(),
        sql_message_id: 0,
        sql_severity: 0,
        output: None,
        started: now,
        ended: now,
    }
}

pub(crate) fn retry_interval(minutes: i32) -> SignedDuration {
    SignedDuration::from_mins(i64::from(minutes.max(0)))
}

/// `from` and `duration`, at most the last instant there is.
pub(crate) fn later(from: Timestamp, duration: SignedDuration) -> Timestamp {
    from.saturating_add(duration).unwrap_or(Timestamp::MAX)
}
