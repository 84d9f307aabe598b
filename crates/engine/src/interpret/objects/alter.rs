//! ALTER TABLE: columns and constraints come, change and go.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "only some actions touch foreign keys"
)]

use super::super::Interpreter;
use super::super::data::target_of;
use super::super::query;
use super::index::{changed, drop_index_storage, duplicates};
use super::rebuild::foreign_keys_hold;
use super::table::{
    IndexError, Written, column_sql, create_index_storage, extend, sqlite, type_of,
};
use super::{Definitions, Target};
use crate::databases::{ColumnInfo, ObjectInfo, Objects, TableInfo};
use crate::interpret::Frame;
use crate::session::computed::ROW;
use crate::session::permanent::table_from;
use crate::session::shared::option;
use crate::session::tables::{OwnTable, Place};
use std::sync::Arc;
use tsql::ast::{
    AlterTable, AlterTableAction, AlterTableDrop, ColumnDef, ColumnKind, Ident, TableDefinition,
};
use tsql::bind::Binder;
use tsql::bind::ir::TypedExpr;
use tsql::eval::collate;
use tsql::{SqlError, fault, messages};

impl Interpreter<'_> {
    pub(in super::super) fn alter_table(
        &mut self,
        alter: &AlterTable,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        if alter.name.is_temporary() {
            return Err(fault::not_supported("ALTER TABLE of a temporary table"));
        }
        let target = self.target_of_name(&alter.name)?;
        let schema = Self::schema_name(&alter.name);
        if !self.may_alter(&target, schema, &alter.name.name.text) {
            return Err(messages::CANNOT_FIND_OBJECT.with(&[&alter.name.to_string()]));
        }
        let moves_keys = match &alter.action {
            AlterTableAction::Add(definition) => adds_foreign_key(definition),
            AlterTableAction::Drop(drops) => drops.iter().any(|drop| !drop.column),
            _ => false,
        };
        // While a table with foreign keys is made anew, SQLite must not look at them; it can be told so only
        // outside of transactions.
        let alone = moves_keys && self.core.shared.facts().tran_count == 0;
        if alone {
            self.core_batch("PRAGMA foreign_keys = OFF")?;
        }
        let result = self.define_objects(&target, |this, objects| {
            let found = this.table_to_change(objects, &target, &alter.name)?;
            let table = found
                .table()
                .cloned()
                .ok_or_else(|| fault::internal("not a table"))?;
            let mut change = Change {
                target: &target,
                objects,
                found: &found,
                table,
                alone,
            };
            match &alter.action {
                AlterTableAction::Add(definition) => {
                    this.add_to_table(&mut change, definition, frame)?;
                }
                AlterTableAction::AlterColumn(column) => {
                    this.alter_column(&mut change, column, frame)?;
                }
                AlterTableAction::Drop(drops) => {
                    for drop in drops {
                        if drop.column {
                            this.drop_column(&mut change, drop)?;
                        } else {
                            this.drop_constraint(&mut change, drop)?;
                        }
                    }
                }
                AlterTableAction::CheckConstraint { enable, names } => {
                    change.toggle(*enable, names)?;
                }
                AlterTableAction::Trigger { enable, names } => {
                    // The table is written below, for those who write it to know who watches.
                    this.toggle_triggers(&target, objects, &found, *enable, names)?;
                }
                AlterTableAction::Unsupported { feature } => {
                    return Err(fault::not_supported(&format!("ALTER TABLE … {feature}")));
                }
            }
            let moment = this.moment();
            this.in_file(&target, objects, |file| {
                file.put(&changed(&found, change.table, moment))
            })
        });
        if alone {
            self.core_batch("PRAGMA foreign_keys = ON")?;
        }
        result
    }

    fn add_to_table(
        &mut self,
        change: &mut Change<'_>,
        definition: &TableDefinition,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let quoted_identifier = self.core.shared.facts().has(option::QUOTED_IDENTIFIER);
        let written = Written {
            definition,
            text: &frame.text,
            quoted_identifier,
        };
        let before = change.table.clone();
        let (target, objects, found) = (change.target, change.objects, change.found);
        let table = &mut change.table;
        let rows = self.in_file(target, objects, |file| {
            extend(file, found, table, written)?;
            has_rows(file, found)
        })?;
        let first = before.columns.len();
        for at in first..change.table.columns.len() {
            let column = change.table.columns[at].clone();
            self.in_file(target, objects, |file| {
                sqlite(
                    file,
                    &format!(
                        "ALTER TABLE {}.t{} ADD COLUMN {}",
                        target.sql,
                        found.id,
                        column_sql(at, &column)
                    ),
                )
            })?;
            let filled = column.identity.is_some() || column.computed.is_some();
            if rows && !column.nullable && column.default.is_none() && !filled {
                return Err(messages::ADD_REQUIRED_COLUMN.with(&[&column.name, &found.name]));
            }
            if column
                .computed
                .as_ref()
                .is_some_and(|computed| computed.stored)
            {
                self.store_column(change, at, frame)?;
            } else if rows && !column.nullable && !filled {
                let own = change.own_table()?;
                let default = own.columns[at]
                    .default
                    .clone()
                    .ok_or_else(|| fault::internal("a column without a default"))?;
                let value = self.bind(&default, frame)?;
                self.fill_column(&own, at, at, value, frame)?;
            }
            if let Some((seed, increment)) = column.identity {
                self.number_rows(change, at, seed, increment)?;
            }
        }
        for at in 0..first {
            let stored = |table: &TableInfo| {
                let computed = table.columns[at].computed.as_ref();
                computed.is_some_and(|computed| computed.stored)
            };
            if stored(&change.table) && !stored(&before) {
                self.store_column(change, at, frame)?;
            }
        }
        let new_keys = change.table.indexes[before.indexes.len()..].to_vec();
        for index in new_keys {
            for (at, _) in index.columns.iter().filter(|_| index.primary) {
                if *at < first && before.columns[*at].nullable {
                    return Err(messages::NULLABLE_KEY.with(&[&found.name]));
                }
            }
            let table = &change.table;
            self.in_file(target, objects, |file| {
                create_index_storage(file, found, &format!("t{}", found.id), table, &index).map_err(
                    |error| match error {
                        IndexError::Duplicate => duplicates(file, found, &index.name),
                        IndexError::Sql(error) => error,
                    },
                )
            })?;
        }
        if change.table.checks.len() > before.checks.len() {
            let own = Arc::new(change.own_table()?);
            self.checks_hold(&own, frame, "ALTER TABLE")?;
        }
        if change.table.foreign_keys.len() > before.foreign_keys.len() {
            self.rebuild(change)?;
            let object = changed(found, change.table.clone(), 0);
            self.in_file(target, objects, |file| {
                foreign_keys_hold(file, &object, "ALTER TABLE")
            })?;
        }
        Ok(())
    }

    /// Works out the values of a computed column that stand with the rows from now on.
    pub(super) fn store_column(
        &mut self,
        change: &Change<'_>,
        at: usize,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let own = change.own_table()?;
        let derived = self.core.shared.derived(&own, true)?;
        let expr = derived
            .into_iter()
            .flat_map(|derived| derived.columns)
            .find_map(|(place, expr)| (place == at).then_some(expr))
            .ok_or_else(|| fault::internal("a computed column without an expression"))?;
        self.fill_column(&own, at, at, expr, frame)
    }

    /// Gives the rows that are there their identities.
    fn number_rows(
        &mut self,
        change: &Change<'_>,
        at: usize,
        seed: i64,
        increment: i64,
    ) -> Result<(), SqlError> {
        let (target, found) = (change.target, change.found);
        self.in_file(target, change.objects, |file| {
            let name = format!("{}.t{}", target.sql, found.id);
            sqlite(
                file,
                &format!(
                    "UPDATE {name} SET c{at} = {seed} + n.k * {increment} FROM (SELECT rowid AS r, \
                     row_number() OVER (ORDER BY rowid) - 1 AS k FROM {name}) AS n WHERE {name}.rowid = n.r"
                ),
            )?;
            let count: i64 = file
                .db
                .query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0))
                .map_err(|error| super::broken(&error.into()))?;
            let next = seed.saturating_add(count.saturating_mul(increment));
            file.writer
                .put_identity(found.id, next)
                .map_err(|error| super::broken(&error))
        })
    }

    /// Gives a column of all rows a value in the type of column `like`.
    fn fill_column(
        &mut self,
        table: &OwnTable,
        at: usize,
        like: usize,
        value: TypedExpr,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let target = target_of(table, like, "UPDATE");
        let name = table.sql_name();
        let (text, plan) = self.generate(frame, |generator| {
            let value = generator.assigned(&value, target)?;
            // Both aliases are by which a bound column names the table: a binder's first entry, and a computed
            // column's own row.
            Ok(format!(
                "UPDATE {name} SET c{at} = n.v FROM (SELECT s1.rowid AS r, {value} AS v FROM {name} AS s1 \
                 JOIN {name} AS s{ROW} ON s{ROW}.rowid = s1.rowid) AS n WHERE {name}.rowid = n.r"
            ))
        })?;
        match query::change(self.core, self.cancel, &text, plan) {
            Ok(_) => Ok(()),
            Err(query::ChangeError::Sql(error)) => Err(error),
            Err(query::ChangeError::Constraint(message)) => Err(fault::internal(&message)),
        }
    }

    fn alter_column(
        &mut self,
        change: &mut Change<'_>,
        column: &ColumnDef,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let at = change.column(&column.name, "ALTER TABLE ALTER COLUMN")?;
        let ColumnKind::Typed(ty) = &column.kind else {
            return Err(fault::not_supported("ALTER COLUMN to a computed column"));
        };
        let old = change.table.columns[at].clone();
        if old.computed.is_some() {
            let failed = "ALTER TABLE ALTER COLUMN";
            return Err(messages::COLUMN_IN_USE.with(&[failed, &old.name]));
        }
        let (ty, user_type, nullable) = type_of(change.objects, ty)?;
        let new = ColumnInfo {
            ty,
            user_type,
            nullable: column.nullable.or(nullable).unwrap_or(true) && old.identity.is_none(),
            ..old.clone()
        };
        let same_kind = std::mem::discriminant(&old.ty) == std::mem::discriminant(&ty);
        let keyed = change.table.indexes.iter().find(|index| {
            let filter = index.filter.as_ref();
            index.columns.iter().any(|(key, _)| *key == at)
                || filter.is_some_and(|filter| names(&filter.text, &old.name))
        });
        if let Some(index) = keyed
            && (!same_kind || old.nullable != new.nullable || index.filter.is_some())
        {
            return Err(change.dependent("ALTER TABLE ALTER COLUMN", &old.name, &index.name));
        }
        if let Some(user) = change.computed_of(at) {
            return Err(change.dependent("ALTER TABLE ALTER COLUMN", &old.name, &user));
        }
        let before = change.own_table()?;
        change.table.columns[at] = new.clone();
        let after = change.own_table()?;
        let binder_frame = Frame {
            text: Arc::clone(&frame.text),
            ..Frame::default()
        };
        let value = {
            let names = self.names(&binder_frame.scope);
            let mut binder = Binder::new(&names);
            // The first FROM entry of a binder is number 1.
            binder.open_table(&before.name, &before.shape());
            binder.expr(&tsql::ast::Expr {
                span: column.name.span,
                kind: tsql::ast::ExprKind::Column(vec![column.name.clone()]),
            })?
        };
        if column_sql(at, &old) == column_sql(at, &new) {
            return self.fill_column(&after, at, at, value, &binder_frame);
        }
        // Another collation: the column is made anew behind the others and takes the old one's place.
        let last = change.table.columns.len();
        let (target, found) = (change.target, change.found);
        let name = format!("{}.t{}", target.sql, found.id);
        let added = format!("ALTER TABLE {name} ADD COLUMN {}", column_sql(last, &new));
        self.in_file(target, change.objects, |file| sqlite(file, &added))?;
        self.fill_column(&after, last, at, value, &binder_frame)?;
        // Positions of SQLite's columns do not matter: they are named.
        self.in_file(target, change.objects, |file| {
            sqlite(
                file,
                &format!(
                    "ALTER TABLE {name} DROP COLUMN c{at}; ALTER TABLE {name} RENAME COLUMN c{last} TO c{at}"
                ),
            )
        })
    }

    fn drop_column(
        &mut self,
        change: &mut Change<'_>,
        drop: &AlterTableDrop,
    ) -> Result<(), SqlError> {
        const STATEMENT: &str = "ALTER TABLE DROP COLUMN";
        let at = match change.column(&drop.name, STATEMENT) {
            Err(_) if drop.if_exists => return Ok(()),
            at => at?,
        };
        let name = change.table.columns[at].name.clone();
        let user = change
            .table
            .indexes
            .iter()
            .find(|index| {
                let filter = index.filter.as_ref();
                index.columns.iter().any(|(key, _)| *key == at)
                    || index.include.contains(&at)
                    || filter.is_some_and(|filter| names(&filter.text, &name))
            })
            .map(|index| index.name.clone())
            .or_else(|| {
                let default = change.table.columns[at].default.as_ref();
                default.map(|default| default.name.clone())
            })
            .or_else(|| {
                let mut keys = change.table.foreign_keys.iter();
                let key = keys.find(|key| key.columns.contains(&at));
                key.map(|key| key.name.clone())
            })
            .or_else(|| change.check_of(at));
        if let Some(user) = user {
            return Err(change.dependent(STATEMENT, &name, &user));
        }
        if change.table.columns.len() == 1 {
            return Err(SqlError::new(
                4923,
                16,
                format!(
                    "ALTER TABLE DROP COLUMN failed because '{name}' is the only data column in table '{}'. A table must have at least one data column.",
                    change.found.name
                ),
            ));
        }
        let count = change.table.columns.len();
        change.table.columns.remove(at);
        change.moved_down(at);
        let (target, found) = (change.target, change.found);
        self.in_file(target, change.objects, |file| {
            let table = format!("{}.t{}", target.sql, found.id);
            sqlite(file, &format!("ALTER TABLE {table} DROP COLUMN c{at}"))?;
            for later in at + 1..count {
                let text = format!(
                    "ALTER TABLE {table} RENAME COLUMN c{later} TO c{}",
                    later - 1
                );
                sqlite(file, &text)?;
            }
            // Those who refer to columns of this table know them by their places.
            for other in file.objects.objects().filter(|other| other.id != found.id) {
                let Some(mut table) = other.table().cloned() else {
                    continue;
                };
                let mut moved = false;
                for key in table
                    .foreign_keys
                    .iter_mut()
                    .filter(|key| key.table == found.id)
                {
                    for place in key.references.iter_mut().filter(|place| **place > at) {
                        *place -= 1;
                        moved = true;
                    }
                }
                if moved {
                    file.put(&changed(other, table, other.modified))?;
                }
            }
            Ok(())
        })
    }

    fn drop_constraint(
        &mut self,
        change: &mut Change<'_>,
        drop: &AlterTableDrop,
    ) -> Result<(), SqlError> {
        let name = &drop.name.text;
        let table = &mut change.table;
        if let Some(at) = table
            .indexes
            .iter()
            .position(|index| index.constraint.is_some() && collate::same(&index.name, name))
        {
            let index = table.indexes.remove(at);
            let parent = change.found.id;
            let referenced = change
                .objects
                .objects()
                .filter_map(|object| object.table().map(|table| (object, table)))
                .flat_map(|(object, table)| table.foreign_keys.iter().map(move |k| (object, k)))
                .find(|(_, key)| {
                    key.table == parent
                        && key.references.len() == index.columns.len()
                        && index
                            .columns
                            .iter()
                            .all(|(at, _)| key.references.contains(at))
                });
            if let Some((_, key)) = referenced {
                return Err(SqlError::new(
                    3725,
                    16,
                    format!(
                        "The constraint '{name}' is being referenced by foreign key constraint '{}'.",
                        key.name
                    ),
                ));
            }
            return self.in_file(change.target, change.objects, |file| {
                drop_index_storage(file, &index)
            });
        }
        if let Some(at) = table
            .checks
            .iter()
            .position(|c| collate::same(&c.name, name))
        {
            table.checks.remove(at);
            return Ok(());
        }
        for column in &mut table.columns {
            let found = column.default.as_ref();
            if found.is_some_and(|default| collate::same(&default.name, name)) {
                column.default = None;
                return Ok(());
            }
        }
        if let Some(at) = table
            .foreign_keys
            .iter()
            .position(|key| collate::same(&key.name, name))
        {
            table.foreign_keys.remove(at);
            return self.rebuild(change);
        }
        if drop.if_exists {
            return Ok(());
        }
        Err(messages::NOT_A_CONSTRAINT.with(&[name]))
    }
}

