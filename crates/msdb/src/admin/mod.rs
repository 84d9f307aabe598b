//! Logins, users, roles, permissions and credentials: CREATE LOGIN, ALTER ROLE, GRANT and the statements like them.

mod credentials;
mod logins;
mod permissions;
mod principals;

pub(crate) use logins::may_connect;
pub(crate) use permissions::Kind;
pub(crate) use principals::{
    Found, in_server_role, known_role, known_server_role, principal, role_owner, server_role,
};

use crate::call::Store;
use crate::caller::Caller;
use crate::error::Result;
use crate::made::MadeObjects;
use crate::messages::raise;
use crate::rights::{On, Rights};
use crate::services::{SecretError, Services};
use catalog::{AuditEntry, DefinitionsRead, DefinitionsWrite, name_key};
use engine::host::{AdminStatement, GivenPassword};
use jiff::Timestamp;
use tsql::SqlError;

/// Longest password, in UTF-16 units. Source: CREATE LOGIN, PASSWORD.
const PASSWORD_UNITS_MAX: usize = 128;
/// Longest name, in UTF-16 units.
const NAME_UNITS_MAX: usize = 128;
/// Bytes of a hash of SQL Server 2012 and later: version 0x0200, four of salt, SHA-512.
const SQL_SERVER_HASH_BYTES: usize = 70;

/// Carries a statement out, with its audit row. Passwords are hashed and secrets sealed before any lock is
/// taken.
pub(crate) fn administer(
    store: &mut Store<'_>,
    caller: &Caller,
    made: &MadeObjects,
    services: &dyn Services,
    now: Timestamp,
    database: &str,
    statement: &AdminStatement,
) -> Result<()> {
    let context = Context {
        caller,
        made,
        services,
        now,
        database,
    };
    let (action, object) = context.named(statement)?;
    // Whoever may not do it costs no hash.
    store.read(|definitions| context.check(definitions, statement))?;
    context.check_old_password(store, statement)?;
    let prepared = Prepared::new(services, statement)?;
    let audit = AuditEntry {
        at: now,
        principal: caller.login.clone(),
        action: action.to_owned(),
        object,
        detail: caller.audit_detail(),
    };
    store.write_audited(&audit, |definitions| {
        context.check(&*definitions, statement)?;
        context.run(definitions, statement, prepared)
    })
}

/// What was made of clear secrets.
#[derive(Default)]
struct Prepared {
    hash: Option<String>,
    sealed: Option<Vec<u8>>,
    sid: Vec<u8>,
}

impl Prepared {
    fn new(services: &dyn Services, statement: &AdminStatement) -> Result<Self> {
        let failed = |error: SecretError| SqlError::new(15_466, 16, error.cause);
        let mut prepared = Self::default();
        match statement {
            AdminStatement::CreateLogin {
                name,
                password,
                sid,
                ..
            } => {
                prepared.hash = Some(hashed(services, name, password)?);
                prepared.sid = match sid {
                    Some(sid) => sid.clone(),
                    None => services.new_uuid().as_bytes().to_vec(),
                };
            }
            AdminStatement::AlterLogin {
                name,
                password: Some(password),
                ..
            } => prepared.hash = Some(hashed(services, name, password)?),
            AdminStatement::CreateUser { .. } | AdminStatement::CreateRole { .. } => {
                prepared.sid = services.new_uuid().as_bytes().to_vec();
            }
            AdminStatement::CreateCredential {
                secret: Some(secret),
                ..
            }
            | AdminStatement::AlterCredential {
                secret: Some(secret),
                ..
            } => {
                prepared.sealed = Some(services.seal(secret.as_bytes()).map_err(failed)?);
            }
            AdminStatement::AlterLogin { .. }
            | AdminStatement::DropLogin { .. }
            | AdminStatement::AlterUser { .. }
            | AdminStatement::DropUser { .. }
            | AdminStatement::RenameRole { .. }
            | AdminStatement::DropRole { .. }
            | AdminStatement::RoleOwner { .. }
            | AdminStatement::AlterRole { .. }
            | AdminStatement::AlterServerRole { .. }
            | AdminStatement::Permission(_)
            | AdminStatement::CreateCredential { .. }
            | AdminStatement::AlterCredential { .. }
            | AdminStatement::DropCredential { .. }
            | _ => {}
        }
        Ok(prepared)
    }
}

/// What is stored of a password: its hash, by the instance or as it was given.
fn hashed(services: &dyn Services, login: &str, password: &GivenPassword) -> Result<String> {
    if password.hashed {
        let hex = password.text.trim().get(2..).unwrap_or_default();
        let digits = hex.bytes().all(|digit| digit.is_ascii_hexdigit());
        let sha512 = hex.len() == 2 * SQL_SERVER_HASH_BYTES && hex.starts_with("0200") && digits;
        if !sha512 {
            return Err(raise(15021, &["PASSWORD".into()]).into());
        }
        return Ok(format!(
            "{SQL_SERVER_HASH_PREFIX}{}",
            hex.to_ascii_uppercase()
        ));
    }
    check_password(login, &password.text)?;
    let failed = |error: SecretError| SqlError::new(15_466, 16, error.cause);
    Ok(services.hash_password(&password.text).map_err(failed)?)
}

