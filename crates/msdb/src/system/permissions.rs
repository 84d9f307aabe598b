//! What the caller may do: `fn_my_permissions`, `fn_builtin_permissions` and HAS_PERMS_BY_NAME.

use super::objects::{Object, Origin, Scope, objects};
use crate::error::Result;
use crate::rights::{BUILTIN, Class, On, covering, of_class, same};
use crate::tables::Scanner;
use tsql::eval::split_name;
use tsql::{Row, Value};

/// What a permission is about.
enum Securable {
    Server,
    Login(String),
    ServerRole(String),
    Database(String),
    Schema(String),
    User(String),
    Role(String),
    Type(String, String),
    Object(Box<Object>),
}

impl Securable {
    fn on<'s>(&'s self, here: &'s str, column: Option<&'s str>) -> On<'s> {
        match self {
            Self::Server => On::Server,
            Self::Login(name) => On::Login(name),
            Self::ServerRole(name) => On::ServerRole(name),
            Self::Database(name) => On::Database(name),
            Self::Schema(name) => On::Schema(here, name),
            Self::User(name) => On::User(here, name),
            Self::Role(name) => On::Role(here, name),
            Self::Type(schema, name) => On::Type(here, schema, name),
            Self::Object(object) => On::Object(here, &object.schema, &object.name, column),
        }
    }
}

