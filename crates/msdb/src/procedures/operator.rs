//! Operators: sp_add_operator, sp_update_operator, sp_delete_operator, sp_help_operator.

use crate::call::{Call, Output, Store};
use crate::convert::{flag, guid, int, ints_or_zero, tinyint};
use crate::declare::{HELP_OPERATOR_JOBS_JOBS, HELP_OPERATOR_OPERATORS};
use crate::error::Result;
use crate::lookup;
use crate::messages::{none_of, raise, taken, text, unknown};
use crate::post;
use crate::settings;
use catalog::{
    BuiltInCategory, CategoryClass, DefinitionsRead, DefinitionsWrite, OperatorNotice,
    SettingValue, TargetFilter, name_key,
};
use model::encoding::time_from_int;
use model::{MSX_OPERATOR, Operation, Operator, OperatorId};
use std::collections::BTreeMap;
use tsql::{Row, Value};

/// `sp_add_operator`
pub(super) fn add(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let mut operator = Operator {
            category: BuiltInCategory::UNCATEGORIZED_OPERATOR,
            enabled: true,
            ..Operator::default()
        };
        operator.name = checked_name(call, &*definitions, "@name", None)?;
        if is_msx(&operator.name) && definitions.enlistment()?.is_some() {
            return Err(not_here(&operator.name));
        }
        change(call, &*definitions, &mut operator)?;
        definitions.create_operator(&operator)?;
        Ok(())
    })
}

/// `sp_update_operator`
pub(super) fn update(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let mut operator = named(call, &*definitions)?;
        if is_msx(&operator.name) {
            if definitions.enlistment()?.is_some() {
                return Err(not_here(&operator.name));
            }
            if call.name("@new_name").is_some() {
                return Err(raise(14222, &[(&operator.name).into()]).into());
            }
        }
        if call.name("@new_name").is_some() {
            let name = checked_name(call, &*definitions, "@new_name", Some(operator.id))?;
            // The fail-safe operator stays it under its new name.
            if is_fail_safe(&*definitions, &operator.name)? {
                let value = SettingValue::Text(name.clone());
                definitions.set_setting(&fail_safe_key(), Some(&value))?;
            }
            operator.name = name;
        }
        change(call, &*definitions, &mut operator)?;
        definitions.update_operator(&operator)?;
        if is_msx(&operator.name) {
            reenlist_targets(call, definitions)?;
        }
        Ok(())
    })
}

/// Targets fetch MSXOperator again.
fn reenlist_targets(call: &Call<'_>, definitions: &mut dyn DefinitionsWrite) -> Result<()> {
    for target in definitions.targets(&TargetFilter::default())? {
        let instruction = post::about_server(call, Operation::ReEnlist);
        definitions.post_instruction(target.id, &instruction)?;
    }
    Ok(())
}

/// `sp_delete_operator`
pub(super) fn delete(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let operator = named(call, &*definitions)?;
        if is_msx(&operator.name) {
            if definitions.enlistment()?.is_some() {
                return Err(not_here(&operator.name));
            }
            if definitions.target_count()? > 0 {
                let role = "master server (MSX)";
                return Err(raise(14223, &[(&operator.name).into(), role.into()]).into());
            }
        }
        if is_fail_safe(&*definitions, &operator.name)? {
            let name = operator.name.as_str();
            return Err(raise(14504, &[name.into(), name.into()]).into());
        }
        let heir = heir(call, &*definitions, &operator)?;
        Ok(definitions.delete_operator(operator.id, heir)?)
    })
}

/// Who takes over what an operator is told. MSXOperator is for multiserver jobs, and the one that goes can take
/// nothing over: 14251.
fn heir(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    operator: &Operator,
) -> Result<Option<OperatorId>> {
    let Some(name) = call.name("@reassign_to_operator") else {
        return Ok(None);
    };
    let heir = definitions
        .operator_by_name(name)?
        .ok_or_else(|| unknown("@reassign_to_operator", name))?;
    if is_msx(&heir.name) || heir.id == operator.id {
        return Err(raise(14251, &[(&heir.name).into()]).into());
    }
    Ok(Some(heir.id))
}

