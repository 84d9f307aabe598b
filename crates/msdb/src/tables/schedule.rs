//! sysschedules and sysjobschedules.

use super::columns::{SYSJOBSCHEDULES, SYSSCHEDULES};
use super::{Rows, Scanner, Select, Table, msdb};
use crate::convert::{datetime, guid, int, ints_or_zero};
use crate::error::Result;
use crate::procedures::schedule_timing;
use jiff::Timestamp;
use model::{JobId, ScheduleId, ScheduleUid};
use std::collections::BTreeMap;
use tsql::Value;

/// The tables.
pub(super) const TABLES: &[Table] = &[
    msdb(
        "sysschedules",
        SYSSCHEDULES,
        &["schedule_id", "schedule_uid", "name"],
        Select::Nobody,
        schedules,
    ),
    msdb(
        "sysjobschedules",
        SYSJOBSCHEDULES,
        &["job_id", "schedule_id"],
        Select::Nobody,
        job_schedules,
    ),
];

fn schedules(scan: &Scanner<'_>) -> Result<Rows> {
    let definitions = scan.definitions;
    let sought = if let Some(id) = scan.number("schedule_id") {
        definitions.schedule(ScheduleId(id))?.into_iter().collect()
    } else if let Some(uid) = scan.guid("schedule_uid") {
        let row = definitions.schedule_by_uid(ScheduleUid(uid))?;
        row.into_iter().collect()
    } else if let Some(name) = scan.text("name") {
        definitions.schedules_by_name(name)?
    } else {
        definitions.schedules()?
    };
    let rows = sought
        .into_iter()
        .map(|row| {
            let schedule = row.schedule;
            let mut shown = vec![
                int(row.id.0),
                guid(schedule.uid.0),
                Value::Int(i32::from(schedule.originating_server.is_some())),
                Value::string(&*schedule.name),
                Value::Binary(schedule.owner_sid.clone()),
            ];
            shown.extend(schedule_timing(&schedule));
            shown.extend([
                datetime(schedule.created, &scan.zone),
                datetime(schedule.modified, &scan.zone),
                int(schedule.version),
            ]);
            shown
        })
        .collect();
    Ok(Rows::All(rows))
}

fn job_schedules(scan: &Scanner<'_>) -> Result<Rows> {
    let job = scan.guid("job_id").map(JobId);
    let schedule = scan.number("schedule_id").map(ScheduleId);
    let next: BTreeMap<(JobId, ScheduleUid), Timestamp> = scan.runs(|runs| {
        Ok(runs
            .next_runs(job)?
            .into_iter()
            .filter_map(|row| Some(((row.job, row.schedule), row.next?)))
            .collect())
    })?;
    let rows = scan
        .definitions
        .job_schedules(job, schedule)?
        .into_iter()
        .map(|attached| {
            let at = next.get(&(attached.job, attached.uid)).copied();
            let (date, time) = ints_or_zero(at, &scan.zone);
            vec![
                int(attached.schedule.0),
                guid(attached.job.0),
                Value::Int(date),
                Value::Int(time),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}