/// A table that is being altered.
pub(super) struct Change<'c> {
    pub(super) target: &'c Target,
    pub(super) objects: &'c Objects,
    pub(super) found: &'c Arc<ObjectInfo>,
    /// As it will be.
    pub(super) table: TableInfo,
    /// Whether SQLite looks at no foreign keys meanwhile.
    pub(super) alone: bool,
}

impl Change<'_> {
    /// The table as statements see it, with the columns it will have.
    pub(super) fn own_table(&self) -> Result<OwnTable, SqlError> {
        let mut own = table_from(&self.table, &self.found.name, u32::MAX)?;
        own.place = Some(Place {
            database: self.target.id,
            database_name: self.target.name.clone(),
            schema: self.objects.schema_name(self.found.schema).to_owned(),
            triggers: false,
            instead: Vec::new(),
            object: Arc::clone(self.found),
        });
        Ok(own)
    }

    fn column(&self, name: &Ident, statement: &str) -> Result<usize, SqlError> {
        self.table
            .columns
            .iter()
            .position(|column| collate::same(&column.name, &name.text))
            .ok_or_else(|| {
                messages::ALTER_NO_COLUMN
                    .at(name.span.line, &[statement, &name.text, &self.found.name])
            })
    }

    /// 4922 of a column that something needs.
    fn dependent(&self, statement: &str, column: &str, user: &str) -> SqlError {
        let error = messages::COLUMN_IN_USE.with(&[statement, column]);
        let why = messages::DEPENDENT.with(&["object", user, "column", column]);
        SqlError::new(
            error.number,
            error.severity,
            format!("{} {}", why.message, error.message),
        )
    }

    /// A CHECK or computed column that names a column.
    fn check_of(&self, at: usize) -> Option<String> {
        let column = &self.table.columns[at];
        let mut checks = self.table.checks.iter();
        let check =
            checks.find(|check| check.column == Some(at) || names(&check.text, &column.name));
        check
            .map(|check| check.name.clone())
            .or_else(|| self.computed_of(at))
    }

    /// A computed column that names a column.
    fn computed_of(&self, at: usize) -> Option<String> {
        let column = &self.table.columns[at];
        let mut others = self.table.columns.iter();
        let user = others.find(|other| {
            let computed = other.computed.as_ref();
            computed.is_some_and(|computed| names(&computed.text, &column.name))
                && other.id != column.id
        });
        user.map(|other| other.name.clone())
    }

    /// Columns behind a dropped one have moved down by one.
    fn moved_down(&mut self, at: usize) {
        let down = |place: &mut usize| {
            if *place > at {
                *place -= 1;
            }
        };
        let own = self.found.id;
        for index in &mut self.table.indexes {
            index.columns.iter_mut().for_each(|(place, _)| down(place));
            index.include.iter_mut().for_each(down);
        }
        for check in &mut self.table.checks {
            check.column.iter_mut().for_each(down);
        }
        for key in &mut self.table.foreign_keys {
            key.columns.iter_mut().for_each(down);
            if key.table == own {
                key.references.iter_mut().for_each(down);
            }
        }
    }

    fn toggle(&mut self, enable: bool, names: &[Ident]) -> Result<(), SqlError> {
        for name in names {
            let check = self
                .table
                .checks
                .iter()
                .any(|check| collate::same(&check.name, &name.text));
            if !check {
                let key = self
                    .table
                    .foreign_keys
                    .iter()
                    .any(|key| collate::same(&key.name, &name.text));
                // A key that is checked already stays so.
                if key && enable {
                    continue;
                }
                return Err(if key {
                    fault::not_supported("NOCHECK CONSTRAINT of a foreign key")
                } else {
                    messages::NOT_A_CONSTRAINT.at(name.span.line, &[&name.text])
                });
            }
        }
        if names.is_empty() && !enable && !self.table.foreign_keys.is_empty() {
            return Err(fault::not_supported("NOCHECK CONSTRAINT of a foreign key"));
        }
        for check in &mut self.table.checks {
            let named = names
                .iter()
                .any(|name| collate::same(&check.name, &name.text));
            if names.is_empty() || named {
                check.disabled = !enable;
            }
        }
        Ok(())
    }
}

