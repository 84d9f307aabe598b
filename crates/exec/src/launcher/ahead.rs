//! A process that is ready before its step may start.
//!
//! Whoever orders a step has to make its start durable first. A process takes about as long to begin as that
//! takes, so it is got ready meanwhile: it has loaded its program and run nothing of it. What starts the step is
//! the order to start it and nothing else; a process whose order does not come, or comes for something else,
//! ends as it is. One at a time: many steps at once keep the machine busy without this.

use super::AHEAD_MAX;
use super::service::{Service, Timer};
use crate::process::{Ready, Spawned};
use crate::step::{StepCommand, StepKey};
use rustix::io::Errno;
use rustix::process::{Pid, WaitStatus};
use std::io;

/// A process that is ready, and what for.
#[derive(Debug)]
pub(super) struct Ahead {
    command: StepCommand,
    ready: Ready,
}

/// Whether the system does not let processes be traced, rather than being short of something.
fn is_refusal(error: &io::Error) -> bool {
    let refusals = [Errno::PERM, Errno::ACCESS, Errno::NOSYS];
    let code = error.raw_os_error();
    refusals
        .iter()
        .any(|refusal| code == Some(refusal.raw_os_error()))
}

impl Service {
    /// Gets a process ready for a step. Where that cannot be, the step's start does without.
    pub(super) fn prepare(&mut self, command: StepCommand) {
        self.ahead = None;
        if !self.gets_ready || self.closing || self.running > 0 {
            return;
        }
        match Ready::new(&command) {
            Ok(Some(ready)) => {
                self.schedule(AHEAD_MAX, Timer::Ahead(command.key));
                self.ahead = Some(Ahead { command, ready });
            }
            Ok(None) => {}
            Err(error) if is_refusal(&error) => {
                // Tracing is not allowed here, and will not be.
                eprintln!("launcher: no step is got ready before its start: {error}");
                self.gets_ready = false;
            }
            // A shortage that passes: this step does without.
            Err(_) => {}
        }
    }

    /// Lets the process that is ready run, if it is ready for just this.
    pub(super) fn take_ahead(&mut self, command: &StepCommand) -> Option<Spawned> {
        let ahead = self
            .ahead
            .take_if(|ahead| ahead.command.key == command.key)?;
        if ahead.command != *command {
            return None;
        }
        ahead.ready.release()
    }

    /// Takes note of what the system tells of a child. Whether it was of the process that is ready.
    pub(super) fn note_ahead(&mut self, pid: Pid, status: WaitStatus) -> bool {
        let Some(ahead) = self
            .ahead
            .as_mut()
            .filter(|ahead| ahead.ready.process.pid() == pid)
        else {
            return false;
        };
        if !ahead.ready.process.note(status) {
            self.ahead = None;
        }
        true
    }

    /// Gives up on a step that did not start.
    pub(super) fn forget_ahead(&mut self, key: StepKey) {
        self.ahead.take_if(|ahead| ahead.command.key == key);
    }
}
