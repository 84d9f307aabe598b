//! sp_help_schedule, sp_help_jobschedule, sp_help_jobcount, sp_get_schedule_description.

use super::agent::number_property;
use super::schedule::fault_error;
use crate::call::{Call, Output, Store};
use crate::convert::{datetime, flag_int, guid, int, ints_or_zero};
use crate::declare::{HELP_JOBCOUNT_COUNT, HELP_JOBSCHEDULE_SCHEDULES, HELP_SCHEDULE_SCHEDULES};
use crate::error::Result;
use crate::lookup;
use crate::messages::{raise, text, unknown};
use catalog::{DefinitionsRead, ScheduleRow, name_key};
use jiff::Timestamp;
use model::{Frequency, JobId, Schedule, ScheduleUid};
use schedule::{ScheduleNumbers, describe};
use std::collections::BTreeMap;
use tsql::{Row, Value};
use uuid::Uuid;

/// `sp_help_schedule`
pub(super) fn help(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    store.read(|definitions| {
        let mut rows = match (call.int("@schedule_id"), call.name("@schedule_name")) {
            (None, None) => definitions.schedules()?,
            (None, Some(name)) => {
                let rows = definitions.schedules_by_name(name)?;
                if !rows.iter().any(|row| lookup::sees_schedule(call, row)) {
                    return Err(unknown("@schedule_name", name).into());
                }
                rows
            }
            (Some(_), _) => vec![lookup::schedule(call, definitions, "@schedule_name")?],
        };
        rows.retain(|row| lookup::sees_schedule(call, row));
        let counts = job_counts(definitions)?;
        if call.bit("@attached_schedules_only") {
            rows.retain(|row| counts.contains_key(&row.schedule.uid));
        }
        let described = call.bit("@include_description");
        let rows = rows
            .iter()
            .map(|row| {
                let mut shown = vec![int(row.id.0), guid(row.schedule.uid.0)];
                shown.push(Value::string(&*row.schedule.name));
                shown.extend(timing(&row.schedule));
                shown.push(datetime(row.schedule.created, &call.zone));
                shown.push(description_text(definitions, &row.schedule, described)?);
                shown.push(count(&counts, row));
                Ok(shown)
            })
            .collect::<Result<_>>()?;
        out.result(HELP_SCHEDULE_SCHEDULES, rows);
        Ok(())
    })
}

/// `sp_help_jobschedule`
pub(super) fn help_of_job(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let named = call.guid("@job_id").is_some() || call.name("@job_name").is_some();
    let by_id = call.int("@schedule_id");
    let by_name = call.name("@schedule_name");
    if named == by_id.is_some() || (by_id.is_some() && by_name.is_some()) {
        return Err(raise(14273, &[]).into());
    }
    store.read(|definitions| {
        let described = call.bit("@include_description");
        let (job, schedules) = if let Some(id) = by_id {
            (None, vec![lookup::schedule_by_id(call, definitions, id)?])
        } else {
            let job = lookup::job(call, definitions)?;
            let mut schedules = definitions.schedules_of_job(job.id)?;
            if let Some(name) = by_name {
                schedules.retain(|row| name_key(&row.schedule.name) == name_key(name));
                if schedules.is_empty() {
                    return Err(unknown("@schedule_name", name).into());
                }
            }
            (Some(job.id), schedules)
        };
        let rows = job_rows(call, definitions, job, &schedules, described)?;
        out.result(HELP_JOBSCHEDULE_SCHEDULES, rows);
        Ok(())
    })
}

/// Rows of the shape that sp_help_jobschedule and sp_help_job share.
pub(super) fn job_rows(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    job: Option<JobId>,
    schedules: &[ScheduleRow],
    described: bool,
) -> Result<Vec<Row>> {
    let counts = job_counts(definitions)?;
    let next: BTreeMap<ScheduleUid, Timestamp> = call.runs(|runs| {
        let mut next = BTreeMap::new();
        for row in runs.next_runs(job)? {
            if let Some(at) = row.next {
                let earliest = next.entry(row.schedule).or_insert(at);
                *earliest = at.min(*earliest);
            }
        }
        Ok(next)
    })?;
    schedules
        .iter()
        .map(|row| {
            let (date, time) = ints_or_zero(next.get(&row.schedule.uid).copied(), &call.zone);
            let mut shown = vec![int(row.id.0), Value::string(&*row.schedule.name)];
            shown.extend(timing(&row.schedule));
            shown.push(datetime(row.schedule.created, &call.zone));
            shown.push(description_text(definitions, &row.schedule, described)?);
            shown.extend([Value::Int(date), Value::Int(time)]);
            shown.push(guid(row.schedule.uid.0));
            shown.push(count(&counts, row));
            Ok(shown)
        })
        .collect()
}

