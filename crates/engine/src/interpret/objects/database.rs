//! CREATE DATABASE, ALTER DATABASE and CREATE SCHEMA, SYNONYM and TYPE.

use super::super::Interpreter;
use super::table::{Written, extend, type_of};
use super::{Target, broken};
use crate::databases::model::{FIRST_USER_SCHEMA, FIRST_USER_TYPE};
use crate::databases::{
    Body, DatabaseInfo, ObjectInfo, ObjectKind, SchemaInfo, TableInfo, TypeInfo, UserType,
};
use crate::host::Securable;
use crate::interpret::Frame;
use crate::session::shared::option;
use std::sync::Arc;
use tsql::ast::{AlterDatabase, CreateDatabase, CreateSchema, CreateSynonym, CreateType, TypeKind};
use tsql::{SqlError, fault, messages};

/// Longest name of a database.
const NAME_UNITS_MAX: usize = 128;

/// Settings of ALTER DATABASE that change nothing here: what they ask for is so, or has no meaning.
///
/// Each is the beginning of the statement's words.
const TRUE_ALREADY: &[&str] = &[
    "SET RECOVERY SIMPLE",
    "SET MULTI_USER",
    "SET ONLINE",
    "SET READ_WRITE",
    "SET AUTO_CLOSE OFF",
    "SET AUTO_SHRINK OFF",
    "SET AUTO_CREATE_STATISTICS",
    "SET AUTO_UPDATE_STATISTICS",
    "SET PAGE_VERIFY",
    "SET PARAMETERIZATION",
    "SET COMPATIBILITY_LEVEL",
    "SET ANSI_NULL_DEFAULT",
    "SET ANSI_NULLS",
    "SET ANSI_PADDING",
    "SET ANSI_WARNINGS",
    "SET ARITHABORT",
    "SET CONCAT_NULL_YIELDS_NULL",
    "SET NUMERIC_ROUNDABORT",
    "SET QUOTED_IDENTIFIER",
    "SET RECURSIVE_TRIGGERS OFF",
    "SET CURSOR_CLOSE_ON_COMMIT OFF",
    "SET CURSOR_DEFAULT",
    "SET DATE_CORRELATION_OPTIMIZATION OFF",
    "SET DISABLE_BROKER",
    "SET TRUSTWORTHY OFF",
    "SET DB_CHAINING OFF",
    "SET QUERY_STORE",
    "SET TARGET_RECOVERY_TIME",
    "SET DELAYED_DURABILITY",
    "SET READ_COMMITTED_SNAPSHOT",
    "SET ALLOW_SNAPSHOT_ISOLATION",
    "MODIFY FILE",
];

