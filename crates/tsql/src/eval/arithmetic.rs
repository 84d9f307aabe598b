//! Operators: arithmetic with T-SQL's types and overflows, bits, concatenation, order of values.

use super::{Environment, collate};
use crate::ast::BinaryOp;
use crate::bind::ir::Collation;
use crate::convert::{self, Style, calendar, decimal_from_parts, decimal_to_f64, pow10, rescale};
use crate::error::SqlError;
use crate::fault;
use crate::types::{Length, SqlType};
use crate::value::{Decimal, Value};
use std::cmp::Ordering;

/// Precision and scale of a decimal operation.
///
/// Source: "Precision, scale, and length".
#[must_use]
pub fn result_type(op: BinaryOp, left: (u8, u8), right: (u8, u8)) -> (u8, u8) {
    const MOST: u16 = 38;
    let (p1, s1) = (u16::from(left.0), u16::from(left.1));
    let (p2, s2) = (u16::from(right.0), u16::from(right.1));
    let (precision, scale) = match op {
        BinaryOp::Multiply => (p1 + p2 + 1, s1 + s2),
        BinaryOp::Divide => {
            let scale = 6.max(s1 + p2 + 1);
            (p1 - s1 + s2 + scale, scale)
        }
        BinaryOp::Modulo => ((p1 - s1).min(p2 - s2) + s1.max(s2), s1.max(s2)),
        _ => (s1.max(s2) + (p1 - s1).max(p2 - s2) + 1, s1.max(s2)),
    };
    let whole = precision - scale;
    let (precision, scale) = if precision <= MOST {
        (precision, scale)
    } else if matches!(op, BinaryOp::Multiply | BinaryOp::Divide) {
        let kept = if whole < 32 { MOST - whole } else { 6 };
        (MOST, scale.min(kept))
    } else {
        (MOST, scale.min(MOST.saturating_sub(whole)))
    };
    (
        u8::try_from(precision).unwrap_or(38),
        u8::try_from(scale).unwrap_or(0),
    )
}

pub(super) fn negate(value: Value, ty: SqlType) -> Result<Value, SqlError> {
    let overflow = || fault::overflow_converting("expression", ty);
    Ok(match value {
        Value::Null => Value::Null,
        Value::TinyInt(0) => Value::TinyInt(0),
        Value::TinyInt(_) => return Err(overflow()),
        Value::SmallInt(v) => Value::SmallInt(v.checked_neg().ok_or_else(overflow)?),
        Value::Int(v) => Value::Int(v.checked_neg().ok_or_else(overflow)?),
        Value::BigInt(v) => Value::BigInt(v.checked_neg().ok_or_else(overflow)?),
        Value::Decimal(d) => Value::Decimal(Decimal {
            unscaled: -d.unscaled,
            ..d
        }),
        Value::Money(v) => Value::Money(v.checked_neg().ok_or_else(overflow)?),
        Value::Real(v) => Value::Real(-v),
        Value::Float(v) => Value::Float(-v),
        _ => return Err(fault::invalid_operand(ty, "minus")),
    })
}

pub(super) fn bit_not(value: Value) -> Result<Value, SqlError> {
    Ok(match value {
        Value::Null => Value::Null,
        Value::Bit(v) => Value::Bit(!v),
        Value::TinyInt(v) => Value::TinyInt(!v),
        Value::SmallInt(v) => Value::SmallInt(!v),
        Value::Int(v) => Value::Int(!v),
        Value::BigInt(v) => Value::BigInt(!v),
        other => return Err(fault::invalid_operand(convert::type_of(&other), "'~'")),
    })
}

