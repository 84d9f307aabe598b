//! CREATE TABLE of a permanent table, and what a table's definition becomes in its file.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "only strings and one type of moments have a collation"
)]

use super::super::{Frame, Interpreter};
use super::{Definitions, Target, broken, filter};
use crate::databases::{
    Body, CheckInfo, ColumnInfo, ComputedInfo, DefaultInfo, ForeignKeyInfo, IndexInfo, ObjectInfo,
    ObjectKind, Objects, TableInfo, UserType,
};
use crate::session::computed;
use crate::session::permanent::{expression, table_from};
use crate::session::shared::option;
use std::sync::Arc;
use tsql::ast::{
    ColumnDef, ColumnKind, Constraint, ConstraintKind, CreateTable, Ident, IndexColumn,
    InlineIndex, ObjectName, ReferentialAction, Span, TableDefinition, TypeName,
};
use tsql::bind::ir::Query;
use tsql::bind::{DefaultLength, resolve_type};
use tsql::eval::collate;
use tsql::{SqlError, SqlType, fault, messages};

/// Most columns of a table.
pub(in super::super) const COLUMNS_MAX: usize = 1024;

/// A table definition with the text that it stands in.
#[derive(Clone, Copy)]
pub(super) struct Written<'d> {
    pub(super) definition: &'d TableDefinition,
    pub(super) text: &'d str,
    pub(super) quoted_identifier: bool,
}

impl Written<'_> {
    fn slice(&self, span: Span) -> Result<String, SqlError> {
        let text = span.slice(self.text);
        if text.is_empty() {
            return Err(fault::internal("a definition without its text"));
        }
        Ok(text.to_owned())
    }
}

/// A foreign key whose other table is the one being made.
fn actions(action: ReferentialAction) -> u8 {
    match action {
        ReferentialAction::NoAction => 0,
        ReferentialAction::Cascade => 1,
        ReferentialAction::SetNull => 2,
        ReferentialAction::SetDefault => 3,
    }
}

impl Interpreter<'_> {
    pub(in super::super) fn create_permanent_table(
        &mut self,
        create: &CreateTable,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let target = self.target_of_name(&create.name)?;
        self.may_create(&target, "CREATE TABLE", Self::schema_name(&create.name))?;
        let text = Arc::clone(&frame.text);
        let quoted_identifier = self.core.shared.facts().has(option::QUOTED_IDENTIFIER);
        self.define_objects(&target, |this, objects| {
            let written = Written {
                definition: &create.definition,
                text: &text,
                quoted_identifier,
            };
            let object = this.new_table(&target, objects, &create.name, Some(written), None)?;
            this.in_file(&target, objects, |file| {
                create_storage(file, &object, &format!("t{}", object.id))?;
                file.put(&object)
            })
        })
    }

    /// The table that SELECT … INTO makes.
    pub(in super::super) fn create_permanent_into(
        &mut self,
        into: &ObjectName,
        query: &Query,
    ) -> Result<(), SqlError> {
        let target = self.target_of_name(into)?;
        self.may_create(&target, "CREATE TABLE", Self::schema_name(into))?;
        let columns: Vec<ColumnInfo> = (1..)
            .zip(&query.columns)
            .map(|(id, column)| ColumnInfo::plain(id, &column.name, column.ty, column.nullable))
            .collect();
        self.define_objects(&target, |this, objects| {
            let object = this.new_table(&target, objects, into, None, Some(columns))?;
            this.in_file(&target, objects, |file| {
                create_storage(file, &object, &format!("t{}", object.id))?;
                file.put(&object)
            })
        })
    }

    fn new_table(
        &mut self,
        target: &Target,
        objects: &Objects,
        name: &ObjectName,
        written: Option<Written<'_>>,
        columns: Option<Vec<ColumnInfo>>,
    ) -> Result<ObjectInfo, SqlError> {
        let schema = Self::schema_name(name);
        let schema_id = objects
            .schema(schema)
            .ok_or_else(|| messages::UNKNOWN_SCHEMA.with(&[schema]))?
            .id;
        self.name_is_free(target, objects, schema, &name.name.text)?;
        let moment = self.moment();
        let mut object = self.in_file(target, objects, |file| {
            Ok(ObjectInfo {
                id: file.next_object()?,
                schema: schema_id,
                parent: 0,
                name: name.name.text.clone(),
                kind: ObjectKind::Table,
                created: moment,
                modified: moment,
                body: Body::Table(TableInfo::default()),
            })
        })?;
        let mut table = TableInfo::default();
        if let Some(columns) = columns {
            table.columns = columns;
        }
        if let Some(written) = written {
            self.in_file(target, objects, |file| {
                extend(file, &object, &mut table, written)
            })?;
        }
        object.body = Body::Table(table);
        Ok(object)
    }
}

