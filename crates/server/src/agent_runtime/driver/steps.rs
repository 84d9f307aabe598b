//! Steps: how they begin, and what is done when they end or are to be stopped.

use super::super::launching::{Prepared, prepare};
use super::super::store::RunWrite;
use super::super::tsql_step::{self, TsqlEnded};
use super::super::{TSQL_STEPS_AT_ONCE_MAX, outcome, texts};
use super::{Driver, InFlight, Kind, begin, step_ended};
use agent::{AgentInput, Launch, StartAt, StepEnd};
use catalog::NewRun;
use engine::CancelToken;
use exec::step::STOP_GRACE_DEFAULT;
use exec::{CapturedOutput, ExecError, OUTPUT_LIMIT_BYTES_DEFAULT, StepKey};
use model::{JobId, RunId, StepUid};
use std::sync::Arc;
use std::time::Duration;

impl Driver {
    pub(super) fn launch(&mut self, launch: Box<Launch>) -> Option<AgentInput> {
        self.touched.insert(launch.document.job.id);
        let now = self.config.clock.now();
        let place = (launch.run, launch.sequence);
        let prepared = match self.owner(&launch.document.job.owner_sid) {
            Ok(owner) => prepare(&launch, &self.config, &self.host, owner.as_ref(), now),
            Err(error) => Prepared::Refused(texts::owner_not_read(&model::error_chain(&error))),
        };
        match prepared {
            Prepared::Refused(text) => Some(step_ended(
                place,
                outcome::without_process(StepEnd::Failed, text, now),
            )),
            Prepared::TSql(step) => {
                let key = step.key;
                self.in_flight.insert(
                    place,
                    InFlight {
                        key,
                        started: now,
                        launch: Some(launch),
                        kind: Kind::TSql(CancelToken::new()),
                        stopping: false,
                    },
                );
                self.tsql_beginning.insert(place, step);
                self.tsql_waiting.push_back(place);
                self.begin_tsql();
                None
            }
            Prepared::Process(command) => {
                self.in_flight.insert(
                    place,
                    InFlight {
                        key: command.key,
                        started: now,
                        launch: Some(launch),
                        kind: Kind::Process,
                        stopping: false,
                    },
                );
                let points = self.config.catalog.crash_points();
                points.hit("server.before_step_launch");
                let sent = self.launcher.start(&command);
                points.hit("server.after_step_launch");
                match sent {
                    Ok(()) => {
                        let begun = begin(&command.key, now, false);
                        let monotonic = self.config.clock.monotonic();
                        self.store.note_step(begun, monotonic);
                    }
                    // The next connection shows whether it arrived.
                    Err(ExecError::Connection { .. }) => {}
                    Err(error) => {
                        self.in_flight.remove(&place);
                        let text = model::error_chain(&error);
                        let text = exec::StepEnd::NotStarted(text).to_string();
                        let result = outcome::without_process(StepEnd::Failed, text, now);
                        return Some(step_ended(place, result));
                    }
                }
                None
            }
        }
    }

    /// Lets the launcher get a process ready for a run whose start row is being written. What is decided here
    /// is decided again once the row is there, and may then be something else.
    pub(super) fn prepare_ahead(&mut self, run: NewRun) {
        if !self.in_flight.is_empty() {
            return;
        }
        let now = self.config.clock.now();
        let start_at = StartAt::Step(run.start_step_id);
        let Some(launch) = self
            .agent
            .expected_launch(run.job, run.id, run.source, &start_at, now)
        else {
            return;
        };
        let Ok(owner) = self.owner(&launch.document.job.owner_sid) else {
            return;
        };
        if let Prepared::Process(command) =
            prepare(&launch, &self.config, &self.host, owner.as_ref(), now)
        {
            // Without it the step starts a little later.
            let _ = self.launcher.prepare(&command);
            self.config
                .catalog
                .crash_points()
                .hit("server.after_step_prepare");
        }
    }

    /// Makes the begin of T-SQL steps durable, as many as may run.
    pub(super) fn begin_tsql(&mut self) {
        while self.tsql_running < TSQL_STEPS_AT_ONCE_MAX {
            let Some(place) = self.tsql_waiting.pop_front() else {
                return;
            };
            let Some(in_flight) = self.in_flight.get_mut(&place) else {
                continue;
            };
            self.tsql_running += 1;
            let now = self.config.clock.now();
            in_flight.started = now;
            let start = begin(&in_flight.key, now, true);
            self.store.push(place.0, RunWrite::StepBegins(start), false);
        }
    }

