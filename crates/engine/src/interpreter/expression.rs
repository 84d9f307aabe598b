//! Values of expressions outside queries.

use super::Run;
use super::queries::{QueryIo, QueryRunner};
use super::stop::Stop;
use crate::session::environment::Env;
use crate::session::names::Names;
use tsql::ast::{Expr, Variable};
use tsql::bind::ir::TypedExpr;
use tsql::bind::{Binder, coerce};
use tsql::convert::{self, Style};
use tsql::messages as m;
use tsql::{SqlError, SqlType, Value, eval};

impl<'a> Run<'a> {
    /// The executor, and what it may see of this text.
    pub(super) fn queries(&mut self) -> (&mut dyn QueryRunner, QueryIo<'_>) {
        let io = QueryIo {
            shared: &self.machine.shared,
            scope: &mut self.frame.scope,
            values: &mut self.frame.values,
            sink: &mut *self.sink,
            cancel: self.cancel,
        };
        (&mut *self.machine.queries, io)
    }

    /// Resolves names and types.
    pub(super) fn bind<T>(
        &self,
        bind: impl FnOnce(&mut Binder<'_>) -> Result<T, SqlError>,
    ) -> Result<T, Stop> {
        let names = Names {
            shared: &self.machine.shared,
            scope: &self.frame.scope,
        };
        bind(&mut Binder::new(&names)).map_err(Stop::unbound)
    }

    /// An expression's value and type.
    pub(super) fn evaluate(&mut self, expr: &Expr) -> Result<(Value, SqlType), Stop> {
        let bound = self.bind(|binder| binder.expr(expr))?;
        let ty = bound.ty;
        Ok((self.value_of(&bound)?, ty))
    }

    /// An expression's value, converted as an assignment does.
    pub(super) fn evaluate_as(&mut self, expr: &Expr, ty: SqlType) -> Result<Value, Stop> {
        let bound = self.bind(|binder| binder.expr_as(expr, ty))?;
        self.value_of(&bound)
    }

    /// Truth of a predicate; `None` is UNKNOWN.
    pub(super) fn truth(&mut self, condition: &Expr) -> Result<Option<bool>, Stop> {
        let bound = self.bind(|binder| binder.expr(condition))?;
        if bound.is_scalar() {
            let env = Env::new(&self.machine.shared, &self.frame.values);
            return Ok(eval::truth(&bound, &env, &[])?);
        }
        let value = self.value_of(&bound)?;
        Ok(value.as_i64().map(|bit| bit != 0))
    }

    /// Value of a bound expression.
    pub(super) fn value_of(&mut self, bound: &TypedExpr) -> Result<Value, Stop> {
        if bound.is_scalar() {
            let env = Env::new(&self.machine.shared, &self.frame.values);
            return Ok(eval::evaluate(bound, &env, &[])?);
        }
        let (queries, mut io) = self.queries();
        Ok(queries.value(bound, &mut io)?)
    }

    /// A whole number, `None` for NULL.
    pub(super) fn whole(&mut self, expr: &Expr) -> Result<Option<i64>, Stop> {
        let bound = self.bind(|binder| {
            let bound = binder.expr(expr)?;
            coerce(bound, SqlType::BigInt)
        })?;
        Ok(self.value_of(&bound)?.as_i64())
    }

    /// A text, `None` for NULL.
    pub(super) fn text_of(&mut self, expr: &Expr) -> Result<Option<String>, Stop> {
        let (value, ty) = self.evaluate(expr)?;
        Ok(match value {
            Value::Null => None,
            Value::String(text) | Value::Xml(text) => Some(text),
            other => Some(convert::text_of(&other, ty)),
        })
    }

    /// Slot and type of a scalar variable.
    ///
    /// # Errors
    /// 137 when there is none.
    pub(super) fn slot(&self, variable: &Variable) -> Result<(usize, SqlType), Stop> {
        let found = self.frame.scope.slot(&variable.name).and_then(|slot| {
            let local = self.frame.scope.locals.get(slot)?;
            Some((slot, local.ty))
        });
        found.ok_or_else(|| {
            Stop::unbound(m::UNDECLARED_VARIABLE.at(variable.span.line, &[&variable.name]))
        })
    }

    /// Gives a variable a value of another type.
    pub(super) fn assign(&mut self, slot: usize, value: Value, from: SqlType) -> Result<(), Stop> {
        let Some(to) = self.frame.scope.locals.get(slot).map(|local| local.ty) else {
            return Ok(());
        };
        let order = self.machine.shared.facts().date_order;
        let style = Style {
            order,
            ..Style::PLAIN
        };
        let value = if from == to {
            value
        } else {
            convert::convert(value, from, to, style)?
        };
        if let Some(place) = self.frame.values.get_mut(slot) {
            *place = value;
        }
        Ok(())
    }
}
