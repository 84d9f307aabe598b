//! Users and roles of databases, roles of the server, and who is a member of which.

use super::{Context, check_name, missing};
use crate::caller::{
    DATABASE_ROLES, MSDB_NESTED_ROLES, MSDB_ROLES, SA_SID, SERVER_ROLES, SYSADMIN,
};
use crate::error::Result;
use crate::messages::raise;
use crate::rights::{On, Rights, owner_of, roles_of, same};
use catalog::{
    DatabaseUser, DefinitionsRead, DefinitionsWrite, Login, PrincipalKind, RoleMember, name_key,
};
use engine::databases::ExecuteAs;

/// Names that can't be created or changed as users and members of roles.
const SPECIAL_PRINCIPALS: &[&str] = &["dbo", "guest", "sys", "INFORMATION_SCHEMA", "public"];
/// Databases that guests cannot be kept from.
const ALWAYS_OPEN: &[&str] = &["master", "tempdb"];
/// Beginning of the SID of a user without a login; its own sixteen bytes follow.
/// Source: SQL Server's documentation, S-1-9-3.
const USER_SID_BEGINS: [u8; 12] = [1, 5, 0, 0, 0, 0, 0, 9, 3, 0, 0, 0];
/// Beginning of the SID of a role. Source: SQL Server's documentation, S-1-9-4.
const ROLE_SID_BEGINS: [u8; 12] = [1, 5, 0, 0, 0, 0, 0, 9, 4, 0, 0, 0];

/// What a name is in a database.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// A user that somebody made.
    User(DatabaseUser),
    /// A role that somebody made.
    Role(DatabaseUser),
    /// A role that every database has, or one of msdb's own.
    FixedRole(&'static str),
    /// `dbo`
    Dbo,
    /// `guest`
    Guest,
}

impl Found {
    /// Its name in the usual spelling.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::User(user) | Self::Role(user) => &user.name,
            Self::FixedRole(role) => role,
            Self::Dbo => "dbo",
            Self::Guest => "guest",
        }
    }
}

/// The principal of a name in a database.
///
/// # Errors
/// What the catalog raises.
pub(crate) fn principal(
    definitions: &dyn DefinitionsRead,
    database: &str,
    name: &str,
) -> Result<Option<Found>> {
    if same(name, "dbo") {
        return Ok(Some(Found::Dbo));
    }
    if same(name, "guest") {
        return Ok(Some(Found::Guest));
    }
    if let Some(role) = database_role(database, name) {
        return Ok(Some(Found::FixedRole(role)));
    }
    let found = definitions.database_user(database, name)?;
    Ok(found.map(|found| match found.kind {
        PrincipalKind::Role => Found::Role(found),
        PrincipalKind::User | PrincipalKind::WithoutLogin => Found::User(found),
    }))
}

/// The role that every database has by a name, or one of msdb's.
pub(crate) fn database_role(database: &str, name: &str) -> Option<&'static str> {
    let own = if same(database, "msdb") {
        MSDB_ROLES
    } else {
        &[]
    };
    DATABASE_ROLES
        .iter()
        .chain(own)
        .find(|role| same(role, name))
        .copied()
}

/// The role of a name in a database, made or there from the beginning, in its usual spelling.
///
/// # Errors
/// What the catalog raises.
pub(crate) fn known_role(
    definitions: &dyn DefinitionsRead,
    database: &str,
    name: &str,
) -> Result<Option<String>> {
    if let Some(role) = database_role(database, name) {
        return Ok(Some(role.to_owned()));
    }
    let made = definitions.database_user(database, name)?;
    Ok(made
        .filter(|made| made.kind == PrincipalKind::Role)
        .map(|made| made.name))
}

/// The fixed server role of a name in its usual spelling.
pub(crate) fn server_role(name: &str) -> Option<&'static str> {
    SERVER_ROLES.iter().find(|role| same(role, name)).copied()
}

