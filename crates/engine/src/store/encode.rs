//! How values of T-SQL's types stand in SQLite. Equal values have equal encodings, and order is kept.
//!
//! | type | encoding |
//! | --- | --- |
//! | bit, integers | INTEGER |
//! | money | INTEGER, ten-thousandths |
//! | decimal of up to 18 digits | INTEGER, scaled |
//! | wider decimal | BLOB of 16 bytes, big-endian, sign bit flipped |
//! | real, float | REAL |
//! | strings, xml | TEXT under a collation |
//! | binary | BLOB |
//! | date, time, datetime, datetime2 | INTEGER, in the type's own ticks |
//! | datetimeoffset | TEXT: UTC ticks in 16 hexadecimal digits, then the offset; its collation reads the ticks |
//! | uniqueidentifier | BLOB in SQL Server's order |
//! | sql_variant | BLOB: a tag and the value |

use rusqlite::types::{ToSqlOutput, Value as Sqlite, ValueRef};
use tsql::convert::calendar::{DATETIME_TICKS_PER_DAY, TICKS_PER_DAY};
use tsql::convert::{pow10, rescale};
use tsql::eval::{guid_key, guid_of_key};
use tsql::{Decimal, SqlError, SqlType, Value, fault};

/// Widest decimal that is an INTEGER.
pub(crate) const INTEGER_DIGITS: u8 = 18;

/// A decimal's digits as its 16-byte encoding.
pub(crate) fn wide(unscaled: i128) -> [u8; 16] {
    (unscaled ^ i128::MIN).to_be_bytes()
}

/// The digits of a 16-byte encoding.
pub(crate) fn unwide(bytes: &[u8]) -> Option<i128> {
    <[u8; 16]>::try_from(bytes)
        .ok()
        .map(|bytes| i128::from_be_bytes(bytes) ^ i128::MIN)
}

/// Encodes a value of a type.
pub(crate) fn encode(value: &Value, ty: SqlType) -> Result<Sqlite, SqlError> {
    if ty == SqlType::SqlVariant {
        return Ok(variant(value));
    }
    Ok(match value {
        Value::Null => Sqlite::Null,
        Value::Bit(v) => Sqlite::Integer(i64::from(*v)),
        Value::TinyInt(v) => Sqlite::Integer(i64::from(*v)),
        Value::SmallInt(v) => Sqlite::Integer(i64::from(*v)),
        Value::Int(v) => Sqlite::Integer(i64::from(*v)),
        Value::BigInt(v) | Value::Money(v) => Sqlite::Integer(*v),
        Value::Decimal(d) => {
            let (precision, scale) = shape(ty).unwrap_or((d.precision, d.scale));
            let digits = rescale(d.unscaled, d.scale, scale)
                .filter(|digits| digits.unsigned_abs() < pow10(precision).unsigned_abs())
                .ok_or_else(|| fault::overflow_converting("numeric", ty))?;
            match i64::try_from(digits) {
                Ok(small) if precision <= INTEGER_DIGITS => Sqlite::Integer(small),
                _ => Sqlite::Blob(wide(digits).to_vec()),
            }
        }
        Value::Real(v) => Sqlite::Real(f64::from(*v)),
        Value::Float(v) => Sqlite::Real(*v),
        Value::String(text) | Value::Xml(text) => Sqlite::Text(text.clone()),
        Value::Binary(bytes) => Sqlite::Blob(bytes.clone()),
        Value::Date(days) => Sqlite::Integer(i64::from(*days)),
        Value::Time(ticks) => Sqlite::Integer(signed(*ticks)),
        Value::DateTime { days, ticks } => Sqlite::Integer(
            i64::from(*days) * i64::from(DATETIME_TICKS_PER_DAY) + i64::from(*ticks),
        ),
        Value::DateTime2 { days, ticks } => Sqlite::Integer(moment(*days, *ticks)),
        Value::DateTimeOffset {
            days,
            ticks,
            offset_minutes,
        } => Sqlite::Text(format!(
            "{:016x}{offset_minutes:+05}",
            moment(*days, *ticks)
        )),
        Value::Guid(id) => Sqlite::Blob(guid_key(*id).to_vec()),
    })
}

