//! INSERT, UPDATE, DELETE and TRUNCATE of temporary tables, table variables and permanent tables.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a column names the types that cut or pad; the rest take values as they are"
)]

use super::output::{Outputs, Shown};
use super::query::{ChangeError, change};
use super::stage::{Stage, Verb, action_text};
use super::{Frame, Interpreter};
use crate::host::{ResultSink, StatementDone};
use crate::session::names::Names;
use crate::session::tables::OwnTable;
use crate::store::encode::encode;
use crate::store::functions::Target;
use crate::store::generate::{Generator, Plan};
use std::sync::Arc;
use tsql::ast::{self, DmlTarget, Expr, ExprKind, Insert, InsertSource, Literal};
use tsql::bind::Binder;
use tsql::bind::ir::{Limit, Query, SourceId, TypedExpr};
use tsql::convert::{self, Style};
use tsql::eval::collate;
use tsql::{Column, Row, SqlError, SqlType, fault, messages};

/// The entry of the query that an INSERT takes rows from.
const SOURCE: SourceId = u32::MAX;

/// Rows on their way into a table.
struct Arrival<'a> {
    table: &'a Arc<OwnTable>,
    outputs: &'a Outputs,
    /// How many at most.
    first: Option<u64>,
}

/// What the columns of a new row get.
struct NewRow {
    exprs: Vec<(usize, TypedExpr)>,
    /// The column that the table gives the next number.
    identity: Option<usize>,
}

impl NewRow {
    /// Columns, their values over the query, and the FROM that names it.
    fn texts(
        &self,
        generator: &mut Generator<'_>,
        table: &OwnTable,
        query: &Query,
    ) -> Result<(Vec<usize>, Vec<String>, String), SqlError> {
        let source = generator.query(query)?;
        let mut names = Vec::with_capacity(self.exprs.len() + 1);
        let mut values = Vec::with_capacity(self.exprs.len() + 1);
        for (at, expr) in &self.exprs {
            let target = target_of(table, *at, Verb::Insert.name());
            names.push(*at);
            values.push(generator.assigned(expr, target)?);
        }
        if let Some(at) = self.identity {
            names.push(at);
            values.push(format!("next_identity({})", table.key));
        }
        Ok((
            names,
            values,
            format!("FROM ({source}) AS s{SOURCE} WHERE 1"),
        ))
    }
}

/// LIMIT, where there is one.
fn limited(first: Option<u64>) -> String {
    first.map_or_else(String::new, |rows| format!(" LIMIT {rows}"))
}

/// Most rows that an INSERT … EXEC may collect.
pub(super) const COLLECTED_ROWS_MAX: usize = 1_000_000;

