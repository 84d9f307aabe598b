//! Runs that began under an earlier process of the agent.

use crate::agent::{Agent, Phase};
use crate::flow::{self, Flow, step_index};
use crate::progress::{later, retry_interval};
use crate::run::{OutcomeIdentity, Replay, Run, RunPhase, StopCause};
use crate::{AdoptedAttempt, AdoptedRun, AdoptedState, AgentAction, Refused, StepResult, texts};
use model::{RunId, RunStatus};
use std::sync::Arc;

/// Where an adopted run goes on.
enum Position {
    /// At this step, first try.
    Step(usize),
    /// At this step, which waits to be tried again.
    Retry(usize),
    /// It has its outcome; only the row is missing.
    End(RunStatus, Option<String>),
}

impl Agent {
    /// Keeps a run to be adopted when everything is loaded.
    pub(crate) fn adoption_told(&mut self, adopted: AdoptedRun) {
        let known = self.adopting.iter().any(|other| other.run == adopted.run);
        if self.phase == Phase::Loading && !known {
            self.adopting.push(adopted);
        } else if self.phase == Phase::Active {
            self.adopt(adopted);
        }
    }

    /// Adopts what was told. Where two runs of a job are durable, one was about to be refused: the one that has
    /// come further goes on.
    pub(crate) fn adopt_all(&mut self) {
        let mut adopting = std::mem::take(&mut self.adopting);
        adopting.sort_by_key(|run| run.rows == 0 && run.attempts.is_empty());
        for adopted in adopting {
            self.adopt(adopted);
        }
        self.resume_adopted();
    }

    /// Notes the end of a try of a run that is still to be adopted.
    pub(crate) fn adopting_step_ended(&mut self, run: RunId, sequence: u32, result: StepResult) {
        let attempt = self
            .adopting
            .iter_mut()
            .filter(|adopted| adopted.run == run)
            .flat_map(|adopted| &mut adopted.attempts)
            .find(|attempt| attempt.sequence == sequence);
        if let Some(attempt) = attempt {
            attempt.state = AdoptedState::Ended(Box::new(result));
        }
    }

    fn adopt(&mut self, adopted: AdoptedRun) {
        let id = adopted.run;
        if self.runs.contains_key(&id) || self.closing.contains(&id) {
            return;
        }
        let note = match self.jobs.get(&adopted.job) {
            None => Some(texts::NOTE_JOB_GONE.to_owned()),
            Some(entry) if entry.removed => Some(texts::NOTE_JOB_GONE.to_owned()),
            // A START can be durable while an earlier run of its job goes on; it would have been refused. Which
            // of the two that was, nobody knows any more when the launcher died too.
            Some(entry) if entry.run.is_some() && !adopted.attempts_complete => {
                Some(texts::LAUNCH_UNKNOWN.to_owned())
            }
            Some(entry) => entry.run.as_ref().map(|run| {
                texts::note_refused(&Refused::AlreadyRunning {
                    by: texts::source_name(&run.source),
                })
            }),
        };
        if let Some(note) = note {
            self.close_adopted(&adopted, &note);
            return;
        }
        let Some(entry) = self.jobs.get_mut(&adopted.job) else {
            return;
        };
        let document = Arc::clone(&entry.document);
        let position = position(&document, &adopted);
        let at = match &position {
            Position::Step(index) | Position::Retry(index) => *index,
            Position::End(..) => adopted
                .last_row
                .and_then(|row| step_index(&document, row.step_id))
                .unwrap_or(0),
        };
        if document.steps.is_empty() {
            let note = texts::note_refused(&Refused::NoSteps);
            self.close_adopted(&adopted, &note);
            return;
        }
        let mut run = Run::new(id, adopted.source, document, at, self.now);
        run.requested = adopted.requested;
        run.started = adopted.started;
        run.start_step_id = adopted.start_step_id;
        run.rows = adopted.rows;
        run.phase = RunPhase::Ready;
        run.last_step = adopted
            .last_row
            .and_then(|row| step_index(&run.document, row.step_id));
        run.executions = adopted
            .executions
            .iter()
            .filter_map(|(step_id, count)| Some((step_index(&run.document, *step_id)?, *count)))
            .collect();
        let running: Vec<u32> = running(&adopted.attempts).collect();
        run.replay = Some(Replay {
            attempts: adopted
                .attempts
                .into_iter()
                .filter(|attempt| attempt.sequence >= adopted.rows)
                .map(|attempt| (attempt.sequence, attempt))
                .collect(),
            complete: adopted.attempts_complete,
        });
        if matches!(position, Position::End(RunStatus::Canceled, _)) {
            run.stop = Some((StopCause::Earlier, self.now));
        }
        if let (Position::Retry(_), Some(row)) = (&position, adopted.last_row) {
            run.retry = row.retries_attempted;
        }
        let interval = retry_interval(run.step().retry_interval_minutes);
        entry.run = Some(Box::new(run));
        self.runs.insert(id, adopted.job);
        match position {
            Position::Step(_) => self.make_ready(id),
            Position::Retry(_) => {
                let ended = adopted.last_row.map_or(self.now, |row| row.ended);
                let at = if ended > self.now && !adopted.attempts_complete {
                    // The clock was set back, so it does not tell whether the wait was over.
                    self.now
                } else {
                    // Not later than a full wait from now.
                    later(ended.min(self.now), interval)
                };
                self.retry_at(id, at);
            }
            Position::End(status, note) => {
                for sequence in running {
                    self.stop_orphan(id, sequence);
                }
                self.finish(id, status, note);
            }
        }
    }

