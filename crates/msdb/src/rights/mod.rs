//! What an identity may do: memberships, GRANT and DENY, fixed roles, ownership, and what includes what.
//!
//! Start with [`Rights::may`]. A DENY of the permission, or of one that includes it, wins over every GRANT; nothing is
//! denied to sysadmin, to a database's `dbo`, or to the owner of a schema or role.

mod builtin;

pub(crate) use builtin::{BUILTIN, Class, covering, find, of_class};

use crate::caller::{DATABASE_ROLES, MSDB_NESTED_ROLES, SA_SID, SERVER_ROLES, SYSADMIN};
use crate::error::Result;
use crate::made::MadeObjects;
use builtin::{denied_by_role, of_database_role, of_server_role};
use catalog::{DefinitionsRead, Grant, GrantClass, GrantState, name_key};
use engine::host::Identity;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Databases that everyone may enter as guest unless it is denied.
const OPEN_TO_GUESTS: &[&str] = &["master", "tempdb", "msdb"];

/// Permissions on the server that would make whoever gets them as mighty as sysadmin: securityadmin does not give them.
const KEPT_FROM_SECURITYADMIN: &[&str] = &[
    "CONTROL SERVER",
    "IMPERSONATE ANY LOGIN",
    "AUTHENTICATE SERVER",
    "ALTER ANY SERVER ROLE",
];

/// What a permission is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On<'s> {
    /// The server.
    Server,
    /// A login.
    Login(&'s str),
    /// A role of the server.
    ServerRole(&'s str),
    /// A database.
    Database(&'s str),
    /// Database and schema.
    Schema(&'s str, &'s str),
    /// Database, schema and object; a column where one is named.
    Object(&'s str, &'s str, &'s str, Option<&'s str>),
    /// Database, schema and type.
    Type(&'s str, &'s str, &'s str),
    /// Database and user.
    User(&'s str, &'s str),
    /// Database and role.
    Role(&'s str, &'s str),
}

impl<'s> On<'s> {
    /// Its class.
    pub(crate) const fn class(&self) -> Class {
        match self {
            Self::Server => Class::Server,
            Self::Login(_) => Class::Login,
            Self::ServerRole(_) => Class::ServerRole,
            Self::Database(_) => Class::Database,
            Self::Schema(..) => Class::Schema,
            Self::Object(..) => Class::Object,
            Self::Type(..) => Class::Type,
            Self::User(..) => Class::User,
            Self::Role(..) => Class::Role,
        }
    }

    /// The database it is in; `None` on the server.
    pub(crate) const fn database(&self) -> Option<&'s str> {
        match self {
            Self::Server | Self::Login(_) | Self::ServerRole(_) => None,
            Self::Database(database)
            | Self::Schema(database, _)
            | Self::Object(database, ..)
            | Self::Type(database, ..)
            | Self::User(database, _)
            | Self::Role(database, _) => Some(database),
        }
    }

    /// As the catalog names it: class, schema, object, column.
    pub(crate) fn stored(&self) -> (GrantClass, &'s str, &'s str, &'s str) {
        match self {
            Self::Server => (GrantClass::Server, "", "", ""),
            Self::Login(name) | Self::ServerRole(name) => (GrantClass::Login, "", name, ""),
            Self::Database(_) => (GrantClass::Database, "", "", ""),
            Self::Schema(_, schema) => (GrantClass::Schema, schema, "", ""),
            Self::Object(_, schema, object, column) => {
                (GrantClass::Object, schema, object, column.unwrap_or(""))
            }
            Self::Type(_, schema, name) => (GrantClass::Type, schema, name, ""),
            Self::User(_, name) | Self::Role(_, name) => (GrantClass::Principal, "", name, ""),
        }
    }

    /// What contains it.
    fn parent(&self) -> Option<Self> {
        Some(match self {
            Self::Server => return None,
            Self::Login(_) | Self::ServerRole(_) | Self::Database(_) => Self::Server,
            Self::Schema(database, _) | Self::User(database, _) | Self::Role(database, _) => {
                Self::Database(database)
            }
            Self::Object(database, schema, ..) | Self::Type(database, schema, _) => {
                Self::Schema(database, schema)
            }
        })
    }

    /// Whether a stored permission is on this very securable, columns aside.
    pub(crate) fn is_of(&self, grant: &Grant) -> bool {
        let (class, schema, object, _) = self.stored();
        grant.class == class && same(&grant.schema, schema) && same(&grant.object, object)
    }
}

pub(crate) fn same(a: &str, b: &str) -> bool {
    name_key(a) == name_key(b)
}

/// Whom an identity is on the server.
#[derive(Debug, Clone)]
pub(crate) struct ServerToken {
    /// Member of sysadmin: may do everything.
    pub(crate) sysadmin: bool,
    /// The login and its roles, as keys.
    pub(crate) names: BTreeSet<String>,
}

/// Whom an identity is in a database.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseToken {
    /// Its user.
    pub(crate) user: String,
    /// Whether that is `dbo`, who may do everything in it.
    pub(crate) dbo: bool,
    /// The user and its roles, as keys.
    pub(crate) names: BTreeSet<String>,
}

impl DatabaseToken {
    /// Whether a name is the user's own or that of one of its roles.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.names.contains(&name_key(name))
    }
}