    /// A T-SQL step's begin is durable.
    pub(super) fn run_tsql(&mut self, place: (RunId, u32)) {
        let Some(step) = self.tsql_beginning.remove(&place) else {
            return;
        };
        let Some(InFlight {
            kind: Kind::TSql(cancel),
            ..
        }) = self.in_flight.get(&place)
        else {
            return self.tsql_done();
        };
        let points = self.config.catalog.crash_points();
        points.hit("server.before_step_launch");
        let spawned = tsql_step::spawn(
            *step,
            Arc::clone(&self.config.sessions),
            Arc::clone(&self.config.clock),
            cancel.clone(),
            self.sender.clone(),
        );
        points.hit("server.after_step_launch");
        if let Err(error) = spawned {
            self.fail_tsql(place, format!("{}: {error}.", texts::NO_THREAD));
        }
    }

    /// Ends a T-SQL step that had its place but no thread.
    pub(super) fn fail_tsql(&mut self, place: (RunId, u32), text: String) {
        self.tsql_beginning.remove(&place);
        self.tsql_done();
        if self.in_flight.remove(&place).is_some() {
            let now = self.config.clock.now();
            let result = outcome::without_process(StepEnd::Failed, text, now);
            self.tell(step_ended(place, result));
        }
    }

    pub(super) fn tsql_done(&mut self) {
        self.tsql_running = self.tsql_running.saturating_sub(1);
        self.begin_tsql();
    }

    pub(super) fn on_tsql_ended(&mut self, ended: TsqlEnded) {
        self.tsql_done();
        let place = (ended.key.run, ended.key.sequence);
        let Some(in_flight) = self.in_flight.remove(&place) else {
            return;
        };
        self.config
            .catalog
            .crash_points()
            .hit("server.after_step_end");
        self.log_step(&in_flight, &ended.output);
        self.tell(step_ended(place, ended.result));
    }

    pub(super) fn stop_step(
        &mut self,
        run: RunId,
        sequence: u32,
        force: bool,
    ) -> Option<AgentInput> {
        let place = (run, sequence);
        let in_flight = self.in_flight.get_mut(&place)?;
        in_flight.stopping = true;
        match &in_flight.kind {
            Kind::Process => {
                let grace = if force {
                    Duration::ZERO
                } else {
                    STOP_GRACE_DEFAULT
                };
                // Without a connection, the next one has the stop sent again.
                let _ = self.launcher.stop(in_flight.key, grace);
                None
            }
            Kind::TSql(cancel) => {
                cancel.cancel();
                // One that waits for a place has not begun.
                let waits = self.tsql_waiting.iter().position(|other| *other == place)?;
                self.tsql_waiting.remove(waits);
                self.tsql_beginning.remove(&place);
                self.in_flight.remove(&place);
                let now = self.config.clock.now();
                let result = outcome::without_process(StepEnd::Stopped, String::new(), now);
                Some(step_ended(place, result))
            }
        }
    }

    /// Keeps a step's output in its table, where it asks for that.
    pub(super) fn log_step(&mut self, in_flight: &InFlight, output: &CapturedOutput) {
        match &in_flight.launch {
            Some(launch) => {
                let (job, step) = (launch.document.job.id, launch.step());
                self.push_log(launch.run, job, step.uid, outcome::log_mode(step), output);
            }
            None => self.log_adopted(in_flight.key, output),
        }
    }

    /// The same for a step that an earlier agent launched. The step is looked up as it is now.
    pub(super) fn log_adopted(&mut self, key: StepKey, output: &CapturedOutput) {
        let Some(job) = self.runs.get(&key.run).map(|facts| facts.job) else {
            return;
        };
        let step = self
            .config
            .catalog
            .definitions_read(|read| read.step(job, key.step_id));
        match step {
            Ok(Some(step)) => {
                self.push_log(key.run, job, step.uid, outcome::log_mode(&step), output);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error = %model::error_chain(&error), "a step's output was not kept in its table");
            }
        }
    }

    pub(super) fn push_log(
        &mut self,
        run: RunId,
        job: JobId,
        step: StepUid,
        mode: Option<bool>,
        output: &CapturedOutput,
    ) {
        let Some(append) = mode else { return };
        let write = RunWrite::StepLog {
            job,
            step,
            text: output.text.clone(),
            append,
            bytes_max: usize::try_from(OUTPUT_LIMIT_BYTES_DEFAULT).unwrap_or(usize::MAX),
            at: self.config.clock.now(),
        };
        self.store.push(run, write, false);
    }
}
