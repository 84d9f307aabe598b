//! Logins, server roles, database users and roles, permissions, credentials.

use super::view::{Fill, Filled};
use super::{LANGUAGE, created, int, text};
use crate::admin::role_owner;
use crate::caller::{
    DATABASE_ROLES, MSDB_NESTED_ROLES, MSDB_ROLES, SA_SID, SERVER_ROLES, is_sysadmin,
};
use crate::convert::datetime;
use crate::error::Result;
use crate::rights::{Class, On, find, same};
use crate::tables::Scanner;
use catalog::{DatabaseUser, Grant, GrantClass, GrantState, Login, PrincipalKind, name_key};
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

/// `principal_id` of the first server role that somebody made; catalog ids come on top.
const MADE_SERVER_ROLE_FIRST: i64 = 1_000_000;

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

/// `principal_id` of a role that is always there, in msdb or in every database.
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

/// The caller, sa, and those whose definitions the caller may see.
pub(crate) fn seen_logins(scan: &Scanner<'_>) -> Result<Vec<Login>> {
    let mut seen = Vec::new();
    let caller = scan.caller;
    for login in scan.definitions.logins()? {
        let named = caller.sysadmin || login.sid == caller.identity.sid || login.sid == SA_SID;
        if named
            || scan
                .rights()
                .may(On::Login(&login.name), "VIEW DEFINITION")?
            || scan.rights().may(On::Login(&login.name), "ALTER")?
        {
            seen.push(login);
        }
    }
    Ok(seen)
}

/// A role of the server or of a database as the views show it.
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) id: i64,
    pub(crate) sid: Option<Vec<u8>>,
    pub(crate) owner: String,
    /// Whether it is always there and cannot be changed.
    pub(crate) fixed: bool,
    pub(crate) made: Value,
    pub(crate) modified: Value,
}

impl Role {
    fn of(scan: &Scanner<'_>, role: &DatabaseUser, id: i64) -> Self {
        Self {
            id,
            owner: role_owner(role).to_owned(),
            sid: Some(role.sid.clone()),
            fixed: false,
            made: datetime(role.created, &scan.zone),
            modified: datetime(role.modified, &scan.zone),
            name: role.name.clone(),
        }
    }
}

/// Roles of the server: the fixed ones, and those that somebody made.
pub(crate) fn server_roles(scan: &Scanner<'_>) -> Result<Vec<Role>> {
    let made = created(scan)?;
    let mut found: Vec<Role> = SERVER_ROLES
        .iter()
        .map(|role| {
            let id = server_role_id(role).unwrap_or(0);
            Role {
                name: (*role).to_owned(),
                id: id.into(),
                sid: Some(vec![u8::try_from(id).unwrap_or_default()]),
                owner: "sa".to_owned(),
                fixed: *role != "public",
                made: made.clone(),
                modified: made.clone(),
            }
        })
        .collect();
    for role in scan.definitions.database_users("")? {
        found.push(Role::of(scan, &role, MADE_SERVER_ROLE_FIRST + role.id));
    }
    Ok(found)
}

/// Roles of the statement's database: those that are always there, and those that somebody made.
pub(crate) fn roles(scan: &Scanner<'_>) -> Result<Vec<Role>> {
    let made = created(scan)?;
    let mut found: Vec<Role> = fixed_roles(scan.database)
        .map(|role| Role {
            name: role.to_owned(),
            id: role_id(role).into(),
            sid: None,
            owner: "dbo".to_owned(),
            fixed: role.starts_with("db_"),
            made: made.clone(),
            modified: made.clone(),
        })
        .collect();
    for role in scan.definitions.database_users(scan.database)? {
        if role.kind == PrincipalKind::Role {
            found.push(Role::of(scan, &role, user_id(&role)));
        }
    }
    Ok(found)
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
    let all = seen_logins(scan)?;
    let roles = server_roles(scan)?;
    for role in &roles {
        let owner = server_principal_id(&all, &roles, &role.owner).unwrap_or(1);
        out.add([
            ("name", text(&role.name)),
            ("principal_id", int(role.id)),
            ("sid", role.sid.clone().map_or(Value::Null, Value::Binary)),
            ("type", text("R")),
            ("type_desc", text("SERVER_ROLE")),
            ("create_date", role.made.clone()),
            ("modify_date", role.modified.clone()),
            ("owning_principal_id", int(owner)),
            ("is_fixed_role", Value::Bit(role.fixed)),
        ]);
    }
    Ok(())
}

