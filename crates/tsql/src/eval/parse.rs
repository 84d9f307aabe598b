//! PARSE and TRY_PARSE: texts as people of a culture write them.
//!
//! Source: "PARSE (Transact-SQL)". Of its cultures those of English are here: en-US (the default) and en-GB.

use super::{Call, dates};
use crate::convert::{self, DateOrder, Style};
use crate::error::SqlError;
use crate::fault;
use crate::messages as m;
use crate::types::SqlType;
use crate::value::Value;

const DEFAULT_CULTURE: &str = "en-US";

/// The order of a culture's dates; refused by name where it is not here.
fn order_of(culture: &str) -> Result<DateOrder, SqlError> {
    match culture.trim().to_ascii_lowercase().as_str() {
        "en-us" | "en" => Ok(DateOrder::MonthDayYear),
        "en-gb" => Ok(DateOrder::DayMonthYear),
        _ => Err(fault::not_supported(&format!(
            "PARSE in the culture {culture}"
        ))),
    }
}

/// A number without its separators of thousands and, for money, its sign of currency; a number in parentheses is
/// negative.
fn plain_number(text: &str, ty: SqlType) -> String {
    let text = text.trim();
    let (negative, text) = match text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'))
    {
        Some(inner) => (true, inner.trim()),
        None => (false, text),
    };
    let currency = matches!(ty, SqlType::Money | SqlType::SmallMoney);
    let kept: String = text
        .chars()
        .filter(|c| *c != ',' && !(currency && matches!(c, '$' | '£')))
        .collect();
    if negative { format!("-{kept}") } else { kept }
}

/// A date without the name of its day in front.
fn plain_date(text: &str) -> &str {
    let text = text.trim();
    dates::DAYS
        .iter()
        .find_map(|day| {
            let (head, rest) = text.split_at_checked(day.len())?;
            let rest = rest.trim_start_matches(',');
            (head.eq_ignore_ascii_case(day)).then(|| rest.trim_start())
        })
        .unwrap_or(text)
}

fn read(call: &Call<'_>) -> Result<Value, SqlError> {
    let culture = match call.args.get(1) {
        Some(Value::Null) | None => DEFAULT_CULTURE.to_owned(),
        Some(_) => call.text(1).unwrap_or_default(),
    };
    let Some(text) = call.text(0) else {
        return Ok(Value::Null);
    };
    let order = order_of(&culture)?;
    let plain = if convert::is_date_or_time(call.ty) {
        plain_date(&text).to_owned()
    } else {
        plain_number(&text, call.ty)
    };
    let failed = || m::PARSE_FAILED.with(&[&text, call.ty.name(), &culture]);
    // Conversion takes an empty text as zero or as 1900; nobody wrote either.
    if !plain.contains(|c: char| c.is_ascii_digit()) {
        return Err(failed());
    }
    let style = Style {
        order,
        ..Style::PLAIN
    };
    let from = SqlType::nvarchar(4000);
    convert::convert(Value::String(plain), from, call.ty, style).map_err(|_| failed())
}

/// PARSE; 9819 for a text that is none of the type.
pub(super) fn parse(call: &Call<'_>) -> Result<Value, SqlError> {
    read(call)
}

/// TRY_PARSE: NULL in place of 9819.
pub(super) fn try_parse(call: &Call<'_>) -> Result<Value, SqlError> {
    match read(call) {
        Err(error) if error.number == m::PARSE_FAILED.number => Ok(Value::Null),
        result => result,
    }
}
