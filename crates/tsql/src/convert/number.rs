//! Conversions to numbers.

use super::{binary, calendar};
use crate::error::SqlError;
use crate::fault;
use crate::types::SqlType;
use crate::value::{Decimal, Value};

/// Ten to the power of `n`; the largest i128 beyond 38.
#[must_use]
pub fn pow10(n: u8) -> i128 {
    10_i128.checked_pow(u32::from(n)).unwrap_or(i128::MAX)
}

/// Digits that a whole number needs.
#[must_use]
pub fn integer_precision(value: i128) -> u8 {
    let mut digits = 1;
    let mut rest = value.unsigned_abs() / 10;
    while rest > 0 {
        digits += 1;
        rest /= 10;
    }
    digits
}

/// `unscaled` × 10^-`from` as a number of `to` digits after the point, rounded half away from zero.
#[must_use]
pub fn rescale(unscaled: i128, from: u8, to: u8) -> Option<i128> {
    if to >= from {
        return unscaled.checked_mul(pow10(to - from));
    }
    let divisor = pow10(from - to);
    let quotient = unscaled / divisor;
    let rest = (unscaled % divisor).abs();
    Some(if rest >= divisor - rest {
        quotient + unscaled.signum()
    } else {
        quotient
    })
}

/// A decimal of that shape, or `None` when it has too many digits.
#[must_use]
pub fn decimal_from_parts(unscaled: i128, precision: u8, scale: u8) -> Option<Decimal> {
    (unscaled.unsigned_abs() < pow10(precision).unsigned_abs()).then_some(Decimal {
        unscaled,
        precision,
        scale,
    })
}

/// The nearest float.
#[must_use]
pub fn decimal_to_f64(value: Decimal) -> f64 {
    // Through text: the nearest double, where a division would round twice.
    text_of_decimal(value).parse().unwrap_or(f64::NAN)
}

/// Digits with a point, a sign when negative, and a zero before the point.
pub(super) fn text_of_decimal(value: Decimal) -> String {
    let scale = usize::from(value.scale);
    let sign = if value.unscaled < 0 { "-" } else { "" };
    let digits = value.unscaled.unsigned_abs().to_string();
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// Days since 1900 and their fraction, of datetime.
fn datetime_days(days: i32, ticks: u32) -> f64 {
    f64::from(days) + f64::from(ticks) / f64::from(calendar::DATETIME_TICKS_PER_DAY)
}

pub(super) fn to_integer(value: Value, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    let bit = to == SqlType::Bit;
    let whole: i128 = match value {
        Value::Bit(v) => i128::from(v),
        Value::TinyInt(v) => i128::from(v),
        Value::SmallInt(v) => i128::from(v),
        Value::Int(v) => i128::from(v),
        Value::BigInt(v) => i128::from(v),
        Value::Decimal(d) if bit => i128::from(d.unscaled != 0),
        Value::Decimal(d) => d.unscaled / pow10(d.scale),
        Value::Money(v) if bit => i128::from(v != 0),
        Value::Money(v) => rescale(i128::from(v), 4, 0).unwrap_or_default(),
        Value::Real(v) => return float_to_integer(f64::from(v), to),
        Value::Float(v) => return float_to_integer(v, to),
        Value::String(text) => return text_to_integer(&text, from, to),
        Value::Binary(bytes) => i128::from(binary::to_i64(&bytes, width_of(to))),
        Value::DateTime { days, ticks } => {
            // Noon and later belong to the next day.
            i128::from(days) + i128::from(ticks >= calendar::DATETIME_TICKS_PER_DAY / 2)
        }
        Value::Null => return Ok(Value::Null),
        Value::Date(_)
        | Value::Time(_)
        | Value::DateTime2 { .. }
        | Value::DateTimeOffset { .. }
        | Value::Guid(_)
        | Value::Xml(_) => return Err(fault::explicit_not_allowed(from, to)),
    };
    integer(whole, to).ok_or_else(|| {
        if let (SqlType::TinyInt | SqlType::SmallInt, Ok(small)) = (to, i32::try_from(whole))
            && from.is_integer()
        {
            return fault::overflow_value(to, i64::from(small));
        }
        let name = if from.is_integer() {
            "expression"
        } else {
            name_of(from)
        };
        fault::overflow_converting(name, to)
    })
}

/// A whole number in an integer type; bit is 1 for all but 0.
fn integer(whole: i128, to: SqlType) -> Option<Value> {
    Some(match to {
        SqlType::Bit => Value::Bit(whole != 0),
        SqlType::TinyInt => Value::TinyInt(u8::try_from(whole).ok()?),
        SqlType::SmallInt => Value::SmallInt(i16::try_from(whole).ok()?),
        SqlType::Int => Value::Int(i32::try_from(whole).ok()?),
        _ => Value::BigInt(i64::try_from(whole).ok()?),
    })
}

const fn width_of(ty: SqlType) -> usize {
    match ty {
        SqlType::Bit | SqlType::TinyInt => 1,
        SqlType::SmallInt => 2,
        SqlType::Int => 4,
        _ => 8,
    }
}

fn float_to_integer(value: f64, to: SqlType) -> Result<Value, SqlError> {
    if to == SqlType::Bit {
        return Ok(Value::Bit(value != 0.0));
    }
    let cut = value.trunc();
    let whole = (cut.abs() < 1e38).then(|| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a whole number below 1e38 fits an i128"
        )]
        let whole = cut as i128;
        whole
    });
    whole
        .and_then(|whole| integer(whole, to))
        .ok_or_else(|| match to {
            SqlType::BigInt | SqlType::Int => fault::overflow_converting("expression", to),
            _ => fault::overflow_float(to, value),
        })
}