impl Interpreter<'_> {
    /// Runs an INSERT; `None` when what it executes has ended the request.
    pub(super) fn insert(
        &mut self,
        insert: &Insert,
        frame: &mut Frame,
    ) -> Result<Option<u64>, SqlError> {
        self.recursion(&insert.options)?;
        let (table, columns) = self.insert_into(insert, frame)?;
        let outputs = self.insert_outputs(insert, &table, frame)?;
        let first = self.insert_limit(insert, frame)?;
        let rows = Arrival {
            table: &table,
            outputs: &outputs,
            first,
        };
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
            InsertSource::Values(listed) => {
                let width = listed.first().map_or(0, Vec::len);
                if width != columns.len() {
                    return Err(match (insert.columns.is_empty(), width < columns.len()) {
                        (true, _) => messages::INSERT_COLUMN_COUNT.with(&[]),
                        (false, true) => messages::FEWER_VALUES.with(&[]),
                        (false, false) => messages::MORE_VALUES.with(&[]),
                    });
                }
                let listed = with_defaults(listed, &table, &columns);
                let query = {
                    let names = Names {
                        shared: &self.core.shared,
                        scope: &frame.scope,
                    };
                    let mut binder = Binder::new(&names);
                    let ctes = binder.with(insert.with.as_ref())?;
                    // Each row keeps its own types: they are converted to the column's one by one.
                    if let [row] = listed.as_slice() {
                        single_row(&mut binder, row, ctes)?
                    } else {
                        let mut query = binder.values(&listed)?;
                        query.ctes = ctes;
                        query
                    }
                };
                self.arrive(&rows, &columns, &query, frame).map(Some)
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
                self.arrive(&rows, &columns, &query, frame).map(Some)
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
                self.arrive(&rows, &[], &query, frame).map(Some)
            }
            InsertSource::Execute(execute) => {
                if !outputs.is_empty() {
                    return Err(messages::OUTPUT_OF_EXEC.with(&[]));
                }
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
                self.insert_collected(&table, &columns, (&shape, rows), frame)
                    .map(Some)
            }
        }
    }

    /// The columns that an INSERT gives values for, in its order.
    pub(super) fn insert_columns(
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
                return Err(messages::COMPUTED_NOT_WRITABLE.at(name.span.line, &[&name.text]));
            }
            if out.contains(&at) {
                return Err(messages::COLUMN_TWICE.with(&[&name.text]));
            }
            out.push(at);
        }
        Ok(out)
    }

    /// Binds what an INSERT puts out.
    fn insert_outputs(
        &self,
        insert: &Insert,
        table: &OwnTable,
        frame: &Frame,
    ) -> Result<Outputs, SqlError> {
        let names = Names {
            shared: &self.core.shared,
            scope: &frame.scope,
        };
        let mut binder = Binder::new(&names);
        let shown = Shown {
            inserted: true,
            deleted: false,
            action: false,
        };
        self.outputs(&mut binder, &insert.output, (table, None), shown, frame)
    }

    /// How many rows an INSERT takes at most.
    fn insert_limit(&self, insert: &Insert, frame: &Frame) -> Result<Option<u64>, SqlError> {
        let names = Names {
            shared: &self.core.shared,
            scope: &frame.scope,
        };
        let mut limit = Limit::default();
        Binder::new(&names).top(insert.top.as_ref(), &mut limit)?;
        let first = self.first_rows(&limit, frame)?;
        let all = self.core.shared.facts().row_limit;
        Ok(first.into_iter().chain(all).min())
    }

    /// Inserts the rows of a query, and puts out what OUTPUT wants of them.
    fn arrive(
        &mut self,
        rows: &Arrival<'_>,
        columns: &[usize],
        query: &Query,
        frame: &Frame,
    ) -> Result<u64, SqlError> {
        let table = rows.table;
        if rows.outputs.is_empty() && !table.has_triggers() && !table.has_stored() {
            return self.insert_rows(table, columns, query, rows.first, frame);
        }
        let values = self.insert_values(table, columns, query, frame)?;
        let stage = self.stage(table, &[])?;
        let filled = self.generate(frame, |generator| {
            let (names, texts, source) = values.texts(generator, table, query)?;
            let mut staged = vec![(Stage::ACTION, action_text(Verb::Insert).to_owned())];
            staged.extend(names.iter().map(|at| stage.after(*at)).zip(texts));
            let (insert, texts) = stage.insert(&staged);
            Ok(format!(
                "{insert} SELECT {texts} {source}{}",
                limited(rows.first)
            ))
        });
        let result = filled
            .and_then(|(text, plan)| self.fill(&text, plan))
            .and_then(|()| self.take_place(table, &stage, rows.outputs, frame, Verb::Insert.name()))
            .and_then(|count| {
                self.identity_given(table, columns)?;
                Ok(count)
            });
        self.unstage(&stage);
        result
    }

    /// Inserts the rows of a query whose columns are those given.
    pub(super) fn insert_query(
        &mut self,
        table: &Arc<OwnTable>,
        columns: &[usize],
        query: &Query,
        frame: &Frame,
    ) -> Result<u64, SqlError> {
        let rows = Arrival {
            table,
            outputs: &Outputs::none(),
            first: self.core.shared.facts().row_limit,
        };
        self.arrive(&rows, columns, query, frame)
    }

    fn insert_rows(
        &mut self,
        table: &Arc<OwnTable>,
        columns: &[usize],
        query: &Query,
        first: Option<u64>,
        frame: &Frame,
    ) -> Result<u64, SqlError> {
        let values = self.insert_values(table, columns, query, frame)?;
        let (text, plan) = self.generate(frame, |generator| {
            let (names, texts, source) = values.texts(generator, table, query)?;
            let name = generator.table(table.key);
            if names.is_empty() {
                return Ok(format!("INSERT INTO {name} DEFAULT VALUES"));
            }
            let names: Vec<String> = names.iter().map(|at| format!("c{at}")).collect();
            Ok(format!(
                "INSERT INTO {name}({}) SELECT {} {source}{}",
                names.join(","),
                texts.join(","),
                limited(first)
            ))
        })?;
        let count = self.change(table, &text, plan, frame, Verb::Insert.name())?;
        self.identity_given(table, columns)?;
        Ok(count)
    }

    /// What each column of a new row gets, by the columns that a query gives.
    fn insert_values(
        &self,
        table: &OwnTable,
        columns: &[usize],
        query: &Query,
        frame: &Frame,
    ) -> Result<NewRow, SqlError> {
        let instead = self.is_instead(table, Verb::Insert);
        let mut row = NewRow {
            exprs: Vec::with_capacity(table.columns.len()),
            identity: None,
        };
        for (at, own) in table.columns.iter().enumerate() {
            if own.computed.is_some() {
                continue;
            }
            let expr = match columns.iter().position(|column| *column == at) {
                Some(place) => super::target::column(SOURCE, place, query.columns[place].ty),
                // An INSTEAD OF trigger is shown no number: none is given yet.
                None if table.identity == Some(at) && instead => {
                    TypedExpr::constant(tsql::Value::Int(0), SqlType::Int)
                }
                None if table.identity == Some(at) => {
                    row.identity = Some(at);
                    continue;
                }
                None => match &own.default {
                    Some(default) => self.bind(default, frame)?,
                    None => TypedExpr::constant(tsql::Value::Null, own.column.ty),
                },
            };
            row.exprs.push((at, checked(expr, own.column.ty)?));
        }
        Ok(row)
    }

    /// Identity values given by a statement move the next one on.
    fn identity_given(&mut self, table: &OwnTable, columns: &[usize]) -> Result<(), SqlError> {
        if self.is_instead(table, Verb::Insert) {
            return Ok(());
        }
        match table.identity.filter(|at| columns.contains(at)) {
            Some(at) => self.identity_moves_on(table, at),
            None => Ok(()),
        }
    }

    /// Explicit identity values move the next one on.
    fn identity_moves_on(&mut self, table: &OwnTable, at: usize) -> Result<(), SqlError> {
        let store = self.core.store(self.cancel)?;
        let word = if table.increment > 0 { "max" } else { "min" };
        let value: Option<i64> = store
            .db
            .query_row(
                &format!("SELECT {word}(c{at}) FROM {}", table.sql_name()),
                [],
                |row| row.get(0),
            )
            .map_err(|error| store.error(&error))?;
        if let Some(value) = value {
            table.saw_identity(value);
            self.keep_identity(table)?;
            self.core.shared.facts().identity = Some(i128::from(value));
        }
        Ok(())
    }

    /// Inserts collected rows: all of them, or none.
    pub(super) fn insert_collected(
        &mut self,
        table: &Arc<OwnTable>,
        columns: &[usize],
        (shape, rows): (&[Column], impl IntoIterator<Item = Row>),
        frame: &Frame,
    ) -> Result<u64, SqlError> {
        let stage = self.stage(table, &[])?;
        let result = rows
            .into_iter()
            .try_for_each(|row| self.stage_row(table, &stage, columns, (shape, row), frame))
            .and_then(|()| {
                let verb = Verb::Insert.name();
                self.take_place(table, &stage, &Outputs::none(), frame, verb)
            })
            .and_then(|count| {
                self.identity_given(table, columns)?;
                Ok(count)
            });
        self.unstage(&stage);
        result
    }

    /// Puts one collected row into the hidden table.
    fn stage_row(
        &mut self,
        table: &Arc<OwnTable>,
        stage: &Stage,
        columns: &[usize],
        (shape, row): (&[Column], Row),
        frame: &Frame,
    ) -> Result<(), SqlError> {
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
            let mut values = vec![(Stage::ACTION, action_text(Verb::Insert).to_owned())];
            for (at, raw) in converted {
                values.push((stage.after(at), generator.param(raw)));
            }
            for (at, expr) in &rest {
                let target = target_of(table, *at, "INSERT");
                let value = generator.assigned(&checked(expr.clone(), target.ty)?, target)?;
                values.push((stage.after(*at), value));
            }
            if let Some(at) = table.identity.filter(|at| !columns.contains(at)) {
                values.push((stage.after(at), format!("next_identity({})", table.key)));
            }
            let (insert, texts) = stage.insert(&values);
            Ok(format!("{insert} VALUES ({texts})"))
        })?;
        self.fill(&text, plan)
    }

    /// Runs a change; the CHECK constraints of the table hold afterwards, or nothing was changed.
    pub(super) fn change(
        &mut self,
        table: &Arc<OwnTable>,
        text: &str,
        plan: Plan,
        frame: &Frame,
        verb: &str,
    ) -> Result<u64, SqlError> {
        let unchecked = table.checks.is_empty() || verb == Verb::Delete.name();
        if unchecked && table.place.is_none() {
            return self.change_rows(table, text, plan);
        }
        self.whole(|own| {
            own.lock_table(table)?;
            let count = own.change_rows(table, text, plan)?;
            if !unchecked {
                own.checks_hold(table, frame, verb)?;
            }
            own.keep_identity(table)?;
            Ok(count)
        })
    }

    /// Runs a change of rows; the error of a key names the table.
    pub(super) fn change_rows(
        &mut self,
        table: &OwnTable,
        text: &str,
        plan: Plan,
    ) -> Result<u64, SqlError> {
        change(self.core, self.cancel, text, plan).map_err(|error| match error {
            ChangeError::Sql(error) => error,
            ChangeError::Constraint(message) => self.violated(table, text, &message),
        })
    }

    /// Runs changes of which all stay, or none.
    pub(super) fn whole<T>(
        &mut self,
        changes: impl FnOnce(&mut Self) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        self.core_batch("SAVEPOINT change")?;
        let result = changes(self);
        if result.is_err() {
            let store = self.core.store(self.cancel)?;
            // Interrupted or out of memory, SQLite has ended the whole transaction already.
            if store.db.is_autocommit() {
                return result;
            }
            store.rolled_back();
            self.core_batch("ROLLBACK TO change")?;
        }
        self.core_batch("RELEASE change")?;
        result
    }

    pub(super) fn core_batch(&mut self, text: &str) -> Result<(), SqlError> {
        self.core.begin_writing(self.cancel)?;
        let store = self.core.store(self.cancel)?;
        store
            .db
            .execute_batch(text)
            .map_err(|error| store.error(&error))
    }

    pub(super) fn checks_hold(
        &mut self,
        table: &OwnTable,
        frame: &Frame,
        verb: &str,
    ) -> Result<(), SqlError> {
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
            let derived = self.core.shared.derived(table, false)?;
            let (text, plan) = self.generate(frame, |generator| {
                let mut own = table.sql_name();
                if let Some(derived) = &derived {
                    let rows = generator.with_derived(derived, &own)?;
                    own = format!("({rows})");
                }
                let condition = generator.expr(&bound)?;
                Ok(format!(
                    "SELECT 1 FROM {own} AS s{id} WHERE NOT ({condition}) LIMIT 1"
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
                    table.database_name(),
                    &table.object_name(),
                    "",
                ]));
            }
        }
        Ok(())
    }

    pub(super) fn truncate(&mut self, target: &DmlTarget, frame: &Frame) -> Result<(), SqlError> {
        let table = self.own_target(target, frame, "TRUNCATE")?;
        if let Some(place) = &table.place {
            return self.truncate_permanent(&table, place);
        }
        self.core_batch(&format!("DELETE FROM {}", table.sql_name()))?;
        table.reseed();
        Ok(())
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
pub(super) fn with_defaults(
    rows: &[Vec<Expr>],
    table: &OwnTable,
    columns: &[usize],
) -> Vec<Vec<Expr>> {
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

pub(super) fn target_of(table: &OwnTable, at: usize, verb: &'static str) -> Target {
    let column = &table.columns[at].column;
    Target {
        table: table.full_name(),
        column: column.name.clone(),
        ty: column.ty,
        nullable: column.nullable,
        verb,
    }
}

/// The expression as it is, once it is sure that it converts by itself; the value is converted later, with the
/// column's name at hand.
pub(super) fn checked(expr: TypedExpr, ty: SqlType) -> Result<TypedExpr, SqlError> {
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

    fn wanted(&mut self) -> Result<(), SqlError> {
        self.inner.wanted()
    }
}
