//! Making, changing, attaching and deleting schedules.

use crate::call::{Call, Output, Store};
use crate::caller::{AgentRole, check_may_change};
use crate::convert::{guid, int};
use crate::error::{Fault, Result};
use crate::lookup;
use crate::messages::{none_of, raise, text, unknown};
use crate::post;
use catalog::{DefinitionsRead, DefinitionsWrite, ScheduleRow, name_key};
use model::job::JOB_SCHEDULES_MAX;
use model::{Job, JobId, Operation, Schedule, ScheduleId, ScheduleUid};
use schedule::{ScheduleFault, ScheduleNumbers};
use tsql::SqlError;

/// Parameters that sp_update_schedule takes beside the identifier and `@enabled`.
const BEYOND_ENABLED: &[&str] = &[
    "@new_name",
    "@freq_type",
    "@freq_interval",
    "@freq_subday_type",
    "@freq_subday_interval",
    "@freq_relative_interval",
    "@freq_recurrence_factor",
    "@active_start_date",
    "@active_end_date",
    "@active_start_time",
    "@active_end_time",
    "@owner_login_name",
];

/// `sp_add_schedule`
pub(super) fn add(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let uid = ScheduleUid(
        call.guid("@schedule_uid")
            .unwrap_or_else(|| call.services.new_uuid()),
    );
    let id = store.write(call, |definitions| {
        lookup::check_originating_server(call, &*definitions)?;
        let owner = match call.name("@owner_login_name") {
            None => call.caller.owner_sid()?,
            Some(name) => {
                if !name.eq_ignore_ascii_case(&call.caller.login) {
                    call.caller.require_sysadmin(|| raise(14366, &[]))?;
                }
                lookup::owner_sid(&*definitions, name)?
            }
        };
        if definitions.schedule_by_uid(uid)?.is_some() {
            return Err(
                crate::messages::taken("@schedule_uid", &uid.to_string().to_uppercase()).into(),
            );
        }
        let schedule = new_schedule(call, "@schedule_name", uid, owner)?;
        Ok(definitions.create_schedule(&schedule)?)
    })?;
    out.set("@schedule_uid", guid(uid.0));
    out.set("@schedule_id", int(id.0));
    Ok(())
}

fn new_schedule(
    call: &Call<'_>,
    name_parameter: &str,
    uid: ScheduleUid,
    owner_sid: Vec<u8>,
) -> Result<Schedule> {
    let Some(name) = call.name(name_parameter) else {
        return Err(raise(14200, &[name_parameter.into()]).into());
    };
    let enabled = lookup::flag(call, "@enabled")?.unwrap_or(true);
    let timing = numbers(call, None)
        .check(call.today())
        .map_err(|fault| fault_error(&fault))?;
    Ok(Schedule {
        uid,
        name: name.to_owned(),
        originating_server: None,
        owner_sid,
        enabled,
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
    })
}

/// The timing parameters; those left out (NULL) are as in `present`, or none.
fn numbers(call: &Call<'_>, present: Option<&Schedule>) -> ScheduleNumbers {
    let present = present.map(ScheduleNumbers::of);
    let or = |name: &str, kept: fn(&ScheduleNumbers) -> i32| {
        call.int(name)
            .unwrap_or_else(|| present.as_ref().map_or(0, kept))
    };
    let or_kept = |name: &str, kept: fn(&ScheduleNumbers) -> Option<i32>| {
        call.int(name).or_else(|| present.as_ref().and_then(kept))
    };
    ScheduleNumbers {
        freq_type: or("@freq_type", |n| n.freq_type),
        freq_interval: or("@freq_interval", |n| n.freq_interval),
        freq_subday_type: or("@freq_subday_type", |n| n.freq_subday_type),
        freq_subday_interval: or("@freq_subday_interval", |n| n.freq_subday_interval),
        freq_relative_interval: or("@freq_relative_interval", |n| n.freq_relative_interval),
        freq_recurrence_factor: or("@freq_recurrence_factor", |n| n.freq_recurrence_factor),
        active_start_date: or_kept("@active_start_date", |n| n.active_start_date),
        active_end_date: or_kept("@active_end_date", |n| n.active_end_date),
        active_start_time: or_kept("@active_start_time", |n| n.active_start_time),
        active_end_time: or_kept("@active_end_time", |n| n.active_end_time),
    }
}

/// The Agent's error for a timing that is refused.
pub(super) fn fault_error(fault: &ScheduleFault) -> SqlError {
    match fault {
        ScheduleFault::NotAllowed {
            parameter, allowed, ..
        } => none_of(parameter, allowed),
        ScheduleFault::Invalid { reason } => raise(14278, &[text(reason.number()).into()]),
        ScheduleFault::BadDateOrTime {
            parameter, part, ..
        } => raise(14287, &[(*parameter).into(), (*part).into()]),
        ScheduleFault::EndBeforeStart { end, start } => {
            raise(14288, &[(*end).into(), (*start).into()])
        }
        ScheduleFault::OnDemandGone | _ => raise(fault.number(), &[]),
    }
}

