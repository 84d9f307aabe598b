//! What can go wrong in the catalog.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The catalog's result.
pub type Result<T, E = CatalogError> = std::result::Result<T, E>;

/// A kind of thing the catalog stores, for errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Object {
    /// A job.
    Job,
    /// A job's step.
    JobStep,
    /// A schedule.
    Schedule,
    /// A schedule's attachment to a job.
    JobSchedule,
    /// A job's target.
    JobServer,
    /// A category.
    Category,
    /// An operator.
    Operator,
    /// An alert.
    Alert,
    /// A notification of an operator by an alert.
    Notification,
    /// A proxy.
    Proxy,
    /// A login's grant on a proxy.
    ProxyLogin,
    /// A proxy's grant on a subsystem.
    ProxySubsystem,
    /// A credential.
    Credential,
    /// A target server.
    TargetServer,
    /// A target server group.
    TargetGroup,
    /// A member of a target server group.
    TargetGroupMember,
    /// A download instruction.
    Instruction,
    /// The instance's enlistment at its master.
    Enlistment,
    /// An enlistment token.
    Token,
    /// A login.
    Login,
    /// A database user.
    DatabaseUser,
    /// A member of a role.
    RoleMember,
    /// The instance.
    Instance,
    /// A run.
    Run,
    /// A session of the agent.
    Session,
    /// A history row.
    HistoryRow,
    /// A step's log.
    StepLog,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Job => "job",
            Self::JobStep => "job step",
            Self::Schedule => "schedule",
            Self::JobSchedule => "job schedule",
            Self::JobServer => "job server",
            Self::Category => "category",
            Self::Operator => "operator",
            Self::Alert => "alert",
            Self::Notification => "notification",
            Self::Proxy => "proxy",
            Self::ProxyLogin => "proxy login",
            Self::ProxySubsystem => "proxy subsystem",
            Self::Credential => "credential",
            Self::TargetServer => "target server",
            Self::TargetGroup => "target server group",
            Self::TargetGroupMember => "target server group member",
            Self::Instruction => "download instruction",
            Self::Enlistment => "enlistment",
            Self::Token => "token",
            Self::Login => "login",
            Self::DatabaseUser => "database user",
            Self::RoleMember => "role member",
            Self::Instance => "instance",
            Self::Run => "run",
            Self::Session => "agent session",
            Self::HistoryRow => "history row",
            Self::StepLog => "step log",
        })
    }
}

/// Which bound ended a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseLimit {
    /// Nothing was run for too long: [`LEASE_IDLE_MAX`](crate::LEASE_IDLE_MAX) or the option given.
    Idle(Duration),
    /// It lasted too long in all: [`LEASE_TOTAL_MAX`](crate::LEASE_TOTAL_MAX) or the option given.
    Total(Duration),
}

impl fmt::Display for LeaseLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle(limit) => write!(f, "idle for {limit:?}"),
            Self::Total(limit) => write!(f, "open for {limit:?}"),
        }
    }
}

/// The catalog's errors. `Display` speaks for this layer alone; causes are sources.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// Something named does not exist.
    #[error("{object} {name:?} does not exist")]
    NotFound {
        /// Kind.
        object: Object,
        /// Name or identifier sought.
        name: String,
    },
    /// A name or key is taken.
    #[error("{object} {name:?} already exists")]
    AlreadyExists {
        /// Kind.
        object: Object,
        /// Name or key that is taken.
        name: String,
    },
    /// Something can't be removed because others refer to it.
    #[error("{object} {name:?} is in use by {by}")]
    InUse {
        /// Kind.
        object: Object,
        /// Name or identifier.
        name: String,
        /// What refers to it.
        by: String,
    },
    /// The writer was not free in time (SQL Server's 1222).
    #[error("lock request timed out after {waited:?}")]
    LockTimeout {
        /// How long the caller waited.
        waited: Duration,
    },
    /// A transaction was ended by the catalog because it held the writer too long; its work is undone.
    #[error("the transaction was rolled back: it was {limit}")]
    LeaseExpired {
        /// Which bound.
        limit: LeaseLimit,
    },
    /// A bounded queue is full; nothing was done.
    #[error("the {queue} queue is full at {limit}")]
    Busy {
        /// Which queue.
        queue: &'static str,
        /// Its bound.
        limit: usize,
    },
    /// A read outlived its snapshot's maximum age.
    #[error("the query took longer than {limit:?}")]
    ReadTimeout {
        /// The bound.
        limit: Duration,
    },
    /// `ROLLBACK TRANSACTION name` of a name that was not saved (SQL Server's 6401).
    #[error("no savepoint {name:?} in this transaction")]
    UnknownSavepoint {
        /// The name.
        name: String,
    },
    /// The catalog was written by a newer Muster.
    #[error("catalog file {path} has schema version {found}; this program knows up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Version found.
        found: i64,
        /// Newest version known.
        known: i64,
    },
    /// Another process serves this directory.
    #[error("directory {path} is in use by another muster instance")]
    DirectoryInUse {
        /// The directory.
        path: PathBuf,
    },
    /// Stored data can't be what the catalog wrote.
    #[error("catalog is damaged: {detail}")]
    Corrupt {
        /// What was found.
        detail: String,
    },
    /// A value can't be stored.
    #[error("{what} is out of range")]
    OutOfRange {
        /// What.
        what: &'static str,
    },
    /// The disk has no room; nothing of the transaction was kept.
    #[error("no space left for the catalog")]
    Full,
    /// The catalog was closed.
    #[error("the catalog is closed")]
    Closed,
    /// The transaction that carried this write could not be committed; nothing of it was kept.
    #[error("commit failed")]
    Commit {
        /// Cause, shared by all writes of the group.
        #[source]
        source: Arc<CatalogError>,
    },
    /// A file operation failed.
    #[error("{action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// The storage engine failed.
    #[error("{action}")]
    Storage {
        /// What was tried.
        action: &'static str,
        /// Cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl CatalogError {
    /// Whether the same call may succeed later without anything being changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::LockTimeout { .. }
            | Self::Busy { .. }
            | Self::ReadTimeout { .. }
            | Self::LeaseExpired { .. }
            | Self::Full => true,
            Self::Commit { source } => source.is_retryable(),
            Self::NotFound { .. }
            | Self::AlreadyExists { .. }
            | Self::InUse { .. }
            | Self::UnknownSavepoint { .. }
            | Self::Newer { .. }
            | Self::DirectoryInUse { .. }
            | Self::Corrupt { .. }
            | Self::OutOfRange { .. }
            | Self::Closed
            | Self::Io { .. }
            | Self::Storage { .. } => false,
        }
    }

    /// A [`CatalogError::NotFound`].
    pub fn not_found(object: Object, name: impl fmt::Display) -> Self {
        Self::NotFound {
            object,
            name: name.to_string(),
        }
    }

    /// A [`CatalogError::AlreadyExists`].
    pub fn already_exists(object: Object, name: impl fmt::Display) -> Self {
        Self::AlreadyExists {
            object,
            name: name.to_string(),
        }
    }
}
