//! GRANT, DENY and REVOKE.

use super::principals::{Found, principal, server_role};
use super::{Context, missing};
use crate::caller::{DATABASE_ROLES, SA_SID};
use crate::error::Result;
use crate::host::shipped;
use crate::messages::raise;
use crate::rights::{Class, On, Rights, find, same};
use catalog::{DefinitionsRead, DefinitionsWrite, Grant, GrantClass, GrantState, name_key};
use engine::databases::ObjectKind;
use engine::host::PermissionChange;

/// What a permission on a column may be.
const OF_COLUMNS: &[&str] = &["SELECT", "UPDATE", "REFERENCES"];
/// What ALL stands for, by what it is on.
const ALL_OF_TABLE: &[&str] = &["DELETE", "INSERT", "REFERENCES", "SELECT", "UPDATE"];
const ALL_OF_PROCEDURE: &[&str] = &["EXECUTE"];
const ALL_OF_FUNCTION: &[&str] = &["EXECUTE", "REFERENCES"];
const ALL_OF_DATABASE: &[&str] = &[
    "BACKUP DATABASE",
    "BACKUP LOG",
    "CREATE DEFAULT",
    "CREATE FUNCTION",
    "CREATE PROCEDURE",
    "CREATE RULE",
    "CREATE TABLE",
    "CREATE VIEW",
];

/// What kind of object a permission is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A table, a view, or a function that gives rows.
    Rows,
    /// A procedure.
    Procedure,
    /// A function of one value.
    Function,
    /// Anything else with a name.
    Other,
}

impl Kind {
    fn all(self) -> &'static [&'static str] {
        match self {
            Self::Rows | Self::Other => ALL_OF_TABLE,
            Self::Procedure => ALL_OF_PROCEDURE,
            Self::Function => ALL_OF_FUNCTION,
        }
    }

    /// Whether the permission means something on it.
    fn takes(self, permission: &str) -> bool {
        let data = ["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&permission);
        match self {
            Self::Rows => permission != "EXECUTE",
            Self::Procedure => !data && permission != "REFERENCES",
            Self::Function => !data,
            Self::Other => true,
        }
    }
}

/// A securable with names of its own.
#[derive(Debug, Clone)]
struct Named {
    class: Class,
    database: String,
    schema: String,
    name: String,
    kind: Kind,
}

impl Named {
    fn on<'n>(&'n self, column: Option<&'n str>) -> On<'n> {
        let (database, schema, name) = (&*self.database, &*self.schema, &*self.name);
        match self.class {
            Class::Server => On::Server,
            Class::Login => On::Login(name),
            Class::ServerRole => On::ServerRole(name),
            Class::Database => On::Database(database),
            Class::Schema => On::Schema(database, name),
            Class::Object => On::Object(database, schema, name, column),
            Class::Type => On::Type(database, schema, name),
            Class::User => On::User(database, name),
            Class::Role => On::Role(database, name),
        }
    }
}

