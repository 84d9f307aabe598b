//! What subscribers hear of after a commit.

use model::{HistoryId, JobId, OperatorId, RunId, ScheduleId, ServerId};

/// A committed change. A change says what to look at again, not what it is now: changes of one transaction
/// are published together, in the order they were made, and equal neighbours are published once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A job was made, or its header, steps, schedules or notifications changed.
    JobChanged(JobId),
    /// A job is gone.
    JobDeleted(JobId),
    /// The targets of a job changed.
    JobTargetsChanged(JobId),
    /// A schedule was made or changed; [`Change::JobChanged`] follows for each job that uses it.
    ScheduleChanged(ScheduleId),
    /// A schedule is gone.
    ScheduleDeleted(ScheduleId),
    /// Instructions wait for a target.
    InstructionsPosted {
        /// The target.
        server: ServerId,
    },
    /// Instructions of a target were deleted from its queue.
    InstructionsCleared {
        /// The target.
        server: ServerId,
    },
    /// A target enlisted, or its properties changed.
    TargetChanged(ServerId),
    /// A target is gone.
    TargetRemoved {
        /// Its number.
        server: ServerId,
        /// Its name.
        name: String,
    },
    /// Groups of targets or their members changed.
    TargetGroupsChanged,
    /// This instance enlisted, defected, or renewed its certificate.
    EnlistmentChanged,
    /// A setting changed.
    SettingChanged(String),
    /// A login was made, changed, or removed, or its server roles changed.
    LoginChanged(String),
    /// Users, role members or grants of a database changed.
    DatabasePrincipalsChanged(String),
    /// An operator was made, changed or removed.
    OperatorChanged(OperatorId),
    /// Categories changed.
    CategoriesChanged,
    /// Alerts or notifications changed.
    AlertsChanged,
    /// Proxies or their grants changed.
    ProxiesChanged,
    /// A credential was made, changed or removed.
    CredentialChanged(String),
    /// The instance's own row changed (name, incarnation).
    InstanceChanged,
    /// An agent session was opened.
    SessionOpened(i64),
    /// A run began, took its next step, or ended.
    RunChanged {
        /// The job.
        job: JobId,
        /// The run.
        run: RunId,
    },
    /// A history row was added.
    HistoryAdded {
        /// The job.
        job: JobId,
        /// The target it ran on; 0 for this server.
        server: ServerId,
        /// The row.
        id: HistoryId,
        /// Whether it is the outcome of its run.
        outcome: bool,
    },
    /// History rows were removed by a purge.
    HistoryPurged,
    /// An outcome left more history than its limits allow, for [`Catalog::trim_history`](crate::Catalog::trim_history).
    HistoryOverLimit,
    /// Rows wait to be reported to the master.
    ReportsQueued,
    /// Download states of a target changed.
    DownloadsChanged(ServerId),
    /// The next run of a job changed.
    NextRunChanged(JobId),
}
