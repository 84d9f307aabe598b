//! String functions.

use super::{Call, collate, like};
use crate::convert::{self, Style};
use crate::error::SqlError;
use crate::fault;
use crate::types::{Length, SqlType};
use crate::value::Value;

type Outcome = Result<Value, SqlError>;

/// Longest result of a string function whose arguments are not `max`, in bytes.
const SHORT_BYTES: usize = 8000;
/// Longest string that a function may build, in bytes.
const LONG_BYTES: usize = 64 * 1024 * 1024;

/// Cuts a result to what its type holds.
fn fit(call: &Call<'_>, text: String) -> Outcome {
    let limit = match call.ty {
        SqlType::VarChar(Length::Limited(_)) => SHORT_BYTES,
        SqlType::NVarChar(Length::Limited(_)) => SHORT_BYTES / 2,
        _ => return Ok(Value::String(text)),
    };
    if text.len() <= limit {
        return Ok(Value::String(text));
    }
    Ok(Value::String(
        convert::cut(&text, limit, call.ty).to_owned(),
    ))
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn whole(call: &Call<'_>, n: i64) -> Outcome {
    if call.ty == SqlType::BigInt {
        return Ok(Value::BigInt(n));
    }
    i32::try_from(n)
        .map(Value::Int)
        .map_err(|_| fault::overflow_converting("expression", SqlType::Int))
}

pub(super) fn len(call: &Call<'_>) -> Outcome {
    let Some(text) = call.text(0) else {
        return Ok(Value::Null);
    };
    whole(
        call,
        count(text.trim_end_matches(' ').encode_utf16().count()),
    )
}

pub(super) fn data_length(call: &Call<'_>) -> Outcome {
    let ty = call.exprs[0].ty;
    let bytes = match &call.args[0] {
        Value::Null => return Ok(Value::Null),
        Value::String(text) | Value::Xml(text) => match ty {
            SqlType::Char(_) | SqlType::VarChar(_) | SqlType::Text => text.chars().count(),
            _ => text.encode_utf16().count() * 2,
        },
        Value::Binary(bytes) => bytes.len(),
        Value::Bit(_) | Value::TinyInt(_) => 1,
        Value::SmallInt(_) => 2,
        Value::Money(_) if ty == SqlType::SmallMoney => 4,
        Value::DateTime { .. } if ty == SqlType::SmallDateTime => 4,
        Value::Int(_) | Value::Real(_) => 4,
        Value::BigInt(_)
        | Value::Float(_)
        | Value::Money(_)
        | Value::DateTime { .. }
        | Value::DateTime2 { .. } => 8,
        Value::Decimal(d) => match d.precision {
            0..=9 => 5,
            10..=19 => 9,
            20..=28 => 13,
            _ => 17,
        },
        Value::Date(_) => 3,
        Value::Time(_) => 5,
        Value::DateTimeOffset { .. } => 10,
        Value::Guid(_) => 16,
    };
    whole(call, count(bytes))
}

/// The text from a character position, for that many characters.
fn slice(text: &str, skip: usize, take: usize) -> String {
    if text.is_ascii() {
        let start = skip.min(text.len());
        let end = start.saturating_add(take).min(text.len());
        text[start..end].to_owned()
    } else {
        text.chars().skip(skip).take(take).collect()
    }
}

pub(super) fn left(call: &Call<'_>) -> Outcome {
    let (Some(text), Some(n)) = (call.text(0), call.int(1)) else {
        return Ok(Value::Null);
    };
    let n = usize::try_from(n).map_err(|_| fault::invalid_length("left"))?;
    Ok(Value::String(slice(&text, 0, n)))
}

pub(super) fn right(call: &Call<'_>) -> Outcome {
    let (Some(text), Some(n)) = (call.text(0), call.int(1)) else {
        return Ok(Value::Null);
    };
    let n = usize::try_from(n).map_err(|_| fault::invalid_length("right"))?;
    let skip = text.chars().count().saturating_sub(n);
    Ok(Value::String(slice(&text, skip, n)))
}

pub(super) fn substring(call: &Call<'_>) -> Outcome {
    let (Some(start), Some(length)) = (call.int(1), call.int(2)) else {
        return Ok(Value::Null);
    };
    if length < 0 {
        return Err(fault::invalid_left_or_substring());
    }
    // A start before the first character uses up length.
    let end = start.saturating_add(length).max(1);
    let skip = usize::try_from(start.max(1) - 1).unwrap_or(usize::MAX);
    let take = usize::try_from(end - start.max(1)).unwrap_or(0);
    if let Value::Binary(bytes) = &call.args[0] {
        let from = skip.min(bytes.len());
        let to = from.saturating_add(take).min(bytes.len());
        return Ok(Value::Binary(bytes[from..to].to_vec()));
    }
    Ok(call
        .text(0)
        .map_or(Value::Null, |text| Value::String(slice(&text, skip, take))))
}

fn map(call: &Call<'_>, change: impl Fn(&str) -> String) -> Outcome {
    match call.text(0) {
        Some(text) => fit(call, change(&text)),
        None => Ok(Value::Null),
    }
}

pub(super) fn upper(call: &Call<'_>) -> Outcome {
    map(call, str::to_uppercase)
}

pub(super) fn lower(call: &Call<'_>) -> Outcome {
    map(call, str::to_lowercase)
}

pub(super) fn reverse(call: &Call<'_>) -> Outcome {
    map(call, |text| text.chars().rev().collect())
}

/// The characters to trim are blanks, or those of the second argument.
fn trimmed(call: &Call<'_>, start: bool, end: bool) -> Outcome {
    if call.has_null() {
        return Ok(Value::Null);
    }
    let set: Vec<char> = call
        .text(1)
        .map_or_else(|| vec![' '], |set| set.chars().collect());
    map(call, |text| {
        let mut kept = text;
        if start {
            kept = kept.trim_start_matches(|c| set.contains(&c));
        }
        if end {
            kept = kept.trim_end_matches(|c| set.contains(&c));
        }
        kept.to_owned()
    })
}

pub(super) fn ltrim(call: &Call<'_>) -> Outcome {
    trimmed(call, true, false)
}

pub(super) fn rtrim(call: &Call<'_>) -> Outcome {
    trimmed(call, false, true)
}

pub(super) fn trim(call: &Call<'_>) -> Outcome {
    trimmed(call, true, true)
}

/// Where a text starts within another, case aside; character positions.
fn find(haystack: &[char], needle: &[char], from: usize) -> Option<usize> {
    if needle.is_empty() {
        return None;
    }
    let last = haystack.len().checked_sub(needle.len())?;
    (from..=last).find(|start| {
        needle
            .iter()
            .zip(&haystack[*start..])
            .all(|(a, b)| collate::same_char(*a, *b))
    })
}

pub(super) fn replace(call: &Call<'_>) -> Outcome {
    let (Some(text), Some(old), Some(new)) = (call.text(0), call.text(1), call.text(2)) else {
        return Ok(Value::Null);
    };
    let chars: Vec<char> = text.chars().collect();
    let needle: Vec<char> = old.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = find(&chars, &needle, at) {
        out.extend(&chars[at..found]);
        out.push_str(&new);
        at = found + needle.len();
        if out.len() > LONG_BYTES {
            return Err(fault::truncated());
        }
    }
    out.extend(&chars[at..]);
    fit(call, out)
}

pub(super) fn stuff(call: &Call<'_>) -> Outcome {
    let (Some(text), Some(start), Some(length)) = (call.text(0), call.int(1), call.int(2)) else {
        return Ok(Value::Null);
    };
    let (Ok(start), Ok(length)) = (usize::try_from(start), usize::try_from(length)) else {
        return Ok(Value::Null);
    };
    if start == 0 || start > text.chars().count() {
        return Ok(Value::Null);
    }
    let mut out = slice(&text, 0, start - 1);
    out.push_str(&call.text(3).unwrap_or_default());
    out.push_str(&slice(
        &text,
        (start - 1).saturating_add(length),
        usize::MAX,
    ));
    fit(call, out)
}

fn repeated(text: &str, times: i64) -> Outcome {
    let Ok(times) = usize::try_from(times) else {
        return Ok(Value::Null);
    };
    if text.len().saturating_mul(times) > LONG_BYTES {
        return Err(fault::truncated());
    }
    Ok(Value::String(text.repeat(times)))
}

pub(super) fn replicate(call: &Call<'_>) -> Outcome {
    let (Some(text), Some(times)) = (call.text(0), call.int(1)) else {
        return Ok(Value::Null);
    };
    // No more than fits needs to be built.
    let long = matches!(
        call.ty,
        SqlType::VarChar(Length::Max) | SqlType::NVarChar(Length::Max)
    );
    let times = if long {
        times
    } else {
        times.min(count(SHORT_BYTES))
    };
    match repeated(&text, times)? {
        Value::String(text) => fit(call, text),
        other => Ok(other),
    }
}

pub(super) fn space(call: &Call<'_>) -> Outcome {
    call.int(0).map_or(Ok(Value::Null), |n| {
        repeated(" ", n.min(count(SHORT_BYTES)))
    })
}

pub(super) fn char_index(call: &Call<'_>) -> Outcome {
    if call.has_null() {
        return Ok(Value::Null);
    }
    let chars: Vec<char> = call.text(1).unwrap_or_default().chars().collect();
    let needle: Vec<char> = call.text(0).unwrap_or_default().chars().collect();
    let from = call.int(2).unwrap_or(1).max(1) - 1;
    let found = find(&chars, &needle, usize::try_from(from).unwrap_or(usize::MAX));
    whole(call, found.map_or(0, |at| count(at + 1)))
}

pub(super) fn pat_index(call: &Call<'_>) -> Outcome {
    let (Some(pattern), Some(text)) = (call.text(0), call.text(1)) else {
        return Ok(Value::Null);
    };
    whole(call, count(like::patindex(&pattern, &text)))
}

fn one_char(c: Option<char>) -> Outcome {
    Ok(c.map_or(Value::Null, |c| Value::String(c.to_string())))
}

pub(super) fn char_of(call: &Call<'_>) -> Outcome {
    let code = call.int(0).and_then(|n| u8::try_from(n).ok());
    one_char(code.map(convert::char_of_1252))
}

pub(super) fn nchar_of(call: &Call<'_>) -> Outcome {
    let code = call.int(0).and_then(|n| u32::try_from(n).ok());
    one_char(code.and_then(char::from_u32))
}

pub(super) fn ascii(call: &Call<'_>) -> Outcome {
    let first = call.text(0).and_then(|text| text.chars().next());
    Ok(first.map_or(Value::Null, |c| {
        Value::Int(i32::from(convert::code_1252(c)))
    }))
}

pub(super) fn unicode(call: &Call<'_>) -> Outcome {
    let first = call.text(0).and_then(|text| text.encode_utf16().next());
    Ok(first.map_or(Value::Null, |unit| Value::Int(i32::from(unit))))
}

pub(super) fn str_of(call: &Call<'_>) -> Outcome {
    let Some(number) = call.float(0) else {
        return Ok(Value::Null);
    };
    let length = usize::try_from(call.int(1).unwrap_or(10)).unwrap_or(0);
    let decimals = usize::try_from(call.int(2).unwrap_or(0).clamp(0, 16)).unwrap_or(0);
    if length == 0 || length > SHORT_BYTES {
        return Ok(Value::Null);
    }
    // Half away from zero, where formatting rounds half to even.
    let power = 10_f64.powi(i32::try_from(decimals).unwrap_or(0));
    let scaled = number * power;
    let rounded = if scaled.abs() < 1e15 {
        scaled.round() / power
    } else {
        number
    };
    let mut text = format!("{rounded:.decimals$}");
    let head = text.find('.').unwrap_or(text.len());
    if head > length {
        return Ok(Value::String("*".repeat(length)));
    }
    if text.len() > length {
        text = format!("{number:.width$}", width = length.saturating_sub(head + 1));
        text.truncate(length);
    }
    Ok(Value::String(format!("{text:>length$}")))
}

pub(super) fn quote_name(call: &Call<'_>) -> Outcome {
    if call.has_null() {
        return Ok(Value::Null);
    }
    let name = call.text(0).unwrap_or_default();
    let quote = call.text(1).unwrap_or_else(|| "[".to_owned());
    let (open, close) = match quote.as_str() {
        "[" | "]" => ('[', ']'),
        "'" => ('\'', '\''),
        "\"" => ('"', '"'),
        "(" | ")" => ('(', ')'),
        "{" | "}" => ('{', '}'),
        "<" | ">" => ('<', '>'),
        "`" => ('`', '`'),
        _ => return Ok(Value::Null),
    };
    if name.encode_utf16().count() > 128 {
        return Ok(Value::Null);
    }
    let mut out = String::with_capacity(name.len() + 2);
    out.push(open);
    for c in name.chars() {
        out.push(c);
        if c == close {
            out.push(c);
        }
    }
    out.push(close);
    Ok(Value::String(out))
}

pub(super) fn parse_name(call: &Call<'_>) -> Outcome {
    let (Some(name), Some(part)) = (call.text(0), call.int(1)) else {
        return Ok(Value::Null);
    };
    let mut parts = split_name(&name);
    parts.reverse();
    let wanted = usize::try_from(part - 1).ok().filter(|_| parts.len() <= 4);
    Ok(wanted
        .and_then(|at| parts.get(at).cloned())
        .filter(|part| !part.is_empty())
        .map_or(Value::Null, Value::String))
}

/// The parts of a dotted name, brackets and quotes undone.
#[must_use]
pub fn split_name(name: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut current = String::new();
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '[' | '"' if current.trim().is_empty() => {
                let close = if c == '[' { ']' } else { '"' };
                current.clear();
                while let Some(inner) = chars.next() {
                    if inner == close && chars.next_if_eq(&close).is_none() {
                        break;
                    }
                    current.push(inner);
                }
            }
            '.' => parts.push(std::mem::take(&mut current)),
            other => current.push(other),
        }
    }
    parts.push(current);
    parts
}

