//! What SQLite calls back into: compiled expressions, aggregates, collations.

use super::encode::{decode, encode, unwide, wide};
use crate::session::environment::Env;
use crate::session::shared::Shared;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value as Sqlite, ValueRef};
use rusqlite::{Connection, Result};
use std::sync::Arc;
use tsql::bind::ir::{Collation, TypedExpr};
use tsql::convert::rescale;
use tsql::document::{Form, Writer};
use tsql::eval::{self, collate};
use tsql::{SqlError, SqlType, fault, messages};

/// A scalar expression that SQLite evaluates by calling back, its row-dependent parts as leaves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compiled {
    /// The expression, over [`tsql::bind::ir::TypedKind::Leaf`].
    pub(crate) expr: TypedExpr,
    /// Types of the leaves.
    pub(crate) leaves: Vec<SqlType>,
    /// What the value must be for: a column of a table.
    pub(crate) target: Option<Target>,
    /// For `document`: the form of its rows, whose columns are the leaves.
    pub(crate) form: Option<Arc<Form>>,
}

/// A column that a value is assigned to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    /// Table and column, for messages.
    pub(crate) table: String,
    pub(crate) column: String,
    pub(crate) ty: SqlType,
    pub(crate) nullable: bool,
    /// `INSERT` or `UPDATE`, for messages.
    pub(crate) verb: &'static str,
}

/// Marks the failure in SQLite whose [`SqlError`] waits in the session.
#[derive(Debug, thiserror::Error)]
#[error("a T-SQL error is pending")]
struct Pending;

/// Keeps an error for [`super::Store::error`] and fails the statement.
pub(super) fn raise(shared: &Shared, error: SqlError) -> rusqlite::Error {
    shared.set_pending(error);
    rusqlite::Error::UserFunctionError(Box::new(Pending))
}

pub(super) fn register(db: &Connection, shared: &Arc<Shared>) -> Result<()> {
    let plain = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    collations(db)?;
    let state = Arc::clone(shared);
    db.create_scalar_function("ev", -1, plain, move |context| {
        evaluate(context, &state).map_err(|error| raise(&state, error))
    })?;
    let state = Arc::clone(shared);
    db.create_scalar_function("rounds", 1, plain, move |context| {
        let round: i64 = context.get(0)?;
        let limit = state.recursion_limit();
        if limit != 0 && round >= i64::from(limit) {
            let error = messages::MAXRECURSION.with(&[&limit.to_string()]);
            return Err(raise(&state, error));
        }
        Ok(round + 1)
    })?;
    let state = Arc::clone(shared);
    db.create_scalar_function("next_identity", 1, plain, move |context| {
        let key: u32 = context.get(0)?;
        state
            .next_identity(key)
            .map_err(|error| raise(&state, error))
    })?;
    db.create_aggregate_function("single", 1, plain, Single(Arc::clone(shared)))?;
    db.create_aggregate_function("dsum", 1, plain, DecimalSum(Arc::clone(shared)))?;
    db.create_aggregate_function("davg", 3, plain, DecimalAverage(Arc::clone(shared)))?;
    db.create_aggregate_function("document", -1, plain, DocumentOf(Arc::clone(shared)))?;
    db.create_aggregate_function("spread", 2, plain, Spread)
}

fn collations(db: &Connection) -> Result<()> {
    db.create_collation("ci", |a, b| {
        collate::compare(a, b, Collation::CaseInsensitive)
    })?;
    db.create_collation("cs", |a, b| {
        collate::compare(a, b, Collation::CaseSensitive)
    })?;
    db.create_collation("bin", |a, b| collate::compare(a, b, Collation::Binary))?;
    // datetimeoffset: the UTC ticks alone.
    db.create_collation("dto", |a, b| a.get(..16).cmp(&b.get(..16)))
}

/// `ev(n, leaf, …)`: the n-th compiled expression of the running statement.
fn evaluate(context: &Context<'_>, shared: &Shared) -> std::result::Result<Sqlite, SqlError> {
    let missing = || fault::internal("an expression is missing");
    let index = context.get_raw(0).as_i64().map_err(|_| missing())?;
    let plan = shared.plan();
    let compiled = usize::try_from(index)
        .ok()
        .and_then(|at| plan.get(at))
        .ok_or_else(missing)?;
    let mut leaves = Vec::with_capacity(compiled.leaves.len());
    for (at, ty) in compiled.leaves.iter().enumerate() {
        leaves.push(decode(context.get_raw(at + 1), *ty)?);
    }
    let env = Env::of_rows(shared);
    let value = eval::evaluate(&compiled.expr, &env, &leaves)?;
    match &compiled.target {
        Some(target) => encode(&target.accept(value, compiled.expr.ty)?, target.ty),
        None => encode(&value, compiled.expr.ty),
    }
}

/// The one value of a subquery; 512 when there are several.
struct Single(Arc<Shared>);

impl Aggregate<Option<Sqlite>, Option<Sqlite>> for Single {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<Sqlite>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, state: &mut Option<Sqlite>) -> Result<()> {
        if state.is_some() {
            return Err(raise(&self.0, fault::subquery_rows()));
        }
        *state = Some(context.get(0)?);
        Ok(())
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        state: Option<Option<Sqlite>>,
    ) -> Result<Option<Sqlite>> {
        Ok(state.flatten())
    }
}

