//! CREATE INDEX, ALTER INDEX and DROP INDEX of permanent tables.

use super::super::{Frame, Interpreter};
use super::alter::Change;
use super::table::{
    IndexError, create_index_storage, key_places, next_index_id, one_clustered, sqlite,
    store_computed,
};
use super::{Definitions, Target, broken};
use crate::databases::{Body, FilterInfo, IndexInfo, ObjectInfo, ObjectKind, Objects, TableInfo};
use crate::session::shared::option;
use std::sync::Arc;
use tsql::ast::{AlterIndex, AlterIndexAction, CreateIndex, DropIndex, ObjectName, OptionValue};
use tsql::eval::collate;
use tsql::{SqlError, fault, messages};

impl Interpreter<'_> {
    /// The permanent table of a name, for a statement that changes its definition.
    pub(super) fn table_to_change(
        &self,
        objects: &Objects,
        target: &Target,
        name: &ObjectName,
    ) -> Result<Arc<ObjectInfo>, SqlError> {
        let unknown = || unknown_table(name);
        let schema = Self::schema_name(name);
        if let Some(found) = objects.find(schema, &name.name.text) {
            return if found.kind == ObjectKind::Table {
                Ok(Arc::clone(found))
            } else {
                Err(unknown())
            };
        }
        let host = self.core.shared.host();
        if host.table(&target.name, schema, &name.name.text).is_some() {
            let shown = name.to_string();
            return Err(messages::SYSTEM_OBJECT.with(&["alter", "table", &shown, "table"]));
        }
        Err(unknown())
    }

    pub(in super::super) fn create_permanent_index(
        &mut self,
        create: &CreateIndex,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let target = self.target_of_name(&create.table)?;
        let schema = Self::schema_name(&create.table);
        if !self.may_alter(&target, schema, &create.table.name.text) {
            return Err(messages::CANNOT_FIND_OBJECT.with(&[&create.table.to_string()]));
        }
        let moment = self.moment();
        let filter = match &create.filter {
            Some(filter) => Some(FilterInfo {
                text: filter.span.slice(&frame.text).to_owned(),
                quoted_identifier: self.core.shared.facts().has(option::QUOTED_IDENTIFIER),
            }),
            None => None,
        };
        self.define_objects(&target, |this, objects| {
            let found = this.table_to_change(objects, &target, &create.table)?;
            let mut table = found
                .table()
                .cloned()
                .ok_or_else(|| fault::internal("not a table"))?;
            let columns = key_places(&table, &create.columns)?;
            let newly = store_computed(&mut table, &columns, &found.name)?;
            let change = Change {
                target: &target,
                objects,
                found: &found,
                table,
                alone: false,
            };
            for at in newly {
                this.store_column(&change, at, frame)?;
            }
            this.in_file(&target, objects, |file| {
                add_index(file, (&found, change.table), create, filter, moment)
            })
        })
    }

    /// `ALTER INDEX name | ALL ON table …`
    pub(in super::super) fn alter_index(&mut self, alter: &AlterIndex) -> Result<(), SqlError> {
        if alter.table.is_temporary() {
            let key = self.core.shared.temp_key(&alter.table.name.text);
            return match (key, alter.action) {
                (None, _) => Err(unknown_table(&alter.table)),
                (Some(_), AlterIndexAction::Disable) => Err(fault::not_supported(
                    "DISABLE of an index of a temporary table",
                )),
                // SQLite keeps its trees in order by itself.
                (Some(_), _) => Ok(()),
            };
        }
        let target = self.target_of_name(&alter.table)?;
        let schema = Self::schema_name(&alter.table);
        if !self.may_alter(&target, schema, &alter.table.name.text) {
            return Err(messages::CANNOT_FIND_OBJECT.with(&[&alter.table.to_string()]));
        }
        let moment = self.moment();
        self.define_objects(&target, |this, objects| {
            let found = this.table_to_change(objects, &target, &alter.table)?;
            let mut table = found
                .table()
                .cloned()
                .ok_or_else(|| fault::internal("not a table"))?;
            let wanted = |index: &IndexInfo| {
                let name = alter.index.as_ref();
                name.is_none_or(|name| collate::same(&index.name, &name.text))
            };
            if let Some(name) = &alter.index
                && !table.indexes.iter().any(wanted)
            {
                let shown = alter.table.to_string();
                return Err(messages::NO_SUCH_INDEX.at(name.span.line, &[&name.text, &shown]));
            }
            this.in_file(&target, objects, |file| {
                for at in 0..table.indexes.len() {
                    let index = &table.indexes[at];
                    if !wanted(index) {
                        continue;
                    }
                    let disabled = index.disabled;
                    match alter.action {
                        AlterIndexAction::Disable if index.clustered => {
                            // Nobody reads a table whose clustered index is disabled.
                            return Err(fault::not_supported("DISABLE of a clustered index"));
                        }
                        AlterIndexAction::Disable => {
                            drop_index_storage(file, index)?;
                            table.indexes[at].disabled = true;
                        }
                        AlterIndexAction::Rebuild if disabled => {
                            table.indexes[at].disabled = false;
                            let index = &table.indexes[at];
                            make_index(file, &found, &table, index)?;
                        }
                        AlterIndexAction::Reorganize if disabled => {
                            return Err(messages::INDEX_DISABLED
                                .with(&[&index.name, &alter.table.to_string()]));
                        }
                        // SQLite keeps its trees in order by itself.
                        AlterIndexAction::Rebuild
                        | AlterIndexAction::Reorganize
                        | AlterIndexAction::Set => {}
                    }
                }
                file.put(&changed(&found, table, moment))
            })
        })
    }

    pub(in super::super) fn drop_index(&mut self, drop: &DropIndex) -> Result<(), SqlError> {
        for (name, table) in &drop.indexes {
            if table.is_temporary() {
                return Err(fault::not_supported("DROP INDEX of a temporary table"));
            }
            let target = self.target_of_name(table)?;
            let may = self.may_alter(&target, Self::schema_name(table), &table.name.text);
            let moment = self.moment();
            self.define_objects(&target, |this, objects| {
                let shown = format!("{table}.{name}");
                let missing = || {
                    if drop.if_exists {
                        Ok(())
                    } else {
                        Err(messages::CANNOT_DROP
                            .with(&["drop", "index", &shown])
                            .with_state(7))
                    }
                };
                let schema = Self::schema_name(table);
                let found = objects.find(schema, &table.name.text).cloned();
                let Some(found) = found.filter(|_| may) else {
                    return missing();
                };
                let Some(mut info) = found.table().cloned() else {
                    return missing();
                };
                let at = info
                    .indexes
                    .iter()
                    .position(|index| collate::same(&index.name, &name.text));
                let Some(at) = at else {
                    return missing();
                };
                if info.indexes[at].constraint.is_some() {
                    let kind = if info.indexes[at].primary {
                        "PRIMARY KEY"
                    } else {
                        "UNIQUE KEY"
                    };
                    return Err(messages::INDEX_OF_CONSTRAINT.with(&[&shown, kind]));
                }
                let index = info.indexes.remove(at);
                this.in_file(&target, objects, |file| {
                    drop_index_storage(file, &index)?;
                    file.put(&changed(&found, info, moment))
                })
            })?;
        }
        Ok(())
    }
}

