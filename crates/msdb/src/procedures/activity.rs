//! sp_help_jobactivity.

use crate::call::{Call, Output, Store};
use crate::convert::{datetime_or_null, guid, history_int, int};
use crate::declare::HELP_JOBACTIVITY_ACTIVITY;
use crate::error::Result;
use crate::lookup;
use crate::messages::unknown;
use catalog::{Activity, HistoryFilter, HistoryRecord, JobFilter};
use model::JobId;
use std::collections::BTreeMap;
use tsql::{Row, Value};

/// `sp_help_jobactivity`: one session's rows, the latest session unless one is named. Only sysadmin sees
/// jobs of others.
pub(super) fn help(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let (only, names) = store.read(|definitions| {
        let named = lookup::optional_job(call, definitions)?;
        let jobs = match &named {
            Some(job) => vec![job.clone()],
            None => definitions.jobs(&JobFilter::default())?,
        };
        let names: BTreeMap<JobId, String> = jobs
            .into_iter()
            .filter(|job| call.caller.sysadmin || call.caller.owns(job))
            .map(|job| (job.id, job.name))
            .collect();
        Ok((named.map(|job| job.id), names))
    })?;
    let rows = call.runs(|runs| {
        let session = match call.int("@session_id") {
            Some(id) => {
                let known = runs.sessions()?.iter().any(|s| s.id == i64::from(id));
                if !known {
                    return Err(unknown("@session_id", &id.to_string()).into());
                }
                Some(i64::from(id))
            }
            None => runs.current_session()?.map(|session| session.id),
        };
        let Some(session) = session else {
            return Ok(Vec::new());
        };
        let mut rows = Vec::new();
        for activity in runs.activity(Some(session), only)? {
            let Some(name) = names.get(&activity.job) else {
                continue;
            };
            let outcome = match (activity.history, activity.run) {
                (Some(_), Some(run)) => {
                    let filter = HistoryFilter {
                        run: Some(run),
                        step_id: Some(0),
                        ..HistoryFilter::default()
                    };
                    runs.history(&filter, None, 1)?.pop()
                }
                _ => None,
            };
            rows.push(row(call, &activity, name, outcome.as_ref()));
        }
        Ok(rows)
    })?;
    out.result(HELP_JOBACTIVITY_ACTIVITY, rows);
    Ok(())
}

fn row(call: &Call<'_>, activity: &Activity, name: &str, outcome: Option<&HistoryRecord>) -> Row {
    let when = |instant| datetime_or_null(instant, &call.zone);
    let operator = |at: usize| outcome.map_or(Value::Null, |outcome| int(outcome.operators[at]));
    vec![
        int(activity.session),
        guid(activity.job.0),
        Value::string(name),
        when(activity.requested),
        activity.source_code.map(|code| code.to_string()).into(),
        when(activity.queued),
        when(activity.started),
        activity.last_step_id.into(),
        when(activity.last_step_started),
        when(activity.stopped),
        when(activity.next_run),
        activity.history.map(|id| history_int(id.0)).into(),
        outcome.map(|outcome| outcome.row.message.clone()).into(),
        outcome.map(|outcome| outcome.row.status.code()).into(),
        operator(0),
        operator(1),
        operator(2),
    ]
}
