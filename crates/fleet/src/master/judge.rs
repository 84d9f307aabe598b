//! What a master makes of a hello: pure rules over what the catalog holds.

use crate::message::{Hello, Refusal};
use crate::numbers;
use model::{Cursor, Generation, ReportPosition, ServerId};
use std::time::Duration;
use uuid::Uuid;

/// How long a target that isn't enlisted here should stay away.
const NOT_ENLISTED_RETRY: Duration = Duration::from_secs(300);

/// What the catalog holds of a target instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRecord {
    /// Its `server_id`.
    pub server: ServerId,
    /// The enlistment in force.
    pub generation: Generation,
    /// Deleted or defected here; it has to be told.
    pub defected: bool,
    /// The queue may not be the one this target was given: the master was restored and has not re-synced
    /// the target since. Even a cursor that fits proves nothing then: a definition past it may have taken
    /// effect before the target could move it.
    pub resync_due: bool,
    /// Longest silence, in seconds.
    pub poll_interval_secs: u32,
    /// The newest instruction known to be done on the target; [`Cursor::START`] when none is. A nil uid
    /// with a number stands for a row that is gone.
    pub confirmed: Cursor,
    /// Uid of the queue's row that has the number of the hello's cursor, when there is one.
    pub uid_at_cursor: Option<Uuid>,
    /// Highest report position that is durable here.
    pub reports_durable: ReportPosition,
}

/// Where a target's cursor stands in its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorStanding {
    /// Where the master knows it.
    Confirmed,
    /// Past what the master knows, on a row of this queue: its results were lost on the way.
    Ahead,
    /// Not of this queue: the master or the target was restored.
    Foreign,
}

/// Judges a cursor against the queue.
///
/// A target behind the confirmed cursor was restored: rows in between may be trimmed, and a START there
/// must not run again, so it counts as foreign.
#[must_use]
pub fn judge_cursor(
    cursor: Cursor,
    confirmed: Cursor,
    uid_at_cursor: Option<Uuid>,
) -> CursorStanding {
    let same_row = uid_at_cursor == Some(cursor.uid);
    if cursor.number == confirmed.number {
        // A row that was cleared meanwhile says nothing against the cursor.
        let gone = confirmed.uid.is_nil() && uid_at_cursor.is_none();
        if cursor.uid == confirmed.uid || same_row || gone {
            return CursorStanding::Confirmed;
        }
    } else if cursor.number > confirmed.number && same_row {
        return CursorStanding::Ahead;
    }
    CursorStanding::Foreign
}

/// What a hello leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Admitted, with its cursor's standing.
    Member(CursorStanding),
    /// Reports are taken, instructions are not given.
    ReportsOnly(Refusal),
    /// Told that it is enlisted no more.
    Defected(String),
    /// Sent away.
    Refused(Refusal),
}

/// Judges a hello of a known protocol version. `record` is `None` for an instance that is not known.
#[must_use]
pub fn judge(hello: &Hello, record: Option<&TargetRecord>) -> Standing {
    let Some(record) = record else {
        return Standing::Refused(Refusal {
            number: numbers::NOT_ENLISTED,
            text: format!(
                "The server '{}' is not enlisted at this master server; enlist it.",
                hello.facts.name
            ),
            retry_after: NOT_ENLISTED_RETRY,
        });
    };
    if record.defected {
        return Standing::Defected(format!(
            "The server '{}' was defected from this master server.",
            hello.facts.name
        ));
    }
    if hello.generation != record.generation {
        // One end was restored, or the target is a copy of an older state.
        return Standing::ReportsOnly(Refusal {
            number: numbers::NOT_ENLISTED,
            text: format!(
                "The server '{}' shows enlistment {}; the master server knows {}. Enlist it anew.",
                hello.facts.name, hello.generation, record.generation
            ),
            retry_after: Duration::ZERO,
        });
    }
    Standing::Member(if record.resync_due {
        CursorStanding::Foreign
    } else {
        judge_cursor(hello.cursor, record.confirmed, record.uid_at_cursor)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::InstructionNumber;

    fn cursor(number: u64, uid: u128) -> Cursor {
        Cursor {
            number: InstructionNumber(number),
            uid: Uuid::from_u128(uid),
        }
    }

    #[test]
    fn cursors() {
        use CursorStanding::{Ahead, Confirmed, Foreign};
        let start = Cursor::START;
        for (name, target, confirmed, row, standing) in [
            ("a new enlistment", start, start, None, Confirmed),
            (
                "nothing new",
                cursor(7, 70),
                cursor(7, 70),
                Some(70),
                Confirmed,
            ),
            (
                "row trimmed since",
                cursor(7, 70),
                cursor(7, 70),
                None,
                Confirmed,
            ),
            (
                "results lost",
                cursor(9, 90),
                cursor(7, 70),
                Some(90),
                Ahead,
            ),
            ("first results lost", cursor(1, 10), start, Some(10), Ahead),
            (
                "master restored, number free",
                cursor(9, 90),
                cursor(7, 70),
                None,
                Foreign,
            ),
            (
                "master restored, number given again",
                cursor(9, 90),
                cursor(7, 70),
                Some(91),
                Foreign,
            ),
            (
                "master restored, and caught up",
                cursor(9, 90),
                cursor(9, 91),
                Some(91),
                Foreign,
            ),
            (
                "target restored",
                cursor(5, 50),
                cursor(7, 70),
                Some(50),
                Foreign,
            ),
            (
                "target restored to its start",
                start,
                cursor(7, 70),
                None,
                Foreign,
            ),
            (
                "uid not known, row there",
                cursor(7, 70),
                cursor(7, 0),
                Some(70),
                Confirmed,
            ),
            (
                "uid not known, row cleared",
                cursor(7, 70),
                cursor(7, 0),
                None,
                Confirmed,
            ),
        ] {
            let row = row.map(Uuid::from_u128);
            assert_eq!(judge_cursor(target, confirmed, row), standing, "{name}");
        }
    }
}
