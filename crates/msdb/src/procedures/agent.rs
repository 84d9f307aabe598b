//! The Agent itself: its properties, the live state of jobs, and messages to it.

use crate::call::{Call, Output, Store};
use crate::convert::{flag_int, guid, int, ints_at_offset, ints_or_zero};
use crate::declare::{GET_SQLAGENT_PROPERTIES_PROPERTIES, XP_SQLAGENT_ENUM_JOBS_JOBS};
use crate::error::Result;
use crate::error_log::ErrorLog;
use crate::messages::{none_of, raise, unknown};
use crate::services::{AgentRefusal, StartRequest};
use crate::settings::{self, agent_key, apply_history_limits};
use catalog::{DefinitionsRead, JobFilter, JobOutcome, NextRun, SettingValue};
use jiff::Timestamp;
use model::{JobId, MSX_OPERATOR, ScheduleId, ScheduleUid, ServerId};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use tsql::{Row, SqlError, Value};

/// A numeric property: parameter, registry value, range, what an unset one shows.
type NumberProperty = (&'static str, &'static str, RangeInclusive<i64>, i32);

/// Source: fact sheet `procedures.toml`, sp_set_sqlagent_properties; fallbacks of sp_get_sqlagent_properties.
const NUMBERS: &[NumberProperty] = &[
    ("@auto_start", "AutoStart", 0..=1, 1),
    ("@sqlserver_restart", "RestartSQLServer", 0..=1, 0),
    ("@errorlogging_level", "ErrorLoggingLevel", 1..=7, 3),
    ("@monitor_autostart", "MonitorAutoStart", 0..=1, 0),
    ("@job_shutdown_timeout", "JobShutdownTimeout", 5..=600, 15),
    ("@regular_connections", "RegularConnections", 0..=1, 0),
    ("@login_timeout", "LoginTimeout", 5..=45, 30),
    ("@idle_cpu_percent", "IdleCPUPercent", 10..=100, 10),
    ("@idle_cpu_duration", "IdleCPUDuration", 20..=86_400, 600),
    ("@oem_errorlog", "OemErrorLog", 0..=1, 0),
    ("@email_save_in_sent_folder", "EmailSaveSent", 0..=1, 0),
    ("@cpu_poller_enabled", "CoreEngineMask", 0..=1, 0),
    (
        "@alert_replace_runtime_tokens",
        "AlertReplaceRuntimeTokens",
        0..=1,
        0,
    ),
    ("@use_databasemail", "UseDatabaseMail", 0..=1, 0),
];

/// A property that is a text: parameter, registry value.
const TEXTS: &[(&str, &str)] = &[
    ("@errorlog_file", "ErrorLogFile"),
    ("@error_recipient", "ErrorMonitor"),
    ("@local_host_server", "ServerHost"),
    ("@host_login_name", "HostLoginID"),
    ("@email_profile", "EmailProfile"),
    ("@databasemail_profile", "DatabaseMailProfile"),
];

/// `sp_set_sqlagent_properties`
pub(super) fn set_properties(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    // Secrets of the Agent's own connection belong into credentials; nothing here would keep them safe.
    for refused in ["@host_login_password", "@cmdexec_account"] {
        if !call.value(refused).is_null() {
            return Err(raise(40515, &["Parameter".into(), refused.into()]).into());
        }
    }
    let mut values = Vec::new();
    for (parameter, value_name, range, _) in NUMBERS {
        if let Some(given) = call.int(parameter) {
            if !range.contains(&i64::from(given)) {
                let valid = format!("{} to {}", range.start(), range.end());
                return Err(none_of(parameter, &valid).into());
            }
            values.push((agent_key(value_name), SettingValue::Number(given.into())));
        }
    }
    for (parameter, value_name) in TEXTS {
        if let Some(text) = call.text(parameter) {
            values.push((agent_key(value_name), SettingValue::Text(text.to_owned())));
        }
    }
    values.extend(history_limits(call)?);
    store.write(call, |definitions| {
        for (key, value) in &values {
            let empty = value.as_text() == Some("");
            definitions.set_setting(key, Some(value).filter(|_| !empty))?;
        }
        Ok(())
    })?;
    if call.int("@sysadmin_only").is_some() {
        out.message(SqlError {
            severity: 10,
            ..raise(14378, &[])
        });
    }
    if !store.in_transaction() {
        apply_history_limits(call.catalog())?;
        call.services.settings_changed();
    }
    Ok(())
}