impl Context<'_> {
    /// What the permissions are on; 15151 when there is nothing of that name.
    fn securable(
        &self,
        definitions: &dyn DefinitionsRead,
        change: &PermissionChange,
    ) -> Result<Named> {
        let mut named = Named {
            class: Class::Database,
            database: self.database.to_owned(),
            schema: change.schema.clone(),
            name: change.name.clone(),
            kind: Kind::Other,
        };
        if change.class.is_empty() {
            let first = change.permissions.first();
            let of_server = first.is_some_and(|(name, _)| {
                find(Class::Database, name).is_none() && find(Class::Server, name).is_some()
            });
            if of_server {
                named.class = Class::Server;
            }
        } else {
            named.class = Class::named(&change.class)
                .filter(|class| *class != Class::Server)
                .ok_or_else(|| raise(40515, &["Class".into(), (&change.class).into()]))?;
        }
        let on_server = matches!(
            named.class,
            Class::Server | Class::Login | Class::ServerRole
        );
        if on_server && !same(self.database, "master") {
            return Err(raise(4621, &[]).into());
        }
        let word = named.class.word().to_lowercase();
        let unknown = || missing("find", &word, &change.name);
        match named.class {
            Class::Server => {}
            Class::Login => {
                let login = definitions.login(&change.name)?.ok_or_else(unknown)?;
                named.name = login.name;
            }
            Class::ServerRole => {
                let role = definitions.database_user("", &change.name)?;
                named.name = role.ok_or_else(unknown)?.name;
            }
            Class::Database => {
                if !change.class.is_empty() && !same(&change.name, self.database) {
                    return Err(unknown());
                }
            }
            Class::Schema => {
                let objects = self.made.objects(self.database)?;
                let schema = objects.schema(&change.name);
                named.name.clone_from(&schema.ok_or_else(unknown)?.name);
            }
            Class::Object => self.object(change, &mut named)?,
            Class::Type => {
                let schema = if change.schema.is_empty() {
                    "dbo"
                } else {
                    &change.schema
                };
                let objects = self.made.objects(self.database)?;
                let known = objects.type_named(schema, &change.name);
                named.name.clone_from(&known.ok_or_else(unknown)?.name);
                schema.clone_into(&mut named.schema);
            }
            Class::User | Class::Role => {
                let found = principal(definitions, self.database, &change.name)?;
                let found = found.ok_or_else(unknown)?;
                let is_user = matches!(found, Found::User(_) | Found::Dbo | Found::Guest);
                if is_user != (named.class == Class::User) {
                    return Err(unknown());
                }
                found.name().clone_into(&mut named.name);
            }
        }
        Ok(named)
    }

    fn object(&self, change: &PermissionChange, named: &mut Named) -> Result<()> {
        let schemas: Vec<&str> = if change.schema.is_empty() {
            vec!["dbo", "sys"]
        } else {
            vec![&change.schema]
        };
        let objects = self.made.objects(self.database)?;
        for schema in schemas {
            if let Some(found) = objects.find(schema, &change.name) {
                named.kind = kind_of(found.kind);
                named.name.clone_from(&found.name);
                objects
                    .schema_name(found.schema)
                    .clone_into(&mut named.schema);
                for column in change.permissions.iter().flat_map(|(_, columns)| columns) {
                    let known = found.columns().iter().any(|own| same(&own.name, column));
                    if !known {
                        return Err(raise(1911, &[column.into()]).into());
                    }
                }
                return Ok(());
            }
            if let Some((kind, schema, name)) = shipped(self.database, schema, &change.name) {
                named.kind = kind;
                name.clone_into(&mut named.name);
                schema.clone_into(&mut named.schema);
                return Ok(());
            }
        }
        let shown = if change.schema.is_empty() {
            change.name.clone()
        } else {
            format!("{}.{}", change.schema, change.name)
        };
        Err(missing("find", "object", &shown))
    }

    /// The permissions one by one, each with its column where it has one.
    fn permissions<'p>(
        named: &Named,
        change: &'p PermissionChange,
    ) -> Result<Vec<(&'static str, Option<&'p str>)>> {
        let mut found = Vec::new();
        for (name, columns) in &change.permissions {
            let names: Vec<&str> = match (name.as_str(), named.class) {
                ("ALL" | "ALL PRIVILEGES", Class::Object) => named.kind.all().to_vec(),
                ("ALL" | "ALL PRIVILEGES", Class::Database) => ALL_OF_DATABASE.to_vec(),
                (other, _) => vec![other],
            };
            for name in names {
                let known = find(named.class, name)
                    .filter(|_| named.class != Class::Object || named.kind.takes(name))
                    .ok_or_else(|| raise(4606, &[name.into()]))?;
                if columns.is_empty() {
                    found.push((known.name, None));
                    continue;
                }
                if named.class != Class::Object || !OF_COLUMNS.contains(&known.name) {
                    return Err(raise(1020, &[]).into());
                }
                found.extend(columns.iter().map(|column| (known.name, Some(&**column))));
            }
        }
        Ok(found)
    }

    /// Whether every one of the permissions is the caller's to give. 4613, or 15151 for what it is not told of.
    pub(super) fn may_grant(&self, rights: &Rights<'_>, change: &PermissionChange) -> Result<()> {
        let named = self.securable(rights.definitions, change)?;
        for (permission, column) in Self::permissions(&named, change)? {
            if self
                .given_by(rights, &named, permission, column, change)?
                .is_some()
            {
                continue;
            }
            let seen = match named.class {
                Class::Object => rights.sees_object(&named.database, &named.schema, &named.name)?,
                Class::Database | Class::Server => true,
                Class::Login
                | Class::ServerRole
                | Class::Schema
                | Class::Type
                | Class::User
                | Class::Role => !rights.held(named.on(None))?.is_empty(),
            };
            if !seen {
                let word = named.class.word().to_lowercase();
                return Err(missing("find", &word, &named.name));
            }
            return Err(raise(4613, &[]).into());
        }
        Ok(())
    }

    /// As whom the caller gives a permission: itself, or whom AS names.
    fn given_by(
        &self,
        rights: &Rights<'_>,
        named: &Named,
        permission: &str,
        column: Option<&str>,
        change: &PermissionChange,
    ) -> Result<Option<String>> {
        let own = rights.grantor(named.on(column), permission)?;
        let Some(grantor) = &change.grantor else {
            return Ok(own);
        };
        let on = named.on(column);
        if on.database().is_none() {
            let token = rights.server()?;
            let may = token.sysadmin || token.names.contains(&name_key(grantor));
            return Ok(own.filter(|_| may).map(|_| grantor.clone()));
        }
        let Some(found) = principal(rights.definitions, self.database, grantor)? else {
            return Err(missing("find", "user", grantor));
        };
        let Some(token) = rights.in_database(self.database)? else {
            return Ok(None);
        };
        let name = found.name().to_owned();
        if token.dbo {
            return Ok(Some(name));
        }
        // One of its roles, which was given the right to grant.
        let holds = rights
            .definitions
            .grants(self.database)?
            .iter()
            .any(|grant| {
                grant.state == GrantState::Grantable
                    && grant.permission == permission
                    && on.is_of(grant)
                    && same(&grant.grantee, &name)
            });
        let may = token.is(&name) && (holds || own.as_ref().is_some_and(|own| same(own, &name)));
        Ok(may.then_some(name))
    }

    /// To or from whom, in the usual spelling.
    fn grantee(&self, rights: &Rights<'_>, named: &Named, name: &str) -> Result<String> {
        let definitions = rights.definitions;
        if matches!(
            named.class,
            Class::Server | Class::Login | Class::ServerRole
        ) {
            if same(name, "public") {
                return Ok("public".to_owned());
            }
            if server_role(name).is_some() {
                return Err(raise(4617, &[]).into());
            }
            if let Some(role) = definitions.database_user("", name)? {
                return Ok(role.name);
            }
            let login = definitions
                .login(name)?
                .ok_or_else(|| missing("find", "login", name))?;
            if login.sid == SA_SID || login.sid == self.caller.identity.sid {
                return Err(raise(4624, &[]).into());
            }
            return Ok(login.name);
        }
        let found = principal(definitions, self.database, name)?
            .ok_or_else(|| missing("find", "user", name))?;
        match &found {
            Found::FixedRole(role) if *role != "public" && DATABASE_ROLES.contains(role) => {
                return Err(raise(4617, &[]).into());
            }
            Found::Dbo => return Err(raise(4624, &[]).into()),
            Found::User(user) => {
                let me = rights.in_database(self.database)?;
                if me.is_some_and(|me| same(&me.user, &user.name)) {
                    return Err(raise(4624, &[]).into());
                }
            }
            Found::Role(_) | Found::FixedRole(_) | Found::Guest => {}
        }
        Ok(found.name().to_owned())
    }

    pub(super) fn set_permissions(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        change: &PermissionChange,
    ) -> Result<()> {
        let mut acts: Vec<Grant> = Vec::new();
        {
            let rights = self.rights(&*definitions);
            let named = self.securable(&*definitions, change)?;
            for (permission, column) in Self::permissions(&named, change)? {
                let grantor = self
                    .given_by(&rights, &named, permission, column, change)?
                    .ok_or_else(|| raise(4613, &[]))?;
                for grantee in &change.grantees {
                    let on = named.on(column);
                    let (class, schema, object, column) = on.stored();
                    let database = on.database().unwrap_or_default();
                    acts.push(Grant {
                        database: database.to_owned(),
                        class,
                        schema: schema.to_owned(),
                        object: object.to_owned(),
                        column: column.to_owned(),
                        grantee: self.grantee(&rights, &named, grantee)?,
                        grantor: grantor.clone(),
                        permission: permission.to_owned(),
                        state: match (change.state, change.grantable) {
                            (Some(false), _) => GrantState::Denied,
                            (_, true) => GrantState::Grantable,
                            _ => GrantState::Granted,
                        },
                    });
                }
            }
        }
        for act in &acts {
            self.set_permission(definitions, change, act)?;
        }
        Ok(())
    }

    fn set_permission(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        change: &PermissionChange,
        act: &Grant,
    ) -> Result<()> {
        let enters = matches!(act.permission.as_str(), "CONNECT" | "CONNECT SQL");
        if enters && same(&act.grantee, "guest") {
            return self.connect_guests(definitions, change.state);
        }
        if enters && change.state.is_none() && !same(&act.grantee, "public") {
            // Whoever was made may enter without a word, so what takes that back is one.
            return set_or_clear(definitions, act, Some(GrantState::Denied));
        }
        let before = stored(&*definitions, act)?;
        let grantable = before == Some(GrantState::Grantable);
        if change.state != Some(true) && grantable {
            if !change.cascade {
                return Err(raise(4611, &[]).into());
            }
            cascade(definitions, act)?;
        }
        if act.column.is_empty() && act.class == GrantClass::Object {
            clear_columns(definitions, act)?;
        }
        if change.option_only {
            let kept = before.map(|state| match state {
                GrantState::Grantable => GrantState::Granted,
                GrantState::Granted | GrantState::Denied => state,
            });
            return set_or_clear(definitions, act, kept);
        }
        // Giving again what was given with the right to grant leaves that right.
        let state = match (change.state, grantable) {
            (Some(true), true) => Some(GrantState::Grantable),
            (Some(_), _) => Some(act.state),
            (None, _) => None,
        };
        set_or_clear(definitions, act, state)
    }

    /// CONNECT of a principal of the database.
    pub(super) fn set_connect(
        &self,
        definitions: &mut dyn DefinitionsWrite,
        grantee: &str,
        state: Option<bool>,
    ) -> Result<()> {
        let grant = Grant {
            database: self.database.to_owned(),
            class: GrantClass::Database,
            schema: String::new(),
            object: String::new(),
            column: String::new(),
            grantee: grantee.to_owned(),
            grantor: "dbo".to_owned(),
            permission: "CONNECT".to_owned(),
            state: GrantState::Granted,
        };
        // msdb is open to guests unless that is denied.
        let open = same(self.database, "msdb");
        let state = match state {
            Some(true) => Some(GrantState::Granted),
            Some(false) => Some(GrantState::Denied),
            None => open.then_some(GrantState::Denied),
        };
        set_or_clear(definitions, &grant, state)
    }
}

