//! INSERT, UPDATE, DELETE and TRUNCATE of temporary tables and table variables.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a column names the types that cut or pad; the rest take values as they are"
)]

use super::query::{ChangeError, change, key_of};
use super::{Frame, Interpreter};
use crate::host::{ResultSink, StatementDone};
use crate::session::names::Names;
use crate::session::shared::Object;
use crate::session::tables::OwnTable;
use crate::store::encode::encode;
use crate::store::functions::Target;
use crate::store::generate::Plan;
use std::sync::Arc;
use tsql::ast::{
    self, Delete, DmlTarget, Expr, ExprKind, Insert, InsertSource, JoinKind, Literal, ObjectName,
    SetClause, Update,
};
use tsql::bind::ir::{Query, Source, SourceId, TypedExpr, TypedKind};
use tsql::bind::{Binder, Catalog, assign_operator, coerce};
use tsql::convert::{self, Style};
use tsql::eval::collate;
use tsql::{Column, Row, SqlError, SqlType, fault, messages};

/// Most rows that an INSERT … EXEC may collect.
pub(super) const COLLECTED_ROWS_MAX: usize = 1_000_000;

impl Interpreter<'_> {
    /// The own table that a statement writes.
    fn own_target(
        &self,
        target: &DmlTarget,
        frame: &Frame,
        verb: &str,
    ) -> Result<Arc<OwnTable>, SqlError> {
        let names = Names {
            shared: &self.core.shared,
            scope: &frame.scope,
        };
        let shape = match target {
            DmlTarget::Table { name, .. } => names
                .table(name)
                .map_err(|error| error.at_line(name.span.line))?,
            DmlTarget::Variable(variable) => {
                names.table_variable(&variable.name).ok_or_else(|| {
                    messages::UNDECLARED_TABLE_VARIABLE.at(variable.span.line, &[&variable.name])
                })?
            }
            DmlTarget::Unsupported { feature, span } => {
                return Err(fault::not_supported(feature).at_line(span.line));
            }
        };
        self.own(shape.key, verb)
    }

    fn own(&self, key: u32, verb: &str) -> Result<Arc<OwnTable>, SqlError> {
        match self.core.shared.object(key) {
            Some(Object::Own(table)) => Ok(table),
            Some(Object::HostTable { decl, .. }) => Err(fault::not_supported(&format!(
                "{verb} of {}.{}.{}",
                decl.database, decl.schema, decl.name
            ))),
            _ => Err(fault::internal("a table is gone")),
        }
    }

    /// Runs an INSERT; `None` when what it executes has ended the request.
    pub(super) fn insert(
        &mut self,
        insert: &Insert,
        frame: &mut Frame,
    ) -> Result<Option<u64>, SqlError> {
        if !insert.output.is_empty() {
            return Err(fault::not_supported("the OUTPUT clause"));
        }
        if insert.top.is_some() {
            return Err(fault::not_supported("INSERT TOP"));
        }
        self.recursion(&insert.options)?;
        let table = self.own_target(&insert.target, frame, "INSERT")?;
        let columns = self.insert_columns(&table, &insert.columns)?;
        let count = |given: usize| {
            let listed = !insert.columns.is_empty();
            match given.cmp(&columns.len()) {
                std::cmp::Ordering::Equal => Ok(()),
                _ if !listed => Err(messages::INSERT_COLUMN_COUNT.with(&[])),
                std::cmp::Ordering::Less => Err(messages::SELECT_FEWER_COLUMNS.with(&[])),
                std::cmp::Ordering::Greater => Err(messages::SELECT_MORE_COLUMNS.with(&[])),
            }
        };
        match &insert.source {
            InsertSource::Values(rows) => {
                let width = rows.first().map_or(0, Vec::len);
                if width != columns.len() {
                    return Err(match (insert.columns.is_empty(), width < columns.len()) {
                        (true, _) => messages::INSERT_COLUMN_COUNT.with(&[]),
                        (false, true) => messages::FEWER_VALUES.with(&[]),
                        (false, false) => messages::MORE_VALUES.with(&[]),
                    });
                }
                let rows = with_defaults(rows, &table, &columns);
                let query = {
                    let names = Names {
                        shared: &self.core.shared,
                        scope: &frame.scope,
                    };
                    let mut binder = Binder::new(&names);
                    let ctes = binder.with(insert.with.as_ref())?;
                    // Each row keeps its own types: they are converted to the column's one by one.
                    if let [row] = rows.as_slice() {
                        single_row(&mut binder, row, ctes)?
                    } else {
                        let mut query = binder.values(&rows)?;
                        query.ctes = ctes;
                        query
                    }
                };
                self.insert_query(&table, &columns, &query, frame).map(Some)
            }
            InsertSource::Query(query) => {
                let query = {
                    let names = Names {
                        shared: &self.core.shared,
                        scope: &frame.scope,
                    };
                    Binder::new(&names).select(insert.with.as_ref(), query)?
                };
                count(query.columns.len())?;
                self.insert_query(&table, &columns, &query, frame).map(Some)
            }
            InsertSource::DefaultValues => {
                let query = single_row(
                    &mut Binder::new(&Names {
                        shared: &self.core.shared,
                        scope: &frame.scope,
                    }),
                    &[],
                    Vec::new(),
                )?;
                self.insert_query(&table, &[], &query, frame).map(Some)
            }
            InsertSource::Execute(execute) => {
                if self.collecting {
                    return Err(messages::NESTED_INSERT_EXEC.with(&[]));
                }
                let mut collected = Collected {
                    inner: &mut *self.sink,
                    columns: Vec::new(),
                    rows: Vec::new(),
                };
                let mut nested = Interpreter {
                    core: &mut *self.core,
                    sink: &mut collected,
                    cancel: self.cancel,
                    outcome: std::mem::take(&mut self.outcome),
                    tries: self.tries,
                    collecting: true,
                    line: self.line,
                };
                let ended = nested.execute(execute, frame);
                let outcome = std::mem::take(&mut nested.outcome);
                let Collected {
                    columns: shape,
                    rows,
                    ..
                } = collected;
                self.outcome = outcome;
                match ended {
                    Ok(super::End::Abort) => return Ok(None),
                    Ok(_) => {}
                    Err(failure) => return Err(failure.error),
                }
                if !shape.is_empty() {
                    count(shape.len())?;
                }
                let mut total = 0;
                for row in rows {
                    total += self.insert_row(&table, &columns, &shape, row, frame)?;
                }
                Ok(Some(total))
            }
        }
    }

    /// The columns that an INSERT gives values for, in its order.
    fn insert_columns(
        &self,
        table: &OwnTable,
        names: &[ast::Ident],
    ) -> Result<Vec<usize>, SqlError> {
        let explicit = self.core.identity_insert == Some(table.key);
        if names.is_empty() {
            return Ok((0..table.columns.len())
                .filter(|at| table.identity != Some(*at) && table.columns[*at].computed.is_none())
                .collect());
        }
        let mut out = Vec::with_capacity(names.len());
        for name in names {
            let at = table
                .columns
                .iter()
                .position(|c| collate::same(&c.column.name, &name.text))
                .ok_or_else(|| fault::invalid_column(&name.text).at_line(name.span.line))?;
            if table.identity == Some(at) && !explicit {
                return Err(messages::IDENTITY_INSERT_OFF.with(&[&table.name]));
            }
            if table.columns[at].computed.is_some() {
                return Err(computed_column(&name.text));
            }
            if out.contains(&at) {
                return Err(SqlError::new(
                    264,
                    16,
                    format!(
                        "The column name '{}' is specified more than once in the SET clause or column list of an INSERT.",
                        name.text
                    ),
                ));
            }
            out.push(at);
        }
        Ok(out)
    }

    /// Inserts the rows of a query whose columns are those given.
    pub(super) fn insert_query(
        &mut self,
        table: &Arc<OwnTable>,
        columns: &[usize],
        query: &Query,
        frame: &Frame,
    ) -> Result<u64, SqlError> {
        const SOURCE: SourceId = u32::MAX;
        let mut exprs: Vec<(usize, TypedExpr)> = Vec::new();
        let mut identity = None;
        for (at, own) in table.columns.iter().enumerate() {
            if own.computed.is_some() {
                continue;
            }
            let expr = match columns.iter().position(|column| *column == at) {
                Some(place) => TypedExpr {
                    kind: TypedKind::Column {
                        source: SOURCE,
                        column: place,
                    },
                    ty: query.columns[place].ty,
                    nullable: true,
                },
                None if table.identity == Some(at) => {
                    identity = Some(at);
                    continue;
                }
                None => match &own.default {
                    Some(default) => self.bind(default, frame)?,
                    None => TypedExpr::constant(tsql::Value::Null, own.column.ty),
                },
            };
            exprs.push((at, expr));
        }
        let (text, plan) = self.generate(frame, |generator| {
            let source = generator.query(query)?;
            let mut names = Vec::new();
            let mut values = Vec::new();
            for (at, expr) in &exprs {
                let target = target_of(table, *at, "INSERT");
                names.push(format!("c{at}"));
                values.push(generator.assigned(&checked(expr.clone(), target.ty)?, target)?);
            }
            if let Some(at) = identity {
                names.push(format!("c{at}"));
                values.push(format!("next_identity({})", table.key));
            }
            let name = generator.table(table.key);
            if names.is_empty() {
                return Ok(format!("INSERT INTO {name} DEFAULT VALUES"));
            }
            Ok(format!(
                "INSERT INTO {name}({}) SELECT {} FROM ({source}) AS s{SOURCE} WHERE 1",
                names.join(","),
                values.join(",")
            ))
        })?;
        let count = self.change(table, &text, plan, frame, "INSERT")?;
        if let Some(at) = table.identity.filter(|at| columns.contains(at)) {
            self.identity_moves_on(table, at)?;
        }
        Ok(count)
    }

    /// Explicit identity values move the next one on.
    fn identity_moves_on(&mut self, table: &OwnTable, at: usize) -> Result<(), SqlError> {
        let store = self.core.store(self.cancel)?;
        let word = if table.increment > 0 { "max" } else { "min" };
        let value: Option<i64> = store
            .db
            .query_row(
                &format!("SELECT {word}(c{at}) FROM t{}", table.key),
                [],
                |row| row.get(0),
            )
            .map_err(|error| store.error(&error))?;
        if let Some(value) = value {
            table.saw_identity(value);
            self.core.shared.facts().identity = Some(i128::from(value));
        }
        Ok(())
    }

    /// Inserts one collected row.
    fn insert_row(
        &mut self,
        table: &Arc<OwnTable>,
        columns: &[usize],
        shape: &[Column],
        row: Row,
        frame: &Frame,
    ) -> Result<u64, SqlError> {
        let mut converted = Vec::with_capacity(row.len());
        for ((value, from), at) in row.into_iter().zip(shape).zip(columns) {
            let target = target_of(table, *at, "INSERT");
            let value = target.accept(value, from.ty)?;
            converted.push((*at, encode(&value, target.ty)?));
        }
        let mut rest: Vec<(usize, TypedExpr)> = Vec::new();
        for (at, own) in table.columns.iter().enumerate() {
            let given =
                columns.contains(&at) || table.identity == Some(at) || own.computed.is_some();
            if !given {
                let expr = match &own.default {
                    Some(default) => self.bind(default, frame)?,
                    None => TypedExpr::constant(tsql::Value::Null, own.column.ty),
                };
                rest.push((at, expr));
            }
        }
        let (text, plan) = self.generate(frame, |generator| {
            let mut names = Vec::new();
            let mut values = Vec::new();
            for (at, raw) in converted {
                names.push(format!("c{at}"));
                values.push(generator.param(raw));
            }
            for (at, expr) in &rest {
                let target = target_of(table, *at, "INSERT");
                names.push(format!("c{at}"));
                values.push(generator.assigned(&checked(expr.clone(), target.ty)?, target)?);
            }
            if let Some(at) = table.identity.filter(|at| !columns.contains(at)) {
                names.push(format!("c{at}"));
                values.push(format!("next_identity({})", table.key));
            }
            let name = generator.table(table.key);
            Ok(format!(
                "INSERT INTO {name}({}) VALUES ({})",
                names.join(","),
                values.join(",")
            ))
        })?;
        self.change(table, &text, plan, frame, "INSERT")
    }

    /// Runs a change; the CHECK constraints of the table hold afterwards, or nothing was changed.
    fn change(
        &mut self,
        table: &Arc<OwnTable>,
        text: &str,
        plan: Plan,
        frame: &Frame,
        verb: &str,
    ) -> Result<u64, SqlError> {
        let guarded = !table.checks.is_empty() && verb != "DELETE";
        if guarded {
            self.core_batch("SAVEPOINT change")?;
        }
        let changed = change(self.core, self.cancel, text, plan).map_err(|error| match error {
            ChangeError::Sql(error) => error,
            ChangeError::Constraint(message) => violated(table, &message),
        });
        if !guarded {
            return changed;
        }
        let result = changed.and_then(|count| {
            self.checks_hold(table, frame, verb)?;
            Ok(count)
        });
        if result.is_err() {
            self.core_batch("ROLLBACK TO change")?;
        }
        self.core_batch("RELEASE change")?;
        result
    }

    fn core_batch(&mut self, text: &str) -> Result<(), SqlError> {
        let store = self.core.store(self.cancel)?;
        store
            .db
            .execute_batch(text)
            .map_err(|error| store.error(&error))
    }

    fn checks_hold(&mut self, table: &OwnTable, frame: &Frame, verb: &str) -> Result<(), SqlError> {
        for (name, check) in &table.checks {
            let (id, bound) = {
                let names = Names {
                    shared: &self.core.shared,
                    scope: &frame.scope,
                };
                let mut binder = Binder::new(&names);
                let id = binder.open_table(&table.name, &table.shape());
                (id, binder.expr(check)?)
            };
            let (text, plan) = self.generate(frame, |generator| {
                let table = generator.table(table.key);
                let condition = generator.expr(&bound)?;
                Ok(format!(
                    "SELECT 1 FROM {table} AS s{id} WHERE NOT ({condition}) LIMIT 1"
                ))
            })?;
            let broken = super::query::run(
                self.core,
                self.cancel,
                &text,
                plan,
                &[SqlType::Int],
                &mut |_| Ok(()),
            )?;
            if broken > 0 {
                return Err(messages::CONSTRAINT_CONFLICT.with(&[
                    verb,
                    "CHECK",
                    name,
                    "tempdb",
                    &table.name,
                    "",
                ]));
            }
        }
        Ok(())
    }

    // ---- UPDATE and DELETE ----

    pub(super) fn update(&mut self, update: &Update, frame: &mut Frame) -> Result<u64, SqlError> {
        if !update.output.is_empty() {
            return Err(fault::not_supported("the OUTPUT clause"));
        }
        let (text, plan, table) = {
            let names = Names {
                shared: &self.core.shared,
                scope: &frame.scope,
            };
            let mut binder = Binder::new(&names);
            let ctes = binder.with(update.with.as_ref())?;
            let (source, id, table) =
                self.rows_to_change(&mut binder, &update.target, &update.from, frame, "UPDATE")?;
            let mut sets: Vec<(usize, TypedExpr)> = Vec::new();
            for clause in &update.set {
                let (column, op, value) = match clause {
                    SetClause::Column { column, op, value } => (column, *op, value),
                    SetClause::Variable { variable, .. }
                    | SetClause::VariableAndColumn { variable, .. } => {
                        return Err(fault::not_supported("UPDATE … SET of a variable")
                            .at_line(variable.span.line));
                    }
                    SetClause::Unsupported { feature, span } => {
                        return Err(fault::not_supported(feature).at_line(span.line));
                    }
                };
                let (at, value) = assignment(column, op, value, &table)?;
                if sets.iter().any(|(known, _)| *known == at) {
                    return Err(SqlError::new(
                        264,
                        16,
                        format!(
                            "The column name '{}' is specified more than once in the SET clause or column list of an INSERT.",
                            table.columns[at].column.name
                        ),
                    ));
                }
                sets.push((at, binder.expr(&value)?));
            }
            let filter = update.filter.as_ref().map(|f| binder.expr(f)).transpose()?;
            let limit = limit_of(&mut binder, update.top.as_ref())?;
            let (text, plan) = self.generate(frame, |generator| {
                let with = generator.with(&ctes)?;
                let mut values = vec![format!("s{id}.rowid AS r")];
                let mut names = Vec::new();
                let mut news = Vec::new();
                for (at, expr) in &sets {
                    let target = target_of(&table, *at, "UPDATE");
                    let value = generator.assigned(&checked(expr.clone(), target.ty)?, target)?;
                    values.push(format!("{value} AS v{at}"));
                    names.push(format!("c{at}"));
                    news.push(format!("n.v{at}"));
                }
                let rows = rows_text(generator, &values, &source, filter.as_ref(), limit.as_ref())?;
                let own = generator.table(table.key);
                let assigned: Vec<String> = names
                    .iter()
                    .zip(&news)
                    .map(|(name, new)| format!("{name} = {new}"))
                    .collect();
                Ok(format!(
                    "{with}UPDATE {own} SET {} FROM ({rows}) AS n WHERE {own}.rowid = n.r",
                    assigned.join(",")
                ))
            })?;
            (text, plan, table)
        };
        self.change(&table, &text, plan, frame, "UPDATE")
    }

    pub(super) fn delete(&mut self, delete: &Delete, frame: &mut Frame) -> Result<u64, SqlError> {
        if !delete.output.is_empty() {
            return Err(fault::not_supported("the OUTPUT clause"));
        }
        let (text, plan, table) = {
            let names = Names {
                shared: &self.core.shared,
                scope: &frame.scope,
            };
            let mut binder = Binder::new(&names);
            let ctes = binder.with(delete.with.as_ref())?;
            let (source, id, table) =
                self.rows_to_change(&mut binder, &delete.target, &delete.from, frame, "DELETE")?;
            let filter = delete.filter.as_ref().map(|f| binder.expr(f)).transpose()?;
            let limit = limit_of(&mut binder, delete.top.as_ref())?;
            let (text, plan) = self.generate(frame, |generator| {
                let with = generator.with(&ctes)?;
                let values = [format!("s{id}.rowid")];
                let rows = rows_text(generator, &values, &source, filter.as_ref(), limit.as_ref())?;
                let own = generator.table(table.key);
                Ok(format!("{with}DELETE FROM {own} WHERE rowid IN ({rows})"))
            })?;
            (text, plan, table)
        };
        self.change(&table, &text, plan, frame, "DELETE")
    }

    /// The rows that an UPDATE or DELETE looks at: FROM with the target in it.
    fn rows_to_change(
        &self,
        binder: &mut Binder<'_>,
        target: &DmlTarget,
        from: &[ast::TableSource],
        frame: &Frame,
        verb: &str,
    ) -> Result<(Source, SourceId, Arc<OwnTable>), SqlError> {
        let bound = binder.open_from(from)?;
        if let (Some(source), DmlTarget::Table { name, .. }) = (&bound, target)
            && let Some(id) = binder.entry_named(name)
            && let Some(key) = key_of(source, id)
        {
            let table = self.own(key, verb)?;
            return Ok((source.clone(), id, table));
        }
        if let (Some(source), DmlTarget::Variable(variable)) = (&bound, target) {
            let ident = ast::Ident {
                text: variable.name.clone(),
                quoted: false,
                span: variable.span,
            };
            if let Some(id) = binder.entry_named(&ObjectName::bare(ident))
                && let Some(key) = key_of(source, id)
            {
                return Ok((source.clone(), id, self.own(key, verb)?));
            }
        }
        let table = self.own_target(target, frame, verb)?;
        // The target joins the scope that is open, under its own name.
        let id = binder.add_table(&table.name, &table.shape());
        let own = Source::Table { id, key: table.key };
        let source = match bound {
            Some(other) => Source::Join {
                left: Box::new(own),
                kind: JoinKind::Cross,
                right: Box::new(other),
                on: None,
            },
            None => own,
        };
        Ok((source, id, table))
    }

    pub(super) fn truncate(&mut self, target: &DmlTarget, frame: &Frame) -> Result<(), SqlError> {
        let table = self.own_target(target, frame, "TRUNCATE")?;
        self.core_batch(&format!("DELETE FROM t{}", table.key))?;
        table.reseed();
        Ok(())
    }
}

