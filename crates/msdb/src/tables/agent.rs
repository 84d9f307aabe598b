//! sqlagent_info, and two tables of older versions that hold nothing here.

use super::columns::{SQLAGENT_INFO, SYSCACHEDCREDENTIALS, SYSTASKIDS};
use super::{Rows, Scanner, Select, Table, msdb};
use crate::error::Result;
use tsql::Value;

/// The tables.
pub(super) const TABLES: &[Table] = &[
    msdb("sqlagent_info", SQLAGENT_INFO, &[], Select::Nobody, info),
    // Tasks were what jobs are, before version 7; no instance has any.
    msdb("systaskids", SYSTASKIDS, &[], Select::Nobody, nothing),
    // Logins are checked anew at each run; nothing is cached.
    msdb(
        "syscachedcredentials",
        SYSCACHEDCREDENTIALS,
        &[],
        Select::Nobody,
        nothing,
    ),
];

fn info(scan: &Scanner<'_>) -> Result<Rows> {
    let rows = scan
        .definitions
        .agent_info()?
        .into_iter()
        .map(|(attribute, value)| vec![Value::string(attribute), Value::string(value)])
        .collect();
    Ok(Rows::All(rows))
}

fn nothing(_scan: &Scanner<'_>) -> Result<Rows> {
    Ok(Rows::All(Vec::new()))
}
