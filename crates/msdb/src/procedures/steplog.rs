//! Step logs kept in the table: sp_help_jobsteplog, sp_delete_jobsteplog.

use crate::call::{Call, Output, Store};
use crate::caller::check_may_change;
use crate::convert::{datetime, guid, instant};
use crate::declare::HELP_JOBSTEPLOG_LOGS;
use crate::error::{Fault, Result};
use crate::lookup;
use crate::messages::{none_of, raise, unknown};
use catalog::{DefinitionsRead, name_key};
use model::{Job, JobStep};
use tsql::Value;

/// Bytes of a megabyte, in which sp_help_jobsteplog shows sizes.
const MEGABYTE: f64 = 1_048_576.0;

/// `sp_help_jobsteplog`
pub(super) fn help(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let (job, steps) = store.read(|definitions| {
        let job = lookup::job(call, definitions)?;
        let steps = steps(call, definitions, &job)?;
        Ok((job, steps))
    })?;
    let mut rows = Vec::new();
    for step in steps {
        for log in call.runs(|runs| Ok(runs.step_logs(Some(step.uid))?))? {
            let bytes = u32::try_from(log.log_bytes()).unwrap_or(u32::MAX);
            rows.push(vec![
                guid(job.id.0),
                Value::string(&*job.name),
                Value::Int(step.step_id),
                Value::string(&*step.name),
                guid(step.uid.0),
                datetime(log.created, &call.zone),
                datetime(log.modified, &call.zone),
                Value::Float(f64::from(bytes) / MEGABYTE),
                Value::String(log.log),
            ]);
        }
    }
    out.result(HELP_JOBSTEPLOG_LOGS, rows);
    Ok(())
}

/// `sp_delete_jobsteplog`: logs lie in the runs file and go at once, also within a transaction.
pub(super) fn delete(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    let before = match call.datetime("@older_than") {
        None => None,
        Some(local) => Some(
            instant(local, &call.zone)
                .ok_or_else(|| raise(14287, &["@older_than".into(), "date".into()]))?,
        ),
    };
    let larger = call
        .int("@larger_than")
        .map(|bytes| u64::try_from(bytes).map_err(|_| none_of("@larger_than", "0 and up")))
        .transpose()?;
    let steps = store.write(call, |definitions| {
        let job = lookup::job(call, &*definitions)?;
        let multiserver = lookup::is_multiserver(&*definitions, job.id)?;
        check_may_change(&call.caller, &job, multiserver)?;
        steps(call, &*definitions, &job)
    })?;
    call.catalog().runs_write(|runs| {
        for step in &steps {
            runs.delete_step_logs(step.uid, before, larger)?;
        }
        Ok::<(), Fault>(())
    })
}

/// The steps meant: all of the job, or the one of `@step_id` or `@step_name`.
fn steps(call: &Call<'_>, definitions: &dyn DefinitionsRead, job: &Job) -> Result<Vec<JobStep>> {
    let mut steps = definitions.steps(job.id)?;
    if let Some(id) = call.int("@step_id") {
        steps.retain(|step| step.step_id == id);
        if steps.is_empty() {
            return Err(unknown("@step_id", &id.to_string()).into());
        }
    }
    if let Some(name) = call.name("@step_name") {
        steps.retain(|step| name_key(&step.name) == name_key(name));
        if steps.is_empty() {
            return Err(unknown("@step_name", name).into());
        }
    }
    Ok(steps)
}