/// Number of a login or server role.
fn server_principal_id(logins: &[Login], roles: &[Role], name: &str) -> Option<i64> {
    let login = logins.iter().find(|login| same(&login.name, name));
    let role = || roles.iter().find(|role| same(&role.name, name));
    login.map(login_id).or_else(|| role().map(|role| role.id))
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
    let (logins, roles) = (seen_logins(scan)?, server_roles(scan)?);
    let sysadmin = i64::from(server_role_id("sysadmin").unwrap_or(0));
    out.add([
        ("role_principal_id", int(sysadmin)),
        ("member_principal_id", int(1)),
    ]);
    for member in scan.definitions.role_members("")? {
        let role = server_principal_id(&[], &roles, &member.role);
        let id = server_principal_id(&logins, &roles, &member.member);
        if let (Some(role), Some(id)) = (role, id.filter(|id| *id != 1)) {
            out.add([
                ("role_principal_id", int(role)),
                ("member_principal_id", int(id)),
            ]);
        }
    }
    Ok(())
}

/// Role and login of the memberships of server roles, as far as the caller sees the logins.
pub(crate) fn server_memberships(scan: &Scanner<'_>) -> Result<Vec<(String, Login)>> {
    let logins = seen_logins(scan)?;
    let mut found = Vec::new();
    if let Some(sa) = logins.iter().find(|login| login.sid == SA_SID) {
        found.push(("sysadmin".to_owned(), sa.clone()));
    }
    for member in scan.definitions.role_members("")? {
        let login = logins
            .iter()
            .find(|login| login.sid != SA_SID && same(&login.name, &member.member));
        if let Some(login) = login {
            found.push((member.role, login.clone()));
        }
    }
    Ok(found)
}

fn code(class: GrantClass, permission: &str) -> &'static str {
    let classes: &[Class] = match class {
        GrantClass::Database => &[Class::Database],
        GrantClass::Object => &[Class::Object],
        GrantClass::Schema => &[Class::Schema],
        GrantClass::Principal => &[Class::User, Class::Role],
        GrantClass::Type => &[Class::Type],
        GrantClass::Server => &[Class::Server],
        GrantClass::Login => &[Class::Login, Class::ServerRole],
    };
    let found = classes.iter().find_map(|class| find(*class, permission));
    found.map_or("", |builtin| builtin.code)
}

const fn class_word(class: GrantClass) -> &'static str {
    match class {
        GrantClass::Database => "DATABASE",
        GrantClass::Object => "OBJECT_OR_COLUMN",
        GrantClass::Schema => "SCHEMA",
        GrantClass::Principal => "DATABASE_PRINCIPAL",
        GrantClass::Type => "TYPE",
        GrantClass::Server => "SERVER",
        GrantClass::Login => "SERVER_PRINCIPAL",
    }
}

pub(crate) const fn state_words(state: GrantState) -> (&'static str, &'static str) {
    match state {
        GrantState::Granted => ("G", "GRANT"),
        GrantState::Grantable => ("W", "GRANT_WITH_GRANT_OPTION"),
        GrantState::Denied => ("D", "DENY"),
    }
}

/// What the two views of permissions share.
fn grant_row(grant: &Grant) -> Vec<(&'static str, Value)> {
    let (state, description) = state_words(grant.state);
    vec![
        ("class", int(grant.class.code())),
        ("class_desc", text(class_word(grant.class))),
        ("type", text(code(grant.class, &grant.permission))),
        ("permission_name", text(&grant.permission)),
        ("state", text(state)),
        ("state_desc", text(description)),
    ]
}

/// A permission that comes with being there.
fn implied(database: &str, class: GrantClass, grantee: &str, permission: &str) -> Grant {
    Grant {
        database: database.to_owned(),
        class,
        schema: String::new(),
        object: String::new(),
        column: String::new(),
        grantee: grantee.to_owned(),
        grantor: String::new(),
        permission: permission.to_owned(),
        state: GrantState::Granted,
    }
}

/// Every login may connect unless it is denied, and everyone sees which databases there are.
fn server_permissions(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let (logins, roles) = (seen_logins(scan)?, server_roles(scan)?);
    let stored = scan.definitions.grants("")?;
    let said = |grantee: &str| {
        stored
            .iter()
            .any(|grant| grant.permission == "CONNECT SQL" && same(&grant.grantee, grantee))
    };
    let mut all: Vec<Grant> = logins
        .iter()
        .filter(|login| !said(&login.name))
        .map(|login| implied("", GrantClass::Server, &login.name, "CONNECT SQL"))
        .collect();
    all.push(implied(
        "",
        GrantClass::Server,
        "public",
        "VIEW ANY DATABASE",
    ));
    all.extend(stored.iter().cloned());
    for grant in all {
        let Some(grantee) = server_principal_id(&logins, &roles, &grant.grantee) else {
            continue;
        };
        let grantor = server_principal_id(&logins, &roles, &grant.grantor).unwrap_or(1);
        let mut row = grant_row(&grant);
        row.push(("grantee_principal_id", int(grantee)));
        row.push(("grantor_principal_id", int(grantor)));
        if grant.class == GrantClass::Login {
            let Some(about) = server_principal_id(&logins, &roles, &grant.object) else {
                continue;
            };
            row.push(("major_id", int(about)));
        }
        out.add(row);
    }
    Ok(())
}

