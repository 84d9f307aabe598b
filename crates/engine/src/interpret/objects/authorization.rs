//! ALTER AUTHORIZATION of what stands in the databases' files and their list: databases, schemas, objects.

use super::super::Interpreter;
use super::{Target, broken};
use crate::databases::SchemaInfo;
use crate::host::{AdminStatement, Impersonated, Securable};
use tsql::ast::{self, Ident};
use tsql::{SqlError, fault, messages};

/// What may not be given away, nor be anybody's but dbo's.
const FIXED_SCHEMAS: &[&str] = &["dbo", "guest", "sys", "INFORMATION_SCHEMA"];

impl Interpreter<'_> {
    /// `ALTER AUTHORIZATION ON [class::]name TO principal | SCHEMA OWNER`
    pub(in super::super) fn alter_authorization(
        &mut self,
        securable: &ast::Securable,
        owner: Option<&Ident>,
    ) -> Result<(), SqlError> {
        let name = &securable.name;
        let class = securable.class.as_deref().unwrap_or("OBJECT");
        let server = class == "SERVER ROLE";
        match (class, owner) {
            ("DATABASE", Some(owner)) => self.give_database(&name.name.text, &owner.text),
            ("SCHEMA", Some(owner)) => self.give_schema(&name.name, owner),
            ("ROLE" | "SERVER ROLE", Some(owner)) => {
                let statement = AdminStatement::RoleOwner {
                    server,
                    name: name.name.text.clone(),
                    owner: owner.text.clone(),
                };
                let database = self.core.database.clone();
                self.administer(&database, &statement)
            }
            ("OBJECT", owner) => self.give_object(name, owner),
            (other, _) => Err(fault::not_supported(&format!(
                "ALTER AUTHORIZATION ON {other}::"
            ))),
        }
    }

    /// Gives a database to a login; sp_changedbowner too.
    pub(in super::super) fn give_database(
        &mut self,
        name: &str,
        login: &str,
    ) -> Result<(), SqlError> {
        self.core.shared.host().may_write_databases()?;
        let databases = self.databases()?;
        let missing =
            |what: &str, name: &str| messages::NO_SUCH_PRINCIPAL.with(&["find", what, name]);
        let info = databases
            .named(name)
            .ok_or_else(|| missing("database", name))?;
        if info.is_system() {
            return Err(SqlError::new(
                15_109,
                16,
                "Cannot change the owner of the master, model, tempdb or distribution database.",
            ));
        }
        let sid = {
            let host = self.core.shared.host();
            if !host.permitted(&info.name, Securable::Database, "TAKE OWNERSHIP") {
                return Err(missing("database", name));
            }
            // Who gives it to somebody has to be able to act as them: the owner may do everything in it.
            let identity = host
                .impersonate("master", Impersonated::Login(login))
                .map_err(|_| missing("principal", login))?;
            if host.has_user(&info.name, &identity.sid) {
                return Err(SqlError::new(
                    15_110,
                    16,
                    "The proposed new database owner is already a user or aliased in the database.",
                ));
            }
            identity.sid
        };
        databases.set_owner(info.id, &sid)
    }

    fn give_schema(&mut self, name: &Ident, owner: &Ident) -> Result<(), SqlError> {
        let target = self.target(None)?;
        if FIXED_SCHEMAS.iter().any(|fixed| name.is(fixed)) {
            let what = format!("Cannot alter the schema '{}'.", name.text);
            return Err(SqlError::new(
                messages::CANNOT_DROP_PRINCIPAL.number,
                16,
                what,
            ));
        }
        let may = self.permitted(&target, Securable::Schema(&name.text), "TAKE OWNERSHIP");
        let owner = self.owner_to_be(&target, Some(owner))?;
        self.define_objects(&target, |this, objects| {
            let Some(schema) = objects.schema(&name.text).filter(|_| may) else {
                return Err(messages::NO_SUCH_PRINCIPAL.with(&["find", "schema", &name.text]));
            };
            this.in_file(&target, objects, |file| {
                file.writer
                    .put_schema(&SchemaInfo {
                        owner: owner.clone(),
                        ..schema.clone()
                    })
                    .map_err(|error| broken(&error))?;
                // Who may use what is in it depends on who owns it.
                objects
                    .objects()
                    .filter(|object| object.schema == schema.id)
                    .try_for_each(|object| file.put(object))
            })?;
            this.forget_permissions(&target, Securable::Schema(&schema.name))
        })
    }

    /// An object belongs to whoever owns its schema, and to nobody else.
    fn give_object(
        &mut self,
        name: &ast::ObjectName,
        owner: Option<&Ident>,
    ) -> Result<(), SqlError> {
        let target: Target = self.target_of_name(name)?;
        let objects = self.core.shared.permanent.objects(target.id)?;
        let schema = Self::schema_name(name);
        let on = Securable::Object(schema, &name.name.text);
        let known = objects.find(schema, &name.name.text).is_some();
        if !known || !self.permitted(&target, on, "TAKE OWNERSHIP") {
            return Err(messages::NO_SUCH_PRINCIPAL.with(&["find", "object", &name.to_string()]));
        }
        match owner {
            Some(owner) if !owner.is(objects.schema_owner(schema)) => Err(fault::not_supported(
                "ALTER AUTHORIZATION ON an object TO somebody other than its schema's owner",
            )),
            _ => Ok(()),
        }
    }
}
