//! What the caller may do: `fn_my_permissions` and HAS_PERMS_BY_NAME.

use super::objects::{Object, Origin, Scope, objects};
use crate::error::Result;
use crate::tables::Scanner;
use tsql::eval::split_name;
use tsql::{Row, Value};

/// Permissions on the server that mean something to Muster.
const ON_SERVER: &[&str] = &[
    "CONNECT SQL",
    "CREATE ANY DATABASE",
    "ALTER ANY LOGIN",
    "ALTER ANY CREDENTIAL",
    "VIEW ANY DATABASE",
    "VIEW ANY DEFINITION",
    "VIEW SERVER STATE",
    "ALTER SETTINGS",
    "CONTROL SERVER",
];
/// Permissions on a database.
const ON_DATABASE: &[&str] = &[
    "CREATE TABLE",
    "CREATE VIEW",
    "CREATE PROCEDURE",
    "CREATE FUNCTION",
    "CREATE ROLE",
    "CREATE SCHEMA",
    "ALTER ANY USER",
    "ALTER ANY ROLE",
    "CONNECT",
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "EXECUTE",
    "VIEW DATABASE STATE",
    "VIEW DEFINITION",
    "ALTER",
    "CONTROL",
];
/// Permissions on a table or view.
const ON_TABLE: &[&str] = &[
    "SELECT",
    "UPDATE",
    "REFERENCES",
    "INSERT",
    "DELETE",
    "VIEW DEFINITION",
    "ALTER",
    "TAKE OWNERSHIP",
    "CONTROL",
];
/// Permissions on a procedure or function.
const ON_ROUTINE: &[&str] = &[
    "EXECUTE",
    "VIEW DEFINITION",
    "ALTER",
    "TAKE OWNERSHIP",
    "CONTROL",
];

/// What a permission is about.
enum Securable {
    Server,
    Database(String),
    Object(Box<Object>),
}

/// The securable of a class and name; `None` when there is none, or none that the caller sees.
fn securable(
    scan: &Scanner<'_>,
    name: Option<&str>,
    class: Option<&str>,
) -> Result<Option<Securable>> {
    let class = class.unwrap_or("SERVER").to_ascii_uppercase();
    Ok(match (class.as_str(), name) {
        ("SERVER", _) => Some(Securable::Server),
        ("DATABASE", None) => Some(Securable::Database(scan.database.to_owned())),
        ("DATABASE", Some(name)) => {
            let name = split_name(name).pop().unwrap_or_default();
            let known = super::databases::all(scan);
            let known = known.into_iter().map(|info| info.name);
            let mut known = known.filter(|known| known.eq_ignore_ascii_case(&name));
            known.next().map(Securable::Database)
        }
        ("OBJECT", Some(name)) => {
            object_named(scan, name)?.map(|object| Securable::Object(Box::new(object)))
        }
        _ => None,
    })
}

/// An object of the statement's database by a name of one, two or three parts.
///
/// # Errors
/// What the catalog raises.
pub(crate) fn object_named(scan: &Scanner<'_>, name: &str) -> Result<Option<Object>> {
    let mut parts = split_name(name);
    let wanted = parts.pop().unwrap_or_default();
    let schema = parts.pop().filter(|schema| !schema.is_empty());
    let found = objects(scan, Scope::All, None)?;
    let same = |object: &Object| {
        object.name.eq_ignore_ascii_case(&wanted)
            && match &schema {
                Some(schema) => object.schema.eq_ignore_ascii_case(schema),
                None => matches!(object.schema.as_str(), "dbo" | "sys"),
            }
            || matches!(&object.origin, Origin::Temporary(table) if table.name.eq_ignore_ascii_case(&wanted))
    };
    Ok(found.into_iter().find(same))
}

/// The permissions of a securable that the caller has.
fn held(scan: &Scanner<'_>, securable: &Securable) -> Result<Vec<&'static str>> {
    let caller = scan.caller;
    let mine = |all: &'static [&'static str]| all.to_vec();
    match securable {
        Securable::Server if caller.sysadmin => Ok(mine(ON_SERVER)),
        Securable::Server => Ok(vec!["CONNECT SQL", "VIEW ANY DATABASE"]),
        Securable::Database(_) if caller.sysadmin => Ok(mine(ON_DATABASE)),
        Securable::Database(name) => {
            let user = scan.definitions.database_user_by_sid(name, &caller.sid)?;
            let Some(user) = user else {
                return Ok(vec!["CONNECT"]);
            };
            if scan
                .definitions
                .is_role_member(name, "db_owner", &user.name)?
            {
                return Ok(mine(ON_DATABASE));
            }
            Ok(vec!["CONNECT"])
        }
        Securable::Object(object) => {
            let all = if object.is_routine() {
                ON_ROUTINE
            } else {
                ON_TABLE
            };
            if caller.sysadmin {
                return Ok(mine(all));
            }
            let mut found = Vec::new();
            for permission in all {
                if may(scan, object, permission)? {
                    found.push(*permission);
                }
            }
            Ok(found)
        }
    }
}

fn may(scan: &Scanner<'_>, object: &Object, permission: &str) -> Result<bool> {
    let caller = scan.caller;
    match (&object.origin, permission) {
        (Origin::View(_) | Origin::Function(_), "SELECT") => Ok(true),
        (Origin::Declared(declared), "SELECT") => scan.may_select(declared.table),
        (Origin::Procedure(declared), "EXECUTE") => {
            caller.may_execute(scan.definitions, declared.procedure)
        }
        _ => {
            let granted =
                caller.granted(scan.definitions, scan.database, &object.name, permission)?;
            Ok(granted.unwrap_or(false))
        }
    }
}

/// `fn_my_permissions`: one row for each permission.
pub(super) fn my_permissions(
    scan: &Scanner<'_>,
    name: Option<&str>,
    class: Option<&str>,
) -> Result<Vec<Row>> {
    let Some(securable) = securable(scan, name, class)? else {
        return Ok(Vec::new());
    };
    let entity = match &securable {
        Securable::Server => "server".to_owned(),
        Securable::Database(_) => "database".to_owned(),
        Securable::Object(_) => name.unwrap_or_default().to_owned(),
    };
    let rows = held(scan, &securable)?.into_iter().map(|permission| {
        vec![
            Value::string(&*entity),
            Value::string(""),
            Value::string(permission),
        ]
    });
    Ok(rows.collect())
}

/// HAS_PERMS_BY_NAME: NULL when there is no such securable or permission, or it is not the caller's to know.
///
/// # Errors
/// What the catalog raises.
pub(crate) fn has_permission(
    scan: &Scanner<'_>,
    name: Option<&str>,
    class: Option<&str>,
    permission: &str,
) -> Result<Option<bool>> {
    let Some(securable) = securable(scan, name, class)? else {
        return Ok(None);
    };
    let held = held(scan, &securable)?;
    let wanted = permission.trim().to_ascii_uppercase();
    if wanted == "ANY" {
        return Ok(Some(!held.is_empty()));
    }
    let all = match &securable {
        Securable::Server => ON_SERVER,
        Securable::Database(_) => ON_DATABASE,
        Securable::Object(object) if object.is_routine() => ON_ROUTINE,
        Securable::Object(_) => ON_TABLE,
    };
    let known = all.contains(&wanted.as_str());
    // A sysadmin may do everything, also what Muster has no use for.
    if !known && !scan.caller.sysadmin {
        return Ok(None);
    }
    Ok(Some(
        scan.caller.sysadmin || held.contains(&wanted.as_str()),
    ))
}
