//! Job documents, operators and history rows.

use super::{
    bad, bounded, bytes_of, cut, instant, name, offset, optional_text, required, text, uuid_of,
};
use crate::error::Result;
use crate::limits::{REPORT_OUTPUT_BYTES_MAX, SHORT_TEXT_UNITS_MAX};
use crate::wire;
use model::encoding::{date_from_int, date_to_int, time_from_int, time_to_int};
use model::job::{JOB_SCHEDULES_MAX, JOB_STEPS_MAX, NAME_UNITS_MAX, STEP_COMMAND_BYTES_MAX};
use model::run::HISTORY_MESSAGE_UNITS_MAX;
use model::{
    CategoryId, Frequency, HistoryRow, Job, JobDocument, JobId, JobStep, NotifyLevel, Operator,
    OperatorId, RelativeWeek, RunId, RunStatus, Schedule, ScheduleUid, StepAction, StepUid, Subday,
    Subsystem,
};

/// Longest security identifier. Source: `varbinary(85)`.
const SID_BYTES_MAX: usize = 85;
/// Longest description of a job, in UTF-16 units. Source: `sysjobs.description`.
const DESCRIPTION_UNITS_MAX: usize = 512;
/// Parameters beside a command, in UTF-16 units; msdb's column has no practical bound.
const PARAMETERS_UNITS_MAX: usize = 64 * 1024;

pub(super) fn wire_document(document: &JobDocument) -> wire::JobDocument {
    wire::JobDocument {
        job: Some(wire_job(&document.job)),
        steps: document.steps.iter().map(wire_step).collect(),
        schedules: document.schedules.iter().map(wire_schedule).collect(),
        owner_login: document.owner_login.clone(),
        category_name: document.category_name.clone(),
    }
}

pub(super) fn document(wire: wire::JobDocument) -> Result<JobDocument> {
    if wire.steps.len() > JOB_STEPS_MAX {
        return Err(bad("job_document.steps"));
    }
    if wire.schedules.len() > JOB_SCHEDULES_MAX {
        return Err(bad("job_document.schedules"));
    }
    let job = job(required(wire.job, "job_document.job")?)?;
    let steps: Vec<JobStep> = wire.steps.into_iter().map(step).collect::<Result<_>>()?;
    if !(1..).zip(&steps).all(|(id, step)| step.step_id == id) {
        return Err(bad("job_step.step_id"));
    }
    Ok(JobDocument {
        job,
        steps,
        schedules: wire
            .schedules
            .into_iter()
            .map(schedule)
            .collect::<Result<_>>()?,
        owner_login: text(wire.owner_login, NAME_UNITS_MAX, "job_document.owner_login")?,
        category_name: text(
            wire.category_name,
            NAME_UNITS_MAX,
            "job_document.category_name",
        )?,
    })
}

fn wire_job(job: &Job) -> wire::Job {
    wire::Job {
        id: bytes_of(job.id.0),
        originating_server: job.originating_server.clone(),
        name: job.name.clone(),
        enabled: job.enabled,
        description: job.description.clone(),
        start_step_id: job.start_step_id,
        category: job.category.0,
        owner_sid: job.owner_sid.clone(),
        notify_level_eventlog: job.notify_level_eventlog.code(),
        notify_level_email: job.notify_level_email.code(),
        notify_level_netsend: job.notify_level_netsend.code(),
        notify_level_page: job.notify_level_page.code(),
        notify_email_operator: job.notify_email_operator.0,
        notify_netsend_operator: job.notify_netsend_operator.0,
        notify_page_operator: job.notify_page_operator.0,
        delete_level: job.delete_level.code(),
        created_us: job.created.as_microsecond(),
        modified_us: job.modified.as_microsecond(),
        version: job.version,
    }
}

fn job(wire: wire::Job) -> Result<Job> {
    let level = |code, field| NotifyLevel::from_code(code).ok_or(bad(field));
    Ok(Job {
        id: JobId(uuid_of(&wire.id, "job.id")?),
        originating_server: optional_text(
            wire.originating_server,
            SHORT_TEXT_UNITS_MAX,
            "job.originating_server",
        )?,
        name: name(wire.name, NAME_UNITS_MAX, "job.name")?,
        enabled: wire.enabled,
        description: optional_text(wire.description, DESCRIPTION_UNITS_MAX, "job.description")?,
        start_step_id: wire.start_step_id,
        category: CategoryId(wire.category),
        owner_sid: bounded(wire.owner_sid, SID_BYTES_MAX, "job.owner_sid")?,
        notify_level_eventlog: level(wire.notify_level_eventlog, "job.notify_level_eventlog")?,
        notify_level_email: level(wire.notify_level_email, "job.notify_level_email")?,
        notify_level_netsend: level(wire.notify_level_netsend, "job.notify_level_netsend")?,
        notify_level_page: level(wire.notify_level_page, "job.notify_level_page")?,
        notify_email_operator: OperatorId(wire.notify_email_operator),
        notify_netsend_operator: OperatorId(wire.notify_netsend_operator),
        notify_page_operator: OperatorId(wire.notify_page_operator),
        delete_level: level(wire.delete_level, "job.delete_level")?,
        created: instant(wire.created_us, "job.created")?,
        modified: instant(wire.modified_us, "job.modified")?,
        version: wire.version,
    })
}