fn rows_text(
    generator: &mut crate::store::generate::Generator<'_>,
    values: &[String],
    source: &Source,
    filter: Option<&TypedExpr>,
    limit: Option<&TypedExpr>,
) -> Result<String, SqlError> {
    let mut text = format!(
        "SELECT {} FROM {}",
        values.join(","),
        generator.source(source)?
    );
    if let Some(filter) = filter {
        text.push_str(&format!(" WHERE {}", generator.expr(filter)?));
    }
    if let Some(limit) = limit {
        text.push_str(&format!(" LIMIT {}", generator.expr(limit)?));
    }
    Ok(text)
}

fn limit_of(
    binder: &mut Binder<'_>,
    top: Option<&ast::Top>,
) -> Result<Option<TypedExpr>, SqlError> {
    match top {
        None => Ok(None),
        Some(top) if top.percent || top.with_ties => Err(fault::not_supported("TOP PERCENT")),
        Some(top) => coerce(binder.expr(&top.count)?, SqlType::BigInt).map(Some),
    }
}

/// `SELECT` of one row of expressions.
fn single_row(
    binder: &mut Binder<'_>,
    row: &[Expr],
    ctes: Vec<tsql::bind::ir::Cte>,
) -> Result<Query, SqlError> {
    use tsql::bind::ir::{Body, Item, Limit, Select};
    let mut items = Vec::with_capacity(row.len());
    for expr in row {
        items.push(Item {
            expr: binder.expr(expr)?,
            name: String::new(),
            assign: None,
        });
    }
    if items.is_empty() {
        items.push(Item {
            expr: TypedExpr::constant(tsql::Value::Int(1), SqlType::Int),
            name: String::new(),
            assign: None,
        });
    }
    Ok(Query {
        ctes,
        columns: items
            .iter()
            .map(|item| Column::nullable("", item.expr.ty))
            .collect(),
        body: Body::Select(Box::new(Select {
            distinct: false,
            items,
            from: None,
            filter: None,
            group: Vec::new(),
            grouped: false,
            having: None,
        })),
        order: Vec::new(),
        limit: Limit::default(),
    })
}