/// What one identity may do, as one snapshot of the definitions says it.
pub(crate) struct Rights<'r> {
    pub(crate) definitions: &'r dyn DefinitionsRead,
    pub(crate) identity: &'r Identity,
    made: &'r MadeObjects,
    server: RefCell<Option<Rc<ServerToken>>>,
    tokens: RefCell<BTreeMap<String, Option<Rc<DatabaseToken>>>>,
    grants: RefCell<BTreeMap<String, Rc<Vec<Grant>>>>,
}

impl<'r> Rights<'r> {
    /// Of an identity. Ownership of databases and schemas is read from `made`.
    pub(crate) const fn new(
        definitions: &'r dyn DefinitionsRead,
        made: &'r MadeObjects,
        identity: &'r Identity,
    ) -> Self {
        Self {
            definitions,
            identity,
            made,
            server: RefCell::new(None),
            tokens: RefCell::new(BTreeMap::new()),
            grants: RefCell::new(BTreeMap::new()),
        }
    }

    /// Whom it is on the server. A user of one database alone is nobody there.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn server(&self) -> Result<Rc<ServerToken>> {
        if let Some(known) = &*self.server.borrow() {
            return Ok(Rc::clone(known));
        }
        let mut token = ServerToken {
            sysadmin: false,
            names: BTreeSet::from([name_key("public")]),
        };
        if self.identity.user.is_none() {
            token.names = roles_of(self.definitions, "", &self.identity.login)?;
            token.names.insert(name_key(&self.identity.login));
            token.sysadmin =
                self.identity.sid == SA_SID || token.names.contains(&name_key(SYSADMIN));
        }
        let token = Rc::new(token);
        *self.server.borrow_mut() = Some(Rc::clone(&token));
        Ok(token)
    }

    /// Whom it is in a database; `None` when it may not enter.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn in_database(&self, database: &str) -> Result<Option<Rc<DatabaseToken>>> {
        let key = name_key(database);
        if let Some(known) = self.tokens.borrow().get(&key) {
            return Ok(known.clone());
        }
        let token = self.resolve(database)?.map(Rc::new);
        self.tokens.borrow_mut().insert(key, token.clone());
        Ok(token)
    }

    fn resolve(&self, database: &str) -> Result<Option<DatabaseToken>> {
        if let Some((home, user)) = &self.identity.user {
            if same(home, database) {
                return self.token(database, user).map(Some);
            }
            return self.guest(database);
        }
        let owner = self.made.database(database).map(|info| info.owner_sid);
        if self.server()?.sysadmin || owner.is_some_and(|owner| owner == self.identity.sid) {
            return self.token(database, "dbo").map(Some);
        }
        let user = self
            .definitions
            .database_user_by_sid(database, &self.identity.sid)?;
        match user {
            Some(user) => {
                let token = self.token(database, &user.name)?;
                let barred =
                    self.stated(database, &token.names, On::Database(database), "CONNECT")?
                        == Some(false);
                Ok((!barred).then_some(token))
            }
            None => self.guest(database),
        }
    }

    /// As guest, where guests may enter.
    fn guest(&self, database: &str) -> Result<Option<DatabaseToken>> {
        let token = self.token(database, "guest")?;
        let open = open_to_guests(database);
        let said = self.stated(database, &token.names, On::Database(database), "CONNECT")?;
        let enters = said.unwrap_or(open)
            || self.on_server(&["CONNECT ANY DATABASE", "CONTROL SERVER"])? == Some(true);
        Ok(enters.then_some(token))
    }

    fn token(&self, database: &str, user: &str) -> Result<DatabaseToken> {
        let mut names = roles_of(self.definitions, database, user)?;
        names.insert(name_key(user));
        let dbo = same(user, "dbo");
        if dbo {
            names.insert(name_key("db_owner"));
        }
        Ok(DatabaseToken {
            user: user.to_owned(),
            dbo,
            names,
        })
    }

    /// Permissions of a database, or of the server for an empty name.
    fn grants(&self, database: &str) -> Result<Rc<Vec<Grant>>> {
        let key = name_key(database);
        if let Some(known) = self.grants.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let grants = Rc::new(self.definitions.grants(database)?);
        self.grants.borrow_mut().insert(key, Rc::clone(&grants));
        Ok(grants)
    }

    /// What GRANT and DENY say to some names of a permission on a securable itself; `None` when nothing.
    fn stated(
        &self,
        database: &str,
        names: &BTreeSet<String>,
        on: On<'_>,
        permission: &str,
    ) -> Result<Option<bool>> {
        let mut said = None;
        for grant in self.grants(database)?.iter() {
            let mine = names.contains(&name_key(&grant.grantee));
            if mine && grant.column.is_empty() && grant.permission == permission && on.is_of(grant)
            {
                match grant.state {
                    GrantState::Denied => return Ok(Some(false)),
                    GrantState::Granted | GrantState::Grantable => said = Some(true),
                }
            }
        }
        Ok(said)
    }

    /// What is said of permissions on the server, one of which is enough; a DENY of any of them wins.
    fn on_server(&self, permissions: &[&str]) -> Result<Option<bool>> {
        let token = self.server()?;
        if token.sysadmin {
            return Ok(Some(true));
        }
        let mut said = None;
        for permission in permissions {
            match self.stated("", &token.names, On::Server, permission)? {
                Some(false) => return Ok(Some(false)),
                Some(true) => said = Some(true),
                None => {}
            }
            let by_role = SERVER_ROLES.iter().any(|role| {
                token.names.contains(&name_key(role)) && of_server_role(role).contains(permission)
            });
            if by_role {
                said = Some(true);
            }
        }
        Ok(said)
    }

    /// Whether the identity may do that.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn may(&self, on: On<'_>, permission: &str) -> Result<bool> {
        Ok(self.said(on, permission)?.unwrap_or(false))
    }

    /// What ownership, roles, GRANT and DENY say of a permission; `None` when nothing does.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn said(&self, on: On<'_>, permission: &str) -> Result<Option<bool>> {
        if self.server()?.sysadmin {
            return Ok(Some(true));
        }
        let covering = covering(on.class(), permission);
        let at = |class: Class| -> Vec<&'static str> {
            let here = covering.iter().filter(|(of, _)| *of == class);
            here.map(|(_, name)| *name).collect()
        };
        let Some(database) = on.database() else {
            return self.said_on_server(on, &at);
        };
        let mut granted = false;
        if let Some(token) = self.in_database(database)? {
            if token.dbo || self.owns(&token, on)? {
                return Ok(Some(true));
            }
            if let Some(said) = self.by_column(database, &token, on, permission)? {
                return Ok(Some(said));
            }
            let mut level = Some(on);
            while let Some(here) = level.filter(|here| here.database().is_some()) {
                for name in at(here.class()) {
                    match self.stated(database, &token.names, here, name)? {
                        Some(false) => return Ok(Some(false)),
                        Some(true) => granted = true,
                        None => {}
                    }
                }
                level = here.parent();
            }
            let on_database = at(Class::Database);
            for role in DATABASE_ROLES {
                if !token.is(role) {
                    continue;
                }
                if denied_by_role(role)
                    .iter()
                    .any(|name| on_database.contains(name))
                {
                    return Ok(Some(false));
                }
                granted |= of_database_role(role)
                    .iter()
                    .any(|name| on_database.contains(name));
            }
        }
        let by_server = self.on_server(&at(Class::Server))?;
        Ok(by_server.or(granted.then_some(true)))
    }

    fn said_on_server(
        &self,
        on: On<'_>,
        at: &dyn Fn(Class) -> Vec<&'static str>,
    ) -> Result<Option<bool>> {
        let token = self.server()?;
        let mut granted = false;
        if on != On::Server {
            if let On::ServerRole(name) = on
                && let Some(role) = self.definitions.database_user("", name)?
                && token.names.contains(&name_key(owner_of(&role.owner, "sa")))
            {
                return Ok(Some(true));
            }
            for name in at(on.class()) {
                match self.stated("", &token.names, on, name)? {
                    Some(false) => return Ok(Some(false)),
                    Some(true) => granted = true,
                    None => {}
                }
            }
        }
        let by_server = self.on_server(&at(Class::Server))?;
        Ok(by_server.or(granted.then_some(true)))
    }

    /// What is said of a column by itself: a permission on it counts whatever is said of its table.
    fn by_column(
        &self,
        database: &str,
        token: &DatabaseToken,
        on: On<'_>,
        permission: &str,
    ) -> Result<Option<bool>> {
        let On::Object(_, _, _, Some(column)) = on else {
            return Ok(None);
        };
        let mut said = None;
        for grant in self.grants(database)?.iter() {
            let about = on.is_of(grant) && same(&grant.column, column) && !grant.column.is_empty();
            if about && grant.permission == permission && token.is(&grant.grantee) {
                match grant.state {
                    GrantState::Denied => return Ok(Some(false)),
                    GrantState::Granted | GrantState::Grantable => said = Some(true),
                }
            }
        }
        Ok(said)
    }

    /// Whether the identity has a permission on some columns of an object, or is kept from some.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn depends_on_columns(&self, on: On<'_>, permission: &str) -> Result<bool> {
        let Some(database) = on.database() else {
            return Ok(false);
        };
        let Some(token) = self.in_database(database)? else {
            return Ok(false);
        };
        if token.dbo || self.server()?.sysadmin {
            return Ok(false);
        }
        Ok(self.grants(database)?.iter().any(|grant| {
            on.is_of(grant)
                && !grant.column.is_empty()
                && grant.permission == permission
                && token.is(&grant.grantee)
        }))
    }

    /// Whether it owns the securable, or what contains it.
    fn owns(&self, token: &DatabaseToken, on: On<'_>) -> Result<bool> {
        Ok(match on {
            On::Schema(database, schema)
            | On::Object(database, schema, ..)
            | On::Type(database, schema, _) => self
                .made
                .objects(database)?
                .schema(schema)
                .is_some_and(|schema| token.is(&schema.owner)),
            On::Role(database, role) => match self.definitions.database_user(database, role)? {
                Some(role) => token.is(owner_of(&role.owner, "dbo")),
                None => false,
            },
            On::User(..) | On::Server | On::Login(_) | On::ServerRole(_) | On::Database(_) => false,
        })
    }

    /// Whether it may act as a user of a database.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn may_impersonate_user(&self, database: &str, user: &str) -> Result<bool> {
        let own = self
            .in_database(database)?
            .is_some_and(|token| same(&token.user, user));
        if own {
            return Ok(true);
        }
        self.may(On::User(database, user), "IMPERSONATE")
    }

    /// Whether it may act as a login.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn may_impersonate_login(&self, login: &str) -> Result<bool> {
        let own = self.identity.user.is_none() && same(&self.identity.login, login);
        Ok(own || self.may(On::Login(login), "IMPERSONATE")?)
    }

    /// Whether it has any permission on an object: nobody else is told of it.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn sees_object(&self, database: &str, schema: &str, object: &str) -> Result<bool> {
        let on = On::Object(database, schema, object, None);
        for builtin in of_class(Class::Object) {
            if self.may(on, builtin.name)? || self.depends_on_columns(on, builtin.name)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The permissions on a securable that it has, in the order of the table.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn held(&self, on: On<'_>) -> Result<Vec<&'static str>> {
        let mut held = Vec::new();
        for builtin in of_class(on.class()) {
            if self.may(on, builtin.name)? {
                held.push(builtin.name);
            }
        }
        Ok(held)
    }

    /// As whom the identity may give a permission on a securable to others; `None` when it may not.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn grantor(&self, on: On<'_>, permission: &str) -> Result<Option<String>> {
        let Some(database) = on.database() else {
            return self.server_grantor(on, permission);
        };
        let Some(token) = self.in_database(database)? else {
            return Ok(None);
        };
        if token.dbo {
            return Ok(Some("dbo".to_owned()));
        }
        let securityadmin = token.is("db_securityadmin")
            && !covering_control(on.class(), permission)
            && permission != "IMPERSONATE";
        if self.owns(&token, on)? || self.may(on, "CONTROL")? || securityadmin {
            return Ok(Some(token.user.clone()));
        }
        let names = covering(on.class(), permission);
        let mut level = Some(on);
        while let Some(here) = level {
            for grant in self.grants(database)?.iter() {
                let covers = names
                    .iter()
                    .any(|(class, name)| *class == here.class() && *name == grant.permission);
                if covers
                    && grant.state == GrantState::Grantable
                    && here.is_of(grant)
                    && (grant.column.is_empty() || same(&grant.column, on.stored().3))
                    && token.is(&grant.grantee)
                {
                    return Ok(Some(grant.grantee.clone()));
                }
            }
            level = here.parent().filter(|parent| parent.database().is_some());
        }
        Ok(None)
    }

    fn server_grantor(&self, on: On<'_>, permission: &str) -> Result<Option<String>> {
        let token = self.server()?;
        if token.sysadmin {
            return Ok(Some("sa".to_owned()));
        }
        let control = if on == On::Server {
            "CONTROL SERVER"
        } else {
            "CONTROL"
        };
        let securityadmin = on == On::Server
            && token.names.contains(&name_key("securityadmin"))
            && !KEPT_FROM_SECURITYADMIN.contains(&permission);
        if securityadmin || self.may(on, control)? {
            return Ok(Some(self.identity.login.clone()));
        }
        let grantable = self.grants("")?.iter().any(|grant| {
            grant.state == GrantState::Grantable
                && grant.permission == permission
                && on.is_of(grant)
                && token.names.contains(&name_key(&grant.grantee))
        });
        Ok(grantable.then(|| self.identity.login.clone()))
    }
}