fn wire_step(step: &JobStep) -> wire::JobStep {
    wire::JobStep {
        step_id: step.step_id,
        uid: bytes_of(step.uid.0),
        name: step.name.clone(),
        subsystem: step.subsystem.name().to_owned(),
        command: step.command.clone(),
        flags: step.flags,
        additional_parameters: step.additional_parameters.clone(),
        cmdexec_success_code: step.cmdexec_success_code,
        on_success: u32::from(step.on_success.code()),
        on_success_step_id: step.on_success_step_id,
        on_fail: u32::from(step.on_fail.code()),
        on_fail_step_id: step.on_fail_step_id,
        server: step.server.clone(),
        database_name: step.database_name.clone(),
        database_user_name: step.database_user_name.clone(),
        retry_attempts: step.retry_attempts,
        retry_interval_minutes: step.retry_interval_minutes,
        os_run_priority: step.os_run_priority,
        output_file_name: step.output_file_name.clone(),
        proxy_name: step.proxy_name.clone(),
    }
}

fn step(wire: wire::JobStep) -> Result<JobStep> {
    let action = |code: u32, field| {
        u8::try_from(code)
            .ok()
            .and_then(StepAction::from_code)
            .ok_or(bad(field))
    };
    let short = |value, field| optional_text(value, SHORT_TEXT_UNITS_MAX, field);
    if wire
        .command
        .as_ref()
        .is_some_and(|command| command.len() > STEP_COMMAND_BYTES_MAX)
    {
        return Err(bad("job_step.command"));
    }
    let subsystem = name(wire.subsystem, NAME_UNITS_MAX, "job_step.subsystem")?;
    Ok(JobStep {
        step_id: wire.step_id,
        uid: StepUid(uuid_of(&wire.uid, "job_step.uid")?),
        name: name(wire.name, NAME_UNITS_MAX, "job_step.name")?,
        subsystem: Subsystem::parse(&subsystem),
        command: wire.command,
        flags: wire.flags,
        additional_parameters: optional_text(
            wire.additional_parameters,
            PARAMETERS_UNITS_MAX,
            "job_step.additional_parameters",
        )?,
        cmdexec_success_code: wire.cmdexec_success_code,
        on_success: action(wire.on_success, "job_step.on_success")?,
        on_success_step_id: wire.on_success_step_id,
        on_fail: action(wire.on_fail, "job_step.on_fail")?,
        on_fail_step_id: wire.on_fail_step_id,
        server: short(wire.server, "job_step.server")?,
        database_name: short(wire.database_name, "job_step.database_name")?,
        database_user_name: short(wire.database_user_name, "job_step.database_user_name")?,
        retry_attempts: wire.retry_attempts,
        retry_interval_minutes: wire.retry_interval_minutes,
        os_run_priority: wire.os_run_priority,
        output_file_name: short(wire.output_file_name, "job_step.output_file_name")?,
        proxy_name: short(wire.proxy_name, "job_step.proxy_name")?,
    })
}

