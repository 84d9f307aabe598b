//! Evaluates typed expressions: the one place where T-SQL's scalar semantics are carried out.
//!
//! The engine uses it directly for expressions without rows, and through SQLite functions for those with.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a function names the types it treats apart, and says what holds for the rest"
)]

mod arithmetic;
mod bits;
pub mod collate;
mod dates;
mod format;
mod functions;
mod hashes;
mod like;
mod numbers;
mod parse;
mod strings;
mod variants;
mod zones;

pub use arithmetic::{compare, guid_key, guid_of_key, result_type};
pub(crate) use dates::part_name;
pub use functions::{Call, Function, Nulls, Param, ResultType, find};
pub(crate) use functions::{text_shape, text_type};
pub use like::like;
pub use strings::split_name;
pub use zones::{NamedZone, named_zones, windows_name};

use crate::ast::{CompareOp, UnaryOp};
use crate::bind::ir::{Collation, Global, TypedExpr, TypedKind};
use crate::convert::{self, DateOrder, Style};
use crate::error::SqlError;
use crate::fault;
use crate::messages;
use crate::types::SqlType;
use crate::value::Value;
use std::cmp::Ordering;

/// What evaluation asks of the session.
pub trait Environment {
    /// Value of a local variable.
    fn variable(&self, slot: usize) -> Value;
    /// Value of a system variable.
    fn global(&self, global: Global) -> Value;
    /// UTC microseconds since 1970, and minutes east of UTC; the same throughout a statement.
    fn now(&self) -> (i64, i16);
    /// A fresh random uniqueidentifier.
    fn new_guid(&self) -> uuid::Uuid;
    /// The next number in [0, 1) for RAND, from a seed when one is given.
    fn random(&self, seed: Option<i32>) -> f64;
    /// SET DATEFIRST, 1 (Monday) to 7.
    fn date_first(&self) -> u8;
    /// SET DATEFORMAT.
    fn date_order(&self) -> DateOrder;
    /// SET CONCAT_NULL_YIELDS_NULL.
    fn null_concatenates(&self) -> bool;
    /// Whether arithmetic that fails gives NULL: SET ARITHABORT OFF with SET ANSI_WARNINGS OFF.
    fn failed_arithmetic_is_null(&self) -> bool;
    /// A function about the session or the instance: DB_NAME, SUSER_SNAME, SERVERPROPERTY, …
    ///
    /// # Errors
    /// What the host raises.
    fn session_function(&self, name: &str, args: &[Value]) -> Result<Value, SqlError>;
    /// A scalar function that the catalog declared.
    ///
    /// # Errors
    /// What the host raises.
    fn host_function(&self, key: u32, args: &[Value]) -> Result<Value, SqlError>;
}

/// Value of an expression.
///
/// # Errors
/// What the operators, conversions and functions raise; 8630 for a column or subquery, which only the executor
/// can fill in.
pub fn evaluate(
    expr: &TypedExpr,
    env: &dyn Environment,
    leaves: &[Value],
) -> Result<Value, SqlError> {
    match &expr.kind {
        TypedKind::Constant(value) => Ok(value.clone()),
        TypedKind::Undeclared(_) => Ok(Value::Null),
        TypedKind::Variable(slot) => Ok(env.variable(*slot)),
        TypedKind::Global(global) => Ok(env.global(*global)),
        TypedKind::Leaf(at) => leaves
            .get(*at)
            .cloned()
            .ok_or_else(|| fault::internal("an argument is missing")),
        TypedKind::Convert {
            operand,
            style,
            safe,
        } => {
            let Some(style) = style_of(style.as_deref(), env, leaves)? else {
                return Ok(Value::Null);
            };
            let value = evaluate(operand, env, leaves)?;
            match convert::convert(value, operand.ty, expr.ty, style) {
                Err(error) if *safe && error.number != messages::EXPLICIT_CONVERSION.number => {
                    Ok(Value::Null)
                }
                result => result,
            }
        }
        TypedKind::Unary { op, operand } => {
            let value = evaluate(operand, env, leaves)?;
            match op {
                UnaryOp::Plus => Ok(value),
                UnaryOp::Minus => arithmetic::negate(value, expr.ty),
                UnaryOp::BitNot => arithmetic::bit_not(value),
            }
        }
        TypedKind::Binary { .. } => operators(expr, env, leaves),
        TypedKind::Call { function, args } if function.lazy => {
            // ISNULL looks at its second argument only when the first is NULL.
            for arg in args {
                let value = evaluate(arg, env, leaves)?;
                if !value.is_null() {
                    return Ok(value);
                }
            }
            Ok(Value::Null)
        }
        TypedKind::Call { function, args } => {
            let values = all(args, env, leaves)?;
            (function.eval)(&Call {
                function,
                exprs: args,
                args: &values,
                ty: expr.ty,
                env,
            })
        }
        TypedKind::HostCall { key, args } => env.host_function(*key, &all(args, env, leaves)?),
        TypedKind::Case {
            branches,
            otherwise,
        } => {
            for (when, then) in branches {
                if truth(when, env, leaves)? == Some(true) {
                    return evaluate(then, env, leaves);
                }
            }
            otherwise
                .as_ref()
                .map_or(Ok(Value::Null), |value| evaluate(value, env, leaves))
        }
        TypedKind::Collate { operand, .. } => evaluate(operand, env, leaves),
        TypedKind::And(..)
        | TypedKind::Or(..)
        | TypedKind::Not(_)
        | TypedKind::Compare { .. }
        | TypedKind::IsNull { .. }
        | TypedKind::Like { .. }
        | TypedKind::In { .. } => Ok(truth(expr, env, leaves)?.map_or(Value::Null, Value::Bit)),
        TypedKind::Column { .. }
        | TypedKind::Identity { .. }
        | TypedKind::Subquery(_)
        | TypedKind::Aggregate(_)
        | TypedKind::Window(_)
        | TypedKind::Quantified { .. }
        | TypedKind::Exists(_) => Err(fault::internal("a row is needed here")),
    }
}

