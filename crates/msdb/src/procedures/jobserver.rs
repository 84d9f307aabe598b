//! Targets of a job: sp_add_jobserver, sp_delete_jobserver, sp_apply_job_to_targets, sp_help_jobserver.

use super::job::check_notifies_msx_operator_only;
use crate::call::{Call, Output, Store};
use crate::caller::{check_may_change, sid_is_sysadmin};
use crate::convert::{
    datetime, datetime_or_null, duration_int, flag, guid, int, ints_at_offset, tinyint,
};
use crate::declare::{
    HELP_JOBSERVER_SERVERS, HELP_JOBSERVER_SERVERS_WITH_LAST_RUN, MULTI_SERVER_JOB_SUMMARY,
};
use crate::error::Result;
use crate::lookup;
use crate::messages::{none_of, raise, unknown};
use crate::post;
use catalog::{
    BuiltInCategory, CategoryKind, DefinitionsRead, DefinitionsWrite, DownloadFilter, JobFilter,
    JobOutcome, Liveness, TargetServer,
};
use model::{CategoryId, Job, JobId, Operation, RunStatus, ServerId};
use std::collections::{BTreeMap, BTreeSet};
use tsql::{Row, Value};

/// This server among a job's targets.
const LOCAL: ServerId = ServerId(0);

/// `sp_add_jobserver`
pub(super) fn add(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    let server = call.name("@server_name").unwrap_or("(local)");
    store.write(call, |definitions| {
        let job = lookup::job(call, &*definitions)?;
        lookup::check_local(&job)?;
        if lookup::is_local_server(call, server) {
            target_locally(call, definitions, &job)
        } else {
            call.caller.require_sysadmin(|| raise(14398, &[]))?;
            let target = target(&*definitions, "@server_name", server)?;
            if is_targeted(&*definitions, job.id, target.id)? {
                let name = target.name.as_str();
                return Err(raise(14269, &[(&job.name).into(), name.into()]).into());
            }
            target_remotely(
                call,
                definitions,
                &job,
                &target,
                call.bit("@automatic_post"),
            )
        }
    })
}

fn target_locally(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    job: &Job,
) -> Result<()> {
    let multiserver = lookup::is_multiserver(&*definitions, job.id)?;
    check_may_change(&call.caller, job, multiserver)?;
    if multiserver {
        return Err(raise(14291, &[]).into());
    }
    if is_targeted(&*definitions, job.id, LOCAL)? {
        return Err(raise(14269, &[(&job.name).into(), (&call.server).into()]).into());
    }
    keep_category_fitting(
        call,
        definitions,
        job,
        CategoryKind::Multiserver,
        BuiltInCategory::UNCATEGORIZED_LOCAL,
    )?;
    definitions.add_job_server(job.id, LOCAL, None)?;
    Ok(())
}

/// Targets a job at a remote server that it does not target yet.
fn target_remotely(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    job: &Job,
    target: &TargetServer,
    post: bool,
) -> Result<()> {
    if is_targeted(&*definitions, job.id, LOCAL)? {
        return Err(raise(14290, &[]).into());
    }
    check_multiserver_job(&*definitions, job)?;
    keep_category_fitting(
        call,
        definitions,
        job,
        CategoryKind::Local,
        BuiltInCategory::UNCATEGORIZED_MULTISERVER,
    )?;
    let insert = post.then(|| post::about_job(call, Operation::Insert, job.id));
    definitions.add_job_server(job.id, target.id, insert.as_ref())?;
    Ok(())
}

/// What a job must be to go to other servers: 14544, 14221, 14542.
fn check_multiserver_job(definitions: &dyn DefinitionsRead, job: &Job) -> Result<()> {
    if !sid_is_sysadmin(definitions, &job.owner_sid)? {
        return Err(raise(14544, &[(&job.name).into()]).into());
    }
    check_notifies_msx_operator_only(definitions, job)?;
    let has_user = definitions
        .steps(job.id)?
        .iter()
        .any(|step| step.database_user_name.is_some());
    if has_user {
        return Err(raise(14542, &["@database_user_name".into()]).into());
    }
    Ok(())
}

/// The first target decides whether a job is local or multiserver: a category of the other kind gives way.
fn keep_category_fitting(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    job: &Job,
    wrong: CategoryKind,
    fallback: CategoryId,
) -> Result<()> {
    let kind = definitions
        .category(job.category)?
        .map(|category| category.kind);
    if kind == Some(wrong) {
        let mut job = job.clone();
        job.category = fallback;
        job.modified = call.now;
        definitions.update_job(&job)?;
    }
    Ok(())
}