fn wire_schedule(schedule: &Schedule) -> wire::Schedule {
    // interval, relative, recurrence.
    let (frequency, numbers) = match schedule.frequency {
        Frequency::Once => (1, [0, 0, 0]),
        Frequency::Daily { every_days } => (4, [every_days, 0, 0]),
        Frequency::Weekly {
            weekdays,
            every_weeks,
        } => (8, [i32::from(weekdays), 0, every_weeks]),
        Frequency::Monthly { day, every_months } => (16, [i32::from(day), 0, every_months]),
        Frequency::MonthlyRelative {
            day_kind,
            week,
            every_months,
        } => (32, [i32::from(day_kind), week.code(), every_months]),
        Frequency::AgentStart => (64, [0, 0, 0]),
        Frequency::CpuIdle => (128, [0, 0, 0]),
    };
    let (subday, subday_interval) = match schedule.subday {
        Subday::Once => (1, 0),
        Subday::Seconds(every) => (2, every),
        Subday::Minutes(every) => (4, every),
        Subday::Hours(every) => (8, every),
    };
    wire::Schedule {
        uid: bytes_of(schedule.uid.0),
        name: schedule.name.clone(),
        originating_server: schedule.originating_server.clone(),
        owner_sid: schedule.owner_sid.clone(),
        enabled: schedule.enabled,
        frequency,
        interval: numbers[0],
        relative: numbers[1],
        recurrence: numbers[2],
        subday,
        subday_interval,
        raw: schedule.raw.to_vec(),
        active_start_date: date_to_int(schedule.active_start_date),
        active_end_date: date_to_int(schedule.active_end_date),
        active_start_time: time_to_int(schedule.active_start_time),
        active_end_time: time_to_int(schedule.active_end_time),
        created_us: schedule.created.as_microsecond(),
        modified_us: schedule.modified.as_microsecond(),
        version: schedule.version,
    }
}

fn schedule(wire: wire::Schedule) -> Result<Schedule> {
    let date = |value, field| date_from_int(value).ok_or(bad(field));
    let time = |value, field| time_from_int(value).ok_or(bad(field));
    Ok(Schedule {
        frequency: frequency(&wire)?,
        subday: subday(&wire)?,
        uid: ScheduleUid(uuid_of(&wire.uid, "schedule.uid")?),
        name: name(wire.name, NAME_UNITS_MAX, "schedule.name")?,
        originating_server: optional_text(
            wire.originating_server,
            SHORT_TEXT_UNITS_MAX,
            "schedule.originating_server",
        )?,
        owner_sid: bounded(wire.owner_sid, SID_BYTES_MAX, "schedule.owner_sid")?,
        enabled: wire.enabled,
        raw: wire.raw.try_into().map_err(|_| bad("schedule.raw"))?,
        active_start_date: date(wire.active_start_date, "schedule.active_start_date")?,
        active_end_date: date(wire.active_end_date, "schedule.active_end_date")?,
        active_start_time: time(wire.active_start_time, "schedule.active_start_time")?,
        active_end_time: time(wire.active_end_time, "schedule.active_end_time")?,
        created: instant(wire.created_us, "schedule.created")?,
        modified: instant(wire.modified_us, "schedule.modified")?,
        version: wire.version,
    })
}

fn frequency(wire: &wire::Schedule) -> Result<Frequency> {
    let small = |value: i32, range: std::ops::RangeInclusive<u8>| {
        u8::try_from(value)
            .ok()
            .filter(|value| range.contains(value))
            .ok_or(bad("schedule.interval"))
    };
    let every = |value: i32, field| {
        if value >= 1 {
            Ok(value)
        } else {
            Err(bad(field))
        }
    };
    Ok(match wire.frequency {
        1 => Frequency::Once,
        4 => Frequency::Daily {
            every_days: every(wire.interval, "schedule.interval")?,
        },
        8 => Frequency::Weekly {
            weekdays: small(wire.interval, 1..=127)?,
            every_weeks: every(wire.recurrence, "schedule.recurrence")?,
        },
        16 => Frequency::Monthly {
            day: small(wire.interval, 1..=31)?,
            every_months: every(wire.recurrence, "schedule.recurrence")?,
        },
        32 => Frequency::MonthlyRelative {
            day_kind: small(wire.interval, 1..=10)?,
            week: RelativeWeek::from_code(wire.relative).ok_or(bad("schedule.relative"))?,
            every_months: every(wire.recurrence, "schedule.recurrence")?,
        },
        64 => Frequency::AgentStart,
        128 => Frequency::CpuIdle,
        _ => return Err(bad("schedule.frequency")),
    })
}

fn subday(wire: &wire::Schedule) -> Result<Subday> {
    let every = || {
        if wire.subday_interval >= 1 {
            Ok(wire.subday_interval)
        } else {
            Err(bad("schedule.subday_interval"))
        }
    };
    Ok(match wire.subday {
        0 | 1 => Subday::Once,
        2 => Subday::Seconds(every()?),
        4 => Subday::Minutes(every()?),
        8 => Subday::Hours(every()?),
        _ => return Err(bad("schedule.subday")),
    })
}