impl Interpreter<'_> {
    pub(in super::super) fn create_database(
        &mut self,
        create: &CreateDatabase,
    ) -> Result<(), SqlError> {
        self.alone("CREATE DATABASE")?;
        if let Some(feature) = &create.unusual {
            return Err(fault::not_supported(&format!("CREATE DATABASE {feature}")));
        }
        let (sid, may) = {
            let host = self.core.shared.host();
            let may = host.permitted("master", Securable::Server, "CREATE ANY DATABASE")
                || host.permitted("master", Securable::Database, "CREATE DATABASE");
            // Who acts as a user of one database owns no other.
            let identity = host.identity();
            (identity.sid, may && identity.user.is_none())
        };
        if !may {
            return Err(messages::NO_STATEMENT_PERMISSION.with(&["CREATE DATABASE", "master"]));
        }
        let name = &create.name.text;
        if name.trim().is_empty() || name.encode_utf16().count() > NAME_UNITS_MAX {
            return Err(messages::IDENTIFIER_TOO_LONG.with(&[name, "128"]));
        }
        self.core.shared.host().may_write_databases()?;
        if self.databases()?.named(name).is_none() {
            // What was said of an older database of that name is not said of this one.
            self.core.shared.host().forget_database(name)?;
        }
        self.databases()?.create(name, self.moment(), &sid)?;
        Ok(())
    }

    pub(in super::super) fn alter_database(
        &mut self,
        alter: &AlterDatabase,
    ) -> Result<(), SqlError> {
        self.alone("ALTER DATABASE")?;
        self.core.shared.host().may_write_databases()?;
        let databases = self.databases()?;
        let name = alter
            .name
            .as_ref()
            .map_or_else(|| self.core.database.clone(), |name| name.text.clone());
        let info = databases
            .named(&name)
            .ok_or_else(|| messages::ALTER_DATABASE.with(&[&name]))?;
        if !self
            .core
            .shared
            .host()
            .permitted(&info.name, Securable::Database, "ALTER")
        {
            return Err(messages::ALTER_DATABASE.with(&[&info.name]));
        }
        let words = alter.action.replace(" = ", " ");
        if TRUE_ALREADY.iter().any(|known| words.starts_with(known)) {
            return Ok(());
        }
        Err(fault::not_supported(&format!(
            "ALTER DATABASE … {}",
            alter.action
        )))
    }

    /// 5011 unless the caller has the database in hand: its owners and members of sysadmin.
    pub(in crate::interpret) fn may_administer(&self, info: &DatabaseInfo) -> Result<(), SqlError> {
        let host = self.core.shared.host();
        if host.permitted(&info.name, Securable::Database, "CONTROL") {
            Ok(())
        } else {
            Err(messages::ALTER_DATABASE.with(&[&info.name]))
        }
    }

    pub(in super::super) fn create_schema(
        &mut self,
        create: &CreateSchema,
    ) -> Result<(), SqlError> {
        let target = self.target(None)?;
        if !self.permitted(&target, Securable::Database, "CREATE SCHEMA") {
            return Err(messages::NO_STATEMENT_PERMISSION.with(&["CREATE SCHEMA", &target.name]));
        }
        let name = &create.name.text;
        let owner = self.owner_to_be(&target, create.owner.as_ref())?;
        self.define_objects(&target, |this, objects| {
            let reserved = ["sys", "guest", "INFORMATION_SCHEMA"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name));
            if reserved || objects.schema(name).is_some() {
                return Err(messages::OBJECT_EXISTS.with(&[name]));
            }
            let last = objects.schemas().iter().map(|schema| schema.id).max();
            let id = last.map_or(FIRST_USER_SCHEMA, |last| {
                last.saturating_add(1).max(FIRST_USER_SCHEMA)
            });
            this.in_file(&target, objects, |file| {
                file.writer
                    .put_schema(&SchemaInfo {
                        id,
                        name: name.clone(),
                        owner: owner.clone(),
                    })
                    .map_err(|error| broken(&error))
            })
        })
    }

    pub(in super::super) fn create_synonym(
        &mut self,
        create: &CreateSynonym,
    ) -> Result<(), SqlError> {
        let target = self.target_of_name(&create.name)?;
        self.may_create(&target, "CREATE SYNONYM", Self::schema_name(&create.name))?;
        let moment = self.moment();
        self.define_objects(&target, |this, objects| {
            let schema = this.free_in_schema(&target, objects, &create.name)?;
            this.in_file(&target, objects, |file| {
                file.put(&ObjectInfo {
                    id: file.next_object()?,
                    schema,
                    parent: 0,
                    name: create.name.name.text.clone(),
                    kind: ObjectKind::Synonym,
                    created: moment,
                    modified: moment,
                    body: Body::Synonym(create.target.to_string()),
                })
            })
        })
    }

    /// Number of the schema in which a new object's name is free.
    pub(super) fn free_in_schema(
        &self,
        target: &Target,
        objects: &crate::databases::Objects,
        name: &tsql::ast::ObjectName,
    ) -> Result<i32, SqlError> {
        let schema = Self::schema_name(name);
        let id = objects
            .schema(schema)
            .ok_or_else(|| messages::UNKNOWN_SCHEMA.with(&[schema]))?
            .id;
        self.name_is_free(target, objects, schema, &name.name.text)?;
        Ok(id)
    }

    pub(in super::super) fn create_type(
        &mut self,
        create: &CreateType,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let target = self.target_of_name(&create.name)?;
        self.may_create(&target, "CREATE TYPE", Self::schema_name(&create.name))?;
        let moment = self.moment();
        let text = Arc::clone(&frame.text);
        let quoted_identifier = self.core.shared.facts().has(option::QUOTED_IDENTIFIER);
        let name = &create.name.name.text;
        self.define_objects(&target, |this, objects| {
            let schema = Self::schema_name(&create.name);
            let schema_id = objects
                .schema(schema)
                .ok_or_else(|| messages::UNKNOWN_SCHEMA.with(&[schema]))?
                .id;
            if objects.type_named(schema, name).is_some() {
                return Err(messages::TYPE_EXISTS.with(&[&create.name.to_string()]));
            }
            let last = objects.types().iter().map(|ty| ty.id).max();
            let id = last.map_or(FIRST_USER_TYPE, |last| last.saturating_add(1));
            let kind = match &create.kind {
                TypeKind::Alias { base, nullable } => {
                    let (base, user, _) = type_of(objects, base)?;
                    if user.is_some() {
                        return Err(messages::UNKNOWN_TYPE.with(&["1", name]));
                    }
                    UserType::Alias {
                        base,
                        nullable: nullable.unwrap_or(true),
                    }
                }
                TypeKind::Table(definition) => {
                    let object = this.in_file(&target, objects, |file| {
                        let mut object = ObjectInfo {
                            id: file.next_object()?,
                            schema: schema_id,
                            parent: 0,
                            name: name.clone(),
                            kind: ObjectKind::TableType,
                            created: moment,
                            modified: moment,
                            body: Body::Table(TableInfo::default()),
                        };
                        let written = Written {
                            definition,
                            text: &text,
                            quoted_identifier,
                        };
                        let mut table = TableInfo::default();
                        extend(file, &object, &mut table, written)?;
                        object.body = Body::Table(table);
                        file.put(&object)?;
                        Ok(object.id)
                    })?;
                    UserType::Table { object }
                }
            };
            this.in_file(&target, objects, |file| {
                file.writer
                    .put_type(&TypeInfo {
                        id,
                        schema: schema_id,
                        name: name.clone(),
                        kind,
                    })
                    .map_err(|error| broken(&error))
            })
        })
    }
}
