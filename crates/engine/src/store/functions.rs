//! What SQLite calls back into: compiled expressions, aggregates, collations.

use super::encode::{decode, encode};
use crate::session::environment::Env;
use crate::session::shared::Shared;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::Value as Sqlite;
use rusqlite::{Connection, Result};
use std::sync::Arc;
use tsql::bind::ir::{Collation, TypedExpr};
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
    db.create_aggregate_function("document", -1, plain, DocumentOf(Arc::clone(shared)))?;
    super::aggregates::register(db, shared, plain)
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
