//! Users, roles and their members: sp_helpuser, sp_helprole, sp_helprolemember, sp_helpsrvrole, sp_helpsrvrolemember.

use super::padded;
use crate::call::{Call, Output, Store};
use crate::caller::SERVER_ROLES;
use crate::declare::{HELPROLE, HELPROLEMEMBER, HELPSRVROLE, HELPSRVROLEMEMBER, HELPUSER};
use crate::error::Result;
use crate::messages::raise;
use crate::system::{database_roles, role_id, server_memberships, server_role_id, users};
use catalog::name_key;
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

fn same(a: &str, b: &str) -> bool {
    name_key(a) == name_key(b)
}

/// `sp_helpuser`
pub(in crate::procedures) fn helpuser(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let wanted = call.name("@name_in_db");
    let rows = store.read(|definitions| {
        let scan = call.scanner(definitions);
        let members = definitions.role_members(call.database)?;
        let mut rows: Vec<Row> = Vec::new();
        for user in users(&scan)? {
            if wanted.is_some_and(|wanted| !same(&user.name, wanted)) {
                continue;
            }
            let login = definitions.login_by_sid(&user.sid)?;
            let mut held: Vec<String> = members
                .iter()
                .filter(|member| same(&member.member, &user.name))
                .map(|member| member.role.clone())
                .collect();
            if user.id == 1 {
                held.push("db_owner".to_owned());
            }
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
                    Value::string(if user.id == 2 { "guest" } else { "dbo" }),
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
fn wanted_roles(call: &Call<'_>) -> Result<Vec<&'static str>> {
    let wanted = call.name("@rolename");
    let roles: Vec<&str> = database_roles(call.database)
        .filter(|role| wanted.is_none_or(|wanted| same(role, wanted)))
        .collect();
    match wanted {
        Some(wanted) if roles.is_empty() => Err(raise(15409, &[wanted.into()]).into()),
        _ => Ok(roles),
    }
}

/// `sp_helprole`
pub(in crate::procedures) fn helprole(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let rows = wanted_roles(call)?.into_iter().map(|role| {
        vec![
            Value::string(role),
            Value::Int(role_id(role)),
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
    let roles = wanted_roles(call)?;
    let rows = store.read(|definitions| {
        let known = users(&call.scanner(definitions))?;
        let mut rows: Vec<Row> = Vec::new();
        let mut push = |role: &str, member: &str| {
            let user = known.iter().find(|user| same(&user.name, member));
            if roles.iter().any(|known| same(known, role)) {
                rows.push(vec![
                    Value::string(role),
                    Value::string(member),
                    user.map_or(Value::Null, |user| Value::Binary(user.sid.clone())),
                ]);
            }
        };
        push("db_owner", "dbo");
        for member in definitions.role_members(call.database)? {
            push(&member.role, &member.member);
        }
        Ok(rows)
    })?;
    out.result(HELPROLEMEMBER, rows);
    Ok(())
}

/// 15412 unless a name is a fixed server role's.
fn check_server_role(wanted: Option<&str>) -> Result<()> {
    match wanted {
        Some(wanted) if server_role_id(wanted).is_none() => {
            Err(raise(15412, &[wanted.into()]).into())
        }
        _ => Ok(()),
    }
}

/// `sp_helpsrvrole`
pub(in crate::procedures) fn helpsrvrole(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let wanted = call.name("@srvrolename");
    check_server_role(wanted)?;
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
    check_server_role(wanted)?;
    let members = store.read(|definitions| server_memberships(&call.scanner(definitions)))?;
    let rows = members.into_iter().filter_map(|(id, login)| {
        let role = SERVER_ROLES
            .iter()
            .find(|role| server_role_id(role) == Some(id))?;
        let admitted = wanted.is_none_or(|wanted| same(role, wanted));
        admitted.then(|| {
            vec![
                Value::string(*role),
                Value::String(login.name),
                Value::Binary(login.sid),
            ]
        })
    });
    out.result(HELPSRVROLEMEMBER, rows.collect());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fixed_server_role_has_its_words() {
        let fixed = SERVER_ROLES.iter().filter(|role| **role != "public");
        let words: Vec<&str> = SERVER_ROLE_WORDS.iter().map(|(role, _)| *role).collect();
        assert_eq!(fixed.copied().collect::<Vec<_>>(), words);
    }
}
