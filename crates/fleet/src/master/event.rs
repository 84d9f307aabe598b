//! What a master's link asks of its shell.

use crate::error::ProtocolError;
use crate::message::{Hello, ReportRow, Results, TargetFacts};
use jiff::Timestamp;
use model::{Cursor, Instruction, ServerId};

/// What the shell has to do next. Events come in the order in which they have to be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterEvent {
    /// Look the target up. Answer with [`admit`](crate::MasterLink::admit), or with
    /// [`refuse`](crate::MasterLink::refuse) where admission control says so.
    Admit(Box<Hello>),
    /// The target is admitted: register this link for its changes and kick an older link of it.
    /// Changes from now on go to [`raise_change`](crate::MasterLink::raise_change).
    Admitted {
        /// The target.
        server: ServerId,
        /// Whether instructions flow; `false` where it has to enlist anew and only reports are taken.
        instructions: bool,
    },
    /// The target's cursor isn't of this queue (either end was restored). One transaction on the
    /// definitions' file: clear the target's queue, then post what [`plan_downloads`](crate::plan_downloads)
    /// says for a target of unknown state, with numbers above `after.number` and above every number given
    /// so far; the target is re-synced for this incarnation
    /// ([`TargetRecord::resync_due`](crate::master::TargetRecord::resync_due)). Then `after` is the
    /// target's confirmed cursor. Repeating it is harmless.
    /// Answer with [`resynced`](crate::MasterLink::resynced).
    Resync {
        /// Where the target stands.
        after: Cursor,
    },
    /// Read the target's queue. Answer with
    /// [`instructions_loaded`](crate::MasterLink::instructions_loaded). Reads a snapshot that is not older
    /// than this event.
    LoadInstructions {
        /// Instructions past this one, in order of their numbers.
        after: Cursor,
        /// At most so many rows; fewer are fine.
        rows_max: usize,
        /// Stop once documents hold so many bytes; the first instruction is given whatever its size.
        bytes_max: usize,
    },
    /// One transaction on the runs' file: rows up to the cursor are downloaded (which also clears an error
    /// on them), the confirmed cursor never goes back, `refused` rows keep their text, `failed` gets its
    /// text and blocks the queue. A row that is gone or whose uid differs is left alone.
    /// Answer with [`results_stored`](crate::MasterLink::results_stored), and whose they were, once durable: there
    /// may be some of each under way.
    StoreResults(Whose, Results),
    /// One transaction on the runs' file: rows whose (run, row) is unknown are stored, last outcomes follow
    /// them, and the target's durable report position becomes the last row's. Rows of jobs that are gone
    /// from the master count as stored.
    /// Answer with [`reports_stored`](crate::MasterLink::reports_stored) once durable.
    StoreReports(Vec<ReportRow>),
    /// The target's facts as it says them now; store them. No answer.
    StoreFacts(TargetFacts),
    /// A sign of life; keep it in memory and write it with others, about once a second. No answer.
    Seen {
        /// The target's wall clock.
        clock: Timestamp,
        /// Minutes east of UTC there.
        utc_offset_minutes: i16,
    },
    /// Sign a certificate for this target. Answer with
    /// [`certificate_issued`](crate::MasterLink::certificate_issued).
    IssueCertificate {
        /// PKCS#10, DER; not checked yet.
        request_der: Vec<u8>,
    },
    /// The target leaves: remove it, as sp_delete_targetserver does without posting a defection. Keep its
    /// instance, so that it is told again if the answer is lost.
    /// Answer with [`removed`](crate::MasterLink::removed) once durable.
    RemoveTarget,
    /// Send what waits to be sent, then close the connection. The last event.
    Close(Closed),
}

/// Who says what became of instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The target, which waits for the acknowledgement.
    Target,
    /// The master itself: of where the target stood when it came, or of an instruction that no target would take.
    Master,
}

/// Why a link ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// The peer broke the protocol.
    Protocol(ProtocolError),
    /// The peer was refused, with this number.
    Refused(i32),
    /// The peer was silent too long.
    Silent,
    /// The target is enlisted here no more, and was told.
    Defected,
    /// The shell's word.
    Kicked(Kick),
    /// The store failed; the target will come again.
    Store,
}

/// Why a shell ends a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kick {
    /// The target was deleted: it is told that it is enlisted no more.
    Defected,
    /// A newer connection of the target was admitted.
    Superseded,
    /// The master stops, or has to shed load: the target comes again by its own backoff.
    Stopping,
}

/// A part of a target's queue, as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedInstructions {
    /// An error on a row past the cursor blocks the queue. `list` is then not looked at.
    pub blocked: bool,
    /// In order of their numbers.
    pub list: Vec<Instruction>,
    /// Whether more wait.
    pub more: bool,
}
