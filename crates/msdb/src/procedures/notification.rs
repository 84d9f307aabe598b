//! Which operator hears of which alert.

use super::alert::{method, named};
use crate::call::{Call, Output, Store};
use crate::convert::int;
use crate::declare::{Columns, NOTIFICATION_COLUMNS};
use crate::error::Result;
use crate::messages::{none_of, raise, taken, unknown};
use catalog::{DefinitionsRead, Notification, name_key};
use model::{MSX_OPERATOR, Operator};
use tsql::{Row, Value};

/// `sp_add_notification`
pub(super) fn add(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let notification = notification(call, &*definitions)?;
        let (alert, operator) = (notification.alert, notification.operator);
        if !definitions
            .notifications(Some(alert), Some(operator))?
            .is_empty()
        {
            return Err(taken(
                "@operator_name",
                call.name("@operator_name").unwrap_or_default(),
            )
            .into());
        }
        Ok(definitions.create_notification(&notification)?)
    })
}

/// `sp_update_notification`
pub(super) fn update(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let notification = notification(call, &*definitions)?;
        check_there(call, &*definitions, &notification)?;
        Ok(definitions.update_notification(&notification)?)
    })
}

/// `sp_delete_notification`
pub(super) fn delete(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let alert = named(call, &*definitions, "@alert_name")?;
        let operator = operator(call, &*definitions, "@operator_name")?;
        let notification = Notification {
            alert: alert.id,
            operator: operator.id,
            method: 0,
        };
        check_there(call, &*definitions, &notification)?;
        Ok(definitions.delete_notification(alert.id, operator.id)?)
    })
}

fn notification(call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<Notification> {
    let alert = named(call, definitions, "@alert_name")?;
    let operator = operator(call, definitions, "@operator_name")?;
    let method = method(call)?;
    // MSXOperator is for multiserver jobs.
    if name_key(&operator.name) == name_key(MSX_OPERATOR) {
        return Err(raise(14251, &[(&operator.name).into()]).into());
    }
    Ok(Notification {
        alert: alert.id,
        operator: operator.id,
        method,
    })
}

fn check_there(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    notification: &Notification,
) -> Result<()> {
    let there = definitions.notifications(Some(notification.alert), Some(notification.operator))?;
    if there.is_empty() {
        let name = call.name("@operator_name").unwrap_or_default();
        return Err(unknown("@operator_name", name).into());
    }
    Ok(())
}

fn operator(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    parameter: &str,
) -> Result<Operator> {
    let name = call
        .name(parameter)
        .ok_or_else(|| raise(14200, &[parameter.into()]))?;
    definitions
        .operator_by_name(name)?
        .ok_or_else(|| unknown(parameter, name).into())
}

/// Which rows are wanted.
enum Enumerated<'c> {
    /// Those with a notification.
    Actual,
    /// All, with or without.
    All,
    /// The one named.
    Target(&'c str),
}

fn enumerated<'c>(call: &'c Call<'_>) -> Result<Enumerated<'c>> {
    let target = call.name("@target_name");
    let word = call.name("@enum_type").unwrap_or_default().to_uppercase();
    match (word.as_str(), target) {
        ("TARGET", None) => Err(raise(14502, &[]).into()),
        ("TARGET", Some(name)) => Ok(Enumerated::Target(name)),
        ("ALL" | "ACTUAL", Some(_)) => Err(raise(14503, &[]).into()),
        ("ALL", None) => Ok(Enumerated::All),
        ("ACTUAL", None) => Ok(Enumerated::Actual),
        _ => Err(none_of("@enum_type", "ACTUAL, ALL, TARGET").into()),
    }
}

/// `sp_help_notification`: alerts of an operator, or operators of an alert. One method asked for shows that
/// method's two columns alone.
pub(super) fn help(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let alerts = match call
        .name("@object_type")
        .unwrap_or_default()
        .to_uppercase()
        .as_str()
    {
        "ALERTS" => true,
        "OPERATORS" => false,
        _ => return Err(none_of("@object_type", "ALERTS, OPERATORS").into()),
    };
    let enumerated = enumerated(call)?;
    let methods = shown_methods(call)?;
    store.read(|definitions| {
        let mut rows = Vec::new();
        let mut push = |id: i64, name: &str, operator: &Operator, used: Option<i32>| {
            let wanted = match enumerated {
                Enumerated::Actual => used.is_some(),
                Enumerated::All => true,
                Enumerated::Target(target) => name_key(target) == name_key(name),
            };
            if wanted {
                rows.push(row(id, name, operator, used.unwrap_or(0), &methods));
            }
        };
        if alerts {
            let operator = operator(call, definitions, "@name")?;
            let used = definitions.notifications(None, Some(operator.id))?;
            let mut alerts = definitions.alerts()?;
            alerts.sort_by_key(|alert| name_key(&alert.name));
            for alert in alerts {
                let method = used.iter().find(|n| n.alert == alert.id).map(|n| n.method);
                push(alert.id, &alert.name, &operator, method);
            }
        } else {
            let alert = named(call, definitions, "@name")?;
            let used = definitions.notifications(Some(alert.id), None)?;
            let mut operators = definitions.operators()?;
            operators.sort_by_key(|operator| name_key(&operator.name));
            for operator in operators {
                let method = used
                    .iter()
                    .find(|n| n.operator == operator.id)
                    .map(|n| n.method);
                push(operator.id.0, &operator.name, &operator, method);
            }
        }
        if let Enumerated::Target(target) = enumerated
            && rows.is_empty()
        {
            return Err(unknown("@target_name", target).into());
        }
        out.result(columns(alerts, &methods), rows);
        Ok(())
    })
}

/// The methods shown: 1, 2 or 4 alone, or all three for 7.
fn shown_methods(call: &Call<'_>) -> Result<Vec<i32>> {
    match call.int("@notification_method") {
        Some(one @ (1 | 2 | 4)) => Ok(vec![one]),
        Some(7) => Ok(vec![1, 2, 4]),
        _ => Err(none_of("@notification_method", "1, 2, 4, 7").into()),
    }
}

fn columns(alerts: bool, methods: &[i32]) -> Columns {
    let shape = match methods {
        [1] => 1,
        [2] => 2,
        [4] => 3,
        _ => 0,
    };
    NOTIFICATION_COLUMNS[usize::from(!alerts)][shape]
}

fn row(id: i64, name: &str, operator: &Operator, used: i32, methods: &[i32]) -> Row {
    let mut row = vec![int(id), Value::string(name)];
    row.extend(
        methods
            .iter()
            .map(|method| Value::Int(i32::from(used & method != 0))),
    );
    row.extend(methods.iter().map(|method| {
        let address = match method {
            1 => &operator.email_address,
            2 => &operator.pager_address,
            _ => &operator.netsend_address,
        };
        Value::Int(i32::from(address.is_some()))
    }));
    row
}
