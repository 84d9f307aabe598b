//! Who may do what, as older clients ask: sp_helplogins, sp_helprotect.

use super::padded;
use crate::call::{Call, Output, Store};
use crate::declare::{HELPLOGINS, HELPLOGINS_USERS, HELPROTECT};
use crate::error::Result;
use crate::messages::raise;
use crate::rights::{On, same};
use crate::system::seen_logins;
use catalog::{GrantClass, GrantState, Login, PrincipalKind};
use tsql::eval::split_name;
use tsql::{Row, Value};

/// `sp_helplogins`: logins, and their users and roles in every database.
pub(in crate::procedures) fn helplogins(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let pattern = call.name("@LoginNamePattern");
    let (logins, users) = store.read(|definitions| {
        let scan = call.scanner(definitions);
        if !scan.rights().may(On::Server, "ALTER ANY LOGIN")? {
            return Err(raise(15003, &["securityadmin".into()]).into());
        }
        let mut logins = seen_logins(&scan)?;
        logins.retain(|login| pattern.is_none_or(|name| same(name, &login.name)));
        let mut rows: Vec<Row> = Vec::new();
        let mut with_user: Vec<Vec<u8>> = Vec::new();
        for info in call.made().databases() {
            let members = definitions.role_members(&info.name)?;
            for login in &logins {
                let user = if login.sid == info.owner_sid {
                    Some("dbo".to_owned())
                } else {
                    definitions
                        .database_user_by_sid(&info.name, &login.sid)?
                        .filter(|user| user.kind == PrincipalKind::User)
                        .map(|user| user.name)
                };
                let Some(user) = user else {
                    continue;
                };
                with_user.push(login.sid.clone());
                let mut row = |name: &str, kind: &str| {
                    rows.push(vec![
                        Value::string(&*login.name),
                        Value::string(&*info.name),
                        Value::string(name),
                        padded(kind, 8),
                    ]);
                };
                if user == "dbo" {
                    row("db_owner", "MemberOf");
                }
                for member in members.iter().filter(|member| same(&member.member, &user)) {
                    row(&member.role, "MemberOf");
                }
                row(&user, "User");
            }
        }
        let login_row = |login: Login| {
            let known = with_user.contains(&login.sid);
            vec![
                Value::String(login.name),
                Value::Binary(login.sid),
                Value::String(login.default_database),
                Value::string("us_english"),
                padded(if known { "yes" } else { "NO" }, 5),
                padded("no", 7),
            ]
        };
        let logins: Vec<Row> = logins.into_iter().map(login_row).collect();
        Ok((logins, rows))
    })?;
    if let (Some(pattern), true) = (pattern, logins.is_empty()) {
        return Err(raise(15007, &[pattern.into()]).into());
    }
    out.result(HELPLOGINS, logins);
    out.result(HELPLOGINS_USERS, users);
    Ok(())
}

/// `sp_helprotect`: the permissions that were given and withheld in the current database.
pub(in crate::procedures) fn helprotect(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let mut parts = call.name("@name").map(split_name).unwrap_or_default();
    let wanted = parts.pop();
    let schema = parts.pop();
    let area = call.text("@permissionarea").unwrap_or_default();
    let (on_objects, on_statements) = (area.contains('o'), area.contains('s'));
    let fits = |filter: Option<&str>, value: &str| filter.is_none_or(|name| same(name, value));
    let rows: Vec<Row> = store.read(|definitions| {
        let scan = call.scanner(definitions);
        let mut rows = Vec::new();
        for grant in definitions.grants(call.database)? {
            let (owner, object, shown) = match grant.class {
                GrantClass::Object => (grant.schema.as_str(), grant.object.as_str(), on_objects),
                GrantClass::Database => (".", ".", on_statements),
                GrantClass::Schema
                | GrantClass::Principal
                | GrantClass::Type
                | GrantClass::Server
                | GrantClass::Login => continue,
            };
            let about = match &wanted {
                Some(name) if grant.class == GrantClass::Object => {
                    same(name, object) && fits(schema.as_deref(), owner)
                }
                Some(name) => same(name, &grant.permission),
                None => true,
            };
            let seen = grant.class == GrantClass::Database
                || scan
                    .rights()
                    .sees_object(call.database, &grant.schema, &grant.object)?;
            if !shown
                || !about
                || !seen
                || !fits(call.name("@username"), &grant.grantee)
                || !fits(call.name("@grantorname"), &grant.grantor)
            {
                continue;
            }
            let kind = match grant.state {
                GrantState::Granted => "Grant",
                GrantState::Grantable => "Grant_WGO",
                GrantState::Denied => "Deny",
            };
            let column = match (grant.class, grant.column.as_str()) {
                (GrantClass::Object, "") if has_columns(&grant.permission) => "(All+New)",
                (_, "") => ".",
                (_, column) => column,
            };
            rows.push(vec![
                Value::string(owner),
                Value::string(object),
                Value::string(&*grant.grantee),
                Value::string(&*grant.grantor),
                padded(kind, 10),
                Value::String(titled(&grant.permission)),
                Value::string(column),
            ]);
        }
        Ok(rows)
    })?;
    if rows.is_empty() {
        return Err(raise(15330, &[]).into());
    }
    out.result(HELPROTECT, rows);
    Ok(())
}

fn has_columns(permission: &str) -> bool {
    matches!(permission, "SELECT" | "UPDATE" | "REFERENCES")
}

/// `CREATE TABLE` as this procedure writes it: `Create Table`.
fn titled(permission: &str) -> String {
    let words = permission.split(' ').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{first}{}", rest.to_ascii_lowercase())
    });
    words.collect::<Vec<_>>().join(" ")
}
