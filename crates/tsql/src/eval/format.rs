//! FORMAT(value, format [, culture]): .NET's format strings in the culture en-US.
//!
//! Source: "FORMAT (Transact-SQL)"; ".NET: standard and custom numeric format strings, date and time format strings".

use super::{Call, dates};
use crate::convert::{self, MONTHS, calendar};
use crate::error::SqlError;
use crate::fault;
use crate::value::Value;

/// Most digits that a precision may ask for.
const PRECISION_MAX: usize = 99;

/// FORMAT; NULL for a format that the value does not have.
pub(super) fn format(call: &Call<'_>) -> Result<Value, SqlError> {
    if let Some(culture) = call.text(2)
        && !["en-us", "en"].contains(&culture.to_lowercase().as_str())
    {
        return Err(fault::not_supported(&format!(
            "FORMAT in the culture {culture}"
        )));
    }
    let (Some(value), Some(format)) = (call.args.first(), call.text(1)) else {
        return Ok(Value::Null);
    };
    if value.is_null() {
        return Ok(Value::Null);
    }
    let ty = call.exprs.first().map_or(call.ty, |expr| expr.ty);
    let text = if let Some(moment) = dates::moment(value) {
        if matches!(value, Value::Time(_)) {
            return Err(fault::not_supported("FORMAT of a time"));
        }
        date(&format, moment)
    } else if convert::is_number(ty) {
        number(&format, value)
    } else {
        return Err(fault::invalid_argument(ty, 1, "format"));
    };
    Ok(text.map_or(Value::Null, Value::String))
}

// ---- numbers ----

/// A number as digits: sign, whole part, fraction.
struct Digits {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Digits {
    /// Of a decimal text, rounded half away from zero to that many digits behind the point.
    fn rounded(text: &str, places: usize) -> Self {
        let (negative, plain) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let kept = whole.len() + places;
        let up = digits.get(kept).is_some_and(|digit| *digit >= b'5');
        digits.resize(kept, b'0');
        let mut carry = up;
        for digit in digits.iter_mut().rev() {
            if !carry {
                break;
            }
            carry = *digit == b'9';
            *digit = if carry { b'0' } else { *digit + 1 };
        }
        let mut all: String = digits.iter().map(|digit| char::from(*digit)).collect();
        if carry {
            all.insert(0, '1');
        }
        let (whole, fraction) = all.split_at(all.len() - places);
        let whole = whole.trim_start_matches('0');
        let zero = whole.is_empty() && fraction.bytes().all(|digit| digit == b'0');
        Self {
            negative: negative && !zero,
            whole: if whole.is_empty() { "0" } else { whole }.to_owned(),
            fraction: fraction.to_owned(),
        }
    }

