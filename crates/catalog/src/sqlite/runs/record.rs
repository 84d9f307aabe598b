//! Recording what ran here, and the queue for the master.

use super::Runs;
use super::history::{self, history_columns, insert_row, read_row, run_key};
use super::removal;
use crate::sqlite::codec::{At, Bytes16, Db, Unsigned, page, unsigned};
use crate::{
    CatalogError, Change, PURGE_CHUNK_ROWS, QueuedReport, RecordHistory, RecordedHistory,
    ReportQueueState, Result,
};
use jiff::Timestamp;
use model::{HistoryId, HistoryRow, ReportPosition, ServerId};
use rusqlite::params;
use std::time::Duration;

/// This instance as a place where jobs run.
const HERE: ServerId = ServerId(0);
/// Queued rows looked at at once when the spool is over its bounds.
const SPOOL_DROP_CHUNK: usize = 64;

pub(super) fn record_history(
    w: &mut Runs<'_>,
    record: RecordHistory<'_>,
) -> Result<RecordedHistory> {
    w.atomically(|w| {
        let row = record.row;
        let outcome = row.step_id == 0;
        w.mark(if outcome {
            "record_outcome"
        } else {
            "record_step"
        });
        let key = run_key(w, row.run_id, row.job_id, HERE)?;
        let Some(id) = insert_row(w, key, HERE, row, record.operators)? else {
            return already_recorded(w.db, key, row.row);
        };
        history::add_rows(w, row.job_id, HERE, 1, outcome.then_some((row, id)))?;
        w.db.run(
            "UPDATE local_runs SET next_row = max(next_row, ?2) WHERE run_key = ?1",
            params![key, row.row.saturating_add(1)],
        )?;
        if outcome {
            end_run(w, key, row, id)?;
        } else {
            step_ended(w, row)?;
        }
        let position = if record.report {
            Some(queue(w, row, id)?)
        } else {
            None
        };
        w.db.run(
            "UPDATE totals SET history_rows = history_rows + 1 WHERE one = 1",
            [],
        )?;
        if outcome {
            removal::trim_after(w, HERE, [row.job_id], 1)?;
        }
        w.change(Change::HistoryAdded {
            job: row.job_id,
            server: HERE,
            id,
            outcome,
        });
        if outcome {
            w.change(Change::RunChanged {
                job: row.job_id,
                run: row.run_id,
            });
        }
        if position.is_some() {
            w.change(Change::ReportsQueued);
        }
        Ok(RecordedHistory {
            id,
            already_known: false,
            position,
        })
    })
}

fn already_recorded(db: Db<'_>, key: i64, row: u32) -> Result<RecordedHistory> {
    db.sure(
        "SELECT h.history_id, q.position FROM history h
         LEFT JOIN report_queue q ON q.history_id = h.history_id
         WHERE h.run_key = ?1 AND h.row = ?2",
        params![key, row],
        |found| {
            let position: Option<Unsigned> = found.get(1)?;
            Ok(RecordedHistory {
                id: HistoryId(found.get(0)?),
                already_known: true,
                position: position.map(|position| ReportPosition(position.0)),
            })
        },
    )
}

/// When a row's act ended.
fn ended(row: &HistoryRow) -> Timestamp {
    row.started
        .saturating_add(Duration::from_millis(row.duration_ms))
        .unwrap_or(row.started)
}

fn end_run(w: &mut Runs<'_>, key: i64, row: &HistoryRow, id: HistoryId) -> Result<()> {
    w.db.run("UPDATE runs SET state = 1 WHERE run_key = ?1", [key])?;
    w.db.run(
        "UPDATE activity SET stopped = ?3, history_id = ?4
         WHERE job_id = ?1 AND run_id = ?2
         AND session_id = (SELECT session_id FROM local_runs WHERE run_key = ?5)",
        params![
            Bytes16(row.job_id.0),
            Bytes16(row.run_id.0),
            At(ended(row)),
            id.0,
            key
        ],
    )?;
    Ok(())
}

fn step_ended(w: &mut Runs<'_>, row: &HistoryRow) -> Result<()> {
    let Some(step) = row.step_uid else {
        return Ok(());
    };
    w.db.run(
        "INSERT INTO step_outcomes (step_uid, job_id, status, started, utc_offset_minutes, duration_ms,
             retries)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (step_uid) DO UPDATE SET job_id = excluded.job_id, status = excluded.status,
             started = excluded.started, utc_offset_minutes = excluded.utc_offset_minutes,
             duration_ms = excluded.duration_ms, retries = excluded.retries",
        params![
            Bytes16(step.0),
            Bytes16(row.job_id.0),
            row.status.code(),
            At(row.started),
            row.utc_offset_minutes,
            Unsigned(row.duration_ms),
            row.retries_attempted
        ],
    )?;
    Ok(())
}

