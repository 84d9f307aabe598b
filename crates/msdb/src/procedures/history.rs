//! sp_help_jobhistory and sp_purge_jobhistory.

use crate::call::{Call, Output, Store};
use crate::caller::AgentRole;
use crate::convert::{duration_int, duration_ms, guid, history_int, instant, ints_at_offset};
use crate::declare::{HELP_JOBHISTORY_FULL, HELP_JOBHISTORY_SUMMARY};
use crate::error::{Fault, Result};
use crate::lookup;
use crate::messages::{none_of, raise, unknown};
use catalog::{HistoryFilter, HistoryOrder, HistoryPurge, HistoryRecord, JobFilter};
use jiff::SignedDuration;
use model::encoding::{date_from_int, time_from_int};
use model::{HistoryId, JobId, OperatorId, RunStatus};
use std::collections::BTreeMap;
use tsql::{Row, Value};

/// Rows read from the catalog and sent to the client in one go.
const PAGE_ROWS: usize = 1_000;

/// `sp_help_jobhistory`: in pages, so that millions of rows keep neither memory nor a snapshot.
pub(super) fn help(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let conditions = Conditions::new(call)?;
    let full = match call.name("@mode").unwrap_or("SUMMARY") {
        word if word.eq_ignore_ascii_case("SUMMARY") => false,
        word if word.eq_ignore_ascii_case("FULL") => true,
        _ => return Err(none_of("@mode", "SUMMARY, FULL").into()),
    };
    let (only, names, operators) = store.read(|definitions| {
        let named = lookup::optional_job(call, definitions)?;
        let jobs = match &named {
            Some(job) => vec![job.clone()],
            None => definitions.jobs(&JobFilter::default())?,
        };
        let mut names = BTreeMap::new();
        for job in jobs {
            if lookup::visible(call, definitions, &job) {
                names.insert(job.id, job.name);
            }
        }
        let operators: BTreeMap<OperatorId, String> = definitions
            .operators()?
            .into_iter()
            .map(|operator| (operator.id, operator.name))
            .collect();
        Ok((named.map(|job| job.id), names, operators))
    })?;
    let mut filter = conditions.filter.clone();
    filter.job = only;
    if !full {
        filter.step_id.get_or_insert(0);
    }
    out.begin(if full {
        HELP_JOBHISTORY_FULL
    } else {
        HELP_JOBHISTORY_SUMMARY
    });
    let mut after: Option<HistoryId> = None;
    let mut sent = 0;
    loop {
        let page = call.runs(|runs| Ok(runs.history(&filter, after, PAGE_ROWS)?))?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for record in &page {
            let Some(name) = names.get(&record.row.job_id) else {
                continue;
            };
            if conditions.admits(record) {
                out.row(row(record, name, &operators, full));
                sent += 1;
            }
        }
        out.flush()?;
    }
    out.end(sent);
    Ok(())
}

/// The filter parameters: what the catalog filters by, and what is compared here, as ints local to where
/// the rows were written.
struct Conditions {
    filter: HistoryFilter,
    dates: (Option<i32>, Option<i32>),
    times: (Option<i32>, Option<i32>),
    server: Option<String>,
    /// No row can have what is asked for.
    none_matches: bool,
}

impl Conditions {
    fn new(call: &Call<'_>) -> Result<Self> {
        let dates = (date(call, "@start_run_date")?, date(call, "@end_run_date")?);
        let times = (time(call, "@start_run_time")?, time(call, "@end_run_time")?);
        let status = call
            .int("@run_status")
            .map(|code| match code {
                // "Unknown" is shown of jobs that never ran; no history row has it.
                5 => Ok(None),
                _ => RunStatus::from_code(code)
                    .map(Some)
                    .ok_or_else(|| none_of("@run_status", "0, 1, 2, 3, 4, 5")),
            })
            .transpose()?;
        let none_matches = status == Some(None);
        let minimum =
            match call.int("@minimum_run_duration") {
                None => None,
                Some(encoded) => Some(duration_ms(encoded).ok_or_else(|| {
                    raise(14287, &["@minimum_run_duration".into(), "time".into()])
                })?),
            };
        let oldest_first = call.int("@oldest_first").unwrap_or(0);
        if !matches!(oldest_first, 0 | 1) {
            return Err(none_of("@oldest_first", "0, 1").into());
        }
        // Targets lie up to 14 hours away from here: the catalog's bound is a day wider than the int's.
        let bound = |encoded: Option<i32>, hours: i64| {
            let day = date_from_int(encoded?)?;
            instant(day.at(0, 0, 0, 0), &call.zone)?
                .checked_add(SignedDuration::from_hours(hours))
                .ok()
        };
        Ok(Self {
            filter: HistoryFilter {
                step_id: call.int("@step_id"),
                status: status.flatten(),
                started_from: bound(dates.0, -24),
                started_to: bound(dates.1, 48),
                duration_ms_min: minimum,
                sql_message_id: call.int("@sql_message_id"),
                sql_severity: call.int("@sql_severity"),
                retries_min: call.int("@minimum_retries"),
                order: if oldest_first == 1 {
                    HistoryOrder::OldestFirst
                } else {
                    HistoryOrder::NewestFirst
                },
                ..HistoryFilter::default()
            },
            dates,
            times,
            server: call.name("@server").map(str::to_owned),
            none_matches,
        })
    }

