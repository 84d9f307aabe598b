//! Logins, users, roles and credentials: CREATE LOGIN, ALTER ROLE and the statements like them.

use crate::call::Store;
use crate::caller::{Caller, DATABASE_ROLES, MSDB_ROLES, SA_SID, SERVER_ROLES, SYSADMIN};
use crate::error::Result;
use crate::messages::raise;
use crate::services::{SecretError, Services};
use catalog::{
    AuditEntry, Credential, DatabaseUser, DefinitionsRead, DefinitionsWrite, Grant, GrantState,
    JobFilter, Login, RoleMember,
};
use engine::host::AdminStatement;
use jiff::Timestamp;
use tsql::SqlError;

/// Longest password, in UTF-16 units. Source: CREATE LOGIN, PASSWORD.
const PASSWORD_UNITS_MAX: usize = 128;
/// Longest name, in UTF-16 units.
const NAME_UNITS_MAX: usize = 128;

/// Names that can't be created or changed as users and members of roles.
const SPECIAL_PRINCIPALS: &[&str] = &["dbo", "guest", "sys", "INFORMATION_SCHEMA", "public"];

/// Carries a statement out, with its audit row. Passwords are hashed and secrets sealed before any lock is
/// taken.
pub(crate) fn administer(
    store: &mut Store<'_>,
    caller: &Caller,
    services: &dyn Services,
    now: Timestamp,
    database: &str,
    statement: &AdminStatement,
) -> Result<()> {
    let context = Context {
        caller,
        now,
        database,
    };
    let (action, object) = context.check(statement)?;
    let prepared = Prepared::new(services, statement)?;
    let audit = AuditEntry {
        at: now,
        principal: caller.login.clone(),
        action: action.to_owned(),
        object,
        detail: None,
    };
    store.write_audited(&audit, |definitions| {
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
            } => {
                check_password(name, password)?;
                prepared.hash = Some(services.hash_password(password).map_err(failed)?);
                prepared.sid = match sid {
                    Some(sid) => sid.clone(),
                    None => services.new_uuid().as_bytes().to_vec(),
                };
            }
            AdminStatement::AlterLogin {
                name,
                password: Some(password),
                ..
            } => {
                check_password(name, password)?;
                prepared.hash = Some(services.hash_password(password).map_err(failed)?);
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
            | AdminStatement::CreateUser { .. }
            | AdminStatement::DropUser { .. }
            | AdminStatement::AlterRole { .. }
            | AdminStatement::AlterServerRole { .. }
            | AdminStatement::Permission { .. }
            | AdminStatement::CreateCredential { .. }
            | AdminStatement::AlterCredential { .. }
            | AdminStatement::DropCredential { .. }
            | _ => {}
        }
        Ok(prepared)
    }
}

fn check_password(login: &str, password: &str) -> Result<()> {
    let units = password.encode_utf16().count();
    if units == 0 || units > PASSWORD_UNITS_MAX || password.eq_ignore_ascii_case(login) {
        let most = i64::try_from(PASSWORD_UNITS_MAX).unwrap_or(i64::MAX);
        return Err(raise(15118, &[most.into()]).into());
    }
    Ok(())
}

struct Context<'c> {
    caller: &'c Caller,
    now: Timestamp,
    database: &'c str,
}