fn text_to_integer(text: &str, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
    if to == SqlType::Bit {
        if trimmed.eq_ignore_ascii_case("true") {
            return Ok(Value::Bit(true));
        }
        if trimmed.eq_ignore_ascii_case("false") {
            return Ok(Value::Bit(false));
        }
    }
    let failed = || {
        if to == SqlType::BigInt {
            fault::error_converting(from, to)
        } else {
            fault::conversion_failed(from, text, to)
        }
    };
    if trimmed.is_empty() {
        return integer(0, to).ok_or_else(failed);
    }
    let (negative, rest) = signed(trimmed);
    let digits = rest.trim_start_matches(' ');
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(failed());
    }
    let overflowed = || {
        if to == SqlType::BigInt {
            fault::overflow_converting("expression", to)
        } else {
            fault::text_overflowed(from, text, to)
        }
    };
    let whole: i128 = digits.parse().map_err(|_| overflowed())?;
    integer(if negative { -whole } else { whole }, to).ok_or_else(overflowed)
}

fn signed(text: &str) -> (bool, &str) {
    text.strip_prefix('-').map_or_else(
        || (false, text.strip_prefix('+').unwrap_or(text)),
        |rest| (true, rest),
    )
}

/// `[+-]digits[.digits]` as an unscaled number and its scale.
fn parse_decimal(text: &str) -> Option<(i128, u8)> {
    let (negative, rest) = signed(text);
    let rest = rest.trim_start_matches(' ');
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let mut digits = whole.bytes().chain(fraction.bytes()).peekable();
    if digits.peek().is_none() || !digits.all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Beyond 38 digits nothing after the point can be kept; cut to what an i128 holds.
    let whole = whole.trim_start_matches('0');
    let room = 38_usize.checked_sub(whole.len())?;
    let fraction = fraction.get(..room.min(fraction.len()))?;
    let unscaled: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let scale = u8::try_from(fraction.len()).ok()?;
    Some((if negative { -unscaled } else { unscaled }, scale))
}

const fn name_of(from: SqlType) -> &'static str {
    match from {
        SqlType::Decimal { .. } | SqlType::Numeric { .. } => "numeric",
        other => other.name(),
    }
}

/// A float as digits, rounded to `scale` after the point.
fn float_parts(value: f64, scale: u8) -> Option<(i128, u8)> {
    if !value.is_finite() || value.abs() >= 1e38 {
        return None;
    }
    // Enough digits to tell a half from what is just below it; halves go away from zero.
    const MORE: usize = 20;
    let text = format!("{value:.width$}", width = usize::from(scale) + MORE);
    let (kept, rest) = text.split_at_checked(text.len() - MORE)?;
    let (unscaled, scale) = parse_decimal(kept.trim_end_matches('.'))?;
    let up = i128::from(rest.as_bytes().first().is_some_and(|digit| *digit >= b'5'));
    Some((
        if value < 0.0 {
            unscaled - up
        } else {
            unscaled + up
        },
        scale,
    ))
}

