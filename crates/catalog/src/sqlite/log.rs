//! What a transaction has done besides its rows: changes to publish and crash points to pass.

use crate::{Change, CrashPoints};

/// Changes and crash points of a transaction, in order.
#[derive(Debug, Default)]
pub(crate) struct TxLog {
    changes: Vec<Change>,
    marks: Vec<&'static str>,
}

/// A place in a log to go back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogMark {
    changes: usize,
    marks: usize,
}

impl TxLog {
    /// Notes a change; equal neighbours count once.
    pub(crate) fn change(&mut self, change: Change) {
        if self.changes.last() != Some(&change) {
            self.changes.push(change);
        }
    }

    /// Notes that the commit carries the command `name`, a base of [`crate::CRASH_POINTS`].
    pub(crate) fn mark(&mut self, name: &'static str) {
        if !self.marks.contains(&name) {
            self.marks.push(name);
        }
    }

    pub(crate) fn position(&self) -> LogMark {
        LogMark {
            changes: self.changes.len(),
            marks: self.marks.len(),
        }
    }

    pub(crate) fn back_to(&mut self, mark: LogMark) {
        self.changes.truncate(mark.changes);
        self.marks.truncate(mark.marks);
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Passes the crash points of the file and of every command in the transaction.
    pub(crate) fn pass(&self, points: &CrashPoints, file: &'static str, suffix: &'static str) {
        points.hit_pair(file, suffix);
        for mark in &self.marks {
            points.hit_pair(mark, suffix);
        }
    }
}
