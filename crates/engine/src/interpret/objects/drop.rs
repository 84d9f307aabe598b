//! DROP of tables, modules, schemas, types and synonyms.

use super::super::Interpreter;
use super::table::sqlite;
use super::{Target, broken, kind_word};
use crate::databases::{ObjectInfo, ObjectKind, Objects, UserType};
use crate::host::Securable;
use std::sync::Arc;
use tsql::ast::{DropKind, DropObjects, Ident, ObjectName};
use tsql::eval::collate;
use tsql::{SqlError, messages};

impl Interpreter<'_> {
    pub(in super::super) fn drop_objects(&mut self, objects: &DropObjects) -> Result<(), SqlError> {
        for name in &objects.names {
            if name.is_temporary() && objects.kind == DropKind::Table {
                self.drop_temporary(name, objects.if_exists)?;
                continue;
            }
            match objects.kind {
                DropKind::Database => self.drop_database(&name.name, objects.if_exists)?,
                DropKind::Schema => self.drop_schema(&name.name, objects.if_exists)?,
                DropKind::Type => self.drop_type(name, objects.if_exists)?,
                kind => self.drop_object(kind, name, objects.if_exists)?,
            }
        }
        Ok(())
    }

    fn drop_object(
        &mut self,
        kind: DropKind,
        name: &ObjectName,
        if_exists: bool,
    ) -> Result<(), SqlError> {
        let word = drop_word(kind);
        let shown = name.to_string();
        let missing = || {
            if if_exists {
                Ok(())
            } else {
                let message = if kind == DropKind::Synonym {
                    messages::NO_SUCH_PRINCIPAL
                } else {
                    messages::CANNOT_DROP
                };
                Err(message.with(&["drop", word, &shown]).with_state(5))
            }
        };
        let target = match self.target_of_name(name) {
            Err(error) if error.number == messages::UNKNOWN_DATABASE.number && if_exists => {
                return Ok(());
            }
            target => target?,
        };
        let schema = Self::schema_name(name).to_owned();
        {
            let known = self.core.shared.permanent.objects(target.id)?;
            if known.find(&schema, &name.name.text).is_none() {
                return match self.system_kind(&target, &schema, &name.name.text) {
                    Some(system) => {
                        Err(messages::SYSTEM_OBJECT.with(&["drop", system, &shown, system]))
                    }
                    None => missing(),
                };
            }
        }
        let may = self.may_drop(&target, &schema, &name.name.text)
            || kind == DropKind::Trigger && self.may_alter_watched(&target, &schema, name)?;
        if !may {
            return missing();
        }
        self.forget_permissions(&target, Securable::Object(&schema, &name.name.text))?;
        self.define_objects(&target, |this, objects| {
            let Some(found) = objects.find(&schema, &name.name.text).cloned() else {
                return missing();
            };
            if !fits(kind, found.kind) {
                let is = kind_word(found.kind);
                let what = format!("{shown}' is a {is}. Use DROP {}", is.to_uppercase());
                return Err(SqlError::new(
                    messages::WRONG_DROP.number,
                    messages::WRONG_DROP.severity,
                    format!(
                        "Cannot use DROP {} with '{shown}' because '{what}.",
                        word.to_uppercase()
                    ),
                ));
            }
            this.remove_object(&target, objects, &found)
        })
    }

    /// Whether the caller may change the table that a trigger watches.
    fn may_alter_watched(
        &self,
        target: &Target,
        schema: &str,
        name: &ObjectName,
    ) -> Result<bool, SqlError> {
        let known = self.core.shared.permanent.objects(target.id)?;
        let trigger = known.find(schema, &name.name.text);
        let watched = trigger.and_then(|trigger| known.object(trigger.parent));
        Ok(watched.is_some_and(|table| {
            self.may_alter(target, known.schema_name(table.schema), &table.name)
        }))
    }

    /// What kind of system object a name is.
    fn system_kind(&self, target: &Target, schema: &str, name: &str) -> Option<&'static str> {
        let host = self.core.shared.host();
        if host.table(&target.name, schema, name).is_some() {
            Some("table")
        } else if host.function(&target.name, schema, name).is_some() {
            Some("function")
        } else if host.procedure(&target.name, schema, name).is_some() {
            Some("procedure")
        } else {
            None
        }
    }

    fn remove_object(
        &mut self,
        target: &Target,
        objects: &Objects,
        found: &Arc<ObjectInfo>,
    ) -> Result<(), SqlError> {
        let referenced = objects
            .objects()
            .filter(|other| other.id != found.id)
            .filter_map(|other| other.table())
            .any(|other| other.foreign_keys.iter().any(|key| key.table == found.id));
        if referenced {
            return Err(messages::REFERENCED_BY_KEY.with(&[&found.name]));
        }
        let triggers: Vec<i32> = objects
            .triggers_of(found.id)
            .iter()
            .map(|trigger| trigger.id)
            .collect();
        if found.kind == ObjectKind::Table {
            self.core.reseeded.push((target.id, found.id));
        }
        self.in_file(target, objects, |file| {
            if found.kind == ObjectKind::Table {
                sqlite(file, &format!("DROP TABLE {}.t{}", target.sql, found.id))?;
            }
            if let Some(table) = objects.object(found.parent) {
                // What writes it has to know that nobody watches any more.
                file.put(table)?;
            }
            for id in triggers.iter().chain([&found.id]) {
                file.writer.remove(*id).map_err(|error| broken(&error))?;
            }
            Ok(())
        })
    }

    fn drop_schema(&mut self, name: &Ident, if_exists: bool) -> Result<(), SqlError> {
        let target = self.target(None)?;
        let may = self.permitted(&target, Securable::Schema(&name.text), "CONTROL")
            || self.permitted(&target, Securable::Database, "ALTER ANY SCHEMA");
        self.define_objects(&target, |this, objects| {
            let Some(schema) = objects.schema(&name.text).filter(|_| may).cloned() else {
                if if_exists {
                    return Ok(());
                }
                return Err(messages::NO_SUCH_PRINCIPAL.with(&["drop", "schema", &name.text]));
            };
            if schema.id == crate::databases::model::SCHEMA_DBO {
                return Err(SqlError::new(
                    15_150,
                    16,
                    format!("Cannot drop the schema '{}'.", schema.name),
                ));
            }
            let inside = objects
                .objects()
                .find(|object| object.schema == schema.id)
                .map(|object| object.name.clone())
                .or_else(|| {
                    let ty = objects.types().iter().find(|ty| ty.schema == schema.id);
                    ty.map(|ty| ty.name.clone())
                });
            if let Some(object) = inside {
                return Err(messages::REFERENCED_BY_OBJECT.with(&[
                    "drop schema",
                    &schema.name,
                    &object,
                ]));
            }
            this.in_file(&target, objects, |file| {
                file.writer
                    .remove_schema(schema.id)
                    .map_err(|error| broken(&error))
            })?;
            this.forget_permissions(&target, Securable::Schema(&schema.name))
        })
    }

    fn drop_type(&mut self, name: &ObjectName, if_exists: bool) -> Result<(), SqlError> {
        let target = self.target_of_name(name)?;
        let (schema, bare) = (Self::schema_name(name), &name.name.text);
        let may = self.permitted(&target, Securable::Type(schema, bare), "CONTROL")
            || self.permitted(&target, Securable::Schema(schema), "ALTER");
        let shown = name.to_string();
        self.define_objects(&target, |this, objects| {
            let found = objects.type_named(schema, bare);
            let Some(found) = found.filter(|_| may).cloned() else {
                if if_exists {
                    return Ok(());
                }
                return Err(messages::CANNOT_DROP.with(&["drop", "type", &shown]));
            };
            let user = objects.objects().find(|object| {
                let columns = object.columns().iter().map(|column| column.user_type);
                let parameters = object
                    .module()
                    .into_iter()
                    .flat_map(|module| module.parameters.iter().map(|p| p.user_type));
                columns.chain(parameters).any(|ty| ty == Some(found.id))
            });
            if let Some(user) = user {
                return Err(messages::TYPE_IN_USE.with(&[&shown, &user.name]));
            }
            this.in_file(&target, objects, |file| {
                if let UserType::Table { object } = found.kind {
                    file.writer.remove(object).map_err(|error| broken(&error))?;
                }
                file.writer
                    .remove_type(found.id)
                    .map_err(|error| broken(&error))
            })
        })
    }

    pub(super) fn drop_database(&mut self, name: &Ident, if_exists: bool) -> Result<(), SqlError> {
        self.alone("DROP DATABASE")?;
        self.core.shared.host().may_write_databases()?;
        let databases = self.databases()?;
        let Some(info) = databases.named(&name.text) else {
            if if_exists {
                return Ok(());
            }
            return Err(messages::CANNOT_DROP.with(&["drop", "database", &name.text]));
        };
        if info.is_system() {
            return Err(messages::SYSTEM_OBJECT.with(&["drop", "database", &info.name, "database"]));
        }
        let may = {
            let host = self.core.shared.host();
            host.permitted(&info.name, Securable::Database, "CONTROL")
                || host.permitted(&info.name, Securable::Server, "ALTER ANY DATABASE")
        };
        if !may {
            return Err(messages::CANNOT_DROP.with(&["drop", "database", &info.name]));
        }
        if collate::same(&self.core.database, &info.name) || databases.in_use(info.id) {
            return Err(messages::DATABASE_IN_USE.with(&[&info.name]));
        }
        databases.drop_database(info.id)?;
        self.core.shared.host().forget_database(&info.name)
    }

    /// 226 inside a transaction.
    pub(super) fn alone(&self, statement: &str) -> Result<(), SqlError> {
        if self.core.shared.facts().tran_count > 0 {
            return Err(messages::NOT_IN_TRANSACTION.with(&[statement]));
        }
        Ok(())
    }
}

fn drop_word(kind: DropKind) -> &'static str {
    match kind {
        DropKind::Table => "table",
        DropKind::View => "view",
        DropKind::Procedure => "procedure",
        DropKind::Function => "function",
        DropKind::Trigger => "trigger",
        DropKind::Database => "database",
        DropKind::Schema => "schema",
        DropKind::Type => "type",
        DropKind::Synonym => "synonym",
    }
}

fn fits(drop: DropKind, kind: ObjectKind) -> bool {
    match drop {
        DropKind::Table => kind == ObjectKind::Table,
        DropKind::View => kind == ObjectKind::View,
        DropKind::Procedure => kind == ObjectKind::Procedure,
        DropKind::Function => matches!(
            kind,
            ObjectKind::ScalarFunction | ObjectKind::InlineFunction | ObjectKind::TableFunction
        ),
        DropKind::Trigger => kind == ObjectKind::Trigger,
        DropKind::Synonym => kind == ObjectKind::Synonym,
        DropKind::Database | DropKind::Schema | DropKind::Type => false,
    }
}
