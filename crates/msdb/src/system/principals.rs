//! Logins, server roles, database users and roles, credentials.

use super::{BIT, DATETIME, INT, SYSNAME, char, col, null, nvarchar, sys, varbinary};
use crate::caller::{DATABASE_ROLES, MSDB_ROLES, SA_SID, SERVER_ROLES, is_sysadmin};
use crate::convert::{datetime, int};
use crate::error::Result;
use crate::tables::{Columns, Rows, Scanner, Table};
use catalog::Login;
use tsql::{Row, Value};

/// `principal_id` of the first fixed server role (public).
const SERVER_ROLE_FIRST: i32 = 2;
/// `principal_id` of the first user of a database; catalog ids come on top.
const USER_FIRST: i64 = 5;
/// `principal_id` of the first fixed database role after public.
const DATABASE_ROLE_FIRST: i32 = 16_384;

const SERVER_PRINCIPALS: Columns = &[
    col("name", SYSNAME),
    col("principal_id", INT),
    null("sid", varbinary(85)),
    col("type", char(1)),
    null("type_desc", nvarchar(60)),
    null("is_disabled", BIT),
    col("create_date", DATETIME),
    col("modify_date", DATETIME),
    null("default_database_name", SYSNAME),
    null("default_language_name", SYSNAME),
    null("credential_id", INT),
    null("owning_principal_id", INT),
    col("is_fixed_role", BIT),
];

const SQL_LOGINS: Columns = &[
    col("name", SYSNAME),
    col("principal_id", INT),
    null("sid", varbinary(85)),
    col("type", char(1)),
    null("type_desc", nvarchar(60)),
    null("is_disabled", BIT),
    col("create_date", DATETIME),
    col("modify_date", DATETIME),
    null("default_database_name", SYSNAME),
    null("default_language_name", SYSNAME),
    null("credential_id", INT),
    null("is_policy_checked", BIT),
    null("is_expiration_checked", BIT),
    null("password_hash", varbinary(256)),
];

const SYSLOGINS: Columns = &[
    null("sid", varbinary(85)),
    null("name", SYSNAME),
    null("loginname", SYSNAME),
    null("dbname", SYSNAME),
    null("denylogin", INT),
    null("hasaccess", INT),
    null("isntname", INT),
    null("isntgroup", INT),
    null("isntuser", INT),
    null("sysadmin", INT),
    null("securityadmin", INT),
];

const ROLE_MEMBERS: Columns = &[
    col("role_principal_id", INT),
    col("member_principal_id", INT),
];

const DATABASE_PRINCIPALS: Columns = &[
    col("name", SYSNAME),
    col("principal_id", INT),
    col("type", char(1)),
    null("type_desc", nvarchar(60)),
    null("default_schema_name", SYSNAME),
    col("create_date", DATETIME),
    col("modify_date", DATETIME),
    null("owning_principal_id", INT),
    null("sid", varbinary(85)),
    col("is_fixed_role", BIT),
    col("authentication_type", INT),
    null("authentication_type_desc", nvarchar(60)),
];

const CREDENTIALS: Columns = &[
    col("credential_id", INT),
    col("name", SYSNAME),
    null("credential_identity", nvarchar(4000)),
    col("create_date", DATETIME),
    col("modify_date", DATETIME),
    null("target_type", nvarchar(100)),
    null("target_id", INT),
];

/// The views.
pub(super) const VIEWS: &[Table] = &[
    sys("server_principals", SERVER_PRINCIPALS, server_principals),
    sys("sql_logins", SQL_LOGINS, sql_logins),
    sys("syslogins", SYSLOGINS, syslogins),
    sys("server_role_members", ROLE_MEMBERS, server_role_members),
    sys(
        "database_principals",
        DATABASE_PRINCIPALS,
        database_principals,
    ),
    sys("database_role_members", ROLE_MEMBERS, database_role_members),
    sys("credentials", CREDENTIALS, credentials),
];