/// The server role of a name, made or fixed.
///
/// # Errors
/// What the catalog raises.
pub(crate) fn known_server_role(
    definitions: &dyn DefinitionsRead,
    name: &str,
) -> Result<Option<String>> {
    match server_role(name) {
        Some(role) => Ok(Some(role.to_owned())),
        None => Ok(definitions.database_user("", name)?.map(|role| role.name)),
    }
}

pub(super) fn is_server_role(definitions: &dyn DefinitionsRead, name: &str) -> Result<bool> {
    Ok(known_server_role(definitions, name)?.is_some())
}

/// Whether a login is a member of a server role, by roles in roles too.
pub(crate) fn in_server_role(
    definitions: &dyn DefinitionsRead,
    role: &str,
    login: &Login,
) -> Result<bool> {
    let sa = same(role, SYSADMIN) && login.sid == SA_SID;
    Ok(sa || roles_of(definitions, "", &login.name)?.contains(&name_key(role)))
}

fn is_special(name: &str) -> bool {
    SPECIAL_PRINCIPALS.iter().any(|special| same(special, name))
}

fn own_sid(begins: &[u8], own: &[u8]) -> Vec<u8> {
    begins.iter().chain(own).copied().collect()
}

/// Users.
impl Context<'_> {
    /// The SID of a login that may have a user here; 15007, 15063.
    fn login_for_user(
        &self,
        definitions: &dyn DefinitionsRead,
        user: &str,
        login: &str,
    ) -> Result<Vec<u8>> {
        let login = definitions
            .login(login)?
            .ok_or_else(|| raise(15007, &[login.into()]))?;
        if login.sid == SA_SID {
            return Err(raise(15405, &[(&login.name).into()]).into());
        }
        let owner = self.made.database(self.database);
        let owns = owner.is_some_and(|info| !info.is_system() && info.owner_sid == login.sid);
        let other = definitions
            .database_user_by_sid(self.database, &login.sid)?
            .is_some_and(|other| !same(&other.name, user));
        if owns || other {
            return Err(raise(15063, &[]).into());
        }
        Ok(login.sid)
    }

    fn check_free(&self, definitions: &dyn DefinitionsRead, name: &str) -> Result<()> {
        check_name(name)?;
        if is_special(name) || principal(definitions, self.database, name)?.is_some() {
            return Err(raise(15023, &[name.into()]).into());
        }
        Ok(())
    }

    pub(super) fn create_user(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        name: &str,
        login: Option<&str>,
        default_schema: Option<String>,
        own: &[u8],
    ) -> Result<()> {
        if same(name, "guest") {
            return self.open_to_guests(definitions);
        }
        // The login is asked for first, as SQL Server does.
        let (sid, kind) = match login {
            Some(login) => {
                if definitions.login(login)?.is_none() {
                    return Err(raise(15007, &[login.into()]).into());
                }
                self.check_free(&*definitions, name)?;
                let sid = self.login_for_user(&*definitions, name, login)?;
                (sid, PrincipalKind::User)
            }
            None => {
                self.check_free(&*definitions, name)?;
                let sid = own_sid(&USER_SID_BEGINS, own);
                (sid, PrincipalKind::WithoutLogin)
            }
        };
        definitions.create_database_user(&DatabaseUser {
            id: 0,
            database: self.database.to_owned(),
            name: name.to_owned(),
            sid,
            kind,
            default_schema,
            owner: String::new(),
            created: self.now,
            modified: self.now,
        })?;
        Ok(())
    }

    /// The old spelling of GRANT CONNECT TO guest.
    fn open_to_guests(&self, definitions: &mut dyn DefinitionsWrite) -> Result<()> {
        self.connect_guests(definitions, Some(true))
    }

    pub(super) fn alter_user(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        name: &str,
        (rename, login): (Option<&str>, Option<&str>),
        default_schema: Option<&Option<String>>,
    ) -> Result<()> {
        let mut user = match principal(&*definitions, self.database, name)? {
            Some(Found::User(user)) => user,
            Some(Found::Dbo | Found::Guest) => {
                return Err(raise(15150, &["alter".into(), "user".into(), name.into()]).into());
            }
            Some(Found::Role(_) | Found::FixedRole(_)) | None => {
                return Err(missing("alter", "user", name));
            }
        };
        if let Some(login) = login {
            if user.kind == PrincipalKind::WithoutLogin {
                return Err(raise(33016, &[]).into());
            }
            user.sid = self.login_for_user(&*definitions, &user.name, login)?;
        }
        if let Some(schema) = default_schema {
            user.default_schema.clone_from(schema);
        }
        if let Some(new) = rename {
            if !same(new, &user.name) {
                self.check_free(&*definitions, new)?;
                self.check_named_nowhere(&user.name)?;
            }
            new.clone_into(&mut user.name);
        }
        user.modified = self.now;
        Ok(definitions.update_database_user(&user)?)
    }

    pub(super) fn drop_user(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        name: &str,
    ) -> Result<()> {
        match principal(&*definitions, self.database, name)? {
            Some(Found::User(user)) => {
                self.check_owns_nothing(&*definitions, &user.name)?;
                Ok(definitions.delete_database_user(self.database, &user.name)?)
            }
            Some(Found::Dbo) => {
                Err(raise(15150, &["drop".into(), "user".into(), name.into()]).into())
            }
            Some(Found::Guest) => self.connect_guests(definitions, None),
            Some(Found::Role(_) | Found::FixedRole(_)) | None => Err(missing("drop", "user", name)),
        }
    }

    /// Guests may enter the database from now on, or not any more.
    pub(super) fn connect_guests(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        state: Option<bool>,
    ) -> Result<()> {
        let always = ALWAYS_OPEN.iter().any(|open| same(open, self.database));
        if state != Some(true) && always {
            return Err(raise(15182, &[]).into());
        }
        self.set_connect(definitions, "guest", state)
    }

    /// What names a principal by its name in the database's own file cannot follow a new name.
    fn check_named_nowhere(&self, name: &str) -> Result<()> {
        let objects = self.made.objects(self.database)?;
        if objects
            .schemas()
            .iter()
            .any(|schema| same(&schema.owner, name))
        {
            return Err(raise(15138, &["schema".into()]).into());
        }
        let runs_as = objects.objects().any(|object| {
            object.module().is_some_and(
                |module| matches!(&module.execute_as, ExecuteAs::User(user) if same(user, name)),
            )
        });
        if runs_as {
            return Err(raise(15136, &[]).into());
        }
        Ok(())
    }

    /// 15138 and kin for a principal that owns something or gave permissions.
    fn check_owns_nothing(&self, definitions: &dyn DefinitionsRead, name: &str) -> Result<()> {
        self.check_named_nowhere(name)?;
        let all = definitions.database_users(self.database)?;
        if all
            .iter()
            .any(|role| role.kind == PrincipalKind::Role && same(&role.owner, name))
        {
            return Err(raise(15421, &[]).into());
        }
        let mut grants = definitions.grants(self.database)?.into_iter();
        if grants.any(|grant| same(&grant.grantor, name)) {
            return Err(raise(15284, &[]).into());
        }
        Ok(())
    }
}

