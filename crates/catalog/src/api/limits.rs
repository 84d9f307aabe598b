//! Named bounds and their defaults.

use std::time::Duration;

/// How long a write waits for the writer unless the caller says otherwise.
pub const LOCK_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// How long a lease may stay without a statement.
pub const LEASE_IDLE_MAX: Duration = Duration::from_secs(300);
/// How long a lease may last in all.
pub const LEASE_TOTAL_MAX: Duration = Duration::from_secs(1_800);
/// Longest a read may take: the maximum age of a snapshot.
pub const READ_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// Read-only connections per file; they are opened when first needed.
pub const READERS_PER_FILE_MAX: usize = 4;
/// Callers that may wait for one file's writer at the same time.
pub const WRITE_WAITERS_MAX: usize = 1_024;
/// Writes that share one commit at most.
pub const WRITE_BATCH_MAX: usize = 256;
/// Writes submitted without waiting that one file may hold.
pub const SUBMIT_QUEUE_MAX: usize = 4_096;
/// Rows a paged query returns at most, whatever the caller asks for.
pub const PAGE_ROWS_MAX: usize = 10_000;
/// Rows one transaction of a purge or clean-up removes at most.
pub const PURGE_CHUNK_ROWS: usize = 500;
/// Rows with which a purge or clean-up begins, and which it removes in a transaction at least.
pub const PURGE_CHUNK_ROWS_MIN: usize = 16;
/// How long one transaction of a purge or clean-up should take: the rows of the next are more or fewer by it.
pub const PURGE_TURN: Duration = Duration::from_millis(5);
/// History rows that the write of an outcome or of reports trims beyond as many as it brings.
pub const TRIM_ROWS_PER_WRITE: usize = 64;
/// History rows kept in all.
pub const HISTORY_ROWS_MAX_DEFAULT: u64 = 1_000_000;
/// History rows kept of one job on one target.
pub const HISTORY_ROWS_PER_JOB_AND_TARGET_DEFAULT: u64 = 1_000;
/// Downloaded instructions kept for display, per target.
pub const DOWNLOADED_ROWS_KEPT_DEFAULT: usize = 100;
/// Ended local runs whose ids are remembered after their history is gone.
pub const ENDED_RUNS_KEPT: usize = 10_000;
/// Refused instructions a target remembers.
pub const REFUSALS_KEPT: usize = 100;
/// Rows of one batch of reports.
pub const REPORT_BATCH_ROWS_MAX: usize = 512;
/// Bytes of text of one batch of reports; a batch holds at least one row.
pub const REPORT_BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of step output that may wait for the master; the oldest output is dropped beyond.
pub const SPOOL_OUTPUT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Step rows that may wait for the master; the oldest are dropped from the queue beyond. Outcomes stay.
pub const SPOOL_STEP_ROWS_MAX: u64 = 200_000;

/// How much history is kept. `None` is no limit.
///
/// Rows over a number go with the outcome that exceeds it, those over an age when
/// [`Catalog::trim_history`](crate::Catalog::trim_history) is called.
/// The newest outcome of a job on a target is never trimmed, nor is a row that waits for the master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryLimits {
    /// Rows in all.
    pub rows_max: Option<u64>,
    /// Rows of one job on one target.
    pub rows_per_job_and_target: Option<u64>,
    /// How long ago a row may have started.
    pub age_max: Option<Duration>,
}

impl Default for HistoryLimits {
    fn default() -> Self {
        Self {
            rows_max: Some(HISTORY_ROWS_MAX_DEFAULT),
            rows_per_job_and_target: Some(HISTORY_ROWS_PER_JOB_AND_TARGET_DEFAULT),
            age_max: None,
        }
    }
}

/// How much may wait for the master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolLimits {
    /// Bytes of output.
    pub output_bytes_max: u64,
    /// Step rows.
    pub step_rows_max: u64,
}

impl Default for SpoolLimits {
    fn default() -> Self {
        Self {
            output_bytes_max: SPOOL_OUTPUT_BYTES_MAX,
            step_rows_max: SPOOL_STEP_ROWS_MAX,
        }
    }
}
