//! From names and numbers in parameters to what they mean, with the Agent's errors when they mean nothing.

use crate::call::Call;
use crate::caller::AgentRole;
use crate::error::Result;
use crate::messages::{none_of, raise, unknown};
use catalog::{Category, CategoryClass, DefinitionsRead, ScheduleRow};
use model::{CategoryId, Job, JobId, NotifyLevel, OperatorId, ScheduleId, ServerId};

/// The job that `@job_id` or `@job_name` names. Jobs the caller may not see don't exist for it.
///
/// # Errors
/// 14294 for none or both, 14262 for an unknown one, 14293 for a name of several.
pub(crate) fn job(call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<Job> {
    match optional_job(call, definitions)? {
        Some(job) => Ok(job),
        None => Err(raise(14294, &["@job_id".into(), "@job_name".into()]).into()),
    }
}

/// As [`job`]; `None` when neither is given.
pub(crate) fn optional_job(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
) -> Result<Option<Job>> {
    match (call.guid("@job_id"), call.name("@job_name")) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(raise(14294, &["@job_id".into(), "@job_name".into()]).into()),
        (Some(id), None) => {
            let job = definitions
                .job(JobId(id))?
                .filter(|job| visible(call, definitions, job));
            job.map(Some)
                .ok_or_else(|| unknown("@job_id", &id.to_string().to_uppercase()).into())
        }
        (None, Some(name)) => {
            let mut jobs = definitions.jobs_by_name(name)?;
            jobs.retain(|job| visible(call, definitions, job));
            if jobs.len() > 1 {
                return Err(
                    raise(14293, &[name.into(), "@job_id".into(), "@job_name".into()]).into(),
                );
            }
            jobs.pop()
                .map(Some)
                .ok_or_else(|| unknown("@job_name", name).into())
        }
    }
}

/// Whether the caller may see a job. TargetServersRole sees jobs with remote targets.
pub(crate) fn visible(call: &Call<'_>, definitions: &dyn DefinitionsRead, job: &Job) -> bool {
    call.caller.sees(job)
        || (call.caller.targets_role && is_multiserver(definitions, job.id).unwrap_or(false))
}

/// Whether a job targets remote servers.
pub(crate) fn is_multiserver(definitions: &dyn DefinitionsRead, job: JobId) -> Result<bool> {
    Ok(definitions
        .job_servers(Some(job), None)?
        .iter()
        .any(|target| target.server != ServerId(0)))
}

/// 14274 for a job that came from a master.
pub(crate) fn check_local(job: &Job) -> Result<()> {
    match &job.originating_server {
        None => Ok(()),
        Some(master) => Err(raise(14274, &[master.into()]).into()),
    }
}

/// The schedule that `@schedule_id` or a name parameter names.
///
/// # Errors
/// 14373 for none or both, 14262, 14371 for a name of several.
pub(crate) fn schedule(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    name_parameter: &str,
) -> Result<ScheduleRow> {
    let ambiguous = || raise(14373, &["@schedule_id".into(), name_parameter.into()]);
    match (call.int("@schedule_id"), call.name(name_parameter)) {
        (None, None) | (Some(_), Some(_)) => Err(ambiguous().into()),
        (Some(id), None) => schedule_by_id(call, definitions, id),
        (None, Some(name)) => {
            let mut schedules = definitions.schedules_by_name(name)?;
            schedules.retain(|row| sees_schedule(call, row));
            if schedules.len() > 1 {
                return Err(raise(
                    14371,
                    &[name.into(), "@schedule_id".into(), name_parameter.into()],
                )
                .into());
            }
            schedules
                .pop()
                .ok_or_else(|| unknown(name_parameter, name).into())
        }
    }
}

/// The schedule of a number; 14262 when there is none that the caller may see.
pub(crate) fn schedule_by_id(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    id: i32,
) -> Result<ScheduleRow> {
    definitions
        .schedule(ScheduleId(id.into()))?
        .filter(|row| sees_schedule(call, row))
        .ok_or_else(|| unknown("@schedule_id", &id.to_string()).into())
}