/// DEFAULT in VALUES becomes the column's default.
fn with_defaults(rows: &[Vec<Expr>], table: &OwnTable, columns: &[usize]) -> Vec<Vec<Expr>> {
    rows.iter()
        .map(|row| {
            row.iter()
                .zip(columns)
                .map(
                    |(expr, at)| match (&expr.kind, &table.columns[*at].default) {
                        (ExprKind::Default, Some(default)) => default.clone(),
                        (ExprKind::Default, None) => Expr {
                            span: expr.span,
                            kind: ExprKind::Literal(Literal::Null),
                        },
                        _ => expr.clone(),
                    },
                )
                .collect()
        })
        .collect()
}

/// The column and the whole new value of one SET.
fn assignment(
    column: &[ast::Ident],
    op: ast::AssignOp,
    value: &Expr,
    table: &OwnTable,
) -> Result<(usize, Expr), SqlError> {
    let name = column
        .last()
        .ok_or_else(|| fault::internal("a column without a name"))?;
    let at = table
        .columns
        .iter()
        .position(|c| collate::same(&c.column.name, &name.text))
        .ok_or_else(|| fault::invalid_column(&name.text).at_line(name.span.line))?;
    if table.identity == Some(at) {
        return Err(messages::UPDATE_IDENTITY.at(name.span.line, &[&name.text]));
    }
    if table.columns[at].computed.is_some() {
        return Err(computed_column(&name.text));
    }
    if value.kind == ExprKind::Default {
        let default = table.columns[at].default.clone();
        return Ok((
            at,
            default.unwrap_or(Expr {
                span: value.span,
                kind: ExprKind::Literal(Literal::Null),
            }),
        ));
    }
    let value = match assign_operator(op) {
        None => value.clone(),
        Some(op) => Expr {
            span: value.span,
            kind: ExprKind::Binary {
                op,
                left: Box::new(Expr {
                    span: name.span,
                    kind: ExprKind::Column(column.to_vec()),
                }),
                right: Box::new(value.clone()),
            },
        },
    };
    Ok((at, value))
}

