//! Whose rights count in a session, what the caller may do, and whom it may act as.

use super::MsdbHost;
use crate::admin;
use crate::caller::Caller;
use crate::error::{Fault, Result};
use crate::messages::raise;
use crate::rights::{On, Rights, roles_of, same};
use catalog::{Catalog, Login, PrincipalKind, name_key};
use engine::host::{Identity, Impersonated, Securable};
use tsql::SqlError;

impl MsdbHost {
    /// Whether rights, whatever they are of, say yes. `sa` may do everything.
    pub(super) fn judge(&self, question: impl FnOnce(&Rights<'_>) -> Result<bool>) -> bool {
        if Caller::sa(&self.made, &self.identity, &self.original).is_some() {
            return true;
        }
        self.ask(|definitions| {
            question(&Rights::new(definitions, &self.made, &self.identity)).map(Some)
        })
        .unwrap_or(false)
    }

    /// The identity of a user of a database.
    pub(super) fn user_identity(&self, database: &str, user: &str) -> Result<Option<Identity>> {
        let scoped = |login: String, sid: Vec<u8>, user: &str| Identity {
            login,
            sid,
            user: Some((database.to_owned(), user.to_owned())),
        };
        let answer = self.catalog.definitions_read(|definitions| {
            let found = admin::principal(definitions, database, user)?;
            Ok::<_, Fault>(match found {
                Some(admin::Found::Dbo) => {
                    let owner = self.made.database(database).map(|info| info.owner_sid);
                    let owner = owner.unwrap_or_default();
                    let login = definitions.login_by_sid(&owner)?;
                    let login = login.map_or_else(|| sid_text(&owner), |login| login.name);
                    Some(scoped(login, owner, "dbo"))
                }
                Some(admin::Found::Guest) => Some(scoped("guest".to_owned(), vec![0], "guest")),
                Some(admin::Found::User(user)) => {
                    let login = match user.kind {
                        PrincipalKind::User => definitions.login_by_sid(&user.sid)?,
                        PrincipalKind::WithoutLogin | PrincipalKind::Role => None,
                    };
                    let login = login.map_or_else(|| sid_text(&user.sid), |login| login.name);
                    Some(scoped(login, user.sid, &user.name))
                }
                Some(admin::Found::Role(_) | admin::Found::FixedRole(_)) | None => None,
            })
        })?;
        Ok(answer)
    }

    /// The identity of somebody whom the caller may act as.
    pub(super) fn impersonated(&self, database: &str, whom: Impersonated<'_>) -> Result<Identity> {
        let sa = Caller::sa(&self.made, &self.identity, &self.original).is_some();
        match whom {
            Impersonated::User(user) => {
                let may = sa || self.judge(|rights| rights.may_impersonate_user(database, user));
                let found = if may {
                    self.user_identity(database, user)?
                } else {
                    None
                };
                found.ok_or_else(|| raise(15517, &[user.into()]).into())
            }
            Impersonated::Login(name) => {
                let login = self.catalog.definitions_read(|definitions| {
                    let rights = Rights::new(definitions, &self.made, &self.identity);
                    match definitions.login(name)? {
                        Some(login) if rights.may_impersonate_login(&login.name)? => {
                            Ok::<_, Fault>(Some(login))
                        }
                        _ => Ok(None),
                    }
                })?;
                let login = login.ok_or_else(|| raise(15406, &[name.into()]))?;
                let identity = Identity {
                    login: login.name,
                    sid: login.sid,
                    user: None,
                };
                let enters = self.catalog.definitions_read(|definitions| {
                    let rights = Rights::new(definitions, &self.made, &identity);
                    Ok::<_, Fault>(rights.in_database(database)?.is_some())
                })?;
                if !enters {
                    let login = (&identity.login).into();
                    return Err(raise(916, &[login, database.into()]).into());
                }
                Ok(identity)
            }
        }
    }

    /// The caller's user in a database.
    pub(super) fn user_in(&self, database: &str) -> String {
        if Caller::sa(&self.made, &self.identity, &self.original).is_some() {
            return "dbo".to_owned();
        }
        let user = self.ask(|definitions| {
            let rights = Rights::new(definitions, &self.made, &self.identity);
            Ok(rights
                .in_database(database)?
                .map(|token| token.user.clone()))
        });
        user.unwrap_or_else(|| "guest".to_owned())
    }

    /// The schema in which the caller's names are looked for first.
    pub(super) fn schema_in(&self, database: &str) -> String {
        let user = self.user_in(database);
        if same(&user, "dbo") {
            return "dbo".to_owned();
        }
        if same(&user, "guest") {
            return user;
        }
        let schema = self.ask(|definitions| {
            let user = definitions.database_user(database, &user)?;
            Ok(user.and_then(|user| user.default_schema))
        });
        schema.unwrap_or_else(|| "dbo".to_owned())
    }

    /// Whether something is said to the caller of some columns of an object.
    pub(super) fn depends_on_columns(
        &self,
        database: &str,
        (schema, name): (&str, &str),
        permission: &str,
    ) -> bool {
        // `sa` is kept from no column.
        if Caller::sa(&self.made, &self.identity, &self.original).is_some() {
            return false;
        }
        let on = On::Object(database, schema, name, None);
        self.judge(|rights| rights.depends_on_columns(on, permission))
    }

    /// Forgets everybody of a database that is gone.
    pub(super) fn forget_principals(&mut self, database: &str) -> Result<()> {
        let known = self.store().read(|definitions| {
            Ok(!definitions.database_users(database)?.is_empty()
                || !definitions.role_members(database)?.is_empty()
                || !definitions.grants(database)?.is_empty())
        })?;
        if known {
            let audit = self.audit("DROP DATABASE", database);
            self.store().write_audited(&audit, |definitions| {
                Ok(definitions.forget_database(database)?)
            })?;
        }
        Ok(())
    }

    /// Forgets the permissions on what is gone.
    pub(super) fn forget_permissions(&mut self, database: &str, on: Securable<'_>) -> Result<()> {
        let on = securable(database, on);
        let known = self.store().read(|definitions| {
            Ok(definitions
                .grants(database)?
                .iter()
                .any(|grant| on.is_of(grant)))
        })?;
        if known {
            let (class, schema, object, _) = on.stored();
            let audit = self.audit("DROP", if object.is_empty() { schema } else { object });
            self.store().write_audited(&audit, |definitions| {
                Ok(definitions.forget_securable(database, class, schema, object)?)
            })?;
        }
        Ok(())
    }

    /// IS_SRVROLEMEMBER
    pub(super) fn in_server_role(&self, role: &str, login: Option<&str>) -> Option<bool> {
        self.ask(|definitions| {
            let Some(role) = admin::known_server_role(definitions, role)? else {
                return Ok(None);
            };
            let Some(name) = login else {
                let rights = Rights::new(definitions, &self.made, &self.identity);
                let token = rights.server()?;
                // sysadmin stands for all that is always there.
                let all = token.sysadmin && admin::server_role(&role).is_some();
                return Ok(Some(all || token.names.contains(&name_key(&role))));
            };
            match definitions.login(name)? {
                Some(login) => Ok(Some(admin::in_server_role(definitions, &role, &login)?)),
                None => Ok(None),
            }
        })
    }

    /// IS_ROLEMEMBER and IS_MEMBER
    pub(super) fn in_role(&self, database: &str, role: &str, user: Option<&str>) -> Option<bool> {
        self.ask(|definitions| {
            let Some(role) = admin::known_role(definitions, database, role)? else {
                return Ok(None);
            };
            let Some(user) = user else {
                let rights = Rights::new(definitions, &self.made, &self.identity);
                if rights.server()?.sysadmin {
                    return Ok(Some(true));
                }
                let token = rights.in_database(database)?;
                return Ok(Some(token.is_some_and(|token| token.is(&role))));
            };
            match admin::principal(definitions, database, user)? {
                Some(found) => {
                    let dbo = same(found.name(), "dbo") && same(&role, "db_owner");
                    let roles = roles_of(definitions, database, found.name())?;
                    Ok(Some(dbo || roles.contains(&name_key(&role))))
                }
                None => Ok(None),
            }
        })
    }
}

/// Whether a login may open a session: not when CONNECT SQL is denied to it or to everyone.
///
/// # Errors
/// What the catalog raises.
pub fn may_connect(catalog: &Catalog, login: &Login) -> Result<bool, SqlError> {
    let answer: Result<bool, Fault> =
        catalog.definitions_read(|definitions| admin::may_connect(definitions, login));
    Ok(answer?)
}

/// A securable as the rights name it.
pub(super) fn securable<'s>(database: &'s str, on: Securable<'s>) -> On<'s> {
    match on {
        Securable::Server => On::Server,
        Securable::Database => On::Database(database),
        Securable::Schema(schema) => On::Schema(database, schema),
        Securable::Object(schema, name) => On::Object(database, schema, name, None),
        Securable::Column(schema, name, column) => On::Object(database, schema, name, Some(column)),
        Securable::User(user) => On::User(database, user),
        Securable::Type(schema, name) => On::Type(database, schema, name),
    }
}

/// A SID as text, `S-1-…`, which stands for the name of a login that there is not.
fn sid_text(sid: &[u8]) -> String {
    let [revision, _, rest @ ..] = sid else {
        return String::new();
    };
    let (authority, parts) = rest.split_at_checked(6).unwrap_or((rest, &[]));
    let authority = authority
        .iter()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let mut text = format!("S-{revision}-{authority}");
    for part in parts.chunks_exact(4) {
        let number = part
            .iter()
            .rev()
            .fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        text.push_str(&format!("-{number}"));
    }
    text
}
