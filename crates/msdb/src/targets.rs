//! What a listing says of a target server: its last sign of life, its status, its queue.

use crate::error::Result;
use catalog::{DownloadRow, DownloadState, RunsRead, TargetServer};
use jiff::{SignedDuration, Timestamp};
use model::{InstructionNumber, TargetStatus};
use std::collections::BTreeMap;

/// Poll intervals without a poll after which a target is suspected offline.
///
/// Source: multiserver fact sheet, section 6 (unverified there).
const SILENT_POLLS: u32 = 3;

/// A target's state as the runs file has it.
#[derive(Debug, Clone)]
pub(crate) struct TargetFacts {
    /// Its last poll, or its enlistment before the first.
    pub(crate) last_poll: Timestamp,
    /// Its clock at that poll.
    pub(crate) clock: Timestamp,
    /// Minutes east of UTC there.
    pub(crate) utc_offset_minutes: i32,
    /// Normal, offline, blocked.
    pub(crate) status: TargetStatus,
    /// Number up to which it has done its instructions.
    acknowledged: InstructionNumber,
    states: BTreeMap<InstructionNumber, DownloadState>,
}

impl TargetFacts {
    /// Reads them.
    pub(crate) fn read(runs: &dyn RunsRead, target: &TargetServer, now: Timestamp) -> Result<Self> {
        let life = runs.liveness(target.id)?;
        let states: BTreeMap<_, _> = runs
            .download_states(Some(target.id))?
            .into_iter()
            .map(|state| (state.number, state))
            .collect();
        let last_poll = life.map_or(target.enlisted, |life| life.at);
        let patience = SignedDuration::from_secs(i64::from(
            target.poll_interval_secs.saturating_mul(SILENT_POLLS),
        ));
        Ok(Self {
            last_poll,
            clock: life.map_or(target.enlisted, |life| life.target_clock),
            utc_offset_minutes: life.map_or(target.utc_offset_minutes, |life| {
                life.utc_offset_minutes.into()
            }),
            status: TargetStatus {
                suspected_offline: now.duration_since(last_poll) > patience,
                blocked: states.values().any(DownloadState::blocks),
            },
            acknowledged: runs.acknowledged_instruction(target.id)?,
            states,
        })
    }

    /// The target's clock now, if it has gone on since the last poll.
    pub(crate) fn clock_now(&self, now: Timestamp) -> Timestamp {
        self.clock
            .checked_add(now.duration_since(self.last_poll))
            .unwrap_or(self.clock)
    }

    /// When an instruction was downloaded, whether it was, and what the target said of it.
    pub(crate) fn download(&self, row: &DownloadRow) -> Download<'_> {
        let state = self.states.get(&row.number);
        let at = state.and_then(|state| state.downloaded);
        Download {
            done: at.is_some() || row.number <= self.acknowledged,
            at,
            error: state.and_then(|state| state.error.as_deref()),
        }
    }
}

/// How far an instruction is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Download<'f> {
    /// The target has taken it.
    pub(crate) done: bool,
    /// When.
    pub(crate) at: Option<Timestamp>,
    /// What the target said of it.
    pub(crate) error: Option<&'f str>,
}

/// How many of a target's instructions it has not taken yet.
pub(crate) fn unread(instructions: &[DownloadRow], facts: &TargetFacts) -> i32 {
    let unread = instructions
        .iter()
        .filter(|row| !facts.download(row).done)
        .count();
    i32::try_from(unread).unwrap_or(i32::MAX)
}
