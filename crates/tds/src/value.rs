//! Values of [`tsql`] as bytes, both ways.
//!
//! Source: MS-TDS, "Data Packet Stream Tokens" and "System Data Type Values".

use crate::charset::{Charset, cp1252_length, encode_cp1252};
use crate::error::TdsError;
use crate::types::{Frame, TypeInfo, decimal_bytes, time_bytes, token, type_for};
use crate::version::TdsVersion;
use crate::wire::{Put, Reader, utf16_text};
use tsql::{Decimal, Length, SqlType, Value};
use uuid::Uuid;

/// Where a value stands: text, ntext and image have a text pointer in rows alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a row.
    Row,
    /// In a parameter or return value.
    Parameter,
}

/// Last day that date types hold: 9999-12-31, counted from 0001-01-01.
const LAST_DAY: i32 = 3_652_058;
/// 100 ns units in a day.
const DAY_TICKS: u64 = 864_000_000_000;
/// 1/300 s in a day.
const DAY_THREE_HUNDREDTHS: u32 = 25_920_000;
/// 1/300 s in a minute.
const MINUTE_THREE_HUNDREDTHS: u32 = 18_000;
/// First and last day of datetime, counted from 1900-01-01: 1753-01-01 and 9999-12-31.
const DATETIME_DAYS: std::ops::RangeInclusive<i32> = -53_690..=2_958_463;
/// Most bytes of a value inside a sql_variant.
const VARIANT_BYTES_MAX: usize = 8_000;
/// Most bytes of a decimal's magnitude.
const DECIMAL_BYTES_MAX: usize = 16;
/// 1 + the largest magnitude of a decimal.
const DECIMAL_LIMIT: u128 = 10u128.pow(38);

const PLP_NULL: u64 = u64::MAX;
const PLP_UNKNOWN: u64 = u64::MAX - 1;
/// Most bytes of a chunk sent. Clients gather a chunk before they look at it, some again at each packet; short ones
/// spare them that. Even, so that no UTF-16 unit is cut.
const PLP_CHUNK_BYTES: usize = 8_000;
/// Stands where a text pointer and its timestamp are expected; Muster has no READTEXT.
const TEXT_POINTER: [u8; 25] = *b"\x10muster text ptr\0muster\0\0";

/// Appends a value of a column or parameter of type `ty`, in the type's spelling for that client
/// version ([`type_for`]). Nothing is appended on an error.
///
/// Integers widen, exact numbers are rescaled when nothing is lost, `char`, `nchar` and `binary` are
/// padded; every other value must be of the type's own kind.
///
/// # Errors
/// [`TdsError::ValueKind`] and [`TdsError::ValueRange`].
pub fn encode_value(
    out: &mut Vec<u8>,
    ty: SqlType,
    value: &Value,
    version: TdsVersion,
    place: Place,
) -> Result<(), TdsError> {
    let start = out.len();
    let fitted = type_for(ty, version);
    let outcome = if value.is_null() {
        encode_null(out, fitted, place);
        Ok(())
    } else if fitted != ty && is_temporal(ty) {
        temporal_text(ty, value).and_then(|text| encode_present(out, fitted, &text, version, place))
    } else {
        encode_present(out, fitted, value, version, place)
    };
    if outcome.is_err() {
        out.truncate(start);
    }
    outcome
}

/// Appends a value of a type that has a spelling of fixed length, in that spelling: its bytes alone.
///
/// # Errors
/// As [`encode_value`]; NULL is none of its values.
pub(crate) fn encode_fixed(out: &mut Vec<u8>, ty: SqlType, value: &Value) -> Result<(), TdsError> {
    let start = out.len();
    let outcome = encode_scalar(out, ty, value);
    if outcome.is_err() {
        out.truncate(start);
    }
    outcome
}

fn encode_null(out: &mut Vec<u8>, ty: SqlType, place: Place) {
    match ty {
        SqlType::Char(_)
        | SqlType::NChar(_)
        | SqlType::Binary(_)
        | SqlType::VarChar(Length::Limited(_))
        | SqlType::NVarChar(Length::Limited(_))
        | SqlType::VarBinary(Length::Limited(_)) => out.put_u16(u16::MAX),
        SqlType::VarChar(Length::Max)
        | SqlType::NVarChar(Length::Max)
        | SqlType::VarBinary(Length::Max)
        | SqlType::Xml => out.put_u64(PLP_NULL),
        SqlType::Text | SqlType::NText | SqlType::Image => match place {
            Place::Row => out.put_u8(0),
            Place::Parameter => out.put_u32(u32::MAX),
        },
        SqlType::SqlVariant => out.put_u32(0),
        SqlType::Bit
        | SqlType::TinyInt
        | SqlType::SmallInt
        | SqlType::Int
        | SqlType::BigInt
        | SqlType::Decimal { .. }
        | SqlType::Numeric { .. }
        | SqlType::SmallMoney
        | SqlType::Money
        | SqlType::Real
        | SqlType::Float
        | SqlType::Date
        | SqlType::Time(_)
        | SqlType::SmallDateTime
        | SqlType::DateTime
        | SqlType::DateTime2(_)
        | SqlType::DateTimeOffset(_)
        | SqlType::UniqueIdentifier => out.put_u8(0),
    }
}