fn is_targeted(definitions: &dyn DefinitionsRead, job: JobId, server: ServerId) -> Result<bool> {
    Ok(!definitions.job_servers(Some(job), Some(server))?.is_empty())
}

fn target(definitions: &dyn DefinitionsRead, parameter: &str, name: &str) -> Result<TargetServer> {
    definitions
        .target_by_name(name)?
        .ok_or_else(|| unknown(parameter, name).into())
}

/// `sp_delete_jobserver`
pub(super) fn delete(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    let Some(server) = call.name("@server_name") else {
        return Err(raise(14200, &["@server_name".into()]).into());
    };
    let (job, id) = store.write(call, |definitions| {
        let job = lookup::job(call, &*definitions)?;
        lookup::check_local(&job)?;
        let (id, name) = if lookup::is_local_server(call, server) {
            (LOCAL, call.server.clone())
        } else {
            let target = target(&*definitions, "@server_name", server)?;
            (target.id, target.name)
        };
        if !is_targeted(&*definitions, job.id, id)? {
            return Err(raise(14270, &[(&job.name).into(), (&name).into()]).into());
        }
        remove_target(call, definitions, &job, id)?;
        Ok((job.id, id))
    })?;
    forget_outcomes(call, store, job, &[id])
}

/// Takes a target from a job; a remote one is told to delete it.
fn remove_target(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    job: &Job,
    server: ServerId,
) -> Result<()> {
    let instruction = (server != LOCAL).then(|| {
        let mut delete = post::about_job(call, Operation::Delete, job.id);
        delete.deleted_object_name = Some(job.name.clone());
        delete
    });
    definitions.remove_job_server(job.id, server, instruction.as_ref())?;
    Ok(())
}

/// Forgets last outcomes on targets that were taken from a job. Within a transaction, which may still be
/// undone, they stay; they are shown again only if the target comes back.
fn forget_outcomes(
    call: &Call<'_>,
    store: &Store<'_>,
    job: JobId,
    servers: &[ServerId],
) -> Result<()> {
    if store.in_transaction() || servers.is_empty() {
        return Ok(());
    }
    call.catalog().runs_write(|runs| {
        for server in servers {
            runs.forget_job_target(job, *server)?;
        }
        Ok(())
    })
}

/// `sp_apply_job_to_targets`
pub(super) fn apply(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    match call.name("@operation").unwrap_or("APPLY") {
        word if word.eq_ignore_ascii_case("APPLY") => apply_to(call, store, out),
        word if word.eq_ignore_ascii_case("REMOVE") => remove(call, store, out),
        _ => Err(none_of("@operation", "APPLY, REMOVE").into()),
    }
}

fn apply_to(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let applied = store.write(call, |definitions| {
        let job = lookup::job(call, &*definitions)?;
        lookup::check_local(&job)?;
        let mut applied = 0i64;
        for target in listed(call, &*definitions)? {
            if !is_targeted(&*definitions, job.id, target.id)? {
                // The category may have changed with the first target.
                let job = lookup::job(call, &*definitions)?;
                target_remotely(call, definitions, &job, &target, true)?;
                applied += 1;
            }
        }
        Ok(applied)
    })?;
    out.message(raise(14240, &[applied.into()]));
    Ok(())
}

/// `sp_remove_job_from_targets`
pub(super) fn remove(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let (job, removed) = store.write(call, |definitions| {
        let job = lookup::job(call, &*definitions)?;
        lookup::check_local(&job)?;
        let mut removed = Vec::new();
        for target in listed(call, &*definitions)? {
            if is_targeted(&*definitions, job.id, target.id)? {
                remove_target(call, definitions, &job, target.id)?;
                removed.push(target.id);
            }
        }
        Ok((job.id, removed))
    })?;
    let count = i64::try_from(removed.len()).unwrap_or(i64::MAX);
    out.message(raise(14241, &[count.into()]));
    forget_outcomes(call, store, job, &removed)
}

