//! Implicit conversions: where types meet.

use super::ir::{TypedExpr, TypedKind};
use crate::convert::{self, Allowed, Style};
use crate::error::SqlError;
use crate::fault;
use crate::types::SqlType;
use crate::value::Value;

/// The expression in another type, by an implicit conversion.
///
/// # Errors
/// 257 when only an explicit conversion is allowed, 206 when none is.
pub fn coerce(expr: TypedExpr, to: SqlType) -> Result<TypedExpr, SqlError> {
    if let TypedKind::Undeclared(found) = &expr.kind {
        // What it is first used as is its type.
        let _ = found.set(to);
    }
    if expr.ty == to {
        return Ok(expr);
    }
    if expr.is_null_constant() {
        return Ok(TypedExpr::constant(Value::Null, to));
    }
    match convert::allowed(expr.ty, to) {
        Allowed::Implicit => Ok(cast(expr, to)),
        Allowed::Explicit => Err(fault::implicit_not_allowed(expr.ty, to)),
        Allowed::Never => Err(fault::type_clash(expr.ty, to)),
    }
}

/// The expression converted, whatever the rules; constants are converted now where the session cannot matter.
pub(super) fn cast(expr: TypedExpr, to: SqlType) -> TypedExpr {
    if expr.ty == to {
        return expr;
    }
    if let TypedKind::Constant(value) = &expr.kind
        && !convert::is_date_or_time(to)
        && let Ok(value) = convert::convert(value.clone(), expr.ty, to, Style::PLAIN)
    {
        return TypedExpr::constant(value, to);
    }
    TypedExpr {
        nullable: expr.nullable,
        kind: TypedKind::Convert {
            operand: Box::new(expr),
            style: None,
            safe: false,
        },
        ty: to,
    }
}

/// Both expressions in the type they share.
///
/// # Errors
/// As [`coerce`].
pub(super) fn unify(left: TypedExpr, right: TypedExpr) -> Result<(TypedExpr, TypedExpr), SqlError> {
    let ty = shared_type(&[&left, &right]);
    Ok((coerce(left, ty)?, coerce(right, ty)?))
}

/// The type that expressions share; constants NULL have no say.
pub(super) fn shared_type(all: &[&TypedExpr]) -> SqlType {
    all.iter()
        .filter(|expr| !expr.is_null_constant())
        .map(|expr| narrowed(expr))
        .reduce(convert::common_type)
        .or_else(|| all.first().map(|expr| expr.ty))
        .unwrap_or(SqlType::Int)
}

/// The type of an expression; a numeric constant is no wider than its digits.
fn narrowed(expr: &TypedExpr) -> SqlType {
    expr.ty
}
