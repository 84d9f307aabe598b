//! Conversions to character strings.

use super::{Style, binary, date_text, number};
use crate::error::SqlError;
use crate::fault;
use crate::messages;
use crate::types::{Length, SqlType};
use crate::value::Value;

/// Length of a text in the units of a type: UTF-16 units for `n…` types, bytes of code page 1252 for others.
#[must_use]
pub fn text_units(text: &str, ty: SqlType) -> usize {
    if text.is_ascii() {
        text.len()
    } else if is_unicode(ty) {
        text.encode_utf16().count()
    } else {
        text.chars().count()
    }
}

/// The first `units` units of a text, never half a character.
#[must_use]
pub fn cut(text: &str, units: usize, ty: SqlType) -> &str {
    if text.is_ascii() {
        return text.get(..units.min(text.len())).unwrap_or(text);
    }
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += if is_unicode(ty) { c.len_utf16() } else { 1 };
        if used > units {
            return &text[..at];
        }
    }
    text
}

/// A value's text under the plain style: what PRINT, `+` and string functions see.
#[must_use]
pub fn text_of(value: &Value, from: SqlType) -> String {
    render(value, from, Style::PLAIN).unwrap_or_default()
}

/// The bytes of a text in code page 1252; a question mark for what it lacks.
#[must_use]
pub fn encode_1252(text: &str) -> Vec<u8> {
    text.chars().map(code_1252).collect()
}

pub(super) const fn is_unicode(ty: SqlType) -> bool {
    matches!(
        ty,
        SqlType::NChar(_) | SqlType::NVarChar(_) | SqlType::NText | SqlType::Xml
    )
}

/// Most units a string of this type may have; `None` without a bound.
pub(super) fn limit_of(ty: SqlType) -> Option<usize> {
    match ty {
        SqlType::Char(n)
        | SqlType::NChar(n)
        | SqlType::VarChar(Length::Limited(n))
        | SqlType::NVarChar(Length::Limited(n)) => Some(usize::from(n)),
        _ => None,
    }
}

/// Characters of code page 1252 between 0x80 and 0x9F.
const HIGH_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The code of a character in code page 1252, as ASCII() gives it.
pub(crate) fn code_1252(c: char) -> u8 {
    let code = u32::from(c);
    if code < 0x80 || (0xa0..=0xff).contains(&code) {
        return u8::try_from(code).unwrap_or(b'?');
    }
    HIGH_1252
        .iter()
        .position(|known| *known == c)
        .and_then(|at| u8::try_from(0x80 + at).ok())
        .unwrap_or(b'?')
}

/// The character of a code of code page 1252, as CHAR() gives it.
pub(crate) fn char_of_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH_1252[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

pub(super) fn decode_1252(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char_of_1252).collect()
}

pub(super) fn to_text(
    value: Value,
    from: SqlType,
    to: SqlType,
    style: Style,
) -> Result<Value, SqlError> {
    if to == SqlType::Xml {
        return to_xml(value, from, style);
    }
    let text = match value {
        Value::String(text) if is_unicode(from) && !is_unicode(to) && !text.is_ascii() => {
            decode_1252(&encode_1252(&text))
        }
        Value::String(text) => text,
        Value::Binary(bytes) => binary::to_text(&bytes, from, to, style)?,
        other => {
            let text = render(&other, from, style)?;
            if let Some(limit) = limit_of(to)
                && text.len() > limit
            {
                return too_long(&other, from, to, &text, limit);
            }
            text
        }
    };
    let Some(limit) = limit_of(to) else {
        return Ok(Value::String(text));
    };
    let units = text_units(&text, to);
    let mut text = if units > limit {
        cut(&text, limit, to).to_owned()
    } else {
        text
    };
    if let SqlType::Char(_) | SqlType::NChar(_) = to {
        text.extend(std::iter::repeat_n(' ', limit.saturating_sub(units)));
    }
    Ok(Value::String(text))
}

/// Strings and binaries are read; bytes are UTF-8, or UTF-16 when they begin with its mark.
fn to_xml(value: Value, from: SqlType, style: Style) -> Result<Value, SqlError> {
    let (text, from) = match value {
        Value::Xml(text) => return Ok(Value::Xml(text)),
        Value::Binary(bytes) => match bytes.strip_prefix(&[0xff, 0xfe]) {
            Some(wide) => {
                let units: Vec<u16> = wide
                    .chunks_exact(2)
                    .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                    .collect();
                (String::from_utf16_lossy(&units), SqlType::NVARCHAR_MAX)
            }
            None => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                (text, SqlType::VarChar(Length::Max))
            }
        },
        other => (render(&other, from, style)?, from),
    };
    crate::xml::parse(&text, from, style.number).map(Value::Xml)
}