/// Rows in all: -1 is no limit, else above 1; rows of a job: 1 up to that, 0 with -1.
fn history_limits(call: &Call<'_>) -> Result<Vec<(String, SettingValue)>> {
    let mut values = Vec::new();
    let total = call.int("@jobhistory_max_rows");
    let per_job = call.int("@jobhistory_max_rows_per_job");
    if let Some(rows) = total {
        if rows != -1 && rows < 2 {
            return Err(none_of("@jobhistory_max_rows", "-1, or 2 and up").into());
        }
        let value = SettingValue::Number(rows.into());
        values.push((settings::JOB_HISTORY_MAX_ROWS.to_owned(), value));
    }
    if let Some(rows) = per_job {
        // Without a total in the call the one in force counts.
        let in_force = || {
            let most = call.catalog().history_limits().rows_max;
            most.and_then(|most| i32::try_from(most).ok())
        };
        let most = match total {
            Some(-1) => None,
            Some(total) => Some(total),
            None => in_force(),
        };
        let most = most.unwrap_or(i32::MAX);
        let least = i32::from(total != Some(-1));
        if !(least..=most).contains(&rows) {
            return Err(none_of(
                "@jobhistory_max_rows_per_job",
                "1 to @jobhistory_max_rows, or 0 without a limit",
            )
            .into());
        }
        let value = SettingValue::Number(rows.into());
        values.push((settings::JOB_HISTORY_MAX_ROWS_PER_JOB.to_owned(), value));
    }
    Ok(values)
}

/// `sp_get_sqlagent_properties`
pub(super) fn get_properties(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let limits = call.catalog().history_limits();
    let rows_max = |rows: Option<u64>, none: i64| {
        int(rows.map_or(none, |rows| i64::try_from(rows).unwrap_or(i64::MAX)))
    };
    store.read(|definitions| {
        let number = |parameter: &str| number_property(definitions, parameter).map(int);
        let text = |value_name: &str| -> Result<Value> {
            let stored = definitions.setting(&agent_key(value_name))?;
            Ok(stored
                .and_then(|value| value.as_text().map(str::to_owned))
                .into())
        };
        let enlistment = definitions.enlistment()?;
        let master = definitions.target_count()? > 0
            || definitions.operator_by_name(MSX_OPERATOR)?.is_some();
        let kind = match (&enlistment, master) {
            (Some(_), _) => 2,
            (None, true) => 3,
            (None, false) => 1,
        };
        let row: Row = vec![
            number("@auto_start")?,
            enlistment.map(|row| row.enlistment.master_name).into(),
            Value::Int(kind),
            Value::Null,
            number("@sqlserver_restart")?,
            rows_max(limits.rows_max, -1),
            rows_max(limits.rows_per_job_and_target, 0),
            text("ErrorLogFile")?,
            number("@errorlogging_level")?,
            text("ErrorMonitor")?,
            number("@monitor_autostart")?,
            text("ServerHost")?,
            number("@job_shutdown_timeout")?,
            Value::Null,
            number("@regular_connections")?,
            text("HostLoginID")?,
            Value::Null,
            number("@login_timeout")?,
            number("@idle_cpu_percent")?,
            number("@idle_cpu_duration")?,
            number("@oem_errorlog")?,
            Value::Int(0),
            text("EmailProfile")?,
            number("@email_save_in_sent_folder")?,
            number("@cpu_poller_enabled")?,
            number("@alert_replace_runtime_tokens")?,
        ];
        out.result(GET_SQLAGENT_PROPERTIES_PROPERTIES, vec![row]);
        Ok(())
    })
}

