//! sysjobhistory, page by page, and sysjobstepslogs.

use super::columns::{SYSJOBHISTORY, SYSJOBSTEPSLOGS};
use super::job::each_step;
use super::{Rows, Scanner, Select, Table, msdb};
use crate::convert::{datetime, duration_int, guid, history_int, int, ints_at_offset};
use crate::error::{Fault, Result};
use catalog::{Catalog, DeletedJob, HistoryFilter, HistoryOrder, HistoryRecord};
use model::{HistoryId, JobId, RunStatus, StepUid};
use std::collections::BTreeSet;
use std::vec::IntoIter;
use tsql::{Row, SqlError, Value};

/// Rows read from the catalog in one go.
const PAGE_ROWS: usize = 1_000;

/// Deleted jobs whose rows are left out of a scan. The clean-up follows each deletion; more than a few never wait.
const JOBS_GONE_MAX: usize = 10_000;

/// The tables.
pub(super) const TABLES: &[Table] = &[
    msdb(
        "sysjobhistory",
        SYSJOBHISTORY,
        &["job_id", "step_id", "run_status"],
        Select::Nobody,
        history,
    ),
    msdb(
        "sysjobstepslogs",
        SYSJOBSTEPSLOGS,
        &["step_uid"],
        Select::Nobody,
        step_logs,
    ),
];

fn history(scan: &Scanner<'_>) -> Result<Rows> {
    let number = |column| scan.number(column).map(i32::try_from);
    // A number beyond int matches no row.
    let (Ok(step_id), Ok(status)) = (
        number("step_id").transpose(),
        number("run_status").transpose(),
    ) else {
        return Ok(Rows::All(Vec::new()));
    };
    let status = match status.map(RunStatus::from_code) {
        Some(None) => return Ok(Rows::All(Vec::new())),
        Some(known) => known,
        None => None,
    };
    // Rows written after the scan began are left out, so that a scan over millions of rows ends and sees
    // what was there when it began.
    let newest = scan.runs(|runs| {
        let filter = HistoryFilter {
            order: HistoryOrder::NewestFirst,
            ..HistoryFilter::default()
        };
        Ok(runs.history(&filter, None, 1)?.pop().map(|row| row.id))
    })?;
    let Some(newest) = newest else {
        return Ok(Rows::All(Vec::new()));
    };
    Ok(Rows::Pages(Box::new(HistoryScan {
        catalog: scan.catalog.clone(),
        gone: jobs_gone(scan)?,
        filter: HistoryFilter {
            job: scan.guid("job_id").map(JobId),
            step_id,
            status,
            ..HistoryFilter::default()
        },
        newest,
        after: None,
        page: Vec::new().into_iter(),
        done: false,
    })))
}

/// Jobs deleted with their history, whose rows wait for the clean-up of the runs file: for whoever selects they went
/// with the job.
fn jobs_gone(scan: &Scanner<'_>) -> Result<BTreeSet<JobId>> {
    let deleted = deleted_jobs(scan)?.into_iter();
    let without = deleted.filter(|deleted| !deleted.keep_history);
    Ok(without.map(|deleted| deleted.job).collect())
}

/// Jobs deleted of late, as the session's transaction sees it.
pub(super) fn deleted_jobs(scan: &Scanner<'_>) -> Result<Vec<DeletedJob>> {
    Ok(scan.definitions.deleted_jobs(JOBS_GONE_MAX)?)
}

/// History in ascending order up to the newest row at the beginning.
struct HistoryScan {
    catalog: Catalog,
    gone: BTreeSet<JobId>,
    filter: HistoryFilter,
    newest: HistoryId,
    after: Option<HistoryId>,
    page: IntoIter<HistoryRecord>,
    done: bool,
}

impl Iterator for HistoryScan {
    type Item = Result<Row, SqlError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.page.next() {
                if record.id > self.newest {
                    self.done = true;
                    self.page = Vec::new().into_iter();
                    return None;
                }
                if self.gone.contains(&record.row.job_id) {
                    continue;
                }
                return Some(Ok(history_row(&record)));
            }
            if self.done {
                return None;
            }
            let page = self.catalog.runs_read(|runs| {
                Ok::<_, Fault>(runs.history(&self.filter, self.after, PAGE_ROWS)?)
            });
            match page {
                Ok(page) => {
                    self.done = page.is_empty();
                    self.after = page.last().map(|record| record.id).or(self.after);
                    self.page = page.into_iter();
                }
                Err(fault) => {
                    self.done = true;
                    return Some(Err(fault.into()));
                }
            }
        }
    }
}

fn history_row(record: &HistoryRecord) -> Row {
    let row = &record.row;
    let (date, time) = ints_at_offset(row.started, row.utc_offset_minutes);
    vec![
        Value::Int(history_int(record.id.0)),
        guid(row.job_id.0),
        Value::Int(row.step_id),
        Value::string(&*row.step_name),
        Value::Int(row.sql_message_id),
        Value::Int(row.sql_severity),
        Value::string(&*row.message),
        Value::Int(row.status.code()),
        Value::Int(date),
        Value::Int(time),
        Value::Int(duration_int(row.duration_ms)),
        int(record.operators[0]),
        int(record.operators[1]),
        int(record.operators[2]),
        Value::Int(row.retries_attempted),
        Value::string(&*row.server),
    ]
}

fn step_logs(scan: &Scanner<'_>) -> Result<Rows> {
    let step = scan.guid("step_uid").map(StepUid);
    let logs = scan.runs(|runs| Ok(runs.step_logs(step)?))?;
    // A step's log goes with it, though its row may wait for the clean-up of the runs file.
    let mut steps = BTreeSet::new();
    if !logs.is_empty() {
        each_step(scan, |_, step| {
            steps.insert(step.uid);
        })?;
    }
    let rows = logs
        .into_iter()
        .filter(|log| steps.contains(&log.step))
        .map(|log| {
            let size = i64::try_from(log.log_bytes()).unwrap_or(i64::MAX);
            vec![
                int(log.id),
                Value::String(log.log),
                datetime(log.created, &scan.zone),
                datetime(log.modified, &scan.zone),
                Value::BigInt(size),
                guid(log.step.0),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}