/// Digits and scale of any exact number, or of an approximate one rounded to `scale`.
fn parts(value: &Value, scale: u8) -> Option<(i128, u8)> {
    Some(match value {
        Value::Decimal(d) => (d.unscaled, d.scale),
        Value::Money(v) => (i128::from(*v), 4),
        Value::Real(v) => return float_parts(f64::from(*v), scale),
        Value::Float(v) => return float_parts(*v, scale),
        Value::DateTime { days, ticks } => return float_parts(datetime_days(*days, *ticks), scale),
        other => (i128::from(other.as_i64()?), 0),
    })
}

/// Whether a value is of a type that numbers can be made of, besides text and binary.
const fn is_numeric_like(value: &Value) -> bool {
    !matches!(
        value,
        Value::Date(_)
            | Value::Time(_)
            | Value::DateTime2 { .. }
            | Value::DateTimeOffset { .. }
            | Value::Guid(_)
            | Value::Xml(_)
    )
}

pub(super) fn to_decimal(
    value: Value,
    from: SqlType,
    precision: u8,
    scale: u8,
) -> Result<Value, SqlError> {
    let to = SqlType::Numeric { precision, scale };
    if !is_numeric_like(&value) {
        return Err(fault::explicit_not_allowed(from, to));
    }
    let overflow = || fault::overflow_converting(name_of(from), to);
    let (unscaled, from_scale) = if let Value::String(text) = &value {
        let trimmed = text.trim_matches(' ');
        match parse_decimal(trimmed) {
            Some(parts) => parts,
            None if trimmed.len() > 38 && trimmed.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(overflow());
            }
            None => return Err(fault::error_converting(from, to)),
        }
    } else if let Value::Binary(bytes) = &value {
        (i128::from(binary::to_i64(bytes, 8)), 0)
    } else {
        parts(&value, scale).ok_or_else(overflow)?
    };
    rescale(unscaled, from_scale, scale)
        .and_then(|unscaled| decimal_from_parts(unscaled, precision, scale))
        .map(Value::Decimal)
        .ok_or_else(overflow)
}

pub(super) fn to_money(value: Value, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    if !is_numeric_like(&value) {
        return Err(fault::explicit_not_allowed(from, to));
    }
    let overflow = || fault::overflow_converting("expression", to);
    let units: i128 = if let Value::String(text) = &value {
        let plain: String = text
            .trim_matches(' ')
            .chars()
            .filter(|c| !matches!(c, ',' | '$' | '€' | '£' | '¥'))
            .collect();
        if plain.is_empty() {
            0
        } else {
            let (unscaled, scale) = parse_decimal(&plain).ok_or_else(fault::bad_money)?;
            rescale(unscaled, scale, 4).ok_or_else(overflow)?
        }
    } else if let Value::Binary(bytes) = &value {
        i128::from(binary::to_i64(bytes, 8))
    } else {
        let (unscaled, scale) = parts(&value, 4).ok_or_else(overflow)?;
        rescale(unscaled, scale, 4).ok_or_else(overflow)?
    };
    let units = i64::try_from(units).map_err(|_| overflow())?;
    if to == SqlType::SmallMoney && i32::try_from(units).is_err() {
        return Err(overflow());
    }
    Ok(Value::Money(units))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a float holds what it can of a wider number"
)]
pub(super) fn to_float(value: Value, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    let number: f64 = match value {
        Value::Float(v) => v,
        Value::Real(v) => f64::from(v),
        Value::Decimal(d) => decimal_to_f64(d),
        Value::Money(v) => v as f64 / 10_000.0,
        Value::String(text) => {
            let trimmed = text.trim_matches(' ');
            let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
            if trimmed.is_empty() {
                0.0
            } else if trimmed.bytes().all(plain) {
                trimmed
                    .parse()
                    .map_err(|_| fault::error_converting(from, to))?
            } else {
                return Err(fault::error_converting(from, to));
            }
        }
        Value::DateTime { days, ticks } => datetime_days(days, ticks),
        Value::Null => return Ok(Value::Null),
        other => other
            .as_i64()
            .ok_or_else(|| fault::explicit_not_allowed(from, to))? as f64,
    };
    if to == SqlType::Real && (number as f32).is_finite() {
        Ok(Value::Real(number as f32))
    } else if to == SqlType::Float && number.is_finite() {
        Ok(Value::Float(number))
    } else {
        Err(fault::overflow_converting("expression", to))
    }
}
