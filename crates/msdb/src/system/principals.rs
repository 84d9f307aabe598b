//! Logins, server roles, database users and roles, permissions, credentials.

use super::view::{Fill, Filled};
use super::{LANGUAGE, created, int, text};
use crate::caller::{DATABASE_ROLES, MSDB_ROLES, SA_SID, SERVER_ROLES, is_sysadmin};
use crate::convert::datetime;
use crate::error::Result;
use crate::tables::Scanner;
use catalog::{DatabaseUser, GrantState, Login};
use engine::host::stable_object_id;
use tsql::Value;

/// `principal_id` of the first fixed server role (public).
const SERVER_ROLE_FIRST: i32 = 2;
/// `principal_id` of the first login after sa; catalog ids come on top.
const LOGIN_FIRST: i64 = 256;
/// `principal_id` of the first user of a database; catalog ids come on top.
const USER_FIRST: i64 = 5;
/// `principal_id` of the first fixed database role after public.
const DATABASE_ROLE_FIRST: i32 = 16_384;
/// Users that every database has, with their numbers.
const DBO: (&str, i32) = ("dbo", 1);
const GUEST: (&str, i32) = ("guest", 2);

/// Permissions beside the codes in the column `type`.
/// Source: SQL Server's documentation, sys.database_permissions.
const PERMISSION_CODES: &[(&str, &str)] = &[
    ("ALTER", "AL"),
    ("CONNECT", "CO"),
    ("CONNECT SQL", "COSQ"),
    ("CONTROL", "CL"),
    ("DELETE", "DL"),
    ("EXECUTE", "EX"),
    ("INSERT", "IN"),
    ("REFERENCES", "RF"),
    ("SELECT", "SL"),
    ("TAKE OWNERSHIP", "TO"),
    ("UPDATE", "UP"),
    ("VIEW DEFINITION", "VW"),
    ("VIEW SERVER STATE", "VWSS"),
];

