//! Rows about recording outcomes, reporting them, and polls.

use jiff::Timestamp;
use model::{HistoryId, HistoryRow, InstanceId, ReportPosition, ServerId};

/// A history row to be recorded on the instance that ran it.
#[derive(Debug, Clone, Copy)]
pub struct RecordHistory<'a> {
    /// The row; (run, row) that is stored already is left as it is.
    pub row: &'a HistoryRow,
    /// Operators told: mail, net send, pager; 0 is none.
    pub operators: [i64; 3],
    /// Puts the row into the queue for the master.
    pub report: bool,
}

/// What recording gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedHistory {
    /// The row's number.
    pub id: HistoryId,
    /// Whether it was stored before.
    pub already_known: bool,
    /// Place in the queue for the master, when it was queued.
    pub position: Option<ReportPosition>,
}

/// The queue for the master.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportQueueState {
    /// Highest place the master acknowledged as durable; 0 before the first.
    pub acknowledged: ReportPosition,
    /// Highest place given; 0 before the first.
    pub last: ReportPosition,
}

/// A row that waits for the master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedReport {
    /// Place in the queue, ascending.
    pub position: ReportPosition,
    /// The row with its output.
    pub row: HistoryRow,
}

/// Reports as they arrived from a target.
#[derive(Debug, Clone, Copy)]
pub struct ReportBatch<'a> {
    /// The target.
    pub server: ServerId,
    /// Its instance; the position is kept by it.
    pub instance: InstanceId,
    /// Rows in order of their positions.
    pub rows: &'a [QueuedReport],
    /// When they arrived.
    pub received: Timestamp,
}

/// What storing reports gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportStored {
    /// Position that is durable with the commit: what the acknowledgement says.
    pub position: ReportPosition,
    /// Rows that were new.
    pub new_rows: usize,
}

/// A sign of life of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poll {
    /// The target.
    pub server: ServerId,
    /// When, by the master's clock.
    pub at: Timestamp,
    /// When, by the target's clock.
    pub target_clock: Timestamp,
    /// Minutes east of UTC at the target.
    pub utc_offset_minutes: i16,
}

/// The last sign of life of a target.
pub type Liveness = Poll;
