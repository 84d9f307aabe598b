//! UPDATE and DELETE of msdb's tables, as the procedures that make the same change: what sysadmins' scripts do.
//!
//! The procedures keep what the tables promise: checks, versions, and the instructions of a master to its targets.

use crate::call::Store;
use crate::error::Result;
use crate::messages::raise;
use crate::procedures::download_marks;
use crate::system::{self, View};
use catalog::DefinitionsRead;
use engine::host::{RowChange, TableDecl};
use model::{CategoryId, OperatorId};
use tsql::{SqlError, Value, fault};

/// A table that may be changed.
struct Changed {
    table: &'static str,
    /// What names the row: the column, and the parameter of the procedures.
    key: (&'static [&'static str], &'static [&'static str]),
    /// The procedure of an UPDATE, and the parameters of the columns that it may name.
    update: (&'static str, &'static [(&'static str, Way)]),
    /// The procedure of a DELETE; none where rows are not deleted this way.
    delete: Option<&'static str>,
}

/// How a column's value becomes a parameter's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As it is, under this name.
    Plain(&'static str),
    /// The name of a category.
    Category(&'static str),
    /// The name of an operator.
    Operator(&'static str),
    /// The name of a login.
    Login(&'static str),
}

use Way::{Category, Login, Operator, Plain};

/// The tables, by their names.
const CHANGED: &[Changed] = &[
    Changed {
        table: "sysalerts",
        key: (&["name"], &["@name"]),
        update: (
            "sp_update_alert",
            &[
                ("name", Plain("@new_name")),
                ("enabled", Plain("@enabled")),
                ("message_id", Plain("@message_id")),
                ("severity", Plain("@severity")),
                ("delay_between_responses", Plain("@delay_between_responses")),
                ("notification_message", Plain("@notification_message")),
                (
                    "include_event_description",
                    Plain("@include_event_description_in"),
                ),
                ("database_name", Plain("@database_name")),
                (
                    "event_description_keyword",
                    Plain("@event_description_keyword"),
                ),
                ("occurrence_count", Plain("@occurrence_count")),
                ("performance_condition", Plain("@performance_condition")),
                ("category_id", Category("@category_name")),
            ],
        ),
        delete: Some("sp_delete_alert"),
    },
    Changed {
        table: "sysjobs",
        key: (&["job_id"], &["@job_id"]),
        update: (
            "sp_update_job",
            &[
                ("name", Plain("@new_name")),
                ("enabled", Plain("@enabled")),
                ("description", Plain("@description")),
                ("start_step_id", Plain("@start_step_id")),
                ("category_id", Category("@category_name")),
                ("owner_sid", Login("@owner_login_name")),
                ("notify_level_eventlog", Plain("@notify_level_eventlog")),
                ("notify_level_email", Plain("@notify_level_email")),
                ("notify_level_netsend", Plain("@notify_level_netsend")),
                ("notify_level_page", Plain("@notify_level_page")),
                (
                    "notify_email_operator_id",
                    Operator("@notify_email_operator_name"),
                ),
                (
                    "notify_netsend_operator_id",
                    Operator("@notify_netsend_operator_name"),
                ),
                (
                    "notify_page_operator_id",
                    Operator("@notify_page_operator_name"),
                ),
                ("delete_level", Plain("@delete_level")),
            ],
        ),
        delete: Some("sp_delete_job"),
    },
    Changed {
        table: "sysjobsteps",
        key: (&["job_id", "step_id"], &["@job_id", "@step_id"]),
        update: (
            "sp_update_jobstep",
            &[
                ("step_name", Plain("@step_name")),
                ("subsystem", Plain("@subsystem")),
                ("command", Plain("@command")),
                ("flags", Plain("@flags")),
                ("cmdexec_success_code", Plain("@cmdexec_success_code")),
                ("on_success_action", Plain("@on_success_action")),
                ("on_success_step_id", Plain("@on_success_step_id")),
                ("on_fail_action", Plain("@on_fail_action")),
                ("on_fail_step_id", Plain("@on_fail_step_id")),
                ("server", Plain("@server")),
                ("database_name", Plain("@database_name")),
                ("database_user_name", Plain("@database_user_name")),
                ("retry_attempts", Plain("@retry_attempts")),
                ("retry_interval", Plain("@retry_interval")),
                ("os_run_priority", Plain("@os_run_priority")),
                ("output_file_name", Plain("@output_file_name")),
                ("proxy_id", Plain("@proxy_id")),
            ],
        ),
        delete: Some("sp_delete_jobstep"),
    },
    Changed {
        table: "sysoperators",
        key: (&["name"], &["@name"]),
        update: (
            "sp_update_operator",
            &[
                ("name", Plain("@new_name")),
                ("enabled", Plain("@enabled")),
                ("email_address", Plain("@email_address")),
                ("pager_address", Plain("@pager_address")),
                (
                    "weekday_pager_start_time",
                    Plain("@weekday_pager_start_time"),
                ),
                ("weekday_pager_end_time", Plain("@weekday_pager_end_time")),
                ("pager_days", Plain("@pager_days")),
                ("netsend_address", Plain("@netsend_address")),
                ("category_id", Category("@category_name")),
            ],
        ),
        delete: Some("sp_delete_operator"),
    },
    Changed {
        table: "sysschedules",
        key: (&["schedule_id"], &["@schedule_id"]),
        update: (
            "sp_update_schedule",
            &[
                ("name", Plain("@new_name")),
                ("enabled", Plain("@enabled")),
                ("freq_type", Plain("@freq_type")),
                ("freq_interval", Plain("@freq_interval")),
                ("freq_subday_type", Plain("@freq_subday_type")),
                ("freq_subday_interval", Plain("@freq_subday_interval")),
                ("freq_relative_interval", Plain("@freq_relative_interval")),
                ("freq_recurrence_factor", Plain("@freq_recurrence_factor")),
                ("active_start_date", Plain("@active_start_date")),
                ("active_end_date", Plain("@active_end_date")),
                ("active_start_time", Plain("@active_start_time")),
                ("active_end_time", Plain("@active_end_time")),
                ("owner_sid", Login("@owner_login_name")),
            ],
        ),
        delete: Some("sp_delete_schedule"),
    },
    Changed {
        table: "systargetservers",
        key: (&["server_name"], &["@server_name"]),
        update: ("", &[]),
        delete: Some("sp_delete_targetserver"),
    },
];

fn changed(table: &TableDecl) -> Option<&'static Changed> {
    let found = CHANGED.iter().find(|changed| changed.table == table.name);
    found.filter(|_| table.database == "msdb")
}

/// Whether a sysadmin may make such a change: of these columns, or of whole rows.
///
/// # Errors
/// 229 for anybody else, 40517 for a table or column that is not changed this way.
pub(crate) fn check(
    sysadmin: bool,
    table: &TableDecl,
    columns: Option<&[usize]>,
) -> std::result::Result<(), SqlError> {
    let verb = if columns.is_some() {
        "UPDATE"
    } else {
        "DELETE"
    };
    if !sysadmin {
        let fault = raise(
            229,
            &[
                verb.into(),
                table.name.into(),
                table.database.into(),
                table.schema.into(),
            ],
        );
        return Err(fault);
    }
    let whole = || {
        format!(
            "{verb} of {}.{}.{}",
            table.database, table.schema, table.name
        )
    };
    if download_marks::is_mark(table, columns) {
        return Ok(());
    }
    let Some(changed) = changed(table) else {
        // Of no rows, every one can be changed.
        if system::other_table(table.name).is_some_and(View::is_empty) {
            return Ok(());
        }
        return Err(fault::not_supported(&whole()));
    };
    let Some(columns) = columns else {
        return match changed.delete {
            Some(_) => Ok(()),
            None => Err(fault::not_supported(&whole())),
        };
    };
    for at in columns {
        let name = table.columns[*at].name.as_str();
        if !changed.update.1.iter().any(|(column, _)| *column == name) {
            return Err(fault::not_supported(&format!("{}.{name}", whole())));
        }
    }
    Ok(())
}

/// The procedure that makes a change, and its arguments.
///
/// # Errors
/// 14262 for a category, operator or login that is not there.
pub(crate) fn call(
    store: &mut Store<'_>,
    table: &TableDecl,
    change: &RowChange<'_>,
) -> Result<(&'static str, Vec<(&'static str, Value)>)> {
    let changed = changed(table).ok_or_else(|| {
        fault::not_supported(&format!("a change of {}.{}", table.schema, table.name))
    })?;
    let old = |name: &str| {
        let columns = table.columns.iter().zip(change.old);
        let found = columns.into_iter().find(|(column, _)| column.name == name);
        found.map_or(Value::Null, |(_, value)| value.clone())
    };
    let keys = changed.key.0.iter().zip(changed.key.1);
    let mut arguments: Vec<(&'static str, Value)> = keys
        .map(|(column, parameter)| (*parameter, old(column)))
        .collect();
    let Some((columns, values)) = change.new else {
        if changed.table == "systargetservers" {
            // The row goes; the target is not told.
            arguments.push(("@post_defection", Value::Bit(false)));
        }
        return Ok((changed.delete.unwrap_or_default(), arguments));
    };
    store.read(|definitions| {
        for (at, value) in columns.iter().zip(values) {
            let name = table.columns[*at].name.as_str();
            let way = changed.update.1.iter().find(|(column, _)| *column == name);
            let Some((_, way)) = way else { continue };
            // NULL leaves a parameter as it is; an empty text is what takes a value away.
            let value = match (value, table.columns[*at].ty.is_string()) {
                (Value::Null, true) => &Value::string(""),
                (Value::Null, false) if !old(name).is_null() => {
                    return Err(
                        fault::not_supported(&format!("NULL into {}.{name}", table.name)).into(),
                    );
                }
                (value, _) => value,
            };
            arguments.push(argument(definitions, *way, value)?);
        }
        Ok(())
    })?;
    Ok((changed.update.0, arguments))
}

fn argument(
    definitions: &dyn DefinitionsRead,
    way: Way,
    value: &Value,
) -> Result<(&'static str, Value)> {
    let number = value.as_i64();
    let missing = |name: &str, shown: String| -> Result<Value> {
        Err(crate::messages::unknown(name, &shown).into())
    };
    Ok(match way {
        Plain(parameter) => (parameter, value.clone()),
        Category(parameter) => {
            let id = CategoryId(number.unwrap_or(0));
            let found = definitions.category(id)?;
            let name = match found {
                Some(category) => Value::String(category.name),
                None => missing("category_id", id.0.to_string())?,
            };
            (parameter, name)
        }
        Operator(parameter) => {
            let id = OperatorId(number.unwrap_or(0));
            let name = match definitions.operator(id)? {
                Some(operator) => Value::String(operator.name),
                // 0 is nobody.
                None if id.0 == 0 => Value::string(""),
                None => missing("operator_id", id.0.to_string())?,
            };
            (parameter, name)
        }
        Login(parameter) => {
            let sid = if let Value::Binary(sid) = value {
                sid.as_slice()
            } else {
                &[]
            };
            let name = match definitions.login_by_sid(sid)? {
                Some(login) => Value::String(login.name),
                None => missing("owner_sid", format!("0x{}", hex(sid)))?,
            };
            (parameter, name)
        }
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{CHANGED, Way};
    use crate::declare::procedures;
    use crate::tables::tables;

    #[test]
    fn columns_and_parameters_are_there() {
        for changed in CHANGED {
            let table = tables()
                .get(&("msdb", "dbo", changed.table.to_owned()))
                .unwrap_or_else(|| panic!("{}", changed.table));
            let has = |name: &str| table.decl.columns.iter().any(|column| column.name == name);
            let takes = |procedure: &str, parameter: &str| {
                let params = procedures()[procedure].procedure.params;
                params.iter().any(|known| known.name == parameter)
            };
            for column in changed.key.0 {
                assert!(has(column), "{}.{column}", changed.table);
            }
            let (update, columns) = changed.update;
            let procedures = changed
                .delete
                .into_iter()
                .chain((!update.is_empty()).then_some(update));
            for procedure in procedures {
                for parameter in changed.key.1 {
                    assert!(takes(procedure, parameter), "{procedure} {parameter}");
                }
            }
            for (column, way) in columns {
                let (Way::Plain(parameter)
                | Way::Category(parameter)
                | Way::Operator(parameter)
                | Way::Login(parameter)) = way;
                assert!(has(column), "{}.{column}", changed.table);
                assert!(takes(update, parameter), "{update} {parameter}");
            }
        }
    }
}
