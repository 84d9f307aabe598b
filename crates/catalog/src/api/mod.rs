//! The words of the catalog: rows, errors, changes, and the traits of commands and queries.

mod alert;
mod change;
mod crash;
mod definitions;
mod error;
mod history;
mod job;
mod limits;
mod principal;
mod run;
mod runs;
mod spool;
mod target;

pub use alert::{
    Alert, AlertOccurrence, Notification, OperatorNotice, Proxy, ProxyLogin, ProxySubsystem,
    SubsystemInfo,
};
pub use change::Change;
pub use crash::{CRASH_POINTS, CrashPoints};
pub use definitions::{DefinitionsRead, DefinitionsWrite};
pub use error::{CatalogError, LeaseLimit, Object, Result};
pub use history::{
    HistoryFilter, HistoryOrder, HistoryPlace, HistoryPurge, HistoryRecord, HistoryRemoval,
    JobOutcome, JobsOverLimit, StepLog, StepOutcome,
};
pub use job::{
    BuiltInCategory, Category, CategoryClass, CategoryKind, DeletedJob, Instance, JobDeletion,
    JobFilter, JobSchedule, JobServer, OriginFilter, ScheduleRow,
};
pub use limits::{
    DOWNLOADED_ROWS_KEPT_DEFAULT, ENDED_RUNS_KEPT, HISTORY_ROWS_MAX_DEFAULT,
    HISTORY_ROWS_PER_JOB_AND_TARGET_DEFAULT, HistoryLimits, LEASE_IDLE_MAX, LEASE_TOTAL_MAX,
    LOCK_TIMEOUT_DEFAULT, PAGE_ROWS_MAX, PURGE_CHUNK_ROWS, PURGE_CHUNK_ROWS_MIN, PURGE_TURN,
    READ_TIMEOUT_DEFAULT, READERS_PER_FILE_MAX, REFUSALS_KEPT, REPORT_BATCH_BYTES_MAX,
    REPORT_BATCH_ROWS_MAX, SPOOL_OUTPUT_BYTES_MAX, SPOOL_STEP_ROWS_MAX, SUBMIT_QUEUE_MAX,
    SpoolLimits, TRIM_ROWS_PER_WRITE, WRITE_BATCH_MAX, WRITE_WAITERS_MAX,
};
pub use principal::{
    AuditEntry, AuditRecord, Credential, DatabaseUser, Grant, GrantClass, GrantState, Login,
    PrincipalKind, RoleMember, SettingValue, Token,
};
pub use run::{
    Activity, BeginRun, MissedMoments, NewRun, NextRun, Process, RunRecord, RunState, Session,
    StartAccepted, StepStart,
};
pub use runs::{RunsRead, RunsWrite};
pub use spool::{
    Liveness, Poll, QueuedReport, RecordHistory, RecordedHistory, ReportBatch, ReportQueueState,
    ReportStored,
};
pub use target::{
    DownloadFilter, DownloadRow, DownloadState, EnlistmentRow, InstructionRefusal, NewInstruction,
    NewTarget, OriginatingServer, PostedInstruction, TargetCursor, TargetFilter, TargetGroup,
    TargetGroupMember, TargetServer,
};
