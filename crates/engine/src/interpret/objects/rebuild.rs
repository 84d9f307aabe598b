//! Making a table's storage anew, which SQLite asks for when foreign keys come or go, and checking such keys.

use super::super::Interpreter;
use super::alter::Change;
use super::index::{changed, drop_index_storage};
use super::table::{create_storage, sqlite};
use super::{Definitions, broken};
use crate::databases::ObjectInfo;
use tsql::{SqlError, fault, messages};

impl Interpreter<'_> {
    /// Makes the storage of a table anew, with the columns it has and the constraints it will have.
    ///
    /// # Errors
    /// 40517 inside a transaction when other tables' foreign keys refer to it.
    pub(super) fn rebuild(&mut self, change: &Change<'_>) -> Result<(), SqlError> {
        let found = change.found;
        let mut others = change
            .objects
            .objects()
            .filter(|other| other.id != found.id)
            .filter_map(|other| other.table());
        let referenced =
            others.any(|other| other.foreign_keys.iter().any(|key| key.table == found.id));
        if referenced && !change.alone {
            return Err(fault::not_supported(
                "a change of a referenced table's foreign keys inside a transaction",
            ));
        }
        let object = changed(found, change.table.clone(), 0);
        self.in_file(change.target, change.objects, |file| {
            let schema = &file.target.sql;
            for index in &change.table.indexes {
                drop_index_storage(file, index)?;
            }
            let (old, new) = (format!("t{}", found.id), format!("n{}", found.id));
            create_storage(file, &object, &new)?;
            let columns: Vec<String> = (0..change.table.columns.len())
                .map(|at| format!("c{at}"))
                .collect();
            let columns = columns.join(",");
            sqlite(
                file,
                &format!(
                    "INSERT INTO {schema}.{new}(rowid,{columns}) SELECT rowid,{columns} FROM {schema}.{old}; \
                     DROP TABLE {schema}.{old}; ALTER TABLE {schema}.{new} RENAME TO {old}"
                ),
            )
        })
    }
}

/// 547 when a row's foreign key refers to no row.
pub(super) fn foreign_keys_hold(
    file: &Definitions<'_>,
    object: &ObjectInfo,
    statement: &str,
) -> Result<(), SqlError> {
    let table = object
        .table()
        .ok_or_else(|| fault::internal("not a table"))?;
    for key in &table.foreign_keys {
        let pairs = || key.columns.iter().zip(&key.references);
        let equal: Vec<String> = pairs().map(|(m, t)| format!("p.c{t} = k.c{m}")).collect();
        let known: Vec<String> = pairs()
            .map(|(m, _)| format!("k.c{m} IS NOT NULL"))
            .collect();
        let schema = &file.target.sql;
        let broken_rows: bool = file
            .db
            .query_row(
                &format!(
                    "SELECT EXISTS(SELECT 1 FROM {schema}.t{} AS k WHERE {} AND NOT EXISTS \
                     (SELECT 1 FROM {schema}.t{} AS p WHERE {}))",
                    object.id,
                    known.join(" AND "),
                    key.table,
                    equal.join(" AND ")
                ),
                [],
                |row| row.get(0),
            )
            .map_err(|error| broken(&error.into()))?;
        if broken_rows {
            let parent = file.objects.object(key.table);
            let shown = parent.map_or_else(String::new, |parent| {
                format!(
                    "{}.{}",
                    file.objects.schema_name(parent.schema),
                    parent.name
                )
            });
            return Err(messages::CONSTRAINT_CONFLICT.with(&[
                statement,
                "FOREIGN KEY",
                &key.name,
                &file.target.name,
                &shown,
                "",
            ]));
        }
    }
    Ok(())
}