/// The type behind a name: one of the language, or one that a user made and its number.
pub(in super::super) fn type_of(
    objects: &Objects,
    ty: &TypeName,
) -> Result<(SqlType, Option<i32>, Option<bool>), SqlError> {
    let failed = match resolve_type(ty, DefaultLength::Declaration) {
        Ok(known) => return Ok((known, None, None)),
        Err(error) => error,
    };
    let name = &ty.name;
    let schema = name.schema.as_ref().map_or("dbo", |part| &part.text);
    match objects.type_named(schema, &name.name.text) {
        Some(made) => match &made.kind {
            UserType::Alias { base, nullable } => Ok((*base, Some(made.id), Some(*nullable))),
            UserType::Table { .. } => Err(failed),
        },
        None => Err(failed),
    }
}

/// Adds the columns, constraints and indexes of a definition to a table.
pub(super) fn extend(
    file: &Definitions<'_>,
    object: &ObjectInfo,
    table: &mut TableInfo,
    written: Written<'_>,
) -> Result<(), SqlError> {
    let first = table.columns.len();
    for column in &written.definition.columns {
        let made = column_of(file, object, table, column, written)?;
        table.columns.push(made);
    }
    settle_computed(file, object, table, first, written)?;
    for (place, column) in (first..).zip(&written.definition.columns) {
        for constraint in &column.constraints {
            constrain(
                file,
                object,
                table,
                constraint,
                Some((place, &column.name)),
                written,
            )?;
        }
    }
    for constraint in &written.definition.constraints {
        constrain(file, object, table, constraint, None, written)?;
    }
    for index in &written.definition.indexes {
        inline_index(file, object, table, index)?;
    }
    // What is stored can be read again.
    table_from(table, &object.name, 0).map(|_| ())
}

/// Works out the types of the computed columns from place `first` on.
fn settle_computed(
    file: &Definitions<'_>,
    object: &ObjectInfo,
    table: &mut TableInfo,
    first: usize,
    written: Written<'_>,
) -> Result<(), SqlError> {
    let new = &written.definition.columns;
    if table.columns[first..].iter().all(|c| c.computed.is_none()) {
        return Ok(());
    }
    let mut own = file.own_table(object, table)?;
    let required: Vec<usize> = (first..)
        .zip(new)
        .filter(|(_, column)| column.nullable == Some(false))
        .map(|(at, _)| at)
        .collect();
    for (at, deterministic) in computed::settle(file.shared, &mut own, first, &required)? {
        let column = &mut table.columns[at];
        column.ty = own.columns[at].column.ty;
        column.nullable = own.columns[at].column.nullable;
        if let Some(info) = column.computed.as_mut() {
            info.deterministic = deterministic;
        }
    }
    Ok(())
}