pub(super) fn concat(call: &Call<'_>) -> Outcome {
    let out = (0..call.args.len()).filter_map(|at| call.text(at));
    fit(call, out.collect())
}

pub(super) fn concat_ws(call: &Call<'_>) -> Outcome {
    let separator = call.text(0).unwrap_or_default();
    let parts: Vec<String> = (1..call.args.len())
        .filter_map(|at| call.text(at))
        .collect();
    fit(call, parts.join(&separator))
}

/// Four characters: a letter and three digits for the sounds that follow.
fn sound(text: &str) -> String {
    let code = |c: char| match c.to_ascii_lowercase() {
        'b' | 'f' | 'p' | 'v' => '1',
        'c' | 'g' | 'j' | 'k' | 'q' | 's' | 'x' | 'z' => '2',
        'd' | 't' => '3',
        'l' => '4',
        'm' | 'n' => '5',
        'r' => '6',
        'h' | 'w' => '-',
        _ => '0',
    };
    let mut chars = text.chars().take_while(char::is_ascii_alphabetic);
    let Some(first) = chars.next() else {
        return "0000".to_owned();
    };
    let mut out = String::from(first.to_ascii_uppercase());
    let mut last = code(first);
    for digit in chars.map(code).filter(|digit| *digit != '-') {
        if digit != '0' && digit != last && out.len() < 4 {
            out.push(digit);
        }
        last = digit;
    }
    format!("{out:0<4}")
}

