//! sysjobs, sysjobs_view, sysjobsteps, sysjobservers, syscategories.

use super::columns::{SYSCATEGORIES, SYSJOBS, SYSJOBS_VIEW, SYSJOBSERVERS, SYSJOBSTEPS};
use super::{Rows, Scanner, Select, Table, msdb};
use crate::convert::{datetime, duration_int, flag, guid, int, ints_at_offset, tinyint};
use crate::error::Result;
use crate::procedures::proxy_id;
use catalog::{JobFilter, JobOutcome, Proxy, StepOutcome};
use model::{Job, JobId, JobStep, ServerId, StepUid};
use std::collections::{BTreeMap, BTreeSet};
use tsql::{Row, Value};

/// Steps read from the catalog in one go.
const PAGE_STEPS: usize = 1_000;

/// The tables.
pub(super) const TABLES: &[Table] = &[
    msdb(
        "sysjobs",
        SYSJOBS,
        &["job_id", "name"],
        Select::Nobody,
        jobs,
    ),
    msdb(
        "sysjobs_view",
        SYSJOBS_VIEW,
        &["job_id", "name"],
        Select::AgentAndTargets,
        jobs_view,
    ),
    msdb(
        "sysjobsteps",
        SYSJOBSTEPS,
        &["job_id"],
        Select::Nobody,
        steps,
    ),
    msdb(
        "sysjobservers",
        SYSJOBSERVERS,
        &["job_id", "server_id"],
        Select::TargetServers,
        servers,
    ),
    msdb(
        "syscategories",
        SYSCATEGORIES,
        &[],
        Select::Public,
        categories,
    ),
];

/// The jobs that the scan's keys leave.
fn sought(scan: &Scanner<'_>) -> Result<Vec<Job>> {
    if let Some(id) = scan.guid("job_id") {
        return Ok(scan.definitions.job(JobId(id))?.into_iter().collect());
    }
    match scan.text("name") {
        Some(name) => Ok(scan.definitions.jobs_by_name(name)?),
        None => Ok(scan.definitions.jobs(&JobFilter::default())?),
    }
}

fn jobs(scan: &Scanner<'_>) -> Result<Rows> {
    let rows = sought(scan)?
        .iter()
        .map(|job| {
            let mut row = vec![guid(job.id.0), Value::Int(origin_id(job))];
            row.extend(header(scan, job));
            row
        })
        .collect();
    Ok(Rows::All(rows))
}

fn jobs_view(scan: &Scanner<'_>) -> Result<Rows> {
    let multiserver: Option<BTreeSet<JobId>> = if scan.caller.targets_role && !scan.caller.sysadmin
    {
        let targets = scan.definitions.job_servers(None, None)?;
        let remote = targets.iter().filter(|target| target.server != ServerId(0));
        Some(remote.map(|target| target.job).collect())
    } else {
        None
    };
    let mut rows = Vec::new();
    for job in sought(scan)? {
        let remote = multiserver
            .as_ref()
            .is_some_and(|jobs| jobs.contains(&job.id));
        if !scan.caller.sees(&job) && !remote {
            continue;
        }
        let origin = job.originating_server.as_deref().unwrap_or(&scan.server);
        let mut row = vec![guid(job.id.0), Value::string(origin.to_uppercase())];
        row.extend(header(scan, &job));
        row.push(Value::Int(origin_id(&job)));
        row.push(Value::Bit(job.originating_server.is_some()));
        rows.push(row);
    }
    Ok(Rows::All(rows))
}

/// `originating_server_id`: 0 for this server, 1 for the master.
pub(super) fn origin_id(job: &Job) -> i32 {
    i32::from(job.originating_server.is_some())
}

/// name … version_number, as both tables have them in a row.
fn header(scan: &Scanner<'_>, job: &Job) -> [Value; 17] {
    [
        Value::string(&*job.name),
        flag(job.enabled),
        job.description.clone().into(),
        Value::Int(job.start_step_id),
        int(job.category.0),
        Value::Binary(job.owner_sid.clone()),
        Value::Int(job.notify_level_eventlog.code()),
        Value::Int(job.notify_level_email.code()),
        Value::Int(job.notify_level_netsend.code()),
        Value::Int(job.notify_level_page.code()),
        int(job.notify_email_operator.0),
        int(job.notify_netsend_operator.0),
        int(job.notify_page_operator.0),
        Value::Int(job.delete_level.code()),
        datetime(job.created, &scan.zone),
        datetime(job.modified, &scan.zone),
        int(job.version),
    ]
}

