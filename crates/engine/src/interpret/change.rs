//! UPDATE and DELETE of temporary tables and table variables, through aliases, joins and derived tables too.

use super::data::{checked, target_of};
use super::output::{Outputs, Shown};
use super::query::run;
use super::stage::{Stage, Verb, action_text};
use super::target::Rows;
use super::{Frame, Interpreter};
use crate::session::environment::Env;
use crate::session::names::Names;
use crate::store::encode::encode;
use crate::store::generate::{Generator, Plan, split_keeping_variables};
use rusqlite::types::Value as Sqlite;
use std::sync::Arc;
use tsql::ast::{self, AssignOp, Delete, Expr, ExprKind, SetClause, Update};
use tsql::bind::ir::{Cte, Limit, TypedExpr, TypedKind};
use tsql::bind::{Binder, assign_operator, binary, coerce};
use tsql::convert::{self, Style};
use tsql::eval;
use tsql::{SqlError, SqlType, Value, fault, messages};

/// One SET: of a column, of a variable, or of both.
pub(super) struct Assigned {
    pub(super) column: Option<usize>,
    variable: Option<(usize, SqlType)>,
    pub(super) expr: TypedExpr,
}

/// A bound UPDATE or DELETE.
struct Change {
    ctes: Vec<Cte>,
    rows: Rows,
    sets: Vec<Assigned>,
    filter: Option<TypedExpr>,
    limit: Limit,
    /// SET ROWCOUNT.
    row_limit: Option<u64>,
    outputs: Outputs,
}

impl Change {
    /// The values wanted of each row to change, as a query.
    fn text(&self, generator: &mut Generator<'_>, values: &[String]) -> Result<String, SqlError> {
        let mut text = format!(
            "SELECT {} FROM {}",
            values.join(","),
            generator.source(&self.rows.source)?
        );
        if let Some(filter) = &self.filter {
            text.push_str(&format!(" WHERE {}", generator.expr(filter)?));
        }
        let text = generator.ordered(text, &[], &self.limit)?;
        Ok(match self.row_limit {
            Some(rows) => format!("SELECT * FROM ({text}) LIMIT {rows}"),
            None => text,
        })
    }

    /// Whether values must be worked out before any row changes.
    fn needs_stage(&self) -> bool {
        !self.outputs.is_empty()
            || self.rows.table.has_triggers()
            || (!self.sets.is_empty() && self.rows.table.has_stored())
            || self.sets.iter().any(|set| set.variable.is_some())
            || self
                .sets
                .iter()
                .filter_map(|set| set.column)
                .any(|at| self.rows.table.in_key(at))
    }
}

