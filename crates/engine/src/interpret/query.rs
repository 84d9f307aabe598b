//! SELECT: rows to the client, to variables, or as a value.

use super::{Frame, Interpreter};
use crate::session::Core;
use crate::session::environment::Env;
use crate::session::names::Names;
use crate::session::shared::{Object, Shared};
use crate::store::encode::decode;
use crate::store::generate::{Generator, Plan, split_keeping_variables};
use rusqlite::types::Value as Sqlite;
use tsql::ast::{Literal, ObjectName, QueryBody, QueryHint, SelectStatement};
use tsql::bind::Binder;
use tsql::bind::ir::{Body, Query, Select, Source, TypedExpr};
use tsql::eval::{self, Environment as _};
use tsql::{Row, SqlError, SqlType, Value, fault, messages};

/// Levels of recursion of a common table expression without OPTION (MAXRECURSION).
const RECURSION_DEFAULT: u32 = 100;

/// SQL names of the tables that have rows of their own.
pub(super) fn own_names(shared: &Shared) -> impl Fn(u32) -> Option<String> + '_ {
    |key| match shared.object(key) {
        Some(Object::Own(table)) => Some(table.sql_name()),
        _ => None,
    }
}

impl Interpreter<'_> {
    /// Runs a SELECT statement; returns its number of rows.
    pub(super) fn select(
        &mut self,
        statement: &SelectStatement,
        frame: &mut Frame,
    ) -> Result<u64, SqlError> {
        self.recursion(&statement.options)?;
        let into = select_into(&statement.query.body).cloned();
        let mut query = {
            let names = Names {
                shared: &self.core.shared,
                scope: &frame.scope,
            };
            Binder::new(&names).select(statement.with.as_ref(), &statement.query)?
        };
        let unrun = self.core.shared.facts().unrun().is_some();
        if unrun && into.is_some() {
            return Ok(0);
        }
        if let Some(into) = into {
            let rows = self.select_into(&into, &query, frame)?;
            self.done(frame, Some(rows), false)?;
            return Ok(rows);
        }
        if let Body::Select(select) = &query.body
            && select
                .items
                .first()
                .is_some_and(|item| item.assign.is_some())
        {
            if unrun {
                return Ok(0);
            }
            let rows = self.assign(&query, select, frame)?;
            return Ok(rows);
        }
        if Env::new(&self.core.shared, &frame.values).failed_arithmetic_is_null() {
            // A value that cannot be had is NULL, where its expression promised that there is one.
            for column in &mut query.columns {
                column.nullable = true;
            }
        }
        if unrun {
            self.sink.columns(&query.columns)?;
            self.done(frame, Some(0), true)?;
            return Ok(0);
        }
        let rows = match plain(&query) {
            Some(select) => self.constants(&query, select, frame)?,
            None => self.stream(&query, frame)?,
        };
        self.done(frame, Some(rows), true)?;
        Ok(rows)
    }

    pub(super) fn recursion(&mut self, options: &[QueryHint]) -> Result<(), SqlError> {
        let hint = options.iter().find(|hint| hint.name == "MAXRECURSION");
        let rounds = match hint.and_then(|hint| hint.value.as_ref()) {
            Some(Literal::Int(n)) => u32::try_from(*n).unwrap_or(0),
            Some(_) => return Err(fault::not_supported("this MAXRECURSION")),
            None => RECURSION_DEFAULT,
        };
        self.core.shared.facts().recursion = rounds;
        Ok(())
    }

    /// A SELECT without FROM never reaches SQLite.
    fn constants(
        &mut self,
        query: &Query,
        select: &Select,
        frame: &Frame,
    ) -> Result<u64, SqlError> {
        let env = Env::new(&self.core.shared, &frame.values);
        if let Some(filter) = &select.filter
            && eval::truth(filter, &env, &[])? != Some(true)
        {
            self.sink.columns(&query.columns)?;
            return Ok(0);
        }
        // The whole row first: an error leaves no half of a result set.
        let row = select
            .items
            .iter()
            .map(|item| eval::evaluate(&item.expr, &env, &[]))
            .collect::<Result<Vec<_>, _>>()?;
        self.sink.columns(&query.columns)?;
        self.sink.row(row)?;
        Ok(1)
    }

    /// A query under SET ROWCOUNT.
    pub(super) fn first_of(&self, text: String) -> String {
        match self.core.shared.facts().row_limit {
            Some(rows) => format!("SELECT * FROM ({text}) LIMIT {rows}"),
            None => text,
        }
    }

    /// Rows go to the client one by one.
    pub(super) fn stream(&mut self, query: &Query, frame: &Frame) -> Result<u64, SqlError> {
        let (text, plan) = self.generate(frame, |generator| generator.query(query))?;
        let text = self.first_of(text);
        let types: Vec<SqlType> = query.columns.iter().map(|column| column.ty).collect();
        let sink = &mut *self.sink;
        let mut started = false;
        let rows = run(self.core, self.cancel, &text, plan, &types, &mut |row| {
            if !started {
                started = true;
                sink.columns(&query.columns)?;
            }
            sink.row(row)
        })?;
        if !started {
            sink.columns(&query.columns)?;
        }
        Ok(rows)
    }

    /// Rows of a query that stay here, a cursor's, and about how many bytes they take; 701 beyond `bytes`.
    pub(super) fn rows_of(
        &mut self,
        query: &Query,
        frame: &Frame,
        bytes: u64,
    ) -> Result<(Vec<Row>, u64), SqlError> {
        let (text, plan) = self.generate(frame, |generator| generator.query(query))?;
        let types: Vec<SqlType> = query.columns.iter().map(|column| column.ty).collect();
        let mut kept = Vec::new();
        let mut taken = 0_u64;
        run(self.core, self.cancel, &text, plan, &types, &mut |row| {
            taken = taken.saturating_add(row.iter().map(value_bytes).sum());
            if taken > bytes {
                return Err(messages::MEMORY_LIMIT.with(&["default"]));
            }
            kept.push(row);
            Ok(())
        })?;
        Ok((kept, taken))
    }

    /// `SELECT @v = …`: one assignment per row, in order; without rows the variables stay.
    fn assign(
        &mut self,
        query: &Query,
        select: &Select,
        frame: &mut Frame,
    ) -> Result<u64, SqlError> {
        let mut leaves: Vec<TypedExpr> = Vec::new();
        let trees: Vec<(usize, TypedExpr)> = {
            let env = Env::new(&self.core.shared, &frame.values);
            select
                .items
                .iter()
                .filter_map(|item| {
                    let slot = item.assign?;
                    Some((slot, split_keeping_variables(&item.expr, &env, &mut leaves)))
                })
                .collect()
        };
        if plain(query).is_some() && leaves.is_empty() {
            if let Some(filter) = &select.filter {
                let env = Env::new(&self.core.shared, &frame.values);
                if eval::truth(filter, &env, &[])? != Some(true) {
                    return Ok(0);
                }
            }
            for (slot, tree) in &trees {
                let env = Env::new(&self.core.shared, &frame.values);
                let value = eval::evaluate(tree, &env, &[])?;
                frame.values[*slot] = value;
            }
            return Ok(1);
        }
        let mut order = query.order.clone();
        for key in &mut order {
            // The items are not in the text; keys stand for themselves.
            key.item = None;
        }
        let (text, plan) = self.generate(frame, |generator| {
            let mut items = Vec::with_capacity(leaves.len().max(1));
            for leaf in &leaves {
                items.push(generator.expr(leaf)?);
            }
            if items.is_empty() {
                items.push("1".to_owned());
            }
            let with = generator.with(&query.ctes)?;
            let body = generator.select(select, &items)?;
            Ok(format!(
                "{with}{}",
                generator.ordered(body, &order, &query.limit)?
            ))
        })?;
        let text = self.first_of(text);
        let types: Vec<SqlType> = leaves.iter().map(|leaf| leaf.ty).collect();
        let shared = std::sync::Arc::clone(&self.core.shared);
        let values = &mut frame.values;
        run(self.core, self.cancel, &text, plan, &types, &mut |row| {
            for (slot, tree) in &trees {
                let env = Env::new(&shared, values);
                let value = eval::evaluate(tree, &env, &row)?;
                values[*slot] = value;
            }
            Ok(())
        })
    }

    /// Value of an expression that holds subqueries.
    pub(super) fn query_value(
        &mut self,
        expr: &TypedExpr,
        frame: &Frame,
    ) -> Result<Value, SqlError> {
        let (text, plan) = self.generate(frame, |generator| {
            Ok(format!("SELECT {}", generator.expr(expr)?))
        })?;
        let mut value = Value::Null;
        run(
            self.core,
            self.cancel,
            &text,
            plan,
            &[expr.ty],
            &mut |mut row| {
                value = row.pop().unwrap_or_default();
                Ok(())
            },
        )?;
        Ok(value)
    }

    /// Generates a statement's text and plan.
    pub(super) fn generate(
        &self,
        frame: &Frame,
        write: impl FnOnce(&mut Generator<'_>) -> Result<String, SqlError>,
    ) -> Result<(String, Plan), SqlError> {
        let shared = &self.core.shared;
        let env = Env::new(shared, &frame.values);
        let own = own_names(shared);
        let derived = |key| match shared.object(key) {
            Some(Object::Own(table)) => shared.derived(&table, false),
            _ => Ok(None),
        };
        let mut generator = Generator::new(&env, &own, &derived);
        let text = write(&mut generator)?;
        Ok((text, generator.plan))
    }
}