pub(super) fn soundex(call: &Call<'_>) -> Outcome {
    map(call, sound)
}

pub(super) fn difference(call: &Call<'_>) -> Outcome {
    let (Some(a), Some(b)) = (call.text(0), call.text(1)) else {
        return Ok(Value::Null);
    };
    let (a, b) = (sound(&a), sound(&b));
    whole(
        call,
        count(a.chars().zip(b.chars()).filter(|(x, y)| x == y).count()),
    )
}

pub(super) fn translate(call: &Call<'_>) -> Outcome {
    let (Some(text), Some(from), Some(to)) = (call.text(0), call.text(1), call.text(2)) else {
        return Ok(Value::Null);
    };
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    if from.len() != to.len() {
        return Err(SqlError::new(
            9828,
            16,
            "The second and third arguments of the TRANSLATE built-in function must contain an equal number of characters.",
        ));
    }
    let out = text
        .chars()
        .map(|c| from.iter().position(|f| *f == c).map_or(c, |at| to[at]));
    fit(call, out.collect())
}

pub(super) fn string_escape(call: &Call<'_>) -> Outcome {
    map(call, |text| {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '/' => out.push_str("\\/"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                other if u32::from(other) < 0x20 => {
                    out.push_str(&format!("\\u{:04x}", u32::from(other)));
                }
                other => out.push(other),
            }
        }
        out
    })
}