/// The views.
pub(super) const VIEWS: &[Filled] = &[
    Filled::sys("server_principals", server_principals).seek(&["principal_id"]),
    Filled::sys("sql_logins", sql_logins),
    Filled::sys("syslogins", syslogins),
    Filled::sys("server_role_members", server_role_members),
    Filled::sys("server_permissions", server_permissions),
    Filled::sys("database_principals", database_principals).seek(&["principal_id"]),
    Filled::sys("database_role_members", database_role_members),
    Filled::sys("database_permissions", database_permissions),
    Filled::sys("sysusers", sysusers),
    Filled::sys("sysmembers", sysmembers),
    Filled::sys("credentials", credentials),
    Filled::sys("login_token", login_token),
    Filled::sys("user_token", user_token),
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

/// `principal_id` of a server role.
pub(crate) fn server_role_id(role: &str) -> Option<i32> {
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
pub(crate) fn login_id(login: &Login) -> i64 {
    if login.sid == SA_SID {
        1
    } else {
        LOGIN_FIRST + login.id
    }
}

/// `principal_id` of a user that was made.
pub(crate) const fn user_id(user: &DatabaseUser) -> i64 {
    USER_FIRST + user.id
}

/// All logins for sysadmin; itself and sa for everyone else.
pub(crate) fn seen_logins(scan: &Scanner<'_>) -> Result<Vec<Login>> {
    let mut logins = scan.definitions.logins()?;
    let caller = scan.caller;
    logins.retain(|login| caller.sysadmin || login.sid == caller.sid || login.sid == SA_SID);
    Ok(logins)
}

/// What the views on logins share.
fn login_row(scan: &Scanner<'_>, login: &Login) -> Vec<(&'static str, Value)> {
    vec![
        ("name", text(&login.name)),
        ("principal_id", int(login_id(login))),
        ("sid", Value::Binary(login.sid.clone())),
        ("type", text("S")),
        ("type_desc", text("SQL_LOGIN")),
        ("is_disabled", Value::Bit(!login.enabled)),
        ("create_date", datetime(login.created, &scan.zone)),
        ("modify_date", datetime(login.modified, &scan.zone)),
        ("default_database_name", text(&login.default_database)),
        ("default_language_name", text(LANGUAGE)),
    ]
}

fn server_principals(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for login in seen_logins(scan)? {
        out.add(login_row(scan, &login));
    }
    let made = created(scan)?;
    for role in SERVER_ROLES {
        let id = server_role_id(role).unwrap_or(0);
        out.add([
            ("name", text(role)),
            ("principal_id", int(id)),
            (
                "sid",
                Value::Binary(vec![u8::try_from(id).unwrap_or_default()]),
            ),
            ("type", text("R")),
            ("type_desc", text("SERVER_ROLE")),
            ("create_date", made.clone()),
            ("modify_date", made.clone()),
            ("owning_principal_id", int(1)),
            ("is_fixed_role", Value::Bit(*role != "public")),
        ]);
    }
    Ok(())
}

/// Hashes are shown to nobody.
fn sql_logins(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for login in seen_logins(scan)? {
        out.add(login_row(scan, &login));
    }
    Ok(())
}

fn syslogins(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let members = scan.definitions.role_members("")?;
    for login in seen_logins(scan)? {
        let sysadmin = is_sysadmin(scan.definitions, &login.name, &login.sid)?;
        let mut row = vec![
            ("sid", Value::Binary(login.sid.clone())),
            ("status", int(if login.enabled { 9 } else { 10 })),
            ("createdate", datetime(login.created, &scan.zone)),
            ("updatedate", datetime(login.modified, &scan.zone)),
            ("accdate", datetime(login.created, &scan.zone)),
            ("name", text(&login.name)),
            ("loginname", text(&login.name)),
            ("dbname", text(&login.default_database)),
            ("language", text(LANGUAGE)),
            ("denylogin", int(i64::from(!login.enabled))),
            ("hasaccess", int(i64::from(login.enabled))),
            ("isntname", int(0)),
            ("isntgroup", int(0)),
            ("isntuser", int(0)),
        ];
        for role in SERVER_ROLES {
            let member = members.iter().any(|member| {
                member.role.eq_ignore_ascii_case(role)
                    && member.member.eq_ignore_ascii_case(&login.name)
            });
            let yes = member || (*role == "sysadmin" && sysadmin);
            if *role != "public" {
                row.push((role, int(i64::from(yes))));
            }
        }
        out.add(row);
    }
    Ok(())
}

fn server_role_members(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (role, login) in server_memberships(scan)? {
        out.add([
            ("role_principal_id", int(role)),
            ("member_principal_id", int(login_id(&login))),
        ]);
    }
    Ok(())
}

/// Members of server roles, as far as the caller sees their logins.
pub(crate) fn server_memberships(scan: &Scanner<'_>) -> Result<Vec<(i32, Login)>> {
    let logins = seen_logins(scan)?;
    let mut found = Vec::new();
    if let Some(sa) = logins.iter().find(|login| login.sid == SA_SID) {
        found.push((server_role_id("sysadmin").unwrap_or(0), sa.clone()));
    }
    for member in scan.definitions.role_members("")? {
        let login = logins
            .iter()
            .find(|login| login.sid != SA_SID && login.name.eq_ignore_ascii_case(&member.member));
        if let (Some(role), Some(login)) = (server_role_id(&member.role), login) {
            found.push((role, login.clone()));
        }
    }
    Ok(found)
}

fn code(permission: &str) -> &'static str {
    PERMISSION_CODES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(permission))
        .map_or("", |(_, code)| code)
}

const fn granted(state: GrantState) -> (&'static str, &'static str) {
    match state {
        GrantState::Granted => ("G", "GRANT"),
        GrantState::Denied => ("D", "DENY"),
    }
}

/// Every login may connect, unless it is disabled; there are no other permissions on the server.
fn server_permissions(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for login in seen_logins(scan)? {
        out.add([
            ("class", int(100)),
            ("class_desc", text("SERVER")),
            ("grantee_principal_id", int(login_id(&login))),
            ("grantor_principal_id", int(1)),
            ("type", text(code("CONNECT SQL"))),
            ("permission_name", text("CONNECT SQL")),
            ("state", text("G")),
            ("state_desc", text("GRANT")),
        ]);
    }
    Ok(())
}

/// Roles of a database.
pub(crate) fn roles(database: &str) -> impl Iterator<Item = &'static str> {
    let own = if database.eq_ignore_ascii_case("msdb") {
        MSDB_ROLES
    } else {
        &[]
    };
    DATABASE_ROLES.iter().chain(own).copied()
}