/// `principal_id` of a role of msdb or of every database.
pub(crate) fn role_id(role: &str) -> i32 {
    DATABASE_ROLES
        .iter()
        .chain(MSDB_ROLES)
        .position(|known| known.eq_ignore_ascii_case(role))
        .and_then(|at| i32::try_from(at).ok())
        .map_or(0, |at| {
            if at == 0 {
                0
            } else {
                DATABASE_ROLE_FIRST + at - 1
            }
        })
}

fn server_role_id(role: &str) -> Option<i32> {
    // public is number 2, the others follow it in the order of the list.
    let at = SERVER_ROLES
        .iter()
        .position(|known| known.eq_ignore_ascii_case(role))?;
    let at = i32::try_from(at).ok()?;
    Some(if role.eq_ignore_ascii_case("public") {
        SERVER_ROLE_FIRST
    } else {
        SERVER_ROLE_FIRST + 1 + at
    })
}

/// `principal_id` of a login: 1 for sa, above 256 for the others.
fn login_id(login: &Login) -> Value {
    const OTHERS_FIRST: i64 = 256;
    if login.sid == SA_SID {
        Value::Int(1)
    } else {
        int(OTHERS_FIRST + login.id)
    }
}

/// All logins for sysadmin; itself and sa for everyone else.
fn seen_logins(scan: &Scanner<'_>) -> Result<Vec<Login>> {
    let mut logins = scan.definitions.logins()?;
    let caller = scan.caller;
    logins.retain(|login| caller.sysadmin || login.sid == caller.sid || login.sid == SA_SID);
    Ok(logins)
}

/// name … credential_id, as the views on logins share them.
fn login_head(scan: &Scanner<'_>, login: &Login) -> Row {
    vec![
        Value::string(&*login.name),
        login_id(login),
        Value::Binary(login.sid.clone()),
        Value::string("S"),
        Value::string("SQL_LOGIN"),
        Value::Bit(!login.enabled),
        datetime(login.created, &scan.zone),
        datetime(login.modified, &scan.zone),
        Value::string(&*login.default_database),
        Value::string("us_english"),
        Value::Null,
    ]
}

fn server_principals(scan: &Scanner<'_>) -> Result<Rows> {
    let mut rows = Vec::new();
    for login in seen_logins(scan)? {
        let mut row = login_head(scan, &login);
        row.extend([Value::Null, Value::Bit(false)]);
        rows.push(row);
    }
    let made = datetime(scan.definitions.instance()?.created, &scan.zone);
    for role in SERVER_ROLES {
        let id = server_role_id(role).unwrap_or(0);
        rows.push(vec![
            Value::string(*role),
            Value::Int(id),
            Value::Binary(vec![u8::try_from(id).unwrap_or(0)]),
            Value::string("R"),
            Value::string("SERVER_ROLE"),
            Value::Bit(false),
            made.clone(),
            made.clone(),
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Int(1),
            Value::Bit(*role != "public"),
        ]);
    }
    Ok(Rows::All(rows))
}

fn sql_logins(scan: &Scanner<'_>) -> Result<Rows> {
    let rows = seen_logins(scan)?
        .iter()
        .map(|login| {
            let mut row = login_head(scan, login);
            // Hashes are shown to nobody.
            row.extend([Value::Bit(false), Value::Bit(false), Value::Null]);
            row
        })
        .collect();
    Ok(Rows::All(rows))
}

fn syslogins(scan: &Scanner<'_>) -> Result<Rows> {
    let mut rows = Vec::new();
    for login in seen_logins(scan)? {
        let sysadmin = is_sysadmin(scan.definitions, &login.name, &login.sid)?;
        rows.push(vec![
            Value::Binary(login.sid),
            Value::string(&*login.name),
            Value::String(login.name),
            Value::String(login.default_database),
            Value::Int(i32::from(!login.enabled)),
            Value::Int(i32::from(login.enabled)),
            Value::Int(0),
            Value::Int(0),
            Value::Int(0),
            Value::Int(i32::from(sysadmin)),
            Value::Int(0),
        ]);
    }
    Ok(Rows::All(rows))
}

