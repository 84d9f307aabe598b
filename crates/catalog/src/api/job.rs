//! Rows about the instance, jobs, schedules and categories.

use jiff::Timestamp;
use model::{CategoryId, InstanceId, JobId, Schedule, ScheduleId, ScheduleUid, ServerId};

/// The instance this catalog belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Identity, made once.
    pub id: InstanceId,
    /// Name, as shown; compared without regard to case.
    pub name: String,
    /// 1 at first; raised by every restore from a backup.
    pub incarnation: u64,
    /// When the catalog was made.
    pub created: Timestamp,
}

/// A schedule with its number on this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRow {
    /// `schedule_id`.
    pub id: ScheduleId,
    /// The schedule.
    pub schedule: Schedule,
}

/// A schedule attached to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobSchedule {
    /// The job.
    pub job: JobId,
    /// The schedule's number.
    pub schedule: ScheduleId,
    /// The schedule's identity.
    pub uid: ScheduleUid,
}

/// A target of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobServer {
    /// The job.
    pub job: JobId,
    /// The target; 0 is this server.
    pub server: ServerId,
}

/// Where a job or schedule came from, as a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginFilter {
    /// Made here.
    Local,
    /// Downloaded from any master.
    Downloaded,
    /// Downloaded from this master.
    Server(String),
}

/// Conditions on jobs; all of them hold. The default lets every job pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFilter {
    /// In this category.
    pub category: Option<CategoryId>,
    /// Owned by this SID.
    pub owner_sid: Option<Vec<u8>>,
    /// Enabled or not.
    pub enabled: Option<bool>,
    /// From there.
    pub origin: Option<OriginFilter>,
    /// Targeted at this server; 0 is this server.
    pub target: Option<ServerId>,
    /// Only jobs whose id, as stored, is above this one: the last of the page before.
    pub after: Option<JobId>,
    /// Jobs at most; everything when `None`.
    pub limit: Option<usize>,
}

/// How [`DefinitionsWrite::delete_job`](crate::DefinitionsWrite::delete_job) treats what hangs on the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobDeletion {
    /// Leaves the job's history rows in place.
    pub keep_history: bool,
    /// Deletes schedules that no job uses any more.
    pub delete_unused_schedules: bool,
}

/// A job whose rows in the runs file still wait for removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletedJob {
    /// The job.
    pub job: JobId,
    /// Its history stays.
    pub keep_history: bool,
    /// When it was deleted.
    pub deleted: Timestamp,
}

/// `category_class`: what a category groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CategoryClass {
    /// 1: jobs.
    Job,
    /// 2: alerts.
    Alert,
    /// 3: operators.
    Operator,
}

/// `category_type`: scope of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CategoryKind {
    /// 1: local jobs.
    Local,
    /// 2: multiserver jobs.
    Multiserver,
    /// 3: not jobs.
    None,
}

impl CategoryClass {
    /// The code msdb shows.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Job => 1,
            Self::Alert => 2,
            Self::Operator => 3,
        }
    }

    /// The class of a code.
    #[must_use]
    pub const fn from_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Self::Job),
            2 => Some(Self::Alert),
            3 => Some(Self::Operator),
            _ => None,
        }
    }
}

impl CategoryKind {
    /// The code msdb shows.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Local => 1,
            Self::Multiserver => 2,
            Self::None => 3,
        }
    }

    /// The kind of a code.
    #[must_use]
    pub const fn from_code(code: i64) -> Option<Self> {
        match code {
            1 => Some(Self::Local),
            2 => Some(Self::Multiserver),
            3 => Some(Self::None),
            _ => None,
        }
    }
}

/// A category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// `category_id`; those below 100 are built in.
    pub id: CategoryId,
    /// What it groups.
    pub class: CategoryClass,
    /// Scope.
    pub kind: CategoryKind,
    /// Unique in its class, without regard to case.
    pub name: String,
}

/// Categories that every instance has. Source: `syscategories`, built-in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltInCategory {
    /// `category_id`.
    pub id: i64,
    /// What it groups.
    pub class: CategoryClass,
    /// Scope.
    pub kind: CategoryKind,
    /// Name.
    pub name: &'static str,
}

impl BuiltInCategory {
    /// `[Uncategorized (Local)]`: where local jobs begin.
    pub const UNCATEGORIZED_LOCAL: CategoryId = CategoryId(0);
    /// `Jobs from MSX`: downloaded jobs.
    pub const JOBS_FROM_MSX: CategoryId = CategoryId(1);
    /// `[Uncategorized (Multi-Server)]`: where multiserver jobs begin.
    pub const UNCATEGORIZED_MULTISERVER: CategoryId = CategoryId(2);
    /// `[Uncategorized]` of alerts.
    pub const UNCATEGORIZED_ALERT: CategoryId = CategoryId(98);
    /// `[Uncategorized]` of operators.
    pub const UNCATEGORIZED_OPERATOR: CategoryId = CategoryId(99);

    /// All of them, by id.
    pub const ALL: &'static [Self] = &[
        job_category(0, CategoryKind::Local, "[Uncategorized (Local)]"),
        job_category(1, CategoryKind::Local, "Jobs from MSX"),
        job_category(
            2,
            CategoryKind::Multiserver,
            "[Uncategorized (Multi-Server)]",
        ),
        job_category(3, CategoryKind::Local, "Database Maintenance"),
        job_category(4, CategoryKind::Local, "Web Assistant"),
        job_category(5, CategoryKind::Local, "Full-Text"),
        job_category(6, CategoryKind::Local, "Log Shipping"),
        job_category(7, CategoryKind::Local, "Database Engine Tuning Advisor"),
        job_category(8, CategoryKind::Local, "Data Collector"),
        job_category(10, CategoryKind::Local, "REPL-Distribution"),
        job_category(11, CategoryKind::Local, "REPL-Distribution Cleanup"),
        job_category(12, CategoryKind::Local, "REPL-History Cleanup"),
        job_category(13, CategoryKind::Local, "REPL-LogReader"),
        job_category(14, CategoryKind::Local, "REPL-Merge"),
        job_category(15, CategoryKind::Local, "REPL-Snapshot"),
        job_category(16, CategoryKind::Local, "REPL-Checkup"),
        job_category(17, CategoryKind::Local, "REPL-Subscription Cleanup"),
        job_category(18, CategoryKind::Local, "REPL-Alert Response"),
        job_category(19, CategoryKind::Local, "REPL-QueueReader"),
        Self {
            id: 20,
            class: CategoryClass::Alert,
            kind: CategoryKind::None,
            name: "Replication",
        },
        Self {
            id: 98,
            class: CategoryClass::Alert,
            kind: CategoryKind::None,
            name: "[Uncategorized]",
        },
        Self {
            id: 99,
            class: CategoryClass::Operator,
            kind: CategoryKind::None,
            name: "[Uncategorized]",
        },
    ];
}

const fn job_category(id: i64, kind: CategoryKind, name: &'static str) -> BuiltInCategory {
    BuiltInCategory {
        id,
        class: CategoryClass::Job,
        kind,
        name,
    }
}
