//! What the launcher tells, and what is settled when one is lost and another takes its place.

use super::super::{outcome, texts};
use super::{Driver, Kind, step_ended};
use agent::StepEnd;
use exec::step::STOP_GRACE_DEFAULT;
use exec::{LauncherEvent, StepEnded, StepKey, StepReport, StepState};
use model::RunId;
use std::collections::BTreeMap;

impl Driver {
    pub(super) fn on_launcher(&mut self, event: LauncherEvent) {
        match event {
            LauncherEvent::Ended(ended) => self.on_process_ended(&ended),
            LauncherEvent::Connected {
                complete, steps, ..
            } => self.on_reconnected(complete, steps),
            LauncherEvent::Lost { reason } => {
                tracing::error!(error = %model::error_chain(&reason), "the launcher was lost; another is started");
            }
            LauncherEvent::Unavailable { reason } => {
                tracing::error!(error = %model::error_chain(&reason), "there is no launcher");
            }
            LauncherEvent::Running { .. } | LauncherEvent::Output { .. } => {}
        }
    }

    pub(super) fn on_process_ended(&mut self, ended: &StepEnded) {
        let place = (ended.key.run, ended.key.sequence);
        let Some(in_flight) = self.in_flight.remove(&place) else {
            // Told before, or nobody's. The former goes once its row is durable.
            if !self.ended.contains_key(&place) {
                let _ = self.launcher.collect(ended.key);
            }
            return;
        };
        self.config
            .catalog
            .crash_points()
            .hit("server.after_step_end");
        self.log_step(&in_flight, &ended.output);
        self.ended.insert(place, ended.key);
        let now = self.config.clock.now();
        let result = outcome::of_process(ended, in_flight.started, now, &self.host.user);
        self.tell(step_ended(place, result));
    }

    /// A launcher after the first: what was with the lost one is settled.
    pub(super) fn on_reconnected(&mut self, complete: bool, steps: Vec<StepReport>) {
        let known: BTreeMap<StepKey, StepReport> =
            steps.into_iter().map(|step| (step.key, step)).collect();
        for report in known.values() {
            match &report.state {
                StepState::Ended(ended) => self.on_process_ended(ended),
                StepState::Running { .. } => self.drop_unknown(report),
            }
        }
        let absent: Vec<(RunId, u32)> = self
            .in_flight
            .iter()
            .filter(|(_, step)| {
                matches!(step.kind, Kind::Process) && !known.contains_key(&step.key)
            })
            .map(|(place, _)| *place)
            .collect();
        for place in absent {
            let Some(step) = self.in_flight.remove(&place) else {
                continue;
            };
            let now = self.config.clock.now();
            match step.launch {
                Some(_) if complete && step.stopping => {
                    let result = outcome::without_process(StepEnd::Stopped, String::new(), now);
                    self.tell(step_ended(place, result));
                }
                // The order never arrived, so it may be given again.
                Some(launch) if complete => {
                    if let Some(input) = self.launch(launch) {
                        self.tell(input);
                    }
                }
                Some(_) | None => {
                    let text = texts::LAUNCH_IN_DOUBT.to_owned();
                    let result = outcome::without_process(StepEnd::Unknown, text, now);
                    self.tell(step_ended(place, result));
                }
            }
        }
        let stopping: Vec<StepKey> = self
            .in_flight
            .values()
            .filter(|step| step.stopping && matches!(step.kind, Kind::Process))
            .map(|step| step.key)
            .collect();
        for key in stopping {
            let _ = self.launcher.stop(key, STOP_GRACE_DEFAULT);
        }
        if !complete {
            self.in_doubt = Some(self.runs.keys().copied().collect());
            self.confirm();
        }
    }
}