/// Roles that a database always has.
pub(crate) fn fixed_roles(database: &str) -> impl Iterator<Item = &'static str> {
    let own = if same(database, "msdb") {
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
    pub(crate) modified: Value,
    pub(crate) schema: String,
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
        modified: made.clone(),
        schema: name.to_owned(),
        login,
    };
    let info = scan.made.and_then(|made| made.database(scan.database));
    let owner = info.map_or_else(|| SA_SID.to_vec(), |info| info.owner_sid);
    let mut users = vec![standing(DBO, &owner, true), standing(GUEST, &[0], false)];
    for user in scan.definitions.database_users(scan.database)? {
        if user.kind == PrincipalKind::Role {
            continue;
        }
        users.push(User {
            id: user_id(&user),
            made: datetime(user.created, &scan.zone),
            modified: datetime(user.modified, &scan.zone),
            schema: user.default_schema.unwrap_or_else(|| DBO.0.to_owned()),
            name: user.name,
            sid: user.sid,
            login: user.kind == PrincipalKind::User,
        });
    }
    Ok(users)
}

fn database_principals(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let (users, roles) = (users(scan)?, roles(scan)?);
    for role in &roles {
        out.add([
            ("name", text(&role.name)),
            ("principal_id", int(role.id)),
            ("type", text("R")),
            ("type_desc", text("DATABASE_ROLE")),
            ("create_date", role.made.clone()),
            ("modify_date", role.modified.clone()),
            (
                "owning_principal_id",
                int(principal_id(&users, &roles, &role.owner)),
            ),
            ("sid", role.sid.clone().map_or(Value::Null, Value::Binary)),
            ("is_fixed_role", Value::Bit(role.fixed)),
            ("authentication_type_desc", text("NONE")),
        ]);
    }
    for user in users {
        let instance = if user.login { "INSTANCE" } else { "NONE" };
        out.add([
            ("name", text(&user.name)),
            ("principal_id", int(user.id)),
            ("type", text("S")),
            ("type_desc", text("SQL_USER")),
            ("default_schema_name", text(&user.schema)),
            ("create_date", user.made),
            ("modify_date", user.modified),
            ("sid", Value::Binary(user.sid)),
            ("authentication_type", int(i64::from(user.login))),
            ("authentication_type_desc", text(instance)),
        ]);
    }
    Ok(())
}

/// Number of a user or role of the statement's database; 0 for none.
pub(super) fn principal_id(users: &[User], roles: &[Role], name: &str) -> i64 {
    let user = users.iter().find(|user| same(&user.name, name));
    let role = || roles.iter().find(|role| same(&role.name, name));
    user.map(|user| user.id)
        .or_else(|| role().map(|role| role.id))
        .unwrap_or(0)
}

/// Role and member, by name, of each membership in the statement's database.
pub(crate) fn memberships(scan: &Scanner<'_>) -> Result<Vec<(String, String)>> {
    let mut found = vec![("db_owner".to_owned(), DBO.0.to_owned())];
    if same(scan.database, "msdb") {
        let nested = MSDB_NESTED_ROLES.iter();
        found.extend(nested.map(|(role, member)| ((*role).to_owned(), (*member).to_owned())));
    }
    let stored = scan.definitions.role_members(scan.database)?;
    found.extend(
        stored
            .into_iter()
            .map(|member| (member.role, member.member)),
    );
    Ok(found)
}

/// As [`memberships`], by number.
fn membership_ids(scan: &Scanner<'_>) -> Result<Vec<(i64, i64)>> {
    let (users, roles) = (users(scan)?, roles(scan)?);
    let id = |name: &str| principal_id(&users, &roles, name);
    let found = memberships(scan)?;
    Ok(found
        .iter()
        .map(|(role, member)| (id(role), id(member)))
        .collect())
}

fn database_role_members(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (role, member) in membership_ids(scan)? {
        out.add([
            ("role_principal_id", int(role)),
            ("member_principal_id", int(member)),
        ]);
    }
    Ok(())
}

fn sysmembers(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (role, member) in membership_ids(scan)? {
        out.add([("memberuid", int(member)), ("groupuid", int(role))]);
    }
    Ok(())
}

