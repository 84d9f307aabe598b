//! What a master keeps of its targets: reports, progress, signs of life. And what the agent keeps of alerts
//! and operators.

use super::Runs;
use super::history::{self, insert_row, new_run_key};
use super::removal;
use crate::sqlite::codec::{At, Bytes16, Db, Unsigned, at, instant, optional_at, unsigned};
use crate::{
    AlertOccurrence, Change, DownloadState, Liveness, OperatorNotice, Poll, ReportBatch,
    ReportStored, Result,
};
use jiff::Timestamp;
use model::{
    Generation, HistoryId, HistoryRow, InstanceId, InstructionNumber, JobId, OperatorId,
    ReportPosition, RunId, ServerId,
};
use rusqlite::{Row, params};
use std::collections::BTreeMap;
use std::time::Duration;

/// Download states kept below a target's acknowledged number.
const DOWNLOAD_STATES_KEPT: u64 = 1_000;
/// `run_requested_source` of a run reported by a target: what asked for it is in the outcome's text.
const REPORTED_SOURCE: i32 = 4;

pub(super) fn report_position(db: Db<'_>, instance: InstanceId) -> Result<ReportPosition> {
    let position = db.one(
        "SELECT position FROM report_positions WHERE instance_id = ?1",
        [Bytes16(instance.0)],
        |row| unsigned(row, 0),
    )?;
    Ok(ReportPosition(position.unwrap_or(0)))
}

/// What a batch adds to one job.
struct JobNews<'a> {
    rows: usize,
    outcome: Option<(&'a HistoryRow, HistoryId)>,
}

pub(super) fn store_reports(w: &mut Runs<'_>, batch: ReportBatch<'_>) -> Result<ReportStored> {
    w.atomically(|w| {
        w.mark("store_reports");
        let mut jobs: BTreeMap<JobId, JobNews<'_>> = BTreeMap::new();
        let mut new_rows = 0_usize;
        // Rows of one run come together, so its key is looked up once.
        let mut last_run: Option<(RunId, i64)> = None;
        for report in batch.rows {
            let row = &report.row;
            let key = match last_run {
                Some((run, key)) if run == row.run_id => key,
                Some(_) | None => new_run_key(w, row.run_id, row.job_id, batch.server)?,
            };
            last_run = Some((row.run_id, key));
            let Some(id) = insert_row(w, key, batch.server, row, [0; 3])? else {
                continue;
            };
            new_rows += 1;
            let news = jobs.entry(row.job_id).or_insert(JobNews {
                rows: 0,
                outcome: None,
            });
            news.rows += 1;
            if row.step_id == 0 {
                news.outcome = Some((row, id));
            }
            w.change(Change::HistoryAdded {
                job: row.job_id,
                server: batch.server,
                id,
                outcome: row.step_id == 0,
            });
        }
        if new_rows > 0 {
            w.db.run(
                "UPDATE totals SET history_rows = history_rows + ?1 WHERE one = 1",
                [i64::try_from(new_rows).unwrap_or(i64::MAX)],
            )?;
        }
        let session = super::agent::current_session(w.db)?;
        for (job, news) in &jobs {
            history::add_rows(w, *job, batch.server, news.rows, news.outcome)?;
            if let (Some((row, id)), Some(session)) = (news.outcome, session) {
                show_activity(w, session.id, row, id)?;
            }
        }
        let ended = jobs.iter().filter(|(_, news)| news.outcome.is_some());
        let ended = ended.map(|(job, _)| *job);
        removal::trim_after(w, batch.server, ended, new_rows)?;
        let last = batch
            .rows
            .iter()
            .map(|report| report.position)
            .max()
            .unwrap_or_default();
        let position = w.db.sure(
            "INSERT INTO report_positions (instance_id, position) VALUES (?1, ?2)
             ON CONFLICT (instance_id) DO UPDATE SET position = max(position, excluded.position)
             RETURNING position",
            params![Bytes16(batch.instance.0), Unsigned(last.0)],
            |row| unsigned(row, 0),
        )?;
        Ok(ReportStored {
            position: ReportPosition(position),
            new_rows,
        })
    })
}

/// Shows a reported outcome as the job's activity here, unless the job runs here or a later run is shown.
fn show_activity(w: &Runs<'_>, session: i64, row: &HistoryRow, id: HistoryId) -> Result<()> {
    let stopped = row
        .started
        .saturating_add(Duration::from_millis(row.duration_ms))
        .unwrap_or(row.started);
    w.db.run(
        "INSERT INTO activity (session_id, job_id, run_id, requested, source_code, started, stopped,
             history_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?4, ?6, ?7)
         ON CONFLICT (session_id, job_id) DO UPDATE SET run_id = excluded.run_id,
             requested = excluded.requested, source_code = excluded.source_code,
             requested_by = NULL, started = excluded.started, stopped = excluded.stopped,
             history_id = excluded.history_id, last_step_id = NULL, last_step_started = NULL
         WHERE started IS NULL OR (stopped IS NOT NULL AND started <= excluded.started)",
        params![
            session,
            Bytes16(row.job_id.0),
            Bytes16(row.run_id.0),
            At(row.started),
            REPORTED_SOURCE,
            At(stopped),
            id.0
        ],
    )?;
    Ok(())
}