/// `document(n, column, …)`: the rows as one text, in the form of the n-th compiled expression.
struct DocumentOf(Arc<Shared>);

/// The form, the types of the columns, and what was written so far.
type Written = Option<(Arc<Form>, Vec<SqlType>, Writer)>;

impl DocumentOf {
    fn row(&self, context: &Context<'_>, state: &mut Written) -> std::result::Result<(), SqlError> {
        let missing = || fault::internal("a form is missing");
        if state.is_none() {
            let index = context.get_raw(0).as_i64().map_err(|_| missing())?;
            let plan = self.0.plan();
            let compiled = usize::try_from(index)
                .ok()
                .and_then(|at| plan.get(at))
                .ok_or_else(missing)?;
            let form = compiled.form.clone().ok_or_else(missing)?;
            *state = Some((form, compiled.leaves.clone(), Writer::default()));
        }
        let Some((form, types, writer)) = state else {
            return Err(missing());
        };
        let mut values = Vec::with_capacity(types.len());
        for (at, ty) in types.iter().enumerate() {
            values.push(decode(context.get_raw(at + 1), *ty)?);
        }
        writer.row(form, &values)
    }
}

impl Aggregate<Written, Option<String>> for DocumentOf {
    fn init(&self, _: &mut Context<'_>) -> Result<Written> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, state: &mut Written) -> Result<()> {
        self.row(context, state)
            .map_err(|error| raise(&self.0, error))
    }

    fn finalize(&self, _: &mut Context<'_>, state: Option<Written>) -> Result<Option<String>> {
        Ok(state
            .flatten()
            .and_then(|(form, _, writer)| writer.finish(&form)))
    }
}

fn digits(raw: ValueRef<'_>) -> Option<i128> {
    match raw {
        ValueRef::Integer(v) => Some(i128::from(v)),
        ValueRef::Blob(bytes) => unwide(bytes),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Text(_) => None,
    }
}

fn overflow(shared: &Shared) -> rusqlite::Error {
    let ty = SqlType::Numeric {
        precision: 38,
        scale: 0,
    };
    raise(shared, fault::overflow_converting("expression", ty))
}

/// Sum and count of decimals.
type Total = (i128, i64);

fn add(shared: &Shared, raw: ValueRef<'_>, state: &mut Total) -> Result<()> {
    if let Some(value) = digits(raw) {
        state.0 = state.0.checked_add(value).ok_or_else(|| overflow(shared))?;
        state.1 += 1;
    }
    Ok(())
}

struct DecimalSum(Arc<Shared>);

impl Aggregate<Total, Option<Vec<u8>>> for DecimalSum {
    fn init(&self, _: &mut Context<'_>) -> Result<Total> {
        Ok((0, 0))
    }

    fn step(&self, context: &mut Context<'_>, state: &mut Total) -> Result<()> {
        add(&self.0, context.get_raw(0), state)
    }

    fn finalize(&self, _: &mut Context<'_>, state: Option<Total>) -> Result<Option<Vec<u8>>> {
        Ok(state
            .filter(|(_, count)| *count > 0)
            .map(|(sum, _)| wide(sum).to_vec()))
    }
}

/// `davg(x, scale of x, scale of the result)`
struct DecimalAverage(Arc<Shared>);

impl Aggregate<(Total, u8, u8), Option<Vec<u8>>> for DecimalAverage {
    fn init(&self, _: &mut Context<'_>) -> Result<(Total, u8, u8)> {
        Ok(((0, 0), 0, 0))
    }

    fn step(&self, context: &mut Context<'_>, state: &mut (Total, u8, u8)) -> Result<()> {
        (state.1, state.2) = (context.get(1)?, context.get(2)?);
        add(&self.0, context.get_raw(0), &mut state.0)
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        state: Option<(Total, u8, u8)>,
    ) -> Result<Option<Vec<u8>>> {
        let Some(((sum, count), from, to)) = state.filter(|((_, count), _, _)| *count > 0) else {
            return Ok(None);
        };
        let scaled = rescale(sum, from, to).ok_or_else(|| overflow(&self.0))?;
        Ok(Some(wide(scaled / i128::from(count)).to_vec()))
    }
}

/// `spread(x, kind)`: 0 VARP, 1 VAR, 2 STDEVP, 3 STDEV, by Welford's method.
struct Spread;

#[derive(Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
    kind: u8,
}

impl Aggregate<Moments, Option<f64>> for Spread {
    fn init(&self, _: &mut Context<'_>) -> Result<Moments> {
        Ok(Moments::default())
    }

    fn step(&self, context: &mut Context<'_>, state: &mut Moments) -> Result<()> {
        if let Some(value) = context.get::<Option<f64>>(0)? {
            state.kind = context.get(1)?;
            state.count += 1.0;
            let delta = value - state.mean;
            state.mean += delta / state.count;
            state.squares += delta * (value - state.mean);
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, state: Option<Moments>) -> Result<Option<f64>> {
        Ok(state.and_then(|m| {
            let sample = m.kind % 2 == 1;
            let divisor = if sample { m.count - 1.0 } else { m.count };
            (divisor > 0.0).then(|| {
                let variance = m.squares / divisor;
                if m.kind >= 2 {
                    variance.sqrt()
                } else {
                    variance
                }
            })
        }))
    }
}
