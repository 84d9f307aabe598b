//! Users, roles and their members: sp_helpuser, sp_helprole, sp_helprolemember, sp_helpsrvrole, sp_helpsrvrolemember.

use super::padded;
use crate::call::{Call, Output, Store};
use crate::declare::{
    HELPDBFIXEDROLE, HELPROLE, HELPROLEMEMBER, HELPSRVROLE, HELPSRVROLEMEMBER, HELPUSER,
};
use crate::error::Result;
use crate::messages::raise;
use crate::rights::same;
use crate::system::{Role, database_roles, memberships, server_memberships, server_roles, users};
use crate::tables::Scanner;
use tsql::{Row, Value};

/// What each fixed server role is for.
const SERVER_ROLE_WORDS: &[(&str, &str)] = &[
    ("sysadmin", "System Administrators"),
    ("securityadmin", "Security Administrators"),
    ("serveradmin", "Server Administrators"),
    ("setupadmin", "Setup Administrators"),
    ("processadmin", "Process Administrators"),
    ("diskadmin", "Disk Administrators"),
    ("dbcreator", "Database Creators"),
    ("bulkadmin", "Bulk Insert Administrators"),
];

/// `sp_helpuser`
pub(in crate::procedures) fn helpuser(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let wanted = call.name("@name_in_db");
    let rows = store.read(|definitions| {
        let scan = call.scanner(definitions);
        let members = memberships(&scan)?;
        let mut rows: Vec<Row> = Vec::new();
        for user in users(&scan)? {
            if wanted.is_some_and(|wanted| !same(&user.name, wanted)) {
                continue;
            }
            let login = definitions.login_by_sid(&user.sid)?;
            let mut held: Vec<String> = members
                .iter()
                .filter(|(_, member)| same(member, &user.name))
                .map(|(role, _)| role.clone())
                .collect();
            if held.is_empty() {
                held.push("public".to_owned());
            }
            for role in held {
                rows.push(vec![
                    Value::string(&*user.name),
                    Value::String(role),
                    login
                        .as_ref()
                        .map_or(Value::Null, |login| Value::string(&*login.name)),
                    login
                        .as_ref()
                        .map_or(Value::Null, |login| Value::string(&*login.default_database)),
                    Value::string(&*user.schema),
                    padded(&user.id.to_string(), 10),
                    Value::Binary(user.sid.clone()),
                ]);
            }
        }
        Ok(rows)
    })?;
    if let (Some(wanted), true) = (wanted, rows.is_empty()) {
        return Err(raise(15198, &[wanted.into()]).into());
    }
    out.result(HELPUSER, rows);
    Ok(())
}

/// The roles of the current database that `@rolename` admits; 15409 when it names none.
fn wanted_roles(call: &Call<'_>, scan: &Scanner<'_>) -> Result<Vec<Role>> {
    let wanted = call.name("@rolename");
    let mut roles = database_roles(scan)?;
    roles.retain(|role| wanted.is_none_or(|wanted| same(&role.name, wanted)));
    match wanted {
        Some(wanted) if roles.is_empty() => Err(raise(15409, &[wanted.into()]).into()),
        _ => Ok(roles),
    }
}

/// `sp_helprole`
pub(in crate::procedures) fn helprole(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let roles = store.read(|definitions| wanted_roles(call, &call.scanner(definitions)))?;
    let rows = roles.into_iter().map(|role| {
        vec![
            Value::String(role.name),
            Value::Int(i32::try_from(role.id).unwrap_or(i32::MAX)),
            Value::Int(0),
        ]
    });
    out.result(HELPROLE, rows.collect());
    Ok(())
}