pub(super) fn binary(
    op: BinaryOp,
    left: Value,
    right: Value,
    ty: SqlType,
    env: &dyn Environment,
) -> Result<Value, SqlError> {
    if ty.is_string() {
        return Ok(concatenate(left, right, ty, env.null_concatenates()));
    }
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::Decimal(a), Value::Decimal(b)) => decimal(op, a, b, ty),
        (Value::Float(a), Value::Float(b)) => float(op, a, b, ty).map(Value::Float),
        (Value::Real(a), Value::Real(b)) => {
            let wide = float(op, f64::from(a), f64::from(b), ty)?;
            convert::convert(Value::Float(wide), SqlType::Float, ty, Style::PLAIN)
        }
        (Value::Money(a), Value::Money(b)) => money(op, a, b, ty),
        (Value::Binary(mut a), Value::Binary(b)) => {
            a.extend_from_slice(&b);
            Ok(Value::Binary(a))
        }
        (Value::DateTime { days, ticks }, Value::DateTime { days: d, ticks: t }) => {
            moments(op, (days, ticks), (d, t), ty)
        }
        (left, right) => match (left.as_i64(), right.as_i64()) {
            (Some(a), Some(b)) => integer(op, a, b, ty),
            _ => Err(fault::internal("operands of other types")),
        },
    }
}

fn concatenate(left: Value, right: Value, ty: SqlType, null_wins: bool) -> Value {
    let text = match (left, right) {
        (Value::String(mut a), Value::String(b)) => {
            a.push_str(&b);
            a
        }
        (Value::Null, Value::String(b)) if !null_wins => b,
        (Value::String(a), Value::Null) if !null_wins => a,
        _ => return Value::Null,
    };
    // The type has at most 8000 bytes unless one side was max.
    match ty {
        SqlType::VarChar(Length::Limited(n)) | SqlType::NVarChar(Length::Limited(n)) => {
            Value::String(convert::cut(&text, usize::from(n), ty).to_owned())
        }
        _ => Value::String(text),
    }
}

fn integer(op: BinaryOp, a: i64, b: i64, ty: SqlType) -> Result<Value, SqlError> {
    let (a, b) = (i128::from(a), i128::from(b));
    let result = match op {
        BinaryOp::Add | BinaryOp::Concat => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::Divide | BinaryOp::Modulo if b == 0 => return Err(fault::divide_by_zero()),
        BinaryOp::Divide => a / b,
        BinaryOp::Modulo => a % b,
        BinaryOp::BitAnd => a & b,
        BinaryOp::BitOr => a | b,
        BinaryOp::BitXor => a ^ b,
    };
    let overflow = || fault::overflow_converting("expression", ty);
    let narrow = i64::try_from(result).map_err(|_| overflow())?;
    convert::convert(Value::BigInt(narrow), SqlType::BigInt, ty, Style::PLAIN)
        .map_err(|_| overflow())
}

fn float(op: BinaryOp, a: f64, b: f64, ty: SqlType) -> Result<f64, SqlError> {
    let result = match op {
        BinaryOp::Add | BinaryOp::Concat => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::Divide | BinaryOp::Modulo if b == 0.0 => return Err(fault::divide_by_zero()),
        BinaryOp::Divide => a / b,
        BinaryOp::Modulo => a % b,
        BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor => {
            return Err(fault::invalid_operand(ty, "bitwise"));
        }
    };
    if result.is_finite() {
        Ok(result)
    } else {
        Err(fault::overflow_converting("expression", ty))
    }
}

fn money(op: BinaryOp, a: i64, b: i64, ty: SqlType) -> Result<Value, SqlError> {
    let (a, b) = (i128::from(a), i128::from(b));
    let result = match op {
        BinaryOp::Add | BinaryOp::Concat => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => rescale(a * b, 8, 4).unwrap_or(i128::MAX),
        BinaryOp::Divide | BinaryOp::Modulo if b == 0 => return Err(fault::divide_by_zero()),
        BinaryOp::Divide => a * 10_000 / b,
        BinaryOp::Modulo => a % b,
        BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor => {
            return Err(fault::invalid_operand(ty, "bitwise"));
        }
    };
    i64::try_from(result)
        .map(Value::Money)
        .map_err(|_| fault::overflow_converting("expression", ty))
}

