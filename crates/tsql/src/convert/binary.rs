//! Conversions to and from binary strings.

use super::{Style, text};
use crate::error::SqlError;
use crate::fault;
use crate::types::{Length, SqlType};
use crate::value::Value;

/// The number whose big-endian bytes end in these; at most `width` bytes count, sign included.
pub(super) fn to_i64(bytes: &[u8], width: usize) -> i64 {
    let tail = &bytes[bytes.len().saturating_sub(width)..];
    let signed = tail.len() == width && width > 1;
    let negative = signed && tail.first().is_some_and(|byte| byte & 0x80 != 0);
    let start: i64 = if negative { -1 } else { 0 };
    tail.iter()
        .fold(start, |sum, byte| (sum << 8) | i64::from(*byte))
}

/// Bytes as a string: characters for style 0, `0x…` for 1, bare digits for 2.
pub(super) fn to_text(
    bytes: &[u8],
    from: SqlType,
    to: SqlType,
    style: Style,
) -> Result<String, SqlError> {
    match style.number {
        0 if text::is_unicode(to) => {
            let units: Vec<u16> = bytes
                .chunks(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]))
                .collect();
            Ok(String::from_utf16_lossy(&units))
        }
        0 => Ok(text::decode_1252(bytes)),
        1 => Ok(format!("0x{}", hex(bytes))),
        2 => Ok(hex(bytes)),
        other => Err(fault::bad_style(other, from)),
    }
}

/// Upper-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

pub(super) fn to_binary(
    value: Value,
    from: SqlType,
    to: SqlType,
    style: Style,
) -> Result<Value, SqlError> {
    // Numbers keep their last bytes when cut, everything else its first.
    let numeric = matches!(
        value,
        Value::Bit(_)
            | Value::TinyInt(_)
            | Value::SmallInt(_)
            | Value::Int(_)
            | Value::BigInt(_)
            | Value::Money(_)
            | Value::Real(_)
            | Value::Float(_)
            | Value::DateTime { .. }
    );
    let mut bytes = match value {
        Value::Null => return Ok(Value::Null),
        Value::Binary(bytes) => bytes,
        Value::String(text) | Value::Xml(text) => match style.number {
            1 | 2 => from_hex(&text, style.number == 1)
                .ok_or_else(|| fault::error_converting(from, to))?,
            _ if text::is_unicode(from) => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            _ => text::encode_1252(&text),
        },
        other => plain_bytes(&other),
    };
    let (limit, fixed) = match to {
        SqlType::Binary(n) => (usize::from(n), true),
        SqlType::VarBinary(Length::Limited(n)) => (usize::from(n), false),
        _ => (usize::MAX, false),
    };
    if bytes.len() > limit {
        if numeric {
            bytes.drain(..bytes.len() - limit);
        } else {
            bytes.truncate(limit);
        }
    } else if fixed && numeric {
        let missing = limit - bytes.len();
        bytes.splice(0..0, std::iter::repeat_n(0, missing));
    } else if fixed {
        bytes.resize(limit, 0);
    }
    Ok(Value::Binary(bytes))
}

fn plain_bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::Bit(v) => vec![u8::from(*v)],
        Value::TinyInt(v) => vec![*v],
        Value::SmallInt(v) => v.to_be_bytes().to_vec(),
        Value::Int(v) => v.to_be_bytes().to_vec(),
        Value::BigInt(v) | Value::Money(v) => v.to_be_bytes().to_vec(),
        Value::Real(v) => v.to_be_bytes().to_vec(),
        Value::Float(v) => v.to_be_bytes().to_vec(),
        Value::Decimal(d) => {
            let width = match d.precision {
                0..=9 => 4,
                10..=19 => 8,
                20..=28 => 12,
                _ => 16,
            };
            let mut bytes = vec![d.precision, d.scale, 0, u8::from(d.unscaled >= 0)];
            bytes.extend_from_slice(&d.unscaled.unsigned_abs().to_le_bytes()[..width]);
            bytes
        }
        Value::Guid(id) => id.to_bytes_le().to_vec(),
        Value::DateTime { days, ticks } => {
            let mut bytes = days.to_be_bytes().to_vec();
            bytes.extend_from_slice(&ticks.to_be_bytes());
            bytes
        }
        Value::Date(days) => days.to_le_bytes()[..3].to_vec(),
        Value::Time(ticks) => time_bytes(*ticks),
        Value::DateTime2 { days, ticks } => {
            let mut bytes = time_bytes(*ticks);
            bytes.extend_from_slice(&days.to_le_bytes()[..3]);
            bytes
        }
        Value::DateTimeOffset {
            days,
            ticks,
            offset_minutes,
        } => {
            let mut bytes = time_bytes(*ticks);
            bytes.extend_from_slice(&days.to_le_bytes()[..3]);
            bytes.extend_from_slice(&offset_minutes.to_le_bytes());
            bytes
        }
        Value::Binary(bytes) => bytes.clone(),
        Value::Null | Value::String(_) | Value::Xml(_) => Vec::new(),
    }
}

/// Digits of the fraction, and five bytes of 100 ns units.
fn time_bytes(ticks: u64) -> Vec<u8> {
    let mut bytes = vec![7];
    bytes.extend_from_slice(&ticks.to_le_bytes()[..5]);
    bytes
}

fn from_hex(text: &str, prefixed: bool) -> Option<Vec<u8>> {
    let text = text.trim_end_matches(' ');
    let digits = if prefixed {
        text.strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))?
    } else {
        text
    };
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok())
        .collect()
}