/// A user as the views show it.
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) id: i64,
    pub(crate) sid: Vec<u8>,
    pub(crate) made: Value,
    /// Whether a login is behind it.
    pub(crate) login: bool,
}

/// Users of the statement's database.
pub(crate) fn users(scan: &Scanner<'_>) -> Result<Vec<User>> {
    let made = created(scan)?;
    let standing = |(name, id): (&str, i32), sid: &[u8], login| User {
        name: name.to_owned(),
        id: id.into(),
        sid: sid.to_vec(),
        made: made.clone(),
        login,
    };
    let mut users = vec![standing(DBO, SA_SID, true), standing(GUEST, &[0], false)];
    for user in scan.definitions.database_users(scan.database)? {
        users.push(User {
            id: user_id(&user),
            made: datetime(user.created, &scan.zone),
            name: user.name,
            sid: user.sid,
            login: true,
        });
    }
    Ok(users)
}

fn database_principals(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let made = created(scan)?;
    for role in roles(scan.database) {
        out.add([
            ("name", text(role)),
            ("principal_id", int(role_id(role))),
            ("type", text("R")),
            ("type_desc", text("DATABASE_ROLE")),
            ("create_date", made.clone()),
            ("modify_date", made.clone()),
            ("owning_principal_id", int(1)),
            ("is_fixed_role", Value::Bit(role.starts_with("db_"))),
            ("authentication_type_desc", text("NONE")),
        ]);
    }
    for user in users(scan)? {
        let schema = if user.name == GUEST.0 { GUEST.0 } else { DBO.0 };
        let instance = if user.login { "INSTANCE" } else { "NONE" };
        out.add([
            ("name", text(&user.name)),
            ("principal_id", int(user.id)),
            ("type", text("S")),
            ("type_desc", text("SQL_USER")),
            ("default_schema_name", text(schema)),
            ("create_date", user.made.clone()),
            ("modify_date", user.made),
            ("sid", Value::Binary(user.sid)),
            ("authentication_type", int(i64::from(user.login))),
            ("authentication_type_desc", text(instance)),
        ]);
    }
    Ok(())
}

/// Number of a user or role of the statement's database.
pub(super) fn principal_id(users: &[User], name: &str) -> i64 {
    users
        .iter()
        .find(|user| user.name.eq_ignore_ascii_case(name))
        .map_or_else(|| role_id(name).into(), |user| user.id)
}

/// Role and member of each membership in the statement's database.
fn memberships(scan: &Scanner<'_>) -> Result<Vec<(i64, i64)>> {
    let users = users(scan)?;
    let mut found = vec![(role_id("db_owner").into(), DBO.1.into())];
    for member in scan.definitions.role_members(scan.database)? {
        let role = role_id(&member.role).into();
        found.push((role, principal_id(&users, &member.member)));
    }
    Ok(found)
}

fn database_role_members(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (role, member) in memberships(scan)? {
        out.add([
            ("role_principal_id", int(role)),
            ("member_principal_id", int(member)),
        ]);
    }
    Ok(())
}

fn sysmembers(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (role, member) in memberships(scan)? {
        out.add([("memberuid", int(member)), ("groupuid", int(role))]);
    }
    Ok(())
}

fn database_permissions(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let users = users(scan)?;
    for user in &users {
        out.add([
            ("class_desc", text("DATABASE")),
            ("grantee_principal_id", int(user.id)),
            ("grantor_principal_id", int(1)),
            ("type", text(code("CONNECT"))),
            ("permission_name", text("CONNECT")),
            ("state", text("G")),
            ("state_desc", text("GRANT")),
        ]);
    }
    for grant in scan.definitions.grants(scan.database)? {
        let (schema, object) = grant
            .object
            .split_once('.')
            .unwrap_or(("dbo", &grant.object));
        let (state, description) = granted(grant.state);
        out.add([
            ("class", int(1)),
            ("class_desc", text("OBJECT_OR_COLUMN")),
            (
                "major_id",
                int(stable_object_id(scan.database, schema, object)),
            ),
            (
                "grantee_principal_id",
                int(principal_id(&users, &grant.grantee)),
            ),
            ("grantor_principal_id", int(1)),
            ("type", text(code(&grant.permission))),
            ("permission_name", text(&grant.permission)),
            ("state", text(state)),
            ("state_desc", text(description)),
        ]);
    }
    Ok(())
}

