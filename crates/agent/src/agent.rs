//! The state machine's face.

use crate::{AgentAction, AgentConfig, AgentInput, JobActivity};
use jiff::Timestamp;
use model::JobId;
use std::collections::VecDeque;

/// The agent of one instance.
#[derive(Debug)]
pub struct Agent {
    config: AgentConfig,
    now: Timestamp,
    actions: VecDeque<AgentAction>,
}

impl Agent {
    /// An agent that knows no jobs yet; see [`AgentInput`] for what it must be told at start.
    #[must_use]
    pub fn new(config: AgentConfig, now: Timestamp) -> Self {
        Self {
            config,
            now,
            actions: VecDeque::new(),
        }
    }

    /// Takes note of what happened at `now`; drain [`Agent::poll_action`] afterwards.
    pub fn handle(&mut self, input: AgentInput, now: Timestamp) {
        let _ = (input, &self.config);
        self.now = now;
    }

    /// Does what is due at `now`. Calling early, late or too often does no harm.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// The next act, in order; `None` when there is none.
    pub fn poll_action(&mut self) -> Option<AgentAction> {
        self.actions.pop_front()
    }

    /// When [`Agent::handle_timeout`] is wanted next, on the wall clock; may lie in the past. Wake at least
    /// once a minute as well, so that a step of the clock is noticed.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        None
    }

    /// What every job does, in order of their ids.
    pub fn activity(&self) -> impl Iterator<Item = JobActivity> + '_ {
        std::iter::empty()
    }

    /// What one job does; `None` where the job is unknown.
    #[must_use]
    pub fn activity_of(&self, job: JobId) -> Option<JobActivity> {
        self.activity().find(|activity| activity.job == job)
    }
}
