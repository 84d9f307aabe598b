//! History: reading and inserting.

use super::Runs;
use crate::sqlite::codec::{At, Bytes16, Db, Unsigned, decode, instant, page, unsigned, uuid};
use crate::{HistoryFilter, HistoryOrder, HistoryRecord, JobOutcome, Result, StepLog, StepOutcome};
use jiff::Timestamp;
use model::{HistoryId, HistoryRow, JobId, RunId, RunStatus, ServerId, StepUid};
use rusqlite::types::Value;
use rusqlite::{Row, params, params_from_iter};

macro_rules! history_columns {
    () => {
        "h.history_id, h.server_id, r.run_id, h.row, h.job_id, h.step_id, h.step_name, h.step_uid, \
         h.sql_message_id, h.sql_severity, h.message, h.status, h.started, h.utc_offset_minutes, \
         h.duration_ms, h.retries_attempted, h.server, h.operator_emailed, h.operator_netsent, \
         h.operator_paged"
    };
}
pub(super) use history_columns;

pub(super) fn status(row: &Row<'_>, index: usize) -> rusqlite::Result<RunStatus> {
    decode(row, index, "run status", |code| {
        RunStatus::from_code(i32::try_from(code).ok()?)
    })
}

/// Reads `history_columns`, with the output given.
pub(super) fn read_row(row: &Row<'_>, output: Option<String>) -> rusqlite::Result<HistoryRow> {
    Ok(HistoryRow {
        run_id: RunId(uuid(row, 2)?),
        row: row.get(3)?,
        job_id: JobId(uuid(row, 4)?),
        step_id: row.get(5)?,
        step_name: row.get(6)?,
        step_uid: row.get::<_, Option<Bytes16>>(7)?.map(|uid| StepUid(uid.0)),
        sql_message_id: row.get(8)?,
        sql_severity: row.get(9)?,
        message: row.get(10)?,
        status: status(row, 11)?,
        started: instant(row, 12)?,
        utc_offset_minutes: row.get(13)?,
        duration_ms: unsigned(row, 14)?,
        retries_attempted: row.get(15)?,
        server: row.get(16)?,
        output,
    })
}

fn read_record(row: &Row<'_>) -> rusqlite::Result<HistoryRecord> {
    Ok(HistoryRecord {
        id: HistoryId(row.get(0)?),
        server: ServerId(row.get(1)?),
        row: read_row(row, None)?,
        operators: [row.get(17)?, row.get(18)?, row.get(19)?],
        has_output: row.get(20)?,
    })
}

pub(super) fn history(
    db: Db<'_>,
    filter: &HistoryFilter,
    after: Option<HistoryId>,
    limit: usize,
) -> Result<Vec<HistoryRecord>> {
    let mut values: Vec<Value> = Vec::new();
    let (comparison, direction, from) = match filter.order {
        HistoryOrder::OldestFirst => (">", "ASC", after.map_or(0, |id| id.0)),
        HistoryOrder::NewestFirst => ("<", "DESC", after.map_or(i64::MAX, |id| id.0)),
    };
    // A run has few rows: they are found by the run, and the order is made of them. A unary plus keeps the
    // planner from walking all history in order instead.
    let id = if filter.run.is_some() {
        "+h.history_id"
    } else {
        "h.history_id"
    };
    let mut sql = format!(
        concat!(
            "SELECT ",
            history_columns!(),
            ", EXISTS (SELECT 1 FROM history_output o WHERE o.history_id = h.history_id)
             FROM history h JOIN runs r ON r.run_key = h.run_key WHERE {} {} ?"
        ),
        id, comparison
    );
    values.push(from.into());
    let mut condition = |text: &str, value: Value| {
        sql.push_str(text);
        values.push(value);
    };
    if let Some(run) = filter.run {
        condition(
            " AND h.run_key = (SELECT run_key FROM runs WHERE run_id = ?)",
            run.0.as_bytes().to_vec().into(),
        );
    }
    if let Some(job) = filter.job {
        condition(" AND h.job_id = ?", job.0.as_bytes().to_vec().into());
    }
    if let Some(server) = filter.server {
        condition(" AND h.server_id = ?", server.0.into());
    }
    if let Some(step_id) = filter.step_id {
        condition(" AND h.step_id = ?", step_id.into());
    }
    if let Some(status) = filter.status {
        condition(" AND h.status = ?", status.code().into());
    }
    if let Some(from) = filter.started_from {
        condition(" AND h.started >= ?", from.as_microsecond().into());
    }
    if let Some(to) = filter.started_to {
        condition(" AND h.started <= ?", to.as_microsecond().into());
    }
    if let Some(least) = filter.duration_ms_min {
        let least = i64::try_from(least).unwrap_or(i64::MAX);
        condition(" AND h.duration_ms >= ?", least.into());
    }
    if let Some(message) = filter.sql_message_id {
        condition(" AND h.sql_message_id = ?", message.into());
    }
    if let Some(severity) = filter.sql_severity {
        condition(" AND h.sql_severity = ?", severity.into());
    }
    if let Some(least) = filter.retries_min {
        condition(" AND h.retries_attempted >= ?", least.into());
    }
    sql.push_str(&format!(" ORDER BY {id} {direction} LIMIT ?"));
    values.push(page(limit).into());
    db.all(&sql, params_from_iter(values), read_record)
}