/// `sp_update_schedule`
pub(super) fn update(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let row = lookup::schedule(call, &*definitions, "@name")?;
        check_local_schedule(&row.schedule)?;
        let only_enabled = BEYOND_ENABLED.iter().all(|name| call.value(name).is_null());
        if !(only_enabled && call.caller.is(AgentRole::Operator)) {
            check_owns_schedule(call, &row.schedule)?;
        }
        let mut schedule = row.schedule;
        if let Some(name) = call.name("@owner_login_name") {
            call.caller.require_sysadmin(|| raise(14366, &[]))?;
            schedule.owner_sid = lookup::owner_sid(&*definitions, name)?;
        }
        change_schedule(call, definitions, row.id, schedule)
    })
}

/// Puts name, state and timing into a schedule, stores it and posts the jobs that use it.
fn change_schedule(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    id: ScheduleId,
    mut schedule: Schedule,
) -> Result<()> {
    if let Some(name) = call.name("@new_name") {
        name.clone_into(&mut schedule.name);
    }
    if let Some(enabled) = lookup::flag(call, "@enabled")? {
        schedule.enabled = enabled;
    }
    let timing = numbers(call, Some(&schedule))
        .check(call.today())
        .map_err(|fault| fault_error(&fault))?;
    timing.apply_to(&mut schedule);
    schedule.modified = call.now;
    definitions.update_schedule(id, &schedule)?;
    if call.bit("@automatic_post") {
        post::jobs_of_schedule(call, definitions, id)?;
    }
    Ok(())
}

/// `sp_delete_schedule`
pub(super) fn delete(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let row = lookup::schedule(call, &*definitions, "@schedule_name")?;
        check_local_schedule(&row.schedule)?;
        check_owns_schedule(call, &row.schedule)?;
        let users = definitions.job_schedules(None, Some(row.id))?;
        if !users.is_empty() && !call.bit("@force_delete") {
            return Err(raise(14372, &[]).into());
        }
        definitions.delete_schedule(row.id)?;
        for user in users {
            definitions.touch_job(user.job, call.now)?;
            if call.bit("@automatic_post") {
                post::change(call, definitions, user.job, Operation::Insert)?;
            }
        }
        Ok(())
    })
}

/// `sp_attach_schedule`
pub(super) fn attach(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let job = changeable_job(call, &*definitions)?;
        let row = lookup::schedule(call, &*definitions, "@schedule_name")?;
        check_local_schedule(&row.schedule)?;
        if job.owner_sid != row.schedule.owner_sid {
            call.caller.require_sysadmin(|| raise(14377, &[]))?;
        }
        attach_to(call, definitions, &job, row.id)
    })
}

fn attach_to(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    job: &Job,
    schedule: ScheduleId,
) -> Result<()> {
    if definitions.job_schedules(Some(job.id), None)?.len() >= JOB_SCHEDULES_MAX {
        let most = format!("at most {JOB_SCHEDULES_MAX} schedules of a job");
        return Err(none_of("@schedule_id", &most).into());
    }
    if definitions.attach_schedule(job.id, schedule)? {
        changed_attachments(call, definitions, job.id)?;
    }
    Ok(())
}

fn changed_attachments(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    job: JobId,
) -> Result<()> {
    definitions.touch_job(job, call.now)?;
    if call.bit("@automatic_post") {
        post::change(call, definitions, job, Operation::Insert)?;
    }
    Ok(())
}

/// `sp_detach_schedule`
pub(super) fn detach(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let job = lookup::job(call, &*definitions)?;
        lookup::check_local(&job)?;
        if lookup::is_multiserver(&*definitions, job.id)? {
            call.caller.require_sysadmin(|| raise(14396, &[]))?;
        } else if !call.caller.owns(&job) {
            call.caller.require_sysadmin(|| raise(14391, &[]))?;
        }
        let row = match (call.int("@schedule_id"), call.name("@schedule_name")) {
            (Some(id), None) => attached_by_id(call, &*definitions, &job, id)?,
            (None, Some(name)) => {
                attached_by_name(call, &*definitions, &job, "@schedule_name", name, 14376)?
            }
            (None, None) | (Some(_), Some(_)) => {
                return Err(raise(14373, &["@schedule_id".into(), "@schedule_name".into()]).into());
            }
        };
        definitions.detach_schedule(job.id, row.id)?;
        changed_attachments(call, definitions, job.id)?;
        if call.bit("@delete_unused_schedule") {
            delete_if_unused(call, definitions, &row)?;
        }
        Ok(())
    })
}

/// The schedule of a number on a job. Whoever may change the job may take any schedule off it, seen or not.
fn attached_by_id(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    job: &Job,
    id: i32,
) -> Result<ScheduleRow> {
    let mut rows = definitions.schedules_of_job(job.id)?;
    rows.retain(|row| row.id == ScheduleId(id.into()));
    match rows.pop() {
        Some(row) => Ok(row),
        None => {
            let row = lookup::schedule_by_id(call, definitions, id)?;
            Err(not_attached(&row.schedule.name, job))
        }
    }
}