/// enabled, freq_type … active_end_time, as listings have them in a row.
pub(crate) fn timing(schedule: &Schedule) -> [Value; 11] {
    let numbers = ScheduleNumbers::of(schedule);
    [
        flag_int(schedule.enabled),
        Value::Int(numbers.freq_type),
        Value::Int(numbers.freq_interval),
        Value::Int(numbers.freq_subday_type),
        Value::Int(numbers.freq_subday_interval),
        Value::Int(numbers.freq_relative_interval),
        Value::Int(numbers.freq_recurrence_factor),
        Value::Int(numbers.active_start_date.unwrap_or(0)),
        Value::Int(numbers.active_end_date.unwrap_or(0)),
        Value::Int(numbers.active_start_time.unwrap_or(0)),
        Value::Int(numbers.active_end_time.unwrap_or(0)),
    ]
}

fn description_text(
    definitions: &dyn DefinitionsRead,
    schedule: &Schedule,
    wanted: bool,
) -> Result<Value> {
    if wanted {
        described(definitions, schedule).map(Value::string)
    } else {
        Ok(Value::string(text(14549)))
    }
}

/// The description of a schedule. When a CPU is idle is a matter of the server's settings: 14578.
fn described(definitions: &dyn DefinitionsRead, schedule: &Schedule) -> Result<String> {
    if schedule.frequency != Frequency::CpuIdle {
        return Ok(describe(schedule));
    }
    let percent = number_property(definitions, "@idle_cpu_percent")?;
    let seconds = number_property(definitions, "@idle_cpu_duration")?;
    let told = raise(14578, &[percent.into(), seconds.into()]);
    Ok(format!("{}.", told.message))
}

fn job_counts(definitions: &dyn DefinitionsRead) -> Result<BTreeMap<ScheduleUid, i32>> {
    let mut counts = BTreeMap::new();
    for attached in definitions.job_schedules(None, None)? {
        *counts.entry(attached.uid).or_default() += 1;
    }
    Ok(counts)
}

fn count(counts: &BTreeMap<ScheduleUid, i32>, row: &ScheduleRow) -> Value {
    Value::Int(counts.get(&row.schedule.uid).copied().unwrap_or(0))
}

/// `sp_help_jobcount`: sysadmin counts all jobs of a schedule, others their own.
pub(super) fn job_count(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    store.read(|definitions| {
        let row = lookup::schedule(call, definitions, "@schedule_name")?;
        let mut jobs = 0;
        for attached in definitions.job_schedules(None, Some(row.id))? {
            let counts = call.caller.sysadmin
                || definitions
                    .job(attached.job)?
                    .is_some_and(|job| call.caller.owns(&job));
            jobs += i32::from(counts);
        }
        out.result(HELP_JOBCOUNT_COUNT, vec![vec![Value::Int(jobs)]]);
        Ok(())
    })
}

/// `sp_get_schedule_description`
pub(super) fn description(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let number = |name| call.int(name).unwrap_or(0);
    let timing = ScheduleNumbers {
        freq_type: number("@freq_type"),
        freq_interval: number("@freq_interval"),
        freq_subday_type: number("@freq_subday_type"),
        freq_subday_interval: number("@freq_subday_interval"),
        freq_relative_interval: number("@freq_relative_interval"),
        freq_recurrence_factor: number("@freq_recurrence_factor"),
        active_start_date: call.int("@active_start_date"),
        active_end_date: call.int("@active_end_date"),
        active_start_time: call.int("@active_start_time"),
        active_end_time: call.int("@active_end_time"),
    }
    .check(call.today())
    .map_err(|fault| fault_error(&fault))?;
    let schedule = Schedule {
        uid: ScheduleUid(Uuid::nil()),
        name: String::new(),
        originating_server: None,
        owner_sid: Vec::new(),
        enabled: true,
        frequency: timing.frequency,
        subday: timing.subday,
        raw: timing.raw,
        active_start_date: timing.active_start_date,
        active_end_date: timing.active_end_date,
        active_start_time: timing.active_start_time,
        active_end_time: timing.active_end_time,
        created: call.now,
        modified: call.now,
        version: 1,
    };
    let text = store.read(|definitions| described(definitions, &schedule))?;
    out.set("@schedule_description", Value::string(text));
    Ok(())
}