pub(super) fn history_output(db: Db<'_>, id: HistoryId) -> Result<Option<String>> {
    db.one(
        "SELECT output FROM history_output WHERE history_id = ?1",
        [id.0],
        |row| row.get(0),
    )
}

pub(super) fn job_outcomes(
    db: Db<'_>,
    job: Option<JobId>,
    server: Option<ServerId>,
) -> Result<Vec<JobOutcome>> {
    let read = |row: &Row<'_>| {
        Ok(JobOutcome {
            job: JobId(uuid(row, 0)?),
            server: ServerId(row.get(1)?),
            status: status(row, 2)?,
            message: row.get(3)?,
            started: instant(row, 4)?,
            utc_offset_minutes: row.get(5)?,
            duration_ms: unsigned(row, 6)?,
            run: RunId(uuid(row, 7)?),
            history: HistoryId(row.get(8)?),
        })
    };
    macro_rules! select {
        () => {
            "SELECT job_id, server_id, status, message, started, utc_offset_minutes, duration_ms, run_id, \
             history_id FROM job_targets"
        };
    }
    match (job, server) {
        (None, None) => {
            // A condition would not help: most rows have an outcome.
            let rows = db.all(
                concat!(select!(), " ORDER BY job_id, server_id"),
                [],
                |row| {
                    if row.get::<_, Option<i64>>(2)?.is_none() {
                        return Ok(None);
                    }
                    read(row).map(Some)
                },
            )?;
            Ok(rows.into_iter().flatten().collect())
        }
        (Some(job), None) => db.all(
            concat!(
                select!(),
                " WHERE job_id = ?1 AND status IS NOT NULL ORDER BY server_id"
            ),
            [Bytes16(job.0)],
            read,
        ),
        (None, Some(server)) => db.all(
            concat!(
                select!(),
                " WHERE server_id = ?1 AND status IS NOT NULL ORDER BY job_id"
            ),
            [server.0],
            read,
        ),
        (Some(job), Some(server)) => db.all(
            concat!(
                select!(),
                " WHERE job_id = ?1 AND server_id = ?2 AND status IS NOT NULL"
            ),
            params![Bytes16(job.0), server.0],
            read,
        ),
    }
}

pub(super) fn step_outcomes(db: Db<'_>, job: Option<JobId>) -> Result<Vec<StepOutcome>> {
    let read = |row: &Row<'_>| {
        Ok(StepOutcome {
            step: StepUid(uuid(row, 0)?),
            status: status(row, 1)?,
            started: instant(row, 2)?,
            utc_offset_minutes: row.get(3)?,
            duration_ms: unsigned(row, 4)?,
            retries: row.get(5)?,
        })
    };
    match job {
        None => db.all(
            "SELECT step_uid, status, started, utc_offset_minutes, duration_ms, retries
             FROM step_outcomes ORDER BY step_uid",
            [],
            read,
        ),
        Some(job) => db.all(
            "SELECT step_uid, status, started, utc_offset_minutes, duration_ms, retries
             FROM step_outcomes WHERE job_id = ?1 ORDER BY step_uid",
            [Bytes16(job.0)],
            read,
        ),
    }
}

pub(super) fn step_logs(db: Db<'_>, step: Option<StepUid>) -> Result<Vec<StepLog>> {
    let read = |row: &Row<'_>| {
        Ok(StepLog {
            id: row.get(0)?,
            step: StepUid(uuid(row, 1)?),
            log: row.get(2)?,
            created: instant(row, 3)?,
            modified: instant(row, 4)?,
        })
    };
    match step {
        None => db.all(
            "SELECT log_id, step_uid, log, created, modified FROM step_logs ORDER BY log_id",
            [],
            read,
        ),
        Some(step) => db.all(
            "SELECT log_id, step_uid, log, created, modified FROM step_logs WHERE step_uid = ?1",
            [Bytes16(step.0)],
            read,
        ),
    }
}

pub(super) fn write_step_log(
    w: &mut Runs<'_>,
    job: JobId,
    step: StepUid,
    text: &str,
    append: bool,
    bytes_max: usize,
    now: Timestamp,
) -> Result<()> {
    let before: Option<String> = if append {
        w.db.one(
            "SELECT log FROM step_logs WHERE step_uid = ?1",
            [Bytes16(step.0)],
            |row| row.get(0),
        )?
    } else {
        None
    };
    let mut log = before.unwrap_or_default();
    log.push_str(text);
    if log.len() > bytes_max {
        let mut cut = log.len() - bytes_max;
        while !log.is_char_boundary(cut) {
            cut += 1;
        }
        log.drain(..cut);
    }
    w.db.run(
        "INSERT INTO step_logs (step_uid, job_id, log, created, modified) VALUES (?1, ?2, ?3, ?4, ?4)
         ON CONFLICT (step_uid) DO UPDATE SET log = excluded.log, modified = excluded.modified",
        params![Bytes16(step.0), Bytes16(job.0), log, At(now)],
    )?;
    Ok(())
}

