//! sp_add_job, sp_update_job, sp_delete_job.

use crate::call::{Call, Output, Store};
use crate::caller::{AgentRole, check_may_change, sid_is_sysadmin};
use crate::convert::guid;
use crate::error::{Fault, Result};
use crate::lookup;
use crate::messages::{none_of, raise, taken, text};
use crate::post;
use catalog::{
    BuiltInCategory, CategoryClass, CategoryKind, DefinitionsRead, DefinitionsWrite, JobDeletion,
    JobFilter, OriginFilter,
};
use model::{CategoryId, Job, JobId, MSX_OPERATOR, NotifyLevel, Operation, OperatorId};

/// Parameters that sp_update_job takes beside the job's identifier and `@enabled`.
const BEYOND_ENABLED: &[&str] = &[
    "@new_name",
    "@description",
    "@start_step_id",
    "@category_name",
    "@owner_login_name",
    "@notify_level_eventlog",
    "@notify_level_email",
    "@notify_level_netsend",
    "@notify_level_page",
    "@notify_email_operator_name",
    "@notify_netsend_operator_name",
    "@notify_page_operator_name",
    "@delete_level",
];

/// `sp_add_job`
pub(super) fn add(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let id = JobId(call.services.new_uuid());
    store.write(call, |definitions| {
        let job = new_job(call, &*definitions, id)?;
        Ok(definitions.create_job(&job)?)
    })?;
    out.set("@job_id", guid(id.0));
    Ok(())
}

fn new_job(call: &Call<'_>, definitions: &dyn DefinitionsRead, id: JobId) -> Result<Job> {
    lookup::check_originating_server(call, definitions)?;
    if call.guid("@job_id").is_some() {
        return Err(raise(14284, &[]).into());
    }
    let name = checked_name(call, definitions, "@job_name", None)?;
    let enabled = lookup::flag(call, "@enabled")?.unwrap_or(true);
    let start_step_id = call.int("@start_step_id").unwrap_or(1);
    if start_step_id < 1 {
        return Err(none_of("@start_step_id", "1 and up").into());
    }
    let category = new_category(call, definitions)?;
    let level =
        |parameter, default| lookup::level(call, parameter).map(|level| level.unwrap_or(default));
    Ok(Job {
        id,
        originating_server: None,
        name,
        enabled,
        description: Some(
            call.text("@description")
                .unwrap_or_else(|| text(14571))
                .to_owned(),
        ),
        start_step_id,
        category,
        owner_sid: new_owner(call, definitions)?,
        notify_level_eventlog: level("@notify_level_eventlog", NotifyLevel::OnFailure)?,
        notify_level_email: level("@notify_level_email", NotifyLevel::Never)?,
        notify_level_netsend: level("@notify_level_netsend", NotifyLevel::Never)?,
        notify_level_page: level("@notify_level_page", NotifyLevel::Never)?,
        notify_email_operator: lookup::operator(call, definitions, "@notify_email_operator_name")?,
        notify_netsend_operator: lookup::operator(
            call,
            definitions,
            "@notify_netsend_operator_name",
        )?,
        notify_page_operator: lookup::operator(call, definitions, "@notify_page_operator_name")?,
        delete_level: level("@delete_level", NotifyLevel::Never)?,
        created: call.now,
        modified: call.now,
        version: 1,
    })
}

/// A job name that may be given: not empty, without `%`, free among the jobs made here (`but` aside).
fn checked_name(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    parameter: &str,
    but: Option<JobId>,
) -> Result<String> {
    let Some(name) = call.name(parameter) else {
        return Err(raise(14200, &[parameter.into()]).into());
    };
    if name.contains('%') {
        return Err(raise(14289, &[parameter.into(), "%".into()]).into());
    }
    let clash = definitions
        .jobs_by_name(name)?
        .into_iter()
        .any(|job| job.originating_server.is_none() && Some(job.id) != but);
    if clash {
        return Err(taken(parameter, name).into());
    }
    Ok(name.to_owned())
}

