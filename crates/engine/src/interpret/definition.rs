//! CREATE TABLE, CREATE INDEX and DROP of temporary tables; DECLARE of table variables; SELECT INTO.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "only tables are dropped yet, and only strings have a collation"
)]

use super::{Frame, Interpreter};
use crate::session::computed;
use crate::session::tables::{Computed, OwnColumn, OwnKey, OwnTable};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use tsql::ast::{
    ColumnKind, Constraint, ConstraintKind, CreateIndex, CreateTable, IndexColumn, ObjectName,
    TableDefinition,
};
use tsql::bind::ir::{Body, Item, Query, TypedExpr, TypedKind};
use tsql::eval::collate;
use tsql::{Column, SqlError, SqlType, Value, fault, messages};

/// Most columns of a table.
const COLUMNS_MAX: usize = 1024;

impl Interpreter<'_> {
    pub(super) fn create_table(
        &mut self,
        create: &CreateTable,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let name = &create.name.name.text;
        if !create.name.is_temporary() {
            return self.create_permanent_table(create, frame);
        }
        let level = self.temp_level();
        let table = self.define(name, &create.definition, false)?;
        self.add(table, Some(level))
    }

    /// Temporary tables of a procedure or EXEC ('…') go with it; those of a batch stay with the session.
    fn temp_level(&self) -> u32 {
        self.core.shared.facts().nest_level
    }

    pub(super) fn declare_table(
        &mut self,
        name: &str,
        definition: &TableDefinition,
        frame: &mut Frame,
    ) -> Result<(), SqlError> {
        let lower = name.to_lowercase();
        if frame.scope.tables.iter().any(|(known, _)| *known == lower) {
            // Declared in a loop: the table and its rows stay.
            return Ok(());
        }
        if let Some(key) = self.spare_table(&lower, frame) {
            if let Some(crate::session::shared::Object::Own(table)) = self.core.shared.object(key) {
                table.reseed();
            }
            frame.scope.tables.push((lower, key));
            return Ok(());
        }
        let table = self.define(name, definition, true)?;
        let key = table.key;
        self.add(table, None)?;
        frame.scope.tables.push((lower, key));
        Ok(())
    }

    /// A table from its definition; nothing is created yet.
    fn define(
        &self,
        name: &str,
        definition: &TableDefinition,
        variable: bool,
    ) -> Result<OwnTable, SqlError> {
        let mut table = OwnTable::empty(self.core.shared.next_key(), name, variable);
        for (at, column) in definition.columns.iter().enumerate() {
            let line = column.span.line;
            let label = &column.name.text;
            let (ty, computed) = match &column.kind {
                ColumnKind::Typed(ty) => (self.declared_type(ty)?, None),
                // The type follows once all columns are known.
                ColumnKind::Computed { expr, persisted } => (
                    SqlType::Int,
                    Some(Computed {
                        expr: expr.clone(),
                        stored: *persisted,
                    }),
                ),
            };
            if table
                .columns
                .iter()
                .any(|other| collate::same(&other.column.name, label))
            {
                return Err(messages::DUPLICATE_COLUMN.at(line, &[label, name]));
            }
            if table.columns.len() >= COLUMNS_MAX {
                return Err(messages::TOO_MANY_COLUMNS.at(line, &[label, name, "1024"]));
            }
            let mut nullable = column.nullable.unwrap_or(true);
            if let Some(seed) = column.identity {
                if !ty.is_integer() || ty == SqlType::Bit {
                    return Err(SqlError::new(
                        2749,
                        16,
                        format!("Identity column '{label}' must be of data type int, bigint, smallint, tinyint, or decimal or numeric with a scale of 0, unencrypted, and constrained to be nonnullable."),
                    )
                    .at_line(line));
                }
                table.identity = Some(at);
                table.seed = seed.seed;
                table.increment = seed.increment;
                table.next = Arc::new(AtomicI64::new(seed.seed));
                nullable = false;
            }
            table.columns.push(OwnColumn {
                column: Column {
                    name: label.clone(),
                    ty,
                    nullable,
                },
                default: None,
                computed,
            });
        }
        let required: Vec<usize> = (0..)
            .zip(&definition.columns)
            .filter(|(_, column)| column.nullable == Some(false))
            .map(|(at, _)| at)
            .collect();
        let settled = computed::settle(&self.core.shared, &mut table, 0, &required)?;
        for column in &definition.columns {
            for constraint in &column.constraints {
                let own = [IndexColumn {
                    name: column.name.clone(),
                    descending: false,
                }];
                constrain(&mut table, constraint, &own)?;
            }
        }
        for constraint in &definition.constraints {
            constrain(&mut table, constraint, &[])?;
        }
        for index in &definition.indexes {
            if index.unique {
                let columns = key_columns(&table, &index.columns)?;
                table.keys.push(OwnKey {
                    name: index.name.text.clone(),
                    primary: false,
                    columns,
                });
            }
        }
        // What is part of a key stands with the rows.
        for (at, deterministic) in settled {
            if !table.in_key(at) {
                continue;
            }
            let own = &mut table.columns[at];
            if !deterministic {
                let label = &own.column.name;
                return Err(messages::COMPUTED_NOT_INDEXABLE.with(&[label, name]));
            }
            if let Some(computed) = own.computed.as_mut() {
                computed.stored = true;
            }
        }
        Ok(table)
    }

    /// Creates a table; `level` brings a temporary one into reach.
    pub(super) fn add(&mut self, table: OwnTable, level: Option<u32>) -> Result<(), SqlError> {
        let columns: Vec<String> = table
            .columns
            .iter()
            .enumerate()
            .map(|(at, own)| {
                let collation = match own.column.ty {
                    ty if ty.is_string() => " COLLATE ci",
                    SqlType::DateTimeOffset(_) => " COLLATE dto",
                    _ => "",
                };
                format!("c{at}{collation}")
            })
            .chain(table.keys.iter().map(|key| {
                let names: Vec<String> = key
                    .columns
                    .iter()
                    .map(|(at, descending)| {
                        format!("c{at}{}", if *descending { " DESC" } else { "" })
                    })
                    .collect();
                format!("UNIQUE ({})", names.join(","))
            }))
            .collect();
        if let Some(level) = level
            && !self.core.shared.add_temp(&table.name, table.key, level)
        {
            return Err(messages::OBJECT_EXISTS.with(&[&table.name]).with_state(6));
        }
        let text = format!("CREATE TABLE t{}({})", table.key, columns.join(","));
        let key = table.key;
        self.core.shared.add_own(Arc::new(table));
        let store = self.core.store(self.cancel)?;
        let created = store
            .db
            .execute_batch(&text)
            .map_err(|error| store.error(&error));
        if created.is_err() {
            self.core.shared.remove_temp(key);
            self.core.shared.forget(key);
        }
        created
    }

    pub(super) fn select_into(
        &mut self,
        into: &ObjectName,
        query: &Query,
        frame: &Frame,
    ) -> Result<u64, SqlError> {
        let name = &into.name.text;
        let mut columns: Vec<OwnColumn> = Vec::with_capacity(query.columns.len());
        for column in &query.columns {
            if column.name.is_empty() {
                return Err(messages::COLUMN_WITHOUT_NAME.with(&[]));
            }
            if columns
                .iter()
                .any(|other| collate::same(&other.column.name, &column.name))
            {
                return Err(messages::DUPLICATE_COLUMN.with(&[&column.name, name]));
            }
            columns.push(OwnColumn::plain(column.clone()));
        }
        let mut places: Vec<usize> = (0..columns.len()).collect();
        if !into.is_temporary() {
            if let Body::Select(select) = &query.body
                && select.items.iter().any(numbered)
            {
                return Err(fault::not_supported("IDENTITY() into a permanent table"));
            }
            return self.select_into_permanent(into, query, &places, frame);
        }
        let key = self.core.shared.next_key();
        let mut table = OwnTable {
            columns,
            ..OwnTable::empty(key, name, false)
        };
        let mut query = query.clone();
        number_rows(&mut table, &mut query, &mut places)?;
        let level = self.temp_level();
        self.add(table, Some(level))?;
        let Some(crate::session::shared::Object::Own(table)) = self.core.shared.object(key) else {
            return Err(fault::internal("a table is gone"));
        };
        let inserted = self.insert_query(&table, &places, &query, frame);
        if inserted.is_err() {
            self.drop_own(key);
        }
        inserted
    }

    pub(super) fn create_index(
        &mut self,
        create: &CreateIndex,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        if let Some(kind) = &create.unusual {
            return Err(fault::not_supported(&format!("CREATE {kind} INDEX")));
        }
        let unknown = || messages::OBJECT_NOT_FOUND.with(&[&create.table.to_string()]);
        if !create.table.is_temporary() {
            return self.create_permanent_index(create, frame);
        }
        if create.filter.is_some() {
            return Err(fault::not_supported(
                "a filtered index of a temporary table",
            ));
        }
        let key = self
            .core
            .shared
            .temp_key(&create.table.name.text)
            .ok_or_else(unknown)?;
        let Some(crate::session::shared::Object::Own(table)) = self.core.shared.object(key) else {
            return Err(unknown());
        };
        let columns = key_columns(&table, &create.columns)?;
        let names: Vec<String> = columns
            .iter()
            .map(|(at, descending)| format!("c{at}{}", if *descending { " DESC" } else { "" }))
            .collect();
        self.core.indexes += 1;
        let text = format!(
            "CREATE {}INDEX i{} ON t{key}({})",
            if create.unique { "UNIQUE " } else { "" },
            self.core.indexes,
            names.join(",")
        );
        let store = self.core.store(self.cancel)?;
        store.db.execute_batch(&text).map_err(|error| {
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
                SqlError::new(
                    1505,
                    16,
                    format!("The CREATE UNIQUE INDEX statement terminated because a duplicate key was found for the object name '{}' and the index name '{}'.", table.name, create.name.text),
                )
            } else {
                store.error(&error)
            }
        })
    }

    /// DROP TABLE of a temporary table.
    pub(super) fn drop_temporary(
        &mut self,
        name: &ObjectName,
        if_exists: bool,
    ) -> Result<(), SqlError> {
        match self.core.shared.temp_key(&name.name.text) {
            Some(key) => self.drop_own(key),
            None if if_exists => {}
            None => {
                return Err(messages::CANNOT_DROP
                    .with(&["drop", "table", &name.to_string()])
                    .with_state(5));
            }
        }
        Ok(())
    }
}