/// A chain of binary operators. Its left side may be long; it is walked rather than entered.
fn operators(expr: &TypedExpr, env: &dyn Environment, leaves: &[Value]) -> Result<Value, SqlError> {
    let mut chain = Vec::new();
    let mut first = expr;
    while let TypedKind::Binary { op, left, right } = &first.kind {
        chain.push((*op, right, first.ty));
        first = left;
    }
    let mut value = evaluate(first, env, leaves)?;
    for (op, right, ty) in chain.into_iter().rev() {
        let right = evaluate(right, env, leaves)?;
        value = match arithmetic::binary(op, value, right, ty, env) {
            Err(error) if is_arithmetic(&error) && env.failed_arithmetic_is_null() => Value::Null,
            result => result?,
        };
    }
    Ok(value)
}

/// Whether an error is one of those that ARITHABORT decides about: overflow and division by zero.
fn is_arithmetic(error: &SqlError) -> bool {
    [
        messages::DIVIDE_BY_ZERO.number,
        messages::ARITHMETIC_OVERFLOW.number,
        messages::OVERFLOW_FOR_TYPE.number,
        messages::OVERFLOW_OF_TYPE.number,
    ]
    .contains(&error.number)
}

/// GREATEST and LEAST: the best of the arguments that are not NULL.
fn extreme(call: &Call<'_>, better: Ordering) -> Value {
    let collation = call.exprs.iter().find_map(explicit_collation);
    let collation = collation.unwrap_or_default();
    let mut best = Value::Null;
    for value in call.args.iter().filter(|value| !value.is_null()) {
        if best.is_null() || arithmetic::compare(value, &best, collation) == better {
            best = value.clone();
        }
    }
    best
}

fn all(
    args: &[TypedExpr],
    env: &dyn Environment,
    leaves: &[Value],
) -> Result<Vec<Value>, SqlError> {
    args.iter().map(|arg| evaluate(arg, env, leaves)).collect()
}

/// The style of a conversion; `None` when it is NULL.
fn style_of(
    style: Option<&TypedExpr>,
    env: &dyn Environment,
    leaves: &[Value],
) -> Result<Option<Style>, SqlError> {
    let plain = Style {
        order: env.date_order(),
        ..Style::PLAIN
    };
    let Some(style) = style else {
        return Ok(Some(plain));
    };
    let number = evaluate(style, env, leaves)?.as_i64();
    Ok(number.map(|number| Style {
        number: i32::try_from(number).unwrap_or(i32::MAX),
        given: true,
        ..plain
    }))
}