/// Decodes what stands in SQLite as a value of a type.
pub(crate) fn decode(raw: ValueRef<'_>, ty: SqlType) -> Result<Value, SqlError> {
    if matches!(raw, ValueRef::Null) {
        return Ok(Value::Null);
    }
    decoded(raw, ty).ok_or_else(|| fault::internal("a value has another encoding than its type"))
}

fn decoded(raw: ValueRef<'_>, ty: SqlType) -> Option<Value> {
    let int = || raw.as_i64().ok();
    let text = || raw.as_str().ok();
    let blob = || raw.as_blob().ok();
    Some(match ty {
        SqlType::Bit => Value::Bit(int()? != 0),
        SqlType::TinyInt => Value::TinyInt(u8::try_from(int()?).ok()?),
        SqlType::SmallInt => Value::SmallInt(i16::try_from(int()?).ok()?),
        SqlType::Int => Value::Int(i32::try_from(int()?).ok()?),
        SqlType::BigInt => Value::BigInt(int()?),
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
            let unscaled = match raw {
                ValueRef::Integer(v) => i128::from(v),
                _ => unwide(blob()?)?,
            };
            Value::Decimal(Decimal {
                unscaled,
                precision,
                scale,
            })
        }
        SqlType::SmallMoney | SqlType::Money => Value::Money(int()?),
        #[expect(clippy::cast_possible_truncation, reason = "it came from an f32")]
        SqlType::Real => Value::Real(float(raw)? as f32),
        SqlType::Float => Value::Float(float(raw)?),
        SqlType::Char(_)
        | SqlType::VarChar(_)
        | SqlType::Text
        | SqlType::NChar(_)
        | SqlType::NVarChar(_)
        | SqlType::NText => Value::String(text()?.to_owned()),
        SqlType::Xml => Value::Xml(text()?.to_owned()),
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image => {
            Value::Binary(blob()?.to_vec())
        }
        SqlType::Date => Value::Date(i32::try_from(int()?).ok()?),
        SqlType::Time(_) => Value::Time(u64::try_from(int()?).ok()?),
        SqlType::SmallDateTime | SqlType::DateTime => {
            let per_day = i64::from(DATETIME_TICKS_PER_DAY);
            Value::DateTime {
                days: i32::try_from(int()?.div_euclid(per_day)).ok()?,
                ticks: u32::try_from(int()?.rem_euclid(per_day)).ok()?,
            }
        }
        SqlType::DateTime2(_) => {
            let (days, ticks) = unmoment(int()?)?;
            Value::DateTime2 { days, ticks }
        }
        SqlType::DateTimeOffset(_) => {
            let (digits, offset) = text()?.split_at_checked(16)?;
            let (days, ticks) = unmoment(i64::from_str_radix(digits, 16).ok()?)?;
            Value::DateTimeOffset {
                days,
                ticks,
                offset_minutes: offset.parse().ok()?,
            }
        }
        SqlType::UniqueIdentifier => Value::Guid(guid_of_key(<[u8; 16]>::try_from(blob()?).ok()?)),
        SqlType::SqlVariant => unvariant(blob()?)?,
    })
}

/// A parameter for a statement.
pub(crate) struct Parameter(pub(crate) Sqlite);

impl rusqlite::ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed((&self.0).into()))
    }
}

fn float(raw: ValueRef<'_>) -> Option<f64> {
    match raw {
        ValueRef::Real(v) => Some(v),
        #[expect(
            clippy::cast_precision_loss,
            reason = "SQLite keeps whole floats as integers"
        )]
        ValueRef::Integer(v) => Some(v as f64),
        _ => None,
    }
}