/// Whether everyone may enter a database of whom nothing is said.
pub(crate) fn open_to_guests(database: &str) -> bool {
    OPEN_TO_GUESTS.iter().any(|open| same(open, database))
}

/// Whether a permission is the greatest of its class, which its administrators do not give.
fn covering_control(class: Class, permission: &str) -> bool {
    find(class, permission).is_some_and(|builtin| builtin.covered_by.is_empty())
        || permission == "TAKE OWNERSHIP"
}

/// An owner as stored, or who owns what says nothing of it.
pub(crate) fn owner_of<'o>(stored: &'o str, default: &'o str) -> &'o str {
    if stored.is_empty() { default } else { stored }
}

/// Roles of a database that a user is in, or of the server for an empty name, by roles in roles too; as keys, `public`
/// among them.
pub(crate) fn roles_of(
    definitions: &dyn DefinitionsRead,
    database: &str,
    user: &str,
) -> Result<BTreeSet<String>> {
    let mut roles = BTreeSet::from([name_key("public")]);
    let mut members: Vec<(String, String)> = definitions
        .role_members(database)?
        .iter()
        .map(|member| (name_key(&member.role), name_key(&member.member)))
        .collect();
    if same(database, "msdb") {
        let nested = MSDB_NESTED_ROLES.iter();
        members.extend(nested.map(|(role, member)| (name_key(role), name_key(member))));
    }
    let mut seekers = vec![name_key(user)];
    // A role may be a member of a role; each is looked at once.
    while let Some(seeker) = seekers.pop() {
        for (role, member) in &members {
            if *member == seeker && roles.insert(role.clone()) {
                seekers.push(role.clone());
            }
        }
    }
    Ok(roles)
}