fn computed_column(name: &str) -> SqlError {
    SqlError::new(
        271,
        16,
        format!(
            "The column \"{name}\" cannot be modified because it is either a computed column or is the result of a UNION operator."
        ),
    )
}

pub(super) fn target_of(table: &OwnTable, at: usize, verb: &'static str) -> Target {
    let column = &table.columns[at].column;
    Target {
        table: table.name.clone(),
        column: column.name.clone(),
        ty: column.ty,
        nullable: column.nullable,
        verb,
    }
}

/// The expression as it is, once it is sure that it converts by itself; the value is converted later, with the
/// column's name at hand.
fn checked(expr: TypedExpr, ty: SqlType) -> Result<TypedExpr, SqlError> {
    if expr.is_null_constant() {
        return Ok(TypedExpr::constant(tsql::Value::Null, ty));
    }
    match convert::allowed(expr.ty, ty) {
        convert::Allowed::Implicit => Ok(expr),
        convert::Allowed::Explicit => Err(fault::implicit_not_allowed(expr.ty, ty)),
        convert::Allowed::Never => Err(fault::type_clash(expr.ty, ty)),
    }
}

impl Target {
    /// A value as the column takes it.
    pub(crate) fn accept(
        &self,
        value: tsql::Value,
        from: SqlType,
    ) -> Result<tsql::Value, SqlError> {
        if value.is_null() {
            return if self.nullable {
                Ok(value)
            } else {
                Err(messages::NULL_NOT_ALLOWED
                    .with(&[&self.column, &self.table, self.verb])
                    .with_state(2))
            };
        }
        let shown = value.as_str().unwrap_or_default().to_owned();
        convert::assign_to_column(value, from, self.ty, Style::PLAIN).map_err(|error| {
            if error.number == messages::TRUNCATION_SHORT.number {
                let limit = match self.ty {
                    SqlType::Char(n)
                    | SqlType::NChar(n)
                    | SqlType::VarChar(tsql::Length::Limited(n))
                    | SqlType::NVarChar(tsql::Length::Limited(n)) => usize::from(n),
                    _ => 0,
                };
                let kept = convert::cut(&shown, limit, self.ty);
                fault::truncated_in(&self.table, &self.column, kept)
            } else {
                error
            }
        })
    }
}

