//! UPDATE and DELETE of the host's own tables: the rows are found here, each change is the host's to make.

use super::data::checked;
use super::query::value_bytes;
use super::stage::Verb;
use super::{Frame, Interpreter};
use crate::host::{RowChange, TableDecl};
use crate::session::names::Names;
use crate::session::shared::Object;
use crate::store::functions::Target;
use std::collections::BTreeSet;
use std::sync::Arc;
use tsql::ast::{Delete, DmlTarget, Expr, Output, SetClause, TableSource, Top, Update, With};
use tsql::bind::ir::{Cte, Source, SourceId, TypedExpr, TypedKind};
use tsql::bind::{Binder, Catalog, assign_operator, binary};
use tsql::{Row, SqlError, SqlType, Value, fault, messages};

/// Most rows that one statement may change.
const ROWS_MAX: usize = 100_000;

/// A host's table in the FROM of an UPDATE or DELETE.
struct HostRows {
    source: Source,
    id: SourceId,
    key: u32,
    database: String,
    decl: Arc<TableDecl>,
}

impl HostRows {
    fn old(&self, at: usize) -> TypedExpr {
        let column = &self.decl.columns[at];
        TypedExpr {
            kind: TypedKind::Column {
                source: self.id,
                column: at,
            },
            ty: column.ty,
            nullable: column.nullable,
        }
    }
}

/// The parts of an UPDATE or DELETE that both have.
struct Parts<'a> {
    with: Option<&'a With>,
    top: Option<&'a Top>,
    target: &'a DmlTarget,
    from: &'a [TableSource],
    filter: Option<&'a Expr>,
    output: &'a [Output],
    verb: Verb,
}