/// Roles.
impl Context<'_> {
    fn place(&self, server: bool) -> &str {
        if server { "" } else { self.database }
    }

    /// The owner of a role to be: one that the caller may act as.
    fn role_owner(
        &self,
        definitions: &dyn DefinitionsRead,
        server: bool,
        owner: Option<&str>,
    ) -> Result<String> {
        let rights = self.rights(definitions);
        if server {
            let Some(owner) = owner else {
                return Ok(self.caller.identity.login.clone());
            };
            let login = definitions.login(owner)?.map(|login| login.name);
            let name = match login {
                Some(login) => Some(login),
                None => known_server_role(definitions, owner)?,
            };
            let name = name.ok_or_else(|| missing("find", "login", owner))?;
            if !rights.may_impersonate_login(&name)? {
                return Err(missing("find", "login", owner));
            }
            return Ok(name);
        }
        let token = rights.in_database(self.database)?;
        let Some(owner) = owner else {
            return Ok(token.map_or_else(|| "dbo".to_owned(), |token| token.user.clone()));
        };
        let refused = || missing("find", "principal", owner);
        let found = principal(definitions, self.database, owner)?.ok_or_else(refused)?;
        let name = found.name().to_owned();
        let may = token.is_some_and(|token| token.is(&name))
            || rights.may_impersonate_user(self.database, &name)?;
        if may { Ok(name) } else { Err(refused()) }
    }

    pub(super) fn create_role(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        server: bool,
        name: &str,
        owner: Option<&str>,
        own: &[u8],
    ) -> Result<()> {
        if server {
            let taken = definitions.login(name)?.is_some() || is_server_role(&*definitions, name)?;
            if taken || is_special(name) {
                return Err(raise(15025, &[name.into()]).into());
            }
        } else {
            self.check_free(&*definitions, name)?;
        }
        let owner = self.role_owner(&*definitions, server, owner)?;
        definitions.create_database_user(&DatabaseUser {
            id: 0,
            database: self.place(server).to_owned(),
            name: name.to_owned(),
            sid: own_sid(&ROLE_SID_BEGINS, own),
            kind: PrincipalKind::Role,
            default_schema: None,
            owner,
            created: self.now,
            modified: self.now,
        })?;
        Ok(())
    }

    /// A role that somebody made; 15150 for one that is always there, 15151 for none.
    fn made_role(
        &self,
        definitions: &dyn DefinitionsRead,
        server: bool,
        verb: &str,
        name: &str,
    ) -> Result<DatabaseUser> {
        let kind = if server { "server role" } else { "role" };
        let fixed = if server {
            server_role(name)
        } else {
            database_role(self.database, name)
        };
        if fixed.is_some() {
            return Err(raise(15150, &[verb.into(), kind.into(), name.into()]).into());
        }
        definitions
            .database_user(self.place(server), name)?
            .filter(|found| found.kind == PrincipalKind::Role)
            .ok_or_else(|| missing(verb, kind, name))
    }

    pub(super) fn rename_role(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        server: bool,
        name: &str,
        new: &str,
    ) -> Result<()> {
        let mut role = self.made_role(&*definitions, server, "alter", name)?;
        if !same(new, name) {
            if server {
                check_name(new)?;
                if definitions.login(new)?.is_some() || is_server_role(&*definitions, new)? {
                    return Err(raise(15025, &[new.into()]).into());
                }
            } else {
                self.check_free(&*definitions, new)?;
                self.check_named_nowhere(&role.name)?;
            }
        }
        new.clone_into(&mut role.name);
        role.modified = self.now;
        Ok(definitions.update_database_user(&role)?)
    }

    pub(super) fn drop_role(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        server: bool,
        name: &str,
    ) -> Result<()> {
        let role = self.made_role(&*definitions, server, "drop", name)?;
        let place = self.place(server).to_owned();
        let members = definitions.role_members(&place)?;
        if members.iter().any(|member| same(&member.role, &role.name)) {
            return Err(raise(15144, &[]).into());
        }
        if !server {
            self.check_owns_nothing(&*definitions, &role.name)?;
        }
        Ok(definitions.delete_database_user(&place, &role.name)?)
    }

    pub(super) fn give_role(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        server: bool,
        name: &str,
        owner: &str,
    ) -> Result<()> {
        let mut role = self.made_role(&*definitions, server, "alter", name)?;
        role.owner = self.role_owner(&*definitions, server, Some(owner))?;
        role.modified = self.now;
        Ok(definitions.update_database_user(&role)?)
    }

    /// Who may say who is a member: of a role that is always there, the owners of the database; of another, whoever may
    /// alter it.
    pub(super) fn may_alter_role(&self, rights: &Rights<'_>, role: &str) -> Result<()> {
        let fixed = DATABASE_ROLES.iter().any(|fixed| same(fixed, role));
        let may = if fixed {
            rights.may(On::Database(self.database), "CONTROL")?
        } else {
            rights.may(On::Role(self.database, role), "ALTER")?
        };
        if may {
            Ok(())
        } else {
            Err(missing("alter", "role", role))
        }
    }

    pub(super) fn alter_role(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        role: &str,
        member: &str,
        add: bool,
    ) -> Result<()> {
        let role = known_role(&*definitions, self.database, role)?
            .filter(|role| role != "public")
            .ok_or_else(|| missing("alter", "role", role))?;
        if is_special(member) {
            return Err(raise(15405, &[member.into()]).into());
        }
        let verb = if add { "add" } else { "drop" };
        let found = principal(&*definitions, self.database, member)?
            .ok_or_else(|| missing(verb, "principal", member))?;
        if add && matches!(found, Found::FixedRole(fixed) if DATABASE_ROLES.contains(&fixed)) {
            return Err(raise(15405, &[member.into()]).into());
        }
        let member = found.name().to_owned();
        if add && self.contains(&*definitions, self.database, &member, &role)? {
            return Err(raise(15413, &[]).into());
        }
        let member = RoleMember {
            database: self.database.to_owned(),
            role,
            member,
        };
        change_member(definitions, &member, add)
    }

    /// Whether a role is, or has among its members, the role that is to become a member of it.
    fn contains(
        &self,
        definitions: &dyn DefinitionsRead,
        database: &str,
        member: &str,
        role: &str,
    ) -> Result<bool> {
        Ok(same(member, role)
            || roles_of(definitions, database, role)?.contains(&name_key(member))
                && !same(member, "public"))
    }

    /// Who may say who is a member of a role of the server. 15247
    pub(super) fn may_alter_server_role(&self, rights: &Rights<'_>, role: &str) -> Result<()> {
        let token = rights.server()?;
        let may = match server_role(role) {
            Some(SYSADMIN) => token.sysadmin,
            Some(fixed) => {
                token.sysadmin
                    || token.names.contains(&name_key(fixed))
                    || rights.may(On::Server, "CONTROL SERVER")?
            }
            None => rights.may(On::ServerRole(role), "ALTER")?,
        };
        if may {
            Ok(())
        } else {
            Err(raise(15247, &[]).into())
        }
    }

    pub(super) fn alter_server_role(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        role: &str,
        member: &str,
        add: bool,
    ) -> Result<()> {
        let role = known_server_role(&*definitions, role)?
            .filter(|role| role != "public")
            .ok_or_else(|| missing("alter", "server role", role))?;
        let verb = if add { "add" } else { "drop" };
        let member = match definitions.login(member)? {
            Some(login) if login.sid == SA_SID && role == SYSADMIN => {
                return Err(raise(15405, &[member.into()]).into());
            }
            Some(login) => login.name,
            // A role may be a member of a role, but nobody is sysadmin by one that they were let into by others.
            None => {
                definitions
                    .database_user("", member)?
                    .filter(|_| role != SYSADMIN)
                    .ok_or_else(|| missing(verb, "login", member))?
                    .name
            }
        };
        if add && self.contains(&*definitions, "", &member, &role)? {
            return Err(raise(15413, &[]).into());
        }
        let member = RoleMember {
            database: String::new(),
            role,
            member,
        };
        change_member(definitions, &member, add)
    }
}

fn change_member(
    definitions: &mut dyn DefinitionsWrite,
    member: &RoleMember,
    add: bool,
) -> Result<()> {
    if add {
        definitions.add_role_member(member)?;
        return Ok(());
    }
    let nested = MSDB_NESTED_ROLES.iter().any(|(role, inner)| {
        same(&member.database, "msdb") && same(role, &member.role) && same(inner, &member.member)
    });
    if nested {
        return Err(raise(15405, &[(&member.member).into()]).into());
    }
    if !definitions.remove_role_member(member)? {
        return Err(missing("drop", "principal", &member.member));
    }
    Ok(())
}

/// Who owns a role, of the server or of a database.
pub(crate) fn role_owner(role: &DatabaseUser) -> &str {
    let default = if role.database.is_empty() {
        "sa"
    } else {
        "dbo"
    };
    owner_of(&role.owner, default)
}
