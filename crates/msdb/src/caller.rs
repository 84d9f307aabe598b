//! Who calls, and what that login may do: server roles, msdb roles, grants.

use crate::declare::{Execute, Procedure};
use crate::error::Result;
use crate::messages::{denied, raise};
use crate::rights::roles_of;
use catalog::{DefinitionsRead, GrantState};
use model::Job;
use std::collections::BTreeSet;
use tsql::SqlError;

/// SID of `sa`.
pub(crate) const SA_SID: &[u8] = &[1];
/// Server role that may do everything.
pub(crate) const SYSADMIN: &str = "sysadmin";

/// Fixed server roles. Only sysadmin means anything to Muster; the others may have members.
pub(crate) const SERVER_ROLES: &[&str] = &[
    "sysadmin",
    "securityadmin",
    "serveradmin",
    "setupadmin",
    "processadmin",
    "diskadmin",
    "dbcreator",
    "bulkadmin",
    "public",
];

/// Fixed roles of every database.
pub(crate) const DATABASE_ROLES: &[&str] = &[
    "public",
    "db_owner",
    "db_accessadmin",
    "db_securityadmin",
    "db_ddladmin",
    "db_backupoperator",
    "db_datareader",
    "db_datawriter",
    "db_denydatareader",
    "db_denydatawriter",
];

/// The Agent's roles of msdb.
pub(crate) const MSDB_ROLES: &[&str] = &[
    "SQLAgentUserRole",
    "SQLAgentReaderRole",
    "SQLAgentOperatorRole",
    "TargetServersRole",
];

/// The Agent's roles, each with the rights of those before it.
/// Source: SQL Server Agent Fixed Database Roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AgentRole {
    /// None of them.
    None,
    /// SQLAgentUserRole: own local jobs.
    User,
    /// SQLAgentReaderRole: sees all jobs.
    Reader,
    /// SQLAgentOperatorRole: starts, stops, enables all local jobs.
    Operator,
    /// sysadmin: everything.
    Sysadmin,
}

impl AgentRole {
    /// The role of msdb with this name, where it is one of the Agent's.
    fn named(name: &str) -> Option<Self> {
        let roles = [
            ("SQLAgentUserRole", Self::User),
            ("SQLAgentReaderRole", Self::Reader),
            ("SQLAgentOperatorRole", Self::Operator),
        ];
        let known = |(role, _): &(&str, Self)| role.eq_ignore_ascii_case(name);
        roles.into_iter().find(known).map(|(_, role)| role)
    }
}

/// The caller of a statement with its rights, as they are at that statement.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Login.
    pub(crate) login: String,
    /// Its SID.
    pub(crate) sid: Vec<u8>,
    /// Member of sysadmin.
    pub(crate) sysadmin: bool,
    /// Its user in msdb: `dbo` for sysadmin, `guest` without one.
    pub(crate) user: String,
    /// The highest of the Agent's roles.
    pub(crate) agent: AgentRole,
    /// Member of TargetServersRole.
    pub(crate) targets_role: bool,
    /// Roles of msdb, lower case, those included by membership too.
    roles: BTreeSet<String>,
}

impl Caller {
    /// Looks up what a login may do.
    pub(crate) fn resolve(
        definitions: &dyn DefinitionsRead,
        login: &str,
        sid: &[u8],
    ) -> Result<Self> {
        let mut caller = Self::member_of_sysadmin(login, sid);
        if !is_sysadmin(definitions, login, sid)? {
            caller.sysadmin = false;
            "guest".clone_into(&mut caller.user);
            caller.resolve_user(definitions)?;
        }
        Ok(caller)
    }

    /// `sa`, who may do everything whatever the catalog holds; `None` for another login.
    pub(crate) fn sa(login: &str, sid: &[u8]) -> Option<Self> {
        (sid == SA_SID).then(|| Self::member_of_sysadmin(login, sid))
    }

    fn member_of_sysadmin(login: &str, sid: &[u8]) -> Self {
        Self {
            login: login.to_owned(),
            sid: sid.to_vec(),
            sysadmin: true,
            user: "dbo".to_owned(),
            agent: AgentRole::Sysadmin,
            targets_role: true,
            roles: BTreeSet::new(),
        }
    }

    fn resolve_user(&mut self, definitions: &dyn DefinitionsRead) -> Result<()> {
        self.roles.insert("public".to_owned());
        if let Some(user) = definitions.database_user_by_sid("msdb", &self.sid)? {
            self.roles = roles_of(definitions, "msdb", &user.name)?;
            self.user = user.name;
        }
        self.agent = if self.has_role("SQLAgentOperatorRole") {
            AgentRole::Operator
        } else if self.has_role("SQLAgentReaderRole") {
            AgentRole::Reader
        } else if self.has_role("SQLAgentUserRole") {
            AgentRole::User
        } else {
            AgentRole::None
        };
        self.targets_role = self.has_role("TargetServersRole");
        Ok(())
    }

    /// Member of a role of msdb. sysadmin is a member of every one.
    pub(crate) fn has_role(&self, role: &str) -> bool {
        self.sysadmin || self.roles.contains(&role.to_lowercase())
    }

    /// Whether the Agent's role includes `least`.
    pub(crate) fn is(&self, least: AgentRole) -> bool {
        self.agent >= least
    }

