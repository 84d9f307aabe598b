//! Logins.

use super::principals::{in_server_role, is_server_role};
use super::{Context, Prepared, check_name, missing};
use crate::call::Store;
use crate::caller::{SA_SID, SYSADMIN};
use crate::error::Result;
use crate::messages::raise;
use crate::rights::{On, Rights, same};
use catalog::{DefinitionsRead, DefinitionsWrite, JobFilter, Login};
use engine::host::{AdminStatement, Identity};

/// What ALTER LOGIN changes.
pub(super) struct LoginChange<'c> {
    pub(super) enabled: Option<bool>,
    pub(super) rename: Option<&'c str>,
    pub(super) default_database: Option<&'c str>,
    pub(super) hash: Option<String>,
}

impl Context<'_> {
    /// 15151 unless the caller may change or drop a login. One that may do more than its changer stays as it is:
    /// whoever sets a password can log in with it.
    pub(super) fn may_change_login(
        &self,
        rights: &Rights<'_>,
        verb: &str,
        name: &str,
    ) -> Result<()> {
        let refused = || missing(verb, "login", name);
        let login = rights.definitions.login(name)?.ok_or_else(refused)?;
        if !rights.may(On::Login(&login.name), "ALTER")? {
            return Err(refused());
        }
        if rights.may(On::Server, "CONTROL SERVER")? {
            // A member of sysadmin is for sysadmin alone to change.
            let above = in_server_role(rights.definitions, SYSADMIN, &login)?;
            return if above && !rights.server()?.sysadmin {
                Err(refused())
            } else {
                Ok(())
            };
        }
        let theirs = Identity {
            login: login.name.clone(),
            sid: login.sid.clone(),
            user: None,
        };
        let theirs = Rights::new(rights.definitions, self.made, &theirs);
        if theirs.may(On::Server, "CONTROL SERVER")? {
            return Err(refused());
        }
        Ok(())
    }

    /// Everyone may change their own password who knows the old one, and their own default database.
    pub(super) fn may_alter_login(
        &self,
        rights: &Rights<'_>,
        statement: &AdminStatement,
    ) -> Result<()> {
        let AdminStatement::AlterLogin {
            name,
            password,
            old_password,
            enabled,
            rename,
            ..
        } = statement
        else {
            return Err(raise(15247, &[]).into());
        };
        let identity = &self.caller.identity;
        let own = identity.user.is_none() && same(&identity.login, name);
        let plain = enabled.is_none() && rename.is_none();
        if own && plain && (password.is_none() || old_password.is_some()) {
            return Ok(());
        }
        self.may_change_login(rights, "alter", name)
    }

    /// 15211 for an old password that is not the caller's own. Outside of any lock: it takes as long as a login.
    pub(super) fn check_old_password(
        &self,
        store: &mut Store<'_>,
        statement: &AdminStatement,
    ) -> Result<()> {
        let AdminStatement::AlterLogin {
            name,
            old_password: Some(old),
            ..
        } = statement
        else {
            return Ok(());
        };
        let identity = &self.caller.identity;
        let own = identity.user.is_none() && same(&identity.login, name);
        let login = store.read(|definitions| Ok(definitions.login(name)?))?;
        let stored = login.and_then(|login| login.password_hash);
        let right =
            own && stored.is_some_and(|stored| self.services.verify_password(&stored, &old.text));
        if right {
            Ok(())
        } else {
            Err(raise(15211, &[]).into())
        }
    }

    fn check_database(&self, name: Option<&str>) -> Result<()> {
        match name {
            Some(name) if self.made.database(name).is_none() => {
                Err(raise(15010, &[name.into()]).into())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn create_login(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        name: &str,
        default_database: Option<&str>,
        prepared: Prepared,
    ) -> Result<()> {
        if definitions.login(name)?.is_some() || is_server_role(&*definitions, name)? {
            return Err(raise(15025, &[name.into()]).into());
        }
        if name.contains('\\') {
            return Err(raise(15006, &[name.into()]).into());
        }
        let sid_taken = definitions.login_by_sid(&prepared.sid)?.is_some();
        if sid_taken || prepared.sid.len() != 16 {
            return Err(raise(15433, &[]).into());
        }
        self.check_database(default_database)?;
        definitions.create_login(&Login {
            id: 0,
            name: name.to_owned(),
            sid: prepared.sid,
            password_hash: prepared.hash,
            enabled: true,
            default_database: default_database.unwrap_or("master").to_owned(),
            created: self.now,
            modified: self.now,
        })?;
        Ok(())
    }

    pub(super) fn alter_login(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        name: &str,
        change: LoginChange<'_>,
    ) -> Result<()> {
        let mut login = definitions
            .login(name)?
            .ok_or_else(|| missing("alter", "login", name))?;
        if let Some(enabled) = change.enabled {
            login.enabled = enabled;
        }
        if change.hash.is_some() {
            login.password_hash = change.hash;
        }
        self.check_database(change.default_database)?;
        if let Some(database) = change.default_database {
            database.clone_into(&mut login.default_database);
        }
        if let Some(new) = change.rename {
            check_name(new)?;
            let other = definitions.login(new)?;
            let taken = other.is_some_and(|other| other.sid != login.sid);
            if taken || is_server_role(&*definitions, new)? {
                return Err(raise(15025, &[new.into()]).into());
            }
            new.clone_into(&mut login.name);
        }
        login.modified = self.now;
        Ok(definitions.update_login(&login)?)
    }

    pub(super) fn drop_login(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        name: &str,
    ) -> Result<()> {
        let login = definitions
            .login(name)?
            .ok_or_else(|| missing("drop", "login", name))?;
        let mut databases = self.made.databases().into_iter();
        if login.sid == SA_SID || databases.any(|info| info.owner_sid == login.sid) {
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
        let roles = definitions.database_users("")?;
        if roles.iter().any(|role| same(&role.owner, &login.name)) {
            return Err(raise(15141, &["server role".into()]).into());
        }
        let mut sessions = self.services.sessions().into_iter();
        if sessions.any(|session| session.sid == login.sid) {
            return Err(raise(15434, &[name.into()]).into());
        }
        Ok(definitions.delete_login(&login.name)?)
    }
}

/// Whether somebody may log in: not when it is denied, to them or to everyone.
///
/// # Errors
/// What the catalog raises.
pub(crate) fn may_connect(definitions: &dyn DefinitionsRead, login: &Login) -> Result<bool> {
    let identity = Identity {
        login: login.name.clone(),
        sid: login.sid.clone(),
        user: None,
    };
    let made = crate::made::MadeObjects::default();
    Rights::new(definitions, &made, &identity).may(On::Server, "CONNECT SQL")
}
