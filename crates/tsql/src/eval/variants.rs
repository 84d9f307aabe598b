//! SQL_VARIANT_PROPERTY.

use super::Call;
use crate::convert;
use crate::error::SqlError;
use crate::types::{Length, SqlType};
use crate::value::Value;

/// `SQL_VARIANT_PROPERTY(value, property)`; NULL for another property.
pub(super) fn property(call: &Call<'_>) -> Result<Value, SqlError> {
    let (Some(value), Some(name)) = (call.args.first(), call.text(1)) else {
        return Ok(Value::Null);
    };
    if value.is_null() {
        return Ok(Value::Null);
    }
    let ty = match call.exprs.first().map(|expr| expr.ty) {
        Some(SqlType::SqlVariant) | None => convert::type_of(value),
        Some(ty) => ty,
    };
    let number = |n: i64| Value::Int(i32::try_from(n).unwrap_or(i32::MAX));
    Ok(match name.to_ascii_lowercase().as_str() {
        "basetype" => Value::string(base(ty)),
        "precision" => number(digits(ty).0),
        "scale" => number(digits(ty).1),
        "maxlength" => number(bytes(ty)),
        "totalbytes" => number(bytes(ty) + 2),
        "collation" if ty.is_string() => Value::string("SQL_Latin1_General_CP1_CI_AS"),
        _ => Value::Null,
    })
}

/// The type's name, without length.
fn base(ty: SqlType) -> String {
    let name = ty.name();
    name.split('(').next().unwrap_or(name).to_owned()
}

/// Precision and scale; 0 where a type has none.
fn digits(ty: SqlType) -> (i64, i64) {
    match ty {
        SqlType::Bit => (1, 0),
        SqlType::TinyInt => (3, 0),
        SqlType::SmallInt => (5, 0),
        SqlType::Int => (10, 0),
        SqlType::BigInt => (19, 0),
        SqlType::SmallMoney => (10, 4),
        SqlType::Money => (19, 4),
        SqlType::Real => (24, 0),
        SqlType::Float => (53, 0),
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
            (precision.into(), scale.into())
        }
        SqlType::Date => (10, 0),
        SqlType::SmallDateTime => (16, 0),
        SqlType::DateTime => (23, 3),
        SqlType::Time(n) => (time_digits(8, n), n.into()),
        SqlType::DateTime2(n) => (time_digits(19, n), n.into()),
        SqlType::DateTimeOffset(n) => (time_digits(26, n), n.into()),
        _ => (0, 0),
    }
}

/// Characters with a fraction of n digits, its point included.
fn time_digits(whole: i64, n: u8) -> i64 {
    whole + i64::from(n) + i64::from(n > 0)
}

fn bytes(ty: SqlType) -> i64 {
    let limited = |length: Length, unit: i64| match length {
        Length::Limited(n) => i64::from(n) * unit,
        Length::Max => -1,
    };
    match ty {
        SqlType::Bit | SqlType::TinyInt => 1,
        SqlType::SmallInt => 2,
        SqlType::Int | SqlType::Real | SqlType::SmallMoney | SqlType::SmallDateTime => 4,
        SqlType::BigInt | SqlType::Float | SqlType::Money | SqlType::DateTime => 8,
        SqlType::Decimal { precision, .. } | SqlType::Numeric { precision, .. } => {
            match precision {
                0..=9 => 5,
                10..=19 => 9,
                20..=28 => 13,
                _ => 17,
            }
        }
        SqlType::Char(n) | SqlType::Binary(n) => n.into(),
        SqlType::NChar(n) => i64::from(n) * 2,
        SqlType::VarChar(length) | SqlType::VarBinary(length) => limited(length, 1),
        SqlType::NVarChar(length) => limited(length, 2),
        SqlType::Date => 3,
        SqlType::Time(n) => time_bytes(n),
        SqlType::DateTime2(n) => time_bytes(n) + 3,
        SqlType::DateTimeOffset(n) => time_bytes(n) + 5,
        SqlType::UniqueIdentifier => 16,
        SqlType::Text | SqlType::NText | SqlType::Image | SqlType::Xml | SqlType::SqlVariant => -1,
    }
}

const fn time_bytes(n: u8) -> i64 {
    match n {
        0..=2 => 3,
        3..=4 => 4,
        _ => 5,
    }
}