impl Interpreter<'_> {
    pub(super) fn update(&mut self, update: &Update, frame: &mut Frame) -> Result<u64, SqlError> {
        self.recursion(&update.options)?;
        if let Some(rows) = self.update_host(update, frame)? {
            return Ok(rows);
        }
        let change = self.bind_update(update, frame)?;
        if change.needs_stage() {
            return self.staged_update(&change, frame);
        }
        let table = Arc::clone(&change.rows.table);
        let (text, plan) = self.generate(frame, |generator| {
            let with = generator.with(&change.ctes)?;
            let mut values = vec![format!("{} AS r", generator.expr(&change.rows.row())?)];
            let mut pairs = Vec::new();
            for set in &change.sets {
                let Some(at) = set.column else { continue };
                let target = target_of(&table, at, Verb::Update.name());
                let value = generator.assigned(&checked(set.expr.clone(), target.ty)?, target)?;
                values.push(format!("{value} AS v{at}"));
                pairs.push(format!("c{at} = n.v{at}"));
            }
            let rows = change.text(generator, &values)?;
            let own = generator.table(table.key);
            Ok(format!(
                "{with}UPDATE {own} SET {} FROM ({rows}) AS n WHERE {own}.rowid = n.r",
                pairs.join(",")
            ))
        })?;
        self.change(&table, &text, plan, frame, Verb::Update.name())
    }

    fn bind_update(&self, update: &Update, frame: &Frame) -> Result<Change, SqlError> {
        let names = Names {
            shared: &self.core.shared,
            scope: &frame.scope,
        };
        let mut binder = Binder::new(&names);
        let mut ctes = binder.with(update.with.as_ref())?;
        let changed = update.set.iter().find_map(|clause| match clause {
            SetClause::Column { column, .. } | SetClause::VariableAndColumn { column, .. } => {
                column.last().map(|name| name.text.as_str())
            }
            SetClause::Variable { .. } | SetClause::Unsupported { .. } => None,
        });
        let rows = self.rows_to_change(
            &mut binder,
            &mut ctes,
            (&update.target, changed, Verb::Update),
            &update.from,
            frame,
        )?;
        let sets = self.sets(&mut binder, &update.set, &rows)?;
        let filter = update.filter.as_ref().map(|f| binder.expr(f)).transpose()?;
        let limit = self.change_limit(&mut binder, update.top.as_ref())?;
        let shown = Shown {
            inserted: true,
            deleted: true,
            action: false,
        };
        let outputs = self.outputs(
            &mut binder,
            &update.output,
            (&rows.table, Some(rows.id)),
            shown,
            frame,
        )?;
        Ok(Change {
            ctes,
            rows,
            sets,
            filter,
            limit,
            row_limit: self.core.shared.facts().row_limit,
            outputs,
        })
    }

    /// The value of TOP, of an INSERT or MERGE.
    pub(super) fn first_rows(&self, limit: &Limit, frame: &Frame) -> Result<Option<u64>, SqlError> {
        let Some(top) = &limit.top else {
            return Ok(None);
        };
        if limit.percent || !top.is_scalar() {
            return Err(fault::not_supported("TOP … PERCENT of INSERT or MERGE"));
        }
        let env = Env::new(&self.core.shared, &frame.values);
        let rows = eval::evaluate(top, &env, &[])?.as_i64();
        match rows.and_then(|rows| u64::try_from(rows).ok()) {
            Some(rows) => Ok(Some(rows)),
            None => Err(messages::ROW_COUNT_INVALID.with(&[])),
        }
    }

    /// TOP.
    fn change_limit(
        &self,
        binder: &mut Binder<'_>,
        top: Option<&ast::Top>,
    ) -> Result<Limit, SqlError> {
        let mut limit = Limit::default();
        if let Some(top) = top {
            if top.with_ties {
                return Err(messages::INCORRECT_SYNTAX_KEYWORD.with(&["WITH"]));
            }
            binder.top(Some(top), &mut limit)?;
        }
        Ok(limit)
    }

    /// Binds the SET clauses of an UPDATE or MERGE.
    pub(super) fn sets(
        &self,
        binder: &mut Binder<'_>,
        clauses: &[SetClause],
        rows: &Rows,
    ) -> Result<Vec<Assigned>, SqlError> {
        let table = &rows.table;
        let mut sets: Vec<Assigned> = Vec::with_capacity(clauses.len());
        for clause in clauses {
            let set = match clause {
                SetClause::Column { column, op, value } => {
                    assigned_column(binder, column, *op, value, rows)?
                }
                SetClause::VariableAndColumn {
                    variable,
                    column,
                    op,
                    value,
                } => {
                    let set = assigned_column(binder, column, *op, value, rows)?;
                    let target = slot(binder, variable)?;
                    let own = set
                        .column
                        .map_or(set.expr.ty, |at| table.columns[at].column.ty);
                    coerce(
                        TypedExpr {
                            ty: own,
                            ..set.expr.clone()
                        },
                        target.1,
                    )?;
                    Assigned {
                        variable: Some(target),
                        ..set
                    }
                }
                SetClause::Variable {
                    variable,
                    op,
                    value,
                } => {
                    let (slot, ty) = slot(binder, variable)?;
                    let mut expr = binder.expr(value)?;
                    if let Some(op) = assign_operator(*op) {
                        let before = TypedExpr {
                            kind: TypedKind::Variable(slot),
                            ty,
                            nullable: true,
                        };
                        expr = binary(op, before, expr)?;
                    }
                    Assigned {
                        column: None,
                        variable: Some((slot, ty)),
                        expr: coerce(expr, ty)?,
                    }
                }
                SetClause::Unsupported { feature, span } => {
                    return Err(fault::not_supported(feature).at_line(span.line));
                }
            };
            if set.column.is_some() && sets.iter().any(|known| known.column == set.column) {
                let name = set.column.map_or("", |at| &table.columns[at].column.name);
                return Err(messages::COLUMN_TWICE.with(&[name]));
            }
            sets.push(set);
        }
        let columns = sets.iter().filter_map(|set| set.column);
        self.core.shared.may_update_columns(table, columns)?;
        Ok(sets)
    }

    fn staged_update(&mut self, change: &Change, frame: &mut Frame) -> Result<u64, SqlError> {
        // SET of variables runs row by row here: what it needs of a row is staged with it.
        let by_row = change.sets.iter().any(|set| set.variable.is_some());
        let mut leaves: Vec<TypedExpr> = Vec::new();
        let trees: Vec<TypedExpr> = if by_row {
            let env = Env::new(&self.core.shared, &frame.values);
            let all = change.sets.iter();
            all.map(|set| split_keeping_variables(&set.expr, &env, &mut leaves))
                .collect()
        } else {
            Vec::new()
        };
        let mut extras = change.outputs.extras.clone();
        let first_leaf = extras.len();
        extras.append(&mut leaves);
        let table = Arc::clone(&change.rows.table);
        let mut stage = self.stage(&table, &extras)?;
        stage.updated = change.sets.iter().filter_map(|set| set.column).collect();
        let result = self
            .fill_update(change, &stage, &extras, by_row, frame)
            .and_then(|()| {
                if by_row {
                    let leaves = &extras[first_leaf..];
                    self.set_by_row(change, &stage, (first_leaf, leaves), &trees, frame)?;
                }
                self.take_place(&table, &stage, &change.outputs, frame, Verb::Update.name())
            });
        self.unstage(&stage);
        result
    }

    fn fill_update(
        &mut self,
        change: &Change,
        stage: &Stage,
        extras: &[TypedExpr],
        by_row: bool,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let table = &change.rows.table;
        let (text, plan) = self.generate(frame, |generator| {
            let with = generator.with(&change.ctes)?;
            let mut values = staged_row(generator, &change.rows, Verb::Update)?;
            for at in 0..table.columns.len() {
                let set = change.sets.iter().find(|set| set.column == Some(at));
                let value = match set {
                    Some(set) if !by_row => {
                        let target = target_of(table, at, Verb::Update.name());
                        generator.assigned(&checked(set.expr.clone(), target.ty)?, target)?
                    }
                    _ => generator.expr(&change.rows.old(at))?,
                };
                values.push((stage.after(at), value));
            }
            for (at, extra) in extras.iter().enumerate() {
                values.push((stage.extra(at), generator.expr(extra)?));
            }
            let (insert, texts) = stage.insert(&values);
            Ok(format!(
                "{with}{insert} {}",
                change.text(generator, &[texts])?
            ))
        })?;
        self.fill(&text, plan)?;
        if change.rows.may_repeat() {
            self.stage_once(stage)?;
        }
        Ok(())
    }

    /// Works the SET clauses out row by row: variables keep what the row before left in them.
    fn set_by_row(
        &mut self,
        change: &Change,
        stage: &Stage,
        (first_leaf, leaves): (usize, &[TypedExpr]),
        trees: &[TypedExpr],
        frame: &mut Frame,
    ) -> Result<(), SqlError> {
        let table = &change.rows.table;
        let names: Vec<String> = (0..leaves.len())
            .map(|at| format!(",c{}", stage.extra(first_leaf + at)))
            .collect();
        let text = format!(
            "SELECT rowid{} FROM t{} ORDER BY rowid",
            names.concat(),
            stage.key
        );
        let mut types = vec![SqlType::BigInt];
        types.extend(leaves.iter().map(|leaf| leaf.ty));
        let shared = Arc::clone(&self.core.shared);
        let values = &mut frame.values;
        let mut news: Vec<Vec<Sqlite>> = Vec::new();
        let bound = self.core.options.limits.temp_bytes;
        let mut taken = 0_u64;
        run(
            self.core,
            self.cancel,
            &text,
            Plan::default(),
            &types,
            &mut |row| {
                let mut new = Vec::new();
                for (set, tree) in change.sets.iter().zip(trees) {
                    let env = Env::new(&shared, values);
                    let mut value = eval::evaluate(tree, &env, &row[1..])?;
                    if let Some(at) = set.column {
                        let target = target_of(table, at, Verb::Update.name());
                        value = target.accept(value, tree.ty)?;
                        taken = taken.saturating_add(super::query::value_bytes(&value));
                        new.push(encode(&value, target.ty)?);
                        if let Some((_, ty)) = set.variable {
                            value = convert::convert(value, target.ty, ty, Style::PLAIN)?;
                        }
                    }
                    if let Some((slot, _)) = set.variable {
                        values[slot] = value;
                    }
                }
                if taken > bound {
                    return Err(messages::MEMORY_LIMIT.with(&["default"]));
                }
                new.push(Sqlite::Integer(row[0].as_i64().unwrap_or_default()));
                news.push(new);
                Ok(())
            },
        )?;
        let columns: Vec<String> = change
            .sets
            .iter()
            .filter_map(|set| set.column)
            .map(|at| format!("c{} = ?", stage.after(at)))
            .collect();
        if columns.is_empty() {
            return Ok(());
        }
        let text = format!(
            "UPDATE t{} SET {} WHERE rowid = ?",
            stage.key,
            columns.join(",")
        );
        for new in news {
            let plan = Plan {
                params: new,
                ..Plan::default()
            };
            self.fill(&text, plan)?;
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, delete: &Delete, frame: &mut Frame) -> Result<u64, SqlError> {
        self.recursion(&delete.options)?;
        if let Some(rows) = self.delete_host(delete, frame)? {
            return Ok(rows);
        }
        let change = self.bind_delete(delete, frame)?;
        let table = Arc::clone(&change.rows.table);
        if change.needs_stage() {
            let stage = self.stage(&table, &change.outputs.extras)?;
            let result = self.fill_delete(&change, &stage, frame).and_then(|()| {
                self.take_place(&table, &stage, &change.outputs, frame, Verb::Delete.name())
            });
            self.unstage(&stage);
            return result;
        }
        let (text, plan) = self.generate(frame, |generator| {
            let with = generator.with(&change.ctes)?;
            let row = generator.expr(&change.rows.row())?;
            let rows = change.text(generator, &[row])?;
            let own = generator.table(table.key);
            Ok(format!("{with}DELETE FROM {own} WHERE rowid IN ({rows})"))
        })?;
        self.change(&table, &text, plan, frame, Verb::Delete.name())
    }

    fn bind_delete(&self, delete: &Delete, frame: &Frame) -> Result<Change, SqlError> {
        let names = Names {
            shared: &self.core.shared,
            scope: &frame.scope,
        };
        let mut binder = Binder::new(&names);
        let mut ctes = binder.with(delete.with.as_ref())?;
        let rows = self.rows_to_change(
            &mut binder,
            &mut ctes,
            (&delete.target, None, Verb::Delete),
            &delete.from,
            frame,
        )?;
        let filter = delete.filter.as_ref().map(|f| binder.expr(f)).transpose()?;
        let limit = self.change_limit(&mut binder, delete.top.as_ref())?;
        let shown = Shown {
            inserted: false,
            deleted: true,
            action: false,
        };
        let outputs = self.outputs(
            &mut binder,
            &delete.output,
            (&rows.table, Some(rows.id)),
            shown,
            frame,
        )?;
        Ok(Change {
            ctes,
            rows,
            sets: Vec::new(),
            filter,
            limit,
            row_limit: self.core.shared.facts().row_limit,
            outputs,
        })
    }

    fn fill_delete(
        &mut self,
        change: &Change,
        stage: &Stage,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let (text, plan) = self.generate(frame, |generator| {
            let with = generator.with(&change.ctes)?;
            let mut values = staged_row(generator, &change.rows, Verb::Delete)?;
            for (at, extra) in change.outputs.extras.iter().enumerate() {
                values.push((stage.extra(at), generator.expr(extra)?));
            }
            let (insert, texts) = stage.insert(&values);
            Ok(format!(
                "{with}{insert} {}",
                change.text(generator, &[texts])?
            ))
        })?;
        self.fill(&text, plan)?;
        if change.rows.may_repeat() {
            self.stage_once(stage)?;
        }
        Ok(())
    }
}

