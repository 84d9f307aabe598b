//! sp_start_job and sp_stop_job.
//!
//! A local job acts at once, outside every snapshot and lock. A multiserver job posts to its targets: with the
//! commit of an open transaction, else at once.

use crate::call::{Call, Output, Store};
use crate::caller::AgentRole;
use crate::error::Result;
use crate::lookup;
use crate::messages::{raise, unknown};
use crate::post;
use crate::services::{AgentRefusal, StartRequest};
use catalog::{DefinitionsRead, JobFilter, OriginFilter, name_key};
use model::{Job, Operation};
use tsql::SqlError;

/// What a call comes to, once it is checked.
enum Act {
    /// The local agent does it.
    Local { job: Job, step: Option<i32> },
    /// Instructions were posted, so many.
    Posted(usize),
}

/// `sp_start_job`
pub(super) fn start(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let act = decide(call, store, Operation::Start)?;
    match act {
        Act::Posted(count) => announce_posts(out, count, Operation::Start),
        Act::Local { job, step } => {
            let request = StartRequest {
                job: job.id,
                job_name: job.name.clone(),
                login: call.caller.login.clone(),
                step_id: step,
            };
            match call.services.start_job(&request) {
                Ok(()) => {
                    if call.int("@output_flag").unwrap_or(1) != 0 {
                        out.message(raise(14243, &[(&job.name).into()]));
                    }
                }
                Err(refusal) => {
                    let error = refusal_error(call, &job, "start", &refusal);
                    if call.int("@error_flag").unwrap_or(1) != 0 {
                        return Err(error.into());
                    }
                    out.return_code(1);
                }
            }
        }
    }
    Ok(())
}

/// `sp_stop_job`
pub(super) fn stop(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let named = [
        call.guid("@job_id").is_some(),
        call.name("@job_name").is_some(),
        call.name("@originating_server").is_some(),
    ];
    if named.into_iter().filter(|given| *given).count() != 1 {
        return Err(raise(14232, &[]).into());
    }
    if let Some(server) = call.name("@originating_server") {
        return stop_all_from(call, store, out, server);
    }
    match decide(call, store, Operation::Stop)? {
        Act::Posted(count) => announce_posts(out, count, Operation::Stop),
        Act::Local { job, .. } => {
            call.services
                .stop_job(job.id, &call.caller.login)
                .map_err(|refusal| refusal_error(call, &job, "stop", &refusal))?;
            out.message(raise(14254, &[(&job.name).into()]));
        }
    }
    Ok(())
}

/// Checks the call; a multiserver job's instructions are posted under the same snapshot.
fn decide(call: &Call<'_>, store: &mut Store<'_>, operation: Operation) -> Result<Act> {
    let multiserver = store.read(|definitions| {
        let job = lookup::job(call, definitions)?;
        lookup::is_multiserver(definitions, job.id)
    })?;
    if !multiserver {
        return store.read(|definitions| local(call, definitions, operation));
    }
    store.write(call, |definitions| {
        let job = checked_job(call, &*definitions, operation)?;
        // It may have become a local job since; then the agent is asked after all.
        if !lookup::is_multiserver(&*definitions, job.id)? {
            return local(call, &*definitions, operation);
        }
        let mut instruction = post::about_job(call, operation, job.id);
        if operation == Operation::Start {
            instruction.step_name = named_step(call, &*definitions, &job)?.map(|(_, name)| name);
        }
        let Some(server) = call.name("@server_name") else {
            let posted = post::to_targets(call, definitions, job.id, &instruction)?;
            return Ok(Act::Posted(posted));
        };
        let target = definitions
            .target_by_name(server)?
            .ok_or_else(|| unknown("@server_name", server))?;
        let targeted = definitions.job_servers(Some(job.id), Some(target.id))?;
        if targeted.is_empty() {
            return Err(raise(14270, &[(&job.name).into(), (&target.name).into()]).into());
        }
        definitions.post_instruction(target.id, &instruction)?;
        Ok(Act::Posted(1))
    })
}

