//! What a target's link asks of its shell.

use crate::limits;
use crate::message::{InstructionText, Refusal};
use jiff::Timestamp;
use model::{Cursor, InstanceId, Instruction, InstructionNumber, ReportPosition};
use uuid::Uuid;

/// What the shell has to do next. Events come in the order in which they have to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetEvent {
    /// Open a connection to the master. Answer with
    /// [`connected`](crate::TargetLink::connected) or [`disconnected`](crate::TargetLink::disconnected).
    Connect {
        /// Attempts since the master admitted last, from 0: to choose among addresses.
        attempt: u32,
    },
    /// Close the connection, after sending what waits to be sent. The link does not expect an answer.
    Disconnect,
    /// The master admitted this target.
    Admitted {
        /// The master's instance; the link has checked that it is the one enlisted at.
        master: InstanceId,
        /// Incarnation to be shown in later hellos; store it when convenient.
        incarnation: Uuid,
        /// `host,port` of every process that serves this master; store when they changed.
        addresses: Vec<String>,
        /// Longest silence, in seconds; store when it changed.
        poll_interval_secs: u32,
        /// Set where the master takes reports and gives no instructions; show it to an administrator.
        enlist_anew: Option<Refusal>,
    },
    /// The master refused; the link tries again by itself.
    Refused(Refusal),
    /// Make these definitions durable, in order, stopping at the first that fails: INSERT, UPDATE, DELETE,
    /// RE-ENLIST, SET-POLL. One transaction on the definitions' file. Each is idempotent: it may have been
    /// applied before. An INSERT or UPDATE without a document changes nothing.
    ///
    /// Answer with [`definitions_applied`](crate::TargetLink::definitions_applied) once durable, or with
    /// [`store_failed`](crate::TargetLink::store_failed).
    ApplyDefinitions {
        /// At least one.
        instructions: Vec<Instruction>,
    },
    /// Make the cursor durable, with this enlistment's generation. One transaction on the runs' file.
    /// Answer with [`cursor_moved`](crate::TargetLink::cursor_moved) or `store_failed`.
    MoveCursor {
        /// The new cursor.
        cursor: Cursor,
    },
    /// Carry out orders: START, STOP, SYNC-TIME. One transaction on the runs' file holds the start row of
    /// each accepted START (keyed by its run id; a known id starts nothing), the reason of each refused
    /// order, and the cursor. Only after that commit may a run's first step start or a run be stopped.
    ///
    /// Answer with [`orders_carried_out`](crate::TargetLink::orders_carried_out) once durable, or with
    /// `store_failed`.
    CarryOut {
        /// At least one.
        orders: Vec<Instruction>,
        /// The new cursor: the last order's.
        cursor: Cursor,
        /// The master's wall clock as it sent the orders, for SYNC-TIME.
        master_clock: Timestamp,
    },
    /// A definition failed and the master is being told; later instructions wait.
    Blocked(InstructionText),
    /// This target is enlisted no more: remove downloaded jobs, MSXOperator and the enlistment in one
    /// transaction on the definitions' file, then drop the link. No further event follows.
    Defect {
        /// The master's words, for the log.
        text: String,
    },
    /// Read report rows after a position that are durable here, acknowledged ones included, in order.
    /// Answer with [`reports_loaded`](crate::TargetLink::reports_loaded) (or `store_failed`).
    LoadReports {
        /// Rows past this one.
        after: ReportPosition,
        /// At most so many rows; fewer are fine.
        rows_max: usize,
        /// Stop once rows hold so many bytes of text; the first row is given whatever its size.
        bytes_max: usize,
    },
    /// The master has reports up to here for good: they may be trimmed. Needs no flush to disk.
    ReportsAcknowledged {
        /// Position.
        through: ReportPosition,
    },
    /// The master has the reasons of refused orders up to here: forget them. Needs no flush to disk.
    RefusalsAcknowledged {
        /// Number.
        through: InstructionNumber,
    },
    /// A new certificate, DER, this target's first; use it from the next connection on.
    CertificateRenewed(Vec<Vec<u8>>),
    /// The master gave no certificate.
    CertificateRefused(Refusal),
}

/// What became of [`TargetEvent::ApplyDefinitions`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionsApplied {
    /// How many, from the first, are durable.
    pub applied: usize,
    /// Why the next one failed, when one did. At most [`TEXT_UNITS_MAX`](limits::TEXT_UNITS_MAX) reach
    /// the master.
    pub failure: Option<String>,
}

impl TargetEvent {
    pub(crate) const fn load_reports(after: ReportPosition) -> Self {
        Self::LoadReports {
            after,
            rows_max: limits::REPORT_BATCH_ROWS_MAX,
            bytes_max: limits::REPORT_BATCH_BYTES_MAX,
        }
    }
}