/// Numbers that do not fit are an error, or a star for the small integers in non-Unicode strings; dates are cut.
fn too_long(
    value: &Value,
    from: SqlType,
    to: SqlType,
    text: &str,
    limit: usize,
) -> Result<Value, SqlError> {
    match value {
        Value::TinyInt(_) | Value::SmallInt(_) | Value::Int(_) if !is_unicode(to) => {
            let width = if let SqlType::Char(n) = to {
                usize::from(n)
            } else {
                1
            };
            Ok(Value::String(format!("{:<width$}", "*")))
        }
        Value::Guid(_) => Err(messages::GUID_TO_CHAR.with(&[]).with_state(2)),
        Value::Money(_) => Err(messages::MONEY_TO_CHAR.with(&[to.name()]).with_state(2)),
        Value::TinyInt(_)
        | Value::SmallInt(_)
        | Value::Int(_)
        | Value::BigInt(_)
        | Value::Decimal(_)
        | Value::Real(_)
        | Value::Float(_) => Err(fault::overflow_converting(from.name(), to)),
        Value::Date(_)
        | Value::Time(_)
        | Value::DateTime { .. }
        | Value::DateTime2 { .. }
        | Value::DateTimeOffset { .. }
        | Value::String(_)
        | Value::Binary(_)
        | Value::Xml(_)
        | Value::Null
        | Value::Bit(_) => Ok(Value::String(cut(text, limit, to).to_owned())),
    }
}

fn render(value: &Value, from: SqlType, style: Style) -> Result<String, SqlError> {
    Ok(match value {
        Value::Null => String::new(),
        Value::Bit(v) => u8::from(*v).to_string(),
        Value::TinyInt(v) => v.to_string(),
        Value::SmallInt(v) => v.to_string(),
        Value::Int(v) => v.to_string(),
        Value::BigInt(v) => v.to_string(),
        Value::Decimal(d) => number::text_of_decimal(*d),
        Value::Money(v) => format_money(*v, style.number),
        Value::Real(v) => format_float(f64::from(*v), style.number, true),
        Value::Float(v) => format_float(*v, style.number, false),
        Value::String(text) | Value::Xml(text) => text.clone(),
        Value::Binary(bytes) => binary::to_text(bytes, from, SqlType::varchar(8000), style)?,
        Value::Guid(id) => format_guid(*id),
        Value::Date(_)
        | Value::Time(_)
        | Value::DateTime { .. }
        | Value::DateTime2 { .. }
        | Value::DateTimeOffset { .. } => {
            return date_text::format_datetime_like(value, from, style);
        }
    })
}

/// A uniqueidentifier as SQL Server shows it: capitals, dashes, no braces.
#[must_use]
pub fn format_guid(id: uuid::Uuid) -> String {
    let mut buffer = uuid::Uuid::encode_buffer();
    id.hyphenated().encode_upper(&mut buffer).to_owned()
}

/// Money under CONVERT's styles: 0 two digits, 1 with commas, 2 and 126 four digits.
#[must_use]
pub fn format_money(units: i64, style: i32) -> String {
    let digits = if matches!(style, 2 | 126) { 4 } else { 2 };
    let scaled = number::rescale(i128::from(units), 4, digits).unwrap_or_default();
    let sign = if scaled < 0 { "-" } else { "" };
    let divisor = number::pow10(digits).unsigned_abs();
    let magnitude = scaled.unsigned_abs();
    let plain = (magnitude / divisor).to_string();
    let whole = if style == 1 {
        with_commas(&plain)
    } else {
        plain
    };
    format!(
        "{sign}{whole}.{fraction:0>width$}",
        fraction = magnitude % divisor,
        width = usize::from(digits)
    )
}

fn with_commas(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A float under CONVERT's styles: 0 six digits at most, 1 eight in scientific form, 2 sixteen, 3 seventeen.
#[must_use]
pub fn format_float(value: f64, style: i32, single: bool) -> String {
    match style {
        1 => scientific(value, 7),
        2 => scientific(value, if single { 8 } else { 15 }),
        3 => scientific(value, if single { 8 } else { 16 }),
        _ => general(value, 6),
    }
}

/// C's `%g` with `digits` significant digits and an exponent of three digits.
fn general(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let text = format!("{value:.width$e}", width = digits - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let most = i32::try_from(digits).unwrap_or(i32::MAX);
    if (-4..most).contains(&exponent) {
        let after = usize::try_from(most - 1 - exponent).unwrap_or(0);
        strip_zeros(&format!("{value:.after$}"))
    } else {
        format!("{}{}", strip_zeros(mantissa), exponent_text(exponent))
    }
}

fn scientific(value: f64, after: usize) -> String {
    let text = format!("{value:.after$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{mantissa}{}", exponent_text(exponent.parse().unwrap_or(0)))
}

fn exponent_text(exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("e{sign}{:03}", exponent.unsigned_abs())
}

fn strip_zeros(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}