/// Every user may connect unless it is denied; guest only where guests may.
fn database_permissions(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let (users, roles) = (users(scan)?, roles(scan)?);
    let stored = scan.definitions.grants(scan.database)?;
    let said = |grantee: &str| {
        stored
            .iter()
            .any(|grant| grant.permission == "CONNECT" && same(&grant.grantee, grantee))
    };
    let open = crate::rights::open_to_guests(scan.database);
    let mut all: Vec<Grant> = users
        .iter()
        .filter(|user| !said(&user.name) && (user.name != GUEST.0 || open))
        .map(|user| implied(scan.database, GrantClass::Database, &user.name, "CONNECT"))
        .collect();
    all.extend(stored.iter().cloned());
    let objects = scan
        .made
        .map(|made| made.objects(scan.database))
        .transpose()?
        .unwrap_or_default();
    let schemas = super::objects::all_schemas(scan)?;
    for grant in all {
        let id = |name: &str| principal_id(&users, &roles, name);
        let major = match grant.class {
            GrantClass::Object => match objects.find(&grant.schema, &grant.object) {
                Some(found) => found.id.into(),
                None => i64::from(engine::host::stable_object_id(
                    scan.database,
                    &grant.schema,
                    &grant.object,
                )),
            },
            GrantClass::Schema => schemas
                .iter()
                .find(|(_, name, _)| same(name, &grant.schema))
                .map_or(0, |(id, ..)| i64::from(*id)),
            GrantClass::Principal => id(&grant.object),
            GrantClass::Type => objects
                .type_named(&grant.schema, &grant.object)
                .map_or(0, |ty| i64::from(ty.id)),
            GrantClass::Database | GrantClass::Server | GrantClass::Login => 0,
        };
        let minor = objects
            .find(&grant.schema, &grant.object)
            .and_then(|found| {
                let mut columns = found.columns().iter();
                columns.find(|column| same(&column.name, &grant.column))
            })
            .map_or(0, |column| column.id);
        let grantor = if grant.grantor.is_empty() {
            1
        } else {
            id(&grant.grantor)
        };
        let mut row = grant_row(&grant);
        row.push(("major_id", int(major)));
        row.push(("minor_id", int(minor)));
        row.push(("grantee_principal_id", int(id(&grant.grantee))));
        row.push(("grantor_principal_id", int(grantor)));
        out.add(row);
    }
    Ok(())
}

fn sysusers(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for user in users(scan)? {
        out.add([
            ("uid", int(user.id)),
            ("name", text(&user.name)),
            ("sid", Value::Binary(user.sid)),
            ("createdate", user.made.clone()),
            ("updatedate", user.modified),
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
    for role in roles(scan)? {
        out.add([
            ("uid", int(role.id)),
            ("name", text(&role.name)),
            ("createdate", role.made),
            ("updatedate", role.modified),
            ("gid", int(role.id)),
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

/// For whoever administers credentials; nobody else sees them.
fn credentials(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    if !scan.rights().may(On::Server, "ALTER ANY CREDENTIAL")? {
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
    let identity = &scan.caller.identity;
    let token = scan.rights().server()?;
    // Whoever acts as a user of one database is asked in vain what its login may do elsewhere.
    let usage = text(if identity.user.is_some() {
        "DENY ONLY"
    } else {
        "GRANT OR DENY"
    });
    if let Some(login) = scan.definitions.login_by_sid(&identity.sid)? {
        out.add([
            ("principal_id", int(login_id(&login))),
            ("sid", Value::Binary(login.sid)),
            ("name", text(&login.name)),
            ("type", text("SQL LOGIN")),
            ("usage", usage.clone()),
        ]);
    }
    for role in server_roles(scan)? {
        let sysadmin = token.sysadmin && role.name == "sysadmin";
        if sysadmin || token.names.contains(&name_key(&role.name)) {
            out.add([
                ("principal_id", int(role.id)),
                ("sid", role.sid.map_or(Value::Null, Value::Binary)),
                ("name", text(&role.name)),
                ("type", text("SERVER ROLE")),
                ("usage", usage.clone()),
            ]);
        }
    }
    Ok(())
}

/// The caller's user in the statement's database and the roles that count for it.
fn user_token(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let Some(token) = scan.rights().in_database(scan.database)? else {
        return Ok(());
    };
    let users = users(scan)?;
    let Some(me) = users.iter().find(|user| same(&user.name, &token.user)) else {
        return Ok(());
    };
    out.add([
        ("principal_id", int(me.id)),
        ("sid", Value::Binary(me.sid.clone())),
        ("name", text(&me.name)),
        ("type", text("SQL USER")),
        ("usage", text("GRANT OR DENY")),
    ]);
    for role in roles(scan)? {
        if token.is(&role.name) {
            out.add([
                ("principal_id", int(role.id)),
                ("sid", role.sid.map_or(Value::Null, Value::Binary)),
                ("name", text(&role.name)),
                ("type", text("ROLE")),
                ("usage", text("GRANT OR DENY")),
            ]);
        }
    }
    Ok(())
}