/// About how many bytes a kept value takes.
pub(super) fn value_bytes(value: &Value) -> u64 {
    /// Beside its text or bytes.
    const PLAIN: u64 = 32;
    let text = match value {
        Value::String(text) | Value::Xml(text) => text.len(),
        Value::Binary(bytes) => bytes.len(),
        _ => 0,
    };
    PLAIN.saturating_add(u64::try_from(text).unwrap_or(u64::MAX))
}

/// A SELECT without FROM whose items need no rows.
fn plain(query: &Query) -> Option<&Select> {
    let Body::Select(select) = &query.body else {
        return None;
    };
    let simple = select.from.is_none()
        && !select.grouped
        && query.limit == tsql::bind::ir::Limit::default()
        && select.filter.as_ref().is_none_or(TypedExpr::is_scalar)
        && select.items.iter().all(|item| item.expr.is_scalar());
    simple.then_some(select)
}

pub(super) fn select_into(body: &QueryBody) -> Option<&ObjectName> {
    match body {
        QueryBody::Select(select) => select.into.as_ref(),
        QueryBody::Nested(query) => select_into(&query.body),
        QueryBody::Chain { first, .. } => select_into(first),
    }
}

/// Runs a statement and hands over its rows; returns how many there were.
pub(super) fn run(
    core: &mut Core,
    cancel: &crate::CancelToken,
    text: &str,
    plan: Plan,
    types: &[SqlType],
    each: &mut dyn FnMut(Vec<Value>) -> Result<(), SqlError>,
) -> Result<u64, SqlError> {
    let fragments = plan.fragments.len();
    let result = run_attached(core, cancel, text, plan, types, each);
    if let Some(store) = core.store.as_mut() {
        store.forget_fragments(fragments);
    }
    result
}

