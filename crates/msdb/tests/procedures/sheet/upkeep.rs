//! The tables against the vendored sheet: nothing of it is left untried.

use super::{
    Table, agent, alerts, categories, downloads, enlistments, history, job_help, jobs,
    jobschedules, jobservers, notifications, operators, owners, proxies, runs, schedules, steps,
    targets,
};
use std::collections::{BTreeMap, BTreeSet};

const SHEET: &str = include_str!("../../../facts/procedures.toml");

/// Every file's tables.
const ALL: &[&[Table]] = &[
    agent::TABLES,
    alerts::TABLES,
    categories::TABLES,
    downloads::TABLES,
    enlistments::TABLES,
    history::TABLES,
    job_help::TABLES,
    jobs::TABLES,
    jobschedules::TABLES,
    jobservers::TABLES,
    notifications::TABLES,
    operators::TABLES,
    owners::TABLES,
    proxies::TABLES,
    runs::TABLES,
    schedules::TABLES,
    steps::TABLES,
    targets::TABLES,
];

/// Procedures that never succeed: there is no mail system.
const NEVER: &[&str] = &["sp_notify_operator"];

/// Procedures that act at once, also within a transaction that is rolled back: what they do lies in the runs file, or
/// is the agent's. docs/compatibility.md says so of each.
const AT_ONCE: &[&str] = &[
    "sp_delete_jobsteplog",
    "sp_purge_jobhistory",
    "sp_sqlagent_log_jobhistory",
    "sp_sqlagent_probe_msx",
    "sp_update_alert",
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
    if !NEVER.contains(&name) && !table.cases.iter().any(|case| case.raises.is_none()) {
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
            None => found.push(format!("{name}: no table")),
        }
    }
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