/// Truth of a predicate; `None` is UNKNOWN.
///
/// # Errors
/// As [`evaluate`].
pub fn truth(
    expr: &TypedExpr,
    env: &dyn Environment,
    leaves: &[Value],
) -> Result<Option<bool>, SqlError> {
    match &expr.kind {
        TypedKind::And(left, right) => {
            let a = truth(left, env, leaves)?;
            if a == Some(false) {
                return Ok(a);
            }
            let b = truth(right, env, leaves)?;
            Ok(match (a, b) {
                (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            })
        }
        TypedKind::Or(left, right) => {
            let a = truth(left, env, leaves)?;
            if a == Some(true) {
                return Ok(a);
            }
            let b = truth(right, env, leaves)?;
            Ok(match (a, b) {
                (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            })
        }
        TypedKind::Not(operand) => Ok(truth(operand, env, leaves)?.map(|known| !known)),
        TypedKind::Compare { op, left, right } => {
            let a = evaluate(left, env, leaves)?;
            let b = evaluate(right, env, leaves)?;
            if a.is_null() || b.is_null() {
                return Ok(None);
            }
            Ok(Some(holds(*op, compare(&a, &b, collation_of(left, right)))))
        }
        TypedKind::IsNull { operand, negated } => {
            Ok(Some(evaluate(operand, env, leaves)?.is_null() != *negated))
        }
        TypedKind::Like {
            operand,
            pattern,
            escape,
            negated,
        } => {
            let text = evaluate(operand, env, leaves)?;
            let shape = evaluate(pattern, env, leaves)?;
            let escape = match escape {
                Some(escape) => match escape_char(&evaluate(escape, env, leaves)?)? {
                    Some(c) => Some(c),
                    None => return Ok(None),
                },
                None => None,
            };
            let (Some(text), Some(shape)) = (text.as_str(), shape.as_str()) else {
                return Ok(None);
            };
            let collation = collation_of(operand, pattern);
            Ok(Some(like(text, shape, escape, collation) != *negated))
        }
        TypedKind::In {
            operand,
            list,
            negated,
        } => {
            let sought = evaluate(operand, env, leaves)?;
            if sought.is_null() {
                return Ok(None);
            }
            let mut unknown = false;
            for candidate in list {
                let value = evaluate(candidate, env, leaves)?;
                let collation = collation_of(operand, candidate);
                if value.is_null() {
                    unknown = true;
                } else if compare(&sought, &value, collation) == Ordering::Equal {
                    return Ok(Some(!*negated));
                }
            }
            Ok(if unknown { None } else { Some(*negated) })
        }
        TypedKind::Constant(_)
        | TypedKind::Variable(_)
        | TypedKind::Undeclared(_)
        | TypedKind::Global(_)
        | TypedKind::Column { .. }
        | TypedKind::Leaf(_)
        | TypedKind::Identity { .. }
        | TypedKind::Convert { .. }
        | TypedKind::Unary { .. }
        | TypedKind::Binary { .. }
        | TypedKind::Call { .. }
        | TypedKind::HostCall { .. }
        | TypedKind::Case { .. }
        | TypedKind::Collate { .. }
        | TypedKind::Subquery(_)
        | TypedKind::Aggregate(_)
        | TypedKind::Window(_)
        | TypedKind::Quantified { .. }
        | TypedKind::Exists(_) => {
            let value = evaluate(expr, env, leaves)?;
            Ok(value.as_i64().map(|bit| bit != 0))
        }
    }
}

/// The escape character of LIKE; `None` when it is NULL.
fn escape_char(value: &Value) -> Result<Option<char>, SqlError> {
    let Some(text) = value.as_str() else {
        return Ok(None);
    };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(Some(c)),
        _ => Err(messages::BAD_ESCAPE.with(&[text, "LIKE"])),
    }
}

/// Whether an order satisfies a comparison.
#[must_use]
pub fn holds(op: CompareOp, order: Ordering) -> bool {
    match op {
        CompareOp::Equal => order == Ordering::Equal,
        CompareOp::NotEqual => order != Ordering::Equal,
        CompareOp::Less => order == Ordering::Less,
        CompareOp::LessOrEqual => order != Ordering::Greater,
        CompareOp::Greater => order == Ordering::Greater,
        CompareOp::GreaterOrEqual => order != Ordering::Less,
    }
}

/// The collation of a comparison: an explicit one wins.
#[must_use]
pub fn collation_of(left: &TypedExpr, right: &TypedExpr) -> Collation {
    explicit_collation(left)
        .or_else(|| explicit_collation(right))
        .unwrap_or_default()
}

/// The collation that COLLATE gives an expression, through conversions.
#[must_use]
pub fn explicit_collation(expr: &TypedExpr) -> Option<Collation> {
    match &expr.kind {
        TypedKind::Collate { collation, .. } => Some(*collation),
        TypedKind::Convert { operand, .. } => explicit_collation(operand),
        _ => None,
    }
}

/// A value as the text it shows, for functions that take any type.
fn as_text(value: &Value, ty: SqlType) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) | Value::Xml(text) => Some(text.clone()),
        other => Some(convert::text_of(other, ty)),
    }
}