/// A numeric property as it is set, or what an unset one shows.
pub(super) fn number_property(definitions: &dyn DefinitionsRead, parameter: &str) -> Result<i64> {
    let (_, value_name, _, unset) = NUMBERS
        .iter()
        .find(|known| known.0 == parameter)
        .expect("each number shown is one that can be set");
    let stored = definitions.setting(&agent_key(value_name))?;
    let stored = stored.and_then(|value| value.as_number());
    Ok(stored.unwrap_or(i64::from(*unset)))
}

/// `xp_sqlagent_enum_jobs`: the live state of local jobs, all of them or those of one owner.
pub(super) fn enum_jobs(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let all = call.int("@is_sysadmin").unwrap_or(0) != 0;
    let only = call.guid("@job_id").map(JobId);
    let execution = call.services.execution();
    store.read(|definitions| {
        let owner = match call.name("@job_owner") {
            Some(name) if !all => definitions.login(name)?.map(|login| login.sid),
            _ => None,
        };
        let mut jobs = definitions.jobs(&JobFilter {
            target: Some(ServerId(0)),
            ..JobFilter::default()
        })?;
        jobs.retain(|job| only.is_none_or(|id| id == job.id));
        let schedules: BTreeMap<ScheduleUid, ScheduleId> = definitions
            .job_schedules(only, None)?
            .into_iter()
            .map(|attached| (attached.uid, attached.schedule))
            .collect();
        let (outcomes, next) = call.runs(|runs| {
            let outcomes: BTreeMap<JobId, JobOutcome> = runs
                .job_outcomes(only, Some(ServerId(0)))?
                .into_iter()
                .map(|outcome| (outcome.job, outcome))
                .collect();
            Ok((outcomes, earliest(runs.next_runs(only)?)))
        })?;
        let rows = jobs
            .into_iter()
            .filter(|job| all || owner.as_ref() == Some(&job.owner_sid))
            .map(|job| {
                let (date, time) = outcomes.get(&job.id).map_or((0, 0), |outcome| {
                    ints_at_offset(outcome.started, outcome.utc_offset_minutes)
                });
                let next = next.get(&job.id);
                let (next_date, next_time) = ints_or_zero(next.map(|(at, _)| *at), &call.zone);
                let schedule = next
                    .and_then(|(_, uid)| schedules.get(uid))
                    .map_or(0, |id| id.0);
                let running = execution.iter().find(|run| run.job == job.id);
                vec![
                    guid(job.id.0),
                    Value::Int(date),
                    Value::Int(time),
                    Value::Int(next_date),
                    Value::Int(next_time),
                    int(schedule),
                    flag_int(running.is_some()),
                    Value::Int(running.map_or(0, |run| run.request_source)),
                    running.and_then(|run| run.request_source_id.clone()).into(),
                    flag_int(running.is_some()),
                    Value::Int(running.and_then(|run| run.step.as_ref()).map_or(0, |s| s.0)),
                    Value::Int(running.map_or(0, |run| run.retry_attempt)),
                    Value::Int(running.map_or(4, |run| run.status.code())),
                ]
            })
            .collect();
        out.result(XP_SQLAGENT_ENUM_JOBS_JOBS, rows);
        Ok(())
    })
}

/// The next run of each job and the schedule it comes from.
fn earliest(next: Vec<NextRun>) -> BTreeMap<JobId, (Timestamp, ScheduleUid)> {
    let mut first: BTreeMap<JobId, (Timestamp, ScheduleUid)> = BTreeMap::new();
    for row in next {
        let Some(at) = row.next else { continue };
        let entry = first.entry(row.job).or_insert((at, row.schedule));
        if at < entry.0 {
            *entry = (at, row.schedule);
        }
    }
    first
}