fn encode_present(
    out: &mut Vec<u8>,
    ty: SqlType,
    value: &Value,
    version: TdsVersion,
    place: Place,
) -> Result<(), TdsError> {
    match ty {
        SqlType::Bit
        | SqlType::TinyInt
        | SqlType::SmallInt
        | SqlType::Int
        | SqlType::BigInt
        | SqlType::Decimal { .. }
        | SqlType::Numeric { .. }
        | SqlType::SmallMoney
        | SqlType::Money
        | SqlType::Real
        | SqlType::Float
        | SqlType::Date
        | SqlType::Time(_)
        | SqlType::SmallDateTime
        | SqlType::DateTime
        | SqlType::DateTime2(_)
        | SqlType::DateTimeOffset(_)
        | SqlType::UniqueIdentifier => {
            let at = out.len();
            out.put_u8(0);
            encode_scalar(out, ty, value)?;
            let length = u8::try_from(out.len() - at - 1).expect("scalars have at most 17 bytes");
            if let Some(place) = out.get_mut(at) {
                *place = length;
            }
        }
        SqlType::Char(n)
        | SqlType::NChar(n)
        | SqlType::Binary(n)
        | SqlType::VarChar(Length::Limited(n))
        | SqlType::NVarChar(Length::Limited(n))
        | SqlType::VarBinary(Length::Limited(n)) => {
            let (units, unit_bytes) = measure(ty, value)?;
            let is_padded = matches!(
                ty,
                SqlType::Char(_) | SqlType::NChar(_) | SqlType::Binary(_)
            );
            let padded = if is_padded { usize::from(n) } else { units };
            if units > usize::from(n) {
                return Err(TdsError::ValueRange { ty });
            }
            let length = u16::try_from(padded * unit_bytes)
                .ok()
                .filter(|length| *length <= crate::types::LIMITED_BYTES_MAX)
                .ok_or(TdsError::ValueRange { ty })?;
            out.put_u16(length);
            encode_bytes(out, ty, value);
            let pad: &[u8] = if is_binary(ty) {
                &[0]
            } else if is_wide(ty) {
                &[b' ', 0]
            } else {
                b" "
            };
            for _ in units..padded {
                out.put(pad);
            }
        }
        SqlType::VarChar(Length::Max)
        | SqlType::NVarChar(Length::Max)
        | SqlType::VarBinary(Length::Max)
        | SqlType::Xml => {
            let length = long_length(ty, value)?;
            out.put_u64(u64::from(length));
            let start = out.len();
            encode_bytes(out, ty, value);
            cut_into_chunks(out, start);
            out.put_u32(0);
        }
        SqlType::Text | SqlType::NText | SqlType::Image => {
            let length = long_length(ty, value)?;
            if place == Place::Row {
                out.put(&TEXT_POINTER);
            }
            out.put_u32(length);
            encode_bytes(out, ty, value);
        }
        SqlType::SqlVariant => encode_variant(out, value, version)?,
    }
    Ok(())
}

/// Cuts the bytes from `start` on into chunks, each behind its length.
fn cut_into_chunks(out: &mut Vec<u8>, start: usize) {
    const HEADER: usize = size_of::<u32>();
    let end = out.len();
    let chunks = (end - start).div_ceil(PLP_CHUNK_BYTES);
    out.resize(end + chunks * HEADER, 0);
    // From the last on, so that nothing is overwritten before it has moved.
    for chunk in (0..chunks).rev() {
        let from = start + chunk * PLP_CHUNK_BYTES;
        let to = end.min(from + PLP_CHUNK_BYTES);
        let moved = from + (chunk + 1) * HEADER;
        let length = u32::try_from(to - from).expect("a chunk is short");
        out.copy_within(from..to, moved);
        out[moved - HEADER..moved].copy_from_slice(&length.to_le_bytes());
    }
}

