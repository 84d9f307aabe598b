//! sysalerts, sysoperators, sysnotifications.

use super::columns::{SYSALERTS, SYSNOTIFICATIONS, SYSOPERATORS};
use super::{Rows, Scanner, Select, Table, msdb};
use crate::convert::{flag, guid, int, ints_or_zero, tinyint};
use crate::error::Result;
use catalog::{Alert, AlertOccurrence, OperatorNotice};
use jiff::Timestamp;
use model::OperatorId;
use std::collections::BTreeMap;
use tsql::{Row, Value};

/// The tables.
pub(super) const TABLES: &[Table] = &[
    msdb(
        "sysalerts",
        SYSALERTS,
        &["id", "name"],
        Select::Nobody,
        alerts,
    ),
    msdb(
        "sysoperators",
        SYSOPERATORS,
        &["id", "name"],
        Select::Agent,
        operators,
    ),
    msdb(
        "sysnotifications",
        SYSNOTIFICATIONS,
        &["alert_id", "operator_id"],
        Select::Nobody,
        notifications,
    ),
];

fn when(scan: &Scanner<'_>, instant: Option<Timestamp>) -> [Value; 2] {
    let (date, time) = ints_or_zero(instant, &scan.zone);
    [Value::Int(date), Value::Int(time)]
}

fn alerts(scan: &Scanner<'_>) -> Result<Rows> {
    let definitions = scan.definitions;
    let sought = if let Some(id) = scan.number("id") {
        definitions.alert(id)?.into_iter().collect()
    } else if let Some(name) = scan.text("name") {
        definitions.alert_by_name(name)?.into_iter().collect()
    } else {
        definitions.alerts()?
    };
    let seen: BTreeMap<i64, AlertOccurrence> = scan.runs(|runs| {
        Ok(runs
            .alert_occurrences()?
            .into_iter()
            .map(|occurrence| (occurrence.alert, occurrence))
            .collect())
    })?;
    let mut methods: BTreeMap<i64, i32> = BTreeMap::new();
    for notification in definitions.notifications(None, None)? {
        *methods.entry(notification.alert).or_default() |= notification.method;
    }
    let unseen = AlertOccurrence::default();
    let rows = sought
        .iter()
        .map(|alert| {
            let seen = seen.get(&alert.id).unwrap_or(&unseen);
            let methods = methods.get(&alert.id).copied().unwrap_or(0);
            alert_row(scan, alert, seen, methods)
        })
        .collect();
    Ok(Rows::All(rows))
}

fn alert_row(scan: &Scanner<'_>, alert: &Alert, seen: &AlertOccurrence, methods: i32) -> Row {
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
    row.extend(when(scan, seen.last_occurrence));
    row.extend(when(scan, seen.last_response));
    row.extend([
        alert.notification_message.clone().into(),
        tinyint(alert.include_event_description),
        alert.database_name.clone().into(),
        alert.event_description_keyword.clone().into(),
        int(seen.count),
    ]);
    row.extend(when(scan, seen.count_reset));
    row.extend([
        guid(alert.job.0),
        Value::Int(methods),
        Value::Int(alert.flags),
        alert.performance_condition.clone().into(),
        int(alert.category.0),
    ]);
    row
}

fn operators(scan: &Scanner<'_>) -> Result<Rows> {
    let definitions = scan.definitions;
    let sought = if let Some(id) = scan.number("id") {
        definitions.operator(OperatorId(id))?.into_iter().collect()
    } else if let Some(name) = scan.text("name") {
        definitions.operator_by_name(name)?.into_iter().collect()
    } else {
        definitions.operators()?
    };
    let notices: BTreeMap<OperatorId, OperatorNotice> = scan.runs(|runs| {
        Ok(runs
            .operator_notices()?
            .into_iter()
            .map(|notice| (notice.operator, notice))
            .collect())
    })?;
    let rows = sought
        .into_iter()
        .map(|operator| {
            let notice = notices.get(&operator.id);
            let mut row = vec![
                int(operator.id.0),
                Value::string(operator.name),
                flag(operator.enabled),
                operator.email_address.into(),
            ];
            row.extend(when(scan, notice.and_then(|notice| notice.last_email)));
            row.push(operator.pager_address.into());
            row.extend(when(scan, notice.and_then(|notice| notice.last_pager)));
            row.extend([
                Value::Int(operator.weekday_pager_start_time),
                Value::Int(operator.weekday_pager_end_time),
                Value::Int(operator.saturday_pager_start_time),
                Value::Int(operator.saturday_pager_end_time),
                Value::Int(operator.sunday_pager_start_time),
                Value::Int(operator.sunday_pager_end_time),
                tinyint(operator.pager_days),
                operator.netsend_address.into(),
            ]);
            row.extend(when(scan, notice.and_then(|notice| notice.last_netsend)));
            row.push(int(operator.category.0));
            row
        })
        .collect();
    Ok(Rows::All(rows))
}

fn notifications(scan: &Scanner<'_>) -> Result<Rows> {
    let alert = scan.number("alert_id");
    let operator = scan.number("operator_id").map(OperatorId);
    let rows = scan
        .definitions
        .notifications(alert, operator)?
        .into_iter()
        .map(|row| vec![int(row.alert), int(row.operator.0), tinyint(row.method)])
        .collect();
    Ok(Rows::All(rows))
}