fn run_attached(
    core: &mut Core,
    cancel: &crate::CancelToken,
    text: &str,
    plan: Plan,
    types: &[SqlType],
    each: &mut dyn FnMut(Vec<Value>) -> Result<(), SqlError>,
) -> Result<u64, SqlError> {
    let shared = std::sync::Arc::clone(&core.shared);
    let store = core.store(cancel)?;
    for key in &plan.objects {
        store.attach(*key)?;
    }
    store.attach_fragments(&plan)?;
    shared.set_plan(plan.compiled);
    let mut statement = store
        .db
        .prepare_cached(text)
        .map_err(|error| store.error(&error))?;
    bind(&mut statement, plan.params).map_err(|error| store.error(&error))?;
    let mut rows = statement.raw_query();
    let mut count = 0;
    while let Some(row) = rows.next().map_err(|error| store.error(&error))? {
        let mut values = Vec::with_capacity(types.len());
        for (at, ty) in types.iter().enumerate() {
            let raw = row.get_ref(at).map_err(|error| store.error(&error))?;
            values.push(decode(raw, *ty)?);
        }
        each(values)?;
        count += 1;
    }
    Ok(count)
}

/// Runs a statement that changes rows; returns how many it changed.
pub(super) fn change(
    core: &mut Core,
    cancel: &crate::CancelToken,
    text: &str,
    plan: Plan,
) -> Result<u64, ChangeError> {
    let fragments = plan.fragments.len();
    let result = change_attached(core, cancel, text, plan);
    if let Some(store) = core.store.as_mut() {
        store.forget_fragments(fragments);
    }
    result
}

fn change_attached(
    core: &mut Core,
    cancel: &crate::CancelToken,
    text: &str,
    plan: Plan,
) -> Result<u64, ChangeError> {
    let shared = std::sync::Arc::clone(&core.shared);
    core.begin_writing(cancel).map_err(ChangeError::Sql)?;
    let store = core.store(cancel).map_err(ChangeError::Sql)?;
    for key in &plan.objects {
        store.attach(*key).map_err(ChangeError::Sql)?;
    }
    store.attach_fragments(&plan).map_err(ChangeError::Sql)?;
    shared.set_plan(plan.compiled);
    let changed = store.db.prepare_cached(text).and_then(|mut statement| {
        bind(&mut statement, plan.params)?;
        statement.raw_execute()
    });
    match changed {
        Ok(count) => Ok(u64::try_from(count).unwrap_or(u64::MAX)),
        Err(rusqlite::Error::SqliteFailure(failure, Some(message)))
            if failure.code == rusqlite::ErrorCode::ConstraintViolation =>
        {
            Err(ChangeError::Constraint(message))
        }
        Err(error) => Err(ChangeError::Sql(store.error(&error))),
    }
}

/// Binds the parameters that the text itself names; others are its fragments'.
fn bind(statement: &mut rusqlite::Statement<'_>, params: Vec<Sqlite>) -> rusqlite::Result<()> {
    let last = statement.parameter_count();
    for (at, value) in params.into_iter().take(last).enumerate() {
        statement.raw_bind_parameter(at + 1, value)?;
    }
    Ok(())
}

/// Why a change failed.
pub(super) enum ChangeError {
    /// A unique key: SQLite's message names table and columns.
    Constraint(String),
    /// Anything else.
    Sql(SqlError),
}

/// The key of the table that a FROM entry reads.
pub(super) fn key_of(source: &Source, wanted: u32) -> Option<u32> {
    match source {
        Source::Table { id, key } if *id == wanted => Some(*key),
        Source::Join { left, right, .. } => key_of(left, wanted).or_else(|| key_of(right, wanted)),
        Source::Apply { left, .. } => key_of(left, wanted),
        Source::Table { .. }
        | Source::Function { .. }
        | Source::Query { .. }
        | Source::Cte { .. } => None,
    }
}