    fn close_adopted(&mut self, adopted: &AdoptedRun, note: &str) {
        for sequence in running(&adopted.attempts) {
            self.stop_orphan(adopted.run, sequence);
        }
        let identity = OutcomeIdentity {
            run: adopted.run,
            row: adopted.rows,
            job: adopted.job,
            started: adopted.started,
        };
        self.close(identity, &adopted.source, note);
    }

    /// Orders a step to stop that no run waits for.
    pub(crate) fn stop_orphan(&mut self, run: RunId, sequence: u32) {
        self.actions.push_back(AgentAction::StopStep {
            run,
            sequence,
            force: true,
        });
    }
}

/// Tries that go on.
fn running(attempts: &[AdoptedAttempt]) -> impl Iterator<Item = u32> + '_ {
    attempts
        .iter()
        .filter(|attempt| attempt.state == AdoptedState::Running)
        .map(|attempt| attempt.sequence)
}

/// Where a run with these rows goes on. Steps are looked up in the job as it is now.
fn position(document: &model::JobDocument, adopted: &AdoptedRun) -> Position {
    let at_step = |step_id: i32, make: fn(usize) -> Position| {
        step_index(document, step_id).map_or_else(
            || {
                let note = texts::note_no_such_step(step_id);
                Position::End(RunStatus::Failed, Some(note))
            },
            make,
        )
    };
    let Some(row) = adopted.last_row else {
        if adopted.rows > 0 {
            // Steps were run, and what they came to is gone: nothing runs a second time.
            let note = texts::note_rows_gone();
            return Position::End(RunStatus::Failed, Some(note));
        }
        return at_step(adopted.start_step_id, Position::Step);
    };
    let success = match row.status {
        RunStatus::Retry => return at_step(row.step_id, Position::Retry),
        RunStatus::Canceled => return Position::End(RunStatus::Canceled, None),
        RunStatus::Succeeded => true,
        RunStatus::Failed | RunStatus::InProgress => false,
    };
    let Some(index) = step_index(document, row.step_id) else {
        return at_step(row.step_id, Position::Step);
    };
    match flow::after(document, index, success) {
        Flow::Step(next) => Position::Step(next),
        Flow::End { success: true } => Position::End(RunStatus::Succeeded, None),
        Flow::End { success: false } => Position::End(RunStatus::Failed, None),
        Flow::NoSuchStep(step_id) => {
            Position::End(RunStatus::Failed, Some(texts::note_no_such_step(step_id)))
        }
    }
}
