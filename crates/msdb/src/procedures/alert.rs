//! Alerts: stored, checked, shown. What they do at run time is the agent's.

use crate::call::{Call, Output, Store};
use crate::convert::{flag, guid, instant, int, ints_or_zero, moment, tinyint};
use crate::declare::{HELP_ALERT_ALERTS, HELP_ALERT_ALERTS_LEGACY, JOB_ALERTS};
use crate::error::{Fault, Result};
use crate::lookup;
use crate::messages::{none_of, raise, taken, text, unknown};
use catalog::{Alert, AlertOccurrence, BuiltInCategory, CategoryClass, DefinitionsRead, name_key};
use jiff::Timestamp;
use model::JobId;
use model::encoding::time_from_int;
use std::collections::BTreeMap;
use tsql::{Row, Value};

/// `event_source` of alerts on events of this instance, and of WMI alerts.
const EVENT_SOURCE: &str = "MSSQLSERVER";
const WMI_SOURCE: &str = "WMI";
/// Highest severity. Source: sp_add_alert, `@severity`.
const SEVERITY_MAX: i32 = 25;
/// Bits of notification methods.
const METHODS_ALL: i32 = 7;

/// `sp_add_alert`
pub(super) fn add(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let mut alert = Alert {
            id: 0,
            name: checked_name(call, &*definitions, "@name", None)?,
            event_source: EVENT_SOURCE.to_owned(),
            event_category_id: None,
            event_id: None,
            message_id: 0,
            severity: 0,
            enabled: true,
            delay_between_responses: 0,
            notification_message: None,
            include_event_description: 5,
            database_name: None,
            event_description_keyword: None,
            job: JobId::ALL,
            performance_condition: None,
            flags: 0,
            category: BuiltInCategory::UNCATEGORIZED_ALERT,
        };
        change(call, &*definitions, &mut alert)?;
        definitions.create_alert(&alert)?;
        Ok(())
    })
}

/// `sp_update_alert`
pub(super) fn update(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    check_resets(call)?;
    let id = store.write(call, |definitions| {
        let mut alert = named(call, &*definitions, "@name")?;
        if call.name("@new_name").is_some() {
            alert.name = checked_name(call, &*definitions, "@new_name", Some(alert.id))?;
        }
        change(call, &*definitions, &mut alert)?;
        definitions.update_alert(&alert)?;
        Ok(alert.id)
    })?;
    if store.rehearses() {
        return Ok(());
    }
    reset(call, id)
}

/// What may be set to 0 and to nothing else.
const RESETS: &[&str] = &[
    "@occurrence_count",
    "@last_occurrence_date",
    "@last_occurrence_time",
    "@last_response_date",
    "@last_response_time",
];

fn check_resets(call: &Call<'_>) -> Result<()> {
    let wrong = RESETS
        .iter()
        .find(|name| call.int(name).is_some_and(|value| value != 0));
    if let Some(name) = wrong {
        return Err(none_of(name, "0").into());
    }
    let time = call.int("@count_reset_time").unwrap_or(0);
    if time_from_int(time).is_none() {
        return Err(raise(14287, &["@count_reset_time".into(), "time".into()]).into());
    }
    // 0 is no date.
    let date = call.int("@count_reset_date").unwrap_or(0);
    if date != 0 && moment(date, time).is_none() {
        return Err(raise(14287, &["@count_reset_date".into(), "date".into()]).into());
    }
    Ok(())
}

/// Counters lie in the runs file: they are reset at once, also within a transaction.
fn reset(call: &Call<'_>, id: i64) -> Result<()> {
    let count = call.int("@occurrence_count");
    let date = call.int("@count_reset_date");
    let touched = count.is_some() || date.is_some() || RESETS.iter().any(|n| call.int(n).is_some());
    if !touched {
        return Ok(());
    }
    call.catalog().runs_write(|runs| {
        let mut seen = runs
            .alert_occurrences()?
            .into_iter()
            .find(|seen| seen.alert == id)
            .unwrap_or(AlertOccurrence {
                alert: id,
                ..AlertOccurrence::default()
            });
        if count.is_some() {
            seen.count = 0;
            seen.count_reset = Some(call.now);
        }
        if let Some(date) = date {
            let time = call.int("@count_reset_time").unwrap_or(0);
            seen.count_reset = moment(date, time).and_then(|local| instant(local, &call.zone));
        }
        if call.int("@last_occurrence_date").is_some() {
            seen.last_occurrence = None;
        }
        if call.int("@last_response_date").is_some() {
            seen.last_response = None;
        }
        runs.set_alert_occurrence(&seen)?;
        Ok::<(), Fault>(())
    })
}

