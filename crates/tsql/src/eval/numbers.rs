//! Numeric functions.

use super::Call;
use crate::convert::{self, Style, pow10, rescale};
use crate::error::SqlError;
use crate::fault;
use crate::types::SqlType;
use crate::value::{Decimal, Value};

type Outcome = Result<Value, SqlError>;

fn overflow(call: &Call<'_>) -> SqlError {
    fault::overflow_converting("expression", call.ty)
}

/// The first argument in the type of the result; a decimal keeps its own shape.
fn first(call: &Call<'_>) -> Outcome {
    match &call.args[0] {
        Value::Decimal(d) => Ok(Value::Decimal(*d)),
        other => convert::convert(other.clone(), call.exprs[0].ty, call.ty, Style::PLAIN),
    }
}

fn to_i64(call: &Call<'_>, value: i128) -> Result<i64, SqlError> {
    i64::try_from(value).map_err(|_| overflow(call))
}

/// Applies a change of exact numbers, given with their scale, or of floats; the scale stays.
fn map(
    call: &Call<'_>,
    exact: impl Fn(i128, u8) -> i128,
    approximate: impl Fn(f64) -> f64,
) -> Outcome {
    Ok(match first(call)? {
        Value::Int(v) => {
            let whole = to_i64(call, exact(i128::from(v), 0))?;
            Value::Int(i32::try_from(whole).map_err(|_| overflow(call))?)
        }
        Value::BigInt(v) => Value::BigInt(to_i64(call, exact(i128::from(v), 0))?),
        Value::Money(v) => Value::Money(to_i64(call, exact(i128::from(v), 4))?),
        Value::Decimal(d) => Value::Decimal(
            convert::decimal_from_parts(exact(d.unscaled, d.scale), d.precision, d.scale)
                .ok_or_else(|| overflow(call))?,
        ),
        Value::Float(v) => Value::Float(approximate(v)),
        _ => Value::Null,
    })
}

pub(super) fn abs(call: &Call<'_>) -> Outcome {
    map(call, |v, _| v.abs(), f64::abs)
}

pub(super) fn sign(call: &Call<'_>) -> Outcome {
    map(
        call,
        |v, scale| v.signum() * pow10(scale),
        |v| if v == 0.0 { 0.0 } else { v.signum() },
    )
}

/// A decimal loses its fraction, and its scale with it.
fn unscaled(value: Value) -> Value {
    match value {
        Value::Decimal(d) => Value::Decimal(Decimal {
            unscaled: d.unscaled / pow10(d.scale),
            precision: d.precision,
            scale: 0,
        }),
        other => other,
    }
}

pub(super) fn floor(call: &Call<'_>) -> Outcome {
    let exact = |v: i128, scale| v.div_euclid(pow10(scale)) * pow10(scale);
    map(call, exact, f64::floor).map(unscaled)
}

pub(super) fn ceiling(call: &Call<'_>) -> Outcome {
    let exact = |v: i128, scale| -((-v).div_euclid(pow10(scale))) * pow10(scale);
    map(call, exact, f64::ceil).map(unscaled)
}

pub(super) fn round(call: &Call<'_>) -> Outcome {
    let Some(digits) = call.int(1) else {
        return Ok(Value::Null);
    };
    let cut = call.int(2).unwrap_or(0) != 0;
    let exact = |v: i128, scale: u8| {
        // Digits to drop from the end; none when more are asked for than there are.
        match u8::try_from(i64::from(scale).saturating_sub(digits)) {
            Ok(drop @ 1..=38) if cut => v / pow10(drop) * pow10(drop),
            Ok(drop @ 1..=38) => rescale(v, drop, 0)
                .and_then(|kept| kept.checked_mul(pow10(drop)))
                .unwrap_or(i128::MAX),
            _ if digits < 0 => 0,
            _ => v,
        }
    };
    let approximate = |v: f64| {
        let power = 10_f64.powi(i32::try_from(digits.clamp(-300, 300)).unwrap_or(0));
        let scaled = v * power;
        if scaled.is_finite() {
            (if cut { scaled.trunc() } else { scaled.round() }) / power
        } else {
            v
        }
    };
    map(call, exact, approximate)
}

pub(super) fn power(call: &Call<'_>) -> Outcome {
    let base = convert::convert(
        call.args[0].clone(),
        call.exprs[0].ty,
        SqlType::Float,
        Style::PLAIN,
    )?;
    let (Value::Float(base), Some(exponent)) = (base, call.float(1)) else {
        return Ok(Value::Null);
    };
    let result = finite(base.powf(exponent))?;
    convert::convert(result, SqlType::Float, call.ty, Style::PLAIN)
}

pub(super) fn atan2(call: &Call<'_>) -> Outcome {
    match (call.float(0), call.float(1)) {
        (Some(y), Some(x)) => finite(y.atan2(x)),
        _ => Ok(Value::Null),
    }
}

/// 3623 for what is no number.
fn finite(value: f64) -> Outcome {
    if value.is_finite() {
        Ok(Value::Float(value))
    } else {
        Err(SqlError::new(
            3623,
            16,
            "An invalid floating point operation occurred.",
        ))
    }
}

/// A function of one float.
pub(super) fn float(call: &Call<'_>, compute: impl Fn(f64) -> f64) -> Outcome {
    if call.has_null() {
        return Ok(Value::Null);
    }
    call.float(0)
        .map_or(Ok(Value::Null), |v| finite(compute(v)))
}

pub(super) fn sqrt(call: &Call<'_>) -> Outcome {
    float(call, f64::sqrt)
}

pub(super) fn square(call: &Call<'_>) -> Outcome {
    float(call, |v| v * v)
}

pub(super) fn exp(call: &Call<'_>) -> Outcome {
    float(call, f64::exp)
}

pub(super) fn log(call: &Call<'_>) -> Outcome {
    let base = call.float(1);
    float(call, |v| base.map_or_else(|| v.ln(), |base| v.log(base)))
}

pub(super) fn log10(call: &Call<'_>) -> Outcome {
    float(call, f64::log10)
}

pub(super) fn rand(call: &Call<'_>) -> Outcome {
    let seed = call.int(0).and_then(|n| i32::try_from(n).ok());
    Ok(Value::Float(call.env.random(seed)))
}