/// `sp_help_operator`
pub(super) fn help(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let notices: BTreeMap<OperatorId, OperatorNotice> = call.runs(|runs| {
        Ok(runs
            .operator_notices()?
            .into_iter()
            .map(|notice| (notice.operator, notice))
            .collect())
    })?;
    store.read(|definitions| {
        let mut operators = match (call.int("@operator_id"), call.name("@operator_name")) {
            (None, None) => definitions.operators()?,
            (Some(_), Some(_)) => {
                let names = ["@operator_id".into(), "@operator_name".into()];
                return Err(raise(14524, &names).into());
            }
            (Some(id), None) => vec![
                definitions
                    .operator(OperatorId(id.into()))?
                    .ok_or_else(|| unknown("@operator_id", &id.to_string()))?,
            ],
            (None, Some(name)) => vec![
                definitions
                    .operator_by_name(name)?
                    .ok_or_else(|| unknown("@operator_name", name))?,
            ],
        };
        operators.sort_by_key(|operator| name_key(&operator.name));
        let mut rows = Vec::with_capacity(operators.len());
        for operator in &operators {
            let category = lookup::category_name(definitions, operator.category)?;
            rows.push(row(call, operator, notices.get(&operator.id), category));
        }
        out.result(HELP_OPERATOR_OPERATORS, rows);
        Ok(())
    })
}

fn row(
    call: &Call<'_>,
    operator: &Operator,
    notice: Option<&OperatorNotice>,
    category: String,
) -> Row {
    let told = |at: fn(&OperatorNotice) -> Option<jiff::Timestamp>| {
        let (date, time) = ints_or_zero(notice.and_then(at), &call.zone);
        [Value::Int(date), Value::Int(time)]
    };
    let mut row = vec![
        int(operator.id.0),
        Value::string(&*operator.name),
        flag(operator.enabled),
        operator.email_address.clone().into(),
    ];
    row.extend(told(|notice| notice.last_email));
    row.push(operator.pager_address.clone().into());
    row.extend(told(|notice| notice.last_pager));
    row.extend(
        [
            operator.weekday_pager_start_time,
            operator.weekday_pager_end_time,
            operator.saturday_pager_start_time,
            operator.saturday_pager_end_time,
            operator.sunday_pager_start_time,
            operator.sunday_pager_end_time,
        ]
        .map(Value::Int),
    );
    row.push(tinyint(operator.pager_days));
    row.push(operator.netsend_address.clone().into());
    row.extend(told(|notice| notice.last_netsend));
    row.push(Value::string(category));
    row
}

/// `sp_help_operator_jobs`
pub(super) fn help_jobs(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    store.read(|definitions| {
        let name = call.name("@operator_name").unwrap_or_default();
        let operator = definitions
            .operator_by_name(name)?
            .ok_or_else(|| unknown("@operator_name", name))?;
        let rows = definitions
            .jobs_notifying(operator.id)?
            .into_iter()
            .map(|job| {
                let level = |told: OperatorId, level: model::NotifyLevel| {
                    Value::Int(if told == operator.id { level.code() } else { 0 })
                };
                vec![
                    guid(job.id.0),
                    Value::string(&*job.name),
                    level(job.notify_email_operator, job.notify_level_email),
                    level(job.notify_netsend_operator, job.notify_level_netsend),
                    level(job.notify_page_operator, job.notify_level_page),
                ]
            })
            .collect();
        out.result(HELP_OPERATOR_JOBS_JOBS, rows);
        Ok(())
    })
}