fn steps(scan: &Scanner<'_>) -> Result<Rows> {
    let only = scan.guid("job_id").map(JobId);
    let outcomes: BTreeMap<StepUid, StepOutcome> = scan.runs(|runs| {
        Ok(runs
            .step_outcomes(only)?
            .into_iter()
            .map(|outcome| (outcome.step, outcome))
            .collect())
    })?;
    let proxies = scan.definitions.proxies()?;
    let mut rows = Vec::new();
    let mut push = |job: JobId, step: &JobStep| {
        rows.push(step_row(job, step, outcomes.get(&step.uid), &proxies));
    };
    if let Some(job) = only {
        for step in scan.definitions.steps(job)? {
            push(job, &step);
        }
        return Ok(Rows::All(rows));
    }
    each_step(scan, push)?;
    Ok(Rows::All(rows))
}

/// Shows every step of every job, page by page.
pub(super) fn each_step(scan: &Scanner<'_>, mut show: impl FnMut(JobId, &JobStep)) -> Result<()> {
    let mut after = None;
    loop {
        let page = scan.definitions.steps_page(after, PAGE_STEPS)?;
        let Some((job, step)) = page.last() else {
            return Ok(());
        };
        after = Some((*job, step.step_id));
        for (job, step) in &page {
            show(*job, step);
        }
    }
}

fn step_row(job: JobId, step: &JobStep, outcome: Option<&StepOutcome>, proxies: &[Proxy]) -> Row {
    let (date, time) = outcome.map_or((0, 0), |outcome| {
        ints_at_offset(outcome.started, outcome.utc_offset_minutes)
    });
    vec![
        guid(job.0),
        Value::Int(step.step_id),
        Value::string(&*step.name),
        Value::string(step.subsystem.name()),
        step.command.clone().into(),
        Value::Int(step.flags),
        step.additional_parameters.clone().into(),
        Value::Int(step.cmdexec_success_code),
        Value::TinyInt(step.on_success.code()),
        Value::Int(step.on_success_step_id),
        Value::TinyInt(step.on_fail.code()),
        Value::Int(step.on_fail_step_id),
        step.server.clone().into(),
        step.database_name.clone().into(),
        step.database_user_name.clone().into(),
        Value::Int(step.retry_attempts),
        Value::Int(step.retry_interval_minutes),
        Value::Int(step.os_run_priority),
        step.output_file_name.clone().into(),
        Value::Int(outcome.map_or(0, |outcome| outcome.status.code())),
        Value::Int(outcome.map_or(0, |outcome| duration_int(outcome.duration_ms))),
        Value::Int(outcome.map_or(0, |outcome| outcome.retries)),
        Value::Int(date),
        Value::Int(time),
        proxy_id(step, proxies),
        guid(step.uid.0),
    ]
}

fn servers(scan: &Scanner<'_>) -> Result<Rows> {
    let job = scan.guid("job_id").map(JobId);
    let server = scan.number("server_id").map(ServerId);
    let outcomes: BTreeMap<(JobId, ServerId), JobOutcome> = scan.runs(|runs| {
        Ok(runs
            .job_outcomes(job, server)?
            .into_iter()
            .map(|outcome| ((outcome.job, outcome.server), outcome))
            .collect())
    })?;
    let rows = scan
        .definitions
        .job_servers(job, server)?
        .into_iter()
        .map(|target| {
            let outcome = outcomes.get(&(target.job, target.server));
            let (date, time) = outcome.map_or((0, 0), |outcome| {
                ints_at_offset(outcome.started, outcome.utc_offset_minutes)
            });
            vec![
                guid(target.job.0),
                int(target.server.0),
                tinyint(outcome.map_or(5, |outcome| outcome.status.code())),
                outcome.map(|outcome| outcome.message.clone()).into(),
                Value::Int(date),
                Value::Int(time),
                Value::Int(outcome.map_or(0, |outcome| duration_int(outcome.duration_ms))),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}

fn categories(scan: &Scanner<'_>) -> Result<Rows> {
    let rows = scan
        .definitions
        .categories()?
        .into_iter()
        .map(|category| {
            vec![
                int(category.id.0),
                Value::Int(category.class.code()),
                tinyint(category.kind.code()),
                Value::string(category.name),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}