fn new_category(call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<CategoryId> {
    let category = match (call.name("@category_name"), call.int("@category_id")) {
        (None, None) => return Ok(BuiltInCategory::UNCATEGORIZED_LOCAL),
        (Some(name), _) => {
            lookup::category(definitions, CategoryClass::Job, "@category_name", name)?
        }
        (None, Some(id)) => definitions
            .category(CategoryId(id.into()))?
            .filter(|category| category.class == CategoryClass::Job)
            .ok_or_else(|| raise(14234, &["@category_id".into(), "sp_help_category".into()]))?,
    };
    check_not_from_msx(category.id, &category.name)?;
    Ok(category.id)
}

fn check_not_from_msx(id: CategoryId, name: &str) -> Result<()> {
    if id == BuiltInCategory::JOBS_FROM_MSX {
        return Err(raise(14267, &[name.into()]).into());
    }
    Ok(())
}

fn new_owner(call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<Vec<u8>> {
    let Some(name) = call.name("@owner_login_name") else {
        return call.caller.owner_sid();
    };
    if !name.eq_ignore_ascii_case(&call.caller.login) {
        call.caller.require_sysadmin(|| raise(14515, &[]))?;
    }
    lookup::owner_sid(definitions, name)
}

/// `sp_update_job`
pub(super) fn update(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let job = lookup::job(call, &*definitions)?;
        let multiserver = lookup::is_multiserver(&*definitions, job.id)?;
        check_may_update(call, &job, multiserver)?;
        let changed = changed_job(call, &*definitions, job, multiserver)?;
        definitions.update_job(&changed)?;
        if call.bit("@automatic_post") {
            post::change(call, definitions, changed.id, Operation::Update)?;
        }
        Ok(())
    })
}

/// SQLAgentOperatorRole may switch any local job on and off, and nothing else of others' jobs.
fn check_may_update(call: &Call<'_>, job: &Job, multiserver: bool) -> Result<()> {
    let only_enabled = BEYOND_ENABLED.iter().all(|name| call.value(name).is_null())
        && !call.value("@enabled").is_null();
    lookup::check_local(job)?;
    if only_enabled && !multiserver && call.caller.is(AgentRole::Operator) {
        return Ok(());
    }
    check_may_change(&call.caller, job, multiserver)?;
    if call.name("@owner_login_name").is_some() {
        call.caller.require_sysadmin(|| raise(14242, &[]))?;
    }
    Ok(())
}

fn changed_job(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    mut job: Job,
    multiserver: bool,
) -> Result<Job> {
    if call.name("@new_name").is_some() {
        job.name = checked_name(call, definitions, "@new_name", Some(job.id))?;
    }
    if let Some(enabled) = lookup::flag(call, "@enabled")? {
        job.enabled = enabled;
    }
    if let Some(description) = call.text("@description") {
        job.description = Some(description.to_owned());
    }
    if let Some(step) = call.int("@start_step_id") {
        let last = definitions.steps(job.id)?.len().max(1);
        if step < 1 || usize::try_from(step).is_ok_and(|step| step > last) {
            return Err(none_of("@start_step_id", &format!("1 to {last}")).into());
        }
        job.start_step_id = step;
    }
    if let Some(name) = call.name("@category_name") {
        let category = lookup::category(definitions, CategoryClass::Job, "@category_name", name)?;
        check_not_from_msx(category.id, &category.name)?;
        check_category_fits(
            category.kind,
            multiserver,
            has_targets(definitions, job.id)?,
        )?;
        job.category = category.id;
    }
    if let Some(name) = call.name("@owner_login_name") {
        let owner = lookup::owner_sid(definitions, name)?;
        if multiserver && !sid_is_sysadmin(definitions, &owner)? {
            return Err(raise(14544, &[(&job.name).into()]).into());
        }
        job.owner_sid = owner;
    }
    change_notification(call, definitions, &mut job)?;
    if multiserver {
        check_notifies_msx_operator_only(definitions, &job)?;
    }
    job.modified = call.now;
    Ok(job)
}

fn change_notification(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    job: &mut Job,
) -> Result<()> {
    let levels = [
        ("@notify_level_eventlog", &mut job.notify_level_eventlog),
        ("@notify_level_email", &mut job.notify_level_email),
        ("@notify_level_netsend", &mut job.notify_level_netsend),
        ("@notify_level_page", &mut job.notify_level_page),
        ("@delete_level", &mut job.delete_level),
    ];
    for (parameter, level) in levels {
        if let Some(given) = lookup::level(call, parameter)? {
            *level = given;
        }
    }
    let operators = [
        (
            "@notify_email_operator_name",
            &mut job.notify_email_operator,
        ),
        (
            "@notify_netsend_operator_name",
            &mut job.notify_netsend_operator,
        ),
        ("@notify_page_operator_name", &mut job.notify_page_operator),
    ];
    for (parameter, operator) in operators {
        if call.text(parameter).is_some() {
            *operator = lookup::operator(call, definitions, parameter)?;
        }
    }
    Ok(())
}