/// `sp_delete_alert`
pub(super) fn delete(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let alert = named(call, &*definitions, "@name")?;
        Ok(definitions.delete_alert(alert.id)?)
    })
}

/// The alert that a parameter names; 14262 for none.
pub(super) fn named(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    parameter: &str,
) -> Result<Alert> {
    let name = call
        .name(parameter)
        .ok_or_else(|| raise(14200, &[parameter.into()]))?;
    definitions
        .alert_by_name(name)?
        .ok_or_else(|| unknown(parameter, name).into())
}

fn checked_name(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    parameter: &str,
    but: Option<i64>,
) -> Result<String> {
    let name = call
        .name(parameter)
        .ok_or_else(|| raise(14200, &[parameter.into()]))?;
    match definitions.alert_by_name(name)? {
        Some(other) if Some(other.id) != but => Err(taken(parameter, name).into()),
        _ => Ok(name.to_owned()),
    }
}

/// Puts the parameters into an alert and checks it as a whole; those that are NULL stay as they are.
fn change(call: &Call<'_>, definitions: &dyn DefinitionsRead, alert: &mut Alert) -> Result<()> {
    if let Some(enabled) = lookup::flag(call, "@enabled")? {
        alert.enabled = enabled;
    }
    let numbers: [(&str, &mut i32, i32); 4] = [
        ("@message_id", &mut alert.message_id, i32::MAX),
        ("@severity", &mut alert.severity, SEVERITY_MAX),
        (
            "@delay_between_responses",
            &mut alert.delay_between_responses,
            i32::MAX,
        ),
        (
            "@include_event_description_in",
            &mut alert.include_event_description,
            METHODS_ALL,
        ),
    ];
    for (parameter, field, most) in numbers {
        if let Some(given) = call.int(parameter) {
            if !(0..=most).contains(&given) {
                return Err(none_of(parameter, &format!("0 to {most}")).into());
            }
            *field = given;
        }
    }
    let texts = [
        ("@notification_message", &mut alert.notification_message),
        ("@database_name", &mut alert.database_name),
        (
            "@event_description_keyword",
            &mut alert.event_description_keyword,
        ),
        ("@performance_condition", &mut alert.performance_condition),
    ];
    for (parameter, field) in texts {
        if let Some(given) = call.text(parameter) {
            *field = Some(given.to_owned()).filter(|text| !text.trim().is_empty());
        }
    }
    change_wmi(call, alert)?;
    check_condition(call, alert)?;
    check_unique(definitions, alert)?;
    change_job(call, definitions, alert)?;
    if let Some(name) = call.name("@category_name") {
        alert.category =
            lookup::category(definitions, CategoryClass::Alert, "@category_name", name)?.id;
    }
    Ok(())
}

/// A WMI alert keeps its namespace where others keep the database, and its query where others keep the
/// performance condition, as sysalerts shows it.
fn change_wmi(call: &Call<'_>, alert: &mut Alert) -> Result<()> {
    match (call.name("@wmi_namespace"), call.name("@wmi_query")) {
        (None, None) => Ok(()),
        (Some(namespace), Some(query)) => {
            let forbidden = [
                ("@message_id", alert.message_id != 0),
                ("@severity", alert.severity != 0),
                (
                    "@performance_condition",
                    call.name("@performance_condition").is_some(),
                ),
                ("@database_name", call.name("@database_name").is_some()),
                (
                    "@event_description_keyword",
                    alert.event_description_keyword.is_some(),
                ),
            ];
            if let Some((parameter, _)) = forbidden.iter().find(|(_, given)| *given) {
                return Err(raise(14510, &[(*parameter).into()]).into());
            }
            alert.event_source = WMI_SOURCE.to_owned();
            alert.database_name = Some(namespace.to_owned());
            alert.performance_condition = Some(query.to_owned());
            Ok(())
        }
        (None, Some(query)) if is_wmi(alert) => {
            alert.performance_condition = Some(query.to_owned());
            Ok(())
        }
        (Some(_), None) | (None, Some(_)) => Err(raise(14508, &[]).into()),
    }
}

