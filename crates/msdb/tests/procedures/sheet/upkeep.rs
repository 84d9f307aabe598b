//! The tables against the vendored sheet: nothing of it is left untried.

use super::{
    Table, categories, history, job_help, jobs, jobschedules, jobservers, owners, runs, schedules,
    steps,
};
use std::collections::{BTreeMap, BTreeSet};

const SHEET: &str = include_str!("../../../facts/procedures.toml");

/// Every file's tables.
const ALL: &[&[Table]] = &[
    categories::TABLES,
    history::TABLES,
    owners::TABLES,
    job_help::TABLES,
    jobs::TABLES,
    jobservers::TABLES,
    jobschedules::TABLES,
    runs::TABLES,
    schedules::TABLES,
    steps::TABLES,
];

/// Procedures of the sheet whose tables are still to be written.
const WITHOUT: &[&str] = &[
    "sp_add_alert",
    "sp_add_notification",
    "sp_add_operator",
    "sp_add_proxy",
    "sp_add_targetservergroup",
    "sp_add_targetsvrgrp_member",
    "sp_cycle_agent_errorlog",
    "sp_delete_alert",
    "sp_delete_notification",
    "sp_delete_operator",
    "sp_delete_proxy",
    "sp_delete_targetserver",
    "sp_delete_targetservergroup",
    "sp_delete_targetsvrgrp_member",
    "sp_downloaded_row_limiter",
    "sp_enlist_tsx",
    "sp_enum_login_for_proxy",
    "sp_enum_proxy_for_subsystem",
    "sp_enum_sqlagent_subsystems",
    "sp_get_sqlagent_properties",
    "sp_grant_login_to_proxy",
    "sp_grant_proxy_to_subsystem",
    "sp_help_alert",
    "sp_help_downloadlist",
    "sp_help_notification",
    "sp_help_operator",
    "sp_help_operator_jobs",
    "sp_help_proxy",
    "sp_help_targetserver",
    "sp_help_targetservergroup",
    "sp_msx_defect",
    "sp_msx_enlist",
    "sp_msx_get_account",
    "sp_msx_set_account",
    "sp_multi_server_job_summary",
    "sp_notify_operator",
    "sp_post_msx_operation",
    "sp_resync_targetserver",
    "sp_revoke_login_from_proxy",
    "sp_revoke_proxy_from_subsystem",
    "sp_set_sqlagent_properties",
    "sp_sqlagent_check_msx_version",
    "sp_sqlagent_has_server_access",
    "sp_sqlagent_notify",
    "sp_sqlagent_probe_msx",
    "sp_target_server_summary",
    "sp_update_alert",
    "sp_update_notification",
    "sp_update_operator",
    "sp_update_proxy",
    "sp_update_targetservergroup",
    "xp_sqlagent_notify",
];

/// Procedures that act at once, also within a transaction that is rolled back: what they do lies in the runs file, or
/// is the agent's. docs/compatibility.md says so of each.
const AT_ONCE: &[&str] = &[
    "sp_delete_jobsteplog",
    "sp_purge_jobhistory",
    "sp_sqlagent_log_jobhistory",
];

/// Names of parameters in a call's text.
fn parameters(text: &str) -> BTreeSet<String> {
    let starts = text.match_indices('@').filter(|(at, _)| {
        // `@@ROWCOUNT` is none.
        !text[..*at].ends_with('@') && !text[at + 1..].starts_with('@')
    });
    starts
        .map(|(at, _)| {
            let rest = &text[at + 1..];
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            format!("@{}", rest[..end].to_lowercase())
        })
        .collect()
}

/// What is missing in the table of a procedure.
fn missing(name: &str, facts: &toml::Value, table: &Table) -> Vec<String> {
    let mut missing = Vec::new();
    let given: BTreeSet<String> = table
        .cases
        .iter()
        .flat_map(|case| parameters(case.given))
        .collect();
    for row in facts["params"].as_array().unwrap() {
        let parameter = row[0].as_str().unwrap().to_lowercase();
        let parameter = format!("@{}", parameter.trim_start_matches('@'));
        if !given.contains(&parameter) {
            missing.push(format!("{name}: no case gives {parameter}"));
        }
    }
    let raised: BTreeSet<i32> = table
        .cases
        .iter()
        .flat_map(|case| case.raises.into_iter().chain(case.says.iter().copied()))
        .collect();
    let absent: BTreeSet<i32> = table.absent.iter().map(|(number, _)| *number).collect();
    let related = facts.get("errors").and_then(toml::Value::as_array);
    let related: BTreeSet<i32> = related
        .into_iter()
        .flatten()
        .map(|number| i32::try_from(number.as_integer().unwrap()).unwrap())
        .collect();
    for number in &related {
        if !raised.contains(number) && !absent.contains(number) {
            missing.push(format!("{name}: no case raises {number}"));
        }
    }
    for number in absent {
        if raised.contains(&number) || !related.contains(&number) {
            missing.push(format!("{name}: {number} need not be listed as absent"));
        }
    }
    if !table.cases.iter().any(|case| case.raises.is_none()) {
        missing.push(format!("{name}: no case succeeds"));
    }
    if !table.cases.iter().any(|case| case.raises.is_some()) {
        missing.push(format!("{name}: no case fails"));
    }
    if table.cases.iter().all(|case| case.login == "sa") {
        missing.push(format!("{name}: sa alone calls it"));
    }
    missing
}

#[test]
fn every_procedure_parameter_and_error_of_the_sheet_is_tried() {
    let sheet: toml::Table = SHEET.parse().unwrap();
    let mut tables = BTreeMap::new();
    for table in ALL.iter().copied().flatten() {
        let before = tables.insert(table.procedure, table);
        assert!(before.is_none(), "{} has two tables", table.procedure);
    }
    let mut found = Vec::new();
    for (name, facts) in &sheet {
        match tables.get(name.as_str()) {
            Some(table) => found.extend(missing(name, facts, table)),
            None if WITHOUT.contains(&name.as_str()) => {}
            None => found.push(format!("{name}: no table")),
        }
    }
    let stale = WITHOUT.iter().filter(|name| tables.contains_key(*name));
    found.extend(stale.map(|name| format!("{name}: has a table by now")));
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn what_is_rolled_back_leaves_nothing_behind() {
    let tables = ALL.iter().copied().flatten();
    let wrong: Vec<String> = tables
        .filter(|table| !AT_ONCE.contains(&table.procedure))
        .flat_map(Table::rolled_back)
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