/// Puts a row into the queue for the master and keeps the queue within its bounds.
fn queue(w: &mut Runs<'_>, row: &HistoryRow, id: HistoryId) -> Result<ReportPosition> {
    let output = row.output.as_deref().map_or(0, str::len);
    w.db.run(
        "UPDATE totals SET reports_last = reports_last + 1, spool_step_rows = spool_step_rows + ?1,
             spool_output_bytes = spool_output_bytes + ?2 WHERE one = 1",
        params![
            i64::from(row.step_id != 0),
            i64::try_from(output).unwrap_or(i64::MAX)
        ],
    )?;
    let (position, steps, bytes) = w.db.sure(
        "SELECT reports_last, spool_step_rows, spool_output_bytes FROM totals WHERE one = 1",
        [],
        |found| {
            Ok((
                unsigned(found, 0)?,
                unsigned(found, 1)?,
                unsigned(found, 2)?,
            ))
        },
    )?;
    w.db.run(
        "INSERT INTO report_queue (position, history_id) VALUES (?1, ?2)",
        params![Unsigned(position), id.0],
    )?;
    if bytes > w.limits.spool.output_bytes_max {
        drop_outputs(w, bytes - w.limits.spool.output_bytes_max)?;
    }
    if steps > w.limits.spool.step_rows_max {
        drop_steps(w, steps - w.limits.spool.step_rows_max)?;
    }
    Ok(ReportPosition(position))
}

/// Drops the oldest waiting outputs until so many bytes are free. Rows stay.
fn drop_outputs(w: &mut Runs<'_>, excess: u64) -> Result<()> {
    let mut freed = 0;
    while freed < excess {
        let oldest = w.db.all(
            "SELECT q.position, q.history_id, octet_length(o.output)
             FROM report_queue q JOIN history_output o ON o.history_id = q.history_id
             WHERE q.position > (SELECT max(reports_acknowledged, spool_output_from) FROM totals
                 WHERE one = 1)
             ORDER BY q.position LIMIT ?1",
            [page(SPOOL_DROP_CHUNK)],
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    unsigned(row, 2)?,
                ))
            },
        )?;
        if oldest.is_empty() {
            break;
        }
        for (position, id, bytes) in oldest {
            if freed >= excess {
                break;
            }
            w.db.run("DELETE FROM history_output WHERE history_id = ?1", [id])?;
            w.db.run(
                "UPDATE totals SET spool_output_from = ?1,
                     spool_output_bytes = max(spool_output_bytes - ?2, 0) WHERE one = 1",
                params![position, Unsigned(bytes)],
            )?;
            freed += bytes;
        }
    }
    Ok(())
}

/// Drops the oldest waiting step rows from the queue. Outcomes stay, and so does the history here.
fn drop_steps(w: &mut Runs<'_>, excess: u64) -> Result<()> {
    let most = usize::try_from(excess)
        .unwrap_or(usize::MAX)
        .min(SPOOL_DROP_CHUNK);
    let oldest = w.db.all(
        "SELECT q.position, coalesce((SELECT octet_length(o.output) FROM history_output o
             WHERE o.history_id = q.history_id), 0)
         FROM report_queue q JOIN history h ON h.history_id = q.history_id
         WHERE q.position > (SELECT max(reports_acknowledged, spool_steps_from) FROM totals
             WHERE one = 1)
         AND h.step_id <> 0 ORDER BY q.position LIMIT ?1",
        [page(most)],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
    )?;
    for (position, bytes) in oldest {
        w.db.run("DELETE FROM report_queue WHERE position = ?1", [position])?;
        w.db.run(
            "UPDATE totals SET spool_steps_from = ?1, spool_step_rows = max(spool_step_rows - 1, 0),
                 spool_output_bytes = max(spool_output_bytes - ?2, 0) WHERE one = 1",
            params![position, bytes],
        )?;
    }
    Ok(())
}

pub(super) fn report_queue(db: Db<'_>) -> Result<ReportQueueState> {
    db.sure(
        "SELECT reports_acknowledged, reports_last FROM totals WHERE one = 1",
        [],
        |row| {
            Ok(ReportQueueState {
                acknowledged: ReportPosition(unsigned(row, 0)?),
                last: ReportPosition(unsigned(row, 1)?),
            })
        },
    )
}