const fn shape(ty: SqlType) -> Option<(u8, u8)> {
    match ty {
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
            Some((precision, scale))
        }
        _ => None,
    }
}

fn signed(ticks: u64) -> i64 {
    i64::try_from(ticks).unwrap_or(i64::MAX)
}

fn moment(days: i32, ticks: u64) -> i64 {
    i64::from(days) * signed(TICKS_PER_DAY) + signed(ticks)
}

fn unmoment(total: i64) -> Option<(i32, u64)> {
    let per_day = signed(TICKS_PER_DAY);
    Some((
        i32::try_from(total.div_euclid(per_day)).ok()?,
        u64::try_from(total.rem_euclid(per_day)).ok()?,
    ))
}

// ---- sql_variant: one byte for the type, precision and scale where they matter, then the value ----

const VARIANT_TYPES: [SqlType; 17] = [
    SqlType::Bit,
    SqlType::TinyInt,
    SqlType::SmallInt,
    SqlType::Int,
    SqlType::BigInt,
    SqlType::Numeric {
        precision: 38,
        scale: 0,
    },
    SqlType::Money,
    SqlType::Real,
    SqlType::Float,
    SqlType::SYSNAME,
    SqlType::varbinary(8000),
    SqlType::Date,
    SqlType::Time(7),
    SqlType::DateTime,
    SqlType::DateTime2(7),
    SqlType::DateTimeOffset(7),
    SqlType::UniqueIdentifier,
];

fn variant(value: &Value) -> Sqlite {
    let ty = tsql::convert::type_of(value);
    let same = |known: &SqlType| std::mem::discriminant(known) == std::mem::discriminant(&ty);
    let tag = VARIANT_TYPES
        .iter()
        .position(same)
        .and_then(|at| u8::try_from(at).ok());
    let (Some(tag), false) = (tag, value.is_null()) else {
        return Sqlite::Null;
    };
    let mut out = vec![tag];
    if let Value::Decimal(d) = value {
        out.extend([d.precision, d.scale]);
        out.extend(d.unscaled.to_be_bytes());
        return Sqlite::Blob(out);
    }
    match encode(value, ty) {
        Ok(Sqlite::Integer(v)) => out.extend(v.to_be_bytes()),
        Ok(Sqlite::Real(v)) => out.extend(v.to_be_bytes()),
        Ok(Sqlite::Text(v)) => out.extend(v.into_bytes()),
        Ok(Sqlite::Blob(v)) => out.extend(v),
        Ok(Sqlite::Null) | Err(_) => return Sqlite::Null,
    }
    Sqlite::Blob(out)
}

