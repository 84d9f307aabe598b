//! What an agent is told once.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use model::InstanceId;

/// Identity, zone and bounds of an agent.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// The instance; part of the ids of scheduled runs.
    pub instance: InstanceId,
    /// The server's name, for history rows.
    pub server: String,
    /// Zone that schedules follow.
    pub time_zone: TimeZone,
    /// Bounds.
    pub limits: AgentLimits,
}

/// Bounds of an agent; [`AgentLimits::DEFAULT`] unless a test or setting says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentLimits {
    /// A moment found this late or less still runs; an older one is missed. Long enough for a restart or a
    /// busy machine, short enough that nothing runs at a time nobody expects.
    pub start_lateness_max: SignedDuration,
    /// When the clock falls back less than this, schedules wait until it has caught up with what they have
    /// accounted for; beyond, they count anew from the new time and the store's run ids keep moments from
    /// starting twice. It bounds how long a corrected clock can silence a schedule.
    pub clock_step_back_max: SignedDuration,
    /// Steps that run at once; further runs wait (status 2).
    pub running_steps_max: usize,
    /// From the order to stop a step to the order to kill it, and between later orders.
    pub stop_grace: SignedDuration,
    /// How long running jobs may go on after [`AgentInput::Shutdown`](crate::AgentInput::Shutdown).
    /// Source: job shutdown time-out, default 15 s.
    pub shutdown_timeout: SignedDuration,
    /// Due moments handled in one call; the rest is due at once.
    pub due_batch_max: usize,
}

impl AgentLimits {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        start_lateness_max: SignedDuration::from_secs(60),
        clock_step_back_max: SignedDuration::from_mins(10),
        running_steps_max: 1_000,
        stop_grace: SignedDuration::from_secs(10),
        shutdown_timeout: SignedDuration::from_secs(15),
        due_batch_max: 1_000,
    };
}

impl Default for AgentLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