/// `sp_sqlagent_notify`, `xp_sqlagent_notify`.
///
/// Definitions reach the agent by the change feed, so that J, S and A have nothing left to tell but start and
/// stop. Mail and log messages are refused by name, since there is neither here.
pub(super) fn notify(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    let xp = call.procedure.name.starts_with("xp_");
    let operation = call.name("@op_type").unwrap_or_default().to_uppercase();
    let action = call.name("@action_type").unwrap_or_default().to_uppercase();
    match operation.as_str() {
        "P" => call.services.poll_master(),
        "G" => call.services.settings_changed(),
        "J" => return notify_job(call, store, &action),
        "S" | "A" | "D" => {}
        "L" => super::error_log::cycle(call, ErrorLog::Agent)?,
        "M" | "N" | "T" => {
            let what = format!("{operation} of {}", call.procedure.name);
            return Err(raise(40515, &["Operation".into(), (&what).into()]).into());
        }
        _ => {
            let parameter = if xp { "op_type" } else { "@op_type" };
            return Err(none_of(parameter, "J, S, A, G, D, P, L").into());
        }
    }
    Ok(())
}

fn notify_job(call: &Call<'_>, store: &mut Store<'_>, action: &str) -> Result<()> {
    if !matches!(action, "S" | "C") {
        return Ok(());
    }
    let id = call
        .guid("@job_id")
        .map(JobId)
        .ok_or_else(|| raise(14233, &[]))?;
    let job = store
        .read(|definitions| Ok(definitions.job(id)?))?
        .ok_or_else(|| unknown("@job_id", &id.to_string().to_uppercase()))?;
    let login = call.caller.login.clone();
    let done = if action == "S" {
        call.services.start_job(&StartRequest {
            job: id,
            job_name: job.name,
            login,
            step_id: None,
        })
    } else {
        call.services.stop_job(id, &login)
    };
    done.map_err(|refusal| match refusal {
        AgentRefusal::Starting => raise(14258, &[]).into(),
        AgentRefusal::AlreadyRunning { .. }
        | AgentRefusal::NotRunning
        | AgentRefusal::Stopped
        | AgentRefusal::Failed { .. } => raise(22022, &[(&refusal.to_string()).into()]).into(),
    })
}

/// `sp_sqlagent_has_server_access`: whether logins exist and are members of sysadmin.
pub(super) fn has_server_access(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    store.read(|definitions| {
        let name = call.name("@login_name");
        let mut rows = Vec::new();
        for login in definitions.logins()? {
            if name.is_some_and(|name| !name.eq_ignore_ascii_case(&login.name)) {
                continue;
            }
            let sysadmin = crate::caller::is_sysadmin(definitions, &login.name, &login.sid)?;
            rows.push(vec![
                flag_int(login.enabled),
                flag_int(sysadmin),
                Value::string(login.name),
            ]);
        }
        out.result(crate::declare::SERVER_ACCESS, rows);
        Ok(())
    })
}

/// `sp_verify_job_identifiers`: turns an id or a name into both.
pub(super) fn verify_job_identifiers(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let name_parameter = call.name("@name_of_name_parameter").unwrap_or("@job_name");
    let id_parameter = call.name("@name_of_id_parameter").unwrap_or("@job_id");
    // Whether the agent is starting, it says itself when it is asked for something.
    let test = call.name("@sqlagent_starting_test").unwrap_or("TEST");
    if !test.eq_ignore_ascii_case("TEST") && !test.eq_ignore_ascii_case("NO_TEST") {
        return Err(none_of("@sqlagent_starting_test", "TEST, NO_TEST").into());
    }
    // The shared look-up speaks of its own parameters; this one of its caller's.
    let renamed = |error: SqlError| SqlError {
        message: error
            .message
            .replace("@job_name", name_parameter)
            .replace("@job_id", id_parameter),
        ..error
    };
    let job = store
        .read(|definitions: &dyn DefinitionsRead| crate::lookup::job(call, definitions))
        .map_err(|fault| renamed(fault.into()))?;
    out.set("@job_id", guid(job.id.0));
    out.set("@job_name", Value::string(job.name));
    Ok(())
}
