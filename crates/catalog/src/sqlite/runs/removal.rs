//! Removing history: trimming to the limits, purging, and what deleted jobs leave.
//!
//! What a purge removes is chosen on a reader, in stretches, and looked at again when it is removed. Trimming
//! after an outcome takes few rows: the caller of [`trim_after`] keeps others waiting.

use super::Runs;
use crate::sqlite::codec::{Bytes16, Db, Unsigned, instant, page, unsigned, uuid};
use crate::{
    Change, ENDED_RUNS_KEPT, HistoryPlace, HistoryPurge, HistoryRemoval, JobsOverLimit,
    PURGE_CHUNK_ROWS, Result, TRIM_ROWS_PER_WRITE,
};
use jiff::Timestamp;
use model::{HistoryId, JobId, ServerId};
use rusqlite::{Row, params};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A row `h` that somebody still needs: it waits for the master, or its run goes on, which takes its next step from
/// the rows it has should the program end meanwhile.
macro_rules! waits {
    () => {
        "(EXISTS (SELECT 1 FROM report_queue q WHERE q.history_id = h.history_id
             AND q.position > (SELECT reports_acknowledged FROM totals WHERE one = 1))
          OR EXISTS (SELECT 1 FROM runs r WHERE r.run_key = h.run_key AND r.state = 0))"
    };
}

/// A row `h` that is the newest outcome of a job on a target.
macro_rules! newest {
    () => {
        "EXISTS (SELECT 1 FROM job_targets t WHERE t.history_id = h.history_id)"
    };
}

/// Brings jobs on a target, and then history in all, back within their limits after rows were added. What is
/// beyond as many rows as were added and a few is left for later, and the change feed told.
pub(super) fn trim_after(
    w: &mut Runs<'_>,
    server: ServerId,
    jobs: impl IntoIterator<Item = JobId>,
    added: usize,
) -> Result<()> {
    let mut left = added.saturating_add(TRIM_ROWS_PER_WRITE);
    for job in jobs {
        left = left.saturating_sub(trim_job_history(w, job, server, left)?);
    }
    left = left.saturating_sub(trim_total(w, left)?);
    if left == 0 {
        w.change(Change::HistoryOverLimit);
    }
    Ok(())
}

pub(super) fn jobs_over_limit(
    db: Db<'_>,
    rows_max: u64,
    after: Option<(JobId, ServerId)>,
    limit: usize,
) -> Result<JobsOverLimit> {
    let (job, server) = after.unwrap_or((JobId(Uuid::nil()), ServerId(i64::MIN)));
    let found = db.all(
        "SELECT job_id, server_id, history_rows FROM job_targets
         WHERE (job_id, server_id) > (?1, ?2) ORDER BY job_id, server_id LIMIT ?3",
        params![Bytes16(job.0), server.0, page(limit)],
        |row| {
            let key = (JobId(uuid(row, 0)?), ServerId(row.get(1)?));
            Ok((key, unsigned(row, 2)?))
        },
    )?;
    let last = found.last().map(|(key, _)| *key);
    let over = found
        .into_iter()
        .filter(|(_, rows)| *rows > rows_max)
        .map(|(key, _)| key)
        .collect();
    Ok(JobsOverLimit { over, last })
}

pub(super) fn trim_job_history(
    w: &mut Runs<'_>,
    job: JobId,
    server: ServerId,
    limit: usize,
) -> Result<usize> {
    let Some(most) = w.limits.history.rows_per_job_and_target else {
        return Ok(0);
    };
    let rows =
        w.db.one(
            "SELECT history_rows FROM job_targets WHERE job_id = ?1 AND server_id = ?2",
            params![Bytes16(job.0), server.0],
            |row| unsigned(row, 0),
        )?
        .unwrap_or(0);
    let excess = rows.saturating_sub(most).min(limit as u64);
    if excess == 0 {
        return Ok(0);
    }
    // One more than the excess: the newest outcome may be among the oldest rows.
    let ids = w.db.all(
        concat!(
            "SELECT h.history_id FROM
                 (SELECT history_id, run_key FROM history WHERE job_id = ?1 AND server_id = ?2
                  ORDER BY history_id LIMIT ?3 + 1) h
             WHERE NOT ",
            newest!(),
            " AND NOT ",
            waits!(),
            " LIMIT ?3"
        ),
        params![Bytes16(job.0), server.0, Unsigned(excess)],
        |row| row.get(0),
    )?;
    delete_rows(w, &ids)
}

