//! sysjobactivity and syssessions.

use super::columns::{SYSJOBACTIVITY, SYSSESSIONS};
use super::history::deleted_jobs;
use super::{Rows, Scanner, Select, Table, msdb};
use crate::convert::{datetime, datetime_or_null, guid, history_int, int};
use crate::error::Result;
use model::JobId;
use std::collections::BTreeSet;

/// The tables.
pub(super) const TABLES: &[Table] = &[
    msdb(
        "sysjobactivity",
        SYSJOBACTIVITY,
        &["job_id", "session_id"],
        Select::Nobody,
        activity,
    ),
    msdb("syssessions", SYSSESSIONS, &[], Select::Nobody, sessions),
];

fn activity(scan: &Scanner<'_>) -> Result<Rows> {
    let job = scan.guid("job_id").map(JobId);
    let session = scan.number("session_id");
    let when = |instant| datetime_or_null(instant, &scan.zone);
    let deleted = deleted_jobs(scan)?.into_iter();
    let gone: BTreeSet<JobId> = deleted.map(|deleted| deleted.job).collect();
    let rows = scan
        .runs(|runs| Ok(runs.activity(session, job)?))?
        .into_iter()
        .filter(|row| !gone.contains(&row.job))
        .map(|row| {
            vec![
                int(row.session),
                guid(row.job.0),
                when(row.requested),
                row.source_code.map(|code| code.to_string()).into(),
                when(row.queued),
                when(row.started),
                row.last_step_id.into(),
                when(row.last_step_started),
                when(row.stopped),
                row.history.map(|id| history_int(id.0)).into(),
                when(row.next_run),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}

fn sessions(scan: &Scanner<'_>) -> Result<Rows> {
    let rows = scan
        .runs(|runs| Ok(runs.sessions()?))?
        .into_iter()
        .map(|session| vec![int(session.id), datetime(session.started, &scan.zone)])
        .collect();
    Ok(Rows::All(rows))
}