/// Whether a column of a select list is IDENTITY(…).
fn numbered(item: &Item) -> bool {
    matches!(item.expr.kind, TypedKind::Identity { .. })
}

/// IDENTITY(…) of a select list makes the column the table's identity: its numbers are the table's to give.
fn number_rows(
    table: &mut OwnTable,
    query: &mut Query,
    places: &mut [usize],
) -> Result<(), SqlError> {
    let Body::Select(select) = &mut query.body else {
        return Ok(());
    };
    for (at, item) in select.items.iter_mut().enumerate() {
        let TypedKind::Identity { seed, increment } = item.expr.kind else {
            continue;
        };
        if table.identity.is_some() {
            return Err(messages::IDENTITY_TWICE.with(&[&table.name]));
        }
        table.identity = Some(at);
        table.seed = seed;
        table.increment = increment;
        table.next = Arc::new(AtomicI64::new(seed));
        item.expr = TypedExpr::constant(Value::Null, item.expr.ty);
        // The query's column goes nowhere.
        places[at] = usize::MAX;
    }
    Ok(())
}

fn key_columns(table: &OwnTable, columns: &[IndexColumn]) -> Result<Vec<(usize, bool)>, SqlError> {
    columns
        .iter()
        .map(|column| {
            table
                .columns
                .iter()
                .position(|own| collate::same(&own.column.name, &column.name.text))
                .map(|at| (at, column.descending))
                .ok_or_else(|| {
                    SqlError::new(
                        1911,
                        16,
                        format!(
                            "Column name '{}' does not exist in the target table or view.",
                            column.name.text
                        ),
                    )
                    .at_line(column.name.span.line)
                })
        })
        .collect()
}