/// The length of a string or binary in units of `ty`, and the bytes of a unit.
fn measure(ty: SqlType, value: &Value) -> Result<(usize, usize), TdsError> {
    if is_binary(ty) {
        if let Value::Binary(bytes) = value {
            return Ok((bytes.len(), 1));
        }
    } else if let Some(text) = value.as_str() {
        return Ok(if is_wide(ty) {
            (text.encode_utf16().count(), 2)
        } else {
            (cp1252_length(text), 1)
        });
    }
    Err(TdsError::ValueKind {
        ty,
        kind: kind(value),
    })
}

fn long_length(ty: SqlType, value: &Value) -> Result<u32, TdsError> {
    let (units, unit_bytes) = measure(ty, value)?;
    units
        .checked_mul(unit_bytes)
        .and_then(|bytes| i32::try_from(bytes).ok())
        .and_then(|bytes| u32::try_from(bytes).ok())
        .ok_or(TdsError::ValueRange { ty })
}

/// The bytes of a string or binary that [`measure`] has accepted.
fn encode_bytes(out: &mut Vec<u8>, ty: SqlType, value: &Value) {
    let text = value.as_str().unwrap_or_default();
    if let Value::Binary(bytes) = value {
        out.put(bytes);
    } else if is_wide(ty) {
        out.put_utf16(text);
    } else {
        encode_cp1252(text, out);
    }
}

/// Whether values are bytes.
fn is_binary(ty: SqlType) -> bool {
    matches!(
        ty,
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image
    )
}

/// Whether values are text in UTF-16.
fn is_wide(ty: SqlType) -> bool {
    matches!(
        ty,
        SqlType::NChar(_) | SqlType::NVarChar(_) | SqlType::NText | SqlType::Xml
    )
}

fn encode_scalar(out: &mut Vec<u8>, ty: SqlType, value: &Value) -> Result<(), TdsError> {
    let range = TdsError::ValueRange { ty };
    let wrong = || TdsError::ValueKind {
        ty,
        kind: kind(value),
    };
    let integer = || value.as_i64().ok_or_else(wrong);
    match ty {
        SqlType::Bit => out.put_u8(u8::from(integer()? != 0)),
        SqlType::TinyInt => out.put_u8(u8::try_from(integer()?).map_err(|_| range)?),
        SqlType::SmallInt => {
            out.put(&i16::try_from(integer()?).map_err(|_| range)?.to_le_bytes());
        }
        SqlType::Int => out.put_i32(i32::try_from(integer()?).map_err(|_| range)?),
        SqlType::BigInt => out.put(&integer()?.to_le_bytes()),
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
            let unscaled = rescale(value, scale).ok_or_else(|| {
                if matches!(value, Value::Decimal(_) | Value::Money(_)) {
                    range.clone()
                } else {
                    wrong()
                }
            })?;
            if unscaled.unsigned_abs() >= 10u128.pow(u32::from(precision.min(38))) {
                return Err(range);
            }
            put_decimal(out, unscaled, precision);
        }
        SqlType::SmallMoney | SqlType::Money => {
            let amount = if let Value::Money(amount) = value {
                *amount
            } else {
                integer()?
                    .checked_mul(10_000)
                    .ok_or_else(|| range.clone())?
            };
            if ty == SqlType::SmallMoney {
                out.put_i32(i32::try_from(amount).map_err(|_| range)?);
            } else {
                put_money(out, amount);
            }
        }
        SqlType::Real => {
            let Value::Real(number) = value else {
                return Err(wrong());
            };
            if !number.is_finite() {
                return Err(range);
            }
            out.put(&number.to_le_bytes());
        }
        SqlType::Float => {
            let number = if let Value::Float(number) = value {
                *number
            } else if let Value::Real(number) = value {
                f64::from(*number)
            } else {
                return Err(wrong());
            };
            if !number.is_finite() {
                return Err(range);
            }
            out.put(&number.to_le_bytes());
        }
        SqlType::Date => {
            let Value::Date(days) = value else {
                return Err(wrong());
            };
            put_date(out, *days).ok_or(range)?;
        }
        SqlType::Time(scale) => {
            let Value::Time(ticks) = value else {
                return Err(wrong());
            };
            put_time(out, *ticks, scale).ok_or(range)?;
        }
        SqlType::DateTime2(scale) => {
            let Value::DateTime2 { days, ticks } = value else {
                return Err(wrong());
            };
            put_time(out, *ticks, scale).ok_or_else(|| range.clone())?;
            put_date(out, *days).ok_or(range)?;
        }
        SqlType::DateTimeOffset(scale) => {
            let Value::DateTimeOffset {
                days,
                ticks,
                offset_minutes,
            } = value
            else {
                return Err(wrong());
            };
            if offset_minutes.unsigned_abs() > 840 {
                return Err(range);
            }
            put_time(out, *ticks, scale).ok_or_else(|| range.clone())?;
            put_date(out, *days).ok_or(range)?;
            out.put(&offset_minutes.to_le_bytes());
        }
        SqlType::SmallDateTime => {
            let Value::DateTime { days, ticks } = value else {
                return Err(wrong());
            };
            if *ticks >= DAY_THREE_HUNDREDTHS {
                return Err(range);
            }
            out.put_u16(u16::try_from(*days).map_err(|_| range.clone())?);
            out.put_u16(u16::try_from(ticks / MINUTE_THREE_HUNDREDTHS).map_err(|_| range)?);
        }
        SqlType::DateTime => {
            let Value::DateTime { days, ticks } = value else {
                return Err(wrong());
            };
            if !DATETIME_DAYS.contains(days) || *ticks >= DAY_THREE_HUNDREDTHS {
                return Err(range);
            }
            out.put_i32(*days);
            out.put_u32(*ticks);
        }
        SqlType::UniqueIdentifier => {
            let id = value.as_guid().ok_or_else(wrong)?;
            out.put(&id.to_bytes_le());
        }
        SqlType::Char(_)
        | SqlType::VarChar(_)
        | SqlType::Text
        | SqlType::NChar(_)
        | SqlType::NVarChar(_)
        | SqlType::NText
        | SqlType::Binary(_)
        | SqlType::VarBinary(_)
        | SqlType::Image
        | SqlType::SqlVariant
        | SqlType::Xml => return Err(wrong()),
    }
    Ok(())
}