/// The table with another body.
pub(super) fn changed(object: &ObjectInfo, table: TableInfo, moment: i64) -> ObjectInfo {
    ObjectInfo {
        modified: moment,
        body: Body::Table(table),
        ..object.clone()
    }
}

/// Drops SQLite's indexes of an index.
pub(super) fn drop_index_storage(
    file: &Definitions<'_>,
    index: &IndexInfo,
) -> Result<(), SqlError> {
    let (schema, storage) = (&file.target.sql, index.storage);
    sqlite(
        file,
        &format!(
            "DROP INDEX IF EXISTS {schema}.i{storage}n; DROP INDEX IF EXISTS {schema}.i{storage}"
        ),
    )
}

fn unknown_table(name: &ObjectName) -> SqlError {
    messages::OBJECT_NOT_FOUND.with(&[&name.to_string()])
}

/// Makes an index over the rows that are there.
fn make_index(
    file: &Definitions<'_>,
    found: &ObjectInfo,
    table: &TableInfo,
    index: &IndexInfo,
) -> Result<(), SqlError> {
    create_index_storage(file, found, &format!("t{}", found.id), table, index).map_err(|error| {
        match error {
            IndexError::Duplicate => duplicates(file, found, &index.name),
            IndexError::Sql(error) => error,
        }
    })
}

fn add_index(
    file: &Definitions<'_>,
    (found, mut info): (&ObjectInfo, TableInfo),
    create: &CreateIndex,
    filter: Option<FilterInfo>,
    moment: i64,
) -> Result<(), SqlError> {
    let name = &create.name.text;
    let replaces = create
        .options
        .iter()
        .any(|option| option.name == "DROP_EXISTING" && option.value == OptionValue::Switch(true));
    let old = info
        .indexes
        .iter()
        .position(|index| collate::same(&index.name, name));
    match old {
        Some(at) if replaces && info.indexes[at].constraint.is_none() => {
            let index = info.indexes.remove(at);
            drop_index_storage(file, &index)?;
        }
        Some(_) => {
            return Err(messages::INDEX_EXISTS
                .at(create.name.span.line, &[name, &create.table.to_string()]));
        }
        None => {}
    }
    let columns = key_places(&info, &create.columns)?;
    let include: Result<Vec<usize>, SqlError> = create
        .include
        .iter()
        .map(|column| {
            info.columns
                .iter()
                .position(|known| collate::same(&known.name, &column.text))
                .ok_or_else(|| messages::INDEX_COLUMN.at(column.span.line, &[&column.text]))
        })
        .collect();
    let index = IndexInfo {
        id: next_index_id(&info, create.clustered),
        name: name.clone(),
        constraint: None,
        primary: false,
        unique: create.unique,
        clustered: create.clustered,
        storage: file.writer.next_storage().map_err(|error| broken(&error))?,
        columns,
        include: include?,
        filter,
        disabled: false,
    };
    one_clustered(&info, &index, &found.name)?;
    make_index(file, found, &info, &index)?;
    info.indexes.push(index);
    file.put(&changed(found, info, moment))
}

/// 1505: the rows that are there have a key twice.
pub(super) fn duplicates(file: &Definitions<'_>, object: &ObjectInfo, index: &str) -> SqlError {
    let schema = file.objects.schema_name(object.schema);
    SqlError::new(
        1505,
        16,
        format!(
            "The CREATE UNIQUE INDEX statement terminated because a duplicate key was found for the object name '{schema}.{}' and the index name '{index}'.",
            object.name
        ),
    )
}