fn unvariant(bytes: &[u8]) -> Option<Value> {
    let (tag, rest) = bytes.split_first()?;
    let ty = *VARIANT_TYPES.get(usize::from(*tag))?;
    match ty {
        SqlType::Numeric { .. } => {
            let (shape, digits) = rest.split_at_checked(2)?;
            Some(Value::Decimal(Decimal {
                unscaled: i128::from_be_bytes(digits.try_into().ok()?),
                precision: shape[0],
                scale: shape[1],
            }))
        }
        SqlType::Real | SqlType::Float => {
            let value = f64::from_be_bytes(rest.try_into().ok()?);
            decoded(ValueRef::Real(value), ty)
        }
        SqlType::NVarChar(_) | SqlType::DateTimeOffset(_) => decoded(ValueRef::Text(rest), ty),
        SqlType::VarBinary(_) | SqlType::UniqueIdentifier => decoded(ValueRef::Blob(rest), ty),
        _ => {
            let value = i64::from_be_bytes(rest.try_into().ok()?);
            decoded(ValueRef::Integer(value), ty)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A value and a type that holds it.
    fn values() -> impl Strategy<Value = (Value, SqlType)> {
        let day = 0..=tsql::convert::calendar::LAST_DAY;
        let ticks = 0..TICKS_PER_DAY;
        prop_oneof![
            any::<bool>().prop_map(|v| (Value::Bit(v), SqlType::Bit)),
            any::<u8>().prop_map(|v| (Value::TinyInt(v), SqlType::TinyInt)),
            any::<i16>().prop_map(|v| (Value::SmallInt(v), SqlType::SmallInt)),
            any::<i32>().prop_map(|v| (Value::Int(v), SqlType::Int)),
            any::<i64>().prop_map(|v| (Value::BigInt(v), SqlType::BigInt)),
            any::<i64>().prop_map(|v| (Value::Money(v), SqlType::Money)),
            (1..=38_u8, any::<i128>()).prop_map(|(precision, v)| {
                let value = Decimal {
                    unscaled: v % pow10(precision),
                    precision,
                    scale: precision / 2,
                };
                let ty = SqlType::Numeric {
                    precision,
                    scale: precision / 2,
                };
                (Value::Decimal(value), ty)
            }),
            any::<f64>()
                .prop_filter("a number", |v| v.is_finite())
                .prop_map(|v| (Value::Float(v), SqlType::Float)),
            any::<f32>()
                .prop_filter("a number", |v| v.is_finite())
                .prop_map(|v| (Value::Real(v), SqlType::Real)),
            any::<String>().prop_map(|v| (Value::String(v), SqlType::NVARCHAR_MAX)),
            any::<Vec<u8>>()
                .prop_map(|v| (Value::Binary(v), SqlType::VarBinary(tsql::Length::Max))),
            day.clone().prop_map(|v| (Value::Date(v), SqlType::Date)),
            ticks
                .clone()
                .prop_map(|v| (Value::Time(v), SqlType::Time(7))),
            (-53_690..=2_958_463_i32, 0..DATETIME_TICKS_PER_DAY)
                .prop_map(|(days, ticks)| (Value::DateTime { days, ticks }, SqlType::DateTime)),
            (day.clone(), ticks.clone()).prop_map(|(days, ticks)| (
                Value::DateTime2 { days, ticks },
                SqlType::DateTime2(7)
            )),
            (day, ticks, -840..=840_i16).prop_map(|(days, ticks, offset_minutes)| (
                Value::DateTimeOffset {
                    days,
                    ticks,
                    offset_minutes
                },
                SqlType::DateTimeOffset(7)
            )),
            any::<u128>().prop_map(|v| (
                Value::Guid(uuid::Uuid::from_u128(v)),
                SqlType::UniqueIdentifier
            )),
        ]
    }

    fn compared(a: &Sqlite, b: &Sqlite) -> Option<std::cmp::Ordering> {
        match (a, b) {
            (Sqlite::Integer(a), Sqlite::Integer(b)) => Some(a.cmp(b)),
            (Sqlite::Blob(a), Sqlite::Blob(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    proptest! {
        #[test]
        fn values_survive_their_encoding((value, ty) in values()) {
            let raw = encode(&value, ty).unwrap();
            prop_assert_eq!(&decode((&raw).into(), ty).unwrap(), &value);
            let variant = encode(&value, SqlType::SqlVariant).unwrap();
            if !matches!(value, Value::Xml(_)) {
                let back = decode((&variant).into(), SqlType::SqlVariant).unwrap();
                prop_assert_eq!(back, value);
            }
        }

        #[test]
        fn order_survives_too(a in any::<i128>(), b in any::<i128>(), precision in 1..=38_u8) {
            let ty = SqlType::Numeric { precision, scale: 0 };
            let value = |v: i128| Value::Decimal(Decimal {
                unscaled: v % pow10(precision),
                precision,
                scale: 0,
            });
            let (x, y) = (encode(&value(a), ty).unwrap(), encode(&value(b), ty).unwrap());
            let expected = (a % pow10(precision)).cmp(&(b % pow10(precision)));
            prop_assert_eq!(compared(&x, &y), Some(expected));
        }
    }
}
