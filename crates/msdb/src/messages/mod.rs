//! The Agent's errors and messages: one table of numbers, severities and texts, and their constructors.

mod table;

use std::fmt::Write as _;
use table::MESSAGES;
use tsql::SqlError;

/// An argument of a message.
#[derive(Debug, Clone, Copy)]
pub enum Arg<'a> {
    /// For `%s`.
    Text(&'a str),
    /// For `%d` (and `%s`).
    Number(i64),
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Arg<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<i32> for Arg<'_> {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

/// The error or message of a number, its placeholders filled in order. A placeholder without an argument
/// shows as `(null)`.
///
/// # Panics
/// When the table has no such number: a bug, found by the test of whoever calls it.
#[must_use]
pub fn raise(number: i32, arguments: &[Arg<'_>]) -> SqlError {
    let (severity, text) = lookup(number).expect("every number raised stands in the table");
    SqlError::new(number, severity, fill(text, arguments))
}

/// The text of a number as it stands, for fragments that other texts or columns are made of.
///
/// # Panics
/// As [`raise`].
#[must_use]
pub fn text(number: i32) -> &'static str {
    lookup(number)
        .expect("every number used stands in the table")
        .1
}

/// Severity and text of a number; `None` when the table has none. For `sys.messages` and for numbers that
/// arrive from elsewhere.
#[must_use]
pub fn lookup(number: i32) -> Option<(u8, &'static str)> {
    MESSAGES
        .binary_search_by_key(&number, |entry| entry.0)
        .ok()
        .map(|at| (MESSAGES[at].1, MESSAGES[at].2))
}

/// All messages in ascending order: number, severity, text.
#[must_use]
pub fn all() -> &'static [(i32, u8, &'static str)] {
    MESSAGES
}

/// 14262: a named object does not exist.
#[must_use]
pub fn unknown(parameter: &str, value: &str) -> SqlError {
    raise(14262, &[parameter.into(), value.into()])
}

/// 14261: a name is taken.
#[must_use]
pub fn taken(parameter: &str, value: &str) -> SqlError {
    raise(14261, &[parameter.into(), value.into()])
}

/// 14266: a value is none of those listed.
#[must_use]
pub fn none_of(parameter: &str, valid: &str) -> SqlError {
    raise(14266, &[parameter.into(), valid.into()])
}

/// 229: no permission on an object.
#[must_use]
pub fn denied(permission: &str, object: &str, database: &str, schema: &str) -> SqlError {
    raise(
        229,
        &[
            permission.into(),
            object.into(),
            database.into(),
            schema.into(),
        ],
    )
    .with_state(5)
}

fn fill(text: &str, arguments: &[Arg<'_>]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut arguments = arguments.iter();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        filled.push_str(&rest[..at]);
        let placeholder = rest[at + 1..].chars().next();
        if matches!(placeholder, Some('s' | 'd')) {
            let written = match arguments.next() {
                Some(Arg::Text(value)) => write!(filled, "{value}"),
                Some(Arg::Number(value)) => write!(filled, "{value}"),
                None => write!(filled, "(null)"),
            };
            written.expect("writing to a string cannot fail");
            rest = &rest[at + 2..];
        } else {
            filled.push('%');
            rest = &rest[at + 1..];
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sheet's numbers and severities, vendored.
    const SHEET: &str = include_str!("../../facts/errors.toml");

    #[test]
    fn numbers_ascend() {
        assert!(MESSAGES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn every_number_of_the_sheet_is_here_with_its_severity() {
        let sheet: toml::Table = SHEET.parse().unwrap();
        let mut numbers = 0;
        for (number, severity) in &sheet {
            let number: i32 = number.parse().unwrap();
            let ours = lookup(number).map(|(severity, _)| i64::from(severity));
            assert_eq!(ours, severity.as_integer(), "{number}");
            numbers += 1;
        }
        assert_eq!(numbers, 219);
    }

    /// The whole table as clients meet it. A change of a text is a change of the interface: review it.
    #[test]
    fn the_table() {
        let lines: Vec<String> = MESSAGES
            .iter()
            .map(|(number, severity, text)| format!("{number} {severity:>2} {text}"))
            .collect();
        insta::assert_snapshot!("table", lines.join("\n"));
    }

    #[test]
    fn placeholders() {
        let error = raise(14262, &["@job_name".into(), "100 %s".into()]);
        assert_eq!(
            (error.number, error.severity, error.message.as_str()),
            (14262, 16, "The @job_name given ('100 %s') does not exist.")
        );
        assert_eq!(
            raise(14226, &[7i64.into()]).message,
            "7 history entries purged."
        );
        assert_eq!(fill("100% %d%", &[]), "100% (null)%");
    }
}
