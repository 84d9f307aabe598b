//! Conversions between T-SQL types: what CAST, CONVERT, assignment and comparison do to values.
//!
//! Source: Transact-SQL reference, "CAST and CONVERT", "Data type conversion".

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a rule names the few of thirty types that it treats apart, and says what holds for the rest"
)]

mod binary;
pub mod calendar;
mod date_text;
mod number;
mod rules;
mod text;

pub(crate) use binary::hex;
pub(crate) use date_text::MONTHS;
pub use date_text::{DateOrder, format_datetime_like};
pub use number::{decimal_from_parts, decimal_to_f64, integer_precision, pow10, rescale};
pub(crate) use rules::exact_shape;
pub use rules::{Allowed, allowed, common_type, is_date_or_time, is_number, precedence};
pub(crate) use text::{char_of_1252, code_1252};
pub use text::{cut, encode_1252, format_float, format_guid, format_money, text_of, text_units};

use crate::error::SqlError;
use crate::fault;
use crate::types::{Length, SqlType};
use crate::value::Value;

/// What a conversion depends on besides its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Third argument of CONVERT; 0 when not given.
    pub number: i32,
    /// Whether the style was written, since some types have another default.
    pub given: bool,
    /// SET DATEFORMAT.
    pub order: DateOrder,
}

impl Style {
    /// The style of CAST and of implicit conversions.
    pub const PLAIN: Self = Self {
        number: 0,
        given: false,
        order: DateOrder::MonthDayYear,
    };

    /// CONVERT's style.
    #[must_use]
    pub const fn numbered(number: i32) -> Self {
        Self {
            number,
            given: true,
            order: DateOrder::MonthDayYear,
        }
    }
}

/// Converts as CAST and CONVERT do: strings and binaries that are too long are cut in silence.
///
/// # Errors
/// 245, 248, 244, 8114, 8115, 220, 241, 242, 8169, 235, 281 for values that do not convert, 529 for types that
/// never do.
pub fn convert(value: Value, from: SqlType, to: SqlType, style: Style) -> Result<Value, SqlError> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    if let SqlType::SqlVariant = to {
        return Ok(value);
    }
    let from = if let SqlType::SqlVariant = from {
        type_of(&value)
    } else {
        from
    };
    match to {
        SqlType::Bit | SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => {
            number::to_integer(value, from, to)
        }
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
            number::to_decimal(value, from, precision, scale)
        }
        SqlType::Money | SqlType::SmallMoney => number::to_money(value, from, to),
        SqlType::Real | SqlType::Float => number::to_float(value, from, to),
        SqlType::Char(_)
        | SqlType::VarChar(_)
        | SqlType::Text
        | SqlType::NChar(_)
        | SqlType::NVarChar(_)
        | SqlType::NText
        | SqlType::Xml => text::to_text(value, from, to, style),
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image => {
            binary::to_binary(value, from, to, style)
        }
        SqlType::Date
        | SqlType::Time(_)
        | SqlType::SmallDateTime
        | SqlType::DateTime
        | SqlType::DateTime2(_)
        | SqlType::DateTimeOffset(_) => date_text::to_datetime_like(value, from, to, style),
        SqlType::UniqueIdentifier => to_guid(value, from),
        SqlType::SqlVariant => Ok(value),
    }
}

/// Converts as an assignment to a column does: what would be cut is an error, trailing blanks aside.
///
/// # Errors
/// As [`convert`], and 8152.
pub fn assign_to_column(
    value: Value,
    from: SqlType,
    to: SqlType,
    style: Style,
) -> Result<Value, SqlError> {
    if let (Value::String(text), Some(limit)) = (&value, text::limit_of(to)) {
        let kept = text.trim_end_matches(' ');
        if text::text_units(kept, to) > limit {
            return Err(fault::truncated());
        }
    }
    if let (Value::Binary(bytes), SqlType::VarBinary(Length::Limited(n)) | SqlType::Binary(n)) =
        (&value, to)
        && bytes.len() > usize::from(n)
    {
        return Err(fault::truncated());
    }
    convert(value, from, to, style)
}

/// The type that a value shows by itself, for values inside sql_variant.
#[must_use]
pub fn type_of(value: &Value) -> SqlType {
    match value {
        Value::Null | Value::Int(_) => SqlType::Int,
        Value::Bit(_) => SqlType::Bit,
        Value::TinyInt(_) => SqlType::TinyInt,
        Value::SmallInt(_) => SqlType::SmallInt,
        Value::BigInt(_) => SqlType::BigInt,
        Value::Decimal(d) => SqlType::Numeric {
            precision: d.precision,
            scale: d.scale,
        },
        Value::Money(_) => SqlType::Money,
        Value::Real(_) => SqlType::Real,
        Value::Float(_) => SqlType::Float,
        Value::String(text) => SqlType::NVarChar(Length::Limited(
            u16::try_from(text.encode_utf16().count().clamp(1, 4000)).unwrap_or(4000),
        )),
        Value::Binary(bytes) => SqlType::VarBinary(Length::Limited(
            u16::try_from(bytes.len().clamp(1, 8000)).unwrap_or(8000),
        )),
        Value::Date(_) => SqlType::Date,
        Value::Time(_) => SqlType::Time(7),
        Value::DateTime { .. } => SqlType::DateTime,
        Value::DateTime2 { .. } => SqlType::DateTime2(7),
        Value::DateTimeOffset { .. } => SqlType::DateTimeOffset(7),
        Value::Guid(_) => SqlType::UniqueIdentifier,
        Value::Xml(_) => SqlType::Xml,
    }
}

fn to_guid(value: Value, from: SqlType) -> Result<Value, SqlError> {
    match value {
        Value::Guid(_) => Ok(value),
        Value::String(text) => parse_guid(&text)
            .map(Value::Guid)
            .ok_or_else(fault::bad_guid),
        Value::Binary(bytes) => {
            // Source: uniqueidentifier's first three groups are little-endian in binary form.
            let mut id = [0_u8; 16];
            if bytes.len() > id.len() {
                return Err(fault::bad_guid());
            }
            for (slot, byte) in id.iter_mut().zip(&bytes) {
                *slot = *byte;
            }
            Ok(Value::Guid(uuid::Uuid::from_bytes_le(id)))
        }
        Value::Null
        | Value::Bit(_)
        | Value::TinyInt(_)
        | Value::SmallInt(_)
        | Value::Int(_)
        | Value::BigInt(_)
        | Value::Decimal(_)
        | Value::Money(_)
        | Value::Real(_)
        | Value::Float(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::DateTime { .. }
        | Value::DateTime2 { .. }
        | Value::DateTimeOffset { .. }
        | Value::Xml(_) => Err(fault::explicit_not_allowed(from, SqlType::UniqueIdentifier)),
    }
}

/// Reads a uniqueidentifier in its usual form, with or without braces; what follows 36 characters is ignored.
fn parse_guid(text: &str) -> Option<uuid::Uuid> {
    const PLAIN: usize = 36;
    let text = text.trim_start_matches(' ');
    let inner = match text.strip_prefix('{') {
        Some(rest) => {
            if rest.as_bytes().get(PLAIN) != Some(&b'}') {
                return None;
            }
            rest
        }
        None => text,
    };
    let plain = inner.get(..PLAIN)?;
    let dashes = [8, 13, 18, 23];
    let shaped = plain.bytes().enumerate().all(|(at, byte)| {
        if dashes.contains(&at) {
            byte == b'-'
        } else {
            byte.is_ascii_hexdigit()
        }
    });
    if shaped {
        uuid::Uuid::try_parse(plain).ok()
    } else {
        None
    }
}