/// An exact number as an integer of `scale` decimal places, when nothing is lost.
fn rescale(value: &Value, scale: u8) -> Option<i128> {
    let decimal = if let Value::Decimal(decimal) = value {
        *decimal
    } else if let Value::Money(amount) = value {
        Decimal {
            unscaled: i128::from(*amount),
            precision: 19,
            scale: 4,
        }
    } else {
        Decimal {
            unscaled: i128::from(value.as_i64()?),
            precision: 19,
            scale: 0,
        }
    };
    if decimal.scale <= scale {
        let factor = 10i128.checked_pow(u32::from(scale - decimal.scale))?;
        decimal.unscaled.checked_mul(factor)
    } else {
        let factor = 10i128.checked_pow(u32::from(decimal.scale - scale))?;
        (decimal.unscaled % factor == 0).then_some(decimal.unscaled / factor)
    }
}

fn put_decimal(out: &mut Vec<u8>, unscaled: i128, precision: u8) {
    out.put_u8(u8::from(unscaled >= 0));
    let magnitude = unscaled.unsigned_abs().to_le_bytes();
    let length = usize::from(decimal_bytes(precision));
    out.put(magnitude.get(..length).unwrap_or(&magnitude));
}

fn put_money(out: &mut Vec<u8>, amount: i64) {
    let [a, b, c, d, e, f, g, h] = amount.to_le_bytes();
    out.put(&[e, f, g, h, a, b, c, d]);
}

fn put_date(out: &mut Vec<u8>, days: i32) -> Option<()> {
    if !(0..=LAST_DAY).contains(&days) {
        return None;
    }
    let [a, b, c, _] = days.to_le_bytes();
    out.put(&[a, b, c]);
    Some(())
}

fn put_time(out: &mut Vec<u8>, ticks: u64, scale: u8) -> Option<()> {
    if ticks >= DAY_TICKS {
        return None;
    }
    let units = (ticks / scale_factor(scale)).to_le_bytes();
    out.put(units.get(..usize::from(time_bytes(scale)))?);
    Some(())
}

/// 100 ns units in a unit of this scale.
fn scale_factor(scale: u8) -> u64 {
    10u64.pow(u32::from(7 - scale.min(7)))
}

