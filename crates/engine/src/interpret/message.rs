//! PRINT, RAISERROR and THROW: the texts and the rules of severities.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a format takes strings and whole numbers and nothing else"
)]

use crate::session::shared::Shared;
use tsql::convert;
use tsql::{SqlError, Value, messages};

/// Longest text of RAISERROR, in characters.
const TEXT_CHARS_MAX: usize = 2047;
/// Most substitution arguments of RAISERROR.
const ARGUMENTS_MAX: usize = 20;
/// Highest severity that RAISERROR takes.
pub(super) const SEVERITY_MAX: i64 = 25;
/// Highest severity that does not need WITH LOG.
pub(super) const SEVERITY_WITHOUT_LOG_MAX: i64 = 18;

/// A RAISERROR format with its arguments filled in.
///
/// # Errors
/// 2786 for an argument of the wrong type, 2787 for a specification that is none.
pub(crate) fn format_message(format: &str, args: &[Value]) -> Result<String, SqlError> {
    let mut out = String::with_capacity(format.len());
    let mut args = args.iter().take(ARGUMENTS_MAX).enumerate();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        let mut spec = String::from("%");
        let mut flags = String::new();
        while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '+' | '0' | '#' | ' ')) {
            spec.push(flag);
            flags.push(flag);
        }
        let mut number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
                          spec: &mut String| {
            if chars.next_if_eq(&'*').is_some() {
                spec.push('*');
                return args.next().and_then(|(_, value)| value.as_i64());
            }
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                spec.push(digit);
                digits.push(digit);
            }
            digits.parse().ok()
        };
        let width = number(&mut chars, &mut spec);
        let precision = if chars.next_if_eq(&'.').is_some() {
            spec.push('.');
            Some(number(&mut chars, &mut spec).unwrap_or(0))
        } else {
            None
        };
        while let Some(size) = chars.next_if(|c| matches!(c, 'h' | 'l' | 'I' | '6' | '4')) {
            spec.push(size);
        }
        let Some(kind) = chars.next() else {
            return Err(messages::BAD_FORMAT.with(&[&spec]));
        };
        spec.push(kind);
        let argument = args.next();
        let wrong = |at: usize| messages::BAD_FORMAT_ARGUMENT.with(&[&(at + 1).to_string()]);
        let text = match (kind, argument) {
            ('d' | 'i' | 'u' | 'o' | 'x' | 'X' | 's', None | Some((_, Value::Null))) => {
                "(null)".to_owned()
            }
            ('s', Some((at, value))) => {
                let text = value.as_str().ok_or_else(|| wrong(at))?;
                match precision.and_then(|n| usize::try_from(n).ok()) {
                    Some(most) => text.chars().take(most).collect(),
                    None => text.to_owned(),
                }
            }
            ('d' | 'i', Some((at, value))) => {
                let number = value.as_i64().ok_or_else(|| wrong(at))?;
                if flags.contains('+') && number >= 0 {
                    format!("+{number}")
                } else {
                    number.to_string()
                }
            }
            ('u' | 'o' | 'x' | 'X', Some((at, value))) => {
                let number = value.as_i64().ok_or_else(|| wrong(at))?;
                // A negative int shows its 32 bits.
                let bits = match i32::try_from(number) {
                    Ok(small) => u64::from(u32::from_ne_bytes(small.to_ne_bytes())),
                    Err(_) => u64::from_ne_bytes(number.to_ne_bytes()),
                };
                let prefixed = flags.contains('#');
                match (kind, prefixed) {
                    ('u', _) => bits.to_string(),
                    ('o', true) => format!("0{bits:o}"),
                    ('o', false) => format!("{bits:o}"),
                    ('x', true) => format!("0x{bits:x}"),
                    ('x', false) => format!("{bits:x}"),
                    (_, true) => format!("0X{bits:X}"),
                    (_, false) => format!("{bits:X}"),
                }
            }
            _ => return Err(messages::BAD_FORMAT.with(&[&spec])),
        };
        let width = usize::try_from(width.unwrap_or(0))
            .unwrap_or(0)
            .min(TEXT_CHARS_MAX);
        if flags.contains('-') {
            out.push_str(&format!("{text:<width$}"));
        } else if flags.contains('0') && kind != 's' {
            out.push_str(&format!("{text:0>width$}"));
        } else {
            out.push_str(&format!("{text:>width$}"));
        }
    }
    Ok(shortened(out))
}

/// A text cut to what a message may hold, with an ellipsis.
pub(super) fn shortened(text: String) -> String {
    if text.chars().count() <= TEXT_CHARS_MAX {
        return text;
    }
    let mut kept: String = text.chars().take(TEXT_CHARS_MAX - 3).collect();
    kept.push_str("...");
    kept
}

/// Text of the message with that number: the language's, or one that the host knows.
pub(crate) fn numbered(shared: &Shared, number: i64) -> Option<String> {
    let number = i32::try_from(number).ok()?;
    match messages::find(number) {
        Some(message) => Some(message.text.to_owned()),
        None => shared.host().message_text(number),
    }
}

/// The text that PRINT shows: at most 4000 characters.
pub(super) fn printed(value: &Value, ty: tsql::SqlType) -> String {
    /// Longest text of PRINT, in characters.
    const PRINT_CHARS_MAX: usize = 4000;
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => convert::text_of(other, ty),
    };
    if text.chars().count() <= PRINT_CHARS_MAX {
        text
    } else {
        text.chars().take(PRINT_CHARS_MAX).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_follow_printf() {
        let check = |format: &str, args: &[Value], expected: &str| {
            assert_eq!(format_message(format, args).unwrap(), expected);
        };
        check("plain", &[], "plain");
        check("100%%", &[], "100%");
        check("%s has %d", &["job".into(), 3.into()], "job has 3");
        check(
            "[%5d|%-5d|%05d]",
            &[42.into(), 42.into(), 42.into()],
            "[   42|42   |00042]",
        );
        check("%.3s", &["abcdef".into()], "abc");
        check("%*d", &[4.into(), 7.into()], "   7");
        check(
            "%x %X %#x",
            &[255.into(), 255.into(), 255.into()],
            "ff FF 0xff",
        );
        check("%s", &[], "(null)");
        check("%d", &[Value::Null], "(null)");
        assert_eq!(format_message("%z", &[1.into()]).unwrap_err().number, 2787);
        assert_eq!(
            format_message("%d", &["x".into()]).unwrap_err().number,
            2786
        );
    }
}
