//! Identifiers as newtypes, so that two kinds cannot be swapped.

use std::fmt;
use uuid::Uuid;

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(pub Uuid);

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }
        )*
    };
}

macro_rules! integer_id {
    ($($(#[$doc:meta])* $name:ident($inner:ty)),* $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
            pub struct $name(pub $inner);

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }
        )*
    };
}

uuid_id! {
    /// An instance of Muster, made once with its data directory.
    InstanceId,
    /// A job, the same on the master and on every target. All zeroes means "all jobs" in instructions.
    JobId,
    /// A schedule, the same on the master and on every target.
    ScheduleUid,
    /// A step; its logs hang on it.
    StepUid,
    /// One run of a job on one instance: an instruction's own, or derived from instance, job and due moment.
    RunId,
}

integer_id! {
    /// `schedule_id`: a schedule's number on this server.
    ScheduleId(i64),
    /// `category_id`.
    CategoryId(i64),
    /// `sysoperators.id`; 0 is no operator.
    OperatorId(i64),
    /// `server_id` of `systargetservers`; 0 is the local server.
    ServerId(i64),
    /// A history row's number on this server, ascending.
    HistoryId(i64),
    /// Place of an instruction in one target's queue, from 1, without reuse.
    InstructionNumber(u64),
    /// Enlistment counter of one target on its master; fences instructions of earlier enlistments.
    Generation(u64),
    /// Place of a row in one target's stream of reports, ascending from 1; 0 is before the first.
    ReportPosition(u64),
}

impl JobId {
    /// `0x00`: all multiserver jobs (in instructions) or no job.
    pub const ALL: Self = Self(Uuid::nil());
}

/// Namespace of run ids that are derived rather than drawn.
const RUN_NAMESPACE: Uuid = Uuid::from_u128(0x6d75_7374_6572_4e53_8072_756e_5f69_6421);

impl RunId {
    /// The run of `job` on `instance` that was due at `due`: the same cause always gives the same id,
    /// so one due moment can never start two runs.
    #[must_use]
    pub fn scheduled(instance: InstanceId, job: JobId, due: jiff::Timestamp) -> Self {
        let mut name = [0u8; 48];
        name[..16].copy_from_slice(instance.0.as_bytes());
        name[16..32].copy_from_slice(job.0.as_bytes());
        name[32..].copy_from_slice(&due.as_nanosecond().to_be_bytes());
        Self(Uuid::new_v5(&RUN_NAMESPACE, &name))
    }
}