pub(super) fn wire_operator(operator: &Operator) -> wire::Operator {
    wire::Operator {
        id: operator.id.0,
        name: operator.name.clone(),
        enabled: operator.enabled,
        email_address: operator.email_address.clone(),
        pager_address: operator.pager_address.clone(),
        netsend_address: operator.netsend_address.clone(),
        pager_days: operator.pager_days,
        weekday_pager_start_time: operator.weekday_pager_start_time,
        weekday_pager_end_time: operator.weekday_pager_end_time,
        saturday_pager_start_time: operator.saturday_pager_start_time,
        saturday_pager_end_time: operator.saturday_pager_end_time,
        sunday_pager_start_time: operator.sunday_pager_start_time,
        sunday_pager_end_time: operator.sunday_pager_end_time,
        category: operator.category.0,
    }
}

pub(super) fn operator(wire: wire::Operator) -> Result<Operator> {
    let address = |value, field| optional_text(value, SHORT_TEXT_UNITS_MAX, field);
    Ok(Operator {
        id: OperatorId(wire.id),
        name: name(wire.name, NAME_UNITS_MAX, "operator.name")?,
        enabled: wire.enabled,
        email_address: address(wire.email_address, "operator.email_address")?,
        pager_address: address(wire.pager_address, "operator.pager_address")?,
        netsend_address: address(wire.netsend_address, "operator.netsend_address")?,
        pager_days: wire.pager_days,
        weekday_pager_start_time: wire.weekday_pager_start_time,
        weekday_pager_end_time: wire.weekday_pager_end_time,
        saturday_pager_start_time: wire.saturday_pager_start_time,
        saturday_pager_end_time: wire.saturday_pager_end_time,
        sunday_pager_start_time: wire.sunday_pager_start_time,
        sunday_pager_end_time: wire.sunday_pager_end_time,
        category: CategoryId(wire.category),
    })
}

/// Marks an output that did not fit a report.
pub(crate) const OUTPUT_CUT_MARK: &str = "\n[the rest of the output was not sent to the master]";

// A row that a master would not take must not stop the rows behind it, so texts are cut here.
pub(super) fn wire_history(row: &HistoryRow) -> wire::HistoryRow {
    wire::HistoryRow {
        run: bytes_of(row.run_id.0),
        row: row.row,
        job: bytes_of(row.job_id.0),
        step_id: row.step_id,
        step_name: cut(&row.step_name, NAME_UNITS_MAX),
        step_uid: row.step_uid.map(|uid| bytes_of(uid.0)),
        sql_message_id: row.sql_message_id,
        sql_severity: row.sql_severity,
        message: cut(&row.message, HISTORY_MESSAGE_UNITS_MAX),
        status: row.status.code(),
        started_us: row.started.as_microsecond(),
        utc_offset_minutes: i32::from(row.utc_offset_minutes),
        duration_ms: row.duration_ms,
        retries_attempted: row.retries_attempted,
        server: cut(&row.server, NAME_UNITS_MAX),
        output: row.output.as_deref().map(cut_output),
    }
}

fn cut_output(output: &str) -> String {
    if output.len() <= REPORT_OUTPUT_BYTES_MAX {
        return output.to_owned();
    }
    let keep = output.floor_char_boundary(REPORT_OUTPUT_BYTES_MAX - OUTPUT_CUT_MARK.len());
    format!("{}{OUTPUT_CUT_MARK}", &output[..keep])
}

pub(super) fn history(wire: wire::HistoryRow) -> Result<HistoryRow> {
    if wire
        .output
        .as_ref()
        .is_some_and(|output| output.len() > REPORT_OUTPUT_BYTES_MAX)
    {
        return Err(bad("history_row.output"));
    }
    Ok(HistoryRow {
        run_id: RunId(uuid_of(&wire.run, "history_row.run")?),
        row: wire.row,
        job_id: JobId(uuid_of(&wire.job, "history_row.job")?),
        step_id: wire.step_id,
        step_name: text(wire.step_name, NAME_UNITS_MAX, "history_row.step_name")?,
        step_uid: wire
            .step_uid
            .map(|uid| uuid_of(&uid, "history_row.step_uid").map(StepUid))
            .transpose()?,
        sql_message_id: wire.sql_message_id,
        sql_severity: wire.sql_severity,
        message: text(
            wire.message,
            HISTORY_MESSAGE_UNITS_MAX,
            "history_row.message",
        )?,
        status: RunStatus::from_code(wire.status).ok_or(bad("history_row.status"))?,
        started: instant(wire.started_us, "history_row.started")?,
        utc_offset_minutes: offset(wire.utc_offset_minutes, "history_row.utc_offset_minutes")?,
        duration_ms: wire.duration_ms,
        retries_attempted: wire.retries_attempted,
        server: text(wire.server, NAME_UNITS_MAX, "history_row.server")?,
        output: wire.output,
    })
}