/// Brings history back within its limit in all. Walks from where the last walk ended, so that rows that have to stay are not looked at again and again.
fn trim_total(w: &mut Runs<'_>, limit: usize) -> Result<usize> {
    let Some(most) = w.limits.history.rows_max else {
        return Ok(0);
    };
    let (rows, from) = w.db.sure(
        "SELECT history_rows, trim_from FROM totals WHERE one = 1",
        [],
        |row| Ok((unsigned(row, 0)?, row.get::<_, i64>(1)?)),
    )?;
    let excess = usize::try_from(rows.saturating_sub(most))
        .unwrap_or(usize::MAX)
        .min(limit);
    if excess == 0 {
        return Ok(0);
    }
    let window = w.db.all(
        concat!(
            "SELECT h.history_id, ",
            newest!(),
            " OR ",
            waits!(),
            " FROM history h WHERE h.history_id > ?1 ORDER BY h.history_id LIMIT ?2"
        ),
        params![from, page(PURGE_CHUNK_ROWS)],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?)),
    )?;
    let mut ids = Vec::new();
    let mut reached = if window.len() < PURGE_CHUNK_ROWS {
        0
    } else {
        window.last().map_or(0, |(id, _)| *id)
    };
    for (id, protected) in &window {
        if ids.len() == excess {
            reached = *id - 1;
            break;
        }
        if !protected {
            ids.push(*id);
        }
    }
    let removed = delete_rows(w, &ids)?;
    w.db.run("UPDATE totals SET trim_from = ?1 WHERE one = 1", [reached])?;
    Ok(removed)
}

pub(super) fn history_rows(db: Db<'_>) -> Result<u64> {
    db.sure("SELECT history_rows FROM totals WHERE one = 1", [], |row| {
        unsigned(row, 0)
    })
}

pub(super) fn newest_history(db: Db<'_>) -> Result<HistoryId> {
    db.sure("SELECT max(history_id) FROM history", [], |row| {
        Ok(HistoryId(row.get::<_, Option<i64>>(0)?.unwrap_or(0)))
    })
}

pub(super) fn removable_history(
    db: Db<'_>,
    removal: &HistoryRemoval,
    after: Option<HistoryPlace>,
    limit: usize,
) -> Result<Vec<HistoryPlace>> {
    let place = |row: &Row<'_>| {
        Ok(HistoryPlace {
            started: instant(row, 0)?,
            id: HistoryId(row.get(1)?),
        })
    };
    let from = after.map_or(0, |place| place.id.0);
    let up_to = removal.up_to.0;
    let HistoryPurge { job, before } = removal.rows;
    let before = before.map_or(i64::MAX, Timestamp::as_microsecond);
    // A unary plus keeps the planner at the index that has the order. Whether newest outcomes stay is bound, since
    // it changes no plan.
    macro_rules! select {
        ($condition:literal, $order:literal) => {
            concat!(
                "SELECT h.started, h.history_id FROM history h WHERE ",
                $condition,
                " AND NOT ",
                waits!(),
                " AND NOT (?1 AND ",
                newest!(),
                ") ORDER BY ",
                $order
            )
        };
    }
    match (job, removal.rows.before) {
        (Some(job), _) => db.all(
            select!(
                "h.job_id = ?2 AND h.history_id > ?3 AND h.history_id <= ?4 AND +h.started < ?5",
                "h.history_id LIMIT ?6"
            ),
            params![
                removal.keep_newest,
                Bytes16(job.0),
                from,
                up_to,
                before,
                page(limit)
            ],
            place,
        ),
        (None, None) => db.all(
            select!(
                "h.history_id > ?2 AND h.history_id <= ?3",
                "h.history_id LIMIT ?4"
            ),
            params![removal.keep_newest, from, up_to, page(limit)],
            place,
        ),
        (None, Some(_)) => {
            let started = after.map_or(i64::MIN, |place| place.started.as_microsecond());
            db.all(
                select!(
                    "(h.started, h.history_id) > (?2, ?3) AND h.started < ?4 AND +h.history_id <= ?5",
                    "h.started, h.history_id LIMIT ?6"
                ),
                params![
                    removal.keep_newest,
                    started,
                    from,
                    before,
                    up_to,
                    page(limit)
                ],
                place,
            )
        }
    }
}

pub(super) fn remove_history(
    w: &mut Runs<'_>,
    rows: &[HistoryPlace],
    keep_newest: bool,
) -> Result<usize> {
    w.atomically(|w| {
        let mut chosen = Vec::with_capacity(rows.len());
        for row in rows {
            let goes = w.db.any(
                concat!(
                    "SELECT 1 FROM history h WHERE h.history_id = ?1 AND NOT ",
                    waits!(),
                    " AND NOT (?2 AND ",
                    newest!(),
                    ")"
                ),
                params![row.id.0, keep_newest],
            )?;
            if goes {
                chosen.push(row.id.0);
            }
        }
        let removed = delete_rows(w, &chosen)?;
        if removed > 0 {
            w.change(Change::HistoryPurged);
        }
        Ok(removed)
    })
}