fn kind_of(kind: ObjectKind) -> Kind {
    match kind {
        ObjectKind::Table
        | ObjectKind::View
        | ObjectKind::InlineFunction
        | ObjectKind::TableFunction => Kind::Rows,
        ObjectKind::Procedure => Kind::Procedure,
        ObjectKind::ScalarFunction => Kind::Function,
        ObjectKind::Trigger
        | ObjectKind::Synonym
        | ObjectKind::TableType
        | ObjectKind::PrimaryKey
        | ObjectKind::UniqueKey
        | ObjectKind::Check
        | ObjectKind::Default
        | ObjectKind::ForeignKey => Kind::Other,
    }
}

/// Whether two are the same permission on the same securable, columns included.
fn about_same(a: &Grant, b: &Grant) -> bool {
    a.class == b.class
        && a.permission == b.permission
        && same(&a.schema, &b.schema)
        && same(&a.object, &b.object)
        && same(&a.column, &b.column)
}

/// What the same grantor said before.
fn stored(definitions: &dyn DefinitionsRead, act: &Grant) -> Result<Option<GrantState>> {
    Ok(definitions
        .grants(&act.database)?
        .into_iter()
        .find(|known| {
            about_same(known, act)
                && same(&known.grantee, &act.grantee)
                && same(&known.grantor, &act.grantor)
        })
        .map(|known| known.state))
}