fn encode_variant(out: &mut Vec<u8>, value: &Value, version: TdsVersion) -> Result<(), TdsError> {
    const TY: SqlType = SqlType::SqlVariant;
    if version < TdsVersion::V7_3A
        && let Some(ty) = temporal_type(value)
    {
        return encode_variant(out, &temporal_text(ty, value)?, version);
    }
    let mut base = Vec::new();
    let mut scalar = |head: &[u8], ty: SqlType| {
        base.put(head);
        encode_scalar(&mut base, ty, value)
    };
    match value {
        Value::Null => {}
        Value::Bit(_) => scalar(&[token::BIT, 0], SqlType::Bit)?,
        Value::TinyInt(_) => scalar(&[token::INT1, 0], SqlType::TinyInt)?,
        Value::SmallInt(_) => scalar(&[token::INT2, 0], SqlType::SmallInt)?,
        Value::Int(_) => scalar(&[token::INT4, 0], SqlType::Int)?,
        Value::BigInt(_) => scalar(&[token::INT8, 0], SqlType::BigInt)?,
        Value::Money(_) => scalar(&[token::MONEY, 0], SqlType::Money)?,
        Value::Real(_) => scalar(&[token::FLT4, 0], SqlType::Real)?,
        Value::Float(_) => scalar(&[token::FLT8, 0], SqlType::Float)?,
        Value::DateTime { .. } => scalar(&[token::DATETIME, 0], SqlType::DateTime)?,
        Value::Guid(_) => scalar(&[token::GUID, 0], SqlType::UniqueIdentifier)?,
        Value::Decimal(Decimal {
            precision, scale, ..
        }) => {
            let ty = SqlType::Decimal {
                precision: *precision,
                scale: *scale,
            };
            scalar(&[token::DECIMALN, 2, *precision, *scale], ty)?;
        }
        Value::Date(_) => scalar(&[token::DATEN, 0], SqlType::Date)?,
        Value::Time(_) => scalar(&[token::TIMEN, 1, 7], SqlType::Time(7))?,
        Value::DateTime2 { .. } => scalar(&[token::DATETIME2N, 1, 7], SqlType::DateTime2(7))?,
        Value::DateTimeOffset { .. } => {
            scalar(&[token::DATETIMEOFFSETN, 1, 7], SqlType::DateTimeOffset(7))?;
        }
        Value::String(text) => {
            base.put(&[token::NVARCHAR, 7]);
            base.put(&crate::charset::Collation::SERVER.0);
            base.put_u16(crate::types::LIMITED_BYTES_MAX);
            base.put_utf16(text);
            if base.len() > VARIANT_BYTES_MAX + 9 {
                return Err(TdsError::ValueRange { ty: TY });
            }
        }
        Value::Binary(bytes) => {
            if bytes.len() > VARIANT_BYTES_MAX {
                return Err(TdsError::ValueRange { ty: TY });
            }
            base.put(&[token::BIGVARBINARY, 2]);
            base.put_u16(crate::types::LIMITED_BYTES_MAX);
            base.put(bytes);
        }
        Value::Xml(_) => {
            return Err(TdsError::ValueKind {
                ty: TY,
                kind: kind(value),
            });
        }
    }
    out.put_u32(u32::try_from(base.len()).expect("a variant has at most 8009 bytes"));
    out.put(&base);
    Ok(())
}

/// The type that a date or time has inside a sql_variant.
fn temporal_type(value: &Value) -> Option<SqlType> {
    if matches!(value, Value::Date(_)) {
        Some(SqlType::Date)
    } else if matches!(value, Value::Time(_)) {
        Some(SqlType::Time(7))
    } else if matches!(value, Value::DateTime2 { .. }) {
        Some(SqlType::DateTime2(7))
    } else if matches!(value, Value::DateTimeOffset { .. }) {
        Some(SqlType::DateTimeOffset(7))
    } else {
        None
    }
}

fn is_temporal(ty: SqlType) -> bool {
    matches!(
        ty,
        SqlType::Date | SqlType::Time(_) | SqlType::DateTime2(_) | SqlType::DateTimeOffset(_)
    )
}