pub(super) fn is_numeric(call: &Call<'_>) -> Outcome {
    let numeric = match &call.args[0] {
        Value::Null => false,
        Value::String(text) => {
            let text = text.trim_matches([' ', '\t', '\r', '\n']);
            let reads_as = |to| {
                let from = SqlType::varchar(8000);
                convert::convert(Value::string(text), from, to, Style::PLAIN).is_ok()
            };
            !text.is_empty()
                && (matches!(text, "+" | "-" | "." | "$" | ",")
                    || reads_as(SqlType::Float)
                    || reads_as(SqlType::Money))
        }
        other => convert::is_number(convert::type_of(other)),
    };
    Ok(Value::Int(i32::from(numeric)))
}

/// `fn_varbintohexsubstring(prefix, bytes, start, count)`: `count` bytes from `start`, all from there on when it is 0.
pub(super) fn hex_substring(call: &Call<'_>) -> Outcome {
    let (Some(prefix), Value::Binary(bytes), Some(start), Some(length)) =
        (call.int(0), &call.args[1], call.int(2), call.int(3))
    else {
        return Ok(Value::Null);
    };
    let (Ok(start), Ok(length)) = (usize::try_from(start - 1), usize::try_from(length)) else {
        return Ok(Value::Null);
    };
    let Some(rest) = bytes.get(start..) else {
        return Ok(Value::Null);
    };
    let taken = if length == 0 {
        rest.len()
    } else {
        length.min(rest.len())
    };
    let prefix = if prefix == 1 { "0x" } else { "" };
    let digits = convert::hex(&rest[..taken]).to_ascii_lowercase();
    Ok(Value::String(format!("{prefix}{digits}")))
}

pub(super) fn hex_string(call: &Call<'_>) -> Outcome {
    Ok(match &call.args[0] {
        Value::Binary(bytes) => {
            Value::String(format!("0x{}", convert::hex(bytes).to_ascii_lowercase()))
        }
        _ => Value::Null,
    })
}