/// What a key or index makes of the computed columns in it: they are stored from now on. Returns those that were not
/// before.
pub(super) fn store_computed(
    table: &mut TableInfo,
    keys: &[(usize, bool)],
    name: &str,
) -> Result<Vec<usize>, SqlError> {
    let mut newly = Vec::new();
    for (at, _) in keys {
        let column = &mut table.columns[*at];
        let Some(computed) = column.computed.as_mut() else {
            continue;
        };
        if !computed.deterministic {
            return Err(messages::COMPUTED_NOT_INDEXABLE.with(&[&column.name, name]));
        }
        if !computed.stored {
            computed.stored = true;
            newly.push(*at);
        }
    }
    Ok(newly)
}

fn column_of(
    file: &Definitions<'_>,
    object: &ObjectInfo,
    table: &TableInfo,
    column: &ColumnDef,
    written: Written<'_>,
) -> Result<ColumnInfo, SqlError> {
    let line = column.span.line;
    let name = &column.name.text;
    if table.columns.iter().any(|c| collate::same(&c.name, name)) {
        return Err(messages::DUPLICATE_COLUMN.at(line, &[name, &object.name]));
    }
    if table.columns.len() >= COLUMNS_MAX {
        let most = COLUMNS_MAX.to_string();
        return Err(messages::TOO_MANY_COLUMNS.at(line, &[name, &object.name, &most]));
    }
    let id = table.columns.iter().map(|c| c.id).max().unwrap_or(0) + 1;
    let mut made = ColumnInfo {
        rowguid: column.rowguid,
        ..ColumnInfo::plain(id, name, SqlType::Int, column.nullable.unwrap_or(true))
    };
    match &column.kind {
        // Type and NULL follow once all columns are known.
        ColumnKind::Computed { expr, persisted } => {
            made.computed = Some(ComputedInfo {
                text: written.slice(expr.span)?,
                quoted_identifier: written.quoted_identifier,
                persisted: *persisted,
                stored: *persisted,
                deterministic: false,
            });
        }
        ColumnKind::Typed(ty) => {
            if ty.name.name.is("timestamp") || ty.name.name.is("rowversion") {
                return Err(fault::not_supported("a rowversion column").at_line(line));
            }
            let (ty, user_type, nullable) =
                type_of(file.objects, ty).map_err(|error| error.at_line(line))?;
            made.ty = ty;
            made.user_type = user_type;
            made.nullable = column.nullable.or(nullable).unwrap_or(true);
        }
    }
    if let Some(seed) = column.identity {
        let integer = made.ty.is_integer() && made.ty != SqlType::Bit;
        let whole = matches!(
            made.ty,
            SqlType::Decimal { scale: 0, precision } | SqlType::Numeric { scale: 0, precision }
                if precision <= 18
        );
        if !integer && !whole {
            return Err(SqlError::new(
                2749,
                16,
                format!("Identity column '{name}' must be of data type int, bigint, smallint, tinyint, or decimal or numeric with a scale of 0, unencrypted, and constrained to be nonnullable."),
            )
            .at_line(line));
        }
        if table.columns.iter().any(|c| c.identity.is_some()) {
            return Err(SqlError::new(
                2744,
                16,
                format!(
                    "Multiple identity columns specified for table '{}'. Only one identity column per table is allowed.",
                    object.name
                ),
            )
            .at_line(line));
        }
        made.identity = Some((seed.seed, seed.increment));
        made.nullable = false;
    }
    Ok(made)
}

/// A name for a constraint that was given none, in SQL Server's shape.
fn system_name(prefix: &str, object: &ObjectInfo, column: Option<&str>, id: i32) -> String {
    let short = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let table = short(&object.name, 9);
    match column {
        Some(column) => format!("{prefix}__{table}__{}__{id:08X}", short(column, 5)),
        None => format!("{prefix}__{table}__{:08X}{id:08X}", object.id),
    }
}

/// The places of columns by name.
fn places<'n>(
    table: &TableInfo,
    names: impl Iterator<Item = &'n Ident>,
) -> Result<Vec<usize>, SqlError> {
    names
        .map(|name| {
            table
                .columns
                .iter()
                .position(|column| collate::same(&column.name, &name.text))
                .ok_or_else(|| messages::INDEX_COLUMN.at(name.span.line, &[&name.text]))
        })
        .collect()
}

