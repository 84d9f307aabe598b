//! How far this instance is with its master's instructions.

use super::Runs;
use crate::sqlite::codec::{At, Bytes16, Db, Unsigned, instant, page, unsigned, uuid};
use crate::{CatalogError, InstructionRefusal, REFUSALS_KEPT, Result, TargetCursor};
use jiff::Timestamp;
use model::{Cursor, Generation, InstructionNumber};
use rusqlite::params;

pub(super) fn target_cursor(db: Db<'_>) -> Result<Option<TargetCursor>> {
    db.one(
        "SELECT generation, number, uid FROM target_cursor WHERE one = 1",
        [],
        |row| {
            Ok(TargetCursor {
                generation: Generation(unsigned(row, 0)?),
                cursor: Cursor {
                    number: InstructionNumber(unsigned(row, 1)?),
                    uid: uuid(row, 2)?,
                },
            })
        },
    )
}

pub(super) fn instruction_refusals(
    db: Db<'_>,
    above: InstructionNumber,
) -> Result<Vec<InstructionRefusal>> {
    db.all(
        "SELECT number, uid, reason, at FROM instruction_refusals WHERE number > ?1 ORDER BY number",
        [Unsigned(above.0)],
        |row| {
            Ok(InstructionRefusal {
                number: InstructionNumber(unsigned(row, 0)?),
                uid: uuid(row, 1)?,
                reason: row.get(2)?,
                at: instant(row, 3)?,
            })
        },
    )
}

fn put(w: &Runs<'_>, cursor: &TargetCursor) -> Result<()> {
    w.db.run(
        "INSERT OR REPLACE INTO target_cursor (one, generation, number, uid) VALUES (1, ?1, ?2, ?3)",
        params![
            Unsigned(cursor.generation.0),
            Unsigned(cursor.cursor.number.0),
            Bytes16(cursor.cursor.uid)
        ],
    )?;
    Ok(())
}

pub(super) fn advance_cursor(
    w: &mut Runs<'_>,
    cursor: &TargetCursor,
    refusal: Option<(&str, Timestamp)>,
) -> Result<()> {
    if let Some(stored) = target_cursor(w.db)? {
        let backwards = stored.generation > cursor.generation
            || (stored.generation == cursor.generation
                && stored.cursor.number > cursor.cursor.number);
        if backwards {
            return Err(CatalogError::OutOfRange {
                what: "an instruction before the cursor",
            });
        }
    }
    w.atomically(|w| {
        w.mark("advance_cursor");
        put(w, cursor)?;
        if let Some((reason, at)) = refusal {
            w.db.run(
                "INSERT OR REPLACE INTO instruction_refusals (number, uid, reason, at)
                 VALUES (?1, ?2, ?3, ?4)",
                params![
                    Unsigned(cursor.cursor.number.0),
                    Bytes16(cursor.cursor.uid),
                    reason,
                    At(at)
                ],
            )?;
            w.db.run(
                "DELETE FROM instruction_refusals WHERE number <=
                     (SELECT number FROM instruction_refusals ORDER BY number DESC LIMIT 1 OFFSET ?1)",
                [page(REFUSALS_KEPT)],
            )?;
        }
        Ok(())
    })
}

pub(super) fn reset_cursor(w: &mut Runs<'_>, cursor: &TargetCursor) -> Result<()> {
    w.atomically(|w| {
        w.mark("advance_cursor");
        put(w, cursor)?;
        w.db.run("DELETE FROM instruction_refusals", [])?;
        Ok(())
    })
}
