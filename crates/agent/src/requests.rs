//! Starts and stops that somebody asks for.

use crate::agent::{Agent, Phase};
use crate::flow::step_index;
use crate::run::{OutcomeIdentity, RunPhase, StopCause, outcome_row};
use crate::texts::{self, OutcomeText};
use crate::{AgentAction, Launch, Refusal, Refused, RefusedRequest, StartAt, StartFault};
use jiff::Timestamp;
use model::{JobId, RunId, RunSource, RunStatus};
use std::sync::Arc;

impl Agent {
    /// The first launch of a run, if it were asked for at `now` and its start row were there. Changes nothing.
    ///
    /// Whoever has to wait for that row can get a process ready meanwhile. `None` where nothing would be
    /// launched at once.
    #[must_use]
    pub fn expected_launch(
        &self,
        job: JobId,
        run: RunId,
        source: RunSource,
        start_at: &StartAt,
        now: Timestamp,
    ) -> Option<Launch> {
        if self.phase != Phase::Active
            || !self.ready.is_empty()
            || self.running_steps >= self.config.limits.running_steps_max
        {
            return None;
        }
        let step_index = self.startable(job, start_at).ok()?;
        Some(Launch {
            run,
            sequence: 0,
            retry: 0,
            executions: 1,
            document: Arc::clone(&self.jobs.get(&job)?.document),
            step_index,
            run_started: now,
            source,
        })
    }

    pub(crate) fn start_requested(
        &mut self,
        job: JobId,
        run: RunId,
        source: RunSource,
        start_at: &StartAt,
        already_recorded: bool,
    ) {
        if self.runs.contains_key(&run) || self.closing.contains(&run) {
            return;
        }
        let allowed = match self.phase {
            Phase::Loading => Err(Refused::Starting),
            Phase::Active => self.startable(job, start_at),
            Phase::ShuttingDown { .. } | Phase::Stopped => Err(Refused::ShuttingDown),
        };
        match allowed {
            Ok(step_index) if already_recorded => {
                self.insert_run(job, run, source, step_index);
                self.make_ready(run);
            }
            Ok(step_index) => self.begin(job, run, source, step_index, Vec::new()),
            Err(why) => {
                if already_recorded {
                    let identity = OutcomeIdentity {
                        run,
                        row: 0,
                        job,
                        started: self.now,
                    };
                    self.close(identity, &source, &texts::note_refused(&why));
                }
                self.refuse_start(job, run, source, why);
            }
        }
    }

    pub(crate) fn stop_requested(&mut self, job: JobId, by: String) {
        let run = self
            .jobs
            .get(&job)
            .and_then(|entry| entry.run.as_ref())
            .filter(|run| !matches!(run.phase, RunPhase::Completing(_)))
            .map(|run| run.id);
        if let Some(run) = run {
            self.stop_run(run, StopCause::User(by));
            return;
        }
        let why = if self.phase == Phase::Loading {
            Refused::Starting
        } else if self.jobs.contains_key(&job) {
            Refused::NotRunning
        } else {
            Refused::NoSuchJob
        };
        self.refuse(job, RefusedRequest::Stop { by }, why);
    }

    pub(crate) fn start_recorded(&mut self, id: RunId) {
        let stopping = !matches!(self.phase, Phase::Loading | Phase::Active);
        let job = self.runs.get(&id).copied();
        let Some(run) = self.run_mut(id).filter(|r| r.phase == RunPhase::Recording) else {
            return;
        };
        if stopping && run.stop.is_none() {
            run.stop = Some((StopCause::Shutdown, run.requested));
        }
        if run.stop.is_some() {
            self.finish(id, RunStatus::Canceled, None);
        } else {
            self.make_ready(id);
        }
        if let Some(job) = job {
            self.resume_due(job);
        }
    }

    pub(crate) fn start_not_recorded(&mut self, id: RunId, fault: StartFault) {
        let Some(run) = self.run_mut(id).filter(|r| r.phase == RunPhase::Recording) else {
            return;
        };
        let source = run.source.clone();
        let covers = std::mem::take(&mut run.covers);
        let Some(job) = self.forget_run(id) else {
            return;
        };
        match fault {
            StartFault::Duplicate => {
                // The moment had its run; what was to be committed with the start still has to be.
                for uid in covers {
                    self.tell_progress(job, uid);
                }
            }
            StartFault::Failed(cause) => {
                if let RunSource::Schedule { due, .. } = source {
                    for uid in covers {
                        self.miss_unrecorded(job, uid, due);
                    }
                }
                self.refuse_start(job, id, source, Refused::NotRecorded { cause });
            }
        }
        self.forget_removed_job(job);
        self.resume_due(job);
        self.complete_shutdown();
    }

    /// Index of the step a run of the job would begin with.
    pub(crate) fn startable(&self, job: JobId, start_at: &StartAt) -> Result<usize, Refused> {
        let entry = self.jobs.get(&job).ok_or(Refused::NoSuchJob)?;
        if let Some(run) = &entry.run {
            return Err(Refused::AlreadyRunning {
                by: texts::source_name(&run.source),
            });
        }
        if entry.removed {
            return Err(Refused::NoSuchJob);
        }
        let document = &entry.document;
        if document.steps.is_empty() {
            return Err(Refused::NoSteps);
        }
        let (index, step) = match start_at {
            StartAt::JobStart => {
                let id = document.job.start_step_id;
                (step_index(document, id), id.to_string())
            }
            StartAt::Step(id) => (step_index(document, *id), id.to_string()),
            StartAt::Named(name) => {
                let lower = name.to_lowercase();
                let named = |step: &model::JobStep| step.name.to_lowercase() == lower;
                (document.steps.iter().position(named), name.clone())
            }
        };
        index.ok_or(Refused::NoSuchStep { step })
    }

    pub(crate) fn refuse_start(&mut self, job: JobId, run: RunId, source: RunSource, why: Refused) {
        self.refuse(job, RefusedRequest::Start { run, source }, why);
    }

    fn refuse(&mut self, job: JobId, request: RefusedRequest, why: Refused) {
        let job_name = self
            .jobs
            .get(&job)
            .map_or(String::new(), |entry| entry.document.job.name.clone());
        self.actions
            .push_back(AgentAction::Refused(Box::new(Refusal {
                request,
                job,
                job_name,
                why,
            })));
    }

    /// Gives a run that is not in memory its failed outcome.
    pub(crate) fn close(&mut self, identity: OutcomeIdentity, source: &RunSource, note: &str) {
        let run = identity.run;
        let message = texts::outcome(&OutcomeText {
            status: RunStatus::Failed,
            stop: None,
            source,
            last_step: None,
            start_step: None,
            note: Some(note),
        });
        let row = outcome_row(
            identity,
            RunStatus::Failed,
            message,
            self.now,
            self.row_context(),
        );
        self.closing.insert(run);
        self.actions
            .push_back(AgentAction::RecordOutcome(Box::new(row)));
    }
}
