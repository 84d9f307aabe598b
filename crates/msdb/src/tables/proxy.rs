//! sysproxies, sysproxylogin, sysproxysubsystem, syssubsystems: sysadmin only.

use super::columns::{SYSPROXIES, SYSPROXYLOGIN, SYSPROXYSUBSYSTEM, SYSSUBSYSTEMS};
use super::{Rows, Scanner, Select, Table, msdb};
use crate::caller::MSDB_ROLES;
use crate::convert::{datetime, flag, int};
use crate::error::Result;
use crate::subsystems;
use crate::system::role_id;
use tsql::Value;

/// The tables.
pub(super) const TABLES: &[Table] = &[
    msdb(
        "sysproxies",
        SYSPROXIES,
        &["proxy_id", "name"],
        Select::Nobody,
        proxies,
    ),
    msdb(
        "sysproxylogin",
        SYSPROXYLOGIN,
        &["proxy_id"],
        Select::Nobody,
        logins,
    ),
    msdb(
        "sysproxysubsystem",
        SYSPROXYSUBSYSTEM,
        &["proxy_id"],
        Select::Nobody,
        proxy_subsystems,
    ),
    msdb(
        "syssubsystems",
        SYSSUBSYSTEMS,
        &[],
        Select::Nobody,
        all_subsystems,
    ),
];

fn proxies(scan: &Scanner<'_>) -> Result<Rows> {
    let definitions = scan.definitions;
    let sought = if let Some(id) = scan.number("proxy_id") {
        definitions.proxy(id)?.into_iter().collect()
    } else if let Some(name) = scan.text("name") {
        definitions.proxy_by_name(name)?.into_iter().collect()
    } else {
        definitions.proxies()?
    };
    let mut rows = Vec::with_capacity(sought.len());
    for proxy in sought {
        let made = definitions
            .credential(proxy.credential_id)?
            .map_or(scan.now, |credential| credential.created);
        rows.push(vec![
            int(proxy.id),
            Value::string(proxy.name),
            int(proxy.credential_id),
            flag(proxy.enabled),
            proxy.description.into(),
            Value::Binary(proxy.user_sid),
            datetime(made, &scan.zone),
        ]);
    }
    Ok(Rows::All(rows))
}

fn logins(scan: &Scanner<'_>) -> Result<Rows> {
    let rows = scan
        .definitions
        .proxy_logins(scan.number("proxy_id"))?
        .into_iter()
        .map(|grant| {
            let role = MSDB_ROLES
                .iter()
                .any(|role| role.eq_ignore_ascii_case(&grant.name));
            vec![
                int(grant.proxy),
                Value::Binary(grant.sid),
                if role {
                    Value::Int(role_id(&grant.name))
                } else {
                    Value::Null
                },
                Value::Int(grant.flags),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}

fn proxy_subsystems(scan: &Scanner<'_>) -> Result<Rows> {
    let rows = scan
        .definitions
        .proxy_subsystems(scan.number("proxy_id"))?
        .into_iter()
        .map(|grant| vec![int(grant.subsystem), int(grant.proxy)])
        .collect();
    Ok(Rows::All(rows))
}

fn all_subsystems(scan: &Scanner<'_>) -> Result<Rows> {
    let rows = subsystems::known(scan.definitions)?
        .into_iter()
        .map(|subsystem| {
            vec![
                int(subsystem.id),
                Value::string(subsystem.name),
                subsystem.description_id.into(),
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                subsystem.max_worker_threads.into(),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}