fn is_wmi(alert: &Alert) -> bool {
    alert.event_source == WMI_SOURCE
}

/// Exactly one kind of condition: 14500, 14505, 14507.
fn check_condition(call: &Call<'_>, alert: &Alert) -> Result<()> {
    if is_wmi(alert) {
        return Ok(());
    }
    if let Some(condition) = &alert.performance_condition {
        let forbidden = [
            ("@message_id", alert.message_id != 0),
            ("@severity", alert.severity != 0),
            ("@database_name", call.name("@database_name").is_some()),
            (
                "@event_description_keyword",
                alert.event_description_keyword.is_some(),
            ),
        ];
        if let Some((parameter, _)) = forbidden.iter().find(|(_, given)| *given) {
            return Err(raise(14505, &[(*parameter).into()]).into());
        }
        if !is_performance_condition(condition) {
            return Err(raise(14507, &[]).into());
        }
        return Ok(());
    }
    if (alert.message_id != 0) == (alert.severity != 0) {
        return Err(raise(14500, &[]).into());
    }
    Ok(())
}

/// `object|counter|instance|comparator|value`; the instance may be empty.
fn is_performance_condition(condition: &str) -> bool {
    let parts: Vec<&str> = condition.split('|').map(str::trim).collect();
    matches!(
        parts.as_slice(),
        [object, counter, _, ">" | "<" | "=", value]
            if !object.is_empty() && !counter.is_empty() && value.parse::<f64>().is_ok()
    )
}

/// 14501 for a second alert on the same condition.
fn check_unique(definitions: &dyn DefinitionsRead, alert: &Alert) -> Result<()> {
    let condition = |alert: &Alert| {
        (
            alert.message_id,
            alert.severity,
            alert.database_name.as_deref().map(name_key),
            alert.event_description_keyword.as_deref().map(name_key),
            alert.performance_condition.as_deref().map(name_key),
        )
    };
    let clash = definitions
        .alerts()?
        .into_iter()
        .find(|other| other.id != alert.id && condition(other) == condition(alert));
    match clash {
        Some(other) => {
            let what = other
                .performance_condition
                .clone()
                .unwrap_or_else(|| format!("{}/{}", other.message_id, other.severity));
            Err(raise(14501, &[(&other.name).into(), (&what).into()]).into())
        }
        None => Ok(()),
    }
}

/// The job that answers; 0x00 and an empty name are none. It must have a target (14527).
fn change_job(call: &Call<'_>, definitions: &dyn DefinitionsRead, alert: &mut Alert) -> Result<()> {
    let clears = call.guid("@job_id").is_some_and(|id| id.is_nil())
        || call
            .text("@job_name")
            .is_some_and(|name| name.trim().is_empty());
    if clears {
        alert.job = JobId::ALL;
        return Ok(());
    }
    let Some(job) = lookup::optional_job(call, definitions)? else {
        return Ok(());
    };
    if definitions.job_servers(Some(job.id), None)?.is_empty() {
        return Err(raise(14527, &[(&job.name).into()]).into());
    }
    alert.job = job.id;
    Ok(())
}

/// `sp_help_alert`
pub(super) fn help(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let order = call.name("@order_by").unwrap_or("name");
    let column = HELP_ALERT_ALERTS
        .iter()
        .position(|(name, _)| name.eq_ignore_ascii_case(order))
        .ok_or_else(|| none_of("@order_by", "a column of the result"))?;
    let legacy = call.bit("@legacy_format");
    let seen = occurrences(call)?;
    store.read(|definitions| {
        let mut alerts = match (call.int("@alert_id"), call.name("@alert_name")) {
            (None, None) => definitions.alerts()?,
            (Some(id), _) => vec![
                definitions
                    .alert(id.into())?
                    .ok_or_else(|| unknown("@alert_id", &id.to_string()))?,
            ],
            (None, Some(_)) => vec![named(call, definitions, "@alert_name")?],
        };
        if let Some(name) = call.name("@category_name") {
            let category =
                lookup::category(definitions, CategoryClass::Alert, "@category_name", name)?;
            alerts.retain(|alert| alert.category == category.id);
        }
        let mut rows = Vec::with_capacity(alerts.len());
        for alert in &alerts {
            rows.push(row(call, definitions, alert, seen.get(&alert.id))?);
        }
        rows.sort_by_key(|row| sort_key(&row[column]));
        if legacy {
            for row in &mut rows {
                // The two WMI columns stand before the last one.
                let wmi = row.len() - 3;
                row.drain(wmi..wmi + 2);
            }
        }
        let columns = if legacy {
            HELP_ALERT_ALERTS_LEGACY
        } else {
            HELP_ALERT_ALERTS
        };
        out.result(columns, rows);
        Ok(())
    })
}

