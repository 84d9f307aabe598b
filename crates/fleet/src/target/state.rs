//! What a target's link remembers: of its connection, of what the store is doing, of leaving.

use super::reports::ReportFlow;
use crate::limits::{KEEP_ALIVE, REPLY_TIMEOUT};
use crate::message::InstructionText;
use jiff::Timestamp;
use model::{Cursor, Instruction, InstructionBody, ReportPosition};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) enum Connection {
    Waiting {
        until: Instant,
    },
    Connecting {
        deadline: Instant,
    },
    /// Connected; the hello goes out once the store has finished what an earlier connection began.
    Holding,
    Greeting {
        deadline: Instant,
    },
    Serving(Box<Serving>),
    Ended,
}

/// What the store is making durable.
#[derive(Debug)]
pub(super) enum Applying {
    Definitions {
        batch: Vec<Applied>,
    },
    Cursor {
        cursor: Cursor,
        failed: Option<InstructionText>,
    },
    Orders {
        cursors: Vec<Cursor>,
    },
}

/// What has to be remembered of a definition whose document the store has.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) cursor: Cursor,
    pub(super) poll_interval_secs: Option<u32>,
    pub(super) re_enlist: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    No,
    /// Wanted; reports go first, until then.
    Wanted {
        flush_until: Option<Instant>,
    },
    /// The master was told on this connection.
    Told,
}

/// State of one admitted connection.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) reports_only: bool,
    /// Changes up to here have been fetched.
    pub(super) fetched_sequence: u64,
    /// Changes up to here have happened.
    pub(super) noticed_sequence: u64,
    pub(super) fetch_wanted: bool,
    pub(super) fetching: bool,
    // Invariant: empty while `fetching`.
    pub(super) queue: VecDeque<Instruction>,
    pub(super) master_clock: Timestamp,
    /// When results are told at the latest, where there are any.
    pub(super) results_due: Option<Instant>,
    pub(super) failed: Option<InstructionText>,
    pub(super) results_sent: bool,
    pub(super) reports: ReportFlow,
    pub(super) reports_wanted: bool,
    pub(super) reports_from: ReportPosition,
    pub(super) polling: bool,
    pub(super) renewing: bool,
    pub(super) last_sent: Instant,
    /// Since when an answer is due; renewed by every sign of life.
    pub(super) answer_since: Option<Instant>,
}

impl Serving {
    pub(super) fn notice(&mut self, sequence: u64) {
        self.noticed_sequence = self.noticed_sequence.max(sequence);
        self.fetch_wanted |= self.noticed_sequence > self.fetched_sequence;
    }

    /// An answer came: is another still due?
    pub(super) fn settle(&mut self, leaving: bool) {
        let waits = leaving
            || self.results_sent
            || self.polling
            || self.renewing
            || matches!(self.reports, ReportFlow::Sent { .. });
        if !waits {
            self.answer_since = None;
        }
    }

    pub(super) fn answer_due(&self) -> Option<Instant> {
        self.answer_since.map(|since| since + REPLY_TIMEOUT)
    }

    pub(super) fn poll_due(&self, poll_interval_secs: u32) -> Instant {
        self.last_sent + Duration::from_secs(u64::from(poll_interval_secs)).min(KEEP_ALIVE)
    }
}

impl Applied {
    pub(super) fn of(instruction: &Instruction) -> Self {
        let poll_interval_secs = match instruction.body {
            InstructionBody::SetPoll(secs) => Some(secs),
            InstructionBody::Insert(_)
            | InstructionBody::Update(_)
            | InstructionBody::Delete(_)
            | InstructionBody::Start { .. }
            | InstructionBody::Stop { .. }
            | InstructionBody::ReEnlist { .. }
            | InstructionBody::Defect
            | InstructionBody::SyncTime => None,
        };
        Self {
            cursor: instruction.cursor(),
            poll_interval_secs,
            re_enlist: matches!(instruction.body, InstructionBody::ReEnlist { .. }),
        }
    }
}

/// Whether a refusal of this instruction is a recorded result rather than a block.
pub(super) fn is_order(instruction: &Instruction) -> bool {
    match instruction.body {
        InstructionBody::Start { .. }
        | InstructionBody::Stop { .. }
        | InstructionBody::SyncTime => true,
        InstructionBody::Insert(_)
        | InstructionBody::Update(_)
        | InstructionBody::Delete(_)
        | InstructionBody::ReEnlist { .. }
        | InstructionBody::Defect
        | InstructionBody::SetPoll(_) => false,
    }
}