/// The error behind SQLite's "UNIQUE constraint failed: t5.c0, t5.c1".
fn violated(table: &OwnTable, message: &str) -> SqlError {
    let columns: Vec<usize> = message
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .split(',')
        .filter_map(|part| part.trim().rsplit(".c").next()?.parse().ok())
        .collect();
    let key = table.keys.iter().find(|key| {
        key.columns.len() == columns.len() && key.columns.iter().all(|(at, _)| columns.contains(at))
    });
    let (kind, name) = key.map_or(("UNIQUE KEY", ""), |key| {
        let kind = if key.primary {
            "PRIMARY KEY"
        } else {
            "UNIQUE KEY"
        };
        (kind, key.name.as_str())
    });
    messages::DUPLICATE_KEY.with(&[kind, name, &table.name, "…"])
}

/// Takes rows for an INSERT … EXEC; messages go on to the client.
struct Collected<'s> {
    inner: &'s mut dyn ResultSink,
    columns: Vec<Column>,
    rows: Vec<Row>,
}

impl ResultSink for Collected<'_> {
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        if !self.columns.is_empty() && self.columns.len() != columns.len() {
            return Err(messages::INSERT_COLUMN_COUNT.with(&[]));
        }
        self.columns = columns.to_vec();
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<(), SqlError> {
        if self.rows.len() >= COLLECTED_ROWS_MAX {
            return Err(messages::MEMORY_LIMIT.with(&["default"]));
        }
        self.rows.push(row);
        Ok(())
    }

    fn done(&mut self, _rows: Option<u64>) -> Result<(), SqlError> {
        Ok(())
    }

    fn message(&mut self, message: SqlError) {
        self.inner.message(message);
    }

    fn statement_done(&mut self, _done: StatementDone) -> Result<(), SqlError> {
        Ok(())
    }

    fn env_change(&mut self, change: crate::host::EnvChange) {
        self.inner.env_change(change);
    }

    fn flush(&mut self) -> Result<(), SqlError> {
        self.inner.flush()
    }
}