/// Key columns of an index, in its order.
pub(super) fn key_places(
    table: &TableInfo,
    columns: &[IndexColumn],
) -> Result<Vec<(usize, bool)>, SqlError> {
    let found = places(table, columns.iter().map(|column| &column.name))?;
    let descending = columns.iter().map(|column| column.descending);
    Ok(found.into_iter().zip(descending).collect())
}

fn free_constraint_name(
    file: &Definitions<'_>,
    object: &ObjectInfo,
    table: &TableInfo,
    name: &Ident,
) -> Result<(), SqlError> {
    let text = &name.text;
    let elsewhere = file.objects.constraints().any(|constraint| {
        constraint.table.schema == object.schema
            && constraint.table.id != object.id
            && collate::same(constraint.name, text)
    });
    let here = table.indexes.iter().any(|i| collate::same(&i.name, text))
        || table.checks.iter().any(|c| collate::same(&c.name, text))
        || table
            .foreign_keys
            .iter()
            .any(|f| collate::same(&f.name, text))
        || table.columns.iter().any(|c| {
            c.default
                .as_ref()
                .is_some_and(|default| collate::same(&default.name, text))
        });
    let schema = file.objects.schema_name(object.schema);
    if elsewhere || here || file.objects.find(schema, text).is_some() {
        return Err(messages::OBJECT_EXISTS.at(name.span.line, &[text]));
    }
    Ok(())
}