/// datetime + datetime and datetime - datetime, as days and fractions since 1900.
fn moments(op: BinaryOp, a: (i32, u32), b: (i32, u32), ty: SqlType) -> Result<Value, SqlError> {
    let per_day = i64::from(calendar::DATETIME_TICKS_PER_DAY);
    let total = |(days, ticks): (i32, u32)| i64::from(days) * per_day + i64::from(ticks);
    let sum = match op {
        BinaryOp::Add => total(a) + total(b),
        BinaryOp::Subtract => total(a) - total(b),
        _ => return Err(fault::invalid_operand(ty, "arithmetic")),
    };
    let days = sum.div_euclid(per_day) + i64::from(calendar::DAYS_TO_1900);
    let first = i64::from(calendar::FIRST_DATETIME_DAY);
    if !(first..=i64::from(calendar::LAST_DAY)).contains(&days) {
        return Err(fault::overflow_converting("expression", ty));
    }
    Ok(Value::DateTime {
        days: i32::try_from(sum.div_euclid(per_day)).unwrap_or(0),
        ticks: u32::try_from(sum.rem_euclid(per_day)).unwrap_or(0),
    })
}

fn decimal(op: BinaryOp, a: Decimal, b: Decimal, ty: SqlType) -> Result<Value, SqlError> {
    let (SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale }) = ty else {
        return Err(fault::internal("a decimal type was expected"));
    };
    let wide = a.scale.max(b.scale);
    let aligned = || {
        let x = rescale(a.unscaled, a.scale, wide)?;
        Some((x, rescale(b.unscaled, b.scale, wide)?))
    };
    let unscaled = match op {
        BinaryOp::Add => aligned()
            .and_then(|(x, y)| x.checked_add(y))
            .and_then(|sum| rescale(sum, wide, scale)),
        BinaryOp::Subtract => aligned()
            .and_then(|(x, y)| x.checked_sub(y))
            .and_then(|sum| rescale(sum, wide, scale)),
        BinaryOp::Multiply => match a.unscaled.checked_mul(b.unscaled) {
            Some(product) => rescale(product, a.scale + b.scale, scale),
            None => wide_multiply(a, b, scale),
        },
        BinaryOp::Divide | BinaryOp::Modulo if b.unscaled == 0 => {
            return Err(fault::divide_by_zero());
        }
        BinaryOp::Divide => divide(a, b, scale),
        BinaryOp::Modulo => aligned().and_then(|(x, y)| rescale(x % y, wide, scale)),
        BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor | BinaryOp::Concat => {
            return Err(fault::invalid_operand(ty, "bitwise"));
        }
    };
    unscaled
        .and_then(|unscaled| decimal_from_parts(unscaled, precision, scale))
        .map(Value::Decimal)
        .ok_or_else(|| fault::overflow_converting("expression", ty))
}

/// A product beyond an i128: digits that the result cannot keep are dropped from both factors first.
fn wide_multiply(a: Decimal, b: Decimal, scale: u8) -> Option<i128> {
    let cut = (a.scale + b.scale).checked_sub(scale)?;
    let from_a = cut / 2;
    let x = rescale(a.unscaled, from_a, 0)?;
    let y = rescale(b.unscaled, cut - from_a, 0)?;
    x.checked_mul(y)
}

/// a / b to `scale` digits, cut as SQL Server cuts; one digit at a time, so that nothing overflows on the way.
fn divide(a: Decimal, b: Decimal, scale: u8) -> Option<i128> {
    let negative = (a.unscaled < 0) != (b.unscaled < 0);
    let divisor = b.unscaled.unsigned_abs();
    let mut quotient = a.unscaled.unsigned_abs() / divisor;
    let mut rest = a.unscaled.unsigned_abs() % divisor;
    // The quotient has scale a.scale - b.scale now; it shall have `scale`.
    let digits = i16::from(scale) - (i16::from(a.scale) - i16::from(b.scale));
    if digits < 0 {
        quotient /= pow10(u8::try_from(-digits).ok()?).unsigned_abs();
    }
    for _ in 0..digits.max(0) {
        rest = rest.checked_mul(10)?;
        quotient = quotient.checked_mul(10)?.checked_add(rest / divisor)?;
        rest %= divisor;
    }
    let magnitude = i128::try_from(quotient).ok()?;
    Some(if negative { -magnitude } else { magnitude })
}