/// A date or time as text, for clients that do not know the type.
fn temporal_text(ty: SqlType, value: &Value) -> Result<Value, TdsError> {
    let range = TdsError::ValueRange { ty };
    let date = |days: i32| -> Result<String, TdsError> {
        if !(0..=LAST_DAY).contains(&days) {
            return Err(range.clone());
        }
        let (year, month, day) = civil(days);
        Ok(format!("{year:04}-{month:02}-{day:02}"))
    };
    let time = |ticks: u64, scale: u8| -> Result<String, TdsError> {
        if ticks >= DAY_TICKS {
            return Err(range.clone());
        }
        let seconds = ticks / 10_000_000;
        let mut text = format!(
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
        if scale > 0 {
            let fraction = ticks % 10_000_000 / scale_factor(scale);
            text.push_str(&format!(".{fraction:0width$}", width = usize::from(scale)));
        }
        Ok(text)
    };
    let text = match (ty, value) {
        (SqlType::Date, Value::Date(days)) => date(*days)?,
        (SqlType::Time(scale), Value::Time(ticks)) => time(*ticks, scale)?,
        (SqlType::DateTime2(scale), Value::DateTime2 { days, ticks }) => {
            format!("{} {}", date(*days)?, time(*ticks, scale)?)
        }
        (
            SqlType::DateTimeOffset(scale),
            Value::DateTimeOffset {
                days,
                ticks,
                offset_minutes,
            },
        ) => {
            let shift = i64::from(*offset_minutes) * 600_000_000;
            let local = i64::try_from(*ticks).map_err(|_| range.clone())? + shift;
            let day_ticks = i64::try_from(DAY_TICKS).expect("a day's ticks fit");
            let day = i64::from(*days) + local.div_euclid(day_ticks);
            let day = i32::try_from(day).map_err(|_| range.clone())?;
            let local = u64::try_from(local.rem_euclid(day_ticks)).map_err(|_| range.clone())?;
            let sign = if *offset_minutes < 0 { '-' } else { '+' };
            let offset = offset_minutes.unsigned_abs();
            format!(
                "{} {} {sign}{:02}:{:02}",
                date(day)?,
                time(local, scale)?,
                offset / 60,
                offset % 60
            )
        }
        _other => {
            return Err(TdsError::ValueKind {
                ty,
                kind: kind(value),
            });
        }
    };
    Ok(Value::String(text))
}

/// Year, month and day of a day counted from 0001-01-01, in the Gregorian calendar.
fn civil(days: i32) -> (i32, i32, i32) {
    // Counted from 0000-03-01, so that leap days end the year.
    let day = days + 306;
    let era = day.div_euclid(146_097);
    let day_of_era = day.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + i32::from(month <= 2);
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL",
        Value::Bit(_) => "bit",
        Value::TinyInt(_) => "tinyint",
        Value::SmallInt(_) => "smallint",
        Value::Int(_) => "int",
        Value::BigInt(_) => "bigint",
        Value::Decimal(_) => "decimal",
        Value::Money(_) => "money",
        Value::Real(_) => "real",
        Value::Float(_) => "float",
        Value::String(_) => "string",
        Value::Binary(_) => "binary",
        Value::Date(_) => "date",
        Value::Time(_) => "time",
        Value::DateTime { .. } => "datetime",
        Value::DateTime2 { .. } => "datetime2",
        Value::DateTimeOffset { .. } => "datetimeoffset",
        Value::Guid(_) => "uniqueidentifier",
        Value::Xml(_) => "xml",
    }
}

/// Reads a value announced by `info`.
///
/// # Errors
/// [`TdsError::Truncated`] when bytes are missing; [`TdsError::Invalid`] for a length or contents that the
/// type does not allow.
pub(crate) fn decode_value(
    reader: &mut Reader<'_>,
    info: TypeInfo,
    place: Place,
) -> Result<Value, TdsError> {
    let bytes = match info.frame {
        Frame::Nothing => return Ok(Value::Null),
        Frame::Fixed(length) => reader.take(usize::from(length))?,
        Frame::ByteLength => match reader.u8()? {
            0 => return Ok(Value::Null),
            length => reader.take(usize::from(length))?,
        },
        Frame::ShortLength => match reader.u16()? {
            u16::MAX => return Ok(Value::Null),
            length => reader.take(usize::from(length))?,
        },
        Frame::Long => {
            if place == Place::Row {
                match reader.u8()? {
                    0 => return Ok(Value::Null),
                    pointer => reader.take(usize::from(pointer) + 8)?,
                };
            }
            match reader.u32()? {
                u32::MAX => return Ok(Value::Null),
                length => {
                    let length = i32::try_from(length)
                        .ok()
                        .and_then(|length| usize::try_from(length).ok())
                        .ok_or_else(|| reader.invalid(length))?;
                    reader.take(length)?
                }
            }
        }
        Frame::Chunks => {
            let mut chunks = Chunks::default();
            chunks.advance(reader)?;
            return chunks.finish(info);
        }
        Frame::Variant => {
            let length = reader.size32()?;
            if length == 0 {
                return Ok(Value::Null);
            }
            let part = reader.part(length)?;
            return decode_variant(part).map_err(Reader::closed);
        }
    };
    interpret(info.ty, info.charset, bytes)
}

/// A value in chunks that may arrive in pieces.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    // None: the total has not been read yet.
    total: Option<u64>,
    data: Vec<u8>,
}