fn sysusers(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let made = created(scan)?;
    for user in users(scan)? {
        out.add([
            ("uid", int(user.id)),
            ("name", text(&user.name)),
            ("sid", Value::Binary(user.sid)),
            ("createdate", user.made.clone()),
            ("updatedate", user.made),
            ("gid", int(0)),
            ("hasdbaccess", int(i64::from(user.login))),
            ("islogin", int(1)),
            ("isntname", int(0)),
            ("isntgroup", int(0)),
            ("isntuser", int(0)),
            ("issqluser", int(1)),
            ("isaliased", int(0)),
            ("issqlrole", int(0)),
            ("isapprole", int(0)),
        ]);
    }
    for role in roles(scan.database) {
        let id = role_id(role);
        out.add([
            ("uid", int(id)),
            ("name", text(role)),
            ("createdate", made.clone()),
            ("updatedate", made.clone()),
            ("gid", int(id)),
            ("hasdbaccess", int(0)),
            ("islogin", int(0)),
            ("isntname", int(0)),
            ("isntgroup", int(0)),
            ("isntuser", int(0)),
            ("issqluser", int(0)),
            ("isaliased", int(0)),
            ("issqlrole", int(1)),
            ("isapprole", int(0)),
        ]);
    }
    Ok(())
}

/// For sysadmin; nobody else sees credentials.
fn credentials(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    if !scan.caller.sysadmin {
        return Ok(());
    }
    for credential in scan.definitions.credentials()? {
        out.add([
            ("credential_id", int(credential.id)),
            ("name", text(&credential.name)),
            ("credential_identity", text(&credential.identity)),
            ("create_date", datetime(credential.created, &scan.zone)),
            ("modify_date", datetime(credential.modified, &scan.zone)),
        ]);
    }
    Ok(())
}

/// The caller's login and the server roles that count for it.
fn login_token(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let caller = scan.caller;
    let mut tokens = vec![(server_role_id("public").unwrap_or(0), "public")];
    for (role, login) in server_memberships(scan)? {
        if login.sid == caller.sid
            && let Some(name) = SERVER_ROLES
                .iter()
                .find(|name| server_role_id(name) == Some(role))
        {
            tokens.push((role, name));
        }
    }
    if let Some(login) = scan.definitions.login_by_sid(&caller.sid)? {
        out.add([
            ("principal_id", int(login_id(&login))),
            ("sid", Value::Binary(login.sid)),
            ("name", text(&login.name)),
            ("type", text("SQL LOGIN")),
            ("usage", text("GRANT OR DENY")),
        ]);
    }
    for (id, name) in tokens {
        out.add([
            ("principal_id", int(id)),
            (
                "sid",
                Value::Binary(vec![u8::try_from(id).unwrap_or_default()]),
            ),
            ("name", text(name)),
            ("type", text("SERVER ROLE")),
            ("usage", text("GRANT OR DENY")),
        ]);
    }
    Ok(())
}

/// The caller's user in the statement's database and the roles that count for it.
fn user_token(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let users = users(scan)?;
    let caller = scan.caller;
    let me = if caller.sysadmin {
        users.first()
    } else {
        let own = users
            .iter()
            .find(|user| user.login && user.sid == caller.sid);
        own.or_else(|| users.get(1))
    };
    let Some(me) = me else {
        return Ok(());
    };
    out.add([
        ("principal_id", int(me.id)),
        ("sid", Value::Binary(me.sid.clone())),
        ("name", text(&me.name)),
        ("type", text("SQL USER")),
        ("usage", text("GRANT OR DENY")),
    ]);
    let held = memberships(scan)?;
    for role in roles(scan.database) {
        let id = i64::from(role_id(role));
        if role == "public" || held.contains(&(id, me.id)) {
            out.add([
                ("principal_id", int(id)),
                ("name", text(role)),
                ("type", text("ROLE")),
                ("usage", text("GRANT OR DENY")),
            ]);
        }
    }
    Ok(())
}
