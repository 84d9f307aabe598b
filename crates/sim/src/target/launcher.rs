//! The simulated launcher of a target: it outlives the agent's process, not the machine.

use agent::{AdoptedAttempt, AdoptedState, StepEnd, StepResult};
use model::RunId;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Launcher {
    processes: BTreeMap<u64, Process>,
    started: u64,
}

#[derive(Debug)]
struct Process {
    run: RunId,
    sequence: u32,
    step_id: i32,
    retry: i32,
    started: jiff::Timestamp,
    result: Option<StepResult>,
}

impl Launcher {
    /// Starts a process; its number.
    pub(crate) fn launch(
        &mut self,
        run: RunId,
        sequence: u32,
        step_id: i32,
        retry: i32,
        now: jiff::Timestamp,
    ) -> u64 {
        self.started += 1;
        self.processes.insert(
            self.started,
            Process {
                run,
                sequence,
                step_id,
                retry,
                started: now,
                result: None,
            },
        );
        self.started
    }

    /// Ends a process that goes on; what to tell the agent.
    pub(crate) fn end(
        &mut self,
        process: u64,
        end: StepEnd,
        now: jiff::Timestamp,
    ) -> Option<(RunId, u32, StepResult)> {
        let process = self.processes.get_mut(&process)?;
        if process.result.is_some() {
            return None;
        }
        let result = StepResult {
            end,
            message: "Executed as user: sim.".to_owned(),
            sql_message_id: 0,
            sql_severity: 0,
            output: None,
            started: process.started,
            ended: now,
        };
        process.result = Some(result.clone());
        Some((process.run, process.sequence, result))
    }

    /// The number of a try that goes on.
    pub(crate) fn find(&self, run: RunId, sequence: u32) -> Option<u64> {
        self.processes
            .iter()
            .find(|(_, process)| {
                process.run == run && process.sequence == sequence && process.result.is_none()
            })
            .map(|(number, _)| *number)
    }

    /// What it knows of a run's tries.
    pub(crate) fn attempts(&self, run: RunId) -> Vec<AdoptedAttempt> {
        self.processes
            .values()
            .filter(|process| process.run == run)
            .map(|process| AdoptedAttempt {
                sequence: process.sequence,
                step_id: process.step_id,
                retry: process.retry,
                state: process
                    .result
                    .clone()
                    .map_or(AdoptedState::Running, |result| {
                        AdoptedState::Ended(Box::new(result))
                    }),
            })
            .collect()
    }

    /// The run's outcome is durable: its tries are of no more use.
    pub(crate) fn forget(&mut self, run: RunId) {
        self.processes.retain(|_, process| process.run != run);
    }

    /// The machine goes down.
    pub(crate) fn clear(&mut self) {
        self.processes.clear();
    }
}