impl Chunks {
    /// Uses up whole chunks.
    ///
    /// # Errors
    /// [`TdsError::Truncated`] when the end has not come yet: what was used is kept, and the reader stands
    /// behind it. [`TdsError::Invalid`] when the chunks contradict the announced total.
    pub(crate) fn advance(&mut self, reader: &mut Reader<'_>) -> Result<(), TdsError> {
        let total = match self.total {
            Some(total) => total,
            None => *self.total.insert(reader.u64()?),
        };
        if total == PLP_NULL {
            return Ok(());
        }
        loop {
            let mut ahead = *reader;
            let length = ahead.size32()?;
            let chunk = ahead.take(length)?;
            *reader = ahead;
            if length == 0 {
                let found = u64::try_from(self.data.len()).unwrap_or(u64::MAX);
                return if total == PLP_UNKNOWN || total == found {
                    Ok(())
                } else {
                    Err(reader.invalid(total))
                };
            }
            self.data.put(chunk);
        }
    }

    /// The value, after [`Chunks::advance`] has succeeded.
    pub(crate) fn finish(self, info: TypeInfo) -> Result<Value, TdsError> {
        if self.total == Some(PLP_NULL) {
            return Ok(Value::Null);
        }
        if let SqlType::VarBinary(_) = info.ty {
            return Ok(Value::Binary(self.data));
        }
        interpret(info.ty, info.charset, &self.data)
    }
}

fn decode_variant(mut reader: Reader<'_>) -> Result<Value, TdsError> {
    let base = reader.u8()?;
    let properties_length = reader.u8()?;
    let mut properties = reader.part(usize::from(properties_length))?;
    let mut charset = Charset::Cp1252;
    let ty = match base {
        token::BIT => SqlType::Bit,
        token::INT1 => SqlType::TinyInt,
        token::INT2 => SqlType::SmallInt,
        token::INT4 => SqlType::Int,
        token::INT8 => SqlType::BigInt,
        token::FLT4 => SqlType::Real,
        token::FLT8 => SqlType::Float,
        token::MONEY4 => SqlType::SmallMoney,
        token::MONEY => SqlType::Money,
        token::DATETIM4 => SqlType::SmallDateTime,
        token::DATETIME => SqlType::DateTime,
        token::GUID => SqlType::UniqueIdentifier,
        token::DATEN => SqlType::Date,
        token::TIMEN | token::DATETIME2N | token::DATETIMEOFFSETN => {
            let scale = properties.u8()?;
            if scale > 7 {
                return Err(properties.invalid(scale));
            }
            match base {
                token::TIMEN => SqlType::Time(scale),
                token::DATETIME2N => SqlType::DateTime2(scale),
                _ => SqlType::DateTimeOffset(scale),
            }
        }
        token::DECIMALN | token::NUMERICN => {
            let (precision, scale) = (properties.u8()?, properties.u8()?);
            if !(1..=38).contains(&precision) || scale > precision {
                return Err(properties.invalid(precision));
            }
            SqlType::Decimal { precision, scale }
        }
        token::BIGVARBINARY | token::BIGBINARY => SqlType::varbinary(1),
        token::BIGVARCHAR | token::BIGCHAR => {
            charset = crate::charset::Collation(properties.array()?).charset();
            SqlType::varchar(1)
        }
        token::NVARCHAR | token::NCHAR => SqlType::nvarchar(1),
        other => return Err(TdsError::UnknownType(other)),
    };
    interpret(ty, charset, reader.take(reader.remaining())?)
}

