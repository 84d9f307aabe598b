//! Taking on what an earlier agent left.

use super::super::AgentRuntimeError;
use super::super::adoption::{self, active_runs};
use super::super::handle::Message;
use super::{Driver, RunFacts};
use agent::AgentInput;
use exec::step::STOP_GRACE_DEFAULT;
use exec::{ExecError, LauncherEvent, StepKey, StepReport, StepState};
use model::RunSource;
use std::collections::{BTreeMap, BTreeSet};

impl Driver {
    /// Takes on what an earlier agent left. The launcher's first event says what it knows.
    pub(super) fn adopt(&mut self) -> Result<(), AgentRuntimeError> {
        let (complete, steps) = loop {
            match self.inbox.recv_timeout(exec::client::CONNECT_TIMEOUT) {
                Ok(Message::Launcher(LauncherEvent::Connected {
                    complete, steps, ..
                })) => break (complete, steps),
                Ok(Message::Launcher(LauncherEvent::Lost { reason })) => {
                    return Err(AgentRuntimeError::Launcher(reason));
                }
                // The session's own write, and changes, which are read when the agent is at work.
                Ok(Message::Changed) => {
                    self.changes_due = Some(self.config.clock.monotonic());
                }
                Ok(message) => self.on_message(message),
                Err(_) => {
                    return Err(AgentRuntimeError::Launcher(ExecError::NoAnswer {
                        path: self.config.launcher().dir,
                    }));
                }
            }
        };
        let known: BTreeMap<StepKey, StepReport> =
            steps.into_iter().map(|step| (step.key, step)).collect();
        let now = self.config.clock.now();
        let runs = active_runs(&self.config.catalog)?;
        let mut in_doubt = BTreeSet::new();
        for (record, rows) in runs {
            let run = record.run.id;
            in_doubt.insert(run);
            let report = matches!(record.run.source, RunSource::Master { .. })
                || self.jobs.get(&record.run.job).copied().unwrap_or(false);
            self.runs.insert(
                run,
                RunFacts {
                    job: record.run.job,
                    report,
                },
            );
            self.touched.insert(record.run.job);
            let adoption =
                adoption::adoption(&record, &rows, (&known, complete), &self.host.user, now);
            for (sequence, in_flight) in adoption.going_on {
                self.in_flight.insert((run, sequence), in_flight);
            }
            for (sequence, key) in adoption.ended {
                self.ended.insert((run, sequence), key);
                if let Some(StepReport {
                    state: StepState::Ended(end),
                    ..
                }) = known.get(&key)
                {
                    self.log_adopted(key, &end.output);
                }
            }
            tracing::info!(%run, "a run of an earlier agent is taken on");
            self.tell(AgentInput::Adopt(Box::new(adoption.run)));
        }
        for report in known.values() {
            self.drop_unknown(report);
        }
        if !complete {
            self.in_doubt = Some(in_doubt);
            self.confirm();
        }
        Ok(())
    }

    /// Lets go of a step that no run waits for.
    pub(super) fn drop_unknown(&mut self, report: &StepReport) {
        let place = (report.key.run, report.key.sequence);
        if self.in_flight.contains_key(&place) || self.ended.contains_key(&place) {
            return;
        }
        match report.state {
            StepState::Running { .. } => {
                let _ = self.launcher.stop(report.key, STOP_GRACE_DEFAULT);
            }
            StepState::Ended(_) => {
                let _ = self.launcher.collect(report.key);
            }
        }
    }

    /// Tells the launcher that nothing is in doubt any more, once that is so.
    pub(super) fn confirm(&mut self) {
        if self.in_doubt.as_ref().is_some_and(BTreeSet::is_empty) && self.launcher.confirm().is_ok()
        {
            self.in_doubt = None;
        }
    }
}