/// Order of two values of one type; of two types for sql_variant. NULL comes first.
#[must_use]
pub fn compare(left: &Value, right: &Value, collation: Collation) -> Ordering {
    match (left, right) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::String(a), Value::String(b)) => collate::compare(a, b, collation),
        (Value::Decimal(a), Value::Decimal(b)) => decimals(*a, *b),
        (Value::Money(a), Value::Money(b)) => a.cmp(b),
        (Value::Binary(a), Value::Binary(b)) => significant(a).cmp(significant(b)),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::DateTime { days, ticks }, Value::DateTime { days: d, ticks: t }) => {
            (days, ticks).cmp(&(d, t))
        }
        (Value::DateTime2 { days, ticks }, Value::DateTime2 { days: d, ticks: t }) => {
            (days, ticks).cmp(&(d, t))
        }
        (
            Value::DateTimeOffset { days, ticks, .. },
            Value::DateTimeOffset {
                days: d, ticks: t, ..
            },
        ) => (days, ticks).cmp(&(d, t)),
        (Value::Guid(a), Value::Guid(b)) => guid_key(*a).cmp(&guid_key(*b)),
        (a, b) => match (a.as_i64(), b.as_i64()) {
            (Some(x), Some(y)) => x.cmp(&y),
            _ => variants(a, b),
        },
    }
}

/// Values of different types: numbers by value, others by family.
fn variants(a: &Value, b: &Value) -> Ordering {
    let number = |value: &Value| {
        let ty = convert::type_of(value);
        if !convert::is_number(ty) {
            return None;
        }
        match convert::convert(value.clone(), ty, SqlType::Float, Style::PLAIN) {
            Ok(Value::Float(v)) => Some(v),
            _ => None,
        }
    };
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        return x.total_cmp(&y);
    }
    let text = |value| convert::text_of(value, convert::type_of(value));
    family(a)
        .cmp(&family(b))
        .then_with(|| text(a).cmp(&text(b)))
}

/// Rank of the family of a value inside sql_variant.
fn family(value: &Value) -> u8 {
    let ty = convert::type_of(value);
    if convert::is_date_or_time(ty) {
        5
    } else if convert::is_number(ty) {
        4
    } else if ty.is_string() {
        3
    } else {
        u8::from(ty == SqlType::UniqueIdentifier) + 1
    }
}

/// The bytes of a uniqueidentifier in the order in which SQL Server compares them: last group first.
#[must_use]
pub fn guid_key(id: uuid::Uuid) -> [u8; 16] {
    const ORDER: [usize; 16] = [10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3];
    let bytes = id.to_bytes_le();
    ORDER.map(|at| bytes[at])
}

/// The uniqueidentifier of a key.
#[must_use]
pub fn guid_of_key(key: [u8; 16]) -> uuid::Uuid {
    const PLACE: [usize; 16] = [12, 13, 14, 15, 10, 11, 8, 9, 6, 7, 0, 1, 2, 3, 4, 5];
    uuid::Uuid::from_bytes_le(PLACE.map(|at| key[at]))
}

/// Zero bytes at the end of a binary do not count.
fn significant(bytes: &[u8]) -> &[u8] {
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    &bytes[..end]
}

fn decimals(a: Decimal, b: Decimal) -> Ordering {
    let scale = a.scale.max(b.scale);
    match (
        rescale(a.unscaled, a.scale, scale),
        rescale(b.unscaled, b.scale, scale),
    ) {
        (Some(x), Some(y)) => x.cmp(&y),
        _ => decimal_to_f64(a).total_cmp(&decimal_to_f64(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_survives_its_key() {
        let id = uuid::Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
        assert_eq!(guid_of_key(guid_key(id)), id);
    }

    #[test]
    fn decimal_shapes_follow_the_rules() {
        assert_eq!(result_type(BinaryOp::Add, (5, 2), (10, 0)), (13, 2));
        assert_eq!(result_type(BinaryOp::Multiply, (5, 2), (5, 2)), (11, 4));
        assert_eq!(result_type(BinaryOp::Divide, (5, 2), (10, 0)), (16, 13));
        assert_eq!(result_type(BinaryOp::Divide, (38, 10), (38, 10)), (38, 6));
    }
}
