//! What the text of a token means.

use crate::ast::Literal;
use crate::error::SqlError;
use crate::messages;
use crate::value::Decimal;

/// Most digits of a `decimal`.
const DECIMAL_PRECISION_MAX: usize = 38;

/// Digits of money after the point.
const MONEY_SCALE: usize = 4;

/// The name inside `[…]` or `"…"`, with doubled marks undone.
pub(crate) fn quoted_name(token: &str) -> String {
    let inner = inner(token);
    match token.as_bytes().first() {
        Some(b'[') if inner.contains("]]") => inner.replace("]]", "]"),
        Some(b'"') if inner.contains("\"\"") => inner.replace("\"\"", "\""),
        _ => inner.to_owned(),
    }
}

/// The text inside `'…'`, `N'…'` or `"…"`, with doubled quotes undone and a backslash at the end of a
/// line joined with the next line.
pub(crate) fn string_literal(token: &str) -> String {
    let token = token.strip_prefix(['N', 'n']).unwrap_or(token);
    let inner = inner(token);
    let mut text = match token.as_bytes().first() {
        Some(b'"') if inner.contains("\"\"") => inner.replace("\"\"", "\""),
        Some(b'\'') if inner.contains("''") => inner.replace("''", "'"),
        _ => inner.to_owned(),
    };
    if text.contains("\\\n") || text.contains("\\\r\n") {
        text = text.replace("\\\r\n", "").replace("\\\n", "");
    }
    text
}

/// The token without its first and last byte, which are ASCII marks.
fn inner(token: &str) -> &str {
    let end = token.len().saturating_sub(1);
    token.get(1..end).unwrap_or_default()
}

/// The bytes of `0x…`; an odd number of digits gains a leading zero.
pub(crate) fn binary_literal(token: &str) -> Vec<u8> {
    let digits = token.as_bytes().get(2..).unwrap_or_default();
    let mut bytes = Vec::with_capacity(digits.len().div_ceil(2));
    let (first, rest) = digits.split_at(digits.len() % 2);
    if let [digit] = first {
        bytes.push(nibble(*digit));
    }
    for pair in rest.chunks_exact(2) {
        if let [high, low] = pair {
            bytes.push((nibble(*high) << 4) | nibble(*low));
        }
    }
    bytes
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// A number: `int` where it fits and has no point, else `decimal`; `float` with an exponent.
///
/// # Errors
/// 1007 for more than 38 digits, 168 for an exponent out of range.
pub(crate) fn number_literal(token: &str, float: bool, line: u32) -> Result<Literal, SqlError> {
    if float {
        let text = token.trim_end_matches(['e', 'E']);
        return match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Literal::Float(value)),
            _ => Err(messages::FLOAT_OVERFLOW.at(line, &[token])),
        };
    }
    if let Ok(value) = token.parse::<i32>() {
        return Ok(Literal::Int(value));
    }
    let (whole, fraction) = token.split_once('.').unwrap_or((token, ""));
    let whole = whole.trim_start_matches('0');
    let digits = whole.len() + fraction.len();
    if digits > DECIMAL_PRECISION_MAX {
        let limit = DECIMAL_PRECISION_MAX.to_string();
        return Err(messages::NUMBER_OUT_OF_RANGE.at(line, &[token, &limit]));
    }
    let unscaled = format!("0{whole}{fraction}").parse().unwrap_or_default();
    Ok(Literal::Decimal(Decimal {
        unscaled,
        precision: u8::try_from(digits.max(1)).unwrap_or(u8::MAX),
        scale: u8::try_from(fraction.len()).unwrap_or(u8::MAX),
    }))
}

/// Money, rounded to four digits after the point; `None` when it is out of range.
pub(crate) fn money_literal(token: &str) -> Option<i64> {
    let digits = token.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '.');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let kept = fraction.chars().chain("0000".chars()).take(MONEY_SCALE);
    let kept: String = whole.chars().chain(kept).collect();
    let next = fraction.as_bytes().get(MONEY_SCALE);
    let up = next.is_some_and(|digit| *digit >= b'5');
    kept.parse::<i64>().ok()?.checked_add(i64::from(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_undone() {
        assert_eq!(quoted_name("[a]]b\"\"c]"), "a]b\"\"c");
        assert_eq!(quoted_name("\"a]]b\"\"c\""), "a]]b\"c");
        assert_eq!(string_literal("N'it''s \"\"'"), "it's \"\"");
        assert_eq!(string_literal("'a\\\r\nb\\\nc\\d'"), "abc\\d");
        assert_eq!(string_literal("''"), "");
    }

    #[test]
    fn numbers_have_their_types() {
        let decimal = |unscaled, precision, scale| {
            Literal::Decimal(Decimal {
                unscaled,
                precision,
                scale,
            })
        };
        let cases = [
            ("0", Literal::Int(0)),
            ("2147483647", Literal::Int(i32::MAX)),
            ("2147483648", decimal(2_147_483_648, 10, 0)),
            ("1.50", decimal(150, 3, 2)),
            ("1.", decimal(1, 1, 0)),
            (".5", decimal(5, 1, 1)),
            ("0.5", decimal(5, 1, 1)),
            ("0.0", decimal(0, 1, 1)),
            ("007", Literal::Int(7)),
        ];
        for (text, expected) in cases {
            assert_eq!(number_literal(text, false, 1), Ok(expected), "{text}");
        }
        assert_eq!(number_literal("1.5e3", true, 1), Ok(Literal::Float(1500.0)));
        assert_eq!(number_literal("2e", true, 1), Ok(Literal::Float(2.0)));
        assert_eq!(number_literal("1e999", true, 4).unwrap_err().number, 168);
        let digits = "9".repeat(39);
        assert_eq!(number_literal(&digits, false, 4).unwrap_err().number, 1007);
        assert!(number_literal(&digits[1..], false, 4).is_ok());
    }

    #[test]
    fn binaries_and_money() {
        assert_eq!(binary_literal("0x"), []);
        assert_eq!(binary_literal("0x1fA"), [0x01, 0xfa]);
        assert_eq!(binary_literal("0xDEAD"), [0xde, 0xad]);
        assert_eq!(money_literal("$"), Some(0));
        assert_eq!(money_literal("$1.5"), Some(15_000));
        assert_eq!(money_literal("£0.00005"), Some(1));
        assert_eq!(money_literal("$99999999999999999999"), None);
    }
}