fn local(call: &Call<'_>, definitions: &dyn DefinitionsRead, operation: Operation) -> Result<Act> {
    let job = checked_job(call, definitions, operation)?;
    if let Some(server) = call.name("@server_name")
        && !lookup::is_local_server(call, server)
    {
        return Err(raise(14270, &[(&job.name).into(), server.into()]).into());
    }
    let step = if operation == Operation::Start {
        named_step(call, definitions, &job)?.map(|(id, _)| id)
    } else {
        None
    };
    Ok(Act::Local { job, step })
}

/// The job, if the caller may start and stop it and it can run at all.
fn checked_job(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    operation: Operation,
) -> Result<Job> {
    let job = lookup::job(call, definitions)?;
    let multiserver = lookup::is_multiserver(definitions, job.id)?;
    if multiserver || job.originating_server.is_some() {
        call.caller.require_sysadmin(|| raise(14397, &[]))?;
    } else if !call.caller.owns(&job) && !call.caller.is(AgentRole::Operator) {
        return Err(raise(14393, &[]).into());
    }
    if definitions.job_servers(Some(job.id), None)?.is_empty() {
        let number = if operation == Operation::Start {
            14256
        } else {
            14257
        };
        let id = job.id.to_string().to_uppercase();
        return Err(raise(number, &[(&job.name).into(), (&id).into()]).into());
    }
    if operation == Operation::Start && definitions.step(job.id, 1)?.is_none() {
        return Err(raise(14528, &[(&job.name).into()]).into());
    }
    Ok(job)
}

fn named_step(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    job: &Job,
) -> Result<Option<(i32, String)>> {
    let Some(name) = call.name("@step_name") else {
        return Ok(None);
    };
    definitions
        .steps(job.id)?
        .into_iter()
        .find(|step| name_key(&step.name) == name_key(name))
        .map(|step| Some((step.step_id, step.name)))
        .ok_or_else(|| unknown("@step_name", name).into())
}

fn announce_posts(out: &mut Output<'_>, count: usize, operation: Operation) {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    out.message(raise(14230, &[count.into(), operation.word().into()]));
}

/// On a target: stops every job of its master that runs.
fn stop_all_from(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
    server: &str,
) -> Result<()> {
    call.caller.require_sysadmin(|| raise(14397, &[]))?;
    let jobs = store.read(|definitions| {
        Ok(definitions.jobs(&JobFilter {
            origin: Some(OriginFilter::Server(server.to_owned())),
            ..JobFilter::default()
        })?)
    })?;
    if jobs.is_empty() {
        return Err(raise(14268, &[server.into()]).into());
    }
    let running: Vec<&Job> = jobs
        .iter()
        .filter(|job| call.services.execution_of(job.id).is_some())
        .collect();
    let mut stopped = 0i64;
    for job in &running {
        if call.services.stop_job(job.id, &call.caller.login).is_ok() {
            stopped += 1;
        }
    }
    let running = i64::try_from(running.len()).unwrap_or(i64::MAX);
    out.message(raise(14253, &[stopped.into(), running.into()]));
    Ok(())
}

/// 22022 with the Agent's own reason; 14258 while it starts.
fn refusal_error(call: &Call<'_>, job: &Job, verb: &str, refusal: &AgentRefusal) -> SqlError {
    let reason = match refusal {
        AgentRefusal::Starting => return raise(14258, &[]),
        AgentRefusal::Stopped => {
            "SQLServerAgent is not currently running so it cannot be notified of this action."
                .to_owned()
        }
        AgentRefusal::AlreadyRunning { .. } | AgentRefusal::NotRunning => format!(
            "Request to {verb} job {} (from User {}) refused because {refusal}.",
            job.name, call.caller.login
        ),
        AgentRefusal::Failed { cause } => format!(
            "Request to {verb} job {} (from User {}) failed: {cause}",
            job.name, call.caller.login
        ),
    };
    raise(22022, &[(&reason).into()])
}