    fn text(&self, groups: bool) -> String {
        let whole = if groups {
            grouped(&self.whole)
        } else {
            self.whole.clone()
        };
        if self.fraction.is_empty() {
            whole
        } else {
            format!("{whole}.{}", self.fraction)
        }
    }
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The decimal text of a number, without an exponent.
fn plain(value: &Value) -> String {
    match value {
        Value::Float(v) => format!("{v}"),
        Value::Real(v) => format!("{v}"),
        Value::Money(v) => convert::format_money(*v, 2),
        other => convert::text_of(other, convert::type_of(other)),
    }
}

fn number(format: &str, value: &Value) -> Option<String> {
    let text = plain(value);
    let mut chars = format.chars();
    let letter = chars.next()?;
    let rest = chars.as_str();
    let standard = letter.is_ascii_alphabetic() && rest.bytes().all(|c| c.is_ascii_digit());
    if !standard {
        return Some(custom(format, &text));
    }
    let precision = match rest {
        "" => None,
        digits => Some(digits.parse().ok().filter(|n| *n <= PRECISION_MAX)?),
    };
    let signed = |digits: &Digits, text: String| {
        if digits.negative {
            format!("-{text}")
        } else {
            text
        }
    };
    let whole = value.as_i64();
    Some(match letter.to_ascii_uppercase() {
        'N' => {
            let digits = Digits::rounded(&text, precision.unwrap_or(2));
            signed(&digits, digits.text(true))
        }
        'F' => {
            let digits = Digits::rounded(&text, precision.unwrap_or(2));
            signed(&digits, digits.text(false))
        }
        'C' => {
            let digits = Digits::rounded(&text, precision.unwrap_or(2));
            signed(&digits, format!("${}", digits.text(true)))
        }
        'P' => {
            let digits = Digits::rounded(&shifted(&text, 2), precision.unwrap_or(2));
            signed(&digits, format!("{}%", digits.text(true)))
        }
        'D' => {
            let digits = Digits::rounded(&whole?.to_string(), 0);
            let width = precision.unwrap_or(1);
            signed(&digits, format!("{:0>width$}", digits.whole))
        }
        'X' => {
            let width = precision.unwrap_or(1);
            let number = whole?;
            if letter == 'x' {
                format!("{number:0width$x}")
            } else {
                format!("{number:0width$X}")
            }
        }
        'G' if precision.is_none() => text,
        _ => return None,
    })
}

/// The number with its point that many places to the right.
fn shifted(text: &str, places: usize) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let padded = format!("{fraction:0<places$}");
    let (moved, rest) = padded.split_at(places);
    format!("{whole}{moved}.{rest}")
}

/// A custom numeric format: `0`, `#`, `.`, `,`, `%`, quoted and plain text; sections for negative numbers and zero.
fn custom(format: &str, text: &str) -> String {
    let sections: Vec<&str> = format.split(';').collect();
    let negative = text.starts_with('-');
    let zero = text.bytes().all(|c| matches!(c, b'-' | b'0' | b'.'));
    let (section, sign) = match sections.as_slice() {
        [_, _, of_zero, ..] if zero && !of_zero.is_empty() => (*of_zero, false),
        [_, of_negative, ..] if negative && !zero && !of_negative.is_empty() => {
            (*of_negative, false)
        }
        [first, ..] => (*first, true),
        [] => ("", true),
    };
    let mut pattern: Vec<(char, bool)> = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    for c in section.chars() {
        match (escaped, quote, c) {
            (true, _, c) => {
                pattern.push((c, true));
                escaped = false;
            }
            (false, None, '\\') => escaped = true,
            (false, None, '\'' | '"') => quote = Some(c),
            (false, Some(open), c) if c == open => quote = None,
            (false, Some(_), c) => pattern.push((c, true)),
            (false, None, c) => pattern.push((c, !matches!(c, '0' | '#' | '.' | ',' | '%'))),
        }
    }
    let active: Vec<char> = pattern
        .iter()
        .filter(|(_, literal)| !literal)
        .map(|(c, _)| *c)
        .collect();
    let point = active
        .iter()
        .position(|c| *c == '.')
        .unwrap_or(active.len());
    let is_digit = |c: &&char| matches!(c, '0' | '#');
    let places = active[point..].iter().filter(is_digit).count();
    let slots = active[..point].iter().filter(is_digit).count();
    let groups = active[..point].contains(&',');
    let percent = active.contains(&'%');
    let scaled = if percent {
        shifted(text, 2)
    } else {
        text.to_owned()
    };
    let digits = Digits::rounded(&scaled, places);
    let first_zero = active[..point]
        .iter()
        .filter(is_digit)
        .position(|c| *c == '0')
        .unwrap_or(slots);
    let least = slots - first_zero;
    let mut whole = digits.whole.clone();
    if whole == "0" && least == 0 {
        whole.clear();
    }
    whole = format!("{whole:0>least$}");
    let behind: Vec<&char> = active[point..].iter().filter(is_digit).collect();
    let kept = behind
        .iter()
        .rposition(|c| **c == '0')
        .map_or(0, |at| at + 1);
    let mut fraction = digits.fraction.as_str();
    while fraction.len() > kept && fraction.ends_with('0') {
        fraction = &fraction[..fraction.len() - 1];
    }
    // Each place takes a digit from the right; the first one takes what is left over.
    let mut out = String::new();
    if sign && digits.negative {
        out.push('-');
    }
    let whole: Vec<char> = whole.chars().collect();
    let write = |out: &mut String, from: usize, to: usize| {
        for at in from..to {
            if groups && at > 0 && (whole.len() - at).is_multiple_of(3) {
                out.push(',');
            }
            out.push(whole[at]);
        }
    };
    if slots == 0 {
        write(&mut out, 0, whole.len());
    }
    let (mut place, mut written, mut pointed) = (0, 0, false);
    for (c, literal) in pattern {
        match (literal, c) {
            (true, c) | (false, c @ '%') => out.push(c),
            (false, '.') if !pointed => {
                pointed = true;
                if !fraction.is_empty() {
                    out.push('.');
                    out.push_str(fraction);
                }
            }
            (false, '0' | '#') if !pointed => {
                place += 1;
                let end = whole.len().saturating_sub(slots - place);
                write(&mut out, written, end);
                written = end;
            }
            (false, _) => {}
        }
    }
    out
}

// ---- dates ----

/// Names of the days, Monday first.
const DAYS: [&str; 7] = dates::DAYS;

fn date(format: &str, at: (i32, u64, i16)) -> Option<String> {
    let pattern = match format {
        "d" => "M/d/yyyy",
        "D" => "dddd, MMMM d, yyyy",
        "t" => "h:mm tt",
        "T" => "h:mm:ss tt",
        "f" => "dddd, MMMM d, yyyy h:mm tt",
        "F" => "dddd, MMMM d, yyyy h:mm:ss tt",
        "g" => "M/d/yyyy h:mm tt",
        "G" => "M/d/yyyy h:mm:ss tt",
        "m" | "M" => "MMMM d",
        "y" | "Y" => "MMMM yyyy",
        "s" => "yyyy-MM-ddTHH:mm:ss",
        "u" => "yyyy-MM-dd HH:mm:ssZ",
        "o" | "O" => "yyyy-MM-ddTHH:mm:ss.fffffff",
        "r" | "R" => "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
        one if one.chars().count() < 2 => return None,
        pattern => pattern.strip_prefix('%').unwrap_or(pattern),
    };
    let (days, ticks, offset) = at;
    let civil = calendar::civil_of(days);
    let seconds = ticks / calendar::TICKS_PER_SECOND;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = format!("{:07}", ticks % calendar::TICKS_PER_SECOND);
    let weekday = usize::try_from(calendar::weekday(days)).ok()?;
    let month = usize::try_from(civil.month).ok()?.checked_sub(1)?;
    let (day_name, month_name) = (DAYS.get(weekday)?, MONTHS.get(month)?);
    let half = if hour < 12 { "AM" } else { "PM" };
    let twelve = (hour + 11) % 12 + 1;
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        let run = chars[at..].iter().take_while(|other| **other == c).count();
        let padded = |number: u64| {
            let width = run.min(2);
            format!("{number:0width$}")
        };
        let mut used = run;
        match c {
            'y' => {
                let year = civil.year;
                out.push_str(&match run {
                    1 => (year % 100).to_string(),
                    2 => format!("{:02}", year % 100),
                    _ => format!("{year:0run$}"),
                });
            }
            'M' => out.push_str(&match run {
                1 | 2 => format!("{:0run$}", civil.month),
                3 => month_name[..3].to_owned(),
                _ => (*month_name).to_owned(),
            }),
            'd' => out.push_str(&match run {
                1 | 2 => format!("{:0run$}", civil.day),
                3 => day_name[..3].to_owned(),
                _ => (*day_name).to_owned(),
            }),
            'H' => out.push_str(&padded(hour)),
            'h' => out.push_str(&padded(twelve)),
            'm' => out.push_str(&padded(minute)),
            's' => out.push_str(&padded(second)),
            't' => out.push_str(if run == 1 { &half[..1] } else { half }),
            'f' | 'F' => {
                let shown = fraction.get(..run)?;
                out.push_str(if c == 'F' {
                    shown.trim_end_matches('0')
                } else {
                    shown
                });
            }
            'z' => {
                let sign = if offset < 0 { '-' } else { '+' };
                let minutes = offset.unsigned_abs();
                let hours = minutes / 60;
                out.push_str(&match run {
                    1 => format!("{sign}{hours}"),
                    2 => format!("{sign}{hours:02}"),
                    _ => format!("{sign}{hours:02}:{:02}", minutes % 60),
                });
            }
            '\'' | '"' => {
                let end = chars[at + 1..].iter().position(|other| *other == c)?;
                out.extend(&chars[at + 1..at + 1 + end]);
                used = end + 2;
            }
            '\\' => {
                out.push(*chars.get(at + 1)?);
                used = 2;
            }
            other => out.extend(std::iter::repeat_n(other, run)),
        }
        at += used;
    }
    Some(out)
}