fn set_or_clear(
    definitions: &mut dyn DefinitionsWrite,
    act: &Grant,
    state: Option<GrantState>,
) -> Result<()> {
    match state {
        Some(state) => definitions.set_grant(&Grant {
            state,
            ..act.clone()
        })?,
        // What was never given is taken back without complaint.
        None => drop(definitions.clear_grant(act)?),
    }
    Ok(())
}

/// What is said of the whole table takes the place of what was said of its columns.
fn clear_columns(definitions: &mut dyn DefinitionsWrite, act: &Grant) -> Result<()> {
    let all = definitions.grants(&act.database)?;
    for known in all {
        let whole = Grant {
            column: String::new(),
            ..known.clone()
        };
        if !known.column.is_empty()
            && about_same(&whole, act)
            && same(&known.grantee, &act.grantee)
            && same(&known.grantor, &act.grantor)
        {
            definitions.clear_grant(&known)?;
        }
    }
    Ok(())
}

/// Takes back what the grantee gave on, and what those gave on whom it gave it to.
fn cascade(definitions: &mut dyn DefinitionsWrite, act: &Grant) -> Result<()> {
    let mut from = vec![act.grantee.clone()];
    while let Some(grantor) = from.pop() {
        for known in definitions.grants(&act.database)? {
            if about_same(&known, act)
                && same(&known.grantor, &grantor)
                && definitions.clear_grant(&known)?
            {
                from.push(known.grantee);
            }
        }
    }
    Ok(())
}