fn server_role_members(scan: &Scanner<'_>) -> Result<Rows> {
    let logins = seen_logins(scan)?;
    let mut rows = Vec::new();
    if logins.iter().any(|login| login.sid == SA_SID) {
        let sysadmin = server_role_id("sysadmin").unwrap_or(0);
        rows.push(vec![Value::Int(sysadmin), Value::Int(1)]);
    }
    for member in scan.definitions.role_members("")? {
        let login = logins
            .iter()
            .find(|login| login.sid != SA_SID && login.name.eq_ignore_ascii_case(&member.member));
        if let (Some(role), Some(login)) = (server_role_id(&member.role), login) {
            rows.push(vec![Value::Int(role), login_id(login)]);
        }
    }
    Ok(Rows::All(rows))
}

fn roles(database: &str) -> impl Iterator<Item = &'static str> {
    let own = if database.eq_ignore_ascii_case("msdb") {
        MSDB_ROLES
    } else {
        &[]
    };
    DATABASE_ROLES.iter().chain(own).copied()
}

fn database_principals(scan: &Scanner<'_>) -> Result<Rows> {
    let made = datetime(scan.definitions.instance()?.created, &scan.zone);
    let mut rows = Vec::new();
    for role in roles(scan.database) {
        rows.push(vec![
            Value::string(role),
            Value::Int(role_id(role)),
            Value::string("R"),
            Value::string("DATABASE_ROLE"),
            Value::Null,
            made.clone(),
            made.clone(),
            Value::Int(1),
            Value::Null,
            Value::Bit(role.starts_with("db_")),
            Value::Int(0),
            Value::string("NONE"),
        ]);
    }
    let user = |name: &str, id: Value, sid: Value, made: Value, login: bool| {
        vec![
            Value::string(name),
            id,
            Value::string("S"),
            Value::string("SQL_USER"),
            Value::string(if name == "guest" { "guest" } else { "dbo" }),
            made.clone(),
            made,
            Value::Null,
            sid,
            Value::Bit(false),
            Value::Int(i32::from(login)),
            Value::string(if login { "INSTANCE" } else { "NONE" }),
        ]
    };
    let sa = Value::Binary(SA_SID.to_vec());
    rows.push(user("dbo", Value::Int(1), sa, made.clone(), true));
    rows.push(user(
        "guest",
        Value::Int(2),
        Value::Binary(vec![0]),
        made,
        false,
    ));
    for found in scan.definitions.database_users(scan.database)? {
        rows.push(user(
            &found.name,
            int(USER_FIRST + found.id),
            Value::Binary(found.sid),
            datetime(found.created, &scan.zone),
            true,
        ));
    }
    Ok(Rows::All(rows))
}

fn database_role_members(scan: &Scanner<'_>) -> Result<Rows> {
    let users = scan.definitions.database_users(scan.database)?;
    let mut rows = vec![vec![Value::Int(role_id("db_owner")), Value::Int(1)]];
    for member in scan.definitions.role_members(scan.database)? {
        let user = users
            .iter()
            .find(|user| user.name.eq_ignore_ascii_case(&member.member));
        let id = match user {
            Some(user) => int(USER_FIRST + user.id),
            None => Value::Int(role_id(&member.member)),
        };
        rows.push(vec![Value::Int(role_id(&member.role)), id]);
    }
    Ok(Rows::All(rows))
}

/// For sysadmin; nobody else sees credentials.
fn credentials(scan: &Scanner<'_>) -> Result<Rows> {
    if !scan.caller.sysadmin {
        return Ok(Rows::All(Vec::new()));
    }
    let rows = scan
        .definitions
        .credentials()?
        .into_iter()
        .map(|credential| {
            vec![
                int(credential.id),
                Value::String(credential.name),
                Value::String(credential.identity),
                datetime(credential.created, &scan.zone),
                datetime(credential.modified, &scan.zone),
                Value::Null,
                Value::Null,
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}