/// Number, action and old values of a row.
pub(super) fn staged_row(
    generator: &mut Generator<'_>,
    rows: &Rows,
    verb: Verb,
) -> Result<Vec<(usize, String)>, SqlError> {
    let mut values = vec![
        (Stage::ROW, generator.expr(&rows.row())?),
        (Stage::ACTION, action_text(verb).to_owned()),
    ];
    for at in 0..rows.table.columns.len() {
        values.push((Stage::old_of(at), generator.expr(&rows.old(at))?));
    }
    Ok(values)
}

fn slot(binder: &Binder<'_>, variable: &ast::Variable) -> Result<(usize, SqlType), SqlError> {
    let line = variable.span.line;
    let bound = binder
        .variable(&variable.name)
        .map_err(|error| error.at_line(line))?;
    match bound.kind {
        TypedKind::Variable(slot) => Ok((slot, bound.ty)),
        _ => Err(fault::internal("a variable was expected")),
    }
}

/// One SET of a column.
fn assigned_column(
    binder: &mut Binder<'_>,
    column: &[ast::Ident],
    op: AssignOp,
    value: &Expr,
    rows: &Rows,
) -> Result<Assigned, SqlError> {
    let table = &rows.table;
    let name = column
        .last()
        .ok_or_else(|| fault::internal("a column without a name"))?;
    let at = rows
        .column(&name.text)
        .map_err(|error| error.at_line(name.span.line))?;
    let own = &table.columns[at];
    if table.identity == Some(at) {
        return Err(messages::UPDATE_IDENTITY.at(name.span.line, &[&name.text]));
    }
    if own.computed.is_some() {
        return Err(messages::COMPUTED_NOT_WRITABLE.at(name.span.line, &[&name.text]));
    }
    let mut expr = match (&value.kind, &own.default) {
        (ExprKind::Default, Some(default)) => binder.expr(default)?,
        (ExprKind::Default, None) => TypedExpr::constant(Value::Null, own.column.ty),
        _ => binder.expr(value).map_err(|error| {
            if error.number == messages::AGGREGATE_IN_WHERE.number {
                messages::AGGREGATE_IN_SET.at(error.line, &[])
            } else {
                error
            }
        })?,
    };
    if let Some(op) = assign_operator(op) {
        expr = binary(op, rows.old(at), expr).map_err(|error| error.at_line(value.span.line))?;
    }
    checked(expr.clone(), own.column.ty).map_err(|error| error.at_line(value.span.line))?;
    Ok(Assigned {
        column: Some(at),
        variable: None,
        expr,
    })
}