    fn admits(&self, record: &HistoryRecord) -> bool {
        let (date, time) = ints_at_offset(record.row.started, record.row.utc_offset_minutes);
        let within = |value: i32, (from, to): (Option<i32>, Option<i32>)| {
            from.is_none_or(|from| value >= from) && to.is_none_or(|to| value <= to)
        };
        !self.none_matches
            && within(date, self.dates)
            && within(time, self.times)
            && self
                .server
                .as_ref()
                .is_none_or(|server| server.eq_ignore_ascii_case(&record.row.server))
    }
}

fn date(call: &Call<'_>, parameter: &str) -> Result<Option<i32>> {
    match call.int(parameter) {
        Some(value) if date_from_int(value).is_none() => {
            Err(raise(14287, &[parameter.into(), "date".into()]).into())
        }
        value => Ok(value),
    }
}

fn time(call: &Call<'_>, parameter: &str) -> Result<Option<i32>> {
    match call.int(parameter) {
        Some(value) if time_from_int(value).is_none() => {
            Err(raise(14287, &[parameter.into(), "time".into()]).into())
        }
        value => Ok(value),
    }
}

fn row(
    record: &HistoryRecord,
    name: &str,
    operators: &BTreeMap<OperatorId, String>,
    full: bool,
) -> Row {
    let history = &record.row;
    let (date, time) = ints_at_offset(history.started, history.utc_offset_minutes);
    let operator = |at: usize| {
        let name = operators.get(&OperatorId(record.operators[at]));
        Value::from(name.filter(|_| history.step_id == 0).cloned())
    };
    let mut row = Vec::with_capacity(HELP_JOBHISTORY_FULL.len());
    if full {
        row.push(Value::Int(history_int(record.id.0)));
    }
    row.extend([guid(history.job_id.0), Value::string(name)]);
    if full {
        row.extend([
            Value::Int(history.step_id),
            Value::string(&*history.step_name),
            Value::Int(history.sql_message_id),
            Value::Int(history.sql_severity),
            Value::string(&*history.message),
        ]);
    }
    row.extend([
        Value::Int(history.status.code()),
        Value::Int(date),
        Value::Int(time),
        Value::Int(duration_int(history.duration_ms)),
        operator(0),
        operator(1),
        operator(2),
        Value::Int(history.retries_attempted),
        Value::string(&*history.server),
    ]);
    row
}

/// `sp_purge_jobhistory`: acts at once, also inside a transaction, since history is no part of it.
pub(super) fn purge(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let before = match call.datetime("@oldest_date") {
        None => None,
        Some(local) => Some(
            instant(local, &call.zone)
                .ok_or_else(|| raise(14287, &["@oldest_date".into(), "date".into()]))?,
        ),
    };
    let jobs = store.read(|definitions| {
        let Some(job) = lookup::optional_job(call, definitions)? else {
            return jobs_in_reach(call, definitions);
        };
        let multiserver = lookup::is_multiserver(definitions, job.id)?;
        let may = call.caller.sysadmin
            || (!multiserver && (call.caller.owns(&job) || call.caller.is(AgentRole::Operator)));
        if may {
            Ok(vec![Some(job.id)])
        } else {
            Err(raise(14392, &[]).into())
        }
    })?;
    let removed = jobs.into_iter().try_fold(0, |removed, job| {
        let purge = HistoryPurge { job, before };
        let more = call
            .catalog()
            .purge_history_while(&purge, || out.wanted())?;
        Ok::<u64, Fault>(removed + more)
    });
    // What was removed before the client cancelled stays removed, and is accounted for.
    store.write(call, |_| Ok(()))?;
    let removed = i64::try_from(removed?).unwrap_or(i64::MAX);
    out.message(raise(14226, &[removed.into()]));
    Ok(())
}

/// Without a job: all history for sysadmin, that of local jobs for SQLAgentOperatorRole.
fn jobs_in_reach(
    call: &Call<'_>,
    definitions: &dyn catalog::DefinitionsRead,
) -> Result<Vec<Option<JobId>>> {
    if call.caller.sysadmin {
        return Ok(vec![None]);
    }
    if !call.caller.is(AgentRole::Operator) {
        return Err(raise(14392, &[]).into());
    }
    let mut local = Vec::new();
    for job in definitions.jobs(&JobFilter::default())? {
        if !lookup::is_multiserver(definitions, job.id)? {
            local.push(Some(job.id));
        }
    }
    Ok(local)
}

/// `sp_jobhistory_row_limiter`: the limits are kept with every outcome that is written, so that nothing is left
/// to do but to say whether the job exists.
pub(super) fn limit(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.read(|definitions| {
        let id = call.guid("@job_id").map(JobId).unwrap_or(JobId::ALL);
        match definitions.job(id)? {
            Some(_) => Ok(()),
            None => Err(unknown("@job_id", &id.to_string().to_uppercase()).into()),
        }
    })
}