/// Adds one constraint; `own` is the column that it stands behind.
pub(super) fn constrain(
    file: &Definitions<'_>,
    object: &ObjectInfo,
    table: &mut TableInfo,
    constraint: &Constraint,
    own: Option<(usize, &Ident)>,
    written: Written<'_>,
) -> Result<(), SqlError> {
    if let Some(name) = &constraint.name {
        free_constraint_name(file, object, table, name)?;
    }
    let id = file.next_object()?;
    let system_named = constraint.name.is_none();
    let named = |prefix: &str, column: Option<&str>| {
        constraint.name.as_ref().map_or_else(
            || system_name(prefix, object, column, id),
            |name| name.text.clone(),
        )
    };
    let column = own.map(|(_, name)| name.text.as_str());
    match &constraint.kind {
        ConstraintKind::Key {
            primary,
            clustered,
            columns,
        } => {
            if *primary && table.indexes.iter().any(|index| index.primary) {
                return Err(messages::SECOND_PRIMARY_KEY.at(constraint.span.line, &[&object.name]));
            }
            let columns = match own {
                Some((place, _)) if columns.is_empty() => vec![(place, false)],
                _ => key_places(table, columns)?,
            };
            let line = constraint.span.line;
            if *primary {
                for (place, _) in &columns {
                    let column = &table.columns[*place];
                    if column.computed.as_ref().is_some_and(|c| !c.persisted) && column.nullable {
                        let names = [column.name.as_str(), &object.name];
                        return Err(messages::COMPUTED_KEY_NULLABLE.at(line, &names));
                    }
                    // Behind a column or in CREATE TABLE a key makes its columns NOT NULL.
                    table.columns[*place].nullable = false;
                }
            }
            store_computed(table, &columns, &object.name).map_err(|error| error.at_line(line))?;
            let taken = table.indexes.iter().any(|index| index.clustered);
            let index = IndexInfo {
                id: next_index_id(table, clustered.unwrap_or(*primary && !taken)),
                name: named(if *primary { "PK" } else { "UQ" }, None),
                constraint: Some((id, system_named)),
                primary: *primary,
                unique: true,
                clustered: clustered.unwrap_or(*primary && !taken),
                storage: file.writer.next_storage().map_err(|error| broken(&error))?,
                columns,
                include: Vec::new(),
                filter: None,
                disabled: false,
            };
            one_clustered(table, &index, &object.name)?;
            table.indexes.push(index);
        }
        ConstraintKind::Check(condition) => {
            if let Some((place, _)) = own {
                only_persisted(table, place, constraint.span)?;
            }
            table.checks.push(CheckInfo {
                id,
                name: named("CK", column),
                system_named,
                text: written.slice(condition.span)?,
                quoted_identifier: written.quoted_identifier,
                column: own.map(|(place, _)| place),
                disabled: false,
            });
        }
        ConstraintKind::Default { expr, column: name } => {
            let place = match (name, own) {
                (Some(name), _) => places(table, std::iter::once(name))?[0],
                (None, Some((place, _))) => place,
                (None, None) => return Err(fault::internal("a default without a column")),
            };
            let text = written.slice(expr.span)?;
            expression(&text, written.quoted_identifier)?;
            let name = named("DF", Some(&table.columns[place].name));
            let column = &mut table.columns[place];
            if column.computed.is_some() {
                let names = [column.name.as_str(), object.name.as_str()];
                return Err(messages::BAD_DEFAULT_COLUMN.at(constraint.span.line, &names));
            }
            if column.default.is_some() || column.identity.is_some() {
                return Err(messages::SECOND_DEFAULT.at(constraint.span.line, &[]));
            }
            column.default = Some(DefaultInfo {
                id,
                name,
                system_named,
                text,
                quoted_identifier: written.quoted_identifier,
            });
        }
        ConstraintKind::ForeignKey {
            columns,
            table: other,
            references,
            on_delete,
            on_update,
        } => {
            let columns = match own {
                Some((place, _)) if columns.is_empty() => vec![place],
                _ => places(table, columns.iter())?,
            };
            for place in &columns {
                only_persisted(table, *place, constraint.span)?;
            }
            let name = named("FK", column.or(Some("")));
            let (number, parent) = referred(file, object, table, other, &name)?;
            let references = if references.is_empty() {
                let primary = parent.indexes.iter().find(|index| index.primary);
                let key = primary.map(|key| key.columns.iter().map(|(at, _)| *at).collect());
                key.unwrap_or_default()
            } else {
                places(&parent, references.iter())?
            };
            let key = parent.indexes.iter().any(|index| {
                index.unique
                    && index.filter.is_none()
                    && !index.disabled
                    && index.columns.len() == references.len()
                    && index.columns.iter().all(|(at, _)| references.contains(at))
            });
            if !key || references.len() != columns.len() {
                let shown = other.to_string();
                return Err(messages::FOREIGN_KEY_NO_KEY.at(constraint.span.line, &[&shown, &name]));
            }
            for (mine, theirs) in columns.iter().zip(&references) {
                let (mine, theirs) = (&table.columns[*mine], &parent.columns[*theirs]);
                if std::mem::discriminant(&mine.ty) != std::mem::discriminant(&theirs.ty) {
                    return Err(messages::FOREIGN_KEY_TYPES.at(
                        constraint.span.line,
                        &[
                            &format!("{other}.{}", theirs.name),
                            &format!("{}.{}", object.name, mine.name),
                            &name,
                        ],
                    ));
                }
            }
            table.foreign_keys.push(ForeignKeyInfo {
                id,
                name,
                system_named,
                columns,
                table: number,
                references,
                on_delete: actions(*on_delete),
                on_update: actions(*on_update),
            });
        }
    }
    Ok(())
}

/// 8183 for a computed column that is not persisted.
fn only_persisted(table: &TableInfo, place: usize, span: Span) -> Result<(), SqlError> {
    let computed = table.columns[place].computed.as_ref();
    if computed.is_some_and(|computed| !computed.persisted) {
        return Err(messages::COMPUTED_NEEDS_PERSISTED.at(span.line, &[]));
    }
    Ok(())
}