/// The one schedule of a name on a job: 14262 and 14374 for none, `several` for more than one.
fn attached_by_name(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    job: &Job,
    parameter: &str,
    name: &str,
    several: i32,
) -> Result<ScheduleRow> {
    let mut rows = definitions.schedules_of_job(job.id)?;
    rows.retain(|row| name_key(&row.schedule.name) == name_key(name));
    if rows.len() > 1 {
        return Err(raise(several, &[name.into(), (&job.name).into()]).into());
    }
    match rows.pop() {
        Some(row) => Ok(row),
        None => {
            let mut others = definitions.schedules_by_name(name)?;
            others.retain(|row| lookup::sees_schedule(call, row));
            if others.is_empty() {
                Err(unknown(parameter, name).into())
            } else {
                Err(not_attached(name, job))
            }
        }
    }
}

fn not_attached(schedule: &str, job: &Job) -> Fault {
    raise(14374, &[schedule.into(), (&job.name).into()]).into()
}

fn delete_if_unused(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    row: &ScheduleRow,
) -> Result<()> {
    let unused = definitions.job_schedules(None, Some(row.id))?.is_empty();
    let mine = call.caller.sysadmin || call.caller.sid == row.schedule.owner_sid;
    if unused && mine {
        definitions.delete_schedule(row.id)?;
    }
    Ok(())
}

/// `sp_add_jobschedule`: the schedule gets the job's owner. A uid that is known already means that schedule,
/// as scripts of jobs that share one have it: it takes the timing given and is attached.
pub(super) fn add_to_job(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let given = call.guid("@schedule_uid");
    let uid = ScheduleUid(given.unwrap_or_else(|| call.services.new_uuid()));
    let id = store.write(call, |definitions| {
        let job = changeable_job(call, &*definitions)?;
        let new = new_schedule(call, "@name", uid, job.owner_sid.clone())?;
        let id = match definitions.schedule_by_uid(uid)? {
            None => definitions.create_schedule(&new)?,
            Some(row) => {
                check_local_schedule(&row.schedule)?;
                check_owns_schedule(call, &row.schedule)?;
                let kept = Schedule {
                    owner_sid: row.schedule.owner_sid.clone(),
                    created: row.schedule.created,
                    ..new
                };
                definitions.update_schedule(row.id, &kept)?;
                if call.bit("@automatic_post") {
                    post::jobs_of_schedule(call, definitions, row.id)?;
                }
                row.id
            }
        };
        attach_to(call, definitions, &job, id)?;
        Ok(id)
    })?;
    out.set("@schedule_id", int(id.0));
    out.set("@schedule_uid", guid(uid.0));
    Ok(())
}

/// `sp_update_jobschedule`
pub(super) fn update_of_job(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let job = changeable_job(call, &*definitions)?;
        let row = named_on_job(call, &*definitions, &job, 14375)?;
        check_owns_schedule(call, &row.schedule)?;
        change_schedule(call, definitions, row.id, row.schedule)
    })
}

/// `sp_delete_jobschedule`
pub(super) fn delete_of_job(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    let keep = call.int("@keep_schedule").unwrap_or(0) != 0;
    store.write(call, |definitions| {
        let job = changeable_job(call, &*definitions)?;
        let row = named_on_job(call, &*definitions, &job, 14376)?;
        let shared = definitions.job_schedules(None, Some(row.id))?.len() > 1;
        if shared && !keep {
            return Err(raise(14368, &[(&row.schedule.name).into()]).into());
        }
        definitions.detach_schedule(job.id, row.id)?;
        if !keep {
            check_owns_schedule(call, &row.schedule)?;
            definitions.delete_schedule(row.id)?;
        }
        changed_attachments(call, definitions, job.id)
    })
}

fn named_on_job(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    job: &Job,
    several: i32,
) -> Result<ScheduleRow> {
    let name = call
        .name("@name")
        .ok_or_else(|| raise(14200, &["@name".into()]))?;
    attached_by_name(call, definitions, job, "@name", name, several)
}

fn changeable_job(call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<Job> {
    let job = lookup::job(call, definitions)?;
    lookup::check_local(&job)?;
    let multiserver = lookup::is_multiserver(definitions, job.id)?;
    check_may_change(&call.caller, &job, multiserver)?;
    Ok(job)
}

/// 14274 for a schedule that came from a master.
fn check_local_schedule(schedule: &Schedule) -> Result<()> {
    match &schedule.originating_server {
        None => Ok(()),
        Some(master) => Err(raise(14274, &[master.into()]).into()),
    }
}

fn check_owns_schedule(call: &Call<'_>, schedule: &Schedule) -> Result<()> {
    if call.caller.sid == schedule.owner_sid {
        return Ok(());
    }
    call.caller.require_sysadmin(|| raise(14394, &[]))
}