pub(super) fn acknowledged_instruction(db: Db<'_>, server: ServerId) -> Result<InstructionNumber> {
    let number = db.one(
        "SELECT acknowledged FROM target_progress WHERE server_id = ?1",
        [server.0],
        |row| unsigned(row, 0),
    )?;
    Ok(InstructionNumber(number.unwrap_or(0)))
}

pub(super) fn acknowledged_instructions(db: Db<'_>) -> Result<Vec<(ServerId, InstructionNumber)>> {
    db.all(
        "SELECT server_id, acknowledged FROM target_progress ORDER BY server_id",
        [],
        |row| Ok((ServerId(row.get(0)?), InstructionNumber(unsigned(row, 1)?))),
    )
}

pub(super) fn download_states(db: Db<'_>, server: Option<ServerId>) -> Result<Vec<DownloadState>> {
    let read = |row: &Row<'_>| {
        Ok(DownloadState {
            server: ServerId(row.get(0)?),
            number: InstructionNumber(unsigned(row, 1)?),
            downloaded: optional_at(row, 2)?,
            error: row.get(3)?,
        })
    };
    match server {
        None => db.all(
            "SELECT server_id, number, downloaded, error FROM download_states
             ORDER BY server_id, number",
            [],
            read,
        ),
        Some(server) => db.all(
            "SELECT server_id, number, downloaded, error FROM download_states WHERE server_id = ?1
             ORDER BY number",
            [server.0],
            read,
        ),
    }
}

pub(super) fn blocking_instructions(
    db: Db<'_>,
    server: ServerId,
    above: InstructionNumber,
) -> Result<Vec<InstructionNumber>> {
    db.all(
        "SELECT number FROM download_states
         WHERE server_id = ?1 AND number > ?2 AND downloaded IS NULL AND error IS NOT NULL ORDER BY number",
        params![server.0, Unsigned(above.0)],
        |row| Ok(InstructionNumber(unsigned(row, 0)?)),
    )
}

pub(super) fn acknowledge_instructions(
    w: &mut Runs<'_>,
    server: ServerId,
    generation: Generation,
    up_to: InstructionNumber,
    when: Timestamp,
) -> Result<()> {
    w.atomically(|w| {
        let stored = w.db.one(
            "SELECT generation, acknowledged FROM target_progress WHERE server_id = ?1",
            [server.0],
            |row| Ok((Generation(unsigned(row, 0)?), unsigned(row, 1)?)),
        )?;
        let from = match stored {
            Some((known, _)) if known > generation => return Ok(()),
            Some((known, acknowledged)) if known == generation => {
                if acknowledged >= up_to.0 {
                    return Ok(());
                }
                acknowledged
            }
            Some(_) | None => 0,
        };
        w.mark("acknowledge_downloads");
        w.db.run(
            "INSERT OR REPLACE INTO target_progress (server_id, generation, acknowledged)
             VALUES (?1, ?2, ?3)",
            params![server.0, Unsigned(generation.0), Unsigned(up_to.0)],
        )?;
        let kept_from = up_to.0.saturating_sub(DOWNLOAD_STATES_KEPT);
        for number in from.max(kept_from) + 1..=up_to.0 {
            w.db.run(
                "INSERT INTO download_states (server_id, number, downloaded) VALUES (?1, ?2, ?3)
                 ON CONFLICT (server_id, number) DO UPDATE SET downloaded = excluded.downloaded,
                     error = NULL WHERE download_states.downloaded IS NULL",
                params![server.0, Unsigned(number), At(when)],
            )?;
        }
        trim_download_states(w, server, InstructionNumber(kept_from))?;
        w.change(Change::DownloadsChanged(server));
        Ok(())
    })
}

pub(super) fn set_instruction_error(
    w: &mut Runs<'_>,
    server: ServerId,
    number: InstructionNumber,
    error: &str,
    blocks: bool,
    when: Timestamp,
) -> Result<()> {
    let downloaded = (!blocks).then_some(At(when));
    w.db.run(
        "INSERT OR REPLACE INTO download_states (server_id, number, downloaded, error)
         VALUES (?1, ?2, ?3, ?4)",
        params![server.0, Unsigned(number.0), downloaded, error],
    )?;
    w.mark("acknowledge_downloads");
    w.change(Change::DownloadsChanged(server));
    Ok(())
}

pub(super) fn clear_instruction_error(
    w: &mut Runs<'_>,
    server: ServerId,
    number: InstructionNumber,
) -> Result<bool> {
    let cleared = w.db.run(
        "UPDATE download_states SET error = NULL
         WHERE server_id = ?1 AND number = ?2 AND error IS NOT NULL",
        params![server.0, Unsigned(number.0)],
    )?;
    if cleared > 0 {
        w.change(Change::DownloadsChanged(server));
    }
    Ok(cleared > 0)
}