impl Context<'_> {
    /// Who may do what, and what the audit calls it. 15247 without permission.
    fn check(&self, statement: &AdminStatement) -> Result<(&'static str, String)> {
        let caller = self.caller;
        let in_msdb = self.database.eq_ignore_ascii_case("msdb");
        let owns_database = caller.sysadmin || (in_msdb && caller.has_role("db_owner"));
        let (allowed, action, object) = match statement {
            AdminStatement::CreateLogin { name, .. } => (caller.sysadmin, "CREATE LOGIN", name),
            // Changing one's own password needs the old one, which a statement doesn't bring here yet; without
            // it, whoever finds an open session could take the login over.
            AdminStatement::AlterLogin { name, .. } if !caller.sysadmin => {
                return Err(missing("alter", "login", name));
            }
            AdminStatement::AlterLogin { name, .. } => (true, "ALTER LOGIN", name),
            AdminStatement::DropLogin { name } => (caller.sysadmin, "DROP LOGIN", name),
            AdminStatement::CreateUser { name, .. } => (owns_database, "CREATE USER", name),
            AdminStatement::DropUser { name } => (owns_database, "DROP USER", name),
            AdminStatement::AlterRole { role, .. } => (owns_database, "ALTER ROLE", role),
            AdminStatement::Permission { object, .. } => {
                (owns_database, "GRANT, DENY or REVOKE", object)
            }
            AdminStatement::AlterServerRole { role, .. } => {
                (caller.sysadmin, "ALTER SERVER ROLE", role)
            }
            AdminStatement::CreateCredential { name, .. } => {
                (caller.sysadmin, "CREATE CREDENTIAL", name)
            }
            AdminStatement::AlterCredential { name, .. } => {
                (caller.sysadmin, "ALTER CREDENTIAL", name)
            }
            AdminStatement::DropCredential { name } => (caller.sysadmin, "DROP CREDENTIAL", name),
            _ => return Err(raise(40515, &["Statement".into(), "".into()]).into()),
        };
        if !allowed {
            return Err(raise(15247, &[]).into());
        }
        if object.trim().is_empty() || object.encode_utf16().count() > NAME_UNITS_MAX {
            let most = i64::try_from(NAME_UNITS_MAX).unwrap_or(i64::MAX);
            return Err(raise(14250, &["name".into(), most.into()]).into());
        }
        Ok((action, object.clone()))
    }

    fn run(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        statement: &AdminStatement,
        prepared: Prepared,
    ) -> Result<()> {
        match statement {
            AdminStatement::CreateLogin { name, .. } => {
                self.create_login(definitions, name, prepared)
            }
            AdminStatement::AlterLogin { name, enabled, .. } => {
                self.alter_login(definitions, name, *enabled, prepared.hash)
            }
            AdminStatement::DropLogin { name } => drop_login(definitions, name),
            AdminStatement::CreateUser { name, login } => {
                self.create_user(definitions, name, login)
            }
            AdminStatement::DropUser { name } => {
                if is_special(name) {
                    return Err(raise(15405, &[name.into()]).into());
                }
                if definitions.database_user(self.database, name)?.is_none() {
                    return Err(missing("drop", "user", name));
                }
                Ok(definitions.delete_database_user(self.database, name)?)
            }
            AdminStatement::AlterRole { role, member, add } => {
                self.alter_role(definitions, role, member, *add)
            }
            AdminStatement::AlterServerRole { role, member, add } => {
                alter_server_role(definitions, role, member, *add)
            }
            AdminStatement::Permission {
                state,
                permission,
                object,
                grantee,
            } => self.set_permission(definitions, *state, permission, object, grantee),
            AdminStatement::CreateCredential { name, identity, .. } => {
                if definitions.credential_by_name(name)?.is_some() {
                    return Err(raise(15530, &["credential".into(), name.into()]).into());
                }
                definitions.create_credential(&Credential {
                    id: 0,
                    name: name.clone(),
                    identity: identity.clone(),
                    sealed_secret: prepared.sealed,
                    created: self.now,
                    modified: self.now,
                })?;
                Ok(())
            }
            AdminStatement::AlterCredential { name, identity, .. } => {
                let mut credential = definitions
                    .credential_by_name(name)?
                    .ok_or_else(|| missing("alter", "credential", name))?;
                credential.identity.clone_from(identity);
                // Without a SECRET the old one goes, as in SQL Server.
                credential.sealed_secret = prepared.sealed;
                credential.modified = self.now;
                Ok(definitions.update_credential(&credential)?)
            }
            AdminStatement::DropCredential { name } => {
                let credential = definitions
                    .credential_by_name(name)?
                    .ok_or_else(|| missing("drop", "credential", name))?;
                Ok(definitions.delete_credential(credential.id)?)
            }
            _ => Err(raise(40515, &["Statement".into(), "".into()]).into()),
        }
    }

    fn create_login(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        name: &str,
        prepared: Prepared,
    ) -> Result<()> {
        if definitions.login(name)?.is_some() || is_server_role(name) {
            return Err(raise(15025, &[name.into()]).into());
        }
        let sid_taken = definitions.login_by_sid(&prepared.sid)?.is_some();
        if sid_taken || prepared.sid.len() != 16 {
            return Err(raise(15433, &[]).into());
        }
        definitions.create_login(&Login {
            id: 0,
            name: name.to_owned(),
            sid: prepared.sid,
            password_hash: prepared.hash,
            enabled: true,
            default_database: "master".to_owned(),
            created: self.now,
            modified: self.now,
        })?;
        Ok(())
    }

    fn alter_login(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        name: &str,
        enabled: Option<bool>,
        hash: Option<String>,
    ) -> Result<()> {
        let mut login = definitions
            .login(name)?
            .ok_or_else(|| missing("alter", "login", name))?;
        if let Some(enabled) = enabled {
            login.enabled = enabled;
        }
        if hash.is_some() {
            login.password_hash = hash;
        }
        login.modified = self.now;
        Ok(definitions.update_login(&login)?)
    }

    fn create_user(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        name: &str,
        login: &str,
    ) -> Result<()> {
        let login = definitions
            .login(login)?
            .ok_or_else(|| raise(15007, &[login.into()]))?;
        let by_sid = definitions.database_user_by_sid(self.database, &login.sid)?;
        let taken = definitions.database_user(self.database, name)?.is_some()
            || by_sid.is_some()
            || is_special(name)
            || self.role(name).is_some()
            || login.sid == SA_SID;
        if taken {
            return Err(raise(15023, &[name.into()]).into());
        }
        definitions.create_database_user(&DatabaseUser {
            id: 0,
            database: self.database.to_owned(),
            name: name.to_owned(),
            sid: login.sid,
            created: self.now,
        })?;
        Ok(())
    }

    fn set_permission(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        state: Option<bool>,
        permission: &str,
        object: &str,
        grantee: &str,
    ) -> Result<()> {
        let grantee = match definitions.database_user(self.database, grantee)? {
            Some(user) => user.name,
            None => self
                .role(grantee)
                .ok_or_else(|| missing("find", "user", grantee))?
                .to_owned(),
        };
        let grant = Grant {
            database: self.database.to_owned(),
            object: object.to_owned(),
            grantee,
            permission: permission.to_owned(),
            state: if state == Some(false) {
                GrantState::Denied
            } else {
                GrantState::Granted
            },
        };
        match state {
            Some(_) => Ok(definitions.set_grant(&grant)?),
            // What was never given is taken back without complaint.
            None => definitions
                .clear_grant(&grant)
                .map(drop)
                .map_err(Into::into),
        }
    }

    fn alter_role(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        role: &str,
        member: &str,
        add: bool,
    ) -> Result<()> {
        let role = self
            .role(role)
            .filter(|role| *role != "public")
            .ok_or_else(|| raise(15014, &[role.into()]))?;
        if is_special(member) {
            return Err(raise(15405, &[member.into()]).into());
        }
        let member = match definitions.database_user(self.database, member)? {
            Some(user) => user.name,
            None => self
                .role(member)
                .filter(|other| *other != role)
                .ok_or_else(|| raise(15410, &[member.into()]))?
                .to_owned(),
        };
        change_member(
            definitions,
            RoleMember {
                database: self.database.to_owned(),
                role: role.to_owned(),
                member,
            },
            add,
        )
    }

    /// A role of the database in its usual spelling.
    fn role(&self, name: &str) -> Option<&'static str> {
        database_role(self.database, name)
    }
}