/// Whether a stored text names a column; a word in a string that looks like it counts too.
pub(super) fn names(text: &str, column: &str) -> bool {
    let bare = |c: char| c.is_alphanumeric() || matches!(c, '_' | '#' | '@' | '$');
    if column.chars().all(bare) {
        return text
            .split(|c: char| !bare(c))
            .any(|word| collate::same(word, column));
    }
    let quoted = |open: char, close: char| {
        let doubled = column.replace(close, &format!("{close}{close}"));
        collate::key(text).contains(&collate::key(&format!("{open}{doubled}{close}")))
    };
    quoted('[', ']') || quoted('"', '"')
}

fn adds_foreign_key(definition: &TableDefinition) -> bool {
    let behind = definition.columns.iter().flat_map(|c| &c.constraints);
    behind
        .chain(&definition.constraints)
        .any(|c| matches!(c.kind, tsql::ast::ConstraintKind::ForeignKey { .. }))
}

fn has_rows(file: &Definitions<'_>, object: &ObjectInfo) -> Result<bool, SqlError> {
    file.db
        .query_row(
            &format!(
                "SELECT EXISTS(SELECT 1 FROM {}.t{})",
                file.target.sql, object.id
            ),
            [],
            |row| row.get(0),
        )
        .map_err(|error| super::broken(&error.into()))
}
