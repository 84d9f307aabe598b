//! `sp_sqlagent_log_jobhistory`: a history row that some other program writes.

use super::tsx::check_may_speak_for;
use crate::call::{Call, Output, Store};
use crate::convert::{duration_ms, instant, moment};
use crate::error::Result;
use crate::lookup;
use crate::messages::{none_of, raise, unknown};
use catalog::{DefinitionsRead, QueuedReport, RecordHistory, ReportBatch, TargetServer};
use jiff::tz::Offset;
use model::run::OUTCOME_STEP_NAME;
use model::{HistoryRow, Job, JobId, JobStep, OperatorId, ReportPosition, RunId, RunStatus};

/// Operators told: mail, net send, pager.
const OPERATORS: [&str; 3] = [
    "@operator_id_emailed",
    "@operator_id_netsent",
    "@operator_id_paged",
];

/// `sp_sqlagent_log_jobhistory`: acts at once, also inside a transaction, since history is no part of it. The
/// row belongs to no run of the agent here and stands as a run of its own.
pub(super) fn log(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    let subject = store.read(|definitions| subject(call, definitions))?;
    let operators = match &subject.target {
        None => store.read(|definitions| operators(call, definitions))?,
        // A target tells its own operators, who are nobody here.
        Some(_) => [0; 3],
    };
    let row = row(call, &subject)?;
    store.write(call, |_| Ok(()))?;
    call.catalog().runs_write(|runs| {
        match &subject.target {
            None => {
                runs.record_history(RecordHistory {
                    row: &row,
                    operators,
                    report: subject.job.originating_server.is_some(),
                })?;
            }
            Some(target) => {
                // Not of the stream that a target of Muster's protocol reports: its position stays.
                let rows = [QueuedReport {
                    position: ReportPosition(0),
                    row,
                }];
                runs.store_reports(ReportBatch {
                    server: target.id,
                    instance: target.instance,
                    rows: &rows,
                    received: call.now,
                })?;
            }
        }
        Ok::<(), crate::error::Fault>(())
    })
}

/// What a row is about.
struct Subject {
    job: Job,
    /// None for the outcome, and for a step that is gone.
    step: Option<JobStep>,
    /// The target it ran on; none for this server.
    target: Option<TargetServer>,
}

fn subject(call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<Subject> {
    let id = JobId(call.guid("@job_id").ok_or_else(|| raise(14233, &[]))?);
    let job = definitions
        .job(id)?
        .ok_or_else(|| unknown("@job_id", &id.to_string().to_uppercase()))?;
    let target = target(call, definitions, id)?;
    let step = match call.int("@step_id") {
        Some(0) => None,
        Some(step_id) if step_id > 0 => definitions.step(id, step_id)?,
        _ => return Err(none_of("@step_id", "0 and up").into()),
    };
    Ok(Subject { job, step, target })
}

/// The target of the job that `@server` names. Who is no more than a member of TargetServersRole has to name one
/// for which it may speak.
fn target(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    job: JobId,
) -> Result<Option<TargetServer>> {
    let server = call.name("@server");
    let Some(name) = server.filter(|name| !lookup::is_local_server(call, name)) else {
        let caller = &call.caller;
        if caller.targets_role && !caller.has_role("db_owner") {
            return Err(raise(14260, &[]).into());
        }
        return Ok(None);
    };
    let absent = || unknown("@server", name);
    let target = definitions.target_by_name(name)?.ok_or_else(absent)?;
    check_may_speak_for(&call.caller, &target)?;
    if definitions
        .job_servers(Some(job), Some(target.id))?
        .is_empty()
    {
        return Err(absent().into());
    }
    Ok(Some(target))
}

fn operators(call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<[i64; 3]> {
    let mut told = [0; 3];
    for (parameter, told) in OPERATORS.iter().zip(&mut told) {
        let id = call.int(parameter).unwrap_or(0);
        if id != 0 && definitions.operator(OperatorId(id.into()))?.is_none() {
            return Err(unknown(parameter, &id.to_string()).into());
        }
        *told = i64::from(id);
    }
    Ok(told)
}

fn row(call: &Call<'_>, subject: &Subject) -> Result<HistoryRow> {
    let Subject { job, step, target } = subject;
    let number = |name: &str| call.int(name).unwrap_or(0);
    let status = call
        .int("@run_status")
        .and_then(RunStatus::from_code)
        .ok_or_else(|| none_of("@run_status", "0, 1, 2, 3, 4"))?;
    let step_id = number("@step_id");
    if step_id == 0
        && !matches!(
            status,
            RunStatus::Failed | RunStatus::Succeeded | RunStatus::Canceled
        )
    {
        return Err(none_of("@run_status", "0, 1, 3").into());
    }
    let bad_date = || raise(14287, &["@run_date".into(), "date".into()]);
    let local = moment(number("@run_date"), 0)
        .ok_or_else(bad_date)
        .and_then(|_| {
            moment(number("@run_date"), number("@run_time"))
                .ok_or_else(|| raise(14287, &["@run_time".into(), "time".into()]))
        })?;
    // A target's row has the time of the target.
    let zone = match target {
        None => call.zone.clone(),
        Some(target) => Offset::from_seconds(target.utc_offset_minutes * 60)
            .map_err(|_| bad_date())?
            .to_time_zone(),
    };
    let started = instant(local, &zone).ok_or_else(bad_date)?;
    let duration_ms = call
        .int("@run_duration")
        .and_then(duration_ms)
        .ok_or_else(|| raise(14287, &["@run_duration".into(), "time".into()]))?;
    let retries_attempted = number("@retries_attempted");
    if retries_attempted < 0 {
        return Err(none_of("@retries_attempted", "0 and up").into());
    }
    Ok(HistoryRow {
        run_id: RunId(call.services.new_uuid()),
        row: 0,
        job_id: job.id,
        step_id,
        step_name: match step {
            Some(step) => step.name.clone(),
            None if step_id == 0 => OUTCOME_STEP_NAME.to_owned(),
            None => String::new(),
        },
        step_uid: step.as_ref().map(|step| step.uid),
        sql_message_id: number("@sql_message_id"),
        sql_severity: number("@sql_severity"),
        message: call.text("@message").unwrap_or_default().to_owned(),
        status,
        started,
        utc_offset_minutes: i16::try_from(zone.to_offset(started).seconds() / 60).unwrap_or(0),
        duration_ms,
        retries_attempted,
        server: target
            .as_ref()
            .map_or_else(|| call.server.clone(), |target| target.name.clone()),
        output: None,
    })
}