/// Deletes history rows and all that is counted or kept by them. Returns how many there were.
fn delete_rows(w: &mut Runs<'_>, ids: &[i64]) -> Result<usize> {
    let mut per_target: BTreeMap<(JobId, i64), i64> = BTreeMap::new();
    let mut runs = BTreeSet::new();
    let mut removed = 0_usize;
    for id in ids {
        let row = w.db.one(
            "SELECT run_key, job_id, server_id FROM history WHERE history_id = ?1",
            [id],
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    JobId(uuid(row, 1)?),
                    row.get::<_, i64>(2)?,
                ))
            },
        )?;
        let Some((run, job, server)) = row else {
            continue;
        };
        removed += 1;
        runs.insert(run);
        *per_target.entry((job, server)).or_default() += 1;
        w.db.run("DELETE FROM history WHERE history_id = ?1", [id])?;
        w.db.run("DELETE FROM history_output WHERE history_id = ?1", [id])?;
        w.db.run("DELETE FROM report_queue WHERE history_id = ?1", [id])?;
    }
    if removed == 0 {
        return Ok(0);
    }
    for ((job, server), count) in per_target {
        w.db.run(
            "UPDATE job_targets SET history_rows = max(history_rows - ?3, 0)
             WHERE job_id = ?1 AND server_id = ?2",
            params![Bytes16(job.0), server, count],
        )?;
    }
    w.db.run(
        "UPDATE totals SET history_rows = max(history_rows - ?1, 0) WHERE one = 1",
        [i64::try_from(removed).unwrap_or(i64::MAX)],
    )?;
    for run in &runs {
        w.db.run(
            "UPDATE runs SET state = 2 WHERE run_key = ?1 AND state = 1
             AND NOT EXISTS (SELECT 1 FROM history h WHERE h.run_key = ?1)",
            [run],
        )?;
    }
    forget_runs(w, runs.len())?;
    Ok(removed)
}

/// Forgets runs whose history is gone, but for the newest. Two for each that may have come: so their number
/// falls, and no write has much more to do than it brought.
fn forget_runs(w: &mut Runs<'_>, came: usize) -> Result<()> {
    let kept = i64::try_from(ENDED_RUNS_KEPT).unwrap_or(i64::MAX);
    w.db.run(
        "DELETE FROM runs WHERE run_key IN
             (SELECT run_key FROM runs WHERE state = 2
              AND run_key <= (SELECT max(run_key) FROM runs) - ?1 ORDER BY run_key LIMIT ?2)",
        params![kept, page(came.saturating_mul(2))],
    )?;
    Ok(())
}

pub(super) fn cleanup_job(
    w: &mut Runs<'_>,
    job: JobId,
    keep_history: bool,
    limit: usize,
) -> Result<usize> {
    w.atomically(|w| {
        w.mark("cleanup_job");
        let id = Bytes16(job.0);
        let mut left = limit;
        let small: [&'static str; 5] = [
            "DELETE FROM next_runs WHERE job_id = ?1 AND schedule_uid IN
                 (SELECT schedule_uid FROM next_runs WHERE job_id = ?1 LIMIT ?2)",
            "DELETE FROM missed_moments WHERE job_id = ?1 AND schedule_uid IN
                 (SELECT schedule_uid FROM missed_moments WHERE job_id = ?1 LIMIT ?2)",
            "DELETE FROM step_outcomes WHERE step_uid IN
                 (SELECT step_uid FROM step_outcomes WHERE job_id = ?1 LIMIT ?2)",
            "DELETE FROM step_logs WHERE log_id IN
                 (SELECT log_id FROM step_logs WHERE job_id = ?1 LIMIT ?2)",
            "DELETE FROM activity WHERE job_id = ?1 AND session_id IN
                 (SELECT a.session_id FROM activity a WHERE a.job_id = ?1
                  AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.run_id = a.run_id AND r.state = 0)
                  LIMIT ?2)",
        ];
        for sql in small {
            left = left.saturating_sub(w.db.run(sql, params![id, page(left)])?);
        }
        if !keep_history {
            let removal = HistoryRemoval {
                rows: HistoryPurge {
                    job: Some(job),
                    before: None,
                },
                keep_newest: false,
                up_to: HistoryId(i64::MAX),
            };
            let rows = removable_history(w.db, &removal, None, left)?;
            left = left.saturating_sub(remove_history(w, &rows, false)?);
            left = left.saturating_sub(w.db.run(
                "DELETE FROM job_targets WHERE job_id = ?1 AND server_id IN
                     (SELECT server_id FROM job_targets WHERE job_id = ?1 AND history_rows = 0 LIMIT ?2)",
                params![id, page(left)],
            )?);
        }
        Ok(limit - left)
    })
}