/// How a hash that came from a SQL Server begins in the catalog.
pub const SQL_SERVER_HASH_PREFIX: &str = "mssql:";

fn check_password(login: &str, password: &str) -> Result<()> {
    let units = password.encode_utf16().count();
    if units == 0 || units > PASSWORD_UNITS_MAX || password.eq_ignore_ascii_case(login) {
        let most = i64::try_from(PASSWORD_UNITS_MAX).unwrap_or(i64::MAX);
        return Err(raise(15118, &[most.into()]).into());
    }
    Ok(())
}

/// What every statement is carried out with.
struct Context<'c> {
    caller: &'c Caller,
    made: &'c MadeObjects,
    services: &'c dyn Services,
    now: Timestamp,
    database: &'c str,
}

impl Context<'_> {
    fn rights<'r>(&'r self, definitions: &'r dyn DefinitionsRead) -> Rights<'r> {
        Rights::new(definitions, self.made, &self.caller.identity)
    }

    /// What the audit calls a statement, and what it is about; 14250 for a name that is none.
    fn named(&self, statement: &AdminStatement) -> Result<(&'static str, String)> {
        let (action, object) = match statement {
            AdminStatement::CreateLogin { name, .. } => ("CREATE LOGIN", name),
            AdminStatement::AlterLogin { name, .. } => ("ALTER LOGIN", name),
            AdminStatement::DropLogin { name } => ("DROP LOGIN", name),
            AdminStatement::CreateUser { name, .. } => ("CREATE USER", name),
            AdminStatement::AlterUser { name, .. } => ("ALTER USER", name),
            AdminStatement::DropUser { name } => ("DROP USER", name),
            AdminStatement::CreateRole { name, .. } => ("CREATE ROLE", name),
            AdminStatement::RenameRole { name, .. } => ("ALTER ROLE", name),
            AdminStatement::DropRole { name, .. } => ("DROP ROLE", name),
            AdminStatement::RoleOwner { name, .. } => ("ALTER AUTHORIZATION", name),
            AdminStatement::AlterRole { role, .. } => ("ALTER ROLE", role),
            AdminStatement::AlterServerRole { role, .. } => ("ALTER SERVER ROLE", role),
            AdminStatement::Permission(change) => {
                let about = if change.name.is_empty() {
                    self.database.to_owned()
                } else {
                    change.name.clone()
                };
                return Ok(("GRANT, DENY or REVOKE", about));
            }
            AdminStatement::CreateCredential { name, .. } => ("CREATE CREDENTIAL", name),
            AdminStatement::AlterCredential { name, .. } => ("ALTER CREDENTIAL", name),
            AdminStatement::DropCredential { name } => ("DROP CREDENTIAL", name),
            _ => return Err(raise(40515, &["Statement".into(), "".into()]).into()),
        };
        check_name(object)?;
        Ok((action, object.clone()))
    }

    /// Whether the caller may do it at all.
    ///
    /// # Errors
    /// 15151 and 15247 without permission, 4613 for a permission that is not the caller's to give.
    fn check(&self, definitions: &dyn DefinitionsRead, statement: &AdminStatement) -> Result<()> {
        let rights = self.rights(definitions);
        let here = self.database;
        let needs = |on: On<'_>, permission: &str| -> Result<()> {
            if rights.may(on, permission)? {
                Ok(())
            } else {
                Err(raise(15247, &[]).into())
            }
        };
        match statement {
            AdminStatement::CreateLogin { .. } => needs(On::Server, "ALTER ANY LOGIN"),
            AdminStatement::AlterLogin { .. } => self.may_alter_login(&rights, statement),
            AdminStatement::DropLogin { name } => self.may_change_login(&rights, "drop", name),
            AdminStatement::CreateUser { .. } => needs(On::Database(here), "ALTER ANY USER"),
            AdminStatement::AlterUser {
                name,
                rename: None,
                login: None,
                ..
            } if rights
                .in_database(here)?
                .is_some_and(|token| name_key(&token.user) == name_key(name)) =>
            {
                Ok(())
            }
            AdminStatement::AlterUser { name, .. } => check_may(
                &rights,
                On::Database(here),
                "ALTER ANY USER",
                ("alter", "user", name),
            ),
            AdminStatement::DropUser { name } => check_may(
                &rights,
                On::User(here, name),
                "ALTER",
                ("drop", "user", name),
            ),
            AdminStatement::CreateRole { server: true, .. } => {
                needs(On::Server, "CREATE SERVER ROLE")
            }
            AdminStatement::CreateRole { .. } => needs(On::Database(here), "CREATE ROLE"),
            AdminStatement::RenameRole { server, name, .. } => check_may(
                &rights,
                role_on(*server, here, name),
                "ALTER",
                ("alter", "role", name),
            ),
            AdminStatement::DropRole { server, name } => check_may(
                &rights,
                role_on(*server, here, name),
                "ALTER",
                ("drop", "role", name),
            ),
            AdminStatement::RoleOwner { server, name, .. } => check_may(
                &rights,
                role_on(*server, here, name),
                "TAKE OWNERSHIP",
                ("find", "role", name),
            ),
            AdminStatement::AlterRole { role, .. } => self.may_alter_role(&rights, role),
            AdminStatement::AlterServerRole { role, .. } => {
                self.may_alter_server_role(&rights, role)
            }
            AdminStatement::Permission(change) => self.may_grant(&rights, change),
            AdminStatement::CreateCredential { .. }
            | AdminStatement::AlterCredential { .. }
            | AdminStatement::DropCredential { .. } => needs(On::Server, "ALTER ANY CREDENTIAL"),
            _ => Err(raise(40515, &["Statement".into(), "".into()]).into()),
        }
    }

    fn run(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        statement: &AdminStatement,
        prepared: Prepared,
    ) -> Result<()> {
        match statement {
            AdminStatement::CreateLogin {
                name,
                default_database,
                ..
            } => self.create_login(definitions, name, default_database.as_deref(), prepared),
            AdminStatement::AlterLogin {
                name,
                enabled,
                rename,
                default_database,
                ..
            } => {
                let change = logins::LoginChange {
                    enabled: *enabled,
                    rename: rename.as_deref(),
                    default_database: default_database.as_deref(),
                    hash: prepared.hash,
                };
                self.alter_login(definitions, name, change)
            }
            AdminStatement::DropLogin { name } => self.drop_login(definitions, name),
            AdminStatement::CreateUser {
                name,
                login,
                default_schema,
            } => self.create_user(
                definitions,
                name,
                login.as_deref(),
                default_schema.clone(),
                &prepared.sid,
            ),
            AdminStatement::AlterUser {
                name,
                rename,
                login,
                default_schema,
            } => self.alter_user(
                definitions,
                name,
                (rename.as_deref(), login.as_deref()),
                default_schema.as_ref(),
            ),
            AdminStatement::DropUser { name } => self.drop_user(definitions, name),
            AdminStatement::CreateRole {
                server,
                name,
                owner,
            } => self.create_role(definitions, *server, name, owner.as_deref(), &prepared.sid),
            AdminStatement::RenameRole { server, name, new } => {
                self.rename_role(definitions, *server, name, new)
            }
            AdminStatement::DropRole { server, name } => self.drop_role(definitions, *server, name),
            AdminStatement::RoleOwner {
                server,
                name,
                owner,
            } => self.give_role(definitions, *server, name, owner),
            AdminStatement::AlterRole { role, member, add } => {
                self.alter_role(definitions, role, member, *add)
            }
            AdminStatement::AlterServerRole { role, member, add } => {
                self.alter_server_role(definitions, role, member, *add)
            }
            AdminStatement::Permission(change) => self.set_permissions(definitions, change),
            AdminStatement::CreateCredential { name, identity, .. } => {
                self.create_credential(definitions, name, identity, prepared.sealed)
            }
            AdminStatement::AlterCredential { name, identity, .. } => {
                self.alter_credential(definitions, name, identity, prepared.sealed)
            }
            AdminStatement::DropCredential { name } => credentials::drop(definitions, name),
            _ => Err(raise(40515, &["Statement".into(), "".into()]).into()),
        }
    }
}

/// 15151 unless the caller has the permission.
fn check_may(
    rights: &Rights<'_>,
    on: On<'_>,
    permission: &str,
    (verb, kind, name): (&str, &str, &str),
) -> Result<()> {
    if rights.may(on, permission)? {
        return Ok(());
    }
    Err(missing(verb, kind, name))
}

const fn role_on<'n>(server: bool, database: &'n str, name: &'n str) -> On<'n> {
    if server {
        On::ServerRole(name)
    } else {
        On::Role(database, name)
    }
}

fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() || name.encode_utf16().count() > NAME_UNITS_MAX {
        let most = i64::try_from(NAME_UNITS_MAX).unwrap_or(i64::MAX);
        return Err(raise(14250, &["name".into(), most.into()]).into());
    }
    Ok(())
}

fn missing(verb: &str, kind: &str, name: &str) -> crate::error::Fault {
    raise(15151, &[verb.into(), kind.into(), name.into()]).into()
}