/// The securable of a class and name; `None` when there is none, or none that the caller sees.
fn securable(
    scan: &Scanner<'_>,
    name: Option<&str>,
    class: Option<&str>,
) -> Result<Option<Securable>> {
    let Some(class) = Class::named(class.unwrap_or("SERVER").trim()) else {
        return Ok(None);
    };
    let last = || {
        let parts = name.map(split_name).unwrap_or_default();
        parts.last().cloned().unwrap_or_default()
    };
    Ok(match (class, name) {
        (Class::Server, _) => Some(Securable::Server),
        (Class::Database, None) => Some(Securable::Database(scan.database.to_owned())),
        (_, None) => None,
        (Class::Database, Some(_)) => {
            let known = super::databases::all(scan);
            let known = known.into_iter().map(|info| info.name);
            let mut known = known.filter(|known| same(known, &last()));
            known.next().map(Securable::Database)
        }
        (Class::Object, Some(name)) => {
            object_named(scan, name)?.map(|object| Securable::Object(Box::new(object)))
        }
        (Class::Schema, Some(_)) => super::objects::all_schemas(scan)?
            .into_iter()
            .find(|(_, known, _)| same(known, &last()))
            .map(|(_, known, _)| Securable::Schema(known)),
        (Class::Type, Some(name)) => {
            let mut parts = split_name(name);
            let bare = parts.pop().unwrap_or_default();
            let schema = parts.pop().unwrap_or_else(|| "dbo".to_owned());
            let known = match scan.made {
                Some(made) => made
                    .objects(scan.database)?
                    .type_named(&schema, &bare)
                    .is_some(),
                None => false,
            };
            known.then_some(Securable::Type(schema, bare))
        }
        (Class::User, Some(_)) => super::principals::users(scan)?
            .into_iter()
            .find(|user| same(&user.name, &last()))
            .map(|user| Securable::User(user.name)),
        (Class::Role, Some(_)) => super::principals::roles(scan)?
            .into_iter()
            .find(|role| same(&role.name, &last()))
            .map(|role| Securable::Role(role.name)),
        (Class::Login, Some(_)) => super::principals::seen_logins(scan)?
            .into_iter()
            .find(|login| same(&login.name, &last()))
            .map(|login| Securable::Login(login.name)),
        (Class::ServerRole, Some(_)) => super::principals::server_roles(scan)?
            .into_iter()
            .find(|role| same(&role.name, &last()))
            .map(|role| Securable::ServerRole(role.name)),
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

/// Whether the caller has a permission on a securable, or on a column of it.
fn may(
    scan: &Scanner<'_>,
    securable: &Securable,
    column: Option<&str>,
    permission: &str,
) -> Result<bool> {
    if let Securable::Object(object) = securable {
        if !fits(object, permission) {
            return Ok(false);
        }
        match (&object.origin, permission) {
            (Origin::View(_) | Origin::Function(_), "SELECT") => return Ok(true),
            (Origin::Declared(declared), "SELECT") => return scan.may_select(declared.table),
            (Origin::Procedure(declared), "EXECUTE") => {
                return scan
                    .caller
                    .may_execute(scan.definitions, declared.procedure);
            }
            _ => {}
        }
    }
    scan.rights()
        .may(securable.on(scan.database, column), permission)
}

/// Whether a permission means something on an object.
fn fits(object: &Object, permission: &str) -> bool {
    if object.is_routine() {
        !matches!(
            permission,
            "SELECT" | "UPDATE" | "INSERT" | "DELETE" | "REFERENCES"
        )
    } else {
        permission != "EXECUTE"
    }
}

/// The permissions of a securable that the caller has.
fn held(
    scan: &Scanner<'_>,
    securable: &Securable,
    column: Option<&str>,
) -> Result<Vec<&'static str>> {
    let mut held = Vec::new();
    for builtin in of_class(securable.on(scan.database, None).class()) {
        if may(scan, securable, column, builtin.name)? {
            held.push(builtin.name);
        }
    }
    Ok(held)
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
    let entity = if matches!(securable, Securable::Server) {
        "server".to_owned()
    } else if matches!(securable, Securable::Database(_)) {
        "database".to_owned()
    } else {
        name.unwrap_or_default().to_owned()
    };
    let row = |column: &str, permission: &str| {
        vec![
            Value::string(&*entity),
            Value::string(column),
            Value::string(permission),
        ]
    };
    let mut rows: Vec<Row> = held(scan, &securable, None)?
        .into_iter()
        .map(|permission| row("", permission))
        .collect();
    if let Securable::Object(object) = &securable {
        for column in object.columns() {
            for permission in OF_COLUMNS {
                if may(scan, &securable, Some(&column.name), permission)? {
                    rows.push(row(&column.name, permission));
                }
            }
        }
    }
    Ok(rows)
}

/// Permissions that columns have by themselves.
const OF_COLUMNS: &[&str] = &["SELECT", "REFERENCES", "UPDATE"];

/// `fn_builtin_permissions`: every permission, or those of a class.
pub(super) fn builtin_permissions(class: Option<&str>) -> Vec<Row> {
    let class = class.map(str::trim).filter(|class| !class.is_empty());
    let all = class.is_none_or(|class| class.eq_ignore_ascii_case("DEFAULT"));
    BUILTIN
        .iter()
        .filter(|builtin| all || class.and_then(Class::named) == Some(builtin.class))
        .map(|builtin| {
            let parent = builtin.class.parent().map_or("", Class::word);
            let texts = [
                builtin.class.word(),
                builtin.name,
                builtin.code,
                builtin.covered_by,
                parent,
                builtin.of_parent,
            ];
            texts.into_iter().map(Value::string).collect()
        })
        .collect()
}

/// HAS_PERMS_BY_NAME: NULL when there is no such securable or permission, or it is not the caller's to know.
///
/// # Errors
/// What the catalog raises.
pub(crate) fn has_permission(
    scan: &Scanner<'_>,
    (name, class): (Option<&str>, Option<&str>),
    permission: &str,
    column: Option<&str>,
) -> Result<Option<bool>> {
    let Some(securable) = securable(scan, name, class)? else {
        return Ok(None);
    };
    let wanted = permission.trim().to_ascii_uppercase();
    if wanted == "ANY" {
        return Ok(Some(!held(scan, &securable, column)?.is_empty()));
    }
    let class = securable.on(scan.database, None).class();
    let known = !covering(class, &wanted).is_empty()
        && !matches!(&securable, Securable::Object(object) if !fits(object, &wanted));
    // A sysadmin may do everything, also what Muster has no use for.
    if !known {
        return Ok(scan.caller.sysadmin.then_some(true));
    }
    let wanted = crate::rights::find(class, &wanted).map_or("", |builtin| builtin.name);
    if let (Some(column), Securable::Object(object)) = (column, &securable) {
        let columns = object.columns();
        if !columns.iter().any(|known| same(&known.name, column)) {
            return Ok(None);
        }
    }
    may(scan, &securable, column, wanted).map(Some)
}

/// Bits of PERMISSIONS without an object, for what may be made in the database.
const STATEMENT_BITS: &[(&str, i32)] = &[
    ("CREATE DATABASE", 1),
    ("CREATE TABLE", 2),
    ("CREATE PROCEDURE", 4),
    ("CREATE VIEW", 8),
    ("CREATE RULE", 16),
    ("CREATE DEFAULT", 32),
    ("BACKUP DATABASE", 64),
    ("BACKUP LOG", 128),
];
/// Bits for an object; a column has the first three.
const OBJECT_BITS: &[(&str, i32)] = &[
    ("SELECT", 1),
    ("UPDATE", 2),
    ("REFERENCES", 4),
    ("INSERT", 8),
    ("DELETE", 16),
    ("EXECUTE", 32),
];
/// What an object's bit is shifted by when some column has the permission.
const ANY_COLUMN_SHIFT: u32 = 12;
/// What a permission's bit is shifted by when it may be given to others.
const GRANTABLE_SHIFT: u32 = 16;

/// PERMISSIONS: what the caller may do in the database, with an object or with a column, as bits.
///
/// # Errors
/// What the catalog raises.
pub(crate) fn permission_bits(
    scan: &Scanner<'_>,
    object: Option<Object>,
    column: Option<&str>,
) -> Result<i32> {
    let here = match object {
        None => Securable::Database(scan.database.to_owned()),
        Some(object) => Securable::Object(Box::new(object)),
    };
    let mut bits = 0;
    if let Securable::Object(object) = &here {
        let columns = object.columns();
        for (permission, bit) in OBJECT_BITS {
            let of_column = *bit <= 4;
            if let Some(column) = column {
                if of_column && may(scan, &here, Some(column), permission)? {
                    bits |= bit;
                }
                continue;
            }
            if may(scan, &here, None, permission)? {
                bits |= bit;
                if scan
                    .rights()
                    .grantor(here.on(scan.database, None), permission)?
                    .is_some()
                {
                    bits |= bit << GRANTABLE_SHIFT;
                }
            }
            for column in columns.iter().filter(|_| of_column) {
                if may(scan, &here, Some(&column.name), permission)? {
                    bits |= bit << ANY_COLUMN_SHIFT;
                    break;
                }
            }
        }
        return Ok(bits);
    }
    for (permission, bit) in STATEMENT_BITS {
        if may(scan, &here, None, permission)? {
            bits |= bit;
            if scan
                .rights()
                .grantor(here.on(scan.database, None), permission)?
                .is_some()
            {
                bits |= bit << GRANTABLE_SHIFT;
            }
        }
    }
    Ok(bits)
}