fn drop_login(definitions: &mut dyn DefinitionsWrite, name: &str) -> Result<()> {
    let login = definitions
        .login(name)?
        .ok_or_else(|| missing("drop", "login", name))?;
    if login.sid == SA_SID {
        return Err(raise(15174, &[name.into()]).into());
    }
    let owned = definitions.job_count(&JobFilter {
        owner_sid: Some(login.sid.clone()),
        ..JobFilter::default()
    })?;
    if owned > 0 {
        let owned = i64::try_from(owned).unwrap_or(i64::MAX);
        return Err(raise(15170, &[name.into(), owned.into()]).into());
    }
    Ok(definitions.delete_login(&login.name)?)
}

fn alter_server_role(
    definitions: &mut dyn DefinitionsWrite,
    role: &str,
    member: &str,
    add: bool,
) -> Result<()> {
    let role = SERVER_ROLES
        .iter()
        .find(|known| known.eq_ignore_ascii_case(role) && **known != "public")
        .ok_or_else(|| missing("alter", "server role", role))?;
    let login = definitions
        .login(member)?
        .ok_or_else(|| missing("add", "login", member))?;
    if login.sid == SA_SID && *role == SYSADMIN {
        return Err(raise(15405, &[member.into()]).into());
    }
    change_member(
        definitions,
        RoleMember {
            database: String::new(),
            role: (*role).to_owned(),
            member: login.name,
        },
        add,
    )
}

fn change_member(
    definitions: &mut dyn DefinitionsWrite,
    member: RoleMember,
    add: bool,
) -> Result<()> {
    if add {
        definitions.add_role_member(&member)?;
    } else if !definitions.remove_role_member(&member)? {
        return Err(missing("drop", "role member", &member.member));
    }
    Ok(())
}

fn missing(verb: &str, kind: &str, name: &str) -> crate::error::Fault {
    raise(15151, &[verb.into(), kind.into(), name.into()]).into()
}

fn is_special(name: &str) -> bool {
    SPECIAL_PRINCIPALS
        .iter()
        .any(|special| special.eq_ignore_ascii_case(name))
}

fn is_server_role(name: &str) -> bool {
    server_role(name).is_some()
}

/// Whether a role exists in a database, for IS_MEMBER and kin.
pub(crate) fn database_role(database: &str, name: &str) -> Option<&'static str> {
    let msdb = database.eq_ignore_ascii_case("msdb");
    let own = if msdb { MSDB_ROLES } else { &[] };
    DATABASE_ROLES
        .iter()
        .chain(own)
        .find(|role| role.eq_ignore_ascii_case(name))
        .copied()
}

/// The server role of a name in its usual spelling.
pub(crate) fn server_role(name: &str) -> Option<&'static str> {
    SERVER_ROLES
        .iter()
        .find(|role| role.eq_ignore_ascii_case(name))
        .copied()
}

/// Whether a login is a direct member of a server role.
pub(crate) fn in_server_role(
    definitions: &dyn DefinitionsRead,
    role: &str,
    login: &Login,
) -> Result<bool> {
    Ok(role == "public"
        || (role == SYSADMIN && login.sid == SA_SID)
        || definitions.is_role_member("", role, &login.name)?)
}
