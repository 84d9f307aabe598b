//! What a simulation is made of.

use crate::time::{HOUR, Micros};

/// Size, length and troubles of a simulation.
#[derive(Debug, Clone)]
pub struct Options {
    /// Target servers, at most; how many is drawn from the seed unless `exact_targets`.
    pub targets: usize,
    /// Takes exactly so many targets.
    pub exact_targets: bool,
    /// Virtual hours with faults and administration, before the quiet end.
    pub hours: u64,
    /// Faults an hour, in all.
    pub faults_per_hour: u64,
    /// Of a thousand faults, how many restore the master from an older copy; as many more take a copy.
    pub restores_permille: u64,
    /// Acts of the administrator an hour.
    pub acts_per_hour: u64,
    /// A node that breaks a rule on purpose, to show that the checker sees it.
    pub broken: Broken,
    /// Keeps what happened last, for [`Violation::trace`](crate::Violation::trace).
    pub trace: bool,
}

impl Default for Options {
    /// A small fleet in great trouble.
    fn default() -> Self {
        Self {
            targets: 4,
            exact_targets: false,
            hours: 6,
            faults_per_hour: 30,
            restores_permille: 30,
            acts_per_hour: 30,
            broken: Broken::Nothing,
            trace: false,
        }
    }
}

impl Options {
    /// A calm fleet, for measuring.
    #[must_use]
    pub const fn calm(targets: usize, hours: u64) -> Self {
        Self {
            targets,
            exact_targets: true,
            hours,
            faults_per_hour: 0,
            restores_permille: 0,
            acts_per_hour: 4,
            broken: Broken::Nothing,
            trace: false,
        }
    }

    pub(crate) const fn end_of_trouble(&self) -> Micros {
        self.hours * HOUR
    }
}

/// A rule that a node may break on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// None.
    Nothing,
    /// The master stores a report row each time it comes.
    ForgetsDuplicates,
    /// The master acknowledges reports before they are durable.
    AcknowledgesTooEarly,
    /// The master takes a defected target for a member.
    ServesDefected,
    /// The master does not tell a target of a restored queue from one that kept step.
    TrustsForeignCursors,
    /// The master forgets that it was restored, and judges by cursors alone.
    ForgetsRestore,
    /// A target moves its cursor before the definitions are durable.
    MovesCursorFirst,
    /// A target starts a run before its start row is durable.
    StartsTooEarly,
    /// A target's store begins a run whose id it knows.
    RepeatsRuns,
    /// A target moves its cursor past a START and forgets the run.
    DropsStarts,
    /// A target counts its schedules as done and forgets the runs and misses.
    DropsMoments,
    /// A target carries out a batch from its last instruction to its first.
    AppliesBackwards,
}

impl Broken {
    /// Every way to be broken.
    pub const ALL: [Self; 11] = [
        Self::ForgetsDuplicates,
        Self::AcknowledgesTooEarly,
        Self::ServesDefected,
        Self::TrustsForeignCursors,
        Self::ForgetsRestore,
        Self::MovesCursorFirst,
        Self::StartsTooEarly,
        Self::RepeatsRuns,
        Self::DropsStarts,
        Self::DropsMoments,
        Self::AppliesBackwards,
    ];
}