fn constrain(
    table: &mut OwnTable,
    constraint: &Constraint,
    own: &[IndexColumn],
) -> Result<(), SqlError> {
    let name = constraint.name.as_ref().map(|name| name.text.clone());
    match &constraint.kind {
        ConstraintKind::Key {
            primary, columns, ..
        } => {
            let columns = key_columns(table, if columns.is_empty() { own } else { columns })?;
            if *primary {
                for (at, _) in &columns {
                    table.columns[*at].column.nullable = false;
                }
            }
            let name = name.unwrap_or_else(|| {
                let prefix = if *primary { "PK" } else { "UQ" };
                format!(
                    "{prefix}__{}__{:08X}",
                    table.name.trim_start_matches(['#', '@']),
                    table.key
                )
            });
            table.keys.push(OwnKey {
                name,
                primary: *primary,
                columns,
            });
        }
        ConstraintKind::Check(expr) => {
            let name = name
                .unwrap_or_else(|| format!("CK__{}", table.name.trim_start_matches(['#', '@'])));
            table.checks.push((name, expr.clone()));
        }
        ConstraintKind::Default { expr, column } => {
            let wanted = column.as_ref().or(own.first().map(|column| &column.name));
            let found = wanted.and_then(|wanted| {
                table
                    .columns
                    .iter_mut()
                    .find(|known| collate::same(&known.column.name, &wanted.text))
            });
            if let Some(found) = found {
                found.default = Some(expr.clone());
            }
        }
        // Temporary tables do not enforce them.
        ConstraintKind::ForeignKey { .. } => {}
    }
    Ok(())
}
