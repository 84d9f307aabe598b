//! Who calls, and what that login may do: server roles, msdb roles, grants.

use crate::declare::{Execute, Procedure};
use crate::error::Result;
use crate::made::MadeObjects;
use crate::messages::{denied, raise};
use crate::rights::{On, Rights};
use catalog::{DefinitionsRead, name_key};
use engine::host::Identity;
use model::Job;
use std::collections::BTreeSet;
use tsql::SqlError;

/// SID of `sa`.
pub(crate) const SA_SID: &[u8] = &[1];
/// Server role that may do everything.
pub(crate) const SYSADMIN: &str = "sysadmin";

/// Fixed server roles.
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

/// The roles of msdb: the Agent's and Database Mail's.
pub(crate) const MSDB_ROLES: &[&str] = &[
    "SQLAgentUserRole",
    "SQLAgentReaderRole",
    "SQLAgentOperatorRole",
    "TargetServersRole",
    "DatabaseMailUserRole",
];

/// Roles of msdb and the roles that are members of them.
pub(crate) const MSDB_NESTED_ROLES: &[(&str, &str)] = &[
    ("SQLAgentUserRole", "SQLAgentReaderRole"),
    ("SQLAgentReaderRole", "SQLAgentOperatorRole"),
];

/// SID of a caller that is no login but a user of one database: it owns nothing and nothing is found by it.
const NO_LOGIN_SID: &[u8] = &[0, 0, 0];

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
    /// Login. Of somebody who acts as a user of one database, a text that is no login's name.
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
    /// Whose rights count.
    pub(crate) identity: Identity,
    /// The login that opened the session, when the caller acts as somebody else.
    pub(crate) original: Option<String>,
    /// The databases, which say what is whose.
    made: MadeObjects,
    /// Roles of msdb as keys, those included by membership too.
    roles: BTreeSet<String>,
}

impl Caller {
    /// Looks up what an identity may do. `original` is the login that opened the session.
    pub(crate) fn resolve(
        definitions: &dyn DefinitionsRead,
        made: &MadeObjects,
        identity: &Identity,
        original: &Identity,
    ) -> Result<Self> {
        let mut caller = Self::member_of_sysadmin(made, identity, original);
        let rights = Rights::new(definitions, made, identity);
        if rights.server()?.sysadmin {
            return Ok(caller);
        }
        caller.sysadmin = false;
        "guest".clone_into(&mut caller.user);
        caller.roles.insert(name_key("public"));
        let token = rights.in_database("msdb")?;
        let dbo = token.as_ref().is_some_and(|token| token.dbo);
        if let Some(token) = token {
            caller.user.clone_from(&token.user);
            caller.roles.clone_from(&token.names);
        }
        caller.agent = if caller.has_role("SQLAgentOperatorRole") || dbo {
            AgentRole::Operator
        } else if caller.has_role("SQLAgentReaderRole") {
            AgentRole::Reader
        } else if caller.has_role("SQLAgentUserRole") {
            AgentRole::User
        } else {
            AgentRole::None
        };
        caller.targets_role = caller.has_role("TargetServersRole");
        if let Some((database, user)) = &identity.user {
            // What a login owns or is granted by name is not for whoever acts as a user of one database: who owns the
            // database decides on its users, and would decide on that too.
            caller.login = format!("{} as {user} of {database}", original.login);
            caller.sid = NO_LOGIN_SID.to_vec();
        }
        Ok(caller)
    }

    /// `sa`, who may do everything whatever the catalog holds; `None` for another identity.
    pub(crate) fn sa(made: &MadeObjects, identity: &Identity, original: &Identity) -> Option<Self> {
        let sa = identity.sid == SA_SID && identity.user.is_none();
        sa.then(|| Self::member_of_sysadmin(made, identity, original))
    }

    fn member_of_sysadmin(made: &MadeObjects, identity: &Identity, original: &Identity) -> Self {
        Self {
            login: identity.login.clone(),
            sid: identity.sid.clone(),
            sysadmin: true,
            user: "dbo".to_owned(),
            agent: AgentRole::Sysadmin,
            targets_role: true,
            identity: identity.clone(),
            original: (identity != original).then(|| original.login.clone()),
            made: made.clone(),
            roles: BTreeSet::new(),
        }
    }

    /// What it may do, by the definitions of one snapshot.
    pub(crate) const fn rights<'r>(&'r self, definitions: &'r dyn DefinitionsRead) -> Rights<'r> {
        Rights::new(definitions, &self.made, &self.identity)
    }

    /// For the audit: who acts as the caller.
    pub(crate) fn audit_detail(&self) -> Option<String> {
        self.original.as_ref().map(|login| format!("by {login}"))
    }

    /// The SID that owns what the caller makes.
    ///
    /// # Errors
    /// 15404 for a user without a login.
    pub(crate) fn owner_sid(&self) -> Result<Vec<u8>> {
        if self.identity.user.is_some() {
            return Err(raise(15404, &[(&self.login).into()]).into());
        }
        Ok(self.sid.clone())
    }

    /// Member of a role of msdb. sysadmin is a member of every one.
    pub(crate) fn has_role(&self, role: &str) -> bool {
        self.sysadmin || self.roles.contains(&name_key(role))
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
        let (database, schema) = procedure.database.place();
        let by_role = match procedure.execute {
            Execute::Public => true,
            Execute::User => self.is(AgentRole::User),
            Execute::Reader => self.is(AgentRole::Reader),
            Execute::Operator => self.is(AgentRole::Operator),
            Execute::TargetServers => self.targets_role,
            Execute::MailUser => self.has_role("DatabaseMailUserRole"),
            Execute::Sysadmin => false,
        };
        let on = On::Object(database, schema, procedure.name, None);
        let said = self.rights(definitions).said(on, "EXECUTE")?;
        Ok(said.unwrap_or(by_role || self.has_role("db_owner")))
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