    /// Member of a role of msdb, or of one of the Agent's roles that includes it.
    pub(crate) fn reaches_role(&self, role: &str) -> bool {
        self.has_role(role) || AgentRole::named(role).is_some_and(|least| self.is(least))
    }

    /// Owns the job.
    pub(crate) fn owns(&self, job: &Job) -> bool {
        self.sid == job.owner_sid
    }

    /// May see a job: its owner, and every reader.
    pub(crate) fn sees(&self, job: &Job) -> bool {
        self.is(AgentRole::Reader) || self.owns(job)
    }

    /// 229 unless the caller may execute the procedure: by its least role or a GRANT, and no DENY.
    ///
    /// # Errors
    /// 229; what the catalog raises.
    pub(crate) fn check_execute(
        &self,
        definitions: &dyn DefinitionsRead,
        procedure: &Procedure,
    ) -> Result<()> {
        if self.may_execute(definitions, procedure)? {
            return Ok(());
        }
        let (database, schema) = procedure.database.place();
        Err(denied("EXECUTE", procedure.name, database, schema).into())
    }

    /// Whether the caller may execute the procedure.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn may_execute(
        &self,
        definitions: &dyn DefinitionsRead,
        procedure: &Procedure,
    ) -> Result<bool> {
        if self.sysadmin {
            return Ok(true);
        }
        let (database, _) = procedure.database.place();
        let by_role = match procedure.execute {
            Execute::Public => true,
            Execute::User => self.is(AgentRole::User),
            Execute::Reader => self.is(AgentRole::Reader),
            Execute::Operator => self.is(AgentRole::Operator),
            Execute::TargetServers => self.targets_role,
            Execute::Sysadmin => false,
        };
        let granted = self.granted(definitions, database, procedure.name, "EXECUTE")?;
        Ok(granted.unwrap_or(by_role || self.has_role("db_owner")))
    }

    /// What GRANT and DENY say of a permission on an object of a database; DENY wins.
    pub(crate) fn granted(
        &self,
        definitions: &dyn DefinitionsRead,
        database: &str,
        object: &str,
        permission: &str,
    ) -> Result<Option<bool>> {
        let mut granted = None;
        for grant in definitions.grants(database)? {
            let about = grant.object.rsplit('.').next().unwrap_or_default();
            let to_me = grant.grantee.eq_ignore_ascii_case(&self.user)
                || self.roles.contains(&grant.grantee.to_lowercase());
            if to_me
                && about.eq_ignore_ascii_case(object)
                && grant.permission.eq_ignore_ascii_case(permission)
            {
                match grant.state {
                    GrantState::Denied => return Ok(Some(false)),
                    GrantState::Granted => granted = Some(true),
                }
            }
        }
        Ok(granted)
    }

    /// Whether the caller has any permission on an object that a user made, by a GRANT or as one of the database's
    /// owners, readers or definers.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn sees_object(
        &self,
        definitions: &dyn DefinitionsRead,
        database: &str,
        object: &str,
    ) -> Result<bool> {
        const SEE_ALL: &[&str] = &["db_owner", "db_ddladmin", "db_datareader", "db_datawriter"];
        if self.sysadmin {
            return Ok(true);
        }
        let user = definitions.database_user_by_sid(database, &self.sid)?;
        let name = user.map_or_else(|| "guest".to_owned(), |user| user.name);
        let mut mine = vec!["public".to_owned(), name.clone()];
        for member in definitions.role_members(database)? {
            if member.member.eq_ignore_ascii_case(&name) {
                mine.push(member.role);
            }
        }
        let is_mine = |name: &str| mine.iter().any(|known| known.eq_ignore_ascii_case(name));
        if SEE_ALL.iter().any(|role| is_mine(role)) {
            return Ok(true);
        }
        Ok(definitions.grants(database)?.iter().any(|grant| {
            let about = grant.object.rsplit('.').next().unwrap_or_default();
            grant.state == GrantState::Granted
                && about.eq_ignore_ascii_case(object)
                && is_mine(&grant.grantee)
        }))
    }

    /// `error` unless the caller is a member of sysadmin.
    pub(crate) fn require_sysadmin(&self, error: impl FnOnce() -> SqlError) -> Result<()> {
        if self.sysadmin {
            Ok(())
        } else {
            Err(error().into())
        }
    }
}

/// Whether a login is a member of sysadmin; `sa` always is.
pub(crate) fn is_sysadmin(
    definitions: &dyn DefinitionsRead,
    login: &str,
    sid: &[u8],
) -> Result<bool> {
    Ok(sid == SA_SID || definitions.is_role_member("", SYSADMIN, login)?)
}

/// Whether the login behind a SID is a member of sysadmin. A SID without a login is none.
pub(crate) fn sid_is_sysadmin(definitions: &dyn DefinitionsRead, sid: &[u8]) -> Result<bool> {
    if sid == SA_SID {
        return Ok(true);
    }
    match definitions.login_by_sid(sid)? {
        Some(login) => is_sysadmin(definitions, &login.name, sid),
        None => Ok(false),
    }
}

/// 14396 unless sysadmin, for a change of a multiserver job; 14525 for a change of another's local job.
pub(crate) fn check_may_change(caller: &Caller, job: &Job, multiserver: bool) -> Result<()> {
    if caller.sysadmin {
        Ok(())
    } else if multiserver {
        Err(raise(14396, &[]).into())
    } else if caller.owns(job) {
        Ok(())
    } else {
        Err(raise(14525, &[]).into())
    }
}