fn has_targets(definitions: &dyn DefinitionsRead, job: JobId) -> Result<bool> {
    Ok(!definitions.job_servers(Some(job), None)?.is_empty())
}

/// A job with targets is in a category of its kind: 14285, 14286.
fn check_category_fits(kind: CategoryKind, multiserver: bool, has_targets: bool) -> Result<()> {
    let number = match kind {
        CategoryKind::Multiserver if has_targets && !multiserver => 14285,
        CategoryKind::Local if multiserver => 14286,
        CategoryKind::Local | CategoryKind::Multiserver | CategoryKind::None => return Ok(()),
    };
    Err(raise(number, &[]).into())
}

/// 14221 when a multiserver job tells another operator than MSXOperator.
pub(super) fn check_notifies_msx_operator_only(
    definitions: &dyn DefinitionsRead,
    job: &Job,
) -> Result<()> {
    let told = [
        job.notify_email_operator,
        job.notify_netsend_operator,
        job.notify_page_operator,
    ];
    let msx = definitions
        .operator_by_name(MSX_OPERATOR)?
        .map(|operator| operator.id);
    if told
        .iter()
        .any(|id| *id != OperatorId(0) && Some(*id) != msx)
    {
        return Err(raise(14221, &[MSX_OPERATOR.into()]).into());
    }
    Ok(())
}

/// `sp_delete_job`
pub(super) fn delete(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    let named = [
        call.guid("@job_id").is_some(),
        call.name("@job_name").is_some(),
        call.name("@originating_server").is_some(),
    ];
    if named.into_iter().filter(|given| *given).count() != 1 {
        return Err(raise(14279, &[]).into());
    }
    store.write(call, |definitions| {
        if let Some(server) = call.name("@originating_server") {
            return delete_from_server(call, definitions, server);
        }
        let job = lookup::job(call, &*definitions)?;
        let multiserver = lookup::is_multiserver(&*definitions, job.id)?;
        lookup::check_local(&job)?;
        check_may_change(&call.caller, &job, multiserver)?;
        delete_job(call, definitions, &job)
    })
}

/// Deletes a job as `@delete_history` and `@delete_unused_schedule` say.
fn delete_job(call: &Call<'_>, definitions: &mut dyn DefinitionsWrite, job: &Job) -> Result<()> {
    let deletion = JobDeletion {
        keep_history: !call.bit("@delete_history"),
        delete_unused_schedules: call.bit("@delete_unused_schedule"),
    };
    delete_with(call, definitions, job, deletion)
}

/// Deletes a job with its history and the schedules that no other job uses.
pub(super) fn delete_job_of_owner(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    job: &Job,
) -> Result<()> {
    let deletion = JobDeletion {
        keep_history: false,
        delete_unused_schedules: true,
    };
    delete_with(call, definitions, job, deletion)
}

/// Its targets are told; alerts that answer with it answer with none.
fn delete_with(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    job: &Job,
    deletion: JobDeletion,
) -> Result<()> {
    post::deletion(call, definitions, job)?;
    if !call.caller.sysadmin {
        // A schedule of somebody else is not the job's owner's to delete, used or not.
        for row in definitions.schedules_of_job(job.id)? {
            if row.schedule.owner_sid != call.caller.sid {
                definitions.detach_schedule(job.id, row.id)?;
            }
        }
    }
    for mut alert in definitions.alerts()? {
        if alert.job == job.id {
            alert.job = JobId::ALL;
            definitions.update_alert(&alert)?;
        }
    }
    definitions.delete_job(job.id, deletion, call.now)?;
    Ok(())
}

/// Deletes what is left of a master that this server has left already. Jobs of the present master stay under
/// its rule (14274).
fn delete_from_server(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    server: &str,
) -> Result<()> {
    call.caller.require_sysadmin(|| raise(14525, &[]))?;
    let jobs = definitions.jobs(&JobFilter {
        origin: Some(OriginFilter::Server(server.to_owned())),
        ..JobFilter::default()
    })?;
    if jobs.is_empty() {
        return Err(raise(14268, &[server.into()]).into());
    }
    let master = definitions.enlistment()?;
    if let Some(row) = master
        && row.enlistment.master_name.eq_ignore_ascii_case(server)
    {
        return Err(Fault::Sql(raise(14274, &[server.into()])));
    }
    for job in jobs {
        delete_job(call, definitions, &job)?;
    }
    Ok(())
}