/// The value of type `ty` in exactly these bytes.
fn interpret(ty: SqlType, charset: Charset, bytes: &[u8]) -> Result<Value, TdsError> {
    let mut reader = Reader::new(bytes, "value");
    let value = interpret_from(&mut reader, ty, charset).map_err(Reader::closed)?;
    if reader.is_empty() {
        Ok(value)
    } else {
        Err(reader.invalid(u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
    }
}

fn interpret_from(
    reader: &mut Reader<'_>,
    ty: SqlType,
    charset: Charset,
) -> Result<Value, TdsError> {
    Ok(match ty {
        SqlType::Bit => Value::Bit(reader.u8()? != 0),
        SqlType::TinyInt => Value::TinyInt(reader.u8()?),
        SqlType::SmallInt => Value::SmallInt(i16::from_le_bytes(reader.array()?)),
        SqlType::Int => Value::Int(reader.i32()?),
        SqlType::BigInt => Value::BigInt(i64::from_le_bytes(reader.array()?)),
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
            let positive = reader.u8()? != 0;
            let length = reader.remaining();
            // FreeTDS sends as many bytes as the precision needs, not the four lengths of the specification.
            if !(1..=DECIMAL_BYTES_MAX).contains(&length) {
                return Err(reader.invalid(u64::try_from(length).unwrap_or(u64::MAX)));
            }
            let mut magnitude = [0; DECIMAL_BYTES_MAX];
            if let Some(place) = magnitude.get_mut(..length) {
                place.copy_from_slice(reader.take(length)?);
            }
            let magnitude = u128::from_le_bytes(magnitude);
            let unscaled = i128::try_from(magnitude)
                .ok()
                .filter(|_| magnitude < DECIMAL_LIMIT)
                .ok_or_else(|| reader.invalid(u64::MAX))?;
            Value::Decimal(Decimal {
                unscaled: if positive { unscaled } else { -unscaled },
                precision,
                scale,
            })
        }
        SqlType::SmallMoney => Value::Money(i64::from(reader.i32()?)),
        SqlType::Money => {
            let [e, f, g, h, a, b, c, d] = reader.array()?;
            Value::Money(i64::from_le_bytes([a, b, c, d, e, f, g, h]))
        }
        SqlType::Real => {
            let number = f32::from_le_bytes(reader.array()?);
            if !number.is_finite() {
                return Err(reader.invalid(number.to_bits()));
            }
            Value::Real(number)
        }
        SqlType::Float => {
            let number = f64::from_le_bytes(reader.array()?);
            if !number.is_finite() {
                return Err(reader.invalid(number.to_bits()));
            }
            Value::Float(number)
        }
        SqlType::Char(_) | SqlType::VarChar(_) | SqlType::Text => {
            Value::String(charset.decode(reader.take(reader.remaining())?))
        }
        SqlType::NChar(_) | SqlType::NVarChar(_) | SqlType::NText => {
            Value::String(utf16_text(reader.take(reader.remaining())?))
        }
        SqlType::Xml => {
            let text = utf16_text(reader.take(reader.remaining())?);
            Value::Xml(match text.strip_prefix('\u{FEFF}') {
                Some(rest) => rest.to_owned(),
                None => text,
            })
        }
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image => {
            Value::Binary(reader.take(reader.remaining())?.to_vec())
        }
        SqlType::Date => Value::Date(read_date(reader)?),
        SqlType::Time(scale) => Value::Time(read_time(reader, scale)?),
        SqlType::DateTime2(scale) => {
            let ticks = read_time(reader, scale)?;
            let days = read_date(reader)?;
            Value::DateTime2 { days, ticks }
        }
        SqlType::DateTimeOffset(scale) => {
            let ticks = read_time(reader, scale)?;
            let days = read_date(reader)?;
            let offset_minutes = i16::from_le_bytes(reader.array()?);
            if offset_minutes.unsigned_abs() > 840 {
                return Err(reader.invalid(offset_minutes.unsigned_abs()));
            }
            Value::DateTimeOffset {
                days,
                ticks,
                offset_minutes,
            }
        }
        SqlType::SmallDateTime => {
            let days = reader.u16()?;
            let minutes = reader.u16()?;
            if minutes >= 1_440 {
                return Err(reader.invalid(minutes));
            }
            Value::DateTime {
                days: i32::from(days),
                ticks: u32::from(minutes) * MINUTE_THREE_HUNDREDTHS,
            }
        }
        SqlType::DateTime => {
            let days = reader.i32()?;
            let ticks = reader.u32()?;
            if !DATETIME_DAYS.contains(&days) || ticks >= DAY_THREE_HUNDREDTHS {
                return Err(reader.invalid(ticks));
            }
            Value::DateTime { days, ticks }
        }
        SqlType::UniqueIdentifier => Value::Guid(Uuid::from_bytes_le(reader.array()?)),
        SqlType::SqlVariant => return Err(TdsError::UnknownType(token::SSVARIANT)),
    })
}

fn read_date(reader: &mut Reader<'_>) -> Result<i32, TdsError> {
    let [a, b, c] = reader.array()?;
    let days = i32::from_le_bytes([a, b, c, 0]);
    if days > LAST_DAY {
        return Err(reader.invalid(days.unsigned_abs()));
    }
    Ok(days)
}

fn read_time(reader: &mut Reader<'_>, scale: u8) -> Result<u64, TdsError> {
    let bytes = reader.take(usize::from(time_bytes(scale)))?;
    let mut units = [0; 8];
    if let Some(place) = units.get_mut(..bytes.len()) {
        place.copy_from_slice(bytes);
    }
    let units = u64::from_le_bytes(units);
    units
        .checked_mul(scale_factor(scale))
        .filter(|ticks| *ticks < DAY_TICKS)
        .ok_or_else(|| reader.invalid(units))
}

#[cfg(test)]
pub(crate) mod tests;