/// The targets of `@target_servers` and `@target_server_groups`, each once. 14283 when both are missing.
fn listed(call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<Vec<TargetServer>> {
    let servers = call.name("@target_servers");
    let groups = call.name("@target_server_groups");
    if servers.is_none() && groups.is_none() {
        return Err(raise(14283, &[]).into());
    }
    let mut targets = BTreeMap::new();
    for name in split(servers) {
        let target = target(definitions, "@target_servers", name)?;
        targets.insert(target.id, target);
    }
    for name in split(groups) {
        let group = definitions
            .target_group_by_name(name)?
            .ok_or_else(|| unknown("@target_server_groups", name))?;
        for member in definitions.target_group_members(Some(group.id))? {
            if let Some(target) = definitions.target(member.server)? {
                targets.insert(target.id, target);
            }
        }
    }
    Ok(targets.into_values().collect())
}

fn split(list: Option<&str>) -> impl Iterator<Item = &str> {
    list.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

/// `sp_multi_server_job_summary`: for each multiserver job its targets, how many of them have everything that
/// was posted for it, and how many failed last.
pub(super) fn summary(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    store.read(|definitions| {
        let jobs = match lookup::optional_job(call, definitions)? {
            Some(job) => vec![job],
            None => definitions.jobs(&JobFilter::default())?,
        };
        let mut rows = Vec::new();
        for job in jobs {
            if !lookup::is_multiserver(definitions, job.id)? {
                continue;
            }
            let targets = definitions.job_servers(Some(job.id), None)?;
            let mut behind = BTreeSet::new();
            let posted = definitions.download_list(&DownloadFilter {
                object_id: Some(job.id.0),
                ..DownloadFilter::default()
            })?;
            let failed = call.runs(|runs| {
                for row in &posted {
                    if runs.acknowledged_instruction(row.server)? < row.number {
                        behind.insert(row.server);
                    }
                }
                let outcomes = runs.job_outcomes(Some(job.id), None)?;
                Ok(outcomes
                    .iter()
                    .filter(|outcome| outcome.status == RunStatus::Failed)
                    .filter(|outcome| targets.iter().any(|t| t.server == outcome.server))
                    .count())
            })?;
            let current = targets
                .iter()
                .filter(|target| !behind.contains(&target.server))
                .count();
            let count = |n: usize| Value::Int(i32::try_from(n).unwrap_or(i32::MAX));
            rows.push(vec![
                guid(job.id.0),
                Value::string(job.name),
                flag(job.enabled),
                count(targets.len()),
                count(current),
                count(failed),
            ]);
        }
        out.result(MULTI_SERVER_JOB_SUMMARY, rows);
        Ok(())
    })
}

/// `sp_help_jobserver`
pub(super) fn help(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let details = lookup::flag(call, "@show_last_run_details")?.unwrap_or(false);
    let columns = if details {
        HELP_JOBSERVER_SERVERS_WITH_LAST_RUN
    } else {
        HELP_JOBSERVER_SERVERS
    };
    store.read(|definitions| {
        let job = lookup::job(call, definitions)?;
        out.result(columns, rows(call, definitions, job.id, details)?);
        Ok(())
    })
}

/// Rows of the targets of a job, with the last run on each where asked for.
pub(super) fn rows(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    job: JobId,
    details: bool,
) -> Result<Vec<Row>> {
    let targets: Vec<ServerId> = definitions
        .job_servers(Some(job), None)?
        .into_iter()
        .map(|target| target.server)
        .collect();
    let (outcomes, seen) = call.runs(|runs| {
        let outcomes: BTreeMap<ServerId, JobOutcome> = runs
            .job_outcomes(Some(job), None)?
            .into_iter()
            .map(|outcome| (outcome.server, outcome))
            .collect();
        let mut seen = BTreeMap::new();
        for server in &targets {
            if let Some(life) = runs.liveness(*server)? {
                seen.insert(*server, life);
            }
        }
        Ok((outcomes, seen))
    })?;
    let mut rows = Vec::with_capacity(targets.len());
    for id in targets {
        let mut row = server_columns(call, definitions, id, seen.get(&id))?;
        if details {
            row.extend(outcome_columns(outcomes.get(&id)));
        }
        rows.push(row);
    }
    Ok(rows)
}

fn server_columns(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    id: ServerId,
    seen: Option<&Liveness>,
) -> Result<Row> {
    let target = definitions.target(id)?;
    let name = match &target {
        Some(target) => target.name.clone(),
        None => call.server.clone(),
    };
    let last_poll = seen
        .map(|life| life.at)
        .or(target.as_ref().map(|target| target.enlisted));
    Ok(vec![
        int(id.0),
        Value::string(name.to_uppercase()),
        target.map_or(Value::Null, |target| datetime(target.enlisted, &call.zone)),
        datetime_or_null(last_poll, &call.zone),
    ])
}

fn outcome_columns(outcome: Option<&JobOutcome>) -> [Value; 5] {
    let Some(outcome) = outcome else {
        return [
            Value::Int(0),
            Value::Int(0),
            Value::Int(0),
            tinyint(5),
            Value::Null,
        ];
    };
    let (date, time) = ints_at_offset(outcome.started, outcome.utc_offset_minutes);
    [
        Value::Int(date),
        Value::Int(time),
        Value::Int(duration_int(outcome.duration_ms)),
        tinyint(outcome.status.code()),
        Value::string(&*outcome.message),
    ]
}