/// Whether the caller may see a schedule: its owner, and every reader.
pub(crate) fn sees_schedule(call: &Call<'_>, row: &ScheduleRow) -> bool {
    call.caller.is(AgentRole::Reader) || call.caller.sid == row.schedule.owner_sid
}

/// A category of a class by name, with 14234 for an unknown one.
pub(crate) fn category(
    definitions: &dyn DefinitionsRead,
    class: CategoryClass,
    parameter: &str,
    name: &str,
) -> Result<Category> {
    definitions
        .category_by_name(class, name)?
        .ok_or_else(|| raise(14234, &[parameter.into(), "sp_help_category".into()]).into())
}

/// Name of a category; "(unknown)" when it is gone.
pub(crate) fn category_name(definitions: &dyn DefinitionsRead, id: CategoryId) -> Result<String> {
    Ok(definitions.category(id)?.map_or_else(
        || crate::messages::text(14205).to_owned(),
        |category| category.name,
    ))
}

/// The operator an operator parameter names: an empty name is no operator. 14234 for an unknown one.
pub(crate) fn operator(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    parameter: &str,
) -> Result<OperatorId> {
    match call.name(parameter) {
        None => Ok(OperatorId(0)),
        Some(name) => definitions
            .operator_by_name(name)?
            .map(|operator| operator.id)
            .ok_or_else(|| raise(14234, &[parameter.into(), "sp_help_operator".into()]).into()),
    }
}

/// A login's SID; 14262 for an unknown one.
pub(crate) fn login_sid(
    definitions: &dyn DefinitionsRead,
    parameter: &str,
    name: &str,
) -> Result<Vec<u8>> {
    definitions
        .login(name)?
        .map(|login| login.sid)
        .ok_or_else(|| unknown(parameter, name).into())
}

/// SID of the login that is to own a job or schedule; 14234 for an unknown one.
pub(crate) fn owner_sid(definitions: &dyn DefinitionsRead, name: &str) -> Result<Vec<u8>> {
    definitions
        .login(name)?
        .map(|login| login.sid)
        .ok_or_else(|| raise(14234, &["@owner_login_name".into(), "sp_helplogins".into()]).into())
}

/// A notify or delete level; 14266 outside 0..=3.
pub(crate) fn level(call: &Call<'_>, parameter: &str) -> Result<Option<NotifyLevel>> {
    call.int(parameter)
        .map(|code| {
            NotifyLevel::from_code(code).ok_or_else(|| none_of(parameter, "0, 1, 2, 3").into())
        })
        .transpose()
}

/// A flag that must be 0 or 1; 14266 else.
pub(crate) fn flag(call: &Call<'_>, parameter: &str) -> Result<Option<bool>> {
    match call.int(parameter) {
        None => Ok(None),
        Some(0) => Ok(Some(false)),
        Some(1) => Ok(Some(true)),
        Some(_) => Err(none_of(parameter, "0, 1").into()),
    }
}

/// Whether a name means this server: `(local)` or the instance's own name.
pub(crate) fn is_local_server(call: &Call<'_>, name: &str) -> bool {
    name.eq_ignore_ascii_case("(local)") || name.eq_ignore_ascii_case(&call.server)
}

/// Checks `@originating_server` of a creating procedure: only this server may be named.
///
/// # Errors
/// 14274 for the master (its jobs come by download alone), 14370 for any other.
pub(crate) fn check_originating_server(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
) -> Result<()> {
    let Some(name) = call.name("@originating_server") else {
        return Ok(());
    };
    if is_local_server(call, name) {
        return Ok(());
    }
    let masters = definitions.originating_servers()?;
    match masters.iter().find(|s| s.name.eq_ignore_ascii_case(name)) {
        Some(master) => Err(raise(14274, &[(&master.name).into()]).into()),
        None => Err(raise(14370, &[]).into()),
    }
}