/// `sp_notify_operator`: there is no mail system here yet, which is an error of its own (14603).
pub(super) fn notify(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.read(|definitions| {
        let by_id = match call.int("@id") {
            None => None,
            Some(id) => Some(
                definitions
                    .operator(OperatorId(id.into()))?
                    .ok_or_else(|| unknown("@id", &id.to_string()))?,
            ),
        };
        let by_name = match call.name("@name") {
            None => None,
            Some(name) => Some(
                definitions
                    .operator_by_name(name)?
                    .ok_or_else(|| unknown("@name", name))?,
            ),
        };
        let operator = match (by_id, by_name) {
            (None, None) => return Err(raise(14604, &["@id".into(), "@name".into()]).into()),
            (Some(a), Some(b)) if a.id != b.id => {
                return Err(raise(14605, &["@id".into(), "@name".into()]).into());
            }
            (Some(operator), _) | (None, Some(operator)) => operator,
        };
        let number = if !operator.enabled {
            14601
        } else if operator.email_address.is_none() {
            14602
        } else {
            14603
        };
        Err(raise(number, &[(&operator.name).into()]).into())
    })
}

fn fail_safe_key() -> String {
    settings::agent_key("AlertFailSafeOperator")
}

fn is_fail_safe(definitions: &dyn DefinitionsRead, name: &str) -> Result<bool> {
    let set = definitions.setting(&fail_safe_key())?;
    let set = set.as_ref().and_then(|value| value.as_text());
    Ok(set.is_some_and(|set| name_key(set) == name_key(name)))
}

fn is_msx(name: &str) -> bool {
    name_key(name) == name_key(MSX_OPERATOR)
}

fn not_here(name: &str) -> crate::error::Fault {
    raise(14223, &[name.into(), "target server (TSX)".into()]).into()
}

fn named(call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<Operator> {
    let name = call
        .name("@name")
        .ok_or_else(|| raise(14200, &["@name".into()]))?;
    definitions
        .operator_by_name(name)?
        .ok_or_else(|| unknown("@name", name).into())
}

fn checked_name(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    parameter: &str,
    but: Option<OperatorId>,
) -> Result<String> {
    let name = call
        .name(parameter)
        .ok_or_else(|| raise(14200, &[parameter.into()]))?;
    if name.contains('%') {
        return Err(raise(14289, &[parameter.into(), "%".into()]).into());
    }
    match definitions.operator_by_name(name)? {
        Some(other) if Some(other.id) != but => Err(taken(parameter, name).into()),
        _ => Ok(name.to_owned()),
    }
}

/// Puts the parameters into an operator; those that are NULL stay as they are.
fn change(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    operator: &mut Operator,
) -> Result<()> {
    if let Some(enabled) = lookup::flag(call, "@enabled")? {
        operator.enabled = enabled;
    }
    let addresses = [
        ("@email_address", &mut operator.email_address),
        ("@pager_address", &mut operator.pager_address),
        ("@netsend_address", &mut operator.netsend_address),
    ];
    for (parameter, address) in addresses {
        if let Some(given) = call.text(parameter) {
            *address = Some(given.trim().to_owned()).filter(|text| !text.is_empty());
        }
    }
    let times = [
        (
            "@weekday_pager_start_time",
            &mut operator.weekday_pager_start_time,
        ),
        (
            "@weekday_pager_end_time",
            &mut operator.weekday_pager_end_time,
        ),
        (
            "@saturday_pager_start_time",
            &mut operator.saturday_pager_start_time,
        ),
        (
            "@saturday_pager_end_time",
            &mut operator.saturday_pager_end_time,
        ),
        (
            "@sunday_pager_start_time",
            &mut operator.sunday_pager_start_time,
        ),
        (
            "@sunday_pager_end_time",
            &mut operator.sunday_pager_end_time,
        ),
    ];
    for (parameter, time) in times {
        if let Some(given) = call.int(parameter) {
            if time_from_int(given).is_none() {
                return Err(raise(14287, &[parameter.into(), "time".into()]).into());
            }
            *time = given;
        }
    }
    if let Some(days) = call.int("@pager_days") {
        if !(0..=127).contains(&days) {
            return Err(none_of("@pager_days", text(14209)).into());
        }
        operator.pager_days = days;
    }
    if let Some(name) = call.name("@category_name") {
        operator.category =
            lookup::category(definitions, CategoryClass::Operator, "@category_name", name)?.id;
    }
    Ok(())
}