/// `sp_helprolemember`
pub(in crate::procedures) fn helprolemember(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let rows = store.read(|definitions| {
        let scan = call.scanner(definitions);
        let roles = wanted_roles(call, &scan)?;
        let (known, all) = (users(&scan)?, database_roles(&scan)?);
        let mut rows: Vec<Row> = Vec::new();
        for (role, member) in memberships(&scan)? {
            if !roles.iter().any(|known| same(&known.name, &role)) {
                continue;
            }
            let user = known.iter().find(|user| same(&user.name, &member));
            let nested = all.iter().find(|role| same(&role.name, &member));
            let sid = user
                .map(|user| user.sid.clone())
                .or_else(|| nested.and_then(|role| role.sid.clone()));
            rows.push(vec![
                Value::String(role),
                Value::String(member),
                sid.map_or(Value::Null, Value::Binary),
            ]);
        }
        Ok(rows)
    })?;
    out.result(HELPROLEMEMBER, rows);
    Ok(())
}

/// What each fixed role of a database is for.
const DATABASE_ROLE_WORDS: &[(&str, &str)] = &[
    ("db_owner", "DB Owners"),
    ("db_accessadmin", "DB Access Administrators"),
    ("db_securityadmin", "DB Security Administrators"),
    ("db_ddladmin", "DB DDL Administrators"),
    ("db_backupoperator", "DB Backup Operator"),
    ("db_datareader", "DB Data Reader"),
    ("db_datawriter", "DB Data Writer"),
    ("db_denydatareader", "DB Deny Data Reader"),
    ("db_denydatawriter", "DB Deny Data Writer"),
];

/// `sp_helpdbfixedrole`
pub(in crate::procedures) fn helpdbfixedrole(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let wanted = call.name("@rolename");
    let rows: Vec<Row> = DATABASE_ROLE_WORDS
        .iter()
        .filter(|(role, _)| wanted.is_none_or(|wanted| same(role, wanted)))
        .map(|(role, words)| vec![Value::string(*role), Value::string(*words)])
        .collect();
    if let (Some(wanted), true) = (wanted, rows.is_empty()) {
        return Err(raise(15412, &[wanted.into()]).into());
    }
    out.result(HELPDBFIXEDROLE, rows);
    Ok(())
}

/// 15412 unless a name is a server role's.
fn check_server_role(call: &Call<'_>, store: &mut Store<'_>, wanted: Option<&str>) -> Result<()> {
    let Some(wanted) = wanted else {
        return Ok(());
    };
    let roles = store.read(|definitions| server_roles(&call.scanner(definitions)))?;
    if roles.iter().any(|role| same(&role.name, wanted)) {
        return Ok(());
    }
    Err(raise(15412, &[wanted.into()]).into())
}

/// `sp_helpsrvrole`
pub(in crate::procedures) fn helpsrvrole(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let wanted = call.name("@srvrolename");
    check_server_role(call, store, wanted)?;
    let rows = SERVER_ROLE_WORDS
        .iter()
        .filter(|(role, _)| wanted.is_none_or(|wanted| same(role, wanted)))
        .map(|(role, words)| vec![Value::string(*role), Value::string(*words)]);
    out.result(HELPSRVROLE, rows.collect());
    Ok(())
}

/// `sp_helpsrvrolemember`
pub(in crate::procedures) fn helpsrvrolemember(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let wanted = call.name("@srvrolename");
    check_server_role(call, store, wanted)?;
    let members = store.read(|definitions| server_memberships(&call.scanner(definitions)))?;
    let rows = members
        .into_iter()
        .filter(|(role, _)| wanted.is_none_or(|wanted| same(role, wanted)))
        .map(|(role, login)| {
            vec![
                Value::String(role),
                Value::String(login.name),
                Value::Binary(login.sid),
            ]
        });
    out.result(HELPSRVROLEMEMBER, rows.collect());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::SERVER_ROLES;

    #[test]
    fn every_fixed_server_role_has_its_words() {
        let fixed = SERVER_ROLES.iter().filter(|role| **role != "public");
        let words: Vec<&str> = SERVER_ROLE_WORDS.iter().map(|(role, _)| *role).collect();
        assert_eq!(fixed.copied().collect::<Vec<_>>(), words);
    }
}