/// The table that a foreign key refers to, itself perhaps.
fn referred(
    file: &Definitions<'_>,
    object: &ObjectInfo,
    table: &TableInfo,
    other: &ObjectName,
    key: &str,
) -> Result<(i32, TableInfo), SqlError> {
    let shown = other.to_string();
    let unknown = || messages::FOREIGN_KEY_TABLE.at(other.span.line, &[key, &shown]);
    if other
        .database
        .as_ref()
        .is_some_and(|database| !collate::same(&database.text, &file.target.name))
    {
        return Err(fault::not_supported("a foreign key to another database"));
    }
    let schema = other.schema.as_ref().map_or_else(
        || file.objects.schema_name(object.schema),
        |part| part.text.as_str(),
    );
    let same_schema = collate::same(schema, file.objects.schema_name(object.schema));
    if same_schema && collate::same(&other.name.text, &object.name) {
        return Ok((object.id, table.clone()));
    }
    let found = file
        .objects
        .find(schema, &other.name.text)
        .ok_or_else(unknown)?;
    let parent = found.table().ok_or_else(unknown)?;
    Ok((found.id, parent.clone()))
}

pub(super) fn next_index_id(table: &TableInfo, clustered: bool) -> i32 {
    if clustered {
        1
    } else {
        table.indexes.iter().map(|i| i.id).max().unwrap_or(1).max(1) + 1
    }
}

pub(super) fn one_clustered(
    table: &TableInfo,
    index: &IndexInfo,
    name: &str,
) -> Result<(), SqlError> {
    let other = table.indexes.iter().find(|other| other.clustered);
    match other {
        Some(other) if index.clustered => {
            Err(messages::SECOND_CLUSTERED_INDEX.with(&[name, &other.name]))
        }
        _ => Ok(()),
    }
}

fn inline_index(
    file: &Definitions<'_>,
    object: &ObjectInfo,
    table: &mut TableInfo,
    index: &InlineIndex,
) -> Result<(), SqlError> {
    let name = &index.name.text;
    if table.indexes.iter().any(|i| collate::same(&i.name, name)) {
        return Err(messages::INDEX_EXISTS.at(index.name.span.line, &[name, &object.name]));
    }
    let columns = key_places(table, &index.columns)?;
    store_computed(table, &columns, &object.name)?;
    table.indexes.push(IndexInfo {
        id: next_index_id(table, false),
        name: name.clone(),
        constraint: None,
        primary: false,
        unique: index.unique,
        clustered: false,
        storage: file.writer.next_storage().map_err(|error| broken(&error))?,
        columns,
        include: Vec::new(),
        filter: None,
        disabled: false,
    });
    Ok(())
}

/// The collation of a column in SQLite.
fn collation(ty: SqlType) -> &'static str {
    match ty {
        ty if ty.is_string() => " COLLATE ci",
        SqlType::DateTimeOffset(_) => " COLLATE dto",
        _ => "",
    }
}

/// A column's declaration in SQLite.
pub(super) fn column_sql(place: usize, column: &ColumnInfo) -> String {
    format!("c{place}{}", collation(column.ty))
}

/// Creates SQLite's table of a definition under a name, with its indexes.
pub(super) fn create_storage(
    file: &Definitions<'_>,
    object: &ObjectInfo,
    name: &str,
) -> Result<(), SqlError> {
    let table = object
        .table()
        .ok_or_else(|| fault::internal("not a table"))?;
    let mut parts: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| column_sql(at, column))
        .collect();
    if parts.is_empty() {
        return Err(fault::internal("a table without columns"));
    }
    for key in &table.foreign_keys {
        let list = |places: &[usize]| {
            let names: Vec<String> = places.iter().map(|at| format!("c{at}")).collect();
            names.join(",")
        };
        let action = |code: u8| match code {
            1 => "CASCADE",
            2 => "SET NULL",
            3 => "SET DEFAULT",
            _ => "NO ACTION",
        };
        let other = if key.table == object.id {
            name.to_owned()
        } else {
            format!("t{}", key.table)
        };
        parts.push(format!(
            "FOREIGN KEY({}) REFERENCES {other}({}) ON DELETE {} ON UPDATE {}",
            list(&key.columns),
            list(&key.references),
            action(key.on_delete),
            action(key.on_update)
        ));
    }
    let text = format!(
        "CREATE TABLE {}.{name}({})",
        file.target.sql,
        parts.join(",")
    );
    sqlite(file, &text)?;
    for index in table.indexes.iter().filter(|index| !index.disabled) {
        create_index_storage(file, object, name, table, index).map_err(|error| match error {
            IndexError::Duplicate => fault::internal("duplicates in an empty table"),
            IndexError::Sql(error) => error,
        })?;
    }
    Ok(())
}