impl Interpreter<'_> {
    /// An UPDATE of a host's table; `None` when it is of another one.
    pub(super) fn update_host(
        &mut self,
        update: &Update,
        frame: &Frame,
    ) -> Result<Option<u64>, SqlError> {
        let parts = Parts {
            with: update.with.as_ref(),
            top: update.top.as_ref(),
            target: &update.target,
            from: &update.from,
            filter: update.filter.as_ref(),
            output: &update.output,
            verb: Verb::Update,
        };
        self.change_host(&parts, &update.set, frame)
    }

    /// A DELETE from a host's table; `None` when it is from another one.
    pub(super) fn delete_host(
        &mut self,
        delete: &Delete,
        frame: &Frame,
    ) -> Result<Option<u64>, SqlError> {
        let parts = Parts {
            with: delete.with.as_ref(),
            top: delete.top.as_ref(),
            target: &delete.target,
            from: &delete.from,
            filter: delete.filter.as_ref(),
            output: &delete.output,
            verb: Verb::Delete,
        };
        self.change_host(&parts, &[], frame)
    }

    fn change_host(
        &mut self,
        parts: &Parts<'_>,
        clauses: &[SetClause],
        frame: &Frame,
    ) -> Result<Option<u64>, SqlError> {
        let shared = Arc::clone(&self.core.shared);
        let names = Names {
            shared: &shared,
            scope: &frame.scope,
        };
        let mut binder = Binder::new(&names);
        let Some((rows, ctes)) = self.host_rows(&mut binder, &names, parts)? else {
            return Ok(None);
        };
        let verb = parts.verb.name();
        if !parts.output.is_empty() || parts.top.is_some() {
            return Err(fault::not_supported(&format!(
                "OUTPUT or TOP in a {verb} of a system table"
            )));
        }
        let sets = set_columns(&mut binder, clauses, &rows)?;
        let filter = parts.filter.map(|filter| binder.expr(filter)).transpose()?;
        let columns: Vec<usize> = sets.iter().map(|(at, _)| *at).collect();
        let changed = (parts.verb == Verb::Update).then_some(columns.as_slice());
        shared
            .host()
            .check_change(&rows.database, &rows.decl, changed)?;
        let found = self.host_changes(&rows, &ctes, &sets, filter.as_ref(), frame)?;
        let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
        // One statement is one transaction, whatever it takes the host.
        let alone = shared.facts().tran_count == 0;
        if alone {
            shared.host().begin()?;
        }
        let width = rows.decl.columns.len();
        let made = found.iter().try_for_each(|row| {
            let (old, new) = row.split_at(width);
            let change = RowChange {
                old,
                new: changed.map(|columns| (columns, new)),
            };
            shared
                .host()
                .change_row(&rows.database, &rows.decl, &change)
        });
        if alone {
            match &made {
                Ok(()) => shared.host().commit()?,
                Err(_) => shared.host().rollback()?,
            }
        }
        made.map(|()| Some(count))
    }

    /// The host's table that a statement changes, in its FROM.
    fn host_rows(
        &self,
        binder: &mut Binder<'_>,
        names: &Names<'_>,
        parts: &Parts<'_>,
    ) -> Result<Option<(HostRows, Vec<Cte>)>, SqlError> {
        let DmlTarget::Table { name, .. } = parts.target else {
            return Ok(None);
        };
        if name.is_temporary() {
            return Ok(None);
        }
        let host = |key: u32| match self.core.shared.object(key) {
            Some(Object::HostTable { database, decl }) => Some((database, decl)),
            _ => None,
        };
        let ctes = binder.with(parts.with)?;
        let source = binder.open_from(parts.from)?;
        if let Some(source) = source {
            // The target is a FROM entry by its name or alias, or a table that FROM shows under another one.
            let named = binder
                .entry_named(name)
                .and_then(|id| super::query::key_of(&source, id).map(|key| (id, key)));
            let entry = named.or_else(|| {
                let key = names.table(name).ok()?.key;
                source.tables().into_iter().find(|(_, of)| *of == key)
            });
            if let Some((id, key)) = entry {
                return Ok(host(key).map(|(database, decl)| {
                    let rows = HostRows {
                        source,
                        id,
                        key,
                        database,
                        decl,
                    };
                    (rows, ctes)
                }));
            }
            if names
                .table(name)
                .ok()
                .and_then(|shape| host(shape.key))
                .is_some()
            {
                return Err(fault::not_supported("a system table beside its FROM"));
            }
            return Ok(None);
        }
        let Ok(shape) = names.table(name) else {
            return Ok(None);
        };
        let Some((database, decl)) = host(shape.key) else {
            return Ok(None);
        };
        let object = (name.schema.is_some() || name.database.is_some()).then(|| name.clone());
        let id = binder.add_table(&name.name.text, object, &shape.columns);
        let rows = HostRows {
            source: Source::Table { id, key: shape.key },
            id,
            key: shape.key,
            database,
            decl,
        };
        Ok(Some((rows, ctes)))
    }

    /// The rows to change: their values before, then the new ones. A row that FROM brings several times changes once.
    fn host_changes(
        &mut self,
        rows: &HostRows,
        ctes: &[Cte],
        sets: &[(usize, TypedExpr)],
        filter: Option<&TypedExpr>,
        frame: &Frame,
    ) -> Result<Vec<Row>, SqlError> {
        let width = rows.decl.columns.len();
        let (text, plan) = self.generate(frame, |generator| {
            let with = generator.with(ctes)?;
            generator.table(rows.key);
            let mut values = Vec::with_capacity(width + sets.len());
            for at in 0..width {
                values.push(generator.expr(&rows.old(at))?);
            }
            for (at, expr) in sets {
                let column = &rows.decl.columns[*at];
                let target = Target {
                    table: rows.decl.name.to_owned(),
                    column: column.name.clone(),
                    ty: column.ty,
                    nullable: column.nullable,
                    verb: Verb::Update.name(),
                };
                values.push(generator.assigned(&checked(expr.clone(), column.ty)?, target)?);
            }
            let mut text = format!(
                "{with}SELECT {} FROM {}",
                values.join(","),
                generator.source(&rows.source)?
            );
            if let Some(filter) = filter {
                text.push_str(&format!(" WHERE {}", generator.expr(filter)?));
            }
            Ok(text)
        })?;
        let columns = rows.decl.columns.iter().map(|column| column.ty);
        let set = sets.iter().map(|(at, _)| rows.decl.columns[*at].ty);
        let types: Vec<SqlType> = columns.chain(set).collect();
        let bound = self.core.options.limits.temp_bytes;
        let mut taken = 0_u64;
        let mut found: Vec<Row> = Vec::new();
        let joined = !matches!(rows.source, Source::Table { .. });
        let mut seen = BTreeSet::new();
        super::query::run(self.core, self.cancel, &text, plan, &types, &mut |row| {
            if joined && !seen.insert(format!("{:?}", &row[..width])) {
                return Ok(());
            }
            taken = taken.saturating_add(row.iter().map(value_bytes).sum());
            if taken > bound || found.len() >= ROWS_MAX {
                return Err(messages::MEMORY_LIMIT.with(&["default"]));
            }
            found.push(row);
            Ok(())
        })?;
        Ok(found)
    }
}

/// The SET clauses: which column, and its value.
fn set_columns(
    binder: &mut Binder<'_>,
    clauses: &[SetClause],
    rows: &HostRows,
) -> Result<Vec<(usize, TypedExpr)>, SqlError> {
    let mut sets: Vec<(usize, TypedExpr)> = Vec::with_capacity(clauses.len());
    for clause in clauses {
        let SetClause::Column { column, op, value } = clause else {
            return Err(fault::not_supported(
                "SET of a variable in an UPDATE of a system table",
            ));
        };
        let name = column
            .last()
            .ok_or_else(|| fault::internal("a column without a name"))?;
        let at = rows
            .decl
            .columns
            .iter()
            .position(|known| tsql::eval::collate::same(&known.name, &name.text))
            .ok_or_else(|| fault::invalid_column(&name.text).at_line(name.span.line))?;
        if sets.iter().any(|(known, _)| *known == at) {
            return Err(messages::COLUMN_TWICE.with(&[&name.text]));
        }
        let mut expr = match value.kind {
            tsql::ast::ExprKind::Default => {
                TypedExpr::constant(Value::Null, rows.decl.columns[at].ty)
            }
            _ => binder.expr(value)?,
        };
        if let Some(op) = assign_operator(*op) {
            expr =
                binary(op, rows.old(at), expr).map_err(|error| error.at_line(value.span.line))?;
        }
        sets.push((at, expr));
    }
    Ok(sets)
}