pub(super) fn delete_step_logs(
    w: &mut Runs<'_>,
    step: StepUid,
    before: Option<Timestamp>,
    larger_than: Option<u64>,
) -> Result<u64> {
    let mut removed = 0;
    for log in step_logs(w.db, Some(step))? {
        let old = before.is_none_or(|before| log.modified < before);
        let large = larger_than.is_none_or(|bytes| log.log_bytes() > bytes);
        if old && large {
            removed +=
                w.db.run("DELETE FROM step_logs WHERE log_id = ?1", [log.id])?;
        }
    }
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}

fn known_run(db: Db<'_>, run: RunId) -> Result<Option<i64>> {
    db.one(
        "SELECT run_key FROM runs WHERE run_id = ?1",
        [Bytes16(run.0)],
        |row| row.get(0),
    )
}

/// The key of a run that is most likely there; one that isn't is made, as ended.
pub(super) fn run_key(w: &Runs<'_>, run: RunId, job: JobId, server: ServerId) -> Result<i64> {
    if let Some(key) = known_run(w.db, run)? {
        return Ok(key);
    }
    w.db.insert(
        "INSERT INTO runs (run_id, job_id, server_id, state) VALUES (?1, ?2, ?3, 1)",
        params![Bytes16(run.0), Bytes16(job.0), server.0],
    )
}

/// The key of a run that is most likely new.
pub(super) fn new_run_key(w: &Runs<'_>, run: RunId, job: JobId, server: ServerId) -> Result<i64> {
    let made = w.db.insert_new(
        "INSERT INTO runs (run_id, job_id, server_id, state) VALUES (?1, ?2, ?3, 1)
         ON CONFLICT (run_id) DO NOTHING",
        params![Bytes16(run.0), Bytes16(job.0), server.0],
    )?;
    match made {
        Some(key) => Ok(key),
        None => run_key(w, run, job, server),
    }
}

/// Inserts a history row and its output; `None` when (run, row) is stored already. Counts nothing.
pub(super) fn insert_row(
    w: &Runs<'_>,
    run_key: i64,
    server: ServerId,
    row: &HistoryRow,
    operators: [i64; 3],
) -> Result<Option<HistoryId>> {
    let id = w.db.insert_new(
        "INSERT INTO history (run_key, row, job_id, server_id, step_id, step_name, step_uid, sql_message_id,
             sql_severity, message, status, started, utc_offset_minutes, duration_ms,
             retries_attempted, server, operator_emailed, operator_netsent, operator_paged)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
         ON CONFLICT (run_key, row) DO NOTHING",
        params![
            run_key,
            row.row,
            Bytes16(row.job_id.0),
            server.0,
            row.step_id,
            row.step_name,
            row.step_uid.map(|uid| Bytes16(uid.0)),
            row.sql_message_id,
            row.sql_severity,
            row.message,
            row.status.code(),
            At(row.started),
            row.utc_offset_minutes,
            Unsigned(row.duration_ms),
            row.retries_attempted,
            row.server,
            operators[0],
            operators[1],
            operators[2],
        ],
    )?;
    let output = row.output.as_deref().filter(|output| !output.is_empty());
    if let (Some(id), Some(output)) = (id, output) {
        w.db.run(
            "INSERT INTO history_output (history_id, output) VALUES (?1, ?2)",
            params![id, output],
        )?;
    }
    Ok(id.map(HistoryId))
}

/// Adds to the row count of a job on a target and, with an outcome, makes that the newest.
///
/// Outcomes come in the order in which the runs ended, whatever the clocks say: here they are written as
/// they end, and reports keep that order.
pub(super) fn add_rows(
    w: &Runs<'_>,
    job: JobId,
    server: ServerId,
    rows: usize,
    outcome: Option<(&HistoryRow, HistoryId)>,
) -> Result<()> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    match outcome {
        None => w.db.run(
            "INSERT INTO job_targets (job_id, server_id, history_rows) VALUES (?1, ?2, ?3)
             ON CONFLICT (job_id, server_id) DO UPDATE
                 SET history_rows = history_rows + excluded.history_rows",
            params![Bytes16(job.0), server.0, rows],
        )?,
        Some((row, id)) => w.db.run(
            "INSERT INTO job_targets (job_id, server_id, history_rows, status, message, started,
                 utc_offset_minutes, duration_ms, run_id, history_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (job_id, server_id) DO UPDATE
                 SET history_rows = history_rows + excluded.history_rows, status = excluded.status,
                 message = excluded.message, started = excluded.started,
                 utc_offset_minutes = excluded.utc_offset_minutes,
                 duration_ms = excluded.duration_ms, run_id = excluded.run_id,
                 history_id = excluded.history_id",
            params![
                Bytes16(job.0),
                server.0,
                rows,
                row.status.code(),
                row.message,
                At(row.started),
                row.utc_offset_minutes,
                Unsigned(row.duration_ms),
                Bytes16(row.run_id.0),
                id.0
            ],
        )?,
    };
    Ok(())
}