pub(super) fn queued_reports(
    db: Db<'_>,
    above: ReportPosition,
    rows: usize,
    bytes: usize,
) -> Result<Vec<QueuedReport>> {
    let mut statement = db.prepare(concat!(
        "SELECT ",
        history_columns!(),
        ", q.position, (SELECT o.output FROM history_output o WHERE o.history_id = q.history_id)
         FROM report_queue q JOIN history h ON h.history_id = q.history_id
         JOIN runs r ON r.run_key = h.run_key
         WHERE q.position > ?1 ORDER BY q.position LIMIT ?2"
    ))?;
    let mut found = statement.query(params![Unsigned(above.0), page(rows)])?;
    let mut reports = Vec::new();
    let mut size = 0_usize;
    while let Some(row) = found.next()? {
        let output: Option<String> = row.get(21)?;
        let report = QueuedReport {
            position: ReportPosition(unsigned(row, 20)?),
            row: read_row(row, output)?,
        };
        size += report.row.message.len() + report.row.output.as_deref().map_or(0, str::len);
        if size > bytes && !reports.is_empty() {
            break;
        }
        reports.push(report);
    }
    Ok(reports)
}

/// Adds what the rows of a stretch of the queue weigh to the spool's sums, or takes it away.
fn weigh(w: &Runs<'_>, above: u64, up_to: u64, sign: i64) -> Result<()> {
    w.db.run(
        "UPDATE totals SET
             spool_step_rows = max(spool_step_rows + ?3 * s.steps, 0),
             spool_output_bytes = max(spool_output_bytes + ?3 * s.bytes, 0)
         FROM (SELECT count(*) FILTER (WHERE h.step_id <> 0) AS steps,
                   coalesce(sum((SELECT octet_length(o.output) FROM history_output o
                       WHERE o.history_id = q.history_id)), 0) AS bytes
               FROM report_queue q JOIN history h ON h.history_id = q.history_id
               WHERE q.position > ?1 AND q.position <= ?2) AS s
         WHERE one = 1",
        params![Unsigned(above), Unsigned(up_to), sign],
    )?;
    Ok(())
}

pub(super) fn acknowledge_reports(w: &mut Runs<'_>, up_to: ReportPosition) -> Result<()> {
    let state = report_queue(w.db)?;
    if up_to > state.last {
        return Err(CatalogError::OutOfRange {
            what: "an acknowledged report position",
        });
    }
    if up_to <= state.acknowledged {
        return Ok(());
    }
    w.atomically(|w| {
        w.mark("acknowledge_reports");
        weigh(w, state.acknowledged.0, up_to.0, -1)?;
        w.db.run(
            "UPDATE totals SET reports_acknowledged = ?1 WHERE one = 1",
            [Unsigned(up_to.0)],
        )?;
        Ok(())
    })
}

pub(super) fn rewind_reports(w: &mut Runs<'_>, to: ReportPosition) -> Result<()> {
    let state = report_queue(w.db)?;
    if to > state.acknowledged {
        return Err(CatalogError::OutOfRange {
            what: "a report position to go back to",
        });
    }
    w.atomically(|w| {
        w.mark("acknowledge_reports");
        weigh(w, to.0, state.acknowledged.0, 1)?;
        w.db.run(
            "UPDATE totals SET reports_acknowledged = ?1, spool_output_from = min(spool_output_from, ?1),
                 spool_steps_from = min(spool_steps_from, ?1) WHERE one = 1",
            [Unsigned(to.0)],
        )?;
        w.change(Change::ReportsQueued);
        Ok(())
    })
}

pub(super) fn trim_reports(w: &mut Runs<'_>, before: Timestamp) -> Result<u64> {
    let state = report_queue(w.db)?;
    let oldest = w.db.all(
        "SELECT q.position, (SELECT h.started FROM history h WHERE h.history_id = q.history_id)
         FROM report_queue q WHERE q.position <= ?1 ORDER BY q.position LIMIT ?2",
        params![Unsigned(state.acknowledged.0), page(PURGE_CHUNK_ROWS)],
        |row| {
            let started: Option<At> = row.get(1)?;
            Ok((row.get::<_, i64>(0)?, started.map(|started| started.0)))
        },
    )?;
    let last = oldest
        .iter()
        .take_while(|(_, started)| started.is_none_or(|started| started < before))
        .last();
    let Some((last, _)) = last else {
        return Ok(0);
    };
    let removed =
        w.db.run("DELETE FROM report_queue WHERE position <= ?1", [last])?;
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}