/// Runs SQL on the file.
pub(super) fn sqlite(file: &Definitions<'_>, text: &str) -> Result<(), SqlError> {
    file.db
        .execute_batch(text)
        .map_err(|error| broken(&error.into()))
}

/// Why an index cannot be made.
pub(super) enum IndexError {
    /// Two rows have the same key.
    Duplicate,
    /// Anything else.
    Sql(SqlError),
}

/// Creates SQLite's index `i<number>` of a table. A unique one takes NULL once, as SQL Server's does: SQLite takes
/// it any number of times, so that the rows with a NULL have a second index, `i<number>n`.
pub(super) fn create_index_storage(
    file: &Definitions<'_>,
    object: &ObjectInfo,
    name: &str,
    table: &TableInfo,
    index: &IndexInfo,
) -> Result<(), IndexError> {
    let run = |text: &str| {
        file.db.execute_batch(text).map_err(|error| {
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) {
                IndexError::Duplicate
            } else {
                IndexError::Sql(broken(&error.into()))
            }
        })
    };
    let columns: Vec<String> = index
        .columns
        .iter()
        .map(|(at, descending)| format!("c{at}{}", if *descending { " DESC" } else { "" }))
        .collect();
    let (schema, storage) = (&file.target.sql, index.storage);
    let unique = if index.unique { "UNIQUE " } else { "" };
    let filter = match &index.filter {
        Some(filter) => {
            let own = file.own_table(object, table).map_err(IndexError::Sql)?;
            Some(filter::sql(file.shared, &own, filter, &index.name).map_err(IndexError::Sql)?)
        }
        None => None,
    };
    let only = filter
        .as_ref()
        .map_or_else(String::new, |filter| format!(" WHERE {filter}"));
    run(&format!(
        "CREATE {unique}INDEX {schema}.i{storage} ON {name}({}){only}",
        columns.join(",")
    ))?;
    let nullable: Vec<usize> = index
        .columns
        .iter()
        .map(|(at, _)| *at)
        .filter(|at| table.columns[*at].nullable)
        .collect();
    if index.unique && !nullable.is_empty() {
        let keys: Vec<String> = index
            .columns
            .iter()
            .map(|(at, _)| {
                // No value of a type has this encoding: bytes where the type is text or numbers, and text otherwise.
                let ty = table.columns[*at].ty;
                format!("ifnull(c{at}, {}){}", absent(ty), collation(ty))
            })
            .collect();
        let some: Vec<String> = nullable.iter().map(|at| format!("c{at} IS NULL")).collect();
        run(&format!(
            "CREATE UNIQUE INDEX {schema}.i{storage}n ON {name}({}) WHERE ({}){}",
            keys.join(","),
            some.join(" OR "),
            filter.map_or_else(String::new, |filter| format!(" AND ({filter})"))
        ))?;
    }
    Ok(())
}

/// A constant that no value of the type is encoded as.
fn absent(ty: SqlType) -> &'static str {
    match ty {
        SqlType::Binary(_)
        | SqlType::VarBinary(_)
        | SqlType::Image
        | SqlType::UniqueIdentifier
        | SqlType::SqlVariant
        | SqlType::Decimal { .. }
        | SqlType::Numeric { .. } => "''",
        _ => "x''",
    }
}