pub(super) fn trim_download_states(
    w: &mut Runs<'_>,
    server: ServerId,
    below: InstructionNumber,
) -> Result<u64> {
    let removed = w.db.run(
        "DELETE FROM download_states WHERE server_id = ?1 AND number < ?2",
        params![server.0, Unsigned(below.0)],
    )?;
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}

fn read_poll(row: &Row<'_>) -> rusqlite::Result<Poll> {
    Ok(Poll {
        server: ServerId(row.get(0)?),
        at: instant(row, 1)?,
        target_clock: instant(row, 2)?,
        utc_offset_minutes: row.get(3)?,
    })
}

pub(super) fn liveness(db: Db<'_>, server: ServerId) -> Result<Option<Liveness>> {
    db.one(
        "SELECT server_id, at, target_clock, utc_offset_minutes FROM liveness WHERE server_id = ?1",
        [server.0],
        read_poll,
    )
}

pub(super) fn all_liveness(db: Db<'_>) -> Result<Vec<Liveness>> {
    db.all(
        "SELECT server_id, at, target_clock, utc_offset_minutes FROM liveness ORDER BY server_id",
        [],
        read_poll,
    )
}

pub(super) fn record_polls(w: &mut Runs<'_>, polls: &[Poll]) -> Result<()> {
    w.atomically(|w| {
        for poll in polls {
            w.db.run(
                "INSERT OR REPLACE INTO liveness (server_id, at, target_clock, utc_offset_minutes)
                 VALUES (?1, ?2, ?3, ?4)",
                params![
                    poll.server.0,
                    At(poll.at),
                    At(poll.target_clock),
                    poll.utc_offset_minutes
                ],
            )?;
        }
        Ok(())
    })
}

pub(super) fn forget_target(w: &mut Runs<'_>, server: ServerId) -> Result<()> {
    w.atomically(|w| {
        for sql in [
            "DELETE FROM liveness WHERE server_id = ?1",
            "DELETE FROM download_states WHERE server_id = ?1",
            "DELETE FROM target_progress WHERE server_id = ?1",
        ] {
            w.db.run(sql, [server.0])?;
        }
        w.change(Change::DownloadsChanged(server));
        Ok(())
    })
}

pub(super) fn forget_job_target(w: &mut Runs<'_>, job: JobId, server: ServerId) -> Result<()> {
    w.db.run(
        "UPDATE job_targets SET status = NULL, message = NULL, started = NULL,
             utc_offset_minutes = NULL, duration_ms = NULL, run_id = NULL, history_id = NULL
         WHERE job_id = ?1 AND server_id = ?2",
        params![Bytes16(job.0), server.0],
    )?;
    Ok(())
}

pub(super) fn alert_occurrences(db: Db<'_>) -> Result<Vec<AlertOccurrence>> {
    db.all(
        "SELECT alert_id, last_occurrence, last_response, count, count_reset FROM alert_occurrences
         ORDER BY alert_id",
        [],
        |row| {
            Ok(AlertOccurrence {
                alert: row.get(0)?,
                last_occurrence: optional_at(row, 1)?,
                last_response: optional_at(row, 2)?,
                count: row.get(3)?,
                count_reset: optional_at(row, 4)?,
            })
        },
    )
}

pub(super) fn set_alert_occurrence(w: &mut Runs<'_>, occurrence: &AlertOccurrence) -> Result<()> {
    w.db.run(
        "INSERT OR REPLACE INTO alert_occurrences (alert_id, last_occurrence, last_response, count,
             count_reset)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            occurrence.alert,
            at(occurrence.last_occurrence),
            at(occurrence.last_response),
            occurrence.count,
            at(occurrence.count_reset)
        ],
    )?;
    Ok(())
}

pub(super) fn operator_notices(db: Db<'_>) -> Result<Vec<OperatorNotice>> {
    db.all(
        "SELECT operator_id, last_email, last_pager, last_netsend FROM operator_notices
         ORDER BY operator_id",
        [],
        |row| {
            Ok(OperatorNotice {
                operator: OperatorId(row.get(0)?),
                last_email: optional_at(row, 1)?,
                last_pager: optional_at(row, 2)?,
                last_netsend: optional_at(row, 3)?,
            })
        },
    )
}

pub(super) fn record_operator_notice(w: &mut Runs<'_>, notice: &OperatorNotice) -> Result<()> {
    w.db.run(
        "INSERT INTO operator_notices (operator_id, last_email, last_pager, last_netsend)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (operator_id) DO UPDATE SET
             last_email = coalesce(excluded.last_email, last_email),
             last_pager = coalesce(excluded.last_pager, last_pager),
             last_netsend = coalesce(excluded.last_netsend, last_netsend)",
        params![
            notice.operator.0,
            at(notice.last_email),
            at(notice.last_pager),
            at(notice.last_netsend)
        ],
    )?;
    Ok(())
}