fn occurrences(call: &Call<'_>) -> Result<BTreeMap<i64, AlertOccurrence>> {
    call.runs(|runs| {
        Ok(runs
            .alert_occurrences()?
            .into_iter()
            .map(|seen| (seen.alert, seen))
            .collect())
    })
}

/// Numbers by value, texts without regard to case, NULL first.
fn sort_key(value: &Value) -> (bool, i64, String) {
    let text = value.as_str().map(str::to_lowercase).unwrap_or_default();
    (!value.is_null(), value.as_i64().unwrap_or(0), text)
}

fn row(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    alert: &Alert,
    seen: Option<&AlertOccurrence>,
) -> Result<Row> {
    let when = |at: fn(&AlertOccurrence) -> Option<Timestamp>| {
        let (date, time) = ints_or_zero(seen.and_then(at), &call.zone);
        [Value::Int(date), Value::Int(time)]
    };
    let methods = definitions
        .notifications(Some(alert.id), None)?
        .iter()
        .fold(0, |methods, notification| methods | notification.method);
    let job = definitions.job(alert.job)?.map(|job| job.name);
    let wmi = is_wmi(alert);
    let kind = if wmi {
        3
    } else if alert.performance_condition.is_some() {
        2
    } else {
        1
    };
    let unless_wmi = |text: &Option<String>| Value::from(text.clone().filter(|_| !wmi));
    let if_wmi = |text: &Option<String>| Value::from(text.clone().filter(|_| wmi));
    let legacy = call.bit("@legacy_format");
    let mut row = vec![
        int(alert.id),
        Value::string(&*alert.name),
        Value::string(&*alert.event_source),
        alert.event_category_id.into(),
        alert.event_id.into(),
        Value::Int(alert.message_id),
        Value::Int(alert.severity),
        flag(alert.enabled),
        Value::Int(alert.delay_between_responses),
    ];
    row.extend(when(|seen| seen.last_occurrence));
    row.extend(when(|seen| seen.last_response));
    row.extend([
        alert.notification_message.clone().into(),
        tinyint(alert.include_event_description),
        unless_wmi(&alert.database_name),
        alert.event_description_keyword.clone().into(),
        int(seen.map_or(0, |seen| seen.count)),
    ]);
    row.extend(when(|seen| seen.count_reset));
    row.extend([
        guid(alert.job.0),
        job.into(),
        Value::Int(methods),
        Value::Int(alert.flags),
        // In the old shape a WMI query stands where the performance condition does.
        if legacy {
            alert.performance_condition.clone().into()
        } else {
            unless_wmi(&alert.performance_condition)
        },
        Value::string(lookup::category_name(definitions, alert.category)?),
        if_wmi(&alert.database_name),
        if_wmi(&alert.performance_condition),
        Value::Int(kind),
    ]);
    Ok(row)
}

/// `sp_get_job_alerts`: alerts that a job answers.
pub(super) fn of_job(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    store.read(|definitions| {
        let job = lookup::job(call, definitions)?;
        let rows = definitions
            .alerts()?
            .into_iter()
            .filter(|alert| alert.job == job.id)
            .map(|alert| {
                vec![
                    int(alert.id),
                    Value::string(alert.name),
                    Value::Int(alert.message_id),
                    Value::Int(alert.severity),
                    flag(alert.enabled),
                ]
            })
            .collect();
        out.result(JOB_ALERTS, rows);
        Ok(())
    })
}

/// 14266's list of notification methods, checked: 1..=7.
pub(super) fn method(call: &Call<'_>) -> Result<i32> {
    call.int("@notification_method")
        .filter(|method| (1..=METHODS_ALL).contains(method))
        .ok_or_else(|| none_of("@notification_method", text(14208)).into())
}
